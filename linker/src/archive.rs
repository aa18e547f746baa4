//! Static archives: members are pulled when they define what is missing.
//!
//! All archives of a link form one group: an undefined symbol takes the first member, in the order of the archives, that
//! defines it, until nothing is missing or nobody has it. Weak references pull nothing (AAELF32, Weak References). A common
//! symbol pulls the first member that has a strong definition, as with lld, and for variables with GNU ld:
//! the value there counts, and not zero.
//!
//! An archive mostly has a table of what its members define. One without, and one of which the caller gives the members,
//! is asked member by member. A *thin* archive holds names of files in place of members: the linker reads no files, so the
//! caller does ([`thin_members`], [`crate::Parsed::add_members`]).

use object::read::archive::ArchiveFile;

use crate::error::{Error, Result, Site, text};
use crate::format::Defined;
use crate::formats;
use crate::hash::{NameMap, NameSet};
use crate::names::Key;
use crate::target::Target;

/// A member of an archive whose bytes are known: its name and its content.
pub type Member<'data> = (&'data [u8], &'data [u8]);

/// An archive of the link.
#[derive(Debug)]
pub(crate) struct Archive<'data> {
    pub(crate) file: &'data str,
    /// See [`crate::graph::Object::position`].
    pub(crate) position: u32,
    size: usize,
    content: Content<'data>,
}

#[derive(Debug)]
enum Content<'data> {
    /// With a table of symbols, so that nothing has to be looked at that nobody needs.
    Indexed(&'data [u8], ArchiveFile<'data>),
    /// All members, in order.
    Members(Vec<Member<'data>>),
}

/// A member that defines something: the offset of its header, or its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MemberId {
    pub(crate) archive: usize,
    offset: u64,
}

/// Which member defines which symbol.
#[derive(Debug, Default)]
pub(crate) struct Index<'data> {
    first: NameMap<Key<'data>, MemberId>,
    /// The members behind the first one, in order.
    more: NameMap<Key<'data>, Vec<MemberId>>,
}

impl<'data> Index<'data> {
    /// The first member that defines this name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<MemberId> {
        self.first.get(&Key::of(name).0).copied()
    }

    /// All members that define this name, in order.
    pub(crate) fn all(&self, name: &[u8]) -> Vec<MemberId> {
        let key = Key::of(name).0;
        self.first.get(&key).into_iter().chain(self.more.get(&key).into_iter().flatten()).copied().collect()
    }

    fn add(&mut self, name: &'data [u8], member: MemberId) {
        let (key, version) = Key::of(name);
        for key in [Some(key), version].into_iter().flatten() {
            if *self.first.entry(key).or_insert(member) != member {
                self.more.entry(key).or_default().push(member);
            }
        }
    }
}

/// Whether a file starts like an archive, thin ones included.
pub fn is_archive(data: &[u8]) -> bool {
    data.starts_with(&object::archive::MAGIC) || is_thin(data)
}

/// Whether a file starts like a thin archive.
pub fn is_thin(data: &[u8]) -> bool {
    data.starts_with(&object::archive::THIN_MAGIC)
}

fn malformed(file: &str, problem: String) -> Error {
    Error::Malformed { site: Box::new(Site { file: file.to_owned(), ..Site::default() }), problem }
}

impl<'data> Archive<'data> {
    pub(crate) fn parse(file: &'data str, position: u32, data: &'data [u8]) -> Result<Self> {
        let wrong = |error: object::Error| malformed(file, format!("archive: {error}"));
        let parsed = ArchiveFile::parse(data).map_err(wrong)?;
        if parsed.is_thin() {
            let problem = "the archive is thin: it names files, which whoever calls the linker has to read";
            return Err(malformed(file, problem.to_owned()));
        }
        let table = parsed.symbols().map_err(|error| malformed(file, format!("archive symbol table: {error}")))?;
        let content = if table.is_some_and(|mut symbols| symbols.next().is_some()) {
            Content::Indexed(data, parsed)
        } else {
            Content::Members(every_member(&parsed, data).map_err(wrong)?)
        };
        Ok(Archive { file, position, size: data.len(), content })
    }

    /// An archive of these members.
    pub(crate) fn of(file: &'data str, position: u32, members: Vec<Member<'data>>) -> Self {
        let size = members.iter().map(|member| member.1.len()).sum();
        Archive { file, position, size, content: Content::Members(members) }
    }

