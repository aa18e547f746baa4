//! Programs under a real gdb: what it shows is what the source says.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::running::{compile, exec};

mod later;
mod threads;

const SOURCE: &str = "int printf(const char *, ...);
volatile int counter;
volatile int seen;
double half = 0.5;
__attribute__((noinline)) int add(int a, int b) { return a + b; } /* add */
__attribute__((noinline)) int work(int n) {
    for (int i = 0; i < n; i++) {
        counter = add(counter, i);
        seen = counter + 1;
    }
    return counter;
}
__attribute__((noinline)) int poke(volatile int *at) { return *at = 3; /* poke */ }
int main(int count, char **words) {
    int result = work(4);
    printf(\"%d\\n\", result);
    if (count > 1)
        poke((volatile int *)0x16000000);
    return result + (half != 0.5);
}
";

/// A program that waits for gdb.
struct Waiting {
    harness: Child,
    image: String,
    port: String,
    /// What it says behind that.
    said: BufReader<std::process::ChildStderr>,
}

impl Waiting {
    fn start(words: &[&str]) -> Waiting {
        Waiting::start_with(words, Stdio::null())
    }

    fn start_with(words: &[&str], input: Stdio) -> Waiting {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(words).env("NO_COLOR", "1").stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut harness = command.spawn().expect("it starts");
        let mut said = BufReader::new(harness.stderr.take().expect("its errors"));
        let mut all = String::new();
        while !all.contains("target remote") {
            assert!(said.read_line(&mut all).expect("text") > 0, "it ended: {all}");
        }
        let line = all.lines().last().expect("a line");
        let image = line.split_whitespace().nth(1).expect("an image").to_owned();
        let port = line.rsplit(':').next().expect("a port").trim_end_matches('\'').to_owned();
        Waiting { harness, image, port, said }
    }

    /// Has gdb execute commands. What it shows; and the status, the output and the words of the program.
    fn debug(mut self, commands: &[&str]) -> (String, i32, String, String) {
        let mut gdb = Command::new("gdb-multiarch");
        gdb.args(["-nx", "-batch", &self.image, "-ex", "set width 0", "-ex", "set confirm off", "-ex"]);
        gdb.arg(format!("target remote :{}", self.port));
        for command in commands {
            gdb.args(["-ex", command]);
        }
        let shown = gdb.stdin(Stdio::null()).output().expect("gdb starts");
        let shown = format!("{}{}", String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr));
        let (mut out, mut said) = (String::new(), String::new());
        self.harness.stdout.take().expect("its output").read_to_string(&mut out).expect("text");
        self.said.read_to_string(&mut said).expect("text");
        let status = self.harness.wait().expect("it ends").code().expect("not killed");
        (shown, status, out, said)
    }
}

/// Asks that texts are there in this order.
fn in_order(shown: &str, texts: &[&str], what: &str) {
    let mut rest = shown;
    for text in texts {
        let Some(at) = rest.find(text) else {
            panic!("{what}: `{text}` is missing behind what was found before:\n{shown}")
        };
        rest = &rest[at + text.len()..];
    }
}

fn has_gdb() -> bool {
    let is_there = which::which("gdb-multiarch").is_ok();
    if !is_there {
        println!("skipped: gdb-multiarch is not installed");
    }
    is_there
}

/// Every state of the processors, and big-endian data.
const TARGETS: [&str; 6] = ["aarch64", "armv7", "thumbv7", "thumbv7m", "thumbv6m", "armebv7"];

fn object(directory: &Path, target: &str) -> String {
    compile(directory, target, "program.c", SOURCE, &["-g", "-O1"])
}

