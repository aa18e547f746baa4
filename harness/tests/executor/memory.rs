//! The memory contract on the emulated machine: places, protections, lifetimes, actions.

use crate::support::*;
use harness::executor::hosted::ActionFailed;
use harness::executor::{Executor, FaultKind, Guest, PlacementRefused, Stop, Unicorn};
use linker::memory::{Action, Call, InFlight, Lifetime, Memory, MemoryError, Place, Protection, Segment};

const CODE: u64 = 0x40_0000;

/// ldr x0, [x0]; ret · str x1, [x0]; ret · mov x0, #0; ret · mov x0, #1; ret
const CODE_64: [u32; 8] =
    [0xf940_0000, 0xd65f_03c0, 0xf900_0001, 0xd65f_03c0, 0xd280_0000, 0xd65f_03c0, 0xd280_0020, 0xd65f_03c0];
const LOAD: u64 = CODE;
const STORE: u64 = CODE + 8;
const ZERO: u64 = CODE + 16;
const ONE: u64 = CODE + 24;

fn ready() -> Unicorn {
    let mut machine = machine("aarch64");
    code_at(&mut machine, CODE, &words(&CODE_64));
    machine
}

fn kind(stop: Stop) -> Option<FaultKind> {
    stop.fault().map(|fault| fault.kind)
}

fn refused(result: Result<<Unicorn as Memory>::InFlight, MemoryError>) -> PlacementRefused {
    match result {
        Ok(memory) => panic!("placed: {memory:?}"),
        Err(error) => *error.downcast::<PlacementRefused>().expect("a refusal that can be told from other errors"),
    }
}

#[test]
fn segments_go_where_they_are_asked_to() {
    let mut machine = machine("aarch64");
    let data = |place| segment(16, Protection::ReadWrite, place);
    let memory = machine
        .reserve(&[
            data(Place::Anywhere),
            data(Place::Offset(0x1_0000_0000)),
            data(Place::At(0xffff_ffff_ffff_0010)),
            data(Place::Within(0x7000_0000..0x7000_2000)),
            data(Place::Anywhere),
            Segment { alignment: 0x10_0000, ..data(Place::Anywhere) },
        ])
        .expect("places");
    let addresses: Vec<u64> = (0..6).map(|n| memory.address(n)).collect();
    assert_eq!(addresses, [0x40_0000, 0x1_0040_0000, 0xffff_ffff_ffff_0010, 0x7000_0000, 0x40_1000, 0x50_0000]);
    machine.abandon(memory);
    let again = machine.reserve(&[data(Place::Anywhere)]).expect("a place");
    assert_eq!(again.address(0), 0x40_0000, "what was abandoned is free");
}

#[test]
fn offsets_wrap_at_the_width_of_a_pointer() {
    let mut machine = machine("armv7");
    let memory = machine
        .reserve(&[
            segment(4, Protection::ReadWrite, Place::At(0xffff_f000)),
            segment(4, Protection::ReadWrite, Place::Offset(0x50_0000)),
        ])
        .expect("places");
    assert_eq!(memory.address(1), 0x4f_f000);
}

#[test]
fn a_search_steps_over_what_is_in_the_way_of_any_member() {
    let mut machine = machine("aarch64");
    load_at(&mut machine, 0x40_0000, &[1], Protection::Read);
    load_at(&mut machine, 0x51_0000, &[1], Protection::Read);
    let data = |place| segment(0x8000, Protection::ReadWrite, place);
    let memory = machine.reserve(&[data(Place::Anywhere), data(Place::Offset(0x10_0000))]).expect("places");
    let (first, second) = (memory.address(0), memory.address(1));
    assert_eq!(second - first, 0x10_0000);
    assert!(first >= 0x40_1000 && (second + 0x8000 <= 0x51_0000 || second >= 0x51_1000), "{first:#x} {second:#x}");
}

