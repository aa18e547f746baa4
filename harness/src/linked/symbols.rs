//! The symbols of a program, by name and by address. Either index is made when it is first asked for: a program that does
//! what it has to is asked for few names and no addresses.

use std::cell::OnceCell;
use std::collections::HashMap;

use linker::graph::Flags;

/// A name for a place in a program.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'data> {
    /// Its name.
    pub name: &'data [u8],
    /// Where it is, without the Thumb bit. Of a thread-local variable, where its initial value is.
    pub address: u64,
    /// Bytes of what is there, 0 when nobody said.
    pub size: u64,
    /// Thumb, function, ...
    pub flags: Flags,
    /// Whether other objects see it.
    pub global: bool,
    /// Whether it is a place in the program, and not a bare number.
    pub placed: bool,
}

impl Symbol<'_> {
    /// Its address as a value: with the Thumb bit where it has one.
    pub fn value(&self) -> u64 {
        self.address | u64::from(self.flags.has(Flags::THUMB))
    }
}

/// All of a program.
#[derive(Debug, Default)]
pub(super) struct Symbols<'data> {
    all: Vec<Symbol<'data>>,
    by_name: OnceCell<HashMap<&'data [u8], usize>>,
    by_address: OnceCell<Vec<usize>>,
}

impl<'data> Symbols<'data> {
    pub(super) fn new(all: Vec<Symbol<'data>>) -> Symbols<'data> {
        Symbols { all, ..Symbols::default() }
    }

    pub(super) fn all(&self) -> &[Symbol<'data>] {
        &self.all
    }

    /// The global symbol of a name, or the first local one.
    pub(super) fn named(&self, name: &[u8]) -> Option<&Symbol<'data>> {
        let index = self.by_name.get_or_init(|| {
            let mut index = HashMap::with_capacity(self.all.len());
            let (global, local): (Vec<usize>, Vec<usize>) = (0..self.all.len()).partition(|&n| self.all[n].global);
            for number in global.into_iter().chain(local) {
                index.entry(self.all[number].name).or_insert(number);
            }
            index
        });
        index.get(name).map(|&number| &self.all[number])
    }

    /// The last named place at an address or before it.
    pub(super) fn up_to(&self, address: u64) -> Option<&Symbol<'data>> {
        let index = self.by_address.get_or_init(|| {
            let named = |&number: &usize| self.all[number].placed && !self.all[number].name.is_empty();
            let mut index: Vec<usize> = (0..self.all.len()).filter(named).collect();
            index.sort_by_key(|&number| self.all[number].address);
            index
        });
        let behind = index.partition_point(|&number| self.all[number].address <= address);
        index[..behind].last().map(|&number| &self.all[number])
    }
}
