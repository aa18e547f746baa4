//! What `--trace` writes: the instructions that a disassembler of others finds in the image, in the order of the source.

use std::collections::HashMap;
use std::process::Command;

use crate::running::{compile, exec};

const SOURCE: &str = "int printf(const char *, ...);
volatile int counter;
__attribute__((noinline)) int add(int a, int b) { return a + b; }
__attribute__((noinline)) int twice(int n) { return n > 2 ? n * 2 : n; }
int main(void) {
    for (int i = 0; i < 5; i++)
        counter = add(counter, twice(i));
    printf(\"%d\\n\", counter);
    return 0;
}
";

/// Addresses of instructions in an image, and their code as GNU's disassembler writes it.
fn disassembled(objdump: &str, image: &str) -> HashMap<u64, String> {
    let shown = Command::new(objdump).args(["-d", "-w", image]).output().expect("objdump");
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let line = |line: &str| {
        let (address, rest) = line.split_once(":\t")?;
        let address = u64::from_str_radix(address.trim(), 16).ok()?;
        Some((address, rest.split('\t').next()?.trim().to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn a_trace_has_what_was_executed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a text path").to_owned();
    for (target, objdump) in [
        ("aarch64", "aarch64-linux-gnu-objdump"),
        ("armv7", "arm-linux-gnueabihf-objdump"),
        ("thumbv7", "arm-linux-gnueabihf-objdump"),
        ("thumbv6m", "arm-linux-gnueabihf-objdump"),
    ] {
        let object = compile(directory.path(), target, "program.c", SOURCE, &["-O1"]);
        let (file, images) = (path("trace"), path("images"));
        let done = exec(&[&object, "--trace", &file, "--save-dir", &images]);
        assert_eq!((done.status, done.out.as_str()), (0, "17\n"), "{target}: {}", done.err);
        let image = format!("{images}/program.c-{target}.elf");
        let known = disassembled(objdump, &image);
        let text = std::fs::read_to_string(&file).expect("a trace");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        let mut host = Vec::new();
        for line in &lines {
            let [address, name, code, text] = line[..] else { panic!("{target}: {line:?}") };
            if code.is_empty() {
                host.push(name);
                continue;
            }
            let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).expect("an address");
            assert_eq!(known.get(&address).map(String::as_str), Some(code), "{target}: {line:?}");
            assert!(!name.is_empty() && !text.is_empty(), "{target}: {line:?}");
        }
        let count = |name: &str| lines.iter().filter(|line| line[1] == name).count();
        assert_eq!((lines[0][1], count("main"), count("add"), count("twice")), ("main", 1, 5, 5), "{target}");
        assert!(host.contains(&"printf (of the host)"), "{target}: {host:?}");
    }
}

#[test]
fn a_trace_is_bounded_and_says_where_it_was_cut() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "thumbv7", "program.c", SOURCE, &["-O1"]);
    let file = directory.path().join("trace");
    let path = file.to_str().expect("a text path");
    let done = exec(&[&object, "--trace", path, "--trace-limit", "1K"]);
    assert_eq!((done.status, done.out.as_str()), (0, "17\n"), "{}", done.err);
    let text = std::fs::read_to_string(&file).expect("a trace");
    assert!((900..=1024).contains(&text.len()) && text.ends_with('\n'), "{}", text.len());
    let said = format!("note: {path} has the first {} instructions, which are 1024 bytes", text.lines().count());
    assert!(done.err.starts_with(&said), "{}", done.err);
    for (wrong, why) in [("-", "--trace wants a file"), ("/nowhere/trace", "/nowhere/trace: No such file")] {
        let done = exec(&[&object, "--trace", wrong]);
        assert!(done.err.contains(why) && done.out.is_empty(), "{wrong}: {}", done.err);
    }
}

/// More instructions than go in one message.
#[test]
fn a_linux_program_is_traced_from_its_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = "#include <stdio.h>
volatile int n;
__attribute__((noinline)) void tick(void) { n++; }
int main(void) { for (int i = 0; i < 9000; i++) tick(); printf(\"%d\\n\", n); return 3; }
";
    std::fs::write(directory.path().join("process.c"), source).expect("written");
    let built = Command::new("aarch64-linux-gnu-gcc-12")
        .args(["-O1", "-static-pie", "-fPIE", "process.c", "-o", "process"])
        .current_dir(directory.path())
        .status();
    assert!(built.expect("a compiler").success());
    let path = |name: &str| directory.path().join(name).to_str().expect("a text path").to_owned();
    let done = exec(&[&path("process"), "--trace", &path("trace")]);
    assert_eq!((done.status, done.out.as_str(), done.err.as_str()), (3, "9000\n", ""));
    let text = std::fs::read_to_string(path("trace")).expect("a trace");
    let names = || text.lines().map(|line| line.split('\t').nth(1).unwrap_or_default());
    assert_eq!((names().next(), names().filter(|name| *name == "tick").count()), (Some("_start"), 9000));
    assert!(text.lines().count() > 50_000 && text.contains("\tsvc #0\n"));
}

#[test]
fn what_is_written_is_never_an_input() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = compile(directory.path(), "aarch64", "program.c", SOURCE, &["-O1"]);
    let before = std::fs::read(&object).expect("an object");
    let other = directory.path().join("other.o").display().to_string();
    std::fs::hard_link(&object, &other).expect("a second name");
    let beside = directory.path().display().to_string();
    for words in [
        &["exec", &object, "--trace", &other][..],
        &["link", &object, "-o", &other, "--phony-externals"],
        &["reduce", "--predicate", "true", &object, "-o", &beside],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(words);
        let done = crate::running::done(command);
        assert!(done.status == 74 && done.err.contains("it is an input, too"), "{words:?}: {done:?}");
        assert_eq!(std::fs::read(&object).expect("an object"), before, "{words:?}");
    }
}
