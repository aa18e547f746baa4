//! A stock llvm-jitlink links objects of real compilers and runs them here: over pipes, as it starts its executors itself, and
//! over TCP, where it cannot end by itself.

use std::io::{BufRead, BufReader, Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use corpus::matrix::Family;
use harness::orc::wire::Message;
use linker::Target;

use super::support::{Ended, HARNESS, LIMIT, Objects, Process, jitlink, record, run, target};

const TARGETS: &[&str] = &["aarch64", "armv7", "thumbv7"];

const MAIN: &str = "
extern int printf(const char *, ...), puts(const char *), sum(int, int), counter;
static int zero[1000];
int main(int argc, char **argv) {
    puts(\"started\");
    for (int i = 0; i < argc; i++) printf(\"%d %s\\n\", i, argv[i]);
    counter += sum(argc, 40) + zero[argc];
    return argv[argc] ? 99 : counter;
}
";
const SUM: &str = "int counter = 1; int sum(int a, int b) { return a + b; }";

/// As most people would: llvm-jitlink starts the harness.
fn piped(target: &'static Target, arguments: &[&str]) -> Command {
    let mut command = jitlink(target);
    command.arg(format!("--oop-executor={HARNESS}")).args(arguments);
    command.env("LINKRIG_ARCH", target.name).env_remove("LINKRIG_EXECUTOR").env_remove("LINKRIG_BUDGET");
    command
}

fn over_pipes(target: &'static Target, arguments: &[&str]) -> Ended {
    run(&mut piped(target, arguments))
}

/// The harness first, and a controller finds it. Ends of both, and what the first line said is not among it.
fn over_tcp(mut controller: Command, target: &'static Target, executor: &str, arguments: &[&str]) -> (Ended, Ended) {
    let mut command = Command::new(HARNESS);
    command.args(["serve", "--listen", "127.0.0.1:0", "--arch", target.name, "--executor", executor]);
    let mut out = tempfile::tempfile().expect("a file");
    let mut server =
        Process::spawn(command.stdout(out.try_clone().expect("a file")).stderr(Stdio::piped()).stdin(Stdio::null()));
    let mut errors = BufReader::new(server.0.stderr.take().expect("a pipe"));
    let address = listening(&mut errors);
    let connect = format!("--oop-executor-connect={address}");
    let controller = run(controller.arg(connect).args(arguments));
    let status = server.status();
    let mut ended = Ended { status, out: String::new(), err: String::new() };
    out.rewind().and_then(|()| out.read_to_string(&mut ended.out)).expect("text");
    errors.read_to_string(&mut ended.err).expect("text");
    (controller, ended)
}

/// The address that a server says it listens at.
fn listening(errors: &mut impl BufRead) -> String {
    let mut line = String::new();
    errors.read_line(&mut line).expect("a line");
    line.trim_end().strip_prefix("listening at ").unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn main_runs_with_arguments_on_every_target() {
    for name in TARGETS {
        let objects = Objects::new(name);
        for (family, flags) in
            [(Family::Gcc, &["-O2"][..]), (Family::Clang, &["-O1", "-fPIC"]), (Family::Clang, &["-O0", "-g"])]
        {
            let what = format!("{name} {family:?} {flags:?}");
            let files = [objects.make("main", MAIN, family, flags), objects.make("sum", SUM, family, flags)];
            let files = [files[0].as_str(), &files[1]];
            let Ended { status, out, err } =
                over_pipes(objects.target, &[&files[..], &["--args", "a", "b c"]].concat());
            assert_eq!((status, out.as_str()), (43, "started\n0 a\n1 b c\n"), "{what}: {err}");
            let Ended { status, out, err } = over_pipes(objects.target, &files);
            assert_eq!((status, out.as_str()), (41, "started\n"), "{what}: {err}");
            // Linked and finalized, but not run.
            let Ended { status, out, err } = over_pipes(objects.target, &[&files[..], &["-noexec"]].concat());
            assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""), "{what}");
            // Half of it.
            let Ended { status, out, err } = over_pipes(objects.target, &files[..1]);
            assert!(status == 1 && err.contains("Symbols not found: [ counter, sum ]"), "{what}: {status} {out} {err}");
        }
    }
}

/// Those of other releases that are installed, in both ways to connect.
#[test]
fn other_releases_speak_the_same() {
    let releases = (18..=30).map(|release| format!("llvm-jitlink-{release}"));
    let others: Vec<PathBuf> = releases.filter_map(|name| which::which(name).ok()).collect();
    println!("llvm-jitlink of other releases: {others:?}");
    for (name, controller) in TARGETS.iter().flat_map(|name| others.iter().map(move |other| (name, other))) {
        let objects = Objects::new(name);
        let what = format!("{name} {}", controller.display());
        let files = [("main", MAIN), ("sum", SUM)]
            .map(|(file, source)| objects.make(file, source, Family::Clang, &["-O1", "-fPIC"]));
        let mut command = Command::new(controller);
        command.arg(format!("--oop-executor={HARNESS}")).args(&files).args(["--args", "a"]);
        let Ended { status, out, err } = run(command.env("LINKRIG_ARCH", name));
        assert_eq!((status, out.as_str(), err.as_str()), (42, "started\n0 a\n", ""), "{what}");
        let (ended, server) =
            over_tcp(Command::new(controller), objects.target, "unicorn", &[&files[0], &files[1], "--args", "a"]);
        assert_eq!((ended.status, server.status, server.out.as_str()), (42, 0, "started\n0 a\n"), "{what}");
        let abort = objects.make("abort", "void abort(void); int main(void) { abort(); }", Family::Clang, &["-O1"]);
        let mut command = Command::new(controller);
        command.arg(format!("--oop-executor={HARNESS}")).arg(abort);
        let Ended { status, err, .. } = run(command.env("LINKRIG_ARCH", name));
        assert!(status == 1 && err.contains("run_as_main_wrapper: the function at 0x"), "{what}: {status} {err}");
    }
}

#[test]
fn states_mix() {
    let [arm, thumb] = ["armv7", "thumbv7"].map(Objects::new);
    for (first, second) in [(&arm, &thumb), (&thumb, &arm)] {
        let files = [first.make("main", MAIN, Family::Gcc, &["-O2"]), second.make("sum", SUM, Family::Clang, &["-O2"])];
        let Ended { status, err, .. } = over_pipes(arm.target, &[&files[0], &files[1], "--args", "a"]);
        assert_eq!(status, 42, "{err}");
    }
}

#[test]
fn programs_end_in_many_ways() {
    for name in TARGETS {
        let objects = Objects::new(name);
        let one = |source: &str| over_pipes(objects.target, &[&objects.make("main", source, Family::Clang, &["-O1"])]);
        let Ended { status, out, err } =
            one("extern void exit(int), puts(const char *); int main(void) { puts(\"going\"); exit(77); }");
        assert_eq!((status, out.as_str(), err.as_str()), (77, "going\n", ""), "{name}");
        assert_eq!(one("int main(void) { return 0x1ff; }").status, 0xff, "{name}");
        assert_eq!(one("int main(void) { return -1; }").status, 0xff, "{name}");
        for (source, says) in [
            ("int main(void) { *(volatile int *)16 = 1; return 0; }", "write fault at 0x"),
            (
                "extern int puts(const char *); int main(void) { return puts((char *)16); }",
                "address 0x10, in host function `puts`",
            ),
            ("int main(void) { for (volatile int i = 0;; i = i + 1); }", "out of budget: too many instructions"),
            ("extern void abort(void); int main(void) { abort(); }", "abort()"),
        ] {
            let Ended { status, err, .. } = one(source);
            // The message is llvm-jitlink's: the protocol has no error for this.
            assert!(status == 1 && err.contains("Error deserializing return value"), "{name} {source}: {status} {err}");
            assert!(err.contains("run_as_main_wrapper: the function at 0x") && err.contains(says), "{name}: {err}");
            let registers = if *name == "aarch64" { ["  x0 0x", "  x30 0x"] } else { ["  r0 0x", "  r14 0x"] };
            assert!(registers.iter().chain(&["  sp 0x", "  pc 0x"]).all(|part| err.contains(part)), "{name}: {err}");
        }
    }
}

/// Where a controller tells debuggers of its objects, their functions and lines are known.
#[test]
fn a_fault_has_a_backtrace() {
    const SOURCE: &str = "__attribute__((noinline)) int deep(int n, volatile int *at) {
    if (n == 0)
        return *at = 3; /* 3 */
    return deep(n - 1, at) + n; /* 4 */
}
int main(void) { return deep(2, (volatile int *)16) + 2; } /* 6 */
";
    let objects = Objects::new("aarch64");
    for (family, flags) in
        [(Family::Clang, &["-O1", "-g", "-fno-optimize-sibling-calls"][..]), (Family::Gcc, &["-O0", "-g"])]
    {
        let object = objects.make("main", SOURCE, family, flags);
        for executor in ["unicorn", "raspi3b"] {
            let ended = run(piped(objects.target, &[&object]).env("LINKRIG_EXECUTOR", executor));
            let what = format!("{family:?} {executor}: {}", ended.err);
            let frames: Vec<&str> = ended.err.lines().filter(|line| line.trim_start().starts_with('#')).collect();
            let wanted = [("deep+0x", 3), ("deep+0x", 4), ("deep+0x", 4), ("main+0x", 6)];
            assert_eq!(frames.len(), wanted.len(), "{what}");
            for (frame, (function, line)) in frames.iter().zip(wanted) {
                assert!(frame.contains(function) && frame.ends_with(&format!(":{line}")), "{frame}: {what}");
            }
        }
    }
    // Of code without debug information nothing is told but where it is.
    let object = objects.make("plain", SOURCE, Family::Gcc, &["-O0"]);
    let ended = over_pipes(objects.target, &[&object]);
    let frames: Vec<&str> = ended.err.lines().filter(|line| line.trim_start().starts_with('#')).collect();
    let is_bare = |line: &&str| line.split_whitespace().count() == 2 && line.contains(" 0x");
    assert!(frames.len() >= 4 && frames.iter().all(is_bare), "{}", ended.err);
}

/// The executor is one of any machine there is: on boards in QEMU, with the linker on the host.
#[test]
fn boards_run_it_too() {
    for (board, name) in
        [("raspi3b", "aarch64"), ("raspi3b", "thumbv7"), ("raspi2b", "armv7"), ("mps2-an385", "thumbv7m")]
    {
        let objects = Objects::new(name);
        let files =
            [("main", MAIN), ("sum", SUM)].map(|(name, source)| objects.make(name, source, Family::Gcc, &["-O2"]));
        let arguments = [files[0].as_str(), &files[1], "--args", "a"];
        let Ended { status, out, err } = run(piped(objects.target, &arguments).env("LINKRIG_EXECUTOR", board));
        assert_eq!((status, out.as_str(), err.as_str()), (42, "started\n0 a\n", ""), "{board} {name}");
        let (controller, server) = over_tcp(jitlink(objects.target), objects.target, board, &arguments);
        assert_eq!((controller.status, server.status), (42, 0), "{board} {name}: {} {}", controller.err, server.err);
        assert_eq!(server.out, "started\n0 a\n", "{board} {name}");
        let source = "int main(void) { *(volatile int *)16 = 1; return 0; }";
        let file = objects.make("fault", source, Family::Gcc, &["-O2"]);
        let Ended { status, err, .. } = run(piped(objects.target, &[&file]).env("LINKRIG_EXECUTOR", board));
        assert!(status == 1 && err.contains("write fault at 0x"), "{board} {name}: {status} {err}");
    }
    let file = Objects::new("aarch64");
    let file = file.make("main", MAIN, Family::Gcc, &["-O2"]);
    let Ended { status, err, .. } =
        run(piped(target("aarch64"), &["-noexec", &file]).env("LINKRIG_EXECUTOR", "raspi2b"));
    assert!(status == 1 && err.contains("raspi2b does not run aarch64 code"), "{status} {err}");
}

/// What is printed is seen at once, not when the program is over.
#[test]
fn output_comes_as_it_is_printed() {
    let objects = Objects::new("aarch64");
    let source =
        "extern int puts(const char *); int main(void) { puts(\"now\"); for (volatile int i = 0;; i = i + 1); }";
    let file = objects.make("main", source, Family::Clang, &["-O1"]);
    let mut command = piped(objects.target, &[&file]);
    command.env("LINKRIG_BUDGET", "18446744073709551615");
    let mut controller = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()));
    let mut line = String::new();
    BufReader::new(controller.0.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "now\n");
    assert!(controller.0.try_wait().expect("a process of ours").is_none(), "it should still run");
}

