//! How a Linux program ended that did not exit: what is said of it, and of how it got there, through its libraries.

use linker::Target;

use super::interpreter;
use crate::debug::{Backtrace, Module, Stopped};
use crate::executor::hosted::engine::PAGE;
use crate::executor::unicorn;
use crate::linked::Executable;
use crate::linking::Input;
use crate::linux::{End, Process, signal_name};
use crate::machine::{Register, Stop};
use crate::messages;

/// What is to be said.
pub(in crate::command) struct Told {
    /// How it ended, and where.
    pub(in crate::command) lines: Vec<String>,
    /// How it got there.
    pub(in crate::command) backtrace: Backtrace,
}

/// Says it.
pub(super) fn say(
    process: &mut Process<unicorn::Processor>,
    end: &End,
    file: &Input,
    executable: &Executable<'_>,
    target: &'static Target,
) {
    let Told { lines, backtrace } = tell(process, end, file, executable, target);
    lines.iter().for_each(|line| messages::say(line));
    if let End::Stopped(stop) = end {
        super::hint(stop);
    }
    if backtrace.frames.len() > 1 {
        messages::say(&backtrace);
    }
}

/// Says nothing, and gives what is to be said.
pub(in crate::command) fn tell(
    process: &mut Process<unicorn::Processor>,
    end: &End,
    file: &Input,
    executable: &Executable<'_>,
    target: &'static Target,
) -> Told {
    let mut lines = Vec::new();
    let program = executable.known(PAGE, process.base()).ok();
    let files = interpreter::libraries(process, target);
    let libraries = interpreter::known(&files, target);
    let own = program.iter().map(|linked| Module { linked, files: std::slice::from_ref(file), library: None });
    let others = libraries.iter().map(|(file, linked)| {
        let files = std::slice::from_ref(*file);
        Module { linked, files, library: Some(&file.name) }
    });
    // What is known of nothing is of no use: then libraries are not walked through either.
    let modules: Vec<Module<'_, '_>> = if program.is_some() { own.chain(others).collect() } else { Vec::new() };
    let place = |pc: u64| {
        let name = modules.iter().find_map(|module| module.name(pc));
        name.map_or_else(String::new, |name| format!(", in {name}"))
    };
    let thread = process.thread().map_or_else(String::new, |(id, name)| format!(" in thread {id} ({name})"));
    match end {
        End::Exited(_) => {}
        End::Killed { signal, fault: None } => {
            lines.push(format!("ended by {}{thread}", signal_name(*signal)));
        }
        End::Killed { signal, fault: Some(fault) } => {
            lines.push(format!("ended by {}{thread}: {fault}{}", signal_name(*signal), place(fault.pc)));
        }
        End::Deadlock(waiting) => {
            lines.push("it waits for ever: nobody is left who could end that".to_owned());
            for thread in waiting {
                // Registers are there, or the machine is gone and has been said to be.
                let _ = process.show(thread.thread);
                let pc = process.get(Register::Pc) as u64;
                lines.push(format!("{thread}, at {pc:#x}{}", place(pc)));
                let trace = backtrace(&modules, target, process);
                if trace.frames.len() > 1 {
                    lines.push(trace.to_string());
                }
            }
        }
        End::Stopped(stop) => {
            let pc = process.get(Register::Pc) as u64;
            let at = if matches!(stop, Stop::OutOfBudget(_)) { format!(" at {pc:#x}") } else { String::new() };
            lines.push(format!("{stop}{at}{}", place(pc)));
        }
    }
    let shown = !matches!(end, End::Deadlock(_));
    let backtrace = if shown { backtrace(&modules, target, process) } else { Backtrace::default() };
    Told { lines, backtrace }
}

/// How the thread that is shown got to where it is.
fn backtrace(
    modules: &[Module<'_, '_>],
    target: &'static Target,
    process: &mut Process<unicorn::Processor>,
) -> Backtrace {
    let stopped = Stopped::new(target, |register| process.get(register));
    let mut read = |address: u64, into: &mut [u8]| process.read(address, into);
    stopped.backtrace_through(modules, None, &mut read)
}
