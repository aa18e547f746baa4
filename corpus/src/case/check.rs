//! Finds what is wrong with a case whose directives are right by themselves: names of nothing, directives without effect.

use linker::target::Target;

use super::values::Loops;
use super::{Case, GroupKind, Scoped};
use crate::directive::{DirectiveError, Group, Location, Part, Source, Subject, Word};
use crate::matrix::{self, Build, Family};
use crate::text::nearest;
use linker::Layout;

/// The hash of what a compiler sees of a variant: names and texts of parts without their directives, and the macros.
pub(super) fn source_hash(source: &Source, values: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in values {
        text.push_str(&format!("{name}={value}\n"));
    }
    let directives: Vec<usize> = source.directives.iter().map(|raw| raw.at.line).collect();
    for part in &source.parts {
        text.push_str(&format!("//--- {}\n", part.name));
        for (index, line) in part.text.lines().enumerate() {
            if !directives.contains(&(part.line + index + 1)) {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    crate::digest::sha256(text.as_bytes())
}

/// Names in scopes and of values, before variants are made.
pub(super) fn names(source: &Source, loops: &Loops, errors: &mut Vec<DirectiveError>) {
    let start = Location { line: 1, column: 1 };
    if !source.parts.iter().any(|part| part.is_source()) {
        errors.push(start.error(&source.file, "there is no code in this case"));
    }
    for (index, part) in source.parts.iter().enumerate() {
        let object = part.object_name();
        let same = |other: &&crate::directive::Part| other.is_source() && other.object_name() == object;
        if let Some(other) = source.parts[..index].iter().find(same).filter(|_| part.is_source()) {
            let at = Location { line: part.line.max(1), column: 1 };
            errors.push(
                at.error(&source.file, format!("`{}` and `{}` would both become `{object}`", other.name, part.name)),
            );
        }
    }
    for raw in &source.directives {
        for word in &raw.scope.0 {
            let Word::Value(name, value) = word else { continue };
            let known = loops.iter().find(|known| known.0 == *name);
            if !known.is_some_and(|known| known.1.contains(value)) {
                let error = raw.at.error(&source.file, format!("`{name}={value}` is no value of a `for`"));
                errors.push(error.meant(nearest(name, loops.iter().map(|known| known.0.as_str()))));
            }
        }
    }
    let fors = source.directives.iter().filter(|raw| raw.spec.name == "for");
    for raw in fors {
        let Some((name, _)) = loops.iter().find(|(name, _)| raw.value.split(['=', ' ']).next() == Some(name)) else {
            continue;
        };
        let in_directive = source.directives.iter().any(|other| other.value.contains(&format!("${name}")));
        let in_directive =
            in_directive || source.directives.iter().any(|raw| raw.value.contains(&format!("${{{name}}}")));
        if !in_directive && !source.parts.iter().any(|part| part.text.lines().any(|line| uses(line, name))) {
            errors.push(raw.at.error(&source.file, format!("nothing uses `{name}`")));
        }
    }
}

/// Whether the name stands in this line of a source, outside of the directives.
fn uses(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !line.starts_with("// for:") && line.split(|c: char| !word(c)).any(|found| found == name)
}

/// Builds, each with its layouts.
type Configurations = Vec<(Build, Vec<Layout>)>;

/// All configurations of a variant.
fn configurations(case: &Case) -> Configurations {
    let builds = case.builds(&[], &matrix::wanted);
    builds.into_iter().map(|build| (build.clone(), case.layouts(build.target))).collect()
}

/// What can be said when all variants of a file have been read.
pub(super) fn cases(source: &Source, cases: &[Case], errors: &mut Vec<DirectiveError>) {
    let all: Vec<(&Case, Configurations)> = cases.iter().map(|case| (case, configurations(case))).collect();
    for (case, configurations) in &all {
        builds(case, configurations, errors);
        groups(case, errors);
        registers(case, configurations, errors);
        ambiguous(case, configurations, errors);
        covers(case, errors);
        expectations(case, configurations, errors);
    }
    let has_link_errors = cases.iter().any(|case| !case.link_errors.is_empty());
    for raw in &source.directives {
        // Where linking fails nothing else is looked at; a call still says what is live.
        let after_link = raw.spec.group == Group::Expected && !["call", "covers", "xfail"].contains(&raw.spec.name);
        if raw.scope.0.is_empty() && !(after_link && has_link_errors) {
            continue;
        }
        let effective = all.iter().any(|(case, configurations)| {
            let value = |word: &Word| match word {
                Word::Value(name, value) => case.values.iter().any(|known| known.0 == *name && known.1 == *value),
                _ => true,
            };
            raw.scope.0.iter().all(value)
                && configurations.iter().any(|(build, layouts)| {
                    layouts.iter().any(|layout| {
                        let fails = after_link && !case.expectations(build, layout).link_errors.is_empty();
                        let subject =
                            Subject { target: build.target, build: Some(build), part: None, layout: Some(layout) };
                        let holds = |part| raw.scope.holds(&Subject { part, ..subject });
                        let parts = || case.parts.iter().any(|part| part.is_source() && holds(Some(&part.name)));
                        !fails && if raw.scope.names_part() { parts() } else { holds(None) }
                    })
                })
        });
        if !effective {
            let message =
                format!("`{}` has no effect: its scope holds in no configuration that looks at it", raw.spec.name);
            errors.push(raw.at.error(&source.file, message));
        }
    }
}

fn builds(case: &Case, configurations: &[(Build, Vec<Layout>)], errors: &mut Vec<DirectiveError>) {
    let at = case.builds.first().map_or(Location { line: 1, column: 1 }, |scoped| scoped.at);
    for (index, (build, _)) in configurations.iter().enumerate() {
        if configurations[..index]
            .iter()
            .any(|(other, _)| other.target.name == build.target.name && other.label == build.label)
        {
            errors
                .push(at.error(&case.file, format!("two builds for {} are called {}", build.target.name, build.label)));
        }
        if build.toolchain.family == Family::Gcc && case.parts.iter().any(|part| part.extension() == "ll") {
            errors.push(at.error(&case.file, "gcc compiles no LLVM IR: builds with clang only"));
        }
    }
}

/// Whether a member of a group is a linker script.
fn is_script(case: &Case, member: &str) -> bool {
    case.parts.iter().any(|part| part.is_script() && part.name == member)
}

fn groups(case: &Case, errors: &mut Vec<DirectiveError>) {
    for scoped in &case.groups {
        for (index, member) in scoped.value.members.iter().enumerate() {
            let is_partial = scoped.value.kind == GroupKind::Partial;
            let parts = case.parts.iter().filter(|part| part.is_source() || is_partial && part.is_script());
            let parts = parts.map(|part| part.name.as_str());
            let partials = case.groups.iter().filter(|other| other.value.kind == GroupKind::Partial);
            let partials = partials.map(|other| other.value.name.as_str());
            let partials = partials.filter(|_| scoped.value.kind == GroupKind::Archive);
            let mut known = parts.chain(partials);
            if !known.clone().any(|name| name == member) {
                let error = scoped
                    .at
                    .error(&case.file, format!("there is no part `{member}` to put into `{}`", scoped.value.name));
                errors.push(error.meant(nearest(member, &mut known)));
            }
            if scoped.value.members[..index].contains(member) {
                errors.push(scoped.at.error(&case.file, format!("`{member}` stands twice")));
            }
        }
        let scripts = scoped.value.members.iter().filter(|member| is_script(case, member)).count();
        if scripts > 1 {
            errors.push(scoped.at.error(&case.file, "one linker script joins parts, and these are several"));
        } else if scripts == scoped.value.members.len() {
            errors.push(scoped.at.error(&case.file, "a linker script alone joins nothing"));
        }
    }
    let taken = |part: &Part| case.groups.iter().any(|group| group.value.members.contains(&part.name));
    for part in case.parts.iter().filter(|part| part.is_script() && !taken(part)) {
        let at = Location { line: part.line, column: 1 };
        errors.push(at.error(&case.file, format!("nothing is joined by `{}`: name it in `partial`", part.name)));
    }
    for &target in &case.targets {
        let groups = case.groups(target);
        for (index, group) in groups.iter().enumerate() {
            let taken = |member: &String| {
                !is_script(case, member) && groups[..index].iter().any(|other| other.members.contains(member))
            };
            let clash = groups[..index].iter().any(|other| other.name == group.name);
            if let Some(member) = group.members.iter().find(|member| taken(member)) {
                let at =
                    case.groups.iter().find(|scoped| scoped.value == **group).map_or_else(Location::default, |s| s.at);
                errors.push(at.error(&case.file, format!("`{member}` is in another file already")));
            } else if clash
                || case.parts.iter().any(|part| {
                    part.is_source() && part.object_name() == group.name && !group.members.contains(&part.name)
                })
            {
                let at =
                    case.groups.iter().find(|scoped| scoped.value == **group).map_or_else(Location::default, |s| s.at);
                errors.push(at.error(&case.file, format!("there is another `{}`", group.name)));
            }
        }
    }
}

/// Register names by machine: prefix with the count of numbered ones, and names.
const ARM_REGISTERS: (&[(&str, u32)], &[&str]) =
    (&[("r", 16), ("s", 32), ("d", 32)], &["sp", "lr", "pc", "ip", "fp", "cpsr", "fpscr"]);
const AARCH64_REGISTERS: (&[(&str, u32)], &[&str]) = (
    &[("x", 31), ("w", 31), ("s", 32), ("d", 32), ("v", 32), ("q", 32)],
    &["sp", "lr", "pc", "fp", "nzcv", "fpcr", "fpsr"],
);

fn is_register(target: &Target, name: &str) -> bool {
    let (numbered, named) = if crate::target::row(target).is_arm() { ARM_REGISTERS } else { AARCH64_REGISTERS };
    let number = |(prefix, count): &(&str, u32)| {
        let digits = name.strip_prefix(prefix)?;
        let number: u32 = digits.parse().ok()?;
        (number < *count && number.to_string() == digits).then_some(())
    };
    named.contains(&name) || numbered.iter().any(|row| number(row).is_some())
}

fn registers(case: &Case, configurations: &[(Build, Vec<Layout>)], errors: &mut Vec<DirectiveError>) {
    for scoped in &case.registers {
        for (build, layouts) in configurations {
            let name = &scoped.value.name;
            let holds = layouts.iter().any(|layout| holds(scoped, build, layout));
            if holds && !is_register(build.target, name) {
                let message =
                    format!("{} has no register `{name}`: give a scope, as in `register(aarch64)`", build.target.name);
                errors.push(scoped.at.error(&case.file, message));
                break;
            }
        }
    }
}

fn holds<T>(scoped: &Scoped<T>, build: &Build, layout: &Layout) -> bool {
    scoped.scope.holds(&Subject { target: build.target, build: Some(build), part: None, layout: Some(layout) })
}

/// Of what can be only once, two hold and neither has the narrower scope.
fn ambiguous(case: &Case, configurations: &[(Build, Vec<Layout>)], errors: &mut Vec<DirectiveError>) {
    fn look<T>(case: &Case, list: &[Scoped<T>], build: &Build, layout: &Layout, errors: &mut Vec<DirectiveError>) {
        let mut holding: Vec<&Scoped<T>> = list.iter().filter(|scoped| holds(scoped, build, layout)).collect();
        holding.sort_by_key(|scoped| std::cmp::Reverse(scoped.scope.0.len()));
        if let [first, second, ..] = holding[..]
            && first.scope.0.len() == second.scope.0.len()
        {
            let at = first.at.max(second.at);
            let message = format!("this and line {} both hold for {}", first.at.min(second.at).line, build.target.name);
            errors.push(at.error(&case.file, message));
        }
    }
    for (build, layouts) in configurations {
        for layout in layouts {
            look(case, &case.layouts, build, layout, errors);
            look(case, &case.prints, build, layout, errors);
            look(case, &case.exits, build, layout, errors);
            look(case, &case.faults, build, layout, errors);
            look(case, &case.budgets, build, layout, errors);
        }
    }
}

fn covers(case: &Case, errors: &mut Vec<DirectiveError>) {
    for scoped in &case.covers {
        for name in &scoped.value {
            let reached = case.targets.iter().any(|target| case.covers(target, None).contains(&name.as_str()));
            if !reached {
                errors.push(scoped.at.error(&case.file, format!("`{name}` belongs to no target this holds for")));
            }
        }
    }
}

/// Every configuration has something that can go wrong.
fn expectations(case: &Case, configurations: &[(Build, Vec<Layout>)], errors: &mut Vec<DirectiveError>) {
    for (build, layouts) in configurations {
        for layout in layouts {
            let expected = case.expectations(build, layout);
            if expected.calls.is_empty() && expected.link_errors.is_empty() {
                let message = format!(
                    "nothing is expected of {} in {layout}: expected a `call` or a `link-error`",
                    build.target.name
                );
                errors.push(Location { line: 1, column: 1 }.error(&case.file, message));
                return;
            }
        }
    }
}
