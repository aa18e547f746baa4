//! Layouts by hand where only output sections are placed: each begins where it was put, and what comes behind it in the usual
//! order follows it, as with `--section-start` of linkers.

use std::collections::BTreeMap;

use super::{At, Plan, Unit};
use crate::error::{Error, Result, text};
use crate::graph::LinkGraph;

/// The name of all files.
pub(super) const ANY: &str = "*";

impl Plan {
    pub(super) fn place_outputs(&mut self, graph: &LinkGraph<'_>, units: &[Unit], list: &[At]) -> Result<()> {
        let mut starts: BTreeMap<&[u8], u64> = list.iter().map(|at| (at.section.as_bytes(), at.address)).collect();
        let mut last: Option<(&[u8], &Unit)> = None;
        for (unit, &alignment) in units.iter().zip(&self.alignments.clone()) {
            let name = unit.output(graph);
            let goes_on = last.is_some_and(|(output, before)| output == name && before.class == unit.class);
            match starts.remove(name) {
                Some(address) if address % alignment != 0 => {
                    let name = text(name);
                    return Err(Error::Layout(format!(
                        "{name} cannot be at {address:#x}: it is aligned to {alignment:#x} bytes"
                    )));
                }
                Some(address) => {
                    self.open(graph, unit, Some(address));
                    if let Some(first) = unit.live_blocks(graph).next() {
                        self.pins.insert(first, address);
                    }
                }
                None if goes_on => self.fill(graph, unit),
                None => self.join(graph, unit),
            }
            last = Some((name, unit));
        }
        match starts.first_key_value() {
            None => Ok(()),
            Some((name, _)) => {
                let mut known: Vec<String> = units.iter().map(|unit| text(unit.output(graph))).collect();
                known.dedup();
                let (name, known) = (text(name), known.join(", "));
                Err(Error::Layout(format!("there is no output section {name} in the link, which has {known}")))
            }
        }
    }
}
