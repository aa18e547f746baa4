//! Expressions as linkers take them on the command line: numbers, symbols, `+`, `-`, `*` and parentheses.

use linker::assign::Term;

/// An expression in postfix order.
pub type Expression = Vec<Term<String>>;

/// What may wait for its right side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Open,
    Add,
    Subtract,
    Multiply,
    Negate,
}

impl Operator {
    /// How tightly it binds.
    fn rank(self) -> u8 {
        match self {
            Operator::Open => 0,
            Operator::Add | Operator::Subtract => 1,
            Operator::Multiply => 2,
            Operator::Negate => 3,
        }
    }

    fn term(self) -> Option<Term<String>> {
        match self {
            Operator::Open => None,
            Operator::Add => Some(Term::Add),
            Operator::Subtract => Some(Term::Subtract),
            Operator::Multiply => Some(Term::Multiply),
            Operator::Negate => Some(Term::Negate),
        }
    }
}

/// `NAME=EXPRESSION`
pub fn assignment(text: &str) -> Result<(String, Expression), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=EXPRESSION"))?;
    if name.is_empty() {
        return Err(format!("`{text}` has no name before `=`"));
    }
    Ok((name.to_owned(), parse(value)?))
}

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expression, String> {
    let wrong = |what: &str| format!("`{text}` is not an expression: {what}");
    let (mut terms, mut waiting) = (Vec::new(), Vec::new());
    // Whether what comes next is a value, and not an operator behind one.
    let mut value = true;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if is_word(first) {
            if !value {
                return Err(wrong("an operator is missing"));
            }
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            terms.push(word(&rest[..end]).map_err(|problem| wrong(&problem))?);
            (value, rest) = (false, rest[end..].trim_start());
            continue;
        }
        match (first, value) {
            ('(', true) => waiting.push(Operator::Open),
            ('-', true) => waiting.push(Operator::Negate),
            ('+', true) => {}
            (')', false) => {
                drain(&mut terms, &mut waiting, 1);
                if waiting.pop() != Some(Operator::Open) {
                    return Err(wrong("a parenthesis closes that nothing opens"));
                }
            }
            ('+' | '-' | '*', false) => {
                let operator = match first {
                    '+' => Operator::Add,
                    '-' => Operator::Subtract,
                    _ => Operator::Multiply,
                };
                drain(&mut terms, &mut waiting, operator.rank());
                waiting.push(operator);
                value = true;
            }
            (other, true) => return Err(wrong(&format!("a number or a symbol is missing before `{other}`"))),
            (other, false) => return Err(wrong(&format!("unknown operator `{other}`, expected one of + - *"))),
        }
        rest = rest[first.len_utf8()..].trim_start();
    }
    if value {
        return Err(wrong("a number or a symbol is missing at its end"));
    }
    drain(&mut terms, &mut waiting, 1);
    if waiting.is_empty() { Ok(terms) } else { Err(wrong("a parenthesis opens that nothing closes")) }
}

/// Takes what binds at least as tightly.
fn drain(terms: &mut Expression, waiting: &mut Vec<Operator>, rank: u8) {
    while let Some(operator) = waiting.pop_if(|operator| operator.rank() >= rank) {
        terms.extend(operator.term());
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '@')
}

/// A symbol, or a number: decimal, octal behind `0`, hexadecimal behind `0x`; `K` and `M` stand for 1024 and its square.
fn word(text: &str) -> Result<Term<String>, String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return match text {
            "." => Err("`.` has no value outside of a linker script".to_owned()),
            name => Ok(Term::Symbol(name.to_owned())),
        };
    }
    let (digits, scale) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1u64),
    };
    let lower = digits.to_ascii_lowercase();
    let number = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(hex), _) => u64::from_str_radix(hex, 16),
        (None, Some(octal)) if !octal.is_empty() => u64::from_str_radix(octal, 8),
        _ => lower.parse(),
    };
    let number = number.ok().and_then(|number| number.checked_mul(scale));
    number.map(Term::Number).ok_or_else(|| format!("`{text}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use linker::assign::evaluate;

    fn value(text: &str) -> u64 {
        let terms = parse(text).unwrap_or_else(|problem| panic!("{problem}"));
        let terms: Vec<Term<u64>> = terms
            .into_iter()
            .map(|term| match term {
                Term::Symbol(name) => Term::Symbol(if name == "a" { 0x100 } else { 7 }),
                Term::Number(number) => Term::Number(number),
                Term::Add => Term::Add,
                Term::Subtract => Term::Subtract,
                Term::Multiply => Term::Multiply,
                Term::Negate => Term::Negate,
            })
            .collect();
        evaluate(&terms, Some).expect("complete")
    }

    #[test]
    fn operators_bind_as_in_c() {
        assert_eq!(value("1+2*3"), 7);
        assert_eq!(value("(1 + 2) * 3"), 9);
        assert_eq!(value("10-2-3"), 5);
        assert_eq!(value("-2*3+10"), 4);
        assert_eq!(value("2*-3 + 010 + 0x10 + 1K"), 1042);
        assert_eq!(value("a + 4*(b-2)"), 0x100 + 20);
        assert_eq!(value("+((a))"), 0x100);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, says) in [
            ("", "missing at its end"),
            ("1 +", "missing at its end"),
            ("(1", "opens that nothing closes"),
            ("1)", "closes that nothing opens"),
            ("1 2", "an operator is missing"),
            ("a / 2", "unknown operator `/`"),
            ("09", "not a number"),
            (". + 4", "outside of a linker script"),
            ("*2", "before `*`"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(says), "{text}: {problem}");
        }
        assert!(assignment("=1").is_err() && assignment("a").is_err());
    }
}
