//! `harness blame` names the one field that was spoiled, and the instruction behind which the programs part.

use std::path::Path;
use std::process::Command;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use crate::running::{Done, compile, done};

const SOURCE: &str = "int table[4] = {1, 2, 3, 4};
int *volatile third = &table[2];
__attribute__((noinline)) int add(int a, int b) { return a + b; }
__attribute__((noinline)) int twice(int n) { return add(n, n); }
__attribute__((noinline)) int work(int n) {
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum = add(sum, twice(table[i & 3]));
    return sum + *third;
}
";

fn blame(words: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("blame").args(words);
    done(command)
}

/// Has a linker link at an address that is free on the emulator.
fn link(linker: &str, objects: &[&str], image: &str) {
    let linked = Command::new(linker).args(["-Ttext-segment=0x400000", "-e", "0", "-o", image]).args(objects).output();
    let linked = linked.expect("a linker");
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
}

/// A copy of an image in which the bytes at an address are others.
fn spoiled(image: &str, address: u64, change: &dyn Fn(&mut [u8])) -> String {
    let mut bytes = std::fs::read(image).expect("an image");
    let at = {
        let file = object::File::parse(&*bytes).expect("ELF");
        let holds = |section: &object::Section<'_, '_>| {
            (section.address()..section.address() + section.size()).contains(&address)
        };
        let section = file.sections().find(holds).expect("a section");
        (section.file_range().expect("in the file").0 + address - section.address()) as usize
    };
    change(&mut bytes[at..]);
    let path = format!("{image}.bad");
    std::fs::write(&path, bytes).expect("written");
    path
}

/// The place in an image of the nth relocation of a kind in a function of an object: its offset in the section, and its address.
fn field(object: &str, image: &str, function: &str, number: u32, nth: usize) -> (u64, u64) {
    let (object, image) = (std::fs::read(object).expect("an object"), std::fs::read(image).expect("an image"));
    let (object, image) = (object::File::parse(&*object).expect("ELF"), object::File::parse(&*image).expect("ELF"));
    let symbol = object.symbols().find(|symbol| symbol.name() == Ok(function)).expect("the function");
    let section = object.section_by_index(symbol.section_index().expect("a section")).expect("a section");
    let start = symbol.address() & !1;
    let inside = |offset: u64| (start..start + symbol.size()).contains(&offset);
    let is_it = |relocation: &object::Relocation| matches!(relocation.flags(), object::RelocationFlags::Elf { r_type } if r_type.0 == number);
    let mut places: Vec<u64> = section
        .relocations()
        .filter(|(offset, relocation)| inside(*offset) && is_it(relocation))
        .map(|it| it.0)
        .collect();
    places.sort_unstable();
    let offset = places[nth];
    let there = image.symbols().find(|symbol| symbol.name() == Ok(function)).expect("linked").address() & !1;
    (offset, there + offset - start)
}

/// Targets, GNU ld, the number of the relocation of a call, its name, and what becomes of its bytes for the call to go elsewhere.
type Call = (&'static str, &'static str, u32, &'static str, fn(&mut [u8]));

const CALLS: [Call; 3] = [
    ("aarch64", "aarch64-linux-gnu-ld", 283, "R_AARCH64_CALL26", |bytes| bytes[0] = bytes[0].wrapping_add(1)),
    ("armv7", "arm-linux-gnueabihf-ld", 28, "R_ARM_CALL", |bytes| bytes[0] = bytes[0].wrapping_add(1)),
    ("thumbv7", "arm-linux-gnueabihf-ld", 10, "R_ARM_THM_CALL", |bytes| bytes[2] = bytes[2].wrapping_add(1)),
];

#[test]
fn a_call_that_goes_elsewhere_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    for (target, linker, number, name, change) in CALLS {
        let object = compile(directory.path(), target, "work.c", SOURCE, &["-O1", "-fno-optimize-sibling-calls"]);
        let good = format!("{object}.elf");
        link(linker, &[&object], &good);
        let (offset, address) = field(&object, &good, "work", number, 1);
        let bad = spoiled(&good, address, &change);
        let call = ["--entry", "work", "--arg", "5"];
        let named = blame(&[&[object.as_str(), "--suspect", &bad, "--reference", &good], &call[..]].concat());
        assert_eq!(named.status, 0, "{target}: {}{}", named.out, named.err);
        let text = &named.out;
        assert!(text.contains(&format!("at {address:#x} <work+0x")), "{target}, {address:#x}: {text}");
        let guilty =
            format!("it ends as the reference's does:\n  {name} at {object}(.text+{offset:#x}) against `add`\n");
        assert!(text.contains(&guilty), "{target}: {guilty}: {text}");
        assert!(
            text.contains(&format!("P {address:#x}\n")) && text.contains("by the ABI, the suspect's is wrong"),
            "{text}"
        );
        assert!(text.contains("of them not the same") && text.contains("they part behind instruction"), "{text}");
        // The right one has nothing to be blamed for.
        let alike = blame(&[&[object.as_str(), "--suspect", &good, "--reference", &good], &call[..]].concat());
        assert_eq!(alike.status, 4, "{}", alike.out);
        assert!(alike.out.contains("both end alike"), "{}", alike.out);
    }
}

