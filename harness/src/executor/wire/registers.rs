//! The register file of a guest, as it is on the wire (`struct registers` in qemu/agent/agent.h).

use linker::Target;

use crate::executor::Register;
use crate::executor::hosted::engine::Context;

/// Bytes of it in a message.
pub const SIZE: usize = 8 * (31 + 5 + 1 + 64);
/// CPSR.T.
const THUMB: u64 = 1 << 5;
/// CPSR.E.
const BIG_ENDIAN: u64 = 1 << 9;
/// The bits of FPSCR that AArch64 keeps in FPSR; the others are in FPCR.
const STATUS_BITS: u64 = 0xf800_009f;

/// A register file. Words of 64 bits, in the order of the wire: 31 core registers, stack pointer, program counter, status, two thread
/// registers, floating-point control and status in one, and 64 halves of vectors.
#[derive(Clone, Debug)]
pub struct Registers {
    words: [u64; SIZE / 8],
    is_64: bool,
}

const SP: usize = 31;
const PC: usize = 32;
const STATUS: usize = 33;
const THREAD: usize = 34;
const THREAD_READ_ONLY: usize = 35;
const FLOAT: usize = 36;
const VECTORS: usize = 37;

impl Registers {
    /// As new: all zero, in the data order of the target.
    pub(crate) fn new(target: &Target) -> Registers {
        let mut registers = Registers { words: [0; SIZE / 8], is_64: target.register_bits == 64 };
        if !registers.is_64 && target.big_endian {
            registers.words[STATUS] = BIG_ENDIAN;
        }
        registers
    }

    /// Adds it to a message.
    pub(crate) fn write(&self, message: &mut Vec<u8>) {
        // A register file goes both ways with each run: not byte by byte.
        let mut bytes = [0; SIZE];
        for (into, word) in bytes.as_chunks_mut().0.iter_mut().zip(&self.words) {
            *into = word.to_le_bytes();
        }
        message.extend_from_slice(&bytes);
    }

    /// Takes it from a message, of which there is enough.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        for (word, bytes) in self.words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
    }

    /// Whether the vectors, which are most of it, are those of the other.
    pub(crate) fn has_vectors_of(&self, other: &Registers) -> bool {
        self.words[VECTORS..] == other.words[VECTORS..]
    }

    pub(crate) fn pc(&self) -> u64 {
        self.words[PC]
    }

    pub(crate) fn thumb(&self) -> bool {
        !self.is_64 && self.words[STATUS] & THUMB != 0
    }

    /// Sets the program counter, and the state from its Thumb bit.
    pub(crate) fn set_pc(&mut self, pc: u64) {
        self.words[PC] = pc;
        if !self.is_64 {
            self.words[PC] &= 0xffff_fffe;
            self.words[STATUS] = self.words[STATUS] & !THUMB | (pc & 1) << 5;
        }
    }

    /// Where a register is: its word, the bits it is shifted by there, and how many it has.
    fn place(&self, register: Register) -> Option<(usize, u32, u32)> {
        let full = if self.is_64 { 64 } else { 32 };
        Some(match register {
            Register::Core(n @ 0..=14) => (n.into(), 0, full),
            Register::Core(n @ 15..=30) if self.is_64 => (n.into(), 0, full),
            Register::Low(n @ 0..=30) if self.is_64 => (n.into(), 0, 32),
            Register::Sp => (if self.is_64 { SP } else { 13 }, 0, full),
            Register::Pc => (PC, 0, full),
            Register::Status => (STATUS, 0, 32),
            Register::Double(n @ 0..=31) if self.is_64 => (VECTORS + 2 * usize::from(n), 0, 64),
            Register::Double(n @ 0..=31) => (VECTORS + usize::from(n), 0, 64),
            Register::Single(n @ 0..=31) if self.is_64 => (VECTORS + 2 * usize::from(n), 0, 32),
            Register::Single(n @ 0..=31) => (VECTORS + usize::from(n / 2), 32 * u32::from(n % 2), 32),
            Register::FpControl => (FLOAT, 0, 32),
            Register::FpStatus if self.is_64 => (FLOAT, 32, 32),
            Register::Thread => (THREAD, 0, full),
            Register::ThreadReadOnly => (THREAD_READ_ONLY, 0, full),
            _ => return None,
        })
    }
}

impl Context for Registers {
    fn get(&self, register: Register) -> u128 {
        if let Register::Vector(n @ 0..=31) = register {
            let at = VECTORS + 2 * usize::from(n);
            return u128::from(self.words[at]) | u128::from(self.words[at + 1]) << 64;
        }
        let Some((word, shift, bits)) = self.place(register) else { return 0 };
        let value = self.words[word] >> shift & (u64::MAX >> (64 - bits));
        match register {
            Register::FpControl if !self.is_64 => u128::from(value | self.words[FLOAT] >> 32),
            _ => u128::from(value),
        }
    }

