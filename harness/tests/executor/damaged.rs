//! Linux programs whose file was damaged: headers, code and data. Each is started as a process, and ends within what it may take.
//!
//! `LINKRIG_MUTATIONS=N` says how many of each kind there are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::dice::Dice;
use harness::executor::hosted::engine::PAGE;
use harness::executor::unicorn::processor;
use harness::executor::{Budget, Stop};
use harness::linked::Executable;
use harness::linux::{End, Grant, Process, Roots, Start};
use linker::Target;

/// It asks for what leads to the system: memory, files, a thread, a handler of signals, and output.
const SOURCE: &str = r#"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static __thread int own = 3;
static void *work(void *word) { own += *(int *)word; return (void *)(long)own; }
static void handle(int number) { own = number; }
int main(int count, char **words) {
    char *room = malloc(300000);
    memset(room, count, 300000);
    pthread_t thread;
    void *result = 0;
    pthread_create(&thread, 0, work, &count);
    pthread_join(thread, &result);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    FILE *file = fopen("here", "r");
    printf("%ld %d %d %s\n", (long)result, own, file != 0, words[0]);
    return room[299999];
}
"#;

/// Targets, compilers, and their options.
const KINDS: [(&str, &str, &[&str]); 4] = [
    ("aarch64", "aarch64-linux-gnu-gcc", &["-static"]),
    ("aarch64", "aarch64-linux-gnu-gcc", &["-static-pie", "-fPIE"]),
    ("armv7", "arm-linux-gnueabihf-gcc", &["-static", "-marm"]),
    ("thumbv7", "arm-linux-gnueabihf-gcc", &["-static", "-mthumb"]),
];

/// What a process may take.
const BUDGET: Budget =
    Budget { instructions: 3 << 20, work: 1 << 24, time: Duration::from_millis(500), output: 1 << 16 };
/// How long one may last: what it has, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(10);

fn program(directory: &Path, compiler: &str, flags: &[&str]) -> Option<Vec<u8>> {
    let source = directory.join("program.c");
    std::fs::write(&source, SOURCE).expect("writable");
    let Ok(compiler) = which::which(compiler) else {
        println!("skipped: {compiler} is not installed");
        return None;
    };
    let program = directory.join("program");
    let done = Command::new(compiler).args(flags).args(["-O1", "-pthread", "-o"]).arg(&program).arg(&source).status();
    assert!(done.expect("it starts").success());
    Some(std::fs::read(program).expect("a program"))
}

/// Changes a file in one to four places: half of the damage is to its headers, where it matters most.
fn damage(file: &mut Vec<u8>, random: &mut Dice) {
    for _ in 0..=random.below(4) {
        let most = if random.one_in(2) { file.len().min(0x400) } else { file.len() };
        let at = random.below(most);
        let width = random.pick(&[1, 2, 4, 8]).min(file.len() - at);
        let value = match random.below(7) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 1 << 63,
            4 => 0x7fff_ffff,
            5 => random.bits() >> random.below(64),
            _ => u64::from(file[at]) ^ 1 << random.below(8),
        };
        file[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
    if random.one_in(30) {
        file.truncate(random.below(file.len()));
    }
}

/// Starts it as a process. None: it is no program.
fn run(file: &[u8], target: &'static Target, inside: &Path, seed: u64) -> Option<End> {
    let executable = Executable::read("program", file, target).ok()?;
    executable.entry()?;
    let grant = Grant { host: inside.to_owned(), guest: PathBuf::from("/in"), writable: false, is_root: false };
    let start = Start {
        name: "program",
        arguments: &[],
        environment: &[],
        stack: 1 << 20,
        seed,
        budget: BUDGET,
        directory: "/in",
        umask: 0o022,
    };
    let engine = processor(target, 0).expect("a processor");
    let roots = Roots::new(&[grant]).expect("it is there");
    let sink = Box::new(|_, _: &[u8]| Ok(()));
    let mut process = Process::new(engine, (&executable.mapped(PAGE), None), &start, roots, sink).ok()?;
    let end = process.run();
    // What is shown of an end must not need a whole program either.
    let _ = executable.known(PAGE, process.base());
    Some(end)
}

#[test]
fn a_damaged_program_ends() {
    let rounds = std::env::var("LINKRIG_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let directory = tempfile::tempdir().expect("a directory");
    let mut random = Dice::new(3);
    for (target, compiler, flags) in KINDS {
        let target = Target::named(target).expect("a target");
        let Some(file) = program(directory.path(), compiler, flags) else { continue };
        std::fs::write(directory.path().join("here"), "").expect("writable");
        assert_eq!(run(&file, target, directory.path(), 0), Some(End::Exited(1)), "{} {flags:?}", target.name);
        let (mut refused, mut exited, mut killed, mut stopped, mut lost) = (0, 0, 0, 0, 0);
        for round in 0..rounds {
            let mut damaged = file.clone();
            damage(&mut damaged, &mut random);
            let begun = Instant::now();
            let count = match run(&damaged, target, directory.path(), round) {
                None => &mut refused,
                Some(End::Exited(_)) => &mut exited,
                Some(End::Killed { .. }) => &mut killed,
                Some(End::Stopped(Stop::Lost(_))) => &mut lost,
                Some(End::Stopped(_) | End::Deadlock(_)) => &mut stopped,
            };
            *count += 1;
            assert!(begun.elapsed() < LONGEST, "{} {flags:?} {round}", target.name);
        }
        println!(
            "{} {flags:?}: {refused} refused, {exited} exited, {killed} killed, {stopped} stopped, {lost} lost",
            target.name
        );
        // The emulator itself aborts on some instructions of AArch64.
        assert!(lost == 0 || target.register_bits == 64 && lost <= 1 + rounds / 100, "{lost} were lost");
        assert!(refused > 0 && exited > 0 && killed > 0, "all of them came to the same");
    }
}
