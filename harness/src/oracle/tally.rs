//! Counts the outcomes of compared fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::freedom::{Excluded, Freedom, Meaning};
use super::ruling::Ruling;

/// What a field came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same bytes.
    Same,
    /// Other bytes that were followed to the same end.
    Meant(Meaning),
    /// Not the same, for a reason.
    Excused(Freedom),
    /// Not compared.
    Excluded(Excluded),
    /// Different.
    Different(Box<Difference>),
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub site: String,
    /// The formula with its numbers.
    pub numbers: String,
    /// Our bytes, and what they are.
    pub ours: String,
    /// The peer's.
    pub theirs: String,
    /// Who is right.
    pub ruling: Ruling,
}

/// Counts of one relocation.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Same bytes.
    pub same: usize,
    /// Other bytes that come to the same, by what was followed.
    pub meant: BTreeMap<Meaning, usize>,
    /// By freedom.
    pub excused: BTreeMap<Freedom, usize>,
    /// Not compared.
    pub excluded: BTreeMap<Excluded, usize>,
    /// The fields that differ.
    pub different: Vec<Difference>,
}

impl Tally {
    /// Counts one field.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::Meant(meaning) => *self.meant.entry(meaning).or_default() += 1,
            Outcome::Excused(freedom) => *self.excused.entry(freedom).or_default() += 1,
            Outcome::Excluded(reason) => *self.excluded.entry(reason).or_default() += 1,
            Outcome::Different(difference) => self.different.push(*difference),
        }
    }

    /// Counts what another tally has.
    pub fn merge(&mut self, other: Tally) {
        fn add<K: Ord>(to: &mut BTreeMap<K, usize>, from: BTreeMap<K, usize>) {
            from.into_iter().for_each(|(key, count)| *to.entry(key).or_default() += count);
        }
        self.same += other.same;
        add(&mut self.meant, other.meant);
        add(&mut self.excused, other.excused);
        add(&mut self.excluded, other.excluded);
        self.different.extend(other.different);
    }

    /// Fields of which it is known what they come to.
    pub fn compared(&self) -> usize {
        self.agreed() + self.excused() + self.different.len()
    }

    /// Fields that are the same, or come to the same.
    pub fn agreed(&self) -> usize {
        self.same + self.meant()
    }

    /// Fields that come to the same by other bytes.
    pub fn meant(&self) -> usize {
        self.meant.values().sum()
    }

    /// Fields that a freedom excuses.
    pub fn excused(&self) -> usize {
        self.excused.values().sum()
    }

    /// Fields that were not compared.
    pub fn excluded(&self) -> usize {
        self.excluded.values().sum()
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        fn by_name<K: std::fmt::Debug>(counts: &BTreeMap<K, usize>) -> Value {
            counts.iter().map(|(key, count)| (format!("{key:?}").to_lowercase(), json!(count))).collect()
        }
        let different = self.different.iter().map(|difference| {
            json!({
                "site": difference.site,
                "numbers": difference.numbers,
                "ours": difference.ours,
                "theirs": difference.theirs,
                "verdict": difference.ruling.word(),
                "why": difference.ruling.to_string(),
            })
        });
        json!({
            "same": self.same,
            "meant": by_name(&self.meant),
            "excused": by_name(&self.excused),
            "excluded": by_name(&self.excluded),
            "different": different.collect::<Vec<_>>(),
        })
    }
}
