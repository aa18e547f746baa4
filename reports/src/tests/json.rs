use proptest::prelude::*;

use super::*;
use crate::json::{Lines, ReadError};
use crate::model::Event;

fn document(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    report.write(&mut out).unwrap();
    out
}

fn stream(report: &Report) -> Vec<u8> {
    let mut lines = Lines::new(Vec::new());
    lines.start(&report.start).unwrap();
    report.results.iter().for_each(|record| lines.result(record).unwrap());
    if let Some(totals) = &report.totals {
        lines.end(totals).unwrap();
    }
    lines.into_inner()
}

fn error(input: &str) -> String {
    Report::from_slice(input.as_bytes()).unwrap_err().to_string()
}

const START: &str = r#"{"event":"start","version":1,"program":"p","command":[],"selected":0,"toolchains":{}}"#;

#[test]
fn both_forms_round_trip() {
    let report = report();
    assert_eq!(Report::read(&document(&report)[..]).unwrap(), report);
    assert_eq!(Report::read(&stream(&report)[..]).unwrap(), report);
    let empty = Report { start: start(), ..Report::default() };
    assert_eq!(Report::read(&document(&empty)[..]).unwrap(), empty);
    assert_eq!(Report::read(&stream(&empty)[..]).unwrap(), empty);
}

#[test]
fn lines_are_the_events_of_the_model() {
    let report = report();
    let events = std::iter::once(Event::Start(report.start.clone()))
        .chain(report.results.iter().cloned().map(|record| Event::Result(Box::new(record))))
        .chain(report.totals.clone().map(Event::End));
    let mut lines = Lines::new(Vec::new());
    let text = String::from_utf8(stream(&report)).unwrap();
    let mut written = text.lines();
    for event in events {
        assert_eq!(serde_json::from_str::<Event>(written.next().unwrap()).unwrap(), event);
        lines.event(&event).unwrap();
    }
    assert_eq!(lines.into_inner(), text.into_bytes());
}

#[test]
fn indented_documents_are_read() {
    let value: serde_json::Value = serde_json::from_slice(&document(&report())).unwrap();
    let mut text = "\u{feff}\r\n".to_owned();
    text.push_str(&serde_json::to_string_pretty(&value).unwrap());
    assert_eq!(Report::from_slice(text.as_bytes()).unwrap(), report());
    assert_eq!(Report::from_slice(value.to_string().as_bytes()).unwrap(), report());
}

