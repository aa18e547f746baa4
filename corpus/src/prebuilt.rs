//! The objects that are checked in: one archive a target, each file in it once, so that nothing needs a cross compiler.
//!
//! `TARGET.tar.gz` holds `index.json` and `objects`: all files one after the other, what is alike side by side, so that it
//! packs well. What is read is not trusted: sizes are bounded, and the hash of a case's files is checked before they are
//! given out.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use linker::target::{TARGETS, Target};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::build::{File, FileKind};
use crate::case::Case;
use crate::digest::hexadecimal;
use crate::matrix::{Build, Family, ToolchainId};
use crate::toolchain::{Toolchains, package_of};

/// What the archives hold together, at most.
pub const MOST_BYTES: u64 = 4 << 20;
/// Nothing here is larger when unpacked.
const MOST_UNPACKED: u64 = 256 << 20;
const FORMAT: u32 = 1;
const ADVICE: &str = "run cargo xtask prebuilt";
const KEEP: &str = "cargo xtask prebuilt keeps objects of the corpus";

/// Why prebuilt objects could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PrebuiltError {
    /// The archive could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The archive is not what it should be.
    #[error("{path}: {message}; {ADVICE}")]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The case's sources or flags are not those the objects were built from.
    #[error("{case} changed since its objects for {target} were built: --rebuild compiles it, {KEEP}")]
    Stale {
        /// The case.
        case: String,
        /// The target.
        target: &'static str,
    },
    /// There are no objects of this build.
    #[error("there are no prebuilt objects of {case} for {target}, {label}: --rebuild compiles it, {KEEP}")]
    Missing {
        /// The case.
        case: String,
        /// The target.
        target: &'static str,
        /// The build.
        label: String,
    },
}

/// The compiler that objects were made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// `gcc` or `clang`.
    pub family: String,
    /// Its major version.
    pub major: u32,
    /// The first line of its `--version`.
    pub version: String,
    /// The Debian packages of compiler, C++ compiler, linker, with their versions, where they came from packages.
    pub packages: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    format: u32,
    target: String,
    toolchains: Vec<Provenance>,
    cases: BTreeMap<String, Stored>,
    /// The size of each file in `objects`.
    files: Vec<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    /// [`Case::fingerprint`] at the time.
    source: String,
    /// SHA-256 of its files: see [`content_hash`].
    sha256: String,
    /// What the files of each build are called, in link order.
    names: Vec<String>,
    /// Label to files: places in `files`.
    builds: BTreeMap<String, Vec<u32>>,
}

/// The prebuilt objects of one target.
#[derive(Debug)]
pub struct Prebuilt {
    target: &'static Target,
    index: Index,
    objects: Vec<u8>,
    /// Where each file is in `objects`.
    ranges: Vec<Range<usize>>,
    /// Whether the hash of a case is right, once somebody asked.
    checked: HashMap<String, OnceLock<bool>>,
}

/// Where the archives of this source tree are.
pub fn default_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("prebuilt")
}

/// The archive of a target.
pub fn path(dir: &Path, target: &Target) -> PathBuf {
    dir.join(format!("{}.tar.gz", target.name))
}

/// Writes the archive of one target; the same input gives the same bytes. Returns their number.
pub fn write(
    dir: &Path,
    target: &'static Target,
    built: &[(&Case, &Build, &[File])],
    toolchains: &Toolchains,
) -> Result<u64, PrebuiltError> {
    let mut index = Index {
        format: FORMAT,
        target: target.name.to_owned(),
        toolchains: Vec::new(),
        cases: BTreeMap::new(),
        files: Vec::new(),
    };
    let used = |family: &str| built.iter().any(|(_, build, _)| build.toolchain.family.name() == family);
    index.toolchains = provenance(target, toolchains).into_iter().filter(|one| used(&one.family)).collect();
    // By case, then by file, then by build: a packer finds what is alike only near by.
    let mut files: Vec<(&str, usize, &str, &File)> = Vec::new();
    for (case, build, list) in built {
        files.extend(list.iter().enumerate().map(|(at, file)| (case.name.as_str(), at, build.label.as_str(), file)));
    }
    files.sort_by_key(|&(case, at, label, _)| (case, at, label));
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    let mut objects = Vec::new();
    for (_, _, _, file) in &files {
        known.entry(&file.data).or_insert_with(|| {
            objects.extend_from_slice(&file.data);
            index.files.push(file.data.len() as u32);
            index.files.len() as u32 - 1
        });
    }
    for (case, build, files) in built {
        let entry = index.cases.entry(case.name.clone()).or_insert_with(|| Stored {
            source: case.fingerprint(target),
            sha256: String::new(),
            names: files.iter().map(|file| file.name.clone()).collect(),
            builds: BTreeMap::new(),
        });
        let places = files.iter().filter_map(|file| known.get(&*file.data).copied()).collect();
        entry.builds.insert(build.label.clone(), places);
    }
    let ranges = ranges(&index.files);
    for entry in index.cases.values_mut() {
        entry.sha256 = content_hash(entry, &ranges, &objects);
    }
    let path = path(dir, target);
    let io = |source| PrebuiltError::Io { path: path.clone(), source };
    let bytes = pack(&index, &objects).map_err(io)?;
    std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, &bytes)).map_err(io)?;
    Ok(bytes.len() as u64)
}

