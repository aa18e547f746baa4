//! The commands of the documents are run as they stand, and print what stands below them.
//!
//! In a block that is called `console`, lines that begin with `$ ` are commands for a shell, in a folder of the document's
//! own. `$ cat FILE` in the first place makes the file: what stands below is its content. In output, `...` stands for
//! anything, also for lines. `LINKRIG_UPDATE=1` writes what is printed now, but for lines with `...`.

use std::path::Path;
use std::process::Command;

use super::repository;

/// Whether text is as expected, where `...` stands for anything.
fn is_like(expected: &str, text: &str) -> bool {
    let parts: Vec<&str> = expected.split("...").collect();
    let (first, behind) = parts.split_first().expect("split gives one at least");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some((last, between)) = behind.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Runs a command; what it prints on both outputs, in order.
fn shell(command: &str, directory: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_harness")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(directory)
        .envs([("PATH", path.as_str()), ("NO_COLOR", "1"), ("LC_ALL", "C")])
        .env("XDG_CACHE_HOME", directory.join(".cache"))
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .expect("bash starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Lines of nothing but blanks and blanks at ends of lines do not survive in documents.
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// Runs a block, and returns it with what was printed now. A line that begins with `$ ` goes on while it ends with `\`.
fn run(block: &str, directory: &Path, wrong: &mut Vec<String>) -> String {
    let mut lines = block.lines().peekable();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        let mut command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("a command: {line}")).to_owned();
        out += &format!("{line}\n");
        while command.ends_with('\\') {
            let more = lines.next().expect("the rest of the command");
            out += &format!("{more}\n");
            command = format!("{command}\n{more}");
        }
        let mut expected = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected += &format!("{line}\n");
        }
        if let Some(file) = command.strip_prefix("cat ")
            && !directory.join(file).exists()
        {
            let path = directory.join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, format!("{}\n", expected.trim_end())).expect("a file");
            out += &expected;
            continue;
        }
        let printed = shell(&command, directory);
        if is_like(expected.trim_end(), &printed) {
            out += &expected;
        } else {
            wrong.push(format!("$ {command}\n{printed}\n--- expected\n{expected}"));
            out += &if printed.is_empty() { String::new() } else { format!("{printed}\n") };
            // An empty line apart from the next command, where there was one.
            out += if expected.lines().next_back() == Some("") && lines.peek().is_some() { "\n" } else { "" };
        }
    }
    out
}

fn check(document: &str) {
    const START: &str = "```console\n";
    let path = repository().join(document);
    let text = std::fs::read_to_string(&path).expect(document);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut wrong = Vec::new();
    let mut parts = text.split(START);
    let mut now = parts.next().unwrap_or_default().to_owned();
    let mut blocks = 0;
    for part in parts {
        let (block, behind) = part.split_once("```").expect("a block has an end");
        blocks += 1;
        now += &format!("{START}{}```{behind}", run(block, directory.path(), &mut wrong));
    }
    assert!(blocks > 0, "{document} has no commands");
    if std::env::var_os("LINKRIG_UPDATE").is_some() {
        return std::fs::write(path, now).expect(document);
    }
    assert!(wrong.is_empty(), "{document} is not true (LINKRIG_UPDATE=1 writes it anew):\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_is_true() {
    check("README.md");
}

#[test]
fn dots_stand_for_anything() {
    for (expected, text, is) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("1 in ... s", "1 in 0.3 s", true),
        ("a\n...\nz", "a\nb\nc\nz", true),
        ("a ... b", "a c", false),
        ("...", "x", true),
    ] {
        assert_eq!(is_like(expected, text), is, "{expected:?} {text:?}");
    }
}
