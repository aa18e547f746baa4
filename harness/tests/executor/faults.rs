//! Faults by kind, program counter and address, on every target; never a wrong "returned".

use crate::support::*;
use harness::executor::{Budget, Executor, Fault, FaultKind, Guest, Limit, Register, Resume, Stop};
use linker::memory::Protection;
use rstest::rstest;

const CODE: u64 = 0x40_0000;
const NOTHING: u64 = 0x5000_0000;

fn fault(kind: FaultKind, pc: u64, address: u64) -> Stop {
    Stop::Fault(Fault { kind, pc, address: Some(address), host: None })
}

fn no_address(kind: FaultKind, pc: u64) -> Stop {
    Stop::Fault(Fault { kind, pc, address: None, host: None })
}

/// nop; load x0 from [x0]; return, and the same with a store. Offsets of the access: 4, 4, 2.
fn accesses(target: &str) -> (Vec<u8>, Vec<u8>, u64, u64) {
    match target {
        "aarch64" => (
            words(&[0xd503_201f, 0xf940_0000, 0xd65f_03c0]), // ldr x0, [x0]
            words(&[0xd503_201f, 0xf900_0000, 0xd65f_03c0]), // str x0, [x0]
            4,
            0,
        ),
        "armv7" | "armv6" => (
            words(&[0xe1a0_0000, 0xe590_0000, 0xe12f_ff1e]), // ldr r0, [r0]
            words(&[0xe1a0_0000, 0xe580_0000, 0xe12f_ff1e]), // str r0, [r0]
            4,
            0,
        ),
        _ => (
            halves(&[0x46c0, 0x6800, 0x4770]), // ldr r0, [r0]
            halves(&[0x46c0, 0x6000, 0x4770]), // str r0, [r0]
            2,
            1,
        ),
    }
}

#[rstest]
fn a_read_and_a_write_of_nothing(
    #[values("aarch64", "armv7", "armv6", "thumbv7", "thumbv6m", "thumbv7m")] target: &str,
) {
    let (load, store, offset, thumb) = accesses(target);
    let mut machine = machine(target);
    code_at(&mut machine, CODE, &load);
    code_at(&mut machine, CODE + 0x1000, &store);
    for address in [NOTHING + 8, 0, 0xffff_fff0] {
        let stop = run(&mut machine, CODE | thumb, &[address]);
        assert_eq!(stop, fault(FaultKind::Read, CODE + offset, address), "{target}");
        assert_eq!(result(&machine), address, "{target}: nothing was loaded");
        let stop = run(&mut machine, (CODE + 0x1000) | thumb, &[address]);
        assert_eq!(stop, fault(FaultKind::Write, CODE + 0x1000 + offset, address), "{target}");
    }
    // The machine is as good as before.
    assert_eq!(run(&mut machine, CODE | thumb, &[CODE]), Stop::Returned, "{target}");
    assert_ne!(result(&machine), 0);
}

#[rstest]
fn code_and_constants_cannot_be_written_and_data_not_executed(
    #[values("aarch64", "armv7", "armv6", "thumbv7", "thumbv6m", "thumbv7m")] target: &str,
) {
    let (load, store, offset, thumb) = accesses(target);
    let mut machine = machine(target);
    code_at(&mut machine, CODE, &store);
    load_at(&mut machine, CODE + 0x1000, &[0; 16], Protection::Read);
    load_at(&mut machine, CODE + 0x2000, &load, Protection::ReadWrite);
    for address in [CODE, CODE + 0x1000] {
        let stop = run(&mut machine, CODE | thumb, &[address]);
        assert_eq!(stop, fault(FaultKind::Write, CODE + offset, address), "{target}");
    }
    let mut after = [1; 4];
    machine.peek(CODE + 0x1000, &mut after).expect("mapped");
    assert_eq!(after, [0; 4]);
    assert_eq!(run(&mut machine, CODE | thumb, &[CODE + 0x2000]), Stop::Returned, "{target}");
    for page in [0x1000, 0x2000] {
        let stop = run(&mut machine, (CODE + page) | thumb, &[0]);
        assert_eq!(stop, fault(FaultKind::Fetch, CODE + page, CODE + page), "{target}");
    }
}

