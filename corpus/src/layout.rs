//! Layouts by name: where the sections of a case are put.

use std::fmt;
use std::str::FromStr;

use crate::text::{Cursor, ParseError};

/// Where sections are put. The names are those of directives, options and configurations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// At the default base, sections apart by pages.
    Near,
    /// Sections beyond branch range of each other.
    Far,
    /// Above 4 GiB on 64-bit targets, around the wrap at 2^32 on 32-bit ones.
    High,
    /// Targets at the last reachable address.
    Edge,
    /// Gaps and order drawn from this seed.
    Random(u64),
    /// By hand.
    At(Vec<Place>),
}

/// A section put somewhere by hand: `FILE(SECTION)=ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The object's name.
    pub file: String,
    /// The section's name.
    pub section: String,
    /// Where it starts.
    pub address: u64,
}

const EXPECTED: &str = "a layout: near, far, high, edge, random:SEED or at:FILE(SECTION)=ADDRESS,...";

impl FromStr for Layout {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Layout, ParseError> {
        Ok(match text {
            "near" => Layout::Near,
            "far" => Layout::Far,
            "high" => Layout::High,
            "edge" => Layout::Edge,
            _ => {
                let mut cursor = Cursor::new(text);
                match cursor.take_while(|c| c != ':') {
                    "random" => {
                        cursor.expect(':')?;
                        let seed = cursor.unsigned()?;
                        cursor.end()?;
                        Layout::Random(seed)
                    }
                    "at" => Layout::At(places(&mut cursor)?),
                    _ => return Err(ParseError::new(0, EXPECTED)),
                }
            }
        })
    }
}

fn places(cursor: &mut Cursor<'_>) -> Result<Vec<Place>, ParseError> {
    cursor.expect(':')?;
    let mut places = Vec::new();
    loop {
        let start = cursor.offset();
        let file = cursor.take_while(|c| !matches!(c, '(' | ')' | '=' | ',') && !c.is_whitespace()).to_owned();
        cursor.expect('(')?;
        let section = cursor.take_while(|c| !matches!(c, '(' | ')' | '=' | ',') && !c.is_whitespace()).to_owned();
        cursor.expect(')')?;
        cursor.expect('=')?;
        let address = cursor.unsigned()?;
        if file.is_empty() || section.is_empty() {
            return Err(ParseError::new(start, "FILE(SECTION)=ADDRESS"));
        }
        places.push(Place { file, section, address });
        if !cursor.eat(',') {
            cursor.end()?;
            return Ok(places);
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layout::Near => f.write_str("near"),
            Layout::Far => f.write_str("far"),
            Layout::High => f.write_str("high"),
            Layout::Edge => f.write_str("edge"),
            Layout::Random(seed) => write!(f, "random:{seed}"),
            Layout::At(places) => {
                let mut separator = "at:";
                for Place { file, section, address } in places {
                    write!(f, "{separator}{file}({section})={address:#x}")?;
                    separator = ",";
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for text in ["near", "far", "high", "edge", "random:17", "at:a.o(.text)=0x400000,b.o(.data.rel)=0x8000000"] {
            assert_eq!(text.parse::<Layout>().map(|layout| layout.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "nearby", "random", "random:", "random:x", "at:", "at:a.o=1", "at:(x)=1", "at:a(b)=1,", "far "]
        {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
