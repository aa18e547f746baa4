//! `harness run --suite DIR`: programs of a folder instead of the corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use linker::Target;
use outside::{FileError, stop};
use reports::model::{Event, Record, Start, VERSION};

use super::{Args, Kind, Memory, Output, origin, remember, reproduce};
use crate::command::suite::{self, Compilers, Engine, Found, Journal, Linker, Rig, Skips, Test};
use crate::exit::{self, BadInput, Unavailable, Usage};
use crate::maker::Maker;
use crate::messages::suggest;
use crate::plan::{self, Selection};
use crate::stdout;

/// How often is said how far a run is, where there is no progress bar.
const EVERY: Duration = Duration::from_secs(10);

/// Runs it. `only` are the names of `--rerun-failed`.
pub(super) fn main(
    args: &Args,
    directory: &Path,
    only: Option<BTreeSet<String>>,
    memory: Memory,
) -> anyhow::Result<u8> {
    let engine = engine(args)?;
    let subject = match args.linker.subject()? {
        Ok(subject) => subject,
        Err(refused) => return Ok(refused.say()),
    };
    let described = subject.as_ref().map(Maker::described);
    let programs_of_linker = programs_of(args, subject.as_ref());
    let linker = linker(args, subject)?;
    let (root, with) = (whole(directory)?, with(args)?);
    let (skips, skip) = skips(args)?;
    let Found { mut programs, others } = suite::find(&root)?;
    // A source of all is no program of its own.
    programs.retain(|program| program.sources.first().is_none_or(|own| !with.contains(own)));
    programs.iter_mut().for_each(|program| program.sources.retain(|source| !with.contains(source)));
    let targets = targets(args)?;
    engine.prepare(&targets).map_err(Unavailable)?;
    let compilers = Compilers::find(&args.suite.cc, &targets)?;
    let sets = args.suite.sets();
    let given = args.linker.subject.as_deref();
    let tests = suite::tests(&programs, &compilers, &sets, engine.name(), given);
    let mut names = BTreeSet::new();
    if let Some(twice) = tests.iter().find(|test| !names.insert(&*test.name)) {
        return Err(Usage(format!(
            "two tests would be called {}: give each of --flags once, and --cc programs of different names",
            twice.name
        ))
        .into());
    }
    let selection = Selection { skip, partition: None, ..args.selection(only.clone()) };
    // Parts are the same whatever runs them, so that two engines can be compared.
    let is_chosen = |test: &&Test<'_>| {
        selection.wants(&test.name) && test.is_by(&args.toolchain) && plan::is_in(test.build(), args.partition)
    };
    let chosen: Vec<&Test<'_>> = tests.iter().filter(is_chosen).collect();
    let exists: BTreeSet<&str> = tests.iter().map(|test| &*test.name).collect();
    let gone: BTreeSet<String> =
        only.unwrap_or_default().into_iter().filter(|name| !exists.contains(&**name)).collect();
    for (why, count) in &others {
        note!("note: {count} of its files: {why}");
    }
    compilers.missing.iter().for_each(|missing| note!("note: {missing}"));
    skips.idle(&tests).for_each(|idle| note!("note: {idle}"));
    for part in selection.skip.iter().filter(|part| !exists.iter().any(|name| name.contains(part.as_str()))) {
        note!("note: --skip {part}: there is no such file, and no test has it in its name");
    }
    if chosen.is_empty() {
        note!("nothing is selected: {}", nothing(args, directory, &tests));
        if !gone.is_empty() {
            remember(args, memory, &[], &gone);
        }
        return Ok(exit::NOTHING_SELECTED);
    }
    if args.list {
        return Ok(list(&chosen));
    }
    let baseline = args.baseline.as_deref().map(crate::command::compare::read).transpose()?;
    let reports = args.report.iter().map(|(kind, path)| Ok((*kind, outside::Output::at(path)?)));
    let reports: Vec<(Kind, outside::Output)> = reports.collect::<Result<_, FileError>>()?;
    outside::distinct(reports.iter().map(|(_, output)| output))?;
    outside::signals::listen(outside::signals::First::Ends)?;
    let start = Instant::now();
    let mut output = Output::new(args);
    output.event(&Event::Start(begin(args, &root, chosen.len(), compilers.versions(), described.clone())));
    let mut journal =
        journal(args, &root, &with, described.as_deref(), programs_of_linker.iter().chain(compilers.programs()))?;
    let mut left = Vec::new();
    let failures = AtomicUsize::new(0);
    let sink = |output: &mut Output, mut record: Record| {
        if args.strict {
            reproduce::be_strict(&mut record);
        }
        failures.fetch_add(usize::from(record.status.is_failure()), Ordering::Relaxed);
        reproduce::complete(&mut record, args);
        output.event(&Event::Result(Box::new(record)));
    };
    for test in &chosen {
        match journal.known(test) {
            Some(record) => {
                journal.note(test, &record)?;
                sink(&mut output, record);
            }
            None => left.push(*test),
        }
    }
    let known = chosen.len() - left.len();
    if known > 0 {
        note!(
            "note: going on where the same run was interrupted: {known} of {} are there; --fresh begins anew",
            chosen.len()
        );
    }
    let most = args.most_failures();
    let enough = || most.as_ref().is_some_and(|(most, _)| failures.load(Ordering::Relaxed) >= *most);
    let output_is_all = output.json && reports.is_empty() && baseline.is_none();
    let stop = || enough() || stop::requested() || output_is_all && stdout::is_gone();
    let jobs = args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), NonZeroUsize::get);
    let rig = Rig { root: &root, with: &with, skips: &skips, linker: &linker, engine, budget: args.suite.budget() };
    let (mut unwritten, mut said) = (None, Instant::now());
    suite::run(&rig, &left, jobs, &stop, &mut |test, record| {
        if let Err(error) = journal.note(test, &record) {
            unwritten = Some(error);
        }
        sink(&mut output, record);
        if output.bar.is_hidden() && said.elapsed() >= EVERY {
            note!("{} of {} ended", output.records.len(), chosen.len());
            said = Instant::now();
        }
    });
    if let Some(error) = unwritten {
        note!("note: if this run is interrupted, it cannot go on: {error:#}");
    }
    remember(args, memory, &output.records, &gone);
    let stopped = most.as_ref().filter(|_| enough()).map(|(_, option)| option.clone());
    if stop::requested() {
        note!("the same command goes on where this was");
    } else {
        journal.finish();
    }
    output.finish(args, start.elapsed().as_secs_f64(), stopped, baseline, reports)
}

