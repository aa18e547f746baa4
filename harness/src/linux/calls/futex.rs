//! Waiting for a word of memory, and waking those who wait (futex(2)).

use rustix::io::Errno;

use super::time::{MONOTONIC, REALTIME};
use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Width;
use crate::linux::threads::{On, Outcome, Wait};
use crate::linux::{Fail, Process, Served};

/// Operations, without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME.
const WAIT: u64 = 0;
const WAKE: u64 = 1;
const REQUEUE: u64 = 3;
const COMPARE_REQUEUE: u64 = 4;
const WAKE_OPERATION: u64 = 5;
const WAIT_BITS: u64 = 9;
const WAKE_BITS: u64 = 10;
const FLAGS: u64 = 0x180;
const BY_DATE: u64 = 0x100;
/// All bits (FUTEX_BITSET_MATCH_ANY).
const ANY: u32 = u32::MAX;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn futex(&mut self, a: &[u64; 6], width: Width) -> Served {
        let [address, operation, value, time, other, bits] = *a;
        let bits = match operation & 0x7f {
            WAIT_BITS | WAKE_BITS => bits as u32,
            _ => ANY,
        };
        if !address.is_multiple_of(4) || bits == 0 {
            return Err(Errno::INVAL.into());
        }
        // How many, cut as the kernel's ints are.
        let (count, second) = (value as i32, time as i32);
        match operation & 0xffff_ffff & !FLAGS {
            WAIT | WAIT_BITS => {
                let was = self.word(address)?;
                if was != value as u32 {
                    return Err(Errno::AGAIN.into());
                }
                let until = if time == 0 {
                    None
                } else {
                    let time = self.read_timespec(time, width)?;
                    let clock = if operation & BY_DATE != 0 { REALTIME } else { MONOTONIC };
                    let now = self.clock(clock)?;
                    let left = if operation & 0x7f == WAIT { time } else { time.saturating_sub(now) };
                    Some(self.clock.up().saturating_add(left))
                };
                Err(Fail::Wait(Wait { on: On::Word { address, bits, was }, until }))
            }
            WAKE | WAKE_BITS => {
                self.word(address)?;
                // Linux wakes one where none is asked for.
                Ok(self.wake(address, bits, count.max(1)))
            }
            REQUEUE => self.requeue(address, other, count, second),
            COMPARE_REQUEUE => {
                if self.word(address)? != a[5] as u32 {
                    return Err(Errno::AGAIN.into());
                }
                self.requeue(address, other, count, second)
            }
            WAKE_OPERATION => {
                let wakes = self.change(other, a[5] as u32)?;
                let first = self.wake(address, ANY, count.max(1));
                Ok(first + if wakes { self.wake(other, ANY, second.max(1)) } else { 0 })
            }
            _ => Err(Errno::NOSYS.into()),
        }
    }

    fn word(&mut self, address: u64) -> Result<u32, Fail> {
        let mut word = [0; 4];
        self.machine.read(address, &mut word)?;
        Ok(self.abi.target.number(&word) as u32)
    }

    /// Wakes so many of those who wait for a word. How many those were.
    pub(in crate::linux) fn wake(&mut self, address: u64, bits: u32, count: i32) -> u64 {
        let mut woken = 0;
        for thread in self.threads.waiting_for(address, bits).into_iter().take(count.max(0) as usize) {
            if let Some(thread) = self.threads.get_mut(thread) {
                thread.wake(Outcome::Value(0));
                woken += 1;
            }
        }
        woken
    }

    /// Wakes some of those who wait for a word, and has others wait for another one.
    fn requeue(&mut self, from: u64, to: u64, wakes: i32, moves: i32) -> Served {
        if wakes < 0 || moves < 0 || !to.is_multiple_of(4) {
            return Err(Errno::INVAL.into());
        }
        let was = self.word(to)?;
        let woken = self.wake(from, ANY, wakes);
        let mut moved = 0;
        for thread in self.threads.waiting_for(from, ANY).into_iter().take(moves as usize) {
            if let Some(wait) = self.threads.get_mut(thread).and_then(|thread| thread.waits.as_mut()) {
                wait.on = On::Word { address: to, bits: ANY, was };
                moved += 1;
            }
        }
        Ok(woken + moved)
    }

    /// FUTEX_WAKE_OP: changes a word, and says whether what it was compares as wanted.
    fn change(&mut self, address: u64, how: u32) -> Result<bool, Fail> {
        if !address.is_multiple_of(4) {
            return Err(Errno::INVAL.into());
        }
        // Numbers of 12 bits with a sign.
        let signed = |number: u32| ((number << 20) as i32) >> 20;
        let (operand, compared) = (signed(how >> 12), signed(how));
        let operand = if how >> 28 & 8 != 0 { 1_i32.wrapping_shl(operand as u32) } else { operand };
        let old = self.word(address)? as i32;
        let new = match how >> 28 & 7 {
            0 => operand,
            1 => old.wrapping_add(operand),
            2 => old | operand,
            3 => old & !operand,
            4 => old ^ operand,
            _ => return Err(Errno::NOSYS.into()),
        };
        let holds = match how >> 24 & 0xf {
            0 => old == compared,
            1 => old != compared,
            2 => old < compared,
            3 => old <= compared,
            4 => old > compared,
            5 => old >= compared,
            _ => return Err(Errno::NOSYS.into()),
        };
        self.machine.write(address, &new.to_le_bytes())?;
        Ok(holds)
    }

    /// A lock whose owner has ended is marked so, and one who waits for it is woken.
    pub(in crate::linux) fn give_up(&mut self, address: u64, owner: u32) -> Result<(), Fail> {
        const OWNER: u32 = 0x3fff_ffff;
        const WAITERS: u32 = 0x8000_0000;
        const OWNER_DIED: u32 = 0x4000_0000;
        let word = self.word(address)?;
        if word & OWNER == owner {
            self.machine.write(address, &(word & WAITERS | OWNER_DIED).to_le_bytes())?;
            if word & WAITERS != 0 {
                self.wake(address, ANY, 1);
            }
        }
        Ok(())
    }
}
