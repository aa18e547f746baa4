//! The directory of snapshots: one file a key, none of them ever half written, and together no more than a bound.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::key::Key;

/// Bytes that all snapshots may have together.
pub const LIMIT: u64 = 1 << 30;
const SUFFIX: &str = "snapshot";
/// What is neither a snapshot nor this young was left behind by somebody who was killed.
const STALE: Duration = Duration::from_secs(3600);

/// The directory.
#[derive(Clone, Debug)]
pub(super) struct Store {
    directory: PathBuf,
    limit: u64,
}

/// The right to make a snapshot.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Somebody else had it at first, and said that it cannot be made. Whoever just died said nothing.
    pub(super) in_vain: bool,
}

impl Lock {
    /// Tells those who wait that it cannot be made.
    pub(super) fn give_up(&self) {
        // Who does not hear it tries, too.
        let _ = self.file.write_all_at(b"given up\n", 0);
    }
}

/// Where snapshots of this user are kept.
pub fn user_directory() -> Option<PathBuf> {
    below_cache(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())
}

/// XDG's rule: a relative path does not count.
fn below_cache(xdg: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let xdg = xdg.map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = xdg.or_else(|| home.filter(|home| home.is_absolute()).map(|home| home.join(".cache")))?;
    Some(cache.join("linkrig/snapshots"))
}

impl Store {
    pub(super) fn new(directory: PathBuf, limit: u64) -> Store {
        Store { directory, limit }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.directory.join(&key.0).with_extension(SUFFIX)
    }

    /// What is kept under this key, which thereby is the one used last.
    pub(super) fn open(&self, key: &Key) -> Option<File> {
        let file = File::open(self.path(key)).ok()?;
        // Whoever may not note it has it thrown away sooner.
        let _ = file.set_modified(SystemTime::now());
        Some(file)
    }

    pub(super) fn remove(&self, key: &Key) {
        // Somebody else may have been faster.
        let _ = fs::remove_file(self.path(key));
    }

    /// Waits until nobody else makes this snapshot. The lock ends with its process, however that ends.
    pub(super) fn lock(&self, key: &Key) -> io::Result<Lock> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let path = self.path(key).with_extension("lock");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let waited = match file.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => {
                file.lock()?;
                true
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        let in_vain = waited && file.metadata()?.len() > 0;
        if !in_vain {
            file.set_len(0)?;
        }
        Ok(Lock { file, in_vain })
    }

    /// Keeps what is written by `write`: all of it, or nothing if that fails. Makes room for it afterwards.
    pub(super) fn save(
        &self,
        key: &Key,
        write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = tempfile::Builder::new().prefix("new-").tempfile_in(&self.directory)?;
        let mut writer = BufWriter::with_capacity(1 << 20, file.as_file());
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        if file.as_file().metadata()?.len() > self.limit {
            return Err(io::Error::other("it alone is larger than all may be together"));
        }
        file.persist(self.path(key))?;
        self.evict()
    }

    /// Removes those that were not used for the longest time, until the rest is within the bound; and what nobody needs.
    fn evict(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // What is gone by now needs no room.
            let Ok(metadata) = entry.metadata() else { continue };
            let (path, used) = (entry.path(), metadata.modified()?);
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                kept.push((used, metadata.len(), path));
            } else if used.elapsed().is_ok_and(|age| age > STALE) {
                discard(&path);
            }
        }
        kept.sort();
        let mut size: u64 = kept.iter().map(|(_, size, _)| size).sum();
        for (_, bytes, path) in kept {
            if size <= self.limit {
                break;
            }
            discard(&path);
            size -= bytes;
        }
        Ok(())
    }
}

