//! The engine's models of processors, and its numbers of their registers.

use linker::Target;
use unicorn_engine::{Arch, Arm64CpuModel, ArmCpuModel, Mode, RegisterARM, RegisterARM64};

use crate::machine::{Processor, Register};

/// CPSR.T.
pub(super) const THUMB: u32 = 1 << 5;

/// How many bytes the instruction has that begins here.
pub(super) fn length(code: &[u8], thumb: bool) -> usize {
    match code {
        [_, high, ..] if thumb && high >> 3 < 0b11101 => 2,
        _ => 4,
    }
}

/// The engine's models of the processors.
const MODELS: &[(&str, Arch, i32)] = &[
    ("Cortex-A15", Arch::ARM, ArmCpuModel::CORTEX_A15 as i32),
    ("ARM1176", Arch::ARM, ArmCpuModel::Model_1176 as i32),
    ("Cortex-M0", Arch::ARM, ArmCpuModel::CORTEX_M0 as i32),
    ("Cortex-M3", Arch::ARM, ArmCpuModel::CORTEX_M3 as i32),
    ("max", Arch::ARM64, Arm64CpuModel::MAX as i32),
];

/// The engine's settings for a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cpu {
    pub(super) name: &'static str,
    pub(super) arch: Arch,
    pub(super) mode: Mode,
    pub(super) model: i32,
    pub(super) m_profile: bool,
}

impl Cpu {
    /// The processor for a target; none for a target this engine cannot run.
    pub(super) fn of(target: &Target) -> Option<Cpu> {
        let processor = Processor::of(target)?;
        let &(name, arch, model) = MODELS.iter().find(|model| model.0 == processor.name)?;
        let mode = match (arch, target.big_endian) {
            // The M profile is asked for by model: `Mode::MCLASS` means Cortex-M33 whatever model is set, which would run
            // v8-M and DSP instructions that ARMv7-M does not have.
            _ if processor.m_profile => Mode::THUMB,
            (_, false) => Mode::LITTLE_ENDIAN,
            (Arch::ARM64, true) => Mode::BIG_ENDIAN,
            // Mode::BIG_ENDIAN would be BE32, with code in the order of data.
            (_, true) => Mode::ARMBE8,
        };
        Some(Cpu { name, arch, mode, model, m_profile: processor.m_profile })
    }

    pub(super) fn is_64(&self) -> bool {
        self.arch == Arch::ARM64
    }

    /// The engine's number of a register, when it is one that fits into 64 bits there. Vector registers of 32-bit ARM are
    /// pairs of doubles.
    pub(super) fn register(&self, register: Register) -> Option<i32> {
        if self.is_64() { register_64(register) } else { self.register_32(register) }
    }

    fn register_32(&self, register: Register) -> Option<i32> {
        use RegisterARM as R;
        Some(match register {
            Register::Core(n @ 0..=12) => R::R0 as i32 + i32::from(n),
            Register::Core(13) | Register::Sp => R::SP as i32,
            Register::Core(14) => R::LR as i32,
            Register::Pc => R::PC as i32,
            Register::Status => R::CPSR as i32,
            Register::Double(n @ 0..=31) => R::D0 as i32 + i32::from(n),
            Register::Single(n @ 0..=31) => R::S0 as i32 + i32::from(n),
            Register::FpControl => R::FPSCR as i32,
            Register::ThreadReadOnly if !self.m_profile => R::C13_C0_3 as i32,
            _ => return None,
        })
    }
}

fn register_64(register: Register) -> Option<i32> {
    use RegisterARM64 as R;
    Some(match register {
        Register::Core(n @ 0..=28) => R::X0 as i32 + i32::from(n),
        Register::Core(29) => R::X29 as i32,
        Register::Core(30) => R::X30 as i32,
        Register::Sp => R::SP as i32,
        Register::Pc => R::PC as i32,
        Register::Status => R::PSTATE as i32,
        Register::Double(n @ 0..=31) => R::D0 as i32 + i32::from(n),
        Register::Single(n @ 0..=31) => R::S0 as i32 + i32::from(n),
        Register::FpControl => R::FPCR as i32,
        Register::FpStatus => R::FPSR as i32,
        Register::Thread => R::TPIDR_EL0 as i32,
        Register::ThreadReadOnly => R::TPIDRRO_EL0 as i32,
        _ => return None,
    })
}
