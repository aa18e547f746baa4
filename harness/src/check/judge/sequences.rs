//! Fields that are right as parts of a relaxed sequence.

use corpus::abi;
use rustc_hash::FxHashMap;

use super::{Judge, Judged, Verdict};
use crate::check::relaxed::{self, Family, Found, Member, World};
use crate::check::resolve::Target;
use crate::check::{elf, thread_pointer};
use crate::oracle::Way;

impl Judge<'_, '_> {
    /// Looks again at what is not right by itself, and may be as a part of its sequence.
    pub(super) fn sequences(&self, judged: &mut [Judged]) {
        let mut sequences: FxHashMap<(usize, Family, i64), Vec<usize>> = FxHashMap::default();
        for (index, one) in judged.iter().enumerate() {
            let Some((row, family)) = one.row.and_then(|row| Some((row, relaxed::family(row)?))) else { continue };
            let addend = if row.form.place.size() > 0 { one.a } else { 0 };
            sequences.entry((one.relocation.symbol, family, addend)).or_default().push(index);
        }
        let image = self.known.image;
        let read = |address: u64, size: usize| {
            let bytes = self.output.read_at(address, size)?;
            // Instructions are little-endian whatever data is.
            let code = image.region(address, size as u64).is_some_and(|region| region.code);
            Some(elf::number(bytes, image.target.big_endian && !code))
        };
        let tp = thread_pointer(image.target, image.tls.unwrap_or((0, 0, 1)));
        for ((_, family, _), indexes) in sequences {
            let is_open = |index: &usize| match &judged[*index].verdict {
                Verdict::Wrong(_) => true,
                Verdict::Unknown(_) => matches!(judged[*index].target, Some(Target::Merged(_))),
                _ => false,
            };
            if !indexes.iter().any(is_open) {
                continue;
            }
            let indexes: Vec<usize> = indexes.into_iter().filter(|index| judged[*index].row.is_some()).collect();
            let members: Vec<Member> = indexes.iter().filter_map(|index| member(&judged[*index])).collect();
            let is_wanted = |index: usize, value: u64| {
                let one = &judged[indexes[index]];
                let sum = one.s.unwrap_or(0).wrapping_add_signed(one.a);
                match (&one.target, family) {
                    (Some(Target::Merged(merged)), _) => merged.is_at(image, value),
                    (_, Family::Table | Family::Halves | Family::General) => value == sum,
                    (_, Family::Initial | Family::Descriptor) => value == sum.wrapping_sub(tp),
                }
            };
            let found = relaxed::run(family, &members, &World { is_wanted: &is_wanted, read: &read, tp });
            for (index, found) in indexes.iter().zip(found) {
                let one = &mut judged[*index];
                match (&mut one.verdict, found) {
                    (Verdict::Wrong(_) | Verdict::Unknown(_), Found::Right) => {
                        let mask = one.row.map_or(0, abi::Relocation::mask);
                        let same = (one.before ^ one.word) & !mask == 0 && family == Family::Halves;
                        one.verdict = if same { Verdict::Right(Way::Directly) } else { Verdict::Relaxed };
                    }
                    (Verdict::Wrong(why), Found::Wrong(Some(value))) => {
                        why.push_str(&format!("; relaxed, its sequence comes to {value:#x}"));
                    }
                    _ => {}
                }
            }
        }
    }
}

fn member(one: &Judged) -> Option<Member> {
    Some(Member { row: one.row?, p: one.p, before: one.before, word: one.word })
}
