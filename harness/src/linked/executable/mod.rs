//! An executable that somebody linked, as an ELF file: read, and loaded into a machine as a system and the start-up code of a
//! C library would.
//!
//! Static executables can be loaded (ET_EXEC), and static ones that can be anywhere (ET_DYN without PT_INTERP and DT_NEEDED). What
//! a run-time linker would have to do is refused by name: with one, an executable is mapped as a system does it. The file is untrusted: reading it and loading it cost what is linear
//! in its size, and say what is wrong with it.

mod content;
mod dynamic;
mod error;
mod headers;
mod mapped;
mod pages;
mod raw;
mod relocate;
mod relocations;
mod routines;

use std::collections::BTreeMap;

use linker::Target;
use linker::graph::Flags;
use linker::layout::ThreadLocal;
use linker::memory::{Action, InFlight as _};
use object::elf;
use object::elf::{FileHeader32, FileHeader64};

use self::content::Content;
use self::dynamic::Dynamic;
use self::headers::{Headers, RawSymbol};
use self::pages::Pages;
use self::relocate::Context;
use self::relocations::Table;
use super::symbols::Symbols;
use super::{Linked, Segment, Symbol};
use crate::executor::{Call, Executor, Register, Stop};

pub use self::error::{LoadError, Problem};
pub use self::mapped::{Mapped, Part};

/// An executable that has been read.
#[derive(Debug)]
pub struct Executable<'data> {
    file: String,
    target: &'static Target,
    data: &'data [u8],
    headers: Headers<'data>,
    dynamic: Dynamic,
    tables: Vec<Table<'data>>,
}

/// How far an executable is prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// As start-up code leaves it: relocated, resolvers of IFUNC symbols called, and then constant what is to be. Functions of it
    /// can be called.
    Relocated,
    /// As a system leaves it to start-up code, which has the rest to do: its entry point can be run.
    Mapped,
}

fn headers_of<'data>(target: &'static Target, data: &'data [u8]) -> Result<Headers<'data>, Problem> {
    match target.pointer_bits {
        64 => headers::read::<FileHeader64<_>>(target, data),
        _ => headers::read::<FileHeader32<_>>(target, data),
    }
}

