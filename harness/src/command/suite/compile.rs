//! A program's sources into objects.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use object::{Object as _, ObjectSymbol as _};
use outside::{ChildError, Limits};

use super::find::is_cpp;
use super::test::Test;
use crate::linking::{Data, Input};

/// What a compiler may take for one source.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(120), text: 64 << 10, file: 256 << 20, memory: Some(8 << 30) };

/// Flags in front of all others: programs of suites are old, and no warning of theirs says anything here.
const FLAGS: [&str; 2] = ["-w", "-fno-pie"];

/// Compiles a test's sources into a directory. `extra` are flags on top, and `with` what all programs are linked with, of which
/// sources are compiled, too.
///
/// # Errors
/// The outer error is one of this machine, the inner one says why it cannot be compiled.
pub(super) fn objects(
    test: &Test<'_>,
    extra: &[String],
    with: &[PathBuf],
    root: &Path,
    scratch: &Path,
) -> anyhow::Result<Result<Vec<Input>, String>> {
    let mut objects = Vec::new();
    for (number, source) in test.program.sources.iter().chain(with).enumerate() {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !is_source(source) {
            objects.push(crate::inputs::open(&source.to_string_lossy())?);
            continue;
        }
        let cpp = is_cpp(source);
        let program = match test.compiler.program(cpp) {
            Ok(program) => program,
            Err(missing) => return Ok(Err(missing)),
        };
        let object = scratch.join(format!("{number}.o"));
        let mut command = Command::new(program);
        command.args(&test.compiler.flags).args(FLAGS).args(&test.flags).args(&test.program.flags).args(extra);
        command.arg("-c").arg(source).arg("-o").arg(&object).current_dir(root).env("LC_ALL", "C");
        let ended = match outside::run(command, &LIMITS) {
            Ok(ended) => ended,
            Err(ChildError::OutOfTime { limit, .. }) => {
                return Ok(Err(format!("does not compile within {} s", limit.as_secs())));
            }
            Err(error) => return Err(error.into()),
        };
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr);
            return Ok(Err(format!("does not compile: {}", complaint(&said))));
        }
        // Read and not mapped: the next program's takes its place.
        let bytes = outside::read(&object, LIMITS.file)?;
        objects.push(Input::new(format!("{name}.o"), Data::Read(bytes)));
    }
    if !objects.iter().any(has_main) {
        return Ok(Err("has no main: it is no program by itself".to_owned()));
    }
    Ok(Ok(objects))
}

fn is_source(path: &Path) -> bool {
    is_cpp(path) || path.extension().is_some_and(|ending| ending == "c")
}

/// The first error that a compiler complains of, without where it is.
fn complaint(said: &str) -> String {
    let error = said.lines().find_map(|line| line.split_once("error: ").map(|(_, error)| error.trim()));
    error.or_else(|| said.lines().next()).unwrap_or("the compiler does not say why").to_owned()
}

/// Whether an object, or a member of an archive, may have the program's `main`.
fn has_main(input: &Input) -> bool {
    let Ok(file) = object::File::parse(&*input.data) else { return true };
    file.symbols().any(|symbol| symbol.is_definition() && symbol.name() == Ok("main"))
}
