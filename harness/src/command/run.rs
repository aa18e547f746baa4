//! `harness [run]`: the corpus.

use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args as ClapArgs;
use corpus::Corpus;
use corpus::toolchain::Toolchains;
use linker::{TARGETS, Target};
use outside::stop;
use reports::model::{Event, Record, Start, VERSION};

use crate::command::debugger::DebugArgs;
use crate::command::machine;
use crate::command::report;
use crate::command::suite::SuiteArgs;
use crate::executor::Choice;
use crate::maker::Maker;
use crate::messages;
use crate::plan::{self, Selection, Source};
use crate::run;
use crate::{exit, stdout};

mod debugged;
mod failed;
mod nothing;
mod origin;
mod output;
mod reproduce;
mod subject;
mod suite;

use failed::{Memory, Origin};
use output::Output;
pub use subject::{SubjectArgs, parse};

/// Options of `run`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Run what has one of these in its name: elf/ARCH/GROUP/CASE/BUILD/LAYOUT/EXECUTOR; or what holds a relocation:
    /// R_ARM_CALL, or R_AARCH64_LDST for all that begin so
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Filters are whole names
    #[arg(long)]
    pub exact: bool,
    /// Leave out what has this in its name; with --suite also a file of programs to leave out, a name and the reason a line
    #[arg(long, value_name = "FILTER")]
    pub skip: Vec<String>,
    /// Targets
    #[arg(long, value_name = "A,..", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Layouts instead of those of the cases: near far high random:SEED at:FILE(SECTION)=ADDR,...; a case that names layouts is
    /// left out of others
    #[arg(long, value_name = "L")]
    pub layout: Vec<linker::Layout>,
    /// Toolchains by the start of their label: gcc, clang19
    #[arg(long, value_name = "T,..", value_delimiter = ',')]
    pub toolchain: Vec<String>,
    /// Compile the cases with what is installed instead of using the prebuilt objects
    #[arg(long)]
    pub rebuild: bool,
    /// Machines at once [default: as many as there are processors; boards: half of it, as QEMU takes one, too]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Print the names that are selected, and run nothing
    #[arg(long)]
    pub list: bool,
    /// A skip is a failure
    #[arg(long)]
    pub strict: bool,
    /// Fewer configurations than this that really ran are a failure: for CI, so that nothing is lost unseen
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub at_least: usize,
    /// Record what a reference run gives (GNU ld, qemu-user); shows the difference first
    #[arg(long)]
    pub bless: bool,
    /// The reference that `--bless` asks: qemu-user, or linkrig, which it refuses
    #[arg(long, value_name = "R", default_value = "qemu-user", value_parser = ["qemu-user", "linkrig"])]
    pub reference: String,
    /// Only what failed and has not passed since, with the corpus, compilers, layout and board that it failed with
    #[arg(long)]
    pub rerun_failed: bool,
    /// Where --rerun-failed keeps what failed [default: target/linkrig/failed.json]
    #[arg(long, value_name = "FILE", env = "LINKRIG_FAILED", hide_env_values = true)]
    pub failed_file: Option<PathBuf>,
    /// Stop after so many failures; what was started comes to its end, and what was not is counted
    #[arg(long, value_name = "N")]
    pub max_failures: Option<NonZeroUsize>,
    /// Stop after the first failure
    #[arg(long, conflicts_with = "max_failures")]
    pub fail_fast: bool,
    /// Part I of N, by a hash of the names
    #[arg(long, value_name = "I/N", value_parser = partition)]
    pub partition: Option<(u64, u64)>,
    /// `json`: one event a line on standard output, as they happen
    #[arg(long, value_name = "F", default_value = "human", value_parser = ["human", "json"])]
    pub message_format: String,
    /// Compare with an earlier report afterwards; a regression is a failure
    #[arg(long, value_name = "OLD.json")]
    pub baseline: Option<PathBuf>,
    /// Print the table of relocations, too, which has hundreds of rows
    #[arg(long)]
    pub relocations: bool,
    /// Write reports: json=FILE, junit=FILE, md=FILE, html=FILE
    #[arg(long, value_name = "KIND=FILE,..", value_delimiter = ',', value_parser = report::parse::<Kind>)]
    pub report: Vec<(Kind, PathBuf)>,
    /// Read the cases from this directory: folders of cases, GROUP/NAME.c; without prebuilt objects of your own, with --rebuild
    /// [default: the checkout of Linkrig that the working directory is in, or else the corpus inside this program]
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    #[command(flatten)]
    debug: DebugArgs,
    #[command(flatten)]
    machine: machine::MachineArgs,
    #[command(flatten)]
    linker: SubjectArgs,
    #[command(flatten)]
    suite: SuiteArgs,
}

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// One JSON document.
    Json,
    /// JUnit XML.
    Junit,
    /// GitHub-flavoured Markdown.
    #[value(name = "md")]
    Markdown,
    /// One HTML file.
    Html,
}

