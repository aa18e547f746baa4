//! JITs that speak ORC's protocol as subjects: many cases in one process of llvm-jitlink, which links them for a machine that only takes
//! notes ([`session`]). What it placed becomes an executable ([`image`]), which is judged as that of any other linker.

mod anchor;
mod image;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use linker::Target;
use linker::link::Found;
use outside::{Limits, Running, Scratch};

use self::anchor::{ANCHOR, ROOT, Wanted};
use self::session::{Outcome, Session};
use super::description::{Description, Kind};
use super::invoke::{self, MOST_TEXT, Refusal};
use super::template::Filling;
use super::words;
use crate::executor::image::SymbolKind;
use crate::linking::Input;

/// Cases in one process.
pub(super) const TOGETHER: usize = 64;

/// How long a process that hangs up may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// Bytes of a file that it writes. It is not asked for any.
const MOST_FILE: u64 = 1 << 20;

/// A case as it is linked here.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    /// Its objects and archives.
    pub files: &'a [Input],
    /// Symbols at fixed addresses.
    pub defines: &'a [(String, u64)],
    /// What has to stay.
    pub roots: &'a [&'a str],
    /// Its lowest address.
    pub base: u64,
}

/// Who links, and for what.
pub(super) struct Linker<'a> {
    pub program: &'a Path,
    pub description: &'a Description,
    pub target: &'static Target,
    pub host: &'a BTreeMap<String, Found>,
}

type Linked = Result<Vec<u8>, Refusal>;

/// How a process came to its end before it was through.
enum End {
    Status(ExitStatus, String),
    Silent,
}

