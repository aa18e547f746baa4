//! `cargo bench -p harness --bench images`: a static glibc program that another linker linked, from the start of the process that loads it to
//! its end, next to qemu-user. It needs GCC for AArch64 or ARM with its C library and qemu-user, and says what is missing.
//!
//! The figures are of one machine on one day: the ratio is what counts. Each pair is run in turn.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that does next to nothing, so that what is measured is its start.
const HELLO: &str = "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n";

/// One that computes for some ten million instructions.
const WORK: &str = "#include <stdio.h>\nint main(void) { unsigned s = 1; for (unsigned i = 0; i < 3000000; i++) s = s * 1103515245 + (s >> 7) + i;\n\
    return printf(\"%u\\n\", s) < 0; }\n";

/// One that makes a hundred thousand system calls.
const CALLS: &str = "#include <unistd.h>\n#include <sys/syscall.h>\nint main(void) { long s = 0; for (int i = 0; i < 100000; i++) s += syscall(SYS_getppid);\n\
    return s == 0; }\n";

/// How often each is run.
const TIMES: usize = 15;

fn main() -> anyhow::Result<()> {
    println!("{:8} {:8} {:>12} {:>14} {:>8}", "target", "program", "exec, ms", "qemu-user, ms", "ratio");
    for (target, compiler, user) in [
        ("aarch64", "aarch64-linux-gnu-gcc", ["qemu-aarch64", "qemu-aarch64-static"]),
        ("armv7", "arm-linux-gnueabihf-gcc", ["qemu-arm", "qemu-arm-static"]),
    ] {
        let Ok(compiler) = which::which(compiler) else {
            println!("{target:8} {compiler} is not installed");
            continue;
        };
        let Some(user) = user.iter().find_map(|name| which::which(name).ok()) else {
            println!("{target:8} qemu-user is not installed");
            continue;
        };
        for (name, source) in [("hello", HELLO), ("work", WORK), ("calls", CALLS)] {
            let dir = tempfile::tempdir()?;
            let (file, image) = (dir.path().join("main.c"), dir.path().join("image"));
            std::fs::write(&file, source)?;
            let made = Command::new(&compiler).args(["-O2", "-static", "-o"]).arg(&image).arg(&file).status()?;
            anyhow::ensure!(made.success(), "{} does not link {name}", compiler.display());
            let ours = || time(Command::new(env!("CARGO_BIN_EXE_harness")).args(["exec", "--run"]).arg(&image));
            let theirs = || time(Command::new(&user).arg(&image));
            let mut pairs = (0..TIMES).map(|_| Ok((ours()?, theirs()?))).collect::<anyhow::Result<Vec<_>>>()?;
            let mut ratios: Vec<f64> = pairs.iter().map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
            ratios.sort_by(f64::total_cmp);
            pairs.sort();
            let ours = pairs[TIMES / 2].0.as_secs_f64() * 1e3;
            let mut theirs: Vec<Duration> = pairs.iter().map(|pair| pair.1).collect();
            theirs.sort();
            let theirs = theirs[TIMES / 2].as_secs_f64() * 1e3;
            println!("{target:8} {name:8} {ours:>12.1} {theirs:>14.1} {:>8.2}", ratios[TIMES / 2]);
        }
    }
    Ok(())
}

fn time(command: &mut Command) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let took = start.elapsed();
    let program = Path::new(command.get_program()).display();
    anyhow::ensure!(status.success(), "{program} ended with {status}");
    Ok(took)
}
