//! A directory for the program to run in, and what it says there.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use reports::json::Report;
use reports::model::Record;
use tempfile::TempDir;

/// A directory, in which the program keeps what it remembers and all that it makes in between.
pub(crate) struct Room(TempDir);

impl Room {
    pub(crate) fn new() -> Room {
        let room = Room(TempDir::new().expect("a directory"));
        std::fs::create_dir(room.path("between")).expect("a directory");
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Status, and what was said.
    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.env("NO_COLOR", "1").env("TMPDIR", self.path("between")).env_remove("GITHUB_STEP_SUMMARY");
        command.env("LINKRIG_FAILED", self.path("failed.json")).args(words).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).expect("text"))
    }

    /// The same with a report, which is read.
    pub(crate) fn report(&self, words: &[&str]) -> (String, Vec<Record>) {
        let path = self.path("report.json");
        let report = format!("json={}", path.display());
        let (_, text) = self.run(&[words, &["--report", &report]].concat());
        let report = Report::read(std::fs::File::open(path).expect(&text)).expect("a report");
        (text, report.results)
    }
}
