//! LLVM's JITLink as a peer, by `llvm-jitlink -noexec`. It places what it links where it likes: it is asked where that was, ours
//! is linked at the same addresses, and then it is asked what it wrote there.
//!
//! It links only what something asks for, so there is one more object: the anchor, which asks for a symbol of each. The anchor is
//! linked first and lies at the start of the slab; the words of all others are read relative to it, by rules for `-check`
//! that cannot hold and are therefore answered with what is there.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use linker::graph::{Kind, LinkGraph};
use linker::index::SectionId;
use linker::layout::At;
use linker::link::Finalized;
use linker::memory::Lifetime;
use linker::{Layout, Options, Parsed, Roots, Target};
use outside::{ChildError, Ended, Limits, Scratch};

use super::output::{self, Output};
use super::patched::roomy;
use super::{Tally, compare};
use crate::executor::image::{Image, ImageFile};
use crate::linking::Input;

mod anchor;
mod listing;

use listing::Listed;

/// Where its slab is: apart from where ours puts what it does not have.
const SLAB: u64 = 0x1000_0000;
/// Bytes of it.
const SIZE: u64 = 64 << 20;

/// What it may take. It says a line for each word that is compared.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), text: 64 << 20, file: 256 << 20, memory: None };

/// What it calls its tables, and what is in all its names for stubs.
const TABLE: &str = "$__GOT";
const STUBS: &str = "STUBS";

/// No word of four bytes is this.
const IMPOSSIBLE: &str = "0x100000000";

/// Compares the objects of a bundle. False if there is nothing that it could be asked for.
pub(super) fn compare_bundle(
    program: &Path,
    target: &'static Target,
    objects: &[Input],
    tallies: &mut BTreeMap<&'static str, Tally>,
) -> Result<bool> {
    let Some(anchor) = anchor::object(target, objects)? else { return Ok(false) };
    let invocation = Invocation::new(program, &anchor, objects)?;
    let listed = listing::parse(&invocation.run(&["-show-graphs=.*"])?.map_err(|refusal| anyhow!(refusal))?)?;
    let mut parsed = Parsed::new(target, Options::unrelaxed());
    objects.iter().try_for_each(|object| parsed.add_object(&object.name, &object.data))?;
    let (list, kept) = place(parsed.prune(Roots::All)?.graph(), &listed);
    let layout = Layout::At(list);
    let link = |options| link(target, objects, &layout, options).context("ours, laid out as theirs");
    let (plain, relaxed) = (link(Options::unrelaxed())?, link(Options::default())?);
    let output = invocation.read(&plain, &listed, kept)?;
    compare(&plain, &relaxed, &output, tallies);
    Ok(true)
}

/// Our link. What is to become read-only is just data: the peer has it on one page with data.
fn link<'a>(
    target: &'static Target,
    objects: &'a [Input],
    layout: &Layout,
    options: Options,
) -> linker::Result<Finalized<'a, ImageFile>> {
    let mut parsed = Parsed::new(target, options);
    objects.iter().try_for_each(|object| parsed.add_object(&object.name, &object.data))?;
    parsed.graph_mut().sections.as_mut_slice().iter_mut().for_each(|section| section.relro = false);
    let memory = &mut Image::new(target);
    let reserved = parsed.prune(Roots::All)?.reserve(memory, layout)?;
    reserved.resolve(memory, |_| None)?.fix(memory)?.finalize(memory)
}

/// The objects as files, and how to run the program on them.
struct Invocation<'a> {
    program: &'a Path,
    directory: Scratch,
    files: Vec<String>,
}

