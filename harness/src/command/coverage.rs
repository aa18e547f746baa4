//! `harness coverage`: what is proven of each relocation.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use linker::{TARGETS, Target};
use reports::Report;
use reports::coverage::{Cell, Line, Matrix, Outcome, PROOFS, Proof};
use reports::html::{self, Page};
use reports::model::Status;

use super::machine::{self, MachineArgs};
use crate::executor::Choice;
use crate::exit;
use crate::oracle::Peer;
use crate::plan::{self, Batch, Selection, Source};
use crate::proof::{self, differ::Compared};

/// Options of `coverage`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Only these targets
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "armv7,armebv7,aarch64,aarch64_be,aarch64_ilp32",
        value_name = "A,..."
    )]
    pub arch: Vec<String>,
    /// Link what holds each relocation with GNU ld and lld, too: the column `differ`
    #[arg(long)]
    pub differ: bool,
    /// Run what shows each relocation on these boards, too, all that do without a Linux if none is named: the column `remote`. What
    /// --executor or --image name is one more
    #[arg(long, value_delimiter = ',', value_name = "BOARD,...", num_args = 0..=1, default_missing_value = BARE)]
    pub remote: Vec<String>,
    /// A report of `run`, for the column of cases
    #[arg(long, value_name = "RUN.json")]
    pub from: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// Fewer relocations than this that a column shows, in all targets together, are a failure: for CI
    #[arg(long, value_name = "COLUMN=N", value_parser = floor)]
    pub at_least: Vec<(Proof, usize)>,
    #[command(flatten)]
    machine: MachineArgs,
}

/// The boards that do without a Linux.
const BARE: &str = "raspi3b,raspi2b,mps2-an385,mps3-an547";

fn floor(text: &str) -> Result<(Proof, usize), String> {
    let (column, least) = text.split_once('=').ok_or("expected COLUMN=N")?;
    let known = PROOFS.iter().find(|proof| proof.name() == column);
    let column = known.ok_or_else(|| {
        let names: Vec<&str> = PROOFS.iter().map(|proof| proof.name()).collect();
        format!("unknown column `{column}`, expected one of {}", names.join(", "))
    })?;
    Ok((*column, least.parse().map_err(|_| format!("`{least}` is not a number"))?))
}

/// How to write the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text.
    Terminal,
    /// A JSON document.
    Json,
    /// Markdown.
    Markdown,
    /// One HTML file, with the run of `--from` in it.
    Html,
}

/// Runs the command: every proof, here and now.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if let Err(refused) = machine::embedded() {
        return Ok(refused.say());
    }
    let targets: Vec<&'static Target> =
        args.arch.iter().map(|name| crate::inputs::target(name)).collect::<anyhow::Result<_>>()?;
    let relocations = targets.iter().flat_map(|target| {
        let rows = target.architecture.rows().iter().filter(|row| row.standing.is_static());
        rows.map(|row| (target.name, row.number, row.name))
    });
    let mut matrix = Matrix::new(relocations);
    // Refused now, not after the proofs.
    let run = args.from.as_deref().map(super::compare::read).transpose()?;
    outside::signals::listen(outside::signals::First::Ends)?;
    let bar = super::progress(targets.len());
    for target in &targets {
        bar.set_message(format!("proving each relocation of {}", target.name));
        bar.tick();
        let findings = proof::prove(target)?.findings;
        bar.inc(1);
        for finding in findings {
            let column = match finding.proof {
                proof::Proof::Encode => Proof::Encode,
                proof::Proof::Edge => Proof::Edge,
                proof::Proof::Dirty => Proof::Dirty,
            };
            let outcome = match finding.outcome {
                proof::Outcome::Passed => Outcome::Passed,
                proof::Outcome::Failed(why) => Outcome::Failed { why },
                proof::Outcome::NotApplicable(reason, evidence) => {
                    Outcome::NotApplicable { reason: reason.to_owned(), evidence }
                }
            };
            matrix.set(target.name, finding.number, column, Cell { outcome, runs: finding.runs, cases: Vec::new() });
        }
    }
    bar.finish_and_clear();
    let mut boards = Vec::new();
    let named = |name: &String| MachineArgs { executor: Some(name.clone()), ..MachineArgs::default() };
    let wanted = args.remote.iter().map(named);
    for wanted in wanted.chain(args.machine.is_given().then(|| args.machine.clone())) {
        match wanted.choice()?.and_then(|board| machine::start(&board).map(|()| board)) {
            Ok(board) => boards.push(board),
            Err(refused) => return Ok(refused.say()),
        }
    }
    with_batches(&targets, |batches| {
        execute(&mut matrix, &targets, batches);
        if !boards.is_empty() {
            remote(&mut matrix, &targets, batches, &boards);
        }
        targets.iter().filter(|_| args.differ).try_for_each(|target| differ(&mut matrix, target, batches))
    })??;
    if let Some(report) = &run {
        fill_cases(&mut matrix, report);
    }
    match args.format {
        Format::Terminal => crate::stdout::print(&matrix.terminal()),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&matrix)?),
        Format::Markdown => crate::stdout::print(&matrix.markdown()),
        Format::Html => {
            let page = Page { run: run.as_ref(), matrix: Some(&matrix), comparison: None };
            crate::stdout::print(&html::render(&page));
        }
    }
    if outside::stop::requested() {
        note!("cut short: what is open may be so because it was not tried");
    }
    let mut failed = matrix.failed();
    for &(column, least) in &args.at_least {
        let passed: usize = targets.iter().map(|target| matrix.count(target.name, column).passed).sum();
        if passed < least {
            note!("{}: only {passed} relocations are shown, and at least {least} have to be", column.name());
            failed = true;
        }
    }
    Ok(if failed { exit::FAILURES } else { exit::OK })
}

