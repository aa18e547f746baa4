//! A Linux process in the emulator: an executable mapped as the system maps it, started at its entry point, and given what it asks
//! the system for. A program for a processor without a system is one, too: it asks a debugger for the same things, by semihosting
//! (`semihosting`), as programs of Linux can.
//!
//! What a process sees of the system is here and nowhere else: its memory (`space`), what is on its stack when it starts
//! (`stack`), files (`files`), signals (`signals`, `frames`), and one table of system calls (`calls`), each with its number for
//! AArch64 and for the ARM EABI. Nothing of the host is reachable but standard input, output and error, and what the user grants.
//! Whatever a process asks for is taken from the budget of its run.

mod abi;
mod calls;
mod clock;
mod counter;
mod crew;
mod delivery;
mod files;
mod frames;
mod opened;
mod pages;
mod random;
mod roots;
mod scheduler;
mod semihosting;
mod shared;
mod signals;
mod space;
mod stack;
mod threads;

use linker::Target;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

use self::abi::Abi;
pub use self::calls::command_line;
use self::clock::{Clock, Timer};
use self::files::Files;
use self::random::Random;
use self::semihosting::Asks;
pub use self::semihosting::is_request;
use self::signals::{Info, Signals};
use self::space::Space;
use self::threads::{Threads, Wait};
use crate::executor::hosted::engine::{Ended, Engine};
use crate::executor::hosted::metered::Metered;
use crate::executor::{
    AccessError, Attendant, Budget, Fault, FaultKind, Guest, Limit, Register, Resume, Stop, TargetInfo, Unattended,
};
use crate::host::Sink;
use crate::linked::Mapped;

pub use self::roots::{Grant, GrantError, Roots};
pub use self::scheduler::Waiting;
pub use self::signals::name as signal_name;
pub use self::space::InFile;

/// What a process is started with.
pub struct Start<'a> {
    /// The name that it is called by (AT_EXECFN), which is its first argument, too.
    pub name: &'a str,
    /// Its arguments behind that.
    pub arguments: &'a [String],
    /// Its environment, each `NAME=VALUE`.
    pub environment: &'a [String],
    /// Bytes that its stack may have.
    pub stack: u64,
    /// Decides what it gets for random numbers, and when which thread has its turn.
    pub seed: u64,
    /// What it may take.
    pub budget: Budget,
    /// The directory in which it works, as it calls that.
    pub directory: &'a str,
    /// Rights that files which it makes do not have, until it says otherwise.
    pub umask: u32,
}

/// A process did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no room for something.
    #[error("there is no room for {0}")]
    NoRoom(String),
    /// Processes for this target do not run here.
    #[error("nothing here serves the system calls of {0}")]
    Target(&'static str),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Exited(u8),
    /// By a signal that it did not handle, which it sent itself or which an instruction raised.
    Killed {
        /// The signal's number.
        signal: u32,
        /// What the instruction did.
        fault: Option<Fault>,
    },
    /// All its threads wait, and nobody is there who could end that.
    Deadlock(Vec<Waiting>),
    /// It used up its budget, or the machine failed.
    Stopped(Stop),
}

/// Why a system call has no result.
#[derive(Debug)]
enum Fail {
    /// The process is told this.
    Error(Errno),
    /// The process ends.
    End(End),
    /// The thread waits.
    Wait(Wait),
    /// The thread ends.
    Exit,
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Fail {
        Fail::Error(errno)
    }
}

impl From<AccessError> for Fail {
    fn from(error: AccessError) -> Fail {
        match error {
            AccessError::Inaccessible(_) => Fail::Error(Errno::FAULT),
            AccessError::Exhausted(limit) => Fail::End(End::Stopped(Stop::OutOfBudget(limit))),
            AccessError::Refused(why) => Fail::End(End::Stopped(Stop::Refused(why))),
        }
    }
}

/// What a system call comes to.
type Served = Result<u64, Fail>;

/// What reading and writing come to.
enum Moved<T> {
    Done(T),
    /// It has to wait for somebody.
    Waits,
}

/// Host work that a system call is taken for, besides the bytes that it looks at.
const CALL: u64 = 256;

/// A process.
pub struct Process<E: Engine> {
    machine: Metered<E>,
    abi: Abi,
    space: Space,
    files: Files,
    roots: Roots,
    /// The absolute path of the directory in which it works.
    directory: Vec<u8>,
    umask: u32,
    signals: Signals,
    random: Random,
    threads: Threads<E::Context>,
    clock: Clock,
    timer: Option<Timer>,
    /// The status of the first thread, if that has ended.
    status: u8,
    /// How often it wanted another process.
    forks: u64,
    /// System calls that nothing here serves, by number, and how often each was made.
    unknown: BTreeMap<u64, u64>,
    /// How it asks for things.
    asks: Asks,
    /// The words that it is called by, its name first.
    words: Vec<String>,
    name: String,
}

