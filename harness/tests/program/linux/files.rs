//! Files of the host: what a Linux program does with a directory that it was given is what it does under qemu-user, and it never gets
//! out of it.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{SETS, build};
use crate::running::{Done, done, exec};

/// A program of ours for each instruction set: the compiler's prefix, the emulator, and where the program is.
fn programs(directory: &Path, source: &Path) -> Vec<(&'static str, String)> {
    let each = SETS.iter().enumerate().filter_map(|(n, (prefix, emulator, set))| {
        let program = directory.join(format!("program-{n}")).to_str().expect("a text path").to_owned();
        let built = build(&format!("{prefix}-gcc"), &[set, &["-O1"][..]].concat(), source, &program);
        built.map(|()| (*emulator, program))
    });
    each.collect()
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/linux").join(name)
}

/// All files in a directory: type and rights, and the content of those that have some.
fn tree(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            let status = path.symlink_metadata().expect("it is there");
            if status.is_dir() {
                left.push(path.clone());
            }
            let content = if status.is_file() { std::fs::read(&path).expect("readable") } else { Vec::new() };
            found.insert(path, (status.mode(), content));
        }
    }
    found
}

/// Runs something in a directory that is empty before and afterwards. What it did, and what it left there.
fn in_empty(directory: &Path, run: impl FnOnce() -> Done) -> (Done, BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    std::fs::create_dir(directory).expect("a directory");
    let done = run();
    let left = tree(directory);
    std::fs::remove_dir_all(directory).expect("removable");
    (done, left)
}

fn command(words: &[&str]) -> Done {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    done(command)
}

#[test]
fn calls_do_what_linux_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = directory.path().join("home");
    let home_name = home.to_str().expect("a text path");
    let native = directory.path().join("native");
    let native = native.to_str().expect("a text path");
    build("cc", &["-O1"], &source("files.c"), native).expect("Rust needs a compiler, too");
    let compare = |emulator: &str, program: &str, least: usize| {
        let expected = in_empty(&home, || command(&[emulator, program, home_name]));
        let got = in_empty(&home, || exec(&["--dir", &format!("{home_name}:rw"), program, "--", home_name]));
        let lines: Vec<_> = expected.0.out.lines().zip(got.0.out.lines()).filter(|(one, other)| one != other).collect();
        assert_eq!(lines, [], "{program}");
        assert_eq!(got, expected, "{program}");
        assert!(expected.0.status == 0 && expected.0.out.lines().count() > least, "{expected:?}");
    };
    for (emulator, program) in programs(directory.path(), &source("trees.c")) {
        compare(emulator, &program, 120);
    }
    for (emulator, program) in programs(directory.path(), &source("maps.c")) {
        compare(emulator, &program, 20);
    }
    for (emulator, program) in programs(directory.path(), &source("files.c")) {
        compare(emulator, &program, 90);
        // The kernel itself is asked for what qemu-user does not know.
        let expected = in_empty(&home, || command(&[native, home_name, "strict"]));
        let got = in_empty(&home, || exec(&["--dir", &format!("{home_name}:rw"), &program, "--", home_name, "strict"]));
        assert_eq!(got, expected, "{program}");
    }
}

/// Prints what each path is for it: content or error, and what happens to files that it would make or change.
const TRIES: &str = r#"
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char **words) {
    struct stat st;
    for (int n = 2; n < count; n++) {
        char text[100] = {0};
        const char *path = words[n];
        int done = 0;
        switch (words[1][0]) {
        case 'r': done = open(path, O_RDONLY); if (done >= 0) done = read(done, text, 99); break;
        case 'w': done = open(path, O_WRONLY | O_CREAT, 0600); if (done >= 0) done = write(done, "x", 1); break;
        case 't': done = truncate(path, 0); break;
        case 'm': done = mkdir(path, 0700); break;
        case 'u': done = unlink(path); break;
        case 'd': done = rmdir(path); break;
        case 'v': done = rename(path, "moved"); break;
        case 'n': done = rename("file", path); break;
        case 'h': done = link(path, "hard"); break;
        case 's': done = symlink(path, "soft"); break;
        case 'x': done = stat(path, &st); break;
        case 'c': done = chmod(path, 0777); break;
        case 'a': done = access(path, W_OK); break;
        case 'i': done = chdir(path); if (!done) getcwd(text, 99); break;
        case 'l': { DIR *d = opendir(path); done = d ? 0 : -1;
            for (struct dirent *e; d && (e = readdir(d));) { strcat(text, e->d_name); strcat(text, " "); } break; }
        case 'o': while ((done = open(path, O_RDONLY)) >= 0) sprintf(text, "%d", done); break;
        case 'f': for (;;) { done = open(path, O_WRONLY | O_APPEND); write(done, text, 100); close(done); } break;
        case 'e': for (int k = 0;; k++) { sprintf(text, "%s/%d", path, k); mkdir(text, 0700); } break;
        case 'b': done = open(path, O_WRONLY); done = lseek(done, 2000000000, 0) < 0 ? -2 : write(done, "x", 1); break;
        case 'g': for (int k = 0; k < 3000; k++) { done = open(path, O_RDONLY); memset(text, 0, 100);
            if (done >= 0) read(done, text, 99), close(done); if (strstr(text, "secret")) puts(text); } return 0;
        }
        printf("%s %s\n", done < 0 ? strerror(errno) : "done", text);
    }
    return 0;
}"#;

