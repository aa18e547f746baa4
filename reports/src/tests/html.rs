use super::*;
use crate::compare::Comparison;
use crate::coverage::{Cell, Matrix, Outcome, PROOFS, Proof};
use crate::html::{Page, render};

fn of_run(report: &Report) -> String {
    render(&Page { run: Some(report), ..Page::default() })
}

/// What a reader would see where nothing is styled: the text between the tags.
fn text(page: &str) -> String {
    let body = page.split("<body>").nth(1).and_then(|rest| rest.split("<script>").next()).expect("a body");
    let text: String =
        body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.to_owned() + " ").collect();
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let before = format!(" {attribute}=\"");
    page.split(&before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Every address is on the page: as an anchor, or as the case that an anchor begins with.
fn anchors_are_there(page: &str) {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().expect("text").into_owned();
    let unescape =
        |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let ids: Vec<String> = values(page, "id").into_iter().map(unescape).collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{id} is there twice");
    }
    let addresses = values(page, "href");
    assert!(!addresses.is_empty());
    for address in addresses {
        let fragment = address.strip_prefix('#').expect("nothing is loaded");
        if fragment.starts_with("filter=") || fragment.starts_with("status=") {
            continue;
        }
        let wanted = decode(fragment);
        assert!(ids.iter().any(|id| wanted == *id || wanted.starts_with(&format!("{id}/"))), "{wanted}: {ids:?}");
    }
}

#[test]
fn a_run_says_what_ran_and_what_failed() {
    let page = of_run(&report());
    let text = text(&page);
    for says in [
        "Linkrig not passed",
        "1 passed, 1 failed, 1 passed unexpectedly, 1 failed as expected, 1 skipped in 1.50 s",
        "5 configurations selected; 5 results, of which 4 ran; 10 facts judged.",
        "2026-11-30T10:00:00Z host Linux 6.1 x86_64, 2 processors commit 0123456789ab corpus corpus/cases",
        "2 failures, 2 causes",
        "call add(2i32, 3i32): expected 5i32 in x0, got 6i32",
        "branch/call26_far.c:3 // call: add(2i32, 3i32) = 5i32",
        "code around pc 0x8400004 00 04 00 11 add w0, w0, #1 <callee+0x4> ▸ 0x8400008 c0 03 5f d6 ret",
        "x0 0x6 pc 0x8400008 0x8400008 callee+0x8 0x400020 add+0x20 at branch/call26_far.c:7",
        "WRONG the ABI says S + A - P = 0x7ffffe4, which makes f9 ff ff 95, not fa ff ff 95",
        "S 0x8400000 A 0 P 0x40001c S + A - P 0x7ffffe4 allowed [-0x8000000, 0x7fffffc], multiple of 4",
        "before 00 00 00 94 after fa ff ff 95 under 03 ff ff ff 0x40001c bl 0x8400004 <callee+0x4>",
        "layout at:call26_far.o(.text)=0x400000,callee.o(.text)=0x8400000",
        "Passed, but is marked as failing: not done either",
        "1 clang-19 is not installed",
        "1 movt | not done",
        "R_AARCH64_CALL26 aarch64 5 2 1 1",
        "passed on unicorn, near , of gcc12-O2.no-pic",
        "failed on unicorn, far , of gcc12-O2.no-pic",
        "gcc12 gcc (Debian 12.2.0-14) 12.2.0",
    ] {
        assert!(text.contains(says), "{says} is not in {text}");
    }
    assert!(text.contains(&format!("reproduce cargo run -p harness -- --exact {FAR} bless")), "{text}");
    assert!(page.contains(&format!("id=\"{FAR}\"")) && page.contains("id=\"elf/aarch64/branch/call26_far\""));
    // Bytes that the fixup changed, and no others.
    assert_eq!(page.matches("<td class=\"changed\">").count(), 4);
    anchors_are_there(&page);
}

