//! A run against an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::parts::{Name, head, href, number, word};
use crate::compare::{CORRELATION, Change, Comparison, Slower, Suspect};
use crate::text::{clean, counted};

/// So many configurations of a case are named.
const NAMED: usize = 12;

/// Configurations that came out in the same new way.
pub(super) struct List<'a> {
    /// What they did.
    pub(super) word: &'static str,
    /// Whether that is good or bad: a class.
    class: &'static str,
    /// Their names, and what is to be said of each.
    of: Vec<(&'a str, String)>,
}

impl<'a> List<'a> {
    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.of.iter().map(|(name, _)| *name)
    }
}

/// The lists of a comparison, the empty ones too.
pub(super) fn lists(comparison: &Comparison) -> [List<'_>; 5] {
    fn changes(changes: &[Change]) -> Vec<(&str, String)> {
        let how = |change: &Change| format!("{} → {}", word(change.before), word(change.now));
        changes.iter().map(|change| (change.name.as_str(), how(change))).collect()
    }
    fn names(names: &[String]) -> Vec<(&str, String)> {
        names.iter().map(|name| (name.as_str(), String::new())).collect()
    }
    [
        List { word: "regressed", class: "failed", of: changes(&comparison.regressed) },
        List { word: "fixed", class: "passed", of: changes(&comparison.fixed) },
        List { word: "skipped now", class: "skipped", of: names(&comparison.skipped) },
        List { word: "appeared", class: "", of: names(&comparison.appeared) },
        List { word: "vanished", class: "skipped", of: names(&comparison.vanished) },
    ]
}

/// The whole comparison. Cases of which the page has a row (`known`) are links.
pub(super) fn body(comparison: &Comparison, known: &BTreeSet<&str>) -> Markup {
    let lists = lists(comparison);
    html! {
        @for (complete, which) in [(comparison.complete.0, "old"), (comparison.complete.1, "new")] {
            @if !complete { p.bad { "The " (which) " run was cut short: what it did not get to is missing." } }
        }
        div.wide { table {
            (head(&[], lists.iter().map(|list| list.word).chain(["cases slower", "in both"])))
            tbody { tr {
                @for list in &lists { (number(list.of.len(), list.class)) }
                (number(comparison.slower.len(), "skipped"))
                (number(comparison.common, ""))
            } }
        } }
        @if !comparison.suspects.is_empty() { (suspects(comparison)) }
        @for list in lists.iter().filter(|list| !list.of.is_empty()) { (cases(list, known)) }
        @if !comparison.slower.is_empty() { (slower(&comparison.slower)) }
    }
}

fn suspects(comparison: &Comparison) -> Markup {
    html! {
        h3 { "Relocations that the regressions have in common" }
        p.note { (CORRELATION) }
        div.wide { table {
            (head(&["relocation"], ["fail now", "of those with it", "regressions with it", "others alike"]))
            tbody {
                @for Suspect { relocation, failing, holding, explains, alike } in &comparison.suspects {
                    tr {
                        td { code { (clean(relocation)) } }
                        (number(*failing, "failed"))
                        (number(*holding, ""))
                        (number(*explains, ""))
                        (number(*alike, ""))
                    }
                }
            }
        } }
        @if comparison.unexplained > 0 {
            p.note { (counted(comparison.unexplained, "regression")) " without any relocation." }
        }
    }
}

/// A list by case: whole corpora may have appeared.
fn cases(list: &List<'_>, known: &BTreeSet<&str>) -> Markup {
    let mut cases: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (name, how) in &list.of {
        let name = Name::of(name);
        cases.entry((name.case, how)).or_default().push(name.configuration);
    }
    html! {
        h3 { (list.word) ": " (list.of.len()) }
        div.wide { table {
            thead { tr { th { "case" } th.n { "configurations" } th { "which" } } }
            tbody {
                @for ((case, how), which) in &cases {
                    @let name = Name::of(case);
                    tr data-target=(clean(name.target)) data-group=(clean(name.group)) data-status=(list.word) {
                        td {
                            @if known.contains(case) { a href=(href(case)) { code { (clean(case)) } } }
                            @else { code { (clean(case)) } }
                            @if !how.is_empty() { " " span class=(list.class) { (how) } }
                        }
                        td.n { (which.len()) }
                        td { (configurations(case, which, known)) }
                    }
                }
            }
        } }
    }
}

fn configurations(case: &str, which: &[&str], known: &BTreeSet<&str>) -> Markup {
    html! {
        @for configuration in which.iter().take(NAMED) {
            @let text = html! { code { (clean(configuration)) } };
            span.item {
                @if known.contains(case) { a href=(href(&format!("{case}/{configuration}"))) { (text) } } @else { (text) }
            }
        }
        @if which.len() > NAMED { span.item { "and " (which.len() - NAMED) " more" } }
    }
}

fn slower(slower: &[Slower]) -> Markup {
    html! {
        h3 { "slower" }
        div.wide { table {
            (head(&["case"], ["seconds before", "seconds now"]))
            tbody {
                @for Slower { case, before, now } in slower {
                    tr {
                        td { code { (clean(case)) } }
                        td.n { (format!("{before:.3}")) }
                        td.n { (format!("{now:.3}")) }
                    }
                }
            }
        } }
    }
}