fn partition(text: &str) -> Result<(u64, u64), String> {
    let parse = || {
        let (part, of) = text.split_once('/')?;
        let (part, of): (u64, u64) = (part.parse().ok()?, of.parse().ok()?);
        (1 <= part && part <= of).then_some((part, of))
    };
    parse().ok_or_else(|| format!("`{text}` is not a part, expected I/N with 1 <= I <= N"))
}

impl Args {
    /// Where it is kept what failed.
    fn failed_file(&self) -> PathBuf {
        let usual = || match Corpus::found().checkout() {
            Some(checkout) => checkout.join("target/linkrig/failed.json"),
            None => qemu::snapshot::user_directory().unwrap_or_default().with_file_name("failed.json"),
        };
        self.failed_file.clone().unwrap_or_else(usual)
    }

    /// Whether only a part of the corpus was asked for.
    fn is_selective(&self) -> bool {
        let Args { filters, skip, arch, layout, toolchain, partition, rerun_failed, .. } = self;
        let lists = [filters.len(), skip.len(), arch.len(), layout.len(), toolchain.len()];
        lists.iter().any(|&length| length > 0) || partition.is_some() || *rerun_failed
    }

    fn selection(&self, only: Option<BTreeSet<String>>) -> Selection {
        Selection {
            filters: self.filters.clone(),
            exact: self.exact,
            skip: self.skip.clone(),
            targets: self.arch.clone(),
            toolchains: self.toolchain.clone(),
            layouts: self.layout.clone(),
            partition: self.partition,
            only,
            relocations: BTreeSet::new(),
        }
    }

    /// After how many failures the run is stopped, and by which option.
    fn most_failures(&self) -> Option<(usize, String)> {
        let most = self.max_failures.map(|most| (most.get(), format!("--max-failures {most}")));
        most.or_else(|| self.fail_fast.then(|| (1, "--fail-fast".to_owned())))
    }

    fn corpus(&self) -> Corpus {
        match &self.corpus {
            Some(directory) => Corpus::found().with_cases(directory),
            None => Corpus::found(),
        }
    }

    fn source(&self, corpus: &Corpus) -> Source {
        if self.rebuild {
            return Source::Rebuild(Toolchains::discover());
        }
        let wanted =
            |target: &&'static Target| self.arch.is_empty() || self.arch.iter().any(|name| name == target.name);
        let targets: Vec<&'static Target> = TARGETS.iter().filter(wanted).collect();
        Source::prebuilt(corpus, &targets)
    }
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut args = args.clone();
    let memory = Memory::read(&args.failed_file());
    let only = if args.rerun_failed { Some(memory.recall(&mut args)?) } else { None };
    if let Some(unknown) = args.arch.iter().find(|name| Target::named(name).is_none()) {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        let near = messages::suggest(unknown, known.iter().copied());
        note!("error: unknown target `{unknown}`, expected one of {}{near}", known.join(", "));
        return Ok(exit::USAGE);
    }
    match args.suite.suite.clone() {
        Some(directory) => suite::main(&args, &directory, only, memory),
        None => run_as(&args, only, memory),
    }
}

