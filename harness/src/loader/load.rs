//! Loads the objects of a case by a loader that runs as the guest.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use linker::error::{Error, text};
use linker::link::Found;
use linker::memory::{self, InFlight as _, Lifetime, MemoryError, Protection, Segment};
use linker::{Layout, Options, Roots, Target};

use super::Loader;
use super::description::Places;
use super::features::Feature;
use super::field::{Field, Known, Ruling};
use super::inspect::Inspection;
use super::object::{self, Module, Name, Place};
use super::program::Loaded;
use super::rooms::{self, FILLED, PlanError, Rooms, Span};
use super::session::{self, Answer, Session};
use crate::executor::{Budget, Call, Executor, PlacementRefused, Register, Stop};
use crate::linked::Linked;
use crate::linking::{self, Externals, Input, Job, Timings};
use crate::subject::{self, Kind, Refusal};
use crate::{locate, startup};

/// The function that a loader is.
const ENTRY: &str = "lr_load";

/// Characters of what a loader prints that are shown.
const MOST_SHOWN: usize = 1000;

/// What is asked of a loader.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// For what.
    pub target: &'static Target,
    /// The objects.
    pub files: &'a [Input],
    /// Symbols at fixed addresses.
    pub defines: &'a [(String, u64)],
    /// Where it goes.
    pub layout: &'a Layout,
    /// Whether an error is expected for a symbol that nobody has.
    pub wants_undefined: bool,
}

/// Why nothing was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not asked: the reason.
    Skip(String),
    /// It says that it does not do this: the reason.
    Lacks(String),
    /// It says that a value does not fit or is not aligned, and so the ABI has it: only a veneer or another layout helps.
    Beyond(Kind, String),
    /// It says that it cannot: with an error of a kind.
    Refused(Refusal),
    /// It does what a loader must not.
    Failed(Vec<String>),
}

impl Trouble {
    fn failed(problem: impl Into<String>) -> Trouble {
        Trouble::Failed(vec![problem.into()])
    }

    fn memory(error: &MemoryError) -> Trouble {
        match error.downcast_ref::<PlacementRefused>() {
            Some(refused) => Trouble::Skip(format!("placement refused: {refused}")),
            None => Trouble::failed(error.to_string()),
        }
    }
}

