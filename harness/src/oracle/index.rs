//! The index of unwinding tables (EHABI, Index table entries), which linkers sort and may shorten: compared by what it says
//! of the code at each address.

use std::collections::BTreeMap;

use super::output::Output;

/// EXIDX_CANTUNWIND
const CANNOT: u64 = 1;

/// Bytes of an entry.
const ENTRY: u64 = 8;

/// What an entry says of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unwinding {
    Impossible,
    /// By these instructions.
    Inline(u64),
    /// As a table says that is there.
    Table(u64),
}

/// The index of an output.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Where the entry is, and what it says.
    by_code: BTreeMap<u64, (u64, Unwinding)>,
    by_place: BTreeMap<u64, u64>,
}

impl Index {
    /// Reads what an output has.
    pub(crate) fn read(output: &Output<'_>) -> Index {
        let mut index = Index::default();
        for &(start, end) in &output.indexes {
            for place in (start..end).step_by(ENTRY as usize) {
                let (Some(code), Some(word)) = (output.word_at(place, 4), output.word_at(place + 4, 4)) else {
                    continue;
                };
                let unwinding = match word {
                    CANNOT => Unwinding::Impossible,
                    word if word >> 31 == 1 => Unwinding::Inline(word),
                    word => Unwinding::Table(distant(place + 4, word)),
                };
                index.by_code.insert(distant(place, code), (place, unwinding));
                index.by_place.insert(place, distant(place, code));
            }
        }
        index
    }

    /// Where the entry is that counts for the code at this address, and the code that it is for: its own, or that before it,
    /// whose entry goes on where a linker has dropped one that says the same.
    pub(crate) fn of_code(&self, code: u64) -> Option<(u64, u64)> {
        let (&begin, entry) = self.by_code.range(..=code).next_back()?;
        Some((entry.0, begin))
    }

    /// Whether what the entry at this address says is said by the peer, too. `Err` says what is not. None if there is none.
    pub(super) fn compare(&self, place: u64, theirs: &Index) -> Option<Result<(), String>> {
        let (&start, code) = self.by_place.range(..=place).next_back()?;
        if place - start >= ENTRY {
            return None;
        }
        let (_, ours) = self.by_code.get(code)?;
        // The last entry at or below an address is the one that counts.
        let found = theirs.by_code.range(..=code).next_back();
        Some(match found {
            Some((_, (_, theirs))) if theirs == ours => Ok(()),
            Some((at, (_, theirs))) => {
                Err(format!("of the code at {code:#x} its entry for {at:#x} says {theirs:x?}, not {ours:x?}"))
            }
            None => Err(format!("no entry for the code at {code:#x}")),
        })
    }
}

/// An address from a distance of 31 bits.
fn distant(place: u64, word: u64) -> u64 {
    let distance = ((word as u32) << 1) as i32 >> 1;
    u64::from((place as u32).wrapping_add_signed(distance))
}
