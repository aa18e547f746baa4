//! Between two cases everything is as new: registers, status, thread pointers, the exclusive monitor, memory, translated code.

use std::time::Instant;

use crate::support::*;
use harness::executor::{Executor, Guest, Register, Stop, Unicorn};
use linker::memory::{InFlight, Memory, Place, Protection};
use rstest::rstest;

const CODE: u64 = 0x40_0000;

fn file(machine: &Unicorn) -> Vec<(String, u128)> {
    machine.registers()
}

#[rstest]
fn every_register_is_as_new(#[values("aarch64", "armv7", "armv6", "thumbv7", "thumbv6m", "thumbv7m")] target: &str) {
    let mut machine = machine(target);
    let new = file(&machine);
    let registers: Vec<Register> = Register::file(machine.info()).collect();
    for &register in &registers {
        // What the processor lets us change: not its mode, which the program cannot leave either.
        let value = match register {
            Register::Status => machine.get(register) ^ 0xf800_0000,
            Register::FpControl => 0x0300_0000,
            Register::FpStatus => 0x0800_009f,
            _ => u128::MAX >> (128 - register.bits(machine.info())) & !3,
        };
        machine.set(register, value);
    }
    let dirty = file(&machine);
    let same: Vec<_> = new.iter().zip(&dirty).filter(|(a, b)| a == b).map(|(a, _)| a.0.clone()).collect();
    // A Cortex-M0 and a Cortex-M3 have no floating point; ARM1176 has 16 doubles, and the engine stores all 32.
    let missing: &[&str] = if machine.info().m_profile { &["fpscr"] } else { &[] };
    assert!(same.iter().all(|name| missing.contains(&name.as_str())), "{target}: not changed: {same:?}");
    machine.reset();
    assert_eq!(file(&machine), new, "{target}");
}

/// The state that no register shows: left behind by code, looked at by code.
#[test]
fn the_exclusive_monitor_is_as_new() {
    for (target, load, store, thumb) in [
        // ldxr x1, [x0]; ret and stxr w0, x1, [x0]; ret
        ("aarch64", words(&[0xc85f_7c01, 0xd65f_03c0]), words(&[0xc800_7c01, 0xd65f_03c0]), 0),
        // ldrex r1, [r0]; bx lr and strex r2, r1, [r0]; mov r0, r2; bx lr
        ("armv7", words(&[0xe190_1f9f, 0xe12f_ff1e]), words(&[0xe180_2f91, 0xe1a0_0002, 0xe12f_ff1e]), 0),
    ] {
        let mut machine = machine(target);
        for reset in [false, true] {
            machine.reset();
            code_at(&mut machine, CODE, &load);
            load_at(&mut machine, CODE + 0x1000, &[0; 16], Protection::ReadWrite);
            assert_eq!(run(&mut machine, CODE | thumb, &[CODE + 0x1000]), Stop::Returned);
            if reset {
                machine.reset();
                load_at(&mut machine, CODE + 0x1000, &[0; 16], Protection::ReadWrite);
            }
            code_at(
                &mut machine,
                CODE + 0x2000,
                &if target == "aarch64" {
                    // stxr w2, x1, [x0]; mov x0, x2; ret
                    words(&[0xc802_7c01, 0xaa02_03e0, 0xd65f_03c0])
                } else {
                    store.clone()
                },
            );
            assert_eq!(run(&mut machine, (CODE + 0x2000) | thumb, &[CODE + 0x1000, 0]), Stop::Returned);
            assert_eq!(result(&machine), u64::from(reset), "{target}: the store succeeds only with the reservation");
        }
    }
}

