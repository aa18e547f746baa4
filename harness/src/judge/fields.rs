//! The fields of a program that somebody else made, as a failure shows them.

use reports::model::{Checked, Suspect, Verdict};

use super::Findings;
use crate::check::{self, Wrong};
use crate::wording::hex;

/// Says which fields are not the ABI's, or that it is none of them.
pub(super) fn note(found: &check::Findings, findings: &mut Findings) {
    let tally = found.total();
    if tally.wrong == 0 {
        let (right, rest) = (tally.right + tally.relaxed, tally.unknown);
        let unknown = if rest == 0 { String::new() } else { format!(", and {rest} cannot be judged") };
        findings.problems.push(format!("no field is wrong: {right} relocated fields are what the ABI says{unknown}"));
    }
    findings.failure.suspects = found.wrong.iter().map(suspect).collect();
}

fn suspect(wrong: &Wrong) -> Suspect {
    let site = &wrong.site;
    let s = site.s.map_or("unknown".to_owned(), |s| format!("{s:#x}"));
    let expected = wrong.expected.as_ref().map(|(bytes, text)| format!("; expected {}  {text}", hex(bytes)));
    let (found, disassembly) = &wrong.found;
    Suspect {
        relocation: site.relocation.clone(),
        site: site.to_string(),
        symbol: site.symbol.clone(),
        numbers: format!("S {s}  A {:#x}  P {:#x}", site.a, site.p),
        after: hex(found),
        disassembly: format!("{:#x}  {disassembly}", site.p),
        checked: Some(Checked {
            verdict: Verdict::Wrong,
            why: format!("{}{}", wrong.why, expected.unwrap_or_default().trim_end()),
        }),
        ..Suspect::default()
    }
}
