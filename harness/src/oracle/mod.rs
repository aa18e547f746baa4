//! The differential oracle: another linker gets the same objects and the same addresses, and every relocated field is
//! compared.
//!
//! Other bytes are followed to what they mean: the slot that a field leads to is read, a stub is run, call-frame records and
//! the index of unwinding tables are compared by the code that they are about. What then still differs is excused only by one of
//! the [`FREEDOMS`], or it is a difference, and [`Ruling`] says who is right by the ABI's formula. What cannot be
//! compared at all is counted, too.

mod executable;
mod field;
mod frames;
mod freedom;
mod index;
pub(crate) mod inputs;
mod inspect;
mod jitlink;
pub(crate) mod name;
mod output;
mod patched;
mod peer;
mod reading;
mod ruling;
#[cfg_attr(not(feature = "unicorn"), path = "without_stub.rs")]
mod stub;
mod survey;
mod tally;

use std::collections::BTreeMap;

use linker::error::Site;
use linker::graph::{Edge, Kind, LinkGraph};
use linker::index::{EdgeId, Id};
use linker::link::Finalized;
use linker::relocation::{Class, Row};

use crate::disassembly::Disassembler;
use crate::executor::image::ImageFile;
use crate::wording;
use reading::Reading;

pub(crate) use field::{Field, Finding, Way};
pub(crate) use frames::Frames;
pub use freedom::{EXCLUSIONS, Excluded, FREEDOMS, Freedom, MEANINGS, Meaning};
pub(crate) use index::Index;
pub use inputs::{Bundle, bundles, complete};
pub use inspect::inspect;
pub(crate) use output::ORIGIN;
pub use output::Output;
pub use peer::Peer;
pub use ruling::Ruling;
pub use survey::{Sum, Survey};
pub use tally::{Difference, Outcome, Tally};

/// Compares every relocated field of a link with a peer's output, by name of the relocation. Fields that come out as in
/// `relaxed`, the same link with its instructions rewritten, are the same.
pub fn compare<'a>(
    plain: &'a Finalized<'a, ImageFile>,
    relaxed: &Finalized<'_, ImageFile>,
    theirs: &Output<'_>,
    tallies: &mut BTreeMap<&'static str, Tally>,
) {
    let graph = plain.graph();
    let ours = Output::ours(plain);
    let comparison = Comparison {
        plain,
        relaxed,
        disassembler: Disassembler::new(graph.target),
        frames: (Frames::read(graph.target, &ours), Frames::read(graph.target, theirs)),
        indexes: (Index::read(&ours), Index::read(theirs)),
        ours,
        theirs,
    };
    for (id, edge) in graph.live_edges() {
        let row = graph.row(edge);
        let section = &graph.sections[graph.blocks[edge.block].section];
        if section.is_made() || is_no_patch(graph, edge) || row.field.unit.size() == 0 || is_overwritten(graph, id) {
            continue;
        }
        if let Some(outcome) = comparison.field(id) {
            tallies.entry(row.name).or_default().add(outcome);
        }
    }
}

/// Whether a later relocation of the same place writes over what this one does.
fn is_overwritten(graph: &LinkGraph<'_>, id: EdgeId) -> bool {
    let edge = &graph.edges[id];
    let later = graph.edges_of(edge.block).iter().skip(id.index() + 1 - graph.blocks[edge.block].edges.start as usize);
    let mut here = later.take_while(|later| later.offset == edge.offset);
    here.any(|later| graph.row(later).field.unit.size() > 0 && !is_no_patch(graph, later))
}

/// Whether an edge would replace an instruction, but nothing says by what.
fn is_no_patch(graph: &LinkGraph<'_>, edge: &Edge) -> bool {
    graph.row(edge).class == Class::Patch && graph.symbols[edge.target].is_undefined()
}

/// Two links to be compared.
struct Comparison<'a, 'b> {
    plain: &'a Finalized<'a, ImageFile>,
    relaxed: &'b Finalized<'b, ImageFile>,
    ours: Output<'a>,
    theirs: &'b Output<'b>,
    frames: (Result<Frames, String>, Result<Frames, String>),
    indexes: (Index, Index),
    disassembler: Disassembler,
}

