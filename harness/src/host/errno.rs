//! Numbers of errors, as Linux has them on ARM.

/// Bad file number.
pub(super) const EBADF: u32 = 9;
/// Not enough memory.
pub(super) const ENOMEM: u32 = 12;
/// Invalid argument.
pub(super) const EINVAL: u32 = 22;
/// Value too large.
pub(super) const EOVERFLOW: u32 = 75;
/// A character that the locale does not have.
pub(super) const EILSEQ: u32 = 84;