    fn set(&mut self, register: Register, value: u128) {
        if let Register::Vector(n @ 0..=31) = register {
            let at = VECTORS + 2 * usize::from(n);
            (self.words[at], self.words[at + 1]) = (value as u64, (value >> 64) as u64);
            return;
        }
        let value = value as u64;
        if register == Register::FpControl && !self.is_64 {
            self.words[FLOAT] = value & !STATUS_BITS & 0xffff_ffff | (value & STATUS_BITS) << 32;
            return;
        }
        let Some((word, shift, bits)) = self.place(register) else { return };
        // A write to w0 clears the upper half of x0; nothing else shares a word that way.
        let mask = if matches!(register, Register::Low(_)) { u64::MAX } else { u64::MAX >> (64 - bits) << shift };
        let value = (value & (u64::MAX >> (64 - bits))) << shift;
        self.words[word] = self.words[word] & !mask | value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str) -> Registers {
        Registers::new(Target::named(target).expect("a target"))
    }

    /// The word of the wire that is not 0, by `struct registers`.
    fn wire(registers: &Registers) -> Vec<(usize, u64)> {
        let mut bytes = Vec::new();
        registers.write(&mut bytes);
        assert_eq!(bytes.len(), SIZE);
        let mut again = of("aarch64");
        again.read(&bytes);
        assert_eq!(again.words, registers.words);
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        bytes.chunks(8).map(word).enumerate().filter(|(_, word)| *word != 0).collect()
    }

    #[test]
    fn each_has_its_place_on_the_wire() {
        let value = u128::from(0x8877_6655_4433_2211u64);
        let places = [
            ("aarch64", Register::Core(30), 30, 0x8877_6655_4433_2211),
            ("aarch64", Register::Low(30), 30, 0x4433_2211),
            ("aarch64", Register::Sp, 31, 0x8877_6655_4433_2211),
            ("aarch64", Register::Pc, 32, 0x8877_6655_4433_2211),
            ("aarch64", Register::Status, 33, 0x4433_2211),
            ("aarch64", Register::Thread, 34, 0x8877_6655_4433_2211),
            ("aarch64", Register::FpControl, 36, 0x4433_2211),
            ("aarch64", Register::FpStatus, 36, 0x4433_2211_0000_0000),
            ("aarch64", Register::Double(31), 37 + 62, 0x8877_6655_4433_2211),
            ("aarch64", Register::Single(3), 37 + 6, 0x4433_2211),
            ("armv7", Register::Core(14), 14, 0x4433_2211),
            ("armv7", Register::Sp, 13, 0x4433_2211),
            ("armv7", Register::ThreadReadOnly, 35, 0x4433_2211),
            ("armv7", Register::Double(31), 37 + 31, 0x8877_6655_4433_2211),
            ("armv7", Register::Single(3), 37 + 1, 0x4433_2211_0000_0000),
        ];
        for (target, register, word, bits) in places {
            let mut registers = of(target);
            registers.set(register, value);
            assert_eq!(wire(&registers), [(word, bits)], "{target} {register:?}");
            let got = registers.get(register) as u64;
            assert_eq!(got, if bits as u32 == 0 { bits >> 32 } else { bits }, "{target} {register:?}");
        }
    }

    #[test]
    fn vectors_are_two_words_and_doubles_their_lower_halves() {
        let mut registers = of("aarch64");
        registers.set(Register::Vector(2), 7 << 64 | 5);
        assert_eq!(wire(&registers), [(37 + 4, 5), (37 + 5, 7)]);
        assert_eq!(registers.get(Register::Vector(2)), 7 << 64 | 5);
        assert_eq!(registers.get(Register::Double(2)), 5);
        // A32 calls the same words d4 and d5.
        let mut registers = of("armv7");
        registers.set(Register::Vector(2), 7 << 64 | 5);
        assert_eq!((registers.get(Register::Double(4)), registers.get(Register::Double(5))), (5, 7));
    }

    /// AArch64 has two registers for what is one in A32.
    #[test]
    fn the_status_of_floating_point_is_apart() {
        let mut registers = of("thumbv7");
        registers.set(Register::FpControl, 0xf3c0_009f);
        assert_eq!(wire(&registers), [(36, 0xf000_009f_03c0_0000)]);
        assert_eq!(registers.get(Register::FpControl), 0xf3c0_009f);
    }

    #[test]
    fn a_new_one_has_the_byte_order_and_a_pc_the_state() {
        assert!(wire(&of("armv7")).is_empty() && wire(&of("aarch64_be")).is_empty());
        let mut registers = of("armebv7");
        assert_eq!(wire(&registers), [(33, 1 << 9)]);
        registers.set_pc(0x1235);
        assert_eq!((registers.pc(), registers.thumb()), (0x1234, true));
        registers.set_pc(0x1238);
        assert_eq!((registers.pc(), registers.thumb()), (0x1238, false));
        // What a processor does not have is 0, whatever is written to it.
        registers.set(Register::Core(20), 1);
        registers.set(Register::FpStatus, 1);
        assert_eq!((registers.get(Register::Core(20)), registers.get(Register::FpStatus)), (0, 0));
    }
}