#[test]
fn a_fetch_of_nothing_by_a_branch_and_by_running_off_the_end() {
    for (target, branch, thumb) in [
        ("aarch64", words(&[0xd61f_0000]), 0), // br x0
        ("armv7", words(&[0xe12f_ff10]), 0),   // bx r0
        ("thumbv7", halves(&[0x4700]), 1),     // bx r0
        ("thumbv6m", halves(&[0x4700]), 1),
        ("thumbv7m", halves(&[0x4700]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &branch);
        let stop = run(&mut machine, CODE | thumb, &[NOTHING | thumb]);
        assert_eq!(stop, fault(FaultKind::Fetch, NOTHING, NOTHING), "{target}");
        let nop = match target {
            "aarch64" => words(&[0xd503_201f]),
            "armv7" => words(&[0xe1a0_0000]),
            _ => halves(&[0x46c0; 2]),
        };
        code_at(&mut machine, CODE + 0x1ffc, &nop);
        let stop = run(&mut machine, (CODE + 0x1ffc) | thumb, &[]);
        assert_eq!(stop, fault(FaultKind::Fetch, CODE + 0x2000, CODE + 0x2000), "{target}");
    }
}

#[test]
fn a_thumb_instruction_across_the_end_of_memory() {
    let mut machine = machine("thumbv7");
    // nop; the first half of movw r0, #0
    code_at(&mut machine, CODE + 0xffc, &halves(&[0xbf00, 0xf240]));
    let stop = run(&mut machine, CODE + 0xffd, &[]);
    assert_eq!(stop, fault(FaultKind::Fetch, CODE + 0xffe, CODE + 0x1000));
}

/// Trap: the engine's program counter is one instruction late here, which is the return address, and the call looks over.
#[test]
fn a_store_fault_in_an_it_block_is_not_a_return() {
    let mut machine = machine("thumbv7");
    // cmp r0, r0; it eq; streq r0, [r1]; bx lr
    code_at(&mut machine, CODE, &halves(&[0x4280, 0xbf08, 0x6008, 0x4770]));
    let stop = run(&mut machine, CODE | 1, &[0, NOTHING]);
    assert_eq!(stop, fault(FaultKind::Write, CODE + 4, NOTHING));
}

/// Trap: the first access of a page inside an IT block restores the block's state into the processor, where it would make the
/// next block conditional.
#[test]
fn an_it_block_that_touches_new_pages_ends_where_it_ends() {
    let mut machine = machine("thumbv7");
    load_at(&mut machine, CODE + 0x1000, &[7, 0, 0, 0], Protection::ReadWrite);
    // cmp r0, r0; itt eq; ldreq r2, [r1]; cmpeq r2, #99; b .+4; nop; movs r0, #5; bx lr: after the block eq is false
    let code = [0x4280, 0xbf04, 0x680a, 0x2a63, 0xe000, 0xbf00, 0x2005, 0x4770];
    code_at(&mut machine, CODE, &halves(&code));
    assert_eq!(run(&mut machine, CODE | 1, &[0, CODE + 0x1000]), Stop::Returned);
    assert_eq!(result(&machine), 5);
    assert_eq!(machine.get(Register::Core(2)), 7);
}

/// Trap: the engine stops at the return address in either state and says Ok.
#[test]
fn returning_in_the_wrong_state_is_a_fault() {
    let mut machine = machine("thumbv7");
    // movs r1, #1; mov r0, lr; bics r0, r1; bx r0
    code_at(&mut machine, CODE, &halves(&[0x2101, 0x4670, 0x4388, 0x4700]));
    let stop = run(&mut machine, CODE | 1, &[]);
    let fault = stop.fault().expect("a fault");
    assert_eq!(fault.kind, FaultKind::State);
    // orr lr, lr, #1; bx lr in A32: the caller was not in Thumb state.
    code_at(&mut machine, CODE + 0x1000, &words(&[0xe38e_e001, 0xe12f_ff1e]));
    let stop = run(&mut machine, CODE + 0x1000, &[]);
    assert_eq!(stop.fault().map(|fault| fault.kind), Some(FaultKind::State));
}

#[test]
fn calling_the_host_in_the_wrong_state_is_a_fault() {
    let mut machine = machine("thumbv7");
    let function = machine.host().lookup("malloc").expect("a host function");
    code_at(&mut machine, CODE, &halves(&[0x4700])); // bx r0
    assert_eq!(run(&mut machine, CODE | 1, &[function]), Stop::Returned);
    let stop = run(&mut machine, CODE | 1, &[function | 1]);
    assert_eq!(stop.fault(), Some(Fault { kind: FaultKind::State, pc: function, address: None, host: None }));
}

#[rstest]
fn an_even_branch_target_on_m_profile_is_a_fault(#[values("thumbv6m", "thumbv7m")] target: &str) {
    let mut machine = machine(target);
    code_at(&mut machine, CODE, &halves(&[0x4700, 0x4770])); // bx r0; bx lr
    assert_eq!(run(&mut machine, CODE | 1, &[CODE + 3]), Stop::Returned, "{target}");
    let stop = run(&mut machine, CODE | 1, &[CODE + 2]);
    assert_eq!(stop.fault().map(|fault| fault.kind), Some(FaultKind::State), "{target}");
    let stop = run(&mut machine, CODE, &[]);
    assert_eq!(stop.fault().map(|fault| fault.kind), Some(FaultKind::State), "{target}");
}

/// Trap: these arrive as interrupts, and `emu_start` says Ok.
#[test]
fn undefined_instructions_and_breakpoints() {
    for (target, undefined, breakpoint, thumb) in [
        ("aarch64", words(&[0xd503_201f, 0x0000_0000]), words(&[0xd503_201f, 0xd420_0000]), 0),
        ("armv7", words(&[0xe1a0_0000, 0xe7f0_00f0]), words(&[0xe1a0_0000, 0xe120_0070]), 0),
        ("armv6", words(&[0xe1a0_0000, 0xe7f0_00f0]), words(&[0xe1a0_0000, 0xe120_0070]), 0),
        ("thumbv7", halves(&[0x46c0, 0x46c0, 0xde00]), halves(&[0x46c0, 0x46c0, 0xbe00]), 1),
        ("thumbv6m", halves(&[0x46c0, 0x46c0, 0xde00]), halves(&[0x46c0, 0x46c0, 0xbe00]), 1),
        ("thumbv7m", halves(&[0x46c0, 0x46c0, 0xde00]), halves(&[0x46c0, 0x46c0, 0xbe00]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &undefined);
        code_at(&mut machine, CODE + 0x1000, &breakpoint);
        assert_eq!(run(&mut machine, CODE | thumb, &[]), no_address(FaultKind::Undefined, CODE + 4), "{target}");
        let stop = run(&mut machine, (CODE + 0x1000) | thumb, &[]);
        assert_eq!(stop, Stop::Breakpoint { pc: CODE + 0x1004 }, "{target}");
    }
}

#[test]
fn processors_lack_what_their_architecture_lacks() {
    // movw r0, #0; bx lr (T32), udiv r0, r0, r1; bx lr (T32), movw (A32)
    for (target, code, thumb, runs) in [
        ("thumbv7", halves(&[0xf240, 0x0000, 0x4770]), 1, true),
        ("thumbv7m", halves(&[0xf240, 0x0000, 0x4770]), 1, true),
        ("thumbv6m", halves(&[0xf240, 0x0000, 0x4770]), 1, false),
        ("thumbv7m", halves(&[0xfbb0, 0xf0f1, 0x4770]), 1, true),
        ("thumbv6m", halves(&[0xfbb0, 0xf0f1, 0x4770]), 1, false),
        // sadd16 r0, r0, r1 is of the DSP extension, which a Cortex-M3 does not have and a Cortex-M33 does.
        ("thumbv7m", halves(&[0xfa90, 0xf001, 0x4770]), 1, false),
        ("armv7", words(&[0xe300_0000, 0xe12f_ff1e]), 0, true),
        ("armv6", words(&[0xe300_0000, 0xe12f_ff1e]), 0, false),
        // sub sp, sp, #16; ldadd w0, w0, [sp] (LSE atomics); add sp, sp, #16; paciasp; autiasp; ret
        ("aarch64", words(&[0xd100_43ff, 0xb820_03e0, 0x9100_43ff, 0xd503_233f, 0xd503_23bf, 0xd65f_03c0]), 0, true),
        // fadd d0, d0, d0 and vadd.f64 d0, d0, d0: floating point is on.
        ("aarch64", words(&[0x1e60_2800, 0xd65f_03c0]), 0, true),
        ("armv7", words(&[0xee30_0b00, 0xe12f_ff1e]), 0, true),
        ("thumbv7", halves(&[0xee30, 0x0b00, 0x4770]), 1, true),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &code);
        let stop = run(&mut machine, CODE | thumb, &[1, 1]);
        let expected = if runs { Stop::Returned } else { no_address(FaultKind::Undefined, CODE) };
        assert_eq!(stop, expected, "{target}: {code:x?}");
    }
}

/// The few accesses whose alignment the engine checks: see unicorn.md.
#[test]
fn unaligned_accesses_that_the_engine_checks() {
    let mut machine64 = machine("aarch64");
    code_at(&mut machine64, CODE, &words(&[0xc85f_7c01, 0xd65f_03c0])); // ldxr x1, [x0]
    let stop = run(&mut machine64, CODE, &[CODE + 1]);
    assert_eq!(stop.fault().map(|fault| (fault.kind, fault.pc)), Some((FaultKind::Unaligned, CODE)));
    code_at(&mut machine64, CODE + 0x1000, &words(&[0xd61f_0000])); // br x0
    let stop = run(&mut machine64, CODE + 0x1000, &[CODE + 2]);
    assert_eq!(stop.fault().map(|fault| (fault.kind, fault.pc)), Some((FaultKind::Unaligned, CODE + 2)));
    let mut machine32 = machine("armv7");
    code_at(&mut machine32, CODE, &words(&[0xe190_2f9f, 0xe12f_ff1e])); // ldrex r2, [r0]
    let stop = run(&mut machine32, CODE, &[CODE + 1]);
    assert_eq!(stop.fault().map(|fault| (fault.kind, fault.pc)), Some((FaultKind::Unaligned, CODE)));
}

#[test]
fn exclusive_and_atomic_accesses_of_nothing_end() {
    let mut machine = machine("aarch64");
    for (number, instruction) in [
        0xc85f_7c02, // ldxr x2, [x0]
        0xc802_7c01, // stxr w2, x1, [x0]: fails without a reservation, and may do so before it looks at memory
        0xf820_0001, // ldadd x0, x1, [x0]
        0xc8a0_7c01, // cas x0, x1, [x0]
        0x4820_7c02, // casp x0, x1, x2, x3, [x0]
        0xc87f_0c02, // ldxp x2, x3, [x0]
        0xd50b_7420, // dc zva, x0
    ]
    .into_iter()
    .enumerate()
    {
        machine.reset();
        code_at(&mut machine, CODE, &words(&[instruction, 0xd65f_03c0]));
        let stop = run(&mut machine, CODE, &[NOTHING]);
        let kind = stop.fault().map(|fault| fault.kind);
        let ends = matches!(kind, Some(FaultKind::Read | FaultKind::Write)) || number == 1 && stop == Stop::Returned;
        assert!(ends, "{instruction:#x}: {stop:?}");
    }
}

#[test]
fn the_stack_has_a_guard() {
    let mut machine = machine("aarch64");
    // str x0, [sp, #-16]!; b .-4
    code_at(&mut machine, CODE, &words(&[0xf81f_0fe0, 0x17ff_ffff]));
    let stop = run(&mut machine, CODE, &[]);
    let fault = stop.fault().expect("a fault");
    assert_eq!((fault.kind, fault.pc), (FaultKind::Stack, CODE));
}

#[test]
fn an_endless_loop_ends() {
    for (target, code, thumb) in
        [("aarch64", words(&[0x1400_0000]), 0), ("armv7", words(&[0xeaff_fffe]), 0), ("thumbv6m", halves(&[0xe7fe]), 1)]
    {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &code);
        machine.set_budget(Budget { instructions: 100_000, ..Budget::default() });
        assert_eq!(run(&mut machine, CODE | thumb, &[]), Stop::OutOfBudget(Limit::Instructions), "{target}");
        assert_eq!(machine.get(Register::Pc), u128::from(CODE));
        // There is one budget, until it is renewed.
        assert_eq!(machine.resume(Resume::Run), Stop::OutOfBudget(Limit::Instructions), "{target}");
        let time = std::time::Duration::from_millis(20);
        machine.set_budget(Budget { instructions: u64::MAX, time, ..Budget::default() });
        assert_eq!(run(&mut machine, CODE | thumb, &[]), Stop::OutOfBudget(Limit::Time), "{target}");
    }
}

