//! The configurations that make a run fail, by what is likely to be one cause, with all that is known about some of them.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, PreEscaped, html};

use super::Section;
use super::cases;
use super::parts::{Name, group, more, word};
use crate::causes::{self, Cause};
use crate::failure::{self, SUSPECTS, headline};
use crate::model::{Failure, Instruction, Record, Register, Status, Suspect, Verdict};
use crate::summary::Summary;
use crate::text::{clean, counted, head};

/// So many failures are shown in full. One of each cause comes before a second of any.
const SHOWN: usize = 100;
/// So many of one cause, at most.
const OF_ONE: usize = 3;
/// So many causes stand open.
const OPEN: usize = 3;
/// So many causes have a heading of their own.
const CAUSES: usize = 1000;
/// The longest text of one fact: guests print what they like.
const PROBLEM: usize = 4 << 10;
/// The longest message of a cause.
const MESSAGE: usize = 300;

/// The failures; none if there are none.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    if summary.failures.is_empty() {
        return None;
    }
    let causes = summary.causes();
    let shown = shown(&causes);
    let body = html! {
        p.note { (causes::in_words(summary.failures.len(), causes.len())) "; those of one cause are of one case and say the same, but for addresses." }
        @for (index, (cause, shown)) in causes.iter().zip(&shown).enumerate() { (one_cause(index, cause, *shown)) }
        (more(causes.len().saturating_sub(CAUSES), "cause"))
        script type="application/json" id="failed" { (PreEscaped(data(&causes))) }
    };
    Some(Section { id: "failures", title: "Failures", body })
}

/// How many of each cause are shown in full.
fn shown(causes: &[Cause<'_>]) -> Vec<usize> {
    let mut shown = vec![0; causes.len().min(CAUSES)];
    let mut left = SHOWN;
    for _ in 0..OF_ONE {
        for (count, cause) in shown.iter_mut().zip(causes).filter(|(count, cause)| **count < cause.count()) {
            if left == 0 {
                return shown;
            }
            *count = (*count + 1).min(cause.count());
            left -= 1;
        }
    }
    shown
}

fn one_cause(index: usize, cause: &Cause<'_>, shown: usize) -> Markup {
    let count = cause.count();
    let statuses: BTreeSet<&str> = cause.records.iter().map(|record| word(record.status)).collect();
    let rest = count - shown;
    html! {
        details.cause id={ "cause-" (index + 1) } open[index < OPEN] {
            summary {
                b class=(statuses.iter().next().unwrap_or(&"failed")) { span.count { (count) } } " "
                code { (clean(cause.case)) } " " span.message { (head(&cause.message, MESSAGE)) }
                @if count > 1 { span.spread { (clean(&cause.spread())) } }
            }
            ul.matches {}
            @for (index, record) in cause.records.iter().take(shown).enumerate() { (one(record, index == 0)) }
            @if rest > 0 {
                details.alike {
                    summary { "and " (counted(rest, "failure")) " alike, which the JSON report has in full" }
                    (cases::configurations(&cause.records))
                }
            }
        }
    }
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
        @if let Some(known) = &failure.known { p { "known: " (clean(known)) } }
        @for line in &failure.source {
            pre.source { span.place { (clean(&line.file)) ":" (line.line) } "  " (clean(line.text.trim())) }
        }
        div.state { (code(&failure.code)) (registers(&failure.registers)) }
        @if !failure.backtrace.is_empty() {
            ol.backtrace start="0" { @for frame in &failure.backtrace { li { (clean(frame)) } } }
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

/// The instructions around the program counter.
fn code(code: &[Instruction]) -> Markup {
    html! {
        @if !code.is_empty() {
            table.code { caption { "code around pc" } tbody {
                @for Instruction { address, symbol, bytes, text, here } in code {
                    tr.here[*here] {
                        td { @if *here { "▸ " } (clean(address)) }
                        td { (clean(bytes)) }
                        td { (clean(text)) }
                        td.place { @if !symbol.is_empty() { "<" (clean(symbol)) ">" } }
                    }
                }
            } }
        }
    }
}

fn registers(registers: &[Register]) -> Markup {
    html! {
        @if !registers.is_empty() {
            div.registers {
                @for Register { name, value } in registers { span { b { (clean(name)) } " " (clean(value)) } }
            }
        }
    }
}

fn suspect(suspect: &Suspect) -> Markup {
    let Suspect { relocation, section, site, symbol, numbers, before, after, under, disassembly, checked } = suspect;
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
            @if let Some(checked) = checked {
                @let class = match checked.verdict { Verdict::Right => "passed", Verdict::Wrong => "failed", Verdict::Unknown => "skipped" };
                p.checked { b class=(class) { (failure::verdict(checked.verdict)) } " " (clean(&checked.why)) }
            }
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

/// Texts by number, each once.
#[derive(Default)]
struct Table {
    numbers: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Table {
    fn number(&mut self, text: &str) -> usize {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        self.numbers.insert(text.to_owned(), self.texts.len());
        self.texts.push(clean(text).into_owned());
        self.texts.len() - 1
    }
}

/// All failures, for the script to count those that match a filter: the texts, and by cause the rows
/// `[name, target, status, relocations, executor, [build, layout, ...], ...]`, in which all but the name are numbers of
/// texts. A configuration is called `name/build/layout/executor`, or `name` where there are no builds.
fn data(causes: &[Cause<'_>]) -> String {
    let mut table = Table::default();
    let mut list = Vec::new();
    for cause in causes {
        let mut rows: BTreeMap<_, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for record in &cause.records {
            let held = record.relocations.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
            let Record { name, target, build, layout, executor, .. } = record;
            let stem = name.strip_suffix(&format!("/{build}/{layout}/{executor}"));
            let key = (stem.unwrap_or(name).to_owned(), target.as_str(), word(record.status), held, executor.as_str());
            let builds = rows.entry(key).or_default();
            if stem.is_some() {
                builds.entry(build).or_default().push(layout);
            }
        }
        let mut out = Vec::new();
        for ((name, target, status, held, executor), builds) in rows {
            let mut row = vec![serde_json::Value::from(clean(&name).into_owned())];
            row.extend([target, status, &held, executor].map(|text| table.number(text).into()));
            row.extend(builds.into_iter().map(|(build, layouts)| {
                let numbers: Vec<usize> =
                    std::iter::once(build).chain(layouts).map(|text| table.number(text)).collect();
                serde_json::Value::from(numbers)
            }));
            out.push(serde_json::Value::from(row));
        }
        let message = format!("{} {}", clean(cause.case), head(&cause.message, MESSAGE));
        list.push(serde_json::json!({ "group": clean(group(cause.case)), "message": message, "rows": out }));
    }
    let data = serde_json::json!({ "texts": table.texts, "causes": list }).to_string();
    // Nothing in it ends the element that it stands in.
    data.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
