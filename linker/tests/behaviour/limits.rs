//! Input that asks for more than it justifies.

use super::elf::{CODE, DATA, Elf, GLOBAL, NOBITS, PROGBITS};
use super::*;
use linker::Limits;

#[test]
fn sections_cannot_share_the_bytes_of_the_file() {
    let mut elf = Elf::aarch64();
    for _ in 0..100 {
        elf.section(".data", PROGBITS, DATA, &[1; 64]);
    }
    let mut bytes = elf.bytes();
    let table = u64::from_le_bytes(bytes[0x28..0x30].try_into().expect("eight")) as usize;
    for index in 1..=100 {
        let header = table + index * 64;
        bytes[header + 24..header + 32].copy_from_slice(&64u64.to_le_bytes());
        bytes[header + 32..header + 40].copy_from_slice(&6000u64.to_le_bytes());
    }
    let text = error("aarch64", &[("a.o", bytes)]);
    assert!(text.starts_with("a.o: the sections have 0x9") && text.ends_with(": they overlap"), "{text}");
}

fn with_limits(limits: Limits, elf: &Elf) -> String {
    let bytes = elf.bytes();
    let mut ram = Ram::default();
    let options = Options { limits, ..Options::default() };
    let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), options);
    let result = parsed.add("a.o", &bytes).and_then(|()| {
        let reserved = parsed.prune(Roots::All)?.reserve(&mut ram, &Layout::Near)?;
        reserved.abandon(&mut ram);
        Ok(())
    });
    assert_eq!(ram.reserved, ram.abandoned);
    result.expect_err("too much").to_string()
}

#[test]
fn size_alignment_and_padding_have_limits() {
    let limits = Limits { size: 0x10_0000, zero: 0x10_0000, alignment: 0x8_0000 };
    let mut elf = Elf::aarch64();
    let bss = elf.section(".bss", NOBITS, DATA, &[]);
    elf.of(bss).size = 0x10_0001;
    let expected = "a.o(.bss): the size of the sections, 0x100001 bytes up to here, exceeds the limit of 1048576";
    assert_eq!(with_limits(limits.clone(), &elf), expected);

    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[1]);
    elf.of(data).align = 0x10_0000;
    let expected = "a.o(.data): the alignment of 0x100000 bytes exceeds the limit of 524288";
    assert_eq!(with_limits(limits.clone(), &elf), expected);

    let mut elf = Elf::aarch64();
    for _ in 0..8 {
        let data = elf.section(".data", PROGBITS, DATA, &[1]);
        elf.of(data).align = 0x8_0000;
    }
    let text = with_limits(limits, &elf);
    assert!(text.starts_with("a.o(.data): the padding between sections, 0x3"), "{text}");
}

#[test]
fn many_bounds_of_many_sections_take_no_square_of_them() {
    let mut elf = Elf::aarch64();
    let count = 20_000u64;
    let data = elf.section(".data", PROGBITS, DATA, &vec![0; count as usize * 8]);
    elf.of(data).align = 8;
    for index in 0..count {
        elf.section(&format!("set_{index}"), PROGBITS, DATA, &[1; 4]);
        let bound = elf.wants(&format!("__stop_set_{index}"));
        elf.relocate(data, index * 8, super::elf::AARCH64_ABS64, bound, 0);
    }
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let first = linked.address("__stop_set_0").expect("defined");
    assert_eq!(linked.address("__stop_set_19999"), Some(first + 4 * (count - 1)));
}

#[test]
fn many_members_of_an_archive_take_no_square_of_them() {
    let count = 3000;
    let names: Vec<String> = (0..=count).map(|index| format!("f{index}")).collect();
    let member = |index: usize| calls(&names[index], &[&*names[index + 1]]).bytes();
    let defines: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let members: Vec<(&str, Vec<u8>, &[&str])> = (0..count).map(|at| ("m.o", member(at), &defines[at][..])).collect();
    let last = calls(&names[count], &[]).bytes();
    let files = [("main.o", calls("main", &["f0"]).bytes()), ("a.a", elf::archive(&members)), ("last.o", last)];
    assert!(link("aarch64", &files).expect("links").address("f2999").is_some());
}

#[test]
fn many_short_sections_of_code_that_call_outside_each_get_their_stub() {
    let mut elf = Elf::aarch64();
    let mut ids = Vec::new();
    for index in 0..5000u32 {
        let text = elf.section(&format!(".text.{index}"), PROGBITS, CODE, &0x9400_0000u32.to_le_bytes());
        let wanted = elf.symbol(&format!("out_{index}"), GLOBAL, 0, 0);
        elf.relocate(text, 0, super::elf::AARCH64_CALL26, wanted, 0);
        ids.push(text);
    }
    let bytes = elf.bytes();
    let mut ram = Ram::default();
    let files = [("a.o", bytes)];
    let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let reserved = pruned.reserve(&mut ram, &Layout::Random(1)).expect("lays out");
    assert_eq!(reserved.graph().stubs.len(), 5000);
    let room: usize = reserved.plan().segments.iter().map(|segment| segment.blocks.capacity()).sum();
    assert!(room < 100_000, "{room}");
    reserved.abandon(&mut ram);
}
