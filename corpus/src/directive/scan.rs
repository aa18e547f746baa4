//! Finding parts and directives in a source. Nothing is interpreted here, so everything can be said with its place.

use super::{DirectiveError, Location, Scope, Spec};
use crate::text::nearest;

/// A case file, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The file, as errors name it.
    pub file: String,
    /// In the order they stand.
    pub parts: Vec<Part>,
    /// In the order they stand.
    pub directives: Vec<Raw>,
}

/// One source of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `NAME.EXT`.
    pub name: String,
    /// The line of the case file before its first one: a compiler's line numbers are relative to it.
    pub line: usize,
    /// Its text, as it stands in the file.
    pub text: String,
}

/// A directive whose value has not been looked at.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Which one.
    pub spec: &'static Spec,
    /// For what it holds.
    pub scope: Scope,
    /// What stands after the colon, without surrounding white space.
    pub value: String,
    /// Where the directive's name stands.
    pub at: Location,
    /// Where its value stands.
    pub value_at: Location,
}

impl PartialEq for Raw {
    fn eq(&self, other: &Raw) -> bool {
        std::ptr::eq(self.spec, other.spec) && self.scope == other.scope && self.value == other.value
    }
}

/// The kinds of parts: extension, and how a comment begins.
pub(crate) const EXTENSIONS: &[(&str, &str)] =
    &[("c", "//"), ("cc", "//"), ("S", "//"), ("s", "//"), ("ll", ";"), ("h", "//"), ("lds", "//")];

/// Those that are read with others, and not compiled: headers and linker scripts.
pub(crate) const READ: &[&str] = &["h", "lds"];

/// The extension of a file's name, when it is one of a source.
pub(crate) fn extension(name: &str) -> Option<&'static (&'static str, &'static str)> {
    let (stem, extension) = name.rsplit_once('.')?;
    EXTENSIONS.iter().find(|row| row.0 == extension && !stem.is_empty())
}

/// A comment that is or looks like a directive.
struct Comment<'a> {
    name: &'a str,
    scope: Option<&'a str>,
    value: &'a str,
    name_at: usize,
    scope_at: usize,
    value_at: usize,
}

/// Takes a case file apart. `file` is how errors name it; `name` is its last component. Every error is listed.
pub fn scan(file: &str, name: &str, text: &str) -> Result<Source, Vec<DirectiveError>> {
    let mut errors = Vec::new();
    let parts = split(file, name, text, &mut errors);
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let mut directives = Vec::new();
    let mut current = name;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        if let Some(part) = part_name(line, name) {
            current = part;
            continue;
        }
        let Some(&(_, marker)) = extension(current) else { continue };
        let Some(comment) = comment(line, marker) else { continue };
        let at = |offset| Location { line: line_number, column: column(line, offset) };
        let Some(spec) = Spec::named(comment.name) else {
            let known = super::DIRECTIVES.iter().map(|spec| spec.name);
            let error = at(comment.name_at).error(file, format!("there is no directive `{}`", comment.name));
            errors.push(error.meant(nearest(comment.name, known)));
            continue;
        };
        let scope = match comment.scope.map(|scope| Scope::parse(scope, spec, &names)) {
            None => Scope::default(),
            Some(Ok(scope)) => scope,
            Some(Err((message, meant))) => {
                errors.push(at(comment.scope_at).error(file, message).meant(meant.as_deref()));
                continue;
            }
        };
        let value = comment.value.to_owned();
        directives.push(Raw { spec, scope, value, at: at(comment.name_at), value_at: at(comment.value_at) });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let parts = parts.into_iter().enumerate().filter(|(index, part)| *index > 0 || has_code(part));
    Ok(Source { file: file.to_owned(), parts: parts.map(|(_, part)| part).collect(), directives })
}

fn split(file: &str, name: &str, text: &str, errors: &mut Vec<DirectiveError>) -> Vec<Part> {
    let mut parts = vec![Part { name: name.to_owned(), line: 0, text: String::new() }];
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match part_name(line, name) {
            None => parts.last_mut().expect("there is a first part").text.push_str(line),
            Some(part) => {
                let at = Location { line: index + 1, column: column(line, line.find(part).unwrap_or(0)) };
                if !is_plain(part) || extension(part).is_none() {
                    let known: Vec<&str> = EXTENSIONS.iter().map(|row| row.0).collect();
                    errors.push(at.error(file, format!("expected NAME.EXT, where EXT is one of {}", known.join(" "))));
                } else if parts.iter().any(|other| other.name == part && (other.line > 0 || has_code(other))) {
                    errors.push(at.error(file, format!("there is a part `{part}` already")));
                }
                parts.push(Part { name: part.to_owned(), line: index + 1, text: String::new() });
            }
        }
    }
    parts
}

