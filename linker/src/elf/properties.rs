//! Properties that hold of all code of an object: `.note.gnu.property` (Linux Extensions to gABI, Program Property; System V
//! ABI for the Arm 64-bit Architecture, Program Property) and build attributes.

use object::elf;
use object::read::elf::{FileHeader, SectionHeader};

use super::Reader;
use crate::build::{Properties, Warning};
use crate::error::{Error, Result, Site};
use crate::field::Unit;
use crate::graph::{Content, LinkGraph, object_name};
use crate::index::{Id, ObjectId};
use crate::memory::Protection;

/// The section of properties.
pub(crate) const NOTE: &[u8] = b".note.gnu.property";

const NT_GNU_PROPERTY_TYPE_0: u64 = 5;
const FEATURE_1_AND: u64 = 0xc000_0000;
const FEATURE_PAUTH: u64 = 0xc000_0001;

const BTI: u64 = 1;
const PAC: u64 = 2;
const GCS: u64 = 4;

/// Says in a note of the image what holds of all objects.
pub(super) fn note(graph: &mut LinkGraph<'_>) {
    let wide = graph.target.pointer_bits == 64;
    if let Some(note) = write(&graph.properties, wide, graph.target.big_endian) {
        let alignment = if wide { 8 } else { 4 };
        graph.make_block(NOTE, Protection::Read, false, Content::Owned(note), alignment);
    }
}

/// The note that says this of an image; None if there is nothing to say.
fn write(properties: &Properties, wide: bool, big_endian: bool) -> Option<Vec<u8>> {
    let alignment = if wide { 8 } else { 4 };
    let number = |bytes: &mut Vec<u8>, unit: Unit, value: u64| {
        let start = bytes.len();
        bytes.resize(start + unit.size(), 0);
        let _ = unit.write(&mut bytes[start..], value, big_endian);
    };
    let property = |list: &mut Vec<u8>, kind: u64, unit: Unit, values: &[u64]| {
        number(list, Unit::Data32, kind);
        number(list, Unit::Data32, (values.len() * unit.size()) as u64);
        values.iter().for_each(|&value| number(list, unit, value));
        list.resize(list.len().next_multiple_of(alignment), 0);
    };
    let mut list = Vec::new();
    let bits = [(properties.bti, BTI), (properties.pac, PAC), (properties.gcs, GCS)];
    let bits: u64 = bits.iter().filter(|(has, _)| *has).map(|(_, bit)| bit).sum();
    if bits != 0 {
        property(&mut list, FEATURE_1_AND, Unit::Data32, &[bits]);
    }
    if let Some((platform, version)) = properties.pauth {
        property(&mut list, FEATURE_PAUTH, Unit::Data64, &[platform, version]);
    }
    if list.is_empty() {
        return None;
    }
    let mut note = Vec::new();
    for word in [4, list.len() as u64, NT_GNU_PROPERTY_TYPE_0] {
        number(&mut note, Unit::Data32, word);
    }
    note.extend(b"GNU\0");
    note.extend(list);
    Some(note)
}

/// Reads the notes of a section. None: they are cut short.
fn read(bytes: &[u8], wide: bool, big_endian: bool) -> Option<Properties> {
    let word = |bytes: &[u8], at: usize| Unit::Data32.read(bytes.get(at..)?, big_endian);
    let long = |bytes: &[u8], at: usize| Unit::Data64.read(bytes.get(at..)?, big_endian);
    let alignment = if wide { 8 } else { 4 };
    let mut properties = Properties::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (name_size, size) = (word(rest, 0)? as usize, word(rest, 4)? as usize);
        let kind = word(rest, 8)?;
        let name = rest.get(12..)?.get(..name_size)?;
        let start = name_size.checked_add(12)?.checked_next_multiple_of(alignment)?;
        let mut list = rest.get(start..)?.get(..size)?;
        rest = rest.get(start.checked_add(size)?.checked_next_multiple_of(alignment)?..).unwrap_or_default();
        if kind != NT_GNU_PROPERTY_TYPE_0 || name != b"GNU\0" {
            continue;
        }
        while !list.is_empty() {
            let (kind, size) = (word(list, 0)?, word(list, 4)? as usize);
            let data = list.get(8..)?.get(..size)?;
            match kind {
                FEATURE_1_AND => {
                    let bits = word(data, 0)?;
                    properties.bti |= bits & BTI != 0;
                    properties.pac |= bits & PAC != 0;
                    properties.gcs |= bits & GCS != 0;
                }
                FEATURE_PAUTH => properties.pauth = Some((long(data, 0)?, long(data, 8)?)),
                // Others are not for this machine, or not known.
                _ => {}
            }
            list = list.get(size.checked_add(8)?.checked_next_multiple_of(alignment)?..).unwrap_or_default();
        }
    }
    Some(properties)
}

