//! The map: segments, the sections in them and the symbols in those, by address.

use std::fmt::Write as _;

use linker::error::text as text_of;
use linker::graph::object_name;
use linker::link::Finalized;

use crate::executor::image::ImageFile;
use crate::messages;

/// The map as text.
pub(super) fn map_of(linked: &Finalized<'_, ImageFile>) -> String {
    let graph = linked.graph();
    let named = graph.placed_symbols();
    let mut text = String::new();
    for segment in &linked.plan().segments {
        let _ = writeln!(text, "{:#012x} {:#10x} {}", segment.address, segment.size, segment.protection.letters());
        for &block in &segment.blocks {
            let here = &graph.blocks[block];
            let section = &graph.sections[here.section];
            let file = object_name(&graph.objects[section.object]);
            let name = text_of(section.name);
            let _ = writeln!(text, "  {:#012x} {:#8x} {file}({name})", here.address, here.content.size());
            let first = named.partition_point(|symbol| symbol.0 < block);
            for &(_, _, id) in named[first..].iter().take_while(|symbol| symbol.0 == block) {
                let _ = writeln!(text, "    {:#012x} {}", graph.value(id).unwrap_or(0), graph.symbol_name(id));
            }
        }
    }
    messages::demangled(&text)
}
