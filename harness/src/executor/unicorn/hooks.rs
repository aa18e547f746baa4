//! Callbacks of the engine: translations that are missing, accesses that go nowhere, exceptions, and each block that is entered.
//!
//! Every callback only records. The engine judges once it is out.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use unicorn_engine::{HookType, MemType, Prot, RegisterARM, TlbEntry, Unicorn, uc_error};

use super::cpu::THUMB;
use super::pages::Pages;
use super::trapped::Trapped;
use crate::executor::traps::Sight;
use crate::executor::{FaultKind, Limit};

/// Bits 15 to 10, 26 and 25 of CPSR: the state of an IT block.
const IT: u32 = 0x0600_fc00;
/// How many blocks run between two looks at the clock.
const CLOCK_INTERVAL: u32 = 1024;

/// What a callback saw. The first sight counts: what follows it is the engine on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A fetch from the host region: a host function is called, or the call is over.
    Host,
    /// A forbidden fetch, from this page.
    Fetch(u64),
    /// A forbidden access by the instruction at `pc`.
    Access { kind: FaultKind, pc: u64, address: u64 },
    /// An exception of the processor, by the engine's number.
    Exception(u32),
    /// This is used up.
    OutOfBudget(Limit),
    /// More memory was touched than there is.
    OutOfMemory,
    /// A trap.
    Trap(Sight),
}

/// What callbacks know and note.
pub(super) struct Hooks {
    pub(super) pages: Pages,
    /// Fetching from here is a call of a host function.
    pub(super) host: RangeInclusive<u64>,
    /// The engine's number of the program counter.
    pub(super) pc: i32,
    pub(super) is_64: bool,
    pub(super) seen: Option<Seen>,
    /// How many are left.
    pub(super) instructions: u64,
    pub(super) deadline: Option<Instant>,
    /// How many were entered.
    pub(super) blocks: u32,
    /// The one that was entered last, for whoever looks at what is left of this process.
    pub(super) entered: &'static AtomicU64,
    /// Bytes of which is noted whether they are executed or read, and whether they were.
    pub(super) watched: Option<(RangeInclusive<u64>, bool)>,
    /// Where the processor last yielded, and how many blocks had run then.
    pub(super) yielded: Option<(u64, u32)>,
    /// What it stops for besides, and what it noted.
    pub(super) trapped: Trapped,
}

impl Hooks {
    pub(super) fn see(&mut self, seen: Seen) {
        self.seen.get_or_insert(seen);
    }
}

impl Hooks {
    pub(super) fn new(pc: i32, is_64: bool, entered: &'static AtomicU64) -> Hooks {
        Hooks {
            pages: Pages::default(),
            host: RangeInclusive::new(1, 0),
            pc,
            is_64,
            seen: None,
            instructions: 0,
            deadline: None,
            blocks: 0,
            entered,
            watched: None,
            yielded: None,
            trapped: Trapped::default(),
        }
    }
}

/// Has them called.
pub(super) fn add(uc: &mut Unicorn<'static, Hooks>) -> Result<(), uc_error> {
    uc.add_tlb_hook(1, 0, fill)?;
    uc.add_mem_hook(HookType::MEM_READ_UNMAPPED | HookType::MEM_WRITE_UNMAPPED, 1, 0, forbidden)?;
    uc.add_intr_hook(exception)?;
    uc.add_insn_invalid_hook(invalid)?;
    uc.add_block_hook(1, 0, block)?;
    Ok(())
}

/// The TLB missed: which physical page is it, and what may be done with it?
fn fill(uc: &mut Unicorn<'_, Hooks>, address: u64, kind: MemType) -> Option<TlbEntry> {
    let kind = match kind {
        MemType::READ => FaultKind::Read,
        MemType::WRITE => FaultKind::Write,
        _ => FaultKind::Fetch,
    };
    let hooks = uc.get_data_mut();
    if kind == FaultKind::Fetch && hooks.host.contains(&address) {
        hooks.see(Seen::Host);
        return None;
    }
    let access = hooks.pages.access(address);
    if !access.allows(kind) {
        if kind == FaultKind::Fetch {
            hooks.see(Seen::Fetch(address));
            return None;
        }
        return Some(TlbEntry { paddr: hooks.pages.forbid(address), perms: Prot::READ | Prot::WRITE });
    }
    let Some(paddr) = hooks.pages.frame(address) else {
        hooks.see(Seen::OutOfMemory);
        return None;
    };
    let is_64 = hooks.is_64;
    let mut perms = Prot::NONE;
    for (allowed, bit) in [(access.read, Prot::READ), (access.write, Prot::WRITE), (access.execute, Prot::EXEC)] {
        if allowed {
            perms |= bit;
        }
    }
    // To let us see registers, the engine has just restored the processor's state to that of the running instruction. Of
    // that only the IT bits outlive the block: translated code clears them when it is entered and not again, so they would
    // make the next block conditional. They are the translator's here, and 0 in the processor.
    if !is_64 && kind != FaultKind::Fetch {
        forget_it(uc);
    }
    Some(TlbEntry { paddr, perms })
}

