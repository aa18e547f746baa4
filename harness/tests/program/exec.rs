//! `harness exec` as its users know programs: how they begin, print and end. What is expected comes from the same objects linked by
//! GNU ld with glibc, under qemu-user, or from the C standard.

use std::process::Command;

use crate::running::{Done, compile, exec, reference};

const ENDING: &str = r#"
extern "C" int printf(const char *, ...);
extern "C" int atexit(void (*)());
extern "C" int fflush(void *);
extern "C" void __cxa_finalize(void *);
extern "C" int at_quick_exit(void (*)());
extern "C" [[noreturn]] void exit(int);
extern "C" [[noreturn]] void quick_exit(int);
struct Noisy {
    const char *name;
    Noisy(const char *name) : name(name) { printf("+%s\n", name); }
    ~Noisy() { printf("-%s\n", name); }
};
Noisy first("first"), second("second");
static void one() { printf("one\n"); }
static void two() { printf("two\n"); atexit(one); }
static void late() { printf("late\n"); }
static void rest() { printf("rest\n"); __cxa_finalize(0); printf("all\n"); }
static void quick() { printf("quick\n"); fflush(0); }
__attribute__((constructor(200))) static void early() { printf("early\n"); atexit(one); }
__attribute__((destructor)) static void last() { printf("last\n"); }
__attribute__((destructor(101))) static void last101() { printf("last101\n"); }
__attribute__((destructor(200))) static void last200() { printf("last200\n"); atexit(late); }
static void again() { printf("again\n"); exit(9); }
int main() {
    static Noisy local("local");
    atexit(one);
    atexit(two);
    at_quick_exit(quick);
    printf("main\n");
    END
}
"#;

#[test]
fn programs_end_as_they_do_under_glibc() {
    let dir = tempfile::tempdir().expect("a directory");
    for target in ["aarch64", "armv7", "thumbv7"] {
        for (number, end) in [
            "return 7;",
            "exit(300);",
            "fflush(0); quick_exit(5);",
            "atexit(again); return 1;",
            "atexit(rest); return 3;",
        ]
        .iter()
        .enumerate()
        {
            let source = ENDING.replace("END", end);
            let object = compile(
                dir.path(),
                target,
                &format!("ending{number}.cc"),
                &source,
                &["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
            );
            let expected = reference(target, &object);
            assert!(expected.out.lines().count() > 5, "{expected:?}");
            assert_eq!(exec(&[&object]), expected, "{target}: {end}");
        }
    }
}

/// In the order of the generic ABI (Initialization and Termination Functions).
#[test]
fn arrays_before_init_come_before_init() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = r#"
        int printf(const char *, ...);
        static void before(void) { printf("before "); }
        static void behind(void) { printf("behind "); }
        static void last(void) { printf("last\n"); }
        __attribute__((section(".preinit_array"), used)) static void (*first)(void) = before;
        __attribute__((section(".init"))) void _init(void) { printf("init "); }
        __attribute__((section(".fini"))) void _fini(void) { last(); }
        __attribute__((constructor)) static void array(void) { behind(); }
        int main(void) { printf("main "); return 0; }"#;
    for target in ["aarch64", "thumbv7"] {
        let object = compile(dir.path(), target, "arrays.c", source, &["-w", "-fno-builtin"]);
        assert_eq!(exec(&[&object]).out, "before init behind main last\n", "{target}");
    }
}

