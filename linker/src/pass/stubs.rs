//! Stubs: what a branch goes through when it cannot reach its target, or not in the right state, or when nobody knows yet
//! where the target will be.
//!
//! Runs inside the layout loop. A stub stands in the island behind the unit that first needs it (or before it, where that is
//! nearer), and serves every other branch that reaches it.
//!
//! The loop ends. A branch makes a stub at most once: islands grow at their outer ends only, so its own stub stays as far
//! from it as it was, and if that is too far, another would be farther. What it shares with others may come out of reach,
//! and then it makes its own. It ends soon, too: after a few rounds only branches are left alone that would still reach if
//! every other one made a stub, so the round after that has nothing to do.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::arch::{Demands, Destination, StubShape};
use crate::branch::{addend_through, destination, stub_addend};
use crate::field::Unit;
use crate::graph::{Content, Definition, Edge, Flags, LinkGraph, Made};
use crate::hash::NameMap;
use crate::index::{BlockId, EdgeId, SymbolId};
use crate::layout::{Part, Plan, STUB_ALIGNMENT, Whereabouts};
use crate::memory::Protection;
use crate::relocation::{Class, Inputs, Row};

/// What branches share a stub by: the target, the offset from it, and the name of the stub's shape.
type Key = (SymbolId, i64, &'static str);

/// Name of the sections that stubs stand in.
const STUB: &[u8] = b".stub";

/// How many rounds make only what is missing. The next one makes what might be.
const FRUGAL: usize = 4;

/// How many stubs of a key a branch tries: the last ones made, which stand near to it as often as not.
const TRIED: usize = 4;

/// More than a stub takes, in bytes.
const LARGEST: u64 = 64;

/// The stubs of a link while it is laid out.
#[derive(Debug)]
pub(crate) struct Stubs {
    /// The edges that may need one, found once.
    candidates: Vec<EdgeId>,
    by_key: NameMap<Key, Vec<(SymbolId, EdgeId)>>,
    /// The stub that an edge uses, and the edge that asked for it.
    assigned: FxHashMap<EdgeId, (SymbolId, EdgeId)>,
    /// The stubs by the edges that made them.
    own: FxHashMap<EdgeId, SymbolId>,
    /// The landing pads by what they are for, and by the stubs that lead to them.
    landings: NameMap<(SymbolId, i64), SymbolId>,
    lead_to: FxHashMap<SymbolId, SymbolId>,
    round: usize,
}

/// The state of one candidate for a stub.
struct Branch<'r> {
    edge: Edge,
    row: &'r Row,
    word: u64,
}

impl Stubs {
    pub(crate) fn new(graph: &LinkGraph<'_>) -> Self {
        // What stubs consist of is no branch.
        let is_branch = |edge: &Edge| matches!(graph.row(edge).class, Class::Branch | Class::BranchData);
        let may = |edge: &Edge| is_branch(edge) && may_lead_elsewhere(graph, edge);
        Stubs {
            candidates: graph.live_edges().filter(|(_, edge)| may(edge)).map(|(id, _)| id).collect(),
            by_key: NameMap::default(),
            assigned: FxHashMap::default(),
            own: FxHashMap::default(),
            landings: NameMap::default(),
            lead_to: FxHashMap::default(),
            round: 0,
        }
    }

