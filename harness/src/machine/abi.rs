//! Calling conventions.

use linker::Target;

/// How arguments and results travel. Chosen by the target's name.
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
        match target.name {
            _ if target.register_bits == 64 => Abi::Aapcs64,
            "armv7" | "thumbv7" | "armebv7" | "thumbebv7" => Abi::AapcsVfp,
            _ => Abi::AapcsBase,
        }
    }
}
