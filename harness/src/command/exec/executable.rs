//! `exec` of an executable that another linker made.

use linker::{TARGETS, Target, foreign};

use super::{Args, Ended};
use crate::executor::{Call, Executor, FaultKind, Register, Stop};
use crate::exit::{BadInput, Usage};
use crate::inputs::{Inputs, is_elf, is_executable};
use crate::linked::{Executable, Linked, LoadError, Prepared, Problem};
use crate::linking::{Data, Input};
use crate::map::Map;
use crate::messages;
use crate::raw::Raw;

/// An executable is linked already, and nothing else can be.
///
/// # Errors
/// There is one, and more files.
pub(super) fn is_alone(inputs: &Inputs) -> Result<(), Usage> {
    let mut executables = inputs.files.iter().filter(|file| is_executable(&file.data));
    match executables.next() {
        Some(file) if inputs.files.len() > 1 => Err(Usage(format!(
            "{} is an executable, which is linked already: run it alone, or link the objects that it was made of",
            file.name
        ))),
        _ => Ok(()),
    }
}

/// The map of a raw binary, if there is one.
///
/// # Errors
/// It is no map, or the file is no raw binary.
pub(super) fn raw(args: &Args, inputs: &Inputs) -> anyhow::Result<Option<Map>> {
    let Some(path) = &args.map else {
        let unknown = |file: &&Input| foreign::describe(&file.data) == foreign::UNKNOWN;
        if let Some(file) = inputs.files.iter().find(unknown) {
            let what = "expected an ELF object; a raw binary is run with the map that its linker wrote: --map FILE";
            return Err(BadInput(format!("{} is {}, {what}", file.name, foreign::UNKNOWN)).into());
        }
        return Ok(None);
    };
    let [file] = &inputs.files[..] else {
        return Err(Usage("--map is for one raw binary, which is linked already".to_owned()).into());
    };
    if is_elf(&file.data) {
        let problem = format!("{} is an ELF file, which says itself what is where: leave out --map", file.name);
        return Err(Usage(problem).into());
    }
    let text = Data::open(path)?;
    let map = Map::read(&text).map_err(|why| BadInput(format!("{}: {why}", path.display())))?;
    if let Some(output) = map.output.as_deref().filter(|output| !is_format_of(output, inputs.target)) {
        let alike: Vec<&str> = TARGETS.iter().filter(|it| is_format_of(output, it)).map(|it| it.name).collect();
        let instead =
            if alike.is_empty() { String::new() } else { format!(", which is --arch {}", alike.join(" or ")) };
        return Err(Usage(format!(
            "--arch {}: {} is the map of an image of the format {output}{instead}",
            inputs.target.name,
            path.display()
        ))
        .into());
    }
    Ok(Some(map))
}

/// Whether a target's images are of a format, by GNU ld's names: `elf64-littleaarch64`, `elf32-bigarm`.
fn is_format_of(output: &str, target: &Target) -> bool {
    let order = if target.big_endian { "big" } else { "little" };
    let bits = target.pointer_bits;
    let name =
        if target.register_bits == 64 { format!("elf{bits}-{order}aarch64") } else { format!("elf{bits}-{order}arm") };
    output == name
}

/// A raw binary does not say what it is for: what ends at once by an instruction that is none may be for another processor.
pub(super) fn hint_of_raw(args: &Args, linked: &Linked<'_>, stop: &Stop, in_constructor: bool) {
    const FIRST: u64 = 4;
    let (true, Some(fault)) = (args.map.is_some(), stop.fault()) else { return };
    let begins = linked.address(&args.entry).map(|address| address & !1);
    let is_first = begins.is_some_and(|begins| (begins..begins + FIRST).contains(&fault.pc));
    if matches!(fault.kind, FaultKind::Undefined | FaultKind::State) && (is_first || in_constructor) {
        messages::note(&format!(
            "the first instructions are none of {}: --arch may be wrong, as the file does not say what it is for",
            linked.target.description
        ));
    }
}

/// Loads a raw binary, as start-up code leaves it.
pub(super) fn load_raw<'data, E: Executor>(
    machine: &mut E,
    args: &Args,
    file: &'data Input,
    map: &'data Map,
    target: &'static Target,
) -> Result<Linked<'data>, LoadError> {
    let raw = Raw::read(target, &file.data, map, args.at).map_err(|what| LoadError {
        file: file.name.clone(),
        problem: Problem::Malformed { at: "its map".to_owned(), what },
    })?;
    Executable::of_raw(&file.name, &raw, target, machine.page_size())?.load(machine, Prepared::Relocated)
}

/// Loads it: for a function of it to be called, or else as a system would for its entry point.
pub(super) fn load<'data, E: Executor>(
    machine: &mut E,
    args: &Args,
    file: &'data Input,
    target: &'static Target,
) -> Result<Linked<'data>, LoadError> {
    let executable = Executable::read(&file.name, &file.data, target)?;
    let called = executable.defines(&args.entry) || args.entry != "main";
    executable.load(machine, if called { Prepared::Relocated } else { Prepared::Mapped })
}

/// Calls what was asked for, or starts it where it says.
pub(super) fn start<E: Executor>(machine: &mut E, args: &Args, linked: &Linked<'_>) -> anyhow::Result<Ended> {
    if linked.symbol(&args.entry).is_some() || args.entry != "main" {
        return super::start(machine, args, linked);
    }
    let Some(function) = linked.entry else {
        anyhow::bail!("it has no main, and does not say where it starts: name a function with --entry");
    };
    machine.set_stack(args.stack).map_err(anyhow::Error::msg)?;
    let stack = stack(machine, args, function)?;
    let stop = machine.start(&Call { function, registers: Vec::new(), stack });
    Ok(Ended::Stopped("from its entry point on".to_owned(), stop))
}

/// What a system has on the stack of a new process (generic ABI, Process Initialization): the arguments, an empty environment,
/// and an auxiliary vector.
fn stack<E: Executor>(machine: &mut E, args: &Args, entry: u64) -> anyhow::Result<Vec<u8>> {
    const AT_NULL: u64 = 0;
    const AT_PAGESZ: u64 = 6;
    const AT_ENTRY: u64 = 9;
    const AT_RANDOM: u64 = 25;
    let mut words = vec![args.argv.len() as u64 + 1];
    for text in std::iter::once(&args.inputs.files[0]).chain(&args.argv) {
        let bytes = [text.as_bytes(), &[0]].concat();
        words.push(machine.buffer(&bytes)?);
    }
    // Not random: a run is to be had again.
    let random = machine.buffer(&[0x5a; 16])?;
    let page = machine.info().page_size;
    words.extend([0, 0, AT_PAGESZ, page, AT_ENTRY, entry, AT_RANDOM, random, AT_NULL, 0]);
    let target = machine.info().target;
    Ok(words.into_iter().flat_map(|word| target.bytes(word, target.pointer_bytes())).collect())
}

/// What to know about a stop of an executable: the number of a system call, and names that it was linked without.
pub(super) fn hint<E: Executor>(machine: &E, linked: &Linked<'_>, stop: &Stop) {
    if *stop == Stop::Syscall {
        let number = machine.get(Register::Core(if machine.info().is_64() { 8 } else { 7 })) as u64;
        messages::note(&format!(
            "it asks the system for call {number}, which nobody serves here: --system linux runs an executable as a process"
        ));
    }
    if !linked.unbound.is_empty() && stop.fault().is_some() {
        let names: Vec<String> = linked.unbound.iter().take(8).map(|name| linker::error::text(name)).collect();
        messages::note(&format!("it was linked without a definition of {}, whose address is 0", names.join(", ")));
    }
}
