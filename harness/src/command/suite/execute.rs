//! Runs a linked program as a Linux process.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use linker::Target;
use outside::ChildError;

use crate::command::exec::ended;
use crate::executor::hosted::engine::PAGE;
use crate::executor::unicorn;
use crate::executor::{Budget, Limit};
use crate::host::{Sink, Stream};
use crate::linked::Executable;
use crate::linking::{Data, Input};
use crate::linux::{End, Process, Roots, Start, signal_name};
use crate::machine::Stop;
use crate::user_mode;

/// Bytes of a program's stack.
const STACK: u64 = 8 << 20;
/// Bytes of what it complains of that are kept.
const COMPLAINTS: usize = 4096;

/// What runs programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded emulator, with our system calls.
    Unicorn,
    /// qemu-user, with the host's system calls.
    UserMode,
}

impl Engine {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Unicorn => "unicorn",
            Engine::UserMode => user_mode::NAME,
        }
    }

    /// Sees whether it is there for these targets.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn prepare(self, targets: &[&'static Target]) -> Result<(), String> {
        match self {
            Engine::Unicorn => Ok(()),
            Engine::UserMode => targets.iter().try_for_each(|target| user_mode::find(target).map(drop)),
        }
    }
}

/// How a program ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// Its status, if it exited.
    pub(super) status: Option<u8>,
    /// How it ended otherwise.
    pub(super) problem: String,
    /// How it got there.
    pub(super) backtrace: Vec<String>,
    /// What it wrote to its standard output.
    pub(super) printed: Vec<u8>,
    /// The beginning of what it wrote to its standard error.
    pub(super) complained: Vec<u8>,
    /// The machine was lost, and why.
    pub(super) lost: Option<String>,
}

impl Engine {
    /// Runs a program. `Err` says why it did not start.
    pub(super) fn run(
        self,
        target: &'static Target,
        name: &str,
        image: Vec<u8>,
        budget: Budget,
        scratch: &Path,
    ) -> Result<Ran, String> {
        match self {
            Engine::Unicorn => on_unicorn(target, name, image, budget),
            Engine::UserMode => by_qemu_user(target, name, &image, &budget, scratch),
        }
    }
}

fn by_qemu_user(
    target: &'static Target,
    name: &str,
    image: &[u8],
    budget: &Budget,
    scratch: &Path,
) -> Result<Ran, String> {
    let program = user_mode::find(target)?;
    let path = scratch.join("program");
    user_mode::write(image, &path).map_err(|error| format!("{}: {error}", path.display()))?;
    let start =
        user_mode::Start { image: &path, name, arguments: &[], environment: &[], stack: STACK, seed: 0, sysroot: None };
    let mut command = start.command(&program);
    command.current_dir(scratch);
    let spent = |limit| Stop::OutOfBudget(limit).to_string();
    let ended = match outside::run(command, &user_mode::limits(budget)) {
        Ok(ended) => ended,
        Err(ChildError::OutOfTime { .. }) => return Ok(Ran { problem: spent(Limit::Time), ..Ran::default() }),
        Err(error) => return Err(error.to_string()),
    };
    // The file that it printed into is as long as it may be: whatever it made of that, its output is not whole.
    if ended.stdout.len() as u64 >= budget.output {
        return Ok(Ran { problem: spent(Limit::Output), ..Ran::default() });
    }
    let problem = match user_mode::signal(ended.status) {
        Some(signal) => format!("ended by {}", signal_name(signal)),
        None => String::new(),
    };
    let mut complained = ended.stderr;
    complained.truncate(COMPLAINTS);
    let status = ended.status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Ran { status, problem, printed: ended.stdout, complained, ..Ran::default() })
}

fn on_unicorn(target: &'static Target, name: &str, image: Vec<u8>, budget: Budget) -> Result<Ran, String> {
    let file = Input::new(name, Data::Read(image));
    let executable = Executable::read(&file.name, &file.data, target).map_err(|error| error.to_string())?;
    if executable.interpreter().is_some() {
        return Err("it is linked dynamically, expected a static program".to_owned());
    }
    let roots = Roots::new(&[]).map_err(|error| error.to_string())?;
    let start =
        Start { name, arguments: &[], environment: &[], stack: STACK, seed: 0, budget, directory: "/", umask: 0o022 };
    let kept = Rc::new(RefCell::new((Vec::new(), Vec::new())));
    let into = kept.clone();
    let sink: Sink = Box::new(move |stream, bytes| {
        let (printed, complained) = &mut *into.borrow_mut();
        match stream {
            Stream::Out => printed.extend_from_slice(bytes),
            Stream::Error => {
                let room = COMPLAINTS.saturating_sub(complained.len());
                complained.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
        }
        Ok(())
    });
    let engine = unicorn::processor(target, 0).map_err(|error| error.to_string())?;
    let mapped = executable.mapped(PAGE);
    let process = Process::new(engine, (&mapped, None), &start, roots, sink);
    let mut process = process.map_err(|error| error.to_string())?;
    process.close_input();
    let end = process.run();
    let mut ran = Ran::default();
    match &end {
        End::Exited(status) => ran.status = Some(*status),
        end => {
            if let End::Stopped(Stop::Lost(lost)) = end {
                ran.lost = Some(lost.to_string());
            }
            let told = ended::tell(&mut process, end, &file, &executable, target);
            ran.problem = told.lines.join("\n");
            ran.backtrace = told.backtrace.frames.iter().map(ToString::to_string).collect();
        }
    }
    for (number, count) in process.unknown_calls() {
        let name = process.call_name(*number).unwrap_or_default();
        let call = format!("system call {number} {name} is not served: it got ENOSYS {count} times");
        ran.complained.extend_from_slice(call.as_bytes());
        ran.complained.push(b'\n');
    }
    drop(process);
    let (printed, complained) = kept.take();
    ran.printed = printed;
    ran.complained.splice(0..0, complained);
    Ok(ran)
}
