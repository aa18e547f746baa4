//! How a program got to where it stopped: a backtrace through linked frames, with source lines where files have them.
//!
//! Whoever linked it: what is needed is a [`Linked`], the memory and the registers, and the files. The program is what is being
//! looked for faults, so nothing is taken on trust: what cannot be read ends the backtrace, and says so.

mod dwarf;
mod exidx;
mod lines;
mod split;
mod state;
mod walk;

use std::fmt;
use std::ops::Range;

use linker::Target;
use linker::memory::Protection;
use object::{Object, ObjectSection, ObjectSegment};

use self::lines::Lines;
use self::state::{Memory, Numbers, Registers};
use self::walk::{Loaded, Tables};
use crate::executor::hosted::engine::PAGE;
use crate::executor::{Executor, Register};
use crate::linked::{Linked, Piece};
use crate::linking::Input;
use crate::locate;

/// Frames that are shown.
const MOST: usize = 32;
/// Bytes of unwinding tables that are read.
const LARGEST: u64 = 64 << 20;

/// A function that has not returned, or that is inlined into the one behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Where it is, without the Thumb bit: where it stopped, or where it goes on when what it called returns.
    pub address: u64,
    /// The symbol, and how far behind it; none where it is inlined.
    pub symbol: Option<String>,
    /// The function, where debug information says so.
    pub function: Option<String>,
    /// File and line of the source.
    pub source: Option<(String, Option<u32>)>,
    /// Whether it is inlined into the next one.
    pub inlined: bool,
    /// Whether it is none of the program's: a function of the host, or no code at all.
    pub foreign: bool,
}

/// Frames, from where it stopped on outwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backtrace {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Why there are no more, where that is not the end.
    pub end: Option<String>,
    /// Files that would have told functions and lines, and why they do not.
    pub lacks: Vec<String>,
}

impl Backtrace {
    /// Where the program was in its own code, if it was called from there.
    pub fn own(&self) -> Option<u64> {
        self.frames.iter().find(|frame| !frame.foreign).map(|frame| frame.address)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.symbol, &self.function) {
            (Some(symbol), _) => write!(f, "{:#x} {symbol}", self.address)?,
            (None, Some(function)) => write!(f, "{:#x} {function}", self.address)?,
            (None, None) => write!(f, "{:#x}", self.address)?,
        }
        match &self.source {
            Some((file, Some(line))) => write!(f, " at {file}:{line}")?,
            Some((file, None)) => write!(f, " in {file}")?,
            None => {}
        }
        f.write_str(if self.inlined { " (inlined)" } else { "" })
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.frames.iter().enumerate().map(|(number, frame)| format!("  #{number} {frame}"));
        let end = self.end.iter().map(|end| format!("  {end}"));
        let lacks = self.lacks.iter().map(|file| format!("  debug information is in {file}"));
        f.write_str(&lines.chain(end).chain(lacks).collect::<Vec<_>>().join("\n"))
    }
}

/// The backtrace of a program that has stopped. `files` are those that it was linked from, or the executable itself.
pub fn backtrace<E: Executor>(executor: &mut E, linked: &Linked<'_>, files: &[Input]) -> Backtrace {
    let stopped = Stopped::new(linked.target, |register| executor.get(register));
    let host = executor.host().name_at(stopped.pc()).map(str::to_owned);
    stopped.backtrace(linked, files, host, &mut |address, into| executor.peek(address, into).is_ok())
}

/// The registers of a program that has stopped.
pub struct Stopped {
    numbers: Numbers,
    registers: Registers,
}

impl Stopped {
    /// Those that this says.
    pub fn new(target: &'static Target, get: impl Fn(Register) -> u128) -> Stopped {
        let numbers = Numbers::of(target);
        let mut registers = Registers::default();
        for number in 0..numbers.sp.max(numbers.link + 1) {
            registers.set(number, Some(get(Register::Core(number as u8)) as u64));
        }
        registers.set(numbers.sp, Some(get(Register::Sp) as u64));
        registers.set(numbers.pc, Some(get(Register::Pc) as u64));
        Stopped { numbers, registers }
    }

    /// Where it is.
    pub fn pc(&self) -> u64 {
        self.registers.get(self.numbers.pc).unwrap_or(0)
    }

    /// The backtrace. `host` is the function of the host that it stopped in, `read` fills a buffer from an address on.
    pub fn backtrace(
        self,
        linked: &Linked<'_>,
        files: &[Input],
        host: Option<String>,
        read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
    ) -> Backtrace {
        self.backtrace_through(&[Module { linked, files, library: None }], host, read)
    }

