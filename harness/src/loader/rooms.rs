//! Where a loader may put what: the layouts of our linker, of objects that have the same sections, with room behind each, and
//! nothing in them.

use linker::error::Error;
use linker::link::Resolved;
use linker::memory::{Lifetime, Memory, Protection};
use linker::{Layout, Options, Roots, Target};
use object::write::{Object, Symbol, SymbolSection};
use object::{SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf};

use super::description::Places;
use super::object::{Module, Use};
use crate::linking::{self, Data, Externals, Input, Job, Timings};
use crate::oracle;

/// What memory is filled with before a loader has it.
pub(super) const FILLED: u8 = 0xa5;

/// Bytes behind each region that are nobody's.
const BETWEEN: u64 = 16;

/// Bytes for each relocation of code, in which a veneer and a table entry fit.
const EACH: u64 = 32;

/// Bytes of that for one section.
const MOST: u64 = 1 << 17;

/// Bytes that the objects of a case may need in all.
const LARGEST: u64 = 64 << 20;

/// The number by which a loader knows the region of common symbols: SHN_COMMON.
pub(super) const COMMON: u32 = elf::SHN_COMMON.0 as u32;

/// The number of a region that is for any section.
pub(super) const ANY: u32 = 0;

/// A region that a loader may use.
#[derive(Clone, Debug)]
pub(super) struct Region {
    /// The number of the object that it is for.
    pub module: usize,
    /// The index of the section that it is for, [`COMMON`], or [`ANY`].
    pub section: u32,
    /// What that is called.
    pub name: Vec<u8>,
    /// What it is for.
    pub usage: Use,
    /// Where it is.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    alignment: u64,
}

/// Memory with one protection, in which regions are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Where it begins.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    /// What it is for behind the load.
    pub protection: Protection,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    /// In the order of the objects.
    pub regions: Vec<Region>,
    /// In no order.
    pub spans: Vec<Span>,
}

/// Sections of which linkers make something else than of others, and what they are called in a plan.
const OWN: &[(&[u8], Use)] = &[
    (b".eh_frame", Use::Constant),
    (b".ARM.ex", Use::Constant),
    (b".note", Use::Constant),
    (b".init", Use::Data),
    (b".fini", Use::Data),
    (b".preinit", Use::Data),
];

fn planned_name(name: &[u8], usage: Use) -> Vec<u8> {
    let (code, constant, data) = (&b".text"[..], &b".rodata"[..], &b".data"[..]);
    let stem = match usage {
        Use::Code => code,
        Use::Constant => constant,
        Use::Data => data,
    };
    let is_own = OWN.iter().any(|(start, own)| name.starts_with(start) && *own == usage);
    if is_own || name.is_empty() { [stem, name].concat() } else { name.to_vec() }
}

fn room(relocations: u64) -> u64 {
    relocations.saturating_mul(EACH).min(MOST)
}

