//! Controllers that call.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;

use super::{Source, connection, report};
use crate::contained;
use crate::messages;

/// How long to wait when the system has no room for another connection.
const CROWDED: Duration = Duration::from_millis(100);

/// Serves one controller, or, where it says how many at a time, one after the other and some beside each other, each on a machine
/// of its own.
pub(super) fn serve(
    source: &Source<'_>,
    addresses: &[SocketAddr],
    idle: Option<Duration>,
    at_a_time: Option<NonZeroUsize>,
) -> anyhow::Result<()> {
    let listener = connection::listen(addresses)?;
    // Not to standard output, which is the program's.
    note!("listening at {}", listener.local_addr()?);
    let Some(at_a_time) = at_a_time else {
        let (stream, peer) = listener.accept().context("no controller can be let in")?;
        return source.serve(&stream, idle).with_context(|| format!("controller at {peer}"));
    };
    let (free, is_free) = (Mutex::new(at_a_time.get()), Condvar::new());
    let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        loop {
            // Who comes when there is no machine for it waits before it is let in.
            let guard = is_free.wait_while(free(), |free| *free == 0);
            *guard.unwrap_or_else(PoisonError::into_inner) -= 1;
            let (stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    report(&format!("a connection is lost: {error}"));
                    std::thread::sleep(CROWDED);
                    *free() += 1;
                    continue;
                }
            };
            let (free, is_free) = (&free, &is_free);
            scope.spawn(move || {
                let served = contained::contain(|| source.serve(&stream, idle));
                if let Err(error) = served.map_err(anyhow::Error::msg).and_then(|served| served) {
                    report(&format!("controller at {peer}: {}", messages::chain(&error)));
                }
                *free() += 1;
                is_free.notify_one();
            });
        }
    })
}
