//! `harness fuzz`: programs that know their own result, through our linker and others.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::exit;
use crate::fuzz::campaign::{self, Difference, Plan, Summary};
use crate::fuzz::generate::{THEMES, Theme};
use crate::fuzz::model::Mode;
use crate::fuzz::report;

/// Programs when neither --count nor --time says another number.
const COUNT: u64 = 1000;

/// Options of `fuzz`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Each seed is a program: some objects, and checks that get at data, functions, tables, thread-local variables and the like by
instructions as compilers and people write them. The program knows what each check has to find, and returns the number of
the first that finds something else. It is linked by linkrig (relaxed and not; near, far and random), GNU ld and lld, and
run. Every difference is reduced to a few lines of assembly, and says which linker stands alone.

EXAMPLES:
  harness fuzz                                 a thousand programs for each architecture
  harness fuzz --time 60m -j 2                 an hour of new ones
  harness fuzz --seed 123 --count 1 --arch aarch64 --save-dir out    one again, with sources and objects
  harness fuzz --kinds tables,runs             only what is made of sections of one name")]
pub struct Args {
    /// The first seed
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// How many seeds [default: 1000, or any number with --time]
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// For how long: 90s, 10m, 2h
    #[arg(long, value_name = "T", value_parser = duration)]
    pub time: Option<Duration>,
    /// Architectures: aarch64, armv7 (A32 and Thumb in one program)
    #[arg(long, value_delimiter = ',', default_value = "aarch64,armv7", value_name = "A,...", value_parser = architecture)]
    pub arch: Vec<Mode>,
    /// Programs at a time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Write sources and objects of what differs, as it was and reduced, to a directory each
    #[arg(long, value_name = "D")]
    pub save_dir: Option<PathBuf>,
    /// What programs are made of [default: everything]
    #[arg(long, value_delimiter = ',', value_name = "KIND,...")]
    pub kinds: Vec<Theme>,
    /// Print the programs of the seeds, without running them
    #[arg(long)]
    pub print: bool,
}

fn architecture(text: &str) -> Result<Mode, String> {
    match text {
        "aarch64" => Ok(Mode::A64),
        "armv7" => Ok(Mode::A32),
        _ => Err("expected aarch64 or armv7".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("expected a number with s, m or h behind it".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if let Err(refused) = super::machine::embedded() {
        return Ok(refused.say());
    }
    let themes = if args.kinds.is_empty() { THEMES.to_vec() } else { args.kinds.clone() };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan {
        seed: args.seed,
        count: args.count.unwrap_or(if args.time.is_some() { u64::MAX } else { COUNT }),
        time: args.time,
        modes: args.arch.clone(),
        themes,
        workers: args.jobs.unwrap_or(processors),
    };
    if args.print {
        return print(&plan);
    }
    let (tools, missing) = match campaign::tools(&plan.modes) {
        Ok(tools) => tools,
        Err(error) => {
            note!("error: {error:#}");
            return Ok(exit::MISSING);
        }
    };
    for missing in &missing {
        note!("note: {missing}: its part of the comparison is left out");
    }
    if let Some(directory) = &args.save_dir {
        std::fs::create_dir_all(directory)
            .map_err(|error| crate::exit::BadOutput(format!("{}: {error}", directory.display())))?;
        // Whether there can be files in it shows now, not after the first difference.
        outside::Output::at(directory.join("difference.txt"))?;
    }
    outside::signals::listen(outside::signals::First::Ends)?;
    let steps = if plan.count == u64::MAX { 0 } else { plan.count as usize * plan.modes.len() };
    let bar = super::progress(steps);
    let problems: Mutex<Vec<anyhow::Error>> = Mutex::default();
    let found = |difference: &Difference| {
        let Some(tools) = tools.get(&difference.program.entry.is_64()) else { return };
        bar.suspend(|| {
            outln!("{}", report::text(difference, &tools.assembler.name()));
        });
        if let Err(error) = save(args, difference, tools)
            && let Ok(mut problems) = problems.lock()
        {
            problems.push(error);
        }
    };
    let summary = campaign::run(&plan, &tools, &|| bar.inc(1), &found)?;
    bar.finish_and_clear();
    if let Some(error) = problems.into_inner().unwrap_or_default().into_iter().next() {
        return Err(error);
    }
    summarize(&summary);
    if outside::stop::requested() {
        outln!("cut short: these are the programs up to then");
    }
    Ok(if summary.differences.is_empty() { exit::OK } else { exit::FAILURES })
}

/// Writes what differs where --save-dir says.
fn save(args: &Args, difference: &Difference, tools: &campaign::Tools) -> anyhow::Result<()> {
    let Some(directory) = &args.save_dir else { return Ok(()) };
    let program = &difference.program;
    let directory = directory.join(format!("{}-{}", program.seed, program.target().name));
    campaign::save(program, tools, &directory)?;
    campaign::save(&difference.reduced, tools, &directory.join("reduced"))?;
    let file = directory.join("difference.txt");
    let text = report::text(difference, &tools.assembler.name());
    outside::Output::at(&file)?.write(|out| out.write_all(text.as_bytes()))?;
    Ok(())
}

/// Prints the texts of programs.
fn print(plan: &Plan) -> anyhow::Result<u8> {
    for number in 0..plan.count.min(COUNT) {
        for mode in &plan.modes {
            let program = crate::fuzz::generate::program(plan.seed.wrapping_add(number), *mode, &plan.themes);
            for (number, text) in crate::fuzz::render::objects(&program).iter().enumerate() {
                let archived = if program.archived[number] { " (in library.a)" } else { "" };
                outln!("@ seed {} {}, part{number}.s{archived}\n{text}", program.seed, program.target().name);
            }
        }
    }
    Ok(exit::OK)
}

fn summarize(summary: &Summary) {
    outln!("{} programs with {} checks", summary.programs, summary.checks);
    let linked: Vec<String> = summary.links.iter().map(|(name, count)| format!("{name} {count}")).collect();
    outln!("links that ran: {}", linked.join(", "));
    for ((name, reason), count) in &summary.refused {
        outln!("refused by {name}: {count} of {reason}");
    }
    if summary.differences.is_empty() {
        outln!("no linker differs from the model");
    }
    for (name, count) in &summary.differences {
        outln!("{count} programs in which {name} differs from the model");
    }
}
