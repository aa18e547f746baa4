//! `cargo xtask agent`: the guest agent's binaries, by the recipe in qemu/agent/agent.toml.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::step::{root, status};

/// What to do with the agent's binaries.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing: compile, and compare with what is checked in, bit for bit.
    #[arg(long)]
    check: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    flags: String,
    compilers: BTreeMap<String, Compiler>,
    binaries: BTreeMap<String, Binary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compiler {
    command: String,
    flags: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binary {
    compiler: String,
    script: String,
    sources: Vec<String>,
}

/// The first line that each compiler says of itself, as recorded with the binaries.
#[derive(Default, Deserialize, Serialize, PartialEq, Eq)]
struct Versions(BTreeMap<String, String>);

fn directory() -> PathBuf {
    root().join("qemu/agent")
}

fn versions_file() -> PathBuf {
    directory().join("prebuilt/versions.json")
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.check { verify().map(|()| ExitCode::SUCCESS) } else { build().map(|()| ExitCode::SUCCESS) }
}

/// Compiles all and writes what is checked in.
fn build() -> Result<()> {
    let versions = compile(&directory().join("prebuilt"))?;
    Ok(std::fs::write(versions_file(), serde_json::to_string_pretty(&versions)? + "\n")?)
}

/// Whether what is checked in is what the sources give. Compilers of another version give other bytes, which shows nothing.
pub(crate) fn verify() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let versions = compile(scratch.path())?;
    let recorded: Versions = serde_json::from_str(&std::fs::read_to_string(versions_file())?)?;
    if versions != recorded {
        eprintln!("    not compared: these are not the compilers that the checked-in binaries are from:");
        for (name, version) in &recorded.0 {
            eprintln!("      {name}: {version}, here {}", versions.0.get(name).map_or("none", String::as_str));
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(scratch.path())? {
        let name = entry?.file_name();
        let checked_in = std::fs::read(directory().join("prebuilt").join(&name)).ok();
        if checked_in != Some(std::fs::read(scratch.path().join(&name))?) {
            bail!("{} is not what its sources give: cargo xtask agent", name.to_string_lossy());
        }
        eprintln!("    {}: the same, bit for bit", name.to_string_lossy());
    }
    Ok(())
}

fn compile(into: &std::path::Path) -> Result<Versions> {
    let path = directory().join("agent.toml");
    let recipe: Recipe =
        toml::from_str(&std::fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
    let mut versions = Versions::default();
    for (name, Binary { compiler, script, sources }) in &recipe.binaries {
        let Compiler { command, flags } =
            recipe.compilers.get(compiler).with_context(|| format!("{name}: there is no compiler {compiler}"))?;
        let said =
            Command::new(command).arg("--version").output().with_context(|| format!("cannot start {command}"))?;
        let first = String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned();
        versions.0.insert(command.clone(), first);
        let mut compile = Command::new(command);
        compile.current_dir(directory()).args(recipe.flags.split_whitespace()).args(flags.split_whitespace());
        compile.args(["-T", script, "-o"]).arg(into.join(name)).args(sources);
        status(&mut compile)?;
    }
    Ok(versions)
}
