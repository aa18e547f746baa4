//! A linked image, whoever linked it, against the objects that it was made of: each input section is found in the image, and
//! each relocated field that is there is read and judged by the ABI. Nothing is run but the stubs that branches lead through.
//!
//! [`check`] is all of it. `place` finds the sections, by symbols, a map, kept relocations and bytes; `resolve` says what a symbol
//! is; `judge` says what the ABI says, from [`corpus::abi`] and never from the linker's own rows.

mod agreement;
mod content;
mod dynamic;
mod elf;
mod field;
mod findings;
mod image;
mod judge;
mod loaded;
mod merged;
mod object;
mod pieces;
mod place;
mod placement;
mod raw;
mod relaxed;
mod resolve;
mod slots;

use std::borrow::Cow;

use linker::Target;

use crate::exit::BadInput;
use crate::inputs;
use crate::linking::Input;
use crate::map::Map;
use crate::oracle::{Frames, Index, Output};
use crate::raw::Raw;
use judge::Judge;
use placement::{Placement, State};
use resolve::Known;
use slots::Slots;

pub use field::{Field, Site};
pub use findings::{Findings, Sections, Tally, Wrong};
pub use loaded::{Differing, Memory, check_loaded};
pub use placement::Evidence;

/// Finds the sections of these files in an image and judges every relocated field that is there. `map` is what the linker wrote
/// of its layout.
///
/// # Errors
///
/// A [`BadInput`] that names the file and the part of it, where one is malformed or not what it is given for.
pub fn check(image: &Input, inputs: &[Input], map: Option<&Input>) -> Result<Findings, BadInput> {
    visit(image, inputs, map, &mut |_, _, _| {})
}

/// The same of a raw binary, the first byte of which is at `at`, or where the map has its first section with bytes.
///
/// # Errors
///
/// As [`check`] has them; or the map and the file do not agree.
pub fn check_raw(binary: &Input, inputs: &[Input], map: &Input, at: Option<u64>) -> Result<Findings, BadInput> {
    let bad = |name: &str| {
        let name = name.to_owned();
        move |why: String| BadInput(format!("{name}: {why}"))
    };
    let target = inputs.iter().find_map(inputs::target_of);
    let target = target.ok_or_else(|| BadInput(inputs::nothing_to_link(inputs)))?;
    let map_read = Map::read(&map.data).map_err(bad(&map.name))?;
    let objects = object::read(inputs, target).map_err(BadInput)?;
    let understood = Raw::read(target, &binary.data, &map_read, at).map_err(bad(&binary.name))?;
    let mut read = raw::image(target, &understood, &objects).map_err(bad(&binary.name))?;
    dynamic::load(&mut read).map_err(bad(&binary.name))?;
    let placement = place::place(&read, &objects, Some(&map_read));
    Ok(judge_all(&binary.name, &read, &objects, placement, &mut |_, _, _| {}))
}

/// The fields of these files that are in an image, sorted by [`Site::key`].
///
/// # Errors
///
/// As [`check`] has them.
pub fn fields(image: &Input, inputs: &[Input]) -> Result<Vec<Field>, BadInput> {
    let mut fields = Vec::new();
    visit(image, inputs, None, &mut |object, section, judged| fields.extend(Field::of(object, section, judged)))?;
    fields.sort_by(|one, other| one.site.key().cmp(&other.site.key()));
    Ok(fields)
}

/// Who is shown each field with its object and section.
type Visitor<'a> = dyn FnMut(&object::Object<'_>, usize, &judge::Judged) + 'a;

fn visit(
    image: &Input,
    inputs: &[Input],
    map: Option<&Input>,
    visitor: &mut Visitor<'_>,
) -> Result<Findings, BadInput> {
    let bad = |name: &str| {
        let name = name.to_owned();
        move |why: String| BadInput(format!("{name}: {why}"))
    };
    let mut read = image::Image::read(&image.data).map_err(bad(&image.name))?;
    dynamic::load(&mut read).map_err(bad(&image.name))?;
    let objects = object::read(inputs, read.target).map_err(BadInput)?;
    let map = map.map(|map| Map::read(&map.data).map_err(bad(&map.name))).transpose()?;
    let placement = place::place(&read, &objects, map.as_ref());
    let mut findings = judge_all(&image.name, &read, &objects, placement, visitor);
    findings.map_disagrees = map.and_then(|map| agreement::disagreement(&read, &map));
    Ok(findings)
}

/// Judges what is placed.
fn judge_all(
    name: &str,
    read: &image::Image<'_>,
    objects: &[object::Object<'_>],
    placement: Placement,
    visitor: &mut Visitor<'_>,
) -> Findings {
    let mut known = Known::new(read, objects, placement);
    let output = output(read, &known);
    let frames = Frames::read(read.target, &output);
    let found = pieces::find(&known, frames.as_ref(), &Index::read(&output));
    pieces::note(&mut known.placement, found);
    known.find_merged();
    let slots = Slots::read(read);
    let judge = Judge { known: &known, output: &output, slots: &slots };
    let mut findings = Findings::new(name, read.target);
    for (number, object) in objects.iter().enumerate() {
        if !known.placement.linked[number] {
            findings.members_left += 1;
            continue;
        }
        findings.objects += 1;
        for (section, state) in known.placement.states[number].iter().enumerate() {
            let fields = object.relocations.get(&section).map_or(0, Vec::len);
            findings.add_section(object, section, state, fields);
            if matches!(state, State::At(..) | State::Pieces(_)) {
                let (judged, lost) = judge.section(number, section);
                findings.add_lost(lost);
                for one in judged {
                    visitor(object, section, &one);
                    findings.add(read, object, section, one);
                }
            }
        }
    }
    findings
}

/// The image as memory, with what came from objects, at which stubs end.
fn output<'b>(image: &'b image::Image<'_>, known: &Known<'_, '_>) -> Output<'b> {
    let loaded = image.regions.iter().map(|region| (region.address, Cow::Borrowed(&*region.bytes))).collect();
    let mut inputs = Vec::new();
    for (object, states) in known.objects.iter().zip(&known.placement.states) {
        for (section, state) in object.elf.sections.iter().zip(states) {
            if let State::At(address, _) = state {
                inputs.push((*address, section.size.max(1)));
            }
        }
    }
    inputs.sort_unstable();
    let named = |name: &'static [u8]| {
        let regions = image.regions.iter().filter(move |region| region.name == name);
        regions.map(|region| (region.address, region.address + region.bytes.len() as u64)).collect()
    };
    let is_index = |region: &&image::Region<'_>| region.name.starts_with(b".ARM.exidx");
    let indexes = image.regions.iter().filter(is_index);
    let load = image.elf.segments.iter().filter(|segment| segment.kind == ::object::elf::PT_LOAD.0);
    let mut output = Output::placed(image.target, loaded, inputs);
    output.frames = named(b".eh_frame");
    output.indexes = indexes.map(|region| (region.address, region.address + region.bytes.len() as u64)).collect();
    output.segments = load.map(|segment| (segment.address, segment.address.saturating_add(segment.size))).collect();
    output
}

/// Where the thread pointer is from which offsets of thread-local variables are counted, were the initial image the block of a
/// thread: two words before it, and more where it is aligned to more (AAELF64 and AAELF32, Thread Local Storage).
fn thread_pointer(target: &Target, (address, _, align): (u64, u64, u64)) -> u64 {
    let head = 2 * u64::from(target.pointer_bits / 8);
    let before = head + (address.wrapping_sub(head) & align.max(1).wrapping_sub(1));
    address.wrapping_sub(before)
}
