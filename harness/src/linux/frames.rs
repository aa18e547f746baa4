//! What a signal handler finds on its stack, and what is taken from there when it returns: the state of the processor, as
//! `asm/sigcontext.h` and `asm/ucontext.h` of both architectures have it.

use super::abi::Structure;
use super::signals::{Action, Info, RESTORER, WITH_INFO, blockable};
use super::{Process, Served};
use crate::executor::hosted::engine::Engine;
use crate::executor::{AccessError, Guest, Register};

/// Bytes of `siginfo_t`.
const INFO: u64 = 128;

/// AArch64: where the processor's state is in `ucontext_t`, what is behind its registers, and how large it all is.
mod a64 {
    pub(super) const MASK: u64 = 40;
    pub(super) const CONTEXT: u64 = 176;
    pub(super) const RESERVED: u64 = CONTEXT + 288;
    pub(super) const SIZE: u64 = RESERVED + 4096;
    /// `fpsimd_context`
    pub(super) const VECTORS: u32 = 0x4650_8001;
    pub(super) const VECTORS_SIZE: u32 = 528;
    /// What of the status a process may set: N, Z, C and V, and which branch led here (BTYPE).
    pub(super) const STATUS: u64 = 0xf000_0c00;
}

/// ARM: the same, and the code behind it that older programs return to.
mod arm {
    pub(super) const CONTEXT: u64 = 20;
    pub(super) const MASK: u64 = 104;
    pub(super) const VECTORS_AT: u64 = 232;
    pub(super) const SIZE: u64 = VECTORS_AT + 512;
    pub(super) const CODE: u64 = 16;
    pub(super) const VECTORS: u32 = 0x5646_5001;
    pub(super) const VECTORS_SIZE: u32 = 288;
    /// What of CPSR a process may set: flags, Q, GE, and the state with that of an IT block.
    pub(super) const STATUS: u64 = 0xfe0f_fc20;
    /// What of CPSR a handler does not begin with: the state, and that of an IT block.
    pub(super) const STATE: u64 = 0x0600_fc20;
}

