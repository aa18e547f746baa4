//! Two images in step: the first instruction after which they are not in the same state.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::Failed;
use super::run::Runner;
use crate::executor::attendant::{Attendant, Attended, Crew};
use crate::executor::traps::{Note, Notes, Outcome, Sight, Traps};
use crate::linking::Input;
use crate::machine::{Ended, Register, Resume, Stop};

/// Instructions that are compared at most.
const MOST: usize = 4_000_000;

/// Where two programs part.
#[derive(Clone, Debug)]
pub struct Parting {
    /// How many instructions both had executed alike before this one.
    pub step: usize,
    /// The last instruction that both began in the same state, as it is in each.
    pub last: (Note, Note),
    /// Where each goes on; one that ended has nothing.
    pub next: (Option<Note>, Option<Note>),
    /// Registers that are not the same behind it, by name, in each.
    pub registers: Vec<(String, u128, u128)>,
}

/// Runs both, and compares. None: they did the same, as far as was looked.
///
/// # Errors
/// One of them cannot be run.
pub fn part(runner: &mut Runner, suspect: &Input, reference: &Input) -> Result<Option<Parting>, Failed> {
    let (one, other) = (record(runner, suspect)?, record(runner, reference)?);
    let state = |note: &Note| (note.pc, note.registers);
    let same = one.iter().zip(&other).take_while(|(one, other)| state(one) == state(other)).count();
    if same == 0 || same >= one.len() && same >= other.len() {
        return Ok(None);
    }
    let next = (one.get(same).copied(), other.get(same).copied());
    let registers = match next {
        (Some(first), Some(second)) => {
            let at = |runner: &mut Runner, image, all: &[Note], note: Note| {
                let before = all[..same].iter().filter(|earlier| earlier.pc == note.pc).count();
                registers_at(runner, image, note.pc, before)
            };
            let first = at(runner, suspect, &one, first)?;
            let second = at(runner, reference, &other, second)?;
            let differ = first.into_iter().zip(second).filter(|(one, other)| one.1 != other.1);
            differ.map(|((name, one), (_, other))| (name, one, other)).collect()
        }
        _ => Vec::new(),
    };
    Ok(Some(Parting { step: same - 1, last: (one[same - 1], other[same - 1]), next, registers }))
}

/// What an image executed.
fn record(runner: &mut Runner, image: &Input) -> Result<Vec<Note>, Failed> {
    let notes = Rc::new(RefCell::new(Vec::new()));
    runner.run(image, Some(Box::new(Recorder { notes: notes.clone(), begun: false })))?;
    let notes = notes.take();
    Ok(notes)
}

struct Recorder {
    notes: Rc<RefCell<Vec<Note>>>,
    begun: bool,
}

impl Attendant for Recorder {
    fn run(&mut self, processor: &mut dyn Attended, _: &mut dyn Crew, mut begin: u64, resume: Resume) -> Ended {
        if !std::mem::replace(&mut self.begun, true) {
            processor.set_traps(&Traps { notes: Notes::Registers, ..Traps::default() });
        }
        loop {
            let outcome = processor.go(begin, resume);
            let mut notes = self.notes.borrow_mut();
            if notes.len() < MOST {
                notes.extend(processor.notes());
                notes.truncate(MOST);
                if notes.len() == MOST {
                    processor.set_traps(&Traps::default());
                }
            }
            match outcome {
                Outcome::Ended(ended) => return ended,
                Outcome::Sight(_) => begin = processor.pc(),
            }
        }
    }

    fn ended(&mut self, _: &mut dyn Attended, _: &mut dyn Crew, _: &Stop) {}
}

/// The registers before an instruction, when it is about to be executed for the time behind so many others.
fn registers_at(runner: &mut Runner, image: &Input, pc: u64, before: usize) -> Result<Vec<(String, u128)>, Failed> {
    let found = Rc::new(RefCell::new(Vec::new()));
    let stopper = Stopper { pc, left: before, found: found.clone(), begun: false };
    runner.run(image, Some(Box::new(stopper)))?;
    let found = found.take();
    Ok(found)
}

struct Stopper {
    pc: u64,
    left: usize,
    found: Rc<RefCell<Vec<(String, u128)>>>,
    begun: bool,
}

impl Stopper {
    /// It is about to be executed. Whether that is the time.
    fn meets(&mut self, processor: &dyn Attended) -> bool {
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        let info = processor.info();
        let file = Register::file(info).filter(|register| *register != Register::Pc);
        *self.found.borrow_mut() = file.map(|register| (register.name(info), processor.get(register))).collect();
        true
    }
}

impl Attendant for Stopper {
    fn run(&mut self, processor: &mut dyn Attended, _: &mut dyn Crew, mut begin: u64, resume: Resume) -> Ended {
        let enough = || Ended::Stop(Stop::Refused("it was only to get here".to_owned()));
        if !std::mem::replace(&mut self.begun, true) {
            processor.set_traps(&Traps { breakpoints: BTreeSet::from([self.pc]), ..Traps::default() });
        }
        // A run does not stop where it begins.
        if begin & !1 == self.pc && self.meets(processor) {
            return enough();
        }
        loop {
            match processor.go(begin, resume) {
                Outcome::Ended(ended) => return ended,
                Outcome::Sight(Sight::Breakpoint) if self.meets(processor) => return enough(),
                Outcome::Sight(_) => begin = processor.pc(),
            }
        }
    }

    fn ended(&mut self, _: &mut dyn Attended, _: &mut dyn Crew, _: &Stop) {}
}
