//! Linux processes that mean harm: every system call and every operation of semihosting, with any arguments.
//!
//! `LINKRIG_HOSTILE=N` says how many there are, over all instruction sets; `LINKRIG_HOSTILE_SEED=S` which. Nothing may panic, no run
//! may take more than it has, and outside of the directory that was granted nothing is opened or changed.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harness::dice::Dice;
use harness::executor::unicorn::{Processor, processor};
use harness::executor::{Budget, Stop};
use harness::linked::{Mapped, Part};
use harness::linux::{End, Grant, Process, Roots, Start};
use linker::Target;
use linker::memory::Protection;

/// How many, where nobody says otherwise.
const COUNT: u64 = 20_000;
/// Calls that a process makes before there is a new one.
const CALLS: u64 = 200;
/// What a process may take.
const BUDGET: Budget =
    Budget { instructions: 1 << 20, work: 1 << 26, time: Duration::from_millis(100), output: 1 << 20 };
/// How long one call may last: what a process has, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(5);
/// How much of our memory all of it may take, above the emulators' own.
const MEMORY: u64 = 512 << 20;

/// Where the process has its data, and how much of it.
const DATA: u64 = 0x2_0000;
const SIZE: u64 = 0x1_0000;
/// Where in it a block of parameters is put.
const BLOCK: u64 = DATA + SIZE - 0x400;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a number")))
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// A directory that is granted, and one beside it that is not, with ways from the one to the other.
struct Yard(tempfile::TempDir);

