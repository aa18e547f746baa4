//! A program as assembly text, one text an object.

use std::fmt::Write as _;

use super::dialect::{self, Dialect, plus};
use super::expect::{self, is_function};
use super::model::{
    Array, Binding, Form, How, Id, Item, Marker, Mode, Part, Piece, Pointer, PointerKind, Program, Section, Step, What,
    run_section, table_section,
};
use super::quirks;

mod check;

use check::write_check;

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
        // What may be merged has entries of so many bytes.
        let entry = match section.flags {
            "aM" => ", 4",
            "aMS" => ", 1",
            _ => "",
        };
        let _ = writeln!(self.0, "    .section {}, \"{}\", %{kind}{entry}", section.name, section.flags);
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
            if function.chosen {
                let chosen = format!("{name}_chosen");
                text.function(dialect, &chosen, Binding::Local);
                text.lines(dialect.constant(function.constant, None));
                // Not where others are: an assembler takes the distance within a section for known.
                text.section(&code(".text.resolvers"));
                text.line(".balign 4");
                text.function(dialect, &name, function.binding);
                text.line(&format!(".type {name}, %gnu_indirect_function"));
                text.lines(dialect.resolver(&chosen));
                text.size(&name);
                return;
            }
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

/// The function that runs all checks, and what it needs.
fn entry(program: &Program, text: &mut Text) {
    let dialect = dialect::of(program.entry);
    let constructors = program.items.iter().any(|item| matches!(item.what, What::Constructor { .. }));
    text.section(&code(".text"));
    text.line(".balign 4");
    text.function(dialect, ENTRY, Binding::Global);
    let chosen = program.items.iter().any(|item| matches!(&item.what, What::Function(function) if function.chosen));
    text.lines(dialect.enter(chosen, constructors));
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
