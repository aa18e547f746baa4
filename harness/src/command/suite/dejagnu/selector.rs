//! For which targets and flags a comment is meant.

use linker::Target;

use super::super::glob;
use super::words;

/// What a comment may ask about.
pub(super) struct Facts<'a> {
    pub(super) target: &'static Target,
    pub(super) flags: &'a [String],
}

/// What a target has or not, by GCC's word for it.
type Property = (&'static str, fn(&Target) -> bool);

/// The properties that are known of the targets here, which are Linux with glibc.
const PROPERTIES: &[Property] = &[
    ("lp64", |target| target.pointer_bits == 64),
    ("ilp32", |target| target.pointer_bits == 32),
    ("int128", |target| target.register_bits == 64),
    ("longdouble128", |target| target.register_bits == 64),
    ("alloca", |_| true),
    ("c99_runtime", |_| true),
    ("double64", |_| true),
    ("double64plus", |_| true),
    ("fileio", |_| true),
    ("fpic", |_| true),
    ("indirect_jumps", |_| true),
    ("int32", |_| true),
    ("int32plus", |_| true),
    ("label_values", |_| true),
    ("longlong64", |_| true),
    ("mmap", |_| true),
    ("pthread", |_| true),
    ("ptr32plus", |_| true),
    ("return_address", |_| true),
    ("signal", |_| true),
    ("size32plus", |_| true),
    ("stdint_types", |_| true),
    ("trampolines", |_| true),
    ("untyped_assembly", |_| true),
    ("unwrapped", |_| true),
    ("dfp", |_| false),
    ("freestanding", |_| false),
    ("ia32", |_| false),
    ("int16", |_| false),
    ("newlib_nano_io", |_| false),
    ("vxworks_kernel", |_| false),
];

/// Words in front of a selector.
const KINDS: [&str; 2] = ["target", "xfail"];

impl Facts<'_> {
    /// Whether a selector holds; one that is missing does. None: that is not known.
    pub(super) fn hold(&self, selector: Option<&String>) -> Option<bool> {
        selector.map_or(Some(true), |selector| self.expression(selector))
    }

    /// Whether a target has a property, or is what a pattern with dashes says.
    pub(super) fn has(&self, word: &str) -> Option<bool> {
        if word.contains('-') || word.contains('*') {
            return Some(glob::matches(word, &self.triplet()));
        }
        PROPERTIES.iter().find(|known| known.0 == word).map(|known| known.1(self.target))
    }

    /// Whether a selector holds, and flags are among those of the next word, and not those of the one behind.
    pub(super) fn are_met(&self, words: &[String]) -> bool {
        let Some(selector) = words.first() else { return false };
        let among = |list: &str| {
            let mut sets = self::words(list).into_iter();
            sets.any(|set| set == "*" || self.is_given(&set))
        };
        let included = words.get(1).is_none_or(|list| among(list));
        let excluded = words.get(2).is_some_and(|list| !list.is_empty() && among(list));
        self.expression(selector) == Some(true) && included && !excluded
    }

    /// Whether all flags of a set are given.
    fn is_given(&self, set: &str) -> bool {
        let mut words = set.split_whitespace().peekable();
        words.peek().is_some() && words.all(|word| self.flags.iter().any(|flag| glob::matches(word, flag)))
    }

    /// The target, as GCC's configuration has it.
    fn triplet(&self) -> String {
        let debian = corpus::target::find(self.target).map_or("", |row| row.debian);
        debian.replacen('-', "-unknown-", 1)
    }

    /// `a`, `a b` for one of both, `! a`, `a && b`, `a || b`, with braces around parts.
    fn expression(&self, text: &str) -> Option<bool> {
        let words = words(text);
        let words: &[String] = match words.split_first() {
            Some((kind, rest)) if KINDS.contains(&kind.as_str()) => rest,
            _ => &words,
        };
        self.all(words)
    }

    fn all(&self, words: &[String]) -> Option<bool> {
        if let Some(at) = words.iter().position(|word| word == "||") {
            return or(self.all(&words[..at]), self.all(&words[at + 1..]));
        }
        if let Some(at) = words.iter().position(|word| word == "&&") {
            let both = (self.all(&words[..at]), self.all(&words[at + 1..]));
            return or(both.0.map(|it| !it), both.1.map(|it| !it)).map(|it| !it);
        }
        match words {
            [not, rest @ ..] if not == "!" => self.all(rest).map(|it| !it),
            [word] if word.contains(char::is_whitespace) => self.expression(word),
            [word] => self.has(word),
            // A list of targets.
            words => words.iter().map(|word| self.expression(word)).fold(Some(false), or),
        }
    }
}

fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
