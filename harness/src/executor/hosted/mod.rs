//! An executor over any [`Engine`]: a processor behind a wire.
//!
//! It is made for a target and used for any number of cases, with [`Executor::reset`] between them. Its own memory is below
//! 4 MiB, everything else is the linker's:
//!
//! | addresses | what |
//! |---|---|
//! | `0x10000` to `0x1ffff` | host functions (fetch only); calls return to the first address, in Thumb state to `0x10008` |
//! | `0x20000` | one page of the host's data: `stdout` and its like, the stack protector's guard |
//! | `0x21000` | one page that holds `errno` |
//! | `0x22000` | instructions that sign pointers, once one was signed |
//! | `0x140000` to `0x23ffff` | the stack, with nothing mapped on either side |
//! | `0x250000` to `0x28ffff` | the stack of finalize actions |
//! | `0x2a0000` to `0x31efff` | the heap |
//! | `0x320000` to `0x39ffff` | argument buffers |
//! | `0x3a0000` to `0x3effff` | the thread's control block and variables, if there are any |
//! | `0x3f0000` | where programs may begin, which is 4 MiB on an M profile |
//! | `0x400000` | where `Place::Anywhere` begins |
//!
//! A heap, arguments, a thread or a stack that need more than that get pages in which nothing else is.
//!
//! All of it is counted from [`TargetInfo::origin`], which is 0 wherever addresses can be chosen.

mod areas;
pub mod engine;
mod memory;
pub(crate) mod metered;

use std::ops::RangeInclusive;
use std::time::Duration;

use linker::layout::ThreadLocal;
use linker::memory::SigningKey;

use self::areas::{
    ACTION_STACK, BUFFERS, HEAP, HOST, HOST_DATA, HOST_VARIABLES, RETURN_THUMB, SIGN, STACK, THREAD, moved,
};
use self::engine::{Access, Ended, Engine, PAGE};
use self::metered::Metered;
use super::attendant::Alone;
use super::{
    AccessError, Attendant, Budget, Call, Executor, Fault, FaultKind, Guest, Inaccessible, Limit, Lost, Register,
    Resume, Stop, TargetInfo, Unattended,
};
use crate::host::{self, Host, Served};
use crate::machine::GUARD;

pub use self::areas::usable;
pub use self::memory::{ActionFailed, Allocation, Forgotten, Reserved};

/// `pacia x0, x1` and the same for the other keys, in the order of their encoding, each with `ret` behind it.
const SIGN_CODE: [u32; 8] = [0xdac1_0020, RET, 0xdac1_0420, RET, 0xdac1_0820, RET, 0xdac1_0c20, RET];
const RET: u32 = 0xd65f_03c0;

/// How much of an image of thread-local variables is copied at a time.
const COPIED: u64 = 1 << 16;

/// A machine that linked programs run on. See the module's page.
pub struct Hosted<E> {
    machine: Metered<E>,
    host: Host,
    /// State of the function that was started: it has to return in the same one.
    thumb: bool,
    /// The host function that surfaced as a stop; resuming returns from it, unless the program counter was moved.
    waiting: Option<u64>,
    /// Counts resets: handles of an earlier life are refused.
    epoch: u64,
    /// Room for arguments.
    buffers: RangeInclusive<u64>,
    next_buffer: u64,
    /// The stack of calls, and the one that is in use.
    stack: RangeInclusive<u64>,
    running: RangeInclusive<u64>,
    /// Segment buffers for reuse.
    pool: Vec<Vec<u8>>,
}

