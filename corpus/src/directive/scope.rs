//! Scopes: for which targets, builds and layouts a directive holds.

use linker::target::{TARGETS, Target};

use super::{ScopeKind, Spec};
use crate::matrix::{Build, FLAG_WORDS, Family};
use crate::text::nearest;
use linker::Layout;

/// `(aarch64, gcc, far)`: words that must all hold. Empty: always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope(pub Vec<Word>);

/// One word of a scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// An architecture's name: it and its variants.
    Arch(&'static str),
    /// `arm`: every target of that ELF machine.
    Arm,
    /// `big` or `little`: the byte order of data, whether it is big-endian.
    Order(bool),
    /// A compiler.
    Compiler(Family),
    /// A word of the build's label, such as `pic`, `O0` or `tiny`.
    Flag(String),
    /// A part of the case.
    Part(String),
    /// A layout.
    Layout(Layout),
    /// `NAME=V`: this value of a `for`.
    Value(String, String),
}

/// What a scope is asked about. A word about something that is not known here does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The target.
    pub target: &'static Target,
    /// The build, where one is meant.
    pub build: Option<&'a Build>,
    /// The part, where one is meant.
    pub part: Option<&'a str>,
    /// The layout, where one is meant.
    pub layout: Option<&'a Layout>,
}

impl Scope {
    /// Whether every word holds. Values of a `for` are settled when the case is expanded.
    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        self.0.iter().all(|word| match word {
            Word::Arch(name) => {
                subject.target.name == *name || crate::target::row(subject.target).variant_of == Some(name)
            }
            Word::Order(big) => subject.target.big_endian == *big,
            Word::Arm => crate::target::row(subject.target).is_arm(),
            Word::Compiler(family) => subject.build.is_some_and(|build| build.toolchain.family == *family),
            Word::Flag(flag) => subject.build.is_some_and(|build| build.words().any(|word| word == flag)),
            Word::Part(name) => subject.part == Some(name),
            Word::Layout(layout) => subject.layout == Some(layout),
            Word::Value(..) => true,
        })
    }

    /// Whether a part is named.
    pub fn names_part(&self) -> bool {
        self.0.iter().any(|word| matches!(word, Word::Part(_)))
    }

    /// Reads the words of a scope. The error is a message and a suggestion.
    pub(super) fn parse(text: &str, spec: &Spec, parts: &[&str]) -> Result<Scope, (String, Option<String>)> {
        let words = text.split(',').map(str::trim).map(|word| parse_word(word, spec, parts));
        words.collect::<Result<Vec<_>, _>>().map(Scope)
    }
}

fn parse_word(word: &str, spec: &Spec, parts: &[&str]) -> Result<Word, (String, Option<String>)> {
    let (kind, parsed) = match word {
        "arm" => (ScopeKind::Arch, Word::Arm),
        "big" | "little" => (ScopeKind::Arch, Word::Order(word == "big")),
        "gcc" => (ScopeKind::Build, Word::Compiler(Family::Gcc)),
        "clang" => (ScopeKind::Build, Word::Compiler(Family::Clang)),
        _ => {
            if let Some(target) = Target::named(word) {
                (ScopeKind::Arch, Word::Arch(target.name))
            } else if let Some(part) = parts.iter().find(|&&part| part == word) {
                (ScopeKind::Part, Word::Part((*part).to_owned()))
            } else if FLAG_WORDS.iter().any(|row| row.1 == word) {
                (ScopeKind::Build, Word::Flag(word.to_owned()))
            } else if let Ok(layout) = word.parse::<Layout>() {
                (ScopeKind::Layout, Word::Layout(layout))
            } else if let Some((name, value)) = word.split_once('=') {
                (ScopeKind::For, Word::Value(name.trim().to_owned(), value.trim().to_owned()))
            } else {
                let known = TARGETS.iter().map(|target| target.name).chain(parts.iter().copied());
                let known = known.chain(["arm", "big", "little", "gcc", "clang", "near", "far", "high", "edge"]);
                let known = known.chain(FLAG_WORDS.iter().map(|row| row.1));
                let meant = nearest(word, known).map(str::to_owned);
                let message =
                    format!("`{word}` is no scope: expected an architecture, `gcc`, `clang`, a part, a layout");
                return Err((message, meant));
            }
        }
    };
    if !spec.scopes.contains(&kind) {
        let allowed = spec.scope_words();
        let allowed = if allowed.is_empty() { "it takes none".to_owned() } else { format!("it takes {allowed}") };
        return Err((format!("`{word}` cannot be a scope of `{}`: {allowed}", spec.name), None));
    }
    Ok(parsed)
}
