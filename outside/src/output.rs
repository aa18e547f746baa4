//! Writing: a file is tried before the work that fills it, and holds all of it or what it held before.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::{FileError, Problem, Purpose};

/// A file that will be written, of which is known that it can be.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    way: Way,
}

/// How content gets into a file.
#[derive(Debug)]
enum Way {
    /// By a new file beside it that takes its name, and the mode of the old one if there is one.
    Replace { file: PathBuf, mode: Option<u32> },
    /// Over what it held: it has several names, or there can be no other in its directory.
    Over(File),
    /// As it is: a device, a pipe, or a stream that is open already.
    Into(File),
}

/// Another descriptor of a stream.
type Stream = fn() -> io::Result<std::os::fd::OwnedFd>;

/// Names of streams that the program has open already. Opening one anew would begin at the start of what it leads to.
const STREAMS: &[(&str, Stream)] = &[
    ("/dev/stdout", || Ok(rustix::io::dup(rustix::stdio::stdout())?)),
    ("/dev/fd/1", || Ok(rustix::io::dup(rustix::stdio::stdout())?)),
    ("/proc/self/fd/1", || Ok(rustix::io::dup(rustix::stdio::stdout())?)),
    ("/dev/stderr", || Ok(rustix::io::dup(rustix::stdio::stderr())?)),
    ("/dev/fd/2", || Ok(rustix::io::dup(rustix::stdio::stderr())?)),
    ("/proc/self/fd/2", || Ok(rustix::io::dup(rustix::stdio::stderr())?)),
];

/// New files can be read and written by whom the user's mask says.
const MODE: u32 = 0o666;

/// O_NONBLOCK: opening a pipe does not wait for a reader.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

impl Output {
    /// Sees whether a file can be written here, and changes the content of none. A link to what is not there gets an empty file.
    pub fn at(path: impl AsRef<Path>) -> Result<Output, FileError> {
        let path = path.as_ref();
        let way = way(path).map_err(|problem| FileError::new(path, Purpose::Output, problem))?;
        Ok(Output { path: path.to_owned(), way })
    }

    /// The path that was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file: all of it, or, where that fails, nothing. Devices and pipes have what got there, and a disk that fills up
    /// can cut what has to be written over.
    pub fn write(self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), FileError> {
        let written = match self.way {
            Way::Into(file) => into(file, fill),
            Way::Over(mut file) => {
                // Whole before what is there goes.
                let mut content = Vec::new();
                fill(&mut content).and_then(|()| file.set_len(0)).and_then(|()| file.write_all(&content))
            }
            Way::Replace { file, mode } => replace(&file, mode, fill),
        };
        written.map_err(|error| FileError::new(&self.path, Purpose::Output, error))
    }
}

fn into(file: File, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    fill(&mut out)?;
    out.flush()
}

fn replace(file: &Path, mode: Option<u32>, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (handle, beside) = beside(file)?.into_parts();
    // Afterwards, as the user's mask is for new files.
    if let Some(mode) = mode {
        handle.set_permissions(Permissions::from_mode(mode))?;
    }
    into(handle, fill)?;
    beside.persist(file).map_err(|error| error.error)
}

/// An empty file in the directory of another.
fn beside(file: &Path) -> io::Result<tempfile::NamedTempFile> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made =
        tempfile::Builder::new().prefix(".linkrig-").permissions(Permissions::from_mode(MODE)).tempfile_in(directory);
    // Its name is nobody's business: the system's words are enough.
    made.map_err(|error| error.raw_os_error().map_or(error, io::Error::from_raw_os_error))
}

fn way(path: &Path) -> Result<Way, Problem> {
    if let Some((_, stream)) = STREAMS.iter().find(|(name, _)| Path::new(name) == path) {
        return Ok(Way::Into(File::from(stream()?)));
    }
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(new(path)?),
        Err(error) => return Err(error.into()),
    };
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(Problem::NoFile("a directory"));
    }
    let open = || File::options().write(true).custom_flags(NONBLOCK).open(path);
    if !kind.is_file() {
        // Nobody at the other end of a pipe: ENXIO, "no such device or address".
        let file = open().map_err(|error| match error.raw_os_error() {
            Some(code) if kind.is_fifo() && code == rustix::io::Errno::NXIO.raw_os_error() => {
                Problem::NoFile("a named pipe that nobody reads")
            }
            _ => error.into(),
        })?;
        let flags = rustix::fs::fcntl_getfl(&file).map_err(io::Error::from)?;
        rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::NONBLOCK).map_err(io::Error::from)?;
        return Ok(Way::Into(file));
    }
    let file = open()?;
    // A link stays a link, and what it leads to is replaced.
    let (target, mode) = (std::fs::canonicalize(path)?, metadata.permissions().mode() & 0o777);
    // What has several names keeps them all.
    if metadata.nlink() > 1 || beside(&target).is_err() {
        return Ok(Way::Over(file));
    }
    Ok(Way::Replace { file: target, mode: Some(mode) })
}

