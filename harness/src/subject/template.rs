//! The words of a linker's command, in which names in braces stand for what differs from link to link.

use std::path::Path;

/// What a name in braces stands for: one text in a word, or words in its place.
const PLACES: &[(&str, Blank, &str)] = &[
    ("inputs", Blank::Inputs, "objects and archives, in the order of the link"),
    ("output", Blank::Output, "the file to write"),
    ("script", Blank::Script, "a linker script, which says where sections go"),
    ("base", Blank::Base, "the lowest address, for linkers that take no script"),
    ("target", Blank::Target, "the words for the target"),
    ("mode", Blank::Mode, "the words for static or static-pie"),
    ("relax", Blank::Relax, "the words that leave instructions as they are, in the second run"),
    ("collect", Blank::Collect, "the words that drop what nobody refers to"),
    ("executor", Blank::Executor, "HOST:PORT at which a JIT finds its executor, instead of a file to write"),
    ("entry", Blank::Entry, "the symbol that a JIT has to ask for"),
    ("root", Blank::Root, "a symbol that has to stay: the word is there for each of them"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blank {
    Inputs,
    Output,
    Script,
    Base,
    Target,
    Mode,
    Relax,
    Collect,
    Executor,
    Entry,
    Root,
}

impl Blank {
    /// Whether words stand for it, and not a text in a word.
    fn is_words(self) -> bool {
        matches!(self, Blank::Inputs | Blank::Target | Blank::Mode | Blank::Relax | Blank::Collect)
    }
}

/// A template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no such name.
    #[error("`{{{name}}}` in `{word}` is nothing that is known, expected one of {}", known())]
    Unknown {
        /// The name.
        name: String,
        /// The word that it stands in.
        word: String,
    },
    /// Words stand for it, so it has to be a word.
    #[error("`{{{name}}}` stands for several words and is only a part of `{word}`, expected it as a word of its own")]
    Part {
        /// The name.
        name: &'static str,
        /// The word that it stands in.
        word: String,
    },
    /// Something has to be there.
    #[error("`{{{0}}}` is missing: {1}")]
    Missing(&'static str, &'static str),
    /// A quotation mark has no second one.
    #[error("a quotation mark {0} is not closed")]
    Open(char),
    /// There is nothing.
    #[error("there is no program, expected one, and words behind it with {{inputs}} and {{output}} in them")]
    Empty,
}

fn known() -> String {
    PLACES.iter().map(|(name, ..)| format!("{{{name}}}")).collect::<Vec<_>>().join(" ")
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Blank(Blank),
}

/// The words of a command.
#[derive(Clone, Debug, Default)]
pub struct Template(Vec<Vec<Piece>>);

/// What the names stand for in one link.
#[derive(Clone, Debug, Default)]
pub struct Filling<'a> {
    /// `{inputs}`
    pub inputs: Vec<String>,
    /// `{output}`
    pub output: &'a str,
    /// `{script}`
    pub script: Option<&'a Path>,
    /// `{base}`
    pub base: u64,
    /// `{target}`
    pub target: &'a [String],
    /// `{mode}`
    pub mode: &'a [String],
    /// `{relax}`
    pub relax: &'a [String],
    /// `{collect}`
    pub collect: &'a [String],
    /// `{executor}`
    pub executor: &'a str,
    /// `{entry}`
    pub entry: &'a str,
    /// `{root}`
    pub roots: &'a [&'a str],
}

impl Template {
    /// Reads the words.
    pub fn new(words: &[String]) -> Result<Template, TemplateError> {
        words.iter().map(|word| pieces(word)).collect::<Result<_, _>>().map(Template)
    }

    /// Whether what no linker can do without is there.
    pub fn complete(&self) -> Result<(), TemplateError> {
        let jit = if self.is_jit() { &[Blank::Inputs, Blank::Entry][..] } else { &[Blank::Inputs, Blank::Output] };
        for &wanted in jit {
            if let Some((name, _, what)) = PLACES.iter().find(|place| place.1 == wanted && !self.has(wanted)) {
                return Err(TemplateError::Missing(name, what));
            }
        }
        Ok(())
    }

    fn has(&self, place: Blank) -> bool {
        self.0.iter().flatten().any(|piece| *piece == Piece::Blank(place))
    }

    /// Whether it links for an executor, in memory.
    pub fn is_jit(&self) -> bool {
        self.has(Blank::Executor)
    }

    /// Whether it takes a linker script.
    pub fn takes_script(&self) -> bool {
        self.has(Blank::Script)
    }

