//! Options that say what runs the code.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use indicatif::ProgressBar;
use linker::{TARGETS, Target};
use outside::FileError;
use qemu::board::BoardError;
use qemu::image::Image;
use qemu::system::{Files, Linux, SystemError};
use qemu::{Board, Snapshot, System, snapshot};

use crate::executor::Choice;
use crate::executor::board::Failed;
use crate::executor::choice::Boards;
use crate::{exit, user_mode};

/// Bytes of a kernel, a device tree or an initramfs: boards have no more memory.
const LARGEST: u64 = 1 << 30;

/// What runs the code.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "What runs the code")]
pub struct MachineArgs {
    /// unicorn, the embedded emulator, if nothing else is said; or a board in QEMU: raspi3b, raspi2b, mps2-an385, mps3-an547, with a Linux also raspi4b, raspi0, raspi1ap, versatilepb and virt, or one of your own in a file (NAME.toml); for Linux programs (`exec`, `run --suite`) also qemu-user.
    ///
    /// Without --image or --kernel there is nothing on a board but our agent, which is up in some 50 ms.
    #[arg(long, value_name = "E")]
    pub executor: Option<String>,
    /// Boot a board from a Raspberry Pi style disk image, which is only read; without --executor, the board that it is for
    #[arg(long, value_name = "IMG", conflicts_with = "kernel")]
    pub image: Option<PathBuf>,
    /// Boot a board with this kernel; needs --executor
    #[arg(long, value_name = "K", requires = "executor")]
    pub kernel: Option<PathBuf>,
    /// The device tree for --kernel
    #[arg(long, value_name = "D", requires = "kernel")]
    pub dtb: Option<PathBuf>,
    /// An initramfs for --kernel, to which the agent is added
    #[arg(long, value_name = "I", requires = "kernel")]
    pub initrd: Option<PathBuf>,
    /// QEMU's name of the machine, instead of the board's
    #[arg(long, value_name = "M", requires = "kernel")]
    pub machine: Option<String>,
    /// Boot anew, and leave no snapshot: otherwise a Linux that has booted once is restored from $XDG_CACHE_HOME/linkrig
    #[arg(long)]
    pub cold: bool,
}

/// What was asked for cannot be: what to say, and the exit status.
#[derive(Debug)]
pub struct Refused(pub String, pub u8);

impl Refused {
    /// Says it, and returns the exit status.
    pub fn say(&self) -> u8 {
        note!("error: {}", self.0);
        self.1
    }
}

impl MachineArgs {
    /// Whether anything but the embedded emulator is asked for.
    pub fn is_given(&self) -> bool {
        self.image.is_some() || self.executor.as_ref().is_some_and(|name| name != "unicorn")
    }

    /// Whether it is qemu-user, which runs Linux programs and nothing else.
    pub fn is_user_mode(&self) -> bool {
        self.executor.as_deref() == Some(user_mode::NAME)
    }

    /// What was given, as it is on a command line, with a blank behind each word.
    pub fn words(&self) -> String {
        let cold = if self.cold { "--cold " } else { "" };
        let given = self.given();
        given
            .iter()
            .map(|(name, value)| format!("--{name} {} ", crate::messages::quoted(value)))
            .chain([cold.to_owned()])
            .collect()
    }

