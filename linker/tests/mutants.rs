//! Ten thousand damaged objects: whatever is wrong with one, a link ends in a result or in an error, and takes no more
//! memory and work than the size of its input justifies.

use std::alloc::{GlobalAlloc, Layout as Request, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use linker::layout::At;
use linker::target::TARGETS;
use linker::{Layout, Limits, Options, Parsed, Roots, Target};

#[path = "support/elf.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod elf;
#[path = "support/mutate.rs"]
mod mutate;
#[path = "support/ram.rs"]
mod ram;
#[path = "support/random.rs"]
mod random;

use random::Random;

/// How many there are unless the variable `MUTANTS` says otherwise.
const MUTANTS: u64 = 10_000;

/// What a link may ask of memory for its own use: so many bytes for each byte of input, and so many besides.
const HEAP: (usize, usize) = (64, 1 << 20);
/// How many times it may ask, the stand-in for its time.
const CALLS: (usize, usize) = (2, 20_000);
/// Bytes of content in target memory.
const CONTENT: usize = 8 << 20;

struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
    /// Bytes of the buffers of target memory.
    static LENT: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "what an allocator is")]
// SAFETY: passes everything on to the system's allocator; the counters are plain thread-local numbers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, request: Request) -> *mut u8 {
        LIVE.set(LIVE.get().wrapping_add(request.size()));
        PEAK.set(PEAK.get().max(LIVE.get()));
        TIMES.set(TIMES.get().wrapping_add(1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(request) }
    }
    unsafe fn dealloc(&self, place: *mut u8, request: Request) {
        LIVE.set(LIVE.get().wrapping_sub(request.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, request) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The files of one link.
struct Input {
    target: &'static Target,
    name: String,
    files: Vec<(String, Vec<u8>)>,
}

/// How often the hand-made input is among the others, of which there are some hundred.
const WEIGHT: usize = 40;

/// `linkrig ` twenty times, by zlib and by zstd.
const ZLIB: &[u8] = &[120, 156, 203, 201, 204, 203, 46, 202, 76, 87, 200, 25, 164, 52, 0, 89, 217, 61, 65];
const ZSTD: &[u8] = &[
    40, 181, 47, 253, 4, 88, 125, 0, 0, 64, 108, 105, 110, 107, 114, 105, 103, 32, 1, 0, 149, 81, 133, 11, 224, 38,
    148, 105,
];

/// What compilers make only when they are asked: compressed sections, compact relocations, properties, versions, sections
/// that are not loaded, and an archive without a table.
fn by_hand() -> Input {
    use elf::{CODE, DATA, Elf, FUNC, GLOBAL, PROGBITS, READ};
    let mut elf = Elf::aarch64();
    let words = |list: &[u32]| list.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    for (kind, packed) in [(1, ZLIB), (2, ZSTD)] {
        let content = [words(&[kind, 0, 160, 0, 1, 0]), packed.to_vec()].concat();
        elf.section(".debug_str", PROGBITS, 0x800, &content);
    }
    let note = [words(&[4, 16, 5]), b"GNU\0".to_vec(), words(&[0xc000_0000, 4, 3, 0])].concat();
    elf.section(".note.gnu.property", 7, READ, &note);
    elf.section(".ARM.attributes", 0x7000_0003, 0, b"A\x21\0\0\0aeabi_feature_and_bits\0\x01\0\0\x01\x01\x01");
    let text = elf.section(".gnu.linkonce.t.f", PROGBITS, CODE, &words(&[0x9400_0000, 0xd65f_03c0]));
    let meta = elf.section(".meta", PROGBITS, 0, &[0; 24]);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 24]);
    elf.symbol("f@@V2", GLOBAL | FUNC, text, 0);
    elf.symbol("g@V1", GLOBAL, data, u64::MAX - 7);
    elf.symbol("x", GLOBAL, meta, 8);
    elf.wants("pulled");
    // Symbol 2, type 257; then symbols 3 and 4, each 8 bytes on.
    let table = elf.section(".crel.data", 0x4000_0014, 0, &[3 << 3 | 4 | 3, 3, 2, 0x81, 2, 0b1101, 1, 4, 0b1101, 1, 4]);
    elf.of(table).info = data.into();
    let mut member = Elf::aarch64();
    let data = member.section(".data", PROGBITS, DATA, &[0; 8]);
    member.symbol("pulled", GLOBAL, data, 0);
    let files = vec![
        ("by_hand.o".to_owned(), elf.bytes()),
        ("library.a".to_owned(), elf::archive(&[("member.o", member.bytes(), &[])])),
    ];
    Input { target: Target::named("aarch64").expect("known"), name: "by hand".to_owned(), files }
}