/// Everything of the corpus for these targets and their kin.
fn with_batches<T>(targets: &[&'static Target], work: impl FnOnce(&[Batch<'_>]) -> T) -> anyhow::Result<T> {
    let kin: Vec<&'static Target> =
        TARGETS.iter().filter(|target| targets.iter().any(|wanted| wanted.is_kin(target))).collect();
    let corpus = corpus::Corpus::found();
    let cases = plan::cases(&corpus)?;
    let source = Source::prebuilt(&corpus, &kin);
    let names = kin.iter().map(|target| target.name.to_owned()).collect();
    let selected = plan::select(&cases, &Selection { targets: names, ..Selection::default() }, &source, "unicorn")?;
    Ok(work(&plan::objects(selected, &source, 1, &|_, _, _| {})?))
}

/// Runs cases until each relocation was seen to matter.
fn execute(matrix: &mut Matrix, targets: &[&'static Target], batches: &[Batch<'_>]) {
    let bar = super::progress(batches.len());
    bar.set_message("running cases until each relocation was seen to matter");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let batches: Vec<&Batch<'_>> = batches.iter().collect();
    for ((target, number), shown) in proof::execute::prove(&batches, &Choice::Unicorn, threads, &|| bar.inc(1)) {
        let kin = |wanted: &&&Target| Target::named(target).is_some_and(|kin| kin.is_kin(wanted));
        let (Some(target), Some(configuration)) = (targets.iter().find(kin), shown.configuration) else { continue };
        let cell = Cell { outcome: Outcome::Passed, runs: shown.runs, cases: vec![configuration] };
        matrix.set(target.name, number, Proof::Execute, cell);
    }
    bar.finish_and_clear();
    for line in &mut matrix.lines {
        let listed = proof::execute::NOT_SHOWN.iter().find(|row| row.0 == line.relocation);
        let outcome = match (line.cells.get(&Proof::Encode).map(|cell| &cell.outcome), listed) {
            // What writes nothing cannot be one unit off.
            (Some(outcome @ Outcome::NotApplicable { .. }), _) => outcome.clone(),
            (_, Some((_, reason, evidence))) => {
                Outcome::NotApplicable { reason: (*reason).to_owned(), evidence: (*evidence).to_owned() }
            }
            _ => continue,
        };
        line.cells.entry(Proof::Execute).or_insert(Cell { outcome, runs: 0, cases: Vec::new() });
    }
}

/// Runs cases on boards until each relocation was seen to matter on each board that runs code for it.
fn remote(matrix: &mut Matrix, targets: &[&'static Target], batches: &[Batch<'_>], boards: &[Choice]) {
    for board in boards {
        let own = board.targets();
        let fit = |name: &str| own.iter().any(|target| target.name == name);
        let fitting: Vec<&Batch<'_>> =
            batches.iter().filter(|batch| fit(batch.configurations[0].build.target.name)).collect();
        let bar = super::progress(fitting.len());
        bar.set_message(format!("running cases on {}", board.name()));
        let found = proof::execute::prove(&fitting, board, 1, &|| bar.inc(1));
        bar.finish_and_clear();
        for line in &mut matrix.lines {
            let Some(target) = targets.iter().find(|target| target.name == line.target) else { continue };
            if !own.iter().any(|own| own.is_kin(target)) {
                continue;
            }
            let shown = found.iter().find(|((name, number), _)| {
                Target::named(name).is_some_and(|kin| kin.is_kin(target)) && *number == line.number
            });
            let cell = remote_cell(line, shown.map(|(_, shown)| shown), board.name());
            match (cell, line.cells.get_mut(&Proof::Remote)) {
                (Some(cell), None) => drop(line.cells.insert(Proof::Remote, cell)),
                (Some(Cell { outcome: outcome @ Outcome::Failed { .. }, .. }), Some(old)) => old.outcome = outcome,
                // Two boards show more than one, and one more than none.
                (Some(cell), Some(old))
                    if cell.outcome == Outcome::Passed && !matches!(old.outcome, Outcome::Failed { .. }) =>
                {
                    old.outcome = Outcome::Passed;
                    old.runs += cell.runs;
                    old.cases.extend(cell.cases);
                }
                _ => {}
            }
        }
    }
}

