//! Boards as data: one file a board, in `boards/` or given by the user.

use std::path::Path;

use serde::Deserialize;

/// A board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its name: the file's.
    #[serde(skip)]
    pub name: String,
    /// What it is.
    pub description: String,
    /// The QEMU program that has it.
    pub program: String,
    /// What that program calls it.
    pub machine: String,
    /// More arguments of that program, where the machine leaves a choice.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Its processor, as its maker calls it.
    pub cpu: String,
    /// MiB of memory.
    pub memory: u64,
    /// Physical address at which it begins.
    #[serde(default)]
    pub memory_base: u64,
    /// Bits in the registers of its processor: 32 or 64.
    pub width: u8,
    /// Memory that host and guest both see.
    pub shared: Option<Shared>,
    /// What it is without an operating system.
    pub bare: Option<Bare>,
    /// What it is with a Linux.
    pub linux: Option<Linux>,
}

/// Memory that host and guest both see.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Physical address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
}

/// A board that runs the agent and nothing else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bare {
    /// Which agent.
    pub agent: String,
    /// Targets whose code runs there, by name.
    pub targets: Vec<String>,
    /// Ranges of addresses that are the agent's own: first and last.
    #[serde(default)]
    pub reserved: Vec<(u64, u64)>,
    /// Bytes of memory that programs can have.
    pub pool: u64,
    /// What an agent of the M profile has to be told.
    pub m_profile: Option<MProfile>,
}

/// A board whose processor is of the M profile: no MMU, so that programs are where memory is, and a map of its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MProfile {
    /// Address of the agent's serial port, a CMSDK APB UART.
    pub uart: u32,
    /// Number of its interrupt for receiving.
    pub uart_interrupt: u32,
    /// Memory for programs: first and last address. What begins at 0 elsewhere begins here.
    pub memory: (u32, u32),
}

/// A board that boots a Linux.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linux {
    /// Sections of config.txt that are for it.
    pub filters: Vec<String>,
    /// Names of kernels in an image, the first choice first.
    pub kernels: Vec<String>,
    /// Names of device trees, the first choice first.
    pub dtbs: Vec<String>,
    /// Nodes of the device tree that have to go.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Its part of the kernel's command line.
    pub append: String,
    /// The serial port that the agent takes, as Linux calls it.
    pub port: String,
    /// That port among QEMU's; the other one is the console.
    #[serde(default)]
    pub serial: usize,
    /// Modules that reading the card takes, where the kernel does not have them built in.
    #[serde(default)]
    pub card: Vec<String>,
    /// The programs that its kernel runs, the kernel's own width first.
    pub runs: Vec<Runs>,
    /// Seconds it may take to boot, on a machine that has other things to do.
    pub patience: u64,
}

/// Code of one width on a Linux.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// 32 or 64.
    pub width: u8,
    /// The agent for it.
    pub agent: String,
    /// Targets whose code runs there, by name.
    pub targets: Vec<String>,
    /// Ranges of addresses that programs can have: first and last.
    pub usable: Vec<(u64, u64)>,
    /// Bytes of memory that programs can have.
    pub pool: u64,
}

/// The boards that come along.
static BOARDS: &[(&str, &str)] = &[
    ("mps2-an385", include_str!("../boards/mps2-an385.toml")),
    ("mps3-an547", include_str!("../boards/mps3-an547.toml")),
    ("raspi2b", include_str!("../boards/raspi2b.toml")),
    ("raspi3b", include_str!("../boards/raspi3b.toml")),
    ("raspi4b", include_str!("../boards/raspi4b.toml")),
    ("raspi0", include_str!("../boards/raspi0.toml")),
    ("raspi1ap", include_str!("../boards/raspi1ap.toml")),
    ("versatilepb", include_str!("../boards/versatilepb.toml")),
    ("virt", include_str!("../boards/virt.toml")),
];

/// A board cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// Nobody knows it.
    #[error("there is no board `{0}`, expected {known} or the path of a board file (NAME.toml)", known = names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// Its file cannot be read.
    #[error("the board file {0}: {1}")]
    Unreadable(String, std::io::Error),
    /// Its file does not say what it has to.
    #[error("the board file {0}: {1}")]
    Malformed(String, toml::de::Error),
    /// It says what cannot be.
    #[error("the board file {0}: {1}")]
    Wrong(String, String),
}

/// The names of the boards that come along.
pub fn names() -> impl Iterator<Item = &'static str> {
    BOARDS.iter().map(|(name, _)| *name)
}

