//! What came of a check, for people and programs.

use std::collections::BTreeMap;

use linker::Target;
use linker::error::text;
use serde_json::{Value, json};

use super::field::Site;
use super::image::Image;
use super::judge::{Judged, Verdict};
use super::object::Object;
use super::placement::{Evidence, State};
use crate::disassembly::Disassembler;
use crate::oracle::Way;

/// Wrong fields that are kept in full. All are counted.
const MOST_WRONG: usize = 1000;

/// What became of the fields of one relocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What the ABI's formula comes to.
    pub right: usize,
    /// Those of them that lead there by way of a slot or a stub.
    pub followed: usize,
    /// Other instructions that come to the same.
    pub relaxed: usize,
    /// What the ABI's formula does not come to.
    pub wrong: usize,
    /// What nobody can say.
    pub unknown: usize,
}

/// What became of the sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// How many, by what became of them or why nobody can say: sections, and their relocations.
    pub by_end: BTreeMap<String, (usize, usize)>,
    /// What says where the placed ones are.
    pub by_evidence: BTreeMap<Evidence, usize>,
}

/// A field that is not what the ABI says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which one it is.
    pub site: Site,
    /// The symbol of the image in which its place is, and the distance from it.
    pub within: Option<(String, u64)>,
    /// The bytes in the image, and those instructions.
    pub found: (Vec<u8>, String),
    /// The bytes that the ABI's formula makes, where it does by itself.
    pub expected: Option<(Vec<u8>, String)>,
    /// What is wrong.
    pub why: String,
}

/// What came of a check.
#[derive(Debug)]
pub struct Findings {
    /// The image.
    pub image: String,
    /// What it is for.
    pub target: &'static Target,
    /// Objects that are part of it.
    pub objects: usize,
    /// Members of archives that are not.
    pub members_left: usize,
    /// What became of the sections.
    pub sections: Sections,
    /// What became of the fields, by relocation.
    pub tallies: BTreeMap<String, Tally>,
    /// Why nothing can be said of fields that are placed, and of how many.
    pub unknown: BTreeMap<String, usize>,
    /// Fields of records of call frames or indexes that the linker has dropped.
    pub dropped_records: usize,
    /// The wrong fields, the first thousand of them.
    pub wrong: Vec<Wrong>,
    /// Where the map that was given disagrees with the image.
    pub map_disagrees: Option<String>,
}

impl Findings {
    pub(super) fn new(image: &str, target: &'static Target) -> Findings {
        Findings {
            image: image.to_owned(),
            target,
            objects: 0,
            members_left: 0,
            sections: Sections::default(),
            tallies: BTreeMap::new(),
            unknown: BTreeMap::new(),
            dropped_records: 0,
            wrong: Vec::new(),
            map_disagrees: None,
        }
    }

    /// All fields together.
    pub fn total(&self) -> Tally {
        let add = |sum: Tally, tally: &Tally| Tally {
            right: sum.right + tally.right,
            followed: sum.followed + tally.followed,
            relaxed: sum.relaxed + tally.relaxed,
            wrong: sum.wrong + tally.wrong,
            unknown: sum.unknown + tally.unknown,
        };
        self.tallies.values().fold(Tally::default(), add)
    }

    pub(super) fn add_section(&mut self, object: &Object<'_>, section: usize, state: &State, fields: usize) {
        let end = match state {
            State::Nothing => return,
            State::NotLoaded => "not loaded: debug information and the like".to_owned(),
            State::At(_, evidence) => {
                *self.sections.by_evidence.entry(*evidence).or_default() += 1;
                "placed".to_owned()
            }
            State::Pieces(_) => "found record by record".to_owned(),
            State::Merged => "merged strings and constants".to_owned(),
            State::Duplicate => "given up for an equal one of another object".to_owned(),
            State::Gone => "dropped by the linker: its bytes are nowhere in the image".to_owned(),
            State::Unplaced(why) if why.starts_with("it should be") => {
                format!("not placed: {}({}): {why}", object.name, text(object.elf.sections[section].name))
            }
            State::Unplaced(why) => format!("not placed: {why}"),
        };
        let count = self.sections.by_end.entry(end).or_default();
        count.0 += 1;
        count.1 += fields;
    }

