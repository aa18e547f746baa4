//! Calls about time, and waiting.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use crate::executor::hosted::engine::Engine;
use crate::executor::{Guest as _, Limit, Stop};
use crate::linux::abi::Structure;
use crate::linux::{End, Fail, Process, Served};

/// How wide the fields of `timespec` are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// Those of a C long.
    Narrow,
    /// 64 bits.
    Wide,
}

/// Clocks, by number.
const REALTIME: u64 = 0;
const MONOTONIC: u64 = 1;
const PROCESS: u64 = 2;
const THREAD: u64 = 3;
const REALTIME_COARSE: u64 = 5;
const BOOT: u64 = 7;
const TAI: u64 = 11;
const TIMER_ABSTIME: u64 = 1;

impl<E: Engine + 'static> Process<E> {
    /// What a clock shows. That of the process is the time that went by since it began.
    fn clock(&self, clock: u64) -> Result<Duration, Errno> {
        match clock & 0xffff_ffff {
            REALTIME | REALTIME_COARSE | TAI => Ok(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            PROCESS | THREAD => Ok(self.begun.elapsed()),
            MONOTONIC..=BOOT => {
                let now = clock_gettime(ClockId::Monotonic);
                Ok(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
            }
            _ => Err(Errno::INVAL),
        }
    }

    fn timespec(&self, time: Duration, width: Width) -> Vec<u8> {
        let (seconds, nanoseconds) = (time.as_secs(), u64::from(time.subsec_nanos()));
        let structure = Structure::new(&self.abi);
        match width {
            Width::Narrow => structure.word(seconds).word(nanoseconds).bytes(),
            Width::Wide => structure.long(seconds).long(nanoseconds).bytes(),
        }
    }

    /// A time that the process says.
    pub(super) fn read_timespec(&mut self, at: u64, width: Width) -> Result<Duration, Fail> {
        let size = if width == Width::Wide { 8 } else { self.abi.word() };
        let mut bytes = vec![0; 2 * size];
        self.machine.read(at, &mut bytes)?;
        let target = self.abi.target;
        let (seconds, nanoseconds) = (target.number(&bytes[..size]), target.number(&bytes[size..]));
        let sign = 1 << (8 * size - 1);
        if seconds & sign != 0 || nanoseconds >= 1_000_000_000 {
            return Err(Errno::INVAL.into());
        }
        Ok(Duration::new(seconds, nanoseconds as u32))
    }

    pub(super) fn clock_gettime(&mut self, a: &[u64; 6], width: Width) -> Served {
        let time = self.clock(a[0])?;
        self.machine.write(a[1], &self.timespec(time, width))?;
        Ok(0)
    }

    pub(super) fn clock_getres(&mut self, a: &[u64; 6], width: Width) -> Served {
        self.clock(a[0])?;
        if a[1] != 0 {
            self.machine.write(a[1], &self.timespec(Duration::from_nanos(1), width))?;
        }
        Ok(0)
    }

    pub(super) fn gettimeofday(&mut self, a: &[u64; 6]) -> Served {
        if a[0] != 0 {
            let now = self.clock(REALTIME)?;
            let structure = Structure::new(&self.abi).word(now.as_secs()).word(now.subsec_micros().into());
            self.machine.write(a[0], &structure.bytes())?;
        }
        if a[1] != 0 {
            self.machine.write(a[1], &[0; 8])?;
        }
        Ok(0)
    }

    pub(super) fn times(&mut self, a: &[u64; 6]) -> Served {
        let ticks = self.begun.elapsed().as_millis() as u64 / 10;
        if a[0] != 0 {
            self.machine.write(a[0], &Structure::new(&self.abi).word(ticks).up_to(4 * self.abi.word()).bytes())?;
        }
        // What a 32-bit process gets is cut, and must not look like an error.
        Ok(ticks & 0x7fff_ffff)
    }

    pub(super) fn nanosleep(&mut self, request: u64, _: u64) -> Served {
        let time = self.read_timespec(request, Width::Narrow)?;
        self.sleep(Some(time))?;
        Ok(0)
    }

    pub(super) fn clock_nanosleep(&mut self, a: &[u64; 6], width: Width) -> Served {
        let now = self.clock(a[0])?;
        let time = self.read_timespec(a[2], width)?;
        let time = if a[1] & TIMER_ABSTIME != 0 { time.saturating_sub(now) } else { time };
        self.sleep(Some(time))?;
        Ok(0)
    }

    /// Lets time go by, for ever if nothing else is said: but no more than the run has.
    pub(super) fn sleep(&self, time: Option<Duration>) -> Result<(), Fail> {
        let late = || Fail::End(End::Stopped(Stop::OutOfBudget(Limit::Time)));
        let left = self.time_left();
        match time {
            Some(time) if time <= left => {
                std::thread::sleep(time);
                Ok(())
            }
            _ => Err(late()),
        }
    }

    /// Waiting until somebody changes a word. There is nobody else.
    pub(super) fn futex(&mut self, a: &[u64; 6], width: Width) -> Served {
        const WAIT: u64 = 0;
        const WAKE: u64 = 1;
        const WAIT_BITS: u64 = 9;
        const WAKE_BITS: u64 = 10;
        // Without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME.
        let [address, operation, value, timeout, ..] = *a;
        match operation & 0x7f {
            WAIT | WAIT_BITS => {
                let mut word = [0; 4];
                self.machine.read(address, &mut word)?;
                if self.abi.target.number(&word) != value & 0xffff_ffff {
                    return Err(Errno::AGAIN.into());
                }
                if timeout == 0 {
                    let why = "it waits for another thread (futex), and there is none";
                    return Err(Fail::End(End::Stopped(Stop::Refused(why.to_owned()))));
                }
                let time = self.read_timespec(timeout, width)?;
                let clock = if operation & 0x100 != 0 { REALTIME } else { MONOTONIC };
                let time = if operation & 0x7f == WAIT { time } else { time.saturating_sub(self.clock(clock)?) };
                self.sleep(Some(time))?;
                Err(Errno::TIMEDOUT.into())
            }
            WAKE | WAKE_BITS => Ok(0),
            _ => Err(Errno::NOSYS.into()),
        }
    }
}
