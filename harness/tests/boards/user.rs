//! `harness board` as its users start it: shells and programs on boards that are booted from images. The images are not ours to
//! have: LINKRIG_IMAGE_ARM64 and LINKRIG_IMAGE_ARMHF name them (`cargo xtask image` builds such), and without them nothing is booted.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use qemu::image::Image;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, Winsize};

/// An image, and the compiler for its programs.
struct Guest {
    image: PathBuf,
    board: &'static str,
    machine: &'static str,
    compiler: &'static str,
    /// The registers of a new process have nothing in them: its arguments are on the stack.
    entry: &'static str,
}

const ARM64: (&str, &str, &str, &str, &str) = (
    "LINKRIG_IMAGE_ARM64",
    "raspi3b",
    "aarch64",
    "aarch64-linux-gnu-gcc-12",
    "ldr x0, [sp]; add x1, sp, #8; bl main; bl exit",
);
const ARMHF: (&str, &str, &str, &str, &str) = (
    "LINKRIG_IMAGE_ARMHF",
    "raspi2b",
    "armv7l",
    "arm-linux-gnueabihf-gcc-12",
    "ldr r0, [sp]; add r1, sp, #4; bl main; bl exit",
);

/// The guest of an environment variable; if there is none, says that this test does nothing.
fn guest(
    (variable, board, machine, compiler, entry): (&str, &'static str, &'static str, &'static str, &'static str),
) -> Option<Guest> {
    let Some(image) = std::env::var_os(variable) else {
        eprintln!("skipped: {variable} names no image");
        return None;
    };
    Some(Guest { image: image.into(), board, machine, compiler, entry })
}

/// How a program ended, and what it said.
#[derive(Debug)]
struct Ended {
    status: i32,
    out: String,
    err: String,
}

fn harness() -> Command {
    Command::new(env!("CARGO_BIN_EXE_harness"))
}

fn finish(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // Whoever does not read it all closes it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ended { status: output.status.code().expect("not killed"), out: text(output.stdout), err: text(output.stderr) }
}

impl Guest {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = harness();
        command.args(["board", "--image"]).arg(&self.image).args(words);
        command
    }

    fn run(&self, words: &[&str], input: &str) -> Ended {
        finish(&mut self.command(words), input.as_bytes())
    }

    /// A dynamically linked program that any release of the C library can run: its usual start files want a recent one.
    fn compile(&self, directory: &Path) -> PathBuf {
        let (source, program) = (directory.join("hello.c"), directory.join("hello"));
        let code = format!(
            r#"extern int printf(const char *, ...), dprintf(int, const char *, ...), access(const char *, int);
            __asm__(".globl _start\n_start: {}");
            int main(int argc, char **argv) {{
                printf("%d bits\n", (int)sizeof(void *) * 8);
                for (int i = 1; i < argc; i++)
                    printf("argument %d is %s\n", i, argv[i]);
                dprintf(2, "an error\n");
                return access("data", 4) == 0 ? 42 : 1;
            }}"#,
            self.entry
        );
        std::fs::write(&source, code).expect("written");
        let compiled = Command::new(self.compiler)
            .args(["-O1", "-nostartfiles", "-o"])
            .args([&program, &source])
            .status()
            .expect("the compiler starts");
        assert!(compiled.success());
        program
    }
}

/// Boots, and says what.
fn a_check(guest: &Guest) {
    let ended = guest.run(&[], "");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    for line in [&format!("board   {}: ", guest.board)[..], "kernel  kernel", "ready   after ", "root    /dev/mmcblk"] {
        assert!(ended.out.lines().any(|printed| printed.starts_with(line)), "{line}\n{}", ended.out);
    }
}

/// A program that was compiled here, with its arguments and another file, both outputs and the status.
fn a_program_of_ours(guest: &Guest) {
    let directory = tempfile::tempdir().expect("a directory");
    let program = guest.compile(directory.path());
    let data = directory.path().join("data");
    std::fs::write(&data, "some data").expect("written");
    let (program, data) = (program.to_string_lossy(), data.to_string_lossy());
    let ended = guest.run(&["--file", &data, "--exec", &program, "a b", "--exec", "-x"], "");
    let bits = if guest.board == "raspi3b" { 64 } else { 32 };
    let out = format!("{bits} bits\nargument 1 is a b\nargument 2 is --exec\nargument 3 is -x\n");
    assert_eq!((ended.status, ended.out, ended.err.as_str()), (42, out, "an error\n"));
}

