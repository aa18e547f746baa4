//! The ways in which a controller and the server find each other, each with a process of its own: inherited descriptors, and TCP
//! in both directions.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use corpus::matrix::Family;
use harness::orc::sps::Expected;
use harness::orc::wire::{Message, Opcode};

use super::support::{Client, Ended, HARNESS, LIMIT, Objects, Process, jitlink, run};

const RESERVE: &str = "orc_rt_ci_sps_SimpleNativeMemoryMap_reserve";

/// A server started with these words, which has this as its standard input.
fn server(words: &[&str], input: impl Into<Stdio>) -> Process {
    let mut command = Command::new(HARNESS);
    command.args(words).stdin(input).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env_remove("LINKRIG_ARCH").env_remove("LINKRIG_EXECUTOR");
    Process::spawn(&mut command)
}

/// What a server that has ended complained of.
fn complaint(server: &mut Process) -> String {
    let mut err = String::new();
    server.0.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    err
}

/// Says something to a server, and goes.
fn visit(stream: UnixStream) {
    let mut client = Client::new(stream);
    assert!(client.call::<Expected<u64>>(RESERVE, &(0u64, 1u64)).0.is_ok());
}

/// A socket of TCP as any other.
fn any(stream: TcpStream) -> UnixStream {
    UnixStream::from(OwnedFd::from(stream))
}

/// llvm-jitlink after LLVM 23 leaves one end of a pair of sockets open. Between LLVM 23 and that, it was named as two descriptors.
#[test]
fn inherited_sockets_are_adopted() {
    for words in [&["socket:adopt=0"][..], &["serve", "socket:adopt=0", "--arch", "armv7"], &["filedescs=0,0"]] {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        let mut server = server(words, OwnedFd::from(theirs));
        visit(ours);
        assert_eq!(server.status(), 0, "{words:?}: {}", complaint(&mut server));
    }
}

/// The controller listens, and the server calls it.
#[test]
fn the_server_connects_to_its_controller() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    for word in [format!("tcp:connect=127.0.0.1:{port}"), format!("tcp:connect=localhost:{port}")] {
        let mut server = server(&[&word], Stdio::null());
        let (stream, _) = listener.accept().expect("it calls");
        visit(any(stream));
        assert_eq!(server.status(), 0, "{word}: {}", complaint(&mut server));
    }
    drop(listener);
    let mut server = server(&[&format!("tcp:connect=127.0.0.1:{port}")], Stdio::null());
    assert_eq!(server.status(), 69);
    let err = complaint(&mut server);
    assert!(err.contains(&format!("cannot connect to 127.0.0.1:{port}: ")), "{err}");
}

/// The controller calls, by the words of LLVM up to 23 and after it.
#[test]
fn the_server_listens() {
    for words in [&["listen=127.0.0.1:0"][..], &["tcp:listen=localhost:0"], &["serve", "tcp:listen=:0"]] {
        let mut server = server(words, Stdio::null());
        let mut line = String::new();
        let mut errors = BufReader::new(server.0.stderr.take().expect("a pipe"));
        errors.read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening at ").expect("where it listens");
        visit(any(TcpStream::connect(address).expect("it listens")));
        assert_eq!(server.status(), 0, "{words:?}");
    }
}

/// Copies what comes until it ends, and ends what it goes to.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// A stock llvm-jitlink, which cannot listen, with a server that calls: between the two is who listens to both.
#[test]
fn a_stock_controller_is_called() {
    let objects = Objects::new("aarch64");
    let source = "int puts(const char *); int main(void) { puts(\"called\"); return 7; }";
    let file = objects.make("main", source, Family::Clang, &["-O1"]);
    let [near, far] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [to_controller, to_server] = [&near, &far].map(|listener| listener.local_addr().expect("an address"));
    let mut server = server(&[&format!("tcp:connect={to_server}")], Stdio::null());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let [(server, _), (controller, _)] = [&far, &near].map(|listener| listener.accept().expect("it calls"));
            let copies = [&server, &controller].map(|stream| stream.try_clone().expect("a socket"));
            let [from_server, from_controller] = copies;
            std::thread::scope(|scope| {
                scope.spawn(move || pump(from_server, controller));
                scope.spawn(move || pump(from_controller, server));
            });
        });
        let connect = format!("--oop-executor-connect={to_controller}");
        let Ended { status, err, .. } = run(jitlink(objects.target).args([&connect, &file]));
        assert_eq!(status, 7, "{err}");
    });
    assert_eq!(server.status(), 0, "{}", complaint(&mut server));
}

