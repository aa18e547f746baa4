//! The user space of a board's image, by way of the agent: the other end of qemu/agent/linux/user.c, whose structures these are.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use qemu::link::LinkError;
use qemu::system::SystemError;
use qemu::{Board, Machine, System};

use super::program::Program;
use crate::executor::board::split;
use crate::orc::Setup;
use crate::orc::sps;
use crate::orc::wire::{HEADER, Header, Opcode};

/// The agent's function.
const FUNCTION: &str = "linkrig_user";
/// Its operations.
const ENTER: u32 = 1;
const FILE: u32 = 2;
const START: u32 = 3;
const STEP: u32 = 4;
/// Seconds that a card may take to show up: it needs less than one.
const CARD: u32 = 20;
/// What Linux calls a card. Some device trees have another reader, which comes first.
const CARDS: &[&str] = &["/dev/mmcblk0", "/dev/mmcblk1"];
/// How long the agent may take for what needs no time, on a machine that has other things to do and a guest that is busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is seen to that there is nothing new here.
const TICK: Duration = Duration::from_millis(10);
/// A file is copied in pieces of at most this size.
const PIECE: usize = 4 << 20;

/// It did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The image does not have what it takes.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The board does not start.
    #[error(transparent)]
    Start(#[from] qemu::Error),
    /// There is nothing to enter.
    #[error("{0} has no root partition (ext4), which --shell and --exec need")]
    NoRoot(String),
    /// Linux does not see the card.
    #[error("{0}: the card did not show up within {CARD} s: the kernel has no driver for it, and the image no module")]
    NoCard(String),
    /// The root file system was refused.
    #[error("{device} could not be mounted as ext4: {why}")]
    NotMounted {
        /// The partition.
        device: String,
        /// What Linux says.
        why: std::io::Error,
    },
    /// A file could not be written.
    #[error("{path} could not be written in the guest: {why}")]
    File {
        /// Its path there.
        path: String,
        /// What Linux says.
        why: std::io::Error,
    },
    /// The program does not start.
    #[error("{0}")]
    Program(String),
    /// Our own terminal is none.
    #[error("the terminal: {0}")]
    Terminal(std::io::Error),
    /// The guest is gone.
    #[error("{board} was lost: {why}")]
    Lost {
        /// The board.
        board: String,
        /// What happened.
        why: String,
    },
}

/// A program to start.
pub(super) struct Start<'a> {
    /// Rows and columns of a terminal, if it is to have one.
    pub(super) terminal: Option<(u16, u16)>,
    pub(super) directory: &'a str,
    pub(super) program: &'a Program,
    pub(super) arguments: &'a [String],
    pub(super) environment: &'a [String],
}

/// What came of a step.
pub(super) struct Stepped {
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
    /// Bytes of the input that are not to be sent again.
    pub(super) taken: usize,
    /// As a shell shows it.
    pub(super) ended: Option<u8>,
}

/// A board that runs programs of its image.
pub(super) struct UserSpace {
    board: String,
    machine: Machine,
    function: u64,
    next: u64,
}

/// Words of 32 bits, and texts that each end in a zero, filled up to a multiple of 8.
fn message<'a>(words: &[u32], texts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    for text in texts {
        bytes.extend(text.bytes());
        bytes.push(0);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// The words of an answer, and what is behind them.
fn words<const N: usize>(answer: &[u8]) -> Result<([u32; N], &[u8]), String> {
    let (head, rest) = answer.split_at_checked(4 * N).ok_or(format!("an answer of {} bytes", answer.len()))?;
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(head.chunks_exact(4)) {
        *word = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
    }
    Ok((words, rest))
}

/// Errors have the same numbers on all of these machines.
fn refusal(error: u32) -> Option<std::io::Error> {
    (error != 0).then(|| std::io::Error::from_raw_os_error(error as i32))
}

impl UserSpace {
    /// Boots a board.
    pub(super) fn boot(board: &Board, system: &System) -> Result<UserSpace, Failed> {
        let machine = Machine::start(board, system)?;
        let lost = |why| Failed::Lost { board: board.name.clone(), why };
        let (_, payload) = split(machine.hello()).map_err(lost)?;
        let setup: Setup = sps::decode(payload).map_err(|error| lost(error.to_string()))?;
        let function = setup.symbols.iter().find(|symbol| symbol.0 == FUNCTION).map(|symbol| symbol.1);
        let function = function.ok_or_else(|| lost(format!("its agent has no {FUNCTION}")))?;
        Ok(UserSpace { board: board.name.clone(), machine, function, next: 0 })
    }

    /// Makes the root file system of the image its own. Returns the device that it is on.
    pub(super) fn enter(&mut self, partition: u8) -> Result<String, Failed> {
        let devices: Vec<String> = CARDS.iter().map(|card| format!("{card}p{partition}")).collect();
        let texts = std::iter::once(&self.board).chain(&devices).map(String::as_str);
        let call = message(&[ENTER, CARD, devices.len() as u32, 0], texts);
        let answer = self.call(&[&call])?;
        let ([error, what, device], _) = words(&answer).map_err(|why| self.lost(why))?;
        let device = devices.get(device as usize).cloned().unwrap_or_default();
        match (refusal(error), what) {
            (None, _) => Ok(device),
            (Some(_), 1) => Err(Failed::NoCard(self.board.clone())),
            (Some(why), _) => Err(Failed::NotMounted { device, why }),
        }
    }

