//! Where a subject is to put sections: our own plan for the same objects, as a linker script.
//!
//! The plan knows how much room stubs of ours take, and nothing of those of others. So an address is given to the first output
//! section of a segment, and what is behind it follows it, wherever that is; only a layout by hand gives each its address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use linker::Layout;
use linker::error::Error;
use linker::graph::{Definition, Kind, LinkGraph};
use linker::index::SectionId;
use linker::layout::{Plan, Planned};
use linker::memory::{Lifetime, Protection};

use super::definitions::{DSO_HANDLE, STUBS};
use crate::executor::image::Image;
use crate::held;
use crate::host::Host;
use crate::linking::{self, Externals, Job, Timings};
use crate::oracle::name;

/// What the planner says of a link.
#[derive(Clone, Debug, Default)]
pub struct Planning {
    /// The linker script.
    pub script: String,
    /// The lowest address.
    pub base: u64,
    /// Relocations of live code and data, by name.
    pub relocations: BTreeMap<String, u64>,
    /// Names of all relocations in the objects.
    pub held: BTreeSet<&'static str>,
}

/// Where all goes that was not laid out: an error is expected then, and no place matters.
pub(super) fn somewhere(base: u64, roots: &[&str], page: u64) -> String {
    let kept = extern_of(roots);
    format!(
        "{kept}SECTIONS {{\n  . = {base:#x};\n  .text : {{ *(.text .text.*) }}\n  . = ALIGN({page:#x});\n  \
         .rodata : {{ *(.rodata .rodata.*) }}\n  . = ALIGN({page:#x});\n  .data : {{ *(.data .data.*) }}\n  \
         .bss : {{ *(.bss .bss.*) *(COMMON) }}\n}}\n"
    )
}

/// The symbols that have to stay, so that members of archives are pulled for them.
fn extern_of(roots: &[&str]) -> String {
    let plain: Vec<&str> = roots.iter().copied().filter(|root| name::is_plain(root.as_bytes())).collect();
    // Between quotation marks: `add` is a number to GNU ld, and others are words of its language.
    if plain.is_empty() { String::new() } else { format!("EXTERN(\"{}\")\n", plain.join("\" \"")) }
}

/// A file's name as a pattern: GNU ld takes a name without a wildcard for one more input, at the place where the script has it.
fn matched(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| format!("[{first}]{}", letters.as_str()))
}

/// Lays out a link by our planner. `files` are the names that the subject sees, in the order of the inputs; segments begin on pages of
/// this size. What can be anywhere (`movable`) begins at 0: GNU ld makes no ET_DYN of what begins elsewhere, and no address is right
/// where it is loaded unless it was relocated.
pub(super) fn plan(
    job: &Job<'_, '_>,
    files: &[String],
    roots: &[&str],
    host: &Host,
    (page, movable): (u64, bool),
) -> Result<Planning, Error> {
    let mut memory = Image::new(job.target);
    let known = host.definitions();
    let externals = Externals::Table(&|name| known.get(name).copied());
    let resolved = linking::resolve(job, &mut memory, &externals, &mut Timings::default())?;
    let graph = resolved.graph();
    name::check(graph).map_err(|error| Error::Layout(error.to_string()))?;
    // Positions are counted from 1.
    let names = |position: u32| files.get((position as usize).wrapping_sub(1)).map_or("?", String::as_str);
    let exact = matches!(job.layout, Layout::At(_));
    let lowest = lowest(resolved.plan());
    let base = if movable { 0 } else { lowest };
    let (used, provided) = (BTreeMap::new(), BTreeSet::new());
    let down = lowest - base;
    let text = String::new();
    let script = Script { graph, names: &names, exact, page, movable, down, last: base, used, provided, text };
    let planning = Planning {
        script: script.write(resolved.plan(), roots),
        base,
        relocations: held::live_relocations_of(graph),
        held: held::held(graph),
    };
    resolved.abandon(&mut memory);
    Ok(planning)
}

fn is_loaded(segment: &&Planned) -> bool {
    segment.lifetime == Lifetime::Standard && segment.size > 0
}

fn lowest(plan: &Plan) -> u64 {
    plan.segments.iter().filter(is_loaded).map(|segment| segment.address).min().unwrap_or(crate::executor::image::BASE)
}

/// Bytes between two output sections that a file need not have.
const FAR: u64 = 1 << 20;

/// One output section, or the part of one that lies in one place.
#[derive(Debug)]
struct Run<'data> {
    output: &'data [u8],
    sections: Vec<SectionId>,
    address: u64,
    /// Whether the address is said.
    placed: bool,
    protection: Protection,
    zero: bool,
}

struct Script<'g, 'data> {
    graph: &'g LinkGraph<'data>,
    names: &'g dyn Fn(u32) -> &'g str,
    exact: bool,
    /// Bytes of the pages that the subject parts its segments by.
    page: u64,
    /// Whether the executable can be anywhere.
    movable: bool,
    /// How far below its place in the plan everything goes.
    down: u64,
    /// Where the output section before is.
    last: u64,
    /// How often a name of an output section was used.
    used: BTreeMap<String, usize>,
    /// The symbols that were provided.
    provided: BTreeSet<String>,
    text: String,
}

