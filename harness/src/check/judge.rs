//! What the ABI says of each field: by itself, by the slot or the stub that it leads to, or with its sequence.

mod sequences;

use corpus::abi::{self, Entry, Inputs};

use super::elf::Relocation;
use super::resolve::{Known, Target};
use super::slots::Slots;
use super::thread_pointer;
use crate::oracle::{Field, Finding, Output, Way};

/// Stubs that are run.
const MOST_STUBS: usize = 20_000;

/// What is found of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is what the ABI says, by way of this.
    Right(Way),
    /// Its instruction is another, and the sequence comes to the same.
    Relaxed,
    /// It is not, and why.
    Wrong(String),
    /// That cannot be said, and why.
    Unknown(String),
    /// The relocation has no field.
    NoField,
}

/// A field with what is found of it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) relocation: Relocation,
    pub(super) row: Option<&'static abi::Relocation>,
    pub(super) verdict: Verdict,
    pub(super) s: Option<u64>,
    pub(super) a: i64,
    pub(super) p: u64,
    /// The words that the object and the image have, and the one that the formula makes.
    pub(super) before: u64,
    pub(super) word: u64,
    pub(super) expected: Option<u64>,
    /// What its symbol is.
    pub(super) target: Option<Target>,
}

/// Judges fields of an image.
pub(super) struct Judge<'a, 'b> {
    pub(super) known: &'b Known<'a, 'b>,
    pub(super) output: &'b Output<'b>,
    pub(super) slots: &'b Slots,
}

