//! *execute*: what is under the relocation is executed or read, and the outcome hangs on it. A case of the corpus is run
//! three times: as it is, with the place watched, and with the field one unit off, which has to end otherwise.
//!
//! *remote*: the same on a second engine, where nothing can be watched: there the emulator says whether the place is looked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use corpus::build::File;
use linker::Target;
use linker::fixup::Fixup;
use linker::graph::{Kind, LinkGraph};
use linker::index::EdgeId;
use linker::link::Finalized;
use linker::relocation::Row;

use crate::executor::choice::{Machine, Source};
use crate::executor::{Budget, Choice, Executor, Unicorn};
use crate::judge;
use crate::plan::Configuration;
use crate::plan::{Batch, Objects};

/// How often it is tried for a relocation before it counts as not shown.
const MOST_TRIES: usize = 400;
/// How many places of one configuration are tried for a relocation.
const MOST_PLACES: usize = 6;
/// An altered program may run away: it is stopped early.
const INSTRUCTIONS: u64 = 1_000_000;

/// Relocations that no run here can show: name, why, and what shows that. A test looks at each of these again.
pub static NOT_SHOWN: &[(&str, &str, &str)] = &[
    ("R_ARM_THM_GOT_BREL12", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_AARCH64_PATCHINST", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_AARCH64_FUNCINIT64", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_AARCH64_AUTH_TLSDESC_ADR_PAGE21", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_AARCH64_AUTH_TLSDESC_LD64_LO12", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_AARCH64_AUTH_TLSDESC_ADD_LO12", NO_ASSEMBLER, "GNU as and clang do not know the name"),
    ("R_ARM_THM_BF12", NO_ENGINE, "BF is an undefined instruction there"),
    ("R_ARM_THM_BF16", NO_ENGINE, "BF is an undefined instruction there"),
    ("R_ARM_THM_BF18", NO_ENGINE, "BF is an undefined instruction there"),
];

const NO_ASSEMBLER: &str = "no assembler here writes it";
const NO_ENGINE: &str = "the emulator has no core of ARMv8.1-M";

/// What was shown of a relocation.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The configuration that shows it.
    pub configuration: Option<String>,
    /// Runs that it took.
    pub runs: usize,
    /// Why the executor refused a case with it, if it did.
    pub refused: Option<String>,
    /// What a case with it did wrong as it is, if one did.
    pub failed: Option<String>,
}

