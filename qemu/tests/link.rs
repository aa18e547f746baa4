//! The link and the agent meet garbage.

use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use qemu::link::{Link, LinkError, SharedArea};
use qemu::{Board, Machine, System};

/// A reproducible stream of numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.next() as usize % list.len()]
    }
}

/// Adler-32, by its definition.
fn checksum(bytes: &[u8]) -> u32 {
    let mut a = 1;
    let mut b = 0;
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b * 65536 + a
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xa5, b'L', b'R', 0x5a];
    frame.extend((message.len() as u32).to_le_bytes());
    frame.extend(checksum(message).to_le_bytes());
    frame.extend(message);
    frame
}

#[test]
fn frames_are_found_among_noise() {
    let (mut guest, host) = UnixStream::pair().expect("a pair");
    let mut link = Link::new(host, None);
    let mut random = Random(7);
    for round in 0..300u32 {
        let message: Vec<u8> = (0..random.next() % 200).map(|_| random.next() as u8).collect();
        let mut bytes: Vec<u8> =
            (0..random.next() % 50).map(|_| random.pick(&[0xa5, b'L', b'R', 0x5a, 7, 3, 0])).collect();
        // A frame that is damaged, and one that is cut off by the next.
        let mut damaged = frame(b"damaged");
        let at = 4 + random.next() as usize % (damaged.len() - 4);
        damaged[at] ^= 1 << (random.next() % 8);
        // A length that is damaged upwards would swallow what comes behind it.
        if at >= 8 {
            bytes.extend(damaged);
        }
        bytes.extend(frame(&message));
        let (early, late) = bytes.split_at(random.next() as usize % bytes.len());
        guest.write_all(early).expect("written");
        guest.write_all(late).expect("written");
        let got = link.receive(Duration::from_secs(5)).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(got, message, "round {round}");
    }
    link.send(&[b"to ", b"the guest"]).expect("sent");
    let mut bytes = vec![0; frame(b"to the guest").len()];
    guest.read_exact(&mut bytes).expect("read");
    assert_eq!(bytes, frame(b"to the guest"));
    guest.write_all(&frame(b"cut off")[..9]).expect("written");
    drop(guest);
    assert!(matches!(link.receive(Duration::from_secs(5)), Err(LinkError::Closed)));
}

#[test]
fn silence_is_not_waited_for() {
    let (_guest, host) = UnixStream::pair().expect("a pair");
    let mut link = Link::new(host, None);
    assert!(matches!(link.receive(Duration::from_millis(50)), Err(LinkError::Silent(_))));
}

#[test]
fn a_control_page_may_say_anything() {
    let mut random = Random(9);
    for _ in 0..200 {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(0x20000).expect("a size");
        let page: Vec<u8> = (0..64).map(|_| random.pick(&[0, 1, 0x7f, 0xff, 0x80])).collect();
        file.write_all_at(&page, 0x1000).expect("written");
        let (mut guest, host) = UnixStream::pair().expect("a pair");
        guest.write_all(&[7, 7, 3]).expect("written");
        let mut link = Link::new(host, Some(SharedArea { file, base: 0x1000, size: 0x10000 }));
        match link.receive(Duration::from_millis(5)) {
            Ok(message) => assert!(message.len() < 0x10000),
            Err(error) => assert!(matches!(error, LinkError::Silent(_)), "{error}"),
        }
        let large = vec![0; 0x10000];
        assert!(link.send(&[&large]).is_err() || link.room() >= large.len());
    }
}

/// A call of the batch function with a payload.
fn call(number: u64, tag: u64, payload: &[u8]) -> Vec<u8> {
    let words = [32 + payload.len() as u64, 3, number, tag];
    words.iter().flat_map(|word| word.to_le_bytes()).chain(payload.iter().copied()).collect()
}

#[test]
fn the_agent_survives_what_is_no_batch() {
    if which::which("qemu-system-aarch64").is_err() || which::which("qemu-system-arm").is_err() {
        eprintln!("skipped: qemu-system-aarch64 and qemu-system-arm are not installed (package qemu-system-arm)");
        return;
    }
    for name in ["raspi3b", "raspi2b"] {
        let board = Board::find(name).expect(name);
        let mut machine = Machine::start(&board, &System::Bare).expect(name);
        let hello = machine.hello().to_vec();
        let at = hello.windows(13).position(|window| window == b"linkrig_batch").expect("its function");
        let batch = u64::from_le_bytes(hello[at + 13..at + 21].try_into().expect("8 bytes"));
        let mut random = Random(11);
        // Edges of memory, of the agent's window, of the address space, and what is usual.
        let addresses = [
            0,
            0x1000,
            0x40_0000,
            0x40_0ffc,
            0xb800_0000,
            0xbf20_1000,
            0xbfff_f000,
            0xc000_0000,
            0xffff_f000,
            0xffff_ffff,
            0x1_0000_0000,
            0x7f_1234_5000,
            0xffff_ffff_f000,
            0x1_0000_0000_0000,
            u64::MAX,
            u64::MAX - 0xfff,
        ];
        let sizes = [0, 1, 8, 0x1000, 0x1001, 0x2000, 0x10_0000, 0x4000_0000, u64::MAX, 1 << 63];
        for number in 0..400 {
            let mut payload = Vec::new();
            for _ in 0..random.next() % 6 {
                payload.extend((random.next() as u32 % 9).to_le_bytes());
                payload.extend((random.next() as u32 % 16).to_le_bytes());
                payload.extend(random.pick(&addresses).to_le_bytes());
                payload.extend(random.pick(&sizes).to_le_bytes());
                payload.extend((0..random.next() % 900).map(|_| random.next() as u8));
            }
            let link = machine.link();
            let tag = if number % 10 == 9 { random.next() } else { batch };
            link.send(&[&call(number, tag, &payload)]).expect("sent");
            let answer = match link.receive(Duration::from_millis(300)) {
                // It may have run something endless.
                Err(LinkError::Silent(_)) => {
                    link.interrupt().expect("sent");
                    link.receive(Duration::from_secs(10))
                }
                answer => answer,
            };
            let answer = answer.unwrap_or_else(|error| panic!("{name}: {number}: {error}"));
            assert_eq!(answer[16..24], number.to_le_bytes(), "{name}");
        }
    }
}
