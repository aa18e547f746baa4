//! The result model: what a run says, as a stream of events. Everything a report shows is derived from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the model. It grows when a field changes its meaning or goes away; new fields do not change it.
pub const VERSION: u32 = 1;

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line.
    Start(Start),
    /// One configuration has been run, or skipped.
    Result(Box<Record>),
    /// The last line. A stream without it was cut short; what it holds is still valid.
    End(Totals),
}

/// What the run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The writer: name and version of the program.
    pub program: String,
    /// The command line, for reproduction.
    pub command: Vec<String>,
    /// How many configurations were selected.
    pub selected: usize,
    /// Toolchains by label, with the versions that built the objects.
    pub toolchains: BTreeMap<String, String>,
    /// The linker that was tried, with its version; none: Linkrig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it began: RFC 3339, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The machine that it ran on: system, processor, how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The commit of the rig, with `-dirty` where there were changes; none where it was not built from a checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where the cases came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<String>,
    /// The commit of the corpus, where it is in a checkout of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus_commit: Option<String>,
}

/// How a configuration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not run, for a reason.
    Skipped,
    /// Another linker says that it does not support what the case is about.
    Refused,
    /// Marked as failing, and it did.
    ExpectedFailure,
    /// Marked as failing, but it passed: a failure of the mark.
    UnexpectedPass,
    /// No result: the machine that it ran on was lost, and the one after it, too.
    Lost,
}

impl Status {
    /// Whether the run as a whole fails because of it.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Failed | Status::UnexpectedPass)
    }

    /// Whether it says anything about what was linked: what was skipped, refused or lost does not.
    pub fn is_result(self) -> bool {
        !matches!(self, Status::Skipped | Status::Refused | Status::Lost)
    }
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The stable name: `elf/<target>/<group>/<case>/<build>/<layout>/<executor>`.
    pub name: String,
    /// Target by name.
    pub target: String,
    /// `group/case`.
    pub case: String,
    /// The build's label, toolchain first.
    pub build: String,
    /// The layout's text form.
    pub layout: String,
    /// The executor.
    pub executor: String,
    /// Who linked it, as `--subject` names it; none: Linkrig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why it was skipped or refused, is expected to fail, or how its machine was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Facts that were judged.
    pub checks: usize,
    /// Relocations applied, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relocations: BTreeMap<String, u64>,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Record {
    /// What is known of its failure, if it is one of another linker that was looked at.
    pub fn known(&self) -> Option<&str> {
        self.failure.as_ref()?.known.as_deref()
    }
}

/// A failure as a reader needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The facts that were wrong, one line each.
    pub problems: Vec<String>,
    /// What is known of this failure of another linker: whose it is, and by which words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The relocations that may be to blame, those of the code that ran last first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
    /// The lines of the case that say what was expected and did not come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<SourceLine>,
    /// The registers when it ended, in the order of the architecture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registers: Vec<Register>,
    /// The instructions around the program counter, where the program ended in its own code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<Instruction>,
    /// The functions that had not returned when a call was cut short, the innermost first: address, symbol, and the line of the
    /// source where debug information says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
    /// The layout by hand, to be given to `--layout`.
    #[serde(default)]
    pub layout: String,
    /// A command line that runs just this configuration.
    pub reproduce: String,
    /// A command line that records what a reference gives, where that can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bless: Option<String>,
}

/// A line of a source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The file, as far as it is known in the corpus: `group/case.c`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// A register.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// Its content, in hexadecimal.
    pub value: String,
}

/// An instruction in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instruction {
    /// Its address, in hexadecimal.
    pub address: String,
    /// The symbol that it is in: `main+0x1c`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub symbol: String,
    /// Its bytes, as they stand in memory.
    pub bytes: String,
    /// As a decoder has it that is not the linker's.
    pub text: String,
    /// Whether the program counter is here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub here: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What a look at a relocated field in memory came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// How it came out.
    pub verdict: Verdict,
    /// In words: by which way it is right, what is wrong, or why it cannot be said.
    pub why: String,
}

/// Whether a field is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It says what the ABI's formula comes to.
    Right,
    /// It does not.
    Wrong,
    /// That cannot be said.
    #[default]
    Unknown,
}

/// A relocation in a failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// Name of the relocation.
    pub relocation: String,
    /// Where the ABI defines it.
    pub section: String,
    /// `file(section+offset)`.
    pub site: String,
    /// The symbol.
    pub symbol: String,
    /// The formula with its numbers: `S 0x8400000  A 0  P 0x40001c   S + A - P 0x7ffffe4   allowed [...]`.
    pub numbers: String,
    /// Bytes before, as they stand in memory.
    pub before: String,
    /// Bytes after.
    pub after: String,
    /// The bits that belong to the field, as bytes.
    pub under: String,
    /// The instruction after, disassembled by a decoder that is not the linker's.
    pub disassembly: String,
    /// What the field in memory was found to say, by the ABI's formula and not by the linker's; none if nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Checked>,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Configurations by status.
    pub by_status: BTreeMap<Status, usize>,
    /// Wall-clock seconds of the whole run.
    pub seconds: f64,
    /// Configurations that were selected and did not run, as the run was stopped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_run: usize,
    /// Why the run was stopped before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
