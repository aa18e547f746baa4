//! The note that identifies what was linked (`--build-id`): equal content, equal note.

use linker::Target;
use linker::graph::LinkGraph;
use sha2::{Digest, Sha256};

use crate::executor::image::ImageFile;

/// The section of the note.
pub(super) const SECTION: &str = ".note.gnu.build-id";

/// Bytes before the identification: three words and the owner.
const HEADER: u64 = 16;

/// How content is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildId {
    /// Not at all.
    None,
    /// By so many bytes of a digest of what is loaded. The names of GNU ld's styles say how many; the digest is SHA-256.
    Digest(usize),
    /// By these bytes.
    Bytes(Vec<u8>),
}

impl std::str::FromStr for BuildId {
    type Err = String;

    fn from_str(style: &str) -> Result<BuildId, String> {
        match style {
            "none" => Ok(BuildId::None),
            "sha1" | "tree" => Ok(BuildId::Digest(20)),
            "md5" => Ok(BuildId::Digest(16)),
            "fast" => Ok(BuildId::Digest(8)),
            _ => {
                let wrong = || format!("`{style}` is no style of --build-id, expected sha1, md5, fast, 0xHEX or none");
                let hex: Vec<u8> =
                    style.strip_prefix("0x").ok_or_else(wrong)?.bytes().filter(|c| *c != b'-' && *c != b':').collect();
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                let bytes: Option<Vec<u8>> = hex.chunks(2).map(|pair| byte(pair).filter(|_| pair.len() == 2)).collect();
                bytes.filter(|bytes| !bytes.is_empty()).map(BuildId::Bytes).ok_or_else(wrong)
            }
        }
    }
}

/// A piece of the note.
pub(super) enum Field {
    Word(u32),
    Bytes(Vec<u8>),
}

impl Field {
    pub(super) fn bytes(&self, target: &Target) -> Vec<u8> {
        match self {
            Field::Word(word) => target.bytes((*word).into(), 4),
            Field::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// NT_GNU_BUILD_ID
const TYPE: u32 = 3;

impl BuildId {
    /// The note with room for the identification, unless there is to be none.
    pub(super) fn note(&self) -> Option<Vec<Field>> {
        let size = match self {
            BuildId::None => return None,
            BuildId::Digest(size) => *size,
            BuildId::Bytes(bytes) => bytes.len(),
        };
        let owner = Field::Bytes(b"GNU\0".to_vec());
        let room = Field::Bytes(vec![0; size.next_multiple_of(4)]);
        Some(vec![Field::Word(4), Field::Word(size as u32), Field::Word(TYPE), owner, room])
    }

    /// Puts the identification into the note at `address`.
    pub(super) fn fill(&self, file: &mut ImageFile, address: u64) {
        let bytes = match self {
            BuildId::None => return,
            BuildId::Bytes(bytes) => bytes.clone(),
            BuildId::Digest(size) => {
                let mut digest = Sha256::new();
                for (at, content) in file.segments() {
                    digest.update(at.to_le_bytes());
                    digest.update(content);
                }
                digest.finalize()[..*size].to_vec()
            }
        };
        if let Some(place) = file.at_mut(address.wrapping_add(HEADER), bytes.len()) {
            place.copy_from_slice(&bytes);
        }
    }
}

/// Where the note is.
pub(super) fn place(graph: &LinkGraph<'_>) -> Option<u64> {
    let (_, section) =
        graph.sections.iter().find(|(_, section)| section.is_made() && section.name == SECTION.as_bytes())?;
    section.block_ids().next().map(|block| graph.blocks[block].address)
}
