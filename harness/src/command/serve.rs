//! `harness serve`: the machine as an executor of LLVM ORC's protocol.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use linker::Target;

use super::budget::{self, BudgetArgs};
use super::machine::{self, MachineArgs};
use crate::epc::{server, tcp};
use crate::executor::choice::Machine;
use crate::executor::{Budget, Choice, Executor};
use crate::exit::{Unavailable, Usage};
use crate::host::Stream;
use crate::{contained, exit, inputs, stdout, with_machine};

/// The executor for those who cannot say it on the command line.
const EXECUTOR: &str = "LINKRIG_EXECUTOR";

/// Options of `serve`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
EXAMPLES:
  LINKRIG_ARCH=armv7 llvm-jitlink --oop-executor=target/debug/harness main.o -args a b
  harness serve --listen 127.0.0.1:5555 --arch aarch64 --executor raspi3b &
  llvm-jitlink --oop-executor-connect=127.0.0.1:5555 main.o

llvm-jitlink starts its executor with `filedescs=IN,OUT` alone: the program takes that word without `serve` in front, \
and what it has to know from the environment: LINKRIG_ARCH, LINKRIG_EXECUTOR, LINKRIG_BUDGET.")]
pub struct Args {
    /// The descriptors to read from and write to, which have to be pipes
    #[arg(value_name = "filedescs=IN,OUT", value_parser = descriptors, conflicts_with = "listen")]
    pub descriptors: Option<Descriptors>,
    /// Wait for one controller at this address and serve it; the address is 127.0.0.1 unless given, and a port of 0 is any.
    ///
    /// The protocol knows no password: whoever can connect can run code in the machine, and fill its memory.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, required_unless_present = "descriptors")]
    pub listen: Option<SocketAddr>,
    /// With --listen: let other machines connect, where the address is not one of this machine alone. Whoever reaches it can
    /// run code in the machine and fill its memory
    #[arg(long, requires = "listen")]
    pub allow_remote: bool,
    /// With --listen: go on for the next ones, each on a machine of its own
    #[arg(long, requires = "listen")]
    pub keep: bool,
    /// With --keep: how many controllers are served at a time; others wait
    #[arg(long, value_name = "N", requires = "keep", default_value = "4")]
    pub connections: NonZeroUsize,
    /// With --listen: seconds without a message after which a controller is done, once the program has run; 0 if it closes the
    /// connection itself, which LLVM 17 to 22 cannot
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, requires = "listen", value_parser = seconds)]
    pub idle: f64,
    /// Target
    #[arg(long, value_name = "A", env = "LINKRIG_ARCH", default_value = "aarch64")]
    pub arch: String,
    /// What each call may take
    #[command(flatten)]
    pub budget: BudgetArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Inherited descriptors, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// What the controller writes to.
    pub from: u32,
    /// What it reads from.
    pub to: u32,
}

fn descriptors(text: &str) -> Result<Descriptors, String> {
    let numbers = text.strip_prefix("filedescs=").and_then(|numbers| numbers.split_once(','));
    let parsed = numbers.and_then(|(from, to)| Some(Descriptors { from: from.parse().ok()?, to: to.parse().ok()? }));
    parsed.ok_or_else(|| "expected filedescs=IN,OUT with two numbers".to_owned())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    port.or_else(|_| text.parse()).map_err(|_| "expected ADDRESS:PORT, for instance 127.0.0.1:5555".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds.filter(|seconds| (0.0..=3600.0).contains(seconds)).ok_or_else(|| "expected 0 to 3600 seconds".to_owned())
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let target = inputs::target(&args.arch)?;
    if let Some(address) = args.listen
        && !address.ip().is_loopback()
    {
        if !args.allow_remote {
            let why =
                "whoever reaches it can run code in the machine and fill its memory, as the protocol knows no password";
            return Err(Usage(format!(
                "{address} is not an address of this machine alone: {why}; expected one as 127.0.0.1, or --allow-remote"
            ))
            .into());
        }
        note!("warning: whoever reaches {address} can run code in the machine and fill its memory");
    }
    let mut wanted = args.machine.clone();
    if wanted.executor.is_none() && wanted.image.is_none() {
        wanted.executor = std::env::var(EXECUTOR).ok();
    }
    let choice = wanted.choice()?.and_then(|choice| machine::start(&choice).map(|()| choice));
    let choice = match choice {
        Ok(choice) => choice,
        Err(refused) => return Ok(refused.say()),
    };
    let place = Place { choice: &choice, target, budget: args.budget.budget(budget::OUTPUT) };
    match (args.listen, args.descriptors) {
        (Some(address), _) => listen(&place, address, args)?,
        (None, Some(Descriptors { from, to })) => {
            let to = inherited(to, |path| OpenOptions::new().write(true).open(path))?;
            let from = inherited(from, |path| File::open(path))?;
            with_machine!(&mut place.machine()?, machine => {
                place.prepare(&mut **machine);
                server::serve(&mut **machine, from, to, &mut report)?;
            });
        }
        (None, None) => bail!("neither filedescs=IN,OUT nor --listen says where the controller is"),
    }
    Ok(exit::OK)
}

/// Where machines for controllers come from.
struct Place<'a> {
    choice: &'a Choice,
    target: &'static Target,
    budget: Budget,
}