#[test]
fn a_program_is_stopped_stepped_and_watched() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for target in TARGETS {
        let object = object(directory.path(), target);
        let save = directory.path().join(target);
        let save = save.to_str().expect("a text path");
        let waiting = Waiting::start(&["exec", &object, "--gdb", "--save-dir", save, "--layout", "far"]);
        assert!(Path::new(&waiting.image).starts_with(save), "{}", waiting.image);
        let link = if target == "aarch64" { "x30" } else { "lr" };
        let call = &format!("eval \"monitor reloc %#lx\", (long) ${link} - 4");
        let (shown, status, out, said) = waiting.debug(&[
            "break work",
            "continue",
            "backtrace",
            "info symbol $pc",
            "tbreak add",
            "continue",
            "backtrace",
            call,
            "finish",
            "watch seen",
            "continue",
            "continue",
            "print counter",
            "rwatch counter",
            "continue",
            "delete",
            "hbreak add",
            "continue",
            "print b",
            "print half",
            "set variable half = 2",
            "delete",
            "continue",
        ]);
        in_order(
            &shown,
            &[
                "Breakpoint 1, work (n=",
                "#0  work",
                "#1 ",
                "in main (",
                "work in section .text",
                "add (a=0, b=",
                "#0  add",
                "#1 ",
                "in work (",
                "#2 ",
                "Value returned is $",
                " = 0",
                "Hardware watchpoint 3: seen",
                "Old value = 0",
                "New value = 1",
                "Old value = 1",
                "New value = 2",
                " = 1",
                "Hardware read watchpoint 4: counter",
                "Value = 1",
                "Hardware assisted breakpoint 5",
                "add (a=1, b=",
                " = 2",
                " = 0.5",
                "exited with code 07]",
            ],
            target,
        );
        // What `monitor` says is not in order with the rest.
        let call = ["R_AARCH64_CALL26", "R_ARM_CALL", "R_ARM_THM_CALL"].iter().any(|name| shown.contains(name));
        assert!(call && shown.contains("against `add`") && shown.contains("right in memory"), "{target}: {shown}");
        assert_eq!((status, out.as_str(), said.as_str()), (7, "6\n", ""), "{target}: {shown}");
    }
}

/// What the accessing instruction did before it was seen is taken back: it is stopped before it, and executed once.
#[test]
fn a_watched_instruction_is_executed_once() {
    if !has_gdb() {
        return;
    }
    let source = "int counter = 5;
int main(void) { __atomic_fetch_add(&counter, 2, __ATOMIC_RELAXED); return counter; }
";
    let directory = tempfile::tempdir().expect("a directory");
    for (target, flags, instruction) in [
        ("aarch64", &["-g", "-O1", "-march=armv8.1-a"][..], "ldadd"),
        ("aarch64", &["-g", "-O1", "-mno-outline-atomics"], "stxr"),
        ("armv7", &["-g", "-O1"], "strex"),
    ] {
        let object = compile(directory.path(), target, "atomic.c", source, flags);
        let (shown, status, ..) = Waiting::start(&["exec", &object, "--gdb"]).debug(&[
            "watch counter",
            "continue",
            "x/i $pc - 4",
            "delete",
            "continue",
        ]);
        in_order(&shown, &["Old value = 5", "New value = 7", instruction, "exited with code 07]"], target);
        assert_eq!(status, 7, "{target}: {shown}");
    }
}

#[test]
fn registers_of_every_state_are_read_and_written() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for (target, first, status, float) in [
        ("aarch64", "x0", "cpsr", Some("v3.q")),
        ("armv7", "r0", "cpsr", Some("d3")),
        ("thumbv7", "r0", "cpsr", Some("d3")),
        ("thumbv7m", "r0", "xpsr", None),
    ] {
        let object = object(directory.path(), target);
        let waiting = Waiting::start(&["exec", &object, "--entry", "add", "--arg", "20", "--arg", "3", "--gdb"]);
        let float = float.unwrap_or("r7");
        let (shown, ended, out, _) = waiting.debug(&[
            &format!("print ${first}"),
            &format!("set ${float} = 77"),
            &format!("print ${float}"),
            // Thumb, where it is.
            &format!("print (${status} >> {}) & 1", if status == "xpsr" { 24 } else { 5 }),
            "info registers",
            "set $sp = $sp - 64",
            "stepi",
            &format!("set ${first} = 41"),
            "set $sp = $sp + 64",
            "continue",
        ]);
        let thumb = if target.starts_with("thumb") { "= 1" } else { "= 0" };
        let texts = ["$1 = 20", "$2 = 77", thumb, "sp ", "pc ", status, "exited normally"];
        in_order(&shown, &texts, target);
        assert_eq!(ended, 0, "{target}: {shown}");
        assert!(out.contains("(41)") || out.contains("(44)"), "{target}: {out}");
    }
}