impl<E: Engine + 'static> Process<E> {
    /// Maps an executable into an engine that has nothing in it, with the run-time linker that it wants, and puts on the stack what a process finds there. `sink` takes what
    /// it prints, and `roots` are the files that it can reach.
    ///
    /// # Errors
    /// There is no room, or no such system.
    pub fn new(
        engine: E,
        (executable, interpreter): (&Mapped, Option<&Mapped>),
        start: &Start<'_>,
        roots: Roots,
        sink: Sink,
    ) -> Result<Process<E>, StartError> {
        let target = engine.info().target;
        let abi = Abi::of(target).ok_or(StartError::Target(target.name))?;
        let mut machine = Metered::new(engine);
        machine.budget = start.budget;
        machine.renew();
        let space = Space::new(&abi, start.stack);
        let mut process = Process {
            machine,
            space,
            files: Files::new(sink, start.budget.output),
            roots,
            directory: start.directory.as_bytes().to_vec(),
            umask: start.umask,
            signals: Signals::default(),
            random: Random::new(start.seed),
            threads: Threads::new(start.name, start.seed),
            clock: Clock::new(),
            timer: None,
            status: 0,
            forks: 0,
            unknown: BTreeMap::new(),
            asks: Asks::default(),
            words: std::iter::once(start.name)
                .chain(start.arguments.iter().map(String::as_str))
                .map(str::to_owned)
                .collect(),
            name: start.name.to_owned(),
            abi,
        };
        process.map_executable(executable)?;
        let linker = interpreter.map(|interpreter| process.map_interpreter(interpreter)).transpose()?;
        let sp = if process.abi.is_linux {
            process.map_kernel_page();
            process.begin_stack(executable, linker.unwrap_or(0), start)?
        } else {
            process.abi.stack_end
        };
        let entry = match (interpreter, linker) {
            (Some(interpreter), Some(base)) => base.wrapping_add(interpreter.entry),
            _ => process.space.base.wrapping_add(executable.entry),
        };
        process.machine.engine.set(Register::Sp, sp.into());
        process.machine.engine.set_pc(entry);
        Ok(process)
    }

    /// Has the time of day at which it begins be this one since 1970, instead of the host's: then all of its run can be had again.
    pub fn begin_at(&mut self, date: Duration) {
        self.clock.begin_at(date);
    }

    /// Has it find nothing on its standard input, instead of what is on ours.
    pub fn close_input(&mut self) {
        self.files.close_input();
    }

    /// Whether processes for this target run here.
    pub fn is_for(target: &'static Target) -> bool {
        Abi::of(target).is_some()
    }

    /// How far the executable is from where it says.
    pub fn base(&self) -> u64 {
        self.space.base
    }

    /// System calls that were made and that nothing here serves: each by its number, and how often.
    pub fn unknown_calls(&self) -> &BTreeMap<u64, u64> {
        &self.unknown
    }

    /// How often it wanted another process, of which there are none.
    pub fn forks(&self) -> u64 {
        self.forks
    }

    /// The thread whose registers are shown: its number and what it calls itself. None if there is no other and never was.
    pub fn thread(&self) -> Option<(u32, String)> {
        let thread = &self.threads.current;
        (self.threads.had_others()).then(|| (thread.id, thread.called()))
    }

    /// The files that it can reach.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// A register of the thread that ran last, or was last shown.
    pub fn get(&self, register: Register) -> u128 {
        self.machine.engine.get(register)
    }

    /// Fills a buffer with what is in memory from an address on. Whether it is all there.
    pub fn read(&mut self, address: u64, into: &mut [u8]) -> bool {
        self.machine.engine.read(address, into).is_ok()
    }

    /// Writes what is in memory from an address on, whatever the process may do there. Whether it is all there.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        self.machine.engine.write(address, bytes).is_ok()
    }

    /// All registers with their names.
    pub fn registers(&self) -> Vec<(String, u128)> {
        let info = self.machine.engine.info();
        Register::file(info).map(|register| (register.name(info), self.get(register))).collect()
    }

    /// The machine that it runs on.
    pub fn info(&self) -> &TargetInfo {
        self.machine.engine.info()
    }

    /// Has somebody attend its processor.
    ///
    /// # Errors
    /// That is possible on the embedded emulator only.
    pub fn attend(&mut self, attendant: Box<dyn Attendant>) -> Result<(), Unattended> {
        self.machine.engine.attend(attendant)
    }

    /// Tells whoever attends the processor that the program has come to its end.
    pub fn conclude(&mut self, stop: &Stop) {
        self.machine.engine.conclude(stop, &mut self.threads);
    }

    /// Runs it to its end.
    pub fn run(&mut self) -> End {
        let begun = self.machine.begin();
        let end = loop {
            if let Some(end) = self.schedule().or_else(|| self.deliver_signals()) {
                break end;
            }
            if let Some(end) = self.run_once() {
                break end;
            }
        };
        self.settle_all();
        self.machine.end(begun);
        end
    }

    /// Runs until something happens, and serves that.
    fn run_once(&mut self) -> Option<End> {
        let left = self.machine.engine.unspent();
        let turn = self.turn().map_or(left, |turn| turn.min(left));
        self.allow(turn);
        let engine = &mut self.machine.engine;
        let pc = engine.get(Register::Pc) as u64 | u64::from(engine.thumb());
        let ended = engine.run(pc, Resume::Run, &mut self.threads);
        let used = turn.saturating_sub(engine.unspent());
        self.pass(used);
        self.allow(left - used);
        let stop = match ended {
            // There is no such place.
            Ended::Host => {
                let pc = self.machine.get(Register::Pc) as u64;
                Stop::Fault(Fault { kind: FaultKind::Fetch, pc, address: Some(pc), host: None })
            }
            Ended::Stop(stop) => stop,
        };
        if let Some(behind) = self.is_semihosting(&stop) {
            return self.semihost(behind);
        }
        match stop {
            Stop::OutOfBudget(Limit::Instructions) if used < left => None,
            Stop::Syscall if self.abi.is_linux => self.system_call(),
            Stop::Fault(fault) => {
                let fault = self.on_stack(fault);
                self.raise(Info::of_fault(&fault), Some(fault))
            }
            Stop::Breakpoint { pc } => {
                let fault = Fault { kind: FaultKind::Breakpoint, pc, address: None, host: None };
                self.raise(Info::of_fault(&fault), Some(fault))
            }
            stop => Some(End::Stopped(stop)),
        }
    }

    /// Does what the process asks the system for.
    fn system_call(&mut self) -> Option<End> {
        let number = self.machine.get(self.abi.number) as u64;
        let arguments: [u64; 6] = std::array::from_fn(|n| self.machine.get(Register::Core(n as u8)) as u64);
        let answer = self.answer(|process| process.serve(number, &arguments));
        let value = match answer {
            Ok(value) => value,
            Err(Fail::Error(errno)) => (-i64::from(errno.raw_os_error())) as u64,
            Err(Fail::End(end)) => return Some(end),
            Err(Fail::Wait(wait)) => {
                self.threads.wait(wait);
                return None;
            }
            Err(Fail::Exit) => return self.end_thread().err().map(|why| End::Stopped(Stop::Refused(why))),
        };
        self.threads.current.until = None;
        self.machine.set(Register::Core(0), value.into());
        None
    }

    /// What a call comes to, and takes of the run.
    fn answer(&mut self, serve: impl FnOnce(&mut Self) -> Served) -> Served {
        let result = self.machine.spend(CALL).map_err(Fail::from).and_then(|()| serve(self));
        if !self.machine.engine.charge() {
            let limit = if self.machine.is_late() { Limit::Time } else { Limit::Instructions };
            return Err(Fail::End(End::Stopped(Stop::OutOfBudget(limit))));
        }
        if let Some(lost) = self.machine.engine.lost() {
            return Err(Fail::End(End::Stopped(Stop::Lost(lost.clone()))));
        }
        self.pass_call();
        result
    }

    /// Makes a system call in the process's place, of what is left of its run, and says what it would get: a result, or the number of
    /// an error with the sign changed.
    ///
    /// # Errors
    /// The process has ended with it; or, without an end, it would have to wait.
    pub fn ask(&mut self, number: u64, arguments: &[u64; 6]) -> Result<u64, Option<End>> {
        let begun = self.machine.begin();
        let answer = self.answer(|process| process.serve(number, arguments));
        self.machine.end(begun);
        match answer {
            Ok(value) => Ok(value),
            Err(Fail::Error(errno)) => Ok((-i64::from(errno.raw_os_error())) as u64),
            Err(Fail::End(end)) => Err(Some(end)),
            Err(Fail::Wait(_) | Fail::Exit) => Err(None),
        }
    }
}
