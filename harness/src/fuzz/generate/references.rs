//! References: who can refer to what, by which sequences of instructions, and what is done with what they find.

use super::Maker;
use crate::fuzz::dialect::{self, Kind, SEQUENCES};
use crate::fuzz::model::{
    Binding, Check, Data, Form, Function, How, Id, Item, Mode, Program, Sequence, Shape, Use, What,
};

impl Maker {
    /// A check with references to anything.
    pub(super) fn references(&mut self) {
        let object = self.object();
        if let Some(target) = self.visible(object, |program, item| kind(program, item).is_some()) {
            self.references_from(object, target);
        }
    }

    /// A check with references to this and others.
    pub(super) fn references_to(&mut self, target: Id) {
        let Some(item) = self.program.item(target).cloned() else { return };
        let objects: Vec<usize> =
            (0..self.program.archived.len()).filter(|&object| is_visible(&self.program, &item, object)).collect();
        if !objects.is_empty() {
            let object = self.dice.pick(&objects);
            self.references_from(object, target);
        }
    }

    pub(super) fn references_from(&mut self, object: usize, target: Id) {
        let mode = self.mode();
        let mut list: Vec<Sequence> = Vec::new();
        for number in 0..self.dice.between(1, SEQUENCES) {
            // Often to the same, as what is done for one symbol at two places has to fit.
            let target = match number {
                0 => target,
                _ if self.dice.one_in(2) => target,
                _ => self.visible(object, |program, item| kind(program, item).is_some()).unwrap_or(target),
            };
            if let Some(sequence) = self.sequence(object, mode, target, &list) {
                list.push(sequence);
            }
        }
        if list.is_empty() {
            return;
        }
        let order = (0..self.dice.below(8)).map(|_| self.dice.below(SEQUENCES)).collect();
        let section = self.code_section();
        self.push(object, What::Check(Check { section, mode, how: How::References { list, order } }));
    }

    fn sequence(&mut self, object: usize, mode: Mode, target: Id, before: &[Sequence]) -> Option<Sequence> {
        let item = self.program.item(target)?.clone();
        let kind = kind(&self.program, &item)?;
        let dialect = dialect::of(mode);
        let mut form = self.dice.pick(dialect.forms(kind));
        // Not every linker has this one, and then it sees nothing of the program.
        let rare = matches!(form, Form::GeneralDynamic | Form::LocalDynamic) && self.program.entry.is_64();
        let rare = rare || form == Form::Descriptor && !self.program.entry.is_64();
        if rare && !self.program.seed.is_multiple_of(8) {
            form = Form::InitialExec;
        }
        if is_chosen(&item) && matches!(form, Form::Moves | Form::LiteralRelative) && self.avoids_refusals() {
            form = Form::GotPage;
        }
        // Nor does the 32-bit assembler always write the addend that was meant next to a variable that it knows the place of.
        let known = kind == Kind::Thread && item.object == object && mode != Mode::A64;
        if (is_local(&item) || known) && through_table(form) {
            form = if kind == Kind::Thread { Form::LocalExec } else { Form::Moves };
        }
        let count = words(&self.program, &item);
        let pointers = match &item.what {
            What::Pointers { entries, .. } => entries.len(),
            _ => 0,
        };
        if pointers > 0 && form == Form::PageLoad {
            form = Form::Page;
        }
        let mut addend = if count > 0 && self.dice.one_in(2) { self.dice.below(count as usize) as u32 } else { 0 };
        let mut then = match kind {
            Kind::Function => Use::Call,
            Kind::Absolute | Kind::Nowhere => Use::Number,
            _ if pointers > 0 => Use::Follow(self.dice.below(pointers) as u32),
            Kind::Data | Kind::Thread => Use::Word,
        };
        if then != Use::Word {
            addend = 0;
        }
        let mut shape = self.dice.pick(dialect.shapes(form));
        if let Shape::Shared(_) = shape {
            let room = count.saturating_sub(addend);
            let one_page = form == Form::GotPage || in_one_page(&item);
            let fits = then == Use::Word && room > 1 && one_page;
            shape = if fits { Shape::Shared(1 + self.dice.below(room as usize - 1) as u32) } else { Shape::Apart };
        }
        let is_value = matches!(form, Form::PageLoad | Form::Call | Form::Jump | Form::Conditional);
        if !is_value && matches!(kind, Kind::Data | Kind::Thread) && pointers == 0 && !matches!(shape, Shape::Shared(_))
        {
            let aligned = alignment(&item).filter(|_| self.dice.one_in(6));
            let same = before.iter().position(|other| {
                other.target == target
                    && other.addend == 0
                    && matches!(other.then, Use::Word)
                    && !matches!(other.form, Form::PageLoad)
                    && !matches!(other.shape, Shape::Shared(_))
            });
            if let Some(align) = aligned {
                (then, addend) = (Use::Aligned(align), 0);
            } else if let Some(same) = same.filter(|_| self.dice.one_in(2)) {
                (then, addend) = (Use::Same(same), 0);
            }
        }
        Some(Sequence { target, addend, form, shape, then })
    }
}

