//! Calls about time, and waiting.

use std::time::Duration;

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::{Structure, Width};
use crate::linux::threads::{On, Wait};
use crate::linux::{Fail, Process, Served};

/// Clocks, by number.
pub(super) const REALTIME: u64 = 0;
pub(super) const MONOTONIC: u64 = 1;
const PROCESS: u64 = 2;
const THREAD: u64 = 3;
const REALTIME_COARSE: u64 = 5;
const BOOT: u64 = 7;
const TAI: u64 = 11;
const TIMER_ABSTIME: u64 = 1;

impl<E: Engine + 'static> Process<E> {
    /// What a clock shows.
    pub(super) fn clock(&self, clock: u64) -> Result<Duration, Errno> {
        match clock & 0xffff_ffff {
            REALTIME | REALTIME_COARSE | TAI => Ok(self.clock.date()),
            PROCESS => Ok(self.clock.worked()),
            THREAD => Ok(self.threads.current.worked),
            MONOTONIC..=BOOT => Ok(self.clock.up()),
            _ => Err(Errno::INVAL),
        }
    }

    /// The time of CLOCK_MONOTONIC until which a call waits that has just been made, or that is made again.
    pub(super) fn until(&mut self, time: Option<Duration>) -> Option<Duration> {
        self.threads.current.until.take().or_else(|| Some(self.clock.up().saturating_add(time?)))
    }

    /// Whether that time is over.
    pub(in crate::linux) fn has_passed(&self, until: Option<Duration>) -> bool {
        until.is_some_and(|until| until <= self.clock.up())
    }

    pub(in crate::linux) fn timespec(&self, time: Duration, width: Width) -> Vec<u8> {
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
        let ticks = self.clock.worked().as_millis() as u64 / 10;
        if a[0] != 0 {
            self.machine.write(a[0], &Structure::new(&self.abi).word(ticks).up_to(4 * self.abi.word()).bytes())?;
        }
        // What a 32-bit process gets is cut, and must not look like an error.
        Ok(ticks & 0x7fff_ffff)
    }

    pub(super) fn nanosleep(&mut self, request: u64, rest: u64) -> Served {
        let time = self.read_timespec(request, Width::Narrow)?;
        self.sleep(time, (rest != 0).then_some((rest, Width::Narrow)))
    }

    pub(super) fn clock_nanosleep(&mut self, a: &[u64; 6], width: Width) -> Served {
        let now = self.clock(a[0])?;
        let time = self.read_timespec(a[2], width)?;
        if a[1] & TIMER_ABSTIME != 0 {
            return self.sleep(time.saturating_sub(now), None);
        }
        self.sleep(time, (a[3] != 0).then_some((a[3], width)))
    }

    /// Waits for so long. What is left when a signal comes is written there.
    fn sleep(&mut self, time: Duration, rest: Option<(u64, Width)>) -> Served {
        let until = Some(self.clock.up().saturating_add(time));
        Err(Fail::Wait(Wait { on: On::Time { rest }, until }))
    }
}
