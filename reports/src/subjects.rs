//! Several linkers over the same cases: relocation by linker, what passed, failed and was refused, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use maud::{DOCTYPE, html};
use serde::Serialize;

use crate::failure;
use crate::html::POLICY;
use crate::model::{Record, Status};
use crate::text::clean;

/// How often each status came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As the case says.
    pub passed: usize,
    /// Not as the case says.
    pub failed: usize,
    /// Of these, those of which nothing is known yet.
    pub unknown: usize,
    /// The linker says that it does not support it.
    pub refused: usize,
    /// Not asked, for a reason.
    pub skipped: usize,
}

impl Counts {
    fn add(&mut self, record: &Record) {
        match record.status {
            Status::Passed | Status::ExpectedFailure => self.passed += 1,
            Status::Failed | Status::UnexpectedPass => {
                self.failed += 1;
                self.unknown += usize::from(record.known().is_none());
            }
            Status::Refused => self.refused += 1,
            Status::Skipped | Status::Lost => self.skipped += 1,
        }
    }

    /// `12`, `12, 3 failed, 1 refused`; nothing where nothing ran.
    fn in_words(self) -> String {
        let Counts { passed, failed, refused, .. } = self;
        let parts = [(passed, "passed"), (failed, "failed"), (refused, "refused")];
        let parts = parts.iter().filter(|part| part.0 > 0).map(|(count, word)| format!("{count} {word}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// A linker.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// What it says of its version.
    pub version: String,
    /// All its configurations.
    pub counts: Counts,
    /// Wall-clock seconds for all of them.
    pub seconds: f64,
}

/// What several configurations of one linker have in common that did not pass.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The linker.
    pub subject: String,
    /// How they ended.
    pub status: Status,
    /// Their case; none for what has nothing to do with the case.
    pub case: Option<String>,
    /// Why.
    pub reason: String,
    /// What is known of it: whose fault it is, and by which words.
    pub known: Option<String>,
    /// How many there are.
    pub configurations: usize,
    /// The one with the fewest relocations.
    pub example: String,
}

/// The table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// When it was made: RFC 3339, in UTC.
    pub date: String,
    /// By which program and command.
    pub command: String,
    /// The linkers, in order.
    pub subjects: Vec<Subject>,
    /// By relocation: the counts of each linker, in their order, of configurations whose live code and data hold it.
    pub relocations: BTreeMap<String, Vec<Counts>>,
    /// What did not pass.
    pub findings: Vec<Finding>,
}

impl Table {
    /// Adds a linker with its results.
    pub fn push(&mut self, name: &str, version: &str, seconds: f64, records: &[Record]) {
        let column = self.subjects.len();
        let mut counts = Counts::default();
        let mut findings: BTreeMap<(Status, Option<&str>, String), (usize, &Record)> = BTreeMap::new();
        for record in records {
            counts.add(record);
            for relocation in record.relocations.keys() {
                let row = self.relocations.entry(relocation.clone()).or_default();
                row.resize(column + 1, Counts::default());
                row[column].add(record);
            }
            if record.status == Status::Passed {
                continue;
            }
            let (case, reason) = match record.status {
                Status::Failed | Status::UnexpectedPass => (Some(record.case.as_str()), failure::headline(record)),
                _ => (None, record.reason.clone().unwrap_or_default()),
            };
            let simple = |record: &Record| (record.relocations.len(), record.name.len());
            let (count, example) = findings.entry((record.status, case, reason)).or_insert((0, record));
            *count += 1;
            if simple(record) < simple(example) {
                *example = record;
            }
        }
        let found = findings.into_iter().map(|((status, case, reason), (configurations, example))| Finding {
            subject: name.to_owned(),
            status,
            case: case.map(str::to_owned),
            reason: clean(reason.lines().next().unwrap_or_default()).into_owned(),
            known: example.known().map(str::to_owned),
            configurations,
            example: example.name.clone(),
        });
        self.findings.extend(found);
        self.subjects.push(Subject { name: name.to_owned(), version: version.to_owned(), counts, seconds });
        self.relocations.values_mut().for_each(|row| row.resize(column + 1, Counts::default()));
    }

