//! Finds sections by their bytes: all but those that relocations write.

use corpus::abi::{self, Class};
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::{Relocation, Section};
use super::image::Image;

/// Bytes of the pieces by which sections are searched.
const PIECE: usize = 8;

/// Pieces of a section that are counted, of which the rarest is then looked for.
const CHOICES: usize = 4;

/// Places of a piece that are compared at most: what is found more often tells nothing.
const MOST_PLACES: usize = 64;

/// The ranges of a section that relocations leave alone, in order.
#[derive(Debug)]
pub(super) struct Fixed(Vec<(usize, usize)>);

impl Fixed {
    /// Those of a section with these relocations, which are sorted by offset.
    pub(super) fn of(section: &Section<'_>, relocations: &[Relocation], class: Class) -> Fixed {
        let mut ranges = Vec::new();
        let mut from = 0;
        let code = section.flags & elf::SHF_EXECINSTR.0 != 0;
        for relocation in relocations {
            let start = (relocation.offset as usize).min(section.data.len());
            let size = abi::of(class).get(class, relocation.number).map_or(0, |row| row.form.place.size());
            // Relaxation may write all of the instruction, and that behind a call in a sequence that finds a variable.
            let size = if code { size.max(4) } else { size };
            if from < start {
                ranges.push((from, start));
            }
            from = from.max(start.saturating_add(size));
        }
        if from < section.data.len() {
            ranges.push((from, section.data.len()));
        }
        Fixed(ranges)
    }

    /// How many bytes that are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|(start, end)| end - start).sum()
    }
}

/// The first offset at which the image has another byte than the section, were it at this address. `Err(None)`: there is nothing
/// of its size.
pub(super) fn compare(
    image: &Image<'_>,
    section: &Section<'_>,
    fixed: &Fixed,
    address: u64,
) -> Result<(), Option<usize>> {
    let region = image.region(address, section.size).ok_or(None)?;
    let at = usize::try_from(address - region.address).map_err(|_| None)?;
    if section.kind == elf::SHT_NOBITS.0 {
        let there = region.bytes.get(at..).unwrap_or_default();
        let size = usize::try_from(section.size).map_or(there.len(), |size| size.min(there.len()));
        return there[..size].iter().position(|byte| *byte != 0).map_or(Ok(()), |offset| Err(Some(offset)));
    }
    let there = region.bytes.get(at..at + section.data.len()).ok_or(None)?;
    for &(start, end) in &fixed.0 {
        if there[start..end] != section.data[start..end] {
            let differs = |offset: &usize| there[*offset] != section.data[*offset] && !is_filled_in(section, *offset);
            if let Some(offset) = (start..end).find(differs) {
                return Err(Some(offset));
            }
        }
    }
    Ok(())
}

/// The instruction that compilers leave behind a call for a linker to fill in: NOP (AAELF64, Relaxation of thread-local
/// sequences).
const NOP: [u8; 4] = [0x1f, 0x20, 0x03, 0xd5];

fn is_filled_in(section: &Section<'_>, offset: usize) -> bool {
    let start = offset & !3;
    section.data.get(start..start + 4) == Some(&NOP)
}

/// A section that is looked for.
pub(super) struct Wanted<'a, 'b> {
    pub(super) section: &'b Section<'a>,
    pub(super) fixed: &'b Fixed,
}

/// Where sections are by their bytes: for each the addresses at which all of them are, no more than [`MOST_PLACES`]. None if it
/// has too few of its own to be looked for, or is found at too many.
///
/// The image is read twice, whatever is looked for: once to count how often pieces of the sections occur, once to compare where
/// the rarest piece of a section is.
pub(super) fn search(image: &Image<'_>, wanted: &[Wanted<'_, '_>]) -> Vec<Option<Vec<u64>>> {
    let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
    let choices: Vec<Vec<(u64, usize)>> = wanted.iter().map(pieces).collect();
    counts.extend(choices.iter().flatten().map(|(piece, _)| (*piece, 0)));
    each_piece(image, |piece, _| {
        if let Some(count) = counts.get_mut(&piece) {
            *count += 1;
        }
    });
    let mut found: Vec<Option<Vec<u64>>> = vec![None; wanted.len()];
    let mut rarest: FxHashMap<u64, Vec<(usize, usize)>> = FxHashMap::default();
    for (index, choice) in choices.iter().enumerate() {
        let Some(&(piece, offset)) = choice.iter().min_by_key(|(piece, _)| counts[piece]) else { continue };
        if counts[&piece] <= MOST_PLACES {
            found[index] = Some(Vec::new());
            rarest.entry(piece).or_default().push((index, offset));
        }
    }
    each_piece(image, |piece, address| {
        let Some(sections) = rarest.get(&piece) else { return };
        // What so many begin with alike is looked for as often as one of them could be found.
        for &(index, offset) in sections.iter().take(MOST_PLACES) {
            let Wanted { section, fixed } = wanted[index];
            let start = address.wrapping_sub(offset as u64);
            if compare(image, section, fixed, start).is_ok()
                && let Some(places) = &mut found[index]
            {
                places.push(start);
            }
        }
    });
    found
}

/// Some pieces of a section: as numbers, with their offsets.
fn pieces(wanted: &Wanted<'_, '_>) -> Vec<(u64, usize)> {
    let long: Vec<_> = wanted.fixed.0.iter().filter(|(start, end)| end - start >= PIECE).collect();
    let every = (long.len() / CHOICES).max(1);
    let of = |&&(start, end): &&(usize, usize)| {
        let middle = start + (end - start - PIECE) / 2;
        (piece(&wanted.section.data[middle..middle + PIECE]), middle)
    };
    long.iter().step_by(every).take(CHOICES + 1).map(of).collect()
}

fn piece(bytes: &[u8]) -> u64 {
    super::elf::number(bytes, false)
}

fn each_piece(image: &Image<'_>, mut with: impl FnMut(u64, u64)) {
    for region in &image.regions {
        for (offset, bytes) in region.bytes.windows(PIECE).enumerate() {
            with(piece(bytes), region.address + offset as u64);
        }
    }
}
