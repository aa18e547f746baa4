//! Linux programs as `harness exec` runs them: each does what it does under qemu-user, linked by GNU ld. Where a compiler is not
//! installed, its part is skipped and said so.

mod dynamic;
mod files;
mod host;
mod runner;
mod rust;
mod threads;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::running::{Done, compile, exec};

/// Compiler, qemu-user's program, and what says which instruction set.
const SETS: [(&str, &str, &[&str]); 3] = [
    ("aarch64-linux-gnu", "qemu-aarch64", &[]),
    ("arm-linux-gnueabihf", "qemu-arm", &["-marm"]),
    ("arm-linux-gnueabihf", "qemu-arm", &["-mthumb"]),
];

/// Runs a program that reads two lines.
fn run(program: &str, words: &[&str]) -> Done {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"one\ntwo\n").expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // As a shell shows a signal.
    let killed = || 128 + std::os::unix::process::ExitStatusExt::signal(&output.status).expect("killed");
    let status = output.status.code().unwrap_or_else(killed);
    Done { status, out: text(output.stdout), err: text(output.stderr) }
}

/// Compiles, and links a program statically by the compiler's own linker unless that is told not to. None, and said so, when there is no compiler.
fn build(compiler: &str, flags: &[&str], source: &Path, program: &str) -> Option<()> {
    let names = [format!("{compiler}-12"), compiler.to_owned()];
    let Some(path) = names.iter().find_map(|name| which::which(name).ok()) else {
        println!("skipped: {compiler} is not installed");
        return None;
    };
    let output = Command::new(path).args(flags).args(["-w", "-static", "-fno-pie", "-o", program]).arg(source).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// Runs a program of ours beside qemu-user, for each way in which it ends.
fn compare(source: &str, compiler: &str, levels: &[&str], ends: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/linux").join(source);
    let path = |name: &str| directory.path().join(name).to_str().expect("a text path").to_owned();
    let (program, object) = (path("program"), path("program.o"));
    for (prefix, emulator, set) in SETS {
        for level in levels {
            let flags = [set, &[level]].concat();
            if build(&format!("{prefix}-{compiler}"), &flags, &source, &program).is_none() {
                continue;
            }
            build(&format!("{prefix}-{compiler}"), &[&flags[..], &["-c"]].concat(), &source, &object);
            for end in ends {
                let expected = run(emulator, &["-E", "FOO=bar", &program, end]);
                // An executable, and an object that needs a C library.
                for file in [&program, &object] {
                    let words = ["exec", "--env", "FOO=bar", file, "--", end];
                    let got = run(env!("CARGO_BIN_EXE_harness"), &words);
                    let (what, expected_end) = (format!("{file} {flags:?} {end}: {}", got.err), expected.status);
                    assert_eq!((got.status, &got.out), (expected_end, &expected.out), "{what}");
                    // Nobody else says anything where nothing is wrong.
                    assert!(got.status >= 128 || got.err == expected.err, "{what}");
                }
            }
        }
    }
}

#[test]
fn c_programs_find_what_they_ask_linux_for() {
    compare("system.c", "gcc", &["-O0", "-O2"], &["quiet", "abort", "segv", "trap", "_exit"]);
}

#[test]
fn cpp_programs_throw_and_print() {
    compare("objects.cc", "g++", &["-O2"], &["quiet", "throw"]);
}

/// What a fault of a process says, and which of its calls were not served.
#[test]
fn what_a_process_did_wrong_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("program").to_str().expect("a text path").to_owned();
    let source = directory.path().join("wrong.c");
    let text = "#include <unistd.h>\n#include <sys/syscall.h>
        static void __attribute__((noinline)) wild(volatile int *at) { *at = 1; }
        int main(int count, char **words) {
            if (count > 2) for (;;) write(1, \"x\", 1);
            syscall(SYS_bpf, 0, 0, 0);
            wild((int *)8);
        }";
    std::fs::write(&source, text).expect("writable");
    if build("aarch64-linux-gnu-gcc", &["-O1"], &source, &program).is_none() {
        return;
    }
    let got = exec(&[&program, "--verbose"]);
    assert_eq!((got.status, got.out.as_str()), (139, ""));
    let expected = ["SIGSEGV: write fault at 0x", "address 0x8", "in wild", "280 (bpf)", "1 times"];
    assert!(expected.iter().all(|part| got.err.contains(part)), "{}", got.err);
    let got = exec(&[&program, "--output-limit", "100", "--", "1", "2"]);
    assert!(got.status == 124 && got.out.len() == 100 && got.err.contains("--output-limit"), "{got:?}");
    let got = exec(&[&program, "--system", "none"]);
    assert!(got.status == 159 && got.err.contains("--system linux"), "{got:?}");
    let got = exec(&[&program, "--system", "linux", "--entry", "wild"]);
    assert!(got.status == 2 && got.err.contains("--entry"), "{got:?}");
}

/// Of the process and of its threads, in small frames and in one that is larger than all there is. What is accessed just below a stack
/// that has room is none.
#[test]
fn a_stack_overflow_of_a_process_is_called_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("program").to_str().expect("a text path").to_owned();
    let source = directory.path().join("deep.c");
    let text = "#include <pthread.h>\n
        static int deep(int n) { volatile char room[1000]; room[n % 1000] = n; return deep(n + 1) + room[0]; }
        static int wide(void) { volatile char room[64 << 20]; room[0] = 1; return room[0]; }
        static void *start(void *at) { return (void *)(long)(at ? *(volatile char *)at : deep(1)); }
        int main(int count, char **words) {
            pthread_t thread;
            volatile char *below = (volatile char *)words - (8 << 20);
            switch (count) {
            case 1: return deep(1);
            case 2: return wide();
            case 3: return pthread_create(&thread, 0, start, 0) || pthread_join(thread, 0);
            case 4: return *below;
            default: return pthread_create(&thread, 0, start, (void *)below) || pthread_join(thread, 0);
            }
        }";
    std::fs::write(&source, text).expect("writable");
    for compiler in ["aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc"] {
        if build(compiler, &["-O0", "-w"], &source, &program).is_none() {
            continue;
        }
        for (words, says) in [
            (&[][..], "SIGSEGV: stack overflow at 0x"),
            (&["one"], "SIGSEGV: stack overflow at 0x"),
            (&["one", "two"], "SIGSEGV in thread "),
            (&["one", "two", "three"], "SIGSEGV: read fault at 0x"),
            (&["one", "two", "three", "four"], "): read fault at 0x"),
        ] {
            let got = exec(&[&[program.as_str(), "--"], words].concat());
            assert!(got.status == 139 && got.err.contains(says), "{compiler} {words:?}: {}", got.err);
            assert_eq!(got.err.contains("stack overflow at 0x"), words.len() < 3, "{compiler} {words:?}: {}", got.err);
        }
    }
}

