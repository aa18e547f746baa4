//! The linked image as it is in memory once a loader is through with it: bytes by address, symbols by name.

use std::borrow::Cow;

use corpus::abi::Class;
use linker::{TARGETS, Target};
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::{Elf, Place, Section};

/// Bytes that an image may have in memory: no 32-bit one has more.
const MOST_LOADED: u64 = 1 << 32;

/// A linked image.
#[derive(Debug)]
pub(super) struct Image<'a> {
    pub(super) target: &'static Target,
    pub(super) class: Class,
    pub(super) elf: Elf<'a>,
    /// What is in memory, by address.
    pub(super) regions: Vec<Region<'a>>,
    /// Where the thread-local image is: address, size, alignment.
    pub(super) tls: Option<(u64, u64, u64)>,
    /// Symbols that others can see, by name.
    pub(super) globals: FxHashMap<&'a [u8], Named<'a>>,
    /// Those that they cannot.
    pub(super) locals: FxHashMap<&'a [u8], Vec<Named<'a>>>,
    /// What the loader has to find elsewhere, each at an address that nothing else has.
    pub(super) imports: FxHashMap<&'a [u8], u64>,
    /// The functions that the loader calls to be told an address, and an address for what they say.
    pub(super) chosen: FxHashMap<u64, u64>,
    /// Where descriptors of thread-local variables are, and the offset that each has for its variable.
    pub(super) descriptors: FxHashMap<u64, u64>,
}

/// A piece of memory.
#[derive(Debug)]
pub(super) struct Region<'a> {
    pub(super) name: &'a [u8],
    pub(super) address: u64,
    pub(super) size: u64,
    /// The bytes; none where memory begins as zeros.
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) writable: bool,
    pub(super) code: bool,
}

/// A symbol of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// Its address, without the Thumb bit.
    pub(super) address: u64,
    pub(super) thumb: bool,
    pub(super) function: bool,
    pub(super) chosen_at_start: bool,
    /// What it has for sources: the name of the file that it is a local symbol of.
    pub(super) file: Option<&'a [u8]>,
}

impl<'a> Image<'a> {
    /// Reads an image as it is in the file. `Err` says what it is instead, or which part of it is malformed.
    pub(super) fn read(data: &'a [u8]) -> Result<Image<'a>, String> {
        if !crate::inputs::is_elf(data) {
            let what = linker::foreign::describe(data);
            return Err(format!(
                "expected an ELF file, and this is {what}; a raw binary needs the linker's map: --map FILE"
            ));
        }
        let elf = Elf::read(data)?;
        match elf.kind {
            kind if kind == elf::ET_EXEC.0 || kind == elf::ET_DYN.0 => {}
            kind if kind == elf::ET_REL.0 => {
                return Err(
                    "expected a linked image, and this is a relocatable object (ET_REL, as `ld -r` writes it): its \
                            fields have no values yet"
                        .to_owned(),
                );
            }
            kind => return Err(format!("expected a linked image, and e_type is {kind}")),
        }
        let is_kin = |target: &&Target| {
            target.machine == elf.machine && target.pointer_bits == elf.bits && target.big_endian == elf.big_endian
        };
        let target = TARGETS.iter().find(is_kin).ok_or_else(|| {
            let order = if elf.big_endian { "big" } else { "little" };
            format!(
                "expected an image for ARM or AArch64, and e_machine is {} ({} bits, {order}-endian)",
                elf.machine, elf.bits
            )
        })?;
        Image::of(target, elf, data.len() as u64)
    }

    /// The image that these sections, segments and symbols make, of a file of so many bytes.
    pub(super) fn of(target: &'static Target, elf: Elf<'a>, file: u64) -> Result<Image<'a>, String> {
        let segment = |kind: elf::ProgramType| elf.segments.iter().find(move |segment| segment.kind == kind.0);
        let mut image = Image {
            target,
            class: corpus::target::row(target).class,
            regions: regions(&elf, file)?,
            tls: segment(elf::PT_TLS).map(|tls| (tls.address, tls.size, tls.align.max(1))),
            globals: FxHashMap::default(),
            locals: FxHashMap::default(),
            imports: FxHashMap::default(),
            chosen: FxHashMap::default(),
            descriptors: FxHashMap::default(),
            elf,
        };
        image.read_symbols();
        Ok(image)
    }

    fn read_symbols(&mut self) {
        let tls = self.tls.map_or(0, |tls| tls.0);
        // A stripped image has those that the loader wants.
        let symbols = if self.elf.symbols.is_empty() { &self.elf.dynamic_symbols } else { &self.elf.symbols };
        let mut file = None;
        for symbol in symbols {
            if symbol.is_file() {
                file = Some(symbol.name).filter(|name| !name.is_empty());
            }
            if symbol.place == Place::Undefined || symbol.is_file() || symbol.is_section() || symbol.is_anonymous() {
                continue;
            }
            let thumb = self.class == Class::Arm && symbol.is_function() && symbol.value & 1 != 0;
            let base = if symbol.is_thread_local() { tls } else { 0 };
            let named = Named {
                address: symbol.value.wrapping_add(base) & !u64::from(thumb),
                thumb,
                function: symbol.is_function(),
                chosen_at_start: symbol.is_chosen_at_start(),
                file: file.filter(|_| symbol.is_local()),
            };
            if symbol.is_local() {
                self.locals.entry(symbol.name).or_default().push(named);
            } else {
                self.globals.insert(symbol.name, named);
            }
        }
    }

