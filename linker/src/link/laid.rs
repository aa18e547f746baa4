//! A link that has been laid out, up to the end of its life in the linker.

use std::marker::PhantomData;

use rustc_hash::FxHashSet;

use crate::assign::Assignment;
use crate::error::{Error, Result, Several, Site, Undefined, text};
use crate::field::Unit;
use crate::fixup::{self, Context, Cursors, Fixup};
use crate::graph::{Binding, Definition, Flags, LinkGraph};
use crate::index::{EdgeId, Id, SymbolId};
use crate::layout::{Plan, ThreadLocal};
use crate::link::{Options, find_local};
use crate::memory::{Action, InFlight, Memory};
use crate::names::Names;
use crate::pass::ifunc::Ifunc;
use crate::pass::{assign, relax};
use crate::relocation::Class;

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
    /// What an edge comes to: what [`Resolved::fix`] writes there. Of a section that is not part of the link nothing does.
    pub fn fixup(&self, id: EdgeId) -> Result<Fixup> {
        fixup::of_edge(&self.graph, &context(&self.graph, &self.options, &self.plan), id)
    }
}

/// What the caller has for a name that no object defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A function at this address; the low bit says Thumb where there is such a thing.
    Function(u64),
    /// Anything else at this address, which may be odd.
    Data(u64),
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
        #[derive(Clone, Copy, PartialEq, PartialOrd)]
        enum Wanted {
            Not,
            // An instruction that is there only if the symbol is (AAELF64, PATCHINST).
            IfDefined,
            Yes,
        }
        let mut wanted = vec![Wanted::Not; self.graph.symbols.len()];
        for (_, edge) in self.graph.live_edges() {
            let patches = self.graph.row(edge).class == Class::Patch;
            let wanted = &mut wanted[edge.target.index()];
            *wanted = if patches && *wanted < Wanted::Yes { Wanted::IfDefined } else { Wanted::Yes };
        }
        for id in self.graph.assignments.iter().flat_map(Assignment::symbols) {
            wanted[id.index()] = Wanted::Yes;
        }
        let undefined = self.graph.symbols.iter().filter(|(_, symbol)| symbol.is_undefined());
        let external = undefined.filter_map(|(symbol, known)| {
            let wanted = wanted[symbol.index()];
            let weak = known.binding == Binding::Weak || wanted == Wanted::IfDefined;
            (wanted > Wanted::Not).then_some(External { name: known.name, weak, symbol })
        });
        external.collect()
    }

    /// Asks `lookup` for each external. What nobody has is one error that names all of it; weak references may stay
    /// undefined. Thread-local variables cannot come from outside: an address says nothing of where they are in a thread,
    /// and [`Resolved::fix`] refuses the relocations that ask.
    pub fn resolve<M: Memory<InFlight = H>>(
        mut self,
        memory: &mut M,
        mut lookup: impl FnMut(&str) -> Option<Found>,
    ) -> Result<Resolved<'data, M>> {
        let mut missing = Vec::new();
        for external in self.externals() {
            match std::str::from_utf8(external.name).ok().and_then(&mut lookup) {
                Some(found) => {
                    let (address, flags) = match found {
                        Found::Function(address) => {
                            let (address, flags) = self.graph.arch.symbol_value(address, true);
                            (address, flags.with(Flags::FUNCTION))
                        }
                        Found::Data(address) => (address, Flags::default()),
                    };
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
    /// Copies all content into the target's buffers, once, and applies every relocation there. Those that cannot be applied
    /// are one error that names them all, up to [`Several::KEPT`](crate::error::Several::KEPT).
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
    let mut failed = Several::default();
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
        fixup::apply(graph, &context, block.edge_ids(), place, &mut cursors, &mut failed);
    }
    failed.finish()
}

impl<'data, H: InFlight> Laid<'data, step::Fixed, H> {
    /// The final content of a segment.
    pub fn content(&mut self, segment: usize) -> &[u8] {
        self.handle.content(segment)
    }

    /// What finalization has to do, in order: signing of pointers, resolvers of IFUNC symbols, functions that initialise data, and
    /// signing of what these have returned.
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
        // Resolvers and such functions may use pointers that are signed; what they return is signed behind them.
        let (signed_first, signed_last): (Vec<Action>, Vec<Action>) = {
            let returned: FxHashSet<u64> = chosen.clone().chain(initialised.clone()).filter_map(slot_of).collect();
            signed.partition(|action| slot_of(action.clone()).is_none_or(|slot| !returned.contains(&slot)))
        };
        signed_first.into_iter().chain(chosen).chain(initialised).chain(signed_last).collect()
    }

    /// Ships content, runs the actions, sets protections.
    pub fn finalize<M: Memory<InFlight = H>>(self, memory: &mut M) -> Result<Finalized<'data, M::Finalized>> {
        let actions = self.actions();
        let Laid { graph, names, options, plan, ifuncs, handle, .. } = self;
        let handle = memory.finalize(handle, &actions).map_err(Error::Memory)?;
        Ok(Laid { graph, names, options, plan, ifuncs, handle, step: PhantomData })
    }
}

/// The place that an action fills.
fn slot_of(action: Action) -> Option<u64> {
    match action {
        Action::CallAndStore { slot, .. } | Action::Sign { slot, .. } => Some(slot),
        Action::Call { .. } => None,
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