/// Clears the IT bits of 32-bit code in a callback that goes on: see `fill`.
pub(super) fn forget_it(uc: &mut Unicorn<'_, Hooks>) {
    if let Ok(cpsr) = uc.reg_read(RegisterARM::CPSR)
        && cpsr as u32 & IT != 0
    {
        let _ = uc.reg_write(RegisterARM::CPSR, cpsr & !u64::from(IT));
    }
}

/// An access went nowhere: the fault, with the registers of the instruction that did it.
fn forbidden(uc: &mut Unicorn<'_, Hooks>, kind: MemType, physical: u64, _size: usize, _value: i64) -> bool {
    let pc = uc.reg_read(uc.get_data().pc).unwrap_or(0);
    let kind = if kind == MemType::WRITE_UNMAPPED { FaultKind::Write } else { FaultKind::Read };
    let hooks = uc.get_data_mut();
    let address = hooks.pages.forbidden(physical).unwrap_or(physical);
    hooks.see(Seen::Access { kind, pc, address });
    false
}

/// An exception. Stopping here makes `emu_start` return Ok.
fn exception(uc: &mut Unicorn<'_, Hooks>, number: u32) {
    uc.get_data_mut().see(Seen::Exception(number));
    let _ = uc.emu_stop();
}

/// The engine takes an instruction of 32-bit ARM for an invalid one. YIELD and WFE are among them, by an oversight: they leave
/// the block for another thread to run, and that exit is reported in the same way, with the program counter behind them.
/// Returns whether to go on.
fn invalid(uc: &mut Unicorn<'_, Hooks>) -> bool {
    let pc = uc.reg_read(uc.get_data().pc).unwrap_or(0);
    let thumb = uc.reg_read(RegisterARM::CPSR).unwrap_or(0) as u32 & THUMB != 0;
    let before = |distance: u64| {
        let physical = uc.get_data().pages.touched(pc.wrapping_sub(distance) & 0xffff_ffff)?;
        let mut half = [0; 2];
        uc.mem_read(physical, &mut half).ok()?;
        Some(u16::from_le_bytes(half))
    };
    let hint = if thumb {
        matches!(before(2), Some(0xbf10 | 0xbf20))
            || matches!((before(4), before(2)), (Some(0xf3af), Some(0x8001 | 0x8002)))
    } else {
        matches!((before(2), before(4)), (Some(high), Some(0xf001 | 0xf002)) if high & 0x0fff == 0x0320)
    };
    let hooks = uc.get_data_mut();
    // An undefined instruction behind a hint looks the same, and would come here again after one block; the next hint is at least
    // two blocks away, the one behind this hint and its own.
    let again = hooks.yielded.is_some_and(|(at, blocks)| at == pc && hooks.blocks.wrapping_sub(blocks) < 2);
    hooks.yielded = Some((pc, hooks.blocks));
    hint && !again
}

/// What is watched was executed or read.
pub(super) fn note(uc: &mut Unicorn<'_, Hooks>) {
    if let Some((_, seen)) = &mut uc.get_data_mut().watched {
        *seen = true;
    }
}

/// The start of a block: the one place where instructions and time are counted. The engine's own ways cost a thread for each
/// run (`timeout`) or most of its speed (`count`).
fn block(uc: &mut Unicorn<'_, Hooks>, address: u64, size: u32) {
    let hooks = uc.get_data_mut();
    hooks.entered.store(address, Ordering::Relaxed);
    let instructions = u64::from(size) / if hooks.is_64 { 4 } else { 2 };
    let spent = hooks.instructions.checked_sub(instructions.max(1));
    hooks.instructions = spent.unwrap_or(0);
    hooks.blocks = hooks.blocks.wrapping_add(1);
    let late =
        hooks.blocks.is_multiple_of(CLOCK_INTERVAL) && hooks.deadline.is_some_and(|deadline| Instant::now() > deadline);
    if spent.is_none() || late {
        hooks.see(Seen::OutOfBudget(if late { Limit::Time } else { Limit::Instructions }));
        let _ = uc.emu_stop();
    }
}
