//! Damage to objects and archives that knows their structure: one field changed at a time, so that what is damaged is
//! read far enough to matter.

use super::random::Random;

/// A section header, read without any checks beyond the bounds of the file.
struct Header {
    at: usize,
    kind: u32,
    offset: usize,
    size: usize,
}

struct Shape {
    wide: bool,
    headers: Vec<Header>,
}

fn number(data: &[u8], at: usize, width: usize) -> u64 {
    let bytes = data.get(at..at.saturating_add(width)).unwrap_or_default();
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn write(data: &mut [u8], at: usize, width: usize, value: u64) {
    if let Some(place) = data.get_mut(at..at.saturating_add(width)) {
        place.copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

fn shape(data: &[u8]) -> Shape {
    let wide = data.get(4) == Some(&2);
    let (table, count, size) = if wide { (0x28, 0x3c, 64) } else { (0x20, 0x30, 40) };
    let start = number(data, table, if wide { 8 } else { 4 }) as usize;
    let count = (number(data, count, 2) as usize).min(data.len() / size);
    let header = |index: usize| {
        let at = start.saturating_add(index * size);
        let (offset, bytes, width) = if wide { (24, 32, 8) } else { (16, 20, 4) };
        Header {
            at,
            kind: number(data, at.saturating_add(4), 4) as u32,
            offset: number(data, at.saturating_add(offset), width) as usize,
            size: (number(data, at.saturating_add(bytes), width) as usize).min(data.len()),
        }
    };
    Shape { wide, headers: (1..count).map(header).collect() }
}

/// A value near the old one, or one that is at some limit.
fn value(random: &mut Random, old: u64, length: usize) -> u64 {
    match random.below(12) {
        0 => 0,
        1 => old.wrapping_add(1),
        2 => old.wrapping_sub(1),
        3 => old ^ 1 << random.below(64),
        4 => old ^ 1 << random.below(8),
        5 => u64::MAX >> random.below(64),
        6 => 1 << random.below(64),
        7 => length as u64,
        8 => old.wrapping_mul(2),
        9 => random.below(16) as u64,
        10 => old.wrapping_neg(),
        _ => random.next(),
    }
}

fn change(data: &mut [u8], random: &mut Random, at: usize, width: usize) {
    let new = value(random, number(data, at, width), data.len());
    write(data, at, width, new);
}

const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;
const RELA: u32 = 4;
const REL: u32 = 9;
const GROUP: u32 = 17;
const ATTRIBUTES: u32 = 0x7000_0003;
const UNWIND: u32 = 0x7000_0001;
const NOTE: u32 = 7;
const CREL: u32 = 0x4000_0014;

/// Damages `data` in one place.
pub(crate) fn mutate(data: &mut Vec<u8>, random: &mut Random) {
    if data.starts_with(b"!<arch>\n") { archive(data, random) } else { object(data, random) }
}

fn object(data: &mut Vec<u8>, random: &mut Random) {
    let shape = shape(data);
    let of = |kinds: &[u32]| -> Vec<&Header> {
        shape.headers.iter().filter(|header| kinds.contains(&header.kind) && header.size > 0).collect()
    };
    match random.below(32) {
        0 => truncate(data, random),
        1 => {
            let at = random.below(if shape.wide { 64 } else { 52 });
            change(data, random, at, 1);
        }
        2..=6 => {
            let fields: &[(usize, usize)] = if shape.wide {
                &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8)]
            } else {
                &[(0, 4), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (24, 4), (28, 4), (32, 4), (36, 4)]
            };
            if !shape.headers.is_empty() {
                let at = random.pick(&shape.headers).at;
                let &(field, width) = random.pick(fields);
                change(data, random, at + field, width);
            }
        }
        // Alignments stay powers of two more often than by chance.
        7 => {
            if !shape.headers.is_empty() {
                let at = random.pick(&shape.headers).at + if shape.wide { 48 } else { 32 };
                let alignment = 1 << random.below(28);
                write(data, at, 4, alignment);
            }
        }
        8..=13 => {
            let fields: &[(usize, usize)] = if shape.wide {
                &[(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8)]
            } else {
                &[(0, 4), (4, 4), (8, 4), (12, 1), (13, 1), (14, 2)]
            };
            entry(data, random, &of(&[SYMTAB]), if shape.wide { 24 } else { 16 }, fields);
        }
        14..=20 => {
            // Offset, symbol, type, addend.
            let (size, fields): (_, &[(usize, usize)]) =
                if shape.wide { (24, &[(0, 8), (12, 4), (8, 4), (16, 8)]) } else { (8, &[(0, 4), (5, 3), (4, 1)]) };
            entry(data, random, &of(&[if shape.wide { RELA } else { REL }]), size, fields);
        }
        21..=24 => byte(data, random, &of(&[1])),
        25 => entry(data, random, &of(&[GROUP]), 4, &[(0, 4)]),
        26 => byte(data, random, &of(&[STRTAB])),
        27..=28 => byte(data, random, &of(&[ATTRIBUTES, UNWIND, NOTE, CREL])),
        _ => frames(data, random, &shape.headers),
    }
}

fn truncate(data: &mut Vec<u8>, random: &mut Random) {
    let length = random.below(data.len());
    data.truncate(length);
}

fn entry(data: &mut [u8], random: &mut Random, tables: &[&Header], size: usize, fields: &[(usize, usize)]) {
    if tables.is_empty() {
        return;
    }
    let table = random.pick(tables);
    let at = table.offset.saturating_add(random.below(table.size / size) * size);
    let &(field, width) = random.pick(fields);
    change(data, random, at.saturating_add(field), width);
}

fn byte(data: &mut [u8], random: &mut Random, sections: &[&Header]) {
    if sections.is_empty() {
        return;
    }
    let section = random.pick(sections);
    let at = section.offset.saturating_add(random.below(section.size));
    change(data, random, at, 1);
}

/// Call-frame records are found by what they look like: a length, then a zero for the first one.
fn frames(data: &mut [u8], random: &mut Random, headers: &[Header]) {
    let frames: Vec<&Header> = headers
        .iter()
        .filter(|header| {
            let length = number(data, header.offset, 4);
            header.kind == 1 && header.size > 16 && (8..64).contains(&length) && number(data, header.offset + 4, 4) == 0
        })
        .collect();
    if frames.is_empty() {
        return byte(
            data,
            random,
            &headers.iter().filter(|header| header.kind == 1 && header.size > 0).collect::<Vec<_>>(),
        );
    }
    let section = random.pick(&frames);
    let at = section.offset.saturating_add(random.below(section.size / 4) * 4);
    change(data, random, at, 4);
}

/// Sixty bytes of header a member, the first one the symbol table.
fn archive(data: &mut Vec<u8>, random: &mut Random) {
    match random.below(8) {
        0 => truncate(data, random),
        1..=2 => {
            let ends: Vec<usize> =
                (66..data.len().saturating_sub(1)).filter(|&at| &data[at..at + 2] == b"`\n").collect();
            if !ends.is_empty() {
                let at = *random.pick(&ends) - random.below(58);
                change(data, random, at, 1);
            }
        }
        3..=4 => {
            let at = 68 + random.below(64);
            change(data, random, at, 1);
        }
        _ => {
            // A member that is an object, damaged in place.
            let members: Vec<usize> =
                (68..data.len().saturating_sub(4)).filter(|&at| &data[at..at + 4] == b"\x7fELF").collect();
            if !members.is_empty() {
                let start = *random.pick(&members);
                let mut member = data[start..].to_vec();
                object(&mut member, random);
                data.truncate(start);
                data.extend(member);
            }
        }
    }
}
