//! The run-time ABI for the Arm architecture (RTABI32): what compilers call where the processor has no instruction.
//!
//! All of it is by the base standard, whatever the program's own is.

use super::Table;
use super::frame::{Frame, Outcome};
use super::libc::memcpy;
use crate::machine::Register;

/// Integers and memory.
pub(super) const INTEGER: Table = &[
    ("__aeabi_idiv", |f| {
        let (a, b) = (f.int()?, f.int()?);
        f.give_int(if b == 0 { 0 } else { a.wrapping_div(b) })
    }),
    ("__aeabi_uidiv", |f| {
        let (a, b) = (f.int()? as u32, f.int()? as u32);
        f.give_int(a.checked_div(b).unwrap_or(0) as i32)
    }),
    ("__aeabi_idivmod", |f| {
        let (a, b) = (f.int()?, f.int()?);
        let (quotient, rest) = if b == 0 { (0, a) } else { (a.wrapping_div(b), a.wrapping_rem(b)) };
        give_two(f, quotient as u32, rest as u32)
    }),
    ("__aeabi_uidivmod", |f| {
        let (a, b) = (f.int()? as u32, f.int()? as u32);
        let (quotient, rest) = a.checked_div(b).map_or((0, a), |quotient| (quotient, a % b));
        give_two(f, quotient, rest)
    }),
    ("__aeabi_lmul", |f| {
        let (a, b) = (f.long()?, f.long()?);
        f.give_long(a.wrapping_mul(b))
    }),
    ("__aeabi_ldivmod", |f| {
        let (a, b) = (f.long()? as i64, f.long()? as i64);
        let (quotient, rest) = if b == 0 { (0, a) } else { (a.wrapping_div(b), a.wrapping_rem(b)) };
        f.give_at(2, rest as u64);
        f.give_long(quotient as u64)
    }),
    ("__aeabi_uldivmod", |f| {
        let (a, b) = (f.long()?, f.long()?);
        let (quotient, rest) = a.checked_div(b).map_or((0, a), |quotient| (quotient, a % b));
        f.give_at(2, rest);
        f.give_long(quotient)
    }),
    // Shifts of 64 and more give what shifting one bit at a time would.
    ("__aeabi_llsl", |f| {
        let (a, by) = (f.long()?, f.int()?);
        f.give_long(a.checked_shl(by as u32).unwrap_or(0))
    }),
    ("__aeabi_llsr", |f| {
        let (a, by) = (f.long()?, f.int()?);
        f.give_long(a.checked_shr(by as u32).unwrap_or(0))
    }),
    ("__aeabi_lasr", |f| {
        let (a, by) = (f.long()? as i64, f.int()?);
        f.give_long((a >> (by as u32).min(63)) as u64)
    }),
    ("__aeabi_lcmp", |f| {
        let (a, b) = (f.long()? as i64, f.long()? as i64);
        f.give_int(a.cmp(&b) as i32)
    }),
    ("__aeabi_ulcmp", |f| {
        let (a, b) = (f.long()?, f.long()?);
        f.give_int(a.cmp(&b) as i32)
    }),
    ("__aeabi_memcpy", memcpy),
    ("__aeabi_memcpy4", memcpy),
    ("__aeabi_memcpy8", memcpy),
    ("__aeabi_memmove", memcpy),
    ("__aeabi_memmove4", memcpy),
    ("__aeabi_memmove8", memcpy),
    ("__aeabi_memset", memset),
    ("__aeabi_memset4", memset),
    ("__aeabi_memset8", memset),
    ("__aeabi_memclr", memclr),
    ("__aeabi_memclr4", memclr),
    ("__aeabi_memclr8", memclr),
    // libgcc's names, which newer architectures' code still uses.
    ("__clzsi2", |f| {
        let a = f.int()?;
        f.give_int(a.leading_zeros() as i32)
    }),
    ("__ctzsi2", |f| {
        let a = f.int()?;
        f.give_int(a.trailing_zeros() as i32)
    }),
    ("__popcountsi2", |f| {
        let a = f.int()?;
        f.give_int(a.count_ones() as i32)
    }),
    ("__clzdi2", |f| {
        let a = f.long()?;
        f.give_int(a.leading_zeros() as i32)
    }),
];

/// Returns two words, in r0 and r1 whatever the byte order (RTABI32, The idiv_return structures).
fn give_two(f: &mut Frame<'_>, first: u32, second: u32) -> Outcome {
    f.guest().set(Register::Core(1), second.into());
    f.give(first.into())
}

/// The order of arguments is not that of C.
fn memset(f: &mut Frame<'_>) -> Outcome {
    let (to, length, byte) = (f.word()?, f.word()?, f.int()? as u8);
    f.fill(to, byte, length)?;
    f.done()
}

fn memclr(f: &mut Frame<'_>) -> Outcome {
    let (to, length) = (f.word()?, f.word()?);
    f.fill(to, 0, length)?;
    f.done()
}

/// A function of two floats that returns a third.
macro_rules! float {
    ($give:ident($take:ident, $take2:ident): |$a:ident, $b:ident| $value:expr) => {
        |f| {
            f.base();
            let ($a, $b) = (f.$take()?, f.$take2()?);
            f.$give($value)
        }
    };
    ($give:ident($take:ident): |$a:ident| $value:expr) => {
        |f| {
            let $a = f.base().$take()?;
            f.$give($value)
        }
    };
}

