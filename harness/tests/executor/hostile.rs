//! Guests that mean harm: every host function with any arguments, and programs of the corpus with damaged code.
//!
//! `LINKRIG_HOSTILE=N` says how many of each there are, over all targets; `LINKRIG_HOSTILE_SEED=S` which. Nothing may panic, no
//! machine may be lost, and of the host's memory only so much may be taken.

use crate::support::machine;
use harness::dice::Dice;
use harness::executor::{Budget, Call, Executor, Register, Stop, Unicorn};
use harness::judge;
use harness::plan::Configuration;
use linker::{Layout, TARGETS};

/// How many, where nobody says otherwise.
const COUNT: u64 = 20_000;

/// What one of them may take.
const BUDGET: Budget =
    Budget { instructions: 20_000, work: 1 << 20, time: std::time::Duration::from_millis(500), output: 1 << 16 };

/// How much of the host's memory all of it may take, above the guests' own.
const MEMORY: u64 = 256 << 20;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a number")))
}

/// A number, or a pointer.
fn value(random: &mut Dice, pointers: &[u64]) -> u64 {
    match random.below(8) {
        0 => random.bits(),
        1 => random.bits() >> random.below(64),
        2 => random.pick(&[0, 1, 2, 15, 16, 63, 64, 255, 4095, 4096, 65_535, 65_536]),
        3 => random.pick(&[
            u64::MAX,
            u64::MAX - 1,
            1 << 63,
            i64::MAX as u64,
            u32::MAX.into(),
            1 << 31,
            (1 << 31) - 1,
            1 << 30,
            0xffff_ffff_8000_0000,
        ]),
        _ => random.pick(pointers).wrapping_add(random.below(40) as u64).wrapping_sub(20),
    }
}

/// A format, a few conversions of which are well formed.
fn format(random: &mut Dice) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(6) {
        text.extend_from_slice(random.pick(&["", "abc", "%", "\u{7f}\u{80}"]).as_bytes());
        text.push(b'%');
        if random.below(6) == 0 {
            text.extend_from_slice(random.pick(&["1$", "2$", "9$", "4096$", "4097$", "99999999999$", "0$"]).as_bytes());
        }
        for _ in 0..random.below(3) {
            text.push(random.pick(b"-+ #0'I"));
        }
        let counts = ["", "5", "*", "*2$", "300", "65536", "2147483646", "2147483647", "9999999999999999999999", "-3"];
        text.extend_from_slice(random.pick(&counts).as_bytes());
        if random.below(2) == 0 {
            text.push(b'.');
            text.extend_from_slice(random.pick(&counts).as_bytes());
        }
        text.extend_from_slice(random.pick(&["", "h", "hh", "l", "ll", "j", "z", "t", "L", "q"]).as_bytes());
        text.push(random.pick(b"diouxXbBcsSCpnfFeEgGaA%mkyZ\0"));
    }
    if random.below(4) != 0 {
        text.push(0);
    }
    text
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[test]
fn host_functions_take_any_argument() {
    let count = variable("LINKRIG_HOSTILE").unwrap_or(COUNT);
    let mut random = Dice::new(variable("LINKRIG_HOSTILE_SEED").unwrap_or(1));
    let before = peak();
    for target in TARGETS {
        let mut machine = machine(target.name);
        let names: Vec<String> = machine.host().names().map(str::to_owned).collect();
        let functions: Vec<String> = names.into_iter().filter(|name| machine.host().is_function(name)).collect();
        for number in 0..count / TARGETS.len() as u64 {
            machine.set_budget(BUDGET);
            // A reset costs more than a call; what one call leaves behind is another one's to find.
            if number % 8 == 0 {
                machine.reset();
            }
            let texts = [format(&mut random), format(&mut random), random.bits().to_le_bytes().to_vec()];
            let mut pointers =
                vec![0x1_0000, 0x2_0000, 0x2_1000, 0x13_fff0, 0x14_0000, 0x24_0000, 0x2a_0000, 0x31_f000];
            pointers.extend(texts.iter().filter_map(|text| machine.buffer(text).ok()));
            let name = &functions[random.below(functions.len())];
            let function = machine.host().lookup(name).expect("its own name");
            pointers.push(function);
            let mut call = Call { function, ..Call::default() };
            for number in 0..8 {
                call.registers.push((Register::Core(number), value(&mut random, &pointers).into()));
                call.registers.push((Register::Double(number), value(&mut random, &pointers).into()));
            }
            if random.below(8) == 0 {
                call.registers.push((Register::Sp, value(&mut random, &pointers).into()));
            }
            for _ in 0..random.below(12) {
                call.stack.extend(value(&mut random, &pointers).to_le_bytes());
            }
            let stop = machine.start(&call);
            assert!(!matches!(stop, Stop::Lost(_)), "{}: call {number}, {name}: {stop}", target.name);
        }
    }
    let taken = peak() - before;
    // The guests' own: a machine a target, each with what heaps it was given.
    assert!(taken < MEMORY + (TARGETS.len() as u64) * (64 << 20), "{taken:#x} bytes");
}

#[test]
fn damaged_programs_end() {
    let count = variable("LINKRIG_HOSTILE").unwrap_or(COUNT) / 10;
    let mut random = Dice::new(variable("LINKRIG_HOSTILE_SEED").unwrap_or(2));
    let cases = corpus::case::load_all(&corpus::case::default_dir()).expect("a corpus");
    let mut deaths = 0;
    for target in TARGETS {
        let prebuilt = corpus::prebuilt::read(&corpus::prebuilt::default_dir(), target).expect("prebuilt objects");
        let mut machine = machine(target.name);
        machine.set_budget(BUDGET);
        for number in 0..count / TARGETS.len() as u64 {
            let case = &cases[random.below(cases.len())];
            let builds = case.builds(&[target.name], &|family, _| prebuilt.major(family));
            let Some(build) = builds.get(random.below(builds.len().max(1))) else { continue };
            let Ok(files) = prebuilt.files(case, build) else { continue };
            let configuration = Configuration {
                name: case.name.clone(),
                case,
                build: build.clone(),
                layout: Layout::Near,
                executor: "unicorn",
            };
            let mut damage = |machine: &mut Unicorn, linked: &linker::link::Finalized<'_, _>| {
                let segments: Vec<(u64, u64)> =
                    linked.plan().segments.iter().filter(|s| s.size > 0).map(|s| (s.address, s.size)).collect();
                for _ in 0..1 + random.below(4) {
                    let Some(&(address, size)) = segments.get(random.below(segments.len().max(1))) else { break };
                    let at = address.wrapping_add(random.bits() % size);
                    let mut byte = [0];
                    if machine.peek(at, &mut byte).is_ok() {
                        byte[0] =
                            if random.below(2) == 0 { byte[0] ^ 1 << random.below(8) } else { random.bits() as u8 };
                        let _ = machine.poke(at, &byte);
                    }
                }
                true
            };
            let findings = judge::judge_altered(&mut machine, &configuration, &files, &mut damage);
            // The emulator aborts on some instructions of AArch64, and is started again.
            let lost = findings.problems.iter().find(|problem| problem.contains("the machine was lost"));
            deaths += u64::from(lost.is_some());
            assert!(lost.is_none() || target.register_bits == 64, "{}: {number}, {}: {lost:?}", target.name, case.name);
        }
    }
    assert!(deaths <= count / 100, "{deaths} deaths of the emulator in {count} programs");
}
