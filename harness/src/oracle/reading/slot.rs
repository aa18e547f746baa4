//! Fields that lead to a slot of the table: the slot is read off the field, and what it holds off the output.

use corpus::abi::{Entry, Inputs, Special};

use super::Reading;
use crate::oracle::field::{Finding, Way};
use crate::oracle::output::Output;

/// How much of its slot's address a field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All.
    Whole,
    /// The page: its other half says where in it.
    Page,
    /// Where in the page.
    InPage,
    /// Some bits of an offset, of which others say the rest.
    Some,
}

impl Reading<'_> {
    /// Whether the field leads to a slot that holds what the formula wants there.
    pub(super) fn slot(&self, output: &Output<'_>, word: u64, entry: Entry, with_addend: bool) -> Finding {
        let slots = match self.led_to(output, word) {
            Ok(slots) => slots,
            Err(why) => return Finding::Unknown(why),
        };
        // Of several pieces nobody knows which belong together: the one that fits.
        if self.part() == Part::Some {
            let fits =
                |slot: &u64| self.field.exact(&self.with_slot(output, *slot), word) == Finding::Right(Way::Directly);
            let mut found = slots.into_iter().filter(fits).map(|slot| self.holds(output, slot, entry, with_addend));
            let none = Finding::Wrong("no slot of its table holds what the formula wants".to_owned());
            return match found.find(|held| !matches!(held, Err(Finding::Wrong(_)))) {
                Some(Ok(())) => Finding::Right(Way::Slot),
                Some(Err(finding)) => finding,
                None => none,
            };
        }
        for slot in slots {
            match self.field.exact(&self.with_slot(output, slot), word) {
                Finding::Right(_) => {}
                other => return other,
            }
            if let Err(finding) = self.holds(output, slot, entry, with_addend) {
                return finding;
            }
        }
        Finding::Right(Way::Slot)
    }

    /// Whether the field leads to a descriptor of the function: where it is, is the linker's choice.
    pub(super) fn descriptor(&self, output: &Output<'_>, word: u64) -> Finding {
        let inputs = self.inputs_of(output);
        let Some(zero) = self.field.relocation.value(&inputs) else {
            return Finding::Unknown("it has no value".to_owned());
        };
        let at = self.field.wrap((self.field.said(word) as u64).wrapping_sub(zero as u64));
        let width = self.graph.target.pointer_bytes();
        let held = [at, at.wrapping_add(width as u64)].map(|at| output.word_at(at, width));
        if held == [Some(self.field.wrap(inputs.s | u64::from(inputs.t))), Some(inputs.got)] {
            Finding::Right(Way::Slot)
        } else {
            Finding::Wrong(format!("it leads to {at:#x}, where there is no descriptor of {:#x}", inputs.s))
        }
    }

    fn with_slot(&self, output: &Output<'_>, slot: u64) -> Inputs {
        Inputs { entry: slot, ..self.inputs_of(output) }
    }

    fn part(&self) -> Part {
        let (text, select) = (self.field.formula(), self.field.relocation.select);
        match self.field.relocation.form.special {
            Some(Special::Hw | Special::MovnMovz) => Part::Some,
            _ if text.starts_with("Page(") => Part::Page,
            _ if select.0 == 11 && !text.contains('-') => Part::InPage,
            _ => Part::Whole,
        }
    }

    /// The slots that the field leads to: one, or one for each half that goes with it.
    fn led_to(&self, output: &Output<'_>, word: u64) -> Result<Vec<u64>, String> {
        let part = self.part();
        match part {
            Part::Whole => {
                let zero = self.field.relocation.value(&self.with_slot(output, 0)).unwrap_or(0);
                let low = self.field.relocation.select.0;
                // An offset in a page of the table has no sign.
                let unsigned = matches!(self.field.relocation.check, corpus::abi::Check::Range(0, _)) && low < 32;
                let x = if unsigned { self.field.relocation.decode(word) } else { self.field.said(word) };
                Ok(vec![self.field.wrap((x as u64).wrapping_sub(zero as u64))])
            }
            Part::Some => Ok(output.slots(self.graph.target.pointer_bytes()).collect()),
            Part::Page => {
                let others = self.halves(output, Part::InPage);
                Ok(others.iter().map(|(other, its)| self.page(word) | other.low(*its)).collect())
            }
            Part::InPage => {
                let others = self.halves(output, Part::Page);
                Ok(others.iter().map(|(other, its)| other.page(*its) | self.low(word)).collect())
            }
        }
        .and_then(|slots: Vec<u64>| {
            let alone = slots.is_empty() && part != Part::Some;
            if alone { Err("the other half of its pair is not in the object".to_owned()) } else { Ok(slots) }
        })
    }

    /// The other halves of a pair, with their words: those of the same block, or else all there are.
    fn halves(&self, output: &Output<'_>, wanted: Part) -> Vec<(Reading<'_>, u64)> {
        let read = |id| {
            let other = self.wants_the_same(id).then(|| Reading::new(self.linked, id).ok())??;
            let word = (other.part() == wanted).then(|| other.word(output))??;
            Some((other, word))
        };
        let block = &self.graph.blocks[self.graph.edges[self.id].block];
        let near: Vec<_> = block.edge_ids().filter_map(read).collect();
        if near.is_empty() { self.graph.live_edges().filter_map(|(id, _)| read(id)).collect() } else { near }
    }

    fn page(&self, word: u64) -> u64 {
        (self.field.inputs.p & !0xfff).wrapping_add_signed(self.field.said(word))
    }

    fn low(&self, word: u64) -> u64 {
        self.field.relocation.decode(word) as u64
    }

    /// Whether a slot of the table holds what it has to.
    fn holds(&self, output: &Output<'_>, slot: u64, entry: Entry, with_addend: bool) -> Result<(), Finding> {
        let width = self.graph.target.pointer_bytes();
        let inputs = &self.field.inputs;
        let sum = inputs.s.wrapping_add(if with_addend { inputs.a as u64 } else { 0 });
        // A module's number is the loader's; a static link is the first.
        let wanted = match entry {
            _ if self.is_nothing => vec![0],
            Entry::Address => vec![sum | u64::from(inputs.t)],
            Entry::ThreadOffset => vec![sum.wrapping_sub(inputs.tp)],
            Entry::ModuleAndOffset => vec![1, sum.wrapping_sub(inputs.tls)],
            Entry::Module => vec![1, 0],
            // Descriptors of variables and functions, and what is signed.
            other => {
                return Err(Finding::Unknown(format!("what an entry for {other:?} holds is the run-time's")));
            }
        };
        if !output.in_table(slot, wanted.len() * width) {
            return Err(Finding::Wrong(format!("it leads to {slot:#x}, where there is no slot of the table")));
        }
        for (index, wanted) in wanted.into_iter().enumerate() {
            let address = slot + (index * width) as u64;
            let (held, wanted) = (output.word_at(address, width), self.field.wrap(wanted));
            if held != Some(wanted) {
                let held = held.map_or("nothing".to_owned(), |held| format!("{held:#x}"));
                return Err(Finding::Wrong(format!("the slot at {address:#x} holds {held}, not {wanted:#x}")));
            }
        }
        Ok(())
    }
}
