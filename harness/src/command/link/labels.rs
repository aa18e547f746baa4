//! Makes the labels of an image from a linked graph: its output sections, and its symbols as the objects have them.

use linker::defined::DEFINED;
use linker::graph::{self, Bytes, Definition, Flags, Kind, LinkGraph, Visibility};
use linker::index::{BlockId, ObjectId, SymbolId};
use linker::link::Finalized;
use linker::relocation::Class;
use object::elf;
use rustc_hash::FxHashMap;

use super::leave::{Discard, Strip};
use crate::executor::Abi;
use crate::executor::image::{Binding, ImageFile, ImageSection, ImageSymbol, Labels, SymbolKind};

/// What the file says about itself, but for its entry.
pub(super) fn of<'data>(linked: &Finalized<'data, ImageFile>, strip: Strip, discard: Discard) -> Labels<'data> {
    let sections = sections(linked);
    let symbols = (strip != Strip::All).then(|| symbols(linked, discard));
    Labels { sections, symbols, ..Labels::default() }
}

/// The section of build attributes.
pub(super) const ATTRIBUTES: &str = ".ARM.attributes";

/// The type of that section: the architectures have the same number for theirs (AAELF32, Section types; buildattr64).
pub(super) const ATTRIBUTES_TYPE: elf::SectionType = elf::SHT_ARM_ATTRIBUTES;

/// Tag_ABI_VFP_args of ARM's build attributes: 1 where floating-point arguments are in registers (addenda32).
const VFP_ARGS: u64 = 28;

/// The procedure call standard that the objects say they are built for. None: they do not say.
pub(super) fn call_standard(graph: &LinkGraph<'_>) -> Option<Abi> {
    let says = graph.target.register_bits == 32 && !graph.attributes.is_empty();
    says.then(|| if graph.attributes.number(VFP_ARGS) == 1 { Abi::AapcsVfp } else { Abi::AapcsBase })
}

/// The output sections: runs of blocks of one. A layout may have parted them.
fn sections<'data>(linked: &Finalized<'data, ImageFile>) -> Vec<ImageSection<'data>> {
    let graph = linked.graph();
    let mut sections: Vec<ImageSection<'data>> = Vec::new();
    for (number, segment) in linked.plan().segments.iter().enumerate() {
        let mut open: Option<ImageSection<'data>> = None;
        for &id in &segment.blocks {
            let block = &graph.blocks[id];
            let size = block.content.size();
            // Headers are what tells of sections, and none.
            if size == 0 || graph.headers == Some(id) {
                continue;
            }
            let start = graph.target.wrap(block.address.wrapping_sub(segment.address));
            let name = output_name(graph, id);
            match &mut open {
                // Stubs are part of the code that they stand beside.
                Some(run) if name.is_none_or(|name| name == run.name) => {
                    run.size = start + size - run.offset;
                    run.alignment = run.alignment.max(block.alignment);
                }
                _ => {
                    sections.extend(open.take());
                    let (kind, flags, entry_size) = nature(graph, id);
                    let name = name.unwrap_or(b".text");
                    let (offset, alignment) = (start, block.alignment);
                    open =
                        Some(ImageSection { name, segment: number, offset, size, alignment, kind, flags, entry_size });
                }
            }
        }
        sections.extend(open);
    }
    sections
}

/// The output section that a block belongs to; None for what belongs to its neighbours.
fn output_name<'data>(graph: &LinkGraph<'data>, block: BlockId) -> Option<&'data [u8]> {
    let section = &graph.sections[graph.blocks[block].section];
    if section.is_made() && section.name == b".stub" { None } else { Some(graph.output(section)) }
}

/// Types of sections by the start of their names.
const TYPES: &[(&[u8], elf::SectionType)] = &[
    (b".note", elf::SHT_NOTE),
    (b".preinit_array", elf::SHT_PREINIT_ARRAY),
    (b".init_array", elf::SHT_INIT_ARRAY),
    (b".fini_array", elf::SHT_FINI_ARRAY),
    (b".rela.", elf::SHT_RELA),
    (b".rel.", elf::SHT_REL),
];