/// The builds of every third case for each target, the first and the last of each.
fn inputs() -> Vec<Input> {
    use corpus::{case, prebuilt};
    let cases = case::load_all(&case::default_dir()).expect("the corpus");
    let mut inputs = Vec::new();
    for target in TARGETS {
        let Ok(objects) = prebuilt::read(&prebuilt::default_dir(), target) else { continue };
        for case in cases.iter().filter(|case| case.is_for(target)) {
            let builds = case.builds(&[target.name], &|family, _| objects.major(family));
            let ends = [builds.first(), builds.last().filter(|_| builds.len() > 1)];
            for build in ends.into_iter().flatten() {
                // A case may have changed since its objects were built.
                let Ok(files) = objects.files(case, build) else { continue };
                let files: Vec<_> = files.into_iter().map(|file| (file.name, file.data)).collect();
                if files.iter().map(|file| file.1.len()).sum::<usize>() < 64 << 10 {
                    inputs.push(Input { target, name: format!("{}/{}", case.name, build.label), files });
                }
            }
        }
    }
    inputs.extend((0..WEIGHT).map(|_| by_hand()));
    inputs
}

/// How far a link came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Nothing,
    Edges,
    Reserved,
    Resolved,
    Fixed,
    Finalized,
}

fn link(target: &'static Target, files: &[(String, Vec<u8>)], seed: u64, stage: &mut Stage) -> linker::Result<()> {
    let mut random = Random(seed);
    let limits = Limits { size: CONTENT as u64, zero: CONTENT as u64, alignment: 1 << 20 };
    let keep_debug = random.below(4) == 0;
    let relaxed = if random.below(4) == 0 { Options::unrelaxed() } else { Options::default() };
    let options = Options { keep_debug, limits, ..relaxed };
    let mut parsed = Parsed::new(target, options);
    for (name, data) in files {
        parsed.add(name, data)?;
        if !parsed.graph().edges.is_empty() {
            *stage = Stage::Edges;
        }
    }
    let names: Vec<&[u8]> = parsed.graph().symbols.iter().map(|(_, symbol)| symbol.name).collect();
    let root = std::str::from_utf8(random.pick::<&[u8]>(&names)).unwrap_or("").to_owned();
    let roots = if random.below(4) == 0 && !root.is_empty() { &[&*root] as &[&str] } else { &[] };
    let mut ram = ram::Ram { limit: CONTENT, ..ram::Ram::default() };
    let sections: Vec<_> = parsed.graph().sections.iter().map(|(_, section)| section).collect();
    let at = |section: &&linker::graph::Section<'_>, address| {
        let file = linker::graph::object_name(&parsed.graph().objects[section.object]);
        At { file, section: String::from_utf8_lossy(section.name).into_owned(), address }
    };
    let ends = [1u64 << 32, 1 << 31, 0, 1 << 63, 0x40_0000];
    let places = (0..random.below(3)).filter(|_| !sections.is_empty()).map(|_| {
        let address = random.pick(&ends).wrapping_sub(random.next() >> (40 + random.below(23)));
        at(random.pick(&sections), address & !15)
    });
    let layouts =
        [Layout::At(places.collect()), Layout::Near, Layout::Far, Layout::High, Layout::Anywhere, Layout::Random(seed)];
    let roots = if roots.is_empty() { Roots::All } else { Roots::Names(roots) };
    let reserved = parsed.prune(roots)?.reserve(&mut ram, random.pick(&layouts))?;
    *stage = (*stage).max(Stage::Reserved);
    LENT.set(ram.lent);
    let far = random.below(2) == 0;
    let result = (|| {
        let address = |name: &str| if far { 0x7000_0000 + name.len() as u64 * 16 } else { 0x30_0000 };
        let resolved = reserved.resolve(&mut ram, |name| Some(linker::link::Found::Function(address(name))))?;
        *stage = (*stage).max(Stage::Resolved);
        let fixed = resolved.fix(&mut ram)?;
        *stage = (*stage).max(Stage::Fixed);
        let finalized = fixed.finalize(&mut ram)?;
        *stage = (*stage).max(Stage::Finalized);
        let graph = finalized.graph();
        for (id, _) in graph.live_edges().take(50) {
            let _ = finalized.fixup(id);
        }
        let _ = finalized.plan().by_hand(graph).to_string();
        Ok(())
    })();
    assert_eq!(ram.reserved, ram.abandoned + ram.finalized, "every reservation is given back or finalized");
    result
}

/// Links one mutant. The stage it reached, or what is wrong.
fn run(inputs: &[Input], seed: u64) -> Result<Stage, String> {
    let mut random = Random(seed);
    let input = random.pick(inputs);
    let mut files = input.files.clone();
    let file = random.below(files.len());
    for _ in 0..1 + random.below(3) {
        mutate::mutate(&mut files[file].1, &mut random);
    }
    let size: usize = files.iter().map(|file| file.1.len()).sum();
    let mut stage = Stage::Nothing;
    let before = LIVE.get();
    PEAK.set(before);
    TIMES.set(0);
    LENT.set(0);
    let result = catch_unwind(AssertUnwindSafe(|| {
        if let Err(error) = link(input.target, &files, random.next(), &mut stage) {
            assert!(!error.to_string().is_empty());
        }
    }));
    let (peak, times) = (PEAK.get().wrapping_sub(before), TIMES.get());
    let about = || format!("seed {seed}: {} for {}, file {}", input.name, input.target.name, files[file].0);
    if result.is_err() {
        return Err(format!("{}: panicked", about()));
    }
    // The buffers of target memory are on top; they have a limit of their own.
    let allowed = size * HEAP.0 + HEAP.1 + LENT.get();
    if peak > allowed {
        return Err(format!("{}: {peak} bytes of heap for {size} bytes of input", about()));
    }
    if times > size * CALLS.0 + CALLS.1 {
        return Err(format!("{}: {times} allocations for {size} bytes of input", about()));
    }
    Ok(stage)
}

