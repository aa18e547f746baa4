//! Build attributes of AArch64: subsections by name, each optional or required, with numbers or text by tag (Build
//! Attributes for the Arm 64-bit Architecture, 2025Q4). Those of the ABI say what program properties say.

use std::collections::BTreeMap;

use crate::build::Attributes;
use crate::field::Unit;

const FORMAT: u8 = b'A';
const FEATURES: &[u8] = b"aeabi_feature_and_bits";
const SIGNING: &[u8] = b"aeabi_pauthabi";

/// The next number, unsigned LEB128.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

/// The next text, which ends in a zero.
fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr::memchr(0, bytes)?;
    let text = &bytes[..end];
    *bytes = &bytes[end + 1..];
    Some(text)
}

/// Reads the attributes of an object. A subsection that it requires to be known and that is not is refused.
pub(super) fn read(bytes: &[u8], big_endian: bool) -> Attributes {
    let mut attributes = Attributes::default();
    match bytes.split_first() {
        None => {}
        Some((&FORMAT, rest)) => {
            let read = subsections(rest, big_endian, &mut attributes);
            attributes.problem = read.is_none().then(|| "a subsection is cut short".to_owned());
        }
        Some(_) if bytes.iter().all(|&byte| byte == 0) => {}
        Some((format, _)) => {
            attributes.problem = Some(format!("format version {format:#x} is not 'A', the only one there is"));
        }
    }
    attributes
}

fn subsections(mut rest: &[u8], big_endian: bool, attributes: &mut Attributes) -> Option<()> {
    while rest.iter().any(|&byte| byte != 0) {
        let length = Unit::Data32.read(rest, big_endian)? as usize;
        let mut part = rest.get(4..length)?;
        rest = &rest[length..];
        let name = text(&mut part)?;
        let (&[optional, kind], list) = part.split_first_chunk()?;
        part = list;
        if ![FEATURES, SIGNING].contains(&name) {
            if optional == 0 {
                let name = crate::error::text(name);
                attributes.refused = Some(format!("subsection {name} has to be understood, and is not known here"));
            }
            continue;
        }
        let mut signing = (0, 0);
        let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
        while !part.is_empty() {
            let tag = number(&mut part)?;
            if kind != 0 {
                text(&mut part)?;
                continue;
            }
            let value = number(&mut part)?;
            if let Some(before) = seen.insert(tag, value).filter(|before| *before != value) {
                let name = crate::error::text(name);
                attributes.refused = Some(format!(
                    "subsection {name} gives attribute {tag} the values {before} and {value}: expected one"
                ));
            }
            let properties = &mut attributes.properties;
            match (name == FEATURES, tag) {
                (true, 0) => properties.bti = value == 1,
                (true, 1) => properties.pac = value == 1,
                (true, 2) => properties.gcs = value == 1,
                (false, 1) => signing.0 = value,
                (false, 2) => signing.1 = value,
                _ => {}
            }
        }
        if signing != (0, 0) {
            attributes.properties.pauth = Some(signing);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subsection(name: &str, optional: u8, list: &[u8]) -> Vec<u8> {
        let length = (4 + name.len() + 3 + list.len()) as u32;
        [&length.to_le_bytes()[..], name.as_bytes(), &[0, optional, 0], list].concat()
    }

    #[test]
    fn features_and_signing_are_properties() {
        let features = subsection("aeabi_feature_and_bits", 1, &[0, 1, 1, 0, 2, 1]);
        let signing = subsection("aeabi_pauthabi", 0, &[1, 0x82, 0x01, 2, 7]);
        let other = subsection("vendor_hints", 1, &[9, 9]);
        let bytes = [&b"A"[..], &features, &other, &signing, &[0; 4]].concat();
        let attributes = read(&bytes, false);
        assert_eq!(attributes.problem, None);
        let properties = attributes.properties;
        assert_eq!((properties.bti, properties.pac, properties.gcs), (true, false, true));
        assert_eq!(properties.pauth, Some((0x82, 7)));
        for cut in 0..bytes.len() {
            let _ = read(&bytes[..cut], false);
        }
    }

    #[test]
    fn what_has_to_be_understood_is() {
        let bytes = [&b"A"[..], &subsection("vendor_needs", 0, &[1, 1])].concat();
        assert!(read(&bytes, false).refused.is_some_and(|problem| problem.contains("vendor_needs")));
        assert_eq!(read(&[0; 12], false), Attributes::default());
    }

    /// Two values for one attribute are an error, the same one twice is not (buildattr64, Encoding).
    #[test]
    fn a_subsection_does_not_contradict_itself() {
        let of =
            |list: &[u8]| read(&[&b"A"[..], &subsection("aeabi_feature_and_bits", 1, list)].concat(), false).refused;
        assert_eq!(of(&[0, 1, 1, 1, 0, 1]), None);
        let problem = of(&[0, 1, 1, 1, 0, 0]).expect("refused");
        assert!(problem.contains("gives attribute 0 the values 1 and 0"), "{problem}");
    }
}
