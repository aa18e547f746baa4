//! How a session with a controller ends that does not end well.

use super::wire::{Opcode, WireError};

/// Why a session came to a bad end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A message could not be read or written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message that a controller has no reason to send.
    #[error("the controller sent a message of kind {0:?}, expected CallWrapper or Hangup")]
    Unexpected(Opcode),
    /// The controller went, and said why.
    #[error("the controller hung up: {0}")]
    HungUp(String),
}

impl ServeError {
    /// Whether the other end is there to be told, and does not know yet.
    pub(crate) fn is_news(&self) -> bool {
        match self {
            ServeError::Unexpected(_) => true,
            ServeError::Wire(error) => !matches!(error, WireError::Io(_) | WireError::Truncated { .. }),
            ServeError::HungUp(_) => false,
        }
    }
}

impl From<std::io::Error> for ServeError {
    fn from(error: std::io::Error) -> ServeError {
        ServeError::Wire(error.into())
    }
}
