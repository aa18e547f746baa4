//! Words into what is asked for, as GNU ld reads them: options with one dash or two, their values behind `=` or in the next
//! word, those of one letter with the value in the same word; the order of files and libraries counts.

use std::path::PathBuf;

use linker::platform::Platform;

use super::options::{Meaning, Row, Value, find};
use crate::command::link::{BuildId, Discard, EntryPoint, Strip};
use crate::linking::expression;
use crate::linking::{Unresolved, Wishes, section_start};

/// A file to link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// A path, or the name of a library.
    pub(super) name: String,
    pub(super) library: bool,
    /// Whether all of its members are linked, if it is an archive.
    pub(super) whole: bool,
}

/// What the words say.
#[derive(Clone, Debug)]
pub(super) struct CommandLine {
    pub(super) inputs: Vec<Named>,
    pub(super) directories: Vec<String>,
    pub(super) sysroot: Option<String>,
    pub(super) output: PathBuf,
    pub(super) entry: EntryPoint,
    pub(super) wishes: Wishes,
    pub(super) emulation: Option<String>,
    pub(super) big_endian: Option<bool>,
    pub(super) build_id: Option<BuildId>,
    pub(super) frame_index: bool,
    pub(super) map: Option<PathBuf>,
    pub(super) strip: Strip,
    pub(super) discard: Discard,
    pub(super) print_removed: bool,
    pub(super) print_objects: bool,
    pub(super) fatal_warnings: bool,
    pub(super) platform: Platform,
    pub(super) no_relax: bool,
    pub(super) version: bool,
    pub(super) help: bool,
    /// Whether archives are taken whole from here on.
    whole: bool,
    /// What that was at each `--push-state` that is still open.
    remembered: Vec<bool>,
}

impl Default for CommandLine {
    fn default() -> Self {
        CommandLine {
            inputs: Vec::new(),
            directories: Vec::new(),
            sysroot: None,
            output: PathBuf::from("a.out"),
            entry: EntryPoint::UsualOrCode,
            wishes: Wishes::default(),
            emulation: None,
            big_endian: None,
            build_id: None,
            frame_index: false,
            map: None,
            strip: Strip::Nothing,
            discard: Discard::Nothing,
            print_removed: false,
            print_objects: false,
            fatal_warnings: false,
            platform: Platform::default(),
            no_relax: false,
            version: false,
            help: false,
            whole: false,
            remembered: Vec::new(),
        }
    }
}

/// Reads the words behind the program's name.
pub(super) fn parse(words: &[String]) -> Result<CommandLine, String> {
    let mut line = CommandLine::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix('-').filter(|option| !option.is_empty()) else {
            line.add(word, false);
            continue;
        };
        let (row, inline) = recognise(option).ok_or_else(|| format!("unknown option {word}"))?;
        let value = match (row.value, inline) {
            (Value::None, Some(_)) => return Err(format!("{word}: the option has no value")),
            (Value::Required, None) => {
                Some(words.next().ok_or_else(|| format!("{word}: the value is missing"))?.as_str())
            }
            (_, inline) => inline,
        };
        line.apply(row, value).map_err(|problem| format!("{word}: {problem}"))?;
    }
    Ok(line)
}

/// The row of an option without its first dash, and the value in the same word.
fn recognise(option: &str) -> Option<(&'static Row, Option<&str>)> {
    let (long, dashes) = option.strip_prefix('-').map_or((option, 1), |long| (long, 2));
    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    // `-omagic` is `-o magic`, `-oformat` too.
    let short_first = dashes == 1 && long.starts_with('o') && long.len() > 1;
    // Behind one letter, `=` is part of the value: a directory below the system's root, for one.
    let short_first = short_first || dashes == 1 && name.len() == 1 && value.is_some();
    let exact = find(name).filter(|row| !short_first && (value.is_none() || row.value != Value::None || dashes == 2));
    if let Some(row) = exact {
        return Some((row, value));
    }
    if dashes == 2 {
        return None;
    }
    let end = option.chars().next()?.len_utf8();
    let row = find(&option[..end])?;
    match (row.value, &option[end..]) {
        (Value::None, "") => Some((row, None)),
        (Value::None, _) => None,
        (_, "") => Some((row, None)),
        (_, value) => Some((row, Some(value))),
    }
}

impl CommandLine {
    fn add(&mut self, name: &str, library: bool) {
        self.inputs.push(Named { name: name.to_owned(), library, whole: self.whole });
    }

