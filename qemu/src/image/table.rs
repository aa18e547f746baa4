//! The partition table, and what a file without one is instead.

use std::fmt::{self, Display};
use std::path::Path;

use mbrman::{MBRHeader, MBRPartitionEntry};

use super::ImageError;
use super::partition::Disk;

/// MBR addresses count sectors of this size, whatever the card's.
const SECTOR: u64 = 512;

/// A partition of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1: Linux calls it `mmcblk0pN`.
    pub number: u8,
    /// The type byte of the table.
    pub kind: u8,
    /// The first byte.
    pub start: u64,
    /// The length in bytes.
    pub length: u64,
}

/// Type bytes that the firmware, or Linux, makes something of.
static KINDS: &[(u8, &str)] = &[
    (0x01, "FAT12"),
    (0x04, "FAT16, small"),
    (0x05, "extended"),
    (0x06, "FAT16"),
    (0x07, "NTFS or exFAT"),
    (0x0b, "FAT32"),
    (0x0c, "FAT32, LBA"),
    (0x0e, "FAT16, LBA"),
    (0x0f, "extended, LBA"),
    (0x82, "Linux swap"),
    (0x83, "Linux"),
    (0x8e, "Linux LVM"),
    (0xee, "GPT"),
    (0xef, "EFI system"),
];

impl Partition {
    /// What the type byte means.
    pub fn kind_name(&self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("unknown", |(_, name)| name)
    }

    /// Whether the firmware looks for its files here.
    pub(super) fn may_boot(&self) -> bool {
        self.kind_name().starts_with("FAT") || self.kind == 0xef
    }

    /// Whether it may hold a root file system.
    pub(super) fn may_be_root(&self) -> bool {
        self.kind == 0x83
    }

    /// Extended partitions and GPTs are tables themselves.
    fn is_table(&self) -> bool {
        [0x05, 0x0f, 0x85, 0xee].contains(&self.kind)
    }

    /// The first byte behind it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

impl Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} of type {:02x} ({})", self.number, self.kind, self.kind_name())
    }
}

/// What people have that is not an image: offset, bytes, name, what to do.
type Other = (u64, &'static [u8], &'static str, &'static str);

#[rustfmt::skip]
static OTHERS: &[Other] = &[
    (0, b"\xfd7zXZ\0", "compressed with xz", "decompress it first (`xz -dk FILE`)"),
    (0, b"\x1f\x8b", "compressed with gzip", "decompress it first (`gzip -dk FILE`)"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it first (`zstd -d FILE`)"),
    (0, b"BZh", "compressed with bzip2", "decompress it first (`bzip2 -dk FILE`)"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it first (`unzip FILE`)"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first (`7z x FILE`)"),
    (0, b"QFI\xfb", "a qcow2 image", "convert it first (`qemu-img convert -O raw FILE OUT.img`)"),
    (0, b"KDMV", "a VMDK image", "convert it first (`qemu-img convert -O raw FILE OUT.img`)"),
    (0, b"vhdxfile", "a VHDX image", "convert it first (`qemu-img convert -O raw FILE OUT.img`)"),
    (0x40, b"\x7f\x10\xda\xbe", "a VDI image", "convert it first (`qemu-img convert -O raw FILE OUT.img`)"),
    (0, b"\x7fELF", "an ELF file", "a kernel goes in with --kernel, an image holds partitions"),
    (0, b"\xd0\x0d\xfe\xed", "a device tree", "it goes in with --dtb, an image holds partitions"),
    (0x38, b"ARMd", "an arm64 kernel", "it goes in with --kernel, an image holds partitions"),
    (0x24, b"\x18\x28\x6f\x01", "an ARM kernel (zImage)", "it goes in with --kernel, an image holds partitions"),
    (0x36, b"FAT", "a bare FAT file system", "expected the whole card, with its partition table"),
    (0x52, b"FAT32", "a bare FAT file system", "expected the whole card, with its partition table"),
    (0x438, b"\x53\xef", "a bare ext4 file system", "expected the whole card, with its partition table"),
];

/// Reads the table and checks that the file holds what it promises.
pub(super) fn read(disk: &Disk, path: &Path) -> Result<Vec<Partition>, ImageError> {
    let unreadable = |reason| ImageError::Unreadable { path: path.into(), reason };
    let none = |reason: String| ImageError::NotAnImage { path: path.into(), reason };
    let length = disk.length().map_err(unreadable)?;
    let mut head = [0; 0x600];
    let read = disk.read_at(0, &mut head).map_err(unreadable)?;
    let head = &head[..read];

    for &(offset, magic, what, advice) in OTHERS {
        if head.get(offset as usize..).is_some_and(|rest| rest.starts_with(magic)) {
            return Err(ImageError::OtherFormat { path: path.into(), what, advice });
        }
    }
    if head.len() < SECTOR as usize {
        return Err(none(format!("it has {length} bytes, less than a sector")));
    }
    if head[510..512] != [0x55, 0xaa] {
        return Err(none("the first sector does not end in 55 aa".into()));
    }
    let header = MBRHeader::read_from(&mut std::io::Cursor::new(head));
    let header = header.map_err(|error| none(format!("its partition table is broken ({error})")))?;
    let entry = |(number, entry): (usize, &MBRPartitionEntry)| Partition {
        number: number as u8,
        kind: entry.sys,
        start: u64::from(entry.starting_lba) * SECTOR,
        length: u64::from(entry.sectors) * SECTOR,
    };
    let partitions: Vec<_> = header.iter().map(entry).filter(|p| p.kind != 0 && p.length > 0).collect();
    if partitions.is_empty() {
        return Err(none("its partition table is empty".into()));
    }
    if partitions.iter().all(Partition::is_table) && partitions.iter().any(|partition| partition.kind == 0xee) {
        return Err(ImageError::GptOnly { path: path.into() });
    }
    match partitions.iter().find(|partition| !partition.is_table() && partition.end() > length) {
        Some(partition) => {
            Err(ImageError::Truncated { path: path.into(), number: partition.number, end: partition.end(), length })
        }
        None => Ok(partitions),
    }
}
