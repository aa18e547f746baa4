//! Checks as text.

use super::{Text, code, symbol};
use crate::fuzz::dialect::{self, Code, Dialect};
use crate::fuzz::expect::{self, is_function};
use crate::fuzz::model::{
    Binding, Check, Form, How, Id, Item, Mode, Pointer, Program, Sequence, Shape, Use, What, table_has_bounds,
    table_section,
};

pub(super) fn write_check(program: &Program, text: &mut Text, item: &Item, check: &Check) {
    let dialect = dialect::of(check.mode);
    let name = item.symbol();
    if let How::Edge { kind, distance } = check.how {
        return write_edge(text, check, &name, kind, distance);
    }
    text.section(&code(&check.section));
    text.line(".balign 4");
    text.function(dialect, &name, Binding::Global);
    match &check.how {
        How::References { list, order } => {
            for sequence in list {
                let Some(target) = program.item(sequence.target) else { continue };
                if let What::Nowhere { .. } = target.what {
                    text.line(&format!(".weak {}", target.symbol()));
                }
            }
            references(program, text, item.id, check.mode, list, order);
        }
        How::Table { table } => {
            let (start, stop) = if table_has_bounds(*table) {
                let section = table_section(*table);
                (format!("__start_{section}"), format!("__stop_{section}"))
            } else {
                (format!("table{table}_begin"), format!("table{table}_end"))
            };
            text.lines(dialect.walk(&start, &stop));
        }
        How::Run { run } => {
            // A jump: the run returns to who called the check.
            text.line(&format!("b steps{run}"));
        }
        How::Constructors => text.lines(dialect.returns_word("trace")),
        How::Bounds { of } => {
            text.lines(dialect.compare(&symbol(program, *of), ["_edata", "__bss_start", "_end"]));
        }
        How::Cleared => text.lines(dialect.scan("__bss_start", "_end")),
        How::Edge { .. } => {}
    }
    text.size(&name);
}

fn references(program: &Program, text: &mut Text, id: Id, mode: Mode, list: &[Sequence], order: &[usize]) {
    let dialect = dialect::of(mode);
    let mut codes: Vec<Code> = Vec::new();
    for (number, sequence) in list.iter().enumerate() {
        let label = format!(".L{id}_{number}");
        codes.push(dialect.sequence(sequence, number, &symbol(program, sequence.target), &label));
    }
    text.lines(dialect.open().iter().map(|line| (*line).to_owned()));
    for code in codes.iter().filter(|code| code.whole) {
        text.lines(code.lines.iter().cloned());
    }
    interleave(text, &codes, order);
    for (number, sequence) in list.iter().enumerate() {
        if let Use::Same(other) = sequence.then
            && other < number
            && other < list.len()
        {
            text.lines(dialect.same(number, other));
        }
    }
    let calls = |sequence: &Sequence, code: &Code| !code.value && follows_to_function(program, sequence);
    for called in [false, true] {
        for (number, (sequence, code)) in list.iter().zip(&codes).enumerate() {
            if calls(sequence, code) == called {
                text.lines(look(program, dialect, sequence, code, number));
            }
        }
    }
    (0..list.len()).for_each(|number| text.lines(dialect.append(number)));
    text.lines(dialect.close().iter().map(|line| (*line).to_owned()));
    for code in &codes {
        text.lines(code.pool.iter().map(|line| line.trim().to_owned()));
    }
}

/// Whether what is done with what was found is a call.
fn follows_to_function(program: &Program, sequence: &Sequence) -> bool {
    match sequence.then {
        Use::Call => true,
        Use::Follow(index) => pointed(program, sequence.target, index)
            .and_then(|pointer| program.item(pointer.to))
            .is_some_and(|to| is_function(program, to)),
        _ => false,
    }
}

/// One entry of an item's pointers.
fn pointed(program: &Program, id: Id, index: u32) -> Option<&Pointer> {
    match &program.item(id)?.what {
        What::Pointers { entries, .. } => entries.get(index as usize),
        _ => None,
    }
}

