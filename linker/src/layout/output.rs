//! Output sections: the input sections of one name are one run of bytes.
//!
//! GNU ld and lld join input sections of one name into one output section, and code counts on it: pieces of `.init` fall
//! through into each other, tables have markers in the first and the last object, `__start_X` and `__stop_X` enclose the
//! entries of `X` and nothing else. So one rule says what belongs to an output section ([`LinkGraph::output`]), one its
//! order (the order of the link, arrays by priority), and its flags are the union of its parts' flags. No layout parts an
//! output section, but for those in [`PARTED`].

use super::Class;
use crate::arch::Rule;
use crate::error::{Error, Result, Site};
use crate::graph::{Kind, LinkGraph, Section};
use crate::hash::NameMap;
use crate::index::SectionId;
use crate::memory::{Lifetime, Protection};

/// The rules for all architectures. What no rule names is an output section under its own name.
const RULES: &[Rule] = &[
    (b".text", b".text"),
    (b".rodata", b".rodata"),
    (b".data.rel.ro", b".data.rel.ro"),
    (b".data", b".data"),
    (b".bss", BSS),
    (b"COMMON", BSS),
    (b".tdata", b".tdata"),
    (b".tbss", b".tbss"),
    (b".tcommon", b".tbss"),
    (b".preinit_array", b".preinit_array"),
    (b".init_array", b".init_array"),
    (b".fini_array", b".fini_array"),
    (b".gcc_except_table", b".gcc_except_table"),
    (b".gnu.linkonce.t.", b".text"),
    (b".gnu.linkonce.r.", b".rodata"),
    (b".gnu.linkonce.d.rel.ro.", b".data.rel.ro"),
    (b".gnu.linkonce.d.", b".data"),
    (b".gnu.linkonce.b.", BSS),
    (b".gnu.linkonce.td.", b".tdata"),
    (b".gnu.linkonce.tb.", b".tbss"),
];

/// The output sections that layouts may part: no contract holds the code, constants and variables of different objects
/// together, nor those of one object that stand in sections of different names. Sections of the same name in one object
/// stay together.
const PARTED: &[&[u8]] = &[b".text", b".rodata", b".data", b".data.rel.ro", BSS];

/// The output section that start-up code clears.
pub(crate) const BSS: &[u8] = b".bss";

impl<'data> LinkGraph<'data> {
    /// The name of the output section that a section belongs to.
    pub fn output(&self, section: &Section<'data>) -> &'data [u8] {
        let name = section.name;
        if section.lifetime == Lifetime::NoAlloc {
            return name;
        }
        if section.reversed {
            // GNU ld runs what `.ctors` and `.dtors` hold with the arrays.
            return if name.starts_with(b".ctors") { b".init_array" } else { b".fini_array" };
        }
        self.rule_for(name).map_or(name, |rule| rule.1)
    }

    fn rule_for(&self, name: &[u8]) -> Option<&'static Rule> {
        let is = |(stem, _): &&Rule| {
            let rest = name.strip_prefix(*stem);
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'.' || stem.ends_with(b"."))
        };
        RULES.iter().chain(self.arch.output_sections()).find(is)
    }

    /// Whether all sections of its name are one thing, of which nobody knows how its parts hang together: it is kept or
    /// dropped as a whole. The parts of what a rule names live by themselves.
    pub(crate) fn is_whole(&self, section: &Section<'data>) -> bool {
        section.lifetime == Lifetime::Standard && !section.reversed && self.rule_for(section.name).is_none()
    }
}

/// An output section.
pub(super) struct Output<'data> {
    pub(super) name: &'data [u8],
    /// Its live parts, in order.
    pub(super) sections: Vec<SectionId>,
    pub(super) class: Class,
}

impl Output<'_> {
    pub(super) fn may_be_parted(&self) -> bool {
        self.class != Class::NoAlloc && PARTED.contains(&self.name)
    }
}

/// The output sections that have live parts, in the order in which the link met them.
pub(super) fn outputs<'data>(graph: &LinkGraph<'data>) -> Result<Vec<Output<'data>>> {
    let mut outputs: Vec<Output<'data>> = Vec::new();
    // What is loaded and what is not are never one section.
    let mut known: NameMap<(&[u8], bool), usize> = NameMap::default();
    for (id, section) in graph.sections.iter() {
        if !section.block_ids().any(|block| graph.blocks[block].live) {
            continue;
        }
        let class = Class::of(section);
        let name = graph.output(section);
        let index = *known.entry((name, class == Class::NoAlloc)).or_insert(outputs.len());
        match outputs.get_mut(index) {
            Some(output) => {
                output.class = union(graph, output, id, class)?;
                output.sections.push(id);
            }
            None => outputs.push(Output { name, sections: vec![id], class }),
        }
    }
    for output in &mut outputs {
        output.sections.sort_by_key(|&id| {
            let section = &graph.sections[id];
            let priority = if let Kind::Array(priority) = section.kind { priority } else { 0 };
            (priority, graph.objects[section.object].position, id)
        });
    }
    let link_order = |&id: &SectionId| (graph.objects[graph.sections[id].object].position, id);
    outputs.sort_by_cached_key(|output| output.sections.iter().map(link_order).min());
    Ok(outputs)
}

/// The class of an output section that gets one more part.
fn union(graph: &LinkGraph<'_>, output: &Output<'_>, part: SectionId, class: Class) -> Result<Class> {
    use Class::{Code, Read, Relro, ThreadLocal, Write};
    match (output.class, class) {
        (a, b) if a == b => Ok(a),
        (Read, other) | (other, Read) if other != ThreadLocal => Ok(other),
        (Relro, Write) | (Write, Relro) => Ok(Write),
        _ => {
            let is = |id: SectionId| {
                let what = match Class::of(&graph.sections[id]) {
                    ThreadLocal => "thread-local",
                    Code => "executable",
                    Write | Relro => "writable",
                    _ => "constant",
                };
                format!("{} is {what}", Site::section(graph, id))
            };
            let other = output.sections.iter().copied().find(|&id| Class::of(&graph.sections[id]) == output.class);
            let other = other.map_or(String::new(), is);
            let name = crate::error::text(output.name);
            Err(Error::Layout(format!("{other} and {}: they cannot be one output section {name}", is(part))))
        }
    }
}

impl Class {
    /// Where a section goes by its own flags.
    pub(super) fn of(section: &Section<'_>) -> Class {
        match (section.lifetime, section.protection) {
            (Lifetime::NoAlloc, _) => Class::NoAlloc,
            (_, Protection::ReadExecute) => Class::Code,
            (_, Protection::ReadWrite) => Class::Write,
            (_, Protection::Read) if section.thread_local => Class::ThreadLocal,
            (_, Protection::Read) if section.relro => Class::Relro,
            (_, Protection::Read) => Class::Read,
        }
    }
}
