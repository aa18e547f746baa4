//! Files and directories of the host that a process has open.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::{
    AtFlags, Dir, FallocateFlags, FileType, OFlags, SeekFrom, Statx, StatxFlags, fallocate, fcntl_setfl, ftruncate,
    seek, statx,
};
use rustix::io::{Errno, pread, pwrite, read, write};

/// Files of the host that a process has open, at most.
pub(super) const MOST: usize = 512;
/// Names in a directory that is listed, at most.
const MOST_NAMES: usize = 1 << 20;

/// O_RDWR
const READ_WRITE: u32 = 2;
/// O_APPEND
pub(super) const APPEND: u32 = 0o2000;
/// O_NONBLOCK
pub(super) const NO_BLOCK: u32 = 0o4000;

/// An open file: what `dup` shares.
#[derive(Debug)]
pub(super) struct Opened {
    body: Body,
    /// The absolute path that it was opened by.
    pub(super) path: Vec<u8>,
    /// Its flags, as the process numbers them: how it may be accessed, O_APPEND, O_NONBLOCK.
    pub(super) flags: Cell<u32>,
    /// How large it was then.
    size: u64,
    /// Its device and number there; none of a directory that is not the host's.
    identity: Option<(u32, u32, u64)>,
    /// Held by all that there are.
    _held: Rc<()>,
}

#[derive(Debug)]
enum Body {
    /// A file, or a path that is only a path (O_PATH).
    File(OwnedFd),
    Directory(OwnedFd, RefCell<Listing>),
    /// A directory that is not the host's.
    Above(RefCell<Listing>),
}

/// What is in a directory, and how far that was told.
#[derive(Debug, Default)]
struct Listing {
    entries: Vec<Entry>,
    next: usize,
}

/// A name in a directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) inode: u64,
    /// DT_REG and its like.
    pub(super) kind: u8,
}

const DIRECTORY: u8 = 4;
const REGULAR: u8 = 8;

impl Opened {
    /// A file, a path, or a directory of the host.
    pub(super) fn new(fd: OwnedFd, known: &Statx, path: Vec<u8>, flags: u32, held: &Rc<()>) -> Rc<Opened> {
        let is_directory = FileType::from_raw_mode(known.stx_mode.into()) == FileType::Directory;
        let body = if is_directory { Body::Directory(fd, RefCell::default()) } else { Body::File(fd) };
        let identity = Some((known.stx_dev_major, known.stx_dev_minor, known.stx_ino));
        Rc::new(Opened { body, path, flags: Cell::new(flags), size: known.stx_size, identity, _held: held.clone() })
    }

    /// A directory that has these names, and whether each is a directory.
    pub(super) fn above(names: &BTreeMap<Vec<u8>, bool>, path: Vec<u8>, flags: u32, held: &Rc<()>) -> Rc<Opened> {
        let kind = |is_directory: bool| if is_directory { DIRECTORY } else { REGULAR };
        let own = [b".".to_vec(), b"..".to_vec()].map(|name| Entry { name, inode: 1, kind: DIRECTORY });
        let rest = names.iter().map(|(name, &is)| Entry { name: name.clone(), inode: 1, kind: kind(is) });
        let entries = own.into_iter().chain(rest).collect();
        let body = Body::Above(RefCell::new(Listing { entries, next: 0 }));
        Rc::new(Opened { body, path, flags: Cell::new(flags), size: 0, identity: None, _held: held.clone() })
    }

    /// Whether it is the same file as another, however each was opened.
    pub(super) fn is_same(&self, other: &Opened) -> bool {
        self.identity.is_some() && self.identity == other.identity
    }

    /// Whether it was opened to be read and written.
    pub(super) fn is_changeable(&self) -> bool {
        self.flags.get() & 3 == READ_WRITE
    }

    /// Writes inside the file.
    pub(super) fn put(&self, mut bytes: &[u8], mut at: u64) -> Result<(), Errno> {
        while !bytes.is_empty() {
            let count = pwrite(self.file()?, bytes, at)?;
            (bytes, at) = (&bytes[count..], at + count as u64);
        }
        Ok(())
    }

    /// Has room made, or given up, in a file, which does not grow by more than that.
    pub(super) fn allocate(&self, mode: FallocateFlags, at: u64, size: u64, growth: u64) -> Result<(), Errno> {
        let fd = self.file().map_err(|_| Errno::BADF)?;
        self.fits(at.saturating_add(size), growth)?;
        fallocate(fd, mode, at, size)
    }

