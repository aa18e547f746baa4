//! One link by a subject: its files in a directory of its own, its process within bounds, what it says by kind.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Result;
use outside::{ChildError, Limits, Scratch};

use super::description::{Description, Kind};
use super::template::Filling;
use super::words;
use crate::linking::Input;
use crate::oracle::name;

/// Bytes of what it says that are kept.
pub(super) const MOST_TEXT: u64 = 64 << 10;

/// Bytes of a file that it writes, and of one that is read: sections far apart make a large file with little in it.
pub(super) const MOST_FILE: u64 = 1 << 32;

/// Bytes of an image that is looked at.
const MOST_IMAGE: u64 = 256 << 20;

/// The names of the files in its directory.
const OUTPUT: &str = "out.elf";
const SCRIPT: &str = "layout.ld";
const DEFINITIONS: &str = "linkrig-host.o";

/// Why there is no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it comes to.
    pub kind: Kind,
    /// What it said, or what happened to it.
    pub text: String,
}

/// What one link is made of.
pub(super) struct Work<'a> {
    /// The objects and archives.
    pub files: &'a [Input],
    /// What comes from outside, as an object.
    pub definitions: &'a [u8],
    /// The linker script, where it takes one.
    pub script: &'a str,
    /// What else is put into its words.
    pub filling: Filling<'a>,
}

/// The names by which a subject sees files: their own where nothing in them means anything to a shell or a script.
pub(super) fn names(files: &[Input]) -> Vec<String> {
    let taken = |name: &str| [OUTPUT, SCRIPT, DEFINITIONS].contains(&name);
    let shown = |(number, file): (usize, &Input)| {
        let twice = files.iter().filter(|other| other.name == file.name).count() > 1;
        let plain = name::is_plain(file.name.as_bytes()) && !twice && !taken(&file.name);
        let ending = if linker::archive::is_archive(&file.data) { "a" } else { "o" };
        if plain { file.name.clone() } else { format!("input{number}.{ending}") }
    };
    files.iter().enumerate().map(shown).collect()
}

/// Links. The outer error is one of this machine.
pub(super) fn link(program: &Path, description: &Description, work: &Work<'_>) -> Result<Result<Vec<u8>, Refusal>> {
    let directory = Scratch::new()?;
    let at = |name: &str| directory.path().join(name);
    let names = names(work.files);
    for (name, file) in names.iter().zip(work.files) {
        std::fs::write(at(name), &*file.data)?;
    }
    std::fs::write(at(DEFINITIONS), work.definitions)?;
    std::fs::write(at(SCRIPT), work.script)?;
    let is_archive = |file: &&Input| linker::archive::is_archive(&file.data);
    let archives = work.files.iter().filter(is_archive).count();
    let (objects, grouped): (Vec<_>, Vec<_>) =
        names.into_iter().zip(work.files).partition(|(_, file)| archives < 2 || !is_archive(file));
    let mut inputs: Vec<String> = objects.into_iter().map(|(name, _)| name).collect();
    if let (Some((open, close)), false) = (&description.group, grouped.is_empty()) {
        inputs.push(open.clone());
        inputs.extend(grouped.into_iter().map(|(name, _)| name));
        inputs.push(close.clone());
    } else {
        inputs.extend(grouped.into_iter().map(|(name, _)| name));
    }
    inputs.push(DEFINITIONS.to_owned());
    let filling = Filling { inputs, output: OUTPUT, script: Some(Path::new(SCRIPT)), ..work.filling.clone() };
    let mut command = Command::new(program);
    command.args(description.template().fill(&filling));
    run(command, description, directory.path())
}

