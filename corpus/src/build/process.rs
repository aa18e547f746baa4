//! Running a program with a time limit.

use std::process::Command;
use std::time::Duration;

use outside::{ChildError, Limits};

use super::{BuildError, io};

/// Variables that make compilers look elsewhere or speak another language.
const VARIABLES: &[&str] = &[
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "COMPILER_PATH",
    "LIBRARY_PATH",
    "GCC_EXEC_PREFIX",
    "CCC_OVERRIDE_OPTIONS",
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
];

/// At most this much of what a program says is kept.
const MOST_TEXT: u64 = 64 << 10;

/// Bytes of memory of a compiler: a source may include what has no end.
const MOST_MEMORY: u64 = 4 << 30;

/// Bytes of a file that a program writes: an object, or what a linker makes of some.
pub const MOST_FILE: u64 = 1 << 30;

/// Runs a program to its end. Returns what it said on its error output, which otherwise becomes part of the error.
pub fn run(command: Command, limit: Duration) -> Result<String, BuildError> {
    run_within(command, Limits { time: limit, text: MOST_TEXT, file: MOST_FILE, memory: Some(MOST_MEMORY) })
}

/// The same with bounds of the caller's.
pub fn run_within(mut command: Command, limits: Limits) -> Result<String, BuildError> {
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C").env("SOURCE_DATE_EPOCH", "0");
    let name = describe(&command);
    let ended = outside::run(command, &limits).map_err(|error| match error {
        ChildError::NotStarted { program, cause } => io(program)(cause),
        ChildError::OutOfTime { program, limit } => BuildError::TimedOut { command: program, seconds: limit.as_secs() },
        error => BuildError::Interrupted(error.to_string()),
    })?;
    let text = String::from_utf8_lossy(&ended.stderr);
    if ended.status.success() {
        return Ok(text.into_owned());
    }
    let stderr = format!("{text}({})", ended.status);
    Err(BuildError::Failed { command: name, stderr })
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_no_error() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo careful >&2"]);
        assert_eq!(run(command, Duration::from_secs(10)).expect("status 0"), "careful\n");
    }

    #[test]
    fn what_it_said_is_in_the_error() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let error = run(command, Duration::from_secs(10)).expect_err("status 3").to_string();
        assert!(error.contains("why\n") && error.contains('3'), "{error}");
    }
}
