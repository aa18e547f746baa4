//! Boards, for real: QEMU with nothing but the agent on it, and with a Linux where LINKRIG_IMAGE_ARM64, LINKRIG_IMAGE_ARMHF and
//! LINKRIG_IMAGE_ARMEL name images. What the corpus shows of them is shown by running it there (`cargo xtask test`); here is what goes wrong.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use harness::executor::board::Client;
use harness::executor::{Budget, Call, Executor, Fault, FaultKind, Guest, Limit, Register, Resume, Stop, Unicorn};
use linker::Target;
use linker::memory::{InFlight, Memory, Place, Protection, Segment};
use qemu::{Board, System};

use crate::codes::{CODE, Codes, codes, machine_with, on_all, words};
use crate::support::{client, machine, missing, place, segment, start};

#[test]
fn code_that_is_rewritten_never_runs_stale() {
    on_all(|code, client, what| {
        let mut machine = machine(client, code.target);
        place(&mut machine, code.at, &code.one, Protection::ReadExecute);
        for round in 0..200 {
            let (bytes, wanted) = if round % 2 == 0 { (&code.two, 2) } else { (&code.one, 1) };
            machine.poke(code.at, bytes).expect("written");
            assert_eq!(start(&mut machine, code.at | code.thumb), Stop::Returned, "{what}");
            assert_eq!(machine.get(Register::Core(0)), wanted, "{what} round {round}");
        }
        // The same in new lives of the same memory, at the same place and at another, which is empty afterwards.
        for life in 0..20 {
            machine.reset();
            let (bytes, wanted) = if life % 2 == 0 { (&code.two, 2) } else { (&code.one, 1) };
            let (here, there) = if life % 4 < 2 { (code.at, code.at + 0x1000) } else { (code.at + 0x1000, code.at) };
            place(&mut machine, here, bytes, Protection::ReadExecute);
            assert_eq!(start(&mut machine, here | code.thumb), Stop::Returned, "{what}");
            assert_eq!(machine.get(Register::Core(0)), wanted, "{what} life {life}");
            let stop = start(&mut machine, there | code.thumb);
            assert!(matches!(stop, Stop::Fault(Fault { kind: FaultKind::Fetch, .. })), "{what} life {life}: {stop:?}");
        }
    });
}

#[test]
fn memory_is_zero_in_a_new_life() {
    on_all(|code, client, what| {
        let mut machine = machine(client, code.target);
        let last = machine.info().usable.iter().find(|range| range.contains(&code.at)).map_or(0, |range| *range.end());
        // What looks at the memory is behind it.
        let reader = (code.at + 0x200_0000).min(last - 0xfff);
        let room = reader - code.at;
        let mut live = |address, size, protection| {
            machine.reset();
            place(&mut machine, reader, &code.load, Protection::ReadExecute);
            let memory = machine.reserve(&[segment(address, size, 0, protection)]).expect("memory");
            machine.finalize(memory, &[]).expect("finalized");
            // The program is the first to look at it.
            let registers = vec![(Register::Core(0), u128::from(address))];
            let function = reader | code.thumb;
            let stop = machine.start(&Call { function, registers, stack: Vec::new() });
            assert_eq!((stop, machine.get(Register::Core(0))), (Stop::Returned, 0), "{what}: {size:#x} bytes");
            for page in (address..address + size).step_by((size / 32).max(0x1000) as usize) {
                let mut bytes = [1; 8];
                machine.peek(page + 0xff8, &mut bytes).expect("read");
                assert_eq!(bytes, [0; 8], "{what}: {page:#x} of {size:#x} bytes, {protection:?}");
                machine.poke(page + 0xff8, &[0xa5; 8]).expect("written");
                machine.peek(page + 0xff8, &mut bytes).expect("read");
                assert_eq!(bytes, [0xa5; 8], "{what}");
            }
        };
        for protection in [Protection::ReadWrite, Protection::Read, Protection::ReadExecute] {
            // A page, more than the agent clears by itself, and more than it has at hand, or half of what there is.
            for size in [0x1000, 0x4_0000, 0x100_0000.min((room / 2) & !0xfff)] {
                (0..3).for_each(|_| live(code.at, size, protection));
            }
            // All that it has at hand, and from the start again.
            (0..150.min(room / 0x1_0000)).for_each(|place| live(code.at + place * 0x1_0000, 0x1_0000, protection));
        }
    });
}

