//! ORC's protocol as data: the structures that its messages are made of, their serialization ([`sps`]), and the messages on
//! the wire ([`wire`]). Both ends speak it, the executor of [`crate::epc`] and the controller of an agent on a board.

pub mod error;
pub mod sps;
pub mod wire;

use linker::memory::Protection;

use sps::fields;

/// What an executor says about itself. (LLVM 14 to 16 have no map.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The triple of its target. For ELF nobody looks at more than the object format.
    pub triple: String,
    /// Bytes in a page.
    pub page_size: u64,
    /// Values by key, for whoever agreed on them.
    pub map: Vec<(String, Vec<u8>)>,
    /// Functions and objects by name. Only the executor knows what their addresses mean.
    pub symbols: Vec<(String, u64)>,
}
fields!(Setup { triple: String, page_size: u64, map: Vec<(String, Vec<u8>)>, symbols: Vec<(String, u64)> });

/// A symbol that was looked up; one at 0 was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolDefinition {
    /// Its address, with the Thumb bit.
    pub address: u64,
    /// Generic flags.
    pub flags: u8,
    /// Flags of the architecture.
    pub target_flags: u8,
}
fields!(SymbolDefinition { address: u64, flags: u8, target_flags: u8 });

impl SymbolDefinition {
    /// The flag of what other graphs may see.
    pub const EXPORTED: u8 = 0x10;
}

/// Addresses, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// The first.
    pub start: u64,
    /// Behind the last.
    pub end: u64,
}
fields!(AddressRange { start: u64, end: u64 });

/// A call of a wrapper function with arguments that are serialized already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrapperCall<'a> {
    /// The function; 0 is none.
    pub function: u64,
    /// Its arguments.
    pub arguments: &'a [u8],
}
fields!(WrapperCall<'a> { function: u64, arguments: &'a [u8] });

/// What is done when memory is finalized, and what when it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationAction<'a> {
    /// Called at finalization, in order.
    pub finalize: WrapperCall<'a>,
    /// Called at deallocation, in reverse order.
    pub deallocate: WrapperCall<'a>,
}
fields!(AllocationAction<'a> { finalize: WrapperCall<'a>, deallocate: WrapperCall<'a> });

/// Protection and lifetime of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group(pub u8);

impl Group {
    const FINALIZE: u8 = 8;

    /// Of memory with this protection, needed until it is deallocated or, with `brief`, until the actions have run.
    pub fn new(protection: Protection, brief: bool) -> Group {
        let access = match protection {
            Protection::Read => 1,
            Protection::ReadWrite => 1 | 2,
            Protection::ReadExecute => 1 | 4,
        };
        Group(access | if brief { Group::FINALIZE } else { 0 })
    }

    /// The protection, if it is one that memory can have here.
    pub fn protection(self) -> Option<Protection> {
        let all = [Protection::Read, Protection::ReadWrite, Protection::ReadExecute];
        all.into_iter().find(|&protection| Group::new(protection, self.brief()) == self)
    }

    /// Whether it is needed only until the actions have run.
    pub fn brief(self) -> bool {
        self.0 & Group::FINALIZE != 0
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = (0..3).map(|bit| if self.0 >> bit & 1 == 1 { ['r', 'w', 'x'][bit] } else { '-' });
        f.write_str(&letters.collect::<String>())
    }
}

/// A piece of memory with content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// See [`Group`].
    pub group: u8,
    /// Where it is.
    pub address: u64,
    /// Bytes in it.
    pub size: u64,
    /// Its first bytes; the others are zero.
    pub content: &'a [u8],
}
fields!(Segment<'a> { group: u8, address: u64, size: u64, content: &'a [u8] });

/// Everything that makes reserved memory usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizeRequest<'a> {
    /// By ascending address.
    pub segments: Vec<Segment<'a>>,
    /// In the order they are to run.
    pub actions: Vec<AllocationAction<'a>>,
}
fields!(FinalizeRequest<'a> { segments: Vec<Segment<'a>>, actions: Vec<AllocationAction<'a>> });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orc::sps::{decode, encode};

    #[test]
    fn a_session_of_llvm_19() {
        // What follows the instance in its finalize call for `main: mov w0,#7; ret`.
        let bytes =
            "0100000000000000 05 0000001000000000 0010000000000000 0800000000000000 e0008052c0035fd6 0000000000000000";
        let digits: Vec<u8> = bytes.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("text"), 16).expect("digits");
        let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
        let content = [0xe0, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6];
        let segment = Segment { group: 5, address: 0x1000_0000, size: 0x1000, content: &content };
        let request = FinalizeRequest { segments: vec![segment], actions: Vec::new() };
        assert_eq!(decode::<FinalizeRequest<'_>>(&bytes).as_ref(), Ok(&request));
        assert_eq!(encode(&request), bytes);
    }

    #[test]
    fn write_and_execute_never_come_together() {
        for bits in 0..=u8::MAX {
            let group = Group(bits);
            let expected = match bits {
                1 | 9 => Some(Protection::Read),
                3 | 11 => Some(Protection::ReadWrite),
                5 | 13 => Some(Protection::ReadExecute),
                _ => None,
            };
            assert_eq!(group.protection(), expected, "{bits:#x}");
        }
        assert_eq!(Group(7).to_string(), "rwx");
    }
}
