//! `cargo xtask`: everything a developer of Linkrig, and its CI, starts.

mod agent;
mod bench;
mod image;
mod licences;
mod mutants;
mod packages;
mod prebuilt;
mod sources;
mod step;
mod torture;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use packages::Need;
use step::{Failed, Steps, cargo};

/// Sets up, tests and maintains Linkrig.
///
/// On a fresh Debian or Ubuntu machine that has Rust, `cargo xtask run` installs what building needs and runs the corpus;
/// `cargo xtask test` installs the cross compilers too and runs the whole test suite, as CI does.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, and say why.
    ///
    /// Debian and Ubuntu: with apt-get, as root or through sudo. Elsewhere: names what is needed. Nothing else is downloaded.
    Setup {
        /// Only what building and running need, no cross compilers.
        #[arg(long)]
        minimal: bool,
        /// Only say what would be installed; the exit status is 1 if anything would.
        #[arg(long)]
        dry_run: bool,
    },
    /// Set up what building needs, then run the harness.
    ///
    /// `cargo xtask run` runs the whole corpus; `cargo xtask run -- --help` says what else there is. Once set up,
    /// `cargo run -p harness` is the same.
    Run {
        /// Passed on to the harness.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Set up everything, then check and test everything, as CI does.
    ///
    /// Formatting, clippy, documentation, tests, licences, prebuilt objects, and the corpus rebuilt by both toolchains.
    Test {
        /// Leave the machine as it is: nothing is installed.
        #[arg(long)]
        no_setup: bool,
    },
    /// Compile the corpus and write the objects that are checked in.
    ///
    /// Needs GCC 12 and clang 19 for all targets. With the package versions recorded in corpus/prebuilt the result is the same
    /// bit for bit.
    Prebuilt(prebuilt::Options),
    /// Build a disk image in the style of the Raspberry Pi from Debian's packages.
    ///
    /// Without root where the system lets users have namespaces; no loop device, no mount. Packages come from the mirror of
    /// Debian that apt is set up with. docs/images.md says more.
    Image(image::Options),
    /// Compile the agent that runs on boards, and write the binaries that are checked in.
    ///
    /// Needs both cross GCCs. With the versions recorded beside the binaries the result is the same bit for bit.
    Agent(agent::Options),
    /// Change every property of every relocation row, one at a time, and list what no proof sees.
    ///
    /// Minutes; `cargo test -p harness --test proofs mutate` tries one in seven. Then a decision in each pass of the linker, in a copy
    /// of the sources: the cases named for it have to fail.
    Mutate {
        /// Only the passes
        #[arg(long)]
        passes: bool,
    },
    /// Link and run GCC's torture programs, beside GNU ld and qemu-user.
    ///
    /// Minutes for each set of instructions and level. Installs Debian's gcc-12-source where it is not there, from which nothing is
    /// kept. A program that fails under qemu-user, too, says nothing.
    Torture(torture::Options),
    /// Link and run Lua, SQLite, zlib and zstd, beside GNU ld and qemu-user.
    ///
    /// Each is compiled by GCC and clang with -O0 and -O2 for AArch64, A32 and Thumb, linked with glibc near, far and at random, and runs a
    /// program that checks what it does; what it prints has to be what it prints as GNU ld links it, under qemu-user. The sources come out
    /// of crates. Half an hour; options leave out most of it.
    Sources(sources::Options),
    /// Compile what the benches link: SQLite and Lua, from crates that bundle their sources.
    BenchInputs,
    /// Time `harness link` side by side with the other linkers that are installed.
    ///
    /// Whole processes on the same bytes, runs in turn; prints command lines, medians and ratios. See docs/speed.md.
    BenchPeers(bench::peers::Options),
}

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(status) => status,
        Err(error) => match error.downcast_ref::<Failed>() {
            // The step has said why.
            Some(failed) => {
                eprintln!("xtask: {failed}");
                ExitCode::from(failed.status)
            }
            None => {
                eprintln!("xtask: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let mut steps = Steps::default();
    match task {
        Task::Setup { minimal, dry_run } => {
            let need = if minimal { Need::Run } else { Need::Test };
            if dry_run {
                return Ok(if packages::list(need)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            steps.run("set up", || packages::install(need))?;
        }
        Task::Run { arguments } => {
            steps.run("set up", || packages::install(Need::Run))?;
            steps.command("run the harness", cargo(&["run", "--package", "harness", "--"]).args(arguments))?;
        }
        Task::Test { no_setup } => {
            if !no_setup {
                steps.run("set up", || packages::install(Need::Test))?;
            }
            test(&mut steps)?;
        }
        Task::Prebuilt(options) => return prebuilt::run(&options),
        Task::Agent(options) => return agent::run(&options),
        Task::Image(options) => {
            image::build(&options)?;
            return Ok(ExitCode::SUCCESS);
        }
        Task::Mutate { passes } => {
            if !passes {
                let test = ["test", "--package", "harness", "--test", "proofs", "mutate", "--", "--nocapture"];
                steps.command("mutants of rows", cargo(&test).env("MUTATE", "all"))?;
            }
            steps.run("mutants of passes", mutants::run)?;
        }
        Task::Torture(options) => torture::run(&options)?,
        Task::Sources(options) => sources::run(&options)?,
        Task::BenchInputs => drop(bench::inputs::make()?),
        Task::BenchPeers(options) => bench::peers::run(&options)?,
    }
    steps.summary();
    Ok(ExitCode::SUCCESS)
}

/// How many configurations of the corpus have to run at least.
const FLOOR: &str = "61600";

/// What CI checks, the quick things first.
fn test(steps: &mut Steps) -> Result<()> {
    steps.command("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    steps.run("licences", licences::check)?;
    if which::which("cargo-deny").is_ok() {
        steps.command("cargo deny", &mut cargo(&["deny", "check", "licenses", "bans", "sources"]))?;
    }
    let clippy = &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    steps.command("clippy", &mut cargo(clippy))?;
    let without = ["clippy", "--package", "harness", "--no-default-features", "--", "--deny", "warnings"];
    steps.command("clippy, without the emulator", &mut cargo(&without))?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    steps.command("documentation", doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    let mut images = Vec::new();
    steps.run("images to boot", || image::for_tests().map(|built| images = built))?;
    let before = digests(&images)?;
    let mut tests = cargo(&["test", "--workspace"]);
    tests.envs(images.iter().map(|(variable, path)| (variable, path)));
    steps.command("tests", &mut tests)?;
    steps.run("Lua and zlib, in a sample", sources::sample)?;
    steps.run("prebuilt objects", prebuilt::verify)?;
    steps.run("the agent", agent::verify)?;
    // A case that is lost, and a skip, count as failures.
    let corpus = ["run", "--package", "harness", "--", "--strict", "--at-least", FLOOR];
    steps.command("the corpus, prebuilt", &mut cargo(&corpus))?;
    boards(steps, &images)?;
    if digests(&images)? != before {
        bail!("an image is not what it was before it was booted");
    }
    steps.command("the corpus, rebuilt", cargo(&corpus).arg("--rebuild"))
}

/// The corpus and every relocation, on bare boards and on images.
fn boards(steps: &mut Steps, images: &[(&str, std::path::PathBuf)]) -> Result<()> {
    let run = ["run", "--package", "harness", "--"];
    let corpus = |board, floor| [&run[..], &["--executor", board, "--at-least", floor]].concat();
    let alone =
        ["run", "--package", "harness", "--no-default-features", "--", "--executor", "raspi3b", "--strict", "got/"];
    steps.command("a part of the corpus, by a program without the emulator", &mut cargo(&alone))?;
    steps.command("the corpus on raspi3b", &mut cargo(&corpus("raspi3b", "57200")))?;
    steps.command("the corpus on raspi2b", &mut cargo(&corpus("raspi2b", "37400")))?;
    steps.command("the corpus on mps2-an385", &mut cargo(&corpus("mps2-an385", "700")))?;
    steps.command("the corpus on mps3-an547", &mut cargo(&corpus("mps3-an547", "1500")))?;
    let coverage = [&run[..], &["coverage", "--format", "markdown"]].concat();
    let every = ["--remote", "--at-least", "remote=502"];
    steps.command("every relocation on bare boards", cargo(&coverage).args(every))?;
    for (variable, path) in images {
        let (cases, arch, relocations) = match *variable {
            "LINKRIG_IMAGE_ARM64" => ("43000", "aarch64,aarch64_ilp32,armv7", "remote=289"),
            // Code for it holds nine kinds, of which two write nothing or are read by nobody.
            "LINKRIG_IMAGE_ARMEL" => ("690", "armv6", "remote=7"),
            _ => ("25300", "armv7", "remote=101"),
        };
        let corpus = ["--at-least", cases, "--image"];
        steps.command("the corpus on an image", cargo(&run).args(corpus).arg(path))?;
        let every = ["--arch", arch, "--at-least", relocations, "--image"];
        steps.command("every relocation on an image", cargo(&coverage).args(every).arg(path))?;
    }
    Ok(())
}

/// The SHA-256 of each image.
fn digests(images: &[(&str, std::path::PathBuf)]) -> Result<Vec<String>> {
    let digest = |(_, path): &(&str, std::path::PathBuf)| {
        let output = std::process::Command::new("sha256sum").arg(path).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    images.iter().map(digest).collect()
}
