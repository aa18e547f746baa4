//! The C library, as far as cases use it.

use super::Table;
use super::errno::{EBADF, EINVAL, ENOMEM};
use super::frame::{Frame, Outcome};
use super::output::{STDERR, Stream};
use super::printf::{self, Sink};
use crate::machine::AccessError;

/// All of it.
pub(super) const FUNCTIONS: Table = &[
    ("puts", puts),
    ("putchar", putchar),
    ("fputc", fputc),
    ("putc", fputc),
    ("fputs", fputs),
    ("fwrite", fwrite),
    ("fflush", |f| f.give_int(0)),
    ("write", write),
    ("printf", |f| {
        let format = f.base().word()?;
        print(f, format, Sink::Stream(Stream::Out))
    }),
    ("fprintf", |f| {
        let (file, format) = (f.base().word()?, f.word()?);
        print(f, format, Sink::Stream(stream(file)))
    }),
    ("sprintf", |f| {
        let (address, format) = (f.base().word()?, f.word()?);
        print(f, format, Sink::Memory { address, room: u64::MAX })
    }),
    ("snprintf", |f| {
        let (address, room, format) = (f.base().word()?, f.word()?, f.word()?);
        print(f, format, Sink::Memory { address, room })
    }),
    ("__assert_fail", assert_fail),
    ("memcpy", memcpy),
    ("memmove", memcpy),
    ("memset", memset),
    ("memcmp", memcmp),
    ("strlen", |f| {
        let text = f.word()?;
        let length = f.string_length(text, u64::MAX)?;
        f.give(length)
    }),
    ("strcmp", strcmp),
    ("strncmp", strncmp),
    ("strcpy", strcpy),
    ("malloc", malloc),
    ("calloc", calloc),
    ("realloc", realloc),
    ("aligned_alloc", aligned_alloc),
    ("memalign", aligned_alloc),
    ("posix_memalign", posix_memalign),
    ("free", free),
    ("__errno_location", |f| {
        let address = f.state().errno;
        f.give(address)
    }),
];

/// The stream of a `FILE`, which is never looked into.
fn stream(file: u64) -> Stream {
    if file == STDERR { Stream::Error } else { Stream::Out }
}

fn print(f: &mut Frame<'_>, format: u64, sink: Sink) -> Outcome {
    let length = printf::format(f, format, sink)?;
    f.give_int(length)
}

fn puts(f: &mut Frame<'_>) -> Outcome {
    let text = f.word()?;
    let length = f.string_length(text, u64::MAX)?;
    f.print_from(Stream::Out, text, length)?;
    f.print(Stream::Out, b"\n")?;
    f.give_int((length as i32).wrapping_add(1))
}

fn putchar(f: &mut Frame<'_>) -> Outcome {
    let byte = f.int()? as u8;
    f.print(Stream::Out, &[byte])?;
    f.give_int(i32::from(byte))
}

fn fputc(f: &mut Frame<'_>) -> Outcome {
    let (byte, file) = (f.int()? as u8, f.word()?);
    f.print(stream(file), &[byte])?;
    f.give_int(i32::from(byte))
}

fn fputs(f: &mut Frame<'_>) -> Outcome {
    let (text, file) = (f.word()?, f.word()?);
    let length = f.string_length(text, u64::MAX)?;
    f.print_from(stream(file), text, length)?;
    f.give_int(1)
}

fn fwrite(f: &mut Frame<'_>) -> Outcome {
    let (from, size, count, file) = (f.word()?, f.word()?, f.word()?, f.word()?);
    f.print_from(stream(file), from, size.saturating_mul(count))?;
    f.give(if size == 0 { 0 } else { count })
}

fn write(f: &mut Frame<'_>) -> Outcome {
    let (descriptor, from, count) = (f.int()?, f.word()?, f.word()?);
    let stream = match descriptor {
        1 => Stream::Out,
        2 => Stream::Error,
        _ => {
            f.set_errno(EBADF)?;
            return f.give(u64::MAX);
        }
    };
    f.print_from(stream, from, count)?;
    f.give(count)
}

