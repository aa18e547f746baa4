//! `harness image` as its users start it.

#[allow(dead_code, reason = "made for the tests of the reader, which use all of it")]
#[path = "../../../qemu/tests/image/build.rs"]
mod build;

use std::process::Command;

use build::{Build, write};

fn harness(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness")).args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
}

#[test]
fn an_image_is_described() {
    let file = Build::pi3().write();
    let before = std::fs::read(file.path()).expect("read");
    let (status, out, err) = harness(&["image", "inspect", &file.path().to_string_lossy()]);
    assert_eq!((status, err.as_str()), (0, ""));
    for line in [
        "partition 1   type 0c (FAT32, LBA), at 0x8000, 34.0 MiB: FAT32 `BOOT`",
        "kernel        kernel8.img: 64-bit, version 6.1.21-v8+, arm64 Image",
        "root          partition 2, Testing OS 1",
        "raspi3b       boots, with kernel8.img and bcm2710-rpi-3-b.dtb",
        "raspi2b       does not boot: ",
    ] {
        assert!(out.lines().any(|printed| printed.starts_with(line)), "{line}\n{out}");
    }
    assert!(build::same(file.path(), &before));
}

#[test]
fn wrong_images_are_refused() {
    let file = write(b"just a text\n");
    let path = file.path().to_string_lossy();
    let (status, out, err) = harness(&["image", "inspect", &path]);
    assert_eq!((status, out.as_str()), (65, ""));
    assert!(err.starts_with(&format!("error: {path} is not a disk image: it has 12 bytes")), "{err}");
    let (status, _, err) = harness(&["image", "inspect", "/nowhere/an.img"]);
    assert_eq!(
        (status, err.trim_end()),
        (65, "error: cannot read the image /nowhere/an.img: No such file or directory (os error 2)")
    );
}

#[test]
fn wrong_usage() {
    for arguments in [&["image"][..], &["image", "inspect"], &["image", "look", "x"]] {
        assert_eq!(harness(arguments).0, 2, "{arguments:?}");
    }
}
