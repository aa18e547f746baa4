//! What the firmware would take from right images.

use std::fs;

use qemu::image::{BootFiles, Image};

use crate::boot_files;
use crate::build::{self, Build, arm32, arm64, dtb, gzip, module, zimage};

fn boot(build: &Build, board: &str) -> BootFiles {
    let file = build.write();
    let image = Image::open(file.path()).expect("an image");
    boot_files(&image, board).expect("boot files")
}

#[test]
fn the_usual_names() {
    let build = Build::pi3().boot("kernel7.img", zimage(&gzip(&arm32("6.1.21-v7+")))).boot("kernel.img", zimage(b""));
    let build = build.boot("bcm2709-rpi-2-b.dtb", dtb("Raspberry Pi 2"));
    let files = boot(&build, "raspi3b");
    assert_eq!((files.kernel_name.as_str(), files.width), ("kernel8.img", 64));
    assert_eq!(files.version.as_deref(), Some("6.1.21-v8+"));
    assert!(files.kernel == arm64("6.1.21-v8+"));
    assert_eq!(files.dtb_name, "bcm2710-rpi-3-b.dtb");
    assert!(files.dtb == dtb("Raspberry Pi 3 Model B"));
    assert_eq!(files.cmdline.as_deref(), Some("console=serial0,115200 root=/dev/mmcblk0p2 rootwait"));
    assert_eq!(files.ignored_overlays, [""; 0]);

    let files = boot(&build, "raspi2b");
    assert_eq!((files.kernel_name.as_str(), files.width), ("kernel7.img", 32));
    assert_eq!(files.version.as_deref(), Some("6.1.21-v7+"));
    assert_eq!(files.dtb_name, "bcm2709-rpi-2-b.dtb");
}

/// One image for all that have 32 bits: config.txt tells them apart.
#[test]
fn the_first_raspberry_pis() {
    let kernel = |name: &str| zimage(&gzip(&arm32(name)));
    let build = Build::pi3()
        .boot("kernel.img", kernel("6.1.21+"))
        .boot("kernel7.img", kernel("6.1.21-v7+"))
        .boot("zero.img", kernel("6.6.1+"))
        .boot("bcm2708-rpi-zero.dtb", dtb("Raspberry Pi Zero"))
        .boot("bcm2708-rpi-b-plus.dtb", dtb("Raspberry Pi Model B Plus"))
        .boot("bcm2709-rpi-2-b.dtb", dtb("Raspberry Pi 2"))
        .boot("config.txt", "[pi0]\nkernel=zero.img\n[pi2]\ndtoverlay=two\n");
    for (board, kernel, dtb, version) in [
        ("raspi0", "zero.img", "bcm2708-rpi-zero.dtb", "6.6.1+"),
        ("raspi1ap", "kernel.img", "bcm2708-rpi-b-plus.dtb", "6.1.21+"),
        ("raspi2b", "kernel7.img", "bcm2709-rpi-2-b.dtb", "6.1.21-v7+"),
    ] {
        let files = boot(&build, board);
        assert_eq!((files.kernel_name.as_str(), files.dtb_name.as_str()), (kernel, dtb), "{board}");
        assert_eq!(files.version.as_deref(), Some(version), "{board}");
    }
}

#[test]
fn config_decides() {
    let config = "kernel=other.img\n[pi3]\ndevice_tree=Three.DTB\ndtoverlay=vc4-kms-v3d\n[pi4]\nkernel=four.img\n\
                  dtoverlay=four\n[all]\ndtoverlay=disable-bt\ncmdline=line.txt\n";
    let build = Build::pi3()
        .boot("config.txt", config)
        .boot("other.img", arm64("5.15.84"))
        .boot("three.dtb", dtb("another"))
        .boot("line.txt", "quiet\n");
    let files = boot(&build, "raspi3b");
    assert_eq!((files.kernel_name.as_str(), files.version.as_deref()), ("other.img", Some("5.15.84")));
    assert_eq!(files.dtb_name, "Three.DTB");
    assert!(files.dtb == dtb("another"));
    assert_eq!(files.cmdline.as_deref(), Some("quiet"));
    assert_eq!(files.ignored_overlays, ["vc4-kms-v3d", "disable-bt"]);
}

