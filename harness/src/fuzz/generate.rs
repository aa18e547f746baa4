//! A program from a seed.

use super::dialect::{self, Kind, SEQUENCES};
use super::dice::Dice;
use super::expect::is_function;
use super::model::{
    Array, Binding, Check, Data, Form, Function, How, Id, Item, Marker, Mode, Part, Piece, Pointer, PointerKind,
    Program, Section, Sequence, Shape, Step, Use, What,
};

/// What programs are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Theme {
    /// References to data and functions, in sequences that are mixed, shared, and jumped into
    References,
    /// Branches as far as their instruction reaches
    Edges,
    /// Functions in pieces that fall through from object to object
    Runs,
    /// Tables of sections of one name
    Tables,
    /// Constructors with and without priorities
    Constructors,
    /// The ends of the image's parts
    Bounds,
    /// Thread-local variables, by all models
    Threads,
    /// Weak definitions, and weak references to nothing
    Weak,
    /// Symbols that are numbers
    Absolute,
    /// COMDAT groups
    Groups,
    /// Common symbols
    Commons,
    /// Objects in archives
    Archives,
    /// Pointers in data
    Pointers,
    /// Second names
    Aliases,
    /// Large sections, and alignment
    Fillers,
}

/// All of them.
pub const THEMES: &[Theme] = &[
    Theme::References,
    Theme::Edges,
    Theme::Runs,
    Theme::Tables,
    Theme::Constructors,
    Theme::Bounds,
    Theme::Threads,
    Theme::Weak,
    Theme::Absolute,
    Theme::Groups,
    Theme::Commons,
    Theme::Archives,
    Theme::Pointers,
    Theme::Aliases,
    Theme::Fillers,
];

/// Items that a program may have: the number of a check is an exit status.
const ITEMS: u32 = 120;

/// The program of a seed, for the architecture of `entry`, of these themes.
pub fn program(seed: u64, entry: Mode, themes: &[Theme]) -> Program {
    let mut dice = Dice::new(seed);
    // In half of the programs only some themes, so that they meet in every combination, and each is often alone.
    let sparse = dice.one_in(2);
    let chosen: Vec<Theme> = themes.iter().copied().filter(|_| dice.one_in(if sparse { 5 } else { 2 })).collect();
    let chosen = if chosen.is_empty() { vec![dice.pick(themes)] } else { chosen };
    let objects = dice.between(1, 4);
    let archives = chosen.contains(&Theme::Archives);
    let archived = (0..objects).map(|object| object > 0 && archives && dice.one_in(2)).collect();
    let entry = if entry == Mode::A64 { entry } else { dice.pick(&[Mode::A32, Mode::T32]) };
    let program = Program { seed, entry, archived, items: Vec::new() };
    let mut maker = Maker { dice, program, next: 1 };
    maker.base();
    for theme in &chosen {
        for _ in 0..maker.dice.between(1, 2) {
            maker.theme(*theme);
        }
    }
    for _ in 0..maker.dice.between(1, 4) {
        maker.references();
    }
    let mut program = maker.program;
    program.settle();
    program
}

struct Maker {
    dice: Dice,
    program: Program,
    next: Id,
}

const BINDINGS: &[Binding] = &[
    Binding::Global,
    Binding::Global,
    Binding::Global,
    Binding::Local,
    Binding::Weak,
    Binding::Hidden,
    Binding::Protected,
];

impl Maker {
    fn push(&mut self, object: usize, what: What) -> Id {
        let id = self.next;
        if id < ITEMS {
            self.next += 1;
            self.program.items.push(Item { id, object, what });
        }
        id
    }

    /// Any object but those that must not be linked.
    fn object(&mut self) -> usize {
        let objects: Vec<usize> =
            (0..self.program.archived.len()).filter(|object| !is_decoy(&self.program, *object)).collect();
        self.dice.pick(&objects)
    }

    /// An object that is linked whatever refers to it: the order of those is the command line's.
    fn plain_object(&mut self) -> usize {
        let plain: Vec<usize> =
            (0..self.program.archived.len()).filter(|object| !self.program.archived[*object]).collect();
        self.dice.pick(&plain)
    }