impl Linker<'_> {
    /// Links cases. A process that is lost loses the case that it was working on, which gets another one for itself; those that follow are
    /// linked all the same.
    pub(super) fn link(&self, cases: &[Case<'_>]) -> Result<Vec<Linked>> {
        let batch = |group: &[usize]| self.batch(&group.iter().map(|&number| cases[number]).collect::<Vec<_>>());
        let linked = again(cases.len(), batch)?.into_iter();
        let refused = |end: Option<End>| match end {
            Some(end) => self.refusal(end),
            None => Refusal { kind: Kind::Other, text: "it was not linked".to_owned() },
        };
        Ok(linked.map(|linked| linked.unwrap_or_else(|end| Err(refused(end)))).collect())
    }

    /// Links cases in one process: those that are over, from the first on, and how it ended if these are not all.
    fn batch(&self, cases: &[Case<'_>]) -> Result<(Vec<Linked>, Option<End>)> {
        let Description { seconds, memory, .. } = self.description;
        let directory = Scratch::new()?;
        let wanted: Vec<Vec<Wanted>> = cases.iter().map(|case| anchor::wanted(case.files, case.roots)).collect();
        let inputs = self.inputs(directory.path(), cases, &wanted)?;
        let listener = TcpListener::bind("127.0.0.1:0").context("no address to listen at")?;
        let executor = listener.local_addr()?.to_string();
        let target = self.description.targets.get(self.target.name).map_or(&[][..], Vec::as_slice);
        let filling = Filling { inputs, executor: &executor, entry: ROOT, target, ..Filling::default() };
        let mut command = Command::new(self.program);
        command.args(self.description.template().fill(&filling)).current_dir(directory.path());
        command.env("LC_ALL", "C").env("TMPDIR", directory.path());
        let time = Duration::from_secs(*seconds);
        let limits = Limits { time, text: MOST_TEXT, file: MOST_FILE, memory: Some(memory << 20) };
        let mut running = Running::start(command, &limits)?;
        let (mut outcomes, mut is_silent) = (Vec::new(), false);
        let stream = accept(&listener, &mut running, time)?;
        if let Some(stream) = &stream {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(time))?;
            stream.set_write_timeout(Some(time))?;
            let bases: Vec<u64> = cases.iter().map(|case| case.base).collect();
            let mut session = Session::new(stream, &running, self.target, self.host, &bases);
            // A stream that breaks is a process that ends.
            let _ = session.serve();
            (outcomes, is_silent) = (session.outcomes, session.is_silent);
        }
        let is_over = outcomes.len() == cases.len();
        let linked = outcomes.into_iter().zip(cases.iter().zip(&wanted));
        let linked = linked.map(|(outcome, (case, wanted))| self.linked(outcome, case, wanted, directory.path()));
        let linked = linked.collect();
        if is_over {
            return Ok((linked, None));
        }
        drop(stream);
        Ok((linked, Some(if is_silent { End::Silent } else { end(&mut running)? })))
    }

    /// Writes the files of a batch and returns the words for them: the root, then a library for each case.
    fn inputs(&self, directory: &Path, cases: &[Case<'_>], wanted: &[Vec<Wanted>]) -> Result<Vec<String>> {
        let first = cases.first().map_or(&[][..], |case| case.files);
        std::fs::write(directory.join("root.o"), anchor::root(self.target, first, cases.len())?)?;
        let mut words = vec!["root.o".to_owned()];
        for (number, (case, wanted)) in cases.iter().zip(wanted).enumerate() {
            let library = format!("case{number}");
            std::fs::create_dir(directory.join(&library))?;
            let mut add = |name: &str, data: &[u8]| {
                words.push(format!("{library}/{name}"));
                std::fs::write(directory.join(&library).join(name), data)
            };
            add("linkrig-anchor.o", &anchor::anchor(self.target, case.files, number, wanted)?)?;
            for (name, file) in invoke::names(case.files).iter().zip(case.files) {
                add(name, &file.data)?;
            }
            let before = words.len() - case.files.len() - 1;
            words.insert(before, format!("-jd={library}"));
            words.push(format!("-alias=main:{ANCHOR}_{number}={library}:{ANCHOR}"));
            let own: Vec<&[u8]> = wanted.iter().map(|wanted| wanted.name.as_slice()).collect();
            let defines = case.defines.iter().filter(|(name, _)| !own.contains(&name.as_bytes()));
            words.extend(defines.map(|(name, address)| format!("-abs={name}={address:#x}")));
        }
        Ok(words)
    }

    fn linked(&self, outcome: Outcome, case: &Case<'_>, wanted: &[Wanted], directory: &Path) -> Linked {
        match outcome {
            Outcome::Placed(segments, table) => {
                image::image(self.target, &segments, wanted, &table, &self.outside(case, wanted)).map_err(|error| {
                    Refusal { kind: Kind::Other, text: format!("what it placed is no program: {error}") }
                })
            }
            Outcome::Failed(said) => {
                let kind = words::kind(&self.description.says, &said);
                Err(Refusal { kind, text: words::shortened(&said, directory) })
            }
        }
    }

    /// What a case finds outside of its objects.
    fn outside(&self, case: &Case<'_>, wanted: &[Wanted]) -> Vec<(Vec<u8>, u64, SymbolKind)> {
        let define = |(name, address): &(String, u64)| (name.as_bytes().to_vec(), *address, SymbolKind::Label);
        let mut outside: Vec<_> = case.defines.iter().map(define).collect();
        for name in anchor::referred(case.files) {
            let known = wanted.iter().any(|wanted| wanted.name == name) || outside.iter().any(|known| known.0 == name);
            let found = str::from_utf8(&name).ok().and_then(|text| self.host.get(text)).filter(|_| !known);
            match found {
                Some(Found::Function(address)) => outside.push((name, *address, SymbolKind::Function)),
                Some(Found::Data(address)) => outside.push((name, *address, SymbolKind::Object)),
                None => {}
            }
        }
        outside
    }

    fn refusal(&self, end: End) -> Refusal {
        let Description { name, seconds, .. } = self.description;
        match end {
            End::Silent => {
                Refusal { kind: Kind::Budget, text: format!("{name} says nothing any more within {seconds} s") }
            }
            End::Status(status, said) => match invoke::signal(status) {
                Some(signal) => {
                    Refusal { kind: Kind::Crash, text: format!("{name} ended by {signal}{}", invoke::behind(&said)) }
                }
                None if said.is_empty() => Refusal { kind: Kind::Other, text: format!("it said nothing ({status})") },
                None => Refusal {
                    kind: words::kind(&self.description.says, &said),
                    text: words::shortened(&said, Path::new("/")),
                },
            },
        }
    }
}

/// Has `batch` work on numbers from 0 on until each is over, or has been lost by itself. It works on several in order, and says what came
/// of those that are over and how it ended if these are not all.
fn again<T, E>(
    count: usize,
    mut batch: impl FnMut(&[usize]) -> Result<(Vec<T>, Option<E>)>,
) -> Result<Vec<Result<T, Option<E>>>> {
    let mut all: Vec<Result<T, Option<E>>> = (0..count).map(|_| Err(None)).collect();
    let mut groups: VecDeque<Vec<usize>> = VecDeque::from([(0..count).collect()]);
    while let Some(group) = groups.pop_front() {
        let (done, end) = batch(&group)?;
        let over = done.len();
        for (&number, outcome) in group.iter().zip(done) {
            all[number] = Ok(outcome);
        }
        match (&group[over..], end) {
            ([], _) => {}
            ([only], end) if group.len() == 1 => all[*only] = Err(end),
            // Nobody knows whose fault it is that nothing was begun.
            (rest, _) if over == 0 && rest.len() > 1 => {
                let (first, second) = rest.split_at(rest.len() / 2);
                groups.extend([first.to_vec(), second.to_vec()]);
            }
            ([first, rest @ ..], _) => {
                groups.push_back(vec![*first]);
                groups.push_back(rest.to_vec());
                groups.retain(|group| !group.is_empty());
            }
        }
    }
    Ok(all)
}

/// Waits for the process to call. None: it ended, or took too long.
fn accept(listener: &TcpListener, running: &mut Running, time: Duration) -> Result<Option<TcpStream>> {
    listener.set_nonblocking(true)?;
    let end = Instant::now() + time;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
        if running.status()?.is_some() || Instant::now() > end || outside::stop::requested() {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How a process ended that hung up.
fn end(running: &mut Running) -> Result<End> {
    let until = Instant::now() + ENDING;
    loop {
        if let Some(status) = running.status()? {
            let said = String::from_utf8_lossy(&running.complaints(0)).trim().to_owned();
            return Ok(End::Status(status, said));
        }
        if Instant::now() > until || outside::stop::requested() {
            return Ok(End::Silent);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of numbers up to 9, some of which end the batch that works on them, after those before it or before anything is begun;
    /// and how many batches that took.
    fn come_of(deadly: &[usize], at_once: bool) -> (Vec<Result<usize, Option<usize>>>, usize) {
        let mut batches = 0;
        let all = again(10, |group| {
            batches += 1;
            let over = group.iter().position(|number| deadly.contains(number));
            let end = over.map(|over| group[over]);
            let done = if at_once && end.is_some() { 0 } else { over.unwrap_or(group.len()) };
            Ok((group[..done].to_vec(), end))
        });
        (all.expect("no error"), batches)
    }

    #[test]
    fn whatever_ends_a_batch_costs_no_other() {
        for (deadly, at_once, batches) in [
            (&[][..], false, 1),
            (&[4], false, 3),
            (&[0], false, 7),
            (&[9], false, 2),
            (&[2, 3, 9], false, 8),
            (&[4], true, 9),
        ] {
            let (all, took) = come_of(deadly, at_once);
            for (number, outcome) in all.into_iter().enumerate() {
                let expected = if deadly.contains(&number) { Err(Some(number)) } else { Ok(number) };
                assert_eq!(outcome, expected, "{deadly:?}");
            }
            assert_eq!(took, batches, "{deadly:?}");
        }
    }
}
