//! Little images for the tests, of made-up files: a table by hand, FAT by `fatfs` or by mtools, ext4 by mke2fs.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{NamedTempFile, TempDir};

pub(crate) const SECTOR: usize = 512;
const MIB: usize = 1 << 20;
/// FAT32 has 65525 clusters at least.
const FAT32: usize = 34 * MIB;

/// An image in the making.
#[derive(Clone)]
pub(crate) struct Build {
    boot: Vec<(String, Vec<u8>)>,
    root: Vec<(String, Vec<u8>)>,
    links: Vec<(String, String)>,
    label: String,
    /// Features of the root file system, for mke2fs -O.
    pub(crate) features: &'static str,
    /// FAT by mformat and mcopy.
    pub(crate) mtools: bool,
    /// FAT16 instead of FAT32.
    pub(crate) fat16: bool,
    pub(crate) with_root: bool,
    /// Bytes after the last partition.
    pub(crate) surplus: usize,
}

impl Build {
    /// Nothing in it yet.
    pub(crate) fn new() -> Self {
        Self {
            boot: Vec::new(),
            root: Vec::new(),
            links: Vec::new(),
            label: "rootfs".into(),
            features: "has_journal",
            mtools: false,
            fat16: false,
            with_root: true,
            surplus: 0,
        }
    }

    /// What a Raspberry Pi 3 boots with 64 bits.
    pub(crate) fn pi3() -> Self {
        Self::new()
            .boot("kernel8.img", arm64("6.1.21-v8+"))
            .boot("bcm2710-rpi-3-b.dtb", dtb("Raspberry Pi 3 Model B"))
            .boot("config.txt", "arm_64bit=1\n")
            .boot("cmdline.txt", "console=serial0,115200 root=/dev/mmcblk0p2 rootwait\n")
            .root("etc/os-release", "PRETTY_NAME=\"Testing OS 1\"\n")
    }

    /// Adds a file to the boot partition.
    pub(crate) fn boot(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.boot.retain(|(other, _)| other != name);
        self.boot.push((name.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Takes a file out of the boot partition.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.boot.retain(|(other, _)| other != name);
        self
    }

    /// Adds a file to the root file system.
    pub(crate) fn root(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.root.push((path.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Adds a symbolic link to the root file system.
    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.links.push((path.to_owned(), target.to_owned()));
        self
    }

    pub(crate) fn label(mut self, label: &str) -> Self {
        self.label = label.to_owned();
        self
    }

    /// Writes the image.
    pub(crate) fn write(&self) -> NamedTempFile {
        let fat = if self.mtools { self.fat_by_mtools() } else { self.fat() };
        let root = if self.with_root { self.ext4() } else { Vec::new() };
        let mut partitions = vec![(if self.fat16 { 0x0e } else { 0x0c }, fat)];
        if self.with_root {
            partitions.push((0x83, root));
        }
        write(&disk(&partitions, self.surplus))
    }

    fn fat(&self) -> Vec<u8> {
        let (size, kind) = if self.fat16 { (8 * MIB, fatfs::FatType::Fat16) } else { (FAT32, fatfs::FatType::Fat32) };
        let mut volume = Cursor::new(vec![0; size]);
        let options = fatfs::FormatVolumeOptions::new().fat_type(kind).bytes_per_cluster(512);
        fatfs::format_volume(&mut volume, options.volume_label(*b"BOOT       ")).expect("formatted");
        volume.set_position(0);
        let system = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).expect("a volume");
        for (name, content) in &self.boot {
            if let Some((directory, _)) = name.rsplit_once('/') {
                system.root_dir().create_dir(directory).expect("a directory");
            }
            system.root_dir().create_file(name).expect("a file").write_all(content).expect("written");
        }
        drop(system);
        volume.into_inner()
    }

    fn fat_by_mtools(&self) -> Vec<u8> {
        let directory = TempDir::new().expect("a directory");
        let volume = directory.path().join("volume");
        fs::write(&volume, vec![0; FAT32]).expect("written");
        run(Command::new("mformat").arg("-i").arg(&volume).args(["-F", "-v", "BOOT", "::"]));
        for (name, content) in &self.boot {
            let file = directory.path().join("file");
            fs::write(&file, content).expect("written");
            run(Command::new("mcopy").arg("-i").arg(&volume).arg(&file).arg(format!("::{name}")));
        }
        fs::read(volume).expect("read")
    }

    fn ext4(&self) -> Vec<u8> {
        let directory = TempDir::new().expect("a directory");
        let tree = directory.path().join("tree");
        fs::create_dir(&tree).expect("a directory");
        let place = |path: &str| {
            let place = tree.join(path);
            fs::create_dir_all(place.parent().expect("a parent")).expect("directories");
            place
        };
        for (path, content) in &self.root {
            fs::write(place(path), content).expect("written");
        }
        for (path, target) in &self.links {
            std::os::unix::fs::symlink(target, place(path)).expect("a link");
        }
        let volume = directory.path().join("volume");
        let mut mke2fs = Command::new(program("mke2fs", "e2fsprogs"));
        mke2fs.args(["-q", "-t", "ext4", "-O", self.features, "-L", &self.label, "-d"]).arg(&tree).arg(&volume);
        run(mke2fs.arg("8M"));
        fs::read(volume).expect("read")
    }
}

/// Writes bytes to a file of their own.
pub(crate) fn write(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content).expect("written");
    file
}

/// A disk with these partitions, by type and content, one after the other from sector 64 on.
pub(crate) fn disk(partitions: &[(u8, Vec<u8>)], surplus: usize) -> Vec<u8> {
    let mut disk = vec![0; 64 * SECTOR];
    for (index, (kind, content)) in partitions.iter().enumerate() {
        let (start, sectors) = (disk.len() / SECTOR, content.len().div_ceil(SECTOR));
        disk.extend_from_slice(content);
        disk.resize((start + sectors) * SECTOR, 0);
        let entry = 446 + 16 * index;
        disk[entry + 4] = *kind;
        disk[entry + 8..entry + 12].copy_from_slice(&(start as u32).to_le_bytes());
        disk[entry + 12..entry + 16].copy_from_slice(&(sectors as u32).to_le_bytes());
    }
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk.resize(disk.len() + surplus, 0xa5);
    disk
}

/// A program, also where only root has it in its path.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("these tests need {name}: install {package}"))
}

/// A program, if it is installed; says so if not.
pub(crate) fn optional(name: &str, package: &str) -> Option<PathBuf> {
    let found = find(name);
    if found.is_none() {
        println!("skipped: {name} is not installed (package {package})");
    }
    found
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    directories.map(|directory| directory.join(name)).find(|place| place.is_file())
}

/// Runs a program that has to succeed; what it prints.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What `find` needs to be told about a banner.
fn banner(version: &str) -> Vec<u8> {
    // As in a real one, the words without a number stand before those with.
    format!("Linux version \0%s version %s (x@y)\0Linux version {version} (x@y) (gcc 12) #1 SMP\n\0").into_bytes()
}

/// An arm64 `Image`: nothing but the header and the banner.
pub(crate) fn arm64(version: &str) -> Vec<u8> {
    let mut image = vec![0; 0x40];
    image[0x38..0x3c].copy_from_slice(b"ARMd");
    image.resize(0x9000, 0x11);
    image.extend(banner(version));
    image
}

/// A `zImage` around a compressed payload.
pub(crate) fn zimage(payload: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 0x28];
    image[0x24..].copy_from_slice(&0x016f_2818u32.to_le_bytes());
    image.resize(0x3000, 0x22);
    image.extend_from_slice(payload);
    image.extend_from_slice(&[0; 16]);
    image
}

