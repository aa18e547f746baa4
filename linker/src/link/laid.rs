//! A link that has been laid out, up to the end of its life in the linker.

use std::marker::PhantomData;

use crate::assign::{self, Assignment};
use crate::error::{Error, Result, Site, Undefined, text};
use crate::field::Unit;
use crate::fixup::{self, Context, Cursors, Fixup};
use crate::graph::{Binding, Definition, Flags, LinkGraph};
use crate::index::{EdgeId, Id, SymbolId};
use crate::layout::{Plan, ThreadLocal};
use crate::link::{Options, find_local};
use crate::memory::{Action, InFlight, Memory};
use crate::names::Names;
use crate::pass::ifunc::Ifunc;
use crate::pass::relax;

/// How far a link has come.
pub mod step {
    /// Everything has an address; what comes from outside is not known yet.
    #[derive(Debug)]
    pub enum Reserved {}
    /// Every symbol is known.
    #[derive(Debug)]
    pub enum Resolved {}
    /// Every byte is final; nothing has been shipped.
    #[derive(Debug)]
    pub enum Fixed {}
    /// In target memory, ready to run.
    #[derive(Debug)]
    pub enum Finalized {}

    /// A step at which every symbol is known.
    pub trait Known {}
    impl Known for Resolved {}
    impl Known for Fixed {}
    impl Known for Finalized {}
}

/// A link with addresses, at some [`step`], with what the memory has given for it.
#[derive(Debug)]
pub struct Laid<'data, S, H> {
    pub(super) graph: LinkGraph<'data>,
    pub(super) names: Names<'data>,
    pub(super) options: Options,
    pub(super) plan: Plan,
    pub(super) ifuncs: Vec<Ifunc>,
    /// What the memory gave: the buffers while the link is in flight, then its handle.
    pub handle: H,
    pub(super) step: PhantomData<S>,
}

/// Everything has an address; what comes from outside is not known yet.
pub type Reserved<'data, M> = Laid<'data, step::Reserved, <M as Memory>::InFlight>;
/// Every symbol is known.
pub type Resolved<'data, M> = Laid<'data, step::Resolved, <M as Memory>::InFlight>;
/// Every byte is final; nothing has been shipped.
pub type Fixed<'data, M> = Laid<'data, step::Fixed, <M as Memory>::InFlight>;
/// Linked, in target memory, ready to run.
pub type Finalized<'data, H> = Laid<'data, step::Finalized, H>;

impl<'data, S, H> Laid<'data, S, H> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The initial image of each thread's variables, when there are any.
    pub fn thread_local(&self) -> Option<ThreadLocal> {
        self.plan.thread_local(&self.graph)
    }

    /// The IFUNC symbols, each with its slot and resolver.
    pub fn ifuncs(&self) -> &[Ifunc] {
        &self.ifuncs
    }

    /// The segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    fn step<T>(self) -> Laid<'data, T, H> {
        let Laid { graph, names, options, plan, ifuncs, handle, .. } = self;
        Laid { graph, names, options, plan, ifuncs, handle, step: PhantomData }
    }
}

impl<S, H: InFlight> Laid<'_, S, H> {
    /// Gives the memory back.
    pub fn abandon<M: Memory<InFlight = H>>(self, memory: &mut M) {
        memory.abandon(self.handle);
    }
}

impl<S: step::Known, H> Laid<'_, S, H> {
    /// What an edge comes to.
    pub fn fixup(&self, id: EdgeId) -> Result<Fixup> {
        let graph = &self.graph;
        let edge = &graph.edges[id];
        let word = graph.word_under(id).unwrap_or(0);
        let made = |list| LinkGraph::made(list, id).map(|made| made.symbol);
        let context = context(graph, &self.options, &self.plan);
        let mut fixup = fixup::compute(graph, &context, edge, word, made(&graph.entries), made(&graph.stubs))?;
        if graph.rewrite(id).is_some() {
            let unit = graph.object_row(id).field.unit;
            let found = graph.bytes_under(edge, unit.size()).and_then(|b| unit.read(b, graph.target.big_endian));
            fixup.before = found.unwrap_or(0);
        }
        Ok(fixup)
    }
}

