//! An executable that a peer wrote, as an [`Output`].

use std::borrow::Cow;

use anyhow::{Context, Result};
use linker::graph::Edge;
use linker::link::Finalized;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SectionFlags};

use super::field::Finding;
use super::output::{ORIGIN, Output};
use super::reading::Reading;
use crate::executor::image::ImageFile;

/// Bytes of all sections of an executable.
const MOST_LOADED: usize = 512 << 20;

impl<'a> Output<'a> {
    /// An executable of a peer's.
    pub(super) fn read(file: &[u8], linked: &Finalized<'_, ImageFile>) -> Result<Output<'static>> {
        let file = object::File::parse(file).context("the peer's output")?;
        let mut loaded = Vec::new();
        let mut left = MOST_LOADED;
        let (mut tables, mut frames, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
        for section in file.sections().filter(|section| section.address() != 0 && section.size() > 0) {
            let data = section.data().context("the peer's output")?;
            // What is not in the file is not looked at. Sections may share their bytes, which have to be there once each.
            left = left.checked_sub(data.len()).context("the peer's output has more sections than file")?;
            let extent = (section.address(), section.address().saturating_add(data.len() as u64));
            match section.name() {
                Ok(".got") => tables.push(extent),
                Ok(".eh_frame") => frames.push(extent),
                _ => {}
            }
            if is_index(&section) {
                indexes.push(extent);
            }
            loaded.push((section.address(), Cow::Owned(data.to_vec())));
        }
        let symbol = file.symbols().find(|symbol| symbol.name_bytes() == Ok(ORIGIN)).map(|symbol| symbol.address());
        let origins: Vec<u64> = symbol.into_iter().chain(tables.first().map(|table: &(u64, u64)| table.0)).collect();
        let segments = file
            .segments()
            .map(|segment| (segment.address(), segment.address().saturating_add(segment.size())))
            .collect();
        let output = Output { tables, frames, indexes, segments, ..Output::new(loaded, linked.graph()) };
        Ok(output.with_origin(linked, &origins))
    }

    /// With the origin of its table, which is the one of these that all its fields agree on which are about it: GNU ld for ARM
    /// has its symbol elsewhere.
    fn with_origin(mut self, linked: &Finalized<'_, ImageFile>, origins: &[u64]) -> Output<'a> {
        let graph = linked.graph();
        let is_about = |edge: &Edge| graph.symbols[edge.target].name == ORIGIN && graph.row(edge).field.unit.size() > 0;
        let about: Vec<_> = graph.live_edges().filter(|(_, edge)| is_about(edge)).collect();
        let readings: Vec<_> = about.into_iter().filter_map(|(id, _)| Reading::new(linked, id).ok()).collect();
        for &origin in origins {
            self.origin = Some(origin);
            if readings.iter().all(|reading| matches!(reading.examine(&self), Finding::Right(_))) {
                return self;
            }
        }
        self.origin = origins.first().copied();
        self
    }
}

/// SHT_ARM_EXIDX, which is another type elsewhere.
fn is_index<'data>(section: &impl ObjectSection<'data>) -> bool {
    let name = section.name().unwrap_or_default();
    name.starts_with(".ARM.exidx") && matches!(section.flags(), SectionFlags::Elf { .. })
}