/// The place of each file, from their sizes.
fn ranges(sizes: &[u32]) -> Vec<Range<usize>> {
    let mut end = 0usize;
    let next = |size: &u32| {
        let start = end;
        end = end.saturating_add(*size as usize);
        start..end
    };
    sizes.iter().map(next).collect()
}

/// The hash of the files of a case: each build's label, then its files with their names and sizes.
fn content_hash(entry: &Stored, ranges: &[Range<usize>], objects: &[u8]) -> String {
    let mut hash = Sha256::new();
    let mut seen: Vec<u32> = Vec::new();
    for (label, places) in &entry.builds {
        hash.update(format!("{label}\n"));
        for (name, place) in entry.names.iter().zip(places) {
            let data = ranges.get(*place as usize).and_then(|range| objects.get(range.clone())).unwrap_or_default();
            // Many builds share a file: its bytes count once, and then by where they came first.
            let first = seen.iter().position(|known| known == place);
            hash.update(format!("{name} {} {first:?}\n", data.len()));
            if first.is_none() {
                hash.update(data);
                seen.push(*place);
            }
        }
    }
    hexadecimal(&hash.finalize())
}

fn pack(index: &Index, objects: &[u8]) -> std::io::Result<Vec<u8>> {
    // The most there is: it is done once, and kept for good.
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(10));
    let mut tar = tar::Builder::new(gzip);
    for (name, data) in [(INDEX, &*serde_json::to_vec(index)?), (OBJECTS, objects)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, name, data)?;
    }
    tar.into_inner()?.finish()
}

const INDEX: &str = "index.json";
const OBJECTS: &str = "objects";

/// The compilers of this machine for a target, as archives record them.
pub fn provenance(target: &Target, toolchains: &Toolchains) -> Vec<Provenance> {
    let one = |family: Family| {
        let toolchain = toolchains.get(family, target).ok()?;
        let tools = [Some(&toolchain.cc), toolchain.cxx.as_ref().ok(), toolchain.ld.as_ref().ok()];
        let packages = tools.into_iter().flatten().filter_map(|tool| package_of(&tool.path)).collect();
        let (family, major) = (family.name().to_owned(), toolchain.id.major);
        Some(Provenance { family, major, version: toolchain.cc.version.clone(), packages })
    };
    Family::ALL.into_iter().filter_map(one).collect()
}

/// Reads the archive of a target. The hashes are checked when files are asked for, a case at a time.
pub fn read(dir: &Path, target: &'static Target) -> Result<Prebuilt, PrebuiltError> {
    let path = path(dir, target);
    let io = |source| PrebuiltError::Io { path: path.clone(), source };
    let damaged = |message: String| PrebuiltError::Damaged { path: path.clone(), message };
    let size = std::fs::metadata(&path).map_err(io)?.len();
    if size > MOST_BYTES {
        return Err(damaged(format!("{size} bytes, expected at most {MOST_BYTES}")));
    }
    let packed = std::fs::read(&path).map_err(io)?;
    unpack(target, &packed).map_err(damaged)
}

/// What an archive of a target holds. `Err` says what is wrong with it.
pub(crate) fn unpack(target: &'static Target, packed: &[u8]) -> Result<Prebuilt, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed).take(MOST_UNPACKED));
    let mut contents = [Vec::new(), Vec::new()];
    let mut entries = archive.entries().map_err(text)?;
    for (name, content) in [INDEX, OBJECTS].into_iter().zip(&mut contents) {
        let mut entry = entries.next().ok_or_else(|| format!("there is no {name}"))?.map_err(text)?;
        if *entry.path_bytes() != *name.as_bytes() {
            return Err(format!("{} stands where {name} is expected", String::from_utf8_lossy(&entry.path_bytes())));
        }
        entry.read_to_end(content).map_err(text)?;
        if content.len() as u64 != entry.size() {
            return Err(format!("{name} is cut off"));
        }
    }
    if entries.next().is_some() {
        return Err(format!("there is more than {INDEX} and {OBJECTS}"));
    }
    // The packer's own check of all that was read stands at the end.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(text)?;
    let [index, objects] = contents;
    let index: Index = serde_json::from_slice(&index).map_err(|error| format!("{INDEX}: {error}"))?;
    if index.format != FORMAT || index.target != target.name {
        return Err(format!("format {} for {}, expected {FORMAT} for {}", index.format, index.target, target.name));
    }
    let ranges = ranges(&index.files);
    let end = ranges.last().map_or(0, |range| range.end);
    if end != objects.len() {
        return Err(format!("{OBJECTS} holds {} bytes, expected {end}", objects.len()));
    }
    for (case, entry) in &index.cases {
        let wrong =
            |places: &Vec<u32>| places.len() != entry.names.len() || places.iter().any(|p| *p as usize >= ranges.len());
        if entry.builds.values().any(wrong) {
            return Err(format!("{INDEX}: the files of {case} are not there"));
        }
    }
    let checked = index.cases.keys().map(|case| (case.clone(), OnceLock::new())).collect();
    Ok(Prebuilt { target, index, objects, ranges, checked })
}