/// Type, flags and size of entries.
fn nature(graph: &LinkGraph<'_>, block: BlockId) -> (elf::SectionType, elf::SectionFlags, u64) {
    let section = &graph.sections[graph.blocks[block].section];
    let name = graph.output(section);
    let width = graph.target.pointer_bytes() as u64;
    if section.kind == Kind::LinkOrder && graph.arch.unwind_index().is_some_and(|index| index.section == name) {
        return (elf::SHT_ARM_EXIDX, elf::SHF_LINK_ORDER, 0);
    }
    let known = TYPES
        .iter()
        .find(|(start, _)| name.starts_with(start) && section.lifetime != linker::memory::Lifetime::NoAlloc);
    let kind = known.map_or(elf::SHT_PROGBITS, |known| known.1);
    let flags = if section.thread_local { elf::SHF_TLS } else { elf::SectionFlags::default() };
    let entry_size = match kind {
        elf::SHT_RELA => 3 * width,
        elf::SHT_REL => 2 * width,
        elf::SHT_PREINIT_ARRAY | elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY => width,
        _ => 0,
    };
    (kind, flags, entry_size)
}

/// The symbols, and those that say where code and data begin.
fn symbols<'data>(linked: &Finalized<'data, ImageFile>, discard: Discard) -> Vec<ImageSymbol<'data>> {
    let graph = linked.graph();
    let chosen = Chosen::new(linked);
    let mut symbols = Vec::with_capacity(graph.symbols.len() + graph.mapping.len() + graph.objects.len());
    // Local symbols stand behind the source of their object.
    let mut locals: Vec<(ObjectId, ImageSymbol<'data>)> = Vec::new();
    for (id, symbol) in graph.symbols.iter() {
        let live = !matches!(symbol.definition, Definition::Block(block, _) if !graph.blocks[block].live);
        if symbol.name.is_empty() || !live || chosen.is_resolver(id) {
            continue;
        }
        let local = symbol.binding == graph::Binding::Local;
        let left_out = match discard {
            Discard::Nothing => false,
            Discard::Temporary => symbol.name.starts_with(b".L"),
            Discard::All => true,
        };
        if local && left_out {
            continue;
        }
        let Some(image) = image_symbol(linked, id, &chosen) else { continue };
        if image.binding == Binding::Local { locals.push((symbol.owner, image)) } else { symbols.push(image) }
    }
    locals.sort_by_key(|local| local.0);
    let mut said: &[u8] = b"";
    for of_object in locals.chunk_by(|a, b| a.0 == b.0) {
        let source = graph.objects[of_object[0].0].source;
        if source != said {
            symbols.push(file(source));
        }
        said = source;
        symbols.extend(of_object.iter().map(|local| local.1.clone()));
    }
    // What follows is of no source in particular.
    if !said.is_empty() {
        symbols.push(file(b""));
    }
    let alive = graph.mapping.iter().filter(|(block, ..)| graph.blocks[*block].live);
    symbols.extend(alive.map(|&(block, offset, bytes)| {
        let name: &[u8] = match bytes {
            Bytes::Data => b"$d",
            Bytes::Thumb => b"$t",
            Bytes::Code if graph.target.register_bits == 64 => b"$x",
            Bytes::Code => b"$a",
        };
        let value = graph.target.wrap(graph.blocks[block].address.wrapping_add(offset));
        let (kind, binding) = (SymbolKind::Label, Binding::Local);
        ImageSymbol { name: name.into(), value, place: Some(value), undefined: false, size: 0, kind, binding, other: 0 }
    }));
    symbols.extend(stubs(graph));
    symbols
}

/// Names a source.
fn file(source: &[u8]) -> ImageSymbol<'_> {
    ImageSymbol {
        name: source.into(),
        value: 0,
        place: None,
        undefined: false,
        size: 0,
        kind: SymbolKind::File,
        binding: Binding::Local,
        other: 0,
    }
}

/// Stubs go by the names that tools know them by. Those of functions that choose themselves have the functions' own.
fn stubs<'data>(graph: &LinkGraph<'data>) -> impl Iterator<Item = ImageSymbol<'data>> {
    let live = graph.shapes.iter().filter(|(block, shape)| graph.blocks[*block].live && !shape.label.0.is_empty());
    live.filter_map(|&(block, shape)| {
        let place = graph.blocks[block].address;
        Some(ImageSymbol {
            name: graph.stub_name(block)?.into_bytes().into(),
            value: place | u64::from(shape.thumb),
            place: Some(place),
            undefined: false,
            size: shape.code.len() as u64,
            kind: SymbolKind::Function,
            binding: Binding::Local,
            other: 0,
        })
    })
}

