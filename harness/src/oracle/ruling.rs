//! Rules over two linkers that differ, by the ABI's formula.

use std::fmt;

use super::field::{Finding, Way};

/// Who is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// We are; what the peer has is wrong, for this reason.
    OursIsRight(String),
    /// The peer is; ours is wrong, for this reason.
    TheirsIsRight(String),
    /// Nobody is: why ours is wrong, and theirs.
    NeitherIsRight(String, String),
    /// Both choices are good.
    BothAreValid,
    /// The ABI forbids the input, so that it does not say what becomes of it: the rule that it breaks.
    InputIsForbidden(String),
    /// The ABI's text does not decide it, or what would is not known.
    CannotTell(String),
}

/// The ruling over two findings. The second is how both are right, where both are.
pub(super) fn over(ours: Finding, theirs: Finding) -> (Ruling, Option<(Way, Way)>) {
    let ruling = match (ours, theirs) {
        (Finding::Right(ours), Finding::Right(theirs)) => return (Ruling::BothAreValid, Some((ours, theirs))),
        (Finding::Right(_), Finding::Wrong(why)) => Ruling::OursIsRight(why),
        (Finding::Wrong(why), Finding::Right(_)) => Ruling::TheirsIsRight(why),
        (Finding::Wrong(ours), Finding::Wrong(theirs)) => Ruling::NeitherIsRight(ours, theirs),
        (Finding::Forbidden(why), _) | (_, Finding::Forbidden(why)) => Ruling::InputIsForbidden(why),
        (Finding::Unknown(why), _) => Ruling::CannotTell(format!("of ours, {why}")),
        (_, Finding::Unknown(why)) => Ruling::CannotTell(format!("of theirs, {why}")),
    };
    (ruling, None)
}

impl Ruling {
    /// In a word, for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Ruling::OursIsRight(_) => "ours",
            Ruling::TheirsIsRight(_) => "theirs",
            Ruling::NeitherIsRight(..) => "neither",
            Ruling::BothAreValid => "both",
            Ruling::InputIsForbidden(_) => "forbidden",
            Ruling::CannotTell(_) => "unknown",
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ruling::OursIsRight(why) => write!(f, "ours is right, theirs is wrong: {why}"),
            Ruling::TheirsIsRight(why) => write!(f, "theirs is right, ours is wrong: {why}"),
            Ruling::NeitherIsRight(ours, theirs) => write!(f, "both are wrong: ours: {ours}; theirs: {theirs}"),
            Ruling::BothAreValid => f.write_str("both are a valid choice"),
            Ruling::InputIsForbidden(why) => write!(f, "the ABI forbids the input: {why}"),
            Ruling::CannotTell(why) => write!(f, "cannot tell: {why}"),
        }
    }
}
