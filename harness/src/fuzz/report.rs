//! A difference in words.

use std::fmt::Write as _;

use super::bench::{Outcome, command_line};
use super::build::START;
use super::campaign::Difference;
use super::expect;
use super::model::{Check, How, Program, Sequence};
use super::quirks;
use super::render;
use super::subject::Subject;
use crate::oracle::Peer;

/// One line: who found what.
pub fn line(program: &Program, outcomes: &[(Subject, Outcome)]) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (subject, outcome) in outcomes {
        let outcome = outcome.to_string();
        match groups.iter_mut().find(|known| known.0 == outcome) {
            Some(known) => known.1.push(subject.to_string()),
            None => groups.push((outcome, vec![subject.to_string()])),
        }
    }
    let words: Vec<String> = groups.iter().map(|(outcome, who)| format!("{} {outcome}", who.join(", "))).collect();
    format!("seed {} {}: {}", program.seed, program.target().name, words.join("; "))
}

/// Who is alone with what.
pub fn verdict(difference: &Difference) -> String {
    let (right, wrong): (Vec<_>, Vec<_>) = difference.outcomes.iter().partition(|entry| entry.1 == Outcome::Right);
    let ours = |list: &[&(Subject, Outcome)]| list.iter().any(|entry| entry.0.is_ours());
    let peers = |list: &[&(Subject, Outcome)]| {
        let mut names: Vec<&str> = list
            .iter()
            .filter_map(|entry| match &entry.0 {
                Subject::Peer(peer) | Subject::Process(peer) => Some(peer.name()),
                Subject::Ours { .. } | Subject::Image => None,
            })
            .collect();
        names.dedup();
        names.join(" and ")
    };
    match (ours(&wrong), peers(&wrong).as_str(), peers(&right).as_str()) {
        (true, "", "") => "linkrig differs from the model; no peer to ask".to_owned(),
        (true, "", right) => format!("linkrig stands alone: {right} finds what the model says"),
        (true, wrong, "") => format!("linkrig and {wrong} differ from the model: look at the model first"),
        (true, wrong, right) => format!("linkrig and {wrong} stand against {right} and the model"),
        (false, wrong, "") => format!("{wrong} stands against linkrig and the model"),
        (false, wrong, right) => format!("{wrong} stands alone against {right}, linkrig and the model"),
    }
}

/// The check in which the first of these was wrong, in words.
pub fn wrong_check(program: &Program, outcomes: &[(Subject, Outcome)]) -> Option<String> {
    let number = outcomes.iter().find_map(|entry| match entry.1 {
        Outcome::Wrong { check, .. } | Outcome::Broken { check, .. } => Some(check),
        _ => None,
    })?;
    let (_, check) = program.checks().find(|(item, _)| item.id == number)?;
    let wanted = expect::value(program, check).unwrap_or(0);
    Some(format!("check {number}: {}, expected {wanted:#x}", describe(program, check)))
}

/// What a check does, in a few words.
pub fn describe(program: &Program, check: &Check) -> String {
    let mode = format!("{:?}", check.mode);
    match &check.how {
        How::References { list, .. } => {
            let one = |sequence: &Sequence| {
                let name = program.item(sequence.target).map(super::model::Item::symbol).unwrap_or_default();
                format!("{:?} of {name} by {:?}, {:?}", sequence.then, sequence.form, sequence.shape)
            };
            format!("{mode}, {}", list.iter().map(one).collect::<Vec<_>>().join("; "))
        }
        How::Table { table } => format!("{mode}, the words of table {table}"),
        How::Run { run } => format!("{mode}, the function in pieces {run}"),
        How::Constructors => format!("{mode}, the order of constructors"),
        How::Edge { distance, .. } => format!("{mode}, a branch over {distance:#x} bytes"),
        How::Bounds { .. } => format!("{mode}, a variable and the ends of the image's parts"),
        How::Cleared => format!("{mode}, what is between __bss_start and _end"),
    }
}

/// All there is to know about a difference.
pub fn text(difference: &Difference, assembler: &str) -> String {
    let Difference { program, reduced, .. } = difference;
    let mut text = String::new();
    let _ = writeln!(text, "{}", line(program, &difference.outcomes));
    if let Some(check) = wrong_check(program, &difference.outcomes) {
        let _ = writeln!(text, "  {check}");
    }
    let _ = writeln!(text, "  {}", verdict(difference));
    let items = (program.items.len(), reduced.items.len());
    let _ = writeln!(text, "  reduced for {} from {} items to {}:", difference.about, items.0, items.1);
    let _ = writeln!(text, "  {}", line(reduced, &difference.reduced_outcomes));
    if let Some(check) = wrong_check(reduced, &difference.reduced_outcomes) {
        let _ = writeln!(text, "  {check}");
    }
    let texts = render::objects(reduced);
    for (number, object) in texts.iter().enumerate() {
        let archived = if reduced.archived[number] { " (in library.a)" } else { "" };
        let _ = writeln!(text, "  --- part{number}.s{archived}");
        for line in object.lines().filter(|line| !line.contains(".note.GNU-stack")) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = write!(text, "{}", commands(difference, assembler, texts.len()));
    text
}

/// How to get there again.
fn commands(difference: &Difference, assembler: &str, objects: usize) -> String {
    let target = difference.program.target().name;
    let mode = if difference.program.entry.is_64() { "aarch64" } else { "armv7" };
    let files: Vec<String> = (0..objects).map(|number| format!("part{number}.o")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut text = format!("  replay     harness fuzz --seed {} --count 1 --arch {mode}\n", difference.program.seed);
    let _ = writeln!(text, "  assemble   {assembler} partN.s -o partN.o");
    match &difference.about {
        Subject::Image => {
            let _ = writeln!(text, "  link       harness ld -o out {} {}", START, files.join(" "));
        }
        Subject::Ours { relaxed, layout, collected } => {
            // What is not reached is left out there unless this says otherwise.
            let gc = if *collected { "" } else { " --no-gc-sections" };
            let relax = if *relaxed { "" } else { " --no-relax" };
            let _ = writeln!(
                text,
                "  run        harness exec --arch {target} --entry entry --arg {} --layout {layout}{relax}{gc} {}",
                quirks::bits(&difference.about),
                files.join(" ")
            );
        }
        Subject::Peer(peer) | Subject::Process(peer) => {
            let program = if *peer == Peer::Lld { "ld.lld" } else { "ld" };
            let _ = writeln!(text, "  link       {program} {}", command_line(*peer, &files, "out").join(" "));
        }
    }
    text
}
