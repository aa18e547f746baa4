//! A linker as data: one file a linker, in `known/` or the user's own, which has the same form (docs/linkers.md).

use std::collections::BTreeMap;
use std::path::Path;

use outside::FileError;
use serde::Deserialize;

use super::template::{Template, TemplateError};

/// Bytes of a description.
const LONGEST: u64 = 1 << 20;

/// The linkers that the program knows: the name, and the text.
const KNOWN: &[(&str, &str)] = &[
    ("ld", include_str!("known/ld.toml")),
    ("gold", include_str!("known/gold.toml")),
    ("lld", include_str!("known/lld.toml")),
    ("mold", include_str!("known/mold.toml")),
    ("wild", include_str!("known/wild.toml")),
    ("llvm-jitlink", include_str!("known/llvm-jitlink.toml")),
];

/// How a linker is called, and what is known of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// What it is called in reports.
    pub name: String,
    /// The names of its program, the best first; `{gnu}` stands for the names that GNU tools of a target begin with.
    pub programs: Vec<String>,
    /// The package that has it.
    #[serde(default)]
    pub package: String,
    /// The words behind the program.
    pub arguments: Vec<String>,
    /// The words that it gets when it has to leave instructions as they are. None: it is run once.
    #[serde(default)]
    pub unrelaxed: Vec<String>,
    /// The words for a static executable at fixed addresses.
    #[serde(default, rename = "static")]
    pub fixed: Vec<String>,
    /// The words for a static executable that can be anywhere. None: it makes none.
    #[serde(default)]
    pub static_pie: Vec<String>,
    /// The words that drop what nobody refers to, where a case names what it refers to.
    #[serde(default)]
    pub collect: Vec<String>,
    /// The words around several archives that need each other.
    #[serde(default)]
    pub group: Option<(String, String)>,
    /// What it has to be told of targets, by their names. One that is not here is not supported.
    pub targets: BTreeMap<String, Vec<String>>,
    /// What its messages say, the first that is in one counts. Behind these come the common ones.
    #[serde(default)]
    pub says: Vec<Says>,
    /// What is not asked of it.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// What it fails at, is asked all the same, and was looked at.
    #[serde(default)]
    pub failures: Vec<Difference>,
    /// Bytes of the pages by which it parts segments of other protections: those that its script is aligned to.
    #[serde(default = "page")]
    pub page: u64,
    /// Seconds that one link may take.
    #[serde(default = "seconds")]
    pub seconds: u64,
    /// MiB of address space that one link may take.
    #[serde(default = "memory")]
    pub memory: u64,
}

/// The widest of AArch64 and ARM, which GNU ld takes if nobody says anything.
fn page() -> u64 {
    0x1_0000
}

fn seconds() -> u64 {
    20
}

fn memory() -> u64 {
    4096
}

/// What a text in a message means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// A part of the message.
    pub text: String,
    /// What it means.
    pub kind: Kind,
}

/// Kinds of errors of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A value does not fit its field.
    OutOfRange,
    /// A value is not as aligned as its field wants it.
    Misaligned,
    /// Nobody defines a symbol.
    Undefined,
    /// A symbol is defined twice.
    Duplicate,
    /// Objects that were not built for each other, or an object that is damaged.
    Incompatible,
    /// It does not support what it was asked for.
    Unsupported,
    /// The script cannot be followed: the layout does not fit.
    Layout,
    /// It ended by a signal, or by a check of its own.
    Crash,
    /// It took more than it may.
    Budget,
    /// Anything else.
    Other,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::OutOfRange => "out of range",
            Kind::Misaligned => "misaligned",
            Kind::Undefined => "undefined",
            Kind::Duplicate => "duplicate",
            Kind::Incompatible => "incompatible",
            Kind::Unsupported => "unsupported",
            Kind::Layout => "layout",
            Kind::Crash => "crash",
            Kind::Budget => "budget",
            Kind::Other => "other",
        }
    }
}

/// What is not asked of a linker, or is known of a failure of it, and why. All that is given has to hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Difference {
    /// The start of a case's name.
    #[serde(default)]
    pub case: Option<String>,
    /// Targets.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Layouts, as they are written; `random` and `at` stand for all of their kind.
    #[serde(default)]
    pub layouts: Vec<String>,
    /// A part of a build's label.
    #[serde(default)]
    pub build: Option<String>,
    /// What is made.
    #[serde(default)]
    pub link_as: Option<super::LinkAs>,
    /// Relocations, one of which the objects hold.
    #[serde(default)]
    pub relocations: Vec<String>,
    /// A part of its message when it refuses, or of what is said of the failure.
    #[serde(default)]
    pub says: Option<String>,
    /// Why it is not asked, or whose fault the failure is and by which words.
    pub reason: String,
}

