//! One file a subcommand.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

pub mod blame;
pub mod board;
pub mod budget;
pub mod check;
pub mod compare;
pub mod coverage;
pub mod debugger;
pub mod diff;
pub mod exec;
pub mod explain;
pub mod fuzz;
pub mod graph;
pub mod image;
pub mod ld;
pub mod link;
pub mod machine;
pub mod reduce;
pub mod relocations;
pub mod report;
pub mod run;
pub mod serve;
pub mod subjects;
pub mod suite;
pub mod toolchains;
pub mod vectors;

/// A bar for so many steps, where there is a terminal, on the standard error.
fn progress(steps: usize) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:32}] {pos}/{len} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}

/// A counter of steps whose number nobody knows before, where there is a terminal.
fn counter() -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{elapsed_precise} {pos} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}
