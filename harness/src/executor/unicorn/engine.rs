//! The engine: runs from an address until something happens, and says what, without judging it.
//!
//! What `emu_start` returns is looked at last: it says Ok when a callback stopped it, and the
//! program counter alone can lie (a faulting store in an IT block leaves it one instruction late).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use unicorn_engine::{Context, HookType, Prot, RegisterARM, RegisterARM64CP, TlbType, UcHookId, uc_error};

use super::cpu::{Cpu, THUMB, length};
use super::hooks::{self, Hooks, Seen, note};
use super::pages::{PHYSICAL, PHYSICAL_SIZE, Pages};
use crate::executor::hosted::engine::{Access, Ended, PAGE};
use crate::executor::traps::Sight;
use crate::executor::{Budget, Fault, FaultKind, Limit, Register, Resume, Stop, TargetInfo};

pub(super) type Uc = unicorn_engine::Unicorn<'static, Hooks>;

/// How the engine came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Seen(Seen),
    /// Asked for one instruction, got it.
    Counted,
    /// The engine refused an instruction.
    Invalid,
    /// Something else, which should not happen.
    Error(uc_error),
}

/// The engine. See the module's page.
pub(super) struct Emulator {
    pub(super) uc: Uc,
    pub(super) cpu: Cpu,
    info: TargetInfo,
    pristine: Context,
    /// Callbacks of what is watched.
    watching: Vec<UcHookId>,
    /// Callbacks of traps.
    pub(super) trapping: Vec<UcHookId>,
    /// Translated code may be of memory that has changed.
    pub(super) stale_code: bool,
    /// The TLB may hold translations that have changed.
    pub(super) stale_pages: bool,
    /// Executable memory that was written or made executable since code was looked through.
    pub(super) unread: Vec<RangeInclusive<u64>>,
    /// Addresses of instructions that would end this process. A block ends before them.
    pub(super) deadly: BTreeSet<u64>,
    /// The trap that the last run stopped for.
    pub(super) sight: Option<Sight>,
}

impl Emulator {
    /// An engine that notes in `entered` which block it enters.
    pub(super) fn new(cpu: Cpu, info: TargetInfo, entered: &'static AtomicU64) -> Result<Emulator, uc_error> {
        let pc = cpu.register(Register::Pc).ok_or(uc_error::ARCH)?;
        let mut uc = Uc::new_with_data(cpu.arch, cpu.mode, Hooks::new(pc, cpu.is_64(), entered))?;
        uc.ctl_set_cpu_model(cpu.model)?;
        uc.mem_map(PHYSICAL, PHYSICAL_SIZE, Prot::ALL)?;
        uc.ctl_set_tlb_type(TlbType::VIRTUAL)?;
        // No stop addresses: the one passed to `emu_start` would be compiled into the block that reaches it.
        uc.ctl_exits_enable()?;
        uc.ctl_set_exits(&[])?;
        hooks::add(&mut uc)?;
        enable_floating_point(&mut uc, &cpu)?;
        enable_signing(&mut uc, &cpu)?;
        let pristine = uc.context_init()?;
        Ok(Emulator {
            uc,
            cpu,
            info,
            pristine,
            watching: Vec::new(),
            trapping: Vec::new(),
            stale_code: false,
            stale_pages: false,
            unread: Vec::new(),
            deadly: BTreeSet::new(),
            sight: None,
        })
    }

