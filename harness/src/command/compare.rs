//! `harness compare`: two runs, and what regressed.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use reports::Report;
use reports::compare::Comparison;
use reports::html::{self, Page};

/// Options of `compare`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// The report to compare with: a JSON document or JSON lines
    #[arg(value_name = "OLD.json")]
    pub old: PathBuf,
    /// The report of now
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,
    /// Write the comparison as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the comparison as Markdown
    #[arg(long, value_name = "FILE")]
    pub md: Option<PathBuf>,
    /// Write the comparison and the new run as one HTML file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let new = read(&args.new)?;
    let comparison = Comparison::of(&read(&args.old)?, &new);
    print!("{}", comparison.terminal());
    let write = |path: &Path, text: String| std::fs::write(path, text).with_context(|| path.display().to_string());
    if let Some(path) = &args.json {
        write(path, serde_json::to_string_pretty(&comparison)? + "\n")?;
    }
    if let Some(path) = &args.md {
        write(path, comparison.markdown())?;
    }
    if let Some(path) = &args.html {
        let page = Page { run: Some(&new), comparison: Some(&comparison), matrix: None };
        write(path, html::render(&page))?;
    }
    Ok(comparison.exit_status())
}

/// Reads a report of any version that is known.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Report::from_slice(&bytes).with_context(|| path.display().to_string())
}
