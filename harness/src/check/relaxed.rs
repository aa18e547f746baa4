//! Relaxed sequences of A64: instructions that a linker has put in the place of others, which have to come to the same.
//!
//! The instructions of one sequence are those with relocations of one symbol, in the order of the section. They are run one after
//! the other on numbers: at the one that uses the address, the register has to hold what the object meant.

use corpus::abi::{Entry, Relocation};

/// What a sequence is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    /// An address from the table.
    Table,
    /// An address by its page and the rest.
    Halves,
    /// The offset of a thread-local variable, from the table.
    Initial,
    /// The same from a descriptor.
    Descriptor,
    /// The address of a thread-local variable, by a call.
    General,
}

/// The family of a relocation that may be part of a sequence.
pub(super) fn family(row: &Relocation) -> Option<Family> {
    let formula = row.formula.as_ref().map_or("", |formula| formula.text());
    match row.entry().map(|(entry, _)| entry) {
        _ if !row.name.starts_with("R_AARCH64_") => None,
        Some(Entry::Address) => Some(Family::Table),
        Some(Entry::ThreadOffset) => Some(Family::Initial),
        Some(Entry::Descriptor) => Some(Family::Descriptor),
        Some(Entry::ModuleAndOffset) => Some(Family::General),
        Some(_) => None,
        None if formula.starts_with("Page(") || formula == "S + A" && row.select.0 == 11 => Some(Family::Halves),
        None if row.name.contains("TLSDESC_") => Some(Family::Descriptor),
        None => None,
    }
}

/// One instruction of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) row: &'static Relocation,
    pub(super) p: u64,
    /// What the object has.
    pub(super) before: u64,
    /// What the image has.
    pub(super) word: u64,
}

/// What is found of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is part of a use that comes to what was meant.
    Right,
    /// It is part of one that does not: what that came to, if it is known.
    Wrong(Option<u64>),
    /// No use of it is known.
    Unused,
}

const NOP: u64 = 0xd503_201f;

/// A register: its value, and the members that had a part in it.
#[derive(Clone, Debug, Default)]
struct Value {
    known: Option<u64>,
    from: Vec<usize>,
}

/// The memory and the thread pointer of the program, and what the sequence of a member has to come to.
pub(super) struct World<'a> {
    pub(super) is_wanted: &'a dyn Fn(usize, u64) -> bool,
    pub(super) read: &'a dyn Fn(u64, usize) -> Option<u64>,
    pub(super) tp: u64,
}

/// Runs the instructions of a sequence, which are in order, and says what is found of each.
pub(super) fn run(family: Family, members: &[Member], world: &World<'_>) -> Vec<Found> {
    let mut registers = vec![Value::default(); 32];
    let mut found = vec![Found::Unused; members.len()];
    for (index, member) in members.iter().enumerate() {
        let name = member.row.name.as_str();
        let destination = (member.before & 31) as usize;
        let mut word = member.word as u32;
        let mut p = member.p;
        if let Some((moved, at)) = moved(word, p, world) {
            (word, p) = (moved, at);
        }
        let uses_memory = family == Family::Halves && !is_address(member.before);
        let result = if uses_memory && word & 0x3b00_0000 == 0x3900_0000 {
            // What is loaded does not matter: from where does.
            let base = &registers[(word >> 5 & 31) as usize];
            let scale = if word & 0x0480_0000 == 0x0480_0000 { 4 } else { word >> 30 };
            let offset = u64::from(word >> 10 & 0xfff) << scale;
            let from = base.from.iter().copied().chain([index]).collect();
            Some(Value { known: base.known.map(|base| base.wrapping_add(offset)), from })
        } else {
            step(&mut registers, word, p, index, world);
            if family == Family::General && name.contains("_ADD_") {
                for at in [4, 8] {
                    let Some(word) = (world.read)(p.wrapping_add(at), 4) else { break };
                    step(&mut registers, word as u32, p.wrapping_add(at), index, world);
                }
            }
            let uses = match family {
                Family::Table | Family::Initial => name.contains("_LD"),
                Family::Halves => is_address(member.before) && !name.contains("_PG_HI21"),
                Family::Descriptor => name.ends_with("_CALL"),
                Family::General => name.contains("_ADD_"),
            };
            let register = match family {
                Family::Descriptor | Family::General => 0,
                _ => destination,
            };
            uses.then(|| registers[register].clone())
        };
        let Some(value) = result else { continue };
        let is_right = value.known.is_some_and(|value| (world.is_wanted)(index, value));
        let verdict = if is_right { Found::Right } else { Found::Wrong(value.known) };
        for part in value.from.into_iter().chain([index]) {
            if found[part] != Found::Right {
                found[part] = verdict;
            }
        }
    }
    // What does nothing any more is right where the next one makes up for it, in the same register.
    for index in (0..members.len()).rev() {
        let next = members.get(index + 1).zip(found.get(index + 1).copied());
        let register = |member: &Member| member.before & 31;
        if let (NOP, Found::Unused, Some((next, Found::Right))) = (members[index].word, found[index], next)
            && register(next) == register(&members[index])
        {
            found[index] = Found::Right;
        }
    }
    // In sequences of more than two, what is left out may be any of them.
    let is_right = |found: &Found| *found == Found::Right;
    if !matches!(family, Family::Halves | Family::Table) && found.iter().any(is_right) {
        let all = found.iter().all(|found| matches!(found, Found::Right | Found::Unused));
        for (found, member) in found.iter_mut().zip(members) {
            if *found == Found::Unused && member.word == NOP && all {
                *found = Found::Right;
            }
        }
    }
    found
}

