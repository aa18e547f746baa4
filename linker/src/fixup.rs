//! Fixing up: the one place where a relocation's formula meets its field.

use crate::branch::{addend_through, destination};
use crate::error::{Error, Misfit, Result, Several, Site};
use crate::graph::{Definition, Edge, Flags, Kind, LinkGraph, Made, Rewrite};
use crate::index::{BlockId, EdgeId, Id, SymbolId};
use crate::layout::{Plan, ThreadLocal};
use crate::memory::Lifetime;
use crate::relocation::{Check, Class, Entry, Inputs, Minus, Row, Term};

/// How an edge reached its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Directly.
    Direct,
    /// Through this table entry.
    Entry(SymbolId),
    /// Through this stub.
    Stub(SymbolId),
    /// The target is undefined and weak: the branch goes on with the next instruction.
    FallThrough,
    /// The target is not part of the link, and the place describes it only or does without: what is written means nothing.
    Dropped,
}

/// All that is known of a relocation once it is applied.
#[derive(Clone, Copy, Debug)]
pub struct Fixup {
    /// What the formula was made of.
    pub inputs: Inputs,
    /// The value that went into the field.
    pub value: i64,
    /// The word under the relocation before.
    pub before: u64,
    /// The word after.
    pub after: u64,
    /// How the target was reached.
    pub via: Via,
}

/// What fixing up needs besides the graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Branches to what turned out to be in reach bypass their stub.
    pub(crate) bypass_stubs: bool,
    /// The address of the global offset table.
    pub(crate) got: u64,
    /// The image of threads.
    pub(crate) thread_local: Option<ThreadLocal>,
    /// The segments.
    pub(crate) plan: &'a Plan,
}

#[cold]
pub(crate) fn opcode_error(graph: &LinkGraph<'_>, edge: &Edge, word: u64) -> Error {
    let field = graph.row(edge).field;
    let names: Vec<&str> = field.opcodes.iter().map(|opcode| opcode.name).collect();
    let digits = field.unit.size() * 2;
    Error::Opcode {
        site: Box::new(Site::edge(graph, edge)),
        found: format!("{word:#0width$x}", width = digits + 2),
        expected: names.join(" or "),
    }
}

/// A list sorted by edge, looked up in the order of edges.
struct Cursor<'a, T> {
    list: &'a [T],
    edge: fn(&T) -> EdgeId,
}

impl<'a, T> Cursor<'a, T> {
    fn at(&mut self, edge: EdgeId) -> Option<&'a T> {
        while let Some((first, rest)) = self.list.split_first() {
            let here = (self.edge)(first);
            if here > edge {
                return None;
            }
            self.list = rest;
            if here == edge {
                return Some(first);
            }
        }
        None
    }
}

/// What was made for edges, looked up in their order.
pub(crate) struct Cursors<'a> {
    entries: Cursor<'a, Made>,
    stubs: Cursor<'a, Made>,
    rewritten: Cursor<'a, Rewrite>,
}

impl<'a> Cursors<'a> {
    pub(crate) fn new(graph: &'a LinkGraph<'_>) -> Self {
        Cursors {
            entries: Cursor { list: &graph.entries, edge: |made| made.edge },
            stubs: Cursor { list: &graph.stubs, edge: |made| made.edge },
            rewritten: Cursor { list: &graph.rewritten, edge: |rewrite| rewrite.edge },
        }
    }
}

