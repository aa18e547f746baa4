//! A relocator for the checker to be shown on, out of what the `object` crate says of a relocation: kind, encoding and size. What
//! it says nothing of is not tried. The crate has no ranges: those here are what a field of that size can hold.
//! SPDX-License-Identifier: MIT OR Apache-2.0

use object::{Object, ObjectSection, RelocationEncoding, RelocationKind};

use super::check::{Outcome, Vector};

/// Relocates a place; branch offsets are shifted by so many bits, which is 2.
pub fn relocate(vector: &Vector, place: &mut [u8], shift: u32) -> Outcome {
    let Some(path) = &vector.object else { return Outcome::NotTried };
    let data = std::fs::read(path).expect("the object");
    let file = object::File::parse(&*data).expect("an object");
    let section = file.section_by_name(".place").expect("the place");
    let Some((_, relocation)) = section.relocations().next() else { return Outcome::NotTried };
    let term = |name: &str| vector.terms.get(name).copied().unwrap_or(0);
    let target = (term("S") + term("A")) | term("T");
    let relative = target - term("P");
    let size = u32::from(relocation.size());
    // Addresses wrap at the end of memory, which is as large as the file's class says.
    let bits = if file.is_64() { 64 } else { 32 };
    let signed = |value: i128| (value << (128 - bits)) >> (128 - bits);
    match (relocation.kind(), relocation.encoding()) {
        (RelocationKind::None, _) => Outcome::Written,
        (RelocationKind::Absolute, RelocationEncoding::Generic) => {
            let value = signed(target);
            if size < bits && !(-(1 << (size - 1))..1 << size).contains(&value) {
                return Outcome::Error("out-of-range");
            }
            write(place, value, vector.big_endian)
        }
        (RelocationKind::Relative, RelocationEncoding::Generic) => {
            let value = signed(relative);
            if size < bits && !(-(1 << (size - 1))..1 << (size - 1)).contains(&value) {
                return Outcome::Error("out-of-range");
            }
            write(place, value, vector.big_endian)
        }
        (RelocationKind::PltRelative, RelocationEncoding::AArch64Call) => {
            let value = signed(relative);
            if !(-(1 << (size + 1))..1 << (size + 1)).contains(&value) {
                return Outcome::Error("out-of-range");
            }
            if value & 3 != 0 {
                return Outcome::Error("misaligned");
            }
            let mask = (1u32 << size) - 1;
            let word = u32::from_le_bytes(place.try_into().expect("an instruction"));
            // Code is little-endian whatever data is.
            write(place, i128::from(word & !mask | (value >> shift) as u32 & mask), false)
        }
        _ => Outcome::NotTried,
    }
}

fn write(place: &mut [u8], value: i128, big_endian: bool) -> Outcome {
    let size = place.len();
    place.copy_from_slice(&value.to_le_bytes()[..size]);
    if big_endian {
        place.reverse();
    }
    Outcome::Written
}
