//! One controller and the machine that it has: what was reserved for it, and the functions that it may call.
//!
//! The addresses of functions are made up. A controller does nothing with them but send them back, and bit 63 keeps them apart
//! from those of any machine: it has no place in an address of 32 bits, and alone makes none of 64.

use std::collections::BTreeMap;
use std::ops::Range;

use super::place::{Placer, Terms};
use crate::executor::Executor;
use crate::linking::Input;

/// A wrapper function of ours: serialized arguments in, serialized result out.
pub(super) type Function<E> = fn(&mut Session<'_, E>, &[u8]) -> Result<Vec<u8>, String>;

/// The handle of the one library there is.
pub(crate) const PROCESS: u64 = 1 << 63;

/// Bytes between two addresses.
const STRIDE: u64 = 16;

/// The address of the function or object in this row.
pub(crate) fn address(row: u64) -> u64 {
    PROCESS + STRIDE * (row + 1)
}

/// The row that has this address.
pub(crate) fn row(address: u64) -> Option<usize> {
    let offset = address.checked_sub(PROCESS + STRIDE)?;
    (offset % STRIDE == 0).then(|| usize::try_from(offset / STRIDE).ok()).flatten()
}

/// Reserved addresses.
pub(super) struct Reservation<H> {
    /// Behind the last.
    pub(super) end: u64,
    /// What is in use, in the order it came into use.
    pub(super) allocations: Vec<Allocation<H>>,
}

/// Memory in use.
pub(super) struct Allocation<H> {
    /// The lowest address of a segment, which is its name.
    pub(super) key: u64,
    /// Whole pages.
    pub(super) pages: Range<u64>,
    pub(super) memory: Vec<H>,
    /// Where code is in it.
    pub(super) code: Vec<Range<u64>>,
    /// What to call when it is given back, in reverse order.
    pub(super) undo: Vec<(u64, Vec<u8>)>,
}

/// An object that the controller told debuggers of.
pub(super) struct Registered {
    /// Where it is in the machine.
    pub(super) start: u64,
    pub(super) input: Input,
}

/// What there is between one controller and the machine.
pub(super) struct Session<'e, E: Executor> {
    pub(super) executor: &'e mut E,
    /// Told what the controller cannot be.
    pub(super) report: &'e mut dyn FnMut(&str),
    /// Our functions and objects, in the order of their addresses.
    pub(super) functions: Vec<(&'static str, Option<Function<E>>)>,
    /// Where what it reserves is.
    pub(super) placer: Placer,
    /// What the controller has reserved, by base.
    pub(super) reservations: BTreeMap<u64, Reservation<E::Finalized>>,
    /// Objects that the controller told debuggers of.
    pub(super) registered: Vec<Registered>,
    /// Whether anything was ever reserved.
    pub(super) reserved: bool,
    /// Whether an action is being called.
    pub(super) acting: bool,
    /// Whether a program has run.
    pub(super) ran: bool,
}

impl<'e, E: Executor> Session<'e, E> {
    /// Nothing is reserved yet.
    pub(super) fn new(
        executor: &'e mut E,
        terms: Terms,
        functions: Vec<(&'static str, Option<Function<E>>)>,
        report: &'e mut dyn FnMut(&str),
    ) -> Session<'e, E> {
        let page = terms.page_size.unwrap_or(0).max(executor.page_size());
        let host = executor.host().functions();
        let placer = Placer::new(terms.place, page, *host.start()..host.end().saturating_add(1));
        Session {
            executor,
            report,
            functions,
            placer,
            reservations: BTreeMap::new(),
            registered: Vec::new(),
            reserved: false,
            acting: false,
            ran: false,
        }
    }

    /// Calls a wrapper function: one of ours, or one in the machine.
    pub(super) fn invoke(&mut self, function: u64, arguments: &[u8]) -> Result<Vec<u8>, String> {
        match row(function).and_then(|row| self.functions.get(row).copied()) {
            Some((name, Some(function))) => function(self, arguments).map_err(|why| format!("{name}: {why}")),
            Some((name, None)) => Err(format!("{name} was called, which is no function")),
            None => self.call_wrapper(function, arguments),
        }
    }

    /// Opens a library. There is one, which has the host's functions.
    pub(super) fn open(&self, path: &[u8], mode: u64) -> Result<u64, String> {
        match (path, mode) {
            ([], 0) => Ok(PROCESS),
            ([], mode) => Err(format!("open: mode is {mode:#x}, expected 0")),
            (path, _) => Err(format!("open: {}: this machine has no files", String::from_utf8_lossy(path))),
        }
    }

    /// Addresses of names; 0 for those that are not there.
    pub(super) fn look_up(&self, handle: u64, names: &[(&[u8], bool)]) -> Result<Vec<u64>, String> {
        if handle != PROCESS {
            return Err(format!("lookup: {handle:#x} is not the handle of a library"));
        }
        let find = |name: &[u8]| {
            let name = str::from_utf8(name).ok()?;
            self.executor.host().lookup(name).or_else(|| self.exported(name))
        };
        Ok(names.iter().map(|(name, _)| find(name).unwrap_or(0)).collect())
    }

    /// Functions of ours that a real executor exports to its dynamic linker.
    fn exported(&self, name: &str) -> Option<u64> {
        let row = self.functions.iter().position(|(known, _)| *known == name && known.starts_with("llvm_orc_"))?;
        Some(address(row as u64))
    }
}
