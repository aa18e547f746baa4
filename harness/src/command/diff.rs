//! `harness diff`: the same objects at the same addresses through other linkers, field by field.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use linker::{Layout, Target};

use crate::exit;
use crate::inputs;
use crate::messages;
use crate::oracle::{self, Peer, Sum, Survey, Tally};

/// Options of `diff`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Objects, which are linked together, archives, of which each member is linked by itself, or sources
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Target; objects tell for themselves, sources do not
    #[arg(long, value_name = "A")]
    pub arch: Option<String>,
    /// A flag for the compiler, for sources
    #[arg(long = "cflag", value_name = "FLAG", allow_hyphen_values = true)]
    pub flags: Vec<String>,
    /// The linkers to compare with: ld, lld, llvm-jitlink; the first of the name in PATH, or the one that is named, as in
    /// lld=/usr/bin/ld.lld-19
    #[arg(long, value_delimiter = ',', default_value = "ld,lld", value_name = "PEER[=PROGRAM],...", value_parser = against)]
    pub against: Vec<(Peer, Option<PathBuf>)>,
    /// Seed of the layout: sections are apart, so that what a peer inserts moves nothing
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many differences to show in full
    #[arg(long, default_value_t = 10)]
    pub show: usize,
    /// Write a JSON document instead of text
    #[arg(long)]
    pub json: bool,
}

fn against(text: &str) -> Result<(Peer, Option<PathBuf>), String> {
    let (name, program) = text.split_once('=').map_or((text, None), |(name, program)| (name, Some(program)));
    let peer = Peer::from_str(name, false).map_err(|_| {
        let known = Peer::value_variants().iter().filter_map(|peer| peer.to_possible_value());
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        format!("unknown linker `{name}`, expected one of {}{}", known.join(", "), messages::suggest(name, &known))
    })?;
    match program {
        Some("") => Err(format!("expected a program behind `{name}=`")),
        program => Ok((peer, program.map(PathBuf::from))),
    }
}

/// The program of each peer that was asked for, with what it says of its version.
fn programs(args: &Args, target: &'static Target) -> anyhow::Result<Vec<(Peer, PathBuf, String)>> {
    let mut programs: Vec<(Peer, PathBuf, String)> = Vec::new();
    for (peer, named) in &args.against {
        let program = match named {
            None => peer.find(target)?,
            Some(named) => which::which(named)
                .map_err(|_| anyhow::anyhow!("{}: {} is no program that can be run", peer.name(), named.display()))?,
        };
        let version = Peer::version(&program);
        programs.push((*peer, program, version));
    }
    Ok(programs)
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if let Err(refused) = super::machine::embedded() {
        return Ok(refused.say());
    }
    let files = inputs::Args {
        files: args.files.clone(),
        libraries: Vec::new(),
        arch: args.arch.clone(),
        flags: args.flags.clone(),
        no_relax: false,
        target1: None,
        target2: None,
        layout: Layout::Random(args.seed),
    };
    let inputs = inputs::read_to_link(&files)?;
    for (index, (peer, _)) in args.against.iter().enumerate() {
        if args.against[..index].iter().any(|(other, _)| other == peer) {
            messages::error(&format!("{} is named twice: compare with one program of it at a time", peer.name()));
            return Ok(exit::USAGE);
        }
        if let Err(error) = peer.check(inputs.target) {
            messages::error(&error);
            return Ok(exit::USAGE);
        }
    }
    let programs = match programs(args, inputs.target) {
        Ok(programs) => programs,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::MISSING);
        }
    };
    let peers: Vec<(Peer, PathBuf)> = programs.iter().map(|(peer, program, _)| (*peer, program.clone())).collect();
    let bundles = oracle::bundles(inputs.files)?;
    outside::signals::listen(outside::signals::First::Ends)?;
    let bar = crate::command::progress(bundles.len());
    let survey = Survey::of(inputs.target, bundles, &peers, &files.layout, || bar.inc(1));
    bar.finish_and_clear();
    if args.json {
        let mut document = survey.json();
        for (peer, program, version) in &programs {
            let peer = &mut document["peers"][peer.name()];
            peer["program"] = program.display().to_string().into();
            peer["version"] = version.as_str().into();
        }
        outln!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        report(args, &survey, &programs);
    }
    if outside::stop::requested() {
        note!("cut short: these are the links up to then");
    }
    let linked = survey.sums.values().any(|sum| sum.bundles + sum.empty + sum.refused.len() > 0);
    let is_bad = |(_, why): &(String, anyhow::Error)| exit::status(why) == exit::BAD_INPUT;
    Ok(match failed(&survey) {
        true if !linked && survey.unlinked.iter().any(is_bad) => exit::BAD_INPUT,
        true => exit::FAILURES,
        false => exit::OK,
    })
}

