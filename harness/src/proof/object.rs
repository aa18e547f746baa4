//! Links of objects with one relocation.

use corpus::abi::{Entry, Inputs, Relocation};
use linker::graph::LinkGraph;
use linker::index::{BlockId, EdgeId};
use linker::layout::At;
use linker::link::Fixed;
use linker::memory::Action;
use linker::platform::{Meaning, Platform};
use linker::{Error, Layout, Options, Parsed, Roots, Target};

use super::elf::GUARD;
use super::memory::Anywhere;
use super::scene::{Aim, Scene, ZERO};

pub use super::elf::object;

/// How a link came out.
#[derive(Debug)]
pub struct Linked {
    /// What the formula is made of, as laid out.
    pub inputs: Inputs,
    /// The word and whether anything around it changed, or the error.
    pub outcome: Result<Written, Error>,
}

/// What is in memory.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The word under the relocation.
    pub word: u64,
    /// Whether the bytes around it are as they were.
    pub guarded: bool,
    /// The address of the stub it goes through.
    pub stub: Option<u64>,
}

/// The object's name in messages and layouts.
pub(crate) const FILE: &str = "one.o";

impl Scene {
    /// Where everything goes.
    pub(crate) fn layout(&self) -> Layout {
        let at = |file: &str, section: &str, address| At { file: file.into(), section: section.into(), address };
        let mut list = vec![at(FILE, ".place", self.p.wrapping_sub(GUARD.len() as u64))];
        list.extend(self.got.map(|address| at("linker", ".got", address)));
        if let Aim::Inside(_) = self.aim {
            list.push(at(FILE, ".zero", ZERO));
        }
        Layout::At(list)
    }
}

/// Makes the link.
pub fn link(target: &'static Target, relocation: &Relocation, scene: &Scene) -> Result<Linked, String> {
    let data = object(target, relocation, scene);
    let memory = &mut Anywhere;
    let mut inputs = Inputs { a: scene.a, ..Inputs::default() };
    let mut place = None;
    let mut run = || {
        // The transcription has what Linux has, on every target.
        let platform = Platform { target1: Some(Meaning::Absolute), target2: Some(Meaning::GotRelative) };
        let mut parsed = Parsed::new(target, Options { platform, ..Options::unrelaxed() });
        parsed.add(FILE, &data)?;
        let reserved = parsed.prune(Roots::All)?.reserve(memory, &scene.layout())?;
        place = lay_of(target, reserved.graph(), scene, &mut inputs);
        if let Aim::Inside(_) = scene.aim {
            let inside = |segment: &&linker::layout::Planned| {
                (segment.address..segment.address + segment.size).contains(&inputs.s)
            };
            inputs.base = reserved.plan().segments.iter().find(inside).map_or(0, |segment| segment.address);
        }
        reserved.resolve(memory, |_| None)?.fix(memory)
    };
    let result = run();
    let Some((block, edge)) = place else {
        let error = result.err().ok_or("the place is not in the link")?;
        return Ok(Linked { inputs, outcome: Err(error) });
    };
    let outcome = match result {
        Ok(mut fixed) => {
            check_entry(target, relocation, scene, &mut fixed, &inputs)?;
            check_actions(relocation, &fixed, &inputs)?;
            Ok(written(target, relocation, &mut fixed, block, edge).ok_or("the place is not in its segment")?)
        }
        Err(error) => Err(error),
    };
    Ok(Linked { inputs, outcome })
}

/// Fills in what layout has decided. None if the place is not there.
fn lay_of(target: &Target, graph: &LinkGraph<'_>, scene: &Scene, inputs: &mut Inputs) -> Option<(BlockId, EdgeId)> {
    let named =
        |name: &[u8]| graph.blocks.iter().find(|(_, block)| block.live && graph.sections[block.section].name == name);
    let (id, block) = named(b".place")?;
    let edge = block.edge_ids().next()?;
    inputs.p = block.address + GUARD.len() as u64;
    inputs.got = graph.got.map_or(0, |got| graph.blocks[got].address);
    // The origin of the table is a matter of the linker's; that of a segment is filled in by the caller.
    inputs.base = inputs.got;
    let entry = graph.entries.iter().find(|made| made.edge == edge);
    inputs.entry = entry.and_then(|made| graph.address(made.symbol)).unwrap_or(0);
    inputs.descriptor = inputs.entry;
    (inputs.s, inputs.t) = match scene.aim {
        Aim::Label(address) => (address, false),
        Aim::Function(address, thumb) => (address, thumb),
        Aim::Inside(offset) => (named(b".zero")?.1.address + offset, false),
        Aim::Origin => (inputs.got, false),
        Aim::Nothing => (0, false),
        Aim::ThreadLocal(offset) => {
            inputs.tls = named(b".tdata")?.1.address;
            // Variant 1: the block lies behind two words that the thread pointer points at; its alignment is theirs.
            inputs.tp = inputs.tls.wrapping_sub(2 * target.pointer_bytes() as u64);
            (inputs.tls + offset, false)
        }
    };
    inputs.s = target.wrap(inputs.s);
    Some((id, edge))
}

