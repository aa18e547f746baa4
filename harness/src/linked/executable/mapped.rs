//! An executable as a system maps it for a new process, which relocates itself.

use linker::memory::Protection;

use super::pages::Pages;
use super::{Executable, LoadError, thread_local};
use crate::linked::Linked;
use crate::linked::executable::content::Content;
use crate::linked::symbols::Symbols;

/// What is mapped of an executable.
#[derive(Debug)]
pub struct Mapped {
    /// Its pages, by address.
    pub parts: Vec<Part>,
    /// How its first page is to be aligned, in bytes.
    pub alignment: u64,
    /// Whether it can be anywhere: addresses are then counted from where it is put.
    pub movable: bool,
    /// Where it starts, with the Thumb bit.
    pub entry: u64,
    /// Where its program headers are in memory, if they are.
    pub headers: Option<u64>,
    /// Bytes of each program header, and how many there are.
    pub header_size: u64,
    /// See [`Mapped::header_size`].
    pub header_count: u64,
    /// Whether code on the stack is executed, if it says so (PT_GNU_STACK).
    pub executable_stack: Option<bool>,
}

/// Whole pages with one protection.
#[derive(Debug)]
pub struct Part {
    /// Where they begin.
    pub address: u64,
    /// Their bytes.
    pub size: u64,
    /// What is in them from the first byte on; zero behind it.
    pub content: Vec<u8>,
    /// What the program may do with them.
    pub protection: Protection,
}

impl<'data> Executable<'data> {
    /// What a system maps of it, in pages of this size.
    pub fn mapped(&self, page: u64) -> Mapped {
        let pages = Pages::new(&self.headers, self.data, page, false);
        let alignment = pages.alignment();
        let part = |run: super::pages::Run| Part {
            address: run.address,
            size: run.size,
            content: run.content,
            protection: run.protection,
        };
        let (headers, header_size, header_count) = self.headers.table;
        Mapped {
            parts: pages.runs.into_iter().map(part).collect(),
            alignment,
            movable: self.headers.movable,
            entry: self.headers.entry,
            headers,
            header_size,
            header_count,
            executable_stack: self.headers.executable_stack,
        }
    }

    /// What is known of it once it is mapped so far from where it says, for whoever wants to say where something is.
    ///
    /// # Errors
    /// Its tables are malformed.
    pub fn known(&self, page: u64, base: u64) -> Result<Linked<'data>, LoadError> {
        let named = |problem| LoadError { file: self.file.clone(), problem };
        let content = Content { loads: &self.headers.loads };
        let pages = Pages::new(&self.headers, self.data, page, false);
        let image = thread_local(self.target, &self.headers, &content, base).map_err(named)?;
        let mut linked = self.linked(&pages, base, image).map_err(named)?;
        linked.symbols = Symbols::new(self.symbols(base));
        Ok(linked)
    }

    /// Whether some dynamic symbol has to be defined by somebody else.
    pub fn wants_definitions(&self) -> bool {
        self.headers.dynamic.is_some()
            && self.headers.symbols.iter().any(|symbol| {
                symbol.section == object::elf::SHN_UNDEF
                    && symbol.bind == object::elf::STB_GLOBAL
                    && !symbol.name.is_empty()
            })
    }

    /// Where it starts, if it says so.
    pub fn entry(&self) -> Option<u64> {
        Some(self.headers.entry).filter(|entry| *entry != 0)
    }

    /// The path of the run-time linker that it wants (PT_INTERP).
    pub fn interpreter(&self) -> Option<&str> {
        self.headers.interpreter.as_ref().map(|(_, name)| name.as_str())
    }

    /// How far what is mapped here is from where it says, if this is where its file from an offset on was mapped.
    pub fn distance(&self, address: u64, offset: u64, page: u64) -> Option<u64> {
        let begins = |load: &&super::headers::Load<'_>| load.offset & !(page - 1) == offset;
        let load = self.headers.loads.iter().find(begins)?;
        Some(address.wrapping_sub(load.address & !(page - 1)))
    }

    /// The value of a symbol that it defines, before it is anywhere.
    pub fn value(&self, name: &str) -> Option<u64> {
        super::relocations::defined(&self.headers.symbols, name).map(|symbol| symbol.value)
    }
}
