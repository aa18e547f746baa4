//! Reading reports back. They come from other machines and other versions: nothing in them is believed.

use std::io::{self, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Report;
use crate::model::{Record, Start, Totals, VERSION};

/// The longest report that is read: some 200,000 configurations.
pub const MAX_BYTES: usize = 256 << 20;

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It cannot be had at all.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is longer than the limit.
    #[error("longer than {limit} bytes, the most that is read")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// There is nothing in it, or too little: not a whole document, not even the first line of a stream.
    #[error("holds no report: {0}")]
    Empty(&'static str),
    /// It is JSON, but not a report.
    #[error("not a report of Linkrig: {0}")]
    Foreign(&'static str),
    /// A newer program wrote it.
    #[error("version {found} of the report format; this program knows {VERSION} and older")]
    Version {
        /// Its version.
        found: u64,
    },
    /// A line of a stream cannot be what it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A document is not as described.
    #[error("not a valid report: {0}")]
    Document(serde_json::Error),
}

/// What is looked at before anything else is believed.
#[derive(Deserialize)]
struct Head {
    event: Option<String>,
    version: Option<u64>,
    start: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Document {
    start: Start,
    results: Vec<Record>,
    totals: Option<Totals>,
}

impl Report {
    /// Reads a report in either form, up to [`MAX_BYTES`]. Events and fields that are not known are passed over; a stream
    /// may end in the middle of a line, and is then not [complete](Report::complete).
    pub fn read(input: impl Read) -> Result<Self, ReadError> {
        Self::read_at_most(input, MAX_BYTES)
    }

    /// The same with another limit.
    pub fn read_at_most(input: impl Read, limit: usize) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        input.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(ReadError::TooLong { limit });
        }
        Self::from_slice(&bytes)
    }

    /// The same from memory, of any length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ReadError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = lines(bytes).find(|line| !line.blank()).ok_or(ReadError::Empty("it is empty"))?;
        match serde_json::from_slice::<Head>(first.bytes) {
            Ok(Head { event: Some(_), .. }) => stream(bytes),
            _ => document(bytes),
        }
    }
}

fn document(bytes: &[u8]) -> Result<Report, ReadError> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| match error.is_eof() {
        true => ReadError::Empty("it is neither a whole document nor the whole first line of a stream"),
        false => ReadError::Document(error),
    })?;
    if head.start.is_none() {
        return Err(ReadError::Foreign("it has no `start`"));
    }
    known(head.version)?;
    let Document { start, results, totals } = serde_json::from_slice(bytes).map_err(ReadError::Document)?;
    known(Some(start.version.into()))?;
    Ok(Report { start, results, totals })
}

fn stream(bytes: &[u8]) -> Result<Report, ReadError> {
    let mut report: Option<Report> = None;
    for line in lines(bytes).filter(|line| !line.blank()) {
        let head: Head = match line.parse() {
            Ok(head) => head,
            Err(_) if line.cut_short() => break,
            Err(error) => return Err(error),
        };
        let event = head.event.as_deref().ok_or_else(|| line.wrong("it has no `event`"))?;
        match (event, &mut report) {
            ("start", None) => {
                known(head.version)?;
                report = Some(Report { start: line.parse()?, ..Report::default() });
            }
            (_, None) => return Err(ReadError::Foreign("the first event is not `start`")),
            ("start", Some(_)) => return Err(line.wrong("a second start: these are two reports in one")),
            (_, Some(Report { totals: Some(_), .. })) => return Err(line.wrong("it comes after the end")),
            ("result", Some(report)) => report.results.push(line.parse()?),
            ("end", Some(report)) => report.totals = Some(line.parse()?),
            // Of a later program: what it adds without a new version may be passed over.
            _ => {}
        }
    }
    report.ok_or(ReadError::Empty("it has no start"))
}

fn known(version: Option<u64>) -> Result<(), ReadError> {
    match version {
        None => Err(ReadError::Foreign("it has no `version`")),
        Some(found) if found > VERSION.into() => Err(ReadError::Version { found }),
        Some(_) => Ok(()),
    }
}

/// A line without its end.
struct Line<'a> {
    number: usize,
    bytes: &'a [u8],
    ended: bool,
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    bytes.split_inclusive(|byte| *byte == b'\n').enumerate().map(|(index, line)| match line.split_last() {
        Some((b'\n', bytes)) => Line { number: index + 1, bytes, ended: true },
        _ => Line { number: index + 1, bytes: line, ended: false },
    })
}

impl<'a> Line<'a> {
    fn blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether this is the last line and the writer did not get to its end.
    fn cut_short(&self) -> bool {
        !self.ended
    }

    fn parse<T: Deserialize<'a>>(&self) -> Result<T, ReadError> {
        serde_json::from_slice(self.bytes).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, problem: impl ToString) -> ReadError {
        ReadError::Line { line: self.number, problem: problem.to_string() }
    }
}
