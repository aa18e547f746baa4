//! SPS, ORC's simple packed serialization: fields one behind the other, little-endian, without padding or type tags.
//!
//! | wire | here |
//! |---|---|
//! | integers, addresses | `u8` `u16` `u32` `u64` `i32` `i64` |
//! | bool | `bool` |
//! | sequence | `Vec<T>`, `&[T]`; of bytes, and a string that is not for people: `&[u8]` |
//! | string for people | `String`, `&str`; read with what is not UTF-8 replaced |
//! | tuple, argument list | tuples; `fields!` for structures |
//! | optional | `Option<T>` |
//! | error | [`Error`] |
//! | expected | [`Expected`] |
//! | empty | `()` |

/// Something that can be written.
pub trait Encode {
    /// Appends it.
    fn encode(&self, to: &mut Vec<u8>);

    /// Appends several, without their count. Bytes go in one piece.
    fn encode_all(several: &[Self], to: &mut Vec<u8>)
    where
        Self: Sized,
    {
        several.iter().for_each(|one| one.encode(to));
    }
}

/// Something that can be read. What is read may borrow from the message.
pub trait Decode<'a>: Sized {
    /// The fewest bytes that one takes, which bounds how many there can be in what is left of a message.
    const LEAST: usize;

    /// Takes it from the front.
    fn decode(from: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

/// Why a payload cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends too early.
    #[error("the message ends at byte {at}, where {wanted} more were expected")]
    Ends {
        /// Bytes before its end.
        at: usize,
        /// Bytes that are missing.
        wanted: usize,
    },
    /// A sequence cannot be as long as it says.
    #[error("a sequence at byte {at} says it has {count} elements, but only {left} bytes are left")]
    Count {
        /// Where its count is.
        at: usize,
        /// The count.
        count: u64,
        /// What is behind it.
        left: usize,
    },
    /// A truth value that is neither.
    #[error("byte {at} is {value}, expected 0 or 1")]
    Bool {
        /// Where.
        at: usize,
        /// The byte.
        value: u8,
    },
}

/// A payload being read.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// From its beginning.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Bytes not yet read.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next so many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| DecodeError::Ends { at: self.bytes.len(), wanted: count - self.left() })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A count of elements of at least so many bytes each. What is left of the message can hold that many.
    fn count(&mut self, least: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let count = u64::decode(self)?;
        let fits = usize::try_from(count).ok().filter(|&count| count <= self.left() / least.max(1));
        fits.ok_or(DecodeError::Count { at, count, left: self.left() })
    }
}

/// Reads a payload. Bytes behind it are no error: LLVM does not look at them either.
pub fn decode<'a, T: Decode<'a>>(payload: &'a [u8]) -> Result<T, DecodeError> {
    T::decode(&mut Reader::new(payload))
}

/// Writes a payload.
pub fn encode(value: &impl Encode) -> Vec<u8> {
    let mut payload = Vec::new();
    value.encode(&mut payload);
    payload
}

macro_rules! integers {
    ($($type:ty $(, $all:item)?;)*) => {$(
        impl Encode for $type {
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend(self.to_le_bytes());
            }

            $($all)?
        }

        impl Decode<'_> for $type {
            const LEAST: usize = size_of::<$type>();

            fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                const SIZE: usize = size_of::<$type>();
                let mut bytes = [0; SIZE];
                bytes.copy_from_slice(from.take(SIZE)?);
                Ok(<$type>::from_le_bytes(bytes))
            }
        }
    )*};
}

integers!(
    u8, fn encode_all(several: &[u8], to: &mut Vec<u8>) { to.extend_from_slice(several) };
    u16; u32; u64; i32; i64;
);

impl Encode for bool {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

impl Decode<'_> for bool {
    const LEAST: usize = 1;

    fn decode(from: &mut Reader<'_>) -> Result<bool, DecodeError> {
        let at = from.at;
        match u8::decode(from)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::Bool { at, value }),
        }
    }
}

