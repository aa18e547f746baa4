//! Where a controller is: the words that LLVM's tools and people say it in.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use outside::inherited;

use crate::exit::{Unavailable, Usage};

/// How long to wait for somebody at the other end of a connection of ours.
const CONNECTING: Duration = Duration::from_secs(10);

/// What a connection can be, for messages.
const FORMS: &str =
    "filedescs=IN,OUT, socket:adopt=FD, tcp:connect=HOST:PORT, tcp:listen=HOST:PORT or listen=HOST:PORT";

/// Where the controller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Behind two inherited descriptors: the one that it writes to, and the one that it reads from. LLVM up to 23.
    Descriptors(u32, u32),
    /// Behind an inherited socket. LLVM after 23.
    Socket(u32),
    /// It listens, and is called. LLVM after 23.
    Connect(Address),
    /// It calls, and is waited for.
    Listen(Address),
}

/// A host and a port, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Connection {
    /// Whether a word is meant to say where a controller is: LLVM's tools start an executor with no other word.
    pub fn is_meant(word: &str) -> bool {
        let transport =
            word.split_once('=').map(|(left, _)| left.split_once(':').map_or(left, |(transport, _)| transport));
        transport.is_some_and(|transport| ["filedescs", "socket", "tcp", "listen"].contains(&transport))
    }

    /// Reads such a word.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Connection, String> {
        let (left, right) = text.split_once('=').ok_or_else(|| format!("expected {FORMS}"))?;
        let number = |text: &str| text.parse::<u32>().ok();
        match left {
            "filedescs" => {
                let numbers = right.split_once(',').and_then(|(from, to)| Some((number(from)?, number(to)?)));
                let (from, to) = numbers.ok_or("expected filedescs=IN,OUT with two numbers")?;
                Ok(Connection::Descriptors(from, to))
            }
            "socket:adopt" => {
                let descriptor = number(right).ok_or("expected socket:adopt=FD with the number of a descriptor")?;
                Ok(Connection::Socket(descriptor))
            }
            "tcp:connect" => match Address::parse(right)? {
                Address(text) if text.starts_with(':') || text.ends_with(":0") => {
                    Err("expected tcp:connect=HOST:PORT, with the host and the port that the controller listens at"
                        .to_owned())
                }
                address => Ok(Connection::Connect(address)),
            },
            "tcp:listen" | "listen" => Ok(Connection::Listen(Address::parse(right)?)),
            _ => match left.split_once(':') {
                Some((transport @ "socket", action)) => Err(wrong_action(transport, action, "adopt")),
                Some((transport @ "tcp", action)) => Err(wrong_action(transport, action, "connect or listen")),
                _ => Err(format!("`{left}` is no kind of connection, expected {FORMS}")),
            },
        }
    }
}

impl std::fmt::Display for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Connection::Descriptors(from, to) => write!(f, "filedescs={from},{to}"),
            Connection::Socket(descriptor) => write!(f, "socket:adopt={descriptor}"),
            Connection::Connect(Address(text)) => write!(f, "tcp:connect={text}"),
            Connection::Listen(Address(text)) => write!(f, "tcp:listen={text}"),
        }
    }
}

fn wrong_action(transport: &str, action: &str, expected: &str) -> String {
    format!("`{action}` is nothing that can be done with {transport}, expected {expected}")
}

impl Address {
    /// Reads `HOST:PORT`, or a port of this machine alone.
    pub fn parse(text: &str) -> Result<Address, String> {
        let wrong = || "expected HOST:PORT, for instance 127.0.0.1:5555 or localhost:5555".to_owned();
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        port.parse::<u16>().map_err(|_| wrong())?;
        // A literal of IPv6 has colons of its own, so it stands in brackets.
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.contains(':') && !bracketed || host.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Address(format!("{host}:{port}")))
    }

    /// The socket addresses that it stands for, at least one. Without a host it is this machine alone.
    pub fn resolve(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let Address(text) = self;
        if let Some(port) = text.strip_prefix(':').and_then(|port| port.parse().ok()) {
            return Ok(vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)]);
        }
        let found: Vec<SocketAddr> = match text.to_socket_addrs() {
            Ok(found) => found.collect(),
            Err(error) => return Err(Unavailable(format!("there is no address for {text}: {error}")).into()),
        };
        if found.is_empty() {
            return Err(Unavailable(format!("there is no address for {text}")).into());
        }
        Ok(found)
    }
}

