//! `harness subjects`: all linkers that are installed, over the corpus.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use clap::Args as ClapArgs;
use corpus::Corpus;
use linker::{TARGETS, Target};
use outside::stop;
use reports::model::Record;
use reports::subjects::Table;

use super::report;
use crate::executor::Choice;
use crate::maker::Maker;
use crate::plan::{self, Selection, Source};
use crate::subject::LinkAs;
use crate::{exit, messages, run, stdout};

/// Options of `subjects`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Only what has one of these in its name, or holds a relocation: R_ARM_CALL
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Targets
    #[arg(long, value_name = "A,..", value_delimiter = ',')]
    arch: Vec<String>,
    /// Layouts instead of those the cases name
    #[arg(long, value_name = "L")]
    layout: Vec<linker::Layout>,
    /// Toolchains by the start of their label: gcc, clang19
    #[arg(long, value_name = "T,..", value_delimiter = ',')]
    toolchain: Vec<String>,
    /// The linkers and loaders, as `run` has them, several times [default: all linkers that are installed]
    #[arg(long, value_name = "LINKER")]
    subject: Vec<String>,
    /// What linkers are to make [default: static]
    #[arg(long, value_name = "KIND")]
    link_as: Option<LinkAs>,
    /// Links and machines at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write reports: json=FILE, md=FILE, html=FILE
    #[arg(long, value_name = "KIND=FILE,..", value_delimiter = ',', value_parser = report::parse::<Kind>)]
    report: Vec<(Kind, PathBuf)>,
}

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Json,
    #[value(name = "md")]
    Markdown,
    Html,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if let Some(unknown) = args.arch.iter().find(|name| Target::named(name).is_none()) {
        let near = messages::suggest(unknown, TARGETS.iter().map(|target| target.name));
        note!("error: unknown target `{unknown}`{near}");
        return Ok(exit::USAGE);
    }
    let mut subjects = Vec::new();
    for given in &args.subject {
        match super::run::parse("--subject", given, args.link_as)? {
            Ok(subject) => subjects.push(subject),
            Err(refused) => return Ok(refused.say()),
        }
    }
    if args.subject.is_empty() {
        subjects = Maker::installed(args.link_as.unwrap_or_default());
    }
    if subjects.is_empty() {
        note!("error: no linker is installed, expected one of {}", crate::subject::names().join(", "));
        return Ok(exit::MISSING);
    }
    let reports = report::open(&args.report)?;
    let executor = match super::machine::MachineArgs::default().choice()? {
        Ok(executor) => executor,
        Err(refused) => return Ok(refused.say()),
    };
    let corpus = Corpus::found();
    let cases = plan::cases(&corpus)?;
    let targets: Vec<&'static Target> = TARGETS.iter().collect();
    let source = Source::prebuilt(&corpus, &targets);
    let mut selection = Selection {
        filters: args.filters.clone(),
        targets: args.arch.clone(),
        toolchains: args.toolchain.clone(),
        layouts: args.layout.clone(),
        ..Selection::default()
    };
    if let Err(problem) = selection.sort_filters() {
        note!("nothing is selected: {problem}");
        return Ok(exit::NOTHING_SELECTED);
    }
    let chosen = plan::select(&cases, &selection, &source, executor.name())?;
    let mut batches = plan::objects(chosen, &source, 1, &|_, _, _| ())?;
    selection.retain(&mut batches);
    if batches.is_empty() {
        note!("nothing is selected: no configuration has {} in its name", args.filters.join(" or "));
        return Ok(exit::NOTHING_SELECTED);
    }
    for subject in &subjects {
        subject.prepare(batches.iter().flat_map(|batch| &batch.configurations))?;
    }
    outside::signals::listen(outside::signals::First::Ends)?;
    let table = judge(args, &subjects, &batches, &executor);
    stdout::raw(table.terminal().as_bytes());
    for (kind, output) in reports {
        output.write(|out| match kind {
            Kind::Json => serde_json::to_writer_pretty(out, &table).map_err(std::io::Error::from),
            Kind::Markdown => out.write_all(table.markdown().as_bytes()),
            Kind::Html => out.write_all(table.html().as_bytes()),
        })?;
    }
    // A failure of another linker is what is asked for here, and none of ours.
    Ok(exit::OK)
}

fn judge(args: &Args, subjects: &[Maker], batches: &[plan::Batch<'_>], executor: &Choice) -> Table {
    let jobs = args.jobs.map(NonZeroUsize::get);
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let words = std::env::args().skip(1).map(|word| messages::quoted(&word)).collect::<Vec<_>>().join(" ");
    let date = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut table = Table { date, command: format!("harness {words}"), ..Table::default() };
    let total: usize = batches.iter().map(|batch| batch.configurations.len()).sum();
    for subject in subjects {
        let bar = super::progress(total);
        bar.set_message(subject.to_string());
        // Before anybody stops us: it is a run of the linker, too.
        let version = subject.version().unwrap_or_default();
        let start = Instant::now();
        let mut records: Vec<Record> = Vec::new();
        run::run(batches, executor, Some(subject), jobs, false, &stop::requested, &mut |record| {
            bar.inc(1);
            records.push(record);
        });
        bar.finish_and_clear();
        // What comes first is chance.
        records.sort_by(|a, b| a.name.cmp(&b.name));
        table.push(&subject.to_string(), &version, start.elapsed().as_secs_f64(), &records);
        if stop::requested() {
            note!("cut short: {} of {total} configurations of {subject} ended", records.len());
            break;
        }
    }
    table
}
