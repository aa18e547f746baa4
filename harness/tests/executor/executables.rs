//! Executables of other linkers, loaded and called: static ones at fixed addresses and ones that can be anywhere, with IFUNC symbols,
//! thread-local variables, constructors, and relocations in each of their forms. What a function has to return is in the source.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::executor::{Call, Executor as _, Guest as _, Register, Stop, Unicorn};
use harness::linked::{Executable, Prepared};
use harness::startup;
use linker::Target;

/// Every way in which an executable can be wrong that is loaded shows in one of these numbers.
const SOURCE: &str = r#"
int zero[5000];
int first(void) { return 11; }
int second(void) { return 22; }
int (*const table[])(void) = { first, second };
int *volatile pointer = &zero[4999];
__thread int initialised = 7;
__thread int zeroed[3];
int constructed;
__attribute__((constructor)) static void construct(void) { constructed += 5; zero[4999] += 1; }
static int chosen(void) { return 33; }
static int (*choose(void))(void) { return chosen; }
int indirect(void) __attribute__((ifunc("choose")));
int (*volatile through)(void) = indirect;

int pointers(void) { return table[0]() + table[1]() + *pointer; }   /* 11 + 22 + 1 */
int threads(void) { zeroed[2] += 1; return initialised * 10 + zeroed[2]; }  /* 71 */
int constructors(void) { return constructed; }  /* 5 */
int functions(void) { return indirect() * 2 + through(); }  /* 99 */
void entry(void) { for (;;) ; }
"#;

/// Names of functions, and what they return.
const EXPECTED: &[(&str, u64)] =
    &[("pointers", 34), ("threads", 71), ("constructors", 5), ("functions", 99), ("indirect", 33)];

/// What a target's objects are made and linked by.
struct Tools {
    target: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    /// GNU ld and gold, by prefix.
    prefix: &'static str,
    /// The emulation that mold and lld are told.
    emulation: &'static str,
}

const TOOLS: &[Tools] = &[
    Tools {
        target: "aarch64",
        compiler: "aarch64-linux-gnu-gcc",
        flags: &[],
        prefix: "aarch64-linux-gnu",
        emulation: "aarch64linux",
    },
    Tools {
        target: "armv7",
        compiler: "arm-linux-gnueabihf-gcc",
        flags: &["-marm"],
        prefix: "arm-linux-gnueabihf",
        emulation: "armelf_linux_eabi",
    },
    Tools {
        target: "thumbv7",
        compiler: "arm-linux-gnueabihf-gcc",
        flags: &["-mthumb"],
        prefix: "arm-linux-gnueabihf",
        emulation: "armelf_linux_eabi",
    },
];

/// How executables are linked: a name, and options.
const KINDS: &[(&str, &[&str])] = &[
    ("static", &["-static"]),
    ("static-pie", &["-static", "-pie", "--no-dynamic-linker", "-z", "relro"]),
    ("relr", &["-static", "-pie", "--no-dynamic-linker", "-z", "relro", "--pack-dyn-relocs=relr"]),
];

/// What a peer cannot do or does wrong: who, of which kind, for which targets, of which function if not of all, and why.
type Exception = (&'static str, &'static str, &'static [&'static str], Option<&'static str>, &'static str);

const ARM: &[&str] = &["armv7", "thumbv7"];
const ALL: &[&str] = &["aarch64", "armv7", "thumbv7"];

const EXCEPTIONS: &[Exception] = &[
    ("ld", "relr", ALL, None, "GNU ld 2.40 has no packed relocations for these targets"),
    ("gold", "relr", ALL, None, "gold has no packed relocations"),
    ("gold", "static-pie", ALL, None, "gold makes no static executable that can be anywhere"),
    ("ld", "static", ARM, Some("indirect"), "GNU ld 2.40 gives the Thumb bit to the symbol of its A32 stub"),
    ("mold", "relr", ARM, None, "mold 1.10 has the slot of an R_ARM_IRELATIVE among the packed ones, too"),
];

/// Why something is not asked of a peer.
fn excepted(peer: &str, kind: &str, target: &str, function: Option<&str>) -> Option<&'static str> {
    let is_it = |known: &&Exception| {
        (known.0, known.1) == (peer, kind) && known.2.contains(&target) && (known.3.is_none() || known.3 == function)
    };
    EXCEPTIONS.iter().find(is_it).map(|known| known.4)
}

fn run(program: &Path, directory: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).current_dir(directory).output().expect("it starts");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let found = names.iter().find_map(|name| which::which(name).ok());
    if found.is_none() {
        println!("skipped: {} is not installed", names[0]);
    }
    found
}