impl<T: Encode> Encode for [T] {
    fn encode(&self, to: &mut Vec<u8>) {
        (self.len() as u64).encode(to);
        T::encode_all(self, to);
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.as_slice().encode(to);
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, to: &mut Vec<u8>) {
        (**self).encode(to);
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    const LEAST: usize = 8;

    fn decode(from: &mut Reader<'a>) -> Result<Vec<T>, DecodeError> {
        let count = from.count(T::LEAST)?;
        (0..count).map(|_| T::decode(from)).collect()
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    const LEAST: usize = 8;

    fn decode(from: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
        let count = from.count(1)?;
        from.take(count)
    }
}

impl Encode for str {
    fn encode(&self, to: &mut Vec<u8>) {
        (self.len() as u64).encode(to);
        to.extend(self.as_bytes());
    }
}

impl Encode for String {
    fn encode(&self, to: &mut Vec<u8>) {
        self.as_str().encode(to);
    }
}

impl Decode<'_> for String {
    const LEAST: usize = 8;

    fn decode(from: &mut Reader<'_>) -> Result<String, DecodeError> {
        <&[u8]>::decode(from).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.is_some().encode(to);
        self.iter().for_each(|value| value.encode(to));
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    const LEAST: usize = 1;

    fn decode(from: &mut Reader<'a>) -> Result<Option<T>, DecodeError> {
        Ok(if bool::decode(from)? { Some(T::decode(from)?) } else { None })
    }
}

/// Success, or what went wrong. On the wire the flag says that there *is* an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub Result<(), String>);

impl Encode for Error {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.as_ref().err().cloned().encode(to);
    }
}

impl Decode<'_> for Error {
    const LEAST: usize = 1;

    fn decode(from: &mut Reader<'_>) -> Result<Error, DecodeError> {
        Ok(Error(Option::<String>::decode(from)?.map_or(Ok(()), Err)))
    }
}

/// A value, or what went wrong. On the wire the flag says that there is *none*, unlike that of [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<T>(pub Result<T, String>);

impl<T: Encode> Encode for Expected<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.is_ok().encode(to);
        match &self.0 {
            Ok(value) => value.encode(to),
            Err(error) => error.encode(to),
        }
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Expected<T> {
    const LEAST: usize = 1;

    fn decode(from: &mut Reader<'a>) -> Result<Expected<T>, DecodeError> {
        Ok(Expected(if bool::decode(from)? { Ok(T::decode(from)?) } else { Err(String::decode(from)?) }))
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        #[allow(non_snake_case, unused_variables)] // Of the empty one nothing is read or written.
        impl<$($name: Encode),*> Encode for ($($name,)*) {
            fn encode(&self, to: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.encode(to);)*
            }
        }

        impl<'a, $($name: Decode<'a>),*> Decode<'a> for ($($name,)*) {
            const LEAST: usize = 0 $(+ $name::LEAST)*;

            #[allow(unused_variables, reason = "a tuple of nothing reads nothing")]
            fn decode(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
                Ok(($($name::decode(from)?,)*))
            }
        }
    )*};
}

tuples!(()(A)(A B)(A B C)(A B C D));

