//! A file of programs that are left out, each with the reason.

use std::path::Path;

use super::glob;
use super::test::Test;

/// Bytes of such a file.
const LONGEST: u64 = 16 << 20;

/// What is left out.
#[derive(Clone, Debug, Default)]
pub struct Skips {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    place: String,
    pattern: String,
    reason: String,
}

impl Skips {
    /// Adds the rules of a file: a name or a pattern, and behind it the reason, a line each. `#` begins a comment.
    ///
    /// # Errors
    /// It cannot be read, or a line has no reason.
    pub fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = outside::read_text(path, LONGEST)?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}:{number}", path.display());
            let Some((pattern, reason)) = line.split_once(char::is_whitespace) else {
                bad_input!("{place}: `{line}` has no reason, expected NAME and behind it why it is left out");
            };
            let reason = reason.trim().trim_start_matches('#').trim_start().to_owned();
            self.rules.push(Rule { place, pattern: pattern.to_owned(), reason });
        }
        Ok(())
    }

    /// Why a test is left out, if it is.
    pub fn reason(&self, test: &Test<'_>) -> Option<&str> {
        self.rules.iter().find(|rule| rule.is_for(test)).map(|rule| &*rule.reason)
    }

    /// Rules that leave nothing out: what they name is not there.
    pub fn idle<'a>(&'a self, tests: &'a [Test<'_>]) -> impl Iterator<Item = String> + 'a {
        let idle = self.rules.iter().filter(move |rule| !tests.iter().any(|test| rule.is_for(test)));
        idle.map(|rule| format!("{}: no test is called {}", rule.place, rule.pattern))
    }
}

impl Rule {
    /// A rule has the path of a program, or the whole name of a test.
    fn is_for(&self, test: &Test<'_>) -> bool {
        glob::matches(&self.pattern, &test.program.path) || glob::matches(&self.pattern, &test.name)
    }
}