#[test]
fn prefixes_and_includes() {
    let build = Build::pi3()
        .boot("config.txt", "include usercfg.txt\n")
        .boot("usercfg.txt", "os_prefix=current/\n")
        .boot("current/kernel8.img", arm64("6.8.0-1"));
    let files = boot(&build, "raspi3b");
    assert_eq!((files.kernel_name.as_str(), files.version.as_deref()), ("current/kernel8.img", Some("6.8.0-1")));
    assert_eq!(files.dtb_name, "bcm2710-rpi-3-b.dtb");
}

#[test]
fn compressed_kernels() {
    let files = boot(&Build::pi3().boot("kernel8.img", gzip(&arm64("6.1.21-v8+"))), "raspi3b");
    assert!(files.kernel == arm64("6.1.21-v8+"));

    let payload = gzip(&arm64("6.12"));
    let mut zboot = b"MZ\0\0zimg".to_vec();
    zboot.extend([0x1000u32.to_le_bytes(), (payload.len() as u32).to_le_bytes(), [0; 4], [0; 4]].concat());
    zboot.extend(b"gzip");
    zboot.resize(0x1000, 0);
    zboot.extend(payload);
    let files = boot(&Build::pi3().boot("kernel8.img", zboot), "raspi3b");
    assert!(files.kernel == arm64("6.12"));
    assert_eq!(files.version.as_deref(), Some("6.12"));
}

/// As Debian packs it: xz with the filter for ARM code.
#[test]
fn version_inside_xz() {
    let options = ["--check=crc32", "--arm", "--lzma2=preset=6,dict=32MiB"];
    let Some(payload) = build::xz(&arm32("5.10.0-32-armmp"), &options) else { return };
    let build = Build::pi3().boot("kernel7.img", zimage(&payload)).boot("bcm2836-rpi-2-b.dtb", dtb("Raspberry Pi 2"));
    assert_eq!(boot(&build, "raspi2b").version.as_deref(), Some("5.10.0-32-armmp"));
}

/// Nothing in the kernel says it, and there are modules for one version.
#[test]
fn version_from_the_modules() {
    let build = Build::pi3().boot("kernel8.img", &arm64("")[..0x9000]).root("lib/modules/6.1.21-v8+/modules.order", "");
    assert_eq!(boot(&build, "raspi3b").version.as_deref(), Some("6.1.21-v8+"));
    assert_eq!(boot(&build.root("lib/modules/6.6.1/modules.order", ""), "raspi3b").version, None);
}

fn load(build: &Build, names: &[&str]) -> Vec<String> {
    let file = build.write();
    let image = Image::open(file.path()).expect("an image");
    let modules = image.modules("6.1", names).expect("modules");
    for found in &modules {
        assert!(found.content.starts_with(b"\x7fELF"), "{} is decompressed", found.name);
    }
    modules.into_iter().map(|module| module.name).collect()
}

fn with_modules(directory: &str, wide: bool) -> Build {
    let kernel = format!("{directory}/modules/6.1/kernel");
    Build::pi3()
        .root(&format!("{kernel}/fs/ext4/ext4.ko"), module("ext4", "mbcache,jbd2,crc16", wide))
        .root(&format!("{kernel}/fs/jbd2/jbd2.ko"), module("jbd2", "mbcache", wide))
        .root(&format!("{kernel}/fs/mbcache.ko"), module("mbcache", "", wide))
        .root(&format!("{kernel}/drivers/sdhci-pltfm.ko.gz"), gzip(&module("sdhci_pltfm", "sdhci", wide)))
        .root(&format!("{kernel}/drivers/sdhci.ko"), module("sdhci", "", wide))
        .root(&format!("{directory}/modules/6.1/modules.builtin"), "kernel/lib/crc16.ko\nkernel/fs/fat/fat.ko\n")
}

