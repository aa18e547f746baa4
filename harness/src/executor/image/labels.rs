//! The labels of an image, which it has besides its content: entry, sections, symbols.

use std::borrow::Cow;

use object::elf;

use crate::executor::Abi;

/// What a file says about itself besides its content.
#[derive(Clone, Debug, Default)]
pub struct Labels<'a> {
    /// Where a process of it starts, with the Thumb bit.
    pub entry: u64,
    /// Its sections, by segment and offset. A segment without any gets one that is named by its protection.
    pub sections: Vec<ImageSection<'a>>,
    /// Its symbols. None: it has no symbol table.
    pub symbols: Option<Vec<ImageSymbol<'a>>>,
    /// Sections that are no part of any segment: name, type and content.
    pub extra: Vec<(&'a str, elf::SectionType, &'a [u8])>,
    /// The procedure call standard, where it is not the target's own.
    pub abi: Option<Abi>,
    /// Whether the stack has to be executable.
    pub executable_stack: bool,
    /// Bytes that the stack is asked to have. 0: as the system likes.
    pub stack_size: u64,
    /// Whether what is constant after relocation stays writable all the same.
    pub no_relro: bool,
}

/// A section of the file: a part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSection<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Number of the segment in the request.
    pub segment: usize,
    /// Where in the segment it begins.
    pub offset: u64,
    /// Bytes of it.
    pub size: u64,
    /// Required alignment, in bytes.
    pub alignment: u64,
    /// `sh_type`. What lies behind the content of its segment is `SHT_NOBITS` all the same.
    pub kind: elf::SectionType,
    /// `sh_flags` besides those that follow from the segment.
    pub flags: elf::SectionFlags,
    /// Bytes of an entry, where it is a table.
    pub entry_size: u64,
}

/// What a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// Something else: a label, or one of the architecture's mapping symbols (`$a`, `$t`, `$d`, `$x`).
    Label,
    /// A thread-local variable, whose value is an offset in the image of threads.
    ThreadLocal,
    /// A function that returns the function to use.
    Ifunc,
    /// The source of the local symbols that follow.
    File,
}

/// How a symbol would be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Known to its object only.
    Local,
    /// Gives way to a strong definition.
    Weak,
    /// Known to all.
    Global,
}

/// A symbol of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSymbol<'a> {
    /// Its name.
    pub name: Cow<'a, [u8]>,
    /// Its value: an address with the Thumb bit of a Thumb function, or what [`SymbolKind::ThreadLocal`] says.
    pub value: u64,
    /// The address that says which section it is in. None: in none, it is a number or undefined.
    pub place: Option<u64>,
    /// Whether nobody defines it, which only a weak reference survives.
    pub undefined: bool,
    /// Bytes it covers, or 0.
    pub size: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// How it would be resolved.
    pub binding: Binding,
    /// `st_other`.
    pub other: u8,
}