/// Computes the fixup of `edge`, whose place holds `word`.
#[inline]
pub(crate) fn compute(
    graph: &LinkGraph<'_>,
    context: &Context<'_>,
    edge: &Edge,
    word: u64,
    entry: Option<SymbolId>,
    mut stub: Option<SymbolId>,
) -> Result<Fixup> {
    let row = graph.row(edge);
    if !row.field.carries(word) {
        return Err(opcode_error(graph, edge, word));
    }
    let symbol = &graph.symbols[edge.target];
    let p = graph.target.wrap(graph.blocks[edge.block].address.wrapping_add(edge.offset.into()));
    let mut inputs = Inputs {
        s: 0,
        a: edge.addend,
        p,
        t: symbol.flags.has(Flags::THUMB),
        entry: entry.and_then(|entry| graph.address(entry)).unwrap_or(0),
        got: context.got,
        origin: 0,
        tp: context.thread_local.map_or(0, |image| image.address.wrapping_sub(image.offset)),
        block: context.thread_local.map_or(0, |image| image.address),
        narrow: graph.target.register_bits == 32,
    };
    let done = |inputs, value, after, via| Ok(Fixup { inputs, value, before: word, after, via });
    match symbol.definition {
        Definition::Block(block, offset) if graph.blocks[block].live => {
            if row.class == Class::Patch {
                return Err(patches_with_address(graph, edge));
            }
            inputs.s = graph.target.wrap(graph.blocks[block].address.wrapping_add(offset));
            if row.operation.minus == Minus::Origin {
                inputs.origin = context.plan.origin(graph, block);
            }
            check_thread_local(graph, edge, row, block)?;
        }
        Definition::Absolute(address) => {
            inputs.s = graph.target.wrap(address);
            if row.class == Class::Tls && !symbol.flags.has(Flags::TLS) {
                thread_local_mismatch(graph, edge, row)?;
            }
        }
        Definition::Block(..) | Definition::Discarded => {
            return if describes(graph, edge) {
                let tombstone = tombstone(graph, edge);
                let after = row.field.encode(word, tombstone).unwrap_or(word);
                done(inputs, tombstone, after, Via::Dropped)
            } else {
                Err(Error::Discarded { site: Box::new(Site::edge(graph, edge)) })
            };
        }
        // Undefined and weak; anything else undefined has been an error by now.
        _ => {
            inputs.t = false;
            if row.class == Class::Patch {
                return done(inputs, 0, word, Via::Dropped);
            }
            // A pointer to nothing is null, not the descriptor of nothing.
            if row.operation.entry == Entry::Function {
                inputs.entry = 0;
            }
            if let Some(after) = graph.arch.fall_through(row, word, graph.core) {
                return done(inputs, 0, after, Via::FallThrough);
            }
            inputs.s = undefined_weak(row, &inputs);
            // A datum that could have named the stub names nothing: there is nothing behind it.
            stub = None;
        }
    }
    if row.class == Class::None {
        return done(inputs, 0, word, Via::Direct);
    }
    if row.class.is_branch() || row.class == Class::BranchData {
        return branch(graph, context, edge, word, inputs, stub);
    }
    let value = row.operation.evaluate(&inputs);
    let via = entry.map_or(Via::Direct, Via::Entry);
    let after = encode(row, row.check, word, value).ok_or_else(|| misfit(graph, edge, row.check, &inputs, value))?;
    done(inputs, value, after, via)
}

/// Offsets from the thread pointer make sense for thread-local variables only, and nothing else does.
#[inline]
fn check_thread_local(graph: &LinkGraph<'_>, edge: &Edge, row: &Row, target: BlockId) -> Result<()> {
    if (row.class == Class::Tls) == graph.sections[graph.blocks[target].section].thread_local {
        return Ok(());
    }
    thread_local_mismatch(graph, edge, row)
}

#[cold]
fn thread_local_mismatch(graph: &LinkGraph<'_>, edge: &Edge, row: &Row) -> Result<()> {
    // Debug information counts from the start of the image; a module needs no symbol at all, and a marker none of its own.
    if describes(graph, edge) || row.operation.entry == Entry::Module || row.class == Class::None {
        return Ok(());
    }
    let problem = match row.class {
        Class::Tls => "the relocation is for thread-local variables, but the symbol is none",
        _ => "the symbol is a thread-local variable, but the relocation is not for those",
    };
    Err(Error::ThreadLocal { site: Box::new(Site::edge(graph, edge)), problem })
}

/// The value of an undefined weak reference (AAELF32 and AAELF64, Weak References): zero if the relocation is absolute,
/// the place if it is relative to it, the origin if it is relative to that.
fn undefined_weak(row: &Row, inputs: &Inputs) -> u64 {
    match (row.operation.term, row.operation.minus) {
        (Term::Symbol, Minus::Place | Minus::PagePlace | Minus::WordPlace) => inputs.p,
        (Term::Symbol, Minus::Got | Minus::PageGot) => inputs.got,
        (Term::Symbol, Minus::ThreadPointer) => inputs.tp,
        (Term::Symbol, Minus::Block) => inputs.block,
        _ => 0,
    }
}

