//! Every property of every row, changed one at a time: a proof has to see it. Survivors are listed, under a ceiling.
//!
//! One in [`SAMPLE`] here; `cargo xtask mutate` tries all.

use harness::proof::mutate::{Fate, mutants, try_out};
use linker::Target;

/// Every so-manieth mutant, unless the variable `MUTATE` is `all`.
const SAMPLE: usize = 7;

/// Of a thousand mutants that are proven, so many may survive.
const CEILING: usize = 150;

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
        survivors.iter().for_each(|survivor| println!("survived  {} {survivor}", target.name));
        let proven = killed + survivors.len();
        println!("{}: {killed} of {proven} mutants killed, {unproven} of relocations without a field", target.name);
        assert!(proven > 100, "only {proven} mutants of {}", target.name);
        let most = proven * CEILING / 1000;
        assert!(survivors.len() <= most, "{} of {proven} survived, at most {most} may", survivors.len());
    }
}
