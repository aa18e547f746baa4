//! Our linker as a subject: it gets the object and the addresses as anybody does.

use linker::layout::At;
use linker::platform::{Meaning, Platform};
use linker::{Error, Layout, Options, Parsed, Roots, Target};

use super::data::{ErrorKind, Vector};
use super::subject::Answer;
use crate::proof::memory::Anywhere;

/// Links the object of a vector.
pub fn answer(target: &'static Target, vector: &Vector, object: &[u8]) -> Answer {
    match link(target, vector, object) {
        Ok(answer) => answer,
        Err(error) => {
            let kind = match &error {
                Error::OutOfRange(_) => Some(ErrorKind::OutOfRange),
                Error::Misaligned(_) => Some(ErrorKind::Misaligned),
                Error::State { .. } => Some(ErrorKind::State),
                // It stands for none of the ABI's.
                _ => return Answer::Refused(None, error.to_string()),
            };
            Answer::Refused(kind, error.to_string())
        }
    }
}

fn link(target: &'static Target, vector: &Vector, object: &[u8]) -> linker::Result<Answer> {
    const FILE: &str = "vector.o";
    let memory = &mut Anywhere;
    // The ABI leaves these two to platforms: vectors have Linux's choice.
    let platform = Platform { target1: Some(Meaning::Absolute), target2: Some(Meaning::GotRelative) };
    let mut parsed = Parsed::new(target, Options { platform, ..Options::unrelaxed() });
    parsed.add(FILE, object)?;
    let at = |(name, address): (&String, &String)| {
        let file = if name.starts_with('.') && name != ".got" { FILE } else { "linker" };
        Some(At { file: file.into(), section: name.as_str().into(), address: super::data::number(address)? as u64 })
    };
    let layout = Layout::At(vector.sections.iter().filter_map(at).collect());
    let mut fixed = parsed.prune(Roots::All)?.reserve(memory, &layout)?.resolve(memory, |_| None)?.fix(memory)?;
    let graph = fixed.graph();
    let place = graph.blocks.iter().find(|(_, block)| block.live && graph.sections[block.section].name == b".place");
    let Some((_, block)) = place else { return Ok(Answer::Refused(None, "the place is not in the link".to_owned())) };
    let veneer = block.edge_ids().any(|edge| graph.stubs.iter().any(|made| made.edge == edge));
    let (segment, address) = (block.segment as usize, block.address);
    let start = address.wrapping_sub(fixed.plan().segments[segment].address) + vector.offset;
    let bytes = fixed.content(segment).get(start as usize..start as usize + vector.before.len() / 2);
    Ok(bytes.map_or_else(
        || Answer::Refused(None, "the place is not in its segment".to_owned()),
        |bytes| if veneer { Answer::Veneer(bytes.to_vec()) } else { Answer::Bytes(bytes.to_vec()) },
    ))
}
