//! What linkers say of their layout in map files: where each input section went. They are texts that anybody may have
//! written: what cannot be read is passed over, and what is said is compared with the bytes of the image.

use rustc_hash::{FxHashMap, FxHashSet};

/// Who writes such a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
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
pub(super) struct Map {
    /// Address and size of each section, in the order of the map.
    sections: FxHashMap<Key, Vec<(u64, u64)>>,
    /// The files, and members of archives, that were linked.
    files: FxHashSet<(String, Option<String>)>,
}

impl Map {
    /// Reads a map. `Err` says why it is none that is known.
    pub(super) fn read(text: &[u8]) -> Result<Map, String> {
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
            Format::Gnu => map.read_gnu(&text),
            Format::Lld => map.read_columns(&text, 4, |word| u64::from_str_radix(word, 16).ok()),
            Format::Mold => map.read_columns(&text, 3, number),
        }
        if map.sections.is_empty() {
            return Err(format!("it begins as a map file of {format:?} does, and no line names an input section"));
        }
        Ok(map)
    }

    /// The places of the sections of this name in a file.
    pub(super) fn places(&self, file: &str, member: Option<&str>, section: &str) -> &[(u64, u64)] {
        let key = (file.to_owned(), member.map(str::to_owned), section.to_owned());
        self.sections.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it says anything of a file: it was linked then.
    pub(super) fn names(&self, file: &str, member: Option<&str>) -> bool {
        self.files.contains(&(file.to_owned(), member.map(str::to_owned)))
    }

    fn add(&mut self, file: &str, section: &str, address: u64, size: u64) {
        let (path, member) = match file.strip_suffix(')').and_then(|file| file.rsplit_once('(')) {
            Some((archive, member)) => (archive, Some(base(member).to_owned())),
            None => (file, None),
        };
        self.files.insert((base(path).to_owned(), member.clone()));
        let key = (base(path).to_owned(), member, section.to_owned());
        self.sections.entry(key).or_default().push((address, size));
    }

    /// ` SECTION ADDRESS SIZE FILE`, where a long name has a line of its own.
    fn read_gnu(&mut self, text: &str) {
        let mut lines = text.lines().skip_while(|line| !line.to_ascii_lowercase().contains("memory map")).skip(1);
        let mut name = None;
        for line in &mut lines {
            let of_section =
                line.strip_prefix(' ').filter(|rest| rest.starts_with(|c: char| !c.is_whitespace() && c != '*'));
            let rest = match of_section {
                Some(rest) => {
                    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    name = Some(word);
                    rest
                }
                None if line.starts_with(char::is_whitespace) => line,
                None => {
                    name = None;
                    continue;
                }
            };
            let Some(section) = name else { continue };
            let Some((address, rest)) = word(rest) else { continue };
            name = None;
            let Some((size, file)) = word(rest) else { continue };
            if let (Some(address), Some(size)) = (number(address), number(size))
                && !file.trim().is_empty()
            {
                self.add(file.trim(), section, address, size);
            }
        }
    }

    /// So many columns, of which the first is the address, and then `FILE:(SECTION)`.
    fn read_columns(&mut self, text: &str, columns: usize, read: fn(&str) -> Option<u64>) {
        for line in text.lines() {
            let mut rest = line;
            let mut words = [""; 4];
            for column in words.iter_mut().take(columns) {
                let Some((found, behind)) = word(rest) else { break };
                (*column, rest) = (found, behind);
            }
            let named = rest.trim().strip_suffix(')').and_then(|rest| rest.rsplit_once(":("));
            let (Some((file, section)), Some(address), Some(size)) = (named, read(words[0]), read(words[columns - 2]))
            else {
                continue;
            };
            self.add(file, section, address, size);
        }
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
    fn gnu_ld_and_gold() {
        let text = "\nMemory Configuration\n\nLinker script and memory map\n\n.text           0x0000000000400300    0x566a4\n \
                    *(.text.unlikely)\n .text.unlikely\n                0x0000000000400300      0x1d8 \
                    /lib/../lib/libc.a(abort.o)\n                0x0000000000400300                abort\n .text          \
                    0x00000000004005c0       0x44 a b/crt1.o\n *fill*         0x0000000000400604        0x4 \n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("abort.o"), ".text.unlikely"), [(0x400300, 0x1d8)]);
        assert_eq!(map.places("crt1.o", None, ".text"), [(0x4005c0, 0x44)]);
        assert_eq!(map.sections.len(), 2);
    }

    #[test]
    fn lld() {
        let text = "             VMA              LMA     Size Align Out     In      Symbol\n          20680c           20680c  \
                    b     4         /x/libc.a(dcigettext.o):(.rodata)\n          20680c           20680c        0     1     \
                    $d\n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("dcigettext.o"), ".rodata"), [(0x20680c, 0xb)]);
    }

    #[test]
    fn mold() {
        let text = "               VMA       Size Align Out     In      Symbol\n          0x20d804        246     1 \
                    .gcc_except_table\n          0x20d804         31     1         /x/libc.a(iofclose.o):(.gcc_except_table)\n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("iofclose.o"), ".gcc_except_table"), [(0x20d804, 31)]);
    }

    #[test]
    fn refused() {
        assert!(Map::read(b"# Path: a.out\n").unwrap_err().contains("`# Path: a.out`"));
        assert!(Map::read(b"").is_err());
        assert!(Map::read(b"Memory Configuration\n").unwrap_err().contains("no line names"));
    }
}