/// Loads objects into a machine, which has been reset.
pub fn load<'a, E: Executor>(executor: &mut E, loader: &Loader, request: &Request<'a>) -> Result<Loaded<'a>, Trouble> {
    let Request { target, files, layout, .. } = *request;
    let description = &*loader.description;
    let code = loader.files(target).map_err(|error| Trouble::failed(error.to_string()))?;
    let modules = read(files, loader, target)?;
    let (order, circle) = object::order(&modules);
    if circle && (description.places == Places::Kinds || description.lacks(Feature::Circles)) {
        let why = "the objects refer to each other in a circle, and where the later ones will be is not known";
        return Err(Trouble::Skip(why.to_owned()));
    }
    let session = Rc::new(RefCell::new(Session::default()));
    let resolver = session::define(executor.host_mut(), &session);
    foresee(executor, request, &modules)?;
    if description.places == Places::Kinds && matches!(layout, Layout::At(_)) {
        let why = format!("{} cannot be told where single sections go", description.name);
        return Err(Trouble::Skip(why));
    }
    let rooms = rooms::plan(executor, target, &modules, description.places, layout).map_err(|error| match error {
        PlanError::Link(error) => match *error {
            Error::Memory(error) => Trouble::memory(&error),
            error => Trouble::Skip(format!("Linkrig itself has no layout for it: {error}")),
        },
        error => Trouble::Skip(error.to_string()),
    })?;
    if rooms
        .spans
        .iter()
        .any(|span| span.address.checked_add(span.size).is_none_or(|end| target.wrap(end - 1) != end - 1))
    {
        return Err(Trouble::Skip("the layout puts a section across the end of the address space".to_owned()));
    }
    executor.set_budget(Budget::of_instructions(description.instructions));
    let memory = reserve(executor, &rooms.spans, |_| Protection::ReadWrite, &mut |_, bytes| bytes.fill(FILLED))?;
    let handed = hand(executor, &modules, &rooms, description.writes_object)?;
    let host = executor.host().definitions();
    let options = Options::default();
    let job = Job {
        target,
        inputs: &code,
        defines: &[],
        roots: Roots::Names(&[ENTRY]),
        layout: &Layout::Anywhere,
        options: &options,
        wishes: &linking::NO_WISHES,
    };
    let lookup = |name: &str| host.get(name).copied();
    let linked = linking::link(&job, executor, &Externals::Table(&lookup), &mut Timings::default());
    let linked = linked.map_err(|error| match error {
        Error::Memory(error) => Trouble::memory(&error),
        error => Trouble::failed(format!("{} cannot be linked: {error}", description.name)),
    })?;
    let program = Linked::of_link(&linked);
    let name = &description.name;
    startup::set_up(executor, &program, None, &[]).map_err(|error| Trouble::failed(format!("{name}: {error}")))?;
    let mut known = names(executor, request, &modules);
    let mut inspection = Inspection::new(target, &modules, &rooms, description);
    if description.places == Places::Sections {
        for (number, module) in modules.iter().enumerate() {
            for (symbol, address) in inspection.planned(number, module) {
                known.entry(symbol).or_insert(address);
            }
        }
    }
    session.borrow_mut().known = known.into_iter().collect();
    let entry = program.address(ENTRY).unwrap_or(0);
    for &number in &order {
        let module = &modules[number];
        session.borrow_mut().said = session::Said::default();
        let (object, size, memory) = handed[number];
        let arguments = [object, size, memory, resolver];
        let registers = (0..).zip(arguments).map(|(n, value)| (Register::Core(n), u128::from(value))).collect();
        let stop = executor.start(&Call { function: entry, registers, stack: Vec::new() });
        let printed = executor.host_mut().take_printed();
        if stop != Stop::Returned {
            let how = locate::describe(executor, &program, &stop);
            let why = format!("{name} did not return from {ENTRY} for {}: {how}{}", module.name, shown(&printed));
            return Err(Trouble::Failed(vec![why]));
        }
        let result = executor.get(Register::Core(0)) as u32 as i32;
        let said = std::mem::take(&mut session.borrow_mut().said);
        let kind = description.result(result).map(|kind| match kind {
            Kind::Other => subject::kind(&description.says, &String::from_utf8_lossy(&printed)),
            kind => kind,
        });
        if kind == Some(Kind::Undefined) && session.borrow().missing.contains(TABLE) {
            let why = format!("{name} does not define `{}`, which linkers do", text(TABLE));
            return Err(Trouble::Lacks(why));
        }
        if let Some(kind) = kind {
            let section = |index| inspection.seen(number, &said, index);
            let session = session.borrow();
            let known = Known { section: &section, name: &|name| session.known.get(name).copied() };
            let field = said.at.map(|at| Field::new(module, target, at, kind, &known));
            let (at, ruling) = field.map_or((String::new(), None), |field| (field.shown, field.ruling));
            let text = format!("{ENTRY} returned {result} for {}{at}{}", module.name, shown(&printed));
            return Err(match ruling {
                Some(Ruling::Needless(why)) => {
                    Trouble::failed(format!("{name} says: {text}; it is not {}: {why}", kind.name()))
                }
                Some(Ruling::Right(why)) => Trouble::Beyond(kind, format!("{text}; {why}")),
                None => Trouble::Refused(Refusal { kind, text }),
            });
        }
        inspection.note(number, module, &said).map_err(Trouble::Failed)?;
        let mut session = session.borrow_mut();
        for (symbol, address) in inspection.defined(number, module) {
            session.known.insert(symbol, address);
        }
    }
    let contents = contents(executor, &rooms.spans)?;
    inspection.look(&contents).map_err(Trouble::Failed)?;
    let parts = inspection.finish();
    // What was writable while the loader wrote it is from here on what it is for.
    executor.release(vec![memory]).map_err(|error| Trouble::failed(error.to_string()))?;
    reserve(executor, &rooms.spans, |span| span.protection, &mut |number, bytes| {
        bytes.copy_from_slice(&contents[number]);
    })?;
    let arrays = Loaded::arrays(executor, target, &modules, &parts).map_err(Trouble::failed)?;
    Ok(Loaded { target, modules, rooms, parts, arrays, contents })
}

