//! Relocation vectors: the files are as their schema says and the same each time, nothing of the ABI is silently left out, and our
//! linker, which had no part in making them, passes them all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use corpus::abi;
use harness::vectors::against::{Subject, try_all};
use harness::vectors::data::{self, ErrorKind, Kind};
use harness::vectors::subject::{Answer, Judgement, judge};
use harness::vectors::{SCHEMA, make, read};
use linker::{TARGETS, Target};

/// A directory that the program has filled with the vectors of all targets.
pub(super) static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), &[]);
    directory
});

fn write(directory: &Path, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command.args(["vectors", "-o"]).arg(directory).args(more).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_schema_says_what_is_written() {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    compiler.add_resource("schema.json", schema).expect("a schema");
    let schema = compiler.compile("schema.json", &mut schemas).expect("a schema that can be used");
    let directory = DIRECTORY.path();
    assert_eq!(std::fs::read_to_string(directory.join("schema.json")).expect("the schema goes with it"), SCHEMA);
    let mut files = 0;
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") || path.ends_with("schema.json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        if let Err(error) = schemas.validate(&value, schema) {
            panic!("{}: {error:#}", path.display());
        }
        // It is not one that lets everything through.
        let mut wrong = value;
        let list = ["vectors", "targets"].into_iter().find(|name| wrong.get(name).is_some()).expect("a list");
        let one = wrong[list][0].as_object_mut().expect("an object");
        let name = if list == "vectors" { "before" } else { "file" };
        one.insert(name.to_owned(), serde_json::json!(1));
        assert!(schemas.validate(&wrong, schema).is_err(), "{}: a wrong {name} is let through", path.display());
        files += 1;
    }
    assert_eq!(files, TARGETS.len() + 1);
}

