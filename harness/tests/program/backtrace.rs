//! How `harness exec` says where a program was: the functions, files and lines are those of the source.

use std::path::Path;
use std::process::Command;

use crate::running::exec;

const SOURCE: &str = "void abort(void); char *strcpy(char *, const char *);
static inline __attribute__((always_inline)) int poke(volatile int *at) {
    return *at = 3; /* poke */
}
__attribute__((noinline)) int deep(int n, volatile int *at) {
    if (n == 0)
        return poke(at) + 1; /* last */
    return deep(n - 1, at) + n; /* deep */
}
__attribute__((noinline)) int bad(int how) {
    int (*volatile nowhere)(int) = (int (*)(int))0x123450;
    switch (how) {
    case 1: return deep(2, (volatile int *)16) + 1; /* fault */
    case 2: abort(); /* abort */
    case 3: return nowhere(1) + 1; /* nowhere */
    case 4: strcpy((char *)8, \"x\"); return 1; /* host */
    }
    return 0;
}
int main(int count, char **words) {
    return bad(count - 1) + 2; /* main */
}
";

/// Compiles with a compiler and its options. None, and said so, where it is missing.
fn compile(directory: &Path, compiler: &str, source: &str) -> Option<String> {
    let mut words = compiler.split_whitespace();
    let program = words.next().expect("a compiler");
    if which::which(program).is_err() {
        println!("skipped: {program} is not installed");
        return None;
    }
    let (path, object) = (directory.join("source.c"), directory.join("source.o"));
    std::fs::write(&path, source).expect("written");
    let line = ["-fno-builtin", "-c", "source.c", "-o", "source.o"];
    let status = Command::new(program).args(words).args(line).current_dir(directory).status();
    assert!(status.expect("it starts").success(), "{compiler}");
    Some(object.to_str().expect("a text path").to_owned())
}

/// A frame as the source has it: a function, and what marks the line.
type Frame = (&'static str, &'static str);

const MAIN: Frame = ("main+", "main");

/// Asks for a backtrace of these frames, and of no others. Without marks where there are no lines.
fn check(said: &str, frames: &[Frame], with_lines: bool, what: &str) {
    let shown: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with('#')).collect();
    assert_eq!(shown.len(), frames.len(), "{what}: {said}");
    for ((number, line), (function, mark)) in shown.iter().enumerate().zip(frames) {
        assert!(line.starts_with(&format!("  #{number} 0x")) && line.contains(function), "{what}: {line}: {function}");
        if with_lines && !mark.is_empty() {
            let at = SOURCE.lines().position(|text| text.contains(&format!("/* {mark} */"))).expect("a mark") + 1;
            assert!(line.contains(&format!("source.c:{at}")), "{what}: {line}: line {at}");
        }
    }
}

#[test]
fn frames_are_those_of_the_source() {
    let fault: &[Frame] =
        &[("poke at", "poke"), ("deep+", "last"), ("deep+", "deep"), ("deep+", "deep"), ("bad+", "fault"), MAIN];
    let others: [&[Frame]; 3] = [
        &[("abort (of the host)", ""), ("bad+", "abort"), MAIN],
        &[("0x123450 is no code of the program", ""), ("bad+", "nowhere"), MAIN],
        &[("strcpy (of the host)", ""), ("bad+", "host"), MAIN],
    ];
    for (compiler, with_lines) in [
        // By .eh_frame, by .debug_frame, by the index of 32-bit ARM, and by frame records.
        ("aarch64-linux-gnu-gcc-12 -g", true),
        ("aarch64-linux-gnu-gcc-12 -g -O1 -mbranch-protection=standard", true),
        ("arm-linux-gnueabihf-gcc-12 -g -marm", true),
        ("arm-linux-gnueabihf-gcc-12 -g -mthumb -gdwarf-4", true),
        ("aarch64-linux-gnu-gcc-12 -g -gz", true),
        ("arm-linux-gnueabihf-gcc-12 -g -gz=zlib-gnu -mthumb", true),
        ("aarch64-linux-gnu-gcc-12 -g -gsplit-dwarf", true),
        ("arm-linux-gnueabihf-gcc-12 -g -gsplit-dwarf -gdwarf-4 -mthumb -gz", true),
        ("clang-19 --target=aarch64-linux-gnu -g -gsplit-dwarf -O0", true),
        ("clang-19 --target=aarch64-linux-gnu -g -O0", true),
        ("clang-19 --target=aarch64-linux-gnu -g -gz=zstd -O0", true),
        ("clang-19 --target=armv7-linux-gnueabihf -mthumb -O0 -funwind-tables", false),
        ("clang-19 --target=armv7-linux-gnueabihf -marm -O0 -funwind-tables", false),
        ("aarch64-linux-gnu-gcc-12 -O0 -fno-asynchronous-unwind-tables -fno-omit-frame-pointer", false),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let Some(object) = compile(directory.path(), compiler, SOURCE) else { continue };
        // What is inlined is known from debug information only.
        let fault = if with_lines { fault } else { &fault[1..] };
        for (count, frames) in [fault].into_iter().chain(others).enumerate() {
            let line = [&[object.as_str(), "--"][..], &["x"; 4][..=count]].concat();
            check(&exec(&line).err, frames, with_lines, compiler);
        }
    }
}