    fn of_status(&self, status: Status) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.status == status)
    }

    /// As Markdown: docs/subjects.md.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "# Linkers over the corpus\n\nMade {} by `{}`. [linkers.md](linkers.md) says what a linker gets, and what the words mean. Counts are \
             configurations: a case, built by one compiler, in one layout.\n\n",
            self.date,
            clean(&self.command)
        );
        out += "| linker | version | passed | failed | not looked at | refused | skipped | a second |\n|---|---|---|---|---|---|---|---|\n";
        for Subject { name, version, counts, seconds } in &self.subjects {
            let Counts { passed, failed, unknown, refused, skipped } = counts;
            let rate = (passed + failed + refused) as f64 / seconds.max(0.001);
            let _ = writeln!(
                out,
                "| {} | {} | {passed} | {failed} | {unknown} | {refused} | {skipped} | {rate:.0} |",
                cell(name),
                cell(version)
            );
        }
        for (status, title) in
            [(Status::Failed, "Failed"), (Status::Refused, "Refused"), (Status::Skipped, "Not asked")]
        {
            let found: Vec<&Finding> = self.of_status(status).collect();
            if found.is_empty() {
                continue;
            }
            let _ = write!(out, "\n## {title}\n| linker | configurations | what | for example |\n|---|---|---|---|\n");
            for Finding { subject, case, reason, known, configurations, example, .. } in found {
                let case = case.as_ref().map_or(String::new(), |case| format!("`{}`: ", cell(case)));
                let known = known.as_ref().map_or(String::new(), |known| format!("<br>known: {}", cell(known)));
                let (subject, reason, example) = (cell(subject), cell(reason), cell(example));
                let _ = writeln!(out, "| {subject} | {configurations} | {case}{reason}{known} | `{example}` |");
            }
        }
        let names: Vec<String> = self.subjects.iter().map(|subject| cell(&subject.name)).collect();
        let _ = write!(out, "\n## Relocation by linker\n| relocation | {} |\n|---|", names.join(" | "));
        out += &"---|".repeat(names.len());
        out.push('\n');
        for (relocation, row) in &self.relocations {
            let cells: Vec<String> = row.iter().map(|counts| counts.in_words()).collect();
            let _ = writeln!(out, "| {} | {} |", cell(relocation), cells.join(" | "));
        }
        out
    }

    /// As text for a terminal.
    pub fn terminal(&self) -> String {
        let mut out = String::new();
        for status in [Status::Failed, Status::Refused, Status::Skipped] {
            for Finding { subject, case, reason, known, configurations, example, .. } in self.of_status(status) {
                let case = case.as_ref().map_or(String::new(), |case| format!("{case}: "));
                let known = known.as_ref().map_or(String::new(), |known| format!("  known: {known}\n"));
                let word = failure::word(status);
                let line =
                    format!("{word} {subject}  {configurations}  {case}{reason}\n{known}  for example {example}\n");
                out += &line.split_inclusive('\n').map(clean_line).collect::<String>();
            }
        }
        let longest = self.relocations.keys().map(String::len).max().unwrap_or(0).max("relocation".len());
        let cells = |row: &[String]| row.iter().map(|cell| format!("  {cell:<24}")).collect::<String>();
        let names: Vec<String> = self.subjects.iter().map(|subject| subject.name.clone()).collect();
        let _ = writeln!(out, "\n{}", format!("{:<longest$}{}", "relocation", cells(&names)).trim_end());
        for (relocation, row) in &self.relocations {
            let row: Vec<String> = row.iter().map(|counts| counts.in_words()).collect();
            let _ = writeln!(out, "{}", format!("{relocation:<longest$}{}", cells(&row)).trim_end());
        }
        out.push('\n');
        for Subject { name, version, counts, seconds } in &self.subjects {
            let rest = [(counts.skipped, "skipped"), (counts.unknown, "of the failed not looked at")];
            let rest: String =
                rest.iter().filter(|of| of.0 > 0).map(|(count, word)| format!(", {count} {word}")).collect();
            let _ = writeln!(out, "{name}: {}{rest} in {seconds:.1} s  ({})", counts.in_words(), clean(version));
        }
        out
    }

    /// As one HTML file that loads nothing.
    pub fn html(&self) -> String {
        let statuses: BTreeSet<Status> = self.findings.iter().map(|finding| finding.status).collect();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    title { "Linkrig: linkers" }
                    style { "body{font:14px sans-serif;margin:2em}td,th{text-align:left;padding:.2em .8em;vertical-align:top}tr:nth-child(even){background:#8882}" }
                }
                body {
                    h1 { "Linkers over the corpus" }
                    p { "Made " (clean(&self.date)) " by " code { (clean(&self.command)) } }
                    table {
                        tr { th { "linker" } th { "version" } th { "passed" } th { "failed" } th { "not looked at" } th { "refused" } th { "skipped" } }
                        @for of in &self.subjects {
                            tr {
                                td { (clean(&of.name)) } td { (clean(&of.version)) } td { (of.counts.passed) }
                                td { (of.counts.failed) } td { (of.counts.unknown) } td { (of.counts.refused) } td { (of.counts.skipped) }
                            }
                        }
                    }
                    @for status in &statuses {
                        h2 { (failure::word(*status)) }
                        table {
                            tr { th { "linker" } th { "configurations" } th { "what" } th { "for example" } }
                            @for of in self.of_status(*status) {
                                tr {
                                    td { (clean(&of.subject)) } td { (of.configurations) }
                                    td {
                                        @if let Some(case) = &of.case { code { (clean(case)) } " " }
                                        (clean(&of.reason))
                                        @if let Some(known) = &of.known { br; "known: " (clean(known)) }
                                    }
                                    td { code { (clean(&of.example)) } }
                                }
                            }
                        }
                    }
                    h2 { "Relocation by linker" }
                    table {
                        tr { th { "relocation" } @for of in &self.subjects { th { (clean(&of.name)) } } }
                        @for (relocation, row) in &self.relocations {
                            tr { td { code { (clean(relocation)) } } @for counts in row { td { (counts.in_words()) } } }
                        }
                    }
                }
            }
        };
        page.into_string()
    }
}

