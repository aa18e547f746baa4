//! Failures by what is likely to be one cause: the same case, and the same first message but for its numbers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::failure;
use crate::model::Record;
use crate::text::counted;

/// So many values of a kind are listed; there may be as many layouts as seeds.
const LISTED: usize = 8;

/// Failures that are likely to have one cause.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    /// `group/case`.
    pub case: &'a str,
    /// The first message of the example.
    pub message: String,
    /// The configurations, by name. The first is the example.
    pub records: Vec<&'a Record>,
}

/// Groups records, the most frequent cause first. They keep their order within a cause.
///
/// A message is the same when it differs in addresses and offsets only: these change with the layout and the compiler. The
/// values that a case expects and got are no such numbers, so that two bugs of one case stay two causes.
pub fn of(failures: &[Record]) -> Vec<Cause<'_>> {
    let mut index: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for record in failures {
        let message = failure::headline(record);
        match index.entry((&record.case, without_addresses(&message))) {
            Entry::Occupied(known) => causes[*known.get()].records.push(record),
            Entry::Vacant(new) => {
                new.insert(causes.len());
                causes.push(Cause { case: &record.case, message, records: vec![record] });
            }
        }
    }
    // Stable: causes of the same size stay in the order of their cases.
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.records.len()));
    causes
}

/// A message without what depends on the layout and the compiler: numbers in hexadecimal.
fn without_addresses(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("0x") {
        let (before, number) = rest.split_at(at);
        let end = number[2..].find(|c: char| !c.is_ascii_hexdigit()).map_or(number.len(), |end| end + 2);
        out.push_str(before);
        out.push_str("0x");
        rest = &number[end..];
    }
    out + rest
}

impl<'a> Cause<'a> {
    /// The configuration that is shown.
    pub fn example(&self) -> &'a Record {
        self.records[0]
    }

    /// How many configurations there are.
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// Which targets, toolchains, layouts and executors they are, each with its count where there are several:
    /// `aarch64 250, aarch64_be 24; gcc12; near far; unicorn`.
    pub fn spread(&self) -> String {
        let columns: [fn(&Record) -> &str; 4] =
            [|it| &it.target, |it| toolchain(&it.build), |it| &it.layout, |it| &it.executor];
        let lists = columns.into_iter().map(|column| self.column(column)).filter(|list| !list.is_empty());
        lists.collect::<Vec<_>>().join("; ")
    }

    fn column(&self, column: fn(&Record) -> &str) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.records.iter().for_each(|record| *counts.entry(column(record)).or_default() += 1);
        counts.remove("");
        let single = counts.len() == 1;
        let shown = counts.iter().take(LISTED);
        let mut list: Vec<String> =
            shown.map(|(name, count)| if single { (*name).to_owned() } else { format!("{name} {count}") }).collect();
        if counts.len() > LISTED {
            list.push(format!("and {} more", counts.len() - LISTED));
        }
        list.join(", ")
    }
}

/// The toolchain of a build's label: `gcc12` of `gcc12-O2.no-pic`.
fn toolchain(build: &str) -> &str {
    build.split('-').next().unwrap_or(build)
}

/// `549 failures, 2 causes`.
pub(crate) fn in_words(failures: usize, causes: usize) -> String {
    format!("{}, {}", counted(failures, "failure"), counted(causes, "cause"))
}
