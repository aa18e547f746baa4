//! The rules of a link, one by one, on objects small enough to be made by hand.

use linker::link::{Finalized, Found};
use linker::{Layout, Options, Parsed, Result, Roots, Target};

#[path = "../support/elf.rs"]
mod elf;
#[path = "../support/ram.rs"]
mod ram;

mod archives;
mod assign;
mod built;
mod comdat;
mod errors;
mod externals;
mod forms;
mod images;
mod layouts;
mod limits;
mod memory;
mod sections;
mod stubs;
mod symbols;
mod threads;

use elf::Elf;
use ram::{Placed, Ram};

/// Linked into vectors.
type Linked<'data> = Finalized<'data, Vec<Placed>>;

fn parse<'data>(target: &str, files: &'data [(&'data str, Vec<u8>)], options: &Options) -> Result<Parsed<'data>> {
    let mut parsed = Parsed::new(Target::named(target).expect("a target"), options.clone());
    for (name, data) in files {
        parsed.add(name, data)?;
    }
    Ok(parsed)
}

/// Links everything; nothing comes from outside.
fn link<'data>(target: &str, files: &'data [(&'data str, Vec<u8>)]) -> Result<Linked<'data>> {
    link_as(target, files, Roots::All, &Layout::Near)
}

fn link_as<'data>(
    target: &str,
    files: &'data [(&'data str, Vec<u8>)],
    roots: Roots<'_>,
    layout: &Layout,
) -> Result<Linked<'data>> {
    link_with(target, files, roots, layout, &Options::default())
}

fn link_with<'data>(
    target: &str,
    files: &'data [(&'data str, Vec<u8>)],
    roots: Roots<'_>,
    layout: &Layout,
    options: &Options,
) -> Result<Linked<'data>> {
    let mut ram = Ram::default();
    let reserved = parse(target, files, options)?.prune(roots)?.reserve(&mut ram, layout)?;
    let result = reserved.resolve(&mut ram, |_| None).and_then(|resolved| resolved.fix(&mut ram));
    assert_eq!(ram.abandoned, usize::from(result.is_err()), "an error gives back what was reserved");
    result?.finalize(&mut ram)
}

/// The text of the error that this link ends in.
fn error(target: &str, files: &[(&str, Vec<u8>)]) -> String {
    link(target, files).expect_err("an error is expected").to_string()
}

/// So many bytes at an address, as a number.
fn read(linked: &Linked<'_>, address: u64, width: usize) -> u64 {
    let holds = |placed: &&Placed| address >= placed.address && address < placed.address + placed.segment.size;
    let placed = linked.handle.iter().find(holds).expect("the address is in a segment");
    let start = (address - placed.address) as usize;
    let byte = |index| u64::from(placed.bytes.get(index).copied().unwrap_or(0));
    (start..start + width).rev().fold(0, |value, index| value << 8 | byte(index))
}

/// The pointer at a symbol of an AArch64 link.
fn pointer(linked: &Linked<'_>, name: &str) -> u64 {
    read(linked, linked.address(name).expect("the symbol is there"), 8)
}

/// An AArch64 object that defines `name` in `.data` with this value, and nothing else.
fn defines(info: u8, name: &str, value: u64) -> Elf {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", elf::PROGBITS, elf::DATA, &value.to_le_bytes());
    elf.symbol(name, info | elf::OBJECT, data, 0);
    elf
}

/// An AArch64 object with one pointer `p_NAME` to each of these.
fn points_to(names: &[&str]) -> Elf {
    let mut elf = Elf::aarch64();
    let data = elf.section(".data.pointers", elf::PROGBITS, elf::DATA, &vec![0; names.len() * 8]);
    elf.of(data).align = 8;
    for (index, name) in names.iter().enumerate() {
        let at = index as u64 * 8;
        elf.symbol(&format!("p_{name}"), elf::GLOBAL | elf::OBJECT, data, at);
        let wanted = elf.wants(name);
        elf.relocate(data, at, elf::AARCH64_ABS64, wanted, 0);
    }
    elf
}

/// An AArch64 object whose function `name` calls these.
fn calls(name: &str, callees: &[&str]) -> Elf {
    let mut elf = Elf::aarch64();
    let mut code: Vec<u8> = callees.iter().flat_map(|_| 0x9400_0000u32.to_le_bytes()).collect();
    code.extend(0xd65f_03c0u32.to_le_bytes());
    let text = elf.section(&format!(".text.{name}"), elf::PROGBITS, elf::CODE, &code);
    elf.symbol(name, elf::GLOBAL | elf::FUNC, text, 0);
    for (index, callee) in callees.iter().enumerate() {
        let wanted = elf.wants(callee);
        elf.relocate(text, index as u64 * 4, elf::AARCH64_CALL26, wanted, 0);
    }
    elf
}
