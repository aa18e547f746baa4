//! An emulator's process as its owner sees it: started, asked, and ended whatever happens; and what is to be said of its death.

use std::fs::File;
use std::io::Error;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use linker::Target;
use rustix::process::{Pid, Signal, kill_process};

use super::cpu::length;
use super::mailbox::{Counter, LastWords, Mailbox, ROOM};
use super::worker::VARIABLE;
use crate::executor::Lost;
use crate::executor::wire::{Batch, Registers, Reply, Trouble};

/// How long a process may take to come up, on a machine that has other things to do.
const START: Duration = Duration::from_secs(30);
/// How much longer than what it does a process may take to answer.
const GRACE: Duration = Duration::from_secs(10);
/// How long one that does not answer may take to say where it is.
const LAST: Duration = Duration::from_secs(2);
/// How often is looked whether it is still there.
const LOOK: Duration = Duration::from_millis(20);

/// A process with an emulator in it. It ends when this is dropped, and when we end.
#[derive(Debug)]
pub(super) struct Process {
    target: &'static Target,
    child: Child,
    mailbox: Mailbox,
    file: File,
    /// While we have it the process stays.
    _life: Option<ChildStdin>,
    answers: u32,
    pristine: Registers,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Death {
    /// By which signal or status.
    how: String,
    /// What it noted.
    words: Option<LastWords>,
    /// The block that it was in.
    entered: u64,
    /// What it said.
    said: String,
}

impl Process {
    /// Starts an emulator for this target.
    pub(super) fn start(target: &'static Target) -> Result<Process, String> {
        let start = || {
            let (mailbox, file) = Mailbox::create()?;
            // By this name it is the program that is running, even if its file has been replaced since. In a group of its own
            // it does not hear what the terminal says to its owner.
            let mut child = Command::new("/proc/self/exe")
                .arg0(format!("linkrig-emulator-{}", target.name))
                .env(VARIABLE, target.name)
                .current_dir("/")
                .process_group(0)
                .stdin(Stdio::piped())
                .stdout(file.try_clone()?)
                .stderr(file.try_clone()?)
                .spawn()?;
            let life = child.stdin.take();
            Ok::<_, Error>(Process {
                target,
                child,
                mailbox,
                file,
                _life: life,
                answers: 0,
                pristine: Registers::new(target),
            })
        };
        let mut process = start().map_err(|error| format!("its process cannot be started: {error}"))?;
        let answered = process.wait(Some(Instant::now() + START));
        let message = answered.map_err(|death| match death {
            Some(death) => format!("its process ended at once, {}{}", death.how, death.remark()),
            None => "its process does not answer: is this crate linked into the program?".to_owned(),
        })?;
        if let Some((head, error)) = message.split_at_checked(16)
            && head[..4] == u32::MAX.to_le_bytes()
        {
            return Err(String::from_utf8_lossy(error).into_owned());
        }
        Reply::read(message, 0)?.registers(&mut process.pristine)?;
        Ok(process)
    }

    /// The registers of a processor that is as new.
    pub(super) fn pristine(&self) -> &Registers {
        &self.pristine
    }

    /// Its process number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many bytes a batch may have.
    pub(super) fn room() -> usize {
        ROOM - 4096
    }

    /// Has a batch done. After `time`, and some more, the process is ended.
    pub(super) fn call(&mut self, batch: &Batch, time: Duration) -> Result<Reply, Trouble> {
        match self.exchange(batch, time) {
            Ok(message) => Reply::read(message, 0).map_err(Trouble::Refused),
            Err(death) => Err(Trouble::Lost(death.describe(self.target))),
        }
    }

    fn exchange(&mut self, batch: &Batch, time: Duration) -> Result<Vec<u8>, Death> {
        self.mailbox.post(Counter::Request, batch.bytes());
        self.wait(Instant::now().checked_add(time.saturating_add(GRACE)))
            .map_err(|death| death.unwrap_or_else(|| self.end(time)))
    }

    /// Waits for an answer until then, or until it ends.
    fn wait(&mut self, until: Option<Instant>) -> Result<Vec<u8>, Option<Death>> {
        while !self.mailbox.wait(Counter::Answer, self.answers, Some(LOOK)) {
            if let Ok(Some(status)) = self.child.try_wait() {
                // Its last answer may have come in between.
                if self.mailbox.count(Counter::Answer) != self.answers {
                    break;
                }
                return Err(Some(self.death(ended(status))));
            }
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(None);
            }
        }
        self.answers = self.answers.wrapping_add(1);
        let mut message = Vec::new();
        self.mailbox.take(&mut message);
        Ok(message)
    }

    fn death(&self, how: String) -> Death {
        let (words, said) = (self.mailbox.last_words(), Mailbox::said(&self.file));
        let entered = self.mailbox.entered().load(std::sync::atomic::Ordering::Relaxed);
        Death { how, words, entered, said }
    }

