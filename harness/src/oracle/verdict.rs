//! Who is right where two linkers differ, by the ABI's formula.

use std::fmt;

use super::reading::{Finding, Way};

/// Who is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
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

/// The verdict over two findings. The second is how both are right, where both are.
pub(super) fn over(ours: Finding, theirs: Finding) -> (Verdict, Option<(Way, Way)>) {
    let verdict = match (ours, theirs) {
        (Finding::Right(ours), Finding::Right(theirs)) => return (Verdict::BothAreValid, Some((ours, theirs))),
        (Finding::Right(_), Finding::Wrong(why)) => Verdict::OursIsRight(why),
        (Finding::Wrong(why), Finding::Right(_)) => Verdict::TheirsIsRight(why),
        (Finding::Wrong(ours), Finding::Wrong(theirs)) => Verdict::NeitherIsRight(ours, theirs),
        (Finding::Forbidden(why), _) | (_, Finding::Forbidden(why)) => Verdict::InputIsForbidden(why),
        (Finding::Unknown(why), _) => Verdict::CannotTell(format!("of ours, {why}")),
        (_, Finding::Unknown(why)) => Verdict::CannotTell(format!("of theirs, {why}")),
    };
    (verdict, None)
}

impl Verdict {
    /// In a word, for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::OursIsRight(_) => "ours",
            Verdict::TheirsIsRight(_) => "theirs",
            Verdict::NeitherIsRight(..) => "neither",
            Verdict::BothAreValid => "both",
            Verdict::InputIsForbidden(_) => "forbidden",
            Verdict::CannotTell(_) => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::OursIsRight(why) => write!(f, "ours is right, theirs is wrong: {why}"),
            Verdict::TheirsIsRight(why) => write!(f, "theirs is right, ours is wrong: {why}"),
            Verdict::NeitherIsRight(ours, theirs) => write!(f, "both are wrong: ours: {ours}; theirs: {theirs}"),
            Verdict::BothAreValid => f.write_str("both are a valid choice"),
            Verdict::InputIsForbidden(why) => write!(f, "the ABI forbids the input: {why}"),
            Verdict::CannotTell(why) => write!(f, "cannot tell: {why}"),
        }
    }
}