/// Runs the command with what was remembered put in.
fn run_as(args: &Args, only: Option<BTreeSet<String>>, memory: Memory) -> anyhow::Result<u8> {
    let executor = match args.machine.choice()? {
        Ok(executor) => executor,
        Err(refused) => return Ok(refused.say()),
    };
    let targets: Vec<&str> = executor.targets().iter().map(|target| target.name).collect();
    if let Some(unfit) = args.arch.iter().find(|name| !targets.contains(&name.as_str())) {
        note!("error: {} does not run {unfit} code, expected one of {}", executor.name(), targets.join(", "));
        return Ok(exit::USAGE);
    }
    let jobs = args.jobs.map(NonZeroUsize::get).unwrap_or_else(|| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if matches!(executor, Choice::Unicorn) { processors } else { processors.div_ceil(2) }
    });
    let subject = match args.linker.subject()? {
        Ok(subject) => subject,
        Err(refused) => return Ok(refused.say()),
    };
    let corpus = args.corpus();
    let cases = plan::cases(&corpus)?;
    let source = args.source(&corpus);
    let mut selection = args.selection(only.clone());
    if let Err(problem) = selection.sort_filters() {
        note!("nothing is selected: {problem}");
        return Ok(exit::NOTHING_SELECTED);
    }
    if selection.targets.is_empty() && !matches!(executor, Choice::Unicorn) {
        selection.targets = targets.iter().map(|&name| name.to_owned()).collect();
    }
    let start = Instant::now();
    let mut output = Output::new(args);
    let mut chosen = plan::select(&cases, &selection, &source, executor.name())?;
    let objects = |chosen, output: &Output| {
        plan::objects(chosen, &source, jobs, &|done, total, name| output.building(done, total, name))
    };
    // Which relocations are held, only the objects can say.
    let mut built = None;
    if !selection.relocations.is_empty() {
        let mut batches = objects(std::mem::take(&mut chosen), &output)?;
        selection.retain(&mut batches);
        chosen = batches.iter().map(|batch| batch.configurations.clone()).collect();
        built = Some(batches);
    }
    let selected: usize = chosen.iter().map(Vec::len).sum();
    // What is remembered and not there any more has to be forgotten.
    let exists: BTreeSet<&str> = chosen.iter().flatten().map(|configuration| configuration.name.as_str()).collect();
    // Layouts are a part of what is remembered, and narrow nothing.
    let narrowed = Args { rerun_failed: false, layout: Vec::new(), ..args.clone() }.is_selective();
    let gone = only.filter(|_| !narrowed).unwrap_or_default().into_iter();
    let is_there = |name: &str| match name.strip_suffix("covers") {
        Some(case) => exists.range(case..).next().is_some_and(|next| next.starts_with(case)),
        None => exists.contains(name),
    };
    let gone: BTreeSet<String> = gone.filter(|name| !is_there(name)).collect();
    if selected == 0 {
        output.bar.finish_and_clear();
        note!("nothing is selected: {}", nothing::why(args, &selection, &cases, &source, executor.name()));
        if !gone.is_empty() {
            remember(args, memory, &[], &gone);
        }
        return Ok(exit::NOTHING_SELECTED);
    }
    if args.list {
        let mut out = stdout::writer();
        for configuration in chosen.iter().flatten() {
            // A reader that has seen enough is no error.
            if writeln!(out, "{}", stdout::shown(&configuration.name)).is_err() {
                break;
            }
        }
        let _ = out.flush();
        return Ok(exit::OK);
    }
    if args.bless {
        return crate::bless::main(chosen, &source, &corpus, &args.reference);
    }
    // Refused now, not after the run.
    let mut debugger = args.debug.debugger(args.machine.is_given())?;
    if debugger.is_some() {
        debugged::is_one(&chosen)?;
        if subject.is_some() {
            return Err(exit::Usage(
                "--gdb, --trace and --save-dir are for what our own linker links: leave out --subject".to_owned(),
            )
            .into());
        }
    }
    if let Some(subject) = &subject {
        subject.prepare(chosen.iter().flatten())?;
    }
    let baseline = args.baseline.as_deref().map(super::compare::read).transpose()?;
    let reports = report::open(&args.report)?;
    outside::signals::listen(outside::signals::First::Ends)?;
    let mut begin = Start {
        version: VERSION,
        program: format!("harness {}", env!("CARGO_PKG_VERSION")),
        command: std::env::args().skip(1).collect(),
        selected,
        toolchains: source.versions(),
        subject: subject.as_ref().map(Maker::described),
        ..Start::default()
    };
    if output.json || !args.report.is_empty() || std::env::var_os("GITHUB_STEP_SUMMARY").is_some() {
        origin::fill(&mut begin, args.corpus.as_deref());
    }
    output.event(&Event::Start(begin));
    if let Err(refused) = machine::start(&executor) {
        return Ok(refused.say());
    }
    let batches = match built {
        Some(batches) => batches,
        None => objects(chosen, &output)?,
    };
    let most = args.most_failures();
    let failures = AtomicUsize::new(0);
    let enough = || most.as_ref().is_some_and(|(most, _)| failures.load(Ordering::Relaxed) >= *most);
    // A stream that nobody reads any more is no reason to go on, unless there are reports.
    let output_is_all = output.json && reports.is_empty() && baseline.is_none();
    let stop = || enough() || stop::requested() || output_is_all && stdout::is_gone();
    let mut sink = |mut record| {
        reproduce::complete(&mut record, args);
        failures.fetch_add(usize::from(record.status.is_failure()), Ordering::Relaxed);
        output.event(&Event::Result(Box::new(record)));
    };
    match &mut debugger {
        Some(debugger) => sink(debugged::judge(&batches[0], debugger)?),
        None => run::run(&batches, &executor, subject.as_ref(), jobs, args.strict, &stop, &mut sink),
    }
    remember(args, memory, &output.records, &gone);
    let stopped = most.as_ref().filter(|_| enough()).map(|(_, option)| option.clone());
    output.finish(args, start.elapsed().as_secs_f64(), stopped, baseline, reports)
}

/// Remembers what failed, for `--rerun-failed`. Only a convenience: where it cannot be written, that is said, and nothing else.
fn remember(args: &Args, mut memory: Memory, records: &[Record], gone: &BTreeSet<String>) {
    memory.note(Origin::of(args), records, gone);
    if let Err(error) = memory.write(&args.failed_file()) {
        note!("note: --rerun-failed will not know of this run: {error:#}");
    }
}