impl<'a> Comparison<'a, '_> {
    fn graph(&self) -> &'a LinkGraph<'a> {
        self.plain.graph()
    }

    /// What one field came to. None where the peer has nothing at the address.
    fn field(&self, id: EdgeId) -> Option<Outcome> {
        let graph = self.graph();
        let edge = &graph.edges[id];
        if let Some(reason) = freedom::excluded(graph, id, self.theirs) {
            return Some(Outcome::Excluded(reason));
        }
        let place = graph.target.wrap(graph.blocks[edge.block].address.wrapping_add(edge.offset.into()));
        let section = graph.blocks[edge.block].section;
        if graph.sections[section].kind == Kind::Frames {
            let said = match (&self.frames.0, &self.frames.1) {
                (Ok(ours), Ok(theirs)) => ours.compare(place, theirs),
                (Err(why), _) | (_, Err(why)) => Some(Err(why.clone())),
            };
            return Some(self.by_meaning(id, Meaning::Frame, said));
        }
        if output::is_index(graph, section) {
            return Some(self.by_meaning(id, Meaning::Index, self.indexes.0.compare(place, &self.indexes.1)));
        }
        self.bytes(id)
    }

    /// What came of a record that was compared by what it says.
    fn by_meaning(&self, id: EdgeId, meaning: Meaning, said: Option<Result<(), String>>) -> Outcome {
        let why = match said {
            Some(Ok(())) => return Outcome::Meant(meaning),
            Some(Err(why)) => why,
            None => return Outcome::Excluded(Excluded::Frames),
        };
        let ours = Reading::new(self.plain, id).map_or_else(Finding::Unknown, |reading| reading.examine(&self.ours));
        let (ruling, _) = ruling::over(ours, Finding::Wrong(why));
        self.difference(id, None, ruling)
    }

    fn bytes(&self, id: EdgeId) -> Option<Outcome> {
        let graph = self.graph();
        let row = graph.row(&graph.edges[id]);
        let fixup = self.plain.fixup(id).ok()?;
        let their_bytes = self.theirs.read_at(fixup.inputs.p, row.field.unit.size())?;
        let their_word = row.field.unit.read(their_bytes, graph.target.big_endian)?;
        if their_word == fixup.after || self.relaxed.fixup(id).is_ok_and(|fixup| fixup.after == their_word) {
            return Some(Outcome::Same);
        }
        let (ruling, ways) = match Reading::new(self.plain, id) {
            Ok(reading) => ruling::over(reading.examine(&self.ours), reading.examine(self.theirs)),
            Err(why) => (Ruling::CannotTell(why), None),
        };
        Some(match ways {
            Some((Way::FallThrough, _) | (_, Way::FallThrough)) => Outcome::Excused(Freedom::FallThrough),
            Some((Way::Stub, _) | (_, Way::Stub)) => Outcome::Meant(Meaning::Stub),
            Some((Way::Slot, Way::Slot)) => Outcome::Meant(Meaning::Slot),
            Some((Way::Origin, Way::Origin)) => Outcome::Meant(Meaning::Origin),
            _ => self.difference(id, Some(their_word), ruling),
        })
    }

    fn difference(&self, id: EdgeId, theirs: Option<u64>, ruling: Ruling) -> Outcome {
        let graph = self.graph();
        let edge = &graph.edges[id];
        let row: &Row = graph.row(edge);
        let unit = row.field.unit;
        let fixup = self.plain.fixup(id);
        let show = |word: u64| {
            let mut bytes = vec![0; unit.size()];
            unit.write(&mut bytes, word, graph.target.big_endian);
            let place = fixup.as_ref().map_or(0, |fixup| fixup.inputs.p);
            let text = self.disassembler.one(&bytes, place, wording::bytes_kind(graph, id)).0;
            format!("{}  {text}", wording::hex(&bytes))
        };
        Outcome::Different(Box::new(Difference {
            site: Site::edge(graph, edge).to_string(),
            numbers: fixup.as_ref().map_or_else(ToString::to_string, |fixup| wording::numbers(row, fixup)),
            ours: fixup.as_ref().map_or_else(ToString::to_string, |fixup| show(fixup.after)),
            theirs: theirs.map_or_else(|| "another record".to_owned(), show),
            ruling,
        }))
    }
}
