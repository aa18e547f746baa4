//! The reservation that a plan asks for, and why there cannot be one.

use super::{Plan, Planned};
use crate::error::{Error, Result, Site, text};
use crate::graph::{Content, LinkGraph, object_name};
use crate::limits::Limits;
use crate::memory::{Lifetime, Place, Segment};

impl Plan {
    /// The reservation that this plan asks for.
    pub(crate) fn request(&self, graph: &LinkGraph<'_>, limits: &Limits) -> Result<Vec<Segment>> {
        self.check_pins(graph)?;
        self.check_overlaps(graph)?;
        self.check_padding(graph, limits)?;
        let first = self.segments.first().map_or(0, |segment| segment.address);
        let place = |index: usize, segment: &Planned| match (self.floating, index) {
            (true, 0) => Place::Anywhere,
            (true, _) => Place::Offset(segment.address.wrapping_sub(first)),
            (false, _) => Place::At(segment.address),
        };
        let image = self.thread_local(graph).map(|image| image.alignment);
        let segment = |(index, planned): (usize, &Planned)| Segment {
            size: planned.size,
            content: planned.content as usize,
            alignment: planned.alignment,
            protection: planned.protection,
            relro: planned.relro,
            thread_local: image.filter(|_| planned.thread_local),
            lifetime: planned.lifetime,
            place: if planned.lifetime == Lifetime::NoAlloc { Place::Anywhere } else { place(index, planned) },
        };
        Ok(self.segments.iter().enumerate().map(segment).collect())
    }

    /// Alignment inside a segment costs bytes that nobody asked for.
    fn check_padding(&self, graph: &LinkGraph<'_>, limits: &Limits) -> Result<()> {
        let mut padding = 0u64;
        for segment in &self.segments {
            let contents = segment.blocks.iter().map(|&block| &graph.blocks[block].content);
            let size: u64 = contents.filter(|content| !content.is_zero()).map(Content::size).sum();
            padding = padding.saturating_add(segment.content.saturating_sub(size));
            if padding > limits.size
                && let Some(&block) = segment.blocks.first()
            {
                let site = Box::new(Site::section(graph, graph.blocks[block].section));
                let what = format!("the padding between sections, {padding:#x} bytes up to here,");
                return Err(Error::Limit { site, what, limit: limits.size });
            }
        }
        Ok(())
    }

    fn check_overlaps(&self, graph: &LinkGraph<'_>) -> Result<()> {
        let mut spans: Vec<(u64, u64, &Planned)> = self
            .segments
            .iter()
            .filter(|segment| segment.lifetime != Lifetime::NoAlloc && segment.size > 0)
            .map(|segment| (segment.address, segment.address.saturating_add(segment.size - 1), segment))
            .collect();
        let wraps = |segment: &&Planned| segment.address.checked_add(segment.size.saturating_sub(1)).is_none();
        spans.sort_by_key(|span| (span.0, span.1));
        let name = |segment: &Planned| {
            let section = segment.blocks.first().map(|&block| &graph.sections[graph.blocks[block].section]);
            section.map_or(String::new(), |s| format!("{}({})", object_name(&graph.objects[s.object]), text(s.name)))
        };
        let limit = graph.target.wrap(u64::MAX);
        // Told where to start, it goes upwards from there, unless addresses have wrapped. Nobody put them where they overlap then.
        let start = self.start.unwrap_or(0);
        let goes_up = |segment: &Planned| segment.fixed.is_none() || segment.blocks.first() == graph.headers.as_ref();
        if let Some((.., segment)) = spans.iter().find(|(address, _, segment)| *address < start && goes_up(segment)) {
            return Err(Error::Layout(format!(
                "{} reaches beyond the last address, {limit:#x}: the image starts at {start:#x}",
                name(segment)
            )));
        }
        for pair in spans.windows(2) {
            // Protections hold for pages, so two segments cannot share one.
            if pair[0].1 | (self.page - 1) >= pair[1].0 {
                return Err(Error::Layout(format!(
                    "{} at {:#x} and {} at {:#x} overlap or share a page",
                    name(pair[0].2),
                    pair[0].0,
                    name(pair[1].2),
                    pair[1].0
                )));
            }
        }
        let beyond = spans.iter().find(|span| span.1 > limit).map(|span| span.2);
        match beyond.or_else(|| self.segments.iter().find(wraps)) {
            Some(segment) => {
                let at = segment.address;
                Err(Error::Layout(format!("{} at {at:#x} reaches beyond the address space", name(segment))))
            }
            None => Ok(()),
        }
    }
}
