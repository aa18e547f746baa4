//! The C library, as far as cases use it.

use super::frame::{Frame, Outcome};
use super::{Flow, Leaving, Table, printf};
use crate::machine::{Exit, Inaccessible, Register};

/// All of it.
pub(super) const FUNCTIONS: Table = &[
    ("puts", puts),
    ("putchar", putchar),
    ("fputc", putchar),
    ("putc", putchar),
    ("fputs", fputs),
    ("fwrite", fwrite),
    ("fflush", |f| f.give_int(0)),
    ("write", write),
    ("printf", printf_),
    ("fprintf", fprintf),
    ("sprintf", sprintf),
    ("snprintf", snprintf),
    ("abort", |_| Ok(Flow::Exit(Exit::Abort(String::new())))),
    ("exit", exit),
    ("_exit", exit_now),
    ("_Exit", exit_now),
    ("atexit", atexit),
    ("__cxa_atexit", cxa_atexit),
    ("__aeabi_atexit", aeabi_atexit),
    ("__cxa_finalize", cxa_finalize),
    ("__assert_fail", assert_fail),
    ("memcpy", memcpy),
    ("memmove", memcpy),
    ("memset", memset),
    ("memcmp", memcmp),
    ("strlen", strlen),
    ("strcmp", strcmp),
    ("strncmp", strncmp),
    ("strcpy", strcpy),
    ("malloc", malloc),
    ("calloc", calloc),
    ("realloc", realloc),
    ("free", free),
    ("__errno_location", |f| {
        let data = f.state().data;
        f.give(data + super::ERRNO)
    }),
];

fn puts(f: &mut Frame<'_>) -> Outcome {
    let text = f.word()?;
    let text = f.string(text, u64::MAX)?;
    f.state().print(&text);
    f.state().print(b"\n");
    f.give_int(text.len() as i32 + 1)
}

fn putchar(f: &mut Frame<'_>) -> Outcome {
    let byte = f.int()? as u8;
    f.state().print(&[byte]);
    f.give_int(i32::from(byte))
}

fn fputs(f: &mut Frame<'_>) -> Outcome {
    let text = f.word()?;
    let text = f.string(text, u64::MAX)?;
    f.state().print(&text);
    f.give_int(1)
}

fn fwrite(f: &mut Frame<'_>) -> Outcome {
    let (from, size, count) = (f.word()?, f.word()?, f.word()?);
    let bytes = f.bytes(from, size.saturating_mul(count))?;
    f.state().print(&bytes);
    f.give(count)
}

fn write(f: &mut Frame<'_>) -> Outcome {
    let (_, from, count) = (f.int()?, f.word()?, f.word()?);
    let bytes = f.bytes(from, count)?;
    f.state().print(&bytes);
    f.give(count)
}

fn printf_(f: &mut Frame<'_>) -> Outcome {
    let format = f.base().word()?;
    let text = printf::format(f, format)?;
    f.state().print(&text);
    f.give_int(text.len() as i32)
}

fn fprintf(f: &mut Frame<'_>) -> Outcome {
    let (_, format) = (f.base().word()?, f.word()?);
    let text = printf::format(f, format)?;
    f.state().print(&text);
    f.give_int(text.len() as i32)
}

fn sprintf(f: &mut Frame<'_>) -> Outcome {
    let (into, format) = (f.base().word()?, f.word()?);
    let mut text = printf::format(f, format)?;
    text.push(0);
    f.store(into, &text)?;
    f.give_int(text.len() as i32 - 1)
}

fn snprintf(f: &mut Frame<'_>) -> Outcome {
    let (into, size, format) = (f.base().word()?, f.word()?, f.word()?);
    let mut text = printf::format(f, format)?;
    let length = text.len();
    if size > 0 {
        text.truncate(usize::try_from(size - 1).unwrap_or(usize::MAX));
        text.push(0);
        f.store(into, &text)?;
    }
    f.give_int(length as i32)
}

/// Calls the registered functions, last first, and then exits. Each returns to `exit` itself, which then goes on with the next.
fn exit(f: &mut Frame<'_>) -> Outcome {
    let status = f.int()?;
    let status = match f.state().leaving {
        Some(Leaving::Exit(status)) => status,
        _ => status,
    };
    f.state().leaving = Some(Leaving::Exit(status));
    match next_handler(f) {
        Some(handler) => Ok(Flow::Jump(handler)),
        None => exit_with(status),
    }
}

fn exit_now(f: &mut Frame<'_>) -> Outcome {
    let status = f.int()?;
    exit_with(status)
}

fn exit_with(status: i32) -> Outcome {
    // What a parent process would see.
    Ok(Flow::Exit(Exit::Code(status & 0xff)))
}

