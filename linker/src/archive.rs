//! Static archives: members are pulled when they define what is missing.
//!
//! All archives of a link form one group: an undefined symbol takes the first member, in the order of the archives, that
//! defines it, until nothing is missing or nobody has it. Weak references pull nothing (AAELF32, Weak References).

use object::read::archive::ArchiveFile;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result, Site, text};

/// An archive of the link.
#[derive(Debug)]
pub(crate) struct Archive<'data> {
    pub(crate) file: &'data str,
    /// See [`crate::graph::Object::position`].
    pub(crate) position: u32,
    data: &'data [u8],
    parsed: ArchiveFile<'data>,
}

/// A member that defines something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberId {
    pub(crate) archive: usize,
    offset: u64,
}

/// Which member defines which symbol.
pub(crate) type Index<'data> = FxHashMap<&'data [u8], MemberId>;

/// A file that starts like an archive.
pub(crate) fn matches(data: &[u8]) -> bool {
    data.starts_with(&object::archive::MAGIC) || data.starts_with(&object::archive::THIN_MAGIC)
}

fn malformed(file: &str, problem: String) -> Error {
    Error::Malformed { site: Box::new(Site { file: file.to_owned(), ..Site::default() }), problem }
}

impl<'data> Archive<'data> {
    pub(crate) fn parse(file: &'data str, position: u32, data: &'data [u8]) -> Result<Self> {
        let parsed = ArchiveFile::parse(data).map_err(|error| malformed(file, format!("archive: {error}")))?;
        if parsed.is_thin() {
            return Err(malformed(file, "thin archive, expected one that holds its members".to_owned()));
        }
        Ok(Archive { file, position, data, parsed })
    }

    /// Adds what the archive's symbol table says to `index`; what is there already stays.
    pub(crate) fn index(&self, archive: usize, index: &mut Index<'data>) -> Result<()> {
        let wrong = |error: object::Error| malformed(self.file, format!("archive symbol table: {error}"));
        let Some(symbols) = self.parsed.symbols().map_err(wrong)? else {
            return match self.parsed.members().next() {
                None => Ok(()),
                Some(_) => {
                    Err(malformed(self.file, "the archive has no symbol table, expected one (run ranlib)".into()))
                }
            };
        };
        for symbol in symbols {
            let symbol = symbol.map_err(wrong)?;
            index.entry(symbol.name()).or_insert(MemberId { archive, offset: symbol.offset().0 });
        }
        Ok(())
    }

    /// Bytes of the whole file.
    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// Name and content of every member, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = Result<(&'data [u8], &'data [u8])>> + '_ {
        self.parsed.members().map(|member| {
            let wrong = |error: object::Error| malformed(self.file, format!("archive: {error}"));
            let member = member.map_err(wrong)?;
            Ok((member.name(), member.data(self.data).map_err(wrong)?))
        })
    }

    /// Name and content of a member.
    pub(crate) fn member(&self, id: MemberId) -> Result<(&'data [u8], &'data [u8])> {
        let wrong = |error: object::Error| malformed(self.file, format!("archive member at {:#x}: {error}", id.offset));
        let member = self.parsed.member(object::read::archive::ArchiveOffset(id.offset)).map_err(wrong)?;
        let data = member.data(self.data).map_err(wrong)?;
        if data.is_empty() {
            return Err(malformed(self.file, format!("archive member {} is empty", text(member.name()))));
        }
        Ok((member.name(), data))
    }
}
