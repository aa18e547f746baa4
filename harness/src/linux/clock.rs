//! The clock of a process. It goes by what the process does, so that a run can be had again: an instruction takes a nanosecond, a
//! system call a microsecond, and time that all threads sleep through passes at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a system call takes.
const CALL: Duration = Duration::from_micros(1);
/// How long the system has been up when a process begins.
const UP: Duration = Duration::from_secs(1000);

/// A timer that is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    /// When it sends its signal, by CLOCK_MONOTONIC.
    pub(super) at: Duration,
    /// And how often from then on; once if that is 0.
    pub(super) every: Duration,
}

/// What a process knows of time.
#[derive(Debug)]
pub(super) struct Clock {
    /// The host's time of day when the process began.
    date: Duration,
    /// Time that went by while the process worked, and while it slept.
    worked: Duration,
    slept: Duration,
}

impl Clock {
    pub(super) fn new() -> Clock {
        let date = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { date, worked: Duration::ZERO, slept: Duration::ZERO }
    }

    /// It began at this time of day.
    pub(super) fn begin_at(&mut self, date: Duration) {
        self.date = date;
    }

    /// Time since the process began.
    pub(super) fn elapsed(&self) -> Duration {
        self.worked.saturating_add(self.slept)
    }

    /// Time since the system is up: that of CLOCK_MONOTONIC.
    pub(super) fn up(&self) -> Duration {
        UP.saturating_add(self.elapsed())
    }

    /// The time of day.
    pub(super) fn date(&self) -> Duration {
        self.date.saturating_add(self.elapsed())
    }

    /// The time that all threads together have worked.
    pub(super) fn worked(&self) -> Duration {
        self.worked
    }

    /// So many instructions were executed. The time that took.
    pub(super) fn execute(&mut self, instructions: u64) -> Duration {
        let time = Duration::from_nanos(instructions);
        self.worked = self.worked.saturating_add(time);
        time
    }

    /// A system call was made. The time that took.
    pub(super) fn call(&mut self) -> Duration {
        self.worked = self.worked.saturating_add(CALL);
        CALL
    }

    /// Nobody worked for so long.
    pub(super) fn sleep(&mut self, time: Duration) {
        self.slept = self.slept.saturating_add(time);
    }

    /// How many instructions there are until this time of CLOCK_MONOTONIC.
    pub(super) fn instructions_until(&self, time: Duration) -> u64 {
        u64::try_from(time.saturating_sub(self.up()).as_nanos()).unwrap_or(u64::MAX)
    }
}
