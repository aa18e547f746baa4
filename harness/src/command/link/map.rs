//! The map: segments, the sections in them and the symbols in those, by address.

use std::io::{self, Write};

use linker::error::text as text_of;
use linker::graph::object_name;
use linker::link::Finalized;

use crate::executor::image::ImageFile;
use crate::messages::Demangler;

/// Writes the map.
pub(super) fn write(linked: &Finalized<'_, ImageFile>, out: &mut dyn Write) -> io::Result<()> {
    let graph = linked.graph();
    let named = graph.placed_symbols();
    let mut names = Demangler::default();
    for segment in &linked.plan().segments {
        writeln!(out, "{:#012x} {:#10x} {}", segment.address, segment.size, segment.protection.letters())?;
        for &block in &segment.blocks {
            let here = &graph.blocks[block];
            let section = &graph.sections[here.section];
            let file = object_name(&graph.objects[section.object]);
            let name = text_of(section.name);
            let line = format!("  {:#012x} {:#8x} {file}({name})", here.address, here.content.size());
            writeln!(out, "{}", names.line(&line))?;
            let first = named.partition_point(|symbol| symbol.0 < block);
            for &(_, _, id) in named[first..].iter().take_while(|symbol| symbol.0 == block) {
                let line = format!("    {:#012x} {}", graph.value(id).unwrap_or(0), graph.symbol_name(id));
                writeln!(out, "{}", names.line(&line))?;
            }
        }
    }
    Ok(())
}
