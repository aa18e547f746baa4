//! Who links the programs, and where they run.

use std::fmt;

use linker::Layout;

use crate::oracle::Peer;

/// Who linked a program, and where it ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Our linker.
    Ours {
        /// Whether instructions were rewritten.
        relaxed: bool,
        /// Where sections went.
        layout: Layout,
    },
    /// Another one, run on the emulator.
    Peer(Peer),
    /// Another one, run as a process by qemu-user.
    Process(Peer),
}

impl Subject {
    /// Whether it is our linker.
    pub fn is_ours(&self) -> bool {
        matches!(self, Subject::Ours { .. })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Ours { relaxed, layout } => {
                write!(f, "linkrig {layout} {}", if *relaxed { "relaxed" } else { "unrelaxed" })
            }
            Subject::Peer(peer) => f.write_str(peer.name()),
            Subject::Process(peer) => write!(f, "{} as a process", peer.name()),
        }
    }
}
