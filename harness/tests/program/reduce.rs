//! `harness reduce` by the predicates of its users: real linkers, and programs that fail.

use std::path::Path;
use std::process::Command;

use object::{Object as _, ObjectSection as _};

use crate::running::{Done, compile, done};

/// Twenty functions, of which one wants what nobody has.
fn many(wants: &str) -> String {
    let functions = (0..20).map(|n| {
        let call = if n == 13 { wants.to_owned() } else { format!("f{}(n)", (n + 1) % 20) };
        let prefix = format!(
            "int f{}(int); int data{n}[8] = {{{n}, 1, 2}}; int {wants_name}(int);",
            (n + 1) % 20,
            wants_name = "missing"
        );
        format!("{prefix} int f{n}(int n) {{ return {call} + data{n}[n & 7]; }}\n")
    });
    functions.collect()
}

struct Room {
    directory: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("between")).expect("a directory");
        Room { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("a text path").to_owned()
    }

    /// Reduces into `out`; nothing is left in between.
    fn reduce(&self, words: &[&str]) -> Done {
        let between = self.path("between");
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("reduce").args(["-o", &self.path("out")]).args(words).env("TMPDIR", &between);
        let done = done(command);
        assert!(std::fs::read_dir(&between).expect("a directory").next().is_none(), "{}{}", done.out, done.err);
        done
    }
}

/// Relocations, and bytes that are not zero in sections of the program, of an object.
fn left(object: &str) -> (usize, usize) {
    let data = std::fs::read(object).expect("an object");
    let file = object::File::parse(&*data).expect("ELF");
    let relocations = file.sections().map(|section| section.relocations().count()).sum();
    let content =
        file.sections().filter(|section| section.address() == 0 && section.kind() != object::SectionKind::Metadata);
    let bytes =
        content.flat_map(|section| section.data().unwrap_or_default().to_vec()).filter(|&byte| byte != 0).count();
    (relocations, bytes)
}

#[test]
fn what_a_linker_refuses_is_reduced_to_one_relocation() {
    let room = Room::new();
    for target in ["aarch64", "thumbv7"] {
        let flags = ["-O1", "-ffunction-sections", "-fno-optimize-sibling-calls"];
        let first = compile(room.directory.path(), target, "first.c", &many("missing(n)"), &flags);
        let second = compile(room.directory.path(), target, "second.c", "int other(int n) { return n; }", &flags);
        let ld = if target == "aarch64" { "aarch64-linux-gnu-ld" } else { "arm-linux-gnueabihf-ld" };
        let library = room.path("library.a");
        let _ = std::fs::remove_file(&library);
        let made = Command::new("ar").args(["rc", &library, &second]).status();
        assert!(made.expect("ar").success());
        let predicate = format!("{ld} {{}} -o image 2>&1 | grep -q 'undefined reference to .missing'");
        let done = room.reduce(&["--predicate", &predicate, &second, &first, &library]);
        assert_eq!(done.status, 0, "{target}: {}{}", done.out, done.err);
        let name = format!("first.c-{target}.o");
        let reduced = room.path(&format!("out/{name}"));
        assert!(done.out.starts_with("1 files and members with "), "{target}: {}", done.out);
        assert!(
            done.out.contains(&format!("  {name}: 1 sections, ")) && done.out.contains(" 1 relocations\n"),
            "{target}: {}",
            done.out
        );
        let (relocations, bytes) = left(&reduced);
        assert!(relocations == 1 && bytes <= 8, "{target}: {relocations}, {bytes}: {}", done.out);
        // Another one says so, too.
        let said = Command::new(ld).args([&reduced, "-o", &room.path("image")]).output().expect("a linker");
        assert!(String::from_utf8_lossy(&said.stderr).contains("undefined reference to `missing'"));
        std::fs::remove_dir_all(room.path("out")).expect("removed");
    }
}

#[test]
fn a_program_that_fails_is_reduced_while_it_fails_alike() {
    let room = Room::new();
    let source =
        format!("{}int main(void) {{ data3[1] = 9; return *(volatile int *)0x16000000 + f1(2); }}", many("f0(n)"));
    let object = compile(room.directory.path(), "armv7", "program.c", &source, &["-O1", "-ffunction-sections"]);
    let helper = compile(room.directory.path(), "armv7", "helper.c", "int unused(void) { return 1; }", &[]);
    let done = room.reduce(&["--fails", &helper, &object, "--", "--budget", "100000"]);
    assert_eq!(done.status, 0, "{}{}", done.out, done.err);
    assert!(done.out.starts_with("1 files and members"), "{}", done.out);
    let reduced = room.path("out/program.c-armv7.o");
    let again = crate::running::exec(&[&reduced]);
    assert!(again.status == 139 && again.err.starts_with("main: read fault at 0x"), "{}", again.err);
    let (relocations, bytes) = left(&reduced);
    let (before, all) = left(&object);
    assert!(relocations == 0 && bytes * 10 < all && before > 20, "{relocations} of {before}, {bytes} of {all}");
    // One that does not fail is no input.
    let right = room.reduce(&["--fails", &object, "--", "--entry", "f1", "--arg", "2", "--budget", "1"]);
    assert_eq!(right.status, 0, "a budget that is used up is a failure, too: {}", right.err);
    let right = room.reduce(&["--fails", &helper, "--", "--entry", "unused"]);
    assert_eq!(right.status, 4, "{}{}", right.out, right.err);
    assert!(right.err.contains("it does not fail"), "{}", right.err);
}

