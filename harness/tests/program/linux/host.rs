//! Where a Linux program meets the host: the directory around the one that it was given, files that are shared, input as it comes.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::build;

const SOURCE: &str = r#"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  struct timespec old[2] = {{1, 0}, {1, 0}};
  int linked = symlink(".", "itself"), stamped = utimensat(AT_FDCWD, "itself/..", old, AT_SYMLINK_NOFOLLOW);
  int file = open("file", O_RDWR | O_CREAT, 0600);
  int written = write(file, "x", 1);
  void *page = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
  int opened = mprotect(page, 4096, PROT_READ | PROT_WRITE);
  int closed = chmod("file", 0), changed = chmod("file", 0600);
  struct pollfd none = {0, 0, 0};
  int events = poll(&none, 1, 10);
  char byte;
  int bytes = 0;
  while (read(0, &byte, 1) == 1 && byte != '\n') bytes++;
  printf("%d %d %d %d %d %d %d %d\n", linked, stamped, written, opened, closed, changed, events, bytes);
  return 0;
}
"#;

#[test]
fn what_is_around_is_left_alone_and_input_comes_byte_by_byte() {
    let room = tempfile::tempdir().expect("a directory");
    let at = |name: &str| room.path().join(name);
    std::fs::write(at("host.c"), SOURCE).expect("writable");
    let program = at("program").display().to_string();
    let Some(()) = build("aarch64-linux-gnu-gcc", &["-O1"], &at("host.c"), &program) else { return };
    std::fs::create_dir_all(at("around/given")).expect("directories");
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(at("around/given")).args(["exec", "--dir", ".:rw", "--timeout", "20", "--run", &program]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    // The pipe stays open: what a buffer of the host kept would never be seen.
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"hello\n").expect("written");
    let mut said = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(said, "0 -1 1 0 0 0 0 5\n");
    let touched = std::fs::metadata(at("around")).expect("there").modified().expect("known");
    assert!(touched > SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 20), "{touched:?}");
    let words = ["exec", "--dir", ".:rw", "--dir", "given", "--run", &program];
    let output = Command::new(env!("CARGO_BIN_EXE_harness")).current_dir(at("around")).args(words).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("given: it is to be read only, and ., which it is in"), "{said}");
}

/// What is the host's business in shared files, in their room, and in the directories that they are in. The argument is one that is to be
/// read only.
const SHARED: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>
int main(int count, char **words) {
  char byte;
  int file = open("file", O_RDWR | O_CREAT, 0600), inside = open("inside", O_RDONLY | O_DIRECTORY);
  struct statvfs here, there, opened;
  ftruncate(file, 8192);
  char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  printf("%d ", mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED ? errno == ENODEV : 2);
  void *reads[2];
  for (int i = 0; i < 2; i++) reads[i] = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 4096);
  printf("%d ", reads[0] != MAP_FAILED && reads[1] != MAP_FAILED && mprotect(reads[0], 4096, PROT_READ | PROT_WRITE) != 0);
  munmap(reads[1], 4096);
  printf("%d ", msync(reads[1], 4096, MS_SYNC) ? errno == ENOMEM : 2);
  printf("%d ", fallocate(file, 0, 0, 64 << 20) ? errno == EFBIG : 2);
  statvfs(".", &here);
  statvfs(words[1], &there);
  fstatvfs(open(words[1], O_RDONLY | O_DIRECTORY), &opened);
  printf("%d %d %d ", (int)(here.f_flag & ST_RDONLY), (int)(there.f_flag & ST_RDONLY), (int)(opened.f_flag & ST_RDONLY));
  strcpy(page, "written");
  printf("%d\n", msync(page, 4096, MS_SYNC));
  fflush(stdout);
  read(0, &byte, 1);
  return 0;
}
"#;

#[test]
fn what_is_written_to_shared_pages_is_there_for_others_and_what_cannot_be_is_refused() {
    let room = tempfile::tempdir().expect("a directory");
    let at = |name: &str| room.path().join(name);
    std::fs::write(at("shared.c"), SHARED).expect("writable");
    std::fs::create_dir_all(at("home")).and_then(|()| std::fs::create_dir_all(at("other"))).expect("directories");
    let other = at("other").display().to_string();
    for compiler in ["aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc"] {
        let program = at("program").display().to_string();
        let Some(()) = build(compiler, &["-O1", "-w"], &at("shared.c"), &program) else { continue };
        let _ = std::fs::remove_file(at("home/file"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.current_dir(at("home")).args(["exec", "--dir", ".:rw", "--dir", &other, "--output-limit", "1M"]);
        let mut child = command
            .args([&program, "--", &other])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        // It is still there, and has not unmapped them.
        let read = std::fs::read(at("home/file")).expect("a file");
        child.stdin.take().expect("piped").write_all(b"x").expect("written");
        assert!(child.wait().expect("it ends").success());
        assert_eq!((line.as_str(), &read[..7]), ("1 1 1 1 0 1 1 0\n", &b"written"[..]), "{compiler}");
    }
}

#[test]
fn a_library_is_no_program_and_what_was_refused_is_said_with_what_came_of_it() {
    let room = tempfile::tempdir().expect("a directory");
    let at = |name: &str| room.path().join(name).display().to_string();
    std::fs::write(
        at("waits.c"),
        "#include <sys/sendfile.h>\nint main(void) { sendfile(1, 0, 0, 1); __builtin_trap(); }\n",
    )
    .expect("writable");
    let build = |flags: &[&str], to: &str| build("aarch64-linux-gnu-gcc", flags, at("waits.c").as_ref(), &at(to));
    let Some(()) = build(&["-O1"], "waits") else { return };
    let done = crate::running::exec(&[&at("waits")]);
    assert!(done.err.contains("sendfile") && done.err.contains("ENOSYS"), "{done:?}");
    let Some(()) = build(&["-shared", "-fPIC"], "lib.so") else { return };
    let done = crate::running::exec(&[&at("lib.so"), "--system", "linux"]);
    assert!(done.status == 65 && done.err.contains("it has no entry point"), "{done:?}");
}
