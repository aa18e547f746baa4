//! Two runs, and what is different: what regressed, what was fixed, what is new, gone or slower, and which relocations
//! the regressions have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::exit;
use crate::json::Report;
use crate::model::{Record, Status};
use crate::text::clean;

/// A case is slower when it takes so many times as long, and so many seconds more.
const SLOWER: (f64, f64) = (2.0, 0.05);

/// What a list of suspects says, and what it does not.
pub(crate) const CORRELATION: &str = "What regressions have in common is where to look first, and no proof: another relocation of the same configurations, or none, may be the cause.";

/// How many names of a list the texts show.
const SHOWN: usize = 20;

/// A configuration that came out in another way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// How it came out before.
    pub before: Status,
    /// How it does now.
    pub now: Status,
}

/// A relocation that regressions have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suspect {
    /// Its name.
    pub relocation: String,
    /// Configurations that hold it, passed before, and fail now.
    pub failing: usize,
    /// Configurations that hold it and passed before.
    pub holding: usize,
    /// Of the regressions, those that nothing before it in the list explains.
    pub explains: usize,
    /// How many other relocations are as likely, as they stand in configurations of the same number.
    pub alike: usize,
}

/// A case that takes longer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slower {
    /// `target group/case`.
    pub case: String,
    /// Seconds of its configurations together, before.
    pub before: f64,
    /// And now.
    pub now: f64,
}

/// What is different between two runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Whether the runs came to their end: the old one, the new one.
    pub complete: (bool, bool),
    /// Configurations that both have.
    pub common: usize,
    /// As expected before, not any more.
    pub regressed: Vec<Change>,
    /// Not as expected before, but now.
    pub fixed: Vec<Change>,
    /// Run before, skipped or lost now.
    pub skipped: Vec<String>,
    /// Only in the new run; those that fail are among the regressions of nobody.
    pub appeared: Vec<String>,
    /// Only in the old run.
    pub vanished: Vec<String>,
    /// Cases that take longer.
    pub slower: Vec<Slower>,
    /// Relocations that the regressions have in common, the likeliest first.
    pub suspects: Vec<Suspect>,
    /// Regressions that hold no relocation at all.
    pub unexplained: usize,
}

impl Comparison {
    /// Compares two runs.
    pub fn of(old: &Report, new: &Report) -> Comparison {
        let before: BTreeMap<&str, &Record> = old.results.iter().map(|record| (record.name.as_str(), record)).collect();
        let after: BTreeMap<&str, &Record> = new.results.iter().map(|record| (record.name.as_str(), record)).collect();
        let mut comparison = Comparison { complete: (old.complete(), new.complete()), ..Comparison::default() };
        let mut failing: Vec<&Record> = Vec::new();
        for (&name, &was) in &before {
            let Some(&is) = after.get(name) else {
                comparison.vanished.push(name.to_owned());
                continue;
            };
            comparison.common += 1;
            let change = || Change { name: name.to_owned(), before: was.status, now: is.status };
            match (was.status.is_failure(), is.status.is_failure()) {
                (false, true) => {
                    comparison.regressed.push(change());
                    failing.push(was);
                }
                (true, false) if is.status.is_result() => comparison.fixed.push(change()),
                _ if !is.status.is_result() && was.status.is_result() => {
                    comparison.skipped.push(name.to_owned());
                }
                _ => {}
            }
        }
        comparison.appeared =
            after.keys().filter(|name| !before.contains_key(*name)).map(|&name| name.into()).collect();
        comparison.slower = slower(&before, &after);
        comparison.explain(&failing, &before, &after);
        comparison
    }

    /// The relocations that explain what fails now: one by one the one that explains most, weighed by the square of the
    /// share of its configurations that fail, until nothing is left that holds any. What a configuration holds is taken from the old run, as one that no longer
    /// links says nothing.
    fn explain(&mut self, failing: &[&Record], before: &BTreeMap<&str, &Record>, after: &BTreeMap<&str, &Record>) {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let failed: BTreeSet<&str> = failing.iter().map(|record| record.name.as_str()).collect();
        let passed = |record: &&&Record| record.status == Status::Passed && after.contains_key(record.name.as_str());
        for record in before.values().filter(passed) {
            for name in record.relocations.keys() {
                let count = counts.entry(name).or_default();
                count.0 += usize::from(failed.contains(record.name.as_str()));
                count.1 += 1;
            }
        }
        let mut left: Vec<&Record> = failing.to_vec();
        left.retain(|record| !record.relocations.is_empty());
        self.unexplained = failing.len() - left.len();
        while !left.is_empty() {
            let mut here: BTreeMap<&str, usize> = BTreeMap::new();
            left.iter()
                .flat_map(|record| record.relocations.keys())
                .for_each(|name| *here.entry(name).or_default() += 1);
            // One that stands everywhere explains everything, and is innocent. Without rounding: a / b > c / d is a * d > c * b.
            let likelier = |a: &(&str, usize), b: &(&str, usize)| {
                let ((a_failing, a_all), (b_failing, b_all)) =
                    (counts.get(a.0).copied().unwrap_or_default(), counts.get(b.0).copied().unwrap_or_default());
                let weight = |explains: usize, failing: usize, all: usize| {
                    explains as u128 * (failing as u128).pow(2) * (all as u128).pow(2)
                };
                weight(a.1, a_failing, b_all).cmp(&weight(b.1, b_failing, a_all))
            };
            let Some(best) =
                here.iter().map(|(&name, &count)| (name, count)).max_by(|a, b| likelier(a, b).then(b.0.cmp(a.0)))
            else {
                break;
            };
            let (name, explains) = best;
            let alike = here.iter().filter(|(other, count)| likelier(&(other, **count), &best).is_eq()).count() - 1;
            let (failing, holding) = counts.get(name).copied().unwrap_or_default();
            self.suspects.push(Suspect { relocation: name.to_owned(), failing, holding, explains, alike });
            let name = name.to_owned();
            left.retain(|record| !record.relocations.contains_key(&name));
        }
    }