/// Whether it is ADD or ADR: an instruction whose result is an address.
fn is_address(word: u64) -> bool {
    word & 0x7f80_0000 == 0x1100_0000 || word & 0x1f00_0000 == 0x1000_0000
}

/// The instruction that a branch stands for which leads to it and back: how linkers go around an erratum.
fn moved(word: u32, p: u64, world: &World<'_>) -> Option<(u32, u64)> {
    let branch = |word: u32| (word >> 26 == 0b101).then(|| (i64::from(word << 6) << 32 >> 36) & !3);
    let at = p.wrapping_add_signed(branch(word)?);
    let moved = (world.read)(at, 4)? as u32;
    let back = branch((world.read)(at.wrapping_add(4), 4)? as u32)?;
    (at.wrapping_add(4).wrapping_add_signed(back) == p.wrapping_add(4)).then_some((moved, at))
}

/// What one instruction does to the registers.
fn step(registers: &mut [Value], word: u32, p: u64, index: usize, world: &World<'_>) {
    let (d, n, m) = ((word & 31) as usize, (word >> 5 & 31) as usize, (word >> 16 & 31) as usize);
    let wide = word >> 31 == 1;
    let adr = || {
        let immediate = i64::from(word >> 5 & 0x7_ffff) << 2 | i64::from(word >> 29 & 3);
        immediate << 43 >> 43
    };
    let part = || u64::from(word >> 5 & 0xffff) << (16 * (word >> 21 & 3));
    let own = vec![index];
    let of = |sources: &[&Value]| {
        let mut from = own.clone();
        for part in sources.iter().flat_map(|source| &source.from) {
            if !from.contains(part) {
                from.push(*part);
            }
        }
        from
    };
    let value = match word {
        _ if u64::from(word) == NOP => return,
        // ADRP, ADR
        _ if word & 0x9f00_0000 == 0x9000_0000 => {
            Value { known: Some((p & !0xfff).wrapping_add_signed(adr() << 12)), from: own.clone() }
        }
        _ if word & 0x9f00_0000 == 0x1000_0000 => {
            Value { known: Some(p.wrapping_add_signed(adr())), from: own.clone() }
        }
        // MOVZ, MOVN, MOVK
        _ if word & 0x7f80_0000 == 0x5280_0000 => Value { known: Some(part()), from: own.clone() },
        _ if word & 0x7f80_0000 == 0x1280_0000 => {
            Value { known: Some(if wide { !part() } else { !part() & 0xffff_ffff }), from: own.clone() }
        }
        _ if word & 0x7f80_0000 == 0x7280_0000 => {
            let cleared = !(0xffff << (16 * (word >> 21 & 3)));
            Value { known: registers[d].known.map(|old| old & cleared | part()), from: of(&[&registers[d]]) }
        }
        // ADD with an immediate, and with a register
        _ if word & 0x7f80_0000 == 0x1100_0000 => {
            let immediate = u64::from(word >> 10 & 0xfff) << (12 * (word >> 22 & 1));
            let sum = registers[n].known.map(|base| base.wrapping_add(immediate));
            Value { known: sum.map(|sum| if wide { sum } else { sum & 0xffff_ffff }), from: of(&[&registers[n]]) }
        }
        _ if word & 0xffe0_fc00 == 0x8b00_0000 => {
            let sum = registers[n].known.zip(registers[m].known).map(|(a, b)| a.wrapping_add(b));
            Value { known: sum, from: of(&[&registers[n], &registers[m]]) }
        }
        // LDR of a word or a doubleword, from a register or relative to the instruction
        _ if word & 0xbfc0_0000 == 0xb940_0000 => {
            let scale = word >> 30;
            let offset = u64::from(word >> 10 & 0xfff) << scale;
            let at = registers[n].known.map(|base| base.wrapping_add(offset));
            Value { known: at.and_then(|at| (world.read)(at, 1 << scale)), from: of(&[&registers[n]]) }
        }
        _ if word & 0xbf00_0000 == 0x1800_0000 => {
            let offset = i64::from(word >> 5 & 0x7_ffff) << 45 >> 43;
            let size = if word >> 30 & 1 == 1 { 8 } else { 4 };
            Value { known: (world.read)(p.wrapping_add_signed(offset), size), from: own.clone() }
        }
        // MRS of TPIDR_EL0
        _ if word & 0xffff_ffe0 == 0xd53b_d040 => Value { known: Some(world.tp), from: own.clone() },
        _ => Value { known: None, from: of(&[&registers[n]]) },
    };
    if d != 31 {
        registers[d] = value;
    }
}
