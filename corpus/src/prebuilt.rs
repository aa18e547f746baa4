//! The objects that are checked in: one archive a target, each file in it once, so that nothing needs a cross compiler.
//!
//! `TARGET.tar.gz` holds `index.json` and then the files, named by their place in the index. What is read is not trusted:
//! sizes are bounded and every hash is checked.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use linker::target::{TARGETS, Target};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::build::{File, FileKind};
use crate::case::Case;
use crate::matrix::{Build, Family, ToolchainId, builds};
use crate::toolchain::{Toolchains, package_of};

/// What the archives hold together, at most.
pub const MOST_BYTES: u64 = 4 << 20;
/// Nothing here is larger when unpacked.
const MOST_UNPACKED: u64 = 256 << 20;
const MOST_FILE: u64 = 16 << 20;
const FORMAT: u32 = 1;
const ADVICE: &str = "run cargo xtask prebuilt";

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
    #[error("{case} changed since its objects for {target} were built: {ADVICE}")]
    Stale {
        /// The case.
        case: String,
        /// The target.
        target: &'static str,
    },
    /// There are no objects of this build.
    #[error("there are no prebuilt objects of {case} for {target}, {label}: {ADVICE}")]
    Missing {
        /// The case.
        case: String,
        /// The target.
        target: &'static str,
        /// The build.
        label: String,
    },
}

/// The SHA-256 of these bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
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
    cases: BTreeMap<String, Entry>,
    /// SHA-256 of each file; its place is its name.
    files: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// [`Case::fingerprint`] at the time.
    source: String,
    /// Label to files in link order: name and place.
    builds: BTreeMap<String, Vec<(String, u32)>>,
}

/// The prebuilt objects of one target.
#[derive(Debug)]
pub struct Prebuilt {
    target: &'static Target,
    index: Index,
    bytes: Vec<u8>,
    /// Where each file is in `bytes`.
    ranges: Vec<std::ops::Range<usize>>,
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
    for family in Family::ALL {
        if built.iter().any(|(_, build, _)| build.toolchain.family == family) {
            index.toolchains.extend(provenance(family, target, toolchains));
        }
    }
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut contents: Vec<&[u8]> = Vec::new();
    for (case, build, files) in built {
        let entry = index
            .cases
            .entry(case.name.clone())
            .or_insert_with(|| Entry { source: case.fingerprint(target), builds: BTreeMap::new() });
        let mut places = Vec::new();
        for file in *files {
            let place = *known.entry(sha256(&file.data)).or_insert_with_key(|hash| {
                index.files.push(hash.clone());
                contents.push(&file.data);
                contents.len() as u32 - 1
            });
            places.push((file.name.clone(), place));
        }
        entry.builds.insert(build.label.clone(), places);
    }
    let path = path(dir, target);
    let io = |source| PrebuiltError::Io { path: path.clone(), source };
    let bytes = pack(&index, &contents).map_err(io)?;
    std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, &bytes)).map_err(io)?;
    Ok(bytes.len() as u64)
}

fn pack(index: &Index, contents: &[&[u8]]) -> std::io::Result<Vec<u8>> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut tar = tar::Builder::new(gzip);
    let mut append = |name: &str, data: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, name, data)
    };
    append("index.json", &serde_json::to_vec(index)?)?;
    for (place, data) in contents.iter().enumerate() {
        append(&place.to_string(), data)?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

fn provenance(family: Family, target: &Target, toolchains: &Toolchains) -> Option<Provenance> {
    let toolchain = toolchains.get(family, target).ok()?;
    let tools = [Some(&toolchain.cc), toolchain.cxx.as_ref().ok(), toolchain.ld.as_ref().ok()];
    let packages = tools.into_iter().flatten().filter_map(|tool| package_of(&tool.path)).collect();
    let (family, major) = (family.name().to_owned(), toolchain.id.major);
    Some(Provenance { family, major, version: toolchain.cc.version.clone(), packages })
}

/// Reads the archive of a target and checks every hash in it.
pub fn read(dir: &Path, target: &'static Target) -> Result<Prebuilt, PrebuiltError> {
    let path = path(dir, target);
    let io = |source| PrebuiltError::Io { path: path.clone(), source };
    let damaged = |message: String| PrebuiltError::Damaged { path: path.clone(), message };
    let size = std::fs::metadata(&path).map_err(io)?.len();
    if size > MOST_BYTES {
        return Err(damaged(format!("{size} bytes, expected at most {MOST_BYTES}")));
    }
    let packed = std::fs::read(&path).map_err(io)?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*packed)
        .take(MOST_UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(error.to_string()))?;
    if bytes.len() as u64 > MOST_UNPACKED {
        return Err(damaged(format!("more than {MOST_UNPACKED} bytes unpacked")));
    }
    unpack(target, bytes).map_err(damaged)
}

