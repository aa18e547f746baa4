//! What stands for running stubs in a build without the embedded emulator: no stub is followed. Whoever asks the oracle needs
//! the emulator, too, and is told so before.

use linker::Target;

use super::output::{End, Output};

impl Output<'_> {
    /// Where a branch to this address ends up, if that is not in a stub.
    pub(crate) fn follow(&self, _: &Target, start: u64, thumb: bool) -> End {
        let end = self.is_input(start).then_some((start, thumb));
        *self.followed.borrow_mut().entry((start, thumb)).or_insert(end)
    }
}
