//! A program as a model: what its objects define, what refers to what, and what each reference has to find.
//!
//! Everything is an [`Item`] in one flat list, so that a reducer can drop any of them; what refers to a dropped one is dropped,
//! too. Values that checks expect are not stored: [`super::expect`] computes them from what is in the list.

use std::collections::BTreeSet;

mod check;

pub use check::{Check, Form, How, Sequence, Shape, Use};

/// Number of an item: it stays with the item when others are dropped, and names its symbol.
pub type Id = u32;

/// The instruction sets of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// AArch64.
    A64,
    /// ARM, 32-bit instructions.
    A32,
    /// ARM, Thumb-2 instructions.
    T32,
}

/// What symbols others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Only its own object.
    Local,
    /// All objects.
    Global,
    /// All objects, unless there is another definition.
    Weak,
    /// All objects, but no dynamic linker.
    Hidden,
    /// Seen by a dynamic linker, but not replaced.
    Protected,
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// What it was made from.
    pub seed: u64,
    /// State of the code that calls the checks: says what architecture it is, too.
    pub entry: Mode,
    /// For each object, whether it is a member of the archive. Object 0 holds the entry and is none.
    pub archived: Vec<bool>,
    /// What is in the objects, in the order of their text.
    pub items: Vec<Item>,
}

/// A part of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its number.
    pub id: Id,
    /// Number of the object that it is in.
    pub object: usize,
    /// What it is.
    pub what: What,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Words of data.
    Data(Data),
    /// A function without arguments that returns a constant.
    Function(Function),
    /// Another name for an item of the same object, `offset` words further on.
    Alias {
        /// The item.
        of: Id,
        /// Words between the two symbols.
        offset: u32,
        /// What the new symbol is.
        binding: Binding,
    },
    /// A weak definition of another object's symbol, which has to lose.
    Twin {
        /// The item with the definition that has to win.
        of: Id,
    },
    /// The same COMDAT group in several objects: the first has to win.
    Group {
        /// Object and the words that its member of the group has.
        members: Vec<(usize, u32)>,
        /// Whether it is a function that returns the word, by way of data in the same group.
        function: bool,
    },
    /// Common symbols of one name.
    Common {
        /// Object, words and alignment in bytes.
        parts: Vec<(usize, u32, u32)>,
    },
    /// A symbol that is a number.
    Absolute(u32),
    /// A weak reference to what nobody defines.
    Nowhere {
        /// An archived object that defines it, but that nothing else refers to: a weak reference pulls nothing.
        decoy: Option<usize>,
    },
    /// Pointers to other items.
    Pointers {
        /// The section that they are in.
        section: Section,
        /// What they are.
        entries: Vec<Pointer>,
    },
    /// A thread-local variable.
    Thread {
        /// Its words; none but zeros go to `.tbss`.
        words: Vec<u32>,
        /// In bytes.
        align: u32,
        /// What its symbol is.
        binding: Binding,
    },
    /// A part of a table that is made of sections of one name.
    Piece(Piece),
    /// A part of a function that is made of sections of one name.
    Step(Step),
    /// A function that runs before everything else.
    Constructor {
        /// How it is registered.
        array: Array,
        /// What it appends to the trace.
        digit: u32,
        /// State of its code.
        mode: Mode,
    },
    /// Bytes that nobody refers to.
    Filler {
        /// Where.
        section: Section,
        /// How many.
        bytes: u32,
        /// In bytes.
        align: u32,
    },
    /// Code that looks at something.
    Check(Check),
}

/// A section by name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Flags as the assembler has them.
    pub flags: &'static str,
    /// Whether it takes no space in the file.
    pub zero: bool,
}

/// Data with a symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Where.
    pub section: Section,
    /// Bytes in front, multiple of 4.
    pub before: u32,
    /// Alignment of what is in front, in bytes.
    pub align: u32,
    /// The words from the symbol on.
    pub words: Vec<u32>,
    /// What its symbol is.
    pub binding: Binding,
}

