//! *encode*: what is in memory is what the ABI's formula comes to, for several S, A and P, for every instruction that may
//! carry the relocation and for every register; an instruction that may not is refused.

use corpus::abi::{Check, Class, Place, Refusal, Relocation, Special, SymbolRule};
use linker::{Error, Target};

use super::object::{Written, link};
use super::scene::{Aim, Scene};
use super::{Step, Trial, aim, decode};
use crate::executor::Unicorn;

impl Trial {
    /// Makes a link and compares it with the ABI. Gives X, and why it was refused if it was.
    pub(super) fn agree(&mut self, relocation: &Relocation, scene: &Scene) -> Result<(i64, Option<Refusal>), String> {
        self.runs += 1;
        let told = |what: String| format!("{what} [{scene:x?}]");
        let linked = link(self.target, relocation, scene).map_err(told)?;
        let inputs = &linked.inputs;
        let x = relocation.value(inputs).ok_or("the formula has no value")?;
        let thumb = match scene.aim {
            Aim::Function(_, thumb) => Some(thumb),
            _ => None,
        };
        let expected = relocation.expected(scene.word, x, thumb);
        match (&linked.outcome, expected) {
            (Ok(written), _) if !written.guarded => Err(told("bytes beside the place have changed".to_owned())),
            (Ok(Written { word, stub: Some(stub), .. }), _) => match expected {
                Err(Refusal::OutOfRange | Refusal::State) if leads_to(relocation, *word, *stub, inputs.p) => {
                    Ok((x, expected.err()))
                }
                _ => Err(told(format!("{word:#x} through a stub at {stub:#x}, expected {expected:x?} for {x:#x}"))),
            },
            (Ok(written), Ok(word)) if written.word == word => {
                match decode::check(&self.decoder, relocation, word, inputs.p, x).map_err(told)? {
                    true => self.decoded.0 += 1,
                    false => self.decoded.1 += 1,
                }
                Ok((x, None))
            }
            (Ok(written), expected) => {
                Err(told(format!("wrote {:#x}, expected {expected:x?} for X = {x:#x}", written.word)))
            }
            (Err(Error::OutOfRange(_)), Err(Refusal::OutOfRange))
            | (Err(Error::Misaligned(_)), Err(Refusal::Misaligned))
            | (Err(Error::State { .. }), Err(Refusal::State)) => Ok((x, expected.err())),
            (Err(error), expected) => Err(told(format!("{error}, expected {expected:x?} for X = {x:#x}"))),
        }
    }
}

/// Whether a branch leads to a stub.
fn leads_to(relocation: &Relocation, word: u64, stub: u64, p: u64) -> bool {
    let bias = match relocation.form.place {
        Place::A32 => 8,
        Place::T32 => 4,
        _ => 0,
    };
    let distance = (stub & !1).wrapping_sub(p + bias) as i64;
    let said = relocation.decode(word);
    // BLX counts from a whole word.
    said == relocation.part(distance) || said == relocation.part((distance + 3) & !3)
}

/// Words that may stand at the place.
pub(super) fn words(relocation: &Relocation) -> Vec<u64> {
    let words: Vec<u64> = relocation.opcodes().iter().map(|opcode| opcode.word).collect();
    if words.is_empty() { vec![0] } else { words }
}

/// Those of them that the target's core has.
pub(crate) fn words_on(target: &Target, relocation: &Relocation) -> Vec<u64> {
    let mut words = words(relocation);
    if Unicorn::has_thumb_only(target) {
        // It changes the state, of which there is but one.
        words.retain(|&word| !relocation.opcodes().iter().any(|opcode| (opcode.word, &*opcode.name) == (word, "BLX")));
    }
    words
}

/// Values that show every bit of the field.
pub(crate) fn values(relocation: &Relocation) -> Vec<i64> {
    let patterns = [0, 8, 0x40, 0x238, 0xff8, 0x7f8, 0x5550, 0x2aa8, 0x1_2340, 0x55_5550, 0x0123_4567_89ab_cde0];
    let mut values: Vec<i64> = patterns.iter().flat_map(|x: &i64| [*x, -*x]).collect();
    // An entry of a table is at a multiple of eight, and these are what is left to one from odd places.
    values.extend([0x5554, 0x5559]);
    values.extend([0x7654_3210, 0x1234_5000, -0x1234_5000, 0x7fff_f000, -0x6543_2000, 0x5555_5000, 0x10_3000]);
    let page = relocation.formula.as_ref().is_some_and(|formula| formula.text().starts_with("Page("));
    let step = if page { 0x1000 } else { relocation.align as i64 };
    let fits = |x: &i64| match relocation.check {
        Check::Range(low, high) => (low..=high).contains(&i128::from(*x)),
        _ => true,
    };
    values.iter().map(|x| x & !(step - 1)).filter(fits).collect()
}

pub(super) fn prove(trial: &mut Trial, relocation: &Relocation) -> Step {
    let words = words_on(trial.target, relocation);
    let mut accepted = 0;
    for &word in &words {
        for x in values(relocation) {
            for p in aim::places(trial.target, relocation) {
                for a in [0, 0x10, -8] {
                    // Groups cannot hold every value.
                    if let Some(scene) = aim::at(trial.target, relocation, word, x, a, p) {
                        accepted += usize::from(trial.agree(relocation, &scene)?.1.is_none());
                    }
                }
            }
        }
        if accepted == 0 {
            return Err(format!("no value was accepted in {word:#x}"));
        }
        registers(trial, relocation, word)?;
    }
    states(trial, relocation, &words)?;
    carry(trial, relocation)?;
    symbols(trial, relocation)?;
    wrong(trial, relocation)?;
    match trial.decoded {
        (read, unknown) if unknown > 0 && relocation.form.place.is_code() && !decode::is_unknown(relocation) => {
            Err(format!("the decoder read {read} words and does not know {unknown}"))
        }
        _ => Ok(()),
    }
}

