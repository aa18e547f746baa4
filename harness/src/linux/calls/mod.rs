//! The table of system calls: each with its number for AArch64 (asm-generic/unistd.h) and for the ARM EABI (asm/unistd.h), and
//! what serves it. Whatever is not in it is counted and refused as unknown (ENOSYS), which C libraries expect of older systems.

mod files;
mod futex;
mod identity;
mod memory;
mod operations;
mod paths;
mod places;
mod poll;
mod room;
mod signals;
mod status;
mod threads;
mod time;
mod timers;
mod tree;

pub use self::operations::command_line;
use rustix::io::Errno;

use self::paths::HERE;
use self::places::pair;
use super::abi::Width::{Narrow, Wide};
use super::{End, Fail, Process, Served};
use crate::executor::hosted::engine::Engine;

/// What serves a call. Arguments are registers, those of 32 bits without sign.
type Serve<E> = fn(&mut Process<E>, &[u64; 6]) -> Served;

/// A system call.
struct Row<E: Engine> {
    /// Its name in the manual.
    name: &'static str,
    /// Its number for AArch64, and for ARM.
    numbers: [u32; 2],
    serve: Serve<E>,
}

const fn row<E: Engine>(name: &'static str, a64: u32, arm: u32, serve: Serve<E>) -> Row<E> {
    Row { name, numbers: [a64, arm], serve }
}

/// Of a call that the architecture does not have.
const NONE: u32 = u32::MAX;

