//! Reading the transcription.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::{Abi, Check, Class, Entry, Form, Formula, Relocation, Standing, SymbolRule, UnresolvedBranch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    release: String,
    form: HashMap<String, Form>,
    section: Vec<Section>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    release: Option<String>,
    standing: Standing,
    relocations: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    lp64: Option<u32>,
    ilp32: Option<u32>,
    arm: Option<u32>,
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    release: Option<String>,
    formula: Option<String>,
    addend: Option<ZeroAddend>,
    check: Option<String>,
    #[serde(rename = "without-thumb2")]
    without_thumb2: Option<String>,
    symbol: Option<SymbolRule>,
    align: Option<u64>,
    select: Option<(u32, u32)>,
    form: String,
    group: Option<u32>,
    #[serde(default)]
    veneer: bool,
    weak: Option<UnresolvedBranch>,
}

/// What the ABI wants an addend to be, where it says.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ZeroAddend {
    Zero,
}

pub(super) fn read(text: &str) -> Result<Abi, String> {
    let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut relocations = Vec::new();
    let mut seen = HashSet::new();
    for section in document.section {
        for line in section.relocations {
            let problem = |what: &str| format!("{}: {what}", line.name);
            let form = document.form.get(&line.form).ok_or_else(|| problem("no such form"))?;
            let formula = line.formula.as_deref().map(Formula::parse).transpose().map_err(|error| problem(&error))?;
            let check = |text: &Option<String>| text.as_deref().map(check).transpose().map_err(|error| problem(&error));
            let (check, without_thumb2) = (check(&line.check)?, check(&line.without_thumb2)?);
            if form.bits.is_empty() == line.select.is_some() || line.select.is_some() && formula.is_none() {
                return Err(problem("a field, selected bits and a formula come together"));
            }
            // An entry of S alone leaves nowhere for A to go, but where all variables of a module share one.
            let entry = formula.as_ref().filter(|formula| !formula.mentions("A")).and_then(Formula::entry);
            if line.addend.is_some() != entry.is_some_and(|entry| entry != Entry::Module) {
                return Err(problem("addend = zero is for entries of S without A"));
            }
            let release = line.release.as_ref().or(section.release.as_ref()).unwrap_or(&document.release);
            if !is_release(release) {
                return Err(problem(&format!("`{release}` does not say which release of what it is read from")));
            }
            if line.group.is_some() != (line.name.contains("_PC_G") || line.name.contains("_SB_G")) {
                return Err(problem("the name and the group do not agree"));
            }
            let codes = [(Class::Lp64, line.lp64), (Class::Ilp32, line.ilp32), (Class::Arm, line.arm)];
            for (class, number) in codes.into_iter().filter_map(|(class, number)| Some((class, number?))) {
                if !seen.insert((class, number)) {
                    return Err(problem("its number is taken"));
                }
                let prefix = class.prefix();
                relocations.push(Relocation {
                    class,
                    number,
                    name: format!("{prefix}{}", line.name),
                    aliases: line.aliases.clone(),
                    section: section.title.clone(),
                    release: release.clone(),
                    standing: section.standing,
                    formula: formula.clone(),
                    zero_addend: line.addend.is_some(),
                    symbol: line.symbol,
                    check: check.unwrap_or(Check::None),
                    without_thumb2,
                    align: line.align.unwrap_or(1),
                    select: line.select.unwrap_or_default(),
                    form: form.clone(),
                    group: line.group,
                    veneer: line.veneer,
                    unresolved_branch: line.weak,
                });
            }
        }
    }
    Ok(Abi { relocations })
}

/// Whether it is the name of a document and which edition it is: `AAELF64 2026Q2`, `FDPIC ABI 0.4`.
fn is_release(text: &str) -> bool {
    let is_edition = |edition: &str| edition.starts_with(|c: char| c.is_ascii_digit());
    text.rsplit_once(' ').is_some_and(|(document, edition)| !document.trim().is_empty() && is_edition(edition))
}

