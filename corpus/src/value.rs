//! Typed values: what a call passes and what it is expected to give back.

/// A value with a type, as written in directives and on the command line: `5i32`, `-1i64`, `1.5f64`, `"text"`,
/// `[1i32, 2i32]`, `&symbol+4`. The type decides where the procedure call standard puts it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `5i32`
    I32(i32),
    /// `5u32`
    U32(u32),
    /// `5i64`
    I64(i64),
    /// `5u64`
    U64(u64),
    /// `1.5f32`
    F32(f32),
    /// `1.5f64`
    F64(f64),
    /// A pointer to these bytes, which the executor puts into guest memory: `"text"` (a NUL is added) or a list of numbers
    /// in the target's byte order.
    Buffer(Vec<u8>),
    /// The address of a symbol plus an offset in bytes, with the Thumb bit of a Thumb function: `&name+4`.
    Address(String, i64),
}