#[test]
fn an_endless_loop_is_interrupted_and_the_board_lives() {
    on_all(|code, client, what| {
        let mut machine = machine_with(client, code, &code.endless);
        for _ in 0..3 {
            machine.set_budget(Budget { time: Duration::from_millis(100), ..Budget::default() });
            assert_eq!(start(&mut machine, code.at | code.thumb), Stop::OutOfBudget(Limit::Time), "{what}");
            assert_eq!(machine.get(Register::Pc), u128::from(code.at), "{what}");
            machine.set_budget(Budget::default());
            assert_eq!(start(&mut machine, (code.at + 0x1000) | code.thumb), Stop::Returned, "{what}");
        }
    });
}

#[test]
fn a_system_call_is_no_business_of_the_board() {
    on_all(|code, client, what| {
        let mut machine = machine_with(client, code, &code.call);
        // exit and exit_group, on both kinds of Linux: an agent that let them pass would be gone.
        for number in [1, 93, 94, 248] {
            let number_in = |register| (register, u128::from(number as u64));
            let registers = vec![number_in(Register::Core(7)), number_in(Register::Core(8))];
            let stop = machine.start(&Call { function: code.at | code.thumb, registers, stack: Vec::new() });
            assert_eq!(stop, Stop::Syscall, "{what}: {number}");
            assert_eq!(start(&mut machine, (code.at + 0x1000) | code.thumb), Stop::Returned, "{what}");
        }
    });
}

#[test]
fn what_was_given_back_is_gone() {
    on_all(|code, client, what| {
        let mut machine = machine(client, code.target);
        let wanted = segment(code.at, 0x1000, code.one.len(), Protection::ReadExecute);
        let mut memory = machine.reserve(&[wanted]).expect("memory");
        memory.content(0).copy_from_slice(&code.one);
        let finalized = machine.finalize(memory, &[]).expect("finalized");
        assert_eq!(start(&mut machine, code.at | code.thumb), Stop::Returned, "{what}");
        machine.release(vec![finalized]).expect("released");
        let stop = start(&mut machine, code.at | code.thumb);
        assert!(matches!(stop, Stop::Fault(Fault { kind: FaultKind::Fetch, .. })), "{what}: {stop:?}");
    });
}

#[test]
fn faults_say_what_where_and_on_which_address() {
    on_all(|code, client, what| {
        let mut machine = machine(client, code.target);
        place(&mut machine, code.at, &code.undefined, Protection::ReadExecute);
        place(&mut machine, code.at + 0x1000, &code.load, Protection::ReadExecute);
        place(&mut machine, code.at + 0x2000, &code.one, Protection::ReadWrite);
        let fault = |kind, pc, address| Stop::Fault(Fault { kind, pc, address, host: None });
        let stop = start(&mut machine, code.at | code.thumb);
        assert_eq!(stop, fault(FaultKind::Undefined, code.at, None), "{what}");
        // Nowhere, and on a bare board the agent's own memory.
        let bare = matches!(client.borrow().system(), System::Bare);
        for &address in [0x7777_0000].iter().chain(if bare { code.agent } else { &[] }) {
            let registers = vec![(Register::Core(0), u128::from(address))];
            let function = (code.at + 0x1000) | code.thumb;
            let stop = machine.start(&Call { function, registers, stack: Vec::new() });
            assert_eq!(stop, fault(FaultKind::Read, code.at + 0x1000, Some(address)), "{what}");
        }
        // What is there and may not be executed.
        let stop = start(&mut machine, (code.at + 0x2000) | code.thumb);
        assert_eq!(stop, fault(FaultKind::Fetch, code.at + 0x2000, Some(code.at + 0x2000)), "{what}");
    });
}

/// N and C.
const FLAGS: u128 = 0xa000_0000;

