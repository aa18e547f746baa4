//! Weak references that nothing resolves (AAELF64 and AAELF32, Weak References, and what they say of call and jump relocations).

use super::{Inputs, Relocation};

/// What the ABI says of a branch by a weak reference that nothing resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnresolvedBranch {
    /// It goes on with the next instruction.
    Next,
    /// It leaves that to linkers.
    Unspecified,
}

/// What a weak reference that nothing resolves comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// S has this value.
    Value(u64),
    /// The branch goes on with the next instruction, as it would without any effect.
    Next,
    /// The ABI does not say.
    Unspecified,
}

impl Relocation {
    /// What becomes of the relocation if its symbol is a weak reference that nothing resolves.
    pub fn unresolved(&self, inputs: &Inputs) -> Unresolved {
        match self.unresolved_branch {
            Some(UnresolvedBranch::Next) => return Unresolved::Next,
            Some(UnresolvedBranch::Unspecified) => return Unresolved::Unspecified,
            None => {}
        }
        let Some(formula) = &self.formula else { return Unresolved::Unspecified };
        match formula.text().trim_start_matches('(') {
            // Absolute, relative to the place, relative to a base.
            "S + A" | "S + A) | T" => Unresolved::Value(0),
            text if text.starts_with("S + A") || text.starts_with("Page(S + A)") => {
                if [" - P", " - Pa", " - Page(P)"].iter().any(|end| text.ends_with(end)) {
                    Unresolved::Value(inputs.p)
                } else if text.ends_with(" - B(S)") {
                    Unresolved::Value(inputs.base)
                } else {
                    Unresolved::Unspecified
                }
            }
            _ => Unresolved::Unspecified,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{self, Class};

    #[test]
    fn values() {
        let inputs = Inputs { p: 0x1000, base: 0x3000, got: 0x2000, ..Inputs::default() };
        let of = |class, name: &str| {
            let known = abi::of(class).relocations.iter().find(|known| known.class == class && known.name == name);
            known.map(|known| known.unresolved(&inputs))
        };
        let arm = |name: &str| of(Class::Arm, name);
        let a64 = |name: &str| of(Class::Lp64, name);
        assert_eq!(a64("R_AARCH64_ABS64"), Some(Unresolved::Value(0)));
        assert_eq!(a64("R_AARCH64_PREL32"), Some(Unresolved::Value(0x1000)));
        assert_eq!(a64("R_AARCH64_ADR_PREL_PG_HI21"), Some(Unresolved::Value(0x1000)));
        assert_eq!(a64("R_AARCH64_CALL26"), Some(Unresolved::Next));
        assert_eq!(a64("R_AARCH64_JUMP26"), Some(Unresolved::Unspecified));
        assert_eq!(a64("R_AARCH64_GOTREL64"), Some(Unresolved::Unspecified));
        assert_eq!(a64("R_AARCH64_TLSLE_ADD_TPREL_LO12"), Some(Unresolved::Unspecified));
        assert_eq!(arm("R_ARM_ABS32"), Some(Unresolved::Value(0)));
        assert_eq!(arm("R_ARM_REL32"), Some(Unresolved::Value(0x1000)));
        assert_eq!(arm("R_ARM_THM_PC12"), Some(Unresolved::Value(0x1000)));
        assert_eq!(arm("R_ARM_SBREL32"), Some(Unresolved::Value(0x3000)));
        assert_eq!(arm("R_ARM_THM_CALL"), Some(Unresolved::Next));
        assert_eq!(arm("R_ARM_TLS_LE32"), Some(Unresolved::Unspecified));
    }
}
