//! Functions of the host that linked code can call: the part of a C library that cases use, the run-time helpers that
//! compilers call behind one's back, and whatever a caller registers.
//!
//! Each has an address of its own in a region where nothing can be executed. The processor stops there, in whatever state the
//! caller branched in, the function is served with its arguments taken from where the procedure call standard has them, and the
//! guest goes on at its link register. A bad pointer is a fault of the guest, attributed to the function.

mod aeabi;
mod ending;
mod errno;
mod frame;
mod heap;
mod libc;
mod output;
mod printf;
mod runtime;

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use linker::link::Found;

use crate::machine::{AccessError, Exit, Guest, TargetInfo};

use ending::Ending;
pub use frame::Frame;
use heap::Heap;
use output::Output;
pub use output::{Sink, Stream};

/// What happens after a host function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It returns to its caller.
    Return,
    /// The guest goes on at this address (with the Thumb bit) instead.
    Jump(u64),
    /// The program is over.
    Exit(Exit),
}

/// A host function in Rust. An access that fails is a fault of the guest.
pub type Function = Box<dyn FnMut(&mut Frame<'_>) -> Result<Flow, AccessError>>;

/// One of the functions every machine has.
type Builtin = fn(&mut Frame<'_>) -> Result<Flow, AccessError>;
type Table = &'static [(&'static str, Builtin)];

enum Body {
    Builtin(Builtin),
    Custom(Function),
    Stop,
}

/// What serving a call led to.
pub(crate) enum Served {
    Return,
    Jump(u64),
    Exit(Exit),
    Stop(String),
    /// The function of this name could not go on.
    Failed(String, AccessError),
    /// It is called in the wrong state.
    State,
    Unknown,
}

/// Where the host's things are in the guest's address space.
#[derive(Clone, Debug)]
pub(crate) struct Areas {
    pub(crate) functions: RangeInclusive<u64>,
    pub(crate) data: u64,
    /// Of `errno`, which the guest may write.
    pub(crate) errno: u64,
    pub(crate) heap: RangeInclusive<u64>,
}

/// Bytes between the addresses of two functions. The first is not a function: calls return there.
const STRIDE: u64 = 16;

/// What host functions remember between calls; gone after a reset.
#[derive(Debug)]
pub struct State {
    output: Output,
    heap: Heap,
    ending: Ending,
    /// The address of [`ending::GOING_ON`].
    going_on: u64,
    /// The address of `errno`.
    errno: u64,
    /// The thread pointer, and where the thread's variables begin.
    thread: (u64, u64),
}

/// The host functions of a machine.
pub struct Host {
    bodies: Vec<(String, Body)>,
    names: HashMap<String, usize>,
    state: State,
    areas: Areas,
    m_profile: bool,
    data: Vec<u8>,
    variables: Vec<(&'static str, u64)>,
}

impl Host {
    pub(crate) fn new(info: &TargetInfo, areas: Areas) -> Host {
        let state = State {
            output: Output::default(),
            heap: Heap::new(areas.heap.clone()),
            ending: Ending::default(),
            going_on: 0,
            errno: areas.errno,
            thread: (0, 0),
        };
        let (variables, data) = runtime::variables(info, areas.data);
        let mut host = Host {
            bodies: Vec::new(),
            names: HashMap::new(),
            state,
            areas,
            m_profile: info.m_profile,
            data,
            variables,
        };
        let arm: &[Table] = if info.is_64() { &[] } else { &[aeabi::INTEGER, aeabi::FLOAT] };
        for (name, function) in
            [libc::FUNCTIONS, ending::FUNCTIONS, runtime::FUNCTIONS].iter().chain(arm).copied().flatten()
        {
            host.add(name, Body::Builtin(*function));
        }
        host.state.going_on = host.lookup(ending::GOING_ON).unwrap_or(0);
        host
    }

