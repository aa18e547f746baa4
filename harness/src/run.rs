//! Runs what was planned: a few workers with a machine for each target, and one stream of events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use corpus::build::File;
use linker::Target;
use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE};
use object::{Object, ObjectSection, SectionFlags};
use reports::model::{Failure, Record, Status};

use crate::contained;
use crate::executor::choice::{Machine, Source};
use crate::executor::hosted::engine::PAGE;
use crate::executor::{Choice, Executor as _};
use crate::judge::{self, Findings, Made};
use crate::maker::Maker;
use crate::plan::Configuration;
use crate::plan::{Batch, Objects};
use crate::with_machine;

/// Runs all batches on so many machines at once, by our linker or a subject, or until `stop` says that nobody wants more. `sink` gets each record as it
/// comes.
pub fn run(
    batches: &[Batch<'_>],
    executor: &Choice,
    subject: Option<&Maker>,
    machines: usize,
    strict: bool,
    stop: &(dyn Fn() -> bool + Sync),
    sink: &mut dyn FnMut(Record),
) {
    let work = in_order(batches);
    let most = match subject {
        Some(Maker::Linker(subject)) => subject.together(),
        _ => 1,
    };
    let work = together(work, most);
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..executor.threads(machines).clamp(1, work.len().max(1)) {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                let mut machines = Machines { source: executor.source(), by_target: BTreeMap::new(), subject };
                while let Some(group) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut made = if stop() { Vec::new() } else { machines.link_together(group) }.into_iter();
                    for &(configuration, objects) in group {
                        if stop() {
                            return;
                        }
                        let result = machines.judge_contained(configuration, objects, made.next().flatten());
                        // A linker that was ended with us has not failed.
                        if subject.is_some() && outside::stop::requested() && result.0.status != Status::Passed {
                            return;
                        }
                        if send.send((configuration, result)).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(send);
        let mut covered = Covered::default();
        for (configuration, (mut record, findings)) in receive {
            // What the objects hold does not depend on who links them.
            if subject.is_none() {
                covered.note(configuration, &findings, record.status);
            }
            if strict && record.status == Status::Skipped {
                record.status = Status::Failed;
                let problem = format!("skipped: {}", record.reason.clone().unwrap_or_default());
                record.failure = Some(Failure { problems: vec![problem], ..Failure::default() });
            }
            sink(record);
        }
        // What was not run may hold what a case says it covers.
        if !stop() {
            covered.judge(sink);
        }
    });
}

/// The order that is best for boards. Under a Linux, the agent of one width has to make room for that of the other. And memory
/// stays mapped from one configuration to the next, which is likely to want the same if its layout is the same and its objects
/// have the same shape; then case by case, with what has the same kind of code (that is behind the first dot of a build's label)
/// side by side.
fn in_order<'b, 'a>(batches: &'b [Batch<'a>]) -> Vec<Work<'b, 'a>> {
    let shapes: Vec<_> = batches.iter().map(|batch| shape(&batch.objects)).collect();
    let of =
        |(batch, shape): (&'b Batch<'a>, _)| batch.configurations.iter().map(move |it| (it, &batch.objects, shape));
    let mut work: Vec<_> = batches.iter().zip(&shapes).flat_map(of).collect();
    work.sort_by_cached_key(|(it, _, shape)| {
        let label = &it.build.label;
        let kind = label.split_once('.').map(|(_, kind)| kind);
        (it.build.target.register_bits, it.layout.to_string(), *shape, &it.case.name, kind, label)
    });
    work.into_iter().map(|(configuration, objects, _)| (configuration, objects)).collect()
}

