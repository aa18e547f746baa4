//! `cargo xtask bench-peers`: `harness link` and other linkers on the same bytes, side by side.
//!
//! Whole processes are timed, from start to exit, each writing its output where it has one. Runs alternate, so that a
//! machine whose speed drifts does so for all; ratios are taken pair by pair, and their median is printed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{inputs, installed, line, target_directory};
use crate::step::{cargo, status};

/// How to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each linker, in turn.
    #[arg(long, default_value_t = 41)]
    runs: usize,
    /// Runs of linkers that take seconds; 0 leaves them out.
    #[arg(long, default_value_t = 5)]
    slow_runs: usize,
    /// Only these inputs.
    #[arg(long, value_delimiter = ',', default_value = "sqlite-aarch64,sqlite-thumbv7")]
    input: Vec<String>,
}

/// Another linker.
struct Peer {
    name: &'static str,
    /// What to install to have it.
    package: &'static str,
    /// The targets it is compared for.
    targets: &'static [&'static str],
    /// Names of its program.
    programs: &'static [&'static str],
    /// Its arguments before the objects. `ENTRY` stands for a function of the input.
    arguments: &'static [&'static str],
    /// Whether it takes `-o FILE`.
    writes: bool,
    /// Whether it may take seconds.
    slow: bool,
}

const fn peer(
    name: &'static str,
    package: &'static str,
    targets: &'static [&'static str],
    programs: &'static [&'static str],
    arguments: &'static [&'static str],
) -> Peer {
    Peer { name, package, targets, programs, arguments, writes: true, slow: false }
}

impl Peer {
    const fn slow(self) -> Peer {
        Peer { slow: true, writes: false, ..self }
    }
}

const ALL: &[&str] = &["aarch64", "thumbv7"];
const A64: &[&str] = &["aarch64"];
const T32: &[&str] = &["thumbv7"];
const IGNORE: &str = "--unresolved-symbols=ignore-all";
/// llvm-jitlink links nothing unless something asks for a symbol.
const JITLINK: &[&str] = &["-noexec", "-phony-externals", "-entry", "ENTRY"];
/// The same below 4 GiB: where it puts things by itself, 32-bit pointers do not reach.
#[rustfmt::skip]
const JITLINK_LOW: &[&str] = &["-noexec", "-phony-externals", "-slab-address", "0x10000000", "-slab-allocate", "16Mb", "-slab-page-size", "4096", "-entry", "ENTRY"];

#[rustfmt::skip]
static PEERS: &[Peer] = &[
    // By default it drops what nothing reaches, and without an entry that is everything.
    peer("wild", "cargo install wild-linker", A64, &["wild"], &["-m", "aarch64linux", "--no-gc-sections", IGNORE]),
    peer("GNU ld", "binutils-aarch64-linux-gnu", A64, &["aarch64-linux-gnu-ld"], &[IGNORE]),
    peer("GNU ld", "binutils-arm-linux-gnueabihf", T32, &["arm-linux-gnueabihf-ld", "arm-linux-gnu-ld"], &[IGNORE]),
    peer("mold", "mold", ALL, &["mold"], &[IGNORE]),
    peer("mold, one thread", "mold", ALL, &["mold"], &[IGNORE, "--no-threads"]),
    peer("ld.lld", "lld-19", ALL, &["ld.lld-19", "ld.lld"], &[IGNORE]),
    peer("llvm-jitlink", "llvm-19", A64, &["llvm-jitlink-19", "llvm-jitlink"], JITLINK).slow(),
    peer("llvm-jitlink", "llvm-19", T32, &["llvm-jitlink-19", "llvm-jitlink"], JITLINK_LOW).slow(),
];

/// A function of each input, by the start of its name.
const ENTRIES: [(&str, &str); 2] = [("sqlite", "sqlite3_open"), ("lua", "luaL_newstate")];

