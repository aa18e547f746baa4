//! Compiling anybody's source, by its extension.

use std::path::Path;
use std::process::Command;

use linker::target::Target;

use super::{BuildError, MOST_FILE, TIME_LIMIT, io, process};
use crate::matrix::{Build, Family};
use crate::toolchain::{Missing, Toolchains, first_line};

/// How a kind of source is compiled.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    C,
    Cxx,
    Ir,
    Rust,
}

const LANGUAGES: &[(&str, Language)] = &[
    ("c", Language::C),
    ("S", Language::C),
    ("s", Language::C),
    ("cc", Language::Cxx),
    ("cpp", Language::Cxx),
    ("cxx", Language::Cxx),
    ("C", Language::Cxx),
    ("ll", Language::Ir),
    ("bc", Language::Ir),
    ("rs", Language::Rust),
];

/// Whether a file is a source by its name.
pub fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    LANGUAGES.iter().any(|row| row.0 == extension)
}

/// Compiles a source to an object for a target: C, C++, assembly, LLVM IR and bitcode, Rust. `family` picks the compiler;
/// without one the first that is installed is taken: the one that the target's row names, another GCC, clang. `flags` come last (`-O2` and no position independence
/// are in front of them).
pub fn compile_file(
    path: &Path,
    target: &'static Target,
    family: Option<Family>,
    flags: &[String],
    toolchains: &Toolchains,
) -> Result<Vec<u8>, BuildError> {
    compile_with_warnings(path, target, family, flags, toolchains).map(|(object, _)| object)
}

/// The same, with what the compiler said about a source that it took.
pub fn compile_with_warnings(
    path: &Path,
    target: &'static Target,
    family: Option<Family>,
    flags: &[String],
    toolchains: &Toolchains,
) -> Result<(Vec<u8>, String), BuildError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let Some(&(_, language)) = LANGUAGES.iter().find(|row| row.0 == extension) else {
        let known: Vec<String> = LANGUAGES.iter().map(|row| format!(".{}", row.0)).collect();
        let message = format!("{}: no source this can compile, expected one of {}", path.display(), known.join(" "));
        return Err(BuildError::Unsupported(message));
    };
    let path = path.canonicalize().map_err(io(path.display()))?;
    let dir = outside::Scratch::new()?;
    let object = dir.path().join("out.o");
    let mut command = if language == Language::Rust {
        rust(target, &path)?
    } else {
        let families = match (language, family) {
            (Language::Ir, _) => vec![Family::Clang],
            (_, Some(family)) => vec![family],
            (_, None) => Family::ALL.to_vec(),
        };
        let mut tried = families.iter().map(|family| driver(*family, target, language, toolchains));
        let own = if family.is_none() { bare(target, language) } else { None };
        let first = own
            .map(Ok)
            .or_else(|| tried.next())
            .unwrap_or_else(|| Err(BuildError::Unsupported("no compiler".to_owned())));
        // The first one's error is the one to report: it is the preferred compiler's.
        first.or_else(|error| tried.find_map(Result::ok).ok_or(error))?
    };
    if language == Language::Rust {
        command.args(flags).arg("-o").arg(&object).arg(&path);
    } else {
        command.args(flags).arg("-c").arg(&path).arg("-o").arg(&object);
    }
    let said = process::run(command, TIME_LIMIT)?;
    Ok((outside::read(&object, MOST_FILE)?, said))
}

/// The compiler that the row of a target names for what is no case of the corpus, if it is installed.
fn bare(target: &'static Target, language: Language) -> Option<Command> {
    let row = crate::target::row(target);
    let name = match language {
        Language::C => "gcc",
        Language::Cxx => "g++",
        Language::Ir | Language::Rust => return None,
    };
    let path = which::which(format!("{}-{name}", row.bare?)).ok()?;
    let mut command = Command::new(path);
    // As for cases, but for what those do without: a C library, and what C++ has.
    command.args(row.gcc.iter().chain(row.flags)).args(["-fno-stack-protector", "-fno-pic", "-O2"]);
    Some(command)
}

fn driver(
    family: Family,
    target: &'static Target,
    language: Language,
    toolchains: &Toolchains,
) -> Result<Command, BuildError> {
    let toolchain = toolchains.get(family, target)?;
    let cxx = language == Language::Cxx;
    let tool = if cxx { toolchain.cxx.as_ref().map_err(Missing::clone)? } else { &toolchain.cc };
    let mut command = Command::new(&tool.path);
    let build = Build::new(target, toolchain.id, Vec::new());
    // A user's program may include its C library and use what C++ has: only the target's flags are kept.
    let hosted = ["-ffreestanding", "-nostdinc++", "-fno-exceptions", "-fno-rtti"];
    let flags = crate::target::flags(&build, if cxx { "x.cc" } else { "x.c" });
    command.args(flags.iter().filter(|flag| !hosted.contains(&flag.as_str()))).arg("-O2");
    Ok(command)
}

/// The compiler of Rust. A source with a `main` is a program, in which rustc makes the C function `main`; any other is a library.
fn rust(target: &Target, path: &Path) -> Result<Command, BuildError> {
    let name = crate::target::row(target).rust;
    let rustc = which::which("rustc").map_err(|_| Missing { what: "rustc".to_owned(), package: "rustc".to_owned() })?;
    let library = Command::new(&rustc).args(["--print", "target-libdir", "--target", name]).output();
    let library = library.map_err(io(rustc.display()))?;
    let library = String::from_utf8_lossy(&library.stdout).trim().to_owned();
    if library.is_empty() || !Path::new(&library).is_dir() {
        let version = first_line(&rustc, "--version").unwrap_or_default();
        let message = format!("{version} has no library for {name}: rustup target add {name}");
        return Err(BuildError::Unsupported(message));
    }
    let mut command = Command::new(rustc);
    let source = String::from_utf8_lossy(&outside::read(path, MOST_FILE)?).into_owned();
    let is_attribute = |line: &str| ["#![no_main]", "#![no_std]"].iter().any(|name| line.trim() == *name);
    let is_main = |line: &str| line.strip_prefix("pub ").unwrap_or(line).starts_with("fn main(");
    // A program unwinds, as one of rustc's own; what others call cannot.
    let kind: &[&str] = match source.lines().any(is_main) && !source.lines().any(is_attribute) {
        true => &["--crate-type=bin"],
        false => &["--crate-type=lib", "-Cpanic=abort"],
    };
    command.args(["--target", name, "--emit=obj", "-Copt-level=2"]).args(kind);
    command.args(["-Crelocation-model=static", "-Ccodegen-units=1"]);
    Ok(command)
}
