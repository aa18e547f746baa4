//! Checks that are not asked of everybody: those that a layout does not allow, and those for which a peer is known to be
//! wrong. A row each, with a bit of the entry's argument; a check is run if all of its bits are there.

use linker::Layout;

use super::expect;
use super::model::{Array, Check, Form, How, Item, PointerKind, Program, Sequence, Shape, What};
use super::subject::Subject;
use crate::oracle::Peer;

/// A reason not to run a check.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// The bit that says that it does not hold.
    pub bit: u32,
    /// Why, for people.
    pub what: &'static str,
    /// Whether it is about this check.
    about: fn(&Program, &Check) -> bool,
    /// Of whom it holds.
    of: fn(&Subject) -> bool,
}

/// All of them.
pub static QUIRKS: &[Quirk] = &[
    Quirk {
        bit: 1,
        what: "the ends of the image's parts are asked for only where the image is in one piece",
        about: |_, check| matches!(check.how, How::Bounds { .. } | How::Cleared),
        of: |subject| matches!(subject, Subject::Ours { layout, .. } if *layout != Layout::Near),
    },
    Quirk {
        bit: 2,
        what: "lld leaves .ctors alone on these targets, so that nobody runs it",
        about: |program, check| check.how == How::Constructors && has_ctors(program),
        of: |subject| is(subject, Peer::Lld),
    },
    Quirk {
        bit: 4,
        what: "GNU ld and lld relax initial-exec sequences as if both instructions had one register (docs/bugs.md)",
        about: |_, check| refers(check, |form, shape| form == Form::InitialExec && shape == Shape::Apart),
        of: |subject| is(subject, Peer::Ld) || is(subject, Peer::Lld),
    },
    Quirk {
        bit: 8,
        what: "GNU ld relaxes local-dynamic sequences as if no variable were aligned to more than 16 (docs/bugs.md)",
        about: |program, check| {
            program.entry.is_64()
                && expect::thread_alignment(program) > 16
                && refers(check, |form, _| form == Form::LocalDynamic)
        },
        of: |subject| is(subject, Peer::Ld),
    },
    Quirk {
        bit: 16,
        what: "lld counts offsets from the table's origin to another entry for functions that choose themselves (docs/bugs.md)",
        about: |program, check| {
            let chosen = |item: &Item| matches!(&item.what, What::Function(function) if function.chosen);
            sequences(check)
                .any(|sequence| sequence.form == Form::GotOrigin && program.item(sequence.target).is_some_and(chosen))
        },
        of: |subject| is(subject, Peer::Lld),
    },
    Quirk {
        bit: 32,
        what: "GNU ld for ARM mixes up the entries of a variable with a descriptor and another entry (docs/bugs.md)",
        about: |program, check| {
            let everywhere = || program.checks().flat_map(|(_, check)| sequences(check));
            !program.entry.is_64()
                && sequences(check).any(|sequence| {
                    let to_it = |form| everywhere().any(|other| other.target == sequence.target && other.form == form);
                    to_it(Form::Descriptor) && (to_it(Form::InitialExec) || to_it(Form::GeneralDynamic))
                })
        },
        of: |subject| is(subject, Peer::Ld),
    },
];

/// The references of a check.
fn sequences(check: &Check) -> impl Iterator<Item = &Sequence> {
    let list = if let How::References { list, .. } = &check.how { list.as_slice() } else { &[] };
    list.iter()
}

fn is(subject: &Subject, wanted: Peer) -> bool {
    matches!(subject, Subject::Peer(peer) | Subject::Process(peer) if *peer == wanted)
}

fn has_ctors(program: &Program) -> bool {
    let ctors = |what: &What| matches!(what, What::Constructor { array: Array::CtorsPriority(_), .. });
    program.items.iter().any(|item| ctors(&item.what))
}

fn refers(check: &Check, wanted: impl Fn(Form, Shape) -> bool) -> bool {
    sequences(check).any(|sequence| wanted(sequence.form, sequence.shape))
}

/// Whether what a program holds can be linked far up: addresses of 32 bits and pages of small numbers do not reach there, and
/// with addresses of 32 bits there is little room.
pub fn fits_high(program: &Program) -> bool {
    let small = |sequence: &Sequence| {
        let to_number = program.item(sequence.target).is_some_and(|item| matches!(item.what, What::Absolute(_)));
        to_number && matches!(sequence.form, Form::Page | Form::PageLoad)
    };
    program.items.iter().all(|item| match &item.what {
        What::Pointers { entries, .. } => {
            !program.entry.is_64() || entries.iter().all(|entry| entry.kind != PointerKind::Absolute32)
        }
        What::Filler { .. } => program.entry.is_64(),
        What::Check(Check { how: How::Edge { .. }, .. }) => program.entry.is_64(),
        What::Check(Check { how: How::References { list, .. }, .. }) => {
            !program.entry.is_64() || !list.iter().any(small)
        }
        _ => true,
    })
}

/// The bits that a check has to have.
pub fn needs(program: &Program, check: &Check) -> u32 {
    QUIRKS.iter().filter(|quirk| (quirk.about)(program, check)).map(|quirk| quirk.bit).sum()
}

/// The bits that the images of a subject get.
pub fn bits(subject: &Subject) -> u32 {
    QUIRKS.iter().filter(|quirk| !(quirk.of)(subject)).map(|quirk| quirk.bit).sum()
}
