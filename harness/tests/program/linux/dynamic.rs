//! Programs that are linked dynamically, with the run-time linker and the libraries of a cross compiler: each does what it does under
//! qemu-user with the same libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{SETS, run};
use crate::running::exec;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/linux").join(name)
}

/// Compiles and links. None, and said so, when there is no compiler.
fn build(compiler: &str, flags: &[&str], source: &Path, output: &Path) -> Option<()> {
    let names = [format!("{compiler}-12"), compiler.to_owned()];
    let Some(path) = names.iter().find_map(|name| which::which(name).ok()) else {
        println!("skipped: {compiler} is not installed");
        return None;
    };
    let output = Command::new(path)
        .args(flags)
        .args(["-w", "-O1", "-g", "-funwind-tables", "-o"])
        .arg(output)
        .arg(source)
        .output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// The directory of a cross compiler's libraries.
fn sysroot(prefix: &str) -> String {
    format!("/usr/{prefix}")
}

#[test]
fn libraries_are_loaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let (program, plug) = (directory.path().join("program"), directory.path().join("libplug.so"));
    let text = |path: &Path| path.to_str().expect("a text path").to_owned();
    let (program_name, plug_name, granted) = (text(&program), text(&plug), text(directory.path()));
    for (prefix, emulator, set) in SETS {
        let (compiler, sysroot) = (format!("{prefix}-g++"), sysroot(prefix));
        if build(&compiler, &[set, &["-shared", "-fPIC"][..]].concat(), &source("plug.cc"), &plug).is_none() {
            continue;
        }
        for kind in [&["-no-pie", "-fno-pie"][..], &["-pie", "-fPIE"]] {
            let flags = [set, kind, &["-rdynamic"]].concat();
            build(&compiler, &flags, &source("dynamic.cc"), &program);
            for end in ["quiet", "abort", "segv", "throw"] {
                let expected = run(emulator, &["-L", &sysroot, &program_name, &plug_name, end]);
                let words = ["exec", "--sysroot", &sysroot, "--dir", &granted, &program_name, "--", &plug_name, end];
                let got = run(env!("CARGO_BIN_EXE_harness"), &words);
                let what = format!("{flags:?} {end}: {} {}", got.err, expected.err);
                assert_eq!((got.status, &got.out), (expected.status, &expected.out), "{what}");
                assert_eq!(got.err.is_empty(), end == "quiet", "{what}");
                assert!(expected.out.contains("through the library") && expected.out.contains("unloaded"), "{what}");
                // What ARM's C library does not return from has no tables.
                let through: &[&str] = match end {
                    "segv" => {
                        &["in poke", "libplug.so", "plug.cc:", "fail(char const*, char const*)", "dynamic.cc:", "main"]
                    }
                    "abort" | "throw" if emulator == "qemu-aarch64" => &["of /lib/libc.so.6", "fail(", "main"],
                    "abort" | "throw" => &["ended by SIGABRT", "of /lib/libc.so.6"],
                    _ => &[],
                };
                assert!(through.iter().all(|part| got.err.contains(part)), "{what}");
            }
        }
    }
}

#[test]
fn what_a_dynamic_program_lacks_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = |path: &Path| path.to_str().expect("a text path").to_owned();
    let (program, source) = (directory.path().join("program"), directory.path().join("program.c"));
    std::fs::write(&source, "int main(int count, char **words) { return count; }").expect("writable");
    if build("aarch64-linux-gnu-gcc", &[], &source, &program).is_none() {
        return;
    }
    let (program, empty) = (text(&program), text(directory.path()));
    let got = exec(&[&program]);
    let named = ["--sysroot", "/lib/ld-linux-aarch64.so.1", "--sysroot /usr/aarch64-linux-gnu here"];
    assert!(got.status == 2 && named.iter().all(|name| got.err.contains(name)), "{got:?}");
    // qemu-user looks for it on this machine, which has one only if it is of that architecture.
    if std::env::var_os("QEMU_LD_PREFIX").is_none() && !Path::new("/lib/ld-linux-aarch64.so.1").exists() {
        let got = exec(&["--executor", "qemu-user", &program]);
        assert!(got.status == 2 && named.iter().all(|name| got.err.contains(name)), "{got:?}");
    }
    let got = exec(&["--sysroot", &empty, &program]);
    assert!(
        got.status == 65 && got.err.contains("ld-linux-aarch64.so.1") && got.err.contains("No such file"),
        "{got:?}"
    );
    let got = exec(&["--sysroot", "/nonexistent", &program]);
    assert!(got.status == 65 && got.err.contains("/nonexistent: No such file"), "{got:?}");
    let got = exec(&["--sysroot", "/usr/arm-linux-gnueabihf", &program]);
    assert!(got.status == 65 && got.err.contains("ld-linux-aarch64.so.1"), "{got:?}");
    // A run-time linker that is none.
    std::fs::create_dir(directory.path().join("lib")).expect("writable");
    let linker = directory.path().join("lib/ld-linux-aarch64.so.1");
    std::fs::write(&linker, "not ELF").expect("writable");
    let got = exec(&["--sysroot", &empty, &program]);
    assert!(got.status == 65 && got.err.contains("ld-linux-aarch64.so.1: ELF header"), "{got:?}");
    // It may be a symbolic link from the root of that system, and the libraries are not there.
    std::fs::remove_file(&linker).expect("removable");
    std::fs::copy("/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1", directory.path().join("lib/ld.so"))
        .expect("copied");
    std::os::unix::fs::symlink("/lib/ld.so", &linker).expect("writable");
    let got = exec(&["--sysroot", &empty, &program]);
    assert!(got.status == 127 && got.err.contains("libc.so.6: cannot open shared object file"), "{got:?}");
    let got = exec(&["--sysroot", "/usr/aarch64-linux-gnu", &program, "--", "a", "b"]);
    assert!(got.status == 3 && got.out.is_empty() && got.err.is_empty(), "{got:?}");
}
