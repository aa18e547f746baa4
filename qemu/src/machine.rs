//! A board that runs.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::agent;
use crate::board::{Bare, Board, MProfile, Shared};
use crate::card::{self, CardError};
use crate::link::{Link, LinkError, SharedArea};
use crate::process::Process;
use crate::qmp::{self, Monitor, MonitorError};
use crate::system::{Linux, System};

/// A board does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// QEMU is not installed.
    #[error("{program} is not installed: the board {board} needs it (Debian and Ubuntu: the package qemu-system-arm)")]
    NoQemu {
        /// The program.
        program: String,
        /// The board.
        board: String,
    },
    /// This QEMU does not have the board, or not the way it is asked for.
    #[error("{program} does not start the board {board} ({status}): {complaint}")]
    Refused {
        /// The program.
        program: String,
        /// The board.
        board: String,
        /// How it ended.
        status: String,
        /// What it said.
        complaint: String,
    },
    /// The board is not made for this.
    #[error("the board {board} {what}")]
    Unfit {
        /// The board.
        board: String,
        /// What it has not.
        what: &'static str,
    },
    /// The agent did not say that it is ready.
    #[error("the board {board} did not come up: {cause}{}", said(.console))]
    NotReady {
        /// The board.
        board: String,
        /// Why.
        cause: LinkError,
        /// The last that its console said.
        console: String,
    },
    /// It has no card.
    #[error("the board {board} cannot be started: {cause}")]
    Card {
        /// The board.
        board: String,
        /// Why.
        cause: CardError,
    },
    /// No room for the files that QEMU is given.
    #[error("the board {board} cannot be started: no space left in {}; TMPDIR names a place with more room", directory.display())]
    Full {
        /// The board.
        board: String,
        /// Where they were to be.
        directory: PathBuf,
    },
    /// The system refused.
    #[error("the board {board} cannot be started: {cause}")]
    Io {
        /// The board.
        board: String,
        /// Why.
        cause: std::io::Error,
    },
}

/// What a console said, where it said something.
fn said(console: &str) -> String {
    if console.is_empty() { String::new() } else { format!("; its console ends with\n{console}") }
}

impl Error {
    /// Whether what is missing is missing on this machine: nothing is wrong with what was asked for.
    pub fn is_missing(&self) -> bool {
        matches!(self, Error::NoQemu { .. } | Error::Refused { .. } | Error::Card { cause: CardError::NoProgram, .. })
    }
}

/// So much of a console is shown.
const CONSOLE_LINES: usize = 12;

/// How long a bare board may take to be ready: a hundred times what it needs.
const BARE_PATIENCE: Duration = Duration::from_secs(20);

/// Where they are.
const PARAMETERS: u64 = 0x400;

/// A running board.
#[derive(Debug)]
pub struct Machine {
    process: Process,
    link: Link,
    hello: Vec<u8>,
    /// Sockets, logs, the agent.
    directory: TempDir,
}

/// What a running machine is, apart from its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// The agent's first message.
    pub(crate) hello: Vec<u8>,
    /// Its messages come as frames over the port.
    pub(crate) stream: bool,
    /// QEMU's state of its devices.
    pub(crate) state: Vec<u8>,
}

impl Machine {
    /// Starts a board.
    pub fn start(board: &Board, system: &System) -> Result<Machine, Error> {
        match system {
            System::Bare => Machine::bare(board),
            System::Linux(linux) => Machine::boot(board, linux),
        }
    }

