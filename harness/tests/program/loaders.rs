//! Loaders that run as the guest: the example of docs/loaders.md, which is right, the same with mistakes, and loaders that do what
//! none may.

use std::path::{Path, PathBuf};

use reports::model::{Record, Status, Verdict};

use crate::room::Room;

/// A case of two functions in two sections, of which one calls the other.
const CALL: &str = "elf/aarch64/branches/a64_call_and_jump/gcc12/near/unicorn";

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loaders")
}

fn subject(file: &Path) -> String {
    format!("loader:{}", file.display())
}

impl Room {
    /// The example, with this in the place of that in one of its files, and with more lines in front of its description.
    fn altered(&self, file: &str, this: &str, that: &str, lines: &str) -> String {
        let to = self.path("loaders");
        std::fs::create_dir_all(to.join("example")).expect("a directory");
        for name in ["loader.h", "loader.c", "a64.c", "thumb.c"] {
            let name = format!("example/{name}");
            let text = std::fs::read_to_string(example().join(&name)).expect("a file of the example");
            let text = if name.ends_with(file) {
                assert!(text.contains(this), "{this}");
                text.replace(this, that)
            } else {
                text
            };
            std::fs::write(to.join(&name), text).expect("written");
        }
        let text = std::fs::read_to_string(example().join("example.toml")).expect("a description");
        std::fs::write(to.join("example.toml"), format!("{lines}{text}")).expect("written");
        subject(&to.join("example.toml"))
    }

    /// A loader for AArch64 whose `lr_load` is these statements.
    fn loader(&self, statements: &str, lines: &str) -> String {
        let source = format!(
            "#include \"linkrig-loader.h\"\nint printf(const char *, ...);\nvoid exit(int);\n\
             int lr_load(const void *object, size_t size, const struct lr_memory *memory, lr_resolve *resolve) {{\n\
             {statements}\nreturn 0; }}\n"
        );
        std::fs::write(self.path("mine.c"), source).expect("written");
        let text = format!("name = \"mine\"\n{lines}\n[targets]\naarch64 = [\"mine.c\"]\n");
        let file = self.path("mine.toml");
        std::fs::write(&file, text).expect("written");
        subject(&file)
    }

    /// What the one configuration came to whose loader is this.
    fn judged(&self, loader: &str, case: &str) -> (Record, String) {
        let (text, mut records) = self.report(&["--subject", loader, "--exact", case]);
        assert_eq!(records.len(), 1, "{text}");
        let record = records.remove(0);
        assert_eq!(record.subject.as_deref(), Some(loader));
        let failure = record.failure.as_ref().map(|failure| failure.problems.join("\n"));
        let said = failure.or(record.reason.clone()).unwrap_or_default();
        (record, said)
    }
}

fn counts(records: &[Record], target: &str) -> (usize, usize) {
    let of = |status| records.iter().filter(|record| record.target == target && record.status == status).count();
    (of(Status::Passed), of(Status::Failed))
}

#[test]
fn the_example_is_right_in_all_layouts() {
    let room = Room::new();
    let loader = subject(&example().join("example.toml"));
    let groups =
        ["/branches/", "/calls/", "/cores/", "/data/", "/got/", "/init/", "/veneers/", "/weak/", "/linkerrors/"];
    let words = ["--subject", &loader, "--arch", "aarch64,thumbv7,thumbv7m"];
    let (text, records) = room.report(&[&words[..], &groups].concat());
    for (target, least) in [("aarch64", 3000), ("thumbv7", 1800), ("thumbv7m", 400)] {
        let (passed, failed) = counts(&records, target);
        assert!(failed == 0 && passed >= least, "{target}: {passed} passed, {failed} failed\n{text}");
    }
    assert!(records.iter().any(|record| record.layout == "far" && record.case.starts_with("veneers/")), "{text}");
    // Relocations are counted, as for a linker.
    let call = records.iter().find(|record| record.name == CALL).expect("the case");
    assert!(call.relocations.contains_key("R_AARCH64_CALL26"), "{call:?}");
}

