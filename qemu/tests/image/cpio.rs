//! The initramfs, read back by the crate and by the program cpio.

use std::io::{Cursor, Read};
use std::process::{Command, Stdio};

use ::cpio::newc::Reader;
use qemu::image::cpio::Initramfs;

use crate::build::optional;

fn archive() -> Vec<u8> {
    let mut archive = Initramfs::new();
    archive.file("/init", 0o755, b"#!/bin/sh\n").expect("a file");
    archive.character_device("/dev/console", 0o600, 5, 1).expect("a device");
    archive.file("lib/modules/a.ko", 0o644, &[7; 4097]).expect("a file");
    archive.directory("/lib", 0o700).expect("is there");
    archive.symlink("/bin", "usr/bin").expect("a link");
    archive.directory("/tmp", 0o1777).expect("a directory");
    archive.finish().expect("an archive")
}

#[test]
fn entries() {
    let mut rest = Cursor::new(archive());
    let mut seen = Vec::new();
    loop {
        let mut reader = Reader::new(rest).expect("an entry");
        if reader.entry().is_trailer() {
            break;
        }
        let mut content = Vec::new();
        reader.read_to_end(&mut content).expect("read");
        let entry = reader.entry();
        seen.push(format!(
            "{:06o} {} {},{} {}",
            entry.mode(),
            entry.name(),
            entry.rdev_major(),
            entry.rdev_minor(),
            content.len()
        ));
        rest = reader.finish().expect("the next");
    }
    let expected = [
        "100755 init 0,0 10",
        "040755 dev 0,0 0",
        "020600 dev/console 5,1 0",
        "040755 lib 0,0 0",
        "040755 lib/modules 0,0 0",
        "100644 lib/modules/a.ko 0,0 4097",
        "120777 bin 0,0 7",
        "041777 tmp 0,0 0",
    ];
    assert_eq!(seen, expected);
    assert_eq!(archive(), archive(), "the same entries are the same bytes");
}

#[test]
fn as_cpio_lists_it() {
    let Some(cpio) = optional("cpio", "cpio") else { return };
    let mut child = Command::new(cpio)
        .args(["--list", "--verbose", "--numeric-uid-gid", "--quiet"])
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cpio");
    std::io::Write::write_all(&mut child.stdin.take().expect("its input"), &archive()).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let listed = String::from_utf8(output.stdout).expect("text");
    let words: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let names: Vec<String> = words.iter().map(|line| format!("{} {}", line[0], line[8..].join(" "))).collect();
    let expected = [
        "-rwxr-xr-x init",
        "drwxr-xr-x dev",
        "crw------- dev/console",
        "drwxr-xr-x lib",
        "drwxr-xr-x lib/modules",
        "-rw-r--r-- lib/modules/a.ko",
        "lrwxrwxrwx bin -> usr/bin",
        "drwxrwxrwt tmp",
    ];
    // A device has two numbers where others have a size.
    let names: Vec<String> = names.iter().map(|name| name.replace("1970 ", "")).collect();
    assert_eq!(names, expected, "{listed}");
    assert!(listed.contains("5,   1"), "{listed}");
}

#[test]
fn what_cannot_be_in_an_archive() {
    let mut archive = Initramfs::new();
    archive.file("/init", 0o755, b"").expect("a file");
    assert_eq!(archive.file("init", 0o755, b"").expect_err("twice").to_string(), "init is twice in the archive");
    assert_eq!(archive.file("/", 0o755, b"").expect_err("no name").to_string(), "`` names nothing in an archive");
}