#[test]
fn refusals_can_be_told_apart_and_leave_nothing_behind() {
    let mut machine = machine("armv7");
    let data = |place| segment(16, Protection::ReadWrite, place);
    load_at(&mut machine, 0x60_0000, &[1], Protection::Read);
    for place in [
        Place::At(0x14_0000),     // the stack
        Place::At(0x60_0ff0),     // taken
        Place::At(2),             // not aligned
        Place::At(0x1_0000_0000), // not an address of this machine
        Place::Within(0x60_0000..0x60_0800),
    ] {
        assert_eq!(refused(machine.reserve(&[data(Place::Anywhere), data(place.clone())])).segment, 1, "{place:?}");
    }
    // One page, two protections.
    let code = segment(16, Protection::ReadExecute, Place::At(0x70_0800));
    assert_eq!(refused(machine.reserve(&[data(Place::At(0x70_0000)), code.clone()])).segment, 1);
    // One page, one protection; but not the same bytes.
    assert_eq!(refused(machine.reserve(&[data(Place::At(0x70_0000)), data(Place::At(0x70_0008))])).segment, 1);
    let both = machine.reserve(&[data(Place::At(0x70_0000)), data(Place::At(0x70_0010))]).expect("neighbours");
    machine.abandon(both);
    machine.reserve(&[code]).expect("nothing was left behind");
    // More than there is.
    let huge = Segment { size: 1 << 32, ..data(Place::Anywhere) };
    refused(machine.reserve(&[huge]));
}

#[test]
fn protections_hold_and_change_with_no_stale_translation() {
    let mut machine = ready();
    let data = load_at(&mut machine, 0x60_0000, &[7, 0, 0, 0, 0, 0, 0, 0], Protection::ReadWrite);
    assert_eq!(run(&mut machine, STORE, &[0x60_0000, 9]), Stop::Returned);
    assert_eq!(run(&mut machine, LOAD, &[0x60_0000]), Stop::Returned);
    assert_eq!(result(&machine), 9);
    machine.release(vec![data]).expect("released");
    assert_eq!(kind(run(&mut machine, LOAD, &[0x60_0000])), Some(FaultKind::Read));
    // The same addresses, read-only and zero.
    let constant = Segment { size: 16, ..segment(0, Protection::Read, Place::At(0x60_0000)) };
    let memory = machine.reserve(&[constant]).expect("free");
    assert_eq!(kind(run(&mut machine, LOAD, &[0x60_0000])), Some(FaultKind::Read), "reserved is not yet there");
    machine.finalize(memory, &[]).expect("finalized");
    assert_eq!(run(&mut machine, LOAD, &[0x60_0000]), Stop::Returned);
    assert_eq!(result(&machine), 0, "released memory comes back as zero");
    assert_eq!(kind(run(&mut machine, STORE, &[0x60_0000, 9])), Some(FaultKind::Write));
    // An access that was forbidden is allowed once there is memory.
    assert_eq!(kind(run(&mut machine, STORE, &[0x70_0000, 9])), Some(FaultKind::Write));
    load_at(&mut machine, 0x70_0000, &[0; 8], Protection::ReadWrite);
    assert_eq!(run(&mut machine, STORE, &[0x70_0000, 9]), Stop::Returned);
    let mut bytes = [0; 8];
    machine.peek(0x70_0000, &mut bytes).expect("mapped");
    assert_eq!(bytes[0], 9);
}

/// Trap: translated code of a place survives the place's memory.
#[test]
fn zero_filled_code_is_not_what_was_there_before() {
    let mut machine = ready();
    for _ in 0..2 {
        let memory = load_at(&mut machine, 0x60_0000, &words(&[0xd280_0020, 0xd65f_03c0]), Protection::ReadExecute);
        assert_eq!(run(&mut machine, 0x60_0000, &[]), Stop::Returned);
        machine.release(vec![memory]).expect("released");
        let empty = Segment { size: 8, ..segment(0, Protection::ReadExecute, Place::At(0x60_0000)) };
        let memory = machine.reserve(&[empty]).expect("free");
        let memory = machine.finalize(memory, &[]).expect("finalized");
        assert_eq!(kind(run(&mut machine, 0x60_0000, &[])), Some(FaultKind::Undefined));
        machine.release(vec![memory]).expect("released");
    }
}

