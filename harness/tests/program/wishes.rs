//! What a user of a linker says of an image by options, in our spelling and in GNU ld's, and what the image is then.

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};

use crate::bench::{Bench, HARNESS, START_A64, START_ARM};

#[test]
fn names_are_the_callers_to_say() {
    let main = "
int value(void); int other(void); int absent(void) ; int twice(void) { return 1; }
extern char absolute[], sum[]; int kept(void) { return 0; } int dropped(void) { return absent(); }
int main(void) { return value() * 10 + other() + (int)(long)sum - (int)(long)absolute - twice(); }
";
    let library = "
int __real_value(void); int __wrap_value(void) { return __real_value() + 1; } int third(void) { return 3; }
int twice(void) { return 100; }
";
    for (compiler, emulator, start) in
        [("aarch64-linux-gnu-gcc-12", "qemu-aarch64", START_A64), ("arm-linux-gnueabihf-gcc-12", "qemu-arm", START_ARM)]
    {
        let sources = [
            ("main.c", main),
            ("library.c", library),
            ("value.c", "int value(void) { return 2; }"),
            ("start.s", start),
        ];
        let bench = Bench::new(&sources);
        let compile = ["-O1", "-fno-pie", "-ffunction-sections", "-c", "main.c", "library.c", "value.c", "start.s"];
        let Some(_) = bench.done(compiler, &compile) else { continue };
        // A text may stand for a library.
        std::fs::write(bench.path("rest.ld"), "/* all */ GROUP ( library.o AS_NEEDED ( value.o ) )").expect("written");
        let objects = ["start.o", "main.o", "rest.ld"];
        let options = [
            "-o",
            "program",
            "--wrap",
            "value",
            "--defsym",
            "other=third",
            "--defsym",
            "absolute=0x1000",
            "--defsym",
            "sum=absolute+(2*3)-1",
            "--unresolved-symbols=ignore-all",
            "--gc-sections",
            "-u",
            "kept",
        ];
        let duplicates = ["--allow-multiple-definition"];
        let own = bench.path("ld");
        let own = own.to_str().expect("a text path");
        // (2 + 1) * 10 + 3 + 5 - 1, by each spelling, and by GNU ld.
        let gnu = format!("{}-ld", compiler.trim_end_matches("-gcc-12"));
        let lines = [(gnu.as_str(), &[][..]), (own, &[]), (HARNESS, &["ld"]), (HARNESS, &["link"])];
        for (program, first) in lines {
            let line = [first, &objects[..], &options[..], &duplicates[..]].concat();
            let Some(_) = bench.done(program, &line) else { continue };
            let Some(output) = bench.run(emulator, &["./program"]) else { continue };
            assert_eq!(output.status.code(), Some(37), "{program} {first:?}: {output:?}");
            let file = std::fs::read(bench.path("program")).expect("a program");
            let parsed = object::File::parse(&*file).expect("a program");
            let has = |name: &str| parsed.symbols().any(|symbol| symbol.name() == Ok(name));
            assert!(has("kept") && !has("dropped"), "{program} {first:?}");
        }
        let refused = |first: &[&str], options: &[&str], says: &str| {
            let line = [first, &objects[..], options, &["-o", "refused"]].concat();
            let output = bench.run(HARNESS, &line).expect("it is there");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && errors.contains(says), "{options:?}: {errors}");
        };
        refused(&["link"], &options[2..], "duplicate symbol: twice");
        refused(&["ld"], &["-shared"], "-shared: only static programs are linked");
        refused(&["ld"], &["-lnowhere"], "cannot find libnowhere.a");
        std::fs::write(bench.path("circle.ld"), "INPUT(circle.ld)").expect("written");
        refused(&["link"], &["circle.ld"], "name each other without end");
        refused(&["ld"], &["circle.ld"], "linker scripts name each other");
        refused(&["link"], &["-z", "nonsense"], "-z nonsense is not known");
        refused(&["link"], &["--section-start", ".text=8000", "--layout", "far"], "two layouts");
        // The same wishes hold where the program is run by us.
        let line = [&["exec", "main.o", "library.o", "value.o"], &options[2..11], &duplicates[..]].concat();
        let output = bench.run(HARNESS, &line).expect("it is there");
        assert_eq!(output.status.code(), Some(37), "{output:?}");
    }
}

#[test]
fn sections_go_where_they_are_put() {
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", "int data = 7; int main(void) { return data; }")]);
    let Some(_) = bench.done("aarch64-linux-gnu-gcc-12", &["-fno-pie", "-c", "start.s", "main.c"]) else { return };
    let place = |options: &[&str], section: &str| {
        let line = [&["ld", "start.o", "main.o", "-o", "program"], options].concat();
        bench.done(HARNESS, &line).expect("it is there");
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        if let Some(output) = bench.run("qemu-aarch64", &["./program"]) {
            assert_eq!(output.status.code(), Some(7), "{options:?}");
        }
        (
            parsed.section_by_name(".text").expect("code").address(),
            parsed.section_by_name(section).expect("it").address(),
        )
    };
    assert_eq!(place(&["-Ttext=1230000", "--section-start=.data=0x4560008"], ".data"), (0x123_0000, 0x456_0008));
    // The headers go below what is lowest; the code stays at its base all the same.
    let usual = place(&[], ".data").0;
    assert_eq!(place(&["--section-start=.data=0x20000"], ".data"), (usual, 0x2_0000));
}