/// Bytes of a block; none where the offset is not in its segment.
fn word_at(fixed: &mut Fixed<'_, Anywhere>, block: BlockId, offset: u64, bytes: usize) -> Option<Vec<u8>> {
    let block = &fixed.graph().blocks[block];
    let (segment, address) = (block.segment as usize, block.address);
    let start = address.wrapping_sub(fixed.plan().segments[segment].address).wrapping_add(offset) as usize;
    fixed.content(segment).get(start..start.checked_add(bytes)?).map(<[u8]>::to_vec)
}

fn written(
    target: &Target,
    relocation: &Relocation,
    fixed: &mut Fixed<'_, Anywhere>,
    block: BlockId,
    edge: EdgeId,
) -> Option<Written> {
    let place = relocation.form.place;
    let guard = GUARD.len();
    let bytes = word_at(fixed, block, 0, guard * 2 + place.size())?;
    let stub = fixed.graph().stubs.iter().find(|made| made.edge == edge);
    let stub = stub.and_then(|made| fixed.graph().value(made.symbol));
    Some(Written {
        word: place.word_in_memory(&bytes[guard..], target.big_endian),
        guarded: bytes[..guard] == GUARD && bytes[guard + place.size()..] == GUARD,
        stub,
    })
}

/// Finalization signs the place, calls what it holds, or does nothing with it, as the formula says.
fn check_actions(relocation: &Relocation, fixed: &Fixed<'_, Anywhere>, inputs: &Inputs) -> Result<(), String> {
    let text = relocation.formula.as_ref().map_or("", |formula| formula.text());
    let (mut signs, mut calls) = (false, None);
    for action in fixed.actions() {
        match action {
            Action::Sign { slot, .. } => signs |= slot == inputs.p,
            Action::CallAndStore { function, slot } if slot == inputs.p => calls = Some(function),
            _ => {}
        }
    }
    let function = text.starts_with("FUNCINIT(").then(|| inputs.s.wrapping_add_signed(inputs.a));
    if signs == text.starts_with("PAUTH(") && calls == function {
        Ok(())
    } else {
        Err(format!("finalization signs the place: {signs}, calls for it {calls:x?}, expected {function:x?}"))
    }
}

/// The entry of the table holds what the formula says it is for.
fn check_entry(
    target: &Target,
    relocation: &Relocation,
    scene: &Scene,
    fixed: &mut Fixed<'_, Anywhere>,
    inputs: &Inputs,
) -> Result<(), String> {
    let Some(formula) = &relocation.formula else { return Ok(()) };
    // Of S + A only as our extension: an object that has an addend here breaks a rule of the ABI, and gets what it meant.
    let Some((entry, with_addend)) =
        relocation.entry().or(formula.mentions("FUNCDESC").then_some((Entry::Function, false)))
    else {
        return Ok(());
    };
    let got = fixed.graph().got.ok_or("there is no table")?;
    let size = target.pointer_bytes();
    let offset = target.wrap(inputs.entry.wrapping_sub(inputs.got));
    let signed = |offset: u64| {
        let mut signatures = fixed.graph().signatures.iter();
        signatures.any(|signature| signature.block == got && u64::from(signature.offset) == offset)
    };
    let words = match entry {
        Entry::Address | Entry::Signed | Entry::ThreadOffset => 1,
        Entry::Function if formula.entry().is_some() => 3,
        _ => 2,
    };
    let bytes = fixed.graph().blocks[got].content.size();
    if scene.pair.is_none() && bytes != (scene.before + words) * size as u64 {
        return Err(format!("the table has {bytes} bytes, expected {} words", scene.before + words));
    }
    let signs = matches!(entry, Entry::Signed | Entry::SignedDescriptor);
    if (signed(offset) || signed(offset + size as u64)) != signs {
        return Err(format!("the entry at {:#x} is not signed as it should be", inputs.entry));
    }
    let mut outside = false;
    let mut word = |index: usize| {
        let bytes = word_at(fixed, got, offset.wrapping_add((index * size) as u64), size);
        outside |= bytes.is_none();
        bytes.map_or(0, |bytes| target.number(&bytes))
    };
    let sum = inputs.s.wrapping_add(if with_addend { inputs.a as u64 } else { 0 });
    let (address, thread, block) =
        (sum | u64::from(inputs.t), sum.wrapping_sub(inputs.tp), sum.wrapping_sub(inputs.tls));
    let holds = match entry {
        Entry::Address | Entry::Signed => word(0) == target.wrap(address),
        Entry::ThreadOffset => word(0) == target.wrap(thread),
        Entry::ModuleAndOffset => word(0) != 0 && word(1) == target.wrap(block),
        Entry::Module => word(0) != 0 && word(1) == 0,
        Entry::Descriptor | Entry::SignedDescriptor => {
            // In whichever order: the function, and its argument.
            let (pair, argument) = ([word(0), word(1)], target.wrap(thread));
            pair.contains(&argument) && pair.iter().any(|&function| function != 0 && function != argument)
        }
        Entry::Function => {
            // The formula leads to the descriptor, or to its address.
            let at = if formula.entry().is_some() { target.wrap(word(0).wrapping_sub(inputs.got)) } else { offset };
            let held = [at, at.wrapping_add(size as u64)].map(|at| word_at(fixed, got, at, size));
            let held = held.map(|bytes| bytes.map(|bytes| target.number(&bytes)));
            held == [Some(target.wrap(address)), Some(inputs.got)]
        }
    };
    if holds && !outside {
        Ok(())
    } else {
        Err(format!("the entry at {:#x} does not hold {entry:?} of {sum:#x}", inputs.entry))
    }
}