    /// The host's, if it is one of the host.
    pub(super) fn fd(&self) -> Option<&OwnedFd> {
        match &self.body {
            Body::File(fd) | Body::Directory(fd, _) => Some(fd),
            Body::Above(_) => None,
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        !matches!(self.body, Body::File(_))
    }

    /// Its content, which no directory has.
    fn file(&self) -> Result<&OwnedFd, Errno> {
        match &self.body {
            Body::File(fd) => Ok(fd),
            _ => Err(Errno::ISDIR),
        }
    }

    /// Reads up to so many bytes from where it is, or from an offset.
    pub(super) fn read(&self, most: usize, offset: Option<u64>) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; most];
        let count = match offset {
            None => read(self.file()?, &mut bytes)?,
            Some(offset) => pread(self.file()?, &mut bytes, offset)?,
        };
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes where it is, or at an offset, so that it does not grow by more than that. How many bytes were written.
    pub(super) fn write(&self, bytes: &[u8], offset: Option<u64>, growth: u64) -> Result<usize, Errno> {
        let fd = self.file().map_err(|_| Errno::BADF)?;
        let at = match offset {
            _ if self.flags.get() & APPEND != 0 => status(fd)?.stx_size,
            Some(offset) => offset,
            None => seek(fd, SeekFrom::Current(0))?,
        };
        self.fits(at.saturating_add(bytes.len() as u64), growth)?;
        match offset {
            None => write(fd, bytes),
            Some(offset) => pwrite(fd, bytes, offset),
        }
    }

    /// Whether it may be so large. Holes take no room, but who copies it may fill them.
    fn fits(&self, size: u64, growth: u64) -> Result<(), Errno> {
        if size > self.size.saturating_add(growth) { Err(Errno::FBIG) } else { Ok(()) }
    }

    /// Sets its length, which does not grow by more than that.
    pub(super) fn set_length(&self, length: u64, growth: u64) -> Result<(), Errno> {
        let fd = self.file().map_err(|_| Errno::INVAL)?;
        self.fits(length, growth)?;
        ftruncate(fd, length)
    }

    /// Moves where it is read and written. In a directory, places are those that its list has.
    pub(super) fn seek(&self, to: SeekFrom) -> Result<u64, Errno> {
        let listing = match &self.body {
            Body::File(fd) => return seek(fd, to),
            Body::Directory(_, listing) | Body::Above(listing) => listing,
        };
        let mut listing = listing.borrow_mut();
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => (listing.next as u64).checked_add_signed(by),
            _ => None,
        };
        listing.next = at.and_then(|at| usize::try_from(at).ok()).ok_or(Errno::INVAL)?;
        Ok(listing.next as u64)
    }

    /// Its flags, of which those can be set that Linux lets a process set.
    pub(super) fn set_flags(&self, flags: u32) -> Result<(), Errno> {
        const SETTABLE: u32 = APPEND | NO_BLOCK;
        if let Body::File(fd) = &self.body {
            fcntl_setfl(fd, if flags & APPEND != 0 { OFlags::APPEND } else { OFlags::empty() })?;
        }
        self.flags.set(self.flags.get() & !SETTABLE | flags & SETTABLE);
        Ok(())
    }

    /// The next entries of a directory, each with the place behind it, as long as `take` takes them. They are sorted by name, so that a
    /// run can be had again, and read anew whenever the list begins.
    ///
    /// How many entries had to be read for it.
    pub(super) fn list(&self, mut take: impl FnMut(&Entry, u64) -> bool) -> Result<u64, Errno> {
        let mut read = 0;
        let listing = match &self.body {
            Body::File(_) => return Err(Errno::NOTDIR),
            Body::Directory(fd, listing) => {
                if listing.borrow().next == 0 {
                    listing.borrow_mut().entries = entries(fd)?;
                    read = listing.borrow().entries.len() as u64;
                }
                listing
            }
            Body::Above(listing) => listing,
        };
        let mut listing = listing.borrow_mut();
        let Listing { entries, next } = &mut *listing;
        while let Some(entry) = entries.get(*next) {
            if !take(entry, *next as u64 + 1) {
                break;
            }
            *next += 1;
        }
        Ok(read)
    }
}

/// What the host knows of an open file.
pub(super) fn status(fd: &OwnedFd) -> Result<Statx, Errno> {
    statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME)
}

fn entries(fd: &OwnedFd) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        if entries.len() >= MOST_NAMES {
            return Err(Errno::NOMEM);
        }
        let name = entry.file_name().to_bytes().to_vec();
        // The type of a file as st_mode has it, too, without the rights.
        let kind = match entry.file_type() {
            FileType::Unknown => 0,
            kind => (kind.as_raw_mode() >> 12) as u8,
        };
        entries.push(Entry { name, inode: entry.ino(), kind });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}
