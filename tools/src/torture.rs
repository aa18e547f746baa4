//! `cargo xtask torture`: GCC's programs that end well or abort, linked by our linker and run on our emulator, beside GNU ld and
//! qemu-user. The programs come from Debian's package of GCC's sources, and nothing of them is kept here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outside::Limits;

use crate::packages;
use crate::step::{cargo, root, status};

/// The package, and where it puts its archive.
const PACKAGE: &str = "gcc-12-source";
const SOURCES: &str = "/usr/src/gcc-12";
/// What is wanted of the archive.
const SUITE: &str = "gcc/testsuite/gcc.c-torture/execute";
/// Those of a library of their own have more than one file each.
const LEFT_OUT: &str = "builtins";

/// What one program may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), text: 4096, file: 64 << 20, memory: None };

/// A set of instructions: its name here, compiler, flags, and qemu-user's program.
type Set = (&'static str, &'static str, &'static [&'static str], &'static str);
const SETS: [Set; 3] = [
    ("a64", "aarch64-linux-gnu-gcc", &[], "qemu-aarch64"),
    ("a32", "arm-linux-gnueabihf-gcc", &["-marm"], "qemu-arm"),
    ("t32", "arm-linux-gnueabihf-gcc", &["-mthumb"], "qemu-arm"),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this set of instructions: a64, a32 or t32
    #[arg(long)]
    set: Option<String>,
    /// Levels of optimisation
    #[arg(long = "level", default_values = ["-O0", "-O2"], allow_hyphen_values = true)]
    levels: Vec<String>,
    /// Only one program in so many
    #[arg(long, default_value_t = 1)]
    every: usize,
}

/// How a program fared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fared {
    /// GCC does not compile it, GNU ld does not link it, or it fails under qemu-user: it says nothing.
    NoReference,
    Right,
    Wrong,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let suite = suite()?;
    let mut programs = Vec::new();
    collect(&suite, &mut programs)?;
    programs.sort();
    let programs: Vec<PathBuf> = programs.into_iter().step_by(options.every.max(1)).collect();
    status(&mut cargo(&["build", "--package", "harness"]))?;
    let harness = root().join("target/debug/harness");
    let sets: Vec<&Set> =
        SETS.iter().filter(|set| options.set.as_deref().is_none_or(|wanted| wanted == set.0)).collect();
    if sets.is_empty() {
        bail!("--set: expected one of {}", SETS.map(|set| set.0).join(", "));
    }
    let mut wrong = 0;
    for set in sets {
        for level in &options.levels {
            let fared = all(set, level, &programs, &harness)?;
            let count = |what| fared.get(&what).copied().unwrap_or(0);
            let (right, failed) = (count(Fared::Right), count(Fared::Wrong));
            println!(
                "{} {level}: {right} of the {} programs that GNU ld and qemu-user run; {} say nothing",
                set.0,
                right + failed,
                count(Fared::NoReference)
            );
            wrong += failed;
        }
    }
    if wrong > 0 {
        bail!("{wrong} programs do not do what they do under qemu-user");
    }
    Ok(())
}

/// The directory with the programs, unpacked once.
fn suite() -> Result<PathBuf> {
    let directory = root().join("target/torture");
    if let Some(found) = unpacked(&directory) {
        return Ok(found);
    }
    if archive().is_none() {
        packages::apt(&["install", "--yes", "--no-install-recommends", PACKAGE])?;
    }
    let archive = archive().with_context(|| format!("{PACKAGE} has left no archive in {SOURCES}"))?;
    std::fs::create_dir_all(&directory)?;
    let mut tar = Command::new("tar");
    status(tar.arg("-C").arg(&directory).arg("-xf").arg(archive).args(["--wildcards", &format!("*/{SUITE}*")]))?;
    unpacked(&directory).with_context(|| format!("the archive of {PACKAGE} has no {SUITE}"))
}

fn archive() -> Option<PathBuf> {
    let files = std::fs::read_dir(SOURCES).ok()?.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("gcc-12") && name.contains(".tar.")
    };
    files.into_iter().find(is_it)
}

fn unpacked(directory: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(directory).ok()?.flatten();
    versions.map(|version| version.path().join(SUITE)).find(|path| path.is_dir())
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with(LEFT_OUT) {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "c") {
            into.push(path);
        }
    }
    Ok(())
}

/// Tries all programs in one way, several at a time.
fn all(set: &Set, level: &str, programs: &[PathBuf], harness: &Path) -> Result<BTreeMap<Fared, usize>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, fared) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let directory = tempfile::tempdir()?;
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            while let Some((number, program)) = take(&next, programs) {
                let (how, why) = one(set, level, program, harness, &directory.path().join(number.to_string()))?;
                if how == Fared::Wrong {
                    println!("{} {level}: {}: {why}", set.0, program.file_name().unwrap_or_default().display());
                }
                *fared.lock().unwrap_or_else(std::sync::PoisonError::into_inner).entry(how).or_insert(0) += 1;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a thread panicked")))
    })?;
    Ok(fared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn take<'a>(next: &AtomicUsize, programs: &'a [PathBuf]) -> Option<(usize, &'a PathBuf)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    programs.get(number).map(|program| (number, program))
}

/// Tries one program. What is wrong with it, if something is.
fn one(set: &Set, level: &str, program: &Path, harness: &Path, scratch: &Path) -> Result<(Fared, String)> {
    let (object, linked) = (scratch.with_extension("o"), scratch.with_extension("exe"));
    let (_, compiler, flags, emulator) = set;
    let text = String::from_utf8_lossy(&std::fs::read(program)?).into_owned();
    let mut compile = Command::new(compiler);
    compile.args(*flags).args([level, "-w", "-fno-pie"]).args(options(&text)).arg("-c").arg(program);
    compile.arg("-o").arg(&object);
    let mut link = Command::new(compiler);
    link.args(*flags).arg("-static").arg(&object).arg("-o").arg(&linked).arg("-lm");
    let mut reference = Command::new(emulator);
    reference.arg(&linked);
    for command in [compile, link, reference] {
        if !succeeds(command)?.0 {
            return Ok((Fared::NoReference, String::new()));
        }
    }
    let mut ours = Command::new(harness);
    ours.arg("exec").arg(&object).args(["--crt", "glibc"]);
    let (right, why) = succeeds(ours)?;
    for file in [object, linked] {
        std::fs::remove_file(file)?;
    }
    Ok((if right { Fared::Right } else { Fared::Wrong }, why))
}

/// The options that a program asks for (`dg-options` and `dg-additional-options` without conditions).
fn options(text: &str) -> Vec<String> {
    let asked = text.lines().filter(|line| line.contains("dg-options") || line.contains("dg-additional-options"));
    asked.filter_map(|line| line.split('"').nth(1)).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Whether a command ends with status 0 within its limits, and how it ended otherwise.
fn succeeds(command: Command) -> Result<(bool, String)> {
    match outside::run(command, &LIMITS) {
        Ok(ended) => {
            let said = String::from_utf8_lossy(&ended.stderr).lines().next().unwrap_or_default().to_owned();
            Ok((ended.status.success(), format!("{}: {said}", ended.status)))
        }
        Err(error @ outside::ChildError::OutOfTime { .. }) => Ok((false, error.to_string())),
        Err(error) => Err(error.into()),
    }
}