/// A file that is in use stays there for its user.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc;

    use super::*;

    fn key(name: &str) -> Key {
        Key(name.to_owned())
    }

    fn store(limit: u64) -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path().join("deep/in/it"), limit);
        (directory, store)
    }

    fn save(store: &Store, name: &str, size: usize) {
        store.lock(&key(name)).expect("locked");
        store.save(&key(name), |into| into.write_all(&vec![1; size])).expect("saved");
    }

    fn names(store: &Store) -> Vec<String> {
        let entries = fs::read_dir(&store.directory).expect("it is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names.sort();
        names
    }

    fn set_age(store: &Store, name: &str, seconds: u64) {
        let file = File::options().append(true).open(store.directory.join(name)).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("set");
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let (_directory, store) = store(1000);
        for (name, age) in [("a", 40), ("b", 30), ("c", 20)] {
            save(&store, name, 300);
            set_age(&store, &format!("{name}.snapshot"), age);
        }
        assert_eq!(names(&store), ["a.snapshot", "b.snapshot", "c.snapshot"]);
        // Using it makes it young.
        store.open(&key("a")).expect("it is there");
        save(&store, "d", 300);
        assert_eq!(names(&store), ["a.snapshot", "c.snapshot", "d.snapshot"]);
        let huge = store.save(&key("huge"), |into| into.write_all(&[1; 2000]));
        assert!(huge.is_err());
        assert_eq!(names(&store), ["a.snapshot", "c.snapshot", "d.snapshot"]);
    }

    #[test]
    fn leftovers_go_and_strangers_work_is_left_alone_while_it_is_young() {
        let (_directory, store) = store(1000);
        save(&store, "a", 1);
        fs::write(store.directory.join("new-old"), "left behind").expect("written");
        fs::write(store.directory.join("new-young"), "in the making").expect("written");
        set_age(&store, "new-old", 2 * 3600);
        set_age(&store, "a.snapshot", 7 * 24 * 3600);
        save(&store, "b", 1);
        assert_eq!(names(&store), ["a.snapshot", "b.snapshot", "new-young"]);
    }

    #[test]
    fn nothing_is_ever_half_written() {
        let (_directory, store) = store(1000);
        save(&store, "a", 10);
        let failed = store.save(&key("a"), |into| {
            into.write_all(&[2; 5])?;
            into.flush()?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        let mut content = Vec::new();
        store.open(&key("a")).expect("it is there").read_to_end(&mut content).expect("read");
        assert_eq!(content, [1; 10]);
        assert_eq!(names(&store), ["a.snapshot"]);
        store.remove(&key("a"));
        assert!(store.open(&key("a")).is_none());
    }

    #[test]
    fn one_makes_it_and_the_other_waits() {
        let (_directory, store) = store(1000);
        let (send, receive) = mpsc::channel();
        let first = store.lock(&key("a")).expect("locked");
        assert!(!first.in_vain);
        assert!(!store.lock(&key("b")).expect("another key").in_vain);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let second = store.lock(&key("a")).expect("locked");
                send.send(second.in_vain).expect("heard");
            });
            assert!(receive.recv_timeout(Duration::from_millis(100)).is_err(), "it did not wait");
            // Without a word, as a process that is killed: whoever waited takes over.
            drop(first);
            assert!(!receive.recv_timeout(Duration::from_secs(10)).expect("it goes on"));
        });
    }

    #[test]
    fn who_waits_hears_that_it_cannot_be_made_and_who_comes_later_tries() {
        let (_directory, store) = store(1000);
        let first = store.lock(&key("a")).expect("locked");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| store.lock(&key("a")).expect("locked").in_vain);
            // It waits, or comes too late to have waited, which the next line would not notice.
            std::thread::sleep(Duration::from_millis(300));
            first.give_up();
            drop(first);
            assert!(second.join().expect("no panic"));
        });
        assert!(!store.lock(&key("a")).expect("locked").in_vain);
    }

    #[test]
    fn the_directory_is_where_xdg_says() {
        let of = |xdg: Option<&str>, home: Option<&str>| below_cache(xdg.map(OsString::from), home.map(PathBuf::from));
        assert_eq!(of(Some("/c"), Some("/h")), Some("/c/linkrig/snapshots".into()));
        assert_eq!(of(None, Some("/h")), Some("/h/.cache/linkrig/snapshots".into()));
        assert_eq!(of(Some("c"), Some("/h")), Some("/h/.cache/linkrig/snapshots".into()));
        assert_eq!(of(Some(""), None), None);
        assert_eq!(of(None, Some("")), None);
    }

    #[test]
    fn a_directory_that_cannot_be_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let store = Store::new(file.path().join("below"), 1000);
        assert!(store.lock(&key("a")).is_err());
        assert!(store.open(&key("a")).is_none());
    }
}
