//! Reads what was written by a decoder that is neither the linker's nor the transcription's: the numbers in its text have to be
//! those of the ABI's formula.

use corpus::abi::{Place, Relocation, Special};
use linker::graph::Bytes;

use crate::disassembly::Disassembler;

/// Whether the decoder knows no instruction that may carry the relocation, or there is none: what replaces an instruction is no
/// value in one.
pub(super) fn is_unknown(relocation: &Relocation) -> bool {
    relocation.form.opcodes.is_empty() || relocation.name.starts_with("R_ARM_THM_BF")
}

/// Whether the decoder knows the instruction, and then reads X in it. `Err` has its text.
pub(super) fn check(
    decoder: &Disassembler,
    relocation: &Relocation,
    word: u64,
    p: u64,
    x: i64,
) -> Result<bool, String> {
    let place = relocation.form.place;
    let kind = match place {
        _ if is_unknown(relocation) => return Ok(false),
        Place::A64 | Place::A32 => Bytes::Code,
        Place::T32 | Place::T16 => Bytes::Thumb,
        _ => return Ok(false),
    };
    let (text, _) = decoder.one(&place.bytes(word), p, kind);
    if text.starts_with('.') {
        return Ok(false);
    }
    let wanted = wanted(relocation, word, p, x);
    let mut said = read(&text);
    if is_move(relocation) {
        said.iter_mut().for_each(|value| *value = *value >> relocation.select.1 & 0xffff);
    }
    if said.contains(&wanted) { Ok(true) } else { Err(format!("{text} does not say {wanted:#x}")) }
}

/// The number that an assembler would write for X: where a branch or a literal is, and else the part that the field takes.
fn wanted(relocation: &Relocation, word: u64, p: u64, x: i64) -> i64 {
    let (high, low) = relocation.select;
    let (part, unused) = (relocation.part(x), 63 - high);
    let signed = (part << unused) >> unused;
    let from = |base: u64| {
        let sum = base.wrapping_add_signed(signed);
        if relocation.form.place == Place::A64 { sum as i64 } else { i64::from(sum as u32) }
    };
    let text = relocation.formula.as_ref().map_or("", |formula| formula.text());
    match (relocation.form.place, relocation.form.special) {
        (Place::A64, _) if text.starts_with("Page(") => from(p & !0xfff),
        (Place::A64, _) if text.ends_with(" - P") && !is_move(relocation) => from(p),
        // ADD says by a bit of its own whether its number is shifted.
        (Place::A64, _) if (high, low) == (23, 12) && word & 1 << 22 == 0 => part >> low,
        (Place::A64, _) if is_move(relocation) => part >> low & 0xffff,
        (Place::A64, _) => part,
        (Place::A32, Some(Special::A32Branch)) => from(p.wrapping_add(8)),
        // The lowest bit of BLX is no part of the words that are counted.
        (Place::A32, Some(Special::A32Call)) => {
            let half = if word >> 28 == 0xf { x & 2 } else { 0 };
            from(p.wrapping_add(8)) | half
        }
        (_, Some(Special::T32Call)) if word & 1 << 12 == 0 => {
            let x = ((x & !1).wrapping_add(3) & !3) as u64;
            i64::from((p & !3).wrapping_add(4).wrapping_add(x) as u32)
        }
        (_, Some(Special::T32Branch | Special::T32Call)) => from(p.wrapping_add(4)),
        (Place::T16 | Place::T32, None) if relocation.name.contains("_JUMP") => match relocation.form.addend {
            // CBZ goes forward only.
            Some(corpus::abi::Addend::Wrap4) => i64::from(p.wrapping_add(4).wrapping_add(part as u64) as u32),
            _ => from(p.wrapping_add(4)),
        },
        (_, None)
            if matches!(
                relocation.form.addend,
                Some(corpus::abi::Addend::Signed16 | corpus::abi::Addend::Unscaled)
            ) =>
        {
            part >> low
        }
        _ => part,
    }
}

/// Whether it is a move of 16 bits of X on A64.
fn is_move(relocation: &Relocation) -> bool {
    matches!(relocation.form.special, Some(Special::Hw | Special::MovnMovz))
}

/// The numbers that a text says: as they stand, shifted or rotated as it says, taken away, or inverted.
fn read(text: &str) -> Vec<i64> {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let number = |word: &str| {
        let (minus, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
        let value = match digits.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        };
        Some(if minus { (value as i64).wrapping_neg() } else { value as i64 })
    };
    let literal = |word: &str| word.split(|c: char| !c.is_alphanumeric() && c != '-').next().and_then(number);
    let said: Vec<i64> = operands.split('#').skip(1).filter_map(literal).collect();
    if said.is_empty() {
        return vec![0];
    }
    let mut all = said.clone();
    if let [.., value, shift] = said[..] {
        all.push(value.wrapping_shl(shift as u32));
        all.push(i64::from((value as u32).rotate_right(shift as u32)));
    }
    if mnemonic.starts_with("sub") || mnemonic.starts_with("adr") {
        all.extend(all.clone().into_iter().map(i64::wrapping_neg));
    }
    // The moves say one number; MOV stands for MOVZ and MOVN, and says what they come to.
    match mnemonic {
        "mov" | "movz" | "movk" => all.get(said.len()).or(said.first()).copied().into_iter().collect(),
        "movn" => all.get(said.len()).or(said.first()).map(|value| !value).into_iter().collect(),
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use corpus::abi::{self, Class};
    use linker::Target;

    use super::*;

    fn said(target: &str, class: Class, number: u32, word: u64, x: i64) -> Result<bool, String> {
        let decoder = Disassembler::new(Target::named(target).expect("a target"));
        check(&decoder, abi::of(class).get(class, number).expect("a relocation"), word, 0x1000, x)
    }

    #[test]
    fn another_number_is_seen() {
        for (target, class, number, word, x) in [
            ("aarch64", Class::Lp64, 283, 0x9400_0004, 0x10),
            ("aarch64", Class::Lp64, 275, 0xb000_0000, 0x1000),
            ("aarch64", Class::Lp64, 286, 0xf940_0421, 8),
            ("aarch64", Class::Lp64, 270, 0x9280_0020, -2),
            ("armv7", Class::Arm, 28, 0xeb00_0002, 8),
            ("armv7", Class::Arm, 58, 0xe28f_0fff, 0x3fc),
            ("armv7", Class::Arm, 44, 0xe341_0234, 0x1234_0000),
            ("thumbv7", Class::Arm, 30, 0xf000_b802, 4),
        ] {
            assert_eq!(said(target, class, number, word, x), Ok(true), "{target} {number}");
            let other = said(target, class, number, word, x + (x.unsigned_abs() as i64));
            assert!(other.is_err(), "{target} {number}: {other:?}");
        }
    }

    /// What is left out is unknown to the decoder.
    #[test]
    fn branch_future_is_not_known() {
        for bf in [136, 137, 138] {
            let relocation = abi::of(Class::Arm).get(Class::Arm, bf).expect("a relocation");
            assert!(is_unknown(relocation));
            let decoder = Disassembler::new(Target::named("thumbv7m").expect("a target"));
            let bytes = relocation.form.place.bytes(relocation.opcodes()[0].word | 2);
            let (text, _) = decoder.one(&bytes, 0x1000, Bytes::Thumb);
            assert!(text.starts_with('.'), "{text}");
        }
    }
}
