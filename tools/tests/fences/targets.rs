//! A target is a row: what there is to know of one stands in the tables of targets, and nothing else asks for it by name.

use std::collections::BTreeSet;

use linker::TARGETS;
use syn::visit::{self, Visit};

use crate::sources::{crates, is_test, workspace};

/// The modules that may name targets, and why: the tables first.
const NAMING: &[(&str, &str, &str)] = &[
    ("linker", "target", "the table of targets: what a linker knows"),
    ("corpus", "target", "the table of targets: what compilers are told"),
    ("harness", "machine::processor", "the table of targets: what runs their code"),
    ("corpus", "case", "the targets of a case that names none"),
    ("harness", "command::relocations", "one target for each table of relocations"),
    ("harness", "command::fuzz", "the instruction sets that programs are generated for"),
    ("harness", "fuzz::model", "the instruction sets that programs are generated for"),
    ("harness", "fuzz::report", "the instruction sets that programs are generated for"),
    ("harness", "linux::abi", "what Linux calls processors: one name is a target's, too"),
    ("tools", "", "floors of what an image of a release has to pass"),
    ("tools", "bench::inputs", "the programs that linkers are timed with"),
    ("tools", "bench::peers", "the programs that linkers are timed with"),
    ("tools", "sources", "the instruction sets that libraries are compiled for"),
];

/// The names of targets among the literals of a source.
#[derive(Default)]
struct Names {
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        let value = literal.value();
        if TARGETS.iter().any(|target| target.name == value) {
            self.found.insert(value);
        }
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string();
        let named = TARGETS.iter().filter(|target| text.contains(&format!("\"{}\"", target.name)));
        self.found.extend(named.map(|target| target.name.to_owned()));
    }
}

#[test]
fn only_tables_name_targets() {
    let (mut wrong, mut used, mut tables) = (Vec::new(), BTreeSet::new(), 0);
    for (name, sources) in crates() {
        for (module, files) in sources {
            let path = module.join("::");
            // Unit tests in files of their own.
            if module.last().is_some_and(|last| last == "tests") || module.iter().any(|part| part == "tests") {
                continue;
            }
            let mut names = Names::default();
            for text in &files {
                names.visit_file(&syn::parse_file(text).expect("Rust"));
            }
            if names.found.is_empty() {
                continue;
            }
            match NAMING.iter().position(|(krate, known, _)| *krate == name && *known == path) {
                Some(row) => {
                    used.insert(row);
                    tables += usize::from(names.found.len() == TARGETS.len());
                }
                None => wrong.push(format!("{name}::{path} names {:?}", names.found)),
            }
        }
    }
    assert!(wrong.is_empty(), "what is asked of a target by name belongs into its row:\n{}", wrong.join("\n"));
    let unused: Vec<_> = (0..NAMING.len()).filter(|row| !used.contains(row)).map(|row| NAMING[row]).collect();
    assert!(unused.is_empty(), "these name no target any more: {unused:?}");
    assert_eq!(tables, 3, "one table for each crate that knows something of targets");
}

#[test]
fn continuous_integration_covers_every_target() {
    let path = workspace().join(".github/workflows/corpus.yml");
    let text = std::fs::read_to_string(path).expect("the workflow");
    let list = text.lines().find_map(|line| line.trim().strip_prefix("target: [")).expect("a list of targets");
    let listed: BTreeSet<&str> = list.trim_end_matches(']').split(',').map(str::trim).collect();
    let targets: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(listed, targets);
}
