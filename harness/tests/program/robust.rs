//! What nobody would give the program on purpose: files that are none, names that act, outputs that fail, signals. None takes it down.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use object::elf::{R_AARCH64_CALL26, R_AARCH64_JUMP26};
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use reports::exit;
use rustix::process::{Pid, Signal, kill_process};

fn harness() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.env("NO_COLOR", "1").env_remove("GITHUB_STEP_SUMMARY").stdin(Stdio::null());
    command
}

/// The status and everything that was said. A program that hangs is ended, and has no status.
fn run(arguments: &[String]) -> (Option<i32>, String) {
    let mut command = harness();
    command.args(arguments);
    let limits = outside::Limits { time: Duration::from_secs(120), text: 64 << 20, file: 4 << 30, memory: None };
    let ended = outside::run(command, &limits).unwrap_or_else(|error| panic!("{error}"));
    let text = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(text).expect("text"))
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn symbol(name: &[u8], section: SymbolSection, kind: SymbolKind) -> Symbol {
    let scope = if section == SymbolSection::Undefined { SymbolScope::Unknown } else { SymbolScope::Dynamic };
    let (name, flags) = (name.to_vec(), SymbolFlags::None);
    Symbol { name, value: 0, size: 0, kind, scope, weak: false, section, flags }
}

const RET: [u8; 4] = [0xc0, 0x03, 0x5f, 0xd6];
const CALL: [u8; 4] = [0, 0, 0, 0x94];

/// An object for AArch64 with `main`, and so many calls of a symbol of this name from a section of that name.
fn object(section: &[u8], called: &[u8], calls: usize) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let id = object.add_section(Vec::new(), section.to_vec(), SectionKind::Text);
    let code = [CALL.repeat(calls), RET.to_vec()].concat();
    object.append_section_data(id, &code, 4);
    object.add_symbol(symbol(b"main", SymbolSection::Section(id), SymbolKind::Text));
    if calls > 0 {
        let called = object.add_symbol(symbol(called, SymbolSection::Undefined, SymbolKind::Unknown));
        for call in 0..calls {
            let flags =
                RelocationFlags::Elf { r_type: if call % 2 == 0 { R_AARCH64_CALL26 } else { R_AARCH64_JUMP26 } };
            let relocation = Relocation { offset: 4 * call as u64, symbol: called, addend: 0, flags };
            object.add_relocation(id, relocation).expect("it fits");
        }
    }
    object.write().expect("an object")
}

/// A directory with one of each kind of bad file, and what is good.
struct Files {
    directory: tempfile::TempDir,
}

/// Kinds of bad files, and what is said of each, whoever reads it.
const KINDS: &[(&str, &str)] = &[
    ("missing", "No such file or directory"),
    ("directory", ""),
    ("pipe", ""),
    ("device", ""),
    ("empty", ""),
    ("garbage", ""),
    ("huge", ""),
    ("foreign", ""),
];

