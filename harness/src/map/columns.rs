//! Maps of lld and mold: columns of numbers, and then a name, whose indentation says what it names.

use super::{Map, number, word};

/// How the numbers of a line are written.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// How many there are.
    count: usize,
    /// The one that says where a section's bytes are before the program runs.
    load: usize,
    /// The one with the size, before that of the alignment.
    size: usize,
    read: fn(&str) -> Option<u64>,
}

/// `VMA LMA Size Align`, in hexadecimal digits.
pub(super) const LLD: Columns = Columns { count: 4, load: 1, size: 2, read: |word| u64::from_str_radix(word, 16).ok() };

/// `VMA Size Align`
pub(super) const MOLD: Columns = Columns { count: 3, load: 0, size: 1, read: number };

/// By how much input sections are indented. Symbols are by twice as much, sections of the image are not.
const INDENT: usize = 8;

pub(super) fn read(map: &mut Map, text: &str, columns: Columns) {
    for line in text.lines() {
        let mut rest = line;
        let mut numbers = [0; 4];
        let complete = numbers.iter_mut().take(columns.count).all(|value| {
            let Some((found, behind)) = word(rest) else { return false };
            rest = behind;
            (columns.read)(found).map(|number| *value = number).is_some()
        });
        let Some(name) = rest.strip_prefix(' ').filter(|_| complete) else { continue };
        let [address, load, size, alignment] =
            [numbers[0], numbers[columns.load], numbers[columns.size], numbers[columns.size + 1]];
        let indent = name.len() - name.trim_start().len();
        let name = name.trim();
        let input = name.strip_suffix(')').and_then(|name| name.rsplit_once(":("));
        match input {
            _ if name.contains(" = ") || name.contains("=.") => map.add_symbol(name, address, 0),
            Some((file, section)) if indent >= INDENT => map.add_input(file, section, address, size),
            _ if indent == 0 => map.add_section(name, address, load, size, Some(alignment.max(1))),
            _ if indent > INDENT => map.add_symbol(name, address, size),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn lld() {
        let text = "     VMA      LMA     Size Align Out     In      Symbol\n   20134   456a00       56     4 .text\n   \
                    20134   456a00       50     4         /x/libc.a(dcigettext.o):(.text)\n   20134   456a00        0     \
                    1                 $t\n   20135   456a01       18     1                 add\n   2014c   456a18        \
                    0     1         _etext = .\n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("dcigettext.o"), ".text"), [(0x20134, 0x50)]);
        let [section] = &map.sections[..] else { panic!("{:?}", map.sections) };
        assert_eq!(
            (section.address, section.load, section.size, section.alignment),
            (0x20134, 0x45_6a00, 0x56, Some(4))
        );
        assert_eq!(section.inputs, [".text"]);
        let symbols: Vec<_> = map.symbols.iter().map(|one| (one.name.as_str(), one.value, one.size)).collect();
        assert_eq!(symbols, [("$t", 0x20134, 0), ("add", 0x20135, 0x18), ("_etext", 0x2014c, 0)]);
    }

    #[test]
    fn mold() {
        let text = "               VMA       Size Align Out     In      Symbol\n          0x20d804        246     1 \
                    .gcc_except_table\n          0x20d804         31     1         /x/libc.a(iofclose.o):(.gcc_except_table)\n          \
                    0x20d804          0     0                 table\n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("iofclose.o"), ".gcc_except_table"), [(0x20d804, 31)]);
        assert_eq!((map.sections[0].load, map.sections[0].size), (0x20d804, 246));
        assert_eq!((map.symbols[0].name.as_str(), map.symbols[0].value), ("table", 0x20d804));
    }
}
