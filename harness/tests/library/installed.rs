//! The program away from the checkout that it was built in.

use std::path::Path;
use std::process::{Command, Output};

use super::repository;

/// The program in a folder of its own where the checkout is not there: an empty file system lies over it where the machine
/// lets users have name spaces of their own.
fn run_away(program: &Path, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let hide = r#"mount -t tmpfs none "$1" && shift && exec "$@""#;
    let can_hide = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    let mut command = match can_hide.is_ok_and(|output| output.status.success()) {
        true => {
            let mut command = Command::new("unshare");
            command
                .args(["--user", "--map-root-user", "--mount", "sh", "-c", hide, "sh"])
                .arg(repository())
                .arg(program);
            command
        }
        false => Command::new(program),
    };
    let Output { status, stdout, stderr } = command
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .env("XDG_CACHE_HOME", folder.path().join("cache"))
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("not killed"), text(stdout), text(stderr))
}

/// Runs what needs the corpus, the boards and the agents.
pub(super) fn works_without_a_checkout(program: &Path) {
    let (status, out, err) = run_away(program, &["aarch64/got", "armv6/", "--layout", "near", "--strict"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains(" passed"), "{out}");
    let (status, out, err) =
        run_away(program, &["armv7/calls", "--executor", "raspi2b", "--layout", "near", "--strict"]);
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = run_away(program, &["coverage", "--arch", "thumbv6m"]);
    assert_eq!(status, 0, "{out}{err}");
    // Nothing can be written into the program.
    let (status, _, err) = run_away(program, &["--bless", "armv7/init/order_by_priority"]);
    assert!(status != 0 && err.contains("--corpus DIR"), "{status}: {err}");
}

#[test]
fn a_copy_works_anywhere() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let copy = folder.path().join("harness");
    std::fs::copy(env!("CARGO_BIN_EXE_harness"), &copy).expect("a copy");
    works_without_a_checkout(&copy);
}
