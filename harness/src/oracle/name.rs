//! Names of objects in linker scripts. They are chosen by strangers, and a script can read files and do anything to a link: a name
//! never stands in one as it is, unless it has plain characters only.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use linker::error::text;
use linker::graph::{LinkGraph, object_name};
use linker::index::ObjectId;

/// Whether every reader of scripts takes a name for a name: no operator, no wildcard, no number.
pub(crate) fn is_plain(name: &[u8]) -> bool {
    name.first().is_some_and(|&first| !first.is_ascii_digit() && first != b'-')
        && name.iter().all(|&byte| is_name(byte))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.$-".contains(&byte)
}

/// Characters of a section's name that are written out. A longer one is told by its start.
const LONGEST: usize = 512;

/// Comparisons of names: an object can have many that are strange.
const MOST: usize = 10_000_000;

/// Whether the patterns of a graph's sections match no other section of the same object.
pub(crate) fn check(graph: &LinkGraph<'_>) -> Result<()> {
    let mut objects: BTreeMap<ObjectId, BTreeSet<&[u8]>> = BTreeMap::new();
    for (_, section) in graph.sections.iter().filter(|(_, section)| !section.is_made()) {
        objects.entry(section.object).or_default().insert(section.name);
    }
    for (object, names) in objects {
        let file = || object_name(&graph.objects[object]);
        let strange: Vec<&[u8]> = names.iter().copied().filter(|name| pattern(name).contains(['?', '*'])).collect();
        if strange.len().saturating_mul(names.len()) > MOST {
            bail!("{}: {} sections have names that a linker script cannot have", file(), strange.len());
        }
        for name in strange {
            if let Some(other) = names.iter().find(|other| **other != name && matches(name, other)) {
                let (name, other) = (text(name), text(other));
                bail!("{}: a linker script cannot tell the sections `{name}` and `{other}` apart", file());
            }
        }
    }
    Ok(())
}

/// Whether the pattern for a name matches another.
fn matches(name: &[u8], other: &[u8]) -> bool {
    let fits = if name.len() > LONGEST { other.len() >= LONGEST } else { other.len() == name.len() };
    let bytes = pattern(name).into_bytes();
    fits && bytes.iter().take(LONGEST).zip(other).all(|(byte, other)| *byte == b'?' || byte == other)
}

/// A name in which each character that may mean something is one of any kind.
pub(crate) fn pattern(name: &[u8]) -> String {
    // KEEP, SORT and COMMON are words of the language, and so may others be that look like them.
    let word = name.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit());
    let plain = |at: usize, byte: u8| is_name(byte) && (at > 0 || !(word || byte.is_ascii_digit() || byte == b'-'));
    let head = name.iter().take(LONGEST).enumerate();
    let mut pattern: String = head.map(|(at, &byte)| if plain(at, byte) { byte as char } else { '?' }).collect();
    if name.len() > LONGEST {
        pattern.push('*');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_more_than_a_name() {
        for (name, expected) in [
            (&b".text.main"[..], ".text.main"),
            (b"x)) } INCLUDE \"/etc\"", "x?????INCLUDE???etc?"),
            (b"*", "?"),
            (b".data[a-z]\\", ".data?a-z??"),
            (b"COMMON", "?OMMON"),
            (b"0x10", "?x10"),
            (b"-T", "?T"),
            (b"\xff\n,", "???"),
        ] {
            assert_eq!(pattern(name), expected, "{name:?}");
        }
        assert_eq!(pattern(&[b'a'; 600]), "a".repeat(LONGEST) + "*");
        assert!(matches(b"a b", b"a.b") && !matches(b"a b", b"a.c") && !matches(b"a b", b"a.bc"));
        assert!(is_plain(b"__start_x") && !is_plain(b"x = 0; INCLUDE y") && !is_plain(b"") && !is_plain(b"1"));
    }
}
