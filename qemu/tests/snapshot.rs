//! Snapshots of boards that really boot. LINKRIG_IMAGE_ARM64 and LINKRIG_IMAGE_ARMHF name images for them (`cargo xtask image`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use qemu::image::Image;
use qemu::link::LinkError;
use qemu::snapshot::Started;
use qemu::system::Linux;
use qemu::{Board, Machine, Snapshot, System};
use tempfile::TempDir;

const NO_LIMIT: u64 = u64::MAX;
const CALL: u64 = 3;
const RESULT: u64 = 2;
/// Where the tests have their program.
const PROGRAM: u64 = 0x40_0000;
/// Bytes of a register file, and where its program counter and status are (qemu/agent/agent.h).
const REGISTERS: usize = 808;
const PC: usize = 32 * 8;
const STATUS: usize = 33 * 8;
const STOP_BREAKPOINT: u32 = 5;

/// A board, a Linux for it, and code that sets its first register to 42 and then stops.
struct Subject {
    board: Board,
    linux: Linux,
    code: [u32; 2],
    status: u64,
}

/// What there is to test with. Without an image or a QEMU: why not.
fn subject(name: &str) -> Option<Subject> {
    let (variable, code, status) = match name {
        "raspi3b" => ("LINKRIG_IMAGE_ARM64", [0xd280_0540, 0xd420_0000], 0),
        _ => ("LINKRIG_IMAGE_ARMHF", [0xe3a0_002a, 0xe120_0070], 0x10),
    };
    let board = Board::find(name).expect(name);
    let skip = |why: &str| eprintln!("skipped: {why}");
    let Some(image) = std::env::var_os(variable) else {
        skip(&format!("{variable} names no image"));
        return None;
    };
    if which::which(&board.program).is_err() {
        skip(&format!("{} is not installed", board.program));
        return None;
    }
    let image = Image::open(Path::new(&image)).expect("an image");
    let linux = Linux::from_image(&board, &image).expect("it boots on the board");
    Some(Subject { board, linux, code, status })
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Has the agent do a batch of operations (qemu/agent/core.c), and returns what they gave.
fn batch(machine: &mut Machine, number: u64, operations: &[u8]) -> Result<Vec<u8>, String> {
    let name = b"linkrig_batch";
    let hello = machine.hello();
    let at = hello.windows(name.len()).position(|window| window == name).ok_or("it is not the agent")?;
    let tag = hello[at + name.len()..][..8].to_vec();
    let header = words(&[32 + operations.len() as u64, CALL, number]);
    machine.link().send(&[&header, &tag, operations]).map_err(|error| error.to_string())?;
    loop {
        let message = machine.link().receive(Duration::from_secs(5)).map_err(|error: LinkError| error.to_string())?;
        if message[8..24] == words(&[RESULT, number]) {
            assert_eq!(message[32..36], [0; 4], "operation {:?} failed", &message[36..40]);
            return Ok(message[48..].to_vec());
        }
    }
}

fn check(machine: &mut Machine) -> Result<(), String> {
    batch(machine, 99, &[]).map(|_| ())
}

impl Subject {
    fn start(&self, snapshot: &Snapshot) -> Started {
        snapshot.start(&self.board, &self.linux, &mut check).expect("it starts")
    }

    /// Runs code in it.
    fn use_it(&self, machine: &mut Machine) {
        let operation = |number: u64, flags: u64| words(&[number | flags << 32]);
        let mut code = self.code.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        let mut registers = vec![0; REGISTERS];
        registers[PC..PC + 8].copy_from_slice(&PROGRAM.to_le_bytes());
        registers[STATUS..STATUS + 8].copy_from_slice(&self.status.to_le_bytes());
        for (round, value) in [(0, 42u64), (1, 43)] {
            let mut operations = operation(1, 0);
            operations.extend(operation(2, 7));
            operations.extend(words(&[PROGRAM, 0x1000]));
            operations.extend(operation(5, 0));
            operations.extend(words(&[PROGRAM, code.len() as u64]));
            operations.extend(&code);
            operations.extend(operation(7, if self.board.width == 32 { 4 } else { 0 }));
            operations.extend(&registers);
            let stop = batch(machine, round, &operations).expect("it answers");
            assert_eq!(stop[..4], STOP_BREAKPOINT.to_le_bytes());
            assert_eq!(stop[16..24], value.to_le_bytes());
            // Other code at the same place.
            code[0] += if self.board.width == 32 { 1 } else { 0x20 };
        }
    }
}

/// The snapshots in a directory.
fn kept(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.expect("readable").path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "snapshot")).collect()
}