#[test]
fn tcp_ends() {
    for name in TARGETS {
        let objects = Objects::new(name);
        let files =
            [objects.make("main", MAIN, Family::Clang, &["-O1"]), objects.make("sum", SUM, Family::Gcc, &["-O1"])];
        let files = [files[0].as_str(), &files[1]];
        let (controller, server) =
            over_tcp(jitlink(objects.target), objects.target, "unicorn", &[&files[..], &["--args", "a", "b"]].concat());
        assert_eq!((controller.status, controller.err.as_str()), (43, ""), "{name}");
        assert_eq!((server.status, server.out.as_str(), server.err.as_str()), (0, "started\n0 a\n1 b\n", ""), "{name}");
        let (controller, server) =
            over_tcp(jitlink(objects.target), objects.target, "unicorn", &[&files[..], &["-noexec"]].concat());
        assert_eq!((controller.status, server.status), (0, 0), "{name}: {} {}", controller.err, server.err);
        let (controller, server) = over_tcp(jitlink(objects.target), objects.target, "unicorn", &files[1..]);
        assert_eq!((controller.status, server.status), (1, 0), "{name}: {} {}", controller.err, server.err);
        assert!(controller.err.contains("Symbols not found: [ main ]"), "{name}: {}", controller.err);
    }
}

