//! Whether objects put code on the stack, as those with nested functions do.

use object::{Object as _, ObjectSection as _, SectionFlags, elf};

use crate::linking::Input;

/// The section by whose flags an object says so.
const NOTE: &str = ".note.GNU-stack";

/// Whether this object does. Members of archives are not asked.
pub(super) fn is_executed_by(file: &Input) -> bool {
    let object = object::File::parse(&*file.data);
    object.is_ok_and(|object| {
        let note = object.section_by_name(NOTE);
        note.is_some_and(|note| match note.flags() {
            SectionFlags::Elf { sh_flags, .. } => sh_flags.0 & elf::SHF_EXECINSTR.0 != 0,
            _ => false,
        })
    })
}
