//! Reading: only files, and no more of them than was agreed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use crate::{FileError, Problem, Purpose};

/// O_NONBLOCK: opening a pipe does not wait for somebody at its other end.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// Opens a file for reading. Besides regular files, a pipe that was inherited is one (`/dev/stdin`, `<(...)` of a shell):
/// somebody writes to it. A pipe with a name in the file system, a device, a socket or a directory is refused.
pub fn open(path: impl AsRef<Path>) -> Result<File, FileError> {
    let path = path.as_ref();
    let refuse = |problem| FileError::new(path, Purpose::Input, problem);
    let io = |error| refuse(Problem::Io(error));
    // What is no file is not opened: some devices act when they are.
    let kind = std::fs::metadata(path).map_err(io)?.file_type();
    if kind.is_fifo() && is_inherited(path) {
        return File::open(path).map_err(io);
    }
    if let Some(kind) = other_than_file(kind) {
        return Err(refuse(Problem::NoFile(kind)));
    }
    let file = File::options().read(true).custom_flags(NONBLOCK).open(path).map_err(io)?;
    // It may have been exchanged in between.
    match other_than_file(file.metadata().map_err(io)?.file_type()) {
        Some(kind) => Err(refuse(Problem::NoFile(kind))),
        None => Ok(file),
    }
}

/// The content of a file, which may have so many bytes.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, FileError> {
    let path = path.as_ref();
    read_from(path, open(path)?, limit)
}

/// The same of a file that was [opened](open) already.
pub fn read_from(path: &Path, file: File, limit: u64) -> Result<Vec<u8>, FileError> {
    let refuse = |problem| FileError::new(path, Purpose::Input, problem);
    let length = file.metadata().map_err(|error| refuse(Problem::Io(error)))?.len();
    if length > limit {
        return Err(refuse(Problem::TooLong(limit)));
    }
    let mut content = Vec::with_capacity(length as usize);
    // It may grow while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(|error| refuse(Problem::Io(error)))?;
    if content.len() as u64 > limit { Err(refuse(Problem::TooLong(limit))) } else { Ok(content) }
}

/// The same of a file that has to be text.
pub fn read_text(path: impl AsRef<Path>, limit: u64) -> Result<String, FileError> {
    let path = path.as_ref();
    String::from_utf8(read(path, limit)?)
        .map_err(|error| FileError::new(path, Purpose::Input, Problem::NoText(error.utf8_error().valid_up_to())))
}

/// What something is that is no file.
fn other_than_file(kind: std::fs::FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    Some(match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    })
}

/// Whether a path leads to a pipe that has no name: what it is called is then no path at all.
fn is_inherited(path: &Path) -> bool {
    let mut path = path.to_owned();
    // /dev/stdin leads to /proc/self/fd/0, which leads to `pipe:[NUMBER]`.
    for _ in 0..4 {
        let Ok(next) = std::fs::read_link(&path) else { return false };
        if next.to_string_lossy().starts_with("pipe:[") {
            return true;
        }
        path = path.parent().map_or(next.clone(), |parent| parent.join(&next));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_read_and_no_more_than_agreed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "12345").expect("written");
        std::fs::write(path("bytes"), b"ab\xff").expect("written");
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("a pipe");
        std::os::unix::fs::symlink(path("pipe"), path("link")).expect("a link");
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
        assert_eq!(read(path("file"), 5).expect("read"), b"12345");
        for (name, told) in [
            ("", "it is a directory, expected a file"),
            ("pipe", "it is a named pipe, expected a file"),
            ("link", "it is a named pipe, expected a file"),
            ("socket", "it is a socket, expected a file"),
            ("/dev/zero", "it is a device, expected a file"),
            ("/proc/self/mem", "longer than 4 bytes"),
            ("nowhere", "No such file"),
            ("file", "it is longer than 4 bytes, the most that is read"),
        ] {
            let error = read(path(name), 4).expect_err(name);
            let text = error.to_string();
            assert!(text.starts_with(&path(name).display().to_string()), "{text}");
            assert!(text.contains(told) || name == "/proc/self/mem", "{name}: {text}");
            assert_eq!(error.purpose, Purpose::Input);
        }
        let text = read_text(path("bytes"), 5).expect_err("no text").to_string();
        assert!(text.ends_with("it is not UTF-8 text, from byte 2 on"), "{text}");
    }
}