/// Floating point. Rust's `as` has the semantics that the RTABI leaves open: it saturates, and NaN becomes 0.
pub(super) const FLOAT: Table = &[
    ("__aeabi_fadd", float!(give_float(float, float): |a, b| a + b)),
    ("__aeabi_fsub", float!(give_float(float, float): |a, b| a - b)),
    ("__aeabi_frsub", float!(give_float(float, float): |a, b| b - a)),
    ("__aeabi_fmul", float!(give_float(float, float): |a, b| a * b)),
    ("__aeabi_fdiv", float!(give_float(float, float): |a, b| a / b)),
    ("__aeabi_fneg", float!(give_float(float): |a| -a)),
    ("__aeabi_dadd", float!(give_double(double, double): |a, b| a + b)),
    ("__aeabi_dsub", float!(give_double(double, double): |a, b| a - b)),
    ("__aeabi_drsub", float!(give_double(double, double): |a, b| b - a)),
    ("__aeabi_dmul", float!(give_double(double, double): |a, b| a * b)),
    ("__aeabi_ddiv", float!(give_double(double, double): |a, b| a / b)),
    ("__aeabi_dneg", float!(give_double(double): |a| -a)),
    ("__aeabi_fcmpeq", float!(give_int(float, float): |a, b| i32::from(a == b))),
    ("__aeabi_fcmplt", float!(give_int(float, float): |a, b| i32::from(a < b))),
    ("__aeabi_fcmple", float!(give_int(float, float): |a, b| i32::from(a <= b))),
    ("__aeabi_fcmpge", float!(give_int(float, float): |a, b| i32::from(a >= b))),
    ("__aeabi_fcmpgt", float!(give_int(float, float): |a, b| i32::from(a > b))),
    ("__aeabi_fcmpun", float!(give_int(float, float): |a, b| i32::from(a.is_nan() || b.is_nan()))),
    ("__aeabi_dcmpeq", float!(give_int(double, double): |a, b| i32::from(a == b))),
    ("__aeabi_dcmplt", float!(give_int(double, double): |a, b| i32::from(a < b))),
    ("__aeabi_dcmple", float!(give_int(double, double): |a, b| i32::from(a <= b))),
    ("__aeabi_dcmpge", float!(give_int(double, double): |a, b| i32::from(a >= b))),
    ("__aeabi_dcmpgt", float!(give_int(double, double): |a, b| i32::from(a > b))),
    ("__aeabi_dcmpun", float!(give_int(double, double): |a, b| i32::from(a.is_nan() || b.is_nan()))),
    ("__aeabi_f2d", float!(give_double(float): |a| f64::from(a))),
    ("__aeabi_d2f", float!(give_float(double): |a| a as f32)),
    ("__aeabi_i2f", float!(give_float(int): |a| a as f32)),
    ("__aeabi_ui2f", float!(give_float(int): |a| a as u32 as f32)),
    ("__aeabi_l2f", float!(give_float(long): |a| a as i64 as f32)),
    ("__aeabi_ul2f", float!(give_float(long): |a| a as f32)),
    ("__aeabi_i2d", float!(give_double(int): |a| f64::from(a))),
    ("__aeabi_ui2d", float!(give_double(int): |a| f64::from(a as u32))),
    ("__aeabi_l2d", float!(give_double(long): |a| a as i64 as f64)),
    ("__aeabi_ul2d", float!(give_double(long): |a| a as f64)),
    ("__aeabi_f2iz", float!(give_int(float): |a| a as i32)),
    ("__aeabi_f2uiz", float!(give_int(float): |a| a as u32 as i32)),
    ("__aeabi_f2lz", float!(give_long(float): |a| a as i64 as u64)),
    ("__aeabi_f2ulz", float!(give_long(float): |a| a as u64)),
    ("__aeabi_d2iz", float!(give_int(double): |a| a as i32)),
    ("__aeabi_d2uiz", float!(give_int(double): |a| a as u32 as i32)),
    ("__aeabi_d2lz", float!(give_long(double): |a| a as i64 as u64)),
    ("__aeabi_d2ulz", float!(give_long(double): |a| a as u64)),
    ("__aeabi_cfcmpeq", |f| {
        let (a, b) = (f.base().float()?, f.float()?);
        flags(f, f64::from(a), f64::from(b))
    }),
    ("__aeabi_cfcmple", |f| {
        let (a, b) = (f.base().float()?, f.float()?);
        flags(f, f64::from(a), f64::from(b))
    }),
    ("__aeabi_cfrcmple", |f| {
        let (a, b) = (f.base().float()?, f.float()?);
        flags(f, f64::from(b), f64::from(a))
    }),
    ("__aeabi_cdcmpeq", |f| {
        let (a, b) = (f.base().double()?, f.double()?);
        flags(f, a, b)
    }),
    ("__aeabi_cdcmple", |f| {
        let (a, b) = (f.base().double()?, f.double()?);
        flags(f, a, b)
    }),
    ("__aeabi_cdrcmple", |f| {
        let (a, b) = (f.base().double()?, f.double()?);
        flags(f, b, a)
    }),
];

/// The result of the `c` comparisons: Z when equal, C clear when less. They change no register.
fn flags(f: &mut Frame<'_>, a: f64, b: f64) -> Outcome {
    const N: u128 = 1 << 31;
    const Z: u128 = 1 << 30;
    const C: u128 = 1 << 29;
    const V: u128 = 1 << 28;
    let status = f.guest().get(Register::Status) & !(N | Z | C | V);
    let new = if a == b {
        Z | C
    } else if a < b {
        N
    } else {
        C
    };
    f.guest().set(Register::Status, status | new);
    f.done()
}
