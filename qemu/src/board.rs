//! Boards as data: one file a board, in `boards/` or given by the user.

use std::ops::RangeInclusive;
use std::path::Path;

use outside::FileError;
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

/// Bytes of a board file: those that come along have some 2,000.
const LARGEST: u64 = 1 << 20;

/// A board cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// Nobody knows it.
    #[error("there is no board `{0}`, expected {known} or the path of a board file (NAME.toml)", known = names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// Its file cannot be read.
    #[error("the board file {0}")]
    Unreadable(#[from] FileError),
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
        let text = outside::read_text(name, LARGEST)?;
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

    /// Whether its numbers can be, and its ranges are of memory where they have to be. What is wrong shows late otherwise: case
    /// by case, or when QEMU is started.
    fn check(&self) -> Result<(), String> {
        let size = self.memory.checked_mul(1 << 20).filter(|&size| size > 0);
        let last = size.and_then(|size| self.memory_base.checked_add(size - 1));
        let last =
            last.ok_or_else(|| format!("memory = {} MiB, expected some that an address reaches", self.memory))?;
        let all = self.memory_base..=last;
        let bytes = last - all.start() + 1;
        let inside = |what: &str, first: u64, end: u64| {
            if first <= end && all.contains(&first) && all.contains(&end) {
                return Ok(());
            }
            Err(format!(
                "{what} is {first:#x} to {end:#x}, expected a part of its memory, {:#x} to {last:#x}",
                all.start()
            ))
        };
        width("width", self.width)?;
        if let Some(Shared { base, size }) = self.shared {
            within("[shared] size", size, LEAST_SHARED..=MOST_SHARED, "bytes")?;
            whole_pages("[shared] base", base)?;
            whole_pages("[shared] size", size)?;
            inside("[shared]", base, base.saturating_add(size - 1))?;
        }
        let shared = self.shared.map(|shared| (shared.base, shared.base + (shared.size - 1)));
        if let Some(bare) = &self.bare {
            within("[bare] pool", bare.pool, PAGE..=bytes, "bytes")?;
            agent("[bare] agent", &bare.agent)?;
        }
        if let Some((first, end)) = self.bare.as_ref().and_then(|bare| bare.m_profile).map(|m_profile| m_profile.memory)
        {
            inside("memory of [bare.m_profile]", first.into(), end.into())?;
            // Its agent is told of shared memory in words.
            if let Some((base, end)) = shared.filter(|shared| shared.1 > u32::MAX.into()) {
                return Err(format!("[shared] is {base:#x} to {end:#x}, expected addresses of 32 bits"));
            }
            if shared.is_some_and(|shared| shared.0 <= end.into() && u64::from(first) <= shared.1) {
                return Err("memory of [bare.m_profile] and [shared] overlap".to_owned());
            }
        }
        if let Some(linux) = &self.linux {
            within("[linux] patience", linux.patience, 1..=MOST_PATIENCE, "seconds")?;
            if linux.serial >= MOST_SERIALS {
                let serial = linux.serial;
                return Err(format!("[linux] serial = {serial}, expected a port of QEMU's, 0 to {}", MOST_SERIALS - 1));
            }
            if linux.runs.is_empty() {
                return Err("[linux] runs is empty, expected the programs that its kernel runs".to_owned());
            }
            for runs in &linux.runs {
                width("[[linux.runs]] width", runs.width)?;
                within("[[linux.runs]] pool", runs.pool, PAGE..=bytes, "bytes")?;
                agent("[[linux.runs]] agent", &runs.agent)?;
            }
        }
        let reserved = self.bare.iter().flat_map(|bare| &bare.reserved).map(|range| ("[bare] reserved", range));
        let usable = self.linux.iter().flat_map(|linux| &linux.runs).flat_map(|runs| &runs.usable);
        let mut ranges = reserved.chain(usable.map(|range| ("[[linux.runs]] usable", range)));
        match ranges.find(|(_, (first, end))| first > end) {
            Some((key, (first, end))) => Err(format!("{key}: the range {first:#x} to {end:#x} ends before it begins")),
            None => Ok(()),
        }
    }
}

/// Bytes of a page, of which memory has whole ones.
const PAGE: u64 = 0x1000;

/// Bytes of memory that host and guest both see: a page to say what there is, and room for messages each way.
const LEAST_SHARED: u64 = 0x1_0000;
/// It is mapped as a whole.
const MOST_SHARED: u64 = 1 << 30;

/// Seconds that a board may take to boot.
const MOST_PATIENCE: u64 = 24 * 60 * 60;

/// Serial ports of a machine of QEMU's.
const MOST_SERIALS: usize = 8;

fn agent(key: &str, name: &str) -> Result<(), String> {
    if crate::agent::binary(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = crate::agent::BINARIES.iter().map(|(known, _)| *known).collect();
    Err(format!("{key} = \"{name}\", expected one of {}", known.join(", ")))
}

fn width(key: &str, width: u8) -> Result<(), String> {
    if matches!(width, 32 | 64) { Ok(()) } else { Err(format!("{key} = {width}, expected 32 or 64")) }
}

fn within(key: &str, value: u64, range: RangeInclusive<u64>, unit: &str) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{key} = {value:#x}, expected {:#x} to {:#x} {unit}", range.start(), range.end()))
}

fn whole_pages(key: &str, value: u64) -> Result<(), String> {
    if value.is_multiple_of(PAGE) {
        Ok(())
    } else {
        Err(format!("{key} = {value:#x}, expected a multiple of {PAGE:#x}"))
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
            (m_profile, "size = 0x400000", "size = 0", "[shared] size = 0x0, expected 0x10000 to 0x40000000 bytes"),
            (m_profile, "size = 0x400000", "size = 0x7fffffffffffffff", "[shared] size = 0x7fffffffffffffff, expected"),
            (
                m_profile,
                "size = 0x400000",
                "size = 0x3ffff8",
                "[shared] size = 0x3ffff8, expected a multiple of 0x1000",
            ),
            (m_profile, "base = 0x21c00000", "base = 0x21c00001", "[shared] base = 0x21c00001, expected a multiple"),
            (m_profile, "pool = ", "pool = 0 #", "[bare] pool = 0x0, expected 0x1000 to 0x1000000 bytes"),
            (m_profile, "width = 32", "width = 0", "width = 0, expected 32 or 64"),
            (m_profile, "\"cortex-m\"", "\"cortex-x\"", "[bare] agent = \"cortex-x\", expected one of bare-aarch64, "),
            (
                linux,
                "patience = 180",
                "patience = 9223372036854775807",
                "[linux] patience = 0x7fffffffffffffff, expected 0x1",
            ),
            (linux, "patience = 180", "patience = 0", "[linux] patience = 0x0, expected 0x1 to 0x15180 seconds"),
            (
                linux,
                "patience = 180",
                "serial = 4000000000\npatience = 180",
                "[linux] serial = 4000000000, expected a port",
            ),
            (linux, "pool = 0x20000000", "pool = 0x7fffffffffffffff", "[[linux.runs]] pool = 0x7fffffffffffffff"),
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
