//! Smaller inputs of a linker that still make it fail: fewer files and members, sections, symbols and relocations, and less in them.
//!
//! What a failure is, whoever calls [`reduce`] says. Each step drops runs of what there is, long ones first (`shrink`), as the
//! reducer of generated programs does.

mod files;
mod object;

use std::cell::Cell;

use crate::shrink;

pub use self::files::read;
pub use self::object::{Kept, counts};

/// A file of a link, or a member of an archive of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of the file, without directories; of a member, that of the member.
    pub name: String,
    /// The archive that it is a member of.
    pub archive: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Rounds over all objects: what one drops lets another drop more.
const ROUNDS: usize = 4;

/// The smallest input that was found of which `still` is true, as it is of this. `still` is asked at most `limit` times.
pub fn reduce(parts: Vec<Part>, limit: usize, still: &mut dyn FnMut(&[Part]) -> bool) -> Vec<Part> {
    let asked = Cell::new(0);
    let mut ask = |parts: &[Part]| {
        asked.set(asked.get() + 1);
        asked.get() <= limit && still(parts)
    };
    let mut best = shrink::smallest(parts, usize::MAX, &mut ask);
    for _ in 0..ROUNDS {
        let before = best.clone();
        for index in 0..best.len() {
            for kind in Kept::ALL {
                let base = best[index].bytes.clone();
                let with = |kept: &[usize]| {
                    if asked.get() >= limit {
                        return None;
                    }
                    let mut candidate = best.clone();
                    candidate[index].bytes = object::keep(&base, kind, kept)?;
                    Some(candidate)
                };
                let items = object::items(&base, kind);
                if items.is_empty() {
                    continue;
                }
                let kept = shrink::smallest(items, usize::MAX, |kept| with(kept).is_some_and(|parts| ask(&parts)));
                // Written anew without anything dropped it may not fail any more.
                if let Some(candidate) = with(&kept).filter(|candidate| *candidate != best)
                    && ask(&candidate)
                {
                    best = candidate;
                }
            }
        }
        best = shrink::smallest(best, usize::MAX, &mut ask);
        if best == before {
            break;
        }
    }
    best
}