/// A function that returns a constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Where.
    pub section: String,
    /// State.
    pub mode: Mode,
    /// What it returns, unless it calls another, to whose result this is added.
    pub constant: u16,
    /// The function that it calls.
    pub calls: Option<Id>,
    /// What its symbol is.
    pub binding: Binding,
    /// In bytes.
    pub align: u32,
    /// Whether its symbol is that of a function which returns where it is (STT_GNU_IFUNC).
    pub chosen: bool,
}

/// A pointer in data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// To what.
    pub to: Id,
    /// Words behind the symbol.
    pub addend: u32,
    /// How it is written.
    pub kind: PointerKind,
}

/// How a pointer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerKind {
    /// As wide as pointers are.
    Absolute,
    /// 32 bits of an address.
    Absolute32,
    /// 16 bits of a number.
    Absolute16,
    /// 32 bits, from the place on.
    Relative32,
    /// 64 bits, from the place on.
    Relative64,
}

/// A table made of sections of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Which.
    pub table: u32,
    /// Flags of this piece's section.
    pub flags: &'static str,
    /// In bytes.
    pub align: u32,
    /// Its words.
    pub words: Vec<u32>,
    /// A label at one of the ends.
    pub marker: Option<Marker>,
}

/// The ends of a table that has labels instead of `__start_` and `__stop_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The first word is here.
    Begin,
    /// The last word was before here.
    End,
}

/// A part of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Of which.
    pub run: u32,
    /// State of its code.
    pub mode: Mode,
    /// What it does.
    pub part: Part,
}

/// What a part of a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its first instructions.
    First,
    /// Adds a number.
    Add(u16),
    /// Adds what a function returns.
    Call(Id),
    /// A branch to the last part: what is between does not happen, if it is taken.
    Skip {
        /// Whether it is.
        taken: bool,
    },
    /// Its last instructions.
    Last,
}

/// Where a constructor is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Array {
    /// `.init_array`
    Init,
    /// `.init_array.N`
    InitPriority(u16),
    /// `.ctors.N`, for this priority
    CtorsPriority(u16),
}

impl Mode {
    /// Whether it is of the 64-bit architecture.
    pub fn is_64(self) -> bool {
        self == Mode::A64
    }
}

impl Item {
    /// The name of its symbol.
    pub fn symbol(&self) -> String {
        let id = self.id;
        match &self.what {
            What::Data(_) => format!("data{id}"),
            What::Function(_) => format!("function{id}"),
            What::Alias { .. } => format!("alias{id}"),
            What::Group { .. } => format!("group{id}"),
            What::Common { .. } => format!("common{id}"),
            What::Absolute(_) => format!("absolute{id}"),
            What::Nowhere { .. } => format!("nowhere{id}"),
            What::Pointers { .. } => format!("pointers{id}"),
            What::Thread { .. } => format!("thread{id}"),
            What::Constructor { .. } => format!("constructor{id}"),
            What::Check(_) => format!("check{id}"),
            What::Twin { .. } | What::Piece(_) | What::Step(_) | What::Filler { .. } => format!("part{id}"),
        }
    }