/// Commands on standard input, of which the shell's status is ours.
fn a_shell(guest: &Guest) {
    let script =
        "uname -m\nread line\nthis is the line\necho \"$line\"; echo $0 $VARIABLE\nuname -n; exit 3\necho not this\n";
    let ended = guest.run(&["--shell", "--env", "VARIABLE=value"], script);
    let out = format!("{}\nthis is the line\n/bin/bash value\n{}\n", guest.machine, guest.board);
    assert_eq!((ended.status, ended.out, ended.err.as_str()), (3, out, ""));
}

#[test]
fn raspi3b() {
    let Some(guest) = guest(ARM64) else { return };
    a_check(&guest);
    a_program_of_ours(&guest);
    a_shell(&guest);
}

#[test]
fn raspi2b() {
    let Some(guest) = guest(ARMHF) else { return };
    a_check(&guest);
    a_program_of_ours(&guest);
    a_shell(&guest);
}

#[test]
fn ends_of_programs() {
    let Some(guest) = guest(ARM64) else { return };
    let signal = guest.run(&["--exec", "bash", "-c", "echo before; kill -SEGV $$"], "");
    assert_eq!((signal.status, signal.out.as_str()), (128 + 11, "before\n"), "{signal:?}");

    let start = Instant::now();
    let late = guest.run(&["--timeout", "1.5", "--exec", "bash", "-c", "echo before; sleep 1000"], "");
    assert_eq!((late.status, late.out.as_str()), (124, "before\n"), "{late:?}");
    assert!(late.err.contains("did not end within 1.5 s"), "{late:?}");
    assert!(start.elapsed() < Duration::from_secs(100));

    // The one that is left behind has the same output, and is not waited for.
    let behind = guest.run(&["--exec", "bash", "-c", "sleep 1000 & echo after; exit 9"], "");
    assert_eq!((behind.status, behind.out.as_str()), (9, "after\n"), "{behind:?}");

    let lost = guest.run(&["--exec", "bash", "-c", "echo c >/proc/sysrq-trigger"], "");
    assert_eq!(lost.status, 70, "{lost:?}");
    assert!(lost.err.contains("raspi3b was lost: the guest did not answer"), "{lost:?}");
}

#[test]
fn programs_that_do_not_start() {
    let Some(guest) = guest(ARM64) else { return };
    let missing = guest.run(&["--exec", "no-such-program"], "");
    assert_eq!((missing.status, missing.out.as_str()), (125, ""), "{missing:?}");
    assert!(missing.err.contains("the image has none of") && missing.err.contains("/usr/bin/no-such-program"));
    let nowhere = guest.run(&["--exec", "/no/such/program"], "");
    assert_eq!(nowhere.status, 125, "{nowhere:?}");
    assert!(nowhere.err.contains("/no/such/program cannot be started: No such file"), "{nowhere:?}");
    // Not a word of these takes a board.
    let here = guest.run(&["--exec", "./no-such-program"], "");
    assert_eq!(here.status, 125);
    assert!(here.err.contains("./no-such-program is no file here"), "{here:?}");
    let file = guest.run(&["--file", "no-such-file", "--exec", "true"], "");
    assert_eq!(file.status, 65);
    assert!(file.err.contains("no-such-file: No such file"), "{file:?}");
}

/// Much of it, both ways.
#[test]
fn much_input_and_output() {
    let Some(guest) = guest(ARM64) else { return };
    let mut state = 1u32;
    let mut line = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        format!("{state:08x}\n")
    };
    let text: String = (0..500_000).map(|_| line()).collect();
    let ended = guest.run(&["--exec", "cat"], &text);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(ended.out == text, "{} bytes came back of {}", ended.out.len(), text.len());
}

