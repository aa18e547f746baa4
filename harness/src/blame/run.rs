//! An image that is run: what it was asked for, and how it ended.

use std::fmt;

use corpus::value::Value;
use linker::Target;

use super::Failed;
use crate::call;
use crate::executor::{Attendant, Budget, Call, Executor, Guest as _, Register, Stop, Unicorn};
use crate::linked::{Executable, Linked, Prepared};
use crate::linking::Input;
use crate::startup;

/// What of an image is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For what it is.
    pub target: &'static Target,
    /// The function.
    pub entry: String,
    /// Its arguments.
    pub arguments: Vec<Value>,
    /// What it may take.
    pub budget: Budget,
    /// Whether the images were linked elsewhere, so that the machine's own memory is to be out of their way.
    pub elsewhere: bool,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The stop.
    pub stop: Stop,
    /// What the first register of results has, if it returned.
    pub result: u64,
    /// What it printed.
    pub output: Vec<u8>,
}

impl End {
    /// Whether another end is the same for who sees the program from outside.
    pub fn is_as(&self, other: &End) -> bool {
        let same = match (&self.stop, &other.stop) {
            (Stop::Fault(one), Stop::Fault(other)) => one.kind == other.kind && one.pc == other.pc,
            (one, other) => one == other,
        };
        same && self.result == other.result && self.output == other.output
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stop {
            Stop::Returned => write!(f, "returned {:#x}", self.result)?,
            stop => write!(f, "{stop}")?,
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
    plan: Plan,
}

impl Runner {
    /// A machine for this.
    ///
    /// # Errors
    /// There is none.
    pub fn new(plan: Plan) -> Result<Runner, Failed> {
        let made = if plan.elsewhere { Unicorn::for_executable(plan.target) } else { Unicorn::new(plan.target) };
        Ok(Runner { machine: made.map_err(|error| Failed::Machine(error.to_string()))?, plan })
    }

    /// The machine.
    pub fn machine(&self) -> &Unicorn {
        &self.machine
    }

    /// Runs an image from the start, with somebody who attends it.
    ///
    /// # Errors
    /// It cannot be loaded, or has no such function.
    pub fn run(&mut self, image: &Input, attendant: Option<Box<dyn Attendant>>) -> Result<End, Failed> {
        let Runner { machine, plan } = self;
        machine.reset();
        machine.set_budget(plan.budget);
        let executable = Executable::read(&image.name, &image.data, plan.target)?;
        let linked = executable.load(machine, Prepared::Relocated)?;
        if let Some(attendant) = attendant {
            machine.attend(attendant).map_err(|error| Failed::Machine(error.to_string()))?;
        }
        let stop = start(machine, plan, &linked, &image.name)?;
        let result = if stop == Stop::Returned { machine.get(Register::Core(0)) as u64 } else { 0 };
        Ok(End { stop, result, output: machine.host().printed().to_vec() })
    }
}

/// Sets it up, and calls its entry and, behind main, `exit`.
fn start(machine: &mut Unicorn, plan: &Plan, linked: &Linked<'_>, image: &str) -> Result<Stop, Failed> {
    if let Err(error) = startup::set_up(machine, linked, None) {
        return match error {
            startup::StartError::Constructor { reason, .. } => Ok(*reason),
            error @ startup::StartError::Machine(_) => Err(Failed::Machine(error.to_string())),
        };
    }
    let symbol = |name: &str| linked.address(name);
    let none = || Failed::Entry { image: image.to_owned(), name: plan.entry.clone() };
    let function = symbol(&plan.entry).ok_or_else(none)?;
    let stop =
        call::call(machine, function, &plan.arguments, &symbol).map_err(|error| Failed::Machine(error.to_string()))?;
    let exit = machine.host().lookup("exit").filter(|_| plan.entry == "main" && stop == Stop::Returned);
    Ok(match exit {
        None => stop,
        Some(function) => {
            let status = machine.get(Register::Core(0)) & 0xffff_ffff;
            machine.start(&Call { function, registers: vec![(Register::Core(0), status)], ..Call::default() })
        }
    })
}