#[test]
fn faults_are_signals_at_their_instruction() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for target in TARGETS {
        let object = object(directory.path(), target);
        let waiting = Waiting::start(&["exec", "--gdb", "0", &object, "--", "word"]);
        let (shown, status, _, said) = waiting.debug(&["continue", "backtrace", "print at", "continue"]);
        let texts = [
            "received signal SIGSEGV",
            "poke (at=",
            "#0  ",
            "poke (at=",
            "#1 ",
            "main (",
            "0x16000000",
            "terminated with signal SIGSEGV",
        ];
        in_order(&shown, &texts, target);
        assert_eq!(status, 139, "{target}: {shown}");
        assert!(said.contains("main: write fault at 0x"), "{target}: {said}");
        // A signal that is not passed on, at another place, does not end it.
        let waiting = Waiting::start(&["exec", "--gdb", "0", &object, "--", "word"]);
        let (shown, status, ..) =
            waiting.debug(&["continue", "set variable at = (int *) &seen", "stepi", "info symbol $pc", "jump work"]);
        assert!(!shown.contains("exited") || status != 70, "{target}: {shown}");
    }
}

const PROCESS: &str = "#include <stdio.h>
#include <stdlib.h>
int counter;
__attribute__((noinline)) void tick(int n) { counter += n; }
int main(int count, char **words) {
    for (int i = 1; i < 4; i++)
        tick(i);
    printf(\"%d\\n\", counter);
    if (count > 1)
        abort();
    return counter;
}
";

#[test]
fn linux_programs_are_debugged_through_their_system_calls() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for (compiler, flags) in [
        ("aarch64-linux-gnu-gcc-12", &["-static"][..]),
        ("aarch64-linux-gnu-gcc-12", &["-static-pie", "-fPIE"]),
        ("arm-linux-gnueabihf-gcc-12", &["-static", "-marm"]),
        ("arm-linux-gnueabihf-gcc-12", &["-static", "-mthumb"]),
    ] {
        let source = directory.path().join("process.c");
        std::fs::write(&source, PROCESS).expect("written");
        let program = directory.path().join("process");
        let built =
            Command::new(compiler).args(["-g", "-O1"]).args(flags).arg(&source).arg("-o").arg(&program).status();
        assert!(built.is_ok_and(|built| built.success()), "{compiler}");
        let program = program.to_str().expect("a text path");
        let what = format!("{compiler} {flags:?}");
        let waiting = Waiting::start(&["exec", program, "--gdb"]);
        assert_eq!(waiting.image, program);
        let (shown, status, out, said) = waiting.debug(&[
            "info symbol $pc",
            "break tick",
            "continue",
            "backtrace",
            "watch counter",
            "continue",
            "delete",
            "break printf",
            "continue",
            "finish",
            "monitor reloc 0x1000",
            "continue",
        ]);
        let texts = [
            "_start",
            "Breakpoint 1, tick (n=",
            "in main (count=1",
            "Old value = 0",
            "New value = 1",
            "Breakpoint 3",
            "printf",
            "main (count=",
            "exited with code 06]",
        ];
        in_order(&shown, &texts, &what);
        assert!(shown.contains("this program was linked before"), "{what}: {shown}");
        assert_eq!((status, out.as_str(), said.as_str()), (6, "6\n", ""), "{what}: {shown}");
        let waiting = Waiting::start(&["exec", "--gdb", "0", program, "--", "abort"]);
        let (shown, status, ..) = waiting.debug(&["continue", "backtrace", "continue"]);
        in_order(&shown, &["received signal SIGABRT", "main (count=", "terminated with signal SIGABRT"], &what);
        assert_eq!(status, 134, "{what}: {shown}");
    }
}

#[test]
fn a_debugger_that_leaves_says_what_becomes_of_the_program() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let object = object(directory.path(), "aarch64");
    let (_, status, out, said) =
        Waiting::start(&["exec", &object, "--gdb"]).debug(&["break work", "continue", "detach"]);
    assert_eq!((status, out.as_str(), said.as_str()), (6, "6\n", ""), "it goes on by itself");
    let (_, status, _, said) = Waiting::start(&["exec", &object, "--gdb"]).debug(&["kill"]);
    assert_eq!(status, 70);
    assert!(said.starts_with("main: killed by the debugger\n"), "{said}");
    // The connection just ends.
    let mut waiting = Waiting::start(&["exec", &object, "--gdb"]);
    let port: u16 = waiting.port.parse().expect("a port");
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens"));
    let mut said = String::new();
    waiting.said.read_to_string(&mut said).expect("text");
    assert_eq!(waiting.harness.wait().expect("it ends").code(), Some(70));
    assert!(said.starts_with("main: the connection of the debugger ended\n"), "{said}");
    // A loop without an end is interrupted by nobody, but its instructions are counted.
    let waiting = Waiting::start(&["exec", &object, "--gdb", "--budget", "20"]);
    let (shown, status, _, said) = waiting.debug(&["continue", "backtrace", "continue"]);
    in_order(&shown, &["received signal SIGXCPU", "#0", "exited with code 0174"], "budget");
    assert_eq!(status, 124);
    assert!(said.contains("out of budget: too many instructions"), "{said}");
}

