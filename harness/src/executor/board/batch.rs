//! Operations that go to the agent together, and its reply (qemu/agent/core.c).

use std::ops::RangeInclusive;

use super::registers::{self, Registers};
use crate::executor::rig::engine::Access;
use crate::orc::wire::HEADER;

#[derive(Clone, Copy)]
enum Operation {
    Reset = 1,
    Map,
    Protect,
    Unmap,
    Write,
    Read,
    Run,
    Gates,
}

/// How code is run: flags of [`Batch::run`].
pub(super) mod flags {
    /// Data is big-endian (64-bit code; the status register of 32-bit code says it itself).
    pub(crate) const BIG_ENDIAN: u32 = 1;
    /// One instruction.
    pub(crate) const STEP: u32 = 2;
    /// 32-bit code.
    pub(crate) const NARROW: u32 = 4;
}

/// Operations in the order in which they are done.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    resets: bool,
    /// What is mapped since a program ran, and where that stands in the bytes.
    mapped: Vec<(RangeInclusive<u64>, usize)>,
}

impl Batch {
    fn operation(&mut self, operation: Operation, flags: u32) {
        self.bytes.extend((operation as u32).to_le_bytes());
        self.bytes.extend(flags.to_le_bytes());
    }

    fn words(&mut self, words: [u64; 2]) {
        words.iter().for_each(|word| self.bytes.extend(word.to_le_bytes()));
    }

    fn pages(&mut self, operation: Operation, pages: &RangeInclusive<u64>, flags: u32) {
        self.operation(operation, flags);
        // All of a 64-bit address space would be 0; nobody can have that.
        self.words([*pages.start(), (pages.end() - pages.start()).wrapping_add(1)]);
    }

    /// Makes the address space empty. What was to be done before that need not be done.
    pub(super) fn reset(&mut self) {
        self.clear();
        self.resets = true;
        self.operation(Operation::Reset, 0);
    }

    /// Says where programs leave: fetching from there stops them, as nothing is mapped.
    pub(super) fn gates(&mut self, addresses: &RangeInclusive<u64>) {
        self.pages(Operation::Gates, addresses, 0);
    }

    pub(super) fn map(&mut self, pages: &RangeInclusive<u64>, access: Access) {
        self.mapped.push((pages.clone(), self.bytes.len()));
        self.pages(Operation::Map, pages, letters(access));
    }

    /// Only a program minds protections. What no program has seen yet is mapped as it is to be, which spares a board a change of
    /// its page tables.
    pub(super) fn protect(&mut self, pages: &RangeInclusive<u64>, access: Access) {
        match self.mapped.iter().find(|(mapped, _)| mapped == pages) {
            Some(&(_, at)) => self.bytes[at + 4..at + 8].copy_from_slice(&letters(access).to_le_bytes()),
            None => {
                // What is protected in part is left as it was mapped.
                self.mapped.clear();
                self.pages(Operation::Protect, pages, letters(access));
            }
        }
    }

    pub(super) fn unmap(&mut self, pages: &RangeInclusive<u64>) {
        self.mapped.retain(|(mapped, _)| mapped != pages);
        self.pages(Operation::Unmap, pages, 0);
    }

    pub(super) fn write(&mut self, address: u64, bytes: &[u8]) {
        self.operation(Operation::Write, 0);
        self.words([address, bytes.len() as u64]);
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    pub(super) fn read(&mut self, address: u64, size: usize) {
        self.operation(Operation::Read, 0);
        self.words([address, size as u64]);
    }

    pub(super) fn run(&mut self, registers: &Registers, flags: u32) {
        self.mapped.clear();
        self.operation(Operation::Run, flags);
        registers.write(&mut self.bytes);
    }

    /// Whether it begins with a reset.
    pub(super) fn resets(&self) -> bool {
        self.resets
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing is left to do.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.mapped.clear();
        self.resets = false;
    }
}

fn letters(access: Access) -> u32 {
    u32::from(access.read) | u32::from(access.write) << 1 | u32::from(access.execute) << 2
}

/// What a batch gave.
#[derive(Debug)]
pub(super) struct Reply {
    message: Vec<u8>,
    at: usize,
}

/// Why the guest did not run any more, by the agent's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    pub(super) kind: u32,
    pub(super) detail: u32,
    pub(super) address: u64,
}

