//! `harness exec`: anybody's objects, linked and run, or what another linker made of them.

pub(super) mod ended;
mod executable;
mod grants;
mod interpreter;
mod meaning;
mod output;
mod process;
mod results;
mod runtime;
mod rust;
mod user_mode;

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use corpus::value::Value;
use linker::error::Error;
use linker::link::Finalized;
use linker::{Roots, Target};

use self::meaning::{Kind, Subject};
use self::results::Returns;
use self::runtime::Crt;
use super::budget::{self, BudgetArgs};
use super::debugger::{self, Attendance, DebugArgs, Debugger};
use super::link;
use super::machine::{self, MachineArgs};
use crate::call;
use crate::debug;
use crate::executor::{self, Call, Executor, FaultKind, Register, Stop};
use crate::exit;
use crate::gdb::{self, Over};
use crate::inputs::{self, Inputs};
use crate::libraries;
use crate::linked::Linked;
use crate::linking::{self, Externals, Input, Job, Timings, Wishes, number};
use crate::linux::Grant;
use crate::locate;
use crate::map::Map;
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
  harness exec flash.bin --map flash.map --at 0x8000000 --arch thumbv7m --entry sum --arg 1
  harness exec --dir . ./wc -- notes.txt       a Linux program that reads files here; --dir .:rw for one that writes
  harness exec --sysroot /usr/aarch64-linux-gnu ./hello   a Linux program with shared libraries
  harness exec main.o --crt glibc              the same with a C library of its own, as a Linux program
  harness exec main.o --crt newlib -- a b      one for a Cortex-M, which asks for files and the like by semihosting
  harness exec ./hello -- a b                  a static Linux program that some other linker made
  harness exec ./hello --executor qemu-user    the same under qemu-user, to see whether another engine agrees
  harness exec --timeout 60 --run ./test --list  the same for cargo, CMake, Meson and others, which know no --
  harness exec main.o --gdb                    waits for gdb before the first instruction, and says what to type
  harness exec main.o --trace main.trace       writes down each instruction
  harness exec main.o --lib /usr/aarch64-linux-gnu/lib/libm.a --timeout 60 --budget 2000000000

EXIT STATUS:
  main's result or what the program passed to `exit`, cut to 8 bits; 0 when another --entry returned
  2    the command line is wrong, or asks for what this program or executor does not have
  65   a file or a directory cannot be read or compiled, or is not what it has to be
  69   the executor or the compiler that is needed is missing
  70   the harness or the emulated machine failed
  74   a file, or what the program printed, cannot be written
  124  the program used up its instructions, its time, its output, its memory, or the work that host functions may do for it
  125  the objects could not be linked, a name is defined nowhere, or the machine has no room for the program
  132  an undefined instruction, or a branch to the wrong instruction set
  133  a breakpoint
  134  abort, a failed assertion, an exception in C++
  135  an unaligned access
  139  a read, write or fetch that is not allowed, or a stack overflow
  141  standard output was closed
  159  a system call of what is not run as a Linux program

