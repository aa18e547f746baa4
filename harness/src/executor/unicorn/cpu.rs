//! Which emulated processor stands for which target, and how its registers are called inside the engine.

use linker::Target;
use unicorn_engine::{Arch, Arm64CpuModel, ArmCpuModel, Mode, RegisterARM, RegisterARM64};

use crate::executor::Register;

/// CPSR.T.
pub(super) const THUMB: u32 = 1 << 5;

/// How many bytes the instruction has that begins here.
pub(super) fn length(code: &[u8], thumb: bool) -> usize {
    match code {
        [_, high, ..] if thumb && high >> 3 < 0b11101 => 2,
        _ => 4,
    }
}

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
        let arm = |name, model: ArmCpuModel| Cpu {
            name,
            arch: Arch::ARM,
            mode: Mode::LITTLE_ENDIAN,
            model: model as i32,
            m_profile: false,
        };
        // The M profile is asked for by model: `Mode::MCLASS` means Cortex-M33 whatever model is set, which would run v8-M
        // and DSP instructions that ARMv7-M does not have.
        let m_profile = |name, model| Cpu { mode: Mode::THUMB, m_profile: true, ..arm(name, model) };
        Some(match target.name {
            "armv7" | "thumbv7" => arm("Cortex-A15", ArmCpuModel::CORTEX_A15),
            "armebv7" | "thumbebv7" => {
                // Mode::BIG_ENDIAN would be BE32, with code in the order of data.
                Cpu { mode: Mode::ARMBE8, ..arm("Cortex-A15", ArmCpuModel::CORTEX_A15) }
            }
            "armv6" => arm("ARM1176", ArmCpuModel::Model_1176),
            "thumbv6m" => m_profile("Cortex-M0", ArmCpuModel::CORTEX_M0),
            "thumbv7m" => m_profile("Cortex-M3", ArmCpuModel::CORTEX_M3),
            // The default model, Cortex-A72, has no LSE atomics and no pointer authentication; code compiled with
            // -march=armv8.1-a and later, or with -mbranch-protection, would stop at an undefined instruction.
            "aarch64" | "aarch64_be" | "aarch64_ilp32" => Cpu {
                name: "max",
                arch: Arch::ARM64,
                mode: if target.big_endian { Mode::BIG_ENDIAN } else { Mode::LITTLE_ENDIAN },
                model: Arm64CpuModel::MAX as i32,
                m_profile: false,
            },
            _ => return None,
        })
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
