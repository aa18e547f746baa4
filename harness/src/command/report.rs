//! `--report KIND=FILE`: which reports a command writes, and where.

use std::path::PathBuf;

use clap::ValueEnum;
use outside::{FileError, Output};

/// Reads `KIND=FILE`, for a command that writes these kinds.
///
/// # Errors
/// A sentence: there is no `=`, or no such kind.
pub fn parse<Kind: ValueEnum>(text: &str) -> Result<(Kind, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected KIND=FILE")?;
    let kind =
        Kind::from_str(name, false).map_err(|_| format!("unknown report `{name}`, expected {}", names::<Kind>()))?;
    Ok((kind, PathBuf::from(file)))
}

/// `json, md or html`
fn names<Kind: ValueEnum>() -> String {
    let known = Kind::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let names: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

/// Opens the files, each of which has to be another one, so that what cannot be written is known before the work.
///
/// # Errors
/// One cannot be written, or two are the same.
pub fn open<Kind: Copy>(reports: &[(Kind, PathBuf)]) -> Result<Vec<(Kind, Output)>, FileError> {
    let opened = reports.iter().map(|(kind, path)| Ok((*kind, Output::at(path)?)));
    let opened: Vec<(Kind, Output)> = opened.collect::<Result<_, FileError>>()?;
    outside::distinct(opened.iter().map(|(_, output)| output))?;
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
    enum Kind {
        Json,
        #[value(name = "md")]
        Markdown,
    }

    #[test]
    fn a_kind_and_a_file_that_may_have_any_name() {
        assert_eq!(parse("md=a=b.md"), Ok((Kind::Markdown, PathBuf::from("a=b.md"))));
        assert_eq!(parse::<Kind>("json"), Err("expected KIND=FILE".to_owned()));
        assert_eq!(parse::<Kind>("pdf=x"), Err("unknown report `pdf`, expected json or md".to_owned()));
    }
}
