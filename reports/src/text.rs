//! Text that came from elsewhere (names of symbols, output of guests), made fit to be shown.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` on one line, with every character that acts as its escape.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    linker::error::printable(text, "")
}

/// The length of a text in columns.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The first `most` bytes or fewer, up to the end of a character.
pub(crate) fn head(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// `text` in lines of at most `width` columns, broken at spaces; the second and later lines have `indent` spaces first.
/// A word that is longer than a line stays whole: it may be something to copy.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // Leading spaces belong to the first word.
    let mut bare = true;
    let mut gap = 0;
    for word in text.split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        let length = columns(word);
        if !bare && used + gap + length > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            used = indent;
            gap = 0;
        }
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(word);
        used += gap + length;
        gap = 1;
        bare = false;
    }
    lines.push(line);
    lines
}

/// `1 configuration`, `2 configurations`, `2 causes of failures`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let (noun, rest) = what.split_once(" of ").map_or((what, String::new()), |(noun, of)| (noun, format!(" of {of}")));
    format!("{count} {noun}{}{rest}", if count == 1 { "" } else { "s" })
}

/// `parts` with commas between; those that count nothing are left out, all but the first when all do.
pub(crate) fn counts(parts: &[(usize, &str)]) -> String {
    let mut out = String::new();
    for (count, what) in parts.iter().filter(|part| part.0 != 0) {
        let _ = write!(out, "{}{count} {what}", if out.is_empty() { "" } else { ", " });
    }
    match parts.first() {
        Some((count, what)) if out.is_empty() => format!("{count} {what}"),
        _ => out,
    }
}
