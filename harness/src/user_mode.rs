//! qemu-user, where it is installed: another engine for Linux programs, with the system calls of the host. It shares nothing with
//! the embedded emulator's processes but the image, and it keeps its programs from nothing of the host.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use linker::Target;
use outside::Limits;

use crate::executor::Budget;
use crate::machine::Processor;

/// What `--executor` calls it.
pub const NAME: &str = "qemu-user";

/// Bytes of address space that it may have. It reserves all that a 32-bit program can address, and the program gets 1 GiB of the rest.
const MEMORY: u64 = 5 << 30;

/// Its program for a target.
///
/// # Errors
/// Says which package has it, or that there is none.
pub fn find(target: &Target) -> Result<PathBuf, String> {
    let Some(name) = Processor::of(target).and_then(|processor| processor.user_mode) else {
        return Err(format!("{NAME}: no programs of {} are run by it here", target.name));
    };
    let names = [name.to_owned(), format!("{name}-static")];
    let found = names.iter().find_map(|name| which::which(name).ok());
    found.ok_or_else(|| format!("no {name}: install {NAME}"))
}

/// What is run.
pub struct Start<'a> {
    /// The image.
    pub image: &'a Path,
    /// Its first argument.
    pub name: &'a str,
    /// Its arguments behind that.
    pub arguments: &'a [String],
    /// Its environment, each `NAME=VALUE`.
    pub environment: &'a [String],
    /// Bytes of its stack.
    pub stack: u64,
    /// Decides what it gets for random numbers when it starts.
    pub seed: u64,
    /// Where its run-time linker and its libraries are.
    pub sysroot: Option<&'a Path>,
}

impl Start<'_> {
    /// The command that runs it by this program.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["-s", &self.stack.to_string(), "-seed", &self.seed.to_string(), "-0", self.name]);
        if let Some(sysroot) = self.sysroot {
            command.arg("-L").arg(sysroot);
        }
        command.env_clear();
        for (name, value) in self.environment.iter().filter_map(|word| word.split_once('=')) {
            // qemu-user hands its own environment on. What would be for itself, or for the host's run-time linker, it is told; commas
            // part such words, so it is told no others.
            if name.starts_with("LD_") || name.starts_with("QEMU_") {
                command.arg("-E").arg(format!("{name}={value}"));
            } else {
                command.env(name, value);
            }
        }
        command.arg(self.image).args(self.arguments);
        command
    }
}

/// Writes an image as a file that may be run: qemu-user starts no other.
///
/// # Errors
/// The system's.
pub fn write(image: &[u8], path: &Path) -> std::io::Result<()> {
    File::options().write(true).create_new(true).mode(0o755).open(path)?.write_all(image)
}

/// The bounds of a run. Instructions are not counted.
pub fn limits(budget: &Budget) -> Limits {
    Limits { time: budget.time, text: budget.output, file: budget.output, memory: Some(MEMORY) }
}

/// The signal that ended a program, which ends qemu-user, too.
pub fn signal(status: ExitStatus) -> Option<u32> {
    std::os::unix::process::ExitStatusExt::signal(&status).and_then(|signal| u32::try_from(signal).ok())
}
