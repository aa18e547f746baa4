//! The embedded executor: an emulated processor inside this process.
//!
//! One engine is made for a target and used for any number of cases, with [`Executor::reset`] between them. The executor's own
//! memory is below 4 MiB, everything else is the linker's:
//!
//! | addresses | what |
//! |---|---|
//! | `0x10000` to `0x1ffff` | host functions (fetch only); the first address is where calls return to |
//! | `0x20000` | one page of the host's data: `stdout` and its like, the stack protector's guard |
//! | `0x30000` to `0x12ffff` | argument buffers |
//! | `0x140000` to `0x23ffff` | the stack, with nothing mapped on either side |
//! | `0x250000` to `0x28ffff` | the stack of finalize actions |
//! | `0x2a0000` to `0x39ffff` | the heap |
//! | `0x3a0000` to `0x3effff` | the thread's control block and variables, if there are any |
//! | `0x400000` | where `Place::Anywhere` begins |

mod cpu;
mod engine;
mod memory;
mod pages;

use std::ops::RangeInclusive;
use std::time::Instant;

use linker::Target;
use linker::layout::ThreadLocal;
use linker::memory::SigningKey;

use self::cpu::Cpu;
use self::engine::{Ended, Engine, Seen};
use self::pages::{Access, PAGE};
use super::{Budget, Call, Executor, Fault, FaultKind, Guest, Inaccessible, Register, Resume, Stop, TargetInfo};
use crate::host::{self, Host, Served};

pub use self::memory::{ActionFailed, Allocation, Forgotten, Reserved};

/// Where host functions are; the first is where calls return to.
const HOST: RangeInclusive<u64> = 0x1_0000..=0x1_ffff;
const HOST_DATA: RangeInclusive<u64> = 0x2_0000..=0x2_0fff;
const BUFFERS: RangeInclusive<u64> = 0x3_0000..=0x12_ffff;
/// Instructions that sign, one for each key, with a return behind each.
const SIGN: RangeInclusive<u64> = 0x13_0000..=0x13_0fff;
const STACK: RangeInclusive<u64> = 0x14_0000..=0x23_ffff;
const ACTION_STACK: RangeInclusive<u64> = 0x25_0000..=0x28_ffff;
const HEAP: RangeInclusive<u64> = 0x2a_0000..=0x39_ffff;
/// The thread's control block and variables.
const THREAD: RangeInclusive<u64> = 0x3a_0000..=0x3e_ffff;
/// The first address that is not the executor's own.
const ANYWHERE: u64 = 0x40_0000;
/// The first address of the executor's own: what is below is usable where a program may have to be (vector tables).
const OWN: u64 = 0x1_0000;

