//! Reading the transcription.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::{Abi, Check, Class, Form, Formula, Relocation, Standing};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    form: HashMap<String, Form>,
    section: Vec<Section>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
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
    formula: Option<String>,
    check: Option<String>,
    #[serde(rename = "without-thumb2")]
    without_thumb2: Option<String>,
    align: Option<u64>,
    select: Option<(u32, u32)>,
    form: String,
    group: Option<u32>,
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
                    standing: section.standing,
                    formula: formula.clone(),
                    check: check.unwrap_or(Check::None),
                    without_thumb2,
                    align: line.align.unwrap_or(1),
                    select: line.select.unwrap_or_default(),
                    form: form.clone(),
                    group: line.group,
                });
            }
        }
    }
    Ok(Abi { relocations })
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
        let form = "[form]\nnone = { place = \"none\" }\n";
        let read = |line: &str| {
            read(&format!("{form}[[section]]\ntitle = \"t\"\nstanding = \"static\"\nrelocations = [{line}]")).map(drop)
        };
        assert_eq!(read("{ arm = 1, name = \"A\", form = \"none\" }"), Ok(()));
        assert!(read("{ arm = 1, name = \"A\", form = \"none\", more = 1 }").is_err());
        assert!(
            read("{ arm = 1, name = \"A\", form = \"none\" }, { arm = 1, name = \"B\", form = \"none\" }").is_err()
        );
        assert!(read("{ arm = 1, name = \"A\", form = \"some\" }").is_err());
        assert!(read("{ arm = 1, name = \"A\", form = \"none\", select = [3, 0] }").is_err());
    }
}
