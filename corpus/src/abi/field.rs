//! Putting values into words, and reading them back.

use super::{Addend, Check, Class, Relocation, Special, group};

/// Why a value is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not fit.
    OutOfRange,
    /// It is not the multiple it has to be.
    Misaligned,
    /// The instruction cannot enter the state of the target.
    State,
}

const UP: u64 = 1 << 23;
const MOVZ: u64 = 1 << 30;
const OPCODE: u64 = 0xf << 21;
const ADD: u64 = 0b0100 << 21;
const SUB: u64 = 0b0010 << 21;
/// The bits that differ between the two forms of T32 ADR.
const T32_SUB: u64 = 0xa << 20;
/// The bit that tells T32 BL from BLX.
const T32_BL: u64 = 1 << 12;
/// Condition, opcode and the bit of the halfword in A32 BL and BLX.
const A32_CALL: u64 = 0xff << 24;

fn ones(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

fn sign_extend(value: u64, width: u32) -> i64 {
    let unused = 64 - width;
    (value << unused) as i64 >> unused
}

impl Relocation {
    /// The word that `before` becomes when X is `x` and the target's state, where it is known, is Thumb or not.
    pub fn expected(&self, before: u64, x: i64, thumb: Option<bool>) -> Result<u64, Refusal> {
        self.check(before, x, thumb)?;
        let magnitude = x.unsigned_abs();
        Ok(match self.form.special {
            None | Some(Special::Hw) => self.place(before, self.selected(x as u64)),
            Some(Special::MovnMovz) if x < 0 => self.place(before & !MOVZ, !self.selected(x as u64)),
            Some(Special::MovnMovz) => self.place(before | MOVZ, self.selected(x as u64)),
            Some(Special::Up) => {
                let rest = self.group.map_or(magnitude, |n| group::rest(magnitude as u32, n).into());
                let up = if x >= 0 { before | UP } else { before & !UP };
                self.place(up, self.selected(rest))
            }
            Some(Special::AddSub) => {
                let (part, shift) = self.constant(magnitude as u32);
                let opcode = before & !OPCODE | if x >= 0 { ADD } else { SUB };
                self.place(opcode, group::constant(part, shift))
            }
            Some(Special::T32Adr) => {
                let opcode = if x < 0 { before | T32_SUB } else { before & !T32_SUB };
                self.place(opcode, self.selected(magnitude))
            }
            Some(Special::A32Branch) => self.place(before, self.selected(x as u64)),
            Some(Special::A32Call) => {
                let halfword = (x as u64 & 2) << 23;
                let opcode = match thumb {
                    Some(true) => before & !A32_CALL | 0xfa << 24 | halfword,
                    Some(false) if before >> 28 == 0xf => before & !A32_CALL | 0xeb << 24,
                    None if before >> 28 == 0xf => before & !(1 << 24) | halfword,
                    _ => before,
                };
                self.place(opcode, self.selected(x as u64))
            }
            Some(Special::T32Branch) => self.place(before, exchange(self.selected(x as u64))),
            Some(Special::T32Call) => {
                let blx = self.is_t32_blx(before, thumb);
                let (opcode, x) = if blx { (before & !T32_BL, from_word(x)) } else { (before | T32_BL, x) };
                self.place(opcode, exchange(self.selected(x as u64)))
            }
        })
    }

    fn is_t32_blx(&self, before: u64, thumb: Option<bool>) -> bool {
        self.form.special == Some(Special::T32Call) && !thumb.unwrap_or(before & T32_BL != 0)
    }

    fn check(&self, before: u64, x: i64, thumb: Option<bool>) -> Result<(), Refusal> {
        let x = if self.is_t32_blx(before, thumb) { from_word(x) } else { x };
        let (mut align, mut range) = (self.align, self.check);
        match (self.form.special, thumb) {
            (Some(Special::A32Branch), Some(true)) => return Err(Refusal::State),
            (Some(Special::T32Branch), Some(false)) => return Err(Refusal::State),
            (Some(Special::A32Call), Some(true)) if before >> 24 != 0xeb && before >> 28 != 0xf => {
                return Err(Refusal::State);
            }
            // BLX reaches halfwords, and the lowest bit is no part of the distance.
            (Some(Special::A32Call), Some(true)) => align = 1,
            (Some(Special::A32Call), None) if before >> 28 == 0xf => align = 1,
            _ => {}
        }
        if range == Check::Group {
            let (n, magnitude) = (self.group.unwrap_or(0), x.unsigned_abs() as u32);
            let fits = match self.form.special {
                Some(Special::AddSub) => group::alu(magnitude, n).2 == 0,
                // What is left has to be an offset that the instruction has.
                _ => u64::from(group::rest(magnitude, n)) & !(ones(self.width()) << self.select.1) == 0,
            };
            if !fits {
                return Err(Refusal::OutOfRange);
            }
            range = Check::None;
        }
        if let Check::Range(low, high) = range {
            let fits = |x: i64| (low..=high).contains(&i128::from(x));
            // 32 bits are signed or unsigned as the range has it.
            if !fits(x) && (self.class != Class::Arm || !fits(i64::from(x as u32))) {
                return Err(Refusal::OutOfRange);
            }
        }
        if x as u64 & (align - 1) != 0 { Err(Refusal::Misaligned) } else { Ok(()) }
    }

    /// The part of a magnitude that an A32 ADD or SUB takes, and its shift: by its number in a group, or else the selected bits.
    fn constant(&self, magnitude: u32) -> (u32, u32) {
        match self.group {
            Some(n) => {
                let (part, shift, _) = group::alu(magnitude, n);
                (part, shift)
            }
            None => ((self.selected(magnitude.into()) as u32) << self.select.1, self.select.1),
        }
    }

    /// The selected bits, at the bottom.
    fn selected(&self, x: u64) -> u64 {
        x >> self.select.1 & ones(self.width())
    }

    fn width(&self) -> u32 {
        self.select.0 - self.select.1 + 1
    }

    fn place(&self, word: u64, value: u64) -> u64 {
        self.form.bits.iter().fold(word, |word, &(low, at, width)| {
            let value = value >> low & ones(width);
            word & !(ones(width) << at) | value << at
        })
    }

    fn gather(&self, word: u64) -> u64 {
        self.form.bits.iter().fold(0, |value, &(low, at, width)| value | (word >> at & ones(width)) << low)
    }

    /// The bits of a word that may change.
    pub fn mask(&self) -> u64 {
        let field = self.place(0, u64::MAX);
        field
            | match self.form.special {
                Some(Special::MovnMovz) => MOVZ,
                Some(Special::Up) => UP,
                Some(Special::AddSub) => OPCODE,
                Some(Special::T32Adr) => T32_SUB,
                Some(Special::A32Call) => A32_CALL,
                Some(Special::T32Call) => T32_BL,
                _ => 0,
            }
    }

    /// The bits of the field alone.
    pub fn field(&self) -> u64 {
        self.place(0, u64::MAX)
    }

    /// What a word says of X: the selected bits in their places, with a sign where the instruction has one.
    pub fn decode(&self, word: u64) -> i64 {
        let raw = self.gather(word);
        let value = match self.form.special {
            Some(Special::MovnMovz) if word & MOVZ == 0 => !raw & ones(self.width()),
            Some(Special::Up) => {
                let magnitude = (raw << self.select.1) as i64;
                return if word & UP == 0 { -magnitude } else { magnitude };
            }
            Some(Special::T32Adr) => return if word & T32_SUB == 0 { raw as i64 } else { -(raw as i64) },
            Some(Special::AddSub) => {
                let magnitude = i64::from(group::value(raw));
                return if word & OPCODE == SUB { -magnitude } else { magnitude };
            }
            Some(Special::T32Branch | Special::T32Call) => exchange(raw),
            _ => raw,
        };
        (value << self.select.1) as i64 | self.halfword(word)
    }

    /// The lowest bit of the distance in A32 BLX.
    fn halfword(&self, word: u64) -> i64 {
        let is_blx = self.form.special == Some(Special::A32Call) && word >> 28 == 0xf;
        if is_blx { (word >> 23 & 2) as i64 } else { 0 }
    }

    /// The part of X that a word can say: what [`Relocation::decode`] has to return for it.
    pub fn part(&self, x: i64) -> i64 {
        let magnitude = x.unsigned_abs() as u32;
        let signed = |magnitude: u32| if x < 0 { -i64::from(magnitude) } else { i64::from(magnitude) };
        match (self.form.special, self.group) {
            (Some(Special::AddSub), _) => signed(self.constant(magnitude).0),
            (Some(Special::Up), Some(n)) => signed(group::rest(magnitude, n)),
            (Some(Special::Up | Special::T32Adr), None) => signed(magnitude & ones(self.select.0 + 1) as u32),
            _ => (self.selected(x as u64) << self.select.1) as i64,
        }
    }

    /// The addend that a word holds where relocations have none of their own.
    pub fn addend(&self, word: u64) -> i64 {
        let value = self.decode(word);
        let raw = value as u64 >> self.select.1;
        match self.form.addend {
            _ if matches!(self.form.special, Some(Special::Up | Special::AddSub | Special::T32Adr)) => value,
            None => 0,
            Some(Addend::Signed) => sign_extend(value as u64, self.select.0 + 1),
            Some(Addend::Unsigned) => value,
            Some(Addend::Signed16) => sign_extend(raw, 16),
            Some(Addend::Unscaled) => raw as i64,
            Some(Addend::Wrap4) => ((value + 4) & ones(self.select.0 + 1) as i64) - 4,
        }
    }
}

impl Relocation {
    /// The word with `addend` stored in its field. None if the field cannot hold it.
    pub fn with_addend(&self, word: u64, addend: i64) -> Option<u64> {
        let magnitude = addend.unsigned_abs();
        let sign = |plus: u64, minus: u64| if addend < 0 { minus } else { plus };
        let word = match (self.form.special, self.form.addend) {
            (Some(Special::Up), _) => self.place(word & !UP | sign(UP, 0), magnitude >> self.select.1),
            (Some(Special::T32Adr), _) => self.place(word & !T32_SUB | sign(0, T32_SUB), magnitude),
            (Some(Special::AddSub), _) => {
                let (part, shift, _) = group::alu(magnitude as u32, 0);
                self.place(word & !OPCODE | sign(ADD, SUB), group::constant(part, shift))
            }
            (Some(Special::T32Branch | Special::T32Call), _) => {
                self.place(word, exchange(self.selected(addend as u64)))
            }
            (_, Some(Addend::Signed16 | Addend::Unscaled)) => self.place(word, addend as u64),
            _ => self.place(word, self.selected(addend as u64)),
        };
        (self.addend(word) == addend).then_some(word)
    }
}

/// The offset of a T32 BLX, which counts from the word that the instruction is in.
fn from_word(x: i64) -> i64 {
    (x & !1).wrapping_add(3) & !3
}

/// The two bits below the sign of a long T32 branch are stored as NOT of their XOR with it. It is its own inverse.
fn exchange(value: u64) -> u64 {
    let flip = if value >> 23 & 1 == 0 { 0b11 << 21 } else { 0 };
    value ^ flip
}