impl Prebuilt {
    /// The objects of a build of a case, in link order.
    pub fn files(&self, case: &Case, build: &Build) -> Result<Vec<File>, PrebuiltError> {
        let label = build.label.clone();
        let missing = || PrebuiltError::Missing { case: case.name.clone(), target: self.target.name, label };
        let Some(entry) = self.index.cases.get(&case.name) else { return Err(missing()) };
        let places = entry.builds.get(&build.label).ok_or_else(missing)?;
        if !self.is_intact(&case.name) {
            let path = PathBuf::from(format!("{}.tar.gz", self.target.name));
            let message = format!("the files of {} do not have the hash of the index", case.name);
            return Err(PrebuiltError::Damaged { path, message });
        }
        let file = |(name, place): (&String, &u32)| {
            let data = self.ranges.get(*place as usize).and_then(|range| self.objects.get(range.clone()));
            File { name: name.clone(), kind: FileKind::of(name), data: data.unwrap_or_default().to_vec() }
        };
        Ok(entry.names.iter().zip(places).map(file).collect())
    }

    /// Whether the files of a case have the hash of the index.
    fn is_intact(&self, case: &str) -> bool {
        let (Some(entry), Some(checked)) = (self.index.cases.get(case), self.checked.get(case)) else { return false };
        *checked.get_or_init(|| content_hash(entry, &self.ranges, &self.objects) == entry.sha256)
    }

    /// Whether the case is the one the objects were built from. Cheap, but not free: ask once a case.
    pub fn check(&self, case: &Case) -> Result<(), PrebuiltError> {
        match self.index.cases.get(&case.name) {
            Some(entry) if entry.source != case.fingerprint(self.target) => {
                Err(PrebuiltError::Stale { case: case.name.clone(), target: self.target.name })
            }
            _ => Ok(()),
        }
    }

    /// The compilers the objects were made with.
    pub fn toolchains(&self) -> &[Provenance] {
        &self.index.toolchains
    }

    /// The major version of a family's compiler, or the wanted one: for the builds of a case.
    pub fn major(&self, family: Family) -> u32 {
        let found = self.index.toolchains.iter().find(|toolchain| toolchain.family == family.name());
        found.map_or(family.wanted(), |toolchain| toolchain.major)
    }

    /// The compilers as labels name them.
    pub fn toolchain(&self, family: Family) -> ToolchainId {
        ToolchainId { family, major: self.major(family) }
    }

    /// How many different files there are, and their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.ranges.len(), self.objects.len())
    }
}

/// Everything that is wrong with the archives of a directory, seen from these cases: damaged, stale, missing, left over,
/// too large. Nothing is compiled.
pub fn verify(dir: &Path, cases: &[Case]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut total = 0;
    for target in TARGETS {
        let wanted: Vec<&Case> = cases.iter().filter(|case| case.is_for(target)).collect();
        let exists = path(dir, target).exists();
        if wanted.is_empty() && !exists {
            continue;
        }
        total += std::fs::metadata(path(dir, target)).map_or(0, |metadata| metadata.len());
        match read(dir, target) {
            Err(error) => problems.push(error.to_string()),
            Ok(prebuilt) => verify_target(&prebuilt, &wanted, &mut problems),
        }
    }
    if total > MOST_BYTES {
        problems.push(format!("the prebuilt objects take {total} bytes, more than {MOST_BYTES}"));
    }
    problems
}

fn verify_target(prebuilt: &Prebuilt, cases: &[&Case], problems: &mut Vec<String>) {
    let target = prebuilt.target;
    for case in cases {
        if let Err(error) = prebuilt.check(case) {
            problems.push(error.to_string());
            continue;
        }
        if prebuilt.index.cases.contains_key(&case.name) && !prebuilt.is_intact(&case.name) {
            problems.push(format!(
                "{}: the files of {} do not have the hash of the index; {ADVICE}",
                target.name, case.name
            ));
        }
        let known = prebuilt.index.cases.get(&case.name);
        for build in case.builds(&[target.name], &|family, _| prebuilt.major(family)) {
            if !known.is_some_and(|entry| entry.builds.contains_key(&build.label)) {
                let (case, label) = (case.name.clone(), build.label);
                problems.push(PrebuiltError::Missing { case, target: target.name, label }.to_string());
            }
        }
    }
    for name in prebuilt.index.cases.keys() {
        if !cases.iter().any(|case| case.name == *name) {
            problems.push(format!("{}: there is no case {name} any more; {ADVICE}", target.name));
        }
    }
}
