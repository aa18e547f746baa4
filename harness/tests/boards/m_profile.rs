//! What is special about boards whose processor is of the M profile: there is no MMU, the MPU has a handful of regions, the processor does
//! not say whether a forbidden access was a load or a store, and it needs a stack to be interrupted on. What such a board says of
//! a program is compared with what the emulator says.

use std::time::Duration;

use harness::executor::{Budget, Call, Executor, Fault, FaultKind, Guest, Limit, Register, Resume, Stop, Unicorn};
use linker::Target;
use linker::memory::{Memory, Protection};

use crate::support::{client, machine, missing, place, start};

const BOARDS: [&str; 2] = ["mps2-an385", "mps3-an547"];
/// Where code goes, counted from where memory begins.
const CODE: u64 = 0x40_0000;
/// Nothing is here.
const NOWHERE: u64 = 0x7777_0000;

fn halves(halves: &[u16]) -> Vec<u8> {
    halves.iter().flat_map(|half| half.to_le_bytes()).collect()
}

fn fault(kind: FaultKind, pc: u64, address: Option<u64>) -> Stop {
    Stop::Fault(Fault { kind, pc, address, host: None })
}

/// Runs one piece of code with an address in r0.
fn run<E: Executor + Memory>(machine: &mut E, bytes: &[u8], r0: u64) -> Stop {
    let at = machine.info().origin + CODE;
    machine.poke(at, bytes).expect("written");
    let registers = vec![(Register::Core(0), u128::from(r0)), (Register::Core(1), 0), (Register::Core(2), 0)];
    machine.start(&Call { function: at | 1, registers, stack: Vec::new() })
}

#[test]
fn a_forbidden_access_is_a_load_or_a_store() {
    use FaultKind::{Read, Write};
    let table: &[(&str, &[u16], FaultKind)] = &[
        ("ldr r3, [r0]", &[0x6803], Read),
        ("str r3, [r0]", &[0x6003], Write),
        ("ldrb r3, [r0]", &[0x7803], Read),
        ("strb r3, [r0]", &[0x7003], Write),
        ("ldrh r3, [r0]", &[0x8803], Read),
        ("strh r3, [r0]", &[0x8003], Write),
        ("ldr r3, [r0, r1]", &[0x5843], Read),
        ("str r3, [r0, r1]", &[0x5043], Write),
        ("ldrh r3, [r0, r1]", &[0x5a43], Read),
        ("strh r3, [r0, r1]", &[0x5243], Write),
        ("ldrb r3, [r0, r1]", &[0x5c43], Read),
        ("strb r3, [r0, r1]", &[0x5443], Write),
        ("ldrsb r3, [r0, r1]", &[0x5643], Read),
        ("ldrsh r3, [r0, r1]", &[0x5e43], Read),
        ("ldm r0!, {r1, r2}", &[0xc806], Read),
        ("stm r0!, {r1, r2}", &[0xc006], Write),
        ("ldr.w r3, [r0]", &[0xf8d0, 0x3000], Read),
        ("str.w r3, [r0]", &[0xf8c0, 0x3000], Write),
        ("ldrsh.w r3, [r0]", &[0xf9b0, 0x3000], Read),
        ("strb.w r3, [r0, r1]", &[0xf800, 0x3001], Write),
        ("ldmdb r0, {r1, r2}", &[0xe910, 0x0006], Read),
        ("stmdb r0, {r1, r2}", &[0xe900, 0x0006], Write),
        ("ldrd r2, r3, [r0]", &[0xe9d0, 0x2300], Read),
        ("strd r2, r3, [r0]", &[0xe9c0, 0x2300], Write),
        ("ldrex r3, [r0]", &[0xe850, 0x3f00], Read),
        ("tbb [r0, r1]", &[0xe8d0, 0xf001], Read),
    ];
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut on_board = machine(&client, "thumbv7m");
        let mut emulated = Unicorn::new(Target::named("thumbv7m").expect("known")).expect("an emulator");
        let code = on_board.info().origin + CODE;
        place(&mut on_board, code, &[0; 8], Protection::ReadExecute);
        place(&mut emulated, CODE, &[0; 8], Protection::ReadExecute);
        for (name, instruction, kind) in table {
            let bytes = halves(&[instruction, &[0x4770, 0x4770, 0x4770][..4 - instruction.len().min(3)]].concat());
            // Multiple loads and stores downwards begin with the lowest.
            let address = if name.contains("mdb") { NOWHERE - 8 } else { NOWHERE };
            assert_eq!(run(&mut on_board, &bytes, NOWHERE), fault(*kind, code, Some(address)), "{board}: {name}");
            assert_eq!(run(&mut emulated, &bytes, NOWHERE), fault(*kind, CODE, Some(address)), "{name}");
        }
        assert_eq!(client.borrow().starts(), 1, "{board}");
    }
}