    /// The items that it cannot do without.
    pub fn needs(&self) -> Vec<Id> {
        match &self.what {
            What::Alias { of, .. } | What::Twin { of } => vec![*of],
            What::Function(function) => function.calls.into_iter().collect(),
            What::Pointers { entries, .. } => entries.iter().map(|entry| entry.to).collect(),
            What::Step(Step { part: Part::Call(function), .. }) => vec![*function],
            What::Check(check) => match &check.how {
                How::References { list, .. } => list.iter().map(|sequence| sequence.target).collect(),
                How::Bounds { of } => vec![*of],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// All objects that have a part of it.
    pub fn objects(&self) -> Vec<usize> {
        match &self.what {
            What::Group { members, .. } => members.iter().map(|member| member.0).collect(),
            What::Common { parts } => parts.iter().map(|part| part.0).collect(),
            What::Nowhere { decoy } => decoy.iter().copied().collect(),
            _ => vec![self.object],
        }
    }
}

impl Program {
    /// The name of the target that it is linked for.
    pub fn target(&self) -> &'static linker::Target {
        let name = match self.entry {
            Mode::A64 => "aarch64",
            Mode::A32 => "armv7",
            Mode::T32 => "thumbv7",
        };
        // A test of the targets' table has the names.
        linker::Target::named(name).unwrap_or(&linker::TARGETS[0])
    }

    /// The item of this number.
    pub fn item(&self, id: Id) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The checks, with their items' numbers.
    pub fn checks(&self) -> impl Iterator<Item = (&Item, &Check)> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Check(check) => Some((item, check)),
            _ => None,
        })
    }

    /// The program with only those items for which `keep` says so, and that have all that they need.
    pub fn retain(&self, keep: impl Fn(&Item) -> bool) -> Program {
        let mut program = self.clone();
        program.items.retain(keep);
        program.settle();
        program
    }

    /// Drops what lacks something, and takes objects out of the archive that nothing would pull.
    pub fn settle(&mut self) {
        loop {
            let ids: BTreeSet<Id> = self.items.iter().map(|item| item.id).collect();
            let runs: BTreeSet<u32> = self.whole_runs();
            let tables: BTreeSet<u32> = self.whole_tables();
            let constructors = self.items.iter().any(|item| matches!(item.what, What::Constructor { .. }));
            let before = self.items.len();
            self.items.retain(|item| {
                let part_of_whole = match &item.what {
                    What::Step(step) => runs.contains(&step.run),
                    What::Check(Check { how: How::Run { run }, .. }) => runs.contains(run),
                    What::Check(Check { how: How::Table { table }, .. }) => tables.contains(table),
                    What::Check(Check { how: How::Constructors, .. }) => constructors,
                    _ => true,
                };
                part_of_whole && item.needs().iter().all(|id| ids.contains(id))
            });
            if self.items.len() == before {
                break;
            }
        }
        for object in 1..self.archived.len() {
            let pulled = self.checks().any(|(item, _)| item.object == object);
            let decoy = |item: &Item| matches!(item.what, What::Nowhere { decoy: Some(at) } if at == object);
            self.archived[object] &= pulled || self.items.iter().any(decoy);
        }
    }

    /// The functions in pieces that begin and end.
    fn whole_runs(&self) -> BTreeSet<u32> {
        let with = |wanted: Part| -> BTreeSet<u32> {
            let parts = self.items.iter().filter_map(|item| match &item.what {
                What::Step(step) if step.part == wanted => Some(step.run),
                _ => None,
            });
            parts.collect()
        };
        with(Part::First).intersection(&with(Part::Last)).copied().collect()
    }

    /// The tables that have pieces, and both markers or none.
    fn whole_tables(&self) -> BTreeSet<u32> {
        let of = |wanted: Option<Marker>| -> BTreeSet<u32> {
            let pieces = self.items.iter().filter_map(|item| match &item.what {
                What::Piece(piece) if piece.marker == wanted => Some(piece.table),
                _ => None,
            });
            pieces.collect()
        };
        let (begun, ended, plain) = (of(Some(Marker::Begin)), of(Some(Marker::End)), of(None));
        let marked: BTreeSet<u32> = begun.intersection(&ended).copied().collect();
        plain.into_iter().filter(|table| table_has_bounds(*table)).chain(marked).collect()
    }
}

/// Whether a table's ends are `__start_` and `__stop_`, or else labels in its first and last piece.
pub fn table_has_bounds(table: u32) -> bool {
    table.is_multiple_of(2)
}

/// The name of a table's sections.
pub fn table_section(table: u32) -> String {
    if table_has_bounds(table) { format!("table{table}") } else { format!(".table{table}") }
}

/// The name of the sections of a function in pieces.
pub fn run_section(run: u32) -> String {
    match run {
        0 => ".init".to_owned(),
        1 => ".fini".to_owned(),
        run if run.is_multiple_of(2) => format!("run{run}"),
        run => format!(".run{run}"),
    }
}
