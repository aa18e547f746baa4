//! The initramfs: a cpio archive of the kind that Linux unpacks (`newc`).

use std::collections::BTreeSet;
use std::io::{self, Write};

use ::cpio::newc::{self, Builder, ModeFileType};

/// An archive that is being written. Paths are taken as from the root; directories on the way are made.
///
/// Everything belongs to root and is from 1970, so the same entries are the same bytes.
#[derive(Debug, Default)]
pub struct Initramfs {
    archive: Vec<u8>,
    paths: BTreeSet<String>,
}

impl Initramfs {
    /// An empty archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file with these permissions.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) -> io::Result<()> {
        self.entry(path, ModeFileType::Regular, permissions, content, (0, 0))
    }

    /// Adds a directory, unless it is there.
    pub fn directory(&mut self, path: &str, permissions: u32) -> io::Result<()> {
        if self.paths.contains(path.trim_matches('/')) {
            return Ok(());
        }
        self.entry(path, ModeFileType::Directory, permissions, &[], (0, 0))
    }

    /// Adds a character device: `/dev/console` is 5, 1.
    pub fn character_device(&mut self, path: &str, permissions: u32, major: u32, minor: u32) -> io::Result<()> {
        self.entry(path, ModeFileType::Char, permissions, &[], (major, minor))
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.entry(path, ModeFileType::Symlink, 0o777, target.as_bytes(), (0, 0))
    }

    /// Ends the archive.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        newc::trailer(self.archive)
    }

    fn entry(
        &mut self,
        path: &str,
        kind: ModeFileType,
        permissions: u32,
        content: &[u8],
        (major, minor): (u32, u32),
    ) -> io::Result<()> {
        let path = path.trim_matches('/');
        if path.is_empty() || path.contains('\0') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` names nothing in an archive")));
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent, 0o755)?;
        }
        if !self.paths.insert(path.to_owned()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{path} is twice in the archive")));
        }
        let size = u32::try_from(content.len())
            .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} is larger than 4 GiB")))?;
        let entry = Builder::new(path)
            .ino(self.paths.len() as u32)
            .mode(permissions & 0o7777)
            .set_mode_file_type(kind)
            .rdev_major(major)
            .rdev_minor(minor);
        let mut writer = entry.write(std::mem::take(&mut self.archive), size);
        writer.write_all(content)?;
        self.archive = writer.finish()?;
        Ok(())
    }
}
