//! `harness exec`: anybody's objects, linked and run, or what another linker made of them.

mod executable;
mod results;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use clap::Args as ClapArgs;
use corpus::value::Value;
use linker::Roots;
use linker::error::Error;
use linker::link::Finalized;

use self::results::Returns;
use super::budget::{self, BudgetArgs};
use super::machine::{self, MachineArgs};
use crate::call;
use crate::debug;
use crate::executor::{self, Call, Executor, FaultKind, Register, Stop};
use crate::exit;
use crate::host::Stream;
use crate::inputs::{self, Inputs};
use crate::libraries;
use crate::linked::Linked;
use crate::linking::{self, Externals, Job, Timings, Wishes};
use crate::locate;
use crate::messages;
use crate::startup::{self, StartError};
use crate::suspects;
use crate::with_machine;

/// Options of `exec`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
EXAMPLES:
  harness exec main.o                          main, with its constructors before and what atexit registered behind
  harness exec main.o -- -v 3                  argc and argv
  harness exec sum.c --arch armv7 --entry sum --arg 1.5f64 --arg 2f64 --returns f64
  harness exec prog.elf --entry sum --arg 1      what another linker made: static, or static and position-independent
  harness exec main.o --lib /usr/aarch64-linux-gnu/lib/libm.a --timeout 60 --budget 2000000000

EXIT STATUS:
  main's result or what the program passed to `exit`, cut to 8 bits; 0 when another --entry returned
  2    the command line is wrong
  65   a file cannot be read or compiled, or is not what it has to be
  69   the executor or the compiler that is needed is missing
  70   the harness or the emulated machine failed
  124  the program used up its instructions, its time, its output, its memory, or the work that host functions may do for it
  125  the objects could not be linked, or the program not started
  132  an undefined instruction, or a branch to the wrong instruction set
  133  a breakpoint
  134  abort, a failed assertion, an exception in C++
  135  an unaligned access
  139  a read, write or fetch that is not allowed, or a stack overflow
  141  standard output was closed
  159  a system call, which nothing here serves")]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// The function to call; an executable without a main is started where it says
    #[arg(long, value_name = "SYM", default_value = "main")]
    pub entry: String,
    /// An argument: 2, -1i64, 1.5f64, "text", [1i32, 2i32], &symbol+4
    #[arg(long = "arg", value_name = "N", allow_hyphen_values = true, value_parser = argument, conflicts_with = "argv")]
    pub arguments: Vec<Value>,
    /// What the function returns: then that is printed, instead of the registers that results are in
    #[arg(long, value_name = "TYPE")]
    pub returns: Option<Returns>,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    budget: BudgetArgs,
    /// Bytes that the program may print
    #[arg(long, value_name = "BYTES", default_value = "256M", value_parser = budget::bytes)]
    pub output_limit: u64,
    /// Bytes of its stack
    #[arg(long, value_name = "BYTES", default_value = "8M", value_parser = budget::bytes)]
    pub stack: u64,
    /// Print the whole register file
    #[arg(long)]
    pub registers: bool,
    /// Print what each phase took
    #[arg(long)]
    pub timings: bool,
    /// Arguments for main, as strings
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<String>,
    #[command(flatten)]
    machine: MachineArgs,
}

/// A value; a bare number is the narrowest signed one that holds it.
fn argument(text: &str) -> Result<Value, String> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(i32::try_from(number).map_or(Value::I64(number), Value::I32));
    }
    text.parse().map_err(|error| format!("{error}"))
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if args.entry != "main" && !args.argv.is_empty() {
        messages::error(&format!("words behind -- are for main; arguments of {} are given by --arg", args.entry));
        return Ok(exit::USAGE);
    }
    let inputs = inputs::read(&args.inputs)?;
    executable::is_alone(&inputs)?;
    let choice = args.machine.choice()?.and_then(|choice| machine::start(&choice).map(|()| choice));
    let machine = match choice {
        Ok(choice) if inputs.files.iter().any(|file| inputs::is_executable(&file.data)) => {
            choice.source().machine_for_executable(inputs.target)
        }
        Ok(choice) => choice.source().machine(inputs.target),
        Err(refused) => return Ok(refused.say()),
    };
    match machine {
        Ok(mut machine) => with_machine!(&mut machine, machine => run(&mut **machine, args, &inputs)),
        Err(error) => {
            messages::error(&error);
            Ok(exit::NOT_STARTED)
        }
    }
}

