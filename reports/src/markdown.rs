//! Reports as GitHub-flavoured Markdown, for the summary of a workflow step.

use crate::causes::{self, Cause};
use crate::exit;
use crate::failure;
use crate::model::Start;
use crate::summary::{self, Summary};
use crate::terminal::{in_words, shown};
use crate::text::{clean, counted, head};

/// The longest step summary that GitHub shows: 1 MiB, for all that a step writes together.
pub const STEP_SUMMARY_LIMIT: usize = 1 << 20;

/// More rows than these are folded.
const ROWS: usize = 20;
/// So many failures stand open.
const OPEN: usize = 5;
/// The longest text of one failure.
const FAILURE: usize = 16 << 10;
/// The longest name or reason.
const CELL: usize = 1 << 10;
/// After so many items that did not fit, no further one is tried.
const MISSES: usize = 16;
/// Room for the note about what was left out.
const NOTE: usize = 400;

/// The report in at most `limit` bytes. What does not fit is left out by whole rows and failures, and a note at the end says
/// how many of which. A limit too small for even the note gets the beginning of the text.
pub fn render(summary: &Summary, limit: usize) -> String {
    let room = limit.saturating_sub(NOTE);
    let mut left_out = Vec::new();
    let mut note = |count: usize, what: &str| {
        if count != 0 {
            left_out.push(counted(count, what));
        }
    };

    let mut out = title(summary);
    let (text, left) = targets(summary).fit(room / 8);
    out.push_str(&text);
    note(left, "target");

    // The failures get what the tables leave them.
    let (relocations, left) = relocations(summary).fit(room / 4);
    note(left, "relocation row");
    let mut tables = relocations;
    for (what, reasons) in [
        ("Skipped", &summary.skips),
        ("Refused by the linker", &summary.refused),
        ("Failed as expected", &summary.expected_failures),
        ("Lost with their machines", &summary.lost),
    ] {
        let rows = reasons.iter().map(|(reason, count)| vec![count.to_string(), text_of(reason)]);
        let (text, left) = Section::table(what, &[("configurations", true), ("reason", false)], rows).fit(room / 8);
        tables.push_str(&text);
        note(left, "reason");
    }
    let versions = summary.start.toolchains.iter().map(|(label, version)| vec![code(label), text_of(version)]);
    let (text, left) = Section::table("Toolchains", &[("name", false), ("version", false)], versions).fit(room / 16);
    tables.push_str(&text);
    note(left, "toolchain");

    let (text, left) = failures(summary).fit(room.saturating_sub(out.len() + tables.len()));
    out.push_str(&text);
    note(left, "cause of failures");
    out.push_str(&tables);

    if !left_out.is_empty() {
        out.push_str(&format!(
            "\n> [!NOTE]\n> Left out, to stay below {limit} bytes: {}. The JSON report has them all.\n",
            left_out.join(", ")
        ));
    }
    head(&out, limit).to_owned()
}

fn title(summary: &Summary) -> String {
    let good = summary.exit_status() == exit::OK && summary.complete();
    let program = head(&summary.start.program, CELL);
    let program = if program.is_empty() { String::new() } else { format!(" ({})", text_of(program)) };
    let verdict = if good { "passed" } else { "not passed" };
    let mut out = format!("## Linkrig: {verdict}\n\n{}{program}\n", text_of(&in_words(summary)));
    let origin = origin(&summary.start);
    if !origin.is_empty() {
        let lines: Vec<String> = origin.iter().map(|(what, text)| format!("{what} {}", text_of(text))).collect();
        out += &format!("\n{}\n", lines.join(" · "));
    }
    out
}

/// When, where and of what a run was, as far as it says.
pub(crate) fn origin(start: &Start) -> Vec<(&'static str, &str)> {
    let Start { date, machine, commit, corpus, corpus_commit, .. } = start;
    [("date", date), ("host", machine), ("commit", commit), ("corpus", corpus), ("commit of the corpus", corpus_commit)]
        .into_iter()
        .filter_map(|(what, text)| Some((what, text.as_deref()?)))
        .collect()
}

fn targets(summary: &Summary) -> Section<'static> {
    let total = summary.total();
    let statuses = shown(&total);
    let mut columns = vec![("target", false)];
    columns.extend(statuses.iter().map(|(_, name)| (*name, true)));
    columns.extend([("checks", true), ("seconds", true)]);
    let row = |name: String, of: &summary::TargetSummary| {
        let mut row = vec![name];
        row.extend(statuses.iter().map(|(status, _)| of.count(*status).to_string()));
        row.extend([of.checks.to_string(), format!("{:.2}", summary::seconds(of.seconds))]);
        row
    };
    let mut rows: Vec<_> = summary.targets.iter().map(|(name, of)| row(code(name), of)).collect();
    if rows.len() > 1 {
        rows.push(row("all".to_owned(), &total));
    }
    Section::table("", &columns, rows.into_iter())
}