impl Board {
    /// The board of this name, or in this file.
    pub fn find(name: &str) -> Result<Board, BoardError> {
        if let Some((name, text)) = BOARDS.iter().find(|(known, _)| *known == name) {
            return Board::parse(name, text);
        }
        if !name.ends_with(".toml") {
            return Err(BoardError::Unknown(name.to_owned()));
        }
        let text = std::fs::read_to_string(name).map_err(|error| BoardError::Unreadable(name.to_owned(), error))?;
        let stem = Path::new(name).file_stem().map_or(name.into(), |stem| stem.to_string_lossy());
        Board::parse(&stem, &text).map_err(|error| match error {
            BoardError::Malformed(_, error) => BoardError::Malformed(name.to_owned(), error),
            BoardError::Wrong(_, problem) => BoardError::Wrong(name.to_owned(), problem),
            error => error,
        })
    }

    fn parse(name: &str, text: &str) -> Result<Board, BoardError> {
        let board: Board = toml::from_str(text).map_err(|error| BoardError::Malformed(name.to_owned(), error))?;
        board.check().map_err(|problem| BoardError::Wrong(name.to_owned(), problem))?;
        Ok(Board { name: name.to_owned(), ..board })
    }

    /// Whether its ranges are some, and of memory where they have to be. What is wrong shows late otherwise: case by case.
    fn check(&self) -> Result<(), String> {
        let size = self.memory.checked_mul(1 << 20).filter(|&size| size > 0);
        let last = size.and_then(|size| self.memory_base.checked_add(size - 1));
        let last =
            last.ok_or_else(|| format!("memory = {} MiB, expected some that an address reaches", self.memory))?;
        let all = self.memory_base..=last;
        let inside = |what: &str, first: u64, end: u64| {
            if first <= end && all.contains(&first) && all.contains(&end) {
                return Ok(());
            }
            Err(format!(
                "{what} is {first:#x} to {end:#x}, expected a part of its memory, {:#x} to {last:#x}",
                all.start()
            ))
        };
        let shared = self.shared.map(|shared| (shared.base, shared.base.saturating_add(shared.size.saturating_sub(1))));
        if let Some((first, end)) = shared {
            inside("[shared]", first, end)?;
        }
        if let Some((first, end)) = self.bare.as_ref().and_then(|bare| bare.m_profile).map(|m_profile| m_profile.memory)
        {
            inside("memory of [bare.m_profile]", first.into(), end.into())?;
            if shared.is_some_and(|shared| shared.0 <= end.into() && u64::from(first) <= shared.1) {
                return Err("memory of [bare.m_profile] and [shared] overlap".to_owned());
            }
        }
        let ranges = self.bare.iter().flat_map(|bare| &bare.reserved);
        let mut ranges = ranges.chain(self.linux.iter().flat_map(|linux| &linux.runs).flat_map(|runs| &runs.usable));
        match ranges.find(|(first, end)| first > end) {
            Some((first, end)) => Err(format!("the range {first:#x} to {end:#x} ends before it begins")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_reads_and_has_its_agent() {
        for name in names() {
            let board = Board::find(name).expect(name);
            assert_eq!(board.name, name);
            let bare = board.bare.iter().map(|bare| &bare.agent);
            let linux = board.linux.iter().flat_map(|linux| &linux.runs).map(|runs| &runs.agent);
            for agent in bare.chain(linux) {
                assert!(crate::agent::binary(agent).is_some(), "{name}: {agent}");
            }
        }
    }

    #[test]
    fn ranges_that_cannot_be_are_told() {
        let m_profile = include_str!("../boards/mps2-an385.toml");
        let linux = include_str!("../boards/raspi2b.toml");
        for (text, from, to, told) in [
            (m_profile, "memory = 16", "memory = 0", "0 MiB"),
            (m_profile, "memory = 16", "memory = 0x7fffffffffffff", "MiB"),
            (m_profile, "base = 0x21c00000", "base = 0x21d00000", "[shared] is 0x21d00000 to 0x220fffff"),
            (m_profile, "[0x21000000, ", "[0x61000000, ", "expected a part of its memory, 0x21000000 to 0x21ffffff"),
            (m_profile, "0x21bfffff]", "0x20ffffff]", "[bare.m_profile] is 0x21000000 to 0x20ffffff"),
            (m_profile, "0x21bfffff]", "0x21c00000]", "overlap"),
            (linux, "[[0xb8000000, 0xbfffffff]]", "[[0xb8000000, 0xb7ffffff]]", "ends before it begins"),
            (linux, "[[0x400000, 0xafffffff]]", "[[0x400000, 0x3fffff]]", "0x400000 to 0x3fffff ends before it begins"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Board::parse("mine", &text.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains("the board file mine: ") && error.contains(told), "{to}: {error}");
        }
    }

    #[test]
    fn an_unknown_board_names_those_there_are() {
        let error = Board::find("raspi9").expect_err("there is none").to_string();
        assert!(error.contains("raspi2b, raspi3b"), "{error}");
    }

    #[test]
    fn a_bad_file_is_named_with_the_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mine.toml");
        std::fs::write(&path, "description = 5\n").expect("written");
        let error = Board::find(&path.to_string_lossy()).expect_err("it is wrong").to_string();
        assert!(error.contains("mine.toml") && error.contains("line 1"), "{error}");
    }
}