fn run<E: Executor>(machine: &mut E, args: &Args, inputs: &Inputs) -> anyhow::Result<u8>
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    machine.set_budget(args.budget.budget(args.output_limit));
    let refused = stream_output(machine);
    let mut timings = Timings::default();
    if let [file] = &inputs.files[..]
        && inputs::is_executable(&file.data)
    {
        let loaded = timings.phase("load", || executable::load(machine, args, file, inputs.target));
        let linked = match loaded {
            Ok(linked) => linked,
            Err(error) => {
                messages::error(&error);
                return Ok(executable::status(&error));
            }
        };
        let ended = timings.phase("run", || executable::start(machine, args, &linked));
        return finish(machine, args, inputs, (&linked, None), ended, &refused, &timings);
    }
    let roots = roots(args);
    let mut wishes = args.wishes.clone();
    wishes.settle();
    let said = wishes.options(args.inputs.options()).and_then(|said| Ok((said, wishes.layout(&args.inputs.layout)?)));
    let (options, layout) = match said {
        Ok(said) => said,
        Err(problem) => {
            messages::error(&problem);
            return Ok(exit::NOT_STARTED);
        }
    };
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &[],
        roots: if wishes.no_gc_sections { Roots::All } else { Roots::Names(&roots) },
        layout: &layout,
        options: &options,
        wishes: &wishes,
    };
    let host = machine.host().definitions();
    let linked = linking::link(&job, machine, &Externals::Table(&|name| host.get(name).copied()), &mut timings);
    let linked = match linked {
        Ok(linked) => linked,
        Err(error) => {
            messages::error(&error);
            if let Error::Undefined(missing) = &error {
                libraries::hints(missing, inputs.target).iter().for_each(|hint| messages::note(hint));
            }
            let bad_input = exit::of_link(&error) == exit::BAD_INPUT;
            return Ok(if bad_input { exit::BAD_INPUT } else { exit::NOT_STARTED });
        }
    };
    messages::warnings(linked.graph());
    let program = Linked::of_link(&linked);
    let ended = timings.phase("run", || start(machine, args, &program));
    finish(machine, args, inputs, (&program, Some(&linked)), ended, &refused, &timings)
}

/// Says how a program came to its end. The status to end with.
fn finish<E: Executor>(
    machine: &mut E,
    args: &Args,
    inputs: &Inputs,
    (linked, link): (&Linked<'_>, Option<&Finalized<'_, E::Finalized>>),
    ended: anyhow::Result<Ended>,
    refused: &RefCell<Option<io::Error>>,
    timings: &Timings,
) -> anyhow::Result<u8> {
    // What was printed last may have no end of line.
    let flushed = io::stdout().flush();
    if let Some(error) = refused.take().or(flushed.err()) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(exit::CLOSED_PIPE);
        }
        messages::error(&format!("what the program printed could not be written: {error}"));
        return Ok(exit::HARNESS_FAILED);
    }
    let status = match &ended {
        Ok(Ended::Returned) => {
            results::print(machine, args.returns)?;
            exit::OK
        }
        Ok(Ended::Stopped(during, stop)) => {
            if !matches!(stop, Stop::Exited(executor::Exit::Code(_))) {
                messages::say(&format!("{during}: {}", locate::describe(machine, linked, stop)));
                hint(stop);
                executable::hint(machine, linked, stop);
                let trace = debug::backtrace(machine, linked, &inputs.files);
                if trace.frames.len() > 1 {
                    messages::say(&trace);
                }
                let fault = stop.fault().and(trace.own()).zip(link);
                let nearest = fault.and_then(|(at, link)| {
                    suspects::nearest(link, at, &mut |address, into| machine.peek(address, into).is_ok())
                });
                if let Some(nearest) = nearest {
                    messages::say(&format!("nearest relocation:\n  {}", suspects::lines(&nearest).join("\n    ")));
                }
            }
            status(stop)
        }
        Err(error) => {
            messages::error(&format!("{error:#}"));
            match error.downcast_ref() {
                Some(StartError::Constructor { reason, .. }) => {
                    hint(reason);
                    status(reason)
                }
                _ => exit::NOT_STARTED,
            }
        }
    };
    if args.registers {
        for (name, value) in machine.registers() {
            outln!("{name:8} {value:#x}");
        }
    }
    if args.timings {
        for (phase, time) in &timings.phases {
            note!("{phase:10} {:>12.1} us", time.as_secs_f64() * 1e6);
        }
    }
    Ok(status)
}

/// How a program came to its end.
enum Ended {
    /// A function that is not main returned.
    Returned,
    /// Anything else, while this ran.
    Stopped(String, Stop),
}

