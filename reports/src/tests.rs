//! Tests of the writers and the reader, on one small run.

use std::collections::BTreeMap;

use crate::model::{Checked, Failure, Instruction, Record, Register, SourceLine, Start, Status, Suspect, Verdict};
use crate::{Report, Summary};

mod coverage;
mod html;
mod json;
mod junit;
mod markdown;
mod schema;
mod summary;
mod terminal;
mod text;

const FAR: &str = "elf/aarch64/branch/call26_far/gcc12-O2.no-pic/far/unicorn";

fn start() -> Start {
    Start {
        version: crate::model::VERSION,
        program: "harness 0.1.0".into(),
        command: vec!["harness".into(), "--report".into(), "json=out.json".into()],
        selected: 5,
        subject: None,
        toolchains: BTreeMap::from([("gcc12".into(), "gcc (Debian 12.2.0-14) 12.2.0".into())]),
        date: Some("2026-11-30T10:00:00Z".into()),
        machine: Some("Linux 6.1 x86_64, 2 processors".into()),
        commit: Some("0123456789ab".into()),
        corpus: Some("corpus/cases".into()),
        corpus_commit: Some("ba9876543210-dirty".into()),
    }
}

fn record(name: &str, status: Status) -> Record {
    let parts: Vec<&str> = name.split('/').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or("-").to_owned();
    Record {
        name: name.to_owned(),
        target: part(1),
        case: format!("{}/{}", part(2), part(3)),
        build: part(4),
        layout: part(5),
        executor: part(6),
        subject: None,
        status,
        reason: None,
        seconds: 0.25,
        checks: 2,
        relocations: BTreeMap::new(),
        failure: None,
    }
}

fn failed() -> Record {
    let failure = Failure {
        known: Some("the ABI leaves it open".into()),
        problems: vec!["call add(2i32, 3i32): expected 5i32 in x0, got 6i32".into()],
        suspects: vec![Suspect {
            relocation: "R_AARCH64_CALL26".into(),
            section: "AAELF64 5.7.7".into(),
            site: "call26_far.o(.text+0x1c)".into(),
            symbol: "callee".into(),
            numbers:
                "S 0x8400000  A 0  P 0x40001c   S + A - P 0x7ffffe4   allowed [-0x8000000, 0x7fffffc], multiple of 4"
                    .into(),
            before: "00 00 00 94".into(),
            after: "fa ff ff 95".into(),
            under: "03 ff ff ff".into(),
            disassembly: "0x40001c  bl 0x8400004 <callee+0x4>".into(),
            checked: Some(Checked {
                verdict: Verdict::Wrong,
                why: "the ABI says S + A - P = 0x7ffffe4, which makes f9 ff ff 95, not fa ff ff 95".into(),
            }),
        }],
        source: vec![SourceLine {
            file: "branch/call26_far.c".into(),
            line: 3,
            text: "// call: add(2i32, 3i32) = 5i32".into(),
        }],
        registers: vec![
            Register { name: "x0".into(), value: "0x6".into() },
            Register { name: "pc".into(), value: "0x8400008".into() },
        ],
        code: vec![
            Instruction {
                address: "0x8400004".into(),
                symbol: "callee+0x4".into(),
                bytes: "00 04 00 11".into(),
                text: "add w0, w0, #1".into(),
                here: false,
            },
            Instruction {
                address: "0x8400008".into(),
                symbol: String::new(),
                bytes: "c0 03 5f d6".into(),
                text: "ret".into(),
                here: true,
            },
        ],
        backtrace: vec!["0x8400008 callee+0x8".into(), "0x400020 add+0x20 at branch/call26_far.c:7".into()],
        layout: "at:call26_far.o(.text)=0x400000,callee.o(.text)=0x8400000".into(),
        reproduce: format!("cargo run -p harness -- --exact {FAR}"),
        bless: Some(format!("cargo run -p harness -- --exact {FAR} --bless")),
    };
    Record {
        relocations: BTreeMap::from([("R_AARCH64_CALL26".into(), 3)]),
        failure: Some(failure),
        ..record(FAR, Status::Failed)
    }
}

/// One of everything.
fn report() -> Report {
    let near = "elf/aarch64/branch/call26_far/gcc12-O2.no-pic/near/unicorn";
    let with = |status, name: &str, reason: &str| Record { reason: Some(reason.into()), ..record(name, status) };
    let mut report = Report { start: start(), ..Report::default() };
    report.results = vec![
        Record {
            relocations: BTreeMap::from([("R_AARCH64_ADR_PREL_PG_HI21".into(), 1), ("R_AARCH64_CALL26".into(), 2)]),
            ..record(near, Status::Passed)
        },
        failed(),
        with(Status::Skipped, "elf/armv7/calls/add/clang19-O2/near/unicorn", "clang-19 is not installed"),
        with(Status::ExpectedFailure, "elf/armv7/calls/sub/gcc12-O2/near/unicorn", "movt | not done"),
        with(Status::UnexpectedPass, "elf/armv7/calls/xor/gcc12-O2/near/unicorn", "not done either"),
    ];
    report.totals = Some(Summary::of(&report).finish(1.5));
    report
}