/// The lines of all sequences that may be mixed, mixed.
fn interleave(text: &mut Text, codes: &[Code], order: &[usize]) {
    let mut queues: Vec<std::slice::Iter<'_, String>> =
        codes.iter().map(|code| if code.whole { [].iter() } else { code.lines.iter() }).collect();
    for &turn in order.iter().cycle().take(if order.is_empty() { 0 } else { 64 }) {
        if let Some(line) = queues.get_mut(turn).and_then(Iterator::next) {
            text.line(line);
        }
    }
    // A label belongs to the instruction behind it, which nothing else has to be before.
    queues.into_iter().flatten().for_each(|line| text.line(line));
}

/// What is done with what a sequence found.
fn look(program: &Program, dialect: &dyn Dialect, sequence: &Sequence, code: &Code, number: usize) -> Vec<String> {
    let bytes = if code.added { 0 } else { 4 * sequence.addend };
    let shared = match sequence.shape {
        Shape::Shared(more) => Some(more),
        _ => None,
    };
    let mut text = Vec::new();
    if code.value {
        if shared.is_some() {
            text.extend(dialect.load_other(number, None));
        }
        return text;
    }
    let is_nowhere = program.item(sequence.target).is_some_and(|item| matches!(item.what, What::Nowhere { .. }));
    match sequence.then {
        _ if is_nowhere => {}
        Use::Word => {
            text.push(dialect.load(number, bytes));
            if let Some(more) = shared {
                let at = if sequence.form == Form::GotPage { bytes + 4 * more } else { 0 };
                text.extend(dialect.load_other(number, Some(at)));
            }
        }
        Use::Call => text.extend(dialect.call(number)),
        Use::Number | Use::Same(_) => {}
        Use::Aligned(align) => text.extend(dialect.aligned(number, align)),
        Use::Follow(index) => {
            let Some(pointer) = pointed(program, sequence.target, index) else { return text };
            text.extend(dialect.follow(number, pointer_offset(program, sequence.target, index), pointer.kind));
            let to_number = expect::number(program, pointer.to).is_some();
            if follows_to_function(program, sequence) {
                text.extend(dialect.call(number));
            } else if !to_number {
                text.push(dialect.load(number, 0));
            }
        }
    }
    text
}

/// Bytes from the first of an item's pointers to another.
fn pointer_offset(program: &Program, id: Id, index: u32) -> u32 {
    let dialect = dialect::of(program.entry);
    let Some(What::Pointers { entries, .. }) = program.item(id).map(|item| &item.what) else { return 0 };
    let mut at = 0u32;
    for (number, entry) in entries.iter().enumerate() {
        let size = dialect.pointer_bytes(entry.kind);
        at = at.next_multiple_of(size);
        if number == index as usize {
            break;
        }
        at += size;
    }
    at
}

/// A branch, and its target so many bytes away in the same section.
fn write_edge(text: &mut Text, check: &Check, name: &str, kind: usize, distance: i64) {
    let dialect = dialect::of(check.mode);
    let Some(reach) = dialect.reaches().get(kind) else { return };
    let target = format!("{name}_target");
    let branch = |text: &mut Text| {
        text.function(dialect, name, Binding::Global);
        text.line(reach.before);
        text.line(&format!("{name}_branch:"));
        text.line(&reach.branch.replace("{}", &target));
        if !reach.behind.is_empty() {
            text.line(reach.behind);
        }
        text.lines(dialect.constant(0xbad, None));
    };
    let function = |text: &mut Text| {
        text.function(dialect, &target, Binding::Global);
        text.lines(dialect.constant(expect::edge_constant(distance), None));
    };
    text.section(&code(&check.section));
    text.line(".balign 4");
    if distance > 0 {
        branch(text);
        text.line(&format!(".space {distance} - (. - {name}_branch)"));
        function(text);
    } else {
        function(text);
        // What is in front of the branch: one instruction of two or four bytes.
        let before = if check.mode == Mode::T32 { 2 } else { 4 };
        text.line(&format!(".space {} - (. - {target})", -distance - before));
        branch(text);
    }
}