impl<Elf: FileHeader> Reader<'_, '_, Elf> {
    pub(super) fn warn(&mut self, site: Site, text: String) {
        self.graph.warnings.push(Warning { site, text });
    }

    /// Reads the properties of the object, where the machine has any.
    pub(super) fn read_properties(&mut self, index: usize, header: &Elf::SectionHeader) {
        if self.graph.target.machine != elf::EM_AARCH64.0 {
            return;
        }
        let wide = self.graph.target.pointer_bits == 64;
        let bytes = header.data(self.endian, self.data).unwrap_or_default();
        match read(bytes, wide, self.graph.target.big_endian) {
            Some(properties) => self.properties = self.properties.or(properties),
            None => {
                let text = "the properties are cut short: taken to be none".to_owned();
                self.warn(self.section_site(index), text);
            }
        }
    }

    /// Reads the build attributes of the object, and makes one of them and those of the objects before.
    pub(super) fn read_attributes(&mut self, index: usize, header: &Elf::SectionHeader) -> Result<()> {
        let bytes = header.data(self.endian, self.data).map_err(|_| {
            super::malformed(self.section_site(index), "sh_offset and sh_size reach beyond the end of the file".into())
        })?;
        let arch = self.graph.arch;
        let mut new = arch.attributes(bytes, self.graph.target.big_endian, self.object);
        if let Some(problem) = new.problem.take() {
            self.warn(self.section_site(index), format!("build attributes: {problem}: left out"));
        }
        if let Some(refused) = new.refused.take() {
            let site = Box::new(self.section_site(index));
            return Err(Error::Incompatible { site, problem: format!("build attributes: {refused}") });
        }
        self.properties = self.properties.or(new.properties);
        self.graph.core = self.graph.core.max(arch.core(&new));
        for mismatch in arch.merge(&mut self.graph.attributes, &new) {
            let other = mismatch.other.filter(|other| other.index() > 0).map(|other| self.other(other));
            let problem = mismatch.problem + &other.unwrap_or_default();
            if mismatch.fatal {
                return Err(Error::Incompatible { site: Box::new(self.site()), problem });
            }
            self.warn(self.site(), problem);
        }
        Ok(())
    }

    fn other(&self, other: ObjectId) -> String {
        format!("; for instance {}", object_name(&self.graph.objects[other]))
    }

    /// Makes the link's properties of those of its objects so far.
    pub(super) fn merge_properties(&mut self) -> Result<()> {
        let (all, own) = (self.graph.properties, self.properties);
        if let (Some(old), Some(new)) = (all.pauth, own.pauth)
            && old != new
        {
            let problem = format!(
                "signs pointers by platform {:#x}, version {:#x}, others by platform {:#x}, version {:#x} (PAuth ABI)",
                new.0, new.1, old.0, old.1
            );
            return Err(Error::Incompatible { site: Box::new(self.site()), problem });
        }
        let first = self.object.index() == 1;
        self.graph.properties = if first { own } else { all.and(own) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = Properties { bti: true, gcs: true, ..Properties::default() };
        let signed = Properties { pac: true, pauth: Some((0x1000_0002, 0x55)), ..Properties::default() };
        for properties in [one, signed] {
            for (wide, big_endian) in [(true, false), (true, true), (false, false)] {
                let note = write(&properties, wide, big_endian).expect("something to say");
                assert_eq!(read(&note, wide, big_endian), Some(properties));
            }
        }
        // SYSVABI64, Program Property: as binutils writes it for -z force-bti.
        let bti = Properties { bti: true, ..Properties::default() };
        let words = [4, 16, 5, 0x55_4e47, 0xc000_0000, 4, 1, 0u32];
        assert_eq!(write(&bti, true, false), Some(words.iter().flat_map(|word| word.to_le_bytes()).collect()));
        assert_eq!(write(&Properties::default(), true, false), None);
    }
}
