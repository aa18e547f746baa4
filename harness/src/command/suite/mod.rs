//! Suites of whole programs that signal failure by abort or by their status: GCC's c-torture, llvm-test-suite's SingleSource, the
//! tests of C libraries, or any folder of such programs. Each is compiled by cross compilers, linked with glibc by our linker or
//! another one, run as a Linux process, and reported as a case is.
//!
//! `find` says which programs there are, `dejagnu` what their comments ask for, `compilers` who compiles; `test` is one program in
//! one way, `skips` leaves some out. `compile`, `link` and `execute` are its three steps, `judge` makes a record of them, `work`
//! does so for all, and `journal` keeps the records of a run that was cut short.

mod compile;
mod compilers;
mod dejagnu;
mod execute;
mod find;
mod glob;
mod journal;
mod judge;
mod link;
mod reference;
mod skips;
mod test;
mod work;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use linker::{TARGETS, Target};

use super::budget::{self, BudgetArgs};
use crate::executor::Budget;
use crate::executor::unicorn;
use crate::linux::Process;
use crate::machine::Abi;
use crate::messages::quoted;

pub use compilers::Compilers;
pub use execute::Engine;
pub use find::{Found, find};
pub use journal::{Journal, stamp};
pub use judge::Rig;
pub use link::Linker;
pub use skips::Skips;
pub use test::{Test, tests};
pub use work::run;

/// Options of `run --suite`.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Suites of programs")]
pub struct SuiteArgs {
    /// Run the programs of this folder instead of the corpus: C and C++, a file each, that signal failure by abort or by their
    /// status (GCC's c-torture, llvm-test-suite's SingleSource, tests of C libraries). They are compiled for each target, linked
    /// with glibc, by our linker or by --subject, and run as Linux processes (docs/suites.md)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["corpus", "rebuild", "bless", "layout"])]
    pub suite: Option<PathBuf>,
    /// Compilers of a suite: gcc, clang, or a program [default: gcc]
    #[arg(long, value_name = "CC,..", value_delimiter = ',', requires = "suite")]
    pub cc: Vec<String>,
    /// Flags of a suite's programs; each time that it is given is another way to compile them all [default: -O0 and -O2]
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true, requires = "suite")]
    pub flags: Vec<String>,
    /// A source, object or archive that every program of a suite is linked with
    #[arg(long, value_name = "FILE", requires = "suite")]
    pub with: Vec<PathBuf>,
    /// Instructions that a program of a suite may execute [default: only its time counts]
    #[arg(long, value_name = "N", requires = "suite")]
    pub budget: Option<u64>,
    /// Seconds that a program of a suite may run [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = budget::seconds, requires = "suite")]
    pub timeout: Option<f64>,
    /// Bytes that a program of a suite may print [default: 16M]
    #[arg(long, value_name = "BYTES", value_parser = budget::bytes, requires = "suite")]
    pub output_limit: Option<u64>,
    /// Begin a suite anew, and not where the same run was interrupted
    #[arg(long, requires = "suite")]
    pub fresh: bool,
}

/// Bytes that a program may print where nobody says otherwise: its output is kept to be compared.
const OUTPUT: u64 = 16 << 20;

impl SuiteArgs {
    /// What was given of the suite and its programs, by option, in order.
    pub fn given(&self) -> Vec<(String, String)> {
        let path = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
        let suite = self.suite.iter().map(|it| ("suite", path(it)));
        let cc = self.cc.iter().map(|it| ("cc", it.clone()));
        let flags = self.flags.iter().map(|it| ("flags", it.clone()));
        let with = self.with.iter().map(|it| ("with", path(it)));
        let bounds = [
            ("budget", self.budget.map(|it| it.to_string())),
            ("timeout", self.timeout.map(|it| it.to_string())),
            ("output-limit", self.output_limit.map(|it| it.to_string())),
        ];
        let bounds = bounds.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let all = suite.chain(cc).chain(flags).chain(with).chain(bounds);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Takes what [`Self::given`] has.
    pub fn give(&mut self, given: &[(String, String)]) {
        let all = |name: &str| -> Vec<String> {
            given.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
        };
        self.suite = all("suite").pop().map(PathBuf::from);
        (self.cc, self.flags) = (all("cc"), all("flags"));
        self.with = all("with").into_iter().map(PathBuf::from).collect();
        let number = |name: &str| all(name).pop().and_then(|value| value.parse().ok());
        (self.budget, self.output_limit) = (number("budget"), number("output-limit"));
        self.timeout = all("timeout").pop().and_then(|value| value.parse().ok());
    }

    /// The same as on a command line, with a blank behind each word.
    pub fn words(&self) -> String {
        let given = self.given();
        given.iter().map(|(name, value)| format!("--{name}={} ", quoted(value))).collect()
    }

    /// What each program may take.
    pub fn budget(&self) -> Budget {
        BudgetArgs { budget: self.budget, timeout: self.timeout }.of_process(self.output_limit.unwrap_or(OUTPUT))
    }

    /// The sets of flags.
    pub fn sets(&self) -> Vec<Vec<String>> {
        let usual = || ["-O0", "-O2"].map(str::to_owned).to_vec();
        let sets = if self.flags.is_empty() { usual() } else { self.flags.clone() };
        sets.iter().map(|set| set.split_whitespace().map(str::to_owned).collect()).collect()
    }
}

/// The targets that programs are compiled for where nobody names any: those of glibc's packages.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(|target| is_for(target) && Abi::of(target) != Abi::AapcsBase)
}

/// Whether Linux processes of a target run here.
pub fn is_for(target: &'static Target) -> bool {
    Process::<unicorn::Processor>::is_for(target)
}
