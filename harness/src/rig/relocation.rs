//! Relocations of a linked program, as a test looks at them.

use std::fmt;

use linker::error::Site;
use linker::fixup::Via;
use linker::graph::object_name;
use linker::index::EdgeId;
use linker::link::Finalized;

use crate::command::explain::explanation::Explanation;
use crate::disassembly::Disassembler;

/// A relocation of the objects, and what became of it. `Display` prints all that `harness explain` does: the formula with its
/// numbers, the bytes before and after, and the instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Its name in the ABI, as the object has it: `R_ARM_CALL`.
    pub name: &'static str,
    /// The file, with the member in parentheses for an archive.
    pub file: String,
    /// The section it is in.
    pub section: String,
    /// Where it is in that section, in bytes.
    pub offset: u64,
    /// The symbol it refers to.
    pub symbol: String,
    /// S of the ABI's formula: the address of what it was resolved to, which is a stub or a table entry where there is one.
    pub s: u64,
    /// A of the formula, in bytes: from the relocation or, in the REL form, from the place.
    pub a: i64,
    /// P of the formula: the address of the place.
    pub p: u64,
    /// What the formula came to.
    pub value: i64,
    /// The bytes under the relocation before it was applied, as they lie in memory.
    pub before: Vec<u8>,
    /// The same bytes afterwards.
    pub after: Vec<u8>,
    /// Whether it goes through a stub that the linker made, as a branch does that does not reach.
    pub through_stub: bool,
    /// Whether it goes through an entry of a table that the linker made, as the GOT is.
    pub through_entry: bool,
    /// What another relocation it was turned into, with its instruction, where a relaxation did that.
    pub relaxed_to: Option<&'static str>,
    text: String,
}

impl Relocation {
    /// The relocation of an edge. None where it has no value: that is an error of the link.
    pub(super) fn of<H>(linked: &Finalized<'_, H>, id: EdgeId, disassembler: &Disassembler) -> Option<Relocation> {
        let graph = linked.graph();
        let edge = &graph.edges[id];
        let fixup = linked.fixup(id).ok()?;
        let (was, is) = (graph.object_row(id), graph.row(edge));
        let bytes = |word: u64| {
            let mut bytes = vec![0; was.field.unit.size()];
            was.field.unit.write(&mut bytes, word, graph.target.big_endian);
            bytes
        };
        let site = Site::edge(graph, edge);
        Some(Relocation {
            name: was.name,
            file: object_name(&graph.objects[graph.sections[graph.blocks[edge.block].section].object]),
            section: site.section.unwrap_or_default(),
            offset: site.offset.unwrap_or_default(),
            symbol: site.symbol.unwrap_or_default(),
            s: fixup.inputs.s,
            a: fixup.inputs.a,
            p: fixup.inputs.p,
            value: fixup.value,
            before: bytes(fixup.before),
            after: bytes(fixup.after),
            through_stub: matches!(fixup.via, Via::Stub(_)),
            through_entry: matches!(fixup.via, Via::Entry(_)),
            relaxed_to: (was.number != is.number).then_some(is.name),
            text: Explanation::new(linked, id, disassembler).text(),
        })
    }
}

impl fmt::Display for Relocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}
