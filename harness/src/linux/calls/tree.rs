//! Calls that make, remove and change entries of directories. Each is done in the directory that has the entry, which is opened as all
//! paths are; the kernel follows no link in the last name of these.

use std::os::fd::AsRawFd as _;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_NOW, fchmod, linkat, mkdirat,
    renameat_with, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::paths::HERE;
use super::status::{EMPTY_PATH, NO_FOLLOW};
use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Width;
use crate::linux::opened::status;
use crate::linux::roots::{Beneath, Place, Roots};
use crate::linux::stack::USER;
use crate::linux::{Fail, Process, Served};

/// AT_REMOVEDIR
pub(super) const DIRECTORY: u64 = 0x200;

/// What a path names that is to be changed: so the process is told the right thing where it may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// Something that is there.
    Old,
    /// Something that is not there yet.
    New,
    Either,
}

impl<E: Engine + 'static> Process<E> {
    /// An entry that is to be changed, in a directory of the host that may be.
    fn changed(&mut self, from: u64, path: u64, entry: Entry) -> Result<Beneath, Fail> {
        let is_there = match self.find(from, path)?.place {
            Place::Beneath(beneath) if self.roots.is_writable(&beneath) => return Ok(beneath),
            Place::Beneath(beneath) => {
                match self.roots.open(&beneath, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty()) {
                    Ok(_) => true,
                    Err(Errno::NOENT) => false,
                    Err(errno) => return Err(errno.into()),
                }
            }
            Place::Special(_) | Place::Above(_) => true,
            Place::Nowhere => false,
        };
        Err(match (entry, is_there) {
            (Entry::Old, false) => Errno::NOENT,
            (Entry::New, true) => Errno::EXIST,
            _ => Errno::ROFS,
        }
        .into())
    }

    pub(super) fn mkdirat(&mut self, from: u64, path: u64, mode: u64) -> Served {
        let (directory, name) = {
            let at = self.changed(from, path, Entry::New)?;
            self.roots.parent(&at)?
        };
        let mode = Mode::from_raw_mode(mode as u32 & !self.umask & 0o777);
        mkdirat(&directory, &name[..], mode)?;
        self.files.take_file()?;
        // The rights are those that the process asked for, whatever our own umask is.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(made) = rustix::fs::openat(&directory, &name[..], flags, Mode::empty())
            && u32::from(status(&made)?.stx_mode) & 0o777 != mode.as_raw_mode()
        {
            fchmod(&made, mode)?;
        }
        Ok(0)
    }

    pub(super) fn unlinkat(&mut self, from: u64, path: u64, flags: u64) -> Served {
        if flags & !DIRECTORY != 0 {
            return Err(Errno::INVAL.into());
        }
        let at = self.changed(from, path, Entry::Old)?;
        let (directory, name) = self.roots.parent(&at)?;
        let flags = if flags & DIRECTORY != 0 { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        unlinkat(&directory, &name[..], flags)?;
        Ok(0)
    }

    pub(super) fn renameat(&mut self, from: (u64, u64), to: (u64, u64), flags: u64) -> Served {
        // RENAME_NOREPLACE and RENAME_EXCHANGE.
        let flags = match flags {
            0 => RenameFlags::empty(),
            1 => RenameFlags::NOREPLACE,
            2 => RenameFlags::EXCHANGE,
            _ => return Err(Errno::INVAL.into()),
        };
        let old = self.changed(from.0, from.1, Entry::Old)?;
        let new = self.changed(to.0, to.1, Entry::Either)?;
        if !Roots::are_together(&old, &new) {
            return Err(Errno::XDEV.into());
        }
        let ((old, old_name), (new, new_name)) = (self.roots.parent(&old)?, self.roots.parent(&new)?);
        renameat_with(&old, &old_name[..], &new, &new_name[..], flags)?;
        Ok(0)
    }

    pub(super) fn linkat(&mut self, from: (u64, u64), to: (u64, u64)) -> Served {
        let old = self.changed(from.0, from.1, Entry::Old)?;
        let new = self.changed(to.0, to.1, Entry::New)?;
        if !Roots::are_together(&old, &new) {
            return Err(Errno::XDEV.into());
        }
        let ((old, old_name), (new, new_name)) = (self.roots.parent(&old)?, self.roots.parent(&new)?);
        linkat(&old, &old_name[..], &new, &new_name[..], AtFlags::empty())?;
        self.files.take_file()?;
        Ok(0)
    }

    /// A link to somewhere else is nothing that a process leaves behind for others.
    pub(super) fn symlinkat(&mut self, target: u64, from: u64, path: u64) -> Served {
        let target = self.path(target)?;
        let at = self.changed(from, path, Entry::New)?;
        if target.starts_with(b"/") || target.split(|&byte| byte == b'/').any(|name| name == b"..") {
            return Err(Errno::PERM.into());
        }
        let (directory, name) = self.roots.parent(&at)?;
        symlinkat(&target[..], &directory, &name[..])?;
        self.files.take_file()?;
        Ok(0)
    }

    pub(super) fn truncate(&mut self, path: u64, length: u64) -> Served {
        const WRITE: u64 = 1;
        let number = self.openat(HERE, path, WRITE, 0)?;
        let done = self.ftruncate(number, length);
        self.files.close(number as i32)?;
        done
    }

    pub(super) fn fchmod(&mut self, number: u64, mode: u64) -> Served {
        let path = self.opened(number as i64, Errno::PERM)?.path.clone();
        let at = self.find_path(HERE, &path)?.place;
        let writable = matches!(&at, Place::Beneath(at) if self.roots.is_writable(at));
        let opened = self.opened(number as i64, Errno::PERM)?;
        match opened.fd() {
            Some(fd) if writable => fchmod(fd, Mode::from_raw_mode(mode as u32 & 0o777))?,
            _ => return Err(Errno::ROFS.into()),
        }
        Ok(0)
    }

    pub(super) fn fchmodat(&mut self, from: u64, path: u64, mode: u64) -> Served {
        let at = self.changed(from, path, Entry::Old)?;
        let found = self.roots.open(&at, OFlags::PATH, Mode::empty())?;
        // Only files and directories have their rights changed.
        let kind = FileType::from_raw_mode(status(&found)?.stx_mode.into());
        if ![FileType::RegularFile, FileType::Directory].contains(&kind) {
            return Err(Errno::PERM.into());
        }
        // By the name that the system has for what was found: who may not read a file may change its rights all the same.
        rustix::fs::chmod(format!("/proc/self/fd/{}", found.as_raw_fd()), Mode::from_raw_mode(mode as u32 & 0o777))?;
        Ok(0)
    }

    /// Files belong to the process's user, and stay with that.
    pub(super) fn owned(&mut self, user: u64, group: u64) -> Served {
        let same = |id: u64| id as u32 == u32::MAX || id == USER;
        if same(user) && same(group) { Ok(0) } else { Err(Errno::PERM.into()) }
    }

    pub(super) fn utimensat(&mut self, a: &[u64; 6], width: Width) -> Served {
        let [from, path, times, flags, ..] = *a;
        let times = self.timestamps(times, width)?;
        let empty = path == 0 || flags & EMPTY_PATH != 0 && self.path(path)?.is_empty();
        if empty {
            let opened = self.opened(from as i64, Errno::BADF)?.clone();
            let writable =
                matches!(self.find_path(HERE, &opened.path)?.place, Place::Beneath(at) if self.roots.is_writable(&at));
            let fd = opened.fd().filter(|_| writable).ok_or(Errno::ROFS)?;
            rustix::fs::futimens(fd, &times)?;
            return Ok(0);
        }
        let at = self.changed(from, path, Entry::Old)?;
        let follow = if flags & NO_FOLLOW != 0 { OFlags::NOFOLLOW } else { OFlags::empty() };
        let fd = self.roots.open(&at, OFlags::PATH | follow, Mode::empty())?;
        utimensat(&fd, "", &times, AtFlags::EMPTY_PATH)?;
        Ok(0)
    }

    /// When a file was read and written last: two times, each of which may be now or what it is.
    fn timestamps(&mut self, at: u64, width: Width) -> Result<Timestamps, Fail> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        if at == 0 {
            return Ok(Timestamps { last_access: now, last_modification: now });
        }
        let size = if width == Width::Wide { 8 } else { self.abi.word() };
        let mut bytes = vec![0; 4 * size];
        self.machine.read(at, &mut bytes)?;
        let field = |n: usize| {
            let value = self.abi.target.number(&bytes[n * size..(n + 1) * size]);
            if size == 4 { i64::from(value as i32) } else { value as i64 }
        };
        let time = |n: usize| Timespec { tv_sec: field(n), tv_nsec: field(n + 1) as _ };
        Ok(Timestamps { last_access: time(0), last_modification: time(2) })
    }
}