A Linux program ends with its own status, and with 128 and the number of a signal that ended it.")]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// The function to call; an executable without a main is started where it says
    #[arg(long, value_name = "SYM", default_value = "main")]
    pub entry: String,
    /// An argument: 2, -1, 0x10, 0b101, -1i64, 1.5f64, "text", [1i32, 2i32], &symbol+4
    #[arg(long = "arg", value_name = "N", allow_hyphen_values = true, value_parser = argument, conflicts_with = "argv")]
    pub arguments: Vec<Value>,
    /// What the function returns: then that is printed, instead of the registers that results are in
    #[arg(long, value_name = "TYPE")]
    pub returns: Option<Returns>,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    budget: BudgetArgs,
    /// Bytes that the program may print, and write to files
    #[arg(long, value_name = "BYTES", default_value = "256M", value_parser = budget::bytes)]
    pub output_limit: u64,
    /// Bytes of its stack
    #[arg(long, value_name = "BYTES", default_value = "8M", value_parser = budget::bytes)]
    pub stack: u64,
    /// The file is a raw binary (objcopy -O binary), and this is the map that the linker wrote of it (-Map): of GNU ld, gold, lld or
    /// mold. With --arch; without a main, --entry says what is called
    #[arg(long, value_name = "FILE", requires = "arch")]
    pub map: Option<PathBuf>,
    /// Where the first byte of a raw binary is loaded [default: where the map has its first section with bytes]
    #[arg(long, value_name = "ADDRESS", value_parser = number::address, requires = "map")]
    pub at: Option<u64>,
    /// What serves the system calls of an executable. Linux: it is started as Linux does, at its entry point. None: `main`, or what
    /// --entry names, is called, with host functions for what it does not define. Auto: Linux, for what has a start of its own
    #[arg(long, value_name = "S", value_enum, default_value_t = System::Auto)]
    pub system: System,
    /// Which C library objects are linked with, to be started as a program of its own. Auto: glibc, and newlib for a Cortex-M, by
    /// the cross compiler, for what needs more than the host's functions
    #[arg(long, value_name = "LIBRARY", value_enum, default_value_t = Crt::Auto)]
    pub crt: Crt,
    /// A variable of a Linux program's environment, which is empty otherwise; NAME alone takes the value from ours
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub environment: Vec<String>,
    /// A directory that a Linux program may use: it reads what is there, and changes it with :rw. It calls the directory GUEST, or by
    /// the same absolute path as we do, and works where we do if that is in one. Nothing else is there but /tmp, which is its own
    #[arg(long = "dir", value_name = "DIR[:GUEST][:rw]", value_parser = grants::grant)]
    pub directories: Vec<Grant>,
    /// The root directory of a Linux program that is linked dynamically, as of a cross compiler's libraries: its run-time linker and
    /// its libraries are read from there. Files that are not in a --dir are those of this directory, and cannot be changed
    #[arg(long, value_name = "DIR")]
    pub sysroot: Option<PathBuf>,
    /// Decides what a Linux program gets for random numbers, and when which of its threads has its turn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Say which libraries a Linux program was linked with, and which system calls it made that nothing here serves
    #[arg(long)]
    pub verbose: bool,
    /// Print the whole register file
    #[arg(long)]
    pub registers: bool,
    /// Print what each phase took
    #[arg(long)]
    pub timings: bool,
    /// As the runner of other tools: the words behind it are a program and its arguments, as they are
    #[arg(long)]
    pub run: bool,
    /// Arguments for main, as strings
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<String>,
    #[command(flatten)]
    debug: DebugArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

impl Args {
    /// Whether something is asked for that only a function that is called has.
    fn is_called(&self) -> bool {
        self.entry != "main" || !self.arguments.is_empty() || self.returns.is_some()
    }
}

/// What serves an executable's system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum System {
    /// Whatever it looks like.
    Auto,
    /// What is served here of Linux.
    Linux,
    /// Nothing.
    None,
}