#[test]
fn other_stops_are_what_they_are() {
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut machine = machine(&client, "thumbv7m");
        let code = machine.info().origin + CODE;
        // The last half of it begins an instruction of two.
        let page = [&[0; 0xffe][..], &halves(&[0xf7f0])].concat();
        place(&mut machine, code, &page, Protection::ReadExecute);
        place(&mut machine, code + 0x2000, &[0; 0x1000], Protection::Read);
        let mut is = |what: &str, instruction: &[u16], r0, wanted| {
            assert_eq!(run(&mut machine, &halves(instruction), r0), wanted, "{board}: {what}");
        };
        is("svc", &[0xdf00], 0, Stop::Syscall);
        is("bkpt", &[0xbe2a], 0, Stop::Breakpoint { pc: code });
        is("udf.w", &[0xf7f0, 0xa000], 0, fault(FaultKind::Undefined, code, None));
        is("vadd.f32: there is no unit, or it is off", &[0xee30, 0x0a01], 0, fault(FaultKind::Undefined, code, None));
        is("bx to an even address", &[0x4700], code, fault(FaultKind::State, code, None));
        is("bx to nowhere", &[0x4700], NOWHERE | 1, fault(FaultKind::Fetch, NOWHERE, Some(NOWHERE)));
        is("bx to constants", &[0x4700], code + 0x2001, fault(FaultKind::Fetch, code + 0x2000, Some(code + 0x2000)));
        // What ends an exception is an address like others to a program.
        let end = 0xffff_fffc;
        is("bx to what ends an exception", &[0x4700], end | 1, fault(FaultKind::Fetch, end, Some(end)));
        is("a store to constants", &[0x6003], code + 0x2000, fault(FaultKind::Write, code, Some(code + 0x2000)));
        is("a store to code", &[0x6003], code, fault(FaultKind::Write, code, Some(code)));
        // Over the end of a page: where the second part is.
        is("ldr", &[0x6803], code + 0x2ffe, fault(FaultKind::Read, code, Some(code + 0x3000)));
        is("bx", &[0x4700], code + 0xfff, fault(FaultKind::Fetch, code + 0xffe, Some(code + 0x1000)));
        // Nobody is made privileged: msr control, r0; isb; str r3, [r3] with r3 the agent's.
        let msr = [0xf380, 0x8814, 0xf3bf, 0x8f6f, 0x2300, 0x601b];
        is("msr control", &msr, 0, fault(FaultKind::Write, code + 10, Some(0)));
    }
}

#[test]
fn a_program_that_waits_or_masks_is_interrupted() {
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut machine = machine(&client, "thumbv6m");
        let code = machine.info().origin + CODE;
        place(&mut machine, code, &[0; 0x1000], Protection::ReadExecute);
        machine.set_budget(Budget { time: Duration::from_millis(100), ..Budget::default() });
        // cpsid i, wfi, b .-2; and msr primask, r0 before b .
        for (instructions, r0) in [(&[0xb672_u16, 0xbf30, 0xe7fd][..], 0), (&[0xf380, 0x8810, 0xe7fe], 1)] {
            assert_eq!(run(&mut machine, &halves(instructions), r0), Stop::OutOfBudget(Limit::Time), "{board}");
        }
        // On a busy machine what returns at once may take longer.
        machine.set_budget(Budget::default());
        assert_eq!(run(&mut machine, &halves(&[0x4770]), 0), Stop::Returned, "{board}");
        assert_eq!(client.borrow().starts(), 1, "{board}");
    }
}

