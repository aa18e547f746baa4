//! The options by which a run is bounded.

use std::time::Duration;

use clap::Args as ClapArgs;

use crate::executor::Budget;

/// What a program may take: constructors, IFUNC resolvers and what is called at its end are of it.
#[derive(Clone, Debug, ClapArgs)]
pub struct BudgetArgs {
    /// Instructions that the program may execute; for each, host functions may look at 16 bytes [default: 50000000;
    /// with --timeout, and for a Linux program, only time counts]
    #[arg(long, value_name = "N", env = "LINKRIG_BUDGET")]
    pub budget: Option<u64>,
    /// Seconds that it may run, however many instructions that are, unless --budget says [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
}

/// Seconds that a program may run where nobody says otherwise: what calls the host a million times takes a minute.
pub const TIMEOUT: f64 = 60.0;

/// Instructions where nobody says how many and time decides: it is up before.
const UNCOUNTED: u64 = 1 << 50;

/// Bytes that a program may print where nobody says otherwise, and where they are not kept.
pub const OUTPUT: u64 = 256 << 20;

impl BudgetArgs {
    /// The budget of a run that may print so many bytes.
    pub fn budget(&self, output: u64) -> Budget {
        self.of(self.instructions(), output)
    }

    /// The budget of a Linux process that may print so many bytes.
    pub fn of_process(&self, output: u64) -> Budget {
        self.of(self.budget.unwrap_or(UNCOUNTED), output)
    }

    /// Instructions that a program may execute which is no process.
    pub fn instructions(&self) -> u64 {
        let usual = if self.timeout.is_some() { UNCOUNTED } else { Budget::DEFAULT.instructions };
        self.budget.unwrap_or(usual)
    }

    /// How long it may run.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.timeout.unwrap_or(TIMEOUT))
    }

    fn of(&self, instructions: u64, output: u64) -> Budget {
        Budget { time: self.time(), output, ..Budget::of_instructions(instructions) }
    }
}

/// A number of seconds, a year at most.
pub fn seconds(text: &str) -> Result<f64, String> {
    // A year: what is more cannot be waited for.
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..=31_536_000.0).contains(seconds));
    seconds.ok_or_else(|| "expected a number of seconds, for instance 60 or 0.5".to_owned())
}

/// A number of bytes, with K, M or G for 1024 of the next smaller.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.strip_suffix(['K', 'M', 'G', 'k', 'm', 'g']) {
        Some(digits) => (
            digits,
            match text.as_bytes()[digits.len()].to_ascii_uppercase() {
                b'K' => 10,
                b'M' => 20,
                _ => 30,
            },
        ),
        None => (text, 0),
    };
    let number: Option<u64> = digits.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "expected a number of bytes, for instance 4096, 64K, 8M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_a_time_and_no_number_is_bounded_by_time() {
        let of = |budget, timeout| BudgetArgs { budget, timeout }.budget(OUTPUT);
        let usual = of(None, None);
        assert_eq!((usual.instructions, usual.time.as_secs()), (Budget::DEFAULT.instructions, 60));
        let long = of(None, Some(600.0));
        assert!(long.instructions >= UNCOUNTED && long.work >= UNCOUNTED && long.time.as_secs() == 600);
        assert_eq!(of(Some(7), Some(600.0)).instructions, 7);
    }

    #[test]
    fn numbers_of_bytes_and_seconds() {
        assert_eq!((bytes("12"), bytes("8M"), bytes("1g")), (Ok(12), Ok(8 << 20), Ok(1 << 30)));
        for wrong in ["", "M", "-1", "1.5M", "99999999999G", "8MB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(["-1", "nan", "inf", "1e99", ""].iter().all(|text| seconds(text).is_err()));
    }
}