    /// The same through the libraries of a program, too, which comes first and is not none.
    pub fn backtrace_through(
        self,
        modules: &[Module<'_, '_>],
        host: Option<String>,
        read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
    ) -> Backtrace {
        let Stopped { numbers, registers } = self;
        let Some(program) = modules.first() else { return Backtrace::default() };
        let mut memory = Memory { read, target: program.linked.target };
        let known = modules.iter().map(|&module| Known {
            module,
            lines: Lines::new(module.linked, module.files, bias(module.linked, module.files)),
            tables: tables(&mut memory, module.linked, module.files),
        });
        let mut walk = Walk { modules: known.collect(), numbers, target: program.linked.target };
        let mut trace = walk.run(&mut memory, registers, host);
        trace.lacks = walk.modules.into_iter().flat_map(|known| known.lines.lacks).collect();
        trace.lacks.dedup();
        trace
    }
}

/// A program, or a library of it.
#[derive(Clone, Copy)]
pub struct Module<'l, 'data> {
    /// What is known of it.
    pub linked: &'l Linked<'data>,
    /// What it was linked from, or the file itself.
    pub files: &'l [Input],
    /// Which library it is.
    pub library: Option<&'l str>,
}

/// Where unwinding tables are in memory.
fn tables(memory: &mut Memory<'_>, linked: &Linked<'_>, files: &[Input]) -> Tables {
    let loaded = ranges(linked, files, ".eh_frame")
        .into_iter()
        .filter_map(|range| Some(Loaded { address: range.start, bytes: memory.bytes(&range, LARGEST)? }));
    let loaded = loaded.collect();
    let indexes: Vec<Range<u64>> = ranges(linked, files, ".ARM.exidx")
        .into_iter()
        .filter(|range| range.end.saturating_sub(range.start) <= LARGEST)
        .collect();
    Tables { target: linked.target, loaded, index: exidx::entries(memory, &indexes) }
}

/// Where sections of a name, or of it and a suffix, are in memory: together, as linkers put them, or by the headers of the file
/// where nobody says which sections went where.
fn ranges(linked: &Linked<'_>, files: &[Input], name: &str) -> Vec<Range<u64>> {
    let is_it = |section: &[u8]| {
        section.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
    };
    if linked.pieces.is_empty() {
        let Some(file) = files.first().and_then(|file| object::File::parse(&*file.data).ok()) else {
            return Vec::new();
        };
        let bias = bias(linked, files);
        let range = |section: object::Section<'_, '_>| {
            let start = section.address().wrapping_add(bias);
            section.name_bytes().is_ok_and(is_it).then(|| start..start.saturating_add(section.size()))
        };
        return file.sections().filter_map(range).collect();
    }
    let pieces: Vec<&Piece<'_>> = linked.pieces.iter().filter(|piece| is_it(piece.section)).collect();
    let start = pieces.iter().map(|piece| piece.address).min();
    let end = pieces.iter().map(|piece| piece.address.saturating_add(piece.size)).max();
    start.zip(end).map(|(start, end)| start..end).into_iter().collect()
}

/// How far an executable was moved from the addresses that it says. What was linked from objects was not.
pub fn bias(linked: &Linked<'_>, files: &[Input]) -> u64 {
    let file = files.first().filter(|_| linked.pieces.is_empty());
    let Some(file) = file.and_then(|file| object::File::parse(&*file.data).ok()) else { return 0 };
    if let Some(here) = linked.entry {
        return here.wrapping_sub(file.entry());
    }
    // A library starts nowhere.
    let here = linked.segments.iter().map(|segment| segment.address).min();
    let said = file.segments().map(|segment| segment.address()).min();
    here.zip(said).map_or(0, |(here, said)| here.wrapping_sub(said & !(PAGE - 1)))
}

/// What is looked at of a module.
struct Known<'l, 'data> {
    module: Module<'l, 'data>,
    lines: Lines<'l, 'data>,
    tables: Tables,
}

struct Walk<'l, 'data> {
    modules: Vec<Known<'l, 'data>>,
    numbers: Numbers,
    target: &'static Target,
}

