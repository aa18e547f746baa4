//! `harness check` on images that GNU ld and lld wrote: all fields are right, a damaged one is named, and files that are
//! malformed are refused.

use std::path::{Path, PathBuf};
use std::process::Command;

use corpus::matrix::Family;
use harness::check::{self, Findings};
use harness::linking::{Data, Input};
use harness::oracle::Peer;
use linker::Target;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags};

/// A program with calls, data, strings, a table, thread-local variables, and references to what is not there.
const MAIN: &str = r#"
extern int add(int, int), helper(int);
extern int value, missing_value __attribute__((weak));
extern int missing(int) __attribute__((weak));
extern __thread int counter;
static __thread int own = 5;
static const char *const names[] = { "first", "second", "third" };
static int (*volatile chosen)(int) = helper;
int other = 7;
const char *name(int i) { return names[i]; }
const char *greeting(void) { return "a greeting of some length"; }
static int hidden[4];
int *place(int i) { return &hidden[i]; }
void _start(void) {
    value = add(value, other) + chosen(3) + counter++ + own++;
    if (missing) value += missing(1);
    if (&missing_value) value += missing_value;
    other = name(value & 1)[0] + greeting()[1] + *place(2);
}
"#;

const HELPER: &str = r#"
int value = 3;
__thread int counter = 1;
int add(int a, int b) { return a + b; }
int helper(int x) { return x * 7 + value + counter; }
const char *again(void) { return "a greeting of some length"; }
void *__tls_get_addr(void *entry) { return entry; }
"#;

/// A directory with the objects of the program, and one archive that has the second of them.
struct Program {
    dir: tempfile::TempDir,
    target: &'static Target,
}

impl Program {
    fn new(target: &str, flags: &[&str]) -> Program {
        let program = Program {
            dir: tempfile::tempdir().expect("a directory"),
            target: Target::named(target).expect("a target"),
        };
        let toolchains = corpus::toolchain::Toolchains::discover();
        let flags: Vec<String> =
            ["-O2", "-ffunction-sections"].iter().chain(flags).map(|flag| (*flag).to_owned()).collect();
        for (name, source) in [("main", MAIN), ("helper", HELPER), ("unused", "int unused(int x) { return x + 9; }")] {
            let path = program.path(&format!("{name}.c"));
            std::fs::write(&path, source).expect("written");
            let data = corpus::build::compile_file(&path, program.target, Some(Family::Gcc), &flags, &toolchains)
                .expect("compiles");
            std::fs::write(program.path(&format!("{name}.o")), data).expect("written");
        }
        let archive = program.path("lib.a");
        let members = [program.path("helper.o"), program.path("unused.o")];
        let status = Command::new("ar").arg("rcs").arg(&archive).args(&members).status().expect("binutils");
        assert!(status.success());
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn link(&self, peer: Peer, options: &[&str]) -> PathBuf {
        let program = peer.find(self.target).expect("the peer is installed");
        let out = self.path("image");
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).args(options).args(["-o", "image", "main.o", "lib.a"]);
        let output = command.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        out
    }

    fn inputs(&self) -> Vec<Input> {
        ["main.o", "lib.a"].map(|name| input(&self.path(name))).into()
    }

    fn check(&self, image: &Path, map: Option<&str>) -> Findings {
        let map = map.map(|map| input(&self.path(map)));
        check::check(&input(image), &self.inputs(), map.as_ref()).expect("checked")
    }
}

fn input(path: &Path) -> Input {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    Input::new(name, Data::Read(std::fs::read(path).expect("a file")))
}

const TARGETS: [&str; 4] = ["aarch64", "armv7", "thumbv7", "aarch64_be"];

