//! Reports as JUnit XML, for whatever shows test results: a suite for each target, a case for each configuration.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::failure;
use crate::json::Report;
use crate::markdown;
use crate::model::{Record, Status};
use crate::summary;
use crate::text::clean;

/// Writes a report as JUnit XML. An expected failure is shown as skipped, for JUnit has no better word; an unexpected pass
/// is a failure. The configurations of a suite are in the order of their names. A run that was cut short gets an error
/// `run/complete` in a suite `linkrig`, so that nobody takes its part for the whole.
pub fn write(report: &Report, mut out: impl Write) -> io::Result<()> {
    let mut junit = quick_junit::Report::new("linkrig");
    if let Some(totals) = &report.totals {
        junit.set_time(duration(totals.seconds));
    }
    let mut targets: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in &report.results {
        targets.entry(&record.target).or_default().push(record);
    }
    for (target, mut records) in targets {
        records.sort_by(|a, b| a.name.cmp(&b.name));
        let mut suite = TestSuite::new(clean(target));
        suite.set_time(duration(records.iter().map(|record| summary::seconds(record.seconds)).sum()));
        suite.add_property(Property::new("program", clean(&report.start.program)));
        for (what, text) in markdown::origin(&report.start) {
            suite.add_property(Property::new(what, clean(text)));
        }
        for (label, version) in &report.start.toolchains {
            suite.add_property(Property::new(format!("toolchain {}", clean(label)), clean(version)));
        }
        suite.add_test_cases(records.into_iter().map(case));
        junit.add_test_suite(suite);
    }
    if !report.complete() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(format!(
            "the run was {}: {} of {} configurations ended",
            match report.totals.as_ref().and_then(|totals| totals.stopped.as_deref()) {
                Some(why) => clean(why).into_owned(),
                None => "cut short".to_owned(),
            },
            report.results.len(),
            report.start.selected
        ));
        let mut suite = TestSuite::new("linkrig");
        suite.add_test_case(TestCase::new("run/complete", status));
        junit.add_test_suite(suite);
    }
    junit.serialize(&mut out).map_err(io::Error::other)?;
    out.flush()
}

fn case(record: &Record) -> TestCase {
    let reason = clean(record.reason.as_deref().unwrap_or("no reason given"));
    let status = match record.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => skipped(&reason),
        Status::Refused => skipped(&format!("refused: {reason}")),
        Status::ExpectedFailure => skipped(&format!("expected failure: {reason}")),
        Status::Lost => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(reason).set_type("lost");
            status
        }
        Status::Failed | Status::UnexpectedPass => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(failure::headline(record))
                .set_type(if record.status == Status::Failed { "failed" } else { "unexpected-pass" })
                .set_description(failure::body(record));
            status
        }
    };
    let mut case = TestCase::new(clean(&record.name), status);
    case.set_classname(clean(&record.case)).set_assertions(record.checks).set_time(duration(record.seconds));
    case
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}

/// What is not a time, or more than a century, is none: consumers add these up.
fn duration(seconds: f64) -> Duration {
    match Duration::try_from_secs_f64(summary::seconds(seconds)) {
        Ok(duration) if duration.as_secs() < 100 * 366 * 86_400 => duration,
        _ => Duration::ZERO,
    }
}
