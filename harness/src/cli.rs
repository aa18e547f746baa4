//! The command line: what it looks like, and which command does what.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use outside::stop;

use crate::{command, exit, messages, response, stdout};

/// Links relocatable objects for CPUs you do not have, runs them on an emulated one, and judges the result.
///
/// Without a subcommand it runs the corpus: every case, build and layout, or those whose names match FILTER.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
EXAMPLES:
  harness                                     run the whole corpus on the embedded emulator
  harness aarch64/got                         only what has this in its name
  harness --subject lld branches              the same cases through another linker
  harness --subject loader:mine.toml branches the same cases through a loader that runs as the guest
  harness run --suite gcc.c-torture/execute --flags=-O2   a folder of programs instead of the corpus
  harness exec sum.c --arch aarch64 --entry sum --arg 1 --arg 2
  harness R_AARCH64_CALL26 --fail-fast        what holds this relocation, up to the first failure
  harness explain foo.o .text+0x1c            one relocation, with its numbers put in
  harness explain foo.o R_ARM_CALL main       those of this name, and those in or against a symbol
  harness link @list.rsp -o image             words from a file, in every command

EXIT STATUS: 0 all as expected, 2 usage, 4 nothing selected, 65 bad input, 69 an executor or toolchain
is missing, 70 the harness itself failed, 74 an output cannot be written, 75 nothing failed
but machines were lost, 100 failures, 130 interrupted.
`exec` ends with the guest's status, 124 out of budget, 125 not linked, or no room for it, 128+n for a fault."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: command::run::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the corpus (the default)
    Run(Box<command::run::Args>),
    /// Link any objects, archives or sources, run them, and print what they return
    Exec(Box<command::exec::Args>),
    /// Link any objects and write the image as an ELF file
    Link(command::link::Args),
    /// Link a static program by GNU ld's options, as compiler drivers call it; also under the name `ld`
    #[command(disable_help_flag = true)]
    Ld {
        /// GNU ld's options and files (`--help` lists them)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Show each relocation of an object: formula with its numbers, bytes before and after, disassembly.
    ///
    /// Words behind the first that name no file say which relocations are wanted, any of them: SECTION (.text, .text*),
    /// SECTION+OFFSET (.text+0x1c), SYMBOL or SYMBOL+OFFSET, a relocation (R_ARM_CALL), or a place as messages write it
    /// (a.o(.text+0x1c)). Fields that cannot be filled are marked BAD, the others are shown all the same, and the status is 100.
    Explain(command::explain::Args),
    /// Link any objects with GNU ld and lld too, at the same addresses, and compare every relocated field
    Diff(command::diff::Args),
    /// Find the sections of objects in an image that any linker wrote, and judge every relocated field by the ABI
    Check(command::check::Args),
    /// Say which relocated field makes a program fail, by another linker's image of the same objects
    Blame(Box<command::blame::Args>),
    /// Find the smallest objects that still make a link or a program fail
    Reduce(command::reduce::Args),
    /// Compare two reports: what regressed, was fixed, is new, gone or slower, and which relocations the regressions have in common
    Compare(command::compare::Args),
    /// Have all linkers that are installed link the corpus, and print relocation by linker: passed, failed, refused, and why
    Subjects(command::subjects::Args),
    /// Prove every relocation of the ABI by links at chosen addresses, and print what is covered
    Coverage(command::coverage::Args),
    /// Make programs that know their own result, have several linkers link them, and compare what they return
    Fuzz(command::fuzz::Args),
    /// Be an executor of LLVM ORC's protocol, for llvm-jitlink to link for and run on
    Serve(command::serve::Args),
    /// Show the link graph of an object, as text or JSON
    Graph(command::graph::Args),
    /// Boot a board from a disk image, and run a shell or a program of yours on it
    Board(command::board::Args),
    /// Look into a disk image in the style of the Raspberry Pi
    Image(command::image::Args),
    /// List the compilers that were found, and what is missing; or what programs find without a library
    Toolchains(command::toolchains::Args),
    /// Write relocation vectors: for each relocation of the ABI small objects with S, A, P and the bytes before and after, for other people's unit tests
    Vectors(command::vectors::Args),
    /// Print the relocations that the linker knows
    Relocations(command::relocations::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let words = match response::expand(words(std::env::args_os())) {
        Ok(words) => words,
        Err(error) => {
            return ExitCode::from(conclude(Err(error)));
        }
    };
    let text = |words: &[OsString]| words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
    if words.first().is_some_and(|program| command::ld::is_linker(&program.to_string_lossy())) {
        return command::ld::main(&text(&words[1..]));
    }
    // Its options are not of the kind that the others have.
    if words.get(1).is_some_and(|command| command == "ld") {
        return command::ld::main(&text(&words[2..]));
    }
    let cli = Cli::parse_from(words);
    // A board's terminal has to be put back first, and what a command has done may be worth writing.
    let own = matches!(
        cli.command,
        None | Some(
            Command::Run(_)
                | Command::Subjects(_)
                | Command::Fuzz(_)
                | Command::Coverage(_)
                | Command::Diff(_)
                | Command::Reduce(_)
                | Command::Board(_)
        )
    );
    if !own && let Err(error) = outside::signals::listen(outside::signals::First::Exits) {
        note!("warning: signals are not met: {error}");
    }
    let result = match cli.command {
        None => match misspelt(&cli.run.filters) {
            Some((word, command)) => {
                note!("`{word}` is close to the subcommand `{command}`. Did you mean that?");
                note!("To use it as a filter: harness run {word}");
                return ExitCode::from(exit::USAGE);
            }
            None => command::run::main(&cli.run),
        },
        Some(Command::Run(args)) => command::run::main(&args),
        Some(Command::Exec(args)) => command::exec::main(&args),
        Some(Command::Link(args)) => command::link::main(&args),
        Some(Command::Ld { words }) => return command::ld::main(&words),
        Some(Command::Explain(args)) => command::explain::main(&args),
        Some(Command::Diff(args)) => command::diff::main(&args),
        Some(Command::Check(args)) => command::check::main(&args),
        Some(Command::Coverage(args)) => command::coverage::main(&args),
        Some(Command::Blame(args)) => command::blame::main(&args),
        Some(Command::Reduce(args)) => command::reduce::main(&args),
        Some(Command::Compare(args)) => command::compare::main(&args),
        Some(Command::Subjects(args)) => command::subjects::main(&args),
        Some(Command::Fuzz(args)) => command::fuzz::main(&args),
        Some(Command::Graph(args)) => command::graph::main(&args),
        Some(Command::Serve(args)) => command::serve::main(&args),
        Some(Command::Board(args)) => command::board::main(&args),
        Some(Command::Image(args)) => command::image::main(&args),
        Some(Command::Toolchains(args)) => command::toolchains::main(&args),
        Some(Command::Vectors(args)) => command::vectors::main(&args),
        Some(Command::Relocations(args)) => command::relocations::main(&args),
    };
    ExitCode::from(conclude(result))
}

/// The exit status of the program, whose command has ended like this.
fn conclude(result: anyhow::Result<u8>) -> u8 {
    let status = result.unwrap_or_else(|error| {
        // What a program is told to stop in the midst of is no fault of anybody's.
        if !stop::requested() {
            messages::error(&messages::chain(&error));
        }
        exit::status(&error)
    });
    stdout::finish(status)
}

/// The words of the command line. llvm-jitlink starts an executor with where it is itself as the only word.
fn words(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.collect();
    if words.get(1).is_some_and(|word| command::serve::Connection::is_meant(&word.to_string_lossy())) {
        words.insert(1, "serve".into());
    }
    separate(&mut words);
    words
}

/// Tools that start programs by way of us put their arguments right behind them, whatever these look like: what `exec --run` is
/// given gets the separator that others write.
fn separate(words: &mut Vec<OsString>) {
    if words.get(1).is_none_or(|command| command != "exec") {
        return;
    }
    let ours = words.iter().take_while(|word| *word != "--");
    let run = ours.enumerate().find(|(_, word)| *word == "--run").map(|(number, _)| number);
    if let Some(run) = run.filter(|run| run + 2 < words.len()) {
        words.insert(run + 2, "--".into());
    }
}

/// A first filter that is nearly a subcommand.
fn misspelt(filters: &[String]) -> Option<(&str, String)> {
    let word = filters.first()?;
    let near =
        |command: &String| word != command && strsim::damerau_levenshtein(word, command) <= 1.max(command.len() / 4);
    let commands = Cli::command();
    let mut names = commands.get_subcommands().map(|command| command.get_name().to_owned());
    names.find(|name| near(name)).map(|command| (word.as_str(), command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_run_has_its_words_as_they_are() {
        let separated = |text: &str| {
            let mut words = text.split(' ').map(OsString::from).collect();
            separate(&mut words);
            words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        for (given, expected) in [
            ("harness exec --run ./a --list -- --run x", "harness exec --run ./a -- --list -- --run x"),
            ("harness exec --timeout 5 --run ./a", "harness exec --timeout 5 --run ./a"),
            ("harness exec ./a -- --run b c", "harness exec ./a -- --run b c"),
            ("harness run --run a b", "harness run --run a b"),
        ] {
            assert_eq!(separated(given), expected);
        }
    }

    #[test]
    fn subcommands_are_asked_back() {
        for (given, meant) in [("exce", "exec"), ("blmae", "blame"), ("reducee", "reduce")] {
            assert_eq!(misspelt(&[given.to_owned()]), Some((given, meant.to_owned())));
        }
        assert_eq!(misspelt(&["got".to_owned()]), None);
    }
}
