//! The differential oracle: real libraries agree field by field, and what really differs is seen, freedom or not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::executor::image::{Image, ImageFile};
use harness::linking::{self, Data, Externals, Input, Job, Timings};
use harness::oracle::{self, Bundle, Peer, Tally};
use linker::link::Finalized;
use linker::{Layout, Options, Roots, Target};

const LAYOUT: Layout = Layout::Random(1);

fn link<'a>(target: &'static Target, objects: &'a [Input], options: &Options) -> Finalized<'a, ImageFile> {
    let job = Job {
        target,
        inputs: objects,
        defines: &[],
        roots: Roots::All,
        layout: &LAYOUT,
        options,
        wishes: &linking::NO_WISHES,
    };
    linking::link(&job, &mut Image::new(target), &Externals::Table(&|_| None), &mut Timings::default()).expect("links")
}

/// An object from a source, compiled by GCC. What begins with a directive is for the assembler.
fn compile(target: &'static Target, source: &str) -> Input {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(if source.starts_with('.') { "a.S" } else { "a.c" });
    std::fs::write(&path, source).expect("written");
    let toolchains = corpus::toolchain::Toolchains::discover();
    let flags = ["-O2".to_owned(), "-fPIC".to_owned()];
    let data = corpus::build::compile_file(&path, target, None, &flags, &toolchains).expect("compiles");
    Input::new("a.o".to_owned(), Data::Read(data))
}