/// What a board says of a relocation; nothing where it should have shown it and did not.
fn remote_cell(line: &Line, shown: Option<&proof::execute::Shown>, board: &str) -> Option<Cell> {
    let plain = |outcome| Cell { outcome, runs: 0, cases: Vec::new() };
    let not_applicable = |reason: String, evidence: String| plain(Outcome::NotApplicable { reason, evidence });
    if let Some(why) = shown.and_then(|shown| shown.failed.clone()) {
        return Some(plain(Outcome::Failed { why: format!("{board}: {why}") }));
    }
    if let Some(configuration) = shown.and_then(|shown| shown.configuration.clone()) {
        let runs = shown.map_or(0, |shown| shown.runs);
        return Some(Cell { outcome: Outcome::Passed, runs, cases: vec![configuration] });
    }
    if let Some(why) = shown.and_then(|shown| shown.refused.clone()) {
        return Some(not_applicable(format!("{board} refuses it"), why));
    }
    match line.cells.get(&Proof::Execute) {
        Some(Cell { outcome: outcome @ Outcome::NotApplicable { .. }, .. }) => Some(plain(outcome.clone())),
        Some(Cell { cases, .. }) if shown.is_none() => {
            let evidence = format!("only code for other processors holds it: {}", cases.join(", "));
            Some(not_applicable(format!("{board} does not run such code"), evidence))
        }
        _ => None,
    }
}

/// Links objects that hold each relocation with GNU ld and lld, too.
fn differ(matrix: &mut Matrix, target: &'static Target, batches: &[Batch<'_>]) -> anyhow::Result<()> {
    let peers: Vec<(Peer, PathBuf)> =
        [Peer::Ld, Peer::Lld].into_iter().map(|peer| Ok((peer, peer.find(target)?))).collect::<anyhow::Result<_>>()?;
    for (peer, program) in &peers {
        note!("{} for {}: {}: {}", peer.name(), target.name, program.display(), Peer::version(program));
    }
    let own: Vec<&Batch<'_>> =
        batches.iter().filter(|batch| batch.configurations[0].build.target.is_kin(target)).collect();
    let bar = super::counter();
    bar.set_message(format!("links by GNU ld and lld for {}", target.name));
    let found = proof::differ::prove(target, &own, &peers, &|| bar.inc(1));
    bar.finish_and_clear();
    for line in matrix.lines.iter_mut().filter(|line| line.target == target.name) {
        let compared = found.get(line.relocation.as_str());
        let no_field = line.cells.get(&Proof::Encode).map(|cell| &cell.outcome);
        let outcome = match (compared, no_field) {
            (Some(Compared { wrong: Some(why), .. }), _) => Outcome::Failed { why: why.clone() },
            (Some(Compared { agreed: 1.., .. }), _) => Outcome::Passed,
            (_, Some(outcome @ Outcome::NotApplicable { .. })) => outcome.clone(),
            (Some(Compared { undecided: Some(why), .. }), _) => {
                let reason = "what the peers write cannot be compared".to_owned();
                Outcome::NotApplicable { reason, evidence: why.clone() }
            }
            (Some(Compared { theirs: Some(why), .. }), _) => {
                let reason = "no peer does what the ABI says".to_owned();
                Outcome::NotApplicable { reason, evidence: why.clone() }
            }
            (Some(Compared { refused, .. }), _) if refused.len() == peers.len() => {
                let told: Vec<String> = refused.values().cloned().collect();
                Outcome::NotApplicable { reason: "no peer links it".to_owned(), evidence: told.join("; ") }
            }
            _ => continue,
        };
        let (runs, cases) = compared.map_or((0, Vec::new()), |compared| (compared.agreed, compared.links.clone()));
        line.cells.insert(Proof::Differ, Cell { outcome, runs, cases });
    }
    Ok(())
}

/// How many configurations hold each relocation and pass, in all targets of the same kind of object.
fn fill_cases(matrix: &mut Matrix, report: &Report) {
    for index in 0..matrix.lines.len() {
        let line = &matrix.lines[index];
        let Some(target) = Target::named(&line.target) else { continue };
        let same = |name: &str| Target::named(name).is_some_and(|other| other.is_kin(target));
        let holding = report.results.iter().filter(|record| record.relocations.contains_key(&line.relocation));
        let runs = holding.filter(|record| record.status == Status::Passed && same(&record.target)).count();
        if runs > 0 {
            matrix.lines[index].cells.insert(Proof::Cases, Cell { outcome: Outcome::Passed, runs, cases: Vec::new() });
        }
    }
}
