//! Programs in Rust, linked by rustc's own means, by rustc with our linker, and by us.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;
use crate::running::Done;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// rustc's target, the compiler that links for it, and qemu-user's program.
const TARGETS: [(&str, &str, &str); 2] = [
    ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc", "qemu-aarch64"),
    ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf-gcc", "qemu-arm"),
];

/// How a program is made.
enum Way<'a> {
    /// An executable, by this compiler and the linker in that directory, if there is one.
    Executable(&'a str, Option<&'a Path>),
    Object,
    Library,
}

/// Compiles a source of this folder. None, and said so, where something is not installed.
fn compile(directory: &Path, triple: &str, source: &str, way: &Way<'_>, more: &[&str]) -> Option<String> {
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", triple]).output();
    let libraries = libraries.map(|said| PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()));
    if !libraries.is_ok_and(|libraries| libraries.is_dir()) {
        println!("skipped: rustc has no {triple} (rustup target add {triple})");
        return None;
    }
    let path = directory.join("program").to_str().expect("a text path").to_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/linux/rust").join(source);
    let mut command = Command::new("rustc");
    command.args(["--edition", "2024", "--target", triple, "-o", &path]).args(more).arg(source);
    match way {
        Way::Executable(compiler, linker) => {
            command.args(["-C", "target-feature=+crt-static", "-C", &format!("linker={compiler}")]);
            if let Some(directory) = linker {
                command.args(["-C", &format!("link-arg=-B{}", directory.display())]);
            }
        }
        Way::Object => drop(command.args(["--emit", "obj", "-C", "codegen-units=1"])),
        Way::Library => drop(command.args(["--crate-type", "staticlib"])),
    }
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(path)
}

/// What is printed for people: the lines that have no number of a thread in them.
fn said(done: &Done) -> Vec<&str> {
    done.err.lines().filter(|line| !line.starts_with("thread '") && !line.contains("RUST_BACKTRACE")).collect()
}

fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| which::which(program).is_err()).collect();
    missing.iter().for_each(|program| println!("skipped: {program} is not installed"));
    missing.is_empty()
}

#[test]
fn programs_with_std_have_threads_and_unwind() {
    let directory = tempfile::tempdir().expect("a directory");
    let linker = directory.path().join("bin");
    std::fs::create_dir(&linker).expect("writable");
    std::os::unix::fs::symlink(HARNESS, linker.join("ld")).expect("writable");
    for (triple, compiler, emulator) in TARGETS {
        if !installed(&["rustc", compiler, emulator]) {
            continue;
        }
        let ends = ["return", "overflow", "add", "panic", "exit", "abort"];
        let way = Way::Executable(compiler, None);
        let Some(program) = compile(directory.path(), triple, "hosted.rs", &way, &["-g"]) else { continue };
        // With a backtrace of its own it reads itself.
        let reference = ends.map(|end| run(emulator, &["-E", "RUST_BACKTRACE=0", &program, end]));
        assert!(reference[1].err.contains("overflow") && reference[1].status == 101, "{:?}", reference[1]);
        let ways = [way, Way::Executable(compiler, Some(&linker)), Way::Object];
        for (number, way) in ways.iter().enumerate() {
            let program = compile(directory.path(), triple, "hosted.rs", way, &["-g"]).expect("as before");
            for (end, expected) in ends.iter().zip(&reference) {
                let got = run(HARNESS, &["exec", &program, "--", end]);
                assert_eq!(
                    (got.status, &got.out),
                    (expected.status, &expected.out),
                    "{triple} {number} {end}: {got:?}"
                );
                assert!(*end == "abort" || said(&got) == said(expected), "{triple} {number} {end}: {got:?}");
                // File and line of what panicked.
                let line = if *end == "panic" { "hosted.rs:87:20" } else { "hosted.rs:80:" };
                assert!(got.err.contains(line), "{triple} {number} {end}: {got:?}");
            }
        }
    }
}

#[test]
fn a_source_with_a_main_is_a_program() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("hello.rs");
    let text = "fn main() {\n    let word = std::env::var(\"WORD\").unwrap();\n    println!(\"{word} {} {}\", std::env::args().count(), std::panic::catch_unwind(|| panic!()).is_err());\n}\n";
    std::fs::write(&source, text).expect("writable");
    let source = source.to_str().expect("a text path");
    let words = ["--env", "WORD=first", "--env", "WORD=last", "--arch", "aarch64", source, "--", "x"];
    let got = run(HARNESS, &[&["exec"], &words[..]].concat());
    if got.err.contains("rustup target add") {
        println!("skipped: {}", got.err);
        return;
    }
    assert_eq!((got.status, got.out.as_str()), (0, "last 2 true\n"), "{}", got.err);
}

/// `--crt auto` finds `core` and `alloc`; what a program says in its own panic handler is what there is.
#[test]
fn programs_without_std_get_core_and_alloc() {
    let directory = tempfile::tempdir().expect("a directory");
    for (triple, compiler, _) in TARGETS {
        if !installed(&["rustc", compiler]) {
            continue;
        }
        for (way, level) in [(Way::Object, "0"), (Way::Object, "2"), (Way::Library, "0")] {
            let more = ["-C", "panic=abort", "-C", &format!("opt-level={level}"), "-C", "overflow-checks=on"];
            let Some(program) = compile(directory.path(), triple, "freestanding.rs", &way, &more) else { continue };
            let got = run(HARNESS, &["exec", &program]);
            let line = "   0   1   2   3   4   5   6   7   8   9 1.500 1.2345678e4\n";
            assert_eq!((got.status, got.out.as_str(), got.err.as_str()), (7, line, ""), "{triple} {level}");
            let got = run(HARNESS, &["exec", &program, "--", "more"]);
            assert!(got.status == 101 && got.err.is_empty(), "{triple} {level}: {got:?}");
            assert!(got.out.contains("freestanding.rs:52:32:\nattempt to add with overflow\n"), "{triple}: {got:?}");
            let got = run(HARNESS, &["exec", &program, "--verbose"]);
            assert!(matches!(way, Way::Library) || got.err.contains("libcore-"), "{triple} {level}: {got:?}");
        }
    }
}
