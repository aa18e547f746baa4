//! Generated programs: from the same seeds every time, through our linker, GNU ld and lld, and run.

use std::process::Command;

use harness::fuzz::generate::{self, THEMES};
use harness::fuzz::model::{Mode, What};
use harness::fuzz::{reduce, render};

fn fuzz(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command.arg("fuzz").args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn no_linker_differs_from_the_model() {
    let (status, out, err) = fuzz(&["--seed", "1", "--count", "250"]);
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.contains("500 programs") && out.contains("no linker differs"), "{out}");
    // Everybody linked nearly all of them.
    for name in ["GNU ld", "lld", "linkrig far relaxed", "linkrig near unrelaxed", "linkrig random relaxed"] {
        let name = format!("{name} ");
        let counted = out.split(&name).skip(1);
        let most = counted.filter_map(|rest| rest.split([',', '\n']).next()?.parse::<u32>().ok()).max();
        assert!(most.is_some_and(|links| links > 450), "{name}: {most:?}: {out}");
    }
}

#[test]
fn a_seed_is_a_program() {
    for mode in [Mode::A64, Mode::A32] {
        for seed in 0..200 {
            let program = generate::program(seed, mode, THEMES);
            assert_eq!(program, generate::program(seed, mode, THEMES), "{seed}");
            assert!(program.checks().next().is_some(), "{seed} checks nothing");
            assert_eq!(render::objects(&program).len(), program.archived.len());
        }
    }
    assert_ne!(generate::program(1, Mode::A64, THEMES), generate::program(2, Mode::A64, THEMES));
}

#[test]
fn what_does_not_matter_is_dropped() {
    let is_data = |what: &What| matches!(what, What::Data(_));
    let program = generate::program(3, Mode::A64, THEMES);
    let with_data = |program: &harness::fuzz::model::Program| program.items.iter().any(|item| is_data(&item.what));
    assert!(with_data(&program) && program.items.len() > 5);
    let reduced = reduce::reduce(&program, 1000, with_data);
    assert_eq!((reduced.items.len(), reduced.archived.len()), (1, 1), "{reduced:#?}");
    assert!(is_data(&reduced.items[0].what));
}

#[test]
fn options_are_explained_and_checked() {
    let (status, out, _) = fuzz(&["--help"]);
    assert!(status == Some(0) && out.contains("--save-dir") && out.contains("EXAMPLES"), "{out}");
    for wrong in [["--arch", "z80"], ["--kinds", "nothing"], ["--time", "soon"]] {
        assert_eq!(fuzz(&wrong).0, Some(2), "{wrong:?}");
    }
    let (status, out, _) = fuzz(&["--print", "--seed", "5", "--count", "1", "--arch", "aarch64"]);
    assert!(status == Some(0) && out.contains("entry:") && out.contains("@ seed 5 aarch64, part0.s"), "{out}");
}