/// A value, or a number without a type.
pub(super) fn argument(text: &str) -> Result<Value, String> {
    if let Some(number) = Value::bare(text) {
        return Ok(number);
    }
    text.parse().map_err(|error| {
        format!(
            "{error}; expected a number (2, -1, 0x10, 0o17, 0b101, with a type -1i64, 0xffu32, 1.5f64), \"text\", [1i32, 2i32] \
             or &symbol+4"
        )
    })
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if args.entry != "main" && !args.argv.is_empty() {
        messages::error(&format!("words behind -- are for main; arguments of {} are given by --arg", args.entry));
        return Ok(exit::USAGE);
    }
    let inputs = inputs::read(&args.inputs)?;
    executable::is_alone(&inputs)?;
    let raw = executable::raw(args, &inputs)?;
    if let Some(trace) = &args.debug.trace {
        outside::apart(trace, args.inputs.all())?;
    }
    if args.machine.is_user_mode() {
        if let Err(missing) = user_mode::prepare(args, &inputs)? {
            messages::error(&missing);
            return Ok(exit::MISSING);
        }
        return match &inputs.files[..] {
            [file] if inputs::is_executable(&file.data) => {
                meaning::check(args, Subject { kind: Kind::Linux, is_linked: true })?;
                user_mode::run(args, inputs.target, &file.name, file.name.as_ref())
            }
            _ => runtime::run(args, inputs, None, None),
        };
    }
    let debugger = args.debug.debugger(args.machine.is_given())?;
    let is_image = |file: &Input| raw.is_some() || inputs::is_executable(&file.data);
    if let [file] = &inputs.files[..]
        && process::is_meant(args, file, inputs.target)?
    {
        meaning::check(args, Subject { kind: process::kind(inputs.target), is_linked: true })?;
        return process::run(args, file, inputs.target, debugger, Timings::default());
    }
    if !inputs.files.iter().any(is_image) && runtime::is_asked_for(args, inputs.target)? {
        return runtime::run(args, inputs, debugger, None);
    }
    let choice = args.machine.choice()?.and_then(|choice| machine::start(&choice).map(|()| choice));
    let machine = match choice {
        Ok(choice) if inputs.files.iter().any(is_image) => choice.source().machine_for_executable(inputs.target),
        Ok(choice) => choice.source().machine(inputs.target),
        Err(refused) => return Ok(refused.say()),
    };
    match machine {
        Ok(mut machine) => {
            let mut debugger = debugger;
            match with_machine!(&mut machine, machine => run(&mut **machine, args, (&inputs, raw.as_ref()), &mut debugger))?
            {
                Ran::Ended(status) => Ok(status),
                Ran::Lacks(error) => {
                    drop(machine);
                    runtime::run(args, inputs, debugger, Some(&error))
                }
            }
        }
        // An executor that is there and does not run this code.
        Err(error) => {
            messages::error(&error);
            Ok(exit::USAGE)
        }
    }
}

/// What came of objects and host functions.
enum Ran {
    /// This status.
    Ended(u8),
    /// A link that failed for lack of a C library.
    Lacks(Error),
}

/// Says why objects could not be linked, and which libraries have what they lack.
fn say_link_error(error: &Error, target: &'static Target) {
    messages::error(error);
    if let Error::Undefined(missing) = error {
        libraries::hints(missing, target).iter().for_each(|hint| messages::note(hint));
    }
}

