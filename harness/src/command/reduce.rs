//! `harness reduce`: the smallest input of a link that still fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args as ClapArgs;
use outside::{Limits, Scratch};

use crate::exit::{self, BadInput, BadOutput, Usage};
use crate::inputs;
use crate::messages::quoted;
use crate::reduce::{self, Part};

/// Bytes of what a predicate says that are looked at, and that it may write to a file.
const SAID: u64 = 1 << 16;
const WRITTEN: u64 = 1 << 30;

/// Options of `reduce`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Files and members of archives are dropped, then sections, relocations, symbols, words and the ends of sections, as long as it still fails. \
Objects are written anew, in directories that go afterwards; what is left is in --output.

A predicate is a command of a shell, run with the files in a directory of its own: {} stands for their names, which are put behind it where it has none. \
It is true while it ends with status 0. --fails is true while `harness exec FILES WORDS` ends with the status, and says the \
first thing but for its numbers, that it does at the beginning.

Files are objects, archives and sources, the .o and .s files of gcc -save-temps, and what lld --reproduce and mold --repro write. \
In those, the files are taken in the order of the command line that they have, and its other words are shown.

EXAMPLES:
  harness reduce --predicate 'ld.lld {} -o out 2>&1 | grep -q \"out of range\"' a.o b.o libc.a
  harness reduce --predicate '! aarch64-linux-gnu-ld {} -o out' repro.tar
  harness reduce --fails main.o sum.o -- --entry sum --arg 3

EXIT STATUS:
  0    it is in --output
  2    the command line is wrong
  4    it does not fail
  65   a file cannot be read or compiled, or is damaged")]
pub struct Args {
    /// Objects, archives, sources, or a tar file of lld or mold
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// A command that ends with status 0 as long as it fails
    #[arg(long, value_name = "CMD", required_unless_present = "fails", conflicts_with = "fails")]
    pub predicate: Option<String>,
    /// It fails as long as `harness exec` ends as it does now
    #[arg(long)]
    pub fails: bool,
    /// The directory for what is left
    #[arg(short, long, value_name = "DIR", default_value = "reduced")]
    pub output: PathBuf,
    /// Seconds that the predicate may take each time: one that takes longer is false
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub timeout: f64,
    /// How often the predicate is asked at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub limit: usize,
    /// Target, for sources
    #[arg(long, value_name = "A")]
    pub arch: Option<String>,
    /// Words for `harness exec`, with --fails
    #[arg(last = true, value_name = "WORDS")]
    pub words: Vec<String>,
}

/// How a predicate ended: its status, and the first thing that it said.
type Ended = (Option<i32>, String);

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if args.predicate.is_some() && !args.words.is_empty() {
        return Err(Usage("words behind -- are for harness exec, with --fails".to_owned()).into());
    }
    outside::signals::listen(outside::signals::First::Ends)?;
    let (parts, words) = reduce::read(files(args)?)?;
    if !words.is_empty() {
        note!("note: the link had these words, too: {}", words.join(" "));
    }
    for part in &parts {
        let written = args.output.join(part.archive.as_ref().unwrap_or(&part.name));
        outside::apart(&written, args.files.iter().map(String::as_str))?;
    }
    let is_new = !args.output.exists();
    std::fs::create_dir_all(&args.output).map_err(|error| unwritten(&args.output, &error))?;
    let run = |parts: &[Part]| -> anyhow::Result<Ended> {
        let scratch = Scratch::new()?;
        let names = write(parts, scratch.path())?;
        ask(args, &names, scratch.path())
    };
    let first = run(&parts)?;
    // These are of the program that is asked, and not of what it was given.
    const OF_THE_HARNESS: [u8; 5] =
        [exit::USAGE, exit::BAD_INPUT, exit::MISSING, exit::HARNESS_FAILED, exit::BAD_OUTPUT];
    if let Some(status) = OF_THE_HARNESS.into_iter().find(|status| args.fails && first.0 == Some((*status).into())) {
        note!("error: harness exec does not get as far as to a failure: {}", first.1);
        return Ok(status);
    }
    let fails = |ended: &Ended| if args.fails { *ended == first } else { ended.0 == Some(0) };
    let is_failure = if args.fails { first.0 != Some(0) } else { fails(&first) };
    if !is_failure {
        if is_new {
            // It was made to see whether it can be written, and nothing is in it.
            let _ = std::fs::remove_dir(&args.output);
        }
        note!(
            "error: it does not fail{}, so there is nothing to reduce",
            if first.1.is_empty() { String::new() } else { format!(" ({})", first.1) }
        );
        return Ok(exit::NOTHING_SELECTED);
    }
    let bar = super::counter();
    let mut problem = None;
    let reduced = reduce::reduce(parts.clone(), args.limit, &mut |parts| {
        bar.inc(1);
        // A link without files is another failure.
        if parts.is_empty() || outside::stop::requested() || problem.is_some() {
            return false;
        }
        match run(parts) {
            Ok(ended) => fails(&ended),
            Err(error) => {
                problem = Some(error);
                false
            }
        }
    });
    let asked = bar.position();
    bar.finish_and_clear();
    // What was found is kept, whatever ended it.
    let names = write(&reduced, &args.output)?;
    if let Some(error) = problem.filter(|_| !outside::stop::requested()) {
        return Err(error);
    }
    let size = |parts: &[Part]| parts.iter().map(|part| part.bytes.len()).sum::<usize>();
    outln!(
        "{} files and members with {} bytes, of {} with {}, after {asked} runs",
        reduced.len(),
        size(&reduced),
        parts.len(),
        size(&parts)
    );
    for part in &reduced {
        let name = part.archive.as_ref().map_or(part.name.clone(), |archive| format!("{archive}({})", part.name));
        match reduce::counts(&part.bytes) {
            Some([sections, symbols, relocations]) => {
                outln!("  {name}: {sections} sections, {symbols} symbols, {relocations} relocations")
            }
            None => outln!("  {name}: {} bytes", part.bytes.len()),
        }
    }
    let shown: Vec<String> =
        names.iter().map(|name| quoted(&args.output.join(&name[2..]).display().to_string())).collect();
    outln!("{}", shown.join(" "));
    Ok(exit::OK)
}

