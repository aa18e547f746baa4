//! From files to cases.

use std::fmt;
use std::path::{Path, PathBuf};

use linker::target::{TARGETS, Target};

use super::values::{self, BuildWord, Loops};
use super::{Builds, Case, DEFAULT_TARGETS, GroupKind, Scoped, check};
use crate::directive::{DirectiveError, Location, Raw, Source, Word, scan};
use crate::text::{ParseError, nearest};

/// Bytes of a case: a page or two.
const LONGEST: u64 = 16 << 20;

/// Why a corpus could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A directory could not be read.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is none, or cannot be read.
    #[error(transparent)]
    File(#[from] outside::FileError),
    /// Directives that are wrong, in all files.
    #[error("{}", Lines(.0))]
    Directives(Vec<DirectiveError>),
}

struct Lines<'a>(&'a [DirectiveError]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Every case below a directory, sorted by file, variants in the order of their values. All errors of all files are listed.
pub fn load_all(dir: &Path) -> Result<Vec<Case>, LoadError> {
    let mut files = Vec::new();
    for group in entries(dir)? {
        if !group.is_dir() {
            continue;
        }
        for path in entries(&group)? {
            let (Some(group), Some(name)) = (file_name(&group), file_name(&path)) else { continue };
            if name.starts_with('.') || path.is_dir() {
                continue;
            }
            let text = outside::read_text(&path, LONGEST)?;
            files.push((format!("{group}/{name}"), text));
        }
    }
    parse_all(files)
}

/// The cases of these files, each `GROUP/NAME.EXT` and its text.
pub(crate) fn parse_all<T: AsRef<str>>(files: Vec<(T, T)>) -> Result<Vec<Case>, LoadError> {
    let mut cases = Vec::new();
    let mut errors = Vec::new();
    for (file, text) in &files {
        match parse(file.as_ref(), text.as_ref()) {
            Ok(variants) => cases.extend(variants),
            Err(found) => errors.extend(found),
        }
    }
    errors.extend(clashes(&cases));
    if errors.is_empty() { Ok(cases) } else { Err(LoadError::Directives(errors)) }
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let io = |source| LoadError::Io { path: dir.to_owned(), source };
    let paths: Result<Vec<PathBuf>, _> =
        std::fs::read_dir(dir).map_err(io)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(io)?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// `a.c` and `a.S` of one group would both be `a`.
fn clashes(cases: &[Case]) -> Vec<DirectiveError> {
    let mut names: Vec<(&str, &str)> = cases.iter().map(|case| (case.name.as_str(), case.file.as_str())).collect();
    names.sort();
    let twice = names.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let start = Location { line: 1, column: 1 };
    twice.map(|pair| start.error(pair[1].1, format!("{} has a case `{}` already", pair[0].1, pair[0].0))).collect()
}

/// The cases of one file: one, or one for each combination of the values of its `for`s.
/// `file` is `GROUP/NAME.EXT`; the case is named after it.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, Vec<DirectiveError>> {
    let start = Location { line: 1, column: 1 };
    let (group, name) = file.rsplit_once('/').unwrap_or(("", file));
    let Some((stem, _)) =
        name.rsplit_once('.').filter(|_| crate::directive::is_source(name) && crate::directive::is_plain(name))
    else {
        let extensions = crate::directive::extensions().join(" ");
        return Err(vec![
            start.error(file, format!("this is no case: expected NAME.EXT with EXT one of {extensions}")),
        ]);
    };
    let source = scan(file, name, text)?;
    let mut errors = duplicates(&source);
    let loops = loops(&source, &mut errors);
    check::names(&source, &loops, &mut errors);
    let mut cases = Vec::new();
    for values in combinations(&loops) {
        let name = values.iter().fold(format!("{group}/{stem}"), |name, (_, value)| format!("{name}-{value}"));
        cases.push(read(name, &source, values, &mut errors));
    }
    if errors.is_empty() {
        check::cases(&source, &cases, &mut errors);
    }
    if errors.is_empty() {
        return Ok(cases);
    }
    errors.sort_by_key(|error| (error.line, error.column));
    errors.dedup();
    Err(errors)
}

