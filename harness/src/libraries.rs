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
const LIBRARIES: [&str; 11] = [
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
    // What newlib wants of a system, as functions that fail.
    "libnosys.a",
];

/// The compiler of bare metal, whose libraries follow the base standard.
const BARE: &str = "arm-none-eabi-gcc";

/// What a compiler may take to say where its libraries are.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), text: 4096, file: 4096, memory: None };

/// How many names are looked up: what is missing by the thousand is not missing by an oversight.
const MOST: usize = 200;

/// What to add to a link for names that it lacks: a line for each library, and one for each name that a library wants and none has.
pub fn hints(missing: &[Undefined], target: &'static Target) -> Vec<String> {
    let mut names: Vec<&str> = missing.iter().take(MOST).map(|symbol| symbol.name.as_str()).collect();
    let mut lines = Vec::new();
    let Some(compiler) = compiler(target) else { return lines };
    let mut looked = Vec::new();
    for library in LIBRARIES {
        if names.is_empty() {
            break;
        }
        for path in files_of(&compiler, library) {
            looked.push(library);
            let found = defined(&path, target, &names);
            if found.is_empty() {
                continue;
            }
            names.retain(|name| !found.contains(name));
            lines.push(line(&found, &path));
        }
    }
    looked.dedup();
    let left = missing.iter().filter(|symbol| names.contains(&symbol.name.as_str()));
    lines.extend(left.filter_map(|symbol| nowhere(symbol, &compiler, &looked)));
    lines
}

/// A name that libraries want, and that none of these has.
fn nowhere(symbol: &Undefined, compiler: &Compiler, libraries: &[&str]) -> Option<String> {
    let is_member = |file: &str| file.split_once('(').is_some_and(|(archive, _)| archive.ends_with(".a"));
    let mut wanted: Vec<&str> = symbol.wanted_by.iter().map(|site| site.file.as_str()).collect();
    if wanted.is_empty() || !wanted.iter().all(|file| is_member(file)) {
        return None;
    }
    wanted.dedup();
    let wanted: Vec<&str> = wanted.into_iter().map(|file| file.rsplit('/').next().unwrap_or(file)).collect();
    Some(format!(
        "`{}` is wanted by {}, and none of the libraries of {} has it ({}): the program has to define it",
        symbol.name,
        wanted.join(" and "),
        compiler.path.file_name().unwrap_or_default().to_string_lossy(),
        libraries.join(", ")
    ))
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

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The GNU C library, by the cross compiler.
    Glibc,
    /// musl, where Debian has that of a foreign architecture, with what the cross compiler needs.
    Musl,
    /// newlib, by the compiler of bare metal.
    Newlib,
}

/// What a program is linked with besides its own objects, as a compiler driver names it for a static link.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// The library's name.
    pub name: &'static str,
    /// Objects in front of the program's.
    pub before: Vec<PathBuf>,
    /// Archives behind them, which form one group with its own.
    pub libraries: Vec<PathBuf>,
    /// Objects behind all.
    pub behind: Vec<PathBuf>,
}

/// Files, and of each whether it is the C library's or the compiler's.
type Files = &'static [(&'static str, bool)];

/// The files of a C library.
struct Row {
    library: Library,
    name: &'static str,
    front: Files,
    own: Files,
    behind: Files,
}

const LINUX: Row = Row {
    library: Library::Glibc,
    name: "glibc",
    front: &[("crt1.o", true), ("crti.o", true), ("crtbeginT.o", false)],
    own: &[("libm.a", true), ("libc.a", true), ("libgcc.a", false), ("libgcc_eh.a", false)],
    behind: &[("crtend.o", false), ("crtn.o", true)],
};

const ROWS: &[Row] = &[
    LINUX,
    Row { library: Library::Musl, name: "musl", ..LINUX },
    // As rdimon.specs has it: librdimon is what asks by semihosting.
    Row {
        library: Library::Newlib,
        name: "newlib",
        front: &[("crti.o", false), ("crtbegin.o", false), ("rdimon-crt0.o", true)],
        own: &[("libm.a", true), ("libc.a", true), ("librdimon.a", true), ("libgcc.a", false)],
        behind: &[("crtend.o", false), ("crtn.o", false)],
    },
];

/// The start files and libraries for programs of a target; `cpp`: for those in C++, too.
///
/// # Errors
/// Says what is missing, and which package has it.
pub fn runtime(library: Library, target: &'static Target, cpp: bool) -> Result<Runtime, String> {
    let row = corpus::target::find(target).map_err(|error| error.to_string())?;
    let files = ROWS.iter().find(|row| row.library == library).unwrap_or(&LINUX);
    let path = if library == Library::Newlib {
        if target.register_bits == 64 {
            return Err(format!("{BARE} has no newlib for {}", target.name));
        }
        which::which(BARE)
            .map_err(|_| format!("newlib for {}: missing is {BARE} (Debian's gcc-arm-none-eabi)", target.name))?
    } else if Abi::of(target) == Abi::AapcsBase {
        return Err(format!(
            "there is no C library for Linux programs of {} (soft float) that is known here: --crt newlib has one for bare metal",
            target.name
        ));
    } else {
        let compiler = Toolchains::discover().get(Family::Gcc, target).map(|found| found.cc.path.clone());
        compiler.map_err(|missing| missing.to_string())?
    };
    let compiler = Compiler { path, flags: row.gcc.iter().chain(row.flags).copied().collect() };
    // `arm-linux-gnueabihf` is what musl calls `arm-linux-musleabihf`; Debian calls the architecture something else.
    let musl = PathBuf::from("/usr/lib").join(row.debian.replace("gnu", "musl"));
    let architecture = if target.register_bits == 64 { "arm64" } else { "armhf" };
    let mut lacks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut find = |name: &'static str, of_library: bool| {
        let found = if of_library && library == Library::Musl {
            Some(musl.join(name)).filter(|path| path.exists()).into_iter().collect()
        } else {
            files_of(&compiler, name)
        };
        if found.is_empty() {
            let package = match (of_library, library) {
                (true, Library::Musl) => format!("musl-dev:{architecture}"),
                (true, Library::Glibc) => format!("libc6-dev-{architecture}-cross"),
                (true, Library::Newlib) => "libnewlib-arm-none-eabi".to_owned(),
                (false, Library::Newlib) if name == "libstdc++.a" => "libstdc++-arm-none-eabi-newlib".to_owned(),
                (false, Library::Newlib) => "gcc-arm-none-eabi".to_owned(),
                (false, _) if name == "libstdc++.a" => format!("libstdc++-12-dev-{architecture}-cross"),
                (false, _) => format!("libgcc-12-dev-{architecture}-cross"),
            };
            lacks.entry(package).or_default().push(name);
        }
        found
    };
    let cpp: &[(&str, bool)] = if cpp { &[("libstdc++.a", false)] } else { &[] };
    let mut all = |names: &[(&'static str, bool)]| names.iter().flat_map(|name| find(name.0, name.1)).collect();
    let runtime = Runtime {
        name: files.name,
        before: all(files.front),
        libraries: all(&[cpp, files.own].concat()),
        behind: all(files.behind),
    };
    if lacks.is_empty() {
        return Ok(runtime);
    }
    let lines: Vec<String> =
        lacks.iter().map(|(package, names)| format!("{} (Debian's {package})", names.join(" "))).collect();
    Err(format!("{} for {}: missing are {}", runtime.name, target.name, lines.join(", and ")))
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
