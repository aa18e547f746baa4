//! `cargo xtask prebuilt`: the objects that are checked in.

use std::collections::{BTreeMap, HashSet};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use corpus::build::{self, File};
use corpus::case::{self, Case};
use corpus::matrix::{self, Build};
use corpus::prebuilt;
use corpus::toolchain::Toolchains;
use linker::target::{TARGETS, Target};

/// What to do with the prebuilt objects.
#[derive(Args)]
pub(crate) struct Options {
    /// Compile nothing: say what is damaged, stale, missing or left over.
    #[arg(long)]
    check: bool,
    /// Write nothing: compile all, and compare with what is checked in, bit for bit.
    #[arg(long, conflicts_with = "check")]
    compare: bool,
    /// Compile all, not only the cases that changed since.
    #[arg(long, conflicts_with = "check")]
    all: bool,
    /// Compilers at once; as many as there are processors if not given.
    #[arg(short, long)]
    jobs: Option<usize>,
    /// Only for these targets.
    #[arg(long, value_delimiter = ',', value_name = "ARCH,...")]
    arch: Vec<String>,
}

/// Whether what is checked in fits the cases.
pub(crate) fn verify() -> Result<()> {
    let cases = case::load_all(&case::default_dir())?;
    let problems = prebuilt::verify(&prebuilt::default_dir(), &cases);
    if problems.is_empty() {
        eprintln!("    the prebuilt objects are those of the {} cases", cases.len());
        return Ok(());
    }
    for problem in problems.iter().take(20) {
        eprintln!("    {problem}");
    }
    bail!("{} problems with the prebuilt objects", problems.len())
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.check {
        verify()?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &options.arch {
        Target::named(name).with_context(|| format!("there is no architecture {name}"))?;
    }
    let start = Instant::now();
    let cases = case::load_all(&case::default_dir())?;
    let toolchains = Toolchains::discover();
    let wanted = |target: &Target| options.arch.is_empty() || options.arch.iter().any(|name| name == target.name);
    let mut total = 0;
    let mut different = Vec::new();
    let scratch = tempfile::tempdir()?;
    let kept = prebuilt::default_dir();
    let dir = if options.compare { scratch.path() } else { &kept };
    for target in TARGETS {
        let written = prebuilt::path(&kept, target);
        if wanted(target) {
            let Some(size) = target_objects(&cases, target, &toolchains, options, dir)? else {
                remove(&written, options.compare)?;
                continue;
            };
            total += size;
            if options.compare && std::fs::read(&written).ok() != Some(std::fs::read(prebuilt::path(dir, target))?) {
                different.push(format!("{}: {}", target.name, versions(&kept, target, &toolchains)));
            }
        } else {
            total += std::fs::metadata(&written).map_or(0, |metadata| metadata.len());
        }
    }
    eprintln!("{total} bytes together, in {:.1} s", start.elapsed().as_secs_f64());
    if total > prebuilt::MOST_BYTES {
        bail!("that is more than {} bytes", prebuilt::MOST_BYTES);
    }
    if !different.is_empty() {
        bail!("these are not what is checked in:\n  {}", different.join("\n  "));
    }
    Ok(ExitCode::SUCCESS)
}

/// An archive that no case wants any more goes.
fn remove(path: &Path, keep: bool) -> Result<()> {
    if !keep && path.exists() {
        std::fs::remove_file(path)?;
        eprintln!("removed {}", path.display());
    }
    Ok(())
}

/// Why the bytes may differ: other packages than recorded.
fn versions(kept: &Path, target: &'static Target, toolchains: &Toolchains) -> String {
    let Ok(recorded) = prebuilt::read(kept, target) else { return "cannot be read".to_owned() };
    let installed = |name: &str| {
        let tools = toolchains.found.iter().filter(|toolchain| toolchain.target == target.name);
        let paths = tools.flat_map(|toolchain| {
            let others = [toolchain.cxx.as_ref().ok(), toolchain.ld.as_ref().ok()].into_iter().flatten();
            std::iter::once(&toolchain.cc).chain(others).map(|tool| &tool.path)
        });
        let mut packages = paths.filter_map(|path: &PathBuf| corpus::toolchain::package_of(path));
        packages.find(|package| package.0 == name).map(|package| package.1)
    };
    let mut differences = Vec::new();
    for (name, version) in recorded.toolchains().iter().flat_map(|toolchain| &toolchain.packages) {
        let found = installed(name);
        if found.as_ref() != Some(version) {
            let found = found.unwrap_or_else(|| "not installed".to_owned());
            differences.push(format!("{name} {version} was recorded, {found} is here"));
        }
    }
    if differences.is_empty() { "the recorded packages are installed".to_owned() } else { differences.join("; ") }
}

/// Compiles all cases of a target and writes the archive; nothing if there are none.
fn target_objects(
    cases: &[Case],
    target: &'static Target,
    toolchains: &Toolchains,
    options: &Options,
    dir: &Path,
) -> Result<Option<u64>> {
    let jobs: Vec<build::Job<'_>> = cases
        .iter()
        .flat_map(|case| case.builds(&[target.name], &matrix::wanted).into_iter().map(move |build| (case, build)))
        .collect();
    if jobs.is_empty() {
        return Ok(None);
    }
    let start = Instant::now();
    // What the same compilers made of the same sources is taken over.
    let old = prebuilt::read(&prebuilt::default_dir(), target).ok().filter(|old| {
        let here = prebuilt::provenance(target, toolchains);
        !options.all && !options.compare && old.toolchains().iter().all(|one| here.contains(one))
    });
    let fresh: HashSet<&str> = cases
        .iter()
        .filter(|c| old.as_ref().is_some_and(|old| old.check(c).is_ok()))
        .map(|c| c.name.as_str())
        .collect();
    let mut built: Vec<(&Case, &Build, Vec<File>)> = Vec::new();
    let reuse =
        |job: &build::Job<'_>| old.as_ref().filter(|_| fresh.contains(job.0.name.as_str()))?.files(job.0, &job.1).ok();
    let all = jobs.len();
    let (reused, jobs): (Vec<_>, Vec<_>) =
        jobs.into_iter().map(|job| (reuse(&job), job)).partition(|(files, _)| files.is_some());
    built.extend(reused.iter().filter_map(|(files, job)| Some((job.0, &job.1, files.clone()?))));
    let jobs: Vec<build::Job<'_>> = jobs.into_iter().map(|(_, job)| job).collect();
    let threads = options.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let results = build::build_all(&jobs, toolchains, threads, &progress(target.name, jobs.len()));
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((case, build), result) in jobs.iter().zip(results) {
        match result {
            Ok(files) => built.push((case, build, files)),
            Err(error) => failures.entry(error.to_string()).or_default().push(format!("{} {}", case.name, build.label)),
        }
    }
    if !failures.is_empty() {
        for (error, where_) in &failures {
            eprintln!("{}{}: {error}", where_[0], if where_.len() > 1 { " and others" } else { "" });
        }
        bail!("{} of {all} builds for {} failed", all - built.len(), target.name);
    }
    let built: Vec<(&Case, &Build, &[File])> =
        built.iter().map(|(case, build, files)| (*case, *build, &files[..])).collect();
    let size = prebuilt::write(dir, target, &built, toolchains)?;
    let time = Instant::now();
    let (files, bytes) = prebuilt::read(dir, target)?.size();
    eprintln!(
        "{}: {} of {all} builds compiled in {:.1} s, {files} different files of {bytes} bytes, packed {size}, read in {:.0} ms",
        target.name,
        jobs.len(),
        start.elapsed().as_secs_f64(),
        time.elapsed().as_secs_f64() * 1e3,
    );
    Ok(Some(size))
}

/// Prints how far it is: at most a hundred lines, or one that changes.
fn progress(name: &'static str, all: usize) -> impl Fn(usize, &build::Job<'_>) + Sync {
    let last = Mutex::new(0);
    let terminal = std::io::stderr().is_terminal();
    move |done, _| {
        let percent = done * 100 / all.max(1);
        let Ok(mut last) = last.lock() else { return };
        let step = if terminal { 1 } else { 20 };
        if percent >= *last + step || done == all {
            *last = percent;
            let (start, end) = if terminal { ("\r", if done == all { "\n" } else { "" }) } else { ("", "\n") };
            eprint!("{start}{name}: {done} of {all} builds{end}");
            let _ = std::io::stderr().flush();
        }
    }
}
