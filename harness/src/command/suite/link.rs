//! A program's objects into a static Linux program, by whoever links.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use linker::Target;

use crate::command::link::Request;
use crate::inputs;
use crate::libraries::{self, Library, Runtime};
use crate::linking::Input;
use crate::messages;
use crate::subject::Subject;

/// Who links, and with what.
pub struct Linker {
    /// Another linker; none: ours.
    subject: Option<Subject>,
    /// What programs of a target are linked with, in C and in C++, or what is missing of that.
    runtimes: Mutex<Runtimes>,
}

/// Runtimes by target and by whether they are for C++.
type Runtimes = BTreeMap<(&'static str, bool), Result<Runtime, String>>;

impl Linker {
    /// Our linker, or another one.
    pub fn new(subject: Option<Subject>) -> Linker {
        Linker { subject, runtimes: Mutex::default() }
    }

    fn runtime(&self, target: &'static Target, cpp: bool) -> Result<Runtime, String> {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = || libraries::runtime(Library::Glibc, target, cpp);
        runtimes.entry((target.name, cpp)).or_insert_with(runtime).clone()
    }

    /// Links. The image, or why there is none.
    ///
    /// # Errors
    /// The outer error is one of this machine.
    pub(super) fn link(
        &self,
        target: &'static Target,
        objects: Vec<Input>,
        cpp: bool,
        scratch: &Path,
    ) -> anyhow::Result<Result<Vec<u8>, Unlinked>> {
        let runtime = match self.runtime(target, cpp) {
            Ok(runtime) => runtime,
            Err(missing) => return Ok(Err(Unlinked::Missing(missing))),
        };
        if let Some(subject) = &self.subject {
            let Runtime { before, libraries, behind, .. } = &runtime;
            let program = match subject.find(target) {
                Ok(program) => program,
                Err(missing) => return Ok(Err(Unlinked::Missing(missing))),
            };
            let linked = subject.link_program(&program, target, (before, &objects, libraries, behind), scratch)?;
            return Ok(linked.map_err(|refusal| Unlinked::Failed(refusal.text)));
        }
        let mut files = Vec::new();
        open(&mut files, &runtime.before)?;
        files.extend(objects);
        open(&mut files, &runtime.libraries)?;
        open(&mut files, &runtime.behind)?;
        let request = Request::program(target, files, scratch.join("program"));
        Ok(match request.image() {
            Ok(image) => Ok(image),
            Err(error) => Err(Unlinked::Failed(messages::demangled(&format!("{error:#}")))),
        })
    }
}

fn open(files: &mut Vec<Input>, paths: &[std::path::PathBuf]) -> anyhow::Result<()> {
    for path in paths {
        files.push(inputs::open(&path.to_string_lossy())?);
    }
    Ok(())
}

/// Why there is no image.
pub(super) enum Unlinked {
    /// A library or the linker is not installed.
    Missing(String),
    /// The linker says this.
    Failed(String),
}
