//! Threads under gdb.

use std::process::Command;

use super::{Waiting, has_gdb, in_order};

const THREADS: &str = "#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
volatile int ready, sums[3];
__attribute__((noinline)) int add(volatile int *sum, int n) {
    return *sum += n;
}
static void *worker(void *given) {
    int which = *(int *)given;
    for (int i = 1; i <= 2000; i++) {
        add(&sums[which], i); /* one */
        if (i > 2000) /* two */
            return 0;
    }
    pthread_mutex_lock(&lock);
    ready++;
    pthread_cond_broadcast(&done);
    while (ready < 4)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}
static void all_wait(void) {}
int main(void) {
    static int number[3] = {0, 1, 2};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], 0, worker, &number[i]);
    pthread_mutex_lock(&lock);
    while (ready < 3)
        pthread_cond_wait(&done, &lock);
    all_wait();
    ready++;
    pthread_cond_broadcast(&done);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], 0);
    printf(\"%d\\n\", sums[0] + sums[1] + sums[2]);
    return 5;
}
";

/// Each thread is seen with its own stack, and a step stays in the one that makes it.
#[test]
fn threads_are_seen_and_stepped_one_by_one() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (source, program) = (directory.path().join("threads.c"), directory.path().join("threads"));
    std::fs::write(&source, THREADS).expect("writable");
    let line = |mark: &str| THREADS.lines().position(|text| text.contains(mark)).expect("a mark") + 1;
    let (one, two, wait) = (line("/* one */"), line("/* two */"), line("while (ready < 4)") + 1);
    for (compiler, flag) in [
        ("aarch64-linux-gnu-gcc-12", "-O0"),
        ("arm-linux-gnueabihf-gcc-12", "-mthumb"),
        ("arm-linux-gnueabihf-gcc-12", "-marm"),
    ] {
        let mut command = Command::new(compiler);
        command.args(["-static", "-g", flag, "-pthread", "-funwind-tables", "-o"]).arg(&program).arg(&source);
        assert!(command.status().is_ok_and(|built| built.success()), "{compiler}");
        let (program, what) = (program.to_str().expect("a text path"), format!("{compiler} {flag}"));
        // A turn of another thread comes between `next` and its end now and then: the loop is stepped through many times.
        let steps = "set $i = 0\nset $t = $_thread\nset $strays = 0\nwhile $i < 300\nnext\nset $i = $i + 1\n\
             if $_thread != $t\nset $strays = $strays + 1\nend\nend\nprintf \"strays %d, which %d\\n\", $strays, which";
        let script = directory.path().join("steps.gdb");
        std::fs::write(&script, steps).expect("writable");
        let (shown, status, out, said) = Waiting::start(&["exec", program, "--gdb", "--seed", "3"]).debug(&[
            &format!("break {one} if which == 1 && i == 3"),
            "continue",
            "delete",
            &format!("source {}", script.display()),
            "thread 1",
            "print $_thread",
            "break all_wait",
            "continue",
            "info threads",
            "thread apply all backtrace",
            "thread 3",
            "frame function worker",
            "print which",
            // It waits in a call until the others go on, and comes out of that.
            "next",
            "print ready",
            "continue",
        ]);
        let waits = format!("threads.c:{wait}");
        let texts = [
            "hit Breakpoint 1, worker",
            "strays 0, which 1",
            "$1 = 1",
            "hit Breakpoint 2, all_wait",
            "waits for the word at",
            "worker (given=",
            waits.as_str(),
            "worker (given=",
            waits.as_str(),
            "worker (given=",
            waits.as_str(),
            "main () at",
            "[Switching to thread 3",
            "worker (given=",
            "$2 = ",
            "Single stepping until exit from function",
            "$3 = 4",
            "exited with code 05]",
        ];
        in_order(&shown, &texts, &what);
        assert!(shown.contains(&format!("{two}\t")), "{what}: {shown}");
        assert_eq!((status, out.as_str(), said.as_str()), (5, "6003000\n", ""), "{what}: {shown}");
    }
}

/// With scheduler-locking nobody runs but the thread that steps, be it the one that has the processor or another.
#[test]
fn threads_that_are_locked_stand_still() {
    if !has_gdb() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (source, program) = (directory.path().join("threads.c"), directory.path().join("threads"));
    std::fs::write(&source, THREADS).expect("writable");
    let one = THREADS.lines().position(|text| text.contains("/* one */")).expect("a mark") + 1;
    let compiler = "aarch64-linux-gnu-gcc-12";
    let mut command = Command::new(compiler);
    command.args(["-static", "-g", "-O0", "-pthread", "-o"]).arg(&program).arg(&source);
    assert!(command.status().is_ok_and(|built| built.success()), "{compiler}");
    let program = program.to_str().expect("a text path");
    // All three are there when the last one is in its loop.
    let (shown, status, out, _) = Waiting::start(&["exec", program, "--gdb", "--seed", "3"]).debug(&[
        &format!("break {one} if which == 2 && i == 3"),
        "continue",
        "delete",
        "set scheduler-locking on",
        "set $a = sums[0]",
        "set $b = sums[1]",
        "next",
        "next",
        "next",
        "printf \"moved %d %d\\n\", sums[0] - $a, sums[1] - $b",
        "set $c = sums[2]",
        "thread 2",
        "stepi 300",
        "printf \"thread %d, moved %d %d\\n\", $_thread, sums[1] - $b, sums[2] - $c",
        "print sums[0] > $a",
        "set scheduler-locking off",
        "continue",
    ]);
    in_order(&shown, &["moved 0 0\n", "thread 2, moved 0 0\n", "$1 = 1\n", "exited with code 05]"], compiler);
    assert_eq!((status, out.as_str()), (5, "6003000\n"), "{shown}");
}
