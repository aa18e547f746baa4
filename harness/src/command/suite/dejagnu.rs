//! The comments by which programs of GCC's suites say how they are tested: `{ dg-options "-fwrapv" }` and its like.
//!
//! They decide flags, further sources, and for what a program is not meant. What is not known here decides nothing: it neither
//! leaves a program out nor adds a flag.

mod selector;

use std::path::Path;

use linker::Target;

use selector::Facts;

/// Bytes of a line that may be a comment of this kind: selectors in selectors have an end.
const LINE: usize = 4096;
/// Bytes of a folder's `.exp` that are read.
const LONGEST: u64 = 1 << 20;

/// One comment: `dg-skip-if`, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    name: String,
    words: Vec<String>,
}

/// What the comments of a program come to for one target and one set of flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Flags on top.
    pub(super) flags: Vec<String>,
    /// Why it fails there, if it is known to.
    pub(super) fails: Option<String>,
}

/// The comments of a source.
pub(super) fn directives(text: &str) -> Vec<Directive> {
    let of_line = |line: &str| {
        let at = line.find("{ dg-").or_else(|| line.find("{dg-"))?;
        let inner = braced(&line[at..])?;
        let mut words = words(inner).into_iter();
        Some(Directive { name: words.next()?, words: words.collect() })
    };
    text.lines().filter(|line| line.len() <= LINE).filter_map(of_line).collect()
}

/// The sources that a program says it has besides its own.
pub(super) fn sources(directives: &[Directive]) -> impl Iterator<Item = &str> {
    let additional = directives.iter().filter(|directive| directive.name == "dg-additional-sources");
    let names = additional.filter_map(|directive| directive.words.first());
    // Names are those of files beside it.
    names.flat_map(|names| names.split_whitespace()).filter(|name| !name.contains('/'))
}

/// The flags that a folder's `.exp` adds: `set additional_flags "..."`.
pub(super) fn flags_of_folder(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_exp = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "exp");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_exp).collect();
    files.sort();
    let texts = files.iter().filter_map(|path| outside::read_text(path, LONGEST).ok());
    let set = |text: String| {
        let line = text.lines().find_map(|line| line.strip_prefix("set additional_flags "))?.trim().to_owned();
        words(&line).into_iter().next()
    };
    texts.filter_map(set).flat_map(|flags| flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What comments come to, or why the program is left out.
pub(super) fn settings(
    directives: &[Directive],
    target: &'static Target,
    flags: &[String],
) -> Result<Settings, String> {
    let facts = Facts { target, flags };
    let mut settings = Settings::default();
    for Directive { name, words } in directives {
        let word = |number: usize| words.get(number).map_or("", String::as_str);
        match name.as_str() {
            "dg-options" | "dg-additional-options" if facts.hold(words.get(1)) == Some(true) => {
                // In braces, there may be words in quotation marks.
                settings.flags.extend(self::words(word(0)));
            }
            "dg-do" if facts.hold(words.get(1)) == Some(false) => {
                return Err(format!("dg-do: it is for {} only", word(1)));
            }
            "dg-do" if word(0) != "run" => return Err(format!("dg-do {}: it is not run", word(0))),
            "dg-skip-if" if facts.are_met(&words[1.min(words.len())..]) => {
                let why = if word(0).is_empty() { word(1) } else { word(0) };
                return Err(format!("dg-skip-if: {why}"));
            }
            "dg-require-effective-target" if facts.has(word(0)) == Some(false) => {
                return Err(format!("dg-require-effective-target {}: the target does not have it", word(0)));
            }
            "dg-xfail-if" | "dg-xfail-run-if" if facts.are_met(&words[1.min(words.len())..]) => {
                settings.fails = Some(format!("{name}: {}", word(0)));
            }
            _ => {}
        }
    }
    Ok(settings)
}

/// What is between a brace at the beginning and the one that closes it.
fn braced(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(1..at);
        }
    }
    None
}

