//! Programs for bare metal with newlib, which ask for things by semihosting: as objects that we link and as images of GNU ld, and
//! our images beside GNU ld's on QEMU's board. Where a compiler or QEMU is not installed, its part is skipped and said so.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::running::Done;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// What says which instruction set and which float ABI.
const SETS: [&[&str]; 4] = [
    &["-mcpu=cortex-m3", "-mthumb"],
    &["-mcpu=cortex-m0", "-mthumb"],
    &["-march=armv7-a+fp", "-mfloat-abi=hard", "-marm"],
    &["-march=armv7-a+fp", "-mfloat-abi=hard", "-mthumb"],
];

/// Programs in a directory of their own.
struct Yard {
    directory: TempDir,
}

impl Yard {
    fn new() -> Yard {
        let yard = Yard { directory: tempfile::tempdir().expect("a directory") };
        std::fs::create_dir(yard.at("granted")).expect("writable");
        std::fs::write(yard.at("secret"), "secret\n").expect("writable");
        yard
    }

    fn at(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("a text path").to_owned()
    }

    /// Runs a compiler. None, and said so, when there is none.
    fn build(&self, compiler: &str, flags: &[&str], source: &str, output: &str) -> Option<()> {
        let Ok(path) = which::which(compiler) else {
            println!("skipped: {compiler} is not installed");
            return None;
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/semihosting").join(source);
        let mut command = Command::new(path);
        command.current_dir(self.directory.path()).args(flags).args(["-O1", "-g", "-w", "-o", output]).arg(source);
        let done = command.output().expect("it starts");
        assert!(done.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&done.stderr));
        Some(())
    }

    /// Runs a program that reads two lines, where what is granted is.
    fn run(&self, program: &str, words: &[&str]) -> Done {
        let mut command = Command::new(program);
        command.current_dir(self.directory.path().join("granted")).args(words).env("NO_COLOR", "1");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let _ = child.stdin.take().expect("a pipe").write_all(b"1 one\n2 two\n");
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Done { status: output.status.code().expect("not killed"), out: text(output.stdout), err: text(output.stderr) }
    }
}

const BEGUN: &str = "first\n<x y><it's> 1 1.500 1234567890123\n2 one\n4 two\n";
const OVER: &str = "leaving\nlast\n";

#[test]
fn programs_of_newlib_get_what_they_ask_for() {
    let yard = Yard::new();
    for set in SETS {
        if yard.build("arm-none-eabi-gcc", &[set, &["-c"]].concat(), "asks.c", "asks.o").is_none() {
            return;
        }
        yard.build("arm-none-eabi-gcc", &[set, &["--specs=rdimon.specs"]].concat(), "asks.c", "asks.elf");
        // An object and an image that GNU ld has linked.
        for file in [&["../asks.o", "--crt", "newlib"][..], &["../asks.elf"]] {
            let exec = |what: &str, options: &[&str]| {
                let got = yard.run(HARNESS, &[&["exec"], file, options, &["--", what, "x y", "it's"]].concat());
                println!("{set:?} {file:?} {what}: {}", got.err);
                (got.status, got.out, got.err)
            };
            let whole = |text: &str| format!("{BEGUN}{text}{OVER}");
            assert_eq!(exec("quiet", &[]), (42, whole(""), String::new()));
            assert_eq!(exec("memory", &[]), (42, whole("1 1\n"), String::new()));
            let expected = "-1 -1 38\n0 1 1 1\n0 /tmp/semihosting-07 -1\n5 3 SHFB3\n0 0 B 0\n0 -1 1\n";
            assert_eq!(exec("operations", &[]), (42, whole(expected), "debug\n!".to_owned()));
            let (status, _, said) = exec("operations", &["--verbose"]);
            assert!(status == 42 && said.contains("operation 0x77 is not served: it got -1 1 times"), "{said}");
            assert!(said.contains("0x12 (SYS_SYSTEM)"), "{said}");
            // Files are those of a directory that was granted.
            let text = yard.at("granted/in.txt");
            std::fs::write(&text, "line\nrest\n").expect("writable");
            assert_eq!(exec("files", &["--dir", "."]), (42, whole("line\n10\n1 1\n30\n"), String::new()));
            let expected = "line\n10\n1 1\nwritten\nmore\n0 0 1 0\n";
            assert_eq!(exec("files", &["--dir", ".:rw"]), (42, whole(expected), String::new()));
            assert_eq!(std::fs::read(yard.at("granted/renamed.txt")).expect("it is there"), b"written\nmore\n");
            assert!(!Path::new(&text).exists());
            // How they end otherwise.
            let (status, out, said) = exec("abort", &[]);
            assert!(status == 134 && out == BEGUN && said.contains("SIGABRT") && said.contains(" main+"), "{said}");
            let (status, out, said) = exec("wild", &[]);
            assert!(status == 139 && out == BEGUN && said.contains("address 0xdead0000, in main"), "{said}");
            let (status, _, said) = exec("spin", &["--budget", "5000000"]);
            assert!(status == 124 && said.contains("--budget"), "{said}");
            let (status, out, said) = exec("print", &["--output-limit", "200"]);
            assert!(status == 124 && out.len() == 200 && said.contains("--output-limit"), "{said}");
        }
    }
}

