//! Reads a field by the ABI's text: [`corpus::abi`] has the formulas and the fields, transcribed apart from the
//! linker's rows. Of the link come only the facts: S, A, P, T, and what the objects had in the place.

use corpus::abi::{self, Class, Inputs, Place, Relocation};
use linker::fixup::Fixup;
use linker::graph::{Flags, LinkGraph};
use linker::index::EdgeId;
use linker::link::Finalized;

use super::output::{ORIGIN, Output};

mod branch;
mod slot;

/// How a field is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By itself.
    Directly,
    /// By a slot of the table.
    Slot,
    /// From where the linker's table begins, or its segment.
    Origin,
    /// By way of a stub.
    Stub,
    /// By going on with the next instruction.
    FallThrough,
}

/// What is found of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It is right.
    Right(Way),
    /// It is not, and why.
    Wrong(String),
    /// The ABI forbids what the object has there, and how.
    Forbidden(String),
    /// That cannot be said, and why.
    Unknown(String),
}

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
    relocation: &'static Relocation,
    inputs: Inputs,
    /// Whether the symbol is the table's origin.
    is_origin: bool,
    /// Whether the symbol is undefined and weak.
    is_nothing: bool,
    /// The state of the target, where it is a function's.
    thumb: Option<bool>,
    /// The word that the object has.
    before: u64,
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
        Ok(Reading { linked, graph, id, relocation, inputs, is_origin, is_nothing, thumb, before })
    }

    /// The word that an output has at the place.
    pub(super) fn word(&self, output: &Output<'_>) -> Option<u64> {
        let place = self.relocation.form.place;
        let bytes = output.read_at(self.inputs.p, place.size())?;
        Some(place.word_in_memory(bytes, self.graph.target.big_endian))
    }

    /// Whether an output has another word at the place than our link has put there.
    pub(super) fn has_changed(&self, output: &Output<'_>) -> bool {
        let row = self.graph.object_row(self.id);
        let bytes = output.read_at(self.inputs.p, row.field.unit.size());
        let now = bytes.and_then(|bytes| row.field.unit.read(bytes, self.graph.target.big_endian));
        self.linked.fixup(self.id).is_ok_and(|fixup| now != Some(fixup.after))
    }

    /// Whether the field of an output is right.
    pub(super) fn examine(&self, output: &Output<'_>) -> Finding {
        let Some(word) = self.word(output) else {
            return Finding::Unknown("there is nothing at the place".to_owned());
        };
        if self.relocation.forbids_addend(self.inputs.a) {
            let Relocation { release, name, .. } = self.relocation;
            return Finding::Forbidden(format!(
                "{release} wants a zero addend of {name}, and the object has {}; ours makes an entry for S + A",
                self.inputs.a
            ));
        }
        let row = self.graph.object_row(self.id);
        let is_branch = row.class.is_branch() || row.class == linker::relocation::Class::BranchData;
        let inputs = self.inputs_of(output);
        match self.relocation.entry() {
            _ if self.is_nothing && row.class.is_branch() => self.falls_through(word),
            Some((entry, with_addend)) => self.slot(output, word, entry, with_addend),
            None if self.asks("FUNCDESC") => self.descriptor(output, word),
            None => match self.exact(&inputs, word) {
                Finding::Right(_) if self.needs_origin() => Finding::Right(Way::Origin),
                Finding::Wrong(_) | Finding::Unknown(_) if is_branch => self.branch(output, word),
                finding => finding,
            },
        }
    }

    /// Whether the word is the one that the formula comes to.
    fn exact(&self, inputs: &Inputs, word: u64) -> Finding {
        let Some(x) = self.relocation.value(inputs) else {
            return Finding::Unknown("only a loader knows the value of the formula".to_owned());
        };
        match self.relocation.expected(self.before, x, self.thumb) {
            Ok(expected) if expected == word => Finding::Right(Way::Directly),
            // Peers relax sequences that find thread-local variables, whatever they are told.
            Ok(expected) if self.is_thread_local() && (expected ^ word) & !self.relocation.mask() != 0 => {
                Finding::Unknown(format!("the sequence is relaxed: {} is another instruction", self.shown(word)))
            }
            Ok(expected) => Finding::Wrong(format!(
                "the ABI says {} = {x:#x}, which makes {}, not {}",
                self.formula(),
                self.shown(expected),
                self.shown(word)
            )),
            Err(refusal) => {
                Finding::Unknown(format!("{} = {x:#x} does not fit the field ({refusal:?})", self.formula()))
            }
        }
    }

    /// The facts with the table of one output.
    fn inputs_of(&self, output: &Output<'_>) -> Inputs {
        let got = output.origin.unwrap_or(0);
        let base = || output.segment_of(self.inputs.s).unwrap_or(self.inputs.base);
        let (s, base) = if self.is_origin { (got, got) } else { (self.inputs.s, base()) };
        Inputs { s, base, got, ..self.inputs }
    }

    fn needs_origin(&self) -> bool {
        self.is_origin || ["GOT", "GOT_ORG", "B"].into_iter().any(|term| self.asks(term))
    }

    fn asks(&self, term: &str) -> bool {
        self.relocation.formula.as_ref().is_some_and(|formula| formula.mentions(term))
    }

    fn is_thread_local(&self) -> bool {
        self.graph.object_row(self.id).class == linker::relocation::Class::Tls && self.place().is_code()
    }

    fn formula(&self) -> &str {
        self.relocation.formula.as_ref().map_or("nothing", |formula| formula.text())
    }

    /// A word as memory has it.
    fn shown(&self, word: u64) -> String {
        crate::wording::hex(&self.place().bytes(word))
    }

    fn place(&self) -> Place {
        self.relocation.form.place
    }

    fn wrap(&self, value: u64) -> u64 {
        self.graph.target.wrap(value)
    }

    /// Bits of X that the field can say, as a number with a sign.
    fn said(&self, word: u64) -> i64 {
        let unused = 63 - self.relocation.select.0.min(63);
        (self.relocation.decode(word) << unused) >> unused
    }

    /// Whether another edge wants the same of the table.
    fn wants_the_same(&self, other: EdgeId) -> bool {
        let (this, other) = (&self.graph.edges[self.id], &self.graph.edges[other]);
        let entry = |kind| self.graph.row(kind).operation.entry;
        this.target == other.target && this.addend == other.addend && entry(this) == entry(other)
    }
}
