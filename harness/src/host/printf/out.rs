//! Where the text of a format goes, in pieces: to a stream, or into the guest's memory.

use super::arguments::Settled;
use super::parse::MOST;
use super::text::Text;
use super::{Early, OVERFLOW};
use crate::host::frame::Frame;
use crate::host::output::Stream;
use crate::machine::AccessError;

/// Where the text goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::host) enum Sink {
    /// It is printed.
    Stream(Stream),
    /// Into the guest's memory, with a NUL behind it; of what goes beyond so many bytes only the length matters.
    Memory { address: u64, room: u64 },
}

/// The text so far: where it goes, and how long it is.
pub(super) struct Out {
    sink: Sink,
    pub(super) length: u64,
}

impl Out {
    pub(super) fn new(sink: Sink) -> Out {
        Out { sink, length: 0 }
    }

    /// Counts what is about to go out; more than C can count is an error.
    fn grow(&mut self, bytes: u64) -> Result<(), Early> {
        if bytes > MOST - self.length {
            return Err(OVERFLOW);
        }
        self.length += bytes;
        Ok(())
    }

    /// How much of the next bytes goes into memory, and where.
    fn place(&self, bytes: u64) -> Option<(u64, u64)> {
        match self.sink {
            Sink::Stream(_) => None,
            Sink::Memory { address, room } => {
                let fits = room.saturating_sub(1).saturating_sub(self.length).min(bytes);
                Some((address.wrapping_add(self.length), fits))
            }
        }
    }

    pub(super) fn bytes(&mut self, f: &mut Frame<'_>, bytes: &[u8]) -> Result<(), Early> {
        let place = self.place(bytes.len() as u64);
        self.grow(bytes.len() as u64)?;
        match (self.sink, place) {
            (Sink::Stream(stream), _) => f.print(stream, bytes)?,
            (_, Some((address, fits))) => f.store(address, &bytes[..fits as usize])?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn repeat(&mut self, f: &mut Frame<'_>, byte: u8, count: u64) -> Result<(), Early> {
        let place = self.place(count);
        self.grow(count)?;
        match (self.sink, place) {
            (Sink::Stream(stream), _) => f.print_repeated(stream, byte, count)?,
            (_, Some((address, fits))) => f.fill(address, byte, fits)?,
            _ => {}
        }
        Ok(())
    }

    /// Text from the guest's memory.
    pub(super) fn copy(&mut self, f: &mut Frame<'_>, from: u64, length: u64) -> Result<(), Early> {
        let place = self.place(length);
        self.grow(length)?;
        match (self.sink, place) {
            (Sink::Stream(stream), _) => f.print_from(stream, from, length)?,
            (_, Some((address, fits))) => f.copy(address, from, fits)?,
            _ => {}
        }
        Ok(())
    }

    /// A text in its field. `zeros` says whether zeros may fill it.
    pub(super) fn field(
        &mut self,
        f: &mut Frame<'_>,
        settled: &Settled,
        text: &Text,
        zeros: bool,
    ) -> Result<(), Early> {
        let fill = settled.width.saturating_sub(text.length());
        let zeros = zeros && settled.flags.zero && !settled.flags.left;
        if !settled.flags.left && !zeros {
            self.repeat(f, b' ', fill)?;
        }
        self.bytes(f, &text.prefix)?;
        self.repeat(f, b'0', if zeros { fill } else { 0 })?;
        self.repeat(f, b'0', text.leading)?;
        self.bytes(f, &text.body)?;
        self.repeat(f, b'0', text.trailing)?;
        self.bytes(f, &text.tail)?;
        self.repeat(f, b' ', if settled.flags.left { fill } else { 0 })
    }

    /// Ends a text in memory.
    pub(super) fn finish(&self, f: &mut Frame<'_>) -> Result<(), AccessError> {
        match self.sink {
            Sink::Memory { address, room: room @ 1.. } => {
                f.store(address.wrapping_add(self.length.min(room - 1)), &[0])
            }
            _ => Ok(()),
        }
    }
}
