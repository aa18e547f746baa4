//! What `--rerun-failed` knows: the configurations that failed and have not passed since, with what they came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use reports::model::{Record, Status};
use serde_json::{Value, json};

use super::Args;

/// Bytes of what is remembered.
const LONGEST: u64 = 64 << 20;

/// So many different sources of failures are remembered.
const MOST: usize = 16;

/// What configurations come from: names alone do not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    corpus: Option<PathBuf>,
    rebuild: bool,
    layouts: Vec<String>,
    machine: BTreeMap<String, String>,
    linker: BTreeMap<String, String>,
    suite: Vec<(String, String)>,
}

impl Origin {
    /// Of a command line.
    pub(super) fn of(args: &Args) -> Origin {
        Origin {
            // The next run may be started elsewhere.
            corpus: args.corpus.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())),
            rebuild: args.rebuild,
            layouts: args.layout.iter().map(ToString::to_string).collect(),
            machine: args.machine.given(),
            linker: args.linker.given(),
            suite: args.suite.given(),
        }
    }

    /// Puts it into a command line that says nothing of it.
    fn put_into(&self, args: &mut Args) -> anyhow::Result<()> {
        args.corpus.clone_from(&self.corpus);
        args.rebuild = self.rebuild;
        args.machine.give(&self.machine);
        args.linker.give(&self.linker);
        args.suite.give(&self.suite);
        let parse = |text: &String| text.parse().map_err(|_| anyhow::anyhow!("`{text}` is no layout"));
        args.layout = self.layouts.iter().map(parse).collect::<anyhow::Result<_>>()?;
        Ok(())
    }

    fn json(&self) -> Value {
        json!({
            "corpus": self.corpus, "rebuild": self.rebuild, "layouts": self.layouts, "machine": self.machine,
            "linker": self.linker, "suite": self.suite,
        })
    }

    fn read(value: &Value) -> Option<Origin> {
        Some(Origin {
            corpus: value["corpus"].as_str().map(PathBuf::from),
            rebuild: value["rebuild"].as_bool()?,
            layouts: texts(&value["layouts"])?.collect(),
            machine: pairs(value["machine"].as_object()?),
            linker: value["linker"].as_object().map(pairs).unwrap_or_default(),
            suite: serde_json::from_value(value["suite"].clone()).unwrap_or_default(),
        })
    }
}

fn pairs(object: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    object.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

fn texts(value: &Value) -> Option<impl Iterator<Item = String>> {
    Some(value.as_array()?.iter().filter_map(|text| text.as_str().map(str::to_owned)))
}

/// All that is remembered, what was written last first.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    entries: Vec<(Origin, BTreeSet<String>)>,
}

impl Memory {
    /// What a file holds; nothing where there is none, or another file.
    pub(super) fn read(path: &Path) -> Memory {
        let value: Value =
            outside::read(path, LONGEST).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let entry = |value: &Value| Some((Origin::read(value)?, texts(&value["failed"])?.collect()));
        Memory { entries: value.as_array().into_iter().flatten().filter_map(entry).collect() }
    }

    /// What failed of this origin, or of the last one with failures when the command line names none, which is put into it.
    pub(super) fn recall(&self, args: &mut Args) -> anyhow::Result<BTreeSet<String>> {
        let own = Origin::of(args);
        let entry = match own == Origin::default() {
            true => self.entries.iter().find(|(_, failed)| !failed.is_empty()),
            false => self.entries.iter().find(|(origin, _)| *origin == own),
        };
        let Some((origin, failed)) = entry else { return Ok(BTreeSet::new()) };
        origin.put_into(args)?;
        Ok(failed.clone())
    }

    /// Notes how configurations ended. What failed is remembered until it passes: neither a skip nor a run that did not get to it
    /// says that it is mended. `gone` does not exist any more.
    pub(super) fn note(&mut self, origin: Origin, records: &[Record], gone: &BTreeSet<String>) {
        let known = self.entries.iter().position(|entry| entry.0 == origin).map(|index| self.entries.remove(index));
        let (origin, mut failed) = known.unwrap_or((origin, BTreeSet::new()));
        for record in records {
            match record.status {
                Status::Failed | Status::UnexpectedPass => drop(failed.insert(record.name.clone())),
                Status::Passed | Status::ExpectedFailure => drop(failed.remove(&record.name)),
                _ => {}
            }
        }
        failed.retain(|name| !gone.contains(name));
        self.entries.insert(0, (origin, failed));
        self.entries.truncate(MOST);
    }

    /// Writes it.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let entry = |(origin, failed): &(Origin, BTreeSet<String>)| {
            let mut value = origin.json();
            value["failed"] = failed.iter().cloned().collect::<Vec<String>>().into();
            value
        };
        let entries: Vec<Value> = self.entries.iter().map(entry).collect();
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        // Whole or not at all: a run that is ended here forgets nothing.
        outside::Output::at(path)?.write(|out| serde_json::to_writer(out, &entries).map_err(std::io::Error::from))?;
        Ok(())
    }
}
