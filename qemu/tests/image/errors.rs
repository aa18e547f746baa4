//! Each wrong image has a message of its own, which names the file and says what to do.

use std::path::Path;

use qemu::image::{BootFiles, Image, ImageError};

use crate::boot_files;
use crate::build::{self, Build, SECTOR, arm64, disk, dtb, gzip, module, write, zimage};

/// The message, with the file's name replaced.
fn message(path: &Path, error: &ImageError) -> String {
    let text = error.to_string();
    assert!(text.contains(&*path.to_string_lossy()), "names the file: {text}");
    text.replace(&*path.to_string_lossy(), "IMG")
}

/// Why this file cannot be opened.
fn refused(content: &[u8]) -> String {
    let file = write(content);
    message(file.path(), &Image::open(file.path()).expect_err("refused"))
}

/// What this board makes of an image.
fn boot(build: &Build, board: &str) -> Result<BootFiles, String> {
    let file = build.write();
    let image = Image::open(file.path()).expect("an image");
    boot_files(&image, board).map_err(|error| message(file.path(), &error))
}

#[test]
fn truncated() {
    let mut content = disk(&[(0x0c, vec![0; 8 * SECTOR]), (0x83, vec![0; 32 * SECTOR])], 0);
    content.truncate(80 * SECTOR);
    assert_eq!(
        refused(&content),
        "IMG is truncated: partition 2 ends at byte 53248, the file has 40960; copy, download or decompress it again"
    );
}

#[test]
fn gpt_only() {
    let text = refused(&disk(&[(0xee, vec![0; 64 * SECTOR])], 0));
    assert!(text.starts_with("IMG has a GPT and no partitions in its MBR; expected an MBR"), "{text}");
}

#[test]
fn no_image() {
    let cases: [(&[u8], &str); 3] = [
        (b"", "it has 0 bytes, less than a sector"),
        (b"just a text\n", "it has 12 bytes, less than a sector"),
        (&[b'x'; 4096], "the first sector does not end in 55 aa"),
    ];
    for (content, reason) in cases {
        assert_eq!(
            refused(content),
            format!(
                "IMG is not a disk image: {reason}; expected an MBR with a FAT boot partition and an ext4 root \
                 partition, as Raspberry Pi images have"
            )
        );
    }
}

#[test]
fn empty_and_broken_tables() {
    assert!(refused(&disk(&[], 0)).contains("its partition table is empty"));
    let mut broken = disk(&[(0x0c, vec![0; SECTOR])], 0);
    broken[446] = 0x17;
    assert!(refused(&broken).contains("its partition table is broken (partition has invalid boot flag)"));
}

#[test]
fn other_formats() {
    let cases: [(&[u8], &str); 4] = [
        (b"\xfd7zXZ\0\0\x04", "compressed with xz, not a raw disk image: decompress it first (`xz -dk FILE`)"),
        (b"PK\x03\x04", "a zip archive, not a raw disk image: unpack it first (`unzip FILE`)"),
        (b"QFI\xfb", "a qcow2 image, not a raw disk image: convert it first"),
        (b"\x7fELF", "an ELF file, not a raw disk image: a kernel goes in with --kernel"),
    ];
    for (magic, expected) in cases {
        let mut content = magic.to_vec();
        content.resize(4096, 0);
        let text = refused(&content);
        assert!(text.starts_with(&format!("IMG is {expected}")), "{text}");
    }
}

/// What really compressed, and really bare file systems, are taken for.
#[test]
fn compressed_and_bare() {
    let image = disk(&[(0x0c, vec![0; SECTOR])], 0);
    assert!(refused(&gzip(&image)).starts_with("IMG is compressed with gzip"));
    if let Some(compressed) = build::xz(&image, &[]) {
        assert!(refused(&compressed).starts_with("IMG is compressed with xz"));
    }
    let whole = std::fs::read(Build::pi3().write().path()).expect("read");
    let sectors = u32::from_le_bytes(whole[446 + 12..446 + 16].try_into().expect("four bytes")) as usize;
    let (fat, rest) = whole[64 * SECTOR..].split_at(sectors * SECTOR);
    assert!(refused(fat).starts_with("IMG is a bare FAT file system"), "{}", refused(fat));
    assert!(refused(rest).starts_with("IMG is a bare ext4 file system"), "{}", refused(rest));
    assert!(refused(&arm64("6.1")).starts_with("IMG is an arm64 kernel"));
    assert!(refused(&zimage(b"")).starts_with("IMG is an ARM kernel (zImage)"));
}