/// A file that is not there yet, in a directory that has to be.
fn new(path: &Path) -> io::Result<Way> {
    if path.file_name().is_none() || path.to_string_lossy().ends_with('/') {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if std::fs::symlink_metadata(path).is_ok() {
        // A link to what is not there.
        return Ok(Way::Over(File::options().write(true).create(true).truncate(false).open(path)?));
    }
    drop(beside(path)?);
    Ok(Way::Replace { file: path.to_owned(), mode: None })
}

/// Refuses a file to write that is one of the inputs, by whatever name.
pub fn apart<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a str>) -> Result<(), FileError> {
    let file = |path: &Path| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
    let Some(own) = file(output) else { return Ok(()) };
    let is_it = |input: &str| file(Path::new(input)).is_some_and(|it| (it.dev(), it.ino()) == (own.dev(), own.ino()));
    match inputs.into_iter().any(is_it) {
        true => Err(FileError::new(output, Purpose::Output, Problem::Input)),
        false => Ok(()),
    }
}

/// Refuses outputs of which two are one file.
pub fn distinct<'a>(outputs: impl IntoIterator<Item = &'a Output>) -> Result<(), FileError> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for output in outputs {
        let path = std::path::absolute(&output.path).unwrap_or_else(|_| output.path.clone());
        let parent = path.parent().and_then(|parent| std::fs::canonicalize(parent).ok());
        let whole = std::fs::canonicalize(&path).ok();
        let own = whole.or_else(|| Some(parent?.join(path.file_name()?))).unwrap_or(path);
        // What goes nowhere may go there more than once.
        if own != Path::new("/dev/null") && seen.contains(&own) {
            return Err(FileError::new(&output.path, Purpose::Output, Problem::Twice));
        }
        seen.push(own);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_all_or_what_it_held() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("report");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("report", &link).expect("a link");
        Output::at(&path).expect("can be written").write(|out| out.write_all(b"old")).expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("permitted");
        // Halfway through it fails: nothing has changed, and nothing lies beside it.
        let output = Output::at(&path).expect("can be written");
        let error = output.write(|out| {
            out.write_all(&[0; 100_000])?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(error.expect_err("it fails").to_string(), format!("{}: the disk is full", path.display()));
        assert_eq!(std::fs::read(&path).expect("there"), b"old");
        Output::at(&link).expect("can be written").write(|out| out.write_all(b"new")).expect("written");
        assert_eq!(std::fs::read(&path).expect("there"), b"new");
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o666);
        assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 2);
        // So it is with a file that has to be written over.
        std::fs::hard_link(&path, directory.path().join("second")).expect("a second name");
        let output = Output::at(&path).expect("can be written");
        output.write(|_| Err(io::Error::other("no more"))).expect_err("it fails");
        assert_eq!(std::fs::read(&path).expect("there"), b"new");
    }

    #[test]
    fn what_cannot_be_written_is_found_before() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "").expect("written");
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("a pipe");
        for (name, told) in [
            ("", "directory"),
            ("nowhere/report", "No such file"),
            ("file/report", "Not a directory"),
            ("report/", "directory"),
            ("pipe", "it is a named pipe that nobody reads, expected a file"),
        ] {
            let error = Output::at(path(name)).expect_err(name);
            assert!(error.to_string().to_lowercase().contains(&told.to_lowercase()), "{name}: {error}");
            assert_eq!(error.purpose, Purpose::Output);
        }
        let full = Output::at("/dev/full").expect("can be opened").write(|out| out.write_all(b"x"));
        assert!(full.expect_err("it is full").to_string().contains("/dev/full: No space left"));
        Output::at("/dev/null").expect("can be opened").write(|out| out.write_all(b"x")).expect("written");
    }

    #[test]
    fn one_file_is_not_two_outputs() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| Output::at(directory.path().join(name)).expect(name);
        distinct(&[at("a"), at("b")]).expect("two files");
        let error = distinct(&[at("a"), at("b"), at("./a")]).expect_err("twice").to_string();
        assert!(error.ends_with("./a: it is named twice, expected a file for each output"), "{error}");
        let null = || Output::at("/dev/null").expect("can be opened");
        distinct(&[null(), null()]).expect("nowhere");
    }
}