/// What GNU ld made is run as it is: by its main, by a function, or from where it says that it starts.
#[test]
fn executables_of_another_linker_are_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = r#"
        static int chosen(void) { return 30; }
        static void *resolver(void) { return chosen; }
        int choose(void) __attribute__((ifunc("resolver")));
        __thread int counter = 5;
        int (*volatile pointer)(void);
        __attribute__((constructor)) static void first(void) { counter += 2; }
        int sum(int a, int b) { return a + b; }
        int NAME(int argc) { pointer = choose; return pointer() + counter + argc; }"#;
    let link = |name: &str, main: &str, options: &[&str]| {
        let flags = ["-O1", "-fPIC", "-fno-stack-protector"];
        let object = compile(dir.path(), "aarch64", &format!("{name}.c"), &source.replace("NAME", main), &flags);
        let program = dir.path().join(name).to_str().expect("a text path").to_owned();
        let line = ["-static", "-e", main, &object, "-o", &program];
        let linked = Command::new("aarch64-linux-gnu-ld").args(line).args(options).output().expect("GNU ld");
        assert!(linked.status.success(), "{linked:?}");
        program
    };
    for options in [
        &["-Ttext-segment=0x1000000"][..],
        &["-Ttext-segment=0x10000"],
        &["-Ttext-segment=0x200000"],
        &["-pie", "--no-dynamic-linker"],
    ] {
        let program = link("with_main", "main", options);
        assert_eq!(exec(&[&program, "--", "a", "b"]).status, 40, "{options:?}");
        assert_eq!(exec(&[&program, "--entry", "sum", "--arg", "3", "--arg", "4", "--returns", "i32"]).out, "7\n");
        let beside = exec(&[&program, &program]);
        assert!(beside.status == 2 && beside.err.contains("linked already"), "{beside:?}");
    }
    // A system is asked for the end of it, and where nobody is to be one there is none.
    let start = "void _start(void) { register long number __asm__(\"x8\") = 93; __asm__ volatile(\"svc 0\" :: \"r\"(number)); }";
    let object = compile(dir.path(), "aarch64", "start.c", start, &["-O1"]);
    let program = dir.path().join("start").to_str().expect("a text path").to_owned();
    let line = ["-static", "-Ttext-segment=0x1000000", &object, "-o", &program];
    assert!(Command::new("aarch64-linux-gnu-ld").args(line).status().expect("GNU ld").success());
    assert_eq!(exec(&[&program]), Done { status: 0, out: String::new(), err: String::new() });
    let got = exec(&[&program, "--system", "none"]);
    assert!(got.status == 159 && got.err.contains("call 93"), "{got:?}");
    std::fs::write(dir.path().join("cut"), &std::fs::read(&program).expect("there")[..100]).expect("writable");
    assert_eq!(exec(&[dir.path().join("cut").to_str().expect("text")]).status, 65);
    for command in ["explain", "graph"] {
        let said = Command::new(env!("CARGO_BIN_EXE_harness")).args([command, &program]).output().expect("it starts");
        assert!(String::from_utf8_lossy(&said.stderr).contains("harness check"), "{said:?}");
    }
}

#[test]
fn output_is_whole_or_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "int printf(const char *, ...); int main(void) {
        for (int i = 0; i < 200000; i++) printf(\"line %d\\n\", i); return 3; }";
    let object = compile(dir.path(), "armv7", "lines.c", source, &[]);
    let whole = exec(&[&object]);
    assert_eq!((whole.status, whole.out.lines().count()), (3, 200_000));
    assert!(whole.out.ends_with("line 199999\n"));
    let cut = exec(&[&object, "--output-limit", "64K"]);
    assert_eq!((cut.status, cut.out.len()), (124, 65_536), "{}", cut.err);
    assert!(cut.err.contains("too much output") && cut.err.contains("--output-limit"), "{}", cut.err);
    assert!(whole.out.starts_with(&cut.out));
}

#[test]
fn a_budget_that_is_used_up_says_which_and_where() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "void *memset(void *, int, unsigned long); static char big[100 << 20]; volatile int count;
        static void __attribute__((noinline)) spin(void) { for (;;) count++; }
        int main(int argc) { if (argc > 1) for (;;) memset(big, 65, sizeof big); spin(); return 0; }";
    let object = compile(dir.path(), "aarch64", "spin.c", source, &["-fno-builtin", "-w"]);
    for (words, limit, symbol) in [
        (&[][..], "too many instructions", "in spin"),
        (&["--timeout", "0.05", "--budget", "99999999999999"], "too much time", "in spin"),
        (&["--", "more"], "too much work in host functions", "in host function `memset`, called from main"),
    ] {
        let got = exec(&[&[object.as_str()], words].concat());
        assert_eq!(got.status, 124, "{}", got.err);
        assert!(got.err.contains(limit) && got.err.contains(symbol) && got.err.contains(" at 0x"), "{}", got.err);
    }
    // What is called before main is of it.
    let source = "volatile int count; __attribute__((constructor)) static void begin(void) { for (;;) count++; }
        int main(void) { return 0; }";
    let object = compile(dir.path(), "aarch64", "begin.c", source, &[]);
    let got = exec(&[&object]);
    assert_eq!(got.status, 124, "{}", got.err);
    let expected = ["the constructor `begin`", ".init_array", "did not return", "too many instructions"];
    assert!(expected.iter().all(|part| got.err.contains(part)), "{}", got.err);
}

