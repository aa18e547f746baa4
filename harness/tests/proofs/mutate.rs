//! Every property of every row, changed one at a time: a proof has to see it. Survivors are listed, under a ceiling.
//!
//! One in [`SAMPLE`] here; `cargo xtask mutate` tries all.

use harness::proof::mutate::{Fate, mutants, try_out};
use linker::Target;

/// Every so-manieth mutant, unless the variable `MUTATE` is `all`.
const SAMPLE: usize = 7;

/// Of a thousand mutants that are proven, so many may survive.
const CEILING: usize = 120;

/// Why mutants survive, by what was changed.
const REASONS: &[(&str, &str)] = &[
    ("T the other way", "the proofs aim at functions only where the ABI's formula mentions T"),
    ("minus Origin for", "the proofs aim at absolute symbols, which are in no segment: its origin is 0"),
    ("minus Got for Nothing", "there is no table in these links: its origin is 0"),
    ("minus PageGot for Nothing", "there is no table in these links: its page is 0"),
    ("SBREL_11_0_NC: minus ", "a segment begins at a page: its origin takes nothing away from the lowest twelve bits"),
    ("GOTOFF_G2_NC: run 0", "the upper pieces of an offset in a table are 0, wherever they are taken from"),
    ("for Got", "pieces of an offset in a table that is smaller than the piece are 0 or -1 either way"),
    ("for Block", "pieces of an offset in a block that is smaller than the piece are 0 either way"),
    ("minus Block for Nothing", "the upper pieces of an address below the block are the same with it taken away"),
    (
        "minus PagePlace for Nothing",
        "the upper pieces of an address above the place are the same with its page taken away",
    ),
    ("minus ThreadPointer for", "the upper pieces of an address are the same with a small one taken away"),
    ("multiple of", "every value that the formula has in these links is one already: entries of tables are, and pages"),
    ("check ", "no table and no block is so large that the value comes to the limit"),
    ("not for ", "the transcription does not name this instruction"),
    ("Page() the other way", "the field takes bits above those that a page drops"),
    ("stored addends", "the addends that were tried read the same"),
];

/// The reason for a survivor.
fn reason(what: &str) -> Option<&'static str> {
    REASONS.iter().find(|row| what.contains(row.0)).map(|row| row.1)
}

#[test]
fn proofs_see_what_is_wrong() {
    let all = std::env::var("MUTATE").is_ok_and(|value| value == "all");
    for target in ["aarch64", "armv7"].map(|name| Target::named(name).expect("a target")) {
        let (mut killed, mut survivors, mut unproven) = (0, Vec::new(), 0);
        for mutant in mutants(target).iter().step_by(if all { 1 } else { SAMPLE }) {
            match try_out(target, mutant) {
                Fate::Killed(_) => killed += 1,
                Fate::NotProven => unproven += 1,
                Fate::Survived => {
                    let row = &target.architecture.rows()[mutant.index];
                    survivors.push(format!("{}: {}", row.name, mutant.what));
                }
            }
        }
        let mut unexplained = 0;
        for survivor in &survivors {
            let why = reason(survivor);
            unexplained += usize::from(why.is_none());
            println!("survived  {} {survivor}: {}", target.name, why.unwrap_or("UNEXPLAINED"));
        }
        println!("{}: {unexplained} of {} survivors without a reason", target.name, survivors.len());
        let proven = killed + survivors.len();
        println!("{}: {killed} of {proven} mutants killed, {unproven} of relocations without a field", target.name);
        assert!(proven > 100, "only {proven} mutants of {}", target.name);
        let most = proven * CEILING / 1000;
        assert_eq!(unexplained, 0, "each survivor has a reason");
        assert!(survivors.len() <= most, "{} of {proven} survived, at most {most} may", survivors.len());
    }
}