#[test]
fn zero_fill_is_neither_shipped_nor_committed() {
    let mut machine = ready();
    // 64 GiB, more than the machine has.
    let huge = Segment { size: 1 << 36, ..segment(8, Protection::ReadWrite, Place::At(0x1_0000_0000)) };
    let mut memory = machine.reserve(&[huge]).expect("a place");
    assert_eq!(memory.content(0), [0; 8]);
    memory.content(0)[0] = 3;
    let memory = machine.finalize(memory, &[]).expect("finalized");
    for (address, value) in [(0x1_0000_0000, 3), (0x1_0000_0008, 0), (0x10_ffff_fff8, 0)] {
        assert_eq!(run(&mut machine, LOAD, &[address]), Stop::Returned, "{address:#x}");
        assert_eq!(result(&machine), value);
    }
    machine.release(vec![memory]).expect("released");
}

fn call(function: u64, arguments: &[u8]) -> Call {
    Call { function, arguments: arguments.to_vec() }
}

#[test]
fn relro_is_writable_for_the_actions_only() {
    let mut machine = ready();
    let relro = Segment { relro: true, ..segment(16, Protection::Read, Place::At(0x60_0000)) };
    let memory = machine.reserve(&[relro]).expect("free");
    // ONE returns 1, which goes into the slot.
    let actions = [Action::CallAndStore { function: ONE, slot: 0x60_0008 }];
    machine.finalize(memory, &actions).expect("finalized");
    assert_eq!(run(&mut machine, LOAD, &[0x60_0008]), Stop::Returned);
    assert_eq!(result(&machine), 1);
    assert_eq!(kind(run(&mut machine, STORE, &[0x60_0008, 5])), Some(FaultKind::Write));
}

#[test]
fn an_action_can_write_relro_itself() {
    let mut machine = ready();
    let relro = Segment { relro: true, ..segment(16, Protection::Read, Place::At(0x61_7000)) };
    let memory = machine.reserve(&[relro]).expect("free");
    // adrp x2, 0x617000 from 0x500000; str x1, [x2]; ldrb w0, [x0]; ret: stores the length, returns the first argument byte
    let adrp = 0x9000_0000 | (0x117 >> 2) << 5 | (0x117 & 3) << 29 | 2;
    code_at(&mut machine, 0x50_0000, &words(&[adrp, 0xf900_0041, 0x3940_0000, 0xd65f_03c0]));
    let actions = [Action::Call { call: call(0x50_0000, &[0, 1, 2]), undo: None }];
    machine.finalize(memory, &actions).expect("finalized");
    assert_eq!(run(&mut machine, LOAD, &[0x61_7000]), Stop::Returned);
    assert_eq!(result(&machine), 3);
    // The processor has just written there, and its TLB knows how to (the page shares no entry with those of the code).
    assert_eq!(kind(run(&mut machine, STORE, &[0x61_7000, 5])), Some(FaultKind::Write));
}

#[test]
fn finalize_segments_go_after_the_actions_and_debug_information_never_comes() {
    let mut machine = ready();
    let once = Segment { lifetime: Lifetime::Finalize, ..segment(8, Protection::ReadExecute, Place::At(0x60_0000)) };
    let debug = Segment { lifetime: Lifetime::NoAlloc, ..segment(4, Protection::Read, Place::Anywhere) };
    let mut memory = machine.reserve(&[once, debug]).expect("free");
    memory.content(0).copy_from_slice(&words(&[0xd280_0000, 0xd65f_03c0]));
    memory.content(1).copy_from_slice(b"dbug");
    assert_eq!(memory.address(1), 0);
    let actions = [Action::Call { call: call(0x60_0000, &[]), undo: None }];
    machine.finalize(memory, &actions).expect("the action runs");
    assert_eq!(kind(run(&mut machine, 0x60_0000, &[])), Some(FaultKind::Fetch));
    assert!(machine.peek(0, &mut [0]).is_err());
}

