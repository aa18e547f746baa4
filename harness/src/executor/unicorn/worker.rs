//! The emulator's own process: this program, started again, which does what is in its mailbox until its owner is gone.
//!
//! Unicorn calls `abort` where it should say that there is no such instruction. Whatever ends the process ends nothing else, and
//! a handler notes where it was.
#![expect(unsafe_code, reason = "what has to run before `main`, and in handlers of signals")]

use std::io::Read;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicPtr, Ordering};

use linker::Target;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::cpu::Cpu;
use super::engine::Emulator;
use super::mailbox::{Counter, Mailbox};
use super::pages::PHYSICAL_SIZE;
use crate::executor::hosted::engine::{Context as _, Ended};
use crate::executor::wire::batch::{self, Answer, Request, flags, next, stopped};
use crate::executor::wire::{Registers, Stopped};
use crate::executor::{FaultKind, Limit, Register, Resume, Stop};

/// The variable that makes a process an emulator: the name of its target.
pub(super) const VARIABLE: &str = "LINKRIG_EMULATOR";
/// Bytes that a process may have besides what it began with and the guest's memory: translated code, and tables of it.
const MEMORY: u64 = 1 << 30;

/// CPSR.T.
const THUMB: u128 = 1 << 5;

/// Any program that has this crate in it can be an emulator: whoever links it needs nothing else installed.
#[ctor::ctor(unsafe)]
fn begin() {
    let Some(name) = std::env::var_os(VARIABLE) else { return };
    // Somebody may have set it to something else.
    let Some(target) = name.to_str().and_then(Target::named) else { return };
    let Some(mailbox) = Mailbox::open(std::io::stdout().as_fd()) else { return };
    serve(target, Box::leak(Box::new(mailbox)));
}

fn serve(target: &'static Target, mailbox: &'static Mailbox) -> ! {
    // Ends with its owner, who has the other end, even while code runs.
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().read(&mut [0]);
        leave();
    });
    let made = Cpu::of(target).ok_or("no such processor".to_owned()).and_then(|cpu| {
        Emulator::new(cpu, super::info(target, &cpu, 0), mailbox.entered()).map_err(|error| error.to_string())
    });
    let emulator = match made {
        Ok(emulator) => emulator,
        Err(error) => {
            let mut answer = Answer::default();
            answer.fail(u32::MAX, 0, 0);
            mailbox.post(Counter::Answer, &[answer.as_bytes(), error.as_bytes()].concat());
            leave();
        }
    };
    bound();
    unbuffer();
    let file: Vec<Register> = Register::file(emulator.info()).collect();
    let registers = registers(&emulator, &file);
    let mut worker =
        Worker { emulator, file, mailbox, pristine: registers.clone(), registers, answer: Answer::default() };
    listen_for_death(&mut worker.emulator, mailbox);
    worker.answer.begin();
    worker.answer.registers(&worker.pristine);
    let (mut seen, mut message) = (0, Vec::new());
    loop {
        mailbox.post(Counter::Answer, worker.answer.as_bytes());
        while !mailbox.wait(Counter::Request, seen, None) {}
        seen = seen.wrapping_add(1);
        mailbox.take(&mut message);
        worker.serve(&message);
    }
}

/// Ends the process and does nothing else: not even what others have registered for the end of theirs.
fn leave() -> ! {
    // SAFETY: nothing runs after it.
    unsafe { libc::_exit(0) }
}

/// Bounds the memory of the process. Its own death is an answer; that of the whole machine is none.
fn bound() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages: Option<u64> = pages.and_then(|pages| pages.split(' ').next()?.parse().ok());
    let Some(pages) = pages else { return };
    let most = pages * rustix::param::page_size() as u64 + MEMORY;
    debug_assert!(most > PHYSICAL_SIZE);
    let before = getrlimit(Resource::As);
    let current = before.current.map_or(most, |before| before.min(most));
    let _ = setrlimit(Resource::As, Rlimit { current: Some(current), maximum: before.maximum });
}

/// Has the emulator's last line written at once: it prints and aborts.
fn unbuffer() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
    }
    // SAFETY: the C library's own stream, before anything was printed and while nobody else prints.
    unsafe { libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IONBF, 0) };
}