/// A microcontroller's objects get newlib when they need one, whatever the layout.
#[test]
fn objects_for_microcontrollers_get_newlib() {
    let yard = Yard::new();
    for set in &SETS[..2] {
        if yard.build("arm-none-eabi-gcc", &[*set, &["-c"]].concat(), "asks.c", "asks.o").is_none() {
            return;
        }
        for layout in ["near", "far", "random:7"] {
            let got = yard
                .run(HARNESS, &["exec", "../asks.o", "--verbose", "--layout", layout, "--", "quiet", "x y", "it's"]);
            assert_eq!((got.status, got.out), (42, format!("{BEGUN}{OVER}")), "{set:?} {layout}: {}", got.err);
            assert!(got.err.contains("linked with newlib") && got.err.contains("rdimon-crt0.o"), "{}", got.err);
        }
        let got = yard.run(HARNESS, &["exec", "../asks.o", "--crt", "none"]);
        assert!(got.status == 125 && got.err.contains("undefined symbol"), "{got:?}");
        let got = yard.run(HARNESS, &["exec", "../asks.o", "--crt", "glibc"]);
        assert!(got.status == 69 && got.err.contains("--crt newlib"), "{got:?}");
    }
}

/// newlib's start-up code has room for 254 bytes: one more is refused, and not cut.
#[test]
fn a_command_line_that_newlib_has_no_room_for_is_refused() {
    let yard = Yard::new();
    for (flags, output, crt) in
        [(&["-c"][..], "asks.o", &["--crt", "newlib"][..]), (&["--specs=rdimon.specs"], "asks.elf", &[])]
    {
        if yard.build("arm-none-eabi-gcc", &[SETS[0], flags].concat(), "asks.c", output).is_none() {
            return;
        }
        let file = format!("../{output}");
        let left = 254 - file.len() - " quiet ".len();
        for (length, fits) in [(left, true), (left + 1, false)] {
            let word = "x".repeat(length);
            let got = yard.run(HARNESS, &[&["exec", &file], crt, &["--", "quiet", &word]].concat());
            if fits {
                assert!(got.status == 42 && got.out.contains(&word), "{got:?}");
            } else {
                assert!(got.status == 2 && got.out.is_empty(), "{got:?}");
                for says in ["has 255 bytes", "newlib's start-up code", "room for 254"] {
                    assert!(got.err.contains(says), "{says}: {}", got.err);
                }
            }
        }
    }
}

/// Nothing of Linux is there for a microcontroller's program, and what asks for it is refused.
#[test]
fn options_of_linux_mean_nothing_to_firmware() {
    let yard = Yard::new();
    if yard.build("arm-none-eabi-gcc", &[SETS[0], &["-c"]].concat(), "asks.c", "asks.o").is_none() {
        return;
    }
    yard.build("arm-none-eabi-gcc", &[SETS[0], &["--specs=rdimon.specs"]].concat(), "asks.c", "asks.elf");
    for (file, option, value) in [
        ("../asks.o", "--env", "A=b"),
        ("../asks.elf", "--env", "A=b"),
        ("../asks.elf", "--sysroot", "."),
        ("../asks.elf", "--seed", "1"),
        ("../asks.elf", "--system", "linux"),
        ("../asks.elf", "--crt", "newlib"),
    ] {
        let got = yard.run(HARNESS, &["exec", file, option, value, "--", "quiet"]);
        let told = got.err.contains(option) && got.err.contains(" means nothing here: ");
        assert!(got.status == 2 && told && got.out.is_empty(), "{file} {option}: {got:?}");
    }
}

