//! `harness serve`: the machine as an executor of LLVM ORC's protocol.

mod connection;
mod listen;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args as ClapArgs;
use linker::Target;

use super::budget::{self, BudgetArgs};
use super::machine::{self, MachineArgs};
use crate::epc::{server, tcp};
use crate::executor::choice::Machine;
use crate::executor::{Budget, Choice, Executor};
use crate::exit::Usage;
use crate::host::Stream;
use crate::{exit, inputs, stdout, with_machine};

pub use connection::{Address, Connection};

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

llvm-jitlink starts its executor with CONNECTION alone: the program takes that word without `serve` in front, and what it \
has to know from the environment: LINKRIG_ARCH, LINKRIG_EXECUTOR, LINKRIG_BUDGET.")]
pub struct Args {
    /// Where the controller is: filedescs=IN,OUT (two inherited descriptors), socket:adopt=FD (an inherited socket),
    /// tcp:connect=HOST:PORT (it listens), tcp:listen=HOST:PORT or listen=HOST:PORT (as --listen)
    #[arg(
        value_parser = Connection::parse,
        conflicts_with = "listen",
        required_unless_present = "listen"
    )]
    pub connection: Option<Connection>,
    /// Wait for one controller at this address and serve it; the host is 127.0.0.1 unless given, and a port of 0 is any.
    ///
    /// The protocol knows no password: whoever can connect can run code in the machine, and fill its memory.
    #[arg(long, value_name = "HOST:PORT", value_parser = Address::parse)]
    pub listen: Option<Address>,
    /// Take an address that is not one of this machine alone, to listen at or to connect to. Whoever reaches it can run code in
    /// the machine and fill its memory
    #[arg(long)]
    pub allow_remote: bool,
    /// Where controllers call: go on for the next ones, each on a machine of its own
    #[arg(long)]
    pub keep: bool,
    /// With --keep: how many controllers are served at a time; others wait
    #[arg(long, value_name = "N", requires = "keep", default_value = "4")]
    pub connections: NonZeroUsize,
    /// Over TCP: seconds without a message after which a controller is done, once the program has run (0.5); 0 if it closes the
    /// connection itself, which LLVM 17 to 22 cannot
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub idle: Option<f64>,
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
    let connection = args.connection.clone().or_else(|| args.listen.clone().map(Connection::Listen));
    let connection = connection.ok_or_else(|| Usage("nothing says where the controller is".to_owned()))?;
    check_options(args, &connection)?;
    let addresses = match &connection {
        Connection::Connect(address) | Connection::Listen(address) => reachable(address, args.allow_remote)?,
        _ => Vec::new(),
    };
    let mut wanted = args.machine.clone();
    if wanted.executor.is_none() && wanted.image.is_none() {
        wanted.executor = std::env::var(EXECUTOR).ok();
    }
    let choice = wanted.choice()?.and_then(|choice| machine::start(&choice).map(|()| choice));
    let choice = match choice {
        Ok(choice) => choice,
        Err(refused) => return Ok(refused.say()),
    };
    let source = Source { choice: &choice, target, budget: args.budget.budget(budget::OUTPUT) };
    let idle = Some(args.idle.unwrap_or(IDLE)).filter(|idle| *idle > 0.0).map(Duration::from_secs_f64);
    match connection {
        Connection::Listen(_) => listen::serve(&source, &addresses, idle, args.keep.then_some(args.connections))?,
        Connection::Connect(_) => source.serve(&connection::connect(&addresses)?, idle)?,
        // Whoever starts us with a socket ends the connection itself, all versions that do.
        Connection::Socket(number) => source.serve(&connection::socket(number)?, None)?,
        Connection::Descriptors(from, to) => {
            let (from, to) = (connection::stream(from)?, connection::stream(to)?);
            with_machine!(&mut source.machine()?, machine => {
                source.prepare(&mut **machine);
                server::serve(&mut **machine, from, to, &mut report)?;
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
struct Source<'a> {
    choice: &'a Choice,
    target: &'static Target,
    budget: Budget,
}

impl Source<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_seconds() {
        assert!(seconds("0.25") == Ok(0.25) && seconds("-1").is_err() && seconds("nan").is_err());
    }
}