/// A name that has to come from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct External<'data> {
    /// The name.
    pub name: &'data [u8],
    /// Whether the link can do without.
    pub weak: bool,
    /// Its symbol.
    pub symbol: SymbolId,
}

impl<'data, H: InFlight> Laid<'data, step::Reserved, H> {
    /// The names that live edges need from outside, in the order in which they were first seen.
    pub fn externals(&self) -> Vec<External<'data>> {
        let mut wanted = vec![false; self.graph.symbols.len()];
        for (_, edge) in self.graph.live_edges() {
            wanted[edge.target.index()] = true;
        }
        for id in self.graph.assignments.iter().flat_map(Assignment::symbols) {
            wanted[id.index()] = true;
        }
        let undefined = self.graph.symbols.iter().filter(|(id, symbol)| wanted[id.index()] && symbol.is_undefined());
        undefined
            .map(|(symbol, known)| External { name: known.name, weak: known.binding == Binding::Weak, symbol })
            .collect()
    }

    /// Asks `lookup` for the address of each external; the low bit says Thumb where there is such a thing. What nobody
    /// has is one error that names all of it; weak references may stay undefined.
    pub fn resolve<M: Memory<InFlight = H>>(
        mut self,
        memory: &mut M,
        mut lookup: impl FnMut(&str) -> Option<u64>,
    ) -> Result<Resolved<'data, M>> {
        let mut missing = Vec::new();
        for external in self.externals() {
            match std::str::from_utf8(external.name).ok().and_then(&mut lookup) {
                Some(address) => {
                    let (address, flags) = self.graph.arch.symbol_value(address, true);
                    let symbol = &mut self.graph.symbols[external.symbol];
                    symbol.definition = Definition::Absolute(address);
                    symbol.flags = flags.with(Flags::EXTERNAL);
                }
                None if external.weak => {}
                None => missing.push(external.symbol),
            }
        }
        if !missing.is_empty() {
            let error = undefined(&self.graph, &missing);
            memory.abandon(self.handle);
            return Err(error);
        }
        if let Err(error) = assign::compute(&mut self.graph) {
            memory.abandon(self.handle);
            return Err(error);
        }
        if self.options.relax_got_loads {
            relax::got_loads(&mut self.graph);
        }
        Ok(self.step())
    }
}

/// How many sections that want a missing symbol an error names: the first place in each.
const SITES: usize = 8;

fn undefined(graph: &LinkGraph<'_>, missing: &[SymbolId]) -> Error {
    let mut list: Vec<Undefined> = missing
        .iter()
        .map(|&id| Undefined { name: text(graph.symbols[id].name), wanted_by: Vec::new(), references: 0 })
        .collect();
    let mut last = vec![None; missing.len()];
    for (_, edge) in graph.live_edges() {
        let section = graph.blocks[edge.block].section;
        // The linker's own entries and stubs want it on behalf of an edge that is in the list already.
        if graph.sections[section].is_made() {
            continue;
        }
        if let Ok(index) = missing.binary_search(&edge.target) {
            list[index].references += 1;
            if list[index].wanted_by.len() < SITES && last[index] != Some(section) {
                last[index] = Some(section);
                list[index].wanted_by.push(Site { symbol: None, ..Site::edge(graph, edge) });
            }
        }
    }
    Error::Undefined(list)
}

impl<'data, H: InFlight> Laid<'data, step::Resolved, H> {
    /// Copies all content into the target's buffers, once, and applies every relocation there.
    pub fn fix<M: Memory<InFlight = H>>(mut self, memory: &mut M) -> Result<Fixed<'data, M>> {
        match fix(&self.graph, &self.options, &self.plan, &mut self.handle) {
            Ok(()) => Ok(self.step()),
            Err(error) => {
                memory.abandon(self.handle);
                Err(error)
            }
        }
    }
}

fn context<'a>(graph: &LinkGraph<'_>, options: &Options, plan: &'a Plan) -> Context<'a> {
    let got = graph.got.map_or(0, |got| graph.blocks[got].address);
    Context { bypass_stubs: options.bypass_stubs, got, thread_local: plan.thread_local(graph), plan }
}

