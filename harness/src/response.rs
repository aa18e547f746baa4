//! Response files: `@FILE` stands for the words in FILE, as with GNU tools and LLVM's.
//!
//! Words are apart by white space; quotes of either kind, and a backslash before a character, keep it in a word. A word of
//! a file may be `@FILE` again. A word whose file cannot be read stays what it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use anyhow::Result;
use outside::Problem;

/// How deep files may name files: one that names itself has no end.
const DEPTH: usize = 32;

/// Bytes of all files together.
const SIZE: usize = 64 << 20;

/// The words with all response files put in.
pub fn expand(words: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>> {
    let mut out = Vec::new();
    let mut left = SIZE;
    for word in words {
        put(word, DEPTH, &mut left, &mut out)?;
    }
    Ok(out)
}

fn put(word: OsString, depth: usize, left: &mut usize, out: &mut Vec<OsString>) -> Result<()> {
    let Some(path) = word.as_bytes().strip_prefix(b"@").filter(|path| !path.is_empty()) else {
        out.push(word);
        return Ok(());
    };
    let content = match outside::read(OsStr::from_bytes(path), SIZE as u64) {
        Ok(content) => content,
        Err(error) if matches!(error.problem, Problem::TooLong(_)) => return Err(error.into()),
        Err(_) => {
            out.push(word);
            return Ok(());
        }
    };
    if depth == 0 {
        bad_input!("{}: response files name each other, more than {DEPTH} deep", word.display());
    }
    *left = match left.checked_sub(content.len()) {
        Some(left) => left,
        None => bad_input!("{}: response files have more than {SIZE} bytes together", word.display()),
    };
    words(&content).into_iter().try_for_each(|word| put(OsString::from_vec(word), depth - 1, left, out))
}

/// The words of a file.
fn words(content: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = content.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (byte, Some(open)) if byte == open => quote = None,
            (byte, None) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_apart_by_white_space_that_nothing_keeps() {
        let split = |text: &str| -> Vec<String> {
            words(text.as_bytes()).into_iter().map(|word| String::from_utf8(word).expect("text")).collect()
        };
        assert_eq!(split("a  b\n\tc\r\n"), ["a", "b", "c"]);
        assert_eq!(split(r#"'a b' "c 'd" e\ f g"h"i '' \"#), ["a b", "c 'd", "e f", "ghi", "", ""]);
        assert_eq!(split(r#""a\"b" 'c\'d' C:\\x"#), ["a\"b", "c'd", r"C:\x"]);
        assert_eq!(split(" \n "), Vec::<String>::new());
        assert_eq!(split("'open"), ["open"]);
    }

    #[test]
    fn files_may_name_files_but_not_themselves() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let at = |name: &str| OsString::from(format!("@{}", path(name).display()));
        std::fs::write(path("inner"), "b 'c d'").expect("written");
        std::fs::write(path("outer"), format!("a @{} e", path("inner").display())).expect("written");
        std::fs::write(path("loop"), format!("x @{}", path("loop").display())).expect("written");
        let expanded = expand([OsString::from("first"), at("outer"), at("none"), "@".into()]).expect("expands");
        let expected: Vec<OsString> =
            ["first", "a", "b", "c d", "e"].map(OsString::from).into_iter().chain([at("none"), "@".into()]).collect();
        assert_eq!(expanded, expected);
        assert!(expand([at("loop")]).expect_err("it has no end").to_string().contains("32 deep"));
    }
}
