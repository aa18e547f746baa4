//! Calling conventions.

use linker::Target;

/// How arguments and results travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// The base standard of the 32-bit procedure call standard: floating point in core registers.
    AapcsBase,
    /// The VFP variant ("hard float"): floating point in s0-s15 and d0-d7. Variadic functions use the base standard.
    AapcsVfp,
    /// The 64-bit procedure call standard.
    Aapcs64,
}

impl Abi {
    /// The convention of a target's code.
    pub fn of(target: &Target) -> Abi {
        match (target.register_bits, target.hard_float) {
            (64, _) => Abi::Aapcs64,
            (_, true) => Abi::AapcsVfp,
            (_, false) => Abi::AapcsBase,
        }
    }
}