/// The machine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// No processor of this engine runs this target's code.
    #[error("no emulated processor for {0}")]
    Unsupported(&'static str),
    /// The engine itself failed.
    #[error("the emulator failed: {0}")]
    Engine(#[from] unicorn_engine::uc_error),
}

/// The part of the executor that host functions may touch while they work.
struct Machine {
    engine: Engine,
    info: TargetInfo,
}

/// An emulated machine. See the module's page.
pub struct Unicorn {
    machine: Machine,
    host: Host,
    budget: Budget,
    /// State of the function that was started: it has to return in the same one.
    thumb: bool,
    /// The host function that surfaced as a stop; resuming returns from it, unless the program counter was moved.
    waiting: Option<u64>,
    /// Counts resets: handles of an earlier life are refused.
    epoch: u64,
    next_buffer: u64,
    /// Segment buffers for reuse.
    pool: Vec<Vec<u8>>,
}

impl Unicorn {
    /// A machine for this target, with the standard host functions.
    pub fn new(target: &'static Target) -> Result<Unicorn, NewError> {
        let cpu = Cpu::of(target).ok_or(NewError::Unsupported(target.name))?;
        let engine = Engine::new(cpu, HOST)?;
        let mut usable = vec![ANYWHERE..=engine.wrap(u64::MAX)];
        if cpu.m_profile {
            usable.push(0..=OWN - 1);
        }
        let info =
            TargetInfo { target, cpu: cpu.name, abi: cpu.abi, m_profile: cpu.m_profile, page_size: PAGE, usable };
        let areas = host::Areas { functions: HOST, data: *HOST_DATA.start(), heap: HEAP };
        let host = Host::new(&info, areas);
        let mut unicorn = Unicorn {
            machine: Machine { engine, info },
            host,
            budget: Budget::default(),
            thumb: false,
            waiting: None,
            epoch: 0,
            next_buffer: *BUFFERS.start(),
            pool: Vec::new(),
        };
        unicorn.map_own();
        Ok(unicorn)
    }

    /// Notes from now on whether the guest executes or reads any of these bytes, until [`Unicorn::unwatch`]. A reset
    /// changes nothing about it.
    pub fn watch(&mut self, bytes: RangeInclusive<u64>) {
        // Callbacks are refused only for lack of memory; then nothing is seen.
        let _ = self.machine.engine.watch(Some(bytes));
    }

    /// Whether the guest has executed or read any of the watched bytes, which are watched no more.
    pub fn unwatch(&mut self) -> bool {
        let seen = self.machine.engine.seen();
        let _ = self.machine.engine.watch(None);
        seen
    }

    fn map_own(&mut self) {
        let engine = &mut self.machine.engine;
        for area in [BUFFERS, STACK, ACTION_STACK, HEAP] {
            engine.protect(area, Access::DATA);
        }
        engine.protect(HOST_DATA, Access::READ);
        // Known to be mapped.
        let _ = engine.write(*HOST_DATA.start(), self.host.data());
    }

    /// Where a function that is called from outside returns to, in this state.
    fn return_address(&self, thumb: bool) -> u64 {
        *HOST.start() | u64::from(thumb)
    }

    /// Whether the target of a branch says Thumb state.
    fn is_thumb(&self, address: u64) -> bool {
        !self.machine.info.is_64() && address & 1 == 1
    }

    /// Runs from an address with the Thumb bit until something happens that is not served here.
    fn go(&mut self, mut pc: u64, resume: Resume) -> Stop {
        let hooks = self.machine.engine.hooks();
        hooks.instructions = self.budget.instructions;
        let deadline = Instant::now().checked_add(self.budget.time);
        hooks.deadline = deadline;
        let count = usize::from(resume == Resume::Step);
        loop {
            // What M-profile hardware does on the branch itself, the engine would do one instruction late.
            if self.machine.info.m_profile && pc & 1 == 0 {
                return self.fault(FaultKind::State, pc, None);
            }
            match self.machine.engine.run(pc, count) {
                Ended::Seen(Seen::Host) => {}
                ended => return self.judge(ended),
            }
            let at = self.machine.engine.get(Register::Pc) as u64;
            if at == *HOST.start() {
                if self.machine.engine.thumb() != self.thumb {
                    return self.fault(FaultKind::State, at, None);
                }
                return Stop::Returned;
            }
            pc = match self.host.serve(&mut self.machine, at) {
                Served::Return => self.machine.engine.get(Register::link(&self.machine.info)) as u64,
                Served::Jump(to) => to,
                Served::Exit(exit) => return Stop::Exited(exit),
                Served::Stop(name) => {
                    self.waiting = Some(at);
                    return Stop::HostCall { name, address: self.host.guest_address(at) };
                }
                Served::Fault(name, Inaccessible { kind, address }) => {
                    return Stop::Fault(Fault { kind, pc: at, address: Some(address), host: Some(name) });
                }
                // Not the address of any function: the guest jumped somewhere.
                Served::Unknown => return self.fault(FaultKind::Fetch, at, Some(at)),
            };
            // A loop of host calls has to end, too; each is taken for a few instructions.
            let hooks = self.machine.engine.hooks();
            hooks.instructions = hooks.instructions.saturating_sub(8);
            if hooks.instructions == 0 || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                self.machine.engine.set_pc(pc);
                return Stop::OutOfBudget;
            }
            if resume == Resume::Step {
                // The call was the step.
                self.waiting = None;
                self.machine.engine.set_pc(pc);
                return Stop::Stepped;
            }
        }
    }

    fn fault(&self, kind: FaultKind, pc: u64, address: Option<u64>) -> Stop {
        Stop::Fault(Fault { kind, pc, address, host: None })
    }

    /// What the end of a run means.
    fn judge(&self, ended: Ended) -> Stop {
        let engine = &self.machine.engine;
        let pc = engine.get(Register::Pc) as u64;
        match ended {
            Ended::Seen(Seen::Access { kind, pc, address }) => self.fault(kind, pc, Some(address)),
            Ended::Seen(Seen::Fetch(page)) => {
                // The page is not that of the program counter when an instruction straddles two pages.
                let address = if pc & !(PAGE - 1) == page & !(PAGE - 1) { pc } else { page };
                self.fault(FaultKind::Fetch, pc, Some(address))
            }
            Ended::Seen(Seen::Exception(number)) => self.exception(number, pc),
            Ended::Seen(Seen::OutOfBudget) => Stop::OutOfBudget,
            Ended::Seen(Seen::OutOfMemory) => Stop::Lost("the program touched more memory than there is".to_owned()),
            Ended::Seen(Seen::Host) => Stop::Lost("a host call was not served".to_owned()),
            Ended::Counted => Stop::Stepped,
            // M-profile in A32 state refuses every instruction.
            Ended::Invalid if self.machine.info.m_profile && !engine.thumb() => self.fault(FaultKind::State, pc, None),
            Ended::Invalid => self.fault(FaultKind::Undefined, pc, None),
            Ended::Error(unicorn_engine::uc_error::OK) => Stop::Lost(format!("halted at {pc:#x}")),
            Ended::Error(error) => Stop::Lost(format!("the emulator failed at {pc:#x}: {error}")),
        }
    }

    /// Exceptions by QEMU's numbers (`target/arm/cpu.h`).
    fn exception(&self, number: u32, pc: u64) -> Stop {
        match number {
            // A misaligned program counter is the same exception as an undefined instruction.
            1 if self.machine.info.is_64() && pc & 3 != 0 => self.fault(FaultKind::Unaligned, pc, Some(pc)),
            1 | 17 => self.fault(FaultKind::Undefined, pc, None),
            2 => Stop::Syscall,
            3 => self.fault(FaultKind::Unaligned, pc, Some(pc)),
            // The only data aborts the engine itself raises: without an MMU there are no others.
            4 | 22 => self.fault(FaultKind::Unaligned, pc, None),
            7 => Stop::Breakpoint { pc },
            18 => self.fault(FaultKind::State, pc, None),
            number => Stop::Lost(format!("exception {number} at {pc:#x}")),
        }
    }

    /// Calls a function beside what is running: on a stack of its own, and with the processor's state put back afterwards.
    /// Its result is that of a pointer's width.
    fn aside(&mut self, function: u64, arguments: &[u64]) -> Result<u64, Stop> {
        let lost = |error: unicorn_engine::uc_error| Stop::Lost(error.to_string());
        let saved = self.machine.engine.save().map_err(lost)?;
        let (thumb, waiting) = (self.thumb, self.waiting.take());
        let registers = (0..).zip(arguments).map(|(n, &value)| (Register::Core(n), u128::from(value))).collect();
        let call = Call { function, registers, stack: Vec::new() };
        let stop = self.enter(&call, &ACTION_STACK);
        let result = self.machine.engine.get(Register::Core(0)) as u64;
        (self.thumb, self.waiting) = (thumb, waiting);
        self.machine.engine.restore(&saved).map_err(lost)?;
        if stop == Stop::Returned { Ok(result) } else { Err(stop) }
    }

    /// A pointer signed by the processor's own instruction. None where it has none.
    fn sign(&mut self, pointer: u64, key: SigningKey, modifier: u64) -> Option<Result<u64, Stop>> {
        let position = SigningKey::ALL.iter().position(|known| *known == key)? as u64;
        let code = engine::SIGN_CODE.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        if !self.machine.info.is_64() {
            return None;
        }
        self.machine.engine.protect(SIGN, Access::CODE);
        self.machine.engine.write(*SIGN.start(), &code).ok()?;
        Some(self.aside(SIGN.start() + 8 * position, &[pointer, modifier]))
    }

    fn enter(&mut self, call: &Call, stack: &RangeInclusive<u64>) -> Stop {
        // A multiple of 16 serves both architectures.
        let sp = (stack.end() + 1).saturating_sub(call.stack.len() as u64) & !15;
        if sp < *stack.start() || self.machine.engine.write(sp, &call.stack).is_err() {
            return Stop::Lost("the arguments do not fit on the stack".to_owned());
        }
        self.thumb = self.is_thumb(call.function);
        self.waiting = None;
        let link = self.return_address(self.thumb);
        let engine = &mut self.machine.engine;
        engine.set(Register::Sp, u128::from(sp));
        engine.set(Register::link(&self.machine.info), u128::from(link));
        for &(register, value) in &call.registers {
            engine.set(register, value);
        }
        self.go(call.function, Resume::Run)
    }
}

