//! Which relocated field makes a program go wrong: of two images of the same objects at the same addresses, one of which ends as it should.
//!
//! Both are run in step (`step`), and where they first part is one answer. The other is found by mixing: the suspect's image gets
//! fields of the reference's until it ends as that does, and then as few of them as that takes ([`guilty`]). Nothing is believed of either linker.

mod run;
mod step;

use crate::check::{self, Field};
use crate::exit::BadInput;
use crate::linking::Input;
use crate::shrink;

pub use self::run::{Course, End, How, Runner};
pub use self::step::{Parting, part};

/// Programs that are run at most while fields are mixed.
const MOST: usize = 2000;

/// A field that is not the same in both images.
#[derive(Clone, Debug)]
pub struct Differing {
    /// The relocation, as it is in the suspect's image.
    pub field: Field,
    /// Its bytes there, and in the reference's.
    pub bytes: (Vec<u8>, Vec<u8>),
    /// Whether the ABI allows it in both, as where a linker chose another way to the same place.
    pub lawful: bool,
}

/// The fields of two images.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// How many there are at the same address in both.
    pub together: usize,
    /// How many are elsewhere in the other, or nowhere.
    pub apart: usize,
    /// The first that is elsewhere: which one, and where it is in the one and in the other.
    pub elsewhere: Option<(String, u64, u64)>,
    /// Those that are not the same.
    pub differing: Vec<Differing>,
}

/// Compares the fields of two images of these objects.
///
/// # Errors
/// An image or an object is malformed.
pub fn compare(suspect: &Input, reference: &Input, inputs: &[Input]) -> Result<Fields, BadInput> {
    let (ours, theirs) = (check::fields(suspect, inputs)?, check::fields(reference, inputs)?);
    let mut fields = Fields::default();
    let (suspect, reference) = (Loads::of(suspect)?, Loads::of(reference)?);
    for field in ours {
        let other = theirs.binary_search_by(|other| other.site.key().cmp(&field.site.key())).ok().map(|at| &theirs[at]);
        if let Some(other) = other.filter(|other| other.site.p != field.site.p && fields.elsewhere.is_none()) {
            fields.elsewhere = Some((field.site.to_string(), field.site.p, other.site.p));
        }
        let Some(other) = other.filter(|other| other.site.p == field.site.p) else {
            fields.apart += 1;
            continue;
        };
        fields.together += 1;
        let size = field.size.max(1);
        let (Some(first), Some(second)) = (suspect.bytes(field.site.p, size), reference.bytes(field.site.p, size))
        else {
            continue;
        };
        if first != second {
            let (lawful, bytes) = (field.is_lawful() && other.is_lawful(), (first.to_vec(), second.to_vec()));
            fields.differing.push(Differing { field, bytes, lawful });
        }
    }
    Ok(fields)
}

/// The fields that have to be those of the reference for the suspect's image to end as the reference's does; as few as were found.
/// None: it does not do so with all of them.
///
/// # Errors
/// The suspect's image is malformed.
pub fn guilty(
    suspect: &Input,
    differing: Vec<Differing>,
    ends_well: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<Option<Vec<Differing>>, BadInput> {
    let loads = Loads::of(suspect)?;
    let mut cures = |fields: &[Differing]| {
        let mut mixed = suspect.data.to_vec();
        for differing in fields {
            let bytes = &differing.bytes.1;
            if let Some(at) = loads.offset(differing.field.site.p, bytes.len()) {
                mixed[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        ends_well(&mixed)
    };
    // What the ABI allows in both is left out: it may lead to tables that are only in one of them.
    let (suspects, lawful): (Vec<_>, Vec<_>) = differing.into_iter().partition(|differing| !differing.lawful);
    let all: Vec<Differing> = suspects.iter().chain(&lawful).cloned().collect();
    for candidates in [suspects, all] {
        if !candidates.is_empty() && cures(&candidates) {
            return Ok(Some(shrink::smallest(candidates, MOST, &mut cures)));
        }
    }
    Ok(None)
}

/// What a file has in memory: addresses, and where their bytes are.
struct Loads<'a> {
    data: &'a [u8],
    parts: Vec<(u64, u64, u64)>,
}

impl<'a> Loads<'a> {
    fn of(image: &'a Input) -> Result<Loads<'a>, BadInput> {
        use object::{Object as _, ObjectSegment as _};
        let file = object::File::parse(&*image.data).map_err(|error| BadInput(format!("{}: {error}", image.name)))?;
        let parts = file.segments().map(|segment| {
            let (offset, size) = segment.file_range();
            (segment.address(), offset, size)
        });
        Ok(Loads { data: &image.data, parts: parts.collect() })
    }

    /// Where so many bytes are in the file.
    fn offset(&self, address: u64, size: usize) -> Option<usize> {
        let holds = |&&(start, _, length): &&(u64, u64, u64)| {
            address.checked_sub(start).is_some_and(|distance| distance.saturating_add(size as u64) <= length)
        };
        let &(start, offset, _) = self.parts.iter().find(holds)?;
        let at = usize::try_from(offset.checked_add(address - start)?).ok()?;
        self.data.get(at..at.checked_add(size)?).map(|_| at)
    }

    fn bytes(&self, address: u64, size: usize) -> Option<&'a [u8]> {
        let at = self.offset(address, size)?;
        self.data.get(at..at + size)
    }
}

/// Why a program cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The machine failed.
    #[error("{0}")]
    Machine(String),
    /// There is no such function.
    #[error("{image}: there is no function {name}")]
    Entry {
        /// The image.
        image: String,
        /// The function.
        name: String,
    },
    /// The image cannot be loaded.
    #[error("{0}")]
    Load(#[from] crate::linked::LoadError),
}