#[test]
fn a_pointer_in_data_is_named_among_linkers() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "aarch64", "work.c", SOURCE, &["-O1"]);
    // Between two linkers that are both right there is nothing, and each is told where all goes.
    let alike = blame(&[&object, "--entry", "work", "--arg", "5"]);
    assert_eq!(alike.status, 4, "{}{}", alike.out, alike.err);
    assert!(
        alike.out.contains("suspect    the image of linkrig: returned 0x") && alike.out.contains("the image of ld"),
        "{}",
        alike.out
    );
    // A linker that adds 4 to the word behind a mark, as one with a wrong addend would.
    let marked = SOURCE.replace("int *volatile third", "long mark = 0x5eed5eed5eed5eed; int *volatile third");
    let object = compile(directory.path(), "aarch64", "marked.c", &marked, &["-O1", "-fno-toplevel-reorder"]);
    let script = directory.path().join("bad-ld");
    let lines = "#!/bin/sh
aarch64-linux-gnu-ld \"$@\" || exit
while [ \"$1\" != -o ]; do shift; done
at=$(LC_ALL=C grep -obUaP '\\xed\\x5e\\xed\\x5e\\xed\\x5e\\xed\\x5e' \"$2\" | head -n 1 | cut -d : -f 1)
at=$((at + 8))
byte=$(od -A n -t u1 -j $at -N 1 \"$2\")
printf \"\\\\$(printf %o $((byte + 4)))\" | dd of=\"$2\" bs=1 seek=$at conv=notrunc status=none
";
    std::fs::write(&script, lines).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("a mode");
    let suspect = format!("cmd:{} {{inputs}} -z max-page-size=4096 -T {{script}} -o {{output}}", script.display());
    for reference in [&["--reference", "ld"][..], &[]] {
        let words = [&[object.as_str(), "--suspect", &suspect, "--entry", "work", "--arg", "5"], reference].concat();
        let named = blame(&words);
        assert_eq!(named.status, 0, "{}{}", named.out, named.err);
        let guilty = format!("  R_AARCH64_ABS64 at {object}(.data+0x");
        assert!(
            named.out.contains(&guilty) && named.out.contains("by the ABI, the suspect's is wrong"),
            "{}",
            named.out
        );
        // The pointer is right where it is loaded, and another: the instruction is the same in both.
        assert!(named.out.contains("<work+0x") && named.out.contains("  both  "), "{}", named.out);
    }
}

#[test]
fn a_field_of_a_generated_program_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let print = |seed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(["fuzz", "--print", "--seed", seed, "--count", "1", "--arch", "aarch64"]);
        done(command).out
    };
    let text = print("7");
    let mut objects = Vec::new();
    for part in text.split("@ seed ").skip(1) {
        let (head, source) = part.split_once('\n').expect("a head");
        let name = head.split_whitespace().nth(2).expect("a name").trim_end_matches(',').to_owned();
        let path = directory.path().join(&name);
        std::fs::write(&path, source).expect("written");
        let object = path.with_extension("o");
        let assembled = Command::new("aarch64-linux-gnu-as").arg(&path).arg("-o").arg(&object).status();
        assert!(assembled.expect("an assembler").success(), "{name}");
        objects.push(object.to_str().expect("a text path").to_owned());
    }
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let good = directory.path().join("good.elf").to_str().expect("a text path").to_owned();
    link("aarch64-linux-gnu-ld", &objects, &good);
    // The first call of the entry goes to the instruction behind the one that is meant.
    let owner = objects.iter().find(|object| defines(Path::new(object), "entry")).expect("an entry");
    let (offset, address) = field(owner, &good, "entry", 283, 0);
    let bad = spoiled(&good, address, &|bytes| bytes[0] = bytes[0].wrapping_add(1));
    let words = [&objects[..], &["--suspect", &bad, "--reference", &good, "--entry", "entry", "--arg", "0"]].concat();
    let named = blame(&words);
    assert_eq!(named.status, 0, "{}{}", named.out, named.err);
    let guilty = format!("R_AARCH64_CALL26 at {owner}(.text+{offset:#x}) against");
    assert!(named.out.contains(&guilty), "{guilty}: {}", named.out);
}