impl<E: Engine + 'static> Process<E> {
    /// Bytes that a frame takes at most.
    pub(super) fn signal_frame_size(&self) -> u64 {
        if self.abi.is_64 { INFO + a64::SIZE + 32 } else { INFO + arm::SIZE + arm::CODE + 8 }
    }

    fn core(&self, number: u8) -> u64 {
        self.machine.engine.get(Register::Core(number)) as u64
    }

    /// Writes the frame below this address, and has the process begin its handler on it. `mask` is what is blocked when it has
    /// returned.
    pub(super) fn push_frame(&mut self, top: u64, info: &Info, action: &Action, mask: u64) -> Result<(), AccessError> {
        let thumb = !self.abi.is_64 && action.handler & 1 != 0;
        let with_info = self.abi.is_64 || action.flags & WITH_INFO != 0;
        let link = match action.flags & RESTORER {
            0 => self.signal_return(thumb, with_info),
            _ => action.restorer,
        };
        let information = info.structure(self);
        let (frame, context) = if self.abi.is_64 {
            let record = (top & !15).wrapping_sub(16);
            let words = [self.core(29), self.core(30)].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
            self.machine.write(record, &words)?;
            let frame = record.wrapping_sub(INFO + a64::SIZE);
            let bytes = [information, self.context_64(info, mask)].concat();
            self.machine.write(frame, &bytes)?;
            self.machine.set(Register::Core(29), record.into());
            (frame, frame + INFO)
        } else if with_info {
            let frame = (top.wrapping_sub(INFO + arm::SIZE + arm::CODE) & 0xffff_ffff) & !7;
            let bytes = [information, self.context_32(info, mask, 0)].concat();
            self.machine.write(frame, &bytes)?;
            (frame, frame + INFO)
        } else {
            let frame = (top.wrapping_sub(arm::SIZE + arm::CODE) & 0xffff_ffff) & !7;
            // By this the kernel's own frames are known.
            let bytes = self.context_32(info, mask, 0x5ac3_c35a);
            self.machine.write(frame, &bytes)?;
            (frame, frame)
        };
        let mut registers = vec![(Register::Core(0), info.signal.into()), (Register::Sp, frame)];
        registers.push((Register::link(self.machine.info()), link));
        if with_info {
            registers.extend([(Register::Core(1), frame), (Register::Core(2), context)]);
        }
        if !self.abi.is_64 {
            registers.push((Register::Status, self.machine.get(Register::Status) as u64 & !arm::STATE));
        }
        for (register, value) in registers {
            self.machine.set(register, value.into());
        }
        self.machine.engine.set_pc(action.handler);
        Ok(())
    }

    /// `ucontext_t` of AArch64.
    fn context_64(&self, info: &Info, mask: u64) -> Vec<u8> {
        let stack = self.threads.current.signals.stack;
        let get = |register| self.machine.engine.get(register) as u64;
        let mut context = Structure::new(&self.abi).long(0).long(0);
        context = context.long(stack.start).int(stack.flags).int(0).long(stack.size).long(mask);
        context = context.up_to(a64::CONTEXT as usize).long(info.address.unwrap_or(0));
        for number in 0..31 {
            context = context.long(self.core(number));
        }
        context = context.long(get(Register::Sp)).long(get(Register::Pc)).long(get(Register::Status));
        context = context.up_to(a64::RESERVED as usize).int(a64::VECTORS).int(a64::VECTORS_SIZE);
        context = context.int(get(Register::FpStatus) as u32).int(get(Register::FpControl) as u32);
        for number in 0..32 {
            context = context.raw(&self.machine.engine.get(Register::Vector(number)).to_le_bytes());
        }
        context.up_to(a64::SIZE as usize).bytes()
    }

    /// `ucontext_t` of ARM.
    fn context_32(&self, info: &Info, mask: u64, flags: u32) -> Vec<u8> {
        let stack = self.threads.current.signals.stack;
        let get = |register| self.machine.engine.get(register) as u32;
        let mut context = Structure::new(&self.abi).int(flags).int(0);
        context = context.word(stack.start).int(stack.flags).word(stack.size);
        // trap_no, error_code and oldmask.
        context = context.int(0).int(0).int(mask as u32);
        for number in 0..15 {
            context = context.int(self.core(number) as u32);
        }
        context = context.int(get(Register::Pc)).int(get(Register::Status)).int(info.address.unwrap_or(0) as u32);
        context = context.long(mask).up_to(arm::VECTORS_AT as usize).int(arm::VECTORS).int(arm::VECTORS_SIZE);
        for number in 0..32 {
            context = context.long(self.machine.engine.get(Register::Double(number)) as u64);
        }
        context = context.int(get(Register::FpControl));
        context.up_to((arm::SIZE + arm::CODE) as usize).bytes()
    }

    /// rt_sigreturn and sigreturn: goes on where the signal came.
    pub(super) fn return_from_signal(&mut self, with_info: bool) -> Served {
        let sp = self.machine.get(Register::Sp) as u64;
        let context = if with_info { sp.wrapping_add(INFO) } else { sp };
        let size = if self.abi.is_64 { a64::RESERVED + u64::from(a64::VECTORS_SIZE) } else { arm::SIZE };
        let mut bytes = vec![0; size as usize];
        self.machine.read(context, &mut bytes)?;
        self.machine.engine.forget_reservations();
        let mask = if self.abi.is_64 { self.take_64(&bytes) } else { self.take_32(&bytes) };
        self.threads.current.signals.blocked = blockable(mask);
        // The value of the call is what was in its register.
        Ok(self.machine.get(Register::Core(0)) as u64)
    }

    fn take_64(&mut self, bytes: &[u8]) -> u64 {
        let long = |at: u64| number(bytes, at, 8);
        for (at, number) in (a64::CONTEXT + 8..).step_by(8).zip(0..31) {
            self.machine.set(Register::Core(number), long(at).into());
        }
        let behind = a64::CONTEXT + 8 + 31 * 8;
        let status = self.machine.get(Register::Status) as u64 & !a64::STATUS | long(behind + 16) & a64::STATUS;
        self.machine.set(Register::Sp, long(behind).into());
        self.machine.set(Register::Status, status.into());
        self.machine.engine.set_pc(long(behind + 8));
        if number(bytes, a64::RESERVED, 4) == u64::from(a64::VECTORS) {
            self.machine.set(Register::FpStatus, number(bytes, a64::RESERVED + 8, 4).into());
            self.machine.set(Register::FpControl, number(bytes, a64::RESERVED + 12, 4).into());
            for (at, number) in (a64::RESERVED + 16..).step_by(16).zip(0..32) {
                let value = u128::from(long(at)) | u128::from(long(at + 8)) << 64;
                self.machine.set(Register::Vector(number), value);
            }
        }
        long(a64::MASK)
    }

    fn take_32(&mut self, bytes: &[u8]) -> u64 {
        let word = |at: u64| number(bytes, at, 4);
        let first = arm::CONTEXT + 12;
        for (at, number) in (first..).step_by(4).zip(0..15) {
            self.machine.set(Register::Core(number), word(at).into());
        }
        let status = self.machine.get(Register::Status) as u64 & !arm::STATUS | word(first + 64) & arm::STATUS;
        // The state itself goes with the address.
        self.machine.set(Register::Status, u128::from(status & !0x20));
        self.machine.engine.set_pc(word(first + 60) & !1 | status >> 5 & 1);
        if word(arm::VECTORS_AT) == u64::from(arm::VECTORS) {
            for (at, number_of) in (arm::VECTORS_AT + 8..).step_by(8).zip(0..32) {
                self.machine.set(Register::Double(number_of), number(bytes, at, 8).into());
            }
            self.machine.set(Register::FpControl, word(arm::VECTORS_AT + 8 + 256).into());
        }
        number(bytes, arm::MASK, 8)
    }
}

/// A number of so many bytes in a frame; 0 where it is cut short.
fn number(bytes: &[u8], at: u64, width: usize) -> u64 {
    let at = at as usize;
    bytes.get(at..at + width).map_or(0, |bytes| bytes.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)))
}
