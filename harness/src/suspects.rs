//! Names the relocations that a result depends on: their numbers, bytes and disassembly.

use std::collections::BTreeSet;

use linker::error::{self, Site};
use linker::graph::{Block, Bytes, Definition, Flags};
use linker::index::{BlockId, EdgeId};
use linker::link::Finalized;
use reports::model::{Checked, Instruction, Register, Suspect, Verdict};

use crate::disassembly::Disassembler;
use crate::executor::Executor;
use crate::linked::Linked;
use crate::wording::{bytes_kind, hex, name, numbers};
use crate::{machine, oracle};

/// How many suspects a failure names.
const MOST: usize = 6;

/// How many relocations are looked at, those nearest to the roots first, for one whose field is wrong.
const LOOKED_AT: usize = 2000;

/// Instructions before and behind the program counter that are shown.
const AROUND: usize = 4;

/// Bytes before the program counter from which instructions are decoded, where no symbol is nearer.
const BEFORE: u64 = 256;

/// The relocations whose fields in memory are wrong, then those nearest to the roots, in the order in which control may reach
/// them. `read` fills a buffer from an address on, or says that it cannot.
pub fn suspects<H>(
    linked: &Finalized<'_, H>,
    roots: &[&str],
    read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
) -> Vec<Suspect> {
    let disassembler = Disassembler::new(linked.graph().target);
    let near = near(linked, roots);
    let checked = oracle::inspect(linked, &near, read);
    let mut ranked: Vec<_> = near.into_iter().zip(checked).collect();
    // Stable: the order within each kind stays.
    ranked.sort_by_key(|(_, checked)| checked.verdict != Verdict::Wrong);
    let found = ranked.into_iter().filter_map(|(id, checked)| {
        let suspect = suspect(linked, id, &disassembler)?;
        Some(Suspect { checked: Some(checked), ..suspect })
    });
    found.take(MOST).collect()
}

/// The relocation in the code around an address that is nearest to it.
pub fn nearest<H>(
    linked: &Finalized<'_, H>,
    address: u64,
    read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
) -> Option<Suspect> {
    let graph = linked.graph();
    let holds = |block: &Block<'_>| block.live && address.wrapping_sub(block.address) < block.content.size();
    let (block, _) = graph.blocks.iter().find(|(_, block)| holds(block))?;
    let place = |id: EdgeId| graph.blocks[block].address.wrapping_add(graph.edges[id].offset.into());
    let id = graph.blocks[block].edge_ids().min_by_key(|&id| place(id).abs_diff(address))?;
    let checked = oracle::inspect(linked, &[id], read).pop();
    Some(Suspect { checked, ..suspect(linked, id, &Disassembler::new(graph.target))? })
}

/// A relocation in lines: what it is for, its numbers, its instruction, and whether its field is right.
pub fn lines(suspect: &Suspect) -> Vec<String> {
    let Suspect { relocation, site, symbol, numbers, disassembly, checked, .. } = suspect;
    let checked = match checked {
        Some(Checked { verdict: Verdict::Right, .. }) => Some("right in memory".to_owned()),
        Some(Checked { verdict: Verdict::Wrong, why }) => Some(format!("WRONG in memory: {why}")),
        _ => None,
    };
    let head = [format!("{relocation} at {site} against `{symbol}`"), numbers.clone(), disassembly.clone()];
    head.into_iter().chain(checked).collect()
}

/// The relocations nearest to the roots.
fn near<H>(linked: &Finalized<'_, H>, roots: &[&str]) -> Vec<EdgeId> {
    let graph = linked.graph();
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
    while next < queue.len() && found.len() < LOOKED_AT {
        let block = queue[next];
        next += 1;
        if !seen.insert(block) {
            continue;
        }
        for id in graph.blocks[block].edge_ids() {
            if let Definition::Block(target, _) = graph.symbols[graph.edges[id].target].definition {
                queue.push(target);
            }
            if found.len() < LOOKED_AT && !graph.sections[graph.blocks[block].section].is_made() {
                found.push(id);
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
        checked: None,
    })
}

/// The registers of a machine as a failure shows them: those of the core.
pub fn registers<E: Executor>(executor: &E) -> Vec<Register> {
    let info = executor.info();
    let core = machine::Register::file(info).filter(|register| {
        use machine::Register::{Core, Pc, Sp, Status};
        matches!(register, Core(_) | Sp | Pc | Status)
    });
    core.map(|register| Register { name: register.name(info), value: format!("{:#x}", executor.get(register)) })
        .collect()
}

/// The instructions around an address, as they stand in memory; nothing where it is not in code of the program.
pub fn code(linked: &Linked<'_>, pc: u64, read: &mut dyn FnMut(u64, &mut [u8]) -> bool) -> Vec<Instruction> {
    let Some(extent) = linked.extent(pc) else { return Vec::new() };
    // Instructions of Thumb cannot be read backwards: from the function on, or from a mapping symbol.
    let mapped = linked.bytes_at(pc).map_or(0, |(from, _)| from);
    let named = |address: u64| linked.nearest(address);
    let symbol = named(pc);
    let start = extent.start.max(symbol.map_or(0, |symbol| symbol.address)).max(mapped).max(pc.saturating_sub(BEFORE));
    let end = pc.saturating_add(BEFORE).min(extent.end);
    let mut bytes = vec![0; (end - start) as usize];
    if !read(start, &mut bytes) {
        return Vec::new();
    }
    let disassembler = Disassembler::new(linked.target);
    let is_thumb = symbol.map(|symbol| symbol.flags.has(Flags::THUMB)).unwrap_or(linked.target.thumb);
    let default = if is_thumb { Bytes::Thumb } else { Bytes::Code };
    let mut shown: Vec<Instruction> = Vec::new();
    let mut behind = 0;
    let mut at = start;
    while at < end && behind <= AROUND {
        let kind = linked.bytes_at(at).map_or(default, |(_, kind)| kind);
        let rest = &bytes[(at - start) as usize..];
        let (text, length) = disassembler.one(rest, at, kind);
        let length = length.clamp(1, rest.len());
        let here = (at..at + length as u64).contains(&pc);
        if at > pc || here {
            behind += 1;
        } else if shown.len() == AROUND {
            shown.remove(0);
        }
        let symbol = named(at)
            .map_or(String::new(), |symbol| format!("{}+{:#x}", error::text(symbol.name), at - symbol.address));
        let address = format!("{at:#x}");
        shown.push(Instruction { address, symbol, bytes: hex(&rest[..length]), text, here });
        at += length as u64;
    }
    shown
}
