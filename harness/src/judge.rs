//! One configuration: linked, run, and compared with what its case expects.

use std::collections::BTreeMap;
use std::time::Instant;

use corpus::build::File;
use corpus::case::{Address, CallResult, Expectations, MemoryContent, RegisterValue};
use corpus::matrix::{self, OutOfReach};
use corpus::value::Value;
use linker::error::Error;
use linker::link::Finalized;
use linker::{Options, Roots};
use reports::model::{Failure, Record, SourceLine, Status};

use crate::executor::hosted::ActionFailed;
use crate::executor::{Budget, Executor, PlacementRefused};
use crate::linked::Linked;
use crate::linking::{self, Data, Externals, Input, Timings};
use crate::plan::Configuration;
use crate::{held, suspects};

mod beyond;
mod fields;
mod loader;
mod program;
mod refusal;
mod subject;

use beyond::beyond;

pub use loader::judge_loader;
pub use program::judge_program;
pub use subject::{Made, judge_subject, link_together};

/// What a run found out, besides the verdict.
#[derive(Debug, Default)]
pub struct Findings {
    /// Facts that were judged.
    pub checks: usize,
    /// Facts that were wrong.
    pub problems: Vec<String>,
    /// Relocations of live code and data, by name.
    pub relocations: BTreeMap<String, u64>,
    /// Names of all relocations in the objects, live or not: what `covers` is about.
    pub held: std::collections::BTreeSet<&'static str>,
    /// Why it could not be run.
    pub skip: Option<String>,
    /// What another linker says that it does not support.
    pub refused: Option<String>,
    /// How the machine was lost, if it was: nothing was found out then.
    pub lost: Option<String>,
    /// What is known about a failure.
    pub failure: Failure,
    /// Where the program ended, if not by returning.
    pc: Option<u64>,
    /// The case's file, and the line of the directive in hand.
    place: (String, Option<usize>),
}

impl Findings {
    /// Forgets what was found out on a machine that is gone.
    fn lose(&mut self, why: String) {
        let held = std::mem::take(&mut self.held);
        *self = Findings { held, lost: Some(why), ..Findings::default() };
    }

    fn check(&mut self, right: bool, problem: impl FnOnce() -> String) {
        self.checks += 1;
        if !right {
            let place = self.place.1.map_or(String::new(), |line| format!("  {}:{line}", self.place.0));
            self.problems.push(problem() + &place);
            if let Some(line) = self.place.1.filter(|line| self.failure.source.iter().all(|known| known.line != *line))
            {
                self.failure.source.push(SourceLine { file: self.place.0.clone(), line, text: String::new() });
            }
        }
    }
}

/// Runs a configuration on a machine, which is reset before.
pub fn judge<E: Executor>(executor: &mut E, configuration: &Configuration<'_>, files: &[File]) -> (Record, Findings)
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    let (start, waited) = (Instant::now(), executor.waited());
    let Configuration { case, build, layout, .. } = configuration;
    let expected = case.expectations(build, layout);
    executor.reset();
    executor.set_budget(expected.budget.map_or(Budget::DEFAULT, Budget::of_instructions));
    let mut findings = Findings { place: (short_path(&case.file), None), ..Findings::default() };
    let task = Task::new(configuration, files, &expected);
    let relaxed = task.run(executor, &Options::default(), &mut just_run, &mut findings);
    // What was relaxed has to come out the same when it is not.
    if relaxed && findings.problems.is_empty() && findings.lost.is_none() {
        executor.reset();
        task.run(executor, &Options::unrelaxed(), &mut just_run, &mut findings);
        findings.problems.iter_mut().for_each(|problem| problem.insert_str(0, "without relaxation: "));
    }

    let mut record = record(configuration, &expected, &mut findings);
    record.seconds = start.elapsed().saturating_sub(executor.waited() - waited).as_secs_f64();
    (record, findings)
}