#[test]
fn a_loader_that_gets_memory_by_kind_is_right_too() {
    let room = Room::new();
    let loader = room.altered("a64.c", "", "", "places = \"kinds\"\n");
    let words = ["--subject", &loader, "--arch", "aarch64,thumbv7", "/calls/", "/data/", "/faults/", "/linkerrors/"];
    let (text, records) = room.report(&words);
    for target in ["aarch64", "thumbv7"] {
        let (passed, failed) = counts(&records, target);
        assert!(failed == 0 && passed >= 700, "{target}: {passed} passed, {failed} failed\n{text}");
    }
    let (_, text) = room.run(&[
        "--subject",
        &loader,
        "--layout",
        "at:a64_call_and_jump.o(.text.one)=0x500000",
        "a64_call_and_jump",
    ]);
    assert!(text.contains("example cannot be told where single sections go"), "{text}");
}

#[test]
fn a_loader_runs_on_a_board_of_the_m_profile() {
    let room = Room::new();
    let loader = subject(&example().join("example.toml"));
    let words = ["--subject", &loader, "--executor", "mps2-an385", "--layout", "near", "/branches/", "cores/globals"];
    let (text, records) = room.report(&words);
    let (passed, failed) = counts(&records, "thumbv7m");
    assert!(failed == 0 && passed >= 8, "{passed} passed, {failed} failed\n{text}");
}

#[test]
fn modules_that_ld_r_has_joined_are_loaded() {
    let room = Room::new();
    let loader = subject(&example().join("example.toml"));
    let words = ["--rebuild", "--subject", &loader, "--arch", "aarch64,thumbv7", "/modules/"];
    let (text, records) = room.report(&words);
    for (target, least) in [("aarch64", 80), ("thumbv7", 40)] {
        let (passed, failed) = counts(&records, target);
        assert!(failed == 0 && passed >= least, "{target}: {passed} passed, {failed} failed\n{text}");
    }
}

#[test]
fn a_wrong_shift_is_named_by_its_relocation() {
    let room = Room::new();
    // Where words are loaded, the offset counts bytes.
    let (this, that) = ("(uint32_t)(x >> scale), 10, 12", "(uint32_t)(scale == 2 ? x : x >> scale), 10, 12");
    let loader = room.altered("a64.c", this, that, "");
    let case = "elf/aarch64/addresses/static_local/gcc12-O2.no-pic/near/unicorn";
    let (record, said) = room.judged(&loader, case);
    assert_eq!(record.status, Status::Failed, "{said}");
    let failure = record.failure.expect("a failure");
    let suspect = &failure.suspects[0];
    assert_eq!(suspect.relocation, "R_AARCH64_LDST32_ABS_LO12_NC", "{failure:?}");
    assert!(suspect.site.starts_with("static_local.o(.text+0x"), "{failure:?}");
    let checked = suspect.checked.as_ref().expect("checked");
    assert!(checked.verdict == Verdict::Wrong && checked.why.contains("the ABI says S + A = "), "{failure:?}");
    assert!(checked.why.contains("expected ") && !suspect.after.is_empty(), "{failure:?}");
    assert!(said.contains("example wrote"), "{said}");
    // What is known of it is said, and it stays a failure.
    let file = loader.trim_start_matches("loader:").to_owned();
    let text = std::fs::read_to_string(&file).expect("a description");
    let known =
        "\n[[failures]]\ncase = \"addresses/\"\nsays = \"example wrote\"\nreason = \"its fault: it counts bytes\"\n";
    std::fs::write(&file, text + known).expect("written");
    let (record, said) = room.judged(&loader, case);
    assert_eq!((record.status, record.known()), (Status::Failed, Some("its fault: it counts bytes")), "{said}");
    // A field that no case reads is found as well.
    let (this, that) = ("i1 << 23", "i1 << 22");
    let loader = room.altered("thumb.c", this, that, "");
    let words = ["--subject", &loader, "--arch", "thumbv7", "--layout", "near", "/branches/"];
    let (text, records) = room.report(&words);
    let failed = records.iter().filter_map(|record| record.failure.as_ref());
    let wrong =
        failed.flat_map(|failure| &failure.suspects).filter(|suspect| suspect.relocation.starts_with("R_ARM_THM_"));
    assert!(wrong.count() > 0, "{text}");
}

