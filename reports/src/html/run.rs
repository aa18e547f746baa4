//! The results of a run: targets, reasons, relocations, toolchains.

use maud::{Markup, html};

use super::Section;
use super::parts::{bar, filter, head, number, word};
use crate::model::{Start, Status};
use crate::summary::{Summary, TargetSummary, seconds};
use crate::terminal::shown;
use crate::text::{clean, counted};

/// Counts by target, and what of the selection really ran.
pub(super) fn targets(summary: &Summary) -> Markup {
    let total = summary.total();
    let statuses = shown(&total);
    let row = |name: &str, of: &TargetSummary| {
        let shares: Vec<(&str, usize)> = statuses.iter().map(|&(status, name)| (name, of.count(status))).collect();
        html! {
            th scope="row" { code { (name) } }
            td { (bar(&shares)) }
            (number(ran(of), ""))
            @for (class, count) in &shares { (number(*count, class)) }
            (number(of.checks, ""))
            td.n { (format!("{:.2}", seconds(of.seconds))) }
        }
    };
    let columns = ["ran"].into_iter().chain(statuses.iter().map(|&(_, name)| name)).chain(["checks", "seconds"]);
    html! {
        p {
            (counted(summary.start.selected, "configuration")) " selected; " (counted(total.configurations(), "result")) ", of which "
            (ran(&total)) " ran; " (counted(total.checks, "fact")) " judged."
        }
        div.wide { table {
            (head(&["target", ""], columns))
            tbody {
                @for (name, of) in &summary.targets { tr { (row(&clean(name), of)) } }
                @if summary.targets.len() > 1 { tr.sum { (row("all", &total)) } }
            }
        } }
    }
}

/// Configurations that were neither skipped, refused nor lost.
fn ran(of: &TargetSummary) -> usize {
    let not = [Status::Skipped, Status::Refused, Status::Lost].map(|status| of.count(status));
    not.into_iter().fold(of.configurations(), usize::saturating_sub)
}

/// Skips and expected failures, by reason.
pub(super) fn reasons(summary: &Summary) -> impl Iterator<Item = Section> {
    let all = [
        ("skipped", "Skipped", &summary.skips, Status::Skipped),
        ("refused", "Refused by the linker", &summary.refused, Status::Refused),
        ("expected-failures", "Failed as expected", &summary.expected_failures, Status::ExpectedFailure),
        ("lost", "Lost with their machines", &summary.lost, Status::Lost),
    ];
    all.into_iter().filter(|(_, _, reasons, _)| !reasons.is_empty()).map(|(id, title, reasons, status)| {
        let body = html! {
            div.wide { table {
                thead { tr { th.n { "configurations" } th { "reason" } } }
                tbody {
                    @for (reason, count) in reasons {
                        tr { td.n { (count) } td { (clean(reason)) } }
                    }
                }
            } }
            p.note { "Which they are, " a href=(filter(&[("status", word(status))])) { "the cases" } " say." }
        };
        Section { id, title, body }
    })
}

/// What was seen of each relocation.
pub(super) fn relocations(summary: &Summary) -> Markup {
    html! {
        p.note { "Configurations that hold a relocation, however they ended. That one passes is no proof that the relocation mattered to it." }
        div.wide { table {
            (head(&["relocation", "target"], ["applied", "configurations", "passed", "failed"]))
            tbody {
                @for ((relocation, target), of) in &summary.relocations {
                    tr data-target=(clean(target)) data-status=(status(of.passed, of.failed)) {
                        td { a href=(filter(&[("filter", relocation), ("target", target)])) { code { (clean(relocation)) } } }
                        td { (clean(target)) }
                        td.n { (of.applied) }
                        (number(of.configurations, ""))
                        (number(of.passed, "passed"))
                        (number(of.failed, "failed"))
                    }
                }
            }
        } }
    }
}

fn status(passed: usize, failed: usize) -> String {
    [(passed, "passed"), (failed, "failed")]
        .iter()
        .filter(|part| part.0 > 0)
        .map(|part| part.1)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What built the objects.
pub(super) fn toolchains(start: &Start) -> Markup {
    html! {
        div.wide { table { tbody {
            @for (label, version) in &start.toolchains {
                tr { th scope="row" { code { (clean(label)) } } td { (clean(version)) } }
            }
        } } }
    }
}
