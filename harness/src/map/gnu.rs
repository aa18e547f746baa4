//! Maps of GNU ld and gold.

use super::{Map, number, word};

/// Reads `SECTION ADDRESS SIZE` at the start of a line for a section of the image, ` SECTION ADDRESS SIZE FILE` for an input section, and
/// `ADDRESS SYMBOL` behind more space. A section with a long name has the rest on the next line.
pub(super) fn read(map: &mut Map, text: &str) {
    let lines = text.lines().skip_while(|line| !line.to_ascii_lowercase().contains("memory map")).skip(1);
    let mut open = None;
    for line in lines {
        // `OUTPUT(a.elf elf32-littlearm)`
        if let Some(words) = line.strip_prefix("OUTPUT(").and_then(|rest| rest.trim_end().strip_suffix(')')) {
            map.output = words.rsplit(' ').next().map(str::to_owned);
        }
        let begun = Begun::of(line);
        let (begun, rest) = match begun {
            Some((begun, rest)) => (Some(begun), rest),
            None if line.starts_with("  ") => (open.take(), line),
            None => (None, ""),
        };
        open = None;
        let Some((address, behind)) = word(rest) else {
            open = begun;
            continue;
        };
        let Some(address) = number(address).filter(|_| rest.trim_start().starts_with("0x")) else { continue };
        let size = word(behind).and_then(|(size, behind)| Some((number(size)?, behind)));
        match (begun, size) {
            (Some(Begun::Output(name)), Some((size, behind))) => {
                let load = behind.trim().strip_prefix("load address").and_then(|load| number(load.trim()));
                map.add_section(name, address, load.unwrap_or(address), size, None);
            }
            (Some(Begun::Input(name)), Some((size, behind))) if !behind.trim().is_empty() => {
                map.add_input(behind.trim(), name, address, size);
            }
            // The size that a section had before relaxing has an annotation in place of a name.
            (None, None) if !behind.trim_start().starts_with('(') => map.add_symbol(behind, address, 0),
            _ => {}
        }
    }
}

/// What a line is about whose rest is on the next one if it is missing.
#[derive(Clone, Copy)]
enum Begun<'t> {
    Output(&'t str),
    Input(&'t str),
}

impl<'t> Begun<'t> {
    /// What begins on a line, and what follows the name.
    fn of(line: &'t str) -> Option<(Begun<'t>, &'t str)> {
        let is_name = |rest: &&str| rest.starts_with(|c: char| !c.is_whitespace() && c != '*');
        let split = |rest: &'t str| rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if let Some(rest) = Some(line).filter(is_name) {
            let (name, rest) = split(rest);
            return Some((Begun::Output(name), rest));
        }
        let (name, rest) = split(line.strip_prefix(' ').filter(is_name)?);
        Some((Begun::Input(name), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn sections_and_symbols() {
        let text = "\nMemory Configuration\n\nLinker script and memory map\n\nLOAD a.o\n.text           0x0000000000400300    0x566a4\n \
                    *(.text.unlikely)\n .text.unlikely\n                0x0000000000400300      0x1d8 \
                    /lib/../lib/libc.a(abort.o)\n                0x0000000000400300                abort\n .text          \
                    0x00000000004005c0       0x44 a b/crt1.o\n *fill*         0x0000000000400604        0x4 \n\
                    .a_section_with_a_long_name\n                0x0000000020000000       0x18 load address 0x0000000000456a00\n \
                    .data          0x0000000020000000       0x18 crt1.o\n                                         \
                    0x20 (size before relaxing)\n                0x0000000020000018                _edata = .\n                \
                    0x0000000020000018                PROVIDE (edata = .)\n                0x0000000020000018                \
                    . = ALIGN (0x8)\n                [!provide]                        PROVIDE (etext = .)\n";
        let map = Map::read(text.as_bytes()).unwrap();
        assert_eq!(map.places("libc.a", Some("abort.o"), ".text.unlikely"), [(0x400300, 0x1d8)]);
        assert_eq!(map.places("crt1.o", None, ".text"), [(0x4005c0, 0x44)]);
        assert_eq!(map.inputs.len(), 3);
        let section = |name: &str, address, load, size, inputs: &[&str]| Section {
            name: name.to_owned(),
            address,
            load,
            size,
            alignment: None,
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(
            map.sections,
            [
                section(".text", 0x400300, 0x400300, 0x566a4, &[".text.unlikely", ".text"]),
                section(".a_section_with_a_long_name", 0x2000_0000, 0x45_6a00, 0x18, &[".data"]),
            ]
        );
        let symbols: Vec<_> = map.symbols.iter().map(|one| (one.name.as_str(), one.value, one.section)).collect();
        assert_eq!(
            symbols,
            [("abort", 0x400300, Some(0)), ("_edata", 0x2000_0018, Some(1)), ("edata", 0x2000_0018, Some(1))]
        );
    }
}
