//! Bare boards, started for real.

use std::time::Instant;

use qemu::{Board, Machine, System};

#[test]
fn a_bare_board_says_hello() {
    for name in ["raspi3b", "raspi2b"] {
        let board = Board::find(name).expect(name);
        let start = Instant::now();
        let machine = Machine::start(&board, &System::Bare).expect(name);
        eprintln!("{name}: {:?}", start.elapsed());
        let text = String::from_utf8_lossy(machine.hello()).into_owned();
        assert!(text.contains("linkrig_batch"), "{text}");
        let id = machine.id();
        drop(machine);
        let gone = !std::path::Path::new(&format!("/proc/{id}")).exists();
        assert!(gone, "QEMU {id} is still there");
    }
}
