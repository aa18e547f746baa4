//! Where the events of a run go: the terminal or the JSON stream, and the reports that are written at its end.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;
use outside::stop;
use reports::compare::Comparison;
use reports::html::Page;
use reports::json::Report;
use reports::model::{Event, Record, Start};
use reports::summary::Summary;
use reports::{html, markdown, terminal};

use super::{Args, Kind};
use crate::{exit, stdout};

/// Where there is no progress bar, a line for so many builds.
const LINE_EVERY: usize = 1000;

/// Where events go: the terminal or the JSON stream, and the reports.
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) bar: ProgressBar,
    start: Start,
    pub(super) records: Vec<Record>,
}

impl Output {
    pub(super) fn new(args: &Args) -> Output {
        let json = args.message_format == "json";
        Output { json, bar: crate::command::progress(0), start: Start::default(), records: Vec::new() }
    }

    pub(super) fn building(&self, done: usize, total: usize, name: &str) {
        if self.bar.is_hidden() && (done.is_multiple_of(LINE_EVERY) || done == total) {
            note!("built {done} of {total}");
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("building {name}"));
        if done == total {
            self.bar.set_length(self.start.selected as u64);
            self.bar.set_position(0);
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        if self.json {
            // What does not get out is said at the end, once.
            let _ = reports::json::Lines::new(&mut stdout::writer()).event(event);
        }
        match event {
            Event::Start(start) => {
                self.bar.set_length(start.selected as u64);
                self.start = start.clone();
            }
            Event::Result(record) => {
                self.bar.inc(1);
                if record.status.is_failure() {
                    self.bar.set_message(format!("FAIL {}", record.name));
                }
                self.records.push(Record::clone(record));
            }
            Event::End(_) => {}
        }
    }

    /// Writes summary and reports, and says how the run ended.
    pub(super) fn finish(
        mut self,
        args: &Args,
        seconds: f64,
        stopped: Option<String>,
        baseline: Option<Report>,
        reports: Vec<(Kind, outside::Output)>,
    ) -> anyhow::Result<u8> {
        self.bar.finish_and_clear();
        self.records.sort_by(|a, b| a.name.cmp(&b.name));
        let mut summary = Summary::new(self.start.clone());
        self.records.iter().for_each(|record| summary.push(record));
        // Records of `covers` are more than was selected.
        let ended = self.records.iter().filter(|record| !record.executor.is_empty()).count();
        let not_run = self.start.selected.saturating_sub(ended);
        let totals = match stopped.filter(|_| not_run > 0) {
            None => summary.finish(seconds),
            Some(option) => summary.stop(seconds, not_run, format!("stopped by {option}")),
        };
        // A report without totals is of a run that was cut short.
        let whole = !stop::requested();
        if whole {
            self.event(&Event::End(totals.clone()));
        }
        if !self.json {
            let terminal = std::io::stdout().is_terminal();
            let colour = terminal && std::env::var_os("NO_COLOR").is_none();
            let width = terminal.then(|| usize::from(console::Term::stdout().size().1));
            let text = terminal::render(&summary, &terminal::Style { colour, width, relocations: args.relocations });
            stdout::raw(text.as_bytes());
            if !whole {
                let (ran, selected) = (self.records.len(), self.start.selected);
                stdout::print(&format!("cut short: {ran} of {selected} configurations ended\n"));
            }
        }
        let ran = self.records.iter().filter(|record| record.status.is_result()).count();
        // A suite of which nothing ran says nothing.
        let least = args.at_least.max(usize::from(args.suite.suite.is_some() && whole));
        let status = if ran < least {
            note!("only {ran} configurations ran, and at least {least} have to");
            exit::FAILURES
        } else {
            summary.exit_status()
        };
        let report = Report { start: self.start, results: self.records, totals: whole.then_some(totals) };
        let comparison = baseline.map(|mut baseline| {
            if args.is_selective() {
                // What was not asked for has not vanished.
                let names: HashSet<&str> = report.results.iter().map(|record| record.name.as_str()).collect();
                baseline.results.retain(|record| names.contains(record.name.as_str()));
            }
            Comparison::of(&baseline, &report)
        });
        let mut written = Vec::new();
        for (kind, output) in reports {
            written.push(write_report(kind, output, &report, &summary, comparison.as_ref()));
        }
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
            written.push(append_step_summary(Path::new(&path), &summary));
        }
        let status = match &comparison {
            None => status,
            Some(comparison) => {
                if !self.json {
                    stdout::raw(format!("\n{}", comparison.terminal()).as_bytes());
                }
                status.max(comparison.exit_status())
            }
        };
        // One that cannot be written costs none of the others.
        written.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(status)
    }
}

fn write_report(
    kind: Kind,
    output: outside::Output,
    report: &Report,
    summary: &Summary,
    comparison: Option<&Comparison>,
) -> anyhow::Result<()> {
    output.write(|out| match kind {
        Kind::Json => report.write(out),
        Kind::Junit => reports::junit::write(report, out),
        Kind::Markdown => out.write_all(markdown::render(summary, markdown::STEP_SUMMARY_LIMIT).as_bytes()),
        Kind::Html => out.write_all(html::render(&Page { run: Some(report), comparison, matrix: None }).as_bytes()),
    })?;
    Ok(())
}

/// Adds the report to what the steps of a workflow have to say, within what may be shown in all.
fn append_step_summary(path: &Path, summary: &Summary) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).context("GITHUB_STEP_SUMMARY")?;
    let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let room = markdown::STEP_SUMMARY_LIMIT.saturating_sub(taken);
    Ok(file.write_all(markdown::render(summary, room).as_bytes())?)
}
