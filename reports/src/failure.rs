//! A failure in words: the one text that the terminal, JUnit and Markdown show.

use crate::model::{Checked, Failure, Instruction, Record, Register, Status, Suspect, Verdict};
use crate::text::{clean, columns, head, wrap};

/// How many suspects are shown: more do not help, and a bad layout can make thousands.
pub(crate) const SUSPECTS: usize = 8;
/// Where the section of the ABI ends when nothing says how wide a line may be.
const WIDTH: usize = 108;

/// What a line is, for those that colour it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `FAIL name`.
    Title,
    /// A fact that is wrong.
    Problem,
    /// The first line of a suspect.
    Suspect,
    /// What is known about it.
    Detail,
    /// Something to copy.
    Command,
}

/// One line of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its text, with nothing in it that a terminal would obey and no blank at its end.
    pub(crate) text: String,
}

/// The word before the name.
pub(crate) fn word(status: Status) -> &'static str {
    match status {
        Status::Passed => "PASS",
        Status::Failed => "FAIL",
        Status::Skipped => "SKIP",
        Status::Refused => "REFUSED",
        Status::ExpectedFailure => "XFAIL",
        Status::UnexpectedPass => "XPASS",
        Status::Lost => "LOST",
    }
}

/// The lines of a record that failed, the title first. Lines that are to be copied, and the title, are never broken.
pub(crate) fn lines(record: &Record, width: Option<usize>) -> Vec<Line> {
    let mut out = Lines { width, lines: Vec::new() };
    out.whole(Kind::Title, format!("{} {}", word(record.status), clean(&record.name)));
    if record.status == Status::UnexpectedPass {
        let reason = record.reason.as_deref().unwrap_or("no reason given");
        out.wrapped(Kind::Problem, 2, &format!("passed, but is marked as failing: {}", clean(reason)));
    }
    match &record.failure {
        Some(failure) => out.failure(failure),
        None if record.status == Status::Failed => {
            let reason = record.reason.as_deref().unwrap_or("the record does not say why");
            out.wrapped(Kind::Problem, 2, &format!("failed: {}", clean(reason)));
        }
        None => {}
    }
    out.lines
}

/// The same as one text without the title, each line with a line end.
pub(crate) fn body(record: &Record) -> String {
    let mut out = String::new();
    for line in lines(record, None).iter().skip(1) {
        out.push_str(line.text.strip_prefix("  ").unwrap_or(&line.text));
        out.push('\n');
    }
    out
}

/// The longest headline: guests print what they like.
const HEADLINE: usize = 1 << 10;

/// The most important fact about a record, on one line: the first of [`lines`] that is a problem. There may be tens of thousands
/// of records, so nothing else of them is written.
pub(crate) fn headline(record: &Record) -> String {
    let one = |text: &str| clean(head(text.trim(), HEADLINE)).into_owned();
    let reason = |otherwise: &'static str| one(record.reason.as_deref().unwrap_or(otherwise));
    match (&record.failure, record.status) {
        (_, Status::UnexpectedPass) => format!("passed, but is marked as failing: {}", reason("no reason given")),
        (Some(failure), _) => {
            let first = failure.problems.iter().find_map(|problem| problem.lines().next());
            first.map_or_else(|| "failed".to_owned(), one)
        }
        (None, Status::Failed) => format!("failed: {}", reason("the record does not say why")),
        (None, _) => "failed".to_owned(),
    }
}

struct Lines {
    width: Option<usize>,
    lines: Vec<Line>,
}

impl Lines {
    fn whole(&mut self, kind: Kind, mut text: String) {
        text.truncate(text.trim_end().len());
        self.lines.push(Line { kind, text });
    }

    fn wrapped(&mut self, kind: Kind, indent: usize, text: &str) {
        let text = format!("{}{}", " ".repeat(indent), text.trim_end());
        match self.width {
            Some(width) => wrap(&text, width, indent + 2).into_iter().for_each(|line| self.whole(kind, line)),
            None => self.whole(kind, text),
        }
    }