/// Three controllers, one after the other, each with a machine as new; a visitor who says nothing is sent away.
#[test]
fn a_server_that_stays() {
    let objects = Objects::new("aarch64");
    let file = objects.make(
        "main",
        "extern int printf(const char *, ...); static int n; int main(int c, char **v) { printf(\"%s\\n\", v[0]); return ++n; }",
        Family::Clang,
        &["-O1"],
    );
    let mut command = Command::new(HARNESS);
    command.args(["serve", "--listen", "0", "--keep", "--idle", "0.1"]);
    let mut server = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()));
    let mut errors = BufReader::new(server.0.stderr.take().expect("a pipe"));
    let mut out = BufReader::new(server.0.stdout.take().expect("a pipe"));
    let address = listening(&mut errors);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    for visitor in ["a", "b"] {
        // Goes at once; and one that stays, and gets nothing but Setup.
        drop(std::net::TcpStream::connect(&address).expect("it listens"));
        let mut silent = std::net::TcpStream::connect(&address).expect("it listens");
        let mut setup = Vec::new();
        silent.set_read_timeout(Some(LIMIT)).expect("a socket");
        silent.read_to_end(&mut setup).expect("it is sent away");
        drop(silent);
        assert_eq!(setup.get(8..16), Some(&[0; 8][..]), "{setup:?}");
        let connect = format!("--oop-executor-connect={address}");
        let Ended { status, err, .. } = run(jitlink(objects.target).args([&connect, &file, "--args", visitor]));
        assert_eq!(status, 1, "{err}");
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert_eq!(line.trim_end(), visitor);
    }
    assert!(server.0.try_wait().expect("a process of ours").is_none());
    // The port is taken.
    let Ended { status, err, .. } = run(Command::new(HARNESS).args(["serve", "--listen", &address]));
    assert!(status == 69 && err.contains(&format!("cannot listen at {address}")), "{status} {err}");
}

