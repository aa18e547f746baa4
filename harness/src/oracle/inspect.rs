//! Fields as they stand in the memory of a machine, read by the ABI's text.

use std::borrow::Cow;

use linker::index::EdgeId;
use linker::link::Finalized;
use linker::memory::Lifetime;
use linker::relocation::Class;
use reports::model::{Checked, Verdict};

use super::field::{Finding, Way};
use super::output::Output;
use super::reading::Reading;

/// Bytes of a program that are read back at most.
const MOST: u64 = 16 << 20;

/// Reads the fields of these relocations back from memory, and says of each whether it is what the ABI's formula comes to.
/// `read` fills a buffer from an address on, or says that it cannot.
pub fn inspect<H>(
    linked: &Finalized<'_, H>,
    edges: &[EdgeId],
    read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
) -> Vec<Checked> {
    let graph = linked.graph();
    let loaded = linked.plan().segments.iter().filter(|segment| segment.lifetime != Lifetime::NoAlloc);
    let size = loaded.clone().fold(0u64, |sum, segment| sum.saturating_add(segment.content));
    let unknown = |why: &str| Checked { verdict: Verdict::Unknown, why: why.to_owned() };
    if size > MOST {
        return vec![unknown("the program is too large to be read back"); edges.len()];
    }
    let mut parts = Vec::new();
    for segment in loaded {
        let mut bytes = vec![0; segment.content as usize];
        if read(segment.address, &mut bytes) {
            parts.push((segment.address, Cow::Owned(bytes)));
        }
    }
    let output = Output::of(graph, parts);
    let check = |&id: &EdgeId| {
        let edge = &graph.edges[id];
        let class = graph.row(edge).class;
        if graph.rewrite(id).is_some() {
            return unknown(
                "the instruction was rewritten (relaxed), so the object's formula is not what stands there",
            );
        }
        if matches!(class, Class::Signed | Class::Initialised) {
            return unknown("filled when the program was loaded");
        }
        let reading = match Reading::new(linked, id) {
            Ok(reading) => reading,
            Err(why) => return Checked { verdict: Verdict::Unknown, why },
        };
        let section = &graph.sections[graph.blocks[edge.block].section];
        match reading.examine(&output) {
            Finding::Right(way) => Checked { verdict: Verdict::Right, why: by(way).to_owned() },
            Finding::Wrong(why) if section.protection.writable() && reading.has_changed(&output) => {
                Checked { verdict: Verdict::Unknown, why: format!("the program has written there since: {why}") }
            }
            Finding::Wrong(why) => Checked { verdict: Verdict::Wrong, why },
            Finding::Forbidden(why) | Finding::Unknown(why) => Checked { verdict: Verdict::Unknown, why },
        }
    };
    edges.iter().map(check).collect()
}

/// How a field is right.
fn by(way: Way) -> &'static str {
    match way {
        Way::Directly => "the field in memory is what the ABI's formula comes to",
        Way::Slot => "it leads to a table entry in memory, which holds what the ABI's formula wants",
        Way::Origin => "the field in memory is what the ABI's formula comes to, from where the table begins",
        Way::Stub => "it leads to a stub, which was followed to the symbol",
        Way::FallThrough => "the symbol is undefined and weak: it goes on with the next instruction",
    }
}
