//! An executor over any [`Engine`]: the emulator in this process, or a processor behind a wire.
//!
//! It is made for a target and used for any number of cases, with [`Executor::reset`] between them. Its own memory is below
//! 4 MiB, everything else is the linker's:
//!
//! | addresses | what |
//! |---|---|
//! | `0x10000` to `0x1ffff` | host functions (fetch only); calls return to the first address, in Thumb state to `0x10008` |
//! | `0x20000` | one page of the host's data: `stdout` and its like, the stack protector's guard |
//! | `0x30000` to `0x12ffff` | argument buffers |
//! | `0x140000` to `0x23ffff` | the stack, with nothing mapped on either side |
//! | `0x250000` to `0x28ffff` | the stack of finalize actions |
//! | `0x2a0000` to `0x39ffff` | the heap |
//! | `0x3a0000` to `0x3effff` | the thread's control block and variables, if there are any |
//! | `0x400000` | where `Place::Anywhere` begins |
//!
//! All of it is counted from [`TargetInfo::origin`], which is 0 wherever addresses can be chosen.

pub mod engine;
mod memory;

use std::ops::RangeInclusive;
use std::time::Duration;

use linker::layout::ThreadLocal;
use linker::memory::SigningKey;

use self::engine::{Access, Ended, Engine};
use super::{Budget, Call, Executor, Fault, FaultKind, Guest, Inaccessible, Lost, Register, Resume, Stop, TargetInfo};
use crate::host::{self, Host, Served};

pub use self::memory::{ActionFailed, Allocation, Forgotten, Reserved};

/// Where host functions are; the first is where calls return to, those in Thumb state [`RETURN_THUMB`] bytes further on.
const HOST: RangeInclusive<u64> = 0x1_0000..=0x1_ffff;
const RETURN_THUMB: u64 = 8;
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

/// `pacia x0, x1` and the same for the other keys, in the order of their encoding, each with `ret` behind it.
const SIGN_CODE: [u32; 8] = [0xdac1_0020, RET, 0xdac1_0420, RET, 0xdac1_0820, RET, 0xdac1_0c20, RET];
const RET: u32 = 0xd65f_03c0;

/// The part of the executor that host functions may touch while they work.
struct Machine<E> {
    engine: E,
}

/// A machine that linked programs run on. See the module's page.
pub struct Hosted<E> {
    machine: Machine<E>,
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

/// Where programs may be, as far as this is concerned: all but its own memory.
pub fn usable(is_64: bool, m_profile: bool, origin: u64) -> Vec<RangeInclusive<u64>> {
    let mut usable = vec![origin + ANYWHERE..=if is_64 { u64::MAX } else { u64::from(u32::MAX) }];
    if m_profile {
        usable.push(origin..=origin + OWN - 1);
    }
    usable
}

/// An area where it is when memory begins at `origin`.
fn moved(origin: u64, area: RangeInclusive<u64>) -> RangeInclusive<u64> {
    origin + area.start()..=origin + area.end()
}

impl<E: Engine> Hosted<E> {
    /// A machine around an engine, with the standard host functions.
    pub fn around(mut engine: E) -> Hosted<E> {
        let origin = engine.info().origin;
        let functions = moved(origin, HOST);
        engine.set_host(functions.clone());
        let areas = host::Areas { functions, data: origin + HOST_DATA.start(), heap: moved(origin, HEAP) };
        let host = Host::new(engine.info(), areas);
        let mut hosted = Hosted {
            machine: Machine { engine },
            host,
            budget: Budget::default(),
            thumb: false,
            waiting: None,
            epoch: 0,
            next_buffer: origin + BUFFERS.start(),
            pool: Vec::new(),
        };
        hosted.map_own();
        hosted
    }

    /// The engine.
    pub fn engine(&self) -> &E {
        &self.machine.engine
    }

    /// The engine, to be told what no executor in general is.
    pub fn engine_mut(&mut self) -> &mut E {
        &mut self.machine.engine
    }

    fn map_own(&mut self) {
        let engine = &mut self.machine.engine;
        let origin = engine.info().origin;
        for area in [BUFFERS, STACK, ACTION_STACK, HEAP] {
            engine.protect(moved(origin, area), Access::DATA);
        }
        engine.protect(moved(origin, HOST_DATA), Access::READ);
        // Known to be mapped.
        let _ = engine.write(origin + HOST_DATA.start(), self.host.data());
    }

