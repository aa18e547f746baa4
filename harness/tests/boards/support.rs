//! Things that the tests of bare boards share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use harness::executor::board::{Client, Remote};
use harness::executor::{Call, Executor, Stop};
use linker::Target;
use linker::memory::{InFlight, Lifetime, Place, Protection, Segment};
use qemu::{Board, System};

/// Whether there is no QEMU here.
pub(crate) fn missing() -> bool {
    let missing = which::which("qemu-system-aarch64").is_err() || which::which("qemu-system-arm").is_err();
    if missing {
        eprintln!("skipped: qemu-system-aarch64 and qemu-system-arm are not installed (package qemu-system-arm)");
    }
    missing
}

/// A bare board of this name, not started yet.
pub(crate) fn client(board: &str) -> Rc<RefCell<Client>> {
    let board = Board::find(board).expect("a board");
    Rc::new(RefCell::new(Client::new(board, Arc::new(System::Bare))))
}

/// A machine on it.
pub(crate) fn machine(client: &Rc<RefCell<Client>>, target: &str) -> Remote {
    Remote::new(client, Target::named(target).expect("a target")).expect("a machine")
}

/// A segment of this size, of which so many bytes have content.
pub(crate) fn segment(address: u64, size: u64, content: usize, protection: Protection) -> Segment {
    Segment {
        size,
        content,
        alignment: 4,
        protection,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place: Place::At(address),
    }
}

/// Memory with this content.
pub(crate) fn place(machine: &mut impl Executor, address: u64, bytes: &[u8], protection: Protection) {
    let size = (bytes.len() as u64).next_multiple_of(0x1000);
    let mut memory = machine.reserve(&[segment(address, size, bytes.len(), protection)]).expect("memory");
    memory.content(0).copy_from_slice(bytes);
    machine.finalize(memory, &[]).expect("finalized");
}

/// Calls a function without arguments.
pub(crate) fn start(machine: &mut Remote, function: u64) -> Stop {
    machine.start(&Call { function, ..Call::default() })
}
