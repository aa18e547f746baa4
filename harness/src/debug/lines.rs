//! Source lines by address, for files whose debug information has been read.

use std::collections::HashMap;
use std::path::Path;

use addr2line::{Context, LookupContinuation as _, LookupResult};

use super::dwarf::{Bytes, Sections};
use super::split;
use crate::inputs;
use crate::linked::{Linked, Piece};
use crate::linking::Input;
use crate::messages;

/// A function that is inlined at a place, or the one that the place is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) function: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

/// What one file says.
struct Known {
    /// Its name, or that of the archive that it is in.
    file: String,
    sections: Sections,
    context: Option<Context<Bytes>>,
}

impl Known {
    /// The functions at an address, those inlined first, and what would have told more.
    fn lines(&self, address: u64) -> (Vec<Line>, Vec<String>) {
        let (mut lines, mut lacks) = (Vec::new(), Vec::new());
        let Some(context) = &self.context else { return (lines, lacks) };
        let mut found = context.find_frames(address);
        let found = loop {
            found = match found {
                LookupResult::Output(frames) => break frames,
                LookupResult::Load { load, continuation } => {
                    let split = split::load(&load, Path::new(&self.file)).map_err(|missing| lacks.push(missing));
                    continuation.resume(split.ok())
                }
            };
        };
        let Ok(mut frames) = found else { return (lines, lacks) };
        while let Ok(Some(frame)) = frames.next() {
            let function = frame.function.as_ref().and_then(|function| function.raw_name().ok());
            lines.push(Line {
                function: function.map(|name| messages::demangle(&name).unwrap_or_else(|| name.into_owned())),
                file: frame.location.as_ref().and_then(|location| location.file).map(str::to_owned),
                line: frame.location.as_ref().and_then(|location| location.line),
            });
        }
        (lines, lacks)
    }
}

/// What the files of a link say of its addresses, read when an address of theirs is asked for.
pub(super) struct Lines<'l, 'data> {
    linked: &'l Linked<'data>,
    files: &'l [Input],
    /// How far an executable was moved from the addresses that it says.
    bias: u64,
    /// By file and member.
    known: HashMap<(String, Option<Vec<u8>>), Option<Known>>,
    /// What would have told more, and is not to be had.
    pub(super) lacks: Vec<String>,
}

impl<'l, 'data> Lines<'l, 'data> {
    pub(super) fn new(linked: &'l Linked<'data>, files: &'l [Input], bias: u64) -> Lines<'l, 'data> {
        Lines { linked, files, bias, known: HashMap::new(), lacks: Vec::new() }
    }

    /// The functions at an address, those inlined first.
    pub(super) fn at(&mut self, address: u64) -> Vec<Line> {
        let said = address.wrapping_sub(self.bias);
        let (lines, lacks) = self.known(address).map(|known| known.lines(said)).unwrap_or_default();
        self.lacks.extend(lacks);
        lines
    }

    /// The call-frame records of the file that the code at an address is from, and the bytes of an address in them.
    pub(super) fn frames(&mut self, address: u64) -> Option<(Bytes, u8)> {
        let sections = &self.known(address)?.sections;
        Some((sections.get(".debug_frame"), sections.address_size))
    }

    fn known(&mut self, address: u64) -> Option<&Known> {
        let (linked, files) = (self.linked, self.files);
        let piece = linked.piece_at(address);
        let key = match piece {
            Some(piece) => (piece.object.file.to_owned(), piece.object.member.map(<[u8]>::to_vec)),
            // Nobody says which objects it was: the debug information is in the program itself.
            None if linked.pieces.is_empty() => (files.first()?.name.clone(), None),
            None => return None,
        };
        let name = key.0.clone();
        let read = || {
            let data = match piece {
                Some(piece) => object_of(files, piece)?,
                None => &files.first()?.data,
            };
            let places = piece.map(|piece| places(linked, piece)).unwrap_or_default();
            let sections = Sections::read(data, &|section, offset| place(&places, section, offset))?;
            let context = sections.dwarf().ok().and_then(|dwarf| Context::from_dwarf(dwarf).ok());
            Some(Known { file: name, sections, context })
        };
        self.known.entry(key).or_insert_with(read).as_ref()
    }
}

/// The bytes of the object that a piece is from.
fn object_of<'l>(files: &'l [Input], piece: &Piece<'_>) -> Option<&'l [u8]> {
    let file = files.iter().find(|file| file.name == piece.object.file)?;
    match piece.object.member {
        None => Some(&file.data),
        Some(member) => {
            let members = inputs::members(file)?;
            members.into_iter().find(|(name, _)| name.as_bytes() == member).map(|(_, data)| data)
        }
    }
}

/// Where the sections of one object are: by number, the offset, size and address of each part, in order.
type Places = HashMap<u32, Vec<(u64, u64, u64)>>;

/// Those of the object that a piece is from.
fn places(linked: &Linked<'_>, of: &Piece<'_>) -> Places {
    let mut places = Places::new();
    let is_same = |piece: &&Piece<'_>| piece.object.file == of.object.file && piece.object.member == of.object.member;
    for piece in linked.pieces.iter().filter(is_same) {
        places.entry(piece.number).or_default().push((piece.offset, piece.size, piece.address));
    }
    places.values_mut().for_each(|parts| parts.sort_unstable());
    places
}

/// Where a place in a section is. The end of a section is behind its last byte.
fn place(places: &Places, section: u32, offset: u64) -> Option<u64> {
    let parts = places.get(&section)?;
    let behind = parts.partition_point(|part| part.0 <= offset);
    let (start, size, address) = *parts[..behind].last()?;
    (offset - start <= size).then(|| address.wrapping_add(offset - start))
}
