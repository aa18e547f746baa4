//! Runs what was planned: a few workers with a machine for each target, and one stream of events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use linker::Target;
use reports::model::{Failure, Record, Status};

use crate::executor::Choice;
use crate::executor::choice::{Machine, Source};
use crate::judge::{self, Configuration, Findings};
use crate::plan::{Batch, Objects};
use crate::with_machine;

/// Runs all batches on so many machines at once. `sink` gets each record as it comes.
pub fn run(batches: &[Batch<'_>], executor: &Choice, machines: usize, strict: bool, sink: &mut dyn FnMut(Record)) {
    let work = in_order(batches);
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..executor.threads(machines).clamp(1, work.len().max(1)) {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                let mut machines = Machines { source: executor.source(), by_target: BTreeMap::new() };
                while let Some(&(configuration, objects)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = machines.judge(configuration, objects);
                    if send.send((configuration, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut covered = Covered::default();
        for (configuration, (mut record, findings)) in receive {
            covered.note(configuration, &findings, record.status);
            if strict && record.status == Status::Skipped {
                record.status = Status::Failed;
                let problem = format!("skipped: {}", record.reason.clone().unwrap_or_default());
                record.failure = Some(Failure { problems: vec![problem], ..Failure::default() });
            }
            sink(record);
        }
        covered.judge(sink);
    });
}

/// The order that is best for boards. Under a Linux, the agent of one width has to make room for that of the other. And memory
/// stays mapped from one configuration to the next: it mostly fits if layout and case are the same, whether the code is
/// position-independent (that is behind the first dot of a build's label), and then compiler and optimization.
fn in_order<'b, 'a>(batches: &'b [Batch<'a>]) -> Vec<(&'b Configuration<'a>, &'b Objects)> {
    let of = |batch: &'b Batch<'a>| batch.configurations.iter().map(|configuration| (configuration, &batch.objects));
    let mut work: Vec<_> = batches.iter().flat_map(of).collect();
    work.sort_by_cached_key(|(it, _)| {
        let label = &it.build.label;
        let kind = label.split_once('.').map(|(_, kind)| kind);
        (it.build.target.register_bits, it.layout.to_string(), &it.case.name, kind, label)
    });
    work
}

/// One machine for each target, made when first needed.
struct Machines {
    source: Source,
    by_target: BTreeMap<&'static str, Result<Machine, String>>,
}

impl Machines {
    fn judge(&mut self, configuration: &Configuration<'_>, objects: &Objects) -> (Record, Findings) {
        let files = match objects {
            Objects::Files(files) => files,
            Objects::Missing(reason) => {
                return (configuration.record(Status::Skipped, Some(reason.clone())), Findings::default());
            }
            Objects::Broken(problem) => return (failed(configuration, problem.clone()), Findings::default()),
        };
        let target: &'static Target = configuration.build.target;
        match self.by_target.entry(target.name).or_insert_with(|| self.source.machine(target)) {
            Ok(machine) => with_machine!(machine, machine => judge::judge(&mut **machine, configuration, files)),
            Err(error) => (failed(configuration, error.clone()), Findings::default()),
        }
    }
}

fn failed(configuration: &Configuration<'_>, problem: String) -> Record {
    let reproduce = format!("cargo run -p harness -- --exact {}", configuration.name);
    let failure = Failure { problems: vec![problem], reproduce, ..Failure::default() };
    Record { failure: Some(failure), ..configuration.record(Status::Failed, None) }
}

/// What ran of one case for one target.
struct Held<'a> {
    case: &'a corpus::case::Case,
    target: &'static Target,
    relocations: BTreeSet<&'static str>,
    builds: BTreeSet<String>,
}

/// Which relocations the objects of a case hold: what `covers` says has to be true of at least one of its builds.
#[derive(Default)]
struct Covered<'a> {
    held: BTreeMap<(&'a str, &'static str), Held<'a>>,
}

impl<'a> Covered<'a> {
    fn note(&mut self, configuration: &Configuration<'a>, findings: &Findings, status: Status) {
        if status == Status::Skipped {
            return;
        }
        let (case, target) = (configuration.case, configuration.build.target);
        let (relocations, builds) = Default::default();
        let held = self.held.entry((&case.name, target.name)).or_insert(Held { case, target, relocations, builds });
        held.relocations.extend(findings.held.iter());
        held.builds.insert(configuration.build.label.clone());
    }

    /// Judges each case of which every build ran.
    fn judge(self, sink: &mut dyn FnMut(Record)) {
        for Held { case, target, relocations, builds } in self.held.into_values() {
            let wanted = case.covers(target, None);
            if !wanted.is_empty() && builds.len() >= case.recipes(target).len() {
                sink(covers(case, target, &wanted, &relocations));
            }
        }
    }
}

fn covers(case: &corpus::case::Case, target: &Target, wanted: &[&str], held: &BTreeSet<&str>) -> Record {
    let missing: Vec<&str> = wanted.iter().copied().filter(|relocation| !held.contains(relocation)).collect();
    let failure = || {
        let all: Vec<&str> = held.iter().copied().collect();
        Failure {
            problems: vec![format!("covers: no build has {}; the objects hold {}", missing.join(", "), all.join(", "))],
            reproduce: format!("cargo run -p harness -- elf/{}/{}/", target.name, case.name),
            ..Failure::default()
        }
    };
    Record {
        name: format!("elf/{}/{}/covers", target.name, case.name),
        target: target.name.to_owned(),
        case: case.name.clone(),
        build: String::new(),
        layout: String::new(),
        executor: String::new(),
        status: if missing.is_empty() { Status::Passed } else { Status::Failed },
        reason: None,
        seconds: 0.0,
        checks: wanted.len(),
        relocations: BTreeMap::new(),
        failure: (!missing.is_empty()).then(failure),
    }
}
