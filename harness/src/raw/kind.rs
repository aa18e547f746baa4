//! What a section holds, by its name.

use linker::memory::Protection;

use crate::map::Section;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Instructions.
    Code,
    /// What is only read.
    Constants,
    /// What is written.
    Data,
    /// Memory that begins as zeros.
    Zeros,
    /// Thread-local variables.
    ThreadData,
    /// Those that begin as zeros, which have no memory of their own.
    ThreadZeros,
    /// Nothing of the program: debug information and tables for linkers.
    NotLoaded,
    /// That the names do not say. It is data, where it is loaded.
    Unknown,
}

impl Kind {
    /// Whether its bytes are in the file.
    pub fn has_bytes(self) -> bool {
        !matches!(self, Kind::Zeros | Kind::ThreadZeros | Kind::NotLoaded)
    }

    /// Whether it is a part of the image of thread-local variables.
    pub fn is_thread_local(self) -> bool {
        matches!(self, Kind::ThreadData | Kind::ThreadZeros)
    }

    /// What the program may do with it. `None`: it has no memory of its own.
    pub fn protection(self) -> Option<Protection> {
        match self {
            Kind::Code => Some(Protection::ReadExecute),
            Kind::Constants => Some(Protection::Read),
            Kind::Data | Kind::Zeros | Kind::ThreadData | Kind::Unknown => Some(Protection::ReadWrite),
            Kind::ThreadZeros | Kind::NotLoaded => None,
        }
    }
}

/// Names without what stands before the first letter. Each stands for itself, and for what begins with it and a dot.
#[rustfmt::skip]
const NAMES: &[(&[&str], Kind)] = &[
    (&["text", "init", "fini", "plt", "iplt", "stub", "glue_7", "glue_7t", "vfp11_veneer", "v4_bx", "ramfunc", "ramfuncs", "code",
       "gnu.linkonce.t"], Kind::Code),
    (&["rodata", "ARM.exidx", "ARM.extab", "eh_frame", "eh_frame_hdr", "gcc_except_table", "isr_vector", "vectors", "vector_table",
       "interp", "hash", "gnu.hash", "dynsym", "dynstr", "rel", "rela", "gnu.version", "gnu.version_r", "note", "gnu.linkonce.r",
       "ctors", "dtors", "init_array", "fini_array", "preinit_array"], Kind::Constants),
    (&["data", "got", "igot", "dynamic", "jcr", "gnu.linkonce.d"], Kind::Data),
    (&["bss", "sbss", "noinit", "heap", "stack", "user_heap_stack", "relro_padding", "COMMON", "dynbss", "gnu.linkonce.b"], Kind::Zeros),
    (&["tdata", "gnu.linkonce.td"], Kind::ThreadData),
    (&["tbss", "tcommon", "gnu.linkonce.tb"], Kind::ThreadZeros),
    (&["symtab", "symtab_shndx", "strtab", "shstrtab", "comment", "debug", "stab", "stabstr", "ARM.attributes", "gnu.attributes",
       "note.gnu.gold-version", "note.GNU-stack", "note.stapsdt", "GCC.command.line", "llvm_addrsig", "llvmbc", "llvmcmd", "zdebug", "gnu.build.attributes", "gnu_debuglink", "EHDR", "PHDR", "SHDR"], Kind::NotLoaded),
];

fn by_name(name: &str) -> Option<Kind> {
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    if name.starts_with("debug_") || name.starts_with("zdebug_") {
        return Some(Kind::NotLoaded);
    }
    let fits = |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let all = NAMES.iter().flat_map(|(names, kind)| names.iter().map(move |name| (*name, *kind)));
    all.filter(|(known, _)| fits(known)).max_by_key(|(known, _)| known.len()).map(|(_, kind)| kind)
}

/// What a section of an image holds: by its name, or else by those of its input sections, of which code comes first, then what is written.
pub(super) fn of(section: &Section) -> Kind {
    const ORDER: [Kind; 5] = [Kind::Code, Kind::ThreadData, Kind::Data, Kind::Constants, Kind::Zeros];
    let inside = || {
        let kinds: Vec<Kind> = section.inputs.iter().filter_map(|name| by_name(name)).collect();
        ORDER.into_iter().find(|kind| kinds.contains(kind))
    };
    by_name(&section.name).or_else(inside).unwrap_or(Kind::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_names() {
        let kind = |name: &str, inputs: &[&str]| {
            let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
            of(&Section { name: name.to_owned(), address: 0, load: 0, size: 1, alignment: None, inputs })
        };
        assert_eq!(kind(".text", &[]), Kind::Code);
        assert_eq!(kind(".init_array", &[]), Kind::Constants);
        assert_eq!(kind("rom_start", &[".rodata.x", ".vectors", ".text.reset"]), Kind::Code);
        assert_eq!(kind("._user_heap_stack", &[]), Kind::Zeros);
        assert_eq!(kind(".debug_line", &[]), Kind::NotLoaded);
        assert_eq!(kind(".note.gnu.build-id", &[]), Kind::Constants);
        assert_eq!(kind(".note.GNU-stack", &[]), Kind::NotLoaded);
        assert_eq!(kind(".my", &[".mine"]), Kind::Unknown);
    }
}
