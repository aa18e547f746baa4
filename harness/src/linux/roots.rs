//! Which files of the host a process may reach, and under which names: directories that the user grants, and a temporary one of its
//! own. A path leads into one of them by its text; inside, the kernel walks it (`openat2`), and is told to stay there: neither `..`
//! nor a symbolic link, a mount point or a race leads out.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use outside::Scratch;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

/// How often the kernel is asked again when somebody moved directories while it walked a path with `..`.
const RETRIES: usize = 64;
/// Where the temporary directory is for the process.
const TEMPORARY: &str = "/tmp";

/// A directory of the host that a process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it is.
    pub host: PathBuf,
    /// What the process calls it: an absolute path.
    pub guest: PathBuf,
    /// Whether the process may change what is in it.
    pub writable: bool,
    /// Whether it is the root of a system: then symbolic links with absolute targets lead on from it. Otherwise those lead nowhere.
    pub is_root: bool,
}

/// A directory that was granted cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// It cannot be opened, or is no directory.
    #[error("{}: {error}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It and another one cannot be granted together.
    #[error("{}: {why}", path.display())]
    Conflict {
        /// The directory.
        path: PathBuf,
        /// Which other one, and why.
        why: String,
    },
}

/// All that a process may reach of the host, by name.
#[derive(Debug)]
pub struct Roots(Vec<Root>);

/// A directory, and everything in it.
#[derive(Debug)]
struct Root {
    /// The names that lead there.
    guest: Vec<Vec<u8>>,
    source: Source,
    writable: bool,
    /// How the kernel is told to stay in it.
    how: ResolveFlags,
}

#[derive(Debug)]
enum Source {
    Granted(OwnedFd),
    /// Made when it is first used, and removed with everything in it.
    Temporary(OnceCell<(OwnedFd, Scratch)>),
}

/// What is there for every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/random` and `/dev/urandom`
    Random,
    /// `/dev/stdin` and its like: what this descriptor is.
    Standard(i32),
    /// `/proc/self/exe`, a symbolic link: what C libraries ask for to learn who they are.
    Ourselves,
}

const SPECIAL: &[(&str, Special)] = &[
    ("/dev/null", Special::Null),
    ("/dev/random", Special::Random),
    ("/dev/stderr", Special::Standard(2)),
    ("/dev/stdin", Special::Standard(0)),
    ("/dev/stdout", Special::Standard(1)),
    ("/dev/urandom", Special::Random),
    ("/dev/zero", Special::Zero),
    ("/proc/self/exe", Special::Ourselves),
];

