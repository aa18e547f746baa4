//! A program as assembly text, one text an object.

use std::fmt::Write as _;

use super::dialect::{self, Code, Dialect, plus};
use super::expect::{self, is_function};
use super::model::{
    Array, Binding, Check, Form, How, Id, Item, Marker, Mode, Part, Piece, Pointer, PointerKind, Program, Section,
    Sequence, Shape, Step, Use, What, run_section, table_has_bounds, table_section,
};
use super::quirks;

/// The function that runs all checks. It gets the bits of [`quirks`] that the image has, and returns the number of the first
/// check that fails, and behind it what that found; or 0.
pub const ENTRY: &str = "entry";

/// The texts of a program's objects.
pub fn objects(program: &Program) -> Vec<String> {
    let mut texts: Vec<Text> = program.archived.iter().map(|_| Text::new(program)).collect();
    for item in &program.items {
        write_item(program, item, &mut texts);
    }
    entry(program, &mut texts[0]);
    texts.into_iter().map(|text| text.0).collect()
}

/// The text of the object that starts a process.
pub fn start(program: &Program) -> String {
    let dialect = dialect::of(program.entry);
    let mut text = Text::new(program);
    text.section(&code(".text"));
    text.raw(dialect.start());
    text.0
}

struct Text(String);

/// A section of code.
fn code(name: &str) -> Section {
    Section { name: name.to_owned(), flags: "ax", zero: false }
}

impl Text {
    fn new(program: &Program) -> Text {
        let mut text = Text(String::new());
        text.raw("    .section .note.GNU-stack, \"\", %progbits\n");
        text.raw(dialect::of(program.entry).head());
        text
    }

    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn line(&mut self, line: &str) {
        let indent = if line.ends_with(':') { "" } else { "    " };
        let _ = writeln!(self.0, "{indent}{line}");
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        lines.into_iter().for_each(|line| self.line(&line));
    }

    fn section(&mut self, section: &Section) {
        let kind = if section.zero { "nobits" } else { "progbits" };
        let _ = writeln!(self.0, "    .section {}, \"{}\", %{kind}", section.name, section.flags);
    }

    fn words(&mut self, words: &[u32]) {
        for word in words {
            let _ = writeln!(self.0, "    .word {word:#x}");
        }
    }

    /// Says what others see of a symbol.
    fn bind(&mut self, symbol: &str, binding: Binding) {
        let directives: &[&str] = match binding {
            Binding::Local => &[],
            Binding::Global => &["globl"],
            Binding::Weak => &["weak"],
            Binding::Hidden => &["globl", "hidden"],
            Binding::Protected => &["globl", "protected"],
        };
        for directive in directives {
            let _ = writeln!(self.0, "    .{directive} {symbol}");
        }
    }

    /// A function's head, up to its label.
    fn function(&mut self, dialect: &dyn Dialect, symbol: &str, binding: Binding) {
        self.bind(symbol, binding);
        self.raw(&dialect.function(symbol));
        self.line(&format!("{symbol}:"));
    }

    fn object(&mut self, symbol: &str, binding: Binding) {
        self.bind(symbol, binding);
        let _ = writeln!(self.0, "    .type {symbol}, %object\n{symbol}:");
    }

    fn size(&mut self, symbol: &str) {
        let _ = writeln!(self.0, "    .size {symbol}, . - {symbol}");
    }
}

fn symbol(program: &Program, id: Id) -> String {
    program.item(id).map(Item::symbol).unwrap_or_default()
}

