//! Symbols that the linker defines when somebody asks for them and nobody else has them: what C libraries and start-up
//! code expect to find. One table, and the bounds of sections whose names are identifiers of C.

use crate::graph::{Binding, Definition, End, Extent, Flags, LinkGraph, Symbol, Visibility, is_identifier};
use crate::hash::NameSet;
use crate::memory::Protection;

use End::{Start, Stop};

/// Name, what it is at an end of, which end.
pub static DEFINED: &[(&str, Extent<'static>, End)] = &[
    ("__preinit_array_start", Extent::Sections(b".preinit_array"), Start),
    ("__preinit_array_end", Extent::Sections(b".preinit_array"), Stop),
    ("__init_array_start", Extent::Sections(b".init_array"), Start),
    ("__init_array_end", Extent::Sections(b".init_array"), Stop),
    ("__fini_array_start", Extent::Sections(b".fini_array"), Start),
    ("__fini_array_end", Extent::Sections(b".fini_array"), Stop),
    ("__exidx_start", Extent::Sections(b".ARM.exidx"), Start),
    ("__exidx_end", Extent::Sections(b".ARM.exidx"), Stop),
    ("__eh_frame_start", Extent::Sections(b".eh_frame"), Start),
    ("__eh_frame_end", Extent::Sections(b".eh_frame"), Stop),
    ("_GLOBAL_OFFSET_TABLE_", Extent::Got, Start),
    ("__executable_start", Extent::Image, Start),
    ("__ehdr_start", Extent::Headers, Start),
    ("__dso_handle", Extent::Image, Start),
    ("etext", Extent::Segments(Protection::ReadExecute), Stop),
    ("_etext", Extent::Segments(Protection::ReadExecute), Stop),
    ("__etext", Extent::Segments(Protection::ReadExecute), Stop),
    ("edata", Extent::Content, Stop),
    ("_edata", Extent::Content, Stop),
    ("__data_start", Extent::Content, Start),
    ("data_start", Extent::Content, Start),
    ("__bss_start", Extent::Zero, Start),
    ("__bss_start__", Extent::Zero, Start),
    ("__bss_end__", Extent::Zero, Stop),
    ("_bss_end__", Extent::Zero, Stop),
    ("end", Extent::Image, Stop),
    ("_end", Extent::Image, Stop),
    ("__end__", Extent::Image, Stop),
    // Where offsets in the link's own block of thread-local variables count from (TLS descriptors, Local Dynamic).
    (TLS_MODULE_BASE, Extent::ThreadLocal, Start),
    // Relocations that are left to start-up code.
    ("__rela_iplt_start", Extent::Sections(b".rela.iplt"), Start),
    ("__rela_iplt_end", Extent::Sections(b".rela.iplt"), Stop),
    ("__rel_iplt_start", Extent::Sections(b".rel.iplt"), Start),
    ("__rel_iplt_end", Extent::Sections(b".rel.iplt"), Stop),
];

/// A name that an object may have for itself, too.
const TLS_MODULE_BASE: &str = "_TLS_MODULE_BASE_";

/// Gives a definition to each undefined symbol that has one here.
/// `headers`: whether the image's headers are part of it.
pub(crate) fn define(graph: &mut LinkGraph<'_>, headers: bool) {
    let identifiers = graph.sections.iter().filter(|(_, section)| section.has_identifier_name());
    let bounded: NameSet<&[u8]> = identifiers.map(|(_, section)| section.name).collect();
    let thread_local = graph.sections.iter().any(|(_, section)| section.thread_local);
    for id in graph.symbols.ids() {
        let symbol = &graph.symbols[id];
        let local = symbol.binding == Binding::Local && symbol.name != TLS_MODULE_BASE.as_bytes();
        if !symbol.is_undefined() || local {
            continue;
        }
        let name = symbol.name;
        if name == TLS_MODULE_BASE.as_bytes() && !thread_local {
            continue;
        }
        if let Some(&(_, extent, end)) = DEFINED.iter().find(|(known, ..)| known.as_bytes() == name) {
            if extent == Extent::Headers && !headers {
                continue;
            }
            graph.symbols[id].definition = Definition::Bound(extent, end);
        } else if let Some((section, end)) = section_bound(name)
            && bounded.contains(section)
        {
            graph.symbols[id].definition = Definition::Bound(Extent::Sections(section), end);
        } else {
            continue;
        }
        graph.symbols[id].visibility = graph.symbols[id].visibility.max(Visibility::Hidden);
        graph.symbols[id].flags = if name == TLS_MODULE_BASE.as_bytes() { Flags::TLS } else { Flags::default() };
    }
}

/// `__start_NAME` and `__stop_NAME`, where NAME is an identifier.
fn section_bound(name: &[u8]) -> Option<(&[u8], End)> {
    let bound = |prefix: &[u8], end| name.strip_prefix(prefix).map(|section| (section, end));
    bound(b"__start_", Start).or_else(|| bound(b"__stop_", Stop)).filter(|(section, _)| is_identifier(section))
}

/// A symbol that the caller defines: a bare number, like SHN_ABS.
pub(crate) fn absolute(name: &str, address: u64) -> Symbol<'_> {
    Symbol {
        name: name.as_bytes(),
        definition: Definition::Absolute(address),
        size: 0,
        binding: Binding::Strong,
        visibility: Visibility::Default,
        flags: Flags::default(),
        other: 0,
        owner: crate::graph::linker(),
    }
}
