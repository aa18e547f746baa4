//! A program from a seed.

use super::dialect::{self, Kind};
use super::expect::is_function;
use super::model::{
    Array, Binding, Check, Data, Function, How, Id, Item, Marker, Mode, Part, Piece, Pointer, PointerKind, Program,
    Section, Step, What,
};
use crate::dice::Dice;

mod references;

use references::{is_chosen, is_decoy, is_visible, kind, words};

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
    /// Functions that choose themselves when the program starts
    Chosen,
    /// Constants and strings of which equal ones may become one
    Merged,
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
    Theme::Chosen,
    Theme::Merged,
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

    /// Whether this program does without what GNU ld or lld refuse: most do, as who refuses sees nothing of a program.
    fn avoids_refusals(&self) -> bool {
        !self.program.seed.is_multiple_of(8)
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
            chosen: false,
        };
        self.push(object, What::Function(function))
    }

    /// A function whose place a resolver tells. It has a name that all linkers keep: what is local is up to the assembler.
    fn chosen(&mut self) {
        let object = self.object();
        let function = Function {
            section: self.code_section(),
            mode: self.mode(),
            constant: self.dice.constant() & 0x7fff,
            calls: None,
            binding: self.dice.pick(&[Binding::Global, Binding::Global, Binding::Hidden, Binding::Weak]),
            align: 4 << self.dice.below(4),
            chosen: true,
        };
        let function = self.push(object, What::Function(function));
        self.references_to(function);
        self.references_to(function);
    }

    /// Constants or strings of few different values, in several objects.
    fn merged(&mut self) {
        let strings = self.dice.one_in(2);
        let (name, flags) = if strings { (".rodata.str1.4", "aMS") } else { (".rodata.cst4", "aM") };
        for _ in 0..self.dice.between(2, 5) {
            let object = self.object();
            // Three letters and the zero behind them, or any word.
            let letter = 0x41 + self.dice.below(3) as u32;
            let word = if strings { letter | (letter + 1) << 8 | 0x7a << 16 } else { 0x8000_0000 | letter };
            let section = Section { name: name.to_owned(), flags, zero: false };
            let binding = self.dice.pick(&[Binding::Global, Binding::Hidden]);
            let data = Data { section, before: 0, align: 4, words: vec![word], binding };
            let constant = self.push(object, What::Data(data));
            self.references_to(constant);
        }
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
            Theme::Chosen => self.chosen(),
            Theme::Merged => self.merged(),
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
            What::Data(Data { section, .. }) if section.flags.contains('M') => false,
            What::Function(Function { chosen: true, .. }) => false,
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
                Some(Kind::Absolute) => match item.what {
                    What::Absolute(number) if number < 1 << 15 => PointerKind::Absolute16,
                    _ => PointerKind::Absolute,
                },
                _ if is_chosen(item) && self.avoids_refusals() => PointerKind::Absolute,
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
            let plain = match &item.what {
                What::Data(data) => !data.section.flags.contains('M'),
                What::Function(function) => !function.chosen,
                _ => false,
            };
            item.object == object && plain && words(program, item) > 0
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
}
