//! Code of the system's own that a process finds in its memory: where signal handlers return to and, on ARM, the helpers that
//! user space is promised at fixed addresses (the kernel's documentation, `kernel_user_helpers`).

use super::Process;
use crate::executor::hosted::engine::{Access, Engine, PAGE};

/// The page of ARM's helpers.
const HELPERS: u64 = 0xffff_0000;

/// `__kuser_cmpxchg64`: r0, r1 and r2 point to the old value, the new one, and the place. r0 is 0 and C is set where it was stored.
const COMPARE_64: [u32; 16] = [
    0xe92d_03f0, // push {r4-r9}
    0xe1c0_40d0, // ldrd r4, r5, [r0]
    0xe1c1_60d0, // ldrd r6, r7, [r1]
    0xee07_0fba, // mcr p15, 0, r0, c7, c10, 5: a barrier for data
    0xe1b2_8f9f, // 1: ldrexd r8, r9, [r2]
    0xe3a0_0001, // mov r0, #1
    0xe158_0004, // cmp r8, r4
    0x0159_0005, // cmpeq r9, r5
    0x1a00_0002, // bne 2f
    0xe1a2_0f96, // strexd r0, r6, r7, [r2]
    0xe350_0000, // cmp r0, #0
    0x1aff_fff7, // bne 1b
    0xee07_1fba, // 2: mcr p15, 0, r1, c7, c10, 5
    0xe270_0000, // rsbs r0, r0, #0
    0xe8bd_03f0, // pop {r4-r9}
    RETURN,
];
/// `__kuser_memory_barrier`
const BARRIER: [u32; 2] = [0xee07_0fba, RETURN];
/// `__kuser_cmpxchg`: r0 and r1 are the old value and the new one, r2 points to the place.
const COMPARE: [u32; 8] = [
    0xe192_3f9f, // 1: ldrex r3, [r2]
    0xe033_3000, // eors r3, r3, r0
    0x1a00_0002, // bne 2f
    0xe182_3f91, // strex r3, r1, [r2]
    0xe353_0000, // cmp r3, #0
    0x1aff_fff9, // bne 1b
    0xe273_0000, // 2: rsbs r0, r3, #0
    RETURN,
];
/// `__kuser_get_tls`: mrc p15, 0, r0, c13, c0, 3
const THREAD: [u32; 2] = [0xee1d_0f70, RETURN];
/// bx lr
const RETURN: u32 = 0xe12f_ff1e;
/// mov r7, #119; svc 0 (sigreturn); mov r7, #173; svc 0 (rt_sigreturn); and the same in Thumb state.
const SIGNAL_RETURNS: [u32; 6] = [0xe3a0_7077, 0xef00_0000, 0xe3a0_70ad, 0xef00_0000, 0xdf00_2777, 0xdf00_27ad];

/// What is in ARM's page, by its offset.
const ARM: &[(u64, &[u32])] = &[
    (RETURNS, &SIGNAL_RETURNS),
    (0xf60, &COMPARE_64),
    (0xfa0, &BARRIER),
    (0xfc0, &COMPARE),
    (0xfe0, &THREAD),
    // __kuser_helper_version: how many slots of 32 bytes there are.
    (0xffc, &[5]),
];
/// mov x8, #139; svc #0 (rt_sigreturn), by which unwinders know the frame of a signal.
const A64: &[(u64, &[u32])] = &[(RETURNS, &[0xd280_1168, 0xd400_0001])];
/// Where handlers return to, in the page.
const RETURNS: u64 = 0x500;

impl<E: Engine + 'static> Process<E> {
    /// Maps the system's page.
    pub(super) fn map_kernel_page(&mut self) {
        let (start, content) = if self.abi.is_64 { (self.abi.stack_end, A64) } else { (HELPERS, ARM) };
        let engine = &mut self.machine.engine;
        engine.protect(start..=start + (PAGE - 1), Access::CODE);
        for (offset, words) in content {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            // It was just mapped.
            let _ = engine.write(start + offset, &bytes);
        }
    }

    /// Where a handler returns to that brought no code for it, with the Thumb bit.
    pub(super) fn signal_return(&self, thumb: bool, with_info: bool) -> u64 {
        if self.abi.is_64 {
            return self.abi.stack_end + RETURNS;
        }
        let (state, width) = if thumb { (17, 4) } else { (0, 8) };
        HELPERS + RETURNS + state + if with_info { width } else { 0 }
    }
}