fn fix(graph: &LinkGraph<'_>, options: &Options, plan: &Plan, reservation: &mut impl InFlight) -> Result<()> {
    let context = context(graph, options, plan);
    let mut cursors = Cursors::new(graph);
    for (_, block) in graph.blocks.iter() {
        if !block.live || block.content.is_zero() {
            continue;
        }
        let segment = block.segment as usize;
        let start = block.address.wrapping_sub(plan.segments[segment].address);
        let start = graph.target.wrap(start) as usize;
        let bytes = block.content.bytes();
        let buffer = reservation.content(segment);
        let Some(place) = start.checked_add(bytes.len()).and_then(|end| buffer.get_mut(start..end)) else {
            return Err(Error::Memory(format!("segment {segment} has a buffer of {} bytes", buffer.len()).into()));
        };
        place.copy_from_slice(bytes);
        if let Some(parent) = block.parent {
            // The distance back from the second word of the record to the common record.
            let back = block.address.wrapping_add(4).wrapping_sub(graph.blocks[parent].address) as u32;
            let _ = Unit::Data32.write(&mut place[4..8], back.into(), graph.target.big_endian);
        }
        fixup::apply(graph, &context, block.edge_ids(), place, &mut cursors)?;
    }
    Ok(())
}

impl<'data, H: InFlight> Laid<'data, step::Fixed, H> {
    /// The final content of a segment.
    pub fn content(&mut self, segment: usize) -> &[u8] {
        self.handle.content(segment)
    }

    /// What finalization has to do, in order: resolvers of IFUNC symbols, functions that initialise data, signing of pointers.
    pub fn actions(&self) -> Vec<Action> {
        let chosen = self.ifuncs.iter().filter(|_| !self.options.relocates_itself).filter_map(|ifunc| {
            let (function, slot) = (self.graph.value(ifunc.resolver)?, self.graph.address(ifunc.slot)?);
            Some(Action::CallAndStore { function, slot })
        });
        let initialised = self.graph.initialised.iter().filter_map(|&id| {
            let edge = &self.graph.edges[id];
            // Nothing is called for an undefined weak symbol.
            let function = self.graph.value(edge.target)?.wrapping_add_signed(edge.addend);
            let slot = self.graph.blocks[edge.block].address.wrapping_add(edge.offset.into());
            Some(Action::CallAndStore { function, slot })
        });
        let signed = self.graph.signatures.iter().map(|signature| {
            let slot = self.graph.blocks[signature.block].address.wrapping_add(signature.offset.into());
            let modifier = match (u64::from(signature.discriminator), signature.diverse) {
                (discriminator, false) => discriminator,
                (0, true) => slot,
                (discriminator, true) => slot & 0xffff_ffff_ffff | discriminator << 48,
            };
            Action::Sign { slot, key: signature.key, modifier }
        });
        chosen.chain(initialised).chain(signed).collect()
    }

    /// Ships content, runs the actions, sets protections.
    pub fn finalize<M: Memory<InFlight = H>>(self, memory: &mut M) -> Result<Finalized<'data, M::Finalized>> {
        let actions = self.actions();
        let Laid { graph, names, options, plan, ifuncs, handle, .. } = self;
        let handle = memory.finalize(handle, &actions).map_err(Error::Memory)?;
        Ok(Laid { graph, names, options, plan, ifuncs, handle, step: PhantomData })
    }
}

impl<H> Laid<'_, step::Finalized, H> {
    /// The symbol of this name: a global one, or else the first local one.
    pub fn symbol(&self, name: &str) -> Option<SymbolId> {
        self.names.get(name.as_bytes()).or_else(|| find_local(&self.graph, name))
    }

    /// The address of a symbol as a value, with the Thumb bit where it has one. None if it is not part of the link.
    pub fn address(&self, name: &str) -> Option<u64> {
        let id = self.symbol(name)?;
        match self.graph.symbols[id].definition {
            Definition::Block(block, _) if !self.graph.blocks[block].live => None,
            _ => self.graph.value(id),
        }
    }
}