impl Place<'_> {
    fn machine(&self) -> anyhow::Result<Machine> {
        self.choice.own_source().machine(self.target).map_err(anyhow::Error::msg)
    }

    fn prepare<E: Executor>(&self, machine: &mut E) {
        machine.set_budget(self.budget);
        machine.host_mut().set_sink(Box::new(print));
    }

    /// Serves one controller on a machine of its own.
    fn serve(&self, stream: &TcpStream, idle: Option<Duration>) -> anyhow::Result<()> {
        with_machine!(&mut self.machine()?, machine => {
            self.prepare(&mut **machine);
            Ok(tcp::serve(&mut **machine, stream, idle, &mut report)?)
        })
    }
}

/// What the program prints is seen when it is printed; if nobody looks, that is no error of the program's.
fn print(stream: Stream, text: &[u8]) -> std::io::Result<()> {
    match stream {
        Stream::Out => {
            stdout::raw(text);
            let _ = std::io::stdout().flush();
        }
        Stream::Error => {
            let _ = std::io::stderr().write_all(text);
        }
    }
    Ok(())
}

/// What goes wrong is said; if nobody listens, that is no error either.
fn report(why: &str) {
    note!("error: {why}");
}

/// How long to wait when the system has no room for another connection.
const CROWDED: Duration = Duration::from_millis(100);

/// One controller, or, with `--keep`, one after the other and some beside each other, each on a machine of its own.
fn listen(place: &Place<'_>, address: SocketAddr, args: &Args) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(address).map_err(|error| Unavailable(format!("cannot listen at {address}: {error}")))?;
    // Not to standard output, which is the program's.
    note!("listening at {}", listener.local_addr()?);
    let idle = (args.idle > 0.0).then(|| Duration::from_secs_f64(args.idle));
    if !args.keep {
        let (stream, peer) = listener.accept().with_context(|| format!("cannot listen at {address}"))?;
        return place.serve(&stream, idle).with_context(|| format!("controller at {peer}"));
    }
    let (free, is_free) = (Mutex::new(args.connections.get()), Condvar::new());
    let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        loop {
            // Who comes when there is no machine for it waits before it is let in.
            let guard = is_free.wait_while(free(), |free| *free == 0);
            *guard.unwrap_or_else(PoisonError::into_inner) -= 1;
            let (stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    report(&format!("a connection is lost: {error}"));
                    std::thread::sleep(CROWDED);
                    *free() += 1;
                    continue;
                }
            };
            let (free, is_free) = (&free, &is_free);
            scope.spawn(move || {
                let served = contained::contain(|| place.serve(&stream, idle));
                if let Err(error) = served.map_err(anyhow::Error::msg).and_then(|served| served) {
                    report(&format!("controller at {peer}: {error:#}"));
                }
                *free() += 1;
                is_free.notify_one();
            });
        }
    })
}

/// An inherited descriptor, opened anew by the name that the system has for it: that needs no `unsafe`, but works for pipes
/// only.
fn inherited(descriptor: u32, open: impl FnOnce(&str) -> std::io::Result<File>) -> anyhow::Result<File> {
    let path = format!("/dev/fd/{descriptor}");
    // Opening one end of a pipe waits for somebody at the other, who may be gone already. So both are open for a moment.
    let _both = OpenOptions::new().read(true).write(true).open(&path);
    open(&path).map_err(|error| {
        let expected = "expected a pipe (for sockets there is --listen)";
        Usage(format!("descriptor {descriptor} cannot be opened, {expected}: {error}")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_line() {
        assert_eq!(descriptors("filedescs=3,12"), Ok(Descriptors { from: 3, to: 12 }));
        for wrong in ["filedescs=3", "filedescs=a,b", "filedescs=-1,2", "3,4"] {
            assert!(descriptors(wrong).is_err(), "{wrong}");
        }
        assert_eq!(address("127.0.0.1:5"), Ok(SocketAddr::from(([127, 0, 0, 1], 5))));
        assert_eq!(address("5"), Ok(SocketAddr::from(([127, 0, 0, 1], 5))));
        assert!(address("somewhere:5").is_err() && address("70000").is_err());
        assert!(seconds("0.25") == Ok(0.25) && seconds("-1").is_err() && seconds("nan").is_err());
    }
}