impl Files {
    fn new() -> Files {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for extension in ["", ".toml", ".json"] {
            let path = |name: &str| path(&format!("{name}{extension}"));
            std::fs::create_dir(path("directory")).expect("made");
            let fifo = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), fifo, 0o600.into(), 0).expect("made");
            std::os::unix::fs::symlink("/dev/zero", path("device")).expect("made");
            std::fs::write(path("empty"), "").expect("written");
            std::fs::write(path("garbage"), [0xf1, 0x0d, 0xff].repeat(2000)).expect("written");
            std::fs::File::create(path("huge")).and_then(|file| file.set_len(1 << 40)).expect("a file of holes");
            // The header of an object for x86-64 in words.
            let foreign = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
            std::fs::write(path("foreign"), foreign.write().expect("an object")).expect("written");
        }
        std::fs::write(path("good.o"), object(b".text", b"", 0)).expect("written");
        let report = r#"{"start":{"version":1,"program":"harness","command":[],"selected":0,"toolchains":{}},"results":[],"totals":null,"version":1}"#;
        std::fs::write(path("good.report"), report).expect("written");
        Files { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Commands, with BAD where a bad file is named. DIR is a directory that can be written to.
const COMMANDS: &[&str] = &[
    "graph BAD",
    "graph DIR/good.o BAD",
    "explain BAD",
    "link BAD -o DIR/out",
    "link DIR/good.o --lib BAD -o DIR/out",
    "ld BAD -o DIR/out",
    "exec BAD",
    "exec DIR/good.o --lib BAD",
    "exec DIR/good.o --executor BAD.toml",
    "exec DIR/good.o --executor raspi3b --kernel BAD",
    "exec DIR/good.o --image BAD",
    "diff BAD",
    "compare BAD DIR/good.report",
    "compare DIR/good.report BAD",
    "run --baseline BAD aarch64/got",
    "run --executor BAD.toml",
    "run --image BAD",
    "coverage --arch aarch64 --from BAD",
    "serve --listen 0 --executor BAD.toml",
    "image inspect BAD",
    "board --image BAD --exec true",
];

#[test]
fn bad_input_has_one_status_in_every_command() {
    let files = Files::new();
    let mut wrong = Vec::new();
    for command in COMMANDS {
        for (kind, told) in KINDS {
            let bad = files.path(kind).display().to_string();
            let line = command.replace("BAD", &bad).replace("DIR", &files.directory.path().display().to_string());
            let (status, text) = run(&words(&line));
            let named = text.contains(&bad) && text.contains(told) && text.contains("error: ");
            if status != Some(exit::BAD_INPUT.into()) || !named || text.contains("panicked") {
                wrong.push(format!("{command}, {kind}: status {status:?}\n    {}", text.trim_end()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_corpus_of_other_things_than_files() {
    for (name, told) in
        [("pipe.c", "it is a named pipe, expected a file"), ("zero.c", "it is a device, expected a file")]
    {
        let directory = tempfile::tempdir().expect("a directory");
        let group = directory.path().join("group");
        std::fs::create_dir(&group).expect("made");
        if name == "pipe.c" {
            let fifo = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, group.join(name), fifo, 0o600.into(), 0).expect("made");
        } else {
            std::os::unix::fs::symlink("/dev/zero", group.join(name)).expect("made");
        }
        let (status, text) = run(&["run".to_owned(), "--corpus".to_owned(), directory.path().display().to_string()]);
        assert!(
            status == Some(exit::BAD_INPUT.into()) && text.contains(name) && text.contains(told),
            "{status:?} {text}"
        );
    }
    // A part that compilers would take for a list of options.
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("group")).expect("made");
    for name in ["@x.c", "-specs=x.c", "../x.c", "a b.c"] {
        std::fs::write(directory.path().join("group/case.c"), format!("int f;\n//--- {name}\nint g;\n"))
            .expect("written");
        let (status, text) = run(&["run".to_owned(), "--corpus".to_owned(), directory.path().display().to_string()]);
        assert!(status == Some(exit::BAD_INPUT.into()) && text.contains("group/case.c:2"), "{status:?} {text}");
    }
}

#[test]
fn pipes_of_a_shell_are_files() {
    let files = Files::new();
    let program = env!("CARGO_BIN_EXE_harness");
    let (good, report) = (files.path("good.o"), files.path("good.report"));
    for (script, expected) in [
        (format!("{program} graph <(cat {})", good.display()), "symbol +0x0 main"),
        (format!("cat {} | {program} graph /dev/stdin", good.display()), "symbol +0x0 main"),
        (format!("{program} graph /dev/stdin <{}", good.display()), "symbol +0x0 main"),
        (format!("{program} compare <(cat {0}) {0}", report.display()), ""),
    ] {
        let Output { status, stdout, stderr } =
            Command::new("bash").args(["-c", &script]).output().expect("bash starts");
        let text = String::from_utf8_lossy(&stdout).into_owned();
        assert!(status.success() && text.contains(expected), "{script}: {text}{}", String::from_utf8_lossy(&stderr));
    }
}

#[test]
fn a_graph_takes_memory_for_what_is_in_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("long.o");
    // 200 kB of object: 4,000 calls of a name of 100,000 characters, which were 1 GB as text.
    std::fs::write(&path, object(b".text", &[b'x'; 100_000], 4000)).expect("written");
    for option in ["", "--json"] {
        let script =
            format!("ulimit -v 200000; exec {} graph {} {option}", env!("CARGO_BIN_EXE_harness"), path.display());
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash starts");
        assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
        // A line for each, of no more than people read.
        assert!((4000 * 4096..4000 * 5000).contains(&output.stdout.len()), "{}", output.stdout.len());
        if option == "--json" {
            serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("a document");
        }
    }
}

#[test]
fn names_do_nothing_to_a_terminal() {
    let directory = tempfile::tempdir().expect("a directory");
    let acts = b"\x1b]0;PWNED\x07\x1b[31m\x1b[2J\r\nerror: forged\xc2\x9b\xe2\x80\xae";
    let names = [&b".text"[..], acts].concat();
    let path = directory.path().join("a\u{1b}[31m\u{7}.o");
    std::fs::write(&path, object(&names, acts, 2)).expect("written");
    let file = path.display().to_string();
    let out = directory.path().join("out").display().to_string();
    let map = directory.path().join("map").display().to_string();
    let mut shown = 0;
    for command in [
        &["graph", &file][..],
        &["graph", &file, "--json"],
        &["graph", &file, "--after", "layout"],
        &["explain", &file],
        &["link", &file, "-o", &out],
        &["link", &file, "-o", &out, "--phony-externals", "--map", &map],
        &["ld", &file, "-o", &out],
        &["exec", &file],
        &["exec", &file, "--layout", "at:x(y)=0x1000"],
        &["diff", &file],
        &["diff", &file, "--json"],
        &["compare", &file, &file],
        &["run", "--corpus", &file],
        &["run", &file],
        &["image", "inspect", &file],
        &["exec", &file, "--executor", &format!("{file}.toml")],
    ] {
        let words: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        let (_, text) = run(&words);
        shown += usize::from(text.contains("PWNED"));
        let acting = |c: char| c != '\n' && c != '\t' && (c.is_control() || c == '\u{202e}');
        assert!(!text.contains(acting), "{command:?}: {text:?}");
        // Not on a line of its own, either, as if we had said it.
        assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{command:?}: {text}");
    }
    assert!(shown >= 8, "{shown}");
    let map = std::fs::read_to_string(map).expect("a map");
    assert!(map.contains("PWNED") && !map.contains(|c: char| c != '\n' && c.is_control()), "{map:?}");
}

#[test]
fn names_do_nothing_to_other_linkers() {
    let directory = tempfile::tempdir().expect("a directory");
    let (secret, path) = (directory.path().join("secret"), directory.path().join("inject.o"));
    std::fs::write(&secret, "ASSERT(0, \"the file was read\")\n").expect("written");
    let name = format!("x)) }} INCLUDE \"{}\" /*", secret.display());
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let text = object.add_section(Vec::new(), name.clone().into_bytes(), SectionKind::Text);
    object.append_section_data(text, &[CALL, RET].concat(), 4);
    let main = object.add_symbol(symbol(b"main", SymbolSection::Section(text), SymbolKind::Text));
    let flags = RelocationFlags::Elf { r_type: R_AARCH64_CALL26 };
    object.add_relocation(text, Relocation { offset: 0, symbol: main, addend: 0, flags }).expect("it fits");
    let absolute = format!("y = 0); INCLUDE \"{}\" PROVIDE(z", secret.display());
    object.add_symbol(Symbol { value: 5, ..symbol(absolute.as_bytes(), SymbolSection::Absolute, SymbolKind::Data) });
    std::fs::write(&path, object.write().expect("an object")).expect("written");
    let file = path.display().to_string();
    let (status, text) = run(&words(&format!("diff {file}")));
    assert!(status == Some(0) && text.contains("R_AARCH64_CALL26"), "{status:?} {text}");
    assert!(text.matches("1 links compared, 0 refused").count() == 2, "{text}");
}

#[test]
fn standard_output_that_fails_costs_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("long.o"), object(b".text", &[b'x'; 2000], 4000)).expect("written");
    std::fs::write(directory.path().join("good.o"), object(b".text", b"", 0)).expect("written");
    let program = env!("CARGO_BIN_EXE_harness");
    let at = |name: &str| directory.path().join(name);
    for command in [
        format!("graph {}", at("long.o").display()),
        format!("explain {}", at("long.o").display()),
        "relocations".to_owned(),
        "toolchains".to_owned(),
        "run --list".to_owned(),
        format!("run aarch64/got --layout near --report json={}", at("report").display()),
        format!("run aarch64/got --layout near --message-format json --report json={}", at("report").display()),
        "fuzz --print --count 50".to_owned(),
    ] {
        let report = command.contains("--report");
        // The standard error may be gone as well.
        for (redirection, expected) in [
            (">/dev/full", exit::BAD_OUTPUT),
            (">&-", 0),
            ("2>&-", 0),
            ("2>/dev/full >/dev/null", 0),
            ("| head -c 10 >/dev/null", 0),
        ] {
            let _ = std::fs::remove_file(at("report"));
            let script = format!("set -o pipefail; {program} {command} {redirection}");
            let output = Command::new("bash").args(["-c", &script]).output().expect("bash starts");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(expected.into()), "{script}: {text}");
            assert!(!text.contains("panicked") && !text.contains("backtrace"), "{script}: {text}");
            assert_eq!(
                text.contains("standard output: No space left"),
                redirection == ">/dev/full",
                "{script}: {text}"
            );
            if report {
                let read = std::fs::File::open(at("report")).expect("it was written");
                let read = reports::Report::read(read).expect("a report");
                assert!(read.complete() && !read.results.is_empty(), "{script}");
            }
        }
    }
}

#[test]
fn outputs_are_tried_before_the_work() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(at("good.o"), object(b".text", b"", 0)).expect("written");
    std::fs::write(at("file"), "").expect("written");
    let good = at("good.o");
    for (command, told) in [
        (format!("run --report json={}/r", at("nowhere")), "No such file or directory"),
        (format!("run --report json={}", at("")), "directory"),
        (format!("run --report junit={}/r", at("file")), "Not a directory"),
        (format!("run --report json={0},html={0}", at("same")), "it is named twice, expected a file for each output"),
        (format!("run --report json={0},html={1}", at("same"), at("./same")), "it is named twice"),
        (format!("compare {0} {0} --md {1}/r", at("nowhere"), at("no-directory")), "no-directory/r: No such file"),
        (format!("link {good} -o {}/out", at("nowhere")), "nowhere/out: No such file"),
        (format!("link {good} -o {0} --map {0}", at("same")), "it is named twice"),
        (format!("ld {good} -o {}", at("")), "directory"),
        (format!("fuzz --count 1000000 --save-dir {}/x", at("file")), "Not a directory"),
    ] {
        let (status, text) = run(&words(&command));
        assert!(status == Some(exit::BAD_OUTPUT.into()) && text.contains(told), "{command}: {status:?} {text}");
    }
    assert!(!Path::new(&at("same")).exists());
    // A full disk: the other report is there, and the old one of the same name untouched.
    let command = format!("run aarch64/got --layout near --report json=/dev/full,md={}", at("report.md"));
    let (status, text) = run(&words(&command));
    assert!(status == Some(exit::BAD_OUTPUT.into()) && text.contains("/dev/full: No space left"), "{status:?} {text}");
    assert!(std::fs::read_to_string(at("report.md")).expect("written").contains("R_AARCH64_LD64_GOT_LO12_NC"));
    let (status, text) = run(&words("run aarch64/got --layout near --message-format json --report json=/dev/stdout"));
    assert!(status == Some(0) && text.contains("\"results\":"), "{status:?} {text}");
}

