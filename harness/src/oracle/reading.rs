//! Reads a field by the ABI's text: [`corpus::abi`] has the formulas and the fields, transcribed apart from the
//! linker's rows. Of the link come only the facts: S, A, P, T, and what the objects had in the place.

use corpus::abi::{self, Class, Inputs, Relocation};
use linker::fixup::Fixup;
use linker::graph::{Flags, LinkGraph};
use linker::index::EdgeId;
use linker::link::Finalized;

use super::field::{Field, Finding, Way};
use super::output::{ORIGIN, Output};

mod slot;

/// A link whose fields can be read, wherever it went.
pub(super) trait Linked {
    /// Its graph.
    fn graph(&self) -> &LinkGraph<'_>;
    /// What an edge of it comes to.
    fn fixup(&self, id: EdgeId) -> linker::Result<Fixup>;
}

impl<H> Linked for Finalized<'_, H> {
    fn graph(&self) -> &LinkGraph<'_> {
        self.graph()
    }

    fn fixup(&self, id: EdgeId) -> linker::Result<Fixup> {
        self.fixup(id)
    }
}

/// What is known of one relocation of a link.
pub(super) struct Reading<'a> {
    linked: &'a dyn Linked,
    graph: &'a LinkGraph<'a>,
    id: EdgeId,
    field: Field,
    /// Whether the symbol is the table's origin.
    is_origin: bool,
    /// Whether the symbol is undefined and weak.
    is_nothing: bool,
}

impl<'a> Reading<'a> {
    /// The facts of an edge. `Err` says what is missing.
    pub(super) fn new(linked: &'a dyn Linked, id: EdgeId) -> Result<Reading<'a>, String> {
        let graph = linked.graph();
        let edge = &graph.edges[id];
        let row = graph.object_row(id);
        let class = corpus::target::row(graph.target).class;
        let relocation = abi::of(class).get(class, row.number).ok_or("the ABI has no such relocation")?;
        let place = relocation.form.place;
        let bytes = graph.bytes_under(edge, place.size()).ok_or("the object has no bytes there")?;
        let before = place.word_in_memory(bytes, graph.target.big_endian);
        let symbol = &graph.symbols[edge.target];
        let is_function = symbol.flags.has(Flags::FUNCTION) || symbol.flags.has(Flags::EXTERNAL);
        // What layout has decided of threads and segments is no matter of the formula.
        let laid = linked.fixup(id).map_err(|error| error.to_string())?.inputs;
        let is_nothing = symbol.is_undefined();
        let inputs = Inputs {
            s: graph.address(edge.target).unwrap_or(if is_nothing { laid.s } else { 0 }),
            a: if class == Class::Arm { relocation.addend(before) } else { edge.addend },
            p: graph.target.wrap(graph.blocks[edge.block].address.wrapping_add(edge.offset.into())),
            t: symbol.flags.has(Flags::THUMB) && !is_nothing,
            base: laid.origin,
            tls: laid.block,
            tp: laid.tp,
            ..Inputs::default()
        };
        let is_origin = symbol.name == ORIGIN;
        let thumb = is_function.then_some(inputs.t);
        let is_thread_local = row.class == linker::relocation::Class::Tls && place.is_code();
        let field = Field { target: graph.target, relocation, inputs, thumb, before, is_thread_local };
        Ok(Reading { linked, graph, id, field, is_origin, is_nothing })
    }

    /// The word that an output has at the place.
    pub(super) fn word(&self, output: &Output<'_>) -> Option<u64> {
        let place = self.field.relocation.form.place;
        let bytes = output.read_at(self.field.inputs.p, place.size())?;
        Some(place.word_in_memory(bytes, self.graph.target.big_endian))
    }

    /// Whether an output has another word at the place than our link has put there.
    pub(super) fn has_changed(&self, output: &Output<'_>) -> bool {
        let row = self.graph.object_row(self.id);
        let bytes = output.read_at(self.field.inputs.p, row.field.unit.size());
        let now = bytes.and_then(|bytes| row.field.unit.read(bytes, self.graph.target.big_endian));
        self.linked.fixup(self.id).is_ok_and(|fixup| now != Some(fixup.after))
    }

    /// Whether the field of an output is right.
    pub(super) fn examine(&self, output: &Output<'_>) -> Finding {
        let Some(word) = self.word(output) else {
            return Finding::Unknown("there is nothing at the place".to_owned());
        };
        if self.field.relocation.forbids_addend(self.field.inputs.a) {
            let Relocation { release, name, .. } = self.field.relocation;
            return Finding::Forbidden(format!(
                "{release} wants a zero addend of {name}, and the object has {}; ours makes an entry for S + A",
                self.field.inputs.a
            ));
        }
        let row = self.graph.object_row(self.id);
        let is_branch = row.class.is_branch() || row.class == linker::relocation::Class::BranchData;
        let inputs = self.inputs_of(output);
        match self.field.relocation.entry() {
            _ if self.is_nothing && row.class.is_branch() => self.field.falls_through(word),
            Some((entry, with_addend)) => self.slot(output, word, entry, with_addend),
            None if self.asks("FUNCDESC") => self.descriptor(output, word),
            None => match self.field.exact(&inputs, word) {
                Finding::Right(_) if self.needs_origin() => Finding::Right(Way::Origin),
                Finding::Wrong(_) | Finding::Unknown(_) if is_branch => self.field.branch(&inputs, output, word),
                finding => finding,
            },
        }
    }

    /// The facts with the table of one output.
    fn inputs_of(&self, output: &Output<'_>) -> Inputs {
        let got = output.origin.unwrap_or(0);
        let base = || output.segment_of(self.field.inputs.s).unwrap_or(self.field.inputs.base);
        let (s, base) = if self.is_origin { (got, got) } else { (self.field.inputs.s, base()) };
        Inputs { s, base, got, ..self.field.inputs }
    }

    fn needs_origin(&self) -> bool {
        self.is_origin || ["GOT", "GOT_ORG", "B"].into_iter().any(|term| self.asks(term))
    }

    fn asks(&self, term: &str) -> bool {
        self.field.relocation.formula.as_ref().is_some_and(|formula| formula.mentions(term))
    }

    /// Whether another edge wants the same of the table.
    fn wants_the_same(&self, other: EdgeId) -> bool {
        let (this, other) = (&self.graph.edges[self.id], &self.graph.edges[other]);
        let entry = |kind| self.graph.row(kind).operation.entry;
        this.target == other.target && this.addend == other.addend && entry(this) == entry(other)
    }
}
