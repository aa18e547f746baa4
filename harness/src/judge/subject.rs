//! One configuration by another linker: linked by it, loaded, run, and compared with what the case expects.

use std::time::Instant;

use corpus::build::File;
use corpus::case::Expectations;
use corpus::matrix::{self, OutOfReach};
use linker::error::Error;
use reports::model::Record;

use super::refusal::Asked;
use super::{Findings, Task, fields, judge_program, record, short_path};
use crate::check;
use crate::executor::image::BASE;
use crate::executor::{Budget, Executor};
use crate::exit::BadInput;
use crate::held;
use crate::host::Host;
use crate::linked::executable::{Executable, Prepared, Problem};
use crate::linking::{Data, Input};
use crate::plan::Configuration;
use crate::subject::{self, Planning, Refusal, Request, Subject};

/// A configuration that a subject has linked together with others.
pub struct Made {
    planned: Result<Planning, Error>,
    linked: Result<Vec<u8>, Refusal>,
    /// Its share of the time.
    seconds: f64,
}

/// Has a subject link configurations at once, all of which are for one target. None: it is not asked, or had no luck; the configuration is
/// then judged by itself.
pub fn link_together(
    configurations: &[(&Configuration<'_>, &[File])],
    subject: &Subject,
    host: &Host,
) -> anyhow::Result<Vec<Option<Made>>> {
    let expected: Vec<Expectations<'_>> =
        configurations.iter().map(|(it, _)| it.case.expectations(&it.build, &it.layout)).collect();
    let tasks: Vec<Task<'_, '_>> =
        configurations.iter().zip(&expected).map(|((it, files), expected)| Task::new(it, files, expected)).collect();
    let mut made: Vec<Option<Made>> = configurations.iter().map(|_| None).collect();
    let (mut asked, mut program) = (Vec::new(), None);
    for (number, ((it, _), task)) in configurations.iter().zip(&tasks).enumerate() {
        let target = it.build.target;
        if subject.cannot(target, &it.layout).is_some() {
            continue;
        }
        let Ok(found) = subject.find(target) else { continue };
        let request = task.request();
        let planned = subject.plan(&request, host);
        let base = planned.as_ref().map_or(BASE, |plan| plan.base);
        // What fails may fail before anything is begun, and then costs all the others another process.
        let alone = !task.expected.link_errors.is_empty() || planned.is_err();
        program = Some(found);
        asked.push((number, request, base, alone, planned));
    }
    let Some(program) = program else { return Ok(made) };
    let (alone, together): (Vec<_>, Vec<_>) = asked.into_iter().partition(|asked| asked.3);
    for group in std::iter::once(together).chain(alone.into_iter().map(|one| vec![one])) {
        let requests: Vec<(&Request<'_>, u64)> = group.iter().map(|(_, request, base, ..)| (request, *base)).collect();
        let start = Instant::now();
        let linked = subject.link_together(&program, &requests, host)?;
        let seconds = start.elapsed().as_secs_f64() / group.len().max(1) as f64;
        for ((number, .., planned), linked) in group.into_iter().zip(linked) {
            made[number] = Some(Made { planned, linked, seconds });
        }
    }
    Ok(made)
}

/// Has a subject link a configuration, if that is not made yet, and runs what comes of it on a machine, which is reset before.
pub fn judge_subject<E: Executor>(
    executor: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    subject: &Subject,
    made: Option<Made>,
) -> (Record, Findings) {
    let (start, waited) = (Instant::now(), executor.waited());
    let before = made.as_ref().map_or(0.0, |made| made.seconds);
    executor.reset();
    let &Configuration { case, ref build, ref layout, .. } = configuration;
    // What is marked as failing is so for our linker.
    let expected = Expectations { xfail: None, ..case.expectations(build, layout) };
    executor.set_budget(expected.budget.map_or(Budget::DEFAULT, Budget::of_instructions));
    let mut findings = Findings { place: (short_path(&case.file), None), ..Findings::default() };
    let task = Task::new(configuration, files, &expected);
    let out_of_reach = matrix::out_of_reach(build, layout);
    let trial = Trial { configuration, subject, request: task.request(), expected: &expected, out_of_reach };
    if let Err(error) = trial.run(executor, files, made, &mut findings) {
        findings.check(false, || format!("{error:#}"));
    }
    let mut record = record(configuration, &expected, &mut findings);
    record.seconds = before + start.elapsed().saturating_sub(executor.waited() - waited).as_secs_f64();
    record.subject = Some(subject.to_string());
    if let Some(failure) = &mut record.failure {
        failure.bless = None;
        let (target, link_as) = (build.target, subject.link_as);
        let about = subject::About { case: &case.name, target, layout, build: &build.label, link_as };
        failure.known =
            about.known(&subject.description.failures, &findings.held, &failure.problems).map(str::to_owned);
    }
    (record, findings)
}

impl Task<'_, '_> {
    /// What is asked of a subject.
    fn request(&self) -> Request<'_> {
        let Task { configuration, inputs, defines, roots, .. } = self;
        let Configuration { build, layout, .. } = configuration;
        Request { target: build.target, files: inputs, defines, roots, layout }
    }
}

struct Trial<'a> {
    configuration: &'a Configuration<'a>,
    subject: &'a Subject,
    request: Request<'a>,
    expected: &'a Expectations<'a>,
    out_of_reach: Option<&'static OutOfReach>,
}

impl Trial<'_> {
    fn run<E: Executor>(
        &self,
        executor: &mut E,
        files: &[File],
        made: Option<Made>,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let Trial { configuration, subject, request, .. } = self;
        let Configuration { case, build, layout, .. } = configuration;
        if let Some(reason) = subject.cannot(build.target, layout) {
            findings.skip = Some(reason);
            return Ok(());
        }
        let program = match subject.find(build.target) {
            Ok(program) => program,
            Err(reason) => {
                findings.skip = Some(reason);
                return Ok(());
            }
        };
        let (plan, made) = match made {
            Some(Made { planned, linked, .. }) => (planned, Some(linked)),
            None => (subject.plan(request, executor.host()), None),
        };
        match &plan {
            Ok(plan) => (findings.held, findings.relocations) = (plan.held.clone(), plan.relocations.clone()),
            Err(_) => findings.held = held::held_in(build.target, files),
        }
        let known = subject.description.differences.iter().filter(|difference| difference.says.is_none());
        let (target, link_as) = (build.target, subject.link_as);
        let about = subject::About { case: &case.name, target, layout, build: &build.label, link_as };
        if let Some(difference) = known.clone().find(|difference| about.is(difference, &findings.held)) {
            findings.skip = Some(format!("{}: {}", subject.description.name, difference.reason));
            return Ok(());
        }
        let fails = !self.expected.link_errors.is_empty() || self.out_of_reach.is_some();
        let plan: Option<Planning> = match plan {
            Ok(plan) => Some(plan),
            Err(_) if fails => None,
            Err(error) => {
                findings.skip = Some(format!("Linkrig itself has no layout for it: {error}"));
                return Ok(());
            }
        };
        if subject.together() > 1 {
            let linked = match made {
                Some(linked) => linked,
                None => {
                    let base = plan.as_ref().map_or(BASE, |plan| plan.base);
                    let mut all = subject.link_together(&program, &[(request, base)], executor.host())?;
                    all.pop().ok_or_else(|| anyhow::anyhow!("nothing was linked"))?
                }
            };
            self.judge(executor, &linked, findings);
            return Ok(());
        }
        let definitions = subject.definitions(request, executor.host())?;
        let link = |relaxed| subject.link(&program, request, plan.as_ref(), &definitions, relaxed);
        let relaxed = link(true)?;
        self.judge(executor, &relaxed, findings);
        let settled = findings.skip.is_some() || findings.refused.is_some() || findings.lost.is_some();
        let Ok(first) = relaxed else { return Ok(()) };
        if settled || !findings.problems.is_empty() || subject.description.unrelaxed.is_empty() {
            return Ok(());
        }
        // What was relaxed has to come out the same when it is not.
        let second = link(false)?;
        if second.as_ref().is_ok_and(|second| *second == first) {
            return Ok(());
        }
        executor.reset();
        self.judge(executor, &second, findings);
        findings.problems.iter_mut().for_each(|problem| problem.insert_str(0, "without relaxation: "));
        Ok(())
    }

    fn judge<E: Executor>(&self, executor: &mut E, linked: &Result<Vec<u8>, Refusal>, findings: &mut Findings) {
        let image = match linked {
            Err(refusal) => return self.judge_refusal(refusal, findings),
            Ok(image) => image,
        };
        let wanted = &self.expected.link_errors;
        if !wanted.is_empty() {
            return findings.check(false, || format!("linked, but expected the error `{}`", wanted.join("`, `")));
        }
        let name = &self.subject.description.name;
        let file = format!("the image of {name}");
        let loaded = Executable::read(&file, image, self.request.target)
            .and_then(|executable| executable.load(executor, Prepared::Relocated));
        match loaded {
            Ok(linked) => {
                let files = [Input::new(file.clone(), Data::Read(image.clone()))];
                judge_program(executor, &linked, &files, self.expected, findings);
                if !findings.problems.is_empty() && findings.lost.is_none() {
                    look_at_fields(&files[0], self.request.files, findings);
                }
            }
            Err(error) => match executor.lost() {
                Some(lost) => findings.lose(lost.to_string()),
                None if matches!(&error.problem, Problem::Machine(why) if why.contains("cannot place")) => {
                    findings.skip = Some(format!("placement refused: {error}"));
                }
                None => findings.check(false, || error.to_string()),
            },
        }
    }

    fn judge_refusal(&self, refusal: &Refusal, findings: &mut Findings) {
        let description = &self.subject.description;
        let about = subject::About {
            case: &self.configuration.case.name,
            target: self.request.target,
            layout: self.request.layout,
            build: &self.configuration.build.label,
            link_as: self.subject.link_as,
        };
        let asked = Asked {
            name: &description.name,
            what: "linking",
            differences: &description.differences,
            about,
            wanted: &self.expected.link_errors,
            is_beyond: self.out_of_reach.is_some(),
        };
        asked.judge(refusal, findings);
    }
}

/// Says which fields of an image are not the ABI's, or that it is none of them.
fn look_at_fields(image: &Input, inputs: &[Input], findings: &mut Findings) {
    match check::check(image, inputs, None) {
        Ok(found) => fields::note(&found, findings),
        Err(BadInput(why)) => findings.problems.push(format!("its fields cannot be read: {why}")),
    }
}