impl Yard {
    fn new() -> Yard {
        let yard = Yard(tempfile::tempdir().expect("a directory"));
        std::fs::create_dir(yard.at("out")).expect("writable");
        std::fs::write(yard.at("out/file"), "secret").expect("writable");
        yard.refresh();
        yard
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes the granted directory anew.
    fn refresh(&self) {
        let _ = std::fs::remove_dir_all(self.at("in"));
        std::fs::create_dir_all(self.at("in/sub/deep")).expect("writable");
        std::fs::write(self.at("in/file"), "inside").expect("writable");
        let links = [("up", ".."), ("sub/up", "../.."), ("far", "../out"), ("proc", "/proc/self"), ("loop", "loop")];
        links.iter().for_each(|(name, to)| symlink(to, self.at("in").join(name)).expect("writable"));
        symlink(self.at("out"), self.at("in/absolute")).expect("writable");
        rustix::fs::mknodat(rustix::fs::CWD, self.at("in/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("writable");
    }

    /// All that could change of what is not granted.
    fn outside(&self) -> Vec<(PathBuf, u64, i64, i64, u32, Vec<u8>)> {
        let mut all = Vec::new();
        for path in [self.0.path().to_owned(), self.at("out"), self.at("out/file")] {
            let known = path.symlink_metadata().expect("it is there");
            let names = || std::fs::read_dir(&path).expect("readable").count().to_string().into_bytes();
            let content = if known.is_dir() { names() } else { std::fs::read(&path).expect("readable") };
            // The directory around both changes when the granted one is made anew.
            let time = if path == self.0.path() { 0 } else { known.mtime_nsec() };
            all.push((path, known.nlink(), time, known.uid().into(), known.mode(), content));
        }
        all
    }

    /// Paths that a process may name.
    fn paths(&self) -> Vec<Vec<u8>> {
        let absolute = |name: &str| self.at(name).to_str().expect("a text path").to_owned();
        let texts = [
            "file",
            "new",
            "sub",
            "sub/deep",
            "sub/deep/new",
            ".",
            "..",
            "../out/file",
            "up/out/file",
            "far/file",
            "absolute/file",
            "sub/up/out/file",
            "proc/root/etc/passwd",
            "loop",
            "fifo",
            "/",
            "/tmp",
            "/tmp/new",
            "/tmp/../etc",
            "/dev/null",
            "/dev/zero",
            "/dev/urandom",
            "/dev/stdout",
            "/proc/self/exe",
            "/proc/self/mem",
            "/etc/passwd",
            "",
            "/dev",
            "file/",
            "file/.",
            "sub/../file",
            "sub/../../out",
            "//",
            "new/new/new",
        ];
        let mut paths: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        paths.extend(
            [absolute("out/file"), absolute("out/new"), absolute("in"), absolute("in/file")].map(String::into_bytes),
        );
        paths.extend([vec![b'x'; 255], vec![b'x'; 256], vec![b'/'; 4095], vec![b'a'; 5000], b"../".repeat(1000)]);
        paths.push(vec![0xff, 0x80, b'/', 1]);
        paths
    }
}

/// A process that has only data: paths, parts of memory, and numbers of all kinds. Where its texts are.
fn process(target: &'static Target, yard: &Yard, random: &mut Dice) -> (Process<Processor>, Vec<u64>) {
    let mut content = Vec::new();
    let mut texts = Vec::new();
    for path in yard.paths() {
        texts.push(DATA + content.len() as u64);
        content.extend(path);
        content.push(0);
    }
    assert!(content.len() < SIZE as usize / 2);
    while content.len() < SIZE as usize {
        if content.len().is_multiple_of(512) {
            texts.push(DATA + content.len() as u64);
        }
        let word = value(random, &texts);
        content.extend(target.bytes(word, target.pointer_bytes()));
        content.truncate(SIZE as usize);
    }
    let part = |address: u64, content: Vec<u8>, protection| Part { address, size: SIZE, content, protection };
    let executable = Mapped {
        parts: vec![
            part(DATA - SIZE, vec![0; 16], Protection::ReadExecute),
            part(DATA, content, Protection::ReadWrite),
        ],
        alignment: 0x1000,
        movable: false,
        entry: DATA - SIZE,
        headers: None,
        header_size: 0,
        header_count: 0,
        executable_stack: Some(false),
    };
    let inside = yard.at("in");
    let grant =
        |guest: &Path, writable| Grant { host: inside.clone(), guest: guest.to_owned(), writable, is_root: false };
    let grants = [grant(&inside, true), grant(Path::new("/read"), false)];
    let start = Start {
        name: "program",
        arguments: &[],
        environment: &[],
        stack: 1 << 16,
        seed: random.bits(),
        budget: BUDGET,
        directory: inside.to_str().expect("a text path"),
        umask: 0o022,
    };
    let engine = processor(target, 0).expect("a processor");
    let roots = Roots::new(&grants).expect("they are there");
    let sink = Box::new(|_, _: &[u8]| Ok(()));
    (Process::new(engine, (&executable, None), &start, roots, sink).expect("it starts"), texts)
}

/// A number, a flag, a descriptor, or a pointer.
fn value(random: &mut Dice, pointers: &[u64]) -> u64 {
    match random.below(10) {
        0 => random.bits(),
        1 => random.bits() >> random.below(64),
        2 => 1 << random.below(33),
        3 => random.pick(&[0, 1, 2, 3, 4, 8, 16, 24, 64, 255, 4095, 4096, 65_535, 65_536]),
        4 => random.pick(&[u64::MAX, 1 << 63, i64::MAX as u64, u32::MAX.into(), 1 << 31, (1 << 31) - 1, 0xffff_f000]),
        5 => random.below(12) as u64,
        // AT_FDCWD, as a register of each width has it.
        6 => random.pick(&[-100_i64 as u64, 0xffff_ff9c]),
        7 => random.pick(&[
            DATA,
            DATA + SIZE - 1,
            DATA + SIZE - 8,
            DATA + SIZE,
            DATA - SIZE,
            0xffff_fff8,
            0x7f_ffff_f000,
        ]),
        _ => random.pick(pointers),
    }
}

/// What of this process's open files is not where it may be.
fn open_outside(yard: &Yard) -> Vec<PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").expect("Linux").flatten();
    open.filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|path| path.starts_with(yard.at("out")))
        .collect()
}

/// Operations of semihosting, whose blocks of parameters are anywhere, with anything in them.
#[test]
fn semihosting_takes_any_parameter() {
    let count = variable("LINKRIG_HOSTILE").unwrap_or(COUNT);
    let mut random = Dice::new(variable("LINKRIG_HOSTILE_SEED").unwrap_or(1));
    let yard = Yard::new();
    let outside = yard.outside();
    let before = peak();
    let (mut made, mut succeeded) = (0, 0);
    for target in ["thumbv7m", "thumbv6m", "armv7", "aarch64"].map(|name| Target::named(name).expect("a target")) {
        let goal = made + count / 4;
        while made < goal {
            let (mut process, texts) = process(target, &yard, &mut random);
            for _ in 0..CALLS {
                let operation = if random.one_in(20) { value(&mut random, &texts) } else { random.below(0x34) as u64 };
                if matches!(operation, 0x18 | 0x20) && !random.one_in(20) {
                    continue;
                }
                let parameter = value(&mut random, &texts);
                // A name with its length, to be opened, removed or renamed.
                if random.one_in(2) {
                    let paths = yard.paths();
                    let (old, new) = (random.below(paths.len()), random.below(paths.len()));
                    let [length, other] = [old, new].map(|n| paths[n].len() as u64);
                    let block = match operation {
                        0x01 => vec![texts[old], random.below(12) as u64, length],
                        0x0f => vec![texts[old], length, texts[new], other],
                        0x0e => vec![texts[old], length],
                        _ => vec![random.below(12) as u64, random.pick(&texts), value(&mut random, &texts)],
                    };
                    let bytes: Vec<u8> =
                        block.iter().flat_map(|word| target.bytes(*word, target.pointer_bytes())).collect();
                    assert!(process.write(BLOCK, &bytes));
                }
                let parameter = if random.one_in(2) { BLOCK } else { parameter };
                let begun = Instant::now();
                let answer = process.ask_operation(operation, parameter);
                made += 1;
                let what = || format!("{} {operation:#x} {parameter:#x}: {answer:?}", target.name);
                assert!(begun.elapsed() < LONGEST, "{}", what());
                assert!(open_outside(&yard).is_empty(), "{}", what());
                match &answer {
                    Ok(value) => succeeded += u64::from(*value < 1 << 63),
                    Err(Some(End::Stopped(Stop::Lost(lost)))) => panic!("{}: {lost:?}", what()),
                    Err(_) => break,
                }
            }
            drop(process);
            assert_eq!(yard.outside(), outside);
            yard.refresh();
        }
    }
    println!("{made} operations, {succeeded} of which succeeded");
    assert!(succeeded > made / 20, "{succeeded} of {made} succeeded");
    let taken = peak() - before;
    assert!(taken < MEMORY, "{} MiB were taken", taken >> 20);
}

#[test]
fn system_calls_take_any_argument() {
    let count = variable("LINKRIG_HOSTILE").unwrap_or(COUNT);
    let mut random = Dice::new(variable("LINKRIG_HOSTILE_SEED").unwrap_or(1));
    let yard = Yard::new();
    let outside = yard.outside();
    let before = peak();
    let (mut made, mut succeeded, mut ended) = (0, 0, 0);
    for target in ["aarch64", "armv7", "thumbv7"].map(|name| Target::named(name).expect("a target")) {
        let goal = made + count / 3;
        while made < goal {
            let (mut process, texts) = process(target, &yard, &mut random);
            let calls: Vec<_> = process.calls().collect();
            for _ in 0..CALLS {
                let (mut number, name) = random.pick(&calls);
                if random.one_in(50) {
                    number = value(&mut random, &[DATA]);
                }
                // A process that ends itself is not made to do more.
                if name.starts_with("exit") && !random.one_in(20) {
                    continue;
                }
                let mut arguments = [0; 6];
                arguments.fill_with(|| value(&mut random, &texts));
                // Registers of 32 bits have no sign.
                if target.register_bits == 32 {
                    arguments.iter_mut().for_each(|argument| *argument &= 0xffff_ffff);
                }
                // What is often a file or a name is one more often.
                if random.one_in(2) {
                    let at = usize::from(name.contains("at") && !name.contains("stat64") && !name.ends_with("mask"));
                    arguments[0] = if at == 1 { 0xffff_ff9c } else { arguments[0] };
                    arguments[at] = random.pick(&texts);
                }
                let begun = Instant::now();
                let answer = process.ask(number, &arguments);
                made += 1;
                let what = || format!("{} {name} {number} {arguments:#x?}: {answer:?}", target.name);
                assert!(begun.elapsed() < LONGEST, "{}", what());
                assert!(open_outside(&yard).is_empty(), "{}", what());
                match &answer {
                    Ok(value) => succeeded += u64::from(*value < 1 << 63),
                    Err(Some(End::Stopped(Stop::Lost(lost)))) => panic!("{}: {lost:?}", what()),
                    Err(_) => break,
                }
            }
            ended += 1;
            drop(process);
            assert_eq!(yard.outside(), outside);
            yard.refresh();
        }
    }
    println!("{made} calls of {ended} processes, {succeeded} of which succeeded");
    assert!(succeeded > made / 20, "{succeeded} of {made} succeeded");
    let taken = peak() - before;
    assert!(taken < MEMORY, "{} MiB were taken", taken >> 20);
}