/// Whether an object can refer to an item's symbol.
pub(super) fn is_visible(program: &Program, item: &Item, object: usize) -> bool {
    let local = is_local(item);
    // Assemblers take a symbol that is a number in the same file for the number.
    let number = matches!(item.what, What::Absolute(_)) && item.object == object;
    !is_decoy(program, object) && !number && (!local || item.object == object)
}

/// Whether an item is a function that chooses itself.
pub(super) fn is_chosen(item: &Item) -> bool {
    matches!(&item.what, What::Function(function) if function.chosen)
}

/// Whether only its own object sees an item's symbol.
pub(super) fn is_local(item: &Item) -> bool {
    match &item.what {
        What::Data(Data { binding, .. })
        | What::Function(Function { binding, .. })
        | What::Thread { binding, .. }
        | What::Alias { binding, .. } => *binding == Binding::Local,
        _ => false,
    }
}

/// Whether a form goes through the table. Not for local symbols: assemblers refer to their section and an addend, of which
/// the ABI says that there must be none, and every linker makes something else.
pub(super) fn through_table(form: Form) -> bool {
    matches!(
        form,
        Form::GotPage
            | Form::GotOrigin
            | Form::GotLiteral
            | Form::LiteralFromGot
            | Form::InitialExec
            | Form::GeneralDynamic
            | Form::LocalDynamic
            | Form::Descriptor
    )
}

/// Whether an object is one that must not be linked.
pub(super) fn is_decoy(program: &Program, object: usize) -> bool {
    program.items.iter().any(|item| matches!(item.what, What::Nowhere { decoy: Some(at) } if at == object))
}

/// What an item's symbol is for those who refer to it. None for what has none.
pub(super) fn kind(program: &Program, item: &Item) -> Option<Kind> {
    match &item.what {
        What::Data(_) | What::Common { .. } | What::Pointers { .. } => Some(Kind::Data),
        What::Function(_) => Some(Kind::Function),
        What::Group { function, .. } => Some(if *function { Kind::Function } else { Kind::Data }),
        What::Alias { of, .. } => kind(program, program.item(*of)?),
        What::Absolute(_) => Some(Kind::Absolute),
        What::Nowhere { .. } => Some(Kind::Nowhere),
        What::Thread { .. } => Some(Kind::Thread),
        _ => None,
    }
}

/// How many words lie behind an item's symbol.
pub(super) fn words(program: &Program, item: &Item) -> u32 {
    match &item.what {
        What::Data(data) => data.words.len() as u32,
        What::Thread { words, .. } => words.len() as u32,
        What::Common { parts } => parts.iter().map(|part| part.1).max().unwrap_or(0),
        What::Alias { of, offset, .. } => program.item(*of).map_or(0, |of| words(program, of)).saturating_sub(*offset),
        What::Group { .. } | What::Function(_) => 1,
        _ => 0,
    }
}

/// Whether all words of an item are in one page, wherever it is put.
pub(super) fn in_one_page(item: &Item) -> bool {
    match &item.what {
        What::Data(data) => data.before == 0 && data.align as usize >= (4 * data.words.len()).next_power_of_two(),
        _ => false,
    }
}

/// How well an item's symbol is aligned at least, where anything is said about it.
pub(super) fn alignment(item: &Item) -> Option<u32> {
    match &item.what {
        What::Data(data) if data.before == 0 => Some(data.align),
        What::Common { parts } => parts.iter().map(|part| part.2).max(),
        What::Thread { align, .. } => Some(*align),
        _ => None,
    }
}