fn write_item(program: &Program, item: &Item, texts: &mut [Text]) {
    let name = item.symbol();
    let text = &mut texts[item.object];
    match &item.what {
        What::Data(data) => {
            text.section(&data.section);
            text.line(&format!(".balign {}", data.align));
            if data.before > 0 {
                text.line(&format!(".space {}", data.before));
            }
            text.object(&name, data.binding);
            if data.section.zero {
                text.line(&format!(".space {}", 4 * data.words.len()));
            } else {
                text.words(&data.words);
            }
            text.size(&name);
        }
        What::Function(function) => {
            let dialect = dialect::of(function.mode);
            text.section(&code(&function.section));
            text.line(&format!(".balign {}", function.align));
            text.function(dialect, &name, function.binding);
            let calls = function.calls.map(|callee| symbol(program, callee));
            text.lines(dialect.constant(function.constant, calls.as_deref()));
            text.size(&name);
        }
        What::Alias { of, offset, binding } => {
            text.bind(&name, *binding);
            let target = symbol(program, *of);
            let thumb =
                program.item(*of).is_some_and(|of| matches!(&of.what, What::Function(f) if f.mode == Mode::T32));
            let set = if thumb { "thumb_set" } else { "set" };
            if program.item(*of).is_some_and(|of| is_function(program, of)) {
                text.line(&format!(".type {name}, %function"));
            }
            text.line(&format!(".{set} {name}, {}", plus(&target, 4 * offset)));
        }
        What::Twin { of } => {
            let Some(target) = program.item(*of) else { return };
            let name = target.symbol();
            if is_function(program, target) {
                let dialect = dialect::of(program.entry);
                // Not where others are: an assembler takes the distance within a section for known.
                text.section(&code(".text.weak"));
                text.line(".balign 4");
                text.function(dialect, &name, Binding::Weak);
                text.lines(dialect.constant(0xbad, None));
            } else {
                text.section(&Section { name: ".data.weak".to_owned(), flags: "aw", zero: false });
                text.line(".balign 64");
                text.object(&name, Binding::Weak);
                text.words(&[0xbad; 8]);
            }
        }
        What::Group { members, function } => {
            for &(object, word) in members {
                group(program, &mut texts[object], &name, word, *function);
            }
        }
        What::Common { parts } => {
            for (object, words, align) in parts {
                texts[*object].line(&format!(".comm {name}, {}, {align}", 4 * words));
            }
        }
        What::Absolute(number) => {
            text.bind(&name, Binding::Global);
            text.line(&format!(".set {name}, {number:#x}"));
        }
        What::Nowhere { decoy } => {
            if let Some(decoy) = decoy {
                let text = &mut texts[*decoy];
                text.section(&Section { name: ".data".to_owned(), flags: "aw", zero: false });
                // Whoever links this has the entry twice.
                for name in [&name, ENTRY] {
                    text.object(name, Binding::Global);
                    text.words(&[0xbad]);
                }
            }
        }
        What::Pointers { section, entries } => {
            let dialect = dialect::of(program.entry);
            text.section(section);
            text.line(".balign 8");
            text.object(&name, Binding::Global);
            for &Pointer { to, addend, kind } in entries {
                text.raw(&dialect.pointer(kind, &plus(&symbol(program, to), 4 * addend)));
            }
            text.size(&name);
        }
        What::Thread { words, align, binding } => {
            let zero = words.iter().all(|word| *word == 0);
            let section = if zero { ".tbss" } else { ".tdata" };
            text.section(&Section { name: section.to_owned(), flags: "awT", zero });
            text.line(&format!(".balign {align}"));
            text.bind(&name, *binding);
            text.line(&format!(".type {name}, %tls_object"));
            text.line(&format!("{name}:"));
            if zero {
                text.line(&format!(".space {}", 4 * words.len()));
            } else {
                text.words(words);
            }
            text.size(&name);
        }
        What::Piece(piece) => write_piece(text, piece),
        What::Step(step) => write_step(program, text, step),
        What::Constructor { array, digit, mode } => {
            let dialect = dialect::of(*mode);
            text.section(&code(".text"));
            text.line(".balign 4");
            text.function(dialect, &name, Binding::Local);
            text.lines(dialect.trace(*digit, "trace"));
            let (section, kind) = match array {
                Array::Init => (".init_array".to_owned(), "init_array"),
                Array::InitPriority(priority) => (format!(".init_array.{priority:05}"), "init_array"),
                Array::CtorsPriority(priority) => (format!(".ctors.{:05}", 65535 - priority), "progbits"),
            };
            let _ = writeln!(text.0, "    .section {section}, \"aw\", %{kind}");
            text.raw(&dialect::of(program.entry).pointer(PointerKind::Absolute, &name));
        }
        What::Filler { section, bytes, align } => {
            text.section(section);
            text.line(&format!(".balign {align}"));
            text.line(&format!(".space {bytes}"));
        }
        What::Check(check) => write_check(program, text, item, check),
    }
}