/// What is inside of a `zImage`: large enough that the banner lies across pieces.
pub(crate) fn arm32(version: &str) -> Vec<u8> {
    let mut image: Vec<u8> = (0..(256 << 10) - 20u32).map(|at| (at >> 3) as u8).collect();
    image.extend(banner(version));
    image.resize(900_000, 0x33);
    image
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

/// Through the program xz, if it is installed.
pub(crate) fn xz(content: &[u8], options: &[&str]) -> Option<Vec<u8>> {
    let xz = optional("xz", "xz-utils")?;
    let file = write(content);
    Some(run(Command::new(xz).args(["--stdout", "--keep"]).args(options).arg(file.path())))
}

/// A kernel module: an ELF object with a `.modinfo`.
pub(crate) fn module(name: &str, depends: &str, wide: bool) -> Vec<u8> {
    use object::write::Object;
    use object::{Architecture, BinaryFormat, Endianness, SectionKind};
    let architecture = if wide { Architecture::Aarch64 } else { Architecture::Arm };
    let mut file = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let section = file.add_section(Vec::new(), b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    file.append_section_data(section, format!("license=GPL\0depends={depends}\0name={name}\0").as_bytes(), 1);
    file.write().expect("an object")
}

/// A device tree like the Pi's, with a node below the UART that is in the way.
pub(crate) fn dtb(model: &str) -> Vec<u8> {
    let mut tree = Tree::default();
    tree.begin("");
    tree.property("model", format!("{model}\0").as_bytes());
    tree.property("compatible", b"raspberrypi,3-model-b\0brcm,bcm2837\0");
    tree.begin("soc");
    tree.begin("serial@7e201000");
    tree.property("compatible", b"arm,pl011\0");
    tree.begin("bluetooth");
    tree.property("compatible", b"brcm,bcm43438-bt\0");
    tree.begin("inner");
    tree.end();
    tree.end();
    tree.end();
    tree.begin("bluetooth");
    tree.property("status", b"okay\0");
    tree.end();
    tree.end();
    tree.end();
    tree.finish()
}

/// Writes a flattened tree: chapter 5 of the specification.
#[derive(Default)]
struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Tree {
    fn word(&mut self, word: u32) {
        self.structure.extend_from_slice(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.structure.extend_from_slice(bytes);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn begin(&mut self, name: &str) {
        self.word(1);
        self.bytes(format!("{name}\0").as_bytes());
    }

    fn end(&mut self) {
        self.word(2);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        self.word(3);
        self.word(value.len() as u32);
        self.word(self.strings.len() as u32);
        self.strings.extend_from_slice(format!("{name}\0").as_bytes());
        self.bytes(value);
    }

    fn finish(mut self) -> Vec<u8> {
        self.word(9);
        let (reservations, structure) = (40, 56);
        let strings = structure + self.structure.len();
        let total = strings + self.strings.len();
        let header = [
            0xd00d_feed,
            total as u32,
            structure as u32,
            strings as u32,
            reservations,
            17,
            16,
            0,
            self.strings.len() as u32,
            self.structure.len() as u32,
        ];
        let mut tree: Vec<u8> = header.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
        tree.resize(structure, 0);
        tree.extend(self.structure);
        tree.extend(self.strings);
        tree
    }
}

/// Whether two files are the same.
pub(crate) fn same(one: &Path, other: &[u8]) -> bool {
    fs::read(one).expect("read") == other
}
