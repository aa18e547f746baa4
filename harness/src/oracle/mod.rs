//! The differential oracle: another linker gets the same objects and the same addresses, and every relocated field is
//! compared.
//!
//! A difference is excused only by one of the [`FREEDOMS`]: a choice that the ABI leaves to linkers, each with its reason.
//! What cannot be compared at all is counted, too.

mod inputs;
mod peer;

use std::collections::BTreeMap;

use linker::Target;
use linker::error::Site;
use linker::fixup::Via;
use linker::graph::{Definition, Kind, LinkGraph};
use linker::index::EdgeId;
use linker::link::Finalized;
use linker::relocation::{Class, Inputs, Row};

use crate::disassembly::Disassembler;
use crate::executor::image::ImageFile;
use crate::suspects;

pub use inputs::{Unit, units};
pub use peer::{Output, Peer};

/// What linkers may do differently, and why.
pub static FREEDOMS: &[(Freedom, &str)] = &[
    (
        Freedom::TableOrder,
        "the order of entries in the global offset table is the linker's: another slot holds the same",
    ),
    (Freedom::Stub, "where a branch goes through a stub, its place and shape are the linker's"),
    (
        Freedom::FallThrough,
        "a branch to an undefined weak symbol goes on with the next instruction, by whatever instruction",
    ),
];

/// A difference that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freedom {
    /// Another slot of the table holds the same.
    TableOrder,
    /// Through a stub.
    Stub,
    /// To the next instruction.
    FallThrough,
}

/// Why a field is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excluded {
    /// Linkers write call frames and unwinding tables anew.
    Frames,
    /// The symbol is one whose place each linker chooses: what it made itself, or common.
    Placement,
    /// An undefined weak thread-local variable has no offset.
    WeakVariable,
}

/// What a field came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same bytes.
    Same,
    /// Not the same, for a reason.
    Excused(Freedom),
    /// Not compared.
    Excluded(Excluded),
    /// Different.
    Different(Box<Difference>),
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub site: String,
    /// The formula with its numbers.
    pub numbers: String,
    /// Our bytes, and what they are.
    pub ours: String,
    /// The peer's.
    pub theirs: String,
}

/// Counts of one relocation.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Same bytes.
    pub same: usize,
    /// By freedom.
    pub excused: BTreeMap<Freedom, usize>,
    /// Not compared.
    pub excluded: BTreeMap<Excluded, usize>,
    /// The fields that differ.
    pub different: Vec<Difference>,
}

impl Tally {
    /// Counts one field.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::Excused(freedom) => *self.excused.entry(freedom).or_default() += 1,
            Outcome::Excluded(reason) => *self.excluded.entry(reason).or_default() += 1,
            Outcome::Different(difference) => self.different.push(*difference),
        }
    }
}

/// The unit with an object that defines what is missing in it.
pub fn complete(target: &'static Target, mut unit: Unit) -> anyhow::Result<Unit> {
    unit.objects.extend(inputs::externals(target, &unit.objects)?);
    Ok(unit)
}

/// Compares every relocated field of a link with a peer's output, by name of the relocation.
pub fn compare(
    plain: &Finalized<'_, ImageFile>,
    relaxed: &Finalized<'_, ImageFile>,
    theirs: &Output,
    tallies: &mut BTreeMap<&'static str, Tally>,
) {
    let disassembler = Disassembler::new(plain.graph().target);
    for (id, edge) in plain.graph().live_edges() {
        let row = plain.graph().row(edge);
        let section = &plain.graph().sections[plain.graph().blocks[edge.block].section];
        if section.is_made() || row.field.unit.size() == 0 {
            continue;
        }
        if let Some(outcome) = field(plain, relaxed, theirs, id, &disassembler) {
            tallies.entry(row.name).or_default().add(outcome);
        }
    }
}

