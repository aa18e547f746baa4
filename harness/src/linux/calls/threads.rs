//! Calls by which threads begin, end and are told apart (clone(2)).

use rustix::io::Errno;

use crate::executor::hosted::engine::Engine;
use crate::executor::{AccessError, Guest as _, Register, Stop};
use crate::linux::{End, Fail, Process, Served};

/// What threads of a process share: CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND and CLONE_THREAD.
const SHARED: u64 = MEMORY | 0x200 | 0x400 | SIGNALS | THREAD;
const MEMORY: u64 = 0x100;
const SIGNALS: u64 = 0x800;
const THREAD: u64 = 0x1_0000;
const SETS_TLS: u64 = 0x8_0000;
const SETS_PARENT: u64 = 0x10_0000;
const CLEARS_CHILD: u64 = 0x20_0000;
const SETS_CHILD: u64 = 0x100_0000;
/// What changes nothing here: CLONE_SYSVSEM, CLONE_DETACHED and CLONE_IO.
const MEANINGLESS: u64 = 0x4_0000 | 0x40_0000 | 0x8000_0000;
/// Locks of a thread that are looked at when it ends (ROBUST_LIST_LIMIT).
const MOST_LOCKS: usize = 2048;

/// What a new thread is to have.
struct Wanted {
    flags: u64,
    stack: u64,
    parent: u64,
    child: u64,
    tls: u64,
}

