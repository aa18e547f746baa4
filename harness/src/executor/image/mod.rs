//! The linker's memory contract on an ELF executable: what a link wrote, as a file for other tools to run, disassemble, debug or
//! compare.
//!
//! A reservation lays out the file and lends the segments' parts of it; the content is never copied again. `Place::Anywhere`
//! begins at [`BASE`]. Finalizing gives an [`ImageFile`], to which entry point, sections and symbols are added when it is written
//! out ([`Labels`]), since only then all addresses are known. `segments` makes the program headers, `sections` and `symbols` the
//! tables of these, `write` puts them together.
//!
//! Nothing runs here: the actions of a link are kept as a list ([`ImageFile::actions`]), and what they would have changed (the slot
//! of an IFUNC) still holds what the link wrote. Segments that are constant after relocation are therefore loaded writable, with a
//! `PT_GNU_RELRO` header, as a linker does whose program relocates itself.

use std::ops::{Range, RangeInclusive};

use linker::Target;
use linker::link::Headers;
use linker::memory::{Action, InFlight, Lifetime, Memory, MemoryError, Segment};
use object::elf;
use object::write::elf::Encoder;

use super::Abi;
use super::place::{Ranges, Space};

mod labels;
mod sections;
mod segments;
mod symbols;
mod write;

pub use labels::{Binding, ImageSection, ImageSymbol, Labels, SymbolKind};

/// Where `Place::Anywhere` begins.
pub const BASE: u64 = 0x40_0000;

/// A page of the file: what every loader of these architectures can map.
pub const PAGE: u64 = 0x1000;

/// Program headers besides those of segments: the stack, threads, notes, unwinding and what else there is once.
const SPARE: u64 = 12;
/// Program headers for each segment: to load it, to make it constant, and for a note in it.
const EACH: u64 = 3;

/// Places links into an address space of which one file a link is made.
#[derive(Debug)]
pub struct Image {
    target: &'static Target,
    abi: Abi,
    page: u64,
    /// Whether the first segment of a reservation has room for the file's headers, so that they are loaded.
    headers: bool,
    used: Ranges<()>,
}

/// A file whose content is being written.
#[derive(Debug)]
pub struct ImageInFlight {
    file: Vec<u8>,
    segments: Vec<Part>,
    /// First addresses of the page ranges in use.
    pages: Vec<u64>,
    /// Bytes at the start of the file that are the headers'.
    head: usize,
}

/// One segment of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    segment: Segment,
    address: u64,
    /// Where its content is in the file.
    content: Range<usize>,
}

/// A linked file without its labels.
#[derive(Debug)]
pub struct ImageFile {
    target: &'static Target,
    abi: Abi,
    page: u64,
    file: Vec<u8>,
    segments: Vec<Part>,
    pages: Vec<u64>,
    head: usize,
    actions: Vec<Action>,
}

impl Image {
    /// An empty address space of a target.
    pub fn new(target: &'static Target) -> Image {
        Image { target, abi: Abi::of(target), page: PAGE, headers: false, used: Ranges::default() }
    }

    /// For loaders whose pages have so many bytes, a power of two, at most.
    pub fn with_page(self, page: u64) -> Image {
        Image { page: page.max(1), ..self }
    }

    /// The first segment of each reservation has room for the headers of the file, which are loaded with it.
    pub fn with_headers(self) -> Image {
        Image { headers: true, ..self }
    }

    /// The room that headers need, for [`linker::Options::headers`].
    pub fn room(target: &Target) -> Headers {
        let encoder = encoder(target);
        let (fixed, each) = (encoder.file_header_size(), encoder.program_header_size());
        Headers { fixed: fixed + SPARE * each, each: EACH * each }
    }

    /// The last address there is.
    fn last(&self) -> u64 {
        self.target.wrap(u64::MAX)
    }

    fn free(&mut self, pages: &[u64]) {
        for &start in pages {
            self.used.remove(start);
        }
    }
}

