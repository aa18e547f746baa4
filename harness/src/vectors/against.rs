//! Linkers are tried on all vectors of a target.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use linker::Target;

use super::data::Row;
use super::make::Made;
use super::subject::{Answer, Tally};
use super::{own, peer};
use crate::oracle::Peer;

/// What is tried.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Our own linker.
    Own,
    /// Another one, and its program.
    Peer(Peer, PathBuf),
}

/// Has a linker link each vector of a target that has an object. `done` hears of each. An error is one of the machine's: a
/// linker that refuses is an answer.
pub fn try_all(
    subject: &Subject,
    target: &'static Target,
    made: &Made,
    done: &(dyn Fn() + Sync),
) -> anyhow::Result<Tally> {
    let rows: BTreeMap<u32, &Row> = made.file.relocations.iter().map(|row| (row.number, row)).collect();
    let vectors = &made.file.vectors;
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<Vec<(usize, Answer)>> {
        let mut answers = Vec::new();
        while let Some((number, vector)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|number| Some((number, vectors.get(number)?)))
            .filter(|_| !outside::stop::requested())
        {
            let object = vector.object.as_ref().and_then(|path| made.objects.get(path));
            let answer = match (object, subject) {
                (None, _) => Answer::NotAsked("it has no object"),
                (Some(object), Subject::Own) => own::answer(target, vector, object),
                (Some(object), Subject::Peer(peer, program)) => peer::answer(*peer, program, target, vector, object)?,
            };
            answers.push((number, answer));
            done();
        }
        Ok(answers)
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut answers = std::thread::scope(|scope| -> anyhow::Result<Vec<(usize, Answer)>> {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(answers) => all.extend(answers?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })?;
    answers.sort_by_key(|(number, _)| *number);
    let mut tally = Tally::default();
    for (number, answer) in answers {
        let vector = &vectors[number];
        if let Some(row) = rows.get(&vector.number) {
            tally.add(row, vector, &answer);
        }
    }
    Ok(tally)
}