impl<E: Engine + 'static> Process<E> {
    #[rustfmt::skip]
    const CALLS: &[Row<E>] = &[
        // Memory.
        row("brk", 214, 45, Process::brk),
        row("mmap", 222, NONE, |p, a| p.mmap(a, a[5])),
        row("mmap2", NONE, 192, |p, a| p.mmap(a, a[5] << 12)),
        row("munmap", 215, 91, Process::munmap),
        row("mprotect", 226, 125, Process::mprotect),
        row("mremap", 216, 163, Process::mremap),
        row("madvise", 233, 220, Process::madvise),
        row("msync", 227, 144, Process::msync),
        row("mlock", 228, 150, |_, _| Ok(0)),
        row("munlock", 229, 151, |_, _| Ok(0)),
        row("mlockall", 230, 152, |_, _| Ok(0)),
        row("munlockall", 231, 153, |_, _| Ok(0)),
        // Files.
        row("read", 63, 3, Process::read_call),
        row("write", 64, 4, Process::write_call),
        row("readv", 65, 145, Process::readv),
        row("writev", 66, 146, Process::writev),
        row("pread64", 67, 180, |p, a| p.pread(a, if p.abi.is_64 { a[3] } else { pair(a[4], a[5]) })),
        row("pwrite64", 68, 181, |p, a| p.pwrite(a, if p.abi.is_64 { a[3] } else { pair(a[4], a[5]) })),
        row("preadv", 69, 361, |p, a| p.preadv(a, if p.abi.is_64 { a[3] } else { pair(a[3], a[4]) })),
        row("pwritev", 70, 362, |p, a| p.pwritev(a, if p.abi.is_64 { a[3] } else { pair(a[3], a[4]) })),
        row("close", 57, 6, |p, a| p.files.close(a[0] as i32).map(|()| 0).map_err(Fail::from)),
        row("close_range", 436, 436, Process::close_range),
        row("dup", 23, 41, |p, a| p.duplicate(a[0] as i32, 0, false)),
        row("dup2", NONE, 63, |p, a| p.dup3(a, true)),
        row("dup3", 24, 358, |p, a| p.dup3(a, false)),
        row("fcntl", 25, 55, Process::fcntl),
        row("fcntl64", NONE, 221, Process::fcntl),
        row("ioctl", 29, 54, Process::ioctl),
        row("lseek", 62, NONE, |p, a| p.seek(a[0], a[1] as i64, a[2])),
        row("lseek", NONE, 19, Process::seek_narrow),
        row("_llseek", NONE, 140, Process::llseek),
        row("ftruncate", 46, NONE, |p, a| p.ftruncate(a[0], a[1])),
        row("ftruncate", NONE, 93, |p, a| p.ftruncate(a[0], a[1] as i32 as u64)),
        row("ftruncate64", NONE, 194, |p, a| p.ftruncate(a[0], pair(a[2], a[3]))),
        row("truncate", 45, NONE, |p, a| p.truncate(a[0], a[1])),
        row("truncate", NONE, 92, |p, a| p.truncate(a[0], a[1] as i32 as u64)),
        row("truncate64", NONE, 193, |p, a| p.truncate(a[0], pair(a[2], a[3]))),
        row("fallocate", 47, 352, Process::fallocate),
        row("statfs", 43, 99, |p, a| p.statfs(a[0], a[1], false)),
        row("fstatfs", 44, 100, |p, a| p.fstatfs(a[0], a[1], false)),
        row("statfs64", NONE, 266, |p, a| { Process::<E>::is_statfs64(a[1])?; p.statfs(a[0], a[2], true) }),
        row("fstatfs64", NONE, 267, |p, a| { Process::<E>::is_statfs64(a[1])?; p.fstatfs(a[0], a[2], true) }),
        row("fadvise64", 223, NONE, |_, _| Ok(0)),
        row("arm_fadvise64_64", NONE, 270, |_, _| Ok(0)),
        row("fsync", 82, 118, |p, a| p.sync_file(a, false)),
        row("fdatasync", 83, 148, |p, a| p.sync_file(a, true)),
        row("sync", 81, 36, |_, _| Ok(0)),
        row("flock", 32, 143, |p, a| p.files.get(a[0] as i32).map(|_| 0).map_err(Fail::from)),
        row("getdents64", 61, 217, Process::getdents64),
        row("pipe", NONE, 42, |p, a| p.pipe2(&[a[0], 0, 0, 0, 0, 0])),
        row("pipe2", 59, 359, Process::pipe2),
        row("ppoll", 73, 336, |p, a| p.ppoll(a, Narrow)),
        row("ppoll_time64", NONE, 414, |p, a| p.ppoll(a, Wide)),
        row("poll", NONE, 168, Process::poll),
        row("pselect6", 72, 335, |p, a| p.pselect6(a, Narrow)),
        row("pselect6_time64", NONE, 413, |p, a| p.pselect6(a, Wide)),
        row("_newselect", NONE, 142, Process::select),
        row("eventfd2", 19, 356, Process::eventfd2),
        row("eventfd", NONE, 351, |p, a| p.eventfd2(&[a[0], 0, 0, 0, 0, 0])),
        // Names of files.
        row("openat", 56, 322, |p, a| p.openat(a[0], a[1], a[2], a[3])),
        row("openat2", 437, 437, Process::openat2),
        row("open", NONE, 5, |p, a| p.openat(HERE, a[0], a[1], a[2])),
        row("creat", NONE, 8, |p, a| p.openat(HERE, a[0], 0o1101, a[1])),
        row("fstat", 80, 197, Process::fstat),
        row("fstatat", 79, 327, Process::fstatat),
        row("stat64", NONE, 195, |p, a| p.fstatat(&[HERE, a[0], a[1], 0, 0, 0])),
        row("lstat64", NONE, 196, |p, a| p.fstatat(&[HERE, a[0], a[1], status::NO_FOLLOW, 0, 0])),
        row("statx", 291, 397, Process::statx),
        row("readlinkat", 78, 332, |p, a| p.readlink(a[0], a[1], a[2], a[3])),
        row("readlink", NONE, 85, |p, a| p.readlink(HERE, a[0], a[1], a[2])),
        row("faccessat", 48, 334, |p, a| p.access(a[0], a[1], a[2], 0)),
        row("faccessat2", 439, 439, |p, a| p.access(a[0], a[1], a[2], a[3])),
        row("access", NONE, 33, |p, a| p.access(HERE, a[0], a[1], 0)),
        row("getcwd", 17, 183, Process::getcwd),
        row("chdir", 49, 12, Process::chdir),
        row("fchdir", 50, 133, Process::fchdir),
        row("umask", 166, 60, Process::set_umask),
        row("mkdirat", 34, 323, |p, a| p.mkdirat(a[0], a[1], a[2])),
        row("mkdir", NONE, 39, |p, a| p.mkdirat(HERE, a[0], a[1])),
        row("unlinkat", 35, 328, |p, a| p.unlinkat(a[0], a[1], a[2])),
        row("unlink", NONE, 10, |p, a| p.unlinkat(HERE, a[0], 0)),
        row("rmdir", NONE, 40, |p, a| p.unlinkat(HERE, a[0], tree::DIRECTORY)),
        row("renameat", 38, 329, |p, a| p.renameat((a[0], a[1]), (a[2], a[3]), 0)),
        row("renameat2", 276, 382, |p, a| p.renameat((a[0], a[1]), (a[2], a[3]), a[4])),
        row("rename", NONE, 38, |p, a| p.renameat((HERE, a[0]), (HERE, a[1]), 0)),
        row("linkat", 37, 330, |p, a| p.linkat((a[0], a[1]), (a[2], a[3]))),
        row("link", NONE, 9, |p, a| p.linkat((HERE, a[0]), (HERE, a[1]))),
        row("symlinkat", 36, 331, |p, a| p.symlinkat(a[0], a[1], a[2])),
        row("symlink", NONE, 83, |p, a| p.symlinkat(a[0], HERE, a[1])),
        row("fchmod", 52, 94, |p, a| p.fchmod(a[0], a[1])),
        row("fchmodat", 53, 333, |p, a| p.fchmodat(a[0], a[1], a[2])),
        row("chmod", NONE, 15, |p, a| p.fchmodat(HERE, a[0], a[1])),
        row("fchown", 55, 207, |p, a| p.owned(a[1], a[2])),
        row("chown32", NONE, 212, |p, a| p.owned(a[1], a[2])),
        row("lchown32", NONE, 198, |p, a| p.owned(a[1], a[2])),
        row("fchownat", 54, 325, |p, a| p.owned(a[2], a[3])),
        row("utimensat", 88, 348, |p, a| p.utimensat(a, Narrow)),
        row("utimensat_time64", NONE, 412, |p, a| p.utimensat(a, Wide)),
        // Identity.
        row("uname", 160, 122, Process::uname),
        row("getpid", 172, 20, |p, _| Ok(p.id().into())),
        row("getppid", 173, 64, |_, _| Ok(1)),
        row("getuid", 174, 199, |_, _| Ok(super::stack::USER)),
        row("geteuid", 175, 201, |_, _| Ok(super::stack::USER)),
        row("getgid", 176, 200, |_, _| Ok(super::stack::USER)),
        row("getegid", 177, 202, |_, _| Ok(super::stack::USER)),
        row("getpgid", 155, 132, |p, _| Ok(p.id().into())),
        row("getsid", 156, 147, |p, _| Ok(p.id().into())),
        row("prlimit64", 261, 369, Process::prlimit64),
        row("getrlimit", 163, NONE, Process::getrlimit),
        row("ugetrlimit", NONE, 191, Process::getrlimit),
        row("setrlimit", 164, 75, |_, _| Ok(0)),
        row("getrusage", 165, 77, Process::getrusage),
        row("sysinfo", 179, 116, Process::sysinfo),
        row("prctl", 167, 172, Process::prctl),
        row("getcpu", 168, 345, Process::getcpu),
        row("getrandom", 278, 384, Process::getrandom),
        row("cacheflush", NONE, 0xf_0002, Process::cacheflush),
        row("set_tls", NONE, 0xf_0005, Process::set_tls),
        row("get_tls", NONE, 0xf_0006, Process::get_tls),
        // Threads.
        row("clone", 220, 120, Process::clone),
        row("clone3", 435, 435, Process::clone3),
        row("gettid", 178, 224, |p, _| Ok(p.threads.current.id.into())),
        row("set_tid_address", 96, 256, Process::set_tid_address),
        row("set_robust_list", 99, 338, Process::set_robust_list),
        row("rseq", 293, 398, |_, _| Err(Errno::NOSYS.into())),
        row("membarrier", 283, 389, |_, a| if a[0] == 0 { Ok(0) } else { Err(Errno::INVAL.into()) }),
        row("futex", 98, 240, |p, a| p.futex(a, Narrow)),
        row("futex_time64", NONE, 422, |p, a| p.futex(a, Wide)),
        row("sched_yield", 124, 158, |p, _| { p.threads.yields = true; Ok(0) }),
        row("sched_getaffinity", 123, 242, Process::sched_getaffinity),
        row("sched_setaffinity", 122, 241, |_, _| Ok(0)),
        row("sched_getscheduler", 120, 157, |_, _| Ok(0)),
        row("sched_getparam", 121, 155, Process::sched_getparam),
        row("sched_setscheduler", 119, 156, Process::sched_setscheduler),
        row("sched_get_priority_max", 125, 159, |_, a| Process::<E>::priority(a[0]).map(|most| most.1)),
        row("sched_get_priority_min", 126, 160, |_, a| Process::<E>::priority(a[0]).map(|most| most.0)),
        row("exit", 93, 1, |p, a| p.exit_thread(a[0] as u8)),
        row("exit_group", 94, 248, |_, a| Err(Fail::End(End::Exited(a[0] as u8)))),
        // Time.
        row("clock_gettime", 113, 263, |p, a| p.clock_gettime(a, Narrow)),
        row("clock_gettime64", NONE, 403, |p, a| p.clock_gettime(a, Wide)),
        row("clock_getres", 114, 264, |p, a| p.clock_getres(a, Narrow)),
        row("clock_getres_time64", NONE, 406, |p, a| p.clock_getres(a, Wide)),
        row("clock_nanosleep", 115, 265, |p, a| p.clock_nanosleep(a, Narrow)),
        row("clock_nanosleep_time64", NONE, 407, |p, a| p.clock_nanosleep(a, Wide)),
        row("nanosleep", 101, 162, |p, a| p.nanosleep(a[0], a[1])),
        row("gettimeofday", 169, 78, Process::gettimeofday),
        row("setitimer", 103, 104, Process::setitimer),
        row("getitimer", 102, 105, Process::getitimer),
        row("times", 153, 43, Process::times),
        // Signals.
        row("kill", 129, 37, |p, a| p.kill(a[0], a[1])),
        row("tkill", 130, 238, |p, a| p.tgkill(p.id().into(), a[0], a[1])),
        row("tgkill", 131, 268, |p, a| p.tgkill(a[0], a[1], a[2])),
        row("rt_sigqueueinfo", 138, 178, Process::queue),
        row("rt_sigaction", 134, 174, Process::sigaction),
        row("rt_sigprocmask", 135, 175, Process::sigprocmask),
        row("rt_sigpending", 136, 176, Process::sigpending),
        row("rt_sigsuspend", 133, 179, Process::sigsuspend),
        row("rt_sigtimedwait", 137, 177, |p, a| p.sigtimedwait(a, Narrow)),
        row("rt_sigtimedwait_time64", NONE, 421, |p, a| p.sigtimedwait(a, Wide)),
        row("pause", NONE, 29, |p, _| p.pause()),
        row("rt_sigreturn", 139, 173, |p, _| p.return_from_signal(true)),
        row("sigreturn", NONE, 119, |p, _| p.return_from_signal(false)),
        row("sigaltstack", 132, 186, Process::sigaltstack),
    ];

    /// What the manual calls a system call, whether it is served or not.
    pub fn call_name(&self, number: u64) -> Option<&'static str> {
        name(self.abi.is_64, usize::try_from(number).ok()?)
    }

    /// The calls that are served: number and name of each.
    pub fn calls(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let column = usize::from(!self.abi.is_64);
        let there = Self::CALLS.iter().filter(move |row| row.numbers[column] != NONE);
        there.map(move |row| (row.numbers[column].into(), row.name))
    }

    /// Serves a call by its number.
    pub(super) fn serve(&mut self, number: u64, arguments: &[u64; 6]) -> Served {
        let column = usize::from(!self.abi.is_64);
        // A 64-bit system looks at the lower half of the register.
        let number = number & 0xffff_ffff;
        match Self::CALLS.iter().find(|row| u64::from(row.numbers[column]) == number && row.numbers[column] != NONE) {
            Some(row) => (row.serve)(self, arguments),
            None => {
                // Numbers are the process's choice: it does not get to fill our memory with them.
                if self.unknown.len() < 1024 || self.unknown.contains_key(&number) {
                    *self.unknown.entry(number).or_insert(0) += 1;
                }
                Err(Errno::NOSYS.into())
            }
        }
    }
}

/// The name of a system call, from tables of the kernel's sources.
fn name(is_64: bool, number: usize) -> Option<&'static str> {
    if is_64 {
        return syscalls::aarch64::Sysno::new(number).map(|call| call.name());
    }
    syscalls::arm::Sysno::new(number).map(|call| call.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::unicorn::Processor;

    #[test]
    fn each_number_is_one_call() {
        // ARM has second versions, for identities of 32 bits and files of 64.
        let plain = |name: &'static str| name.trim_end_matches("32").trim_end_matches("64");
        let mut wrong = Vec::new();
        for column in 0..2 {
            let mut seen = std::collections::BTreeMap::new();
            for row in Process::<Processor>::CALLS.iter().filter(|row| row.numbers[column] != NONE) {
                let before = seen.insert(row.numbers[column], row.name);
                assert_eq!(before, None, "{} is another call, too", row.name);
                // ARM's own calls are not in the kernel's table.
                let number = row.numbers[column];
                let known = super::name(column == 0, number as usize);
                if number < 0xf_0000 && known.map(plain) != Some(plain(row.name)) {
                    wrong.push((row.name, number, known));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
