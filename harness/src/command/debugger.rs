//! The options by which a program is debugged, and the session around its run.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use outside::Scratch;

use crate::executor::Executor;
use crate::exit::{BadOutput, Unavailable, Usage};
use crate::gdb::{Knows, Listener, Over, PATIENCE};
use crate::linked::Linked;
use crate::machine::{Budget, Stop};
use crate::messages::quoted;
use crate::trace::{Close, Names, Trace, Written};

/// How a program is debugged.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct DebugArgs {
    /// Wait for gdb at this port of the loopback device (a free one if none is given) before the first instruction, for two
    /// minutes. Then its time does not count
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0", value_parser = port)]
    pub gdb: Option<u16>,
    /// Write each instruction that is executed into this file: its address, symbol, code and what it is
    #[arg(long, value_name = "FILE", conflicts_with = "gdb")]
    pub trace: Option<PathBuf>,
    /// Bytes that a trace may have: what is executed behind that is not in it
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = super::budget::bytes)]
    pub trace_limit: u64,
    /// Write the linked image into this directory: the program at its addresses, with symbols and debug information
    #[arg(long, value_name = "DIR")]
    pub save_dir: Option<PathBuf>,
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is not a port: write --gdb=PORT, or --gdb behind the other words"))
}

/// Where images are written, and the port.
#[derive(Debug)]
pub struct Debugger {
    listener: Option<Listener>,
    trace: Option<Trace>,
    /// Whether the image is wanted.
    is_saved: bool,
    directory: PathBuf,
    /// Where there is none that the user wants.
    _scratch: Option<Scratch>,
}

impl DebugArgs {
    /// Whether any of it is asked for.
    pub fn is_given(&self) -> bool {
        self.gdb.is_some() || self.trace.is_some() || self.save_dir.is_some()
    }

    /// What was asked for, if anything was. `elsewhere` is whether the program is to run on something else than the emulator.
    ///
    /// # Errors
    /// The port is not free, there is no such directory, or nothing can be debugged there.
    pub fn debugger(&self, elsewhere: bool) -> anyhow::Result<Option<Debugger>> {
        if self.gdb.is_none() && self.save_dir.is_none() && self.trace.is_none() {
            return Ok(None);
        }
        if self.trace.as_deref().is_some_and(|path| path.as_os_str() == "-") {
            let why = "--trace wants a file: standard output is the program's";
            return Err(Usage(why.to_owned()).into());
        }
        if self.trace.is_some() && elsewhere {
            return Err(Usage(
                "--trace is for programs on the embedded emulator: leave out --executor and --image".to_owned(),
            )
            .into());
        }
        if self.gdb.is_some() && elsewhere {
            return Err(Usage(
                "--gdb is for programs on the embedded emulator: leave out --executor and --image".to_owned(),
            )
            .into());
        }
        let scratch = if self.save_dir.is_none() && self.gdb.is_some() { Some(Scratch::new()?) } else { None };
        let directory = match (&self.save_dir, &scratch) {
            (Some(directory), _) => directory.clone(),
            (None, scratch) => scratch.as_ref().map(|scratch| scratch.path().to_owned()).unwrap_or_default(),
        };
        let is_saved = self.save_dir.is_some() || self.gdb.is_some();
        let unwritten = |path: &Path, error| BadOutput(format!("{}: {error}", path.display()));
        if is_saved {
            std::fs::create_dir_all(&directory).map_err(|error| unwritten(&directory, error))?;
        }
        let create = |path: &PathBuf| Trace::create(path, self.trace_limit).map_err(|error| unwritten(path, error));
        let trace = self.trace.as_ref().map(create).transpose()?;
        let listen = |port| {
            Listener::at(port).map_err(|error| Unavailable(format!("port {port} cannot be listened at: {error}")))
        };
        let listener = self.gdb.map(listen).transpose()?;
        Ok(Some(Debugger { listener, trace, is_saved, directory, _scratch: scratch }))
    }

