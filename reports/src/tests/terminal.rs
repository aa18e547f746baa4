use super::*;
use crate::terminal::{Style, failure, relocations, render, skips, verdict};

const PLAIN: Style = Style { colour: false, width: None, relocations: false };

#[test]
fn a_small_report() {
    let expected = "\
skipped
  1  clang-19 is not installed

failed as expected
  1  movt | not done

FAIL elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn
  call add(2i32, 3i32): expected 5i32 in x0, got 6i32
  known: the ABI leaves it open
    branch/call26_far.c:3  // call: add(2i32, 3i32) = 5i32
    0x8400004  00 04 00 11  add w0, w0, #1  <callee+0x4>
  > 0x8400008  c0 03 5f d6  ret
    x0    0x6        pc    0x8400008
    #0 0x8400008 callee+0x8
    #1 0x400020 add+0x20 at branch/call26_far.c:7
  R_AARCH64_CALL26 at call26_far.o(.text+0x1c) against `callee`                                AAELF64 5.7.7
    S 0x8400000  A 0  P 0x40001c   S + A - P 0x7ffffe4   allowed [-0x8000000, 0x7fffffc], multiple of 4
    before 00 00 00 94   after fa ff ff 95   under 03 ff ff ff
    0x40001c  bl 0x8400004 <callee+0x4>
    WRONG: the ABI says S + A - P = 0x7ffffe4, which makes f9 ff ff 95, not fa ff ff 95
  layout     at:call26_far.o(.text)=0x400000,callee.o(.text)=0x8400000
  reproduce  cargo run -p harness -- --exact elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn
  bless      cargo run -p harness -- --exact elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn --bless

XPASS elf/armv7/calls/xor/gcc12-O2/near/unicorn
  passed, but is marked as failing: not done either

target   passed  failed  xpassed  xfailed  skipped  checks  seconds
aarch64       1       1        0        0        0       4     0.50
armv7         0       0        1        1        1       6     0.75
all           1       1        1        1        1      10     1.25

2 failures, 2 causes
1 passed, 1 failed, 1 passed unexpectedly, 1 failed as expected, 1 skipped in 1.50 s
";
    assert_eq!(render(&Summary::of(&report()), &PLAIN), expected);
    let relocations = "\
relocation                  target   applied  configurations  failed
R_AARCH64_ADR_PREL_PG_HI21  aarch64        1               1       0
R_AARCH64_CALL26            aarch64        5               2       1

";
    let asked = Style { relocations: true, ..PLAIN };
    assert_eq!(render(&Summary::of(&report()), &asked), format!("{relocations}{expected}"));
}

/// Hundreds of failures of two causes are two failures on the screen.
#[test]
fn failures_of_one_cause_are_one() {
    let mut report = Report { start: start(), ..Report::default() };
    for index in 0..549 {
        let (target, layout) = (["aarch64", "aarch64_be"][index % 2], ["near", "far", "high", "random:1"][index % 4]);
        let case = if index < 500 { "branch/call26_far" } else { "got/pair" };
        let mut record = failed();
        record.name = format!("elf/{target}/{case}/gcc12-O2.v{index}/{layout}/unicorn");
        (record.target, record.case, record.layout) = (target.into(), case.into(), layout.into());
        let failure = record.failure.as_mut().unwrap();
        failure.problems = vec![format!("call f(): fault at {:#x}: read of {:#x}", 0x400000 + index, index * 0x1000)];
        report.results.push(record);
    }
    report.totals = Some(Summary::of(&report).finish(1.0));
    let summary = Summary::of(&report);
    let causes = summary.causes();
    assert_eq!(
        causes.iter().map(|cause| (cause.case, cause.count())).collect::<Vec<_>>(),
        [("branch/call26_far", 500), ("got/pair", 49)]
    );
    let text = render(&summary, &PLAIN);
    assert_eq!(text.matches("\nFAIL ").count() + usize::from(text.starts_with("FAIL ")), 2, "{text}");
    assert!(text.lines().count() < 50, "{text}");
    assert!(text.ends_with("549 failures, 2 causes\n549 failed in 1.00 s\n"), "{text}");
    let alike = "  and 499 configurations alike: aarch64 250, aarch64_be 250; gcc12; far 125, high 125, near 125, random:1 125; unicorn\n";
    assert!(text.contains(alike), "{text}");
}

/// What a case expected and got tells two bugs of one case apart; more causes than fit have a line, and then a number.
#[test]
fn many_causes_are_bounded() {
    let mut summary = Summary::new(start());
    for index in 0..100 {
        let mut record = failed();
        record.name = format!("elf/aarch64/group/case/gcc12-O2/near{index:03}/unicorn");
        record.failure.as_mut().unwrap().problems = vec![format!("call f(): expected 1i32, got {index}i32")];
        summary.push(&record);
    }
    summary.finish(1.0);
    let text = render(&summary, &PLAIN);
    assert_eq!(text.lines().filter(|line| line.starts_with("FAIL ")).count(), 10);
    assert!(
        text.contains("\n     1  branch/call26_far: call f(): expected 1i32, got 29i32\nand 70 more causes, which"),
        "{text}"
    );
    assert!(text.contains("100 failures, 100 causes\n"), "{text}");
}

