//! One configuration by a loader that runs as the guest: loaded by it, run, and compared with what the case expects.

use std::time::Instant;

use corpus::build::File;
use corpus::case::Expectations;
use corpus::matrix;
use linker::graph::Flags;
use linker::link::Found;
use reports::model::Record;

use super::refusal::Asked;
use super::{Findings, Task, fields, judge_program, record, short_path};
use crate::check::{self, Differing};
use crate::executor::{Budget, Executor};
use crate::exit::BadInput;
use crate::held;
use crate::linking::Input;
use crate::loader::{self, Loaded, Loader, Places, Request, Trouble};
use crate::plan::Configuration;
use crate::subject::{self, About, Kind, LinkAs, Refusal};

/// Has a loader load a configuration on a machine, which is reset before, and runs what comes of it.
pub fn judge_loader<E: Executor>(
    executor: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    loader: &Loader,
) -> (Record, Findings) {
    let (start, waited) = (Instant::now(), executor.waited());
    executor.reset();
    let Configuration { case, build, layout, .. } = configuration;
    // What is marked as failing is so for our linker.
    let expected = Expectations { xfail: None, ..case.expectations(build, layout) };
    let mut findings = Findings { place: (short_path(&case.file), None), ..Findings::default() };
    let task = Task::new(configuration, files, &expected);
    findings.held = held::held_in(build.target, files);
    Trial { configuration, loader, task: &task, expected: &expected }.run(executor, &mut findings);
    if let Some(lost) = executor.lost() {
        let lost = lost.to_string();
        findings.lose(lost);
    }
    findings.relocations = held::counted_in(build.target, files);
    let mut record = record(configuration, &expected, &mut findings);
    record.seconds = start.elapsed().saturating_sub(executor.waited() - waited).as_secs_f64();
    record.subject = Some(loader.to_string());
    if let Some(failure) = &mut record.failure {
        failure.bless = None;
        let failures = &loader.description.failures;
        failure.known = about(configuration).known(failures, &findings.held, &failure.problems).map(str::to_owned);
    }
    (record, findings)
}

/// The errors that a loader has, too. Others are about objects beside each other, or what a linker of ours looks at.
const ERRORS: [Kind; 3] = [Kind::OutOfRange, Kind::Misaligned, Kind::Undefined];

/// What differences and failures of loaders are compared with.
fn about<'a>(configuration: &'a Configuration<'a>) -> About<'a> {
    let Configuration { case, build, layout, .. } = configuration;
    About { case: &case.name, target: build.target, layout, build: &build.label, link_as: LinkAs::Static }
}

struct Trial<'a> {
    configuration: &'a Configuration<'a>,
    loader: &'a Loader,
    task: &'a Task<'a, 'a>,
    expected: &'a Expectations<'a>,
}

