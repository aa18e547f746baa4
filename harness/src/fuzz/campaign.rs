//! Many programs: made, judged, and where linkers differ, reduced.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use corpus::toolchain::Toolchains;
use linker::Layout;

use super::bench::{Bench, Linkers, Outcome};
use super::build::{Assembler, Built};
use super::generate::{self, Theme};
use super::model::{Mode, Program};
use super::reduce::reduce;
use super::subject::Subject;

/// Programs of which one is run as a process, too, where the peers' programs can be.
const PROCESSES: u64 = 8;

/// Candidates that a reduction may try.
const REDUCTIONS: usize = 400;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub count: u64,
    /// For how long.
    pub time: Option<Duration>,
    /// For which architectures: [`Mode::A64`], [`Mode::A32`].
    pub modes: Vec<Mode>,
    /// Of which themes.
    pub themes: Vec<Theme>,
    /// On how many threads.
    pub workers: usize,
}

/// One architecture's tools.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The assembler.
    pub assembler: Assembler,
    /// The linkers.
    pub linkers: Linkers,
}

/// The tools of all architectures that are asked for, and what is missing of those that a campaign can do without.
pub fn tools(modes: &[Mode]) -> Result<(BTreeMap<bool, Tools>, Vec<String>)> {
    let toolchains = Toolchains::discover();
    let mut all = BTreeMap::new();
    let mut missing = Vec::new();
    for mode in modes {
        let target = Program { seed: 0, entry: *mode, archived: vec![false], items: Vec::new() }.target();
        let assembler = Assembler::find(&toolchains, target)?;
        let (linkers, lacking) = Linkers::find(target);
        missing.extend(lacking);
        all.insert(mode.is_64(), Tools { assembler, linkers });
    }
    missing.sort();
    missing.dedup();
    Ok((all, missing))
}

/// A program about which linkers differ from the model.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The program as its seed gives it.
    pub program: Program,
    /// What each subject made of it.
    pub outcomes: Vec<(Subject, Outcome)>,
    /// The subject that was reduced for.
    pub about: Subject,
    /// The smallest program that is still wrong.
    pub reduced: Program,
    /// What each subject makes of that.
    pub reduced_outcomes: Vec<(Subject, Outcome)>,
}

impl Difference {
    /// The subjects that are wrong, or refuse what others link.
    pub fn wrong(&self) -> impl Iterator<Item = &Subject> {
        self.outcomes.iter().filter(|entry| entry.1 != Outcome::Right).map(|entry| &entry.0)
    }
}

/// What a campaign counted.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Programs that were judged.
    pub programs: u64,
    /// Checks in them.
    pub checks: u64,
    /// Links, by the name of who linked and where.
    pub links: BTreeMap<String, u64>,
    /// Programs that a peer refused, by its name and its words.
    pub refused: BTreeMap<(String, String), u64>,
    /// Programs about which somebody differs from the model, by who: some of ours, or a peer alone.
    pub differences: BTreeMap<String, u64>,
}

/// Runs a campaign. `each` is told of every program that was judged, `found` of every difference.
pub fn run(
    plan: &Plan,
    tools: &BTreeMap<bool, Tools>,
    each: &(dyn Fn() + Sync),
    found: &(dyn Fn(&Difference) + Sync),
) -> Result<Summary> {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    let summary = Mutex::new(Summary::default());
    let work = || -> Result<()> {
        let mut bench = Bench::default();
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let late = plan.time.is_some_and(|time| start.elapsed() > time);
            if number >= plan.count || late || outside::stop::requested() {
                break;
            }
            let seed = plan.seed.wrapping_add(number);
            for mode in &plan.modes {
                let program = generate::program(seed, *mode, &plan.themes);
                let Some(tools) = tools.get(&mode.is_64()) else { continue };
                let judged = match judge(&mut bench, &program, tools) {
                    // What has not come to its end says nothing.
                    Err(_) if outside::stop::requested() => break,
                    judged => judged?,
                };
                if outside::stop::requested() {
                    break;
                }
                let difference = differs(&judged).then(|| explain(&mut bench, &program, &judged, tools)).transpose()?;
                if let Ok(mut summary) = summary.lock() {
                    count(&mut summary, &program, &judged, difference.as_ref());
                }
                if let Some(difference) = &difference {
                    found(difference);
                }
                each();
            }
        }
        Ok(())
    };
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.workers.max(1))
            .map(|_| {
                scope.spawn(|| {
                    let result = work();
                    if result.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    result
                })
            })
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|result| result.unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked")))).collect()
    });
    results.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(summary.into_inner().unwrap_or_default())
}

