//! What a link asks of target memory, and that it gives it back.

use super::elf::{AARCH64_ABS64, CODE, DATA, Elf, FUNC, GLOBAL, IFUNC, PROGBITS};
use super::*;
use linker::memory::{Action, Protection};

#[test]
fn a_failing_step_gives_the_reservation_back() {
    // Nothing is reserved before layout is known to be possible.
    let files = [("a.o", calls("f", &["x"]).bytes())];
    let mut ram = Ram { limit: 1, ..Ram::default() };
    let refused = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let error = refused.reserve(&mut ram, &Layout::Near).expect_err("no room").to_string();
    assert_eq!((ram.reserved, ram.abandoned), (0, 0));
    assert!(error.starts_with("target memory: "), "{error}");

    // A symbol that is missing.
    let mut ram = Ram::default();
    let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let reserved = pruned.reserve(&mut ram, &Layout::Near).expect("room");
    assert!(reserved.resolve(&mut ram, |_| None).is_err());
    assert_eq!((ram.reserved, ram.abandoned, ram.finalized), (1, 1, 0));

    // A relocation that does not fit.
    let mut elf = Elf::aarch64();
    let data = elf.section(".data", PROGBITS, DATA, &[0; 2]);
    let wanted = elf.wants("x");
    elf.relocate(data, 0, 259, wanted, 0);
    let files = [("a.o", elf.bytes())];
    let mut ram = Ram::default();
    let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let reserved = pruned.reserve(&mut ram, &Layout::Near).expect("room");
    let resolved = reserved.resolve(&mut ram, |_| Some(Found::Function(0x10_0000))).expect("known");
    assert!(resolved.fix(&mut ram).is_err());
    assert_eq!((ram.reserved, ram.abandoned, ram.finalized), (1, 1, 0));
}

#[test]
fn each_step_can_be_abandoned() {
    let files = [("a.o", calls("f", &[]).bytes())];
    for steps in 0..3 {
        let mut ram = Ram::default();
        let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
        let reserved = pruned.reserve(&mut ram, &Layout::Near).expect("room");
        match steps {
            0 => reserved.abandon(&mut ram),
            1 => reserved.resolve(&mut ram, |_| None).expect("nothing missing").abandon(&mut ram),
            _ => {
                let resolved = reserved.resolve(&mut ram, |_| None).expect("nothing missing");
                resolved.fix(&mut ram).expect("fits").abandon(&mut ram);
            }
        }
        assert_eq!((ram.reserved, ram.abandoned, ram.finalized), (1, 1, 0));
    }
}

#[test]
fn a_memory_that_refuses_to_finalize_is_heard() {
    let files = [("a.o", calls("f", &[]).bytes())];
    let mut ram = Ram { refuses: true, ..Ram::default() };
    let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let resolved = pruned.reserve(&mut ram, &Layout::Near).expect("room").resolve(&mut ram, |_| None).expect("known");
    let error = resolved.fix(&mut ram).expect("fits").finalize(&mut ram).expect_err("refused");
    assert_eq!(error.to_string(), "target memory: refused");
}

#[test]
fn segments_have_one_protection_each_and_relro_is_apart() {
    let mut elf = calls("f", &[]);
    elf.section(".rodata", PROGBITS, super::elf::READ, &[1; 8]);
    elf.section(".data.rel.ro", PROGBITS, DATA, &[2; 8]);
    elf.section(".data", PROGBITS, DATA, &[3; 8]);
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let about = |placed: &Placed| (placed.segment.protection, placed.segment.relro, placed.bytes[0]);
    let segments: Vec<_> = linked.handle.iter().map(about).collect();
    assert_eq!(
        segments,
        [
            (Protection::ReadExecute, false, 0xc0),
            (Protection::Read, false, 1),
            (Protection::Read, true, 2),
            (Protection::ReadWrite, false, 3)
        ]
    );
    for placed in &linked.handle {
        assert_eq!(placed.address % 4096, 0, "protections hold for pages");
    }
}

#[test]
fn an_ifunc_is_one_stub_for_calls_and_pointers_and_one_action() {
    let mut elf = points_to(&["f"]);
    let text = elf.section(".text", PROGBITS, CODE, &[0x9400_0000u32, 0xd65f_03c0].map(u32::to_le_bytes).concat());
    elf.symbols[1] = ("f".into(), GLOBAL | IFUNC, 0, text, 4, 4);
    elf.symbol("main", GLOBAL | FUNC, text, 0);
    elf.relocate(text, 0, super::elf::AARCH64_CALL26, 2, 0);
    let bytes = elf.bytes();
    let files = [("a.o", bytes)];
    let mut ram = Ram::default();
    let pruned = parse("aarch64", &files, &Options::default()).expect("reads").prune(Roots::All).expect("prunes");
    let resolved = pruned.reserve(&mut ram, &Layout::Near).expect("room").resolve(&mut ram, |_| None).expect("known");
    let linked = resolved.fix(&mut ram).expect("fits").finalize(&mut ram).expect("finalizes");
    let (main, stub) = (linked.address("main").expect("there"), linked.address("f").expect("there"));
    assert_eq!(pointer(&linked, "p_f"), stub);
    assert_eq!(read(&linked, main, 4), 0x9400_0000 | ((stub - main) / 4));
    let [Action::CallAndStore { function, slot }] = ram.actions[..] else { panic!("{:?}", ram.actions) };
    assert_eq!(function, main + 4);
    assert_eq!(read(&linked, stub + 16, 8), slot, "the stub's literal is the slot");
}

#[test]
fn an_ifunc_that_only_debug_information_names_is_not_called() {
    let mut elf = Elf::aarch64();
    let text = elf.section(".text.f", PROGBITS, CODE, &0xd65f_03c0u32.to_le_bytes());
    let f = elf.symbol("f", GLOBAL | IFUNC, text, 0);
    let debug = elf.section(".debug_info", PROGBITS, 0, &[0; 8]);
    elf.relocate(debug, 0, AARCH64_ABS64, f, 0);
    let data = elf.section(".data", PROGBITS, DATA, &[0; 8]);
    elf.symbol("x", GLOBAL, data, 0);
    let bytes = elf.bytes();
    let mut ram = Ram::default();
    let mut parsed =
        Parsed::new(Target::named("aarch64").expect("known"), Options { keep_debug: true, ..Options::default() });
    parsed.add("a.o", &bytes).expect("reads");
    let reserved = parsed.prune(Roots::Names(&["x"])).expect("prunes").reserve(&mut ram, &Layout::Near).expect("room");
    let fixed = reserved.resolve(&mut ram, |_| None).expect("known").fix(&mut ram).expect("fits");
    fixed.finalize(&mut ram).expect("finalizes");
    assert_eq!(ram.actions, []);
}
