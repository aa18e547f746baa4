//! One link into a machine, with the time that each phase took.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use linker::graph::Binding;
use linker::layout::{Plan, Planned};
use linker::link::{Finalized, Fixed, Found, Resolved};
use linker::memory::{Lifetime, Memory};
use linker::{Layout, Options, Parsed, Result, Roots, Target};
use outside::FileError;

pub mod expression;
pub mod number;
mod wishes;

pub use wishes::{Keywords, Unresolved, Wishes};

/// A file to link: an object or an archive.
#[derive(Debug)]
pub struct Input {
    /// Its name in messages.
    pub name: String,
    /// Its bytes.
    pub data: Data,
    /// Of a thin archive, the members: their names and their bytes.
    pub members: Vec<(String, Data)>,
}

impl Input {
    /// A file that is what it is.
    pub fn new(name: impl Into<String>, data: Data) -> Self {
        Input { name: name.into(), data, members: Vec::new() }
    }

    /// Adds the file to a link.
    pub fn add_to<'data>(&'data self, parsed: &mut Parsed<'data>, whole: bool) -> Result<()> {
        let members = || self.members.iter().map(|(name, data)| (name.as_bytes(), &**data));
        match (linker::archive::is_thin(&self.data), whole) {
            (false, false) => parsed.add(&self.name, &self.data),
            (false, true) => parsed.add_whole_archive(&self.name, &self.data),
            (true, false) => {
                parsed.add_members(&self.name, members());
                Ok(())
            }
            (true, true) => parsed.add_whole_members(&self.name, members()),
        }
    }
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Data {
    /// In memory of ours.
    Read(Vec<u8>),
    /// In the system's, where they are already.
    Mapped(memmap2::Mmap),
}

impl std::ops::Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Data::Read(bytes) => bytes,
            Data::Mapped(bytes) => bytes,
        }
    }
}

impl Data {
    /// The content of a file. What can be mapped is: touching fresh memory for a copy takes longer than linking it.
    #[expect(unsafe_code, reason = "a mapping is memory that others can change")]
    pub fn open(path: impl AsRef<Path>) -> Result<Data, FileError> {
        let path = path.as_ref();
        let file = outside::open(path)?;
        let length = file.metadata().map_or(0, |metadata| if metadata.is_file() { metadata.len() } else { 0 });
        if (1..=LONGEST).contains(&length) {
            let mut options = memmap2::MmapOptions::new();
            // All of a large archive is seldom wanted.
            if length <= MOST_AT_ONCE {
                options.populate();
            }
            // SAFETY: whoever writes to an object while it is being linked gets a link of neither version, and who
            // truncates it a signal, as from every linker that maps its input. Nothing here relies on bytes staying as
            // they were: each access is checked against the length, which is fixed.
            let mapped = unsafe { options.map_copy_read_only(&file) };
            if let Ok(mapped) = mapped {
                return Ok(Data::Mapped(mapped));
            }
        }
        outside::read_from(path, file, LONGEST).map(Data::Read)
    }
}

/// Bytes of an object or an archive: offsets in larger ones do not fit 32-bit formats, and no archive is that large.
const LONGEST: u64 = 1 << 32;

/// Bytes that are mapped at once, before anybody looks at them.
const MOST_AT_ONCE: u64 = 256 << 20;

/// What is linked, and how.
#[derive(Clone, Copy)]
pub struct Job<'a, 'data> {
    /// For what.
    pub target: &'static Target,
    /// What, in order; archives form one group.
    pub inputs: &'data [Input],
    /// Symbols at fixed addresses.
    pub defines: &'data [(String, u64)],
    /// What has to stay.
    pub roots: Roots<'a>,
    /// Where it goes.
    pub layout: &'a Layout,
    /// Choices.
    pub options: &'a Options,
    /// What else is wanted of it.
    pub wishes: &'data Wishes,
}

/// None.
pub static NO_WISHES: LazyLock<Wishes> = LazyLock::new(Wishes::default);

/// What each phase of a link took, in order.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// Name and duration.
    pub phases: Vec<(&'static str, Duration)>,
}

impl Timings {
    /// Runs a phase and notes its time.
    pub fn phase<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.phases.push((name, start.elapsed()));
        result
    }
}

