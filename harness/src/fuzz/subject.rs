//! The linkers that link the programs, and the machines that run them.

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
        /// Whether what the entry does not reach was left out.
        collected: bool,
    },
    /// Our linker's executable, run as a process by qemu-user.
    Image,
    /// Another one, run on the emulator.
    Peer(Peer),
    /// Another one, run as a process by qemu-user.
    Process(Peer),
}

impl Subject {
    /// Whether it is our linker.
    pub fn is_ours(&self) -> bool {
        matches!(self, Subject::Ours { .. } | Subject::Image)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Ours { relaxed, layout, collected } => {
                let collected = if *collected { " without the rest" } else { "" };
                write!(f, "linkrig {layout} {}{collected}", if *relaxed { "relaxed" } else { "unrelaxed" })
            }
            Subject::Image => f.write_str("linkrig as a process"),
            Subject::Peer(peer) => f.write_str(peer.name()),
            Subject::Process(peer) => write!(f, "{} as a process", peer.name()),
        }
    }
}
