//! `cargo xtask torture`: GCC's programs that end well or abort, linked by our linker and run on our emulator, beside GNU ld and
//! qemu-user, both by `harness run --suite`. The programs come from Debian's package of GCC's sources, and nothing of them is kept
//! here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use reports::json::Report;
use reports::model::Status;

use crate::packages;
use crate::step::{cargo, root, status};

/// The package, and where it puts its archive.
const PACKAGE: &str = "gcc-12-source";
const SOURCES: &str = "/usr/src/gcc-12";
/// What is wanted of the archive.
const SUITE: &str = "gcc/testsuite/gcc.c-torture/execute";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these targets
    #[arg(long, value_name = "A,..")]
    arch: Option<String>,
    /// Levels of optimisation
    #[arg(long = "level", default_values = ["-O0", "-O2"], allow_hyphen_values = true)]
    levels: Vec<String>,
    /// Only one program in so many
    #[arg(long, default_value_t = 1)]
    every: usize,
}

/// How tests ended, by target, build and program.
type Ended = BTreeMap<(String, String, String), Status>;

pub(crate) fn run(options: &Options) -> Result<()> {
    let suite = suite()?;
    status(&mut cargo(&["build", "--package", "harness"]))?;
    let reference = suite_run(options, &suite, "reference", &["--subject", "ld", "--executor", "qemu-user"])?;
    let ours = suite_run(options, &suite, "linkrig", &[])?;
    let mut counts: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (key, ended) in &reference {
        let [right, asked, silent] = counts.entry((&key.0, &key.1)).or_default();
        if *ended != Status::Passed {
            *silent += 1;
            continue;
        }
        *asked += 1;
        if ours.get(key) == Some(&Status::Passed) {
            *right += 1;
        } else {
            wrong.push(key);
        }
    }
    for ((target, build), [right, asked, silent]) in &counts {
        println!(
            "{target} {build}: {right} of the {asked} programs that GNU ld and qemu-user run; {silent} say nothing"
        );
    }
    for (target, build, case) in &wrong {
        println!("{target} {build} {case}: not as under qemu-user");
    }
    if let Some(((target, build), _)) = counts.iter().find(|(_, [_, asked, _])| *asked == 0) {
        bail!("{target} {build}: no program runs as GNU ld links it, under qemu-user: cargo xtask setup");
    }
    if reference.is_empty() || !wrong.is_empty() {
        bail!("{} of {} programs do not do what they do under qemu-user", wrong.len(), reference.len());
    }
    Ok(())
}

/// Runs the suite in one way. Its report stays in `target/torture`.
fn suite_run(options: &Options, suite: &Path, name: &str, words: &[&str]) -> Result<Ended> {
    let directory = root().join("target/torture");
    let report = directory.join(format!("{name}.json"));
    let mut command = Command::new(root().join("target/debug/harness"));
    command.args(["run", "--suite"]).arg(suite).args(words);
    command.args(options.levels.iter().map(|level| format!("--flags={level}")));
    command.arg("--report").arg(format!("json={}", report.display()));
    command.arg("--failed-file").arg(directory.join(format!("{name}-failed.json")));
    if let Some(arch) = &options.arch {
        command.args(["--arch", arch]);
    }
    if options.every > 1 {
        command.args(["--partition", &format!("1/{}", options.every)]);
    }
    let ended = command.status().with_context(|| format!("{command:?}"))?;
    // Some programs fail by any linker.
    if !matches!(ended.code(), Some(0 | 100)) {
        bail!("{command:?}: {ended}");
    }
    let file = std::fs::File::open(&report).with_context(|| report.display().to_string())?;
    let results = Report::read(file)?.results;
    Ok(results.into_iter().map(|it| ((it.target, it.build, it.case), it.status)).collect())
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