fn relocations(summary: &Summary) -> Section<'_> {
    let columns =
        [("relocation", false), ("target", false), ("applied", true), ("configurations", true), ("failed", true)];
    let rows = summary.relocations.iter().map(|((relocation, target), of)| {
        let failed = if of.failed == 0 { "0".to_owned() } else { format!("**{}**", of.failed) };
        vec![code(relocation), code(target), of.applied.to_string(), of.configurations.to_string(), failed]
    });
    Section::table("Relocations", &columns, rows)
}

fn failures(summary: &Summary) -> Section<'_> {
    let causes = summary.causes();
    Section {
        open: format!("\n### {}\n", causes::in_words(summary.failures.len(), causes.len())),
        items: Box::new(causes.into_iter().enumerate().map(|(index, cause)| cause_block(&cause, index < OPEN))),
        close: String::new(),
    }
}

/// A cause: how many there are, of what, and one in full.
fn cause_block(cause: &Cause<'_>, open: bool) -> String {
    let record = cause.example();
    let body = failure::body(record);
    let shown = head(&body, FAILURE);
    let rest = if shown.len() == body.len() { "" } else { "\n(cut here: the JSON report has it all)\n" };
    let fence = "`".repeat(longest_run(shown).max(2) + 1);
    let alike = match cause.count() {
        1 => String::new(),
        _ => format!("\n{}\n", text_of(&cause.spread())),
    };
    format!(
        "\n<details{}><summary><b>{}</b> <code>{}</code>: {}</summary>\n{alike}\n<code>{}</code>\n\n\
         {fence}text\n{shown}{rest}{fence}\n\n</details>\n",
        if open { " open" } else { "" },
        cause.count(),
        html(cause.case),
        html(&cause.message),
        html(&record.name),
    )
}

/// A part of the text of which whole items may be left out.
struct Section<'a> {
    open: String,
    /// Made when they are wanted: there may be far more than fit.
    items: Box<dyn ExactSizeIterator<Item = String> + 'a>,
    close: String,
}

impl<'a> Section<'a> {
    /// A table whose columns are text or (`true`) numbers, folded when it is long.
    fn table(title: &str, columns: &[(&str, bool)], rows: impl ExactSizeIterator<Item = Vec<String>> + 'a) -> Self {
        let mut open = String::from("\n");
        let mut close = String::new();
        if rows.len() > ROWS {
            let title = if title.is_empty() { "Targets" } else { title };
            open.push_str(&format!("<details><summary>{title}: {}</summary>\n\n", counted(rows.len(), "row")));
            close.push_str("\n</details>\n");
        } else if !title.is_empty() {
            open.push_str(&format!("### {title}\n\n"));
        }
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            cells.fold("|".to_owned(), |row, cell| row + " " + cell + " |") + "\n"
        };
        open.push_str(&row(&mut columns.iter().map(|(name, _)| *name)));
        open.push_str(&row(&mut columns.iter().map(|(_, number)| if *number { "---:" } else { "---" })));
        let items = Box::new(rows.map(move |cells| row(&mut cells.iter().map(String::as_str))));
        Section { open, items, close }
    }

    /// The text in at most `room` bytes, and how many items are not in it.
    fn fit(mut self, room: usize) -> (String, usize) {
        let Some(mut room) = room.checked_sub(self.open.len() + self.close.len()) else {
            return (String::new(), self.items.len());
        };
        let mut out = self.open;
        let empty = out.len();
        let mut left = 0;
        while let Some(item) = self.items.next() {
            match room.checked_sub(item.len()) {
                Some(rest) => {
                    room = rest;
                    out.push_str(&item);
                }
                None => left += 1,
            }
            if left == MISSES {
                left += self.items.len();
                break;
            }
        }
        if out.len() == empty {
            return (String::new(), left);
        }
        out.push_str(&self.close);
        (out, left)
    }
}

/// Text as a code span that is right in a table too.
fn code(text: &str) -> String {
    let text = clean(head(text, CELL)).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text that means nothing but itself.
fn text_of(text: &str) -> String {
    let mut out = String::new();
    for c in clean(head(text, CELL)).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '#' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn html(text: &str) -> String {
    let text = clean(head(text, CELL)).replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The length of the longest run of backquotes.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