    /// Notes from now on whether these bytes are executed or read; nothing any more for None.
    pub(super) fn watch(&mut self, bytes: Option<RangeInclusive<u64>>) -> Result<(), uc_error> {
        for hook in std::mem::take(&mut self.watching) {
            self.uc.remove_hook(hook)?;
        }
        if let Some(bytes) = &bytes {
            let code = self.uc.add_code_hook(*bytes.start(), *bytes.end(), |uc, _, _| note(uc))?;
            let read = self.uc.add_mem_hook(HookType::MEM_READ, 1, 0, |uc, _, address, size, _| {
                // The engine tells the physical address.
                let hooks = uc.get_data_mut();
                let Some((bytes, _)) = &hooks.watched else { return true };
                let inside = |byte: u64| {
                    let byte = hooks.pages.touched(byte).unwrap_or(byte);
                    byte.wrapping_sub(address) < size as u64
                };
                if bytes.clone().any(inside) {
                    note(uc);
                }
                true
            })?;
            self.watching = vec![code, read];
        }
        self.hooks().watched = bytes.map(|bytes| (bytes, false));
        // Code is translated with its callbacks.
        self.stale_code = true;
        Ok(())
    }

    /// Whether what is watched was executed or read.
    pub(super) fn seen(&self) -> bool {
        self.uc.get_data().watched.as_ref().is_some_and(|watched| watched.1)
    }

    /// Instructions that are left of what was allowed.
    pub(super) fn instructions(&self) -> u64 {
        self.uc.get_data().instructions
    }

    /// Translates code for an address, instruction by instruction, and says how far it is. For a machine without a program.
    pub(super) fn translate(
        &mut self,
        address: u64,
        thumb: bool,
        code: &[u8],
        translated: &AtomicU64,
    ) -> Result<(), uc_error> {
        let first = address & !(PAGE - 1);
        let last = address.saturating_add(code.len() as u64 + PAGE) | (PAGE - 1);
        self.protect(first..=last, Access::CODE);
        self.write(address, code).map_err(|_| uc_error::MAP)?;
        if !self.cpu.is_64() {
            let status = self.get(Register::Status) & !u128::from(THUMB);
            self.set(Register::Status, status | if thumb { THUMB.into() } else { 0 });
        }
        self.uc.ctl_flush_tlb()?;
        let mut at = 0;
        while at < code.len() {
            translated.store(at as u64, Ordering::Relaxed);
            let here = address.wrapping_add(at as u64);
            at += length(&code[at..], thumb);
            self.uc.ctl_set_exits(&[address.wrapping_add(at as u64)])?;
            self.uc.ctl_request_cache(here, None)?;
        }
        translated.store(code.len() as u64, Ordering::Relaxed);
        self.uc.ctl_set_exits(&[])?;
        self.uc.ctl_flush_tb()
    }

    /// What kind of machine it is.
    pub(super) fn info(&self) -> &TargetInfo {
        &self.info
    }

    /// Fetching from here is [`Ended::Host`].
    pub(super) fn set_host(&mut self, host: RangeInclusive<u64>) {
        self.hooks().host = host;
    }

    /// How much the runs from here on may take together.
    pub(super) fn allow(&mut self, budget: Budget) {
        let hooks = self.hooks();
        hooks.instructions = budget.instructions;
        hooks.deadline = Instant::now().checked_add(budget.time);
    }

    /// Runs from here (with the Thumb bit) until something happens.
    pub(super) fn run(&mut self, begin: u64, resume: Resume) -> Ended {
        let left = self.leave(begin, usize::from(resume == Resume::Step));
        self.sight = match left {
            Left::Seen(Seen::Trap(sight)) => Some(sight),
            _ => None,
        };
        self.judge(left)
    }

    /// The state of the processor as new, with what it has reserved for exclusive stores.
    pub(super) fn renew(&mut self) {
        // Cannot fail on an engine that was made: the state is its own.
        let restored = self.uc.context_restore(&self.pristine);
        debug_assert!(restored.is_ok(), "{restored:?}");
    }