/// The name of the part that starts with this line. The marker is a comment of the case's own language.
fn part_name<'a>(line: &'a str, case: &str) -> Option<&'a str> {
    let ir = case.ends_with(".ll");
    line.strip_prefix("//---").or_else(|| line.strip_prefix(";---").filter(|_| ir)).map(str::trim)
}

/// Whether compilers and linkers take a name for that of a file in the directory where they work: not for an option, a list of
/// options or a path.
pub fn is_plain(name: &str) -> bool {
    let may_begin = |c: char| c.is_alphanumeric() || c == '_';
    name.starts_with(may_begin) && name.chars().all(|c| may_begin(c) || "_.+-".contains(c))
}

/// Whether anything but comments and white space is there.
fn has_code(part: &Part) -> bool {
    let mut rest = part.text.as_str();
    let marker = extension(&part.name).map_or("//", |row| row.1);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return false;
        } else if rest.starts_with(marker) {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if marker == "//" && rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            return true;
        }
    }
}

/// The comment of this line, if it reads `// word: ...` or `// word(scope): ...`. Indented, it counts only when the word
/// is a directive's name: then the author meant one.
fn comment<'a>(line: &'a str, marker: &str) -> Option<Comment<'a>> {
    let indent = line.len() - line.trim_start().len();
    let body = line[indent..].strip_prefix(marker)?;
    let trimmed = body.trim_start();
    let name_at = line.len() - trimmed.len();
    let length = trimmed.find(|c: char| !c.is_ascii_lowercase() && c != '-' && c != '_').unwrap_or(trimmed.len());
    let (name, mut rest) = trimmed.split_at(length);
    if name.is_empty() {
        return None;
    }
    let mut scope = None;
    let mut scope_at = name_at;
    if let Some(inner) = rest.strip_prefix('(') {
        let end = closing(inner)?;
        scope_at = line.len() - inner.len();
        scope = Some(&inner[..end]);
        rest = &inner[end + 1..];
    }
    let after = rest.strip_prefix(':')?;
    let known = Spec::named(name).is_some();
    if !known && (indent > 0 || !(after.is_empty() || after.starts_with(char::is_whitespace))) {
        return None;
    }
    let value_at = line.len() - after.trim_start().len();
    Some(Comment { name, scope, value: after.trim(), name_at, scope_at, value_at })
}

/// The end of a scope: the parenthesis that closes it (a layout by hand has some of its own).
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(index),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

pub(crate) fn column(line: &str, offset: usize) -> usize {
    line.char_indices().take_while(|(at, _)| *at < offset).count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> String {
        scan("g/x.c", "x.c", text).expect_err(text)[0].to_string()
    }

    #[test]
    fn parts_and_directives() {
        let text = "/* prose */\n// call: f() = void\nint f(void);\n//--- a.c\n// flags(gcc, a.c): -O1\n// Note: prose\n// see http://x\nint a;\n";
        let source = scan("g/x.c", "x.c", text).expect("right");
        assert_eq!(source.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["x.c", "a.c"]);
        assert_eq!(source.parts[1].line, 4);
        assert_eq!(source.directives.len(), 2);
        assert_eq!(source.directives[0].value, "f() = void");
        assert_eq!(source.directives[0].value_at, Location { line: 2, column: 10 });
        assert_eq!(source.directives[1].scope.0.len(), 2);
        let source = scan("g/x.ll", "x.ll", "define\n;--- b.ll\ndefine\n").expect("right");
        assert_eq!(source.parts.len(), 2);
        let source = scan("g/x.c", "x.c", "/* none\n */\n// arch: armv7\n//--- x.c\nint a;\n").expect("right");
        assert_eq!(source.parts.len(), 1);
    }

    #[test]
    fn errors_name_the_place_and_what_was_meant() {
        assert_eq!(first("\n// cal: f()"), "g/x.c:2:4: there is no directive `cal` (did you mean `call`?)");
        assert_eq!(first("// note: see there"), "g/x.c:1:4: there is no directive `note`");
        assert!(
            first("// flags(aarch65): -O").starts_with("g/x.c:1:10: `aarch65` is no scope"),
            "{}",
            first("// flags(aarch65): -O")
        );
        assert!(first("// flags(aarch65): -O").ends_with("(did you mean `aarch64`?)"));
        assert!(first("// arch(gcc): armv7").contains("cannot be a scope of `arch`: it takes none"));
        assert!(first("//--- ../a.c").starts_with("g/x.c:1:7: expected NAME.EXT"));
        assert!(first("//--- a.c\n//--- a.c\n").starts_with("g/x.c:2:7: there is a part `a.c` already"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "(\\PC|\n)*") {
            let _ = scan("x.c", "x.c", &text);
        }

        #[test]
        fn never_panics_on_near_misses(text in "(//(---)? ?(call|for|x|é)?(\\((\\PC{0,4})\\)?)?:? ?\\PC{0,9}\n){0,4}") {
            let _ = scan("x.c", "x.c", &text);
        }
    }
}