/// What one field came to. None where the peer has nothing at the address.
fn field(
    plain: &Finalized<'_, ImageFile>,
    relaxed: &Finalized<'_, ImageFile>,
    theirs: &Output,
    id: EdgeId,
    disassembler: &Disassembler,
) -> Option<Outcome> {
    let graph = plain.graph();
    let edge = &graph.edges[id];
    let row = graph.row(edge);
    if let Some(reason) = excluded(graph, id) {
        return Some(Outcome::Excluded(reason));
    }
    let fixup = plain.fixup(id).ok()?;
    let unit = row.field.unit;
    let their_bytes = theirs.read_at(fixup.inputs.p, unit.size())?;
    let their_word = unit.read(their_bytes, graph.target.big_endian)?;
    if their_word == fixup.after {
        return Some(Outcome::Same);
    }
    if relaxed.fixup(id).is_ok_and(|fixup| fixup.after == their_word) {
        return Some(Outcome::Same);
    }
    if fixup.via == Via::FallThrough && (!row.field.carries(their_word) || falls_through(graph, row, their_word)) {
        return Some(Outcome::Excused(Freedom::FallThrough));
    }
    let is_origin = graph.symbols[edge.target].name == peer::ORIGIN;
    if table_order(plain, row, is_origin, &fixup.inputs, fixup.after, their_word, theirs) {
        return Some(Outcome::Excused(Freedom::TableOrder));
    }
    let goes_elsewhere = matches!(fixup.via, Via::Stub(_)) || leads_to_stub(row, &fixup.inputs, their_word, theirs);
    if (row.class.is_branch() || row.class == Class::BranchData) && goes_elsewhere {
        return Some(Outcome::Excused(Freedom::Stub));
    }
    let show = |word: u64| {
        let mut bytes = vec![0; unit.size()];
        unit.write(&mut bytes, word, graph.target.big_endian);
        let text = disassembler.one(&bytes, fixup.inputs.p, suspects::bytes_kind(graph, id)).0;
        format!("{}  {text}", suspects::hex(&bytes))
    };
    Some(Outcome::Different(Box::new(Difference {
        site: Site::edge(graph, edge).to_string(),
        numbers: suspects::numbers(row, &fixup),
        ours: show(fixup.after),
        theirs: show(their_word),
    })))
}

fn excluded(graph: &LinkGraph<'_>, id: EdgeId) -> Option<Excluded> {
    let edge = &graph.edges[id];
    let section = &graph.sections[graph.blocks[edge.block].section];
    if section.kind == Kind::Frames || section.kind == Kind::LinkOrder {
        return Some(Excluded::Frames);
    }
    match graph.symbols[edge.target].definition {
        Definition::Block(block, _) if graph.sections[graph.blocks[block].section].is_made() => {
            // Stubs and slots of functions that choose themselves, and common symbols.
            Some(Excluded::Placement)
        }
        Definition::Block(block, _) if graph.sections[graph.blocks[block].section].kind == Kind::Frames => {
            Some(Excluded::Frames)
        }
        Definition::Undefined if graph.row(edge).class == Class::Tls => Some(Excluded::WeakVariable),
        _ => None,
    }
}

/// Whether the peer's field is right for another slot of its table, which holds what ours does.
fn table_order(
    plain: &Finalized<'_, ImageFile>,
    row: &Row,
    is_origin: bool,
    inputs: &Inputs,
    ours: u64,
    theirs: u64,
    output: &Output,
) -> bool {
    if !row.operation.needs_got() && !is_origin {
        return false;
    }
    let fits = |entry: u64, got: u64| {
        let s = if is_origin { got } else { inputs.s };
        let value = row.operation.evaluate(&Inputs { s, entry, got, ..*inputs });
        row.field.encode(ours, value) == Some(theirs)
    };
    let width = plain.graph().target.pointer_bytes();
    let size = row.operation.entry.words() * width;
    output.got_origins().any(|got| {
        if !row.operation.needs_entry() {
            return fits(0, got);
        }
        let held = content(plain, inputs.entry, size);
        held.is_some() && output.slots(width).any(|(address, bytes)| bytes.get(..size) == held && fits(address, got))
    })
}

/// So many bytes at an address of our image.
fn content<'a>(linked: &'a Finalized<'_, ImageFile>, address: u64, size: usize) -> Option<&'a [u8]> {
    linked.handle.segments().find_map(|(start, bytes)| {
        let at = usize::try_from(address.checked_sub(start)?).ok()?;
        bytes.get(at..at.checked_add(size)?)
    })
}

/// Whether the peer's branch goes to the instruction behind it. (What is no branch does so anyway.)
fn falls_through(graph: &LinkGraph<'_>, row: &Row, word: u64) -> bool {
    let bias = graph.arch.pc_bias(row);
    row.class.is_branch() && row.field.carries(word) && row.field.decode(word) + bias == row.field.unit.size() as i64
}

/// Whether the peer's branch goes to something that it made.
fn leads_to_stub(row: &Row, inputs: &Inputs, word: u64, output: &Output) -> bool {
    let value = row.field.decode(word);
    let target = inputs.p.wrapping_add_signed(value).wrapping_sub_signed(inputs.a);
    !output.is_ours(target & !1)
}
