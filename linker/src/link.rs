//! The pipeline: each step consumes the last and returns the next, or an error that gives back what it had reserved.
//!
//! ```text
//! Parsed --prune--> Pruned --reserve--> Reserved --resolve--> Resolved --fix--> Fixed --finalize--> Finalized
//! ```
//!
//! Between any two steps the graph can be looked at and changed, and anything may happen: ask a peer for addresses, wait
//! for another link. No step calls back into the caller but for the lookup of names.

use std::collections::hash_map::Entry;
use std::marker::PhantomData;

use crate::arch::Core;
use crate::archive::{self, Archive};
use crate::assign::{Assignment, Term};
use crate::defined;
use crate::error::{Error, Result, Site, Undefined};
use crate::foreign;
use crate::formats::{self, FORMATS};
use crate::graph::{Content, Definition, Flags, Kind, LinkGraph, Object, Symbol};
use crate::hash::{NameMap, NameSet};
use crate::index::SymbolId;
use crate::layout::{Layout, Plan};
use crate::limits::Limits;
use crate::memory::{InFlight, Memory, Protection};
use crate::names::{Key, Names};
use crate::pass::stubs::Stubs;
use crate::pass::{assign, frame_index, got, ifunc, initialise, platform, prune, relax, sign, unwind};
use crate::platform::Platform;
use crate::target::Target;

mod laid;

pub use crate::pass::ifunc::Ifunc;
pub use laid::{External, Finalized, Fixed, Found, Laid, Reserved, Resolved, step};

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
    /// Of several strong definitions of a symbol the first one counts, instead of being an error.
    pub allow_duplicates: bool,
    /// Relocations that cannot be read are left out and kept in [`LinkGraph::unread`], instead of being an error: for who
    /// looks at an input and does not link it.
    pub leave_out: bool,
    /// Slots of IFUNC symbols get entries by which start-up code of the program fills them (`__rela_iplt_start`), instead
    /// of finalize actions.
    pub relocates_itself: bool,
    /// What holds of all objects is said in a note (.note.gnu.property).
    pub property_note: bool,
    /// An index of the call-frame records is made, by which they are found without a search (LSB, .eh_frame_hdr).
    pub frame_index: bool,
    /// Room for headers of the image, in a segment of its own: the first, below all others. `__ehdr_start` is there, or
    /// nowhere.
    pub headers: Option<Headers>,
    /// Where the image starts, in layouts that begin at the architecture's base otherwise: its headers, or the first segment
    /// where it has none.
    pub base: Option<u64>,
    /// Bytes in a page that no two segments share, a power of two. A larger page of the memory's counts instead.
    pub page: u64,
    /// What relocations mean that leave it to the platform.
    pub platform: Platform,
    /// Bounds on untrusted input.
    pub limits: Limits,
}

/// Bytes of headers that an image of the link begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Those that are there anyway.
    pub fixed: u64,
    /// As many again for each segment.
    pub each: u64,
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
            allow_duplicates: false,
            leave_out: false,
            relocates_itself: false,
            property_note: false,
            frame_index: false,
            headers: None,
            base: None,
            page: 1,
            platform: Platform::default(),
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
    wanted: Vec<SymbolId>,
    options: Options,
}

impl<'data> Parsed<'data> {
    /// A link of nothing yet.
    pub fn new(target: &'static Target, options: Options) -> Self {
        let names = Names::new(options.allow_duplicates);
        Parsed { graph: LinkGraph::new(target), names, archives: Vec::new(), files: 0, wanted: Vec::new(), options }
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

    /// Adds every member of a static archive, whether or not it defines what is missing.
    pub fn add_whole_archive(&mut self, file: &'data str, data: &'data [u8]) -> Result<()> {
        self.add_whole_members(file, Archive::parse(file, 0, data)?.members()?)
    }

    /// Adds every member of an archive by its members, as [`Parsed::add_members`] those that are needed.
    pub fn add_whole_members(
        &mut self,
        file: &'data str,
        members: impl IntoIterator<Item = archive::Member<'data>>,
    ) -> Result<()> {
        let position = self.next_position();
        members.into_iter().try_for_each(|(name, data)| self.read(file, Some(name), position, data))
    }

    /// Adds a read-only section of the caller's own.
    pub fn add_bytes(&mut self, section: &'data str, bytes: Vec<u8>, alignment: u64) {
        let content = Content::Owned(bytes);
        let block = self.graph.make_block(section.as_bytes(), Protection::Read, false, content, alignment);
        let section = self.graph.blocks[block].section;
        self.graph.sections[section].retain = true;
    }

    /// Asks for a symbol as an object would that refers to it (`-u`): archives give it, and what it is at stays. It may
    /// stay undefined.
    pub fn want(&mut self, name: &'data str) -> Result<()> {
        let symbol = Symbol { definition: Definition::Undefined, ..defined::absolute(name, 0) };
        let id = self.names.resolve(&mut self.graph, symbol)?;
        self.wanted.push(id);
        Ok(())
    }

    /// From now on, an object's reference to `from` that it does not define itself is one to `to`. `--wrap=f` is two of
    /// them: from `f` to `__wrap_f`, and from `__real_f` to `f`.
    pub fn redirect(&mut self, from: &'data str, to: &'data str) {
        self.names.redirect(from.as_bytes(), to.as_bytes());
    }

    /// Defines a symbol by an expression, whatever objects say of it: see [`assign`](mod@crate::assign).
    pub fn assign(&mut self, name: &'data str, expression: &[Term<&'data str>]) -> Result<()> {
        let mut terms = Vec::with_capacity(expression.len());
        for term in expression {
            terms.push(match *term {
                Term::Symbol(name) => {
                    let symbol = Symbol { definition: Definition::Undefined, ..defined::absolute(name, 0) };
                    Term::Symbol(self.names.resolve(&mut self.graph, symbol)?)
                }
                Term::Number(number) => Term::Number(number),
                Term::Add => Term::Add,
                Term::Subtract => Term::Subtract,
                Term::Multiply => Term::Multiply,
                Term::Negate => Term::Negate,
            });
        }
        let symbol = Symbol { definition: Definition::Assigned, ..defined::absolute(name, 0) };
        let symbol = self.names.resolve(&mut self.graph, symbol)?;
        self.graph.assignments.push(Assignment { symbol, terms });
        Ok(())
    }