impl Machine {
    fn check(&self, address: u64, length: usize, kind: FaultKind) -> Result<(), Inaccessible> {
        let mut at = address;
        let mut left = length as u64;
        while left > 0 {
            at = self.engine.wrap(at);
            match self.engine.pages().regions.at(at) {
                Some((range, access)) if access.allows(kind) => {
                    let here = (range.end() - at).saturating_add(1).min(left);
                    at = at.wrapping_add(here);
                    left -= here;
                }
                _ => return Err(Inaccessible { kind, address: at }),
            }
        }
        Ok(())
    }
}

impl Guest for Machine {
    fn info(&self) -> &TargetInfo {
        &self.info
    }

    fn get(&self, register: Register) -> u128 {
        self.engine.get(register)
    }

    fn set(&mut self, register: Register, value: u128) {
        self.engine.set(register, value);
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible> {
        self.check(address, into.len(), FaultKind::Read)?;
        self.engine.read(address, into).map_err(|address| Inaccessible { kind: FaultKind::Read, address })
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.check(address, bytes.len(), FaultKind::Write)?;
        self.engine.write(address, bytes).map_err(|address| Inaccessible { kind: FaultKind::Write, address })
    }
}

impl Guest for Unicorn {
    fn info(&self) -> &TargetInfo {
        &self.machine.info
    }