/// `low <= X < high`, where either side may be included or not.
fn check(text: &str) -> Result<Check, String> {
    if text == "group" {
        return Ok(Check::Group);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let [low, below, "X", above, high] = words[..] else { return Err(format!("not a check: {text}")) };
    let bound = |text: &str, sign: &str, inside: i128| {
        let open = match sign {
            "<" => inside,
            "<=" => 0,
            _ => return Err(format!("not a comparison: {sign}")),
        };
        Ok(number(text)? + open)
    };
    Ok(Check::Range(bound(low, below, 1)?, bound(high, above, -1)?))
}

/// A decimal number, or a power of two.
fn number(text: &str) -> Result<i128, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = match digits.split_once('^') {
        Some(("2", power)) => power.parse().ok().filter(|power| *power < 64).map(|power: u32| 1 << power),
        Some(_) => None,
        None => digits.parse().ok(),
    };
    value.map(|value: i128| sign * value).ok_or_else(|| format!("not a number: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks() {
        assert_eq!(check("-2^12 < X < 2^12"), Ok(Check::Range(-4095, 4095)));
        assert_eq!(check("-2^3 <= X < 2^4"), Ok(Check::Range(-8, 15)));
        assert_eq!(check("0 <= X <= 5"), Ok(Check::Range(0, 5)));
        assert!(check("0 <= X").is_err() && check("0 <= X < 3^2").is_err() && check("0 > X < 2").is_err());
    }

    #[test]
    fn strict() {
        let read = |line: &str| read(&document("release = \"ABI 2026Q2\"", "", line)).map(drop);
        assert_eq!(read("{ arm = 1, name = \"A\", form = \"none\" }"), Ok(()));
        assert!(read("{ arm = 1, name = \"A\", form = \"none\", more = 1 }").is_err());
        assert!(
            read("{ arm = 1, name = \"A\", form = \"none\" }, { arm = 1, name = \"B\", form = \"none\" }").is_err()
        );
        assert!(read("{ arm = 1, name = \"A\", form = \"some\" }").is_err());
        assert!(read("{ arm = 1, name = \"A\", form = \"none\", select = [3, 0] }").is_err());
    }

    fn document(first: &str, section: &str, line: &str) -> String {
        let forms = "[form]\nnone = { place = \"none\" }\nword = { place = \"data32\", bits = [[0, 0, 32]] }\n";
        format!("{first}\n{forms}[[section]]\ntitle = \"t\"\n{section}\nstanding = \"static\"\nrelocations = [{line}]")
    }

    #[test]
    fn releases() {
        let release = |first: &str, section: &str, more: &str| {
            let line = format!("{{ arm = 1, name = \"A\", form = \"none\"{more} }}");
            read(&document(first, section, &line)).map(|abi| abi.relocations[0].release.clone())
        };
        let (first, section, line) = ("release = \"ABI 1\"", "release = \"ABI 2\"", ", release = \"ABI 3\"");
        assert_eq!(release(first, "", "").as_deref(), Ok("ABI 1"));
        assert_eq!(release(first, section, "").as_deref(), Ok("ABI 2"));
        assert_eq!(release(first, section, line).as_deref(), Ok("ABI 3"));
        assert!(release("", section, line).is_err(), "a document says its release");
        for none in ["", "AAELF64", "2026Q2", "AAELF64 current"] {
            assert!(release(&format!("release = \"{none}\""), "", "").is_err(), "{none}");
        }
    }

    #[test]
    fn addends() {
        let read = |formula: &str, more: &str| {
            let line = format!(
                "{{ lp64 = 1, name = \"A\", formula = \"{formula}\"{more}, select = [31, 0], form = \"word\" }}"
            );
            read(&document("release = \"ABI 1\"", "", &line)).map(|abi| abi.relocations[0].zero_addend)
        };
        let zero = ", addend = \"zero\"";
        assert_eq!(read("G(GDAT(S)) - P", zero), Ok(true));
        assert_eq!(read("G(GDAT(S)) - P + A", ""), Ok(false));
        assert_eq!(read("G(GLDM(S)) - P", ""), Ok(false));
        assert!(read("G(GDAT(S)) - P", "").is_err() && read("G(GDAT(S)) - P + A", zero).is_err());
        assert!(read("S + A", zero).is_err() && read("S + A", ", addend = \"one\"").is_err());
    }
}
