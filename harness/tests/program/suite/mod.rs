//! `run --suite`: a folder of programs of our own, each of which ends in another way.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reports::json::Report;
use reports::model::Status;

use crate::running::{Done, done, exec};

fn programs() -> String {
    format!("{}/tests/program/suite/programs", env!("CARGO_MANIFEST_DIR"))
}

/// Whether there are compilers and a C library. If not, that is said.
fn can_be_run() -> bool {
    let there =
        ["aarch64-linux-gnu-g++-12", "arm-linux-gnueabihf-g++-12"].iter().all(|name| which::which(name).is_ok());
    if !there {
        println!("skipped: no cross compilers");
    }
    there
}

/// A run of a suite, with a directory of its own for what is remembered and the report.
fn command(directory: &Path, suite: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(["run", "--suite", suite, "--failed-file"]).arg(directory.join("failed.json"));
    command.arg("--report").arg(format!("json={}", directory.join("report.json").display())).args(words);
    command
}

/// How each test ended, and what was said of it first.
fn results(directory: &Path) -> BTreeMap<String, (Status, String)> {
    let text = std::fs::read(directory.join("report.json")).expect("a report");
    let report = Report::read(&mut &text[..]).expect("a report");
    let said = |record: &reports::model::Record| {
        let problem = record.failure.as_ref().and_then(|failure| failure.problems.first().cloned());
        problem.or_else(|| record.reason.clone()).unwrap_or_default()
    };
    report.results.iter().map(|record| (record.name.clone(), (record.status, said(record)))).collect()
}

/// What every program of ours comes to: its name, the target where it is for one only, how it ends, and what is said of that.
const EXPECTED: &[(&str, &str, Status, &str)] = &[
    ("programs/pass.c", "", Status::Passed, ""),
    ("programs/input.c", "", Status::Passed, ""),
    ("programs/two.c", "", Status::Passed, ""),
    ("programs.sub/throws.cc", "", Status::Passed, ""),
    ("programs/comments.c", "aarch64", Status::Passed, ""),
    ("programs/comments.c", "thumbv7", Status::Skipped, "dg-skip-if: it is for AArch64"),
    ("programs/aborts.c", "", Status::Failed, "ended by SIGABRT"),
    ("programs/status.c", "aarch64", Status::Failed, "status 3, expected 0"),
    ("programs/status.c", "thumbv7", Status::Skipped, "a status of 3 is right there"),
    ("programs.sub/prints.c", "", Status::Failed, "line 2 of its output: expected `two`, got `2`"),
    ("programs/endless.c", "", Status::Failed, "out of budget: too much time"),
    ("programs/floods.c", "", Status::Failed, "out of budget: too much output"),
    ("programs/undefined.c", "", Status::Failed, "does not link: "),
    ("programs/broken.c", "", Status::Skipped, "does not compile: 'surely_not' undeclared"),
    ("programs/part.c", "", Status::Skipped, "has no main"),
    ("programs/left_out.c", "", Status::Skipped, "it is known to fail"),
    ("programs/elsewhere.c", "", Status::Skipped, "it says that it cannot be tested here (status 77)"),
];

/// Whether each program came to what it has to, and no other was there.
fn check(results: &BTreeMap<String, (Status, String)>, executor: &str) {
    let mut seen = 0;
    for target in ["aarch64", "thumbv7"] {
        for (case, _, status, text) in EXPECTED.iter().filter(|row| row.1.is_empty() || row.1 == target) {
            let name = format!("suite/{target}/{case}/gcc12-O1/{executor}");
            let (ended, said) = results.get(&name).unwrap_or_else(|| panic!("{name} is missing: {results:#?}"));
            assert!(ended == status && said.starts_with(text), "{name}: {ended:?}, {said}");
            assert!(text.is_empty() == said.is_empty(), "{name}: {said}");
            seen += 1;
        }
    }
    assert_eq!(results.len(), seen, "{results:#?}");
}