/// Sources for a microcontroller are compiled by the compiler that has its library: the other one has headers of Linux.
#[test]
fn sources_for_microcontrollers_are_compiled_with_newlibs_headers() {
    if which::which("arm-none-eabi-g++").is_err() {
        println!("skipped: arm-none-eabi-g++ is not installed");
        return;
    }
    let yard = Yard::new();
    let source = "#include <stdio.h>\n#ifndef _NEWLIB_VERSION\n#error not newlib\n#endif\n\
                  int main() { return fputs(\"newlib\\n\", stdout) < 0; }\n";
    for name in ["says.c", "says.cc"] {
        std::fs::write(yard.at(name), source).expect("writable");
        for target in ["thumbv7m", "thumbv6m"] {
            let got = yard.run(HARNESS, &["exec", &format!("../{name}"), "--arch", target]);
            assert_eq!((got.status, got.out.as_str()), (0, "newlib\n"), "{name} {target}: {}", got.err);
        }
        let got = yard.run(HARNESS, &["exec", &format!("../{name}"), "--arch", "armv7"]);
        assert!(got.status == 65 && got.err.contains("not newlib"), "{got:?}");
    }
}

/// What a library wants and none has: who wants it, and that it is nowhere. What is in libnosys is said to be there.
#[test]
fn what_newlib_wants_and_does_not_have_is_said() {
    let yard = Yard::new();
    let source = yard.at("range.cc");
    std::fs::write(
        &source,
        "#include <stdexcept>\nint main() { try { throw std::out_of_range(\"x\"); } catch (std::exception &) { return 3; } }\n",
    )
    .expect("writable");
    if yard.build("arm-none-eabi-g++", &[SETS[0], &["-c"]].concat(), &source, "range.o").is_none() {
        return;
    }
    let got = yard.run(HARNESS, &["exec", "../range.o"]);
    // Debian's newlib has no getentropy, which its C++ library wants; another one may.
    if got.status != 3 {
        assert_eq!(got.status, 125, "{got:?}");
        for says in ["note: `getentropy` is wanted by libstdc++.a(random.o)", "none of the libraries", "libnosys.a"] {
            assert!(got.err.contains(says), "{says}: {}", got.err);
        }
    }
    let source = yard.at("kill.c");
    std::fs::write(&source, "int _wait(int *); int main(void) { return _wait(0); }\n").expect("writable");
    yard.build("arm-none-eabi-gcc", &[SETS[0], &["-c"]].concat(), &source, "kill.o");
    let got = yard.run(HARNESS, &["exec", "../kill.o"]);
    assert!(got.status == 125 && got.err.contains("`_wait` is in libnosys.a: --lib /"), "{got:?}");
    let got = yard.run(HARNESS, &["link", "../kill.o", "-o", "kill", "--entry", "main"]);
    assert!(got.status == 100 && got.err.contains("note: `_wait` is in libnosys.a: --lib /"), "{got:?}");
    // What the program itself wants is not searched for: it may be a word with a slip.
    let source = yard.at("slip.c");
    std::fs::write(&source, "int pirntf(void); int main(void) { return pirntf(); }\n").expect("writable");
    yard.build("arm-none-eabi-gcc", &[SETS[0], &["-c"]].concat(), &source, "slip.o");
    let got = yard.run(HARNESS, &["exec", "../slip.o"]);
    assert!(got.status == 125 && !got.err.contains("note: `pirntf`"), "{got:?}");
}

/// Programs that ask by `hlt`, without any library: under qemu-user, too.
#[test]
fn halting_instructions_ask() {
    const A64: &str = "
_start: mov w0, #4
 adr x1, text
 hlt #0xf000
 mov w0, #0x18
 adr x1, block
 hlt #0xf000
.balign 8
block: .quad 0x20026, 37
";
    const ARM: &str = ".arch armv8-a
.arm
_start: mov r0, #4
 adr r1, text
 hlt #0xf000
 adr r0, thumb + 1
 bx r0
.thumb
.balign 4
thumb: movs r0, #0x20
 adr r1, block
 hlt #0x3c
.balign 4
block: .word 0x20026, 37
";
    let yard = Yard::new();
    for (prefix, emulator, code) in
        [("aarch64-linux-gnu", "qemu-aarch64", A64), ("arm-linux-gnueabihf", "qemu-arm", ARM)]
    {
        let source = yard.at("halts.s");
        std::fs::write(&source, format!(".globl _start\n{code}text: .asciz \"hello\\n\"\n")).expect("writable");
        let names = [format!("{prefix}-gcc-12"), format!("{prefix}-gcc")];
        let Some(compiler) = names.iter().find(|name| which::which(name).is_ok()) else {
            println!("skipped: {prefix}-gcc is not installed");
            continue;
        };
        let program = yard.at("halts");
        yard.build(compiler, &["-nostdlib", "-static"], &source, &program);
        let expected = Done { status: 37, out: String::new(), err: "hello\n".to_owned() };
        assert_eq!(yard.run(HARNESS, &["exec", &program]), expected, "{prefix}");
        if which::which(emulator).is_ok() {
            assert_eq!(yard.run(emulator, &[&program]), expected, "{prefix}");
        }
    }
}

