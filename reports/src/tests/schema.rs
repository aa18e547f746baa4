//! `docs/report-schema.md` says what is true.

use serde_json::Value;

use super::*;
use crate::json::Lines;
use crate::model::VERSION;

const DOC: &str = include_str!("../../../docs/report-schema.md");

fn example(fence: &str) -> &'static str {
    let (_, rest) = DOC.split_once(&format!("\n```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_examples_are_one_report() {
    let document = Report::from_slice(example("json").as_bytes()).unwrap();
    let lines = Report::from_slice(example("jsonl").as_bytes()).unwrap();
    assert_eq!(document, lines);
    assert_eq!(document.start.version, VERSION);
    assert_eq!(document.totals, Some(Summary::of(&document).finish(document.totals.as_ref().unwrap().seconds)));

    // They say all that is written, and nothing else.
    let mut out = Vec::new();
    document.write(&mut out).unwrap();
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    assert_eq!(value(&out), value(example("json").as_bytes()));
    let mut stream = Lines::new(Vec::new());
    stream.start(&document.start).unwrap();
    document.results.iter().for_each(|record| stream.result(record).unwrap());
    stream.end(document.totals.as_ref().unwrap()).unwrap();
    assert_eq!(String::from_utf8(stream.into_inner()).unwrap(), example("jsonl"));
}

#[test]
fn every_field_and_status_is_described() {
    assert!(DOC.contains(&format!("The version is **{VERSION}**.")));
    let mut out = Vec::new();
    report().write(&mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    let described = |key: &str| assert!(DOC.contains(&format!("| `{key}` |")), "{key}");
    let failed = &value["results"][1];
    for object in [
        &value,
        &value["start"],
        &value["totals"],
        &value["results"][2],
        failed,
        &failed["failure"],
        &failed["failure"]["suspects"][0],
        &failed["failure"]["suspects"][0]["checked"],
        &failed["failure"]["source"][0],
        &failed["failure"]["registers"][0],
        &failed["failure"]["code"][1],
    ] {
        object.as_object().unwrap().keys().for_each(|key| described(key));
    }
    ["right", "wrong", "unknown"].iter().for_each(|verdict| described(verdict));
    ["symbol", "not_run", "stopped"].iter().for_each(|key| described(key));
    for record in value["results"].as_array().unwrap() {
        described(record["status"].as_str().unwrap());
    }
    ["start", "result", "end"].iter().for_each(|event| described(event));
}
