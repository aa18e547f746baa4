//! A test: one program, compiled in one way for one target.

use std::sync::Arc;

use reports::model::{Record, Status};

use super::compilers::{Compiler, Compilers};
use super::find::Program;

/// A test.
#[derive(Clone, Debug)]
pub struct Test<'a> {
    /// `suite/TARGET/GROUP/FILE/BUILD/EXECUTOR`
    pub name: String,
    /// The program.
    pub program: &'a Program,
    /// Who compiles it.
    pub(super) compiler: Arc<Compiler>,
    /// By which flags.
    pub(super) flags: Vec<String>,
    /// Compiler and flags, as names have them.
    build: String,
    executor: &'a str,
    subject: Option<&'a str>,
}

impl Test<'_> {
    /// Its name without what runs it.
    pub fn build(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(build, _)| build)
    }

    /// Whether it is compiled by one of these toolchains, of which the label begins so; by any, if none is named.
    pub fn is_by(&self, toolchains: &[String]) -> bool {
        toolchains.is_empty() || toolchains.iter().any(|wanted| self.build.starts_with(wanted.as_str()))
    }

    /// Its record, without more than how it ended.
    pub fn record(&self, status: Status, reason: Option<String>) -> Record {
        Record {
            name: self.name.clone(),
            target: self.compiler.target.name.to_owned(),
            case: self.program.case.clone(),
            build: self.build.clone(),
            layout: String::new(),
            executor: self.executor.to_owned(),
            subject: self.subject.map(str::to_owned),
            status,
            reason,
            seconds: 0.0,
            checks: 0,
            relocations: Default::default(),
            failure: None,
        }
    }
}

/// All tests of a suite: what is compiled alike stands together.
pub fn tests<'a>(
    programs: &'a [Program],
    compilers: &Compilers,
    sets: &[Vec<String>],
    executor: &'a str,
    subject: Option<&'a str>,
) -> Vec<Test<'a>> {
    let mut tests = Vec::new();
    for compiler in &compilers.found {
        for flags in sets {
            let build = compiler.label(flags);
            tests.extend(programs.iter().map(|program| Test {
                name: format!("suite/{}/{}/{build}/{executor}", compiler.target.name, program.case),
                program,
                compiler: compiler.clone(),
                flags: flags.clone(),
                build: build.clone(),
                executor,
                subject,
            }));
        }
    }
    tests
}