/// Where a path leads, as far as its text says.
#[derive(Debug)]
pub(super) struct Named {
    /// The same path, absolute and without `.` and `..`.
    pub(super) path: Vec<u8>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Place {
    Special(Special),
    /// A directory that is there because something is in it: what is in it, and whether that is a directory.
    Above(BTreeMap<Vec<u8>, bool>),
    /// In a directory of the host.
    Beneath(Beneath),
    Nowhere,
}

/// A path in a directory of the host.
#[derive(Clone, Debug)]
pub(super) struct Beneath {
    root: usize,
    /// The directory in it from which the path leads, if it may not leave that either.
    scope: Option<Rc<OwnedFd>>,
    rest: Vec<u8>,
    /// How strictly the path is taken.
    how: ResolveFlags,
}

impl Roots {
    /// Opens the directories.
    ///
    /// # Errors
    /// One cannot be opened, is no directory, or is at odds with another one.
    pub fn new(grants: &[Grant]) -> Result<Roots, GrantError> {
        let mut roots = Vec::new();
        for grant in grants {
            let fd = open(&grant.host, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
            let fd = fd.map_err(|errno| GrantError::Unusable { path: grant.host.clone(), error: errno.into() })?;
            if let Some(outer) = grants.iter().find(|outer| !grant.writable && !grant.is_root && outer.opens(grant)) {
                let why =
                    format!("it is to be read only, and {}, which it is in, may be written", outer.host.display());
                return Err(GrantError::Conflict { path: grant.host.clone(), why });
            }
            if let Some(other) = grants.iter().find(|other| other.host != grant.host && other.is_called_as(grant)) {
                let why = format!("{} is called {}, too", other.host.display(), grant.guest.display());
                return Err(GrantError::Conflict { path: grant.host.clone(), why });
            }
            let guest = split(grant.guest.as_os_str().as_encoded_bytes());
            roots.retain(|root: &Root| root.guest != guest);
            let how = if grant.is_root { ResolveFlags::IN_ROOT } else { ResolveFlags::BENEATH };
            roots.push(Root { guest, source: Source::Granted(fd), writable: grant.writable, how });
        }
        let temporary = split(TEMPORARY.as_bytes());
        if roots.iter().all(|root| root.guest != temporary) {
            let source = Source::Temporary(OnceCell::new());
            roots.push(Root { guest: temporary, source, writable: true, how: ResolveFlags::BENEATH });
        }
        Ok(Roots(roots))
    }

    /// Where a path leads that is seen from a directory.
    pub(super) fn find(&self, directory: &[u8], path: &[u8]) -> Result<Named, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        let mut names = if path.starts_with(b"/") { Vec::new() } else { split(directory) };
        let mut root = self.root_of(&names);
        let behind =
            |root: Option<usize>, names: &[Vec<u8>]| names[root.map_or(0, |n| self.0[n].guest.len())..].to_vec();
        // The way in the directory of the host, where the kernel has to see `..`: behind a link it leads elsewhere.
        let mut way = behind(root, &names);
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            if name == b".." {
                names.pop();
            } else {
                names.push(name.to_vec());
            }
            let now = self.root_of(&names);
            if now == root {
                way.push(name.to_vec());
            } else {
                root = now;
                way = behind(root, &names);
            }
        }
        let mut text = vec![b'/'];
        text.extend(names.join(&b'/'));
        let above = self.above(&names);
        let place = match root {
            _ if let Some(special) = special(&text) => Place::Special(special),
            Some(root) => {
                let mut rest = if way.is_empty() { vec![b'.'] } else { way.join(&b'/') };
                // What an end like that means the kernel knows.
                for end in [&b"/"[..], b"/."] {
                    if path.ends_with(end) {
                        rest.extend(end);
                    }
                }
                let beneath = Beneath { root, scope: None, rest, how: ResolveFlags::empty() };
                let is_there = || self.open(&beneath, OFlags::PATH, Mode::empty()).is_ok();
                if above.is_empty() || is_there() { Place::Beneath(beneath) } else { Place::Above(above) }
            }
            None if names.is_empty() || !above.is_empty() => Place::Above(above),
            None => Place::Nowhere,
        };
        Ok(Named { path: text, place })
    }

    /// The innermost directory of the host in which a path is.
    fn root_of(&self, names: &[Vec<u8>]) -> Option<usize> {
        let around = self.0.iter().enumerate().filter(|(_, root)| names.starts_with(&root.guest));
        around.max_by_key(|(_, root)| root.guest.len()).map(|(n, _)| n)
    }

    /// What there is by name in a directory that is there for its sake.
    fn above(&self, names: &[Vec<u8>]) -> BTreeMap<Vec<u8>, bool> {
        let special = SPECIAL.iter().map(|(path, _)| (split(path.as_bytes()), false));
        let all = self.0.iter().map(|root| (root.guest.clone(), true)).chain(special);
        let inside = all.filter(|(path, _)| path.len() > names.len() && path.starts_with(names));
        inside
            .map(|(path, is_directory)| (path[names.len()].clone(), is_directory || path.len() > names.len() + 1))
            .collect()
    }