    fn get(&self, register: Register) -> u128 {
        self.machine.get(register)
    }

    fn set(&mut self, register: Register, value: u128) {
        self.machine.set(register, value);
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible> {
        self.machine.read(address, into)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.machine.write(address, bytes)
    }
}

impl Executor for Unicorn {
    fn start(&mut self, call: &Call) -> Stop {
        self.enter(call, &STACK)
    }

    fn resume(&mut self, resume: Resume) -> Stop {
        let engine = &self.machine.engine;
        let pc = engine.get(Register::Pc) as u64;
        let from = match self.waiting.take() {
            Some(host) if host == pc => engine.get(Register::link(&self.machine.info)) as u64,
            _ => pc | u64::from(engine.thumb()),
        };
        self.go(from, resume)
    }

    fn reset(&mut self) {
        self.epoch += 1;
        self.waiting = None;
        self.thumb = false;
        self.next_buffer = *BUFFERS.start();
        self.host.reset();
        // Neither can fail on an engine that was made: the state is its own, the memory is mapped.
        let reset = self.machine.engine.reset();
        debug_assert!(reset.is_ok(), "{reset:?}");
        self.map_own();
    }

    fn peek(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible> {
        self.machine.engine.read(address, into).map_err(|address| Inaccessible { kind: FaultKind::Read, address })
    }

    fn poke(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.machine.engine.write(address, bytes).map_err(|address| Inaccessible { kind: FaultKind::Write, address })
    }

    fn set_thread(&mut self, image: &ThreadLocal) -> Result<(), String> {
        let (start, room) = (*THREAD.start(), THREAD.end() - THREAD.start());
        if image.alignment > start & start.wrapping_neg() || image.offset.saturating_add(image.size) > room {
            return Err(format!(
                "thread-local variables of {:#x} bytes, aligned to {:#x}, do not fit into the {room:#x} bytes of a thread",
                image.size, image.alignment
            ));
        }
        let mut bytes = vec![0; image.size as usize];
        self.peek(image.address, &mut bytes).map_err(|error| error.to_string())?;
        self.machine.engine.protect(THREAD, Access::DATA);
        self.poke(start + image.offset, &bytes).map_err(|error| error.to_string())?;
        let block = start + image.offset;
        self.host.set_thread(start, block);
        let register = if self.machine.info.is_64() { Register::Thread } else { Register::ThreadReadOnly };
        if !self.machine.info.m_profile {
            self.machine.engine.set(register, start.into());
        }
        Ok(())
    }

    fn buffer(&mut self, bytes: &[u8]) -> Result<u64, Inaccessible> {
        let address = self.next_buffer;
        let end = address.saturating_add(bytes.len() as u64).next_multiple_of(16);
        if end > *BUFFERS.end() {
            return Err(Inaccessible { kind: FaultKind::Write, address: *BUFFERS.end() });
        }
        self.poke(address, bytes)?;
        self.next_buffer = end;
        Ok(address)
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn host_mut(&mut self) -> &mut Host {
        &mut self.host
    }

    fn set_budget(&mut self, budget: Budget) {
        self.budget = budget;
    }
}