#[test]
fn what_is_written_is_gone_and_the_image_is_the_same() {
    let Some(guest) = guest(ARM64) else { return };
    let digest = || Image::open(&guest.image).and_then(|image| image.digest()).expect("readable");
    let before = digest();
    let write = "head -c 5000000 /dev/urandom >/written; chmod 700 /written; rm -r /usr/share/doc; sync; ls /written";
    let ended = guest.run(&["--exec", "bash", "-c", write], "");
    assert_eq!((ended.status, ended.out.as_str()), (0, "/written\n"), "{ended:?}");
    assert!(digest() == before, "the image is another one now");
    let again = guest.run(&["--exec", "ls", "-d", "/written", "/usr/share/doc"], "");
    assert_eq!((again.status, again.out.as_str()), (2, "/usr/share/doc\n"), "{again:?}");
}

/// A terminal to start the program on.
struct Terminal {
    keyboard: File,
    path: String,
    said: String,
}

impl Terminal {
    fn new(rows: u16, columns: u16) -> Terminal {
        let ours = pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        pty::grantpt(&ours).and_then(|()| pty::unlockpt(&ours)).expect("unlocked");
        let path = pty::ptsname(&ours, Vec::new()).expect("a name").into_string().expect("text");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        termios::tcsetwinsize(&ours, size).expect("resized");
        Terminal { keyboard: ours.into(), path, said: String::new() }
    }

    fn other_end(&self) -> File {
        File::options().read(true).write(true).open(&self.path).expect("its other end")
    }

    /// Both ends have the same.
    fn settings(&self) -> String {
        format!("{:?}", termios::tcgetattr(&self.keyboard).expect("settings"))
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("written");
    }

    /// Reads until this is on the screen, which is then empty.
    fn wait_for(&mut self, wanted: &str) {
        while !self.said.contains(wanted) {
            let mut bytes = [0; 4096];
            let count = self.keyboard.read(&mut bytes).unwrap_or_else(|error| panic!("{error}: {}", self.said));
            self.said += &String::from_utf8_lossy(&bytes[..count]);
        }
        self.said.clear();
    }
}

/// The guest has a terminal, too, of the same size; keys go there; Ctrl-] comes back. Ours is as it was before.
#[test]
fn a_terminal() {
    let Some(guest) = guest(ARM64) else { return };
    for (keys, status) in [("exit 5\r", 5), ("\u{1d}", 0)] {
        let mut terminal = Terminal::new(33, 101);
        let before = terminal.settings();
        let mut command = guest.command(&["--shell", "--timeout", "100"]);
        command.stdin(terminal.other_end()).stdout(terminal.other_end()).stderr(terminal.other_end());
        let mut child = command.spawn().expect("it starts");
        // Its other end closes with the program.
        drop(command);
        terminal.wait_for("Ctrl-] leaves");
        terminal.wait_for("# ");
        assert_ne!(terminal.settings(), before);
        terminal.press("stty size; tty\r");
        terminal.wait_for("33 101\r\n/dev/pts/0\r\n");
        // Not for the harness, but for what runs in the guest.
        terminal.press("bash -c 'echo $((40 + 2)); exec sleep 1000'\r");
        terminal.wait_for("42\r\n");
        terminal.press("\u{3}");
        terminal.wait_for("# ");
        terminal.press(keys);
        assert_eq!(child.wait().expect("it ends").code(), Some(status));
        assert_eq!(terminal.settings(), before);
    }
}

#[test]
fn wrong_usage() {
    for words in [
        &["board"][..],
        &["board", "--image", "x", "--exec"],
        &["board", "--image", "x", "--shell", "--exec", "y"],
        &["board", "--image", "x", "--file", "y"],
        &["board", "--image", "x", "--timeout", "-1", "--shell"],
        &["board", "--image", "x", "--env", "=y", "--shell"],
    ] {
        assert_eq!(finish(harness().args(words), b"").status, 2, "{words:?}");
    }
}

#[test]
fn wrong_images() {
    let missing = finish(harness().args(["board", "--image", "/nowhere/an.img", "--shell"]), b"");
    assert_eq!(missing.status, 65);
    assert!(missing.err.contains("cannot read the image /nowhere/an.img"), "{missing:?}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "just a text\n").expect("written");
    let text = finish(harness().args(["board", "--shell", "--image"]).arg(file.path()), b"");
    assert_eq!(text.status, 65);
    assert!(text.err.contains("is not a disk image"), "{text:?}");
}
