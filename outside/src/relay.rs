//! A program whose input and output are ours, within bounds: what it prints is passed on as it comes.

use std::io::{self, IsTerminal as _, Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// Runs a program to its end, with our standard input, output and error; it may print [`Limits::text`] bytes in all. What it
/// started is ended with it.
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
    let (left, over, broken) = (AtomicU64::new(limits.text), AtomicBool::new(false), AtomicBool::new(false));
    let begun = Instant::now();
    let pass = |from: Option<Box<dyn Read + Send>>, mut to: Box<dyn Write + Send>| {
        let passed = from.map_or(Ok(true), |from| pass_on(from, &mut to, &left));
        over.fetch_or(matches!(passed, Ok(false)), Ordering::Relaxed);
        broken.fetch_or(passed.is_err(), Ordering::Relaxed);
        passed.err()
    };
    std::thread::scope(|scope| {
        let out = out.map(|out| Box::new(out) as Box<dyn Read + Send>);
        let err = err.map(|err| Box::new(err) as Box<dyn Read + Send>);
        let pass = &pass;
        let out = scope.spawn(move || pass(out, Box::new(io::stdout())));
        let err = scope.spawn(move || pass(err, Box::new(io::stderr())));
        let mut pause = Duration::from_micros(200);
        let ended = loop {
            if let Some(status) = group.0.try_wait().map_err(not_started)? {
                break Some(Relayed::Ended(status));
            }
            if over.load(Ordering::Relaxed) || broken.load(Ordering::Relaxed) {
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
        // Whoever else has the pipes open is ended, so that they have an end.
        drop(group);
        let refused = [out, err].into_iter().find_map(|thread| thread.join().ok().flatten());
        Ok(match (refused, ended) {
            (Some(error), _) => Relayed::Unwritten(error),
            (None, Some(ended)) if !over.load(Ordering::Relaxed) => ended,
            _ => Relayed::OutOfOutput,
        })
    })
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
        // What it leaves behind has its output, too, and is ended.
        assert!(matches!(shell("sleep 1000 & exit 0", &LIMITS), Relayed::Ended(status) if status.success()));
    }
}
