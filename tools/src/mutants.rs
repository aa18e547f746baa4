//! Mutants of the linker's passes: each changes one decision in a copy of the sources, and the cases that are named beside it
//! have to notice. (Rows of relocations are data: their mutants are made in process, by `harness`.)

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What is changed, in which file, from what to what, and what sees it: cases, or `fuzz` with its options.
struct Mutant {
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    cases: &'static str,
}

const fn mutant(
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    cases: &'static str,
) -> Mutant {
    Mutant { what, file, from, to, cases }
}

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    mutant("a veneer is made when a branch is twice as far as it reaches", "linker/src/pass/stubs.rs",
        "reach.allows(form.value.saturating_add(*m))", "reach.allows(form.value.saturating_add(*m) / 2)", "elf/aarch64/veneers"),
    mutant("stubs of one symbol are shared whatever the addend", "linker/src/pass/stubs.rs",
        "let key = (edge.target, stub_addend(graph, row, &edge), shape.name);",
        "let key = (edge.target, 0, shape.name);", "veneers/a64_addends"),
    mutant("an entry of the table is the same for every addend", "linker/src/pass/got.rs",
        "if operation.term == Term::GotOfSum { edge.addend } else { 0 }", "0", "peers/d17"),
    mutant("an entry is the same for an address and for an offset", "linker/src/pass/got.rs",
        "entries.entry(key).or_insert_with", "entries.entry((key.0, key.1, Entry::Address)).or_insert_with", "tls/"),
    mutant("retained sections are no roots", "linker/src/pass/prune.rs",
        "            marker.mark_retained();\n", "", "sections/retained_needs"),
    mutant("what lives along with a function does not", "linker/src/pass/prune.rs",
        "along.entry(about).or_default().push(block);", "let _ = about;", "elf/armv7/sections"),
    mutant("code without unwinding entries gets none", "linker/src/pass/unwind.rs",
        "for block in gaps {", "for block in gaps.into_iter().take(0) {", "elf/armv7/sections"),
    mutant("a function that chooses itself keeps the state of its resolver", "linker/src/pass/ifunc.rs",
        "symbol.flags.without(Flags::IFUNC).without(Flags::THUMB);", "symbol.flags.without(Flags::IFUNC);", "ifunc/"),
    mutant("discriminators are not signed along", "linker/src/pass/sign.rs",
        "(schema >> 32) as u16", "0", "pauth/pointers"),
    mutant("addresses are not signed along", "linker/src/pass/sign.rs",
        "diverse: schema >> 63 == 1", "diverse: false", "pauth/pointers"),
    mutant("calls by way of descriptors keep their addend", "linker/src/pass/relax.rs",
        "-graph.arch.pc_bias(graph.row(edge))", "edge.addend", "tls/descriptors_arm"),
    mutant("Thumb code of big-endian objects is turned like ARM code", "linker/src/elf/code.rs",
        "Bytes::Thumb => 2,", "Bytes::Thumb => 4,", "elf/thumbebv7/calls"),
    mutant("loads through the table are relaxed pair by pair", "linker/src/arch/aarch64/relax.rs",
        "pairs.iter().filter(|(page, _)| !kept.contains(&page.edge.target))", "pairs.iter()", "fuzz --count 20 --arch aarch64"),
    mutant("pages and loads of thread-local offsets are rewritten whatever their registers", "linker/src/arch/aarch64/relax.rs",
        "if to != from || !here", "if !here", "fuzz --count 30 --arch aarch64"),
    mutant("output sections of any name may be parted", "linker/src/layout/units.rs",
        "let whole = !output.may_be_parted();", "let whole = false;", "fuzz --count 20 --arch armv7"),
    mutant("what has content ends behind what has none", "linker/src/layout/bounds.rs",
        "unit.class == Class::Write && !unit.zero)", "unit.class == Class::Write)", "fuzz --count 100 --kinds bounds"),
    mutant("constructors of two kinds are two arrays", "linker/src/layout/output.rs",
        "{ b\".init_array\" }", "{ b\".ctors\" }", "fuzz --count 20"),
];

/// Whether a line of output begins a failure: of a case, or of a generated program.
fn is_failure(line: &str) -> bool {
    line.starts_with("FAIL ") || line.starts_with("seed ")
}

/// Makes each mutant in a copy of the tree, and runs its cases. A survivor is an error.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let copy = tempfile::tempdir()?;
    let files = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    for file in String::from_utf8(files.stdout)?.split_terminator('\0') {
        let to = copy.path().join(file);
        std::fs::create_dir_all(to.parent().context("a folder")?)?;
        std::fs::copy(root.join(file), &to).with_context(|| file.to_owned())?;
    }
    let cases = |filter: &str| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["run", "--quiet", "--package", "harness", "--"])
            .args(filter.split_whitespace())
            .current_dir(copy.path());
        // Kept, so that the emulator is built once.
        let output = cargo.env("CARGO_TARGET_DIR", root.join("target/mutants")).output()?;
        let failed = String::from_utf8_lossy(&output.stdout).lines().filter(|line| is_failure(line)).count();
        match output.status.code() {
            Some(0) => Ok(0),
            Some(100) => Ok(failed),
            // No such case, no such option, no build.
            Some(1 | 2 | 4) | None => bail!("{filter}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)),
            // It did not survive that.
            Some(_) => Ok(1),
        }
    };
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let file = copy.path().join(mutant.file);
        let right = std::fs::read_to_string(&file)?;
        if right.matches(mutant.from).count() != 1 {
            bail!("{}: `{}` is not there once", mutant.file, mutant.from);
        }
        if cases(mutant.cases)? != 0 {
            bail!("{}: the cases fail without any change", mutant.cases);
        }
        std::fs::write(&file, right.replacen(mutant.from, mutant.to, 1))?;
        let failed = cases(mutant.cases)?;
        std::fs::write(&file, right)?;
        println!(
            "{:8} {}: {failed} of {} fail",
            if failed > 0 { "killed" } else { "SURVIVED" },
            mutant.what,
            mutant.cases
        );
        if failed == 0 {
            survivors.push(mutant.what);
        }
    }
    if survivors.is_empty() { Ok(()) } else { bail!("no case sees that {}", survivors.join(", nor that ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mutants_change_is_there_once() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        for mutant in MUTANTS {
            let source = std::fs::read_to_string(root.join(mutant.file)).expect(mutant.file);
            assert_eq!(source.matches(mutant.from).count(), 1, "{}: {}", mutant.file, mutant.from);
        }
    }
}
