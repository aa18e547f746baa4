//! Whether the work has to end: by Ctrl-C, or by a signal that asks for it ([`signals`](crate::signals)).

use std::sync::atomic::{AtomicI32, Ordering};

/// The signal that came first, or 0.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Whether the work has to end.
pub fn requested() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// The exit status of a program that was told to stop: 130 for Ctrl-C, as shells have it.
pub fn status() -> Option<u8> {
    let signal = SIGNAL.load(Ordering::Relaxed);
    (signal != 0).then(|| 128u8.wrapping_add(signal as u8))
}

/// Notes that a signal asks for the end. Returns the one that did before, or 0.
pub(crate) fn request(signal: i32) -> i32 {
    SIGNAL.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|before| before)
}
