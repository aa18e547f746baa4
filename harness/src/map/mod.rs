//! What linkers say of their layout in map files: where each section went, what it is made of, and where symbols are. They are
//! texts that anybody may have written: what cannot be read is passed over, and whoever uses it compares it with the bytes.

mod columns;
mod gnu;

use rustc_hash::{FxHashMap, FxHashSet};

/// Who writes such a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// GNU ld and gold: a section, its address, its size and its file, on a line or on two.
    Gnu,
    /// lld: columns with two addresses, all in hexadecimal digits.
    Lld,
    /// mold: columns with one address.
    Mold,
}

/// How maps begin: words that are in the first line that is not empty.
const BEGINNINGS: &[(&[&str], Format)] = &[
    (&["VMA", "LMA", "Size", "Align", "Out"], Format::Lld),
    (&["VMA", "Size", "Align", "Out"], Format::Mold),
    (&["Archive member included"], Format::Gnu),
    (&["Merging program properties"], Format::Gnu),
    (&["Allocating common symbols"], Format::Gnu),
    (&["Discarded input sections"], Format::Gnu),
    (&["There are no discarded input sections"], Format::Gnu),
    (&["Memory Configuration"], Format::Gnu),
    (&["Memory map"], Format::Gnu),
    (&["Linker script and memory map"], Format::Gnu),
];

/// An input section as a map calls it: the last part of the file's path, the member of an archive, and the section.
type Key = (String, Option<String>, String);

/// A map.
#[derive(Debug, Default)]
pub struct Map {
    /// The sections of the image, in the order of the map.
    pub sections: Vec<Section>,
    /// Symbols and mapping symbols, in the order of the map. GNU ld and gold name those only that all objects see.
    pub symbols: Vec<Symbol>,
    /// The format of the image in GNU ld's words, `elf32-littlearm` for instance, where the map says it.
    pub output: Option<String>,
    /// Address and size of each input section, in the order of the map.
    inputs: FxHashMap<Key, Vec<(u64, u64)>>,
    /// The files, and members of archives, that were linked.
    files: FxHashSet<(String, Option<String>)>,
}

/// A section of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Where it is when the program runs.
    pub address: u64,
    /// Where its bytes are before that: another place for what start-up code copies.
    pub load: u64,
    /// Bytes.
    pub size: u64,
    /// Its alignment, where the map says it.
    pub alignment: Option<u64>,
    /// The names of the input sections in it; of neighbours of one name, one.
    pub inputs: Vec<String>,
}

/// A symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What the map has for its value. Whether that has the Thumb bit depends on the linker.
    pub value: u64,
    /// Bytes, or 0.
    pub size: u64,
    /// The number of the section under which the map names it.
    pub section: Option<usize>,
}

impl Map {
    /// Reads a map.
    ///
    /// # Errors
    /// Why it is none that is known.
    pub fn read(text: &[u8]) -> Result<Map, String> {
        let text = String::from_utf8_lossy(text);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let known = BEGINNINGS.iter().find(|(words, _)| words.iter().all(|word| first.contains(word)));
        let Some((_, format)) = known else {
            let shown: String = first.chars().take(60).collect();
            return Err(format!(
                "expected a map file of GNU ld, gold, lld or mold (-Map), and its first line is `{}`",
                shown.escape_default()
            ));
        };
        let mut map = Map::default();
        match format {
            Format::Gnu => gnu::read(&mut map, &text),
            Format::Lld => columns::read(&mut map, &text, columns::LLD),
            Format::Mold => columns::read(&mut map, &text, columns::MOLD),
        }
        if map.inputs.is_empty() {
            return Err(format!("it begins as a map file of {format:?} does, and no line names an input section"));
        }
        Ok(map)
    }

    /// The places of the input sections of this name in a file.
    pub(crate) fn places(&self, file: &str, member: Option<&str>, section: &str) -> &[(u64, u64)] {
        let key = (file.to_owned(), member.map(str::to_owned), section.to_owned());
        self.inputs.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it says anything of a file: it was linked then.
    pub(crate) fn names(&self, file: &str, member: Option<&str>) -> bool {
        self.files.contains(&(file.to_owned(), member.map(str::to_owned)))
    }

    fn add_section(&mut self, name: &str, address: u64, load: u64, size: u64, alignment: Option<u64>) {
        self.sections.push(Section { name: name.to_owned(), address, load, size, alignment, inputs: Vec::new() });
    }

    fn add_input(&mut self, file: &str, section: &str, address: u64, size: u64) {
        let (path, member) = match file.strip_suffix(')').and_then(|file| file.rsplit_once('(')) {
            Some((archive, member)) => (archive, Some(base(member).to_owned())),
            None => (file, None),
        };
        self.files.insert((base(path).to_owned(), member.clone()));
        let key = (base(path).to_owned(), member, section.to_owned());
        self.inputs.entry(key).or_default().push((address, size));
        if let Some(output) = self.sections.last_mut()
            && size > 0
            && output.inputs.last().is_none_or(|last| last != section)
        {
            output.inputs.push(section.to_owned());
        }
    }

    /// `NAME`, or an assignment of a linker script to a symbol.
    fn add_symbol(&mut self, text: &str, value: u64, size: u64) {
        const WRAPPED: [&str; 3] = ["PROVIDE_HIDDEN", "PROVIDE", "HIDDEN"];
        let name = match text.split_once('=') {
            Some((name, _)) => {
                let name = name.trim();
                let inside = WRAPPED.iter().find_map(|word| name.strip_prefix(word)?.trim_start().strip_prefix('('));
                inside.unwrap_or(name).trim()
            }
            None => text.trim(),
        };
        let assigned = name.len() < text.trim().len();
        if name.is_empty() || name == "." || assigned && name.contains(char::is_whitespace) {
            return;
        }
        let section = self.sections.len().checked_sub(1);
        self.symbols.push(Symbol { name: name.to_owned(), value, size, section });
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn number(word: &str) -> Option<u64> {
    word.strip_prefix("0x").map_or_else(|| word.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused() {
        assert!(Map::read(b"# Path: a.out\n").unwrap_err().contains("`# Path: a.out`"));
        assert!(Map::read(b"").is_err());
        assert!(Map::read(b"Memory Configuration\n").unwrap_err().contains("no line names"));
    }
}
