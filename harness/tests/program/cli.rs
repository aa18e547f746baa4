//! The program as its users start it: good cases, wrong arguments, broken inputs, and being killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use reports::json::Report;
use reports::model::Status;

fn harness() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.env("NO_COLOR", "1").env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = harness().args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("not killed"), text(stdout), text(stderr))
}

/// The prebuilt objects of the first build of a case, as files.
fn objects(dir: &Path, target: &str, case: &str) -> Vec<String> {
    let cases = corpus::case::load_all(&corpus::case::default_dir()).expect("a corpus");
    let case = cases.iter().find(|known| known.name == case).expect("the case");
    let target = linker::Target::named(target).expect("a target");
    let prebuilt = corpus::prebuilt::read(&corpus::prebuilt::default_dir(), target).expect("prebuilt objects");
    let builds = case.builds(&[target.name], &|family, _| prebuilt.major(family));
    let files = prebuilt.files(case, &builds[0]).expect("the objects");
    let write = |file: &corpus::build::File| {
        let path = dir.join(&file.name);
        std::fs::write(&path, &file.data).expect("a writable directory");
        path.to_str().expect("a text path").to_owned()
    };
    files.iter().map(write).collect()
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().to_owned();
    (dir, path)
}

#[test]
fn a_selection_runs_and_reports() {
    let (_keep, dir) = temp();
    let [json, junit, markdown] = ["r.json", "r.xml", "r.md"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    let report = format!("json={json},junit={junit},md={markdown}");
    let (status, out, _) = run(&["aarch64/got", "--layout", "near", "--report", &report, "--strict"]);
    assert_eq!(status, 0, "{out}");
    // What passes takes no more than a screen; the relocations are there for those who ask, and in the reports.
    assert!(!out.contains("R_AARCH64_") && out.lines().count() < 15 && out.contains(" passed in "), "{out}");
    let (_, asked, _) = run(&["aarch64/got", "--layout", "near", "--relocations"]);
    assert!(asked.contains("R_AARCH64_ADR_GOT_PAGE"), "{asked}");
    let report = Report::read(std::fs::File::open(json).expect("a report")).expect("a valid one");
    assert!(report.complete() && report.results.len() > 20);
    assert!(report.results.iter().all(|record| record.status == Status::Passed && record.checks > 0));
    assert!(std::fs::read_to_string(junit).expect("a report").contains("<testsuite"));
    assert!(std::fs::read_to_string(markdown).expect("a report").contains("R_AARCH64_LD64_GOT_LO12_NC"));
}

#[test]
fn partitions_are_the_whole_without_overlap() {
    let list = |extra: &[&str]| -> Vec<String> {
        let arguments = [&["armv6", "--list"], extra].concat();
        run(&arguments).1.lines().map(str::to_owned).collect()
    };
    let mut whole = list(&[]);
    let mut parts: Vec<String> = (1..=3).flat_map(|part| list(&["--partition", &format!("{part}/3")])).collect();
    whole.sort();
    parts.sort();
    assert!(whole.len() > 100);
    assert_eq!(whole, parts);
}

#[test]
fn exact_names_and_skips() {
    let (_, out, _) = run(&["armv7/calls", "--list", "--layout", "near"]);
    let name = out.lines().next().expect("a name");
    let (status, out, _) = run(&["--exact", name, "--list"]);
    assert_eq!((status, out.trim()), (0, name));
    let (status, out, _) = run(&["armv7/calls", "--list", "--skip", "gcc"]);
    assert!(status == 0 && !out.contains("gcc"));
}

#[test]
fn what_makes_no_sense_is_said_with_its_own_status() {
    for (arguments, status, says) in [
        (&["no-such-case"][..], 4, "no configuration has `no-such-case`"),
        (&["adr_out_of_range", "--layout", "near"], 4, "is for other layouts: far"),
        (&["exce"], 2, "subcommand `exec`"),
        (&["--arch", "z80"], 2, "unknown target `z80`"),
        (&["--partition", "3/2"], 2, "expected I/N"),
        (&["--layout", "somewhere"], 2, "somewhere"),
        (&["--report", "pdf=x"], 2, "unknown report `pdf`"),
        (&["--bless", "--reference", "linkrig", "init/"], 2, "the linker under test"),
        (&["exec", "no-such-file.o"], 65, "no-such-file.o"),
        (&["cores/", "--arch", "armv6", "--at-least", "1000000"], 100, "at least 1000000"),
        (&["coverage", "--at-least", "nosuch=1"], 2, "nosuch"),
        (&["coverage", "--arch", "armv7", "--at-least", "edge=1000"], 100, "at least 1000 have to be"),
    ] {
        let (got, _, err) = run(arguments);
        assert_eq!(got, status, "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
}

/// Directories and options that are no good. For files it is `robust` that says so.
#[test]
fn bad_directories_and_options_have_one_status_in_every_command() {
    let (_keep, dir) = temp();
    let files = objects(&dir, "aarch64", "init/order_by_priority");
    let at = |name: &str| dir.join(name).to_str().expect("a text path").to_owned();
    let (object, image) = (files[0].as_str(), at("image.elf"));
    let (status, _, err) = run(&["link", object, "-o", &image, "--entry", "order"]);
    assert_eq!(status, 0, "{err}");
    let (none, text) = (at("none"), at("text"));
    std::fs::write(&text, "no such thing").expect("a writable directory");
    let commands: &[&[&str]] = &[
        &["exec", &image, "--system", "linux", "--dir", "DIR"],
        &["exec", &image, "--system", "linux", "--sysroot", "DIR"],
        &["exec", &image, "--executor", "qemu-user", "--sysroot", "DIR"],
        &["run", "--suite", "DIR"],
        &["run", "--corpus", "DIR"],
    ];
    for (command, path) in commands.iter().flat_map(|command| [(command, &none), (command, &text)]) {
        let words: Vec<&str> = command.iter().map(|word| if *word == "DIR" { path.as_str() } else { word }).collect();
        let (status, _, err) = run(&words);
        assert!(status == 65 && err.contains(path.as_str()), "{words:?}: {status}, {err}");
    }
    for (words, says) in [
        (&["exec", object, "--executor", "mps2-an385"][..], "does not run aarch64"),
        (&["exec", object, "-z", "nosuch"], "-z nosuch"),
        (&["link", object, "-o", &image, "-z", "nosuch"], "-z nosuch"),
    ] {
        let (status, _, err) = run(words);
        assert!(status == 2 && err.contains(says), "{words:?}: {status}, {err}");
    }
}

/// Images that are none, that may not be run, and that lack something: whose fault it is decides.
#[test]
fn images_that_cannot_be_run_have_the_status_of_their_fault() {
    let (_keep, dir) = temp();
    let object = assemble(&dir, "calls", ".text\n.global f\nf: b g\n");
    let at = |name: &str| dir.join(name).to_str().expect("a text path").to_owned();
    let link = |options: &[&str], name: &str| {
        let linked = Command::new("aarch64-linux-gnu-ld").args(options).args([&object, "-o", &at(name)]).output();
        assert!(linked.expect("GNU ld").status.success(), "{options:?}");
    };
    link(&["-shared"], "lacks");
    // Both writable and executable.
    link(&["-N", "-e", "f", "--defsym", "g=f"], "mixed");
    std::fs::write(at("short"), &std::fs::read(at("lacks")).expect("an image")[..100]).expect("a writable directory");
    for (name, expected, says) in
        [("short", 65, "program headers"), ("mixed", 65, "writable and executable"), ("lacks", 125, "undefined: g")]
    {
        let (status, _, err) = run(&["exec", &at(name), "--entry", "f"]);
        assert!(status == expected && err.contains(says), "{name}: {status} {err}");
    }
}

#[test]
fn lines_written_before_a_kill_are_valid() {
    let mut child = harness()
        .args(["--message-format", "json", "-j", "1", "--arch", "aarch64"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    for _ in 0..50 {
        assert_ne!(reader.read_line(&mut text).expect("a line"), 0);
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    std::io::Read::read_to_string(&mut reader, &mut text).expect("the rest");
    let report = Report::read(text.as_bytes()).expect("valid as far as it goes");
    assert!(!report.complete() && report.results.len() >= 49 && report.start.selected > report.results.len());
}

#[test]
fn an_expectation_that_is_wrong_fails_with_all_there_is_to_know() {
    let (_keep, dir) = temp();
    std::fs::create_dir(dir.join("wrong")).expect("a directory");
    let source = std::fs::read_to_string(corpus::case::default_dir().join("init/order_by_priority.c")).expect("a case");
    std::fs::create_dir(dir.join("init")).expect("a directory");
    let wrong = source.replace("= 1234i32", "= 1235i32");
    assert_ne!(source, wrong);
    std::fs::write(dir.join("init/order_by_priority.c"), wrong).expect("a writable directory");
    let corpus = dir.to_str().unwrap();
    let (status, out, _) =
        run(&["--corpus", corpus, "--arch", "aarch64", "--layout", "near", "--toolchain", "gcc12-O2.no-pic.tiny"]);
    assert_eq!(status, 100, "{out}");
    for says in [
        "FAIL elf/aarch64/init/order_by_priority/gcc12-O2.no-pic.tiny/near/unicorn",
        "call order(): expected 1235i32, got 1234i32  init/order_by_priority.c:2",
        "R_AARCH64_ADR_PREL_LO21 at order_by_priority.o(.text+",
        "S + A - P = ",
        "layout     at:order_by_priority.o(.text)=0x400000",
        &format!(
            "reproduce  cargo run -p harness -- --corpus {corpus} --layout near --exact elf/aarch64/init/order_by_priority/"
        ),
        "1 failed",
    ] {
        assert!(out.contains(says), "{says} is not in {out}");
    }
    // Marked as failing it is expected to, and a mark on what passes is a failure.
    let marked = source.replace("= 1234i32", "= 1235i32\n// xfail: on purpose");
    std::fs::write(dir.join("init/order_by_priority.c"), marked).expect("a writable directory");
    let one = ["--corpus", corpus, "--arch", "aarch64", "--layout", "near", "--toolchain", "gcc12-O2.no-pic.tiny"];
    assert_eq!(run(&one).0, 0);
    let passing = source.replace("= 1234i32", "= 1234i32\n// xfail: on purpose");
    std::fs::write(dir.join("init/order_by_priority.c"), passing).expect("a writable directory");
    let (status, out, _) = run(&one);
    assert!(status == 100 && out.contains("remove the mark"), "{out}");
}

#[test]
fn exec_runs_objects_and_ends_as_the_guest_does() {
    let (_keep, dir) = temp();
    let files = objects(&dir, "aarch64", "init/order_by_priority");
    let (status, out, err) = run(&["exec", &files[0], "--entry", "order"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("x0    0x4d2 (1234)"), "{out}");
    let (status, _, err) = run(&["exec", &files[0], "--entry", "nobody"]);
    assert!(status == 125 && err.contains("undefined symbol: nobody"), "{err}");
    let mut cut = std::fs::read(&files[0]).expect("the object");
    cut.truncate(cut.len() / 2);
    let broken = dir.join("cut.o");
    std::fs::write(&broken, cut).expect("a writable directory");
    let (status, _, err) = run(&["exec", broken.to_str().unwrap(), "--entry", "order", "--arch", "aarch64"]);
    assert!(status == 65 && err.contains("cut.o"), "{err}");
}

#[test]
fn explain_graph_and_link_show_the_same_relocation() {
    let (_keep, dir) = temp();
    let files = objects(&dir, "aarch64", "init/order_by_priority");
    let (status, explained, err) = run(&["explain", &files[0]]);
    assert_eq!(status, 0, "{err}");
    assert!(explained.contains("against `__init_array_start`") && explained.contains("  ->  "), "{explained}");
    let (status, _, err) = run(&["explain", &files[0], ".text+0x3"]);
    assert!(status == 4 && err.contains("no relocation there"), "{err}");
    let (_, graph, _) = run(&["graph", &files[0], "--json"]);
    let graph: serde_json::Value = serde_json::from_str(&graph).expect("JSON");
    assert_eq!(graph["target"], "aarch64");
    let image = dir.join("image.elf");
    let (status, _, err) = run(&["link", &files[0], "-o", image.to_str().unwrap(), "--entry", "order"]);
    assert_eq!(status, 0, "{err}");
    assert_eq!(&std::fs::read(&image).expect("an image")[..4], b"\x7fELF");
    let (status, out, _) = run(&["relocations", "--arch", "aarch64"]);
    assert!(status == 0 && out.contains("R_AARCH64_CALL26"));
}

/// The corpus with one case, which expects what is wrong: the directory.
fn wrong_case(dir: &Path) -> String {
    let source = std::fs::read_to_string(corpus::case::default_dir().join("init/order_by_priority.c")).expect("a case");
    let wrong = source.replace("= 1234i32", "= 1235i32");
    assert_ne!(source, wrong);
    // A name that a shell takes apart.
    let cases = dir.join("my cases");
    std::fs::create_dir_all(cases.join("init")).expect("a writable directory");
    std::fs::write(cases.join("init/order_by_priority.c"), wrong).expect("a writable directory");
    cases.to_str().expect("a text path").to_owned()
}

/// A line that a failure prints, given to a shell, runs that configuration and fails in the same way.
#[test]
fn the_line_to_reproduce_reproduces() {
    let (_keep, dir) = temp();
    let cases = wrong_case(&dir);
    let memory = dir.join("failed.json");
    let options =
        ["--corpus", &cases, "--arch", "aarch64", "--layout", "random:7", "--toolchain", "gcc12-O2.no-pic.tiny"];
    let out = harness().env("LINKRIG_FAILED", &memory).args(options).output().expect("the program starts");
    let out = String::from_utf8(out.stdout).expect("text");
    let line = out.lines().find_map(|line| line.trim().strip_prefix("reproduce  ")).expect("a line to copy");
    for says in ["--corpus '", "my cases' ", "--layout random:7 ", "--exact elf/aarch64/init/order_by_priority/"] {
        assert!(line.contains(says), "{says} is not in {line}");
    }
    let bless = out.lines().find_map(|line| line.trim().strip_prefix("bless      ")).expect("a line to copy");
    assert_eq!(bless, format!("{line} --bless"));
    let own = line.replace("cargo run -p harness --", env!("CARGO_BIN_EXE_harness"));
    assert_ne!(own, line);
    let shell = Command::new("sh").args(["-c", &own]).env("NO_COLOR", "1").env("LINKRIG_FAILED", &memory).output();
    let again = shell.expect("a shell");
    let again = String::from_utf8(again.stdout).expect("text");
    assert!(again.contains("FAIL elf/aarch64/init/order_by_priority/gcc12-O2.no-pic.tiny/random:7/unicorn"), "{again}");
    assert!(again.contains("1 failure, 1 cause\n1 failed in "), "{again}");
}

/// A program that ends in a fault shows where: the instructions around it and the registers, in A64 and in Thumb.
#[test]
fn a_fault_shows_the_code_around_it() {
    let (_keep, dir) = temp();
    std::fs::create_dir(dir.join("faults")).expect("a directory");
    let source = "// arch: aarch64 thumbv7\n// build: gcc -O2\n// call: f(64i32) = 1i32\n\
        static __attribute__((noinline)) int g(int x) { return *(volatile int *)(unsigned long)x + 1; }\n\
        int f(int x) { return g(x) + 2; }\n";
    std::fs::write(dir.join("faults/null.c"), source).expect("a writable directory");
    for (arch, instruction, register) in [
        ("aarch64", "00 00 40 b9  ldr w0, [x0]  <g+0x4>", "    x0    0x40 "),
        ("thumbv7", "ldr r0, [r0]  <g+0x0>", "    r0    0x40 "),
    ] {
        let corpus = dir.to_str().expect("a text path");
        let (status, out, err) = run(&["--corpus", corpus, "--rebuild", "--layout", "near", "--arch", arch]);
        assert_eq!(status, 100, "{out}{err}");
        assert!(out.contains("did not return: read fault at 0x400"), "{out}");
        assert!(out.contains("    faults/null.c:3  // call: f(64i32) = 1i32\n"), "{out}");
        let here: Vec<&str> = out.lines().filter(|line| line.starts_with("  > 0x")).collect();
        assert!(matches!(here[..], [line] if line.ends_with(instruction)), "{here:?}");
        assert!(out.contains(register), "{out}");
        let frames: Vec<&str> = out.lines().filter(|line| line.starts_with("    #")).collect();
        assert!(
            matches!(frames[..], [first, second, ..] if first.contains(" g") && second.contains(" f+")),
            "{frames:?}"
        );
        assert!(out.contains(" --corpus ") && out.contains(" --rebuild "), "{out}");
    }
}

/// What failed is remembered with what it came from, until it passes.
#[test]
fn failures_are_remembered_until_they_pass() {
    let (_keep, dir) = temp();
    let cases = wrong_case(&dir);
    let memory = dir.join("failed.json");
    let run = |arguments: &[&str]| {
        let output = harness().env("LINKRIG_FAILED", &memory).args(arguments).output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
    };
    let (status, _, err) = run(&["--rerun-failed"]);
    assert!(status == 4 && err.contains("nothing has failed"), "{status} {err}");
    let one = ["--corpus", &cases, "--arch", "aarch64", "--toolchain", "gcc12-O2.no-pic.tiny"];
    let (status, out, _) = run(&one);
    assert_eq!(status, 100, "{out}");
    let (_, listed, _) = run(&["--rerun-failed", "--list"]);
    assert!(listed.lines().count() >= 2 && listed.contains("elf/aarch64/init/order_by_priority/"), "{listed}");
    // Another run, of other cases, forgets nothing; neither does one of which all is skipped, as nothing was built.
    assert_eq!(run(&["aarch64/got", "--layout", "near"]).0, 0);
    std::fs::write(dir.join("my cases/init/order_by_priority.c"), {
        let text = std::fs::read_to_string(dir.join("my cases/init/order_by_priority.c")).expect("a case");
        text.replace("1235i32", "1234i32") + "\nint more;\n"
    })
    .expect("a writable directory");
    let (status, out, _) = run(&one);
    assert_eq!(status, 69, "{out}");
    let (status, again, _) = run(&["--rerun-failed", "--list"]);
    assert_eq!((status, again), (0, listed.clone()));
    // Stopped before it gets to them, it forgets nothing either; mended, they are forgotten.
    let (status, out, err) = run(&["--rerun-failed", "--rebuild", "--corpus", &cases]);
    assert!(status == 4, "another origin has its own: {out}{err}");
    std::fs::write(dir.join("my cases/init/order_by_priority.c"), {
        std::fs::read_to_string(corpus::case::default_dir().join("init/order_by_priority.c")).expect("a case")
    })
    .expect("a writable directory");
    let (status, out, err) = run(&["--rerun-failed"]);
    assert!(status == 0 && out.contains(" passed in "), "{out}{err}");
    assert_eq!(run(&["--rerun-failed", "--list"]).0, 4);
}

/// What a case covers is judged for all its configurations at once, and remembered whatever layouts were asked for.
#[test]
fn relocations_that_are_not_held_are_remembered_too() {
    let (_keep, dir) = temp();
    let cases = dir.join("cases");
    std::fs::create_dir_all(cases.join("mine")).expect("a writable directory");
    let write = |covered: &str| {
        let source = format!(
            "// arch: aarch64 -aarch64_be -aarch64_ilp32\n// build: gcc -O1\n// layout: near far\n\
             // call: f() = 3i32\n// covers: {covered}\nint g(void);\nint f(void) {{ return g() + 1; }}\n\
             __attribute__((noinline, noipa)) int g(void) {{ return 2; }}\n"
        );
        std::fs::write(cases.join("mine/covers.c"), source).expect("a writable directory");
    };
    let run = |arguments: &[&str]| {
        let mut command = harness();
        command.env("LINKRIG_FAILED", dir.join("failed.json")).args(arguments);
        let output =
            command.args(["--rebuild", "--corpus", cases.to_str().expect("text")]).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    write("R_AARCH64_ABS16");
    let (status, out) = run(&[]);
    assert!(status == Some(100) && out.contains("R_AARCH64_ABS16"), "{out}");
    let (status, out) = run(&["--rerun-failed"]);
    assert!(status == Some(100) && out.contains("R_AARCH64_ABS16"), "{out}");
    write("R_AARCH64_CALL26");
    let (status, out) = run(&["--rerun-failed"]);
    assert!(status == Some(0), "{out}");
    assert_eq!(run(&["--rerun-failed", "--list"]).0, Some(4));
}

/// What a case may take is what it says, and not the default of fifty million instructions.
#[test]
fn a_case_says_how_many_instructions_it_may_take() {
    let (_keep, dir) = temp();
    std::fs::create_dir_all(dir.join("mine")).expect("a writable directory");
    for (budget, status) in [(1000, 0), (1_000_000, 100)] {
        let source = format!(
            "// arch: aarch64 -aarch64_be -aarch64_ilp32\n// build: gcc -O1\n// layout: near\n// call: f() = void\n\
             // fault: budget\n// budget: {budget}\nvolatile int n;\nvoid f(void) {{ for (int i = 0; i < 10000; i++) n = i; }}\n"
        );
        std::fs::write(dir.join("mine/loop.c"), source).expect("a writable directory");
        let (got, out, err) = run(&["--rebuild", "--corpus", dir.to_str().expect("text")]);
        assert_eq!(got, status, "{budget}: {out}{err}");
    }
}

/// A run that has seen enough stops, says so, and counts what it did not get to.
#[test]
fn enough_failures_end_a_run() {
    let (_keep, dir) = temp();
    let cases = wrong_case(&dir);
    let report = dir.join("r.json");
    let json = format!("json={}", report.display());
    for (option, most) in [(&["--fail-fast"][..], 1), (&["--max-failures", "3"][..], 3)] {
        let common = ["--corpus", &cases, "--arch", "aarch64", "--toolchain", "gcc12", "-j", "1", "--report", &json];
        let (status, out, _) = run(&[&common[..], option].concat());
        assert_eq!(status, 100, "{out}");
        let read = Report::read(std::fs::File::open(&report).expect("a report")).expect("a valid one");
        let totals = read.totals.clone().expect("it ended");
        // What was started came to its end, and may have failed as well.
        let failed = read.results.iter().filter(|record| record.status == Status::Failed).count();
        assert!((most..most + 20).contains(&failed), "{option:?}: {failed}");
        assert_eq!(totals.not_run + read.results.len(), read.start.selected, "{option:?}");
        assert!(totals.not_run > 0 && !read.complete(), "{option:?}");
        let says = format!("{} not run in ", totals.not_run);
        assert!(out.contains(&says) && out.contains(&format!(": stopped by {}", option.join(" "))), "{out}");
    }
}

/// A relocation selects what holds it: in all cases, whatever they are called.
#[test]
fn relocations_select_what_holds_them() {
    let (_keep, dir) = temp();
    let report = dir.join("r.json");
    let json = format!("json={}", report.display());
    let (status, out, err) = run(&["R_AARCH64_TSTBR14", "--report", &json]);
    assert_eq!(status, 0, "{out}{err}");
    let read = Report::read(std::fs::File::open(&report).expect("a report")).expect("a valid one");
    let holds = |record: &&reports::model::Record| record.relocations.contains_key("R_AARCH64_TSTBR14");
    assert!(read.results.len() > 3 && read.results.iter().filter(holds).count() * 2 > read.results.len(), "{out}");
    // By name or by relocation; and the start of several names.
    let count = |arguments: &[&str]| run(&[arguments, &["--list", "--layout", "near"]].concat()).1.lines().count();
    let (one, other) = (count(&["R_AARCH64_TSTBR14"]), count(&["aarch64/init/"]));
    let both = count(&["R_AARCH64_TSTBR14", "aarch64/init/"]);
    assert!(both > one.max(other) && both <= one + other, "{one} {other} {both}");
    assert!(count(&["R_AARCH64_TST"]) >= one);
    let (status, _, err) = run(&["R_AARCH64_CALL62"]);
    assert!(status == 4 && err.contains("no relocation `R_AARCH64_CALL62`; did you mean `R_AARCH64_CALL26`?"), "{err}");
}

/// Words that are nearly right are asked back.
#[test]
fn what_is_nearly_right_is_asked_back() {
    for (arguments, status, says) in [
        (&["--arch", "aarch46"][..], 2, "did you mean `aarch64`?"),
        (&["init/order_by_priorty"], 4, "did you mean `init/order_by_priority`?"),
        (&["--toolchain", "gc12"], 4, "did you mean `gcc12`?"),
        (&["--exact", "elf/aarch64/init/order_by_priority"], 4, "no configuration is called"),
        (&["aarch64/init", "--arch", "armv7"], 4, "no configuration has `aarch64/init` in its name"),
    ] {
        let (got, out, err) = run(arguments);
        assert!(got == status && err.contains(says), "{arguments:?}: {got} {err}");
        assert!(out.is_empty(), "{out}");
    }
}

/// An object of a source in assembly, by the compiler for the target.
fn assemble(dir: &Path, name: &str, source: &str) -> String {
    let target = linker::Target::named("aarch64").expect("a target");
    let path = dir.join(format!("{name}.S"));
    std::fs::write(&path, source).expect("a writable directory");
    let toolchains = corpus::toolchain::Toolchains::discover();
    let object = corpus::build::compile_file(&path, target, None, &[], &toolchains).expect("the compiler is installed");
    let path = dir.join(format!("{name}.o"));
    std::fs::write(&path, object).expect("a writable directory");
    path.to_str().expect("a text path").to_owned()
}

/// Fields that cannot be filled are marked, and the others explained all the same; words say which are wanted.
#[test]
fn explain_goes_on_and_takes_several_words() {
    let (_keep, dir) = temp();
    let source = "\
        .text\n.global f\n.type f, %function\nf: bl g\n ldr x0, [x0, #:lo12:odd]\n b f\n.size f, .-f\n\
        .data\n .hword odd\n .xword f\n.global odd\n.set odd, 0x12341\n";
    let object = assemble(&dir, "bad", source);
    let (status, out, err) = run(&["explain", &object]);
    assert_eq!(status, 100, "{out}{err}");
    assert_eq!(out.matches("BAD  ").count(), 2, "{out}");
    assert!(out.contains("  BAD  misaligned: S + A = 0x12341"), "{out}");
    assert!(out.contains("allowed: multiples of 8\n") && out.contains("allowed [-0x8000, 0xffff]\n"), "{out}");
    assert!(out.contains("R_AARCH64_CALL26 against `g`") && out.contains("R_AARCH64_ABS64 against `f`"), "{out}");
    assert!(err.contains("2 of 5 relocations cannot be applied") || err.contains("2 of 4 relocations"), "{err}");
    let names = |words: &[&str]| {
        let (status, out, err) = run(&[&["explain", &object, "--json"], words].concat());
        let value: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{status} {out}{err}"));
        let list = value["relocations"].as_array().expect("a list").clone();
        let text = |one: &serde_json::Value| one["relocation"].as_str().expect("a name").to_owned();
        (status, list.iter().map(text).collect::<Vec<String>>(), list)
    };
    let (status, all, list) = names(&[]);
    assert_eq!(status, 100);
    let bad: Vec<&serde_json::Value> = list.iter().filter(|one| one["ok"] == false).collect();
    assert_eq!(bad.len(), 2, "{list:?}");
    assert!(bad.iter().all(|one| one["problem"].is_string() && one["value"].is_null()), "{bad:?}");
    let call = list.iter().find(|one| one["relocation"] == "R_AARCH64_CALL26").expect("the call");
    assert_eq!((&call["section"], &call["offset"]), (&serde_json::json!(".text"), &serde_json::json!(0)));
    assert_eq!(call["before"]["bytes"], "00 00 00 94");
    assert!(
        call["inputs"]["S"].as_str().is_some_and(|s| s.starts_with("0x")) && call["via"]["kind"].is_string(),
        "{call}"
    );
    let data = names(&[".data"]);
    assert_eq!(data.1, ["R_AARCH64_ABS16", "R_AARCH64_ABS64"]);
    assert_eq!(names(&["R_AARCH64_CALL26"]).0, 0);
    assert_eq!(names(&["R_AARCH64_CALL26", ".data+0x2"]).1, ["R_AARCH64_CALL26", "R_AARCH64_ABS64"]);
    assert_eq!(names(&["f+0x4"]).1, ["R_AARCH64_LDST64_ABS_LO12_NC"]);
    assert_eq!(names(&["odd"]).1, ["R_AARCH64_LDST64_ABS_LO12_NC", "R_AARCH64_ABS16"]);
    assert_eq!(names(&[&format!("{object}(.text+0x0)")]).1, ["R_AARCH64_CALL26"]);
    assert_eq!(names(&[".da*", ".te*"]).1.len(), all.len());
    for (word, says) in [
        (".txt", "there is no file, section or symbol `.txt`; did you mean `.text`?"),
        ("R_AARCH64_CALL62", "AArch64 has no relocation `R_AARCH64_CALL62`; did you mean `R_AARCH64_CALL26`?"),
        ("R_AARCH64_TSTBR14", "and none is for `R_AARCH64_TSTBR14`"),
        (".text+0x1", "no relocation there"),
    ] {
        let (status, _, err) = run(&["explain", &object, word]);
        assert!(status == 4 && err.contains(says), "{word}: {status} {err}");
    }
    let (status, _, err) = run(&["explain", &object, "nosuch.o"]);
    assert!(status != 0 && status != 4 && err.contains("nosuch.o"), "{status} {err}");
    // A link says all of it, too.
    let image = dir.join("image");
    let (_, _, err) = run(&["link", &object, "--phony-externals", "-o", image.to_str().expect("a text path")]);
    assert!(err.contains("2 relocations cannot be applied") && err.contains("R_AARCH64_ABS16"), "{err}");
}

/// Entries of a table that cannot be read are marked as fields that cannot be filled are, and a link names all of them.
#[test]
fn relocations_that_cannot_be_read_do_not_hide_the_others() {
    use object::{Object as _, ObjectSection as _};
    const ENTRY: usize = 24;
    let (_keep, dir) = temp();
    let object = assemble(&dir, "unread", ".text\n.global f\nf: bl g\n bl g\n bl g\n b f\n");
    let mut bytes = std::fs::read(&object).expect("an object");
    let file = object::File::parse(&*bytes).expect("ELF");
    let (start, size) = file.section_by_name(".rela.text").and_then(|table| table.file_range()).expect("a table");
    assert_eq!(size, 4 * ENTRY as u64);
    let entry = |number: usize| start as usize + number * ENTRY;
    // The type is the lower half of r_info, behind r_offset (ELF64, Relocation).
    bytes[entry(1) + 8..][..4].copy_from_slice(&9999u32.to_le_bytes());
    bytes[entry(2)..][..8].copy_from_slice(&0x1000u64.to_le_bytes());
    std::fs::write(&object, &bytes).expect("a writable directory");
    let told = ["9999", "0x1000"];
    let (status, out, err) = run(&["explain", &object]);
    assert_eq!((status, out.matches("BAD  ").count()), (100, 2), "{out}{err}");
    assert!(out.contains("R_AARCH64_CALL26 against `g`") && out.contains("R_AARCH64_JUMP26 against `f`"), "{out}");
    assert!(
        told.iter().all(|one| out.contains(one)) && err.contains("2 of 4 relocations cannot be applied"),
        "{out}{err}"
    );
    let (status, out, _) = run(&["explain", &object, "--json"]);
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let list = |name: &str| value[name].as_array().unwrap_or_else(|| panic!("{name}: {out}")).clone();
    assert_eq!(
        (status, list("relocations").len(), list("unread").len(), &value["bad"]),
        (100, 2, 2, &serde_json::json!(2))
    );
    assert!(list("relocations").iter().all(|one| one["ok"] == true), "{out}");
    for (problem, says) in list("unread").iter().zip(told) {
        assert!(problem.as_str().is_some_and(|text| text.contains(says) && text.contains("unread.o")), "{problem}");
    }
    let image = dir.join("image");
    let (status, _, err) = run(&["link", &object, "--phony-externals", "-o", image.to_str().expect("a text path")]);
    assert!(status == 100 && told.iter().all(|one| err.contains(one)) && !image.exists(), "{status} {err}");
    // Where all is malformed, so is the object, in every command.
    bytes.copy_within(entry(2)..entry(3), entry(1));
    std::fs::write(&object, &bytes).expect("a writable directory");
    for words in [&["link", "-o", "image"][..], &["exec"], &["graph"], &["diff"]] {
        let (status, out, err) = run(&[words, &[&object]].concat());
        assert_eq!(status, 65, "{words:?}: {out}{err}");
    }
}

/// The linker that is named, or the first in PATH; and which one it was.
#[test]
fn diff_says_which_linker_it_asked() {
    let (_keep, dir) = temp();
    let object = assemble(&dir, "one", ".text\n.global f\nf: bl f\n");
    let program = which::which("aarch64-linux-gnu-ld").expect("GNU ld is installed");
    let against = format!("ld={}", program.display());
    let (status, out, err) = run(&["diff", &object, "--against", &against]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains(&format!("  {}: GNU ld", program.display())), "{out}");
    let (_, out, _) = run(&["diff", &object, "--against", "ld,lld", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    for peer in ["GNU ld", "lld"] {
        let peer = &value["peers"][peer];
        assert!(peer["program"].as_str().is_some_and(|path| path.starts_with('/')), "{peer}");
        assert!(peer["version"].as_str().is_some_and(|text| text.contains(char::is_numeric)), "{peer}");
    }
    // One of PATH comes before Debian's, whose names have a version.
    let own = dir.join("bin/ld.lld");
    std::fs::create_dir(dir.join("bin")).expect("a directory");
    std::os::unix::fs::symlink(which::which("ld.lld-19").expect("lld is installed"), &own).expect("a link");
    let path = std::env::join_paths(
        std::iter::once(dir.join("bin")).chain(std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))),
    );
    let output = harness().args(["diff", &object, "--against", "lld"]).env("PATH", path.expect("a PATH")).output();
    let out = String::from_utf8(output.expect("the program starts").stdout).expect("text");
    assert!(out.contains(&format!("  {}: ", own.display())), "{out}");
    for (against, status, says) in [
        ("lldd", 2, "did you mean `lld`?"),
        ("lld=/no/such", 69, "lld: /no/such is no program"),
        ("ld=", 2, "expected a program behind `ld=`"),
        ("ld,ld", 2, "named twice"),
    ] {
        let (got, _, err) = run(&["diff", &object, "--against", against]);
        assert!(got == status && err.contains(says), "{against}: {got} {err}");
    }
}

/// The matrix: every relocation is in it, proven by what ran just now, and the cases of a run beside that.
#[test]
fn coverage_says_what_is_proven() {
    use reports::coverage::{Matrix, Proof};
    let (dir, _) = temp();
    let report = dir.path().join("run.json");
    let report = report.to_str().expect("a text path");
    let (status, ..) = run(&["armv7/got", "--report", &format!("json={report}")]);
    assert_eq!(status, 0);
    let (status, json, errors) =
        run(&["coverage", "--arch", "armv7", "--format", "json", "--differ", "--from", report]);
    assert_eq!(status, 0, "{errors}");
    let matrix: Matrix = serde_json::from_str(&json).expect("the document");
    let encode = matrix.count("armv7", Proof::Encode);
    assert!(encode.passed >= 102 && encode.failed == 0 && encode.open == 0, "{encode:?}");
    let execute = matrix.count("armv7", Proof::Execute);
    assert!(execute.passed >= 101 && execute.failed == 0 && execute.open == 0, "{execute:?}");
    let differ = matrix.count("armv7", Proof::Differ);
    assert!(differ.passed >= 83 && differ.failed == 0 && differ.open == 0, "{differ:?}");
    let got = matrix.lines.iter().find(|line| line.relocation == "R_ARM_GOT_BREL").expect("a line");
    assert!(got.cells[&Proof::Cases].runs > 10, "{got:?}");
    let (status, _, errors) = run(&["coverage", "--arch", "nope"]);
    assert!(status != 0 && errors.contains("unknown target `nope`"), "{status} {errors}");
}

/// Reports of the cases of data, loads and stores on aarch64, by a linker that is right and one with a single wrong row:
/// R_AARCH64_LDST16_ABS_LO12_NC with the field of the word form, `&[run(2, 10, 10)]`. Times and suspects were left out.
#[test]
fn a_wrong_row_is_named() {
    let fixture = |name: &str| format!("{}/tests/program/wrong_row/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let (dir, path) = temp();
    let json = path.join("comparison.json");
    let json = json.to_str().expect("a text path");
    let (status, text, _) = run(&["compare", &fixture("old"), &fixture("new"), "--json", json]);
    assert_eq!(status, 100);
    let blamed: Vec<&str> = text.lines().filter(|line| line.starts_with("REGRESSED ")).collect();
    assert_eq!(blamed.len(), 1, "{text}");
    assert!(blamed[0].starts_with("REGRESSED R_AARCH64_LDST16_ABS_LO12_NC: "), "{text}");
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(json).expect("written")).expect("JSON");
    assert_eq!(written["suspects"][0]["relocation"], "R_AARCH64_LDST16_ABS_LO12_NC");
    // The other way round all of it is fixed.
    let (status, text, _) = run(&["compare", &fixture("new"), &fixture("old")]);
    assert!(status == 0 && text.contains(" 0 regressed") || text.contains("\n0 regressed"), "{text}");

    // As the baseline of a run, which is refused before the run when it is none.
    let (status, text, _) = run(&["aarch64/ldst", "--layout", "near", "--baseline", &fixture("old")]);
    assert!(status == 0 && text.contains("0 regressed, 0 fixed"), "{text}");
    let foreign = dir.path().join("foreign.json");
    std::fs::write(&foreign, "{\"a\": 1}").expect("written");
    let foreign = foreign.to_str().expect("a text path");
    let (status, text, errors) = run(&["aarch64/ldst", "--baseline", foreign]);
    assert!(status == 65 && errors.contains("foreign.json") && text.is_empty(), "{status} {errors}");
}
