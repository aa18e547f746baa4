//! The program as the protocol's library asks about it: each question is put to where the program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use gdbstub::arch::{Arch, RegId, Registers};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, HwBreakpoint, HwBreakpointOps, HwWatchpoint, HwWatchpointOps, SwBreakpoint,
    SwBreakpointOps, WatchKind,
};
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps};
use gdbstub::target::ext::section_offsets::{Offsets, SectionOffsets, SectionOffsetsOps};
use gdbstub::target::ext::target_description_xml_override::{
    TargetDescriptionXmlOverride, TargetDescriptionXmlOverrideOps,
};
use gdbstub::target::{Target, TargetError, TargetResult};

use super::desk::{Event, Go, Message, Scene};
use super::monitor::{self, Knows};
use super::registers::File;
use crate::executor::traps::{Traps, WIDEST, Watched, Watchpoint};

/// What gdb is told where there is no memory (EFAULT), and where something cannot be (EINVAL).
pub(super) const NO_MEMORY: u8 = 14;
pub(super) const INVALID: u8 = 22;

/// The program is not there any more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the program is gone")]
pub(super) struct Gone;

/// One debugger's session.
pub(super) struct Session<'a> {
    ask: Sender<Message>,
    pub(super) reported: Receiver<Event>,
    interrupt: Arc<AtomicBool>,
    pub(super) file: File,
    traps: Traps,
    known: &'a dyn Knows,
    /// How it goes on next.
    pub(super) next: Go,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        ask: Sender<Message>,
        reported: Receiver<Event>,
        interrupt: Arc<AtomicBool>,
        file: File,
        known: &'a dyn Knows,
    ) -> Session<'a> {
        let (traps, next) = (Traps::default(), Go::default());
        Session { ask, reported, interrupt, file, traps, known, next }
    }

    /// Has the program stand still as soon as it can.
    pub(super) fn interrupt(&self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }

    /// Has something done where the program is, which stands still.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Scene<'_>, &mut Traps) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (send, receive) = channel();
        let job = Box::new(move |scene: &mut Scene<'_>, traps: &mut Traps| {
            // Who asked may be gone.
            let _ = send.send(job(scene, traps));
        });
        self.ask.send(Message::Job(job)).map_err(|_| Gone)?;
        receive.recv().map_err(|_| Gone)
    }

    /// Fills a buffer with what is in memory. How many bytes there are.
    pub(super) fn read(&self, address: u64, size: usize) -> Result<Vec<u8>, Gone> {
        self.ask(move |Scene { processor, .. }, _| {
            let mut bytes = vec![0; size];
            if let Err(end) = processor.read(address, &mut bytes) {
                bytes.truncate(end.wrapping_sub(address).min(size as u64) as usize);
                if processor.read(address, &mut bytes).is_err() {
                    bytes.clear();
                }
            }
            bytes
        })
    }

    /// Has it go on.
    pub(super) fn go(&self) -> Result<(), Gone> {
        self.ask.send(Message::Go(self.next)).map_err(|_| Gone)
    }

    fn trap(&mut self, change: impl FnOnce(&mut Traps) -> bool) -> TargetResult<bool, Self> {
        let done = change(&mut self.traps);
        let new = self.traps.clone();
        let set = self.ask(move |Scene { processor, .. }, traps| {
            processor.set_traps(&new);
            *traps = new;
        });
        set.map_err(TargetError::Fatal)?;
        Ok(done)
    }
}

/// All processors there are: what differs is in the description of the target.
#[derive(Debug)]
pub(super) enum Any {}

/// The registers, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// The number of a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) usize);

impl Registers for Bytes {
    type ProgramCounter = u64;

    // Nothing asks for it.
    fn pc(&self) -> u64 {
        0
    }

    fn gdb_serialize(&self, mut write: impl FnMut(Option<u8>)) {
        self.0.iter().for_each(|&byte| write(Some(byte)));
    }

    fn gdb_deserialize(&mut self, bytes: &[u8]) -> Result<(), ()> {
        self.0 = bytes.to_vec();
        Ok(())
    }
}

impl RegId for Number {
    fn from_raw_id(id: usize) -> Option<(Self, Option<std::num::NonZeroUsize>)> {
        Some((Number(id), None))
    }
}

