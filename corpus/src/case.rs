//! Cases: what is built, how it is linked, what is expected.

mod check;
mod load;
mod values;

use std::path::{Path, PathBuf};

use linker::target::Target;

use crate::directive::{Location, Part, Scope, Subject};
use crate::matrix::{self, Build, Recipe, ToolchainId, Versions};
use crate::sets;
use crate::target::ROWS;
use crate::value::Value;
use linker::Layout;

pub(crate) use load::parse_all;
pub use load::{LoadError, load_all, parse};

/// One case: one source with directives, or one of its variants when it has a `for`.
#[derive(Clone, Debug)]
pub struct Case {
    /// `GROUP/NAME`, with `-VALUE` for each `for`.
    pub name: String,
    /// The file it stands in, as errors and reports name it: below the corpus, `GROUP/NAME.EXT`.
    pub file: String,
    /// Its sources, in link order. Headers (`.h`) are there to be included.
    pub parts: Vec<Part>,
    /// Name and value of each `for`, which are macros when compiling.
    pub values: Vec<(String, String)>,
    /// The targets it is for, in the order of the table.
    pub targets: Vec<&'static Target>,
    /// Builds; none means the default.
    pub builds: Vec<Scoped<Builds>>,
    /// Flags added to builds.
    pub flags: Vec<Scoped<Vec<String>>>,
    /// Parts joined into one file.
    pub groups: Vec<Scoped<PartGroup>>,
    /// Layouts; none means the default.
    pub layouts: Vec<Scoped<Vec<Layout>>>,
    /// Absolute symbols of the host.
    pub defines: Vec<Scoped<(String, u64)>>,
    /// Live roots besides the functions called.
    pub keeps: Vec<Scoped<Vec<String>>>,
    /// What the message of a link that fails holds.
    pub link_errors: Vec<Scoped<String>>,
    /// Calls, in order.
    pub calls: Vec<Scoped<Call>>,
    /// Registers after the last call.
    pub registers: Vec<Scoped<Register>>,
    /// Memory after the last call.
    pub memory: Vec<Scoped<Memory>>,
    /// All that was printed.
    pub prints: Vec<Scoped<Vec<u8>>>,
    /// How a call ends the program.
    pub exits: Vec<Scoped<Exit>>,
    /// The fault a call ends in.
    pub faults: Vec<Scoped<Fault>>,
    /// How many instructions the program may take.
    pub budgets: Vec<Scoped<u64>>,
    /// Relocations that the objects hold.
    pub covers: Vec<Scoped<Vec<String>>>,
    /// Why it must not pass.
    pub xfails: Vec<Scoped<String>>,
    /// The hash of what its objects depend on besides the flags: see [`Case::fingerprint`].
    pub(crate) sources: String,
}

/// A directive's value, with where it stands and for what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoped<T> {
    /// For what it holds.
    pub scope: Scope,
    /// Where the directive stands.
    pub at: Location,
    /// What it says.
    pub value: T,
}

/// What a `build` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builds {
    /// A named set, `@standard`.
    Set(String),
    /// A compiler with flags.
    One(Recipe),
}

/// Parts that become one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartGroup {
    /// What they become.
    pub kind: GroupKind,
    /// The file's name.
    pub name: String,
    /// The parts, in order.
    pub members: Vec<String>,
}

/// How parts are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// A static archive.
    Archive,
    /// One object, by `ld -r`.
    Partial,
}

/// A call and what it returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function's symbol.
    pub function: String,
    /// What it is given.
    pub arguments: Vec<Value>,
    /// What it returns.
    pub result: CallResult,
}

/// What a call is expected to return.
#[derive(Clone, Debug, PartialEq)]
pub enum CallResult {
    /// This number or address.
    Value(Value),
    /// `void`: anything.
    Void,
    /// `?`: nobody has said yet, so it fails.
    Unblessed,
}

/// An address: a number, or a symbol with an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// This address.
    Absolute(u64),
    /// A symbol plus an offset.
    Symbol(String, i64),
}

/// A register and its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// Its name, in lower case.
    pub name: String,
    /// What it holds.
    pub value: RegisterValue,
}

/// The content of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterValue {
    /// These bits, zero-extended.
    Bits(u64),
    /// The address of a symbol plus an offset, with the Thumb bit of a Thumb function.
    Address(String, i64),
}

