//! `harness relocations`: the tables.

use std::io::Write;

use clap::Args as ClapArgs;
use linker::Target;
use linker::error::hex;

use crate::exit;

/// Options of `relocations`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Only the table of this target
    #[arg(long, value_name = "A")]
    pub arch: Option<String>,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut targets = vec!["armv7", "aarch64"];
    if let Some(name) = &args.arch {
        if Target::named(name).is_none() {
            eprintln!("error: unknown target `{name}`");
            return Ok(exit::USAGE);
        }
        targets = vec![name];
    }
    let mut out = std::io::stdout().lock();
    for target in targets.into_iter().filter_map(Target::named) {
        for row in target.architecture.rows() {
            let (low, high) = row.check.range();
            let range = match row.check {
                linker::relocation::Check::None => "unchecked".to_owned(),
                _ => format!("[{}, {}]", hex(low), hex(high)),
            };
            let formula = row.operation.to_string();
            let line = format!("{:4}  {:31} {formula:28} {range:32} {}", row.number, row.name, row.section);
            if writeln!(out, "{line}").is_err() {
                return Ok(exit::OK);
            }
        }
    }
    Ok(exit::OK)
}
