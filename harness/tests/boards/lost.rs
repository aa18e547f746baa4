//! Boards that die, that are killed, or that are not there, as users of the program see them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::executor::{Call, Executor, FaultKind, Register, Stop};
use linker::memory::Protection;

use crate::codes::{CODE, codes, words};
use crate::support::{client, machine, missing, place, start};

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// The harness on a board with JSON lines, and what it starts.
fn run(arguments: &[&str]) -> std::process::Child {
    Command::new(HARNESS).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

/// QEMU processes that a thread started, by its folder in `/proc`.
fn emulators_of(thread: &Path) -> Vec<u32> {
    let children = std::fs::read_to_string(thread.join("children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|word| word.parse().ok());
    let name = |child: &u32| std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
    children.filter(|child| name(child).starts_with("qemu-system")).collect()
}

/// QEMU processes that a process started.
fn emulators(parent: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    threads.flat_map(|thread| emulators_of(&thread.path())).collect()
}

#[test]
fn a_board_that_dies_while_a_host_function_reads_is_lost() {
    if missing() {
        return;
    }
    let client = client("raspi3b");
    let code = codes().into_iter().find(|code| code.board == "raspi3b" && code.target == "aarch64").expect("one");
    let mut machine = machine(&client, code.target);
    let function = machine.host_mut().define("reader", |frame| {
        // Other threads are other tests.
        let own = emulators_of(Path::new("/proc/thread-self"));
        assert!(!own.is_empty());
        for emulator in own {
            Command::new("kill").args(["-9", &emulator.to_string()]).status().expect("killed");
        }
        frame.string(CODE + 0x800, 100)?;
        frame.done()
    });
    // br x0
    place(&mut machine, code.at, &[words(&[0xd61f_0000]), vec![0; 0x1000 - 4]].concat(), Protection::ReadExecute);
    let stop = machine.start(&Call {
        function: code.at,
        registers: vec![(Register::Core(0), function.into())],
        stack: vec![],
    });
    assert!(matches!(&stop, Stop::Lost(lost) if lost.why.contains("was lost")), "{stop:?}");
    machine.reset();
    place(&mut machine, code.at, &code.one, Protection::ReadExecute);
    assert_eq!(start(&mut machine, code.at), Stop::Returned);
}

/// The emulator says that these words are undefined without having looked at them (harness/src/executor/unicorn/deadly.rs).
#[test]
fn what_the_emulator_cannot_translate_is_undefined_here() {
    if missing() {
        return;
    }
    let client = client("raspi3b");
    let mut machine = machine(&client, "aarch64");
    for word in [0x4e47_2e45, 0x2e79_284d, 0x0e78_0842, 0x5e78_0842] {
        machine.reset();
        place(&mut machine, CODE, &words(&[word, 0xd65f_03c0]), Protection::ReadExecute);
        let fault = start(&mut machine, CODE).fault().expect("a fault");
        assert_eq!((fault.kind, fault.pc), (FaultKind::Undefined, CODE), "{word:#x}");
    }
}

#[test]
fn a_board_that_is_killed_costs_nothing() {
    if missing() {
        return;
    }
    let mut child =
        run(&["run", "--executor", "raspi3b", "--arch", "aarch64", "-j1", "--message-format", "json", "got"]);
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut results, mut other) = (0, Vec::new());
    for line in lines {
        let event: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        if event["event"] != "result" {
            continue;
        }
        results += 1;
        if results == 5 {
            for emulator in emulators(child.id()) {
                Command::new("kill").args(["-9", &emulator.to_string()]).status().expect("killed");
            }
        }
        if event["status"] != "passed" {
            other.push(event.to_string());
        }
    }
    // What was running is tried again on the next one.
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    assert!(other.is_empty(), "{other:?}");
    assert!(results > 100, "{results}");
}

#[test]
fn no_board_outlives_the_harness() {
    if missing() {
        return;
    }
    let mut child = run(&["run", "--executor", "raspi2b", "-j2", "--message-format", "json"]);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.by_ref().take(10).for_each(drop);
    let emulators = emulators(child.id());
    assert!(!emulators.is_empty());
    child.kill().expect("killed");
    child.wait().expect("ended");
    let gone = |emulator: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{emulator}/stat")).unwrap_or_default();
        status.is_empty() || status.contains(") Z ")
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while !emulators.iter().all(gone) {
        assert!(Instant::now() < deadline, "{emulators:?} are still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_machine_that_qemu_does_not_have_is_missing() {
    if missing() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qemu/boards/raspi3b.toml"));
    let path = directory.path().join("raspi9.toml");
    std::fs::write(&path, text.expect("read").replace("machine = \"raspi3b\"", "machine = \"raspi9\""))
        .expect("written");
    let output = Command::new(HARNESS).args(["--executor", &path.to_string_lossy()]).output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("does not start the board raspi9") && said.contains("unsupported machine type"), "{said}");
}

#[test]
fn without_qemu_the_package_is_named() {
    let empty = tempfile::tempdir().expect("a directory");
    let output = Command::new(HARNESS).args(["--executor", "raspi2b"]).env("PATH", empty.path()).output();
    let output = output.expect("ended");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("qemu-system-arm"), "{said}");
}
