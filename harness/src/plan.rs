//! The plan of a run: cases x builds x layouts, narrowed down by what the user asked for, and the objects for it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use corpus::Corpus;
use corpus::build::{File, build_all};
use corpus::case::Case;
use corpus::matrix::{Build, Family};
use corpus::prebuilt::Prebuilt;
use corpus::toolchain::Toolchains;
use linker::{Layout, Target};
use reports::model::{Record, Status};

use crate::exit::BadInput;
use crate::{held, messages};

/// What the user asked for. Empty lists ask for everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Parts of names, or with `exact` whole names. One of them has to match.
    pub filters: Vec<String>,
    /// Whether filters are whole names.
    pub exact: bool,
    /// Parts of names, none of which may match.
    pub skip: Vec<String>,
    /// Targets by name.
    pub targets: Vec<String>,
    /// Toolchains by the start of their label: `gcc`, `clang19`.
    pub toolchains: Vec<String>,
    /// Layouts that stand in for those of the cases. A case that names layouts runs in those of its kinds alone
    /// ([`Case::is_for_layout`]).
    pub layouts: Vec<linker::Layout>,
    /// Part I of N, counted from 1.
    pub partition: Option<(u64, u64)>,
    /// Only these names.
    pub only: Option<BTreeSet<String>>,
    /// Names of relocations. What holds one of them is wanted as what has one of the filters in its name is.
    pub relocations: BTreeSet<&'static str>,
}

impl Selection {
    /// Whether it asks for everything there is.
    pub fn is_everything(&self) -> bool {
        self.filters.is_empty()
            && self.skip.is_empty()
            && self.toolchains.is_empty()
            && self.layouts.is_empty()
            && self.partition.is_none()
            && self.only.is_none()
            && self.relocations.is_empty()
    }

    /// Takes the filters that are relocations for such: `R_ARM_CALL`, or the start of several names, `R_AARCH64_LDST`. `Err` says
    /// which one is none, and what is near.
    pub fn sort_filters(&mut self) -> Result<(), String> {
        let (relocations, names): (Vec<String>, Vec<String>) =
            std::mem::take(&mut self.filters).into_iter().partition(|filter| filter.starts_with("R_"));
        self.filters = names;
        let rows = || linker::TARGETS.iter().flat_map(|target| target.architecture.rows());
        let known: BTreeSet<&'static str> = rows().filter(|row| row.standing.is_static()).map(|row| row.name).collect();
        for wanted in relocations {
            if let Some(name) = known.get(wanted.as_str()) {
                self.relocations.insert(name);
                continue;
            }
            let before = self.relocations.len();
            self.relocations.extend(known.iter().filter(|name| name.starts_with(&wanted)));
            if self.relocations.len() == before {
                return Err(format!(
                    "there is no relocation `{wanted}`{}",
                    messages::suggest(&wanted, known.iter().copied())
                ));
            }
        }
        Ok(())
    }

    /// Whether a name is wanted for itself, and not for what the objects hold.
    fn names(&self, name: &str) -> bool {
        let matches = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        self.filters.iter().any(matches)
    }

    /// Drops what neither a filter names nor holds a relocation that is wanted.
    pub fn retain(&self, batches: &mut Vec<Batch<'_>>) {
        if self.relocations.is_empty() {
            return;
        }
        for batch in batches.iter_mut() {
            let holds = || {
                let Objects::Files(files) = &batch.objects else { return false };
                let target = batch.configurations[0].build.target;
                !self.relocations.is_disjoint(&held::held_in(target, files))
            };
            if !holds() {
                batch.configurations.retain(|configuration| self.names(&configuration.name));
            }
        }
        batches.retain(|batch| !batch.configurations.is_empty());
    }

    /// Whether a name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        // Whether a relocation is held, only the objects can say.
        let undecided = !self.relocations.is_empty() || self.filters.is_empty();
        (undecided || self.names(name))
            && !self.skip.iter().any(|skip| name.contains(skip.as_str()))
            && self
                .only
                .as_ref()
                .is_none_or(|only| only.contains(name) || covers(name).is_some_and(|it| only.contains(&it)))
            && is_in(name, self.partition)
    }
}

