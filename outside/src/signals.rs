//! Signals that ask for the end: what they do to the work, and to what it has started.

use std::io::Write;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{child, scratch, stop};

/// What a first signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The work ends early and what is there is written: whoever works looks at [`stop::requested`]. A second signal ends the program.
    Ends,
    /// The program ends at once.
    Exits,
}

/// From now on, signals that ask for the end are met: whatever a signal does, child processes and [scratch
/// directories](crate::Scratch) are gone afterwards. A signal that the program was started to ignore is ignored.
pub fn listen(first: First) -> std::io::Result<()> {
    let wanted: Vec<i32> = [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal)).collect();
    let mut signals = Signals::new(wanted)?;
    let meet = move || {
        for signal in signals.forever() {
            let before = stop::request(signal);
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
