//! Calls that wait for files.

use std::time::Duration;

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Width;
use crate::linux::files::File;
use crate::linux::threads::{On, Wait};
use crate::linux::{Fail, Process, Served};

/// Descriptors that one call waits for, at most.
const MOST: u64 = 1024;
/// POLLERR and POLLHUP, which are told to everybody, and POLLNVAL.
const ALWAYS: u16 = 0x18;
const INVALID: u16 = 0x20;

/// What of a file's events each set of select is about (POLLIN_SET and its like): to be read, to be written, exceptions.
const SETS: [u16; 3] = [IN | HUP | ERR, OUT | ERR, 0];
const IN: u16 = 1;
const OUT: u16 = 4;
const ERR: u16 = 8;
const HUP: u16 = 16;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn ppoll(&mut self, a: &[u64; 6], width: Width) -> Served {
        let time = if a[2] == 0 { None } else { Some(self.read_timespec(a[2], width)?) };
        self.masked(a[3], a[4], |process| process.poll_files(a[0], a[1], time))
    }

    pub(super) fn poll(&mut self, a: &[u64; 6]) -> Served {
        let time = u64::try_from(a[2] as i32).ok().map(Duration::from_millis);
        self.poll_files(a[0], a[1], time)
    }

    /// Serves a call with other signals blocked, if a mask is there: until it is over, or until a handler returns.
    fn masked(&mut self, mask: u64, size: u64, serve: impl FnOnce(&mut Self) -> Served) -> Served {
        if mask == 0 {
            return serve(self);
        }
        let mask = self.read_mask(mask, size)?;
        let own = &mut self.threads.current.signals;
        let before = *own.saved.get_or_insert(own.blocked);
        own.blocked = mask;
        let result = serve(self);
        if !matches!(result, Err(Fail::Wait(_))) {
            let own = &mut self.threads.current.signals;
            own.blocked = before;
            own.saved = None;
        }
        result
    }

    /// What holds of a descriptor, and whether it may change from outside.
    fn events(&self, number: i32) -> Result<(u16, bool), Errno> {
        let file = &self.files.get(number)?.file;
        Ok((file.events(), matches!(file, File::Input)))
    }

    fn poll_files(&mut self, at: u64, count: u64, time: Option<Duration>) -> Served {
        if count > MOST {
            return Err(Errno::INVAL.into());
        }
        let until = self.until(time);
        let mut bytes = vec![0; 8 * count as usize];
        self.machine.read(at, &mut bytes)?;
        let (mut ready, mut outside) = (0, false);
        for entry in bytes.chunks_exact_mut(8) {
            let number = i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let wanted = u16::from_le_bytes([entry[4], entry[5]]) | ALWAYS;
            let events = match self.events(number) {
                _ if number < 0 => 0,
                Ok((events, from_outside)) => {
                    outside |= from_outside && wanted & IN != 0;
                    events & wanted
                }
                Err(_) => INVALID,
            };
            entry[6..].copy_from_slice(&events.to_le_bytes());
            ready += u64::from(events != 0);
        }
        if ready == 0 && !self.has_passed(until) {
            return Err(waits("for files (poll)", outside, until));
        }
        self.machine.write(at, &bytes)?;
        Ok(ready)
    }

    pub(super) fn pselect6(&mut self, a: &[u64; 6], width: Width) -> Served {
        let time = if a[4] == 0 { None } else { Some(self.read_timespec(a[4], width)?) };
        let (mut mask, mut size) = (0, 0);
        if a[5] != 0 {
            let word = self.abi.word();
            let mut pair = vec![0; 2 * word];
            self.machine.read(a[5], &mut pair)?;
            mask = self.abi.target.number(&pair[..word]);
            size = self.abi.target.number(&pair[word..]);
        }
        self.masked(mask, size, |process| process.select_files(a, time))
    }

    /// ARM's `select`, whose time is in microseconds.
    pub(super) fn select(&mut self, a: &[u64; 6]) -> Served {
        let time = if a[4] == 0 {
            None
        } else {
            let mut fields = [0; 8];
            self.machine.read(a[4], &mut fields)?;
            let number = |at: usize| self.abi.target.number(&fields[at..at + 4]) as u32 as i32;
            let negative = |_| Fail::from(Errno::INVAL);
            let seconds = u64::try_from(number(0)).map_err(negative)?;
            let micros = u64::try_from(number(4)).map_err(negative)?;
            Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
        };
        self.select_files(a, time)
    }

    /// Sets of descriptors, of which those stay that are ready.
    fn select_files(&mut self, a: &[u64; 6], time: Option<Duration>) -> Served {
        let count = u64::try_from(a[0] as i32).map_err(|_| Errno::INVAL)?.min(MOST) as usize;
        let until = self.until(time);
        let size = count.div_ceil(8 * self.abi.word()) * self.abi.word();
        let (mut ready, mut outside, mut left) = (0, false, Vec::new());
        for (&at, of) in a[1..4].iter().zip(SETS).filter(|set| *set.0 != 0) {
            let mut wanted = vec![0; size];
            self.machine.read(at, &mut wanted)?;
            let mut found = vec![0; size];
            for number in (0..count).filter(|number| wanted[number / 8] >> (number % 8) & 1 != 0) {
                let (events, from_outside) = self.events(number as i32)?;
                outside |= from_outside && of & IN != 0;
                if events & of != 0 {
                    found[number / 8] |= 1 << (number % 8);
                    ready += 1;
                }
            }
            left.push((at, found));
        }
        if ready == 0 && !self.has_passed(until) {
            return Err(waits("for files (select)", outside, until));
        }
        for (at, found) in left {
            self.machine.write(at, &found)?;
        }
        Ok(ready)
    }
}

fn waits(what: &'static str, outside: bool, until: Option<Duration>) -> Fail {
    Fail::Wait(Wait { on: On::Files { what, outside, done: 0, restarts: false }, until })
}