    /// Makes the stubs that are missing at the present addresses. Whether there were any.
    pub(crate) fn extend(&mut self, graph: &mut LinkGraph<'_>, plan: &mut Plan) -> bool {
        self.round += 1;
        let careful = self.round == FRUGAL + 1;
        let to_come = (self.candidates.len() - self.own.len()) as u64 * LARGEST;
        let margin = if careful { plan.drift(to_come).min(i64::MAX as u64) as i64 } else { 0 };
        let mut insert: Vec<(u32, BlockId, Part)> = Vec::new();
        let mut whereabouts: Option<Whereabouts> = None;
        for index in 0..self.candidates.len() {
            let id = self.candidates[index];
            let edge = graph.edges[id];
            let row = graph.row(&edge);
            let Some(word) = graph.word_under(id) else { continue };
            let branch = Branch { edge, row, word };
            if goes_directly(graph, plan, &branch, margin) {
                continue;
            }
            let reached = |stub: SymbolId| reaches(graph, &branch, stub, margin);
            if self.assigned.get(&id).is_some_and(|&(stub, _)| self.own.get(&id) == Some(&stub) || reached(stub)) {
                continue;
            }
            if let Some(&own) = self.own.get(&id) {
                self.assigned.insert(id, (own, id));
                continue;
            }
            let Some(shape) = graph.arch.stub_for(row, word, demands(graph, &edge)) else { continue };
            let key = (edge.target, stub_addend(graph, row, &edge), shape.name);
            let made = self.by_key.get(&key).map_or(&[][..], Vec::as_slice);
            if let Some(&stub) = made.iter().rev().take(TRIED).find(|(stub, _)| reached(*stub)) {
                self.assigned.insert(id, stub);
                continue;
            }
            let whereabouts = whereabouts.get_or_insert_with(|| plan.whereabouts(graph));
            let Some((unit, part)) = place(graph, plan, whereabouts, &branch) else { continue };
            let landing = self.landing(graph, plan, edge.target, key.1, &mut insert);
            let (target, addend) = landing.map_or((edge.target, key.1), |landing| (landing, 0));
            let (stub, block) = make(graph, shape, target, addend);
            self.lead_to.extend(landing.map(|landing| (stub, landing)));
            // Right beside its unit for now: what else is in the island is not counted.
            graph.blocks[block].address = graph.blocks[edge.block].address;
            insert.push((unit, block, part));
            self.by_key.entry(key).or_default().push((stub, id));
            self.own.insert(id, stub);
            self.assigned.insert(id, (stub, id));
        }
        plan.add_stubs(&insert);
        !insert.is_empty()
    }

    /// What a stub has to lead to instead of its target, if indirect branches have to land on a landing pad and the target is
    /// none: one of ours, in the island behind the target.
    fn landing(
        &mut self,
        graph: &mut LinkGraph<'_>,
        plan: &Plan,
        target: SymbolId,
        addend: i64,
        insert: &mut Vec<(u32, BlockId, Part)>,
    ) -> Option<SymbolId> {
        let Definition::Block(block, offset) = graph.symbols[target].definition else { return None };
        if !graph.demands().landing || !graph.blocks[block].live {
            return None;
        }
        if let Some(&landing) = self.landings.get(&(target, addend)) {
            return Some(landing);
        }
        let start = usize::try_from(offset.wrapping_add_signed(addend)).ok()?;
        let first = graph.blocks[block].content.bytes().get(start..)?;
        let shape = graph.arch.landing_for(Unit::Instruction32.read(first, graph.target.big_endian)?)?;
        let unit = plan.unit_of(block)?;
        let address = graph.blocks[block].address;
        let (landing, made) = make(graph, shape, target, addend);
        graph.blocks[made].address = address;
        insert.push((unit, made, Part::Behind));
        self.landings.insert((target, addend), landing);
        Some(landing)
    }

    /// Lets go of what turned out not to be needed, and writes down the rest by edge.
    pub(crate) fn finish(self, graph: &mut LinkGraph<'_>, plan: &mut Plan) {
        let mut list: Vec<Made> = Vec::with_capacity(self.assigned.len());
        for &id in &self.candidates {
            let Some(&(symbol, asked_by)) = self.assigned.get(&id) else { continue };
            let edge = graph.edges[id];
            let branch = Branch { edge, row: graph.row(&edge), word: graph.word_under(id).unwrap_or(0) };
            if !goes_directly(graph, plan, &branch, 0) {
                list.push(Made { edge: id, symbol, asked_by });
            }
        }
        let mut used: FxHashSet<SymbolId> = list.iter().map(|made| made.symbol).collect();
        used.extend(list.iter().filter_map(|made| self.lead_to.get(&made.symbol)));
        let mut left = false;
        for id in &self.candidates {
            let Some(stub) = self.own.get(id) else { continue };
            for made in [Some(stub), self.lead_to.get(stub)].into_iter().flatten().filter(|made| !used.contains(made)) {
                let Definition::Block(block, _) = graph.symbols[*made].definition else { continue };
                graph.blocks[block].live = false;
                left = true;
            }
        }
        if left {
            plan.let_go(graph);
        }
        graph.stubs = list;
    }
}

