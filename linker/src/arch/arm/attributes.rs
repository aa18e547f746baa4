//! Build attributes: how they are written, and how those of several objects make those of a link (Addenda to, and Errata
//! in, the ABI for the Arm Architecture, 2025Q4, Build Attributes).
//!
//! The addenda say what values mean; which conflicts are errors and which are warnings is as in GNU ld. What cannot be
//! read is left out, as other linkers do: `ld -r` leaves sections of zeros, and later versions will say what no linker
//! knows yet.

use std::cmp::{max, min};

use super::cores;
use crate::build::{Attributes, Mismatch, Value};
use crate::field::Unit;
use crate::index::ObjectId;

/// The first byte of a section in the only format there is.
const FORMAT: u8 = b'A';
/// The vendor whose attributes are the ABI's.
const VENDOR: &[u8] = b"aeabi";
/// The scope that is the whole file.
const TAG_FILE: u64 = 1;

const CPU_RAW_NAME: u64 = 4;
const CPU_NAME: u64 = 5;
pub(super) const CPU_ARCH: u64 = 6;
pub(super) const CPU_ARCH_PROFILE: u64 = 7;
const FP_ARCH: u64 = 10;
const PCS_CONFIG: u64 = 13;
const R9_USE: u64 = 14;
const RW_DATA: u64 = 15;
const RO_DATA: u64 = 16;
const GOT_USE: u64 = 17;
const WCHAR: u64 = 18;
const FP_DENORMAL: u64 = 20;
const FP_NUMBER_MODEL: u64 = 23;
const ALIGN_PRESERVED: u64 = 25;
pub(super) const ENUM_SIZE: u64 = 26;
const HARD_FP_USE: u64 = 27;
const VFP_ARGS: u64 = 28;
const WMMX_ARGS: u64 = 29;
const GOALS: u64 = 30;
const FP_GOALS: u64 = 31;
const COMPATIBILITY: u64 = 32;
const FP_16BIT_FORMAT: u64 = 38;
const DIV_USE: u64 = 44;
const NODEFAULTS: u64 = 64;
const ALSO_COMPATIBLE: u64 = 65;
const CONFORMANCE: u64 = 67;
const VIRTUALIZATION: u64 = 68;

/// Tags whose largest value is the one of the link: it says what some object needs.
const LARGEST: &[u64] = &[8, 9, 11, 12, 19, 21, 22, FP_NUMBER_MODEL, 24, 34, 36, 42, 46, 48, 50, 52, 66, 70, 74, 76];

/// What a reader has still to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn number(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.0)?;
        let (text, rest) = (&self.0[..end], &self.0[end + 1..]);
        self.0 = rest;
        Some(text)
    }

    /// A part that begins with its own length, or what is left if that is less. None where only padding is left.
    fn part(&mut self, before: usize, big_endian: bool) -> Option<&'a [u8]> {
        let length = Unit::Data32.read(self.0.get(before..)?, big_endian)? as usize;
        let (part, rest) = self.0.split_at(min(length, self.0.len()));
        self.0 = rest;
        part.get(before + 4..)
    }
}

/// Reads the attributes that `from` has for its whole file.
pub(super) fn read(bytes: &[u8], big_endian: bool, from: ObjectId) -> Attributes {
    let mut attributes = Attributes::default();
    let Some((&format, rest)) = bytes.split_first() else { return attributes };
    if format != FORMAT {
        // Zeros are what `ld -r --unique` makes of all but one.
        if bytes.iter().any(|&byte| byte != 0) {
            attributes.problem = Some(format!("format version {format:#x} is not 'A', the only one there is"));
        }
        return attributes;
    }
    let mut vendors = Bytes(rest);
    while let Some(part) = vendors.part(0, big_endian) {
        let mut scopes = Bytes(part);
        if scopes.text() != Some(VENDOR) {
            continue;
        }
        while let Some(scope) = scopes.0.first().copied() {
            let Some(part) = scopes.part(1, big_endian) else { break };
            if u64::from(scope) == TAG_FILE && read_file(&mut Bytes(part), from, &mut attributes).is_none() {
                attributes.problem = Some("an attribute is cut short".to_owned());
            }
        }
    }
    attributes
}

