//! Where an address is, in words: the symbol of the program that it is in, or the host function.

use crate::executor::{Executor, Register, Stop};
use crate::linked::Linked;

/// The symbol that an address is in, and how far.
pub fn nearest(linked: &Linked<'_>, address: u64) -> Option<String> {
    let symbol = linked.nearest(address)?;
    let (name, distance) = (linker::error::text(symbol.name), address - symbol.address);
    Some(if distance == 0 { name } else { format!("{name}+{distance:#x}") })
}

/// The symbol that a call is in which returns to an address: the last thing that a function does may be to call one that never returns.
pub fn caller(linked: &Linked<'_>, address: u64) -> Option<String> {
    let symbol = linked.nearest(address.checked_sub(1)?)?;
    Some(format!("{}+{:#x}", linker::error::text(symbol.name), address - symbol.address))
}

/// The symbol that an address is in, as far as that says how large it is, and how far behind its beginning that is.
pub fn within(linked: &Linked<'_>, address: u64) -> Option<String> {
    let symbol = linked.nearest(address)?;
    nearest(linked, address).filter(|_| address - symbol.address < symbol.size)
}

/// A function by its name, where there is one, and its address.
pub fn named(linked: &Linked<'_>, address: u64) -> String {
    let thumb = u64::from(linked.target.register_bits == 32);
    match nearest(linked, address & !thumb) {
        Some(name) => format!("`{name}` at {address:#x}"),
        None => format!("at {address:#x}"),
    }
}

/// What a program was doing at an address: its own function, or the host's and who called that.
fn doing<E: Executor>(executor: &E, linked: &Linked<'_>, pc: u64) -> Option<String> {
    if let Some(at) = nearest(linked, pc) {
        return Some(format!("in {at}"));
    }
    executor.host().name_at(pc)?;
    let thumb = u64::from(linked.target.register_bits == 32);
    let caller = executor.get(Register::link(executor.info())) as u64 & !thumb;
    Some(format!("called from {}", nearest(linked, caller)?))
}

/// Why a program is not running, and where it was.
pub fn describe<E: Executor>(executor: &E, linked: &Linked<'_>, stop: &Stop) -> String {
    let pc = match (stop.place(), stop) {
        (Some(pc), _) => pc,
        (None, Stop::OutOfBudget(_) | Stop::Syscall) => executor.get(Register::Pc) as u64,
        _ => return stop.to_string(),
    };
    let mut text = stop.to_string();
    if stop.place().is_none() {
        text += &format!(" at {pc:#x}");
        if let Some(name) = executor.host().name_at(pc) {
            text += &format!(", in host function `{name}`");
        }
    }
    if let Some(at) = doing(executor, linked, pc) {
        text += &format!(", {at}");
    }
    text
}
