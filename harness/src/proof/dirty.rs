//! *dirty*: what is in the field before does not leak where relocations have addends of their own, and is the addend, with
//! its sign, where they have none. Nothing outside the field changes in either case.

use corpus::abi::{Addend, Relocation, Special};
use linker::Target;

use super::encode::words;
use super::{Step, Trial, aim};

/// Contents of a field: its limits, its signs, and numbers of no pattern.
pub(crate) fn junk() -> Vec<u64> {
    let mut list = vec![0, u64::MAX, 0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, 1, 0x8000_8000_8000_8000, 0xff];
    let mut state = 0x1234_5678_9abc_def1_u64;
    for _ in 0..24 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        list.push(state);
    }
    list
}

pub(super) fn prove(trial: &mut Trial, relocation: &Relocation) -> Step {
    let stored = trial.target.register_bits == 32;
    let places = aim::places(trial.target, relocation);
    let (mut positive, mut negative, mut tried) = (0, 0, 0);
    for word in words(relocation) {
        for junk in junk() {
            let word = fill(relocation, word, junk);
            let a = if stored { relocation.addend(word) } else { 0x10 };
            for &p in &places {
                for x in wanted(trial.target, relocation, a) {
                    let Some(mut scene) = aim::at(trial.target, relocation, word, x, a, p) else { continue };
                    // The addend may have been chosen for the value; and two words can hold the same one.
                    if stored && scene.a != a {
                        continue;
                    }
                    scene.word = word;
                    tried += usize::from(trial.agree(relocation, &scene)?.1.is_none());
                    if stored {
                        positive += usize::from(a > 0);
                        negative += usize::from(a < 0);
                    }
                }
            }
        }
    }
    if tried == 0 {
        return Err("nothing was accepted".to_owned());
    }
    let signed = !matches!(relocation.form.addend, Some(Addend::Unsigned | Addend::Unscaled));
    if stored && (positive == 0 || negative == 0 && signed) {
        return Err(format!("{positive} positive and {negative} negative addends were tried"));
    }
    Ok(())
}

/// The word with a field, and with it the bits that a sign decides, full of junk.
pub(crate) fn fill(relocation: &Relocation, word: u64, junk: u64) -> u64 {
    let field = relocation.field();
    let mut word = word & !field | junk & field;
    match relocation.form.special {
        Some(Special::Up) => word = word & !(1 << 23) | junk & 1 << 23,
        // BLX has no halfword in T32.
        Some(Special::T32Call) if word & 1 << 12 == 0 => word &= !1,
        _ => {}
    }
    word
}

/// Values to aim at.
pub(crate) fn wanted(target: &Target, relocation: &Relocation, a: i64) -> Vec<i64> {
    let values = match aim::fixed_part(target, relocation) {
        Some(fixed) if target.register_bits == 32 => return vec![a.wrapping_add(fixed)],
        _ => [0, 0x40, -0x40, 0x7c, 0x2000, 0x5000, -0x3000],
    };
    values.iter().map(|x| x & !(relocation.align as i64 - 1)).collect()
}
