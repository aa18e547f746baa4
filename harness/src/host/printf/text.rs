//! What a conversion makes of one argument, as pieces: a run of zeros may be longer than memory, and takes none.

/// The text of a number or a string, in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// A sign, `0x`: what stands before zeros that fill a field.
    pub(super) prefix: Vec<u8>,
    /// Zeros that the precision of an integer asks for.
    pub(super) leading: u64,
    /// Digits.
    pub(super) body: Vec<u8>,
    /// Zeros that the precision of a floating-point number asks for.
    pub(super) trailing: u64,
    /// An exponent.
    pub(super) tail: Vec<u8>,
}

impl Text {
    /// Text without numbers in it.
    pub(super) fn plain(text: &[u8]) -> Text {
        Text { body: text.to_vec(), ..Text::default() }
    }

    /// Bytes that it takes.
    pub(super) fn length(&self) -> u64 {
        (self.prefix.len() + self.body.len() + self.tail.len()) as u64 + self.leading + self.trailing
    }
}