    /// Starts a board with nothing but the agent on it.
    fn bare(board: &Board) -> Result<Machine, Error> {
        let unfit = |what| Error::Unfit { board: board.name.clone(), what };
        let Bare { agent, m_profile, .. } =
            board.bare.as_ref().ok_or_else(|| unfit("has no agent for bare metal: give it --image or --kernel"))?;
        let agent = agent::binary(agent).ok_or_else(|| unfit("names an agent that there is not"))?;
        let start = Start::new(board)?;
        let mut boot = vec!["-kernel".to_owned(), start.file("agent", agent)?];
        if let Some(m_profile) = m_profile {
            let shared = board.shared.ok_or_else(|| unfit("has no memory that host and guest share"))?;
            let path = start.file("parameters", &parameters(m_profile, shared))?;
            boot.extend(["-device".to_owned(), format!("loader,file={path},addr={PARAMETERS:#x},force-raw=on")]);
        }
        start.run(boot, 0, BARE_PATIENCE)
    }

    /// Starts a board with a Linux.
    pub(crate) fn boot(board: &Board, linux: &Linux) -> Result<Machine, Error> {
        let start = Start::new(board)?;
        let (serial, patience) = start.linux()?;
        let mut boot = vec!["-kernel".to_owned(), start.file("kernel", &linux.kernel)?];
        if let Some(dtb) = &linux.dtb {
            boot.extend(["-dtb".to_owned(), start.file("dtb", dtb)?]);
        }
        boot.extend(["-initrd".to_owned(), start.file("initramfs", &linux.initramfs)?]);
        boot.extend(["-append".to_owned(), linux.append.clone()]);
        if let Some(card) = &linux.card {
            let card = card.options(start.directory.path());
            boot.extend(card.map_err(|cause| Error::Card { board: board.name.clone(), cause })?);
        }
        boot.extend(qmp::options(start.directory.path()));
        start.run(boot, serial, patience)
    }

    /// Starts a board with a Linux that goes on where it was saved. `fill` writes the memory that it had, the kernel among it:
    /// QEMU is not given that, which would take it half of the time.
    pub(crate) fn restore(
        board: &Board,
        saved: Saved,
        fill: &mut dyn FnMut(Option<&File>) -> std::io::Result<()>,
    ) -> Result<Machine, Box<dyn std::error::Error>> {
        let start = Start::new(board)?;
        let (serial, patience) = start.linux()?;
        let mut boot = vec!["-incoming".to_owned(), "defer".to_owned()];
        boot.extend(qmp::options(start.directory.path()));
        let deadline = Instant::now() + patience;
        let mut spawned = start.spawn(boot, serial)?;
        // QEMU gets up in the meantime, and does not touch the memory.
        fill(spawned.memory.as_ref())?;
        let port = spawned.port(deadline)?;
        let monitor = Monitor::connect(spawned.directory.path());
        let went_on = monitor.and_then(|mut monitor| monitor.set_state(&saved.state).and_then(|()| monitor.go_on()));
        if let Err(error) = went_on {
            return Err(spawned.ended().map_or_else(|| error.into(), Box::from));
        }
        let link = Link::resume(port, spawned.shared_area(), saved.stream)?;
        Ok(spawned.machine(link, saved.hello))
    }

    /// Stops it, hands what it is to `keep`, and lets it go on. After an error it may stand still; that it could not be kept is none.
    pub(crate) fn save(
        &mut self,
        keep: &mut dyn FnMut(Saved, Option<&File>) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, MonitorError> {
        let mut monitor = Monitor::connect(self.directory.path())?;
        monitor.stop()?;
        let kept = monitor.state().map_err(std::io::Error::other).and_then(|state| {
            let saved = Saved { hello: self.hello.clone(), stream: self.link.is_stream(), state };
            keep(saved, self.link.memory())
        });
        monitor.go_on()?;
        Ok(kept)
    }

    /// The agent's first message.
    pub fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// The link to the agent.
    pub fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Why the process is not running any more, if it is not.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.process.ended()?;
        let complaint = self.process.complaint();
        Some(if complaint.is_empty() { status.to_string() } else { format!("{status}: {complaint}") })
    }

    /// Whether something that the guest wrote to its card got lost, because the disk with the overlay is full.
    pub fn lost_writes(&self) -> bool {
        self.process.complaint().contains(card::WRITE_ERROR)
    }

