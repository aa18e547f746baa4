//! Being told to stop: by Ctrl-C, or by a signal that asks for the end.

use std::io::Write;
use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{child, scratch};

/// What a first signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The work ends early and what is there is written: whoever works looks at [`requested`]. A second signal ends the program.
    Ends,
    /// The program ends at once.
    Exits,
}

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

/// From now on, signals that ask for the end are met: whatever a signal does, child processes and [scratch
/// directories](crate::Scratch) are gone afterwards. A signal that the program was started to ignore is ignored.
pub fn listen(first: First) -> std::io::Result<()> {
    let wanted: Vec<i32> = [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal)).collect();
    let mut signals = Signals::new(wanted)?;
    let meet = move || {
        for signal in signals.forever() {
            let before = SIGNAL.swap(signal, Ordering::Relaxed);
            if before == 0 && first == First::Ends {
                let _ =
                    writeln!(std::io::stderr(), "\nstopping: what is there will be written; once more to end at once");
                continue;
            }
            child::sweep();
            scratch::sweep();
            // Not `exit`, which waits for whoever holds the standard output.
            signal_hook::low_level::exit(128 + signal);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(meet)?;
    Ok(())
}

/// Whether a signal is ignored, as a shell has it for what runs in the background.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