/// A description cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// There is none of this name.
    #[error("there is no linker `{name}`, expected one of {}, FILE.toml, or 'cmd:COMMAND'{near}", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what it has to be. The text has the line.
    #[error("{file}: {problem}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The command is not what it has to be.
    #[error("cmd: {0}")]
    Command(#[from] TemplateError),
}

/// The names of the linkers that the program knows.
pub fn names() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.0).collect()
}

impl Description {
    /// The description of this name: one of ours, a file, or a command.
    pub fn find(name: &str) -> Result<Description, DescriptionError> {
        if let Some(command) = name.strip_prefix("cmd:") {
            return Description::of_command(command);
        }
        if let Some((known, text)) = KNOWN.iter().find(|known| known.0 == name) {
            return Description::parse(known, text);
        }
        if name.ends_with(".toml") {
            let text = outside::read_text(Path::new(name), LONGEST)?;
            return Description::parse(name, &text);
        }
        let near = crate::messages::suggest(name, names());
        Err(DescriptionError::Unknown { name: name.to_owned(), near })
    }

    fn parse(file: &str, text: &str) -> Result<Description, DescriptionError> {
        let malformed = |problem: String| DescriptionError::Malformed { file: file.to_owned(), problem };
        // The error names the line, and what is expected there.
        let description: Description = toml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        description.check().map_err(malformed)?;
        Ok(description)
    }

    /// What one of the words of a command may be is what a description's `arguments` may be.
    fn of_command(command: &str) -> Result<Description, DescriptionError> {
        let (program, arguments) = super::template::split(command)?;
        let template = Template::new(&arguments)?;
        template.complete()?;
        let every = linker::TARGETS.iter().map(|target| (target.name.to_owned(), Vec::new())).collect();
        Ok(Description {
            name: format!("cmd:{command}"),
            programs: vec![program],
            package: String::new(),
            arguments,
            unrelaxed: Vec::new(),
            fixed: Vec::new(),
            static_pie: Vec::new(),
            collect: Vec::new(),
            group: None,
            targets: every,
            says: Vec::new(),
            differences: Vec::new(),
            failures: Vec::new(),
            page: page(),
            seconds: seconds(),
            memory: memory(),
        })
    }

    /// What the form alone does not say.
    fn check(&self) -> Result<(), String> {
        let template = Template::new(&self.arguments).map_err(|error| format!("arguments: {error}"))?;
        template.complete().map_err(|error| format!("arguments: {error}"))?;
        if self.programs.is_empty() {
            return Err("programs is empty, expected the names of the linker's program".to_owned());
        }
        let known: Vec<&str> = linker::TARGETS.iter().map(|target| target.name).collect();
        let of_differences = self.differences.iter().chain(&self.failures).flat_map(|difference| &difference.targets);
        for name in self.targets.keys().chain(of_differences) {
            if !known.contains(&name.as_str()) {
                let near = crate::messages::suggest(name, known.iter().copied());
                return Err(format!("there is no target `{name}`, expected one of {}{near}", known.join(", ")));
            }
        }
        if !self.page.is_power_of_two() || !(0x400..=0x100_0000).contains(&self.page) {
            return Err(format!("page = {}, expected a power of two from 1024 to 16777216", self.page));
        }
        if !(1..=3600).contains(&self.seconds) || !(16..=1 << 20).contains(&self.memory) {
            return Err(format!(
                "seconds = {} and memory = {}, expected 1 to 3600 seconds and 16 to 1048576 MiB",
                self.seconds, self.memory
            ));
        }
        Ok(())
    }

    /// The words of a template.
    pub fn template(&self) -> Template {
        // Read once already.
        Template::new(&self.arguments).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_linker_reads() {
        for name in names() {
            assert_eq!(Description::find(name).expect(name).name, name);
        }
    }

    #[test]
    fn a_bad_description_names_file_and_line() {
        let good = KNOWN[0].1;
        for (text, told) in [
            (format!("colour = 1\n{good}"), "line 1"),
            (format!("colour = 1\n{good}"), "unknown field `colour`"),
            (format!("{good}\n[[says]]\ntext = \"x\"\nkind = \"sad\"\n"), "unknown variant `sad`"),
            (format!("{good}\n[[differences]]\nreason = \"x\"\ntargets = [\"armv9\"]\n"), "there is no target `armv9`"),
            (good.replace("page = 4096", "page = 5000"), "page = 5000"),
            (good.replace("\"{output}\"", "\"{outptu}\""), "`{outptu}`"),
            (good.replace("\"{inputs}\"", "\"a.o\""), "`{inputs}`"),
        ] {
            let error = Description::parse("mine.toml", &text).expect_err(told).to_string();
            assert!(error.starts_with("mine.toml: ") && error.contains(told), "{told}: {error}");
        }
    }

    #[test]
    fn an_unknown_linker_names_those_there_are() {
        let error = Description::find("ldd").expect_err("none").to_string();
        assert!(error.contains("ld, gold, lld, mold, wild, llvm-jitlink") && error.contains("cmd:"), "{error}");
    }
}