fn assert_fail(f: &mut Frame<'_>) -> Outcome {
    let (text, file, line, function) = (f.word()?, f.word()?, f.int()?, f.word()?);
    let mut part = |address| -> Result<String, AccessError> {
        if address == 0 {
            return Ok("?".to_owned());
        }
        Ok(String::from_utf8_lossy(&f.string(address, 4096)?).into_owned())
    };
    let message = format!("{}:{line}: {}: Assertion `{}' failed.", part(file)?, part(function)?, part(text)?);
    f.abort(message)
}

/// `memmove`, and good enough for `memcpy`.
pub(super) fn memcpy(f: &mut Frame<'_>) -> Outcome {
    let (to, from, length) = (f.word()?, f.word()?, f.word()?);
    f.copy(to, from, length)?;
    f.give(to)
}

fn memset(f: &mut Frame<'_>) -> Outcome {
    let (to, byte, length) = (f.word()?, f.int()? as u8, f.word()?);
    f.fill(to, byte, length)?;
    f.give(to)
}

fn memcmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b, length) = (f.word()?, f.word()?, f.word()?);
    let order = f.compare(a, b, length, false)?;
    f.give_int(order as i32)
}

fn strcmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b) = (f.word()?, f.word()?);
    let order = f.compare(a, b, u64::MAX, true)?;
    f.give_int(order as i32)
}

fn strncmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b, limit) = (f.word()?, f.word()?, f.word()?);
    let order = f.compare(a, b, limit, true)?;
    f.give_int(order as i32)
}

fn strcpy(f: &mut Frame<'_>) -> Outcome {
    let (to, from) = (f.word()?, f.word()?);
    let length = f.string_length(from, u64::MAX)?;
    f.copy(to, from, length.saturating_add(1))?;
    f.give(to)
}

/// An address, or null with `errno`.
fn give_memory(f: &mut Frame<'_>, address: u64) -> Outcome {
    if address == 0 {
        f.set_errno(ENOMEM)?;
    }
    f.give(address)
}

pub(super) fn malloc(f: &mut Frame<'_>) -> Outcome {
    let size = f.word()?;
    let address = f.allocate(size, 0);
    give_memory(f, address)
}

fn calloc(f: &mut Frame<'_>) -> Outcome {
    let (count, size) = (f.word()?, f.word()?);
    let size = count.saturating_mul(size);
    let address = f.allocate(size, 0);
    if address != 0 {
        f.fill(address, 0, size)?;
    }
    give_memory(f, address)
}

/// An alignment that is no power of two is taken for the next one, as by glibc.
fn aligned_alloc(f: &mut Frame<'_>) -> Outcome {
    let (alignment, size) = (f.word()?, f.word()?);
    let Some(alignment) = alignment.max(1).checked_next_power_of_two() else {
        f.set_errno(EINVAL)?;
        return f.give(0);
    };
    let address = f.allocate(size, alignment);
    give_memory(f, address)
}

/// The same for powers of two only, which returns the error and stores the address; of at least a pointer's size.
fn posix_memalign(f: &mut Frame<'_>) -> Outcome {
    let (into, alignment, size) = (f.word()?, f.word()?, f.word()?);
    let width = f.target().pointer_bytes();
    if !alignment.is_power_of_two() || alignment < width as u64 {
        return f.give_int(EINVAL as i32);
    }
    let address = f.allocate(size, alignment);
    if address == 0 {
        return f.give_int(ENOMEM as i32);
    }
    let bytes = f.target().bytes(address, width);
    f.store(into, &bytes)?;
    f.give_int(0)
}

fn realloc(f: &mut Frame<'_>) -> Outcome {
    let (old, size) = (f.word()?, f.word()?);
    let kept = match f.state().heap.size(old) {
        Some(length) => length,
        None if old == 0 => 0,
        None => return f.abort("realloc(): invalid pointer".to_owned()),
    };
    if old != 0 && size == 0 {
        f.state().heap.free(old);
        return f.give(0);
    }
    if old != 0 && size <= kept {
        return f.give(old);
    }
    let new = f.allocate(size, 0);
    if new != 0 && old != 0 {
        f.copy(new, old, kept)?;
        f.state().heap.free(old);
    }
    give_memory(f, new)
}

pub(super) fn free(f: &mut Frame<'_>) -> Outcome {
    let address = f.word()?;
    if address != 0 && !f.state().heap.free(address) {
        return f.abort("free(): invalid pointer".to_owned());
    }
    f.done()
}
