//! The timer of a process that sends it a signal (setitimer(2)), by which C libraries have `alarm` too.

use std::time::Duration;

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Structure;
use crate::linux::clock::Timer;
use crate::linux::signals::{Info, number};
use crate::linux::{Fail, Process, Served};

/// ITIMER_REAL: the timer of time that goes by. Those of time that is worked are not there.
const REAL: u64 = 0;
/// Who sends what a timer sends (SI_KERNEL).
const KERNEL: i32 = 0x80;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn setitimer(&mut self, a: &[u64; 6]) -> Served {
        let before = self.left_of_timer(a[0])?;
        let set = if a[1] == 0 { [Duration::ZERO; 2] } else { self.read_timer(a[1])? };
        let [every, left] = set;
        self.timer = (!left.is_zero()).then(|| Timer { at: self.clock.up().saturating_add(left), every });
        if a[2] == 0 { Ok(0) } else { self.write_timer(a[2], before) }
    }

    pub(super) fn getitimer(&mut self, a: &[u64; 6]) -> Served {
        let left = self.left_of_timer(a[0])?;
        self.write_timer(a[1], left)
    }

    /// How often, and when next.
    fn left_of_timer(&self, which: u64) -> Result<[Duration; 2], Errno> {
        if which != REAL {
            return Err(if which <= 2 { Errno::NOSYS } else { Errno::INVAL });
        }
        // A timer that is set has some time left.
        let left = |timer: Timer| timer.at.saturating_sub(self.clock.up()).max(Duration::from_micros(1));
        Ok(self.timer.map_or([Duration::ZERO; 2], |timer| [timer.every, left(timer)]))
    }

    /// Two times of seconds and microseconds, each a C long.
    fn read_timer(&mut self, at: u64) -> Result<[Duration; 2], Fail> {
        let word = self.abi.word();
        let mut bytes = vec![0; 4 * word];
        self.machine.read(at, &mut bytes)?;
        let field = |n: usize| self.abi.target.number(&bytes[n * word..(n + 1) * word]);
        let mut times = [Duration::ZERO; 2];
        for (n, time) in times.iter_mut().enumerate() {
            let (seconds, micros) = (field(2 * n), field(2 * n + 1));
            if seconds >> (8 * word - 1) != 0 || micros >= 1_000_000 {
                return Err(Errno::INVAL.into());
            }
            *time = Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros));
        }
        Ok(times)
    }

    fn write_timer(&mut self, at: u64, times: [Duration; 2]) -> Served {
        let mut structure = Structure::new(&self.abi);
        for time in times {
            structure = structure.word(time.as_secs()).word(time.subsec_micros().into());
        }
        self.machine.write(at, &structure.bytes())?;
        Ok(0)
    }

    /// Sends the timer's signal if it is time.
    pub(in crate::linux) fn ring(&mut self) {
        let now = self.clock.up();
        let Some(timer) = self.timer.filter(|timer| timer.at <= now) else { return };
        // What was missed is not sent later.
        let next = || Timer { at: timer.at.saturating_add(timer.every).max(now), ..timer };
        self.timer = (!timer.every.is_zero()).then(next);
        // One that waits already is enough.
        let _ = self.send(Info::sent(number::ALRM, KERNEL));
    }
}