/// Counts calls at 0x60_0000 by a guest function: ldr x2, [x0...]: here a host function does.
fn recorder(machine: &mut Unicorn) -> (u64, std::rc::Rc<std::cell::RefCell<Vec<Vec<u8>>>>) {
    let log = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let writer = log.clone();
    let address = machine.host_mut().define("record", move |frame| {
        let (at, length) = (frame.word()?, frame.word()?);
        let bytes = frame.bytes(at, length)?;
        let status = u64::from(bytes.first() == Some(&b'!'));
        writer.borrow_mut().push(bytes);
        frame.give(status)
    });
    (address, log)
}

#[test]
fn actions_run_in_order_and_are_undone_in_reverse_on_release() {
    let mut machine = ready();
    let (record, log) = recorder(&mut machine);
    // A guest function is called as well as one of the host.
    let action = |name: &str, undo: &str| Action::Call {
        call: call(record, name.as_bytes()),
        undo: Some(call(record, undo.as_bytes())),
    };
    let memory = machine.reserve(&[segment(4, Protection::Read, Place::Anywhere)]).expect("free");
    let memory = machine.finalize(memory, &[action("a", "-a"), action("b", "-b")]).expect("finalized");
    machine.release(vec![memory]).expect("released");
    assert_eq!(*log.borrow(), [b"a".as_slice(), b"b", b"-b", b"-a"]);
}

#[test]
fn a_failing_action_undoes_those_before_it_and_gives_the_memory_back() {
    let mut machine = ready();
    let (record, log) = recorder(&mut machine);
    let place = segment(4, Protection::Read, Place::At(0x60_0000));
    let memory = machine.reserve(std::slice::from_ref(&place)).expect("free");
    let undo = |name: &str| Some(call(record, name.as_bytes()));
    let actions = [
        Action::Call { call: call(record, b"a"), undo: undo("-a") },
        Action::Call { call: call(ZERO, b""), undo: undo("-b") },
        Action::Call { call: call(record, b"!"), undo: undo("-c") },
        Action::Call { call: call(record, b"d"), undo: undo("-d") },
    ];
    let error = machine.finalize(memory, &actions).expect_err("the third fails");
    let failed = error.downcast::<ActionFailed>().expect("an action's failure");
    assert_eq!(*failed, ActionFailed::Status { number: 2, function: record, status: 1 });
    assert_eq!(*log.borrow(), [b"a".as_slice(), b"!", b"-b", b"-a"]);
    machine.reserve(&[place]).expect("the memory was given back");
}

#[test]
fn an_action_that_does_not_return_says_why() {
    let mut machine = ready();
    let memory = machine.reserve(&[segment(4, Protection::Read, Place::Anywhere)]).expect("free");
    let actions = [Action::CallAndStore { function: 0x6660_0000, slot: 0x40_1000 }];
    let error = machine.finalize(memory, &actions).expect_err("nothing there");
    let failed = error.downcast::<ActionFailed>().expect("an action's failure");
    assert!(matches!(*failed, ActionFailed::Stopped { number: 0, stop: Stop::Fault(_), .. }), "{failed}");
}

/// A lazy stub: the guest waits in a host call, memory is linked and its actions run, the guest goes on as if nothing had been.
#[test]
fn linking_while_the_guest_waits_disturbs_nothing() {
    let mut machine = ready();
    let address = machine.host_mut().define_stop("resolve");
    // stp x29, x30, [sp, #-16]!; mov x19, #7; blr x1; add x0, x0, x19; ldp x29, x30, [sp], #16; ret
    let code = [0xa9bf_7bfd, 0xd280_00f3, 0xd63f_0020, 0x8b13_0000, 0xa8c1_7bfd, 0xd65f_03c0];
    code_at(&mut machine, 0x50_0000, &words(&code));
    assert!(matches!(run(&mut machine, 0x50_0000, &[1, address]), Stop::HostCall { .. }));
    let before = machine.registers();
    let memory = machine.reserve(&[segment(8, Protection::ReadExecute, Place::Anywhere)]).expect("free");
    let actions = [Action::Call { call: call(ZERO, b"argument"), undo: None }];
    machine.finalize(memory, &actions).expect("finalized");
    assert_eq!(machine.registers(), before);
    machine.set(harness::executor::Register::Core(0), 35);
    assert_eq!(machine.resume(harness::executor::Resume::Run), Stop::Returned);
    assert_eq!(result(&machine), 42);
}
