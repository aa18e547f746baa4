//! Calls about names of files: opening them, and the directory in which a process works.

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fchmod};
use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::files::{Descriptor, File, NO_BLOCK};
use crate::linux::opened::{APPEND, Opened, status};
use crate::linux::roots::{Beneath, Named, Place, Roots, Special};
use crate::linux::{Fail, Process, Served};

/// Bytes of a path, with the zero behind it (PATH_MAX).
const LONGEST: usize = 4096;
/// Work that looking for one place is taken for: some calls of ours.
const LOOK: u64 = 2048;
/// Where relative paths begin: the working directory (AT_FDCWD).
pub(super) const HERE: u64 = -100_i64 as u64;

/// Flags of `open`, as both architectures have them.
mod flag {
    pub(super) const ACCESS: u32 = 3;
    pub(super) const CREATE: u32 = 0o100;
    pub(super) const EXCLUSIVE: u32 = 0o200;
    pub(super) const TRUNCATE: u32 = 0o1000;
    pub(super) const DATA_SYNC: u32 = 0o1_0000;
    pub(super) const DIRECTORY: u32 = 0o4_0000;
    pub(super) const NO_FOLLOW: u32 = 0o10_0000;
    pub(super) const SYNC: u32 = 0o400_0000;
    pub(super) const PATH: u32 = 0o1000_0000;
    /// Without O_DIRECTORY, which is set as well.
    pub(super) const TEMPORARY: u32 = 0o2000_0000;
    pub(super) const ALL: u64 = 0o3777_7703 | 0o74;
}

/// What `open` is asked for.
#[derive(Clone, Copy)]
struct Wish {
    flags: u32,
    /// The rights of a file that it makes.
    mode: u32,
}

impl Wish {
    fn has(self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether something is changed, if it is only by opening.
    fn writes(self) -> bool {
        self.flags & flag::ACCESS != 0 || self.has(flag::TRUNCATE) || self.has(flag::TEMPORARY)
    }

    /// The host's flags. Nothing that is opened is waited for, nor becomes our terminal.
    fn host(self) -> Result<OFlags, Errno> {
        let mut flags = OFlags::empty();
        for (own, host) in [(flag::DIRECTORY, OFlags::DIRECTORY), (flag::NO_FOLLOW, OFlags::NOFOLLOW)] {
            flags |= if self.has(own) { host } else { OFlags::empty() };
        }
        if self.has(flag::PATH) {
            return Ok(flags | OFlags::PATH);
        }
        flags |= match self.flags & flag::ACCESS {
            0 => OFlags::RDONLY,
            1 => OFlags::WRONLY,
            2 => OFlags::RDWR,
            _ => return Err(Errno::INVAL),
        };
        let more = [
            (flag::TRUNCATE, OFlags::TRUNC),
            (APPEND, OFlags::APPEND),
            (flag::DATA_SYNC, OFlags::DSYNC),
            (flag::SYNC, OFlags::SYNC),
        ];
        for (own, host) in more {
            flags |= if self.has(own) { host } else { OFlags::empty() };
        }
        Ok(flags | OFlags::NONBLOCK | OFlags::NOCTTY)
    }
}

impl<E: Engine + 'static> Process<E> {
    /// A path that the process names.
    pub(super) fn path(&mut self, at: u64) -> Result<Vec<u8>, Fail> {
        let mut path = Vec::new();
        while path.len() < LONGEST {
            let here = at.wrapping_add(path.len() as u64);
            // It may end just before memory that is not there.
            let mut piece = [0; 256];
            let size = (256 - here % 256) as usize;
            self.machine.read(here, &mut piece[..size])?;
            match piece[..size].iter().position(|&byte| byte == 0) {
                Some(end) => {
                    path.extend_from_slice(&piece[..end]);
                    return Ok(path);
                }
                None => path.extend_from_slice(&piece[..size]),
            }
        }
        Err(Errno::NAMETOOLONG.into())
    }

    /// Where a path leads that the process names, seen from a descriptor.
    pub(super) fn find(&mut self, from: u64, path: u64) -> Result<Named, Fail> {
        let path = self.path(path)?;
        self.find_path(from, &path)
    }

    pub(super) fn find_path(&mut self, from: u64, path: &[u8]) -> Result<Named, Fail> {
        self.machine.spend(LOOK + 16 * path.len() as u64)?;
        let directory = match from as i32 {
            _ if path.starts_with(b"/") => b"/".to_vec(),
            here if here == HERE as i32 => self.directory.clone(),
            number => self.opened(number.into(), Errno::NOTDIR)?.path.clone(),
        };
        Ok(self.roots.find(&directory, path)?)
    }