/// All files of a directory.
fn content(directory: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let mut all = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("below it").to_owned();
                all.insert((name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    all
}

#[test]
fn the_same_bytes_each_time() {
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let targets = ["--arch", "thumbv7m,aarch64_ilp32"];
    assert_eq!(write(one.path(), &targets), write(two.path(), &targets));
    assert!(content(one.path()) == content(two.path()), "two runs wrote different files");
}

#[test]
fn nothing_is_silently_left_out() {
    for file in read(DIRECTORY.path()).expect("the files") {
        let target = Target::named(&file.target).expect("a target");
        let class = corpus::target::row(target).class;
        let with: BTreeSet<u32> = file.relocations.iter().map(|row| row.number).collect();
        let without: BTreeSet<u32> =
            file.left_out.iter().filter(|left_out| left_out.kind.is_none()).map(|left_out| left_out.number).collect();
        for relocation in abi::of(class).relocations.iter().filter(|relocation| relocation.class == class) {
            let (has, lacks) = (with.contains(&relocation.number), without.contains(&relocation.number));
            assert!(
                has != lacks,
                "{}: {} has vectors: {has}, a reason for none: {lacks}",
                file.target,
                relocation.name
            );
        }
        assert!(file.left_out.iter().all(|left_out| !left_out.reason.is_empty()));
        // Each has one in range, and where there is a range its ends or a reason.
        for row in &file.relocations {
            let has = |kind| file.vectors.iter().any(|vector| vector.number == row.number && vector.kind == kind);
            let reason = |kind| {
                file.left_out.iter().any(|left_out| left_out.number == row.number && left_out.kind == Some(kind))
            };
            assert!(row.place == "none" || has(Kind::InRange) && has(Kind::Dirty), "{}: {}", file.target, row.name);
            for kind in [Kind::LastGood, Kind::FirstBad] {
                assert!(row.low.is_none() || has(kind) || reason(kind), "{}: {} {kind:?}", file.target, row.name);
            }
        }
        let ids: BTreeSet<&str> = file.vectors.iter().map(|vector| &*vector.id).collect();
        assert_eq!(ids.len(), file.vectors.len(), "two vectors of {} have one name", file.target);
        let missing = file.vectors.iter().filter_map(|vector| vector.object.as_ref());
        let missing: Vec<_> = missing.filter(|path| !DIRECTORY.path().join(path).is_file()).collect();
        assert!(missing.is_empty(), "no such objects: {missing:?}");
    }
}

#[test]
fn our_linker_passes() {
    for target in TARGETS {
        let made = make(target).expect("vectors");
        let tally = try_all(&Subject::Own, target, &made, &|| ()).expect("a tally");
        let needless = tally.counts.get(&Judgement::NeedlessVeneer).copied().unwrap_or(0);
        assert_eq!((tally.open(), needless), (0, 0), "{}: {tally}", target.name);
        let agrees = tally.counts.get(&Judgement::Agrees).copied().unwrap_or(0);
        assert!(agrees >= 1100, "{}: {tally}", target.name);
        // Long tables are the only reason not to ask.
        let not_asked = made.file.vectors.iter().filter(|vector| vector.object.is_none()).count();
        assert_eq!(tally.not_asked.values().sum::<usize>(), not_asked, "{}", target.name);
    }
}

/// What a linker does is compared, and not only looked at.
#[test]
fn a_wrong_answer_is_seen() {
    let made = make(Target::named("aarch64").expect("a target")).expect("vectors");
    let file = &made.file;
    let find = |id: &str| file.vectors.iter().find(|vector| vector.id == id).expect("the vector");
    let row = |vector: &data::Vector| file.relocations.iter().find(|row| row.number == vector.number).expect("a row");
    let of = |id: &str, answer: Answer| judge(row(find(id)), find(id), &answer);
    let good = "R_AARCH64_CALL26/last-good/2";
    assert_eq!(of(good, Answer::Bytes(vec![0, 0, 0, 0x96])), Judgement::Agrees);
    assert_eq!(of(good, Answer::Bytes(vec![1, 0, 0, 0x96])), Judgement::Differs);
    assert_eq!(of(good, Answer::Veneer(vec![1, 0, 0, 0x96])), Judgement::NeedlessVeneer);
    assert_eq!(of(good, Answer::Refused(None, String::new())), Judgement::Refuses);
    let bad = "R_AARCH64_CALL26/first-bad/1";
    assert_eq!(of(bad, Answer::Bytes(vec![0; 4])), Judgement::Accepts);
    assert_eq!(of(bad, Answer::Veneer(vec![0; 4])), Judgement::Veneer);
    assert_eq!(of(bad, Answer::Refused(Some(ErrorKind::OutOfRange), String::new())), Judgement::Agrees);
    assert_eq!(of(bad, Answer::Refused(Some(ErrorKind::Misaligned), String::new())), Judgement::OtherError);
    assert_eq!(of("R_AARCH64_CONDBR19/first-bad/1", Answer::Veneer(vec![0; 4])), Judgement::Accepts);
}

/// Some that were worked out by hand from AAELF64 and AAELF32.
#[test]
fn numbers_by_hand() {
    let known = [
        // imm26 = -0x2000000 is the field's sign bit alone.
        ("aarch64", "R_AARCH64_CALL26/last-good/2", "-0x8000000", Some("00000096")),
        ("aarch64", "R_AARCH64_CALL26/first-bad/2", "-0x8000004", None),
        ("aarch64", "R_AARCH64_ABS16/last-good/2", "0xffff", Some("ffff")),
        // Big-endian data, and little-endian code.
        ("aarch64_be", "R_AARCH64_ABS32/last-good/2", "0xffffffff", Some("ffffffff")),
        ("aarch64_be", "R_AARCH64_CALL26/last-good/2", "-0x8000000", Some("00000096")),
        // BL reaches 2^25 back: imm24 = 0x800000.
        ("armv7", "R_ARM_CALL/last-good/2", "-0x2000000", Some("000080eb")),
        // The next instruction: imm24 = -1, or a NOP.
        ("armv7", "R_ARM_CALL/weak-undefined/1", "-0x4", Some("ffffffeb")),
    ];
    let files = read(DIRECTORY.path()).expect("the files");
    for (target, id, x, after) in known {
        let file = files.iter().find(|file| file.target == target).expect("the target");
        let vector = file.vectors.iter().find(|vector| vector.id == id).unwrap_or_else(|| panic!("{target} {id}"));
        assert_eq!((&*vector.x, vector.after.as_deref()), (x, after), "{target} {id}");
    }
}
