//! Directories for what is needed in between.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::{FileError, Purpose};

/// The directories there are.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A directory for files that nobody wants afterwards. It goes when this value does, and when the program is [stopped](crate::stop).
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// A new one, where the system has such directories.
    pub fn new() -> Result<Scratch, FileError> {
        let failed = |error: io::Error| FileError::new(&std::env::temp_dir(), Purpose::Output, error);
        // Made while nobody can sweep: one that is not in the list yet would stay.
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = tempfile::Builder::new().prefix("linkrig-").tempdir().map_err(failed)?;
        live.insert(directory.path().to_owned());
        Ok(Scratch(directory))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone before it is out of the list: who sweeps in between would leave it.
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = std::fs::remove_dir_all(self.0.path());
        live.remove(self.0.path());
    }
}

/// Removes all there are. Whoever wants one from now on waits for ever: the program is about to end.
pub(crate) fn sweep() {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    for directory in live.iter() {
        let _ = std::fs::remove_dir_all(directory);
    }
    std::mem::forget(live);
}