/// The verdict on a configuration by what was found out. The failure's facts move from the findings into the record.
pub fn record(configuration: &Configuration<'_>, expected: &Expectations<'_>, findings: &mut Findings) -> Record {
    let case = configuration.case;
    let failed = !findings.problems.is_empty();
    let (status, reason) = match (&findings.skip, expected.xfail, failed) {
        _ if findings.lost.is_some() => (Status::Lost, findings.lost.clone()),
        (Some(reason), ..) => (Status::Skipped, Some(reason.clone())),
        _ if findings.refused.is_some() => (Status::Refused, findings.refused.clone()),
        (_, Some(reason), true) => (Status::ExpectedFailure, Some(reason.to_owned())),
        (_, Some(reason), false) => (Status::UnexpectedPass, Some(format!("marked as failing: {reason}"))),
        (_, None, true) => (Status::Failed, None),
        (_, None, false) => (Status::Passed, None),
    };
    let mut record = configuration.record(status, reason);
    record.checks = findings.checks;
    record.relocations = findings.relocations.clone();
    if status.is_failure() {
        let mut failure = std::mem::take(&mut findings.failure);
        failure.source.iter_mut().for_each(|line| line.text = case.line(line.line).unwrap_or_default().to_owned());
        failure.source.retain(|line| !line.text.is_empty());
        failure.problems = findings.problems.clone();
        if status == Status::UnexpectedPass {
            failure.problems.push("marked as failing, but it passed: remove the mark".to_owned());
        }
        failure.reproduce = format!("cargo run -p harness -- --exact {}", configuration.name);
        // A reference says what calls return, and nothing of errors and faults.
        let blessable = expected.link_errors.is_empty() && expected.exit.is_none() && expected.fault.is_none();
        failure.bless = blessable.then(|| format!("{} --bless", failure.reproduce));
        record.failure = Some(failure);
    }
    record
}

/// The group's folder and the file.
fn short_path(file: &str) -> String {
    let parts: Vec<&str> = file.rsplit(['/', '\\']).take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// Links a configuration without relaxations, and judges it after `before` had its way with the machine, unless that says no.
pub fn judge_altered<E: Executor>(
    executor: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    before: &mut dyn FnMut(&mut E, &Finalized<'_, E::Finalized>) -> bool,
) -> Findings {
    executor.reset();
    let expected = configuration.case.expectations(&configuration.build, &configuration.layout);
    let mut findings = Findings::default();
    let task = Task::new(configuration, files, &expected);
    let mut around: Box<Around<'_, E>> = Box::new(|machine, _, linked, go| {
        if before(machine, linked) {
            go(machine);
        }
    });
    task.run(executor, &Options::unrelaxed(), &mut *around, &mut findings);
    drop(around);
    findings.skip =
        findings.skip.or_else(|| findings.lost.as_ref().map(|lost| format!("the machine was lost: {lost}")));
    findings
}

/// What is done around the run of a program that is linked: the last argument runs and judges it, and says whether nothing was wrong.
pub type Around<'a, E> = dyn FnMut(
        &mut E,
        &linking::Job<'_, '_>,
        &Finalized<'_, <E as linker::memory::Memory>::Finalized>,
        &mut dyn FnMut(&mut E) -> bool,
    ) + 'a;

/// Nothing is done around it.
fn just_run<E: Executor>(
    executor: &mut E,
    _: &linking::Job<'_, '_>,
    _: &Finalized<'_, E::Finalized>,
    go: &mut dyn FnMut(&mut E) -> bool,
) {
    go(executor);
}

/// Runs a configuration as [`judge`] does, once, with something around it. Its time does not count.
pub fn judge_attended<E: Executor>(
    executor: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    around: &mut Around<'_, E>,
) -> Record {
    let expected = configuration.case.expectations(&configuration.build, &configuration.layout);
    executor.reset();
    let budget = expected.budget.map_or(Budget::DEFAULT, Budget::of_instructions);
    executor.set_budget(Budget { time: std::time::Duration::MAX, ..budget });
    let mut findings = Findings { place: (short_path(&configuration.case.file), None), ..Findings::default() };
    Task::new(configuration, files, &expected).run(executor, &Options::default(), around, &mut findings);
    record(configuration, &expected, &mut findings)
}

/// What every run of a configuration has in common.
struct Task<'a, 'e> {
    configuration: &'a Configuration<'a>,
    inputs: Vec<Input>,
    defines: Vec<(String, u64)>,
    roots: Vec<&'e str>,
    expected: &'a Expectations<'e>,
}

impl<'a, 'e> Task<'a, 'e> {
    fn new(configuration: &'a Configuration<'a>, files: &[File], expected: &'a Expectations<'e>) -> Self {
        let input = |file: &File| Input::new(file.name.clone(), Data::Read(file.data.clone()));
        let define = |&(name, address): &(&str, u64)| (name.to_owned(), address);
        Task {
            configuration,
            inputs: files.iter().map(input).collect(),
            defines: expected.defines.iter().map(define).collect(),
            roots: roots(expected),
            expected,
        }
    }

