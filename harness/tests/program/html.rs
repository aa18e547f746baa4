//! The HTML report as its readers have it: written by the program, opened by a browser.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that the browser may take for a page.
const BUDGET: Duration = Duration::from_secs(120);

/// What keeps it from the network and from asking questions.
const ALONE: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

const CASE: &str = "elf/aarch64/init/order_by_priority";
const FAILED: &str = "elf/aarch64/init/order_by_priority/gcc12-O2.no-pic.tiny/near/unicorn";
const PASSED: &str = "elf/aarch64/init/preinit";

fn harness(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.env("NO_COLOR", "1").env_remove("GITHUB_STEP_SUMMARY");
    let output = command.args(arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("not killed"), text(output.stdout) + &text(output.stderr))
}

/// Ends with the test, whatever comes of it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the browser says on a page.
fn browser(dir: &Path, arguments: &[&str], page: &Path, fragment: &str) -> String {
    let program =
        ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(|name| which::which(name).ok());
    let program = program.expect("chromium is missing (package chromium)");
    let profile = tempfile::tempdir_in(dir).expect("a writable directory");
    let address = format!("file://{}{fragment}", page.display());
    let child = Command::new(program)
        .args(ALONE)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(&address)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Ended(child.expect("the browser starts"));
    let mut out = child.0.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.0.try_wait().expect("a process") {
            break status;
        }
        assert!(start.elapsed() < BUDGET, "the browser takes longer than {BUDGET:?} for {address}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{status} for {address}");
    reader.join().expect("no panic").expect("text")
}

/// The element with this anchor, as far as its start tag goes.
fn tag<'a>(dom: &'a str, id: &str) -> &'a str {
    let at = dom.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("{id} is not on the page"));
    let (start, end) = (dom[..at].rfind('<').expect("a tag"), dom[at..].find('>').expect("its end"));
    &dom[start..=at + end]
}

fn hidden(dom: &str, id: &str) -> bool {
    tag(dom, id).contains(" hidden=\"")
}

/// Colours of a picture.
fn colours(path: &Path) -> HashSet<Vec<u8>> {
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).expect("a picture")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a PNG");
    let size = info.color_type.samples();
    pixels[..info.buffer_size()].chunks_exact(size).map(<[u8]>::to_vec).collect()
}

/// Two cases, one of which expects what is wrong: a directory.
fn cases(dir: &Path) -> PathBuf {
    let cases = dir.join("cases");
    std::fs::create_dir_all(cases.join("init")).expect("a writable directory");
    for name in ["order_by_priority.c", "preinit.c"] {
        let source = std::fs::read_to_string(corpus::case::default_dir().join("init").join(name)).expect("a case");
        let source = source.replace("= 1234i32", "= 1235i32");
        std::fs::write(cases.join("init").join(name), source).expect("a writable directory");
    }
    cases
}

