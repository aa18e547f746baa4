//! `harness serve`: the machine as an executor of LLVM ORC's protocol.

mod connection;
mod listen;
mod luck;
mod sweep;

use std::ffi::OsString;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args as ClapArgs;
use linker::Target;

use super::budget::{self, BudgetArgs};
use super::machine::{self, MachineArgs};
use crate::epc::place::{Policy, Terms};
use crate::epc::{server, tcp};
use crate::executor::choice::Machine;
use crate::executor::{Budget, Choice, Executor};
use crate::exit::Usage;
use crate::host::{Sink, Stream};
use crate::{exit, inputs, stdout, with_machine};

pub use connection::{Address, Connection};
pub use luck::Luck;

/// The executor for those who cannot say it on the command line.
const EXECUTOR: &str = "LINKRIG_EXECUTOR";

/// Seconds without a message after which a controller that calls, or is called, is done.
const IDLE: f64 = 0.5;

/// Options of `serve`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
EXAMPLES:
  LINKRIG_ARCH=armv7 llvm-jitlink --oop-executor=target/debug/harness main.o -args a b
  harness serve --listen 127.0.0.1:5555 --arch aarch64 --executor raspi3b &
  llvm-jitlink --oop-executor-connect=127.0.0.1:5555 main.o

After LLVM 23:
  LINKRIG_ARCH=armv7 llvm-jitlink -oop-launch=target/debug/harness main.o
  llvm-jitlink -oop-launch=target/debug/harness -oop-connect=tcp:listen=127.0.0.1:0 main.o

The luck of an address space, and the smallest distance at which the controller's command no longer does the same:
  LINKRIG_PLACE=random llvm-jitlink --oop-executor=target/debug/harness main.o sum.o
  harness serve --place sweep -- llvm-jitlink --oop-executor=target/debug/harness main.o sum.o
  harness serve --place sweep -- llvm-jitlink --oop-executor-connect={address} main.o sum.o

llvm-jitlink starts its executor with CONNECTION alone: the program takes that word without `serve` in front, and what it \
has to know from the environment: LINKRIG_ARCH, LINKRIG_EXECUTOR, LINKRIG_BUDGET, LINKRIG_PLACE, LINKRIG_PAGE_SIZE.")]
pub struct Args {
    /// Where the controller is: filedescs=IN,OUT (two inherited descriptors), socket:adopt=FD (an inherited socket),
    /// tcp:connect=HOST:PORT (it listens), tcp:listen=HOST:PORT or listen=HOST:PORT (as --listen)
    #[arg(
        value_parser = Connection::parse,
        conflicts_with_all = ["listen", "command"],
        required_unless_present_any = ["listen", "command"]
    )]
    pub connection: Option<Connection>,
    /// Wait for one controller at this address and serve it; the host is 127.0.0.1 unless given, and a port of 0 is any.
    ///
    /// The protocol knows no password: whoever can connect can run code in the machine, and fill its memory.
    #[arg(long, value_name = "HOST:PORT", value_parser = Address::parse, conflicts_with = "command")]
    pub listen: Option<Address>,
    /// Take an address that is not one of this machine alone, to listen at or to connect to. Whoever reaches it can run code in
    /// the machine and fill its memory
    #[arg(long, conflicts_with = "command")]
    pub allow_remote: bool,
    /// Where controllers call: go on for the next ones, each on a machine of its own
    #[arg(long, conflicts_with = "command")]
    pub keep: bool,
    /// With --keep: how many controllers are served at a time; others wait
    #[arg(long, value_name = "N", requires = "keep", default_value = "4")]
    pub connections: NonZeroUsize,
    /// Over TCP: seconds without a message after which a controller is done, once the program has run (0.5); 0 if it closes the
    /// connection itself, which LLVM 17 to 22 cannot
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub idle: Option<f64>,
    /// Where memory that the controller reserves is: near (beside each other, if nothing else is said), far, random (which prints its
    /// seed), random:SEED, straddle (across multiples of 2 GiB), top, scatter, reuse, distance:BYTES, or sweep, which runs COMMAND at
    /// growing distances
    #[arg(long, value_name = "PLACE", env = "LINKRIG_PLACE", default_value = "near")]
    pub place: Luck,
    /// The size of a page that the controller is told: 4K, 16K or 64K
    #[arg(long, value_name = "BYTES", env = "LINKRIG_PAGE_SIZE", value_parser = luck::page_size)]
    pub page_size: Option<u64>,
    /// With --place sweep: the controller's command, run again and again. `{address}` in its words becomes the address at which it is
    /// waited for; without one it has to start its executor itself
    #[arg(last = true)]
    pub command: Vec<OsString>,
    /// Target
    #[arg(long, value_name = "A", env = "LINKRIG_ARCH", default_value = "aarch64")]
    pub arch: String,
    /// What each call may take
    #[command(flatten)]
    pub budget: BudgetArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds.filter(|seconds| (0.0..=3600.0).contains(seconds)).ok_or_else(|| "expected 0 to 3600 seconds".to_owned())
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let target = inputs::target(&args.arch)?;
    let place = match (args.place, args.command.is_empty()) {
        (Luck::Sweep, true) => {
            let why = "--place sweep runs a controller again and again, and wants its command behind --";
            return Err(Usage(why.to_owned()).into());
        }
        (Luck::Sweep, false) => Policy::default(),
        (Luck::Policy(_) | Luck::Random, false) => {
            let why =
                "a command behind -- is for --place sweep; without it, the controller is started by somebody else";
            return Err(Usage(why.to_owned()).into());
        }
        (Luck::Policy(place), true) => place,
        (Luck::Random, true) => luck::draw(),
    };
    let connection = args.connection.clone().or_else(|| args.listen.clone().map(Connection::Listen));
    let mut addresses = Vec::new();
    if let Some(connection) = &connection {
        check_options(args, connection)?;
        if let Connection::Connect(address) | Connection::Listen(address) = connection {
            addresses = reachable(address, args.allow_remote)?;
        }
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
    let terms = Terms { place, page_size: args.page_size };
    let source = Source { choice: &choice, target, budget: args.budget.budget(budget::OUTPUT), terms };
    let idle = Some(args.idle.unwrap_or(IDLE)).filter(|idle| *idle > 0.0).map(Duration::from_secs_f64);
    let Some(connection) = connection else {
        return sweep::sweep(&source, args);
    };
    match connection {
        Connection::Listen(_) => listen::serve(&source, &addresses, idle, args.keep.then_some(args.connections))?,
        Connection::Connect(_) => source.serve(&connection::connect(&addresses)?, idle)?,
        // Whoever starts us with a socket ends the connection itself, all versions that do.
        Connection::Socket(number) => source.serve(&connection::socket(number)?, None)?,
        Connection::Descriptors(from, to) => {
            let (from, to) = (connection::stream(from)?, connection::stream(to)?);
            with_machine!(&mut source.machine()?, machine => {
                source.prepare(&mut **machine, Box::new(print));
                server::serve(&mut **machine, terms, from, to, &mut report)?;
            });
        }
    }
    Ok(exit::OK)
}