#[test]
fn status_changed_by_code_is_as_new() {
    // msr fpcr, x0; msr fpsr, x1; msr tpidr_el0, x2; msr nzcv, x3; ret
    let code = words(&[0xd51b_4400, 0xd51b_4421, 0xd51b_d042, 0xd51b_4203, 0xd65f_03c0]);
    let mut machine = machine("aarch64");
    let new = file(&machine);
    code_at(&mut machine, CODE, &code);
    assert_eq!(run(&mut machine, CODE, &[0x00c0_0000, 0x1f, 0x1234, 0xf000_0000]), Stop::Returned);
    assert_eq!(machine.register("fpcr"), Some(0x00c0_0000));
    assert_eq!(machine.register("fpsr"), Some(0x1f));
    assert_eq!(machine.register("tpidr_el0"), Some(0x1234));
    machine.reset();
    assert_eq!(file(&machine), new);
    // vmsr fpscr, r0; mcr p15, 0, r1, c13, c0, 2; mcr p15, 0, r2, c13, c0, 3; msr cpsr_f, r3; setend be; bx lr
    let code = words(&[0xeee1_0a10, 0xee0d_1f50, 0xee0d_2f70, 0xe128_f003, 0xf101_0200, 0xf101_0000, 0xe12f_ff1e]);
    let mut machine = crate::support::machine("armv7");
    let new = file(&machine);
    code_at(&mut machine, CODE, &code);
    assert_eq!(run(&mut machine, CODE, &[0x0300_009f, 0x1234, 0x5678, 0xf800_0000]), Stop::Returned);
    assert_eq!(machine.register("fpscr"), Some(0x0300_009f));
    assert_eq!((machine.register("tpidrurw"), machine.register("tpidruro")), (Some(0x1234), Some(0x5678)));
    assert_eq!(machine.register("cpsr").map(|cpsr| cpsr >> 27), Some(0x1f));
    machine.reset();
    assert_eq!(file(&machine), new);
}

/// Interrupted inside an IT block and reset there: the next program's first instructions are not conditional.
#[test]
fn the_it_state_is_as_new() {
    let mut machine = machine("thumbv7");
    // cmp r0, #1; itt eq; svceq... : ittt eq; ldreq r1, [r1] faults when r0 is 1
    code_at(&mut machine, CODE, &halves(&[0x2801, 0xbf04, 0x6809, 0x2107, 0x4770]));
    let stop = run(&mut machine, CODE | 1, &[1, 0x5000_0000]);
    assert!(stop.fault().is_some(), "{stop:?}");
    machine.reset();
    // movs r0, #5; bx lr, entered with Z clear
    code_at(&mut machine, CODE, &halves(&[0x2005, 0x4770]));
    assert_eq!(run(&mut machine, CODE | 1, &[0]), Stop::Returned);
    assert_eq!(result(&machine), 5);
}

#[test]
fn every_page_is_as_new() {
    let mut machine = machine("aarch64");
    let areas = [0x40_0000u64, 0x7000_0000, 0x1_0000_0000];
    for &area in &areas {
        load_at(&mut machine, area, &[0xa5; 0x3000], Protection::ReadWrite);
    }
    let buffer = machine.buffer(&[0xa5; 0x2345]).expect("room");
    // The stack: stp x29, x30, [sp, #-16]!; ret, without undoing it
    code_at(&mut machine, 0x50_0000, &words(&[0xa9bf_7bfd, 0xd65f_03c0]));
    assert_eq!(run(&mut machine, 0x50_0000, &[]), Stop::Returned);
    let stack = machine.get(Register::Sp) as u64;
    machine.reset();
    for &area in &areas {
        assert!(machine.peek(area, &mut [0]).is_err(), "{area:#x} is still there");
        let mut memory = machine
            .reserve(&[linker::memory::Segment { size: 0x3000, ..segment(0, Protection::ReadWrite, Place::At(area)) }])
            .expect("free");
        assert!(memory.content(0).is_empty());
        machine.finalize(memory, &[]).expect("finalized");
        let mut bytes = vec![1; 0x3000];
        machine.peek(area, &mut bytes).expect("mapped");
        assert!(bytes.iter().all(|&byte| byte == 0), "{area:#x} is not zero");
    }
    for (start, length) in [(buffer, 0x2345), (stack, 16)] {
        let mut bytes = vec![1; length];
        machine.peek(start, &mut bytes).expect("mapped");
        assert!(bytes.iter().all(|&byte| byte == 0), "{start:#x} is not zero");
    }
    // Physical pages are handed out again: all that were used are looked at through one region.
    load_at(&mut machine, 0x60_0000, &[0], Protection::ReadWrite);
    let mut bytes = [1; 0x1000];
    machine.peek(0x60_0000, &mut bytes).expect("mapped");
    assert!(bytes.iter().all(|&byte| byte == 0));
}

