//! Proofs that relocations do what the ABI says: for every row of the linker's tables, objects with one relocation are
//! linked in process at chosen addresses, and what was written is compared with what [`corpus::abi`] expects.
//!
//! Nothing here asks the linker what is right. Its rows say only which relocations there are to prove.

use std::borrow::Cow;
use std::fmt;

use corpus::abi::{self, Class, Relocation, Standing};
use corpus::target::UnknownTarget;
use linker::Target;

use crate::disassembly::Disassembler;

pub(crate) mod aim;
mod decode;
pub mod differ;
pub(crate) mod dirty;
pub(crate) mod edge;
pub(crate) mod elf;
pub(crate) mod encode;
pub mod execute;
pub(crate) mod memory;
pub mod mutate;
pub mod object;
pub mod scene;

/// A kind of proof (DESIGN, what counts as proof).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The bytes say the value of the formula.
    Encode,
    /// The last value in reach is accepted and the first beyond is refused.
    Edge,
    /// What was in the field before does not leak, or is the addend; nothing else changes.
    Dirty,
}

/// How a proof came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not, and why.
    Failed(String),
    /// There is nothing to prove: the reason, and the evidence for it.
    NotApplicable(&'static str, String),
}

/// A proof of a relocation.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The target by name.
    pub target: &'static str,
    /// Name in the ABI.
    pub relocation: String,
    /// Number in the object file.
    pub number: u32,
    /// Which proof.
    pub proof: Proof,
    /// How it came out.
    pub outcome: Outcome,
    /// Links it took.
    pub runs: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { target, relocation, number, proof, outcome, runs } = self;
        write!(f, "{target} {number} {relocation} {proof:?} ({runs} runs): ")?;
        match outcome {
            Outcome::Passed => f.write_str("passed"),
            Outcome::Failed(why) => write!(f, "FAILED: {why}"),
            Outcome::NotApplicable(reason, evidence) => write!(f, "not applicable: {reason}: {evidence}"),
        }
    }
}

/// Everything that was proven of a target.
#[derive(Debug, Default)]
pub struct Report {
    /// One for each relocation and proof.
    pub findings: Vec<Finding>,
    /// Relocations of the ABI for static linkers that the linker has no row for, or a row that refuses.
    pub without_row: Vec<String>,
}

/// What a proof tries in turn: counts links, and stops at the first that goes wrong.
pub(crate) struct Trial {
    target: &'static Target,
    runs: usize,
    decoder: Disassembler,
    /// Words that the decoder read, and those that it does not know.
    decoded: (usize, usize),
}

type Step = Result<(), String>;

/// Runs all proofs for one target. An error is one that nobody has transcribed an ABI for.
pub fn prove(target: &'static Target) -> Result<Report, UnknownTarget> {
    let class = corpus::target::find(target)?.class;
    let mut report = Report::default();
    let rows = target.architecture.rows();
    let row = |number| rows.iter().find(|row| row.number == number && row.standing.is_static());
    for relocation in abi::of(class).relocations.iter().filter(|relocation| relocation.class == class) {
        if !matches!(relocation.standing, Standing::Static | Standing::Deprecated) {
            continue;
        }
        match row(relocation.number) {
            None => report.without_row.push(relocation.name.clone()),
            Some(row) => report.findings.extend(prove_one(target, &on_core(target, relocation), row.name)),
        }
    }
    // The other way round: a row the ABI knows nothing of.
    for row in rows.iter().filter(|row| row.standing.is_static()) {
        let known = abi::of(class).get(class, row.number);
        let standing = known.map(|relocation| relocation.standing);
        if !matches!(standing, Some(Standing::Static | Standing::Deprecated)) {
            report.findings.push(Finding {
                target: target.name,
                relocation: row.name.to_owned(),
                number: row.number,
                proof: Proof::Encode,
                outcome: Outcome::Failed(format!("a row for linkers, but in the ABI it is {standing:?}")),
                runs: 0,
            });
        }
    }
    Ok(report)
}

/// A relocation as it is on the target's core.
pub(crate) fn on_core<'a>(target: &Target, relocation: &'a Relocation) -> Cow<'a, Relocation> {
    match relocation.without_thumb2 {
        Some(check) if corpus::target::row(target).before_thumb2 => {
            Cow::Owned(Relocation { check, ..relocation.clone() })
        }
        _ => Cow::Borrowed(relocation),
    }
}

fn prove_one(target: &'static Target, relocation: &Relocation, name: &str) -> Vec<Finding> {
    let finding = |proof, outcome, runs| Finding {
        target: target.name,
        relocation: relocation.name.clone(),
        number: relocation.number,
        proof,
        outcome,
        runs,
    };
    if name != relocation.name && !relocation.aliases.iter().any(|alias| alias == name) {
        let why = format!("the linker's row is called {name}");
        return vec![finding(Proof::Encode, Outcome::Failed(why), 0)];
    }
    let proofs = [
        (Proof::Encode, encode::prove as fn(&mut Trial, &Relocation) -> Result<(), String>),
        (Proof::Edge, edge::prove),
        (Proof::Dirty, dirty::prove),
    ];
    let list = proofs.into_iter().map(|(proof, prove)| {
        if let Some((reason, evidence)) = not_applicable(relocation, proof) {
            return finding(proof, Outcome::NotApplicable(reason, evidence), 0);
        }
        let mut trial = Trial { target, runs: 0, decoder: Disassembler::new(target), decoded: (0, 0) };
        let outcome = match prove(&mut trial, relocation) {
            Ok(()) if trial.runs == 0 => Outcome::Failed("nothing was tried".to_owned()),
            Ok(()) => Outcome::Passed,
            Err(why) => Outcome::Failed(why),
        };
        finding(proof, outcome, trial.runs)
    });
    list.collect()
}

/// Why a proof has nothing to show, with what says so.
fn not_applicable(relocation: &Relocation, proof: Proof) -> Option<(&'static str, String)> {
    let text = relocation.formula.as_ref().map_or("none", |formula| formula.text());
    if relocation.form.bits.is_empty() {
        return Some(("the ABI gives it no field", format!("form without bits, formula {text}")));
    }
    if proof == Proof::Dirty && text.starts_with("PAUTH(") {
        return Some(("what is in the place is how its pointer is signed", text.to_owned()));
    }
    if proof != Proof::Edge {
        return None;
    }
    match relocation.check {
        abi::Check::Range(_, high) if high >= 1 << 31 && text.ends_with(") - GOT") => {
            Some(("no table is so large", format!("{text} of {high} needs {} entries", high / 8)))
        }
        abi::Check::Range(_, high)
            if relocation.class == Class::Ilp32
                && high >= (1 << 32) - 1
                && !text.contains("S + A -")
                && text.contains("(")
                && !text.starts_with("Page(S") =>
        {
            Some(("no place, entry or addend of 32 bits takes it so far", format!("{text} of {high:#x}")))
        }
        _ => None,
    }
}
