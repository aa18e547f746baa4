//! The emulator's process: what ends it ends nothing else, and is said with word and address.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::executor::unicorn::{is_deadly, untranslatable};
use harness::executor::{Budget, Executor, FaultKind, Guest, Register, Resume, Stop};
use linker::Target;

use crate::support::{code_at, halves, machine, result, run, words};

const CODE: u64 = 0x40_0000;
const RET: u32 = 0xd65f_03c0;
/// Samples of all groups.
const DEADLY: [u32; 4] = [0x4e47_2e45, 0x2e79_284d, 0x0e78_0842, 0x5e78_0842];

fn kill(process: u32, signal: &str) {
    // It may have ended by itself.
    Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status().expect("kill is there");
}

/// Numbers that look random and are the same each time.
fn random(seed: &mut u64) -> u32 {
    *seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*seed >> 32) as u32
}

#[test]
fn what_it_cannot_translate_is_undefined() {
    for target in ["aarch64", "aarch64_be", "aarch64_ilp32"] {
        let mut machine = machine(target);
        for word in DEADLY {
            machine.reset();
            code_at(&mut machine, CODE, &words(&[0x5280_0020, word, RET]));
            let stop = run(&mut machine, CODE, &[]);
            let Stop::Fault(fault) = &stop else { panic!("{target} {word:#x}: {stop:?}") };
            assert_eq!((fault.kind, fault.pc), (FaultKind::Undefined, CODE + 4), "{target} {word:#x}");
            assert_eq!(result(&machine), 1, "{target}: what is before it is run");
            // Where a call goes directly to it, and where a step does.
            assert_eq!(run(&mut machine, CODE + 4, &[]).fault().map(|fault| fault.pc), Some(CODE + 4));
            machine.set(Register::Pc, u128::from(CODE));
            assert_eq!(machine.resume(Resume::Step), Stop::Stepped, "{target}");
            assert_eq!(machine.resume(Resume::Step).fault().map(|fault| fault.kind), Some(FaultKind::Undefined));
        }
        assert_eq!(machine.starts(), 1, "{target}: it died");
    }
}

#[test]
fn what_is_not_run_changes_nothing_and_what_is_written_later_is_seen() {
    let mut machine = machine("aarch64");
    // ldr w0, .+8; ret; the word, as data.
    code_at(&mut machine, CODE, &words(&[0x1800_0040, RET, DEADLY[0]]));
    assert_eq!((run(&mut machine, CODE, &[]), result(&machine)), (Stop::Returned, DEADLY[0].into()));
    // Code that was run becomes one, in part and as a whole, and is none again.
    machine.poke(CODE, &words(&[0xd503_201f, RET])).expect("written");
    assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
    machine.poke(CODE + 2, &DEADLY[1].to_le_bytes()[2..]).expect("written");
    machine.poke(CODE, &DEADLY[1].to_le_bytes()[..2]).expect("written");
    assert_eq!(run(&mut machine, CODE, &[]).fault().map(|fault| fault.kind), Some(FaultKind::Undefined));
    machine.poke(CODE, &words(&[0xd503_201f])).expect("written");
    assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
    assert_eq!(machine.starts(), 1, "it died");
}

/// The table against the emulator: all of the two groups, and some of everything else (LINKRIG_WORDS=N takes every Nth word of
/// all; 1024 with each of two registers is all but those).
#[test]
fn the_table_of_words_is_the_emulators() {
    let target = Target::named("aarch64").expect("a target");
    let step = std::env::var("LINKRIG_WORDS").map_or(0x3_fc01, |text| text.parse().expect("a number of words"));
    let group = (0x0e40_0442_u32..0x0f00_0000).step_by(0x400).chain((0x5e40_0442..0x5f00_0000).step_by(0x400));
    // Each death takes a process: of the groups a part, too.
    let tried: Vec<u32> = group.step_by(17).chain((0..=u32::MAX).step_by(step)).collect();
    let found = untranslatable(target, false, &tried).expect("emulators");
    let found: Vec<u32> = found.into_iter().map(|(word, _)| word).collect();
    let known: Vec<u32> = tried.into_iter().filter(|word| is_deadly(*word)).collect();
    assert!(known.len() > 10, "{known:x?}");
    assert_eq!(found, known);
}

#[test]
fn other_instruction_sets_have_none_so_far() {
    let mut seed = 7;
    let count = std::env::var("LINKRIG_WORDS").map_or(20_000, |_| 1_000_000);
    for (target, thumb) in
        [("armv7", false), ("armv6", false), ("thumbv7", true), ("thumbv7m", true), ("thumbv6m", true)]
    {
        let target = Target::named(target).expect("a target");
        // Half-words that begin an instruction of two.
        let wide = |word: u32| if thumb { word | 0xe800 | (word & 0x1000).max(0x0800) } else { word };
        let words: Vec<u32> = (0..count).map(|_| wide(random(&mut seed))).collect();
        assert_eq!(untranslatable(target, thumb, &words).expect("emulators"), [], "{}", target.name);
    }
}

/// Programs of random words (LINKRIG_PROGRAMS=N: so many for each target): whatever they do, the emulator stays or its death has a name.
#[test]
fn random_programs_cost_no_emulator() {
    let count = std::env::var("LINKRIG_PROGRAMS").map_or(300, |text| text.parse().expect("a number of programs"));
    let mut seed = 1;
    for (target, thumb) in [("aarch64", 0), ("armv7", 0), ("thumbv7", 1), ("thumbv7m", 1)] {
        let mut machine = machine(target);
        machine.set_budget(Budget { instructions: 10_000, time: Duration::from_secs(5), ..Budget::default() });
        let mut lost = Vec::new();
        for _ in 0..count {
            machine.reset();
            let program: Vec<u32> = (0..16).map(|_| random(&mut seed)).collect();
            code_at(&mut machine, CODE, &words(&program));
            if let Stop::Lost(why) = run(&mut machine, CODE | thumb, &[CODE, CODE + 8, 1, 2]) {
                lost.push((why.to_string(), program));
            }
        }
        assert!(lost.is_empty(), "{target}: {} of {count}: {lost:x?}", lost.len());
        assert_eq!(machine.starts(), 1, "{target}");
    }
}