/// An offset in the table that carries into the top bit of a stored addend, which a field without that bit would leave.
fn carry(trial: &mut Trial, relocation: &Relocation) -> Step {
    let top = i64::from(i32::MAX) & !3;
    if trial.target.register_bits != 32
        || relocation.select != (31, 0)
        || aim::fixed_part(trial.target, relocation) != Some(0)
    {
        return Ok(());
    }
    let scene = aim::at(trial.target, relocation, 0, top, 0, aim::places(trial.target, relocation)[0]);
    let scene = scene.ok_or("no table for a carry into the top bit")?;
    trial.agree(relocation, &Scene { before: 1, ..scene }).map(|_| ())
}

/// A symbol that may not be what it is is refused, and one that nobody defines leaves the place as it was, where the ABI says so.
fn symbols(trial: &mut Trial, relocation: &Relocation) -> Step {
    let Some(SymbolRule::UndefinedOrAbsolute) = relocation.symbol else { return Ok(()) };
    let p = aim::places(trial.target, relocation)[0];
    let word = 0xd503_201f & relocation.field();
    for aim in [Aim::Inside(0x10), Aim::Nothing] {
        let scene = Scene { word, a: 0, p, aim, got: None, before: 0, pair: None };
        trial.runs += 1;
        match (aim, link(trial.target, relocation, &scene)?.outcome) {
            (Aim::Nothing, Ok(written)) if written.word == word && written.guarded => {}
            (Aim::Inside(_), Err(Error::Malformed { .. })) => {}
            (_, outcome) => return Err(format!("{aim:x?} came to {outcome:x?}")),
        }
    }
    Ok(())
}

fn registers(trial: &mut Trial, relocation: &Relocation, word: u64) -> Step {
    let Some((at, width, count)) = relocation.form.rd else { return Ok(()) };
    let p = aim::places(trial.target, relocation)[0];
    for register in 0..count {
        let word = word & !(((1 << width) - 1) << at) | register << at;
        let scene = values(relocation).into_iter().find_map(|x| aim::at(trial.target, relocation, word, x, 0, p));
        let scene = scene.ok_or("no value to try registers with")?;
        trial.agree(relocation, &scene)?;
    }
    Ok(())
}

/// Functions of either instruction set, where the formula or the instruction asks for it, or what the formula leads to.
fn states(trial: &mut Trial, relocation: &Relocation, words: &[u64]) -> Step {
    for &word in words {
        for scene in functions(trial.target, relocation, word) {
            trial.agree(relocation, &scene)?;
        }
    }
    Ok(())
}

/// Links with a function, where its instruction set matters.
pub(crate) fn functions(target: &Target, relocation: &Relocation, word: u64) -> Vec<Scene> {
    let asks = |term| relocation.formula.as_ref().is_some_and(|formula| formula.mentions(term));
    if relocation.class != Class::Arm || !asks("T") && !asks("FUNCDESC") {
        return Vec::new();
    }
    // No state is changed where there is but one.
    let has_one_state = Unicorn::has_thumb_only(target);
    let mut scenes = Vec::new();
    for p in aim::places(target, relocation) {
        for (x, thumb) in [(0x120, true), (0x122, true), (0x120, false), (-0x1f0, true), (-0x1f0, false)] {
            let Some(scene) = aim::at(target, relocation, word, x, 0, p) else { continue };
            let Aim::Label(address) = scene.aim else { continue };
            // Code of the main instruction set is in whole words.
            let address = if thumb { address & !1 } else { address & !3 };
            let changes = match relocation.form.special {
                Some(Special::A32Call) => thumb,
                _ => !thumb,
            };
            if plain_branch(relocation) != Some(!thumb) && !(has_one_state && changes) {
                scenes.push(Scene { aim: Aim::Function(address, thumb), ..scene });
            }
        }
    }
    scenes
}

/// The only state that a branch without a way to change it can be in, where the form does not say so.
fn plain_branch(relocation: &Relocation) -> Option<bool> {
    let branch = relocation.name.contains("JUMP19") || relocation.name.contains("_BF");
    (branch && relocation.form.special != Some(Special::T32Branch)).then_some(true)
}

fn wrong(trial: &mut Trial, relocation: &Relocation) -> Step {
    let Some(wrong) = &relocation.form.wrong else { return Ok(()) };
    let p = aim::places(trial.target, relocation)[0];
    let right = words(relocation)[0];
    let mut scenes = values(relocation).into_iter().filter_map(|x| aim::at(trial.target, relocation, right, x, 0, p));
    let scene = scenes.next().ok_or("no value to try a wrong instruction with")?;
    trial.runs += 1;
    match link(trial.target, relocation, &Scene { word: wrong.word, ..scene })?.outcome {
        Err(Error::Opcode { .. }) => Ok(()),
        Err(error) => Err(format!("{} is refused, but for another reason: {error}", wrong.name)),
        Ok(written) => Err(format!("{} may not carry it and became {:#x}", wrong.name, written.word)),
    }
}