#[cold]
fn patches_with_address(graph: &LinkGraph<'_>, edge: &Edge) -> Error {
    let problem =
        "the symbol is defined in a section, expected one that is undefined or absolute: it is an instruction";
    Error::Malformed { site: Box::new(Site::edge(graph, edge)), problem: problem.to_owned() }
}

/// What debug information says of what is not there, so that debuggers take it for nothing: 0, or where two equal numbers
/// would end a list, 1; an index of names has all ones. As GNU ld and lld write it.
fn tombstone(graph: &LinkGraph<'_>, edge: &Edge) -> i64 {
    match graph.sections[graph.blocks[edge.block].section].name {
        b".debug_loc" | b".debug_ranges" => 1,
        b".debug_names" => -1,
        _ => 0,
    }
}

/// Whether the place of an edge only describes other things: debug information and call frames.
fn describes(graph: &LinkGraph<'_>, edge: &Edge) -> bool {
    let section = &graph.sections[graph.blocks[edge.block].section];
    section.lifetime == Lifetime::NoAlloc || section.kind == Kind::Frames
}

fn branch(
    graph: &LinkGraph<'_>,
    context: &Context<'_>,
    edge: &Edge,
    word: u64,
    inputs: Inputs,
    stub: Option<SymbolId>,
) -> Result<Fixup> {
    let Some(stub) = stub else {
        return direct(graph, edge, word, inputs).ok_or_else(|| no_branch(graph, edge, word, &inputs));
    };
    if context.bypass_stubs
        && graph.symbols[edge.target].flags.has(Flags::EXTERNAL)
        && let Some(direct) = direct(graph, edge, word, inputs)
    {
        return Ok(direct);
    }
    let through = Edge { target: stub, addend: addend_through(graph, graph.row(edge), edge), ..*edge };
    let inputs = Inputs {
        s: graph.address(stub).unwrap_or(0),
        a: through.addend,
        t: graph.symbols[stub].flags.has(Flags::THUMB),
        ..inputs
    };
    let fixup = direct(graph, &through, word, inputs).ok_or_else(|| no_stub_in_reach(graph, edge))?;
    Ok(Fixup { via: Via::Stub(stub), ..fixup })
}

#[cold]
fn no_stub_in_reach(graph: &LinkGraph<'_>, edge: &Edge) -> Error {
    let (low, high) = graph.arch.reach(graph.row(edge), graph.core).range();
    let size = graph.blocks[edge.block].content.size();
    Error::NoStubInReach { site: Box::new(Site::edge(graph, edge)), size, low, high }
}

/// The branch straight to the target of the edge, where it can be made.
fn direct(graph: &LinkGraph<'_>, edge: &Edge, word: u64, inputs: Inputs) -> Option<Fixup> {
    let row = graph.row(edge);
    let value = row.operation.evaluate(&inputs);
    let form = graph.arch.branch(row, word, value, destination(graph, edge.target), graph.core)?;
    let after = encode(row, graph.arch.reach(row, graph.core), form.word, form.value)?;
    Some(Fixup { inputs, value: form.value, before: word, after, via: Via::Direct })
}

/// Why there is no direct branch.
#[cold]
fn no_branch(graph: &LinkGraph<'_>, edge: &Edge, word: u64, inputs: &Inputs) -> Error {
    let row = graph.row(edge);
    let to = destination(graph, edge.target);
    match graph.arch.branch(row, word, row.operation.evaluate(inputs), to, graph.core) {
        Some(form) => misfit(graph, edge, graph.arch.reach(row, graph.core), inputs, form.value),
        None => {
            let what = match to.thumb {
                Some(true) => "to Thumb code from here: it would have to change state",
                _ => "to code in the main instruction set from here: it would have to change state",
            };
            Error::State { site: Box::new(Site::edge(graph, edge)), what }
        }
    }
}

/// Checks a value and puts it into the word.
#[inline]
fn encode(row: &Row, check: Check, word: u64, value: i64) -> Option<u64> {
    if check.allows(value) && row.is_aligned(value) { row.field.encode(word, value) } else { None }
}

