//! One relocated field, for whoever wants them all.

use linker::error::text;

use super::judge::{Judged, Verdict};
use super::object::Object;
use crate::oracle::Way;

/// A field that is in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
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
    /// Bytes of it.
    pub size: usize,
    /// Whether they are of code.
    pub is_code: bool,
    /// Whether it is what the ABI's formula comes to by itself.
    pub is_direct: bool,
    /// Whether it is what the ABI allows, and otherwise why not, or why nobody knows.
    pub judgement: Result<(), String>,
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
            object: object.name.clone(),
            section: (section, text(object.elf.sections[section].name)),
            offset: judged.relocation.offset,
            relocation: row.name.clone(),
            symbol: super::findings::symbol(object, judged.relocation.symbol),
            s: judged.s,
            a: judged.a,
            p: judged.p,
            size: row.form.place.size(),
            is_code: row.form.place.is_code(),
            is_direct,
            judgement,
        })
    }

    /// What tells it from others.
    pub fn key(&self) -> (&str, usize, u64, &str) {
        (&self.object, self.section.0, self.offset, &self.relocation)
    }

    /// Whether the ABI allows it.
    pub fn is_lawful(&self) -> bool {
        self.judgement.is_ok()
    }
}