impl InFlight for ImageInFlight {
    fn address(&self, segment: usize) -> u64 {
        self.segments[segment].address
    }

    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.file[self.segments[segment].content.clone()]
    }
}

impl Memory for Image {
    type InFlight = ImageInFlight;
    type Finalized = ImageFile;

    fn page_size(&self) -> u64 {
        self.page
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<ImageInFlight, MemoryError> {
        let used = &self.used;
        // Page 0 is no loader's to give, unless somebody says that something has to be there.
        let low = if segments.iter().any(|segment| segment.place == linker::memory::Place::At(0)) { 0 } else { PAGE };
        let usable: [RangeInclusive<u64>; 1] = [low..=self.last()];
        let space = Space {
            page: self.page,
            last: self.last(),
            usable: &usable,
            base: BASE,
            conflict: &|range: &RangeInclusive<u64>| used.conflict(range),
        };
        let placement = space.place(segments)?;
        for span in &placement.spans {
            self.used.insert(span.pages.clone(), ());
        }
        let head = match segments.first() {
            Some(first) if self.headers => first.content as u64,
            _ => {
                let room = Image::room(self.target);
                room.fixed + room.each * segments.len() as u64
            }
        };
        let mut end = if self.headers { 0 } else { head };
        let mut parts = Vec::with_capacity(segments.len());
        for (segment, &address) in segments.iter().zip(&placement.addresses) {
            // A loader maps pages: the offset in the file has to be that of the address in its page.
            let loaded = segment.lifetime != Lifetime::NoAlloc;
            let modulus = if loaded { self.page } else { segment.alignment.clamp(1, PAGE) };
            if segment.content > 0 {
                end += (address.wrapping_sub(end)) % modulus;
            }
            let start = usize::try_from(end)?;
            parts.push(Part { segment: segment.clone(), address, content: start..start + segment.content });
            end += segment.content as u64;
        }
        let pages = placement.spans.iter().map(|span| *span.pages.start()).collect();
        Ok(ImageInFlight { file: vec![0; usize::try_from(end)?], segments: parts, pages, head: usize::try_from(head)? })
    }

    fn finalize(&mut self, memory: ImageInFlight, actions: &[Action]) -> Result<ImageFile, MemoryError> {
        let ImageInFlight { file, segments, pages, head } = memory;
        let (target, abi, page) = (self.target, self.abi, self.page);
        Ok(ImageFile { target, abi, page, file, segments, pages, head, actions: actions.to_vec() })
    }

    fn abandon(&mut self, memory: ImageInFlight) {
        self.free(&memory.pages);
    }

    fn release(&mut self, memory: Vec<ImageFile>) -> Result<(), MemoryError> {
        for file in memory {
            self.free(&file.pages);
        }
        Ok(())
    }
}

impl ImageFile {
    /// What finalizing would have called. See the module's page.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Address and content of each segment, as the link wrote it.
    pub fn segments(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.segments.iter().map(|part| (part.address, &self.file[part.content.clone()]))
    }

    /// What is at an address of a segment, to be changed.
    pub fn at_mut(&mut self, address: u64, size: usize) -> Option<&mut [u8]> {
        let holds = |part: &&Part| address.wrapping_sub(part.address) < part.segment.content as u64;
        let part = self.segments.iter().find(holds)?;
        let start = part.content.start + (address - part.address) as usize;
        self.file.get_mut(start..start.checked_add(size)?)
    }
}

impl Part {
    fn is_loaded(&self) -> bool {
        self.segment.lifetime != Lifetime::NoAlloc && self.segment.size > 0
    }

    /// Whether it is mapped writable: also what is constant only after the program has relocated it.
    fn is_writable(&self) -> bool {
        self.segment.protection.writable() || self.segment.relro
    }
}

fn encoder(target: &Target) -> Encoder<object::Endianness> {
    let endian = if target.big_endian { object::Endianness::Big } else { object::Endianness::Little };
    Encoder::new(endian, target.pointer_bits == 64, elf::Machine(target.machine))
}
