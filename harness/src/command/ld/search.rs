//! From names to files: libraries in their directories, texts that stand for libraries, and what all of it is for.

use std::path::{Path, PathBuf};

use linker::{Layout, Options, TARGETS, Target};

use super::command_line::{CommandLine, Named};
use crate::command::link::Request;
use crate::exit::{BadInput, Usage};
use crate::inputs;
use crate::linking::Input;
use crate::script::{self, Script};

/// How deeply scripts may name scripts.
const DEPTH: usize = 8;

/// Reads all files and says what is to be linked.
pub(super) fn request(mut line: CommandLine) -> anyhow::Result<Request> {
    let mut files =
        Files { directories: Vec::new(), sysroot: line.sysroot.clone(), found: Vec::new(), wanted: Vec::new() };
    files.directories = line.directories.iter().map(|directory| files.rooted(directory)).collect();
    for named in &line.inputs {
        files.add(named, DEPTH)?;
    }
    if files.found.is_empty() {
        return Err(Usage("no input files".to_owned()).into());
    }
    line.wishes.wanted.append(&mut files.wanted);
    let mut inputs = Vec::new();
    for (input, whole) in files.found {
        if whole && linker::archive::is_archive(&input.data) {
            line.wishes.whole_archives.push(inputs.len());
        }
        inputs.push(input);
    }
    let options = if line.no_relax { Options::unrelaxed() } else { Options::default() };
    let options = Options { platform: line.platform, ..options };
    for keyword in line.wishes.drop_unknown_keywords() {
        if line.fatal_warnings {
            return Err(Usage(format!("-z {keyword} is not known, and warnings are errors (--fatal-warnings)")).into());
        }
        note!("ld: warning: -z {keyword} is not known, and has no effect");
    }
    Ok(Request {
        target: target(&line, &inputs)?,
        files: inputs,
        output: line.output,
        entry: line.entry,
        options,
        wishes: line.wishes,
        layout: Layout::Near,
        phony_externals: false,
        map: line.map,
        strip: line.strip,
        discard: line.discard,
        build_id: line.build_id,
        frame_index: line.frame_index,
        print_removed: line.print_removed,
        print_objects: line.print_objects,
        fatal_warnings: line.fatal_warnings,
        hints: false,
    })
}

/// What the first object is for, which has to be of the kind that was named.
fn target(line: &CommandLine, files: &[Input]) -> anyhow::Result<&'static Target> {
    let named = match &line.emulation {
        None => None,
        Some(name) => {
            // One of several targets of a kind is told by the objects.
            let known = TARGETS.iter().find(|target| target.emulations.contains(&name.as_str()));
            let list = || TARGETS.iter().flat_map(|target| target.emulations).copied().collect::<Vec<_>>().join(", ");
            Some(known.ok_or_else(|| Usage(format!("-m {name} is not supported, expected one of {}", list())))?)
        }
    };
    // -EB and -EL turn the order of bytes.
    let named = named.map(|named| match line.big_endian {
        Some(big) if big != named.big_endian => TARGETS
            .iter()
            .find(|other| {
                (other.machine, other.pointer_bits, other.big_endian) == (named.machine, named.pointer_bits, big)
            })
            .unwrap_or(named),
        _ => named,
    });
    let told = files.iter().find_map(|file| inputs::target_of(file));
    match (named, told) {
        (Some(named), Some(told)) if named.is_kin(told) => Ok(told),
        // The linker says which file does not fit.
        (Some(named), _) => Ok(named),
        (None, Some(told)) => Ok(told),
        (None, None) => Err(BadInput(inputs::nothing_to_link(files) + "; or say what they are for with -m").into()),
    }
}

/// The files found so far.
struct Files {
    directories: Vec<PathBuf>,
    sysroot: Option<String>,
    found: Vec<(Input, bool)>,
    wanted: Vec<String>,
}

impl Files {
    /// A path that may begin with the system's root: behind `=` or `$SYSROOT`.
    fn rooted(&self, path: &str) -> PathBuf {
        match path.strip_prefix('=').or_else(|| path.strip_prefix("$SYSROOT")) {
            Some(rest) => PathBuf::from(format!("{}{rest}", self.sysroot.as_deref().unwrap_or(""))),
            None => PathBuf::from(path),
        }
    }

    fn add(&mut self, named: &Named, depth: usize) -> anyhow::Result<()> {
        let path = if named.library { self.library(&named.name)? } else { self.rooted(&named.name) };
        let name = path.to_string_lossy().into_owned();
        let input = inputs::open(&name)?;
        if !script::is_text(&input.data) {
            self.found.push((input, named.whole));
            return Ok(());
        }
        let read = script::parse(&String::from_utf8_lossy(&input.data))
            .map_err(|problem| BadInput(format!("{name}: {problem}")))?;
        let deeper = depth.checked_sub(1).ok_or_else(|| BadInput(format!("{name}: linker scripts name each other")))?;
        self.follow(&path, read, named.whole, deeper)
    }

    /// The files that a script names: as they stand, beside it, or where libraries are.
    fn follow(&mut self, script: &Path, read: Script, whole: bool, depth: usize) -> anyhow::Result<()> {
        self.directories.extend(read.directories.iter().map(|directory| self.rooted(directory)).collect::<Vec<_>>());
        self.wanted.extend(read.wanted);
        for file in read.files {
            let named = match file {
                script::Named::Library(name) => Named { name, library: true, whole },
                script::Named::File(name) => {
                    let path = self.beside(script, &name);
                    Named { name: path.to_string_lossy().into_owned(), library: false, whole }
                }
            };
            self.add(&named, depth)?;
        }
        Ok(())
    }

    fn beside(&self, script: &Path, name: &str) -> PathBuf {
        let plain = self.rooted(name);
        // What stands below the system's root names files below it.
        let is_below = |root: &str| match (std::fs::canonicalize(script), std::fs::canonicalize(root)) {
            (Ok(script), Ok(root)) => script.starts_with(root),
            _ => script.starts_with(root),
        };
        let root = self.sysroot.as_deref().filter(|root| plain.is_absolute() && is_below(root));
        let below = root.map(|root| PathBuf::from(format!("{root}{name}"))).filter(|path| path.exists());
        if let Some(below) = below {
            return below;
        }
        let beside = script.parent().map(|directory| directory.join(name));
        let elsewhere = self.directories.iter().map(|directory| directory.join(name));
        let mut tries = std::iter::once(plain.clone()).chain(beside).chain(elsewhere);
        tries.find(|path| path.exists()).unwrap_or(plain)
    }

    /// The file of `-lNAME`, or of `-l:FILE`.
    fn library(&self, name: &str) -> Result<PathBuf, BadInput> {
        let file = name.strip_prefix(':').map_or_else(|| format!("lib{name}.a"), str::to_owned);
        let found = self.directories.iter().map(|directory| directory.join(&file)).find(|path| path.exists());
        found.ok_or_else(|| {
            let shared = format!("lib{name}.so");
            BadInput(
                match self.directories.iter().map(|directory| directory.join(&shared)).find(|path| path.exists()) {
                    Some(path) => {
                        format!(
                            "cannot find {file}: there is only {}, and only static programs are linked",
                            path.display()
                        )
                    }
                    None => format!("cannot find {file} in any directory of -L"),
                },
            )
        })
    }
}
