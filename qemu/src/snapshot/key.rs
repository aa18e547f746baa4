//! What a snapshot is of: everything that boots and runs, in one hash.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::file::FORMAT;
use crate::board::Board;
use crate::system::Linux;

/// The hash, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) String);

impl Key {
    /// The key of this board with this Linux, on the QEMU that is installed.
    pub(super) fn of(program: &Path, board: &Board, linux: &Linux) -> io::Result<Key> {
        // It tells its version while we are busy with the kernel.
        let version = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut hash = hash(board, linux);
        part(&mut hash, &version.wait_with_output()?.stdout);
        Ok(Key(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// All but QEMU. The image need not be read for it: what of it boots is here, and the rest of it has not been looked at.
fn hash(board: &Board, linux: &Linux) -> Sha256 {
    // A machine with a card is never kept.
    let Linux { kernel, dtb, initramfs, append, origin: _, card: _ } = linux;
    let mut hash = Sha256::new();
    part(&mut hash, FORMAT);
    part(&mut hash, format!("{board:?}").as_bytes());
    part(&mut hash, kernel);
    part(&mut hash, dtb.as_deref().unwrap_or_default());
    part(&mut hash, initramfs);
    part(&mut hash, append.as_bytes());
    hash
}

/// With its size, so that nothing can move from one part to the next.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linux() -> Linux {
        Linux {
            kernel: b"kernel".to_vec(),
            dtb: Some(b"tree".to_vec()),
            initramfs: b"agent".to_vec(),
            append: "quiet".to_owned(),
            origin: "here".to_owned(),
            card: None,
        }
    }

    fn digest(board: &Board, linux: &Linux) -> Vec<u8> {
        hash(board, linux).finalize().to_vec()
    }

    #[test]
    fn everything_that_boots_is_in_the_key() {
        let board = Board::find("raspi3b").expect("it comes along");
        let other = Board { memory: 512, ..board.clone() };
        let plain = digest(&board, &linux());
        assert_eq!(plain, digest(&board, &linux()));
        assert_eq!(plain, digest(&board, &Linux { origin: "there".to_owned(), ..linux() }));
        let changed = [
            Linux { kernel: b"kernel2".to_vec(), ..linux() },
            Linux { dtb: None, ..linux() },
            Linux { initramfs: b"agenT".to_vec(), ..linux() },
            Linux { append: "loud".to_owned(), ..linux() },
            // The same bytes on the other side of a border.
            Linux { kernel: b"kernelt".to_vec(), dtb: Some(b"ree".to_vec()), ..linux() },
        ];
        for linux in changed {
            assert_ne!(plain, digest(&board, &linux), "{linux:?}");
        }
        assert_ne!(plain, digest(&other, &linux()));
    }

    #[test]
    fn the_version_of_qemu_is_in_the_key() {
        let directory = tempfile::tempdir().expect("a directory");
        let board = Board::find("raspi3b").expect("it comes along");
        let of = |version: &str| {
            let program = directory.path().join(version);
            // Not a script: one that was just written may still be open in a process that another test starts.
            std::os::unix::fs::symlink("/bin/echo", &program).expect("linked");
            Key::of(&program, &board, &linux()).expect("a key")
        };
        // `echo --version` of GNU tells about echo, others print the word: either way the same twice.
        assert_eq!(of("one"), of("two"));
        let program = directory.path().join("true");
        std::os::unix::fs::symlink("/bin/pwd", &program).expect("linked");
        assert_ne!(of("three"), Key::of(&program, &board, &linux()).expect("a key"));
        assert!(Key::of(&directory.path().join("none"), &board, &linux()).is_err());
    }
}