    /// The budget of a program: while it is debugged its time does not count.
    pub fn budget(&self, budget: Budget) -> Budget {
        if self.gdb.is_some() { Budget { time: std::time::Duration::MAX, ..budget } } else { budget }
    }
}

impl Debugger {
    /// Where the image of a program of this name is written.
    pub fn image(&self, name: &str) -> PathBuf {
        let stem = Path::new(name).file_stem().map_or("program".into(), |stem| stem.to_string_lossy());
        self.directory.join(format!("{stem}.elf"))
    }

    /// Whether the image is to be written.
    pub fn wants_image(&self) -> bool {
        self.is_saved
    }

    /// Who is to attend the program. Says what to type where that is a debugger.
    pub fn attendance(&mut self, image: &Path) -> Attendance {
        if let Some(listener) = self.announce(image) {
            return Attendance::Debugger(listener);
        }
        self.trace.take().map_or(Attendance::Nobody, Attendance::Trace)
    }

    fn announce(&mut self, image: &Path) -> Option<Listener> {
        let listener = self.listener.take();
        if !self.is_saved {
            return None;
        }
        let image = quoted(&image.display().to_string());
        match &listener {
            None => note!("image: {image}"),
            Some(listener) => note!(
                "waiting {} s for a debugger:\n  gdb-multiarch {image} -ex 'target remote :{}'",
                PATIENCE.as_secs(),
                listener.port()
            ),
        }
        listener
    }
}

/// Who attends a program.
#[derive(Debug)]
pub enum Attendance {
    /// Nobody.
    Nobody,
    /// A debugger that calls here.
    Debugger(Listener),
    /// What writes this.
    Trace(Trace),
}

/// Completes a trace, and says what there is to say of it. A trace that could not be written costs nothing of the run.
pub fn finish(trace: Close) {
    let (path, limit) = (trace.path().display().to_string(), trace.limit());
    match trace.finish() {
        Err(error) => crate::messages::error(&format!("{path}: {error}: the trace is not whole")),
        Ok(Written { instructions, cut: true }) => note!(
            "note: {path} has the first {instructions} instructions, which are {limit} bytes: --trace-limit BYTES allows more"
        ),
        Ok(_) => {}
    }
}

/// Runs a program on a machine, with a debugger if one is waited for. `end` says of what came of it how the program ended, and by
/// which stop.
///
/// # Errors
/// The machine cannot be debugged.
pub fn attended<E: Executor, T>(
    machine: &mut E,
    attendance: Attendance,
    linked: &Linked<'_>,
    known: &dyn Knows,
    run: impl FnOnce(&mut E) -> T,
    end: impl FnOnce(&T) -> (Option<Stop>, Over),
) -> anyhow::Result<T> {
    let listener = match attendance {
        Attendance::Nobody => return Ok(run(machine)),
        Attendance::Debugger(listener) => listener,
        Attendance::Trace(trace) => {
            let host = machine.host();
            let functions: Vec<(String, u64)> =
                host.names().filter_map(|name| Some((name.to_owned(), host.lookup(name)?))).collect();
            let (tracer, close) = trace.begin(linked, Names::of(linked, functions));
            machine.attend(Box::new(tracer)).map_err(|error| Usage(format!("--trace: {error}")))?;
            let ran = run(machine);
            finish(close);
            return Ok(ran);
        }
    };
    let (server, desk, bell) = listener.session(machine.info(), false);
    machine.attend(Box::new(desk)).map_err(|error| Usage(format!("--gdb: {error}")))?;
    Ok(std::thread::scope(|scope| {
        scope.spawn(|| server.serve(known));
        let ran = run(machine);
        let (stop, over) = end(&ran);
        if let Some(stop) = stop {
            machine.conclude(&stop);
        }
        bell.ring(over);
        ran
    }))
}
