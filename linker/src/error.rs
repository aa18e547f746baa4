//! Errors as values: each names the file, section, offset, relocation and symbol, and what was expected.

use std::borrow::Cow;
use std::fmt;

use crate::memory::MemoryError;
use crate::relocation::{Allowed, Standing, hex};

/// A place in the input that an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// File, with the member in parentheses for an archive.
    pub file: String,
    /// Section name.
    pub section: Option<String>,
    /// Offset in the section, in bytes.
    pub offset: Option<u64>,
    /// Name of the relocation.
    pub relocation: Option<&'static str>,
    /// Name of the symbol it refers to.
    pub symbol: Option<String>,
}

/// Bytes of a name that are shown. An object of a few kilobytes can have a name of as many, and thousands of uses of it.
const SHOWN: usize = 4096;

/// A name of a file as text that can be shown: on one line, [`printable`], and cut where nobody reads on.
pub fn text(name: &[u8]) -> String {
    let Some(beyond) = name.len().checked_sub(SHOWN).filter(|&beyond| beyond > 0) else {
        return printable(&String::from_utf8_lossy(name), "").into_owned();
    };
    // Not in the middle of a character.
    let end = (SHOWN - 3..=SHOWN).rev().find(|&end| name[end] & 0xc0 != 0x80).unwrap_or(SHOWN);
    format!("{}[and {} bytes more]", printable(&String::from_utf8_lossy(&name[..end]), ""), beyond + SHOWN - end)
}

/// Text of which a terminal, or whoever else reads it, does nothing but show it: what would move a cursor, change a colour or
/// turn the direction of what follows is written as an escape sequence of C or Rust instead. The characters in `kept` stay.
pub fn printable<'a>(text: &'a str, kept: &str) -> Cow<'a, str> {
    let acts = |c: char| is_control(c) && !kept.contains(c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if acts(c) && c.is_ascii() => out += &format!("\\x{:02x}", c as u32),
            c if acts(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something other than to be seen, or is none.
fn is_control(c: char) -> bool {
    // Spaces of no width, marks and overrides of direction, separators of lines; what XML does not have.
    let invisible = [
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fffe}'..='\u{ffff}',
    ];
    c.is_control() || invisible.iter().any(|range| range.contains(&c))
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match (&self.section, self.offset) {
            (Some(section), Some(offset)) => write!(f, "({section}+{offset:#x})")?,
            (Some(section), None) => write!(f, "({section})")?,
            _ => {}
        }
        if let Some(relocation) = self.relocation {
            write!(f, ": {relocation}")?;
        }
        if let Some(symbol) = &self.symbol {
            write!(f, " against `{symbol}`")?;
        }
        Ok(())
    }
}

/// A symbol that nobody defines, and who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undefined {
    /// Its name.
    pub name: String,
    /// The first places that refer to it; empty when only the caller asked for it.
    pub wanted_by: Vec<Site>,
    /// How many places refer to it.
    pub references: usize,
}

/// The numbers of a relocation whose value does not fit its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where.
    pub site: Site,
    /// The formula of the ABI.
    pub formula: String,
    /// S: the address of the symbol.
    pub s: u64,
    /// A: the addend.
    pub a: i64,
    /// P: the address of the place.
    pub p: u64,
    /// The value of the formula.
    pub value: i64,
    /// The values that fit.
    pub allowed: Allowed,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} = {} (S {:#x}, A {}, P {:#x}), {}",
            self.formula,
            hex(self.value.into()),
            self.s,
            hex(self.a.into()),
            self.p,
            self.allowed
        )
    }
}