/// Wherever the program is killed: the lines that were written are read, and nobody takes them for the whole.
#[test]
fn a_stream_cut_anywhere_is_read() {
    let report = report();
    let whole = stream(&report);
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for length in 0..=whole.len() {
        let cut = &whole[..length];
        let ended = cut.iter().filter(|byte| **byte == b'\n').count();
        match Report::from_slice(cut) {
            Ok(read) => {
                assert!(length >= first, "{length}");
                // A line that only lacks its line end is whole.
                let results = read.results.len();
                assert!(results + 1 == ended || results == ended || read.complete(), "{length}");
                assert_eq!(read.results, report.results[..results]);
                assert_eq!(read.complete(), length + 1 >= whole.len(), "{length}");
            }
            Err(ReadError::Empty(_)) => assert!(length < first, "{length}"),
            Err(other) => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn a_cut_document_is_refused() {
    let whole = document(&report());
    for length in 0..whole.trim_ascii_end().len() {
        assert!(Report::from_slice(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn versions() {
    let newer = START.replace(r#""version":1"#, r#""version":2"#);
    assert_eq!(error(&newer), "version 2 of the report format; this program knows 1 and older");
    assert!(Report::from_slice(START.replace(r#""version":1"#, r#""version":0"#).as_bytes()).is_ok());
    assert!(error(&START.replace(r#""version":1"#, r#""version":4294967296"#)).starts_with("version 4294967296 of"));
    assert_eq!(error(&START.replace(r#""version":1,"#, "")), "not a report of Linkrig: it has no `version`");

    let document = String::from_utf8(document(&report())).unwrap();
    let (head, tail) = document.split_once('\n').unwrap();
    assert_eq!(head, r#"{"version":1,"#);
    assert!(error(&format!("{{\"version\":9,{tail}")).starts_with("version 9 of"));
    assert!(error(&document.replace(r#""start":{"version":1"#, r#""start":{"version":9"#)).starts_with("version 9 of"));
    assert!(error(&format!("{{{tail}")).contains("no `version`"));
}

#[test]
fn what_is_refused() {
    let result = serde_json::to_string(&Event::Result(Box::new(record(FAR, Status::Passed)))).unwrap();
    let end = r#"{"event":"end","by_status":{},"seconds":1.0}"#;
    assert_eq!(error(""), "holds no report: it is empty");
    assert_eq!(error(" \r\n\n"), "holds no report: it is empty");
    assert_eq!(
        error(&START[..20]),
        "holds no report: it is neither a whole document nor the whole first line of a stream"
    );
    assert!(error("<?xml version='1.0'?>").starts_with("not a valid report: expected value at line 1"));
    assert_eq!(error(r#"{"reason":"compiler-artifact"}"#), "not a report of Linkrig: it has no `start`");
    assert_eq!(error(&result), "not a report of Linkrig: the first event is not `start`");
    assert_eq!(error(&format!("{START}\n{START}\n")), "line 2: a second start: these are two reports in one");
    assert_eq!(error(&format!("{START}\n{end}\n{result}\n")), "line 3: it comes after the end");
    assert_eq!(error(&format!("{START}\n{{}}\n")), "line 2: it has no `event`");
    assert!(error(&format!("{START}\nwarning: x\n{end}\n")).starts_with("line 2: expected value"));
    assert!(error(&format!("{START}\n{}\n", result.replace("passed", "great"))).contains("unknown variant `great`"));
    let deep = format!("{{\"event\":\"result\",\"name\":{}", "[".repeat(100_000));
    assert!(error(&format!("{START}\n{deep}\n")).starts_with("line 2: "));
    let long = Report::read_at_most(std::io::repeat(b' '), 1000).unwrap_err();
    assert_eq!(long.to_string(), "longer than 1000 bytes, the most that is read");
}

#[test]
fn what_later_programs_add_is_passed_over() {
    let text = format!(
        "{}\n{}\n{}\n",
        START.replace("{\"event\"", "{\"host\":{\"cores\":[1,2]},\"event\""),
        r#"{"event":"heartbeat","at":3}"#,
        r#"{"event":"end","by_status":{"passed":0},"seconds":1.0,"joules":4}"#
    );
    assert!(Report::from_slice(text.as_bytes()).unwrap().complete());
}

#[test]
fn times_that_json_does_not_have() {
    let mut report = report();
    report.results[0].seconds = f64::INFINITY;
    report.totals.as_mut().unwrap().seconds = f64::NAN;
    for bytes in [document(&report), stream(&report)] {
        let read = Report::from_slice(&bytes).unwrap();
        assert_eq!((read.results[0].seconds, read.totals.unwrap().seconds), (0.0, 0.0));
    }
}

#[test]
fn every_line_is_written_at_once() {
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>, usize);
    impl std::io::Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            self.1 += 1;
            Ok(())
        }
    }
    let mut lines = Lines::new(Writes::default());
    lines.start(&start()).unwrap();
    lines.result(&failed()).unwrap();
    let Writes(writes, flushes) = lines.into_inner();
    assert_eq!((writes.len(), flushes), (2, 2));
    assert!(writes.iter().all(|line| line.ends_with(b"}\n") && line.iter().filter(|b| **b == b'\n').count() == 1));
}

proptest! {
    #[test]
    fn garbage_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Report::from_slice(&bytes);
        let mut text = START.as_bytes().to_vec();
        text.push(b'\n');
        text.extend(&bytes);
        let _ = Report::from_slice(&text);
    }

    /// A byte changed in a report that is right: read or refused, and what is read can be shown.
    #[test]
    fn damaged_reports_are_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), lines in any::<bool>()) {
        let mut bytes = if lines { stream(&report()) } else { document(&report()) };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Report::from_slice(&bytes) {
            let summary = Summary::of(&read);
            let _ = crate::terminal::render(&summary, &crate::terminal::Style { colour: true, width: Some(40), relocations: true });
            let _ = crate::markdown::render(&summary, 2000);
            crate::junit::write(&read, std::io::sink()).unwrap();
        }
    }

    #[test]
    fn any_record_round_trips(
        name in any::<String>(), problem in any::<String>(), seconds in 0.0..1e9f64, checks in any::<u32>(),
        relocations in proptest::collection::btree_map(any::<String>(), any::<u64>(), 0..4),
    ) {
        let failure = Some(Failure { problems: vec![problem], ..Failure::default() });
        let record = Record { seconds, checks: checks as usize, relocations, failure, ..record(&name, Status::Failed) };
        let report = Report { start: start(), results: vec![record], totals: None };
        prop_assert_eq!(&Report::from_slice(&document(&report)).unwrap(), &report);
        prop_assert_eq!(&Report::from_slice(&stream(&report)).unwrap(), &report);
    }
}
