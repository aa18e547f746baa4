//! `harness board`: a board booted from an image, and what is on the image run there.

mod program;
mod terminal;
mod user;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{ArgGroup, Args as ClapArgs};
use qemu::image::Image;
use qemu::{Board, System, system};

use self::program::Program;
use self::terminal::{Input, Raw};
use self::user::{Failed, Start, Stepped, UserSpace};
use super::machine::{self, Refused};
use crate::exit;
use crate::messages;

/// Options of `board`.
#[derive(Clone, Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("what").args(["shell", "exec"]),
    after_help = "\
EXAMPLES:
  harness board --image bullseye.img                            does it boot, and how long does that take?
  harness board --image bullseye.img --shell
  echo 'uname -m; exit 3' | harness board --image bullseye.img --shell
  harness board --image bullseye.img --exec ./hello a b         a program that was compiled here
  harness board --image bullseye.img --exec cat /etc/os-release one of the image's own
  harness board --image trixie.img --file main.o --exec llvm-jitlink-19 main.o

The image is only read: what the guest writes is gone afterwards. No root, no loop device, no network, no login.

EXIT STATUS: the program's, 128+n for a signal, 124 out of time, 125 not started, 2 usage, 69 QEMU is missing,
70 the board did not boot or was lost. docs/board.md says more."
)]
pub struct Args {
    /// The Raspberry Pi style disk image, which is only read
    #[arg(long, value_name = "IMG")]
    image: PathBuf,
    /// The board: raspi3b, raspi2b, raspi0, raspi1ap, or one of your own in a file (NAME.toml) [default: the one that the image is for]
    #[arg(long, value_name = "E")]
    executor: Option<String>,
    /// Run a shell of the image; Ctrl-] leaves it. Without a terminal it reads its commands from standard input
    #[arg(long)]
    shell: bool,
    /// Run PROGRAM with the libraries of the image
    #[arg(long, requires = "program")]
    exec: bool,
    /// Copy this file into the guest, to /tmp or to the path given; may be repeated
    #[arg(long = "file", value_name = "HOST[:/GUEST]", requires = "what")]
    files: Vec<String>,
    /// A variable of the program's environment; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", requires = "what", value_parser = variable)]
    environment: Vec<String>,
    /// Seconds that the program may take; 0 for no limit [default: 600, without a limit for --shell]
    #[arg(long, value_name = "SECONDS", requires = "what", value_parser = seconds)]
    timeout: Option<f64>,
    /// With --exec: the program and its arguments.
    ///
    /// A file here is copied to /tmp in the guest, which is the working directory. If there is none, or if it is for another
    /// processor, an absolute path or a plain name is that of a program on the image.
    #[arg(value_name = "PROGRAM", requires = "exec", trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

fn variable(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds.filter(|seconds| (0.0..=1e6).contains(seconds)).ok_or_else(|| "expected 0 to 1000000 seconds".to_owned())
}

/// Where files go, and where programs start: memory, as on most systems.
const HERE: &str = "/tmp";
/// Seconds that a program may take.
const PATIENCE: f64 = 600.0;
/// What a login would set, beside PATH.
const ENVIRONMENT: &[&str] = &["HOME=/root", "USER=root", "LANG=C.UTF-8"];
const SHELLS: &[&str] = &["/bin/bash", "/bin/sh"];

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let image = Image::open(&args.image)?;
    let board = match machine::board_for(args.executor.as_deref(), &image) {
        Ok(board) => board,
        Err(refused) => return Ok(refused.say()),
    };
    // All that is of this machine is looked at before anything is booted.
    let wanted = match Wanted::new(args, &board) {
        Ok(wanted) => wanted,
        Err(error) if exit::status(&error) == exit::BAD_INPUT => return Err(error),
        Err(error) => return Ok(Refused(messages::chain(&error), exit::NOT_STARTED).say()),
    };
    match on_board(args, &image, &board, wanted) {
        Ok(status) => Ok(status),
        Err(failed) => {
            let status = match &failed {
                Failed::Start(error) if error.is_missing() => exit::MISSING,
                Failed::System(_) => exit::USAGE,
                Failed::Program(_) => exit::NOT_STARTED,
                _ => exit::HARNESS_FAILED,
            };
            Ok(Refused(failed.to_string(), status).say())
        }
    }
}

/// Bytes of a file for the guest: boards have no more memory.
const LARGEST: u64 = 1 << 30;

/// A file for the guest.
struct File {
    path: String,
    permissions: u32,
    content: Vec<u8>,
}

/// What is to be run, with all that it takes.
struct Wanted {
    files: Vec<File>,
    program: Option<Program>,
    arguments: Vec<String>,
}

impl Wanted {
    fn new(args: &Args, board: &Board) -> anyhow::Result<Wanted> {
        let mut files = Vec::new();
        for word in &args.files {
            // A path in the guest begins with a slash, so that colons in names are no matter.
            let (host, guest) = match word.rsplit_once(":/") {
                Some((host, guest)) => (Path::new(host), format!("/{guest}")),
                None => (Path::new(word), in_tmp(Path::new(word))),
            };
            files.push(read(host, guest)?);
        }
        let mut program = None;
        if args.shell {
            program = Some(Program::own(SHELLS.iter().map(|&path| path.to_owned()).collect()));
        } else if let Some(word) = args.program.first() {
            let runs = board.linux.iter().flat_map(|linux| &linux.runs).map(|runs| runs.width);
            let found = Program::find(word, &board.name, &runs.collect::<Vec<_>>())?;
            if found.is_here() {
                let file = read(Path::new(word), in_tmp(Path::new(word)))?;
                files.push(File { permissions: 0o755, ..file });
            }
            program = Some(found);
        }
        let mut arguments = args.program.clone();
        if let (Some(program), true) = (&program, arguments.is_empty()) {
            arguments.extend(program.paths().first().cloned());
        }
        Ok(Wanted { files, program, arguments })
    }
}

