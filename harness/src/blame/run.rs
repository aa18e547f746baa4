//! An image that is run: what it was asked for, and how it ended.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use corpus::value::Value;
use linker::Target;

use super::Failed;
use crate::call;
use crate::executor::hosted::engine::PAGE;
use crate::executor::{Attendant, Budget, Call, Executor, FaultKind, Guest as _, Register, Stop, Unicorn, unicorn};
use crate::host::Sink;
use crate::linked::{Executable, Linked, Prepared};
use crate::linking::Input;
use crate::{linux, startup};

/// The time of day at which every process begins, since 1970: that they do not part by it.
const DATE: Duration = Duration::from_secs(1_700_000_000);
/// Bytes that a process's stack may have.
const STACK: u64 = 8 << 20;

/// How an image is run.
#[derive(Clone, Debug)]
pub enum Course {
    /// A function is called, and host functions are there for it.
    Call {
        /// The function.
        entry: String,
        /// Its arguments.
        arguments: Vec<Value>,
    },
    /// It is started as a Linux process.
    Process {
        /// The name that it is called by.
        name: String,
        /// Its arguments behind that.
        arguments: Vec<String>,
    },
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// In which way.
    pub how: How,
    /// What it printed.
    pub output: Vec<u8>,
}

/// In which way a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The function returned, with this in the first register of results.
    Returned(u64),
    /// It came to another end.
    Stopped(Stop),
    /// A process did.
    Process(linux::End),
}

impl How {
    /// What an instruction did that ended it, with the signal of a process.
    fn fault(&self) -> Option<(Option<u32>, FaultKind, u64)> {
        let (signal, fault) = match self {
            How::Stopped(Stop::Fault(fault)) => (None, fault),
            How::Process(linux::End::Killed { signal, fault: Some(fault) }) => (Some(*signal), fault),
            _ => return None,
        };
        Some((signal, fault.kind, fault.pc))
    }
}

impl End {
    /// Whether another end is the same for who sees the program from outside.
    pub fn is_as(&self, other: &End) -> bool {
        let same = match (self.how.fault(), other.how.fault()) {
            (Some(one), Some(other)) => one == other,
            _ => self.how == other.how,
        };
        same && self.output == other.output
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Returned(result) => write!(f, "returned {result:#x}")?,
            How::Stopped(stop) | How::Process(linux::End::Stopped(stop)) => write!(f, "{stop}")?,
            How::Process(linux::End::Exited(status)) => write!(f, "exited with status {status}")?,
            How::Process(linux::End::Killed { signal, fault }) => {
                write!(f, "ended by {}", linux::signal_name(*signal))?;
                fault.as_ref().map_or(Ok(()), |fault| write!(f, ": {fault}"))?;
            }
            How::Process(linux::End::Deadlock(_)) => f.write_str("waits for ever")?,
        }
        if self.output.is_empty() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&self.output);
        let short: String = output.chars().take(60).collect();
        write!(f, ", having printed {short:?}{}", if short.len() < output.len() { "..." } else { "" })
    }
}

/// Runs images, one after the other.
pub struct Runner {
    machine: Unicorn,
    course: Course,
    budget: Budget,
}

impl Runner {
    /// One for functions that are called, until it is told otherwise. `elsewhere`: the images were linked elsewhere, so that the machine's
    /// own memory is to be out of their way.
    ///
    /// # Errors
    /// There is no such machine.
    pub fn new(target: &'static Target, elsewhere: bool, course: Course, budget: Budget) -> Result<Runner, Failed> {
        let made = if elsewhere { Unicorn::for_executable(target) } else { Unicorn::new(target) };
        Ok(Runner { machine: made.map_err(|error| Failed::Machine(error.to_string()))?, course, budget })
    }

    /// Has images be run otherwise from now on.
    pub fn set(&mut self, course: Course, budget: Budget) {
        (self.course, self.budget) = (course, budget);
    }

    /// The machine that calls functions.
    pub fn machine(&self) -> &Unicorn {
        &self.machine
    }

    /// Runs an image from the start, with somebody who attends it.
    ///
    /// # Errors
    /// It cannot be loaded, or has no such function.
    pub fn run(&mut self, image: &Input, attendant: Option<Box<dyn Attendant>>) -> Result<End, Failed> {
        let target = self.machine.info().target;
        let executable = Executable::read(&image.name, &image.data, target)?;
        match &self.course {
            Course::Process { name, arguments } => {
                self::start(&executable, target, (name, arguments), self.budget, attendant)
            }
            Course::Call { entry, arguments } => {
                let machine = &mut self.machine;
                machine.reset();
                machine.set_budget(self.budget);
                let linked = executable.load(machine, Prepared::Relocated)?;
                if let Some(attendant) = attendant {
                    machine.attend(attendant).map_err(|error| Failed::Machine(error.to_string()))?;
                }
                let stop = self::call(machine, &linked, (entry, arguments), &image.name)?;
                let how = match stop {
                    Stop::Returned => How::Returned(machine.get(Register::Core(0)) as u64),
                    stop => How::Stopped(stop),
                };
                Ok(End { how, output: machine.host().printed().to_vec() })
            }
        }
    }
}

/// Starts it as a process that finds no files, the same as any other one.
fn start(
    executable: &Executable<'_>,
    target: &'static Target,
    (name, arguments): (&str, &[String]),
    budget: Budget,
    attendant: Option<Box<dyn Attendant>>,
) -> Result<End, Failed> {
    let failed = |error: &dyn fmt::Display| Failed::Machine(error.to_string());
    let start =
        linux::Start { name, arguments, environment: &[], stack: STACK, seed: 0, budget, directory: "/", umask: 0o022 };
    let output = Rc::new(RefCell::new(Vec::new()));
    let printed = output.clone();
    let sink: Sink = Box::new(move |_, text| {
        printed.borrow_mut().extend_from_slice(text);
        Ok(())
    });
    let engine = unicorn::processor(target, 0).map_err(|error| failed(&error))?;
    let roots = linux::Roots::new(&[]).map_err(|error| failed(&error))?;
    let mut process = linux::Process::new(engine, (&executable.mapped(PAGE), None), &start, roots, sink)
        .map_err(|error| failed(&error))?;
    process.begin_at(DATE);
    process.close_input();
    if let Some(attendant) = attendant {
        process.attend(attendant).map_err(|error| failed(&error))?;
    }
    let how = How::Process(process.run());
    Ok(End { how, output: output.take() })
}

/// Sets it up, and calls its entry and, behind main, `exit`.
fn call(
    machine: &mut Unicorn,
    linked: &Linked<'_>,
    (entry, arguments): (&str, &[Value]),
    image: &str,
) -> Result<Stop, Failed> {
    if let Err(error) = startup::set_up(machine, linked, None, &[]) {
        return match error {
            startup::StartError::Constructor { reason, .. } => Ok(*reason),
            error @ startup::StartError::Machine(_) => Err(Failed::Machine(error.to_string())),
        };
    }
    let symbol = |name: &str| linked.address(name);
    let none = || Failed::Entry { image: image.to_owned(), name: entry.to_owned() };
    let function = symbol(entry).ok_or_else(none)?;
    let stop = call::call(machine, function, arguments, &symbol).map_err(|error| Failed::Machine(error.to_string()))?;
    let exit = machine.host().lookup("exit").filter(|_| entry == "main" && stop == Stop::Returned);
    Ok(match exit {
        None => stop,
        Some(function) => {
            let status = machine.get(Register::Core(0)) & 0xffff_ffff;
            machine.start(&Call { function, registers: vec![(Register::Core(0), status)], ..Call::default() })
        }
    })
}