/// Waits for controllers at the first of these that can be had.
pub(super) fn listen(addresses: &[SocketAddr]) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(addresses);
    listener.map_err(|error| Unavailable(format!("cannot listen at {}: {error}", shown(addresses))).into())
}

/// Calls the controller that waits at one of these.
pub(super) fn connect(addresses: &[SocketAddr]) -> anyhow::Result<TcpStream> {
    let mut why = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECTING) {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(Unavailable(format!("cannot connect to {}: {why}", shown(addresses))).into())
}

fn shown(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" or ")
}

/// An inherited descriptor to read from or write to: a pipe, a file or a socket.
pub(super) fn stream(number: u32) -> anyhow::Result<File> {
    let adopted = inherited::descriptor(number);
    adopted.map(File::from).map_err(|error| {
        let expected = "expected a pipe, a file or a socket that whoever started us left open";
        Usage(format!("descriptor {number} cannot be used, {expected}: {error}")).into()
    })
}

/// An inherited socket. It need not be one of TCP, whose functions work for any that is a stream.
pub(super) fn socket(number: u32) -> anyhow::Result<TcpStream> {
    let wrong = |why: String| Usage(format!("descriptor {number} cannot be used, expected a connected socket: {why}"));
    let adopted = inherited::descriptor(number).map_err(|error| wrong(error.to_string()))?;
    if !inherited::is_socket(&adopted).map_err(|error| wrong(error.to_string()))? {
        return Err(wrong("it is none".to_owned()).into());
    }
    let stream = TcpStream::from(adopted);
    // Of a pair of sockets it has no name, but the system knows whether there is another end.
    match stream.peer_addr() {
        Err(error) if error.kind() == std::io::ErrorKind::NotConnected => Err(wrong(error.to_string()).into()),
        _ => Ok(stream),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_where_a_controller_is() {
        let parsed = |text: &str| Connection::parse(text).map(|connection| connection.to_string());
        for (text, written) in [
            ("filedescs=3,12", "filedescs=3,12"),
            ("socket:adopt=5", "socket:adopt=5"),
            ("tcp:connect=localhost:20000", "tcp:connect=localhost:20000"),
            ("tcp:connect=[::1]:2", "tcp:connect=[::1]:2"),
            ("tcp:listen=:7", "tcp:listen=:7"),
            ("listen=127.0.0.1:0", "tcp:listen=127.0.0.1:0"),
        ] {
            assert!(Connection::is_meant(text), "{text}");
            assert_eq!(parsed(text).as_deref(), Ok(written), "{text}");
        }
        for (text, says) in [
            ("filedescs=3", "expected filedescs=IN,OUT"),
            ("filedescs=-1,2", "expected filedescs=IN,OUT"),
            ("socket:adopt=x", "expected socket:adopt=FD"),
            ("socket:dial=3", "`dial` is nothing that can be done with socket, expected adopt"),
            ("tcp:adopt=3", "expected connect or listen"),
            ("tcp:=3", "`` is nothing that can be done with tcp"),
            ("tcp=3", "`tcp` is no kind of connection"),
            ("tcp:connect=:5", "expected tcp:connect=HOST:PORT"),
            ("tcp:connect=here:0", "expected tcp:connect=HOST:PORT"),
            ("tcp:connect=here", "expected HOST:PORT"),
            ("tcp:listen=::1:5", "expected HOST:PORT"),
            ("listen=70000", "expected HOST:PORT"),
            ("3,4", "expected filedescs=IN,OUT, socket:adopt=FD"),
        ] {
            assert!(parsed(text).is_err_and(|why| why.contains(says)), "{text}: {:?}", parsed(text));
        }
        for word in ["aarch64/got", "R_ARM_CALL", "pipe=3", "--listen=5", "socket", "tcp:connect"] {
            assert!(!Connection::is_meant(word), "{word}");
        }
    }

    #[test]
    fn a_port_is_one_of_this_machine_alone() {
        let resolved = |text: &str| Address::parse(text).expect("an address").resolve().expect("it is known");
        for text in ["5", ":5", "127.0.0.1:5"] {
            assert_eq!(resolved(text), [SocketAddr::from(([127, 0, 0, 1], 5))], "{text}");
        }
        assert!(!resolved("0.0.0.0:5")[0].ip().is_loopback() && resolved("[::1]:5")[0].ip().is_loopback());
    }
}