/// Start-up code that is not newlib's is told that there is no room for the command line, and so is the user.
#[test]
fn a_program_that_has_no_room_for_its_command_line_is_told_so() {
    const CODE: &str = ".globl _start
_start: mov w0, #0x15
 adr x1, line
 hlt #0xf000
 adr x2, block
 str x0, [x2, #8]
 mov w0, #0x18
 adr x1, block
 hlt #0xf000
.data
.balign 8
line: .quad room, 16
block: .quad 0x20026, 0
room: .space 16
";
    let yard = Yard::new();
    let source = yard.at("line.s");
    std::fs::write(&source, CODE).expect("writable");
    let flags = ["-nostdlib", "-static"];
    let Some(()) = yard.build("aarch64-linux-gnu-gcc", &flags, &source, "line") else { return };
    let got = yard.run(HARNESS, &["exec", "../line", "--", "short"]);
    assert_eq!((got.status, got.err.as_str()), (0, ""), "{got:?}");
    let got = yard.run(HARNESS, &["exec", "../line", "--", &"x".repeat(300)]);
    assert!(got.status == 255 && got.err.contains("has 308 bytes, and the program had room for 16"), "{got:?}");
}

/// The vector table that a Cortex-M starts by: the stack, and the entry.
const VECTORS: &str = ".section .vectors, \"a\"\n.word 0x20010000\n.word _start\n";

/// C++ with exceptions and streams: an object of ours, an image of GNU ld, and our image on QEMU's board.
#[test]
fn cpp_programs_of_newlib_throw_and_print() {
    const QEMU: &str = "qemu-system-arm";
    const EXPECTED: &str = "left\nleft\ndeep5made\nout of range\n71\n";
    let yard = Yard::new();
    std::fs::create_dir(yard.at("bin")).expect("writable");
    std::os::unix::fs::symlink(HARNESS, yard.at("bin/ld")).expect("writable");
    std::fs::write(yard.at("vectors.s"), VECTORS).expect("writable");
    for set in &SETS[..2] {
        if yard.build("arm-none-eabi-g++", &[*set, &["-c"]].concat(), "objects.cc", "objects.o").is_none() {
            return;
        }
        let got = yard.run(HARNESS, &["exec", "../objects.o"]);
        assert_eq!((got.status, got.out.as_str()), (3, EXPECTED), "{set:?}: {}", got.err);
        let image = [*set, &["--specs=rdimon.specs", "vectors.s", "-Wl,-u,_start,--section-start=.vectors=0"]].concat();
        yard.build("arm-none-eabi-g++", &image, "objects.cc", "theirs.elf");
        // GNU ld's script puts the rest there by itself.
        let ours = [&image[..], &["-B", "bin", "-Wl,-Ttext=0x8000,-Tdata=0x200000"]].concat();
        yard.build("arm-none-eabi-g++", &ours, "objects.cc", "ours.elf");
        for program in ["../theirs.elf", "../ours.elf"] {
            let got = yard.run(HARNESS, &["exec", program]);
            assert_eq!((got.status, got.out.as_str()), (3, EXPECTED), "{set:?} {program}: {}", got.err);
            if which::which(QEMU).is_err() {
                println!("skipped: {QEMU} is not installed");
                continue;
            }
            let board = ["-M", "mps2-an385", "-display", "none", "-serial", "none", "-monitor", "none"];
            let semihosting = ["-semihosting-config", "enable=on,target=native", "-kernel", program];
            let got = yard.run("timeout", &[&["60", QEMU], &board[..], &semihosting].concat());
            assert_eq!((got.status, got.out.as_str()), (3, EXPECTED), "{set:?} {program}: {}", got.err);
        }
    }
}
