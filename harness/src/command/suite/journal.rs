//! The records of a run that is under way, so that one that is interrupted goes on where it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use reports::model::{Record, Status};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::test::Test;

/// Bytes of a journal.
const LONGEST: u64 = 1 << 30;

/// A line: a record, and what it was made of.
#[derive(Serialize, Deserialize)]
struct Line {
    stamp: String,
    record: Record,
}

/// A file of records, a line each.
pub struct Journal {
    path: PathBuf,
    file: File,
    known: BTreeMap<String, Line>,
}

impl Journal {
    /// The journal of a run of this kind, in a directory. `kind` has all that decides how tests end, but for their names and their
    /// sources; this program is of it. What a run of the same kind has left is known.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(directory: &Path, kind: &str, fresh: bool) -> anyhow::Result<Journal> {
        let own = std::env::current_exe().map(|path| stamp([path.as_path()])).unwrap_or_default();
        let digest = Sha256::digest(format!("{own}\n{kind}"));
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = directory.join(format!("suite-{name}.jsonl"));
        let context = || path.display().to_string();
        std::fs::create_dir_all(directory).with_context(context)?;
        let text = if fresh { Vec::new() } else { outside::read(&path, LONGEST).unwrap_or_default() };
        // The last line may have been cut short.
        let lines = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let known: BTreeMap<String, Line> = lines.map(|line| (line.record.name.clone(), line)).collect();
        let mut file = File::create(&path).with_context(context)?;
        for line in known.values() {
            writeln!(file, "{}", serde_json::to_string(line)?).with_context(context)?;
        }
        Ok(Journal { path, file, known })
    }

    /// The record that a test has already, unless its sources have changed.
    pub fn known(&mut self, test: &Test<'_>) -> Option<Record> {
        let line = self.known.remove(&test.name)?;
        (line.stamp == of(test)).then_some(line.record)
    }

    /// Notes a record. A machine that was lost says nothing of a test.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&mut self, test: &Test<'_>, record: &Record) -> anyhow::Result<()> {
        if record.status == Status::Lost {
            return Ok(());
        }
        let line = Line { stamp: of(test), record: record.clone() };
        writeln!(self.file, "{}", serde_json::to_string(&line)?).with_context(|| self.path.display().to_string())
    }

    /// The run has come to its end: nobody has to go on with it.
    pub fn finish(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What a test is made of.
fn of(test: &Test<'_>) -> String {
    let sources = test.program.sources.iter().map(PathBuf::as_path);
    format!("{} {:?}", stamp(sources.chain(test.program.reference.as_deref())), test.program.flags)
}

/// Time and length of files.
pub fn stamp<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    let of = |path: &Path| match std::fs::metadata(path) {
        Ok(data) => format!("{}.{}:{}", data.mtime(), data.mtime_nsec(), data.len()),
        Err(_) => "none".to_owned(),
    };
    paths.into_iter().map(of).collect::<Vec<_>>().join(" ")
}
