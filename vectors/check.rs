//! Tries a relocator on relocation vectors: the directory of `harness vectors`. Copy it into a test, which needs `serde_json`, and
//! hand it one function.
//!
//! ```ignore
//! let report = check::check("vectors".as_ref(), "aarch64", |vector, place| relocate(vector, place));
//! assert!(report.failed.is_empty() && report.passed > 0, "{report}");
//! ```
//! SPDX-License-Identifier: MIT OR Apache-2.0

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a relocator is told.
#[derive(Debug)]
pub struct Vector {
    /// Its name: relocation, kind, and a number.
    pub id: String,
    /// The number of the relocation.
    pub number: u32,
    /// Whether A is in the record; if not, it is in the place, too.
    pub rela: bool,
    /// Whether data is big-endian. Code is not.
    pub big_endian: bool,
    /// The object file, if there is one.
    pub object: Option<PathBuf>,
    /// By the letters of the ABI: P, S (without the bit that says Thumb, which is T), A, T, and those of GOT, G, B, TLS, tp and
    /// FUNCDESC that the formula mentions.
    pub terms: BTreeMap<String, i128>,
}

/// What a relocator says.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has written the place.
    Written,
    /// There has to be an error: `out-of-range`, `misaligned` or `state`.
    Error(&'static str),
    /// It does not know the relocation.
    NotTried,
}

/// What came of all vectors.
#[derive(Debug, Default)]
pub struct Report {
    /// How many came out right.
    pub passed: usize,
    /// Those that did not, in words.
    pub failed: Vec<String>,
    /// How many are of relocations that the relocator does not know.
    pub not_tried: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failed.iter().take(20).try_for_each(|one| writeln!(f, "FAILED {one}"))?;
        write!(f, "{} passed, {} failed, {} not tried", self.passed, self.failed.len(), self.not_tried)
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn number(text: &Value) -> i128 {
    let text = text.as_str().unwrap_or("0x0");
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    sign * i128::from_str_radix(digits.trim_start_matches("0x"), 16).unwrap_or(0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tries all vectors of a target.
pub fn check(directory: &Path, target: &str, mut relocate: impl FnMut(&Vector, &mut [u8]) -> Outcome) -> Report {
    let file = read(&directory.join(format!("{target}.json")));
    assert_eq!(file["format"], 1, "{target}.json has another format");
    let mut report = Report::default();
    for vector in file["vectors"].as_array().into_iter().flatten() {
        let text = |name: &str| vector[name].as_str().unwrap_or("");
        let mut terms: BTreeMap<String, i128> =
            ["P", "S", "A"].iter().map(|name| (name.to_string(), number(&vector[*name]))).collect();
        terms.insert("T".to_owned(), vector["T"].as_i64().unwrap_or(0).into());
        let named = vector["terms"].as_object().into_iter().flatten();
        terms.extend(named.map(|(name, value)| (name.clone(), number(value))));
        let told = Vector {
            id: text("id").to_owned(),
            number: vector["number"].as_u64().unwrap_or(0) as u32,
            rela: vector["record"] == "rela",
            big_endian: file["data"] == "big",
            object: vector["object"].as_str().map(|path| directory.join(path)),
            terms,
        };
        let digit = |at: usize| u8::from_str_radix(&text("before")[at..at + 2], 16).unwrap_or(0);
        let mut place: Vec<u8> = (0..text("before").len()).step_by(2).map(digit).collect();
        let (right, got) = match relocate(&told, &mut place) {
            Outcome::NotTried => {
                report.not_tried += 1;
                continue;
            }
            Outcome::Error(kind) => (text("error") == kind, kind.to_owned()),
            Outcome::Written => {
                let got = hex(&place);
                let also = vector["also"].as_array().into_iter().flatten().any(|also| *also == *got);
                (vector["after"] == *got || also, got)
            }
        };
        if right {
            report.passed += 1;
        } else {
            let expected = vector["after"].as_str().unwrap_or(text("error"));
            let numbers = &told.terms;
            let id = &told.id;
            report
                .failed
                .push(format!("{id}: {numbers:x?}, before {}, expected {expected}, got {got}", text("before")));
        }
    }
    report
}
