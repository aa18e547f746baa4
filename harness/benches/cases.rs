//! `cargo bench -p harness`: how many cases of the corpus one core links, runs and judges a second.
//!
//! Every configuration of the checked-in objects runs on one machine for its target, which is reset before each, as
//! `harness` does. The first pass over a target is not counted. A case is small when its objects have at most 4 kB of
//! file; the median is of all counted runs, the rate of their sum. What to compare with: docs/speed.md.

use std::time::{Duration, Instant};

use harness::executor::Unicorn;
use harness::judge::{Configuration, judge};
use harness::plan::{self, Objects, Selection, Source};
use linker::Target;
use reports::model::Status;

/// How long each target is measured.
const TIME: Duration = Duration::from_secs(3);

/// Largest sum of the files of a small case, in bytes.
const SMALL: usize = 4096;

fn main() -> anyhow::Result<()> {
    let cases = plan::cases(&corpus::case::default_dir())?;
    println!("{:12} {:>8} {:>8} {:>12} {:>14}", "target", "kind", "cases", "median us", "cases a second");
    for name in ["armv7", "thumbv7", "aarch64"] {
        let Some(target) = Target::named(name) else { continue };
        let source = Source::prebuilt(&corpus::prebuilt::default_dir(), &[target]);
        let selection = Selection { targets: vec![name.to_owned()], ..Selection::default() };
        let configurations = plan::select(&cases, &selection, &source, "unicorn")?;
        let batches = plan::objects(configurations, &source, 1, &|_, _, _| {})?;
        let files = |batch: &plan::Batch<'_>| match &batch.objects {
            Objects::Files(files) => files.clone(),
            _ => Vec::new(),
        };
        let all: Vec<(Vec<_>, &Configuration<'_>)> =
            batches.iter().flat_map(|batch| batch.configurations.iter().map(|one| (files(batch), one))).collect();
        let mut machine = Unicorn::new(target)?;
        // What is skipped is no case, and what fails is judged by the harness, not here.
        let passes = |(files, one): &(Vec<_>, &Configuration<'_>)| {
            !files.is_empty() && judge(&mut machine, one, files).0.status == Status::Passed
        };
        let all: Vec<_> = all.into_iter().filter(passes).collect();
        let (small, large): (Vec<_>, Vec<_>) =
            all.iter().partition(|(files, _)| files.iter().map(|file| file.data.len()).sum::<usize>() <= SMALL);
        for (kind, list) in [("small", small), ("larger", large)] {
            let start = Instant::now();
            let mut times = Vec::new();
            for (files, one) in list.iter().cycle() {
                let start_of_case = Instant::now();
                std::hint::black_box(judge(&mut machine, one, files));
                times.push(start_of_case.elapsed());
                if start.elapsed() > TIME && times.len() >= list.len() {
                    break;
                }
            }
            times.sort();
            let median = times.get(times.len() / 2).copied().unwrap_or_default();
            let rate = times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64();
            println!("{name:12} {kind:>8} {:>8} {:>12.1} {rate:>14.0}", list.len(), median.as_secs_f64() * 1e6);
        }
    }
    Ok(())
}
