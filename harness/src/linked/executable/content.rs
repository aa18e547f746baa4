//! The content of an executable by the addresses that it says, before it is anywhere.

use super::headers::Load;

/// What of the file is at which address.
#[derive(Clone, Copy)]
pub(super) struct Content<'a, 'data> {
    /// By address.
    pub(super) loads: &'a [Load<'data>],
}

impl<'data> Content<'_, 'data> {
    /// What the file has from an address on, up to the end of the segment's content.
    fn from(&self, address: u64) -> Option<&'data [u8]> {
        let behind = self.loads.partition_point(|load| load.address <= address);
        let load = self.loads[..behind].last()?;
        load.content.get(usize::try_from(address - load.address).ok()?..)
    }

    /// So many bytes at an address, if the file has them all.
    pub(super) fn bytes(&self, address: u64, size: u64) -> Option<&'data [u8]> {
        self.from(address)?.get(..usize::try_from(size).ok()?)
    }

    /// What is at an address up to a zero byte.
    pub(super) fn string(&self, address: u64) -> Option<&'data [u8]> {
        let from = self.from(address)?;
        from.iter().position(|&byte| byte == 0).map(|end| &from[..end])
    }
}