#[test]
fn a_loop_of_host_calls_ends() {
    let mut machine = machine("aarch64");
    // blr x1; b .-4
    code_at(&mut machine, CODE, &words(&[0xd63f_0020, 0x17ff_ffff]));
    let putchar = machine.host().lookup("putchar").expect("putchar");
    machine.set_budget(Budget { output: 10, ..Budget::default() });
    assert_eq!(run(&mut machine, CODE, &[65, putchar]), Stop::OutOfBudget(Limit::Output));
    assert_eq!(machine.host().printed(), b"AAAAAAAAAA");
    machine.set_budget(Budget { instructions: 10_000, ..Budget::default() });
    assert_eq!(run(&mut machine, CODE, &[65, putchar]), Stop::OutOfBudget(Limit::Instructions));
    // Calls share it.
    assert_eq!(run(&mut machine, CODE, &[65, putchar]), Stop::OutOfBudget(Limit::Instructions));
    machine.reset();
    code_at(&mut machine, CODE, &words(&[0xd65f_03c0]));
    assert_eq!(run(&mut machine, CODE, &[]), Stop::Returned);
}

#[test]
fn system_calls_stop_and_go_on() {
    for (target, code, thumb) in [
        ("aarch64", words(&[0xd400_0001, 0xd280_00e0, 0xd65f_03c0]), 0), // svc #0; mov x0, #7; ret
        ("armv7", words(&[0xef00_0000, 0xe3a0_0007, 0xe12f_ff1e]), 0),
        ("thumbv7", halves(&[0xdf00, 0x2007, 0x4770]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &code);
        assert_eq!(run(&mut machine, CODE | thumb, &[]), Stop::Syscall, "{target}");
        assert_eq!(machine.resume(Resume::Run), Stop::Returned, "{target}");
        assert_eq!(result(&machine), 7, "{target}");
    }
}

#[test]
fn single_steps() {
    for (target, code, thumb, width) in [
        ("aarch64", words(&[0xd280_0020, 0xd280_0040, 0xd65f_03c0]), 0, 4), // mov x0, #1; mov x0, #2; ret
        ("armv7", words(&[0xe3a0_0001, 0xe3a0_0002, 0xe12f_ff1e]), 0, 4),
        ("thumbv7", halves(&[0xdf00, 0x2001, 0x2002, 0x4770]), 1, 2),
    ] {
        let mut machine = machine(target);
        // svc #0 in front, to stop at.
        let code = match target {
            "aarch64" => [words(&[0xd400_0001]), code].concat(),
            "armv7" => [words(&[0xef00_0000]), code].concat(),
            _ => code,
        };
        code_at(&mut machine, CODE, &code);
        assert_eq!(run(&mut machine, CODE | thumb, &[0]), Stop::Syscall, "{target}");
        for expected in [1, 2] {
            assert_eq!(machine.resume(Resume::Step), Stop::Stepped, "{target}");
            assert_eq!(result(&machine), expected, "{target}");
            assert_eq!(machine.get(Register::Pc), u128::from(CODE + width * (1 + expected)), "{target}");
        }
        assert_eq!(machine.resume(Resume::Run), Stop::Returned, "{target}");
    }
}

/// Trap: the engine reports YIELD and WFE of 32-bit ARM as invalid instructions. A spin loop that yields is not at one, and an
/// undefined instruction behind a hint is.
#[test]
fn hints_and_barriers_go_on() {
    for (target, code, thumb) in [
        // yield; wfe; sev; dmb ish; isb; ret
        ("aarch64", words(&[0xd503_203f, 0xd503_205f, 0xd503_209f, 0xd503_3bbf, 0xd503_3fdf, 0xd65f_03c0]), 0),
        // yield; wfe; sev; dmb ish; isb; bx lr
        ("armv7", words(&[0xe320_f001, 0xe320_f002, 0xe320_f004, 0xf57f_f05b, 0xf57f_f06f, 0xe12f_ff1e]), 0),
        ("thumbv7", halves(&[0xbf10, 0xbf20, 0xbf40, 0xf3bf, 0x8f5b, 0xf3bf, 0x8f6f, 0x4770]), 1),
        ("thumbv6m", halves(&[0xbf10, 0xbf20, 0xbf40, 0xf3bf, 0x8f5f, 0xf3bf, 0x8f6f, 0x4770]), 1),
        ("thumbv7m", halves(&[0xbf10, 0xbf20, 0xbf40, 0xf3bf, 0x8f5f, 0xf3bf, 0x8f6f, 0x4770]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &code);
        assert_eq!(run(&mut machine, CODE | thumb, &[]), Stop::Returned, "{target}");
    }
}

#[test]
fn an_undefined_instruction_behind_a_hint_and_a_loop_of_hints() {
    for (target, undefined, spin, thumb) in [
        ("armv7", words(&[0xe320_f001, 0xe7f0_00f0]), words(&[0xe320_f001, 0xe250_0001, 0x1aff_fffc, 0xe12f_ff1e]), 0),
        // yield; udf and yield; subs r0, #1; bne .-4; bx lr
        ("thumbv7", halves(&[0xbf10, 0x46c0, 0xbf10, 0xde00]), halves(&[0xbf10, 0x3801, 0xd1fc, 0x4770]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &undefined);
        code_at(&mut machine, CODE + 0x1000, &spin);
        let at = CODE + undefined.len() as u64 - if thumb == 1 { 2 } else { 4 };
        assert_eq!(run(&mut machine, CODE | thumb, &[]), no_address(FaultKind::Undefined, at), "{target}");
        assert_eq!(run(&mut machine, (CODE + 0x1000) | thumb, &[1000]), Stop::Returned, "{target}");
        assert_eq!(result(&machine), 0);
    }
}

#[test]
fn waiting_for_an_interrupt_is_not_a_return() {
    for (target, code, thumb) in [
        ("aarch64", words(&[0xd503_207f, 0xd65f_03c0]), 0),
        ("armv7", words(&[0xe320_f003, 0xe12f_ff1e]), 0),
        ("thumbv7m", halves(&[0xbf30, 0x4770]), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, CODE, &code);
        let stop = run(&mut machine, CODE | thumb, &[]);
        assert!(matches!(stop, Stop::Refused(_)), "{target}: {stop:?}");
        machine.reset();
        code_at(&mut machine, CODE, &code);
        assert!(matches!(run(&mut machine, CODE | thumb, &[]), Stop::Refused(_)), "{target}");
    }
}
