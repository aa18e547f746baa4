//! The objects of which an image was made, and the members of the archives.

use linker::Target;
use linker::error::text;
use object::elf;
use rustc_hash::FxHashMap;

use super::elf::{Elf, Place, Relocation, Section, Symbol};
use crate::inputs;
use crate::linking::Input;

/// An object.
#[derive(Debug)]
pub(super) struct Object<'a> {
    /// As messages call it: the file, and the member of an archive.
    pub(super) name: String,
    /// The last part of the file's path, and the member: as map files are searched.
    pub(super) key: (String, Option<String>),
    pub(super) elf: Elf<'a>,
    /// Relocations by the section that they are for.
    pub(super) relocations: FxHashMap<usize, Vec<Relocation>>,
    /// The group that a section is in, by the name that only one of all objects provides (COMDAT).
    pub(super) groups: FxHashMap<usize, &'a [u8]>,
    /// The symbols of each section, with names.
    pub(super) symbols: FxHashMap<usize, Vec<Symbol<'a>>>,
    /// What the compiler was given.
    pub(super) source: Option<&'a [u8]>,
}

impl Object<'_> {
    /// Whether it is a member of an archive, which is linked if somebody asks for it.
    pub(super) fn is_member(&self) -> bool {
        self.key.1.is_some()
    }
}

/// Reads the objects of these files. Other members of archives are passed over.
pub(super) fn read<'a>(files: &'a [Input], target: &Target) -> Result<Vec<Object<'a>>, String> {
    let mut objects = Vec::new();
    for file in files {
        let base = file.name.rsplit('/').next().unwrap_or(&file.name).to_owned();
        let Some(members) = inputs::members(file) else {
            let key = (base, None);
            objects.push(one(file.name.clone(), key, &file.data, target)?);
            continue;
        };
        for (member, data) in members {
            if !data.starts_with(b"\x7fELF") {
                continue;
            }
            let short = member.rsplit('/').next().unwrap_or(&member).to_owned();
            objects.push(one(format!("{}({member})", file.name), (base.clone(), Some(short)), data, target)?);
        }
    }
    Ok(objects)
}

fn one<'a>(name: String, key: (String, Option<String>), data: &'a [u8], target: &Target) -> Result<Object<'a>, String> {
    let elf = Elf::read(data).map_err(|why| format!("{name}: {why}"))?;
    if elf.kind != elf::ET_REL.0 {
        return Err(format!("{name}: expected a relocatable object, and e_type is {}", elf.kind));
    }
    if (elf.machine, elf.bits, elf.big_endian) != (target.machine, target.pointer_bits, target.big_endian) {
        return Err(format!("{name}: it is for another machine than the image, which is for {}", target.name));
    }
    let beyond =
        |symbol: &&Symbol<'_>| matches!(symbol.place, Place::Section(section) if section >= elf.sections.len());
    if let Some(symbol) = elf.symbols.iter().find(beyond) {
        return Err(format!("{name}: symbol {} is in a section that is none", text(symbol.name)));
    }
    let mut relocations: FxHashMap<usize, Vec<Relocation>> = FxHashMap::default();
    let mut groups = FxHashMap::default();
    for section in &elf.sections {
        let list = elf.relocations(section).map_err(|why| format!("{name}: {why}"))?;
        if !list.is_empty() {
            let place = section.info as usize;
            check(&elf, section, place, &list).map_err(|why| format!("{name}: {why}"))?;
            relocations.entry(place).or_default().extend(list);
        }
        if section.kind == elf::SHT_GROUP.0 {
            read_group(&elf, section, &mut groups);
        }
    }
    for list in relocations.values_mut() {
        list.sort_by_key(|relocation| relocation.offset);
    }
    let mut symbols: FxHashMap<usize, Vec<Symbol<'a>>> = FxHashMap::default();
    for symbol in &elf.symbols {
        if let (Place::Section(section), false, false) = (symbol.place, symbol.is_section(), symbol.is_anonymous()) {
            symbols.entry(section).or_default().push(*symbol);
        }
    }
    let source = elf.symbols.iter().find(|symbol| symbol.is_file()).map(|symbol| symbol.name);
    Ok(Object { name, key, elf, relocations, groups, symbols, source })
}

/// That relocations are of a section there is, and of symbols there are.
fn check(elf: &Elf<'_>, table: &Section<'_>, place: usize, list: &[Relocation]) -> Result<(), String> {
    let table = text(table.name);
    let section =
        elf.sections.get(place).ok_or_else(|| format!("{table}: sh_info names section {place}, which is none"))?;
    for (index, relocation) in list.iter().enumerate() {
        let shown = || format!("{table}: relocation {index} (type {})", relocation.number);
        if relocation.offset > section.size {
            let (name, size) = (text(section.name), section.size);
            return Err(format!(
                "{}: its offset {:#x} is not in {name}, which has {size:#x} bytes",
                shown(),
                relocation.offset
            ));
        }
        if relocation.symbol != 0 && relocation.symbol >= elf.symbols.len() {
            return Err(format!("{}: it names symbol {}, which is none", shown(), relocation.symbol));
        }
    }
    Ok(())
}

/// Notes the members of a group of which one of all objects is taken.
fn read_group<'a>(elf: &Elf<'a>, group: &Section<'a>, groups: &mut FxHashMap<usize, &'a [u8]>) {
    let words = group.data.chunks_exact(4).map(|word| super::elf::number(word, elf.big_endian));
    let mut words = words.peekable();
    let is_comdat = words.next().is_some_and(|flags| flags & u64::from(elf::GRP_COMDAT.0) != 0);
    let signature = elf.symbols.get(group.info as usize).map(|symbol| match symbol.place {
        // Assemblers of old name the group by the section that it is the symbol of.
        Place::Section(section) if symbol.is_section() => {
            elf.sections.get(section).map_or(symbol.name, |section| section.name)
        }
        _ => symbol.name,
    });
    if let (true, Some(signature)) = (is_comdat, signature) {
        groups.extend(words.map(|member| (member as usize, signature)));
    }
}
