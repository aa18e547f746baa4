//! The plain course of things: code is placed, called, and returns.

use crate::support::*;
use harness::executor::{Executor, Exit, FaultKind, Stop};

/// add x0, x0, x1; ret
const ADD_64: [u32; 2] = [0x8b01_0000, 0xd65f_03c0];
/// add r0, r0, r1; bx lr
const ADD_ARM: [u32; 2] = [0xe080_0001, 0xe12f_ff1e];
/// adds r0, r0, r1; bx lr
const ADD_THUMB: [u16; 2] = [0x1840, 0x4770];

#[test]
fn each_target_runs_its_own_code() {
    for (target, code, thumb) in [
        ("aarch64", words(&ADD_64), 0),
        ("armv7", words(&ADD_ARM), 0),
        ("armv6", words(&ADD_ARM), 0),
        ("thumbv7", halves(&ADD_THUMB), 1),
        ("thumbv6m", halves(&ADD_THUMB), 1),
        ("thumbv7m", halves(&ADD_THUMB), 1),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, 0x40_0000, &code);
        assert_eq!(run(&mut machine, 0x40_0000 | thumb, &[2, 3]), Stop::Returned, "{target}");
        assert_eq!(result(&machine), 5, "{target}");
    }
}

#[test]
fn code_runs_anywhere_in_the_address_space() {
    for address in [0x40_0000, 0x1_0000_0000, 0x7fff_ffff_f000, 0xffff_8000_0000_0000, 0xffff_ffff_ffff_f000] {
        let mut machine = machine("aarch64");
        code_at(&mut machine, address, &words(&ADD_64));
        assert_eq!(run(&mut machine, address, &[2, 3]), Stop::Returned, "{address:#x}");
        assert_eq!(result(&machine), 5);
    }
    for address in [0x40_0000, 0x8000_0000, 0xffff_f000] {
        let mut machine = machine("armv7");
        code_at(&mut machine, address, &words(&ADD_ARM));
        assert_eq!(run(&mut machine, address, &[2, 3]), Stop::Returned, "{address:#x}");
        assert_eq!(result(&machine), 5);
    }
}

/// Trap: the engine takes 0 for the address to stop at, unless it is told that there is none.
#[test]
fn code_runs_where_vector_tables_are() {
    let mut machine = machine("thumbv7m");
    code_at(&mut machine, 0, &halves(&ADD_THUMB));
    assert_eq!(run(&mut machine, 1, &[2, 3]), Stop::Returned);
    assert_eq!(result(&machine), 5);
}

#[test]
fn straight_line_code_wraps_at_4_gib() {
    let mut machine = machine("armv7");
    let code = words(&[0xe080_0001, 0xe080_0001, 0xe12f_ff1e]); // add, add | bx lr
    // 0 is the executor's own on this target: a fetch fault there is as good as an instruction.
    code_at(&mut machine, 0xffff_fff8, &code[..8]);
    let stop = run(&mut machine, 0xffff_fff8, &[1, 10]);
    let fault = stop.fault().expect("a fault");
    assert_eq!((fault.kind, fault.pc, fault.address), (FaultKind::Fetch, 0, Some(0)));
    assert_eq!(result(&machine), 21);
}

#[test]
fn a_host_function_is_called_and_returns() {
    // stp x29, x30, [sp, #-16]!; blr x1; ldp x29, x30, [sp], #16; ret
    let mut machine = machine("aarch64");
    code_at(&mut machine, 0x40_0000, &words(&[0xa9bf_7bfd, 0xd63f_0020, 0xa8c1_7bfd, 0xd65f_03c0]));
    let putchar = machine.host().lookup("putchar").expect("putchar");
    assert_eq!(run(&mut machine, 0x40_0000, &[u64::from(b'!'), putchar]), Stop::Returned);
    assert_eq!(machine.host().printed(), b"!");
    let exit = machine.host().lookup("exit").expect("exit");
    assert_eq!(run(&mut machine, 0x40_0000, &[3, exit]), Stop::Exited(Exit::Code(3)));
}

#[test]
fn a_stop_function_surfaces_and_is_returned_from() {
    for (target, code, thumb) in [
        // push {r4, lr}; blx r1; adds r0, #1; pop {r4, pc}
        ("thumbv7", halves(&[0xb510, 0x4788, 0x3001, 0xbd10]), 1),
        ("thumbv7m", halves(&[0xb510, 0x4788, 0x3001, 0xbd10]), 1),
        // push {r4, lr}; blx r1; add r0, r0, #1; pop {r4, pc}
        ("armv7", words(&[0xe92d_4010, 0xe12f_ff31, 0xe280_0001, 0xe8bd_8010]), 0),
    ] {
        let mut machine = machine(target);
        code_at(&mut machine, 0x40_0000, &code);
        let address = machine.host_mut().define_stop("jit_dispatch");
        let stop = run(&mut machine, 0x40_0000 | thumb, &[7, address]);
        assert_eq!(stop, Stop::HostCall { name: "jit_dispatch".to_owned(), address }, "{target}");
        assert!(machine.set_register("r0", 41));
        assert_eq!(machine.resume(harness::executor::Resume::Run), Stop::Returned, "{target}");
        assert_eq!(result(&machine), 42, "{target}");
    }
}
