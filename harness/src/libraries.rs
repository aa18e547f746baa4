//! Which of the libraries that came with a compiler has a name that a link lacks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use corpus::matrix::Family;
use corpus::toolchain::Toolchains;
use linker::Target;
use linker::error::Undefined;
use object::read::archive::ArchiveFile;
use outside::Limits;

use crate::inputs;
use crate::machine::Abi;
use crate::script;

/// Libraries that are looked into, those before others that need them less.
const LIBRARIES: [&str; 10] = [
    "libm.a",
    "libgcc.a",
    "libgcc_eh.a",
    "libatomic.a",
    "libc.a",
    "libpthread.a",
    "librt.a",
    "libdl.a",
    "libstdc++.a",
    "libgfortran.a",
];

/// The compiler of bare metal, whose libraries follow the base standard.
const BARE: &str = "arm-none-eabi-gcc";

/// What a compiler may take to say where its libraries are.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), text: 4096, file: 4096, memory: None };

/// How many names are looked up: what is missing by the thousand is not missing by an oversight.
const MOST: usize = 200;

/// What to add to a link for names that it lacks: a line for each library.
pub fn hints(missing: &[Undefined], target: &'static Target) -> Vec<String> {
    let mut names: Vec<&str> = missing.iter().take(MOST).map(|symbol| symbol.name.as_str()).collect();
    let mut lines = Vec::new();
    let Some(compiler) = compiler(target) else { return lines };
    for library in LIBRARIES {
        if names.is_empty() {
            break;
        }
        for path in files_of(&compiler, library) {
            let found = defined(&path, target, &names);
            if found.is_empty() {
                continue;
            }
            names.retain(|name| !found.contains(name));
            lines.push(line(&found, &path));
        }
    }
    lines
}

fn line(found: &[&str], path: &Path) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = found.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if found.len() > SHOWN {
        shown.push(format!("{} more", found.len() - SHOWN));
    }
    let (last, first) = shown.split_last().map_or((String::new(), Vec::new()), |(l, f)| (l.clone(), f.to_vec()));
    let (names, are) =
        if first.is_empty() { (last, "is") } else { (format!("{} and {last}", first.join(", ")), "are") };
    let library = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{names} {are} in {library}: --lib {}", path.display())
}

/// A compiler whose libraries go with a target's code, and what it has to be told.
struct Compiler {
    path: PathBuf,
    flags: Vec<&'static str>,
}

fn compiler(target: &'static Target) -> Option<Compiler> {
    let row = corpus::target::find(target).ok()?;
    let flags = row.gcc.iter().chain(row.flags).copied().collect();
    // Libraries of Linux are hard float.
    let path = match Abi::of(target) {
        Abi::AapcsBase => which::which(BARE).ok()?,
        _ => Toolchains::discover().get(Family::Gcc, target).ok()?.cc.path.clone(),
    };
    Some(Compiler { path, flags })
}

/// The archives that a library is: itself, or those that a text in its place names.
fn files_of(compiler: &Compiler, library: &str) -> Vec<PathBuf> {
    let mut command = Command::new(&compiler.path);
    command.args(&compiler.flags).arg(format!("-print-file-name={library}"));
    let said = outside::run(command, &LIMITS);
    let path = said.map(|said| PathBuf::from(String::from_utf8_lossy(&said.stdout).trim())).unwrap_or_default();
    // What it does not have it repeats.
    if !path.is_absolute() {
        return Vec::new();
    }
    let path = path.canonicalize().unwrap_or(path);
    let Ok(file) = inputs::open(&path.to_string_lossy()) else { return Vec::new() };
    if !script::is_script(&file.data) {
        return vec![path];
    }
    let named = inputs::stands_for(&path.to_string_lossy(), &file.data).unwrap_or_default();
    named.into_iter().map(PathBuf::from).collect()
}

/// Which of these names an archive for this target defines.
fn defined<'a>(path: &Path, target: &Target, names: &[&'a str]) -> Vec<&'a str> {
    let Ok(file) = inputs::open(&path.to_string_lossy()) else { return Vec::new() };
    let alike = |other: &Target| {
        (other.machine, other.big_endian, other.pointer_bits)
            == (target.machine, target.big_endian, target.pointer_bits)
    };
    if !inputs::target_of(&file).is_some_and(alike) {
        return Vec::new();
    }
    let Ok(archive) = ArchiveFile::parse(&*file.data) else { return Vec::new() };
    let Ok(Some(symbols)) = archive.symbols() else { return Vec::new() };
    let wanted: BTreeMap<&[u8], &'a str> = names.iter().map(|name| (name.as_bytes(), *name)).collect();
    let mut found: Vec<&str> = symbols.flatten().filter_map(|symbol| wanted.get(symbol.name()).copied()).collect();
    found.sort_unstable();
    found.dedup();
    found
}
