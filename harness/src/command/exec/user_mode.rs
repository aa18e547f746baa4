//! `exec --executor qemu-user`: the linked image is written, and runs under qemu-user with the bounds of the run.

use std::path::Path;

use outside::Relayed;

use super::{Args, Crt, grants, interpreter};
use crate::executor::Limit;
use crate::exit::{self, Usage};
use crate::inputs::{self, Inputs};
use crate::linked::Executable;
use crate::linux::{Roots, signal_name};
use crate::machine::Stop;
use crate::{messages, user_mode};

/// Sees whether what is asked for can be. The inner error says what is not installed.
///
/// # Errors
/// It is asked for what it does not have, or a directory or a run-time linker is not there.
pub(super) fn prepare(args: &Args, inputs: &Inputs) -> anyhow::Result<Result<(), String>> {
    refuse(args, inputs.files.iter().any(|file| inputs::is_executable(&file.data)))?;
    // It would take a root that is not there for an empty one.
    let roots = Roots::new(&grants::all(&[], args.sysroot.as_deref()))?;
    let executable = inputs.files.iter().find(|file| inputs::is_executable(&file.data));
    if let Some((file, executable)) =
        executable.and_then(|file| Some((file, Executable::read(&file.name, &file.data, inputs.target).ok()?)))
    {
        let is_here = executable.interpreter().is_some_and(|name| Path::new(name).exists());
        // The directory that it takes where nobody says another one.
        let has_own = args.sysroot.is_none() && (is_here || std::env::var_os("QEMU_LD_PREFIX").is_some());
        if !has_own {
            interpreter::map(args, &file.name, &executable, &roots, inputs.target)?;
        }
    }
    Ok(user_mode::find(inputs.target).map(drop))
}

/// What it does not have is an error, as it would not be what was asked for.
fn refuse(args: &Args, is_linked: bool) -> Result<(), Usage> {
    let asked = [
        (args.is_called(), "--entry, --arg and --returns call a function, and it starts programs"),
        (args.debug.is_given(), "--gdb, --trace and --save-dir are the embedded emulator's"),
        (args.registers, "--registers are the embedded emulator's"),
        (args.budget.budget.is_some(), "it does not count instructions, so --budget bounds nothing: --timeout does"),
        (!args.directories.is_empty(), "its programs reach all files of this machine: leave out --dir"),
        (
            args.crt == Crt::None && !is_linked,
            "it starts programs, and objects become one with a C library: leave out --crt none",
        ),
        (args.system == super::System::None, "--system none has no system calls, which its programs make"),
    ];
    match asked.into_iter().find(|(is_asked, _)| *is_asked) {
        Some((_, why)) => Err(Usage(format!("--executor qemu-user: {why}"))),
        None => Ok(()),
    }
}

/// Runs an image, which calls itself `name`.
pub(super) fn run(args: &Args, target: &'static linker::Target, name: &str, image: &Path) -> anyhow::Result<u8> {
    let program = match user_mode::find(target) {
        Ok(program) => program,
        Err(missing) => {
            messages::error(&missing);
            return Ok(exit::MISSING);
        }
    };
    let start = user_mode::Start {
        image,
        name,
        arguments: &args.argv,
        environment: &[],
        stack: args.stack,
        seed: args.seed,
        sysroot: args.sysroot.as_deref(),
    };
    let environment = super::process::environment(&args.environment);
    let start = user_mode::Start { environment: &environment, ..start };
    let command = start.command(&program);
    let limits = user_mode::limits(&args.budget.of_process(args.output_limit));
    let spent = |limit| {
        let stop = Stop::OutOfBudget(limit);
        messages::say(&stop);
        super::hint(&stop);
        exit::BUDGET
    };
    Ok(match outside::relay(command, &limits)? {
        Relayed::OutOfTime => spent(Limit::Time),
        Relayed::OutOfOutput => spent(Limit::Output),
        Relayed::Unwritten(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit::CLOSED_PIPE,
        Relayed::Unwritten(error) => {
            messages::error(&format!("what the program printed could not be written: {error}"));
            exit::BAD_OUTPUT
        }
        Relayed::Ended(status) => match user_mode::signal(status) {
            None => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::HARNESS_FAILED),
            Some(signal) => {
                messages::say(&format!("ended by {}", signal_name(signal)));
                128_u32.saturating_add(signal).min(255) as u8
            }
        },
    })
}
