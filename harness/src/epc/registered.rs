//! What a controller tells of its code for debuggers: objects with the addresses of their sections (GDB's JIT interface). They name
//! the functions and lines of a backtrace, and say how to get from one to its caller. Code of which nothing was told is known to be
//! code.

use linker::Target;
use linker::graph::{Flags, Object};
use linker::memory::Protection;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SymbolKind, elf};

use super::session::{Registered, Session};
use crate::debug::{Module, Stopped};
use crate::executor::Executor;
use crate::linked::{Assembled, Linked, Piece, Routines, Segment, Symbol};
use crate::linking::{Data, Input};
use crate::orc::AddressRange;

/// Bytes of all objects that are kept, and how many there are.
const MOST_BYTES: u64 = 64 << 20;
const MOST: usize = 4096;

impl<E: Executor> Session<'_, E> {
    /// Keeps an object that is in the machine's memory. What cannot be read is none.
    pub(super) fn register(&mut self, range: &AddressRange) {
        let size = range.end.saturating_sub(range.start);
        let kept: u64 = self.registered.iter().map(|known| known.input.data.len() as u64).sum();
        if size == 0 || size > MOST_BYTES - kept || self.registered.len() >= MOST {
            return;
        }
        let mut bytes = vec![0; size as usize];
        if self.executor.peek(range.start, &mut bytes).is_ok() {
            let input = Input::new(format!("the object at {:#x}", range.start), Data::Read(bytes));
            self.registered.push(Registered { start: range.start, input });
        }
    }

    /// Forgets what is kept of these addresses.
    pub(super) fn deregister(&mut self, range: &AddressRange) {
        self.registered.retain(|known| !(range.start..range.end).contains(&known.start));
    }

    /// How the machine got to where it stopped, in lines.
    pub(super) fn backtrace(&mut self) -> String {
        let target = self.executor.info().target;
        let stopped = Stopped::new(target, |register| self.executor.get(register));
        let host = self.executor.host().name_at(stopped.pc()).map(str::to_owned);
        let inputs: Vec<&Input> = self.registered.iter().map(|known| &known.input).collect();
        let mut known: Vec<(Linked<'_>, &[Input])> =
            inputs.iter().filter_map(|input| Some((linked(target, input)?, std::slice::from_ref(*input)))).collect();
        known.push((assembled(target, self.code()), &[]));
        let modules: Vec<Module<'_, '_>> =
            known.iter().map(|(linked, files)| Module { linked, files, library: None }).collect();
        let executor = &mut *self.executor;
        let mut read = |address: u64, into: &mut [u8]| executor.peek(address, into).is_ok();
        stopped.backtrace_through(&modules, host, &mut read).to_string()
    }

    /// Where code is.
    fn code(&self) -> Vec<Segment> {
        let used = self.reservations.values().flat_map(|reservation| &reservation.allocations);
        let code = used.flat_map(|allocation| &allocation.code);
        let protection = Protection::ReadExecute;
        code.map(|range| Segment { address: range.start, size: range.end - range.start, protection }).collect()
    }
}

fn assembled<'i>(target: &'static Target, segments: Vec<Segment>) -> Linked<'i> {
    let (routines, pieces, symbols, mapping) = (Routines::default(), Vec::new(), Vec::new(), Vec::new());
    Linked::assemble(Assembled { target, segments, routines, pieces, symbols, mapping })
}

/// What an object says of itself. None if it is no object.
fn linked<'i>(target: &'static Target, input: &'i Input) -> Option<Linked<'i>> {
    let file = object::File::parse(&*input.data).ok()?;
    let own = Object { file: &input.name, member: None, position: 1, source: b"" };
    let (mut segments, mut pieces) = (Vec::new(), Vec::new());
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let (address, size) = (section.address(), section.size());
        if sh_flags.0 & elf::SHF_ALLOC.0 == 0 || address == 0 || size == 0 {
            continue;
        }
        if sh_flags.0 & elf::SHF_EXECINSTR.0 != 0 {
            segments.push(Segment { address, size, protection: Protection::ReadExecute });
        }
        let (name, number) = (section.name_bytes().ok()?, section.index().0 as u32);
        pieces.push(Piece { address, size, object: own.clone(), section: name, number, offset: 0 });
    }
    let symbol = |symbol: object::Symbol<'i, '_>| {
        let start = file.section_by_index(symbol.section_index()?).ok()?.address();
        let name = symbol.name_bytes().ok().filter(|name| !name.is_empty() && name[0] != b'$')?;
        let is_function = symbol.kind() == SymbolKind::Text;
        let (address, flags) = target.architecture.symbol_value(symbol.address().wrapping_add(start), is_function);
        let flags = if is_function { flags.with(Flags::FUNCTION) } else { flags };
        let (size, global) = (symbol.size(), symbol.is_global());
        (start != 0).then_some(Symbol { name, address, size, flags, global, placed: true })
    };
    let symbols = file.symbols().filter_map(symbol).collect();
    let (routines, mapping) = (Routines::default(), Vec::new());
    Some(Linked::assemble(Assembled { target, segments, routines, pieces, symbols, mapping }))
}