impl<E: Engine> Hosted<E> {
    /// A machine around an engine, with the standard host functions.
    pub fn around(mut engine: E) -> Hosted<E> {
        let origin = engine.info().origin;
        let functions = moved(origin, HOST);
        engine.set_host(functions.clone());
        let areas = host::Areas {
            functions,
            data: origin + HOST_DATA.start(),
            errno: origin + HOST_VARIABLES.start(),
            heap: moved(origin, HEAP),
        };
        let host = Host::new(engine.info(), areas);
        let mut hosted = Hosted {
            machine: Metered::new(engine),
            host,
            thumb: false,
            waiting: None,
            epoch: 0,
            buffers: moved(origin, BUFFERS),
            next_buffer: 0,
            stack: moved(origin, STACK),
            running: moved(origin, STACK),
            pool: Vec::new(),
        };
        hosted.begin();
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

    /// What a machine has before a program is there.
    fn begin(&mut self) {
        self.buffers = self.own(BUFFERS);
        self.next_buffer = *self.buffers.start();
        (self.stack, self.running) = (self.own(STACK), self.own(STACK));
        self.renew();
        self.machine.grown = 0;
        let engine = &mut self.machine.engine;
        let origin = engine.info().origin;
        for area in [BUFFERS, STACK, ACTION_STACK, HEAP, HOST_VARIABLES] {
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
    fn go(&mut self, pc: u64, resume: Resume) -> Stop {
        let begun = self.machine.begin();
        let stop = self.run(pc, resume);
        self.machine.end(begun);
        match stop {
            Stop::Fault(fault) => {
                let sp = self.machine.get(Register::Sp) as u64;
                Stop::Fault(fault.below_stack(self.info().target, *self.running.start(), PAGE, sp))
            }
            stop => stop,
        }
    }

    fn run(&mut self, mut pc: u64, resume: Resume) -> Stop {
        let returned = [false, true].map(|thumb| self.return_address(thumb) & !1);
        loop {
            let engine = &mut self.machine.engine;
            // What M-profile hardware does on the branch itself, an engine would do one instruction late.
            if engine.info().m_profile && pc & 1 == 0 {
                return fault(FaultKind::State, pc, None);
            }
            match engine.run(pc, resume, &mut Alone) {
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
                Served::Failed(name, AccessError::Inaccessible(Inaccessible { kind, address })) => {
                    return Stop::Fault(Fault { kind, pc: at, address: Some(address), host: Some(name) });
                }
                Served::Failed(_, AccessError::Exhausted(limit)) => return Stop::OutOfBudget(limit),
                Served::Failed(_, AccessError::Refused(why)) => return Stop::Refused(why),
                Served::State => return fault(FaultKind::State, at, None),
                // Not the address of any function: the guest jumped somewhere.
                Served::Unknown => return fault(FaultKind::Fetch, at, Some(at)),
            };
            // A loop of host calls has to end, too.
            if !self.machine.engine.charge() {
                self.machine.engine.set_pc(pc);
                return Stop::OutOfBudget(if self.machine.is_late() { Limit::Time } else { Limit::Instructions });
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
        let running = self.running.clone();
        let registers = (0..).zip(arguments).map(|(n, &value)| (Register::Core(n), u128::from(value))).collect();
        let call = Call { function, registers, stack: Vec::new() };
        let stop = self.enter(&call, self.own(ACTION_STACK));
        let result = self.machine.engine.get(Register::Core(0)) as u64;
        (self.thumb, self.waiting, self.running) = (thumb, waiting, running);
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
        // A multiple of 16 serves both architectures.
        let sp = (stack.end() + 1).saturating_sub(call.stack.len() as u64) & !15;
        if sp < *stack.start() || self.machine.engine.write(sp, &call.stack).is_err() {
            return Stop::Refused("the arguments do not fit on the stack".to_owned());
        }
        self.running = stack;
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

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), AccessError> {
        self.machine.look(address, into)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.machine.put(address, bytes)
    }
}

impl<E: Engine> Executor for Hosted<E> {
    fn start(&mut self, call: &Call) -> Stop {
        self.enter(call, self.stack.clone())
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
        self.host.reset();
        self.machine.engine.reset();
        self.begin();
    }

    fn peek(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible> {
        self.machine.engine.read(address, into).map_err(|address| Inaccessible { kind: FaultKind::Read, address })
    }

    fn poke(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.machine.engine.write(address, bytes).map_err(|address| Inaccessible { kind: FaultKind::Write, address })
    }

    fn set_thread(&mut self, image: &ThreadLocal) -> Result<(), String> {
        let needed = image.offset.saturating_add(image.size);
        let own = self.own(THREAD);
        let fits = needed <= own.end() - own.start() && own.start().is_multiple_of(image.alignment.max(1));
        let engine = &mut self.machine.engine;
        let area = if fits {
            engine.protect(own.clone(), Access::DATA);
            own
        } else {
            areas::more(engine, needed, image.alignment).ok_or_else(|| {
                let (size, alignment, left) = (image.size, image.alignment, engine.memory());
                format!(
                    "there is no room for thread-local variables of {size:#x} bytes, aligned to {alignment:#x}: the machine has \
                     {left:#x} bytes of memory"
                )
            })?
        };
        let start = *area.start();
        let content = image.content.min(image.size);
        let mut piece = vec![0; content.min(COPIED) as usize];
        let mut done = 0;
        while done < content {
            let piece = &mut piece[..(content - done).min(COPIED) as usize];
            self.peek(image.address.wrapping_add(done), piece).map_err(|error| error.to_string())?;
            // The memory is zero, and takes room only when it is written.
            if piece.iter().any(|&byte| byte != 0) {
                self.poke(start + image.offset + done, piece).map_err(|error| error.to_string())?;
            }
            done += piece.len() as u64;
        }
        let block = start + image.offset;
        self.host.set_thread(start, block);
        let register = if self.info().is_64() { Register::Thread } else { Register::ThreadReadOnly };
        if !self.info().m_profile {
            self.machine.engine.set(register, start.into());
        }
        Ok(())
    }

    fn set_stack(&mut self, bytes: u64) -> Result<(), String> {
        let own = self.own(STACK);
        if bytes <= own.end() - own.start() + 1 {
            let start = own.end() + 1 - bytes.max(PAGE).next_multiple_of(PAGE);
            // What is used of it is at its end; that more is mapped below would hide that it was too small.
            if start > *own.start() {
                self.machine.engine.unmap(*own.start())?;
                self.machine.engine.protect(start..=*own.end(), Access::DATA);
            }
            self.stack = start..=*own.end();
            return Ok(());
        }
        let engine = &mut self.machine.engine;
        let none = || format!("there is no room for a stack of {bytes:#x} bytes");
        let size = bytes.checked_next_multiple_of(PAGE).ok_or_else(none)?;
        let area = areas::unused(engine, size.saturating_add(GUARD), PAGE).ok_or_else(none)?;
        let stack = area.start() + GUARD..=*area.end();
        // Nothing else is to be where an overflow is noticed.
        engine.regions_mut().insert(*area.start()..=stack.start() - 1, Access::NONE);
        engine.protect(stack.clone(), Access::DATA);
        self.stack = stack;
        Ok(())
    }

    fn extend(&mut self, end: u64) {
        let engine = &mut self.machine.engine;
        let regions = engine.regions();
        let start = match regions.at(end) {
            Some((region, _)) => region.end().checked_add(1),
            None => end.checked_next_multiple_of(PAGE),
        };
        let Some(start) = start else { return };
        let usable = engine.info().usable.iter().find(|range| range.contains(&start));
        let Some(last) = usable.map(|range| *range.end()) else { return };
        // A page stays between it and what is behind.
        let last = regions.after(start).map_or(last, |next| next.saturating_sub(PAGE + 1)).min(last);
        let room = ((engine.memory() / 2) & !(PAGE - 1)).max(PAGE);
        if last > start && engine.wrap(last) == last {
            let pages = start..=last.min(start.saturating_add(room - 1));
            engine.protect(*pages.start()..=pages.end() | (PAGE - 1), Access::DATA);
        }
    }

    fn buffer(&mut self, bytes: &[u8]) -> Result<u64, Inaccessible> {
        let fits = |at: u64, area: &RangeInclusive<u64>| {
            at.checked_add(bytes.len() as u64)?.checked_next_multiple_of(16).filter(|end| end - 1 <= *area.end())
        };
        if fits(self.next_buffer, &self.buffers).is_none() {
            let wanted = (bytes.len() as u64).max(1 << 20);
            let no_room = Inaccessible { kind: FaultKind::Write, address: *self.buffers.end() };
            self.buffers = areas::more(&mut self.machine.engine, wanted, 0).ok_or(no_room)?;
            self.next_buffer = *self.buffers.start();
        }
        let address = self.next_buffer;
        self.poke(address, bytes)?;
        self.next_buffer = fits(address, &self.buffers).unwrap_or(address);
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
        self.machine.budget = budget;
        self.renew();
    }

    fn attend(&mut self, attendant: Box<dyn Attendant>) -> Result<(), Unattended> {
        self.machine.engine.attend(attendant)
    }

    fn conclude(&mut self, stop: &Stop) {
        self.machine.engine.conclude(stop, &mut Alone);
    }

    fn renew(&mut self) {
        self.machine.renew();
        self.host.set_output(self.machine.budget.output);
    }
}
