//! The image backend: an ELF executable that other tools accept. Where a tool is not installed, its part is skipped and said so.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::*;
use harness::executor::PlacementRefused;
use harness::executor::image::{Binding, Image, ImageSection, ImageSymbol, Labels, SymbolKind};
use linker::Target;
use linker::memory::{Action, InFlight, Lifetime, Memory, Place, Protection, Segment};
use rstest::rstest;

fn image(target: &str) -> Image {
    Image::new(Target::named(target).expect("a target of the table"))
}

fn symbol(name: &str, value: u64, kind: SymbolKind, binding: Binding) -> ImageSymbol<'_> {
    ImageSymbol {
        name: name.as_bytes().into(),
        value,
        place: Some(value),
        undefined: false,
        size: 4,
        kind,
        binding,
        other: 0,
    }
}

/// A process that writes "linked\n" and exits with 7: code, constants and zero-filled data in segments of their own, far apart.
fn process(target: &str) -> Vec<u8> {
    let mut image = image(target);
    let text = b"linked\n";
    let (code, thumb) = match target {
        // mov x0, #1; ldr x1, =text; mov x2, #7; mov x8, #64; svc #0; ldr x1, =bss; ldr x0, [x1]; add x0, x0, #7; str x0, [x1];
        // mov x8, #93; svc #0; nop; .quad text, bss
        "aarch64" => (
            words(&[
                0xd280_0020,
                0x5800_0161,
                0xd280_00e2,
                0xd280_0808,
                0xd400_0001,
                0x5800_0121,
                0xf940_0020,
                0x9100_1c00,
                0xf900_0020,
                0xd280_0ba8,
                0xd400_0001,
                0xd503_201f,
            ]),
            0,
        ),
        // mov r0, #1; ldr r1, =text; mov r2, #7; mov r7, #4; svc #0; ldr r1, =bss; ldr r0, [r1]; add r0, r0, #7; str r0, [r1];
        // mov r7, #1; svc #0; nop; .word text, bss
        "armv7" => (
            words(&[
                0xe3a0_0001,
                0xe59f_1024,
                0xe3a0_2007,
                0xe3a0_7004,
                0xef00_0000,
                0xe59f_1018,
                0xe591_0000,
                0xe280_0007,
                0xe581_0000,
                0xe3a0_7001,
                0xef00_0000,
                0xe1a0_0000,
            ]),
            0,
        ),
        // The same in Thumb.
        _ => (
            halves(&[0x2001, 0x4905, 0x2207, 0x2704, 0xdf00, 0x4904, 0x6808, 0x3007, 0x6008, 0x2701, 0xdf00, 0x46c0]),
            1,
        ),
    };
    let width = Target::named(target).expect("known").pointer_bytes();
    let bss = Segment { size: 0x2345, ..segment(0, Protection::ReadWrite, Place::Offset(0x20_0000)) };
    let mut memory = image
        .reserve(&[
            Segment { alignment: 16, ..segment(code.len() + 2 * width, Protection::ReadExecute, Place::Anywhere) },
            segment(text.len(), Protection::Read, Place::Offset(0x1_0000)),
            bss,
            Segment { lifetime: Lifetime::NoAlloc, ..segment(3, Protection::Read, Place::Anywhere) },
        ])
        .expect("places");
    let (start, text_at, bss_at) = (memory.address(0), memory.address(1), memory.address(2));
    let mut all = code;
    for address in [text_at, bss_at] {
        all.extend_from_slice(&address.to_le_bytes()[..width]);
    }
    memory.content(0).copy_from_slice(&all);
    memory.content(1).copy_from_slice(text);
    memory.content(3).copy_from_slice(b"dbg");
    let file = image.finalize(memory, &[]).expect("finalized");
    let labels = Labels {
        entry: start | thumb,
        sections: vec![ImageSection {
            name: b".debug_info",
            segment: 3,
            offset: 0,
            size: 3,
            alignment: 1,
            kind: object::elf::SHT_PROGBITS,
            flags: object::elf::SectionFlags::default(),
            entry_size: 0,
        }],
        symbols: Some(vec![
            symbol("_start", start | thumb, SymbolKind::Function, Binding::Global),
            symbol("text", text_at, SymbolKind::Object, Binding::Global),
            symbol(if target == "aarch64" { "$x" } else { "$a" }, start, SymbolKind::Label, Binding::Local),
            ImageSymbol { place: None, ..symbol("nowhere", 0x1234, SymbolKind::Label, Binding::Global) },
        ]),
        ..Labels::default()
    };
    file.write(&labels).expect("a file")
}

/// Runs a tool on the file; None when it is not installed.
fn tool(name: &str, arguments: &[&str], file: &Path) -> Option<Output> {
    let Ok(path) = which::which(name) else {
        println!("skipped: {name} is not installed");
        return None;
    };
    Some(Command::new(path).args(arguments).arg(file).output().expect("started"))
}

fn saved(bytes: &[u8]) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("written");
    let mut permissions = file.path().metadata().expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(file.path(), permissions).expect("executable");
    // Closed for writing: a file that is open cannot be executed.
    file.into_temp_path()
}

#[test]
fn an_emulated_process_runs_it() {
    for (target, emulator) in [("aarch64", "qemu-aarch64"), ("armv7", "qemu-arm"), ("thumbv7", "qemu-arm")] {
        let file = saved(&process(target));
        let Some(output) = tool(emulator, &[], &file) else { continue };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "linked\n", "{target}: {output:?}");
        assert_eq!(output.status.code(), Some(7), "{target}: {output:?}");
    }
}