/// The files, sources compiled.
fn files(args: &Args) -> anyhow::Result<Vec<crate::linking::Input>> {
    let mut files = Vec::new();
    for path in &args.files {
        let is_source = corpus::build::is_source(Path::new(path));
        if is_source {
            let Some(arch) = &args.arch else {
                return Err(Usage(format!(
                    "{path} is a source, which does not tell what it is for: say it with --arch"
                ))
                .into());
            };
            let one = inputs::Args::of_file(Path::new(path), inputs::target(arch)?, &[]);
            let mut read = inputs::read(&one)?.files;
            // What is written for others is an object.
            read.iter_mut().for_each(|file| file.name += ".o");
            files.extend(read);
        } else {
            files.push(inputs::open(path)?);
        }
    }
    Ok(files)
}

/// Writes the files of a link into a directory. Their names, in order.
fn write(parts: &[Part], directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let name = part.archive.as_ref().unwrap_or(&part.name);
        // Never an option, nor a file of words.
        let word = format!("./{name}");
        if names.contains(&word) {
            continue;
        }
        if ["", ".", ".."].contains(&name.as_str()) {
            return Err(BadInput(format!("`{name}` is no name of a file")).into());
        }
        let path = directory.join(name);
        let bytes = match &part.archive {
            None => part.bytes.clone(),
            Some(archive) => {
                let members = parts.iter().filter(|member| member.archive.as_ref() == Some(archive));
                let members: Vec<(String, Vec<u8>)> =
                    members.map(|member| (member.name.clone(), member.bytes.clone())).collect();
                corpus::build::write_archive(&members)
            }
        };
        std::fs::write(&path, bytes).map_err(|error| unwritten(&path, &error))?;
        names.push(word);
    }
    Ok(names)
}

fn unwritten(path: &Path, error: &std::io::Error) -> BadOutput {
    BadOutput(format!("{}: {error}", path.display()))
}

/// Runs the predicate on files in a directory. Out of time it has no status.
fn ask(args: &Args, names: &[String], directory: &Path) -> anyhow::Result<Ended> {
    let mut command = match &args.predicate {
        Some(predicate) => {
            let words: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            let words = words.join(" ");
            let line =
                if predicate.contains("{}") { predicate.replace("{}", &words) } else { format!("{predicate} {words}") };
            let mut command = Command::new("sh");
            command.args(["-c", &line]);
            command
        }
        None => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("exec").args(names).args(&args.words).env("NO_COLOR", "1");
            command
        }
    };
    command.current_dir(directory);
    let time =
        Duration::try_from_secs_f64(args.timeout).map_err(|_| Usage("--timeout: expected seconds".to_owned()))?;
    let limits = Limits { time, text: SAID, file: WRITTEN, memory: None };
    match outside::run(command, &limits) {
        Ok(ended) => {
            use std::os::unix::process::ExitStatusExt as _;
            let status = ended.status.code().or(ended.status.signal().map(|signal| 128 + signal));
            Ok((status, first_words(&ended.stderr)))
        }
        Err(outside::ChildError::OutOfTime { .. }) => Ok((None, "out of time".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// The first line of what was said, without its numbers: addresses are not the same in a smaller program.
fn first_words(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().next().unwrap_or_default();
    let mut words = String::new();
    let mut last = ' ';
    for letter in line.split(", in ").next().unwrap_or_default().chars() {
        let number = last.is_ascii_digit() || last == '#';
        match letter {
            '0'..='9' => {
                if !number {
                    words.push('#');
                }
            }
            'a'..='f' | 'x' if number => {}
            other => words.push(other),
        }
        last = if matches!(letter, 'a'..='f' | 'x') && number { '#' } else { letter };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::first_words;

    #[test]
    fn numbers_are_no_difference() {
        let one = first_words(b"main: write fault at 0x40002c, address 0x10, in deep+0x2c\n  #0");
        assert_eq!(one, "main: write fault at #, address #");
        assert_eq!(one, first_words(b"main: write fault at 0x1234, address 0xffe0, in other"));
        assert_ne!(one, first_words(b"main: read fault at 0x1234, address 0xffe0, in other"));
        assert_eq!(first_words(b""), "");
    }
}
