//! What a dynamic Linux program has of other files: its run-time linker, and the libraries that this one maps.

use std::path::Path;

use linker::Target;

use super::Args;
use crate::executor::hosted::engine::PAGE;
use crate::executor::unicorn;
use crate::exit::{BadInput, Usage};
use crate::linked::{Executable, Linked, Mapped};
use crate::linking::{Data, Input};
use crate::linux::{Process, Roots};

/// Bytes that a run-time linker or a library may have.
const LARGEST: u64 = 1 << 30;

/// The run-time linker that an executable wants, if it wants one, from the directory that has its libraries.
///
/// # Errors
/// No directory was named; or it is not there, or is none.
pub(super) fn map(
    args: &Args,
    program: &str,
    executable: &Executable<'_>,
    roots: &Roots,
    target: &'static Target,
) -> anyhow::Result<Option<Mapped>> {
    let Some(name) = executable.interpreter() else { return Ok(None) };
    let Some(sysroot) = &args.sysroot else {
        let example =
            installed(name, target).map_or_else(String::new, |path| format!(", which is --sysroot {path} here"));
        return Err(Usage(format!(
            "{program}: is linked dynamically: name the directory that has its run-time linker {name} and its libraries by --sysroot DIR{example}, \
             or link it with -static"
        ))
        .into());
    };
    let data = roots.read(name, LARGEST).map_err(|error| {
        let sysroot = sysroot.display();
        BadInput(format!(
            "{program}: its run-time linker {name} (PT_INTERP) is not to be had from --sysroot {sysroot}: {error}"
        ))
    })?;
    let interpreter = Executable::read(name, &data, target)
        .map_err(|error| BadInput(format!("{program}: its run-time linker (PT_INTERP): {error}")))?;
    if let Some(another) = interpreter.interpreter() {
        bad_input!(
            "{program}: its run-time linker {name} wants {another} (PT_INTERP), expected one that needs no other"
        );
    }
    Ok(Some(interpreter.mapped(PAGE)))
}

/// Where a cross compiler's libraries are, if this run-time linker is among them.
fn installed(name: &str, target: &'static Target) -> Option<String> {
    let triplets = corpus::target::row(target).triplets;
    let mut roots = triplets.iter().map(|triplet| format!("/usr/{triplet}"));
    roots.find(|root| Path::new(&format!("{root}{name}")).exists())
}

/// The libraries that are mapped, and the run-time linker, each with how far it is from where it says. What cannot be read any more is
/// left out.
pub(super) fn libraries(process: &Process<unicorn::Processor>, target: &'static Target) -> Vec<(Input, u64)> {
    // All of them together are no larger than one may be.
    let mut left = LARGEST;
    let mapped = process.mapped_files().into_iter().filter_map(|file| {
        let data = process.roots().read(&file.path, left).ok()?;
        left -= data.len() as u64;
        let base = Executable::read_library(&file.path, &data, target).ok()?.distance(file.start, file.offset, PAGE)?;
        Some((Input::new(file.path, Data::Read(data)), base))
    });
    mapped.collect()
}

/// What is known of each.
pub(super) fn known<'data>(
    libraries: &'data [(Input, u64)],
    target: &'static Target,
) -> Vec<(&'data Input, Linked<'data>)> {
    let known = libraries.iter().filter_map(|(file, base)| {
        let library = Executable::read_library(&file.name, &file.data, target).ok()?;
        Some((file, library.known(PAGE, *base).ok()?))
    });
    known.collect()
}
