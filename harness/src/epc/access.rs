//! Memory written and read by the controller, under the machine's own permissions.

use super::session::Session;
use crate::executor::{AccessError, Executor};
use crate::orc::AddressRange;

/// Bytes that are read at a time: a wild length ends at the first page that is not there, not in an allocation of that size.
const PIECE: u64 = 1 << 16;

/// The longest string. A longer one is no string.
const STRING: u64 = 1 << 20;

/// Bytes that one call may read. Eight bytes of a message can ask for a whole string, and a message can ask for many.
const MOST_READ: u64 = 16 << 20;

/// Bytes of memory that have one protection at least.
const PAGE: u64 = 0x1000;

impl<E: Executor> Session<'_, E> {
    /// Writes numbers in the order of bytes that the machine's data has.
    pub(super) fn write_numbers<T: Copy + Into<u64>>(&mut self, pairs: &[(u64, T)]) -> Result<(), String> {
        pairs.iter().try_for_each(|&(address, value)| self.write_number(address, value.into(), size_of::<T>()))
    }

    /// Writes numbers that are as wide as a pointer.
    pub(super) fn write_pointers(&mut self, pairs: &[(u64, u64)]) -> Result<(), String> {
        let width = self.executor.info().target.pointer_bytes();
        pairs.iter().try_for_each(|&(address, value)| self.write_number(address, value, width))
    }

    fn write_number(&mut self, address: u64, value: u64, width: usize) -> Result<(), String> {
        let bytes = self.executor.info().target.bytes(value, width);
        self.executor.write(address, &bytes).map_err(|error| error.to_string())
    }

    /// Writes bytes.
    pub(super) fn write_buffers(&mut self, pairs: &[(u64, &[u8])]) -> Result<(), String> {
        pairs.iter().try_for_each(|(address, bytes)| self.executor.write(*address, bytes)).map_err(|e| e.to_string())
    }

    /// Reads numbers.
    pub(super) fn read_numbers<T: TryFrom<u64>>(&mut self, addresses: &[u64]) -> Result<Vec<T>, String> {
        let number = |&address| T::try_from(self.read_number(address, size_of::<T>())?).ok().ok_or_else(String::new);
        addresses.iter().map(number).collect()
    }

    /// Reads numbers that are as wide as a pointer.
    pub(super) fn read_pointers(&mut self, addresses: &[u64]) -> Result<Vec<u64>, String> {
        let width = self.executor.info().target.pointer_bytes();
        addresses.iter().map(|&address| self.read_number(address, width)).collect()
    }

    pub(super) fn read_number(&mut self, address: u64, width: usize) -> Result<u64, String> {
        let bytes = self.read_bytes(address, width as u64).map_err(|error| error.to_string())?;
        Ok(self.executor.info().target.number(&bytes))
    }

    /// Reads bytes, no more together than a call may.
    pub(super) fn read_buffers(&mut self, ranges: &[AddressRange]) -> Result<Vec<Vec<u8>>, String> {
        let mut left = MOST_READ;
        let read = |range: &AddressRange| {
            let Some(length) = range.end.checked_sub(range.start) else {
                return Err(format!("cannot read {:#x} to {:#x}, which ends before it begins", range.start, range.end));
            };
            if length > left {
                return Err(format!(
                    "these are more than {MOST_READ:#x} bytes together, and no more are read in one call"
                ));
            }
            left -= length;
            self.read_bytes(range.start, length).map_err(|error| error.to_string())
        };
        ranges.iter().map(read).collect()
    }

    /// Reads strings, without the NUL at their end, no more together than a call may.
    pub(super) fn read_strings(&mut self, addresses: &[u64]) -> Result<Vec<Vec<u8>>, String> {
        let mut left = MOST_READ;
        let read = |&address: &u64| {
            let string = self.read_string(address)?;
            left = left.checked_sub(string.len() as u64).ok_or_else(|| {
                format!("the strings have more than {MOST_READ:#x} bytes together, the most that one call reads")
            })?;
            Ok(string)
        };
        addresses.iter().map(read).collect()
    }

    pub(super) fn read_string(&mut self, address: u64) -> Result<Vec<u8>, String> {
        let mut string = Vec::new();
        while (string.len() as u64) < STRING {
            let at = address.wrapping_add(string.len() as u64);
            // What is behind the end of a string need not be there: no piece goes beyond a page.
            let piece = self.read_bytes(at, PAGE - at % PAGE).map_err(|error| error.to_string())?;
            match piece.iter().position(|&byte| byte == 0) {
                Some(end) => {
                    string.extend_from_slice(&piece[..end]);
                    return Ok(string);
                }
                None => string.extend_from_slice(&piece),
            }
        }
        Err(format!("the string at {address:#x} has no end within {STRING:#x} bytes"))
    }

    pub(super) fn read_bytes(&mut self, address: u64, length: u64) -> Result<Vec<u8>, AccessError> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            let at = bytes.len();
            bytes.resize(at + (length - at as u64).min(PIECE) as usize, 0);
            self.executor.read(address.wrapping_add(at as u64), &mut bytes[at..])?;
        }
        Ok(bytes)
    }
}
