//! Completeness, measured from outside: every name that a tool prints for a number is one of ours.

use std::collections::BTreeMap;
use std::process::Command;

use object::write::{Object, Relocation as Written, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use super::*;

/// An object with each number once.
fn object_with(architecture: Architecture, numbers: u32) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let section = object.add_section(Vec::new(), b".data".to_vec(), SectionKind::Data);
    object.append_section_data(section, &[0; 16], 8);
    let symbol = object.add_symbol(Symbol {
        name: b"symbol".to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Data,
        scope: SymbolScope::Linkage,
        weak: false,
        section: SymbolSection::Undefined,
        flags: SymbolFlags::None,
    });
    for number in 0..numbers {
        let flags = RelocationFlags::Elf { r_type: object::elf::RelocationType(number) };
        object.add_relocation(section, Written { offset: 0, symbol, addend: 0, flags }).unwrap();
    }
    object.write().unwrap()
}

/// The names that a tool prints, by number.
fn names(tool: &str, package: &str, object: &[u8], mask: u64) -> BTreeMap<u32, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.o");
    std::fs::write(&file, object).unwrap();
    let output = Command::new(tool).args(["-r", "-W"]).arg(&file).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}; install {package}"));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| {
        let [_, info, name, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let info = u64::from_str_radix(info, 16).ok()?;
        name.starts_with("R_").then(|| ((info & mask) as u32, name.to_owned()))
    });
    names.collect()
}

fn compare(tool: &str, package: &str, class: Class) -> usize {
    let (architecture, numbers, mask) = match class {
        Class::Lp64 => (Architecture::Aarch64, 0x1_0000, 0xffff_ffff),
        Class::Ilp32 => (Architecture::Aarch64_Ilp32, 0x100, 0xff),
        Class::Arm => (Architecture::Arm, 0x100, 0xff),
    };
    let mut printed = names(tool, package, &object_with(architecture, numbers), mask);
    // Tools know one list for both widths of AArch64.
    printed.retain(|_, name| class != Class::Lp64 || !name.starts_with(Class::Ilp32.prefix()));
    for (&number, name) in &printed {
        let relocation = of(class).get(class, number).unwrap_or_else(|| panic!("{tool}: {number} is {name}"));
        let known = relocation.name == *name || relocation.aliases.contains(name);
        assert!(known, "{tool}: {number} is {name}, here {}", relocation.name);
    }
    printed.len()
}

#[test]
fn llvm_knows_no_more() {
    let count = |class| compare("llvm-readelf-19", "llvm-19", class);
    assert_eq!([count(Class::Arm), count(Class::Lp64), count(Class::Ilp32)], [146, 144, 87]);
}

#[test]
fn gnu_knows_no_more() {
    let aarch64 = |class| compare("aarch64-linux-gnu-readelf", "binutils-aarch64-linux-gnu", class);
    let arm = compare("arm-linux-gnueabihf-readelf", "binutils-arm-linux-gnueabihf", Class::Arm);
    assert_eq!([arm, aarch64(Class::Lp64), aarch64(Class::Ilp32)], [136, 124, 73]);
}
