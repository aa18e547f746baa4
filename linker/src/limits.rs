//! Bounds on untrusted input.

/// What a link may ask for at most. Objects are untrusted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of target memory for the sections of one object, and for one common symbol.
    pub size: u64,
    /// Largest alignment, in bytes.
    pub alignment: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 1 << 30, alignment: 1 << 26 }
    }
}