    /// 100 when something regressed.
    pub fn exit_status(&self) -> u8 {
        if self.regressed.is_empty() { exit::OK } else { exit::FAILURES }
    }

    /// As text.
    pub fn terminal(&self) -> String {
        let mut out = String::new();
        for (complete, which) in [(self.complete.0, "old"), (self.complete.1, "new")] {
            if !complete {
                let _ = writeln!(out, "the {which} run was cut short: what it did not get to is missing\n");
            }
        }
        for suspect in &self.suspects {
            let Suspect { relocation, failing, holding, explains, alike } = suspect;
            let name = clean(relocation);
            let others = if *alike > 0 { format!(", as with {alike} others") } else { String::new() };
            let all = self.regressed.len();
            let _ = writeln!(
                out,
                "REGRESSED {name}: {failing} of {holding} configurations that hold it fail now; {explains} of {all} regressions hold it{others}"
            );
        }
        if !self.suspects.is_empty() {
            let _ = writeln!(out, "{CORRELATION}\n");
        }
        let changes = |list: &[Change]| list.iter().map(|change| clean(&change.name).into_owned()).collect::<Vec<_>>();
        list(&mut out, "regressed", &changes(&self.regressed));
        list(&mut out, "fixed", &changes(&self.fixed));
        list(&mut out, "skipped now", &names(&self.skipped));
        list(&mut out, "appeared", &names(&self.appeared));
        list(&mut out, "vanished", &names(&self.vanished));
        list(&mut out, "slower", &self.slower.iter().map(Slower::to_string).collect::<Vec<_>>());
        out + &self.line() + "\n"
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!("### Comparison\n\n{}\n", self.line());
        if !self.suspects.is_empty() {
            let _ = writeln!(out, "\n{CORRELATION}");
            out += "\n| relocation | fail now | of those with it | regressions with it |\n|---|---|---|---|\n";
            for Suspect { relocation, failing, holding, explains, .. } in &self.suspects {
                let _ = writeln!(out, "| {} | {failing} | {holding} | {explains} |", code(relocation));
            }
        }
        let changes = |list: &[Change]| list.iter().map(|change| change.name.clone()).collect::<Vec<_>>();
        let slower: Vec<String> = self.slower.iter().map(Slower::to_string).collect();
        for (title, list) in [
            ("Regressed", &changes(&self.regressed)),
            ("Fixed", &changes(&self.fixed)),
            ("Skipped now", &self.skipped),
            ("Appeared", &self.appeared),
            ("Vanished", &self.vanished),
            ("Slower", &slower),
        ] {
            if list.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n#### {title}: {}\n", list.len());
            list.iter().take(SHOWN).for_each(|name| out += &format!("- {}\n", code(name)));
            if list.len() > SHOWN {
                let _ = writeln!(out, "- and {} more", list.len() - SHOWN);
            }
        }
        out
    }

    fn line(&self) -> String {
        format!(
            "{} regressed, {} fixed, {} appeared, {} vanished, {} skipped now, {} cases slower, of {} in both",
            self.regressed.len(),
            self.fixed.len(),
            self.appeared.len(),
            self.vanished.len(),
            self.skipped.len(),
            self.slower.len(),
            self.common
        )
    }
}

impl std::fmt::Display for Slower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:.3} s, was {:.3} s", clean(&self.case), self.now, self.before)
    }
}

fn names(list: &[String]) -> Vec<String> {
    list.iter().map(|name| clean(name).into_owned()).collect()
}

fn list(out: &mut String, title: &str, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}:");
    names.iter().take(SHOWN).for_each(|name| *out += &format!("  {name}\n"));
    if names.len() > SHOWN {
        let _ = writeln!(out, "  and {} more", names.len() - SHOWN);
    }
    out.push('\n');
}

