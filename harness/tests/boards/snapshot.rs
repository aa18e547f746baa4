//! Snapshots as users of the harness meet them. LINKRIG_IMAGE_ARM64 names an image (`cargo xtask image`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An image and a QEMU to boot it with. None: why not has been said.
fn image() -> Option<OsString> {
    let image = std::env::var_os("LINKRIG_IMAGE_ARM64");
    if image.is_none() {
        eprintln!("skipped: LINKRIG_IMAGE_ARM64 names no image");
    } else if which::which("qemu-system-aarch64").is_err() {
        eprintln!("skipped: qemu-system-aarch64 is not installed");
        return None;
    }
    image
}

/// Runs a few cases on the image's board, all of which pass, and returns what the harness says on its standard error.
fn run(image: &OsString, cache: &Path, options: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.env("XDG_CACHE_HOME", cache).arg("--image").arg(image);
    let output = command.args(["branches/", "--arch", "aarch64,armv7"]).args(options).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}{said}", String::from_utf8_lossy(&output.stdout));
    said.lines().filter(|line| line.starts_with("note:")).collect::<Vec<_>>().join("\n")
}

fn kept(cache: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache.join("linkrig/snapshots")).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "snapshot")).collect()
}

#[test]
fn a_run_restores_what_the_one_before_saved() {
    let Some(image) = image() else { return };
    let cache = tempfile::tempdir().expect("a directory");
    let cache = cache.path();
    assert_eq!(run(&image, cache, &["--cold"]), "");
    assert!(kept(cache).is_empty(), "--cold left a snapshot");
    // Several workers, of which one boots.
    assert_eq!(run(&image, cache, &["-j2"]), "");
    let [snapshot] = &kept(cache)[..] else { panic!("there is not one snapshot: {:?}", kept(cache)) };
    let saved = std::fs::metadata(snapshot).expect("it is there").len();
    assert_eq!(run(&image, cache, &[]), "");
    // --cold does not even look at it; others say that it is broken, and make it anew.
    std::fs::write(snapshot, "no snapshot").expect("written");
    assert_eq!(run(&image, cache, &["--cold"]), "");
    assert_eq!(std::fs::read(snapshot).expect("read"), b"no snapshot");
    let note = run(&image, cache, &["-j1"]);
    assert!(note.starts_with("note: the snapshot of raspi3b cannot be used and is made anew: "), "{note}");
    assert!(std::fs::metadata(snapshot).expect("it is there").len() > saved / 2);
    assert_eq!(run(&image, cache, &["-j2"]), "");
}

#[test]
fn without_a_cache_the_board_boots_and_it_is_said_once() {
    let Some(image) = image() else { return };
    let file = tempfile::NamedTempFile::new().expect("a file");
    let note = run(&image, file.path(), &["-j2"]);
    assert!(note.starts_with("note: no snapshot is kept, so the board boots each time: "), "{note}");
    assert_eq!(note.lines().count(), 1, "{note}");
}
