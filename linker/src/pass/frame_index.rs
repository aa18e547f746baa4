//! The index of call-frame records: a header and a table sorted by address, by which an unwinder finds the record of a
//! function by halves (Linux Standard Base Core, .eh_frame_hdr).
//!
//! How many records there are is known before layout, their order only after it, so the section is made first and filled
//! later. What it holds are distances of 32 bits. Where code or records are further away than that, the header says that
//! there is no table, as the format provides: a link that did not ask for the index must not fail by it.

use crate::field::Unit;
use crate::graph::{Content, Definition, Kind, LinkGraph};
use crate::index::BlockId;
use crate::memory::Protection;

/// Name of the section.
pub(crate) const NAME: &[u8] = b".eh_frame_hdr";

/// The version byte of the header.
const VERSION: u8 = 1;
/// Encodings of pointers (LSB, DWARF Exception Header Encoding): four bytes with a sign, counted from their own place;
/// four without; four with a sign, counted from the header; no value.
const FROM_HERE: u8 = 0x1b;
const COUNT: u8 = 0x03;
const FROM_HEADER: u8 = 0x3b;
const OMITTED: u8 = 0xff;

/// Bytes before the table: version, three encodings, distance to the records, number of entries.
const HEADER: u64 = 12;
/// Bytes of an entry: where the function is, and where its record.
const ENTRY: u64 = 8;

/// Makes room for the index, if there are records.
pub(crate) fn make(graph: &mut LinkGraph<'_>) -> Option<BlockId> {
    let entries = records(graph).count() as u64;
    if entries == 0 {
        return None;
    }
    let content = Content::Owned(vec![0; (HEADER + entries * ENTRY) as usize]);
    Some(graph.make_block(NAME, Protection::Read, false, content, 4))
}

/// The live records of functions, each with the symbol and addend of its start.
fn records<'a>(graph: &'a LinkGraph<'_>) -> impl Iterator<Item = (BlockId, Option<u64>)> + 'a {
    graph.blocks.iter().filter_map(|(id, block)| {
        if !block.live || block.parent.is_none() || graph.sections[block.section].kind != Kind::Frames {
            return None;
        }
        // The start of the function is the first field of a record that is relocated.
        let start = graph.edges_of(id).first().and_then(|edge| match graph.symbols[edge.target].definition {
            Definition::Block(function, offset) if graph.blocks[function].live => {
                let start = graph.blocks[function].address.wrapping_add(offset).wrapping_add_signed(edge.addend);
                Some(graph.target.wrap(start))
            }
            _ => None,
        });
        Some((id, start))
    })
}

/// Fills the index, once everything has an address.
pub(crate) fn fill(graph: &mut LinkGraph<'_>, index: BlockId) {
    let here = graph.blocks[index].address;
    let frames = graph.blocks.iter().filter(|(_, block)| {
        block.live && block.content.size() > 0 && graph.sections[block.section].kind == Kind::Frames
    });
    let first = frames.map(|(_, block)| block.address).min().unwrap_or(0);
    let mut table: Vec<(u64, u64)> =
        records(graph).filter_map(|(id, start)| Some((start?, graph.blocks[id].address))).collect();
    table.sort_unstable();
    // Folded functions have a record each; the search wants one.
    table.dedup_by_key(|entry| entry.0);

    let narrow = graph.target.pointer_bits == 32;
    let distance = |to: u64, from: u64| {
        let distance = to.wrapping_sub(from) as i64;
        // 32-bit addresses wrap, and so do the sums that readers make of them.
        if narrow { Some(distance as i32) } else { i32::try_from(distance).ok() }
    };
    let to_frames = distance(first, here.wrapping_add(4));
    let entries: Option<Vec<[i32; 2]>> =
        table.iter().map(|&(start, record)| Some([distance(start, here)?, distance(record, here)?])).collect();
    let has = |there: bool, encoding: u8| if there { encoding } else { OMITTED };

    let big_endian = graph.target.big_endian;
    let Content::Owned(bytes) = &mut graph.blocks[index].content else { return };
    bytes.fill(0);
    let encodings = [
        VERSION,
        has(to_frames.is_some(), FROM_HERE),
        has(entries.is_some(), COUNT),
        has(entries.is_some(), FROM_HEADER),
    ];
    let mut words = vec![u32::from_le_bytes(encodings), to_frames.unwrap_or(0) as u32];
    if let Some(entries) = entries {
        words.push(entries.len() as u32);
        words.extend(entries.iter().flatten().map(|&distance| distance as u32));
    }
    for (place, (number, word)) in bytes.chunks_exact_mut(4).zip(words.into_iter().enumerate()) {
        // The first four are bytes.
        let _ = Unit::Data32.write(place, word.into(), big_endian && number > 0);
    }
}