impl Reply {
    /// Takes a message of which the header was looked at. Says what failed, if something did.
    pub(super) fn read(message: Vec<u8>) -> Result<Reply, String> {
        let mut reply = Reply { message, at: HEADER };
        let (failure, number) = (reply.word()?, reply.word()?);
        let address = reply.long()?;
        let what = match failure {
            0 => return Ok(reply),
            1 => "it has no memory left for",
            2 => "nothing is mapped at",
            3 => "it cannot map",
            4 => "it did not understand a message about",
            _ => "it failed at",
        };
        Err(format!("{what} {address:#x} (operation {number})"))
    }

    fn take(&mut self, size: usize) -> Result<&[u8], String> {
        let bytes = self.message.get(self.at..self.at + size).ok_or("its answer is too short")?;
        self.at += size;
        Ok(bytes)
    }

    fn word(&mut self) -> Result<u32, String> {
        Ok(self.take(4)?.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn long(&mut self) -> Result<u64, String> {
        Ok(u64::from(self.word()?) | u64::from(self.word()?) << 32)
    }

    /// What a read gave.
    pub(super) fn bytes(&mut self, into: &mut [u8]) -> Result<(), String> {
        let size = into.len();
        into.copy_from_slice(&self.take(size.next_multiple_of(8))?[..size]);
        Ok(())
    }

    /// What a run gave.
    pub(super) fn stopped(&mut self, registers: &mut Registers) -> Result<Stopped, String> {
        let stopped = Stopped { kind: self.word()?, detail: self.word()?, address: self.long()? };
        registers.read(self.take(registers::SIZE)?);
        Ok(stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: RangeInclusive<u64> = 0x1000..=0x1fff;
    const READ: Access = Access { read: true, write: false, execute: false };
    const WRITE: Access = Access { read: true, write: true, execute: false };
    const CODE: Access = Access { read: true, write: false, execute: true };

    /// Numbers and flags of the operations, of which none but runs have more than two words.
    fn operations(batch: &Batch) -> Vec<(u8, u8)> {
        let (mut found, mut rest) = (Vec::new(), batch.bytes());
        while let [number, _, _, _, flags, ..] = *rest {
            found.push((number, flags));
            rest = &rest[8 + if number == Operation::Run as u8 { registers::SIZE } else { 16 }..];
        }
        found
    }

    fn run(batch: &mut Batch) {
        batch.run(&Registers::new(linker::Target::named("aarch64").expect("a target")), 0);
    }

    #[test]
    fn what_no_program_has_seen_is_mapped_as_it_will_be() {
        let mut batch = Batch::default();
        batch.map(&PAGE, WRITE);
        batch.protect(&PAGE, READ);
        assert_eq!(operations(&batch), [(2, 1)]);
        run(&mut batch);
        batch.protect(&PAGE, CODE);
        assert_eq!(operations(&batch), [(2, 1), (7, 0), (3, 5)]);
        batch.clear();
        batch.protect(&PAGE, READ);
        assert_eq!(operations(&batch), [(3, 1)], "the board has it already");
    }

    #[test]
    fn protections_of_a_part_and_of_what_was_unmapped_stay_in_order() {
        let mut batch = Batch::default();
        batch.map(&PAGE, WRITE);
        batch.protect(&(0x1000..=0x17ff), CODE);
        batch.protect(&PAGE, READ);
        assert_eq!(operations(&batch), [(2, 3), (3, 5), (3, 1)]);
        batch.clear();
        batch.map(&PAGE, WRITE);
        batch.unmap(&PAGE);
        batch.protect(&PAGE, READ);
        assert_eq!(operations(&batch), [(2, 3), (4, 0), (3, 1)]);
    }
}
