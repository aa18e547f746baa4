//! The objects of a comparison: those that belong together, or each member of an archive by itself. What they need from
//! elsewhere is an object of ours, so that all linkers see the same definitions.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use corpus::abi;
use linker::graph::{Flags, LinkGraph};
use linker::relocation::Class;
use linker::{Options, Parsed, Target, defined};
use object::write::{Object, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, Object as _, ObjectSection, SectionFlags, SectionKind,
    SymbolFlags, SymbolKind, SymbolScope,
};

use crate::inputs;
use crate::linking::{Data, Input};

/// One link to be compared.
pub struct Bundle {
    /// What it is called: a file, or an archive with a member.
    pub name: String,
    /// Its objects.
    pub objects: Vec<Input>,
}

/// Objects given together make one bundle; each member of an archive is one.
pub fn bundles(files: Vec<Input>) -> Result<Vec<Bundle>> {
    let mut bundles = Vec::new();
    let mut objects = Vec::new();
    for file in files {
        let Some(members) = inputs::members(&file) else {
            objects.push(file);
            continue;
        };
        for (member, data) in members {
            let name = format!("{}({member})", file.name);
            if data.starts_with(&object::elf::ELFMAG) {
                let input = Input::new(name.clone(), Data::Read(data.to_vec()));
                bundles.push(Bundle { name, objects: vec![input] });
            }
        }
    }
    if !objects.is_empty() {
        let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        bundles.insert(0, Bundle { name: names.join(" "), objects });
    }
    if bundles.is_empty() {
        bail!("there is no object to compare");
    }
    Ok(bundles)
}

/// The bundle with an object that defines what is missing in it.
pub fn complete(target: &'static Target, mut bundle: Bundle) -> Result<Bundle> {
    bundle.objects.extend(externals(target, &bundle.objects)?);
    Ok(bundle)
}

/// Bytes from one definition of ours to the next.
const STRIDE: u64 = 16;

/// An object that defines what nothing in these defines: functions, data, thread-local variables. None if nothing is missing.
fn externals(target: &'static Target, objects: &[Input]) -> Result<Option<Input>> {
    let mut parsed = Parsed::new(target, Options::default());
    for object in objects {
        parsed.add_object(&object.name, &object.data)?;
    }
    let graph = parsed.graph();
    let wanted = missing(graph);
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut object = start(target, objects)?;
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    for (kind, section, what) in [
        (Class::Branch, (".text.externals", SectionKind::Text), SymbolKind::Text),
        (Class::Data, (".data.externals", SectionKind::Data), SymbolKind::Data),
        (Class::Tls, (".tdata.externals", SectionKind::Tls), SymbolKind::Tls),
    ] {
        let names: Vec<&[u8]> = wanted.iter().filter(|entry| *entry.1 == kind).map(|entry| *entry.0).collect();
        if names.is_empty() {
            continue;
        }
        let id = object.add_section(Vec::new(), section.0.as_bytes().to_vec(), section.1);
        object.append_section_data(id, &vec![0; names.len() * STRIDE as usize], STRIDE);
        for (index, name) in names.into_iter().enumerate() {
            let thumb = u64::from(what == SymbolKind::Text && target.thumb);
            object.add_symbol(Symbol {
                name: name.to_vec(),
                value: (index as u64 * STRIDE) | thumb,
                size: STRIDE,
                kind: what,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(id),
                flags: SymbolFlags::None,
            });
        }
    }
    Ok(Some(Input::new("externals.o".to_owned(), Data::Read(object.write()?))))
}

/// Adds a global symbol to an object of ours.
pub(crate) fn symbol(
    object: &mut Object<'_>,
    name: &str,
    kind: SymbolKind,
    section: SymbolSection,
    value: u64,
) -> SymbolId {
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

/// An object of ours with the build attributes of the first of these: without any, llvm-jitlink refuses it.
pub(crate) fn start(target: &Target, objects: &[Input]) -> Result<Object<'static>> {
    let architecture = match corpus::target::find(target)?.class {
        abi::Class::Arm => Architecture::Arm,
        abi::Class::Ilp32 => Architecture::Aarch64_Ilp32,
        abi::Class::Lp64 => Architecture::Aarch64,
    };
    let endian = if target.big_endian { Endianness::Big } else { Endianness::Little };
    let mut object = Object::new(BinaryFormat::Elf, architecture, endian);
    if architecture == Architecture::Arm {
        let e_flags = object::elf::EF_ARM_EABI_VER5;
        object.flags = FileFlags::Elf { os_abi: object::elf::ELFOSABI_NONE, abi_version: 0, e_flags };
        let attributes = objects.iter().find_map(|input| {
            let file = object::File::parse(&*input.data).ok()?;
            Some(file.section_by_name(ATTRIBUTES)?.data().ok()?.to_vec())
        });
        if let Some(attributes) = attributes {
            let section = object.add_section(Vec::new(), ATTRIBUTES.as_bytes().to_vec(), SectionKind::Other);
            let (sh_type, sh_flags) = (object::elf::SHT_ARM_ATTRIBUTES, object::elf::SectionFlags::default());
            object.section_mut(section).flags = SectionFlags::Elf { sh_type, sh_flags };
            object.append_section_data(section, &attributes, 1);
        }
    }
    Ok(object)
}

/// The section of build attributes.
const ATTRIBUTES: &str = ".ARM.attributes";

/// The names that nobody defines, and what they have to be.
fn missing<'a>(graph: &'a LinkGraph<'_>) -> BTreeMap<&'a [u8], Class> {
    let mut wanted: BTreeMap<&[u8], Class> = BTreeMap::new();
    for (_, edge) in graph.edges.iter() {
        let symbol = &graph.symbols[edge.target];
        let made = |name: &[u8]| {
            let of_section = name.strip_prefix(b"__start_").or_else(|| name.strip_prefix(b"__stop_"));
            of_section.is_some_and(|section| graph.sections.iter().any(|(_, known)| known.name == section))
                || defined::DEFINED.iter().any(|(known, ..)| known.as_bytes() == name)
        };
        let weak = symbol.binding == linker::graph::Binding::Weak;
        if !symbol.is_undefined() || weak || symbol.name.is_empty() || made(symbol.name) {
            continue;
        }
        let row = graph.row(edge);
        let class = match row.class {
            Class::Tls => Class::Tls,
            _ if symbol.flags.has(Flags::TLS) => Class::Tls,
            class if class.is_branch() || class == Class::BranchData => Class::Branch,
            _ => Class::Data,
        };
        // Somebody calls it: then it is a function for those, too, who only want its address.
        let known = wanted.entry(symbol.name).or_insert(class);
        if *known == Class::Data {
            *known = class;
        }
    }
    wanted
}
