//! The GitHub action at the root: its steps are run as they stand, by the shell that GitHub runs them with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use yaml_rust2::{Yaml, YamlLoader};

use super::{repository, target_directory};

/// The action's file, and what a caller gives it.
struct Action {
    yaml: Yaml,
    given: BTreeMap<&'static str, String>,
    /// Where the job's files are.
    temporary: tempfile::TempDir,
}

/// What the steps of an action led to.
struct Ran {
    status: Option<i32>,
    text: String,
    summary: String,
    /// Names of the actions that were used, with what they were given.
    used: Vec<(String, BTreeMap<String, String>)>,
}

impl Action {
    fn new(given: &[(&'static str, &str)]) -> Action {
        let text = std::fs::read_to_string(repository().join("action.yml")).expect("the action");
        let yaml = YamlLoader::load_from_str(&text).expect("valid YAML").remove(0);
        let given = given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Action { yaml, given, temporary: tempfile::tempdir().expect("a temporary directory") }
    }

    fn workspace(&self) -> PathBuf {
        self.temporary.path().join("workspace")
    }

    fn input(&self, name: &str) -> String {
        let declared = &self.yaml["inputs"][name];
        assert!(!declared.is_badvalue(), "the action has no input `{name}`");
        let default = declared["default"].as_str().unwrap_or_default();
        self.given.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }

    /// The value of an expression, for what this action uses of GitHub's language.
    fn value(&self, expression: &str) -> String {
        match expression.trim().split_once('.') {
            Some(("inputs", name)) => self.input(name),
            Some(("github", "action_path")) => repository().display().to_string(),
            _ => panic!("an expression that this test does not know: {expression}"),
        }
    }

    /// Text with its expressions put in.
    fn filled(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${{") {
            let (expression, behind) = behind.split_once("}}").expect("an expression has an end");
            out += before;
            out += &self.value(expression);
            rest = behind;
        }
        out + rest
    }

    fn holds(&self, condition: Option<&str>, failed: bool) -> bool {
        let Some(condition) = condition else { return !failed };
        let terms: Vec<&str> = condition.split("&&").map(str::trim).collect();
        let always = terms.contains(&"always()");
        (always || !failed)
            && terms.iter().filter(|term| **term != "always()").all(|term| {
                let (left, equal, right) = match term.split_once("!=") {
                    Some((left, right)) => (left, false, right),
                    None => term.split_once("==").map(|(left, right)| (left, true, right)).expect(term),
                };
                (self.value(left) == right.trim().trim_matches('\'')) == equal
            })
    }

    /// Runs the steps in a workspace that is there.
    fn run(&self) -> Ran {
        let file = |name: &str| self.temporary.path().join(name);
        let temporary = file("runner");
        std::fs::create_dir_all(&temporary).expect("a folder");
        std::fs::create_dir_all(self.workspace()).expect("a folder");
        for name in ["path", "summary"] {
            std::fs::write(file(name), "").expect("a file");
        }
        let mut ran = Ran { status: Some(0), text: String::new(), summary: String::new(), used: Vec::new() };
        assert_eq!(self.yaml["runs"]["using"].as_str(), Some("composite"));
        for step in self.yaml["runs"]["steps"].as_vec().expect("steps") {
            if !self.holds(step["if"].as_str(), ran.status != Some(0)) {
                continue;
            }
            if let Some(used) = step["uses"].as_str() {
                let with = step["with"].as_hash().expect("inputs").iter();
                let text = |yaml: &Yaml| self.filled(yaml.as_str().expect("text"));
                ran.used.push((used.to_owned(), with.map(|(name, value)| (text(name), text(value))).collect()));
                continue;
            }
            let script = step["run"].as_str().expect("a step runs something");
            assert!(!script.contains("${{"), "what a caller gives is pasted into a script: {script}");
            assert_eq!(step["shell"].as_str(), Some("bash"));
            std::fs::write(file("script.sh"), script).expect("a file");
            let directory = step["working-directory"].as_str().map(|text| PathBuf::from(self.filled(text)));
            let mut command = Command::new("bash");
            command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file("script.sh"));
            command.current_dir(directory.unwrap_or_else(|| self.workspace()));
            for (name, value) in step["env"].as_hash().into_iter().flatten() {
                command.env(name.as_str().expect("a name"), self.filled(value.as_str().expect("text")));
            }
            let added = std::fs::read_to_string(file("path")).expect("a file");
            let path =
                added.lines().rev().map(str::to_owned).chain(std::env::var("PATH")).collect::<Vec<_>>().join(":");
            let Output { status, stdout, stderr } = command
                .envs([("PATH", path), ("NO_COLOR", "1".to_owned())])
                .env("RUNNER_TEMP", &temporary)
                .env("GITHUB_PATH", file("path"))
                .env("GITHUB_STEP_SUMMARY", file("summary"))
                // What is built is there already.
                .env("CARGO_TARGET_DIR", target_directory())
                .output()
                .expect("bash starts");
            ran.text += &String::from_utf8_lossy(&[stdout, stderr].concat());
            if ran.status == Some(0) {
                ran.status = status.code();
            }
        }
        ran.summary = std::fs::read_to_string(file("summary")).expect("a file");
        ran
    }
}

#[test]
fn the_steps_install_run_and_report() {
    let action =
        Action::new(&[("arguments", "aarch64/got 'thumbv7/calls' --layout near --strict"), ("reports", "out/all")]);
    let ran = action.run();
    assert_eq!(ran.status, Some(0), "{}", ran.text);
    for name in ["report.json", "report.xml", "report.md", "report.html"] {
        let size =
            std::fs::metadata(action.workspace().join("out/all").join(name)).map_or(0, |metadata| metadata.len());
        assert!(size > 500, "{name}: {size} bytes\n{}", ran.text);
    }
    assert!(ran.summary.contains("R_AARCH64_LD64_GOT_LO12_NC"), "{}", ran.summary);
    let (used, with) = &ran.used[0];
    assert!(used.starts_with("actions/upload-artifact@"), "{used}");
    assert_eq!((with["name"].as_str(), with["path"].as_str()), ("linkrig-report", "out/all"));

    // What is installed needs no checkout: where this one is, there is nothing.
    let installed = action.temporary.path().join("runner/linkrig/bin/harness");
    super::installed::works_without_a_checkout(&installed);
}

#[test]
fn what_a_caller_gives_is_not_run_by_a_shell() {
    let hostile = "nothing-like-it\"; touch pwned; \" $(touch pwned) `touch pwned` '; touch pwned'";
    let action =
        Action::new(&[("arguments", hostile), ("setup", "false"), ("reports", "out; touch pwned"), ("artifact", "")]);
    let ran = action.run();
    // Words for filters, none of which is in a name.
    assert_eq!(ran.status, Some(4), "{}", ran.text);
    assert!(!action.workspace().join("pwned").exists() && !repository().join("pwned").exists(), "{}", ran.text);
    assert_eq!(ran.used.len(), 0);
}

/// Every `uses: ./` of the workflows gives inputs that the action has.
#[test]
fn the_workflow_uses_it() {
    let action = Action::new(&[]);
    let mut uses = 0;
    for entry in std::fs::read_dir(repository().join(".github/workflows")).expect("workflows") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a workflow");
        let workflow =
            YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).remove(0);
        for (_, job) in workflow["jobs"].as_hash().expect("jobs") {
            for step in job["steps"].as_vec().expect("steps").iter().filter(|step| step["uses"].as_str() == Some("./"))
            {
                uses += 1;
                for (name, _) in step["with"].as_hash().into_iter().flatten() {
                    action.input(name.as_str().expect("a name"));
                }
            }
        }
    }
    assert!(uses > 0, "no workflow uses the action");
}

/// The snippets of the documents, too.
#[test]
fn the_documents_use_it_as_it_is() {
    let action = Action::new(&[]);
    let mut uses = 0;
    for name in ["README.md", "docs/ci.md"] {
        let text = std::fs::read_to_string(repository().join(name)).expect(name);
        for snippet in
            text.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(snippet, _)| snippet)
        {
            let yaml = YamlLoader::load_from_str(snippet)
                .unwrap_or_else(|error| panic!("{name}: {error}\n{snippet}"))
                .remove(0);
            let steps = yaml.as_vec().or_else(|| {
                let (_, job) = yaml["jobs"].as_hash()?.iter().next()?;
                job["steps"].as_vec()
            });
            for step in steps.unwrap_or_else(|| panic!("{name}: steps\n{snippet}")) {
                let ours = step["uses"].as_str().is_some_and(|used| used.contains("linkrig"));
                for (input, _) in step["with"].as_hash().into_iter().flatten().filter(|_| ours) {
                    uses += 1;
                    action.input(input.as_str().expect("a name"));
                }
            }
        }
    }
    assert!(uses > 1, "the documents show how it is used");
}
