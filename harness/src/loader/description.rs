//! A loader as data: what it is made of, and what is known of it (docs/loaders.md).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::features::{Feature, LACKING};
use crate::subject::{DescriptionError, Difference, Kind, Says};

/// Bytes of a description.
const LONGEST: u64 = 1 << 20;

/// What is known of a loader.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// What it is called in reports.
    pub name: String,
    /// Its sources, objects and archives, from the directory of the description.
    #[serde(default)]
    pub files: Vec<String>,
    /// Words for the compiler of its sources.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The targets that it loads for, with the files that are for one of them only.
    pub targets: BTreeMap<String, Vec<String>>,
    /// What gets memory of its own.
    #[serde(default)]
    pub places: Places,
    /// Whether it works on the bytes of the object that it is given.
    #[serde(default)]
    pub writes_object: bool,
    /// Whether it has to say which memory the instruction cache is to see.
    #[serde(default)]
    pub sync: bool,
    /// What it does not do.
    #[serde(default)]
    pub lacks: Vec<Feature>,
    /// What its results mean, where they are not those of `linkrig-loader.h`.
    #[serde(default)]
    pub results: BTreeMap<String, Kind>,
    /// What it prints means, where its result does not say it.
    #[serde(default)]
    pub says: Vec<Says>,
    /// What is not asked of it.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// What it fails at, is asked all the same, and was looked at.
    #[serde(default)]
    pub failures: Vec<Difference>,
    /// Instructions that it may take for all objects of a case.
    #[serde(default = "instructions")]
    pub instructions: u64,
    /// The directory of the description.
    #[serde(skip)]
    pub directory: PathBuf,
}

fn instructions() -> u64 {
    50_000_000
}

/// What of an object gets memory of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Places {
    /// Each section.
    #[default]
    Sections,
    /// All of its code, all of its constants, and all of its data.
    Kinds,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// The file cannot be read, or is not what it has to be.
    pub fn read(file: &Path) -> Result<Description, DescriptionError> {
        let text = outside::read_text(file, LONGEST)?;
        let malformed = |problem: String| DescriptionError::Malformed { file: file.display().to_string(), problem };
        let mut description: Description = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        description.directory = file.parent().map(Path::to_owned).unwrap_or_default();
        description.check().map_err(malformed)?;
        Ok(description)
    }

    /// What the form alone does not say.
    fn check(&self) -> Result<(), String> {
        let known: Vec<&str> = linker::TARGETS.iter().map(|target| target.name).collect();
        let of_differences = self.differences.iter().chain(&self.failures).flat_map(|difference| &difference.targets);
        for name in self.targets.keys().chain(of_differences) {
            if !known.contains(&name.as_str()) {
                let near = crate::messages::suggest(name, known.iter().copied());
                return Err(format!("there is no target `{name}`, expected one of {}{near}", known.join(", ")));
            }
        }
        if let Some((name, _)) = self.targets.iter().find(|(_, files)| files.is_empty() && self.files.is_empty()) {
            return Err(format!("the loader has no files for {name}, expected sources, objects or archives"));
        }
        if let Some(result) = self.results.keys().find(|result| result.parse::<i32>().is_err()) {
            return Err(format!("results: `{result}` is nothing that lr_load returns, expected a number"));
        }
        if !(1..=1 << 32).contains(&self.instructions) {
            return Err(format!("instructions = {}, expected 1 to 4294967296", self.instructions));
        }
        Ok(())
    }

    /// The files of the loader for a target, or nothing where it loads for another only.
    pub fn files(&self, target: &str) -> Option<Vec<PathBuf>> {
        let own = self.targets.get(target)?;
        Some(self.files.iter().chain(own).map(|file| self.directory.join(file)).collect())
    }

    /// What a result means. None: the objects are loaded.
    pub fn result(&self, result: i32) -> Option<Kind> {
        if let Some(kind) = self.results.get(&result.to_string()) {
            return Some(*kind);
        }
        match result {
            0 => None,
            1 => Some(Kind::OutOfRange),
            2 => Some(Kind::Misaligned),
            3 => Some(Kind::Undefined),
            4 => Some(Kind::Duplicate),
            5 => Some(Kind::Incompatible),
            6 => Some(Kind::Unsupported),
            7 => Some(Kind::Layout),
            _ => Some(Kind::Other),
        }
    }

    /// Whether it lacks this, as it says or as every loader does.
    pub(super) fn lacks(&self, feature: Feature) -> bool {
        LACKING.contains(&feature) || self.lacks.contains(&feature)
    }
}
