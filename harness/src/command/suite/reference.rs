//! What a program has to print: llvm-test-suite's `.reference_output`, beside the source.

use std::path::{Path, PathBuf};

/// Bytes of such a file.
const LONGEST: u64 = 64 << 20;
/// Bytes of a line that are shown.
const SHOWN: usize = 200;

/// The file beside a source, if there is one.
pub(super) fn beside(source: &Path) -> Option<PathBuf> {
    Some(source.with_extension("reference_output")).filter(|path| path.is_file())
}

/// What is expected of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// What it prints; none: whatever it likes.
    pub(super) output: Option<Vec<u8>>,
    /// Its status.
    pub(super) status: u8,
}

impl Expected {
    /// Of a program that has this file beside it. The status is in its last line, `exit 0`, and is 0 where there is no such line.
    pub(super) fn read(reference: Option<&Path>) -> anyhow::Result<Expected> {
        let Some(path) = reference else { return Ok(Expected::default()) };
        Ok(Expected::of(outside::read(path, LONGEST)?))
    }

    fn of(mut output: Vec<u8>) -> Expected {
        let end = output.len() - usize::from(output.ends_with(b"\n"));
        let start = output[..end].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let last = std::str::from_utf8(&output[start..end]).unwrap_or_default();
        let status = last.strip_prefix("exit ").and_then(|status| status.trim().parse().ok());
        if status.is_some() {
            output.truncate(start);
        }
        Expected { output: Some(output), status: status.unwrap_or(0) }
    }

    /// The first line in which an output differs, if it does.
    pub(super) fn differs(&self, printed: &[u8]) -> Option<String> {
        let expected = self.output.as_deref().filter(|expected| *expected != printed)?;
        // What stands before `exit` may have been written without an end of its last line.
        if expected.strip_suffix(b"\n") == Some(printed) {
            return None;
        }
        let mut lines = (1..).zip(expected.split(|&b| b == b'\n')).zip(printed.split(|&b| b == b'\n'));
        let differs = lines.find(|((_, wanted), got)| wanted != got);
        Some(match differs {
            Some(((number, wanted), got)) => {
                format!("line {number} of its output: expected `{}`, got `{}`", shown(wanted), shown(got))
            }
            None => format!("its output has {} bytes, expected {}", printed.len(), expected.len()),
        })
    }
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn the_last_line_is_the_status() {
        for (text, output, status) in [
            ("a\nb\nexit 3\n", "a\nb\n", 3),
            ("exit 0", "", 0),
            ("exit\n", "exit\n", 0),
            ("no status", "no status", 0),
            ("", "", 0),
            ("exit 300\n", "exit 300\n", 0),
        ] {
            let expected = Expected { output: Some(output.into()), status };
            assert_eq!(Expected::of(text.into()), expected, "{text}");
        }
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let expected = Expected::of(b"one\ntwo\nexit 0\n".to_vec());
        assert_eq!(expected.differs(b"one\ntwo\n"), None);
        assert_eq!(expected.differs(b"one\ntwo"), None);
        let line = "line 2 of its output: expected `two`, got `2`";
        assert_eq!(expected.differs(b"one\n2\n").as_deref(), Some(line));
        assert!(expected.differs(b"one\ntwo\nthree\n").is_some_and(|text| text.contains("line 3")));
        assert_eq!(Expected::default().differs(b"whatever"), None);
    }
}
