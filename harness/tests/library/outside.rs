//! A crate outside of this workspace that uses the rig from its own tests.

use std::process::Command;

use super::{repository, target_directory};

/// Built in the folder where everything is built, and by the same versions and profile, so that the emulator is not built again.
#[test]
fn a_crate_outside_of_the_workspace_uses_it() {
    let copy = tempfile::tempdir().expect("a temporary directory");
    for file in ["Cargo.toml", "src/lib.rs", "tests/linked.rs"] {
        let text = std::fs::read_to_string(repository().join("harness/tests/outside").join(file)).expect(file);
        // Where it lies there is no `../..`.
        let text = text.replace("../../..", repository().to_str().expect("a path of text"));
        std::fs::create_dir_all(copy.path().join(file).parent().expect("a folder")).expect("a folder");
        std::fs::write(copy.path().join(file), text).expect(file);
    }
    std::fs::copy(repository().join("Cargo.lock"), copy.path().join("Cargo.lock")).expect("the versions");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--quiet"])
        .current_dir(copy.path())
        .env("CARGO_TARGET_DIR", target_directory())
        .output()
        .expect("cargo starts");
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("12 passed"), "{out}\n{err}");
}