#[test]
fn one_budget_for_constructors_and_main() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "volatile int count;
        static void work(void) { for (int i = 0; i < 100000; i++) count++; }
        __attribute__((constructor)) static void one(void) { work(); }
        __attribute__((constructor)) static void two(void) { work(); }
        __attribute__((destructor)) static void three(void) { work(); }
        int main(void) { work(); return 0; }";
    let object = compile(dir.path(), "aarch64", "parts.c", source, &[]);
    assert_eq!(exec(&[&object]).status, 0);
    // Each alone would fit.
    let got = exec(&[&object, "--budget", "1800000"]);
    assert_eq!(got.status, 124, "{}", got.err);
    assert!(got.err.starts_with("after main: ") && got.err.contains("in three"), "{}", got.err);
}

#[test]
fn a_stack_overflow_is_called_one() {
    let dir = tempfile::tempdir().expect("a directory");
    for target in ["aarch64", "armv7", "thumbv7m"] {
        let source = "int deep(int n) { volatile char room[3000]; room[n % 3000] = n; return deep(n + 1) + room[0]; }
            int main(int argc) { volatile char room[6 << 20]; room[argc] = 5; return argc > 1 ? deep(argc) : room[1]; }";
        let object = compile(dir.path(), target, "deep.c", source, &["-w"]);
        let fits = exec(&[&object]);
        assert_eq!((fits.status, fits.err.as_str()), (5, ""), "{target}");
        for words in [&["--", "deep"][..], &["--stack", "64K"]] {
            let got = exec(&[&[object.as_str()], words].concat());
            assert_eq!(got.status, 139, "{target}: {}", got.err);
            if words[0] == "--" {
                assert!(
                    got.err.contains("stack overflow at 0x") && got.err.contains("in deep"),
                    "{target}: {}",
                    got.err
                );
            }
        }
        // One frame that is larger than all there is, so that the stack pointer wraps.
        let source = "int main(void) { volatile char room[64 << 20]; room[0] = 1; return room[0]; }";
        let got = exec(&[&compile(dir.path(), target, "wide.c", source, &["-w"])]);
        assert!(got.status == 139 && got.err.contains("stack overflow at 0x"), "{target}: {}", got.err);
        // What is only near to nothing is a fault as any other.
        let source = "int main(void) { return *(volatile char *)8; }";
        let got = exec(&[&compile(dir.path(), target, "near.c", source, &["-w"])]);
        assert!(got.status == 139 && got.err.contains("read fault at 0x"), "{target}: {}", got.err);
    }
}

#[test]
fn memory_is_as_large_as_a_program_asks() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "_Thread_local char scratch[1 << 20]; _Thread_local int n = 40; static char big[1300u << 20];
        void *malloc(unsigned long); void free(void *);
        int main(void) {
            scratch[sizeof scratch - 1] = 1; big[sizeof big - 1] = 1;
            char *all[64];
            for (int i = 0; i < 64; i++) { if (!(all[i] = malloc(1 << 20))) return i; all[i][(1 << 20) - 1] = 1; }
            for (int i = 0; i < 64; i++) free(all[i]);
            if (malloc(1ul << 40) || malloc(-1ul)) return 1;
            return n + scratch[sizeof scratch - 1] + big[sizeof big - 1];
        }";
    let object = compile(dir.path(), "aarch64", "large.c", source, &["-fno-pie", "-fno-builtin"]);
    assert_eq!(exec(&[&object]), Done { status: 42, out: String::new(), err: String::new() });
    // What newlib's _sbrk does: the heap begins at `end`.
    for target in ["thumbv7m", "armv7", "aarch64"] {
        let source = "extern char end[]; static volatile int zero[100];
            int main(int argc) { for (int i = 0; i < 4 << 20; i += 256) end[i] = 1; return 42 + zero[argc] + end[300]; }";
        let object = compile(dir.path(), target, "end.c", source, &[]);
        assert_eq!(exec(&[&object]), Done { status: 42, out: String::new(), err: String::new() }, "{target}");
    }
}

#[test]
fn results_are_printed_as_what_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let source =
        "double half(double x) { return x / 2; } float third(void) { return 0.25f; } int less(void) { return -3; }";
    for target in ["aarch64", "armv7", "armv6"] {
        let object = compile(dir.path(), target, "half.c", source, &[]);
        let words = [object.as_str(), "--entry", "half", "--arg", "3f64"];
        let got = exec(&words);
        assert!(got.out.contains("0x3ff8000000000000 (1.5)"), "{target}: {}", got.out);
        assert_eq!(exec(&[&words[..], &["--returns", "f64"]].concat()).out, "1.5\n", "{target}");
        let got = exec(&[&object, "--entry", "third"]);
        assert!(got.out.contains("0x3e800000 (0.25)"), "{target}: {}", got.out);
        assert_eq!(exec(&[&object, "--entry", "third", "--returns", "f32"]).out, "0.25\n", "{target}");
        assert_eq!(exec(&[&object, "--entry", "less", "--returns", "i32"]).out, "-3\n", "{target}");
    }
}

