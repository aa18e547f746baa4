//! Which vectors there are for a relocation.

use corpus::abi::{Check, Class, Place, Refusal, Relocation, Special, Unresolved};
use linker::Target;

use super::data::{Kind, Record};
use super::evaluate::{Evaluated, evaluate};
use crate::proof::elf::Definition;
use crate::proof::scene::{Aim, Scene};
use crate::proof::{aim, dirty, edge, encode};

/// Values in range of the first instruction.
const VALUES: usize = 6;
/// Vectors of a kind of which there could be any number.
const FEW: usize = 3;

/// A vector to be.
#[derive(Clone, Debug)]
pub(super) struct Pick {
    pub(super) kind: Kind,
    pub(super) scene: Scene,
    pub(super) definition: Definition,
    pub(super) record: Record,
}

/// Takes what is picked for one relocation.
pub(super) struct Picker<'a> {
    target: &'a Target,
    relocation: &'a Relocation,
    words: Vec<u64>,
    places: Vec<u64>,
    pub(super) picks: Vec<Pick>,
}

impl<'a> Picker<'a> {
    pub(super) fn new(target: &'a Target, relocation: &'a Relocation) -> Picker<'a> {
        let words = encode::words_on(target, relocation);
        Picker { target, relocation, words, places: aim::places(target, relocation), picks: Vec::new() }
    }

    /// Picks vectors of every kind.
    pub(super) fn all(mut self) -> Vec<Pick> {
        self.in_range();
        self.limits();
        self.wrapped();
        self.dirty();
        self.functions();
        self.records();
        self.definitions();
        self.undefined();
        self.picks
    }

    /// Where the target keeps addends in places: its own records have none.
    fn record(&self) -> Record {
        if self.relocation.class == Class::Arm { Record::Rel } else { Record::Rela }
    }

    fn add(&mut self, kind: Kind, scene: Scene, definition: Definition) {
        let record = self.record();
        self.picks.push(Pick { kind, scene, definition, record });
    }

    /// Addends to try in turn.
    fn addends(&self) -> &'static [i64] {
        if self.relocation.zero_addend { &[0] } else { &[0, 0x10, -8] }
    }

    /// A scene in which X is exactly `x`, at whichever place and with whichever of these addends there is one.
    fn exactly(&self, word: u64, x: i64, addends: &[i64]) -> Option<(Scene, Evaluated)> {
        let mut tries = self.places.iter().flat_map(|p| addends.iter().map(move |a| (*p, *a)));
        tries.find_map(|(p, a)| self.at(word, x, a, p))
    }

    fn at(&self, word: u64, x: i64, a: i64, p: u64) -> Option<(Scene, Evaluated)> {
        let scene = aim::at(self.target, self.relocation, word, x, a, p)?;
        let evaluated = evaluate(self.target, self.relocation, &scene)?;
        // An addend that was chosen for the value is none where there has to be none.
        (evaluated.x == x && !self.relocation.forbids_addend(scene.a)).then_some((scene, evaluated))
    }

    fn in_range(&mut self) {
        let (values, addends) = (encode::values(self.relocation), self.addends());
        for (number, word) in self.words.clone().into_iter().enumerate() {
            let mut left = if number == 0 { VALUES } else { 1 };
            // Each with another place and addend, beginning in the middle, where values have more bits.
            let start = values.len() / 3 + number;
            for (index, x) in values.iter().cycle().skip(start).take(values.len()).enumerate() {
                let (p, a) = (self.places[index % self.places.len()], addends[index % addends.len()]);
                let word = if index % 2 == 1 { self.last_register(word) } else { word };
                if let Some((scene, Evaluated { outcome: Ok(_), .. })) = self.at(word, *x, a, p) {
                    self.add(Kind::InRange, scene, Definition::Absolute);
                    left -= 1;
                }
                if left == 0 {
                    break;
                }
            }
        }
    }

    /// The instruction with the last register that may stand in it.
    fn last_register(&self, word: u64) -> u64 {
        let Some((at, width, count)) = self.relocation.form.rd else { return word };
        word & !(((1 << width) - 1) << at) | (count - 1) << at
    }

    fn limits(&mut self) {
        let mut candidates = edge::candidates(self.relocation);
        candidates.iter_mut().for_each(|x| *x &= !(self.grain() - 1));
        // What is only misaligned is so in the middle of the range, too.
        candidates.sort_by_key(|x| x.unsigned_abs());
        candidates.dedup();
        let is_call = matches!(self.relocation.form.special, Some(Special::A32Call | Special::T32Call));
        let words = if is_call { self.words.clone() } else { self.words[..1].to_vec() };
        let (mut misaligned, mut beyond) = (0, 0);
        for word in words {
            for &x in &candidates {
                // The last is for what cannot be far enough away by itself.
                let addends = [0, 4, -8, x.wrapping_sub(0x1_0000) & !0xf];
                let addends = if self.relocation.zero_addend { &addends[..1] } else { &addends[..] };
                let Some((scene, evaluated)) = self.exactly(word, x, addends) else { continue };
                match evaluated.outcome {
                    Err(Refusal::Misaligned) if misaligned < FEW => {
                        misaligned += 1;
                        self.add(Kind::Misaligned, scene, Definition::Absolute);
                    }
                    Err(Refusal::OutOfRange)
                        if self.is_first_bad(x)
                            && beyond < 2 * FEW
                            && !self.ends_silently()
                            && self.is_aligned(word, x) =>
                    {
                        beyond += 1;
                        self.add(Kind::FirstBad, scene, Definition::Absolute);
                    }
                    Ok(_) if self.is_last_good(x) => self.add(Kind::LastGood, scene, Definition::Absolute),
                    _ => {}
                }
            }
        }
    }

    /// Whether nothing but its range is wrong with a value.
    fn is_aligned(&self, word: u64, x: i64) -> bool {
        // BLX of A32 reaches halfwords.
        let is_blx = self.relocation.form.special == Some(Special::A32Call) && word >> 28 == 0xf;
        x & (if is_blx { 1 } else { self.relocation.align as i64 - 1 }) == 0
    }

    /// Whether the ABI has no error for what does not fit.
    fn ends_silently(&self) -> bool {
        self.relocation.name.contains("_THM_BF")
    }

    fn is_last_good(&self, x: i64) -> bool {
        let step = self.step();
        match self.relocation.check {
            Check::None => false,
            _ => self.fits(x) && (!self.fits(x.wrapping_add(step)) || !self.fits(x.wrapping_sub(step))),
        }
    }

    fn is_first_bad(&self, x: i64) -> bool {
        let step = self.step();
        !self.fits(x) && (self.fits(x.wrapping_add(step)) || self.fits(x.wrapping_sub(step)))
    }

    /// From one value that is possible at all to the next.
    fn step(&self) -> i64 {
        match self.relocation.check {
            Check::Group => 1 << self.relocation.select.1,
            _ => edge::step(self.relocation).max(self.grain()),
        }
    }

    /// What addresses of Thumb code are multiples of, although the ABI does not check that X is one.
    fn grain(&self) -> i64 {
        let is_thumb = matches!(self.relocation.form.place, Place::T16 | Place::T32);
        if is_thumb && self.relocation.select.1 == 1 { 2 } else { 1 }
    }

    fn fits(&self, x: i64) -> bool {
        self.relocation.expected(self.words[0], x, None) != Err(Refusal::OutOfRange)
    }

    /// Sums that leave the address space, and what an unchecked field does not take.
    fn wrapped(&mut self) {
        let word = self.words[0];
        let mut left = FEW;
        if self.relocation.check == Check::None {
            for x in edge::candidates(self.relocation) {
                let whole = |value: u64| self.relocation.part(x) == value as i64;
                if whole(x as u64) || left == 0 {
                    continue;
                }
                let addends = if self.relocation.zero_addend { &[0][..] } else { &[0, 4][..] };
                if let Some((scene, Evaluated { outcome: Ok(_), .. })) = self.exactly(word, x, addends) {
                    self.add(Kind::Wrap, scene, Definition::Absolute);
                    left -= 1;
                }
            }
        }
        // Behind the end of memory there is its beginning.
        for (p, x) in self.around_the_end() {
            if let Some((scene, Evaluated { outcome: Ok(_), .. })) = self.at(word, x, 0, p) {
                self.add(Kind::Wrap, scene, Definition::Absolute);
            }
        }
    }

    /// Places and distances that leave the address space at its end, where addresses wrap.
    fn around_the_end(&self) -> Vec<(u64, i64)> {
        let text = self.relocation.formula.as_ref().map_or("", |formula| formula.text());
        let relative = text.ends_with(" - P") || text.ends_with(" - Pa") || text.ends_with(" - Page(P)");
        if !relative || !text.contains("S + A") || self.target.register_bits != self.target.pointer_bits {
            return Vec::new();
        }
        let last = if self.target.pointer_bits == 32 { u64::from(u32::MAX) } else { u64::MAX };
        let is_page = text.starts_with("Page(");
        let (end, start) = ((last - 0x1ff7) & !7, 0x1008);
        let far = if is_page { 0x5000 } else { 0x4000 };
        vec![(end, far), (start, -far)]
    }

    fn dirty(&mut self) {
        let stored = self.target.register_bits == 32;
        let words = self.words.clone();
        let mut left = 4;
        for (index, junk) in dirty::junk().into_iter().enumerate() {
            let word = dirty::fill(self.relocation, words[index % words.len()], junk);
            let a = if stored { self.relocation.addend(word) } else { *self.addends().last().unwrap_or(&0) };
            let p = self.places[index % self.places.len()];
            let found = dirty::wanted(self.target, self.relocation, a).into_iter().rev().find_map(|x| {
                let scene = aim::at(self.target, self.relocation, word, x, a, p)?;
                let evaluated = evaluate(self.target, self.relocation, &Scene { word, ..scene })?;
                let same = scene.a == a || !stored;
                let lawful = !self.relocation.forbids_addend(scene.a);
                (same && lawful && evaluated.outcome.is_ok()).then_some(Scene { word, ..scene })
            });
            if let Some(scene) = found {
                self.add(Kind::Dirty, scene, Definition::Absolute);
                left -= 1;
            }
            if left == 0 {
                break;
            }
        }
    }

    fn functions(&mut self) {
        for word in self.words.clone() {
            let mut seen = Vec::new();
            for scene in encode::functions(self.target, self.relocation, word) {
                let Some(evaluated) = evaluate(self.target, self.relocation, &scene) else { continue };
                if evaluated.outcome != Err(Refusal::Misaligned) && !seen.contains(&evaluated.x) {
                    seen.push(evaluated.x);
                    self.add(Kind::Thumb, scene, Definition::Absolute);
                }
                if seen.len() > FEW {
                    break;
                }
            }
        }
    }

    /// ARM with the addend in the record: what is in the place goes.
    fn records(&mut self) {
        if self.record() == Record::Rela {
            return;
        }
        let mut left = 2;
        for (index, junk) in dirty::junk().into_iter().enumerate().skip(1) {
            let word = dirty::fill(self.relocation, self.words[0], junk);
            let a = [0x10, -8][index % 2];
            for x in dirty::wanted(self.target, self.relocation, a).into_iter().rev() {
                let Some((scene, _)) = self.exactly(self.words[0], x, &[a]) else { continue };
                let scene = Scene { word, ..scene };
                let outcome = evaluate(self.target, self.relocation, &scene).map(|evaluated| evaluated.outcome);
                if matches!(outcome, Some(Ok(_))) && scene.a == a {
                    self.picks.push(Pick {
                        kind: Kind::Rela,
                        scene,
                        definition: Definition::Absolute,
                        record: Record::Rela,
                    });
                    left -= 1;
                    break;
                }
            }
            if left == 0 {
                break;
            }
        }
    }

    /// One value by each kind of symbol.
    fn definitions(&mut self) {
        if self.relocation.symbol.is_some() {
            return;
        }
        let values = [0x5000, 0x2000, 0x400, 0x100, 0x80, 0x40];
        let word = self.words[0];
        let scene = values.into_iter().find_map(|x| {
            let (scene, evaluated) = self.exactly(word, x, &[0])?;
            (matches!(scene.aim, Aim::Label(_)) && evaluated.outcome.is_ok()).then_some(scene)
        });
        let Some(scene) = scene else { return };
        for (kind, definition) in [
            (Kind::Absolute, Definition::Absolute),
            (Kind::Local, Definition::Local),
            (Kind::Section, Definition::Section),
            (Kind::Weak, Definition::Weak),
            (Kind::Common, Definition::Common),
        ] {
            if self.has_room(&scene, definition) {
                self.add(kind, scene, definition);
            }
        }
    }

    /// Whether what defines the label can be there: sections of different protection share no page.
    fn has_room(&self, scene: &Scene, definition: Definition) -> bool {
        let page = |address: u64| address / 0x1000;
        let Aim::Label(s) = scene.aim else { return false };
        let beside = |address: u64| page(address) == page(s);
        match definition {
            Definition::Absolute | Definition::Undefined => true,
            // Nobody branches to data.
            Definition::Common if beside(scene.p) || self.relocation.veneer => false,
            _ => !scene.got.is_some_and(beside),
        }
    }

    fn undefined(&mut self) {
        let word = self.words[0];
        // Of a branch the addend that assemblers give it: what the program counter reads is ahead.
        let a = match (self.relocation.unresolved_branch, self.relocation.form.place) {
            (Some(_), Place::A32) => -8,
            (Some(_), Place::T32) => -4,
            _ => 0,
        };
        let p = self.places[0];
        let Some(word) =
            (if self.target.register_bits == 32 { self.relocation.with_addend(word, a) } else { Some(word) })
        else {
            return;
        };
        let scene = Scene { word, a, p, aim: Aim::Nothing, got: None, before: 0, pair: None };
        let Some(evaluated) = evaluate(self.target, self.relocation, &scene) else { return };
        if self.relocation.symbol.is_some() || self.relocation.unresolved(&evaluated.inputs) != Unresolved::Unspecified
        {
            self.add(Kind::WeakUndefined, scene, Definition::Undefined);
        }
    }
}
