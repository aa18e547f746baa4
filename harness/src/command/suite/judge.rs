//! One test from its sources to its record.

use std::path::{Path, PathBuf};
use std::time::Instant;

use linker::Target;
use outside::Scratch;
use reports::model::{Failure, Record, Status};

use super::execute::{Engine, Ran};
use super::link::{Linker, Unlinked};
use super::reference::Expected;
use super::skips::Skips;
use super::test::Test;
use super::{compile, dejagnu};
use crate::executor::Budget;

/// The status by which a program says that it cannot be tested here, as Automake and Meson have it.
const NOT_HERE: u8 = 77;
/// Lines of what a program complained of that are shown.
const COMPLAINTS: usize = 5;

/// What tests are made and run by.
pub struct Rig<'a> {
    /// The folder of the suite.
    pub root: &'a Path,
    /// What all programs are linked with.
    pub with: &'a [PathBuf],
    /// What is left out.
    pub skips: &'a Skips,
    /// Who links.
    pub linker: &'a Linker,
    /// What runs them.
    pub engine: Engine,
    /// What each may take.
    pub budget: Budget,
}

impl Rig<'_> {
    /// The record of a test. A machine that is lost is tried again once.
    pub(super) fn judge(&self, test: &Test<'_>) -> Record {
        let start = Instant::now();
        let mut record = self.try_one(test);
        if record.status == Status::Lost {
            record = self.try_one(test);
        }
        record.seconds = start.elapsed().as_secs_f64();
        record
    }

    fn try_one(&self, test: &Test<'_>) -> Record {
        if let Some(reason) = self.skips.reason(test) {
            return test.record(Status::Skipped, Some(reason.to_owned()));
        }
        let target = test.compiler.target;
        let settings = match dejagnu::settings(&test.program.directives, target, &test.flags) {
            Ok(settings) => settings,
            Err(reason) => return test.record(Status::Skipped, Some(reason)),
        };
        match self.end(test, target, &settings) {
            Ok(record) => record,
            Err(error) => failed(test, vec![format!("{error:#}")], Vec::new()),
        }
    }

    fn end(&self, test: &Test<'_>, target: &'static Target, settings: &dejagnu::Settings) -> anyhow::Result<Record> {
        let scratch = Scratch::new()?;
        let objects = match compile::objects(test, &settings.flags, self.with, self.root, scratch.path())? {
            Ok(objects) => objects,
            Err(reason) => return Ok(test.record(Status::Skipped, Some(reason))),
        };
        let expected = Expected::read(test.program.reference.as_deref())?;
        let is_cpp = test.program.is_cpp() || self.with.iter().any(|file| super::find::is_cpp(file));
        let image = match self.linker.link(target, objects, is_cpp, scratch.path())? {
            Ok(image) => image,
            Err(Unlinked::Missing(missing)) => return Ok(test.record(Status::Skipped, Some(missing))),
            Err(Unlinked::Failed(problem)) => {
                return Ok(failed(test, vec![format!("does not link: {problem}")], Vec::new()));
            }
        };
        let ran = match self.engine.run(target, &test.program.path, image, self.budget, scratch.path()) {
            Ok(ran) => ran,
            Err(problem) => return Ok(failed(test, vec![format!("does not start: {problem}")], Vec::new())),
        };
        let record = verdict(test, &expected, ran);
        // How it runs is expected, and not that it cannot be made.
        let reason = settings.fails.clone();
        Ok(match (reason.is_some(), record.status) {
            (true, Status::Failed) => Record { status: Status::ExpectedFailure, reason, ..record },
            (true, Status::Passed) => Record { status: Status::UnexpectedPass, reason, ..record },
            _ => record,
        })
    }
}

/// What is to be said of how a program ended.
fn verdict(test: &Test<'_>, expected: &Expected, ran: Ran) -> Record {
    if let Some(lost) = ran.lost {
        return test.record(Status::Lost, Some(lost));
    }
    let mut problems = Vec::new();
    match ran.status {
        Some(status) if status == expected.status => {}
        Some(NOT_HERE) => {
            let reason = format!("it says that it cannot be tested here (status {NOT_HERE})");
            return test.record(Status::Skipped, Some(reason));
        }
        Some(status) => problems.push(format!("status {status}, expected {}", expected.status)),
        None => problems.push(ran.problem),
    }
    problems.extend(expected.differs(&ran.printed));
    if problems.is_empty() {
        let checks = 1 + usize::from(expected.output.is_some());
        return Record { checks, ..test.record(Status::Passed, None) };
    }
    let complained = String::from_utf8_lossy(&ran.complained);
    problems.extend(complained.lines().take(COMPLAINTS).map(|line| format!("it says: {line}")));
    failed(test, problems, ran.backtrace)
}

fn failed(test: &Test<'_>, problems: Vec<String>, backtrace: Vec<String>) -> Record {
    let failure = Failure { problems, backtrace, ..Failure::default() };
    Record { failure: Some(failure), checks: 1, ..test.record(Status::Failed, None) }
}