/// Calls every function of an executable, and says what is wrong.
fn judge(target: &'static Target, file: &[u8], asked: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let mut machine = Unicorn::new(target).expect("a machine");
    let executable = Executable::read("a.elf", file, target).map_err(|error| error.to_string())?;
    let linked = executable.load(&mut machine, Prepared::Relocated).map_err(|error| error.to_string())?;
    startup::set_up(&mut machine, &linked, None, &[]).map_err(|error| error.to_string())?;
    for (function, expected) in EXPECTED.iter().filter(|known| asked(known.0)) {
        let address = linked.address(function).ok_or(format!("no `{function}`"))?;
        let stop = machine.start(&Call { function: address, ..Call::default() });
        if stop != Stop::Returned {
            return Err(format!("{function}: {}", harness::locate::describe(&machine, &linked, &stop)));
        }
        let found = machine.get(Register::Core(0)) as u64 & 0xffff_ffff;
        if found != *expected {
            return Err(format!("{function}: {found}, expected {expected}"));
        }
    }
    // Thumb functions say so, and a place in memory does not.
    let plain = linked.place("first").ok_or("no `first`")?;
    assert_eq!(linked.address("first").map(|value| value - plain), Some(u64::from(target.thumb)));
    assert_eq!(plain % 2, 0);
    assert!(linked.nearest(plain + 2).is_some_and(|symbol| symbol.name == b"first"));
    Ok(())
}

#[test]
fn of_every_linker_and_kind() {
    let (mut judged, mut wrong) = (Vec::new(), Vec::new());
    for tools in TOOLS {
        let target = Target::named(tools.target).expect("a target");
        let Some(compiler) = find(&[tools.compiler]) else { continue };
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        std::fs::write(path.join("a.c"), SOURCE).expect("written");
        for (kind, options) in KINDS {
            let pic = if *kind == "static" { "-fno-pic" } else { "-fpie" };
            let compile = [tools.flags, &["-O1", "-c", "a.c", "-o", "a.o", "-fno-stack-protector", pic]].concat();
            run(&compiler, path, &compile).expect("compiled");
            let (ld, gold) = (format!("{}-ld", tools.prefix), format!("{}-ld.gold", tools.prefix));
            let peers: [(&str, Option<PathBuf>); 4] = [
                ("ld", find(&[&ld])),
                ("gold", find(&[&gold])),
                ("lld", find(&["ld.lld-19", "ld.lld"])),
                ("mold", find(&["mold"])),
            ];
            for (peer, program) in peers {
                let name = format!("{} {peer} {kind}", tools.target);
                if let Some(why) = excepted(peer, kind, tools.target, None) {
                    println!("skipped: {name}: {why}");
                    continue;
                }
                let Some(program) = program else { continue };
                let mut line = vec!["a.o", "-o", "a.elf", "-e", "entry"];
                line.extend_from_slice(options);
                if matches!(peer, "lld" | "mold") {
                    line.extend(["-m", tools.emulation]);
                }
                // Above what the emulator has for itself.
                if *kind == "static" {
                    line.push(match peer {
                        "ld" | "gold" => "-Ttext-segment=0x10000000",
                        _ => "--image-base=0x10000000",
                    });
                }
                line.retain(|word| peer != "gold" || *word != "--no-dynamic-linker");
                let linked = run(&program, path, &line);
                let asked = |function: &str| excepted(peer, kind, tools.target, Some(function)).is_none();
                let read = || std::fs::read(path.join("a.elf")).expect("an executable");
                let right = linked.and_then(|()| judge(target, &read(), &asked));
                if let Err(said) = right {
                    wrong.push(format!("{name}: {said}"));
                }
                judged.push(name);
            }
        }
    }
    println!("judged: {}", judged.join(", "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged.is_empty() || judged.len() >= 8, "{judged:?}");
}

/// One executable of GNU ld's, if it is installed.
fn sample(options: &[&str], pic: &str) -> Option<Vec<u8>> {
    let tools = &TOOLS[0];
    let (compiler, ld) = (find(&[tools.compiler])?, find(&["aarch64-linux-gnu-ld"])?);
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.c"), SOURCE).expect("written");
    run(&compiler, directory.path(), &["-O1", "-c", "a.c", "-o", "a.o", "-fno-stack-protector", pic])
        .expect("compiled");
    run(&ld, directory.path(), &[&["a.o", "-o", "a.elf", "-e", "entry"], options].concat()).expect("linked");
    Some(std::fs::read(directory.path().join("a.elf")).expect("an executable"))
}

/// What is said of a damaged or foreign executable, read and loaded.
fn refused(machine: &mut Unicorn, file: &[u8]) -> String {
    machine.reset();
    let target = machine.info().target;
    let loaded = Executable::read("a.elf", file, target)
        .and_then(|executable| executable.load(machine, Prepared::Relocated).map(drop));
    loaded.err().map_or_else(String::new, |error| error.to_string())
}

#[test]
fn what_is_wrong_is_named() {
    let Some(file) = sample(&["-static", "-pie", "--no-dynamic-linker", "-z", "relro"], "-fpie") else { return };
    let mut machine = Unicorn::new(Target::named("aarch64").expect("a target")).expect("a machine");
    assert_eq!(refused(&mut machine, &file), "");
    // Program headers are 56 bytes each from 64 on; the first is code, the second data.
    let header = |number: usize, field: usize| 64 + 56 * number + field;
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let word = |value: u64| value.to_le_bytes();
    for (damaged, said) in [
        (
            patched(header(0, 4), &[7]),
            "a.elf: program header 0: p_flags 0x7 make a segment that is writable and executable (RWX)",
        ),
        (patched(header(1, 32), &word(1 << 40)), "a.elf: program header 1: p_offset "),
        (patched(header(1, 40), &word(1)), "a.elf: program header 1: p_filesz "),
        (patched(header(1, 16), &word(0)), "a.elf: program header 1: p_vaddr 0x0 is not behind program header 0"),
        (patched(header(1, 48), &word(3)), "a.elf: program header 1: p_align 0x3 is not a power of two"),
        (patched(header(1, 40), &word(u64::MAX)), "a.elf: program header 1: p_vaddr "),
        (patched(16, &[1]), "a.elf: e_type 1 is not that of an executable"),
        (patched(18, &[62]), "a.elf: is not an executable for aarch64"),
        (patched(32, &word(1 << 40)), "a.elf: program headers: "),
        (patched(40, &word(1 << 40)), "a.elf: section headers: "),
        (file[..100].to_vec(), "a.elf: program headers: "),
        (file[..10].to_vec(), "a.elf: ELF header: "),
    ] {
        let found = refused(&mut machine, &damaged);
        assert!(found.starts_with(said), "{found}\nexpected {said}");
    }
    // Relocations and dynamic entries are told by their table.
    for (options, said) in [
        (&["-pie", "-dynamic-linker", "/lib/ld.so"][..], "(PT_INTERP) wants the run-time linker /lib/ld.so"),
        (&["-N", "-static"], "writable and executable (RWX)"),
        (&["-static", "-Ttext-segment=0x20000"], "is the machine's own"),
    ] {
        let Some(file) = sample(options, "-fpie") else { return };
        let found = refused(&mut machine, &file);
        assert!(found.contains(said), "{options:?}: {found}\nexpected {said}");
    }
    // Linux does not look at the alignment of what is not moved.
    let Some(mut file) = sample(&["-static", "-Ttext-segment=0x1000000"], "-fno-pie") else { return };
    file[header(0, 48)..][..8].copy_from_slice(&word(3));
    assert_eq!(refused(&mut machine, &file), "");
}

/// Numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize % limit.max(1)
    }
}

