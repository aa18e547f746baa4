//! A request for a linked file, by whichever command line, and its execution.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use linker::error::Error;
use linker::graph::{Extent, object_name};
use linker::link::Finalized;
use linker::memory::Lifetime;
use linker::{Layout, Options, Roots, Target};

use super::build_id::{self, BuildId};
use super::labels;
use super::leave::{Discard, Strip};
use super::{map, stack};
use crate::executor::image::{Image, ImageFile};
use crate::exit;
use crate::exit::BadOutput;
use crate::libraries;
use crate::linking::number;
use crate::linking::{self, Externals, Input, Job, Keywords, Timings, Wishes};
use crate::messages;

/// Where a process starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryPoint {
    /// At `_start`, if there is one; nowhere is not an error.
    Usual,
    /// At `_start`, or where there is none at the beginning of the code, with a warning.
    UsualOrCode,
    /// At this symbol, or at this address.
    Named(String),
}

/// A link to a file.
pub struct Request {
    /// For what.
    pub target: &'static Target,
    /// Objects and archives, in order.
    pub files: Vec<Input>,
    /// The file to write.
    pub output: PathBuf,
    /// Where a process of it starts.
    pub entry: EntryPoint,
    /// Choices of the linker core.
    pub options: Options,
    /// What else is wanted.
    pub wishes: Wishes,
    /// Where sections go.
    pub layout: Layout,
    /// Whether undefined symbols go to a page behind the image.
    pub phony_externals: bool,
    /// Where to write a map.
    pub map: Option<PathBuf>,
    /// What is left out.
    pub strip: Strip,
    /// Which local symbols are left out.
    pub discard: Discard,
    /// The note that identifies the content.
    pub build_id: Option<BuildId>,
    /// Whether the call frames get an index.
    pub frame_index: bool,
    /// Whether to say which sections were left out.
    pub print_removed: bool,
    /// Whether to say which objects are linked.
    pub print_objects: bool,
    /// Whether a warning is an error.
    pub fatal_warnings: bool,
    /// Whether to say of names that are missing which of the compiler's libraries has them.
    pub hints: bool,
}

/// The symbol where programs start.
const START: &str = "_start";

impl Request {
    /// A request for a program with its symbols and an index of its call frames, as compiler drivers have it linked.
    pub fn program(target: &'static Target, files: Vec<Input>, output: PathBuf) -> Request {
        Request {
            target,
            files,
            output,
            entry: EntryPoint::Usual,
            options: Options::default(),
            wishes: Wishes::default(),
            layout: Layout::Near,
            phony_externals: false,
            map: None,
            strip: Strip::Nothing,
            discard: Discard::Nothing,
            build_id: None,
            frame_index: true,
            print_removed: false,
            print_objects: false,
            fatal_warnings: false,
            hints: false,
        }
    }

    /// Links, and writes the file.
    pub fn run(mut self, timings: &mut Timings) -> anyhow::Result<u8> {
        // Tried before the work. The image itself is written over what is there: see `overwrite`.
        outside::apart(&self.output, self.files.iter().map(|file| file.name.as_str()))?;
        let output = outside::Output::at(&self.output)?;
        let map = self.map.as_ref().map(outside::Output::at).transpose()?;
        outside::distinct(map.iter().chain([&output]))?;
        drop(output);
        let keywords = match self.prepare() {
            Ok(keywords) => keywords,
            Err(problem) => {
                note!("error: {problem}");
                return Ok(exit::USAGE);
            }
        };
        let ended = self.linked(&keywords, timings, |linked, timings| {
            messages::warnings(linked.graph());
            if self.is_fatal(!linked.graph().warnings.is_empty()) {
                return Ok(exit::FAILURES);
            }
            let Some(entry) = self.entry_of(&linked) else { return Ok(exit::FAILURES) };
            if self.print_removed {
                print_removed(linked.graph());
            }
            if self.print_objects {
                let objects = linked.graph().objects.iter().map(|(_, object)| object);
                objects
                    .filter(|object| object.position != u32::MAX)
                    .for_each(|object| outln!("{}", object_name(object)));
            }
            let map = map.map(|map| map.write(|out| map::write(&linked, out)));
            timings.phase("write", || -> anyhow::Result<()> {
                let bytes = self.file(&keywords, linked, entry)?;
                overwrite(&self.output, &bytes)
                    .map_err(|error| BadOutput(format!("{}: {error}", self.output.display())).into())
            })?;
            map.transpose()?;
            Ok(exit::OK)
        });
        match ended? {
            Ok(ended) => ended,
            Err(error) => {
                messages::error(&error);
                if let (true, Error::Undefined(missing)) = (self.hints, &error) {
                    libraries::hints(missing, self.target).iter().for_each(|hint| messages::note(hint));
                }
                Ok(exit::of_link(&error))
            }
        }
    }

    /// Links, and gives the file that [`Self::run`] would write, which starts at `_start`. Nothing is said, and no map is written.
    ///
    /// # Errors
    /// The link's own, or that of an option.
    pub fn image(mut self) -> anyhow::Result<Vec<u8>> {
        let keywords = self.prepare().map_err(exit::Usage)?;
        self.linked(&keywords, &mut Timings::default(), |linked, _| {
            let entry = linked.address(START).unwrap_or(0);
            self.file(&keywords, linked, entry)
        })??
    }