#[test]
fn modules_in_order() {
    let build = with_modules("lib", true);
    assert_eq!(load(&build, &["ext4", "sdhci-pltfm", "fat"]), ["mbcache", "jbd2", "ext4", "sdhci", "sdhci_pltfm"]);
    assert_eq!(load(&build, &["sdhci_pltfm", "mbcache", "sdhci"]), ["sdhci", "sdhci_pltfm", "mbcache"]);
    assert_eq!(load(&build, &["crc16"]), [""; 0]);
}

/// A merged /usr; a list of modules that names them uncompressed; an update, which goes before.
#[test]
fn modules_listed_linked_and_updated() {
    let order = "kernel/fs/ext4/ext4.ko\nkernel/fs/jbd2/jbd2.ko\nkernel/fs/mbcache.ko\n\
                 kernel/drivers/sdhci-pltfm.ko\nkernel/drivers/sdhci.ko\n";
    let build = with_modules("usr/lib", false)
        .link("lib", "usr/lib")
        .root("usr/lib/modules/6.1/modules.order", order)
        .root("usr/lib/modules/6.1/updates/jbd2.ko", module("jbd2", "extra", false))
        .root("usr/lib/modules/6.1/extra/extra.ko", module("extra", "", false));
    assert_eq!(load(&build, &["ext4", "sdhci_pltfm"]), ["mbcache", "extra", "jbd2", "ext4", "sdhci", "sdhci_pltfm"]);
}

#[test]
fn modules_in_xz() {
    let Some(packed) = build::xz(&module("ext4", "", true), &["--check=crc32", "--lzma2=dict=1MiB"]) else { return };
    assert_eq!(load(&Build::pi3().root("lib/modules/6.1/kernel/ext4.ko.xz", packed), &["ext4"]), ["ext4"]);
}

/// Modules that depend on each other in a ring come each once.
#[test]
fn modules_in_a_ring() {
    let build = Build::pi3()
        .root("lib/modules/6.1/kernel/a.ko", module("a", "b", true))
        .root("lib/modules/6.1/kernel/b.ko", module("b", "a", true));
    assert_eq!(load(&build, &["a", "b"]), ["b", "a"]);
}

#[test]
fn roots() {
    let root = |build: &Build| Image::open(build.write().path()).expect("an image").root_partition();
    assert_eq!(root(&Build::pi3()), Some(2));
    assert_eq!(root(&Build::pi3().boot("cmdline.txt", "root=PARTUUID=12345678-02")), Some(2));
    assert_eq!(root(&Build::pi3().label("writable").boot("cmdline.txt", "root=LABEL=writable")), Some(2));
    assert_eq!(root(&Build::pi3().without("cmdline.txt")), Some(2));
}

/// What is opened stays as it was, whatever its size, also where it must not be written.
#[test]
fn never_written() {
    let mut build = Build::pi3();
    build.surplus = 777;
    let file = build.write();
    let before = fs::read(file.path()).expect("read");
    assert!(!before.len().is_power_of_two());
    let mut permissions = fs::metadata(file.path()).expect("metadata").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(file.path(), permissions).expect("read-only");

    let image = Image::open(file.path()).expect("an image");
    let digest = image.digest().expect("a digest");
    boot_files(&image, "raspi3b").expect("boot files");
    let inspection = image.inspect();
    assert_eq!(inspection.length, before.len() as u64);
    assert_eq!(image.digest().expect("a digest"), digest);
    assert!(build::same(file.path(), &before));
    use sha2::Digest;
    assert_eq!(digest, <[u8; 32]>::from(sha2::Sha256::digest(&before)));
}

