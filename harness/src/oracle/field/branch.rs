//! Branches: where they lead, by whatever way.

use corpus::abi::{Inputs, Place, Special};

use super::{Field, Finding, Way};
use crate::oracle::output::Output;

/// Instructions that do nothing, by what stands in their place: what a branch becomes that has nowhere to go.
const NOPS: &[(Place, u64)] = &[
    (Place::A64, 0xd503_201f),
    (Place::A32, 0xe320_f000),
    // MOV R0, R0, of cores before v6K.
    (Place::A32, 0xe1a0_0000),
    (Place::T32, 0xf3af_8000),
    // Two short ones, a branch over the second, and two of MOV R8, R8.
    (Place::T32, 0xbf00_bf00),
    (Place::T32, 0xe000_bf00),
    (Place::T32, 0x46c0_46c0),
    (Place::T16, 0xbf00),
    // MOV R8, R8
    (Place::T16, 0x46c0),
];

/// Bytes that may be filled between two functions: the widest alignment that code asks for, and more.
const MOST_FILLING: u64 = 256;

impl Field {
    /// Whether a branch that is not the formula's leads where the formula's would. `inputs` has the table of the output.
    pub(crate) fn branch(&self, inputs: &Inputs, output: &Output<'_>, word: u64) -> Finding {
        let wanted = self.wrap(self.inputs.s.wrapping_add_signed(self.inputs.a).wrapping_add(self.bias()));
        let (start, state) = self.leads_to(word);
        let Some((end, thumb)) = output.follow(self.target, start, state) else {
            return Finding::Wrong(format!(
                "it leads to {start:#x}, from where nothing leads on; {wanted:#x} was meant"
            ));
        };
        // What only comes there by chance, through what fills the space between functions, is no stub.
        if end != start && self.is_filling(output, start, end) {
            return self.exact(inputs, word);
        }
        let right_state = self.thumb.is_none_or(|wanted| wanted == thumb);
        if end == wanted && right_state {
            return if end == start { self.exact(inputs, word) } else { Finding::Right(Way::Stub) };
        }
        let by = if end == start { String::new() } else { format!(" by {start:#x}") };
        let of = |thumb| if thumb { " in Thumb state" } else { " in A32 state" };
        let (is, meant) = if right_state { ("", "") } else { (of(thumb), of(!thumb)) };
        let words = self.exact(inputs, word);
        let words = if let Finding::Wrong(why) = words { format!(": {why}") } else { String::new() };
        Finding::Wrong(format!("it leads to {end:#x}{is}{by}; {wanted:#x}{meant} was meant{words}"))
    }

    /// Whether a branch to nothing goes on with the next instruction.
    pub(crate) fn falls_through(&self, word: u64) -> Finding {
        let next = self.wrap(self.inputs.p + self.place().size() as u64);
        let is_branch = self.is_branch(word);
        let (start, state) = self.leads_to(word);
        let stays = state == matches!(self.place(), Place::T32 | Place::T16);
        if NOPS.contains(&(self.place(), word)) || is_branch && start == next && stays {
            return Finding::Right(Way::FallThrough);
        }
        let what = if is_branch { format!("leads to {start:#x}") } else { format!("is {}", self.shown(word)) };
        Finding::Wrong(format!(
            "a branch to an undefined weak symbol goes on with the next instruction, {next:#x}; it {what}"
        ))
    }

    /// Whether nothing but instructions that do nothing, or zeros, is between two addresses that are near each other.
    fn is_filling(&self, output: &Output<'_>, start: u64, end: u64) -> bool {
        let (size, place) = match self.place() {
            Place::T32 | Place::T16 => (2, Place::T16),
            _ if self.target.register_bits == 64 => (4, Place::A64),
            _ => (4, Place::A32),
        };
        let distance = end.wrapping_sub(start);
        let does_nothing = |bytes: &[u8]| {
            let word = place.word(bytes);
            word == 0 || NOPS.contains(&(place, word))
        };
        let between = output.read_at(start, distance.min(MOST_FILLING) as usize);
        distance < MOST_FILLING && between.is_some_and(|bytes| bytes.chunks_exact(size).all(does_nothing))
    }

    /// Whether the word is one of the branches that may carry the relocation.
    fn is_branch(&self, word: u64) -> bool {
        let mask = self.relocation.mask();
        let same = |opcode: u64| opcode & !mask == word & !mask;
        self.relocation.opcodes().iter().any(|opcode| same(opcode.word)) || same(self.before)
    }

    /// Bytes from an instruction to where its program counter points.
    fn bias(&self) -> u64 {
        match self.place() {
            Place::A32 => 8,
            Place::T32 | Place::T16 => 4,
            _ => 0,
        }
    }

    /// Where a word leads, and in which state.
    fn leads_to(&self, word: u64) -> (u64, bool) {
        let said = self.said(word);
        let p = self.inputs.p;
        let (from, state) = match (self.relocation.form.special, self.place()) {
            (Some(Special::A32Call), _) => (p, word >> 28 == 0xf),
            // BLX counts from a whole word, and its bit 12 is clear.
            (Some(Special::T32Call), _) if word & 1 << 12 == 0 => (p & !3, false),
            (_, Place::T32 | Place::T16) => (p, true),
            // A datum: what it names counts, not how it got there.
            (_, Place::Data32 | Place::Data64) => (p.wrapping_sub(self.inputs.a as u64), self.inputs.t),
            _ => (p, false),
        };
        (self.wrap(from.wrapping_add_signed(said).wrapping_add(self.bias())), state)
    }
}