impl Invocation<'_> {
    fn new<'a>(program: &'a Path, anchor: &[u8], objects: &[Input]) -> Result<Invocation<'a>> {
        let directory = Scratch::new()?;
        let mut files = Vec::new();
        for (number, object) in objects.iter().enumerate() {
            files.push(listing::file(number));
            std::fs::write(directory.path().join(listing::file(number)), roomy(&object.data))?;
        }
        std::fs::write(directory.path().join("anchor.o"), anchor)?;
        files.push("anchor.o".to_owned());
        Ok(Invocation { program, directory, files })
    }

    /// What the program says, or why it refuses.
    fn run(&self, arguments: &[&str]) -> Result<Result<String, String>> {
        let mut command = Command::new(self.program);
        command.current_dir(self.directory.path()).args(["-noexec", "-phony-externals", "-slab-page-size", "4096"]);
        command.args(["-slab-address", &format!("{SLAB:#x}"), "-slab-allocate", &format!("{}Kb", SIZE >> 10)]);
        command.arg(format!("-entry={}", anchor::NAME)).args(arguments).args(&self.files).env("LC_ALL", "C");
        let Ended { status, stdout, stderr } = match outside::run(command, &LIMITS) {
            Err(ChildError::OutOfTime { limit, .. }) => {
                return Ok(Err(format!("does not end within {} s", limit.as_secs())));
            }
            ended => ended?,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&stdout), text(&stderr));
        // Rules that do not hold are what it is asked for; it ends with an error then.
        let is_answer = arguments.contains(&"-check") && status.code().is_some();
        Ok(if status.success() || is_answer { Ok(said + &errors) } else { Err(refusal(&errors, status)) })
    }

    /// Reads what it wrote wherever something is to be compared.
    fn read(
        &self,
        linked: &Finalized<'_, ImageFile>,
        listed: &[Listed],
        kept: BTreeSet<SectionId>,
    ) -> Result<Output<'static>> {
        let graph = linked.graph();
        let mut wanted = BTreeSet::new();
        let mut want = |from: u64, size: u64| wanted.extend((from & !3..from.saturating_add(size)).step_by(4));
        let mut extents: BTreeMap<(&str, usize), (u64, u64)> = BTreeMap::new();
        let (mut tables, mut indexes) = (Vec::new(), Vec::new());
        let stem = graph.arch.unwind_index().map(|index| String::from_utf8_lossy(index.section).into_owned());
        for block in listed {
            let end = block.address + block.size;
            if block.section == TABLE {
                tables.push((block.address, end));
            } else if stem.as_ref().is_some_and(|stem| block.section.starts_with(stem.as_str())) {
                indexes.push((block.address, end));
            } else if block.section == ".eh_frame" {
                let extent = extents.entry((&block.section, block.graph)).or_insert((block.address, end));
                *extent = (extent.0.min(block.address), extent.1.max(end));
            } else if !block.section.contains(STUBS) {
                continue;
            }
            want(block.address, block.size);
        }
        let frames: Vec<_> = extents.into_values().collect();
        frames.iter().for_each(|&(start, end)| want(start, end - start));
        for (_, edge) in graph.live_edges() {
            let block = &graph.blocks[edge.block];
            if kept.contains(&block.section) {
                want(block.address + u64::from(edge.offset), graph.row(edge).field.unit.size() as u64);
            }
        }
        wanted.retain(|address| (SLAB..SLAB + SIZE).contains(address));
        let words = self.words(&wanted)?;
        Ok(Output { tables, indexes, frames, kept: Some(kept), ..Output::new(runs(&words), linked.graph()) })
    }

    /// The words at these addresses.
    fn words(&self, wanted: &BTreeSet<u64>) -> Result<BTreeMap<u64, u32>> {
        let lead = format!("*{{4}}({} + ", anchor::NAME);
        let rules: String = wanted
            .iter()
            .map(|address| format!("# jitlink-check: {lead}{:#x}) = {IMPOSSIBLE}\n", address - SLAB))
            .collect();
        if rules.is_empty() {
            return Ok(BTreeMap::new());
        }
        std::fs::write(self.directory.path().join("rules"), rules)?;
        let text = self.run(&["-check", "rules"])?.map_err(|refusal| anyhow!(refusal))?;
        let hex = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
        // Expression '*{4}(anchor + 0x8) = 0x100000000' is false: 0x12345678 != 0x100000000
        let answer = |line: &str| {
            let (offset, rest) = line.split_once(&lead)?.1.split_once(')')?;
            let value = rest.split_once("is false: ")?.1.split_once(" != ")?.0;
            Some((SLAB + hex(offset)?, u32::try_from(hex(value)?).ok()?))
        };
        let words: BTreeMap<u64, u32> = text.lines().filter_map(answer).collect();
        if let Some(missing) = wanted.iter().find(|address| !words.contains_key(address)) {
            let said = text.lines().find(|line| answer(line).is_none()).unwrap_or_default();
            bail!("llvm-jitlink does not say what is at {missing:#x}: {said}");
        }
        Ok(words)
    }
}

