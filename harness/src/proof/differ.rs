//! *differ*: GNU ld and lld link objects of the corpus that hold the relocation, at the addresses of our layout, and write what
//! we write, or something that means the same. Where one is wrong by the ABI's formula, the other has to agree.
//!
//! What the corpus does not show is asked for by itself: objects with nothing but the relocation, so that one that a peer
//! refuses hides no other. If none of them is linked, the peers' own words say why there is nothing to compare.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use corpus::abi::{self, Relocation};
use linker::{Layout, Options, Parsed, Target};

use super::object;
use super::scene::{Aim, Scene};
use super::{aim, encode};
use crate::held;
use crate::linking::{Data, Input};
use crate::oracle::{Bundle, Peer, Ruling, Survey};
use crate::plan::{Batch, Objects};

/// How many links of the corpus there are for a relocation.
const LINKS: usize = 3;

/// How many links of the relocation alone.
const ALONE: usize = 4;

/// So many entries of a table are no few any more.
const FEW: u64 = 64;

/// What came of one relocation.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Fields that agree with a peer's.
    pub agreed: usize,
    /// A field where we are not right, with the ruling.
    pub wrong: Option<String>,
    /// A field that differs, where the ABI does not say who is right.
    pub undecided: Option<String>,
    /// A field where a peer is wrong, with the ruling.
    pub theirs: Option<String>,
    /// What each peer said when it refused the relocation alone.
    pub refused: BTreeMap<Peer, String>,
    /// The links it was in.
    pub links: Vec<String>,
}

impl Compared {
    /// Takes in what came of links.
    fn add(&mut self, relocation: &str, survey: &Survey) {
        for (peer, sum) in &survey.sums {
            let Some(tally) = sum.tallies.get(relocation) else { continue };
            self.agreed += tally.agreed();
            for difference in &tally.different {
                let told = || Some(format!("{}: {}: {}", peer.name(), difference.site, difference.ruling));
                match difference.ruling {
                    Ruling::TheirsIsRight(_) | Ruling::NeitherIsRight(..) => self.wrong = told(),
                    Ruling::CannotTell(_) | Ruling::InputIsForbidden(_) => self.undecided = told(),
                    Ruling::OursIsRight(_) => self.theirs = told(),
                    Ruling::BothAreValid => {}
                }
            }
        }
    }
}

/// Compares objects of these batches, all of one kind of target, until each relocation was in a few links, and then each that
/// agreed with nobody by itself. `done` hears of each link.
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
        units.push(Bundle { name, objects: inputs });
    }
    let survey = Survey::of(target, units, peers, &Layout::Random(1), done);
    let rows = || target.architecture.rows().iter().filter(|row| row.standing.is_static());
    for row in rows() {
        found.entry(row.name).or_default().add(row.name, &survey);
    }
    let class = corpus::target::row(target).class;
    let open = rows().filter_map(|row| {
        let relocation = abi::of(class).get(class, row.number)?;
        let shown = found.get(row.name).is_some_and(|compared| compared.agreed > 0 || compared.wrong.is_some());
        (!shown && !relocation.form.bits.is_empty()).then_some((row.name, relocation))
    });
    let (jobs, results) = (Mutex::new(open.collect::<Vec<_>>()), Mutex::new(Vec::new()));
    let work = || {
        while let Some((name, relocation)) = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            let compared = alone(target, name, relocation, peers);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((name, compared));
            done();
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    for (name, compared) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let links = std::mem::take(&mut found.entry(name).or_default().links);
        found.insert(name, Compared { links: [links, compared.links].concat(), ..compared });
    }
    found
}

/// Links of nothing but the relocation.
fn alone(target: &'static Target, name: &'static str, relocation: &Relocation, peers: &[(Peer, PathBuf)]) -> Compared {
    let mut compared = Compared::default();
    for scene in scenes(target, relocation) {
        let data = Data::Read(object::object(target, relocation, &scene));
        let link = format!("nothing else, P {:#x}, A {:#x}, {:x?}", scene.p, scene.a, scene.aim);
        let unit = Bundle { name: link.clone(), objects: vec![Input::new(object::FILE.to_owned(), data)] };
        let survey = Survey::of(target, vec![unit], peers, &scene.layout(), || ());
        compared.add(name, &survey);
        compared.links.push(link);
        for (peer, sum) in survey.sums {
            if let Some((_, why)) = sum.refused.into_iter().next() {
                compared.refused.entry(peer).or_insert_with(|| format!("{}: {}", peer.name(), complaint(&why)));
            }
        }
    }
    compared
}

