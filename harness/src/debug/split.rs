//! Debug information that a compiler left in files of their own (`-gsplit-dwarf`), or that `dwp` put together from such files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::SplitDwarfLoad;
use gimli::{Dwarf, DwarfPackage, Reader as _};

use super::dwarf::{Bytes, Sections};

/// Bytes that such a file may have.
const LARGEST: u64 = 1 << 30;

/// Reads what is in another file. It is where the compiler wrote it, beside the file that refers to it, or in a package that is called
/// as that file is.
///
/// # Errors
/// It is not there, or is of another compilation: in words, by name.
pub(super) fn load(wanted: &SplitDwarfLoad<Bytes>, beside: &Path) -> Result<Arc<Dwarf<Bytes>>, String> {
    let text = |bytes: &Option<Bytes>| {
        let bytes = bytes.as_ref()?.to_slice().ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let Some(name) = text(&wanted.path) else { return Err("a file whose name it does not say".to_owned()) };
    let package = PathBuf::from(format!("{}.dwp", beside.display()));
    if let Some(found) = read(&package).and_then(|sections| of_package(&sections, wanted)) {
        return Ok(Arc::new(found));
    }
    let written = Path::new(&text(&wanted.comp_dir).unwrap_or_default()).join(&name);
    let moved = Path::new(&name).file_name().map(|name| beside.with_file_name(name));
    let mut stale = None;
    for path in std::iter::once(written.clone()).chain(moved) {
        let Some(mut found) = read(&path).and_then(|sections| split(&sections)) else { continue };
        found.make_dwo(&wanted.parent);
        if is_wanted(&found, wanted) {
            return Ok(Arc::new(found));
        }
        stale.get_or_insert(path);
    }
    Err(match stale {
        Some(path) => format!("{}, which is of another compilation", path.display()),
        None => format!("{}, which is neither there nor beside {}", written.display(), beside.display()),
    })
}

/// The debug information of a file, whose addresses are in the one that refers to it.
fn read(path: &Path) -> Option<Sections> {
    let data = outside::read(path, LARGEST).ok()?;
    Sections::read(&data, &|_, _| None)
}

fn split(sections: &Sections) -> Option<Dwarf<Bytes>> {
    Dwarf::load(|id| Ok::<_, gimli::Error>(sections.get(id.dwo_name().unwrap_or_default()))).ok()
}

fn of_package(sections: &Sections, wanted: &SplitDwarfLoad<Bytes>) -> Option<Dwarf<Bytes>> {
    let section = |id: gimli::SectionId| Ok::<_, gimli::Error>(sections.get(id.dwo_name().unwrap_or_default()));
    let package = DwarfPackage::load(section, sections.get("")).ok()?;
    package.find_cu(wanted.dwo_id, &wanted.parent).ok()?
}

fn is_wanted(found: &Dwarf<Bytes>, wanted: &SplitDwarfLoad<Bytes>) -> bool {
    let mut units = found.units();
    while let Ok(Some(header)) = units.next() {
        if found.unit(header).is_ok_and(|unit| unit.dwo_id == Some(wanted.dwo_id)) {
            return true;
        }
    }
    false
}
