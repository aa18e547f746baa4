//! Call frames and indexes of unwinding tables: linkers merge, drop and sort their records, so each is found by the code that it
//! is about.

use std::collections::BTreeMap;

use super::object::Object;
use super::placement::{Placement, State};
use super::resolve::{Known, Target};
use crate::oracle::{Frames, Index};

/// Bytes of an entry of the index (EHABI, Index table entries).
const ENTRY: u64 = 8;

/// The pieces of each section that has records.
pub(super) type Found = Vec<(usize, usize, Vec<(u64, u64, u64)>)>;

/// Finds the records of all objects.
pub(super) fn find(known: &Known<'_, '_>, frames: Result<&Frames, &String>, index: &Index) -> Found {
    let mut found = Vec::new();
    for (number, object) in known.objects.iter().enumerate() {
        for (section, state) in known.placement.states[number].iter().enumerate() {
            if !matches!(state, State::Pieces(_)) {
                continue;
            }
            let is_index = object.elf.sections[section].name != b".eh_frame";
            let pieces = match frames {
                _ if is_index => entries(known, number, object, section, index),
                Ok(frames) => records(known, number, object, section, frames),
                Err(_) => BTreeMap::new(),
            };
            found.push((number, section, pieces.into_iter().map(|(start, (end, at))| (start, end, at)).collect()));
        }
    }
    found
}

/// Puts them where they were found.
pub(super) fn note(placement: &mut Placement, found: Found) {
    for (object, section, pieces) in found {
        placement.states[object][section] = State::Pieces(pieces);
    }
}

/// By where it starts in the section: its end there, and its address.
type Pieces = BTreeMap<u64, (u64, u64)>;

/// The address that the relocation at an offset leads to.
fn leads_to(known: &Known<'_, '_>, number: usize, object: &Object<'_>, section: usize, offset: u64) -> Option<u64> {
    let list = object.relocations.get(&section)?;
    let relocation = &list[list.partition_point(|relocation| relocation.offset < offset)..].first()?;
    if relocation.offset != offset {
        return None;
    }
    let a = known.addend(number, section, relocation);
    match known.target(number, relocation, a) {
        Target::At { address, .. } => Some(known.image.target.wrap(address.wrapping_add_signed(a))),
        _ => None,
    }
}

fn entries(known: &Known<'_, '_>, number: usize, object: &Object<'_>, section: usize, index: &Index) -> Pieces {
    let size = object.elf.sections[section].size;
    let entry = |offset: u64| {
        let code = leads_to(known, number, object, section, offset)?;
        let (place, begin) = index.of_code(code)?;
        (begin == code).then_some((offset, (offset + ENTRY, place)))
    };
    (0..size / ENTRY).filter_map(|entry_number| entry(entry_number * ENTRY)).collect()
}

fn records(known: &Known<'_, '_>, number: usize, object: &Object<'_>, section: usize, frames: &Frames) -> Pieces {
    let data = object.elf.sections[section].data;
    let word = |at: u64| {
        let at = usize::try_from(at).ok()?;
        Some(super::elf::number(data.get(at..at.checked_add(4)?)?, object.elf.big_endian))
    };
    let mut pieces = Pieces::new();
    let mut start = 0;
    while let (Some(length), Some(id)) = (word(start), word(start + 4)) {
        let end = start.saturating_add(length).saturating_add(4);
        if length == 0 || end > data.len() as u64 {
            break;
        }
        if id != 0
            && let Some(code) = leads_to(known, number, object, section, start + 8)
        {
            let common = (start + 4).wrapping_sub(id);
            if let Some((record, its_common)) = frames.of_code(code).next() {
                pieces.insert(start, (end, record.start));
                if let Some(length) = word(common) {
                    pieces.entry(common).or_insert((common.saturating_add(length).saturating_add(4), its_common.start));
                }
            }
        }
        start = end;
    }
    pieces
}
