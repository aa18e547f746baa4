//! What objects may have that not every loader does, and which of it an object has.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SymbolFlags, elf};
use serde::Deserialize;

use super::object::Module;

/// Something that an object may want of a loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Thread-local variables.
    Tls,
    /// Functions that are chosen when the program starts (STT_GNU_IFUNC).
    Ifunc,
    /// Members of archives that are pulled when they are needed.
    Archives,
    /// `.init`, `.fini`, `.ctors` and `.dtors`, of which start-up files and linkers make something.
    Fragments,
    /// Common symbols.
    Common,
    /// Groups of which one of all objects is taken (COMDAT).
    Comdat,
    /// Constructors and destructors.
    Constructors,
    /// Weak symbols that nobody defines.
    Weak,
    /// Objects that refer to each other in a circle.
    Circles,
}

/// What no loader is given here: a loader has one object at a time and no system around it.
pub(super) const LACKING: &[Feature] = &[Feature::Tls, Feature::Ifunc, Feature::Archives, Feature::Fragments];

impl Feature {
    /// All that objects show.
    pub(super) const SHOWN: &[Feature] = &[
        Feature::Tls,
        Feature::Ifunc,
        Feature::Fragments,
        Feature::Common,
        Feature::Comdat,
        Feature::Constructors,
        Feature::Weak,
    ];

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Feature::Tls => "thread-local variables",
            Feature::Ifunc => "functions that are chosen at the start (IFUNC)",
            Feature::Archives => "archives",
            Feature::Fragments => "pieces of `.init`, `.fini`, `.ctors` or `.dtors`",
            Feature::Common => "common symbols",
            Feature::Comdat => "groups (COMDAT)",
            Feature::Constructors => "constructors",
            Feature::Weak => "undefined weak symbols",
            Feature::Circles => "objects that refer to each other in a circle",
        }
    }

    /// What of an object wants this, if something does.
    pub(super) fn shown(self, module: &Module<'_>) -> Option<String> {
        let file = &module.file;
        let section = |wanted: &dyn Fn(elf::SectionType, elf::SectionFlags, &[u8]) -> bool| {
            let is = |section: &object::Section<'_, '_>| match section.flags() {
                SectionFlags::Elf { sh_type, sh_flags } => {
                    wanted(sh_type, sh_flags, section.name_bytes().unwrap_or_default())
                }
                _ => false,
            };
            let found = file.sections().find(is)?;
            Some(linker::error::text(found.name_bytes().unwrap_or_default()))
        };
        let symbol = |wanted: &dyn Fn(&object::Symbol<'_, '_>) -> bool| {
            let found = file.symbols().find(|symbol| wanted(symbol))?;
            Some(linker::error::text(found.name_bytes().unwrap_or_default()))
        };
        let allocated = |flags: elf::SectionFlags| flags.contains(elf::SHF_ALLOC);
        match self {
            Feature::Tls => section(&|_, flags, _| allocated(flags) && flags.contains(elf::SHF_TLS)),
            Feature::Ifunc => symbol(
                &|symbol| matches!(symbol.flags(), SymbolFlags::Elf { st_info, .. } if st_info.st_type() == elf::STT_GNU_IFUNC),
            ),
            Feature::Fragments => section(&|_, flags, name| {
                let named =
                    |stem: &[u8]| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest[0] == b'.');
                allocated(flags) && (name == b".init" || name == b".fini" || named(b".ctors") || named(b".dtors"))
            }),
            Feature::Common => symbol(&|symbol| symbol.is_common()),
            Feature::Comdat => section(&|kind, _, _| kind == elf::SHT_GROUP),
            Feature::Constructors => section(&|kind, _, _| {
                [elf::SHT_INIT_ARRAY, elf::SHT_FINI_ARRAY, elf::SHT_PREINIT_ARRAY].contains(&kind)
            }),
            Feature::Weak => symbol(&|symbol| symbol.is_undefined() && symbol.is_weak()),
            Feature::Archives | Feature::Circles => None,
        }
    }
}
