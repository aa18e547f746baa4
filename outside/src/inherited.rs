//! Descriptors that whoever started the program left open for it, and named by number.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

/// The first number that a copy may have: those below are standard input, output and errors.
const COPIES: RawFd = 3;

/// The file, pipe or socket behind an inherited descriptor.
///
/// Opening it anew by a name such as `/dev/fd/N` works for files and pipes, and for no socket. So this is a copy of the
/// descriptor itself. Programs that are started from here on do not get the original, unless it is standard input, output or
/// errors: they would keep a connection open that has ended here.
///
/// # Errors
/// No such descriptor is open.
pub fn descriptor(number: u32) -> io::Result<OwnedFd> {
    let number = RawFd::try_from(number).map_err(|_| io::Error::from(rustix::io::Errno::BADF))?;
    // SAFETY: the number is only handed to the system, which answers for one that is not open; nothing closes it meanwhile,
    // as nobody else in this program knows of it.
    #[expect(unsafe_code, reason = "a number that somebody else chose is no descriptor of ours")]
    let original = unsafe { BorrowedFd::borrow_raw(number) };
    let copy = fcntl_dupfd_cloexec(original, COPIES)?;
    if number >= COPIES {
        fcntl_setfd(original, FdFlags::CLOEXEC)?;
    }
    Ok(copy)
}

/// Whether a descriptor is a socket.
///
/// # Errors
/// The system does not say.
pub fn is_socket(descriptor: impl AsFd) -> io::Result<bool> {
    let file = File::from(descriptor.as_fd().try_clone_to_owned()?);
    Ok(file.metadata()?.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn sockets_are_adopted_and_not_handed_on() {
        let (mut ours, theirs) = UnixStream::pair().expect("sockets");
        // As a parent leaves it: open across the start of a program.
        fcntl_setfd(&theirs, FdFlags::empty()).expect("a descriptor");
        let adopted = descriptor(theirs.as_raw_fd() as u32).expect("it is open");
        assert!(is_socket(&adopted).expect("a descriptor"));
        assert!(rustix::io::fcntl_getfd(&theirs).expect("a descriptor").contains(FdFlags::CLOEXEC));
        drop(theirs);
        let mut adopted = UnixStream::from(adopted);
        adopted.write_all(b"there").expect("it is connected");
        drop(adopted);
        let mut said = String::new();
        ours.read_to_string(&mut said).expect("it has ended");
        assert_eq!(said, "there");
    }

    #[test]
    fn what_is_not_open_is_refused() {
        for number in [9999, u32::MAX] {
            let error = descriptor(number).expect_err("not open");
            assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::BADF.raw_os_error()), "{number}");
        }
        assert!(!is_socket(tempfile::tempfile().expect("a file")).expect("a descriptor"));
    }
}