/// An image as GNU ld makes it of the same words: where it begins, what its symbol table says of sources and of what nobody
/// defines, and where it starts without `_start`.
#[test]
fn images_begin_where_it_is_said_and_name_sources_and_what_is_missing() {
    let main = "extern int absent(void) __attribute__((weak)); static int local = 3; int *pointer = &local;
int main(void) { return absent ? absent() : *pointer; } int _Z5otheri(int);";
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", main)]);
    let compiler = "aarch64-linux-gnu-gcc-12";
    let Some(_) = bench.done(compiler, &["-O0", "-fno-pie", "-c", "start.s", "main.c"]) else { return };
    let own = bench.path("ld");
    let own = own.to_str().expect("a text path");
    let words = ["--image-base", "0x10000000", "start.o", "main.o", "-o", "program"];
    let gnu = ["-Ttext-segment=0x10000000", "start.o", "main.o", "-o", "program"];
    let lines = [("aarch64-linux-gnu-ld", &[][..], &gnu[..]), (own, &[], &gnu), (HARNESS, &["ld"], &words)];
    for (program, first, words) in lines.into_iter().chain([(HARNESS, &["link"][..], &words[..])]) {
        let Some(_) = bench.done(program, &[first, words].concat()) else { continue };
        let Some(output) = bench.run("qemu-aarch64", &["./program"]) else { continue };
        assert_eq!(output.status.code(), Some(3), "{program} {first:?}");
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        let lowest = parsed.segments().map(|segment| segment.address()).min();
        assert_eq!(lowest, Some(0x1000_0000), "{program} {first:?}");
        let symbols: Vec<_> = parsed.symbols().collect();
        let of = |name: &str| symbols.iter().position(|symbol| symbol.name() == Ok(name));
        // GNU ld leaves out what nobody defines; lld names it, and so does ours.
        if program != "aarch64-linux-gnu-ld" {
            let absent = &symbols[of("absent").expect("absent is named")];
            assert!(absent.is_undefined() && absent.is_weak(), "{program} {first:?}: {absent:?}");
        }
        let (source, local) = (of("main.c").expect("the source is named"), of("local").expect("a local symbol"));
        assert!(symbols[source].kind() == object::SymbolKind::File && source < local, "{program} {first:?}");
    }
    // Without a start, and with a keyword that nobody knows, both of which GNU ld warns of.
    let line = ["--defsym", "absent=main", "-z", "nonsense", "main.o", "-o", "program"];
    for program in ["aarch64-linux-gnu-ld", own] {
        let Some(output) = bench.run(program, &line) else { continue };
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.contains("nonsense") && errors.contains("_start"), "{errors}");
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        let text = parsed.section_by_name(".text").expect("code").address();
        assert_eq!(parsed.entry(), text, "{program}");
        // Each of the two is an error where warnings are.
        for words in [&line[..2], &line[..4]] {
            let words = [&["--fatal-warnings"], words, &["main.o", "-o", "fatal"]].concat();
            let Some(output) = bench.run(program, &words) else { continue };
            assert!(!output.status.success() && !bench.path("fatal").exists(), "{program} {words:?}");
        }
    }
    let output = bench.run(HARNESS, &["ld", "-e", "_Z5otheri", "main.o", "-o", "program"]).expect("it is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("other(int)"), "{errors}");
}

/// GNU ld's note: 20 bytes that are the same for the same content, and others for another.
#[test]
fn a_note_identifies_the_content() {
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", "int main(void) { return VALUE; }")]);
    let note = |value: &str, style: &str| {
        bench.done("aarch64-linux-gnu-gcc-12", &["-c", "start.s", "main.c", &format!("-DVALUE={value}")])?;
        bench.done(HARNESS, &["ld", "start.o", "main.o", "-o", "program", style])?;
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        Some(parsed.build_id().expect("readable").map(<[u8]>::to_vec))
    };
    let Some(first) = note("1", "--build-id") else { return };
    let first = first.expect("a note");
    assert_eq!(first.len(), 20);
    assert_eq!(note("1", "--build-id=sha1"), Some(Some(first.clone())));
    assert_ne!(note("2", "--build-id"), Some(Some(first)));
    assert_eq!(note("2", "--build-id=0x0123"), Some(Some(vec![0x01, 0x23])));
    assert_eq!(note("2", "--build-id=none"), Some(None));
}
