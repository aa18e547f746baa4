//! The pipeline: each step consumes the last and returns the next, or an error that gives back what it had reserved.
//!
//! ```text
//! Parsed --prune--> Pruned --reserve--> Reserved --resolve--> Resolved --fix--> Fixed --finalize--> Finalized
//! ```
//!
//! Between any two steps the graph can be looked at and changed, and anything may happen: ask a peer for addresses, wait
//! for another link. No step calls back into the caller but for the lookup of names.

use rustc_hash::FxHashSet;

use crate::arch::Core;
use crate::archive::{self, Archive};
use crate::defined;
use crate::error::{Error, Result, Site, Undefined, text};
use crate::fixup::{self, Context, Cursor, Fixup};
use crate::format::FORMATS;
use crate::graph::{Binding, Content, Definition, Flags, Kind, LinkGraph, Object};
use crate::index::{EdgeId, Id, SymbolId};
use crate::layout::{Layout, Plan};
use crate::memory::{Action, InFlight, Memory, Protection};
use crate::names::Names;
use crate::pass::ifunc::Ifunc;
use crate::pass::stubs::Stubs;
use crate::pass::{got, ifunc, prune};
use crate::target::Target;

/// What a link may ask for at most. Objects are untrusted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of target memory for the sections of one object, and for one common symbol.
    pub size: u64,
    /// Largest alignment, in bytes.
    pub alignment: u64,
    /// Rounds of the layout loop.
    pub rounds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 1 << 30, alignment: 1 << 26, rounds: 32 }
    }
}

/// Choices of a link.
#[derive(Clone, Debug)]
pub struct Options {
    /// Branches to externals bypass their stub when they turn out to reach.
    pub bypass_stubs: bool,
    /// Debug information is relocated and kept, though never loaded.
    pub keep_debug: bool,
    /// Bounds on untrusted input.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options { bypass_stubs: true, keep_debug: false, limits: Limits::default() }
    }
}

/// What has to stay.
#[derive(Clone, Copy, Debug)]
pub enum Roots<'a> {
    /// All that is loaded.
    All,
    /// These symbols, what they reach, and what is retained anyway.
    Names(&'a [&'a str]),
}

/// Objects read into one graph.
#[derive(Debug)]
pub struct Parsed<'data> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    archives: Vec<Archive<'data>>,
    options: Options,
}

impl<'data> Parsed<'data> {
    /// A link of nothing yet.
    pub fn new(target: &'static Target, options: Options) -> Self {
        Parsed { graph: LinkGraph::new(target), names: Names::default(), archives: Vec::new(), options }
    }

    /// Adds a file, which may be an object or a static archive. `file` is its name in messages.
    pub fn add(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        if archive::matches(data) { self.add_archive(file, data) } else { self.add_object(file, data) }
    }

    /// Adds an object.
    pub fn add_object(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        self.read(file, None, data)
    }

    /// Adds a static archive, of which members are linked that define what is missing. All archives form one group.
    pub fn add_archive(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        self.archives.push(Archive::parse(file, data)?);
        Ok(())
    }

    /// Defines a symbol at a fixed address, unless an object defines it: a bare number, with no say in a branch's state.
    pub fn define(&mut self, name: &'data str, address: u64) -> Result<()> {
        let symbol = defined::absolute(name, address);
        self.names.resolve(&mut self.graph, symbol).map(drop)
    }

    fn read(&mut self, file: &'data str, member: Option<&'data [u8]>, data: &'data [u8]) -> Result<()> {
        let object = self.graph.objects.push(Object { file, member });
        let Some(format) = FORMATS.iter().find(|format| (format.matches)(data)) else {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let problem = format!("not an object file, expected {}", known.join(" or "));
            return Err(Error::Malformed { site: Box::new(Site::file(&self.graph, object)), problem });
        };
        let Options { limits, keep_debug, .. } = &self.options;
        (format.read)(&mut self.graph, &mut self.names, limits, *keep_debug, object, data)
    }

