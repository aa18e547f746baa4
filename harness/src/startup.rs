//! What start-up code does before `main`, and leaves to be done behind it: the thread's variables, constructors, finalizers, and
//! the memory behind the program.

use std::ops::Range;

use crate::executor::{Call, Executor, Register, Stop};
use crate::linked::Linked;
use crate::locate;

/// Why a program did not get as far as `main`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no room for it, or no memory where it is said to be.
    #[error("{0}")]
    Machine(String),
    /// A constructor did not return.
    #[error("the constructor {function} (entry {number} of {section}) did not return: {stop}")]
    Constructor {
        /// Its name, where there is one, and its address.
        function: String,
        /// Which entry of the array it is, from 0 on.
        number: u64,
        /// The array.
        section: &'static str,
        /// What happened, and where.
        stop: String,
        /// The same, as a value.
        reason: Box<Stop>,
    },
}

/// Names by which programs know where they end, and that their heap may begin there.
const ENDS: [&str; 3] = ["end", "_end", "__end__"];

/// What `main` is called with, and as glibc does it each constructor, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// How many words there are.
    pub count: u64,
    /// Where the pointers to them are, with a null pointer behind; or null, for a function that is called without a program.
    pub words: u64,
    /// Where the pointers to the variables of the environment are.
    pub environment: u64,
}

impl Arguments {
    /// Puts words into a machine, with an environment in which there is nothing.
    fn place<E: Executor>(executor: &mut E, words: &[&str]) -> Result<Arguments, StartError> {
        if words.is_empty() {
            return Ok(Arguments::default());
        }
        let no_room = |error| StartError::Machine(format!("no room for the arguments: {error}"));
        let target = executor.info().target;
        let width = target.pointer_bytes();
        let mut pointers = Vec::new();
        for word in words {
            let address = executor.buffer(&[word.as_bytes(), &[0]].concat()).map_err(no_room)?;
            pointers.extend(target.bytes(address, width));
        }
        let behind = pointers.len() as u64;
        // Behind the last word, and of the environment.
        pointers.resize(pointers.len() + 2 * width, 0);
        let at = executor.buffer(&pointers).map_err(no_room)?;
        Ok(Arguments { count: words.len() as u64, words: at, environment: at + behind + width as u64 })
    }

    /// Where a function finds them.
    pub fn registers(&self) -> Vec<(Register, u128)> {
        let all = [self.count, self.words, self.environment];
        (0..).map(Register::Core).zip(all.map(u128::from)).collect()
    }
}

/// Does what start-up code does. `stack` is how large a stack the program wants, if it matters, and `words` are those that the
/// program is called by, its name first; none, if no program is meant.
pub fn set_up<E: Executor>(
    executor: &mut E,
    linked: &Linked<'_>,
    stack: Option<u64>,
    words: &[&str],
) -> Result<Arguments, StartError> {
    // First of all: what is put elsewhere later must not be in its way.
    if let Some(end) = ENDS.iter().find_map(|name| linked.address(name)) {
        executor.extend(end);
    }
    linked.thread_local.map_or(Ok(()), |image| executor.set_thread(&image)).map_err(StartError::Machine)?;
    stack.map_or(Ok(()), |bytes| executor.set_stack(bytes)).map_err(StartError::Machine)?;
    let arguments = Arguments::place(executor, words)?;
    let finalizers = finalizers(executor, linked)?;
    executor.host_mut().set_finalizers(finalizers);
    // In the order of the generic ABI (Initialization and Termination Functions).
    let before = array(executor, ".preinit_array", &linked.routines.preinit_array)?;
    let init = linked.routines.init.map(|function| (".init", function));
    let behind = array(executor, ".init_array", &linked.routines.init_array)?;
    let all: Vec<_> = before.into_iter().chain(init).chain(behind).collect();
    for run in all.chunk_by(|a, b| a.0 == b.0) {
        for (number, &(section, function)) in (0..).zip(run) {
            construct(executor, linked, &arguments, (section, number, function))?;
        }
    }
    Ok(arguments)
}

fn construct<E: Executor>(
    executor: &mut E,
    linked: &Linked<'_>,
    arguments: &Arguments,
    (section, number, function): (&'static str, u64, u64),
) -> Result<(), StartError> {
    let reason = executor.start(&Call { function, registers: arguments.registers(), ..Call::default() });
    if reason == Stop::Returned {
        return Ok(());
    }
    let stop = locate::describe(executor, linked, &reason);
    let function = locate::named(linked, function);
    Err(StartError::Constructor { function, number, section, stop, reason: Box::new(reason) })
}

/// What is called at the end of the program, in the order opposite to that: `_fini`, then the array from its last entry on.
fn finalizers<E: Executor>(executor: &mut E, linked: &Linked<'_>) -> Result<Vec<u64>, StartError> {
    let mut functions: Vec<u64> = linked.routines.fini.into_iter().collect();
    functions.extend(array(executor, ".fini_array", &linked.routines.fini_array)?.into_iter().map(|entry| entry.1));
    Ok(functions)
}

/// The functions of an array, each with its section.
fn array<E: Executor>(
    executor: &mut E,
    section: &'static str,
    array: &Range<u64>,
) -> Result<Vec<(&'static str, u64)>, StartError> {
    let target = executor.info().target;
    let width = target.pointer_bytes();
    let entry = |slot: u64| {
        let mut bytes = [0; 8];
        let read = executor.peek(slot, &mut bytes[..width]);
        read.map_err(|error| StartError::Machine(format!("{section}: {error}")))?;
        Ok((section, target.number(&bytes[..width])))
    };
    array.clone().step_by(width).map(entry).collect()
}