/// The words of a Tcl list, without the braces or quotation marks around them.
fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '{' => {
                let word = braced(rest).unwrap_or(&rest[1..]);
                (word, rest.get(word.len() + 2..).unwrap_or(""))
            }
            '"' => rest[1..].split_once('"').unwrap_or((&rest[1..], "")),
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        all.push(word.trim().to_owned());
        rest = behind.trim_start();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, target: &str, flags: &[&str]) -> Result<Settings, String> {
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        settings(&directives(text), Target::named(target).expect("a target"), &flags)
    }

    #[test]
    fn comments_decide_flags() {
        let text = "/* { dg-do run } */\n/* { dg-options \"-fwrapv -O1\" } */\n\
            // { dg-options { \"-w\" } }\n\
            /* { dg-additional-options \"-mpc64\" { target i?86-*-* x86_64-*-* } } */\n\
            /* { dg-additional-options \"-fpic\" { target { fpic && { ! freestanding } } } } */\n\
            /* { dg-options \"-marm\" { target arm*-*-* } } */\nint main() { return 0; }\n";
        let flags = |target| of(text, target, &[]).expect("it is run").flags.join(" ");
        assert_eq!(flags("aarch64"), "-fwrapv -O1 -w -fpic");
        assert_eq!(flags("thumbv7"), "-fwrapv -O1 -w -fpic -marm");
    }

    #[test]
    fn comments_leave_out() {
        for (text, target, flags, reason) in [
            ("{ dg-do compile }", "armv7", "", "dg-do compile: it is not run"),
            ("{ dg-do run { target x86_64-*-* } }", "armv7", "", "dg-do: it is for target x86_64-*-* only"),
            ("{ dg-skip-if \"no x\" { arm*-*-* } }", "armv7", "", "dg-skip-if: no x"),
            ("{ dg-skip-if \"no x\" { ! { i?86-*-* x86_64-*-* } } }", "aarch64", "", "dg-skip-if: no x"),
            ("{ dg-skip-if \"fast\" { *-*-* } { \"-O2\" } { \"\" } }", "armv7", "-O2", "dg-skip-if: fast"),
            ("{ dg-skip-if \"fast\" { *-*-* } \"-O1\" \"\" }", "armv7", "-O1", "dg-skip-if: fast"),
            (
                "{ dg-require-effective-target int128 }",
                "armv7",
                "",
                "dg-require-effective-target int128: the target does not have it",
            ),
        ] {
            let flags: Vec<&str> = flags.split_whitespace().collect();
            assert_eq!(of(text, target, &flags), Err(reason.to_owned()), "{text}");
        }
        for (text, target, flags) in [
            ("{ dg-do run }", "armv7", ""),
            ("{ dg-skip-if \"no x\" { avr-*-* } }", "armv7", ""),
            ("{ dg-skip-if \"fast\" { *-*-* } { \"-O2\" } { \"\" } }", "armv7", "-O1"),
            ("{ dg-skip-if \"fast\" { *-*-* } { \"*\" } { \"-O0\" } }", "armv7", "-O0"),
            ("{ dg-skip-if \"\" { what_nobody_knows } }", "armv7", ""),
            ("{ dg-require-effective-target int128 }", "aarch64", ""),
            ("{ dg-require-effective-target what_nobody_knows }", "armv7", ""),
            ("{ dg-", "armv7", ""),
            ("{ dg-skip-if", "armv7", ""),
            ("{ dg-skip-if }", "armv7", ""),
        ] {
            let flags: Vec<&str> = flags.split_whitespace().collect();
            assert!(of(text, target, &flags).is_ok(), "{text}");
        }
        let fails = of("{ dg-xfail-run-if \"a bug\" { arm*-*-* } }", "armv7", &[]).expect("it is run").fails;
        assert_eq!(fails.as_deref(), Some("dg-xfail-run-if: a bug"));
    }
}