    /// The graph so far.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The graph so far, to be changed.
    pub fn graph_mut(&mut self) -> &mut LinkGraph<'data> {
        &mut self.graph
    }

    /// Pulls what is missing from the archives, settles what nobody defines, and drops what the roots do not reach.
    pub fn prune(mut self, roots: Roots<'_>) -> Result<Pruned<'data>> {
        self.pull(roots)?;
        if self.graph.core == Core::default() {
            self.graph.core = self.graph.arch.default_core(self.graph.target.name);
        }
        allocate_commons(&mut self.graph);
        defined::define(&mut self.graph);
        let roots = match roots {
            Roots::All => {
                prune::run(&mut self.graph, None);
                self.names.all()
            }
            Roots::Names(names) => {
                let ids = self.find_roots(names)?;
                prune::run(&mut self.graph, Some(&ids));
                ids
            }
        };
        terminate_frames(&mut self.graph);
        Ok(Pruned { graph: self.graph, names: self.names, options: self.options, roots })
    }

    /// Pulls members of archives until nothing is missing that they have.
    fn pull(&mut self, roots: Roots<'_>) -> Result<()> {
        if self.archives.is_empty() {
            return Ok(());
        }
        let mut index = archive::Index::default();
        for (number, archive) in self.archives.iter().enumerate() {
            archive.index(number, &mut index)?;
        }
        let mut pulled = FxHashSet::default();
        let mut left = self.archives.iter().map(Archive::size).sum();
        if let Roots::Names(names) = roots {
            for &name in names {
                if self.names.get(name.as_bytes()).is_none_or(|id| self.graph.symbols[id].is_undefined())
                    && let Some(&member) = index.get(name.as_bytes())
                    && pulled.insert(member)
                {
                    self.read_member(member, &mut left)?;
                }
            }
        }
        // A member may turn weak references seen before into strong ones: again, until a whole round pulls nothing.
        let mut before = usize::MAX;
        while pulled.len() != before {
            before = pulled.len();
            let mut next = 0;
            while next < self.graph.symbols.len() {
                let symbol = &self.graph.symbols[SymbolId::new(next)];
                next += 1;
                if symbol.is_undefined()
                    && symbol.binding == Binding::Strong
                    && let Some(&member) = index.get(symbol.name)
                    && pulled.insert(member)
                {
                    self.read_member(member, &mut left)?;
                }
            }
        }
        Ok(())
    }

    /// Reads a member. `left` is how many bytes of archives no member has taken yet: members do not share any, whatever
    /// symbol tables say, so that the work is bounded by the size of the archives.
    fn read_member(&mut self, member: archive::MemberId, left: &mut usize) -> Result<()> {
        let archive = &self.archives[member.archive];
        let (name, data) = archive.member(member)?;
        *left = left.checked_sub(data.len()).ok_or_else(|| {
            let site = Box::new(Site { file: archive.file.to_owned(), ..Site::default() });
            Error::Malformed { site, problem: "archive: its members overlap".to_owned() }
        })?;
        self.read(archive.file, Some(name), data)
    }

    fn find_roots(&self, names: &[&str]) -> Result<Vec<SymbolId>> {
        let mut missing = Vec::new();
        let mut found = Vec::new();
        for &name in names {
            match self.names.get(name.as_bytes()).or_else(|| self.local(name)) {
                Some(id) if !self.graph.symbols[id].is_undefined() => found.push(id),
                _ => missing.push(Undefined { name: name.to_owned(), wanted_by: Vec::new(), references: 0 }),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(Error::Undefined(missing)) }
    }

    /// The first local symbol of this name: functions of one file can be roots too.
    fn local(&self, name: &str) -> Option<SymbolId> {
        find_local(&self.graph, name)
    }
}

fn find_local(graph: &LinkGraph<'_>, name: &str) -> Option<SymbolId> {
    graph.symbols.iter().find(|(_, symbol)| symbol.name == name.as_bytes() && !symbol.is_undefined()).map(|(id, _)| id)
}

/// Gives each symbol that is still common its zero-fill.
fn allocate_commons(graph: &mut LinkGraph<'_>) {
    for id in graph.symbols.ids() {
        if let Definition::Common(size, alignment) = graph.symbols[id].definition {
            let block = graph.make_block(b"COMMON", Protection::ReadWrite, false, Content::Zero(size), alignment);
            graph.symbols[id].definition = Definition::Block(block, 0);
            graph.blocks[block].live = false;
        }
    }
}

/// Call-frame records end with a zero word.
fn terminate_frames(graph: &mut LinkGraph<'_>) {
    let frames = graph
        .sections
        .iter()
        .find(|(_, section)| section.kind == Kind::Frames && section.block_ids().any(|block| graph.blocks[block].live));
    if let Some((_, section)) = frames {
        let (name, protection) = (section.name, section.protection);
        let block = graph.make_block(name, protection, false, Content::Owned(vec![0; 4]), 4);
        let section = graph.blocks[block].section;
        graph.sections[section].kind = Kind::Frames;
    }
}

/// What is left of the graph.
#[derive(Debug)]
pub struct Pruned<'data> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    options: Options,
    roots: Vec<SymbolId>,
}

