//! Where reservations of a controller are: the luck of an address space, chosen instead of met.
//!
//! A controller asks for room by size and has to live with what it gets. An operating system mostly gives it room beside what it
//! gave before, and once a month it does not. Each [`Policy`] is such a month.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::dice::Dice;

/// Bytes of address space that a process has on AArch64 at most, unless it asks for more.
const PROCESS: u64 = 1 << 48;

/// How far reservations stay from the ends of the room, and so from each other, when they go to both by turns.
const MARGIN: u64 = 1 << 20;

/// How often a place is drawn before there is none.
const DRAWS: usize = 100;

/// Where reservations go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Beside each other, at the lowest addresses there are.
    #[default]
    Near,
    /// In the middle of the largest gap: as far as can be from host functions and from all other reservations.
    Far,
    /// At a distance from the last one of which each power of two is as likely as any other, above or below it.
    Random(u64),
    /// Across a multiple of 2 GiB, each across one of its own: so across 2 GiB, 4 GiB and so on.
    Straddle,
    /// At the top of the address space, each below the last one.
    Top,
    /// By turns at the bottom and at the top, and never beside each other.
    Scatter,
    /// Where the last one was that was given back, if it fits there.
    Reuse,
    /// Each begins so many bytes behind the beginning of the last one, and the first one at least as far behind the host functions.
    Distance(u64),
}

/// The names of those that take no number.
const NAMES: &[(&str, Policy)] = &[
    ("near", Policy::Near),
    ("far", Policy::Far),
    ("straddle", Policy::Straddle),
    ("top", Policy::Top),
    ("scatter", Policy::Scatter),
    ("reuse", Policy::Reuse),
];

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Policy, String> {
        if let Some((_, place)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*place);
        }
        match text.split_once(':') {
            Some(("random", seed)) => {
                let seed = seed.parse().map_err(|_| format!("`{seed}` is not a seed, expected a number"))?;
                Ok(Policy::Random(seed))
            }
            Some(("distance", bytes)) => bytes_of(bytes).map(Policy::Distance),
            _ => {
                Err("expected near, far, random, random:SEED, straddle, top, scatter, reuse or distance:BYTES"
                    .to_owned())
            }
        }
    }
}

/// A number of bytes, in hexadecimal behind 0x.
fn bytes_of(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("`{text}` is not a distance, expected bytes, for instance 0x8000000"))
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::Random(seed) => write!(f, "random:{seed}"),
            Policy::Distance(bytes) => write!(f, "distance:{bytes:#x}"),
            place => f.write_str(NAMES.iter().find(|(_, known)| known == place).map_or("", |(name, _)| name)),
        }
    }
}

/// How a controller is given memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where reservations go.
    pub place: Policy,
    /// The size of a page that the controller is told, a power of two; that of the machine, if it is none or less.
    pub page_size: Option<u64>,
}

/// Where to look for room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Try {
    At(u64),
    Within(Range<u64>),
}

/// Chooses the place of one reservation after the other.
#[derive(Debug)]
pub(super) struct Placer {
    pub(super) place: Policy,
    /// Bytes in a page, as the controller knows it.
    pub(super) page: u64,
    dice: Dice,
    /// How many reservations there have been.
    count: u64,
    /// Where the last one is; at first, the host functions.
    last: Range<u64>,
    /// Those that were given back, in this order.
    released: Vec<Range<u64>>,
}

impl Placer {
    /// For a machine with host functions at these addresses.
    pub(super) fn new(place: Policy, page: u64, host: Range<u64>) -> Placer {
        let seed = if let Policy::Random(seed) = place { seed } else { 0 };
        Placer { place, page, dice: Dice::new(seed), count: 0, last: host, released: Vec::new() }
    }

