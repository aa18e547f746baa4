//! The options by which a run is bounded.

use std::time::Duration;

use clap::Args as ClapArgs;

use crate::executor::Budget;

/// What a program may take: constructors, IFUNC resolvers and what is called at its end are of it.
#[derive(Clone, Debug, ClapArgs)]
pub struct BudgetArgs {
    /// Instructions that the program may execute; for each, host functions may look at 16 bytes [default: 50000000; for a
    /// Linux program only its time counts]
    #[arg(long, value_name = "N", env = "LINKRIG_BUDGET")]
    pub budget: Option<u64>,
    /// Seconds that it may run
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = seconds)]
    pub timeout: f64,
}

/// Seconds that a program may run where nobody says otherwise: what calls the host a million times takes a minute.
pub const TIMEOUT: f64 = 60.0;

/// Instructions of a process where nobody says how many: its time is up before.
const PROCESS: u64 = 1 << 50;

/// Bytes that a program may print where nobody says otherwise, and where they are not kept.
pub const OUTPUT: u64 = 256 << 20;

impl BudgetArgs {
    /// The budget of a run that may print so many bytes.
    pub fn budget(&self, output: u64) -> Budget {
        self.of(self.instructions(), output)
    }

    /// The budget of a Linux process that may print so many bytes.
    pub fn of_process(&self, output: u64) -> Budget {
        self.of(self.budget.unwrap_or(PROCESS), output)
    }

    /// Instructions that a program may execute which is no process.
    pub fn instructions(&self) -> u64 {
        self.budget.unwrap_or(Budget::DEFAULT.instructions)
    }

    fn of(&self, instructions: u64, output: u64) -> Budget {
        Budget { time: Duration::from_secs_f64(self.timeout), output, ..Budget::of_instructions(instructions) }
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
    fn numbers_of_bytes_and_seconds() {
        assert_eq!((bytes("12"), bytes("8M"), bytes("1g")), (Ok(12), Ok(8 << 20), Ok(1 << 30)));
        for wrong in ["", "M", "-1", "1.5M", "99999999999G", "8MB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(["-1", "nan", "inf", "1e99", ""].iter().all(|text| seconds(text).is_err()));
    }
}