impl<'data> Pruned<'data> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The graph, to be changed.
    pub fn graph_mut(&mut self) -> &mut LinkGraph<'data> {
        &mut self.graph
    }

    /// Builds tables and stubs, lays everything out, and reserves memory for it.
    pub fn reserve<M: Memory>(mut self, memory: &mut M, layout: &Layout) -> Result<Reserved<'data, M>> {
        let ifuncs = ifunc::run(&mut self.graph, &self.roots);
        got::run(&mut self.graph);
        let mut plan = Plan::new(&self.graph, layout, memory.page_size())?;
        let mut stubs = Stubs::default();
        let mut round = 0;
        loop {
            plan.assign(&mut self.graph);
            let Some(edge) = stubs.extend(&mut self.graph, &mut plan) else { break };
            round += 1;
            if round == self.options.limits.rounds {
                let site = Box::new(Site::edge(&self.graph, &self.graph.edges[edge]));
                return Err(Error::Unsettled { site, rounds: round });
            }
        }
        self.graph.stubs = stubs.finish();
        let request = plan.request(&self.graph, &self.options.limits)?;
        let reservation = memory.reserve(&request).map_err(Error::Memory)?;
        plan.settle(&mut self.graph, |segment| reservation.address(segment));
        Ok(Reserved { graph: self.graph, names: self.names, options: self.options, plan, ifuncs, reservation })
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

/// Everything has an address; what comes from outside is not known yet.
#[derive(Debug)]
pub struct Reserved<'data, M: Memory> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    options: Options,
    plan: Plan,
    ifuncs: Vec<Ifunc>,
    reservation: M::InFlight,
}

impl<'data, M: Memory> Reserved<'data, M> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The names that live edges need from outside, in the order in which they were first seen.
    pub fn externals(&self) -> Vec<External<'data>> {
        let mut wanted = vec![false; self.graph.symbols.len()];
        for (_, edge) in self.graph.live_edges() {
            wanted[edge.target.index()] = true;
        }
        let undefined = self.graph.symbols.iter().filter(|(id, symbol)| wanted[id.index()] && symbol.is_undefined());
        undefined
            .map(|(symbol, known)| External { name: known.name, weak: known.binding == Binding::Weak, symbol })
            .collect()
    }

    /// Asks `lookup` for the address of each external; the low bit says Thumb where there is such a thing. What nobody
    /// has is one error that names all of it; weak references may stay undefined.
    pub fn resolve(
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
            memory.abandon(self.reservation);
            return Err(error);
        }
        let Reserved { graph, names, options, plan, ifuncs, reservation } = self;
        Ok(Resolved { graph, names, options, plan, ifuncs, reservation })
    }

    /// Gives the memory back.
    pub fn abandon(self, memory: &mut M) {
        memory.abandon(self.reservation);
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
        if graph.sections[section].kind == Kind::Made {
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

/// Every symbol is known.
#[derive(Debug)]
pub struct Resolved<'data, M: Memory> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    options: Options,
    plan: Plan,
    ifuncs: Vec<Ifunc>,
    reservation: M::InFlight,
}

impl<'data, M: Memory> Resolved<'data, M> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What an edge comes to, without writing it.
    pub fn fixup(&self, edge: EdgeId) -> Result<Fixup> {
        fixup_of(&self.graph, &self.options, edge)
    }

    /// Copies all content into the target's buffers, once, and applies every relocation there.
    pub fn fix(mut self, memory: &mut M) -> Result<Fixed<'data, M>> {
        match fix(&self.graph, &self.options, &self.plan, &mut self.reservation) {
            Ok(()) => {
                let Resolved { graph, names, options, plan, ifuncs, reservation } = self;
                Ok(Fixed { graph, names, options, plan, ifuncs, reservation })
            }
            Err(error) => {
                memory.abandon(self.reservation);
                Err(error)
            }
        }
    }

    /// Gives the memory back.
    pub fn abandon(self, memory: &mut M) {
        memory.abandon(self.reservation);
    }
}