/// What runs the programs.
fn engine(args: &Args) -> Result<Engine, Usage> {
    if args.machine.is_given() && !args.machine.is_user_mode() {
        return Err(Usage(
            "--suite runs Linux processes, on the embedded emulator or by --executor qemu-user: leave out other executors and --image"
                .to_owned(),
        ));
    }
    if args.debug.is_given() {
        return Err(Usage(
            "--gdb, --trace and --save-dir are for cases of the corpus: link a suite's program, and give it to `harness exec --gdb`"
                .to_owned(),
        ));
    }
    if !args.machine.is_user_mode() {
        return Ok(Engine::Unicorn);
    }
    if args.suite.budget.is_some() {
        return Err(Usage(
            "--executor qemu-user does not count instructions, so --budget bounds nothing: --timeout does".to_owned(),
        ));
    }
    Ok(Engine::UserMode)
}

fn linker(args: &Args, subject: Option<Maker>) -> Result<Linker, Usage> {
    if args.linker.link_as.is_some_and(|kind| kind != crate::subject::LinkAs::Static) {
        return Err(Usage("--link-as: programs of a suite are linked static".to_owned()));
    }
    match subject {
        None => Ok(Linker::new(None)),
        Some(Maker::Linker(subject)) if subject.wants_layout() => Err(Usage(format!(
            "--subject {}: programs of a suite are laid out by who links them, and it wants a script or an address: leave {{script}} \
             and {{base}} out, as in 'cmd:my-ld {{inputs}} -o {{output}}'",
            args.linker.subject.as_deref().unwrap_or_default()
        ))),
        Some(Maker::Linker(subject)) if !subject.is_jit() => Ok(Linker::new(Some(*subject))),
        Some(other) => Err(Usage(format!("--subject {other}: it writes no program that a Linux could start"))),
    }
}

/// The targets that programs are compiled for.
fn targets(args: &Args) -> Result<Vec<&'static Target>, Usage> {
    if args.arch.is_empty() {
        return Ok(suite::targets().collect());
    }
    let named = args.arch.iter().filter_map(|name| Target::named(name));
    let unfit = |target: &&'static Target| !suite::targets().any(|known| known.name == target.name);
    if let Some(unfit) = named.clone().find(unfit) {
        let known: Vec<&str> = suite::targets().map(|target| target.name).collect();
        return Err(Usage(format!(
            "there are no Linux programs for {} here, expected one of {}",
            unfit.name,
            known.join(", ")
        )));
    }
    Ok(named.collect())
}