/// What was shown, by target (the first of its kind) and number.
pub type Findings = BTreeMap<(&'static str, u32), Shown>;

/// Tries every relocation that the configurations hold on this executor, and stops at the first that shows it. `done` hears of
/// each batch.
pub fn prove(batches: &[&Batch<'_>], executor: &Choice, threads: usize, done: &(dyn Fn() + Sync)) -> Findings {
    let mut groups: Vec<(&'static Target, Vec<&Batch<'_>>)> = Vec::new();
    for batch in batches {
        let target = batch.configurations[0].build.target;
        match groups.iter_mut().find(|group| group.0.is_kin(target)) {
            Some(group) => group.1.push(batch),
            None => groups.push((target, vec![batch])),
        }
    }
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Findings::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, groups.len().max(1)) {
            scope.spawn(|| {
                let source = executor.source();
                while let Some((target, batches)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = prove_group(target, batches, &source, done);
                    all.lock().unwrap_or_else(|broken| broken.into_inner()).extend(found);
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(|broken| broken.into_inner())
}

fn prove_group(kin: &'static Target, batches: &[&Batch<'_>], source: &Source, done: &dyn Fn()) -> Findings {
    let mut found = Findings::new();
    let mut machines: HashMap<&str, Option<(Machine, Unicorn)>> = HashMap::new();
    for batch in batches {
        if outside::stop::requested() {
            break;
        }
        let Objects::Files(files) = &batch.objects else { continue };
        for configuration in &batch.configurations {
            let target = configuration.build.target;
            let machines = machines
                .entry(target.name)
                .or_insert_with(|| Some((source.machine(target).ok()?, Unicorn::new(target).ok()?)));
            let Some((machine, watched)) = machines else { continue };
            let mut is_looked_at = |place: &Place| is_looked_at(watched, configuration, files, place);
            match machine {
                Machine::Unicorn(machine) => {
                    try_configuration(&mut **machine, configuration, files, kin, &mut found, &mut is_looked_at)
                }
                Machine::Board(machine) => {
                    try_configuration(&mut **machine, configuration, files, kin, &mut found, &mut is_looked_at)
                }
            }
        }
        done();
    }
    found
}

/// Tries what a configuration holds and what is not shown yet.
fn try_configuration<E: Executor>(
    machine: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    kin: &'static Target,
    found: &mut Findings,
    is_looked_at: &mut dyn FnMut(&Place) -> bool,
) where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    machine.set_budget(Budget { instructions: INSTRUCTIONS, ..Budget::default() });
    let mut places = Vec::new();
    let plain = judge::judge_altered(machine, configuration, files, &mut |_, linked| {
        let wanted = |number: u32| {
            let known = found.get(&(kin.name, number));
            known.is_none_or(|shown: &Shown| shown.configuration.is_none() && shown.runs < MOST_TRIES)
        };
        places = places_of(linked, &wanted);
        !places.is_empty()
    });
    if !plain.problems.is_empty() || plain.skip.is_some() {
        for row in kin.architecture.rows().iter().filter(|row| plain.held.contains(row.name)) {
            let shown = found.entry((kin.name, row.number)).or_default();
            match (&plain.skip, plain.problems.first()) {
                (Some(why), _) => drop(shown.refused.get_or_insert_with(|| why.clone())),
                (_, Some(why)) => {
                    shown.failed.get_or_insert_with(|| format!("{}: {why}", configuration.name));
                }
                (None, None) => {}
            }
        }
        return;
    }
    for place in places {
        let shown = found.entry((kin.name, place.number)).or_default();
        if shown.configuration.is_none() {
            shown.runs += 1;
            if ends_otherwise(machine, configuration, files, &place) && is_looked_at(&place) {
                shown.configuration = Some(configuration.name.clone());
            }
        }
    }
}

/// A place that can be altered.
struct Place {
    number: u32,
    edge: EdgeId,
    address: u64,
    altered: Vec<u8>,
}

/// The first places of each relocation that is wanted.
fn places_of<H>(linked: &Finalized<'_, H>, wanted: &dyn Fn(u32) -> bool) -> Vec<Place> {
    let graph = linked.graph();
    let mut counts: HashMap<u32, usize> = HashMap::new();
    let mut places = Vec::new();
    for (id, edge) in graph.live_edges() {
        // A call by way of a descriptor is rewritten to a plain one; no other instruction is, without relaxation.
        let (row, number) = (graph.row(edge), graph.object_row(id).number);
        let section = &graph.sections[graph.blocks[edge.block].section];
        // Call frames and unwinding tables are for debuggers and exceptions: no case reads them.
        let unread = matches!(section.kind, Kind::Frames | Kind::LinkOrder);
        if section.is_made() || unread || !wanted(number) {
            continue;
        }
        let count = counts.entry(number).or_default();
        if *count < MOST_PLACES
            && let Ok(fixup) = linked.fixup(id)
            && let Some(altered) = altered(graph, id, row, &fixup)
        {
            *count += 1;
            places.push(Place { number, edge: id, address: fixup.inputs.p, altered });
        }
    }
    places
}

/// The bytes of the place with the field one unit off. None where nothing is written.
fn altered(graph: &LinkGraph<'_>, id: EdgeId, row: &Row, fixup: &Fixup) -> Option<Vec<u8>> {
    let unit = graph.object_row(id).field.unit;
    let up = (0..63).map(|bit| 1i64 << bit);
    let word = up.clone().chain(up.map(|step| -step)).find_map(|step| {
        let word = row.field.encode(fixup.after, fixup.value.wrapping_add(step))?;
        (word != fixup.after).then_some(word)
    })?;
    let mut bytes = vec![0; unit.size()];
    unit.write(&mut bytes, word, graph.target.big_endian)?;
    Some(bytes)
}

/// Whether the run ends otherwise with the place altered.
fn ends_otherwise<E: Executor>(
    machine: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    place: &Place,
) -> bool
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    let other = judge::judge_altered(machine, configuration, files, &mut |machine, _| {
        let written = machine.poke(place.address, &place.altered);
        debug_assert!(written.is_ok(), "{written:?}");
        true
    });
    !other.problems.is_empty()
}

/// Whether a plain run executes or reads the place. The same objects make the same graph; addresses may be others than where the
/// place was found.
fn is_looked_at(machine: &mut Unicorn, configuration: &Configuration<'_>, files: &[File], place: &Place) -> bool {
    let plain = judge::judge_altered(machine, configuration, files, &mut |machine, linked| {
        let Ok(fixup) = linked.fixup(place.edge) else { return false };
        let start = fixup.inputs.p;
        machine.watch(start..=start.saturating_add(place.altered.len() as u64 - 1));
        true
    });
    machine.unwatch() && plain.problems.is_empty()
}
