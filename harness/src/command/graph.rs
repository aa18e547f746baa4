//! `harness graph`: the link graph as text or JSON.

use std::io::Write;

use anyhow::Context;
use clap::{Args as ClapArgs, ValueEnum};
use linker::error::text as name_of;
use linker::graph::LinkGraph;
use linker::graph::object_name;
use linker::index::{BlockId, SymbolId};
use linker::{Parsed, Roots};
use serde_json::{Value, json};

use crate::executor::image::Image;
use crate::exit;
use crate::inputs;
use crate::messages;

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
    let inputs = inputs::read(&args.inputs)?;
    let mut parsed = Parsed::new(inputs.target, args.inputs.options());
    let roots: Vec<&str> = args.root.iter().map(String::as_str).collect();
    let show = |graph: &LinkGraph<'_>| {
        messages::warnings(graph);
        as_json(graph)
    };
    let result = (|| -> linker::Result<Value> {
        for file in &inputs.files {
            file.add_to(&mut parsed, false)?;
        }
        if args.after == After::Parse {
            return Ok(show(parsed.graph()));
        }
        let pruned = parsed.prune(if roots.is_empty() { Roots::All } else { Roots::Names(&roots) })?;
        if args.after == After::Prune {
            return Ok(show(pruned.graph()));
        }
        let mut image = Image::new(inputs.target);
        let reserved = pruned.reserve(&mut image, &args.inputs.layout)?;
        let shown = show(reserved.graph());
        reserved.abandon(&mut image);
        Ok(shown)
    })();
    let graph = match result {
        Ok(graph) => graph,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::FAILURES);
        }
    };
    let mut out = std::io::stdout().lock();
    let text = if args.json { serde_json::to_string_pretty(&graph)? } else { messages::demangled(&as_text(&graph)) };
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).context("standard output")?;
    Ok(exit::OK)
}

/// The graph as JSON: sections with their blocks, edges and symbols.
fn as_json(graph: &LinkGraph<'_>) -> Value {
    let placed = graph.placed_symbols();
    let sections: Vec<Value> = graph
        .sections
        .iter()
        .map(|(_, section)| {
            let blocks: Vec<Value> = section.block_ids().map(|block| block_json(graph, &placed, block)).collect();
            json!({
                "name": name_of(section.name),
                "object": object_name(&graph.objects[section.object]),
                "protection": section.protection.letters(),
                "relro": section.relro,
                "blocks": blocks,
            })
        })
        .collect();
    let undefined: Vec<String> =
        graph.symbols.iter().filter(|(_, symbol)| symbol.is_undefined()).map(|(id, _)| graph.symbol_name(id)).collect();
    json!({ "target": graph.target.name, "sections": sections, "undefined": undefined })
}

fn block_json(graph: &LinkGraph<'_>, placed: &[(BlockId, u64, SymbolId)], id: BlockId) -> Value {
    let block = &graph.blocks[id];
    let edges: Vec<Value> = graph
        .edges_of(id)
        .iter()
        .map(|edge| {
            json!({
                "offset": edge.offset,
                "relocation": graph.row(edge).name,
                "symbol": graph.symbol_name(edge.target),
                "addend": edge.addend,
            })
        })
        .collect();
    let first = placed.partition_point(|symbol| symbol.0 < id);
    let symbols: Vec<Value> = placed[first..]
        .iter()
        .take_while(|symbol| symbol.0 == id)
        .map(|&(_, offset, symbol)| {
            let symbol = &graph.symbols[symbol];
            let mut shown = json!({ "name": name_of(symbol.name), "offset": offset, "size": symbol.size });
            if let Some(written) = std::str::from_utf8(symbol.name).ok().and_then(messages::demangle) {
                shown["demangled"] = written.into();
            }
            shown
        })
        .collect();
    json!({
        "address": block.address,
        "size": block.content.size(),
        "alignment": block.alignment,
        "zero": block.content.is_zero(),
        "live": block.live,
        "symbols": symbols,
        "edges": edges,
    })
}

/// The same as indented text.
fn as_text(graph: &Value) -> String {
    let mut lines = vec![format!("graph for {}", text(&graph["target"]))];
    for section in list(&graph["sections"]) {
        let relro = if section["relro"] == true { " relro" } else { "" };
        lines.push(format!(
            "section {} of {} {}{relro}",
            text(&section["name"]),
            text(&section["object"]),
            text(&section["protection"])
        ));
        for block in list(&section["blocks"]) {
            let state = if block["live"] == true { "" } else { " dead" };
            let zero = if block["zero"] == true { " zero-fill" } else { "" };
            let address = block["address"].as_u64().unwrap_or(0);
            let size = block["size"].as_u64().unwrap_or(0);
            lines.push(format!("  block {address:#x} size {size:#x} align {}{zero}{state}", block["alignment"]));
            for symbol in list(&block["symbols"]) {
                let offset = symbol["offset"].as_u64().unwrap_or(0);
                lines.push(format!("    symbol +{offset:#x} {} size {}", text(&symbol["name"]), symbol["size"]));
            }
            for edge in list(&block["edges"]) {
                let offset = edge["offset"].as_u64().unwrap_or(0);
                let addend = edge["addend"].as_i64().unwrap_or(0);
                lines.push(format!(
                    "    edge   +{offset:#x} {} {} addend {addend}",
                    text(&edge["relocation"]),
                    text(&edge["symbol"])
                ));
            }
        }
    }
    for name in list(&graph["undefined"]) {
        lines.push(format!("undefined {}", text(name)));
    }
    lines.join("\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