/// What GNU ld's headers say of the same kind of code, as readelf puts it.
#[rstest]
#[case("armv7", "Version5 EABI, hard-float ABI")]
#[case("thumbv7", "Version5 EABI, hard-float ABI")]
#[case("armebv7", "Version5 EABI, hard-float ABI, BE8")]
#[case("thumbebv7", "Version5 EABI, hard-float ABI, BE8")]
#[case("armv6", "Version5 EABI")]
#[case("thumbv6m", "Version5 EABI")]
#[case("thumbv7m", "Version5 EABI")]
#[case("aarch64", "")]
#[case("aarch64_be", "")]
#[case("aarch64_ilp32", "")]
fn the_header_says_how_arguments_travel(#[case] target: &str, #[case] expected: &str) {
    let mut image = Image::new(Target::named(target).expect("known"));
    let code = segment(4, Protection::ReadExecute, Place::Anywhere);
    let memory = image.reserve(&[code]).expect("places");
    let file = saved(&image.finalize(memory, &[]).expect("finalized").write(&Labels::default()).expect("a file"));
    let Some(output) = tool("readelf", &["--file-header", "--wide"], &file) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    let flags = text.lines().find_map(|line| line.trim().strip_prefix("Flags:")).expect("flags").trim();
    let (_, said) = flags.split_once(", ").unwrap_or((flags, ""));
    assert_eq!(said, expected, "{flags}");
}

#[rstest]
fn readelf_has_no_complaint(#[values("aarch64", "armv7", "thumbv7", "thumbv6m")] target: &str) {
    let file = saved(&process(target));
    let Some(output) = tool("readelf", &["--all", "--wide"], &file) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    // The bytes of `.debug_info` are not debugging information, which --all does not look into.
    assert!(complaints.is_empty() && output.status.success(), "{target}: {complaints}");
    for wanted in ["_start", "nowhere", ".text", ".rodata", ".bss", ".debug_info", "GNU_STACK", "EXEC"] {
        assert!(text.contains(wanted), "{target}: no {wanted} in\n{text}");
    }
    assert_eq!(text.contains("hard-float ABI"), target.ends_with("v7"), "{target}:\n{text}");
}

#[test]
fn objdump_shows_the_code_by_its_symbols() {
    for (target, objdump) in [("aarch64", "aarch64-linux-gnu-objdump"), ("armv7", "arm-linux-gnueabihf-objdump")] {
        let file = saved(&process(target));
        let Some(output) = tool(objdump, &["-d"], &file) else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("<_start>:") && text.contains("svc\t"), "{target}:\n{text}");
    }
}

/// Read back with a library that this one does not write with.
#[test]
fn what_is_read_back_is_what_was_written() {
    use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};
    for target in ["aarch64", "armv7"] {
        let bytes = process(target);
        let file = object::File::parse(bytes.as_slice()).expect("an ELF file");
        assert_eq!(file.entry(), 0x40_0000);
        let segments: Vec<_> = file.segments().map(|segment| (segment.address(), segment.size())).collect();
        assert_eq!(segments[1..], [(0x41_0000, 7), (0x60_0000, 0x2345)]);
        let constants = file.segments().nth(1).expect("the second").data().expect("its data");
        assert_eq!(constants, b"linked\n");
        let text = file.symbols().find(|symbol| symbol.name() == Ok("text")).expect("there");
        let section = file.section_by_index(text.section_index().expect("in one")).expect("there");
        assert_eq!((text.address(), section.name()), (0x41_0000, Ok(".rodata")));
        let debug = file.section_by_name(".debug_info").expect("there");
        assert_eq!((debug.address(), debug.data()), (0, Ok(&b"dbg"[..])));
        // A loader maps pages of the file.
        for segment in file.segments() {
            let (offset, size) = segment.file_range();
            assert!(size == 0 || offset % 0x1000 == segment.address() % 0x1000, "{target}: {offset:#x}");
        }
    }
}

#[test]
fn constants_after_relocation_are_marked_and_actions_kept() {
    let mut image = image("aarch64");
    let relro = Segment { relro: true, ..segment(16, Protection::Read, Place::At(0x50_0000)) };
    let memory = image.reserve(std::slice::from_ref(&relro)).expect("free");
    let actions = [Action::CallAndStore { function: 0x40_0000, slot: 0x50_0008 }];
    let file = image.finalize(memory, &actions).expect("finalized");
    assert_eq!(file.actions(), actions);
    assert_eq!(file.segments().map(|(address, bytes)| (address, bytes.len())).collect::<Vec<_>>(), [(0x50_0000, 16)]);
    let taken = image.reserve(std::slice::from_ref(&relro)).expect_err("taken");
    assert!(taken.downcast_ref::<PlacementRefused>().is_some());
    let bytes = file.write(&Labels::default()).expect("a file");
    let saved = saved(&bytes);
    if let Some(output) = tool("readelf", &["--wide", "--program-headers"], &saved) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("GNU_RELRO") && text.contains(" RW "), "{text}");
    }
}

#[test]
fn addresses_are_free_again_when_given_back() {
    let mut image = image("armv7");
    let place =
        [segment(4, Protection::Read, Place::At(0x40_0000)), segment(4, Protection::ReadWrite, Place::Anywhere)];
    for _ in 0..2 {
        let memory = image.reserve(&place).expect("free");
        assert_eq!(memory.address(1), 0x40_1000);
        image.abandon(memory);
        let memory = image.reserve(&place).expect("free");
        let file = image.finalize(memory, &[]).expect("finalized");
        image.release(vec![file]).expect("released");
    }
}