/// What objects need, without places yet.
fn wanted(modules: &[Module<'_>], places: Places) -> Vec<Region> {
    let mut regions = Vec::new();
    for (module, object) in modules.iter().enumerate() {
        let (common, widest) = object.commons();
        if places == Places::Sections {
            regions.extend(object.sections.iter().map(|section| {
                let behind = if section.usage == Use::Code { room(section.relocations) } else { 0 };
                Region {
                    module,
                    section: section.index,
                    name: section.name.to_vec(),
                    usage: section.usage,
                    address: 0,
                    size: section.size.saturating_add(behind),
                    alignment: section.alignment,
                }
            }));
            if common > 0 {
                let name = b".bss".to_vec();
                let (size, alignment) = (common, widest);
                regions.push(Region { module, section: COMMON, name, usage: Use::Data, address: 0, size, alignment });
            }
            continue;
        }
        for (usage, name) in [(Use::Code, ".text"), (Use::Constant, ".rodata"), (Use::Data, ".data")] {
            let of_kind = || object.sections.iter().filter(|section| section.usage == usage);
            let mut size = of_kind().fold(0u64, |sum, section| {
                let behind = if usage == Use::Code { room(section.relocations) } else { 0 };
                sum.saturating_add(section.size).saturating_add(section.alignment).saturating_add(behind)
            });
            let mut alignment = of_kind().map(|section| section.alignment).max().unwrap_or(1);
            if usage == Use::Data {
                (size, alignment) = (size.saturating_add(common), alignment.max(widest));
            }
            if size > 0 {
                let name = name.as_bytes().to_vec();
                regions.push(Region { module, section: ANY, name, usage, address: 0, size, alignment });
            }
        }
    }
    regions
}

/// An object with a section for each region of a module.
fn stand_in(target: &Target, module: &Module<'_>, regions: &[(usize, &Region)]) -> anyhow::Result<Input> {
    let mut object: Object<'_> = oracle::inputs::start(target, &[])?;
    for (number, region) in regions {
        let usage = region.usage;
        let is_zero = region.name.starts_with(b".bss");
        let kind = match usage {
            _ if is_zero => SectionKind::UninitializedData,
            Use::Code => SectionKind::Text,
            Use::Constant => SectionKind::ReadOnlyData,
            Use::Data => SectionKind::Data,
        };
        let section = object.add_section(Vec::new(), planned_name(&region.name, usage), kind);
        let sh_flags = match usage {
            Use::Code => elf::SHF_ALLOC | elf::SHF_EXECINSTR,
            Use::Constant => elf::SHF_ALLOC,
            Use::Data => elf::SHF_ALLOC | elf::SHF_WRITE,
        };
        let sh_type = if is_zero { elf::SHT_NOBITS } else { elf::SHT_PROGBITS };
        object.section_mut(section).flags = SectionFlags::Elf { sh_type, sh_flags };
        let size = region.size + BETWEEN;
        if is_zero {
            object.append_section_bss(section, size, region.alignment);
        } else {
            object.append_section_data(section, &vec![0; size as usize], region.alignment);
        }
        object.add_symbol(Symbol {
            name: name_of(*number).into_bytes(),
            value: 0,
            size: 0,
            kind: SymbolKind::Label,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    }
    Ok(Input::new(module.name, Data::Read(object.write()?)))
}

fn name_of(region: usize) -> String {
    format!("linkrig.region.{region}")
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// The layout cannot be had, or the machine has no room.
    #[error(transparent)]
    Link(#[from] Box<Error>),
    /// The objects are too large.
    #[error("its sections need {0:#x} bytes, and what loaders are given is bounded to {LARGEST:#x}")]
    Large(u64),
    /// A stand-in could not be made.
    #[error("{0:#}")]
    Object(anyhow::Error),
}

/// Plans where regions are, as our linker would lay out such sections in the memory of this machine.
pub(super) fn plan<M: Memory>(
    memory: &mut M,
    target: &'static Target,
    modules: &[Module<'_>],
    places: Places,
    layout: &Layout,
) -> Result<Rooms, PlanError> {
    let mut regions = wanted(modules, places);
    let needed = regions.iter().fold(0u64, |sum, region| sum.saturating_add(region.size).saturating_add(BETWEEN));
    if needed > LARGEST {
        return Err(PlanError::Large(needed));
    }
    let mut inputs = Vec::new();
    for (number, module) in modules.iter().enumerate() {
        let own: Vec<(usize, &Region)> =
            regions.iter().enumerate().filter(|(_, region)| region.module == number).collect();
        inputs.push(stand_in(target, module, &own).map_err(PlanError::Object)?);
    }
    let options = Options::default();
    let job = Job {
        target,
        inputs: &inputs,
        defines: &[],
        roots: Roots::All,
        layout,
        options: &options,
        wishes: &linking::NO_WISHES,
    };
    let nothing = Externals::Table(&|_| None);
    let resolved: Resolved<'_, M> =
        linking::resolve(&job, memory, &nothing, &mut Timings::default()).map_err(Box::new)?;
    let loaded = resolved.plan().segments.iter().filter(|segment| segment.lifetime == Lifetime::Standard);
    let spans = loaded.filter(|segment| segment.size > 0).map(|segment| Span {
        address: segment.address,
        size: segment.size,
        protection: if segment.relro { Protection::Read } else { segment.protection },
    });
    let spans = spans.collect();
    let graph = resolved.graph();
    for (_, symbol) in graph.symbols.iter() {
        let number = std::str::from_utf8(symbol.name).ok().and_then(|name| name.strip_prefix("linkrig.region."));
        let region = number.and_then(|number| regions.get_mut(number.parse::<usize>().ok()?));
        if let (Some(region), linker::graph::Definition::Block(block, _)) = (region, symbol.definition) {
            region.address = graph.blocks[block].address;
        }
    }
    resolved.abandon(memory);
    Ok(Rooms { regions, spans })
}
