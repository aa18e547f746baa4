//! Steps: announced, timed, and their failure passed on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A step that failed and has said why itself.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed with status {status}")]
pub(crate) struct Failed {
    what: String,
    /// The exit status to pass on.
    pub(crate) status: u8,
}

/// What was done, and how long it took.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Does something under a name.
    pub(crate) fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("==> {name}");
        let start = Instant::now();
        let result = work();
        let time = start.elapsed();
        let outcome = if result.is_ok() { "done" } else { "failed" };
        eprintln!("==> {name}: {outcome} in {:.1} s", time.as_secs_f64());
        self.done.push((name, time));
        result
    }

    /// Runs a program under a name.
    pub(crate) fn command(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        self.run(name, || status(command))
    }

    /// Prints all steps with their times.
    pub(crate) fn summary(&self) {
        if self.done.len() < 2 {
            return;
        }
        eprintln!("==> all done");
        for (name, time) in &self.done {
            eprintln!("    {:>8.1} s  {name}", time.as_secs_f64());
        }
    }
}

/// Runs a program to its end.
pub(crate) fn status(command: &mut Command) -> Result<()> {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(|w| w.to_string_lossy()).collect();
    let what = words.join(" ");
    eprintln!("    $ {what}");
    let status = command.status().with_context(|| format!("cannot start {what}"))?;
    if status.success() {
        return Ok(());
    }
    // A signal has no status; 70 is the one for a broken program.
    let status = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(70);
    Err(Failed { what, status }.into())
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR"));
    tools.parent().unwrap_or(tools)
}

/// The cargo that started this, in the workspace's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}
