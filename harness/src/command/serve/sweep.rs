//! The smallest distance between reservations at which a controller's command no longer does what it does when they are near.
//!
//! One thing is varied: each reservation begins so many bytes behind the beginning of the one before, and the first one at least as
//! far behind the host functions. The distance is doubled, from a page on, until the command ends otherwise; then the last step is
//! bisected. So what is found is the smallest distance of that step, and all powers of two below it were tried. A difference is one
//! when it comes again: controllers have threads, and some fail once in a hundred runs wherever memory is.

use std::io;
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use outside::{ChildError, Limits};

use super::{Args, IDLE, Source};
use crate::epc::place::{Policy, Terms};
use crate::exit::{self, BadInput, Unavailable};
use crate::host::{Sink, Stream};
use crate::stdout;

/// What stands in the command for the address at which the controller is waited for.
const ADDRESS: &str = "{address}";

/// The largest distance, by the width of an address: beyond all relocations, and with room for many reservations.
const LARGEST: [u64; 2] = [1 << 30, 1 << 36];

/// How many bytes of the command's output are compared.
const TEXT: u64 = 1 << 20;
/// How many bytes a file may have that the command writes.
const FILE: u64 = 1 << 30;
/// How often a difference has to come again.
const AGAIN: usize = 2;
/// How many lines of what the command complained of are shown.
const SHOWN: usize = 12;

/// What came of one run.
struct Outcome {
    /// How it ended.
    end: String,
    /// What it printed, and what the program printed that it ran on our machine.
    printed: [Vec<u8>; 2],
    complaint: Vec<u8>,
}

impl Outcome {
    fn is_like(&self, other: &Outcome) -> bool {
        (&self.end, &self.printed) == (&other.end, &other.printed)
    }

    /// There was no room so far apart, which is no fault of the controller.
    fn is_no_room(&self, place: Policy) -> bool {
        String::from_utf8_lossy(&self.complaint).contains(&format!("placed {place}:"))
    }

    /// The end of the complaint.
    fn lines(&self) -> String {
        let text = String::from_utf8_lossy(&self.complaint);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| format!("  | {line}\n")).collect()
    }

    /// How it differs from another one.
    fn differs_from(&self, other: &Outcome) -> String {
        if self.end == other.end {
            "it prints something else".to_owned()
        } else {
            format!("it ends with {} instead of {}", self.end, other.end)
        }
    }
}

/// Runs the controller's command at one distance after the other.
pub(super) fn sweep(source: &Source<'_>, args: &Args) -> anyhow::Result<u8> {
    let page = args.page_size.unwrap_or(0x1000);
    let once = |distance: u64| Run { source, args, place: Policy::Distance(distance) }.run();
    let first = once(page)?;
    let run = |distance: u64| {
        let mut outcome = once(distance)?;
        for _ in 0..AGAIN {
            if outcome.is_like(&first) {
                break;
            }
            outcome = once(distance)?;
        }
        Ok::<_, anyhow::Error>(outcome)
    };
    if !run(page)?.is_like(&first) {
        let why = "the command does not do the same twice, so nothing can be said of distances";
        return Err(BadInput(why.to_owned()).into());
    }
    note!("at {page:#x} the command ends with {}; that is what all other distances are compared with", first.end);
    if !first.complaint.is_empty() {
        note!("{}", first.lines().trim_end());
    }
    let largest = LARGEST[usize::from(source.target.pointer_bits == 64)];
    let (mut good, mut bad) = (page, None);
    while bad.is_none() && good < largest {
        let distance = good * 2;
        let outcome = run(distance)?;
        if outcome.is_like(&first) {
            note!("at {distance:#x} the same");
            good = distance;
        } else if outcome.is_no_room(Policy::Distance(distance)) {
            note!("at {distance:#x} there is no room");
            break;
        } else {
            note!("at {distance:#x} {}", outcome.differs_from(&first));
            bad = Some((distance, outcome));
        }
    }
    let Some((mut distance, mut outcome)) = bad else {
        stdout::raw(format!("no distance up to {good:#x} makes a difference\n").as_bytes());
        return Ok(exit::OK);
    };
    while distance - good > page {
        let middle = good + (distance - good) / 2 / page * page;
        let between = run(middle)?;
        if between.is_like(&first) {
            good = middle;
        } else {
            (distance, outcome) = (middle, between);
        }
    }
    let place = Policy::Distance(distance);
    let text = format!(
        "the smallest distance that makes a difference is {distance:#x}: {}; at {good:#x} all is well\n{}\
         Each reservation begins that many bytes behind the beginning of the one before, the first one at least as far behind the host functions.\n\
         LINKRIG_PLACE={place} or --place {place} does the same again.\n",
        outcome.differs_from(&first),
        outcome.lines(),
    );
    stdout::raw(text.as_bytes());
    Ok(exit::FAILURES)
}

