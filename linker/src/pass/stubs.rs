//! Stubs: what a branch goes through when it cannot reach its target, or not in the right state, or when nobody knows yet
//! where the target will be.
//!
//! Runs inside the layout loop. A stub stands behind the block that first needs it (or before it, where that is nearer),
//! and serves every other branch that reaches it. Stubs are only ever added, so the loop ends.

use rustc_hash::FxHashMap;

use crate::arch::{Destination, StubShape};
use crate::fixup::destination;
use crate::graph::{Content, Definition, Edge, Flags, LinkGraph, Made};
use crate::index::{BlockId, EdgeId, SymbolId};
use crate::layout::Plan;
use crate::memory::Protection;
use crate::relocation::{Class, Inputs, Row};

/// What branches share a stub by: the target, the offset from it, and the name of the stub's shape.
type Key = (SymbolId, i64, &'static str);

/// Name of the sections that stubs stand in.
pub(crate) const STUB: &[u8] = b".stub";

/// How many stubs may be made that take the place of others.
const REPEATS: usize = 10_000;

/// The stubs of a link while it is laid out.
#[derive(Debug, Default)]
pub(crate) struct Stubs {
    /// The edges that may need one, found once.
    candidates: Option<Vec<EdgeId>>,
    by_key: FxHashMap<Key, Vec<(SymbolId, EdgeId)>>,
    assigned: FxHashMap<EdgeId, (SymbolId, EdgeId)>,
    /// How many stubs were made for branches that had asked for one before.
    repeats: usize,
}

/// The state of one candidate for a stub.
struct Branch<'r> {
    id: EdgeId,
    edge: Edge,
    row: &'r Row,
    word: u64,
}

impl Stubs {
    /// Makes the stubs that are missing at the present addresses. The first edge that needed a new one, if any did.
    pub(crate) fn extend(&mut self, graph: &mut LinkGraph<'_>, plan: &mut Plan) -> Option<EdgeId> {
        let mut first = None;
        let mut insert: Vec<(BlockId, BlockId, bool)> = Vec::new();
        let candidates = self.candidates.take().unwrap_or_else(|| candidates(graph));
        for &id in &candidates {
            let edge = graph.edges[id];
            let row = graph.row(&edge);
            let Some(word) = graph.word_under(id) else { continue };
            let branch = Branch { id, edge, row, word };
            if goes_directly(graph, plan, &branch) || self.is_served(graph, &branch) {
                continue;
            }
            let Some(shape) = graph.arch.stub_for(row, word, graph.core) else { continue };
            let key = (edge.target, stub_addend(graph, row, &edge), shape.name);
            let reachable =
                self.by_key.get(&key).into_iter().flatten().find(|(stub, _)| reaches(graph, &branch, *stub));
            if let Some(&stub) = reachable {
                self.assigned.insert(id, stub);
                continue;
            }
            // Its own stub has moved out of reach. That happens, but not to every branch in every round: then the rounds
            // run out with nothing made.
            if self.assigned.get(&id).is_some_and(|&(_, asked_by)| asked_by == id) {
                first = first.or(Some(id));
                self.repeats += 1;
                if self.repeats > REPEATS {
                    continue;
                }
            }
            let Some(anchor) = anchor(graph, plan, &branch) else { continue };
            let (stub, block) = make(graph, &branch, shape, key.1);
            insert.push((anchor, block, anchor == edge.block && self.goes_before(graph, &branch)));
            self.by_key.entry(key).or_default().push((stub, id));
            self.assigned.insert(id, (stub, id));
            first = first.or(Some(id));
        }
        self.candidates = Some(candidates);
        insert_all(plan, &insert);
        first
    }

    /// Whether the branch has a stub that it still reaches.
    fn is_served(&self, graph: &LinkGraph<'_>, branch: &Branch<'_>) -> bool {
        self.assigned.get(&branch.id).is_some_and(|&(stub, _)| reaches(graph, branch, stub))
    }

    /// Whether the start of the block is in reach of the branch and its end is not.
    fn goes_before(&self, graph: &LinkGraph<'_>, branch: &Branch<'_>) -> bool {
        let size = graph.blocks[branch.edge.block].content.size() as i64;
        let (low, high) = graph.arch.reach(branch.row, graph.core).range();
        let offset = i128::from(branch.edge.offset);
        i128::from(size) - offset > high && -offset > low
    }

    /// The stubs by edge.
    pub(crate) fn finish(self) -> Vec<Made> {
        let mut list: Vec<Made> =
            self.assigned.into_iter().map(|(edge, (symbol, asked_by))| Made { edge, symbol, asked_by }).collect();
        list.sort_by_key(|made| made.edge);
        list
    }
}

