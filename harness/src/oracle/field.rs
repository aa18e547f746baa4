//! One relocated field by the ABI's text: [`corpus::abi`] has the formulas and the fields, transcribed apart from the linker's
//! rows. Who asks knows S, A, P and T, and what the object had in the place.

use corpus::abi::{Inputs, Place, Relocation};
use linker::Target;

mod branch;

/// How a field is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By itself.
    Directly,
    /// By a slot of the table.
    Slot,
    /// From where the linker's table begins, or its segment.
    Origin,
    /// By way of a stub.
    Stub,
    /// By going on with the next instruction.
    FallThrough,
}

/// What is found of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is right.
    Right(Way),
    /// It is not, and why.
    Wrong(String),
    /// The ABI forbids what the object has there, and how.
    Forbidden(String),
    /// That cannot be said, and why.
    Unknown(String),
}

/// What is known of one field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// What the code is for.
    pub(crate) target: &'static Target,
    /// What the ABI says of it.
    pub(crate) relocation: &'static Relocation,
    /// What goes into the formula.
    pub(crate) inputs: Inputs,
    /// The state of what it leads to, where that is a function.
    pub(crate) thumb: Option<bool>,
    /// The word that the object has.
    pub(crate) before: u64,
    /// Whether it is an instruction of a sequence that finds a thread-local variable.
    pub(crate) is_thread_local: bool,
}

impl Field {
    /// Whether the word is the one that the formula comes to.
    pub(crate) fn exact(&self, inputs: &Inputs, word: u64) -> Finding {
        let Some(x) = self.relocation.value(inputs) else {
            return Finding::Unknown("only a loader knows the value of the formula".to_owned());
        };
        match self.relocation.expected(self.before, x, self.thumb) {
            Ok(expected) if expected == word => Finding::Right(Way::Directly),
            // Peers relax sequences that find thread-local variables, whatever they are told.
            Ok(expected) if self.is_thread_local && (expected ^ word) & !self.relocation.mask() != 0 => {
                Finding::Unknown(format!("the sequence is relaxed: {} is another instruction", self.shown(word)))
            }
            Ok(expected) => Finding::Wrong(format!(
                "the ABI says {} = {x:#x}, which makes {}, not {}",
                self.formula(),
                self.shown(expected),
                self.shown(word)
            )),
            Err(refusal) => {
                Finding::Unknown(format!("{} = {x:#x} does not fit the field ({refusal:?})", self.formula()))
            }
        }
    }

    pub(crate) fn formula(&self) -> &str {
        self.relocation.formula.as_ref().map_or("nothing", |formula| formula.text())
    }

    /// A word as memory has it.
    pub(crate) fn shown(&self, word: u64) -> String {
        crate::wording::hex(&self.place().bytes(word))
    }

    pub(crate) fn place(&self) -> Place {
        self.relocation.form.place
    }

    pub(crate) fn wrap(&self, value: u64) -> u64 {
        self.target.wrap(value)
    }

    /// Bits of X that the field can say, as a number with a sign.
    pub(crate) fn said(&self, word: u64) -> i64 {
        let unused = 63 - self.relocation.select.0.min(63);
        (self.relocation.decode(word) << unused) >> unused
    }
}
