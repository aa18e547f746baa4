//! Where an address is, in words: the symbol of the program that it is in, or the host function.

use linker::graph::Definition;
use linker::link::Finalized;

use crate::executor::{Executor, Register, Stop};

/// The symbol that an address is in, and how far.
pub fn nearest<H>(linked: &Finalized<'_, H>, address: u64) -> Option<String> {
    let graph = linked.graph();
    let inside = graph.blocks.iter().find(|(_, block)| {
        block.live && block.address <= address && address - block.address < block.content.size().max(1)
    })?;
    let best = graph
        .symbols
        .iter()
        .filter(|(_, symbol)| {
            matches!(symbol.definition, Definition::Block(block, _) if block == inside.0) && !symbol.name.is_empty()
        })
        .filter_map(|(id, _)| Some((graph.address(id)?, id)))
        .filter(|(start, _)| *start <= address)
        .max()?;
    let (name, distance) = (graph.symbol_name(best.1), address - best.0);
    Some(if distance == 0 { name } else { format!("{name}+{distance:#x}") })
}

/// A function by its name, where there is one, and its address.
pub fn named<H>(linked: &Finalized<'_, H>, address: u64) -> String {
    let thumb = u64::from(linked.graph().target.register_bits == 32);
    match nearest(linked, address & !thumb) {
        Some(name) => format!("`{name}` at {address:#x}"),
        None => format!("at {address:#x}"),
    }
}

/// What a program was doing at an address: its own function, or the host's and who called that.
fn doing<E: Executor, H>(executor: &E, linked: &Finalized<'_, H>, pc: u64) -> Option<String> {
    if let Some(at) = nearest(linked, pc) {
        return Some(format!("in {at}"));
    }
    executor.host().name_at(pc)?;
    let thumb = u64::from(linked.graph().target.register_bits == 32);
    let caller = executor.get(Register::link(executor.info())) as u64 & !thumb;
    Some(format!("called from {}", nearest(linked, caller)?))
}

/// Why a program is not running, and where it was.
pub fn describe<E: Executor, H>(executor: &E, linked: &Finalized<'_, H>, stop: &Stop) -> String {
    let pc = match (stop.place(), stop) {
        (Some(pc), _) => pc,
        (None, Stop::OutOfBudget(_) | Stop::Syscall) => executor.get(Register::Pc) as u64,
        _ => return stop.to_string(),
    };
    let mut text = stop.to_string();
    if stop.place().is_none() {
        text += &format!(" at {pc:#x}");
        if let Some(name) = executor.host().name_at(pc) {
            text += &format!(", in host function `{name}`");
        }
    }
    if let Some(at) = doing(executor, linked, pc) {
        text += &format!(", {at}");
    }
    text
}