    /// Settles what is wanted, and where.
    fn prepare(&mut self) -> Result<Keywords, String> {
        let keywords = self.wishes.keywords()?;
        self.layout = self.wishes.layout(&self.layout)?;
        self.wishes.settle();
        if let EntryPoint::Named(entry) = &self.entry {
            if number::address(entry).is_err() {
                self.wishes.wanted.push(entry.clone());
            }
        } else {
            self.wishes.wanted.push(START.to_owned());
        }
        if let Some(note) = self.build_id.as_ref().and_then(BuildId::note) {
            let note = note.iter().flat_map(|field| field.bytes(self.target)).collect();
            self.wishes.sections.push((build_id::SECTION.to_owned(), note, 4));
        }
        Ok(keywords)
    }

    /// Links in memory. The outer error is that of an option, the inner one the link's.
    fn linked<T>(
        &self,
        keywords: &Keywords,
        timings: &mut Timings,
        then: impl FnOnce(Finalized<'_, ImageFile>, &mut Timings) -> T,
    ) -> anyhow::Result<linker::Result<T>> {
        let page = keywords.page.unwrap_or(super::usual_page(&self.layout));
        let mut image = Image::new(self.target).with_page(page);
        let mut options = self.wishes.options(self.options.clone()).map_err(anyhow::Error::msg)?;
        options.page = page;
        options.keep_debug = self.strip == Strip::Nothing;
        options.relocates_itself = true;
        options.property_note = true;
        options.frame_index = self.frame_index;
        if self.has_room_for_headers(page) {
            options.headers = Some(Image::room(self.target));
            image = image.with_headers();
        }
        let job = Job {
            target: self.target,
            inputs: &self.files,
            defines: &[],
            roots: if self.wishes.gc_sections { Roots::Names(&[]) } else { Roots::All },
            layout: &self.layout,
            options: &options,
            wishes: &self.wishes,
        };
        let externals = if self.phony_externals { Externals::Phony } else { Externals::Table(&|_| None) };
        Ok(linking::link(&job, &mut image, &externals, timings).map(|linked| then(linked, timings)))
    }

    /// The bytes of the file.
    fn file(&self, keywords: &Keywords, linked: Finalized<'_, ImageFile>, entry: u64) -> anyhow::Result<Vec<u8>> {
        let mut labels = labels::of(&linked, self.strip, self.discard);
        labels.entry = entry;
        labels.abi = labels::call_standard(linked.graph());
        let attributes = linked.graph().attribute_section();
        if !attributes.is_empty() {
            labels.extra.push((labels::ATTRIBUTES, labels::ATTRIBUTES_TYPE, &attributes));
        }
        labels.executable_stack = keywords.executable_stack || self.files.iter().any(stack::is_executed_by);
        labels.no_relro = keywords.no_relro;
        labels.stack_size = keywords.stack_size;
        let note = self.build_id.as_ref().and_then(|_| build_id::place(linked.graph()));
        let mut file = linked.handle;
        if let (Some(style), Some(address)) = (&self.build_id, note) {
            style.fill(&mut file, address);
        }
        file.write(&labels).map_err(|error| anyhow::anyhow!(error))
    }

    /// Whether the headers can be in memory, below everything: not where something was placed too low by hand.
    fn has_room_for_headers(&self, page: u64) -> bool {
        match &self.layout {
            Layout::At(list) => list.iter().all(|at| at.address >= page.saturating_mul(2)),
            _ => true,
        }
    }

    /// Whether it ends here if there was a warning, which is said.
    fn is_fatal(&self, warned: bool) -> bool {
        let fatal = warned && self.fatal_warnings;
        if fatal {
            note!("error: warnings are errors (--fatal-warnings)");
        }
        fatal
    }

    /// The address of the entry; None where there is none and that is an error.
    fn entry_of(&self, linked: &Finalized<'_, ImageFile>) -> Option<u64> {
        match &self.entry {
            EntryPoint::Usual => Some(linked.address(START).unwrap_or(0)),
            EntryPoint::UsualOrCode => linked.address(START).or_else(|| {
                let start = linked.plan().bounds(linked.graph(), Extent::Sections(b".text")).0;
                note!("warning: there is no {START}: the entry is at {start:#x}, where .text begins");
                (!self.is_fatal(true)).then_some(start)
            }),
            EntryPoint::Named(name) => {
                let entry = linked.address(name).or_else(|| number::address(name).ok());
                if entry.is_none() {
                    messages::error(&format_args!("undefined symbol: {name}, which is the entry"));
                }
                entry
            }
        }
    }
}

/// Says which sections `--gc-sections` left out.
fn print_removed(graph: &linker::graph::LinkGraph<'_>) {
    for (_, section) in graph.sections.iter() {
        let live = section.block_ids().any(|block| graph.blocks[block].live);
        if !live && section.lifetime != Lifetime::NoAlloc && !section.is_made() {
            let (file, name) = (object_name(&graph.objects[section.object]), linker::error::text(section.name));
            note!("removing unused section {file}:({name})");
        }
    }
}

/// Writes a program over what was there: giving up its pages first, only to take new ones, is half of the time.
fn overwrite(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let open = || File::options().write(true).create(true).truncate(false).mode(0o777).open(path);
    let mut file = match open() {
        // It is running: the process keeps the old one.
        Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
            std::fs::remove_file(path)?;
            open()?
        }
        other => other?,
    };
    file.write_all(bytes)?;
    // Not everything that can be written to has a length: /dev/stdout, for one.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(());
    }
    file.set_len(bytes.len() as u64)?;
    // Whoever may read it may run it.
    let mode = metadata.permissions().mode();
    let executable = mode | (mode & 0o444) >> 2;
    if executable == mode { Ok(()) } else { file.set_permissions(Permissions::from_mode(executable)) }
}
