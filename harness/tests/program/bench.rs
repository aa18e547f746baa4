//! A directory in which compilers, linkers and emulators are started by name.

use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A directory that has us under the name of the linker, and sources.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(sources: &[(&str, &str)]) -> Bench {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::os::unix::fs::symlink(HARNESS, directory.path().join("ld")).expect("a link");
        for (name, text) in sources {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        Bench { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a program in the directory. None, and said so, when it is not installed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let Ok(path) = which::which(program) else {
            println!("skipped: {program} is not installed");
            return None;
        };
        let output = Command::new(path).args(arguments).current_dir(self.directory.path()).output();
        Some(output.expect("it starts"))
    }

    /// Runs it and has to succeed.
    pub(crate) fn done(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.run(program, arguments)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Starts `main`, and ends with what it returns.
pub(crate) const START_A64: &str =
    ".globl _start\n_start: bl main\nmov x8, #93\nsvc #0\n.section .note.GNU-stack,\"\",%progbits\n";
pub(crate) const START_ARM: &str = ".syntax unified\n.globl _start\n_start: bl main\nmov r7, #1\nsvc #0\nlabel: .word 1\n.section .note.GNU-stack,\"\",%progbits\n";
