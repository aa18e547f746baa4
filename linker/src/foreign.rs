//! Recognises files that are no objects of a format this linker reads: people hand over what their build left, and want to be
//! told what it is and not what it is not.

use crate::formats;

/// Formats by how their files begin.
static STARTS: &[(&[u8], &str)] = &[
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\xde\xc0\x17\x0b", "LLVM bitcode (with a wrapper)"),
    (b"!<arch>\n", "an archive"),
    (b"!<thin>\n", "a thin archive"),
    (b"<bigaf>\n", "an AIX archive"),
    (b"\0asm", "a WebAssembly module"),
    (b"MZ", "a Windows (PE) executable or library"),
    (b"\0\0\xff\xff", "a Windows (COFF) object or a member of an import library"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\xfd7zXZ\0", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"BZh", "compressed by bzip2"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"rust\0\0\0", "metadata of the Rust compiler"),
    (b"gpch", "a precompiled header of GCC"),
    (b"CPCH", "a precompiled header of clang"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"%PDF", "a document (PDF)"),
];

/// `magic` of Mach-O files in either byte order, and whether it is the big one.
static MACH: &[(&[u8], bool)] = &[
    (b"\xce\xfa\xed\xfe", false),
    (b"\xcf\xfa\xed\xfe", false),
    (b"\xfe\xed\xfa\xce", true),
    (b"\xfe\xed\xfa\xcf", true),
];

/// `cputype` of Mach-O files.
static MACH_MACHINES: &[(u32, &str)] = &[
    (7, "x86 (32-bit)"),
    (12, "32-bit ARM"),
    (18, "PowerPC"),
    (0x0100_0007, "x86-64"),
    (0x0100_000c, "ARM64"),
    (0x0200_000c, "ARM64, ILP32"),
];

/// `Machine` of COFF objects.
static COFF_MACHINES: &[(u16, &str)] = &[
    (0x014c, "x86 (32-bit)"),
    (0x8664, "x86-64"),
    (0x01c0, "32-bit ARM"),
    (0x01c2, "32-bit ARM, Thumb"),
    (0x01c4, "32-bit ARM, Thumb-2"),
    (0xaa64, "ARM64"),
    (0xa641, "ARM64EC"),
];

/// Bytes that are looked at to tell whether a file is text.
const SAMPLE: usize = 4096;

/// Words that begin a command of a linker script, with what follows them.
static SCRIPT: &[&str] = &["GROUP", "INPUT", "SECTIONS", "OUTPUT_FORMAT", "OUTPUT_ARCH", "MEMORY", "PHDRS", "ENTRY"];

fn word(data: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes: [u8; 4] = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

/// What [`describe`] says of a file that begins as none that is known.
pub const UNKNOWN: &str = "of no format known here";

/// What a file is, as what follows `is` in a sentence. Reads its beginning only.
pub fn describe(data: &[u8]) -> String {
    if data.is_empty() {
        return "empty".to_owned();
    }
    if let Some(format) = formats::of(data) {
        return (format.describe)(data);
    }
    if let Some(&(_, big)) = MACH.iter().find(|(magic, _)| data.starts_with(magic)) {
        let machine = word(data, 4, big).and_then(|cpu| MACH_MACHINES.iter().find(|(known, _)| *known == cpu));
        let sort = if word(data, 12, big) == Some(1) { "object" } else { "file" };
        return machine.map_or(format!("a Mach-O {sort}"), |(_, name)| format!("a Mach-O {sort} for {name}"));
    }
    // Java's classes begin so too, but with a version where these have the small number of their parts.
    if data.starts_with(b"\xca\xfe\xba\xbe") {
        let few = word(data, 4, true).is_some_and(|parts| parts < 0x2d);
        return if few { "a universal Mach-O file".to_owned() } else { "a class file of Java".to_owned() };
    }
    if let Some((_, what)) = STARTS.iter().find(|(start, _)| data.starts_with(start)) {
        return (*what).to_owned();
    }
    if let Some(name) = coff(data) {
        return format!("a Windows (COFF) object for {name}");
    }
    match text(data) {
        Some(text) if is_script(text) => "a linker script, which nothing here reads".to_owned(),
        Some(_) => "text".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

/// The machine of a COFF object: it begins with no magic number, so more of the header has to make sense.
fn coff(data: &[u8]) -> Option<&'static str> {
    let machine = u16::from_le_bytes([*data.first()?, *data.get(1)?]);
    let symbols = word(data, 8, false)? as usize;
    let optional = u16::from_le_bytes([*data.get(16)?, *data.get(17)?]);
    let name = COFF_MACHINES.iter().find(|(known, _)| *known == machine)?.1;
    (symbols <= data.len() && optional == 0).then_some(name)
}

/// The beginning of a file, if it is text.
fn text(data: &[u8]) -> Option<&str> {
    let sample = &data[..data.len().min(SAMPLE)];
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character may be cut in two at the end of the sample.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&sample[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    text.chars().all(|c| !c.is_control() || "\n\r\t\u{c}\u{1b}".contains(c)).then_some(text)
}

fn is_script(text: &str) -> bool {
    SCRIPT.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + word.len()..].trim_start();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_') && behind.starts_with(['(', '{'])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_for_what_they_are() {
        let coff = [&[0x64, 0xaa, 1, 0][..], &[0; 20]].concat();
        let cases: &[(&[u8], &str)] = &[
            (b"", "empty"),
            (b"BC\xc0\xde1234", "LLVM bitcode"),
            (b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x01\0\0\0", "a Mach-O object for ARM64"),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", "a universal Mach-O file"),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", "a class file of Java"),
            (&coff, "a Windows (COFF) object for ARM64"),
            (b"/* GNU ld script */\nGROUP ( libc.so.6 )\n", "a linker script, which nothing here reads"),
            (b"int main(void) { return 0; }\n", "text"),
            (b"int MY_GROUP(int x);\n", "text"),
            (b"\x1f\x8b\x08", "compressed by gzip"),
            (b"\0asm\x01\0\0\0", "a WebAssembly module"),
            (&[1, 2, 3], UNKNOWN),
        ];
        for (data, expected) in cases {
            assert_eq!(describe(data), *expected);
            for cut in 0..data.len() {
                describe(&data[..cut]);
            }
        }
    }
}
