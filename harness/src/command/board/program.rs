//! Finds the program that is meant: a file of this machine, or one of the image.

use std::path::Path;

use anyhow::bail;
use object::{Architecture, Object, ObjectSection};

use super::HERE;

/// A program.
#[derive(Debug)]
pub(super) struct Program {
    /// Its path in the guest: the first of these that is there.
    paths: Vec<String>,
    /// Of a file of this machine: the loader that it wants, if it wants one.
    here: Option<Option<String>>,
}

/// Where a guest looks for its programs.
pub(super) const DIRECTORIES: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

impl Program {
    /// One of the image.
    pub(super) fn own(paths: Vec<String>) -> Program {
        Program { paths, here: None }
    }

    /// The program of this name, for a board that runs code of these widths.
    pub(super) fn find(word: &str, board: &str, widths: &[u8]) -> anyhow::Result<Program> {
        let own = || match word.contains('/') {
            true => Program::own(vec![word.to_owned()]),
            false => Program::own(DIRECTORIES.iter().map(|directory| format!("{directory}/{word}")).collect()),
        };
        let may_be_own = word.starts_with('/') || !word.contains('/');
        let path = Path::new(word);
        if !path.is_file() {
            if !may_be_own {
                bail!("{word} is no file here; expected one, or a program of the image by its name or absolute path");
            }
            return Ok(own());
        }
        let content = outside::read(path, super::LARGEST)?;
        let here = |loader| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Program { paths: vec![format!("{HERE}/{name}")], here: Some(loader) }
        };
        // What is no ELF file may be a script; the guest will say.
        let Ok(file) = object::File::parse(&*content) else { return Ok(here(None)) };
        let (name, width) = match file.architecture() {
            Architecture::Aarch64 => ("64-bit ARM".to_owned(), 64),
            Architecture::Arm => ("32-bit ARM".to_owned(), 32),
            other => (format!("{other:?}"), 0),
        };
        if widths.contains(&width) {
            let loader = file.section_by_name(".interp").and_then(|section| section.data().ok());
            let text = loader.map(|bytes| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned());
            return Ok(here(text));
        }
        if path.is_absolute() {
            return Ok(own());
        }
        let runs: Vec<String> = widths.iter().map(|width| format!("{width}-bit ARM")).collect();
        bail!("{word} is a program for {name}; expected {}, which {board} runs", runs.join(" or "));
    }

    /// Whether it is a file of this machine.
    pub(super) fn is_here(&self) -> bool {
        self.here.is_some()
    }

    /// Where it may be in the guest.
    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Why the guest did not start it.
    pub(super) fn not_started(&self, error: &std::io::Error) -> String {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        match (&self.here, &self.paths[..]) {
            (Some(Some(loader)), [path, ..]) if missing => {
                format!("{path} cannot be started: the image does not have {loader}, which it wants")
            }
            (None, paths @ [_, _, ..]) if missing => format!("the image has none of {}", paths.join(", ")),
            (_, paths) => format!("{} cannot be started: {error}", paths.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_the_image() {
        let find = |word| Program::find(word, "raspi3b", &[64, 32]);
        let program = find("no-such-program").expect("a name");
        assert!(!program.is_here() && program.paths().contains(&"/usr/bin/no-such-program".to_owned()));
        assert_eq!(find("/no/such").expect("a path").paths(), ["/no/such"]);
        let error = find("./no-such-program").expect_err("nowhere").to_string();
        assert!(error.contains("is no file here"), "{error}");
    }

    #[test]
    fn programs_for_other_processors() {
        let this = std::env::current_exe().expect("a path");
        let this = this.to_str().expect("text");
        let widths = if cfg!(target_arch = "aarch64") { [32] } else { [64] };
        // By its absolute path it may be one of the image.
        assert!(!Program::find(this, "raspi3b", &widths).expect("a path").is_here());
    }
}
