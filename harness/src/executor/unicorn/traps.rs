//! Traps of an attended run: breakpoints, watchpoints, and notes of what is executed.
//!
//! The engine stops between two instructions only. An access is seen while its instruction is under way, so what that instruction
//! does is taken back: the registers are those of the moment before it, and what it stored over is put back. It executes an IT block as
//! one instruction: a breakpoint in one stops behind it.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use unicorn_engine::{HookType, Unicorn, uc_error};

use super::cpu::length;
use super::engine::Emulator;
use super::hooks::{Hooks, Seen, forget_it};
use crate::executor::Register;
use crate::executor::hosted::engine::PAGE;
use crate::executor::traps::{NOTE, Note, Notes, Sight, Traps, Watched};
use crate::executor::wire::PIECE;

/// Notes that are kept until somebody asks for them.
const MOST: usize = PIECE / NOTE / 2;

impl Emulator {
    /// Sets what runs stop for from here on.
    pub(super) fn set_traps(&mut self, traps: Traps) -> Result<(), uc_error> {
        for hook in std::mem::take(&mut self.trapping) {
            self.uc.remove_hook(hook)?;
        }
        for &address in &traps.breakpoints {
            self.trapping.push(self.uc.add_code_hook(address, address, |uc, address, _| breakpoint(uc, address))?);
        }
        if !traps.watchpoints.is_empty() {
            self.trapping.push(self.uc.add_code_hook(1, 0, |uc, _, _| between(uc))?);
            let read = |uc: &mut Unicorn<'_, Hooks>, _, address, size, _| access(uc, address, size, false);
            self.trapping.push(self.uc.add_mem_hook(HookType::MEM_READ, 1, 0, read)?);
            let write = |uc: &mut Unicorn<'_, Hooks>, _, address, size, _| access(uc, address, size, true);
            self.trapping.push(self.uc.add_mem_hook(HookType::MEM_WRITE, 1, 0, write)?);
        }
        if traps.notes != Notes::Off {
            let (cpu, registers) = (self.cpu, traps.notes == Notes::Registers);
            let file: Vec<i32> = Register::file(self.info())
                .filter(|register| *register != Register::Pc)
                .filter_map(|register| match register {
                    // Both halves would be twice the work, and seldom differ alone.
                    Register::Vector(number) => cpu.register(Register::Double(number)),
                    register => cpu.register(register),
                })
                .collect();
            let file = if registers { file } else { Vec::new() };
            let m_profile = cpu.m_profile;
            self.trapping.push(self.uc.add_code_hook(1, 0, move |uc, pc, size| note(uc, pc, size, m_profile, &file))?);
        }
        self.hooks().trapped.traps = traps;
        // Code is translated with its callbacks.
        self.stale_code = true;
        Ok(())
    }

    /// What was noted.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.hooks().trapped.notes)
    }

    /// Takes back what an instruction did that was stopped while it was under way.
    pub(super) fn turn_back(&mut self) -> Result<(), uc_error> {
        let trapped = &mut self.hooks().trapped;
        let Some(before) = trapped.before.take() else { return Ok(()) };
        let stored = std::mem::take(&mut trapped.stored);
        for (address, bytes) in stored.iter().rev() {
            self.uc.mem_write(*address, bytes)?;
        }
        self.uc.context_restore(&before)
    }
}

/// Stops before this instruction.
fn breakpoint(uc: &mut Unicorn<'_, Hooks>, address: u64) {
    let hooks = uc.get_data_mut();
    if hooks.trapped.begun.take() == Some(address) {
        return;
    }
    stop(uc, Sight::Breakpoint);
}

fn stop(uc: &mut Unicorn<'_, Hooks>, sight: Sight) {
    uc.get_data_mut().see(Seen::Trap(sight));
    let _ = uc.emu_stop();
}

/// An instruction is done, and another one begins.
fn between(uc: &mut Unicorn<'_, Hooks>) {
    let trapped = &mut uc.get_data_mut().trapped;
    // What was seen in an IT block is stopped behind it, and then all since is taken back.
    if trapped.before.is_none() {
        trapped.stored.clear();
    }
}

/// An access, by its physical address, before it is made.
fn access(uc: &mut Unicorn<'_, Hooks>, address: u64, size: usize, writes: bool) -> bool {
    if writes && let Ok(bytes) = uc.mem_read_as_vec(address, size) {
        uc.get_data_mut().trapped.stored.push((address, bytes));
    }
    let hooks = uc.get_data();
    let counts = |access: Watched| access == Watched::Both || (access == Watched::Writes) == writes;
    let watchpoints = hooks.trapped.traps.watchpoints.iter().filter(|watchpoint| counts(watchpoint.access));
    let hit = watchpoints.flat_map(|watchpoint| watchpoint.bytes.clone()).find(|&byte| {
        // Most accesses are elsewhere in their page, which is known without looking for it.
        (byte.wrapping_sub(address) & (PAGE - 1)) < size as u64
            && hooks.pages.touched(byte).is_some_and(|byte| byte.wrapping_sub(address) < size as u64)
    });
    if let Some(byte) = hit
        && hooks.trapped.before.is_none()
    {
        let before = uc.context_init().ok();
        uc.get_data_mut().trapped.before = before;
        stop(uc, Sight::Access { writes, address: byte });
    }
    if !uc.get_data().is_64 {
        forget_it(uc);
    }
    true
}

/// Notes an instruction before it is executed.
fn note(uc: &mut Unicorn<'_, Hooks>, pc: u64, size: u32, m_profile: bool, file: &[i32]) {
    if uc.get_data().trapped.notes.len() >= MOST && uc.get_data().seen.is_none() {
        stop(uc, Sight::Full);
        return;
    }
    let thumb = m_profile || size == 2 || !uc.get_data().is_64 && is_thumb(uc);
    let mut code = [0; 4];
    let physical = uc.get_data().pages.touched(pc);
    if let Some(physical) = physical {
        // The last one of a page may go on in the next, whose physical page is another.
        let here = (PAGE - pc % PAGE).min(4) as usize;
        let _ = uc.mem_read(physical, &mut code[..here]);
        if here < 4
            && let Some(next) = uc.get_data().pages.touched(pc.wrapping_add(here as u64))
        {
            let _ = uc.mem_read(next, &mut code[here..]);
        }
    }
    let length = length(&code, thumb) as u8;
    let mut digest = FxHasher::default();
    for &register in file {
        uc.reg_read(register).unwrap_or(0).hash(&mut digest);
    }
    let registers = if file.is_empty() { 0 } else { digest.finish() };
    if length == 2 {
        code[2..].fill(0);
    }
    uc.get_data_mut().trapped.notes.push(Note { pc, code, length, thumb, registers });
}

fn is_thumb(uc: &Unicorn<'_, Hooks>) -> bool {
    use unicorn_engine::RegisterARM;
    uc.reg_read(RegisterARM::CPSR).unwrap_or(0) as u32 & super::cpu::THUMB != 0
}
