//! A program's objects, assembled.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use corpus::matrix::Family;
use corpus::toolchain::Toolchains;

use super::model::Program;
use super::render;
use crate::linking::{Data, Input};
use linker::Target;

/// How long the assembler may take.
const TIME: Duration = Duration::from_secs(60);

/// An assembler.
#[derive(Clone, Debug)]
pub struct Assembler {
    program: PathBuf,
}

impl Assembler {
    /// The assembler of the compiler for a target.
    pub fn find(toolchains: &Toolchains, target: &Target) -> Result<Assembler> {
        let compiler = &toolchains.get(Family::Gcc, target)?.cc.path;
        let output = Command::new(compiler).arg("-print-prog-name=as").output();
        let output = output.with_context(|| compiler.display().to_string())?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let program =
            which::which(&name).with_context(|| format!("`{name}`, the assembler of {}", compiler.display()))?;
        Ok(Assembler { program })
    }

    /// How it is called, for people.
    pub fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Assembles a text, in this directory.
    fn assemble(&self, directory: &Path, name: &str, text: &str) -> Result<Vec<u8>> {
        let (source, object) = (format!("{name}.s"), format!("{name}.o"));
        std::fs::write(directory.join(&source), text)?;
        let mut command = Command::new(&self.program);
        command.current_dir(directory).args([&source, "-o", &object]);
        if let Err(error) = corpus::build::run(command, TIME) {
            bail!("{error}");
        }
        Ok(outside::read(directory.join(object), corpus::build::MOST_FILE)?)
    }
}

/// What linkers get: the files of the link in order, which are in `directory` as well, and the object that starts a process.
#[derive(Debug)]
pub struct Built {
    /// Objects, and behind them the archive, when there is one.
    pub inputs: Vec<Input>,
    /// The directory that they are in.
    pub directory: PathBuf,
}

/// The object that starts a process, for the linkers whose output is run as one.
pub const START: &str = "start.o";
/// The archive of a program.
const ARCHIVE: &str = "library.a";

impl Built {
    /// Assembles a program in a directory.
    pub fn new(program: &Program, assembler: &Assembler, directory: &Path) -> Result<Built> {
        let mut inputs = Vec::new();
        let mut members = Vec::new();
        for (number, text) in render::objects(program).iter().enumerate() {
            let name = format!("part{number}");
            let bytes = assembler.assemble(directory, &name, text)?;
            let name = format!("{name}.o");
            if program.archived[number] {
                members.push((name, bytes));
            } else {
                inputs.push(Input::new(name, Data::Read(bytes)));
            }
        }
        if !members.is_empty() {
            let bytes = corpus::build::write_archive(&members);
            std::fs::write(directory.join(ARCHIVE), &bytes)?;
            inputs.push(Input::new(ARCHIVE, Data::Read(bytes)));
        }
        let start = directory.join(START);
        if !start.exists() {
            assembler.assemble(directory, "start", &render::start(program))?;
        }
        Ok(Built { inputs, directory: directory.to_owned() })
    }

    /// The names of the files, in order.
    pub fn names(&self) -> Vec<&str> {
        self.inputs.iter().map(|input| input.name.as_str()).collect()
    }
}
