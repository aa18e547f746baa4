//! Operations that go to the other side together, and its reply: an agent in a board's guest (qemu/agent/core.c), or an emulator
//! in a process of its own.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::registers::{self, Registers};
use crate::executor::Budget;
use crate::executor::hosted::engine::Access;
use crate::executor::traps::{NOTE, Note, Notes, Sight, Traps, Watched, Watchpoint};

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
    // An agent does not know those from here on.
    Allow = 64,
    Watch,
    Watched,
    Translate,
    Split,
    Renew,
    Traps,
    Notes,
}

/// Why the guest stopped: `enum stop_kind` in qemu/agent/agent.h.
pub(crate) mod stopped {
    pub(crate) const READ: u32 = 1;
    pub(crate) const WRITE: u32 = 2;
    pub(crate) const FETCH: u32 = 3;
    pub(crate) const UNDEFINED: u32 = 4;
    pub(crate) const BREAKPOINT: u32 = 5;
    pub(crate) const UNALIGNED: u32 = 6;
    pub(crate) const STATE: u32 = 7;
    pub(crate) const SYSTEM_CALL: u32 = 8;
    pub(crate) const STEPPED: u32 = 9;
    pub(crate) const OUT_OF_BUDGET: u32 = 10;
    pub(crate) const OUT_OF_MEMORY: u32 = 11;
    // Details of a budget that is used up, where they are said.
    pub(crate) const INSTRUCTIONS: u32 = 1;
    pub(crate) const TIME: u32 = 2;
    // An agent does not say those from here on.
    /// Unaligned, and nothing says which address.
    pub(crate) const UNALIGNED_SOMEWHERE: u32 = 64;
    /// Something else, in words: so many bytes as the detail says, behind the registers.
    pub(crate) const OTHER: u32 = 65;
    /// A trap: which one, the detail says.
    pub(crate) const TRAP: u32 = 66;
    // Details of traps.
    pub(crate) const AT_BREAKPOINT: u32 = 1;
    pub(crate) const AT_READ: u32 = 2;
    pub(crate) const AT_WRITE: u32 = 3;
    pub(crate) const NOTES_FULL: u32 = 4;
}

/// What failed, by the agent's number (qemu/agent/core.c).
pub(crate) const NO_MEMORY: u32 = 1;
/// See [`NO_MEMORY`].
pub(crate) const UNMAPPED: u32 = 2;
/// See [`NO_MEMORY`].
pub(crate) const MISUNDERSTOOD: u32 = 4;

/// How code is run: flags of [`Batch::run`].
pub(crate) mod flags {
    /// Data is big-endian (64-bit code; the status register of 32-bit code says it itself).
    pub(crate) const BIG_ENDIAN: u32 = 1;
    /// One instruction.
    pub(crate) const STEP: u32 = 2;
    /// 32-bit code.
    pub(crate) const NARROW: u32 = 4;
}

/// Operations in the order in which they are done.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    resets: bool,
    /// What is mapped since a program ran, and where that stands in the bytes.
    mapped: Vec<(RangeInclusive<u64>, usize)>,
}

impl Batch {
    fn operation(&mut self, operation: Operation, flags: u32) {
        self.bytes.extend_from_slice(&(operation as u32).to_le_bytes());
        self.bytes.extend_from_slice(&flags.to_le_bytes());
    }

