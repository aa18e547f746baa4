//! Writing static archives, GNU form, always the same bytes for the same members. Its own writer, because `ar` and
//! `llvm-ar` differ in their bytes, and one of them would have to be there.

use object::{Object, ObjectSymbol};

/// An archive of these members (name, bytes), with a symbol table.
pub fn write(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let symbols: Vec<Vec<String>> = members.iter().map(|(_, data)| defined(data)).collect();
    let mut long_names = String::new();
    let names: Vec<String> = members.iter().map(|(name, _)| entry_name(name, &mut long_names)).collect();

    let count: usize = symbols.iter().map(Vec::len).sum();
    let strings: usize = symbols.iter().flatten().map(|name| name.len() + 1).sum();
    let table_size = if count == 0 { 0 } else { 4 + 4 * count + strings };
    let mut offset = 8;
    for size in [table_size, long_names.len()] {
        offset += if size == 0 { 0 } else { 60 + size.next_multiple_of(2) };
    }

    let mut out = b"!<arch>\n".to_vec();
    if count > 0 {
        let mut table = (count as u32).to_be_bytes().to_vec();
        for ((_, data), names) in members.iter().zip(&symbols) {
            names.iter().for_each(|_| table.extend((offset as u32).to_be_bytes()));
            offset += 60 + data.len().next_multiple_of(2);
        }
        for name in symbols.iter().flatten() {
            table.extend(name.as_bytes());
            table.push(0);
        }
        entry(&mut out, "/", &table, false);
    }
    if !long_names.is_empty() {
        entry(&mut out, "//", long_names.as_bytes(), false);
    }
    for ((_, data), name) in members.iter().zip(&names) {
        entry(&mut out, name, data, true);
    }
    out
}

fn entry_name(name: &str, long_names: &mut String) -> String {
    if name.len() < 16 {
        return format!("{name}/");
    }
    let at = long_names.len();
    long_names.push_str(name);
    long_names.push_str("/\n");
    format!("/{at}")
}

fn entry(out: &mut Vec<u8>, name: &str, data: &[u8], member: bool) {
    let mode = if member { "644" } else { "0" };
    out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{mode:<8}{:<10}`\n", 0, 0, 0, data.len()).as_bytes());
    out.extend(data);
    if !data.len().is_multiple_of(2) {
        out.push(b'\n');
    }
}

/// The names of the symbols an object defines for others, in the order of its table.
fn defined(data: &[u8]) -> Vec<String> {
    let Ok(file) = object::File::parse(data) else { return Vec::new() };
    let symbols = file.symbols().filter(|symbol| symbol.is_global() && !symbol.is_undefined());
    symbols.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reader_finds_the_members() {
        let long = "a_name_longer_than_fits.o".to_owned();
        let members = vec![("a.o".to_owned(), b"odd".to_vec()), (long, b"even".to_vec())];
        let bytes = write(&members);
        let archive = object::read::archive::ArchiveFile::parse(&*bytes).expect("an archive");
        let found: Vec<(String, Vec<u8>)> = archive
            .members()
            .map(|member| {
                let member = member.expect("a member");
                (String::from_utf8_lossy(member.name()).into_owned(), member.data(&*bytes).expect("data").to_vec())
            })
            .collect();
        assert_eq!(found, members);
        assert_eq!(bytes, write(&members));
    }
}