#[test]
fn what_lld_and_mold_write_is_an_input() {
    let room = Room::new();
    let objects: Vec<String> = [
        ("one.c", "int two(void); int _start(void) { return two(); }"),
        ("two.c", "int three(void); int two(void) { return three(); }"),
    ]
    .map(|(name, source)| compile(room.directory.path(), "aarch64", name, source, &[]))
    .into();
    let library = room.path("library.a");
    let third = compile(room.directory.path(), "aarch64", "three.c", "int three(void) { return 3; }", &[]);
    assert!(Command::new("ar").args(["rc", &library, &third]).status().expect("ar").success());
    let image = room.path("image");
    let mut tars = Vec::new();
    for (linker, words) in [
        ("ld.lld-19", vec![format!("--reproduce={}", room.path("lld.tar"))]),
        ("mold", vec!["-m".into(), "aarch64linux".into(), "--repro".into()]),
    ] {
        if which::which(linker).is_err() {
            println!("skipped: {linker} is not installed");
            continue;
        }
        let linked = Command::new(linker).args(&words).args(&objects).args([&library, "-o", &image]).status();
        assert!(linked.expect("a linker").success(), "{linker}");
        tars.push(if linker == "mold" { format!("{image}.repro.tar") } else { room.path("lld.tar") });
    }
    for tar in &tars {
        // The failure is that `_start` and `three` are defined: the object in between is none of it.
        let predicate = "aarch64-linux-gnu-ld -r {} -o both && aarch64-linux-gnu-nm both > names && grep -q 'T _start' names && test -e library.a";
        let done = room.reduce(&["--predicate", predicate, tar]);
        assert_eq!(done.status, 0, "{tar}: {}{}", done.out, done.err);
        assert!(done.err.starts_with("note: the link had these words, too: "), "{}", done.err);
        let names: Vec<&str> =
            done.out.lines().skip(1).map(|line| line.trim().split(':').next().unwrap_or_default()).collect();
        assert_eq!(names[..2], ["one.c-aarch64.o", "library.a(three.c-aarch64.o)"], "{tar}: {}", done.out);
        assert!(Path::new(&room.path("out/library.a")).exists() && done.out.starts_with("2 files"), "{}", done.out);
    }
    assert!(!tars.is_empty());
}

#[test]
fn predicates_are_bounded_and_bad_input_is_said() {
    let room = Room::new();
    let object = compile(room.directory.path(), "aarch64", "one.c", "int one(void) { return 1; }", &[]);
    let slow = room.reduce(&["--predicate", "sleep 100; echo", "--timeout", "0.2", &object]);
    assert!(slow.status == 4 && slow.err.contains("it does not fail (out of time)"), "{}", slow.err);
    let never = room.reduce(&["--predicate", "false", &object]);
    assert_eq!(never.status, 4, "{}", never.err);
    let neither = room.reduce(&[&object]);
    assert_eq!(neither.status, 2, "{}", neither.err);
    let words = room.reduce(&["--predicate", "true", &object, "--", "--entry", "one"]);
    assert!(words.status == 2 && words.err.contains("with --fails"), "{}", words.err);
    // These are no failures of the object.
    for (more, status) in [(["--", "--nosuch"], 2), (["--", "no-such-file"], 65)] {
        let said = room.reduce(&[&["--fails", &object], &more[..]].concat());
        assert!(said.status == status && said.err.contains("does not get as far"), "{}: {}", said.status, said.err);
    }
    let tar = room.path("damaged.tar");
    let mut bytes = vec![0; 1024];
    bytes[257..262].copy_from_slice(b"ustar");
    bytes[0] = b'x';
    std::fs::write(&tar, bytes).expect("written");
    let damaged = room.reduce(&["--predicate", "true", &tar]);
    assert!(damaged.status == 65 && damaged.err.contains("damaged.tar"), "{} {}", damaged.status, damaged.err);
    // Asked twice, it has not got far, and says where it was.
    let few = room.reduce(&["--predicate", "true", "--limit", "1", &object]);
    assert!(few.status == 0 && few.out.contains("one.c-aarch64.o"), "{}{}", few.out, few.err);
}
