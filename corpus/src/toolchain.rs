//! Finding compilers by all the names they go by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use linker::target::Target;
use outside::Limits;

use crate::matrix::{Family, ToolchainId};
use crate::target::{ROWS, Row, row};

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// The first line of its `--version`.
    pub version: String,
}

/// The compiler of one family for one target, with what goes with it.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Family and major version.
    pub id: ToolchainId,
    /// For which target.
    pub target: &'static str,
    /// Compiles C and assembly (and IR, if it is clang).
    pub cc: Tool,
    /// Compiles C++.
    pub cxx: Result<Tool, Missing>,
    /// Joins objects: GNU ld or lld.
    pub ld: Result<Tool, Missing>,
}

/// A program that was not found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("no {what}: install {package}")]
pub struct Missing {
    /// What it is.
    pub what: String,
    /// The Debian package that has it.
    pub package: String,
}

/// All compilers of this machine.
#[derive(Clone, Debug, Default)]
pub struct Toolchains {
    /// What was found, by family, in the order of the targets.
    pub found: Vec<Toolchain>,
    /// What was not, with the target it was for.
    pub missing: Vec<(Family, &'static str, Missing)>,
}

/// Other versions than the wanted one that are looked for, the newest first.
const VERSIONS: std::ops::RangeInclusive<u32> = 9..=23;

impl Toolchains {
    /// Looks through the search path.
    pub fn discover() -> Toolchains {
        let mut all = Toolchains::default();
        let clang = find_clang();
        let mut gcc: Vec<(&[&str], Option<Gnu>)> = Vec::new();
        for row in ROWS {
            if !gcc.iter().any(|known| std::ptr::eq(known.0, row.triplets)) {
                gcc.push((row.triplets, find_gcc(row)));
            }
            let gnu = gcc.iter().find(|known| std::ptr::eq(known.0, row.triplets)).and_then(|known| known.1.as_ref());
            match gnu {
                Some(gnu) => all.found.push(gnu.toolchain(row)),
                None => all.missing.push((Family::Gcc, row.name, missing_gcc(row))),
            }
        }
        for row in ROWS {
            match &clang {
                Some(clang) => all.found.push(Toolchain { target: row.name, ..clang.clone() }),
                None => all.missing.push((Family::Clang, row.name, missing_clang("clang", "clang"))),
            }
        }
        all
    }

    /// The compiler of a family for a target.
    pub fn get(&self, family: Family, target: &Target) -> Result<&Toolchain, Missing> {
        let mut found = self.found.iter().filter(|toolchain| toolchain.id.family == family);
        found.find(|toolchain| toolchain.target == target.name).ok_or_else(|| {
            let known = self.missing.iter().find(|missing| missing.0 == family && missing.1 == target.name);
            known.map_or_else(|| missing(family, target), |missing| missing.2.clone())
        })
    }

    /// The major version found, or the wanted one: for `Case::builds`.
    pub fn major(&self, family: Family, target: &Target) -> u32 {
        self.get(family, target).map_or(family.wanted(), |toolchain| toolchain.id.major)
    }