    /// As new: the whole state of the processor, translated code and memory. The pages have to be mapped again.
    pub(super) fn reset(&mut self) {
        self.renew();
        let mut dirty = self.hooks().pages.clear();
        static ZERO: [u8; 64 * PAGE as usize] = [0; 64 * PAGE as usize];
        while dirty > 0 {
            let length = dirty.min(ZERO.len() as u64);
            let zeroed = self.uc.mem_write(PHYSICAL + dirty - length, &ZERO[..length as usize]);
            debug_assert!(zeroed.is_ok(), "{zeroed:?}");
            dirty -= length;
        }
        self.unread.clear();
        if !self.deadly.is_empty() {
            self.deadly.clear();
            let cleared = self.uc.ctl_set_exits(&[]);
            debug_assert!(cleared.is_ok(), "{cleared:?}");
        }
        // Translated code needs no memory that is there; it goes when memory becomes executable again.
        self.stale_pages = true;
    }

    pub(super) fn hooks(&mut self) -> &mut Hooks {
        self.uc.get_data_mut()
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.uc.get_data().pages
    }

    /// Runs from here (with the Thumb bit), `count` instructions or, with 0, until something happens.
    fn leave(&mut self, begin: u64, count: usize) -> Left {
        if let Err(error) = self.look_for_deadly() {
            return Left::Error(error);
        }
        if std::mem::take(&mut self.stale_code) && self.uc.ctl_flush_tb().is_err() {
            return Left::Error(uc_error::RESOURCE);
        }
        if std::mem::take(&mut self.stale_pages) {
            if self.uc.ctl_flush_tlb().is_err() {
                return Left::Error(uc_error::RESOURCE);
            }
            // Only now: until it is flushed the TLB may hold them.
            self.hooks().pages.forget_forbidden();
        }
        let hooks = self.hooks();
        hooks.seen = None;
        hooks.yielded = None;
        hooks.trapped.begin(begin & !1);
        hooks.entered.store(0, Ordering::Relaxed);
        if self.deadly.contains(&begin) {
            self.set_pc(begin);
            return Left::Invalid;
        }
        let result = self.uc.emu_start(begin, 0, 0, count);
        let seen = self.hooks().seen.take();
        if seen.is_some_and(|seen| matches!(seen, Seen::Trap(_)))
            && let Err(error) = self.turn_back()
        {
            return Left::Error(error);
        }
        match (seen, result) {
            (Some(seen), _) => Left::Seen(seen),
            // It halts before them.
            (None, Ok(())) if count == 0 && self.deadly.contains(&(self.get(Register::Pc) as u64)) => Left::Invalid,
            (None, Ok(())) if count > 0 => Left::Counted,
            (None, Err(uc_error::INSN_INVALID)) => Left::Invalid,
            (None, Err(error)) => Left::Error(error),
            // It halted itself: WFI and its like.
            (None, Ok(())) => Left::Error(uc_error::OK),
        }
    }

    /// What the end of a run means.
    fn judge(&self, left: Left) -> Ended {
        let pc = self.get(Register::Pc) as u64;
        let fault = |kind, address| Stop::Fault(Fault { kind, pc, address, host: None });
        Ended::Stop(match left {
            Left::Seen(Seen::Host) => return Ended::Host,
            Left::Seen(Seen::Access { kind, pc, address }) => {
                Stop::Fault(Fault { kind, pc, address: Some(address), host: None })
            }
            Left::Seen(Seen::Fetch(page)) => {
                // The page is not that of the program counter when an instruction straddles two pages.
                let address = if pc & !(PAGE - 1) == page & !(PAGE - 1) { pc } else { page };
                fault(FaultKind::Fetch, Some(address))
            }
            Left::Seen(Seen::Exception(number)) => self.exception(number, pc),
            Left::Seen(Seen::OutOfBudget(limit)) => Stop::OutOfBudget(limit),
            Left::Seen(Seen::OutOfMemory) => Stop::OutOfBudget(Limit::Memory),
            Left::Counted | Left::Seen(Seen::Trap(_)) => Stop::Stepped,
            // M-profile in A32 state refuses every instruction.
            Left::Invalid if self.cpu.m_profile && !self.thumb() => fault(FaultKind::State, None),
            Left::Invalid => fault(FaultKind::Undefined, None),
            Left::Error(uc_error::OK) => Stop::Refused(format!("halted at {pc:#x}")),
            Left::Error(error) => Stop::Refused(format!("the emulator failed at {pc:#x}: {error}")),
        })
    }

