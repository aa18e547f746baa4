//! Things that the tests of the protocol share: objects, processes that end, llvm-jitlink, and a controller of their own.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use corpus::matrix::Family;
use harness::epc::place::Terms;
use harness::epc::server::serve;
use harness::executor::{Executor, Unicorn};
use harness::oracle::Peer;
use harness::orc::Setup;
use harness::orc::error::ServeError;
use harness::orc::sps::{self, Decode, Encode};
use harness::orc::wire::{Message, Opcode};
use linker::Target;
use object::{Object, ObjectSection, ObjectSymbol};

/// Far above what any of it takes, and what a hang ends at.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn target(name: &str) -> &'static Target {
    Target::named(name).expect("a target")
}

/// Objects of one target, made on demand.
pub(crate) struct Objects {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) target: &'static Target,
    pub(crate) toolchains: corpus::toolchain::Toolchains,
}

impl Objects {
    pub(crate) fn new(name: &str) -> Objects {
        let dir = tempfile::tempdir().expect("a directory");
        Objects { dir, target: target(name), toolchains: corpus::toolchain::Toolchains::discover() }
    }

    pub(crate) fn make(&self, name: &str, source: &str, family: Family, flags: &[&str]) -> String {
        let path = self.dir.path().join(name).with_extension("c");
        std::fs::write(&path, source).expect("written");
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let data = corpus::build::compile_file(&path, self.target, Some(family), &flags, &self.toolchains);
        let object = path.with_extension("o");
        std::fs::write(&object, data.expect("it compiles")).expect("written");
        object.to_str().expect("a text path").to_owned()
    }
}

/// A process that does not outlive its test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Process {
        Process(command.spawn().expect("the program starts"))
    }

    /// Its status, once it has ended.
    pub(crate) fn status(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a process of ours") {
                return status.code().expect("ended by itself");
            }
            assert!(start.elapsed() < LIMIT, "out of time");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a program to its end. Files and not pipes: who inherits a pipe keeps it open.
pub(crate) fn run(command: &mut Command) -> Ended {
    let [mut out, mut err] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    command.stdin(Stdio::null()).stdout(out.try_clone().expect("a file")).stderr(err.try_clone().expect("a file"));
    let status = Process::spawn(command).status();
    let text = |file: &mut std::fs::File| {
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("text");
        text
    };
    Ended { status, out: text(&mut out), err: text(&mut err) }
}

pub(crate) fn jitlink(target: &'static Target) -> Command {
    Command::new(Peer::Jitlink.find(target).expect("llvm-jitlink is installed"))
}

pub(crate) const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// What llvm-jitlink sends in a session.
pub(crate) fn record(objects: &Objects) -> Vec<u8> {
    let file = objects.make("main", "int main(void) { return 7; }", Family::Clang, &["-O1"]);
    let [session, script] = ["session", "executor"].map(|name| objects.dir.path().join(name));
    let words = "in=${1#filedescs=}; out=${in#*,}; in=${in%,*}";
    let text =
        format!("#!/bin/sh\n{words}\neval \"tee '{}' <&$in\" | '{HARNESS}' filedescs=0,$out\n", session.display());
    std::fs::write(&script, text).expect("written");
    run(Command::new("chmod").arg("+x").arg(&script));
    let Ended { status, err, .. } = run(jitlink(objects.target)
        .arg(format!("--oop-executor={}", script.display()))
        .arg(file)
        .env("LINKRIG_ARCH", objects.target.name));
    assert_eq!(status, 7, "{err}");
    std::fs::read(session).expect("a session")
}

/// A machine for a target of the table.
pub(crate) fn machine(name: &str) -> Unicorn {
    Unicorn::new(target(name)).expect("a machine")
}

/// A controller that says what it is told to.
pub(crate) struct Client {
    stream: UnixStream,
    pub(crate) setup: Setup,
    symbols: HashMap<String, u64>,
    sequence: u64,
    /// All it said.
    pub(crate) said: Vec<u8>,
}

