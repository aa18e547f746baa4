//! The coverage matrix: what is proven of each relocation of each target, and by how many runs.
//!
//! A cell says what really ran. What does not apply has a reason and is counted apart; what nothing tried is not covered,
//! whatever else is known about it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::text;

/// Version of the document.
pub const VERSION: u32 = 1;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The bytes say the value of the ABI's formula.
    Encode,
    /// The last value in reach is accepted, the first beyond is refused.
    Edge,
    /// Nothing leaks out of the field or into it.
    Dirty,
    /// A case executes or reads it, and ends otherwise when the field is one unit off.
    Execute,
    /// Other linkers write the same.
    Differ,
    /// A case ends otherwise when the field is one unit off on a second engine, too.
    Remote,
    /// Cases of the corpus hold it and pass. No proof that it mattered to them.
    Cases,
}

/// All columns, in order.
pub const PROOFS: [Proof; 7] =
    [Proof::Encode, Proof::Edge, Proof::Dirty, Proof::Execute, Proof::Differ, Proof::Remote, Proof::Cases];

impl Proof {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Proof::Encode => "encode",
            Proof::Edge => "edge",
            Proof::Dirty => "dirty",
            Proof::Execute => "execute",
            Proof::Differ => "differ",
            Proof::Remote => "remote",
            Proof::Cases => "cases",
        }
    }
}

/// How a cell came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not: why.
    Failed {
        /// What went wrong.
        why: String,
    },
    /// There is nothing to prove.
    NotApplicable {
        /// Why not.
        reason: String,
        /// What shows that.
        evidence: String,
    },
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How it came out.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How many links or configurations it took.
    pub runs: usize,
    /// Configurations that show it, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<String>,
}

/// A relocation of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Target by name.
    pub target: String,
    /// Name in the ABI.
    pub relocation: String,
    /// Number in the object file.
    pub number: u32,
    /// What is known. A proof that is missing did not run.
    pub cells: BTreeMap<Proof, Cell>,
}

/// The matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// A line for each relocation of each target, in order.
    pub lines: Vec<Line>,
}

/// Cells of a column: passed, failed, not covered, not applicable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// It holds.
    pub passed: usize,
    /// It does not.
    pub failed: usize,
    /// Nothing tried.
    pub open: usize,
    /// Nothing to prove.
    pub not_applicable: usize,
}