/// Whether a name is in a part, I of N.
pub fn is_in(name: &str, partition: Option<(u64, u64)>) -> bool {
    partition.is_none_or(|(part, of)| hash(name) % of == part - 1)
}

/// What is said of all builds of the case that a configuration is of: `elf/TARGET/GROUP/CASE/covers`.
fn covers(name: &str) -> Option<String> {
    let (end, _) = name.match_indices('/').nth(3)?;
    Some(format!("{}/covers", &name[..end]))
}

/// The same on every machine and in every release (FNV-1a): partitions have to be stable.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Where objects come from.
pub enum Source {
    /// The checked-in archives, by target.
    Prebuilt(BTreeMap<&'static str, Result<Prebuilt, String>>),
    /// What is installed.
    Rebuild(Toolchains),
}

impl Source {
    /// Opens the archives of these targets.
    pub fn prebuilt(corpus: &Corpus, targets: &[&'static Target]) -> Source {
        let read = |target: &&'static Target| (target.name, corpus.prebuilt(target).map_err(|e| e.to_string()));
        Source::Prebuilt(targets.iter().map(read).collect())
    }

    fn major(&self, family: Family, target: &Target) -> u32 {
        match self {
            Source::Prebuilt(archives) => match archives.get(target.name) {
                Some(Ok(archive)) => archive.major(family),
                _ => family.wanted(),
            },
            Source::Rebuild(toolchains) => toolchains.major(family, target),
        }
    }

    /// Toolchain labels with their versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        match self {
            Source::Prebuilt(archives) => archives
                .iter()
                .filter_map(|(target, archive)| Some((target, archive.as_ref().ok()?)))
                .flat_map(|(target, archive)| {
                    archive.toolchains().iter().map(move |toolchain| {
                        (format!("{}{} {target}", toolchain.family, toolchain.major), toolchain.version.clone())
                    })
                })
                .collect(),
            Source::Rebuild(toolchains) => toolchains
                .found
                .iter()
                .map(|toolchain| (format!("{} {}", toolchain.id, toolchain.target), toolchain.cc.version.clone()))
                .collect(),
        }
    }
}

/// The objects of one build, or why there are none.
#[derive(Clone, Debug)]
pub enum Objects {
    /// Here they are.
    Files(Vec<File>),
    /// They cannot be had here: a skip.
    Missing(String),
    /// They could not be built: a failure.
    Broken(String),
}

impl Objects {
    /// The objects, if they are there.
    pub fn files(&self) -> Option<&[File]> {
        match self {
            Objects::Files(files) => Some(files),
            Objects::Missing(_) | Objects::Broken(_) => None,
        }
    }
}

/// A configuration: one build of a case in one layout on one executor.
#[derive(Clone, Debug)]
pub struct Configuration<'a> {
    /// Its stable name.
    pub name: String,
    /// The case.
    pub case: &'a Case,
    /// The build.
    pub build: Build,
    /// The layout.
    pub layout: Layout,
    /// The executor's name.
    pub executor: &'a str,
}

impl Configuration<'_> {
    /// A record without a result yet.
    pub fn record(&self, status: Status, reason: Option<String>) -> Record {
        Record {
            name: self.name.clone(),
            target: self.build.target.name.to_owned(),
            case: self.case.name.clone(),
            build: self.build.label.clone(),
            layout: self.layout.to_string(),
            executor: self.executor.to_owned(),
            subject: None,
            status,
            reason,
            seconds: 0.0,
            checks: 0,
            relocations: BTreeMap::new(),
            failure: None,
        }
    }
}

/// A build of a case with the configurations that use it.
pub struct Batch<'a> {
    /// Its objects.
    pub objects: Objects,
    /// What is run with them.
    pub configurations: Vec<Configuration<'a>>,
}