/// Jumps there with this stack (0: the executor's own) and a value of its own in every register. What stops it comes back to an
/// undefined instruction. The last stop, and the registers.
fn leave(machine: &mut impl Executor, code: &Codes, to: u64, stack: u64) -> (Stop, Vec<(String, u128)>) {
    let branch = if machine.info().is_64() { 0xd61f_0000 } else { 0xe12f_ff10 }; // br x0, bx r0
    let branch = if code.thumb == 1 { words(&[0x4700]) } else { words(&[branch]) };
    machine.reset();
    place(machine, code.at, &[&branch[..], &code.undefined].concat(), Protection::ReadExecute);
    let its_own =
        |register: &Register| matches!(register, Register::Core(_) | Register::Vector(_) | Register::Double(_));
    let values = (0u8..).map(|n| u128::from_le_bytes([n ^ 0x5a; 16]));
    let mut registers: Vec<_> = Register::file(machine.info()).filter(its_own).zip(values).collect();
    registers.push((Register::Core(0), u128::from(to)));
    registers.push((Register::link(machine.info()), u128::from((code.at + 4) | code.thumb)));
    registers.push((Register::Status, FLAGS | u128::from(code.thumb) << 5));
    if stack != 0 {
        registers.push((Register::Sp, u128::from(stack)));
    }
    let mut stop = machine.start(&Call { function: code.at | code.thumb, registers, stack: Vec::new() });
    if matches!(stop, Stop::HostCall { .. }) {
        stop = machine.resume(Resume::Run);
    }
    let mut registers = machine.registers();
    // The flags and T.
    let status = registers.iter_mut().filter(|(name, _)| name == "pstate" || name == "cpsr");
    status.for_each(|(_, value)| *value &= 0xf000_0020);
    (stop, registers)
}

#[test]
fn programs_leave_as_on_the_emulator() {
    on_all(|code, client, what| {
        let mut machine = machine(client, code.target);
        if machine.info().m_profile {
            return; // its addresses are others
        }
        let mut emulator = Unicorn::new(Target::named(code.target).expect("a target")).expect("a machine");
        let function = machine.host_mut().define_stop("a function");
        assert_eq!(emulator.host_mut().define_stop("a function"), function);
        // Functions, what is between them and where there is none of them, and where calls return to.
        let host = 0x1_0000;
        let mut to =
            vec![function, function + 4, function + 8, host + 0xff0, host + 0x1000, host + 0xe000, host + 0xe008];
        to.extend([host, host + 8]);
        if !machine.info().is_64() && code.target != "armv6" {
            to.extend([function | 1, (function + 8) | 1, host | 1, (host + 8) | 1]);
        }
        // A stack that is there, that was not touched before, that is not aligned, that is not there, or begins where the program has none.
        for (to, stack) in
            to.iter().flat_map(|&to| [0, 0x18_0000, 0x23_fff2, 0x7777_0000, 0x14_0008].map(|stack| (to, stack)))
        {
            let (expected, found) = (leave(&mut emulator, code, to, stack), leave(&mut machine, code, to, stack));
            assert_eq!(found.0, expected.0, "{what}: to {to:#x}, stack {stack:#x}");
            // An ARM1176 has d0 to d15.
            let is_there =
                |name: &str| code.target != "armv6" || !name.starts_with('d') || name < "d16" || name.len() == 2;
            for (found, expected) in found.1.iter().zip(&expected.1).filter(|(found, _)| is_there(&found.0)) {
                assert_eq!(found, expected, "{what}: to {to:#x}, stack {stack:#x}");
            }
        }
    });
}

#[test]
fn threads_take_turns_at_a_board() {
    if missing() {
        return;
    }
    let first = client("raspi3b");
    let beside = first.borrow().beside();
    let all = codes();
    let code = all.iter().find(|code| code.board == "raspi3b" && code.target == "aarch64").expect("one");
    let mut here = machine(&first, code.target);
    let over = AtomicBool::new(false);
    let (taken, goes_on) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            let client = Rc::new(RefCell::new(beside));
            let mut there = machine(&client, code.target);
            // mov x19, x30; blr x0; mov w0, #2; ret x19: it calls the host, which asks whether there is time left.
            let calls = words(&[0xaa1e_03f3, 0xd63f_0000, 0x5280_0040, 0xd65f_0260]);
            let malloc = there.host().lookup("malloc").expect("a host function");
            let registers = vec![(Register::Core(0), u128::from(malloc))];
            let call = Call { function: code.at, registers, stack: Vec::new() };
            place(&mut there, code.at, &calls, Protection::ReadExecute);
            assert_eq!(there.start(&call), Stop::Returned);
            there.reset();
            taken.wait();
            goes_on.wait();
            // Waiting is not running.
            there.set_budget(Budget { time: Duration::from_millis(250), ..Budget::default() });
            place(&mut there, code.at, &calls, Protection::ReadExecute);
            let stop = there.start(&call);
            over.store(true, Ordering::Relaxed);
            (stop, there.get(Register::Core(0)), there.waited())
        });
        taken.wait();
        place(&mut here, code.at, &code.one, Protection::ReadExecute);
        assert_eq!(start(&mut here, code.at), Stop::Returned);
        goes_on.wait();
        std::thread::sleep(Duration::from_millis(300));
        assert!(!over.load(Ordering::Relaxed), "its program took the place of another");
        assert_eq!(start(&mut here, code.at), Stop::Returned);
        assert_eq!(here.get(Register::Core(0)), 1);
        here.reset();
        let (stop, result, waited) = there.join().expect("no panic");
        assert_eq!((stop, result), (Stop::Returned, 2));
        assert!(waited >= Duration::from_millis(200), "{waited:?}");
    });
    // The other one has gone, and its program with it.
    place(&mut here, code.at, &code.one, Protection::ReadExecute);
    assert_eq!(start(&mut here, code.at), Stop::Returned);
    assert_eq!(here.get(Register::Core(0)), 1);
    assert_eq!(first.borrow().starts(), 1);
}

