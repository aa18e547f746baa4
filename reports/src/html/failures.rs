//! The configurations that make a run fail, with all that is known about them.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Section;
use super::parts::{Name, more, word};
use crate::failure::{SUSPECTS, headline};
use crate::model::{Failure, Record, Status, Suspect};
use crate::summary::Summary;
use crate::text::{clean, head};

/// So many failures are shown. One of each case comes before a second of any.
const SHOWN: usize = 100;
/// So many stand open.
const OPEN: usize = 3;
/// The longest text of one fact: guests print what they like.
const PROBLEM: usize = 4 << 10;

/// The failures; none if there are none.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.failures.is_empty() {
        return None;
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, &Record)> = Vec::new();
    for record in &summary.failures {
        let rank = seen.entry(Name::of(&record.name).case).or_default();
        ranked.push((*rank, record));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(SHOWN);
    ranked.sort_by_key(|(_, record)| &record.name);
    let left = summary.failures.len() - ranked.len();
    let body = html! {
        @for (index, (_, record)) in ranked.iter().enumerate() { (one(record, index < OPEN)) }
        (more(left, "failure"))
    };
    Some(Section { id: "failures", title: "Failures", body })
}

fn one(record: &Record, open: bool) -> Markup {
    let name = Name::of(&record.name);
    html! {
        details.failure id=(clean(&record.name)) open[open]
            data-target=(clean(&record.target)) data-group=(clean(name.group)) data-status=(word(record.status)) {
            summary {
                b class=(word(record.status)) { (word(record.status)) } " "
                code { (clean(&record.name)) }
                span.headline { (head(&headline(record), 200)) }
            }
            @if record.status == Status::UnexpectedPass {
                p { "Passed, but is marked as failing: " (clean(record.reason.as_deref().unwrap_or("no reason given"))) }
            }
            @match &record.failure {
                Some(failure) => (facts(failure)),
                None => p { (headline(record)) },
            }
        }
    }
}

fn facts(failure: &Failure) -> Markup {
    let bless = failure.bless.as_deref().unwrap_or_default();
    html! {
        @for problem in &failure.problems {
            pre.problem { (lines(head(problem, PROBLEM))) @if problem.len() > PROBLEM { "\n(cut here: the JSON report has it all)" } }
        }
        div.suspects { @for one in failure.suspects.iter().take(SUSPECTS) { (suspect(one)) } }
        (more(failure.suspects.len().saturating_sub(SUSPECTS), "relocation"))
        dl.commands {
            @for (what, text) in [("layout", failure.layout.as_str()), ("reproduce", &failure.reproduce), ("bless", bless)] {
                @if !text.is_empty() { dt { (what) } dd { pre.copy { (clean(text)) } } }
            }
        }
    }
}

/// Text of several lines, with nothing else in it that acts.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

fn suspect(suspect: &Suspect) -> Markup {
    let Suspect { relocation, section, site, symbol, numbers, before, after, under, disassembly } = suspect;
    html! {
        div.suspect {
            p {
                b { code { (clean(relocation)) } } " at " code { (clean(site)) }
                @if !symbol.is_empty() { " against " code { (clean(symbol)) } }
                span.abi { (clean(section)) }
            }
            @if !numbers.is_empty() { pre { (clean(numbers)) } }
            table.bytes { tbody {
                (bytes("before", before, before))
                (bytes("after", after, before))
                (bytes("under", under, under))
            } }
            @if !disassembly.is_empty() { pre { (clean(disassembly)) } }
        }
    }
}

/// Bytes in a row, those marked that are not as in `other`.
fn bytes(what: &str, text: &str, other: &str) -> Markup {
    let mut others = other.split_whitespace();
    html! {
        @if !text.is_empty() {
            tr {
                th scope="row" { (what) }
                @for byte in text.split_whitespace() {
                    @let changed = others.next() != Some(byte);
                    td.changed[changed] { (clean(byte)) }
                }
            }
        }
    }
}