    fn words(&mut self, words: [u64; 2]) {
        words.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_le_bytes()));
    }

    fn pages(&mut self, operation: Operation, pages: &RangeInclusive<u64>, flags: u32) {
        self.operation(operation, flags);
        // All of a 64-bit address space would be 0; nobody can have that.
        self.words([*pages.start(), (pages.end() - pages.start()).wrapping_add(1)]);
    }

    /// Makes the address space empty. What was to be done before that need not be done.
    pub(crate) fn reset(&mut self) {
        self.clear();
        self.resets = true;
        self.operation(Operation::Reset, 0);
    }

    /// Says where programs leave: fetching from there stops them, as nothing is mapped.
    pub(crate) fn gates(&mut self, addresses: &RangeInclusive<u64>) {
        self.pages(Operation::Gates, addresses, 0);
    }

    pub(crate) fn map(&mut self, pages: &RangeInclusive<u64>, access: Access) {
        self.mapped.push((pages.clone(), self.bytes.len()));
        self.pages(Operation::Map, pages, letters(access));
    }

    /// Only a program minds protections. What no program has seen yet is mapped as it is to be, which spares a board a change of
    /// its page tables.
    pub(crate) fn protect(&mut self, pages: &RangeInclusive<u64>, access: Access) {
        match self.mapped.iter().find(|(mapped, _)| mapped == pages) {
            Some(&(_, at)) => self.bytes[at + 4..at + 8].copy_from_slice(&letters(access).to_le_bytes()),
            None => {
                // What is protected in part is left as it was mapped.
                self.mapped.clear();
                self.pages(Operation::Protect, pages, letters(access));
            }
        }
    }

    pub(crate) fn unmap(&mut self, pages: &RangeInclusive<u64>) {
        self.mapped.retain(|(mapped, _)| mapped != pages);
        self.pages(Operation::Unmap, pages, 0);
    }

    /// Parts a region in two.
    pub(crate) fn split(&mut self, at: u64) {
        // What was mapped has other bounds from here on.
        self.mapped.clear();
        self.operation(Operation::Split, 0);
        self.words([at, 0]);
    }

    /// Makes the processor as new: of its state it has what the next run says, and nothing else.
    pub(crate) fn renew(&mut self) {
        self.operation(Operation::Renew, 0);
        self.words([0, 0]);
    }

    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        self.operation(Operation::Write, 0);
        self.words([address, bytes.len() as u64]);
        self.padded(bytes);
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(&[0; 8][..bytes.len().next_multiple_of(8) - bytes.len()]);
    }

    pub(crate) fn read(&mut self, address: u64, size: usize) {
        self.operation(Operation::Read, 0);
        self.words([address, size as u64]);
    }

    pub(crate) fn run(&mut self, registers: &Registers, flags: u32) {
        self.mapped.clear();
        self.operation(Operation::Run, flags);
        registers.write(&mut self.bytes);
    }

    /// Says how much the runs from here on may take together.
    pub(crate) fn allow(&mut self, budget: Budget) {
        self.operation(Operation::Allow, 0);
        self.words([budget.instructions, u64::try_from(budget.time.as_nanos()).unwrap_or(u64::MAX)]);
    }

    /// Has noted from here on whether these bytes are executed or read; nothing any more for None.
    pub(crate) fn watch(&mut self, bytes: Option<&RangeInclusive<u64>>) {
        self.operation(Operation::Watch, u32::from(bytes.is_some()));
        self.words(bytes.map_or([0, 0], |bytes| [*bytes.start(), *bytes.end()]));
    }

    /// Asks whether what is watched was executed or read.
    pub(crate) fn watched(&mut self) {
        self.operation(Operation::Watched, 0);
        self.words([0, 0]);
    }

    /// Says what the runs from here on stop for, and what they note.
    pub(crate) fn traps(&mut self, traps: &Traps) {
        self.operation(
            Operation::Traps,
            match traps.notes {
                Notes::Off => 0,
                Notes::Code => 1,
                Notes::Registers => 2,
            },
        );
        let watched = traps.watchpoints.iter().flat_map(|watchpoint| {
            let access = match watchpoint.access {
                Watched::Reads => 1,
                Watched::Writes => 2,
                Watched::Both => 3,
            };
            [*watchpoint.bytes.start(), *watchpoint.bytes.end(), access]
        });
        let words: Vec<u64> = traps.breakpoints.iter().copied().chain(watched).collect();
        self.words([traps.breakpoints.len() as u64, 8 * words.len() as u64]);
        words.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_le_bytes()));
    }

    /// Asks for what was noted since this was asked last.
    pub(crate) fn notes(&mut self) {
        self.operation(Operation::Notes, 0);
        self.words([0, 0]);
    }

    /// Has code translated for this address, instruction by instruction, and not run.
    pub(crate) fn translate(&mut self, address: u64, thumb: bool, code: &[u8]) {
        self.operation(Operation::Translate, u32::from(thumb));
        self.words([address, code.len() as u64]);
        self.padded(code);
    }

    /// Whether it begins with a reset.
    pub(crate) fn resets(&self) -> bool {
        self.resets
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing is left to do.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.mapped.clear();
        self.resets = false;
    }
}

fn letters(access: Access) -> u32 {
    u32::from(access.read) | u32::from(access.write) << 1 | u32::from(access.execute) << 2
}

fn access(letters: u32) -> Access {
    Access { read: letters & 1 != 0, write: letters & 2 != 0, execute: letters & 4 != 0 }
}