/// What a peer says of the relocation, among the lines of a refusal: the first is how it was called.
fn complaint(why: &str) -> &str {
    let lines = || why.lines().skip(1).filter(|line| !line.contains("warning"));
    let with = |word| lines().find(move |line: &&str| line.contains(word));
    let line = with("relocation").or_else(|| with("error: ")).or_else(|| lines().next()).unwrap_or(why);
    let of_place = line.split_once("0.o").or_else(|| line.split_once("-ld: ")).map_or(line, |(_, rest)| rest);
    of_place.split_once("): ").map_or(of_place, |(_, rest)| rest).trim_start_matches([':', ' '])
}

/// Links that we make, without a stub, with different instructions: at addresses where programs have things, and at low ones,
/// which are all that short fields reach.
fn scenes(target: &'static Target, relocation: &Relocation) -> Vec<Scene> {
    let p = aim::places(target, relocation)[0];
    let (pair, words) = (pair(relocation), encode::words(relocation));
    let addends = if relocation.zero_addend { &[0][..] } else { &[0, 0x10] };
    let values = encode::values(relocation).into_iter().flat_map(|x| addends.iter().map(move |a| (x, *a)));
    let wanted = values.zip(words.iter().cycle());
    let scenes = wanted.filter_map(|((x, a), word)| aim::at(target, relocation, *word, x, a, p));
    // Many entries in a table show no more than a few do.
    let scenes = scenes.filter(|scene| scene.before < FEW).map(|scene| Scene { pair, ..scene });
    let (low, high): (Vec<Scene>, Vec<Scene>) = scenes.partition(is_low);
    let links = |scene: &Scene| {
        let written = object::link(target, relocation, scene).ok().and_then(|linked| linked.outcome.ok());
        written.is_some_and(|written| written.stub.is_none())
    };
    [high, low]
        .into_iter()
        .flat_map(|list| list.into_iter().filter(links).take(ALONE / 2).collect::<Vec<_>>())
        .collect()
}

/// Whether something is where programs have nothing.
fn is_low(scene: &Scene) -> bool {
    let of_symbol = match scene.aim {
        Aim::Label(address) => Some(address),
        _ => None,
    };
    [of_symbol, scene.got].into_iter().flatten().any(|address| address < 0x1_0000)
}

/// The other half of what needs two instructions to lead to a slot, the page and the rest: without it a field of a peer's
/// cannot be followed.
fn pair(relocation: &Relocation) -> Option<(u32, u64)> {
    let half = |relocation: &Relocation| {
        let formula = relocation.formula.as_ref()?;
        let entry = formula.entry()?;
        match formula.text() {
            text if text.starts_with("Page(") => Some((entry, true)),
            text if relocation.select.0 == 11 && !text.contains('-') => Some((entry, false)),
            _ => None,
        }
    };
    let (entry, page) = half(relocation)?;
    let same = abi::of(relocation.class).relocations.iter().filter(|other| other.class == relocation.class);
    let other = same
        .into_iter()
        .find(|other| other.standing == abi::Standing::Static && half(other) == Some((entry, !page)))?;
    Some((other.number, other.opcodes().first()?.word))
}

/// The objects of a batch; none where there are archives, whose members do not all take part.
fn inputs_of(batch: &Batch<'_>) -> Option<Vec<Input>> {
    let Objects::Files(files) = &batch.objects else { return None };
    let objects = files.iter().map(|file| {
        let is_object = file.data.starts_with(&::object::elf::ELFMAG);
        is_object.then(|| Input::new(file.name.clone(), Data::Read(file.data.clone())))
    });
    objects.collect()
}

fn held(target: &'static Target, inputs: &[Input]) -> BTreeSet<&'static str> {
    let mut parsed = Parsed::new(target, Options::default());
    let read = inputs.iter().all(|input| parsed.add(&input.name, &input.data).is_ok());
    if read { held::held(parsed.graph()) } else { BTreeSet::new() }
}
