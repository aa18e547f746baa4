//! Architectures: one folder each, and one line in the list of targets. What differs between them is behind
//! [`Architecture`]; what they have in common is data.

use std::fmt::Debug;

use crate::build::{Attributes, Mismatch};
use crate::graph::{Bytes, Flags, LinkGraph};
use crate::index::{EdgeId, ObjectId, SymbolId};
use crate::platform::Platform;
use crate::relocation::{Check, Row};
use crate::target::Target;

pub mod aarch64;
pub mod arm;
mod layout;

pub use layout::{Rule, Spans};

/// The core that the objects of a link were built for: an ordinal in the architecture's own list, from least to most
/// able, 0 when no object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Core {
    /// The ordinal.
    pub version: u8,
}

impl Core {
    /// The core of an architecture that has no list of them.
    pub const NONE: Core = Core { version: 0 };
}

/// The target of a branch, as far as the branch depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Whether its code is in the alternate instruction set. None if it does not matter or is not known: then the
    /// instruction's own choice stands.
    pub thumb: Option<bool>,
}

/// A branch as it can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchForm {
    /// The instruction, with its field still to be filled.
    pub word: u64,
    /// The value for the field.
    pub value: i64,
}

/// What code of the linker's own has to keep to where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Demands {
    /// The core that runs it.
    pub core: Core,
    /// What is branched to indirectly begins with a landing pad.
    pub landing: bool,
    /// It must not be read as data: no literals.
    pub pure: bool,
}

/// A piece of code the linker makes: position-independent but for what relocations fill in.
#[derive(Debug, PartialEq, Eq)]
pub struct StubShape {
    /// Its name in reports.
    pub name: &'static str,
    /// What stands before and behind its target's name in its own, by which tools recognise it.
    pub label: (&'static str, &'static str),
    /// Its bytes.
    pub code: &'static [u8],
    /// Its relocations, all against the target: offset in the code, in bytes, and number.
    pub relocations: &'static [(u32, u32)],
    /// Whether it starts in the alternate instruction set.
    pub thumb: bool,
    /// What its bytes are, for whoever shows them: (offset, kind).
    pub mapping: &'static [(u64, Bytes)],
}

/// A table with an entry for each function, in the order of their addresses, which is searched by halves.
#[derive(Debug, PartialEq, Eq)]
pub struct UnwindIndex {
    /// Name of its sections.
    pub section: &'static [u8],
    /// The second word of an entry for code that cannot be unwound; the first is its address.
    pub gap: u32,
    /// Number of the relocation that fills in the address.
    pub row: u32,
}

/// What finds a thread-local variable from its descriptor: a function of the run-time's, here of the linker's making,
/// for variables at a fixed distance from the thread pointer.
#[derive(Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Its code, which needs no relocation.
    pub code: &'static [u8],
    /// Whether it is in the alternate instruction set.
    pub thumb: bool,
    /// Which word of a descriptor holds the function; the other holds its argument.
    pub word: usize,
}

/// The relocation by which start-up code of a program fills a slot with what a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irelative {
    /// Its number.
    pub number: u32,
    /// The section that such relocations stand in.
    pub section: &'static [u8],
    /// Whether the function's address is what the slot holds (REL) and not part of the relocation (RELA).
    pub in_place: bool,
}

/// What a word of the linker's own tables is filled by: a relocation that a loader would apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// An address.
    Address,
    /// The offset of a variable from the thread pointer.
    ThreadOffset,
    /// The offset of a variable in its module's block.
    BlockOffset,
    /// The address of a function's descriptor.
    Function,
}

/// A rewritten instruction: another relocation over another word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The number of the relocation.
    pub number: u32,
    /// The instruction, with its field still to be filled.
    pub word: u64,
    /// Another symbol and addend than the edge had.
    pub target: Option<(SymbolId, i64)>,
}

/// One architecture.
pub trait Architecture: Sync + Debug {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// Its relocations, sorted by number.
    fn rows(&self) -> &'static [Row];

    /// Index of the row of a relocation number.
    fn row(&self, number: u32) -> Option<u16>;

    /// Index of the row of a plain pointer.
    fn pointer(&self) -> u16 {
        self.word(Word::Address)
    }

    /// Index of the row that fills a word of a table.
    fn word(&self, word: Word) -> u16;

    /// The relocation that calls a function for a pointer.
    fn irelative(&self) -> Irelative;

    /// The resolver of descriptors.
    fn resolver(&self, demands: Demands) -> &'static Resolver;