/// Why a link failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is not what the format says it has to be.
    #[error("{site}: {problem}")]
    Malformed {
        /// Where.
        site: Box<Site>,
        /// What was found, and what was expected.
        problem: String,
    },
    /// Objects that were not built for each other.
    #[error("{site}: {problem}")]
    Incompatible {
        /// The object at hand.
        site: Box<Site>,
        /// What it says, what others say, and where that is written.
        problem: String,
    },
    /// A relocation number that the architecture's table does not have.
    #[error("{site}: relocation {number} is not supported for {architecture}")]
    UnknownRelocation {
        /// Where.
        site: Box<Site>,
        /// Its number.
        number: u32,
        /// The architecture.
        architecture: &'static str,
    },
    /// A relocation that is not for objects.
    #[error("{site}: not for a linker: {}", .standing.objection())]
    NotStatic {
        /// Where.
        site: Box<Site>,
        /// What the ABI says of it.
        standing: Standing,
    },
    /// A relocation for thread-local variables against something else, or the reverse.
    #[error("{site}: {problem}")]
    ThreadLocal {
        /// Where.
        site: Box<Site>,
        /// What does not match.
        problem: &'static str,
    },
    /// The instruction under a relocation is not one that may carry it.
    #[error("{site}: instruction {found} cannot carry this relocation, expected {expected}")]
    Opcode {
        /// Where.
        site: Box<Site>,
        /// The bytes found, as a number.
        found: String,
        /// The instructions that may stand there.
        expected: String,
    },
    /// The value does not fit the field.
    #[error("{site}: out of range: {0}", site = .0.site)]
    OutOfRange(Box<Misfit>),
    /// The value is not the multiple that the field needs.
    #[error("{site}: misaligned: {0}", site = .0.site)]
    Misaligned(Box<Misfit>),
    /// A branch that cannot be made in the state of its target, and that no stub may stand in for.
    #[error("{site}: cannot branch {what}")]
    State {
        /// Where.
        site: Box<Site>,
        /// From where to where.
        what: &'static str,
    },
    /// Relocations that cannot be applied, where there are several: each by itself is another of these errors.
    #[error("{}", several(.0))]
    Several(Box<Several>),
    /// Symbols that nobody defines, all of them.
    #[error("{}", undefined(.0))]
    Undefined(Vec<Undefined>),
    /// Two strong definitions of one symbol.
    #[error("duplicate symbol: {name}: defined in {first} and in {second}")]
    Duplicate {
        /// Its name.
        name: String,
        /// The first definition.
        first: Box<Site>,
        /// The second.
        second: Box<Site>,
    },
    /// A reference into a section that gave way to another of its group.
    #[error(
        "{site}: refers to a section that is not part of the link: another object has its group, or it was left out"
    )]
    Discarded {
        /// Where.
        site: Box<Site>,
    },
    /// A branch in a section that is larger than the branch reaches: no stub can stand where it would be in reach.
    #[error(
        "{site}: the target is out of reach, and so is a stub beside the section, which has {size:#x} bytes: \
         the branch reaches from {} to {}", hex(*low), hex(*high)
    )]
    NoStubInReach {
        /// The branch.
        site: Box<Site>,
        /// Bytes of the block that it stands in.
        size: u64,
        /// The lowest value of its formula that it can hold.
        low: i128,
        /// The highest.
        high: i128,
    },
    /// The value of a symbol depends on itself.
    #[error("symbol {name} is defined by itself, expected an expression of other symbols")]
    Assignment {
        /// Its name.
        name: String,
    },
    /// The layout asks for something impossible.
    #[error("layout: {0}")]
    Layout(String),
    /// The input is larger than [`crate::Limits`] allows.
    #[error("{site}: {what} exceeds the limit of {limit}")]
    Limit {
        /// Where.
        site: Box<Site>,
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// Target memory refused.
    #[error("target memory: {0}")]
    Memory(MemoryError),
}

/// Relocations that cannot be applied, or not even be read: one bad place does not hide the others.
#[derive(Debug, Default)]
pub struct Several {
    /// The first [`Several::KEPT`] of them, in the order of the sections.
    pub errors: Vec<Error>,
    /// How many there are beyond these.
    pub more: usize,
}

impl Several {
    /// So many are kept as values: a wrong layout may have as many as there are relocations.
    pub const KEPT: usize = 100;
    /// So many are shown by the text of the error.
    pub const SHOWN: usize = 20;

    /// How many there are.
    pub fn count(&self) -> usize {
        self.errors.len() + self.more
    }

    #[cold]
    pub(crate) fn push(&mut self, error: Error) {
        if self.errors.len() < Several::KEPT { self.errors.push(error) } else { self.more += 1 }
    }

    /// Nothing, the one error, or all of them as one.
    pub(crate) fn finish(mut self) -> Result<()> {
        match self.errors.len() {
            0 => Ok(()),
            1 => Err(self.errors.remove(0)),
            _ => Err(Error::Several(Box::new(self))),
        }
    }
}

fn several(several: &Several) -> String {
    let count = several.count();
    let mut text = format!("{count} relocations cannot be applied");
    for error in several.errors.iter().take(Several::SHOWN) {
        text += &format!("\n  {error}");
    }
    if count > Several::SHOWN {
        text += &format!("\n  and {} more", count - Several::SHOWN);
    }
    text
}

fn undefined(list: &[Undefined]) -> String {
    let mut lines = Vec::new();
    for symbol in list {
        let mut line = format!("undefined symbol: {}", symbol.name);
        for site in &symbol.wanted_by {
            line += &format!("\n  wanted by {site}");
        }
        let more = symbol.references - symbol.wanted_by.len();
        if more > 0 {
            line += &format!("\n  and {more} more");
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The result of a step.
pub type Result<T, E = Error> = std::result::Result<T, E>;
