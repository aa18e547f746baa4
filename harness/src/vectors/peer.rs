//! GNU ld and lld as subjects: they get the object, and a script with the addresses.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use linker::Target;
use object::{Object as _, ObjectSection as _};
use outside::{Limits, Scratch};

use super::data::{ErrorKind, Kind, Vector};
use super::subject::Answer;
use crate::oracle::Peer;

/// What one link may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), text: 64 << 10, file: 1 << 32, memory: None };

/// Words of linkers for the ABI's reasons, as they are in GNU ld 2.40 and lld 19. GNU ld's "relocation truncated to fit" is for
/// either.
const WORDS: &[(&str, ErrorKind)] = &[
    ("is not in [", ErrorKind::OutOfRange),
    ("out of range", ErrorKind::OutOfRange),
    ("out-of-range", ErrorKind::OutOfRange),
    ("overflow", ErrorKind::OutOfRange),
    ("improper alignment", ErrorKind::Misaligned),
    ("misaligned", ErrorKind::Misaligned),
    ("is not aligned", ErrorKind::Misaligned),
    ("unaligned", ErrorKind::Misaligned),
];

/// Why a peer is not asked about a vector.
fn excused(peer: Peer, vector: &Vector) -> Option<&'static str> {
    if ["GOT", "G", "FUNCDESC"].iter().any(|term| vector.terms.contains_key(*term)) {
        return Some(
            "its table has other entries than the vector's: `coverage --differ` follows the field to the entry",
        );
    }
    if peer == Peer::Ld && vector.kind == Kind::Rela {
        return Some("it reads no addends of ARM in records");
    }
    if vector.terms.contains_key("B") {
        return Some("the base is its own");
    }
    None
}

/// Links the object of a vector with a peer.
pub fn answer(peer: Peer, program: &Path, target: &Target, vector: &Vector, object: &[u8]) -> anyhow::Result<Answer> {
    if let Some(reason) = excused(peer, vector) {
        return Ok(Answer::NotAsked(reason));
    }
    let directory = Scratch::new()?;
    std::fs::write(directory.path().join("vector.o"), object)?;
    std::fs::write(directory.path().join("script"), script(vector))?;
    let mut command = Command::new(program);
    command.current_dir(directory.path()).args(["-static", "--no-relax", "--no-check-sections", "-e", "0"]);
    if target.register_bits == 32 {
        command.args(["--target1-abs", "--target2=got-rel"]);
    }
    command.args(peer.flags(target)).args(["-T", "script", "-o", "out", "vector.o"]);
    if let Err(error) = corpus::build::run_within(command, LIMITS) {
        return Ok(refusal(&error.to_string()));
    }
    let data = std::fs::read(directory.path().join("out"))?;
    let image = object::File::parse(&*data)?;
    let (p, size) = (super::data::number(&vector.p).unwrap_or(0) as u64, vector.before.len() / 2);
    let bytes = image.section_by_name(".place").and_then(|place| place.data_range(p, size as u64).ok().flatten());
    let Some(bytes) = bytes else { return Ok(Answer::Refused(None, "the place is not in the image".to_owned())) };
    // Room for a veneer behind the place is there for nothing else.
    let room = image.section_by_name(".place").map_or(0, |place| place.size());
    let others = image
        .sections()
        .any(|section| section.name().is_ok_and(|name| name.starts_with(".text")) && section.size() > 0);
    let is_whole = room == 2 * vector.offset + size as u64 && !others;
    Ok(if is_whole { Answer::Bytes(bytes.to_vec()) } else { Answer::Veneer(bytes.to_vec()) })
}

/// A peer's words, and what they mean.
fn refusal(words: &str) -> Answer {
    let lines = || words.lines().skip(1).filter(|line| !line.contains("warning"));
    let known = lines().find_map(|line| {
        let (_, kind) = WORDS.iter().find(|(word, _)| line.contains(word))?;
        Some((Some(*kind), line))
    });
    let other = || lines().find(|line| line.contains("error") || line.contains(": ")).or_else(|| lines().next());
    let (kind, line) = known.or_else(|| Some((None, other()?))).unwrap_or((None, words));
    let line = line.split_once("vector.o").map_or(line, |(_, rest)| rest);
    Answer::Refused(kind, line.trim_start_matches([':', ' ']).to_owned())
}

/// Each section has a segment of its own, so that what is far apart in memory is not in the file. There is no thread-local image
/// where nothing is about one.
fn script(vector: &Vector) -> String {
    let is_thread_local = vector.symbol.kind == "thread-local";
    let wanted = vector.sections.iter().filter(|(name, _)| is_thread_local || *name != ".tdata");
    let (mut headers, mut sections) = (String::new(), String::new());
    for (number, (name, address)) in wanted.enumerate() {
        let (output, input) = if name.starts_with('.') { (&**name, &**name) } else { (".common", "COMMON") };
        let image = if name == ".tdata" { " :image" } else { "" };
        headers.push_str(&format!("  segment{number} PT_LOAD;\n"));
        sections.push_str(&format!("  {output} {address} : {{ *({input}) }} :segment{number}{image}\n"));
    }
    let (image, unwanted) = if is_thread_local { ("  image PT_TLS;\n", "") } else { ("", " *(.tdata)") };
    format!(
        "PHDRS\n{{\n{headers}{image}}}\nSECTIONS\n{{\n{sections}  /DISCARD/ : {{ *(.comment) *(.note*) *(.ARM.attributes){unwanted} }}\n}}\n"
    )
}