/// Objects get a C library when they need one, and say which when they are asked.
#[test]
fn objects_get_a_c_library() {
    let directory = tempfile::tempdir().expect("a directory");
    // A nested function whose address is taken has its code on the stack.
    let source = "#include <stdio.h>\n#include <stdlib.h>\n
        static int twice(int (*f)(int), int n) { return f(f(n)); }
        int main(int count, char **words) {
            int add(int n) { return n + count; }
            printf(\"%d\\n\", twice(add, 40));
            qsort(words, 0, 1, 0);
            return 5;
        }";
    for target in ["aarch64", "armv7", "thumbv7"] {
        // The corpus has no headers for freestanding programs.
        let source = source.replace(
            "#include <stdio.h>\n#include <stdlib.h>\n",
            "int printf(const char *, ...);
            void qsort(void *, unsigned long, unsigned long, int (*)(const void *, const void *));",
        );
        let object = compile(directory.path(), target, "nested.c", &source, &["-w"]);
        assert_eq!(exec(&[&object]), Done { status: 5, out: "42\n".to_owned(), err: String::new() }, "{target}");
        let got = exec(&[&object, "--verbose", "--layout", "far"]);
        assert!(got.status == 5 && got.err.contains("linked with glibc") && got.err.contains("crt1.o"), "{got:?}");
        let got = exec(&[&object, "--crt", "none"]);
        assert!(got.status == 125 && got.err.contains("qsort"), "{got:?}");
        let got = exec(&[&object, "--crt", "glibc", "--entry", "twice"]);
        assert!(got.status == 2 && got.err.contains("--entry"), "{got:?}");
    }
    let object = compile(
        directory.path(),
        "aarch64",
        "lacks.c",
        "void nobody(void); int main(void) { nobody(); return 0; }",
        &[],
    );
    let got = exec(&[&object]);
    assert!(got.status == 125 && got.err.contains("nobody"), "{got:?}");
    let object = compile(directory.path(), "armv6", "soft.c", "int main(void) { return 0; }", &[]);
    let got = exec(&[&object, "--crt", "glibc"]);
    assert!(got.status == 69 && got.err.contains("soft float"), "{got:?}");
}