    /// The process number of QEMU.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

/// What the agent of the M profile reads there (`struct parameters` in qemu/agent/cortex-m/cortex-m.h).
fn parameters(m_profile: &MProfile, shared: Shared) -> Vec<u8> {
    let MProfile { uart, uart_interrupt, memory: (first, last) } = *m_profile;
    let words = [uart, uart_interrupt, first, last, shared.base as u32, shared.size as u32];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a board is started with, whatever boots on it.
struct Start<'a> {
    board: &'a Board,
    program: PathBuf,
    directory: TempDir,
    memory: Option<File>,
    listener: UnixListener,
}

/// The program that has a board.
pub(crate) fn program(board: &Board) -> Result<PathBuf, Error> {
    which::which(&board.program)
        .map_err(|_| Error::NoQemu { program: board.program.clone(), board: board.name.clone() })
}

impl<'a> Start<'a> {
    fn new(board: &'a Board) -> Result<Start<'a>, Error> {
        let program = program(board)?;
        let io = |cause| Error::Io { board: board.name.clone(), cause };
        let directory = tempfile::Builder::new().prefix("linkrig-").tempdir().map_err(io)?;
        let listener = UnixListener::bind(directory.path().join("port")).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let memory = board.shared.is_some().then(|| memory_file(board)).transpose().map_err(io)?;
        Ok(Start { board, program, directory, memory, listener })
    }

    /// Writes a file for QEMU and returns its path.
    fn file(&self, name: &str, content: &[u8]) -> Result<String, Error> {
        let path = self.directory.path().join(name);
        let board = || self.board.name.clone();
        std::fs::write(&path, content).map_err(|cause| match cause.kind() {
            ErrorKind::StorageFull => Error::Full { board: board(), directory: std::env::temp_dir() },
            _ => Error::Io { board: board(), cause },
        })?;
        Ok(text(&path))
    }

    /// Of a Linux: the number of the agent's serial port, and how long it may take to boot.
    fn linux(&self) -> Result<(usize, Duration), Error> {
        let unfit = || Error::Unfit { board: self.board.name.clone(), what: "boots no Linux" };
        let linux = self.board.linux.as_ref().ok_or_else(unfit)?;
        Ok((linux.serial, Duration::from_secs(linux.patience)))
    }

    /// Starts QEMU and waits for the agent, whose port is serial port number `serial`.
    fn run(self, boot: Vec<String>, serial: usize, patience: Duration) -> Result<Machine, Error> {
        let deadline = Instant::now() + patience;
        let mut spawned = self.spawn(boot, serial)?;
        let port = spawned.port(deadline)?;
        let mut link = Link::new(port, spawned.shared_area());
        match link.receive(deadline.saturating_duration_since(Instant::now())) {
            Ok(hello) => Ok(spawned.machine(link, hello)),
            Err(cause @ LinkError::Closed) => Err(spawned.ended().unwrap_or_else(|| spawned.not_ready(cause))),
            Err(cause) => Err(spawned.not_ready(cause)),
        }
    }

    /// Starts QEMU. The agent's port is serial port number `serial`, and the console is the other one.
    fn spawn(self, boot: Vec<String>, serial: usize) -> Result<Spawned<'a>, Error> {
        let Start { board, program, directory, memory, listener } = self;
        let port = text(&directory.path().join("port"));
        let mut arguments: Vec<String> = vec!["-machine".to_owned(), board.machine.clone()];
        arguments.extend(board.arguments.iter().cloned());
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-m", &format!("{}M", board.memory)]);
        if let Some(file) = &memory {
            let (path, size) = (format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()), board.memory << 20);
            add(&["-object", &format!("memory-backend-file,id=ram,size={size},mem-path={path},share=on")]);
            add(&["-machine", "memory-backend=ram"]);
        }
        add(&[
            "-accel",
            "tcg,thread=single,tb-size=16",
            "-display",
            "none",
            "-monitor",
            "none",
            "-no-reboot",
            "-nic",
            "none",
        ]);
        add(&["-chardev", &format!("socket,id=port,path={port}")]);
        let console = text(&directory.path().join("console"));
        add(&["-chardev", &format!("file,id=console,path={console}")]);
        for number in 0..2 {
            add(&["-serial", if number == serial { "chardev:port" } else { "chardev:console" }]);
        }
        arguments.extend(boot);
        let process = Process::start(&program, &arguments, directory.path())
            .map_err(|cause| Error::Io { board: board.name.clone(), cause })?;
        Ok(Spawned { board, program, directory, memory, listener, process })
    }
}

