//! Code that comes while a program runs: libraries that it loads, and what it makes itself.

use std::path::Path;
use std::process::Command;

use super::{Waiting, has_gdb, in_order};

const LATE: &str = "int late(int n) {
    int twice = n + n;
    return twice + 1; /* later */
}
";

/// A program that makes code, and tells debuggers of it as GDB's JIT interface has it.
#[test]
fn what_a_program_makes_has_symbols_and_lines() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/gdb/jit.c");
    std::fs::write(directory.path().join("late.c"), LATE).expect("writable");
    for (compiler, state, thumb) in [
        ("aarch64-linux-gnu-gcc-12", &[][..], "0"),
        ("arm-linux-gnueabihf-gcc-12", &["-mthumb"], "1"),
        ("arm-linux-gnueabihf-gcc-12", &["-marm"], "0"),
    ] {
        let build = |words: &[&str]| {
            let mut command = Command::new(compiler);
            command.current_dir(directory.path()).args(["-g", "-O0"]).args(state).args(words);
            assert!(command.status().is_ok_and(|built| built.success()), "{compiler} {words:?}");
        };
        build(&["-c", "late.c", "-o", "late.o"]);
        build(&["-static", &format!("-DTHUMB={thumb}"), source.to_str().expect("a text path"), "-o", "jit"]);
        let program = directory.path().join("jit");
        let waiting = Waiting::start(&["exec", program.to_str().expect("a text path"), "--gdb"]);
        let commands = [
            "set breakpoint pending on",
            "break late",
            "continue",
            "backtrace",
            "next",
            "next",
            "print twice",
            "continue",
        ];
        let (shown, status, out, _) = waiting.debug(&commands);
        let texts =
            ["(late) pending", "Breakpoint 1, late (n=20) at", "#1 ", "in main () at", "/* later */", "$1 = 40"];
        in_order(&shown, &texts, compiler);
        assert_eq!((status, out.as_str()), (0, "41\n"), "{compiler}: {shown}");
    }
}

/// Libraries that the run-time linker loads are found below the root that gdb is told.
#[test]
fn libraries_are_shown_when_they_are_loaded() {
    let root = "/usr/aarch64-linux-gnu";
    if !has_gdb() || !Path::new(root).join("lib/libc.so.6").exists() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (source, program) = (directory.path().join("sorts.c"), directory.path().join("sorts"));
    let text = "#include <stdlib.h>
int less(const void *a, const void *b) { return *(int *)a - *(int *)b; }
int main(void) { int all[3] = {3, 1, 2}; qsort(all, 3, sizeof *all, less); return all[2]; }
";
    std::fs::write(&source, text).expect("writable");
    for flags in [&["-pie", "-fPIE"][..], &["-no-pie"]] {
        let mut compiler = Command::new("aarch64-linux-gnu-gcc-12");
        let built = compiler.arg("-g").args(flags).arg(&source).arg("-o").arg(&program).status();
        assert!(built.is_ok_and(|built| built.success()));
        let line = ["exec", program.to_str().expect("a text path"), "--sysroot", root, "--gdb"];
        let sysroot = format!("set sysroot {root}");
        let commands = [sysroot.as_str(), "break less", "continue", "info sharedlibrary", "backtrace"];
        let (shown, status, ..) = Waiting::start(&line).debug(&[&commands[..], &["delete", "continue"]].concat());
        let texts = ["Breakpoint 1, less (", "lib/libc.so.6", "#0 ", "less (", "in qsort", "in main () at", "code 03]"];
        in_order(&shown, &texts, &format!("{flags:?}"));
        assert_eq!(status, 3, "{shown}");
    }
}
