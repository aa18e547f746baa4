//! Running a program with a time limit.

use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

/// Runs a program to its end. Returns what it said on its error output, which otherwise becomes part of the error.
pub fn run(mut command: Command, limit: Duration) -> Result<String, BuildError> {
    let name = describe(&command);
    // A file and not a pipe: nobody has to read while waiting.
    let mut output = tempfile::tempfile().map_err(io("a temporary file"))?;
    let stderr = output.try_clone().map_err(io("a temporary file"))?;
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C").env("SOURCE_DATE_EPOCH", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    // A driver starts the compiler proper; out of time, both have to end.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(io(&name))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(io(&name))? {
            break status;
        }
        if start.elapsed() > limit {
            kill(&mut child);
            return Err(BuildError::TimedOut { command: name, seconds: limit.as_secs() });
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let mut text = Vec::new();
    output.rewind().and_then(|()| output.take(MOST_TEXT).read_to_end(&mut text)).map_err(io(&name))?;
    let text = String::from_utf8_lossy(&text);
    if status.success() {
        return Ok(text.into_owned());
    }
    let stderr = format!("{text}({status})");
    Err(BuildError::Failed { command: name, stderr })
}

fn kill(child: &mut std::process::Child) {
    #[cfg(unix)]
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn out_of_time_ends_the_children_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = Command::new("sh");
        command.args(["-c", "(sleep 1; touch late) & wait"]).current_dir(dir.path());
        let error = run(command, Duration::from_millis(50)).expect_err("out of time");
        assert!(matches!(error, BuildError::TimedOut { .. }), "{error}");
        std::thread::sleep(Duration::from_millis(1300));
        assert!(!dir.path().join("late").exists());
    }

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
