//! `harness vectors`: relocation vectors as files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use linker::{TARGETS, Target};

use crate::oracle::Peer;
use crate::vectors::against::{Subject, try_all};
use crate::vectors::data::{File, Kind};
use crate::vectors::{Writer, make};
use crate::{exit, stdout};

/// A linker that can be tried on the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Our own linker.
    Linkrig,
    /// GNU ld.
    Ld,
    /// LLVM's lld.
    Lld,
}

/// Options of `vectors`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
DIR gets index.json, for each target TARGET.json, TARGET.txt (the same, a vector a line) and the objects in TARGET/, and
schema.json. The same program writes the same bytes. All values are the ABI's; the output is MIT or Apache-2.0.
vectors/ in the sources has checkers in C, Python and Rust to copy; docs/vectors.md says what is in a vector.")]
pub struct Args {
    /// The directory to write to; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Only the vectors of these targets; all, if none is named
    #[arg(long, value_name = "A", value_delimiter = ',')]
    pub arch: Vec<String>,
    /// Link the objects by these linkers, too, and print every vector of which they make something else: linkrig is our own, ld GNU ld
    #[arg(long, value_name = "LINKER,...", value_delimiter = ',', value_enum)]
    pub against: Vec<Name>,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let named = args.arch.iter().map(|name| crate::inputs::target(name));
    let mut targets: Vec<&'static Target> = named.collect::<anyhow::Result<_>>()?;
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    targets.sort_by_key(|target| target.name);
    targets.dedup_by_key(|target| target.name);
    let mut writer = Writer::new(&args.output)?;
    let mut open = 0;
    for target in targets {
        let made = make(target)?;
        writer.target(&made)?;
        stdout::print(&summary(&made.file, made.objects.len()));
        for name in &args.against {
            let (subject, words) = subject(*name, target)?;
            let bar = crate::command::progress(made.file.vectors.len());
            let tally = try_all(&subject, target, &made, &|| bar.inc(1))?;
            bar.finish_and_clear();
            stdout::print(&format!("  against {words}: {tally}"));
            open += tally.open();
        }
    }
    writer.finish()?;
    Ok(if open == 0 { exit::OK } else { exit::FAILURES })
}

/// A linker with what it says of its version.
fn subject(name: Name, target: &'static Target) -> anyhow::Result<(Subject, String)> {
    let peer = match name {
        Name::Linkrig => return Ok((Subject::Own, "linkrig".to_owned())),
        Name::Ld => Peer::Ld,
        Name::Lld => Peer::Lld,
    };
    let program = peer.find(target).map_err(|error| exit::Unavailable(format!("{error:#}")))?;
    let words = format!("{} ({})", peer.name(), Peer::version(&program));
    Ok((Subject::Peer(peer, program), words))
}

/// What there is of a target, by kind, and what is not.
fn summary(file: &File, objects: usize) -> String {
    let mut text = format!(
        "{}: {} vectors of {} relocations, {objects} objects, from {}\n ",
        file.target,
        file.vectors.len(),
        file.relocations.len(),
        file.abi.join(", ")
    );
    for kind in Kind::ALL {
        let _ = write!(text, " {} {}", kind.name(), file.counts.get(&kind).unwrap_or(&0));
    }
    text.push('\n');
    let mut reasons: BTreeMap<(Option<Kind>, &str), usize> = BTreeMap::new();
    for left_out in &file.left_out {
        *reasons.entry((left_out.kind, &left_out.reason)).or_insert(0) += 1;
    }
    for ((kind, reason), count) in reasons {
        let of = kind.map_or("no vectors".to_owned(), |kind| format!("no {}", kind.name()));
        let _ = writeln!(text, "  {of} of {count}: {reason}");
    }
    text
}