#[test]
fn a_run_is_read_in_a_browser() {
    let keep = tempfile::tempdir().expect("a temporary directory");
    let page = keep.path().join("run.html");
    let cases = cases(keep.path());
    let report = format!("html={}", page.display());
    let arguments = ["--corpus", cases.to_str().expect("a text path"), "--arch", "aarch64", "--layout", "near"];
    let (status, text) =
        harness(&[&arguments[..], &["--toolchain", "gcc12-O2.no-pic.tiny", "--report", &report]].concat());
    assert_eq!(status, 100, "{text}");

    // As written, without a script: nothing is hidden but the controls, and nothing is loaded.
    let written = std::fs::read_to_string(&page).expect("the page");
    let body = written.split("<body>").nth(1).and_then(|rest| rest.split("<script>").next()).expect("a body");
    assert_eq!(body.replace("<form id=\"filter\" hidden>", "").matches(" hidden>").count(), 0);
    assert!(!written.contains(" src=") && !written.contains("http://") && !written.contains("https://"));

    let dom = browser(keep.path(), &["--dump-dom"], &page, "");
    for says in [
        "call order(): expected 1235i32, got 1234i32",
        "R_AARCH64_ADR_PREL_LO21",
        "S + A - P = ",
        "<th scope=\"row\">before</th>",
        &format!("cargo run -p harness -- --corpus {} --layout near --exact {FAILED}", cases.display()),
    ] {
        assert!(dom.contains(says), "{says} is not in {dom}");
    }
    assert!(tag(&dom, FAILED).contains(" open=\"") && !hidden(&dom, FAILED) && !hidden(&dom, CASE));
    // The script ran: the controls are there.
    assert!(!hidden(&dom, "filter") && dom.contains(">copy</button>"));

    // A filter in the address: by words that stand in folded text too, by status, and both.
    for (fragment, failed, passed) in [
        ("#filter=preinit", true, false),
        ("#filter=1235i32", false, true),
        ("#status=failed", false, true),
        ("#status=passed&target=aarch64", true, false),
        ("#group=init", false, false),
        ("#filter=r_aarch64_adr_prel_lo21+near&status=failed&group=init", false, true),
        // What the page does not offer cannot be chosen.
        ("#target=armv7", false, false),
    ] {
        let dom = browser(keep.path(), &["--dump-dom"], &page, fragment);
        assert_eq!((hidden(&dom, FAILED), hidden(&dom, PASSED)), (failed, passed), "{fragment}");
    }
    // A filter counts what matches of all failures, and each cause says how many of its own.
    let dom = browser(keep.path(), &["--dump-dom"], &page, "#filter=unicorn+no_such_word");
    assert!(dom.contains("<small>0 of 1 match</small>") && hidden(&dom, "cause-1"), "{dom}");
    let dom = browser(keep.path(), &["--dump-dom"], &page, "#filter=order_by+r_aarch64_adr_prel_lo21");
    assert!(!hidden(&dom, "cause-1") && dom.contains("<span class=\"count\">1</span>"), "{dom}");
    // An anchor: the failure itself, and the case of what has none of its own.
    let dom = browser(keep.path(), &["--dump-dom"], &page, &format!("#{FAILED}"));
    assert!(tag(&dom, FAILED).contains("found"));
    let dom = browser(keep.path(), &["--dump-dom"], &page, &format!("#{PASSED}/gcc12-O2.no-pic.tiny/near/unicorn"));
    assert!(tag(&dom, PASSED).contains("class=\"found\"") && !tag(&dom, CASE).contains("found"));

    // It is a picture, wide and narrow.
    for size in ["1400,1000", "420,900"] {
        let picture = keep.path().join(format!("{size}.png"));
        let arguments = [format!("--screenshot={}", picture.display()), format!("--window-size={size}")];
        browser(keep.path(), &[&arguments[0], &arguments[1]], &page, "");
        let colours = colours(&picture).len();
        assert!(colours > 50, "{colours} colours in {size}");
    }
}

/// The fixture of `a_wrong_row_is_named`: both reports, and what changed between them.
#[test]
fn a_comparison_and_the_matrix_are_read_in_a_browser() {
    let keep = tempfile::tempdir().expect("a temporary directory");
    let fixture = |name: &str| format!("{}/tests/program/wrong_row/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let page = keep.path().join("compare.html");
    let (status, text) =
        harness(&["compare", &fixture("old"), &fixture("new"), "--html", page.to_str().expect("a text path")]);
    assert_eq!(status, 100, "{text}");
    let dom = browser(keep.path(), &["--dump-dom"], &page, "#status=regressed");
    let at = dom.find("Relocations that the regressions have in common").expect("suspects");
    assert!(dom[at..].contains("<code>R_AARCH64_LDST16_ABS_LO12_NC</code>"), "{dom}");
    assert!(dom.contains("data-status=\"regressed\"") && !dom.contains("hidden=\"\" data-status=\"regressed\""));

    // A run against a baseline shows what became of it.
    let page = keep.path().join("baseline.html");
    let report = format!("html={}", page.display());
    let (status, text) =
        harness(&["aarch64/ldst", "--layout", "near", "--baseline", &fixture("new"), "--report", &report]);
    assert_eq!(status, 0, "{text}");
    let written = std::fs::read_to_string(&page).expect("the page");
    assert!(written.contains("<section id=\"comparison\">") && written.contains(" data-status=\"fixed\""), "{written}");

    // The old run, which has that relocation in it, beside the proofs of now.
    let (status, written) = harness(&["coverage", "--arch", "aarch64", "--format", "html", "--from", &fixture("old")]);
    assert_eq!(status, 0, "{written}");
    let page = keep.path().join("coverage.html");
    std::fs::write(&page, written).expect("a writable directory");
    let dom = browser(keep.path(), &["--dump-dom"], &page, "#filter=R_AARCH64_LDST16_ABS_LO12_NC");
    for proof in reports::coverage::PROOFS {
        assert!(dom.contains(&format!(">{}</th>", proof.name())), "{proof:?}");
    }
    let matrix = dom.split("<section id=\"matrix\">").nth(1).and_then(|rest| rest.split("</section>").next());
    let matrix = matrix.expect("the matrix");
    let shown: Vec<&str> = matrix.split("<tr ").skip(1).filter(|row| !row.contains(" hidden=\"")).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("R_AARCH64_LDST16_ABS_LO12_NC") && shown[0].contains("class=\"n passed\""), "{shown:?}");
}
