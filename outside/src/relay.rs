//! A program whose input and output are ours, within bounds: what it prints is passed on as it comes.

use std::io::{self, IsTerminal as _, Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::child::Group;
use crate::{ChildError, Limits, stop};

/// How a program came to its end.
#[derive(Debug)]
pub enum Relayed {
    /// By itself.
    Ended(ExitStatus),
    /// It was ended, as it took longer than it may.
    OutOfTime,
    /// It was ended, as it printed more than it may.
    OutOfOutput,
    /// It was ended, as what it printed could not be passed on.
    Unwritten(io::Error),
}

/// The longest time between two looks at a program.
const PATIENCE: Duration = Duration::from_millis(5);

/// How long what a program printed last may take to be passed on when it has ended.
const LAST: Duration = Duration::from_secs(2);

/// Runs a program to its end, with our standard input, output and error; it may print [`Limits::text`] bytes in all. What it
/// started is ended with it, unless that has left its process group.
///
/// # Errors
/// It cannot be started, or we were told to stop.
pub fn relay(mut command: Command, limits: &Limits) -> Result<Relayed, ChildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let not_started = |cause| ChildError::NotStarted { program: program.clone(), cause };
    // A program in a group of its own must not read from a terminal, so we do.
    let typed = io::stdin().is_terminal();
    command.stdin(if typed { Stdio::piped() } else { Stdio::inherit() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(&mut command, limits).map_err(not_started)?;
    if let Some(input) = group.0.stdin.take() {
        std::thread::spawn(move || pass_on_input(input));
    }
    let (out, err) = (group.0.stdout.take(), group.0.stderr.take());
    let state = Arc::new(State { left: AtomicU64::new(limits.text), ..State::default() });
    let begun = Instant::now();
    let (tell, told) = mpsc::channel();
    let pass = |from: Option<Box<dyn Read + Send>>, mut to: Box<dyn Write + Send>| {
        let (state, tell) = (state.clone(), tell.clone());
        std::thread::spawn(move || {
            let passed = from.map_or(Ok(true), |from| pass_on(from, &mut to, &state.left));
            state.over.fetch_or(matches!(passed, Ok(false)), Ordering::Relaxed);
            state.broken.fetch_or(passed.is_err(), Ordering::Relaxed);
            let _ = tell.send(passed.err());
        });
    };
    pass(out.map(|out| Box::new(out) as Box<dyn Read + Send>), Box::new(io::stdout()));
    pass(err.map(|err| Box::new(err) as Box<dyn Read + Send>), Box::new(io::stderr()));
    let mut pause = Duration::from_micros(200);
    let ended = loop {
        if let Some(status) = group.0.try_wait().map_err(not_started)? {
            break Some(Relayed::Ended(status));
        }
        if state.over.load(Ordering::Relaxed) || state.broken.load(Ordering::Relaxed) {
            break None;
        }
        if stop::requested() {
            return Err(ChildError::Interrupted { program: program.clone() });
        }
        if begun.elapsed() > limits.time {
            break Some(Relayed::OutOfTime);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PATIENCE);
    };
    // Whoever else has the pipes open is ended, so that they have an end. Who has left the group keeps nobody waiting.
    drop(group);
    let until = Instant::now() + LAST;
    let wait = || told.recv_timeout(until.saturating_duration_since(Instant::now())).ok().flatten();
    let refused = [wait(), wait()].into_iter().flatten().next();
    Ok(match (refused, ended) {
        (Some(error), _) => Relayed::Unwritten(error),
        (None, Some(ended)) if !state.over.load(Ordering::Relaxed) => ended,
        _ => Relayed::OutOfOutput,
    })
}

/// What the threads know that pass on what is printed.
#[derive(Debug, Default)]
struct State {
    /// Bytes that may be printed yet.
    left: AtomicU64,
    /// There were more.
    over: AtomicBool,
    /// What was printed could not be passed on.
    broken: AtomicBool,
}

/// Passes on what comes, until its end. Whether it was no more than is left.
fn pass_on(mut from: Box<dyn Read + Send>, to: &mut dyn Write, left: &AtomicU64) -> io::Result<bool> {
    let mut bytes = [0; 16384];
    loop {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(true),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let take = |left: u64| Some(left.saturating_sub(count as u64));
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or(0);
        let fits = usize::try_from(before).unwrap_or(usize::MAX).min(count);
        to.write_all(&bytes[..fits])?;
        to.flush()?;
        if fits < count {
            return Ok(false);
        }
    }
}

/// Passes on what is typed, until the program is gone or there is no more.
fn pass_on_input(mut input: ChildStdin) {
    let _ = io::copy(&mut io::stdin(), &mut input);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), text: 100, file: 1 << 20, memory: None };

    fn shell(script: &str, limits: &Limits) -> Relayed {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        relay(command, limits).expect("it starts")
    }

    #[test]
    fn programs_end_within_their_bounds() {
        assert!(matches!(shell("exit 3", &LIMITS), Relayed::Ended(status) if status.code() == Some(3)));
        assert!(matches!(shell("yes", &LIMITS), Relayed::OutOfOutput));
        assert!(matches!(shell("head -c 101 /dev/zero >&2", &LIMITS), Relayed::OutOfOutput));
        let short = Limits { time: Duration::from_millis(200), ..LIMITS };
        assert!(matches!(shell("sleep 1000 & sleep 1000", &short), Relayed::OutOfTime));
        // Who has left the group and holds the output keeps nobody waiting.
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ended");
        let script = format!("setsid sh -c 'sleep 10; touch {}' & exit 0", file.display());
        assert!(matches!(shell(&script, &LIMITS), Relayed::Ended(status) if status.success()));
        assert!(!file.exists(), "it was waited for");
        // What it leaves behind has its output, too, and is ended.
        assert!(matches!(shell("sleep 1000 & exit 0", &LIMITS), Relayed::Ended(status) if status.success()));
    }
}
