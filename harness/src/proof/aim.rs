//! Choosing addresses so that a formula comes to a given value.

use corpus::abi::{Entry, Relocation};
use linker::Target;

use super::scene::{Aim, Scene};

/// Where the global offset table goes when the value does not depend on it.
const GOT: u64 = 0x2000_0240;
/// What entries are of.
const SYMBOL: u64 = 0x3000_0238;
/// How far a variable is into the thread-local image.
const VARIABLE: u64 = 8;
/// The largest table made, in bytes.
const TABLE: i64 = 0x1_0010;

/// A link in which X is `x`, with an addend of `a` where the value leaves a choice. None if there is none.
pub(crate) fn at(target: &Target, relocation: &Relocation, word: u64, x: i64, a: i64, p: u64) -> Option<Scene> {
    let formula = relocation.formula.as_ref()?;
    let a = forced_addend(target, relocation, x).unwrap_or(a);
    let word = if target.register_bits == 32 { relocation.with_addend(word, a)? } else { word };
    let mut scene = Scene { word, a, p, aim: Aim::Label(0), got: None, before: 0, pair: None };
    // A relocation of a 32-bit object has an addend of 32 bits.
    if target.pointer_bits == 32 && i32::try_from(a).is_err() && target.register_bits == 64 {
        return None;
    }
    // The address of what has to be so far from there.
    let sum = |minus: u64| address(target, (x.wrapping_sub(a) as u64).wrapping_add(minus));
    // The same for S, where A may help.
    let label = |minus: u64| {
        let total = (x as u64).wrapping_add(minus);
        sum(minus).map(|s| (s, a)).or_else(|| {
            let s = (total as i64).clamp(0, u32::MAX.into());
            i32::try_from(total as i64 - s).ok().map(|a| (s as u64, a.into()))
        })
    };
    let page = |address: u64| address & !0xfff;
    let (text, width) = (formula.text(), target.pointer_bytes() as i64);
    if let Some(entry) = formula.entry() {
        scene.aim = if matches!(entry, Entry::Address | Entry::Signed | Entry::Function) {
            Aim::Label(SYMBOL)
        } else {
            Aim::ThreadLocal(VARIABLE)
        };
        let got = match text {
            _ if text.starts_with("Page(") && x & 0xfff == 0 => (x as u64).wrapping_add(page(p)) + 0x238,
            _ if text.starts_with("Page(") => return None,
            _ if text.ends_with(") + A - P") || text.ends_with(") - P + A") => sum(p)?,
            _ if text.ends_with(") - P") => (x as u64).wrapping_add(p),
            _ if text.ends_with(") + A") => sum(0)?,
            _ if text.ends_with(" - GOT_ORG") => {
                scene.before = u64::from(is_moved(relocation, x));
                GOT
            }
            _ if text.ends_with(" - GOT") && (0..TABLE).contains(&x) && x % width == 0 => {
                scene.before = (x / width) as u64;
                GOT
            }
            _ if text.ends_with(" - Page(GOT)") && (0..TABLE).contains(&x) && x % width == 0 => {
                scene.before = (x / 0x1000 * (0x1000 / width)) as u64;
                (GOT & !0xfff) + x as u64 % 0x1000
            }
            _ if text.ends_with(")") && !text.contains(" - ") => x as u64,
            _ => return None,
        };
        let got = address(target, got)?;
        scene.got = Some(got);
        return fits(target, got, p).then_some(scene);
    }
    let minus = match text {
        "S + A" | "(S + A) | T" | "PLT(S) + A" | "PAUTH(S + A)" | "FUNCINIT(S + A)" => Some(0),
        "S + A - P" | "((S + A) | T) - P" => Some(p),
        "S + A - Pa" | "((S + A) | T) - Pa" => Some(p & !3),
        "Page(S + A) - Page(P)" if x & 0xfff == 0 => Some(page(p) + 0x235),
        "S + A - GOT" | "S + A - GOT_ORG" | "((S + A) | T) - GOT_ORG" => {
            scene.got = Some(GOT);
            Some(GOT)
        }
        _ => None,
    };
    if let Some(minus) = minus {
        let (s, a) = label(minus)?;
        return Some(Scene { aim: Aim::Label(s), a, ..scene });
    }
    scene.aim = match text {
        "S + A - B(S)" | "((S + A) | T) - B(S)" => {
            let offset = x.wrapping_sub(a);
            // The section cannot be as large as all memory.
            return (0..(1 << 30) - 0x1000)
                .contains(&offset)
                .then_some(Scene { aim: Aim::Inside(offset as u64), ..scene });
        }
        "FUNCDESC(S) + A" => {
            let got = sum(0)?;
            scene.got = Some(got);
            return fits(target, got, p).then_some(Scene { aim: Aim::Label(SYMBOL), ..scene });
        }
        "FUNCDESC(S) + A - GOT_ORG" => {
            scene.got = Some(GOT);
            Aim::Label(SYMBOL)
        }
        "B(S) + A" | "B(S) + A - P" => {
            let got = sum(if text.ends_with('P') { p } else { 0 })?;
            scene.got = Some(got);
            return fits(target, got, p).then_some(Scene { aim: Aim::Origin, ..scene });
        }
        "TPREL(S + A)" | "DTPREL(S + A)" | "S + A - tp" | "S + A - TLS" => Aim::ThreadLocal(VARIABLE),
        _ => return None,
    };
    Some(scene)
}

/// A sum as an address. Where addresses are computed in more bits than they have, not every one is.
fn address(target: &Target, sum: u64) -> Option<u64> {
    let wraps = target.register_bits == target.pointer_bits;
    (wraps || target.wrap(sum) == sum).then(|| target.wrap(sum))
}

/// Whether a table can be there: aligned, and on pages of its own.
fn fits(target: &Target, got: u64, p: u64) -> bool {
    let page = |address: u64| address / 0x1000;
    got & 7 == 0 && page(got) != page(p) && page(got) != page(target.wrap(u64::MAX))
}

/// X with an addend of 0, where nothing but the addend decides it.
pub(crate) fn fixed_part(target: &Target, relocation: &Relocation) -> Option<i64> {
    let text = relocation.formula.as_ref()?.text();
    match text {
        "DTPREL(S + A)" | "S + A - TLS" => Some(VARIABLE as i64),
        "TPREL(S + A)" | "S + A - tp" => Some(VARIABLE as i64 + 2 * target.pointer_bytes() as i64),
        _ if text.ends_with(" + A - GOT_ORG") && (text.starts_with("G(") || text.starts_with("FUNCDESC(")) => Some(0),
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
pub(crate) fn places(target: &Target, relocation: &Relocation) -> Vec<u64> {
    use corpus::abi::Place;
    let mut places = match relocation.form.place {
        _ if target.pointer_bits == 64 => vec![0x40_0000_1008, 0x10_1004],
        Place::T16 | Place::T32 => vec![0x4000_0008, 0x4000_0006, 0xffff_e008, 0xffff_e006, 0x1_1006],
        _ => vec![0x4000_0008, 0xffff_e008, 0x1_1004],
    };
    // Data may be anywhere.
    if !relocation.form.place.is_code() {
        places.push(0x1_1007);
    }
    places
}
