//! When, where and of what a run is, for its reports.

use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{SecondsFormat, Utc};
use reports::model::Start;

/// Fills in what a report says of a run besides its results: the date, the machine, and the commits.
pub(super) fn fill(start: &mut Start, corpus: Option<&Path>) {
    start.date = Some(Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    start.machine = Some(machine());
    start.commit = commit(Path::new(env!("CARGO_MANIFEST_DIR")));
    start.corpus = corpus.map(|directory| directory.display().to_string());
    start.corpus_commit = corpus.and_then(commit);
}

/// `name (linux 6.1.0-18-amd64 x86_64, 2 processors)`
fn machine() -> String {
    let kernel = |file: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/kernel/{file}")).unwrap_or_default();
        text.trim().to_owned()
    };
    let (os, cpu) = (std::env::consts::OS, std::env::consts::ARCH);
    let processors = match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => "1 processor".to_owned(),
        count => format!("{count} processors"),
    };
    let words =
        [os, &kernel("osrelease"), cpu].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match kernel("hostname") {
        name if name.is_empty() => format!("{words}, {processors}"),
        name => format!("{name} ({words}, {processors})"),
    }
}

/// The commit that a directory is in, with `-dirty` where tracked files have changed. None where there is no checkout, or no git.
fn commit(directory: &Path) -> Option<String> {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(directory).args(words).stdin(Stdio::null());
        let output = command.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|text| !text.is_empty());
    Some(if changed { commit + "-dirty" } else { commit })
}