    /// Whether it can be told the lowest address.
    pub fn takes_base(&self) -> bool {
        self.has(Blank::Base)
    }

    /// The words of one link.
    pub fn fill(&self, filling: &Filling<'_>) -> Vec<String> {
        let mut words = Vec::new();
        for word in &self.0 {
            match word.as_slice() {
                [Piece::Blank(place)] if place.is_words() => words.extend_from_slice(match place {
                    Blank::Inputs => &filling.inputs,
                    Blank::Target => filling.target,
                    Blank::Mode => filling.mode,
                    Blank::Relax => filling.relax,
                    _ => filling.collect,
                }),
                pieces if pieces.contains(&Piece::Blank(Blank::Root)) => {
                    words.extend(filling.roots.iter().map(|root| one(pieces, filling, root)));
                }
                pieces => words.push(one(pieces, filling, "")),
            }
        }
        words
    }
}

fn one(pieces: &[Piece], filling: &Filling<'_>, root: &str) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Blank(Blank::Output) => filling.output.to_owned(),
        Piece::Blank(Blank::Script) => filling.script.map_or(String::new(), |path| path.display().to_string()),
        Piece::Blank(Blank::Executor) => filling.executor.to_owned(),
        Piece::Blank(Blank::Entry) => filling.entry.to_owned(),
        Piece::Blank(Blank::Base) => format!("{:#x}", filling.base),
        Piece::Blank(_) => root.to_owned(),
    };
    pieces.iter().map(text).collect()
}

fn pieces(word: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else { break };
        let Some(&(name, place, _)) = PLACES.iter().find(|place| place.0 == name) else {
            return Err(TemplateError::Unknown { name: name.to_owned(), word: word.to_owned() });
        };
        if place.is_words() && word.len() != name.len() + 2 {
            return Err(TemplateError::Part { name, word: word.to_owned() });
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Blank(place));
        rest = behind;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// The program and the words of a command. Blanks part words but between quotation marks; nothing else means anything.
pub(super) fn split(command: &str) -> Result<(String, Vec<String>), TemplateError> {
    let mut words: Vec<String> = Vec::new();
    let (mut open, mut inside): (Option<char>, bool) = (None, false);
    for c in command.chars() {
        match (c, open) {
            ('"' | '\'', None) => open = Some(c),
            (_, Some(mark)) if mark == c => open = None,
            (_, None) if c.is_whitespace() => {
                inside = false;
                continue;
            }
            _ => {}
        }
        if !inside {
            words.push(String::new());
            inside = true;
        }
        let is_mark = open == Some(c) || (open.is_none() && matches!(c, '"' | '\''));
        if let Some(word) = words.last_mut().filter(|_| !is_mark) {
            word.push(c);
        }
    }
    if let Some(mark) = open {
        return Err(TemplateError::Open(mark));
    }
    let program = if words.is_empty() { return Err(TemplateError::Empty) } else { words.remove(0) };
    Ok((program, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn names_stand_for_words() {
        let template =
            Template::new(&words("{target} -T{script} -u{root} -o {output} {inputs} --base={base}")).expect("good");
        let target = words("-m armelf");
        let filling = Filling {
            inputs: words("a.o b.a"),
            output: "out",
            script: Some(Path::new("s.ld")),
            base: 0x400000,
            target: &target,
            roots: &["one", "two"],
            ..Filling::default()
        };
        assert_eq!(template.fill(&filling).join(" "), "-m armelf -Ts.ld -uone -utwo -o out a.o b.a --base=0x400000");
        assert!(template.complete().is_ok() && template.takes_script() && template.takes_base());
    }

    #[test]
    fn what_cannot_be_is_told() {
        let error = |text: &str| match Template::new(&words(text)) {
            Err(error) => error.to_string(),
            Ok(template) => template.complete().expect_err(text).to_string(),
        };
        assert!(
            error("{input} {output}")
                .contains("`{input}` in `{input}` is nothing that is known, expected one of {inputs}")
        );
        assert!(error("-o{inputs} {output}").contains("a part of `-o{inputs}`"));
        assert!(error("-o out {inputs}").contains("`{output}` is missing"));
    }

    #[test]
    fn blanks_part_words_but_between_marks() {
        let (program, rest) = split("my-ld  \"a b\" -x'c d'e ''").expect("words");
        assert_eq!((program.as_str(), rest), ("my-ld", vec!["a b".to_owned(), "-xc de".to_owned(), String::new()]));
        assert_eq!(split("ld 'a"), Err(TemplateError::Open('\'')));
        assert_eq!(split("  "), Err(TemplateError::Empty));
    }
}
