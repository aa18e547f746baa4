//! Follows a branch that a linker has sent to something of its own: the stub is run on the emulator until it comes
//! to what the objects have. Linkers have a few dozen shapes of stubs; a processor knows them all.

use linker::Target;
use unicorn_engine::{Arch, HookType, MemType, Mode, Prot, RegisterARM, Unicorn};

use super::output::{End, Output};
use crate::executor::unicorn::is_deadly;

/// Instructions that a stub may have.
const MOST: usize = 32;

const PAGE: u64 = 0x1000;

/// The T bit of the status register.
const T: u64 = 1 << 5;

struct State<'a> {
    output: &'a Output<'a>,
    ended: Option<u64>,
    /// Where instructions are on which the emulator would abort: it halts before them.
    deadly: Vec<u64>,
}

impl Output<'_> {
    /// Where a branch to this address ends up.
    pub(super) fn follow(&self, target: &Target, start: u64, thumb: bool) -> End {
        if self.is_input(start) {
            return Some((start, thumb));
        }
        let known = self.followed.borrow().get(&(start, thumb)).copied();
        known.unwrap_or_else(|| {
            let end = run(target, self, start, thumb);
            self.followed.borrow_mut().insert((start, thumb), end);
            end
        })
    }
}

/// The address at which a branch to `start` leaves what the linker made, and whether it does so in Thumb state. None if it
/// does not.
fn run(target: &Target, output: &Output<'_>, start: u64, thumb: bool) -> End {
    let wide = target.register_bits == 64;
    // The emulator's core runs both instruction sets: these targets have Thumb only.
    let thumb_only = crate::executor::Unicorn::has_thumb_only(target);
    if thumb_only && !thumb {
        return None;
    }
    let arch = if wide { Arch::ARM64 } else { Arch::ARM };
    let mode = match (target.big_endian, wide) {
        (false, _) => Mode::LITTLE_ENDIAN,
        (true, true) => Mode::BIG_ENDIAN,
        // Code is little-endian.
        (true, false) => Mode::ARMBE8,
    };
    let mut uc = Unicorn::new_with_data(arch, mode, State { output, ended: None, deadly: Vec::new() }).ok()?;
    uc.ctl_exits_enable().ok()?;
    uc.ctl_set_exits(&[]).ok()?;
    // Memory comes when it is asked for. What is not there is beyond the link: somebody's absolute address.
    let fill = |uc: &mut Unicorn<'_, State<'_>>, kind: MemType, address: u64, _, _| {
        let page = address & !(PAGE - 1);
        let bytes = uc.get_data().output.page(page, PAGE as usize);
        let absent = kind == MemType::FETCH_UNMAPPED && uc.get_data().output.read_at(address, 2).is_none();
        if absent {
            uc.get_data_mut().ended = Some(address);
        }
        if absent || uc.mem_map(page, PAGE, Prot::ALL).is_err() || uc.mem_write(page, &bytes).is_err() {
            return false;
        }
        let words = bytes.as_chunks::<4>().0.iter().enumerate();
        let deadly = words.filter(|(_, word)| wide && is_deadly(u32::from_le_bytes(**word)));
        let deadly = deadly.map(|(number, _)| page + 4 * number as u64);
        uc.get_data_mut().deadly.extend(deadly);
        let exits = uc.get_data().deadly.clone();
        exits.is_empty() || uc.ctl_set_exits(&exits).is_ok()
    };
    uc.add_mem_hook(HookType::MEM_UNMAPPED, 1, 0, fill).ok()?;
    let arrive = |uc: &mut Unicorn<'_, State<'_>>, address: u64, _| {
        if uc.get_data().ended.is_none() && uc.get_data().output.is_input(address) {
            uc.get_data_mut().ended = Some(address);
            // The only error is an engine that does not run.
            let _ = uc.emu_stop();
        }
    };
    uc.add_code_hook(1, 0, arrive).ok()?;
    let leaves = |uc: &mut Unicorn<'_, State<'_>>, _, _| {
        if uc.reg_read(RegisterARM::CPSR).is_ok_and(|status| status & T == 0) {
            let _ = uc.emu_stop();
        }
    };
    if thumb_only {
        uc.add_code_hook(1, 0, leaves).ok()?;
    }
    // How it ends is what the hooks say.
    let _ = uc.emu_start(start & !1 | u64::from(thumb), 0, 0, MOST);
    let end = uc.get_data().ended?;
    let in_thumb = !wide && uc.reg_read(RegisterARM::CPSR).ok()? & T != 0;
    Some((end, in_thumb))
}
