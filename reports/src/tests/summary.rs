use super::*;
use crate::exit;
use crate::summary::RelocationSummary;

#[test]
fn counts_by_target_relocation_and_reason() {
    let summary = Summary::of(&report());
    let aarch64 = &summary.targets["aarch64"];
    assert_eq!((aarch64.configurations(), aarch64.count(Status::Passed), aarch64.count(Status::Failed)), (2, 1, 1));
    assert_eq!((aarch64.checks, aarch64.seconds), (4, 0.5));
    let call = summary.relocations[&("R_AARCH64_CALL26".to_owned(), "aarch64".to_owned())];
    assert_eq!(call, RelocationSummary { applied: 5, configurations: 2, passed: 1, failed: 1 });
    assert_eq!(summary.skips, BTreeMap::from([("clang-19 is not installed".to_owned(), 1)]));
    assert_eq!(summary.expected_failures.values().sum::<usize>(), 1);
    assert_eq!(summary.total().configurations(), 5);
    assert_eq!(summary.failures.len(), 2);
}

#[test]
fn what_is_refused_is_counted_by_reason_and_is_no_result() {
    let mut summary = Summary::default();
    let refused = Record { reason: Some("unsupported relocation".to_owned()), ..record(FAR, Status::Refused) };
    summary.push(&refused);
    assert_eq!(summary.refused, BTreeMap::from([("unsupported relocation".to_owned(), 1)]));
    assert!(summary.failures.is_empty() && summary.skips.is_empty() && !Status::Refused.is_result());
    let text = crate::terminal::render(&summary, &crate::terminal::Style::default());
    assert!(text.contains("1 refused") && text.contains("unsupported relocation"), "{text}");
}

#[test]
fn the_order_of_records_makes_no_difference() {
    let mut turned = report();
    turned.results.reverse();
    assert_eq!(Summary::of(&turned), Summary::of(&report()));
}

#[test]
fn exit_statuses() {
    let of = |statuses: &[Status]| {
        let mut summary = Summary::default();
        statuses.iter().for_each(|status| summary.push(&record(FAR, *status)));
        summary.exit_status()
    };
    assert_eq!(of(&[]), exit::NOTHING_SELECTED);
    assert_eq!(of(&[Status::Skipped, Status::Skipped]), exit::MISSING);
    assert_eq!(of(&[Status::Skipped, Status::Passed]), exit::OK);
    assert_eq!(of(&[Status::ExpectedFailure]), exit::OK);
    assert_eq!(of(&[Status::Refused, Status::Passed]), exit::OK);
    assert_eq!(of(&[Status::Refused, Status::Failed]), exit::FAILURES);
    assert_eq!(of(&[Status::Passed, Status::UnexpectedPass]), exit::FAILURES);
    assert_eq!(of(&[Status::Failed, Status::Skipped]), exit::FAILURES);
}

#[test]
fn counts_stop_at_the_top() {
    let mut summary = Summary::default();
    let huge = Record {
        checks: usize::MAX,
        seconds: f64::NAN,
        relocations: BTreeMap::from([("R".into(), u64::MAX)]),
        ..record(FAR, Status::Passed)
    };
    summary.push(&huge);
    summary.push(&huge);
    assert_eq!((summary.total().checks, summary.total().seconds), (usize::MAX, 0.0));
    assert!(summary.relocations.values().all(|of| of.applied == u64::MAX));
}
