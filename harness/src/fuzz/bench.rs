//! Links and runs a program for each [`Subject`], and reads its answer.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use linker::{Layout, Options, Roots, Target};
use outside::{ChildError, Limits};

use super::build::{Built, START};
use super::image;
use super::model::Program;
use super::quirks;
use super::render::ENTRY;
use super::subject::Subject;
use crate::executor::{Budget, Call, Executor, Guest as _, Register, Stop, Unicorn};
use crate::linked::{Executable, Prepared};
use crate::linking::{self, Externals, Job, Timings};
use crate::oracle::Peer;

/// How long a peer, or a process, may take.
const TIME: Duration = Duration::from_secs(60);

/// Instructions that a program may execute: what it does ends much sooner.
const INSTRUCTIONS: u64 = 20_000_000;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every check found what it had to.
    Right,
    /// A check found something else.
    Wrong {
        /// Number of its item.
        check: u32,
        /// What it found, where that is known.
        found: Option<u32>,
    },
    /// It did not come to an end.
    Broken {
        /// Number of the check's item, or 0 when it was before all.
        check: u32,
        /// How it ended.
        how: String,
    },
    /// It was not linked, or not loaded.
    Refused(String),
}

impl Outcome {
    /// Whether something was linked and came out wrong.
    pub fn is_wrong(&self) -> bool {
        matches!(self, Outcome::Wrong { .. } | Outcome::Broken { .. })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Right => f.write_str("0"),
            Outcome::Wrong { check, found: Some(found) } => write!(f, "{check} (found {found:#x})"),
            Outcome::Wrong { check, found: None } => write!(f, "{check}"),
            Outcome::Broken { check, how } => write!(f, "in check {check}: {how}"),
            Outcome::Refused(why) => write!(f, "refused: {}", why.lines().next().unwrap_or_default()),
        }
    }
}

/// The linkers, and what runs their programs.
#[derive(Clone, Debug)]
pub struct Linkers {
    /// Those installed.
    pub peers: Vec<(Peer, PathBuf)>,
    /// qemu-user for the target, where it is installed.
    pub user: Option<PathBuf>,
}

impl Linkers {
    /// Looks for them. What is missing is said in the second list.
    pub fn find(target: &Target) -> (Linkers, Vec<String>) {
        let mut missing = Vec::new();
        let mut peers = Vec::new();
        for peer in [Peer::Ld, Peer::Lld] {
            match peer.find(target) {
                Ok(program) => peers.push((peer, program)),
                Err(error) => missing.push(error.to_string()),
            }
        }
        let name = if target.register_bits == 64 { "qemu-aarch64" } else { "qemu-arm" };
        let user = which::which(name).ok();
        if user.is_none() {
            missing.push(format!("{name} is not installed (package qemu-user)"));
        }
        (Linkers { peers, user }, missing)
    }

    /// All there are: the layouts of our linker, and the peers.
    pub fn subjects(&self, program: &Program, as_process: bool) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for layout in [Layout::Near, Layout::Far, Layout::Random(program.seed % 1000)] {
            for relaxed in [true, false] {
                subjects.push(Subject::Ours { relaxed, layout: layout.clone(), collected: false });
            }
        }
        subjects.push(Subject::Ours { relaxed: true, layout: Layout::Near, collected: true });
        if quirks::fits_high(program) {
            subjects.push(Subject::Ours { relaxed: true, layout: Layout::High, collected: false });
        }
        subjects.extend(self.peers.iter().map(|(peer, _)| Subject::Peer(*peer)));
        if as_process && self.user.is_some() {
            subjects.extend(self.peers.iter().map(|(peer, _)| Subject::Process(*peer)));
            subjects.push(Subject::Image);
        }
        subjects
    }
}

/// Links and runs programs, with a machine for each target.
#[derive(Default)]
pub struct Bench {
    machines: BTreeMap<&'static str, Unicorn>,
}

impl Bench {
    fn machine(&mut self, target: &'static Target) -> Result<&mut Unicorn> {
        if !self.machines.contains_key(target.name) {
            let mut machine = Unicorn::new(target)?;
            machine.set_budget(Budget { instructions: INSTRUCTIONS, ..Budget::default() });
            self.machines.insert(target.name, machine);
        }
        self.machines.get_mut(target.name).context("a machine")
    }

