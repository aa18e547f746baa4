//! The unwinding instructions of 32-bit ARM (Exception Handling ABI for the Arm Architecture, 2025Q1: Index table entries,
//! and Frame unwinding instructions), executed on registers as they were.

use super::state::{Memory, Registers};

/// EXIDX_CANTUNWIND
const CANNOT: u32 = 1;
/// Instructions of one function: more than a table of 255 words holds.
const MOST: usize = 1024;

const SP: usize = 13;
const LR: usize = 14;
const PC: usize = 15;

/// An entry of the index that is in memory: the function that it is for, and where it is.
pub(super) type Entry = (u64, u64);

/// The entries of an index, which is read from these addresses, by function.
pub(super) fn entries(memory: &mut Memory<'_>, indexes: &[std::ops::Range<u64>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for index in indexes {
        for place in index.clone().step_by(8) {
            if let Some(word) = word(memory, place) {
                entries.push((distant(place, word), place));
            }
        }
    }
    entries.sort_unstable();
    entries
}

/// The caller's registers, by the entry for this place in the code. None where there is none, or it says that there is no way.
pub(super) fn step(memory: &mut Memory<'_>, entries: &[Entry], pc: u64, registers: &Registers) -> Option<Registers> {
    let behind = entries.partition_point(|entry| entry.0 <= pc);
    let (_, place) = *entries[..behind].last()?;
    let instructions = instructions(memory, place)?;
    execute(memory, &instructions, registers)
}

fn word(memory: &mut Memory<'_>, address: u64) -> Option<u32> {
    memory.read(address, 4).map(|word| word as u32)
}

/// What an offset of 31 bits at a place is for.
fn distant(place: u64, word: u32) -> u64 {
    let offset = (word as i32) << 1 >> 1;
    u64::from((place as u32).wrapping_add_signed(offset))
}

/// The instructions of an entry, from wherever they are.
fn instructions(memory: &mut Memory<'_>, place: u64) -> Option<Vec<u8>> {
    let second = word(memory, place + 4)?;
    if second == CANNOT {
        return None;
    }
    if second >> 31 == 1 {
        return Some(second.to_be_bytes()[1..].to_vec());
    }
    let table = distant(place + 4, second);
    let first = word(memory, table)?;
    // Of the personality routines of the ABI the first has three bytes in its word, the others two and more words; any other
    // routine has its data behind its own address, of which compilers make the same.
    let (mut bytes, more, from) = match (first >> 31, first >> 24 & 0xf) {
        (1, 0) => (first.to_be_bytes()[1..].to_vec(), 0, table + 4),
        (1, 1 | 2) => (first.to_be_bytes()[2..].to_vec(), first >> 16 & 0xff, table + 4),
        (1, _) => return None,
        _ => {
            let data = word(memory, table + 4)?;
            (data.to_be_bytes()[1..].to_vec(), data >> 24, table + 8)
        }
    };
    for index in 0..u64::from(more) {
        bytes.extend(word(memory, from + 4 * index)?.to_be_bytes());
    }
    Some(bytes)
}

/// Executes the instructions. None where one is reserved, or memory is missing.
fn execute(memory: &mut Memory<'_>, instructions: &[u8], registers: &Registers) -> Option<Registers> {
    let mut machine = Unwinder { memory, registers: registers.clone(), sp: registers.get(SP)?, has_pc: false };
    let mut bytes = instructions.iter().copied();
    for _ in 0..MOST {
        let Some(byte) = bytes.next() else { break };
        if byte == 0xb0 {
            break;
        }
        machine.instruction(byte, &mut bytes)?;
    }
    let Unwinder { mut registers, sp, has_pc, .. } = machine;
    registers.set(SP, Some(sp));
    if !has_pc {
        registers.set(PC, registers.get(LR));
    }
    Some(registers)
}

struct Unwinder<'m, 'a> {
    memory: &'m mut Memory<'a>,
    registers: Registers,
    sp: u64,
    has_pc: bool,
}

impl Unwinder<'_, '_> {
    fn instruction(&mut self, byte: u8, rest: &mut impl Iterator<Item = u8>) -> Option<()> {
        match byte {
            0x00..=0x3f => self.skip((u64::from(byte & 0x3f) << 2) + 4),
            0x40..=0x7f => self.sp = self.sp.checked_sub((u64::from(byte & 0x3f) << 2) + 4)?,
            0x80..=0x8f => match u16::from(byte & 0xf) << 8 | u16::from(rest.next()?) {
                0 => return None,
                mask => self.pop((0..12).filter(|bit| mask >> bit & 1 == 1).map(|bit| bit + 4))?,
            },
            0x9d | 0x9f => return None,
            0x90..=0x9f => self.sp = self.registers.get(usize::from(byte & 0xf))?,
            0xa0..=0xaf => {
                let last = 4 + usize::from(byte & 7);
                self.pop((4..=last).chain((byte & 8 != 0).then_some(LR)))?;
            }
            0xb1 => {
                let mask = rest.next()?;
                if mask == 0 || mask >> 4 != 0 {
                    return None;
                }
                self.pop((0..4).filter(|bit| mask >> bit & 1 == 1))?;
            }
            0xb2 => {
                let mut value: u64 = 0;
                for shift in (0..35).step_by(7) {
                    let byte = rest.next()?;
                    value |= u64::from(byte & 0x7f) << shift;
                    if byte & 0x80 == 0 {
                        break;
                    }
                }
                self.skip(0x204 + (value << 2));
            }
            // As FSTMX stores them: with a word more.
            0xb3 => self.skip(8 * (u64::from(rest.next()? & 0xf) + 1) + 4),
            // An authentication code, which is a word, and which nothing here asks for.
            0xb4 => self.skip(4),
            0xb5 => {}
            0xb8..=0xbf => self.skip(8 * (u64::from(byte & 7) + 1) + 4),
            0xc8 | 0xc9 => self.skip(8 * (u64::from(rest.next()? & 0xf) + 1)),
            0xd0..=0xd7 => self.skip(8 * (u64::from(byte & 7) + 1)),
            _ => return None,
        }
        Some(())
    }

    fn skip(&mut self, bytes: u64) {
        self.sp = self.sp.wrapping_add(bytes) & 0xffff_ffff;
    }

    /// Takes registers from the stack, in this order. A stack pointer among them counts behind them.
    fn pop(&mut self, registers: impl Iterator<Item = usize>) -> Option<()> {
        let mut popped = None;
        for register in registers {
            let value = self.memory.read(self.sp, 4)?;
            self.skip(4);
            match register {
                SP => popped = Some(value),
                PC => {
                    self.registers.set(PC, Some(value));
                    self.has_pc = true;
                }
                _ => self.registers.set(register, Some(value)),
            }
        }
        self.sp = popped.unwrap_or(self.sp);
        Some(())
    }
}