/// A directory with what leads out of it, beside what nobody may see, and a program for AArch64.
struct Yard {
    directory: tempfile::TempDir,
    program: String,
}

impl Yard {
    fn new() -> Option<Yard> {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let program = at("program").to_str().expect("a text path").to_owned();
        std::fs::write(at("tries.c"), TRIES).expect("writable");
        build("aarch64-linux-gnu-gcc", &["-O1"], &at("tries.c"), &program)?;
        for name in ["in", "in/sub", "out", "more"] {
            std::fs::create_dir(at(name)).expect("writable");
        }
        std::fs::write(at("in/file"), "inside").expect("writable");
        std::fs::write(at("out/file"), "secret").expect("writable");
        let links = [
            ("up", Path::new("..").to_owned()),
            ("far", at("out")),
            ("file-far", at("out/file")),
            ("file-up", Path::new("../out/file").to_owned()),
            ("sub/chain", Path::new("../up").to_owned()),
            ("proc", Path::new("/proc/self/root").to_owned()),
            ("fd", Path::new("/proc/self/fd/0").to_owned()),
            ("fine", Path::new("sub/../file").to_owned()),
            ("new", at("out/new")),
        ];
        links.iter().for_each(|(name, target)| symlink(target, at("in").join(name)).expect("writable"));
        assert!(Command::new("mkfifo").arg(at("in/fifo")).status().expect("it starts").success());
        Some(Yard { directory, program })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The lines that it prints when it tries something with each path, seen from the directory that it has.
    fn tries(&self, how: &str, options: &[&str], paths: &[&str]) -> Vec<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .current_dir(self.at("in"))
            .arg("exec")
            .args(options)
            .arg("--run")
            .arg(&self.program)
            .arg(how)
            .args(paths);
        let got = done(command);
        assert_eq!(got.status, 0, "{got:?}");
        got.out.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

#[test]
fn a_granted_directory_is_never_left() {
    let Some(yard) = Yard::new() else { return };
    let outside = tree(&yard.at("out"));
    let absolute = yard.at("out/file").to_str().expect("a text path").to_owned();
    let beside = yard.at("program");
    let ways = [
        "../out/file",
        "sub/../../out/file",
        "up/out/file",
        "far/file",
        "file-far",
        "file-up",
        "sub/chain/out/file",
        "proc/etc/passwd",
        "/proc/self/root/etc/passwd",
        "/proc/self/maps",
        "/proc/1/environ",
        "/etc/passwd",
        "/dev/mem",
        "fd",
        &absolute,
        beside.to_str().expect("a text path"),
    ];
    let rw: &[&str] = &["--dir", ".:rw"];
    assert_eq!(yard.tries("r", rw, &["file", "fine", "sub/../file", "./sub/./../file"]), ["done inside"; 4]);
    for how in ["r", "x", "t", "u", "d", "v", "n", "h", "c", "a", "i", "l", "w", "m"] {
        // These are about the link itself, which is inside.
        let own = ["file-far", "file-up", "fd"];
        let about_links = ["u", "v", "n", "h", "d", "m"].contains(&how);
        let ways: Vec<&str> = ways.into_iter().filter(|way| !about_links || !own.contains(way)).collect();
        let got = yard.tries(how, rw, &ways);
        assert!(got.iter().all(|line| !line.starts_with("done")), "{how}: {got:?}");
    }
    assert_eq!(yard.tries("w", rw, &["new"]), ["No such file or directory"]);
    assert_eq!(yard.tries("r", rw, &["fifo"]), ["No such device or address"]);
    assert_eq!(yard.tries("w", rw, &["fifo"]), ["No such device or address"]);
    // Links that it makes do not lead others out.
    assert_eq!(yard.tries("s", rw, &[&absolute, "../out/file", "sub/../.."]), ["Operation not permitted"; 3]);
    assert_eq!(tree(&yard.at("out")), outside);
}

/// Somebody exchanges a directory for a link that leads out, again and again, while the program opens files in it.
#[test]
fn nobody_wins_a_race() {
    let Some(yard) = Yard::new() else { return };
    let (directory, link) = (yard.at("in/sub"), yard.at("in/link"));
    std::fs::write(directory.join("file"), "inside").expect("writable");
    symlink("../out", &link).expect("writable");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &directory, rustix::fs::CWD, &link, flags)
                    .expect("exchanged");
            }
        });
        let got = yard.tries("g", &["--dir", ".:rw"], &["sub/file", "link/file"]);
        over.store(true, Ordering::Relaxed);
        assert_eq!(got, [""; 0]);
    });
}

