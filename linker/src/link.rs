//! The pipeline: each step consumes the last and returns the next, or an error that gives back what it had reserved.
//!
//! ```text
//! Parsed --prune--> Pruned --reserve--> Reserved --resolve--> Resolved --fix--> Fixed --finalize--> Finalized
//! ```
//!
//! Between any two steps the graph can be looked at and changed, and anything may happen: ask a peer for addresses, wait
//! for another link. No step calls back into the caller but for the lookup of names.

use std::marker::PhantomData;

use rustc_hash::FxHashSet;

use crate::arch::Core;
use crate::archive::{self, Archive};
use crate::defined;
use crate::error::{Error, Result, Site, Undefined};
use crate::foreign;
use crate::format::{self, FORMATS};
use crate::graph::{Content, Definition, Flags, Kind, LinkGraph, Object};
use crate::index::SymbolId;
use crate::layout::{Layout, Plan};
use crate::memory::{InFlight, Memory, Protection};
use crate::names::Names;
use crate::pass::stubs::Stubs;
use crate::pass::{got, ifunc, initialise, prune, relax, sign, unwind};
use crate::target::Target;

mod laid;

pub use laid::{External, Finalized, Fixed, Found, Laid, Reserved, Resolved, step};

/// What a link may ask for at most. Objects are untrusted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of target memory for the sections of one object, and for one common symbol.
    pub size: u64,
    /// Largest alignment, in bytes.
    pub alignment: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 1 << 30, alignment: 1 << 26 }
    }
}

/// Choices of a link.
#[derive(Clone, Debug)]
pub struct Options {
    /// Branches to externals bypass their stub when they turn out to reach.
    pub bypass_stubs: bool,
    /// Loads of an address from the global offset table become computations of the address where that reaches.
    pub relax_got_loads: bool,
    /// Accesses to thread-local variables use that the offset from the thread pointer is constant.
    pub relax_thread_local: bool,
    /// Debug information is relocated and kept, though never loaded.
    pub keep_debug: bool,
    /// Bounds on untrusted input.
    pub limits: Limits,
}

impl Options {
    /// Instructions stay what they are: nothing is bypassed or rewritten.
    pub fn unrelaxed() -> Self {
        Options { bypass_stubs: false, relax_got_loads: false, relax_thread_local: false, ..Options::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            bypass_stubs: true,
            relax_got_loads: true,
            relax_thread_local: true,
            keep_debug: false,
            limits: Limits::default(),
        }
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
    /// How many files were added.
    files: u32,
    options: Options,
}

impl<'data> Parsed<'data> {
    /// A link of nothing yet.
    pub fn new(target: &'static Target, options: Options) -> Self {
        Parsed { graph: LinkGraph::new(target), names: Names::default(), archives: Vec::new(), files: 0, options }
    }

    /// Adds a file, which may be an object or a static archive. `file` is its name in messages.
    pub fn add(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        if archive::is_archive(data) { self.add_archive(file, data) } else { self.add_object(file, data) }
    }

    /// Adds an object.
    pub fn add_object(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        let position = self.next_position();
        self.read(file, None, position, data)
    }

    /// Adds a static archive, of which members are linked that define what is missing. All archives form one group.
    pub fn add_archive(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        let position = self.next_position();
        self.archives.push(Archive::parse(file, position, data)?);
        Ok(())
    }

    /// Adds a static archive by its members, wherever those are: what a thin archive names. Names of members are shown in
    /// messages and need not differ.
    pub fn add_members(&mut self, file: &'data str, members: impl IntoIterator<Item = archive::Member<'data>>) {
        let position = self.next_position();
        self.archives.push(Archive::of(file, position, members.into_iter().collect()));
    }

    fn next_position(&mut self) -> u32 {
        self.files = self.files.saturating_add(1);
        self.files
    }

    /// Defines a symbol at a fixed address, unless an object defines it: a bare number, with no say in a branch's state.
    pub fn define(&mut self, name: &'data str, address: u64) -> Result<()> {
        let symbol = defined::absolute(name, address);
        self.names.resolve(&mut self.graph, symbol).map(drop)
    }

    fn read(&mut self, file: &'data str, member: Option<&'data [u8]>, position: u32, data: &'data [u8]) -> Result<()> {
        let object = self.graph.objects.push(Object { file, member, position });
        let Some(format) = format::of(data) else {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let problem = format!("is {}, expected an {} object", foreign::describe(data), known.join(" or "));
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
            archive.index(self.graph.target, number, &mut index)?;
        }
        let mut pulled = FxHashSet::default();
        let mut left = self.archives.iter().map(Archive::size).fold(0, usize::saturating_add);
        if let Roots::Names(names) = roots {
            for &name in names {
                if self.names.get(name.as_bytes()).is_none_or(|id| self.graph.symbols[id].is_undefined())
                    && let Some(member) = index.get(name.as_bytes())
                    && pulled.insert(member)
                {
                    self.read_member(member, &mut left)?;
                }
            }
        }
        // The list grows while members are read: by what they refer to, and by what they make of weak references.
        let mut next = 0;
        while let Some(&id) = self.names.wanted.get(next) {
            next += 1;
            let symbol = &self.graph.symbols[id];
            if symbol.is_undefined()
                && let Some(member) = index.get(symbol.name)
                && pulled.insert(member)
            {
                self.read_member(member, &mut left)?;
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
        self.read(archive.file, Some(name), archive.position, data)
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
            if graph.symbols[id].flags.has(Flags::TLS) {
                let section = &mut graph.sections[graph.blocks[block].section];
                (section.name, section.protection, section.relro, section.thread_local) =
                    (b".tcommon", Protection::Read, true, true);
            }
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
        initialise::run(&mut self.graph)?;
        let ifuncs = ifunc::run(&mut self.graph, &self.roots);
        unwind::run(&mut self.graph);
        if self.options.relax_thread_local {
            relax::thread_local(&mut self.graph);
        }
        relax::descriptor_calls(&mut self.graph);
        got::run(&mut self.graph);
        sign::run(&mut self.graph)?;
        let mut plan = Plan::new(&self.graph, layout, memory.page_size(), memory.origin())?;
        let mut stubs = Stubs::new(&self.graph);
        // This ends: an edge makes a stub at most once and an entry is let go at most once, and nothing else changes.
        loop {
            plan.assign(&mut self.graph);
            if !stubs.extend(&mut self.graph, &mut plan) && !unwind::let_go(&mut self.graph, &mut plan) {
                break;
            }
        }
        stubs.finish(&mut self.graph, &mut plan);
        let request = plan.request(&self.graph, &self.options.limits)?;
        let handle = memory.reserve(&request).map_err(Error::Memory)?;
        plan.settle(&mut self.graph, |segment| handle.address(segment));
        let Pruned { graph, names, options, .. } = self;
        Ok(Laid { graph, names, options, plan, ifuncs, handle, step: PhantomData })
    }
}