    /// Exceptions by QEMU's numbers (`target/arm/cpu.h`).
    fn exception(&self, number: u32, pc: u64) -> Stop {
        let fault = |kind, address| Stop::Fault(Fault { kind, pc, address, host: None });
        match number {
            // A misaligned program counter is the same exception as an undefined instruction.
            1 if self.cpu.is_64() && pc & 3 != 0 => fault(FaultKind::Unaligned, Some(pc)),
            1 | 17 => fault(FaultKind::Undefined, None),
            2 => Stop::Syscall,
            3 => fault(FaultKind::Unaligned, Some(pc)),
            // The only data aborts the engine itself raises: without an MMU there are no others.
            4 | 22 => fault(FaultKind::Unaligned, None),
            7 => Stop::Breakpoint { pc },
            18 => fault(FaultKind::State, None),
            number => Stop::Refused(format!("exception {number} at {pc:#x}")),
        }
    }
}

/// Keys for pointers, whatever they are, and the bits of SCTLR_EL1 that turn each of them on: out of reset, signing does
/// nothing.
fn enable_signing(uc: &mut Uc, cpu: &Cpu) -> Result<(), uc_error> {
    if !cpu.is_64() {
        return Ok(());
    }
    let register = |crn, crm, op2, val| RegisterARM64CP { op0: 3, op1: 0, crn, crm, op2, val };
    for (index, val) in [0x243f_6a88_85a3_08d3_u64, 0x1319_8a2e_0370_7344].into_iter().cycle().take(8).enumerate() {
        // APIAKey, APIBKey, APDAKey, APDBKey: low and high halves.
        let (crm, op2) = (1 + index as u32 / 4, index as u32 % 4);
        uc.reg_write_arm64_coproc(&register(2, crm, op2, val.rotate_left(index as u32)))?;
    }
    let control = register(1, 0, 0, 1 << 31 | 1 << 30 | 1 << 27 | 1 << 13); // EnIA, EnIB, EnDA, EnDB
    // Higher exception levels have to let them, and only in the non-secure state does the engine look at the lower of these:
    // SCR_EL3.NS, RW, APK and API; HCR_EL2.RW, APK and API.
    let secure = RegisterARM64CP { op1: 6, ..register(1, 1, 0, 1 | 1 << 10 | 1 << 16 | 1 << 17) };
    let hypervisor = RegisterARM64CP { op1: 4, ..register(1, 1, 0, 1 << 31 | 1 << 40 | 1 << 41) };
    for mut register in [control, secure, hypervisor] {
        let bits = register.val;
        uc.reg_read_arm64_coproc(&mut register)?;
        register.val |= bits;
        uc.reg_write_arm64_coproc(&register)?;
    }
    Ok(())
}

/// Out of reset the floating-point unit is off.
fn enable_floating_point(uc: &mut Uc, cpu: &Cpu) -> Result<(), uc_error> {
    if cpu.is_64() {
        // CPACR_EL1.FPEN, through the interface that also recomputes the translator's cached flags.
        let cpacr = RegisterARM64CP { op0: 3, op1: 0, crn: 1, crm: 0, op2: 2, val: 3 << 20 };
        return uc.reg_write_arm64_coproc(&cpacr);
    }
    if cpu.m_profile {
        return Ok(());
    }
    let cpacr = uc.reg_read(RegisterARM::C1_C0_2)?;
    uc.reg_write(RegisterARM::C1_C0_2, cpacr | 0xf << 20)?;
    uc.reg_write(RegisterARM::FPEXC, 1 << 30)?;
    // Recomputes the cached flags.
    let cpsr = uc.reg_read(RegisterARM::CPSR)?;
    uc.reg_write(RegisterARM::CPSR, cpsr)
}
