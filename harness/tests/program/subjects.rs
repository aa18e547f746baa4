//! Other linkers under the rig: those that are installed, and programs that misbehave in every way a linker can.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reports::model::{Record, Status};

use crate::room::Room;

/// A case of two functions in two sections, of which one calls the other.
const CALL: &str = "elf/aarch64/branches/a64_call_and_jump/gcc12/near/unicorn";

impl Room {
    /// A program of these lines of a shell, and a description that calls it as GNU ld is called; it may run for two seconds.
    fn linker(&self, name: &str, lines: &str) -> String {
        let program = self.path(name);
        std::fs::write(&program, format!("#!/bin/sh\n{lines}\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        let text = format!(
            "name = \"{name}\"\nprograms = [\"{}\"]\nseconds = 2\narguments = [\"-T{{script}}\", \"-o\", \"{{output}}\", \
             \"{{inputs}}\"]\n[targets]\naarch64 = []\n",
            program.display()
        );
        let file = self.path(&format!("{name}.toml"));
        std::fs::write(&file, text).expect("written");
        file.display().to_string()
    }

    /// What the one configuration came to whose linker is a program of these lines.
    fn verdict(&self, lines: &str) -> (Status, String) {
        let linker = self.linker("mine", lines);
        let (text, records) = self.report(&["--subject", &linker, "--exact", CALL]);
        assert_eq!(records.len(), 1, "{text}");
        let record = &records[0];
        assert_eq!(record.subject.as_deref(), Some(linker.as_str()));
        let failure = record.failure.as_ref().map(|failure| failure.problems.join("\n"));
        (record.status, failure.or(record.reason.clone()).unwrap_or_default())
    }
}

const LD: &str = "aarch64-linux-gnu-ld";

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).expect("a directory").next().is_none()
}

#[test]
fn gnu_ld_and_lld_link_branches_near_and_far() {
    let room = Room::new();
    for subject in ["ld", "lld"] {
        let filter = "elf/aarch64/branches/a64_call_and_jump";
        let (text, records) = room.report(&["--subject", subject, filter]);
        let passed = records.iter().filter(|record| record.status == Status::Passed).count();
        assert!(passed >= 4 && passed == records.len(), "{subject}: {text}");
        let named = |record: &Record| record.subject.as_deref() == Some(subject);
        assert!(records.iter().all(named), "{subject}");
        assert!(records[0].relocations.contains_key("R_AARCH64_CALL26"), "{:?}", records[0]);
    }
    assert!(is_empty(&room.path("between")));
}

#[test]
fn a_command_is_a_linker() {
    let room = Room::new();
    let command = format!("cmd:{LD} {{inputs}} -T {{script}} -o {{output}}");
    let (status, text) = room.run(&["--subject", &command, "--exact", CALL]);
    assert!(status == Some(0) && text.contains("1 passed"), "{text}");
    // The script parts what is executed from what is written by the widest pages there are, which GNU ld takes if nobody says anything.
    let (status, text) = room.run(&["--subject", &command, "elf/aarch64/data/addend-1020/gcc12-O0.no-pic/near"]);
    assert!(status == Some(0) && text.contains("1 passed"), "{text}");
}

#[test]
fn an_image_that_is_far_apart_is_no_longer_for_it() {
    let room = Room::new();
    let (text, records) = room.report(&["--subject", "lld", "elf/aarch64/alignment/section_pieces/gcc12-O0.pic/far"]);
    assert!(records.len() == 1 && records[0].status == Status::Passed, "{text}");
}

