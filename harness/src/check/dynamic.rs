//! What a loader does to an image before it runs: dynamic relocations are applied to the copy of its memory, so that fields
//! are judged as the program finds them. What comes from elsewhere gets an address of its own.

use corpus::abi;
use object::elf;

use super::elf::{Place, Relocation, Symbol};
use super::image::Image;

/// Bytes between two addresses of what is elsewhere.
const APART: u64 = 16;

/// What a dynamic relocation asks of a loader, whichever the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// An address of this image: B + A.
    Relative,
    /// S + A.
    Symbol,
    /// The same for a slot of the linker's, whose first content is no addend: that of a lazy one leads back to the loader.
    Slot,
    /// What the function at B + A returns.
    Chosen,
    /// The number of the module.
    Module,
    /// The offset of a variable in its block.
    Block,
    /// The offset of a variable from the thread pointer.
    Thread,
    /// A descriptor of a variable.
    Descriptor,
    /// Nothing that a field here depends on.
    Other,
}

/// Dynamic relocations by what follows the prefix of their names.
const WISHES: &[(&str, Wish)] = &[
    ("RELATIVE", Wish::Relative),
    ("GLOB_DAT", Wish::Slot),
    ("JUMP_SLOT", Wish::Slot),
    ("ABS64", Wish::Symbol),
    ("ABS32", Wish::Symbol),
    ("IRELATIVE", Wish::Chosen),
    ("TLS_IMPDEF1", Wish::Module),
    ("TLS_DTPMOD32", Wish::Module),
    ("TLS_DTPREL", Wish::Block),
    ("TLS_DTPOFF32", Wish::Block),
    ("TLS_TPREL", Wish::Thread),
    ("TLS_TPOFF32", Wish::Thread),
    ("TLSDESC", Wish::Descriptor),
    ("TLS_DESC", Wish::Descriptor),
];

/// Applies them.
pub(super) fn load(image: &mut Image<'_>) -> Result<(), String> {
    let alloc = elf::SHF_ALLOC.0;
    let tables: Vec<_> = image.elf.sections.iter().filter(|section| section.flags & alloc != 0).cloned().collect();
    let mut elsewhere = Elsewhere::new(image);
    for table in &tables {
        // What is only moved with the image (SHT_RELR) has its value already: it is looked at where it was linked.
        let symbols = image.elf.sections.get(table.link as usize).map(|section| section.kind);
        let has_symbols = symbols == Some(elf::SHT_DYNSYM.0);
        for relocation in image.elf.relocations(table)? {
            let symbol = image.elf.dynamic_symbols.get(relocation.symbol).copied().filter(|_| has_symbols);
            apply(image, &mut elsewhere, &relocation, symbol);
        }
    }
    Ok(())
}

/// Hands out addresses that nothing of an image has.
struct Elsewhere {
    next: u64,
}

impl Elsewhere {
    fn new(image: &Image<'_>) -> Elsewhere {
        let end = image.regions.last().map_or(0, |region| region.address.saturating_add(region.size));
        let next = end.saturating_add(0x100_0000) & !0xffff;
        // Below the image where nothing is left above it.
        let room = if image.target.pointer_bits == 32 { 0xf000_0000 } else { 0x7fff_ffff_0000_0000 };
        Elsewhere { next: if next < room { next } else { 0x1000 } }
    }

    fn take(&mut self) -> u64 {
        self.next += APART;
        self.next - APART
    }
}

fn apply<'a>(image: &mut Image<'a>, elsewhere: &mut Elsewhere, relocation: &Relocation, symbol: Option<Symbol<'a>>) {
    let Some(row) = abi::of(image.class).get(image.class, relocation.number) else { return };
    let name = row.name.strip_prefix(image.class.prefix()).unwrap_or(&row.name);
    let wish = WISHES.iter().find(|wish| wish.0 == name).map_or(Wish::Other, |wish| wish.1);
    let width = image.target.pointer_bytes();
    let place = relocation.offset;
    // A descriptor in a relocation without an addend has it in its second word.
    let at = if wish == Wish::Descriptor { place.wrapping_add(width as u64) } else { place };
    let stored = || if wish == Wish::Slot { 0 } else { word(image, at, width).unwrap_or(0) };
    let addend = relocation.addend.map_or_else(stored, |addend| addend as u64);
    let tls = image.tls.unwrap_or((0, 0, 1));
    let s = match symbol {
        Some(symbol) if symbol.name.is_empty() && !symbol.is_section() => 0,
        Some(symbol) if symbol.place == Place::Undefined => {
            *image.imports.entry(symbol.name).or_insert_with(|| elsewhere.take())
        }
        Some(symbol) if symbol.is_thread_local() => symbol.value.wrapping_add(tls.0),
        Some(symbol) => symbol.value,
        None => 0,
    };
    let of_thread = |value: u64| if relocation.symbol == 0 { value.wrapping_add(tls.0) } else { value };
    let sum = s.wrapping_add(addend);
    let value = match wish {
        Wish::Relative | Wish::Symbol | Wish::Slot => sum,
        Wish::Chosen => *image.chosen.entry(sum & !thumb_bit(image)).or_insert_with(|| elsewhere.take()),
        Wish::Module => 1,
        Wish::Block => of_thread(sum).wrapping_sub(tls.0),
        Wish::Thread => of_thread(sum).wrapping_sub(super::thread_pointer(image.target, tls)),
        Wish::Descriptor => {
            let offset = of_thread(sum).wrapping_sub(super::thread_pointer(image.target, tls));
            image.descriptors.insert(place, image.target.wrap(offset));
            return;
        }
        Wish::Other => return,
    };
    put(image, place, value, width);
}

fn thumb_bit(image: &Image<'_>) -> u64 {
    u64::from(image.class == abi::Class::Arm)
}

fn word(image: &Image<'_>, address: u64, width: usize) -> Option<u64> {
    let region = image.region(address, width as u64)?;
    let at = usize::try_from(address - region.address).ok()?;
    Some(image.target.number(region.bytes.get(at..at + width)?))
}

fn put(image: &mut Image<'_>, address: u64, value: u64, width: usize) {
    let bytes = image.target.bytes(value, width);
    let behind = image.regions.partition_point(|region| region.address <= address);
    let Some(region) = image.regions[..behind].last_mut() else { return };
    let at = (address - region.address) as usize;
    if at.checked_add(width).is_some_and(|end| end <= region.bytes.len()) {
        region.bytes.to_mut()[at..at + width].copy_from_slice(&bytes);
    }
}
