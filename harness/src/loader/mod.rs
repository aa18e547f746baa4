//! Loaders as subjects of the corpus: they run as the guest, and load the objects of a case into memory that a layout chooses
//! (docs/loaders.md).
//!
//! A loader is data ([`Description`]). Our linker links it into the machine; `rooms` plans the memory that it is given, `session`
//! is what it and the rig say to each other, `load` calls it for each object, `inspect` compares what it did with what it may do,
//! and `program` is what came of it.

mod description;
mod features;
mod field;
mod inspect;
mod load;
mod object;
mod program;
mod rooms;
mod session;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corpus::build::BuildError;
use corpus::toolchain::Toolchains;
use linker::Target;
use outside::Scratch;

use crate::linking::{Data, Input};
use crate::subject::DescriptionError;

pub use description::{Description, Places};
pub use load::{Request, Trouble, load};
pub use program::Loaded;

/// What a loader is called by on a command line.
pub const PREFIX: &str = "loader:";

/// The header that sources of loaders include, wherever they are.
const HEADER: (&str, &str) = ("linkrig-loader.h", include_str!("../../../loaders/linkrig-loader.h"));

/// The files of a loader for one target, or why there are none.
type Files = Result<Arc<Vec<Input>>, FilesError>;

/// The files of a loader cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FilesError {
    /// Its sources are to be compiled, and what does that is not installed.
    #[error("{0}")]
    Missing(String),
    /// A file cannot be read or compiled, or is none.
    #[error("{0}")]
    Bad(String),
}

impl FilesError {
    fn of(path: &Path, error: &BuildError) -> FilesError {
        let text = format!("{}: {error}", path.display());
        if error.is_skip() { FilesError::Missing(text) } else { FilesError::Bad(text) }
    }
}

fn bad(error: impl fmt::Display) -> FilesError {
    FilesError::Bad(error.to_string())
}

/// A loader to try.
#[derive(Clone, Debug)]
pub struct Loader {
    /// What was asked for, as `--subject` has it.
    pub given: String,
    /// What is known of it.
    pub description: Arc<Description>,
    /// What was read and compiled of it, by target.
    files: Arc<Mutex<HashMap<&'static str, Files>>>,
}

impl Loader {
    /// The loader of `loader:FILE.toml`.
    ///
    /// # Errors
    /// The description cannot be read, or is not what it has to be.
    pub fn read(given: &str) -> Result<Loader, DescriptionError> {
        let file = given.strip_prefix(PREFIX).unwrap_or(given);
        let description = Arc::new(Description::read(Path::new(file))?);
        Ok(Loader { given: given.to_owned(), description, files: Arc::default() })
    }

    /// Why it is not asked to load for a target, if it is not.
    pub fn cannot(&self, target: &Target) -> Option<String> {
        let Description { name, targets, .. } = &*self.description;
        (!targets.contains_key(target.name)).then(|| format!("{name} does not load for {}", target.name))
    }

    /// Its objects and archives for a target that it loads for: read, and compiled the first time.
    ///
    /// # Errors
    /// Says which file cannot be read or compiled, and why.
    pub fn files(&self, target: &'static Target) -> Files {
        let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(target.name).or_insert_with(|| self.make(target).map(Arc::new)).clone()
    }

    fn make(&self, target: &'static Target) -> Result<Vec<Input>, FilesError> {
        let paths = self.description.files(target.name).unwrap_or_default();
        let read = |path: PathBuf| {
            if corpus::build::is_source(&path) {
                return self.compile(&path, target);
            }
            let data = Data::open(&path).map_err(bad)?;
            let input = Input::new(path.display().to_string(), data);
            let is_file = linker::archive::is_archive(&input.data) || input.data.starts_with(b"\x7fELF");
            is_file
                .then_some(input)
                .ok_or_else(|| bad(format!("{}: it is neither a source nor an object nor an archive", path.display())))
        };
        paths.into_iter().map(read).collect()
    }

    fn compile(&self, path: &Path, target: &'static Target) -> Result<Input, FilesError> {
        let folder = Scratch::new().map_err(bad)?;
        std::fs::write(folder.path().join(HEADER.0), HEADER.1).map_err(bad)?;
        let include = format!("-I{}", folder.path().display());
        // No host function is anything but what C says, and a loader may be one that has no library.
        let mut flags = vec![include, "-ffreestanding".to_owned()];
        flags.extend(self.description.flags.iter().cloned());
        let object = corpus::build::compile_file(path, target, None, &flags, &Toolchains::discover());
        let object = object.map_err(|error| FilesError::of(path, &error))?;
        Ok(Input::new(path.display().to_string(), Data::Read(object)))
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}
