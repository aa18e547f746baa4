//! What the sources of the linker must not do, read off them; and that the same input gives the same bytes.

use std::path::{Path, PathBuf};

use linker::{Layout, Options, Parsed, Roots, Target};

#[path = "support/elf.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod elf;
#[path = "support/ram.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod ram;

/// A line of code: file, number, text without comments.
struct Line {
    file: String,
    number: usize,
    code: String,
}

/// The code of every source of the linker, without comments and unit tests.
fn code() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut directories = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut lines = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source");
        let file = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default().to_owned();
            lines.push(Line { file: file.clone(), number: index + 1, code });
        }
    }
    assert!(lines.len() > 2000, "the sources were found: {} lines", lines.len());
    lines
}

/// The words of a line: runs of letters and digits, lower case, `fooBar` and `foo_bar` taken apart.
fn words(code: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in code.chars() {
        if !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words
}

/// Complains about each line of which `wrong` says something, and about exceptions that no line needs any more.
fn complain(exceptions: &[(&str, &str, &str)], wrong: impl Fn(&Line) -> Option<String>) {
    let mut used = vec![false; exceptions.len()];
    let mut found = Vec::new();
    for line in code() {
        let Some(problem) = wrong(&line) else { continue };
        let excepted = exceptions.iter().position(|(file, part, _)| *file == line.file && line.code.contains(part));
        match excepted {
            Some(index) => used[index] = true,
            None => found.push(format!("{}:{}: {problem}: {}", line.file, line.number, line.code.trim())),
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    for (exception, used) in exceptions.iter().zip(used) {
        assert!(used, "no line needs the exception {exception:?} any more");
    }
}

/// Files that are about one architecture or one format, the tables that list them all, and what names what is not linked.
fn is_generic(file: &str) -> bool {
    let ours = ["arch/", "elf/", "target.rs", "foreign.rs"];
    !ours.iter().any(|place| file.starts_with(place))
}

/// Names of architectures and of object formats. `Thumb` is not one of them: it is the graph's word for an alternate
/// instruction set, as MIPS16 is one.
const NAMES: &[&str] = &[
    "arm",
    "armv6",
    "armv7",
    "aarch64",
    "arm64",
    "a32",
    "a64",
    "t32",
    "x86",
    "riscv",
    "mips",
    "loongarch",
    "elf",
    "elf32",
    "elf64",
    "macho",
    "coff",
];

#[test]
fn generic_files_name_no_architecture_and_no_format() {
    let exceptions = [
        ("lib.rs", "mod elf;", "the module has to be declared"),
        ("formats.rs", "crate::elf::FORMAT", "the table of formats: one line each"),
        ("defined.rs", ".ARM.exidx", "the table of symbols that C libraries expect, by the names of the sections"),
    ];
    complain(&exceptions, |line| {
        let named = words(&line.code).into_iter().find(|word| NAMES.contains(&word.as_str()));
        named.filter(|_| is_generic(&line.file)).map(|word| format!("names `{word}`"))
    });
}

#[test]
fn the_linker_does_no_io() {
    let io = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::io",
        "std::thread",
        "std::time",
        "std::os",
        "print!",
        "println!",
        "eprint!",
        "eprintln!",
        "dbg!",
        "env!",
    ];
    complain(&[], |line| io.iter().find(|word| line.code.contains(**word)).map(|word| format!("uses {word}")));
}

#[test]
fn the_linker_is_safe_code() {
    let root = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    assert!(root.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn errors_are_values() {
    let panics = [
        ".unwrap()",
        ".expect(",
        "panic!",
        "unreachable!",
        "assert!",
        "assert_eq!",
        "assert_ne!",
        "todo!",
        "unimplemented!",
    ];
    complain(&[], |line| panics.iter().find(|word| line.code.contains(**word)).map(|word| format!("has {word}")));
}

/// Looking into a map by key is fine; walking through one is what may show in the output.
#[test]
fn nothing_walks_through_a_map_without_sorting() {
    let lines = code();
    let mut maps: Vec<(String, String)> = Vec::new();
    let is_map = |line: &&Line| ["HashMap<", "HashSet<", "NameMap<", "NameSet<"].iter().any(|m| line.code.contains(m));
    for line in lines.iter().filter(is_map) {
        let name = line.code.split(':').next().unwrap_or_default().trim();
        let name = name.rsplit(' ').next().unwrap_or_default();
        maps.push((line.file.clone(), name.to_owned()));
    }
    assert!(maps.len() > 5, "the maps were found");
    let exceptions = [("names.rs", "globals.values()", "sorted in the next line")];
    let walks =
        [".iter()", ".iter_mut()", ".keys()", ".values()", ".values_mut()", ".into_iter()", ".drain()", ".retain("];
    complain(&exceptions, |line| {
        let of_file = maps.iter().filter(|(file, name)| *file == line.file && !name.is_empty());
        let walked = of_file.map(|(_, name)| name).find(|name| {
            let by_for = line.code.contains(&format!("in {name} ")) || line.code.contains(&format!("in &{name} "));
            by_for
                || walks.iter().any(|walk| {
                    let call = format!("{name}{walk}");
                    line.code
                        .find(&call)
                        .is_some_and(|at| !line.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
                })
        });
        walked.map(|name| format!("walks through {name}"))
    });
}

/// Objects with groups, table entries, stubs and archive members by the dozen.
fn objects() -> Vec<(String, Vec<u8>)> {
    use elf::{CODE, DATA, Elf, FUNC, GLOBAL, GROUP, PROGBITS, WEAK};
    let mut files = Vec::new();
    for object in 0..6 {
        let mut elf = Elf::aarch64();
        for function in 0..20 {
            let code = [0x9400_0000u32, 0x9000_0001, 0xd65f_03c0].map(u32::to_le_bytes).concat();
            let text = elf.section(&format!(".text.f{object}_{function}"), PROGBITS, CODE, &code);
            elf.symbol(&format!("f{object}_{function}"), GLOBAL | FUNC, text, 0);
            let called = elf.wants(&format!("f{}_{}", (object + 1) % 6, (function * 7) % 20));
            elf.relocate(text, 0, elf::AARCH64_CALL26, called, 0);
            let loaded = elf.wants(&format!("out{}", function % 5));
            elf.relocate(text, 4, 311, loaded, 0);
            let shared = elf.section(".text.shared", PROGBITS, CODE, &(object as u32).to_le_bytes());
            let signature = elf.symbol(&format!("shared{function}"), WEAK | FUNC, shared, 0);
            let group = elf.section(".group", GROUP, 0, &[1u32, u32::from(shared)].map(u32::to_le_bytes).concat());
            elf.of(group).info = signature as u32;
        }
        elf.section("set", PROGBITS, DATA, &[object as u8; 8]);
        files.push((format!("{object}.o"), elf.bytes()));
    }
    let (_, last) = files.pop().expect("six");
    let names: Vec<String> = (0..20).map(|function| format!("f5_{function}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    files.push(("lib.a".to_owned(), elf::archive(&[("5.o", last, &names)])));
    files
}

fn bytes(files: &[(String, Vec<u8>)], layout: &Layout) -> Vec<ram::Placed> {
    let mut ram = ram::Ram::default();
    let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), Options::default());
    for (name, data) in files {
        parsed.add(name, data).expect("reads");
    }
    let reserved = parsed.prune(Roots::All).expect("prunes").reserve(&mut ram, layout).expect("lays out");
    let resolved = reserved
        .resolve(&mut ram, |name| Some(linker::link::Found::Function(0x5000_0000 + name.len() as u64 * 64)))
        .expect("known");
    resolved.fix(&mut ram).expect("fits").finalize(&mut ram).expect("finalizes").handle
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let files = objects();
    for layout in [Layout::Near, Layout::Far, Layout::Random(5)] {
        let first = bytes(&files, &layout);
        assert!(first.iter().map(|placed| placed.bytes.len()).sum::<usize>() > 1000);
        // Other threads, other addresses of everything.
        std::thread::scope(|scope| {
            let again: Vec<_> = (0..4).map(|_| scope.spawn(|| bytes(&objects(), &layout))).collect();
            for thread in again {
                assert!(thread.join().expect("links") == first, "{layout}");
            }
        });
    }
}
