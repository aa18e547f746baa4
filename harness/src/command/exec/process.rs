//! `exec` of an executable that is a Linux program: as a process of its own, of which nothing is printed but what it prints itself.

use std::path::Path;

use linker::Target;

use super::meaning::Kind;
use super::{Args, System, ended, grants, interpreter, output};
use crate::command::debugger::{Attendance, Debugger, finish};
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::executor::unicorn;
use crate::exit::{self, Usage};
use crate::gdb::{self, Over};
use crate::linked::{Executable, LoadError};
use crate::linking::{Input, Timings};
use crate::linux::{End, Process, Roots, Start, command_line};
use crate::machine::{Exit, Processor, Stop};
use crate::messages;
use crate::trace::Names;

/// The signal by which `abort` ends a process.
const SIGABRT: u32 = 6;

/// What newlib's start-up code for semihosting calls, by which it is known, and the bytes that it has for a command line and the
/// zero behind (libgloss's `arm/crt0.S`).
const NEWLIB: (&str, usize) = ("initialise_monitor_handles", 255);

/// The symbol where start-up code begins.
const START: &str = "_start";

/// Whether an executable is to be started as Linux does it: because that was asked for, or because it has start-up code of its own
/// and nobody asked for anything that such a program does not have.
///
/// # Errors
/// What was asked for cannot be together.
pub(super) fn is_meant(args: &Args, file: &Input, target: &'static Target) -> Result<bool, Usage> {
    if !crate::inputs::is_executable(&file.data) {
        return if args.system == System::Linux {
            Err(Usage(format!(
                "{} is not an executable: --system linux is for those, and --crt for objects",
                file.name
            )))
        } else {
            Ok(false)
        };
    }
    let is_called = args.is_called();
    let elsewhere = args.machine.is_given();
    match args.system {
        System::None => Ok(false),
        System::Linux if is_called => Err(Usage(
            "--entry, --arg and --returns are for functions that are called: a Linux program is started".to_owned(),
        )),
        System::Linux if elsewhere => {
            Err(Usage("Linux programs run on the embedded emulator only: leave out --executor and --image".to_owned()))
        }
        System::Linux => Ok(true),
        System::Auto if is_called || elsewhere || !Process::<unicorn::Processor>::is_for(target) => Ok(false),
        System::Auto => Ok(Executable::read(&file.name, &file.data, target).is_ok_and(|executable| {
            if executable.interpreter().is_some() {
                return true;
            }
            let starts_itself = executable.entry().is_some() && executable.entry() == executable.value(START);
            !executable.wants_definitions() && (starts_itself || !executable.defines("main"))
        })),
    }
}

/// How programs for a target are run that start by themselves.
pub(super) fn kind(target: &'static Target) -> Kind {
    if Processor::of(target).is_some_and(|processor| processor.m_profile) { Kind::Firmware } else { Kind::Linux }
}

/// Runs it. The status to end with.
pub(super) fn run(
    args: &Args,
    file: &Input,
    target: &'static Target,
    debugger: Option<Debugger>,
    timings: Timings,
) -> anyhow::Result<u8> {
    run_image(args, file, target, debugger, file.name.as_ref(), timings)
}