/// Runs a linker in its directory. The image that it has written there, or why there is none.
fn run(mut command: Command, description: &Description, directory: &Path) -> Result<Result<Vec<u8>, Refusal>> {
    command.current_dir(directory).env("LC_ALL", "C").env("TMPDIR", directory);
    let limits = Limits {
        time: Duration::from_secs(description.seconds),
        text: MOST_TEXT,
        file: MOST_FILE,
        memory: Some(description.memory << 20),
    };
    let name = &description.name;
    let refused = |kind, text: String| Ok(Err(Refusal { kind, text }));
    let ended = match outside::run(command, &limits) {
        Ok(ended) => ended,
        Err(ChildError::OutOfTime { .. }) => {
            return refused(Kind::Budget, format!("{name} does not end within {} s", description.seconds));
        }
        Err(error) => return Err(error.into()),
    };
    let said = [&ended.stderr, &ended.stdout].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let said = if said[0].is_empty() { said[1].clone() } else { said[0].clone() };
    if let Some(signal) = signal(ended.status) {
        return refused(Kind::Crash, format!("{name} ended by {signal}{}", behind(&said)));
    }
    if !ended.status.success() {
        let kind = words::kind(&description.says, &said);
        let said = if said.is_empty() { format!("it said nothing ({})", ended.status) } else { said };
        return refused(kind, words::shortened(&said, directory));
    }
    // Whatever is there is untrusted: it may be no file, or longer than anybody wants to read.
    match outside::read(directory.join(OUTPUT), MOST_IMAGE) {
        Ok(image) => Ok(Ok(image)),
        Err(error) => refused(Kind::Other, format!("{name} wrote no image: {}", error.problem)),
    }
}

/// What whole programs are made of: objects in front, the program's own, libraries in one group, and objects behind.
pub(super) type Parts<'a> = (&'a [PathBuf], &'a [Input], &'a [PathBuf], &'a [PathBuf]);

/// The words around archives that need each other, where a description has none.
const GROUP: (&str, &str) = ("--start-group", "--end-group");

/// Links a static program that an operating system starts, wherever the linker likes. The outer error is one of this machine.
pub(super) fn link_program(
    program: &Path,
    description: &Description,
    (target, mode): (&[String], &[String]),
    (before, objects, libraries, behind): Parts<'_>,
    directory: &Path,
) -> Result<Result<Vec<u8>, Refusal>> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let mut inputs: Vec<String> = before.iter().map(text).collect();
    for (number, object) in objects.iter().enumerate() {
        let ending = if linker::archive::is_archive(&object.data) { "a" } else { "o" };
        let name = format!("object{number}.{ending}");
        std::fs::write(directory.join(&name), &*object.data)?;
        inputs.push(name);
    }
    let (open, close) = description.group.clone().unwrap_or((GROUP.0.to_owned(), GROUP.1.to_owned()));
    inputs.push(open);
    inputs.extend(libraries.iter().map(text));
    inputs.push(close);
    inputs.extend(behind.iter().map(text));
    let mut command = Command::new(program);
    if mode.is_empty() {
        // A command of the user's says itself what it makes.
        command.args(description.template().fill(&Filling { inputs, output: OUTPUT, target, ..Filling::default() }));
    } else {
        command.args(target).args(mode).args(["--eh-frame-hdr", "-o", OUTPUT]).args(inputs);
    }
    run(command, description, directory)
}

/// What a program may take to say its version.
const VERSION: Limits = Limits { time: Duration::from_secs(5), text: 4096, file: 1 << 20, memory: Some(4 << 30) };

/// The first line of what a program says of its version. It is untrusted here, too.
pub(super) fn version(program: &Path) -> Option<String> {
    let directory = Scratch::new().ok()?;
    let mut command = Command::new(program);
    command.arg("--version").env("LC_ALL", "C").current_dir(directory.path());
    let ended = outside::run(command, &VERSION).ok().filter(|ended| ended.status.success())?;
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    said.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

pub(super) fn behind(said: &str) -> String {
    said.lines().next().map_or(String::new(), |line| format!(", having said: {line}"))
}

/// The signal that ended a process, by its name.
pub(super) fn signal(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;
    let number = status.signal()?;
    let known = [
        (4, "SIGILL"),
        (5, "SIGTRAP"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
        (25, "SIGXFSZ (its output is longer than it may be)"),
    ];
    Some(known.iter().find(|known| known.0 == number).map_or(format!("signal {number}"), |known| known.1.to_owned()))
}
