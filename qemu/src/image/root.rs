//! The root partition: an ext4 file system.

use ext4_view::{Ext4, Ext4Error, Ext4Read, FileType};

use super::LARGEST_FILE;
use super::partition::{Fuel, Window};

/// An ext4 file system that is only read.
pub(super) struct Root {
    system: Ext4,
    fuel: Fuel,
    length: u64,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) directory: bool,
}

impl Root {
    /// Opens the file system in this window, `length` bytes long.
    pub(super) fn open(mut window: Window, length: u64, fuel: Fuel) -> Result<Self, Ext4Error> {
        // Room for a journal that has to be looked through.
        fuel.fill(1 << 30);
        check(&mut window, length)?;
        Ok(Self { system: Ext4::load(Box::new(window))?, fuel, length })
    }

    pub(super) fn label(&self) -> Option<String> {
        let label = self.system.label().to_str().ok()?;
        Some(label.to_owned()).filter(|label| !label.is_empty())
    }

    /// A file's content, or nothing if there is no such file. Symbolic links are followed, inside the file system.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Ext4Error> {
        let Some(size) = self.size(path)? else { return Ok(None) };
        self.fuel.fill(size);
        self.system.read(path).map(Some)
    }

    /// A file's size, or nothing if there is no such file.
    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, Ext4Error> {
        self.fuel.fill(0);
        let size = match self.system.metadata(path) {
            Err(Ext4Error::NotFound | Ext4Error::NotADirectory) => return Ok(None),
            metadata => metadata?.len(),
        };
        // A file with holes could be larger; none that is looked for here is.
        if size > self.length.min(LARGEST_FILE) { Err(Ext4Error::FileTooLarge) } else { Ok(Some(size)) }
    }

    /// What is in a directory, sorted; nothing if there is no such directory.
    pub(super) fn list(&self, path: &str) -> Result<Vec<DirectoryEntry>, Ext4Error> {
        let Some(size) = self.size(path)? else { return Ok(Vec::new()) };
        self.fuel.fill(size);
        let mut entries = Vec::new();
        for entry in self.system.read_dir(path)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().as_str()
                && ![".", ".."].contains(&name)
            {
                entries.push(DirectoryEntry {
                    name: name.to_owned(),
                    directory: entry.file_type()? == FileType::Directory,
                });
            }
        }
        entries.sort();
        Ok(entries)
    }
}

/// Whether the descriptors of the block groups fit the partition: memory is taken for them before they are read.
fn check(window: &mut Window, length: u64) -> Result<(), Ext4Error> {
    let mut superblock = [0; 0x400];
    Ext4Read::read(window, 1024, &mut superblock).map_err(Ext4Error::Io)?;
    let word = |at: usize| u64::from(u32::from_le_bytes([0, 1, 2, 3].map(|byte| superblock[at + byte])));
    let blocks = word(0x04) | word(0x150) << 32;
    let groups = blocks / word(0x20).max(1);
    if superblock[0x38..0x3a] == [0x53, 0xef] && groups > length / 32 {
        return Err(Ext4Error::Io("it is larger than its partition".into()));
    }
    Ok(())
}
