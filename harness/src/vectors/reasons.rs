//! What has no vectors, and why.

use std::collections::BTreeSet;

use corpus::abi::{Check, Place, Relocation, Standing};
use linker::Target;

use super::data::Kind;
use crate::executor::Unicorn;

/// Why a relocation has no vectors at all.
pub(super) fn no_vectors(target: &Target, relocation: &Relocation) -> Option<&'static str> {
    let text = relocation.formula.as_ref().map_or("", |formula| formula.text());
    match relocation.standing {
        Standing::Dynamic => return Some("it is for loaders"),
        Standing::Obsolete => return Some("it is no longer defined"),
        Standing::Private => return Some("its number is left to platforms"),
        Standing::Static | Standing::Deprecated => {}
    }
    if relocation.form.place == Place::None && !relocation.name.ends_with("_NONE") {
        return Some("the ABI gives it no field: it marks something for linkers");
    }
    if relocation.form.place == Place::A32 && Unicorn::has_thumb_only(target) {
        return Some("the core has no A32 code");
    }
    if text.starts_with("PAUTH(") {
        return Some("the result is signed with a key that only the program has");
    }
    if text.starts_with("FUNCINIT(") {
        return Some("the result is what a function of the program returns");
    }
    None
}

/// Kinds that one would look for and that a relocation has no vector of.
pub(super) fn missing_kinds(
    target: &Target,
    relocation: &Relocation,
    picked: &BTreeSet<Kind>,
) -> Vec<(Kind, &'static str)> {
    let has = |kind| picked.contains(&kind);
    let mut list = Vec::new();
    if relocation.check != Check::None {
        let silent = relocation.name.contains("_THM_BF");
        let reason = "no value beyond the range can be had with addresses, entries and addends of this target";
        if silent {
            list.push((Kind::FirstBad, "the ABI has no error: a linker may write a NOP, or use a trampoline there is"));
        } else if !has(Kind::FirstBad) {
            list.push((Kind::FirstBad, reason));
        }
        if !has(Kind::LastGood) {
            list.push((Kind::LastGood, "neither end of the range can be had with addresses of this target"));
        }
    }
    let formula = relocation.formula.as_ref();
    if formula.is_some_and(|formula| formula.mentions("S") && formula.entry().is_none())
        && !has(Kind::WeakUndefined)
        && relocation.form.place != Place::None
    {
        list.push((Kind::WeakUndefined, "the ABI does not say what it comes to"));
    }
    if relocation.form.place != Place::None {
        list.extend(missing_symbols(relocation, picked));
    }
    if relocation.form.place != Place::None && target.register_bits == 64 {
        list.push((Kind::Rel, "how addends in places of AArch64 are read is not transcribed"));
    }
    list
}

/// Kinds of symbols that a relocation has no vector of.
fn missing_symbols(relocation: &Relocation, picked: &BTreeSet<Kind>) -> Vec<(Kind, &'static str)> {
    let Some(formula) = &relocation.formula else { return Vec::new() };
    let reason = if formula.entry().is_some() || formula.mentions("FUNCDESC") {
        "the field is about an entry of a table, whatever its symbol is"
    } else if picked.contains(&Kind::Absolute) {
        "it is a branch, or so near that a section of its own would share a page with the place or the table"
    } else if formula.mentions("B") || relocation.symbol.is_some() {
        "its symbol cannot be chosen so freely"
    } else {
        "its symbol is a thread-local variable"
    };
    let kinds = [Kind::Absolute, Kind::Local, Kind::Section, Kind::Weak, Kind::Common];
    kinds.into_iter().filter(|kind| !picked.contains(kind)).map(|kind| (kind, reason)).collect()
}
