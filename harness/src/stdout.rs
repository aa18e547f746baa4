//! What a command prints. It may come from strangers, so a terminal only shows it; and it may not get anywhere, which costs
//! nothing else that the command does.
//!
//! Nothing in this program prints in another way: `println!` and `eprintln!` panic where nobody reads.

use std::fmt::Arguments;
use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use linker::error::printable;

use crate::exit;

/// Why nothing more gets out.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line, of which a terminal does nothing but show it.
#[macro_export]
macro_rules! outln {
    () => { $crate::stdout::line(format_args!("")) };
    ($($text:tt)*) => { $crate::stdout::line(format_args!($($text)*)) };
}

/// Says something on the standard error, of which a terminal does nothing but show it.
#[macro_export]
macro_rules! note {
    () => { $crate::stdout::note(format_args!("")) };
    ($($text:tt)*) => { $crate::stdout::note(format_args!($($text)*)) };
}

/// Text whose lines stay lines.
pub fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    printable(text, "\n\t")
}

/// See [`outln!`].
pub fn line(text: Arguments<'_>) {
    print(&format!("{text}\n"));
}

/// See [`note!`]. Where nobody reads it, there is nobody to tell.
pub fn note(text: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{}", shown(&text.to_string()));
}

/// Prints text of several lines, of which a terminal does nothing but show it.
pub fn print(text: &str) {
    raw(shown(text).as_bytes());
}

/// Prints what is as it has to be: what a guest wrote, or what has colours of our own.
pub fn raw(bytes: &[u8]) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = io::stdout().write_all(bytes).err();
    }
}

/// Whether nothing more gets out: whoever only prints can stop.
pub fn is_gone() -> bool {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// The standard output for much text. [Shown](shown) or raw, it ends with [`Error`](io::Error) where it is gone.
pub fn writer() -> BufWriter<Writer> {
    BufWriter::with_capacity(1 << 16, Writer(()))
}

/// See [`writer`]. What is written is as it has to be.
pub struct Writer(());

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        raw(bytes);
        if is_gone() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The exit status of the program, for that of a command. Standard output that did not get to where it should is said here, once for
/// all commands.
pub fn finish(status: u8) -> u8 {
    let failure = failure();
    if let Some(error) = &failure {
        note!("error: standard output: {error}");
    }
    match outside::stop::status() {
        Some(status) => status,
        None if status == exit::OK && failure.is_some() => exit::BAD_OUTPUT,
        None => status,
    }
}

/// Why what was printed is not all there. A reader that has seen enough is no reason.
fn failure() -> Option<io::Error> {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = io::stdout().flush().err();
    }
    failed.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}