#[test]
fn what_can_be_anywhere_is_moved_and_reaches_the_host() {
    let room = Room::new();
    for (subject, case) in [
        ("mold", "elf/aarch64/host/puts/gcc12-O2.no-pic.tiny/near"),
        ("wild", "elf/aarch64/host/puts/gcc12-O2.no-pic.tiny/near"),
        ("ld", "elf/thumbv7/host/puts/gcc12-O2.pic/near"),
        ("lld", "elf/aarch64/alignment/variable-16384/gcc12-O2.no-pic.tiny/high"),
        ("ld", "elf/aarch64/ifunc/local/gcc12-O2.no-pic.large/near"),
        ("lld", "elf/armv7/sections/absolute_arithmetic/gcc12-O2.pic/near"),
    ] {
        let (text, records) = room.report(&["--subject", subject, "--link-as", "static-pie", case]);
        assert!(records.len() == 1 && records[0].status == Status::Passed, "{subject}: {text}");
    }
    // A number that GNU ld moves, which nobody sees where nothing is moved.
    let words =
        ["--subject", "ld", "elf/armv7/sections/absolute_arithmetic/gcc12-O2.pic/near", "--link-as", "static-pie"];
    let (text, records) = room.report(&words);
    assert!(records[0].known().is_some_and(|known| known.contains("SHN_ABS")), "{text}");
    // An address in instructions, which mold links where it may not.
    let words = ["--subject", "mold", "elf/aarch64/movw/a64_absolute/gcc12/near", "--link-as", "static-pie"];
    let (text, records) = room.report(&words);
    assert!(records[0].known().is_some_and(|known| known.contains("without a word")), "{text}");
    let (text, records) = room.report(&words[..3]);
    assert!(records[0].known().is_none(), "{text}");
}

#[test]
fn a_field_that_is_wrong_fails_and_can_be_had_again() {
    let room = Room::new();
    // The first instruction becomes a return.
    let spoil = format!(
        "{LD} \"$@\" -z max-page-size=4096 && printf '\\300\\003\\137\\326' | dd of=out.elf bs=1 seek=4096 conv=notrunc status=none"
    );
    let linker = room.linker("mine", &spoil);
    let (text, records) = room.report(&["--subject", &linker, "--exact", CALL]);
    assert_eq!(records[0].status, Status::Failed, "{text}");
    let failure = records[0].failure.as_ref().expect("a failure");
    assert!(failure.problems[0].contains("expected") && text.contains("no field is wrong"), "{text}");
    assert!(failure.reproduce.contains(&format!("--subject {linker} ")), "{text}");
    // What failed is remembered with its linker.
    let (status, again) = room.run(&["--rerun-failed"]);
    assert!(status == Some(100) && again.contains("1 failed") && again.contains(&linker), "{again}");
    // The call goes an instruction further than it should: the field is named.
    let spoil = spoil.replace("\\300\\003\\137\\326", "\\001\\000\\000\\224").replace("seek=4096", "seek=4100");
    let linker = room.linker("other", &spoil);
    let (text, records) = room.report(&["--subject", &linker, "--exact", CALL]);
    let suspect = &records[0].failure.as_ref().expect("a failure").suspects[0];
    assert_eq!((suspect.relocation.as_str(), suspect.after.as_str()), ("R_AARCH64_CALL26", "01 00 00 94"), "{text}");
    assert!(suspect.site.ends_with("(.text.one+0x4)") && text.contains("R_AARCH64_CALL26 at "), "{text}");
}

#[test]
fn a_linker_that_misbehaves_is_a_result() {
    let room = Room::new();
    let write = |bytes: &str| format!("for w; do p=$o; o=$w; [ \"$p\" = -o ] && {bytes}; done; exit 0");
    for (lines, told) in [
        ("kill -SEGV $$", "mine ended by SIGSEGV"),
        ("echo oh >&2; kill -ABRT $$", "mine ended by SIGABRT, having said: oh"),
        ("sleep 1000 & sleep 1000", "mine does not end within 2 s"),
        ("exit 0", "mine wrote no image"),
        ("exit 3", "it said nothing (exit status: 3)"),
        ("head -c 50000000 /dev/zero | tr '\\0' x >&2; exit 1", "mine says: xxxx"),
        (&write("echo text >\"$w\""), "the image of mine"),
        (&write("truncate -s 300M \"$w\""), "longer than"),
        (&write("mkfifo \"$w\""), "a named pipe"),
        (&write("ln -s /dev/zero \"$w\""), "mine wrote no image"),
        ("echo 'a.o: relocation truncated to fit: R_AARCH64_CALL26' >&2; exit 1", "linking failed (out of range)"),
    ] {
        let (status, problem) = room.verdict(lines);
        assert!(status == Status::Failed && problem.contains(told), "{lines}: {status:?} {problem}");
        assert!(problem.len() < 5000, "{lines}: {} bytes", problem.len());
        assert!(is_empty(&room.path("between")), "{lines}");
    }
}