/// Sets the program up, calls its entry and, behind main, `exit`.
fn start<E: Executor>(machine: &mut E, args: &Args, linked: &Linked<'_>) -> anyhow::Result<Ended> {
    startup::set_up(machine, linked, Some(args.stack))?;
    let symbol = |name: &str| linked.address(name);
    let arguments = if args.arguments.is_empty() { argv(machine, args)? } else { args.arguments.clone() };
    let function = symbol(&args.entry).ok_or_else(|| anyhow::anyhow!("{} is not there", args.entry))?;
    let stop = call::call(machine, function, &arguments, &symbol)?;
    if stop != Stop::Returned {
        return Ok(Ended::Stopped(args.entry.clone(), stop));
    }
    let exit = machine.host().lookup("exit").filter(|_| is_program(args));
    Ok(match exit {
        None => Ended::Returned,
        Some(function) => {
            let status = machine.get(Register::Core(0)) & 0xffff_ffff;
            let call = Call { function, registers: vec![(Register::Core(0), status)], ..Call::default() };
            Ended::Stopped("after main".to_owned(), machine.start(&call))
        }
    })
}

/// Whether main is called as start-up code does; otherwise it is a function like others.
fn is_program(args: &Args) -> bool {
    args.entry == "main" && args.returns.is_none()
}

/// Has what the program prints printed while it runs. What goes wrong with that is in the result.
fn stream_output(machine: &mut impl Executor) -> Rc<RefCell<Option<io::Error>>> {
    let refused = Rc::new(RefCell::new(None));
    let note = refused.clone();
    machine.host_mut().set_sink(Box::new(move |stream, text| {
        let written = match stream {
            Stream::Out => io::stdout().write_all(text),
            // In the order in which it was printed, where both are one.
            Stream::Error => io::stdout().flush().and_then(|()| io::stderr().write_all(text)),
        };
        written.map_err(|error| {
            let kind = error.kind();
            note.replace(Some(error));
            kind.into()
        })
    }));
    refused
}

/// What to do about a budget that was used up.
fn hint(stop: &Stop) {
    let Stop::OutOfBudget(limit) = stop else { return };
    messages::note(&match limit {
        executor::Limit::Instructions | executor::Limit::HostWork => "--budget N allows more".to_owned(),
        executor::Limit::Time => "--timeout SECONDS allows more".to_owned(),
        executor::Limit::Output => "--output-limit BYTES allows more".to_owned(),
        executor::Limit::Memory => "the emulated machine has no more".to_owned(),
    });
}

fn roots(args: &Args) -> Vec<&str> {
    let mut roots = vec![args.entry.as_str()];
    roots.extend(args.arguments.iter().filter_map(|value| match value {
        Value::Address(name, _) => Some(name.as_str()),
        _ => None,
    }));
    roots
}

/// argc and argv for main, as a process would get them.
fn argv<E: Executor>(machine: &mut E, args: &Args) -> anyhow::Result<Vec<Value>> {
    if args.entry != "main" {
        return Ok(Vec::new());
    }
    let mut pointers = Vec::new();
    let width = machine.info().target.pointer_bytes();
    for text in std::iter::once(&args.inputs.files[0]).chain(&args.argv) {
        let mut bytes = text.clone().into_bytes();
        bytes.push(0);
        let address = machine.buffer(&bytes)?;
        pointers.extend(machine.info().target.bytes(address, width));
    }
    let count = pointers.len() / width;
    pointers.extend_from_slice(&[0; 8][..width]);
    Ok(vec![Value::I32(i32::try_from(count)?), Value::Buffer(pointers)])
}

/// The guest's status as a process shows it.
fn status(stop: &Stop) -> u8 {
    match stop {
        Stop::Returned => exit::OK,
        Stop::Exited(executor::Exit::Code(code)) => *code as u8,
        Stop::Exited(executor::Exit::Abort(_)) => 128 + 6,
        Stop::OutOfBudget(_) => exit::BUDGET,
        stop => match stop.fault().map(|fault| fault.kind) {
            Some(FaultKind::Undefined | FaultKind::State) => 128 + 4,
            Some(FaultKind::Breakpoint) => 128 + 5,
            Some(FaultKind::Unaligned) => 128 + 7,
            Some(FaultKind::Read | FaultKind::Write | FaultKind::Fetch | FaultKind::Stack) => 128 + 11,
            None if *stop == Stop::Syscall => 128 + 31,
            None => exit::HARNESS_FAILED,
        },
    }
}
