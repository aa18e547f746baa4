//! Many units through several peers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use linker::link::Finalized;
use linker::{Layout, Options, Roots, Target};
use serde_json::{Value, json};

use super::inputs::{Unit, complete};
use super::{Peer, Tally, compare, jitlink};
use crate::executor::image::{Image, ImageFile};
use crate::linking::{self, Externals, Input, Job, Timings};

/// What came of one peer.
#[derive(Debug, Default)]
pub struct Sum {
    /// Links that were compared.
    pub units: usize,
    /// Links that the peer does not make, and why.
    pub refused: Vec<String>,
    /// Fields, by name of the relocation.
    pub tallies: BTreeMap<&'static str, Tally>,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Survey {
    /// By peer.
    pub sums: BTreeMap<Peer, Sum>,
    /// Units that we do not link, and why.
    pub unlinked: Vec<String>,
}

/// A link of ours, with nothing dropped.
pub(super) fn link<'a>(
    target: &'static Target,
    objects: &'a [Input],
    layout: &Layout,
    options: &Options,
) -> linker::Result<Finalized<'a, ImageFile>> {
    let job = Job { target, inputs: objects, defines: &[], roots: Roots::All, layout, options };
    linking::link(&job, &mut Image::new(target), &Externals::Table(&|_| None), &mut Timings::default())
}

impl Survey {
    /// Compares units with the peers whose programs these are. `layout` is that of peers which can be told one; `done` is
    /// called after each unit.
    pub fn of(
        target: &'static Target,
        units: Vec<Unit>,
        peers: &[(Peer, PathBuf)],
        layout: &Layout,
        mut done: impl FnMut(),
    ) -> Survey {
        let mut survey = Survey::default();
        for (peer, _) in peers {
            survey.sums.entry(*peer).or_default();
        }
        for unit in units {
            let name = unit.name.clone();
            if let Err(error) = survey.add(target, unit, peers, layout) {
                survey.unlinked.push(format!("{name}: {error:#}"));
            }
            done();
        }
        survey
    }

    fn add(&mut self, target: &'static Target, unit: Unit, peers: &[(Peer, PathBuf)], layout: &Layout) -> Result<()> {
        let unit = complete(target, unit)?;
        let plain = link(target, &unit.objects, layout, &Options::unrelaxed())?;
        let relaxed = link(target, &unit.objects, layout, &Options::default())?;
        for (peer, program) in peers {
            let sum = self.sums.entry(*peer).or_default();
            let tallies = &mut sum.tallies;
            let result = if *peer == Peer::Jitlink {
                jitlink::compare_unit(program, target, &unit.objects, tallies)
            } else {
                peer.link(program, &plain, &unit.objects).map(|output| compare(&plain, &relaxed, &output, tallies))
            };
            match result {
                Ok(()) => sum.units += 1,
                Err(error) => sum.refused.push(format!("{}: {error:#}", unit.name)),
            }
        }
        Ok(())
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let peers = self.sums.iter().map(|(peer, sum)| {
            let relocations: Value = sum.tallies.iter().map(|(name, tally)| (*name, tally.json())).collect();
            let sum = json!({ "links": sum.units, "refused": sum.refused, "relocations": relocations });
            (peer.name(), sum)
        });
        json!({ "version": 1, "peers": peers.collect::<Value>(), "unlinked": self.unlinked })
    }
}
