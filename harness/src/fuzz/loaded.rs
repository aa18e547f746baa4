//! An executable that another linker wrote, in the memory of an executor: run like a link of ours, without an operating system.

use anyhow::{Context, Result, bail};
use linker::Target;
use linker::layout::ThreadLocal;
use linker::memory::{InFlight as _, Lifetime, Place, Protection, Segment};
use object::elf::{FileHeader32, FileHeader64, PF_W, PF_X, PT_LOAD, PT_TLS};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, Object as _, ObjectSymbol as _};

use crate::executor::{Executor, Register};

/// An executable's memory.
#[derive(Debug, Default)]
struct Image {
    segments: Vec<(u64, u64, Vec<u8>, Protection)>,
    /// With the bytes of it that have content.
    thread_local: Option<(ThreadLocal, u64)>,
}

/// Loads an executable into a machine that has been reset, and gives the thread its variables. The address of a symbol.
pub fn load<E: Executor>(machine: &mut E, file: &[u8], symbol: &str) -> Result<u64> {
    let target = machine.info().target;
    let image = match target.pointer_bits {
        64 => read::<FileHeader64<Endianness>>(target, file)?,
        _ => read::<FileHeader32<Endianness>>(target, file)?,
    };
    let segment = |(address, size, content, protection): &(u64, u64, Vec<u8>, Protection)| Segment {
        size: *size,
        content: content.len(),
        alignment: 1,
        protection: *protection,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place: Place::At(*address),
    };
    let segments: Vec<Segment> = image.segments.iter().map(segment).collect();
    let mut reserved = machine.reserve(&segments).map_err(|error| anyhow::anyhow!("{error}"))?;
    for (number, (_, _, content, _)) in image.segments.iter().enumerate() {
        reserved.content(number).copy_from_slice(content);
    }
    machine.finalize(reserved, &[]).map_err(|error| anyhow::anyhow!("{error}"))?;
    if let Some((thread_local, content)) = &image.thread_local {
        // What has no content has no memory in the image either: other data is there, or nothing.
        let image = ThreadLocal { size: *content, ..*thread_local };
        machine.set_thread(&image).map_err(|error| anyhow::anyhow!(error))?;
        let register = if target.register_bits == 64 { Register::Thread } else { Register::ThreadReadOnly };
        let rest = machine.get(register) as u64 + thread_local.offset + content;
        let zeros = vec![0; usize::try_from(thread_local.size.saturating_sub(*content))?];
        machine.poke(rest, &zeros).map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let file = object::File::parse(file)?;
    let found = file.symbols().find(|known| known.name() == Ok(symbol) && known.is_definition());
    Ok(found.with_context(|| format!("there is no `{symbol}`"))?.address())
}

fn read<Elf: FileHeader<Endian = Endianness>>(target: &Target, file: &[u8]) -> Result<Image> {
    let header = Elf::parse(file)?;
    let endian = header.endian()?;
    let mut image = Image::default();
    for segment in header.program_headers(endian, file)? {
        let (address, size): (u64, u64) = (segment.p_vaddr(endian).into(), segment.p_memsz(endian).into());
        let align: u64 = segment.p_align(endian).into();
        match segment.p_type(endian) {
            PT_LOAD if size > 0 => {
                let Ok(content) = segment.data(endian, file) else { bail!("a segment is not in the file") };
                let flags = segment.p_flags(endian);
                let protection = if flags.contains(PF_W) {
                    Protection::ReadWrite
                } else if flags.contains(PF_X) {
                    Protection::ReadExecute
                } else {
                    Protection::Read
                };
                image.segments.push((address, size, content.to_vec(), protection));
            }
            PT_TLS => {
                let alignment = align.max(1);
                let offset = (2 * target.pointer_bytes() as u64).next_multiple_of(alignment);
                let thread_local = ThreadLocal { address, size, alignment, offset };
                image.thread_local = Some((thread_local, segment.p_filesz(endian).into()));
            }
            _ => {}
        }
    }
    Ok(image)
}
