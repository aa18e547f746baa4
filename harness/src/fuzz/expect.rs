//! The value that each check has to find, computed from the model, and from nothing that a linker made.

use super::model::{Array, Check, Form, How, Id, Item, Marker, Part, Program, Sequence, Shape, Use, What};

/// What numbers are multiplied by before the next is added.
pub const FACTOR: u32 = 3;

/// Appends a value.
fn append(sum: u32, value: u32) -> u32 {
    sum.wrapping_mul(FACTOR).wrapping_add(value)
}

/// What a check returns when everything is right. None for a program that is not whole.
pub fn value(program: &Program, check: &Check) -> Option<u32> {
    match &check.how {
        How::References { list, .. } => {
            list.iter().try_fold(0, |sum, sequence| Some(append(sum, found(program, sequence)?)))
        }
        How::Table { table } => Some(table_words(program, *table).into_iter().fold(0, append)),
        How::Run { run } => run_value(program, *run),
        How::Constructors => Some(constructors(program).into_iter().fold(0, |sum, entry| append(sum, entry.1))),
        How::Edge { distance, .. } => Some(edge_constant(*distance).into()),
        How::Bounds { of } => {
            // Before the end of what has content, or behind the start of what has none; always before the end of all.
            let What::Data(data) = &program.item(*of)?.what else { return None };
            Some(if data.section.zero { 0b110 } else { 0b101 })
        }
        How::Cleared => Some(0),
    }
}

/// What the target of a branch over some distance returns.
pub fn edge_constant(distance: i64) -> u16 {
    (distance.unsigned_abs() as u16 & 0x3fff) | 0x4000
}

/// What one reference contributes.
fn found(program: &Program, sequence: &Sequence) -> Option<u32> {
    let item = program.item(sequence.target)?;
    if matches!(item.what, What::Nowhere { .. }) {
        return Some(0);
    }
    if matches!(sequence.form, Form::Call | Form::Jump | Form::Conditional) {
        return constant(program, item);
    }
    let first = match sequence.then {
        Use::Word => word(program, item, sequence.addend)?,
        Use::Call => constant(program, item)?,
        Use::Number => match item.what {
            What::Absolute(number) => number.wrapping_add(4 * sequence.addend),
            _ => return None,
        },
        Use::Aligned(_) | Use::Same(_) => 1,
        Use::Follow(index) => {
            let What::Pointers { entries, .. } = &item.what else { return None };
            let entry = entries.get(index as usize)?;
            let to = program.item(entry.to)?;
            match to.what {
                What::Absolute(number) => number.wrapping_add(4 * entry.addend),
                _ if is_function(program, to) => constant(program, to)?,
                _ => word(program, to, entry.addend)?,
            }
        }
    };
    match (sequence.shape, sequence.then) {
        (Shape::Shared(more), Use::Word) => Some(first.wrapping_add(word(program, item, sequence.addend + more)?)),
        _ => Some(first),
    }
}

/// The word so many words behind an item's symbol.
fn word(program: &Program, item: &Item, index: u32) -> Option<u32> {
    let at = index as usize;
    match &item.what {
        What::Data(data) => data.words.get(at).copied(),
        What::Thread { words, .. } => words.get(at).copied(),
        What::Alias { of, offset, .. } => word(program, program.item(*of)?, index + offset),
        What::Common { .. } => Some(0),
        What::Group { members, function: false } => members.iter().min_by_key(|member| member.0).map(|first| first.1),
        _ => None,
    }
}

/// What a function returns.
fn constant(program: &Program, item: &Item) -> Option<u32> {
    match &item.what {
        What::Function(function) => {
            let callee = function.calls.map_or(Some(0), |callee| constant(program, program.item(callee)?))?;
            Some(callee.wrapping_add(function.constant.into()))
        }
        What::Alias { of, offset: 0, .. } => constant(program, program.item(*of)?),
        What::Group { members, function: true } => members.iter().min_by_key(|member| member.0).map(|first| first.1),
        _ => None,
    }
}

/// Whether an item's symbol is a function.
pub fn is_function(program: &Program, item: &Item) -> bool {
    match &item.what {
        What::Function(_) | What::Group { function: true, .. } => true,
        What::Alias { of, .. } => program.item(*of).is_some_and(|of| is_function(program, of)),
        _ => false,
    }
}

/// The items in the order in which a linker meets them.
fn in_link_order(program: &Program) -> Vec<&Item> {
    let mut items: Vec<&Item> = program.items.iter().collect();
    items.sort_by_key(|item| item.object);
    items
}

/// The words of a table from its first piece, or its first label, to its end.
fn table_words(program: &Program, table: u32) -> Vec<u32> {
    let mut words = Vec::new();
    for item in in_link_order(program) {
        let What::Piece(piece) = &item.what else { continue };
        if piece.table != table {
            continue;
        }
        if piece.marker == Some(Marker::End) {
            break;
        }
        words.extend(&piece.words);
    }
    words
}

/// What a function in pieces returns.
fn run_value(program: &Program, run: u32) -> Option<u32> {
    let mut sum = 0;
    let mut skipping = false;
    for item in in_link_order(program) {
        let What::Step(step) = &item.what else { continue };
        if step.run != run || (skipping && step.part != Part::Last) {
            continue;
        }
        match step.part {
            Part::First | Part::Last => {}
            Part::Add(number) => sum = append(sum, number.into()),
            Part::Call(function) => sum = append(sum, constant(program, program.item(function)?)?),
            Part::Skip { taken } => skipping = taken,
        }
    }
    Some(sum)
}

/// The constructors in the order in which they have to run: by priority, then those without one. Symbol and digit.
fn constructors(program: &Program) -> Vec<(u32, u32)> {
    let mut list: Vec<(u32, u32)> = Vec::new();
    for item in in_link_order(program) {
        if let What::Constructor { array, digit, .. } = item.what {
            let priority = match array {
                Array::InitPriority(priority) | Array::CtorsPriority(priority) => priority.into(),
                Array::Init => u32::MAX,
            };
            list.push((priority, digit));
        }
    }
    list.sort_by_key(|entry| entry.0);
    list
}

/// The alignment of the image of thread-local variables, in bytes; 0 when there are none.
pub fn thread_alignment(program: &Program) -> u32 {
    let alignments = program.items.iter().filter_map(|item| match item.what {
        What::Thread { align, .. } => Some(align),
        _ => None,
    });
    alignments.max().unwrap_or(0)
}

/// The number of an item's symbol, for those that are numbers.
pub fn number(program: &Program, id: Id) -> Option<u32> {
    match program.item(id)?.what {
        What::Absolute(number) => Some(number),
        _ => None,
    }
}