    /// Adds what the members define to `index`.
    pub(crate) fn index(&self, target: &Target, archive: usize, index: &mut Index<'data>) -> Result<()> {
        match &self.content {
            Content::Indexed(_, parsed) => {
                let wrong = |error: object::Error| malformed(self.file, format!("archive symbol table: {error}"));
                for symbol in parsed.symbols().map_err(wrong)?.into_iter().flatten() {
                    let symbol = symbol.map_err(wrong)?;
                    index.add(symbol.name(), MemberId { archive, offset: symbol.offset().0 });
                }
            }
            Content::Members(members) => {
                for (number, (_, data)) in members.iter().enumerate() {
                    // What is no object defines nothing: archives may hold anything.
                    let Some(format) = formats::of(data) else { continue };
                    let member = MemberId { archive, offset: number as u64 };
                    (format.defines)(target, data, &mut |name, _| index.add(name, member));
                }
            }
        }
        Ok(())
    }

    /// Bytes of the whole file.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Every member, in order.
    pub(crate) fn members(&self) -> Result<Vec<Member<'data>>> {
        match &self.content {
            Content::Indexed(data, parsed) => {
                every_member(parsed, data).map_err(|error| malformed(self.file, format!("archive: {error}")))
            }
            Content::Members(members) => Ok(members.clone()),
        }
    }

    /// Name and content of a member.
    pub(crate) fn member(&self, id: MemberId) -> Result<Member<'data>> {
        let wrong = |error: object::Error| malformed(self.file, format!("archive member at {:#x}: {error}", id.offset));
        let (name, data) = match &self.content {
            Content::Indexed(file, parsed) => {
                let member = parsed.member(object::read::archive::ArchiveOffset(id.offset)).map_err(wrong)?;
                (member.name(), member.data(*file).map_err(wrong)?)
            }
            Content::Members(members) => *members.get(id.offset as usize).unwrap_or(&(b"", b"")),
        };
        if data.is_empty() {
            return Err(malformed(self.file, format!("archive member {} is empty", text(name))));
        }
        Ok((name, data))
    }
}

/// What a member defines for good.
pub(crate) fn strong<'data>(target: &Target, data: &'data [u8]) -> NameSet<Key<'data>> {
    let mut names = NameSet::default();
    if let Some(format) = formats::of(data) {
        (format.defines)(target, data, &mut |name, how| {
            if how == Defined::Strong {
                names.insert(Key::of(name).0);
            }
        });
    }
    names
}

fn every_member<'data>(parsed: &ArchiveFile<'data>, data: &'data [u8]) -> object::Result<Vec<Member<'data>>> {
    let member = |member: object::Result<object::read::archive::ArchiveMember<'data>>| {
        let member = member?;
        Ok((member.name(), member.data(data)?))
    };
    parsed.members().map(member).collect()
}

/// A member that a thin archive names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinMember {
    /// The file, relative to the directory that the archive is in.
    pub path: Vec<u8>,
    /// Offset of the member's header, in bytes, when the file is an archive itself of which one member is meant.
    pub nested: Option<u64>,
    /// Bytes of the member, when it was put in.
    pub size: u64,
}

/// Bytes of a member's header (GNU `ar`, as in System V): name 16, date 12, owner 6, group 6, mode 8, size 10, end 2.
const HEADER: usize = 60;

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim_end().parse().ok()
}

/// The files that a thin archive names, in order. `None` where it is cut short or is none.
pub fn thin_members(data: &[u8]) -> Option<Vec<ThinMember>> {
    let mut names: &[u8] = &[];
    let mut members = Vec::new();
    let mut rest = is_thin(data).then(|| &data[object::archive::THIN_MAGIC.len()..])?;
    while rest.len() > 1 {
        let (header, behind) = rest.split_at_checked(HEADER)?;
        let (name, size) = (header[..16].trim_ascii_end(), number(&header[48..58])?);
        if &header[58..] != b"`\n" {
            return None;
        }
        // Of members, only these tables are in the archive itself.
        let held = match name {
            b"/" | b"/SYM64/" | b"//" => usize::try_from(size).ok()?,
            _ => 0,
        };
        let content = behind.get(..held)?;
        rest = behind.get(held.checked_next_multiple_of(2)?..).unwrap_or_default();
        match name {
            b"/" | b"/SYM64/" => {}
            b"//" => names = content,
            [b'/', digits @ ..] => {
                let mut parts = digits.splitn(2, |&c| c == b':');
                let at = usize::try_from(number(parts.next()?)?).ok()?;
                let nested = parts.next().map(number).map_or(Some(None), |n| n.map(Some))?;
                let long = names.get(at..)?;
                let end = long.iter().position(|&c| c == b'\n').unwrap_or(long.len());
                let path = long[..end].strip_suffix(b"/").unwrap_or(&long[..end]).to_vec();
                members.push(ThinMember { path, nested, size });
            }
            name => {
                let path = name.strip_suffix(b"/").unwrap_or(name).to_vec();
                members.push(ThinMember { path, nested: None, size });
            }
        }
    }
    Some(members)
}