impl Walk<'_, '_> {
    fn run(&mut self, memory: &mut Memory<'_>, mut registers: Registers, host: Option<String>) -> Backtrace {
        let mut trace = Backtrace::default();
        let mut pc = registers.get(self.numbers.pc).unwrap_or(0);
        // What is not the program's own was called from it, or jumped to.
        if !self.is_code(pc) {
            let symbol = Some(
                host.map_or_else(|| "is no code of the program".to_owned(), |name| format!("{name} (of the host)")),
            );
            trace.frames.push(Frame { address: pc, symbol, foreign: true, ..Frame::default() });
            let link = registers.get(self.numbers.link);
            registers.set(self.numbers.pc, link);
            pc = self.place(link.unwrap_or(0));
            if !self.is_code(pc) {
                trace.end =
                    Some(format!("the link register has {:#x}, which is no code of the program", link.unwrap_or(0)));
                return trace;
            }
        }
        let mut returned = !trace.frames.is_empty();
        while trace.frames.len() < MOST {
            // A call may be the last instruction of a function.
            let at = if returned { pc - 1 } else { pc };
            self.show(&mut trace, pc, at);
            let caller = self.modules.iter_mut().find(|known| known.module.has(at)).and_then(|known| {
                let debug = known.lines.frames(at);
                known.tables.step(memory, at, &registers, debug)
            });
            let guessed = || match returned {
                true => walk::by_frame_record(memory, &registers),
                false => Some(self.leaf(&registers)),
            };
            let Some(mut caller) = caller.or_else(guessed) else {
                trace.end = Some(format!("nothing says where {} returns to", self.name(pc, at)));
                return trace;
            };
            let Some(next) = caller.get(self.numbers.pc).map(|next| self.place(next)) else { return trace };
            let (before, now) = (registers.get(self.numbers.sp), caller.get(self.numbers.sp));
            // Where the program was called from is not code of the program.
            if !self.is_code(next) || (next, now) == (pc, before) {
                return trace;
            }
            if now < before {
                trace.end = Some("the stack of the next one is below that of this one".to_owned());
                return trace;
            }
            caller.set(self.numbers.pc, Some(next));
            (registers, pc, returned) = (caller, next, true);
        }
        trace.end = Some("and more".to_owned());
        trace
    }

    /// A function that has stored nothing yet.
    fn leaf(&self, registers: &Registers) -> Registers {
        let mut caller = registers.clone();
        caller.set(self.numbers.pc, registers.get(self.numbers.link));
        caller
    }

    /// An address as a place in memory: without the Thumb bit, or an authentication code.
    fn place(&self, address: u64) -> u64 {
        match self.target.register_bits {
            64 => address & ((1 << 48) - 1),
            _ => address & !1,
        }
    }

    fn is_code(&self, address: u64) -> bool {
        self.modules.iter().any(|known| known.module.has(address))
    }

    /// What is at an address, where the instruction that is looked at may be the one before.
    fn name(&self, address: u64, at: u64) -> String {
        let known = self.modules.iter().find(|known| known.module.has(at));
        known.and_then(|known| known.module.symbol(address, at)).unwrap_or_else(|| format!("{address:#x}"))
    }

    fn show(&mut self, trace: &mut Backtrace, address: u64, at: u64) {
        let Some(known) = self.modules.iter_mut().find(|known| known.module.has(at)) else { return };
        let symbol = known.module.symbol(address, at);
        let lines = known.lines.at(at);
        let last = lines.len().saturating_sub(1);
        for (number, line) in lines.iter().enumerate() {
            let inlined = number < last;
            trace.frames.push(Frame {
                address,
                symbol: if inlined { None } else { symbol.clone().or_else(|| line.function.clone()) },
                function: line.function.clone(),
                source: line.file.clone().map(|file| (file, line.line)),
                inlined,
                foreign: false,
            });
        }
        if lines.is_empty() {
            trace.frames.push(Frame { address, symbol, ..Frame::default() });
        }
    }
}

impl Module<'_, '_> {
    /// Whether it has code at an address.
    fn has(&self, address: u64) -> bool {
        self.linked.segment_at(address).is_some_and(|segment| segment.protection == Protection::ReadExecute)
    }

    /// What an address is in, where the instruction that is looked at may be the one before: what does not return is called at the end of a
    /// function.
    fn symbol(&self, address: u64, at: u64) -> Option<String> {
        match self.library {
            None if at != address => locate::caller(self.linked, address),
            _ => self.name(at),
        }
    }

    /// What is at an address, if that is in it. A library may not say what all of its functions are called.
    pub fn name(&self, address: u64) -> Option<String> {
        let Some(library) = self.library else { return locate::nearest(self.linked, address) };
        self.linked.segment_at(address)?;
        Some(match locate::within(self.linked, address) {
            Some(name) => format!("{name} of {library}"),
            None => library.to_owned(),
        })
    }
}
