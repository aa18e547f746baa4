//! Reports as text for people at a terminal.

use std::fmt::Write;

use crate::causes::{self, Cause};
use crate::failure::{self, Kind};
use crate::model::{Record, Status, Totals};
use crate::summary::{self, Summary, TargetSummary};
use crate::text::{clean, columns, counted, counts, wrap};

/// What the terminal can do. By default nothing: no colours, lines as long as they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub colour: bool,
    /// How many columns there are. Prose and numbers are broken to fit, lines to copy never are.
    pub width: Option<usize>,
    /// Whether the table of relocations is wanted, which has hundreds of rows.
    pub relocations: bool,
}

/// So many causes are shown with an example.
const CAUSES: usize = 10;
/// So many more have a line.
const LINES: usize = 20;
/// So many reasons for skips are shown.
const REASONS: usize = 5;

/// Everything: relocations if they are wanted, skips, expected failures, failures by cause, targets and the last line, with
/// blank lines between.
pub fn render(summary: &Summary, style: &Style) -> String {
    let relocations = if style.relocations { relocations(summary, style) } else { String::new() };
    let mut parts = vec![relocations, skips(summary, style)];
    parts.extend(causes(summary, style));
    parts.push(targets(summary, style));
    parts.push(verdict(summary, style));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// One failure, with the lines to copy.
pub fn failure(record: &Record, style: &Style) -> String {
    let mut out = String::new();
    for line in failure::lines(record, style.width) {
        let paint = match line.kind {
            Kind::Title => Paint::Bad,
            Kind::Suspect => Paint::Strong,
            Kind::Problem | Kind::Detail => Paint::Plain,
            Kind::Command => Paint::Faint,
        };
        style.line(&mut out, &line.text, paint);
    }
    out
}

/// The failures by cause: the first ones with an example each, then a line each, then their number.
pub fn causes(summary: &Summary, style: &Style) -> Vec<String> {
    let causes = summary.causes();
    let mut parts: Vec<String> = causes.iter().take(CAUSES).map(|cause| one_cause(cause, style)).collect();
    let mut rest = String::new();
    for cause in causes.iter().skip(CAUSES).take(LINES) {
        let text = format!("{:6}  {}: {}", cause.count(), clean(cause.case), cause.message);
        match style.width {
            Some(width) => wrap(&text, width, 8).iter().for_each(|line| style.line(&mut rest, line, Paint::Plain)),
            None => style.line(&mut rest, &text, Paint::Plain),
        }
    }
    if let Some(more @ 1..) = causes.len().checked_sub(CAUSES + LINES) {
        style.line(&mut rest, &format!("and {more} more causes, which the reports have"), Paint::Plain);
    }
    parts.push(rest);
    parts
}

/// A cause: the example, and which other configurations fail alike.
fn one_cause(cause: &Cause<'_>, style: &Style) -> String {
    let mut out = failure(cause.example(), style);
    if cause.count() > 1 {
        let text = format!("  and {} alike: {}", counted(cause.count() - 1, "configuration"), clean(&cause.spread()));
        match style.width {
            Some(width) => wrap(&text, width, 4).iter().for_each(|line| style.line(&mut out, line, Paint::Strong)),
            None => style.line(&mut out, &text, Paint::Strong),
        }
    }
    out
}

/// The table of targets; empty if there are none.
pub fn targets(summary: &Summary, style: &Style) -> String {
    if summary.targets.is_empty() {
        return String::new();
    }
    let total = summary.total();
    let statuses = shown(&total);
    let mut heading = vec!["target"];
    heading.extend(statuses.iter().map(|(_, name)| *name));
    heading.extend(["checks", "seconds"]);
    let row = |name: &str, of: &TargetSummary| {
        let mut row = vec![(clean(name).into_owned(), Paint::Plain)];
        row.extend(statuses.iter().map(|(status, _)| {
            let count = of.count(*status);
            (count.to_string(), if count == 0 { Paint::Plain } else { Paint::of(*status) })
        }));
        row.push((of.checks.to_string(), Paint::Plain));
        row.push((format!("{:.2}", summary::seconds(of.seconds)), Paint::Plain));
        row
    };
    let mut rows: Vec<Row> = summary.targets.iter().map(|(name, of)| row(name, of)).collect();
    if rows.len() > 1 {
        rows.push(row("all", &total));
    }
    table(&heading, 1, &rows, style)
}

/// The table of relocations; empty if there are none.
pub fn relocations(summary: &Summary, style: &Style) -> String {
    if summary.relocations.is_empty() {
        return String::new();
    }
    let rows: Vec<Row> = summary
        .relocations
        .iter()
        .map(|((relocation, target), of)| {
            let failed = if of.failed == 0 { Paint::Plain } else { Paint::Bad };
            vec![
                (clean(relocation).into_owned(), failed),
                (clean(target).into_owned(), Paint::Plain),
                (of.applied.to_string(), Paint::Plain),
                (of.configurations.to_string(), Paint::Plain),
                (of.failed.to_string(), failed),
            ]
        })
        .collect();
    table(&["relocation", "target", "applied", "configurations", "failed"], 2, &rows, style)
}

/// Skips, expected failures and losses, by reason; empty if there are none.
pub fn skips(summary: &Summary, style: &Style) -> String {
    let mut out = String::new();
    let all = [
        ("skipped", &summary.skips),
        ("refused by the linker", &summary.refused),
        ("failed as expected", &summary.expected_failures),
        ("lost with their machines", &summary.lost),
    ];
    for (what, reasons) in all {
        if reasons.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        style.line(&mut out, what, Paint::Strong);
        let digits = reasons.values().map(|count| columns(&count.to_string())).max().unwrap_or(0);
        let mut ranked: Vec<_> = reasons.iter().collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in ranked.iter().take(REASONS) {
            let text = format!("  {count:>digits$}  {}", clean(reason));
            match style.width {
                Some(width) => {
                    wrap(&text, width, digits + 4).iter().for_each(|line| style.line(&mut out, line, Paint::Plain))
                }
                None => style.line(&mut out, &text, Paint::Plain),
            }
        }
        if let Some((_, rest)) = ranked.split_at_checked(REASONS).filter(|(_, rest)| !rest.is_empty()) {
            let count = rest.iter().fold(0usize, |sum, (_, count)| sum.saturating_add(**count));
            let text =
                format!("  {count:>digits$}  for {}, which the reports have", counted(rest.len(), "other reason"));
            style.line(&mut out, &text, Paint::Plain);
        }
    }
    out
}

/// The last line: what the run came to.
pub fn verdict(summary: &Summary, style: &Style) -> String {
    let mut out = String::new();
    let good = summary.exit_status() == crate::exit::OK && summary.complete();
    if !summary.failures.is_empty() {
        let words = causes::in_words(summary.failures.len(), summary.causes().len());
        style.line(&mut out, &words, Paint::Bad);
    }
    style.line(&mut out, &in_words(summary), if good { Paint::Good } else { Paint::Bad });
    out
}

/// `1 failed, 10 passed in 0.50 s`.
pub(crate) fn in_words(summary: &Summary) -> String {
    let total = summary.total();
    let ended = total.configurations();
    let text = if ended == 0 {
        "nothing was run".to_owned()
    } else {
        counts(&[
            (total.count(Status::Passed), "passed"),
            (total.count(Status::Failed), "failed"),
            (total.count(Status::UnexpectedPass), "passed unexpectedly"),
            (total.count(Status::ExpectedFailure), "failed as expected"),
            (total.count(Status::Skipped), "skipped"),
            (total.count(Status::Refused), "refused"),
            (total.count(Status::Lost), "lost"),
        ])
    };
    match &summary.totals {
        Some(Totals { seconds, not_run, stopped: Some(why), .. }) => {
            format!("{text}, {not_run} not run in {:.2} s: {}", summary::seconds(*seconds), clean(why))
        }
        Some(totals) => format!("{text} in {:.2} s", summary::seconds(totals.seconds)),
        None => format!("{text}; cut short after {ended} of {}", counted(summary.start.selected, "configuration")),
    }
}

/// The statuses that tables have a column for: the marks only where there are some.
pub(crate) fn shown(total: &TargetSummary) -> Vec<(Status, &'static str)> {
    [
        (Status::Passed, "passed"),
        (Status::Failed, "failed"),
        (Status::UnexpectedPass, "xpassed"),
        (Status::ExpectedFailure, "xfailed"),
        (Status::Skipped, "skipped"),
        (Status::Refused, "refused"),
        (Status::Lost, "lost"),
    ]
    .into_iter()
    .filter(|(status, _)| {
        matches!(status, Status::Passed | Status::Failed | Status::Skipped) || total.count(*status) != 0
    })
    .collect()
}

/// What a text means, in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Warn,
}