/// Makes a structure travel as its fields, in this order.
macro_rules! fields {
    ($name:ident $(<$borrow:lifetime>)? { $($field:ident: $type:ty),* $(,)? }) => {
        impl $(<$borrow>)? $crate::orc::sps::Encode for $name $(<$borrow>)? {
            fn encode(&self, to: &mut Vec<u8>) {
                $($crate::orc::sps::Encode::encode(&self.$field, to);)*
            }
        }

        $crate::orc::sps::fields!(@decode $name [$($borrow)?] { $($field: $type),* });
    };
    (@decode $name:ident [] $fields:tt) => {
        $crate::orc::sps::fields!(@decode $name ['a] [] $fields);
    };
    (@decode $name:ident [$borrow:lifetime] $fields:tt) => {
        $crate::orc::sps::fields!(@decode $name [$borrow] [<$borrow>] $fields);
    };
    (@decode $name:ident [$borrow:lifetime] [$($of:tt)*] { $($field:ident: $type:ty),* }) => {
        impl<$borrow> $crate::orc::sps::Decode<$borrow> for $name $($of)* {
            const LEAST: usize = 0 $(+ <$type as $crate::orc::sps::Decode<$borrow>>::LEAST)*;

            fn decode(
                from: &mut $crate::orc::sps::Reader<$borrow>,
            ) -> Result<Self, $crate::orc::sps::DecodeError> {
                Ok($name { $($field: $crate::orc::sps::Decode::decode(from)?),* })
            }
        }
    };
}

pub(crate) use fields;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One of everything.
    type Whole = (
        (u8, u16, u32, u64),
        (i32, i64, bool, ()),
        (Vec<(String, Option<u64>)>, Vec<Vec<u16>>, Option<Option<bool>>),
        (Expected<Vec<u8>>, Error),
    );

    fn outcome<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Result<T, String>> {
        (any::<Option<String>>(), value).prop_map(|(error, value)| error.map_or(Ok(value), Err))
    }

    prop_compose! {
        fn whole()(
            numbers in any::<(u8, u16, u32, u64)>(),
            signed in any::<(i32, i64, bool, ())>(),
            nested in any::<(Vec<(String, Option<u64>)>, Vec<Vec<u16>>, Option<Option<bool>>)>(),
            expected in outcome(any::<Vec<u8>>()),
            error in outcome(Just(())),
        ) -> Whole {
            (numbers, signed, nested, (Expected(expected), Error(error)))
        }
    }

    proptest! {
        #[test]
        fn values_come_back(value in whole(), trailing in any::<Vec<u8>>(), cut: proptest::sample::Index) {
            let mut bytes = encode(&value);
            let length = bytes.len();
            prop_assert!(length >= Whole::LEAST);
            bytes.extend(&trailing);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Whole::decode(&mut reader).unwrap(), value);
            prop_assert_eq!(reader.left(), trailing.len());
            // Every byte of it is needed.
            prop_assert!(decode::<Whole>(&bytes[..cut.index(length)]).is_err());
        }

        #[test]
        fn garbage_is_an_error_or_a_value(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = decode::<Whole>(&bytes) {
                prop_assert_eq!(decode::<Whole>(&encode(&value)), Ok(value));
            }
            let _ = decode::<Vec<()>>(&bytes);
        }
    }

    #[derive(Debug, PartialEq)]
    struct Borrowing<'m> {
        name: &'m [u8],
        address: u64,
    }
    fields!(Borrowing<'m> { name: &'m [u8], address: u64 });

    #[derive(Debug, PartialEq)]
    struct Owning {
        address: u64,
        flags: u8,
    }
    fields!(Owning { address: u64, flags: u8 });

    #[test]
    fn bytes_of_the_wire() {
        let bytes = encode(&Borrowing { name: b"main", address: 0x1234 });
        assert_eq!(bytes, [&[4, 0, 0, 0, 0, 0, 0, 0][..], b"main", &[0x34, 0x12, 0, 0, 0, 0, 0, 0]].concat());
        assert_eq!(decode(&bytes), Ok(Borrowing { name: b"main", address: 0x1234 }));
        assert_eq!(decode(&[1, 0, 0, 0, 0, 0, 0, 0, 16]), Ok(Owning { address: 1, flags: 16 }));
        // The two flags have opposite meanings.
        assert_eq!(encode(&Error(Ok(()))), [0]);
        assert_eq!(encode(&Expected(Ok(7u8))), [1, 7]);
        assert_eq!(encode(&Error(Err("a".to_owned()))), [1, 1, 0, 0, 0, 0, 0, 0, 0, b'a']);
        assert_eq!(encode(&Expected::<u8>(Err("a".to_owned()))), [0, 1, 0, 0, 0, 0, 0, 0, 0, b'a']);
        assert_eq!(encode(&Some(3u16)), [1, 3, 0]);
        assert_eq!(encode(&None::<u16>), [0]);
        assert_eq!(decode::<String>(&[1, 0, 0, 0, 0, 0, 0, 0, 0xff]), Ok("\u{fffd}".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = decode::<(u8, u64)>(&[1, 2, 3]).expect_err("too short");
        assert_eq!(error.to_string(), "the message ends at byte 3, where 6 more were expected");
        let mut bytes = encode(&u64::MAX);
        bytes.push(1);
        let says = "a sequence at byte 0 says it has 18446744073709551615 elements, but only 1 bytes are left";
        assert_eq!(decode::<Vec<u8>>(&bytes).expect_err("too many").to_string(), says);
        assert!(decode::<Vec<()>>(&bytes).is_err());
        assert!(decode::<Vec<Borrowing<'_>>>(&[1, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert_eq!(decode::<bool>(&[2]).expect_err("neither").to_string(), "byte 0 is 2, expected 0 or 1");
    }
}