#[test]
fn each_program_ends_as_it_has_to() {
    if !can_be_run() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let suite = programs();
    let skips = format!("{suite}/skips.txt");
    let words =
        ["--arch", "aarch64,thumbv7", "--flags=-O1", "--timeout", "3", "--output-limit", "64K", "--skip", &skips];
    if which::which("qemu-aarch64").is_ok() && which::which("qemu-arm").is_ok() {
        let words = [&words[..], &["--executor", "qemu-user"]].concat();
        let Done { status, out, err } = done(command(directory.path(), &suite, &words));
        assert_eq!(status, 100, "{out}{err}");
        check(&results(directory.path()), "qemu-user");
    }
    let Done { status, out, err } = done(command(directory.path(), &suite, &words));
    assert_eq!(status, 100, "{out}{err}");
    check(&results(directory.path()), "unicorn");
    assert!(err.contains("1 of its files: Tcl of GCC's harness"), "{err}");
    assert!(err.contains("1 of its files: a part of other programs"), "{err}");
    assert!(err.contains("skips.txt:4: no test is called nobody.c"), "{err}");
    assert!(out.contains("main+0x"), "a backtrace: {out}");
    // What failed is remembered, with the suite and its flags.
    let mut again = Command::new(env!("CARGO_BIN_EXE_harness"));
    again.args(["run", "--rerun-failed", "--list", "--failed-file"]).arg(directory.path().join("failed.json"));
    let again = done(again);
    assert_eq!(again.status, 0, "{}", again.err);
    let failures = results(directory.path()).values().filter(|(status, _)| *status == Status::Failed).count();
    assert_eq!(again.out.lines().count(), failures, "{}", again.out);
}

#[test]
fn other_linkers_link_a_suite() {
    if !can_be_run() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let filters = ["pass.c", "throws.cc", "undefined.c"];
    let command_of = "cmd:aarch64-linux-gnu-ld -static --eh-frame-hdr -o {output} {inputs}";
    for subject in ["ld", command_of] {
        let words = [&filters[..], &["--arch", "aarch64", "--flags=-O1", "--subject", subject]].concat();
        let ended = done(command(directory.path(), &programs(), &words));
        assert_eq!(ended.status, 100, "{}{}", ended.out, ended.err);
        let results = results(directory.path());
        let of = |case: &str| &results[&format!("suite/aarch64/{case}/gcc12-O1/unicorn")];
        assert_eq!(of("programs/pass.c").0, Status::Passed);
        assert_eq!(of("programs.sub/throws.cc").0, Status::Passed);
        assert!(of("programs/undefined.c").1.contains("undefined reference to `nowhere'"), "{results:#?}");
    }
    let words = ["--subject", "llvm-jitlink"];
    let refused = done(command(directory.path(), &programs(), &words));
    assert!(refused.status == 2 && refused.err.contains("it writes no program"), "{}", refused.err);
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    if !can_be_run() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let suite = directory.path().join("suite");
    std::fs::create_dir(&suite).expect("made");
    let write = |name: &str, text: &str| std::fs::write(suite.join(name), text).expect("written");
    write("a.c", "int main(void) { return 0; }");
    write("b.c", "int main(void) { for (;;); }");
    let (state, folder) = (directory.path().join("state"), suite.to_str().expect("a text path").to_owned());
    std::fs::create_dir(&state).expect("made");
    let words = ["--arch", "aarch64", "--flags=-O1", "--timeout", "600", "-j", "1"];
    let mut child =
        command(&state, &folder, &words).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
    let journal = || {
        let files = std::fs::read_dir(&state).expect("there").flatten();
        let journal = files.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "jsonl"));
        journal.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    };
    let end = Instant::now() + Duration::from_secs(120);
    while !journal().contains("a.c") && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(journal().contains("a.c"), "nothing is noted");
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it is there");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(results(&state).len(), 1);
    // What was not reached has been mended meanwhile, and is run; the other is not.
    write("b.c", "int main(void) { return 0; }");
    let ended = done(command(&state, &folder, &words));
    assert_eq!(ended.status, 0, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("1 of 2 are there"), "{}", ended.err);
    assert_eq!(results(&state).len(), 2);
    assert_eq!(journal(), "", "a run that has ended leaves nothing");
}

