//! Calls about the room that files take, and how much there is.

use rustix::fs::{FallocateFlags, Mode, OFlags, StatFs, fstatfs};
use rustix::io::Errno;

use super::paths::HERE;
use super::places::pair;
use crate::executor::Guest as _;
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::linux::abi::Structure;
use crate::linux::files::File;
use crate::linux::roots::Place;
use crate::linux::{Fail, Process, Served};

/// TMPFS_MAGIC: what is not the host's is in memory.
const TMPFS: u64 = 0x0102_1994;
/// ST_RDONLY, and ST_VALID, by which the kernel says that there are flags.
const READ_ONLY: u64 = 1;
const VALID: u64 = 0x20;
/// Bytes of a name.
const NAME: u64 = 255;

/// What is known of a file system, in blocks.
struct Room {
    kind: u64,
    block: u64,
    blocks: [u64; 3],
    files: [u64; 2],
    name: u64,
    fragment: u64,
    flags: u64,
}

impl Room {
    /// One that has no room for anything.
    fn none() -> Room {
        let flags = READ_ONLY | VALID;
        Room { kind: TMPFS, block: PAGE, blocks: [0; 3], files: [0; 2], name: NAME, fragment: PAGE, flags }
    }

    fn of_host(known: &StatFs) -> Room {
        Room {
            kind: known.f_type as u64,
            block: known.f_bsize as u64,
            blocks: [known.f_blocks, known.f_bfree, known.f_bavail],
            files: [known.f_files, known.f_ffree],
            name: known.f_namelen as u64,
            fragment: known.f_frsize as u64,
            flags: known.f_flags as u64,
        }
    }
}

impl<E: Engine + 'static> Process<E> {
    /// fallocate, whose places are in pairs of registers on ARM.
    pub(super) fn fallocate(&mut self, a: &[u64; 6]) -> Served {
        let (at, size) = if self.abi.is_64 { (a[2], a[3]) } else { (pair(a[2], a[3]), pair(a[4], a[5])) };
        if at > i64::MAX as u64 || size == 0 || size > i64::MAX as u64 {
            return Err(Errno::INVAL.into());
        }
        let mode = FallocateFlags::from_bits(a[1] as u32).ok_or(Errno::OPNOTSUPP)?;
        let opened = match &self.files.get(a[0] as i32)?.file {
            File::Opened(opened) => opened.clone(),
            File::Null | File::Zero | File::Random => return Err(Errno::NODEV.into()),
            _ => return Err(Errno::SPIPE.into()),
        };
        self.settle_file(&opened)?;
        self.files.allocate(&opened, mode, at, size)?;
        self.refresh(&opened)?;
        Ok(0)
    }

    pub(super) fn statfs(&mut self, path: u64, into: u64, wide: bool) -> Served {
        let room = match self.find(HERE, path)?.place {
            Place::Beneath(beneath) => {
                let fd = self.roots.open(&beneath, OFlags::PATH, Mode::empty())?;
                let mut room = Room::of_host(&fstatfs(&fd)?);
                room.flags |= if self.roots.is_writable(&beneath) { 0 } else { READ_ONLY };
                room
            }
            Place::Nowhere => return Err(Errno::NOENT.into()),
            Place::Special(_) | Place::Above(_) => Room::none(),
        };
        self.tell_room(&room, into, wide)
    }

    pub(super) fn fstatfs(&mut self, number: u64, into: u64, wide: bool) -> Served {
        let path = match &self.files.get(number as i32)?.file {
            File::Opened(opened) => Some(opened.clone()),
            _ => None,
        };
        let mut room = match path.as_ref().and_then(|opened| opened.fd()) {
            Some(fd) => Room::of_host(&fstatfs(fd)?),
            None => Room::none(),
        };
        if let Some(opened) = path
            && let Ok(named) = self.find_path(HERE, &opened.path)
            && !matches!(&named.place, Place::Beneath(beneath) if self.roots.is_writable(beneath))
        {
            room.flags |= READ_ONLY;
        }
        self.tell_room(&room, into, wide)
    }

    /// Whether a size is that of `struct statfs64`.
    pub(super) fn is_statfs64(size: u64) -> Result<(), Fail> {
        // Without and with what aligns it at its end.
        if matches!(size, 84 | 88) { Ok(()) } else { Err(Errno::INVAL.into()) }
    }

    /// `struct statfs` of AArch64, and of ARM, or there with `wide` `struct statfs64`.
    fn tell_room(&mut self, room: &Room, into: u64, wide: bool) -> Served {
        let counts: Vec<u64> = room.blocks.iter().chain(&room.files).copied().collect();
        let is_wide = wide || self.abi.is_64;
        if !is_wide && counts.iter().any(|&count| count > u64::from(u32::MAX)) {
            return Err(Errno::OVERFLOW.into());
        }
        let start = Structure::new(&self.abi).word(room.kind).word(room.block);
        let counted = counts.iter().fold(start, |structure, &count| match is_wide {
            true => structure.long(count),
            false => structure.word(count),
        });
        // The identity is the host's own business.
        let named = counted.int(0).int(0).word(room.name).word(room.fragment).word(room.flags);
        let spare = 4 * self.abi.word();
        let bytes = named.raw(&vec![0; spare]).bytes();
        self.machine.write(into, &bytes)?;
        Ok(0)
    }
}
