//! Damaged images: whatever is in them, they are read or refused. No panic, and an end to it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use qemu::image::{Image, kernel};

use crate::boot_files;
use crate::build::{Build, SECTOR, arm32, arm64, gzip, module, xz, zimage};

/// A small random number generator (SplitMix64), so that a seed is all it takes to see a run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// How many damaged images to read; more with LINKRIG_FUZZ=N.
fn rounds() -> u64 {
    std::env::var("LINKRIG_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Everything that can be asked of an image.
fn use_all(path: &Path) {
    let Ok(image) = Image::open(path) else { return };
    assert!(!image.inspect().to_string().is_empty());
    for board in ["raspi3b", "raspi2b"] {
        let _ = boot_files(&image, board);
    }
    let _ = image.modules("6.1", &["ext4", "a"]);
}

fn damage(features: &'static str, seed: u64) {
    let mut build = Build::pi3()
        .boot("config.txt", "include more.txt\nos_prefix=some/\n")
        .boot("more.txt", "dtoverlay=x\n")
        .boot("some/kernel8.img", gzip(&arm64("6.1")))
        .boot("kernel7.img", zimage(&gzip(&arm32("6.1"))))
        .root("lib/modules/6.1/kernel/ext4.ko", module("ext4", "a", true))
        .root("lib/modules/6.1/kernel/a.ko.gz", gzip(&module("a", "", true)))
        .link("usr/lib", "../lib");
    build.features = features;
    let file = build.write();
    let original = std::fs::read(file.path()).expect("read");
    // What is zero is mostly not looked at.
    let used: Vec<usize> = (0..original.len() / SECTOR)
        .filter(|sector| original[sector * SECTOR..(sector + 1) * SECTOR].iter().any(|byte| *byte != 0))
        .collect();
    let mut disk = OpenOptions::new().write(true).open(file.path()).expect("open");
    let put = |disk: &mut File, offset: usize, bytes: &[u8]| {
        disk.seek(SeekFrom::Start(offset as u64)).expect("sought");
        disk.write_all(bytes).expect("written");
    };
    let mut random = Random(seed);
    for round in 0..rounds() {
        let mut touched = Vec::new();
        for _ in 0..1 + random.below(6) {
            // The boot sector, the first FAT and directories more often than the rest.
            let end = if random.below(2) == 0 { used.len().min(24) } else { used.len() };
            let sector = used[random.below(end)];
            let offset = sector * SECTOR + random.below(SECTOR - 4);
            let value = match random.below(4) {
                0 => [0xff; 4],
                1 => [0; 4],
                2 => (random.below(64) as u32).to_le_bytes(),
                _ => (random.next() as u32).to_le_bytes(),
            };
            let length = [1, 2, 4][random.below(3)];
            put(&mut disk, offset, &value[..length]);
            touched.push(offset);
        }
        let truncated = random.below(8) == 0;
        if truncated {
            disk.set_len(random.below(original.len()) as u64).expect("truncated");
        }
        let start = Instant::now();
        use_all(file.path());
        let time = start.elapsed();
        assert!(time < Duration::from_secs(20), "seed {seed}, round {round}: {time:?} for {touched:x?}");
        if truncated {
            put(&mut disk, 0, &original);
        }
        for offset in touched {
            put(&mut disk, offset, &original[offset..offset + 4]);
        }
    }
}

#[test]
fn damaged_images() {
    damage("has_journal", 1);
}

/// Without checksums, damage to the root file system gets further in.
#[test]
fn damaged_images_without_checksums() {
    damage("^metadata_csum,^64bit", 2);
}

/// Chains of clusters and directories that lead in circles come to an end.
#[test]
fn circles() {
    let file = Build::pi3().boot("config.txt", "kernel=circle.img\n").boot("circle.img", [1; 4096]).write();
    let mut content = std::fs::read(file.path()).expect("read");
    let volume = 64 * SECTOR;
    let half = |at: usize| usize::from(u16::from_le_bytes([content[volume + at], content[volume + at + 1]]));
    let (reserved, root) = (half(14), half(44));
    let fat = volume + reserved * SECTOR;
    // The root directory's cluster follows itself, full of entries that are deleted.
    let sectors = u32::from_le_bytes(content[volume + 36..volume + 40].try_into().expect("four bytes")) as usize;
    let data = fat + 2 * sectors * SECTOR;
    content[fat + 4 * root..fat + 4 * root + 4].copy_from_slice(&(root as u32).to_le_bytes());
    for entry in content[data..data + SECTOR].chunks_exact_mut(32) {
        entry[0] = 0xe5;
    }
    std::fs::write(file.path(), &content).expect("written");
    let start = Instant::now();
    let error = Image::open(file.path()).expect("an image").boot_files(&qemu::image::Wanted {
        width: 64,
        filters: &[],
        kernels: &[],
        dtbs: &[],
    });
    let text = error.expect_err("refused").to_string();
    assert!(text.ends_with("the FAT file system in partition 1 cannot be read: it leads in circles"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// Kernels of any bytes.
#[test]
fn damaged_kernels() {
    let mut random = Random(3);
    let mut kernels = vec![arm64("6.1"), gzip(&arm64("6.1")), zimage(&gzip(&arm32("6.1")))];
    kernels.extend(xz(&arm32("6.1"), &["--arm", "--lzma2=dict=1MiB"]).map(|payload| zimage(&payload)));
    let mut zboot = b"MZ\0\0zimg\0\x10\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0gzip".to_vec();
    zboot.resize(0x1400, 0);
    kernels.push(zboot);
    for original in kernels {
        for _ in 0..rounds() {
            let mut content = original.clone();
            for _ in 0..1 + random.below(4) {
                let place = random.below(content.len());
                content[place] = random.next() as u8;
            }
            content.truncate(if random.below(4) == 0 { random.below(content.len()) } else { content.len() });
            if let Ok(kernel) = kernel::recognise(content) {
                let _ = kernel.version();
            }
        }
    }
}
