//! Exit statuses of the program: one for each kind of end, the same in every command.

use corpus::build::BuildError;
use linker::Error as LinkError;
use outside::{FileError, Purpose};

use crate::linked::{LoadError, Problem};
use crate::linux::GrantError;
use crate::orc::error::ServeError;

pub use reports::exit::{
    BAD_INPUT, BAD_OUTPUT, FAILURES, HARNESS_FAILED, INTERRUPTED, LOST, MISSING, NOTHING_SELECTED, OK, USAGE,
};

/// `exec`: the guest ran out of its budget.
pub const BUDGET: u8 = 124;
/// `exec`: its objects could not be linked, it lacks something that is defined nowhere, or there is no room for it.
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
    if let Some(error) = cause.downcast_ref::<LoadError>() {
        return Some(of_load(error));
    }
    match cause.downcast_ref::<GrantError>() {
        Some(GrantError::Unusable { .. }) => return Some(BAD_INPUT),
        Some(GrantError::Conflict { .. }) => return Some(USAGE),
        None => {}
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

/// The status for an executable that was not loaded: it is not what it has to be, or it is, and cannot be run.
pub fn of_load(error: &LoadError) -> u8 {
    match error.problem {
        Problem::Malformed { .. } | Problem::Refused(_) => BAD_INPUT,
        Problem::Undefined(_) | Problem::Machine(_) => NOT_STARTED,
    }
}

/// The status of a command that was to link, and could not: the objects are not what the format says, or cannot be linked.
pub fn of_link(error: &LinkError) -> u8 {
    match error {
        LinkError::Malformed { .. } | LinkError::Incompatible { .. } | LinkError::Limit { .. } => BAD_INPUT,
        // Two of a kind are no other kind.
        LinkError::Several(several) if several.errors.iter().all(|error| of_link(error) == BAD_INPUT) => BAD_INPUT,
        _ => FAILURES,
    }
}
