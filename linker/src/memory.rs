//! The memory contract: where linked content goes.
//!
//! A link *reserves* target memory, gets one buffer a segment to write into, and then either *finalizes* it
//! (content, actions in order, protections: one round trip) or *abandons* it. The implementer decides what the buffer is:
//! a host copy of emulated memory, the body of a message to a remote peer, an output file, or the memory itself.
//!
//! Nothing here knows about objects or relocations, and the linker knows nothing about what is behind the contract.

use std::error::Error;
use std::ops::Range;

/// What a segment may be used for once it is finalized. Write and execute never come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Constant data, and data that is constant after relocation (see [`Segment::relro`]).
    Read,
    /// Code. Literals inside it are read, so it is readable too.
    ReadExecute,
    /// Writable data.
    ReadWrite,
}

impl Protection {
    /// Whether a finalized segment of this protection can be written by the target.
    pub fn writable(self) -> bool {
        self == Protection::ReadWrite
    }

    /// Whether a finalized segment of this protection can be executed by the target.
    pub fn executable(self) -> bool {
        self == Protection::ReadExecute
    }

    /// The three letters of a memory map, `r-x` for instance.
    pub fn letters(self) -> &'static str {
        match self {
            Protection::Read => "r--",
            Protection::ReadExecute => "r-x",
            Protection::ReadWrite => "rw-",
        }
    }
}

/// How long the content of a segment is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// Until the allocation is released.
    Standard,
    /// Only until the finalize actions have run.
    Finalize,
    /// Never loaded: debug information, relocated for readers of the image but given no target memory.
    NoAlloc,
}

/// Where a segment has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Wherever the implementer likes.
    Anywhere,
    /// At exactly this address.
    At(u64),
    /// Somewhere inside this range of addresses.
    Within(Range<u64>),
    /// Exactly this many bytes above the start of the first segment of the same request. Addresses wrap at the
    /// target's pointer width.
    Offset(u64),
}

/// One segment of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Bytes of target memory, zero-fill included.
    pub size: u64,
    /// Bytes that carry content, at the start of the segment; at most `size`. The rest is zero and never shipped.
    pub content: usize,
    /// Required alignment of the address in bytes: a power of two, which may exceed the page size.
    pub alignment: u64,
    /// Final protection.
    pub protection: Protection,
    /// Writable by the target until the finalize actions have run, and only then read-only.
    pub relro: bool,
    /// For the initial image of each thread's variables, the alignment in bytes that a thread's copy of it has to have.
    pub thread_local: Option<u64>,
    /// How long it is needed.
    pub lifetime: Lifetime,
    /// Where it has to be.
    pub place: Place,
}

/// A call into the target: the function gets the address of a copy of `arguments` and their length in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Address of the function, with the Thumb bit where the architecture has one.
    pub function: u64,
    /// Passed as (address, length).
    pub arguments: Vec<u8>,
}

/// Something that finalization does, after content is placed and before final protections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Call a function; its result is a status, 0 for success. `undo` is called when a later action fails, and on release.
    Call {
        /// What to call now.
        call: Call,
        /// What to call to take it back.
        undo: Option<Call>,
    },
    /// Call a function without arguments and store the pointer it returns at `slot`: how an IFUNC slot is filled, and data
    /// that a function returns.
    CallAndStore {
        /// Address of the function, with the Thumb bit where the architecture has one.
        function: u64,
        /// Address of the slot, which is one pointer wide.
        slot: u64,
    },
    /// Sign the pointer at `slot` with a key of the process (PAuthABIELF64, Signing schema).
    Sign {
        /// Address of the pointer.
        slot: u64,
        /// Which key.
        key: SigningKey,
        /// What is signed along: a discriminator, into which the address of the slot may be blended.
        modifier: u64,
    },
}

/// The keys that pointers are signed with, in the order of the ABI's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// Key A for instructions.
    InstructionA,
    /// Key B for instructions.
    InstructionB,
    /// Key A for data.
    DataA,
    /// Key B for data.
    DataB,
}

impl SigningKey {
    /// All of them, in the order of the encoding.
    pub const ALL: [SigningKey; 4] =
        [SigningKey::InstructionA, SigningKey::InstructionB, SigningKey::DataA, SigningKey::DataB];
}

/// Reserved memory whose content is still being written.
pub trait InFlight {
    /// Target address of segment number `segment` of the request. 0 for [`Lifetime::NoAlloc`].
    fn address(&self, segment: usize) -> u64;
    /// The buffer of that segment: exactly [`Segment::content`] bytes, initially zero.
    fn content(&mut self, segment: usize) -> &mut [u8];
}

/// Why memory could not be had or finalized.
pub type MemoryError = Box<dyn Error + Send + Sync>;

/// Target memory. See the module's page for the life of an allocation.
pub trait Memory {
    /// What [`Memory::reserve`] lends.
    type InFlight: InFlight;
    /// A plain handle to memory in use.
    type Finalized;

    /// Bytes in a page: the granularity of protections, a power of two.
    fn page_size(&self) -> u64;

    /// Where memory begins, for layouts that choose addresses: what they would put at `a` goes to this and `a`.
    fn origin(&self) -> u64 {
        0
    }

    /// Reserves all segments, or none.
    fn reserve(&mut self, segments: &[Segment]) -> Result<Self::InFlight, MemoryError>;

    /// Ships the content, runs the actions in order, sets the protections. When an action fails, those before it are
    /// undone in reverse, the memory is given back and the error says which one failed.
    fn finalize(&mut self, memory: Self::InFlight, actions: &[Action]) -> Result<Self::Finalized, MemoryError>;

    /// Gives reserved memory back unused.
    fn abandon(&mut self, memory: Self::InFlight);

    /// Releases any number of allocations: the undo calls of each in reverse order, then the memory.
    fn release(&mut self, memory: Vec<Self::Finalized>) -> Result<(), MemoryError>;
}