    /// Some of those, in order; the same one may be there twice.
    fn plain_objects(&mut self, count: usize) -> Vec<usize> {
        let mut objects: Vec<usize> = (0..count).map(|_| self.plain_object()).collect();
        objects.sort_unstable();
        objects
    }

    fn mode(&mut self) -> Mode {
        match self.program.entry {
            Mode::A64 => Mode::A64,
            _ => self.dice.pick(&[Mode::A32, Mode::T32]),
        }
    }

    fn code_section(&mut self) -> String {
        match self.dice.below(6) {
            0..=2 => ".text".to_owned(),
            3 => ".text.hot".to_owned(),
            _ => format!(".text.x{}", self.dice.below(4)),
        }
    }

    fn data_section(&mut self) -> Section {
        let section = |name: String, flags, zero| Section { name, flags, zero };
        let number = self.dice.below(3);
        match self.dice.below(9) {
            0..=2 => section(".data".to_owned(), "aw", false),
            3 => section(format!(".data.x{number}"), "aw", false),
            4 => section(".rodata".to_owned(), "a", false),
            5 => section(format!(".rodata.x{number}"), "a", false),
            6 => section(".bss".to_owned(), "aw", true),
            7 => section(format!(".bss.x{number}"), "aw", true),
            _ => section(format!("values{number}"), "aw", false),
        }
    }