/// Selects configurations. They come in the order of their cases.
pub fn select<'a>(
    cases: &'a [Case],
    selection: &Selection,
    source: &Source,
    executor: &'a str,
) -> anyhow::Result<Vec<Vec<Configuration<'a>>>> {
    let targets: Vec<&str> = selection.targets.iter().map(String::as_str).collect();
    if let Some(unknown) = targets.iter().find(|name| Target::named(name).is_none()) {
        let known: Vec<&str> = linker::TARGETS.iter().map(|target| target.name).collect();
        bail!("unknown target `{unknown}`, expected one of {}", known.join(", "));
    }
    let mut batches = Vec::new();
    for case in cases {
        for build in case.builds(&targets, &|family, target| source.major(family, target)) {
            let label = build.label.clone();
            if !selection.toolchains.is_empty() && !selection.toolchains.iter().any(|wanted| label.starts_with(wanted))
            {
                continue;
            }
            let mut layouts =
                if selection.layouts.is_empty() { case.layouts(build.target) } else { selection.layouts.clone() };
            layouts.retain(|layout| case.is_for_layout(build.target, layout));
            let configurations: Vec<Configuration<'_>> = layouts
                .into_iter()
                .map(|layout| {
                    let name = case.configuration_name(&build, &layout, executor);
                    Configuration { name, case, build: build.clone(), layout, executor }
                })
                .filter(|configuration| selection.wants(&configuration.name))
                .collect();
            if !configurations.is_empty() {
                batches.push(configurations);
            }
        }
    }
    Ok(batches)
}

/// Gets the objects for what was selected: from the archives, or by compiling.
pub fn objects<'a>(
    batches: Vec<Vec<Configuration<'a>>>,
    source: &Source,
    threads: usize,
    progress: &(dyn Fn(usize, usize, &str) + Sync),
) -> anyhow::Result<Vec<Batch<'a>>> {
    let objects = match source {
        Source::Prebuilt(archives) => {
            // Whether the archive has the case is asked once; its builds for a target stand side by side.
            let of_one = |a: &Vec<Configuration<'_>>, b: &Vec<Configuration<'_>>| {
                std::ptr::eq(a[0].case, b[0].case) && a[0].build.target.name == b[0].build.target.name
            };
            batches.chunk_by(of_one).flat_map(|builds| from_archive(archives, builds)).collect()
        }
        Source::Rebuild(toolchains) => {
            let jobs: Vec<(&Case, Build)> =
                batches.iter().map(|batch| (batch[0].case, batch[0].build.clone())).collect();
            let total = jobs.len();
            // What is left when somebody stops us is not built.
            let built = build_all(&jobs, toolchains, threads, &|done, job| {
                if !outside::stop::requested() {
                    progress(done, total, &job.0.name);
                }
            });
            built.into_iter().map(from_build).collect::<Vec<Objects>>()
        }
    };
    Ok(batches.into_iter().zip(objects).map(|(configurations, objects)| Batch { objects, configurations }).collect())
}

fn from_build(result: Result<Vec<File>, corpus::build::BuildError>) -> Objects {
    match result {
        Ok(files) => Objects::Files(files),
        Err(error) if error.is_skip() => Objects::Missing(error.to_string()),
        Err(error) => Objects::Broken(error.to_string()),
    }
}

/// The objects of each of these builds, which are of one case for one target.
fn from_archive(
    archives: &BTreeMap<&'static str, Result<Prebuilt, String>>,
    builds: &[Vec<Configuration<'_>>],
) -> Vec<Objects> {
    let Configuration { case, build, .. } = &builds[0][0];
    let target = build.target.name;
    let archive = match archives.get(target) {
        Some(Ok(archive)) => archive.check(case).map(|()| archive).map_err(|error| error.to_string()),
        Some(Err(error)) => Err(error.clone()),
        None => Err(format!("there are no prebuilt objects for {target}")),
    };
    let objects = |batch: &Vec<Configuration<'_>>| {
        let files = archive.as_ref().map_err(Clone::clone);
        match files.and_then(|archive| archive.files(case, &batch[0].build).map_err(|error| error.to_string())) {
            Ok(files) => Objects::Files(files),
            Err(missing) => Objects::Missing(missing),
        }
    };
    builds.iter().map(objects).collect()
}

/// Reads the cases of a corpus.
pub fn cases(corpus: &Corpus) -> anyhow::Result<Vec<Case>> {
    // The error names the file, and says why itself.
    let cases = corpus.cases().map_err(|error| BadInput(format!("{corpus}: {error}")))?;
    if cases.is_empty() {
        bad_input!("{corpus} has no cases, expected folders with sources: GROUP/NAME.c");
    }
    Ok(cases)
}
