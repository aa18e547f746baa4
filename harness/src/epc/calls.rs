//! Calls into the machine.

use linker::memory::{InFlight, Lifetime, Place, Protection, Segment};

use super::session::Session;
use crate::executor::{Abi, Call, Executor, Exit, Register, Stop};
use crate::orc::wire::LONGEST;

/// The record that a wrapper function returns: a pointer, or bytes that need no more room, and their length.
const RECORD: usize = 16;

/// Registers in a line.
const ROW: usize = 8;

impl<E: Executor> Session<'_, E> {
    /// `int main(int argc, char *argv[])`. Constructors are not run: ORC leaves them to its run-time library.
    pub(super) fn run_as_main(&mut self, function: u64, arguments: &[&[u8]]) -> Result<i64, String> {
        self.ran = true;
        let target = self.executor.info().target;
        let width = target.pointer_bytes();
        let table = (arguments.len() + 1) * width;
        let size = table + arguments.iter().map(|argument| argument.len() + 1).sum::<usize>();
        let content = |argv: u64| {
            let (mut pointers, mut strings) = (Vec::with_capacity(size), Vec::new());
            for argument in arguments {
                pointers.extend(target.bytes(argv + (table + strings.len()) as u64, width));
                strings.extend_from_slice(argument);
                strings.push(0);
            }
            pointers.resize(table, 0);
            pointers.append(&mut strings);
            pointers
        };
        let status =
            self.lend(size, content, |session, argv| session.run(function, &[arguments.len() as u64, argv]))?;
        Ok(i64::from(status))
    }

    /// Calls a function with integers or pointers and returns its `int`, or the status with which it ended the program.
    pub(super) fn run(&mut self, function: u64, arguments: &[u64]) -> Result<i32, String> {
        match self.start(function, arguments) {
            Stop::Returned => Ok(self.executor.get(Register::Core(0)) as i32),
            Stop::Exited(Exit::Code(status)) => Ok(status),
            stop => Err(self.describe(function, &stop)),
        }
    }

    /// Calls a wrapper function of the machine, by the convention that ORC's run-time library has for them.
    pub(super) fn call_wrapper(&mut self, function: u64, arguments: &[u8]) -> Result<Vec<u8>, String> {
        let info = self.executor.info();
        let (target, in_memory) = (info.target, info.abi != Abi::Aapcs64);
        let width = target.pointer_bytes();
        let content = |_| [&[0; RECORD], arguments].concat();
        self.lend(RECORD + arguments.len(), content, |session, record| {
            let mut words = vec![record + RECORD as u64, arguments.len() as u64];
            if in_memory {
                // AAPCS32 returns what is larger than a register through a pointer, which comes first.
                words.insert(0, record);
            }
            let stop = session.start(function, &words);
            if stop != Stop::Returned {
                return Err(session.describe(function, &stop));
            }
            let bytes = if in_memory {
                session.read_bytes(record, RECORD as u64).map_err(|error| error.to_string())?
            } else {
                let register = |number| target.bytes(session.executor.get(Register::Core(number)) as u64, 8);
                [register(0), register(1)].concat()
            };
            let (pointer, length) = (target.number(&bytes[..width]), target.number(&bytes[width..2 * width]));
            match (pointer, length) {
                (0, 0) => Ok(Vec::new()),
                (_, length) if (1..=width as u64).contains(&length) => Ok(bytes[..length as usize].to_vec()),
                _ => session.take(pointer, length).map_err(|why| format!("the function at {function:#x}: {why}")),
            }
        })
    }

    /// The result at an address, which is ours to free; without a length it is the text of an error.
    fn take(&mut self, address: u64, length: u64) -> Result<Vec<u8>, String> {
        let result = match length {
            0 => self.read_string(address).and_then(|text| Err(String::from_utf8_lossy(&text).into_owned())),
            LONGEST.. => Err(format!("a result of {length} bytes")),
            _ => self.read_bytes(address, length).map_err(|error| error.to_string()),
        };
        // It came from `malloc`; a machine without one has no `free` either.
        if let Some(free) = self.executor.host().lookup("free") {
            let _ = self.start(free, &[address]);
        }
        result
    }

    fn start(&mut self, function: u64, arguments: &[u64]) -> Stop {
        // Each call of a controller is a run of its own.
        self.executor.renew();
        // Pointers and integers are in core registers in every convention, and there are at most three.
        let registers = (0..).zip(arguments).map(|(n, &value)| (Register::Core(n), u128::from(value))).collect();
        self.executor.start(&Call { function, registers, stack: Vec::new() })
    }

    /// What became of a call that did not return, how it got there, and the registers. Symbols are what the controller told of them.
    fn describe(&mut self, function: u64, stop: &Stop) -> String {
        let trace = self.backtrace();
        let info = self.executor.info();
        let line = |register: Register| format!("{} {:#x}", register.name(info), self.executor.get(register));
        let shown = |register: &Register| {
            matches!(register, Register::Core(_) | Register::Sp | Register::Pc | Register::Status)
        };
        let registers: Vec<String> = Register::file(info).filter(shown).map(line).collect();
        let rows: String = registers.chunks(ROW).map(|row| format!("\n  {}", row.join("  "))).collect();
        format!("the function at {function:#x}: {stop}\n{trace}{rows}")
    }

    /// Puts bytes, which may contain their own address, into the machine for the duration of a call. (It has room for
    /// [`Executor::buffer`] as well, but that is given back only by a reset, which no session survives.)
    fn lend<T>(
        &mut self,
        size: usize,
        content: impl FnOnce(u64) -> Vec<u8>,
        call: impl FnOnce(&mut Self, u64) -> Result<T, String>,
    ) -> Result<T, String> {
        let segment = Segment {
            size: size as u64,
            content: size,
            alignment: self.executor.page_size(),
            protection: Protection::ReadWrite,
            relro: false,
            thread_local: None,
            lifetime: Lifetime::Standard,
            // Perhaps in reserved memory, of which nothing can be finalized before the call is over.
            place: Place::Anywhere,
        };
        let no_room = |error: linker::memory::MemoryError| format!("no memory for arguments: {error}");
        let mut memory = self.executor.reserve(&[segment]).map_err(no_room)?;
        let address = memory.address(0);
        memory.content(0).copy_from_slice(&content(address));
        let memory = self.executor.finalize(memory, &[]).map_err(no_room)?;
        let result = call(self, address);
        let released = self.executor.release(vec![memory]).map_err(|error| error.to_string());
        result.and_then(|value| released.map(|()| value))
    }
}
