//! The counts of a run, from its records.

use std::collections::BTreeMap;

use crate::causes::{self, Cause};
use crate::exit;
use crate::json::Report;
use crate::model::{Record, Start, Status, Totals};

/// The counts of a run. The order in which records come makes no difference to it, so reports of parallel runs compare equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// What the run is.
    pub start: Start,
    /// What it came to, once it is over; a run without was cut short.
    pub totals: Option<Totals>,
    /// By target.
    pub targets: BTreeMap<String, TargetSummary>,
    /// By relocation and target, in this order.
    pub relocations: BTreeMap<(String, String), RelocationSummary>,
    /// Skipped configurations by reason.
    pub skips: BTreeMap<String, usize>,
    /// Expected failures by reason.
    pub expected_failures: BTreeMap<String, usize>,
    /// Configurations that a linker does not support, by what it said.
    pub refused: BTreeMap<String, usize>,
    /// Configurations whose machines were lost, by what happened to those.
    pub lost: BTreeMap<String, usize>,
    /// The records that make the run fail, by name.
    pub failures: Vec<Record>,
}

/// What one target came to, or all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetSummary {
    /// Configurations by status.
    pub by_status: BTreeMap<Status, usize>,
    /// Facts that were judged.
    pub checks: usize,
    /// Seconds of all its configurations together, however many ran at a time.
    pub seconds: f64,
}

impl TargetSummary {
    /// How many configurations ended this way.
    pub fn count(&self, status: Status) -> usize {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// How many configurations there are.
    pub fn configurations(&self) -> usize {
        self.by_status.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, other: &Self) {
        for (status, count) in &other.by_status {
            increase(self.by_status.entry(*status).or_default(), *count);
        }
        increase(&mut self.checks, other.checks);
        self.seconds += other.seconds;
    }
}

/// What was seen of one relocation on one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelocationSummary {
    /// How often it was applied.
    pub applied: u64,
    /// Configurations with it, however they ended.
    pub configurations: usize,
    /// Those that passed.
    pub passed: usize,
    /// Those that make the run fail. Expected failures are neither.
    pub failed: usize,
}

impl Summary {
    /// Of a run that begins.
    pub fn new(start: Start) -> Self {
        Summary { start, ..Summary::default() }
    }

    /// Of a report.
    pub fn of(report: &Report) -> Self {
        let mut summary = Summary::new(report.start.clone());
        // In the order of their names, so that failures are appended.
        let mut records: Vec<&Record> = report.results.iter().collect();
        records.sort_by(|a, b| a.name.cmp(&b.name));
        records.into_iter().for_each(|record| summary.push(record));
        summary.totals = report.totals.clone();
        summary
    }

    /// Counts a record.
    pub fn push(&mut self, record: &Record) {
        let target = entry(&mut self.targets, &record.target);
        increase(target.by_status.entry(record.status).or_default(), 1);
        increase(&mut target.checks, record.checks);
        target.seconds += seconds(record.seconds);
        for (name, applied) in &record.relocations {
            let of = self.relocations.entry((name.clone(), record.target.clone())).or_default();
            of.applied = of.applied.saturating_add(*applied);
            increase(&mut of.configurations, 1);
            increase(&mut of.passed, usize::from(record.status == Status::Passed));
            increase(&mut of.failed, usize::from(record.status.is_failure()));
        }
        let reason = record.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("no reason given");
        match record.status {
            Status::Skipped => increase(entry(&mut self.skips, reason), 1),
            Status::Refused => increase(entry(&mut self.refused, reason), 1),
            Status::ExpectedFailure => increase(entry(&mut self.expected_failures, reason), 1),
            Status::Lost => increase(entry(&mut self.lost, reason), 1),
            Status::Failed | Status::UnexpectedPass => {
                let at = self.failures.partition_point(|other| other.name <= record.name);
                self.failures.insert(at, record.clone());
            }
            Status::Passed => {}
        }
    }

    /// The run is over after so many seconds of wall-clock time: the totals, which the summary keeps too.
    pub fn finish(&mut self, seconds: f64) -> Totals {
        let totals = Totals { by_status: self.total().by_status, seconds, ..Totals::default() };
        self.totals.insert(totals).clone()
    }

    /// The same for a run that was stopped before its end, and why: what did not run is counted.
    pub fn stop(&mut self, seconds: f64, not_run: usize, why: String) -> Totals {
        let stopped = Totals { not_run, stopped: Some(why), ..self.finish(seconds) };
        self.totals.insert(stopped).clone()
    }

    /// Whether all that was selected had its turn.
    pub fn complete(&self) -> bool {
        self.totals.as_ref().is_some_and(|totals| totals.stopped.is_none())
    }

    /// The failures by what is likely to be one cause.
    pub fn causes(&self) -> Vec<Cause<'_>> {
        causes::of(&self.failures)
    }

    /// All targets together.
    pub fn total(&self) -> TargetSummary {
        self.targets.values().fold(TargetSummary::default(), |mut sum, target| {
            sum.add(target);
            sum
        })
    }

    /// How a program ends whose run came to this: [`exit::FAILURES`], or [`exit::NOTHING_SELECTED`] when there is no
    /// record, or [`exit::LOST`] when machines were lost, or [`exit::MISSING`] when all were skipped, or [`exit::OK`].
    pub fn exit_status(&self) -> u8 {
        let total = self.total();
        match total.configurations() {
            _ if !self.failures.is_empty() => exit::FAILURES,
            0 => exit::NOTHING_SELECTED,
            _ if !self.lost.is_empty() => exit::LOST,
            all if all == total.count(Status::Skipped) => exit::MISSING,
            _ => exit::OK,
        }
    }
}

/// Seconds as a report shows them: what is not a time is none.
pub(crate) fn seconds(seconds: f64) -> f64 {
    if seconds.is_finite() && seconds > 0.0 { seconds } else { 0.0 }
}

/// Counts come from files that anybody may have written: they stop at the top.
fn increase(count: &mut usize, by: usize) {
    *count = count.saturating_add(by);
}

/// The entry of `key`.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    map.entry(key.to_owned()).or_default()
}
