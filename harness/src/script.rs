//! Linker scripts as far as they stand for libraries: C libraries come as a text that says which archives they are.
//!
//! `GROUP`, `INPUT` and `AS_NEEDED` name files, `SEARCH_DIR` directories, `EXTERN` symbols that are wanted; `OUTPUT_FORMAT` and
//! `OUTPUT_ARCH` say what the files tell themselves. Anything else is about layout, and an error by name.

/// A file that a script names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its path or name.
    File(String),
    /// `-lNAME`, which is looked for.
    Library(String),
}

/// What a script says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The files, in order.
    pub files: Vec<Named>,
    /// Directories to look for libraries in.
    pub directories: Vec<String>,
    /// Symbols that are wanted.
    pub wanted: Vec<String>,
}

/// Bytes that are looked at to tell a text from anything else.
const LOOKED_AT: usize = 4096;

/// Whether a file is a text that may be a script: neither an object nor an archive begins so.
pub fn is_text(data: &[u8]) -> bool {
    let start = &data[..data.len().min(LOOKED_AT)];
    // The archive of nothing is all text, too.
    let archive = [object::archive::MAGIC, object::archive::THIN_MAGIC].iter().any(|magic| start.starts_with(magic));
    !archive && !start.is_empty() && start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// Whether a text begins with a command of scripts.
pub fn is_script(data: &[u8]) -> bool {
    if !is_text(data) {
        return false;
    }
    let text = String::from_utf8_lossy(&data[..data.len().min(LOOKED_AT)]);
    let mut tokens = Tokens { rest: &text };
    let (first, second) = (tokens.next(), tokens.next());
    first.is_some_and(|command| command == "ENTRY" || COMMANDS.contains(&command)) && second == Some("(")
}

const COMMANDS: &[&str] = &["GROUP", "INPUT", "OUTPUT_FORMAT", "OUTPUT_ARCH", "SEARCH_DIR", "EXTERN"];

/// Words, and parentheses and commas by themselves. Comments are left out.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix("/*") {
                Some(comment) => self.rest = comment.find("*/").map_or("", |end| &comment[end + 2..]),
                None => break,
            }
        }
        let first = self.rest.chars().next()?;
        if let Some(quoted) = self.rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            self.rest = quoted.get(end + 1..).unwrap_or("");
            return Some(&quoted[..end]);
        }
        let end = match first {
            '(' | ')' | ',' | ';' | '{' | '}' => 1,
            _ => self.rest.find(|c: char| c.is_whitespace() || "(),;{}\"".contains(c)).unwrap_or(self.rest.len()),
        };
        let (token, rest) = self.rest.split_at(end.max(1));
        self.rest = rest;
        Some(token)
    }
}

/// Reads a script. `Err` says what is not understood.
pub fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    let mut tokens = Tokens { rest: text };
    while let Some(command) = tokens.next() {
        if command == ";" {
            continue;
        }
        if !COMMANDS.contains(&command) {
            return Err(format!("linker script: {command} is not supported, expected one of {}", COMMANDS.join(", ")));
        }
        if tokens.next() != Some("(") {
            return Err(format!("linker script: {command} without a list in parentheses"));
        }
        // AS_NEEDED in a list is a list in it: archives give what is needed anyway.
        let mut depth = 1;
        while depth > 0 {
            match tokens.next() {
                None => return Err(format!("linker script: the list of {command} has no end")),
                Some("(") => depth += 1,
                Some(")") => depth -= 1,
                Some("," | ";" | "AS_NEEDED") => {}
                Some(word) => take(&mut script, command, word),
            }
        }
    }
    Ok(script)
}

fn take(script: &mut Script, command: &str, word: &str) {
    match command {
        "GROUP" | "INPUT" => script.files.push(match word.strip_prefix("-l") {
            Some(library) => Named::Library(library.to_owned()),
            None => Named::File(word.to_owned()),
        }),
        "SEARCH_DIR" => script.directories.push(word.to_owned()),
        "EXTERN" => script.wanted.push(word.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_are_texts() {
        let text = "/* GNU ld script\n */\nOUTPUT_FORMAT(elf64-littleaarch64)\nGROUP ( /usr/lib/libm-2.36.a AS_NEEDED(\"a b.a\", -lmvec) )";
        assert!(is_script(text.as_bytes()));
        let script = parse(text).expect("understood");
        let file = |name: &str| Named::File(name.to_owned());
        assert_eq!(script.files, [file("/usr/lib/libm-2.36.a"), file("a b.a"), Named::Library("mvec".to_owned())]);
        assert_eq!(parse("INPUT(-lc);EXTERN(x)").expect("understood").wanted, ["x"]);
        assert_eq!(parse("INPUT(=/below/the/root.o)").expect("understood").files, [file("=/below/the/root.o")]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, says) in [
            ("SECTIONS { .text : { *(.text) } }", "SECTIONS is not supported"),
            ("GROUP ( a.a", "GROUP has no end"),
            ("INPUT a.o", "INPUT without a list"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(says), "{problem}");
        }
        assert!(!is_script(b"int main(void) { return 0; }") && !is_text(b"!<arch>\n") && !is_script(b""));
    }
}