fn directory() -> (TempDir, Snapshot) {
    let directory = tempfile::tempdir().expect("a directory");
    let snapshot = Snapshot::new(directory.path().to_owned(), NO_LIMIT);
    (directory, snapshot)
}

#[test]
fn a_board_boots_once_and_is_restored_from_then_on() {
    for name in ["raspi3b", "raspi2b"] {
        let Some(subject) = subject(name) else { continue };
        let (directory, snapshot) = directory();
        let begin = Instant::now();
        let mut plain = Machine::start(&subject.board, &System::Linux(subject.linux.clone())).expect("it boots");
        subject.use_it(&mut plain);
        drop(plain);
        let cold = begin.elapsed();
        let mut best = cold;
        let begin = Instant::now();
        let mut first = subject.start(&snapshot);
        subject.use_it(&mut first.machine);
        assert_eq!((first.restored, first.notes), (false, vec![]), "{name}");
        let saving = begin.elapsed();
        let path = kept(directory.path()).pop().expect("it was saved");
        let size = fs::metadata(&path).expect("it is there").len();
        eprintln!("{name}: cold {cold:?}, with saving {saving:?}; {size} bytes are kept");
        for _ in 0..5 {
            let begin = Instant::now();
            let mut again = subject.start(&snapshot);
            let started = begin.elapsed();
            subject.use_it(&mut again.machine);
            assert_eq!((again.restored, again.notes), (true, vec![]), "{name}");
            eprintln!("{name}: restored in {started:?}, used after {:?}", begin.elapsed());
            best = best.min(begin.elapsed());
        }
        assert!(best * 5 < cold, "{name}: {best:?} is not much faster than {cold:?}");
        // What was saved is still in use, and as good as before.
        subject.use_it(&mut first.machine);
    }
}

/// The file's parts: its first line with the head's size, the head, the memory. Checksums are left out.
fn parts(file: &[u8]) -> [Vec<u8>; 3] {
    let size = u64::from_le_bytes(file[20..28].try_into().expect("eight bytes")) as usize;
    [file[..28].to_vec(), file[28..28 + size].to_vec(), file[28 + size + 4..file.len() - 4].to_vec()]
}

/// A file of these parts, with checksums that are right.
fn whole([first, head, memory]: &[Vec<u8>; 3]) -> Vec<u8> {
    let sum = |bytes: &[u8]| crc32fast::hash(bytes).to_le_bytes();
    [&first[..], head, &sum(head), memory, &sum(memory)].concat()
}

