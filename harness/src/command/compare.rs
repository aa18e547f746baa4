//! `harness compare`: two runs, and what regressed.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use outside::{FileError, Output};
use reports::Report;
use reports::compare::Comparison;
use reports::html::{self, Page};
use reports::json::MAX_BYTES;

use crate::stdout;

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
    let output = |path: &Option<PathBuf>| path.as_ref().map(Output::at).transpose();
    let (json, md, html) = (output(&args.json)?, output(&args.md)?, output(&args.html)?);
    outside::distinct([&json, &md, &html].into_iter().flatten())?;
    let new = read(&args.new)?;
    let comparison = Comparison::of(&read(&args.old)?, &new);
    stdout::print(&comparison.terminal());
    let mut written = Vec::new();
    if let Some(json) = json {
        let text = serde_json::to_string_pretty(&comparison)? + "\n";
        written.push(json.write(|out| out.write_all(text.as_bytes())));
    }
    if let Some(md) = md {
        written.push(md.write(|out| out.write_all(comparison.markdown().as_bytes())));
    }
    if let Some(html) = html {
        let page = Page { run: Some(&new), comparison: Some(&comparison), matrix: None };
        written.push(html.write(|out| out.write_all(html::render(&page).as_bytes())));
    }
    // One that cannot be written costs none of the others.
    written.into_iter().collect::<Result<(), FileError>>()?;
    Ok(comparison.exit_status())
}

/// Reads a report of any version that is known.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let bytes = outside::read(path, MAX_BYTES as u64)?;
    Report::from_slice(&bytes).with_context(|| path.display().to_string())
}
