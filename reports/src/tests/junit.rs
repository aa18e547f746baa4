use quick_junit::{NonSuccessKind, TestCaseStatus};

use super::*;

fn write(report: &Report) -> String {
    let mut out = Vec::new();
    crate::junit::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn parse(report: &Report) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(&write(report)).unwrap()
}

#[test]
fn a_suite_for_each_target() {
    let junit = parse(&report());
    assert_eq!((junit.tests, junit.failures, junit.errors, junit.skipped), (5, 2, 0, 2));
    let suites: Vec<_> = junit.test_suites.iter().map(|suite| (suite.name.as_str(), suite.test_cases.len())).collect();
    assert_eq!(suites, [("aarch64", 2), ("armv7", 3)]);
    assert_eq!(junit.time.unwrap().as_millis(), 1500);

    let case = &junit.test_suites[0].test_cases[0];
    assert_eq!((case.name.as_str(), case.classname.as_deref()), (FAR, Some("branch/call26_far")));
    let TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, message, ty, description, .. } = &case.status
    else {
        panic!("{case:?}")
    };
    assert_eq!(message.as_deref(), Some("call add(2i32, 3i32): expected 5i32 in x0, got 6i32"));
    assert_eq!(ty.as_deref(), Some("failed"));
    assert!(description.as_deref().unwrap().contains("0x40001c  bl 0x8400004 <callee+0x4>"));

    let reasons: Vec<_> = junit.test_suites[1]
        .test_cases
        .iter()
        .map(|case| match &case.status {
            TestCaseStatus::Skipped { message, .. } | TestCaseStatus::NonSuccess { message, .. } => {
                message.as_deref().unwrap()
            }
            TestCaseStatus::Success { .. } => "",
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "clang-19 is not installed",
            "expected failure: movt | not done",
            "passed, but is marked as failing: not done either"
        ]
    );
}

#[test]
fn a_run_that_was_cut_short_is_an_error() {
    let junit = parse(&Report { totals: None, ..report() });
    assert_eq!((junit.tests, junit.errors), (6, 1));
    assert_eq!(junit.test_suites[2].test_cases[0].name.as_str(), "run/complete");
}

#[test]
fn strange_text_is_well_formed() {
    let mut report = report();
    let strange = "]]><a b='\"&amp;\u{1b}[31m\u{0}\u{ffff}\u{202e}\n\tend";
    report.results[1].failure.as_mut().unwrap().problems = vec![strange.into()];
    report.results[1].name = strange.into();
    report.results[2].reason = Some(strange.into());
    report.results[3].seconds = -1.0;
    report.results[4].seconds = 1e300;
    let text = write(&report);
    assert!(!text.contains(['\u{1b}', '\0', '\u{ffff}', '\u{202e}']));
    let junit = parse(&report);
    assert_eq!(junit.tests, 5);
    let name = r#"]]><a b='"&amp;\x1b[31m\x00\u{ffff}\u{202e}\x0a\x09end"#;
    assert!(junit.test_suites[0].test_cases.iter().any(|case| case.name.as_str() == name));
}
