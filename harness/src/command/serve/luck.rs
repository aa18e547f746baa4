//! The words by which somebody chooses where a controller's memory is.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::budget;
use crate::epc::place::Policy;

/// Sizes that a page may be said to have.
const PAGES: std::ops::RangeInclusive<u64> = 0x1000..=0x1_0000;

/// Where memory is, or how that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// There.
    Policy(Policy),
    /// At random, by a seed that is drawn and printed.
    Random,
    /// At growing distances, until the controller fails.
    Sweep,
}

impl FromStr for Luck {
    type Err = String;

    fn from_str(text: &str) -> Result<Luck, String> {
        match text {
            "random" => Ok(Luck::Random),
            "sweep" => Ok(Luck::Sweep),
            _ => text
                .parse()
                .map(Luck::Policy)
                .map_err(|why: String| if why.starts_with("expected") { format!("{why}, or sweep") } else { why }),
        }
    }
}

impl std::fmt::Display for Luck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Luck::Policy(place) => place.fmt(f),
            Luck::Random => f.write_str("random"),
            Luck::Sweep => f.write_str("sweep"),
        }
    }
}

/// Draws a seed, and says which.
pub(super) fn draw() -> Policy {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Short enough to be typed: nobody needs more than a billion.
    let place = Policy::Random(u64::from(now.subsec_nanos()));
    note!("reservations are placed by {place}: LINKRIG_PLACE={place} or --place {place} does the same again");
    place
}

/// Reads the size of a page.
pub(super) fn page_size(text: &str) -> Result<u64, String> {
    let wrong = || "expected 4K, 16K, 64K or another power of two between".to_owned();
    let bytes = budget::bytes(text).map_err(|_| wrong())?;
    if bytes.is_power_of_two() && PAGES.contains(&bytes) { Ok(bytes) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_luck() {
        for text in ["random", "sweep", "near", "random:3", "distance:0x10000"] {
            assert_eq!(text.parse::<Luck>().map(|luck| luck.to_string()).as_deref(), Ok(text));
        }
        let wrong = "bad".parse::<Luck>().expect_err("no such place");
        assert!(wrong.starts_with("expected near, far") && wrong.ends_with(", or sweep"), "{wrong}");
        assert_eq!((page_size("16K"), page_size("4096")), (Ok(0x4000), Ok(0x1000)));
        for text in ["0", "1K", "5000", "128K", "64M", "x"] {
            assert!(page_size(text).is_err(), "{text}");
        }
    }
}