/// Damaged executables, `LINKRIG_MUTATIONS` of each: an error or a program, and never more than a bounded cost.
#[test]
fn damage_is_survived() {
    let rounds = std::env::var("LINKRIG_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let pie: &[&str] = &["-static", "-pie", "--no-dynamic-linker", "-z", "relro"];
    let fixed: &[&str] = &["-static", "-Ttext-segment=0x10000000"];
    let mut machine = Unicorn::new(Target::named("aarch64").expect("a target")).expect("a machine");
    machine.set_budget(harness::executor::Budget::of_instructions(10_000));
    let mut random = Random(0x1234_5678_9abc_def1);
    for (options, pic) in [(pie, "-fpie"), (fixed, "-fno-pic")] {
        let Some(file) = sample(options, pic) else { return };
        let (mut loaded, mut wrong) = (0, 0);
        for _ in 0..rounds {
            let mut damaged = file.clone();
            for _ in 0..=random.below(3) {
                // Half of the damage is to the headers, where it matters most.
                let headers = random.below(2) == 0;
                let at = random.below(if headers { damaged.len().min(0x400) } else { damaged.len() });
                let width = [1, 2, 4, 8][random.below(4)].min(damaged.len() - at);
                let value = [0, 1, 0x7fff_ffff, u64::MAX, 1 << 63, random.below(1 << 30) as u64][random.below(6)];
                damaged[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            if random.below(20) == 0 {
                damaged.truncate(random.below(file.len()));
            }
            match refused(&mut machine, &damaged).as_str() {
                "" => loaded += 1,
                said => {
                    assert!(said.starts_with("a.elf: "), "{said}");
                    wrong += 1;
                }
            }
        }
        println!("{options:?}: {loaded} loaded, {wrong} refused");
    }
}
