//! The named sets of builds, as `build: @NAME` asks for them.

use linker::target::Target;

use crate::matrix::{Family, Recipe};
use crate::target::row;

const OPTIMISATIONS: [&str; 3] = ["-O0", "-O2", "-Os"];
const PICS: [&str; 3] = ["-fno-pic", "-fPIC", "-fPIE"];

/// The named sets of builds.
pub const SETS: &[&str] = &["standard", "asm", "one"];

fn recipe(family: Family, flags: &[&str]) -> Recipe {
    Recipe { family, flags: flags.iter().map(|&flag| flag.to_owned()).collect() }
}

/// The builds of a named set for a target; nothing for an unknown name.
pub fn set(name: &str, target: &Target) -> Option<Vec<Recipe>> {
    match name {
        "one" => Some(vec![recipe(Family::Gcc, &["-O2", "-fno-pic"])]),
        "asm" => Some(Family::ALL.map(|family| recipe(family, &[])).to_vec()),
        "standard" => {
            let mut recipes = Vec::new();
            for family in Family::ALL {
                for optimisation in OPTIMISATIONS {
                    recipes.extend(PICS.map(|pic| recipe(family, &[optimisation, pic])));
                }
                let extra = row(target).extra.iter().filter(|extra| extra.0.is_none_or(|only| only == family));
                recipes.extend(extra.map(|extra| recipe(family, extra.1)));
            }
            Some(recipes)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Build, ToolchainId};

    #[test]
    fn sets_have_distinct_labels() {
        for target in linker::target::TARGETS {
            for name in SETS {
                let recipes = set(name, target).expect("a set");
                let mut labels: Vec<String> = recipes
                    .into_iter()
                    .map(|recipe| {
                        Build::new(target, ToolchainId { family: recipe.family, major: 1 }, recipe.flags).label
                    })
                    .collect();
                let count = labels.len();
                labels.sort();
                labels.dedup();
                assert_eq!(labels.len(), count, "{} @{name}", target.name);
            }
        }
        let count = |target| set("standard", Target::named(target).expect("a target")).map(|set| set.len());
        assert_eq!((count("armv7"), count("aarch64"), count("armv6")), (Some(20), Some(22), Some(18)));
    }
}