/// One run of the command.
struct Run<'a> {
    source: &'a Source<'a>,
    args: &'a Args,
    place: Policy,
}

impl Run<'_> {
    fn run(&self) -> anyhow::Result<Outcome> {
        let words: Vec<String> = self.args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        if !words.iter().any(|word| word.contains(ADDRESS)) {
            return self.command(&words).map(|outcome| outcome.unwrap_or_else(Self::timeless));
        }
        let listener = TcpListener::bind("127.0.0.1:0").context("no address to listen at")?;
        let address = listener.local_addr()?.to_string();
        let words: Vec<String> = words.iter().map(|word| word.replace(ADDRESS, &address)).collect();
        let printed = Arc::new(Mutex::new(Vec::new()));
        let over = AtomicBool::new(false);
        let outcome = std::thread::scope(|scope| {
            let server = scope.spawn(|| self.serve(&listener, &over, &printed));
            let outcome = self.command(&words);
            over.store(true, Ordering::Relaxed);
            // A session that breaks is what the controller complains of, too.
            let _ = server.join();
            outcome
        });
        let mut outcome = outcome?.unwrap_or_else(Self::timeless);
        outcome.printed[1].clone_from(&printed.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(outcome)
    }

    fn timeless() -> Outcome {
        Outcome { end: "no end in time".to_owned(), printed: Default::default(), complaint: Vec::new() }
    }

    /// Runs the command to its end. None if there is none in time.
    fn command(&self, words: &[String]) -> anyhow::Result<Option<Outcome>> {
        let (program, arguments) = words.split_first().context("no command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("LINKRIG_PLACE", self.place.to_string())
            .env("LINKRIG_ARCH", self.source.target.name);
        command.env("LINKRIG_BUDGET", self.args.budget.instructions().to_string());
        command.env("LINKRIG_EXECUTOR", self.source.choice.name());
        if let Some(bytes) = self.args.page_size {
            command.env("LINKRIG_PAGE_SIZE", bytes.to_string());
        }
        let time = self.args.budget.time();
        match outside::run(command, &Limits { time, text: TEXT, file: FILE, memory: None }) {
            Ok(ended) => {
                let end = ended.status.code().map_or_else(|| ended.status.to_string(), |code| format!("status {code}"));
                Ok(Some(Outcome { end, printed: [ended.stdout, Vec::new()], complaint: ended.stderr }))
            }
            Err(ChildError::OutOfTime { .. }) => Ok(None),
            Err(error @ ChildError::NotStarted { .. }) => Err(Unavailable(error.to_string()).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Serves the command, if it calls before it is over.
    fn serve(&self, listener: &TcpListener, over: &AtomicBool, printed: &Arc<Mutex<Vec<u8>>>) -> anyhow::Result<()> {
        listener.set_nonblocking(true)?;
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !over.load(Ordering::Relaxed) => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(error.into()),
            }
        };
        stream.set_nonblocking(false)?;
        let terms = Terms { place: self.place, ..self.source.terms };
        let idle = Some(self.args.idle.unwrap_or(IDLE)).filter(|idle| *idle > 0.0).map(Duration::from_secs_f64);
        let printed = printed.clone();
        let sink: Sink = Box::new(move |_: Stream, text: &[u8]| {
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            let room = (TEXT as usize).saturating_sub(printed.len());
            printed.extend_from_slice(&text[..text.len().min(room)]);
            Ok(())
        });
        Source { terms, ..*self.source }.serve_to(&stream, idle, sink)
    }
}
