//! Modules that the image itself has for its kernel: found by name, with what they depend on, in loading order.

use std::collections::{BTreeMap, BTreeSet};

use object::{Object, ObjectSection};

use super::compression::Compression;
use super::root::Root;
use super::{Image, ImageError};

/// A module, ready to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name as Linux lists it, with underscores.
    pub name: String,
    /// The ELF file.
    pub content: Vec<u8>,
}

/// Where distributions keep them; one is often a link to the other.
const DIRECTORIES: [&str; 2] = ["/lib/modules", "/usr/lib/modules"];

/// Directories in directories are not followed further than this, and not more of them: no kernel has that many.
const DEEPEST: usize = 16;
const MOST: usize = 20_000;

/// Module names tell `-` from `_` in file names only.
fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

/// The module's name in a path like `kernel/fs/ext4/ext4.ko.xz`.
fn module_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let (name, extension) = file.split_once(".ko")?;
    (extension.is_empty() || extension.starts_with('.')).then(|| canonical(name))
}

/// The versions that there are modules for.
pub(super) fn versions(root: &Root) -> Result<Vec<String>, ext4_view::Ext4Error> {
    for directory in DIRECTORIES {
        let entries = root.list(directory)?;
        if !entries.is_empty() {
            return Ok(entries.into_iter().filter(|entry| entry.directory).map(|entry| entry.name).collect());
        }
    }
    Ok(Vec::new())
}

/// A kernel's modules in the root file system.
struct Modules<'image> {
    image: &'image Image,
    root: Root,
    version: &'image str,
    files: BTreeMap<String, String>,
    built_in: BTreeSet<String>,
}

/// Finds modules and what they depend on.
pub(super) fn load(image: &Image, version: &str, names: &[&str]) -> Result<Vec<Module>, ImageError> {
    let root = image.root()?;
    let error = |path: &str, error| image.root_file_error(path, &error);
    let mut home = None;
    for directory in DIRECTORIES {
        let directory = format!("{directory}/{version}");
        if !version.contains('/') && !root.list(&directory).map_err(|e| error(&directory, e))?.is_empty() {
            home = Some(directory);
            break;
        }
    }
    let Some(home) = home else {
        let found = versions(&root).unwrap_or_default();
        return Err(ImageError::NoModules {
            path: image.path.clone(),
            number: image.root_partition().unwrap_or_default(),
            version: version.to_owned(),
            found: if found.is_empty() { "none".to_owned() } else { found.join(", ") },
        });
    };
    let list = format!("{home}/modules.builtin");
    let built_in = root.read(&list).map_err(|e| error(&list, e))?.unwrap_or_default();
    let built_in = String::from_utf8_lossy(&built_in).lines().filter_map(module_name).collect();
    let files = find(&root, &home).map_err(|e| error(&home, e))?;
    Modules { image, root, version, files, built_in }.in_order(names)
}

/// All modules of a kernel. Those outside of `kernel` (updates, extra) go before those inside, as for depmod. What is
/// inside the kernel's build has listed in modules.order; where there is no such list, the directories are gone through.
fn find(root: &Root, home: &str) -> Result<BTreeMap<String, String>, ext4_view::Ext4Error> {
    let order = root.read(&format!("{home}/modules.order"))?.unwrap_or_default();
    let order = String::from_utf8_lossy(&order);
    let listed = order.lines().filter_map(|line| Some((module_name(line)?, format!("{home}/{line}"))));
    let mut files: BTreeMap<String, String> = listed.collect();

    let within = format!("{home}/kernel");
    let is_listed = !files.is_empty();
    let mut work = vec![(home.to_owned(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = work.pop() {
        for entry in root.list(&directory)? {
            let path = format!("{directory}/{}", entry.name);
            if entry.directory {
                seen += 1;
                if depth < DEEPEST && seen < MOST && !(is_listed && path == within) {
                    work.push((path, depth + 1));
                }
            } else if let Some(name) = module_name(&entry.name) {
                let known = files.get(&name);
                if known.is_none_or(|known| known.starts_with(&within) && !path.starts_with(&within)) {
                    files.insert(name, path);
                }
            }
        }
    }
    Ok(files)
}

/// modules.order names files as they were before they were compressed.
static SUFFIXES: &[&str] = &["", ".xz", ".gz", ".zst"];

impl Modules<'_> {
    /// What a module depends on comes before it.
    fn in_order(&self, names: &[&str]) -> Result<Vec<Module>, ImageError> {
        enum Step {
            Visit(String, Option<String>),
            Done(Module),
        }
        let mut work: Vec<Step> = names.iter().rev().map(|name| Step::Visit(canonical(name), None)).collect();
        let mut visited = BTreeSet::new();
        let mut ordered = Vec::new();
        while let Some(step) = work.pop() {
            match step {
                Step::Done(module) => ordered.push(module),
                Step::Visit(name, _) if self.built_in.contains(&name) || visited.contains(&name) => {}
                Step::Visit(name, by) => {
                    let (module, needed) = self.read(&name, by)?;
                    visited.insert(name.clone());
                    work.push(Step::Done(module));
                    work.extend(needed.into_iter().rev().map(|needed| Step::Visit(needed, Some(name.clone()))));
                }
            }
        }
        Ok(ordered)
    }

    /// A module, and what it says it depends on.
    fn read(&self, name: &str, by: Option<String>) -> Result<(Module, Vec<String>), ImageError> {
        let missing = || ImageError::NoModule {
            path: self.image.path.clone(),
            version: self.version.to_owned(),
            name: name.to_owned(),
            by: by.clone(),
        };
        let path = self.files.get(name).ok_or_else(missing)?;
        let broken = |reason: String| self.image.root_file_error(path, &reason);
        let content = SUFFIXES.iter().find_map(|suffix| self.root.read(&format!("{path}{suffix}")).transpose());
        let content = content.ok_or_else(missing)?.map_err(|error| broken(error.to_string()))?;
        let content = match Compression::of(&content) {
            Some(compression) => compression.decompress(&content).map_err(|error| broken(error.to_string()))?,
            None => content,
        };
        let needed = dependencies(&content).map_err(|error| broken(error.to_string()))?;
        Ok((Module { name: name.to_owned(), content }, needed))
    }
}

/// `depends=` in the section `.modinfo`.
fn dependencies(content: &[u8]) -> object::Result<Vec<String>> {
    let file = object::File::parse(content)?;
    let info = file.section_by_name(".modinfo").map(|section| section.data()).transpose()?.unwrap_or_default();
    let line = info.split(|byte| *byte == 0).find_map(|line| line.strip_prefix(b"depends="));
    let names = String::from_utf8_lossy(line.unwrap_or_default());
    Ok(names.split(',').filter(|name| !name.is_empty()).map(canonical).collect())
}
