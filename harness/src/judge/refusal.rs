//! What it comes to that another linker, or a loader, says that it cannot.

use super::Findings;
use crate::subject::{self, About, Difference, Kind, Refusal};

/// Who was asked, and what of it is known.
pub(super) struct Asked<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it was asked to do: `linking`.
    pub(super) what: &'a str,
    /// What is not asked of it.
    pub(super) differences: &'a [Difference],
    /// What was asked.
    pub(super) about: About<'a>,
    /// Texts of the error that the case expects.
    pub(super) wanted: &'a [&'a str],
    /// Whether the ABI forbids the layout, so that a value out of range is right.
    pub(super) is_beyond: bool,
}

impl Asked<'_> {
    /// Judges what it says.
    pub(super) fn judge(&self, refusal: &Refusal, findings: &mut Findings) {
        let Refusal { kind, text } = refusal;
        let Asked { name, what, wanted, .. } = self;
        let said = || format!("{name} says: {text}");
        let mut known = self.differences.iter().filter(|known| known.says.is_some());
        let excused = |known: &&Difference| {
            known.says.as_ref().is_some_and(|part| text.contains(part)) && self.about.is(known, &findings.held)
        };
        let excuse = known.find(excused);
        let of_case = subject::expected(wanted);
        let failed = matches!(kind, Kind::Crash | Kind::Budget);
        let is_wanted = if wanted.is_empty() {
            self.is_beyond && *kind == Kind::OutOfRange
        } else {
            !failed && of_case.is_none_or(|wanted| wanted == *kind)
        };
        match kind {
            _ if is_wanted => findings.check(true, String::new),
            _ if excuse.is_some() => {
                findings.skip = excuse.map(|excuse| format!("{name}: {}", excuse.reason));
            }
            Kind::Unsupported => findings.refused = Some(said().lines().next().unwrap_or_default().to_owned()),
            Kind::Layout => findings.skip = Some(format!("{name} cannot follow the layout: {text}")),
            Kind::Crash | Kind::Budget => findings.check(false, || text.clone()),
            kind if wanted.is_empty() => {
                findings.check(false, || format!("{what} failed ({}): {}", kind.name(), said()));
            }
            kind => findings.check(false, || {
                let wanted = of_case.map_or("", Kind::name);
                format!("{what} failed ({}), expected another error ({wanted}): {}", kind.name(), said())
            }),
        }
    }
}
