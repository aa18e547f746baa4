//! Every relocation that the linker has a row for is proven against the ABI.

use corpus::abi::{self, Standing};
use corpus::toolchain::Toolchains;
use harness::executor::choice::Boards;
use harness::executor::{Call, Choice, Executor, FaultKind, Stop, Unicorn};
use harness::plan::{self, Batch, Selection, Source};
use harness::proof::{Outcome, Proof, Report, execute, prove};
use linker::{Layout, Options, Parsed, Roots, Target};
use qemu::{Board, System};
use rstest::rstest;

fn run(target: &str) -> Report {
    let report = prove(Target::named(target).expect("a target")).expect("a target of the table");
    let failed: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.outcome, Outcome::Failed(_)))
        .map(ToString::to_string)
        .collect();
    println!("{target}: no row for {}", report.without_row.join(", "));
    for finding in report.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::NotApplicable(..))) {
        println!("{finding}");
    }
    assert!(failed.is_empty(), "{} of {} failed\n{}", failed.len(), report.findings.len(), failed.join("\n"));
    assert!(report.findings.iter().all(|finding| finding.runs > 0 || finding.outcome != Outcome::Passed));
    report
}

/// Passed and not applicable, for each proof.
fn counts(report: &Report) -> [(usize, usize); 3] {
    [Proof::Encode, Proof::Edge, Proof::Dirty].map(|proof| {
        let of = |passed: bool| {
            let findings = report.findings.iter().filter(|finding| finding.proof == proof);
            findings.filter(|finding| (finding.outcome == Outcome::Passed) == passed).count()
        };
        (of(true), of(false))
    })
}

#[rstest]
fn aarch64(#[values("aarch64", "aarch64_be")] target: &str) {
    let report = run(target);
    assert_eq!((counts(&report), report.without_row.len()), ([(133, 5), (125, 13), (132, 6)], 0));
}

#[test]
fn ilp32() {
    let report = run("aarch64_ilp32");
    assert_eq!((counts(&report), report.without_row.len()), ([(76, 2), (69, 9), (76, 2)], 0));
}

#[rstest]
fn arm(#[values("armv7", "armebv7")] target: &str) {
    let report = run(target);
    assert_eq!((counts(&report), report.without_row.len()), ([(102, 11), (102, 11), (102, 11)], 0));
}

/// The same rows, on cores without Thumb-2 and on those that have Thumb only.
#[rstest]
fn other_cores(#[values("armv6", "thumbv6m", "thumbv7m")] target: &str) {
    let report = run(target);
    assert_eq!((counts(&report), report.without_row.len()), ([(102, 11), (102, 11), (102, 11)], 0));
}

/// What is said to be beyond the tools here is.
#[test]
fn what_cannot_be_executed_still_cannot() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = dir.path().join("one.s");
    let assemble = |text: &str, program: &str, arguments: &[&str]| {
        std::fs::write(&source, text).expect("written");
        let object = dir.path().join("one.o");
        let run = std::process::Command::new(program).args(arguments).arg(&source).arg("-o").arg(&object).output();
        let output = run.unwrap_or_else(|error| panic!("{program}: {error}"));
        output.status.success().then(|| std::fs::read(object).expect("an object"))
    };
    let target = Target::named("thumbv7m").expect("a target");
    for (name, _, evidence) in execute::NOT_SHOWN {
        let arm = name.starts_with("R_ARM_");
        let text = format!(".text\n.reloc ., {name}, symbol\nnop\n");
        let clang = ["--target=armv8.1m.main-none-eabi", "-march=armv8.1-m.main", "-c"];
        match *evidence {
            "GNU as and clang do not know the name" => {
                let gnu = if arm { "arm-linux-gnueabihf-as" } else { "aarch64-linux-gnu-as" };
                let target = if arm { "--target=armv7-linux-gnueabihf" } else { "--target=aarch64-linux-gnu" };
                let nop = text.replace(name, if arm { "R_ARM_NONE" } else { "R_AARCH64_NONE" });
                for (program, arguments) in [(gnu, &[][..]), ("clang-19", &[target, "-c"])] {
                    assert!(assemble(&nop, program, arguments).is_some(), "{program} assembles nothing");
                    assert!(assemble(&text, program, arguments).is_none(), "{program} knows {name}");
                }
            }
            "BF is an undefined instruction there" => {
                let code = ".syntax unified\n.thumb\n.globl f\n.type f, %function\nf: bf 1f, f\n1: bx lr\n";
                let data = assemble(code, "clang-19", &clang).expect("clang knows ARMv8.1-M");
                let mut machine = Unicorn::new(target).expect("a machine");
                let mut parsed = Parsed::new(target, Options::default());
                parsed.add("one.o", &data).expect("an object");
                let reserved = parsed
                    .prune(Roots::Names(&["f"]))
                    .and_then(|pruned| pruned.reserve(&mut machine, &Layout::Near))
                    .expect("laid out");
                let linked = reserved
                    .resolve(&mut machine, |_| None)
                    .and_then(|resolved| resolved.fix(&mut machine))
                    .and_then(|fixed| fixed.finalize(&mut machine))
                    .expect("linked");
                let function = linked.address("f").expect("defined");
                let stop = machine.start(&Call { function, ..Call::default() });
                let undefined = matches!(&stop, Stop::Fault(fault) if fault.kind == FaultKind::Undefined);
                assert!(undefined, "{name}: {stop:?}");
            }
            other => panic!("nothing looks at the evidence `{other}`"),
        }
    }
}