/// One way to read a relocation: what it is taken for, and what goes into its formula.
type Choice = (&'static abi::Relocation, Inputs, Option<bool>);

impl Judge<'_, '_> {
    /// Judges the fields of a section that are placed. The number of those that are not comes second.
    pub(super) fn section(&self, number: usize, section: usize) -> (Vec<Judged>, usize) {
        let list = self.known.objects[number].relocations.get(&section).map(Vec::as_slice).unwrap_or_default();
        let mut judged = Vec::with_capacity(list.len());
        let mut lost = 0;
        for (index, relocation) in list.iter().enumerate() {
            let later = list[index + 1..].iter().take_while(|later| later.offset == relocation.offset);
            let is_overwritten =
                later.take(4).any(|later| self.row(later).is_some_and(|row| row.form.place.size() > 0));
            match self.known.placement.address(number, section, relocation.offset) {
                Some(p) => judged.push(self.one(number, section, relocation, p, is_overwritten)),
                None => lost += 1,
            }
        }
        self.sequences(&mut judged);
        (judged, lost)
    }

    fn row(&self, relocation: &Relocation) -> Option<&'static abi::Relocation> {
        let class = self.known.image.class;
        abi::of(class).get(class, relocation.number)
    }

    fn one(&self, number: usize, section: usize, relocation: &Relocation, p: u64, is_overwritten: bool) -> Judged {
        let unknown = |why: &str| Verdict::Unknown(why.to_owned());
        let row = self.row(relocation);
        let mut judged = Judged {
            relocation: *relocation,
            row,
            verdict: Verdict::NoField,
            s: None,
            a: relocation.addend.unwrap_or(0),
            p,
            before: 0,
            word: 0,
            expected: None,
            target: None,
        };
        let Some(row) = row else {
            judged.verdict = Verdict::Unknown(format!("the ABI has no relocation of number {}", relocation.number));
            return judged;
        };
        let target = self.known.image.target;
        let size = row.form.place.size();
        if size == 0 {
            // What marks an instruction of a sequence is looked at with it.
            judged.word = self.output.read_at(p, 4).map_or(0, |bytes| super::elf::number(bytes, false));
            judged.a = relocation.addend.unwrap_or(0);
            if let Target::At { address, .. } = self.known.target(number, relocation, judged.a) {
                judged.s = Some(address);
            }
            return judged;
        }
        let (Some(bytes), Some(before)) =
            (self.output.read_at(p, size), self.known.before(number, section, relocation.offset, row))
        else {
            judged.verdict = unknown("the object or the image has no bytes there");
            return judged;
        };
        judged.before = before;
        judged.word = row.form.place.word_in_memory(bytes, target.big_endian);
        judged.a = self.known.addend(number, section, relocation);
        let found = self.known.target(number, relocation, judged.a);
        judged.s = match &found {
            Target::At { address, .. } => Some(*address),
            Target::Chosen { resolver, .. } => Some(*resolver),
            Target::Merged(merged) => merged.symbols.first().copied(),
            Target::Nothing => Some(0),
            Target::Unknown(_) => None,
        };
        judged.target = Some(found.clone());
        judged.verdict = match found {
            _ if is_overwritten => unknown("another relocation of the same place writes over it"),
            Target::Unknown(why) => unknown(why),
            found => self.examine(&mut judged, row, &found),
        };
        judged
    }

    fn examine(&self, judged: &mut Judged, row: &'static abi::Relocation, target: &Target) -> Verdict {
        let mut first = None;
        for (row, inputs, thumb) in self.choices(judged, row, target) {
            let field = Field {
                target: self.known.image.target,
                relocation: row,
                inputs,
                thumb,
                before: judged.before,
                is_thread_local: false,
            };
            let finding = match row.entry() {
                _ if *target == Target::Nothing && is_branch(row) => field.falls_through(judged.word),
                Some((entry, with_addend)) => self.slot(&field, judged.word, target, entry, with_addend),
                None => self.directly(&field, judged.word, target),
            };
            let expected = || row.value(&field.inputs).and_then(|x| row.expected(judged.before, x, thumb).ok());
            match finding {
                Finding::Right(way) => return Verdict::Right(way),
                other if first.is_none() => {
                    judged.expected = expected().filter(|_| row.entry().is_none());
                    judged.s = Some(inputs.s);
                    first = Some(other);
                }
                _ => {}
            }
        }
        let nothing = *target == Target::Nothing
            && row.entry().is_none()
            && row.formula.as_ref().is_some_and(|formula| formula.mentions("P"));
        let many = matches!(target, Target::Merged(merged) if merged.many);
        match first {
            Some(Finding::Wrong(_)) if nothing && !is_branch(row) => Verdict::Unknown(
                "relative to an undefined weak symbol, of which the ABI does not say where it is".to_owned(),
            ),
            Some(Finding::Wrong(_)) if many => {
                Verdict::Unknown("its string or constant is at too many places to say which".to_owned())
            }
            Some(Finding::Wrong(why)) => Verdict::Wrong(why),
            Some(Finding::Unknown(why) | Finding::Forbidden(why)) => Verdict::Unknown(why),
            Some(Finding::Right(way)) => Verdict::Right(way),
            None => Verdict::Unknown("nothing says how it is to be read".to_owned()),
        }
    }

    /// The ways to read a relocation: any of several equal strings, any origin that a table may have, and the meanings that
    /// platforms may give.
    fn choices(&self, judged: &Judged, row: &'static abi::Relocation, target: &Target) -> Vec<Choice> {
        let image = self.known.image;
        let tls = image.tls.unwrap_or((0, 0, 1));
        let (addresses, t, thumb): (Vec<u64>, bool, Option<bool>) = match target {
            Target::At { address, thumb, function } => (vec![*address], *thumb, function.then_some(*thumb)),
            Target::Chosen { stand_in, .. } => (vec![*stand_in], false, None),
            Target::Merged(merged) => (merged.symbols.clone(), false, None),
            Target::Nothing | Target::Unknown(_) => (vec![0], false, None),
        };
        let mut choices = Vec::new();
        for row in meanings(row) {
            let needs_origin = row
                .formula
                .as_ref()
                .is_some_and(|formula| ["GOT", "GOT_ORG", "B"].into_iter().any(|term| formula.mentions(term)));
            let origins: &[u64] = if needs_origin { &self.slots.origins } else { &[0] };
            for (&s, &got) in addresses.iter().flat_map(|s| origins.iter().map(move |got| (s, got))) {
                let base = if self.slots.origins.contains(&s) { got } else { self.output.segment_of(s).unwrap_or(0) };
                let s = if self.slots.origins.first() == Some(&s) && needs_origin { got } else { s };
                let inputs = Inputs {
                    s,
                    a: judged.a,
                    p: judged.p,
                    t,
                    base,
                    got,
                    tls: tls.0,
                    tp: thread_pointer(image.target, tls),
                    ..Inputs::default()
                };
                choices.push((row, inputs, thumb));
            }
        }
        choices
    }

    /// A field that is of the symbol itself.
    fn directly(&self, field: &Field, word: u64, target: &Target) -> Finding {
        let finding = field.exact(&field.inputs, word);
        match (&finding, target) {
            (Finding::Right(_), _) => finding,
            (Finding::Wrong(_) | Finding::Unknown(_), _) if is_branch(field.relocation) => {
                if self.output.followed() >= MOST_STUBS {
                    return Finding::Unknown("the image has too many stubs to follow".to_owned());
                }
                field.branch(&field.inputs, self.output, word)
            }
            // The address of a function that is chosen at the start is that of a stub.
            (_, Target::Chosen { stand_in, .. }) if !field.place().is_code() => {
                let x = field.relocation.value(&field.inputs).unwrap_or(0);
                let said = field.said(word).wrapping_sub(x) as u64;
                let start = field.wrap(field.inputs.s.wrapping_add(said));
                self.leads_to_chosen(start, *stand_in).map_or(finding, |()| Finding::Right(Way::Stub))
            }
            // A datum says where the string is.
            (_, Target::Merged(merged)) if !field.place().is_code() => {
                let x = field.relocation.value(&field.inputs).unwrap_or(0);
                let said = field.said(word).wrapping_sub(x) as u64;
                let sum = field.inputs.s.wrapping_add(said).wrapping_add_signed(field.inputs.a);
                if merged.is_at(self.known.image, field.wrap(sum)) { Finding::Right(Way::Directly) } else { finding }
            }
            (_, Target::Chosen { .. }) => {
                Finding::Unknown("a part of the address of a function that is chosen at the start (IFUNC)".to_owned())
            }
            _ => finding,
        }
    }

    fn leads_to_chosen(&self, start: u64, stand_in: u64) -> Option<()> {
        let state = start & u64::from(self.known.image.class == abi::Class::Arm) != 0;
        let end = self.output.follow(self.known.image.target, start & !u64::from(state), state)?;
        (end.0 == stand_in).then_some(())
    }

    /// A field that leads to a slot of the table.
    fn slot(&self, field: &Field, word: u64, target: &Target, entry: Entry, with_addend: bool) -> Finding {
        let inputs = &field.inputs;
        let image = self.known.image;
        let sum = inputs.s.wrapping_add(if with_addend { inputs.a as u64 } else { 0 });
        let nothing = *target == Target::Nothing;
        let places: Vec<u64> = match entry {
            Entry::Descriptor | Entry::ThreadOffset | Entry::ModuleAndOffset if nothing => {
                return Finding::Unknown("an undefined weak thread-local variable has no offset".to_owned());
            }
            Entry::Descriptor => {
                let offset = image.target.wrap(sum.wrapping_sub(inputs.tp));
                self.slots.descriptors(image, offset)
            }
            Entry::Address => {
                let value = if nothing { 0 } else { sum | u64::from(inputs.t) };
                let mut places = self.slots.holding(image.target.wrap(value)).to_vec();
                if let Target::Chosen { stand_in, .. } = target {
                    places.extend(self.slots.leading_to(image, self.output, *stand_in));
                }
                places
            }
            Entry::ThreadOffset => self.slots.holding(image.target.wrap(sum.wrapping_sub(inputs.tp))).to_vec(),
            Entry::ModuleAndOffset => self.slots.pairs(image, 1, image.target.wrap(sum.wrapping_sub(inputs.tls))),
            Entry::Module => self.slots.pairs(image, 1, 0),
            _ => return Finding::Unknown(format!("what an entry for {entry:?} holds is the run-time's")),
        };
        for &slot in &places {
            if let Finding::Right(_) = field.exact(&Inputs { entry: slot, ..*inputs }, word) {
                return Finding::Right(Way::Slot);
            }
        }
        match places.first() {
            None => Finding::Wrong(format!("no slot of the table holds what {} wants", field.formula())),
            Some(&slot) => match field.exact(&Inputs { entry: slot, ..*inputs }, word) {
                Finding::Wrong(why) => Finding::Wrong(format!("{why}; the slot at {slot:#x} is the one for it")),
                other => other,
            },
        }
    }
}

/// What a relocation may be taken for, where that is up to the platform.
fn meanings(row: &'static abi::Relocation) -> Vec<&'static abi::Relocation> {
    let others: &[&str] = match row.name.as_str() {
        "R_ARM_TARGET1" => &["R_ARM_ABS32", "R_ARM_REL32"],
        "R_ARM_TARGET2" => &["R_ARM_GOT_PREL", "R_ARM_REL32", "R_ARM_ABS32"],
        _ => return vec![row],
    };
    let all = &abi::of(row.class).relocations;
    let named = |name: &&str| all.iter().find(|row| row.name == **name);
    others.iter().filter_map(named).collect()
}

/// What branches are called where the ABI's rows name the instructions that carry them.
const BRANCHES: &[&str] = &["B", "BL", "B.W", "B.EQ", "BEQ", "BEQ.W", "CBZ", "CBZ W", "TBZ W"];

/// Whether the relocation is of a branch, or of a datum that stands for one.
fn is_branch(row: &abi::Relocation) -> bool {
    let first = row.form.opcodes.first().map_or("", |opcode| opcode.name.as_str());
    BRANCHES.contains(&first) || row.name.ends_with("_PLT32") || row.name.ends_with("_PLT32_ABS")
}
