//! `harness explain`: what each relocation comes to, with the numbers put in.

use std::cell::{Cell, RefCell};
use std::path::Path;

use clap::Args as ClapArgs;
use linker::Roots;
use linker::graph::LinkGraph;
use linker::index::EdgeId;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::disassembly::Disassembler;
use crate::executor::image::Image;
use crate::exit;
use crate::inputs;
use crate::linking::{self, Externals, Job, Timings};
use crate::messages;

pub(crate) mod explanation;
mod filter;

use explanation::Explanation;
use filter::Filter;

/// Options of `explain`.
///
/// Words that name no file say which relocations are wanted, any of them: SECTION (`.text`, `.text*`), SECTION+OFFSET
/// (`.text+0x1c`), SYMBOL or SYMBOL+OFFSET, a relocation's name (`R_ARM_CALL`), or a place as messages write it
/// (`a.o(.text+0x1c)`).
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// A symbol at a fixed address
    #[arg(long, value_name = "NAME=ADDR", value_parser = inputs::definition)]
    pub defsym: Vec<(String, u64)>,
    /// Write a JSON document instead of text (docs/report-schema.md)
    #[arg(long)]
    pub json: bool,
}

/// Version of the JSON document. It grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// Runs the command. What cannot be applied is marked, and the others are explained all the same.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut given = args.inputs.clone();
    // The first word is a file whatever it is: if there is none of the name, that is said.
    let is_filter = |index: usize, word: &str| index > 0 && !Path::new(word).exists() && !looks_like_file(word);
    let (mut files, mut words) = (Vec::new(), Vec::new());
    for (index, word) in std::mem::take(&mut given.files).into_iter().enumerate() {
        if is_filter(index, &word) { words.push(word) } else { files.push(word) }
    }
    given.files = files;
    let inputs = inputs::read_to_link(&given)?;
    let mut image = Image::new(inputs.target);
    // One that cannot be read is marked as those that cannot be applied.
    let options = linker::Options { leave_out: true, ..args.inputs.options() };
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &args.defsym,
        roots: Roots::All,
        layout: &args.inputs.layout,
        options: &options,
        wishes: &linking::NO_WISHES,
    };
    let resolved = match linking::resolve(&job, &mut image, &Externals::Phony, &mut Timings::default()) {
        Ok(resolved) => resolved,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::of_link(&error));
        }
    };
    messages::warnings(resolved.graph());
    let graph = resolved.graph();
    let mut filters = Vec::new();
    for word in &words {
        match Filter::of(word, graph) {
            Ok(filter) => filters.push((word, filter)),
            Err(problem) => {
                messages::error(&problem);
                return Ok(exit::NOTHING_SELECTED);
            }
        }
    }
    let disassembler = Disassembler::new(inputs.target);
    let bad = Cell::new(graph.unread.count());
    let wanted = |id: &EdgeId| filters.is_empty() || filters.iter().any(|(_, filter)| filter.wants(graph, *id));
    let explained = from_objects(graph).filter(wanted).map(|id| {
        let explanation = Explanation::new(&resolved, id, &disassembler);
        bad.set(bad.get() + usize::from(explanation.is_bad()));
        explanation
    });
    let unread = graph.unread.errors.iter().map(ToString::to_string);
    let shown = Cell::new(0);
    if args.json {
        let document = Document {
            version: VERSION,
            target: inputs.target.name,
            files: &given.files,
            relocations: Relocations(RefCell::new(Box::new(explained.map(|explanation| explanation.json()))), &shown),
            unread: unread.collect(),
            bad: &bad,
        };
        // What does not get out is said at the end, once.
        let _ = serde_json::to_writer_pretty(crate::stdout::writer(), &document);
        outln!();
    } else {
        let show = |text: &str| crate::stdout::print(&messages::demangled(text));
        unread.for_each(|problem| show(&format!("{problem}\n  BAD  it cannot be read\n")));
        explained.for_each(|explanation| {
            shown.set(shown.get() + 1);
            show(&explanation.text());
        });
    }
    let (shown, bad) = (shown.get() + graph.unread.count(), bad.get());
    if shown == 0 {
        let files = given.files.join(", ");
        match words.is_empty() {
            true => note!("{files}: there are no relocations"),
            false => note!(
                "no relocation there: {files} has {} in all, and none is for `{}`",
                from_objects(graph).count(),
                words.join("` or `")
            ),
        }
        return Ok(exit::NOTHING_SELECTED);
    }
    if bad > 0 {
        messages::error(&format!("{bad} of {shown} relocations cannot be applied; each is marked BAD"));
        return Ok(exit::FAILURES);
    }
    Ok(exit::OK)
}

/// The JSON document. Its relocations are made while they are written: there may be many, each with a long name.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    target: &'a str,
    files: &'a [String],
    relocations: Relocations<'a>,
    /// Why others could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<String>,
    /// Behind those that are counted.
    bad: &'a Cell<usize>,
}

/// Relocations that are made when they are written, and how many were.
struct Relocations<'a>(RefCell<Box<dyn Iterator<Item = Value> + 'a>>, &'a Cell<usize>);

impl Serialize for Relocations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.borrow_mut().by_ref().inspect(|_| self.1.set(self.1.get() + 1)))
    }
}

/// Whether a word that names nothing was meant to be a file.
fn looks_like_file(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, extension)| extension);
    matches!(extension, Some("o" | "a" | "c" | "cc" | "cpp" | "s" | "S" | "ll" | "rs" | "obj" | "rlib"))
}

/// The live relocations that came from objects.
fn from_objects(graph: &LinkGraph<'_>) -> impl Iterator<Item = EdgeId> {
    let is_made = |block| graph.sections[graph.blocks[block].section].is_made();
    graph.live_edges().filter(move |(_, edge)| !is_made(edge.block)).map(|(id, _)| id)
}
