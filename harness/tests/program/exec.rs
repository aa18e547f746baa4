//! `harness exec` as its users know programs: how they begin, print and end. What is expected comes from the same objects linked by
//! GNU ld with glibc, under qemu-user, or from the C standard.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use corpus::matrix::Family;
use corpus::toolchain::Toolchains;
use linker::Target;

/// What a program did: its status, and what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    status: i32,
    out: String,
    err: String,
}

fn done(mut command: Command) -> Done {
    let Output { status, stdout, stderr } = command.env("NO_COLOR", "1").output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Done { status: status.code().expect("not killed"), out: text(stdout), err: text(stderr) }
}

fn exec(words: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("exec").args(words);
    done(command)
}

/// Compiles a source for a target and returns the object's path.
fn compile(dir: &Path, target: &str, name: &str, source: &str, flags: &[&str]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, source).expect("a writable directory");
    let target = Target::named(target).expect("a target");
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    let toolchains = Toolchains::discover();
    let object = corpus::build::compile_file(&path, target, Some(Family::Gcc), &flags, &toolchains).expect("compiles");
    let object_path = dir.join(format!("{name}-{}.o", target.name));
    std::fs::write(&object_path, object).expect("a writable directory");
    object_path.to_str().expect("a text path").to_owned()
}

/// The same object as a program of GNU ld and glibc, under qemu-user.
fn reference(target: &str, object: &str) -> Done {
    let (triple, emulator) = match target {
        "aarch64" => ("aarch64-linux-gnu", "qemu-aarch64"),
        _ => ("arm-linux-gnueabihf", "qemu-arm"),
    };
    let program = format!("{object}.ref");
    let linked = Command::new(format!("{triple}-gcc")).args(["-static", object, "-o", &program]).output();
    let linked = linked.expect("a linker");
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let mut command = Command::new(emulator);
    command.arg(program);
    done(command)
}

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
    // A system is asked for the end of it, and there is none.
    let start = "void _start(void) { register long number __asm__(\"x8\") = 93; __asm__ volatile(\"svc 0\" :: \"r\"(number)); }";
    let object = compile(dir.path(), "aarch64", "start.c", start, &["-O1"]);
    let program = dir.path().join("start").to_str().expect("a text path").to_owned();
    let line = ["-static", "-Ttext-segment=0x1000000", &object, "-o", &program];
    assert!(Command::new("aarch64-linux-gnu-ld").args(line).status().expect("GNU ld").success());
    let got = exec(&[&program]);
    assert!(got.status == 159 && got.err.contains("call 93"), "{got:?}");
    std::fs::write(dir.path().join("cut"), &std::fs::read(&program).expect("there")[..100]).expect("writable");
    assert_eq!(exec(&[dir.path().join("cut").to_str().expect("text")]).status, 65);
    for command in ["explain", "graph"] {
        let said = Command::new(env!("CARGO_BIN_EXE_harness")).args([command, &program]).output().expect("it starts");
        assert!(String::from_utf8_lossy(&said.stderr).contains("harness check"), "{said:?}");
    }
}

/// Numbers that look random and are the same every time (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[(self.next() % from.len() as u64) as usize]
    }

    fn integer(&mut self) -> u64 {
        match self.next() % 4 {
            0 => self.next(),
            1 => self.next() >> (self.next() % 64),
            2 => (self.next() >> (self.next() % 64)).wrapping_neg(),
            _ => [0, 1, 10, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, u64::MAX, 1 << 63][(self.next() % 10) as usize],
        }
    }

    /// The bits of a `double`.
    fn double(&mut self) -> u64 {
        let value = match self.next() % 8 {
            0 => return self.next(),
            1 => (self.next() % 2000) as f64 / 8.0,
            2 => (self.next() % 1000) as f64 * 10f64.powi((self.next() % 40) as i32 - 20),
            3 => {
                [0.0, 0.5, 1.5, 2.5, 0.05, 9.5, 99.5, 0.000_099_995, 999_999.5, 1e5, 1e16][(self.next() % 11) as usize]
            }
            4 => f64::from_bits(self.next() >> (12 + self.next() % 52)),
            5 => [f64::INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 5e-324][(self.next() % 5) as usize],
            _ => (self.next() as i64 >> (self.next() % 64)) as f64 / 1024.0,
        };
        (if self.next().is_multiple_of(3) { -value } else { value }).to_bits()
    }
}

/// What stands in front of the calls. `q` is a `long double` by its bits, or a `double` where both are one.
const FORMATS: &str = r#"
typedef __SIZE_TYPE__ size_t;
typedef __WCHAR_TYPE__ wide;
int printf(const char *, ...);
int snprintf(char *, size_t, const char *, ...);
static double d(unsigned long long bits) { union { unsigned long long bits; double value; } u = { bits }; return u.value; }
static long double q(unsigned long long high, unsigned long long low) {
#if __LDBL_MANT_DIG__ == 113
    unsigned __int128 bits = (unsigned __int128)high << 64 | low;
    union { unsigned __int128 bits; long double value; } u = { bits };
    return u.value;
#else
    (void)low;
    return d(high);
#endif
}
static char text[6000];
#define T(number, room, ...) do { \
        text[0] = 0; \
        int length = snprintf(text, room, __VA_ARGS__); \
        printf("%d: %d [%s] ", number, length, text); \
        length = printf(__VA_ARGS__); \
        printf(" %d\n", length); \
    } while (0)