#[test]
fn an_emulator_that_is_killed_is_lost_and_the_next_reset_makes_another() {
    for (target, endless, signal, said) in [
        ("aarch64", words(&[0x1400_0000]), "-KILL", "the emulator ended by SIGKILL while running the code at 0x400000"),
        ("armv7", words(&[0xeaff_fffe]), "-ABRT", "the emulator ended by SIGABRT while running the code at 0x400000"),
        ("thumbv7m", halves(&[0xe7fe]), "-SEGV", "the emulator ended by SIGSEGV while running the code at 0x400000"),
    ] {
        let mut machine = machine(target);
        machine.set_budget(Budget { instructions: u64::MAX, time: Duration::from_secs(60), ..Budget::default() });
        code_at(&mut machine, CODE, &endless);
        let thumb = u64::from(target.starts_with("thumb"));
        let process = machine.process().expect("it is there");
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            kill(process, signal);
        });
        let stop = run(&mut machine, CODE | thumb, &[]);
        killer.join().expect("killed");
        let Stop::Lost(lost) = &stop else { panic!("{target}: {stop:?}") };
        assert_eq!((lost.why.as_str(), lost.pc), (said, Some(CODE)), "{target}");
        // What it says from here on is worth nothing, and it says so.
        assert!(machine.peek(CODE, &mut [0; 4]).is_err());
        assert!(machine.lost().is_some());
        machine.reset();
        assert!(machine.lost().is_none());
        let returns = if target == "aarch64" {
            words(&[RET])
        } else {
            [halves(&[0x4770, 0x4770]), words(&[0xe12f_ff1e])][usize::from(thumb == 0)].clone()
        };
        code_at(&mut machine, CODE, &returns);
        assert_eq!(run(&mut machine, CODE | thumb, &[]), Stop::Returned, "{target}");
        assert_eq!(machine.starts(), 2);
    }
}

#[test]
fn a_host_function_that_cannot_read_for_loss_found_no_fault() {
    let mut machine = machine("aarch64");
    let process = machine.process().expect("it is there");
    let function = machine.host_mut().define("reader", move |frame| {
        kill(process, "-KILL");
        // Not what came along with the call.
        frame.string(CODE + 0x800, 100)?;
        frame.done()
    });
    // br x0
    code_at(&mut machine, CODE, &[words(&[0xd61f_0000]), vec![0; 0x1000]].concat());
    let stop = run(&mut machine, CODE, &[function]);
    assert!(matches!(&stop, Stop::Lost(lost) if lost.why.contains("SIGKILL")), "{stop:?}");
}

#[test]
fn an_emulator_ends_with_its_owner() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("endless.s");
    std::fs::write(&source, ".globl main\nmain: b main\n").expect("written");
    let object = directory.path().join("endless.o");
    let assembled = Command::new("aarch64-linux-gnu-gcc").arg("-c").arg(&source).arg("-o").arg(&object).status();
    if !assembled.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: aarch64-linux-gnu-gcc is not installed");
    }
    let mut owner = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["exec", "--budget", "1000000000000"])
        .arg(&object)
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let emulator = loop {
        if let Some(&child) = emulators(owner.id()).first() {
            break child;
        }
        assert!(owner.try_wait().expect("ours").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(5));
    };
    owner.kill().expect("killed");
    owner.wait().expect("ended");
    let there = || std::fs::read_to_string(format!("/proc/{emulator}/cmdline")).is_ok_and(|line| !line.is_empty());
    for _ in 0..1000 {
        if !there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it is still there");
}

/// Emulators that are children of this process.
fn emulators(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(children.split(' ').filter_map(|child| child.parse::<u32>().ok()));
    }
    let is_one = |child: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        line.starts_with("linkrig-emulator-")
    };
    found.retain(is_one);
    found
}

/// Runs part of the corpus, a loop that takes its whole budget, and kills so many of the emulators it runs in.
fn run_and_kill(most: usize) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["run", "--arch", "aarch64", "-j1", "faults/endless_loop"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut killed = Vec::new();
    while child.try_wait().expect("ours").is_none() {
        for emulator in emulators(child.id()) {
            if killed.len() < most && !killed.contains(&emulator) {
                kill(emulator, "-KILL");
                killed.push(emulator);
            }
        }
    }
    assert!(!killed.is_empty(), "none was seen");
    child.wait_with_output().expect("ended")
}

#[test]
fn a_lost_emulator_costs_nothing_and_two_a_result_but_no_failure() {
    let once = run_and_kill(1);
    assert_eq!(once.status.code(), Some(0), "{}", String::from_utf8_lossy(&once.stdout));
    let always = run_and_kill(usize::MAX);
    let said = String::from_utf8_lossy(&always.stdout);
    assert_eq!(always.status.code(), Some(75), "{said}");
    assert!(said.contains("lost with their machines"), "{said}");
    assert!(said.contains("SIGKILL"), "{said}");
    assert!(!said.contains("FAIL") && !said.contains("R_AARCH64"), "{said}");
}

#[test]
fn the_variable_alone_makes_nobody_an_emulator() {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("--version")
        .env("LINKRIG_EMULATOR", "aarch64")
        .output()
        .expect("started");
    assert!(output.status.success() && output.stdout.starts_with(b"harness "), "{output:?}");
}
