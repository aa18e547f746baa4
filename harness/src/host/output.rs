//! What guests print.

use crate::machine::{AccessError, Limit};

/// Where a guest prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `stdout`, descriptor 1.
    Out,
    /// `stderr`, descriptor 2.
    Error,
}

/// The values of `stdout` and `stderr`.
pub(super) const STDOUT: u64 = 2;
/// See [`STDOUT`].
pub(super) const STDERR: u64 = 3;

/// Takes printed text as it comes. An error ends the run.
pub type Sink = Box<dyn FnMut(Stream, &[u8]) -> std::io::Result<()>>;

/// What was printed since the last reset, and how much more may be.
#[derive(Default)]
pub(super) struct Output {
    pub(super) kept: Vec<u8>,
    pub(super) left: u64,
    pub(super) sink: Option<Sink>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("kept", &self.kept.len()).field("left", &self.left).finish_non_exhaustive()
    }
}

impl Output {
    /// Prints. What is over the limit is not printed, and ends the run.
    pub(super) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), AccessError> {
        let fits = self.left.min(bytes.len() as u64) as usize;
        self.left -= fits as u64;
        match &mut self.sink {
            None => self.kept.extend_from_slice(&bytes[..fits]),
            Some(sink) => sink(stream, &bytes[..fits])
                .map_err(|error| AccessError::Refused(format!("what it prints cannot be written: {error}")))?,
        }
        if fits < bytes.len() { Err(AccessError::Exhausted(Limit::Output)) } else { Ok(()) }
    }
}