#[test]
fn what_a_loader_must_not_do_is_a_failure_of_its_own() {
    let room = Room::new();
    let first = "const struct lr_region *r = memory->regions;";
    for (statements, lines, told) in [
        (
            "for (;;);",
            "instructions = 100000",
            "mine did not return from lr_load for a64_call_and_jump.o: out of budget: too many instructions",
        ),
        ("for (;;) lr_sync(0, 0);", "instructions = 100000", "out of budget"),
        ("*(volatile int *)8 = 1;", "", "write fault"),
        ("((void (*)(void))memory->regions->start)();", "", "fetch fault"),
        ("((volatile char *)object)[0] = 1;", "", "write fault"),
        ("exit(3);", "", "exit(3)"),
        (
            "printf(\"no such thing\\n\"); return 42;",
            "",
            "loading failed (other): mine says: lr_load returned 42 for a64_call_and_jump.o; it printed: no such thing",
        ),
        ("printf(\"relocation out of range\\n\"); return 42;", "", "loading failed (out of range)"),
        ("return -5;", "[results]\n-5 = \"undefined\"", "loading failed (undefined)"),
        ("", "", "no such function `"),
        ("", "", "mine did not load a64_call_and_jump.o(.text.one)"),
        ("lr_section(99, memory->regions->start);", "", "section 99 of a64_call_and_jump.o is none that is loaded"),
        ("lr_section(memory->regions->section, (char *)memory->regions->start + 4);", "", "and the layout has it at"),
        ("lr_symbol(\"nobody\", 4);", "", "`nobody` of a64_call_and_jump.o is none that the object defines"),
        (
            &format!("{first} lr_section(r->section, r->start); ((char *)r->start)[r->size] = 1;"),
            "",
            "mine wrote outside of its memory",
        ),
        (
            &format!("{first} lr_section(r->section, r->start);"),
            "",
            "a byte that no relocation is about is not the object's",
        ),
        (&format!("{first} lr_section(r->section, r->start);"), "sync = true", "nobody said lr_sync"),
        (
            "for (int i = 0; i < 200000; i++) lr_section(1, 0);",
            "",
            "said more of a64_call_and_jump.o than anybody listens to",
        ),
    ] {
        let loader = room.loader(statements, lines);
        let (record, said) = room.judged(&loader, CALL);
        assert!(
            record.status == Status::Failed && said.contains(told),
            "{statements} {lines}: {:?} {said}",
            record.status
        );
        assert!(said.len() < 5000, "{statements}: {} bytes", said.len());
    }
}

#[test]
fn an_error_that_there_is_no_reason_for_is_told_by_the_abi() {
    let room = Room::new();
    let loader =
        room.altered("a64.c", "if (!fits(distance, 28)) {", "if (fits(distance, 28)) { return LR_OUT_OF_RANGE;", "");
    let (record, said) = room.judged(&loader, CALL);
    assert!(record.status == Status::Failed, "{said}");
    assert!(said.contains("at R_AARCH64_CALL26 at a64_call_and_jump.o(.text.one+0x"), "{said}");
    assert!(said.contains("it is not out of range: R_AARCH64_CALL26 is S + A - P = "), "{said}");
    // Without veneers, what is too far is too far.
    let loader = room.altered("a64.c", "if (!fits(distance, 28)) {", "if (0) {", "");
    let (record, said) = room.judged(&loader, &CALL.replace("/near/", "/far/"));
    assert!(
        record.status == Status::Refused && said.contains("out of range, which is so"),
        "{:?} {said}",
        record.status
    );
}

