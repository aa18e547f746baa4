//! The result model: what a run says, as a stream of events. Everything a report shows is derived from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the model. It grows when a field changes its meaning or goes away; new fields do not change it.
pub const VERSION: u32 = 1;

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "nearly all events are results")]
pub enum Event {
    /// The first line.
    Start(Start),
    /// One configuration has been run, or skipped.
    Result(Record),
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
    /// Marked as failing, and it did.
    ExpectedFailure,
    /// Marked as failing, but it passed: a failure of the mark.
    UnexpectedPass,
}

impl Status {
    /// Whether the run as a whole fails because of it.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Failed | Status::UnexpectedPass)
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
    /// How it ended.
    pub status: Status,
    /// Why it was skipped or is expected to fail.
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

/// A failure as a reader needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The facts that were wrong, one line each.
    pub problems: Vec<String>,
    /// The relocations that may be to blame, those of the code that ran last first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
    /// The layout by hand, to be given to `--layout`.
    #[serde(default)]
    pub layout: String,
    /// A command line that runs just this configuration.
    pub reproduce: String,
    /// A command line that records what a reference gives, where that can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bless: Option<String>,
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
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Configurations by status.
    pub by_status: BTreeMap<Status, usize>,
    /// Wall-clock seconds of the whole run.
    pub seconds: f64,
}
