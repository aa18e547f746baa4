//! Reading short texts: a cursor that knows where it is, so that every error can say so.

/// What was expected, and at which byte of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct ParseError {
    /// Offset in bytes into the text that was parsed.
    pub at: usize,
    /// What would have been right there.
    pub expected: String,
}

impl ParseError {
    pub(crate) fn new(at: usize, expected: impl Into<String>) -> ParseError {
        ParseError { at, expected: expected.into() }
    }
}

/// A position in a text.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Characters of a symbol's name.
pub(crate) fn is_symbol(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '@')
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(crate) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    pub(crate) fn expect(&mut self, wanted: char) -> Result<(), ParseError> {
        if self.eat(wanted) { Ok(()) } else { Err(ParseError::new(self.at, format!("`{wanted}`"))) }
    }

    pub(crate) fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(crate) fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Up to the next white space.
    pub(crate) fn word(&mut self) -> &'a str {
        self.skip_spaces();
        self.take_while(|c| !c.is_whitespace())
    }

    pub(crate) fn symbol(&mut self) -> Result<&'a str, ParseError> {
        let start = self.at;
        let name = self.take_while(is_symbol);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(ParseError::new(start, "the name of a symbol"));
        }
        Ok(name)
    }

    /// Decimal or behind `0x`, `0o` or `0b`, 64 bits.
    pub(crate) fn unsigned(&mut self) -> Result<u64, ParseError> {
        let start = self.at;
        let token = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let number =
            unsigned(token).ok_or_else(|| ParseError::new(start, "a number, decimal or behind 0x, 0o or 0b"))?;
        Ok(number.0)
    }

    /// `"text"` with the escapes `\n \t \r \0 \\ \" \xNN`.
    pub(crate) fn quoted(&mut self) -> Result<Vec<u8>, ParseError> {
        let start = self.at;
        self.expect('"')?;
        let mut bytes = Vec::new();
        loop {
            let at = self.at;
            match self.bump() {
                None => return Err(ParseError::new(start, "a closing `\"`")),
                Some('"') => return Ok(bytes),
                Some('\\') => bytes.push(self.escape(at)?),
                Some(other) => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<u8, ParseError> {
        Ok(match self.bump() {
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('r') => b'\r',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let digits = self.rest().get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let digits = digits.ok_or_else(|| ParseError::new(at, "two hexadecimal digits after `\\x`"))?;
                self.at += 2;
                u8::from_str_radix(digits, 16).map_err(|_| ParseError::new(at, "two hexadecimal digits"))?
            }
            _ => return Err(ParseError::new(at, r#"one of \n \t \r \0 \\ \" \xNN"#)),
        })
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        self.skip_spaces();
        if self.rest().is_empty() { Ok(()) } else { Err(ParseError::new(self.at, "nothing more here")) }
    }
}

/// How numbers begin that are not decimal, and their bases.
const BASES: [(&str, u32); 5] = [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2), ("0B", 2)];

/// A number of at most 64 bits, and whether it was written bit by bit, that is in another base than 10. `_` may stand between
/// digits.
pub(crate) fn unsigned(text: &str) -> Option<(u64, bool)> {
    let behind = BASES.iter().find_map(|(prefix, radix)| Some((text.strip_prefix(prefix)?, *radix)));
    let (digits, radix) = behind.unwrap_or((text, 10));
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let number = u64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some((number, radix != 10))
}

/// The bytes as `"text"`, as [`Cursor::quoted`] reads them.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if (c as u32) < 0x20 || c == '\x7f' => out.push_str(&format!("\\x{:02x}", c as u32)),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// The name nearest to `word`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.len() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Insertions, removals and replacements between two words, at most 64 bytes of each.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (&a.as_bytes()[..a.len().min(64)], &b.as_bytes()[..b.len().min(64)]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses() {
        let names = ["call", "covers", "prints", "link-error"];
        assert_eq!(nearest("cal", names), Some("call"));
        assert_eq!(nearest("cover", names), Some("covers"));
        assert_eq!(nearest("link_error", names), Some("link-error"));
        assert_eq!(nearest("todo", names), None);
    }
}
