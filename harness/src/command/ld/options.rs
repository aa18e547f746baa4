//! The options of GNU ld: one table of what each is here.

use std::fmt::Write as _;

use linker::platform::Meaning as Platform;

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Output,
    Entry,
    Directory,
    Library,
    Static,
    WholeArchive(bool),
    /// Remember what holds for the inputs that follow.
    Remember,
    /// What was remembered holds again.
    Recall,
    Undefined,
    Defsym,
    Wrap,
    Unresolved,
    /// `--unresolved-symbols=ignore-all` without a value.
    IgnoreUnresolved,
    DuplicatesAllowed,
    Keyword,
    SectionStart,
    /// The start of this output section.
    StartOf(&'static str),
    Collect(bool),
    PrintRemoved(bool),
    Emulation,
    BigEndian(bool),
    BuildId,
    FrameIndex(bool),
    Map,
    /// The start of the image.
    ImageBase,
    Target1(Platform),
    Target2,
    Trace,
    FatalWarnings(bool),
    StripAll,
    StripDebug,
    DiscardTemporary,
    DiscardAll,
    DiscardNone,
    Sysroot,
    NoRelax,
    Version,
    Help,
    /// Taken and without effect, for this reason.
    Without(&'static str),
    /// Refused, for this reason.
    Refused(&'static str),
}

/// Whether an option has a value, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    /// Behind `=`, or the next word.
    Required,
    /// Behind `=`, or none.
    Optional,
}

/// An option under all of its names, without dashes. Those of one letter take their value without a space, too.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) names: &'static [&'static str],
    pub(super) value: Value,
    pub(super) meaning: Meaning,
    pub(super) about: &'static str,
}

const fn row(names: &'static [&'static str], value: Value, meaning: Meaning, about: &'static str) -> Row {
    Row { names, value, meaning, about }
}

const ALWAYS: &str = "always so";
const NOTHING_DYNAMIC: &str = "there is nothing dynamic";
const NO_PLUGIN: &str = "objects of link-time optimisation are refused by name";
const DYNAMIC: &str = "only static programs are linked";
const LAYOUT: &str = "layout by a script is not supported";

use Meaning::*;
use Value::{None as Alone, Optional, Required};
use linker::platform::Meaning::{Absolute, Relative};

