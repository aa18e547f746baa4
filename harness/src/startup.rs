//! What start-up code does before `main`, and leaves to be done behind it: the thread's variables, constructors, finalizers, and
//! the memory behind the program.

use linker::graph::{Definition, Extent};
use linker::link::Finalized;

use crate::executor::{Call, Executor, Stop};
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

/// Does what start-up code does. `stack` is how large a stack the program wants, if it matters.
pub fn set_up<E: Executor, H>(
    executor: &mut E,
    linked: &Finalized<'_, H>,
    stack: Option<u64>,
) -> Result<(), StartError> {
    // First of all: what is put elsewhere later must not be in its way.
    if let Some(end) = ENDS.iter().find_map(|name| linked.address(name)) {
        executor.extend(end);
    }
    linked.thread_local().map_or(Ok(()), |image| executor.set_thread(&image)).map_err(StartError::Machine)?;
    stack.map_or(Ok(()), |bytes| executor.set_stack(bytes)).map_err(StartError::Machine)?;
    let finalizers = finalizers(executor, linked)?;
    executor.host_mut().set_finalizers(finalizers);
    // In the order of the generic ABI (Initialization and Termination Functions).
    let before = array(executor, linked, ".preinit_array")?.into_iter().map(|function| (".preinit_array", function));
    let init = of_section(linked, "_init", b".init").map(|function| (".init", function));
    let behind = array(executor, linked, ".init_array")?.into_iter().map(|function| (".init_array", function));
    let all: Vec<_> = before.chain(init).chain(behind).collect();
    for run in all.chunk_by(|a, b| a.0 == b.0) {
        for (number, &(section, function)) in (0..).zip(run) {
            construct(executor, linked, section, number, function)?;
        }
    }
    Ok(())
}

fn construct<E: Executor, H>(
    executor: &mut E,
    linked: &Finalized<'_, H>,
    section: &'static str,
    number: u64,
    function: u64,
) -> Result<(), StartError> {
    let reason = executor.start(&Call { function, ..Call::default() });
    if reason == Stop::Returned {
        return Ok(());
    }
    let stop = locate::describe(executor, linked, &reason);
    let function = locate::named(linked, function);
    Err(StartError::Constructor { function, number, section, stop, reason: Box::new(reason) })
}

/// What is called at the end of the program, in the order opposite to that: `_fini`, then the array from its last entry on.
fn finalizers<E: Executor, H>(executor: &mut E, linked: &Finalized<'_, H>) -> Result<Vec<u64>, StartError> {
    let mut functions: Vec<u64> = of_section(linked, "_fini", b".fini").into_iter().collect();
    functions.extend(array(executor, linked, ".fini_array")?);
    Ok(functions)
}

/// The functions of an array.
fn array<E: Executor, H>(
    executor: &mut E,
    linked: &Finalized<'_, H>,
    section: &'static str,
) -> Result<Vec<u64>, StartError> {
    let target = linked.graph().target;
    let width = target.pointer_bytes();
    let (start, stop) = linked.plan().bounds(linked.graph(), Extent::Sections(section.as_bytes()));
    let entry = |slot: u64| {
        let mut bytes = [0; 8];
        let read = executor.peek(slot, &mut bytes[..width]);
        read.map_err(|error| StartError::Machine(format!("{section}: {error}")))?;
        Ok(target.number(&bytes[..width]))
    };
    (start..stop).step_by(width).map(entry).collect()
}

/// The address of a function that an input defines in this section, as pieces of it make one function.
fn of_section<H>(linked: &Finalized<'_, H>, name: &str, section: &[u8]) -> Option<u64> {
    let graph = linked.graph();
    let Definition::Block(block, _) = graph.symbols[linked.symbol(name)?].definition else { return None };
    let is_there = graph.blocks[block].live && graph.sections[graph.blocks[block].section].name == section;
    linked.address(name).filter(|_| is_there)
}
