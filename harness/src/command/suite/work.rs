//! Works through the tests of a suite, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use reports::model::{Failure, Record, Status};

use super::judge::Rig;
use super::test::Test;
use crate::contained;

/// Runs tests on so many threads, until all are done or `stop` says that nobody wants more. `sink` gets each with its record as it
/// ends. What was interrupted has no record.
pub fn run<'t, 'a>(
    rig: &Rig<'_>,
    tests: &[&'t Test<'a>],
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
    sink: &mut dyn FnMut(&'t Test<'a>, Record),
) {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, tests.len().max(1)) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some(&test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if stop() {
                        return;
                    }
                    let record = contained::contain(|| rig.judge(test)).unwrap_or_else(|panic| {
                        let problem = format!("the harness panicked, which is a fault of its own: {panic}");
                        let failure = Failure { problems: vec![problem], ..Failure::default() };
                        Record { failure: Some(failure), ..test.record(Status::Failed, None) }
                    });
                    if outside::stop::requested() || send.send((test, record)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        receive.into_iter().for_each(|(test, record)| sink(test, record));
    });
}