    /// Defines a symbol at a fixed address, unless an object defines it: a bare number, with no say in a branch's state.
    pub fn define(&mut self, name: &'data str, address: u64) -> Result<()> {
        let symbol = defined::absolute(name, address);
        self.names.resolve(&mut self.graph, symbol).map(drop)
    }

    fn read(&mut self, file: &'data str, member: Option<&'data [u8]>, position: u32, data: &'data [u8]) -> Result<()> {
        let object = self.graph.objects.push(Object { file, member, position, source: b"" });
        let Some(format) = formats::of(data) else {
            let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let problem = format!("is {}, expected an {} object", foreign::describe(data), known.join(" or "));
            return Err(Error::Malformed { site: Box::new(Site::file(&self.graph, object)), problem });
        };
        let Options { limits, keep_debug, .. } = &self.options;
        (format.read)(&mut self.graph, &mut self.names, limits, *keep_debug, object, data)?;
        if self.options.leave_out { Ok(()) } else { std::mem::take(&mut self.graph.unread).finish() }
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
        platform::run(&mut self.graph, self.options.platform);
        if self.graph.core == Core::default() {
            self.graph.core = self.graph.target.core;
        }
        allocate_commons(&mut self.graph);
        defined::define(&mut self.graph, self.options.headers.is_some());
        assign::alias(&mut self.graph);
        let roots = match roots {
            Roots::All => {
                prune::run(&mut self.graph, None);
                self.names.all()
            }
            Roots::Names(names) => {
                let mut ids = self.find_roots(names)?;
                ids.extend(self.wanted);
                ids.extend(self.graph.assignments.iter().flat_map(Assignment::symbols));
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
        let mut pulled = NameSet::default();
        let mut strong: NameMap<archive::MemberId, NameSet<Key<'data>>> = NameMap::default();
        let mut left = self.archives.iter().map(Archive::size).fold(0, usize::saturating_add);
        let mut left_to_look_at = left;
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
            let Symbol { name, definition, .. } = self.graph.symbols[id];
            let member = match definition {
                Definition::Undefined => index.get(name),
                Definition::Common(..) => {
                    let mut found = None;
                    for member in index.all(name) {
                        let names = match strong.entry(member) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(unknown) => {
                                let (.., data) = self.take(member, &mut left_to_look_at)?;
                                unknown.insert(archive::strong(self.graph.target, data))
                            }
                        };
                        if names.contains(&Key::of(name).0) {
                            found = Some(member);
                            break;
                        }
                    }
                    found
                }
                _ => None,
            };
            if let Some(member) = member
                && pulled.insert(member)
            {
                self.read_member(member, &mut left)?;
            }
        }
        Ok(())
    }

    /// Name and content of a member. `left` is how many bytes of archives no member has taken yet: members do not share any,
    /// whatever symbol tables say, so that the work is bounded by the size of the archives.
    fn take(&self, member: archive::MemberId, left: &mut usize) -> Result<archive::Member<'data>> {
        let archive = &self.archives[member.archive];
        let (name, data) = archive.member(member)?;
        *left = left.checked_sub(data.len()).ok_or_else(|| {
            let site = Box::new(Site { file: archive.file.to_owned(), ..Site::default() });
            Error::Malformed { site, problem: "archive: its members overlap".to_owned() }
        })?;
        Ok((name, data))
    }

    fn read_member(&mut self, member: archive::MemberId, left: &mut usize) -> Result<()> {
        let (name, data) = self.take(member, left)?;
        let archive = &self.archives[member.archive];
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
        let ifuncs = ifunc::run(&mut self.graph, &self.roots, self.options.relocates_itself);
        unwind::run(&mut self.graph);
        if self.options.property_note {
            formats::note_properties(&mut self.graph);
        }
        let index = if self.options.frame_index { frame_index::make(&mut self.graph) } else { None };
        if self.options.relax_thread_local {
            relax::thread_local(&mut self.graph);
        }
        relax::descriptor_calls(&mut self.graph);
        got::run(&mut self.graph);
        sign::run(&mut self.graph)?;
        let page = memory.page_size().max(self.options.page);
        let mut plan = Plan::new(&self.graph, layout, page, memory.origin())?;
        if let Some(base) = self.options.base {
            plan.start_at(base);
        }
        if let Some(Headers { fixed, each }) = self.options.headers {
            let size = fixed.saturating_add(each.saturating_mul(plan.segments.len() as u64));
            plan.put_headers(&mut self.graph, size);
        }
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
        if let Some(index) = index {
            frame_index::fill(&mut self.graph, index);
        }
        let Pruned { graph, names, options, .. } = self;
        Ok(Laid { graph, names, options, plan, ifuncs, handle, step: PhantomData })
    }
}