/// The block beside which a stub for a branch stands: the branch's own, or for data the last block of the nearest code.
/// None where there is no code to stand beside.
fn anchor(graph: &LinkGraph<'_>, plan: &Plan, branch: &Branch<'_>) -> Option<BlockId> {
    if branch.row.class == Class::Branch {
        return Some(branch.edge.block);
    }
    let is_code = |block: &BlockId| graph.sections[graph.blocks[*block].section].protection.executable();
    let last = plan.segments.iter().filter_map(|segment| segment.blocks.last().copied()).filter(is_code);
    let place = graph.blocks[branch.edge.block].address;
    last.min_by_key(|block| graph.blocks[*block].address.abs_diff(place))
}

/// How far behind its target a stub leads. The addend of a branch is where in its target it goes, less what the program
/// counter is ahead; that of a datum says what the datum counts from, and stays with it.
fn stub_addend(graph: &LinkGraph<'_>, row: &Row, edge: &Edge) -> i64 {
    if row.class == Class::Branch { edge.addend.wrapping_add(graph.arch.pc_bias(row)) } else { 0 }
}

/// The addend of an edge that goes through a stub.
pub(crate) fn addend_through(graph: &LinkGraph<'_>, row: &Row, edge: &Edge) -> i64 {
    edge.addend.wrapping_sub(stub_addend(graph, row, edge))
}

/// The live branches. What stubs consist of is none.
fn candidates(graph: &LinkGraph<'_>) -> Vec<EdgeId> {
    let may = |edge: &Edge| matches!(graph.row(edge).class, Class::Branch | Class::BranchData);
    graph.live_edges().filter(|(_, edge)| may(edge)).map(|(id, _)| id).collect()
}

/// Whether a branch can be made without a stub.
fn goes_directly(graph: &LinkGraph<'_>, plan: &Plan, branch: &Branch<'_>) -> bool {
    let symbol = &graph.symbols[branch.edge.target];
    let s = match symbol.definition {
        // Weak or not, somebody may still define it, anywhere.
        Definition::Undefined => return false,
        Definition::Absolute(_) if plan.floating => return false,
        _ => graph.address(branch.edge.target).unwrap_or(0),
    };
    let to = destination(graph, branch.edge.target);
    fits(graph, branch, s, branch.edge.addend, symbol.flags.has(Flags::THUMB), to)
}

/// Whether a branch reaches a stub.
fn reaches(graph: &LinkGraph<'_>, branch: &Branch<'_>, stub: SymbolId) -> bool {
    let Some(address) = graph.address(stub) else { return false };
    // A stub made in this round has no address yet; it will be next to its block.
    if address == 0 {
        return true;
    }
    let thumb = graph.symbols[stub].flags.has(Flags::THUMB);
    let addend = addend_through(graph, branch.row, &branch.edge);
    fits(graph, branch, address, addend, thumb, Destination { thumb: Some(thumb) })
}

fn fits(graph: &LinkGraph<'_>, branch: &Branch<'_>, s: u64, a: i64, t: bool, to: Destination) -> bool {
    let p = graph.blocks[branch.edge.block].address.wrapping_add(branch.edge.offset.into());
    let narrow = graph.target.register_bits == 32;
    let value = branch.row.operation.evaluate(&Inputs { s, a, p, t, narrow, ..Inputs::default() });
    let form = graph.arch.branch(branch.row, branch.word, value, to, graph.core);
    form.is_some_and(|form| graph.arch.reach(branch.row, graph.core).allows(form.value))
}

fn make(graph: &mut LinkGraph<'_>, branch: &Branch<'_>, shape: &'static StubShape, addend: i64) -> (SymbolId, BlockId) {
    let content = Content::Owned(shape.code.to_vec());
    let block = graph.make_block(STUB, Protection::ReadExecute, false, content, 8);
    graph.mapping.extend(shape.mapping.iter().map(|&(offset, bytes)| (block, offset, bytes)));
    let kind = graph.arch.pointer();
    graph.append_edge(Edge { addend, offset: shape.pointer, target: branch.edge.target, block, kind });
    let flags = if shape.thumb { Flags::FUNCTION.with(Flags::THUMB) } else { Flags::FUNCTION };
    (graph.make_symbol(block, 0, shape.code.len() as u64, flags), block)
}

/// Puts new blocks into the plan: each behind, or before, the block that it is for.
fn insert_all(plan: &mut Plan, insert: &[(BlockId, BlockId, bool)]) {
    if insert.is_empty() {
        return;
    }
    let mut beside: FxHashMap<BlockId, (Vec<BlockId>, Vec<BlockId>)> = FxHashMap::default();
    for &(anchor, block, before) in insert {
        let (front, back) = beside.entry(anchor).or_default();
        if before { front.push(block) } else { back.push(block) }
    }
    for segment in &mut plan.segments {
        if !segment.blocks.iter().any(|block| beside.contains_key(block)) {
            continue;
        }
        let mut blocks = Vec::with_capacity(segment.blocks.len() + 1);
        for &block in &segment.blocks {
            let (front, back) = beside.remove(&block).unwrap_or_default();
            blocks.extend(front);
            blocks.push(block);
            blocks.extend(back);
        }
        segment.blocks = blocks;
    }
}