/// The unit beside which a stub for a branch stands, and on which side: the branch's own, or for data the last of the
/// nearest code. None where there is no code to stand beside.
fn place(graph: &LinkGraph<'_>, plan: &Plan, whereabouts: &Whereabouts, branch: &Branch<'_>) -> Option<(u32, Part)> {
    let place = graph.blocks[branch.edge.block].address.wrapping_add(branch.edge.offset.into());
    if branch.row.class != Class::Branch {
        return Some((whereabouts.nearest_code(place)?, Part::Behind));
    }
    let unit = plan.unit_of(branch.edge.block)?;
    let (start, stop) = whereabouts.extent(unit)?;
    let (low, high) = graph.arch.reach(branch.row, graph.core).range();
    // Where the end of the unit is beyond reach and its start is not.
    let before = i128::from(stop.wrapping_sub(place)) > high && -i128::from(place.wrapping_sub(start)) > low;
    Some((unit, if before { Part::Before } else { Part::Behind }))
}

/// Whether a branch can be made without a stub, and could if it were `margin` bytes farther or nearer.
fn goes_directly(graph: &LinkGraph<'_>, plan: &Plan, branch: &Branch<'_>, margin: i64) -> bool {
    let symbol = &graph.symbols[branch.edge.target];
    let s = match symbol.definition {
        // Weak or not, somebody may still define it, anywhere.
        Definition::Undefined | Definition::Assigned => return false,
        Definition::Absolute(_) if plan.floating => return false,
        // Bounds of what is laid out are not known before.
        _ => match graph.address(branch.edge.target) {
            Some(s) => s,
            None => return false,
        },
    };
    let to = destination(graph, branch.edge.target);
    fits(graph, branch, (s, branch.edge.addend, symbol.flags.has(Flags::THUMB)), to, margin)
}

/// Whether a branch reaches a stub, and would with `margin` bytes more or less between them.
fn reaches(graph: &LinkGraph<'_>, branch: &Branch<'_>, stub: SymbolId, margin: i64) -> bool {
    let Some(address) = graph.address(stub) else { return false };
    let thumb = graph.symbols[stub].flags.has(Flags::THUMB);
    let addend = addend_through(graph, branch.row, &branch.edge);
    fits(graph, branch, (address, addend, thumb), Destination { thumb: Some(thumb) }, margin)
}

fn fits(graph: &LinkGraph<'_>, branch: &Branch<'_>, sat: (u64, i64, bool), to: Destination, margin: i64) -> bool {
    let (s, a, t) = sat;
    let p = graph.blocks[branch.edge.block].address.wrapping_add(branch.edge.offset.into());
    let narrow = graph.target.register_bits == 32;
    let value = branch.row.operation.evaluate(&Inputs { s, a, p, t, narrow, ..Inputs::default() });
    let form = graph.arch.branch(branch.row, branch.word, value, to, graph.core);
    let reach = graph.arch.reach(branch.row, graph.core);
    form.is_some_and(|form| [-margin, margin].iter().all(|m| reach.allows(form.value.saturating_add(*m))))
}

/// Whether a stub may stand between a branch and its target: the target is a function, or in another section, or not known
/// here. Otherwise the registers that a stub changes are the code's own (AAELF64 and AAELF32, Call and Jump relocations).
fn may_lead_elsewhere(graph: &LinkGraph<'_>, edge: &Edge) -> bool {
    let symbol = &graph.symbols[edge.target];
    match symbol.definition {
        Definition::Block(block, _) => {
            symbol.flags.has(Flags::FUNCTION) || graph.blocks[block].section != graph.blocks[edge.block].section
        }
        _ => true,
    }
}

/// What a stub beside the section of an edge has to keep to. It is executable only where the section is.
fn demands(graph: &LinkGraph<'_>, edge: &Edge) -> Demands {
    Demands { pure: graph.sections[graph.blocks[edge.block].section].pure_code, ..graph.demands() }
}

fn make(graph: &mut LinkGraph<'_>, shape: &'static StubShape, target: SymbolId, addend: i64) -> (SymbolId, BlockId) {
    let content = Content::Owned(shape.code.to_vec());
    let block = graph.make_block(STUB, Protection::ReadExecute, false, content, STUB_ALIGNMENT);
    graph.mapping.extend(shape.mapping.iter().map(|&(offset, bytes)| (block, offset, bytes)));
    graph.fill_stub(block, shape, target, addend);
    let flags = if shape.thumb { Flags::FUNCTION.with(Flags::THUMB) } else { Flags::FUNCTION };
    (graph.make_symbol(block, 0, shape.code.len() as u64, flags), block)
}