#[test]
fn damaged_objects_end_in_a_result_or_an_error() {
    let inputs = inputs();
    assert!(inputs.len() > 100, "prebuilt objects: {}", inputs.len());
    // One mutant again, by its seed.
    if let Some(seed) = std::env::var("MUTANT").ok().and_then(|seed| seed.parse().ok()) {
        println!("{:?}", run(&inputs, seed));
        return;
    }
    let mutants = std::env::var("MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(MUTANTS);
    let threads = 4;
    let part = |thread: u64| {
        let inputs = &inputs;
        move || (0..mutants).filter(|seed| seed % threads == thread).map(|seed| run(inputs, seed)).collect::<Vec<_>>()
    };
    let results: Vec<Result<Stage, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(part(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("panics are caught")).collect()
    });
    let failures: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    let reached = |wanted: Stage| results.iter().filter(|r| r.as_ref().is_ok_and(|stage| *stage >= wanted)).count();
    let stages = [Stage::Edges, Stage::Reserved, Stage::Resolved, Stage::Fixed, Stage::Finalized];
    for stage in stages {
        println!("{stage:?}: {}", reached(stage));
    }
    assert!(
        failures.is_empty(),
        "{} of {mutants}:\n{}",
        failures.len(),
        failures[..failures.len().min(20)].iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(results.len() as u64, mutants);
    assert!(reached(Stage::Edges) as u64 >= mutants / 2, "too few mutants get to their relocations");
    assert!(reached(Stage::Finalized) as u64 >= mutants / 10, "too few mutants are linked");
}

/// The checks on input refuse nothing that compilers make.
#[test]
fn undamaged_objects_are_read() {
    for input in inputs().iter().filter(|input| !input.name.starts_with("linkerrors/")) {
        let mut parsed = Parsed::new(input.target, Options::default());
        for (name, data) in &input.files {
            let result = parsed.add(name, data);
            assert!(result.is_ok(), "{} for {}: {result:?}", input.name, input.target.name);
        }
    }
}

/// The bytes of a link with their addresses, zeros left out, and its layout by hand.
fn image(input: &Input, layout: &Layout) -> linker::Result<(Vec<(u64, u8)>, Layout)> {
    let mut ram = ram::Ram::default();
    let mut parsed = Parsed::new(input.target, Options::default());
    for (name, data) in &input.files {
        parsed.add(name, data)?;
    }
    let reserved = parsed.prune(Roots::All)?.reserve(&mut ram, layout)?;
    let fixed = reserved.resolve(&mut ram, |_| Some(linker::link::Found::Function(0x30_0000)))?.fix(&mut ram)?;
    let linked = fixed.finalize(&mut ram)?;
    let bytes = |placed: &ram::Placed| -> Vec<(u64, u8)> {
        let bytes = placed.bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        bytes.map(|(at, &byte)| (placed.address + at as u64, byte)).collect()
    };
    let mut image: Vec<_> = linked.handle.iter().flat_map(bytes).collect();
    image.sort();
    Ok((image, linked.plan().by_hand(linked.graph())))
}

#[test]
fn every_layout_written_by_hand_gives_the_same_bytes() {
    let mut count = 0;
    // By hand, every section has a segment of its own, and with it an origin B(S).
    let inputs = inputs();
    let independent = inputs.iter().filter(|input| !input.name.starts_with("groups/a32_segment"));
    for (index, input) in independent.enumerate().step_by(7) {
        for layout in [Layout::Near, Layout::Far, Layout::High, Layout::Random(index as u64)] {
            let Ok((first, by_hand)) = image(input, &layout) else { continue };
            let about = format!("{} for {}, {layout}: {by_hand}", input.name, input.target.name);
            let (second, again) = image(input, &by_hand).unwrap_or_else(|error| panic!("{about}: {error}"));
            assert!(first == second, "{about}");
            assert_eq!(by_hand, again, "{about}");
            count += 1;
        }
    }
    assert!(count > 200, "{count} layouts");
}

/// Writes the smaller files as a start for the fuzzer, into the directory that the variable `SEEDS` names.
#[test]
#[ignore = "writes files: see fuzz/README.md"]
fn seeds_for_the_fuzzer() {
    let directory = std::path::PathBuf::from(std::env::var_os("SEEDS").expect("SEEDS"));
    std::fs::create_dir_all(&directory).expect("SEEDS is a directory");
    for (index, input) in inputs().iter().enumerate() {
        for (file, (name, data)) in input.files.iter().enumerate().filter(|(_, file)| file.1.len() < 4096) {
            let seed = [&[index as u8], data.as_slice()].concat();
            std::fs::write(directory.join(format!("{index}-{file}-{name}")), seed).expect("a seed");
        }
    }
}
