//! The boot partition, as the firmware sees it: a FAT file system.

use std::io::{self, Read, Seek, SeekFrom};

use fatfs::{Dir, FileSystem, FsOptions};

use super::LARGEST_FILE;
use super::partition::{Fuel, Window};

/// A FAT file system that is only read.
pub(super) struct Volume {
    system: FileSystem<Window>,
    fuel: Fuel,
    length: u64,
}

/// A file or directory of the volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) directory: bool,
}

impl Volume {
    /// Opens the file system in this window, `length` bytes long.
    pub(super) fn open(mut window: Window, length: u64, fuel: Fuel) -> io::Result<Self> {
        fuel.fill(0);
        check(&mut window, length)?;
        let system = FileSystem::new(window, FsOptions::new())?;
        Ok(Self { system, fuel, length })
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.system.fat_type() {
            fatfs::FatType::Fat12 => "FAT12",
            fatfs::FatType::Fat16 => "FAT16",
            fatfs::FatType::Fat32 => "FAT32",
        }
    }

    /// The label; the directory's, as Windows and Linux show it, or else the boot sector's.
    pub(super) fn label(&self) -> Option<String> {
        self.fuel.fill(0);
        let label = self.system.read_volume_label_from_root_dir().ok().flatten();
        let label = label.unwrap_or_else(|| self.system.volume_label());
        Some(label.trim().to_owned()).filter(|label| !label.is_empty() && label != "NO NAME")
    }

    /// What is in a directory; `""` is the root.
    pub(super) fn list(&self, path: &str) -> io::Result<Vec<DirectoryEntry>> {
        self.fuel.fill(0);
        let directory = self.directory(path)?;
        directory
            .iter()
            .map(|entry| {
                let entry = entry?;
                Ok(DirectoryEntry { name: entry.file_name(), size: entry.len(), directory: entry.is_dir() })
            })
            .collect()
    }

    /// A file's content, or nothing if there is no such file.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let file = self.take(path, u64::MAX)?;
        if let Some((content, size)) = &file
            && content.len() as u64 != *size
        {
            let found = content.len();
            return Err(io::Error::other(format!("it has {size} bytes, but its clusters end after {found}")));
        }
        Ok(file.map(|(content, _)| content))
    }

    /// The first bytes of a file.
    pub(super) fn head(&self, path: &str, bytes: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(self.take(path, bytes)?.map(|(content, _)| content))
    }

    fn take(&self, path: &str, bytes: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
        self.fuel.fill(0);
        let (parent, name) = path.trim_matches('/').rsplit_once('/').unwrap_or(("", path));
        let directory = match self.directory(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            directory => directory?,
        };
        for entry in directory.iter() {
            let entry = entry?;
            if entry.is_dir() || !is_called(&entry, name) {
                continue;
            }
            let size = entry.len();
            if size > self.length.min(LARGEST_FILE) {
                return Err(io::Error::other(format!("it claims {size} bytes, more than there can be")));
            }
            self.fuel.fill(size);
            let mut content = Vec::new();
            entry.to_file().take(size.min(bytes)).read_to_end(&mut content)?;
            return Ok(Some((content, size)));
        }
        Ok(None)
    }

    fn directory(&self, path: &str) -> io::Result<Dir<'_, Window>> {
        let mut directory = self.system.root_dir();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let mut inside = None;
            for entry in directory.iter() {
                let entry = entry?;
                if entry.is_dir() && is_called(&entry, name) {
                    inside = Some(entry.to_dir());
                    break;
                }
            }
            directory = inside.ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(directory)
    }
}

/// FAT keeps the case of names and does not tell them apart by it.
fn is_called(entry: &fatfs::DirEntry<'_, Window>, name: &str) -> bool {
    entry.file_name().eq_ignore_ascii_case(name) || entry.short_file_name().eq_ignore_ascii_case(name)
}

/// What `fatfs` takes for granted: that the numbers of the boot sector fit each other and the partition.
fn check(window: &mut Window, length: u64) -> io::Result<()> {
    let mut sector = [0; 512];
    window.read_exact(&mut sector).map_err(|_| io::Error::other("the partition has less than a sector"))?;
    window.seek(SeekFrom::Start(0))?;
    let half = |at: usize| u64::from(u16::from_le_bytes([sector[at], sector[at + 1]]));
    let word = |at: usize| half(at) | half(at + 2) << 16;
    let either = |short: u64, long: u64| if short == 0 { long } else { short };

    let (size, cluster, reserved, fats) = (half(11), u64::from(sector[13]), half(14), u64::from(sector[16]));
    let total = either(half(19), word(32));
    let fat = either(half(22), word(36));
    let root = (half(17) * 32).div_ceil(size.max(1));
    let data = reserved + fats * fat + root;
    let clusters = total.saturating_sub(data) / cluster.max(1);
    let entry_bits = if half(22) == 0 { 32 } else { 12 };

    let rules = [
        (sector[510..] == [0x55, 0xaa], "its first sector does not end in 55 aa"),
        ([512, 1024, 2048, 4096].contains(&size), "the size of its sectors is none"),
        (cluster.is_power_of_two(), "the size of its clusters is none"),
        (reserved > 0 && fats > 0 && fat > 0, "it has no file allocation table"),
        (data < total, "it has no room for data"),
        (total * size <= length, "it is larger than its partition"),
        (fat * size <= 1 << 28, "its file allocation table is too large"),
        ((clusters + 2) * entry_bits <= fat * size * 8, "its file allocation table is too small"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, broken)) => Err(io::Error::other(*broken)),
        None => Ok(()),
    }
}