impl Matrix {
    /// A matrix of these relocations, with nothing proven: target, number, name.
    pub fn new<'a>(relocations: impl IntoIterator<Item = (&'a str, u32, &'a str)>) -> Matrix {
        let line = |(target, number, name): (&str, u32, &str)| Line {
            target: target.to_owned(),
            relocation: name.to_owned(),
            number,
            cells: BTreeMap::new(),
        };
        Matrix { version: VERSION, lines: relocations.into_iter().map(line).collect() }
    }

    /// Fills a cell. False when there is no such relocation.
    pub fn set(&mut self, target: &str, number: u32, proof: Proof, cell: Cell) -> bool {
        let line = self.lines.iter_mut().find(|line| line.target == target && line.number == number);
        line.map(|line| line.cells.insert(proof, cell)).is_some()
    }

    /// The counts of a column for a target.
    pub fn count(&self, target: &str, proof: Proof) -> Count {
        let mut count = Count::default();
        for line in self.lines.iter().filter(|line| line.target == target) {
            match line.cells.get(&proof).map(|cell| &cell.outcome) {
                Some(Outcome::Passed) => count.passed += 1,
                Some(Outcome::Failed { .. }) => count.failed += 1,
                Some(Outcome::NotApplicable { .. }) => count.not_applicable += 1,
                None => count.open += 1,
            }
        }
        count
    }

    /// Whether a cell failed.
    pub fn failed(&self) -> bool {
        let failed = |cell: &Cell| matches!(cell.outcome, Outcome::Failed { .. });
        self.lines.iter().any(|line| line.cells.values().any(failed))
    }

    /// The targets, in order.
    pub fn targets(&self) -> Vec<&str> {
        let mut targets: Vec<&str> = Vec::new();
        for line in &self.lines {
            if !targets.contains(&line.target.as_str()) {
                targets.push(&line.target);
            }
        }
        targets
    }

    /// The columns in which something was tried, and the names of the others.
    fn tried(&self) -> (Vec<Proof>, Vec<&'static str>) {
        let (tried, not): (Vec<Proof>, Vec<Proof>) =
            PROOFS.iter().partition(|proof| self.lines.iter().any(|line| line.cells.contains_key(proof)));
        (tried, not.iter().map(|proof| proof.name()).collect())
    }

    /// As text for a terminal.
    pub fn terminal(&self) -> String {
        let (proofs, not_tried) = self.tried();
        let targets = self.targets();
        let width = targets.iter().map(|target| target.len()).max().unwrap_or(0);
        let mut out = format!("{:width$} {:44}", "target", "relocation");
        proofs.iter().for_each(|proof| out += &format!(" {:>9}", proof.name()));
        for line in &self.lines {
            let _ = write!(out, "\n{:width$} {:44}", text::clean(&line.target), text::clean(&line.relocation));
            proofs.iter().for_each(|proof| out += &format!(" {:>9}", show(line.cells.get(proof))));
        }
        out.push('\n');
        for target in targets {
            for &proof in &proofs {
                let Count { passed, failed, open, not_applicable } = self.count(target, proof);
                let _ = write!(
                    out,
                    "\n{target:width$} {:7} {passed:4} passed {failed:4} failed {open:4} not covered {not_applicable:4} not applicable",
                    proof.name()
                );
            }
        }
        out.push('\n');
        if !not_tried.is_empty() {
            let _ = writeln!(out, "not tried: {}", not_tried.join(", "));
        }
        for (line, proof, why) in self.failures() {
            let _ = writeln!(out, "FAIL {} {} {}: {}", line.target, line.relocation, proof.name(), text::clean(why));
        }
        out
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let (proofs, not_tried) = self.tried();
        let mut out = String::from(
            "| target | proof | passed | failed | not covered | not applicable |\n|---|---|---|---|---|---|\n",
        );
        for target in self.targets() {
            for &proof in &proofs {
                let Count { passed, failed, open, not_applicable } = self.count(target, proof);
                let _ =
                    writeln!(out, "| {target} | {} | {passed} | {failed} | {open} | {not_applicable} |", proof.name());
            }
        }
        if !not_tried.is_empty() {
            let _ = writeln!(out, "\nNot tried: {}.", not_tried.join(", "));
        }
        let names: Vec<&str> = proofs.iter().map(|proof| proof.name()).collect();
        let rules = "---|".repeat(names.len());
        let _ = writeln!(out, "\n| target | relocation | {} |\n|---|---|{rules}", names.join(" | "));
        for line in &self.lines {
            let _ = write!(out, "| {} | {} |", line.target, line.relocation);
            proofs.iter().for_each(|proof| out += &format!(" {} |", show(line.cells.get(proof))));
            out.push('\n');
        }
        out
    }

    /// The cells that failed, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&Line, Proof, &str)> {
        self.lines.iter().flat_map(|line| {
            line.cells.iter().filter_map(move |(&proof, cell)| match &cell.outcome {
                Outcome::Failed { why } => Some((line, proof, why.as_str())),
                _ => None,
            })
        })
    }
}

/// A cell in a word: how many runs passed, or what else it is.
fn show(cell: Option<&Cell>) -> String {
    match cell {
        None => "-".to_owned(),
        Some(Cell { outcome: Outcome::Passed, runs, .. }) => runs.to_string(),
        Some(Cell { outcome: Outcome::Failed { .. }, .. }) => "FAILED".to_owned(),
        Some(Cell { outcome: Outcome::NotApplicable { .. }, .. }) => "n/a".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_counts_for_what_ran() {
        let mut matrix = Matrix::new([
            ("armv7", 2, "R_ARM_ABS32"),
            ("armv7", 3, "R_ARM_REL32"),
            ("aarch64", 257, "R_AARCH64_ABS64"),
        ]);
        let cell = |outcome| Cell { outcome, runs: 7, cases: Vec::new() };
        assert!(matrix.set("armv7", 2, Proof::Encode, cell(Outcome::Passed)));
        let why = "x".to_owned();
        assert!(matrix.set("armv7", 3, Proof::Edge, cell(Outcome::Failed { why })));
        assert!(!matrix.set("armv7", 4, Proof::Edge, cell(Outcome::Passed)));
        assert_eq!(matrix.count("armv7", Proof::Encode), Count { passed: 1, open: 1, ..Count::default() });
        assert_eq!(matrix.count("armv7", Proof::Edge), Count { failed: 1, open: 1, ..Count::default() });
        assert!(matrix.failed());
        assert!(matrix.terminal().contains("FAIL armv7 R_ARM_REL32 edge: x"));
        let text = serde_json::to_string(&matrix).expect("written");
        assert_eq!(serde_json::from_str::<Matrix>(&text).expect("read"), matrix);
    }
}