fn defines(object: &Path, name: &str) -> bool {
    let data = std::fs::read(object).expect("an object");
    let file = object::File::parse(&*data).expect("ELF");
    file.symbols().any(|symbol| symbol.name() == Ok(name) && symbol.is_definition())
}

#[test]
fn what_cannot_be_blamed_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "aarch64", "work.c", SOURCE, &["-O1"]);
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &[&object, "--suspect", "nobody"],
            2,
            "neither such a file nor such a linker, expected an executable, linkrig, one of ld, ",
        ),
        (&[&object, "--suspect", &object], 65, "it is an object, expected an executable, linkrig, one of ld, "),
        (
            &[&object, "--suspect", &format!("{object}.elf")],
            65,
            "there is no such file, expected an executable, linkrig",
        ),
        (&["/bin/true", "/bin/false", "--arch", "aarch64"], 2, "--suspect /bin/true --reference /bin/false"),
        (&[&object, "--reference", "there/is/none"], 65, "--reference there/is/none: there is no such file"),
        (&[&object, "--suspect", "mold"], 125, "it cannot be told where each section goes"),
        (&[&object, "--entry", "nothing"], 125, "there is no function nothing"),
        (&["/bin/true", "--arch", "aarch64"], 2, "is linked already"),
        (&[&object, "--suspect", "llvm-jitlink"], 2, "blame wants a linker that writes an executable"),
    ];
    for (words, status, why) in cases {
        let said = blame(words);
        assert_eq!(said.status, status, "{words:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(why), "{words:?}: {}", said.err);
    }
}

/// A description of a linker is a file that is no executable, and a suspect.
#[test]
fn a_description_is_a_suspect() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "aarch64", "work.c", SOURCE, &["-O1"]);
    let description = directory.path().join("mine.toml");
    let text = "name = \"mine\"\nprograms = [\"aarch64-linux-gnu-ld\"]\narguments = [\"-zmax-page-size=4096\", \"-T{script}\", \"-o\", \"{output}\", \
                \"{inputs}\"]\n[targets]\naarch64 = []\n";
    std::fs::write(&description, text).expect("writable");
    let suspect = description.to_str().expect("a text path");
    let alike = blame(&[&object, "--suspect", suspect, "--reference", "linkrig", "--entry", "work", "--arg", "5"]);
    assert!(alike.status == 4 && alike.out.contains("both end alike"), "{alike:?}");
}

