//! The dynamic section: what it says of relocations, and what it wants of a run-time linker.

use std::collections::BTreeMap;

use linker::Target;
use linker::error::text;
use object::elf;

use super::content::Content;
use super::error::{Problem, malformed};

/// The first value of each tag.
#[derive(Debug, Default)]
pub(super) struct Dynamic {
    values: BTreeMap<i64, u64>,
}

/// What nothing here reads: the packed relocations of Android.
const PACKED: &[(elf::DynamicTag, &str)] = &[
    (elf::DT_ANDROID_REL, "DT_ANDROID_REL"),
    (elf::DT_ANDROID_RELA, "DT_ANDROID_RELA"),
    (elf::DT_ANDROID_RELR, "DT_ANDROID_RELR"),
];

impl Dynamic {
    /// Reads a dynamic section up to its end. What needs a run-time linker is refused by name.
    pub(super) fn read(target: &Target, section: &[u8], content: &Content<'_, '_>) -> Result<Dynamic, Problem> {
        let width = target.pointer_bytes();
        let mut dynamic = Dynamic::default();
        let mut needed = Vec::new();
        for entry in section.chunks_exact(2 * width) {
            let (tag, value) = (signed(target, &entry[..width]), target.number(&entry[width..]));
            if tag == elf::DT_NULL.0 {
                break;
            }
            if tag == elf::DT_NEEDED.0 {
                needed.push(value);
            } else {
                dynamic.values.entry(tag).or_insert(value);
            }
        }
        if let Some(&first) = needed.first() {
            let strings = dynamic.get(elf::DT_STRTAB).unwrap_or(0);
            let name = content.string(strings.wrapping_add(first)).map(text).unwrap_or_default();
            let more = if needed.len() > 1 { format!(" and {} more", needed.len() - 1) } else { String::new() };
            return Err(Problem::Refused(format!(
                "dynamic section: wants the shared object {name}{more} (DT_NEEDED), and a run-time linker: link it with -static or \
                 -static-pie"
            )));
        }
        if let Some((_, name)) = PACKED.iter().find(|(tag, _)| dynamic.get(*tag).is_some()) {
            return Err(Problem::Refused(format!(
                "dynamic section: {name}: packed relocations are not read, use DT_RELR"
            )));
        }
        Ok(dynamic)
    }

    /// The value of a tag, where it is there.
    pub(super) fn get(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.values.get(&tag.0).copied()
    }

    /// Address and size of a table that two tags speak of, if it is there and has something in it.
    pub(super) fn table(
        &self,
        name: &str,
        address: elf::DynamicTag,
        size: elf::DynamicTag,
    ) -> Result<Option<(u64, u64)>, Problem> {
        match (self.get(address), self.get(size)) {
            (_, Some(0)) | (None, None) => Ok(None),
            (Some(address), Some(size)) => Ok(Some((address, size))),
            (Some(_), None) => Err(malformed("dynamic section", format!("has {name} and no size of it"))),
            (None, Some(_)) => Err(malformed("dynamic section", format!("has the size of {name} and not where it is"))),
        }
    }

    /// Whether it says that relocations are for what is not writable (DT_TEXTREL).
    pub(super) fn relocates_text(&self) -> bool {
        let flags = self.get(elf::DT_FLAGS).unwrap_or(0);
        self.get(elf::DT_TEXTREL).is_some() || flags & elf::DF_TEXTREL.0 != 0
    }
}

fn signed(target: &Target, bytes: &[u8]) -> i64 {
    let number = target.number(bytes);
    if bytes.len() == 4 { i64::from(number as u32 as i32) } else { number as i64 }
}