impl Paint {
    fn of(status: Status) -> Self {
        match status {
            Status::Passed => Paint::Good,
            Status::Failed | Status::UnexpectedPass => Paint::Bad,
            Status::Skipped | Status::Refused | Status::ExpectedFailure | Status::Lost => Paint::Warn,
        }
    }

    fn code(self) -> Option<&'static str> {
        match self {
            Paint::Plain => None,
            Paint::Strong => Some("1"),
            Paint::Faint => Some("2"),
            Paint::Good => Some("32"),
            Paint::Bad => Some("1;31"),
            Paint::Warn => Some("33"),
        }
    }
}

impl Style {
    fn paint(&self, out: &mut String, text: &str, paint: Paint) {
        let _ = match paint.code().filter(|_| self.colour && !text.is_empty()) {
            Some(code) => write!(out, "\x1b[{code}m{text}\x1b[0m"),
            None => out.write_str(text),
        };
    }

    fn line(&self, out: &mut String, text: &str, paint: Paint) {
        self.paint(out, text.trim_end(), paint);
        out.push('\n');
    }
}

type Row = Vec<(String, Paint)>;

/// A table with `left` columns of text, then numbers. Where it is too wide, the first column goes on a line of its own.
fn table(heading: &[&str], left: usize, rows: &[Row], style: &Style) -> String {
    let heading: Row = heading.iter().map(|name| ((*name).to_owned(), Paint::Strong)).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let mut widths: Vec<usize> = (0..heading.len())
        .map(|column| all().filter_map(|row| row.get(column)).map(|cell| columns(&cell.0)).max().unwrap_or(0))
        .collect();
    let wide = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    let folded = style.width.is_some_and(|width| wide > width);
    if let Some(first) = widths.first_mut().filter(|_| folded) {
        *first = 2;
    }
    let mut out = String::new();
    for row in all() {
        let mut pending = 0;
        for (column, ((text, paint), width)) in row.iter().zip(&widths).enumerate() {
            let pad = width.saturating_sub(columns(text));
            if column == 0 && folded {
                style.line(&mut out, text, *paint);
                pending = *width;
                continue;
            }
            let (before, after) = if column < left { (0, pad) } else { (pad, 0) };
            out.extend(std::iter::repeat_n(' ', pending + before + if column == 0 { 0 } else { 2 }));
            style.paint(&mut out, text, *paint);
            pending = after;
        }
        out.push('\n');
    }
    out
}