/// What a compiler left in another file is found beside the object, or in a package; it is named where it is not there, or is not its.
#[test]
fn debug_information_in_other_files_is_found_or_named() {
    let frames =
        [("poke at", "poke"), ("deep+", "last"), ("deep+", "deep"), ("deep+", "deep"), ("bad+", "fault"), MAIN];
    let (directory, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let compiler = "clang-19 --target=aarch64-linux-gnu -g -gsplit-dwarf -O0";
    let Some(object) = compile(directory.path(), compiler, SOURCE) else { return };
    let (split, moved) = (directory.path().join("source.dwo"), other.path().join("source.o"));
    let bytes = std::fs::read(&split).expect("what was split off");
    std::fs::copy(&object, &moved).expect("copied");
    std::fs::rename(&split, other.path().join("source.dwo")).expect("moved");
    let moved = moved.to_str().expect("a text path");
    check(&exec(&[moved, "--", "x"]).err, &frames, true, "beside the object");
    // Lines are in the object; what is inlined is not.
    let said = exec(&[&object, "--", "x"]).err;
    check(&said, &frames[1..], false, "missing");
    let named = format!("debug information is in {}, which is neither there nor beside {object}\n", split.display());
    assert_eq!(said.matches(&named).count(), 1, "{said}");
    assert!(compile(directory.path(), compiler, &SOURCE.replace("int how", "long how")).is_some());
    let stale = exec(&[moved, "--", "x"]).err;
    check(&stale, &frames, true, "that of another compilation is passed over");
    std::fs::remove_file(other.path().join("source.dwo")).expect("removed");
    let stale = exec(&[moved, "--", "x"]).err;
    assert!(stale.contains(&format!("in {}, which is of another compilation", split.display())), "{stale}");
    if which::which("llvm-dwp-19").is_ok() {
        std::fs::write(&split, bytes).expect("written");
        let mut pack = Command::new("llvm-dwp-19");
        pack.arg(&split).arg("-o").arg(format!("{moved}.dwp"));
        assert!(pack.status().expect("it starts").success());
        std::fs::remove_file(&split).expect("removed");
        check(&exec(&[moved, "--", "x"]).err, &frames, true, "a package");
    }
}

/// An executable says its own debug information, wherever it is.
#[test]
fn frames_of_what_another_linker_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = SOURCE.replace("abort();", "").replace("strcpy((char *)8, \"x\");", "");
    let Some(_) = compile(directory.path(), "aarch64-linux-gnu-gcc-12 -g -fPIC", &source) else { return };
    let packed = "--compress-debug-sections=zlib";
    for options in
        [&["-static", "-Ttext-segment=0x1000000"][..], &["-pie", "--no-dynamic-linker"], &["-static", packed]]
    {
        let line = [&["-e", "main", "source.o", "-o", "program"], options].concat();
        let linked = Command::new("aarch64-linux-gnu-ld").args(line).current_dir(directory.path()).status();
        assert!(linked.expect("GNU ld").success());
        let program = directory.path().join("program");
        let said = exec(&[program.to_str().expect("a text path"), "--", "x"]).err;
        let frames =
            [("poke at", "poke"), ("deep+", "last"), ("deep+", "deep"), ("deep+", "deep"), ("bad+", "fault"), MAIN];
        check(&said, &frames, true, &format!("{options:?}"));
    }
}

