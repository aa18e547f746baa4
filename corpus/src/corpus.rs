//! Where cases and their prebuilt objects come from: a checkout, a directory of the user's, or this program itself.
//!
//! All of the corpus is part of the program that uses this crate, some 4.3 MB of which 4.0 are packed objects, so that an
//! installed program needs no checkout. Inside of a checkout the files there are used, since whoever works on a case wants
//! to see it without compiling anything but the case.

use std::fmt;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use linker::Target;

use crate::case::{self, Case, LoadError};
use crate::prebuilt::{self, Prebuilt, PrebuiltError};

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/cases");
static PREBUILT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/prebuilt");

/// A corpus: cases, and objects that were built from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// Where the cases are; none for those inside the program.
    cases: Option<PathBuf>,
    /// Where the archives of objects are; none for those inside the program.
    prebuilt: Option<PathBuf>,
}

impl Corpus {
    /// The corpus inside this program.
    pub fn embedded() -> Corpus {
        Corpus { cases: None, prebuilt: None }
    }

    /// The corpus of the checkout of Linkrig that a directory is in, or else the one inside this program.
    pub fn near(directory: &Path) -> Corpus {
        // A directory of this name alone is nothing special: what makes it ours are the three together.
        let ours = |root: &&Path| {
            ["Cargo.toml", "cases", "prebuilt"].iter().all(|part| root.join("corpus").join(part).exists())
        };
        let found = directory.ancestors().find(ours).map(|root| root.join("corpus"));
        found.map_or_else(Corpus::embedded, |corpus| Corpus {
            cases: Some(corpus.join("cases")),
            prebuilt: Some(corpus.join("prebuilt")),
        })
    }

    /// [`Corpus::near`] the working directory.
    pub fn found() -> Corpus {
        std::env::current_dir().map_or_else(|_| Corpus::embedded(), |directory| Corpus::near(&directory))
    }

    /// The same with the cases of another directory. Prebuilt objects are looked for by name and source, so a case that was
    /// only given other expectations still has its own.
    pub fn with_cases(self, directory: &Path) -> Corpus {
        Corpus { cases: Some(directory.to_owned()), ..self }
    }

    /// The checkout whose prebuilt objects it has; none when those are inside the program.
    pub fn checkout(&self) -> Option<&Path> {
        self.prebuilt.as_deref()?.parent()?.parent()
    }

    /// Every case, sorted by file, variants in the order of their values. All errors of all files are listed.
    pub fn cases(&self) -> Result<Vec<Case>, LoadError> {
        match &self.cases {
            Some(directory) => case::load_all(directory),
            None => {
                let mut files: Vec<(&str, &str)> = CASES
                    .dirs()
                    .flat_map(Dir::files)
                    .filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
                    .collect();
                files.sort_unstable();
                case::parse_all(files)
            }
        }
    }

    /// The prebuilt objects of a target. Hashes are checked when files are asked for, a case at a time.
    pub fn prebuilt(&self, target: &'static Target) -> Result<Prebuilt, PrebuiltError> {
        match &self.prebuilt {
            Some(directory) => prebuilt::read(directory, target),
            None => {
                let path = prebuilt::path(Path::new(""), target);
                let missing = || PrebuiltError::Io { path: path.clone(), source: std::io::ErrorKind::NotFound.into() };
                let packed = PREBUILT.get_file(&path).ok_or_else(missing)?.contents();
                prebuilt::unpack(target, packed).map_err(|message| PrebuiltError::Damaged { path, message })
            }
        }
    }

    /// The file that a case stands in; none for a case inside the program.
    pub fn file(&self, case: &Case) -> Option<PathBuf> {
        Some(self.cases.as_ref()?.join(&case.file))
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cases {
            Some(directory) => write!(f, "the corpus in {}", directory.display()),
            None => f.write_str("the corpus inside this program"),
        }
    }
}

#[cfg(test)]
mod tests {
    use linker::TARGETS;

    use super::*;

    #[test]
    fn what_is_inside_is_what_is_checked_out() {
        let checkout = Corpus::near(Path::new(env!("CARGO_MANIFEST_DIR")));
        assert_ne!(checkout, Corpus::embedded());
        let names = |corpus: &Corpus| -> Vec<(String, String)> {
            let cases = corpus.cases().unwrap_or_else(|error| panic!("{corpus}: {error}"));
            cases.iter().map(|case| (case.name.clone(), case.fingerprint(&TARGETS[0]))).collect()
        };
        let inside = names(&Corpus::embedded());
        assert!(inside.len() > 400, "{} cases", inside.len());
        assert_eq!(inside, names(&checkout));
        for target in TARGETS {
            let sizes = [&checkout, &Corpus::embedded()]
                .map(|corpus| corpus.prebuilt(target).unwrap_or_else(|error| panic!("{corpus}: {error}")).size());
            assert_eq!(sizes[0], sizes[1], "{}", target.name);
        }
    }

    #[test]
    fn a_folder_called_corpus_is_no_checkout() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir_all(temporary.path().join("corpus/cases")).expect("a directory");
        assert_eq!(Corpus::near(temporary.path()), Corpus::embedded());
    }
}