#[test]
fn a_broken_snapshot_is_made_anew() {
    let Some(subject) = subject("raspi3b") else { return };
    let (directory, snapshot) = directory();
    subject.start(&snapshot);
    let path = kept(directory.path()).pop().expect("it was saved");
    let good = fs::read(&path).expect("read");
    let [first, head, memory] = parts(&good);
    assert!(
        whole(&[first.clone(), head.clone(), memory.clone()]) == good,
        "the file is not what the test takes it for"
    );
    let flipped = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bad
    };
    // The first bytes of what QEMU wrote.
    let mut state = head.clone();
    let magic = state.windows(4).position(|window| window == b"QEVM").expect("QEMU's state");
    state[magic] = b'q';
    let mut key = head.clone();
    key[8] ^= 1;
    let broken = [
        ("empty", vec![], "cut short"),
        ("cut short", good[..good.len() / 2].to_vec(), "cut short"),
        ("of another version", flipped(19), "another version"),
        ("with another length", flipped(27), "damaged"),
        ("with another head", flipped(5000), "damaged"),
        ("with another memory", flipped(good.len() / 2), "its memory is damaged"),
        ("another board's", whole(&[first.clone(), key, memory.clone()]), "another board's"),
        ("with a state that QEMU does not take", whole(&[first.clone(), state, memory.clone()]), "migration"),
        ("with a guest that has lost its mind", whole(&[first, head, vec![0; memory.len()]]), "did not answer"),
    ];
    for (what, bytes, why) in broken {
        fs::write(&path, bytes).expect("written");
        let mut anew = subject.start(&snapshot);
        subject.use_it(&mut anew.machine);
        assert!(!anew.restored, "{what}");
        assert_eq!(anew.notes.len(), 1, "{what}: {:?}", anew.notes);
        assert!(
            anew.notes[0].starts_with("the snapshot of raspi3b cannot be used and is made anew: "),
            "{}",
            anew.notes[0]
        );
        assert!(anew.notes[0].contains(why), "{what}: {}", anew.notes[0]);
        eprintln!("{what}: {}", anew.notes[0]);
        let mut again = subject.start(&snapshot);
        subject.use_it(&mut again.machine);
        assert!(again.restored, "{what}");
    }
}

#[test]
fn another_agent_is_another_snapshot_and_the_oldest_goes() {
    let Some(mut subject) = subject("raspi3b") else { return };
    let (directory, snapshot) = directory();
    subject.start(&snapshot);
    let first = kept(directory.path()).pop().expect("it was saved");
    let limit = fs::metadata(&first).expect("it is there").len() * 3 / 2;
    // Another archive, of which the kernel makes the same.
    subject.linux.initramfs.extend([0; 512]);
    // What a snapshot is of is found out once.
    let bounded = || Snapshot::new(directory.path().to_owned(), limit);
    let mut other = subject.start(&bounded());
    subject.use_it(&mut other.machine);
    assert!(!other.restored);
    let left = kept(directory.path());
    assert!(left.len() == 1 && left[0] != first, "{left:?}");
    assert!(subject.start(&bounded()).restored);
}

#[test]
fn of_two_at_once_one_boots_and_the_other_is_restored() {
    let Some(subject) = subject("raspi3b") else { return };
    let (directory, _) = directory();
    let restored = std::thread::scope(|scope| {
        let start = || {
            // Like another process: it knows nothing of the first.
            let snapshot = Snapshot::new(directory.path().to_owned(), NO_LIMIT);
            let mut started = subject.start(&snapshot);
            subject.use_it(&mut started.machine);
            assert_eq!(started.notes, [""; 0]);
            started.restored
        };
        let threads = [(); 3].map(|()| scope.spawn(start));
        threads.map(|thread| thread.join().expect("it did not fail"))
    });
    assert_eq!(restored.iter().filter(|&&restored| restored).count(), 2, "{restored:?}");
    assert_eq!(kept(directory.path()).len(), 1);
}

#[test]
fn without_a_place_for_it_a_board_boots_and_says_so_once() {
    let Some(subject) = subject("raspi3b") else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "in the way").expect("written");
    let nowhere = Snapshot::new(file.join("below"), NO_LIMIT);
    let no_room = Snapshot::new(directory.path().join("small"), 1 << 20);
    for (snapshot, why) in [(nowhere, "Not a directory"), (no_room, "larger than")] {
        for round in 0..2 {
            let mut started = subject.start(&snapshot);
            subject.use_it(&mut started.machine);
            assert!(!started.restored);
            assert_eq!(started.notes.len(), 1 - round, "{:?}", started.notes);
            assert!(started.notes.iter().all(|note| note.contains(why)), "{:?}", started.notes);
        }
    }
}