/// Output sections whose parts live by themselves.
const BY_PARTS: &[&[u8]] =
    &[b".text", b".rodata", b".data", b".data.rel.ro", b".bss", b".tdata", b".tbss", b".gcc_except_table"];

/// The section that variables without one go to.
const COMMON: &[u8] = b"COMMON";

/// What a table of addresses is made of.
const GOT: &str = "*(.got.plt) *(.igot.plt) *(.got) *(.igot)";

/// Symbols at both ends of an output section.
const ENDS: &[(&str, &str, &str)] = &[
    (".preinit_array", "__preinit_array_start", "__preinit_array_end"),
    (".init_array", "__init_array_start", "__init_array_end"),
    (".fini_array", "__fini_array_start", "__fini_array_end"),
    (".ARM.exidx", "__exidx_start", "__exidx_end"),
    (".eh_frame", "__eh_frame_start", "__eh_frame_end"),
];

impl<'data> Script<'_, 'data> {
    fn write(mut self, plan: &Plan, roots: &[&str]) -> String {
        let page = self.page;
        let runs = self.runs(plan);
        let last = |wanted: &dyn Fn(&Run<'_>) -> bool| runs.iter().rposition(wanted);
        let code = last(&|run| run.protection == Protection::ReadExecute);
        let first_data = runs.iter().position(|run| run.protection == Protection::ReadWrite && !run.zero);
        let data = last(&|run| run.protection == Protection::ReadWrite && !run.zero);
        let first_zero = runs.iter().position(|run| run.output == b".bss");
        let zero = last(&|run| run.output == b".bss");
        let rooted = self.rooted(roots);
        let _ = writeln!(self.text, "{}SECTIONS {{", extern_of(roots));
        for (number, run) in runs.iter().enumerate() {
            if first_data == Some(number) {
                self.provide(&["__data_start", "data_start"], ".");
            }
            if first_zero == Some(number) {
                self.provide(&["__bss_start", "__bss_start__"], ".");
            }
            self.run(run, &rooted);
            if code == Some(number) {
                self.provide(&["etext", "_etext", "__etext"], ".");
                self.relocations_at_start();
            }
            if data == Some(number) {
                self.provide(&["edata", "_edata"], ".");
            }
            if zero == Some(number) {
                self.provide(&["__bss_end__", "_bss_end__"], ".");
            }
        }
        let _ = writeln!(self.text, "  .dynamic ALIGN({page:#x}) : {{ *(.dynamic) }}");
        if !self.used.contains_key(".got") {
            // A subject may need one where we do not.
            let _ = writeln!(self.text, "  .got ALIGN({page:#x}) : {{ {GOT} }}");
        }
        if !self.used.contains_key(".data") {
            // gold keeps one that is empty, and begins its writable segment with it: on the page of the code, if it is there.
            let _ = writeln!(self.text, "  .data ALIGN({page:#x}) : {{ *(.data) }}");
        }
        // What there is nothing of begins and ends in one place.
        for (_, start, stop) in ENDS {
            self.provide(&[start, stop], ".");
        }
        let behind = ["__data_start", "data_start", "edata", "_edata", "__bss_start", "__bss_start__", "__bss_end__"];
        self.provide(&behind, ".");
        self.provide(&["_bss_end__", "end", "_end", "__end__"], ".");
        self.text.push_str("}\n");
        self.text
    }

    /// What goes where, by address.
    fn runs(&self, plan: &Plan) -> Vec<Run<'data>> {
        let graph = self.graph;
        let mut segments: Vec<&Planned> = plan.segments.iter().filter(is_loaded).collect();
        segments.sort_by_key(|segment| segment.address);
        let mut runs: Vec<Run<'data>> = Vec::new();
        for segment in segments {
            let start = runs.len();
            for &block in &segment.blocks {
                let (id, address) = (graph.blocks[block].section, graph.blocks[block].address);
                let section = &graph.sections[id];
                let is_table = graph.got == Some(block);
                if section.is_made() && !is_table && section.name != COMMON {
                    continue;
                }
                let output = if is_table { &b".got"[..] } else { graph.output(section) };
                let here = runs.len() > start;
                match runs.last_mut().filter(|run| here && run.output == output) {
                    Some(run) if run.sections.last() == Some(&id) => {}
                    Some(run) => run.sections.push(id),
                    None => {
                        let zero = section.block_ids().all(|block| graph.blocks[block].content.is_zero());
                        let (placed, protection) = (!here, segment.protection);
                        let address = address - self.down;
                        runs.push(Run { output, sections: vec![id], address, placed, protection, zero });
                    }
                }
            }
        }
        runs
    }

    /// The sections that hold the roots.
    fn rooted(&self, roots: &[&str]) -> BTreeSet<SectionId> {
        let wanted: BTreeSet<&[u8]> = roots.iter().map(|root| root.as_bytes()).collect();
        let symbols = self.graph.symbols.iter().filter(|(_, symbol)| wanted.contains(symbol.name));
        let blocks = symbols.filter_map(|(_, symbol)| match symbol.definition {
            Definition::Block(block, _) => Some(self.graph.blocks[block].section),
            _ => None,
        });
        blocks.collect()
    }

    fn provide(&mut self, names: &[&str], value: &str) {
        for name in names {
            if self.provided.insert((*name).to_owned()) {
                let _ = writeln!(self.text, "  PROVIDE_HIDDEN({name} = {value});");
            }
        }
    }

    fn run(&mut self, run: &Run<'_>, rooted: &BTreeSet<SectionId>) {
        let name = name::pattern(run.output);
        let count = self.used.entry(name.clone()).or_default();
        let shown = if *count == 0 { name.clone() } else { format!("{name}.{count}") };
        *count += 1;
        let address = match (self.exact, run.placed) {
            (true, _) => format!("{:#x} ", run.address),
            (false, true) => format!("MAX({:#x}, ALIGN({:#x})) ", run.address, self.page),
            (false, false) => String::new(),
        };
        // A load address of its own has lld begin another segment, so that the file has no bytes for what is between two. gold ends by
        // an error of its own at some of them, so they are only where they matter.
        let plain = shown.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        let is_far = run.address.abs_diff(std::mem::replace(&mut self.last, run.address)) > FAR;
        let load = if run.placed && is_far && plain { format!("AT(ADDR({shown})) ") } else { String::new() };
        let ends = ENDS.iter().find(|ends| ends.0 == name);
        let (mut start, stop) = ends.map_or((String::new(), String::new()), |(_, start, stop)| {
            self.provided.extend([start, stop].map(|name| (*name).to_owned()));
            (format!("PROVIDE_HIDDEN({start} = .); "), format!(" PROVIDE_HIDDEN({stop} = .);"))
        });
        for name in [DSO_HANDLE, "__executable_start", "__ehdr_start"] {
            if self.provided.insert(name.to_owned()) {
                // In a section, as a C runtime has it: GNU ld takes no short distance to an absolute symbol.
                let _ = write!(start, "PROVIDE_HIDDEN({name} = .); ");
            }
        }
        let mut inputs: Vec<String> = match run.output {
            b".got" if run.sections.iter().all(|&id| self.graph.sections[id].is_made()) => {
                vec![GOT.to_owned()]
            }
            b".eh_frame" => vec!["KEEP(*(.eh_frame))".to_owned()],
            b".ARM.exidx" => vec!["*(.ARM.exidx .ARM.exidx.*)".to_owned()],
            _ => run.sections.iter().map(|&id| self.input(id, rooted.contains(&id))).collect(),
        };
        inputs.dedup();
        let _ = writeln!(self.text, "  {shown} {address}: {load}{{ {start}{}{stop} }}", inputs.join(" "));
    }

    /// An input section, as a script names it.
    fn input(&self, id: SectionId, rooted: bool) -> String {
        let section = &self.graph.sections[id];
        if section.name == COMMON {
            // No object has a section for them.
            return "*(COMMON)".to_owned();
        }
        let object = &self.graph.objects[section.object];
        let file = (self.names)(object.position);
        let member = object.member.map_or(String::new(), |member| format!(":{}", name::pattern(member)));
        let text = format!("{}{member}({})", matched(file), name::pattern(section.name));
        // What no rule names is kept as a whole: nobody knows how its parts hang together.
        let whole = self.graph.output(section) == section.name && !BY_PARTS.contains(&section.name);
        let kept = rooted || whole || section.retain || matches!(section.kind, Kind::Array(_));
        if kept { format!("KEEP({text})") } else { text }
    }

    /// The tables of what start-up code relocates, whose ends it asks for, under the names that GNU ld and lld have for them; and what else
    /// of an image that can be anywhere is only read. None of it is on a page of code.
    fn relocations_at_start(&mut self) {
        let _ = writeln!(self.text, "  .text.linkrig : {{ *({STUBS}*) }}");
        let _ = writeln!(self.text, "  .plt : {{ *(.plt) *(.iplt) }}\n  . = ALIGN({:#x});", self.page);
        for name in [".dynsym", ".gnu.hash", ".hash", ".dynstr"] {
            let _ = writeln!(self.text, "  {name} : {{ *({name}) }}");
        }
        for name in ["rela", "rel"] {
            if self.movable {
                // Both in one, and GNU ld loses an entry. Start-up code finds them by the dynamic section.
                let _ = writeln!(
                    self.text,
                    "  .{name}.dyn : {{ *(.{name}.dyn) }}\n  .{name}.plt : {{ *(.{name}.plt .{name}.iplt) }}"
                );
                continue;
            }
            let (start, stop) = (format!("__{name}_iplt_start"), format!("__{name}_iplt_end"));
            let inputs = format!("*(.{name}.iplt .{name}.dyn)");
            let _ = writeln!(
                self.text,
                "  .{name}.dyn : {{ PROVIDE_HIDDEN({start} = .); {inputs} PROVIDE_HIDDEN({stop} = .); }}"
            );
        }
    }
}
