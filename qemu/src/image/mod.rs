//! Disk images in the style of the Raspberry Pi: an MBR, a FAT partition with kernel and device tree, an ext4 root.
//!
//! An image is opened for reading and never written: no loop device, no mount, no root. [`Image::boot_files`] picks
//! what the firmware would load, [`Image::modules`] finds kernel modules in the root file system; [`dtb`] and [`cpio`]
//! change device trees and write initramfs archives in memory.
//!
//! Images come from anywhere, so nothing in them is believed: what is wrong with one is an [`ImageError`] that names the
//! file, what was expected and what to do.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

mod boot;
mod compression;
pub mod cpio;
pub mod dtb;
mod error;
mod fat;
pub mod firmware;
mod inspect;
pub mod kernel;
mod modules;
mod partition;
mod root;
mod table;

pub use boot::{BootFiles, Wanted};
pub use error::ImageError;
pub use inspect::{Boots, DeviceTree, FileSystem, Inspection, KernelFile};
pub use modules::Module;
pub use table::Partition;

use boot::Boot;
use fat::Volume;
use firmware::RootSetting;
use partition::{Disk, Fuel, Window};
use root::Root;

/// An image, open for reading.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    disk: Disk,
    length: u64,
    partitions: Vec<Partition>,
    /// The boot partition's place in the list.
    boot: usize,
    /// The root partition's, if there is one.
    root: Option<usize>,
}

/// No file that is read from an image is larger: they are kernels, device trees, modules.
const LARGEST_FILE: u64 = 512 << 20;

impl Image {
    /// Opens an image, or a card, and checks that it has a partition table, that all its partitions are there, and that
    /// one of them is a FAT file system.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let unreadable = |reason| ImageError::Unreadable { path: path.into(), reason };
        // Opening a pipe would wait for whoever writes to it.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if is_stream(metadata.file_type()) {
            return Err(ImageError::NotAnImage { path: path.into(), reason: "it is a pipe or a terminal".into() });
        }
        let disk = Disk::new(File::open(path).map_err(unreadable)?);
        let partitions = table::read(&disk, path)?;
        let length = disk.length().map_err(unreadable)?;
        let Some(boot) = partitions.iter().position(Partition::may_boot) else {
            return Err(ImageError::NoBootPartition { path: path.into(), found: list(&partitions) });
        };
        let mut image = Self { path: path.into(), disk, length, partitions, boot, root: None };
        image.volume()?;
        image.root = image.find_root();
        Ok(image)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The length in bytes, which need not be a power of two.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The partitions of the table, empty entries left out.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The number of the partition with the root file system: what the command line says, or else the first of Linux's
    /// type with an ext4 file system in it. The guest calls it `/dev/mmcblk0pN`.
    pub fn root_partition(&self) -> Option<u8> {
        self.root.map(|index| self.partitions[index].number)
    }

    /// Kernel, device tree and command line, as the firmware would pick them for this board.
    pub fn boot_files(&self, wanted: &Wanted<'_>) -> Result<BootFiles, ImageError> {
        boot::files(self, wanted)
    }

    /// The modules of these names that the image has for a kernel, with all that they depend on, in loading order. What
    /// is built into the kernel is left out.
    pub fn modules(&self, version: &str, names: &[&str]) -> Result<Vec<Module>, ImageError> {
        modules::load(self, version, names)
    }

    /// All there is to say about the image, and which of the boards that come along would boot from it.
    pub fn inspect(&self) -> Inspection {
        inspect::inspect(self)
    }

    /// The SHA-256 of the whole file.
    pub fn digest(&self) -> Result<[u8; 32], ImageError> {
        let mut hash = Sha256::new();
        let mut piece = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let count = self.disk.read_at(at, &mut piece);
            let count = count.map_err(|reason| ImageError::Unreadable { path: self.path.clone(), reason })?;
            if count == 0 {
                return Ok(hash.finalize().into());
            }
            hash.update(&piece[..count]);
            at += count as u64;
        }
    }

    fn window(&self, partition: &Partition) -> (Window, Fuel) {
        let fuel = Fuel::default();
        (Window::new(self.disk.clone(), partition.start, partition.length, fuel.clone()), fuel)
    }

    /// The boot partition's file system.
    fn volume(&self) -> Result<Volume, ImageError> {
        let partition = &self.partitions[self.boot];
        let (window, fuel) = self.window(partition);
        Volume::open(window, partition.length, fuel).map_err(|error| self.boot_error(&error))
    }

    /// The root file system.
    fn root(&self) -> Result<Root, ImageError> {
        let Some(index) = self.root else {
            return Err(ImageError::NoRootPartition { path: self.path.clone(), found: list(&self.partitions) });
        };
        self.open_root(index).map_err(|error| ImageError::FileSystem {
            path: self.path.clone(),
            number: self.partitions[index].number,
            kind: "ext4",
            reason: error.to_string(),
        })
    }

    fn open_root(&self, index: usize) -> Result<Root, ext4_view::Ext4Error> {
        let partition = &self.partitions[index];
        let (window, fuel) = self.window(partition);
        Root::open(window, partition.length, fuel)
    }

    fn find_root(&self) -> Option<usize> {
        let candidates = || (0..self.partitions.len()).filter(|index| self.partitions[*index].may_be_root());
        let cmdline = Boot::open(self, &[]).and_then(|boot| boot.cmdline()).ok().flatten();
        let said = cmdline.as_deref().and_then(firmware::root_setting).and_then(|setting| {
            candidates().find(|index| match &setting {
                RootSetting::Partition(number) => self.partitions[*index].number == *number,
                RootSetting::Label(label) => {
                    self.open_root(*index).is_ok_and(|root| root.label().as_ref() == Some(label))
                }
            })
        });
        said.or_else(|| candidates().find(|index| self.open_root(*index).is_ok())).or_else(|| candidates().next())
    }

    fn boot_error(&self, error: &io::Error) -> ImageError {
        ImageError::FileSystem {
            path: self.path.clone(),
            number: self.partitions[self.boot].number,
            kind: "FAT",
            reason: error.to_string(),
        }
    }

    fn boot_file_error(&self, file: &str, error: &io::Error) -> ImageError {
        ImageError::File {
            path: self.path.clone(),
            number: self.partitions[self.boot].number,
            file: file.to_owned(),
            reason: error.to_string(),
        }
    }

    fn root_file_error(&self, file: &str, error: &impl ToString) -> ImageError {
        ImageError::File {
            path: self.path.clone(),
            number: self.root_partition().unwrap_or_default(),
            file: file.to_owned(),
            reason: error.to_string(),
        }
    }
}

#[cfg(unix)]
fn is_stream(kind: std::fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo() || kind.is_socket() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: std::fs::FileType) -> bool {
    false
}

fn list(partitions: &[Partition]) -> String {
    partitions.iter().map(Partition::to_string).collect::<Vec<_>>().join(", ")
}