    /// The options that were given, but for `--cold`, by name.
    pub fn given(&self) -> BTreeMap<String, String> {
        let paths = [("image", &self.image), ("kernel", &self.kernel), ("dtb", &self.dtb), ("initrd", &self.initrd)];
        let texts = [("executor", &self.executor), ("machine", &self.machine)];
        let paths = paths.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?.display().to_string())));
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        texts.chain(paths).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Takes what [`Self::given`] has.
    pub fn give(&mut self, given: &BTreeMap<String, String>) {
        let text = |name: &str| given.get(name).cloned();
        let path = |name: &str| given.get(name).map(PathBuf::from);
        (self.executor, self.machine) = (text("executor"), text("machine"));
        (self.image, self.kernel, self.dtb, self.initrd) = (path("image"), path("kernel"), path("dtb"), path("initrd"));
    }

    /// The executor that was asked for.
    pub fn choice(&self) -> anyhow::Result<Result<Choice, Refused>> {
        let usage = |error: &dyn std::fmt::Display| Ok(Err(Refused(error.to_string(), exit::USAGE)));
        let image = self.image.as_deref().map(Image::open).transpose()?;
        let name = match (&self.executor, &image) {
            (Some(name), _) => name,
            (None, None) => return Ok(embedded()),
            (None, Some(image)) => {
                return Ok(boots_on(image).map(|(board, linux)| self.boards(board, System::Linux(linux))));
            }
        };
        if self.is_user_mode() {
            return usage(&"qemu-user runs Linux programs: it is for `exec` and for `run --suite`");
        }
        if name == "unicorn" {
            if image.is_some() || self.kernel.is_some() {
                return usage(&"the embedded emulator boots nothing: --executor wants a board here");
            }
            return Ok(embedded());
        }
        let mut board = match board(name) {
            Ok(board) => board,
            Err(error @ BoardError::Unknown(_)) => {
                return usage(&format!("{error}; or unicorn; or, for Linux programs, qemu-user"));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(machine) = &self.machine {
            board.machine.clone_from(machine);
        }
        let system = match (&image, &self.kernel) {
            (Some(image), _) => Linux::from_image(&board, image).map(System::Linux),
            (None, Some(kernel)) => Linux::from_files(&board, self.files(kernel)?).map(System::Linux),
            (None, None) if board.bare.is_none() => {
                return usage(&format!("there is no agent of ours for a bare {name}: it wants --image or --kernel"));
            }
            (None, None) => Ok(System::Bare),
        };
        Ok(match system {
            Ok(system) => Ok(self.boards(board, system)),
            Err(error @ (SystemError::NoLinux(_) | SystemError::NoDeviceTree(..))) => {
                Err(Refused(error.to_string(), exit::USAGE))
            }
            Err(error) => Err(Refused(error.to_string(), exit::BAD_INPUT)),
        })
    }

    fn boards(&self, board: Board, system: System) -> Choice {
        let snapshot = self.snapshot(&system);
        Choice::Board(Box::new(Boards::new(board, system).with_snapshot(snapshot)))
    }

    /// Where a booted system is kept: a bare board is up as fast as it would be restored.
    fn snapshot(&self, system: &System) -> Option<Snapshot> {
        if self.cold || matches!(system, System::Bare) {
            return None;
        }
        let directory = snapshot::user_directory();
        if directory.is_none() {
            note!("note: there is no home directory for snapshots, so the board boots each time");
        }
        Some(Snapshot::new(directory?, snapshot::LIMIT))
    }

    fn files(&self, kernel: &Path) -> anyhow::Result<Files> {
        let read = |path: &Path| outside::read(path, LARGEST);
        let named = |path: &Path| Ok::<_, FileError>((path.display().to_string(), read(path)?));
        Ok(Files {
            kernel: named(kernel)?,
            dtb: self.dtb.as_deref().map(named).transpose()?,
            initrd: self.initrd.as_deref().map(read).transpose()?,
        })
    }
}

/// The embedded emulator, if there is one in this build.
pub fn embedded() -> Result<Choice, Refused> {
    Choice::emulator().map_err(|error| Refused(error, exit::MISSING))
}

/// The board that an image is for, and what boots on it: the first whose kernel and device tree it has, of the wider ones first.
fn boots_on(image: &Image) -> Result<(Board, Linux), Refused> {
    let boards = qemu::board::names().filter_map(|name| Board::find(name).ok());
    let mut boards: Vec<Board> = boards.collect();
    boards.sort_by_key(|board| std::cmp::Reverse(board.width));
    let mut found = boards.into_iter().filter_map(|board| {
        let linux = Linux::from_image(&board, image).ok()?;
        Some((board, linux))
    });
    found.next().ok_or_else(|| {
        let why = "no board that is known here boots it: `harness image inspect` says what is in it";
        Refused(format!("{}: {why}", image.path().display()), exit::BAD_INPUT)
    })
}

/// A board of this name or in this file, which runs code that is known.
fn board(name: &str) -> Result<Board, BoardError> {
    let board = Board::find(name)?;
    let bare = board.bare.iter().flat_map(|bare| &bare.targets);
    let linux = board.linux.iter().flat_map(|linux| &linux.runs).flat_map(|runs| &runs.targets);
    match bare.chain(linux).find(|target| Target::named(target).is_none()) {
        None => Ok(board),
        Some(unknown) => {
            let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let problem = format!("targets has `{unknown}`, expected some of {}", known.join(", "));
            Err(BoardError::Wrong(name.to_owned(), problem))
        }
    }
}

/// The board that was asked for, or else the one that an image is for.
pub fn board_for(executor: Option<&str>, image: &Image) -> Result<Board, Refused> {
    let Some(name) = executor else { return boots_on(image).map(|(board, _)| board) };
    board(name).map_err(|error| {
        let status = if matches!(error, BoardError::Unknown(_)) { exit::USAGE } else { exit::BAD_INPUT };
        Refused(error.to_string(), status)
    })
}

/// Starts an executor to see whether it can be had.
pub fn start(choice: &Choice) -> Result<(), Refused> {
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_message(format!("starting {}", choice.description()));
    bar.enable_steady_tick(Duration::from_millis(100));
    let started = choice.start();
    bar.finish_and_clear();
    started.map_err(|error| {
        let missing = matches!(&error, Failed::Start(error) if error.is_missing());
        Refused(error.to_string(), if missing { exit::MISSING } else { exit::HARNESS_FAILED })
    })
}