/// In each base, with a sign, and without a type.
#[test]
fn numbers_are_arguments_as_people_write_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "int mix(int a, unsigned b, int c, int d) { return a + 10 * b + 100 * c + 1000 * d; }";
    for target in ["aarch64", "thumbv7m"] {
        let object = compile(dir.path(), target, "mix.c", source, &[]);
        let words =
            ["--entry", "mix", "--returns", "i32", "--arg", "-1", "--arg", "0x1f", "--arg", "0b101", "--arg", "0o7"];
        let got = exec(&[&[object.as_str()][..], &words].concat());
        assert_eq!((got.status, got.out.as_str()), (0, "7809\n"), "{target}: {}", got.err);
    }
}

/// What the default budget would end: the time that is given decides, unless there is a number, too.
#[test]
fn a_time_lifts_the_number_of_instructions_of_a_function() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "int spin(void) { for (volatile int i = 0; i < 12000000; i++); return 5; }";
    let object = compile(dir.path(), "aarch64", "spin.c", source, &["-O1"]);
    let spin = |more: &[&str]| exec(&[&[object.as_str(), "--entry", "spin", "--returns", "i32"][..], more].concat());
    let usual = spin(&[]);
    assert!(usual.status == 124 && usual.err.contains("--timeout SECONDS"), "{usual:?}");
    assert_eq!(spin(&["--timeout", "300"]).out, "5\n");
    assert_eq!(spin(&["--timeout", "300", "--budget", "1000"]).status, 124);
}

/// As glibc calls them, in `.preinit_array`, `.init_array` and `.ctors`; and main has its third argument, too.
#[test]
fn constructors_get_the_arguments_of_main() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = r#"
        int printf(const char *, ...);
        static void say(const char *who, int argc, char **argv, char **envp) {
            printf("%s %d", who, argc);
            for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
            printf(" %d %d %s\n", argv[argc] == 0, envp == argv + argc + 1, envp[0] ? envp[0] : "nothing");
        }
        static void first(int argc, char **argv, char **envp) { say("first", argc, argv, envp); }
        static void third(int argc, char **argv, char **envp) { say("third", argc, argv, envp); }
        __attribute__((section(".preinit_array"), used)) static void (*before)(int, char **, char **) = first;
        __attribute__((section(".ctors"), used)) static void (*old)(int, char **, char **) = third;
        __attribute__((constructor)) static void second(int argc, char **argv, char **envp) { say("second", argc, argv, envp); }
        int main(int argc, char **argv, char **envp) { say("main", argc, argv, envp); return argc; }
    "#;
    for target in ["aarch64", "armv7", "thumbv7m"] {
        let object = compile(dir.path(), target, &format!("{target}.c"), source, &["-fno-builtin"]);
        let got = exec(&[&object, "--crt", "none", "--", "a", "b c"]);
        assert_eq!(got.status, 3, "{target}: {got:?}");
        let mut lines: Vec<&str> = got.out.lines().collect();
        assert_eq!(
            (lines.first(), lines.last()),
            (Some(&"first 3 a b c 1 1 nothing"), Some(&"main 3 a b c 1 1 nothing"))
        );
        lines.sort_unstable();
        assert_eq!(lines.join(";").matches(" 3 a b c 1 1 nothing").count(), 4, "{target}: {lines:?}");
        // A function that is no program has none, and its constructors can tell.
        let alone =
            exec(&[&object, "--crt", "none", "--entry", "main", "--returns", "i32", "--arg", "0", "--arg", "[0i64]"]);
        assert!(alone.out.contains("second 1 "), "{alone:?}");
    }
}

/// A full disk is nobody's fault of ours, whoever runs the program.
#[test]
fn output_that_cannot_be_written_has_its_status() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "int puts(const char *); int main(void) { return puts(\"text\") < 0; }";
    let object = compile(dir.path(), "aarch64", "says.c", source, &[]);
    for more in [&["--crt", "none"][..], &["--crt", "glibc"], &["--executor", "qemu-user"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a device");
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        let output = command.args(["exec", &object]).args(more).stdout(full).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{more:?}: {said}");
        assert!(said.contains("what the program printed could not be written: No space left"), "{more:?}: {said}");
    }
}