    /// A file or directory of the host that is open, or this error.
    pub(super) fn opened(&self, number: i64, otherwise: Errno) -> Result<&std::rc::Rc<Opened>, Errno> {
        match &self.files.get(number as i32)?.file {
            File::Opened(opened) => Ok(opened),
            _ => Err(otherwise),
        }
    }

    /// The absolute path of the program itself.
    pub(super) fn program(&self) -> Vec<u8> {
        let found = self.roots.find(&self.directory, self.name.as_bytes());
        found.map_or_else(|_| self.name.as_bytes().to_vec(), |named| named.path)
    }

    pub(super) fn openat(&mut self, from: u64, path: u64, flags: u64, mode: u64) -> Served {
        let named = self.find(from, path)?;
        self.open(named, Wish { flags: flags as u32, mode: mode as u32 })
    }

    /// Opens what a path names, seen from the working directory.
    pub(super) fn open_path(&mut self, path: &[u8], flags: u32, mode: u32) -> Served {
        let named = self.find_path(HERE, path)?;
        self.open(named, Wish { flags, mode })
    }

    pub(super) fn openat2(&mut self, a: &[u64; 6]) -> Served {
        const SIZE: u64 = 24;
        /// RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_SYMLINKS; with RESOLVE_BENEATH and RESOLVE_IN_ROOT.
        const STRICTER: u64 = 7;
        const SCOPED: u64 = 0x18;
        let [from, path, at, size, ..] = *a;
        if size < SIZE {
            return Err(Errno::INVAL.into());
        }
        if size > LONGEST as u64 {
            return Err(Errno::TOOBIG.into());
        }
        let mut how = vec![0; size as usize];
        self.machine.read(at, &mut how)?;
        let field = |n: usize| self.abi.target.number(&how[8 * n..8 * n + 8]);
        let (flags, mode, resolve) = (field(0), field(1), field(2));
        if how[SIZE as usize..].iter().any(|&byte| byte != 0) {
            return Err(Errno::TOOBIG.into());
        }
        let makes = flags & u64::from(flag::CREATE | flag::TEMPORARY) != 0;
        let unknown = flags & !flag::ALL != 0 || resolve & !(STRICTER | SCOPED) != 0 || resolve & SCOPED == SCOPED;
        if unknown || mode & !0o7777 != 0 || mode != 0 && !makes {
            return Err(Errno::INVAL.into());
        }
        let path = self.path(path)?;
        let how = ResolveFlags::from_bits_truncate(resolve);
        let mut named =
            self.find_path(from, path.strip_prefix(b"/").filter(|_| resolve & SCOPED != 0).unwrap_or(&path))?;
        if resolve & SCOPED != 0 {
            let Place::Beneath(directory) = self.find_path(from, b".")?.place else { return Err(Errno::XDEV.into()) };
            named.place = Place::Beneath(self.roots.within(&directory, &path, how)?);
        } else if let Place::Beneath(beneath) = named.place {
            named.place = Place::Beneath(Roots::strict(beneath, how));
        }
        self.open(named, Wish { flags: flags as u32, mode: mode as u32 })
    }

    fn open(&mut self, named: Named, wish: Wish) -> Served {
        let creates = wish.has(flag::CREATE);
        let held = self.files.hold()?.clone();
        let file = match named.place {
            Place::Special(Special::Ourselves) => {
                let program = self.find_path(HERE, &self.program())?;
                return match program.place {
                    Place::Special(_) => Err(Errno::LOOP.into()),
                    _ => self.open(program, wish),
                };
            }
            Place::Special(_) if creates && wish.has(flag::EXCLUSIVE) => return Err(Errno::EXIST.into()),
            Place::Special(_) if wish.has(flag::DIRECTORY) => return Err(Errno::NOTDIR.into()),
            Place::Special(Special::Null) => File::Null,
            Place::Special(Special::Zero) => File::Zero,
            Place::Special(Special::Random) => File::Random,
            Place::Special(Special::Standard(number)) => self.files.get(number).map_err(|_| Errno::NXIO)?.file.clone(),
            Place::Above(_) if creates || wish.writes() => return Err(Errno::ISDIR.into()),
            Place::Above(names) => File::Opened(Opened::above(&names, named.path, wish.flags, &held)),
            Place::Nowhere => return Err(if creates { Errno::ACCESS } else { Errno::NOENT }.into()),
            Place::Beneath(beneath) => {
                let (fd, made) = self.open_beneath(&beneath, wish)?;
                if made {
                    self.files.take_file()?;
                }
                let known = status(&fd)?;
                let kind = FileType::from_raw_mode(known.stx_mode.into());
                if !wish.has(flag::PATH) && ![FileType::RegularFile, FileType::Directory].contains(&kind) {
                    return Err(Errno::NXIO.into());
                }
                File::Opened(Opened::new(fd, &known, named.path, wish.flags & !flag::CREATE, &held))
            }
        };
        let close_on_exec = wish.has(super::files::CLOSE_ON_EXEC);
        let descriptor = Descriptor { file, flags: wish.flags & NO_BLOCK, close_on_exec };
        Ok(self.files.open(descriptor, 0)? as u64)
    }