/// Options that mean nothing for this kind of connection are refused.
fn check_options(args: &Args, connection: &Connection) -> Result<(), Usage> {
    let over_tcp = matches!(connection, Connection::Listen(_) | Connection::Connect(_));
    let called = matches!(connection, Connection::Listen(_));
    for (given, means, option, wanted) in [
        (args.keep, called, "--keep", "an address to listen at"),
        (args.idle.is_some(), over_tcp, "--idle", "a connection over TCP"),
        (args.allow_remote, over_tcp, "--allow-remote", "a connection over TCP"),
    ] {
        if given && !means {
            return Err(Usage(format!("{option} means nothing with {connection}, it is for {wanted}")));
        }
    }
    Ok(())
}

/// What an address stands for, where it is one of this machine alone or the user has said that it need not be.
fn reachable(address: &Address, allow_remote: bool) -> anyhow::Result<Vec<SocketAddr>> {
    let addresses = address.resolve()?;
    if let Some(remote) = addresses.iter().find(|address| !address.ip().is_loopback()) {
        if !allow_remote {
            let why =
                "whoever reaches it can run code in the machine and fill its memory, as the protocol knows no password";
            return Err(Usage(format!(
                "{remote} is not an address of this machine alone: {why}; expected one as 127.0.0.1, or --allow-remote"
            ))
            .into());
        }
        note!("warning: whoever reaches {remote} can run code in the machine and fill its memory");
    }
    Ok(addresses)
}

/// Where machines for controllers come from.
#[derive(Clone, Copy)]
struct Source<'a> {
    choice: &'a Choice,
    target: &'static Target,
    budget: Budget,
    terms: Terms,
}

impl Source<'_> {
    fn machine(&self) -> anyhow::Result<Machine> {
        self.choice.own_source().machine(self.target).map_err(anyhow::Error::msg)
    }

    fn prepare<E: Executor>(&self, machine: &mut E, sink: Sink) {
        machine.set_budget(self.budget);
        machine.host_mut().set_sink(sink);
    }

    /// Serves one controller on a machine of its own.
    fn serve(&self, stream: &TcpStream, idle: Option<Duration>) -> anyhow::Result<()> {
        self.serve_to(stream, idle, Box::new(print))
    }

    /// The same, with what the program prints going elsewhere.
    fn serve_to(&self, stream: &TcpStream, idle: Option<Duration>, sink: Sink) -> anyhow::Result<()> {
        with_machine!(&mut self.machine()?, machine => {
            self.prepare(&mut **machine, sink);
            Ok(tcp::serve(&mut **machine, self.terms, stream, idle, &mut report)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_seconds() {
        assert!(seconds("0.25") == Ok(0.25) && seconds("-1").is_err() && seconds("nan").is_err());
    }
}