/// The same for what is in another file than its name says.
pub(super) fn run_image(
    args: &Args,
    file: &Input,
    target: &'static Target,
    mut debugger: Option<Debugger>,
    image: &Path,
    mut timings: Timings,
) -> anyhow::Result<u8> {
    let loaded = timings.phase("read", || {
        let executable = Executable::read(&file.name, &file.data, target)?;
        Ok((executable.mapped(PAGE), executable))
    });
    let (mapped, executable) = loaded.map_err(|error: LoadError| anyhow::Error::new(error))?;
    if executable.entry().is_none() {
        bad_input!("{}: it has no entry point: name a function by --entry", file.name);
    }
    command_line_fits(args, file, &executable)?;
    let environment = environment(&args.environment);
    let roots = Roots::new(&grants::all(&args.directories, args.sysroot.as_deref()))?;
    let interpreter = timings.phase("read", || interpreter::map(args, &file.name, &executable, &roots, target))?;
    let directory = grants::directory(&args.directories);
    let start = Start {
        name: &file.name,
        arguments: &args.argv,
        environment: &environment,
        stack: args.stack,
        seed: args.seed,
        budget: args.debug.budget(args.budget.of_process(args.output_limit)),
        directory: &directory,
        umask: umask(),
    };
    let (sink, refused) = output::sink();
    let attendance = debugger.as_mut().map_or(Attendance::Nobody, |debugger| debugger.attendance(image));
    let process = timings.phase("start", || {
        let engine = unicorn::processor(target, 0).map_err(|error| error.to_string())?;
        Process::new(engine, (&mapped, interpreter.as_ref()), &start, roots, sink).map_err(|error| error.to_string())
    });
    let mut process = match process {
        Ok(process) => process,
        Err(error) => {
            messages::error(&format!("{}: {error}", file.name));
            return Ok(exit::NOT_STARTED);
        }
    };
    let (mut session, mut trace) = (None, None);
    match attendance {
        Attendance::Nobody => {}
        Attendance::Debugger(listener) => {
            let (server, desk, bell) = listener.session(process.info(), true);
            process.attend(Box::new(desk))?;
            session = Some((server, bell));
        }
        Attendance::Trace(file) => {
            let linked = executable.known(PAGE, process.base())?;
            let (tracer, close) = file.begin(&linked, Names::of(&linked, []));
            process.attend(Box::new(tracer))?;
            trace = Some(close);
        }
    }
    let end = timings.phase("run", || match session {
        None => process.run(),
        Some((server, bell)) => std::thread::scope(|scope| {
            let known = gdb::Foreign { bias: process.base() };
            scope.spawn(move || server.serve(&known));
            let end = process.run();
            match &end {
                // What an instruction did the debugger knows.
                End::Killed { signal: SIGABRT, fault: None } => {
                    process.conclude(&Stop::Exited(Exit::Abort(String::new())));
                }
                End::Stopped(stop) => process.conclude(stop),
                _ => {}
            }
            bell.ring(over(&end));
            end
        }),
    });
    if let Some(trace) = trace {
        finish(trace);
    }
    if let Some(status) = output::unwritten(&refused) {
        return Ok(status);
    }
    if !matches!(end, End::Exited(_)) {
        ended::say(&mut process, &end, file, &executable, target);
    }
    let status = status(&end);
    if let Some((length, room)) = process.long_command_line() {
        messages::note(&format!(
            "the command line has {length} bytes, and the program had room for {room} with the zero behind (SYS_GET_CMDLINE): it got none"
        ));
    }
    // What was refused may be why it did not come to its end.
    if args.verbose || !matches!(end, End::Exited(_)) {
        report(&process);
    }
    if args.registers {
        process.registers().iter().for_each(|(name, value)| outln!("{name:8} {value:#x}"));
    }
    super::print_timings(args, &timings);
    Ok(status)
}

/// Start-up code that has no room for the command line starts the program with another one, or with none.
fn command_line_fits(args: &Args, file: &Input, executable: &Executable<'_>) -> Result<(), Usage> {
    let (name, room) = NEWLIB;
    let words = std::iter::once(file.name.as_str()).chain(args.argv.iter().map(String::as_str));
    let length = command_line(words).len();
    if executable.value(name).is_none() || length < room {
        return Ok(());
    }
    Err(Usage(format!(
        "the command line has {length} bytes with the program's name, and newlib's start-up code for semihosting (rdimon-crt0.o) has \
         room for {}: give fewer or shorter words behind --",
        room - 1
    )))
}

/// How a process ended, for a debugger.
fn over(end: &End) -> Over {
    match end {
        End::Killed { signal, .. } => Over::Killed(gdb::signal::of_linux(*signal)),
        end => Over::Exited(status(end)),
    }
}

/// What a process is told. What was said last of a name counts.
pub(super) fn environment(words: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words.iter().filter_map(|word| variable(word)) {
        let name = |word: &str| word.split_once('=').map(|(name, _)| name.to_owned());
        all.retain(|earlier| name(earlier) != name(&word));
        all.push(word);
    }
    all
}

/// `NAME=VALUE`, or a variable of ours of this name; none where we have none.
fn variable(word: &str) -> Option<String> {
    if word.contains('=') {
        return Some(word.to_owned());
    }
    std::env::var(word).ok().map(|value| format!("{word}={value}"))
}

/// Our own umask, which can only be had by setting it.
fn umask() -> u32 {
    let own = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(own);
    own.as_raw_mode()
}

/// Says which system calls were refused.
fn report<E: Engine + 'static>(process: &Process<E>) {
    for (number, count) in process.unknown_calls() {
        let name = process.call_name(*number).map_or_else(String::new, |name| format!(" ({name})"));
        messages::note(&format!("system call {number}{name} is not served: it got ENOSYS {count} times"));
    }
    for (operation, count) in process.unknown_operations() {
        let name = Process::<E>::operation_name(*operation).map_or_else(String::new, |name| format!(" ({name})"));
        messages::note(&format!("semihosting operation {operation:#x}{name} is not served: it got -1 {count} times"));
    }
    if process.forks() > 0 {
        let count = process.forks();
        messages::note(&format!("there are threads, and no other processes (fork): clone got ENOSYS {count} times"));
    }
}

fn status(end: &End) -> u8 {
    match end {
        End::Exited(status) => *status,
        // As a shell shows it.
        End::Killed { signal, .. } => 128_u32.saturating_add(*signal).min(255) as u8,
        // It would have had to use up its time.
        End::Deadlock(_) => exit::BUDGET,
        End::Stopped(stop) => super::status(stop),
    }
}
