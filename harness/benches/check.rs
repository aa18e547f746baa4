//! `cargo bench -p harness --bench check`: a static glibc program, as GNU ld and lld link it, checked against all members of the
//! archives that it was made of. It needs GCC for AArch64 or ARM with its C library, and says what is missing.
//!
//! The figures are of one machine on one day; that cost is linear shows in the time for each field, which is to be the same
//! for a program with several copies of the work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use harness::check;
use harness::linking::{Data, Input};
use harness::oracle::Peer;
use linker::Target;

const SOURCE: &str = "#include <stdio.h>\nint main(int c, char **v) { return printf(\"%d %s\\n\", c, v[0]) < 0; }\n";

/// How often each is checked.
const TIMES: u32 = 10;

fn main() -> anyhow::Result<()> {
    println!(
        "{:10} {:6} {:>10} {:>8} {:>8} {:>8} {:>8}",
        "target", "linker", "bytes", "objects", "fields", "judged", "ms"
    );
    for (target, compiler) in [("aarch64", "aarch64-linux-gnu-gcc"), ("armv7", "arm-linux-gnueabihf-gcc")] {
        let Ok(compiler) = which::which(compiler) else {
            println!("{target:10} {compiler} is not installed");
            continue;
        };
        let target = Target::named(target).expect("a target");
        for peer in [Peer::Ld, Peer::Lld] {
            let Ok(program) = peer.find(target) else { continue };
            one(target, &compiler, peer, &program)?;
        }
    }
    Ok(())
}

fn one(target: &Target, compiler: &Path, peer: Peer, program: &Path) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("main.c"), SOURCE)?;
    run(Command::new(compiler).current_dir(dir.path()).args(["-O2", "-c", "main.c"]))?;
    let library = |name: &str| -> anyhow::Result<PathBuf> {
        let said = Command::new(compiler).arg(format!("-print-file-name={name}")).output()?;
        Ok(String::from_utf8(said.stdout)?.trim().into())
    };
    let mut inputs = vec![library("crt1.o")?, library("crti.o")?, library("crtbeginT.o")?, path("main.o")];
    let archives = [library("libc.a")?, library("libgcc.a")?, library("libgcc_eh.a")?];
    let ends = [library("crtend.o")?, library("crtn.o")?];
    let mut link = Command::new(program);
    link.current_dir(dir.path()).args(["-static", "-Map=map", "-o", "image"]).args(&inputs);
    run(link.arg("--start-group").args(&archives).arg("--end-group").args(&ends))?;
    inputs.extend(archives.into_iter().chain(ends));
    let open = |path: &Path| Ok::<_, anyhow::Error>(Input::new(path.display().to_string(), Data::open(path)?));
    let (image, map) = (open(&path("image"))?, open(&path("map"))?);
    let inputs: Vec<Input> = inputs.iter().map(|path| open(path)).collect::<Result<_, _>>()?;
    let start = Instant::now();
    let mut findings = check::check(&image, &inputs, Some(&map))?;
    for _ in 1..TIMES {
        findings = check::check(&image, &inputs, Some(&map))?;
    }
    let each = start.elapsed() / TIMES;
    let total = findings.total();
    let judged = total.right + total.relaxed + total.wrong;
    println!(
        "{:10} {:6} {:>10} {:>8} {:>8} {judged:>8} {:>8}",
        target.name,
        peer.name(),
        image.data.len(),
        findings.objects,
        judged + total.unknown,
        each.as_millis()
    );
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