    fn words(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.dice.bits() as u32 | 1).collect()
    }

    fn base(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let object = self.object();
            self.data(object);
        }
        for _ in 0..self.dice.between(1, 3) {
            let object = self.object();
            self.function(object);
        }
    }

    fn data(&mut self, object: usize) -> Id {
        let section = self.data_section();
        let count = self.dice.between(1, 6);
        let words = if section.zero { vec![0; count] } else { self.words(count) };
        let before = if self.dice.one_in(2) { 4 * self.dice.below(16) as u32 } else { 0 };
        let align = 4 << self.dice.below(6);
        let binding = self.dice.pick(BINDINGS);
        self.push(object, What::Data(Data { section, before, align, words, binding }))
    }

    fn function(&mut self, object: usize) -> Id {
        let calls = if self.dice.one_in(3) {
            self.visible(object, |program, item| matches!(item.what, What::Function(_)) && is_function(program, item))
        } else {
            None
        };
        let function = Function {
            section: self.code_section(),
            mode: self.mode(),
            constant: self.dice.constant() & 0x7fff,
            calls,
            binding: self.dice.pick(BINDINGS),
            align: 4 << self.dice.below(4),
        };
        self.push(object, What::Function(function))
    }

    /// An item that an object can refer to.
    fn visible(&mut self, object: usize, wanted: impl Fn(&Program, &Item) -> bool) -> Option<Id> {
        let items = self.program.items.iter();
        let seen = items.filter(|item| is_visible(&self.program, item, object) && wanted(&self.program, item));
        let ids: Vec<Id> = seen.map(|item| item.id).collect();
        if ids.is_empty() { None } else { Some(self.dice.pick(&ids)) }
    }

    fn theme(&mut self, theme: Theme) {
        match theme {
            Theme::References => (0..self.dice.between(2, 5)).for_each(|_| self.references()),
            Theme::Edges => self.edge(),
            Theme::Runs => self.run(),
            Theme::Tables => self.table(),
            Theme::Constructors => self.constructors(),
            Theme::Bounds => self.bounds(),
            Theme::Threads => self.threads(),
            Theme::Weak => self.weak(),
            Theme::Absolute => {
                let number = self.dice.bits() as u32 >> self.dice.below(16);
                let object = self.object();
                let number = self.push(object, What::Absolute(number & 0x7fff_fffc));
                self.references_to(number);
            }
            Theme::Groups => self.group(),
            Theme::Commons => self.common(),
            Theme::Archives => {
                let object = self.object();
                self.function(object);
            }
            Theme::Pointers => self.pointers(),
            Theme::Aliases => self.alias(),
            Theme::Fillers => self.filler(),
        }
    }

    fn edge(&mut self) {
        let mode = self.mode();
        let reaches = dialect::of(mode).reaches();
        if reaches.is_empty() {
            return;
        }
        let kind = self.dice.below(reaches.len());
        let reach = reaches[kind];
        if reach.ahead > 1 << 18 && !self.dice.one_in(8) {
            return;
        }
        let step = if mode == Mode::T32 { 2 } else { 4 };
        let short = if self.dice.one_in(2) { 0 } else { step * self.dice.below(16) as i64 };
        let distance = if self.dice.one_in(2) { reach.ahead - short } else { reach.back + short };
        let object = self.object();
        let section = self.code_section();
        self.push(object, What::Check(Check { section, mode, how: How::Edge { kind, distance } }));
    }

    fn run(&mut self) {
        let run = self.next;
        // `.init` and `.fini` have to be a run in every linker; others as well.
        let taken = |program: &Program, run| {
            program.items.iter().any(|item| matches!(&item.what, What::Step(step) if step.run == run))
        };
        let run = match self.dice.below(4) {
            standard @ 0..=1 if !taken(&self.program, standard as u32) => standard as u32,
            _ => run,
        };
        let mode = self.mode();
        let count = self.dice.between(2, 6);
        let objects = self.plain_objects(count);
        for (number, &object) in objects.iter().enumerate() {
            let part = match number {
                0 => Part::First,
                number if number + 1 == count => Part::Last,
                _ => match self.dice.below(4) {
                    0 => Part::Skip { taken: self.dice.one_in(2) },
                    1 => match self.visible(object, is_function) {
                        Some(function) => Part::Call(function),
                        None => Part::Add(1),
                    },
                    _ => Part::Add(self.dice.constant()),
                },
            };
            self.push(object, What::Step(Step { run, mode, part }));
        }
        self.check(How::Run { run });
    }

    fn check(&mut self, how: How) {
        let object = self.object();
        let (section, mode) = (self.code_section(), self.mode());
        self.push(object, What::Check(Check { section, mode, how }));
    }

    fn table(&mut self) {
        let table = self.next;
        let bounds = super::model::table_has_bounds(table);
        let count = self.dice.between(1, 4) + if bounds { 0 } else { 2 };
        let objects = self.plain_objects(count);
        // An assembler has one section of a name.
        let mixed = self.dice.one_in(2);
        let flags: Vec<&'static str> =
            self.program.archived.iter().map(|_| if mixed { self.dice.pick(&["a", "aw"]) } else { "a" }).collect();
        for (number, &object) in objects.iter().enumerate() {
            let marker = match number {
                _ if bounds => None,
                0 => Some(Marker::Begin),
                number if number + 1 == count => Some(Marker::End),
                _ => None,
            };
            let words = if marker.is_some() && self.dice.one_in(2) { 0 } else { self.dice.below(4) };
            let words = self.words(words);
            let flags = flags[object];
            self.push(object, What::Piece(Piece { table, flags, align: 4, words, marker }));
        }
        self.check(How::Table { table });
    }

    fn constructors(&mut self) {
        if self.program.items.iter().any(|item| matches!(item.what, What::Constructor { .. })) {
            return;
        }
        let ctors = self.dice.one_in(2);
        for number in 0..self.dice.between(2, 5) as u16 {
            // No two alike.
            let priority = 101 + 16 * self.dice.below(400) as u16 + number;
            let array = match self.dice.below(3) {
                0 => Array::Init,
                1 if ctors => Array::CtorsPriority(priority),
                _ => Array::InitPriority(priority),
            };
            let object = self.plain_object();
            let (digit, mode) = (self.dice.between(1, 99) as u32, self.mode());
            self.push(object, What::Constructor { array, digit, mode });
        }
        self.check(How::Constructors);
    }

    fn bounds(&mut self) {
        self.check(How::Cleared);
        let of_image = |_: &Program, item: &Item| match &item.what {
            What::Data(data) => data.section.name.starts_with(".data") || data.section.name.starts_with(".bss"),
            _ => false,
        };
        let object = self.object();
        for _ in 0..2 {
            if let Some(of) = self.visible(object, of_image) {
                let (section, mode) = (self.code_section(), self.mode());
                self.push(object, What::Check(Check { section, mode, how: How::Bounds { of } }));
            }
        }
    }

    fn threads(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let object = self.object();
            let count = self.dice.between(1, 4);
            let words = if self.dice.one_in(3) { vec![0; count] } else { self.words(count) };
            let align = 4 << self.dice.below(5);
            let binding = self.dice.pick(&[Binding::Global, Binding::Global, Binding::Hidden, Binding::Local]);
            let variable = self.push(object, What::Thread { words, align, binding });
            self.references_to(variable);
        }
    }

    fn weak(&mut self) {
        if self.dice.one_in(2) {
            let decoy = self.dice.one_in(3).then(|| {
                self.program.archived.push(true);
                self.program.archived.len() - 1
            });
            let nowhere = self.push(0, What::Nowhere { decoy });
            self.references_to(nowhere);
            return;
        }
        let object = self.plain_object();
        let strong = |_: &Program, item: &Item| match &item.what {
            What::Data(Data { binding, .. }) | What::Function(Function { binding, .. }) => {
                item.object != object && matches!(binding, Binding::Global | Binding::Hidden | Binding::Protected)
            }
            _ => false,
        };
        if let Some(of) = self.visible(object, strong) {
            if self.program.items.iter().any(|item| item.object == object && item.what == What::Twin { of }) {
                return;
            }
            self.push(object, What::Twin { of });
            self.references_to(of);
        }
    }

    fn group(&mut self) {
        let mut objects = self.plain_objects(3);
        objects.dedup();
        let members: Vec<(usize, u32)> = objects.into_iter().map(|object| (object, self.dice.bits() as u32)).collect();
        let function = self.dice.one_in(2);
        let group = self.push(members[0].0, What::Group { members, function });
        self.references_to(group);
    }

    fn common(&mut self) {
        let mut objects = self.plain_objects(3);
        objects.dedup();
        let parts: Vec<(usize, u32, u32)> = objects
            .into_iter()
            .map(|object| (object, self.dice.between(1, 8) as u32, 4 << self.dice.below(6)))
            .collect();
        let common = self.push(parts[0].0, What::Common { parts });
        self.references_to(common);
    }

    fn pointers(&mut self) {
        let object = self.object();
        let mut entries = Vec::new();
        for _ in 0..self.dice.between(1, 4) {
            let pointable = |program: &Program, item: &Item| {
                matches!(kind(program, item), Some(Kind::Data | Kind::Function | Kind::Absolute))
                    && !matches!(item.what, What::Pointers { .. })
            };
            let Some(to) = self.visible(object, pointable) else { continue };
            let Some(item) = self.program.item(to) else { continue };
            let (kind, words) = (kind(&self.program, item), words(&self.program, item));
            let addend = if kind == Some(Kind::Data) { self.dice.below(words as usize) as u32 } else { 0 };
            let kind = match kind {
                Some(Kind::Absolute) => PointerKind::Absolute,
                _ => self.dice.pick(&[
                    PointerKind::Absolute,
                    PointerKind::Absolute,
                    PointerKind::Absolute32,
                    PointerKind::Relative32,
                    PointerKind::Relative64,
                ]),
            };
            entries.push(Pointer { to, addend, kind });
        }
        if entries.is_empty() {
            return;
        }
        let section = match self.dice.below(3) {
            0 => Section { name: ".data".to_owned(), flags: "aw", zero: false },
            1 => Section { name: ".rodata.p".to_owned(), flags: "a", zero: false },
            _ => Section { name: ".data.rel.ro".to_owned(), flags: "aw", zero: false },
        };
        let pointers = self.push(object, What::Pointers { section, entries });
        self.references_to(pointers);
        self.references_to(pointers);
    }

    fn alias(&mut self) {
        let object = self.object();
        let own = |program: &Program, item: &Item| {
            item.object == object && matches!(item.what, What::Data(_) | What::Function(_)) && words(program, item) > 0
        };
        let Some(of) = self.visible(object, own) else { return };
        let words = self.program.item(of).map_or(1, |item| words(&self.program, item));
        let is_data = self.program.item(of).is_some_and(|item| matches!(item.what, What::Data(_)));
        let offset = if is_data { self.dice.below(words as usize) as u32 } else { 0 };
        let binding = self.dice.pick(&[Binding::Global, Binding::Weak, Binding::Hidden]);
        let alias = self.push(object, What::Alias { of, offset, binding });
        self.references_to(alias);
    }

    fn filler(&mut self) {
        let object = self.object();
        let section = if self.dice.one_in(2) {
            Section { name: self.code_section(), flags: "ax", zero: false }
        } else {
            self.data_section()
        };
        let most = 1 << self.dice.below(14);
        let bytes = 4 * self.dice.below(most) as u32;
        let align = 4 << self.dice.below(11);
        self.push(object, What::Filler { section, bytes, align });
    }

    /// A check with references to anything.
    fn references(&mut self) {
        let object = self.object();
        if let Some(target) = self.visible(object, |program, item| kind(program, item).is_some()) {
            self.references_from(object, target);
        }
    }

    /// A check with references to this and others.
    fn references_to(&mut self, target: Id) {
        let Some(item) = self.program.item(target).cloned() else { return };
        let objects: Vec<usize> =
            (0..self.program.archived.len()).filter(|&object| is_visible(&self.program, &item, object)).collect();
        if !objects.is_empty() {
            let object = self.dice.pick(&objects);
            self.references_from(object, target);
        }
    }

    fn references_from(&mut self, object: usize, target: Id) {
        let mode = self.mode();
        let mut list: Vec<Sequence> = Vec::new();
        for number in 0..self.dice.between(1, SEQUENCES) {
            // Often to the same, as what is done for one symbol at two places has to fit.
            let target = match number {
                0 => target,
                _ if self.dice.one_in(2) => target,
                _ => self.visible(object, |program, item| kind(program, item).is_some()).unwrap_or(target),
            };
            if let Some(sequence) = self.sequence(object, mode, target, &list) {
                list.push(sequence);
            }
        }
        if list.is_empty() {
            return;
        }
        let order = (0..self.dice.below(8)).map(|_| self.dice.below(SEQUENCES)).collect();
        let section = self.code_section();
        self.push(object, What::Check(Check { section, mode, how: How::References { list, order } }));
    }

    fn sequence(&mut self, object: usize, mode: Mode, target: Id, before: &[Sequence]) -> Option<Sequence> {
        let item = self.program.item(target)?.clone();
        let kind = kind(&self.program, &item)?;
        let dialect = dialect::of(mode);
        let mut form = self.dice.pick(dialect.forms(kind));
        // Not every linker has this one, and then it sees nothing of the program.
        let rare = matches!(form, Form::GeneralDynamic | Form::LocalDynamic) && self.program.entry.is_64();
        if rare && !self.program.seed.is_multiple_of(8) {
            form = Form::InitialExec;
        }
        // Nor does the 32-bit assembler always write the addend that was meant next to a variable that it knows the place of.
        let known = kind == Kind::Thread && item.object == object && mode != Mode::A64;
        if (is_local(&item) || known) && through_table(form) {
            form = if kind == Kind::Thread { Form::LocalExec } else { Form::Moves };
        }
        let count = words(&self.program, &item);
        let pointers = match &item.what {
            What::Pointers { entries, .. } => entries.len(),
            _ => 0,
        };
        if pointers > 0 && form == Form::PageLoad {
            form = Form::Page;
        }
        let mut addend = if count > 0 && self.dice.one_in(2) { self.dice.below(count as usize) as u32 } else { 0 };
        let mut then = match kind {
            Kind::Function => Use::Call,
            Kind::Absolute | Kind::Nowhere => Use::Number,
            _ if pointers > 0 => Use::Follow(self.dice.below(pointers) as u32),
            Kind::Data | Kind::Thread => Use::Word,
        };
        if then != Use::Word {
            addend = 0;
        }
        let mut shape = self.dice.pick(dialect.shapes(form));
        if let Shape::Shared(_) = shape {
            let room = count.saturating_sub(addend);
            let one_page = form == Form::GotPage || in_one_page(&item);
            let fits = then == Use::Word && room > 1 && one_page;
            shape = if fits { Shape::Shared(1 + self.dice.below(room as usize - 1) as u32) } else { Shape::Apart };
        }
        let is_value = matches!(form, Form::PageLoad | Form::Call | Form::Jump | Form::Conditional);
        if !is_value && matches!(kind, Kind::Data | Kind::Thread) && pointers == 0 && !matches!(shape, Shape::Shared(_))
        {
            let aligned = alignment(&item).filter(|_| self.dice.one_in(6));
            let same = before.iter().position(|other| {
                other.target == target
                    && other.addend == 0
                    && matches!(other.then, Use::Word)
                    && !matches!(other.form, Form::PageLoad)
                    && !matches!(other.shape, Shape::Shared(_))
            });
            if let Some(align) = aligned {
                (then, addend) = (Use::Aligned(align), 0);
            } else if let Some(same) = same.filter(|_| self.dice.one_in(2)) {
                (then, addend) = (Use::Same(same), 0);
            }
        }
        Some(Sequence { target, addend, form, shape, then })
    }
}

