//! Relocations that leave it to the platform what they mean: R_ARM_TARGET1, which tables of constructors hold, and
//! R_ARM_TARGET2, by which tables of exceptions find types (AAELF32, Static miscellaneous relocations).
//!
//! What was not asked for is what the objects' platform says.

use std::str::FromStr;

/// What such a relocation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// `abs`: the address.
    Absolute,
    /// `rel`: the distance from the place to it.
    Relative,
    /// `got-rel`: the distance from the place to an entry of the global offset table that holds it.
    GotRelative,
}

impl Meaning {
    /// Its name in options, ours and those of other linkers.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Absolute => "abs",
            Meaning::Relative => "rel",
            Meaning::GotRelative => "got-rel",
        }
    }
}

impl FromStr for Meaning {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Meaning::Absolute, Meaning::Relative, Meaning::GotRelative];
        all.into_iter().find(|meaning| meaning.name() == name).ok_or_else(|| "expected abs, rel or got-rel".to_owned())
    }
}

/// What is asked for, and once objects are read what holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// What R_ARM_TARGET1 means: `abs` or `rel`; None is what the objects' platform says.
    pub target1: Option<Meaning>,
    /// What R_ARM_TARGET2 means; None is what the objects' platform says.
    pub target2: Option<Meaning>,
}