    /// Puts a file there.
    pub(super) fn put(&mut self, path: &str, permissions: u32, content: &[u8]) -> Result<(), Failed> {
        let texts = message(&[], [path]);
        let most = PIECE.min((self.machine.link().room() / 2).next_multiple_of(8));
        let mut offset = 0;
        loop {
            let piece = &content[offset..content.len().min(offset + most)];
            let mut head = message(&[FILE, permissions], []);
            head.extend((offset as u64).to_le_bytes());
            head.extend((texts.len() as u64).to_le_bytes());
            let answer = self.call(&[&head, &texts, piece])?;
            let ([error], _) = words(&answer).map_err(|why| self.lost(why))?;
            if let Some(why) = refusal(error) {
                return Err(Failed::File { path: path.to_owned(), why });
            }
            offset += piece.len();
            if offset == content.len() {
                return Ok(());
            }
        }
    }

    /// Starts a program. Returns whether it has a terminal.
    pub(super) fn start(&mut self, start: &Start<'_>) -> Result<bool, Failed> {
        let (rows, columns) = start.terminal.unwrap_or_default();
        let groups = [&[start.directory.to_owned()], start.program.paths(), start.arguments, start.environment];
        let mut head = vec![START, u32::from(start.terminal.is_some()), u32::from(rows), u32::from(columns)];
        head.extend(groups.iter().map(|group| group.len() as u32));
        let call = message(&head, groups.iter().flat_map(|group| group.iter().map(String::as_str)));
        let answer = self.call(&[&call])?;
        let ([error, terminal], _) = words(&answer).map_err(|why| self.lost(why))?;
        match refusal(error) {
            None => Ok(terminal != 0),
            Some(why) => Err(Failed::Program(start.program.not_started(&why))),
        }
    }

    /// Gives the program some input and takes its output, waiting for some, or for `wake` to say that there is something new here.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        no_more: bool,
        (rows, columns): (u16, u16),
        wake: &mut dyn FnMut() -> bool,
    ) -> Result<Stepped, Failed> {
        let head = message(&[STEP, u32::from(no_more), u32::from(rows), u32::from(columns)], []);
        let answer = self.exchange(&[&head, input], wake)?;
        self.stepped(&answer).map_err(|why| self.lost(why))
    }

    fn stepped(&self, answer: &[u8]) -> Result<Stepped, String> {
        let ([_, ended, status, taken, output, errors], rest) = words(answer)?;
        let part = |from: usize, size: u32| {
            let bytes = rest.get(from..).and_then(|rest| rest.get(..size as usize));
            bytes.map(<[u8]>::to_vec).ok_or_else(|| format!("an answer of {} bytes, less than it says", answer.len()))
        };
        let status = ExitStatus::from_raw(status as i32);
        let status = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or_default() as u8;
        Ok(Stepped {
            output: part(0, output)?,
            errors: part((output as usize).next_multiple_of(8), errors)?,
            taken: taken as usize,
            ended: (ended != 0).then_some(status),
        })
    }

    /// What the system calls itself.
    pub(super) fn os_release(&mut self) -> Result<String, Failed> {
        let paths = ["/usr/bin/cat", "/bin/cat"].map(str::to_owned).to_vec();
        let arguments = ["cat", "/etc/os-release"].map(str::to_owned);
        let program = Program::own(paths);
        let start =
            Start { terminal: None, directory: "/", program: &program, arguments: &arguments, environment: &[] };
        self.start(&start)?;
        let mut output = Vec::new();
        loop {
            let stepped = self.step(&[], true, (0, 0), &mut || false)?;
            output.extend(stepped.output);
            if stepped.ended.is_some() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&output);
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        Ok(name.map_or("without a name", |name| name.trim_matches('"')).to_owned())
    }

    /// Whether something that it wrote to its disk got lost.
    pub(super) fn lost_writes(&self) -> bool {
        self.machine.lost_writes()
    }

    fn lost(&self, why: String) -> Failed {
        Failed::Lost { board: self.board.clone(), why }
    }

    fn call(&mut self, payload: &[&[u8]]) -> Result<Vec<u8>, Failed> {
        self.exchange(payload, &mut || false)
    }

    /// Calls the agent and waits for the answer.
    fn exchange(&mut self, payload: &[&[u8]], wake: &mut dyn FnMut() -> bool) -> Result<Vec<u8>, Failed> {
        self.try_exchange(payload, wake).map_err(|mut why| {
            // It closes its end a moment before it ends.
            std::thread::sleep(Duration::from_millis(100));
            if let Some(status) = self.machine.ended() {
                why = format!("QEMU ended, {status}");
            }
            self.lost(why)
        })
    }

    fn try_exchange(&mut self, payload: &[&[u8]], wake: &mut dyn FnMut() -> bool) -> Result<Vec<u8>, String> {
        let sequence = self.next;
        self.next += 1;
        let size = payload.iter().map(|part| part.len() as u64).sum();
        let header = Header { payload: size, opcode: Opcode::CallWrapper, sequence, tag: self.function }.encode();
        let link = self.machine.link();
        let parts: Vec<&[u8]> = std::iter::once(&header[..]).chain(payload.iter().copied()).collect();
        link.send(&parts).map_err(|error| error.to_string())?;
        let start = Instant::now();
        let mut woken = false;
        loop {
            let message = match link.receive(TICK) {
                Err(LinkError::Silent(_)) if start.elapsed() < PATIENCE => {
                    if !woken && wake() {
                        link.interrupt().map_err(|error| error.to_string())?;
                        woken = true;
                    }
                    continue;
                }
                Err(LinkError::Silent(_)) => return Err(format!("the guest did not answer within {PATIENCE:?}")),
                received => received.map_err(|error| error.to_string())?,
            };
            let (header, _) = split(&message)?;
            match header.opcode {
                // An agent that was not sure to have been heard introduces itself again.
                Opcode::Setup => continue,
                Opcode::Result if header.sequence == sequence => return Ok(message[HEADER..].to_vec()),
                opcode => return Err(format!("it answered {opcode:?} {} to call {sequence}", header.sequence)),
            }
        }
    }
}
