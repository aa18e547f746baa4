//! `harness relocations`: the tables.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use linker::Target;
use linker::relocation::hex;
use linker::relocation::{Check, Row};

use crate::{exit, stdout};

/// Options of `relocations`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// Only the table of this target
    #[arg(long, value_name = "A")]
    pub arch: Option<String>,
    /// As Markdown, as it stands in docs
    #[arg(long)]
    pub markdown: bool,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut targets = vec!["armv7", "aarch64", "aarch64_ilp32"];
    if let Some(name) = &args.arch {
        crate::inputs::target(name)?;
        targets = vec![name];
    }
    for target in targets.into_iter().filter_map(Target::named) {
        stdout::print(&if args.markdown { markdown(target) } else { plain(target) });
    }
    Ok(exit::OK)
}

fn range(row: &Row) -> String {
    let (low, high) = row.range();
    match row.check {
        _ if !row.standing.is_static() => String::new(),
        Check::None if row.field.takes.is_empty() => "unchecked".to_owned(),
        Check::None => row.field.takes.to_owned(),
        _ => format!("[{}, {}]", hex(low), hex(high)),
    }
}

fn formula(row: &Row) -> String {
    if row.standing.is_static() { row.operation.to_string() } else { format!("({})", row.standing.word()) }
}

fn plain(target: &Target) -> String {
    let mut text = String::new();
    for row in target.architecture.rows() {
        let (formula, range) = (formula(row), range(row));
        let _ = writeln!(text, "{:4}  {:36} {formula:30} {range:38} {}", row.number, row.name, row.section);
    }
    text
}

/// The table of a target as a page of the documentation.
pub fn markdown(target: &Target) -> String {
    let rows = target.architecture.rows();
    let known = rows.iter().filter(|row| row.standing.is_static()).count();
    let mut text = format!(
        "# Relocations of {}\n\n{known} relocations that objects may hold, and {} that they may not, which are refused by name. Made from the \
         linker's table by\n`LINKRIG_UPDATE=1 cargo test -p harness --test program relocations`.\n\n\
         | number | name | formula | range of the value | multiple of | instructions | section of the ABI |\n|---|---|---|---|---|---|---|\n",
        target.architecture.name(),
        rows.len() - known,
    );
    for row in rows {
        let opcodes: Vec<&str> = row.field.opcodes.iter().map(|opcode| opcode.name).collect();
        let multiple = if row.multiple > 1 { row.multiple.to_string() } else { String::new() };
        let formula = formula(row).replace('|', "\\|");
        let (range, opcodes) = (range(row), opcodes.join(", "));
        let _ = writeln!(
            text,
            "| {} | {} | {formula} | {range} | {multiple} | {opcodes} | {} |",
            row.number, row.name, row.section
        );
    }
    text
}