#[test]
fn what_a_linker_does_not_support_is_refused_and_no_failure() {
    let room = Room::new();
    let linker = room.linker("mine", "echo 'unsupported relocation type' >&2; exit 1");
    let (status, text) = room.run(&["--subject", &linker, "--exact", CALL]);
    assert!(status == Some(0) && text.contains("1 refused") && text.contains("unsupported relocation type"), "{text}");
    // A target that its description does not have is not asked for.
    let (_, text) = room.run(&["--subject", &linker, "elf/armv6/branches", "--layout", "near"]);
    assert!(text.contains("mine does not link for armv6"), "{text}");
}

#[test]
fn an_expected_error_has_to_be_of_the_same_kind() {
    let room = Room::new();
    let case = "elf/aarch64/linkerrors/undefined_function/gcc12-O0.no-pic/near/unicorn";
    for (said, status) in
        [("undefined reference to `missing'", Status::Passed), ("relocation truncated to fit", Status::Failed)]
    {
        let linker = room.linker("mine", &format!("echo \"{}\" >&2; exit 1", said.replace('`', "")));
        let (text, records) = room.report(&["--subject", &linker, "--exact", case]);
        assert_eq!(records[0].status, status, "{said}: {text}");
    }
    let (text, records) = room.report(&["--subject", "ld", "--exact", case]);
    assert_eq!(records[0].status, Status::Passed, "{text}");
}

#[test]
fn bad_linkers_are_told_before_the_run() {
    let room = Room::new();
    let good = std::fs::read_to_string(room.linker("mine", "exit 0")).expect("a description");
    let file = room.path("bad.toml").display().to_string();
    std::fs::write(&file, format!("colour = 1\n{good}")).expect("written");
    for (subject, status, told) in [
        ("ldd", 2, "expected one of ld, gold, lld, mold, wild, llvm-jitlink"),
        ("cmd:ld {inputs}", 2, "`{output}` is missing"),
        ("cmd:ld {input} -o {output}", 2, "`{input}` in `{input}` is nothing that is known"),
        ("cmd:ld 'a {inputs} -o {output}", 2, "a quotation mark ' is not closed"),
        ("missing.toml", 65, "missing.toml"),
        (&file, 65, "unknown field `colour`"),
    ] {
        let (got, text) = room.run(&["--subject", subject, "--exact", CALL]);
        assert!(got == Some(status) && text.contains(told), "{subject}: {got:?} {text}");
    }
    let (_, text) = room.run(&["--subject", "ld=no-such-linker", "--exact", CALL]);
    assert!(text.contains("no-such-linker is no program"), "{text}");
}

#[test]
fn what_is_known_of_a_failure_is_said_and_stays_a_failure() {
    let room = Room::new();
    // GNU ld reads the field of THM_JUMP6 as it stands.
    let words =
        ["--subject", "ld", "--layout", "near", "elf/thumbv7/branches/t16_compare_and_branch", "--toolchain", "gcc"];
    let (text, records) = room.report(&words);
    assert_eq!(records[0].status, Status::Failed, "{text}");
    assert!(records[0].known().is_some_and(|known| known.contains("AAELF32")) && text.contains("known: "), "{text}");
    // What is known is about one message, and this is another one.
    room.linker("ld", "kill -SEGV $$");
    let other = format!("ld={}", room.path("ld").display());
    let (text, records) = room.report(&[&["--subject", &other], &words[2..]].concat());
    assert!(records[0].status == Status::Failed && records[0].known().is_none(), "{text}");
}

#[test]
fn all_linkers_make_one_table() {
    let room = Room::new();
    let bad = room.linker("mine", "echo 'unsupported relocation type' >&2; exit 1");
    let [markdown, json, html] = ["t.md", "t.json", "t.html"].map(|name| room.path(name));
    let report = format!("md={},json={},html={}", markdown.display(), json.display(), html.display());
    let filter = "elf/aarch64/branches/a64_call_and_jump";
    let words = ["subjects", filter, "--subject", "ld", "--subject", &bad, "--layout", "near", "--report", &report];
    let (status, text) = room.run(&words);
    assert!(status == Some(0) && text.contains("R_AARCH64_CALL26") && text.contains("refused"), "{text}");
    let markdown = std::fs::read_to_string(markdown).expect("a report");
    assert!(markdown.contains("| R_AARCH64_CALL26 | 2 passed | 2 refused |"), "{markdown}");
    assert!(markdown.contains("GNU ld"), "{markdown}");
    assert!(std::fs::read_to_string(json).expect("a report").contains("\"R_AARCH64_CALL26\""));
    assert!(std::fs::read_to_string(html).expect("a report").contains("2 refused"));
}

