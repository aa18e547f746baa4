//! What a program executed, instruction by instruction, as a file.
//!
//! A line an instruction, in columns with a tabulator between them: its address, the symbol that it is in, its code as manuals write it, and what it is.
//! A call of a host function is a line, too. The file has a bound: what comes behind that is executed without being written down.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use linker::graph::Bytes;

use crate::disassembly::Disassembler;
use crate::executor::attendant::{Attendant, Attended, Crew};
use crate::executor::traps::{Note, Notes, Outcome, Traps};
use crate::linked::Linked;
use crate::machine::{Ended, Resume, Stop};

/// Lines that are kept for when the same instruction is executed again.
const KEPT: usize = 1 << 16;

/// A file for a trace.
#[derive(Debug)]
pub struct Trace {
    path: PathBuf,
    file: File,
    limit: u64,
}

/// The names of a program's addresses.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Where code is, and the symbols in it, sorted by address.
    code: Vec<(u64, u64)>,
    symbols: Vec<(u64, String)>,
    /// Functions of the host.
    host: BTreeMap<u64, String>,
}

impl Names {
    /// Those of a program, and of host functions by their addresses as guests see them.
    pub fn of(linked: &Linked<'_>, host: impl IntoIterator<Item = (String, u64)>) -> Names {
        let mut symbols: Vec<(u64, String)> = linked
            .symbols()
            .iter()
            .filter(|symbol| symbol.placed && !symbol.name.is_empty() && !symbol.name.starts_with(b"$"))
            .map(|symbol| (symbol.address, linker::error::text(symbol.name)))
            .collect();
        symbols.sort();
        let code = linked.segments.iter().filter(|segment| segment.protection.executable());
        let mut code: Vec<(u64, u64)> = code.map(|it| (it.address, it.address.saturating_add(it.size))).collect();
        code.sort_unstable();
        Names { code, symbols, host: host.into_iter().map(|(name, address)| (address & !1, name)).collect() }
    }

    /// The symbol that an address is in, and how far.
    fn name(&self, address: u64) -> Option<String> {
        let code = self.code.iter().find(|(start, end)| (*start..*end).contains(&address))?;
        let behind = self.symbols.partition_point(|symbol| symbol.0 <= address);
        let (start, name) = self.symbols[..behind].last().filter(|symbol| symbol.0 >= code.0)?;
        Some(if *start == address { name.clone() } else { format!("{name}+{:#x}", address - start) })
    }
}

/// How a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Instructions in it.
    pub instructions: u64,
    /// Whether more were executed.
    pub cut: bool,
}

/// What is told when the program is over.
pub struct Close {
    path: PathBuf,
    limit: u64,
    state: Rc<RefCell<State>>,
}

struct State {
    out: BufWriter<File>,
    left: u64,
    written: Written,
    failed: Option<io::Error>,
}

/// Writes down what is executed.
pub struct Tracer {
    state: Rc<RefCell<State>>,
    names: Names,
    disassembler: Disassembler,
    lines: HashMap<(u64, [u8; 4], bool), String>,
    /// Whether the processor takes notes.
    begun: bool,
}

impl Trace {
    /// A file with a bound of so many bytes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, limit: u64) -> io::Result<Trace> {
        Ok(Trace { path: path.to_owned(), file: File::create(path)?, limit })
    }

    /// What writes it, and what is told of the end.
    pub fn begin(self, linked: &Linked<'_>, names: Names) -> (Tracer, Close) {
        let written = Written { instructions: 0, cut: false };
        let state = State { out: BufWriter::new(self.file), left: self.limit, written, failed: None };
        let state = Rc::new(RefCell::new(state));
        let disassembler = Disassembler::new(linked.target);
        let tracer = Tracer { state: state.clone(), names, disassembler, lines: HashMap::new(), begun: false };
        (tracer, Close { path: self.path, limit: self.limit, state })
    }
}

impl Close {
    /// Completes the file.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn finish(self) -> io::Result<Written> {
        let mut state = self.state.borrow_mut();
        let flushed = state.out.flush();
        match state.failed.take() {
            Some(error) => Err(error),
            None => flushed.map(|()| state.written),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bound, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}

impl State {
    fn is_done(&self) -> bool {
        self.written.cut || self.failed.is_some()
    }

    /// Writes a line, if there is room for it.
    fn write(&mut self, line: &str) {
        if self.is_done() {
            return;
        }
        let Some(left) = self.left.checked_sub(line.len() as u64) else {
            self.written.cut = true;
            return;
        };
        self.left = left;
        if let Err(error) = self.out.write_all(line.as_bytes()) {
            self.failed = Some(error);
        }
    }
}

impl Tracer {
    fn note(&mut self, note: &Note) {
        let key = (note.pc, note.code, note.thumb);
        if !self.lines.contains_key(&key) && self.lines.len() >= KEPT {
            self.lines.clear();
        }
        let line = self.lines.entry(key).or_insert_with(|| {
            let kind = if note.thumb { Bytes::Thumb } else { Bytes::Code };
            let bytes = &note.code[..note.length.into()];
            let (text, _) = self.disassembler.one(bytes, note.pc, kind);
            let halves: Vec<u16> = bytes.as_chunks().0.iter().map(|half| u16::from_le_bytes(*half)).collect();
            let code = match halves[..] {
                [low, high] if !note.thumb => format!("{high:04x}{low:04x}"),
                _ => halves.iter().map(|half| format!("{half:04x}")).collect::<Vec<_>>().join(" "),
            };
            format!("{:#x}\t{}\t{code}\t{text}\n", note.pc, self.names.name(note.pc).unwrap_or_default())
        });
        let mut state = self.state.borrow_mut();
        state.write(line);
        if !state.is_done() {
            state.written.instructions += 1;
        }
    }

    fn take(&mut self, processor: &mut dyn Attended) {
        for note in processor.notes() {
            self.note(&note);
        }
        if self.begun && self.state.borrow().is_done() {
            processor.set_traps(&Traps::default());
            self.begun = false;
        }
    }
}

impl Attendant for Tracer {
    fn run(&mut self, processor: &mut dyn Attended, _: &mut dyn Crew, mut begin: u64, resume: Resume) -> Ended {
        if !self.begun && !self.state.borrow().is_done() {
            processor.set_traps(&Traps { notes: Notes::Code, ..Traps::default() });
            self.begun = true;
        }
        loop {
            let outcome = processor.go(begin, resume);
            if self.begun {
                self.take(processor);
            }
            let Outcome::Ended(ended) = outcome else {
                // There was no room for more notes.
                begin = processor.pc();
                continue;
            };
            let pc = processor.pc() & !1;
            if ended == Ended::Host
                && let Some(name) = self.names.host.get(&pc)
            {
                self.state.borrow_mut().write(&format!("{pc:#x}\t{name} (of the host)\t\t\n"));
            }
            return ended;
        }
    }

    fn ended(&mut self, _: &mut dyn Attended, _: &mut dyn Crew, _: &Stop) {}
}