/// Directives that stand twice.
fn duplicates(source: &Source) -> Vec<DirectiveError> {
    let mut errors = Vec::new();
    for (index, raw) in source.directives.iter().enumerate() {
        let twice = |other: &&Raw| {
            std::ptr::eq(other.spec, raw.spec)
                && other.scope == raw.scope
                && (!raw.spec.repeatable || (other.value == raw.value && raw.spec.name != "call"))
        };
        if let Some(first) = source.directives[..index].iter().find(twice) {
            let message = format!("`{}` stands already in line {}", raw.spec.name, first.at.line);
            errors.push(raw.at.error(&source.file, message));
        }
    }
    errors
}

fn loops(source: &Source, errors: &mut Vec<DirectiveError>) -> Loops {
    let mut loops: Loops = Vec::new();
    for raw in source.directives.iter().filter(|raw| raw.spec.name == "for") {
        match values::for_values(&raw.value) {
            Ok((name, _)) if loops.iter().any(|other| other.0 == name) => {
                errors.push(raw.value_at.error(&source.file, format!("there is a `for: {name}` already")));
            }
            Ok(found) => loops.push(found),
            Err(error) => errors.push(located(source, raw, &raw.value, &error)),
        }
    }
    loops
}

/// More variants of one file than this are a mistake.
const MOST_VARIANTS: usize = 1000;

fn combinations(loops: &Loops) -> Vec<Vec<(String, String)>> {
    let mut all = vec![Vec::new()];
    for (name, values) in loops {
        if all.len() * values.len() > MOST_VARIANTS {
            break;
        }
        let one = |known: &Vec<(String, String)>, value: &String| {
            let mut next = known.clone();
            next.push((name.clone(), value.clone()));
            next
        };
        all = all.iter().flat_map(|known| values.iter().map(move |value| one(known, value))).collect();
    }
    all
}

/// A parse error at its place in the file.
fn located(source: &Source, raw: &Raw, text: &str, error: &ParseError) -> DirectiveError {
    // After substitution, places in the value are not those of the file.
    let exact = text == raw.value;
    let offset = text.get(..error.at).filter(|_| exact).map_or(0, |before| before.chars().count());
    let at = Location { line: raw.value_at.line, column: raw.value_at.column + offset };
    at.error(&source.file, format!("`{}`: {error}", raw.spec.name))
}