#[rustfmt::skip]
pub(super) static OPTIONS: &[Row] = &[
    row(&["o", "output"], Required, Output, "the file to write (a.out)"),
    row(&["e", "entry"], Required, Entry, "where a process starts (_start)"),
    row(&["L", "library-path"], Required, Directory, "look for libraries here"),
    row(&["l", "library"], Required, Library, "libNAME.a, or the file that stands behind `:`"),
    row(&["Bstatic", "static", "dn", "non_shared"], Alone, Static, "take archives only, which is always so"),
    row(&["Bdynamic", "dy", "call_shared"], Alone, Without("archives are taken all the same"), "take shared libraries, too"),
    row(&["(", "start-group"], Alone, Without("all archives form one group"), "archives that need each other"),
    row(&[")", "end-group"], Alone, Without("all archives form one group"), "the end of those"),
    row(&["whole-archive"], Alone, WholeArchive(true), "link every member of the archives that follow"),
    row(&["no-whole-archive"], Alone, WholeArchive(false), "link the members that are needed"),
    row(&["push-state"], Alone, Remember, "remember --whole-archive"),
    row(&["pop-state"], Alone, Recall, "as it was at --push-state"),
    row(&["u", "undefined", "require-defined"], Required, Undefined, "ask for a symbol"),
    row(&["defsym"], Required, Defsym, "define a symbol: NAME=EXPRESSION of numbers, symbols, + - * ( )"),
    row(&["wrap"], Required, Wrap, "references to SYM go to __wrap_SYM, those to __real_SYM to SYM"),
    row(&["unresolved-symbols"], Required, Unresolved, "report-all or ignore-all"),
    row(&["warn-unresolved-symbols", "noinhibit-exec"], Alone, IgnoreUnresolved, "link although symbols are missing"),
    row(&["error-unresolved-symbols", "no-undefined"], Alone, Without(ALWAYS), "missing symbols are errors"),
    row(&["allow-multiple-definition"], Alone, DuplicatesAllowed, "the first definition counts"),
    row(&["z"], Required, Keyword, "max-page-size=N, stack-size=N, muldefs, undefs, norelro, execstack; the rest of GNU ld's has no effect"),
    row(&["section-start"], Required, SectionStart, "an output section at an address: SECTION=HEX"),
    row(&["Ttext"], Required, StartOf(".text"), "the same for .text"),
    row(&["Tdata"], Required, StartOf(".data"), "the same for .data"),
    row(&["Tbss"], Required, StartOf(".bss"), "the same for .bss"),
    row(&["Ttext-segment", "image-base"], Required, ImageBase, "the start of the image, headers first: HEX, or 0xHEX"),
    row(&["target1-abs"], Alone, Target1(Absolute), "R_ARM_TARGET1 is the address"),
    row(&["target1-rel"], Alone, Target1(Relative), "R_ARM_TARGET1 is the distance"),
    row(&["target2"], Required, Target2, "what R_ARM_TARGET2 is: rel, abs or got-rel"),
    row(&["gc-sections"], Alone, Collect(true), "leave out what nothing refers to"),
    row(&["no-gc-sections"], Alone, Collect(false), "keep everything"),
    row(&["print-gc-sections"], Alone, PrintRemoved(true), "say what was left out"),
    row(&["no-print-gc-sections"], Alone, PrintRemoved(false), "do not"),
    row(&["m"], Required, Emulation, "the target, by the names that GNU ld has for those of AArch64 and ARM"),
    row(&["EL"], Alone, BigEndian(false), "little-endian"),
    row(&["EB"], Alone, BigEndian(true), "big-endian"),
    row(&["be8"], Alone, Without(ALWAYS), "code of big-endian ARM is little-endian"),
    row(&["build-id"], Optional, BuildId, "a note that identifies the content: sha1, md5, 0xHEX, none (a digest by SHA-256)"),
    row(&["eh-frame-hdr"], Alone, FrameIndex(true), "an index of the call frames"),
    row(&["no-eh-frame-hdr"], Alone, FrameIndex(false), "none"),
    row(&["Map"], Required, Map, "write a map"),
    row(&["s", "strip-all"], Alone, StripAll, "no symbols, no debug information"),
    row(&["S", "strip-debug"], Alone, StripDebug, "no debug information"),
    row(&["X", "discard-locals"], Alone, DiscardTemporary, "no temporary local symbols"),
    row(&["x", "discard-all"], Alone, DiscardAll, "no local symbols"),
    row(&["discard-none"], Alone, DiscardNone, "all local symbols"),
    row(&["sysroot"], Required, Sysroot, "what paths behind `=` start with"),
    row(&["no-relax"], Alone, NoRelax, "instructions stay what they are"),
    row(&["relax"], Alone, Without(ALWAYS), "instructions become shorter ones"),
    row(&["v", "V", "version"], Alone, Version, "say which linker this is"),
    row(&["help"], Alone, Help, "this list"),
    row(&["hash-style", "dynamic-linker", "I", "rpath", "rpath-link", "soname", "dynamic-list", "R", "just-symbols"], Required, Without(NOTHING_DYNAMIC), "for dynamic linking"),
    row(&["no-dynamic-linker", "no-pie", "nopie", "no-pic-executable", "as-needed", "no-as-needed", "export-dynamic", "E", "no-export-dynamic", "Bsymbolic", "Bsymbolic-functions", "add-needed", "no-add-needed", "copy-dt-needed-entries", "no-copy-dt-needed-entries", "enable-new-dtags", "disable-new-dtags", "no-ld-generated-unwind-info", "no-allow-shlib-undefined", "allow-shlib-undefined"], Alone, Without(NOTHING_DYNAMIC), "for dynamic linking"),
    row(&["plugin", "plugin-opt"], Required, Without(NO_PLUGIN), "for link-time optimisation"),
    row(&["fix-cortex-a53-843419", "fix-cortex-a53-835769", "fix-cortex-a8", "no-fix-cortex-a8", "no-fix-cortex-a53-843419"], Optional, Without("the image is for cores without the erratum"), "veneers against an erratum"),
    row(&["fix-v4bx", "fix-v4bx-interworking", "vfp11-denorm-fix", "fix-stm32l4xx-629360", "fix-arm1176", "no-fix-arm1176", "use-blx"], Optional, Without("the image is for cores that do without"), "for old cores"),
    row(&["no-warn-mismatch", "no-warnings", "w", "no-enum-size-warning", "no-wchar-size-warning", "warn-common", "warn-section-align", "no-warn-rwx-segments", "warn-rwx-segments", "no-warn-execstack", "warn-execstack", "check-sections", "no-check-sections", "warn-once"], Alone, Without("there are no such warnings"), "about warnings"),
    row(&["t", "trace"], Alone, Trace, "print the objects that are linked"),
    row(&["fatal-warnings"], Alone, FatalWarnings(true), "a warning is an error"),
    row(&["no-fatal-warnings"], Alone, FatalWarnings(false), "it is not"),
    row(&["verbose", "stats", "no-keep-memory", "no-map-whole-files", "reduce-memory-overheads", "demangle", "no-demangle", "no-define-common", "d", "dc", "dp", "g", "no-omagic", "color-diagnostics", "allow-multiple-def", "no-eh-frame-hdr-index", "nostdlib", "no-undefined-version", "pic-veneer", "long-plt", "no-merge-exidx-entries", "no-apply-dynamic-relocs", "no-toc-optimize"], Optional, Without("nothing depends on it"), "about nothing here"),
    row(&["O", "threads", "thread-count", "sort-section", "sort-common", "stub-group-size", "orphan-handling", "icf", "compress-debug-sections", "spare-dynamic-tags", "print-map-discarded"], Optional, Without("nothing depends on it"), "about nothing here"),
    row(&["T", "script", "dT", "default-script"], Required, Refused(LAYOUT), "a linker script"),
    row(&["version-script"], Required, Refused(DYNAMIC), "versions of symbols"),
    row(&["shared", "Bshareable"], Alone, Refused(DYNAMIC), "a shared library"),
    row(&["pie", "pic-executable", "static-pie"], Alone, Refused("programs are at fixed addresses: link with -no-pie"), "a program that can be anywhere"),
    row(&["r", "relocatable", "i", "Ur"], Alone, Refused("the output is a program, not an object"), "an object"),
    row(&["q", "emit-relocs"], Alone, Refused("relocations are not kept"), "keep relocations"),
    row(&["N", "omagic", "n", "nmagic"], Alone, Refused("segments begin at pages"), "segments without pages"),
    row(&["Trodata-segment", "Tldata-segment"], Required, Refused("only the image and sections can be placed (--image-base, --section-start)"), "segments by hand"),
    row(&["b", "format", "A", "architecture", "oformat"], Required, Refused("inputs and output are ELF"), "formats"),
    row(&["retain-symbols-file", "dynamic-list-data", "exclude-libs", "c", "mri-script", "y", "trace-symbol", "filter", "f", "F", "auxiliary", "assert", "symbol-ordering-file", "call-graph-ordering-file", "remap-inputs"], Required, Refused("it is not supported"), "what else there is"),
];

/// The option of this name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.names.contains(&name))
}

/// The list of options.
pub(super) fn help() -> String {
    let mut text = "Usage: ld [OPTIONS] FILE...\n\nLinks a static program for AArch64 or ARM: GNU ld's spelling of the options there are.\n\n".to_owned();
    for row in OPTIONS {
        let names: Vec<String> = row
            .names
            .iter()
            .map(|name| {
                let dashes = if name.len() == 1 { "-" } else { "--" };
                let value = match row.value {
                    Value::None => "",
                    Value::Required => " VALUE",
                    Value::Optional => "[=VALUE]",
                };
                format!("{dashes}{name}{value}")
            })
            .collect();
        let note = match row.meaning {
            Meaning::Without(why) => format!(" (no effect: {why})"),
            Meaning::Refused(why) => format!(" (an error: {why})"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {}\n        {}{note}", names.join(", "), row.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_meaning() {
        let mut names: Vec<&str> = OPTIONS.iter().flat_map(|row| row.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
