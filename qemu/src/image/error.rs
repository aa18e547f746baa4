//! Errors of images: each says what is wrong, what was expected, and what to do.

use std::path::PathBuf;

use super::dtb::DtbError;

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be opened or read.
    #[error("cannot read the image {}: {reason}", path.display())]
    Unreadable {
        /// The image.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Something else that is well known: compressed, another container, a bare file system.
    #[error("{} is {what}, not a raw disk image: {advice}", path.display())]
    OtherFormat {
        /// The image.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// No partition table at all.
    #[error(
        "{} is not a disk image: {reason}; expected an MBR with a FAT boot partition and an ext4 root partition, \
         as Raspberry Pi images have",
        path.display()
    )]
    NotAnImage {
        /// The image.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A GPT with nothing but its protective MBR.
    #[error(
        "{} has a GPT and no partitions in its MBR; expected an MBR, as Raspberry Pi images have: on a copy, \
         `sgdisk --gpttombr=1:2 COPY` makes one",
        path.display()
    )]
    GptOnly {
        /// The image.
        path: PathBuf,
    },
    /// A partition goes beyond the end of the file.
    #[error(
        "{} is truncated: partition {number} ends at byte {end}, the file has {length}; copy, download or decompress \
         it again",
        path.display()
    )]
    Truncated {
        /// The image.
        path: PathBuf,
        /// The partition's number, from 1.
        number: u8,
        /// The first byte behind it.
        end: u64,
        /// The length of the file.
        length: u64,
    },
    /// No partition that the firmware would boot from.
    #[error(
        "{} has no FAT boot partition, where kernel and device tree should be; it has {found}",
        path.display()
    )]
    NoBootPartition {
        /// The image.
        path: PathBuf,
        /// The partitions there are.
        found: String,
    },
    /// No partition with an ext4 file system.
    #[error("{} has no ext4 root partition; it has {found}", path.display())]
    NoRootPartition {
        /// The image.
        path: PathBuf,
        /// The partitions there are.
        found: String,
    },
    /// A file system that cannot be read.
    #[error("{}: the {kind} file system in partition {number} cannot be read: {reason}", path.display())]
    FileSystem {
        /// The image.
        path: PathBuf,
        /// The partition's number, from 1.
        number: u8,
        /// FAT or ext4.
        kind: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file in the image that cannot be read.
    #[error("{}: {file} in partition {number} cannot be read: {reason}", path.display())]
    File {
        /// The image.
        path: PathBuf,
        /// The partition's number, from 1.
        number: u8,
        /// The file inside it.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// config.txt names a file that is not there.
    #[error("{}: config.txt says `{setting}`, but the boot partition has no such file; it has {found}", path.display())]
    Setting {
        /// The image.
        path: PathBuf,
        /// The line of config.txt.
        setting: String,
        /// What there is instead.
        found: String,
    },
    /// A boot partition without any kernel.
    #[error(
        "{} holds no kernel for this board: expected {expected} in the boot partition, or `kernel=` in config.txt; it has {found}",
        path.display()
    )]
    NoKernel {
        /// The image.
        path: PathBuf,
        /// The names looked for.
        expected: String,
        /// The files of the boot partition.
        found: String,
    },
    /// Kernels, but of the other width.
    #[error("{}: the image holds a {there}-bit kernel ({name}); the board wants {wanted}: {advice}", path.display())]
    WrongWidth {
        /// The image.
        path: PathBuf,
        /// The kernel that is there.
        name: String,
        /// Its width.
        there: u8,
        /// The board's width.
        wanted: u8,
        /// Which board to take instead.
        advice: String,
    },
    /// A file in a kernel's place that QEMU cannot start.
    #[error("{}: the kernel {name} cannot be used: {reason}", path.display())]
    Kernel {
        /// The image.
        path: PathBuf,
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No device tree for the board.
    #[error(
        "{} holds no device tree for this board: expected {expected} in the boot partition, or `device_tree=` in \
         config.txt; it has {found}",
        path.display()
    )]
    NoDtb {
        /// The image.
        path: PathBuf,
        /// The names looked for.
        expected: String,
        /// The device trees there are.
        found: String,
    },
    /// A device tree that is none.
    #[error("{}: the device tree {name} cannot be used: {reason}", path.display())]
    Dtb {
        /// The image.
        path: PathBuf,
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: DtbError,
    },
    /// No modules for this kernel.
    #[error(
        "{} has no modules for its kernel {version}: expected /lib/modules/{version} in partition {number}; \
         there is {found}",
        path.display()
    )]
    NoModules {
        /// The image.
        path: PathBuf,
        /// The root partition.
        number: u8,
        /// The kernel's version.
        version: String,
        /// The versions there are.
        found: String,
    },
    /// A module that is neither there nor built in.
    #[error("{}: the kernel {version} has no module {name}{}", path.display(), needed_by(by))]
    NoModule {
        /// The image.
        path: PathBuf,
        /// The kernel's version.
        version: String,
        /// The module.
        name: String,
        /// The module that depends on it.
        by: Option<String>,
    },
}

fn needed_by(by: &Option<String>) -> String {
    by.as_ref().map(|by| format!(", which {by} depends on")).unwrap_or_default()
}
