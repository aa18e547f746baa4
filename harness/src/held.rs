//! Lists the relocations that objects hold.

use std::collections::{BTreeMap, BTreeSet};

use corpus::build::{File, FileKind};
use linker::graph::LinkGraph;
use linker::index::BlockId;
use linker::link::Finalized;
use linker::{Options, Parsed, Target};

use crate::linking::Job;

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

/// The same for objects that nobody has linked yet. What cannot be read holds nothing.
pub fn held_in(target: &'static Target, files: &[File]) -> BTreeSet<&'static str> {
    held(parsed(target, files).graph())
}

/// How many relocations of each name such objects hold.
pub fn counted_in(target: &'static Target, files: &[File]) -> BTreeMap<String, u64> {
    let parsed = parsed(target, files);
    let graph = parsed.graph();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (id, _) in graph.edges.iter() {
        *counts.entry(graph.object_row(id).name).or_default() += 1;
    }
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn parsed<'data>(target: &'static Target, files: &'data [File]) -> Parsed<'data> {
    let mut parsed = Parsed::new(target, Options::default());
    for file in files {
        let added = match file.kind {
            FileKind::Archive => parsed.add_whole_archive(&file.name, &file.data),
            _ => parsed.add(&file.name, &file.data),
        };
        if added.is_err() {
            break;
        }
    }
    parsed
}

/// Relocations of what is live and came from objects, counted by name.
pub fn live_relocations<H>(linked: &Finalized<'_, H>) -> BTreeMap<String, u64> {
    live_relocations_of(linked.graph())
}

/// The same of a graph that need not come to its end.
pub fn live_relocations_of(graph: &LinkGraph<'_>) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (id, edge) in graph.live_edges() {
        if !graph.sections[graph.blocks[edge.block].section].is_made() {
            *counts.entry(graph.object_row(id).name).or_default() += 1;
        }
    }
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}