/// Reads the objects, and says what of them this loader is not asked for.
fn read<'a>(files: &'a [Input], loader: &Loader, target: &'static Target) -> Result<Vec<Module<'a>>, Trouble> {
    let description = &loader.description;
    let name = &description.name;
    let lacks = |feature: Feature, what: &str| Trouble::Lacks(format!("{name} takes no {}: {what}", feature.name()));
    let mut modules = Vec::new();
    for file in files {
        if linker::archive::is_archive(&file.data) {
            return Err(lacks(Feature::Archives, &file.name));
        }
        let module = Module::read(file, target).map_err(Trouble::Skip)?;
        let wanted = Feature::SHOWN.iter().filter(|feature| description.lacks(**feature));
        if let Some((feature, what)) = wanted.filter_map(|feature| Some((*feature, feature.shown(&module)?))).next() {
            return Err(lacks(feature, &format!("{}({what})", file.name)));
        }
        modules.push(module);
    }
    let mut defined: BTreeMap<&[u8], &str> = BTreeMap::new();
    for module in &modules {
        for symbol in module.defined() {
            if let Some(other) = defined.insert(symbol.name, module.name).filter(|other| *other != module.name) {
                let (name, here) = (text(symbol.name), module.name);
                let why = format!("`{name}` is defined by {other} and {here}, and a loader has one object at a time");
                return Err(Trouble::Skip(why));
            }
        }
    }
    Ok(modules)
}

/// Sections of these names live by themselves. Of all others of one name, linkers make one run.
const APART: &[&[u8]] = &[
    b".text",
    b".rodata",
    b".data",
    b".bss",
    b".preinit_array",
    b".init_array",
    b".fini_array",
    b".eh_frame",
    b".ARM.",
    b".note",
    b".gcc_except_table",
    b".gnu.linkonce.",
];

/// A name of sections in several objects of which linkers make one run, if there is one.
fn run_of_several(modules: &[Module<'_>]) -> Option<String> {
    let mut seen: BTreeMap<&[u8], &str> = BTreeMap::new();
    for module in modules {
        for section in &module.sections {
            let other = seen.insert(section.name, module.name).filter(|other| *other != module.name);
            if let (Some(other), false) = (other, APART.iter().any(|stem| section.name.starts_with(stem))) {
                return Some(format!(
                    "linkers make one run of `{}` of {other} and {}",
                    text(section.name),
                    module.name
                ));
            }
        }
    }
    None
}

/// Names that are the table's, which a loader that has one makes itself.
const TABLE: &[u8] = b"_GLOBAL_OFFSET_TABLE_";

/// Says which name of the objects is only a linker's to define.
fn foresee<E: Executor>(executor: &E, request: &Request<'_>, modules: &[Module<'_>]) -> Result<(), Trouble> {
    let placed = |module: &Module<'_>, name: &Name<'_>| match name.place {
        Place::Section(index) => module.sections.iter().any(|section| section.index == index),
        _ => true,
    };
    let defined = modules
        .iter()
        .flat_map(|module| module.defined().filter(move |name| placed(module, name)).map(|name| name.name));
    let defined: BTreeSet<&[u8]> = defined.collect();
    let is_known = |name: &[u8]| {
        let external = std::str::from_utf8(name).is_ok_and(|name| {
            request.defines.iter().any(|(known, _)| known == name) || executor.host().lookup(name).is_some()
        });
        external || defined.contains(name) || name == TABLE
    };
    let missing = modules.iter().find_map(|module| {
        let symbol = module.wanted().find(|name| !name.weak && !is_known(name.name))?;
        Some(format!("nobody defines `{}` of {} but linkers", text(symbol.name), module.name))
    });
    let missing = missing.filter(|_| !request.wants_undefined);
    missing.or_else(|| run_of_several(modules)).map_or(Ok(()), |why| Err(Trouble::Skip(why)))
}

/// What is there before any object is: what the case defines, and the host's functions and variables.
fn names<E: Executor>(executor: &E, request: &Request<'_>, modules: &[Module<'_>]) -> BTreeMap<Vec<u8>, Answer> {
    let own: BTreeSet<&[u8]> = modules.iter().flat_map(Module::defined).map(|name| name.name).collect();
    let definitions = executor.host().definitions().into_iter();
    let host = definitions.filter(|(name, _)| !name.starts_with("lr_") && !own.contains(name.as_bytes()));
    let host = host.map(|(name, found)| {
        let found = match found {
            Found::Function(address) => (address, true),
            Found::Data(address) => (address, false),
        };
        (name.into_bytes(), found)
    });
    let mut known: BTreeMap<Vec<u8>, Answer> = host.collect();
    let defines = request.defines.iter().filter(|(name, _)| !own.contains(name.as_bytes()));
    known.extend(defines.map(|(name, address)| (name.as_bytes().to_vec(), (*address, false))));
    known
}