static signed char n8; static short n16; static int n32; static long nl; static long long n64;
"#;

/// A program of so many calls, by which the same is printed wherever `long` is as wide.
fn formats(seed: u64, count: usize) -> String {
    let mut random = Random(seed);
    let mut source = FORMATS.to_owned();
    // A function of thousands of variadic calls takes a compiler forever.
    for part in 0..count / 100 {
        let _ = writeln!(source, "static __attribute__((noinline)) void part{part}(void) {{");
        for number in part * 100..part * 100 + 100 {
            let _ = writeln!(source, "{}", one_format(&mut random, number));
        }
        source.push_str("}\n");
    }
    source.push_str("int main(void) {\n");
    (0..count / 100).for_each(|part| source.push_str(&format!("part{part}();\n")));
    source + "printf(\"%d %d %d %ld %lld\\n\", n8, n16, n32, nl, n64); return 0; }\n"
}

fn one_format(random: &mut Random, number: usize) -> String {
    let mut format = String::new();
    let mut arguments = Vec::new();
    for _ in 0..1 + random.next() % 2 {
        format.push_str(random.pick(&["", "x", "%%", "|"]));
        let mut spec = String::from("%");
        for _ in 0..random.next() % 3 {
            spec.push_str(random.pick(&["-", "+", " ", "#", "0", "0", "'"]));
        }
        for point in ["", "."] {
            match random.next() % 5 {
                0 => {
                    let _ = write!(spec, "{point}{}", random.next() % 40);
                }
                1 => {
                    let _ = write!(spec, "{point}*");
                    arguments.push(format!("{}", (random.next() % 50) as i64 - 25));
                }
                2 if point == "." => spec.push('.'),
                3 if point == "." && random.next().is_multiple_of(8) => {
                    let _ = write!(spec, ".{}", random.next() % 700);
                }
                _ => {}
            }
        }
        match random.next() % 8 {
            0..3 => {
                let (length, kind) = [("", "int"), ("hh", "int"), ("h", "int"), ("l", "long"), ("ll", "long long")]
                    .into_iter()
                    .chain([("j", "long long"), ("z", "size_t"), ("t", "size_t")])
                    .nth((random.next() % 8) as usize)
                    .expect("one of them");
                spec += length;
                spec += random.pick(&["d", "i", "u", "x", "X", "o"]);
                arguments.push(format!("({kind}){:#x}ull", random.integer()));
            }
            3..5 => {
                spec += random.pick(&["f", "F", "e", "E", "g", "G", "a", "A"]);
                general(&mut spec);
                arguments.push(format!("d({:#x}ull)", random.double()));
            }
            5 => {
                spec.push('L');
                spec += random.pick(&["f", "F", "e", "E", "g", "G", "a", "A"]);
                general(&mut spec);
                // The exponent of most numbers is moderate: the others have thousands of digits.
                let high = if random.next().is_multiple_of(6) {
                    random.next()
                } else {
                    (0x3fff + random.next() % 120 - 60) << 48 | random.next() >> 16 | (random.next() & 1) << 63
                };
                let low = random.integer();
                // Where it is a double, the same bits are one.
                arguments.push(format!("q({high:#x}ull, {low:#x}ull)"));
            }
            6 => {
                spec += random.pick(&["s", "s", "c", "p"]);
                arguments.push(match spec.as_bytes()[spec.len() - 1] {
                    b's' => random.pick(&["\"\"", "\"abc\"", "\"a longer text than most\"", "(char *)0"]).to_owned(),
                    b'c' => format!("{}", 33 + random.next() % 90),
                    _ => format!("(void *){:#x}", random.next() as u32 >> (random.next() % 32)),
                });
            }
            _ => match random.next() % 4 {
                0 => {
                    let which = (random.next() % 5) as usize;
                    format = format!("counted%{}n", ["hh", "h", "", "l", "ll"][which]);
                    arguments = vec![format!("&{}", ["n8", "n16", "n32", "nl", "n64"][which])];
                    break;
                }
                1 => {
                    spec += random.pick(&["ls", "lc"]);
                    let letter = spec.ends_with('c');
                    arguments.push(if letter { "(wide)L'w'".to_owned() } else { "L\"wide text\"".to_owned() });
                }
                2 => {
                    spec = "%2$*1$d|%3$s|%2$x".to_owned();
                    arguments =
                        vec![format!("{}", random.next() % 20), format!("{}", random.next() as i32), "\"p\"".into()];
                    format.clear();
                    format.push_str(&spec);
                    break;
                }
                _ => {
                    // Alone: what glibc makes of others behind it depends on more than the standard says. The last few end
                    // before their letter.
                    let specs = ["y", "5y", "-5y", "+.3y", "#ly", "05y", "z", "5", ".", "l"];
                    format = format!("before%{}", random.pick(&specs));
                    arguments.clear();
                    break;
                }
            },
        }
        format += &spec;
    }
    let room = [1, 5, 6000][(random.next() % 3) as usize];
    let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
    format!("    T({number}, {room}, \"{format}\"{arguments});")
}