/// Our link of one object against a peer's link of another that has the same sections.
fn compare(peer: Peer, target: &'static Target, ours: &str, theirs: &str) -> BTreeMap<&'static str, Tally> {
    let unit = |source| {
        let unit = Bundle { name: "a.o".to_owned(), objects: vec![compile(target, source)] };
        oracle::complete(target, unit).expect("completed").objects
    };
    let (ours, theirs) = (unit(ours), unit(theirs));
    let (plain, relaxed) = (link(target, &ours, &Options::unrelaxed()), link(target, &ours, &Options::default()));
    let other = link(target, &theirs, &Options::unrelaxed());
    let program = peer.find(target).expect("the peer is installed");
    let output = peer.link(&program, &other, &theirs).expect("the peer links");
    let mut tallies = BTreeMap::new();
    oracle::compare(&plain, &relaxed, &output, &mut tallies);
    tallies
}

/// Other byte orders and pointers of another size: the same sources, linked as each linker does it. lld knows no ILP32, and
/// GNU ld relaxes its descriptors, which we do not.
#[test]
fn variants_agree() {
    let all = source("value_one", "call_one", "weak_one", "thread_one");
    let plain = "extern int value; extern int call(int); int f(int x) { value = call(x) + 1; return call(value); } int *g(void) { return &value; }";
    let both = &[Peer::Ld, Peer::Lld][..];
    let ld = &[Peer::Ld][..];
    for (name, peers, source) in [
        ("armebv7", both, &*all),
        ("thumbebv7", both, &*all),
        ("aarch64_be", both, &*all),
        ("aarch64_ilp32", ld, plain),
    ] {
        let target = Target::named(name).expect("a target");
        for &peer in peers {
            let tallies = compare(peer, target, source, source);
            assert_eq!(different(&tallies), [""; 0], "{name} {peer:?}");
            assert!(tallies.values().map(Tally::agreed).sum::<usize>() > 6, "{name} {peer:?}: {tallies:?}");
        }
        assert!(Peer::Jitlink.check(target).is_err());
    }
}

fn different(tallies: &BTreeMap<&'static str, Tally>) -> Vec<&'static str> {
    tallies.iter().filter(|(_, tally)| !tally.different.is_empty()).map(|(&name, _)| name).collect()
}

/// Everything that has a freedom: a table entry, a call, a weak call, a thread-local variable.
fn source(value: &str, call: &str, weak: &str, thread: &str) -> String {
    format!(
        "extern int value_one, value_two; extern void call_one(void), call_two(void);
         extern void weak_one(void) __attribute__((weak)); void strong_one(void);
         extern _Thread_local int thread_one, thread_two;
         void keep(void) {{ value_one = value_two = thread_one = thread_two = 1; call_one(); call_two(); strong_one(); }}
         int *value(void) {{ return &{value}; }}
         void call(void) {{ {call}(); }}
         void weak(void) {{ {weak}(); }}
         int thread(void) {{ return {thread}; }}"
    )
}

/// A peer that links something else is found out, whatever it was free to do.
#[test]
fn freedoms_excuse_nothing_else() {
    for target in ["aarch64", "armv7", "thumbv7"].map(|name| Target::named(name).expect("a target")) {
        for peer in [Peer::Ld, Peer::Lld] {
            let right = source("value_one", "call_one", "weak_one", "thread_one");
            let same = compare(peer, target, &right, &right);
            assert_eq!(different(&same), [""; 0], "{target:?} {peer:?} {same:?}");
            let wrong = [
                source("value_two", "call_one", "weak_one", "thread_one"),
                source("value_one", "call_two", "weak_one", "thread_one"),
                source("value_one", "call_one", "strong_one", "thread_one"),
                source("value_one", "call_one", "weak_one", "thread_two"),
            ];
            for wrong in wrong {
                let tallies = compare(peer, target, &right, &wrong);
                assert!(!different(&tallies).is_empty(), "{} {peer:?}: {wrong}\n{tallies:?}", target.name);
            }
        }
    }
}

/// Call frames and the index of unwinding tables are compared by what they say.
#[test]
fn frames_that_say_something_else_differ() {
    let frame = |offset: u32| {
        format!(".globl f\n.type f, %function\nf: .cfi_startproc\n.cfi_def_cfa_offset {offset}\nret\n.cfi_endproc\n")
    };
    let entry =
        |unwinding: &str| format!(".arm\n.globl f\n.type f, %function\nf: .fnstart\nnop\nbx lr\n{unwinding}\n.fnend\n");
    for (target, relocation, right, wrong) in [
        ("aarch64", "R_AARCH64_PREL32", frame(16), frame(32)),
        ("armv7", "R_ARM_PREL31", entry(".pad #8"), entry(".pad #16")),
        ("armv7", "R_ARM_PREL31", entry(".pad #8"), entry(".cantunwind")),
    ] {
        let target = Target::named(target).expect("a target");
        for peer in [Peer::Ld, Peer::Lld] {
            let same = compare(peer, target, &right, &right);
            assert!(different(&same).is_empty() && same[relocation].meant() > 0, "{peer:?} {same:?}");
            let tallies = compare(peer, target, &right, &wrong);
            assert_eq!(different(&tallies), [relocation], "{peer:?} {tallies:?}");
            let ruling = &tallies[relocation].different[0].ruling;
            assert!(ruling.word() == "ours" && ruling.to_string().contains("the code at"), "{ruling}");
        }
    }
}

/// The directories of cross libraries of Debian and Fedora.
fn library(target: &str, name: &str) -> PathBuf {
    let triplet = if target == "aarch64" { "aarch64-linux-gnu" } else { "arm-linux-gnueabihf" };
    let places = [format!("/usr/lib/gcc-cross/{triplet}/12/{name}"), format!("/usr/{triplet}/lib/{name}")];
    let found = places.iter().map(Path::new).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} for {triplet} is missing (package gcc-12-{triplet})")).to_owned()
}

/// Every object of a library, by the program itself. All of them with `LINKRIG_LIBRARIES=all`; libgcc and libm otherwise.
#[test]
fn real_libraries_agree() {
    let all = std::env::var("LINKRIG_LIBRARIES").is_ok_and(|value| value == "all");
    let names: &[&str] = if all { &["libgcc.a", "libm.a", "libc.a", "libstdc++.a"] } else { &["libgcc.a", "libm.a"] };
    for (target, floor) in [("aarch64", 900), ("armv7", 200)] {
        for name in names {
            let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
            let output = command.args(["diff", "--json"]).arg(library(target, name)).output();
            let output = output.expect("the program starts");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{target} {name}:\n{text}{error}");
            let survey: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            for peer in ["GNU ld", "lld"] {
                let sum = &survey["peers"][peer];
                assert_eq!(sum["refused"], serde_json::json!([]), "{target} {name} {peer}");
                let relocations = sum["relocations"].as_object().expect("relocations");
                let mut agreed = 0;
                for (relocation, tally) in relocations {
                    let told = || format!("{target} {name} {peer} {relocation}: {tally}");
                    let same = tally["same"].as_u64().expect("a count") + total(&tally["meant"]);
                    assert_eq!(tally["different"], serde_json::json!([]), "{}", told());
                    assert!(total(&tally["excused"]) * 100 <= same * MOST_EXCUSED, "{}", told());
                    assert_eq!(tally["excluded"].get("dropped"), None, "{}", told());
                    agreed += same;
                }
                assert!(agreed > floor, "{target} {name} {peer}: only {agreed} fields are the same:\n{text}");
            }
        }
    }
}

/// Of a hundred fields of a relocation, how many a freedom may excuse.
const MOST_EXCUSED: u64 = 5;

/// The sum of some counts.
fn total(counts: &serde_json::Value) -> u64 {
    let counts = counts.as_object().expect("counts");
    counts.values().map(|count| count.as_u64().expect("a count")).sum()
}

/// Fields are read back from memory and held against the ABI's formula: one that is right, one with a bit turned, and data that
/// the program may have written since.
#[test]
fn fields_in_memory_are_checked() {
    use reports::model::Verdict;
    let target = Target::named("aarch64").expect("a target");
    let source =
        ".text\n.global f\nf: bl g\n ret\n.section .text.g,\"ax\"\n.global g\ng: ret\n.data\n.global p\np: .xword g\n";
    let objects = [compile(target, source)];
    let linked = link(target, &objects, &Options::unrelaxed());
    let graph = linked.graph();
    let edges: Vec<_> = graph.live_edges().map(|(id, edge)| (id, graph.row(edge).name)).collect();
    let (ids, names): (Vec<_>, Vec<_>) = edges.into_iter().unzip();
    let inspect = |turned: Option<u64>| {
        let mut read = |address: u64, into: &mut [u8]| {
            let Some((_, bytes)) = linked.handle.segments().find(|(start, _)| *start == address) else { return false };
            into.copy_from_slice(&bytes[..into.len()]);
            if let Some(at) = turned.and_then(|at| at.checked_sub(address)).filter(|at| *at < into.len() as u64) {
                into[at as usize] ^= 1;
            }
            true
        };
        let checked = oracle::inspect(&linked, &ids, &mut read);
        names.iter().copied().zip(checked).collect::<BTreeMap<&str, _>>()
    };
    let right = inspect(None);
    assert!(right.len() >= 2 && right.values().all(|checked| checked.verdict == Verdict::Right), "{right:?}");
    let wrong = inspect(linked.address("f"));
    let call = &wrong["R_AARCH64_CALL26"];
    assert_eq!(call.verdict, Verdict::Wrong, "{call:?}");
    assert!(call.why.contains("the ABI says") && call.why.contains("which makes"), "{call:?}");
    assert_eq!(wrong["R_AARCH64_ABS64"].verdict, Verdict::Right);
    let written = inspect(linked.address("p"));
    let pointer = &written["R_AARCH64_ABS64"];
    assert_eq!(pointer.verdict, Verdict::Unknown, "{pointer:?}");
    assert!(pointer.why.starts_with("the program has written there since"), "{pointer:?}");
}