/// What each subject makes of a program.
pub fn judge(bench: &mut Bench, program: &Program, tools: &Tools) -> Result<Vec<(Subject, Outcome)>> {
    let subjects = tools.linkers.subjects(program, program.seed.is_multiple_of(PROCESSES));
    judge_by(bench, program, tools, &subjects)
}

fn judge_by(
    bench: &mut Bench,
    program: &Program,
    tools: &Tools,
    subjects: &[Subject],
) -> Result<Vec<(Subject, Outcome)>> {
    let directory = outside::Scratch::new()?;
    let built = Built::new(program, &tools.assembler, directory.path())?;
    let judge = |subject: &Subject| Ok((subject.clone(), bench.judge(program, &built, subject, &tools.linkers)?));
    subjects.iter().map(judge).collect()
}

/// Whether there is something to explain: a wrong program, or one that ours alone does not link.
fn differs(judged: &[(Subject, Outcome)]) -> bool {
    let refused = |entry: &(Subject, Outcome)| matches!(entry.1, Outcome::Refused(_));
    let others_link = judged.iter().any(|entry| !refused(entry));
    judged.iter().any(|entry| entry.1.is_wrong() || (entry.0.is_ours() && refused(entry) && others_link))
}

/// Reduces a program for the first of ours that is not right, or else for the first peer that is wrong.
fn explain(bench: &mut Bench, program: &Program, judged: &[(Subject, Outcome)], tools: &Tools) -> Result<Difference> {
    let ours = judged.iter().find(|entry| entry.0.is_ours() && entry.1 != Outcome::Right);
    let wrong = ours.or_else(|| judged.iter().find(|entry| entry.1.is_wrong()));
    let Some((about, outcome)) = wrong.cloned() else { anyhow::bail!("nothing differs") };
    // Two of those that are right have to stay so: what nobody links right is no longer the same.
    let right = judged.iter().filter(|entry| entry.1 == Outcome::Right).map(|entry| entry.0.clone());
    let mut right: Vec<Subject> = right.collect();
    right.sort_by_key(|subject| {
        (matches!(subject, Subject::Process(_) | Subject::Image), subject.is_ours() == about.is_ours())
    });
    right.truncate(2);
    let mut subjects = vec![about.clone()];
    subjects.extend(right);
    let mut still = |candidate: &Program| {
        let Ok(judged) = judge_by(bench, candidate, tools, &subjects) else { return false };
        let same = matches!((&judged[0].1, &outcome), (Outcome::Refused(_), Outcome::Refused(_)))
            || (judged[0].1.is_wrong() && outcome.is_wrong());
        same && judged[1..].iter().all(|entry| entry.1 == Outcome::Right)
    };
    let reduced = reduce(program, REDUCTIONS, &mut still);
    let subjects: Vec<Subject> = judged.iter().map(|entry| entry.0.clone()).collect();
    let reduced_outcomes = judge_by(bench, &reduced, tools, &subjects)?;
    Ok(Difference { program: program.clone(), outcomes: judged.to_vec(), about, reduced, reduced_outcomes })
}

fn count(summary: &mut Summary, program: &Program, judged: &[(Subject, Outcome)], difference: Option<&Difference>) {
    summary.programs += 1;
    summary.checks += program.checks().count() as u64;
    for (subject, outcome) in judged {
        let name = match subject {
            // All seeds of a layout are one.
            Subject::Ours { relaxed, layout: Layout::Random(_), collected } => {
                let layout = Layout::Random(0);
                let name = Subject::Ours { relaxed: *relaxed, layout, collected: *collected }.to_string();
                name.replace(":0", "")
            }
            other => other.to_string(),
        };
        match outcome {
            Outcome::Refused(why) => {
                let why = why.lines().next().unwrap_or_default().to_owned();
                *summary.refused.entry((name, reason(&why))).or_default() += 1;
            }
            _ => *summary.links.entry(name).or_default() += 1,
        }
    }
    if let Some(difference) = difference {
        let ours = difference.wrong().any(Subject::is_ours);
        let name = if ours { "linkrig".to_owned() } else { difference.about.to_string() };
        *summary.differences.entry(name).or_default() += 1;
    }
}

/// A refusal without the names and numbers of this program, so that equal ones count as such.
fn reason(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let stem: String = word.chars().filter(|c| !c.is_ascii_digit()).collect();
        let named = word.chars().any(|c| c.is_ascii_digit()) && !stem.starts_with("R_");
        words.push(if named { "N".to_owned() } else { word.to_owned() });
    }
    words.dedup();
    words.join(" ")
}

/// Writes a program's texts and objects into a directory, and how they are linked and run.
pub fn save(program: &Program, tools: &Tools, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    Built::new(program, &tools.assembler, directory)?;
    Ok(())
}
