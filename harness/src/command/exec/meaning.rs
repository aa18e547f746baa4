//! Which options mean something for what is run: what would be passed over is refused, as it is not what was asked for.

use super::{Args, Crt, System};
use crate::exit::Usage;
use crate::linking::Unresolved;

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As a Linux process.
    Linux,
    /// As a program for bare metal, which asks by semihosting.
    Firmware,
    /// A function of it is called, with the host's functions.
    Called,
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    /// Whether another linker has linked it.
    pub(super) is_linked: bool,
}

/// An option that does not mean something for everything.
struct Row {
    option: &'static str,
    is_given: fn(&Args) -> bool,
    /// For what it means nothing.
    is_for_nothing: fn(Subject) -> bool,
    why: &'static str,
}

const LINKED: &str = "the file is linked already, and is run as it is";

fn is_linked(subject: Subject) -> bool {
    subject.is_linked
}

/// Each option once for each reason.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { option: "--crt", is_given: |args| args.crt != Crt::Auto, is_for_nothing: is_linked,
          why: "the file is linked already, with the C library that it has" },
    Row { option: "--system", is_given: |args| args.system != System::Auto, is_for_nothing: |it| !it.is_linked,
          why: "it is for executables, and --crt says it for objects" },
    Row { option: "--system linux", is_given: |args| args.system == System::Linux, is_for_nothing: |it| it.kind == Kind::Firmware,
          why: "the file is for bare metal, where no Linux is" },
    Row { option: "--sysroot", is_given: |args| args.sysroot.is_some(), is_for_nothing: |it| it.kind == Kind::Firmware,
          why: "bare metal has no shared libraries" },
    Row { option: "--sysroot", is_given: |args| args.sysroot.is_some(), is_for_nothing: |it| it.kind == Kind::Called,
          why: "a function is called, with the host's functions in place of libraries" },
    Row { option: "--env", is_given: |args| !args.environment.is_empty(), is_for_nothing: |it| it.kind == Kind::Firmware,
          why: "semihosting has no environment" },
    Row { option: "--env", is_given: |args| !args.environment.is_empty(), is_for_nothing: |it| it.kind == Kind::Called,
          why: "a function is called, whose environment is empty; --crt glibc makes objects a Linux program" },
    Row { option: "--dir", is_given: |args| !args.directories.is_empty(), is_for_nothing: |it| it.kind == Kind::Called,
          why: "a function is called, and the host's functions open no files; --crt glibc makes objects a Linux program" },
    Row { option: "--seed", is_given: |args| args.seed != 0, is_for_nothing: |it| it.kind != Kind::Linux,
          why: "only a Linux program has random numbers and threads" },
    Row { option: "--layout", is_given: |args| args.inputs.layout != linker::Layout::Near, is_for_nothing: is_linked, why: LINKED },
    Row { option: "--no-relax", is_given: |args| args.inputs.no_relax, is_for_nothing: is_linked, why: LINKED },
    Row { option: "--target1", is_given: |args| args.inputs.target1.is_some(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--target2", is_given: |args| args.inputs.target2.is_some(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--cflag", is_given: |args| !args.inputs.flags.is_empty(), is_for_nothing: is_linked,
          why: "the file is linked already, and nothing is compiled" },
    Row { option: "--defsym", is_given: |args| !args.wishes.assignments.is_empty(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--undefined", is_given: |args| !args.wishes.wanted.is_empty(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--wrap", is_given: |args| !args.wishes.wrapped.is_empty(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--allow-multiple-definition", is_given: |args| args.wishes.allow_multiple_definition, is_for_nothing: is_linked, why: LINKED },
    Row { option: "--unresolved-symbols", is_given: |args| args.wishes.unresolved != Unresolved::ReportAll, is_for_nothing: is_linked, why: LINKED },
    Row { option: "-z", is_given: |args| !args.wishes.keywords.is_empty(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--image-base", is_given: |args| args.wishes.image_base.is_some(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--section-start", is_given: |args| !args.wishes.section_starts.is_empty(), is_for_nothing: is_linked, why: LINKED },
    Row { option: "--gc-sections", is_given: |args| args.wishes.gc_sections, is_for_nothing: is_linked, why: LINKED },
    Row { option: "--no-gc-sections", is_given: |args| args.wishes.no_gc_sections, is_for_nothing: is_linked, why: LINKED },
];

/// Sees whether all that is given means something.
///
/// # Errors
/// Names the option, and why it does not.
pub(super) fn check(args: &Args, subject: Subject) -> Result<(), Usage> {
    let idle = ROWS.iter().find(|row| (row.is_given)(args) && (row.is_for_nothing)(subject));
    idle.map_or(Ok(()), |row| Err(Usage(format!("{} means nothing here: {}", row.option, row.why))))
}
