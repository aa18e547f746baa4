//! Follows a branch that a linker has sent to something of its own: the stub is run on the emulator, instruction by instruction,
//! until it comes to what the objects have. Linkers have a few dozen shapes of stubs; a processor knows them all.

use std::cell::RefCell;
use std::collections::BTreeMap;

use linker::Target;

use super::output::{End, Output};
use crate::executor::attendant::Alone;
use crate::executor::hosted::engine::{Access, Ended, Engine, PAGE};
use crate::executor::unicorn::{self, Processor};
use crate::executor::{Budget, FaultKind, Register, Resume, Stop, Unicorn};

/// Instructions that a stub may have.
const MOST: u64 = 32;

/// What a stub may do with its page: peers' images are not asked what they allow.
const ANYTHING: Access = Access { read: true, write: true, execute: true };

thread_local! {
    /// This thread's processors, by target: each is a process.
    static PROCESSORS: RefCell<BTreeMap<&'static str, Processor>> = const { RefCell::new(BTreeMap::new()) };
}

impl Output<'_> {
    /// Where a branch to this address ends up.
    pub(crate) fn follow(&self, target: &'static Target, start: u64, thumb: bool) -> End {
        if self.is_input(start) {
            return Some((start, thumb));
        }
        let known = self.followed.borrow().get(&(start, thumb)).copied();
        known.unwrap_or_else(|| {
            let end = run(target, self, start, thumb);
            self.followed.borrow_mut().insert((start, thumb), end);
            end
        })
    }
}

/// The address at which a branch to `start` leaves what the linker made, and whether it does so in Thumb state. None if it
/// does not.
fn run(target: &'static Target, output: &Output<'_>, start: u64, thumb: bool) -> End {
    if Unicorn::has_thumb_only(target) && !thumb {
        return None;
    }
    PROCESSORS.with_borrow_mut(|processors| {
        if !processors.contains_key(target.name) {
            processors.insert(target.name, unicorn::processor(target, 0).ok()?);
        }
        leave(processors.get_mut(target.name)?, output, start, thumb)
    })
}

/// Runs from there until it is in what came from objects, or beyond the link: at somebody's absolute address.
fn leave(processor: &mut Processor, output: &Output<'_>, start: u64, thumb: bool) -> End {
    processor.reset();
    processor.allow(Budget::of_instructions(MOST));
    let (mut pc, mut thumb) = (start & !u64::from(thumb), thumb);
    // Each instruction may ask for two pages of its own and two of data.
    for _ in 0..5 * MOST {
        let missing = match processor.run(pc | u64::from(thumb), Resume::Step, &mut Alone) {
            Ended::Stop(Stop::Stepped) => None,
            Ended::Stop(Stop::Fault(fault)) if matches!(fault.kind, FaultKind::Fetch | FaultKind::Read) => {
                Some((fault.kind, fault.address?))
            }
            _ => return None,
        };
        (pc, thumb) = (processor.get(Register::Pc) as u64, processor.thumb());
        if output.is_input(pc) {
            return Some((pc, thumb));
        }
        match missing {
            Some((FaultKind::Fetch, address)) if output.read_at(address, 2).is_none() => return Some((address, thumb)),
            Some((_, address)) => map(processor, output, address)?,
            None => {}
        }
    }
    None
}

/// Memory comes when it is asked for.
fn map(processor: &mut Processor, output: &Output<'_>, address: u64) -> Option<()> {
    let page = address & !(PAGE - 1);
    if processor.regions().at(page).is_some() {
        return None;
    }
    processor.protect(page..=page | (PAGE - 1), ANYTHING);
    processor.write(page, &output.page(page, PAGE as usize)).ok()
}