    /// Whether it has symbols of all that is in it, and not only those that a loader wants.
    pub(super) fn has_symbols(&self) -> bool {
        !self.elf.symbols.is_empty()
    }

    /// The region that so many bytes at an address are in.
    pub(super) fn region(&self, address: u64, size: u64) -> Option<&Region<'a>> {
        let behind = self.regions.partition_point(|region| region.address <= address);
        let region = self.regions[..behind].last()?;
        (address - region.address).checked_add(size).filter(|end| *end <= region.size).map(|_| region)
    }

    /// The symbol of this name, whoever can see it: that of everybody, or the only one of a file.
    pub(super) fn named(&self, name: &[u8]) -> Option<Named<'a>> {
        let only = || self.locals.get(name).filter(|list| list.len() == 1).map(|list| list[0]);
        self.globals.get(name).copied().or_else(only)
    }

    /// The symbol at or before an address, and how far before: what tools print.
    pub(super) fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        let tls = self.tls.map_or(0, |tls| tls.0);
        let thumb = u64::from(self.class == Class::Arm);
        let at = |symbol: &super::elf::Symbol<'_>| match symbol.place {
            Place::Section(_) if symbol.is_thread_local() => symbol.value.wrapping_add(tls),
            _ if symbol.is_function() => symbol.value & !thumb,
            _ => symbol.value,
        };
        let named = self.elf.symbols.iter().filter(|symbol| matches!(symbol.place, Place::Section(_)));
        let before = named.filter(|symbol| !symbol.is_anonymous() && !symbol.is_section() && at(symbol) <= address);
        let symbol = before.max_by_key(|symbol| (at(symbol), symbol.size))?;
        Some((linker::error::text(symbol.name), address - at(symbol)))
    }
}

/// What is in memory: by sections, or by segments where an image has no sections.
fn regions<'a>(elf: &Elf<'a>, file: u64) -> Result<Vec<Region<'a>>, String> {
    let in_memory = |section: &&Section<'_>| section.flags & elf::SHF_ALLOC.0 != 0 && section.size > 0;
    // Thread-local zeros have no memory of their own: they share their addresses with what follows.
    let is_tbss = |section: &Section<'_>| section.kind == elf::SHT_NOBITS.0 && section.flags & elf::SHF_TLS.0 != 0;
    let sections = elf.sections.iter().filter(in_memory).filter(|section| !is_tbss(section));
    let mut regions: Vec<Region<'a>> = sections
        .map(|section| Region {
            name: section.name,
            address: section.address,
            size: section.size,
            bytes: Cow::Borrowed(section.data),
            writable: section.flags & elf::SHF_WRITE.0 != 0,
            code: section.flags & elf::SHF_EXECINSTR.0 != 0,
        })
        .collect();
    if regions.is_empty() {
        let loaded = elf.segments.iter().filter(|segment| segment.kind == elf::PT_LOAD.0 && segment.size > 0);
        regions = loaded
            .map(|segment| Region {
                name: b"(segment)",
                address: segment.address,
                size: segment.size.min((segment.data.len() as u64).max(1)),
                bytes: Cow::Borrowed(segment.data),
                writable: segment.flags & elf::PF_W.0 != 0,
                code: segment.flags & elf::PF_X.0 != 0,
            })
            .collect();
    }
    if regions.is_empty() {
        return Err("nothing of it is loaded: it has neither sections nor segments with content".to_owned());
    }
    regions.sort_by_key(|region| region.address);
    let beyond =
        |region: &&Region<'a>| region.address.checked_add(region.size).is_none_or(|end| end > u64::MAX - 0x1000);
    if let Some(region) = regions.iter().find(beyond) {
        let name = linker::error::text(region.name);
        return Err(format!(
            "section {name} at {:#x} with {:#x} bytes is not in the address space",
            region.address, region.size
        ));
    }
    let bytes: u64 = regions.iter().map(|region| region.bytes.len() as u64).sum();
    if bytes > file || bytes > MOST_LOADED {
        return Err(format!(
            "its sections have {bytes} bytes, and the whole file {file}: they share what is theirs alone"
        ));
    }
    for pair in regions.windows(2) {
        let end = pair[0].address.checked_add(pair[0].size);
        if end.is_none_or(|end| end > pair[1].address) {
            let name = |region: &Region<'_>| linker::error::text(region.name);
            return Err(format!(
                "section {} at {:#x} with {:#x} bytes lies over section {} at {:#x}",
                name(&pair[0]),
                pair[0].address,
                pair[0].size,
                name(&pair[1]),
                pair[1].address
            ));
        }
    }
    Ok(regions)
}
