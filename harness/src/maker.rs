//! Who makes the programs of a run in the place of our linker: another linker, or a loader that runs as the guest.

use std::fmt;

use crate::exit::Unavailable;
use crate::loader::{self, FilesError, Loader};
use crate::plan::Configuration;
use crate::subject::{DescriptionError, LinkAs, Subject};

/// A subject of a run.
#[derive(Clone, Debug)]
pub enum Maker {
    /// A linker.
    Linker(Box<Subject>),
    /// A loader.
    Loader(Loader),
}

/// It cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MakerError {
    /// Its description.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// A kind of executable is asked of a loader.
    #[error("a loader makes no executable, and --link-as is for linkers")]
    LinkAs,
}

impl Maker {
    /// What `--subject` and `--link-as` ask for.
    ///
    /// # Errors
    /// There is none of this name, its description is not what it has to be, or it cannot be asked for this.
    pub fn find(given: &str, link_as: Option<LinkAs>) -> Result<Maker, MakerError> {
        if given.starts_with(loader::PREFIX) {
            return if link_as.is_some() { Err(MakerError::LinkAs) } else { Ok(Maker::Loader(Loader::read(given)?)) };
        }
        let mut subject: Subject = given.parse()?;
        subject.link_as = link_as.unwrap_or_default();
        Ok(Maker::Linker(Box::new(subject)))
    }

    /// All linkers that are installed.
    pub fn installed(link_as: LinkAs) -> Vec<Maker> {
        let mut subjects = Subject::installed();
        subjects.iter_mut().for_each(|subject| subject.link_as = link_as);
        subjects.into_iter().map(|subject| Maker::Linker(Box::new(subject))).collect()
    }

    /// Gets ready for these configurations, so that what is wrong with it is said before the run.
    ///
    /// # Errors
    /// Says which of its files cannot be had.
    pub fn prepare<'a>(&self, configurations: impl Iterator<Item = &'a Configuration<'a>>) -> anyhow::Result<()> {
        let Maker::Loader(loader) = self else { return Ok(()) };
        for configuration in configurations {
            let target = configuration.build.target;
            match loader.cannot(target).map_or_else(|| loader.files(target).err(), |_| None) {
                None => {}
                Some(FilesError::Missing(text)) => return Err(Unavailable(text).into()),
                Some(FilesError::Bad(text)) => bad_input!("{text}"),
            }
        }
        Ok(())
    }

    /// What was asked for, with its version where it says one.
    pub fn described(&self) -> String {
        match self {
            Maker::Linker(subject) => subject.described(),
            Maker::Loader(loader) => format!("{loader}: the loader {}", loader.description.name),
        }
    }

    /// Its version, where it says one.
    pub fn version(&self) -> Option<String> {
        match self {
            Maker::Linker(subject) => subject.version(),
            Maker::Loader(_) => None,
        }
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Maker::Linker(subject) => subject.fmt(f),
            Maker::Loader(loader) => loader.fmt(f),
        }
    }
}
