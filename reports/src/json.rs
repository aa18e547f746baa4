//! Reports as JSON: one document for a whole run, or one line an event while it goes on.
//!
//! `docs/report-schema.md` describes both forms. [`Report::read`] takes either.

mod read;

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Event, Record, Start, Totals, VERSION};

pub use read::{MAX_BYTES, ReadError};

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What the run is.
    pub start: Start,
    /// Its configurations, in the order in which they ended.
    pub results: Vec<Record>,
    /// What it came to; none if it was cut short.
    pub totals: Option<Totals>,
}

impl Report {
    /// Whether the run came to its end. What a report holds is valid either way.
    pub fn complete(&self) -> bool {
        self.totals.as_ref().is_some_and(|totals| totals.stopped.is_none())
    }

    /// Writes the report as one document, with a line for every result. Its version is [`VERSION`].
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        write!(out, "{{\"version\":{VERSION},\n\"start\":")?;
        json(&mut out, &Start { version: VERSION, ..self.start.clone() })?;
        out.write_all(b",\n\"results\":[")?;
        for (index, record) in self.results.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            json(&mut out, &*Finite::finite(record))?;
        }
        out.write_all(b"\n]")?;
        if let Some(totals) = &self.totals {
            out.write_all(b",\n\"totals\":")?;
            json(&mut out, &*Finite::finite(totals))?;
        }
        out.write_all(b"}\n")?;
        out.flush()
    }
}

/// The events of a run as JSON lines. Every line is written at once and flushed: whoever reads along sees it when it
/// happens, and a program that is killed leaves nothing worse than one line without its end.
#[derive(Debug)]
pub struct Lines<W: Write> {
    out: W,
    line: Vec<u8>,
}

/// An [`Event`] that need not be owned.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Borrowed<'a> {
    Start(&'a Start),
    Result(&'a Record),
    End(&'a Totals),
}

impl<W: Write> Lines<W> {
    /// Lines that go to `out`, which should not be buffered.
    pub fn new(out: W) -> Self {
        Lines { out, line: Vec::new() }
    }

    /// The first line.
    pub fn start(&mut self, start: &Start) -> io::Result<()> {
        self.write(&Borrowed::Start(start))
    }

    /// A configuration that ended.
    pub fn result(&mut self, record: &Record) -> io::Result<()> {
        self.write(&Borrowed::Result(&Finite::finite(record)))
    }

    /// The last line.
    pub fn end(&mut self, totals: &Totals) -> io::Result<()> {
        self.write(&Borrowed::End(&Finite::finite(totals)))
    }

    /// Any of them.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Start(start) => self.start(start),
            Event::Result(record) => self.result(record),
            Event::End(totals) => self.end(totals),
        }
    }

    /// Where the lines went.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn write(&mut self, event: &Borrowed<'_>) -> io::Result<()> {
        self.line.clear();
        json(&mut self.line, event)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.out.flush()
    }
}

fn json(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

/// JSON has no infinities: they would be written as `null` and refused by every reader.
trait Finite: Clone {
    fn seconds(&mut self) -> &mut f64;
    fn is_finite(&self) -> bool;

    fn finite(&self) -> std::borrow::Cow<'_, Self> {
        if self.is_finite() {
            return std::borrow::Cow::Borrowed(self);
        }
        let mut copy = self.clone();
        *copy.seconds() = 0.0;
        std::borrow::Cow::Owned(copy)
    }
}

impl Finite for Record {
    fn seconds(&mut self) -> &mut f64 {
        &mut self.seconds
    }
    fn is_finite(&self) -> bool {
        self.seconds.is_finite()
    }
}

impl Finite for Totals {
    fn seconds(&mut self) -> &mut f64 {
        &mut self.seconds
    }
    fn is_finite(&self) -> bool {
        self.seconds.is_finite()
    }
}
