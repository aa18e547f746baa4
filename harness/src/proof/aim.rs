//! Choosing addresses so that a formula comes to a given value.

use corpus::abi::{Entry, Relocation};
use linker::Target;

use super::object::{Aim, Setup};

/// Where the global offset table goes when the value does not depend on it.
const GOT: u64 = 0x2000_0000;
/// What entries are of.
const SYMBOL: u64 = 0x3000_0238;
/// How far a variable is into the thread-local image.
const VARIABLE: u64 = 8;
/// The largest table made, in bytes.
const TABLE: i64 = 0x1_0010;

/// A link in which X is `x`, with an addend of `a` where the value leaves a choice. None if there is none.
pub(super) fn at(target: &Target, relocation: &Relocation, word: u64, x: i64, a: i64, p: u64) -> Option<Setup> {
    let formula = relocation.formula.as_ref()?;
    let a = forced_addend(target, relocation, x).unwrap_or(a);
    let word = if target.pointer_bits == 32 { relocation.with_addend(word, a)? } else { word };
    let mut setup = Setup { word, a, p, aim: Aim::Label(0), got: None, before: 0 };
    // What S + A has to be.
    let sum = |minus: u64| target.wrap((x.wrapping_sub(a) as u64).wrapping_add(minus));
    let page = |address: u64| address & !0xfff;
    let text = formula.text();
    if let Some((entry, _)) = formula.entry() {
        setup.aim = if entry == Entry::Address { Aim::Label(SYMBOL) } else { Aim::ThreadLocal(VARIABLE) };
        let mut got = match text {
            _ if text.starts_with("Page(") && x & 0xfff == 0 => (x as u64).wrapping_add(page(p)) + 0x238,
            _ if text.starts_with("Page(") => return None,
            _ if text.ends_with(") + A - P") => sum(p),
            _ if text.ends_with(") - P") => (x as u64).wrapping_add(p),
            _ if text.ends_with(") + A") => sum(0),
            _ if text.ends_with(" - GOT_ORG") => {
                setup.before = u64::from(is_moved(relocation, x));
                GOT
            }
            _ if text.ends_with(" - GOT") && (0..TABLE).contains(&x) && x & 7 == 0 => {
                setup.before = x as u64 / 8;
                GOT
            }
            _ if text.ends_with(" - Page(GOT)") && (0..TABLE).contains(&x) && x & 7 == 0 => {
                setup.before = x as u64 / 0x1000 * 0x200;
                GOT + x as u64 % 0x1000
            }
            _ if text.ends_with(")") && !text.contains(" - ") => x as u64,
            _ => return None,
        };
        got = target.wrap(got);
        setup.got = Some(got);
        return fits(target, got, p).then_some(setup);
    }
    setup.aim = match text {
        "S + A" | "(S + A) | T" | "PLT(S) + A" => Aim::Label(sum(0)),
        "S + A - P" | "((S + A) | T) - P" => Aim::Label(sum(p)),
        "S + A - Pa" | "((S + A) | T) - Pa" => Aim::Label(sum(p & !3)),
        "Page(S + A) - Page(P)" if x & 0xfff == 0 => Aim::Label(sum(page(p) + 0x235)),
        "S + A - GOT" | "S + A - GOT_ORG" | "((S + A) | T) - GOT_ORG" => {
            setup.got = Some(GOT);
            Aim::Label(sum(GOT))
        }
        "S + A - B(S)" | "((S + A) | T) - B(S)" => {
            let offset = x.wrapping_sub(a);
            // The section cannot be as large as all memory.
            return (0..(1 << 30) - 0x1000)
                .contains(&offset)
                .then_some(Setup { aim: Aim::Inside(offset as u64), ..setup });
        }
        "B(S) + A" | "B(S) + A - P" => {
            let got = sum(if text.ends_with('P') { p } else { 0 });
            setup.got = Some(got);
            return fits(target, got, p).then_some(Setup { aim: Aim::Origin, ..setup });
        }
        "TPREL(S + A)" | "DTPREL(S + A)" | "S + A - tp" | "S + A - TLS" => Aim::ThreadLocal(VARIABLE),
        _ => return None,
    };
    Some(setup)
}

/// Whether a table can be there: aligned, and on pages of its own.
fn fits(target: &Target, got: u64, p: u64) -> bool {
    let page = |address: u64| address / 0x1000;
    got & 7 == 0 && page(got) != page(p) && page(got) != page(target.wrap(u64::MAX))
}

/// X with an addend of 0, where nothing but the addend decides it.
pub(super) fn fixed_part(target: &Target, relocation: &Relocation) -> Option<i64> {
    let text = relocation.formula.as_ref()?.text();
    match text {
        "DTPREL(S + A)" | "S + A - TLS" => Some(VARIABLE as i64),
        "TPREL(S + A)" | "S + A - tp" => Some(VARIABLE as i64 + 2 * target.pointer_bytes() as i64),
        _ if text.ends_with(" + A - GOT_ORG") && text.starts_with("G(") => Some(0),
        _ => None,
    }
}

fn forced_addend(target: &Target, relocation: &Relocation, x: i64) -> Option<i64> {
    let fixed = fixed_part(target, relocation)?;
    let moved = if fixed == 0 && is_moved(relocation, x) { 4 } else { 0 };
    Some(x.wrapping_sub(fixed + moved))
}

/// Whether an entry before the one that matters, a word away, takes the value out of a range that is the field's own.
fn is_moved(relocation: &Relocation, x: i64) -> bool {
    relocation.select.0 == 11 && x > 0xfff
}

/// Places to try: in the middle of memory, beside its ends, and for halfword instructions in the midst of a word.
pub(super) fn places(target: &Target, relocation: &Relocation) -> Vec<u64> {
    use corpus::abi::Place;
    match relocation.form.place {
        _ if target.pointer_bits == 64 => vec![0x40_0000_1008, 0x10_1004],
        Place::T16 | Place::T32 => vec![0x4000_0008, 0x4000_0006, 0xffff_e008, 0xffff_e006, 0x1_1006],
        _ => vec![0x4000_0008, 0xffff_e008, 0x1_1004],
    }
}