    /// Where a reservation of so many bytes, whole pages, is to be, in the order to try: `gaps` are what is free, in the order in
    /// which the machine would use them.
    pub(super) fn tries(&mut self, size: u64, gaps: &[Range<u64>]) -> Vec<Try> {
        // What is above is no room that an operating system gives a process.
        let within = gaps.iter().map(|gap| gap.start.next_multiple_of(self.page)..gap.end.min(PROCESS));
        let fits = |gap: &Range<u64>| gap.start < gap.end && gap.end - gap.start >= size;
        let mut room: Vec<Range<u64>> = within.filter(fits).collect();
        room.sort_unstable_by_key(|gap| gap.start);
        let near = || gaps.iter().cloned().map(Try::Within);
        let at = |bases: Vec<u64>| bases.into_iter().map(Try::At).collect();
        match self.place {
            Policy::Near => near().collect(),
            Policy::Reuse => {
                let fits = self.released.iter().rev().filter(|free| free.end - free.start >= size);
                fits.map(|free| Try::At(free.start)).chain(near()).collect()
            }
            Policy::Far => {
                room.sort_by_key(|gap| std::cmp::Reverse(gap.end - gap.start));
                at(room.iter().map(|gap| self.down(gap.start + (gap.end - gap.start - size) / 2)).collect())
            }
            Policy::Top => at(room.iter().rev().map(|gap| self.down(gap.end - size)).collect()),
            Policy::Scatter => {
                let margin = |gap: &&Range<u64>| gap.end - gap.start >= size.saturating_add(2 * MARGIN);
                let bottom = room.iter().filter(margin).map(|gap| self.down(gap.start + MARGIN));
                let top = room.iter().rev().filter(margin).map(|gap| self.down(gap.end - size - MARGIN));
                at(if self.count.is_multiple_of(2) { bottom.collect() } else { top.collect() })
            }
            Policy::Straddle => at(self.across(size, &room).into_iter().collect()),
            Policy::Random(_) => at((0..DRAWS).filter_map(|_| self.draw(&room)).collect()),
            Policy::Distance(bytes) if self.count == 0 => {
                // The machine's own memory is behind its functions, so the first one may have to be farther.
                let wanted = self.last.end.saturating_add(bytes);
                let behind = gaps.iter().filter(|gap| gap.end > wanted).map(|gap| gap.start.max(wanted));
                at(behind.filter_map(|base| base.checked_next_multiple_of(self.page)).collect())
            }
            Policy::Distance(bytes) => {
                let wanted = self.last.end.max(self.last.start.saturating_add(bytes));
                at(wanted.checked_next_multiple_of(self.page).into_iter().collect())
            }
        }
    }

    /// It has become this.
    pub(super) fn placed(&mut self, range: Range<u64>) {
        self.count += 1;
        self.released.retain(|free| free.end <= range.start || range.end <= free.start);
        self.last = range;
    }

    /// This was given back.
    pub(super) fn released(&mut self, range: Range<u64>) {
        self.released.push(range);
    }

    fn down(&self, address: u64) -> u64 {
        address - address % self.page
    }

    /// The address from which so many bytes, of more than one page, lie on both sides of a multiple of 2 GiB, and where there are no
    /// more of those, of 1 GiB and so on. One page ends there. Behind the multiple of the last one it is the next.
    fn across(&self, size: u64, room: &[Range<u64>]) -> Option<u64> {
        let below = self.down(size.div_ceil(2)).max(self.page);
        let last = room.last()?.end;
        let fits = |base: &u64| {
            let gap = room[..room.partition_point(|gap| gap.start <= *base)].last();
            gap.is_some_and(|gap| base.checked_add(size).is_some_and(|end| end <= gap.end))
        };
        (20..=31u32).rev().find_map(|power| {
            let most = last >> power;
            let next = self.count.saturating_add(1).min(most + 1);
            (next..=most).chain(1..next).filter_map(|n| (n << power).checked_sub(below)).find(fits)
        })
    }