    /// What a subject makes of a program. An error is one of the machine that this runs on.
    pub fn judge(&mut self, program: &Program, built: &Built, subject: &Subject, linkers: &Linkers) -> Result<Outcome> {
        let target = program.target();
        match subject {
            Subject::Ours { relaxed, layout, collected } => {
                let machine = self.machine(target)?;
                machine.reset();
                let options = if *relaxed { Options::default() } else { Options::unrelaxed() };
                let job = Job {
                    target,
                    inputs: &built.inputs,
                    defines: &[],
                    roots: if *collected { Roots::Names(&[ENTRY]) } else { Roots::All },
                    layout,
                    options: &options,
                    wishes: &linking::NO_WISHES,
                };
                match linking::link(&job, machine, &Externals::Table(&|_| None), &mut Timings::default()) {
                    Err(error) => Ok(Outcome::Refused(error.to_string())),
                    Ok(linked) => {
                        let Some(entry) = linked.address(ENTRY) else {
                            return Ok(Outcome::Refused("the entry is gone".to_owned()));
                        };
                        if let Some(image) = linked.thread_local()
                            && let Err(error) = machine.set_thread(&image)
                        {
                            return Ok(Outcome::Refused(error));
                        }
                        Ok(run(machine, entry, quirks::bits(subject)))
                    }
                }
            }
            Subject::Peer(peer) => {
                let file = match link(*peer, built, linkers)? {
                    Ok(path) => outside::read(path, corpus::build::MOST_FILE)?,
                    Err(why) => return Ok(Outcome::Refused(why)),
                };
                let machine = self.machine(target)?;
                machine.reset();
                // The program fills the slots of its IFUNC symbols itself.
                let loaded = Executable::read(peer.name(), &file, target)
                    .and_then(|executable| executable.load(machine, Prepared::Mapped));
                let linked = match loaded {
                    Ok(linked) => linked,
                    Err(error) => return Ok(Outcome::Refused(format!("not loaded: {error}"))),
                };
                let Some(entry) = linked.address(ENTRY) else {
                    return Ok(Outcome::Refused(format!("there is no `{ENTRY}`")));
                };
                if let Some(Err(error)) = linked.thread_local.map(|image| machine.set_thread(&image)) {
                    return Ok(Outcome::Refused(error));
                }
                Ok(run(machine, entry, quirks::bits(subject)))
            }
            Subject::Image => match image::make(target, built)? {
                Ok(path) => process(&path, quirks::bits(subject), linkers),
                Err(why) => Ok(Outcome::Refused(why)),
            },
            Subject::Process(peer) => match link(*peer, built, linkers)? {
                Ok(path) => process(&path, quirks::bits(subject), linkers),
                Err(why) => Ok(Outcome::Refused(why)),
            },
        }
    }
}

/// Calls the entry.
fn run(machine: &mut Unicorn, entry: u64, flags: u32) -> Outcome {
    let registers = vec![(Register::Core(0), flags.into())];
    let stop = machine.start(&Call { function: entry, registers, stack: Vec::new() });
    let number = if machine.info().is_64() { 25 } else { 11 };
    let check = machine.get(Register::Core(number)) as u32;
    match stop {
        Stop::Returned => match machine.get(Register::Core(0)) as u32 {
            0 => Outcome::Right,
            check => Outcome::Wrong { check, found: Some(machine.get(Register::Core(1)) as u32) },
        },
        stop => Outcome::Broken { check, how: stop.to_string() },
    }
}

/// The command line of a peer, as it is run in the program's directory.
pub fn command_line(peer: Peer, inputs: &[&str], output: &str) -> Vec<String> {
    let mut words: Vec<String> = ["-static", "-o", output].map(str::to_owned).to_vec();
    // The lowest addresses are the emulator's own.
    words.push(match peer {
        Peer::Lld => "--image-base=0x400000".to_owned(),
        _ => "-Ttext-segment=0x400000".to_owned(),
    });
    if peer == Peer::Lld {
        words.push("--threads=1".to_owned());
    }
    words.push(START.to_owned());
    words.extend(inputs.iter().map(|input| (*input).to_owned()));
    words
}

/// Has a peer link a program. What it says when it refuses.
fn link(peer: Peer, built: &Built, linkers: &Linkers) -> Result<std::result::Result<PathBuf, String>> {
    let known = linkers.peers.iter().find(|known| known.0 == peer);
    let program = &known.with_context(|| format!("{} is not installed", peer.name()))?.1;
    let output = if peer == Peer::Lld { "lld.elf" } else { "ld.elf" };
    let path = built.directory.join(output);
    let _ = std::fs::remove_file(&path);
    let mut command = Command::new(program);
    command.current_dir(&built.directory).args(command_line(peer, &built.names(), output));
    let linked = corpus::build::run(command, TIME);
    Ok(match linked {
        Ok(_) => Ok(path),
        Err(error) => {
            let text = error.to_string();
            // The first line is the command, and others say only where.
            let why = text.lines().skip(1).find(|line| !line.ends_with("':"));
            Err(why.unwrap_or(&text).to_owned())
        }
    })
}

/// Runs an executable as a process: its arguments are counted, and the count is the entry's argument.
fn process(path: &Path, flags: u32, linkers: &Linkers) -> Result<Outcome> {
    let user = linkers.user.as_ref().context("qemu-user is not installed")?;
    let mut command = Command::new(user);
    command.arg(path).args((0..flags).map(|_| "x"));
    let limits = Limits { time: TIME, text: 0, file: 0, memory: None };
    let status = match outside::run(command, &limits) {
        Err(ChildError::OutOfTime { .. }) => return Ok(Outcome::Broken { check: 0, how: "out of time".to_owned() }),
        ended => ended?.status,
    };
    Ok(match status.code() {
        Some(0) => Outcome::Right,
        Some(check @ 1..128) => Outcome::Wrong { check: check as u32, found: None },
        _ => Outcome::Broken { check: 0, how: status.to_string() },
    })
}