#[test]
fn a_good_run_has_no_failures_and_a_cut_one_is_not_good() {
    let mut report = report();
    report.results.truncate(1);
    let page = of_run(&report);
    assert!(text(&page).starts_with("Linkrig passed") && !page.contains("id=\"failures\""));
    report.totals = None;
    let text = text(&of_run(&report));
    assert!(text.contains("not passed") && text.contains("cut short after 1 of 5 configurations"), "{text}");
}

#[test]
fn names_from_elsewhere_stay_text() {
    let hostile = "<script>alert(1)</script>\" onclick=\"alert(2)' &amp; \u{202e}</style></title><!--";
    let mut bad = failed();
    bad.name = format!("elf/{hostile}/{hostile}");
    for text in [&mut bad.target, &mut bad.case, &mut bad.build, &mut bad.layout, &mut bad.executor] {
        *text = hostile.to_owned();
    }
    bad.relocations = BTreeMap::from([(hostile.to_owned(), 1)]);
    let failure = bad.failure.as_mut().expect("a failure");
    failure.problems = vec![hostile.to_owned(); 2];
    for text in [&mut failure.layout, &mut failure.reproduce] {
        *text = hostile.to_owned();
    }
    failure.bless = Some(hostile.to_owned());
    let suspect = &mut failure.suspects[0];
    for text in
        [&mut suspect.relocation, &mut suspect.site, &mut suspect.symbol, &mut suspect.before, &mut suspect.disassembly]
    {
        *text = hostile.to_owned();
    }
    let mut new = Report { start: start(), results: vec![bad], totals: None };
    new.start.program = hostile.to_owned();
    new.start.command = vec![hostile.to_owned()];
    new.start.toolchains = BTreeMap::from([(hostile.to_owned(), hostile.to_owned())]);
    new.results.push(Record {
        reason: Some(hostile.into()),
        name: format!("{hostile}/2"),
        ..record(FAR, Status::Skipped)
    });
    let mut old = new.clone();
    old.results[0].status = Status::Passed;
    let mut matrix = Matrix::new([(hostile, 2, hostile), (hostile, 3, hostile)]);
    let cell = |outcome| Cell { outcome, runs: 1, cases: vec![hostile.to_owned(), new.results[0].name.clone()] };
    matrix.set(hostile, 2, Proof::Edge, cell(Outcome::Failed { why: hostile.to_owned() }));
    let outcome = Outcome::NotApplicable { reason: hostile.to_owned(), evidence: hostile.to_owned() };
    matrix.set(hostile, 3, Proof::Edge, cell(outcome));
    let comparison = Comparison::of(&old, &new);
    let page = render(&Page { run: Some(&new), matrix: Some(&matrix), comparison: Some(&comparison) });
    assert_eq!(
        (page.matches("<script").count(), page.matches("</style>").count(), page.matches("<!--").count()),
        // The data of the failures, and the script.
        (2, 1, 0)
    );
    let (before, rest) =
        page.split_once("<script type=\"application/json\" id=\"failed\">").expect("the data of the failures");
    let (data, after) = rest.split_once("</script>").expect("its end");
    assert!(serde_json::from_str::<serde_json::Value>(data).is_ok() && !data.contains(['<', '>', '&']), "{data}");
    assert!(!before.contains("\" onclick") && !after.contains("\" onclick") && !page.contains('\u{202e}'));
    assert!(text(&page).matches("<script>alert(1)</script>").count() > 20);
    anchors_are_there(&page);
}