/// A configuration with its objects.
type Work<'b, 'a> = (&'b Configuration<'a>, &'b Objects);

/// In groups of so many at most, each of one target: what is to be linked at once.
fn together<'b, 'a>(mut work: Vec<Work<'b, 'a>>, most: usize) -> Vec<Vec<Work<'b, 'a>>> {
    if most > 1 {
        work.sort_by_key(|(configuration, _)| configuration.build.target.name);
    }
    let of_one = |a: &Work<'_, '_>, b: &Work<'_, '_>| a.0.build.target.name == b.0.build.target.name;
    work.chunk_by(of_one).flat_map(|group| group.chunks(most.max(1))).map(<[_]>::to_vec).collect()
}

/// What decides how much memory objects want, and of which kind: of their sections with something in them, the file's number, the
/// flags and the pages.
fn shape(objects: &Objects) -> Vec<(usize, u64, u64)> {
    let Objects::Files(files) = objects else { return Vec::new() };
    let mut shape = Vec::new();
    for (number, file) in files.iter().enumerate() {
        // What cannot be read is the linker's business.
        let Ok(file) = object::File::parse(&*file.data) else { continue };
        for section in file.sections().filter(|section| section.size() > 0) {
            if let SectionFlags::Elf { sh_flags, .. } = section.flags()
                && sh_flags.contains(SHF_ALLOC)
            {
                let kind = sh_flags & (SHF_WRITE | SHF_EXECINSTR | SHF_TLS);
                shape.push((number, kind.0, section.size() / PAGE));
            }
        }
    }
    shape.sort_unstable();
    shape
}

/// One machine for each target, made when first needed.
struct Machines<'a> {
    subject: Option<&'a Maker>,
    source: Source,
    by_target: BTreeMap<&'static str, Result<Machine, String>>,
}

impl Machines<'_> {
    /// Judges a configuration, whatever happens. If its machine is lost, another one gets to try; if we panic, that is a failure of
    /// this configuration and of no other.
    fn judge_contained(
        &mut self,
        configuration: &Configuration<'_>,
        objects: &Objects,
        made: Option<Made>,
    ) -> (Record, Findings) {
        let judged = contained::contain(|| {
            let first = self.judge(configuration, objects, made);
            if first.0.status == Status::Lost { self.judge(configuration, objects, None) } else { first }
        });
        judged.unwrap_or_else(|panic| {
            // Nobody knows in which state they are.
            self.by_target.clear();
            (
                failed(configuration, format!("the harness panicked, which is a fault of its own: {panic}")),
                Findings::default(),
            )
        })
    }

    /// Has a subject that links several at once link these, if this is one. What is not there is linked by itself.
    fn link_together(&mut self, group: &[Work<'_, '_>]) -> Vec<Option<Made>> {
        let (Some(Maker::Linker(subject)), Some((first, _))) = (self.subject, group.first()) else { return Vec::new() };
        if subject.together() <= 1 {
            return Vec::new();
        }
        let target: &'static Target = first.build.target;
        let Ok(machine) = self.by_target.entry(target.name).or_insert_with(|| self.source.machine(target)) else {
            return Vec::new();
        };
        let files: Vec<Option<&[File]>> = group.iter().map(|(_, objects)| objects.files()).collect();
        let there = group.iter().zip(&files).filter_map(|((it, _), files)| Some((*it, (*files)?)));
        let there: Vec<(&Configuration<'_>, &[File])> = there.collect();
        let made = contained::contain(
            || with_machine!(machine, machine => judge::link_together(&there, subject, machine.host())),
        );
        let mut made = made.ok().and_then(Result::ok).unwrap_or_default().into_iter();
        files.iter().map(|files| files.and_then(|_| made.next().flatten())).collect()
    }

    fn judge(
        &mut self,
        configuration: &Configuration<'_>,
        objects: &Objects,
        made: Option<Made>,
    ) -> (Record, Findings) {
        let files = match objects {
            Objects::Files(files) => files,
            Objects::Missing(reason) => {
                return (configuration.record(Status::Skipped, Some(reason.clone())), Findings::default());
            }
            Objects::Broken(problem) => return (failed(configuration, problem.clone()), Findings::default()),
        };
        let target: &'static Target = configuration.build.target;
        match self.by_target.entry(target.name).or_insert_with(|| self.source.machine(target)) {
            Ok(machine) => with_machine!(machine, machine => match self.subject {
                Some(Maker::Linker(subject)) => judge::judge_subject(&mut **machine, configuration, files, subject, made),
                Some(Maker::Loader(loader)) => judge::judge_loader(&mut **machine, configuration, files, loader),
                None => judge::judge(&mut **machine, configuration, files),
            }),
            Err(error) => {
                // The next one may be luckier.
                let error = error.clone();
                self.by_target.remove(target.name);
                (configuration.record(Status::Lost, Some(error)), Findings::default())
            }
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
        if !status.is_result() {
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
        subject: None,
        status: if missing.is_empty() { Status::Passed } else { Status::Failed },
        reason: None,
        seconds: 0.0,
        checks: wanted.len(),
        relocations: BTreeMap::new(),
        failure: (!missing.is_empty()).then(failure),
    }
}