/// What would be passed over is an error that names the option and says why.
#[test]
fn options_without_a_meaning_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let object = compile(dir.path(), "aarch64", "four.c", "int main(void) { return 4; }", &[]);
    let image = dir.path().join("four.elf");
    let image = image.to_str().expect("text");
    let linked =
        Command::new(env!("CARGO_BIN_EXE_harness")).args(["link", &object, "-o", image, "--entry", "main"]).status();
    assert!(linked.expect("it starts").success());
    assert_eq!(exec(&[&object]).status, 4);
    assert_eq!(exec(&[image, "--system", "none"]).status, 4);
    let granted = dir.path().to_str().expect("text");
    for (file, words, why) in [
        (&*object, &["--env", "A=b"][..], "a function is called"),
        (&object, &["--dir", granted], "open no files"),
        (&object, &["--sysroot", granted], "a function is called"),
        (&object, &["--seed", "3"], "only a Linux program"),
        (&object, &["--system", "none"], "--crt says it for objects"),
        (image, &["--crt", "none"], "linked already"),
        (image, &["--system", "none", "--env", "A=b"], "a function is called"),
        (image, &["--no-relax"], "linked already"),
        (image, &["--layout", "far"], "linked already"),
        (image, &["--defsym", "a=1"], "linked already"),
        (image, &["--gc-sections"], "linked already"),
        (image, &["--no-gc-sections"], "linked already"),
        (image, &["--target1", "rel"], "linked already"),
        (image, &["--target2", "abs"], "linked already"),
        (image, &["--undefined", "main"], "linked already"),
        (image, &["--wrap", "main"], "linked already"),
        (image, &["--allow-multiple-definition"], "linked already"),
        (image, &["--unresolved-symbols", "ignore-all"], "linked already"),
        (image, &["-z", "muldefs"], "linked already"),
        (image, &["--image-base", "0x10000"], "linked already"),
        (image, &["--section-start", ".text=0x10000"], "linked already"),
        (image, &["--executor", "qemu-user", "--no-relax"], "linked already"),
        (image, &["--cflag", "-g"], "nothing is compiled"),
    ] {
        let got = exec(&[&[file], words].concat());
        let option = words[words.len() - if words.len() % 2 == 0 { 2 } else { 1 }];
        assert!(got.status == 2 && got.out.is_empty(), "{words:?}: {got:?}");
        assert!(
            got.err.contains(&format!("{option} means nothing here: ")) && got.err.contains(why),
            "{words:?}: {got:?}"
        );
    }
}

#[test]
fn wrong_words_and_missing_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "double sqrt(double); double cos(double); int main(int argc) { return sqrt(argc) + cos(argc); }";
    let object = compile(dir.path(), "aarch64", "math.c", source, &["-w", "-fno-builtin"]);
    let got = exec(&[&object, "--crt", "none"]);
    assert_eq!(got.status, 125);
    assert!(got.err.contains("undefined symbol: sqrt") && got.err.contains("are in libm.a: --lib /"), "{}", got.err);
    for (words, status, expected) in [
        (&["--arg", "1", "--", "x"][..], 2, "cannot be used with"),
        (&["--entry", "f", "--", "x"], 2, "--arg"),
        (&["--timeout", "soon"], 2, "seconds"),
        (&["--stack", "lots"], 2, "number of bytes"),
        (&["--returns", "i33"], 2, "i32"),
        (&["--entry", "f", "--arg", "1.5"], 2, "1.5f64"),
        (&["--entry", "f", "--arg", "0x"], 2, "0b101"),
        (&["--executor", "nosuch"], 2, "qemu-user"),
    ] {
        let got = exec(&[&[object.as_str()], words].concat());
        assert_eq!(got.status, status, "{words:?}: {}", got.err);
        assert!(got.err.contains(expected), "{words:?}: {}", got.err);
    }
    let path = dir.path().join("warned.c");
    std::fs::write(&path, "int main(void) { int unused; return 4; }").expect("a writable directory");
    let got = exec(&[path.to_str().expect("text"), "--arch", "armv7", "--cflag", "-Wall"]);
    assert_eq!(got.status, 4);
    assert!(got.err.contains("unused variable"), "{}", got.err);
}
