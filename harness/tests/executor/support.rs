//! Things that the executor's tests share: machines by target name, code in memory, arguments as numbers.

use harness::executor::{Call, Executor, Guest, Register, Stop, Unicorn};
use linker::Target;
use linker::memory::{InFlight, Lifetime, Memory, Place, Protection, Segment};

/// A machine for a target of the table.
pub(crate) fn machine(target: &str) -> Unicorn {
    Unicorn::new(Target::named(target).expect("a target of the table")).expect("a machine")
}

/// A32 or A64 instructions as bytes.
pub(crate) fn words(code: &[u32]) -> Vec<u8> {
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Thumb instructions as bytes.
pub(crate) fn halves(code: &[u16]) -> Vec<u8> {
    code.iter().flat_map(|half| half.to_le_bytes()).collect()
}

/// A segment of the usual kind, at an address.
pub(crate) fn segment(content: usize, protection: Protection, place: Place) -> Segment {
    Segment {
        size: content as u64,
        content,
        alignment: 4,
        protection,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place,
    }
}

/// Puts content somewhere and returns the handle.
pub(crate) fn load_at(
    machine: &mut Unicorn,
    address: u64,
    content: &[u8],
    protection: Protection,
) -> <Unicorn as Memory>::Finalized {
    let mut memory = machine.reserve(&[segment(content.len(), protection, Place::At(address))]).expect("a place");
    memory.content(0).copy_from_slice(content);
    machine.finalize(memory, &[]).expect("finalized")
}

/// Code at an address.
pub(crate) fn code_at(machine: &mut Unicorn, address: u64, code: &[u8]) {
    load_at(machine, address, code, Protection::ReadExecute);
}

/// Calls a function with these core registers.
pub(crate) fn run(machine: &mut Unicorn, function: u64, arguments: &[u64]) -> Stop {
    let registers = (0..).zip(arguments).map(|(n, &value)| (Register::Core(n), u128::from(value))).collect();
    machine.start(&Call { function, registers, stack: Vec::new() })
}

/// x0 or r0.
pub(crate) fn result(machine: &Unicorn) -> u64 {
    machine.get(Register::Core(0)) as u64
}
