use super::*;
use crate::markdown::{STEP_SUMMARY_LIMIT, render};

#[test]
fn a_small_report() {
    let expected = r#"## Linkrig: not passed

1 passed, 1 failed, 1 passed unexpectedly, 1 failed as expected, 1 skipped in 1.50 s (harness 0.1.0)

date 2026-11-30T10:00:00Z · host Linux 6.1 x86\_64, 2 processors · commit 0123456789ab · corpus corpus/cases · commit of the corpus ba9876543210-dirty

| target | passed | failed | xpassed | xfailed | skipped | checks | seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| `aarch64` | 1 | 1 | 0 | 0 | 0 | 4 | 0.50 |
| `armv7` | 0 | 0 | 1 | 1 | 1 | 6 | 0.75 |
| all | 1 | 1 | 1 | 1 | 1 | 10 | 1.25 |

### 2 failures, 2 causes

<details open><summary><b>1</b> <code>branch/call26_far</code>: call add(2i32, 3i32): expected 5i32 in x0, got 6i32</summary>

<code>elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn</code>

```text
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
```

</details>

<details open><summary><b>1</b> <code>calls/xor</code>: passed, but is marked as failing: not done either</summary>

<code>elf/armv7/calls/xor/gcc12-O2/near/unicorn</code>

```text
passed, but is marked as failing: not done either
```

</details>

### Relocations

| relocation | target | applied | configurations | failed |
| --- | --- | ---: | ---: | ---: |
| `R_AARCH64_ADR_PREL_PG_HI21` | `aarch64` | 1 | 1 | 0 |
| `R_AARCH64_CALL26` | `aarch64` | 5 | 2 | **1** |

### Skipped

| configurations | reason |
| ---: | --- |
| 1 | clang-19 is not installed |

### Failed as expected

| configurations | reason |
| ---: | --- |
| 1 | movt \| not done |

### Toolchains

| name | version |
| --- | --- |
| `gcc12` | gcc (Debian 12.2.0-14) 12.2.0 |
"#;
    assert_eq!(render(&Summary::of(&report()), STEP_SUMMARY_LIMIT), expected);
}

/// Far too much of everything.
fn huge() -> Summary {
    let mut summary = Summary::of(&report());
    for index in 0..3000 {
        let mut record = failed();
        record.name = format!("elf/target{index}/calls/add/gcc12-O2/near/unicorn");
        record.target = format!("target{index}");
        record.failure.as_mut().unwrap().problems = vec![format!("{index} {}", "é".repeat(index * 10))];
        record.relocations = (0..20).map(|n| (format!("R_{n}_{}", "x".repeat(100)), 1)).collect();
        summary.push(&record);
        summary.push(&Record { reason: Some("why ".repeat(index)), status: Status::Skipped, ..record });
    }
    summary
}

#[test]
fn the_limit_holds_and_says_what_is_missing() {
    let summary = huge();
    for limit in [STEP_SUMMARY_LIMIT, 100_000, 5000, 1000, 401, 100, 1, 0] {
        let text = render(&summary, limit);
        assert!(text.len() <= limit, "{} > {limit}", text.len());
        assert_eq!(text.matches("<details").count(), text.matches("</details>").count(), "{limit}");
        if limit >= 1000 {
            let note = text.lines().last().unwrap();
            assert!(note.starts_with(&format!("> Left out, to stay below {limit} bytes: ")), "{note}");
            assert!(note.contains(" causes of failures.") && note.contains(" relocation rows, "), "{note}");
        }
    }
    assert!(render(&summary, STEP_SUMMARY_LIMIT).len() > STEP_SUMMARY_LIMIT * 9 / 10);
    assert!(render(&summary, STEP_SUMMARY_LIMIT).contains("(cut here: the JSON report has it all)\n```"));
}

#[test]
fn long_tables_are_folded() {
    let mut summary = Summary::default();
    let relocations = (0..30).map(|n| (format!("R_{n}"), 1)).collect();
    summary.push(&Record { relocations, ..record(FAR, Status::Passed) });
    summary.finish(1.0);
    let text = render(&summary, STEP_SUMMARY_LIMIT);
    assert!(text.starts_with("## Linkrig: passed\n\n1 passed in 1.00 s\n"));
    assert!(text.contains("<details><summary>Relocations: 30 rows</summary>\n\n| relocation |"));
}

#[test]
fn strange_text_means_nothing() {
    let mut summary = Summary::default();
    let strange = "</code></details><script>`a`|*b*\n````\n# c";
    let failure = Failure { problems: vec![strange.into()], ..Failure::default() };
    summary.push(&Record {
        name: strange.into(),
        target: strange.into(),
        failure: Some(failure),
        ..record(FAR, Status::Failed)
    });
    summary.push(&Record { reason: Some(strange.into()), ..record(FAR, Status::Skipped) });
    let text = render(&summary, STEP_SUMMARY_LIMIT);
    assert!(text.contains("<code>&lt;/code&gt;&lt;/details&gt;&lt;script&gt;`a`|*b*\\x0a````\\x0a# c</code>"));
    assert!(text.contains("| `````</code></details><script>`a`\\|*b*\\x0a````\\x0a# c````` |"));
    assert!(text.contains(r"| 1 | \</code\>\</details\>\<script\>\`a\`\|\*b\*\\x0a\`\`\`\`\\x0a\# c |"));
    assert!(text.contains("\n`````text\n</code></details><script>`a`|*b*\n  ````\n  # c\n`````\n"));
}
