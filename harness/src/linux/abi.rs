//! What of the interface between a process and the system is another for each instruction set.

use linker::Target;

use crate::machine::{Processor, Register};

/// The interface for one instruction set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abi {
    pub(super) target: &'static Target,
    pub(super) is_64: bool,
    /// Whether the system is Linux. Otherwise there is none: the program asks a debugger by semihosting.
    pub(super) is_linux: bool,
    /// The register with the number of a system call.
    pub(super) number: Register,
    pub(super) cpu: &'static Cpu,
    /// The first address behind the stack.
    pub(super) stack_end: u64,
    /// Where an executable is put that can be anywhere.
    pub(super) movable: u64,
    /// The first address that is no process's.
    pub(super) end: u64,
}

/// How wide the fields of `timespec` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Those of a C long.
    Narrow,
    /// 64 bits.
    Wide,
}

/// What the system says of a processor.
#[derive(Debug)]
pub(super) struct Cpu {
    /// As [`Processor`] calls it.
    name: &'static str,
    /// AT_HWCAP and AT_HWCAP2.
    pub(super) capabilities: [u64; 2],
    /// AT_PLATFORM.
    pub(super) platform: &'static str,
    /// What uname calls the machine.
    pub(super) machine: &'static str,
}

/// Bits of AT_HWCAP (asm/hwcap.h), as far as the emulated processors have what they stand for.
mod arm {
    pub(super) const SWP: u64 = 1 << 0;
    pub(super) const HALF: u64 = 1 << 1;
    pub(super) const THUMB: u64 = 1 << 2;
    pub(super) const FAST_MULT: u64 = 1 << 4;
    pub(super) const VFP: u64 = 1 << 6;
    pub(super) const EDSP: u64 = 1 << 7;
    pub(super) const JAVA: u64 = 1 << 8;
    pub(super) const NEON: u64 = 1 << 12;
    pub(super) const VFPV3: u64 = 1 << 13;
    pub(super) const TLS: u64 = 1 << 15;
    pub(super) const VFPV4: u64 = 1 << 16;
    pub(super) const IDIVA: u64 = 1 << 17;
    pub(super) const IDIVT: u64 = 1 << 18;
    pub(super) const VFPD32: u64 = 1 << 19;
    pub(super) const LPAE: u64 = 1 << 20;
    pub(super) const V6: u64 = SWP | HALF | THUMB | FAST_MULT | VFP | EDSP | JAVA | TLS;
    pub(super) const V7: u64 =
        HALF | THUMB | FAST_MULT | VFP | EDSP | NEON | VFPV3 | TLS | VFPV4 | IDIVA | IDIVT | VFPD32 | LPAE;
}

/// FP, ASIMD, AES, PMULL, SHA1, SHA2, CRC32, ATOMICS, FPHP, ASIMDHP, ASIMDRDM, JSCVT, FCMA, LRCPC, SHA3, SM3, SM4, ASIMDDP, SHA512,
/// ASIMDFHM and PACA of asm/hwcap.h.
const A64: u64 = 0b11 | 0x3f << 3 | 0b11 << 9 | 0b1111 << 12 | 0b1_1111 << 17 | 1 << 23 | 1 << 30;

#[rustfmt::skip]
static CPUS: &[Cpu] = &[
    Cpu { name: "max", capabilities: [A64, 0], platform: "aarch64", machine: "aarch64" },
    Cpu { name: "Cortex-A15", capabilities: [arm::V7, 0], platform: "v7l", machine: "armv7l" },
    Cpu { name: "Cortex-M0", capabilities: [0, 0], platform: "v6m", machine: "armv6m" },
    Cpu { name: "Cortex-M3", capabilities: [0, 0], platform: "v7m", machine: "armv7m" },
    Cpu { name: "ARM1176", capabilities: [arm::V6, 0], platform: "v6l", machine: "armv6l" },
];

impl Abi {
    /// The interface for a target's processes, if there are any here.
    pub(super) fn of(target: &'static Target) -> Option<Abi> {
        let processor = Processor::of(target)?;
        let is_64 = target.register_bits == 64;
        // Programs with pointers of half a register, and those in the other byte order, have interfaces of their own.
        if target.big_endian || target.pointer_bits != target.register_bits {
            return None;
        }
        let cpu = CPUS.iter().find(|cpu| cpu.name == processor.name)?;
        Some(if processor.m_profile {
            // The end of what a Cortex-M takes for memory and not for devices (ARMv7-M ARM, B3.1).
            let end = 0xa000_0000;
            let number = Register::Core(7);
            Abi { target, is_64, is_linux: false, number, cpu, stack_end: end, movable: 0x8000, end }
        } else if is_64 {
            Abi {
                target,
                is_64,
                is_linux: true,
                number: Register::Core(8),
                cpu,
                stack_end: 0x7f_ffff_f000,
                movable: 0x55_5555_0000,
                end: 1 << 39,
            }
        } else {
            Abi {
                target,
                is_64,
                is_linux: true,
                number: Register::Core(7),
                cpu,
                stack_end: 0xbeff_f000,
                movable: 0x0040_0000,
                end: 0xbf00_0000,
            }
        })
    }

    /// Bytes of a pointer, and of what C calls long.
    pub(super) fn word(&self) -> usize {
        self.target.pointer_bytes()
    }
}

/// A structure as the process sees it: fields one behind another, each aligned by whoever writes it.
#[derive(Debug)]
pub(super) struct Structure {
    abi: Abi,
    bytes: Vec<u8>,
}

impl Structure {
    pub(super) fn new(abi: &Abi) -> Structure {
        Structure { abi: *abi, bytes: Vec::new() }
    }

    fn number(mut self, value: u64, width: usize) -> Structure {
        self.bytes.extend(self.abi.target.bytes(value, width));
        self
    }

    pub(super) fn half(self, value: u16) -> Structure {
        self.number(value.into(), 2)
    }

    pub(super) fn int(self, value: u32) -> Structure {
        self.number(value.into(), 4)
    }

    pub(super) fn long(self, value: u64) -> Structure {
        self.number(value, 8)
    }

    /// A pointer, or what C calls long.
    pub(super) fn word(self, value: u64) -> Structure {
        let width = self.abi.word();
        self.number(value, width)
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Structure {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Zeros up to this many bytes.
    pub(super) fn up_to(mut self, size: usize) -> Structure {
        self.bytes.resize(size.max(self.bytes.len()), 0);
        self
    }

    /// Zeros up to a multiple of this many bytes.
    pub(super) fn aligned(self, to: usize) -> Structure {
        let size = self.bytes.len().next_multiple_of(to);
        self.up_to(size)
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}
