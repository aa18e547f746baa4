//! Compiling: from the parts of a case to the files a link gets.

mod archive;
mod file;
mod process;

pub use archive::write as write_archive;
pub use process::{MOST_FILE, run, run_within};

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outside::{FileError, Scratch};

use crate::case::{Case, GroupKind};
use crate::directive::Part;
use crate::matrix::{Build, Family};
use crate::target::ROWS;
use crate::toolchain::{Missing, Toolchain, Toolchains};

pub use file::{compile_file, compile_with_warnings, is_source};

/// A file as a link gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name: `a.o`, `libx.a`.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A relocatable object.
    Object,
    /// A static archive.
    Archive,
}

impl FileKind {
    /// By the name of the file.
    pub fn of(name: &str) -> FileKind {
        if name.ends_with(".a") { FileKind::Archive } else { FileKind::Object }
    }
}

/// Why something was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A program is not installed: a skip, not a failure.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The program found is of another version than asked for.
    #[error("{wanted} was asked for, and {found} is installed")]
    OtherVersion {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// A program said no.
    #[error("{command}\n{stderr}")]
    Failed {
        /// What was run.
        command: String,
        /// What it said.
        stderr: String,
    },
    /// A program took too long.
    #[error("out of time after {seconds} s: {command}")]
    TimedOut {
        /// What was run.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// We were told to stop.
    #[error("{0}")]
    Interrupted(String),
    /// A file of this kind cannot be compiled.
    #[error("{0}")]
    Unsupported(String),
    /// A file cannot be read, or there is no place for one.
    #[error(transparent)]
    File(#[from] FileError),
    /// Files could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// Which file or program.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

impl BuildError {
    /// Whether it is a skip: the machine lacks something, the case is not at fault.
    pub fn is_skip(&self) -> bool {
        matches!(self, BuildError::Missing(_) | BuildError::OtherVersion { .. })
    }
}

/// A compiler that runs longer than this hangs.
const TIME_LIMIT: Duration = Duration::from_secs(120);

fn io(what: impl ToString) -> impl FnOnce(std::io::Error) -> BuildError {
    let what = what.to_string();
    move |source| BuildError::Io { what, source }
}

/// Builds a case: the files of the link, in link order, archives last.
pub fn build(case: &Case, build: &Build, toolchains: &Toolchains) -> Result<Vec<File>, BuildError> {
    let toolchain = toolchains.get(build.toolchain.family, build.target)?;
    if toolchain.id != build.toolchain {
        let (wanted, found) = (build.toolchain.to_string(), toolchain.id.to_string());
        return Err(BuildError::OtherVersion { wanted, found });
    }
    let dir = Scratch::new()?;
    let dir = dir.path();
    for part in &case.parts {
        // Empty lines in front keep the line numbers of the case file.
        let text = format!("{}{}", "\n".repeat(part.line), part.text);
        std::fs::write(dir.join(&part.name), text).map_err(io(&part.name))?;
    }
    let mut files = Vec::new();
    for part in case.parts.iter().filter(|part| part.is_source()) {
        compile(case, build, toolchain, part, dir)?;
        files.push(part.object_name());
    }
    let groups = case.groups(build.target);
    // Partial links first: an archive may hold their result.
    for kind in [GroupKind::Partial, GroupKind::Archive] {
        for group in groups.iter().filter(|group| group.kind == kind) {
            let part = |member: &str| case.parts.iter().find(|part| part.name == member);
            let is_script = |member: &&String| part(member).is_some_and(Part::is_script);
            let script = group.members.iter().find(is_script);
            let objects = group.members.iter().filter(|member| !is_script(member));
            let objects = objects.map(|member| part(member).map_or_else(|| member.clone(), Part::object_name));
            let objects: Vec<String> = objects.collect();
            let first = files.iter().position(|file| objects.contains(file)).unwrap_or(files.len());
            files.retain(|file| !objects.contains(file));
            match kind {
                GroupKind::Partial => {
                    join(toolchain, &group.name, &objects, script, dir)?;
                    files.insert(first.min(files.len()), group.name.clone());
                }
                GroupKind::Archive => {
                    let members = objects.iter().map(|name| Ok((name.clone(), read(dir, name)?)));
                    let members = members.collect::<Result<Vec<_>, BuildError>>()?;
                    std::fs::write(dir.join(&group.name), archive::write(&members)).map_err(io(&group.name))?;
                    files.push(group.name.clone());
                }
            }
        }
    }
    let file = |name: String| Ok(File { kind: FileKind::of(&name), data: read(dir, &name)?, name });
    files.into_iter().map(file).collect()
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>, BuildError> {
    Ok(outside::read(dir.join(name), MOST_FILE)?)
}

fn compile(case: &Case, build: &Build, toolchain: &Toolchain, part: &Part, dir: &Path) -> Result<(), BuildError> {
    let mut command = Command::new(&compiler(toolchain, &part.name)?.path);
    command.args(case.compiler_flags(build, &part.name));
    // Nothing in an object depends on where it was built.
    command.arg(format!("-ffile-prefix-map={}=.", dir.display()));
    command.args(["-c", &part.name, "-o", &part.object_name()]).current_dir(dir);
    process::run(command, TIME_LIMIT).map(|_| ())
}

fn compiler<'a>(toolchain: &'a Toolchain, part: &str) -> Result<&'a crate::toolchain::Tool, BuildError> {
    if part.ends_with(".cc") {
        toolchain.cxx.as_ref().map_err(|missing| missing.clone().into())
    } else {
        Ok(&toolchain.cc)
    }
}

fn join(
    toolchain: &Toolchain,
    name: &str,
    objects: &[String],
    script: Option<&String>,
    dir: &Path,
) -> Result<(), BuildError> {
    let linker = toolchain.ld.as_ref().map_err(Missing::clone)?;
    let mut command = Command::new(&linker.path);
    // A part may have the name of the result.
    let joined = format!("{name}.joined");
    let row = ROWS.iter().find(|row| row.name == toolchain.target && toolchain.id.family == Family::Gcc);
    let flags = row.map_or(&[][..], |row| row.ld);
    command.args(["-r", "-o", &joined]).args(flags).args(objects).current_dir(dir);
    if let Some(script) = script {
        command.args(["-T", script]);
    }
    process::run(command, TIME_LIMIT)?;
    std::fs::rename(dir.join(&joined), dir.join(name)).map_err(io(name))
}

/// What to build: a case, and how.
pub type Job<'a> = (&'a Case, Build);

/// Builds many at once. The results are in the order of the jobs; `progress` is told how many are done, and which came last.
pub fn build_all(
    jobs: &[Job<'_>],
    toolchains: &Toolchains,
    threads: usize,
    progress: &(dyn Fn(usize, &Job<'_>) + Sync),
) -> Vec<Result<Vec<File>, BuildError>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    let work = || {
        while let Some((index, job)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(index).map(|job| (index, job))
        } {
            let result = build(job.0, &job.1, toolchains);
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, job);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(work);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|result| result.0);
    results.into_iter().map(|(_, result)| result).collect()
}