/// An operation as the other side reads it.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    Reset,
    Map(RangeInclusive<u64>, Access),
    Protect(RangeInclusive<u64>, Access),
    Unmap(u64),
    Write(u64, &'a [u8]),
    Read(u64, u64),
    /// Registers as they are on the wire.
    Run(u32, &'a [u8]),
    Gates(RangeInclusive<u64>),
    Allow(Budget),
    Watch(Option<RangeInclusive<u64>>),
    Watched,
    Translate(u64, bool, &'a [u8]),
    Split(u64),
    Renew,
    Traps(Traps),
    Notes,
}

/// Takes the next operation from a batch; none at its end.
pub(crate) fn next<'a>(rest: &mut &'a [u8]) -> Option<Request<'a>> {
    fn take<'a>(rest: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
        let (bytes, behind) = rest.split_at_checked(size)?;
        *rest = behind;
        Some(bytes)
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    let head = take(rest, 8)?;
    let (operation, flags) = (number(&head[..4]) as u32, number(&head[4..]) as u32);
    const RUN: u32 = Operation::Run as u32;
    const RESET: u32 = Operation::Reset as u32;
    match operation {
        RESET => return Some(Request::Reset),
        RUN => return Some(Request::Run(flags, take(rest, registers::SIZE)?)),
        _ => {}
    }
    let words = take(rest, 16)?;
    let (first, second) = (number(&words[..8]), number(&words[8..]));
    let pages = first..=first.wrapping_add(second).wrapping_sub(1);
    let bytes = |rest: &mut &'a [u8]| {
        let size = usize::try_from(second).ok()?;
        take(rest, size.checked_next_multiple_of(8)?)?.get(..size)
    };
    Some(match operation {
        _ if operation == Operation::Map as u32 => Request::Map(pages, access(flags)),
        _ if operation == Operation::Protect as u32 => Request::Protect(pages, access(flags)),
        _ if operation == Operation::Unmap as u32 => Request::Unmap(first),
        _ if operation == Operation::Write as u32 => Request::Write(first, bytes(rest)?),
        _ if operation == Operation::Read as u32 => Request::Read(first, second),
        _ if operation == Operation::Gates as u32 => Request::Gates(pages),
        _ if operation == Operation::Allow as u32 => {
            Request::Allow(Budget { time: Duration::from_nanos(second), ..Budget::of_instructions(first) })
        }
        _ if operation == Operation::Watch as u32 => Request::Watch((flags != 0).then_some(first..=second)),
        _ if operation == Operation::Split as u32 => Request::Split(first),
        _ if operation == Operation::Watched as u32 => Request::Watched,
        _ if operation == Operation::Renew as u32 => Request::Renew,
        _ if operation == Operation::Traps as u32 => Request::Traps(traps(flags, first, bytes(rest)?)?),
        _ if operation == Operation::Notes as u32 => Request::Notes,
        _ if operation == Operation::Translate as u32 => Request::Translate(first, flags != 0, bytes(rest)?),
        _ => return None,
    })
}

/// Traps as they are in a batch: breakpoints, and three words for each watchpoint.
fn traps(notes: u32, breakpoints: u64, bytes: &[u8]) -> Option<Traps> {
    let words: Vec<u64> = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let (breakpoints, watched) = words.split_at_checked(usize::try_from(breakpoints).ok()?)?;
    let watchpoint = |&[first, last, access]: &[u64; 3]| Watchpoint {
        bytes: first..=last,
        access: match access {
            1 => Watched::Reads,
            2 => Watched::Writes,
            _ => Watched::Both,
        },
    };
    Some(Traps {
        breakpoints: breakpoints.iter().copied().collect(),
        watchpoints: watched.as_chunks().0.iter().map(watchpoint).collect(),
        notes: match notes {
            0 => Notes::Off,
            1 => Notes::Code,
            _ => Notes::Registers,
        },
    })
}

/// The trap that a run stopped for.
pub(crate) fn sight(stopped: Stopped) -> Result<Sight, String> {
    Ok(match stopped.detail {
        stopped::AT_BREAKPOINT => Sight::Breakpoint,
        stopped::AT_READ => Sight::Access { writes: false, address: stopped.address },
        stopped::AT_WRITE => Sight::Access { writes: true, address: stopped.address },
        stopped::NOTES_FULL => Sight::Full,
        detail => return Err(format!("it stopped for trap {detail}")),
    })
}

