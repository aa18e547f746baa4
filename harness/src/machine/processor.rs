//! The processors that targets are run on: a row for each target.

use linker::Target;

/// What runs the code of a target.
#[derive(Debug)]
pub struct Processor {
    /// The target's name in [`linker::TARGETS`].
    pub target: &'static str,
    /// The processor, as its maker calls it; `max` is the emulators' own, which has all that they know.
    pub name: &'static str,
    /// Thumb only, without A32 state, and with the exceptions of a microcontroller.
    pub m_profile: bool,
    /// QEMU's emulator of Linux processes, where a C library serves as a reference.
    pub user_mode: Option<&'static str>,
}

/// Every target's. The default of emulators for A64 has no LSE atomics and no pointer authentication: code compiled with
/// -march=armv8.1-a and later, or with -mbranch-protection, would stop at an undefined instruction.
#[rustfmt::skip]
pub static PROCESSORS: &[Processor] = &[
    Processor { target: "armv7", name: "Cortex-A15", m_profile: false, user_mode: Some("qemu-arm") },
    Processor { target: "thumbv7", name: "Cortex-A15", m_profile: false, user_mode: Some("qemu-arm") },
    Processor { target: "armv6", name: "ARM1176", m_profile: false, user_mode: None },
    Processor { target: "thumbv6m", name: "Cortex-M0", m_profile: true, user_mode: None },
    Processor { target: "thumbv7m", name: "Cortex-M3", m_profile: true, user_mode: None },
    Processor { target: "aarch64", name: "max", m_profile: false, user_mode: Some("qemu-aarch64") },
    Processor { target: "armebv7", name: "Cortex-A15", m_profile: false, user_mode: None },
    Processor { target: "thumbebv7", name: "Cortex-A15", m_profile: false, user_mode: None },
    Processor { target: "aarch64_be", name: "max", m_profile: false, user_mode: None },
    Processor { target: "aarch64_ilp32", name: "max", m_profile: false, user_mode: None },
];

impl Processor {
    /// The processor of a target.
    pub fn of(target: &Target) -> Option<&'static Processor> {
        PROCESSORS.iter().find(|processor| processor.target == target.name)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_row_for_each_target() {
        let rows: Vec<_> = super::PROCESSORS.iter().map(|row| row.target).collect();
        let targets: Vec<_> = linker::TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(rows, targets);
    }
}