#[test]
fn a_board_without_memory_left_says_so_and_goes_on() {
    if missing() {
        return;
    }
    for (name, target) in [("raspi3b", "aarch64"), ("raspi2b", "armv7")] {
        let mut board = Board::find(name).expect("a board");
        // More than the agent has.
        board.bare.as_mut().expect("it has that").pool = 1 << 30;
        let client = Rc::new(RefCell::new(Client::new(board, Arc::new(System::Bare))));
        let mut machine = machine(&client, target);
        let code = codes().into_iter().find(|code| code.board == name && code.target == target).expect("one");
        place(&mut machine, CODE, &code.one, Protection::ReadExecute);
        let large = segment(CODE + 0x100_0000, 100 << 20, 100 << 20, Protection::ReadWrite);
        let memory = machine.reserve(&[large]).expect("memory");
        let finalized = machine.finalize(memory, &[]);
        let stop = start(&mut machine, CODE | code.thumb);
        let Stop::Refused(why) = stop else { panic!("{name}: {stop:?}, {finalized:?}") };
        assert!(why.contains("no memory left"), "{name}: {why}");
        machine.reset();
        place(&mut machine, CODE, &code.one, Protection::ReadExecute);
        assert_eq!(start(&mut machine, CODE | code.thumb), Stop::Returned, "{name}");
        assert_eq!(client.borrow().starts(), 1, "{name}: it was not to be lost");
    }
}

#[test]
fn instructions_are_stepped_where_the_processor_can() {
    if missing() {
        return;
    }
    let client = client("raspi3b");
    for code in codes().into_iter().filter(|code| code.board == "raspi3b") {
        let mut machine = machine(&client, code.target);
        place(&mut machine, CODE, &code.two, Protection::ReadExecute);
        machine.set(Register::Pc, u128::from(CODE));
        if code.thumb == 1 {
            machine.set(Register::Status, 0x20);
        }
        assert_eq!(machine.resume(Resume::Step), Stop::Stepped, "{}", code.target);
        let size = if code.thumb == 1 { 2 } else { 4 };
        assert_eq!(machine.get(Register::Pc), u128::from(CODE + size), "{}", code.target);
        assert_eq!(machine.get(Register::Core(0)), 2, "{}", code.target);
    }
}

#[test]
fn sixteen_mebibytes_go_there_and_come_back() {
    if missing() {
        return;
    }
    for (board, target) in [("raspi3b", "aarch64"), ("raspi2b", "armv7")] {
        let client = client(board);
        let mut machine = machine(&client, target);
        let content: Vec<u8> = (0..16u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
        let wanted = segment(0, content.len() as u64, content.len(), Protection::Read);
        let mut memory = machine.reserve(&[Segment { place: Place::Anywhere, ..wanted }]).expect("memory");
        let address = memory.address(0);
        memory.content(0).copy_from_slice(&content);
        let time = Instant::now();
        machine.finalize(memory, &[]).expect("finalized");
        let mut last = [0; 4];
        machine.peek(address + content.len() as u64 - 4, &mut last).expect("read");
        eprintln!("{board}: 16 MiB in place after {:?}", time.elapsed());
        let mut back = vec![0; content.len()];
        machine.peek(address, &mut back).expect("read");
        assert!(back == content, "{board}");
    }
}