/// What was printed, as a part of a message.
fn shown(printed: &[u8]) -> String {
    if printed.is_empty() {
        return String::new();
    }
    let text: String = String::from_utf8_lossy(printed).trim_end().chars().take(MOST_SHOWN).collect();
    format!("; it printed: {text}")
}

fn segment(place: memory::Place, size: u64, alignment: u64, protection: Protection) -> Segment {
    Segment {
        size,
        content: size as usize,
        alignment,
        protection,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place,
    }
}

/// Memory at these places, with content.
fn reserve<E: Executor>(
    executor: &mut E,
    spans: &[Span],
    protection: impl Fn(&Span) -> Protection,
    fill: &mut dyn FnMut(usize, &mut [u8]),
) -> Result<E::Finalized, Trouble> {
    let segments: Vec<Segment> =
        spans.iter().map(|span| segment(memory::Place::At(span.address), span.size, 1, protection(span))).collect();
    let mut memory = executor.reserve(&segments).map_err(|error| Trouble::memory(&error))?;
    for number in 0..segments.len() {
        fill(number, memory.content(number));
    }
    executor.finalize(memory, &[]).map_err(|error| Trouble::memory(&error))
}

/// What is in memory.
fn contents<E: Executor>(executor: &mut E, spans: &[Span]) -> Result<Vec<Vec<u8>>, Trouble> {
    let read = |span: &Span| {
        let mut bytes = vec![0; span.size as usize];
        executor.peek(span.address, &mut bytes).map_err(|error| Trouble::failed(error.to_string()))?;
        Ok(bytes)
    };
    spans.iter().map(read).collect()
}

/// Puts the objects and what is said of memory into the machine: for each object its address, its size, and the address of its
/// `struct lr_memory`.
fn hand<E: Executor>(
    executor: &mut E,
    modules: &[Module<'_>],
    rooms: &Rooms,
    writable: bool,
) -> Result<Vec<(u64, u64, u64)>, Trouble> {
    let target = executor.info().target;
    let width = target.pointer_bytes();
    let mut bytes: Vec<u8> = Vec::new();
    // Offsets of the objects, of the regions, and of what names them.
    let mut offsets = Vec::new();
    let align = |bytes: &mut Vec<u8>| bytes.resize(bytes.len().next_multiple_of(16), 0);
    for (number, module) in modules.iter().enumerate() {
        let object = bytes.len();
        bytes.extend_from_slice(module.data);
        align(&mut bytes);
        let regions = bytes.len();
        let own = rooms.regions.iter().filter(|region| region.module == number);
        let mut count = 0u64;
        for region in own {
            bytes.extend(target.bytes(region.address, width));
            bytes.extend(target.bytes(region.size, width));
            bytes.extend(target.bytes(region.usage as u64, 4));
            bytes.extend(target.bytes(region.section.into(), 4));
            count += 1;
        }
        align(&mut bytes);
        let memory = bytes.len();
        bytes.resize(memory + width, 0);
        bytes.extend(target.bytes(count, width));
        align(&mut bytes);
        offsets.push((object as u64, regions as u64, memory));
    }
    let protection = if writable { Protection::ReadWrite } else { Protection::Read };
    let wanted = segment(memory::Place::Anywhere, bytes.len() as u64, 16, protection);
    let mut memory = executor.reserve(&[wanted]).map_err(|error| Trouble::memory(&error))?;
    let base = memory.address(0);
    for &(_, regions, at) in &offsets {
        bytes[at..at + width].copy_from_slice(&target.bytes(base + regions, width));
    }
    memory.content(0).copy_from_slice(&bytes);
    executor.finalize(memory, &[]).map_err(|error| Trouble::memory(&error))?;
    let handed = offsets.iter().zip(modules);
    Ok(handed
        .map(|(&(object, _, memory), module)| (base + object, module.data.len() as u64, base + memory as u64))
        .collect())
}