    fn draw(&mut self, room: &[Range<u64>]) -> Option<u64> {
        let last = room.last()?.end;
        let (low, high) = (self.page.ilog2(), (last - 1).ilog2() + 1);
        let power = self.dice.between(low as usize, high as usize - 1);
        let distance = (1 << power) + (self.dice.bits() & ((1 << power) - 1));
        let base = if self.dice.one_in(2) {
            self.last.end.checked_add(distance)?
        } else {
            self.last.start.checked_sub(distance)?
        };
        let base = self.down(base);
        (base < last).then_some(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 0x1000;
    const HOST: Range<u64> = 0x1_0000..0x2_0000;
    /// What is free of a machine with addresses of 32 bits and of 64.
    const ROOM: [Range<u64>; 2] = [0x40_0000..1 << 32, 0x40_0000..u64::MAX];

    /// Reserves so many times three pages, each at the first address that is tried.
    fn reserve(place: Policy, page: u64, room: &Range<u64>, times: usize) -> Vec<u64> {
        let mut placer = Placer::new(place, page, HOST);
        let (size, mut gaps, mut bases) = (3 * page, vec![room.clone()], Vec::new());
        for _ in 0..times {
            let inside = |base: u64, gap: &Range<u64>| gap.start <= base && base + size <= gap.end;
            let tries = placer.tries(size, &gaps);
            let first = tries.iter().find_map(|one| match one {
                Try::At(base) => gaps.iter().any(|gap| inside(*base, gap)).then_some(*base),
                Try::Within(gap) => Some(gap.start.next_multiple_of(page)).filter(|base| inside(*base, gap)),
            });
            let base = first.expect("room");
            assert!(base.is_multiple_of(page), "{place} {base:#x}");
            placer.placed(base..base + size);
            let split = |gap: Range<u64>| {
                if inside(base, &gap) { vec![gap.start..base, base + size..gap.end] } else { vec![gap] }
            };
            gaps = gaps.into_iter().flat_map(split).filter(|gap| gap.start < gap.end).collect();
            bases.push(base);
        }
        bases
    }

    #[test]
    fn places_by_their_words() {
        for text in ["near", "far", "random:7", "straddle", "top", "scatter", "reuse", "distance:0x8000000"] {
            assert_eq!(text.parse::<Policy>().map(|place| place.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("distance:4096".parse(), Ok(Policy::Distance(0x1000)));
        for (text, says) in [
            ("nearby", "expected near, far"),
            ("random:x", "`x` is not a seed"),
            ("distance:0", "`0` is not a distance"),
            ("distance:0xg", "expected bytes"),
            ("far:3", "expected near"),
        ] {
            assert!(text.parse::<Policy>().is_err_and(|why| why.contains(says)), "{text}");
        }
    }

    #[test]
    fn far_is_out_of_reach_of_all() {
        for (room, least) in ROOM.iter().zip([1 << 28, 1 << 44]) {
            let mut all = reserve(Policy::Far, PAGE, room, 7);
            all.push(HOST.start);
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[1] - pair[0] > least), "{all:x?}");
        }
    }

    #[test]
    fn straddle_is_on_both_sides() {
        for page in [0x1000, 0x4000, 0x1_0000] {
            for (room, across) in ROOM.iter().zip([[2, 3, 1], [2, 4, 6]]) {
                let bases = reserve(Policy::Straddle, page, room, 3);
                for (base, gigabytes) in bases.into_iter().zip(across) {
                    let border = gigabytes << 30;
                    assert!(base < border && border < base + 3 * page, "{base:#x}, {page:#x}");
                }
            }
        }
    }

    #[test]
    fn top_and_bottom() {
        for (room, end) in ROOM.iter().zip([1 << 32, 1 << 48]) {
            assert_eq!(reserve(Policy::Top, PAGE, room, 2), [end - 3 * PAGE, end - 6 * PAGE]);
            let bases = reserve(Policy::Scatter, PAGE, room, 4);
            assert!(bases[0] < bases[2] && bases[2] < 1 << 24 && bases[3] < bases[1] && bases[3] > end - (1 << 24));
            let apart = bases.iter().all(|a| bases.iter().all(|b| a == b || a.abs_diff(*b) >= MARGIN));
            assert!(apart, "{bases:x?}");
        }
    }

    #[test]
    fn a_seed_is_replayed() {
        for room in &ROOM {
            let bases = reserve(Policy::Random(7), PAGE, room, 20);
            assert_eq!(bases, reserve(Policy::Random(7), PAGE, room, 20));
            assert_ne!(bases, reserve(Policy::Random(8), PAGE, room, 20));
            // Of short distances and of long ones there are some.
            let apart: Vec<u32> = bases.windows(2).map(|pair| pair[0].abs_diff(pair[1]).ilog2()).collect();
            assert!(apart.iter().any(|&power| power < 22) && apart.iter().any(|&power| power > 26), "{apart:?}");
        }
    }

    #[test]
    fn a_distance_is_from_beginning_to_beginning() {
        let distance = 0x1234_5000;
        let bases = reserve(Policy::Distance(distance), PAGE, &ROOM[1], 3);
        assert_eq!(bases[0], HOST.end + distance);
        assert!(bases.windows(2).all(|pair| pair[1] - pair[0] == distance), "{bases:x?}");
        // What is too near for the first one is where room begins; what is too near for the others, where the last one ends.
        assert_eq!(reserve(Policy::Distance(PAGE), PAGE, &ROOM[0], 2), [ROOM[0].start, ROOM[0].start + 3 * PAGE]);
    }

    #[test]
    fn what_was_given_back_last_is_used_first() {
        let mut placer = Placer::new(Policy::Reuse, PAGE, HOST);
        let gaps = ROOM[..1].to_vec();
        placer.released(0x41_0000..0x41_1000);
        placer.released(0x42_0000..0x42_3000);
        placer.released(0x43_0000..0x43_1000);
        assert_eq!(placer.tries(0x2000, &gaps)[..2], [Try::At(0x42_0000), Try::Within(gaps[0].clone())]);
        placer.placed(0x42_0000..0x42_2000);
        assert_eq!(placer.tries(0x1000, &gaps)[..2], [Try::At(0x43_0000), Try::At(0x41_0000)]);
    }
}