/// What cannot be compared is said before anything is run.
#[test]
fn images_at_different_addresses_are_refused_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "aarch64", "work.c", SOURCE, &["-O1"]);
    let image = |address: &str, data: &str| {
        let image = format!("{object}.{address}.{data}");
        let words = ["-e", "work", "-Ttext", address, "-Tdata", data, &object, "-o", &image];
        let linked = Command::new("aarch64-linux-gnu-ld").args(words).status();
        assert!(linked.expect("a linker").success());
        image
    };
    let (one, other) = (image("0x410000", "0x800000"), image("0x510000", "0x800000"));
    let said = blame(&[&object, "--suspect", &one, "--reference", &other, "--entry", "work", "--arg", "5"]);
    assert!(said.status == 65 && said.out.is_empty(), "{said:?}");
    for says in [one.as_str(), &other, "are not at the same addresses", "work.c-aarch64.o(.text+0x", "is at 0x41"] {
        assert!(said.err.contains(says), "{says}: {}", said.err);
    }
    // Where only a few are elsewhere, the others are compared.
    let moved = image("0x410000", "0x900000");
    let said = blame(&[&object, "--suspect", &one, "--reference", &moved, "--entry", "work", "--arg", "5"]);
    assert!(said.status == 4 && said.out.contains("both end alike"), "{said:?}");
}

/// Compilers that write static programs, and what of them a call is, as in [`CALLS`].
const PROGRAMS: [(&str, &str, &[&str], usize); 3] = [
    ("aarch64", "aarch64-linux-gnu-gcc", &[], 0),
    ("armv7", "arm-linux-gnueabihf-gcc", &["-marm"], 1),
    ("thumbv7", "arm-linux-gnueabihf-gcc", &["-mthumb"], 2),
];

#[test]
fn a_linux_program_is_started_as_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let main = "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\nint work(int);
int main(int count, char **words) { time_t now = time(0); printf(\"%s: %d\\n\", words[1], work(atoi(words[1]))); return now == 0; }\n";
    for (target, compiler, flags, call) in PROGRAMS {
        let (_, _, number, name, change) = CALLS[call];
        let flags = [&["-O1", "-fno-optimize-sibling-calls"][..], flags].concat();
        let work = compile(directory.path(), target, "work.c", SOURCE, &flags);
        let main = compile(directory.path(), target, "main.c", main, &flags);
        let good = format!("{work}.elf");
        let linked = Command::new(compiler).args(["-static", &main, &work, "-o", &good]).status();
        assert!(linked.expect("a compiler").success(), "{target}");
        let (offset, address) = field(&work, &good, "work", number, 1);
        let bad = spoiled(&good, address, &change);
        let images = ["--suspect", &bad, "--reference", &good];
        let named = blame(&[&[main.as_str(), &work], &images[..], &["--", "5"]].concat());
        assert_eq!(named.status, 0, "{target}: {}{}", named.out, named.err);
        let good_end = "exited with status 0, having printed \"5: 25\\n\"\n";
        assert!(named.out.contains(good_end), "{target}: {}", named.out);
        let guilty = format!("  {name} at {work}(.text+{offset:#x}) against `add`\n");
        assert!(named.out.contains(&guilty) && named.out.contains("they part behind instruction"), "{}", named.out);
        // Random numbers, times and addresses are no difference.
        let alike = blame(&[&main, &work, "--suspect", &good, "--reference", &good, "--", "5"]);
        assert!(alike.status == 4 && alike.out.matches(good_end).count() == 2, "{alike:?}");
    }
    let object = compile(directory.path(), "aarch64", "work.c", SOURCE, &["-O1"]);
    let said = blame(&[&object, "--entry", "work", "--", "5"]);
    assert!(said.status == 2 && said.err.contains("--entry"), "{said:?}");
    let said = blame(&[&object, "--arg", "5", "--", "5"]);
    assert!(said.status == 2 && said.err.contains("are for a Linux program"), "{said:?}");
    let dynamic = format!("{object}.dynamic");
    let main = compile(directory.path(), "aarch64", "main.c", "int main(void) { return 0; }", &["-O1"]);
    let linked = Command::new("aarch64-linux-gnu-gcc").args([&main, "-o", &dynamic]).status();
    assert!(linked.expect("a compiler").success());
    let said = blame(&[&main, "--suspect", &dynamic, "--reference", &dynamic]);
    assert!(said.status == 65 && said.err.contains("wants the run-time linker /lib/ld-linux-aarch64.so.1"), "{said:?}");
}
