//! Differences that are none, each with its reason.

use linker::defined;
use linker::graph::{Definition, Kind, LinkGraph, Symbol};
use linker::index::EdgeId;
use linker::relocation::Class;

use super::output::{self, Output};

/// What other bytes were followed to, so that nothing had to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// Another slot of the table, which was read and holds the same.
    Slot,
    /// A table or a segment that begins elsewhere, where its symbol or header says.
    Origin,
    /// A stub, which was run and ends at the same place in the same state.
    Stub,
    /// A call-frame record that says the same of the same code.
    Frame,
    /// An index entry that says the same of the same function.
    Index,
}

/// What each comes to, for the reader.
pub static MEANINGS: &[(Meaning, &str)] = &[
    (Meaning::Slot, "another slot of the table, which was read and holds what the formula says"),
    (Meaning::Origin, "the table or the segment begins elsewhere, and the field is exact for where the peer's does"),
    (Meaning::Stub, "by way of a stub, which was run and ends at the same place in the same state"),
    (Meaning::Frame, "another place in the call-frame records, where the same is said of the same code"),
    (Meaning::Index, "another place in the index of unwinding tables, where the same is said of the same function"),
];

/// A choice that the ABI leaves to linkers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freedom {
    /// To the next instruction.
    FallThrough,
}

/// What linkers may do differently, and why.
pub static FREEDOMS: &[(Freedom, &str)] = &[(
    Freedom::FallThrough,
    "a branch to an undefined weak symbol goes on with the next instruction, by a NOP or a branch to it",
)];

/// Why a field is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excluded {
    /// The symbol is a place in the call-frame records, which linkers write anew.
    Frames,
    /// The symbol is one whose place each linker chooses: what it made itself, or common.
    Placement,
    /// An undefined weak thread-local variable has no offset.
    WeakVariable,
    /// The peer has dropped what nobody refers to.
    Dropped,
}

/// What each is, for the reader.
pub static EXCLUSIONS: &[(Excluded, &str)] = &[
    (Excluded::Frames, "to a place in the call-frame records, which linkers write anew"),
    (Excluded::Placement, "to what each linker puts where it likes: what it makes itself, and common symbols"),
    (Excluded::WeakVariable, "to an undefined weak thread-local variable, which has no offset"),
    (Excluded::Dropped, "in or to sections that the peer has dropped, since nothing refers to them"),
];

/// Why the field of an edge cannot be compared with this peer's.
pub(super) fn excluded(graph: &LinkGraph<'_>, id: EdgeId, theirs: &Output<'_>) -> Option<Excluded> {
    let edge = &graph.edges[id];
    let is_kept = |section| theirs.kept.as_ref().is_none_or(|kept| kept.contains(&section));
    let is_about_code = |id| graph.sections[id].kind == Kind::Frames || output::is_index(graph, id);
    let place = graph.blocks[edge.block].section;
    if !is_kept(place) && !is_about_code(place) {
        return Some(Excluded::Dropped);
    }
    let target = &graph.symbols[edge.target];
    match target.definition {
        Definition::Block(block, _) => {
            let id = graph.blocks[block].section;
            let section = &graph.sections[id];
            if section.is_made() && section.kind != Kind::LinkOrder {
                // Stubs and slots of functions that choose themselves, and common symbols.
                Some(Excluded::Placement)
            } else if section.kind == Kind::Frames {
                Some(Excluded::Frames)
            } else {
                (!is_kept(id)).then_some(Excluded::Dropped)
            }
        }
        // What is told of the layout is told to those who can be: not to those who choose it.
        Definition::Absolute(_) if theirs.kept.is_some() && is_of_layout(target) => Some(Excluded::Placement),
        Definition::Undefined if graph.row(edge).class == Class::Tls => Some(Excluded::WeakVariable),
        _ => None,
    }
}

/// Whether a symbol is one that linkers define where somebody asks.
fn is_of_layout(symbol: &Symbol<'_>) -> bool {
    defined::DEFINED.iter().any(|(name, ..)| name.as_bytes() == symbol.name)
}