#[test]
fn unreadable() {
    let missing = Path::new("/nowhere/an.img");
    let text = message(missing, &Image::open(missing).expect_err("refused"));
    assert_eq!(text, "cannot read the image IMG: No such file or directory (os error 2)");
    let directory = tempfile::tempdir().expect("a directory");
    let text = message(directory.path(), &Image::open(directory.path()).expect_err("refused"));
    assert!(text.starts_with("cannot read the image IMG: Is a directory"), "{text}");
    // A pipe that nobody writes to is not waited for.
    let pipe = directory.path().join("pipe");
    build::run(std::process::Command::new("mkfifo").arg(&pipe));
    let text = message(&pipe, &Image::open(&pipe).expect_err("refused"));
    assert!(text.starts_with("IMG is not a disk image: it is a pipe or a terminal"), "{text}");
}

#[test]
fn no_boot_partition() {
    assert_eq!(
        refused(&disk(&[(0x83, vec![0; SECTOR]), (0x82, vec![0; SECTOR])], 0)),
        "IMG has no FAT boot partition, where kernel and device tree should be; it has partition 1 of type 83 (Linux), \
         partition 2 of type 82 (Linux swap)"
    );
}

#[test]
fn broken_boot_file_system() {
    assert_eq!(
        refused(&disk(&[(0x0c, vec![0; 64 * SECTOR])], 0)),
        "IMG: the FAT file system in partition 1 cannot be read: its first sector does not end in 55 aa"
    );
    let mut content = std::fs::read(Build::pi3().write().path()).expect("read");
    // Sectors in all: twice what there is.
    let place = 64 * SECTOR + 32;
    let sectors = u32::from_le_bytes(content[place..place + 4].try_into().expect("four bytes"));
    content[place..place + 4].copy_from_slice(&(2 * sectors).to_le_bytes());
    assert!(refused(&content).ends_with("cannot be read: it is larger than its partition"));
}

#[test]
fn no_kernel() {
    assert_eq!(
        boot(&Build::pi3().without("kernel8.img"), "raspi3b").expect_err("refused"),
        "IMG holds no kernel for this board: expected kernel8.img or Image or vmlinuz in the boot partition, or `kernel=` in config.txt; \
         it has bcm2710-rpi-3-b.dtb, config.txt, cmdline.txt"
    );
}

#[test]
fn kernel_of_the_other_width() {
    let narrow = Build::pi3().without("kernel8.img").boot("kernel7.img", zimage(b""));
    assert_eq!(
        boot(&narrow, "raspi3b").expect_err("refused"),
        "IMG: the image holds a 32-bit kernel (kernel7.img); the board wants 64: use --executor raspi2b"
    );
    assert_eq!(
        boot(&Build::pi3(), "raspi2b").expect_err("refused"),
        "IMG: the image holds a 64-bit kernel (kernel8.img); the board wants 32: use --executor raspi3b"
    );
    // A board that has its device tree there is a better advice than the first of that width.
    let zero = Build::pi3().without("kernel8.img").boot("kernel.img", zimage(b""));
    let zero = zero.boot("bcm2708-rpi-zero.dtb", dtb("Raspberry Pi Zero"));
    assert!(boot(&zero, "raspi3b").expect_err("refused").ends_with("the board wants 64: use --executor raspi0"));
    // A kernel of the right width is another board's.
    let both = Build::pi3().boot("kernel7.img", zimage(b"")).boot("bcm2708-rpi-zero.dtb", dtb("Raspberry Pi Zero"));
    let error = boot(&both, "raspi0").expect_err("refused");
    assert!(
        error.starts_with("IMG holds no kernel for this board: expected kernel.img or zImage or vmlinuz"),
        "{error}"
    );
    // Named in config.txt it is no better.
    let named = narrow.boot("config.txt", "kernel=kernel7.img\n");
    assert!(boot(&named, "raspi3b").expect_err("refused").contains("holds a 32-bit kernel (kernel7.img)"));
}