    /// Where one of its areas is.
    fn own(&self, area: RangeInclusive<u64>) -> RangeInclusive<u64> {
        moved(self.info().origin, area)
    }

    /// Where a function that is called from outside returns to, in this state.
    fn return_address(&self, thumb: bool) -> u64 {
        self.own(HOST).start() + if thumb { RETURN_THUMB | 1 } else { 0 }
    }

    /// Whether the target of a branch says Thumb state.
    fn is_thumb(&self, address: u64) -> bool {
        !self.info().is_64() && address & 1 == 1
    }

    /// Runs from an address with the Thumb bit until something happens that is not served here.
    fn go(&mut self, mut pc: u64, resume: Resume) -> Stop {
        self.machine.engine.allow(self.budget);
        let returned = [false, true].map(|thumb| self.return_address(thumb) & !1);
        loop {
            let engine = &mut self.machine.engine;
            // What M-profile hardware does on the branch itself, an engine would do one instruction late.
            if engine.info().m_profile && pc & 1 == 0 {
                return fault(FaultKind::State, pc, None);
            }
            match engine.run(pc, resume) {
                Ended::Host => {}
                Ended::Stop(stop) => return stop,
            }
            let at = engine.get(Register::Pc) as u64;
            if returned.contains(&at) {
                let expected = at == returned[usize::from(self.thumb)] && engine.thumb() == self.thumb;
                return if expected { Stop::Returned } else { fault(FaultKind::State, at, None) };
            }
            let thumb = engine.thumb();
            let served = self.host.serve(&mut self.machine, at, thumb);
            // A function that cannot read memory because the machine is gone found no fault of the guest.
            if let Some(lost) = self.machine.engine.lost() {
                return Stop::Lost(lost.clone());
            }
            pc = match served {
                Served::Return => self.link(),
                Served::Jump(to) => to,
                Served::Exit(exit) => return Stop::Exited(exit),
                Served::Stop(name) => {
                    self.waiting = Some(at);
                    return Stop::HostCall { name, address: self.host.guest_address(at) };
                }
                Served::Fault(name, Inaccessible { kind, address }) => {
                    return Stop::Fault(Fault { kind, pc: at, address: Some(address), host: Some(name) });
                }
                Served::State => return fault(FaultKind::State, at, None),
                // Not the address of any function: the guest jumped somewhere.
                Served::Unknown => return fault(FaultKind::Fetch, at, Some(at)),
            };
            // A loop of host calls has to end, too.
            if !self.machine.engine.charge() {
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

    /// The link register.
    fn link(&self) -> u64 {
        self.machine.get(Register::link(self.info())) as u64
    }

    /// Calls a function beside what is running: on a stack of its own, and with the processor's state put back afterwards.
    /// Its result is that of a pointer's width.
    fn aside(&mut self, function: u64, arguments: &[u64]) -> Result<u64, Stop> {
        let saved = self.machine.engine.save().map_err(Stop::Refused)?;
        let (thumb, waiting) = (self.thumb, self.waiting.take());
        let registers = (0..).zip(arguments).map(|(n, &value)| (Register::Core(n), u128::from(value))).collect();
        let call = Call { function, registers, stack: Vec::new() };
        let stop = self.enter(&call, ACTION_STACK);
        let result = self.machine.engine.get(Register::Core(0)) as u64;
        (self.thumb, self.waiting) = (thumb, waiting);
        self.machine.engine.restore(&saved).map_err(Stop::Refused)?;
        if stop == Stop::Returned { Ok(result) } else { Err(stop) }
    }

    /// A pointer signed by the processor's own instruction. None where it has none.
    fn sign(&mut self, pointer: u64, key: SigningKey, modifier: u64) -> Option<Result<u64, Stop>> {
        let position = SigningKey::ALL.iter().position(|known| *known == key)? as u64;
        if !self.info().signs {
            return None;
        }
        let code: Vec<u8> = SIGN_CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
        let area = self.own(SIGN);
        self.machine.engine.protect(area.clone(), Access::CODE);
        self.machine.engine.write(*area.start(), &code).ok()?;
        Some(self.aside(area.start() + 8 * position, &[pointer, modifier]))
    }

    fn enter(&mut self, call: &Call, stack: RangeInclusive<u64>) -> Stop {
        let stack = self.own(stack);
        // A multiple of 16 serves both architectures.
        let sp = (stack.end() + 1).saturating_sub(call.stack.len() as u64) & !15;
        if sp < *stack.start() || self.machine.engine.write(sp, &call.stack).is_err() {
            return Stop::Refused("the arguments do not fit on the stack".to_owned());
        }
        self.thumb = self.is_thumb(call.function);
        self.waiting = None;
        let link = self.return_address(self.thumb);
        let register = Register::link(self.info());
        let engine = &mut self.machine.engine;
        engine.set(Register::Sp, u128::from(sp));
        engine.set(register, u128::from(link));
        for &(register, value) in &call.registers {
            engine.set(register, value);
        }
        self.go(call.function, Resume::Run)
    }
}

fn fault(kind: FaultKind, pc: u64, address: Option<u64>) -> Stop {
    Stop::Fault(Fault { kind, pc, address, host: None })
}

impl<E: Engine> Machine<E> {
    fn check(&self, address: u64, length: usize, kind: FaultKind) -> Result<(), Inaccessible> {
        let mut at = address;
        let mut left = length as u64;
        while left > 0 {
            at = self.engine.wrap(at);
            match self.engine.regions().at(at) {
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

impl<E: Engine> Guest for Machine<E> {
    fn info(&self) -> &TargetInfo {
        self.engine.info()
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

impl<E: Engine> Guest for Hosted<E> {
    fn info(&self) -> &TargetInfo {
        self.machine.engine.info()
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

impl<E: Engine> Executor for Hosted<E> {
    fn start(&mut self, call: &Call) -> Stop {
        self.enter(call, STACK)
    }

    fn resume(&mut self, resume: Resume) -> Stop {
        let engine = &self.machine.engine;
        let pc = engine.get(Register::Pc) as u64;
        let from = match self.waiting.take() {
            Some(host) if host == pc => self.link(),
            _ => pc | u64::from(engine.thumb()),
        };
        self.go(from, resume)
    }

    fn reset(&mut self) {
        self.epoch += 1;
        self.waiting = None;
        self.thumb = false;
        self.next_buffer = *self.own(BUFFERS).start();
        self.host.reset();
        self.machine.engine.reset();
        self.map_own();
    }

    fn peek(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible> {
        self.machine.engine.read(address, into).map_err(|address| Inaccessible { kind: FaultKind::Read, address })
    }

    fn poke(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.machine.engine.write(address, bytes).map_err(|address| Inaccessible { kind: FaultKind::Write, address })
    }

    fn set_thread(&mut self, image: &ThreadLocal) -> Result<(), String> {
        let area = self.own(THREAD);
        let (start, room) = (*area.start(), area.end() - area.start());
        if image.alignment > start & start.wrapping_neg() || image.offset.saturating_add(image.size) > room {
            return Err(format!(
                "thread-local variables of {:#x} bytes, aligned to {:#x}, do not fit into the {room:#x} bytes of a thread",
                image.size, image.alignment
            ));
        }
        let mut bytes = vec![0; image.size as usize];
        self.peek(image.address, &mut bytes).map_err(|error| error.to_string())?;
        self.machine.engine.protect(area, Access::DATA);
        self.poke(start + image.offset, &bytes).map_err(|error| error.to_string())?;
        let block = start + image.offset;
        self.host.set_thread(start, block);
        let register = if self.info().is_64() { Register::Thread } else { Register::ThreadReadOnly };
        if !self.info().m_profile {
            self.machine.engine.set(register, start.into());
        }
        Ok(())
    }

    fn buffer(&mut self, bytes: &[u8]) -> Result<u64, Inaccessible> {
        let address = self.next_buffer;
        let end = address.saturating_add(bytes.len() as u64).next_multiple_of(16);
        let last = *self.own(BUFFERS).end();
        if end > last {
            return Err(Inaccessible { kind: FaultKind::Write, address: last });
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

    fn lost(&self) -> Option<&Lost> {
        self.machine.engine.lost()
    }

    fn waited(&self) -> Duration {
        self.machine.engine.waited()
    }

    fn set_budget(&mut self, budget: Budget) {
        self.budget = budget;
    }
}