fn context(graph: &LinkGraph<'_>, options: &Options) -> Context {
    Context { bypass_stubs: options.bypass_stubs, got: graph.got.map_or(0, |got| graph.blocks[got].address) }
}

fn fixup_of(graph: &LinkGraph<'_>, options: &Options, id: EdgeId) -> Result<Fixup> {
    let edge = &graph.edges[id];
    let unit = graph.row(edge).field.unit;
    let word = graph.bytes_under(edge, unit.size()).and_then(|bytes| unit.read(bytes)).unwrap_or(0);
    let made = |list| LinkGraph::made(list, id).map(|made| made.symbol);
    fixup::compute(graph, &context(graph, options), edge, word, made(&graph.entries), made(&graph.stubs))
}

fn fix(graph: &LinkGraph<'_>, options: &Options, plan: &Plan, reservation: &mut impl InFlight) -> Result<()> {
    let context = context(graph, options);
    let (mut entries, mut stubs) = (Cursor::new(&graph.entries), Cursor::new(&graph.stubs));
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
            place[4..8].copy_from_slice(&back.to_le_bytes());
        }
        fixup::apply(graph, &context, block.edge_ids(), place, &mut entries, &mut stubs)?;
    }
    Ok(())
}

/// Every byte is final; nothing has been shipped.
#[derive(Debug)]
pub struct Fixed<'data, M: Memory> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    options: Options,
    plan: Plan,
    ifuncs: Vec<Ifunc>,
    reservation: M::InFlight,
}

impl<'data, M: Memory> Fixed<'data, M> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The final content of a segment.
    pub fn content(&mut self, segment: usize) -> &[u8] {
        self.reservation.content(segment)
    }

    /// What an edge came to.
    pub fn fixup(&self, edge: EdgeId) -> Result<Fixup> {
        fixup_of(&self.graph, &self.options, edge)
    }

    /// Ships content, runs the actions the link needs (resolvers of IFUNC symbols), sets protections.
    pub fn finalize(self, memory: &mut M) -> Result<Finalized<'data, M::Finalized>> {
        let actions: Vec<Action> = self
            .ifuncs
            .iter()
            .filter_map(|ifunc| {
                let (function, slot) = (self.graph.value(ifunc.resolver)?, self.graph.address(ifunc.slot)?);
                Some(Action::CallAndStore { function, slot })
            })
            .collect();
        let handle = memory.finalize(self.reservation, &actions).map_err(Error::Memory)?;
        Ok(Finalized { graph: self.graph, names: self.names, options: self.options, plan: self.plan, handle })
    }

    /// Gives the memory back.
    pub fn abandon(self, memory: &mut M) {
        memory.abandon(self.reservation);
    }
}

/// Linked, in target memory, ready to run.
#[derive(Debug)]
pub struct Finalized<'data, H> {
    graph: LinkGraph<'data>,
    names: Names<'data>,
    options: Options,
    plan: Plan,
    /// The memory's handle.
    pub handle: H,
}

impl<'data, H> Finalized<'data, H> {
    /// The graph.
    pub fn graph(&self) -> &LinkGraph<'data> {
        &self.graph
    }

    /// The segments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

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

    /// What an edge came to.
    pub fn fixup(&self, edge: EdgeId) -> Result<Fixup> {
        fixup_of(&self.graph, &self.options, edge)
    }
}
