//! One relocated field, for whoever wants them all.

use std::fmt;

use linker::error::text;

use super::elf::Place;
use super::judge::{Judged, Verdict};
use super::object::Object;
use crate::oracle::Way;

/// Which field one is: where in the objects, where in the image, and by which relocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The object, and the member of an archive.
    pub object: String,
    /// The section, by number and by name.
    pub section: (usize, String),
    /// Where in it.
    pub offset: u64,
    /// The relocation's name.
    pub relocation: String,
    /// The symbol's name, or that of the section for which it stands.
    pub symbol: String,
    /// S, where it is known.
    pub s: Option<u64>,
    /// A.
    pub a: i64,
    /// P: the address in the image.
    pub p: u64,
}

/// A field that is in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which one it is.
    pub site: Site,
    /// Bytes of it.
    pub size: usize,
    /// Whether they are of code.
    pub is_code: bool,
    /// Whether it is what the ABI's formula comes to by itself.
    pub is_direct: bool,
    /// Whether it is what the ABI allows, and otherwise why not, or why nobody knows.
    pub judgement: Result<(), String>,
}

impl Site {
    /// None: the relocation is not known.
    pub(super) fn of(object: &Object<'_>, section: usize, judged: &Judged) -> Option<Site> {
        Some(Site {
            object: object.name.clone(),
            section: (section, text(object.elf.sections[section].name)),
            offset: judged.relocation.offset,
            relocation: judged.row?.name.clone(),
            symbol: symbol(object, judged.relocation.symbol),
            s: judged.s,
            a: judged.a,
            p: judged.p,
        })
    }

    /// What tells it from others.
    pub fn key(&self) -> (&str, usize, u64, &str) {
        (&self.object, self.section.0, self.offset, &self.relocation)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}+{:#x})", self.object, self.section.1, self.offset)
    }
}

fn symbol(object: &Object<'_>, index: usize) -> String {
    let Some(symbol) = object.elf.symbols.get(index) else { return String::new() };
    match symbol.place {
        Place::Section(section) if symbol.is_section() => {
            object.elf.sections.get(section).map_or_else(String::new, |section| text(section.name))
        }
        _ => text(symbol.name),
    }
}

impl Field {
    pub(super) fn of(object: &Object<'_>, section: usize, judged: &Judged) -> Option<Field> {
        let row = judged.row?;
        let (is_direct, judgement) = match &judged.verdict {
            Verdict::NoField => return None,
            Verdict::Right(way) => (matches!(way, Way::Directly), Ok(())),
            Verdict::Relaxed => (false, Ok(())),
            Verdict::Wrong(why) => (false, Err(format!("wrong: {why}"))),
            Verdict::Unknown(why) => (false, Err(format!("not judged: {why}"))),
        };
        Some(Field {
            site: Site::of(object, section, judged)?,
            size: row.form.place.size(),
            is_code: row.form.place.is_code(),
            is_direct,
            judgement,
        })
    }

    /// Whether the ABI allows it.
    pub fn is_lawful(&self) -> bool {
        self.judgement.is_ok()
    }
}