#[test]
fn unusable_kernel() {
    let cases: [(&[u8], &str); 4] = [
        (b"\xfd7zXZ\0", "it is compressed with xz, which the firmware does not boot either; decompress it"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd, which the firmware does not boot either; decompress it"),
        (b"\x27\x05\x19\x56", "it is a U-Boot image; expected an arm64 Image or a zImage"),
        (b"garbage", "neither an arm64 Image nor a zImage; it begins with 67 61 72 62 61 67 65 00"),
    ];
    for (magic, reason) in cases {
        let mut content = magic.to_vec();
        content.resize(4096, 0);
        let error = boot(&Build::pi3().boot("kernel8.img", content), "raspi3b").expect_err("refused");
        assert_eq!(error, format!("IMG: the kernel kernel8.img cannot be used: {reason}"));
    }
}

#[test]
fn kernel_that_is_cut_off() {
    let mut content = gzip(&arm64("6.1"));
    content.truncate(content.len() - 20);
    let error = boot(&Build::pi3().boot("kernel8.img", content), "raspi3b").expect_err("refused");
    assert!(error.starts_with("IMG: the kernel kernel8.img cannot be used: gzip: "), "{error}");
    let error = boot(&Build::pi3().boot("kernel8.img", gzip(b"no kernel")), "raspi3b").expect_err("refused");
    assert_eq!(error, "IMG: the kernel kernel8.img cannot be used: gzip: no arm64 Image in it");
}

#[test]
fn no_device_tree() {
    let build = Build::pi3().without("bcm2710-rpi-3-b.dtb").boot("bcm2711-rpi-4-b.dtb", dtb("Raspberry Pi 4"));
    assert_eq!(
        boot(&build, "raspi3b").expect_err("refused"),
        "IMG holds no device tree for this board: expected bcm2710-rpi-3-b.dtb or bcm2837-rpi-3-b.dtb in the boot \
         partition, or `device_tree=` in config.txt; it has bcm2711-rpi-4-b.dtb"
    );
    let broken = Build::pi3().boot("bcm2710-rpi-3-b.dtb", "no tree");
    assert_eq!(
        boot(&broken, "raspi3b").expect_err("refused"),
        "IMG: the device tree bcm2710-rpi-3-b.dtb cannot be used: not a device tree: it does not begin with d0 0d fe ed"
    );
}

#[test]
fn settings_without_a_file() {
    for setting in ["kernel=mine.img", "device_tree=mine.dtb"] {
        let error = boot(&Build::pi3().boot("config.txt", setting), "raspi3b").expect_err("refused");
        assert!(
            error.starts_with(&format!("IMG: config.txt says `{setting}`, but the boot partition has no such file")),
            "{error}"
        );
    }
}

#[test]
fn modules() {
    let version = "6.1.21-v8+";
    let build = Build::pi3()
        .root(&format!("lib/modules/{version}/kernel/a.ko"), module("a", "b", true))
        .root(&format!("lib/modules/{version}/kernel/broken.ko"), "no module")
        .root(&format!("lib/modules/{version}/kernel/packed.ko.zst"), b"\x28\xb5\x2f\xfdmodule");
    let file = build.write();
    let image = Image::open(file.path()).expect("an image");
    let failing =
        |version: &str, name: &str| message(file.path(), &image.modules(version, &[name]).expect_err("refused"));
    assert_eq!(
        failing("6.6.1", "a"),
        "IMG has no modules for its kernel 6.6.1: expected /lib/modules/6.6.1 in partition 2; there is 6.1.21-v8+"
    );
    assert_eq!(failing(version, "a"), "IMG: the kernel 6.1.21-v8+ has no module b, which a depends on");
    assert_eq!(failing(version, "c"), "IMG: the kernel 6.1.21-v8+ has no module c");
    let text = failing(version, "broken");
    assert!(
        text.starts_with("IMG: /lib/modules/6.1.21-v8+/kernel/broken.ko in partition 2 cannot be read: "),
        "{text}"
    );
    assert!(failing(version, "packed").ends_with("compressed with zstd, which is not understood"));
    assert!(failing("../../etc", "a").contains("has no modules for its kernel ../../etc"));
}

#[test]
fn no_root() {
    let mut build = Build::pi3();
    build.with_root = false;
    let file = build.write();
    let image = Image::open(file.path()).expect("an image");
    assert_eq!(image.root_partition(), None);
    let error = image.modules("6.1", &["ext4"]).expect_err("refused");
    assert_eq!(
        message(file.path(), &error),
        "IMG has no ext4 root partition; it has partition 1 of type 0c (FAT32, LBA)"
    );

    let content = disk(
        &[(0x0c, std::fs::read(file.path()).expect("read")[64 * SECTOR..].to_vec()), (0x83, vec![0; 64 * SECTOR])],
        0,
    );
    let file = write(&content);
    let error = Image::open(file.path()).expect("an image").modules("6.1", &["ext4"]).expect_err("refused");
    let text = message(file.path(), &error);
    assert!(text.starts_with("IMG: the ext4 file system in partition 2 cannot be read: "), "{text}");
}