    /// Every program that is missing, each once, with the targets that want it.
    pub fn all_missing(&self) -> Vec<(Missing, Vec<&'static str>)> {
        let mut all: Vec<(Missing, Vec<&'static str>)> = Vec::new();
        let whole = self.missing.iter().map(|(_, target, missing)| (missing, *target));
        let parts = self.found.iter().flat_map(|toolchain| {
            [toolchain.cxx.as_ref().err(), toolchain.ld.as_ref().err()]
                .into_iter()
                .flatten()
                .map(|m| (m, toolchain.target))
        });
        for (missing, target) in whole.chain(parts) {
            match all.iter_mut().find(|known| known.0 == *missing) {
                Some((_, targets)) if targets.contains(&target) => {}
                Some((_, targets)) => targets.push(target),
                None => all.push((missing.clone(), vec![target])),
            }
        }
        all
    }
}

fn missing(family: Family, target: &Target) -> Missing {
    match family {
        Family::Gcc => missing_gcc(row(target)),
        Family::Clang => missing_clang("clang", "clang"),
    }
}

fn missing_gcc(row: &Row) -> Missing {
    let what = format!("GCC for {}", row.debian);
    Missing { what, package: format!("gcc-{}-{}", Family::Gcc.wanted(), row.debian) }
}

fn missing_clang(what: &str, package: &str) -> Missing {
    Missing { what: what.to_owned(), package: format!("{package}-{}", Family::Clang.wanted()) }
}

/// A GCC: the tools are named alike.
struct Gnu {
    major: u32,
    cc: Tool,
    cxx: Option<Tool>,
    ld: Option<Tool>,
}

impl Gnu {
    fn toolchain(&self, row: &Row) -> Toolchain {
        let wanted = Family::Gcc.wanted();
        let no = |what: &str, package: String| Missing { what: format!("{what} for {}", row.debian), package };
        Toolchain {
            id: ToolchainId { family: Family::Gcc, major: self.major },
            target: row.name,
            cc: self.cc.clone(),
            cxx: self.cxx.clone().ok_or_else(|| no("G++", format!("g++-{wanted}-{}", row.debian))),
            ld: self.ld.clone().ok_or_else(|| no("GNU ld", format!("binutils-{}", row.debian))),
        }
    }
}

/// Names with the wanted version come first, then those without a version, then any version.
fn candidates(wanted: u32) -> impl Iterator<Item = String> {
    let others = VERSIONS.rev().filter(move |version| *version != wanted);
    [format!("-{wanted}"), String::new()].into_iter().chain(others.map(|version| format!("-{version}")))
}

fn find_gcc(row: &Row) -> Option<Gnu> {
    for suffix in candidates(Family::Gcc.wanted()) {
        for triplet in row.triplets {
            let Some((cc, major)) = tool(&format!("{triplet}-gcc{suffix}")) else { continue };
            let cxx = tool(&format!("{triplet}-g++{suffix}")).map(|found| found.0);
            return Some(Gnu { major, cc, cxx, ld: program(&format!("{triplet}-ld")) });
        }
        // The machine's own compiler may be one for the target.
        let Ok(path) = which::which(format!("gcc{suffix}")) else { continue };
        let machine = first_line(&path, "-dumpmachine").unwrap_or_default();
        let (machine, _) = machine.split_once('-').unwrap_or((&machine, ""));
        if row.triplets.iter().any(|triplet| triplet.split('-').next() == Some(machine)) {
            let (cc, major) = tool(&format!("gcc{suffix}"))?;
            return Some(Gnu { major, cc, cxx: tool(&format!("g++{suffix}")).map(|found| found.0), ld: program("ld") });
        }
    }
    None
}

fn find_clang() -> Option<Toolchain> {
    for suffix in candidates(Family::Clang.wanted()) {
        let Some((cc, major)) = tool(&format!("clang{suffix}")) else { continue };
        let ld = program(&format!("ld.lld{suffix}")).or_else(|| program(&format!("ld.lld-{major}")));
        return Some(Toolchain {
            id: ToolchainId { family: Family::Clang, major },
            target: "",
            // One program compiles all languages.
            cxx: Ok(cc.clone()),
            cc,
            ld: ld.or_else(|| program("ld.lld")).ok_or_else(|| missing_clang("lld", "lld")),
        });
    }
    None
}

/// A compiler of this name, and its major version.
fn tool(name: &str) -> Option<(Tool, u32)> {
    let tool = program(name)?;
    let major = major(&tool.version)?;
    Some((tool, major))
}

fn program(name: &str) -> Option<Tool> {
    let path = which::which(name).ok()?;
    let version = first_line(&path, "--version")?;
    Some(Tool { path, version })
}

/// What a program may take to say a line about itself.
const A_LINE: Limits = Limits { time: Duration::from_secs(5), text: 4096, file: 1 << 20, memory: Some(4 << 30) };

/// The first line of what a program says, which is untrusted: it may be the one that is to be tried.
pub fn first_line(program: &Path, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg(argument).env("LC_ALL", "C");
    let ended = outside::run(command, &A_LINE).ok().filter(|ended| ended.status.success())?;
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    Some(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The major version in `gcc-12 (Debian 12.2.0-14) 12.2.0` or `Debian clang version 19.1.7 (3~deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let mut depth = 0usize;
    let outside: String = version
        .chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let mut words = outside.split_whitespace().filter(|word| word.contains('.'));
    words.find_map(|word| word.split('.').next()?.parse().ok())
}

/// The version of the installed Debian package that a file belongs to, where there is `dpkg-query`: `("gcc-12-...", "12.2.0-14")`.
pub fn package_of(path: &Path) -> Option<(String, String)> {
    let query = |arguments: &[&std::ffi::OsStr]| {
        let output =
            Command::new("dpkg-query").args(arguments).env("LC_ALL", "C").stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let path = path.canonicalize().ok()?;
    // `/usr/bin` may be a link to `/bin` or the other way round; dpkg knows one of the two.
    let found = query(&["-S".as_ref(), path.as_os_str()])?;
    let package = found.lines().next()?.split(": ").next()?.to_owned();
    let version = query(&["-W".as_ref(), "-f=${Version}".as_ref(), package.as_ref()])?;
    let name = package.split(':').next().unwrap_or(&package).to_owned();
    Some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        let table: &[(&str, Option<u32>)] = &[
            ("aarch64-linux-gnu-gcc-12 (Debian 12.2.0-14) 12.2.0", Some(12)),
            ("Debian clang version 19.1.7 (3~deb12u1)", Some(19)),
            ("clang version 18.1.8 (Fedora 18.1.8-1.fc40)", Some(18)),
            ("arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205", Some(12)),
            ("aarch64-linux-gnu-gcc (GCC) 14.2.1 20240912 (Red Hat Cross 14.2.1-2)", Some(14)),
            ("Ubuntu clang version 18.1.3 (1ubuntu1)", Some(18)),
            ("", None),
            ("no version (1.2)", None),
        ];
        for (line, expected) in table {
            assert_eq!(major(line), *expected, "{line}");
        }
    }

    #[test]
    fn what_is_missing_names_its_package() {
        let none = Toolchains::default();
        for (family, target, package) in [
            (Family::Gcc, "aarch64", "gcc-12-aarch64-linux-gnu"),
            (Family::Gcc, "thumbv6m", "gcc-12-arm-linux-gnueabihf"),
            (Family::Clang, "armv7", "clang-19"),
        ] {
            let target = Target::named(target).expect("a target");
            assert_eq!(none.get(family, target).expect_err("nothing").package, package);
        }
    }
}