/// *execute* and *remote* count what the program looks at: neither what only a check of the case reads, nor what nobody does.
#[test]
fn only_what_the_program_looks_at_is_shown() {
    const SOURCE: &str = "\
// arch: aarch64 -aarch64_be -aarch64_ilp32
// layout: near
// build: gcc
// call: seen() = &seen
// memory: checked = 8i32
    .text
    .globl seen
    .type seen, %function
seen:
    adrp x0, word
    ldr x0, [x0, :lo12:word]
    ret
    .data
    .p2align 3
word: .xword seen
    .globl checked
checked: .word 0
    .reloc checked, R_AARCH64_PREL32, checked + 8
ignored: .word 0
    .reloc ignored, R_AARCH64_PREL16, checked
";
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("group")).expect("a directory");
    std::fs::write(dir.path().join("group/looks.S"), SOURCE).expect("written");
    let cases = plan::cases(&corpus::Corpus::embedded().with_cases(dir.path())).expect("a case");
    let source = Source::Rebuild(Toolchains::discover());
    let selected = plan::select(&cases, &Selection::default(), &source, "any").expect("configurations");
    let batches = plan::objects(selected, &source, 1, &|_, _, _| {}).expect("objects");
    let batches: Vec<&Batch<'_>> = batches.iter().collect();
    let board = Choice::Board(Box::new(Boards::new(Board::find("raspi3b").expect("a board"), System::Bare)));
    for executor in [Choice::Unicorn, board] {
        let found = execute::prove(&batches, &executor, 1, &|| ());
        let shown = |name: &str| {
            let mut rows = Target::named("aarch64").expect("a target").architecture.rows().iter();
            let row = rows.find(|row| row.name == name).expect("a row");
            let shown = found.get(&("aarch64", row.number)).expect("tried");
            assert!(shown.runs > 0, "{shown:?}");
            shown.configuration.is_some()
        };
        let seen = ["ADR_PREL_PG_HI21", "LDST64_ABS_LO12_NC", "ABS64", "PREL32", "PREL16"];
        let seen = seen.map(|name| shown(&format!("R_AARCH64_{name}")));
        assert_eq!(seen, [true, true, true, false, false], "{}", executor.name());
    }
}

/// Where the numbers begin that AAELF64 leaves to vendors and experiments.
const EXPERIMENTS: u32 = 0x8000;

/// Both tables know the same numbers under the same names, and agree on which are for linkers.
#[test]
fn one_table_says_what_the_other_says() {
    let mut differences = Vec::new();
    for target in ["aarch64", "aarch64_ilp32", "armv7"] {
        let target = Target::named(target).expect("a target");
        let class = corpus::target::row(target).class;
        let of_abi = || abi::of(class).relocations.iter().filter(|relocation| relocation.class == class);
        for relocation in of_abi() {
            let row = target.architecture.rows().iter().find(|row| row.number == relocation.number);
            let is_named = |name: &str| relocation.name == name || relocation.aliases.iter().any(|alias| alias == name);
            match row {
                // A table of rows for numbers that were given up before there was a release would be a long one.
                None if relocation.number >= EXPERIMENTS => {}
                None => differences.push(format!("{} {}: no row", relocation.number, relocation.name)),
                Some(row) if !is_named(row.name) => {
                    differences.push(format!("{} {}: row is {}", relocation.number, relocation.name, row.name));
                }
                Some(row)
                    if row.standing.is_static()
                        && !matches!(relocation.standing, Standing::Static | Standing::Deprecated) =>
                {
                    differences.push(format!("{} {}: row is {:?}", relocation.number, relocation.name, row.standing));
                }
                Some(_) => {}
            }
        }
        for row in target.architecture.rows() {
            if !of_abi().any(|relocation| relocation.number == row.number) {
                differences.push(format!("{} {}: not in the transcription", row.number, row.name));
            }
        }
    }
    assert_eq!(differences.join("\n"), "");
}