    /// Ends what does not answer, and has it say where it is before.
    fn end(&mut self, time: Duration) -> Death {
        if let Some(id) = Pid::from_raw(self.child.id() as i32) {
            // It is our child, and not waited for yet: the number is still its own.
            let _ = kill_process(id, Signal::ABORT);
        }
        let until = Instant::now() + LAST;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.death(format!("did not answer within {} s and was ended", time.saturating_add(GRACE).as_secs()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ended(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("ended by {name}"),
            None => format!("ended by signal {signal}"),
        },
        None => format!("ended with status {}", status.code().unwrap_or(0)),
    }
}

impl Death {
    /// Whether it was on the way to the block it noted, rather than in it.
    fn while_translating(&self) -> Option<&LastWords> {
        self.words.as_ref().filter(|words| words.pc != self.entered)
    }

    /// What it said last.
    fn remark(&self) -> String {
        let line = self.said.lines().last().unwrap_or_default();
        let line = line.rsplit('/').next().unwrap_or(line);
        if line.is_empty() { String::new() } else { format!(" ({line})") }
    }

    /// In words. Which instruction cannot be translated is found out by another process.
    fn describe(&self, target: &'static Target) -> Lost {
        let (how, remark) = (&self.how, self.remark());
        let Some(words) = self.while_translating() else {
            let at = self.words.as_ref().map_or(self.entered, |words| words.pc);
            let known = at != 0;
            let place = if known { format!(" while running the code at {at:#x}") } else { String::new() };
            return Lost { why: format!("the emulator {how}{place}{remark}"), pc: known.then_some(at) };
        };
        let (pc, code) = (words.pc, words.code.as_slice());
        let culprit = Process::start(target).ok().and_then(|mut process| process.untranslatable(pc, words.thumb, code));
        match culprit {
            Some((offset, _)) => {
                let word = instruction(&code[offset..], words.thumb);
                let at = pc.wrapping_add(offset as u64);
                Lost { why: format!("the emulator {how} while translating {word} at {at:#x}{remark}"), pc: Some(at) }
            }
            None => {
                let why = format!("the emulator {how} while translating the code from {pc:#x} on{remark}");
                Lost { why, pc: Some(pc) }
            }
        }
    }
}

/// The instruction that begins here.
fn instruction(code: &[u8], thumb: bool) -> String {
    let half = |at: usize| code.get(at..at + 2).map_or(0, |half| u16::from_le_bytes([half[0], half[1]]));
    match (thumb, length(code, thumb)) {
        (true, 2) => format!("{:#06x}", half(0)),
        (true, _) => format!("{:#06x} {:#06x}", half(0), half(2)),
        (false, _) => format!("{:#010x}", u32::from(half(0)) | u32::from(half(2)) << 16),
    }
}

impl Process {
    /// The first instruction that ends this process when it is translated: its offset, and what the process said.
    pub(super) fn untranslatable(&mut self, address: u64, thumb: bool, code: &[u8]) -> Option<(usize, String)> {
        let mut batch = Batch::default();
        batch.reset();
        batch.translate(address, thumb, code);
        let death = self.exchange(&batch, START).err()?;
        let offset = self.mailbox.translated().load(std::sync::atomic::Ordering::Relaxed) as usize;
        (offset < code.len()).then_some((offset, death.said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_said_with_word_and_address() {
        let target = Target::named("aarch64").expect("a target");
        let code = [0xd503_201f_u32, 0x4e47_2e45].map(u32::to_le_bytes).concat();
        let mut process = Process::start(target).expect("a process");
        let mut batch = Batch::default();
        batch.reset();
        batch.translate(0x40_0000, false, &code);
        // Its handler notes the registers; here no program has set them.
        let mut death = process.exchange(&batch, START).expect_err("it aborts");
        let words = death.words.as_mut().expect("it noted something");
        (words.pc, words.code) = (0x40_0000, code);
        let lost = death.describe(target);
        assert_eq!(lost.pc, Some(0x40_0004));
        assert!(
            lost.why.starts_with(
                "the emulator ended by SIGABRT while translating 0x4e472e45 at 0x400004 (translate-a64.c:"
            ),
            "{lost}"
        );
    }

    #[test]
    fn instructions_are_said_as_manuals_write_them() {
        assert_eq!(instruction(&[0x45, 0x2e, 0x47, 0x4e], false), "0x4e472e45");
        assert_eq!(instruction(&[0x70, 0x47, 1, 2], true), "0x4770");
        assert_eq!(instruction(&[0xff, 0xf7, 0xfe, 0xff], true), "0xf7ff 0xfffe");
        assert_eq!((length(&[0x70, 0x47], true), length(&[0xff, 0xf7], true), length(&[0xff, 0xf7], false)), (2, 4, 4));
    }
}
