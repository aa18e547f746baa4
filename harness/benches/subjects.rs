//! `cargo bench -p harness --bench subjects`: how many configurations of the corpus a second other linkers link and the emulator runs. A linker
//! that is not installed is left out, and said to be.
//!
//! The figures are of one machine on one day. All linkers get the same configurations, about a thousand.

use std::process::Command;
use std::time::Instant;

use reports::json::Report;
use reports::model::Status;

const SUBJECTS: &[&str] = &["ld", "gold", "lld", "mold", "llvm-jitlink"];

fn main() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let report = directory.path().join("report.json");
    println!("{:14} {:>14} {:>8} {:>10}", "linker", "configurations", "s", "a second");
    for subject in [None].into_iter().chain(SUBJECTS.iter().map(Some)) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(["run", "--layout", "near", "--toolchain", "gcc", "--arch", "aarch64", "--partition", "1/2"]);
        command.args(subject.iter().flat_map(|name| ["--subject", name])).arg("--report");
        let start = Instant::now();
        let output = command.arg(format!("json={}", report.display())).output()?;
        let seconds = start.elapsed().as_secs_f64();
        let name = subject.unwrap_or(&"linkrig");
        let Ok(file) = std::fs::File::open(&report) else {
            println!("{name:14} {}", String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default());
            continue;
        };
        let run = |status| matches!(status, Status::Passed | Status::Failed | Status::Refused);
        let count = Report::read(file)?.results.iter().filter(|record| run(record.status)).count();
        std::fs::remove_file(&report)?;
        println!("{name:14} {count:>14} {seconds:>8.2} {:>10.0}", count as f64 / seconds);
    }
    Ok(())
}
