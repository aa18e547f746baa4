//! Small programs for every kind of board and target.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use harness::executor::board::{Client, Remote};
use linker::memory::Protection;
use qemu::image::Image;
use qemu::system::Linux;
use qemu::{Board, System};

use crate::support::{client, machine, missing, place};

pub(crate) const CODE: u64 = 0x40_0000;

/// A machine with some code, and with what returns 1 a page behind it.
pub(crate) fn machine_with(client: &Rc<RefCell<Client>>, code: &Codes, bytes: &[u8]) -> Remote {
    let mut machine = machine(client, code.target);
    place(&mut machine, code.at, bytes, Protection::ReadExecute);
    place(&mut machine, code.at + 0x1000, &code.one, Protection::ReadExecute);
    machine
}

pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// `return 1`, `return 2`, an endless loop, an undefined instruction, a load through the first register, a system call.
pub(crate) struct Codes {
    pub(crate) board: &'static str,
    pub(crate) target: &'static str,
    pub(crate) one: Vec<u8>,
    pub(crate) two: Vec<u8>,
    pub(crate) endless: Vec<u8>,
    pub(crate) undefined: Vec<u8>,
    pub(crate) load: Vec<u8>,
    pub(crate) call: Vec<u8>,
    pub(crate) thumb: u64,
    /// Where code goes.
    pub(crate) at: u64,
    /// Addresses of the agent's own memory and devices, without an operating system.
    pub(crate) agent: &'static [u64],
}

/// The code for every kind of board and target, each board started once: bare, and with a Linux from an image.
pub(crate) fn on_all(test: impl Fn(&Codes, &Rc<RefCell<Client>>, &str)) {
    if missing() {
        return;
    }
    let images =
        [("raspi3b", "LINKRIG_IMAGE_ARM64"), ("raspi2b", "LINKRIG_IMAGE_ARMHF"), ("raspi0", "LINKRIG_IMAGE_ARMEL")];
    for board in ["raspi3b", "raspi2b", "mps2-an385", "mps3-an547", "raspi0"] {
        let is_bare = Board::find(board).expect("a board").bare.is_some();
        let mut clients: Vec<_> = is_bare.then(|| (client(board), "bare")).into_iter().collect();
        let variable = images.iter().find(|image| image.0 == board).map(|image| image.1);
        if let Some(path) = variable.and_then(std::env::var_os) {
            let board = Board::find(board).expect("a board");
            let linux = Linux::from_image(&board, &Image::open(path.as_ref()).expect("an image")).expect("bootable");
            clients.push((Rc::new(RefCell::new(Client::new(board, Arc::new(System::Linux(linux))))), "Linux"));
        } else if let Some(variable) = variable {
            eprintln!("skipped: {variable} names no image");
        }
        for (client, system) in &clients {
            for code in codes().iter().filter(|code| code.board == board) {
                test(code, client, &format!("{board} {system} {}", code.target));
            }
            assert_eq!(client.borrow().starts(), 1, "{board} {system}: it was not to be lost");
        }
    }
}

/// The window of the agent on the Raspberry Pi, and its serial port in it.
pub(crate) const WINDOW: &[u64] = &[0xb800_0000, 0xbf20_1000];

pub(crate) fn codes() -> Vec<Codes> {
    let a64 = |board, target| Codes {
        board,
        target,
        one: words(&[0x5280_0020, 0xd65f_03c0]),
        two: words(&[0x5280_0040, 0xd65f_03c0]),
        endless: words(&[0x1400_0000]),
        undefined: words(&[0]),
        load: words(&[0xf940_0000, 0xd65f_03c0]),
        call: words(&[0xd400_0001, 0xd65f_03c0]),
        thumb: 0,
        at: CODE,
        agent: WINDOW,
    };
    let a32 = |board, target| Codes {
        board,
        target,
        one: words(&[0xe3a0_0001, 0xe12f_ff1e]),
        two: words(&[0xe3a0_0002, 0xe12f_ff1e]),
        endless: words(&[0xeaff_fffe]),
        undefined: words(&[0xe7f0_00f0]),
        load: words(&[0xe590_0000, 0xe12f_ff1e]),
        call: words(&[0xef00_0000, 0xe12f_ff1e]),
        thumb: 0,
        at: CODE,
        agent: WINDOW,
    };
    let t32 = |board| Codes {
        board,
        target: "thumbv7",
        one: words(&[0x4770_2001]),
        two: words(&[0x4770_2002]),
        endless: words(&[0xe7fe_e7fe]),
        undefined: words(&[0xde00_de00]),
        load: words(&[0x4770_6800]),
        call: words(&[0x4770_df00]),
        thumb: 1,
        at: CODE,
        agent: WINDOW,
    };
    // The agent and its serial port, shared memory, and the processor's own registers.
    let an385 = |target| Codes {
        target,
        at: 0x2100_0000 + CODE,
        agent: &[0x1000, 0x4000_4000, 0x21c0_0000, 0xe000_ed94],
        ..t32("mps2-an385")
    };
    let an547 = |target| Codes {
        target,
        at: 0x6000_0000 + CODE,
        agent: &[0x1000, 0x5930_3000, 0x9e00_0000, 0xe000_ed94],
        ..t32("mps3-an547")
    };
    vec![
        a64("raspi3b", "aarch64"),
        a64("raspi3b", "aarch64_ilp32"),
        a32("raspi3b", "armv7"),
        t32("raspi3b"),
        a32("raspi2b", "armv7"),
        t32("raspi2b"),
        a32("raspi0", "armv6"),
        an385("thumbv7m"),
        an385("thumbv6m"),
        an547("thumbv7m"),
        an547("thumbv6m"),
    ]
}