#[test]
fn what_a_loader_lacks_is_refused_and_counted() {
    let room = Room::new();
    let loader = room.altered("a64.c", "", "", "lacks = [\"constructors\", \"circles\"]\n");
    for (case, told) in [
        ("elf/aarch64/init/order_by_priority/gcc12-O2.no-pic/near/unicorn", "example takes no constructors"),
        (
            "elf/aarch64/tls/alignment-global-dynamic-4/gcc12-O2.pic/near/unicorn",
            "example takes no thread-local variables",
        ),
        (
            "elf/aarch64/ifunc/local/gcc12-O2.no-pic/near/unicorn",
            "example takes no functions that are chosen at the start",
        ),
        ("elf/aarch64/archives/chain/gcc12-O2.no-pic/near/unicorn", "example takes no archives"),
    ] {
        let (record, said) = room.judged(&loader, case);
        assert!(record.status == Status::Refused && said.contains(told), "{case}: {:?} {said}", record.status);
    }
    let (record, said) = room.judged(&loader, "elf/aarch64/calls/mutual_recursion/gcc12-O2.no-pic/near/unicorn");
    assert!(record.status == Status::Skipped && said.contains("in a circle"), "{:?} {said}", record.status);
    let (_, text) = room.run(&["--subject", &loader, "elf/armv7/branches", "--layout", "near"]);
    assert!(text.contains("example does not load for armv7"), "{text}");
}

#[test]
fn bad_loaders_are_told_before_the_run() {
    let room = Room::new();
    let file = room.path("bad.toml");
    let good = "name = \"x\"\n[targets]\naarch64 = [\"mine.c\"]\n";
    room.loader("", "");
    std::fs::write(room.path("text.o"), "text").expect("written");
    std::fs::write(room.path("wrong.c"), "int lr_load(void) { return nothing; }\n").expect("written");
    for (text, status, told) in [
        (format!("colour = 1\n{good}"), 65, "unknown field `colour`"),
        (good.replace("aarch64", "aarch46"), 65, "there is no target `aarch46`"),
        (good.replace("\"mine.c\"", ""), 65, "the loader has no files for aarch64"),
        (good.replace("mine.c", "missing.c"), 65, "missing.c"),
        (good.replace("mine.c", "text.o"), 65, "text.o: it is neither a source nor an object nor an archive"),
        (good.replace("mine.c", "wrong.c"), 65, "wrong.c:1:"),
        (format!("instructions = 0\n{good}"), 65, "instructions = 0, expected 1 to"),
        (format!("places = \"pages\"\n{good}"), 65, "unknown variant `pages`, expected `sections` or `kinds`"),
        (format!("lacks = [\"luck\"]\n{good}"), 65, "unknown variant `luck`"),
        (format!("{good}[results]\nbad = \"other\"\n"), 65, "results: `bad` is nothing that lr_load returns"),
    ] {
        std::fs::write(&file, &text).expect("written");
        let (got, said) = room.run(&["--subject", &subject(&file), "--exact", CALL]);
        assert!(got == Some(status) && said.contains(told), "{text}: {got:?} {said}");
    }
    std::fs::write(&file, good).expect("written");
    let (got, said) = room.run(&["--subject", &subject(&file), "--link-as", "static", "--exact", CALL]);
    assert!(got == Some(2) && said.contains("a loader makes no executable"), "{got:?} {said}");
    let (got, said) = room.run(&["--subject", "loader:missing.toml", "--exact", CALL]);
    assert!(got == Some(65) && said.contains("missing.toml"), "{got:?} {said}");
    // What it is made of has to be a loader.
    std::fs::write(room.path("mine.c"), "int load(void) { return 0; }\n").expect("written");
    let (record, said) = room.judged(&subject(&file), CALL);
    assert!(
        record.status == Status::Failed && said.contains("x cannot be linked") && said.contains("lr_load"),
        "{said}"
    );
}

#[test]
fn a_loader_stands_in_the_table_of_subjects() {
    let room = Room::new();
    let loader = subject(&example().join("example.toml"));
    let words = [
        "subjects",
        "elf/aarch64/branches/a64_call_and_jump",
        "--subject",
        "ld",
        "--subject",
        &loader,
        "--layout",
        "near",
    ];
    let (status, text) = room.run(&words);
    assert!(status == Some(0) && text.contains("R_AARCH64_CALL26") && text.contains("example.toml"), "{text}");
}