fn in_tmp(host: &Path) -> String {
    let name = host.file_name().unwrap_or(host.as_os_str());
    format!("{HERE}/{}", name.to_string_lossy())
}

fn read(host: &Path, path: String) -> anyhow::Result<File> {
    use std::os::unix::fs::PermissionsExt;
    let content = outside::read(host, LARGEST)?;
    let metadata = std::fs::metadata(host).with_context(|| host.display().to_string())?;
    Ok(File { path, permissions: metadata.permissions().mode() & 0o777, content })
}

/// Boots the board and does there what is wanted.
fn on_board(args: &Args, image: &Image, board: &Board, wanted: Wanted) -> Result<u8, Failed> {
    let root = image.root_partition();
    let linux = match root {
        Some(_) => system::Linux::user_space(board, image)?,
        None if wanted.program.is_some() => return Err(Failed::NoRoot(image.path().display().to_string())),
        None => system::Linux::from_image(board, image)?,
    };
    let origin = linux.origin.clone();
    let start = Instant::now();
    let mut space = UserSpace::boot(board, &System::Linux(linux))?;
    let booted = start.elapsed();
    let device = root.map(|partition| space.enter(partition)).transpose()?;
    let entered = start.elapsed();
    let Some(program) = wanted.program else {
        let system = if device.is_some() { space.os_release()? } else { String::new() };
        outln!("board   {}: {}, {}", board.name, board.description, board.cpu);
        outln!("kernel  {origin}");
        outln!("ready   after {:.2} s", booted.as_secs_f64());
        match device {
            Some(device) => outln!("root    {device}, mounted after {:.2} s: {system}", entered.as_secs_f64()),
            None => outln!("root    none: --shell and --exec need one"),
        }
        return Ok(exit::OK);
    };
    for file in &wanted.files {
        space.put(&file.path, file.permissions, &file.content)?;
    }
    let on_terminal = args.shell && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if on_terminal {
        note!("{}, {origin}: ready after {:.1} s. Ctrl-] leaves.", board.name, entered.as_secs_f64());
    }
    let mut environment = vec![format!("PATH={}", program::DIRECTORIES.join(":"))];
    environment.extend(ENVIRONMENT.iter().map(|&variable| variable.to_owned()));
    environment.extend(std::env::var("TERM").ok().filter(|_| on_terminal).map(|term| format!("TERM={term}")));
    environment.retain(|variable| !args.environment.iter().any(|given| same_name(given, variable)));
    environment.extend(args.environment.iter().cloned());
    let terminal = space.start(&Start {
        terminal: on_terminal.then(terminal::size),
        directory: HERE,
        program: &program,
        arguments: &wanted.arguments,
        environment: &environment,
    })?;
    let limit = args.timeout.unwrap_or(if args.shell { 0.0 } else { PATIENCE });
    let deadline = (limit > 0.0).then(|| Instant::now() + Duration::from_secs_f64(limit));
    let raw = if terminal { Some(Raw::new().map_err(Failed::Terminal)?) } else { None };
    let end = converse(&mut space, raw.as_ref(), deadline);
    drop(raw);
    if space.lost_writes() {
        note!(
            "warning: the disk is full, and something that the guest wrote is lost; TMPDIR names a place with more room"
        );
    }
    Ok(match end? {
        End::Status(status) => status,
        End::Left => {
            note!();
            exit::OK
        }
        End::OutOfTime => {
            note!("error: {} did not end within {limit} s", wanted.arguments.join(" "));
            exit::BUDGET
        }
    })
}

/// Whether two variables have the same name.
fn same_name(one: &str, other: &str) -> bool {
    one.split('=').next() == other.split('=').next()
}

/// How it came to an end.
enum End {
    /// The program's.
    Status(u8),
    /// The user has left.
    Left,
    /// It took too long.
    OutOfTime,
}

/// The status of a shell whose standard output nobody reads.
const BROKEN_PIPE: u8 = 128 + 13;

/// Carries input to the program and its output to ours, until it ends.
fn converse(space: &mut UserSpace, raw: Option<&Raw>, deadline: Option<Instant>) -> Result<End, Failed> {
    let mut input = Input::new();
    let late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    loop {
        input.poll();
        let size = raw.map_or((0, 0), |_| terminal::size());
        let left = raw.is_some_and(|raw| raw.told_to_leave() || input.is_over() || input.holds(terminal::LEAVE));
        if left {
            return Ok(End::Left);
        }
        if late() {
            return Ok(End::OutOfTime);
        }
        let (waiting, over) = (input.waiting().to_vec(), input.is_over());
        let stepped = space.step(&waiting, over, size, &mut || {
            let more = waiting.is_empty() && !over && input.poll();
            more || late() || raw.is_some_and(|raw| raw.told_to_leave() || terminal::size() != size)
        })?;
        let Stepped { output, errors, taken, ended } = stepped;
        input.take(taken);
        let written = std::io::stdout().write_all(&output).and_then(|()| std::io::stdout().flush());
        if written.is_err() {
            return Ok(End::Status(BROKEN_PIPE));
        }
        // Where nobody wants to hear of errors, that is no error.
        let _ = std::io::stderr().write_all(&errors);
        if let Some(status) = ended {
            return Ok(End::Status(status));
        }
    }
}
