//! `harness toolchains`: which compilers there are.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use corpus::toolchain::Toolchains;
use linker::TARGETS;

use crate::executor::{Executor, Unicorn};
use crate::{exit, inputs};

/// Options of `toolchains`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// List the functions and variables that programs find without a library, instead: the harness has them
    #[arg(long)]
    pub host_functions: bool,
    /// Those of this target
    #[arg(long, value_name = "A", requires = "host_functions")]
    pub arch: Option<String>,
}

/// Names that programs find here, and the targets where they do; a line each, behind those of all targets.
fn host_functions(arch: Option<&str>) -> anyhow::Result<u8> {
    let targets = match arch {
        Some(name) => vec![inputs::target(name)?],
        None => TARGETS.iter().collect(),
    };
    let mut known: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for target in &targets {
        for name in Unicorn::new(target)?.host().names() {
            known.entry(name.to_owned()).or_default().push(target.name);
        }
    }
    for (name, on) in &known {
        match on.len() == targets.len() {
            true => outln!("{name}"),
            false => outln!("{name:26} {}", on.join(" ")),
        }
    }
    Ok(exit::OK)
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if args.host_functions {
        return host_functions(args.arch.as_deref());
    }
    let toolchains = Toolchains::discover();
    for toolchain in &toolchains.found {
        outln!("{:8} {:9} {}", toolchain.id.to_string(), toolchain.target, toolchain.cc.path.display());
        outln!("{:18} {}", "", toolchain.cc.version);
        for missing in [toolchain.cxx.as_ref().err(), toolchain.ld.as_ref().err()].into_iter().flatten() {
            outln!("{:18} {missing}", "");
        }
    }
    for (missing, targets) in toolchains.all_missing() {
        outln!("missing: {} for {}: apt-get install {}", missing.what, targets.join(", "), missing.package);
    }
    Ok(if toolchains.found.is_empty() { exit::MISSING } else { exit::OK })
}
