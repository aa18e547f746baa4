//! Objects with one relocation, and their links.

use corpus::abi::{Class, Entry, Inputs, Place, Relocation};
use linker::graph::LinkGraph;
use linker::index::{BlockId, EdgeId};
use linker::layout::At;
use linker::link::Fixed;
use linker::memory::Action;
use linker::platform::{Meaning, Platform};
use linker::{Error, Layout, Options, Parsed, Roots, Target};
use object::write::{Object, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::memory::Anywhere;

/// What the relocation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// A label at this address.
    Label(u64),
    /// A function at this address, in Thumb code or not.
    Function(u64, bool),
    /// So many bytes into a section of its own.
    Inside(u64),
    /// A thread-local variable, so many bytes into the image.
    ThreadLocal(u64),
    /// The origin of the global offset table.
    Origin,
    /// A symbol that nobody defines.
    Nothing,
}

/// One link to be made.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The word under the relocation.
    pub word: u64,
    /// The addend: in the relocation, or already in the word where relocations have none.
    pub a: i64,
    /// The address of the place.
    pub p: u64,
    /// What it refers to.
    pub aim: Aim,
    /// Where the global offset table goes.
    pub got: Option<u64>,
    /// Entries in the table before the one of the relocation.
    pub before: u64,
    /// Another relocation of the same symbol, in a section of its own: its number, and the word under it.
    pub pair: Option<(u32, u64)>,
}

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

/// Bytes before and behind the place that nothing may change.
const GUARD: [u8; 4] = [0xa5, 0x5a, 0xc3, 0x3c];

/// Bytes of a thread-local image; the variables lie in it.
const IMAGE: u64 = 0x20;

fn symbol(object: &mut Object<'_>, name: &str, kind: SymbolKind, section: SymbolSection, value: u64) -> SymbolId {
    object.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value,
        size: 0,
        kind,
        scope: SymbolScope::Linkage,
        weak: false,
        section,
        flags: SymbolFlags::None,
    })
}

fn relocate(object: &mut Object<'_>, section: SectionId, offset: u64, number: u32, symbol: SymbolId, addend: i64) {
    let flags = RelocationFlags::Elf { r_type: object::elf::RelocationType(number) };
    let relocation = object::write::Relocation { offset, symbol, addend, flags };
    // The only error is a number too large for the file format, and numbers come from its tables.
    let _ = object.add_relocation(section, relocation);
}

/// Little-endian bytes in the order that they have in objects: data of a big-endian target is big-endian, and so is code
/// for ARM, although it is not in memory (AAELF32, EF_ARM_BE8).
fn in_object(target: &Target, place: Place, mut bytes: Vec<u8>) -> Vec<u8> {
    let unit = if place == Place::T32 { 2 } else { place.size() };
    if target.big_endian && place != Place::A64 {
        bytes.chunks_mut(unit.max(1)).for_each(<[u8]>::reverse);
    }
    bytes
}

/// Mapping symbols: name and offset.
fn map(object: &mut Object<'_>, section: SectionId, symbols: &[(&str, usize)]) {
    for &(name, value) in symbols {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: value as u64,
            size: 0,
            kind: SymbolKind::Unknown,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::Elf {
                st_info: object::elf::SymbolInfo::default(),
                st_other: object::elf::SymbolOther::default(),
            },
        });
    }
}

/// What asks for entries before the one that matters: number and word. A64 has an entry for each addend.
fn filler(class: Class) -> (u32, u32) {
    match class {
        Class::Arm => (26, 0),
        Class::Lp64 => (312, 0xf940_0000),
        Class::Ilp32 => (27, 0xb940_0000),
    }
}