/// Memory and its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Where it is.
    pub place: Address,
    /// What is there.
    pub content: MemoryContent,
}

/// The content of memory.
#[derive(Clone, Debug, PartialEq)]
pub enum MemoryContent {
    /// Typed values, one after the other: numbers in the target's byte order, addresses as wide as a pointer, buffers as
    /// their bytes.
    Values(Vec<Value>),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// How a program ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `exit(N)`
    Status(i32),
    /// `abort()`
    Abort,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// The pc, when given.
    pub at: Option<Address>,
    /// The address accessed, when given.
    pub address: Option<Address>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A read of memory that is not there or not readable.
    Read,
    /// A write to memory that is not there or not writable.
    Write,
    /// A fetch from memory that is not there or not executable.
    Fetch,
    /// An undefined instruction.
    Undefined,
    /// A breakpoint instruction.
    Breakpoint,
    /// An access that is not aligned.
    Unaligned,
    /// The wrong instruction set state: a return in another one, or a branch to A32 code on a core that has none.
    State,
    /// An access below a stack that is used up.
    Stack,
    /// Out of instructions, time or whatever else a run may take.
    Budget,
}

impl FaultKind {
    /// Every kind with its word in directives.
    pub const ALL: [(&'static str, FaultKind); 9] = [
        ("read", FaultKind::Read),
        ("write", FaultKind::Write),
        ("fetch", FaultKind::Fetch),
        ("undefined", FaultKind::Undefined),
        ("breakpoint", FaultKind::Breakpoint),
        ("unaligned", FaultKind::Unaligned),
        ("state", FaultKind::State),
        ("stack", FaultKind::Stack),
        ("budget", FaultKind::Budget),
    ];
}

/// All that is expected of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Expectations<'a> {
    /// Absolute symbols of the host.
    pub defines: Vec<(&'a str, u64)>,
    /// Live roots besides the functions called.
    pub keeps: Vec<&'a str>,
    /// What the message of the failing link holds; empty when linking succeeds.
    pub link_errors: Vec<&'a str>,
    /// Calls, in order, with where they stand.
    pub calls: Vec<(&'a Call, Location)>,
    /// Registers after the last call.
    pub registers: Vec<(&'a Register, Location)>,
    /// Memory after the last call.
    pub memory: Vec<(&'a Memory, Location)>,
    /// All that was printed, when it matters.
    pub prints: Option<&'a [u8]>,
    /// How the program ends itself, when it does.
    pub exit: Option<Exit>,
    /// The fault, when one is expected.
    pub fault: Option<&'a Fault>,
    /// How many instructions it may take, where that is said.
    pub budget: Option<u64>,
    /// Why it must not pass.
    pub xfail: Option<&'a str>,
}

/// The layouts of a case that names none.
pub const DEFAULT_LAYOUTS: [Layout; 4] = [Layout::Near, Layout::Far, Layout::High, Layout::Random(1)];

/// The targets of a case that names none.
pub const DEFAULT_TARGETS: [&str; 3] = ["armv7", "thumbv7", "aarch64"];

/// Where the corpus of this source tree is.
pub fn default_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The values whose scope holds.
fn holding<'a, T>(list: &'a [Scoped<T>], subject: &Subject<'_>) -> std::vec::IntoIter<&'a Scoped<T>> {
    let holding: Vec<&Scoped<T>> = list.iter().filter(|scoped| scoped.scope.holds(subject)).collect();
    holding.into_iter()
}

/// Of each compiler the first recipe with `-O2`, or the first: enough to see what a variant changes.
fn few(recipes: Vec<Recipe>) -> Vec<Recipe> {
    let of = |family| {
        let mut own = recipes.iter().filter(|recipe| recipe.family == family);
        own.clone().find(|recipe| recipe.flags.iter().any(|flag| flag == "-O2")).or(own.next()).cloned()
    };
    matrix::Family::ALL.into_iter().filter_map(of).collect()
}

/// The one that holds; of several the one with the narrowest scope.
fn narrowest<'a, T>(list: &'a [Scoped<T>], subject: &Subject<'_>) -> Option<&'a Scoped<T>> {
    list.iter().filter(|scoped| scoped.scope.holds(subject)).max_by_key(|scoped| scoped.scope.0.len())
}

impl Case {
    /// A line of its file, counted from 1, where a part has it.
    pub fn line(&self, number: usize) -> Option<&str> {
        let part = self.parts.iter().rfind(|part| part.line < number)?;
        part.text.lines().nth(number - part.line - 1)
    }

    /// Whether it is for this target.
    pub fn is_for(&self, target: &Target) -> bool {
        self.targets.iter().any(|own| own.name == target.name)
    }

    /// The builds for a target, as recipes.
    pub fn recipes(&self, target: &'static Target) -> Vec<Recipe> {
        let subject = Subject { target, build: None, part: None, layout: None };
        let mut recipes = Vec::new();
        for scoped in holding(&self.builds, &subject) {
            match &scoped.value {
                Builds::Set(name) => recipes.extend(sets::set(name, target).unwrap_or_default()),
                Builds::One(recipe) => recipes.push(recipe.clone()),
            }
        }
        let recipes = if recipes.is_empty() { self.default_recipes(target) } else { recipes };
        let row = crate::target::row(target);
        if row.variant_of.is_none() {
            return recipes;
        }
        let compiled = self.parts.iter().any(|part| ["c", "cc", "ll"].contains(&part.extension()));
        few(recipes.into_iter().filter(|recipe| !compiled || row.compilers.contains(&recipe.family)).collect())
    }

    fn default_recipes(&self, target: &'static Target) -> Vec<Recipe> {
        let has = |extensions: &[&str]| self.parts.iter().any(|part| extensions.iter().any(|e| part.extension() == *e));
        if has(&["ll"]) {
            let flags = ["-O2", "-fno-pic"].map(str::to_owned).to_vec();
            return vec![Recipe { family: matrix::Family::Clang, flags }];
        }
        sets::set(if has(&["c", "cc"]) { "standard" } else { "asm" }, target).unwrap_or_default()
    }

    /// Every build, for the targets that are named (all of the case's when none is).
    pub fn builds(&self, targets: &[&str], versions: Versions<'_>) -> Vec<Build> {
        let mut builds = Vec::new();
        for &target in &self.targets {
            if !targets.is_empty() && !targets.contains(&target.name) {
                continue;
            }
            for recipe in self.recipes(target) {
                let toolchain = ToolchainId { family: recipe.family, major: versions(recipe.family, target) };
                builds.push(Build::new(target, toolchain, recipe.flags));
            }
        }
        builds
    }

    /// The stable name of a configuration: `elf/<arch>/<group>/<case>/<build>/<layout>/<executor>`.
    pub fn configuration_name(&self, build: &Build, layout: &Layout, executor: &str) -> String {
        format!("elf/{}/{}/{}/{layout}/{executor}", build.target.name, self.name, build.label)
    }

    /// The layouts for a target.
    pub fn layouts(&self, target: &'static Target) -> Vec<Layout> {
        let subject = Subject { target, build: None, part: None, layout: None };
        narrowest(&self.layouts, &subject).map_or_else(|| DEFAULT_LAYOUTS.to_vec(), |scoped| scoped.value.clone())
    }

    /// Whether what it expects for a target is meant for a layout, too, that it does not name. A case that names none is for all, and one
    /// that names some for those of the same kind: what is out of reach in one place is not in another. What is placed by hand, whoever
    /// places it answers for.
    pub fn is_for_layout(&self, target: &'static Target, layout: &Layout) -> bool {
        let subject = Subject { target, build: None, part: None, layout: None };
        let kind = std::mem::discriminant(layout);
        matches!(layout, Layout::At(_))
            || narrowest(&self.layouts, &subject)
                .is_none_or(|named| named.value.iter().any(|own| std::mem::discriminant(own) == kind))
    }

    /// The flags that `flags` adds for a part of a build.
    pub fn flags<'a>(&'a self, build: &Build, part: &str) -> Vec<&'a str> {
        let subject = Subject { target: build.target, build: Some(build), part: Some(part), layout: None };
        holding(&self.flags, &subject).flat_map(|scoped| &scoped.value).map(String::as_str).collect()
    }

    /// All flags for a part of a build but those that name files.
    pub fn compiler_flags(&self, build: &Build, part: &str) -> Vec<String> {
        let mut flags = crate::target::flags(build, part);
        flags.extend(build.flags.iter().cloned());
        flags.extend(self.flags(build, part).into_iter().map(str::to_owned));
        flags.extend(self.values.iter().map(|(name, value)| format!("-D{name}={value}")));
        flags
    }

    /// The archives and partial links for a target.
    pub fn groups<'a>(&'a self, target: &'static Target) -> Vec<&'a PartGroup> {
        let subject = Subject { target, build: None, part: None, layout: None };
        holding(&self.groups, &subject).map(|scoped| &scoped.value).collect()
    }

    /// The relocations that the objects for a target are to hold, in at least one configuration.
    /// The scopes narrow down in which builds; without a build all of the target's are meant.
    pub fn covers<'a>(&'a self, target: &'static Target, build: Option<&Build>) -> Vec<&'a str> {
        let row = crate::target::row(target);
        let own = |name: &str| {
            let classes = ROWS.iter().map(|row| row.class).filter(|class| name.starts_with(class.prefix()));
            classes.max_by_key(|class| class.prefix().len())
        };
        // The few builds of a variant need not hold what those of the target it is one of do.
        let base = ROWS.iter().find(|base| Some(base.name) == row.variant_of);
        if base.is_some_and(|base| base.class == row.class) {
            return Vec::new();
        }
        let holds = |scope: &Scope| match build {
            Some(_) => scope.holds(&Subject { target, build, part: None, layout: None }),
            None => self
                .builds(&[target.name], &matrix::wanted)
                .iter()
                .any(|build| scope.holds(&Subject { target, build: Some(build), part: None, layout: None })),
        };
        let names = self.covers.iter().filter(|scoped| holds(&scoped.scope)).flat_map(|scoped| &scoped.value);
        names.map(String::as_str).filter(|name| own(name) == Some(row.class)).collect()
    }

    /// What is expected of this build in this layout.
    pub fn expectations<'a>(&'a self, build: &Build, layout: &Layout) -> Expectations<'a> {
        let subject = Subject { target: build.target, build: Some(build), part: None, layout: Some(layout) };
        let subject = &subject;
        Expectations {
            defines: holding(&self.defines, subject).map(|s| (s.value.0.as_str(), s.value.1)).collect(),
            keeps: holding(&self.keeps, subject).flat_map(|s| &s.value).map(String::as_str).collect(),
            link_errors: holding(&self.link_errors, subject).map(|s| s.value.as_str()).collect(),
            calls: holding(&self.calls, subject).map(|s| (&s.value, s.at)).collect(),
            registers: holding(&self.registers, subject).map(|s| (&s.value, s.at)).collect(),
            memory: holding(&self.memory, subject).map(|s| (&s.value, s.at)).collect(),
            prints: narrowest(&self.prints, subject).map(|s| s.value.as_slice()),
            exit: narrowest(&self.exits, subject).map(|s| s.value),
            fault: narrowest(&self.faults, subject).map(|s| &s.value),
            budget: narrowest(&self.budgets, subject).map(|s| s.value),
            xfail: narrowest(&self.xfails, subject).map(|s| s.value.as_str()),
        }
    }

    /// A hash of all that the objects for a target depend on, the compilers apart: the sources without their directives,
    /// so that new expectations make nothing stale, and every flag.
    pub fn fingerprint(&self, target: &'static Target) -> String {
        let mut text = format!("{}\n", self.sources);
        for build in self.builds(&[target.name], &|_, _| 0) {
            for part in &self.parts {
                let flags = self.compiler_flags(&build, &part.name).join(" ");
                text.push_str(&format!("{} {} {flags}\n", build.label, part.name));
            }
        }
        for group in self.groups(target) {
            text.push_str(&format!("{group:?}\n"));
        }
        crate::digest::sha256(text.as_bytes())
    }
}

impl Part {
    /// What comes after the last dot of its name.
    pub fn extension(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The name of its object: `a.c` becomes `a.o`.
    pub fn object_name(&self) -> String {
        format!("{}.o", self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem))
    }

    /// Whether it is compiled, and not a header or a linker script.
    pub fn is_source(&self) -> bool {
        !crate::directive::scan::READ.contains(&self.extension())
    }

    /// Whether it says how parts are joined.
    pub fn is_script(&self) -> bool {
        self.extension() == "lds"
    }
}