impl<'data> Executable<'data> {
    /// Reads an executable for this target. `file` is its name in messages. One that wants a run-time linker can only be
    /// [mapped](Executable::mapped): what that one does is not read.
    ///
    /// # Errors
    /// It is malformed, for another target, or in need of shared objects without naming a run-time linker.
    pub fn read(file: &str, data: &'data [u8], target: &'static Target) -> Result<Executable<'data>, LoadError> {
        let named = |problem| LoadError { file: file.to_owned(), problem };
        let headers = headers_of(target, data).map_err(named)?;
        if headers.interpreter.is_some() {
            return Ok(Executable::to_map(file, target, data, headers));
        }
        let content = Content { loads: &headers.loads };
        let dynamic = headers.dynamic.map(|section| Dynamic::read(target, section, &content)).transpose();
        let dynamic = dynamic.map_err(named)?.unwrap_or_default();
        let tables = relocations::tables(target, &headers, &dynamic, &content).map_err(named)?;
        Ok(Executable { file: file.to_owned(), target, data, headers, dynamic, tables })
    }

    /// Reads a shared object, which can only be [mapped](Executable::mapped).
    ///
    /// # Errors
    /// It is malformed, or for another target.
    pub fn read_library(
        file: &str,
        data: &'data [u8],
        target: &'static Target,
    ) -> Result<Executable<'data>, LoadError> {
        let headers = headers_of(target, data).map_err(|problem| LoadError { file: file.to_owned(), problem })?;
        Ok(Executable::to_map(file, target, data, headers))
    }

    fn to_map(file: &str, target: &'static Target, data: &'data [u8], headers: Headers<'data>) -> Executable<'data> {
        let (dynamic, tables) = (Dynamic::default(), Vec::new());
        Executable { file: file.to_owned(), target, data, headers, dynamic, tables }
    }

    /// Whether it defines a symbol of this name.
    pub fn defines(&self, name: &str) -> bool {
        relocations::defined(&self.headers.symbols, name).is_some()
    }

    /// Loads it into a machine, which has been reset. Functions that the host has are there for dynamic symbols that it does
    /// not define itself.
    ///
    /// # Errors
    /// It is malformed, something is undefined, or the machine has no room for it.
    pub fn load<E: Executor>(&self, machine: &mut E, prepared: Prepared) -> Result<Linked<'data>, LoadError> {
        self.place(machine, prepared).map_err(|problem| LoadError { file: self.file.clone(), problem })
    }

    fn place<E: Executor>(&self, machine: &mut E, prepared: Prepared) -> Result<Linked<'data>, Problem> {
        let Executable { target, headers, dynamic, tables, .. } = self;
        let target = *target;
        if let Some((number, name)) = &headers.interpreter {
            return Err(Problem::Refused(format!(
                "program header {number} (PT_INTERP) wants the run-time linker {name}: link it with -static or -static-pie"
            )));
        }
        let content = Content { loads: &headers.loads };
        let relocated = prepared == Prepared::Relocated;
        let mut pages = Pages::new(headers, self.data, machine.page_size(), relocated);
        let failed = |error: linker::memory::MemoryError| Problem::Machine(error.to_string());
        self.in_the_way(machine, &pages)?;
        let mut reserved = machine.reserve(&pages.request(headers.movable)).map_err(failed)?;
        let lead = if headers.movable { pages.lead() } else { 0 };
        let base = match pages.runs.first() {
            Some(first) if headers.movable => {
                target.wrap(reserved.address(0).wrapping_add(lead).wrapping_sub(first.address))
            }
            _ => 0,
        };
        let thread_local = thread_local(target, headers, &content, base);
        let relocated = match &thread_local {
            Err(problem) => Err(problem.clone()),
            Ok(_) if !relocated => Ok(relocate::Left::default()),
            Ok(image) => {
                let host = machine.host().definitions();
                let thread_offset = image.map(|image| image.offset);
                let context = Context { target, content, dynamic, base, thread_offset, host: &host };
                relocate::apply(&context, tables, &mut pages)
            }
        };
        let left = match relocated {
            Ok(left) => left,
            Err(problem) => {
                machine.abandon(reserved);
                return Err(problem);
            }
        };
        for (number, run) in pages.runs.iter().enumerate() {
            reserved.content(number + usize::from(lead > 0)).copy_from_slice(&run.content);
        }
        machine.finalize(reserved, &left.actions).map_err(failed)?;
        let mut linked = self.linked(&pages, base, thread_local?)?;
        let mut symbols = self.symbols(base);
        if prepared == Prepared::Relocated {
            resolve(machine, &left.actions, &mut symbols)?;
        }
        linked.symbols = Symbols::new(symbols);
        Ok(linked)
    }

    /// What is known of it when these pages are at this distance from where it says. Its symbols are not there yet.
    fn linked(&self, pages: &Pages, base: u64, thread_local: Option<ThreadLocal>) -> Result<Linked<'data>, Problem> {
        let Executable { target, headers, dynamic, .. } = self;
        let content = Content { loads: &headers.loads };
        let moved = |address: u64| target.wrap(base.wrapping_add(address));
        let segments = pages.runs.iter().map(|run| Segment {
            address: moved(run.address),
            size: run.size,
            protection: if run.relro { linker::memory::Protection::Read } else { run.protection },
        });
        Ok(Linked {
            target,
            segments: segments.collect(),
            entry: Some(headers.entry).filter(|entry| *entry != 0).map(moved),
            thread_local,
            routines: routines::routines(headers, dynamic, &content, &moved)?,
            pieces: Vec::new(),
            unbound: self.unbound(),
            symbols: Symbols::default(),
            mapping: self.mapping(base),
        })
    }

    /// Says where an executable may be that is linked to what the machine has for itself.
    fn in_the_way<E: Executor>(&self, machine: &E, pages: &Pages) -> Result<(), Problem> {
        let usable = &machine.info().usable;
        let fits = |first: u64, last: u64| usable.iter().any(|range| range.contains(&first) && range.contains(&last));
        let Some(run) = pages.runs.iter().find(|run| !fits(run.address, run.address + (run.size - 1))) else {
            return Ok(());
        };
        if self.headers.movable {
            return Ok(());
        }
        let free: Vec<String> =
            usable.iter().map(|range| format!("{:#x} to {:#x}", range.start(), range.end())).collect();
        Err(Problem::Machine(format!(
            "the pages from {:#x} on are not all free, as that memory is the machine's own: link it to {}, or with -static-pie",
            run.address,
            free.join(" or ")
        )))
    }

    /// Its symbols where it is.
    fn symbols(&self, base: u64) -> Vec<Symbol<'data>> {
        let image = self.headers.thread_local.map_or(0, |image| image.address);
        let is_name = |symbol: &&RawSymbol<'_>| {
            symbol.section != elf::SHN_UNDEF
                && !symbol.name.is_empty()
                && symbol.kind != elf::STT_FILE
                && symbol.kind != elf::STT_SECTION
                && self.starts_bytes(symbol).is_none()
        };
        let own = self.headers.symbols.iter().filter(is_name);
        own.map(|symbol| {
            let ifunc = symbol.kind == elf::STT_GNU_IFUNC;
            let function = ifunc || symbol.kind == elf::STT_FUNC;
            let thread_local = symbol.kind == elf::STT_TLS;
            let placed = symbol.section != elf::SHN_ABS;
            let (value, mut flags) = self.target.architecture.symbol_value(symbol.value, function);
            for (is, flag) in [
                (function, Flags::FUNCTION),
                (ifunc, Flags::IFUNC),
                (thread_local, Flags::TLS),
                (symbol.kind == elf::STT_OBJECT, Flags::OBJECT),
            ] {
                if is {
                    flags = flags.with(flag);
                }
            }
            let value = if thread_local { value.wrapping_add(image) } else { value };
            Symbol {
                name: symbol.name,
                address: self.target.wrap(if placed { value.wrapping_add(base) } else { value }),
                size: symbol.size,
                flags,
                global: symbol.bind != elf::STB_LOCAL,
                placed,
            }
        })
        .collect()
    }

    /// What a symbol says of the bytes from it on, if it is a mapping symbol.
    fn starts_bytes(&self, symbol: &RawSymbol<'_>) -> Option<linker::graph::Bytes> {
        let maps = symbol.bind == elf::STB_LOCAL && symbol.kind == elf::STT_NOTYPE;
        maps.then(|| self.target.architecture.mapping(symbol.name)).flatten()
    }

    fn mapping(&self, base: u64) -> Vec<(u64, linker::graph::Bytes)> {
        let own = self.headers.symbols.iter();
        let mut mapping: Vec<_> = own
            .filter_map(|symbol| Some((self.target.wrap(base.wrapping_add(symbol.value)), self.starts_bytes(symbol)?)))
            .collect();
        mapping.sort_by_key(|entry| entry.0);
        mapping
    }

    /// Names that it was linked without a definition of, where nothing is left that would bind them.
    fn unbound(&self) -> Vec<&'data [u8]> {
        let undefined = |symbol: &&RawSymbol<'_>| {
            symbol.section == elf::SHN_UNDEF && symbol.bind == elf::STB_GLOBAL && !symbol.name.is_empty()
        };
        if self.headers.dynamic.is_some() {
            return Vec::new();
        }
        self.headers.symbols.iter().filter(undefined).map(|symbol| symbol.name).collect()
    }
}

