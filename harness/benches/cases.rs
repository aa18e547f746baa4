//! `cargo bench -p harness --bench cases`: how many cases of the corpus one worker links, runs and judges a second, on the
//! emulator in this process and on boards in QEMU, where that is installed; with LINKRIG_IMAGE_ARM64=FILE and
//! LINKRIG_IMAGE_ARMHF=FILE also on a Linux.
//!
//! Every configuration of the checked-in objects runs on one machine for its target, which is reset before each, as
//! `harness` does. The first pass over a target is not counted, and what waits for its time to run out is left out; then they
//! come from all over the corpus for as long as there is time. A case is small when its objects have at most 4 kB of file; the
//! median is of all counted runs, the rate of their sum. What to compare with: docs/speed.md.

use std::time::{Duration, Instant};

use harness::executor::Choice;
use harness::executor::choice::Boards;
use harness::judge::judge;
use harness::plan::Configuration;
use harness::plan::{self, Objects, Selection, Source};
use harness::with_machine;
use linker::Target;
use qemu::image::Image;
use qemu::system::Linux;
use qemu::{Board, System};
use reports::model::Status;

/// How long each target is measured.
const TIME: Duration = Duration::from_secs(3);

/// Who takes longer has an endless loop.
const ENDLESS: Duration = Duration::from_millis(500);

/// From one configuration to the next that is measured: a prime, so that all have their turn.
const STRIDE: usize = 7919;

/// Largest sum of the files of a small case, in bytes.
const SMALL: usize = 4096;

fn main() -> anyhow::Result<()> {
    println!(
        "{:14} {:8} {:>8} {:>8} {:>12} {:>14}",
        "executor", "target", "kind", "cases", "median us", "cases a second"
    );
    measure("unicorn", &Choice::Unicorn, &["armv7", "thumbv7", "aarch64"])?;
    for (name, targets) in [("raspi3b", &["armv7", "thumbv7", "aarch64"][..]), ("raspi2b", &["armv7", "thumbv7"])] {
        let boards = Choice::Board(Box::new(Boards::new(Board::find(name)?, System::Bare)));
        match boards.start() {
            Ok(()) => measure(name, &boards, targets)?,
            Err(error) => println!("{name}: {error}"),
        }
    }
    let images =
        [("raspi3b", "LINKRIG_IMAGE_ARM64", &["armv7", "aarch64"][..]), ("raspi2b", "LINKRIG_IMAGE_ARMHF", &["armv7"])];
    for (name, variable, targets) in images {
        let Some(path) = std::env::var_os(variable) else { continue };
        let board = Board::find(name)?;
        let linux = Linux::from_image(&board, &Image::open(path.as_ref())?)?;
        let boards = Choice::Board(Box::new(Boards::new(board, System::Linux(linux))));
        boards.start()?;
        measure(&format!("{name}, Linux"), &boards, targets)?;
    }
    Ok(())
}

fn measure(executor: &str, choice: &Choice, targets: &[&str]) -> anyhow::Result<()> {
    let cases = plan::cases(&corpus::Corpus::found())?;
    let machines = choice.source();
    for name in targets {
        let Some(target) = Target::named(name) else { continue };
        let source = Source::prebuilt(&corpus::Corpus::found(), &[target]);
        let selection = Selection { targets: vec![(*name).to_owned()], ..Selection::default() };
        let configurations = plan::select(&cases, &selection, &source, choice.name())?;
        let batches = plan::objects(configurations, &source, 1, &|_, _, _| {})?;
        let files = |batch: &plan::Batch<'_>| match &batch.objects {
            Objects::Files(files) => files.clone(),
            _ => Vec::new(),
        };
        let all: Vec<(Vec<_>, &Configuration<'_>)> =
            batches.iter().flat_map(|batch| batch.configurations.iter().map(|one| (files(batch), one))).collect();
        let mut machine = machines.machine(target).map_err(anyhow::Error::msg)?;
        with_machine!(&mut machine, machine => {
            // What is skipped is no case, and what fails is judged by the harness, not here.
            let passes = |(files, one): &(Vec<_>, &Configuration<'_>)| {
                let start = Instant::now();
                !files.is_empty()
                    && judge(&mut **machine, one, files).0.status == Status::Passed
                    && start.elapsed() < ENDLESS
            };
            let all: Vec<_> = all.into_iter().filter(passes).collect();
            let (small, large): (Vec<_>, Vec<_>) =
                all.iter().partition(|(files, _)| files.iter().map(|file| file.data.len()).sum::<usize>() <= SMALL);
            for (kind, list) in [("small", small), ("larger", large)] {
                if list.is_empty() {
                    continue;
                }
                let start = Instant::now();
                let mut times = Vec::new();
                for (files, one) in (0..).map(|n: usize| list[n * STRIDE % list.len()]) {
                    let start_of_case = Instant::now();
                    std::hint::black_box(judge(&mut **machine, one, files));
                    times.push(start_of_case.elapsed());
                    if start.elapsed() > TIME {
                        break;
                    }
                }
                times.sort();
                let median = times.get(times.len() / 2).copied().unwrap_or_default();
                let rate = times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64();
                let median = median.as_secs_f64() * 1e6;
                println!("{executor:14} {name:8} {kind:>8} {:>8} {median:>12.1} {rate:>14.0}", list.len());
            }
        });
    }
    Ok(())
}