/// The object of a link.
pub fn object(target: &Target, relocation: &Relocation, scene: &Scene) -> Vec<u8> {
    let class = corpus::target::row(target).class;
    let architecture = match class {
        Class::Arm => Architecture::Arm,
        Class::Lp64 => Architecture::Aarch64,
        Class::Ilp32 => Architecture::Aarch64_Ilp32,
    };
    let endian = if target.big_endian { Endianness::Big } else { Endianness::Little };
    let mut object = Object::new(BinaryFormat::Elf, architecture, endian);
    let code = relocation.form.place.is_code();
    let kind = |code| if code { SectionKind::Text } else { SectionKind::Data };
    let fillers = (scene.before > 0).then(|| {
        let section = object.add_section(Vec::new(), b".fillers".to_vec(), kind(true));
        let words = vec![filler(class).1.to_le_bytes(); scene.before as usize].concat();
        object.append_section_data(section, &words, 4);
        section
    });
    let section = object.add_section(Vec::new(), b".place".to_vec(), kind(code));
    let place = relocation.form.place;
    let bytes = [&GUARD[..], &in_object(target, place, place.bytes(scene.word)), &GUARD].concat();
    object.append_section_data(section, &bytes, if code { 2 } else { 1 });
    if class == Class::Arm && code {
        let name = if place == Place::A32 { "$a" } else { "$t" };
        map(&mut object, section, &[("$d", 0), (name, GUARD.len()), ("$d", GUARD.len() + place.size())]);
    }
    // Threads have variables in every link, so that no formula of theirs comes to the same as one that knows nothing of them.
    let image = object.add_section(Vec::new(), b".tdata".to_vec(), SectionKind::Tls);
    object.append_section_data(image, &[0x11; IMAGE as usize], 8);
    let (kind, at, value) = match scene.aim {
        Aim::Label(address) => (SymbolKind::Label, SymbolSection::Absolute, address),
        Aim::Function(address, thumb) => (SymbolKind::Text, SymbolSection::Absolute, address | u64::from(thumb)),
        Aim::Inside(offset) => {
            let zero = object.add_section(Vec::new(), b".zero".to_vec(), SectionKind::UninitializedData);
            object.append_section_bss(zero, offset + 16, 16);
            (SymbolKind::Label, SymbolSection::Section(zero), offset)
        }
        Aim::ThreadLocal(offset) => (SymbolKind::Tls, SymbolSection::Section(image), offset),
        Aim::Origin | Aim::Nothing => (SymbolKind::Label, SymbolSection::Undefined, 0),
    };
    let name = if scene.aim == Aim::Origin { "_GLOBAL_OFFSET_TABLE_" } else { "aim" };
    let aim = symbol(&mut object, name, kind, at, value);
    if let Some(fillers) = fillers {
        for index in 0..scene.before {
            // ARM has one entry for each symbol, AArch64 for each sum.
            let at = SymbolSection::Absolute;
            let other = symbol(&mut object, &format!("other{index}"), SymbolKind::Label, at, 0x77_0000);
            relocate(&mut object, fillers, 4 * index, filler(class).0, other, 0);
        }
    }
    let addend = if class == Class::Arm { 0 } else { scene.a };
    if let Some((number, word)) = scene.pair {
        let section = object.add_section(Vec::new(), b".pair".to_vec(), SectionKind::Text);
        object.append_section_data(section, &(word as u32).to_le_bytes(), 4);
        relocate(&mut object, section, 0, number, aim, addend);
    }
    relocate(&mut object, section, GUARD.len() as u64, relocation.number, aim, addend);
    object.write().unwrap_or_default()
}

/// The object's name in messages and layouts.
pub(super) const FILE: &str = "one.o";

impl Scene {
    /// Where everything goes.
    pub(super) fn layout(&self) -> Layout {
        let at = |file: &str, section: &str, address| At { file: file.into(), section: section.into(), address };
        let mut list = vec![at(FILE, ".place", self.p.wrapping_sub(GUARD.len() as u64))];
        list.extend(self.got.map(|address| at("linker", ".got", address)));
        if let Aim::Inside(_) = self.aim {
            list.push(at(FILE, ".zero", 0x5123_4000));
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
