//! The field that a loader has an error about: in words, and by the ABI.

use corpus::abi::{self, Inputs, Refusal};
use linker::Target;
use linker::error::text;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, RelocationTarget};

use super::object::Module;
use super::session::Answer;
use crate::subject::Kind;

/// Where sections and names are, as far as that is known.
pub(super) struct Known<'a> {
    /// A section of the object.
    pub(super) section: &'a dyn Fn(u32) -> Option<u64>,
    /// A name that the object does not define.
    pub(super) name: &'a dyn Fn(&[u8]) -> Option<Answer>,
}

/// What is said of a field.
pub(super) struct Field {
    /// The relocation, as a part of a message.
    pub(super) shown: String,
    /// What the ABI says of the error. None: it does not, or something is not known.
    pub(super) ruling: Option<Ruling>,
}

/// What the ABI says of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// The value does not fit, or is not aligned.
    Right(String),
    /// It fits and is aligned.
    Needless(String),
}

impl Field {
    /// The field at an offset of a section, about which there is an error of this kind.
    pub(super) fn new(
        module: &Module<'_>,
        target: &Target,
        (section, offset): (u32, u64),
        kind: Kind,
        known: &Known<'_>,
    ) -> Field {
        let only = |shown: String| Field { shown, ruling: None };
        let Ok(found) = module.file.section_by_index(object::SectionIndex(section as usize)) else {
            return only(format!(", at offset {offset:#x} of section {section}, which is none"));
        };
        let name = text(found.name_bytes().unwrap_or_default());
        let place = format!("{}({name}+{offset:#x})", module.name);
        // Of several at one place, the last one has the field.
        let Some((_, relocation)) = found.relocations().filter(|(at, _)| *at == offset).last() else {
            return only(format!(", at {place}, where no relocation is"));
        };
        let number = match relocation.flags() {
            RelocationFlags::Elf { r_type } => r_type.0,
            _ => 0,
        };
        let class = corpus::target::row(target).class;
        let row = abi::of(class).get(class, number);
        let called = row.map_or(format!("relocation {number}"), |row| row.name.clone());
        let symbol = match relocation.target() {
            RelocationTarget::Symbol(index) => module.file.symbol_by_index(index).ok(),
            _ => None,
        };
        let against = symbol.as_ref().map_or(String::new(), |symbol| {
            let section = symbol.section_index().filter(|_| symbol.kind() == object::SymbolKind::Section);
            let of_section = section.and_then(|index| module.file.section_by_index(index).ok()?.name_bytes().ok());
            format!(" against `{}`", text(of_section.unwrap_or(symbol.name_bytes().unwrap_or_default())))
        });
        let shown = format!(", at {called} at {place}{against}");
        let ruling = || {
            let (row, symbol) = (row?, symbol?);
            let p = (known.section)(section)?.wrapping_add(offset);
            let (value, is_function) = match symbol.section() {
                object::SymbolSection::Section(index) => {
                    let value = (known.section)(index.0 as u32)?.wrapping_add(symbol.address());
                    (value, symbol.kind() == object::SymbolKind::Text)
                }
                object::SymbolSection::Absolute => (symbol.address(), symbol.kind() == object::SymbolKind::Text),
                object::SymbolSection::Undefined => (known.name)(symbol.name_bytes().ok()?)?,
                _ => return None,
            };
            let t = is_function && class == abi::Class::Arm && value & 1 == 1;
            let at = usize::try_from(offset).ok()?;
            let bytes = found.data().ok()?.get(at..at.checked_add(row.form.place.size())?)?;
            let before = row.form.place.word_in_memory(bytes, target.big_endian);
            let a = if relocation.has_implicit_addend() { row.addend(before) } else { relocation.addend() };
            let s = target.wrap(if t { value & !1 } else { value });
            let x = row.value(&Inputs { s, a, p, t, ..Inputs::default() })?;
            let (name, formula) = (&row.name, row.formula.as_ref()?.text());
            let said = format!("{name} is {formula} = {x:#x} with S {s:#x} A {a:#x} P {p:#x}");
            match (row.expected(before, x, is_function.then_some(t)), kind) {
                (Err(Refusal::OutOfRange), Kind::OutOfRange) | (Err(Refusal::Misaligned), Kind::Misaligned) => {
                    Some(Ruling::Right(said))
                }
                (Ok(_), Kind::OutOfRange | Kind::Misaligned) => Some(Ruling::Needless(said)),
                _ => None,
            }
        };
        // What leads through a table is nothing that the object says.
        let direct = row.is_some_and(|row| row.entry().is_none());
        let ruling = if direct { ruling() } else { None };
        Field { shown, ruling }
    }
}
