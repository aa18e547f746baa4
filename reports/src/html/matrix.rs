//! The coverage matrix: relocation by proof by target.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::Section;
use super::parts::{Name, bar, href};
use crate::coverage::{Cell, Count, Line, Matrix, Outcome, PROOFS, Proof};
use crate::text::clean;

/// The words for what a cell can be.
pub(super) const STATUSES: [&str; 4] = ["passed", "failed", "not-covered", "not-applicable"];

/// What does not apply, by reason and evidence.
type Reasons<'a> = BTreeMap<(&'a str, &'a str), Vec<(&'a Line, Proof)>>;

/// Counts, what failed, the matrix, what does not apply. Cases of which the page has a row (`known`) are links.
pub(super) fn sections(matrix: &Matrix, known: &BTreeSet<&str>) -> Vec<Section> {
    let mut reasons = Reasons::new();
    for line in &matrix.lines {
        for (proof, cell) in &line.cells {
            if let Outcome::NotApplicable { reason, evidence } = &cell.outcome {
                reasons.entry((reason, evidence)).or_default().push((line, *proof));
            }
        }
    }
    let mut sections = vec![Section { id: "coverage", title: "Coverage", body: counts(matrix) }];
    if matrix.failed() {
        sections.push(Section { id: "coverage-failed", title: "Not proven", body: failed(matrix) });
    }
    sections.push(Section { id: "matrix", title: "Matrix", body: table(matrix, &reasons, known) });
    if !reasons.is_empty() {
        sections.push(Section { id: "not-applicable", title: "Not applicable", body: not_applicable(&reasons) });
    }
    sections
}

fn counts(matrix: &Matrix) -> Markup {
    html! {
        p.note { "Relocations of the ABI by what is proven of them: passed, " b.failed { "failed" } ", not covered, not applicable." }
        div.wide { table {
            thead { tr { th { "target" } @for proof in PROOFS { th { (proof.name()) } } } }
            tbody {
                @for target in matrix.targets() {
                    tr {
                        th scope="row" { code { (clean(target)) } }
                        @for proof in PROOFS { td { (count(matrix.count(target, proof))) } }
                    }
                }
            }
        } }
    }
}

fn count(count: Count) -> Markup {
    let Count { passed, failed, open, not_applicable } = count;
    let shares: Vec<(&str, usize)> = STATUSES.into_iter().zip([passed, failed, open, not_applicable]).collect();
    html! {
        (bar(&shares))
        span.counts { @for (class, count) in &shares { span class=[(*count > 0).then_some(class)] title=(class) { (count) } " " } }
    }
}

fn table(matrix: &Matrix, reasons: &Reasons<'_>, known: &BTreeSet<&str>) -> Markup {
    html! {
        p.note { "A number says how many links or configurations showed it; open it to see which. – is not covered: nothing tried." }
        div.wide { table.matrix {
            thead { tr { th { "relocation" } th.n { "number" } th { "target" } @for proof in PROOFS { th.n { (proof.name()) } } } }
            tbody {
                @for line in &matrix.lines {
                    tr data-target=(clean(&line.target)) data-status=(statuses(line)) {
                        td { code { (clean(&line.relocation)) } }
                        td.n { (line.number) }
                        td { (clean(&line.target)) }
                        @for proof in PROOFS { (cell(line, proof, reasons, known)) }
                    }
                }
            }
        } }
    }
}

/// The word for a cell.
fn status(cell: Option<&Cell>) -> &'static str {
    let [passed, failed, open, not_applicable] = STATUSES;
    match cell.map(|cell| &cell.outcome) {
        Some(Outcome::Passed) => passed,
        Some(Outcome::Failed { .. }) => failed,
        Some(Outcome::NotApplicable { .. }) => not_applicable,
        None => open,
    }
}

fn statuses(line: &Line) -> String {
    let present: BTreeSet<&str> = PROOFS.iter().map(|proof| status(line.cells.get(proof))).collect();
    present.into_iter().collect::<Vec<_>>().join(" ")
}

fn cell(line: &Line, proof: Proof, reasons: &Reasons<'_>, known: &BTreeSet<&str>) -> Markup {
    let cell = line.cells.get(&proof);
    let (text, target) = match cell.map(|cell| (&cell.outcome, cell.runs)) {
        None => ("–".to_owned(), None),
        Some((Outcome::Passed, runs)) => (runs.to_string(), None),
        Some((Outcome::Failed { .. }, _)) => ("FAILED".to_owned(), Some(anchor(line, proof))),
        Some((Outcome::NotApplicable { reason, evidence }, _)) => {
            let index = reasons.keys().position(|key| *key == (reason.as_str(), evidence.as_str()));
            ("n/a".to_owned(), index.map(|index| format!("not-applicable-{}", index + 1)))
        }
    };
    let cases = cell.map_or(&[][..], |cell| &cell.cases);
    html! {
        td class={ "n " (status(cell)) } {
            @if let Some(target) = &target { a href=(href(target)) { (text) } } @else if cases.is_empty() { (text) }
            @if !cases.is_empty() {
                details {
                    summary { @if target.is_none() { (text) } @else { "cases" } }
                    ul { @for name in cases { li { (case(name, known)) } } }
                }
            }
        }
    }
}

/// The name of a configuration, as a link where the page has its case.
pub(super) fn case(name: &str, known: &BTreeSet<&str>) -> Markup {
    let text = html! { code { (clean(name)) } };
    html! { @if known.contains(Name::of(name).case) { a href=(href(name)) { (text) } } @else { (text) } }
}

/// Where the page says why a cell failed.
fn anchor(line: &Line, proof: Proof) -> String {
    format!("{}/{}/{}", line.target, line.relocation, proof.name())
}

fn failed(matrix: &Matrix) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th { "relocation" } th { "target" } th { "proof" } th { "why" } } }
            tbody {
                @for (line, proof, why) in matrix.failures() {
                    tr id=(clean(&anchor(line, proof))) data-target=(clean(&line.target)) data-status="failed" {
                        td { code { (clean(&line.relocation)) } }
                        td { (clean(&line.target)) }
                        td { (proof.name()) }
                        td { (clean(why)) }
                    }
                }
            }
        } }
    }
}

fn not_applicable(reasons: &Reasons<'_>) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th.n { "cells" } th { "reason" } th { "evidence" } th { "relocations" } } }
            tbody {
                @for (index, ((reason, evidence), cells)) in reasons.iter().enumerate() {
                    tr id={ "not-applicable-" (index + 1) } data-target=(targets(cells)) data-status="not-applicable" {
                        td.n { (cells.len()) }
                        td { (clean(reason)) }
                        td { (clean(evidence)) }
                        td { (relocations(cells)) }
                    }
                }
            }
        } }
    }
}

fn targets(cells: &[(&Line, Proof)]) -> String {
    let targets: BTreeSet<_> = cells.iter().map(|(line, _)| clean(&line.target)).collect();
    targets.into_iter().collect::<Vec<_>>().join(" ")
}

/// Relocations with the proofs that do not apply, each once however many targets have it.
fn relocations(cells: &[(&Line, Proof)]) -> Markup {
    let mut by_name: BTreeMap<&str, BTreeSet<Proof>> = BTreeMap::new();
    for (line, proof) in cells {
        by_name.entry(&line.relocation).or_default().insert(*proof);
    }
    html! {
        @for (name, proofs) in by_name {
            span.item { code { (clean(name)) } " " (proofs.iter().map(|proof| proof.name()).collect::<Vec<_>>().join(", ")) }
        }
    }
}