fn run<E: Executor>(
    machine: &mut E,
    args: &Args,
    (inputs, raw): (&Inputs, Option<&Map>),
    debugger: &mut Option<Debugger>,
) -> anyhow::Result<Ran>
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug + Sync,
{
    machine.set_budget(args.debug.budget(args.budget.budget(args.output_limit)));
    let refused = output::stream(machine);
    let mut timings = Timings::default();
    if let [file] = &inputs.files[..]
        && (raw.is_some() || inputs::is_executable(&file.data))
    {
        meaning::check(args, Subject { kind: Kind::Called, is_linked: true })?;
        let loaded = timings.phase("load", || match raw {
            Some(map) => executable::load_raw(machine, args, file, map, inputs.target),
            None => executable::load(machine, args, file, inputs.target),
        });
        let linked = loaded?;
        let attendance =
            debugger.as_mut().map_or(Attendance::Nobody, |debugger| debugger.attendance(file.name.as_ref()));
        let foreign = gdb::Foreign { bias: debug::bias(&linked, &inputs.files) };
        let start = |machine: &mut E| timings.phase("run", || executable::start(machine, args, &linked));
        let ended = debugger::attended(machine, attendance, &linked, &foreign, start, over)?;
        return finish(machine, args, inputs, (&linked, None), ended, &refused, &timings).map(Ran::Ended);
    }
    let roots = roots(args);
    let mut wishes = args.wishes.clone();
    wishes.settle();
    let said = wishes.options(args.inputs.options()).and_then(|said| Ok((said, wishes.layout(&args.inputs.layout)?)));
    let (options, layout) = match said {
        Ok(said) => said,
        Err(problem) => {
            messages::error(&problem);
            return Ok(Ran::Ended(exit::USAGE));
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
        Err(error) if runtime::may_help(args, inputs.target, &error) => return Ok(Ran::Lacks(error)),
        Err(error) => {
            say_link_error(&error, inputs.target);
            let bad_input = exit::of_link(&error) == exit::BAD_INPUT;
            return Ok(Ran::Ended(if bad_input { exit::BAD_INPUT } else { exit::NOT_STARTED }));
        }
    };
    meaning::check(args, Subject { kind: Kind::Called, is_linked: false })?;
    messages::warnings(linked.graph());
    let program = Linked::of_link(&linked);
    let mut attendance = Attendance::Nobody;
    if let Some(debugger) = debugger {
        let path = debugger.image(&inputs.files[0].name);
        let externals = Externals::Table(&|name| host.get(name).copied());
        if debugger.wants_image() {
            link::copy(&job, &linked, &externals, program.address(&args.entry).unwrap_or(0), &path)?;
        }
        attendance = debugger.attendance(&path);
    }
    let run = |machine: &mut E| timings.phase("run", || start(machine, args, &program));
    let ended = debugger::attended(machine, attendance, &program, &linked, run, over)?;
    finish(machine, args, inputs, (&program, Some(&linked)), ended, &refused, &timings).map(Ran::Ended)
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
    if let Some(status) = output::unwritten(refused) {
        return Ok(status);
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
                executable::hint_of_raw(args, linked, stop, false);
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
                    executable::hint_of_raw(args, linked, reason, true);
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
    print_timings(args, timings);
    Ok(status)
}

fn print_timings(args: &Args, timings: &Timings) {
    if args.timings {
        for (phase, time) in &timings.phases {
            note!("{phase:10} {:>12.1} us", time.as_secs_f64() * 1e6);
        }
    }
}

/// How a program came to its end.
enum Ended {
    /// A function that is not main returned.
    Returned,
    /// Anything else, while this ran.
    Stopped(String, Stop),
}

/// How a program ended, for a debugger.
fn over(ended: &anyhow::Result<Ended>) -> (Option<Stop>, Over) {
    let stop = match ended {
        Ok(Ended::Returned) => return (None, Over::Exited(exit::OK)),
        Ok(Ended::Stopped(_, stop)) => stop.clone(),
        Err(error) => match error.downcast_ref() {
            Some(StartError::Constructor { reason, .. }) => (**reason).clone(),
            _ => return (None, Over::Exited(exit::NOT_STARTED)),
        },
    };
    let over = match gdb::signal_of(&stop) {
        Some(signal) if !matches!(stop, Stop::OutOfBudget(_)) => Over::Killed(signal),
        _ => Over::Exited(status(&stop)),
    };
    (Some(stop), over)
}

/// Sets the program up, calls its entry and, behind main, `exit`.
fn start<E: Executor>(machine: &mut E, args: &Args, linked: &Linked<'_>) -> anyhow::Result<Ended> {
    let words = std::iter::once(&args.inputs.files[0]).chain(&args.argv).map(String::as_str);
    let arguments = startup::set_up(machine, linked, Some(args.stack), &words.collect::<Vec<_>>())?;
    let symbol = |name: &str| linked.address(name);
    let function = symbol(&args.entry).ok_or_else(|| anyhow::anyhow!("{} is not there", args.entry))?;
    let stop = if args.entry == "main" && args.arguments.is_empty() {
        machine.start(&Call { function, registers: arguments.registers(), ..Call::default() })
    } else {
        call::call(machine, function, &args.arguments, &symbol)?
    };
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

/// What to do about a budget that was used up.
fn hint(stop: &Stop) {
    let Stop::OutOfBudget(limit) = stop else { return };
    messages::note(&match limit {
        executor::Limit::Instructions | executor::Limit::HostWork => {
            "--budget N allows more, and --timeout SECONDS without it as many as that time has room for".to_owned()
        }
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
