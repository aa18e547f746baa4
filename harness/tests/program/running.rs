//! Programs as tests run them: compiled for a target, by `harness exec`, and by GNU ld, glibc and qemu-user for comparison.

use std::path::Path;
use std::process::{Command, Output};

use corpus::matrix::Family;
use corpus::toolchain::Toolchains;
use linker::Target;

/// What a program did: its status, and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn done(mut command: Command) -> Done {
    let Output { status, stdout, stderr } = command.env("NO_COLOR", "1").output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Done { status: status.code().expect("not killed"), out: text(stdout), err: text(stderr) }
}

pub(crate) fn exec(words: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("exec").args(words);
    done(command)
}

/// Compiles a source for a target and returns the object's path.
pub(crate) fn compile(dir: &Path, target: &str, name: &str, source: &str, flags: &[&str]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, source).expect("a writable directory");
    let target = Target::named(target).expect("a target");
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    let toolchains = Toolchains::discover();
    let object = corpus::build::compile_file(&path, target, Some(Family::Gcc), &flags, &toolchains).expect("compiles");
    let object_path = dir.join(format!("{name}-{}.o", target.name));
    std::fs::write(&object_path, object).expect("a writable directory");
    object_path.to_str().expect("a text path").to_owned()
}

/// The same object as a program of GNU ld and glibc, under qemu-user.
pub(crate) fn reference(target: &str, object: &str) -> Done {
    let (triple, emulator) = match target {
        "aarch64" => ("aarch64-linux-gnu", "qemu-aarch64"),
        _ => ("arm-linux-gnueabihf", "qemu-arm"),
    };
    let program = format!("{object}.ref");
    let linked = Command::new(format!("{triple}-gcc")).args(["-static", object, "-o", &program]).output();
    let linked = linked.expect("a linker");
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let mut command = Command::new(emulator);
    command.arg(program);
    done(command)
}
