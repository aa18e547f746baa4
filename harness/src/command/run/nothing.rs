//! Explains why nothing is selected, and suggests what may have been meant.

use std::collections::BTreeSet;

use corpus::case::Case;

use super::Args;
use crate::messages::suggest;
use crate::plan::{self, Selection, Source};

/// The reason in words.
pub(super) fn why(args: &Args, selection: &Selection, cases: &[Case], source: &Source, executor: &str) -> String {
    if args.rerun_failed {
        return "nothing has failed that has not passed since; or it is not there any more".to_owned();
    }
    // All names there are, for as much of the selection as is no text to be looked for.
    let everything =
        Selection { targets: selection.targets.clone(), layouts: selection.layouts.clone(), ..Selection::default() };
    let names: Vec<String> = plan::select(cases, &everything, source, executor)
        .map(|batches| batches.into_iter().flatten().map(|configuration| configuration.name).collect())
        .unwrap_or_default();
    let labels: BTreeSet<&str> = names.iter().filter_map(|name| toolchain(name)).collect();
    for wanted in &args.toolchain {
        if !names.iter().filter_map(|name| name.split('/').nth(4)).any(|build| build.starts_with(wanted.as_str())) {
            let known: Vec<&str> = labels.iter().copied().collect();
            let near = suggest(wanted, labels.iter().copied());
            return format!("no build is by a toolchain `{wanted}`, there are {}{near}", known.join(", "));
        }
    }
    if args.exact {
        let missing = args.filters.iter().find(|filter| !names.contains(filter));
        if let Some(filter) = missing {
            return format!("no configuration is called `{filter}`{}; --list shows the names", near(filter, &names));
        }
    }
    let held: Vec<&str> = selection.relocations.iter().copied().collect();
    let in_all_layouts = || {
        let all = Selection { filters: selection.filters.clone(), layouts: Vec::new(), ..everything.clone() };
        let batches = plan::select(cases, &all, source, executor).unwrap_or_default();
        batches.into_iter().flatten().map(|configuration| configuration.layout.to_string()).collect::<BTreeSet<_>>()
    };
    match selection.filters.iter().find(|filter| !names.iter().any(|name| name.contains(filter.as_str()))) {
        Some(filter) => {
            let layouts = in_all_layouts();
            if !layouts.is_empty() {
                let layouts = layouts.into_iter().collect::<Vec<_>>().join(", ");
                return format!("what has `{filter}` in its name is for other layouts: {layouts}");
            }
            format!("no configuration has `{filter}` in its name{}; --list shows the names", near(filter, &names))
        }
        None if !held.is_empty() => format!("no object of what is left holds {}", held.join(" or ")),
        None if selection.filters.is_empty() => {
            format!("none of the {} cases is for this target, toolchain and partition", cases.len())
        }
        None => format!(
            "`{}` is in names, but in none that is also for this target, toolchain and partition, and not skipped",
            selection.filters.join("` or `")
        ),
    }
}

/// What a filter is near to: a part of a name, or several that follow one another.
fn near(filter: &str, names: &[String]) -> String {
    let wanted = filter.split('/').count();
    let mut parts: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let all: Vec<&str> = name.split('/').collect();
        parts.extend(all.windows(wanted.min(all.len())).map(|window| window.join("/")));
    }
    suggest(filter, parts.iter().map(String::as_str))
}

/// The toolchain in a name.
fn toolchain(name: &str) -> Option<&str> {
    name.split('/').nth(4)?.split('-').next()
}