fn unpack(target: &'static Target, bytes: Vec<u8>) -> Result<Prebuilt, String> {
    let mut index: Option<Index> = None;
    let mut ranges = Vec::new();
    let mut archive = tar::Archive::new(&*bytes);
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        let (start, size) = (entry.raw_file_position(), entry.size());
        let end = start.checked_add(size).filter(|&end| size <= MOST_FILE && end <= bytes.len() as u64);
        let end = end.ok_or_else(|| format!("a file of {size} bytes"))?;
        let range = start as usize..end as usize;
        let name = entry.path_bytes();
        let Some(known) = &index else {
            if &*name != b"index.json" {
                return Err("the first file is not index.json".to_owned());
            }
            let parsed: Index =
                serde_json::from_slice(&bytes[range]).map_err(|error| format!("index.json: {error}"))?;
            if parsed.format != FORMAT || parsed.target != target.name {
                return Err(format!(
                    "format {} for {}, expected {FORMAT} for {}",
                    parsed.format, parsed.target, target.name
                ));
            }
            index = Some(parsed);
            continue;
        };
        let place = ranges.len();
        if *name != *place.to_string().as_bytes() {
            return Err(format!("file {place} is called {}", String::from_utf8_lossy(&name)));
        }
        match known.files.get(place) {
            Some(hash) if *hash == sha256(&bytes[range.clone()]) => ranges.push(range),
            Some(_) => return Err(format!("file {place} does not have the hash of the index")),
            None => return Err(format!("file {place} is not in the index")),
        }
    }
    let index = index.ok_or("no index.json")?;
    if index.files.len() != ranges.len() {
        return Err(format!("{} files, and {} in the index", ranges.len(), index.files.len()));
    }
    let mut places = index.cases.values().flat_map(|entry| entry.builds.values()).flatten();
    if let Some((name, place)) = places.find(|(_, place)| *place as usize >= ranges.len()) {
        return Err(format!("{name} is file {place}, which is not there"));
    }
    Ok(Prebuilt { target, index, bytes, ranges })
}

impl Prebuilt {
    /// The objects of a build of a case, in link order.
    pub fn files(&self, case: &Case, build: &Build) -> Result<Vec<File>, PrebuiltError> {
        let label = build.label.clone();
        let missing = || PrebuiltError::Missing { case: case.name.clone(), target: self.target.name, label };
        let Some(entry) = self.index.cases.get(&case.name) else { return Err(missing()) };
        let files = entry.builds.get(&build.label).ok_or_else(missing)?;
        let file = |(name, place): &(String, u32)| {
            let data = self.ranges.get(*place as usize).map_or(Vec::new(), |range| self.bytes[range.clone()].to_vec());
            File { name: name.clone(), kind: FileKind::of(name), data }
        };
        Ok(files.iter().map(file).collect())
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

    /// The major version of a family's compiler, or the wanted one: for [`builds`].
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
        (self.ranges.len(), self.ranges.iter().map(std::ops::Range::len).sum())
    }
}

/// Everything that is wrong with the archives of a directory, seen from these cases: damaged, stale, missing, left over,
/// too large. Nothing is compiled.
pub fn verify(dir: &Path, cases: &[Case]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut total = 0;
    for target in TARGETS {
        let wanted: Vec<&Case> = cases.iter().filter(|case| case.targets.contains(&target)).collect();
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
        let known = prebuilt.index.cases.get(&case.name);
        for build in builds(case, &[target.name], &|family, _| prebuilt.major(family)) {
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
