//! Every directive there is: one table, from which the parser and the reference are made.

use std::fmt::Write as _;

/// Which question a directive answers; a table of the reference each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What is compiled, and how.
    Built,
    /// How it is linked and laid out.
    Linked,
    /// What is expected of it.
    Expected,
}

/// What a word in a scope may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// An architecture, or `arm` for all 32-bit ones.
    Arch,
    /// A value of a `for`.
    For,
    /// `gcc`, `clang`, or a word of the build's label.
    Build,
    /// The name of a part.
    Part,
    /// A layout.
    Layout,
}

/// One directive.
#[derive(Debug)]
pub struct Spec {
    /// The word before the colon.
    pub name: &'static str,
    /// Which table of the reference it stands in.
    pub group: Group,
    /// What may stand in its scope.
    pub(crate) scopes: &'static [ScopeKind],
    /// Whether it may stand more than once with the same scope.
    pub repeatable: bool,
    /// Its form, as the reference shows it.
    pub form: &'static str,
    /// What it means, one paragraph.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

use Group::{Built, Expected, Linked};
use ScopeKind::{Arch, Build, For, Layout, Part};

const NOWHERE: &[ScopeKind] = &[];
const TARGETS: &[ScopeKind] = &[Arch, For];
const COMPILED: &[ScopeKind] = &[Arch, For, Build, Part];
const BUILDS: &[ScopeKind] = &[Arch, For, Build];
const RUNS: &[ScopeKind] = &[Arch, For, Build, Layout];

const fn row(
    name: &'static str,
    group: Group,
    scopes: &'static [ScopeKind],
    repeatable: bool,
    form: &'static str,
    meaning: &'static str,
    default: &'static str,
) -> Spec {
    Spec { name, group, scopes, repeatable, form, meaning, default }
}

/// Every directive.
#[rustfmt::skip]
pub static DIRECTIVES: &[Spec] = &[
    row("arch", Built, NOWHERE, false, "arch: A B ... -C", "targets of the case, with their variants (`armebv7`, `thumbebv7`, `aarch64_be`, `aarch64_ilp32`) but for those behind a `-`", "`armv7 thumbv7 aarch64`"),
    row("build", Built, TARGETS, true, "build: gcc FLAGS \\| clang FLAGS \\| @SET",
        "the builds, which replace the default; `@standard`, `@asm`, `@one` name sets. Repeated: all of them",
        "`@standard` for C and C++, `@asm` for assembly alone, `clang -O2 -fno-pic` where there is IR"),
    row("flags", Built, COMPILED, true, "flags: FLAGS", "added to every build. Repeated: all of them", ""),
    row("for", Built, NOWHERE, true, "for: NAME = V1 V2 ...",
        "makes one case for each value, called `NAME-V`: `-DNAME=V` when compiling, `$NAME` or `${NAME}` in directives. \
         Several multiply", ""),
    row("archive", Built, TARGETS, true, "archive: libx.a = a.c b.c",
        "these parts become members of a static archive, pulled on demand", ""),
    row("partial", Built, TARGETS, true, "partial: ab.o = a.S b.S",
        "these parts are joined by `ld -r` first: GNU ld for gcc, lld for clang; a part `NAME.lds` among them is the linker script for that", ""),
    row("layout", Linked, TARGETS, false, "layout: L ...",
        "layouts to run in: `near far high random:SEED at:FILE(SECTION)=ADDRESS,...`; `--layout` leaves the case out of other kinds of layouts", "`near far high random:1`"),
    row("define", Linked, RUNS, true, "define: NAME = ADDRESS", "an absolute symbol of the host", ""),
    row("keep", Linked, RUNS, true, "keep: NAME ...", "live roots besides the functions called", ""),
    row("link-error", Linked, RUNS, true, "link-error: TEXT",
        "linking fails, and the message holds TEXT. Repeated: all of them. Calls then only name live roots, and nothing else is looked at", ""),
    row("call", Expected, RUNS, true, "call: f(2i32, \"text\", &sym) = 5i32",
        "the call returns this. Types: `i32 u32 i64 u64 f32 f64`, `\"text\"`, `[1i32, 2u8]` (pointers to buffers), \
         `&symbol+N`. `= void`: only that it returns, or ends as `exit` or `fault` says; `= ?`: not yet blessed, which fails", ""),
    row("register", Expected, RUNS, true, "register: x19 = 0x10",
        "register after the last call; a number, a typed value or `&symbol+N`", ""),
    row("memory", Expected, RUNS, true, "memory: sym+4 = 5i32 6i32` or `= 01 02 ff",
        "typed values or bytes at that symbol or address after the last call", ""),
    row("prints", Expected, RUNS, false, "prints: \"text\\n\"", "all that was printed by host functions", ""),
    row("exit", Expected, RUNS, false, "exit: 3", "a call ended by `exit(3)`; `exit: abort` by `abort()`", ""),
    row("fault", Expected, RUNS, false, "fault: KIND [at SYMBOL+N] [address ADDR]",
        "a call ended in a fault: `read write fetch undefined breakpoint unaligned state stack budget`; pc and address when given, \
         as numbers or `SYMBOL+N`", ""),
    row("budget", Expected, RUNS, false, "budget: INSTRUCTIONS", "how many instructions the calls and constructors may take together", "50000000"),
    row("covers", Expected, BUILDS, true, "covers: R_...",
        "relocations the objects of this case hold in at least one configuration of the architecture in question", ""),
    row("xfail", Expected, RUNS, true, "xfail: REASON", "must not pass", ""),
];

impl Spec {
    /// The directive of this name.
    pub fn named(name: &str) -> Option<&'static Spec> {
        DIRECTIVES.iter().find(|spec| spec.name == name)
    }

    /// What may stand in its scope, in words.
    pub fn scope_words(&self) -> String {
        let word = |kind: &ScopeKind| match kind {
            Arch => "arch",
            For => "value",
            Build => "build",
            Part => "part",
            Layout => "layout",
        };
        self.scopes.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// The table of the reference for one group, in Markdown.
pub fn reference(group: Group) -> String {
    let mut out = String::from("| directive | meaning | default | scope |\n|---|---|---|---|\n");
    for spec in DIRECTIVES.iter().filter(|spec| spec.group == group) {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", spec.form, spec.meaning, spec.default, spec.scope_words());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference holds the tables as the code has them. `LINKRIG_UPDATE=1` writes them anew.
    #[test]
    fn the_reference_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/directives.md");
        let old = std::fs::read_to_string(path).expect("docs/directives.md");
        let mut new = old.clone();
        for (group, name) in [(Built, "built"), (Linked, "linked"), (Expected, "expected")] {
            let (begin, end) = (format!("<!-- table: {name} -->\n"), "<!-- end -->");
            let from = new.find(&begin).unwrap_or_else(|| panic!("no `{begin}` in docs/directives.md")) + begin.len();
            let to = from + new[from..].find(end).expect("an end of the table");
            new.replace_range(from..to, &reference(group));
        }
        if std::env::var_os("LINKRIG_UPDATE").is_some() {
            std::fs::write(path, &new).expect("written");
        } else {
            assert!(old == new, "docs/directives.md is stale: run LINKRIG_UPDATE=1 cargo test -p corpus the_reference");
        }
    }

    #[test]
    fn names_are_unique() {
        for (index, spec) in DIRECTIVES.iter().enumerate() {
            assert!(DIRECTIVES[..index].iter().all(|other| other.name != spec.name), "{}", spec.name);
        }
    }
}
