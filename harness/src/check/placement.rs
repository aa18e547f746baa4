//! Where each section of the objects is, and by what evidence.

/// What says where a section is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Who put it there says so.
    pub told: bool,
    /// The map file has it there.
    pub map: bool,
    /// A symbol of it is there, by its name.
    pub symbols: bool,
    /// The linker has kept its relocations there (`-q`, `--emit-relocs`).
    pub relocations: bool,
    /// Its bytes are there and nowhere else.
    pub content: bool,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Evidence { told, map, symbols, relocations, content } = *self;
        let said = [
            (told, "the loader"),
            (map, "the map"),
            (symbols, "symbols"),
            (relocations, "kept relocations"),
            (content, "bytes alone"),
        ];
        let said: Vec<&str> = said.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
        f.write_str(&said.join(", "))
    }
}

/// What became of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has no bytes, or is of an object that was not linked.
    Nothing,
    /// It is no part of the program: debug information, and what is for linkers.
    NotLoaded,
    /// All of it is at an address.
    At(u64, Evidence),
    /// Its pieces are at addresses of their own: start and end in the section, and the address.
    Pieces(Vec<(u64, u64, u64)>),
    /// Equal strings or constants of all objects are there once (SHF_MERGE).
    Merged,
    /// Another object has provided the same, or it is one with an equal one.
    Duplicate,
    /// The linker has dropped it, as nothing needs it.
    Gone,
    /// Nobody can say, for this reason.
    Unplaced(String),
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Placement {
    /// By object and section.
    pub(super) states: Vec<Vec<State>>,
    /// Whether an object is part of the image.
    pub(super) linked: Vec<bool>,
}

impl Placement {
    /// The address of a place in a section, if it is known.
    pub(super) fn address(&self, object: usize, section: usize, offset: u64) -> Option<u64> {
        match self.states[object].get(section)? {
            State::At(address, _) => Some(address.wrapping_add(offset)),
            State::Pieces(pieces) => {
                let behind = pieces.partition_point(|piece| piece.0 <= offset);
                let (start, end, address) = *pieces[..behind].last()?;
                (offset < end).then(|| address.wrapping_add(offset - start))
            }
            _ => None,
        }
    }
}