impl Arch for Any {
    type Usize = u64;
    type Registers = Bytes;
    type BreakpointKind = usize;
    type RegId = Number;
}

impl Target for Session<'_> {
    type Arch = Any;
    type Error = Gone;

    fn base_ops(&mut self) -> BaseOps<'_, Any, Gone> {
        BaseOps::MultiThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }

    fn support_section_offsets(&mut self) -> Option<SectionOffsetsOps<'_, Self>> {
        Some(self)
    }

    fn support_target_description_xml_override(&mut self) -> Option<TargetDescriptionXmlOverrideOps<'_, Self>> {
        Some(self)
    }
}

impl Breakpoints for Session<'_> {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

// Neither kind is written into memory: the processor knows where it has to stop.
impl SwBreakpoint for Session<'_> {
    fn add_sw_breakpoint(&mut self, address: u64, _: usize) -> TargetResult<bool, Self> {
        self.trap(|traps| {
            traps.breakpoints.insert(address & !1);
            true
        })
    }

    fn remove_sw_breakpoint(&mut self, address: u64, _: usize) -> TargetResult<bool, Self> {
        self.trap(|traps| traps.breakpoints.remove(&(address & !1)))
    }
}

impl HwBreakpoint for Session<'_> {
    fn add_hw_breakpoint(&mut self, address: u64, kind: usize) -> TargetResult<bool, Self> {
        self.add_sw_breakpoint(address, kind)
    }

    fn remove_hw_breakpoint(&mut self, address: u64, kind: usize) -> TargetResult<bool, Self> {
        self.remove_sw_breakpoint(address, kind)
    }
}

/// A watchpoint; none for what is none.
fn watchpoint(address: u64, length: u64, kind: WatchKind) -> Option<Watchpoint> {
    let last = address.checked_add(length.checked_sub(1).filter(|_| length <= WIDEST)?)?;
    let access = match kind {
        WatchKind::Write => Watched::Writes,
        WatchKind::Read => Watched::Reads,
        WatchKind::ReadWrite => Watched::Both,
    };
    Some(Watchpoint { bytes: address..=last, access })
}

impl HwWatchpoint for Session<'_> {
    fn add_hw_watchpoint(&mut self, address: u64, length: u64, kind: WatchKind) -> TargetResult<bool, Self> {
        let Some(watchpoint) = watchpoint(address, length, kind) else { return Ok(false) };
        self.trap(|traps| {
            traps.watchpoints.push(watchpoint);
            true
        })
    }

    fn remove_hw_watchpoint(&mut self, address: u64, length: u64, kind: WatchKind) -> TargetResult<bool, Self> {
        let Some(watchpoint) = watchpoint(address, length, kind) else { return Ok(false) };
        self.trap(|traps| {
            let at = traps.watchpoints.iter().position(|known| *known == watchpoint);
            at.map(|at| traps.watchpoints.remove(at)).is_some()
        })
    }
}

impl MonitorCmd for Session<'_> {
    fn handle_monitor_cmd(&mut self, command: &[u8], mut out: ConsoleOutput<'_>) -> Result<(), Gone> {
        let mut read = |address: u64, into: &mut [u8]| match self.read(address, into.len()) {
            Ok(bytes) if bytes.len() == into.len() => {
                into.copy_from_slice(&bytes);
                true
            }
            _ => false,
        };
        out.write_raw(monitor::answer(command, self.known, &mut read).as_bytes());
        Ok(())
    }
}

impl SectionOffsets for Session<'_> {
    fn get_section_offsets(&mut self) -> Result<Offsets<u64>, Gone> {
        let bias = self.known.bias();
        Ok(Offsets::Sections { text: bias, data: bias, bss: None })
    }
}

impl TargetDescriptionXmlOverride for Session<'_> {
    fn target_description_xml(
        &self,
        annex: &[u8],
        offset: u64,
        length: usize,
        into: &mut [u8],
    ) -> TargetResult<usize, Self> {
        if annex != b"target.xml" {
            return Err(TargetError::Errno(INVALID));
        }
        let text = self.file.description.as_bytes();
        let rest = text.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(length).min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