    /// What is in a file, by the absolute path that a process calls it, if it is not larger than that.
    ///
    /// # Errors
    /// There is no such file, it is none, it is too large, or it cannot be read.
    pub fn read(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let Place::Beneath(at) = self.find(b"/", path.as_bytes())?.place else { return Err(Errno::NOENT.into()) };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = std::fs::File::from(self.open(&at, flags, Mode::empty())?);
        let known = file.metadata()?;
        if !known.is_file() {
            return Err(Errno::INVAL.into());
        }
        if known.len() > most {
            return Err(Errno::FBIG.into());
        }
        let mut content = Vec::new();
        file.take(most).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Whether a process may change what is there.
    pub(super) fn is_writable(&self, at: &Beneath) -> bool {
        self.0[at.root].writable
    }

    /// Whether two paths are in the same directory of the host.
    pub(super) fn are_together(one: &Beneath, other: &Beneath) -> bool {
        one.root == other.root
    }

    /// Opens something. What leads out is not there.
    pub(super) fn open(&self, at: &Beneath, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let how = at.how | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        let root = &self.0[at.root];
        let (directory, how) = match &at.scope {
            Some(directory) if at.how.contains(ResolveFlags::IN_ROOT) => (directory.as_fd(), how),
            Some(directory) => (directory.as_fd(), how | ResolveFlags::BENEATH),
            None => (root.source.directory()?, how | root.how),
        };
        for _ in 0..RETRIES {
            match openat2(directory, &at.rest[..], flags | OFlags::CLOEXEC, mode, how) {
                Err(Errno::AGAIN) => {}
                Err(Errno::XDEV) if at.scope.is_none() => return Err(Errno::NOENT),
                done => return done,
            }
        }
        Err(Errno::AGAIN)
    }

    /// The same path, taken more strictly.
    pub(super) fn strict(at: Beneath, how: ResolveFlags) -> Beneath {
        Beneath { how: at.how | how, ..at }
    }

    /// A path that may not leave a directory in which it begins.
    pub(super) fn within(&self, directory: &Beneath, path: &[u8], how: ResolveFlags) -> Result<Beneath, Errno> {
        let scope = self.open(directory, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Beneath { root: directory.root, scope: Some(Rc::new(scope)), rest: path.to_vec(), how })
    }

    /// The directory in which something is, and its name there.
    pub(super) fn parent(&self, at: &Beneath) -> Result<(OwnedFd, Vec<u8>), Errno> {
        let end = at.rest.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
        let start = at.rest[..end].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let directory = if start == 0 { vec![b'.'] } else { at.rest[..start].to_vec() };
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let directory = self.open(&Beneath { rest: directory, ..at.clone() }, flags, Mode::empty())?;
        Ok((directory, at.rest[start..].to_vec()))
    }
}

impl Grant {
    fn is_called_as(&self, other: &Grant) -> bool {
        self.guest == other.guest && self.is_root == other.is_root
    }

    /// Whether it lets a process write what is granted to be read only: by links and new names there are more ways than one to a file.
    fn opens(&self, other: &Grant) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_default();
        let (own, other) = (real(&self.host), real(&other.host));
        self.writable && own != other && other.starts_with(own)
    }
}

impl Source {
    fn directory(&self) -> Result<BorrowedFd<'_>, Errno> {
        match self {
            Source::Granted(fd) => Ok(fd.as_fd()),
            Source::Temporary(made) => {
                if made.get().is_none() {
                    let scratch = Scratch::new().map_err(|_| Errno::NOSPC)?;
                    let fd = open_directory(scratch.path())?;
                    let _ = made.set((fd, scratch));
                }
                made.get().map(|(fd, _)| fd.as_fd()).ok_or(Errno::NOENT)
            }
        }
    }
}

fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn special(path: &[u8]) -> Option<Special> {
    SPECIAL.iter().find(|(name, _)| name.as_bytes() == path).map(|(_, special)| *special)
}

/// The names in a path.
fn split(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}