impl Client {
    /// A controller at one end of a connection. Of TCP, too, once it is an [`std::os::fd::OwnedFd`]: it is a socket like any other.
    pub(crate) fn new(mut stream: UnixStream) -> Client {
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        let message = Message::read(&mut stream).expect("a message").expect("one");
        assert_eq!((message.opcode, message.sequence, message.tag), (Opcode::Setup, 0, 0));
        let setup: Setup = sps::decode(&message.payload).expect("a set-up");
        let symbols = setup.symbols.iter().cloned().collect();
        Client { stream, setup, symbols, sequence: 0, said: Vec::new() }
    }

    /// The address of one of the executor's own symbols.
    pub(crate) fn symbol(&self, name: &str) -> u64 {
        *self.symbols.get(name).unwrap_or_else(|| panic!("{name} is not offered"))
    }

    pub(crate) fn say(&mut self, message: &Message) {
        message.write(&mut self.said).expect("a vector");
        message.write(&mut self.stream).expect("a message goes out");
    }

    /// The answer to a call of any function, as it comes.
    pub(crate) fn raw(&mut self, function: u64, arguments: Vec<u8>) -> Vec<u8> {
        let sequence = self.sequence;
        self.sequence += 1;
        self.say(&Message::call(sequence, function, arguments));
        let answer = Message::read(&mut self.stream).expect("a message").expect("an answer");
        assert_eq!((answer.opcode, answer.sequence, answer.tag), (Opcode::Result, sequence, 0));
        answer.payload
    }

    /// Calls one of the executor's own functions.
    pub(crate) fn call<R: for<'a> Decode<'a>>(&mut self, name: &str, arguments: &impl Encode) -> R {
        let answer = self.raw(self.symbol(name), sps::encode(arguments));
        sps::decode(&answer).unwrap_or_else(|error| panic!("{name}: {error}: {answer:?}"))
    }
}

/// What came of a session for the server.
pub(crate) struct Served {
    /// What the machine printed.
    pub(crate) printed: String,
    /// What the controller could not be told.
    pub(crate) reported: Vec<String>,
    pub(crate) ended: Result<(), ServeError>,
}

impl Served {
    /// It ended well.
    pub(crate) fn well(self) -> Served {
        assert!(self.ended.is_ok(), "{:?}", self.ended);
        self
    }
}

/// Serves this controller on a machine.
pub(crate) fn session(target: &str, controller: impl FnOnce(Client)) -> Served {
    session_with(target, Terms::default(), controller)
}

/// The same, with memory given as the terms say.
pub(crate) fn session_with(target: &str, terms: Terms, controller: impl FnOnce(Client)) -> Served {
    let (ours, theirs) = UnixStream::pair().expect("sockets");
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            let mut machine = machine(target);
            let mut reported = Vec::new();
            let ended = serve(&mut machine, terms, &theirs, &theirs, &mut |why| reported.push(why.to_owned()));
            let printed = String::from_utf8_lossy(machine.host().printed()).into_owned();
            Served { printed, reported, ended }
        });
        controller(Client::new(ours));
        server.join().expect("no panic")
    })
}

/// Code without relocations, and where its functions are.
pub(crate) struct Code {
    pub(crate) bytes: Vec<u8>,
    functions: HashMap<String, u64>,
}

impl Code {
    pub(crate) fn compile(objects: &Objects, source: &str) -> Code {
        let path = objects.make("code", source, Family::Clang, &["-O1"]);
        let data = std::fs::read(path).expect("an object");
        let file = object::File::parse(data.as_slice()).expect("an object");
        let text = file.section_by_name(".text").expect("code");
        assert_eq!(text.relocations().count(), 0);
        let name = |symbol: object::Symbol<'_, '_>| Some((symbol.name().ok()?.to_owned(), symbol.address()));
        Code { bytes: text.data().expect("code").to_vec(), functions: file.symbols().filter_map(name).collect() }
    }

    /// How far from its beginning a function is, with the Thumb bit.
    pub(crate) fn at(&self, function: &str) -> u64 {
        self.functions[function]
    }
}
