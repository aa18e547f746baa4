//! The options by which a program is debugged, and the session around its run.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use outside::Scratch;

use crate::executor::Executor;
use crate::exit::{BadOutput, Unavailable, Usage};
use crate::gdb::{Knows, Listener, Over, PATIENCE};
use crate::machine::{Budget, Stop};
use crate::messages::quoted;

/// How a program is debugged.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct DebugArgs {
    /// Wait for gdb at this port of the loopback device (a free one if none is given) before the first instruction, for two
    /// minutes. Then its time does not count
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0", value_parser = port)]
    pub gdb: Option<u16>,
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
    directory: PathBuf,
    /// Where there is none that the user wants.
    _scratch: Option<Scratch>,
}

impl DebugArgs {
    /// What was asked for, if anything was. `elsewhere` is whether the program is to run on something else than the emulator.
    ///
    /// # Errors
    /// The port is not free, there is no such directory, or nothing can be debugged there.
    pub fn debugger(&self, elsewhere: bool) -> anyhow::Result<Option<Debugger>> {
        if self.gdb.is_none() && self.save_dir.is_none() {
            return Ok(None);
        }
        if self.gdb.is_some() && elsewhere {
            return Err(Usage(
                "--gdb is for programs on the embedded emulator: leave out --executor and --image".to_owned(),
            )
            .into());
        }
        let scratch = if self.save_dir.is_none() { Some(Scratch::new()?) } else { None };
        let directory = match (&self.save_dir, &scratch) {
            (Some(directory), _) => directory.clone(),
            (None, scratch) => scratch.as_ref().map(|scratch| scratch.path().to_owned()).unwrap_or_default(),
        };
        std::fs::create_dir_all(&directory).map_err(|error| BadOutput(format!("{}: {error}", directory.display())))?;
        let listen = |port| {
            Listener::at(port).map_err(|error| Unavailable(format!("port {port} cannot be listened at: {error}")))
        };
        let listener = self.gdb.map(listen).transpose()?;
        Ok(Some(Debugger { listener, directory, _scratch: scratch }))
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

    /// Says what to type, and takes the port.
    pub fn announce(&mut self, image: &Path) -> Option<Listener> {
        let listener = self.listener.take();
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

/// Runs a program on a machine, with a debugger if one is waited for. `end` says of what came of it how the program ended, and by
/// which stop.
///
/// # Errors
/// The machine cannot be debugged.
pub fn attended<E: Executor, T>(
    machine: &mut E,
    listener: Option<Listener>,
    known: &dyn Knows,
    run: impl FnOnce(&mut E) -> T,
    end: impl FnOnce(&T) -> (Option<Stop>, Over),
) -> anyhow::Result<T> {
    let Some(listener) = listener else { return Ok(run(machine)) };
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
