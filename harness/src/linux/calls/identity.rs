//! Calls about who a process is, what it may take, and what it runs on.

use rustix::io::Errno;

use crate::executor::hosted::engine::Engine;
use crate::executor::{Guest as _, Register};
use crate::linux::abi::Structure;
use crate::linux::threads::FIRST;
use crate::linux::{Process, Served, files};

/// What a limit is that is none.
const UNLIMITED: u64 = u64::MAX;
/// Bytes that one call gives of random numbers, at most.
const MOST_RANDOM: u64 = 1 << 20;

impl<E: Engine + 'static> Process<E> {
    /// Its number, which is that of its first thread, too.
    pub(crate) fn id(&self) -> u32 {
        FIRST
    }

    pub(super) fn uname(&mut self, a: &[u64; 6]) -> Served {
        // A system that a C library of today does not find too old.
        let fields = ["Linux", "linkrig", "6.1.0", "#1 SMP", self.abi.cpu.machine, "(none)"];
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(field.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(65).max(65), 0);
        }
        self.machine.write(a[0], &bytes)?;
        Ok(0)
    }

    /// What a resource is limited to: the stack, and descriptors.
    fn limit(&self, resource: u64) -> Result<u64, Errno> {
        const STACK: u64 = 3;
        const CORE: u64 = 4;
        const FILES: u64 = 7;
        match resource {
            STACK => Ok(self.space.stack.end() - self.space.stack.start() + 1),
            CORE => Ok(0),
            FILES => Ok(files::MOST as u64),
            0..=15 => Ok(UNLIMITED),
            _ => Err(Errno::INVAL),
        }
    }

    /// Limits are told. That a process sets one has no consequence.
    pub(super) fn prlimit64(&mut self, a: &[u64; 6]) -> Served {
        let limit = self.limit(a[1])?;
        if a[3] != 0 {
            self.machine.write(a[3], &Structure::new(&self.abi).long(limit).long(limit).bytes())?;
        }
        Ok(0)
    }

    pub(super) fn getrlimit(&mut self, a: &[u64; 6]) -> Served {
        let limit = self.limit(a[0])?;
        self.machine.write(a[1], &Structure::new(&self.abi).word(limit).word(limit).bytes())?;
        Ok(0)
    }

    pub(super) fn getrusage(&mut self, a: &[u64; 6]) -> Served {
        /// RUSAGE_THREAD
        const OF_THREAD: u32 = 1;
        let used = if a[0] as u32 == OF_THREAD { self.threads.current.worked } else { self.clock.worked() };
        let structure = Structure::new(&self.abi).word(used.as_secs()).word(used.subsec_micros().into());
        let size = 18 * self.abi.word();
        self.machine.write(a[1], &structure.up_to(size).bytes())?;
        Ok(0)
    }

    pub(super) fn sysinfo(&mut self, a: &[u64; 6]) -> Served {
        let memory = self.machine.engine.memory();
        let up = self.clock.up().as_secs();
        let structure = Structure::new(&self.abi).word(up).word(0).word(0).word(0).word(memory).word(memory / 2);
        let structure = structure.up_to(10 * self.abi.word()).half(1).aligned(self.abi.word());
        let size = if self.abi.is_64 { 112 } else { 64 };
        // Behind memory in high places and a hole: bytes in a unit of all of it.
        let unit = if self.abi.is_64 { 104 } else { 52 };
        self.machine.write(a[0], &structure.up_to(unit).int(1).up_to(size).bytes())?;
        Ok(0)
    }

    pub(super) fn prctl(&mut self, a: &[u64; 6]) -> Served {
        const SET_NAME: u64 = 15;
        const GET_NAME: u64 = 16;
        const GET_DUMPABLE: u64 = 3;
        const SET_DUMPABLE: u64 = 4;
        match a[0] & 0xffff_ffff {
            SET_NAME => {
                let mut name = [0; 16];
                for at in 0..15 {
                    self.machine.read(a[1].wrapping_add(at), &mut name[at as usize..=at as usize])?;
                    if name[at as usize] == 0 {
                        break;
                    }
                }
                self.threads.current.name = name;
                Ok(0)
            }
            SET_DUMPABLE => Ok(0),
            GET_DUMPABLE => Ok(1),
            GET_NAME => {
                let bytes = self.threads.current.name;
                self.machine.write(a[1], &bytes)?;
                Ok(0)
            }
            _ => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn getcpu(&mut self, a: &[u64; 6]) -> Served {
        for at in [a[0], a[1]].into_iter().filter(|at| *at != 0) {
            self.machine.write(at, &[0; 4])?;
        }
        Ok(0)
    }

    pub(super) fn getrandom(&mut self, a: &[u64; 6]) -> Served {
        let count = a[1].min(MOST_RANDOM);
        self.machine.spend(count)?;
        let bytes = self.random.bytes(count as usize);
        self.machine.write(a[0], &bytes)?;
        Ok(count)
    }

    /// ARM's: where the thread's variables are.
    pub(super) fn set_tls(&mut self, a: &[u64; 6]) -> Served {
        self.machine.set(Register::ThreadReadOnly, a[0].into());
        Ok(0)
    }

    pub(super) fn get_tls(&mut self, _: &[u64; 6]) -> Served {
        Ok(self.machine.get(Register::ThreadReadOnly) as u64)
    }
}
