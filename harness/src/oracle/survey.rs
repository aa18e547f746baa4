//! Many bundles through several peers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Error, Result};
use linker::link::Finalized;
use linker::{Layout, Options, Roots, Target};
use serde_json::{Value, json};

use super::inputs::{Bundle, complete};
use super::{Peer, Tally, compare, jitlink};
use crate::executor::image::{Image, ImageFile};
use crate::linking::{self, Externals, Input, Job, Timings};

/// What came of one peer.
#[derive(Debug, Default)]
pub struct Sum {
    /// Links that were compared.
    pub bundles: usize,
    /// Links of which the peer makes nothing, since nothing in them can be asked for.
    pub empty: usize,
    /// Links that the peer does not make: which, and why.
    pub refused: Vec<(String, String)>,
    /// Fields, by name of the relocation.
    pub tallies: BTreeMap<&'static str, Tally>,
}

impl Sum {
    /// How many links were refused for each reason.
    pub fn refusals(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (_, why) in &self.refused {
            *counts.entry(why.as_str()).or_default() += 1;
        }
        counts
    }

    fn merge(&mut self, other: Sum) {
        self.bundles += other.bundles;
        self.empty += other.empty;
        self.refused.extend(other.refused);
        for (name, tally) in other.tallies {
            self.tallies.entry(name).or_default().merge(tally);
        }
    }
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Survey {
    /// By peer.
    pub sums: BTreeMap<Peer, Sum>,
    /// Bundles that we do not link: which, and why.
    pub unlinked: Vec<(String, Error)>,
}

/// A link of ours, with nothing dropped.
fn link<'a>(
    target: &'static Target,
    objects: &'a [Input],
    layout: &Layout,
    options: &Options,
) -> linker::Result<Finalized<'a, ImageFile>> {
    let job =
        Job { target, inputs: objects, defines: &[], roots: Roots::All, layout, options, wishes: &linking::NO_WISHES };
    linking::link(&job, &mut Image::new(target), &Externals::Table(&|_| None), &mut Timings::default())
}

impl Survey {
    /// Compares bundles with the peers whose programs these are, as many at a time as there are cores. `layout` is that of
    /// peers which can be told one; `done` is called after each bundle.
    pub fn of(
        target: &'static Target,
        bundles: Vec<Bundle>,
        peers: &[(Peer, PathBuf)],
        layout: &Layout,
        done: impl Fn() + Sync,
    ) -> Survey {
        let bundles = Mutex::new(bundles.into_iter().enumerate());
        let surveys = Mutex::new(BTreeMap::new());
        let lock = |error: PoisonError<_>| error.into_inner();
        let work = || {
            while !outside::stop::requested() {
                let Some((number, bundle)) = bundles.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                    break;
                };
                let survey = Survey::of_bundle(target, bundle, peers, layout);
                surveys.lock().unwrap_or_else(lock).insert(number, survey);
                done();
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
        let mut survey = Survey::default();
        for (peer, _) in peers {
            survey.sums.entry(*peer).or_default();
        }
        for (_, other) in surveys.into_inner().unwrap_or_else(PoisonError::into_inner) {
            survey.unlinked.extend(other.unlinked);
            for (peer, sum) in other.sums {
                survey.sums.entry(peer).or_default().merge(sum);
            }
        }
        survey
    }

    fn of_bundle(target: &'static Target, bundle: Bundle, peers: &[(Peer, PathBuf)], layout: &Layout) -> Survey {
        let mut survey = Survey::default();
        let name = bundle.name.clone();
        if let Err(error) = survey.add(target, bundle, peers, layout) {
            survey.unlinked.push((name, error));
        }
        survey
    }

    fn add(
        &mut self,
        target: &'static Target,
        bundle: Bundle,
        peers: &[(Peer, PathBuf)],
        layout: &Layout,
    ) -> Result<()> {
        let bundle = complete(target, bundle)?;
        let plain = link(target, &bundle.objects, layout, &Options::unrelaxed())?;
        // Relaxed, a link may lack the table that a layout by hand has a place for.
        let relaxed = link(target, &bundle.objects, layout, &Options::default())
            .or_else(|_| link(target, &bundle.objects, layout, &Options::unrelaxed()))?;
        for (peer, program) in peers {
            let sum = self.sums.entry(*peer).or_default();
            let tallies = &mut sum.tallies;
            let compared = if *peer == Peer::Jitlink {
                jitlink::compare_bundle(program, target, &bundle.objects, tallies)
            } else {
                let output = peer.link(program, &plain, &bundle.objects);
                output.map(|output| compare(&plain, &relaxed, &output, tallies)).map(|()| true)
            };
            match compared {
                Ok(true) => sum.bundles += 1,
                Ok(false) => sum.empty += 1,
                Err(error) => sum.refused.push((bundle.name.clone(), format!("{error:#}"))),
            }
        }
        Ok(())
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let peers = self.sums.iter().map(|(peer, sum)| {
            let relocations: Value = sum.tallies.iter().map(|(name, tally)| (*name, tally.json())).collect();
            let refused = listed(&sum.refused);
            let sum =
                json!({ "links": sum.bundles, "empty": sum.empty, "refused": refused, "relocations": relocations });
            (peer.name(), sum)
        });
        let unlinked: Vec<_> = self.unlinked.iter().map(|(unit, why)| (unit.clone(), format!("{why:#}"))).collect();
        json!({ "version": 1, "peers": peers.collect::<Value>(), "unlinked": listed(&unlinked) })
    }
}

fn listed(list: &[(String, String)]) -> Value {
    list.iter().map(|(bundle, why)| json!({ "unit": bundle, "why": why })).collect()
}
