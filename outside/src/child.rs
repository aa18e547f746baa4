//! Programs that others wrote: each has its time and its bounds, and ends with those that it started.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use crate::stop;

/// What a program may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How many bytes of each of its outputs are kept.
    pub text: u64,
    /// How many bytes any file may have that it writes, its outputs included: they are files.
    pub file: u64,
    /// How many bytes of address space each of its processes may have; none: as many as there are.
    pub memory: Option<u64>,
}

/// A program that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// The start of what it wrote.
    pub stdout: Vec<u8>,
    /// The start of what it complained of.
    pub stderr: Vec<u8>,
}

/// A program that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// It could not be started.
    #[error("{program}: {cause}")]
    NotStarted {
        /// Its words.
        program: String,
        /// Why.
        cause: io::Error,
    },
    /// It took longer than it may.
    #[error("{program}: does not end within {} s", .limit.as_secs())]
    OutOfTime {
        /// Its words.
        program: String,
        /// What it was given.
        limit: Duration,
    },
    /// We were told to stop.
    #[error("{program}: interrupted")]
    Interrupted {
        /// Its words.
        program: String,
    },
}

/// The process groups that are running.
static LIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// The longest time between two looks at a program.
const PATIENCE: Duration = Duration::from_millis(8);

/// Runs a program to its end, without input. What it started is ended with it.
pub fn run(command: Command, limits: &Limits) -> Result<Ended, ChildError> {
    let mut running = Running::start(command, limits)?;
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    let status = loop {
        if let Some(status) = running.status()? {
            break status;
        }
        if stop::requested() {
            return Err(ChildError::Interrupted { program: running.program });
        }
        if start.elapsed() > limits.time {
            return Err(ChildError::OutOfTime { program: running.program, limit: limits.time });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PATIENCE);
    };
    let Running { group, stdout, stderr, text, .. } = running;
    drop(group);
    Ok(Ended { status, stdout: head(&stdout, 0, text), stderr: head(&stderr, 0, text) })
}

/// A program that is running. When it is dropped, the program is ended, and what it started as well.
///
/// Its [`Limits::time`] is for whoever waits: nobody watches it.
pub struct Running {
    group: Group,
    program: String,
    stdout: File,
    stderr: File,
    text: u64,
}

impl Running {
    /// Starts it, without input.
    ///
    /// # Errors
    /// It cannot be started, or we were told to stop.
    pub fn start(mut command: Command, limits: &Limits) -> Result<Running, ChildError> {
        let program = describe(&command);
        if stop::requested() {
            return Err(ChildError::Interrupted { program });
        }
        let not_started = |cause| ChildError::NotStarted { program: program.clone(), cause };
        // Files and not pipes: nobody has to read while waiting, and what is too long is not even in memory.
        let capture = || -> io::Result<(File, File)> {
            let file = tempfile::tempfile()?;
            Ok((file.try_clone()?, file))
        };
        let (said, stdout) = capture().map_err(not_started)?;
        let (complained, stderr) = capture().map_err(not_started)?;
        command.stdin(Stdio::null()).stdout(said).stderr(complained);
        let group = Group::start(&mut command, limits).map_err(not_started)?;
        Ok(Running { group, program, stdout, stderr, text: limits.text })
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn status(&mut self) -> Result<Option<ExitStatus>, ChildError> {
        let unknown = |cause| ChildError::NotStarted { program: self.program.clone(), cause };
        self.group.0.try_wait().map_err(unknown)
    }

    /// Whether it has no more than so many threads, and all of them sleep. Where the system does not say, it has more.
    pub fn is_idle(&self, threads: usize) -> bool {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.group.0.id())) else { return false };
        let mut count = 0;
        let sleep = tasks.flatten().all(|task| {
            count += 1;
            // The state is behind the name, which is in brackets and may have some in it.
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
        });
        sleep && count <= threads
    }

    /// What it complained of so far, from this byte on.
    pub fn complaints(&self, from: u64) -> Vec<u8> {
        head(&self.stderr, from, self.text)
    }
}

