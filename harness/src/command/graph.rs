//! `harness graph`: the link graph as text or JSON.

use std::io::{self, Write};

use clap::{Args as ClapArgs, ValueEnum};
use linker::error::text as name_of;
use linker::graph::{Edge, LinkGraph, Section, Symbol, object_name};
use linker::index::{BlockId, SymbolId};
use linker::{Parsed, Roots};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::executor::image::Image;
use crate::exit;
use crate::inputs;
use crate::messages::{self, Demangler};
use crate::stdout;

/// After which step the graph is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum After {
    /// As read.
    Parse,
    /// Without what the roots do not reach.
    Prune,
    /// With tables, stubs and addresses.
    Layout,
}

/// Options of `graph`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// Live roots; without any, all is live
    #[arg(long, value_name = "SYM")]
    pub root: Vec<String>,
    /// The step after which it is shown
    #[arg(long, value_name = "PASS", value_enum, default_value = "parse")]
    pub after: After,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let inputs = inputs::read_to_link(&args.inputs)?;
    let mut parsed = Parsed::new(inputs.target, args.inputs.options());
    let roots: Vec<&str> = args.root.iter().map(String::as_str).collect();
    let show = |graph: &LinkGraph<'_>| {
        messages::warnings(graph);
        print(graph, args.json);
    };
    let result = (|| -> linker::Result<()> {
        for file in &inputs.files {
            file.add_to(&mut parsed, false)?;
        }
        if args.after == After::Parse {
            show(parsed.graph());
            return Ok(());
        }
        let pruned = parsed.prune(if roots.is_empty() { Roots::All } else { Roots::Names(&roots) })?;
        if args.after == After::Prune {
            show(pruned.graph());
            return Ok(());
        }
        let mut image = Image::new(inputs.target);
        let reserved = pruned.reserve(&mut image, &args.inputs.layout)?;
        show(reserved.graph());
        reserved.abandon(&mut image);
        Ok(())
    })();
    match result {
        Ok(()) => Ok(exit::OK),
        Err(error) => {
            messages::error(&error);
            Ok(exit::of_link(&error))
        }
    }
}

/// Prints a graph as it is walked, so that it is never there a second time. Where nobody reads on, the walk ends.
fn print(graph: &LinkGraph<'_>, json: bool) {
    let mut out = stdout::writer();
    let walk = Walk { graph, placed: graph.placed_symbols() };
    let written = if json {
        let mut json = serde_json::Serializer::pretty(&mut out);
        walk.serialize(&mut json).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        walk.text(&mut out)
    };
    // Why it is not all there, the program says at its end.
    let _ = written.and_then(|()| out.flush());
}

/// A graph to be shown: sections with their blocks, edges and symbols.
struct Walk<'g, 'data> {
    graph: &'g LinkGraph<'data>,
    placed: Vec<(BlockId, u64, SymbolId)>,
}

impl Walk<'_, '_> {
    fn symbols(&self, block: BlockId) -> impl Iterator<Item = (u64, &Symbol<'_>)> {
        let first = self.placed.partition_point(|symbol| symbol.0 < block);
        let here = self.placed[first..].iter().take_while(move |symbol| symbol.0 == block);
        here.map(|&(_, offset, symbol)| (offset, &self.graph.symbols[symbol]))
    }

    fn undefined(&self) -> impl Iterator<Item = String> {
        let undefined = self.graph.symbols.iter().filter(|(_, symbol)| symbol.is_undefined());
        undefined.map(|(id, _)| self.graph.symbol_name(id))
    }

    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let graph = self.graph;
        let mut names = Demangler::default();
        writeln!(out, "graph for {}", graph.target.name)?;
        for (_, section) in graph.sections.iter() {
            let relro = if section.relro { " relro" } else { "" };
            let object = object_name(&graph.objects[section.object]);
            let line = format!("section {} of {object} {}{relro}", name_of(section.name), section.protection.letters());
            writeln!(out, "{}", names.line(&line))?;
            for id in section.block_ids() {
                let block = &graph.blocks[id];
                let state = if block.live { "" } else { " dead" };
                let zero = if block.content.is_zero() { " zero-fill" } else { "" };
                let (address, size) = (block.address, block.content.size());
                writeln!(out, "  block {address:#x} size {size:#x} align {}{zero}{state}", block.alignment)?;
                for (offset, symbol) in self.symbols(id) {
                    let line = format!("    symbol +{offset:#x} {} size {}", name_of(symbol.name), symbol.size);
                    writeln!(out, "{}", names.line(&line))?;
                }
                for edge in graph.edges_of(id) {
                    let (offset, name) = (edge.offset, graph.symbol_name(edge.target));
                    let line =
                        format!("    edge   +{offset:#x} {} {name} addend {}", graph.row(edge).name, edge.addend);
                    writeln!(out, "{}", names.line(&line))?;
                }
            }
        }
        for name in self.undefined() {
            writeln!(out, "undefined {}", names.line(&name))?;
        }
        Ok(())
    }
}

/// A list that is made while it is written.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[derive(Serialize)]
struct SectionJson<B> {
    name: String,
    object: String,
    protection: &'static str,
    relro: bool,
    blocks: B,
}

#[derive(Serialize)]
struct BlockJson<S, E> {
    address: u64,
    size: u64,
    alignment: u64,
    zero: bool,
    live: bool,
    symbols: S,
    edges: E,
}

#[derive(Serialize)]
struct SymbolJson {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    demangled: Option<String>,
    offset: u64,
    size: u64,
}

#[derive(Serialize)]
struct EdgeJson {
    offset: u32,
    relocation: &'static str,
    symbol: String,
    addend: i64,
}

impl Serialize for Walk<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sections = || self.graph.sections.iter().map(|(_, section)| self.section(section));
        let mut graph = serializer.serialize_map(Some(3))?;
        graph.serialize_entry("target", self.graph.target.name)?;
        graph.serialize_entry("sections", &List(sections))?;
        graph.serialize_entry("undefined", &List(|| self.undefined()))?;
        graph.end()
    }
}

impl Walk<'_, '_> {
    fn section(&self, section: &Section<'_>) -> impl Serialize {
        SectionJson {
            name: name_of(section.name),
            object: object_name(&self.graph.objects[section.object]),
            protection: section.protection.letters(),
            relro: section.relro,
            blocks: List(move || section.block_ids().map(|block| self.block(block))),
        }
    }

    fn block(&self, id: BlockId) -> impl Serialize {
        let block = &self.graph.blocks[id];
        let symbol = |(offset, symbol): (u64, &Symbol<'_>)| SymbolJson {
            name: name_of(symbol.name),
            demangled: std::str::from_utf8(symbol.name).ok().and_then(messages::demangle),
            offset,
            size: symbol.size,
        };
        let edge = |edge: &Edge| EdgeJson {
            offset: edge.offset,
            relocation: self.graph.row(edge).name,
            symbol: self.graph.symbol_name(edge.target),
            addend: edge.addend,
        };
        BlockJson {
            address: block.address,
            size: block.content.size(),
            alignment: block.alignment,
            zero: block.content.is_zero(),
            live: block.live,
            symbols: List(move || self.symbols(id).map(symbol)),
            edges: List(move || self.graph.edges_of(id).iter().map(edge)),
        }
    }
}
