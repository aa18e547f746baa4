//! Rust's types as those of the procedure call standards.

use corpus::value::Value;
use linker::Target;

use crate::call::Type;

/// Something that can be passed to a function of a program.
///
/// Numbers go where the procedure call standard has a C type of their size; those of less than 32 bits are widened, as a
/// caller in C does. Text and bytes are put into the program's memory, text with a NUL behind, and passed as a pointer.
pub trait Argument {
    /// The value on a target.
    fn value(self, target: &Target) -> Value;
}

/// The arguments of a call: a tuple of up to eight, `()` for none.
pub trait Arguments {
    /// The values on a target, in order.
    fn values(self, target: &Target) -> Vec<Value>;
}

/// What a function of a program can return: a number, a [`Pointer`], or nothing.
pub trait Returned: Sized {
    /// How it is returned; none for nothing.
    const TYPE: Option<Type>;
    /// The result from what was found there.
    fn from_value(value: &Value) -> Self;
}

/// A number as it lies in memory, for [`crate::rig::Program::read`].
pub trait Plain: Sized {
    /// Its size in bytes.
    const SIZE: usize;
    /// The number with these bits, of which only the lowest [`Plain::SIZE`] bytes count.
    fn from_bits(bits: u64) -> Self;
}

/// An address in the program's memory, with the Thumb bit where it is one of a Thumb function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(pub u64);

/// The address of a symbol of the program, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a>(pub &'a str);

impl Argument for Pointer {
    fn value(self, target: &Target) -> Value {
        if target.pointer_bits == 64 { Value::U64(self.0) } else { Value::U32(self.0 as u32) }
    }
}

impl Argument for Symbol<'_> {
    fn value(self, _: &Target) -> Value {
        Value::Address(self.0.to_owned(), 0)
    }
}

impl Argument for &str {
    fn value(self, _: &Target) -> Value {
        Value::Buffer([self.as_bytes(), &[0]].concat())
    }
}

impl Argument for &[u8] {
    fn value(self, _: &Target) -> Value {
        Value::Buffer(self.to_vec())
    }
}

impl<const N: usize> Argument for &[u8; N] {
    fn value(self, _: &Target) -> Value {
        Value::Buffer(self.to_vec())
    }
}

/// Each type with the value that carries it, and its unsigned twin of the same size.
macro_rules! numbers {
    ($($number:ty as $wide:ty, $carrier:ident, $bits:ty;)*) => {$(
        impl Argument for $number {
            fn value(self, _: &Target) -> Value {
                Value::$carrier(<$wide>::from(self))
            }
        }

        impl Returned for $number {
            const TYPE: Option<Type> = Some(Type::$carrier);

            fn from_value(value: &Value) -> $number {
                value.bits().unwrap_or(0) as $bits as $number
            }
        }

        impl Plain for $number {
            const SIZE: usize = size_of::<$number>();

            fn from_bits(bits: u64) -> $number {
                bits as $bits as $number
            }
        }
    )*};
}

numbers! {
    i8 as i32, I32, u8;
    u8 as u32, U32, u8;
    i16 as i32, I32, u16;
    u16 as u32, U32, u16;
    i32 as i32, I32, u32;
    u32 as u32, U32, u32;
    i64 as i64, I64, u64;
    u64 as u64, U64, u64;
}

/// Each type of floating point with the value that carries it, and the bits it has.
macro_rules! floats {
    ($($number:ident, $carrier:ident, $bits:ty;)*) => {$(
        impl Argument for $number {
            fn value(self, _: &Target) -> Value {
                Value::$carrier(self)
            }
        }

        impl Returned for $number {
            const TYPE: Option<Type> = Some(Type::$carrier);

            fn from_value(value: &Value) -> $number {
                $number::from_bits(value.bits().unwrap_or(0) as $bits)
            }
        }

        impl Plain for $number {
            const SIZE: usize = size_of::<$number>();

            fn from_bits(bits: u64) -> $number {
                $number::from_bits(bits as $bits)
            }
        }
    )*};
}

floats! {
    f32, F32, u32;
    f64, F64, u64;
}

impl Argument for bool {
    fn value(self, _: &Target) -> Value {
        Value::U32(self.into())
    }
}

impl Returned for bool {
    const TYPE: Option<Type> = Some(Type::U32);

    fn from_value(value: &Value) -> bool {
        // The callee leaves the rest of the register as it likes.
        value.bits().unwrap_or(0) & 0xff != 0
    }
}

impl Returned for Pointer {
    const TYPE: Option<Type> = Some(Type::Pointer);

    fn from_value(value: &Value) -> Pointer {
        Pointer(value.bits().unwrap_or(0))
    }
}

impl Returned for () {
    const TYPE: Option<Type> = None;

    fn from_value(_: &Value) {}
}

/// Tuples of arguments.
macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            #[allow(non_snake_case, unused_variables, reason = "the names are those of the types, and () has none")]
            fn values(self, target: &Target) -> Vec<Value> {
                let ($($name,)*) = self;
                vec![$($name.value(target)),*]
            }
        }
    };
}

tuples!();
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

/// Values that are made elsewhere.
impl Arguments for Vec<Value> {
    fn values(self, _: &Target) -> Vec<Value> {
        self
    }
}
