//! `harness explain`: what each relocation comes to, with the numbers put in.

use std::ops::Range;

use clap::Args as ClapArgs;
use linker::Roots;
use linker::error::Site;
use linker::fixup::Via;
use linker::graph::{Definition, LinkGraph};
use linker::index::{BlockId, EdgeId};
use linker::link::Fixed;

use crate::disassembly::Disassembler;
use crate::executor::image::Image;
use crate::exit;
use crate::inputs;
use crate::linking::{self, Externals, Job, Timings};
use crate::messages;
use crate::wording::{self, hex};

/// Options of `explain`. The last word may be SECTION+OFFSET or SYMBOL: only the relocations there.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// A symbol at a fixed address
    #[arg(long, value_name = "NAME=ADDR", value_parser = inputs::definition)]
    pub defsym: Vec<(String, u64)>,
}

/// Which relocations are wanted.
enum Wanted {
    All,
    At(String, u64),
    Symbol(String),
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let (mut given, mut wanted) = (args.inputs.clone(), Wanted::All);
    if let Some(last) = given.files.last()
        && given.files.len() > 1
        && !std::path::Path::new(last).exists()
    {
        wanted = match last.rsplit_once('+') {
            Some((section, offset)) => {
                Wanted::At(section.to_owned(), inputs::address(offset).map_err(anyhow::Error::msg)?)
            }
            None => Wanted::Symbol(last.clone()),
        };
        given.files.pop();
    }
    let inputs = inputs::read(&given)?;
    let mut image = Image::new(inputs.target);
    let options = args.inputs.options();
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &args.defsym,
        roots: Roots::All,
        layout: &args.inputs.layout,
        options: &options,
        wishes: &linking::NO_WISHES,
    };
    let fixed = match linking::fix(&job, &mut image, &Externals::Phony, &mut Timings::default()) {
        Ok(fixed) => fixed,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::FAILURES);
        }
    };
    messages::warnings(fixed.graph());
    let disassembler = Disassembler::new(inputs.target);
    let graph = fixed.graph();
    let bodies = bodies(graph, &wanted);
    let mut shown = 0;
    for (id, edge) in graph.live_edges() {
        if is_wanted(graph, id, &wanted, &bodies)
            && graph.objects[graph.sections[graph.blocks[edge.block].section].object].file != "linker"
        {
            print!("{}", messages::demangled(&explain(&fixed, id, &disassembler)));
            shown += 1;
        }
    }
    if shown == 0 {
        eprintln!("no relocation there: {} has {} in all", given.files.join(", "), graph.live_edges().count());
        return Ok(exit::NOTHING_SELECTED);
    }
    Ok(exit::OK)
}

/// What the symbols of a name span, by block.
fn bodies(graph: &LinkGraph<'_>, wanted: &Wanted) -> Vec<(BlockId, Range<u64>)> {
    let Wanted::Symbol(name) = wanted else { return Vec::new() };
    let named = graph.symbols.iter().filter(|(_, symbol)| symbol.name == name.as_bytes());
    let placed = named.filter_map(|(_, symbol)| match symbol.definition {
        Definition::Block(block, start) => Some((block, start..start.saturating_add(symbol.size.max(1)))),
        _ => None,
    });
    placed.collect()
}

fn is_wanted(graph: &LinkGraph<'_>, id: EdgeId, wanted: &Wanted, bodies: &[(BlockId, Range<u64>)]) -> bool {
    let edge = &graph.edges[id];
    let block = &graph.blocks[edge.block];
    match wanted {
        Wanted::All => true,
        Wanted::At(section, offset) => {
            graph.sections[block.section].name == section.as_bytes() && block.origin + u64::from(edge.offset) == *offset
        }
        // A relocation against the symbol, or one inside it.
        Wanted::Symbol(name) => {
            graph.symbol_name(edge.target) == *name
                || bodies.iter().any(|(own, body)| *own == edge.block && body.contains(&u64::from(edge.offset)))
        }
    }
}

fn explain(fixed: &Fixed<'_, Image>, id: EdgeId, disassembler: &Disassembler) -> String {
    let graph = fixed.graph();
    let edge = &graph.edges[id];
    let row = graph.row(edge);
    let site = Site::edge(graph, edge);
    let fixup = match fixed.fixup(id) {
        Ok(fixup) => fixup,
        Err(error) => return format!("{error}\n"),
    };
    let bytes = |word: u64| {
        let unit = graph.object_row(id).field.unit;
        let mut bytes = vec![0; unit.size()];
        unit.write(&mut bytes, word, graph.target.big_endian);
        bytes
    };
    let inputs = fixup.inputs;
    let mut text = format!("{site}  {}\n", row.section);
    if graph.rewrite(id).is_some() {
        text += &format!("  {}\n", wording::name(graph, id));
    }
    text += &format!("  {}", wording::numbers(row, &fixup));
    text += &match fixup.via {
        Via::Direct => "\n".to_owned(),
        Via::FallThrough => "\n  the symbol is undefined and weak: goes on with the next instruction\n".to_owned(),
        Via::Dropped => "\n  describes something that is not part of the link\n".to_owned(),
        Via::Entry(symbol) => made(graph, "table entry", symbol, linker::graph::LinkGraph::made(&graph.entries, id)),
        Via::Stub(symbol) => made(graph, "stub", symbol, linker::graph::LinkGraph::made(&graph.stubs, id)),
    };
    if row.wants_no_addend() && edge.addend != 0 {
        text += "  the ABI wants no addend here: the entry is for S + A, as up to AAELF64 2024Q1 (docs/bugs.md)\n";
    }
    let mask = bytes(row.field.mask());
    let (before, after) = (bytes(fixup.before), bytes(fixup.after));
    text += &format!("  before {}   after {}   under {}\n", hex(&before), hex(&after), hex(&mask));
    let kind = wording::bytes_kind(graph, id);
    let address = inputs.p;
    text += &format!("  {address:#x}  {}", disassembler.one(&before, address, kind).0);
    text + &format!("  ->  {}\n", disassembler.one(&after, address, kind).0)
}

fn made(
    graph: &LinkGraph<'_>,
    what: &str,
    symbol: linker::index::SymbolId,
    made: Option<linker::graph::Made>,
) -> String {
    let address = graph.address(symbol).unwrap_or(0);
    let asked = made.map_or(String::new(), |made| {
        format!(
            ", made for {}",
            Site { relocation: None, symbol: None, ..Site::edge(graph, &graph.edges[made.asked_by]) }
        )
    });
    format!("\n  through the {what} at {address:#x}{asked}\n")
}