#[cold]
fn misfit(graph: &LinkGraph<'_>, edge: &Edge, check: Check, inputs: &Inputs, value: i64) -> Error {
    let row = Row { check, ..*graph.row(edge) };
    let misfit = Box::new(Misfit {
        site: Site::edge(graph, edge),
        formula: row.operation.to_string(),
        s: inputs.s,
        a: inputs.a,
        p: inputs.p,
        value,
        allowed: row.allowed(),
    });
    if check.allows(value) && !row.is_aligned(value) { Error::Misaligned(misfit) } else { Error::OutOfRange(misfit) }
}

/// What was made for an edge.
#[derive(Clone, Copy, Default)]
struct MadeFor {
    entry: Option<SymbolId>,
    stub: Option<SymbolId>,
    rewritten: Option<Rewrite>,
}

/// Applies one edge to the bytes from its place on. None where there are none.
#[inline]
fn step(
    graph: &LinkGraph<'_>,
    context: &Context<'_>,
    id: EdgeId,
    made: MadeFor,
    place: &mut [u8],
) -> Result<Option<Fixup>> {
    let big_endian = graph.target.big_endian;
    let edge = &graph.edges[id];
    let unit = graph.row_of(made.rewritten.map_or(edge.kind, |rewrite| rewrite.was)).field.unit;
    let Some(found) = unit.read(place, big_endian) else { return Ok(None) };
    let word = made.rewritten.map_or(found, |rewrite| rewrite.word);
    let fixup = compute(graph, context, edge, word, made.entry, made.stub)?;
    if fixup.after != found {
        unit.write(place, fixup.after, big_endian);
    }
    Ok(Some(Fixup { before: found, ..fixup }))
}

/// Applies the edges of one block to its bytes. Of those that cannot be applied nothing is written.
pub(crate) fn apply(
    graph: &LinkGraph<'_>,
    context: &Context<'_>,
    edges: impl Iterator<Item = EdgeId>,
    bytes: &mut [u8],
    cursors: &mut Cursors<'_>,
    failed: &mut Several,
) {
    for id in edges {
        let symbol = |made: &Made| made.symbol;
        let made = MadeFor {
            entry: cursors.entries.at(id).map(symbol),
            stub: cursors.stubs.at(id).map(symbol),
            rewritten: cursors.rewritten.at(id).copied(),
        };
        let place = bytes.get_mut(graph.edges[id].offset as usize..).unwrap_or_default();
        if let Err(error) = step(graph, context, id, made, place) {
            failed.push(error);
        }
    }
}

/// Bytes that a relocation changes at most.
const WIDEST: u32 = 8;

/// The fixup of one edge, as [`apply`] makes it: over what the edges before it have left where they share its place.
pub(crate) fn of_edge(graph: &LinkGraph<'_>, context: &Context<'_>, id: EdgeId) -> Result<Fixup> {
    let edge = &graph.edges[id];
    let block = &graph.blocks[edge.block];
    let nothing = Fixup { inputs: Inputs::default(), value: 0, before: 0, after: 0, via: Via::Dropped };
    if !block.live {
        return Ok(nothing);
    }
    let shares = |earlier: &EdgeId| graph.edges[*earlier].offset + WIDEST > edge.offset;
    // Edges of a block are in the order of their offsets.
    let before = (block.edges.start as usize..id.index()).rev().map(EdgeId::new);
    let first = before.take_while(shares).last().unwrap_or(id);
    let start = graph.edges[first].offset as usize;
    let end = (edge.offset + WIDEST) as usize;
    let mut window = block.content.bytes().get(start..).unwrap_or_default().to_vec();
    window.truncate(end - start);
    let mut apply = |id: EdgeId| {
        let made = |list| LinkGraph::made(list, id).map(|made| made.symbol);
        let made = MadeFor { entry: made(&graph.entries), stub: made(&graph.stubs), rewritten: graph.rewrite(id) };
        let place = window.get_mut(graph.edges[id].offset as usize - start..).unwrap_or_default();
        step(graph, context, id, made, place)
    };
    // What cannot be applied before it has an error of its own, and writes nothing.
    (first.index()..id.index()).for_each(|earlier| drop(apply(EdgeId::new(earlier))));
    Ok(apply(id)?.unwrap_or(nothing))
}