/// Who has the symbols that no input defines.
pub enum Externals<'a> {
    /// A table: what it does not have is missing.
    Table(&'a dyn Fn(&str) -> Option<Found>),
    /// Nobody: each gets an address of its own on pages behind the link. Weak ones stay undefined.
    Phony,
}

/// Bytes from one phony symbol to the next.
const PHONY: u64 = 16;

/// Links up to the point where every byte is final.
pub fn fix<'a, M: Memory>(
    job: &Job<'_, 'a>,
    memory: &mut M,
    externals: &Externals<'_>,
    timings: &mut Timings,
) -> Result<Fixed<'a, M>> {
    let resolved = resolve(job, memory, externals, timings)?;
    timings.phase("fix up", || resolved.fix(memory))
}

/// Links up to the point where every symbol is known, and each relocation can be looked at.
pub fn resolve<'a, M: Memory>(
    job: &Job<'_, 'a>,
    memory: &mut M,
    externals: &Externals<'_>,
    timings: &mut Timings,
) -> Result<Resolved<'a, M>> {
    let mut parsed = Parsed::new(job.target, job.options.clone());
    timings.phase("parse", || {
        job.wishes.announce(&mut parsed)?;
        for (number, input) in job.inputs.iter().enumerate() {
            input.add_to(&mut parsed, job.wishes.whole_archives.contains(&number))?;
        }
        job.defines.iter().try_for_each(|(name, address)| parsed.define(name, *address))
    })?;
    let mut pruned = timings.phase("prune", || parsed.prune(job.roots))?;
    if job.wishes.ignores_unresolved() {
        let symbols = pruned.graph_mut().symbols.as_mut_slice();
        symbols.iter_mut().filter(|symbol| symbol.is_undefined()).for_each(|symbol| symbol.binding = Binding::Weak);
    }
    let page = memory.page_size();
    let reserved = timings.phase("lay out", || pruned.reserve(memory, job.layout))?;
    let mut next = match externals {
        Externals::Phony => free_behind(job.target, reserved.plan(), page, PHONY * reserved.externals().len() as u64),
        Externals::Table(_) => 0,
    };
    timings.phase("resolve", || match externals {
        Externals::Table(lookup) => reserved.resolve(memory, lookup),
        Externals::Phony => {
            // What may stay undefined does.
            let weak: Vec<_> = reserved.externals().into_iter().filter(|external| external.weak).collect();
            reserved.resolve(memory, |name| {
                if weak.iter().any(|external| external.name == name.as_bytes()) {
                    return None;
                }
                next += PHONY;
                Some(Found::Function(job.target.wrap(next) | u64::from(job.target.thumb)))
            })
        }
    })
}

/// Where so many bytes are free behind a link and a page of distance. Behind the last address comes the first.
fn free_behind(target: &Target, plan: &Plan, page: u64, room: u64) -> u64 {
    let loaded = |segment: &&Planned| segment.lifetime == Lifetime::Standard && segment.size > 0;
    let last = |segment: &Planned| segment.address.saturating_add(segment.size - 1);
    let mut taken: Vec<(u64, u64)> =
        plan.segments.iter().filter(loaded).map(|segment| (segment.address, last(segment))).collect();
    taken.sort_unstable();
    let behind = |last: u64| target.wrap((last | (page - 1)).wrapping_add(1).wrapping_add(page));
    let mut start = taken.last().map_or(page, |&(_, last)| behind(last));
    for &(from, to) in &taken {
        if from <= start.saturating_add(room) && start <= to {
            start = behind(to);
        }
    }
    start
}

/// Links and finalizes.
pub fn link<'a, M: Memory>(
    job: &Job<'_, 'a>,
    memory: &mut M,
    externals: &Externals<'_>,
    timings: &mut Timings,
) -> Result<Finalized<'a, M::Finalized>> {
    let fixed = fix(job, memory, externals, timings)?;
    timings.phase("finalize", || fixed.finalize(memory))
}

/// `SECTION=ADDRESS`
pub(crate) fn section_start(text: &str) -> Result<(String, u64), String> {
    let (name, address) = text.split_once('=').ok_or("expected SECTION=ADDRESS")?;
    let digits = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X")).unwrap_or(address);
    // As linkers do, which read what stands there in hexadecimal with or without `0x`.
    let address = u64::from_str_radix(digits, 16).map_err(|_| format!("`{address}` is not a hexadecimal address"))?;
    Ok((name.to_owned(), address))
}