/// `$NAME` and `${NAME}` replaced by the values; the longest name that fits is meant.
fn substitute(text: &str, values: &[(String, String)]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (inner, braced) = match after.strip_prefix('{') {
            Some(inner) => (inner, true),
            None => (after, false),
        };
        let fits = |name: &str| inner.strip_prefix(name).is_some_and(|tail| !braced || tail.starts_with('}'));
        match values.iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len()) {
            Some((name, value)) => {
                out.push_str(value);
                rest = &inner[name.len() + usize::from(braced)..];
            }
            // `$` is a character of symbols too; a word in capitals after it is a value nobody declared.
            None if braced || inner.starts_with(|c: char| c.is_ascii_uppercase()) => {
                let name: String = inner.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                return Err(name);
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads one variant.
fn read(name: String, source: &Source, values: Vec<(String, String)>, errors: &mut Vec<DirectiveError>) -> Case {
    let mut case = Case {
        name,
        file: source.file.clone(),
        parts: source.parts.clone(),
        targets: with_variants(&DEFAULT_TARGETS),
        sources: check::source_hash(source, &values),
        values,
        builds: Vec::new(),
        flags: Vec::new(),
        groups: Vec::new(),
        layouts: Vec::new(),
        defines: Vec::new(),
        keeps: Vec::new(),
        link_errors: Vec::new(),
        calls: Vec::new(),
        registers: Vec::new(),
        memory: Vec::new(),
        prints: Vec::new(),
        exits: Vec::new(),
        faults: Vec::new(),
        budgets: Vec::new(),
        covers: Vec::new(),
        xfails: Vec::new(),
    };
    for raw in &source.directives {
        let holds = |word: &Word| match word {
            Word::Value(name, value) => case.values.iter().any(|known| known.0 == *name && known.1 == *value),
            _ => true,
        };
        if !raw.scope.0.iter().all(holds) {
            continue;
        }
        match substitute(&raw.value, &case.values) {
            Ok(text) => {
                if let Err(error) = store(&mut case, raw, &text) {
                    errors.push(located(source, raw, &text, &error));
                }
            }
            Err(unknown) => {
                let error = raw.value_at.error(&source.file, format!("there is no `for: {unknown}` for `${unknown}`"));
                errors.push(error.meant(nearest(&unknown, case.values.iter().map(|value| value.0.as_str()))));
            }
        }
    }
    case
}

/// Puts one directive into the case.
fn store(case: &mut Case, raw: &Raw, text: &str) -> Result<(), ParseError> {
    fn push<T>(list: &mut Vec<Scoped<T>>, raw: &Raw, value: T) {
        list.push(Scoped { scope: raw.scope.clone(), at: raw.at, value });
    }
    match raw.spec.name {
        "arch" => case.targets = targets(text, std::mem::take(&mut case.targets))?,
        "build" => {
            for word in values::builds(text)? {
                let value = match word {
                    BuildWord::Set(name) => Builds::Set(name),
                    BuildWord::One(recipe) => Builds::One(recipe),
                };
                push(&mut case.builds, raw, value);
            }
        }
        "flags" => push(&mut case.flags, raw, values::flags(text)?),
        // Read before.
        "for" => {}
        "archive" => push(&mut case.groups, raw, values::group(text, GroupKind::Archive)?),
        "partial" => push(&mut case.groups, raw, values::group(text, GroupKind::Partial)?),
        "layout" => push(&mut case.layouts, raw, values::layouts(text)?),
        "define" => push(&mut case.defines, raw, values::define(text)?),
        "keep" => push(&mut case.keeps, raw, values::symbols(text)?),
        "link-error" => push(&mut case.link_errors, raw, values::line(text, "text that the message holds")?),
        "call" => push(&mut case.calls, raw, values::call(text)?),
        "register" => push(&mut case.registers, raw, values::register(text)?),
        "memory" => push(&mut case.memory, raw, values::memory(text)?),
        "prints" => push(&mut case.prints, raw, values::prints(text)?),
        "exit" => push(&mut case.exits, raw, values::exit(text)?),
        "fault" => push(&mut case.faults, raw, values::fault(text)?),
        "budget" => push(&mut case.budgets, raw, values::budget(text)?),
        "covers" => push(&mut case.covers, raw, values::covers(text)?),
        "xfail" => push(&mut case.xfails, raw, values::line(text, "the reason")?),
        name => return Err(ParseError::new(0, format!("a directive that is read: `{name}` is in the table only"))),
    }
    Ok(())
}

/// Reads `arch`. Where it only takes away, the default stays.
fn targets(text: &str, default: Vec<&'static Target>) -> Result<Vec<&'static Target>, ParseError> {
    let words = values::words(text, "architectures")?;
    let (mut named, mut without) = (Vec::new(), Vec::new());
    for (at, word) in words {
        let (list, name) = word.strip_prefix('-').map_or((&mut named, word), |name| (&mut without, name));
        if Target::named(name).is_none() {
            let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let meant = nearest(name, known.iter().copied()).map(|name| format!(" (did you mean `{name}`?)"));
            let message = format!("an architecture of {}{}", known.join(" "), meant.unwrap_or_default());
            return Err(ParseError::new(at, message));
        }
        if list.contains(&name) {
            return Err(ParseError::new(at, "each architecture once"));
        }
        list.push(name);
    }
    let known = if named.is_empty() { default } else { with_variants(&named) };
    if let Some(name) = without.iter().find(|name| !known.iter().any(|target| target.name == **name)) {
        return Err(ParseError::new(text.find(name).unwrap_or(0), "an architecture of the case behind `-`"));
    }
    Ok(known.into_iter().filter(|target| !without.contains(&target.name)).collect())
}

/// These targets and their variants, in the order of the table.
fn with_variants(names: &[&str]) -> Vec<&'static Target> {
    let is_meant = |target: &Target| {
        let base = crate::target::row(target).variant_of;
        names.contains(&target.name) || base.is_some_and(|base| names.contains(&base))
    };
    TARGETS.iter().filter(|target| is_meant(target)).collect()
}