/// A program that notes its words and goes on as llvm-jitlink, unless these lines do something else before.
fn jitlink(room: &Room, lines: &str) -> String {
    let program = room.path("jitlink");
    let started = room.path("started");
    let _ = std::fs::remove_file(&started);
    let text = format!("#!/bin/sh\necho \"$*\" >>'{}'\n{lines}\nexec llvm-jitlink-19 \"$@\"\n", started.display());
    std::fs::write(&program, text).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    format!("llvm-jitlink={}", program.display())
}

#[test]
fn llvm_jitlink_links_many_cases_in_one_process() {
    let room = Room::new();
    let words = ["--layout", "near", "-j", "1", "--toolchain", "gcc", "elf/aarch64/branches"];
    let subject = jitlink(&room, "");
    let (text, records) = room.report(&[&["--subject", &subject][..], &words].concat());
    let count = |status| records.iter().filter(|record| record.status == status).count();
    assert!(count(Status::Passed) >= 8 && count(Status::Failed) == 0, "{text}");
    // One that is refused ends none of those behind it.
    let refused: Vec<&Record> = records.iter().filter(|record| record.status == Status::Refused).collect();
    assert!(!refused.is_empty() && refused.iter().all(|record| record.case == "branches/none"), "{text}");
    assert!(refused[0].reason.as_ref().is_some_and(|reason| reason.contains("R_AARCH64_NONE")), "{text}");
    let started = std::fs::read_to_string(room.path("started")).expect("it has started");
    let batches = started.lines().filter(|words| words.contains("--entry")).count();
    assert_eq!(batches, 1, "{started}");
    assert!(is_empty(&room.path("between")));
    // A release that calls our functions otherwise.
    if let Ok(program) = which::which("llvm-jitlink-22") {
        let later = format!("llvm-jitlink={}", program.display());
        let (text, others) = room.report(&[&["--subject", &later][..], &words].concat());
        let statuses = |records: &[Record]| records.iter().map(|record| record.status).collect::<Vec<_>>();
        assert_eq!(statuses(&others), statuses(&records), "{text}");
    }
}

#[test]
fn what_llvm_jitlink_gets_wrong_is_named_by_its_field() {
    let room = Room::new();
    // It takes the addend of MOVT for a number without a sign, and forgets the Thumb bit.
    let case = "elf/armv7/peers/d04-movt-negative-addend/gcc12/near/unicorn";
    let (text, records) = room.report(&["--subject", &jitlink(&room, ""), "--exact", case]);
    assert_eq!(records[0].status, Status::Failed, "{text}");
    let suspects = &records[0].failure.as_ref().expect("a failure").suspects;
    assert!(suspects.iter().any(|suspect| suspect.relocation == "R_ARM_MOVT_ABS"), "{text}");
}

#[test]
fn a_process_of_llvm_jitlink_that_is_lost_costs_one_case() {
    let room = Room::new();
    let words = ["--layout", "near", "-j", "1", "--toolchain", "gcc", "elf/aarch64/branches"];
    let subject = jitlink(&room, "case \"$*\" in *a64_conditional*) kill -SEGV $$;; esac");
    let (text, records) = room.report(&[&["--subject", &subject][..], &words].concat());
    let failed: Vec<&Record> = records.iter().filter(|record| record.status == Status::Failed).collect();
    assert!(failed.len() == 1 && failed[0].case == "branches/a64_conditional", "{text}");
    assert!(text.contains("llvm-jitlink ended by SIGSEGV"), "{text}");
    for (lines, told) in [
        ("exit 3", "it said nothing (exit status: 3)"),
        ("echo 'error: Symbols not found: [ x ]' >&2; exit 1", "linking failed (undefined)"),
    ] {
        let (text, records) = room.report(&["--subject", &jitlink(&room, lines), "--exact", CALL]);
        assert!(records[0].status == Status::Failed && text.contains(told), "{text}");
    }
    assert!(is_empty(&room.path("between")));
}
