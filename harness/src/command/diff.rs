//! `harness diff`: the same objects at the same addresses through other linkers, field by field.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use linker::link::Finalized;
use linker::{Layout, Options, Roots};

use crate::executor::image::{Image, ImageFile};
use crate::exit;
use crate::inputs;
use crate::linking::{self, Externals, Input, Job, Timings};
use crate::oracle::{self, Peer, Tally};

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
    /// The linkers to compare with
    #[arg(long, value_delimiter = ',', default_value = "ld,lld", value_name = "PEER,...")]
    pub against: Vec<Peer>,
    /// Seed of the layout: sections are apart, so that what a peer inserts moves nothing
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many differences to show in full
    #[arg(long, default_value_t = 10)]
    pub show: usize,
}

/// What came of one peer.
#[derive(Default)]
struct Sum {
    units: usize,
    refused: Vec<String>,
    tallies: BTreeMap<&'static str, Tally>,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let files = inputs::Args {
        files: args.files.clone(),
        libraries: Vec::new(),
        arch: args.arch.clone(),
        flags: args.flags.clone(),
        no_relax: false,
        layout: Layout::Random(args.seed),
    };
    let inputs = inputs::read(&files)?;
    let mut programs = Vec::new();
    for &peer in &args.against {
        match peer.find(inputs.target) {
            Ok(program) => programs.push((peer, program)),
            Err(error) => {
                eprintln!("error: {error}");
                return Ok(exit::MISSING);
            }
        }
    }
    let units = oracle::units(inputs.files)?;
    let bar = crate::command::progress(units.len());
    let mut sums: BTreeMap<Peer, Sum> = BTreeMap::new();
    let mut unlinked = Vec::new();
    for unit in units {
        bar.inc(1);
        let name = unit.name.clone();
        let unit = match oracle::complete(inputs.target, unit) {
            Ok(unit) => unit,
            Err(error) => {
                unlinked.push(format!("{name}: {error:#}"));
                continue;
            }
        };
        let link = |options: &Options| link(inputs.target, &unit.objects, &files.layout, options);
        let (plain, relaxed) =
            match link(&Options::unrelaxed()).and_then(|plain| Ok((plain, link(&Options::default())?))) {
                Ok(links) => links,
                Err(error) => {
                    unlinked.push(format!("{name}: {error}"));
                    continue;
                }
            };
        for (peer, program) in &programs {
            let sum = sums.entry(*peer).or_default();
            match peer.link(program, &plain, &unit.objects) {
                Ok(output) => {
                    sum.units += 1;
                    oracle::compare(&plain, &relaxed, &output, &mut sum.tallies);
                }
                Err(error) => sum.refused.push(format!("{name}: {error}")),
            }
        }
    }
    bar.finish_and_clear();
    Ok(report(args, &sums, &unlinked))
}

fn link<'a>(
    target: &'static linker::Target,
    objects: &'a [Input],
    layout: &Layout,
    options: &Options,
) -> linker::Result<Finalized<'a, ImageFile>> {
    let job = Job { target, inputs: objects, defines: &[], roots: Roots::All, layout, options };
    linking::link(&job, &mut Image::new(target), &Externals::Table(&|_| None), &mut Timings::default())
}

fn report(args: &Args, sums: &BTreeMap<Peer, Sum>, unlinked: &[String]) -> u8 {
    let mut failed = !unlinked.is_empty();
    for (peer, sum) in sums {
        println!("{}: {} links compared, {} refused", peer.name(), sum.units, sum.refused.len());
        println!("  {:42} {:>8} {:>8} {:>9} {:>9}", "relocation", "same", "excused", "excluded", "different");
        for (name, tally) in &sum.tallies {
            let (excused, excluded): (usize, usize) = (tally.excused.values().sum(), tally.excluded.values().sum());
            println!("  {name:42} {:>8} {excused:>8} {excluded:>9} {:>9}", tally.same, tally.different.len());
        }
        for (freedom, reason) in oracle::FREEDOMS {
            let count: usize = sum.tallies.values().filter_map(|tally| tally.excused.get(freedom)).sum();
            if count > 0 {
                println!("  {count} excused: {reason}");
            }
        }
        let different: Vec<_> = sum.tallies.values().flat_map(|tally| &tally.different).collect();
        for difference in different.iter().take(args.show) {
            println!("\n  {}\n    {}", difference.site, difference.numbers);
            println!("    ours   {}\n    theirs {}", difference.ours, difference.theirs);
        }
        if different.len() > args.show {
            println!("\n  and {} more differences: --show {}", different.len() - args.show, different.len());
        }
        for refused in sum.refused.iter().take(args.show) {
            println!("  {refused}");
        }
        let compared: usize = sum.tallies.values().map(|tally| tally.same + tally.different.len()).sum();
        failed |= !different.is_empty() || compared == 0;
        if compared == 0 {
            println!("  nothing was compared");
        }
        println!();
    }
    for problem in unlinked.iter().take(args.show) {
        println!("not linked here: {problem}");
    }
    if failed { exit::FAILURES } else { exit::OK }
}
