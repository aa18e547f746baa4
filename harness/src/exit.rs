//! Exit statuses of the program: one for each kind of end, the same in every command.

use corpus::build::BuildError;
use linker::Error as LinkError;
use outside::{FileError, Purpose};

use crate::epc::server::ServeError;

pub use reports::exit::{
    BAD_INPUT, BAD_OUTPUT, FAILURES, HARNESS_FAILED, INTERRUPTED, LOST, MISSING, NOTHING_SELECTED, OK, USAGE,
};

/// `exec`: the guest ran out of its budget.
pub const BUDGET: u8 = 124;
/// `exec`: it could not be linked or started.
pub const NOT_STARTED: u8 = 125;
/// `exec`: nobody reads what the guest prints. As a shell shows SIGPIPE.
pub const CLOSED_PIPE: u8 = 128 + 13;

/// Something that was given is not what it has to be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

/// Something cannot be written where it was to be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadOutput(pub String);

/// The command line asks for what cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The machine lacks what is needed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Stops a command, as `anyhow::bail!` does, where a file or an argument is to blame.
#[macro_export]
macro_rules! bad_input {
    ($($text:tt)*) => { return Err($crate::exit::BadInput(format!($($text)*)).into()) };
}

/// The status of a command that an error ended: whose fault it is. What is nobody's is ours.
pub fn status(error: &anyhow::Error) -> u8 {
    error.chain().find_map(of).unwrap_or(HARNESS_FAILED)
}

fn of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    let bad_input = cause.is::<BadInput>()
        || cause.is::<reports::json::ReadError>()
        || cause.is::<corpus::case::LoadError>()
        || cause.is::<qemu::board::BoardError>()
        || cause.is::<qemu::image::ImageError>()
        // The other end of a session is an input, too.
        || cause.is::<ServeError>();
    if let Some(error) = cause.downcast_ref::<BuildError>() {
        return match error {
            error if error.is_skip() => Some(MISSING),
            BuildError::File(FileError { purpose: Purpose::Output, .. }) => Some(BAD_OUTPUT),
            BuildError::File(_) => Some(BAD_INPUT),
            BuildError::Failed { .. } | BuildError::Unsupported(_) => Some(BAD_INPUT),
            _ => None,
        };
    }
    match cause {
        _ if bad_input => Some(BAD_INPUT),
        _ if cause.is::<Usage>() => Some(USAGE),
        _ if cause.is::<BadOutput>() => Some(BAD_OUTPUT),
        _ if cause.is::<Unavailable>() => Some(MISSING),
        _ => match (cause.downcast_ref::<FileError>(), cause.downcast_ref::<LinkError>()) {
            (Some(FileError { purpose: Purpose::Input, .. }), _) => Some(BAD_INPUT),
            (Some(FileError { purpose: Purpose::Output, .. }), _) => Some(BAD_OUTPUT),
            (_, Some(error)) => Some(of_link(error)),
            _ => None,
        },
    }
}

/// The status of a command that was to link, and could not: the objects are not what the format says, or cannot be linked.
pub fn of_link(error: &LinkError) -> u8 {
    match error {
        LinkError::Malformed { .. } | LinkError::Incompatible { .. } | LinkError::Limit { .. } => BAD_INPUT,
        _ => FAILURES,
    }
}