/// Words that follow each other, in one piece.
fn runs(words: &BTreeMap<u64, u32>) -> Vec<(u64, Cow<'static, [u8]>)> {
    let mut runs: Vec<(u64, Vec<u8>)> = Vec::new();
    for (&address, word) in words {
        match runs.last_mut() {
            Some((start, bytes)) if *start + bytes.len() as u64 == address => bytes.extend(word.to_le_bytes()),
            _ => runs.push((address, word.to_le_bytes().to_vec())),
        }
    }
    runs.into_iter().map(|(start, bytes)| (start, Cow::Owned(bytes))).collect()
}

/// Why it refuses, in a line. How it ended tells something only where it says nothing: after an error, it may crash or not.
fn refusal(text: &str, status: std::process::ExitStatus) -> String {
    let is_error = |line: &&str| line.contains("rror: ") || line.contains("ssertion");
    // The last says only that what the first is about is missing now.
    match text.lines().find(is_error) {
        Some(line) => format!("llvm-jitlink refuses: {}", line.trim()),
        None => format!("llvm-jitlink ends with {status}, and says nothing of why"),
    }
}

/// The placements that put our sections where the peer has them, and which they are. Sections that cannot be told apart are
/// left out.
fn place(graph: &LinkGraph<'_>, listed: &[Listed]) -> (Vec<At>, BTreeSet<SectionId>) {
    let mut groups: BTreeMap<(usize, &[u8]), Vec<SectionId>> = BTreeMap::new();
    for (id, section) in graph.sections.iter() {
        let mut blocks = section.block_ids().filter(|&block| graph.blocks[block].live);
        let rewritten = section.kind == Kind::Frames || output::is_index(graph, id);
        let apart = section.is_made() || section.thread_local || section.lifetime == Lifetime::NoAlloc || rewritten;
        if !apart && blocks.any(|block| graph.blocks[block].content.size() > 0) {
            groups.entry((linker::index::Id::index(section.object), section.name)).or_default().push(id);
        }
    }
    let (mut list, mut kept) = (Vec::new(), BTreeSet::new());
    for ((object, name), sections) in groups {
        // Object 0 is the linker itself.
        let theirs = listed.iter().filter(|block| block.graph + 1 == object && block.section.as_bytes() == name);
        let theirs: Vec<&Listed> = theirs.collect();
        let size = |id: SectionId| -> u64 {
            graph.sections[id].block_ids().map(|block| graph.blocks[block].content.size()).sum()
        };
        let fits = |id: SectionId| {
            let mut fit = theirs.iter().filter(|block| block.size == size(id));
            fit.next().filter(|_| fit.next().is_none()).map(|block| block.address)
        };
        let addresses: Option<Vec<u64>> = sections.iter().map(|&id| fits(id)).collect();
        for (id, address) in sections.iter().zip(addresses.unwrap_or_default()) {
            let file = graph.objects[graph.sections[*id].object].file.to_owned();
            list.push(At { file, section: String::from_utf8_lossy(name).into_owned(), address });
            kept.insert(*id);
        }
    }
    (list, kept)
}