#[test]
fn there_may_be_more_regions_than_the_processor_has() {
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut machine = machine(&client, "thumbv7m");
        let code = machine.info().origin + CODE;
        // r0: first; r1: sum; r2: how many. ldr r3, [r0]; adds r1, r1, r3; add.w r0, r0, #0x2000; subs r2, #1; bne; mov r0, r1; bx lr
        let sum = halves(&[0x6803, 0x18c9, 0xf500, 0x5000, 0x3a01, 0xd1f9, 0x4608, 0x4770]);
        place(&mut machine, code, &sum, Protection::ReadExecute);
        let count = 100_u32;
        for number in 0..count {
            let protection = [Protection::Read, Protection::ReadWrite, Protection::ReadExecute][number as usize % 3];
            // Each with a page after it that is not there.
            let address = code + 0x1_0000 + u64::from(number) * 0x2000;
            place(&mut machine, address, &(number + 1).to_le_bytes(), protection);
        }
        let registers = vec![
            (Register::Core(0), u128::from(code + 0x1_0000)),
            (Register::Core(1), 0),
            (Register::Core(2), u128::from(count)),
        ];
        for _ in 0..3 {
            let call = Call { function: code | 1, registers: registers.clone(), stack: Vec::new() };
            assert_eq!(machine.start(&call), Stop::Returned, "{board}");
            assert_eq!(machine.get(Register::Core(0)), u128::from(count * (count + 1) / 2), "{board}");
        }
        let registers = vec![(Register::Core(0), u128::from(code + 0x1_1000)), (Register::Core(2), 1)];
        let stop = machine.start(&Call { function: code | 1, registers, stack: Vec::new() });
        assert_eq!(stop, fault(FaultKind::Read, code, Some(code + 0x1_1000)), "{board}: between two of them");
    }
}

/// All of the stack can be used, however it is gone down.
#[test]
fn the_stack_is_as_deep_as_elsewhere() {
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut machine = machine(&client, "thumbv6m");
        let code = machine.info().origin + CODE;
        // r0: how many. mov r3, sp; push {r0}; subs r0, #1; bne; mov sp, r3; bx lr
        let down = halves(&[0x466b, 0xb401, 0x3801, 0xd1fc, 0x469d, 0x4770]);
        place(&mut machine, code, &down, Protection::ReadExecute);
        let mut deep = |words: u64| {
            let registers = vec![(Register::Core(0), u128::from(words))];
            machine.start(&Call { function: code | 1, registers, stack: Vec::new() })
        };
        assert_eq!(deep(0x3_fff0), Stop::Returned, "{board}");
        // One too many is an overflow, but there is no place left to say from where.
        let Stop::Fault(Fault { kind: FaultKind::Stack, address: Some(address), .. }) = deep(0x4_0100) else {
            panic!("{board}");
        };
        let stack = code - CODE + 0x14_0000;
        assert!((stack - 64..stack).contains(&address), "{board}: {address:#x}");
        assert_eq!(deep(1), Stop::Returned, "{board}");
        // Stopped and resumed far down, it comes back to where it was: sub.w sp, sp, #0x80000; svc 0; add.w sp, sp, #0x80000; bx lr
        machine.poke(code, &halves(&[0xf5ad, 0x2d00, 0xdf00, 0xf50d, 0x2d00, 0x4770])).expect("written");
        assert_eq!(start(&mut machine, code | 1), Stop::Syscall, "{board}");
        assert_eq!(machine.resume(Resume::Run), Stop::Returned, "{board}");
        assert_eq!(client.borrow().starts(), 1, "{board}");
    }
}

/// A stack of the program's own, and one that is none: where it was is lost then, and the board is not.
#[test]
fn a_stack_elsewhere_works_where_there_is_memory() {
    if missing() {
        return;
    }
    for board in BOARDS {
        let client = client(board);
        let mut machine = machine(&client, "thumbv7m");
        let code = machine.info().origin + CODE;
        // mov r2, sp; str r2, [r0, #-4]; mov sp, r0; push {r2}; pop {r1}; mov sp, r1; bx lr
        let elsewhere = halves(&[0x466a, 0xf840, 0x2c04, 0x4685, 0xb404, 0xbc02, 0x468d, 0x4770]);
        place(&mut machine, code, &elsewhere, Protection::ReadExecute);
        place(&mut machine, code + 0x2000, &[0; 0x1000], Protection::ReadWrite);
        let call =
            |r0: u64| Call { function: code | 1, registers: vec![(Register::Core(0), r0.into())], stack: Vec::new() };
        assert_eq!(machine.start(&call(code + 0x3000)), Stop::Returned, "{board}");
        let nowhere = halves(&[0x4685, 0xb404, 0x4770]);
        machine.poke(code, &nowhere).expect("written");
        let stop = machine.start(&call(NOWHERE));
        let Stop::Fault(Fault { kind: FaultKind::Write, pc: 0, address: Some(address), .. }) = stop else {
            panic!("{board}: {stop:?}");
        };
        assert!((NOWHERE - 64..NOWHERE).contains(&address), "{board}: {address:#x}");
        machine.poke(code, &halves(&[0x4770])).expect("written");
        assert_eq!(start(&mut machine, code | 1), Stop::Returned, "{board}");
        assert_eq!(client.borrow().starts(), 1, "{board}");
    }
}
