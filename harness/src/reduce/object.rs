//! One object with less in it. It is read, changed and written as a whole, so that nothing is left of what is dropped.

use object::build::elf::{Builder, Section, SectionData, SectionId};
use object::elf;

/// What there may be less of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Sections, with what is for them.
    Sections,
    /// Relocations.
    Relocations,
    /// Symbols, with the relocations against them.
    Symbols,
    /// Words of sections that are not zero.
    Words,
    /// Pieces of sections, from their end.
    Ends,
}

/// Bytes that are kept or made zero together, and of the pieces that are cut off.
const WORD: usize = 4;
const PIECE: usize = 16;

impl Kept {
    /// All, those first that drop most.
    pub const ALL: [Kept; 5] = [Kept::Sections, Kept::Relocations, Kept::Symbols, Kept::Words, Kept::Ends];
}

/// Whether a section is one of the program's, and not a table of the object.
fn is_content(section: &Section<'_>) -> bool {
    matches!(
        section.data,
        SectionData::Data(_) | SectionData::UninitializedData(_) | SectionData::Note(_) | SectionData::Attributes(_)
    ) && section.sh_type != elf::SHT_GROUP
}

/// Numbers of what there is of a kind; nothing of what is no object, or none that can be written again.
pub(super) fn items(bytes: &[u8], kind: Kept) -> Vec<usize> {
    let Ok(builder) = Builder::read(bytes) else { return Vec::new() };
    let sections = builder.sections.iter();
    match kind {
        Kept::Sections => (0..sections.filter(|section| is_content(section)).count()).collect(),
        Kept::Symbols => (0..builder.symbols.iter().count()).collect(),
        Kept::Relocations => {
            let count = |section: &Section<'_>| match &section.data {
                SectionData::Relocation(list) => list.len(),
                _ => 0,
            };
            (0..sections.map(count).sum()).collect()
        }
        Kept::Words => {
            let words = sections.flat_map(|section| data(section).unwrap_or_default().chunks(WORD));
            words.enumerate().filter(|(_, word)| word.iter().any(|&byte| byte != 0)).map(|(number, _)| number).collect()
        }
        Kept::Ends => {
            (0..sections.map(|section| data(section).unwrap_or_default().len().div_ceil(PIECE)).sum()).collect()
        }
    }
}

/// The bytes of a section that are the program's.
fn data<'a>(section: &'a Section<'_>) -> Option<&'a [u8]> {
    match &section.data {
        SectionData::Data(bytes) if section.sh_type != elf::SHT_GROUP => Some(bytes.as_slice()),
        _ => None,
    }
}

/// The object with these of all items of a kind. None where that is no object.
pub(super) fn keep(bytes: &[u8], kind: Kept, kept: &[usize]) -> Option<Vec<u8>> {
    let mut builder = Builder::read(bytes).ok()?;
    // In order, so that one look is enough.
    let mut kept = kept.iter().copied().peekable();
    let mut number = 0;
    let mut is_kept = || {
        let here = kept.next_if_eq(&number).is_some();
        number += 1;
        here
    };
    match kind {
        Kept::Sections => {
            for section in builder.sections.iter_mut().filter(|section| is_content(section)) {
                section.delete = !is_kept();
            }
            drop_with(&mut builder);
        }
        Kept::Symbols => builder.symbols.iter_mut().for_each(|symbol| symbol.delete = !is_kept()),
        Kept::Relocations => {
            for section in &mut builder.sections {
                if let SectionData::Relocation(list) = &mut section.data {
                    list.retain(|_| is_kept());
                }
            }
        }
        Kept::Words => {
            for section in &mut builder.sections {
                let Some(mut content) = data(section).map(<[u8]>::to_vec) else { continue };
                content.chunks_mut(WORD).filter(|_| !is_kept()).for_each(|word| word.fill(0));
                section.data = SectionData::Data(content.into());
            }
        }
        Kept::Ends => {
            let fields = fields(&builder);
            for section in &mut builder.sections {
                let Some(mut content) = data(section).map(<[u8]>::to_vec) else { continue };
                let pieces = content.len().div_ceil(PIECE);
                let last = (0..pieces).filter(|_| is_kept()).count();
                // A relocation without its field is another failure.
                let used = fields.iter().filter(|field| field.0 == section.id()).map(|field| field.1).max();
                content.truncate((last * PIECE).max(used.unwrap_or(0)));
                section.data = SectionData::Data(content.into());
            }
        }
    }
    builder.delete_orphans();
    // A table of relocations without any is one more section for nothing.
    for section in &mut builder.sections {
        if matches!(&section.data, SectionData::Relocation(list) if list.is_empty()) {
            section.delete = true;
        }
    }
    builder.set_section_sizes();
    let mut out = Vec::new();
    builder.write(&mut out).ok()?;
    Some(out)
}

/// Where fields end, each with its section. The widest have eight bytes.
fn fields(builder: &Builder<'_>) -> Vec<(SectionId, usize)> {
    let tables = builder.sections.iter().filter_map(|section| match &section.data {
        SectionData::Relocation(list) => Some((section.sh_info_section?, list)),
        _ => None,
    });
    let ends = tables.flat_map(|(of, list)| list.iter().map(move |it| (of, it.r_offset.saturating_add(8))));
    ends.map(|(of, end)| (of, usize::try_from(end).unwrap_or(usize::MAX))).collect()
}

/// Drops what is for sections that are dropped: their relocations, and what is in their order.
fn drop_with(builder: &mut Builder<'_>) {
    let gone: Vec<_> = builder.sections.iter().filter(|section| section.delete).map(Section::id).collect();
    for section in &mut builder.sections {
        let of = |id| gone.contains(&id);
        let relocates = matches!(section.data, SectionData::Relocation(_)) && section.sh_info_section.is_some_and(of);
        let follows = section.sh_flags.0 & elf::SHF_LINK_ORDER.0 != 0 && section.sh_link_section.is_some_and(of);
        if relocates || follows {
            section.delete = true;
        }
    }
}

/// Sections with content, symbols and relocations, as numbers for people.
pub fn counts(bytes: &[u8]) -> Option<[usize; 3]> {
    Builder::read(bytes).ok()?;
    Some([Kept::Sections, Kept::Symbols, Kept::Relocations].map(|kind| items(bytes, kind).len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_has_nothing_to_drop() {
        for bytes in [&b""[..], b"\x7fELF", b"!<arch>\n"] {
            assert!(Kept::ALL.iter().all(|&kind| items(bytes, kind).is_empty()));
            assert_eq!((keep(bytes, Kept::Words, &[]), counts(bytes)), (None, None));
        }
    }
}
