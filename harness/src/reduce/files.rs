//! The files of a link: as they are, in archives, or in what linkers write to have a link again (`--reproduce` of lld, `--repro` of mold).

use std::io::Read as _;

use super::Part;
use crate::exit::BadInput;
use crate::inputs;
use crate::linking::{Data, Input};

/// What linkers call the list of their words in such a file.
const RESPONSE: &str = "response.txt";

/// Bytes of all that is unpacked.
const MOST: u64 = 1 << 30;

/// The parts of these files, in order. Words of a repeated link that name no file come second.
///
/// # Errors
/// A file is damaged.
pub fn read(files: Vec<Input>) -> Result<(Vec<Part>, Vec<String>), BadInput> {
    let (mut parts, mut words) = (Vec::new(), Vec::new());
    for file in files {
        if is_tar(&file.data) {
            let (found, rest) = unpack(&file)?;
            found.iter().for_each(|file| add(&mut parts, file));
            words.extend(rest);
        } else {
            add(&mut parts, &file);
        }
    }
    Ok((parts, words))
}

/// Whether it is a tape archive (POSIX, ustar): its magic is in the first header.
fn is_tar(data: &[u8]) -> bool {
    data.get(257..262) == Some(b"ustar")
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn add(parts: &mut Vec<Part>, file: &Input) {
    // A name is for one file.
    let taken =
        |name: &str, parts: &[Part]| parts.iter().any(|part| part.archive.as_deref().unwrap_or(&part.name) == name);
    let mut name = base(&file.name).to_owned();
    let mut number = 1;
    while taken(&name, parts) {
        name = format!("{number}-{}", base(&file.name));
        number += 1;
    }
    match inputs::members(file) {
        None => parts.push(Part { name, archive: None, bytes: file.data.to_vec() }),
        Some(members) => parts.extend(members.into_iter().map(|(member, data)| Part {
            name: base(&member).to_owned(),
            archive: Some(name.clone()),
            bytes: data.to_vec(),
        })),
    }
}

/// The objects and archives of a repeated link in the order of its words, and the words that are none of them.
fn unpack(file: &Input) -> Result<(Vec<Input>, Vec<String>), BadInput> {
    let bad = |error: std::io::Error| BadInput(format!("{}: {error}", file.name));
    let mut archive = tar::Archive::new(&*file.data);
    let (mut response, mut entries) = (String::new(), Vec::new());
    let mut left = MOST;
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let size = entry.size();
        left = left
            .checked_sub(size)
            .ok_or_else(|| BadInput(format!("{}: more than {MOST} bytes are in it", file.name)))?;
        let mut bytes = Vec::new();
        entry.by_ref().take(size).read_to_end(&mut bytes).map_err(bad)?;
        if base(&path) == RESPONSE {
            response = String::from_utf8_lossy(&bytes).into_owned();
        } else if bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"!<arch>\n") {
            entries.push((path, bytes));
        }
    }
    if entries.is_empty() {
        return Err(BadInput(format!("{}: no object and no archive is in it", file.name)));
    }
    let (mut found, mut rest) = (Vec::new(), Vec::new());
    for word in response.split_whitespace() {
        let word = word.trim_matches('"');
        let ends = |path: &str| path == word || path.strip_suffix(word).is_some_and(|start| start.ends_with('/'));
        match entries.iter().position(|(path, _)| ends(path)) {
            Some(at) => {
                let (path, bytes) = entries.remove(at);
                found.push(Input::new(path, Data::Read(bytes)));
            }
            None => rest.push(word.to_owned()),
        }
    }
    // Of those no word is known, as where a name is escaped.
    found.extend(entries.into_iter().map(|(path, bytes)| Input::new(path, Data::Read(bytes))));
    Ok((found, rest))
}