static EMULATOR: AtomicPtr<Emulator> = AtomicPtr::new(std::ptr::null_mut());
static MAILBOX: AtomicPtr<Mailbox> = AtomicPtr::new(std::ptr::null_mut());

/// Has it noted where the guest was when a signal ends the process.
fn listen_for_death(emulator: &mut Emulator, mailbox: &'static Mailbox) {
    EMULATOR.store(emulator, Ordering::Relaxed);
    MAILBOX.store(std::ptr::from_ref(mailbox).cast_mut(), Ordering::Relaxed);
    const SIZE: usize = 256 * 1024;
    let stack = Box::leak(vec![0_u8; SIZE].into_boxed_slice());
    // SAFETY: the structures are plain numbers, for which 0 is a value; the stack is leaked; the handler is one, and does
    // only what a handler may.
    unsafe {
        let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIZE };
        libc::sigaltstack(&raw const stack, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note_death as *const () as usize;
        // The second time it is the system's way to end the process.
        action.sa_flags = libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_NODEFER;
        for signal in [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

extern "C" fn note_death(signal: libc::c_int) {
    let (emulator, mailbox) = (EMULATOR.load(Ordering::Relaxed), MAILBOX.load(Ordering::Relaxed));
    // SAFETY: both stay until the end of the process. The emulator may be in the midst of something, but what is read of it
    // are the registers and tables that a translation does not change; and if they are broken, the next signal ends it all.
    let (Some(emulator), Some(mailbox)) = (unsafe { emulator.as_ref() }, unsafe { mailbox.as_ref() }) else { return };
    let (pc, thumb) = (emulator.get(Register::Pc) as u64, emulator.thumb());
    mailbox.note(signal as u32, pc, thumb, |into| emulator.code(pc, into));
    // Sent from outside it would be over with the handler.
    // SAFETY: the signal's action is the system's own by now.
    unsafe { libc::raise(signal) };
}

/// All registers, as they are on the wire.
fn registers(emulator: &Emulator, file: &[Register]) -> Registers {
    let mut registers = Registers::new(emulator.info().target);
    for &register in file {
        registers.set(register, emulator.get(register));
    }
    registers
}

struct Worker {
    emulator: Emulator,
    /// All registers there are.
    file: Vec<Register>,
    mailbox: &'static Mailbox,
    /// The registers of a processor that is as new.
    pristine: Registers,
    /// The registers as the owner knows them.
    registers: Registers,
    answer: Answer,
}

impl Worker {
    /// Does a batch.
    fn serve(&mut self, message: &[u8]) {
        self.answer.begin();
        let mut rest = message;
        let mut number = 0;
        while !rest.is_empty() {
            let Some(request) = next(&mut rest) else { return self.answer.fail(batch::MISUNDERSTOOD, number, 0) };
            if let Err((failure, address)) = self.operation(request) {
                return self.answer.fail(failure, number, address);
            }
            number += 1;
        }
    }

    /// Does an operation, or says what is wrong with which address.
    fn operation(&mut self, request: Request<'_>) -> Result<(), (u32, u64)> {
        let emulator = &mut self.emulator;
        match request {
            Request::Reset => {
                emulator.reset();
                self.registers = self.pristine.clone();
            }
            Request::Renew => {
                emulator.renew();
                self.registers = self.pristine.clone();
            }
            Request::Map(pages, access) | Request::Protect(pages, access) => emulator.protect(pages, access),
            Request::Split(at) => emulator.split(at),
            Request::Unmap(start) => emulator.unmap(start).map_err(|_| (batch::UNMAPPED, start))?,
            Request::Write(address, bytes) => emulator.write(address, bytes).map_err(|at| {
                let mapped = emulator.regions().at(at).is_some();
                (if mapped { batch::NO_MEMORY } else { batch::UNMAPPED }, at)
            })?,
            Request::Read(address, size) => {
                let size = usize::try_from(size).map_err(|_| (batch::MISUNDERSTOOD, address))?;
                emulator.read(address, self.answer.bytes(size)).map_err(|at| (batch::UNMAPPED, at))?;
            }
            Request::Run(how, registers) => self.run(how, registers),
            Request::Gates(range) => emulator.set_host(range),
            Request::Allow(budget) => emulator.allow(budget),
            // Callbacks are refused only for lack of memory; then nothing is seen.
            Request::Watch(bytes) => drop(emulator.watch(bytes)),
            Request::Traps(traps) => emulator.set_traps(traps).map_err(|_| (batch::NO_MEMORY, 0))?,
            Request::Notes => self.answer.notes(&emulator.take_notes()),
            Request::Watched => self.answer.long(emulator.seen().into()),
            Request::Translate(address, thumb, code) => emulator
                .translate(address, thumb, code, self.mailbox.translated())
                .map_err(|_| (batch::MISUNDERSTOOD, address))?,
        }
        Ok(())
    }

    fn run(&mut self, how: u32, wanted: &[u8]) {
        let mut registers = self.registers.clone();
        registers.read(wanted);
        let is_64 = self.emulator.info().is_64();
        let vectors_stay = registers.has_vectors_of(&self.registers);
        for &register in &self.file {
            let stays = vectors_stay && matches!(register, Register::Vector(_) | Register::Double(_));
            if stays || register == Register::Pc {
                continue;
            }
            // The state goes with the address.
            let mask = if register == Register::Status && !is_64 { !THUMB } else { !0 };
            let value = registers.get(register);
            if (value ^ self.registers.get(register)) & mask != 0 {
                self.emulator.set(register, value);
            }
        }
        let begin = registers.pc() | u64::from(registers.thumb());
        let resume = if how & flags::STEP == 0 { Resume::Run } else { Resume::Step };
        let ended = self.emulator.run(begin, resume);
        let (stopped, words) = self.encode(ended);
        self.answer.stopped(stopped, &self.registers);
        self.answer.bytes(words.len()).copy_from_slice(words.as_bytes());
        self.answer.long(self.emulator.instructions());
    }

    /// How a run ended, with the registers then.
    fn encode(&mut self, ended: Ended) -> (Stopped, String) {
        self.registers = registers(&self.emulator, &self.file);
        if let Some(sight) = self.emulator.sight.take() {
            return (batch::stopped_for(sight), String::new());
        }
        let stopped = |kind, address| (Stopped { kind, detail: 0, address }, String::new());
        match ended {
            Ended::Host => stopped(stopped::FETCH, self.registers.pc()),
            Ended::Stop(Stop::Fault(fault)) => {
                // The engine may be an instruction further.
                self.registers.set(Register::Pc, fault.pc.into());
                let kind = match fault.kind {
                    FaultKind::Read => stopped::READ,
                    FaultKind::Write => stopped::WRITE,
                    FaultKind::Fetch => stopped::FETCH,
                    FaultKind::Undefined => stopped::UNDEFINED,
                    FaultKind::Breakpoint => stopped::BREAKPOINT,
                    FaultKind::Unaligned if fault.address.is_none() => stopped::UNALIGNED_SOMEWHERE,
                    FaultKind::Unaligned => stopped::UNALIGNED,
                    FaultKind::State => stopped::STATE,
                    // What an engine sees of it is a write.
                    FaultKind::Stack => stopped::WRITE,
                };
                stopped(kind, fault.address.unwrap_or(0))
            }
            Ended::Stop(Stop::Breakpoint { .. }) => stopped(stopped::BREAKPOINT, 0),
            Ended::Stop(Stop::Syscall) => stopped(stopped::SYSTEM_CALL, 0),
            Ended::Stop(Stop::Stepped) => stopped(stopped::STEPPED, 0),
            Ended::Stop(Stop::OutOfBudget(limit)) => {
                let (kind, detail) = match limit {
                    Limit::Memory => (stopped::OUT_OF_MEMORY, 0),
                    Limit::Time => (stopped::OUT_OF_BUDGET, stopped::TIME),
                    _ => (stopped::OUT_OF_BUDGET, stopped::INSTRUCTIONS),
                };
                (Stopped { kind, detail, address: 0 }, String::new())
            }
            Ended::Stop(Stop::Refused(why)) => {
                (Stopped { kind: stopped::OTHER, detail: why.len() as u32, address: 0 }, why)
            }
            Ended::Stop(stop) => {
                let why = format!("{stop:?}");
                (Stopped { kind: stopped::OTHER, detail: why.len() as u32, address: 0 }, why)
            }
        }
    }
}