    /// Links and runs with these options. Whether instructions were rewritten.
    fn run<E: Executor>(
        &self,
        executor: &mut E,
        options: &Options,
        around: &mut Around<'_, E>,
        findings: &mut Findings,
    ) -> bool {
        let Task { configuration, expected, roots, .. } = self;
        let job = linking::Job {
            target: configuration.build.target,
            inputs: &self.inputs,
            defines: &self.defines,
            roots: if roots.is_empty() { Roots::All } else { Roots::Names(roots) },
            layout: &configuration.layout,
            options,
            wishes: &linking::NO_WISHES,
        };
        let host = executor.host().definitions();
        let linked =
            linking::link(&job, executor, &Externals::Table(&|name| host.get(name).copied()), &mut Timings::default());
        let out_of_reach = matrix::out_of_reach(&configuration.build, &configuration.layout);
        let linked = match linked {
            Ok(linked) => linked,
            Err(error) => {
                findings.held = held::held_by(&job);
                match executor.lost() {
                    Some(lost) => findings.lose(lost.to_string()),
                    None => judge_error(&error, expected, out_of_reach, findings),
                }
                return false;
            }
        };
        findings.held = held::held(linked.graph());
        findings.relocations = held::live_relocations(&linked);
        if let Some(site) = out_of_reach.and_then(|model| beyond(&linked, model)) {
            findings.check(false, || format!("linked, but the ABI forbids it in this layout: {site} is out of reach"));
        }
        if !expected.link_errors.is_empty() {
            findings.check(false, || format!("linked, but expected the error `{}`", expected.link_errors.join("`, `")));
        } else {
            around(executor, &job, &linked, &mut |executor| {
                judge_program(executor, &Linked::of_link(&linked), &self.inputs, expected, findings);
                findings.problems.is_empty()
            });
        }
        if findings.lost.is_some() {
            return false;
        }
        if !findings.problems.is_empty() {
            let mut read = |address: u64, into: &mut [u8]| executor.peek(address, into).is_ok();
            findings.failure.suspects = suspects::suspects(&linked, roots, &mut read);
            findings.failure.layout = linked.plan().by_hand(linked.graph()).to_string();
        }
        !linked.graph().rewritten.is_empty()
    }
}

/// The symbols that the expectations name.
fn roots<'a>(expected: &Expectations<'a>) -> Vec<&'a str> {
    let mut roots: Vec<&str> = expected.keeps.clone();
    for (call, _) in &expected.calls {
        roots.push(&call.function);
        let values = call.arguments.iter().chain(match &call.result {
            CallResult::Value(value) => Some(value),
            _ => None,
        });
        roots.extend(values.filter_map(named));
    }
    for (memory, _) in &expected.memory {
        if let Address::Symbol(name, _) = &memory.place {
            roots.push(name);
        }
        if let MemoryContent::Values(values) = &memory.content {
            roots.extend(values.iter().filter_map(named));
        }
    }
    for (register, _) in &expected.registers {
        if let RegisterValue::Address(name, _) = &register.value {
            roots.push(name);
        }
    }
    if let Some(fault) = expected.fault {
        for place in [&fault.at, &fault.address].into_iter().flatten() {
            if let Address::Symbol(name, _) = place {
                roots.push(name);
            }
        }
    }
    let defined: Vec<&str> = expected.defines.iter().map(|(name, _)| *name).collect();
    roots.retain(|name| !defined.contains(name));
    roots.sort_unstable();
    roots.dedup();
    roots
}

fn named(value: &Value) -> Option<&str> {
    match value {
        Value::Address(name, _) => Some(name),
        _ => None,
    }
}

fn judge_error(error: &Error, expected: &Expectations<'_>, out_of_reach: Option<&OutOfReach>, findings: &mut Findings) {
    if let Error::Memory(inner) = error
        && let Some(refused) = inner.downcast_ref::<PlacementRefused>()
    {
        findings.skip = Some(format!("placement refused: {refused}"));
        return;
    }
    if let Error::Memory(inner) = error
        && let Some(refused @ ActionFailed::NoKeys { .. }) = inner.downcast_ref()
    {
        findings.skip = Some(refused.to_string());
        return;
    }
    let message = error.to_string();
    if expected.link_errors.is_empty() {
        let beyond = |error: &Error| matches!(error, Error::OutOfRange(_));
        let forbidden = out_of_reach.is_some()
            && match error {
                Error::Several(several) => several.errors.iter().all(beyond),
                error => beyond(error),
            };
        findings.check(forbidden, || format!("linking failed: {message}"));
    }
    for wanted in &expected.link_errors {
        findings.check(message.contains(wanted), || format!("linking failed with `{message}`, expected `{wanted}`"));
    }
}