impl<E: Engine + 'static> Process<E> {
    pub(super) fn clone(&mut self, a: &[u64; 6]) -> Served {
        let [flags, stack, parent, tls, child, _] = *a;
        // The lowest byte is the signal that tells a parent of a process's end.
        self.begin_thread(&Wanted { flags: flags & 0xffff_ff00, stack, parent, child, tls })
    }

    pub(super) fn clone3(&mut self, a: &[u64; 6]) -> Served {
        /// Bytes of the structure's first version, and of the longest that there is.
        const FIRST: u64 = 64;
        const LONGEST: u64 = 4096;
        let size = a[1];
        if !(FIRST..=LONGEST).contains(&size) {
            return Err(if size > LONGEST { Errno::TOOBIG } else { Errno::INVAL }.into());
        }
        let mut bytes = vec![0; size as usize];
        self.machine.read(a[0], &mut bytes)?;
        let field = |n: usize| self.abi.target.number(&bytes[8 * n..8 * n + 8]);
        let [flags, _, child, parent, signal, stack, stack_size, tls] = std::array::from_fn(field);
        if flags & THREAD != 0 && signal != 0 || (stack == 0) != (stack_size == 0) {
            return Err(Errno::INVAL.into());
        }
        // What comes behind is for others than threads.
        if bytes[FIRST as usize..].iter().any(|&byte| byte != 0) {
            return self.refuse_process();
        }
        self.begin_thread(&Wanted { flags, stack: stack.wrapping_add(stack_size), parent, child, tls })
    }

    /// There are no other processes. That one was wanted is counted with the calls that nothing serves.
    fn refuse_process(&mut self) -> Served {
        self.forks += 1;
        Err(Errno::NOSYS.into())
    }

    fn begin_thread(&mut self, wanted: &Wanted) -> Served {
        let flags = wanted.flags;
        let known = SHARED | SETS_TLS | SETS_PARENT | CLEARS_CHILD | SETS_CHILD | MEANINGLESS;
        // Who shares signals shares memory, and threads share both.
        if flags & (SIGNALS | MEMORY) == SIGNALS || flags & (THREAD | SIGNALS) == THREAD {
            return Err(Errno::INVAL.into());
        }
        if flags & SHARED != SHARED || flags & !known != 0 {
            return self.refuse_process();
        }
        let tls = if self.abi.is_64 { Register::Thread } else { Register::ThreadReadOnly };
        let engine = &mut self.machine.engine;
        let refused = |why| Fail::End(End::Stopped(Stop::Refused(why)));
        let own = engine.save().map_err(refused)?;
        engine.set(Register::Core(0), 0);
        if wanted.stack != 0 {
            engine.set(Register::Sp, wanted.stack.into());
        }
        if flags & SETS_TLS != 0 {
            engine.set(tls, wanted.tls.into());
        }
        let registers = engine.save().map_err(refused)?;
        engine.restore(&own).map_err(refused)?;
        let thread = self.threads.begin(registers).ok_or(Errno::AGAIN)?;
        let id = thread.id;
        if flags & CLEARS_CHILD != 0 {
            thread.clear_on_exit = wanted.child;
        }
        // As in Linux, nobody is told that these are not written.
        for (flag, at) in [(SETS_PARENT, wanted.parent), (SETS_CHILD, wanted.child)] {
            if flags & flag != 0 {
                self.tell(at, id)?;
            }
        }
        Ok(id.into())
    }

    /// Writes a word if it can be written.
    fn tell(&mut self, at: u64, word: u32) -> Result<(), Fail> {
        match self.machine.write(at, &word.to_le_bytes()) {
            Ok(()) | Err(AccessError::Inaccessible(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn set_tid_address(&mut self, a: &[u64; 6]) -> Served {
        self.threads.current.clear_on_exit = a[0];
        Ok(self.threads.current.id.into())
    }

    pub(super) fn set_robust_list(&mut self, a: &[u64; 6]) -> Served {
        if a[1] != 3 * self.abi.word() as u64 {
            return Err(Errno::INVAL.into());
        }
        self.threads.current.robust = a[0];
        Ok(0)
    }

    /// Ends the current thread; with the last one the process ends.
    pub(super) fn exit_thread(&mut self, status: u8) -> Served {
        let (id, clear) = (self.threads.current.id, self.threads.current.clear_on_exit);
        match self.give_up_locks(id) {
            // The list is the process's, which may have anything in it.
            Ok(()) | Err(Fail::Error(_)) => {}
            Err(fail) => return Err(fail),
        }
        if id == crate::linux::threads::FIRST {
            self.status = status;
        }
        if self.threads.count() == 1 {
            return Err(Fail::End(End::Exited(self.status)));
        }
        if clear != 0 {
            self.tell(clear, 0)?;
            self.wake(clear, u32::MAX, 1);
        }
        Err(Fail::Exit)
    }

    /// Marks the locks that a thread has as it ends (struct robust_list_head).
    fn give_up_locks(&mut self, owner: u32) -> Result<(), Fail> {
        let head = self.threads.current.robust;
        if head == 0 {
            return Ok(());
        }
        let width = self.abi.word();
        let target = self.abi.target;
        let mut fields = vec![0; 3 * width];
        self.machine.read(head, &mut fields)?;
        let field = |n: usize| target.number(&fields[n * width..(n + 1) * width]);
        let (mut entry, offset, pending) = (field(0), field(1), field(2));
        for _ in 0..MOST_LOCKS {
            // The lowest bit tells locks that hand on priorities, of which there are none.
            let at = entry & !1;
            if at == head {
                break;
            }
            let mut next = vec![0; width];
            self.machine.read(at, &mut next)?;
            if at != pending & !1 {
                self.give_up(at.wrapping_add(offset), owner)?;
            }
            entry = target.number(&next);
        }
        if pending & !1 != 0 {
            self.give_up((pending & !1).wrapping_add(offset), owner)?;
        }
        Ok(())
    }

    /// There is one processor.
    pub(super) fn sched_getaffinity(&mut self, a: &[u64; 6]) -> Served {
        let width = self.abi.word();
        if a[1] < width as u64 {
            return Err(Errno::INVAL.into());
        }
        self.machine.write(a[2], &crate::linux::abi::Structure::new(&self.abi).word(1).bytes())?;
        Ok(width as u64)
    }

    pub(super) fn sched_getparam(&mut self, a: &[u64; 6]) -> Served {
        self.machine.write(a[1], &[0; 4])?;
        Ok(0)
    }

    /// All threads are treated alike: nobody has the right to other policies.
    pub(super) fn sched_setscheduler(&mut self, a: &[u64; 6]) -> Served {
        /// SCHED_OTHER, SCHED_BATCH and SCHED_IDLE.
        const ALIKE: [u64; 3] = [0, 3, 5];
        Self::priority(a[1])?;
        if ALIKE.contains(&(a[1] & 0xffff_ffff)) { Ok(0) } else { Err(Errno::PERM.into()) }
    }

    /// The lowest and the highest priority of a policy.
    pub(super) fn priority(policy: u64) -> Result<(u64, u64), Fail> {
        match policy & 0xffff_ffff {
            0 | 3 | 5 | 6 => Ok((0, 0)),
            1 | 2 => Ok((1, 99)),
            _ => Err(Errno::INVAL.into()),
        }
    }
}
