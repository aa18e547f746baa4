//! What a function returned, as `exec` prints it.

use std::io::{self, Write};

use clap::ValueEnum;
use corpus::value::Value;

use crate::call::{self, Type};
use crate::executor::{Abi, Executor, Register};
use crate::machine::arguments::long;

/// Types of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Returns {
    Void,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Pointer,
}

/// Prints a result of a known type, or what is in the registers that results are in.
pub(super) fn print(machine: &mut impl Executor, returns: Option<Returns>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let of = match returns {
        None => return Ok(registers(machine, &mut out)?),
        Some(Returns::Void) => return Ok(()),
        Some(Returns::I32) => Type::I32,
        Some(Returns::U32) => Type::U32,
        Some(Returns::I64) => Type::I64,
        Some(Returns::U64) => Type::U64,
        Some(Returns::F32) => Type::F32,
        Some(Returns::F64) => Type::F64,
        Some(Returns::Pointer) => Type::Pointer,
    };
    match call::result(machine, of)? {
        Value::I32(value) => writeln!(out, "{value}")?,
        Value::U32(value) => writeln!(out, "{value}")?,
        Value::I64(value) => writeln!(out, "{value}")?,
        Value::F32(value) => writeln!(out, "{value:?}")?,
        Value::F64(value) => writeln!(out, "{value:?}")?,
        Value::U64(value) if of == Type::Pointer => writeln!(out, "{value:#x}")?,
        value => writeln!(out, "{}", value.bits().unwrap_or(0))?,
    }
    Ok(())
}

/// The registers of results, each as the numbers that it may be.
fn registers(machine: &impl Executor, out: &mut impl Write) -> io::Result<()> {
    let info = machine.info();
    let mut core = [0, 1].map(|number| machine.get(Register::Core(number)) as u64);
    if !info.is_64() {
        core = core.map(|value| value & 0xffff_ffff);
    }
    for (number, value) in (0..).zip(core) {
        let signed = if info.is_64() { value as i64 } else { i64::from(value as i32) };
        writeln!(out, "{:5} {value:#x} ({signed})", Register::Core(number).name(info))?;
    }
    if info.abi == Abi::AapcsBase {
        // Floating-point numbers are in the same registers.
        let double = long(machine, 0, info);
        writeln!(out, "float {:#x} ({:?})", core[0], f32::from_bits(core[0] as u32))?;
        return writeln!(out, "double {double:#x} ({:?})", f64::from_bits(double));
    }
    let (double, single) = (machine.get(Register::Double(0)) as u64, machine.get(Register::Single(0)) as u32);
    writeln!(out, "{:5} {double:#x} ({:?})", "d0", f64::from_bits(double))?;
    writeln!(out, "{:5} {single:#x} ({:?})", "s0", f32::from_bits(single))
}