#[test]
fn words_that_say_nothing_of_use() {
    let connect = |host: &str| format!("tcp:connect={host}:9");
    for (words, says) in [
        (&["filedescs=3"][..], "expected filedescs=IN,OUT"),
        (&["serve", "filedescs=3"], "expected filedescs=IN,OUT"),
        (&["socket:dial=3"], "`dial` is nothing that can be done with socket, expected adopt"),
        (&["tcp:connect=:9"], "expected tcp:connect=HOST:PORT"),
        (&["tcp:listen=here"], "expected HOST:PORT"),
        (&["serve", "pipe=3"], "`pipe` is no kind of connection, expected filedescs=IN,OUT, socket:adopt=FD"),
        (&["filedescs=98,99"], "descriptor 98 cannot be used, expected a pipe, a file or a socket"),
        (&["socket:adopt=99"], "descriptor 99 cannot be used, expected a connected socket"),
        (&["socket:adopt=0"], "descriptor 0 cannot be used, expected a connected socket: it is none"),
        (&["serve", "socket:adopt=0", "--keep"], "--keep means nothing with socket:adopt=0"),
        (&["serve", &connect("127.0.0.1"), "--keep"], "it is for an address to listen at"),
        (&["serve", "filedescs=0,1", "--idle", "1"], "--idle means nothing with filedescs=0,1"),
        (&["serve", "filedescs=0,1", "--allow-remote"], "--allow-remote means nothing"),
        // An address that other machines have takes a word of the user's, in all forms.
        (&["tcp:listen=0.0.0.0:0"], "can run code in the machine"),
        (&["listen=[::]:0"], "--allow-remote"),
        (&["serve", "tcp:listen=0.0.0.0:0"], "--allow-remote"),
        (&[&connect("192.0.2.1")], "192.0.2.1:9 is not an address of this machine alone"),
    ] {
        let Ended { status, err, .. } = run(Command::new(HARNESS).args(words));
        assert!(status == 2 && err.contains(says), "{words:?}: {status} {err}");
    }
}

/// One that is a socket, but no connection.
#[test]
fn sockets_that_nobody_is_at() {
    let mut listening = server(&["socket:adopt=0"], OwnedFd::from(TcpListener::bind("127.0.0.1:0").expect("a port")));
    assert_eq!(listening.status(), 2);
    let err = complaint(&mut listening);
    assert!(err.contains("expected a connected socket"), "{err}");
    // The controller is gone already, or goes in the midst of a message.
    for said in [&[][..], &[40, 0, 0]] {
        let (mut ours, theirs) = UnixStream::pair().expect("sockets");
        ours.set_read_timeout(Some(LIMIT)).expect("a socket");
        ours.write_all(said).expect("there is room");
        ours.shutdown(Shutdown::Write).expect("a socket");
        let mut server = server(&["socket:adopt=0"], OwnedFd::from(theirs));
        assert_eq!(server.status(), if said.is_empty() { 0 } else { 65 }, "{said:?}");
    }
    let mut child = Process::spawn(
        Command::new(HARNESS).arg("filedescs=0,1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()),
    );
    drop((child.0.stdin.take(), child.0.stdout.take()));
    assert_eq!(child.status(), 65);
}

/// Who says what makes no sense is told why before the connection ends, in the form that all versions read.
#[test]
fn a_controller_is_told_why() {
    let (mut ours, theirs) = UnixStream::pair().expect("sockets");
    let mut server = server(&["socket:adopt=0"], OwnedFd::from(theirs));
    ours.set_read_timeout(Some(LIMIT)).expect("a socket");
    assert!(Message::read(&mut ours).is_ok_and(|setup| setup.is_some()));
    ours.write_all(&[[32u64.to_le_bytes(), 9u64.to_le_bytes()].concat(), vec![0; 16]].concat()).expect("it listens");
    let told = Message::read(&mut ours).expect("a message").expect("one");
    assert_eq!((told.opcode, told.sequence, told.tag), (Opcode::Hangup, 0, 0));
    let harness::orc::sps::Error(why) = harness::orc::sps::decode(&told.payload).expect("an error");
    assert_eq!(why, Err("a message has opcode 9, expected 0 to 3".to_owned()));
    assert_eq!(server.status(), 65);
}
