//! What a new process finds on its stack: its arguments, its environment, and the auxiliary vector (generic ABI, Process
//! Initialization; `getauxval(3)`).

use super::abi::Structure;
use super::{Process, Start, StartError};
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::linked::Mapped;

/// Keys of the auxiliary vector.
mod at {
    pub(super) const NULL: u64 = 0;
    pub(super) const PHDR: u64 = 3;
    pub(super) const PHENT: u64 = 4;
    pub(super) const PHNUM: u64 = 5;
    pub(super) const PAGESZ: u64 = 6;
    pub(super) const BASE: u64 = 7;
    pub(super) const FLAGS: u64 = 8;
    pub(super) const ENTRY: u64 = 9;
    pub(super) const UID: u64 = 11;
    pub(super) const EUID: u64 = 12;
    pub(super) const GID: u64 = 13;
    pub(super) const EGID: u64 = 14;
    pub(super) const PLATFORM: u64 = 15;
    pub(super) const HWCAP: u64 = 16;
    pub(super) const CLKTCK: u64 = 17;
    pub(super) const SECURE: u64 = 23;
    pub(super) const RANDOM: u64 = 25;
    pub(super) const HWCAP2: u64 = 26;
    pub(super) const EXECFN: u64 = 31;
    pub(super) const MINSIGSTKSZ: u64 = 51;
}

/// The user and the group of every process.
pub(super) const USER: u64 = 1000;

impl<E: Engine + 'static> Process<E> {
    /// Writes it, and returns the stack pointer. The run-time linker is this far from where it says, if there is one.
    pub(super) fn begin_stack(
        &mut self,
        executable: &Mapped,
        interpreter: u64,
        start: &Start<'_>,
    ) -> Result<u64, StartError> {
        // At the very end of the stack are the texts.
        let mut texts = Vec::new();
        let mut text = |text: &[u8]| {
            let at = texts.len() as u64;
            texts.extend_from_slice(text);
            texts.push(0);
            at
        };
        let name = text(start.name.as_bytes());
        let arguments: Vec<u64> = start.arguments.iter().map(|word| text(word.as_bytes())).collect();
        let environment: Vec<u64> = start.environment.iter().map(|word| text(word.as_bytes())).collect();
        let platform = text(self.abi.cpu.platform.as_bytes());
        let random = texts.len() as u64;
        texts.extend(self.random.bytes(16));
        let size = texts.len() as u64;
        let room = *self.space.stack.end() - *self.space.stack.start();
        // Linux gives them a quarter of the stack, too.
        if size > room / 4 {
            return Err(StartError::NoRoom(format!(
                "arguments and environment of {size} bytes on a stack of {}",
                room + 1
            )));
        }
        let base = (self.abi.stack_end - size - 16) & !15;
        let vector = [
            (at::HWCAP, self.abi.cpu.capabilities[0]),
            (at::PAGESZ, PAGE),
            (at::CLKTCK, 100),
            (at::PHDR, executable.headers.map_or(0, |at| self.space.base.wrapping_add(at))),
            (at::PHENT, executable.header_size),
            (at::PHNUM, executable.header_count),
            (at::BASE, interpreter),
            (at::FLAGS, 0),
            (at::ENTRY, self.space.base.wrapping_add(executable.entry)),
            (at::UID, USER),
            (at::EUID, USER),
            (at::GID, USER),
            (at::EGID, USER),
            (at::SECURE, 0),
            (at::RANDOM, base + random),
            (at::HWCAP2, self.abi.cpu.capabilities[1]),
            (at::EXECFN, base + name),
            (at::PLATFORM, base + platform),
            (at::MINSIGSTKSZ, self.signal_frame_size()),
            (at::NULL, 0),
        ];
        let mut words = vec![arguments.len() as u64 + 1, base + name];
        words.extend(arguments.iter().map(|at| base + at));
        words.push(0);
        words.extend(environment.iter().map(|at| base + at));
        words.push(0);
        words.extend(vector.iter().flat_map(|&(key, value)| [key, value]));
        let mut table = Structure::new(&self.abi);
        for word in &words {
            table = table.word(*word);
        }
        let table = table.bytes();
        let sp = (base - table.len() as u64) & !15;
        if sp < *self.space.stack.start() + PAGE {
            return Err(StartError::NoRoom(format!("{} words on the stack", words.len())));
        }
        let failed = |at| StartError::NoRoom(format!("the stack at {at:#x}"));
        self.machine.engine.write(base, &texts).map_err(failed)?;
        self.machine.engine.write(sp, &table).map_err(failed)?;
        Ok(sp)
    }
}
