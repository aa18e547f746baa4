//! The guest's registers in the engine.

use unicorn_engine::{RegisterARMCP, uc_error};

use super::cpu::THUMB;
use super::engine::Emulator;
use crate::machine::Register;

/// The thread register of 32-bit code that it may write itself, which the engine knows by its coprocessor's numbers only.
const TPIDRURW: RegisterARMCP = RegisterARMCP { cp: 15, is64: 0, sec: 0, crn: 13, crm: 0, opc1: 0, opc2: 2, val: 0 };

impl Emulator {
    /// Whether it is in Thumb state.
    pub(super) fn thumb(&self) -> bool {
        !self.cpu.is_64() && self.get(Register::Status) as u32 & THUMB != 0
    }

    /// A register; 0 for one there is not.
    pub(super) fn get(&self, register: Register) -> u128 {
        let low = |id: Option<i32>| id.and_then(|id| self.uc.reg_read(id).ok()).unwrap_or(0);
        match register {
            Register::Low(n) => u128::from(low(self.cpu.register(Register::Core(n))) & 0xffff_ffff),
            Register::Vector(n) if self.cpu.is_64() => {
                let id = unicorn_engine::RegisterARM64::Q0 as i32 + i32::from(n.min(31));
                let bytes = self.uc.reg_read_long(id).unwrap_or_default();
                <[u8; 16]>::try_from(&bytes[..]).map_or(0, u128::from_le_bytes)
            }
            Register::Vector(n) => {
                let half = |n| u128::from(low(self.cpu.register(Register::Double(n))));
                half(n * 2) | half(n * 2 + 1) << 64
            }
            Register::Thread if !self.cpu.is_64() && !self.cpu.m_profile => {
                let mut register = TPIDRURW;
                self.uc.reg_read_arm_coproc(&mut register).map_or(0, |()| u128::from(register.val))
            }
            _ => {
                let value = low(self.cpu.register(register));
                // 32-bit registers are read into the lower half of a zero.
                u128::from(value)
            }
        }
    }

    /// Sets a register, cut to its width.
    pub(super) fn set(&mut self, register: Register, value: u128) {
        let cpu = self.cpu;
        let result = match register {
            Register::Low(n) => self.set_plain(Register::Core(n), value & 0xffff_ffff),
            Register::Vector(n) if cpu.is_64() => {
                let id = unicorn_engine::RegisterARM64::Q0 as i32 + i32::from(n.min(31));
                self.uc.reg_write_long(id, &value.to_le_bytes())
            }
            Register::Vector(n) => self
                .set_plain(Register::Double(n * 2), value & u128::from(u64::MAX))
                .and_then(|()| self.set_plain(Register::Double(n * 2 + 1), value >> 64)),
            // Writing it sets the state from bit 0, which is not part of the register.
            Register::Pc if !cpu.is_64() => {
                let thumb = u128::from(self.thumb());
                self.set_plain(register, (value & !1) | thumb)
            }
            Register::Thread if !cpu.is_64() && !cpu.m_profile => {
                self.uc.reg_write_arm_coproc(&RegisterARMCP { val: value as u64 & 0xffff_ffff, ..TPIDRURW })
            }
            _ => self.set_plain(register, value),
        };
        debug_assert!(result.is_ok(), "{register:?}: {result:?}");
    }

    /// Sets where the next run would begin, with the Thumb bit.
    pub(super) fn set_pc(&mut self, pc: u64) {
        let result = self.set_plain(Register::Pc, u128::from(pc));
        debug_assert!(result.is_ok(), "{result:?}");
    }

    fn set_plain(&mut self, register: Register, value: u128) -> Result<(), uc_error> {
        let Some(id) = self.cpu.register(register) else { return Ok(()) };
        self.uc.reg_write(id, value as u64)
    }
}