fn clean_line(line: &str) -> String {
    format!("{}\n", clean(line.trim_end_matches('\n')))
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    let text: String = clean(text).chars().take(300).collect();
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    fn record(name: &str, status: Status, relocations: &[&str]) -> Record {
        let text = format!(
            r#"{{"name":"elf/armv7/{name}/gcc/near/unicorn","target":"armv7","case":"{name}","build":"gcc","layout":"near",
            "executor":"unicorn","status":"passed","seconds":0.25,"checks":1}}"#
        );
        let record: Record = serde_json::from_str(&text).expect("a record");
        let failed = status == Status::Failed;
        let failure = || Failure { problems: vec!["r0 is 2 | expected 1".to_owned()], ..Failure::default() };
        Record {
            status,
            relocations: relocations.iter().map(|name| ((*name).to_owned(), 1)).collect(),
            reason: (!failed).then(|| "not supported".to_owned()),
            failure: failed.then(failure),
            ..record
        }
    }

    #[test]
    fn each_linker_is_a_column_and_each_reason_has_its_simplest_example() {
        let mut table = Table::default();
        let both = ["R_ARM_CALL", "R_ARM_ABS32"];
        let mut failed = [record("a/long", Status::Failed, &both), record("a/long", Status::Failed, &both[..1])];
        failed[1].failure.as_mut().expect("one").known = Some("its own fault".to_owned());
        table.push(
            "ld",
            "GNU ld 2.40",
            1.0,
            &[record("a/b", Status::Passed, &both), failed[0].clone(), failed[1].clone()],
        );
        table.push("lld", "LLD 19", 1.0, &[record("a/b", Status::Refused, &["R_ARM_THM_CALL"])]);
        assert_eq!(
            table.relocations["R_ARM_CALL"][0],
            Counts { passed: 1, failed: 2, unknown: 1, ..Counts::default() }
        );
        assert_eq!(
            table.relocations["R_ARM_THM_CALL"],
            [Counts::default(), Counts { refused: 1, ..Counts::default() }]
        );
        assert_eq!(table.findings[0].configurations, 2);
        let markdown = table.markdown();
        for line in [
            "| relocation | ld | lld |",
            "| R_ARM_CALL | 1 passed, 2 failed |  |",
            "| R_ARM_THM_CALL |  | 1 refused |",
            "| ld | GNU ld 2.40 | 1 | 2 | 1 | 0 | 0 | 3 |",
            "| ld | 2 | `a/long`: r0 is 2 \\| expected 1<br>known: its own fault | `elf/armv7/a/long/gcc/near/unicorn` |",
            "| lld | 1 | not supported | `elf/armv7/a/b/gcc/near/unicorn` |",
        ] {
            assert!(markdown.contains(line), "{line}\n{markdown}");
        }
        let terminal = table.terminal();
        assert!(terminal.contains("FAIL ld  2  a/long: r0 is 2 | expected 1\n  known: its own fault\n"), "{terminal}");
        assert!(
            terminal.contains("ld: 1 passed, 2 failed, 1 of the failed not looked at in 1.0 s  (GNU ld 2.40)"),
            "{terminal}"
        );
        assert!(table.html().contains("<td>1 refused</td>"));
    }
}