/// What all programs are linked with, by whole paths: compilers are started in the suite's folder.
fn with(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    args.suite.with.iter().map(|path| whole(path)).collect()
}

/// The whole path of what has to be there.
fn whole(path: &Path) -> anyhow::Result<PathBuf> {
    Ok(path.canonicalize().map_err(|error| BadInput(format!("{}: {error}", path.display())))?)
}

/// What is left out: files of names with reasons, and parts of names.
fn skips(args: &Args) -> anyhow::Result<(Skips, Vec<String>)> {
    let mut skips = Skips::default();
    let mut parts = Vec::new();
    for skip in &args.skip {
        if Path::new(skip).is_file() {
            skips.read(Path::new(skip))?;
        } else {
            parts.push(skip.clone());
        }
    }
    Ok((skips, parts))
}

fn list(tests: &[&Test<'_>]) -> u8 {
    use std::io::Write as _;
    let mut out = stdout::writer();
    for test in tests {
        // A reader that has seen enough is no error.
        if writeln!(out, "{}", stdout::shown(&test.name)).is_err() {
            break;
        }
    }
    let _ = out.flush();
    exit::OK
}

fn nothing(args: &Args, directory: &Path, tests: &[Test<'_>]) -> String {
    if args.rerun_failed {
        return "nothing has failed that has not passed since; or it is not there any more".to_owned();
    }
    if tests.is_empty() {
        return format!("{} has no sources of C or C++ (.c .cc .cpp .cxx .C .c++)", directory.display());
    }
    let names = || tests.iter().map(|test| &*test.name);
    match args.filters.iter().find(|filter| !names().any(|name| name.contains(filter.as_str()))) {
        Some(filter) => {
            let parts: BTreeSet<&str> = names().flat_map(|name| name.split('/')).collect();
            format!("no test has `{filter}` in its name{}; --list shows the names", suggest(filter, parts))
        }
        None => format!("none of the {} tests has all that is asked for in its name; --list shows them", tests.len()),
    }
}

fn begin(
    args: &Args,
    root: &Path,
    selected: usize,
    toolchains: BTreeMap<String, String>,
    subject: Option<String>,
) -> Start {
    let mut begin = Start {
        version: VERSION,
        program: format!("harness {}", env!("CARGO_PKG_VERSION")),
        command: std::env::args().skip(1).collect(),
        selected,
        toolchains,
        subject,
        ..Start::default()
    };
    if args.message_format == "json" || !args.report.is_empty() || std::env::var_os("GITHUB_STEP_SUMMARY").is_some() {
        origin::fill(&mut begin, Some(root));
    }
    begin
}

/// The files that another linker is.
fn programs_of(args: &Args, subject: Option<&Maker>) -> BTreeSet<PathBuf> {
    let Some(Maker::Linker(linker)) = subject else { return BTreeSet::new() };
    let description = args.linker.subject.iter().map(PathBuf::from).filter(|path| path.is_file());
    suite::targets().filter_map(|target| linker.find(target).ok()).chain(description).collect()
}

/// What this run has left if it was interrupted. All but names and sources decides which run is the same: the programs that make
/// tests, too.
fn journal<'a>(
    args: &'a Args,
    root: &Path,
    with: &'a [PathBuf],
    subject: Option<&str>,
    programs: impl Iterator<Item = &'a PathBuf>,
) -> anyhow::Result<Journal> {
    let file = args.failed_file();
    let directory = file.parent().unwrap_or(Path::new(".")).to_owned();
    let given = with.iter().map(PathBuf::as_path).chain(args.skip.iter().map(Path::new));
    let stamps = suite::stamp(programs.map(PathBuf::as_path).chain(given));
    let kind = format!(
        "{stamps} {root:?} {with:?} {:?} {:?} {:?} {subject:?} {:?} {:?}",
        args.suite.cc,
        args.suite.flags,
        args.skip,
        args.suite.budget(),
        args.linker.subject,
    );
    Journal::open(&directory, &kind, args.suite.fresh).map_err(|error| Unavailable(format!("{error:#}")).into())
}