    /// Opens what is in a directory of the host, and says whether it was made.
    fn open_beneath(&self, at: &Beneath, wish: Wish) -> Result<(rustix::fd::OwnedFd, bool), Errno> {
        let roots = &self.roots;
        let host = wish.host()?;
        let look = || {
            let follows = OFlags::PATH | host & OFlags::NOFOLLOW;
            let found = roots.open(at, follows, Mode::empty())?;
            Ok::<_, Errno>(FileType::from_raw_mode(status(&found)?.stx_mode.into()))
        };
        let creates = wish.has(flag::CREATE) && !wish.has(flag::PATH);
        if !roots.is_writable(at) && (creates || wish.writes()) && !wish.has(flag::PATH) {
            match look() {
                Err(Errno::NOENT) if creates => return Err(Errno::ROFS),
                Ok(_) if wish.writes() => return Err(Errno::ROFS),
                Ok(_) if wish.has(flag::EXCLUSIVE) => return Err(Errno::EXIST),
                found => found.map(|_| ())?,
            }
            return Ok((roots.open(at, host, Mode::empty())?, false));
        }
        let mode = Mode::from_raw_mode(wish.mode & !self.umask & 0o777);
        // The rights are those that the process asked for, whatever our own umask is.
        let with_rights = |fd: rustix::fd::OwnedFd| {
            if Mode::from_raw_mode(u32::from(status(&fd)?.stx_mode) & 0o777) != mode {
                fchmod(&fd, mode)?;
            }
            Ok((fd, true))
        };
        if wish.has(flag::TEMPORARY) && !wish.has(flag::PATH) {
            let only = if wish.has(flag::EXCLUSIVE) { OFlags::EXCL } else { OFlags::empty() };
            return with_rights(roots.open(at, host | only | OFlags::TMPFILE, mode)?);
        }
        if creates {
            match roots.open(at, host | OFlags::CREATE | OFlags::EXCL, mode) {
                Err(Errno::EXIST) if !wish.has(flag::EXCLUSIVE) => {}
                made => return made.and_then(with_rights),
            }
        }
        // Opening some things does something, or waits: it is looked at first.
        match look() {
            Ok(FileType::Directory) if creates => return Err(Errno::ISDIR),
            Ok(FileType::RegularFile | FileType::Directory | FileType::Symlink) => {}
            Ok(_) if wish.has(flag::PATH) => {}
            Ok(_) => return Err(Errno::NXIO),
            // A link to what is not there yet.
            Err(Errno::NOENT) if creates => {
                return with_rights(roots.open(at, host | OFlags::CREATE, mode)?);
            }
            Err(errno) => return Err(errno),
        }
        Ok((roots.open(at, host, Mode::empty())?, false))
    }

    pub(super) fn set_umask(&mut self, a: &[u64; 6]) -> Served {
        Ok(std::mem::replace(&mut self.umask, a[0] as u32 & 0o777).into())
    }

    pub(super) fn getcwd(&mut self, a: &[u64; 6]) -> Served {
        let text = [&self.directory[..], &[0]].concat();
        if a[1] < text.len() as u64 {
            return Err(Errno::RANGE.into());
        }
        self.machine.write(a[0], &text)?;
        Ok(text.len() as u64)
    }

    pub(super) fn chdir(&mut self, a: &[u64; 6]) -> Served {
        let named = self.find(HERE, a[0])?;
        self.work_in(named)
    }

    pub(super) fn fchdir(&mut self, a: &[u64; 6]) -> Served {
        let opened = self.opened(a[0] as i64, Errno::NOTDIR)?;
        if !opened.is_directory() {
            return Err(Errno::NOTDIR.into());
        }
        let path = opened.path.clone();
        let named = self.find_path(HERE, &path)?;
        self.work_in(named)
    }

    fn work_in(&mut self, named: Named) -> Served {
        match &named.place {
            Place::Above(_) => {}
            Place::Beneath(beneath) => {
                self.roots.open(beneath, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
            }
            Place::Special(_) => return Err(Errno::NOTDIR.into()),
            Place::Nowhere => return Err(Errno::NOENT.into()),
        }
        self.directory = named.path;
        Ok(0)
    }
}
