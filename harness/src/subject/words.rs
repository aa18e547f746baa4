//! What linkers say, by what it means: each has words of its own for the same few errors.

use std::path::Path;

use super::description::{Kind, Says};

/// Words that several linkers have, the first that is in a message counts. A linker that died comes first, whatever else it says; then what is
/// undefined: its value is 0, which is often out of range, too.
const COMMON: &[(&str, Kind)] = &[
    ("internal error", Kind::Crash),
    ("assertion fail", Kind::Crash),
    ("assertion `", Kind::Crash),
    ("panicked at", Kind::Crash),
    ("PLEASE submit a bug report", Kind::Crash),
    ("undefined reference", Kind::Undefined),
    ("undefined symbol", Kind::Undefined),
    ("undefined hidden symbol", Kind::Undefined),
    ("hidden symbol", Kind::Undefined),
    ("relocation truncated to fit", Kind::OutOfRange),
    ("out of range", Kind::OutOfRange),
    ("outside of bounds", Kind::OutOfRange),
    ("does not fit", Kind::OutOfRange),
    ("too far", Kind::OutOfRange),
    ("overflow in", Kind::OutOfRange),
    ("reloc overflow", Kind::OutOfRange),
    ("relocation overflow", Kind::OutOfRange),
    ("improper alignment", Kind::Misaligned),
    ("misaligned", Kind::Misaligned),
    ("is not aligned", Kind::Misaligned),
    ("not a multiple of", Kind::Misaligned),
    ("multiple definition", Kind::Duplicate),
    ("duplicate symbol", Kind::Duplicate),
    ("duplicate symbols", Kind::Duplicate),
    ("recompile with -fpic", Kind::Unsupported),
    ("recompile with -fpie", Kind::Unsupported),
    ("cannot refer to absolute symbol", Kind::Unsupported),
    ("unimplemented reloc", Kind::Unsupported),
    ("unsupported", Kind::Unsupported),
    ("not supported", Kind::Unsupported),
    ("not implemented", Kind::Unsupported),
    ("not yet implemented", Kind::Unsupported),
    ("doesn't support", Kind::Unsupported),
    ("unknown relocation", Kind::Unsupported),
    ("unrecognized relocation", Kind::Unsupported),
    ("unrecognised relocation", Kind::Unsupported),
    ("unresolvable", Kind::Unsupported),
    ("unexpected reloc", Kind::Unsupported),
    ("dangerous relocation", Kind::Incompatible),
    ("uses VFP register arguments", Kind::Incompatible),
    ("incompatible", Kind::Incompatible),
    ("not compatible", Kind::Incompatible),
    ("overlaps section", Kind::Layout),
    ("unable to move location counter", Kind::Layout),
    ("will not fit in region", Kind::Layout),
];

/// What a message means: by somebody's own words first. Whether letters are small or large means nothing.
pub fn kind(own: &[Says], said: &str) -> Kind {
    let own = own.iter().map(|says| (says.text.as_str(), says.kind));
    let all = own.chain(COMMON.iter().copied());
    // An error counts before what is only a warning.
    let errors: Vec<&str> = said.lines().filter(|line| !line.contains("warning:")).collect();
    let errors = if errors.is_empty() { said.to_owned() } else { errors.join("\n") };
    let errors = errors.to_ascii_lowercase();
    let mut all = all.filter(|(text, _)| errors.contains(&text.to_ascii_lowercase()));
    all.next().map_or(Kind::Other, |(_, kind)| kind)
}

/// What the texts that a case expects of our errors come to. None: nothing that a kind is known for.
pub fn expected(texts: &[&str]) -> Option<Kind> {
    let known = [
        ("out of range", Kind::OutOfRange),
        ("misaligned", Kind::Misaligned),
        ("undefined symbol", Kind::Undefined),
        ("duplicate symbol", Kind::Duplicate),
        ("Tag_ABI", Kind::Incompatible),
        ("passes floating-point arguments", Kind::Incompatible),
    ];
    known.iter().find(|(text, _)| texts.iter().any(|wanted| wanted.contains(text))).map(|known| known.1)
}

/// Lines of a message that are shown.
const MOST_LINES: usize = 6;

/// Characters of a message that are shown.
const MOST: usize = 1500;

/// The start of a message, without directories, which nobody else has.
pub(super) fn shortened(said: &str, directory: &Path) -> String {
    let said = said.replace(&format!("{}/", directory.display()), "");
    let word = |word: &str| match word.rsplit_once('/') {
        Some((_, name)) if word.starts_with('/') && !name.trim().is_empty() => name.to_owned(),
        _ => word.to_owned(),
    };
    let said: String = said.split_inclusive(char::is_whitespace).map(word).collect();
    let mut lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    let mut text: String = lines.join("\n").chars().take(MOST).collect();
    if more > 0 {
        text += &format!("\n({more} more lines)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Description;

    #[test]
    fn words_of_linkers_by_kind() {
        let of = |name: &str, said: &str| kind(&Description::find(name).expect(name).says, said);
        for (name, said, expected) in [
            (
                "ld",
                "a.o: in function `f':\n(.text+0x0): relocation truncated to fit: R_AARCH64_CALL26 against",
                Kind::OutOfRange,
            ),
            (
                "lld",
                "ld.lld: error: a.o:(.text+0x0): relocation R_AARCH64_CALL26 out of range: 1 is not in [..]",
                Kind::OutOfRange,
            ),
            ("lld", "ld.lld: error: improper alignment for relocation R_AARCH64_LDST64_ABS_LO12_NC", Kind::Misaligned),
            ("ld", "a.o:(.text+0x0): undefined reference to `f'", Kind::Undefined),
            ("mold", "mold: error: undefined symbol: f", Kind::Undefined),
            ("gold", "a.o: undefined reference to 'f'\na.o: relocation overflow in R_AARCH64_CALL26", Kind::Undefined),
            ("ld", "b.o: multiple definition of `f'; a.o: first defined here", Kind::Duplicate),
            ("ld", "ld: a.o: warning: unsupported GNU_PROPERTY\nb.o: undefined reference to `x'", Kind::Undefined),
            ("wild", "wild: error: Duplicate symbols detected: f, defined in a.o and b.o", Kind::Duplicate),
            (
                "wild",
                "wild: error: Failed copying from a.o\n Relocation 65536 outside of bounds [0, 65536)",
                Kind::OutOfRange,
            ),
            ("wild", "thread 'main' panicked at src/x.rs:\nnot yet implemented: relocation", Kind::Crash),
            ("ld", "hm", Kind::Other),
        ] {
            assert_eq!(of(name, said), expected, "{name}: {said}");
        }
    }

    #[test]
    fn directories_are_left_out() {
        let said = "/usr/bin/ld: /work/it/a.o: x/y\nat /home/me/src/b.rs:3 / 2";
        assert_eq!(shortened(said, Path::new("/work/it")), "ld: a.o: x/y\nat b.rs:3 / 2");
    }
}