#[test]
fn what_cannot_be_run_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let skips = directory.path().join("skips");
    std::fs::write(&skips, "pass.c\n").expect("written");
    let skips = skips.to_str().expect("a text path").to_owned();
    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).expect("made");
    let (suite, empty) = (programs(), empty.to_str().expect("a text path").to_owned());
    for (folder, words, status, told) in [
        (&*empty, &[][..], 4, "has no sources of C or C++"),
        ("/nowhere", &[], 65, "/nowhere: No such file"),
        (&*suite, &["--arch", "thumbv7m"], 2, "there are no Linux programs for thumbv7m here"),
        (
            &*suite,
            &["--cc", "gccc"],
            2,
            "--cc gccc: expected gcc, clang, or a program that is there; did you mean `gcc`?",
        ),
        (&*suite, &["--skip", &skips], 65, "skips:1: `pass.c` has no reason"),
        (&*suite, &["pas.c"], 4, "no test has `pas.c` in its name; did you mean `pass.c`?"),
        (&*suite, &["part.c"], 100, "only 0 configurations ran, and at least 1 have to"),
        (&*suite, &["--layout", "far"], 2, "cannot be used with"),
        (&*suite, &["--executor", "raspi3b"], 2, "leave out other executors"),
        (&*suite, &["--executor", "qemu-user", "--budget", "5"], 2, "does not count instructions"),
    ] {
        if status != 2 && folder == &*suite && !can_be_run() {
            continue;
        }
        let ended = done(command(directory.path(), folder, words));
        assert!(ended.status == status && ended.err.contains(told), "{words:?}: {} {}", ended.status, ended.err);
    }
    let alone =
        Command::new(env!("CARGO_BIN_EXE_harness")).args(["run", "--timeout", "3"]).output().expect("it starts");
    assert_eq!(alone.status.code(), Some(2), "--timeout is for suites");
}

#[test]
fn programs_run_under_qemu_user() {
    if !can_be_run() || which::which("qemu-aarch64").is_err() || which::which("qemu-arm").is_err() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let source = |name: &str| format!("{}/{name}", programs());
    let run = |words: &[&str]| exec(&[words, &["--executor", "qemu-user"]].concat());
    for (target, name, words, status, printed, told) in [
        ("aarch64", "sub/prints.c", &[][..], 0, "one\n2\n", ""),
        ("thumbv7", "input.c", &[], 0, "", ""),
        ("armv7", "status.c", &[], 3, "", ""),
        ("aarch64", "aborts.c", &[], 134, "", "ended by SIGABRT"),
        ("thumbv7", "endless.c", &["--timeout", "1"], 124, "", "out of budget: too much time"),
        (
            "aarch64",
            "floods.c",
            &["--output-limit", "18"],
            124,
            "and more\nand more\n",
            "out of budget: too much output",
        ),
    ] {
        let source = source(name);
        let ended = run(&[&[&*source, "--arch", target], words].concat());
        assert!(ended.status == status && ended.out == printed, "{name}: {ended:?}");
        assert!(ended.err.contains(told), "{name}: {ended:?}");
    }
    // A finished file, with its arguments; and what qemu-user has not is refused.
    let program = directory.path().join("program").to_str().expect("a text path").to_owned();
    let built =
        Command::new("aarch64-linux-gnu-gcc").args(["-static", "-o", &program, &source("sub/prints.c")]).status();
    assert!(built.expect("a compiler").success());
    assert_eq!(run(&[&program]).out, "one\n2\n");
    for (words, told) in [
        (&["--budget", "100"][..], "it does not count instructions"),
        (&["--dir", "."], "reach all files of this machine"),
        (&["--entry", "main", "--returns", "i32"], "it starts programs"),
        (&["--registers"], "embedded emulator's"),
    ] {
        let refused = run(&[&[&*program], words].concat());
        assert!(refused.status == 2 && refused.err.contains(told), "{refused:?}");
    }
    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_harness"));
    nowhere.args(["exec", &program, "--executor", "qemu-user"]).env("PATH", directory.path());
    let nowhere = done(nowhere);
    assert!(nowhere.status == 69 && nowhere.err.contains("no qemu-aarch64: install qemu-user"), "{nowhere:?}");
    let mut corpus = Command::new(env!("CARGO_BIN_EXE_harness"));
    corpus.args(["run", "--executor", "qemu-user"]);
    let corpus = done(corpus);
    assert!(corpus.status == 2 && corpus.err.contains("qemu-user runs Linux programs"), "{corpus:?}");
}
