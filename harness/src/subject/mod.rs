//! Other linkers as subjects of the corpus. A linker is data ([`Description`]): how it is called, what it can be told, what is
//! not asked of it. It gets the objects of a case with a script that says where sections go (`script`), what comes from outside
//! as an object (`definitions`), and its image is run and judged as ours is (`judge::subject`).

mod definitions;
mod description;
mod invoke;
mod jit;
mod script;
mod template;
mod words;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use linker::error::Error;
use linker::{Layout, Options, Roots, Target};

use crate::host::Host;
use crate::linking::{self, Input, Job};
pub use description::{Description, DescriptionError, Difference, Kind, Says, names};
pub use invoke::Refusal;
pub use script::Planning;
use template::Filling;
pub use words::{expected, kind};

/// What a subject is to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkAs {
    /// An executable at fixed addresses.
    #[default]
    Static,
    /// An executable without a run-time linker that can be anywhere, and relocates itself.
    StaticPie,
}

/// A linker to try: which, and where its program is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What was asked for, as `--subject` has it.
    pub given: String,
    /// What is known of it.
    pub description: Description,
    /// Its program, where the user says so.
    program: Option<PathBuf>,
    /// What it makes.
    pub link_as: LinkAs,
}

impl FromStr for Subject {
    type Err = DescriptionError;

    /// `NAME`, `NAME=PROGRAM`, `FILE.toml`, `FILE.toml=PROGRAM`, `cmd:COMMAND`.
    fn from_str(given: &str) -> Result<Subject, DescriptionError> {
        let (name, program) = match given.split_once('=') {
            Some((name, program)) if !given.starts_with("cmd:") => (name, Some(PathBuf::from(program))),
            _ => (given, None),
        };
        let description = Description::find(name)?;
        Ok(Subject { given: given.to_owned(), description, program, link_as: LinkAs::Static })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

/// What a difference has to be about to hold.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The case's name.
    pub case: &'a str,
    /// The target.
    pub target: &'static Target,
    /// The layout.
    pub layout: &'a Layout,
    /// The build's label.
    pub build: &'a str,
    /// What is made.
    pub link_as: LinkAs,
}

impl About<'_> {
    /// Whether a difference is about this, of which the objects hold these relocations.
    pub fn is(&self, difference: &Difference, held: &BTreeSet<&'static str>) -> bool {
        let layout = self.layout.to_string();
        let kind = layout.split(':').next().unwrap_or_default();
        let Difference { case, targets, layouts, build, link_as, relocations, .. } = difference;
        case.as_ref().is_none_or(|start| self.case.starts_with(start.as_str()))
            && link_as.is_none_or(|kind| kind == self.link_as)
            && build.as_ref().is_none_or(|part| self.build.contains(part.as_str()))
            && (targets.is_empty() || targets.iter().any(|name| name == self.target.name))
            && (layouts.is_empty() || layouts.iter().any(|name| *name == layout || name == kind))
            && (relocations.is_empty() || relocations.iter().any(|name| held.contains(name.as_str())))
    }

    /// What is known of a failure with these problems.
    pub fn known<'d>(
        &self,
        all: &'d [Difference],
        held: &BTreeSet<&'static str>,
        problems: &[String],
    ) -> Option<&'d str> {
        let is_said = |part: &String| problems.iter().any(|problem| problem.contains(part.as_str()));
        let known = all.iter().find(|known| self.is(known, held) && known.says.as_ref().is_none_or(is_said))?;
        Some(&known.reason)
    }
}

/// One link that is asked of a subject.
pub struct Request<'a> {
    /// For what.
    pub target: &'static Target,
    /// The objects and archives.
    pub files: &'a [Input],
    /// Symbols at fixed addresses.
    pub defines: &'a [(String, u64)],
    /// What has to stay; nothing: all does.
    pub roots: &'a [&'a str],
    /// Where it goes.
    pub layout: &'a Layout,
}

impl Subject {
    /// All that are known by name and whose program is there for one target at least.
    pub fn installed() -> Vec<Subject> {
        let known = names().into_iter().filter_map(|name| name.parse().ok());
        known.filter(|subject: &Subject| linker::TARGETS.iter().any(|target| subject.find(target).is_ok())).collect()
    }

    /// Its program for a target. `Err`: why there is none.
    pub fn find(&self, target: &Target) -> Result<PathBuf, String> {
        let Description { name, programs, package, .. } = &self.description;
        if let Some(program) = &self.program {
            let found = which::which(program).map_err(|_| format!("{} is no program", program.display()))?;
            // It is started in another directory.
            return std::path::absolute(&found).map_err(|error| format!("{}: {error}", found.display()));
        }
        let triplets = corpus::target::find(target).map_or(&[][..], |row| row.triplets);
        let all = programs.iter().flat_map(|program| match program.contains("{gnu}") {
            true => triplets.iter().map(|triplet| program.replace("{gnu}", triplet)).collect(),
            false => vec![program.clone()],
        });
        let all: Vec<String> = all.collect();
        let found = all.iter().find_map(|program| which::which(program).ok());
        let found = found.ok_or_else(|| {
            let package = if package.is_empty() { String::new() } else { format!(" (package {package})") };
            format!("{name} is not installed: none of {}{package}", all.join(", "))
        })?;
        std::path::absolute(&found).map_err(|error| format!("{}: {error}", found.display()))
    }