fn image_symbol<'data>(
    linked: &Finalized<'data, ImageFile>,
    id: SymbolId,
    chosen: &Chosen,
) -> Option<ImageSymbol<'data>> {
    let graph = linked.graph();
    // A function that is chosen is its resolver for all who know what that means.
    let source = chosen.resolver(id).unwrap_or(id);
    let symbol = &graph.symbols[source];
    let undefined = symbol.definition == Definition::Undefined && symbol.binding != graph::Binding::Local;
    let (value, address) = if undefined { (0, 0) } else { (graph.value(source)?, graph.address(source)?) };
    let kind = match symbol.flags {
        flags if flags.has(Flags::TLS) => SymbolKind::ThreadLocal,
        flags if flags.has(Flags::IFUNC) || source != id => SymbolKind::Ifunc,
        flags if flags.has(Flags::FUNCTION) => SymbolKind::Function,
        flags if flags.has(Flags::OBJECT) => SymbolKind::Object,
        _ => SymbolKind::Label,
    };
    let symbol = &graph.symbols[id];
    // What nobody outside may see is of no interest outside.
    let hidden = matches!(symbol.visibility, Visibility::Hidden | Visibility::Internal);
    let image = if kind == SymbolKind::ThreadLocal && !undefined { linked.thread_local() } else { None };
    let is_number = matches!(symbol.definition, Definition::Absolute(_)) && !is_linker_defined(symbol.name);
    Some(ImageSymbol {
        name: symbol.name.into(),
        value: image.map_or(value, |image| value.wrapping_sub(image.address)),
        place: (!is_number && !undefined).then_some(address),
        undefined,
        size: graph.symbols[source].size,
        kind,
        binding: match symbol.binding {
            graph::Binding::Local => Binding::Local,
            // Nobody defines it: that is no error only because nobody has to.
            _ if undefined => Binding::Weak,
            _ if hidden => Binding::Local,
            graph::Binding::Weak => Binding::Weak,
            graph::Binding::Strong => Binding::Global,
        },
        other: symbol.other
            | match symbol.visibility {
                Visibility::Default => elf::STV_DEFAULT.0,
                Visibility::Protected => elf::STV_PROTECTED.0,
                Visibility::Hidden => elf::STV_HIDDEN.0,
                Visibility::Internal => elf::STV_INTERNAL.0,
            },
    })
}

/// Whether a symbol is one that the linker places: a number by now, but an address in the image.
fn is_linker_defined(name: &[u8]) -> bool {
    name.starts_with(b"__start_")
        || name.starts_with(b"__stop_")
        || DEFINED.iter().any(|(known, ..)| known.as_bytes() == name)
}

/// The IFUNC symbols.
struct Chosen {
    /// By symbol: its resolver, or None where pointers to it are compared, so that it has to be its stub.
    resolvers: FxHashMap<SymbolId, Option<SymbolId>>,
    /// The symbols that were made for the resolvers.
    made: FxHashMap<SymbolId, ()>,
}

impl Chosen {
    fn new(linked: &Finalized<'_, ImageFile>) -> Chosen {
        let graph = linked.graph();
        let mut resolvers: FxHashMap<SymbolId, Option<SymbolId>> =
            linked.ifuncs().iter().map(|ifunc| (ifunc.symbol, Some(ifunc.resolver))).collect();
        let made = linked.ifuncs().iter().map(|ifunc| (ifunc.resolver, ())).collect();
        if !resolvers.is_empty() {
            for (_, edge) in graph.live_edges() {
                if matches!(graph.row(edge).class, Class::Branch | Class::None) {
                    continue;
                }
                if let Some(resolver) = resolvers.get_mut(&edge.target) {
                    *resolver = None;
                }
            }
        }
        Chosen { resolvers, made }
    }

    fn resolver(&self, id: SymbolId) -> Option<SymbolId> {
        self.resolvers.get(&id).copied().flatten()
    }

    fn is_resolver(&self, id: SymbolId) -> bool {
        self.made.contains_key(&id)
    }
}
