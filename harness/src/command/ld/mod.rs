//! `harness ld`, and the program under a name that ends in `ld`: GNU ld's spelling of the options for static programs, so that
//! compiler drivers can call it (`gcc -static -B DIR`).

use std::process::ExitCode;

use crate::linking::Timings;
use crate::{exit, messages, stdout};

mod command_line;
mod options;
mod search;

/// Whether the program was started under a linker's name: `ld`, `ld.lld`, `aarch64-linux-gnu-ld`.
pub fn is_linker(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    name == "ld" || name.ends_with("-ld") || name.starts_with("ld.")
}

/// Links as the arguments say.
pub fn main(arguments: &[String]) -> ExitCode {
    let _ = outside::signals::listen(outside::signals::First::Exits);
    let status = run(arguments).unwrap_or_else(|error| {
        note!("ld: error: {}", messages::chain(&error));
        exit::status(&error)
    });
    ExitCode::from(stdout::finish(status))
}

fn run(arguments: &[String]) -> anyhow::Result<u8> {
    let line = match command_line::parse(arguments) {
        Ok(line) => line,
        Err(problem) => {
            note!("ld: error: {problem}");
            return Ok(exit::USAGE);
        }
    };
    if line.help {
        stdout::print(&options::help());
        return Ok(exit::OK);
    }
    if line.version {
        outln!("Linkrig {} (compatible with the static options of GNU ld)", env!("CARGO_PKG_VERSION"));
        if line.inputs.is_empty() {
            return Ok(exit::OK);
        }
    }
    let request = search::request(line)?;
    request.run(&mut Timings::default())
}