    /// What its program says of its version, on one line.
    pub fn version(&self) -> Option<String> {
        let program = linker::TARGETS.iter().find_map(|target| self.find(target).ok())?;
        invoke::version(&program)
    }

    /// What was asked for, with the version.
    pub fn described(&self) -> String {
        let version = self.version().unwrap_or_else(|| "it does not say its version".to_owned());
        let how = if self.link_as == LinkAs::StaticPie { ", static-pie" } else { "" };
        format!("{}: {version}{how}", self.given)
    }

    /// Why it is not asked to link this at all, if it is not.
    pub fn cannot(&self, target: &Target, layout: &Layout) -> Option<String> {
        let name = &self.description.name;
        if !self.description.targets.contains_key(target.name) {
            return Some(format!("{name} does not link for {}", target.name));
        }
        if self.link_as == LinkAs::StaticPie && self.description.static_pie.is_empty() {
            return Some(format!("{name} makes no static-pie executables, as far as its description says"));
        }
        let template = self.description.template();
        let together = match layout {
            Layout::Near | Layout::Anywhere => true,
            // Where addresses have 32 bits, it is in two parts.
            Layout::High => (template.takes_base() || template.is_jit()) && target.pointer_bits == 64,
            _ => false,
        };
        let kind = layout.to_string();
        let kind = kind.split(':').next().unwrap_or_default();
        (!template.takes_script() && !together).then(|| format!("{name} cannot be told the layout {kind}"))
    }

    /// Lays out a link by our planner.
    pub fn plan(&self, request: &Request<'_>, host: &Host) -> Result<Planning, Error> {
        let options = Options::default();
        let job = Job {
            target: request.target,
            inputs: request.files,
            defines: request.defines,
            roots: if request.roots.is_empty() { Roots::All } else { Roots::Names(request.roots) },
            layout: request.layout,
            options: &options,
            wishes: &linking::NO_WISHES,
        };
        let movable = self.link_as == LinkAs::StaticPie;
        script::plan(&job, &invoke::names(request.files), request.roots, host, (self.description.page, movable))
    }

    /// Links. Without a plan, which there is none of where an error is expected, sections go somewhere. The outer error is one of
    /// this machine.
    pub fn link(
        &self,
        program: &Path,
        request: &Request<'_>,
        plan: Option<&Planning>,
        definitions: &[u8],
        relaxed: bool,
    ) -> Result<Result<Vec<u8>, Refusal>> {
        let Description { targets, unrelaxed, fixed, static_pie, collect, .. } = &self.description;
        let base = plan.map_or(crate::executor::image::BASE, |plan| plan.base);
        let somewhere = script::somewhere(base, request.roots, self.description.page);
        let filling = Filling {
            base,
            target: targets.get(request.target.name).map_or(&[], Vec::as_slice),
            mode: if self.link_as == LinkAs::StaticPie { static_pie } else { fixed },
            relax: if relaxed { &[] } else { unrelaxed },
            collect: if request.roots.is_empty() { &[] } else { collect },
            roots: request.roots,
            ..Filling::default()
        };
        let script = plan.map_or(&somewhere, |plan| &plan.script);
        let work = invoke::Work { files: request.files, definitions, script, filling };
        invoke::link(program, &self.description, &work)
    }

    /// Links a static program that an operating system starts, of `before`, its own objects, `libraries` and `behind`, in a
    /// directory for what is in between. The outer error is one of this machine.
    pub fn link_program(
        &self,
        program: &Path,
        target: &Target,
        parts: (&[PathBuf], &[Input], &[PathBuf], &[PathBuf]),
        directory: &Path,
    ) -> Result<Result<Vec<u8>, Refusal>> {
        let own = self.description.targets.get(target.name).map_or(&[][..], Vec::as_slice);
        invoke::link_program(program, &self.description, (own, &self.description.fixed), parts, directory)
    }

    /// Whether it can link nothing that nobody has laid out.
    pub fn wants_layout(&self) -> bool {
        let template = self.description.template();
        self.description.fixed.is_empty() && (template.takes_script() || template.takes_base())
    }

    /// Whether it links nothing to a file, but into a running executor.
    pub fn is_jit(&self) -> bool {
        self.description.template().is_jit()
    }

    /// How many links it is asked for at a time.
    pub fn together(&self) -> usize {
        if self.description.template().is_jit() { jit::TOGETHER } else { 1 }
    }

    /// Links several at once, all for one target, each from an address on. The outer error is one of this machine.
    pub fn link_together(
        &self,
        program: &Path,
        requests: &[(&Request<'_>, u64)],
        host: &Host,
    ) -> Result<Vec<Result<Vec<u8>, Refusal>>> {
        let Some((first, _)) = requests.first() else { return Ok(Vec::new()) };
        let (target, host) = (first.target, host.definitions());
        let linker = jit::Linker { program, description: &self.description, target, host: &host };
        let mut cases = Vec::with_capacity(requests.len());
        for &(Request { files, defines, roots, .. }, base) in requests {
            cases.push(jit::Case { files, defines, roots, base });
        }
        linker.link(&cases)
    }

    /// What comes from outside, as an object.
    pub fn definitions(&self, request: &Request<'_>, host: &Host) -> Result<Vec<u8>> {
        let is_scripted = self.description.template().takes_script();
        let by_stubs = self.link_as == LinkAs::StaticPie;
        definitions::object(request.target, request.files, request.defines, host, (is_scripted, by_stubs))
    }
}
