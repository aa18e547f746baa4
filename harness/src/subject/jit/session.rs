//! The executor's side of a batch: a controller links one case after the other in one process, and nothing runs yet.
//!
//! Each case has a library (a JITDylib) of its own with an *anchor*, an object of ours that asks for the symbols of the case. The *root*
//! asks for all anchors at once. What makes it one case after the other is that the answer to an anchor's reservation waits until the case
//! before is over: before it has memory, an anchor asks for nothing.
//!
//! A case is over when its anchor and all that it reserved is either finalized or given back. The answer to the anchor then waits for ever:
//! so no failure reaches the root, which would end the controller and lose the cases that follow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use linker::Target;
use linker::link::Found;
use linker::memory::Protection;
use outside::Running;

use crate::epc::{PROCESS, address, row};
use crate::executor::image::PAGE;
use crate::orc::sps::{self, Encode};
use crate::orc::wire::{Message, Opcode, WireError};
use crate::orc::{AddressRange, FinalizeRequest, Group, Setup, SymbolDefinition};

/// How much of memory an anchor reserves says whose it is: so many bytes for the first one, twice as many for the second, and so on.
pub(super) const STEP: u64 = 1 << 16;

/// Where anchors are, which are read and never run. The root is before them.
const ANCHORS: u64 = 0x6100_0000;

/// Bytes from one anchor to the next.
const STRIDE: u64 = 1 << 23;

/// Threads of a controller that has nothing to do: one waits for the root, one for messages. Each task has one more.
const THREADS: usize = 2;

/// How long a case that has failed may take to come to rest.
const SAYING: Duration = Duration::from_secs(2);

/// A part of what was finalized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) content: Vec<u8>,
    pub(super) protection: Protection,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it is in memory, and this is the content of its anchor: the addresses that it asked for.
    Placed(Vec<Segment>, Vec<u8>),
    /// It is not, and this is what the controller said.
    Failed(String),
}

/// What a function of ours does.
#[derive(Clone, Copy)]
enum Does {
    Nothing,
    Open,
    LookUp,
    Resolve,
    Reserve,
    Finalize,
    Initialize,
    Deinitialize,
    Release,
    Frames,
    Run,
}

/// The functions and objects that LLVM 18 to 22 ask for.
const FUNCTIONS: &[(&str, Does)] = &[
    ("__llvm_orc_SimpleRemoteEPC_dispatch_ctx", Does::Nothing),
    ("__llvm_orc_SimpleRemoteEPC_dispatch_fn", Does::Nothing),
    ("__llvm_orc_SimpleExecutorDylibManager_Instance", Does::Nothing),
    ("__llvm_orc_SimpleExecutorDylibManager_open_wrapper", Does::Open),
    ("__llvm_orc_SimpleExecutorDylibManager_lookup_wrapper", Does::LookUp),
    ("__llvm_orc_SimpleExecutorDylibManager_resolve_wrapper", Does::Resolve),
    ("__llvm_orc_SimpleExecutorMemoryManager_Instance", Does::Nothing),
    ("__llvm_orc_SimpleExecutorMemoryManager_reserve_wrapper", Does::Reserve),
    ("__llvm_orc_SimpleExecutorMemoryManager_finalize_wrapper", Does::Finalize),
    ("__llvm_orc_SimpleExecutorMemoryManager_deallocate_wrapper", Does::Release),
    ("__llvm_orc_SimpleExecutorMemoryManager_initialize_wrapper", Does::Initialize),
    ("__llvm_orc_SimpleExecutorMemoryManager_deinitialize_wrapper", Does::Deinitialize),
    ("__llvm_orc_SimpleExecutorMemoryManager_release_wrapper", Does::Release),
    ("__llvm_orc_bootstrap_run_as_main_wrapper", Does::Run),
    ("__llvm_orc_bootstrap_run_as_void_function_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_run_as_int_function_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_uint8s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_uint16s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_uint32s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_uint64s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_buffers_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_write_pointers_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_uint8s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_uint16s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_uint32s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_uint64s_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_pointers_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_buffers_wrapper", Does::Nothing),
    ("__llvm_orc_bootstrap_mem_read_strings_wrapper", Does::Nothing),
    ("llvm_orc_registerEHFrameAllocAction", Does::Nothing),
    ("llvm_orc_deregisterEHFrameAllocAction", Does::Nothing),
    ("llvm_orc_registerEHFrameSectionWrapper", Does::Frames),
    ("llvm_orc_deregisterEHFrameSectionWrapper", Does::Frames),
];

