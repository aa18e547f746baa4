//! The command lines that a failure is to be had again with.

use crate::messages::quoted;
use reports::model::{Failure, Record, Status};

use super::Args;

/// What the lines of judges begin with: the program as a developer of the rig starts it.
const JUDGED: &str = "cargo run -p harness -- ";

/// Writes into the lines of a failure all that its configuration came from: what it ran on, the corpus, the compilers, the layout.
pub(super) fn complete(record: &mut Record, args: &Args) {
    let mut options = args.suite.words() + &args.machine.words() + &args.linker.words();
    if let Some(corpus) = &args.corpus {
        options += &format!("--corpus {} ", quoted(&corpus.display().to_string()));
    }
    if args.rebuild {
        options += "--rebuild ";
    }
    if !args.layout.is_empty() && !record.layout.is_empty() {
        options += &format!("--layout {} ", quoted(&record.layout));
    }
    if args.strict {
        options += "--strict ";
    }
    let (program, name) = (program(), record.name.clone());
    let Some(failure) = &mut record.failure else { return };
    if failure.reproduce.is_empty() {
        failure.reproduce = format!("{JUDGED}--exact {name}");
    }
    for line in [Some(&mut failure.reproduce), failure.bless.as_mut()].into_iter().flatten() {
        if let Some(rest) = line.strip_prefix(JUDGED) {
            *line = format!("{program}{options}{}", rest.replacen(&name, &quoted(&name), 1));
        }
    }
}

/// Has a skip be a failure.
pub(super) fn be_strict(record: &mut Record) {
    if record.status == Status::Skipped {
        record.status = Status::Failed;
        let problem = format!("skipped: {}", record.reason.clone().unwrap_or_default());
        record.failure = Some(Failure { problems: vec![problem], ..Failure::default() });
    }
}

/// The program as it was started: by cargo, or as it is installed.
fn program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return JUDGED.to_owned();
    }
    std::env::args().next().map_or_else(|| "harness ".to_owned(), |program| quoted(&program) + " ")
}