#[test]
fn what_is_only_read_stays_as_it_is() {
    let Some(yard) = Yard::new() else { return };
    let before = tree(&yard.at("in"));
    let ro: &[&str] = &["--dir", "."];
    assert_eq!(yard.tries("r", ro, &["file", "none"]), ["done inside", "No such file or directory"]);
    for how in ["w", "t", "u", "v", "h", "c", "a"] {
        assert_eq!(yard.tries(how, ro, &["file"]), ["Read-only file system"], "{how}");
    }
    for how in ["m", "w"] {
        assert_eq!(yard.tries(how, ro, &["new-one"]), ["Read-only file system"], "{how}");
    }
    assert_eq!(yard.tries("d", ro, &["sub"]), ["Read-only file system"]);
    assert_eq!(yard.tries("m", ro, &["sub"]), ["File exists"]);
    assert_eq!(tree(&yard.at("in")), before);
    // Without a directory nothing is there.
    assert_eq!(yard.tries("r", &[], &["file"]), ["No such file or directory"]);
}

/// Directories have names: ours, or others. One may be in another.
#[test]
fn directories_are_called_as_they_are_told() {
    let Some(yard) = Yard::new() else { return };
    let (inside, outside, more) = (yard.at("in"), yard.at("out"), yard.at("more"));
    let name = |path: &Path| path.to_str().expect("a text path").to_owned();
    let (inside, outside, more) = (name(&inside), name(&outside), name(&more));
    assert_eq!(yard.tries("i", &["--dir", "."], &["."]), [format!("done {inside}")]);
    assert_eq!(yard.tries("i", &["--dir", &outside], &["."]), ["done /"]);
    let options =
        ["--dir", &format!("{outside}:/data/out"), "--dir", &format!("{more}:/data/out/more:rw"), "--dir", ".:/data"];
    assert_eq!(yard.tries("i", &options, &["."]), ["done /data"]);
    assert_eq!(
        yard.tries("r", &options, &["/data/out/file", "out/file", "out/../file"]),
        ["done secret", "done secret", "done inside"]
    );
    assert_eq!(yard.tries("w", &options, &["/data/out/more/new", "/data/out/new"]), ["done", "Read-only file system"]);
    assert_eq!(yard.tries("v", &options, &["/data/out/more/new"]), ["Read-only file system"]);
    assert_eq!(yard.tries("l", &options, &["/", "/data/out/more"]), ["done . .. data dev proc tmp", "done . .. new"]);
    let got = exec(&["--dir", "/nonexistent/directory", &yard.program]);
    assert!(got.status == 65 && got.err.contains("/nonexistent/directory: No such file"), "{got:?}");
    let got = exec(&["--dir", &yard.program, &yard.program]);
    assert!(got.status == 65 && got.err.contains("Not a directory"), "{got:?}");
    let got = exec(&["--dir", &format!("{outside}:/data"), "--dir", &format!("{more}:/data"), &yard.program]);
    assert!(got.status == 2 && got.err.contains("is called /data, too"), "{got:?}");
    let got = exec(&["--dir", ".:data", &yard.program]);
    assert!(got.status == 2 && got.err.contains("absolute path"), "{got:?}");
}

/// Open files, what is written, new directories and sizes are bounded; the temporary directory goes at the end.
#[test]
fn files_are_bounded() {
    let Some(yard) = Yard::new() else { return };
    let rw: &[&str] = &["--dir", ".:rw"];
    assert_eq!(yard.tries("o", rw, &["file"]), ["Too many open files 514"]);
    assert_eq!(yard.tries("b", &[rw, &["--output-limit", "1M"]].concat(), &["file"]), ["File too large"]);
    for how in ["f", "e"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.current_dir(yard.at("in")).args(["exec", "--output-limit", "100k"]).args(rw);
        let path = if how == "f" { "file" } else { "/tmp" };
        command.env("TMPDIR", yard.at("more")).args(["--run", &yard.program, how, path]);
        let got = done(command);
        assert!(got.status == 124 && got.err.contains("--output-limit"), "{got:?}");
    }
    assert_eq!(std::fs::metadata(yard.at("in/file")).expect("it is there").len(), 6 + (100 << 10));
    assert_eq!(tree(&yard.at("more")), BTreeMap::new());
}
