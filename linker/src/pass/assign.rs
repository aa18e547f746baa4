//! Symbols that the caller defines by expressions ([`crate::assign`]) get what they are defined as: other names before
//! anything asks where symbols lie, the rest once everything else has an address.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::assign::{Assignment, evaluate};
use crate::error::{Error, Result, text};
use crate::graph::{Definition, Flags, LinkGraph, linker};
use crate::index::SymbolId;

/// Makes other names of what they are other names of, before anything asks where symbols lie.
pub(crate) fn alias(graph: &mut LinkGraph<'_>) {
    for assignment in &graph.assignments {
        // An assignment counts more than a definition that came behind it.
        graph.symbols[assignment.symbol].definition = Definition::Assigned;
        graph.symbols[assignment.symbol].owner = linker();
    }
    settle_each(graph, |graph, assignment| {
        // A number is one from the start, so that branches know whether they reach it.
        let number = evaluate(&assignment.terms, |symbol| match graph.symbols[symbol].definition {
            Definition::Absolute(number) => Some(number),
            _ => None,
        });
        if let Some(number) = number {
            return Some((Definition::Absolute(graph.target.wrap(number)), Flags::default(), 0));
        }
        let (from, more) = assignment.place()?;
        let symbol = &graph.symbols[from];
        let Definition::Block(block, offset) = symbol.definition else { return None };
        let (flags, size) = if more == 0 { (symbol.flags, symbol.size) } else { (Flags::default(), 0) };
        Some((Definition::Block(block, offset.wrapping_add(more)), flags, size))
    });
}

/// Computes what is left, once everything else has an address.
pub(crate) fn compute(graph: &mut LinkGraph<'_>) -> Result<()> {
    settle_each(graph, |graph, assignment| {
        let value = evaluate(&assignment.terms, |symbol| match graph.symbols[symbol].definition {
            // Nobody has it, and the link can do without.
            Definition::Undefined => Some(0),
            _ => graph.address(symbol),
        })?;
        let flags = match assignment.place() {
            Some((from, 0)) => graph.symbols[from].flags.without(Flags::IFUNC),
            _ => Flags::default(),
        };
        Some((Definition::Absolute(graph.target.wrap(value)), flags, 0))
    });
    match graph.assignments.iter().find(|it| graph.symbols[it.symbol].definition == Definition::Assigned) {
        Some(left) => Err(Error::Assignment { name: text(graph.symbols[left.symbol].name) }),
        None => Ok(()),
    }
}

/// Defines what `value` gives for each assignment that is still open. Assignments may be about each other, in any order:
/// one that another waits for sets that free.
fn settle_each<'data>(
    graph: &mut LinkGraph<'data>,
    value: impl Fn(&LinkGraph<'data>, &Assignment) -> Option<(Definition<'data>, Flags, u64)>,
) {
    let assignments = std::mem::take(&mut graph.assignments);
    let mut waiting: FxHashMap<SymbolId, Vec<usize>> = FxHashMap::default();
    for (index, assignment) in assignments.iter().enumerate() {
        assignment.symbols().for_each(|symbol| waiting.entry(symbol).or_default().push(index));
    }
    let mut next: VecDeque<usize> = (0..assignments.len()).collect();
    while let Some(assignment) = next.pop_front().and_then(|index| assignments.get(index)) {
        if graph.symbols[assignment.symbol].definition != Definition::Assigned {
            continue;
        }
        let Some((definition, flags, size)) = value(graph, assignment) else { continue };
        let symbol = &mut graph.symbols[assignment.symbol];
        (symbol.definition, symbol.flags, symbol.size) = (definition, flags, size);
        next.extend(waiting.get(&assignment.symbol).into_iter().flatten());
    }
    graph.assignments = assignments;
}