/// A connection with a controller that links a batch.
pub(super) struct Session<'a> {
    pub(super) stream: &'a TcpStream,
    pub(super) running: &'a Running,
    pub(super) target: &'static Target,
    pub(super) host: &'a BTreeMap<String, Found>,
    /// The lowest address of each case.
    pub(super) bases: &'a [u64],
    /// Where the root is, once it has asked.
    root: Option<u64>,
    /// The calls by which anchors asked for memory.
    anchors: BTreeMap<usize, u64>,
    /// What became of the cases that are over. The next one is in hand.
    pub(super) outcomes: Vec<Outcome>,
    /// Whether one is.
    begun: bool,
    /// Where the next object of the case in hand goes.
    cursor: u64,
    /// What the case has reserved and neither finalized nor given back.
    open: BTreeSet<u64>,
    segments: Vec<Segment>,
    /// The content of its anchor, once that is finalized.
    table: Option<Vec<u8>>,
    /// Whether something of it was given back, its anchor apart.
    failed: bool,
    /// Whether its anchor was given back.
    refused: bool,
    /// Whether it said nothing any more.
    pub(super) is_silent: bool,
    /// Bytes that the controller had complained of before the case.
    said: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        stream: &'a TcpStream,
        running: &'a Running,
        target: &'static Target,
        host: &'a BTreeMap<String, Found>,
        bases: &'a [u64],
    ) -> Session<'a> {
        let (root, anchors, outcomes, segments) = Default::default();
        let (open, table, cursor, said) = Default::default();
        let (begun, failed, refused) = (false, false, false);
        Session {
            stream,
            running,
            target,
            host,
            bases,
            root,
            anchors,
            outcomes,
            begun,
            cursor,
            open,
            segments,
            table,
            failed,
            refused,
            is_silent: false,
            said,
        }
    }

    /// Serves until all cases are over, or the controller goes or says nothing any more. What is missing of the outcomes is what it was
    /// working on, and what was to follow.
    pub(super) fn serve(&mut self) -> std::io::Result<()> {
        let symbol = |(row, (name, _)): (u64, &(&str, Does))| ((*name).to_owned(), address(row));
        let setup = Setup {
            triple: corpus::target::row(self.target).clang.to_owned(),
            page_size: PAGE,
            map: Vec::new(),
            symbols: (0..).zip(FUNCTIONS).map(symbol).collect(),
        };
        Message { opcode: Opcode::Setup, sequence: 0, tag: 0, payload: sps::encode(&setup) }
            .write(&mut &*self.stream)?;
        while self.outcomes.len() < self.bases.len() {
            if self.is_over() && self.is_quiet()? {
                self.settle();
            }
            if self.is_next() {
                self.begin()?;
            }
            if self.outcomes.len() == self.bases.len() {
                break;
            }
            // A stream that stands still, breaks or ends is the end of the batch; who started the process looks at how it ended.
            let message = match Message::read(&mut Eager(self.stream)) {
                Ok(Some(message)) => message,
                Err(WireError::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.is_silent = true;
                    break;
                }
                _ => break,
            };
            if message.opcode != Opcode::CallWrapper {
                break;
            }
            let does = row(message.tag).and_then(|row| FUNCTIONS.get(row)).map_or(Does::Nothing, |function| function.1);
            match self.answer(does, &message) {
                Ok(Some(payload)) => self.reply(message.sequence, payload)?,
                Ok(None) => {}
                Err(_) => break,
            }
            if self.root_is_lost(does, &message) {
                break;
            }
        }
        Ok(())
    }

    fn reply(&self, sequence: u64, payload: Vec<u8>) -> std::io::Result<()> {
        Message::result(sequence, payload).write(&mut &*self.stream)
    }

    /// The answer to a call, if it gets one now.
    fn answer(&mut self, does: Does, message: &Message) -> Result<Option<Vec<u8>>, sps::DecodeError> {
        let arguments = &message.payload;
        Ok(match does {
            Does::Nothing => Some(Vec::new()),
            Does::Run => None,
            Does::Open => expected(PROCESS),
            Does::Frames => {
                sps::decode::<AddressRange>(arguments)?;
                Some(sps::encode(&sps::Error(Ok(()))))
            }
            Does::LookUp => {
                let (_, _, names): (u64, u64, Vec<(&[u8], bool)>) = sps::decode(arguments)?;
                expected(names.into_iter().map(|(name, _)| self.look_up(name)).collect::<Vec<_>>())
            }
            // LLVM 22.
            Does::Resolve => {
                let (_, names): (u64, Vec<(&[u8], bool)>) = sps::decode(arguments)?;
                expected(names.into_iter().map(|(name, _)| Some(self.look_up(name))).collect::<Vec<_>>())
            }
            Does::Reserve => {
                let (_, size): (u64, u64) = sps::decode(arguments)?;
                self.reserve(message.sequence, size)
            }
            Does::Finalize => {
                let (_, request): (u64, FinalizeRequest<'_>) = sps::decode(arguments)?;
                self.finalize(&request).then(|| sps::encode(&sps::Error(Ok(()))))
            }
            Does::Initialize => {
                let (_, request): (u64, FinalizeRequest<'_>) = sps::decode(arguments)?;
                let key = request.segments.iter().map(|segment| segment.address).min().unwrap_or(0);
                self.finalize(&request).then_some(()).and_then(|()| expected(key))
            }
            // What is given back follows.
            Does::Deinitialize => Some(sps::encode(&sps::Error(Ok(())))),
            Does::Release => {
                let (_, bases): (u64, Vec<u64>) = sps::decode(arguments)?;
                self.release(&bases)
            }
        })
    }

    fn look_up(&self, name: &[u8]) -> SymbolDefinition {
        let found = str::from_utf8(name).ok().and_then(|name| self.host.get(name));
        let address = found.map_or(0, |found| match *found {
            Found::Function(address) | Found::Data(address) => address,
        });
        SymbolDefinition { address, flags: SymbolDefinition::EXPORTED, target_flags: 0 }
    }

    fn reserve(&mut self, sequence: u64, size: u64) -> Option<Vec<u8>> {
        if self.root.is_none() {
            let root = ANCHORS - size.next_multiple_of(PAGE);
            self.root = Some(root);
            return expected(root);
        }
        if self.anchors.len() < self.bases.len() {
            let number = usize::try_from((size / STEP).saturating_sub(1)).unwrap_or(usize::MAX);
            self.anchors.insert(number.min(self.bases.len() - 1), sequence);
            return None;
        }
        let base = self.cursor;
        // An object without content asks for nothing, and has an address of its own all the same.
        let end = base.checked_add(size.max(1)).and_then(|end| end.checked_next_multiple_of(PAGE));
        let Some(end) = end.filter(|&end| self.target.wrap(end) == end) else {
            let why = format!("there is no room for {size:#x} bytes");
            return Some(sps::encode(&sps::Expected::<u64>(Err(why))));
        };
        self.cursor = end;
        self.open.insert(base);
        expected(base)
    }

    /// Notes what was put into memory. False: the answer waits for ever.
    fn finalize(&mut self, request: &FinalizeRequest<'_>) -> bool {
        let Some(base) = request.segments.iter().map(|segment| segment.address).min() else { return true };
        if base >= ANCHORS && base == self.anchor() {
            let table = request.segments.iter().find(|segment| !segment.content.is_empty());
            self.table = Some(table.map_or(Vec::new(), |segment| segment.content.to_vec()));
            return false;
        }
        if Some(base) == self.root {
            return false;
        }
        self.open.remove(&base);
        for segment in &request.segments {
            let Some(protection) = Group(segment.group).protection() else { continue };
            let (address, size, content) = (segment.address, segment.size, segment.content.to_vec());
            self.segments.push(Segment { address, size, content, protection });
        }
        true
    }

    fn release(&mut self, bases: &[u64]) -> Option<Vec<u8>> {
        let mut held = false;
        for &base in bases {
            if base == self.anchor() {
                (self.refused, held) = (true, true);
            } else if self.open.remove(&base) {
                self.failed = true;
            }
        }
        (!held).then(|| sps::encode(&sps::Error(Ok(()))))
    }

    /// Where the anchor of the case in hand is.
    fn anchor(&self) -> u64 {
        ANCHORS + self.outcomes.len() as u64 * STRIDE
    }

    /// Whether the root has failed: an anchor that asked for nothing yet cannot be read.
    fn root_is_lost(&self, does: Does, message: &Message) -> bool {
        let bases = sps::decode::<(u64, Vec<u64>)>(&message.payload);
        matches!(does, Does::Release)
            && bases.is_ok_and(|(_, bases)| self.root.is_some_and(|root| bases.contains(&root)))
    }

    /// Whether the case in hand is over.
    fn is_over(&self) -> bool {
        self.begun && self.open.is_empty() && (self.refused || self.table.is_some())
    }

    /// Whether nothing of the case in hand can come any more. When it has failed, other objects of it may still be on their way, and what
    /// was said of it, too: they are when nothing in the process is at work.
    fn is_quiet(&self) -> std::io::Result<bool> {
        if !(self.failed || self.refused) {
            return Ok(true);
        }
        let end = Instant::now() + SAYING;
        loop {
            let is_idle = self.running.is_idle(THREADS);
            if self.is_called()? {
                return Ok(false);
            }
            if is_idle || Instant::now() > end {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Whether there is a message, or the end of all messages.
    fn is_called(&self) -> std::io::Result<bool> {
        self.stream.set_nonblocking(true)?;
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false)?;
        match peeked {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            _ => Ok(true),
        }
    }

    /// Notes what came of the case in hand.
    fn settle(&mut self) {
        let segments = std::mem::take(&mut self.segments);
        let outcome = match self.table.take() {
            Some(table) if !self.failed && !self.refused => Outcome::Placed(segments, table),
            _ => {
                let said = self.running.complaints(self.said);
                Outcome::Failed(String::from_utf8_lossy(&said).trim().to_owned())
            }
        };
        self.outcomes.push(outcome);
        (self.begun, self.failed, self.refused) = (false, false, false);
    }

    /// Whether the next case can begin.
    fn is_next(&self) -> bool {
        !self.begun && self.anchors.len() == self.bases.len() && self.outcomes.len() < self.bases.len()
    }

    /// Begins the next case: its anchor gets memory.
    fn begin(&mut self) -> std::io::Result<()> {
        let number = self.outcomes.len();
        let (Some(&base), Some(&sequence)) = (self.bases.get(number), self.anchors.get(&number)) else { return Ok(()) };
        (self.begun, self.cursor) = (true, base);
        self.said += self.running.complaints(self.said).len() as u64;
        self.reply(sequence, sps::encode(&sps::Expected(Ok(self.anchor()))))
    }
}

/// A stream whose bytes are acknowledged at once. LLVM writes the header of a message and then the rest, which the kernel holds back until
/// the header is acknowledged: some 40 ms for each message, if nobody hurries.
struct Eager<'a>(&'a TcpStream);

impl Read for Eager<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        // The kernel forgets it, so it is said each time; without it, all is right and slow.
        let _ = rustix::net::sockopt::set_tcp_quickack(self.0, true);
        (&mut &*self.0).read(into)
    }
}

/// The result of a function that can fail, and did not.
fn expected<T: Encode>(value: T) -> Option<Vec<u8>> {
    Some(sps::encode(&sps::Expected(Ok(value))))
}