    pub(super) fn add_lost(&mut self, fields: usize) {
        self.dropped_records += fields;
    }

    pub(super) fn add(&mut self, image: &Image<'_>, object: &Object<'_>, section: usize, judged: Judged) {
        let Some(row) = judged.row else {
            let name = format!("relocation {}", judged.relocation.number);
            self.tallies.entry(name).or_default().unknown += 1;
            return;
        };
        if judged.verdict == Verdict::NoField {
            return;
        }
        let site = Site::of(object, section, &judged);
        let tally = self.tallies.entry(row.name.clone()).or_default();
        match judged.verdict {
            Verdict::Right(way) => {
                tally.right += 1;
                tally.followed += usize::from(matches!(way, Way::Slot | Way::Stub));
            }
            Verdict::Relaxed => tally.relaxed += 1,
            Verdict::Unknown(why) => {
                tally.unknown += 1;
                *self.unknown.entry(why).or_default() += 1;
            }
            Verdict::Wrong(why) => {
                tally.wrong += 1;
                if let Some(site) = site.filter(|_| self.wrong.len() < MOST_WRONG) {
                    let place = row.form.place;
                    let disassembler = Disassembler::new(self.target);
                    let show = |word: u64| {
                        let mut bytes = place.bytes(word);
                        if self.target.big_endian && !place.is_code() {
                            bytes.reverse();
                        }
                        let text = if place.is_code() {
                            disassembler.one(&bytes, judged.p, kind(place)).0
                        } else {
                            String::new()
                        };
                        (bytes, text)
                    };
                    self.wrong.push(Wrong {
                        site,
                        within: image.symbol_at(judged.p),
                        found: show(judged.word),
                        expected: judged.expected.map(show),
                        why,
                    });
                }
            }
            Verdict::NoField => {}
        }
    }

    /// As a JSON document.
    pub fn json(&self) -> Value {
        let tally = |tally: &Tally| {
            json!({ "right": tally.right, "followed": tally.followed, "relaxed": tally.relaxed, "wrong": tally.wrong,
                    "unknown": tally.unknown })
        };
        let bytes = |(bytes, text): &(Vec<u8>, String)| json!({ "bytes": crate::wording::hex(bytes), "text": text });
        let wrong = |wrong: &Wrong| {
            let site = &wrong.site;
            json!({ "object": site.object, "section": site.section.1, "offset": site.offset,
                    "relocation": site.relocation, "symbol": site.symbol, "s": site.s, "a": site.a, "p": site.p,
                    "within": wrong.within.as_ref().map(|(name, distance)| json!({ "symbol": name, "distance": distance })),
                    "found": bytes(&wrong.found), "expected": wrong.expected.as_ref().map(bytes), "why": wrong.why })
        };
        let by_end = self.sections.by_end.iter().map(
            |(end, (sections, relocations))| json!({ "end": end, "sections": sections, "relocations": relocations }),
        );
        json!({
            "image": self.image,
            "target": self.target.name,
            "objects": self.objects,
            "members_left": self.members_left,
            "sections": by_end.collect::<Vec<_>>(),
            "fields": self.tallies.iter().map(|(name, counts)| (name.clone(), tally(counts)))
                .collect::<serde_json::Map<_, _>>(),
            "total": tally(&self.total()),
            "unknown": self.unknown,
            "dropped_records": self.dropped_records,
            "map_disagrees": self.map_disagrees,
            "wrong": self.wrong.iter().map(wrong).collect::<Vec<_>>(),
        })
    }
}

/// How a place is disassembled.
fn kind(place: corpus::abi::Place) -> linker::graph::Bytes {
    match place {
        corpus::abi::Place::T16 | corpus::abi::Place::T32 => linker::graph::Bytes::Thumb,
        _ => linker::graph::Bytes::Code,
    }
}