fn read_file(bytes: &mut Bytes<'_>, from: ObjectId, attributes: &mut Attributes) -> Option<()> {
    while !bytes.0.is_empty() {
        let tag = bytes.number()?;
        let value = match tag {
            // Padding.
            0 => continue,
            COMPATIBILITY => Value::Both(bytes.number()?, bytes.text()?.to_vec()),
            // Below 32 only the two names are text; above, odd tags are.
            CPU_RAW_NAME | CPU_NAME => Value::Text(bytes.text()?.to_vec()),
            _ if tag > COMPATIBILITY && tag % 2 == 1 => Value::Text(bytes.text()?.to_vec()),
            _ => Value::Number(bytes.number()?),
        };
        attributes.set(tag, value, from);
    }
    Some(())
}

/// The section that says these.
pub(super) fn write(attributes: &Attributes, big_endian: bool) -> Vec<u8> {
    fn number(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    fn text(out: &mut Vec<u8>, text: &[u8]) {
        out.extend(text);
        out.push(0);
    }
    let length = |length: usize| {
        let length = length as u32;
        if big_endian { length.to_be_bytes() } else { length.to_le_bytes() }
    };
    let mut body = Vec::new();
    // Tag_conformance comes first if it is there, and Tag_nodefaults before all that it is about.
    let rank = |tag: u64| [CONFORMANCE, NODEFAULTS].iter().position(|&first| first == tag).unwrap_or(2);
    let mut list: Vec<_> = attributes.list().iter().collect();
    list.sort_by_key(|attribute| (rank(attribute.tag), attribute.tag));
    for attribute in list {
        // Zero is the default of every tag.
        if attribute.value == Value::Number(0) && attribute.tag != NODEFAULTS {
            continue;
        }
        number(&mut body, attribute.tag);
        match &attribute.value {
            Value::Number(value) => number(&mut body, *value),
            Value::Text(value) => text(&mut body, value),
            Value::Both(value, with) => {
                number(&mut body, *value);
                text(&mut body, with);
            }
        }
    }
    let scope = [&[TAG_FILE as u8][..], &length(body.len() + 5), &body].concat();
    let vendor = [&length(scope.len() + VENDOR.len() + 5)[..], VENDOR, &[0], &scope].concat();
    [&[FORMAT][..], &vendor].concat()
}

/// Version and number of double registers of each value of Tag_FP_arch.
const FP: &[(u64, u64)] = &[(0, 0), (1, 16), (2, 16), (3, 32), (3, 16), (4, 32), (4, 16), (8, 32), (8, 16)];

fn fp_arch(a: u64, b: u64) -> u64 {
    let known = |value: u64| FP.get(value as usize);
    match (known(a), known(b)) {
        (Some(x), Some(y)) => {
            let both = (max(x.0, y.0), max(x.1, y.1));
            FP.iter().position(|fp| *fp == both).map_or(max(a, b), |index| index as u64)
        }
        _ => max(a, b),
    }
}

/// Takes what an object says into account. What does not go together is told.
pub(super) fn merge(merged: &mut Attributes, new: &Attributes) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if new.is_empty() {
        return found;
    }
    let compatible = new.get(COMPATIBILITY).is_none_or(|attribute| match &attribute.value {
        Value::Both(flag, vendor) => *flag == 0 || vendor == b"gnu",
        _ => true,
    });
    if !compatible {
        let problem = "is for another vendor's tools (Tag_compatibility)".to_owned();
        found.push(Mismatch { fatal: true, problem, other: None });
    }
    // The first object that says anything is where the others have to fit in.
    if merged.is_empty() {
        *merged = new.clone();
        return found;
    }
    let mut tags: Vec<u64> = merged.list().iter().chain(new.list()).map(|attribute| attribute.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    // Compared as they were: one may depend on another.
    let before = merged.clone();
    vfp_args(merged, &before, new, &mut found);
    for tag in tags {
        let (old, now) = (before.number(tag), new.number(tag));
        let Some(value) = one(tag, old, now, &before, new, &mut found) else { continue };
        if value != old {
            let from = new.get(tag).or(before.get(tag)).map_or(ObjectId::default(), |attribute| attribute.from);
            merged.set(tag, Value::Number(value), from);
        }
    }
    let text = |attributes: &Attributes, tag| match attributes.get(tag).map(|attribute| &attribute.value) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    // A name is kept while it is everybody's.
    for tag in [CPU_RAW_NAME, CPU_NAME, CONFORMANCE] {
        if text(&before, tag).is_some() && text(&before, tag) != text(new, tag) {
            merged.set(tag, Value::Text(Vec::new()), before.get(tag).map_or(ObjectId::default(), |old| old.from));
        }
    }
    found
}

/// Arguments in VFP registers, or in core registers: functions of both kinds cannot call each other.
fn vfp_args(merged: &mut Attributes, old: &Attributes, new: &Attributes, found: &mut Vec<Mismatch>) {
    const COMPATIBLE: u64 = 3;
    let (was, now) = (old.number(VFP_ARGS), new.number(VFP_ARGS));
    let from = new.get(VFP_ARGS).map(|attribute| attribute.from);
    if was == now || new.number(FP_NUMBER_MODEL) == 0 {
        // Without floating point there are no such arguments.
        return;
    }
    if old.number(FP_NUMBER_MODEL) == 0 || was == COMPATIBLE {
        let from = from.or(new.list().first().map(|attribute| attribute.from)).unwrap_or_default();
        merged.set(VFP_ARGS, Value::Number(now), from);
    } else if now != COMPATIBLE {
        let what = |value| match value {
            0 => "core registers",
            1 => "VFP registers",
            _ => "registers of a toolchain's own choice",
        };
        let problem = format!(
            "passes floating-point arguments in {}, others in {} (Tag_ABI_VFP_args {now} and {was})",
            what(now),
            what(was)
        );
        let other = old.get(VFP_ARGS).or(old.get(FP_NUMBER_MODEL)).map(|attribute| attribute.from);
        found.push(Mismatch { fatal: true, problem, other });
    }
}

/// The number that two numbers of a tag make. None: it is text, or has been looked at.
fn one(tag: u64, old: u64, new: u64, was: &Attributes, now: &Attributes, found: &mut Vec<Mismatch>) -> Option<u64> {
    let mut conflict = |fatal: bool, problem: String| {
        let other = was.get(tag).map(|attribute| attribute.from);
        found.push(Mismatch { fatal, problem, other });
    };
    Some(match tag {
        CPU_RAW_NAME | CPU_NAME | VFP_ARGS | COMPATIBILITY | NODEFAULTS | ALSO_COMPATIBLE | CONFORMANCE => return None,
        GOALS | FP_GOALS => old,
        CPU_ARCH => {
            let profile = max(was.number(CPU_ARCH_PROFILE), now.number(CPU_ARCH_PROFILE));
            cores::combine(old, new, profile)
        }
        CPU_ARCH_PROFILE => match (old as u8, new as u8) {
            (a, b) if a == b => old,
            (0, _) | (b'S', b'A' | b'R') => new,
            (_, 0) | (b'A' | b'R', b'S') => old,
            (a, b) => {
                let (a, b) = (char::from(a).escape_default(), char::from(b).escape_default());
                conflict(true, format!("is for profile {b}, others for {a} (Tag_CPU_arch_profile)"));
                old
            }
        },
        FP_ARCH => fp_arch(old, new),
        PCS_CONFIG => {
            if old != 0 && new != 0 && old != new {
                conflict(false, format!("is for platform configuration {new}, others for {old} (Tag_PCS_config)"));
            }
            if old == 0 { new } else { old }
        }
        R9_USE => {
            const UNUSED: u64 = 3;
            let what =
                |value| ["a register", "the static base", "the thread pointer"].get(value as usize).unwrap_or(&"?");
            if old != new && old != UNUSED && new != UNUSED {
                let problem =
                    format!("uses r9 as {}, others as {} (Tag_ABI_PCS_R9_use {new} and {old})", what(new), what(old));
                conflict(true, problem);
            }
            if old == UNUSED { new } else { old }
        }
        RW_DATA => {
            const STATIC_BASE: u64 = 2;
            let r9 = was.number(R9_USE);
            if new == STATIC_BASE && r9 != 1 && r9 != 3 {
                let problem = "finds data from the static base in r9, which others use otherwise (Tag_ABI_PCS_RW_data)";
                conflict(true, problem.to_owned());
            }
            min(old, new)
        }
        RO_DATA | ALIGN_PRESERVED => min(old, new),
        GOT_USE | FP_DENORMAL => {
            // 1 is more than 2.
            let strength = |value| [0, 2, 1].get(value as usize).copied().unwrap_or(0);
            if strength(new) > strength(old) { new } else { old }
        }
        WCHAR => {
            if old != 0 && new != 0 && old != new {
                let problem = format!(
                    "has a wchar_t of {new} bytes, others of {old}: values of it that objects share are read wrongly (Tag_ABI_PCS_wchar_t)"
                );
                conflict(false, problem);
            }
            if old == 0 { new } else { old }
        }
        ENUM_SIZE => {
            const WIDE: u64 = 3;
            let what = |value| match value {
                1 => "as small as their values",
                2 => "of 32 bits",
                _ => "of a size of its own",
            };
            match (old, new) {
                (_, 0) => old,
                (0 | WIDE, _) => new,
                (a, b) => {
                    if a != b && b != WIDE {
                        let problem = format!(
                            "has enumerations {}, others {}: those that objects share are read wrongly (Tag_ABI_enum_size {b} and {a})",
                            what(b),
                            what(a)
                        );
                        conflict(false, problem);
                    }
                    old
                }
            }
        }
        HARD_FP_USE => match (old, new) {
            (1, 2) | (2, 1) => 3,
            _ => max(old, new),
        },
        WMMX_ARGS => {
            if old != new {
                let how = |value| if value == 1 { "in iWMMXt registers" } else { "by the base standard" };
                let problem = format!("passes arguments {}, others {} (Tag_ABI_WMMX_args)", how(new), how(old));
                conflict(true, problem);
            }
            old
        }
        FP_16BIT_FORMAT => {
            if old != 0 && new != 0 && old != new {
                let problem =
                    format!("has another format of half-precision numbers (Tag_ABI_FP_16bit_format {new} and {old})");
                conflict(true, problem);
            }
            if new != 0 { new } else { old }
        }
        DIV_USE => match (old, new) {
            // 1: never.
            (1, _) => new,
            (_, 1) => old,
            _ => max(old, new),
        },
        VIRTUALIZATION => old | new,
        _ if LARGEST.contains(&tag) => max(old, new),
        _ if tag > COMPATIBILITY && tag % 2 == 1 => return None,
        // Of what is not known, by the ABI the lower half of each 128 must be understood, and the rest may be left out.
        _ => {
            if old != new {
                conflict(
                    tag & 127 < 64,
                    format!("has {new} for attribute {tag}, others {old}: nobody here knows what it means"),
                );
            }
            old
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Id;

    fn of(object: usize, list: &[(u64, u64)]) -> Attributes {
        let mut attributes = Attributes::default();
        list.iter().for_each(|&(tag, value)| attributes.set(tag, Value::Number(value), ObjectId::new(object)));
        attributes
    }

    /// What the numbers of one tag make, and what is said.
    fn together(tag: u64, a: u64, b: u64) -> (u64, Vec<bool>) {
        let mut merged = of(1, &[(tag, a), (GOALS, 1)]);
        let found = merge(&mut merged, &of(2, &[(tag, b), (GOALS, 2)]));
        (merged.number(tag), found.into_iter().map(|mismatch| mismatch.fatal).collect())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut attributes = of(1, &[(CPU_ARCH, 10), (CPU_ARCH_PROFILE, 0x41), (200, 300)]);
        attributes.set(CPU_NAME, Value::Text(b"7-A".to_vec()), ObjectId::new(1));
        attributes.set(COMPATIBILITY, Value::Both(0, b"gnu".to_vec()), ObjectId::new(1));
        attributes.set(CONFORMANCE, Value::Text(b"2.09".to_vec()), ObjectId::new(1));
        for big_endian in [false, true] {
            let bytes = write(&attributes, big_endian);
            assert_eq!(read(&bytes, big_endian, ObjectId::new(1)), attributes);
            // Padding, a section of nothing, half a section.
            let padded = [&bytes[..], &[0; 9]].concat();
            assert_eq!(read(&padded, big_endian, ObjectId::new(1)), attributes);
            for cut in 0..bytes.len() {
                let _ = read(&bytes[..cut], big_endian, ObjectId::new(1));
            }
        }
        assert_eq!(read(&[0; 40], false, ObjectId::new(1)), Attributes::default());
        assert!(read(b"B....", false, ObjectId::new(1)).problem.is_some());
    }

    #[test]
    fn conflicts_are_errors_or_warnings() {
        for (tag, a, b, expected) in [
            (CPU_ARCH_PROFILE, 0x41, 0x4d, (0x41, vec![true])),
            (CPU_ARCH_PROFILE, 0x53, 0x41, (0x41, vec![])),
            (CPU_ARCH_PROFILE, 0, 0x4d, (0x4d, vec![])),
            (R9_USE, 1, 2, (1, vec![true])),
            (R9_USE, 3, 2, (2, vec![])),
            (R9_USE, 1, 3, (1, vec![])),
            (RW_DATA, 0, 2, (0, vec![true])),
            (WCHAR, 2, 4, (2, vec![false])),
            (WCHAR, 0, 4, (4, vec![])),
            (ENUM_SIZE, 1, 2, (1, vec![false])),
            (ENUM_SIZE, 3, 2, (2, vec![])),
            (ENUM_SIZE, 2, 0, (2, vec![])),
            (PCS_CONFIG, 1, 2, (1, vec![false])),
            (WMMX_ARGS, 0, 1, (0, vec![true])),
            (FP_16BIT_FORMAT, 1, 2, (2, vec![true])),
            (ALIGN_PRESERVED, 1, 0, (0, vec![])),
            (24, 1, 2, (2, vec![])),
            (FP_DENORMAL, 1, 2, (1, vec![])),
            (HARD_FP_USE, 1, 2, (3, vec![])),
            (DIV_USE, 1, 2, (2, vec![])),
            (FP_ARCH, 4, 5, (5, vec![])),
            (FP_ARCH, 3, 6, (5, vec![])),
            (VIRTUALIZATION, 1, 2, (3, vec![])),
            // 54 must be understood, 126 need not.
            (54, 0, 1, (0, vec![true])),
            (126, 0, 1, (0, vec![false])),
        ] {
            assert_eq!(together(tag, a, b), expected, "tag {tag}: {a} and {b}");
        }
    }

    #[test]
    fn arguments_in_vfp_registers_count_where_there_is_floating_point() {
        for (a, b, expected, fatal) in [
            ((1, 3), (0, 3), 1, true),
            ((0, 3), (1, 3), 0, true),
            ((1, 3), (0, 0), 1, false),
            ((0, 0), (1, 3), 1, false),
            ((3, 3), (1, 3), 1, false),
            ((1, 3), (3, 3), 1, false),
        ] {
            let mut merged = of(1, &[(VFP_ARGS, a.0), (FP_NUMBER_MODEL, a.1), (CPU_ARCH, 10)]);
            let new = of(2, &[(VFP_ARGS, b.0), (FP_NUMBER_MODEL, b.1), (CPU_ARCH, 10)]);
            let found = merge(&mut merged, &new);
            assert_eq!((merged.number(VFP_ARGS), !found.is_empty()), (expected, fatal), "{a:?} and {b:?}");
        }
    }
}
