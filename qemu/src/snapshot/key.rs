//! The key of a snapshot: everything that boots and runs, in one hash.

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
        let hash = hash(board, linux);
        Ok(finish(hash, &version.wait_with_output()?.stdout))
    }
}

fn finish(mut hash: Sha256, version: &[u8]) -> Key {
    part(&mut hash, version);
    Key(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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

    fn digest(board: &Board, linux: &Linux) -> String {
        finish(hash(board, linux), b"QEMU 7.2").0
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
        assert_ne!(plain, finish(hash(&board, &linux()), b"QEMU 10.0").0);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let board = Board::find("raspi3b").expect("it comes along");
        assert!(Key::of(Path::new("/nowhere/qemu"), &board, &linux()).is_err());
    }
}
