//! Bounds on untrusted input.

/// What a link may ask for at most. Objects are untrusted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of content for the sections of one object, unpacked.
    pub size: u64,
    /// Bytes of zero-fill for the sections of one object, and for one common symbol. They cost a link nothing, so this is
    /// far more than most memory has: the memory says what it has no room for.
    pub zero: u64,
    /// Largest alignment, in bytes.
    pub alignment: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 1 << 30, zero: 1 << 40, alignment: 1 << 26 }
    }
}