    fn failure(&mut self, failure: &Failure) {
        for problem in &failure.problems {
            for (index, line) in problem.lines().enumerate() {
                self.wrapped(Kind::Problem, if index == 0 { 2 } else { 4 }, &clean(line));
            }
        }
        if let Some(known) = &failure.known {
            self.wrapped(Kind::Detail, 2, &format!("known: {}", clean(known)));
        }
        for line in &failure.source {
            let place = format!("{}:{}", clean(&line.file), line.line);
            self.wrapped(Kind::Detail, 4, &format!("{place}  {}", clean(line.text.trim())));
        }
        failure.code.iter().for_each(|instruction| self.whole(Kind::Detail, instruction_line(instruction)));
        self.registers(&failure.registers);
        for (number, frame) in failure.backtrace.iter().enumerate() {
            self.whole(Kind::Detail, format!("    #{number} {}", clean(frame)));
        }
        failure.suspects.iter().take(SUSPECTS).for_each(|suspect| self.suspect(suspect));
        if let Some(more @ 1..) = failure.suspects.len().checked_sub(SUSPECTS) {
            self.wrapped(Kind::Suspect, 2, &format!("and {more} more, which the JSON report has"));
        }
        let bless = failure.bless.as_deref().unwrap_or_default();
        for (what, value) in [("layout", failure.layout.as_str()), ("reproduce", &failure.reproduce), ("bless", bless)]
        {
            if !value.is_empty() {
                self.whole(Kind::Command, format!("  {what:<9}  {}", clean(value)));
            }
        }
    }

    /// As many in a line as have room, in columns.
    fn registers(&mut self, registers: &[Register]) {
        let cell = |register: &Register| format!("{:<5} {}", clean(&register.name), clean(&register.value));
        let cells: Vec<String> = registers.iter().map(cell).collect();
        let wide = cells.iter().map(|cell| columns(cell)).max().unwrap_or(0) + 2;
        let fit = (self.width.unwrap_or(WIDTH).min(WIDTH).saturating_sub(4) / wide).max(1);
        for row in cells.chunks(fit) {
            let row: String = row.iter().map(|cell| format!("{cell}{}", " ".repeat(wide - columns(cell)))).collect();
            self.whole(Kind::Detail, format!("    {row}"));
        }
    }

    fn suspect(&mut self, suspect: &Suspect) {
        let mut first = format!("  {} at {}", clean(&suspect.relocation), clean(&suspect.site));
        if !suspect.symbol.is_empty() {
            first.push_str(&format!(" against `{}`", clean(&suspect.symbol)));
        }
        let section = clean(&suspect.section);
        if !section.is_empty() {
            // At the right margin where there is room, else on a line of its own.
            let end = self.width.unwrap_or(WIDTH).min(WIDTH);
            let used = columns(&first) + columns(&section);
            if used + 2 <= end || self.width.is_none() {
                first.push_str(&" ".repeat(end.saturating_sub(used).max(2)));
                first.push_str(&section);
                self.whole(Kind::Suspect, first);
            } else {
                self.whole(Kind::Suspect, first);
                self.wrapped(Kind::Detail, 4, &section);
            }
        } else {
            self.whole(Kind::Suspect, first);
        }
        let bytes = [("before", &suspect.before), ("after", &suspect.after), ("under", &suspect.under)]
            .into_iter()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(what, bytes)| format!("{what} {}", clean(bytes)))
            .collect::<Vec<_>>()
            .join("   ");
        for detail in [&*clean(&suspect.numbers), &bytes, &*clean(&suspect.disassembly)] {
            if !detail.is_empty() {
                self.wrapped(Kind::Detail, 4, detail);
            }
        }
        if let Some(checked) = &suspect.checked {
            self.wrapped(Kind::Detail, 4, &checked_line(checked));
        }
    }
}

/// The word for what a check came to.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "right",
        Verdict::Wrong => "WRONG",
        Verdict::Unknown => "not checked",
    }
}

fn checked_line(checked: &Checked) -> String {
    let word = verdict(checked.verdict);
    if checked.why.is_empty() { word.to_owned() } else { format!("{word}: {}", clean(&checked.why)) }
}

/// `  > 0x40001c  00 00 00 94  bl 0x40001c  <main+0x1c>`
fn instruction_line(instruction: &Instruction) -> String {
    let Instruction { address, symbol, bytes, text, here } = instruction;
    let mark = if *here { "  > " } else { "    " };
    let symbol = if symbol.is_empty() { String::new() } else { format!("  <{}>", clean(symbol)) };
    format!("{mark}{}  {:<11}  {}{symbol}", clean(address), clean(bytes), clean(text))
}