fn group(program: &Program, text: &mut Text, name: &str, word: u32, function: bool) {
    let member = |text: &mut Text, section: &str, flags: &str| {
        let _ = writeln!(text.0, "    .section {section}.{name}, \"{flags}G\", %progbits, {name}, comdat");
    };
    if !function {
        member(text, ".rodata", "a");
        text.line(".balign 8");
        text.object(name, Binding::Weak);
        text.words(&[word]);
        return;
    }
    let dialect = dialect::of(program.entry);
    let local = format!("{name}_word");
    member(text, ".rodata", "a");
    text.line(".balign 4");
    text.object(&local, Binding::Local);
    text.words(&[word]);
    member(text, ".text", "ax");
    text.line(".balign 4");
    text.function(dialect, name, Binding::Weak);
    text.lines(dialect.returns_word(&local));
}

fn write_piece(text: &mut Text, piece: &Piece) {
    let name = table_section(piece.table);
    text.section(&Section { name: name.clone(), flags: piece.flags, zero: false });
    text.line(&format!(".balign {}", piece.align));
    match piece.marker {
        Some(Marker::Begin) => text.object(&format!("table{}_begin", piece.table), Binding::Global),
        Some(Marker::End) => text.object(&format!("table{}_end", piece.table), Binding::Global),
        None => {}
    }
    text.words(&piece.words);
}

fn write_step(program: &Program, text: &mut Text, step: &Step) {
    let dialect = dialect::of(step.mode);
    text.section(&code(&run_section(step.run)));
    let (first, last) = (format!("steps{}", step.run), format!("steps{}_last", step.run));
    // What only says the state has a name of its own.
    match step.part {
        Part::First => text.function(dialect, &first, Binding::Global),
        Part::Last => text.function(dialect, &last, Binding::Global),
        _ => {
            let state = dialect.function("");
            let state = state.lines().filter(|line| line.trim() == ".arm" || line.trim() == ".thumb");
            state.for_each(|line| text.line(line.trim()));
        }
    }
    let function = match step.part {
        Part::Call(function) => symbol(program, function),
        _ => String::new(),
    };
    text.lines(dialect.part(step.part, &function, &last));
}

fn write_check(program: &Program, text: &mut Text, item: &Item, check: &Check) {
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

/// The function that runs all checks, and what it needs.
fn entry(program: &Program, text: &mut Text) {
    let dialect = dialect::of(program.entry);
    let constructors = program.items.iter().any(|item| matches!(item.what, What::Constructor { .. }));
    text.section(&code(".text"));
    text.line(".balign 4");
    text.function(dialect, ENTRY, Binding::Global);
    text.lines(dialect.enter(constructors));
    for (item, check) in program.checks() {
        let value = expect::value(program, check).unwrap_or(0);
        text.lines(dialect.check(item.id, &item.symbol(), quirks::needs(program, check), value));
    }
    text.lines(dialect.leave());
    text.size(ENTRY);
    if uses(program, &[Form::GeneralDynamic, Form::LocalDynamic]) {
        let pointers = if program.entry.is_64() { 16u32 } else { 8 };
        text.function(dialect, "__tls_get_addr", Binding::Global);
        text.lines(dialect.tls_get_addr(pointers.next_multiple_of(expect::thread_alignment(program).max(1))));
    }
    // Where there is no data at all, the ends of its parts are where there is no memory.
    if program.checks().any(|(_, check)| check.how == How::Cleared) {
        text.section(&Section { name: ".data".to_owned(), flags: "aw", zero: false });
        text.words(&[u32::MAX]);
    }
    if constructors {
        text.section(&Section { name: ".data".to_owned(), flags: "aw", zero: false });
        text.line(".balign 4");
        text.object("trace", Binding::Global);
        text.words(&[0]);
    }
}

/// Whether any reference is had by one of these forms.
fn uses(program: &Program, forms: &[Form]) -> bool {
    program.checks().any(|(_, check)| match &check.how {
        How::References { list, .. } => list.iter().any(|sequence| forms.contains(&sequence.form)),
        _ => false,
    })
}