#[test]
fn inspected() {
    let build = Build::pi3()
        .boot("config.txt", "arm_64bit=1\ndtoverlay=vc4-kms-v3d\n[pi4]\nkernel=four.img\n")
        .boot("kernel7.img", zimage(&gzip(&arm32("6.1.21-v7+"))))
        .root("lib/modules/6.1.21-v8+/modules.order", "");
    let file = build.write();
    let text = Image::open(file.path()).expect("an image").inspect().to_string();
    let text = text.replace(&*file.path().to_string_lossy(), "IMG");
    let expected = "\
size          44072960 bytes (42.0 MiB, no power of two)
partition 1   type 0c (FAT32, LBA), at 0x8000, 34.0 MiB: FAT32 `BOOT`
partition 2   type 83 (Linux), at 0x2208000, 8.0 MiB: ext4 `rootfs`
kernel        kernel8.img: 64-bit, version 6.1.21-v8+, arm64 Image, 36.1 KiB
kernel        kernel7.img: 32-bit, version 6.1.21-v7+, zImage, SIZE
device tree   bcm2710-rpi-3-b.dtb: Raspberry Pi 3 Model B (raspberrypi,3-model-b, brcm,bcm2837)
config.txt    arm_64bit=1, dtoverlay=vc4-kms-v3d (ignored)
cmdline.txt   console=serial0,115200 root=/dev/mmcblk0p2 rootwait
root          partition 2, Testing OS 1
modules       6.1.21-v8+
raspi3b       boots, with kernel8.img and bcm2710-rpi-3-b.dtb; ignored: vc4-kms-v3d
raspi4b       does not boot: IMG: config.txt says `kernel=four.img`, but the boot partition has no such file; \
it has kernel8.img, bcm2710-rpi-3-b.dtb, cmdline.txt, config.txt, kernel7.img
raspi2b       does not boot: IMG holds no device tree for this board: expected bcm2709-rpi-2-b.dtb or \
bcm2836-rpi-2-b.dtb in the boot partition, or `device_tree=` in config.txt; it has bcm2710-rpi-3-b.dtb
raspi0        does not boot: IMG holds no kernel for this board: expected kernel.img or zImage or vmlinuz in the boot \
partition, or `kernel=` in config.txt; it has kernel8.img, bcm2710-rpi-3-b.dtb, cmdline.txt, config.txt, kernel7.img
raspi1ap      does not boot: IMG holds no kernel for this board: expected kernel.img or zImage or vmlinuz in the boot \
partition, or `kernel=` in config.txt; it has kernel8.img, bcm2710-rpi-3-b.dtb, cmdline.txt, config.txt, kernel7.img
";
    // How small gzip makes it is not ours to say.
    let packed = text.lines().find_map(|line| line.strip_prefix("kernel        kernel7.img")?.rsplit(", ").next());
    assert_eq!(text, expected.replace("SIZE", packed.expect("the kernel")));
}

/// The tools of others make the same of it.
#[test]
fn by_mtools() {
    if build::optional("mformat", "mtools").is_none() {
        return;
    }
    let mut build = Build::pi3().boot("a rather long name of a kernel.img", arm64("6.9"));
    build = build.boot("config.txt", "kernel=a rather long name of a kernel.img\n");
    build.mtools = true;
    assert_eq!(boot(&build, "raspi3b").version.as_deref(), Some("6.9"));
}

#[test]
fn fat16() {
    let mut build = Build::pi3();
    build.fat16 = true;
    assert_eq!(boot(&build, "raspi3b").version.as_deref(), Some("6.1.21-v8+"));
    let text = Image::open(build.write().path()).expect("an image").inspect().to_string();
    assert!(text.contains("type 0e (FAT16, LBA), at 0x8000, 8.0 MiB: FAT16 `BOOT`"), "{text}");
}

/// Older file systems: without checksums, without 64-bit block numbers, without a journal.
#[test]
fn other_ext4() {
    for features in ["^metadata_csum,^64bit,^has_journal", "^extent,^metadata_csum,^64bit"] {
        let mut build = with_modules("lib", true);
        build.features = features;
        assert_eq!(load(&build, &["ext4"]), ["mbcache", "jbd2", "ext4"], "{features}");
    }
}