/// The image of thread-local variables, and where a thread has its copy: as far behind two pointers as its alignment wants
/// (AAELF32 and AAELF64, variant 1). An image that does not begin at a multiple of that is as far from one in its copy.
fn thread_local(
    target: &Target,
    headers: &Headers<'_>,
    content: &Content<'_, '_>,
    base: u64,
) -> Result<Option<ThreadLocal>, Problem> {
    let Some(header) = headers.thread_local else { return Ok(None) };
    if header.content > 0 && content.bytes(header.address, header.content).is_none() {
        let what = format!("{:#x} bytes at {:#x} are not in the content of a segment", header.content, header.address);
        return Err(error::malformed("PT_TLS", what));
    }
    let block = 2 * target.pointer_bytes() as u64;
    Ok(Some(ThreadLocal {
        address: target.wrap(base.wrapping_add(header.address)),
        size: header.size,
        content: header.content,
        alignment: header.alignment,
        offset: block + (header.address.wrapping_sub(block) & (header.alignment - 1)),
    }))
}

/// Gives each IFUNC symbol the address of the function that was chosen: what a slot of it holds, or what its resolver returns.
fn resolve<E: Executor>(machine: &mut E, actions: &[Action], symbols: &mut [Symbol<'_>]) -> Result<(), Problem> {
    let target = machine.info().target;
    let slots: BTreeMap<u64, u64> = actions
        .iter()
        .filter_map(|action| match action {
            Action::CallAndStore { function, slot } => Some((*function, *slot)),
            _ => None,
        })
        .collect();
    for symbol in symbols.iter_mut().filter(|symbol| symbol.flags.has(Flags::IFUNC)) {
        let chosen = match slots.get(&symbol.value()) {
            Some(&slot) => {
                let mut bytes = vec![0; target.pointer_bytes()];
                machine.peek(slot, &mut bytes).map_err(|error| Problem::Machine(error.to_string()))?;
                target.number(&bytes)
            }
            None => match machine.start(&Call { function: symbol.value(), ..Call::default() }) {
                Stop::Returned => target.wrap(machine.get(Register::Core(0)) as u64),
                stop => {
                    let name = linker::error::text(symbol.name);
                    return Err(Problem::Machine(format!("the resolver of `{name}` did not return: {stop}")));
                }
            },
        };
        let (address, flags) = target.architecture.symbol_value(chosen, true);
        symbol.address = address;
        symbol.flags = symbol.flags.without(Flags::IFUNC).without(Flags::THUMB).with(flags);
    }
    Ok(())
}
