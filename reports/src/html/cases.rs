//! The cases of a run, a row each: tens of thousands of configurations are a few thousand cases.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::parts::{Name, group as group_of, head, number, word};
use crate::json::Report;
use crate::model::{Record, Status};
use crate::summary::{TargetSummary, seconds};
use crate::terminal::shown;
use crate::text::clean;

/// Configurations by the name of their case.
pub(super) type Cases<'a> = BTreeMap<&'a str, Vec<&'a Record>>;

/// The cases of a run.
pub(super) fn group(report: &Report) -> Cases<'_> {
    let mut cases = Cases::new();
    for record in &report.results {
        cases.entry(Name::of(&record.name).case).or_default().push(record);
    }
    cases
}

/// The table of cases.
pub(super) fn table(cases: &Cases<'_>, total: &TargetSummary) -> Markup {
    let statuses = shown(total);
    let numbers = statuses.iter().map(|&(_, name)| name).chain(["checks", "seconds"]);
    html! {
        p.note { "Open a case to see in which builds and layouts it ran, and the relocations applied." }
        div.wide { table {
            (head(&["case", "target"], numbers))
            tbody { @for (name, records) in cases { (row(name, records, &statuses)) } }
        } }
    }
}

fn row(name: &str, records: &[&Record], statuses: &[(Status, &'static str)]) -> Markup {
    let count = |status: Status| records.iter().filter(|record| record.status == status).count();
    let first = records.first();
    let (target, case) = first.map_or(("", name), |record| (record.target.as_str(), record.case.as_str()));
    let present: BTreeSet<&str> = records.iter().map(|record| word(record.status)).collect();
    let present: Vec<&str> = present.into_iter().collect();
    html! {
        tr id=(clean(name)) data-target=(clean(target)) data-group=(clean(group_of(case))) data-status=(present.join(" ")) {
            td { details { summary { code { (clean(case)) } } (configurations(records)) (relocations(records)) } }
            td { (clean(target)) }
            @for &(status, class) in statuses { (number(count(status), class)) }
            td.n { (records.iter().map(|record| record.checks).fold(0, usize::saturating_add)) }
            td.n { (format!("{:.2}", records.iter().map(|record| seconds(record.seconds)).sum::<f64>())) }
        }
    }
}

/// Builds by how they ended, why, and in which layouts: each configuration is named, none on its own.
pub(super) fn configurations(records: &[&Record]) -> Markup {
    let mut layouts: BTreeMap<(Status, &str, &str, &str), Vec<&str>> = BTreeMap::new();
    for record in records {
        let reason = record.reason.as_deref().unwrap_or_default();
        let key = (record.status, reason, record.executor.as_str(), record.build.as_str());
        layouts.entry(key).or_default().push(&record.layout);
    }
    let mut builds: BTreeMap<(Status, &str, &str, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for ((status, reason, executor, build), mut layouts) in layouts {
        layouts.sort_unstable();
        builds.entry((status, reason, executor, layouts)).or_default().push(build);
    }
    html! {
        @for ((status, reason, executor, layouts), builds) in &builds {
            p {
                b class=(word(*status)) { (word(*status)) }
                @if !reason.is_empty() { " " (clean(reason)) }
                " on " (clean(executor)) ", " code { (clean(&layouts.join(" "))) } ", of " code { (clean(&builds.join(" "))) }
            }
        }
    }
}

/// The relocations that were applied, and how often in all.
fn relocations(records: &[&Record]) -> Markup {
    let mut applied: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in records.iter().flat_map(|record| &record.relocations) {
        let sum = applied.entry(name).or_default();
        *sum = sum.saturating_add(*count);
    }
    let applied: Vec<String> = applied.iter().map(|(name, count)| format!("{name} {count}")).collect();
    html! { @if !applied.is_empty() { p { code { (clean(&applied.join(" "))) } } } }
}
