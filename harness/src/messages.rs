//! What is said to whoever runs the program: errors and warnings, with names of C++ and Rust as they were written.
//!
//! Names are demangled here and not where an error is made: an error is a value, with the names that objects have.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};

use cpp_demangle::{BorrowedSymbol, DemangleOptions, DemangleWrite, ParseOptions};
use linker::error::text;
use linker::graph::LinkGraph;

/// Bytes of a name, and of what becomes of one, that are still for people. Names may unfold to any length.
const LONGEST: usize = 4096;

/// How deep a name of C++ may be nested.
const DEPTH: u32 = 96;

/// Prints an error.
pub fn error(error: &dyn Display) {
    note!("error: {}", demangled(&error.to_string()));
}

/// An error with its causes, none of them twice: some errors show theirs themselves.
pub fn chain(error: &anyhow::Error) -> String {
    let told = error.chain().map(ToString::to_string);
    let behind = |text: String, cause: String| if text.ends_with(&cause) { text } else { format!("{text}: {cause}") };
    told.reduce(behind).unwrap_or_default()
}

/// A word as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=,+@%-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Prints what may help.
pub fn note(note: &dyn Display) {
    note!("note: {}", demangled(&note.to_string()));
}

/// Prints a line as it is, but for the names in it.
pub fn say(text: &dyn Display) {
    note!("{}", demangled(&text.to_string()));
}

/// Prints the warnings of a link.
pub fn warnings(graph: &LinkGraph<'_>) {
    for warning in &graph.warnings {
        note!("warning: {}", demangled(&warning.to_string()));
    }
}

/// What somebody may have meant by a word that is none of these: `; did you mean `near`?`, or nothing where none is close.
pub fn suggest<'a, T: Into<Cow<'a, str>>>(word: &str, known: impl IntoIterator<Item = T>) -> String {
    let distance = |name: &str| strsim::damerau_levenshtein(word, name);
    // Comparing takes the product of the lengths, and names are chosen by strangers.
    let comparable = |name: &Cow<'_, str>| !name.is_empty() && name.len().abs_diff(word.len()) <= 3 && name.len() < 200;
    let near = known.into_iter().map(Into::into).filter(comparable).map(|name| (distance(&name), name));
    match near.min_by_key(|(distance, _)| *distance) {
        Some((distance, name)) if distance <= 3.min(1 + word.len() / 4) => {
            format!("; did you mean `{}`?", text(name.as_bytes()))
        }
        _ => String::new(),
    }
}

/// Text that stops to grow.
struct Bounded(String);

impl DemangleWrite for Bounded {
    fn write_string(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// A name as it was written in C++ or Rust. None if it is no name of those, or too long for anybody.
pub fn demangle(name: &str) -> Option<String> {
    if name.len() > LONGEST || !(name.starts_with("_Z") || name.starts_with("_R") || name.starts_with("__Z")) {
        return None;
    }
    // Names of Rust before 2025 are names of C++, too, with a hash behind: Rust has to be asked first.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        let written = format!("{rust:#}");
        return (written.len() <= LONGEST).then(|| text(written.as_bytes()));
    }
    let options = ParseOptions::default().recursion_limit(DEPTH);
    let (symbol, rest) = BorrowedSymbol::with_tail_and_options(name.as_bytes(), &options).ok()?;
    let mut out = Bounded(String::new());
    symbol.structured_demangle(&mut out, &DemangleOptions::new().recursion_limit(DEPTH)).ok()?;
    // What is behind the name is what a compiler did to the function, or its version.
    match rest.first() {
        None => {}
        Some(b'.' | b'@') => out.0.push_str(&format!(" [{}]", text(rest))),
        Some(_) => return None,
    }
    Some(text(out.0.as_bytes()))
}

/// Writes names of C++ and Rust as they were written. The first time that one is met, the name that the object has stands
/// behind it in brackets, for those who have to write it.
#[derive(Debug, Default)]
pub struct Demangler {
    /// Of the names that were met, what a seeded hash makes of them: they may be long, and many.
    seen: HashSet<u64>,
    hash: RandomState,
}

impl Demangler {
    /// A text, or the next line of one.
    pub fn line<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if !text.contains("_Z") && !text.contains("_R") {
            return Cow::Borrowed(text);
        }
        let part = |c: char| c.is_ascii_alphanumeric() || "_.$@".contains(c);
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(part) {
            let (before, behind) = rest.split_at(start);
            let end = behind.find(|c| !part(c)).unwrap_or(behind.len());
            let (word, behind) = behind.split_at(end);
            out += before;
            match demangle(word) {
                Some(name) => {
                    out += &name;
                    if self.seen.insert(self.hash.hash_one(word)) {
                        out += &format!(" [{word}]");
                    }
                }
                None => out += word,
            }
            rest = behind;
        }
        Cow::Owned(out + rest)
    }
}

/// A whole text with a [`Demangler`] of its own.
pub fn demangled(text: &str) -> String {
    Demangler::default().line(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_they_were_written() {
        for (name, expected) in [
            ("_ZN4deep6WidgetC1Ei", Some("deep::Widget::Widget(int)")),
            ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", Some("core::fmt::Write::write_fmt")),
            ("_RNvCs1234_7mycrate3foo", Some("mycrate::foo")),
            ("_Z1fv.isra.0", Some("f() [clone .isra.0]")),
            ("main", None),
            ("_Zzzz", None),
            ("_R", None),
            ("", None),
        ] {
            assert_eq!(demangle(name).as_deref(), expected, "{name}");
        }
        // One that unfolds: each template argument stands for all before it, twice.
        let unfolds = format!("_Z1f{}", (0..40).map(|n| format!("1aIT_S{n}_S{n}_E")).collect::<String>());
        assert!(demangle(&unfolds).is_none_or(|name| name.len() <= LONGEST));
        assert_eq!(demangle(&format!("_Z1f{}i", "P".repeat(100_000))), None);
        let _ = demangle(&format!("_Z1f{}i", "P".repeat(4000)));
    }

    #[test]
    fn the_first_time_both_names_are_said() {
        let message = "undefined symbol: _Z1fv\n  wanted by a.o(.text._Z1gv+0x4): R_ARM_CALL against `_Z1fv`";
        let expected = "undefined symbol: f() [_Z1fv]\n  wanted by a.o(.text._Z1gv+0x4): R_ARM_CALL against `f()`";
        assert_eq!(demangled(message), expected);
        assert_eq!(demangled("nothing to see"), "nothing to see");
    }

    #[test]
    fn no_cause_is_said_twice() {
        let file = std::io::Error::other("it is too long");
        let named = anyhow::Error::new(file).context("a.toml: it is too long").context("the board cannot be had");
        assert_eq!(chain(&named), "the board cannot be had: a.toml: it is too long");
    }

    #[test]
    fn words_are_one_word_to_a_shell() {
        for (word, expected) in [
            ("elf/armv7/a/b/gcc12-O2.x/random:1/unicorn", "elf/armv7/a/b/gcc12-O2.x/random:1/unicorn"),
            ("at:a.o(.text)=0x1", "'at:a.o(.text)=0x1'"),
            ("my cases", "'my cases'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
