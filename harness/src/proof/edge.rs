//! *edge*: the last value that the field reaches is accepted, the first beyond it is refused with the right error, on both
//! sides; so is a value that is not the multiple it has to be; and what the ABI does not check is never refused.

use std::collections::BTreeMap;

use corpus::abi::{Check, Class, Refusal, Relocation};

use super::encode::words;
use super::{Step, Trial, aim};

/// Magnitudes at the limits of one, two and three constants of A32, and of what loads and stores hold behind them.
const GROUPS: [i64; 25] = [
    0,
    1,
    4,
    0xff,
    0x100,
    0x101,
    0x1fe,
    0x3fc,
    0x400,
    0x404,
    0xfff,
    0x1000,
    0x1004,
    0xfffc,
    0xffff,
    0x1_0000,
    0x1_0101,
    0xf_ffff,
    0x10_0000,
    0xff_ffff,
    0x100_0000,
    0x101_0101,
    0xfff_ffff,
    0x7fff_ffff,
    0x1234_5678,
];

pub(super) fn prove(trial: &mut Trial, relocation: &Relocation) -> Step {
    let mut seen: BTreeMap<i64, Option<Refusal>> = BTreeMap::new();
    for word in words(relocation) {
        for x in candidates(relocation) {
            for p in aim::places(trial.target, relocation) {
                // The last is for what cannot be far enough away by itself.
                for a in [0, 4, -8, x.wrapping_sub(0x1_0000) & !0xf] {
                    let Some(scene) = aim::at(trial.target, relocation, word, x, a, p) else { continue };
                    let (x, refusal) = trial.agree(relocation, &scene)?;
                    seen.insert(x, refusal);
                }
            }
        }
    }
    let out_of_range = seen.values().any(|refusal| *refusal == Some(Refusal::OutOfRange));
    match relocation.check {
        _ if !seen.values().any(Option::is_none) => Err("nothing was accepted".to_owned()),
        Check::None if out_of_range => Err("something was refused that is not checked".to_owned()),
        Check::Group if !out_of_range => Err("nothing was refused".to_owned()),
        Check::Range(low, high) => limits(relocation, &seen, low, high),
        _ => Ok(()),
    }
}

/// Both limits were met, and what lies beyond them, as far as there is a way to get there.
fn limits(relocation: &Relocation, seen: &BTreeMap<i64, Option<Refusal>>, low: i128, high: i128) -> Step {
    if out_of_hand(relocation) {
        return Ok(());
    }
    let step = i128::from(step(relocation));
    let (low, high) = ((low + step - 1).div_euclid(step) * step, high.div_euclid(step) * step);
    let met = |x: i128| i64::try_from(x).is_ok_and(|x| seen.contains_key(&x));
    let text = relocation.formula.as_ref().map_or("", |formula| formula.text());
    // Entries lie behind the origin of their table, symbols behind that of their segment, and what a field holds is no
    // further away than the field says.
    let behind = text.ends_with("- GOT") || text.ends_with("Page(GOT)") || text.ends_with("- B(S)");
    let by_addend =
        text.ends_with("- GOT_ORG") && text.starts_with("G(") || text.ends_with("TLS") || text.ends_with("tp");
    // Below address 0 there is only what a 32-bit addend takes away.
    let beneath = relocation.class == Class::Ilp32 && text == "S + A" && low - step < i128::from(i32::MIN);
    let wanted =
        [(low - step, behind || by_addend || beneath), (low, behind || by_addend), (high, false), (high + step, false)];
    match wanted.iter().find(|(x, excused)| !met(*x) && !excused) {
        Some((x, _)) => Err(format!("{x:#x} was not met, a limit or beside it")),
        None => Ok(()),
    }
}

/// From one value that can be aimed at to the next.
pub(crate) fn step(relocation: &Relocation) -> i64 {
    let align = relocation.align as i64;
    match &relocation.formula {
        Some(formula) if formula.text().starts_with("Page(") => 0x1000,
        // Tables are aligned to a pointer, and placed by two.
        Some(formula) if formula.entry().is_some() && !formula.mentions("GOT_ORG") => align.max(8),
        _ => align,
    }
}

/// Whether addresses have too few bits for a value beyond the range.
fn out_of_hand(relocation: &Relocation) -> bool {
    let Check::Range(low, high) = relocation.check else { return false };
    relocation.class == Class::Arm && low <= -(1 << 31) && high >= (1 << 31) - 1
}

/// Values at the limits of what is checked and beyond, and those that are no multiple.
pub(crate) fn candidates(relocation: &Relocation) -> Vec<i64> {
    let (align, step) = (relocation.align as i64, step(relocation));
    let narrow = relocation.class == Class::Arm;
    let mut list = match relocation.check {
        Check::None if narrow => vec![i32::MIN.into(), i32::MAX.into(), -1, 0, 1, 0x1_0000, -0x1_0001],
        Check::None => vec![i64::MIN, i64::MAX, -1, 0, 1, 0x1_0000, 1 << 32, -(1 << 48) - 1],
        Check::Group => GROUPS.iter().flat_map(|x| [*x, -*x]).collect(),
        Check::Range(low, high) => {
            let step = i128::from(step);
            let (low, high) = ((low + step - 1).div_euclid(step) * step, high.div_euclid(step) * step);
            [low - step, low, 0, high, high + step].into_iter().filter_map(|x| i64::try_from(x).ok()).collect()
        }
    };
    if relocation.check == Check::None {
        let aligned: Vec<i64> = list.iter().map(|x| x & !(step - 1)).collect();
        list.extend(aligned);
    }
    if align > 1 {
        let off: Vec<i64> = list.iter().map(|x| x.wrapping_add(align / 2)).collect();
        list.extend(off);
        list.extend([1, align - 1, align + 1]);
    }
    list.sort_unstable();
    list.dedup();
    // A page has no part.
    list.retain(|x| step != 0x1000 || x & 0xfff == 0);
    list
}