/// Whether something differs, or was not linked here, or nothing was compared.
fn failed(survey: &Survey) -> bool {
    let fields = |sum: &Sum, count: fn(&Tally) -> usize| sum.tallies.values().map(count).sum::<usize>();
    let wrong = |sum: &Sum| fields(sum, Tally::compared) == 0 || fields(sum, |tally| tally.different.len()) > 0;
    !survey.unlinked.is_empty() || survey.sums.values().any(wrong)
}

fn report(args: &Args, survey: &Survey, programs: &[(Peer, PathBuf, String)]) {
    for (peer, sum) in &survey.sums {
        let empty = if sum.empty > 0 { format!(", {} of nothing", sum.empty) } else { String::new() };
        outln!("{}: {} links compared, {} refused{empty}", peer.name(), sum.bundles, sum.refused.len());
        if let Some((_, program, version)) = programs.iter().find(|(own, ..)| own == peer) {
            outln!("  {}: {version}", program.display());
        }
        let heads = ["same", "meant", "excused", "excluded", "different"];
        outln!("  {:42}{}", "relocation", heads.map(|head| format!(" {head:>9}")).concat());
        for (name, tally) in &sum.tallies {
            let counts = [tally.same, tally.meant(), tally.excused(), tally.excluded(), tally.different.len()];
            outln!("  {name:42}{}", counts.map(|count| format!(" {count:>9}")).concat());
        }
        reasons(sum, "come to the same", oracle::MEANINGS, |tally| &tally.meant);
        reasons(sum, "excused", oracle::FREEDOMS, |tally| &tally.excused);
        reasons(sum, "not compared", oracle::EXCLUSIONS, |tally| &tally.excluded);
        let different: Vec<_> = sum.tallies.values().flat_map(|tally| &tally.different).collect();
        for difference in different.iter().take(args.show) {
            outln!("\n  {}\n    {}", difference.site, difference.numbers);
            outln!("    ours   {}\n    theirs {}\n    {}", difference.ours, difference.theirs, difference.ruling);
        }
        if different.len() > args.show {
            outln!("\n  and {} more differences: --show {}", different.len() - args.show, different.len());
        }
        let mut refusals: Vec<_> = sum.refusals().into_iter().collect();
        refusals.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        for (why, count) in refusals.into_iter().take(args.show) {
            let first = sum.refused.iter().find(|refused| refused.1 == why).map_or("", |refused| &refused.0);
            outln!("  {count} refused, as {first}: {why}");
        }
        let compared: usize = sum.tallies.values().map(|tally| tally.compared()).sum();
        if compared == 0 {
            outln!("  nothing was compared");
        }
        outln!();
    }
    for (unit, why) in survey.unlinked.iter().take(args.show) {
        outln!("not linked here: {unit}: {why:#}");
    }
}

/// How many fields there are for each reason, and what it is.
fn reasons<K: Ord>(sum: &Sum, what: &str, list: &[(K, &str)], counts: impl Fn(&Tally) -> &BTreeMap<K, usize>) {
    for (key, reason) in list {
        let count: usize = sum.tallies.values().filter_map(|tally| counts(tally).get(key)).sum();
        if count > 0 {
            outln!("  {count} {what}: {reason}");
        }
    }
}
