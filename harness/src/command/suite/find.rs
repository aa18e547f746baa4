//! The programs of a folder, and what else is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::dejagnu::{self, Directive};
use super::reference;

/// Bytes of a source that are read for its comments.
const LONGEST: u64 = 16 << 20;
/// How deep folders may stand in each other, and how many files are looked at.
const DEEPEST: usize = 64;
const MOST: usize = 1_000_000;

/// Endings of the names of sources.
const C: &str = "c";
const CPP: [&str; 5] = ["cc", "cpp", "cxx", "C", "c++"];

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its source, as a path from the folder on.
    pub path: String,
    /// `group/case` of its reports: the folder that it is in, with dots between the parts, and its file.
    pub case: String,
    /// All its sources, its own first.
    pub sources: Vec<PathBuf>,
    /// What its comments ask for.
    pub(super) directives: Vec<Directive>,
    /// Flags that the folder asks for.
    pub(super) flags: Vec<String>,
    /// What it has to print, and its status, where there is a file that says so.
    pub reference: Option<PathBuf>,
}

impl Program {
    /// Whether it is in C++.
    pub fn is_cpp(&self) -> bool {
        self.sources.iter().any(|source| is_cpp(source))
    }
}

/// Whether a source is in C++.
pub(super) fn is_cpp(source: &Path) -> bool {
    ending(source).is_some_and(|ending| CPP.contains(&ending))
}

fn is_source(path: &Path) -> bool {
    ending(path) == Some(C) || is_cpp(path)
}

fn ending(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// What is in a folder.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The programs, by path.
    pub programs: Vec<Program>,
    /// What is no program of its own, by why that is, and how many.
    pub others: BTreeMap<&'static str, usize>,
}

/// Looks through a folder. Links to folders are not followed, as they may lead back.
///
/// # Errors
/// It cannot be read, or there is too much in it.
pub fn find(directory: &Path) -> anyhow::Result<Found> {
    let root = directory.canonicalize().with_context(|| directory.display().to_string())?;
    if !root.is_dir() {
        bad_input!("{}: it is a file, expected a folder of programs", directory.display());
    }
    let mut found = Found::default();
    let mut folders = vec![(root.clone(), 0)];
    let mut files = 0;
    while let Some((folder, depth)) = folders.pop() {
        let mut sources = BTreeSet::new();
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            files += 1;
            if files > MOST || depth > DEEPEST {
                bad_input!("{}: more than {MOST} files, or folders deeper than {DEEPEST}", directory.display());
            }
            if kind.is_dir() {
                folders.push((path, depth + 1));
            } else if is_source(&path) && path.is_file() {
                sources.insert(path);
            } else if ending(&path) == Some("x") {
                count(&mut found, "Tcl of GCC's harness for one program (.x), which is not read");
            }
        }
        of_folder(&root, &folder, &sources, &mut found)?;
    }
    found.programs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn count(found: &mut Found, why: &'static str) {
    *found.others.entry(why).or_default() += 1;
}

/// The programs of one folder. In c-torture's `builtins`, NAME.c has a part NAME-lib.c, and all have a part lib/main.c.
fn of_folder(root: &Path, folder: &Path, sources: &BTreeSet<PathBuf>, found: &mut Found) -> anyhow::Result<()> {
    let part = |source: &Path| {
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Some(source.with_file_name(format!("{name}-lib.c"))).filter(|part| sources.contains(part))
    };
    let parts: BTreeSet<PathBuf> = sources.iter().filter_map(|source| part(source)).collect();
    let of_others = is_lib_of_builtins(folder);
    let flags = dejagnu::flags_of_folder(folder);
    for source in sources {
        if of_others || parts.contains(source) {
            count(found, "a part of other programs");
            continue;
        }
        let text = outside::read(source, LONGEST)?;
        let directives = dejagnu::directives(&String::from_utf8_lossy(&text));
        let mut all = vec![source.clone()];
        if let Some(part) = part(source) {
            let main = folder.join("lib/main.c");
            all.push(part);
            all.extend(main.is_file().then_some(main));
        }
        all.extend(dejagnu::sources(&directives).map(|name| folder.join(name)));
        let relative = source.strip_prefix(root).unwrap_or(source);
        let path = relative.to_string_lossy().into_owned();
        found.programs.push(Program {
            case: case(root, relative),
            path,
            sources: all,
            directives,
            flags: flags.clone(),
            reference: reference::beside(source),
        });
    }
    Ok(())
}

/// Whether a folder is the `lib` of a folder whose programs have parts.
fn is_lib_of_builtins(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "lib")
        && folder.join("main.c").is_file()
        && folder.parent().and_then(|parent| std::fs::read_dir(parent).ok()).is_some_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with("-lib.c"))
        })
}

/// `folder.folder/file`: reports group by the part in front.
fn case(root: &Path, relative: &Path) -> String {
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let folders = relative.parent().into_iter().flat_map(Path::iter).map(text);
    let group: Vec<String> = root.file_name().map(text).into_iter().chain(folders).collect();
    let file = relative.file_name().map(text).unwrap_or_default();
    format!("{}/{file}", if group.is_empty() { "suite".to_owned() } else { group.join(".") })
}
