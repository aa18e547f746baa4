//! The text form of layouts.

use std::fmt;
use std::str::FromStr;

use super::{At, Layout};

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "anywhere" => Layout::Anywhere,
            "near" => Layout::Near,
            "far" => Layout::Far,
            "high" => Layout::High,
            _ => {
                if let Some(seed) = text.strip_prefix("random:") {
                    Layout::Random(seed.parse().map_err(|_| format!("`{seed}` is not a seed, expected a number"))?)
                } else if let Some(list) = text.strip_prefix("at:") {
                    Layout::At(list.split(',').map(str::parse).collect::<Result<_, _>>()?)
                } else {
                    let expected = "expected anywhere, near, far, high, random:SEED or at:FILE(SECTION)=ADDRESS,...";
                    return Err(format!("unknown layout `{text}`, {expected}"));
                }
            }
        })
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (place, address) = text.rsplit_once('=')?;
            let (file, section) = place.strip_suffix(')')?.rsplit_once('(')?;
            let address = match address.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                None => address.parse().ok()?,
            };
            Some(At { file: file.to_owned(), section: section.to_owned(), address })
        };
        parse().ok_or_else(|| format!("`{text}` is not a placement, expected FILE(SECTION)=ADDRESS"))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layout::Anywhere => f.write_str("anywhere"),
            Layout::Near => f.write_str("near"),
            Layout::Far => f.write_str("far"),
            Layout::High => f.write_str("high"),
            Layout::Random(seed) => write!(f, "random:{seed}"),
            Layout::At(list) => {
                for (index, At { file, section, address }) in list.iter().enumerate() {
                    let lead = if index == 0 { "at:" } else { "," };
                    write!(f, "{lead}{file}({section})={address:#x}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_goes_both_ways() {
        for text in ["anywhere", "near", "far", "high", "random:7", "at:a.o(.text)=0x400000,libx.a(m.o)(.data)=0x10"] {
            assert_eq!(text.parse::<Layout>().expect(text).to_string(), text);
        }
        for text in ["", "nearby", "random:x", "at:", "at:a.o=1", "at:a.o(.text)=zz"] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