impl Trial<'_> {
    fn run<E: Executor>(&self, executor: &mut E, findings: &mut Findings) {
        let Trial { configuration, loader, task, expected } = self;
        let Configuration { build, layout, .. } = configuration;
        let name = &loader.description.name;
        let about = about(configuration);
        let differences = &loader.description.differences;
        let known = differences.iter().find(|known| known.says.is_none() && about.is(known, &findings.held));
        let wanted = &expected.link_errors;
        let kind = subject::expected(wanted);
        if let Some(why) = loader.cannot(build.target) {
            return findings.skip = Some(why);
        }
        if let Some(difference) = known {
            return findings.skip = Some(format!("{name}: {}", difference.reason));
        }
        if !wanted.is_empty() && !ERRORS.iter().any(|known| kind == Some(*known)) {
            let why = format!("the error `{}` is a linker's", wanted.join("`, `"));
            return findings.skip = Some(why);
        }
        let request = Request {
            target: build.target,
            files: &task.inputs,
            defines: &task.defines,
            layout,
            wants_undefined: kind == Some(Kind::Undefined),
        };
        let is_beyond = matrix::out_of_reach(build, layout).is_some();
        let asked = Asked { name, what: "loading", differences, about, wanted, is_beyond };
        let kinds = loader.description.places == Places::Kinds;
        match loader::load(executor, loader, &request) {
            Ok(_) if kinds && kind == Some(Kind::OutOfRange) => {
                findings.skip = Some(format!("{name} is not told where single sections go, so nothing is too far"));
            }
            Ok(loaded) if kinds && loaded.has_relro() && expected.fault.is_some() => {
                findings.skip = Some(format!("{name} puts what is constant only once it is relocated with its data"));
            }
            Ok(_) if !wanted.is_empty() => {
                findings.check(false, || format!("loaded, but expected the error `{}`", wanted.join("`, `")));
            }
            Ok(loaded) => self.judge(executor, &loaded, findings),
            Err(Trouble::Skip(reason)) => findings.skip = Some(reason),
            Err(Trouble::Lacks(reason)) => findings.refused = Some(reason),
            Err(Trouble::Failed(problems)) => {
                for problem in problems {
                    findings.check(false, || problem);
                }
            }
            Err(Trouble::Beyond(kind, text)) if wanted.is_empty() && !is_beyond => {
                findings.refused = Some(format!("{name} says that a value is {}, which is so: {text}", kind.name()));
            }
            Err(Trouble::Beyond(kind, text)) => {
                asked.judge(&Refusal { kind, text }, findings);
            }
            Err(Trouble::Refused(refusal)) => asked.judge(&refusal, findings),
        }
    }

    /// Compares all that was loaded with the ABI, and what it does with what the case expects.
    fn judge<E: Executor>(&self, executor: &mut E, loaded: &Loaded<'_>, findings: &mut Findings) {
        let Trial { task, expected, loader, .. } = self;
        executor.set_budget(expected.budget.map_or(Budget::DEFAULT, Budget::of_instructions));
        judge_program(executor, &loaded.linked(), &task.inputs, expected, findings);
        if findings.lost.is_some() {
            return;
        }
        let host = executor.host().definitions();
        let found =
            check(loaded, &task.inputs, &task.defines, host.iter().map(|(name, found)| (name.as_str(), *found)));
        let (found, differing) = match found {
            Ok(found) => found,
            Err(BadInput(why)) => return findings.problems.push(format!("its fields cannot be read: {why}")),
        };
        let name = &loader.description.name;
        for Differing { section, offset, bytes } in &differing {
            findings.check(false, || {
                let bytes = bytes.map_or(String::new(), |(here, there)| {
                    format!(": it is {here:02x}, and the object has {there:02x}")
                });
                format!("a byte that no relocation is about is not the object's, at {section}+{offset:#x}{bytes}")
            });
        }
        let wrong = found.total().wrong;
        if wrong > 0 {
            findings.check(false, || match wrong {
                1 => format!("{name} wrote a field that is not what the ABI says"),
                wrong => format!("{name} wrote {wrong} fields that are not what the ABI says"),
            });
        }
        if !findings.problems.is_empty() {
            let left = loaded.left();
            if !left.is_empty() {
                findings.problems.push(format!("{name} did not load {}", left.join(", ")));
            }
            fields::note(&found, findings);
        }
    }
}

/// Judges the fields of what was loaded.
fn check<'a>(
    loaded: &'a Loaded<'a>,
    inputs: &[Input],
    defines: &'a [(String, u64)],
    host: impl Iterator<Item = (&'a str, Found)>,
) -> Result<(check::Findings, Vec<Differing>), BadInput> {
    let mut memory = loaded.memory();
    for (name, address) in defines {
        memory.define(name.as_bytes(), *address, Flags::default());
    }
    for (name, found) in host {
        match found {
            Found::Function(value) => {
                let (address, flags) = loaded.target().architecture.symbol_value(value, true);
                memory.define(name.as_bytes(), address, flags.with(Flags::FUNCTION));
            }
            Found::Data(address) => memory.define(name.as_bytes(), address, Flags::OBJECT),
        }
    }
    check::check_loaded("memory", memory, inputs, &|module, section| loaded.section(module, section))
}
