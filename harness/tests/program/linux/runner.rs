//! `harness exec --run` as other tools start it: the recipes of docs/runner.md, each by its tool where that is installed.

use std::path::Path;
use std::process::Command;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A program that is right only with the arguments that it is given, and says so.
const SOURCE: &str = "#include <stdio.h>\n#include <string.h>\n
int main(int count, char **words) {
    if (count != 3 || strcmp(words[1], \"--list\") || strcmp(words[2], \"--\")) return 1;
    puts(\"reached the end\");
    return 0;
}";

/// The text of a recipe: what the page has behind this heading, between fences.
fn recipe(heading: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runner.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let behind = text.split_once(&format!("## {heading}\n")).expect("the heading").1;
    let fenced = behind.split_once("```").expect("a fence").1.split_once('\n').expect("a line").1;
    fenced.split_once("```").expect("a fence").0.to_owned()
}

/// Whether all of these are installed; says which are not.
fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| which::which(program).is_err()).collect();
    missing.iter().for_each(|program| println!("skipped: {program} is not installed"));
    missing.is_empty()
}

/// Runs a command in a directory, with us among the programs, and has it succeed. What it printed.
fn done(directory: &Path, words: &[&str]) -> String {
    let programs = Path::new(HARNESS).parent().expect("a directory").display();
    let path = format!("{programs}:{}", std::env::var("PATH").expect("a path"));
    let output = Command::new(words[0]).args(&words[1..]).current_dir(directory).env("PATH", path).output();
    let output = output.expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    files.iter().for_each(|(name, text)| std::fs::write(directory.join(name), text).expect("writable"));
}

#[test]
fn cmake() {
    if !installed(&["cmake", "ctest", "aarch64-linux-gnu-gcc"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let project = "cmake_minimum_required(VERSION 3.20)\nproject(sample C)\nenable_testing()\nadd_executable(sample sample.c)\n\
        add_test(NAME sample COMMAND sample --list --)\n";
    let files = [("CMakeLists.txt", project), ("sample.c", SOURCE), ("cross.cmake", &recipe("CMake"))];
    write(directory.path(), &files);
    done(directory.path(), &["cmake", "-B", "build", "-DCMAKE_TOOLCHAIN_FILE=cross.cmake"]);
    done(directory.path(), &["cmake", "--build", "build"]);
    let said = done(directory.path(), &["ctest", "--test-dir", "build", "--verbose"]);
    assert!(said.contains("reached the end") && said.contains("exec\" \"--run\""), "{said}");
}

#[test]
fn meson() {
    if !installed(&["meson", "ninja", "aarch64-linux-gnu-gcc"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let project = "project('sample', 'c')\nsample = executable('sample', 'sample.c')\n\
        test('sample', sample, args: ['--list', '--'])\n";
    let files = [("meson.build", project), ("sample.c", SOURCE), ("cross.ini", &recipe("Meson"))];
    write(directory.path(), &files);
    done(directory.path(), &["meson", "setup", "build", "--cross-file", "cross.ini"]);
    let said = done(directory.path(), &["meson", "test", "-C", "build", "--verbose"]);
    assert!(said.contains("reached the end"), "{said}");
}

#[test]
fn dejagnu() {
    if !installed(&["runtest", "aarch64-linux-gnu-gcc"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let suite = directory.path().join("suite/sample.suite");
    std::fs::create_dir_all(directory.path().join("boards")).expect("writable");
    std::fs::create_dir_all(&suite).expect("writable");
    // DejaGnu gives a simulator's program no arguments.
    let test = "foreach {name expected} {right pass wrong fail} {
            set result [remote_load target [file join [pwd] $name]]
            if {[lindex $result 0] eq $expected} { pass $name } else { fail $name }
        }\n";
    write(&suite, &[("sample.exp", test)]);
    let site = "lappend boards_dir [file join [pwd] boards]\n";
    write(directory.path(), &[("boards/harness.exp", &recipe("DejaGnu")), ("site.exp", site)]);
    for (name, source) in [("right", "int main(void) { return 0; }"), ("wrong", "int main(void) { return 1; }")] {
        write(directory.path(), &[("sample.c", source)]);
        done(directory.path(), &["aarch64-linux-gnu-gcc", "-static", "sample.c", "-o", name]);
    }
    let said = done(directory.path(), &["runtest", "--tool", "sample", "--target_board=harness", "--srcdir", "suite"]);
    assert!(said.contains("of expected passes\t\t2") && !said.contains("unexpected"), "{said}");
}

/// As cargo does it, whose target may have no library here.
#[test]
fn cargo() {
    let runner = recipe("cargo");
    let line = runner.lines().find(|line| line.starts_with("runner")).expect("a runner");
    let words: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    assert_eq!((words[0], words.last()), ("harness", Some(&"--run")));
    if !installed(&["aarch64-linux-gnu-gcc"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), &[("sample.c", SOURCE)]);
    done(directory.path(), &["aarch64-linux-gnu-gcc", "-static", "sample.c", "-o", "sample"]);
    let said = done(directory.path(), &[&words[..], &["./sample", "--list", "--"]].concat());
    assert_eq!(said, "reached the end\n");
}