/// A program that signals end: whoever started the tests may have had them ignored.
fn stoppable() -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_harness")]).stdin(Stdio::null());
    command.env("NO_COLOR", "1").env_remove("GITHUB_STEP_SUMMARY");
    command
}

/// Sends a signal.
fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).expect("a process"), signal).expect("sent");
}

#[test]
fn a_run_that_is_stopped_writes_what_is_there() {
    for (number, expected) in [(Signal::INT, exit::INTERRUPTED.into()), (Signal::TERM, 143)] {
        let directory = tempfile::tempdir().expect("a directory");
        let report = directory.path().join("report.json");
        let mut command = stoppable();
        command.args(["run", "--message-format", "json", "--report"]).arg(format!("json={}", report.display()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        for _ in 0..20 {
            lines.next().expect("a line").expect("text");
        }
        signal(&child, number);
        assert!(lines.all(|line| !line.expect("text").contains(r#""event":"end""#)));
        let mut errors = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(expected), "{errors}");
        let read = reports::Report::read(std::fs::File::open(&report).expect("it was written")).expect("a report");
        assert!(!read.complete() && read.results.len() >= 19 && read.results.len() < read.start.selected, "{errors}");
        assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 1);
    }
}

#[test]
fn nothing_is_left_of_a_compilation_that_is_stopped() {
    // A compiler that says who it is and then takes its time.
    let Ok(compiler) = which::which("aarch64-linux-gnu-gcc-12").or_else(|_| which::which("aarch64-linux-gnu-gcc"))
    else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let (bin, scratch, started) =
        (directory.path().join("bin"), directory.path().join("tmp"), directory.path().join("pid"));
    std::fs::create_dir(&bin).and_then(|()| std::fs::create_dir(&scratch)).expect("made");
    let slow = bin.join(compiler.file_name().expect("a name"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' -c '*) sleep 1000 & echo $! >>{0}; wait;; *) exec {1} \"$@\";; esac\n",
        started.display(),
        compiler.display()
    );
    std::fs::write(&slow, script).expect("written");
    std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).expect("permitted");
    let source = directory.path().join("slow.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("written");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let source = source.display().to_string();
    for (arguments, signals) in [
        (&["run", "--rebuild", "aarch64/got", "--toolchain", "gcc"][..], 1),
        (&["run", "--rebuild", "aarch64/got", "--toolchain", "gcc"], 2),
        (&["exec", &source, "--arch", "aarch64"], 1),
    ] {
        let _ = std::fs::remove_file(&started);
        let mut command = stoppable();
        command.args(arguments).env("PATH", &path).env("TMPDIR", &scratch);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        while std::fs::read_to_string(&started).unwrap_or_default().lines().next().is_none() {
            assert!(child.try_wait().expect("asked").is_none(), "it ended before it compiled");
            std::thread::sleep(Duration::from_millis(10));
        }
        for _ in 0..signals {
            signal(&child, Signal::INT);
        }
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(exit::INTERRUPTED.into()), "{arguments:?}");
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(!said.contains("built "), "{arguments:?}: {said}");
        for pid in std::fs::read_to_string(&started).expect("there").lines() {
            let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let ended = || state().is_empty() || state().contains(") Z ");
            let deadline = Instant::now() + Duration::from_secs(10);
            // A killed process stands there until it has run once more.
            while !ended() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(ended(), "{arguments:?}: {}", state());
        }
        let left: Vec<_> = std::fs::read_dir(&scratch).expect("read").flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{arguments:?}: {left:?}");
    }
}

/// What another linker did not come to because the run was stopped is no failure of that linker.
#[test]
fn a_linker_that_is_ended_with_the_run_has_not_failed() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let (program, started, report) = (at("slow"), at("pid"), at("report.json"));
    let script = format!("#!/bin/sh\ncase \"$*\" in *-T*) echo $$ >>{}; exec sleep 1000;; esac\n", started.display());
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permitted");
    let subject = format!("cmd:{} {{inputs}} -T {{script}} -o {{output}}", program.display());
    let mut command = stoppable();
    command.args(["run", "--subject", &subject, "elf/aarch64/got", "-j", "2", "--report"]);
    command.arg(format!("json={}", report.display())).env("LINKRIG_FAILED", at("failed.json"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    while std::fs::read_to_string(&started).unwrap_or_default().lines().next().is_none() {
        assert!(child.try_wait().expect("asked").is_none(), "it ended before it linked");
        std::thread::sleep(Duration::from_millis(10));
    }
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert_eq!(output.status.code(), Some(exit::INTERRUPTED.into()), "{text}");
    let read = reports::Report::read(std::fs::File::open(&report).expect("it was written")).expect("a report");
    assert!(!read.complete() && read.results.is_empty(), "{text}");
    let remembered = std::fs::read_to_string(at("failed.json")).unwrap_or_default();
    assert!(!remembered.contains("aarch64/got"), "{remembered}");
}

#[test]
fn the_last_page_of_the_address_space() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("top.o");
    std::fs::write(&path, object(b".text", b"external", 2)).expect("written");
    let out = directory.path().join("out");
    let mut linked = 0;
    for address in
        [u64::MAX - 0xfff, u64::MAX - 0xff, u64::MAX - 0xb, u64::MAX - 0xffff, u64::MAX - 0x1_0fff, 0xffff_f000, 0]
    {
        for command in
            ["explain", "graph --after layout", "link --phony-externals -o OUT", "link -o OUT", "exec", "diff"]
        {
            let command = command.replace("OUT", &out.display().to_string());
            let layout = format!("--layout at:{}(.text)={address:#x}", path.display());
            let layout = if command == "diff" { String::new() } else { layout };
            let (status, text) = run(&words(&format!("{command} {} {layout}", path.display())));
            assert!(
                status != Some(exit::HARNESS_FAILED.into()) && !text.contains("panicked"),
                "{command} {layout}: {text}"
            );
            linked += usize::from(status == Some(0) && command.starts_with("link"));
        }
    }
    assert!(linked >= 5, "{linked}");
}