/// Trap: writing memory through the engine's interface does not invalidate translated code.
#[rstest]
fn translated_code_is_as_new(#[values("aarch64", "armv7")] target: &str) {
    let mut machine = machine(target);
    let code = |value: u32| match target {
        "aarch64" => words(&[0xd280_0000 | value << 5, 0xd65f_03c0]), // mov x0, #value; ret
        _ => words(&[0xe3a0_0000 | value, 0xe12f_ff1e]),              // mov r0, #value; bx lr
    };
    for value in 1..20 {
        code_at(&mut machine, CODE, &code(value));
        assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
        assert_eq!(result(&machine), u64::from(value), "{target}: after a reset");
        machine.poke(CODE, &code(value + 100)).expect("mapped");
        assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
        assert_eq!(result(&machine), u64::from(value) + 100, "{target}: after a write");
        machine.reset();
        assert!(run(&mut machine, CODE, &[]).fault().is_some(), "{target}: code without memory");
    }
}

#[test]
fn released_memory_is_gone_and_its_code_too() {
    let mut machine = machine("aarch64");
    for value in 1..20u32 {
        let code = words(&[0xd280_0000 | value << 5, 0xd65f_03c0]);
        let memory = load_at(&mut machine, CODE, &code, Protection::ReadExecute);
        assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
        assert_eq!(result(&machine), u64::from(value));
        machine.release(vec![memory]).expect("released");
        assert!(run(&mut machine, CODE, &[]).fault().is_some());
    }
}

#[test]
fn handles_of_an_earlier_life_are_refused() {
    let mut machine = machine("aarch64");
    let memory = machine.reserve(&[segment(4, Protection::Read, Place::At(CODE))]).expect("free");
    let used = load_at(&mut machine, CODE + 0x1000, &[1], Protection::Read);
    machine.reset();
    assert!(machine.finalize(memory, &[]).is_err());
    assert!(machine.release(vec![used]).is_err());
    load_at(&mut machine, CODE, &[1], Protection::Read);
}

#[test]
fn what_was_printed_and_allocated_is_gone() {
    let mut machine = machine("aarch64");
    let putchar = machine.host().lookup("putchar").expect("putchar");
    let malloc = machine.host().lookup("malloc").expect("malloc");
    let mut first = 0;
    for _ in 0..2 {
        // stp x29, x30, [sp, #-16]!; blr x1; ldp x29, x30, [sp], #16; ret
        code_at(&mut machine, CODE, &words(&[0xa9bf_7bfd, 0xd63f_0020, 0xa8c1_7bfd, 0xd65f_03c0]));
        run(&mut machine, CODE, &[65, putchar]);
        assert_eq!(machine.host().printed(), b"A");
        run(&mut machine, CODE, &[16, malloc]);
        assert!(first == 0 || first == result(&machine));
        first = result(&machine);
        machine.reset();
        assert!(machine.host().printed().is_empty());
    }
}

/// Not a judgement, the machine may be busy: only that a case does not cost milliseconds. With `--nocapture` it prints the
/// figures.
#[rstest]
fn small_cases_are_quick(#[values("aarch64", "armv7", "thumbv7m")] target: &str) {
    let mut machine = machine(target);
    let (code, thumb) = match target {
        "aarch64" => (words(&[0x8b01_0000, 0xd65f_03c0]), 0),
        "armv7" => (words(&[0xe080_0001, 0xe12f_ff1e]), 0),
        _ => (halves(&[0x1840, 0x4770]), 1),
    };
    let mut resetting = std::time::Duration::ZERO;
    let cases = 2000;
    let began = Instant::now();
    for _ in 0..cases {
        let mut memory = machine
            .reserve(&[
                segment(code.len(), Protection::ReadExecute, Place::At(CODE)),
                segment(64, Protection::Read, Place::Offset(0x1000)),
                segment(64, Protection::ReadWrite, Place::Offset(0x0800_0000)),
            ])
            .expect("free");
        memory.content(0).copy_from_slice(&code);
        machine.finalize(memory, &[]).expect("finalized");
        assert_eq!(run(&mut machine, CODE | thumb, &[2, 3]), Stop::Returned);
        let reset = Instant::now();
        machine.reset();
        resetting += reset.elapsed();
    }
    let each = began.elapsed() / cases;
    let rate = 1.0 / each.as_secs_f64();
    println!("{target}: {each:?} a case ({rate:.0} a second), of which reset {:?}", resetting / cases);
    assert!(rate > 100.0, "{target}: {rate:.0} cases a second");
}