/// Who sends half a message keeps one machine, and nobody waits for it; only so many are served at a time.
#[test]
fn a_slow_controller_keeps_nobody_else() {
    let mut command = Command::new(HARNESS);
    command.args(["serve", "--listen", "0", "--keep", "--connections", "2", "--idle", "0"]);
    let mut server = Process::spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()));
    let address = listening(&mut BufReader::new(server.0.stderr.take().expect("a pipe")));
    let connect = || {
        let stream = std::net::TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        stream
    };
    let mut slow = connect();
    assert!(Message::read(&mut slow).is_ok_and(|setup| setup.is_some()));
    std::io::Write::write_all(&mut slow, &[40, 0, 0]).expect("it listens");
    for _ in 0..3 {
        let mut other = connect();
        assert!(Message::read(&mut other).is_ok_and(|setup| setup.is_some()));
        Message::call(0, 0, Vec::new()).write(&mut other).expect("it listens");
        assert!(Message::read(&mut other).is_ok_and(|answer| answer.is_some()));
    }
    // With two machines in use, the third controller waits until one is free.
    let mut second = connect();
    assert!(Message::read(&mut second).is_ok_and(|setup| setup.is_some()));
    let mut third = connect();
    third.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("a socket");
    assert!(Message::read(&mut third).is_err());
    drop(slow);
    third.set_read_timeout(Some(LIMIT)).expect("a socket");
    assert!(Message::read(&mut third).is_ok_and(|setup| setup.is_some()));
}