/// Whether an object can refer to an item's symbol.
fn is_visible(program: &Program, item: &Item, object: usize) -> bool {
    let local = is_local(item);
    // Assemblers take a symbol that is a number in the same file for the number.
    let number = matches!(item.what, What::Absolute(_)) && item.object == object;
    !is_decoy(program, object) && !number && (!local || item.object == object)
}

/// Whether only its own object sees an item's symbol.
fn is_local(item: &Item) -> bool {
    match &item.what {
        What::Data(Data { binding, .. })
        | What::Function(Function { binding, .. })
        | What::Thread { binding, .. }
        | What::Alias { binding, .. } => *binding == Binding::Local,
        _ => false,
    }
}

/// Whether a form goes through the table. Not for local symbols: assemblers refer to their section and an addend, of which
/// the ABI says that there must be none, and every linker makes something else.
fn through_table(form: Form) -> bool {
    matches!(
        form,
        Form::GotPage
            | Form::GotOrigin
            | Form::GotLiteral
            | Form::LiteralFromGot
            | Form::InitialExec
            | Form::GeneralDynamic
            | Form::LocalDynamic
            | Form::Descriptor
    )
}

/// Whether an object is one that must not be linked.
fn is_decoy(program: &Program, object: usize) -> bool {
    program.items.iter().any(|item| matches!(item.what, What::Nowhere { decoy: Some(at) } if at == object))
}