#[test]
fn a_program_that_waits_for_input_is_interrupted() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("reads.c");
    std::fs::write(
        &source,
        "#include <unistd.h>\nint main(void) { char byte; return read(0, &byte, 1) == 1 ? byte : 3; }\n",
    )
    .expect("writable");
    let program = directory.path().join("reads");
    let built = Command::new("aarch64-linux-gnu-gcc").args(["-g", "-static", "-o"]).arg(&program).arg(&source).status();
    assert!(built.expect("a compiler").success());
    let mut waiting = Waiting::start_with(&["exec", program.to_str().expect("a text path"), "--gdb"], Stdio::piped());
    let input = waiting.harness.stdin.take().expect("its input");
    // gdb sends on what it hears while the program runs; it answers nothing before the program stands still.
    let commands = ["shell (sleep 2; kill -INT $PPID) &", "continue", "backtrace", "kill"];
    let (shown, status, _, _) = waiting.debug(&commands);
    in_order(&shown, &["received signal SIGINT", "read", "main () at"], "input");
    assert_eq!(status, 70);
    drop(input);
}

#[test]
fn what_a_program_asks_a_debugger_for_is_served() {
    if !has_gdb() || which::which("arm-none-eabi-gcc").is_err() {
        println!("skipped: gdb-multiarch or arm-none-eabi-gcc is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (source, program) = (directory.path().join("asks.c"), directory.path().join("asks.elf"));
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 5; }\n").expect("writable");
    let mut compiler = Command::new("arm-none-eabi-gcc");
    compiler.args(["--specs=rdimon.specs", "-mcpu=cortex-m3", "-mthumb", "-g", "-o"]).arg(&program).arg(&source);
    assert!(compiler.status().expect("a compiler").success());
    let waiting = Waiting::start(&["exec", program.to_str().expect("a text path"), "--gdb"]);
    let (shown, status, out, _) = waiting.debug(&["break main", "continue", "continue"]);
    in_order(&shown, &["Breakpoint 1, main", "exited with code 05"], "semihosting");
    assert_eq!((status, out.as_str()), (5, "hello\n"));
}

#[test]
fn one_configuration_of_a_case_is_debugged() {
    if !has_gdb() {
        return;
    }
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("run").args(words);
        crate::running::done(command)
    };
    let several = run(&["branches/a64_call_and_jump", "--gdb"]);
    assert_eq!(several.status, 2, "{}", several.err);
    assert!(several.err.contains("--gdb, --trace and --save-dir are for one configuration"), "{}", several.err);
    let list = run(&["branches/a64_call_and_jump", "--list"]).out;
    let name = list.lines().find(|name| name.contains("/far/")).expect("a far one").to_owned();
    let waiting = Waiting::start(&["run", "--exact", &name, "--gdb"]);
    let (shown, status, out, _) = waiting.debug(&["info symbol $pc", "stepi", "backtrace", "continue"]);
    in_order(&shown, &["forward in section .text", "#0", "exited normally"], &name);
    assert_eq!(status, 0, "{shown}");
    assert!(out.contains("1 passed"), "{out}");
}

#[test]
fn what_cannot_be_debugged_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = object(directory.path(), "aarch64");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let used = exec(&[&object, "--gdb", &port]);
    assert_eq!(used.status, 69, "{}", used.err);
    assert!(used.err.contains(&format!("port {port} cannot be listened at")), "{}", used.err);
    let no_port = exec(&["--gdb", &object]);
    assert_eq!(no_port.status, 2);
    assert!(no_port.err.contains("is not a port: write --gdb=PORT"), "{}", no_port.err);
    let board = exec(&[&object, "--gdb", "--executor", "raspi3"]);
    assert_eq!(board.status, 2, "{}", board.err);
    assert!(board.err.contains("--gdb is for programs on the embedded emulator"), "{}", board.err);
    // An image without a debugger is one that is run as ever.
    let save = directory.path().join("new/images");
    let saved = exec(&[&object, "--save-dir", save.to_str().expect("a text path")]);
    assert_eq!((saved.status, saved.out.as_str()), (6, "6\n"), "{}", saved.err);
    assert!(saved.err.starts_with("image: ") && save.join("program.c-aarch64.elf").exists(), "{}", saved.err);
}
