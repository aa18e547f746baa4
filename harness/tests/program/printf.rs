//! What `printf` prints under `harness exec` beside what glibc prints under qemu-user: random formats, and what those lack.

use std::fmt::Write as _;

use harness::dice::Dice;

use crate::running::{compile, exec, reference};

fn integer(random: &mut Dice) -> u64 {
    match random.bits() % 4 {
        0 => random.bits(),
        1 => random.bits() >> (random.bits() % 64),
        2 => (random.bits() >> (random.bits() % 64)).wrapping_neg(),
        _ => [0, 1, 10, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, u64::MAX, 1 << 63][(random.bits() % 10) as usize],
    }
}

/// The bits of a `double`.
fn double(random: &mut Dice) -> u64 {
    let value = match random.bits() % 8 {
        0 => return random.bits(),
        1 => (random.bits() % 2000) as f64 / 8.0,
        2 => (random.bits() % 1000) as f64 * 10f64.powi((random.bits() % 40) as i32 - 20),
        3 => [0.0, 0.5, 1.5, 2.5, 0.05, 9.5, 99.5, 0.000_099_995, 999_999.5, 1e5, 1e16][(random.bits() % 11) as usize],
        4 => f64::from_bits(random.bits() >> (12 + random.bits() % 52)),
        5 => [f64::INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 5e-324][(random.bits() % 5) as usize],
        _ => (random.bits() as i64 >> (random.bits() % 64)) as f64 / 1024.0,
    };
    (if random.bits().is_multiple_of(3) { -value } else { value }).to_bits()
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
    let mut random = Dice::new(seed);
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

fn one_format(random: &mut Dice, number: usize) -> String {
    let mut format = String::new();
    let mut arguments = Vec::new();
    for _ in 0..1 + random.bits() % 2 {
        format.push_str(random.pick(&["", "x", "%%", "|"]));
        let mut spec = String::from("%");
        for _ in 0..random.bits() % 3 {
            spec.push_str(random.pick(&["-", "+", " ", "#", "0", "0", "'"]));
        }
        for point in ["", "."] {
            match random.bits() % 5 {
                0 => {
                    let _ = write!(spec, "{point}{}", random.bits() % 40);
                }
                1 => {
                    let _ = write!(spec, "{point}*");
                    arguments.push(format!("{}", (random.bits() % 50) as i64 - 25));
                }
                2 if point == "." => spec.push('.'),
                3 if point == "." && random.bits().is_multiple_of(8) => {
                    let _ = write!(spec, ".{}", random.bits() % 700);
                }
                _ => {}
            }
        }
        match random.bits() % 8 {
            0..3 => {
                let (length, kind) = [("", "int"), ("hh", "int"), ("h", "int"), ("l", "long"), ("ll", "long long")]
                    .into_iter()
                    .chain([("j", "long long"), ("z", "size_t"), ("t", "size_t")])
                    .nth((random.bits() % 8) as usize)
                    .expect("one of them");
                spec += length;
                spec += random.pick(&["d", "i", "u", "x", "X", "o"]);
                arguments.push(format!("({kind}){:#x}ull", integer(random)));
            }
            3..5 => {
                spec += random.pick(&["f", "F", "e", "E", "g", "G", "a", "A"]);
                general(&mut spec);
                arguments.push(format!("d({:#x}ull)", double(random)));
            }
            5 => {
                spec.push('L');
                spec += random.pick(&["f", "F", "e", "E", "g", "G", "a", "A"]);
                general(&mut spec);
                // The exponent of most numbers is moderate: the others have thousands of digits.
                let high = if random.bits().is_multiple_of(6) {
                    random.bits()
                } else {
                    (0x3fff + random.bits() % 120 - 60) << 48 | random.bits() >> 16 | (random.bits() & 1) << 63
                };
                let low = integer(random);
                // Where it is a double, the same bits are one.
                arguments.push(format!("q({high:#x}ull, {low:#x}ull)"));
            }
            6 => {
                spec += random.pick(&["s", "s", "c", "p"]);
                arguments.push(match spec.as_bytes()[spec.len() - 1] {
                    b's' => random.pick(&["\"\"", "\"abc\"", "\"a longer text than most\"", "(char *)0"]).to_owned(),
                    b'c' => format!("{}", 33 + random.bits() % 90),
                    _ => format!("(void *){:#x}", random.bits() as u32 >> (random.bits() % 32)),
                });
            }
            _ => match random.bits() % 4 {
                0 => {
                    let which = (random.bits() % 5) as usize;
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
                        vec![format!("{}", random.bits() % 20), format!("{}", random.bits() as i32), "\"p\"".into()];
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
    let room = [1, 5, 6000][(random.bits() % 3) as usize];
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
