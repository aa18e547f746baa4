//! *differ*: GNU ld and lld link objects of the corpus that hold the relocation, at the addresses of our layout, and write what
//! we write, or something that means the same. Where one is wrong by the ABI's formula, the other has to agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use linker::{Layout, Options, Parsed, Target};

use crate::linking::{Data, Input};
use crate::oracle::{Peer, Survey, Unit, Verdict};
use crate::plan::{Batch, Objects};
use crate::suspects;

/// How many links there are for a relocation.
const LINKS: usize = 3;

/// What came of one relocation.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Fields that agree with a peer's.
    pub agreed: usize,
    /// A field where we are not right, with the verdict.
    pub wrong: Option<String>,
    /// A field that differs, where the ABI does not say who is right.
    pub undecided: Option<String>,
    /// The links it was in.
    pub links: Vec<String>,
}

/// Compares objects of these batches, all of one kind of target, until each relocation was in a few links. `done` hears of
/// each link.
pub fn prove(
    target: &'static Target,
    batches: &[&Batch<'_>],
    peers: &[(Peer, PathBuf)],
    done: &(dyn Fn() + Sync),
) -> BTreeMap<&'static str, Compared> {
    let mut found: BTreeMap<&'static str, Compared> = BTreeMap::new();
    let mut units = Vec::new();
    for batch in batches {
        let configuration = &batch.configurations[0];
        let Some(inputs) = inputs_of(batch) else { continue };
        let held = held(configuration.build.target, &inputs);
        if held.iter().all(|name| found.get(name).is_some_and(|known| known.links.len() >= LINKS)) {
            continue;
        }
        let name = format!("{} {}", configuration.case.name, configuration.build.label);
        held.into_iter().for_each(|relocation| found.entry(relocation).or_default().links.push(name.clone()));
        units.push(Unit { name, objects: inputs });
    }
    let survey = Survey::of(target, units, peers, &Layout::Random(1), done);
    for (peer, sum) in survey.sums {
        for (relocation, tally) in sum.tallies {
            let compared = found.entry(relocation).or_default();
            compared.agreed += tally.agreed();
            for difference in &tally.different {
                let told = || Some(format!("{}: {}: {}", peer.name(), difference.site, difference.verdict));
                match difference.verdict {
                    Verdict::TheirsIsRight(_) | Verdict::NeitherIsRight(..) => compared.wrong = told(),
                    Verdict::CannotTell(_) => compared.undecided = told(),
                    Verdict::OursIsRight(_) | Verdict::BothAreValid => {}
                }
            }
        }
    }
    found
}

/// The objects of a batch; none where there are archives, whose members do not all take part.
fn inputs_of(batch: &Batch<'_>) -> Option<Vec<Input>> {
    let Objects::Files(files) = &batch.objects else { return None };
    let objects = files.iter().map(|file| {
        let is_object = file.data.starts_with(&object::elf::ELFMAG);
        is_object.then(|| Input { name: file.name.clone(), data: Data::Read(file.data.clone()) })
    });
    objects.collect()
}

fn held(target: &'static Target, inputs: &[Input]) -> BTreeSet<&'static str> {
    let mut parsed = Parsed::new(target, Options::default());
    let read = inputs.iter().all(|input| parsed.add(&input.name, &input.data).is_ok());
    if read { suspects::held(parsed.graph()) } else { BTreeSet::new() }
}
