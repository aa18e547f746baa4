//! Calls that wait for files.

use std::time::Duration;

use rustix::io::Errno;

use super::time::Width;
use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::files::File;
use crate::linux::threads::{On, Wait};
use crate::linux::{Fail, Process, Served};

/// Descriptors that one call waits for, at most.
const MOST: u64 = 1024;
/// POLLERR and POLLHUP, which are told to everybody, and POLLNVAL.
const ALWAYS: u16 = 0x18;
const INVALID: u16 = 0x20;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn ppoll(&mut self, a: &[u64; 6], width: Width) -> Served {
        let time = if a[2] == 0 { None } else { Some(self.read_timespec(a[2], width)?) };
        self.poll_files(a[0], a[1], time)
    }

    pub(super) fn poll(&mut self, a: &[u64; 6]) -> Served {
        let time = u64::try_from(a[2] as i32).ok().map(Duration::from_millis);
        self.poll_files(a[0], a[1], time)
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
            let events = match self.files.get(number) {
                _ if number < 0 => 0,
                Ok(descriptor) => {
                    outside |= matches!(descriptor.file, File::Input);
                    descriptor.file.events() & wanted
                }
                Err(_) => INVALID,
            };
            entry[6..].copy_from_slice(&events.to_le_bytes());
            ready += u64::from(events != 0);
        }
        if ready == 0 && !self.has_passed(until) {
            let on = On::Files { what: "for files (poll)", outside, done: 0, restarts: false };
            return Err(Fail::Wait(Wait { on, until }));
        }
        self.machine.write(at, &bytes)?;
        Ok(ready)
    }
}
