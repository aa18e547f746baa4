//! The instruction sets that programs are written in. Checks, functions and tables are written once, in [`super::render`], by
//! these means.
//!
//! A check has up to [`SEQUENCES`] references. Reference `i` has a register of its own for what it finds, which calls
//! preserve, and one for what it needs on the way, which they do not.

mod a64;
mod arm;

use super::model::{Form, Mode, Part, PointerKind, Sequence, Shape};

/// References that a check may have.
pub const SEQUENCES: usize = 3;

/// Kinds of symbols, as far as forms are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Data of some object.
    Data,
    /// A function of some object.
    Function,
    /// A number.
    Absolute,
    /// Nothing: a weak reference to what is not there.
    Nowhere,
    /// A thread-local variable.
    Thread,
}

/// Instructions of a reference.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// The lines, each an instruction or a label.
    pub lines: Vec<String>,
    /// Literals, which go behind the function.
    pub pool: Vec<String>,
    /// Whether nothing of another reference may come between them.
    pub whole: bool,
    /// Whether the addend is in the register already.
    pub added: bool,
    /// Whether the register holds the word that was wanted, or the function's result, and no address.
    pub value: bool,
}

/// An instruction whose reach is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Bytes from the instruction to the farthest target before it.
    pub back: i64,
    /// Bytes from the instruction to the farthest target behind it.
    pub ahead: i64,
    /// The instruction, with `{}` for the target, which it goes to or whose address it gets.
    pub branch: &'static str,
    /// What has to be done before.
    pub before: &'static str,
    /// What is done behind it, when it does not branch itself.
    pub behind: &'static str,
}

/// An instruction set.
pub trait Dialect {
    /// How the symbols of a kind can be had.
    fn forms(&self, kind: Kind) -> &'static [Form];
    /// How the instructions of a form can lie.
    fn shapes(&self, form: Form) -> &'static [Shape];
    /// Instructions of limited reach.
    fn reaches(&self) -> &'static [Reach];
    /// The first lines of every object.
    fn head(&self) -> &'static str;
    /// The directives before a function's label.
    fn function(&self, symbol: &str) -> String;
    /// The instructions that get what a sequence is about into the register of reference `number`.
    fn sequence(&self, sequence: &Sequence, number: usize, symbol: &str, label: &str) -> Code;
    /// The first instructions of a check.
    fn open(&self) -> &'static [&'static str];
    /// The last instructions of a check.
    fn close(&self) -> &'static [&'static str];
    /// Loads the word so many bytes behind what the register points to.
    fn load(&self, number: usize, bytes: u32) -> String;
    /// Adds the second word of a shared sequence to the first. It lies so many bytes behind what the second register points to,
    /// or is in that already.
    fn load_other(&self, number: usize, bytes: Option<u32>) -> Vec<String>;
    /// Follows the pointer that lies so many bytes behind what the register points to.
    fn follow(&self, number: usize, bytes: u32, kind: PointerKind) -> Vec<String>;
    /// Calls what the register points to; its result replaces that.
    fn call(&self, number: usize) -> Vec<String>;
    /// Replaces what the register holds by whether it is aligned.
    fn aligned(&self, number: usize, bytes: u32) -> Vec<String>;
    /// Replaces what the register holds by whether another one holds the same.
    fn same(&self, number: usize, other: usize) -> Vec<String>;
    /// Appends the value to the sum.
    fn append(&self, number: usize) -> Vec<String>;
    /// A function that returns a constant, added to what another one returns. Its label is there already.
    fn constant(&self, constant: u16, calls: Option<&str>) -> Vec<String>;
    /// A function that returns the word behind a symbol of its own object.
    fn returns_word(&self, symbol: &str) -> Vec<String>;
    /// A function that returns the sum over the words between two symbols.
    fn walk(&self, start: &str, stop: &str) -> Vec<String>;
    /// A function that returns all bits that are set between two symbols.
    fn scan(&self, start: &str, stop: &str) -> Vec<String>;
    /// A function that returns, in bits from the lowest on, whether the symbol is below the first, not below the second, and
    /// below the third.
    fn compare(&self, symbol: &str, with: [&str; 3]) -> Vec<String>;
    /// A part of a function in pieces; `function` is what it calls, `last` the label of its last part.
    fn part(&self, part: Part, function: &str, last: &str) -> Vec<String>;
    /// A function that appends a digit to the word behind a symbol.
    fn trace(&self, digit: u32, symbol: &str) -> Vec<String>;
    /// `__tls_get_addr`, for a thread whose variables begin so many bytes behind the thread pointer.
    fn tls_get_addr(&self, offset: u32) -> Vec<String>;
    /// The directive for a pointer, aligned to its size.
    fn pointer(&self, kind: PointerKind, to: &str) -> String;
    /// The bytes of a pointer.
    fn pointer_bytes(&self, kind: PointerKind) -> u32;
    /// A function that returns the address of another one of its object.
    fn resolver(&self, function: &str) -> Vec<String>;
    /// The first instructions of the entry; with `chosen`, it fills the slots of functions that choose themselves where that is
    /// left to the program, and with `constructors`, it calls those.
    fn enter(&self, chosen: bool, constructors: bool) -> Vec<String>;
    /// Calls a check, unless bits that it needs are not in the entry's argument. `number` names labels and the result.
    fn check(&self, number: u32, symbol: &str, needs: u32, value: u32) -> Vec<String>;
    /// The last instructions of the entry.
    fn leave(&self) -> Vec<String>;
    /// A process' first instructions: they set up the thread's variables, call the entry with the number of the process'
    /// arguments, and exit with what it returns.
    fn start(&self) -> &'static str;
}