#[test]
fn narrow_terminals() {
    let style = Style { width: Some(60), ..PLAIN };
    let expected = "\
FAIL elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn
  call add(2i32, 3i32): expected 5i32 in x0, got 6i32
  known: the ABI leaves it open
    branch/call26_far.c:3  // call: add(2i32, 3i32) = 5i32
    0x8400004  00 04 00 11  add w0, w0, #1  <callee+0x4>
  > 0x8400008  c0 03 5f d6  ret
    x0    0x6        pc    0x8400008
    #0 0x8400008 callee+0x8
    #1 0x400020 add+0x20 at branch/call26_far.c:7
  R_AARCH64_CALL26 at call26_far.o(.text+0x1c) against `callee`
    AAELF64 5.7.7
    S 0x8400000  A 0  P 0x40001c   S + A - P 0x7ffffe4
      allowed [-0x8000000, 0x7fffffc], multiple of 4
    before 00 00 00 94   after fa ff ff 95   under 03 ff ff
      ff
    0x40001c  bl 0x8400004 <callee+0x4>
    WRONG: the ABI says S + A - P = 0x7ffffe4, which makes
      f9 ff ff 95, not fa ff ff 95
  layout     at:call26_far.o(.text)=0x400000,callee.o(.text)=0x8400000
  reproduce  cargo run -p harness -- --exact elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn
  bless      cargo run -p harness -- --exact elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn --bless
";
    assert_eq!(failure(&failed(), &style), expected);
    let expected = "\
relocation
    target   applied  configurations  failed
R_AARCH64_ADR_PREL_PG_HI21
    aarch64        1               1       0
R_AARCH64_CALL26
    aarch64        5               2       1
";
    assert_eq!(relocations(&Summary::of(&report()), &style), expected);
    let mut summary = Summary::default();
    summary.push(&Record { reason: Some("a reason of many words".into()), ..record(FAR, Status::Skipped) });
    assert_eq!(skips(&summary, &Style { width: Some(20), ..PLAIN }), "skipped\n  1  a reason of\n     many words\n");
}

#[test]
fn no_trailing_blanks_at_any_width() {
    let summary = Summary::of(&report());
    for width in [None, Some(0), Some(1), Some(17), Some(79), Some(80), Some(200), Some(usize::MAX)] {
        for line in render(&summary, &Style { width, ..PLAIN }).lines() {
            assert_eq!(line, line.trim_end(), "{width:?}");
        }
    }
}

#[test]
fn colours_only_when_asked_for_and_only_colours() {
    let summary = Summary::of(&report());
    let plain = render(&summary, &PLAIN);
    let coloured = render(&summary, &Style { colour: true, ..PLAIN });
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[1;31mFAIL elf/"));
    let mut stripped = String::new();
    for (index, part) in coloured.split('\x1b').enumerate() {
        stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
}

#[test]
fn nothing_reaches_the_terminal_unescaped() {
    let mut bad = failed();
    bad.name.push_str("\x1b]0;title\x07");
    bad.target = "\r\u{9b}2J".into();
    bad.relocations = BTreeMap::from([("R\x1b[2J".into(), 1)]);
    let inner = bad.failure.as_mut().unwrap();
    inner.problems = vec!["printed\x1b[31m\nsecond".into(), String::new()];
    inner.reproduce = "echo\x08".into();
    inner.suspects[0].symbol = "\u{202e}x".into();
    let skipped = Record { reason: Some("\x1b".into()), ..record("x", Status::Skipped) };
    let mut summary = Summary::default();
    summary.push(&bad);
    summary.push(&skipped);
    let text = render(&summary, &PLAIN);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
    assert!(text.contains("\n  printed\\x1b[31m\n    second\n"), "{text}");
}

#[test]
fn last_lines() {
    let mut summary = Summary::new(start());
    assert_eq!(verdict(&summary, &PLAIN), "nothing was run; cut short after 0 of 5 configurations\n");
    summary.push(&record(FAR, Status::Passed));
    assert_eq!(verdict(&summary, &PLAIN), "1 passed; cut short after 1 of 5 configurations\n");
    summary.finish(0.5);
    assert_eq!(verdict(&summary, &Style { colour: true, ..PLAIN }), "\x1b[32m1 passed in 0.50 s\x1b[0m\n");
}

/// The headline, which is made without the rest, is the first problem of the whole text.
#[test]
fn headlines_are_the_first_problem() {
    let mut records = report().results;
    records.retain(|record| record.status.is_failure());
    records.push(Record { reason: Some("a\tb".into()), ..record("n", Status::Failed) });
    records.push(record("n", Status::Failed));
    for problems in [vec![], vec![String::new(), "second\nthird".to_owned()], vec!["\x1b[1m first\nmore".to_owned()]] {
        records
            .push(Record { failure: Some(Failure { problems, ..Failure::default() }), ..record("n", Status::Failed) });
    }
    for record in records {
        let text = failure(&record, &PLAIN);
        let first = text.lines().nth(1).filter(|line| !line.trim_start().starts_with(['R', 'r', 'l'])).map(str::trim);
        assert_eq!(crate::failure::headline(&record), first.unwrap_or("failed"), "{text}");
    }
}

#[test]
fn failures_that_say_little() {
    let mut bare = record("n", Status::Failed);
    assert_eq!(failure(&bare, &PLAIN), "FAIL n\n  failed: the record does not say why\n");
    bare.failure = Some(Failure { suspects: vec![Suspect::default(); 10], ..Failure::default() });
    let text = failure(&bare, &PLAIN);
    assert_eq!(text.lines().count(), 10);
    assert!(text.ends_with("\n  and 2 more, which the JSON report has\n"));
}