/// Bytes of a file from one on, no more than so many. It is read in place: where the program writes next is not moved.
fn head(file: &File, from: u64, most: u64) -> Vec<u8> {
    let length = file.metadata().map_or(0, |data| data.len()).saturating_sub(from).min(most);
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    match file.read_exact_at(&mut text, from) {
        Ok(()) => text,
        Err(_) => Vec::new(),
    }
}

/// A program and all that it starts.
pub(crate) struct Group(pub(crate) Child);

impl Group {
    /// Starts a program in a group of its own.
    pub(crate) fn start(command: &mut Command, limits: &Limits) -> io::Result<Group> {
        // Started while nobody can sweep: one that is not in the list yet would stay.
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.process_group(0).spawn()?;
        live.insert(child.id() as i32);
        // A core in somebody's directory helps nobody.
        let bounds = [(Resource::Fsize, Some(limits.file)), (Resource::As, limits.memory), (Resource::Core, Some(0))];
        for (resource, most) in bounds.into_iter().filter(|(_, most)| most.is_some()) {
            // A process that has ended already needs none.
            let _ = prlimit(Pid::from_raw(child.id() as i32), resource, Rlimit { current: most, maximum: most });
        }
        Ok(Group(child))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        kill(self.0.id() as i32);
        let _ = self.0.wait();
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.0.id() as i32));
    }
}

fn kill(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Ends all there are. Whoever wants to start one from now on waits for ever: the program is about to end.
pub(crate) fn sweep() {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.iter().for_each(|&group| kill(group));
    std::mem::forget(live);
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), text: 10, file: 1 << 20, memory: None };

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn out_of_time_ends_the_children_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = shell("sleep 1000 & echo $! >child; wait");
        command.current_dir(directory.path());
        let error = run(command, &Limits { time: Duration::from_millis(300), ..LIMITS }).expect_err("out of time");
        assert!(matches!(error, ChildError::OutOfTime { .. }), "{error}");
        let child = std::fs::read_to_string(directory.path().join("child")).expect("it has started one");
        // A killed process still stands in the system's list until it has run once more, and its parent is gone.
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        let ended = || state().is_empty() || state().contains(") Z ");
        let end = Instant::now() + LIMITS.time;
        while !ended() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(ended(), "{}", state());
    }

    #[test]
    fn output_and_files_are_bounded() {
        let ended = run(shell("head -c 100000 /dev/zero; echo many words >&2; exit 3"), &LIMITS).expect("it ends");
        assert_eq!((ended.stdout.len(), &*ended.stderr, ended.status.code()), (10, &b"many words"[..], Some(3)));
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = shell("sleep 0.2; head -c 3000000 /dev/zero >large");
        command.current_dir(directory.path());
        assert!(!run(command, &LIMITS).expect("it ends").status.success());
        assert_eq!(std::fs::metadata(directory.path().join("large")).expect("begun").len(), 1 << 20);
    }

    #[test]
    fn a_running_program_is_heard_and_ended() {
        let running = Running::start(shell("echo one >&2; sleep 0.1; echo two >&2; sleep 1000"), &LIMITS);
        let mut running = running.expect("started");
        let end = Instant::now() + LIMITS.time;
        while running.complaints(4).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((running.complaints(0), running.complaints(4)), (b"one\ntwo\n".to_vec(), b"two\n".to_vec()));
        assert!(running.status().expect("known").is_none());
        let end = Instant::now() + LIMITS.time;
        while !running.is_idle(1) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(running.is_idle(1) && !running.is_idle(0));
        let process = running.group.0.id();
        drop(running);
        assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits { memory: Some(64 << 20), ..LIMITS };
        // The shell holds what it expands.
        let hungry = || shell("sleep 0.2; x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}");
        let ended = run(hungry(), &limits).expect("it ends");
        assert_ne!(ended.stdout, b"200000000\n", "{ended:?}");
        assert_eq!(run(hungry(), &LIMITS).expect("it ends").stdout, b"200000000\n");
    }
}