/// A QEMU that has been started, and nothing heard of yet.
struct Spawned<'a> {
    board: &'a Board,
    program: PathBuf,
    directory: TempDir,
    memory: Option<File>,
    listener: UnixListener,
    process: Process,
}

impl Spawned<'_> {
    /// Waits for QEMU to open the agent's port.
    fn port(&mut self, deadline: Instant) -> Result<UnixStream, Error> {
        let start = Instant::now();
        loop {
            let port = accept(&self.listener);
            match port.map_err(|cause| Error::Io { board: self.board.name.clone(), cause })? {
                Some(port) => return Ok(port),
                None if Instant::now() > deadline => {
                    return Err(self.not_ready(LinkError::Silent(start.elapsed())));
                }
                None => {
                    if let Some(status) = self.process.ended() {
                        return Err(self.refused(status));
                    }
                    std::thread::sleep(Duration::from_micros(500));
                }
            }
        }
    }

    /// Why it is gone, after it closed a connection, which it does a moment before it ends.
    fn ended(&mut self) -> Option<Error> {
        std::thread::sleep(Duration::from_millis(100));
        let status = self.process.ended()?;
        // A guest that gives up ends QEMU in good order.
        Some(if status.success() { self.not_ready(LinkError::Closed) } else { self.refused(status) })
    }

    fn not_ready(&self, cause: LinkError) -> Error {
        let console = std::fs::read(self.directory.path().join("console")).unwrap_or_default();
        let console = String::from_utf8_lossy(&console).into_owned();
        let lines: Vec<&str> = console.lines().filter(|line| !line.trim().is_empty()).collect();
        let console = lines[lines.len().saturating_sub(CONSOLE_LINES)..].join("\n");
        Error::NotReady { board: self.board.name.clone(), cause, console }
    }

    fn refused(&self, status: ExitStatus) -> Error {
        Error::Refused {
            program: text(&self.program),
            board: self.board.name.clone(),
            status: status.to_string(),
            complaint: self.process.complaint(),
        }
    }

    /// The part of its memory over which the agent and we talk.
    fn shared_area(&mut self) -> Option<SharedArea> {
        let area = |(shared, file): (Shared, File)| {
            // The file has the memory, and nothing before it.
            SharedArea { file, base: shared.base.saturating_sub(self.board.memory_base), size: shared.size }
        };
        self.board.shared.zip(self.memory.take()).map(area)
    }

    fn machine(self, link: Link, hello: Vec<u8>) -> Machine {
        Machine { process: self.process, link, hello, directory: self.directory }
    }
}

fn accept(listener: &UnixListener) -> std::io::Result<Option<UnixStream>> {
    match listener.accept() {
        Ok((port, _)) => {
            port.set_nonblocking(false)?;
            Ok(Some(port))
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file behind the guest's memory: in memory itself where the system has a place for that, with holes where nothing was
/// written, and without a name, so that nothing stays behind. QEMU opens it by our number of it.
fn memory_file(board: &Board) -> std::io::Result<File> {
    let shm = Path::new("/dev/shm");
    let file = if shm.is_dir() { tempfile::tempfile_in(shm) } else { tempfile::tempfile() }?;
    file.set_len(board.memory << 20)?;
    Ok(file)
}