/// The same in the other direction.
pub(crate) fn stopped_for(sight: Sight) -> Stopped {
    let (detail, address) = match sight {
        Sight::Breakpoint => (stopped::AT_BREAKPOINT, 0),
        Sight::Access { writes: false, address } => (stopped::AT_READ, address),
        Sight::Access { writes: true, address } => (stopped::AT_WRITE, address),
        Sight::Full => (stopped::NOTES_FULL, 0),
    };
    Stopped { kind: stopped::TRAP, detail, address }
}

/// What a batch gave.
#[derive(Debug)]
pub struct Reply {
    message: Vec<u8>,
    at: usize,
}

/// Why the guest did not run any more, by the agent's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub(crate) kind: u32,
    pub(crate) detail: u32,
    pub(crate) address: u64,
}

impl Reply {
    /// Takes an answer that begins there in a message. Says what failed, if something did.
    pub(crate) fn read(message: Vec<u8>, at: usize) -> Result<Reply, String> {
        let mut reply = Reply { message, at };
        let (failure, number) = (reply.word()?, reply.word()?);
        let address = reply.long()?;
        let what = match failure {
            0 => return Ok(reply),
            NO_MEMORY => "it has no memory left for",
            UNMAPPED => "nothing is mapped at",
            3 => "it cannot map",
            MISUNDERSTOOD => "it did not understand a message about",
            _ => "it failed at",
        };
        Err(format!("{what} {address:#x} (operation {number})"))
    }

    fn take(&mut self, size: usize) -> Result<&[u8], String> {
        let bytes = self.message.get(self.at..self.at.saturating_add(size)).ok_or("its answer is too short")?;
        self.at += size;
        Ok(bytes)
    }

    fn word(&mut self) -> Result<u32, String> {
        Ok(self.take(4)?.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    pub(crate) fn long(&mut self) -> Result<u64, String> {
        Ok(u64::from(self.word()?) | u64::from(self.word()?) << 32)
    }

    /// What a read gave.
    pub(crate) fn bytes(&mut self, into: &mut [u8]) -> Result<(), String> {
        let size = into.len();
        into.copy_from_slice(&self.take(size.next_multiple_of(8))?[..size]);
        Ok(())
    }

    /// What a run gave.
    pub(crate) fn stopped(&mut self, registers: &mut Registers) -> Result<Stopped, String> {
        let stopped = Stopped { kind: self.word()?, detail: self.word()?, address: self.long()? };
        self.registers(registers)?;
        Ok(stopped)
    }

    pub(crate) fn registers(&mut self, registers: &mut Registers) -> Result<(), String> {
        registers.read(self.take(registers::SIZE)?);
        Ok(())
    }
}

/// An answer as the other side writes it: the same in the other direction.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    /// Begins a new one, in which nothing has failed.
    pub(crate) fn begin(&mut self) {
        self.0.clear();
        self.0.resize(16, 0);
    }

    /// Says that an operation failed, by [`Reply::read`]'s number, and nothing else.
    pub(crate) fn fail(&mut self, failure: u32, operation: usize, address: u64) {
        self.0.clear();
        self.word(failure);
        self.word(operation as u32);
        self.long(address);
    }

    fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    pub(crate) fn long(&mut self, long: u64) {
        self.0.extend_from_slice(&long.to_le_bytes());
    }

    /// Room for what a read gives.
    pub(crate) fn bytes(&mut self, size: usize) -> &mut [u8] {
        let at = self.0.len();
        self.0.append(&mut vec![0; size.next_multiple_of(8)]);
        &mut self.0[at..at + size]
    }

    /// Notes, and how many there are.
    pub(crate) fn notes(&mut self, notes: &[Note]) {
        self.long(notes.len() as u64);
        let bytes: Vec<u8> = notes.iter().flat_map(Note::bytes).collect();
        debug_assert_eq!(bytes.len(), NOTE * notes.len());
        self.bytes(bytes.len()).copy_from_slice(&bytes);
    }

    pub(crate) fn stopped(&mut self, stopped: Stopped, registers: &Registers) {
        self.word(stopped.kind);
        self.word(stopped.detail);
        self.long(stopped.address);
        self.registers(registers);
    }

    pub(crate) fn registers(&mut self, registers: &Registers) {
        registers.write(&mut self.0);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
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
