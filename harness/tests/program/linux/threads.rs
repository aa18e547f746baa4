//! Threads of Linux programs: what comes out is the same under qemu-user and whatever the seed, unless the program has a race.

use std::path::Path;

use super::{SETS, build, compare};
use crate::running::{Done, exec};

#[test]
fn threads_of_c_wait_for_one_another() {
    compare("threads.c", "gcc", &["-O0", "-O2"], &["quiet", "first", "exit"]);
}

#[test]
fn threads_of_cpp_have_their_own_variables_and_exceptions() {
    compare("threads.cc", "g++", &["-O2"], &["quiet", "throw", "abandon"]);
}

/// Has a program of this folder built by each compiler.
fn each(source: &str, flags: &[&str], mut then: impl FnMut(&str, &str)) {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("program").to_str().expect("a text path").to_owned();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/linux").join(source);
    for (prefix, _, set) in SETS {
        if build(&format!("{prefix}-gcc"), &[set, flags].concat(), &source, &program).is_some() {
            then(&program, &format!("{prefix} {set:?}"));
        }
    }
}

#[test]
fn a_seed_decides_the_order_of_turns_and_nothing_else() {
    each("threads.c", &["-O2"], |program, what| {
        let run = |seed: &str| exec(&[program, "--seed", seed, "--", "exit"]);
        let first = run("1");
        assert!(first.status == 3 && first.out.contains("counted 15000"), "{what}: {first:?}");
        for seed in ["2", "3", "4", "18446744073709551615"] {
            assert_eq!(run(seed), first, "{what}");
        }
        // qemu-user does not know whose locks are given up when a thread ends.
        assert_eq!(exec(&[program, "--", "robust"]).out, "robust 1 0 1\n", "{what}");
    });
    each("turns.c", &["-O1"], |program, what| {
        let run = |seed: u32| exec(&[program, "--seed", &seed.to_string(), "--", "racy"]);
        let all: Vec<Done> = (0..6).map(run).collect();
        assert!(all.iter().all(|done| done.status == 0), "{what}: {all:?}");
        assert!(all.iter().any(|done| *done != all[0]), "{what}: no two seeds differ: {all:?}");
        assert_eq!(all, (0..6).map(run).collect::<Vec<_>>(), "{what}: a seed gives another run");
    });
}

/// An exclusive store fails if another thread had a turn, and conditional blocks of Thumb code go on where they were.
#[test]
fn a_turn_may_end_anywhere() {
    each("turns.c", &["-O1"], |program, what| {
        for seed in ["0", "1", "2"] {
            let got = exec(&[program, "--seed", seed]);
            assert!(got.status == 0 && got.out.starts_with("exclusive 1 0\n"), "{what}: {got:?}");
        }
    });
}

#[test]
fn a_deadlock_is_told_with_each_thread() {
    each("turns.c", &["-O1", "-g"], |program, what| {
        let got = exec(&[program, "--", "deadlock"]);
        assert!(got.status == 124 && got.out.is_empty(), "{what}: {got:?}");
        let expected = ["waits for ever", "thread 1000 (program) waits for the word at 0x", "thread 1001", "(futex)"];
        assert!(expected.iter().all(|part| got.err.contains(part)), "{what}: {}", got.err);
    });
}

/// What has an end: the time that is slept, the number of threads, and there is one process.
#[test]
fn sleep_and_threads_are_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("bounds.c");
    let text =
        "#include <errno.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <sys/wait.h>\n
        #include <time.h>\n#include <unistd.h>
        static void *wait_for_ever(void *of) { for (;;) pause(); }
        int main(int count, char **words) {
            if (words[1][0] == 's') {
                time_t begun = time(0);
                sleep(40);
                printf(\"slept %d\\n\", time(0) - begun >= 40);
                return 0;
            }
            if (words[1][0] == 'f') {
                int child = fork();
                printf(\"%d %d\\n\", child, errno == ENOSYS);
                return 0;
            }
            pthread_attr_t small;
            pthread_t thread;
            pthread_attr_init(&small);
            pthread_attr_setstacksize(&small, 65536);
            int made = 0, error;
            while (!(error = pthread_create(&thread, &small, wait_for_ever, 0))) made++;
            printf(\"%d %d\\n\", made, error == EAGAIN);
            exit(0);
        }";
    std::fs::write(&source, text).expect("writable");
    let program = directory.path().join("program").to_str().expect("a text path").to_owned();
    for (prefix, _, set) in SETS {
        if build(&format!("{prefix}-gcc"), &[set, &["-O1"]].concat(), &source, &program).is_none() {
            continue;
        }
        assert_eq!(exec(&[&program, "--", "sleeps"]).out, "slept 1\n");
        let got = exec(&[&program, "--timeout", "20", "--", "sleeps"]);
        assert!(got.status == 124 && got.err.contains("--timeout"), "{got:?}");
        let got = exec(&[&program, "--verbose", "--", "forks"]);
        assert!(got.out == "-1 1\n" && got.err.contains("no other processes (fork)"), "{got:?}");
        assert_eq!(exec(&[&program, "--", "threads"]).out, "1023 1\n");
    }
}

#[test]
fn threads_wait_for_one_another_by_files() {
    compare("pipes.c", "gcc", &["-O2"], &["quiet"]);
    each("pipes.c", &["-O2"], |program, what| {
        let first = exec(&[program, "--seed", "1"]);
        for seed in ["2", "3", "4"] {
            assert_eq!(exec(&[program, "--seed", seed]), first, "{what}");
        }
        let got = exec(&[program, "--", "stuck"]);
        let expected = ["thread 1000 (program) waits for files (select)", "waits to read what nobody has written"];
        let all = expected.iter().all(|part| got.err.contains(part));
        assert!(got.status == 124 && all && got.out == first.out, "{what}: {got:?}");
    });
}
