//! Who compiles a suite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::matrix::{Build, Family, ToolchainId};
use corpus::toolchain::{Toolchains, first_line};
use linker::Target;

use crate::exit::{Unavailable, Usage};

/// A compiler for a target.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// For which.
    pub(super) target: &'static Target,
    /// Its label in names: `gcc12`.
    label: Label,
    /// Its version, as it says it.
    version: String,
    cc: PathBuf,
    /// The compiler of C++, or why there is none.
    cxx: Result<PathBuf, String>,
    /// What it is told to compile for the target.
    pub(super) flags: Vec<String>,
}

#[derive(Clone, Debug)]
enum Label {
    Known(ToolchainId),
    Program(String),
}

impl Compiler {
    /// Itself and flags, as names have them: `gcc12-O2`.
    pub(super) fn label(&self, flags: &[String]) -> String {
        match &self.label {
            Label::Known(id) => Build::new(self.target, *id, flags.to_vec()).label,
            Label::Program(name) => {
                let any = ToolchainId { family: Family::Gcc, major: 0 };
                Build::new(self.target, any, flags.to_vec()).label.replacen(&any.to_string(), name, 1)
            }
        }
    }

    /// The program that compiles a source.
    pub(super) fn program(&self, cpp: bool) -> Result<&Path, String> {
        if cpp { self.cxx.as_deref().map_err(Clone::clone) } else { Ok(&self.cc) }
    }
}

/// All compilers of a run.
#[derive(Clone, Debug, Default)]
pub struct Compilers {
    /// Those that are there.
    pub found: Vec<Arc<Compiler>>,
    /// Why others are not.
    pub missing: Vec<String>,
}

impl Compilers {
    /// The compilers of these names, `gcc`, `clang` or a program, for these targets.
    ///
    /// # Errors
    /// There is none at all.
    pub fn find(names: &[String], targets: &[&'static Target]) -> anyhow::Result<Compilers> {
        let toolchains = Toolchains::discover();
        let usual = ["gcc".to_owned()];
        let names = if names.is_empty() { &usual } else { names };
        let mut compilers = Compilers::default();
        for name in names {
            for &target in targets {
                let family = Family::ALL.into_iter().find(|family| family.name() == name);
                let found = match family {
                    Some(family) => known(family, target, &toolchains),
                    None => by_program(name, target)?,
                };
                match found {
                    Ok(compiler) => compilers.found.push(Arc::new(compiler)),
                    Err(missing) => compilers.missing.push(missing),
                }
            }
        }
        compilers.missing.dedup();
        if compilers.found.is_empty() {
            return Err(Unavailable(format!("nothing compiles the suite: {}", compilers.missing.join("; "))).into());
        }
        Ok(compilers)
    }

    /// The files that they are.
    pub fn programs(&self) -> impl Iterator<Item = &PathBuf> {
        self.found.iter().flat_map(|compiler| [Some(&compiler.cc), compiler.cxx.as_ref().ok()].into_iter().flatten())
    }

    /// Labels with what the compilers say of their versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let versions =
            self.found.iter().map(|it| (format!("{}/{}", it.target.name, it.label(&[])), it.version.clone()));
        versions.collect()
    }
}

fn known(family: Family, target: &'static Target, toolchains: &Toolchains) -> Result<Compiler, String> {
    let found = toolchains.get(family, target).map_err(|missing| missing.to_string())?;
    let cxx = found.cxx.as_ref().map(|tool| tool.path.clone()).map_err(ToString::to_string);
    Ok(Compiler {
        target,
        label: Label::Known(found.id),
        version: found.cc.version.clone(),
        cc: found.cc.path.clone(),
        cxx,
        flags: flags(family, target),
    })
}

/// A program that takes GCC's options, or clang's if it is called so.
fn by_program(name: &str, target: &'static Target) -> Result<Result<Compiler, String>, Usage> {
    let Ok(cc) = which::which(name) else {
        let near = crate::messages::suggest(name, Family::ALL.map(Family::name));
        return Err(Usage(format!("--cc {name}: expected gcc, clang, or a program that is there{near}")));
    };
    let file = cc.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_clang = file.contains("clang");
    let beside = if is_clang { file.replacen("clang", "clang++", 1) } else { file.replacen("gcc", "g++", 1) };
    let cxx = cc.with_file_name(&beside);
    let cxx = if beside != file && cxx.is_file() { Ok(cxx) } else { Err(format!("no C++ compiler beside {name}")) };
    Ok(Ok(Compiler {
        target,
        label: Label::Program(file.replace(char::is_whitespace, "_")),
        version: first_line(&cc, "--version").unwrap_or_default(),
        flags: flags(if is_clang { Family::Clang } else { Family::Gcc }, target),
        cc,
        cxx,
    }))
}

fn flags(family: Family, target: &'static Target) -> Vec<String> {
    let Ok(row) = corpus::target::find(target) else { return Vec::new() };
    let own = match family {
        Family::Gcc => row.gcc.iter().map(|&flag| flag.to_owned()).collect(),
        Family::Clang => vec![format!("--target={}", row.clang)],
    };
    own.into_iter().chain(row.flags.iter().map(|&flag| flag.to_owned())).collect()
}