/// An address that other machines reach takes a word of the user's.
#[test]
fn other_machines_are_let_in_by_name_only() {
    let Ended { status, err, .. } = run(Command::new(HARNESS).args(["serve", "--listen", "0.0.0.0:0"]));
    assert!(
        status == 2 && err.contains("can run code in the machine") && err.contains("--allow-remote"),
        "{status} {err}"
    );
    let mut command = Command::new(HARNESS);
    command.args(["serve", "--listen", "[::]:0", "--allow-remote"]).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut server = Process::spawn(&mut command);
    let mut line = String::new();
    BufReader::new(server.0.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
    // Where there is no such address at all, that is said.
    assert!(line.starts_with("warning: whoever reaches [::]:0 can run code"), "{line}");
}

/// With `--idle 0` it is the controller that ends a connection, whenever it likes. Nobody reads what the server says.
#[test]
fn a_controller_that_takes_its_time() {
    for (idle, sent_away) in [("0.005", true), ("0", false)] {
        let mut command = Command::new(HARNESS);
        command.args(["serve", "--listen", "0", "--idle", idle]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut server = Process::spawn(&mut command);
        let address = listening(&mut BufReader::new(server.0.stderr.take().expect("a pipe")));
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).expect("a socket");
        assert!(Message::read(&mut stream).is_ok_and(|setup| setup.is_some()));
        match Message::read(&mut stream) {
            Ok(None) => assert!(sent_away, "--idle {idle}"),
            _ => {
                assert!(!sent_away, "--idle {idle}");
                Message::call(0, 0, Vec::new()).write(&mut stream).expect("it still listens");
                stream.set_read_timeout(Some(LIMIT)).expect("a socket");
                assert!(Message::read(&mut stream).is_ok_and(|answer| answer.is_some()), "--idle {idle}");
            }
        }
        drop(stream);
        assert_eq!(server.status(), 0, "--idle {idle}");
    }
}

#[test]
fn command_lines_that_make_no_sense() {
    for (arguments, status, says) in [
        (&["serve"][..], 2, "CONNECTION"),
        (&["serve", "--listen", "somewhere"], 2, "expected HOST:PORT"),
        (&["serve", "filedescs=3,4", "--listen", "0"], 2, "cannot be used with"),
        (&["serve", "--listen", "0", "--executor", "abacus"], 2, "abacus"),
        (&["serve", "--listen", "0", "--arch", "z80"], 2, "unknown target `z80`"),
    ] {
        let Ended { status: got, err, .. } = run(Command::new(HARNESS).args(arguments));
        assert!(got == status && err.contains(says), "{arguments:?}: {got} {err}");
    }
}

/// What a controller said, from a file.
#[test]
fn a_session_can_be_played_again() {
    let objects = Objects::new("aarch64");
    let recorded = record(&objects);
    let played = |length: usize| {
        let file = objects.dir.path().join("cut");
        std::fs::write(&file, &recorded[..length]).expect("written");
        let mut out = tempfile::NamedTempFile::new().expect("a file");
        let mut command = Command::new(HARNESS);
        command.arg("filedescs=0,1").stdin(std::fs::File::open(&file).expect("written")).stderr(Stdio::null());
        command.stdout(out.reopen().expect("a file"));
        let status = Process::spawn(&mut command).status();
        let mut answers = Vec::new();
        out.read_to_end(&mut answers).expect("answers");
        (status, answers)
    };
    let (status, answers) = played(recorded.len());
    let mut answers = answers.as_slice();
    let answers: Vec<Message> = std::iter::from_fn(|| Message::read(&mut answers).expect("messages")).collect();
    assert!(status == 0 && answers.iter().any(|answer| answer.payload == 7i64.to_le_bytes()), "{answers:?}");
    assert_eq!(played(recorded.len() - 1).0, 65);
}
