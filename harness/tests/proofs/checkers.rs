//! The checkers of `vectors/`, which other projects copy, on relocators that are right and that are wrong; and what others' relocators
//! come to.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::vectors::DIRECTORY;

#[allow(dead_code, unreachable_pub, reason = "a project that copies it uses what it needs")]
#[path = "../../../vectors/check.rs"]
mod check;
#[allow(unreachable_pub)]
#[path = "../../../vectors/demonstration/object_relocator.rs"]
mod object_relocator;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// Passed, failed and not tried, from the last line of a checker.
fn counts(text: &str) -> [usize; 3] {
    let line = text.lines().last().unwrap_or("");
    let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("no counts in {text}"))
}

/// Status and output.
fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn in_c() {
    let scratch = tempfile::tempdir().expect("a directory");
    let checked = |relocator: &str| {
        let program = scratch.path().join(relocator);
        let (status, said) = run(Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(sources().join("check.c"))
            .arg(sources().join(format!("demonstration/{relocator}.c"))));
        assert_eq!(status, Some(0), "{said}");
        run(Command::new(program).arg(DIRECTORY.path().join("aarch64.txt")))
    };
    let (status, said) = checked("right");
    let [passed, failed, skipped] = counts(&said);
    assert_eq!((status, failed), (Some(0), 0), "{said}");
    assert!(passed > 200 && skipped > 1500, "{said}");
    let (status, said) = checked("wrong");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("FAILED R_AARCH64_CONDBR19/"), "{said}");
    assert!(!said.contains("FAILED R_AARCH64_ABS64/"), "{said}");
}

/// Runs the Python checker; None with a reason where the machine has no Python, or lacks what the relocator imports.
fn python(target: &str, relocator: &str, import: &str) -> Option<(Option<i32>, String)> {
    let Ok(output) = Command::new("python3").args(["-c", import]).output() else {
        println!("skipped: python3 is not installed");
        return None;
    };
    if !output.status.success() {
        println!("skipped: `{import}` fails: pip install pyelftools");
        return None;
    }
    let mut command = Command::new("python3");
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(sources().join("demonstration"));
    Some(run(command.arg("../check.py").arg(DIRECTORY.path()).args([target, relocator])))
}

#[test]
fn in_python() {
    let Some((status, said)) = python("armv7", "right", "") else { return };
    let [passed, failed, skipped] = counts(&said);
    assert_eq!((status, failed), (Some(0), 0), "{said}");
    assert!(passed > 200 && skipped > 1500, "{said}");
    let Some((status, said)) = python("armv7", "wrong", "") else { return };
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("FAILED R_ARM_CALL/") && !said.contains("FAILED R_ARM_ABS32/"), "{said}");
    let Some((status, said)) = python("nonsense", "right", "") else { return };
    assert!(status == Some(1) && said.contains("has no vectors of nonsense, but of aarch64"), "{said}");
}

/// The `object` crate's kinds, encodings and sizes, with the ranges that it does not have.
#[test]
fn in_rust() {
    let checked = |target, shift| {
        check::check(DIRECTORY.path(), target, |vector, place| object_relocator::relocate(vector, place, shift))
    };
    for target in ["aarch64", "aarch64_be"] {
        let report = checked(target, 2);
        assert!(report.failed.is_empty(), "{target}: {report}");
        assert!(report.passed > 100 && report.not_tried > 1500, "{target}: {report}");
    }
    let wrong = checked("aarch64", 3);
    assert!(wrong.failed.iter().any(|one| one.starts_with("R_AARCH64_CALL26/")), "{wrong}");
    assert!(wrong.failed.iter().all(|one| one.starts_with("R_AARCH64_CALL26/")), "{wrong}");
}

/// What docs/vectors.md says that pyelftools gets wrong.
#[test]
fn pyelftools_is_as_documented() {
    let import = "import elftools; assert elftools.__version__ == '0.33'";
    let Some((status, said)) = python("armv7", "elftools_subject", import) else { return };
    assert_eq!(status, Some(1), "{said}");
    for wrong in ["R_ARM_ABS32/rela/", "R_ARM_CALL/in-range/", "R_ARM_CALL/first-bad/", "R_ARM_CALL/misaligned/"] {
        assert!(said.contains(&format!("FAILED {wrong}")), "{wrong}: {said}");
    }
    let Some((status, said)) = python("aarch64", "elftools_subject", import) else { return };
    assert_eq!(status, Some(1), "{said}");
    assert!(said.lines().filter(|line| line.starts_with("FAILED")).all(|line| line.contains("/first-bad/")), "{said}");
}