/// A name that Markdown leaves alone.
fn code(name: &str) -> String {
    format!("`{}`", clean(name).replace('`', "'").replace('|', "\\|"))
}

/// Cases that take longer, by the sums of their configurations in both runs.
fn slower(before: &BTreeMap<&str, &Record>, after: &BTreeMap<&str, &Record>) -> Vec<Slower> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (name, was) in before {
        if let Some(is) = after.get(name) {
            let sum = sums.entry(format!("{} {}", was.target, was.case)).or_default();
            sum.0 += was.seconds;
            sum.1 += is.seconds;
        }
    }
    let grown = |&(_, (was, is)): &(String, (f64, f64))| is > was * SLOWER.0 && is - was > SLOWER.1;
    sums.into_iter().filter(grown).map(|(case, (before, now))| Slower { case, before, now }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Start, Totals};

    fn report(results: &[(&str, Status, &[&str])]) -> Report {
        let record = |&(name, status, relocations): &(&str, Status, &[&str])| Record {
            name: name.to_owned(),
            target: "armv7".to_owned(),
            case: name.split('/').next().unwrap_or_default().to_owned(),
            build: String::new(),
            layout: String::new(),
            executor: String::new(),
            subject: None,
            status,
            reason: None,
            seconds: 0.01,
            checks: 1,
            relocations: relocations.iter().map(|name| ((*name).to_owned(), 1)).collect(),
            failure: None,
        };
        Report {
            start: Start::default(),
            results: results.iter().map(record).collect(),
            totals: Some(Totals::default()),
        }
    }

    use Status::{Failed, Passed, Skipped};

    #[test]
    fn the_relocation_that_all_failures_share_and_no_success_holds_is_named() {
        let all: &[(&str, &[&str])] = &[
            ("a/1", &["CALL", "ADD"]),
            ("a/2", &["CALL", "ADD", "PAGE"]),
            ("b/1", &["CALL", "PAGE"]),
            ("b/2", &["CALL"]),
            ("c/1", &["ADD"]),
        ];
        let old = report(&all.iter().map(|&(name, held)| (name, Passed, held)).collect::<Vec<_>>());
        let broken = |held: &[&str]| if held.contains(&"ADD") { Failed } else { Passed };
        // What does not link any more holds nothing.
        let new = report(&all.iter().map(|&(name, held)| (name, broken(held), &[][..])).collect::<Vec<_>>());
        let comparison = Comparison::of(&old, &new);
        let wanted = Suspect { relocation: "ADD".to_owned(), failing: 3, holding: 3, explains: 3, alike: 0 };
        assert_eq!(comparison.suspects, [wanted]);
        assert_eq!(comparison.exit_status(), exit::FAILURES);
        assert!(comparison.terminal().contains("REGRESSED ADD: 3 of 3"), "{}", comparison.terminal());
        assert!(comparison.terminal().contains(CORRELATION) && comparison.markdown().contains(CORRELATION));
        assert!(comparison.markdown().contains("| `ADD` | 3 | 3 | 3 |"));
    }

    #[test]
    fn two_wrong_relocations_are_two() {
        let all: &[(&str, &[&str])] = &[("a/1", &["X", "Z"]), ("a/2", &["Y", "Z"]), ("a/3", &["Z"])];
        let old = report(&all.iter().map(|&(name, held)| (name, Passed, held)).collect::<Vec<_>>());
        let new = report(&[("a/1", Failed, all[0].1), ("a/2", Failed, all[1].1), ("a/3", Passed, all[2].1)]);
        let names: Vec<String> = Comparison::of(&old, &new).suspects.into_iter().map(|s| s.relocation).collect();
        assert_eq!(names, ["X", "Y"]);
    }

    #[test]
    fn everything_else_has_its_own_list() {
        let old = report(&[("a/1", Failed, &[]), ("a/2", Passed, &[]), ("a/3", Passed, &[]), ("a/4", Failed, &[])]);
        let mut new =
            report(&[("a/1", Passed, &[]), ("a/2", Skipped, &[]), ("a/4", Skipped, &[]), ("b/1", Passed, &[])]);
        new.results[0].seconds = 1.0;
        new.totals = None;
        let comparison = Comparison::of(&old, &new);
        assert_eq!(comparison.fixed.len(), 1, "a failure that is skipped now is not fixed");
        assert_eq!(comparison.skipped, ["a/2", "a/4"]);
        assert_eq!((comparison.vanished, comparison.appeared), (vec!["a/3".to_owned()], vec!["b/1".to_owned()]));
        assert_eq!(comparison.slower.len(), 1);
        assert_eq!(comparison.complete, (true, false));
        assert_eq!(comparison.regressed, []);
    }
}
