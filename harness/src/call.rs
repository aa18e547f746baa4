//! Typed calls: arguments to where the procedure call standard has them, and the result back from where it leaves it.

use corpus::value::Value;

use crate::executor::Executor;
use crate::machine::arguments::{Slot, Slots, halves, long};
use crate::machine::{Abi, Call, Inaccessible, Register, Stop};

/// Why a call could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// An argument names a symbol that there is none of.
    #[error("argument `&{0}`: no such symbol")]
    UnknownSymbol(String),
    /// A buffer does not fit into the machine.
    #[error("no room for an argument: {0}")]
    NoRoom(#[from] Inaccessible),
}

/// The type of a result: what is read, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `i32`
    I32,
    /// `u32`
    U32,
    /// `i64`
    I64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// A pointer, read as `u64` without looking at what it points to.
    Pointer,
    /// A pointer to this many bytes, which are the result.
    Bytes(usize),
}

impl Type {
    /// The type of a value.
    pub fn of(value: &Value) -> Type {
        match value {
            Value::I32(_) => Type::I32,
            Value::U32(_) => Type::U32,
            Value::I64(_) => Type::I64,
            Value::U64(_) => Type::U64,
            Value::F32(_) => Type::F32,
            Value::F64(_) => Type::F64,
            Value::Buffer(bytes) => Type::Bytes(bytes.len()),
            Value::List(list) => Type::Bytes(list.iter().map(|number| number.1).sum()),
            Value::Address(..) => Type::Pointer,
        }
    }
}

/// Places arguments for a call. Buffers are copied into the machine; `symbol` gives addresses, with the Thumb bit.
pub fn place<E: Executor>(
    executor: &mut E,
    function: u64,
    arguments: &[Value],
    symbol: &dyn Fn(&str) -> Option<u64>,
) -> Result<Call, CallError> {
    let mut slots = Slots::new(executor.info().abi);
    let mut call = Call { function, ..Call::default() };
    for argument in arguments {
        let (slot, bits) = match argument {
            Value::I32(value) => (slots.word(), u64::from(*value as u32)),
            Value::U32(value) => (slots.word(), u64::from(*value)),
            Value::I64(value) => (slots.long(), *value as u64),
            Value::U64(value) => (slots.long(), *value),
            Value::F32(value) => (slots.float(), u64::from(value.to_bits())),
            Value::F64(value) => (slots.double(), value.to_bits()),
            Value::Buffer(_) | Value::List(_) => {
                let bytes = argument.pointed(executor.info().target).unwrap_or_default();
                (slots.word(), executor.buffer(&bytes)?)
            }
            Value::Address(name, offset) => {
                let address = symbol(name).ok_or_else(|| CallError::UnknownSymbol(name.clone()))?;
                (slots.word(), executor.info().target.wrap(address.wrapping_add_signed(*offset)))
            }
        };
        match slot {
            Slot::One(register) => call.registers.push((register, u128::from(bits))),
            Slot::Pair(first) => {
                let [low, high] = halves(executor.info(), first);
                call.registers.push((low, u128::from(bits & 0xffff_ffff)));
                call.registers.push((high, u128::from(bits >> 32)));
            }
            Slot::Stack(offset) => {
                // How wide the slot is, the walk knows: it has just made room for it.
                let (from, to) = (offset as usize, slots.stacked() as usize);
                call.stack.resize(to, 0);
                call.stack[from..to].copy_from_slice(&executor.info().target.bytes(bits, to - from));
            }
        }
    }
    Ok(call)
}

/// Calls a function and lets it run until it is over, or until something happens that is not its caller's to serve.
pub fn call<E: Executor>(
    executor: &mut E,
    function: u64,
    arguments: &[Value],
    symbol: &dyn Fn(&str) -> Option<u64>,
) -> Result<Stop, CallError> {
    let call = place(executor, function, arguments, symbol)?;
    Ok(executor.start(&call))
}

/// What a function that has returned gave back.
pub fn result<E: Executor>(executor: &mut E, of: Type) -> Result<Value, Inaccessible> {
    let info = executor.info();
    let pair = long(executor, 0, info);
    let word = executor.get(Register::Core(0)) as u32;
    let address = info.target.wrap(executor.get(Register::Core(0)) as u64);
    Ok(match of {
        Type::I32 => Value::I32(word as i32),
        Type::U32 => Value::U32(word),
        Type::I64 => Value::I64(pair as i64),
        Type::U64 => Value::U64(pair),
        Type::F32 => Value::F32(f32::from_bits(match info.abi {
            Abi::AapcsBase => word,
            _ => executor.get(Register::Single(0)) as u32,
        })),
        Type::F64 => Value::F64(f64::from_bits(match info.abi {
            Abi::AapcsBase => pair,
            _ => executor.get(Register::Double(0)) as u64,
        })),
        Type::Pointer => Value::U64(address),
        Type::Bytes(length) => {
            let mut bytes = vec![0; length];
            executor.peek(address, &mut bytes)?;
            Value::Buffer(bytes)
        }
    })
}
