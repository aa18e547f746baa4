//! Options that say who links.

use std::collections::BTreeMap;

use clap::{Args as ClapArgs, ValueEnum as _};

use crate::command::machine::Refused;
use crate::exit;
use crate::maker::{Maker, MakerError};
use crate::messages::quoted;
use crate::subject::{DescriptionError, LinkAs};

/// Who links.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Who links")]
pub struct SubjectArgs {
    /// Have another linker link the cases, and judge that: ld, gold, lld, mold, wild or llvm-jitlink as it is installed, NAME=PROGRAM, a
    /// linker of your own in FILE.toml, or a command: 'cmd:my-ld {inputs} -T {script} -o {output}' (docs/linkers.md); or have a loader
    /// that runs as the guest load them: loader:FILE.toml (docs/loaders.md)
    #[arg(long, value_name = "LINKER", conflicts_with = "bless")]
    pub subject: Option<String>,
    /// What the other linker is to make
    #[arg(long, value_name = "KIND", requires = "subject")]
    pub link_as: Option<LinkAs>,
}

/// The linker or loader of this name, which an option has. The outer error is one of its file.
pub fn parse(option: &str, given: &str, link_as: Option<LinkAs>) -> anyhow::Result<Result<Maker, Refused>> {
    match Maker::find(given, link_as) {
        Ok(maker) => Ok(Ok(maker)),
        Err(
            error @ (MakerError::LinkAs
            | MakerError::Description(DescriptionError::Unknown { .. } | DescriptionError::Command(_))),
        ) => Ok(Err(Refused(format!("{option} {given}: {error}"), exit::USAGE))),
        Err(MakerError::Description(DescriptionError::File(error))) => Err(error.into()),
        Err(error) => bad_input!("{error}"),
    }
}

impl SubjectArgs {
    /// The linker or loader that was asked for; none is our linker.
    pub fn subject(&self) -> anyhow::Result<Result<Option<Maker>, Refused>> {
        let Some(given) = &self.subject else { return Ok(Ok(None)) };
        Ok(parse("--subject", given, self.link_as)?.map(Some))
    }

    /// What was given, by name.
    pub(super) fn given(&self) -> BTreeMap<String, String> {
        let link_as = self.link_as.and_then(|kind| Some(kind.to_possible_value()?.get_name().to_owned()));
        let all = [("subject", self.subject.clone()), ("link-as", link_as)];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Takes what [`Self::given`] has.
    pub(super) fn give(&mut self, given: &BTreeMap<String, String>) {
        self.subject = given.get("subject").cloned();
        self.link_as = given.get("link-as").and_then(|name| LinkAs::from_str(name, false).ok());
    }

    /// What was given, as it is on a command line, with a blank behind each word.
    pub(super) fn words(&self) -> String {
        self.given().iter().rev().map(|(name, value)| format!("--{name} {} ", quoted(value))).collect()
    }
}
