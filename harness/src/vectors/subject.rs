//! What a linker makes of vectors, next to what the ABI says.

use std::collections::BTreeMap;
use std::fmt;

use super::data::{ErrorKind, Kind, Row, Vector};

/// What a linker did with a vector's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It left these bytes at the place.
    Bytes(Vec<u8>),
    /// It made a veneer, and left these bytes at the place.
    Veneer(Vec<u8>),
    /// It refused: why, where it is one of the ABI's reasons, and its words.
    Refused(Option<ErrorKind>, String),
    /// It was not asked, for this reason.
    NotAsked(&'static str),
}

/// How an answer compares with the vector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// As the vector says.
    Agrees,
    /// A veneer, where the ABI lets a linker have one.
    Veneer,
    /// A veneer that was not needed, where the ABI lets a linker have one: linkers are careful near the ends of a range.
    NeedlessVeneer,
    /// Other bytes.
    Differs,
    /// It wrote where there has to be an error.
    Accepts,
    /// It refused what the ABI allows.
    Refuses,
    /// It refused for another reason.
    OtherError,
    /// It was not asked.
    NotAsked,
}

impl Judgement {
    /// Whether there is nothing to look at.
    pub fn is_fine(&self) -> bool {
        matches!(self, Judgement::Agrees | Judgement::Veneer | Judgement::NeedlessVeneer | Judgement::NotAsked)
    }

    /// In words.
    pub fn name(&self) -> &'static str {
        match self {
            Judgement::Agrees => "agrees",
            Judgement::Veneer => "by veneer",
            Judgement::NeedlessVeneer => "by a needless veneer",
            Judgement::Differs => "writes other bytes",
            Judgement::Accepts => "writes where there has to be an error",
            Judgement::Refuses => "refuses",
            Judgement::OtherError => "has another error",
            Judgement::NotAsked => "not asked",
        }
    }
}

/// Compares an answer with a vector. The relocation is that of the vector.
pub fn judge(relocation: &Row, vector: &Vector, answer: &Answer) -> Judgement {
    let right = |bytes: &[u8]| vector.after.iter().chain(&vector.also).any(|right| *right == hex(bytes));
    match (answer, vector.error) {
        (Answer::NotAsked(_), _) => Judgement::NotAsked,
        (Answer::Bytes(bytes) | Answer::Veneer(bytes), None) if right(bytes) => Judgement::Agrees,
        (Answer::Bytes(_), None) => Judgement::Differs,
        (Answer::Bytes(_), Some(_)) => Judgement::Accepts,
        (Answer::Veneer(_), Some(ErrorKind::OutOfRange | ErrorKind::State)) if relocation.veneer => Judgement::Veneer,
        (Answer::Veneer(_), Some(_)) => Judgement::Accepts,
        (Answer::Veneer(_), None) if relocation.veneer => Judgement::NeedlessVeneer,
        (Answer::Veneer(_), None) => Judgement::Differs,
        (Answer::Refused(None, _), Some(_)) => Judgement::Agrees,
        (Answer::Refused(Some(said), _), Some(error)) if *said == error => Judgement::Agrees,
        (Answer::Refused(..), Some(_)) => Judgement::OtherError,
        (Answer::Refused(..), None) => Judgement::Refuses,
    }
}

/// Vectors of one relocation that came out otherwise in one way.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How many there are of each kind.
    pub kinds: BTreeMap<Kind, usize>,
    /// One of them, in words.
    pub example: String,
}

/// What came of all vectors of a target.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many vectors came out like this.
    pub counts: BTreeMap<Judgement, usize>,
    /// What there is to look at, by relocation and judgement.
    pub differences: BTreeMap<(String, Judgement), Difference>,
    /// Why vectors were not asked about.
    pub not_asked: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// Takes in one answer.
    pub fn add(&mut self, relocation: &Row, vector: &Vector, answer: &Answer) {
        let judgement = judge(relocation, vector, answer);
        *self.counts.entry(judgement.clone()).or_insert(0) += 1;
        if let Answer::NotAsked(reason) = answer {
            *self.not_asked.entry(reason).or_insert(0) += 1;
        }
        if !judgement.is_fine() {
            let found = self
                .differences
                .entry((vector.relocation.clone(), judgement))
                .or_insert_with(|| Difference { kinds: BTreeMap::new(), example: told(vector, answer) });
            *found.kinds.entry(vector.kind).or_insert(0) += 1;
        }
    }

    /// The vectors about which there is something to look at.
    pub fn open(&self) -> usize {
        self.counts.iter().filter(|(judgement, _)| !judgement.is_fine()).map(|(_, count)| count).sum()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn told(vector: &Vector, answer: &Answer) -> String {
    let said = match answer {
        Answer::Bytes(bytes) => hex(bytes),
        Answer::Veneer(bytes) => format!("{} and a veneer", hex(bytes)),
        Answer::Refused(_, words) => words.clone(),
        Answer::NotAsked(reason) => (*reason).to_owned(),
    };
    let expected = match (&vector.after, vector.error) {
        (Some(after), _) => after.clone(),
        (None, error) => error.map_or(String::new(), |error| error.name().to_owned()),
    };
    let Vector { id, p, s, a, before, .. } = vector;
    format!("{id}: P {p} S {s} A {a}, before {before}, expected {expected}, got {said}")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> =
            self.counts.iter().map(|(judgement, count)| format!("{} {count}", judgement.name())).collect();
        writeln!(f, "{}", counts.join(", "))?;
        for (reason, count) in &self.not_asked {
            writeln!(f, "  not asked of {count}: {reason}")?;
        }
        for ((relocation, judgement), Difference { kinds, example }) in &self.differences {
            let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
            writeln!(f, "  {relocation} {}: {}\n    {example}", judgement.name(), kinds.join(", "))?;
        }
        Ok(())
    }
}