    /// Registers a function, or replaces one. Returns its address, as [`Host::lookup`] would.
    ///
    /// # Panics
    /// When there are more functions than addresses for them (4095).
    pub fn define(
        &mut self,
        name: &str,
        function: impl FnMut(&mut Frame<'_>) -> Result<Flow, AccessError> + 'static,
    ) -> u64 {
        self.add(name, Body::Custom(Box::new(function)))
    }

    /// Registers a function whose call surfaces as [`crate::machine::Stop::HostCall`].
    ///
    /// # Panics
    /// When there are more functions than addresses for them (4095).
    pub fn define_stop(&mut self, name: &str) -> u64 {
        self.add(name, Body::Stop)
    }

    fn add(&mut self, name: &str, body: Body) -> u64 {
        let index = match self.names.get(name) {
            Some(&index) => {
                self.bodies[index].1 = body;
                index
            }
            None => {
                self.bodies.push((name.to_owned(), body));
                self.names.insert(name.to_owned(), self.bodies.len() - 1);
                self.bodies.len() - 1
            }
        };
        let address = self.areas.functions.start() + (index as u64 + 1) * STRIDE;
        assert!(address <= *self.areas.functions.end(), "no address left for host function `{name}`");
        self.guest_address(address)
    }

    /// Where functions are.
    pub fn functions(&self) -> RangeInclusive<u64> {
        self.areas.functions.clone()
    }

    /// The address by which a linked program knows a function (with the Thumb bit on a processor that has only Thumb), or
    /// a variable of the host (`stdout`, `__stack_chk_guard`, ...).
    pub fn lookup(&self, name: &str) -> Option<u64> {
        if let Some(&index) = self.names.get(name) {
            return Some(self.guest_address(self.areas.functions.start() + (index as u64 + 1) * STRIDE));
        }
        self.variables.iter().find(|(variable, _)| *variable == name).map(|&(_, address)| address)
    }

    /// All that linked programs can find here, by name.
    pub fn definitions(&self) -> BTreeMap<String, Found> {
        let found = |name: &str| {
            let address = self.lookup(name)?;
            Some((
                name.to_owned(),
                if self.is_function(name) { Found::Function(address) } else { Found::Data(address) },
            ))
        };
        self.names().filter_map(found).collect()
    }

    /// Whether a name that [`Host::lookup`] knows is a function.
    pub fn is_function(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The name of the function that is at this address.
    pub fn name_at(&self, address: u64) -> Option<&str> {
        let (name, _) = self.bodies.get(self.index(address)?)?;
        Some(name)
    }

    /// All names there are addresses for, functions first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let functions = self.bodies.iter().map(|(name, _)| name.as_str()).filter(|name| *name != ending::GOING_ON);
        functions.chain(self.variables.iter().map(|&(name, _)| name))
    }

    /// What was printed since the last reset, unless a sink took it.
    pub fn printed(&self) -> &[u8] {
        &self.state.output.kept
    }

    /// Takes what was printed, so that it is not what comes behind.
    pub(crate) fn take_printed(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.state.output.kept)
    }

    /// Sets how much may be printed from here on.
    pub(crate) fn set_output(&mut self, bytes: u64) {
        self.state.output.left = bytes;
    }

    /// Hands printed text on as it is printed, instead of keeping it.
    pub fn set_sink(&mut self, sink: Sink) {
        self.state.output.sink = Some(sink);
    }

    /// Has `exit` call these functions when it has called all that was registered, from the last to the first.
    pub fn set_finalizers(&mut self, functions: Vec<u64>) {
        self.state.ending.program = functions;
    }

    pub(crate) fn guest_address(&self, address: u64) -> u64 {
        address | u64::from(self.m_profile)
    }

    /// The content of the host's data page.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    pub(crate) fn reset(&mut self) {
        let State { output, heap, ending, thread, going_on: _, errno: _ } = &mut self.state;
        output.kept.clear();
        heap.reset();
        *ending = Ending::default();
        *thread = (0, 0);
    }

    /// Remembers the thread pointer, and where the thread's variables begin.
    pub(crate) fn set_thread(&mut self, pointer: u64, variables: u64) {
        self.state.thread = (pointer, variables);
    }

    /// The number of the function at this address, if there is one.
    fn index(&self, address: u64) -> Option<usize> {
        let offset = address.wrapping_sub(*self.areas.functions.start());
        let index = (offset / STRIDE).wrapping_sub(1) as usize;
        (offset.is_multiple_of(STRIDE) && index < self.bodies.len()).then_some(index)
    }

    /// Serves the call that stopped at this address, in this state. Functions are A32 code, but for an M profile.
    pub(crate) fn serve(&mut self, guest: &mut dyn Guest, address: u64, thumb: bool) -> Served {
        let Some((name, body)) = self.index(address).and_then(|index| self.bodies.get_mut(index)) else {
            return Served::Unknown;
        };
        if thumb != self.m_profile {
            return Served::State;
        }
        let mut frame = Frame::new(guest, &mut self.state);
        let flow = match body {
            Body::Builtin(function) => function(&mut frame),
            Body::Custom(function) => function(&mut frame),
            Body::Stop => return Served::Stop(name.clone()),
        };
        match flow {
            Ok(Flow::Return) => Served::Return,
            Ok(Flow::Jump(address)) => Served::Jump(address),
            Ok(Flow::Exit(exit)) => Served::Exit(exit),
            Err(error) => Served::Failed(name.clone(), error),
        }
    }
}
