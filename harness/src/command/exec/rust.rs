//! What objects of Rust are linked with that rustc did not link: `core` and `alloc` of the target or, for those that want it,
//! `std`, and the few functions that rustc makes when it links.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use linker::Target;
use object::write::{Symbol, SymbolSection};
use object::{Object as _, ObjectSymbol as _, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use outside::Limits;

use crate::linking::{Data, Input};
use crate::{inputs, oracle};

/// What rustc may take to say where its libraries are.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), text: 4096, file: 4096, memory: None };
/// Crates below a program without `std`.
const BELOW: [&str; 3] = ["core", "alloc", "compiler_builtins"];
/// Crates that no program wants that does not unwind by another one, or that is none of rustc's own.
const OTHERS: [&str; 6] = ["panic_abort", "proc_macro", "profiler_builtins", "getopts", "test", "rustc_std_workspace"];
/// Which function unwinds through Rust. The crates refer to it, and have it in `std` only.
const PERSONALITY: &str = "rust_eh_personality";

/// What is added to a link.
pub(super) struct Rust {
    /// Archives of crates.
    pub(super) libraries: Vec<PathBuf>,
    /// Functions that do nothing, as an object.
    pub(super) functions: Input,
    /// Names, and the functions that they are.
    pub(super) names: Vec<(String, String)>,
}

/// What to add for these files; nothing if they lack nothing of Rust's.
///
/// # Errors
/// Says what is not installed.
pub(super) fn needs(files: &[Input], target: &'static Target) -> anyhow::Result<Option<Rust>> {
    let (mut wanted, mut known) = Names::default().with(files);
    let lacks: Vec<&String> = wanted.difference(&known).collect();
    let lacks_crates = lacks.iter().any(|name| is_rust(name));
    if !lacks_crates && !lacks.iter().any(|name| *name == PERSONALITY) {
        return Ok(None);
    }
    let is_std = |name: &str| name.starts_with("_ZN3std") || is_rust(name) && name.contains("_3std");
    let has_std = lacks.iter().any(|name| is_std(name));
    let triple = corpus::target::find(target)?.rust;
    // A static library has its crates in it.
    let libraries = if lacks_crates { crates(triple, has_std)? } else { Vec::new() };
    let opened: Vec<Input> = libraries
        .iter()
        .map(|path| inputs::open(&path.to_string_lossy()))
        .collect::<anyhow::Result<_>>()
        .with_context(|| format!("crates for {triple}"))?;
    let (of_crates, by_crates) = Names::default().with(&opened);
    wanted.extend(of_crates);
    known.extend(by_crates);
    let mut names = Vec::new();
    let mut functions = Vec::new();
    for name in wanted.difference(&known) {
        if let Some(own) = own_of(name).filter(|own| known.contains(own)) {
            names.push((name.clone(), own));
        } else if name == PERSONALITY || name.contains("__rust_no_alloc_shim_is_unstable") {
            functions.push(name.as_str());
        }
    }
    let functions = do_nothing(target, files, &functions)?;
    Ok(Some(Rust { libraries, functions, names }))
}

/// Whether a name is one of Rust's, by either mangling. In C++, `std` is `St`.
pub(super) fn is_rust(name: &str) -> bool {
    ["_R", "_ZN4core", "_ZN5alloc", "_ZN3std", "__rust_"].iter().any(|prefix| name.starts_with(prefix))
}

/// The function by which `std` or `alloc` do what the program does not do itself: `__rdl_alloc` for `__rust_alloc`.
fn own_of(name: &str) -> Option<String> {
    let (before, behind) = name.split_once("__rust_")?;
    // In mangled names there is the length in front.
    let prefix = before.trim_end_matches('_').trim_end_matches(|c: char| c.is_ascii_digit());
    let Ok(length) = before[prefix.len()..].trim_end_matches('_').parse::<usize>() else {
        return Some(format!("{before}__rdl_{behind}"));
    };
    Some(format!("{prefix}{}___rdl_{behind}", length.checked_sub(1)?))
}

/// The archives of the crates for a target.
fn crates(triple: &str, has_std: bool) -> anyhow::Result<Vec<PathBuf>> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", triple]);
    let said = outside::run(command, &LIMITS).context("a program in Rust: rustc is not installed")?;
    let directory = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_prefix("lib").and_then(|file| file.strip_suffix(".rlib")) else { continue };
        let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
        let is_wanted =
            if has_std { !OTHERS.iter().any(|other| name.starts_with(other)) } else { BELOW.contains(&name) };
        if is_wanted {
            found.push(entry.path());
        }
    }
    found.sort();
    anyhow::ensure!(
        found.len() >= BELOW.len(),
        "a program in Rust: core and alloc are not installed for {triple} (rustup target add {triple})"
    );
    Ok(found)
}

/// Names that files refer to, and those that they define, members of archives included.
#[derive(Default)]
struct Names {
    wanted: BTreeSet<String>,
    known: BTreeSet<String>,
}

impl Names {
    fn with(mut self, files: &[Input]) -> (BTreeSet<String>, BTreeSet<String>) {
        for file in files {
            match inputs::members(file) {
                Some(members) => members.into_iter().for_each(|(_, data)| self.take(data)),
                None => self.take(&file.data),
            }
        }
        (self.wanted, self.known)
    }

    fn take(&mut self, data: &[u8]) {
        // What cannot be read is said by the link.
        let Ok(file) = object::File::parse(data) else { return };
        for symbol in file.symbols().filter(|symbol| symbol.is_global()) {
            let Ok(name) = symbol.name() else { continue };
            let names = if symbol.is_undefined() { &mut self.wanted } else { &mut self.known };
            names.insert(name.to_owned());
        }
    }
}

/// An object of functions that return at once.
fn do_nothing(target: &'static Target, files: &[Input], names: &[&str]) -> anyhow::Result<Input> {
    let mut object = oracle::inputs::start(target, files)?;
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    let text = object.add_section(Vec::new(), b".text.nothing".to_vec(), SectionKind::Text);
    // ret, or bx lr.
    let code: u32 = if target.register_bits == 64 { 0xd65f_03c0 } else { 0xe12f_ff1e };
    object.append_section_data(text, &code.to_le_bytes(), 4);
    let mut add = |name: &str, size, kind| {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size,
            kind,
            scope: if size == 0 { SymbolScope::Compilation } else { SymbolScope::Linkage },
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    };
    add(if target.register_bits == 64 { "$x" } else { "$a" }, 0, SymbolKind::Label);
    names.iter().for_each(|name| add(name, 4, SymbolKind::Text));
    Ok(Input::new("what rustc adds".to_owned(), Data::Read(object.write()?)))
}

#[cfg(test)]
mod tests {
    use super::own_of;

    #[test]
    fn what_the_program_does_not_do_itself() {
        let own = |name| own_of(name).expect("a name");
        assert_eq!(own("__rust_alloc"), "__rdl_alloc");
        assert_eq!(own("_RNvCsf_7___rustc14___rust_dealloc"), "_RNvCsf_7___rustc13___rdl_dealloc");
        assert_eq!(own_of("main"), None);
    }
}
