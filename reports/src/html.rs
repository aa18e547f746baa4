//! Reports as one HTML file: a run, the coverage matrix, a comparison, or what there is of them.
//!
//! The file asks for nothing: style and script are in it, and its own policy forbids every load. Text is escaped by
//! `maud`. Without the script all of it can be read; the script only filters, follows anchors and copies.

mod cases;
mod comparison;
mod failures;
mod matrix;
mod parts;
mod run;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::causes;
use crate::compare::Comparison;
use crate::coverage::Matrix;
use crate::json::Report;
use crate::markdown;
use crate::summary::Summary;
use crate::terminal::in_words;
use crate::text::clean;
use crate::{exit, model};

/// Nothing is loaded, whatever a name may hold.
pub(crate) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What a page shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// A run.
    pub run: Option<&'a Report>,
    /// What is proven of each relocation.
    pub matrix: Option<&'a Matrix>,
    /// A run against an earlier one.
    pub comparison: Option<&'a Comparison>,
}

/// A part of the page with a heading.
struct Section {
    /// Its anchor.
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The page.
pub fn render(page: &Page<'_>) -> String {
    let summary = page.run.map(Summary::of);
    let cases = page.run.map(cases::group).unwrap_or_default();
    let known = cases.keys().copied().collect();
    let mut sections = Vec::new();
    if let Some(summary) = &summary {
        sections.push(Section { id: "targets", title: "Targets", body: run::targets(summary) });
    }
    if let Some(comparison) = page.comparison {
        sections.push(Section { id: "comparison", title: "Comparison", body: comparison::body(comparison, &known) });
    }
    if let Some(summary) = &summary {
        sections.extend(failures::section(summary));
    }
    if let Some(matrix) = page.matrix {
        sections.extend(matrix::sections(matrix, &known));
    }
    if let Some(summary) = &summary {
        sections.extend(run::reasons(summary));
        sections.push(Section { id: "relocations", title: "Relocations of this run", body: run::relocations(summary) });
        sections.push(Section { id: "cases", title: "Cases", body: cases::table(&cases, &summary.total()) });
        sections.push(Section { id: "toolchains", title: "Toolchains", body: run::toolchains(&summary.start) });
    }
    let good = good(page, summary.as_ref());
    let verdict = if good { "passed" } else { "not passed" };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Linkrig: " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Linkrig " span.verdict.good[good].bad[!good] { (verdict) } }
                    @if let Some(summary) = &summary {
                        p.words {
                            (in_words(summary))
                            @if !summary.failures.is_empty() {
                                " · " a href="#failures" { (causes::in_words(summary.failures.len(), summary.causes().len())) }
                            }
                        }
                        (origin(&summary.start))
                    }
                }
                nav { @for section in &sections { a href={ "#" (section.id) } { (section.title) } } }
                (filters(page))
                main {
                    @for section in &sections {
                        section id=(section.id) { h2 { (section.title) } (section.body) }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// Whether all that the page shows is as it should be.
fn good(page: &Page<'_>, summary: Option<&Summary>) -> bool {
    summary.is_none_or(|summary| summary.exit_status() == exit::OK && summary.complete())
        && page.matrix.is_none_or(|matrix| !matrix.failed())
        && page.comparison.is_none_or(|comparison| comparison.exit_status() == exit::OK)
}

/// When, where and of what it is, who wrote it, and by which command.
fn origin(start: &model::Start) -> Markup {
    let facts = markdown::origin(start);
    html! {
        @if !facts.is_empty() {
            dl.facts { @for (what, text) in facts { div { dt { (what) } dd { (clean(text)) } } } }
        }
        p.origin {
            (clean(&start.program))
            @if !start.command.is_empty() { " " code { (clean(&start.command.join(" "))) } }
        }
    }
}

/// The controls, which only the script shows.
fn filters(page: &Page<'_>) -> Markup {
    let mut targets = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for record in page.run.iter().flat_map(|report| &report.results) {
        targets.insert(record.target.as_str());
        groups.insert(parts::group(&record.case));
        statuses.insert(parts::word(record.status));
    }
    if let Some(matrix) = page.matrix {
        targets.extend(matrix.targets());
        statuses.extend(matrix::STATUSES);
    }
    if let Some(comparison) = page.comparison {
        let names = comparison::lists(comparison);
        targets.extend(names.iter().flat_map(|list| list.names()).map(|name| parts::Name::of(name).target));
        groups.extend(names.iter().flat_map(|list| list.names()).map(|name| parts::Name::of(name).group));
        statuses.extend(names.iter().map(|list| list.word));
    }
    html! {
        form id="filter" hidden {
            input name="filter" type="search" placeholder="filter: words, all of which must occur" aria-label="filter";
            @for (name, values) in [("target", targets), ("group", groups), ("status", statuses)] {
                select name=(name) aria-label=(name) {
                    option value="" { "every " (name) }
                    @for value in values { option { (clean(value)) } }
                }
            }
            button type="reset" { "clear" }
        }
    }
}