#[test]
fn images_of_peers_are_right() {
    let mut failures = Vec::new();
    for target in TARGETS {
        for flags in [&["-fno-pic"][..], &["-fPIC"]] {
            let program = Program::new(target, flags);
            for (peer, options) in [
                (Peer::Ld, &["-static"][..]),
                (Peer::Ld, &["-static", "-q", "-Map=map"]),
                (Peer::Ld, &["-static", "-s"]),
                (Peer::Lld, &["-static"]),
                (Peer::Lld, &["-static", "--emit-relocs"]),
                (Peer::Lld, &["-static", "-Map=map", "--gc-sections"]),
                (Peer::Lld, &["-pie", "--no-dynamic-linker", "-z", "notext"]),
                (Peer::Lld, &["-shared", "-z", "notext"]),
            ] {
                // A shared object of code that was not made for one has fields that a loader would change.
                if flags == ["-fno-pic"] && matches!(options[0], "-shared" | "-pie") {
                    continue;
                }
                let order = if target.ends_with("_be") { &["-EB"][..] } else { &[] };
                let options: Vec<&str> = options.iter().chain(order).copied().collect();
                let image = program.link(peer, &options);
                let map = options.contains(&"-Map=map").then_some("map");
                let findings = program.check(&image, map);
                let total = findings.total();
                let shown = format!(
                    "{target} {flags:?} {peer:?} {options:?}: {total:?} {:#?} {:#?} {:#?}",
                    findings.wrong, findings.unknown, findings.sections.by_end
                );
                // Without symbols, what has no bytes of its own is not found.
                let stripped = options.contains(&"-s");
                let (least, most) = if stripped { (5, 40) } else { (20, 8) };
                let good = total.wrong == 0 && total.right + total.relaxed >= least && total.unknown <= most;
                // The member that nobody asked for is none of it.
                if !good || !stripped && (findings.objects, findings.members_left) != (2, 1) {
                    failures.push(shown);
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The relocations of the code of `main.o`: the function's offset in its section is 0, as each has a section.
fn fields(object: &[u8]) -> Vec<(String, u64, u32)> {
    let file = object::File::parse(object).expect("an object");
    let mut fields = Vec::new();
    for section in file.sections().filter(|section| section.name().unwrap_or_default().starts_with(".text.")) {
        for (offset, relocation) in section.relocations() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
            // Of what is not there every slot of the table that holds nothing is right.
            let symbol = match relocation.target() {
                object::RelocationTarget::Symbol(index) => file.symbol_by_index(index).ok(),
                _ => None,
            };
            if symbol.is_some_and(|symbol| symbol.name().unwrap_or_default().starts_with("missing")) {
                continue;
            }
            fields.push((section.name().expect("a name").to_owned(), offset, r_type.0));
        }
    }
    fields
}

/// Where the image has a function, in its file.
fn offset_of(image: &[u8], function: &str) -> Option<usize> {
    let file = object::File::parse(image).expect("an image");
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(function))?;
    let address = symbol.address() & !1;
    let section =
        file.sections().find(|section| (section.address()..section.address() + section.size()).contains(&address))?;
    let (start, _) = section.file_range()?;
    Some((start + address - section.address()) as usize)
}

#[test]
fn a_damaged_field_is_named() {
    let mut failures = Vec::new();
    for (target, peer, pic) in [
        ("aarch64", Peer::Ld, "-fno-pic"),
        ("aarch64", Peer::Lld, "-fPIC"),
        ("armv7", Peer::Ld, "-fPIC"),
        ("armv7", Peer::Lld, "-fno-pic"),
        ("thumbv7", Peer::Ld, "-fno-pic"),
        ("thumbv7", Peer::Lld, "-fPIC"),
    ] {
        let program = Program::new(target, &[pic]);
        let image = program.link(peer, &["-static"]);
        let good = std::fs::read(&image).expect("the image");
        let inputs = program.inputs();
        let clean = program.check(&image, None);
        let mut named = 0;
        for (section, offset, number) in fields(&inputs[0].data) {
            let Some(start) = offset_of(&good, &section[".text.".len()..]) else { continue };
            let class = corpus::target::row(program.target).class;
            let row = corpus::abi::of(class).get(class, number).expect("a relocation of the ABI");
            let at = start + offset as usize;
            let size = row.form.place.size();
            if size == 0 {
                continue;
            }
            // The lowest bit of the field: of a page or a word, one unit.
            let word = row.form.place.word(&good[at..at + size]);
            let bit = row.field() & row.field().wrapping_neg();
            let mut bad = good.clone();
            bad[at..at + size].copy_from_slice(&row.form.place.bytes(word ^ bit));
            let image = Input::new("image", Data::Read(bad));
            let findings = check::check(&image, &inputs, None).expect("checked");
            let here = |wrong: &&check::Wrong| wrong.site.section.1 == section && wrong.site.offset == offset;
            let wrong = findings.wrong.iter().find(here);
            let shown = || {
                format!(
                    "{target} {peer:?} {pic} {}({section}+{offset:#x}): {:?} {:#?}",
                    row.name,
                    findings.total(),
                    findings.wrong
                )
            };
            match wrong {
                Some(wrong) => {
                    assert_eq!((&*wrong.site.object, &wrong.site.relocation), ("main.o", &row.name), "{}", shown());
                    assert!(wrong.within.is_some() && !wrong.why.is_empty(), "{}", shown());
                    named += 1;
                }
                // What could not be judged cannot be found wrong.
                None if clean.total().unknown > 0 && findings.total().wrong == 0 => {}
                None => failures.push(shown()),
            }
        }
        assert!(named >= 15, "{target} {peer:?} {pic}: {named}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn harness(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness")).args(arguments).env("NO_COLOR", "1").output();
    let output = output.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
}

#[test]
fn what_a_user_sees() {
    let program = Program::new("aarch64", &[]);
    let image = program.link(Peer::Ld, &["-static", "-Map=map"]);
    let [image, main, lib, map] = [image, program.path("main.o"), program.path("lib.a"), program.path("map")]
        .map(|path| path.display().to_string());
    let (status, out, err) = harness(&["check", &image, &main, &lib, "--map", &map]);
    assert_eq!((status, &*err), (0, ""), "{out}");
    assert!(
        out.contains("R_AARCH64_CALL26") && out.contains("2 objects, 1 members of archives are not in it"),
        "{out}"
    );
    let (status, out, _) = harness(&["check", &image, &main, &lib, "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((status, document["total"]["wrong"].as_u64()), (0, Some(0)));
    assert!(document["fields"]["R_AARCH64_CALL26"]["right"].as_u64() > Some(0));

    let bad = |arguments: &[&str], said: &str| {
        let (status, _, err) = harness(arguments);
        assert!(status == 65 && err.contains(said), "{arguments:?}: {status} {err}");
    };
    bad(&["check", &main, &main], "relocatable object (ET_REL, as `ld -r` writes it)");
    bad(&["check", &map, &main], "expected an ELF file");
    bad(&["check", &image, &image], "expected a relocatable object");
    bad(&["check", &image, &main, "--map", &main], "expected a map file of GNU ld, gold, lld or mold");
    bad(&["check", "/nowhere", &main], "/nowhere");
    let arm = Program::new("armv7", &[]);
    bad(&["check", &image, &arm.path("main.o").display().to_string()], "another machine than the image");
    assert_eq!(harness(&["check", &image]).0, 2);
    // Another program's objects are not in it.
    let stranger = program.path("unused.o").display().to_string();
    assert_eq!(harness(&["check", &image, &stranger]).0, 4);
}

/// A map of each linker is of its own image and of no other: neither at other addresses nor with other sizes.
#[test]
fn a_map_of_another_link_is_said_to_be_one() {
    for (target, peer) in [("aarch64", Peer::Ld), ("thumbv7", Peer::Ld), ("aarch64", Peer::Lld), ("thumbv7", Peer::Lld)]
    {
        let program = Program::new(target, &[]);
        let mut maps = Vec::new();
        for address in ["0x410000", "0x510000"] {
            let map = program.path(&format!("map{address}")).display().to_string();
            let image = program.link(peer, &["-static", &format!("-Ttext={address}"), &format!("-Map={map}")]);
            let kept = program.path(&format!("image{address}"));
            std::fs::rename(image, &kept).expect("renamed");
            maps.push((kept.display().to_string(), map));
        }
        let [main, lib] = [program.path("main.o"), program.path("lib.a")].map(|path| path.display().to_string());
        let check = |image: &str, map: &str| harness(&["check", image, &main, &lib, "--map", map]);
        let (_, _, said) = check(&maps[0].0, &maps[0].1);
        assert_eq!(said, "", "{target} {peer:?}");
        let (status, _, said) = check(&maps[0].0, &maps[1].1);
        assert_eq!(status, 0, "{target} {peer:?}: {said}");
        for says in [format!("warning: {}: the map has ", maps[1].1).as_str(), "another link", " sections and in "] {
            assert!(said.contains(says), "{target} {peer:?}: {says}: {said}");
        }
        // Both sections and symbols tell.
        for both in ["differ in 0 of", "and in 0 of"] {
            assert!(!said.contains(both), "{target} {peer:?}: {said}");
        }
    }
}

/// A generator of numbers, for damage that is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// A file with some of its bytes changed: anywhere, in the header, or in the tables behind all content.
    fn damage(&mut self, data: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = match self.below(3) {
                0 => self.below(64),
                1 => data.len() - 1 - self.below(2048.min(data.len())),
                _ => self.below(data.len()),
            };
            data[at] = match self.below(4) {
                0 => 0,
                1 => 0xff,
                2 => data[at] ^ 1 << self.below(8),
                _ => self.below(256) as u8,
            };
        }
        if self.below(16) == 0 {
            data.truncate(self.below(data.len()));
        }
        data
    }
}

/// Damaged files are errors, or come to some findings: nothing panics, and nothing takes long. `LINKRIG_CHECK` says how many.
#[test]
fn damaged_files_do_no_harm() {
    let count = std::env::var("LINKRIG_CHECK").ok().and_then(|count| count.parse().ok()).unwrap_or(600);
    let mut random = Random(1);
    for (target, peer) in [("aarch64", Peer::Lld), ("thumbv7", Peer::Ld)] {
        let program = Program::new(target, &["-fPIC"]);
        let image = program.link(peer, &["-static", "-q", "-Map=map"]);
        let files = [image, program.path("map"), program.path("main.o"), program.path("lib.a")];
        let files = files.map(|path| std::fs::read(path).expect("a file"));
        for _ in 0..count / 2 {
            let mut damaged = files.clone();
            let which = random.below(4);
            damaged[which] = random.damage(&files[which]);
            let [image, map, main, lib] = damaged.map(Data::Read);
            let inputs = [Input::new("main.o", main), Input::new("lib.a", lib)];
            let _ = check::check(&Input::new("image", image), &inputs, Some(&Input::new("map", map)));
        }
    }
}