    /// The number of the plain call that a call with this row is, which goes by way of a descriptor to what finds a
    /// variable. Such calls go to [`Architecture::trampoline`].
    fn descriptor_call(&self, _row: &Row) -> Option<u32> {
        None
    }

    /// Code that finds the descriptor of a call from what the call leaves in registers, and goes to its function.
    fn trampoline(&self, demands: Demands) -> &'static Resolver {
        self.resolver(demands)
    }

    /// The addend that is meant by one that is stored in the place, where it depends on the code before, too: `code` is
    /// what the section holds up to the place. `Err` says what was expected.
    fn stored_addend(&self, _row: &Row, stored: i64, _code: &[u8]) -> Result<i64, &'static str> {
        Ok(stored)
    }

    /// What instructions become that find variables in this link's own image of at most `image` bytes, where the offset from
    /// the thread pointer is constant. What is not in the list stays as it is.
    fn relax_thread_local(&self, _graph: &LinkGraph<'_>, _image: u64, _list: &mut Vec<(EdgeId, Rewritten)>) {}

    /// What loads from the global offset table, and what goes with them, become where the addresses that they would load are
    /// in reach. What is not in the list stays as it is.
    fn relax_got_loads(&self, _graph: &LinkGraph<'_>, _list: &mut Vec<(EdgeId, Rewritten)>) {}

    /// What relocations mean that leave it to the platform: what is asked for, or else what objects with these attributes
    /// have.
    fn platform(&self, _target: &Target, _attributes: &Attributes, asked: Platform) -> Platform {
        asked
    }

    /// Such relocations, and what they are by this: indexes of rows. None if there are none.
    fn platform_rows(&self, _platform: Platform) -> Option<[(u16, u16); 2]> {
        None
    }

    /// The distances that layout policies work with.
    fn spans(&self) -> Spans;

    /// How many bytes ahead of a branch the program counter reads: addends carry it, negated.
    fn pc_bias(&self, _row: &Row) -> i64 {
        0
    }

    /// Which sections of its own are parts of which output sections.
    fn output_sections(&self) -> &'static [Rule] {
        &[]
    }

    /// The index of unwinding tables, if it has one.
    fn unwind_index(&self) -> Option<&'static UnwindIndex> {
        None
    }

    /// Splits the value of a function symbol into address and flags.
    fn symbol_value(&self, value: u64, _function: bool) -> (u64, Flags) {
        (value, Flags::default())
    }

    /// Whether big-endian objects hold code in the order of data, which it does not have in memory.
    fn turns_code(&self) -> bool {
        false
    }

    /// What a mapping symbol of this name starts.
    fn mapping(&self, name: &[u8]) -> Option<Bytes>;

    /// What the build attributes of an object say.
    fn attributes(&self, _bytes: &[u8], _big_endian: bool, _from: ObjectId) -> Attributes {
        Attributes::default()
    }

    /// Takes the attributes of one more object into account, and tells what does not go together.
    fn merge(&self, _merged: &mut Attributes, _new: &Attributes) -> Vec<Mismatch> {
        Vec::new()
    }

    /// The content of the section that says these in an image. Empty: there is none.
    fn attribute_section(&self, _attributes: &Attributes, _big_endian: bool) -> Vec<u8> {
        Vec::new()
    }

    /// The core that attributes tell.
    fn core(&self, _attributes: &Attributes) -> Core {
        Core::default()
    }

    /// The check that holds for a branch on a core that reaches less far than the ABI allows.
    fn reach(&self, row: &Row, _core: Core) -> Check {
        row.check
    }

    /// The branch `word` with the value `value` of its formula, made for `to`; None if it cannot be made in the
    /// state of its destination.
    fn branch(&self, _row: &Row, word: u64, value: i64, _to: Destination, _core: Core) -> Option<BranchForm> {
        Some(BranchForm { word, value })
    }

    /// The stub that may stand between the branch and its target, if any may.
    fn stub_for(&self, row: &Row, word: u64, demands: Demands) -> Option<&'static StubShape>;

    /// A stub that jumps to the address stored at its target.
    fn indirect_stub(&self, demands: Demands) -> &'static StubShape;

    /// What has to stand between an indirect branch and code that begins with this instruction, where such branches have to
    /// land on a landing pad: one, with a direct branch behind it. None: the code is a landing pad itself.
    fn landing_for(&self, _first: u64) -> Option<&'static StubShape> {
        None
    }

    /// What a branch to an undefined weak symbol becomes: something that goes on with the next instruction.
    fn fall_through(&self, row: &Row, word: u64, core: Core) -> Option<u64>;
}
