//! Flattened device trees: a property read, a node taken out.
//!
//! A tree is a header, a block of strings and a block of words that says "a node begins", "a property", "a node ends".
//! A node is taken out by writing NOP words over it, as the specification (chapter 5.4.1) has it: nothing moves, so no
//! offset and no size changes. The tree comes from an image and is not trusted: every step is checked.

/// Why bytes are no device tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DtbError {
    /// The first word is another.
    #[error("not a device tree: it does not begin with d0 0d fe ed")]
    Magic,
    /// A block that does not lie inside.
    #[error("its header names a {block} block beyond its end")]
    Header {
        /// structure or strings
        block: &'static str,
    },
    /// Something that is cut off.
    #[error("its structure is cut off at offset {offset:#x}")]
    CutOff {
        /// Where, from the start of the file.
        offset: usize,
    },
    /// A word that has no meaning.
    #[error("its structure has an unknown token {token:#x} at offset {offset:#x}")]
    Token {
        /// The word.
        token: u32,
        /// Where, from the start of the file.
        offset: usize,
    },
    /// A node that ends before it begins.
    #[error("its nodes are not nested: one ends at offset {offset:#x} that has not begun")]
    Nesting {
        /// Where, from the start of the file.
        offset: usize,
    },
}

const MAGIC: u32 = 0xd00d_feed;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// A word of the structure with what belongs to it.
enum Token<'data> {
    Begin(&'data [u8]),
    End,
    Property { name: &'data [u8], value: &'data [u8] },
}

/// Walks over the structure.
struct Walker<'data> {
    data: &'data [u8],
    strings: &'data [u8],
    /// The end of the structure.
    end: usize,
    at: usize,
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

impl<'data> Walker<'data> {
    fn new(data: &'data [u8]) -> Result<Self, DtbError> {
        if word(data, 0) != Some(MAGIC) {
            return Err(DtbError::Magic);
        }
        let block = |block, offset_at, size_at| {
            let range = word(data, offset_at).zip(word(data, size_at)).and_then(|(offset, size)| {
                let (offset, size) = (offset as usize, size as usize);
                data.get(offset..offset.checked_add(size)?)?;
                Some(offset..offset + size)
            });
            range.ok_or(DtbError::Header { block })
        };
        let structure = block("structure", 8, 36)?;
        let strings = &data[block("strings", 12, 32)?];
        Ok(Self { data, strings, end: structure.end, at: structure.start })
    }

    /// So many bytes, and on to the next word.
    fn take(&mut self, length: usize) -> Result<&'data [u8], DtbError> {
        let cut_off = DtbError::CutOff { offset: self.at };
        let stop = self.at.checked_add(length).filter(|stop| *stop <= self.end).ok_or(cut_off)?;
        let taken = self.data.get(self.at..stop).ok_or(cut_off)?;
        self.at = stop.checked_next_multiple_of(4).ok_or(cut_off)?;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, DtbError> {
        let cut_off = DtbError::CutOff { offset: self.at };
        word(self.take(4)?, 0).ok_or(cut_off)
    }

    /// The next token and where it begins; nothing at the end.
    fn next(&mut self) -> Result<Option<(usize, Token<'data>)>, DtbError> {
        loop {
            let offset = self.at;
            let token = match self.word()? {
                NOP => continue,
                END => return Ok(None),
                END_NODE => Token::End,
                BEGIN_NODE => {
                    let rest = self.data.get(self.at..self.end).unwrap_or_default();
                    let length = rest.iter().position(|byte| *byte == 0).ok_or(DtbError::CutOff { offset })?;
                    Token::Begin(&self.take(length + 1)?[..length])
                }
                PROPERTY => {
                    let (length, name) = (self.word()? as usize, self.word()? as usize);
                    let name = self.strings.get(name..).ok_or(DtbError::CutOff { offset })?;
                    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                    Token::Property { name, value: self.take(length)? }
                }
                token => return Err(DtbError::Token { token, offset }),
            };
            return Ok(Some((offset, token)));
        }
    }
}

/// Follows a path through the nodes of a walk.
struct Path<'path> {
    names: Vec<&'path [u8]>,
    depth: usize,
    /// How many nodes from the root on, in one line down, are on the path.
    matched: usize,
}

impl<'path> Path<'path> {
    /// `/` is the root, whose own name is empty.
    fn new(path: &'path str) -> Self {
        let inner = path.split('/').filter(|name| !name.is_empty()).map(str::as_bytes);
        Self { names: std::iter::once(&b""[..]).chain(inner).collect(), depth: 0, matched: 0 }
    }

    /// Whether the node that begins here is the one.
    fn begin(&mut self, name: &[u8]) -> bool {
        if self.matched == self.depth && self.names.get(self.depth).is_some_and(|wanted| *wanted == name) {
            self.matched += 1;
        }
        self.depth += 1;
        self.inside()
    }

    /// Whether the walk is in the node, and not in one below it.
    fn inside(&self) -> bool {
        self.matched == self.depth && self.depth == self.names.len()
    }

    fn end(&mut self, offset: usize) -> Result<(), DtbError> {
        self.depth = self.depth.checked_sub(1).ok_or(DtbError::Nesting { offset })?;
        self.matched = self.matched.min(self.depth);
        Ok(())
    }
}

/// A property's bytes: `property(dtb, "/", "compatible")`. Nothing if there is no such node or property.
pub fn property<'data>(dtb: &'data [u8], path: &str, name: &str) -> Result<Option<&'data [u8]>, DtbError> {
    let mut walker = Walker::new(dtb)?;
    let mut path = Path::new(path);
    while let Some((offset, token)) = walker.next()? {
        match token {
            Token::Begin(name) => drop(path.begin(name)),
            Token::End => path.end(offset)?,
            Token::Property { name: found, value } if path.inside() && found == name.as_bytes() => {
                return Ok(Some(value));
            }
            Token::Property { .. } => {}
        }
    }
    Ok(None)
}

/// A property that holds strings.
pub fn strings(dtb: &[u8], path: &str, name: &str) -> Result<Vec<String>, DtbError> {
    let value = property(dtb, path, name)?.unwrap_or_default();
    let strings = value.split(|byte| *byte == 0).filter(|string| !string.is_empty());
    Ok(strings.map(|string| String::from_utf8_lossy(string).into_owned()).collect())
}

/// Takes a node out, with all below it. Returns whether it was there.
///
/// On raspi3b the mainline tree has `/soc/serial@7e201000/bluetooth`, and Linux then keeps that UART for itself:
/// /dev/ttyAMA0 does not appear.
pub fn remove_node(dtb: &mut [u8], path: &str) -> Result<bool, DtbError> {
    let Some(range) = find_node(dtb, path)? else { return Ok(false) };
    for word in dtb[range].chunks_exact_mut(4) {
        word.copy_from_slice(&NOP.to_be_bytes());
    }
    Ok(true)
}

/// From a node's first word to behind its last.
fn find_node(dtb: &[u8], path: &str) -> Result<Option<std::ops::Range<usize>>, DtbError> {
    let mut walker = Walker::new(dtb)?;
    let mut path = Path::new(path);
    let mut start = None;
    while let Some((offset, token)) = walker.next()? {
        match token {
            Token::Begin(name) => {
                if path.begin(name) && start.is_none() {
                    start = Some(offset);
                }
            }
            Token::End => {
                let done = path.inside();
                path.end(offset)?;
                if let Some(start) = start.filter(|_| done) {
                    return Ok(Some(start..walker.at));
                }
            }
            Token::Property { .. } => {}
        }
    }
    Ok(None)
}