/// Like `exit`, but returns to its caller when all are called. The library is always the whole program.
fn cxa_finalize(f: &mut Frame<'_>) -> Outcome {
    let link = Register::link(f.guest().info());
    let caller = match f.state().leaving {
        Some(Leaving::Return(caller)) => caller,
        _ => f.guest().get(link) as u64,
    };
    f.state().leaving = Some(Leaving::Return(caller));
    match next_handler(f) {
        Some(handler) => Ok(Flow::Jump(handler)),
        None => {
            f.state().leaving = None;
            Ok(Flow::Jump(caller))
        }
    }
}

/// Sets up the call of the next function to be called at exit; it returns to the host function that is being served.
fn next_handler(f: &mut Frame<'_>) -> Option<u64> {
    let (handler, argument) = f.state().at_exit.pop()?;
    let here = f.guest().get(Register::Pc);
    let thumb = f.guest().info().m_profile;
    let link = Register::link(f.guest().info());
    f.guest().set(link, here | u128::from(thumb));
    f.guest().set(Register::Core(0), u128::from(argument));
    Some(handler)
}

fn atexit(f: &mut Frame<'_>) -> Outcome {
    let function = f.word()?;
    f.state().at_exit.push((function, 0));
    f.give_int(0)
}

fn cxa_atexit(f: &mut Frame<'_>) -> Outcome {
    let (function, argument) = (f.word()?, f.word()?);
    f.state().at_exit.push((function, argument));
    f.give_int(0)
}

fn aeabi_atexit(f: &mut Frame<'_>) -> Outcome {
    let (argument, function) = (f.word()?, f.word()?);
    f.state().at_exit.push((function, argument));
    f.give_int(0)
}

fn assert_fail(f: &mut Frame<'_>) -> Outcome {
    let (text, file, line, function) = (f.word()?, f.word()?, f.int()?, f.word()?);
    let mut part = |address| -> Result<String, Inaccessible> {
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
    let bytes = f.bytes(from, length)?;
    f.store(to, &bytes)?;
    f.give(to)
}

fn memset(f: &mut Frame<'_>) -> Outcome {
    let (to, byte, length) = (f.word()?, f.int()? as u8, f.word()?);
    fill(f, to, byte, length)?;
    f.give(to)
}

pub(super) fn fill(f: &mut Frame<'_>, to: u64, byte: u8, length: u64) -> Result<(), Inaccessible> {
    let block = [byte; 4096];
    let mut done = 0;
    while done < length {
        let piece = (length - done).min(block.len() as u64);
        f.store(to.wrapping_add(done), &block[..piece as usize])?;
        done += piece;
    }
    Ok(())
}

fn memcmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b, length) = (f.word()?, f.word()?, f.word()?);
    let (a, b) = (f.bytes(a, length)?, f.bytes(b, length)?);
    f.give_int(a.cmp(&b) as i32)
}

fn strlen(f: &mut Frame<'_>) -> Outcome {
    let text = f.word()?;
    let text = f.string(text, u64::MAX)?;
    f.give(text.len() as u64)
}

fn strcmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b) = (f.word()?, f.word()?);
    let (a, b) = (f.string(a, u64::MAX)?, f.string(b, u64::MAX)?);
    f.give_int(a.cmp(&b) as i32)
}

fn strncmp(f: &mut Frame<'_>) -> Outcome {
    let (a, b, limit) = (f.word()?, f.word()?, f.word()?);
    let (a, b) = (f.string(a, limit)?, f.string(b, limit)?);
    f.give_int(a.cmp(&b) as i32)
}

fn strcpy(f: &mut Frame<'_>) -> Outcome {
    let (to, from) = (f.word()?, f.word()?);
    let mut text = f.string(from, u64::MAX)?;
    text.push(0);
    f.store(to, &text)?;
    f.give(to)
}

pub(super) fn malloc(f: &mut Frame<'_>) -> Outcome {
    let size = f.word()?;
    let address = f.state().heap.allocate(size, 0);
    f.give(address)
}

fn calloc(f: &mut Frame<'_>) -> Outcome {
    let (count, size) = (f.word()?, f.word()?);
    let size = count.saturating_mul(size);
    let address = f.state().heap.allocate(size, 0);
    if address != 0 {
        fill(f, address, 0, size)?;
    }
    f.give(address)
}

fn realloc(f: &mut Frame<'_>) -> Outcome {
    let (old, size) = (f.word()?, f.word()?);
    let mut kept = 0;
    if old != 0 {
        match f.state().heap.size(old) {
            Some(length) => kept = length.min(size),
            None => return f.abort("realloc(): invalid pointer".to_owned()),
        }
    }
    let new = f.state().heap.allocate(size, 0);
    if new != 0 && old != 0 {
        let bytes = f.bytes(old, kept)?;
        f.store(new, &bytes)?;
        f.state().heap.free(old);
    }
    f.give(new)
}

pub(super) fn free(f: &mut Frame<'_>) -> Outcome {
    let address = f.word()?;
    if address != 0 && !f.state().heap.free(address) {
        return f.abort("free(): invalid pointer".to_owned());
    }
    f.done()
}