/// What an item's symbol is for those who refer to it. None for what has none.
fn kind(program: &Program, item: &Item) -> Option<Kind> {
    match &item.what {
        What::Data(_) | What::Common { .. } | What::Pointers { .. } => Some(Kind::Data),
        What::Function(_) => Some(Kind::Function),
        What::Group { function, .. } => Some(if *function { Kind::Function } else { Kind::Data }),
        What::Alias { of, .. } => kind(program, program.item(*of)?),
        What::Absolute(_) => Some(Kind::Absolute),
        What::Nowhere { .. } => Some(Kind::Nowhere),
        What::Thread { .. } => Some(Kind::Thread),
        _ => None,
    }
}

/// How many words lie behind an item's symbol.
fn words(program: &Program, item: &Item) -> u32 {
    match &item.what {
        What::Data(data) => data.words.len() as u32,
        What::Thread { words, .. } => words.len() as u32,
        What::Common { parts } => parts.iter().map(|part| part.1).max().unwrap_or(0),
        What::Alias { of, offset, .. } => program.item(*of).map_or(0, |of| words(program, of)).saturating_sub(*offset),
        What::Group { .. } | What::Function(_) => 1,
        _ => 0,
    }
}

/// Whether all words of an item are in one page, wherever it is put.
fn in_one_page(item: &Item) -> bool {
    match &item.what {
        What::Data(data) => data.before == 0 && data.align as usize >= (4 * data.words.len()).next_power_of_two(),
        _ => false,
    }
}

/// How well an item's symbol is aligned at least, where anything is said about it.
fn alignment(item: &Item) -> Option<u32> {
    match &item.what {
        What::Data(data) if data.before == 0 => Some(data.align),
        What::Common { parts } => parts.iter().map(|part| part.2).max(),
        What::Thread { align, .. } => Some(*align),
        _ => None,
    }
}
