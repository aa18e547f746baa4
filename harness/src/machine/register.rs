//! Registers by what they are for, and their names on each target.

use super::TargetInfo;

/// A register of either architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Register {
    /// x0 to x30, or r0 to r14.
    Core(u8),
    /// w0 to w30: the lower half of a 64-bit core register.
    Low(u8),
    /// The stack pointer (r13 is the same register).
    Sp,
    /// The program counter, without the Thumb bit.
    Pc,
    /// CPSR with the Thumb bit and the IT state, or PSTATE.
    Status,
    /// v0 to v31 or q0 to q15: all 128 bits.
    Vector(u8),
    /// d0 to d31. On 32-bit ARM two of them make a vector register; on AArch64 each is the lower half of one.
    Double(u8),
    /// s0 to s31, likewise.
    Single(u8),
    /// FPSCR, or FPCR.
    FpControl,
    /// FPSR; 32-bit ARM has it in FPSCR.
    FpStatus,
    /// TPIDR_EL0, or TPIDRURW.
    Thread,
    /// TPIDRRO_EL0, or TPIDRURO: where 32-bit Linux keeps the thread pointer.
    ThreadReadOnly,
}

impl Register {
    /// The link register.
    pub fn link(info: &TargetInfo) -> Register {
        Register::Core(if info.is_64() { 30 } else { 14 })
    }

    /// The register of this name on this target.
    pub fn named(info: &TargetInfo, name: &str) -> Option<Register> {
        let is_64 = info.is_64();
        let plain = match (name, is_64) {
            ("sp", _) | ("r13", false) => Some(Register::Sp),
            ("wsp", true) => None,
            ("pc", _) | ("r15", false) => Some(Register::Pc),
            ("lr", _) => Some(Register::link(info)),
            ("fp", true) => Some(Register::Core(29)),
            ("ip0", true) => Some(Register::Core(16)),
            ("ip1", true) => Some(Register::Core(17)),
            ("fp", false) => Some(Register::Core(11)),
            ("ip", false) => Some(Register::Core(12)),
            ("sl", false) => Some(Register::Core(10)),
            ("sb", false) => Some(Register::Core(9)),
            ("pstate" | "nzcv", true) | ("cpsr" | "xpsr", false) => Some(Register::Status),
            ("fpcr", true) | ("fpscr", false) => Some(Register::FpControl),
            ("fpsr", true) => Some(Register::FpStatus),
            ("tpidr_el0", true) | ("tpidrurw", false) => Some(Register::Thread),
            ("tpidrro_el0", true) | ("tpidruro", false) => Some(Register::ThreadReadOnly),
            _ => None,
        };
        if plain.is_some() {
            return plain;
        }
        let (letter, number) = name.split_at_checked(1)?;
        if number.len() > 1 && number.starts_with('0') {
            return None;
        }
        let number: u8 = number.parse().ok()?;
        match (letter, is_64, number) {
            ("x", true, 0..=30) | ("r", false, 0..=12 | 14) => Some(Register::Core(number)),
            ("w", true, 0..=30) => Some(Register::Low(number)),
            ("v" | "q", true, 0..=31) | ("q", false, 0..=15) => Some(Register::Vector(number)),
            ("d", _, 0..=31) => Some(Register::Double(number)),
            ("s", _, 0..=31) => Some(Register::Single(number)),
            _ => None,
        }
    }

    /// Its name on this target.
    pub fn name(self, info: &TargetInfo) -> String {
        let is_64 = info.is_64();
        let pick = |long: &str, short: &str| if is_64 { long.to_owned() } else { short.to_owned() };
        match self {
            Register::Core(n) => format!("{}{n}", if is_64 { 'x' } else { 'r' }),
            Register::Low(n) => format!("w{n}"),
            Register::Sp => "sp".to_owned(),
            Register::Pc => "pc".to_owned(),
            Register::Status => pick("pstate", "cpsr"),
            Register::Vector(n) => format!("{}{n}", if is_64 { 'v' } else { 'q' }),
            Register::Double(n) => format!("d{n}"),
            Register::Single(n) => format!("s{n}"),
            Register::FpControl => pick("fpcr", "fpscr"),
            Register::FpStatus => "fpsr".to_owned(),
            Register::Thread => pick("tpidr_el0", "tpidrurw"),
            Register::ThreadReadOnly => pick("tpidrro_el0", "tpidruro"),
        }
    }

    /// Bits in it on this target.
    pub fn bits(self, info: &TargetInfo) -> u32 {
        match self {
            Register::Core(_) | Register::Sp | Register::Pc | Register::Thread | Register::ThreadReadOnly => {
                info.target.pointer_bits
            }
            Register::Vector(_) => 128,
            Register::Double(_) => 64,
            Register::Low(_) | Register::Single(_) => 32,
            Register::Status | Register::FpControl | Register::FpStatus => 32,
        }
    }

    /// Every register of this target once, no views of others.
    pub fn file(info: &TargetInfo) -> impl Iterator<Item = Register> + use<> {
        let is_64 = info.is_64();
        let core = (0..if is_64 { 31 } else { 15 }).filter(move |&n| is_64 || n != 13).map(Register::Core);
        let float = (0..32).map(move |n| if is_64 { Register::Vector(n) } else { Register::Double(n) });
        let m_profile = info.m_profile;
        let rest = [Register::FpControl, Register::FpStatus, Register::Thread, Register::ThreadReadOnly]
            .into_iter()
            .filter(move |&register| is_64 || register != Register::FpStatus)
            .filter(move |&register| !m_profile || register == Register::FpControl);
        core.chain([Register::Sp, Register::Pc, Register::Status]).chain(float).chain(rest)
    }
}