/// `%#g` of what is rounded up to another power of ten has no zeros in glibc 2.36 (`-1.e+06`), where C wants them.
fn general(spec: &mut String) {
    if spec.ends_with(['g', 'G']) {
        spec.retain(|letter| letter != '#');
    }
}

#[test]
fn printf_prints_what_glibc_prints() {
    let count = std::env::var("LINKRIG_FORMATS").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    let seed = std::env::var("LINKRIG_HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let dir = tempfile::tempdir().expect("a directory");
    let source = formats(seed, count);
    let flags = ["-O0", "-w", "-fno-builtin", "-ffreestanding"];
    // Other targets print what the one does that has the same sizes.
    for (of, targets) in
        [("aarch64", ["aarch64", "aarch64_be", "aarch64"]), ("armv7", ["armv7", "thumbv7m", "armebv7"])]
    {
        let object = compile(dir.path(), of, "formats.c", &source, &flags);
        let expected = reference(of, &object);
        assert_eq!(expected.out.lines().count(), count + 1, "{}", expected.err);
        for target in targets {
            let object = compile(dir.path(), target, "formats.c", &source, &flags);
            let got = exec(&[&object, "--budget", "4000000000", "--timeout", "120", "--arch", target]);
            for (expected, got) in expected.out.lines().zip(got.out.lines()) {
                let number = expected.split(':').next().unwrap_or_default();
                let call = source.lines().find(|line| line.contains(&format!("T({number},"))).unwrap_or_default();
                assert_eq!(got, expected, "{target}: {call}");
            }
            assert_eq!((got.status, got.err.as_str()), (0, ""), "{target}");
            assert_eq!(got.out.len(), expected.out.len(), "{target}");
        }
    }
}

/// What random formats do not have: arguments by their numbers, beside others, errors in words, and the widest precision.
#[test]
fn printf_takes_arguments_as_glibc_does() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = r#"
        #include <errno.h>
        #include <stdio.h>
        int main(void) {
            printf("%2$d %1$d\n", 1, 2);
            printf("%2$s-%1$*3$d|%1$-*3$d|\n", 7, "seven", 4);
            errno = ENOENT;
            printf("%m|%d\n", 5);
            printf("%.*s|%.2147483647s|\n", 2147483647, "all", "of it");
            return 0;
        }"#;
    for target in ["aarch64", "armv7"] {
        let object = compile(dir.path(), target, "arguments.c", source, &["-w", "-fno-builtin"]);
        let expected = reference(target, &object);
        assert_eq!(expected.out.lines().count(), 4, "{expected:?}");
        assert_eq!(exec(&[&object]), expected, "{target}");
    }
}

#[test]
fn numbers_of_any_size_are_formatted_in_no_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = r#"
        int printf(const char *, ...); int snprintf(char *, unsigned long, const char *, ...);
        int main(int count, char **words) {
            char text[8];
            int length = snprintf(text, sizeof text, "%.2000000000d|%2000d", 1, 2);
            printf("%d %s\n", length, text);
            printf("%d\n", snprintf(text, sizeof text, "%2147483646d%d", 1, 10));
            printf("%d\n", snprintf(text, sizeof text, "%2147483648d", 1));
            printf("%d\n", snprintf(text, sizeof text, "%*d", -2147483647 - 1, 1));
            printf("%d %s\n", snprintf(text, sizeof text, "%.65535e", 1.5), text);
            printf("%.65536d", 1);
            return 0;
        }"#;
    let object = compile(dir.path(), "aarch64", "sizes.c", source, &["-w", "-fno-builtin"]);
    let got = exec(&[&object]);
    let (lines, digits) = got.out.rsplit_once('\n').expect("lines");
    // C counts in int: what is longer is an error. The lengths are the sums of widths and precisions.
    assert_eq!(lines, "2000002001 0000000\n-1\n-1\n-1\n65541 1.50000");
    assert_eq!((digits.len(), got.status, got.err.as_str()), (65_536, 0, ""));
    assert!(digits[..65_535].bytes().all(|byte| byte == b'0') && digits.ends_with('1'));
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

#[test]
fn wrong_words_and_missing_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = "double sqrt(double); double cos(double); int main(int argc) { return sqrt(argc) + cos(argc); }";
    let object = compile(dir.path(), "aarch64", "math.c", source, &["-w", "-fno-builtin"]);
    let got = exec(&[&object]);
    assert_eq!(got.status, 125);
    assert!(got.err.contains("undefined symbol: sqrt") && got.err.contains("are in libm.a: --lib /"), "{}", got.err);
    for (words, status, expected) in [
        (&["--arg", "1", "--", "x"][..], 2, "cannot be used with"),
        (&["--entry", "f", "--", "x"], 2, "--arg"),
        (&["--timeout", "soon"], 2, "seconds"),
        (&["--stack", "lots"], 2, "number of bytes"),
        (&["--returns", "i33"], 2, "i32"),
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