/// A Linux program, out of its C library and into it again.
#[test]
fn frames_of_a_process() {
    for compiler in ["aarch64-linux-gnu-gcc-12 -g", "arm-linux-gnueabihf-gcc-12 -g -marm -funwind-tables"] {
        let directory = tempfile::tempdir().expect("a directory");
        let Some(object) = compile(directory.path(), compiler, SOURCE) else { continue };
        // Of `abort` in glibc for ARM the index says that there is no way out.
        let ends = [(1, "fault"), (2, "abort")];
        for (count, mark) in ends.into_iter().take(if compiler.contains("aarch64") { 2 } else { 1 }) {
            let said = exec(&[&[object.as_str(), "--crt", "glibc", "--"][..], &["x"; 4][..count]].concat()).err;
            let at = SOURCE.lines().position(|text| text.contains(&format!("/* {mark} */"))).expect("a mark") + 1;
            let (first, rest) = said.split_once(" bad+").expect("a frame");
            assert!(first.contains(if count == 1 { "poke at" } else { " abort+" }), "{compiler}: {said}");
            assert!(
                rest.lines().next().is_some_and(|line| line.ends_with(&format!("source.c:{at}"))),
                "{compiler}: {said}"
            );
            assert!(rest.contains(" main+"), "{compiler}: {said}");
        }
    }
}

/// The relocation beside the instruction, with its numbers.
#[test]
fn the_relocation_next_to_a_fault_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = "extern int *pointer; int *pointer; int main(void) { return *pointer; }";
    let Some(object) = compile(directory.path(), "aarch64-linux-gnu-gcc-12 -O1 -fno-pie", source) else { return };
    let said = exec(&[&object]).err;
    let nearest = said.split_once("nearest relocation:").expect("it is there").1;
    // By the ABI: S + A, of which the lower 12 bits are in the instruction.
    assert!(nearest.contains("R_AARCH64_LDST64_ABS_LO12_NC") && nearest.contains("source.o(.text+0x4)"), "{said}");
    assert!(nearest.contains("right in memory") && nearest.contains("S 0x"), "{said}");
}

/// Tables that say nonsense end the backtrace, and nothing else.
#[test]
fn tables_that_are_nonsense_are_no_harm() {
    let directory = tempfile::tempdir().expect("a directory");
    for compiler in
        ["aarch64-linux-gnu-gcc-12 -g -O1", "clang-19 --target=armv7-linux-gnueabihf -mthumb -O1 -funwind-tables -g"]
    {
        let Some(object) = compile(directory.path(), compiler, SOURCE) else { continue };
        let good = std::fs::read(&object).expect("an object");
        let ranges: Vec<(u64, u64)> = {
            use object::{Object, ObjectSection};
            let file = object::File::parse(&*good).expect("an object");
            let sections = file.sections().filter(|section| {
                section.name().is_ok_and(|name| name.starts_with(".debug") || name.starts_with(".ARM.ex"))
            });
            sections.filter_map(|section| section.file_range()).collect()
        };
        let mut state = 1_u64;
        for _ in 0..40 {
            let mut bad = good.clone();
            for &(start, size) in &ranges {
                for _ in 0..3 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    bad[(start + (state >> 24) % size.max(1)) as usize] = (state >> 16) as u8;
                }
            }
            std::fs::write(&object, bad).expect("written");
            let done = exec(&[&object, "--", "x"]);
            assert!([139, 65, 125].contains(&done.status), "{done:?}");
            assert!(!done.err.contains("panicked"), "{done:?}");
        }
    }
}

/// The last thing that a function does is to call one that does not return, so that it would return into the next function.
#[test]
fn a_call_that_does_not_return_is_in_its_own_function() {
    const SOURCE: &str = "void abort(void) __attribute__((noreturn));\n__attribute__((noinline)) void bad(void) { abort(); }\n\
                          int after(void) { return 1; }\nint main(void) { bad(); return after(); }\n";
    let directory = tempfile::tempdir().expect("a directory");
    for compiler in ["aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc"] {
        let Some(object) = compile(directory.path(), compiler, SOURCE) else { continue };
        let done = exec(&[&object, "--crt", "none"]);
        assert!(done.err.contains(" bad+0x") && !done.err.contains(" after"), "{compiler}: {}", done.err);
    }
}
