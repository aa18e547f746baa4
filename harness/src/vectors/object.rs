//! The object file of a vector.

use corpus::abi::{Class, Relocation};
use linker::Target;
use linker::arch::arm::cores;
use object::SectionFlags;
use object::write::Object;

use super::data::Record;
use super::pick::Pick;
use crate::proof::elf;

/// The object of a vector; none if it would be large, or cannot be written.
pub(super) fn object(target: &Target, relocation: &Relocation, pick: &Pick) -> Option<Vec<u8>> {
    /// Entries in a table before the one that matters.
    const MOST: u64 = 64;
    if pick.scene.before > MOST {
        return None;
    }
    let mut object = elf::start(target);
    if relocation.class == Class::Arm {
        attributes(&mut object, target);
    }
    // No stack of its own, so that no linker warns.
    let note = object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), object::SectionKind::Other);
    object.section_mut(note).flags =
        SectionFlags::Elf { sh_type: object::elf::SHT_PROGBITS, sh_flags: object::elf::SectionFlags::default() };
    elf::add(&mut object, target, relocation, &pick.scene, pick.definition);
    let data = object.write().ok()?;
    if relocation.class == Class::Arm && pick.record == Record::Rela {
        return with_addends(data, target, pick.scene.a);
    }
    Some(data)
}

/// The build attributes of the target's core, without which other linkers take it for one that has no BLX.
fn attributes(object: &mut Object<'_>, target: &Target) {
    const TAG_FILE: u8 = 1;
    let core = cores::abilities(target.core);
    let profile = if core.is_microcontroller() { b'M' } else { b'A' };
    // Tag_CPU_arch, Tag_CPU_arch_profile, Tag_ARM_ISA_use, Tag_THUMB_ISA_use.
    let mut body = vec![6, core.tag()];
    if core.thumb2 || core.is_microcontroller() {
        body.extend([7, profile]);
    }
    body.extend([8, u8::from(core.a32), 9, if core.thumb2 { 2 } else { 1 }]);
    let length = |length: usize| target.bytes(length as u64, 4);
    let scope = [&[TAG_FILE][..], &length(body.len() + 5), &body].concat();
    let vendor = [&length(scope.len() + b"aeabi\0".len() + 4)[..], b"aeabi\0", &scope].concat();
    let section = object.add_section(Vec::new(), b".ARM.attributes".to_vec(), object::SectionKind::Other);
    let (sh_type, sh_flags) = (object::elf::SHT_ARM_ATTRIBUTES, object::elf::SectionFlags::default());
    object.section_mut(section).flags = SectionFlags::Elf { sh_type, sh_flags };
    object.append_section_data(section, &[b"A", &vendor[..]].concat(), 1);
}

/// The object of a 32-bit target with its one relocation as SHT_RELA with this addend: the writer knows one form for each machine.
fn with_addends(mut data: Vec<u8>, target: &Target, addend: i64) -> Option<Vec<u8>> {
    /// Bytes of a section header of ELF32, and where in it type, offset, size and entry size are.
    const HEADER: usize = 40;
    const TYPE: usize = 4;
    const OFFSET: usize = 16;
    const SIZE: usize = 20;
    const ENTRY_SIZE: usize = 36;
    let number = |data: &[u8], at: usize, size: usize| Some(target.number(data.get(at..at + size)?) as usize);
    let (table, count) = (number(&data, 32, 4)?, number(&data, 48, 2)?);
    let is_rel = |at: &usize| number(&data, at + TYPE, 4) == Some(object::elf::SHT_REL.0 as usize);
    let header = (0..count).map(|index| table + index * HEADER).find(is_rel)?;
    let (offset, size) = (number(&data, header + OFFSET, 4)?, number(&data, header + SIZE, 4)?);
    let mut records: Vec<u8> = Vec::new();
    for record in data.get(offset..offset + size)?.chunks(8) {
        records.extend(record);
        records.extend(target.bytes(addend as u64, 4));
    }
    let new = [(TYPE, object::elf::SHT_RELA.0 as usize), (OFFSET, data.len()), (SIZE, records.len()), (ENTRY_SIZE, 12)];
    for (at, value) in new {
        data.get_mut(header + at..header + at + 4)?.copy_from_slice(&target.bytes(value as u64, 4));
    }
    data.extend(records);
    Some(data)
}