/// The instruction set of a mode.
pub fn of(mode: Mode) -> &'static dyn Dialect {
    match mode {
        Mode::A64 => &a64::A64,
        Mode::A32 => &arm::Arm { thumb: false },
        Mode::T32 => &arm::Arm { thumb: true },
    }
}

/// A symbol and a number of bytes.
pub fn plus(symbol: &str, bytes: u32) -> String {
    if bytes == 0 { symbol.to_owned() } else { format!("{symbol}+{bytes}") }
}

/// The two instructions of a form, laid as a shape wants it.
struct Pair<'a> {
    /// The register that both write, or that the second writes.
    result: String,
    /// A register for the first instruction alone.
    scratch: String,
    /// The first, which writes this register.
    first: &'a dyn Fn(&str) -> String,
    /// The second, which writes one register and reads another.
    second: &'a dyn Fn(&str, &str) -> String,
    /// The second once more, for a shared first one.
    other: Option<String>,
    /// An instruction that does nothing.
    idle: &'a str,
    /// Puts a number into a register that the branch below tests.
    flag: &'a dyn Fn(bool) -> String,
    /// A branch that is taken when the flag is true.
    branch: &'a dyn Fn(&str) -> String,
}

impl Pair<'_> {
    fn lay(&self, shape: Shape, label: &str) -> (Vec<String>, bool) {
        let Pair { result, scratch, first, second, .. } = self;
        let jump = |to: &str| format!("b {to}");
        match shape {
            Shape::Straight => (vec![first(result), second(result, result)], false),
            Shape::Apart => (vec![first(scratch), second(result, scratch)], false),
            Shape::Spaced => (vec![first(result), self.idle.to_owned(), second(result, result)], false),
            Shape::Shared(_) => {
                let mut lines = vec![first(scratch), second(result, scratch)];
                lines.extend(self.other.clone());
                (lines, false)
            }
            Shape::Tail { taken } => {
                let lines = vec![
                    (self.flag)(taken),
                    first(result),
                    (self.branch)(&format!("{label}t")),
                    first(result),
                    format!("{label}t:"),
                    second(result, result),
                ];
                (lines, true)
            }
            Shape::Back => {
                let lines = vec![
                    jump(&format!("{label}a")),
                    format!("{label}b:"),
                    second(result, result),
                    jump(&format!("{label}c")),
                    format!("{label}a:"),
                    first(result),
                    jump(&format!("{label}b")),
                    format!("{label}c:"),
                ];
                (lines, true)
            }
        }
    }
}

/// Lines of text as the writers below want them.
fn lines(text: &[&str]) -> Vec<String> {
    text.iter().map(|line| (*line).to_owned()).collect()
}
