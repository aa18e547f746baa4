//! A QEMU process: started, watched, and ended whatever happens to us.

use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// QEMU takes the shell's place, and a process beside it waits for the end of a pipe that only we hold open: when we are gone, so are
/// QEMU and its files, even if nobody could see to it. (`$$` is the shell, and then QEMU; `$0` is the directory.)
const SUPERVISED: &str = r#"exec 3<&0; (cat <&3; kill -9 $$; rm -rf "$0") >/dev/null 2>&1 & exec 3<&- </dev/null "$@""#;

/// A running QEMU.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pipe: Option<ChildStdin>,
    errors: PathBuf,
}

impl Process {
    /// Starts a program whose files are in a directory of its own. What it says on its standard error is one of them.
    pub fn start(program: &Path, arguments: &[String], directory: &Path) -> std::io::Result<Process> {
        let errors = directory.join("qemu.log");
        let log = std::fs::File::create(&errors)?;
        // What it complains of may be that the disk is full; room for saying so is taken now.
        log.write_all_at(&[b'\n'; 4096], 0)?;
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISED])
            .arg(directory)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let pipe = child.stdin.take();
        Ok(Process { child, pipe, errors })
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it complained of, cut to a reasonable length.
    pub fn complaint(&self) -> String {
        let mut text = Vec::new();
        if let Ok(file) = std::fs::File::open(&self.errors) {
            let _ = file.take(4096).read_to_end(&mut text);
        }
        // A note of a package that has nothing to do with the machine.
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| !line.contains("modules from the same build"));
        lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.pipe.take());
    }
}