pub(crate) fn run(options: &Options) -> Result<()> {
    let all = inputs::make()?;
    status(&mut cargo(&["build", "--release", "--package", "harness"]))?;
    let harness = target_directory()?.join("release/harness");
    let scratch = tempfile::tempdir()?;
    for input in &options.input {
        let target = input.rsplit_once('-').context("an input is called NAME-TARGET")?.1;
        let mut objects: Vec<_> = std::fs::read_dir(all.join(input))
            .with_context(|| format!("there is no input {input}"))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        objects.sort();
        let bytes: u64 = objects.iter().flat_map(std::fs::metadata).map(|metadata| metadata.len()).sum();
        println!("\n{input}: {} objects of {bytes} bytes", objects.len());
        let mut ours = Command::new(&harness);
        ours.args(["link", "--phony-externals", "-o"]).arg(scratch.path().join("harness")).args(&objects);
        println!("  {:18} {}", "harness link", line(&ours));
        let mut commands = Vec::new();
        let entry = ENTRIES.iter().find(|(start, _)| input.starts_with(start)).map_or("main", |(_, entry)| entry);
        for (number, peer) in PEERS.iter().enumerate().filter(|(_, peer)| peer.targets.contains(&target)) {
            let Some(program) = installed(peer.programs) else {
                println!("  {:18} missing: {}", peer.name, peer.package);
                continue;
            };
            let mut command = Command::new(program);
            command.args(peer.arguments.iter().map(|&word| if word == "ENTRY" { entry } else { word }));
            let output = scratch.path().join(number.to_string());
            if peer.writes {
                command.arg("-o").arg(&output);
            }
            command.args(&objects);
            println!("  {:18} {} ({})", peer.name, line(&command), version(program));
            time(&mut command).with_context(|| peer.name)?;
            if peer.writes {
                check_size(peer, &output, bytes)?;
            }
            commands.push((peer, command));
        }
        compare(options, &mut ours, &mut commands)?;
    }
    Ok(())
}

/// A peer that was quick because it dropped its input is no measure.
fn check_size(peer: &Peer, output: &Path, input: u64) -> Result<()> {
    let size = std::fs::metadata(output).with_context(|| format!("the output of {}", peer.name))?.len();
    if size < input / 4 {
        bail!("{} wrote {size} bytes for {input} bytes of objects: it did not link them", peer.name);
    }
    Ok(())
}

fn compare(options: &Options, ours: &mut Command, commands: &mut [(&Peer, Command)]) -> Result<()> {
    let mut times: Vec<Vec<(Duration, Duration)>> = vec![Vec::new(); commands.len()];
    // Once for the caches.
    time(ours)?;
    for round in 0..options.runs.max(options.slow_runs) {
        for ((peer, command), times) in commands.iter_mut().zip(&mut times) {
            if round < if peer.slow { options.slow_runs } else { options.runs } {
                times.push((time(ours)?, time(command).with_context(|| peer.name)?));
            }
        }
    }
    println!("  {:18} {:>5} {:>12} {:>12} {:>22}", "", "runs", "median ms", "harness ms", "harness / peer, median");
    for ((peer, _), times) in commands.iter().zip(&times) {
        if times.is_empty() {
            continue;
        }
        let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
        println!(
            "  {:18} {:>5} {:>12.2} {:>12.2} {:>22.4}",
            peer.name,
            times.len(),
            median(times.iter().map(|(_, theirs)| milliseconds(theirs))),
            median(times.iter().map(|(ours, _)| milliseconds(ours))),
            median(times.iter().map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64())),
        );
    }
    Ok(())
}

/// Runs a command to its end, silently.
fn time(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    let time = start.elapsed();
    if !status.success() {
        bail!("{} failed with {status}", line(command));
    }
    Ok(time)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The line of `--version` that names one.
fn version(program: &str) -> String {
    let output = Command::new(Path::new(program)).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let line = text.lines().find(|line| line.bytes().any(|byte| byte.is_ascii_digit()));
    line.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert!(median(std::iter::empty()).is_nan());
    }
}
