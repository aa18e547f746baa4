//! One relocation explained: the facts, of which text and JSON are made.

use std::fmt::Write as _;

use linker::error::{self, Site};
use linker::fixup::{Fixup, Via};
use linker::graph::{LinkGraph, Made};
use linker::index::{EdgeId, SymbolId};
use linker::link::Laid;
use linker::link::step::Known;
use linker::relocation::{self, Row};
use serde_json::{Value, json};

use crate::disassembly::Disassembler;
use crate::wording::{self, hex};

/// What a relocation comes to, or why it cannot be applied.
pub(crate) struct Explanation<'a> {
    graph: &'a LinkGraph<'a>,
    disassembler: &'a Disassembler,
    id: EdgeId,
    row: &'a Row,
    site: Site,
    came: linker::Result<Fixup>,
}

/// Bytes before and after, and what they are.
struct Change {
    before: Vec<u8>,
    after: Option<Vec<u8>>,
    mask: Vec<u8>,
    texts: (String, Option<String>),
}

impl<'a> Explanation<'a> {
    pub(crate) fn new<S: Known, H>(linked: &'a Laid<'_, S, H>, id: EdgeId, disassembler: &'a Disassembler) -> Self {
        let graph = linked.graph();
        let edge = &graph.edges[id];
        let (row, site) = (graph.row(edge), Site::edge(graph, edge));
        Explanation { graph, disassembler, id, row, site, came: linked.fixup(id) }
    }

    /// Whether it cannot be applied.
    pub(super) fn is_bad(&self) -> bool {
        self.came.is_err()
    }

    fn place(&self) -> u64 {
        let edge = &self.graph.edges[self.id];
        self.graph.target.wrap(self.graph.blocks[edge.block].address.wrapping_add(edge.offset.into()))
    }

    /// What is wrong with it, without the place, which the line before has said.
    fn problem(&self, error: &error::Error) -> String {
        let text = error.to_string();
        let place = format!("{}: ", self.site);
        text.strip_prefix(&place).map_or_else(|| text.clone(), str::to_owned)
    }

    fn change(&self) -> Option<Change> {
        let unit = self.graph.object_row(self.id).field.unit;
        let edge = &self.graph.edges[self.id];
        let bytes = |word: u64| {
            let mut bytes = vec![0; unit.size()];
            unit.write(&mut bytes, word, self.graph.target.big_endian);
            bytes
        };
        let kind = wording::bytes_kind(self.graph, self.id);
        let one = |bytes: &[u8]| self.disassembler.one(bytes, self.place(), kind).0;
        let (before, after) = match &self.came {
            Ok(fixup) => (bytes(fixup.before), Some(bytes(fixup.after))),
            Err(_) => (self.graph.bytes_under(edge, unit.size())?.to_vec(), None),
        };
        let texts = (one(&before), after.as_deref().map(one));
        Some(Change { before, after, mask: bytes(self.row.field.mask()), texts })
    }

    /// As text of several lines.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}  {}\n", self.site, self.row.section);
        if self.graph.rewrite(self.id).is_some() {
            let _ = writeln!(text, "  {}", wording::name(self.graph, self.id));
        }
        match &self.came {
            Ok(fixup) => {
                text += &format!("  {}", wording::numbers(self.row, fixup));
                text += &self.way(fixup.via);
            }
            Err(error) => text += &format!("  BAD  {}\n", self.problem(error)),
        }
        if self.row.wants_no_addend() && self.graph.edges[self.id].addend != 0 {
            text += "  the ABI wants no addend here: the entry is for S + A, as up to AAELF64 2024Q1 (docs/bugs.md)\n";
        }
        let Some(Change { before, after, mask, texts }) = self.change() else { return text };
        let after = after.map_or(String::new(), |after| format!("   after {}", hex(&after)));
        let _ = writeln!(text, "  before {}{after}   under {}", hex(&before), hex(&mask));
        let behind = texts.1.map_or(String::new(), |after| format!("  ->  {after}"));
        let _ = writeln!(text, "  {:#x}  {}{behind}", self.place(), texts.0);
        text
    }

    /// How the target was reached.
    fn way(&self, via: Via) -> String {
        match via {
            Via::Direct => "\n".to_owned(),
            Via::FallThrough => "\n  the symbol is undefined and weak: goes on with the next instruction\n".to_owned(),
            Via::Dropped => "\n  describes something that is not part of the link\n".to_owned(),
            Via::Entry(symbol) => self.made("table entry", symbol, &self.graph.entries),
            Via::Stub(symbol) => self.made("stub", symbol, &self.graph.stubs),
        }
    }

    fn made(&self, what: &str, symbol: SymbolId, list: &[Made]) -> String {
        let asked = self.asked_by(list).map_or(String::new(), |asked| format!(", made for {asked}"));
        format!("\n  through the {what} at {:#x}{asked}\n", self.graph.address(symbol).unwrap_or(0))
    }

    /// The place for which what is made was made.
    fn asked_by(&self, list: &[Made]) -> Option<Site> {
        let made = LinkGraph::made(list, self.id)?;
        Some(Site { relocation: None, symbol: None, ..Site::edge(self.graph, &self.graph.edges[made.asked_by]) })
    }

    /// As a JSON object: docs/report-schema.md.
    pub(super) fn json(&self) -> Value {
        let graph = self.graph;
        let was = graph.object_row(self.id);
        let allowed = self.row.allowed();
        let number = |value: u64| format!("{value:#x}");
        let mut value = json!({
            "file": self.site.file,
            "section": self.site.section,
            "offset": self.site.offset,
            "address": number(self.place()),
            "relocation": was.name,
            "number": was.number,
            "symbol": self.site.symbol,
            "abi": self.row.section,
            "formula": self.row.operation.to_string(),
            "allowed": allowed.to_string(),
            "ok": self.came.is_ok(),
        });
        if self.row.number != was.number {
            value["relaxed_to"] = self.row.name.into();
        }
        if let Some(Change { before, after, mask, texts }) = self.change() {
            value["before"] = json!({ "bytes": hex(&before), "text": texts.0 });
            value["under"] = hex(&mask).into();
            if let Some(after) = after {
                value["after"] = json!({ "bytes": hex(&after), "text": texts.1 });
            }
        }
        match &self.came {
            Err(error) => value["problem"] = self.problem(error).into(),
            Ok(fixup) => {
                let inputs = &fixup.inputs;
                value["inputs"] = json!({ "S": number(inputs.s), "A": relocation::hex(inputs.a.into()), "P": number(inputs.p), "T": inputs.t });
                if self.row.operation.needs_entry() {
                    value["inputs"]["G"] = number(inputs.entry).into();
                }
                if self.row.operation.needs_got() {
                    value["inputs"]["GOT"] = number(inputs.got).into();
                }
                value["value"] = relocation::hex(fixup.value.into()).into();
                value["via"] = self.via(fixup.via);
            }
        }
        value
    }

    fn via(&self, via: Via) -> Value {
        let made = |kind: &str, symbol: SymbolId, list: &[Made]| {
            let address = self.graph.address(symbol).map(|address| format!("{address:#x}"));
            let asked = self.asked_by(list).map(|site| site.to_string());
            json!({ "kind": kind, "address": address, "made_for": asked })
        };
        match via {
            Via::Direct => json!({ "kind": "direct" }),
            Via::FallThrough => json!({ "kind": "fall-through" }),
            Via::Dropped => json!({ "kind": "dropped" }),
            Via::Entry(symbol) => made("table-entry", symbol, &self.graph.entries),
            Via::Stub(symbol) => made("stub", symbol, &self.graph.stubs),
        }
    }
}
