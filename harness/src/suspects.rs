//! Which relocations a result hangs on: their numbers, bytes and disassembly.

use std::collections::{BTreeMap, BTreeSet};

use linker::Parsed;
use linker::error::{Site, hex as signed_hex};
use linker::fixup::Fixup;
use linker::graph::{Bytes, Definition, LinkGraph};
use linker::index::{BlockId, EdgeId};
use linker::link::Finalized;
use linker::relocation::Row;
use reports::model::Suspect;

use crate::disassembly::Disassembler;
use crate::linking::Job;

/// How many suspects a failure names.
const MOST: usize = 6;

/// The names of all relocations in a graph's objects, live or not.
pub fn held(graph: &LinkGraph<'_>) -> BTreeSet<&'static str> {
    let made = |block: BlockId| graph.sections[graph.blocks[block].section].is_made();
    graph.edges.iter().filter(|(_, edge)| !made(edge.block)).map(|(id, _)| graph.object_row(id).name).collect()
}

/// The same for objects that do not link.
pub fn held_by(job: &Job<'_, '_>) -> BTreeSet<&'static str> {
    let mut parsed = Parsed::new(job.target, job.options.clone());
    for input in job.inputs {
        // What is wrong with it, the link itself has said.
        if input.add_to(&mut parsed, false).is_err() {
            break;
        }
    }
    held(parsed.graph())
}

/// Relocations of what is live and came from objects, counted by name.
pub fn live_relocations<H>(linked: &Finalized<'_, H>) -> BTreeMap<String, u64> {
    let graph = linked.graph();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (id, edge) in graph.live_edges() {
        if !graph.sections[graph.blocks[edge.block].section].is_made() {
            *counts.entry(graph.object_row(id).name).or_default() += 1;
        }
    }
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// The relocations nearest to the roots, in the order in which control may reach them.
pub fn suspects<H>(linked: &Finalized<'_, H>, roots: &[&str]) -> Vec<Suspect> {
    let graph = linked.graph();
    let disassembler = Disassembler::new(graph.target);
    let mut seen = BTreeSet::new();
    let mut queue: Vec<BlockId> = roots
        .iter()
        .filter_map(|name| match graph.symbols[linked.symbol(name)?].definition {
            Definition::Block(block, _) => Some(block),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    let mut next = 0;
    while next < queue.len() && found.len() < MOST {
        let block = queue[next];
        next += 1;
        if !seen.insert(block) {
            continue;
        }
        for id in graph.blocks[block].edge_ids() {
            if let Definition::Block(target, _) = graph.symbols[graph.edges[id].target].definition {
                queue.push(target);
            }
            if found.len() < MOST {
                found.extend(suspect(linked, id, &disassembler));
            }
        }
    }
    found
}

fn suspect<H>(linked: &Finalized<'_, H>, id: EdgeId, disassembler: &Disassembler) -> Option<Suspect> {
    let graph = linked.graph();
    let edge = &graph.edges[id];
    let row = graph.row(edge);
    let fixup = linked.fixup(id).ok()?;
    let unit = graph.object_row(id).field.unit;
    let as_bytes = |word: u64| {
        let mut bytes = vec![0; unit.size()];
        unit.write(&mut bytes, word, graph.target.big_endian);
        bytes
    };
    let after = as_bytes(fixup.after);
    let site = Site::edge(graph, edge);
    let kind = bytes_kind(graph, id);
    let (text, _) = disassembler.one(&after, fixup.inputs.p, kind);
    Some(Suspect {
        relocation: name(graph, id),
        section: row.section.to_owned(),
        site: Site { relocation: None, symbol: None, ..site.clone() }.to_string(),
        symbol: site.symbol.unwrap_or_default(),
        numbers: numbers(row, &fixup),
        before: hex(&as_bytes(fixup.before)),
        after: hex(&after),
        under: hex(&as_bytes(row.field.mask())),
        disassembly: format!("{:#x}  {text}", fixup.inputs.p),
    })
}

/// The name of a relocation, and what it was before its instruction was rewritten.
pub fn name(graph: &LinkGraph<'_>, id: EdgeId) -> String {
    let (was, is) = (graph.object_row(id), graph.row(&graph.edges[id]));
    if was.number == is.number { is.name.to_owned() } else { format!("{}, relaxed to {}", was.name, is.name) }
}

/// The formula of a relocation with its numbers put in.
pub fn numbers(row: &Row, fixup: &Fixup) -> String {
    let inputs = &fixup.inputs;
    let mut text = format!("S {:#x}  A {}  P {:#x}", inputs.s, signed_hex(inputs.a.into()), inputs.p);
    if row.operation.needs_entry() {
        text += &format!("  G {:#x}", inputs.entry);
    }
    if row.operation.needs_got() {
        text += &format!("  GOT {:#x}", inputs.got);
    }
    text += &format!("  {} = {}", row.operation, signed_hex(fixup.value.into()));
    let allowed = row.allowed().to_string();
    if allowed.is_empty() { text } else { text + "  " + &allowed }
}

/// What the bytes under an edge are: what mapping symbols say, or else what the field is of.
pub fn bytes_kind(graph: &LinkGraph<'_>, id: EdgeId) -> Bytes {
    use linker::field::Unit;
    match graph.object_row(id).field.unit {
        Unit::Instruction32 => Bytes::Code,
        Unit::Instruction16 | Unit::InstructionPair => Bytes::Thumb,
        _ => Bytes::Data,
    }
}

/// Bytes as a reader of memory sees them.
pub fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