    fn apply(&mut self, row: &Row, value: Option<&str>) -> Result<(), String> {
        let given = value.unwrap_or_default();
        let text = || given.to_owned();
        match row.meaning {
            Meaning::Output => self.output = given.into(),
            Meaning::Entry => self.entry = EntryPoint::Named(text()),
            Meaning::Directory => self.directories.push(text()),
            Meaning::Library => self.add(given, true),
            Meaning::Static | Meaning::Without(_) => {}
            Meaning::WholeArchive(on) => self.whole = on,
            Meaning::Remember => self.remembered.push(self.whole),
            Meaning::Recall => self.whole = self.remembered.pop().ok_or("there is no --push-state before it")?,
            Meaning::Undefined => self.wishes.wanted.push(text()),
            Meaning::Defsym => self.wishes.assignments.push(expression::assignment(given)?),
            Meaning::Wrap => self.wishes.wrapped.push(text()),
            Meaning::Unresolved => {
                self.wishes.unresolved = <Unresolved as clap::ValueEnum>::from_str(given, false)?;
            }
            Meaning::IgnoreUnresolved => self.wishes.unresolved = Unresolved::IgnoreAll,
            Meaning::DuplicatesAllowed => self.wishes.allow_multiple_definition = true,
            Meaning::Keyword => self.wishes.keywords.push(text()),
            Meaning::SectionStart => self.wishes.section_starts.push(section_start(given)?),
            Meaning::StartOf(section) => {
                self.wishes.section_starts.push(section_start(&format!("{section}={given}"))?);
            }
            Meaning::Collect(on) => self.wishes.gc_sections = on,
            Meaning::PrintRemoved(on) => self.print_removed = on,
            Meaning::Emulation => self.emulation = Some(text()),
            Meaning::BigEndian(big) => self.big_endian = Some(big),
            Meaning::BuildId => self.build_id = Some(value.unwrap_or("sha1").parse()?),
            Meaning::FrameIndex(on) => self.frame_index = on,
            Meaning::Map => self.map = Some(given.into()),
            Meaning::ImageBase => self.wishes.image_base = Some(section_start(&format!("image={given}"))?.1),
            Meaning::Target1(meaning) => self.platform.target1 = Some(meaning),
            Meaning::Target2 => self.platform.target2 = Some(given.parse()?),
            Meaning::Trace => self.print_objects = true,
            Meaning::FatalWarnings(on) => self.fatal_warnings = on,
            // The last one counts.
            Meaning::StripAll => self.strip = Strip::All,
            Meaning::StripDebug => self.strip = Strip::Debug,
            Meaning::DiscardTemporary => self.discard = Discard::Temporary,
            Meaning::DiscardAll => self.discard = Discard::All,
            Meaning::DiscardNone => self.discard = Discard::Nothing,
            Meaning::Sysroot => self.sysroot = Some(text()),
            Meaning::NoRelax => self.no_relax = true,
            Meaning::Version => self.version = true,
            Meaning::Help => self.help = true,
            Meaning::Refused(why) => return Err(why.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CommandLine, String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn options_are_written_in_many_ways() {
        for text in ["-o x", "-ox", "--output x", "--output=x"] {
            let line = read(text);
            assert_eq!(line.map(|line| line.output), Ok("x".into()), "{text}");
        }
        let line =
            read("-Ldir -L other --library-path=third -lc -l:exact.o --whole-archive a.a -lb --no-whole-archive b.o");
        let line = line.expect("understood");
        assert_eq!(line.directories, ["dir", "other", "third"]);
        let found: Vec<(&str, bool, bool)> =
            line.inputs.iter().map(|input| (input.name.as_str(), input.library, input.whole)).collect();
        assert_eq!(
            found,
            [
                ("c", true, false),
                (":exact.o", true, false),
                ("a.a", false, true),
                ("b", true, true),
                ("b.o", false, false)
            ]
        );
        let line = read("-static -EL -Ttext=8000 -zmuldefs -z max-page-size=4096 -u a -ub --defsym a=b+4 --build-id");
        let line = line.expect("understood");
        assert_eq!(line.wishes.section_starts, [(".text".to_owned(), 0x8000)]);
        assert_eq!((line.wishes.keywords.len(), line.wishes.wanted.len()), (2, 2));
        assert!(line.build_id.is_some() && line.big_endian == Some(false) && line.wishes.assignments.len() == 1);
        assert_eq!(read("-omagic").map(|line| line.output), Ok("magic".into()));
    }

    #[test]
    fn what_there_is_not_is_an_error_by_name() {
        for (text, says) in [
            ("-shared", "-shared: only static programs"),
            ("-pie", "-pie: programs are at fixed addresses"),
            ("-r", "-r: the output is a program"),
            ("-T x.ld", "-T: layout by a script"),
            ("-Tx.ld", "-Tx.ld: layout by a script"),
            ("--version-script=x", "--version-script=x: only static"),
            ("--no-such-thing", "unknown option --no-such-thing"),
            ("-o", "-o: the value is missing"),
            ("--gc-sections=yes", "the option has no value"),
            ("--defsym a", "is not NAME=EXPRESSION"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
