//! Semihosting (Arm's specification, in ARM-software/abi-aa): a program without a system asks a debugger, by an instruction that
//! traps, an operation's number in r0 or x0 and a parameter in r1 or x1. Which operations there are, `calls/operations` says.
//!
//! | instruction | of |
//! |---|---|
//! | `bkpt 0xab` | the M profile |
//! | `svc 0x123456`, in Thumb state `svc 0xab` | others with 32 bits |
//! | `hlt 0xf000`, in Thumb state `hlt 0x3c` | the same since ARMv8, and A64 |
//!
//! `svc` is Linux's, too. Who uses it for the one does not for the other, so the first that is executed decides.

use std::collections::BTreeMap;

use rustix::io::Errno;

use super::{End, Fail, Process};
use crate::executor::attendant::Attended;
use crate::executor::hosted::engine::Engine;
use crate::executor::{FaultKind, Register, Stop};

/// `bkpt 0xab`
const BREAKPOINT: u32 = 0xbeab;
/// `hlt 0xf000` of A64, `hlt 0x3c` of T32 and `hlt 0xf000` of A32.
const HALT_A64: u32 = 0xd45e_0000;
const HALT_T32: u32 = 0xbabc;
const HALT_A32: u32 = 0xe10f_0070;
/// `svc 0xab` of T32, and `svc 0x123456` of A32 without the condition.
const CALL_T32: u32 = 0xdfab;
const CALL_A32: u32 = 0x0f12_3456;
/// Operations that are counted by number, at most: the program chooses them.
const MOST_COUNTED: usize = 1024;

/// What `svc` means in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Call {
    /// None was executed yet.
    #[default]
    Undecided,
    Linux,
    Semihosting,
}

/// How a program asks, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Asks {
    call: Call,
    /// What went wrong last.
    pub(super) errno: i32,
    /// The bytes of a command line for which the program had no room, and how many it had, the zero behind included.
    pub(super) too_long: Option<(u64, u64)>,
    /// Operations that nothing here serves, by number, and how often each was asked for.
    unknown: BTreeMap<u64, u64>,
}

impl Asks {
    /// Notes an operation that nothing here serves.
    pub(super) fn count(&mut self, operation: u64) {
        if self.unknown.len() < MOST_COUNTED || self.unknown.contains_key(&operation) {
            *self.unknown.entry(operation).or_insert(0) += 1;
        }
    }
}

/// Whether a processor has stopped for somebody who serves semihosting, by an instruction that is nothing else.
pub fn is_request(processor: &mut dyn Attended, stop: &Stop) -> bool {
    let thumb = processor.pc() & 1 != 0;
    let is_64 = processor.info().is_64();
    let (pc, wanted) = match stop {
        Stop::Breakpoint { pc } => (*pc, BREAKPOINT),
        Stop::Fault(fault) if fault.kind == FaultKind::Undefined => (fault.pc, halt(thumb, is_64)),
        _ => return false,
    };
    let mut bytes = [0; 4];
    let size = if thumb { 2 } else { 4 };
    processor.read(pc & !1, &mut bytes[..size]).is_ok() && u32::from_le_bytes(bytes) == wanted
}

/// The instruction that stops a processor with a system.
fn halt(thumb: bool, is_64: bool) -> u32 {
    match thumb {
        true => HALT_T32,
        false if is_64 => HALT_A64,
        false => HALT_A32,
    }
}

impl<E: Engine + 'static> Process<E> {
    /// Where a program goes on, with the Thumb bit, that has stopped to ask a debugger.
    pub(super) fn is_semihosting(&mut self, stop: &Stop) -> Option<u64> {
        let thumb = self.machine.engine.thumb();
        let size = if thumb { 2 } else { 4 };
        let next = |pc: u64| pc.wrapping_add(size) | u64::from(thumb);
        match stop {
            Stop::Breakpoint { pc } if !self.abi.is_linux && self.instruction(*pc) == Some(BREAKPOINT) => {
                Some(next(*pc))
            }
            Stop::Fault(fault) if fault.kind == FaultKind::Undefined => {
                let halt = halt(thumb, self.abi.is_64);
                (self.abi.is_linux && self.instruction(fault.pc) == Some(halt)).then(|| next(fault.pc))
            }
            Stop::Syscall if self.abi.is_linux && !self.abi.is_64 && self.asks.call != Call::Linux => {
                let pc = self.machine.engine.get(Register::Pc) as u64;
                let call = self.instruction(pc.wrapping_sub(size));
                let asks =
                    if thumb { call == Some(CALL_T32) } else { call.map(|word| word & 0x0fff_ffff) == Some(CALL_A32) };
                if self.asks.call == Call::Undecided {
                    self.asks.call = if asks { Call::Semihosting } else { Call::Linux };
                }
                asks.then_some(pc | u64::from(thumb))
            }
            _ => None,
        }
    }

    /// The instruction at an address, in Thumb state the first half of it.
    fn instruction(&mut self, pc: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        let size = if self.machine.engine.thumb() { 2 } else { 4 };
        self.machine.engine.read(self.machine.engine.wrap(pc), &mut bytes[..size]).ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    /// Does what the program asks for, which goes on there.
    pub(super) fn semihost(&mut self, behind: u64) -> Option<End> {
        let [operation, parameter] = [0, 1].map(|n| self.machine.engine.get(Register::Core(n)) as u64);
        self.machine.engine.set_pc(behind);
        match self.answer(|process| process.operate(operation, parameter)) {
            Ok(value) => self.machine.engine.set(Register::Core(0), value.into()),
            Err(Fail::End(end)) => return Some(end),
            Err(Fail::Wait(wait)) => {
                self.threads.wait(wait);
                return None;
            }
            // What went wrong has been told.
            Err(Fail::Error(_) | Fail::Exit) => {}
        }
        self.threads.current.until = None;
        None
    }

    /// What an operation comes to. What goes wrong is told as the specification says, and kept for who asks (SYS_ERRNO).
    fn operate(&mut self, operation: u64, parameter: u64) -> Result<u64, Fail> {
        // Registers of A64 have an operation in their lower half.
        let operation = operation & 0xffff_ffff;
        let result = match self.serve_operation(operation, parameter) {
            None => {
                self.asks.count(operation);
                Err(Errno::NOSYS.into())
            }
            Some(result) => result,
        };
        match result {
            Err(Fail::Error(errno)) => {
                self.asks.errno = errno.raw_os_error();
                Ok(u64::MAX)
            }
            result => result,
        }
    }

    /// The bytes of the command line, and for how many the program had room, where those were less.
    pub fn long_command_line(&self) -> Option<(u64, u64)> {
        self.asks.too_long
    }

    /// Operations that were asked for and that nothing here serves: each by its number, and how often.
    pub fn unknown_operations(&self) -> &BTreeMap<u64, u64> {
        &self.asks.unknown
    }

    /// Asks for an operation in the program's place, of what is left of its run, and says what it would get.
    ///
    /// # Errors
    /// The program has ended with it; or, without an end, it would have to wait.
    pub fn ask_operation(&mut self, operation: u64, parameter: u64) -> Result<u64, Option<End>> {
        let begun = self.machine.begin();
        let answer = self.answer(|process| process.operate(operation, parameter));
        self.machine.end(begun);
        answer.map_err(|fail| if let Fail::End(end) = fail { Some(end) } else { None })
    }
}