#[test]
fn the_matrix_shows_every_proof_and_why() {
    let mut matrix =
        Matrix::new([("armv7", 2, "R_ARM_ABS32"), ("armv7", 3, "R_ARM_REL32"), ("aarch64", 257, "R_AARCH64_ABS64")]);
    let cell =
        |outcome, cases: &[&str]| Cell { outcome, runs: 7, cases: cases.iter().map(|&name| name.to_owned()).collect() };
    let reason = || Outcome::NotApplicable { reason: "it writes nothing".into(), evidence: "AAELF32".into() };
    matrix.set("aarch64", 257, PROOFS[0], cell(Outcome::Passed, &[FAR, "elf/aarch64/data/gone/b/l/e"]));
    matrix.set("armv7", 2, PROOFS[1], cell(Outcome::Failed { why: "accepted 2^32".into() }, &[]));
    matrix.set("armv7", 2, PROOFS[2], cell(reason(), &[]));
    matrix.set("armv7", 3, PROOFS[2], cell(reason(), &[]));
    let run = report();
    let page = render(&Page { run: Some(&run), matrix: Some(&matrix), comparison: None });
    let text = text(&page);
    assert!(PROOFS.iter().all(|proof| page.contains(&format!("<th class=\"n\">{}</th>", proof.name()))));
    assert!(text.contains(&format!("R_ARM_ABS32 armv7 {} accepted 2^32", PROOFS[1].name())), "{text}");
    assert_eq!(text.matches("it writes nothing").count(), 1);
    assert!(
        text.contains(&format!("2 it writes nothing AAELF32 R_ARM_ABS32 {0} R_ARM_REL32 {0}", PROOFS[2].name())),
        "{text}"
    );
    // A case that is on the page is a link, another is a name.
    assert!(page.contains(&format!("<a href=\"#{FAR}\"><code>{FAR}</code></a>")));
    assert!(page.contains("<li><code>elf/aarch64/data/gone/b/l/e</code></li>"));
    anchors_are_there(&page);
    // By itself it is a page too.
    let page = render(&Page { matrix: Some(&matrix), ..Page::default() });
    assert!(page.contains("not passed") && !page.contains("id=\"cases\""));
    anchors_are_there(&page);
}

#[test]
fn a_comparison_names_what_regressed_and_links_to_it() {
    let new = report();
    let mut old = report();
    old.results[1].status = Status::Passed;
    old.results[4].name = "elf/armv7/calls/gone/gcc12-O2/near/unicorn".into();
    let comparison = Comparison::of(&old, &new);
    let page = render(&Page { run: Some(&new), comparison: Some(&comparison), matrix: None });
    let text = text(&page);
    assert!(text.contains("1 0 0 1 1 0 4"), "{text}");
    assert!(text.contains("R_AARCH64_CALL26 1 2 1 0"), "{text}");
    assert!(
        text.contains("regressed: 1 case configurations which elf/aarch64/branch/call26_far passed → failed 1"),
        "{text}"
    );
    assert!(page.contains(&format!("<a href=\"#{FAR}\">")));
    anchors_are_there(&page);
}

/// As many results as the corpus has: a row a case, and a file that can be sent.
#[test]
fn a_whole_corpus_stays_small() {
    let mut big = Report { start: start(), ..report() };
    for case in 0..2200 {
        for build in 0..7 {
            for layout in ["near", "far", "high", "random:1"] {
                let target = ["armv6", "armv7", "thumbv7m", "aarch64"][case % 4];
                let name =
                    format!("elf/{target}/group{}/a_case_{case}/clang19-O{build}.pic.tiny/{layout}/unicorn", case % 20);
                let relocations = (0..6).map(|index| (format!("R_AARCH64_LDST16_LO12_{index}"), 3)).collect();
                big.results.push(Record { relocations, ..record(&name, Status::Passed) });
            }
        }
    }
    assert!(big.results.len() > 60_000);
    let page = of_run(&big);
    assert!(page.matches("<tr").count() < 2800, "{}", page.matches("<tr").count());
    assert!(page.len() < 2_000_000, "{}", page.len());
    // Where most of them fail, the page says how many it does not show.
    big.results.iter_mut().for_each(|record| record.status = Status::Failed);
    big.results.truncate(20_000);
    big.results.iter_mut().for_each(|record| record.failure = failed().failure);
    let page = of_run(&big);
    assert_eq!(page.matches("<details class=\"failure\"").count(), 100);
    assert!(page.len() < 2_000_000 && text(&page).contains("20000 failures, 719 causes"), "{}", page.len());
}
