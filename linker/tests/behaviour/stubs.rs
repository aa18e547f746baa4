//! Veneers: made where a branch does not reach, shared where it does.

use super::elf::{ARM_CALL, ARM_THM_CALL, CODE, Elf, FUNC, GLOBAL, PROGBITS};
use super::*;

/// Where a fixed-up branch of A64 goes.
fn a64_target(linked: &Linked<'_>, at: u64) -> u64 {
    let word = read(linked, at, 4);
    at.wrapping_add(((word << 38) as i64 >> 36) as u64)
}

#[test]
fn calls_in_reach_need_none_and_calls_beyond_share_one() {
    let files = [("a.o", calls("f", &["g", "g", "g"]).bytes()), ("b.o", calls("g", &[]).bytes())];
    let near = link("aarch64", &files).expect("links");
    assert_eq!(near.graph().stubs.len(), 0);
    let far = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let (f, g) = (far.address("f").expect("there"), far.address("g").expect("there"));
    assert!(g.abs_diff(f) > 128 << 20);
    let stub = a64_target(&far, f);
    assert_eq!((a64_target(&far, f + 4), a64_target(&far, f + 8)), (stub, stub));
    assert_eq!(read(&far, stub, 8), 0xd61f_0200_5800_0050, "ldr x16, .+8; br x16");
    assert_eq!(read(&far, stub + 8, 8), g);
    assert_eq!(far.graph().stubs.len(), 3, "one entry for each call, all of one stub");
}

#[test]
fn each_offset_from_the_target_has_its_own() {
    let mut caller = calls("f", &["g", "g"]);
    caller.of(1).relocations[1].3 = 4;
    let files = [("a.o", caller.bytes()), ("b.o", calls("g", &["g"]).bytes())];
    let far = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let (f, g) = (far.address("f").expect("there"), far.address("g").expect("there"));
    let literal = |at| read(&far, a64_target(&far, at) + 8, 8);
    assert_eq!((literal(f), literal(f + 4)), (g, g + 4));
}

/// A function that calls another, in A32 or in Thumb code.
fn arm(name: &str, callee: Option<&str>, thumb: bool) -> Vec<u8> {
    let mut elf = Elf::arm();
    let (call, number, end): (u32, _, u32) =
        if thumb { (0xfffe_f7ff, ARM_THM_CALL, 0x46c0_4770) } else { (0xebff_fffe, ARM_CALL, 0xe12f_ff1e) };
    let code = if callee.is_some() { vec![call, end] } else { vec![end] };
    let text = elf.section(
        &format!(".text.{name}"),
        PROGBITS,
        CODE,
        &code.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>(),
    );
    elf.symbol(name, GLOBAL | FUNC, text, thumb.into());
    if let Some(callee) = callee {
        let wanted = elf.wants(callee);
        elf.relocate(text, 0, number, wanted, 0);
    }
    elf.bytes()
}

#[test]
fn far_calls_of_arm_load_the_pc_with_the_state_of_the_target() {
    for (from, to) in [(false, false), (false, true), (true, false), (true, true)] {
        let files = [("a.o", arm("f", Some("g"), from)), ("b.o", arm("g", None, to))];
        let far = link_as("armv7", &files, Roots::All, &Layout::Far).expect("links");
        let g = far.address("g").expect("there");
        assert_eq!(g & 1, u64::from(to));
        let stub = far.graph().stubs.first().expect("a stub").symbol;
        let stub = far.graph().address(stub).expect("placed");
        let code = if from { 0xf000_f8df } else { 0xe51f_f004 };
        assert_eq!(read(&far, stub, 4), code, "a load of pc in the state of the caller");
        assert_eq!(read(&far, stub + 4, 4), g, "with the low bit of the target's state");
    }
}

#[test]
fn near_calls_change_state_without_a_stub() {
    for (from, to, mask, bits) in [
        (false, true, 0xfe00_0000u64, 0xfa00_0000u64),
        (true, false, 0xd001_0000, 0xc000_0000),
        (true, true, 0xd000_0000, 0xd000_0000),
    ] {
        let files = [("a.o", arm("f", Some("g"), from)), ("b.o", arm("g", None, to))];
        let near = link("armv7", &files).expect("links");
        assert_eq!(near.graph().stubs.len(), 0);
        let word = read(&near, near.address("f").expect("there") & !1, 4);
        assert_eq!(word & mask, bits, "{from} to {to}: {word:#x}");
    }
}

/// Links these with `T` at an address.
fn link_with_t<'data>(files: &'data [(&'data str, Vec<u8>)], t: u64, layout: &Layout) -> Result<Linked<'data>> {
    let mut parsed = parse("aarch64", files, &Options::default())?;
    parsed.define("T", t)?;
    let mut ram = Ram::default();
    let reserved = parsed.prune(Roots::All)?.reserve(&mut ram, layout)?;
    reserved.resolve(&mut ram, |_| None)?.fix(&mut ram)?.finalize(&mut ram)
}

#[test]
fn a_branch_that_came_into_reach_needs_no_stub() {
    // `w` with 130 MiB behind it.
    let mut w = calls("w", &["T"]);
    w.of(1).data.resize(0x820_0000, 0);
    let files = [("w.o", w.bytes()), ("x.o", calls("x", &["T"]).bytes())];
    // The stub of `w` moves `x` towards `T`, into reach of some.
    for t in [0x1060_0000, 0x1060_0004, 0x1060_0008, 0x1060_000c, 0x1060_0010u64] {
        let linked = link_with_t(&files, t, &Layout::Near).expect("links");
        let (w, x) = (linked.address("w").expect("there"), linked.address("x").expect("there"));
        assert_eq!(read(&linked, a64_target(&linked, w) + 8, 8), t);
        let direct = t - x < 128 << 20;
        assert_eq!(if direct { a64_target(&linked, x) } else { read(&linked, a64_target(&linked, x) + 8, 8) }, t);
        let stubs = linked.graph().blocks.iter().filter(|(_, block)| block.live);
        let stubs = stubs.filter(|(_, block)| linked.graph().sections[block.section].name == b".stub").count();
        assert_eq!(stubs, if direct { 1 } else { 2 }, "{t:#x}: one that nobody needs is not there");
        let planned = linked.plan().segments.iter().flat_map(|segment| &segment.blocks);
        assert!(planned.copied().all(|block| linked.graph().blocks[block].live), "{t:#x}: nor in the plan");
    }
}

#[test]
fn any_number_of_islands_of_one_target_settles() {
    let name = |index| format!("f{index}").leak() as &str;
    let files: Vec<(&str, Vec<u8>)> =
        (0..100).map(|index| (name(index), calls(name(index), &["T", "T"]).bytes())).collect();
    // Of two neighbours one is in reach of the other's stub.
    let at = |index: u64| format!("f{index}(.text.f{index})={:#x}", 0x40_0000 + index * 0x700_0000);
    let layout = format!("at:{}", (0..100).map(at).collect::<Vec<_>>().join(",")).parse().expect("a layout");
    let linked = link_with_t(&files, 0x10_0000_0000, &layout).expect("links");
    let mut stubs = std::collections::BTreeSet::new();
    for (name, _) in &files {
        let stub = a64_target(&linked, linked.address(name).expect("there"));
        assert_eq!(read(&linked, stub + 8, 8), 0x10_0000_0000, "{name}");
        stubs.insert(stub);
    }
    assert!(stubs.len() > 31, "{} islands", stubs.len());
}

/// Many callers whose reach ends within a few bytes of each other, so that each stub pushes another branch out of reach.
#[test]
fn a_chain_of_branches_that_push_each_other_out_of_reach_settles() {
    let count = 400u64;
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for index in 0..count {
        let name = &*format!("f{index}").leak();
        files.push((name, calls(name, &[if index % 2 == 0 { "far" } else { "T" }]).bytes()));
    }
    for shift in [0, 8, 64, 512, 4096] {
        let mut parsed = parse("aarch64", &files, &Options::default()).expect("reads");
        parsed.define("far", 0x10_0000_0000).expect("new");
        // Out of reach of the first callers, in reach of the last ones.
        let t = 0x40_0000 + (128 << 20) + shift;
        parsed.define("T", t).expect("new");
        let mut ram = Ram::default();
        let reserved = parsed.prune(Roots::All).expect("prunes").reserve(&mut ram, &Layout::Near).expect("settles");
        let fixed = reserved.resolve(&mut ram, |_| None).expect("resolves").fix(&mut ram).expect("all are in reach");
        let linked = fixed.finalize(&mut ram).expect("ships");
        for index in (1..count).step_by(2) {
            let to = a64_target(&linked, linked.address(&format!("f{index}")).expect("there"));
            assert!(to == t || read(&linked, to + 8, 8) == t, "{index} goes to {to:#x}");
        }
    }
}

#[test]
fn a_branch_in_a_section_that_is_larger_than_its_reach_says_so() {
    let mut elf = Elf::arm();
    // A32: `bl far` in the midst of 80 MiB.
    let mut code = vec![0; 80 << 20];
    code[40 << 20..][..4].copy_from_slice(&0xebff_fffeu32.to_le_bytes());
    let text = elf.section(".text", PROGBITS, CODE, &code);
    let far = elf.wants("far");
    elf.relocate(text, 40 << 20, ARM_CALL, far, 0);
    let bytes = elf.bytes();
    let mut parsed = Parsed::new(Target::named("armv7").expect("known"), Options::default());
    parsed.add("a.o", &bytes).expect("reads");
    parsed.define("far", 0x7000_0000).expect("new");
    let mut ram = Ram::default();
    let reserved = parsed.prune(Roots::All).expect("prunes").reserve(&mut ram, &Layout::Near).expect("settles");
    let error = reserved.resolve(&mut ram, |_| None).expect("resolves").fix(&mut ram).map(drop).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "a.o(.text+0x2800000): R_ARM_CALL against `far`: the target is out of reach, and so is a stub beside the section, \
         which has 0x5000000 bytes: the branch reaches from -0x2000000 to 0x1ffffff"
    );
}

/// Pieces of one function in two objects: a stub between them would be executed.
#[test]
fn no_stub_stands_in_the_midst_of_an_output_section() {
    let piece = |first: bool| {
        let mut elf = Elf::aarch64();
        let code = elf.section(".init", PROGBITS, CODE, &[0; 4]);
        if first {
            elf.symbol("init", GLOBAL | FUNC, code, 0);
        }
        let far = elf.wants("far");
        elf.relocate(code, 0, elf::AARCH64_CALL26, far, 0);
        elf.of(code).data = 0x9400_0000u32.to_le_bytes().to_vec();
        elf.bytes()
    };
    let files = [("a.o", piece(true)), ("b.o", piece(false)), ("far.o", calls("far", &[]).bytes())];
    let linked = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let init = linked.address("init").expect("there");
    let far = linked.address("far").expect("there");
    for at in [init, init + 4] {
        let stub = a64_target(&linked, at);
        assert!(stub >= init + 8, "behind both pieces");
        assert_eq!(read(&linked, stub + 8, 8), far);
    }
}

const BTI_C: u32 = 0xd503_245f;
const PURE_CODE: u64 = 0x2000_0000;

/// An AArch64 function that begins with this instruction and calls these, in an object whose code can run on guarded pages.
fn guarded(name: &str, first: u32, callees: &[&str]) -> Elf {
    let mut elf = calls(name, callees);
    elf.of(1).data.splice(0..0, first.to_le_bytes());
    elf.of(1).relocations.iter_mut().for_each(|relocation| relocation.0 += 4);
    super::built::add_note(&mut elf, 1);
    elf
}

/// SYSVABI64, Tool Requirements for generating BTI instructions: who branches indirectly lands on BTI.
#[test]
fn a_stub_leads_to_a_landing_pad_where_pages_are_guarded() {
    let nop = 0xd503_201f;
    for (first, landed) in [(nop, false), (BTI_C, true), (0xd503_233f, true), (0xd503_249f, true)] {
        let files = [
            ("a.o", guarded("f", BTI_C, &["g", "g"]).bytes()),
            ("b.o", guarded("h", BTI_C, &["g"]).bytes()),
            ("c.o", guarded("g", first, &[]).bytes()),
        ];
        let linked = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
        let at = |name| linked.address(name).expect("there");
        let through = |place| read(&linked, a64_target(&linked, place) + 8, 8);
        let led = through(at("f") + 4);
        assert_eq!([through(at("f") + 8), through(at("h") + 4)], [led; 2], "one landing pad for all");
        if landed {
            assert_eq!(led, at("g"), "{first:#x} is one");
        } else {
            assert_eq!(read(&linked, led, 4), BTI_C.into());
            assert_eq!(a64_target(&linked, led + 4), at("g"));
            assert!(led.abs_diff(at("g")) < 64, "beside its target");
        }
    }
    let mut plain = guarded("g", nop, &[]);
    plain.sections.pop();
    let files = [("a.o", guarded("f", BTI_C, &["g"]).bytes()), ("c.o", plain.bytes())];
    let linked = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let led = read(&linked, a64_target(&linked, linked.address("f").expect("there") + 4) + 8, 8);
    assert_eq!(led, linked.address("g").expect("there"), "one object does not guard its code: no page is");
}

#[test]
fn a_stub_of_code_that_is_never_read_has_no_literal() {
    let mut caller = calls("f", &["g"]);
    caller.of(1).flags |= PURE_CODE;
    let files = [("a.o", caller.bytes()), ("b.o", calls("g", &[]).bytes())];
    let linked = link_as("aarch64", &files, Roots::All, &Layout::Far).expect("links");
    let (f, g) = (linked.address("f").expect("there"), linked.address("g").expect("there"));
    let stub = a64_target(&linked, f);
    let moves: Vec<u64> = (0..4).map(|index| read(&linked, stub + index * 4, 4)).collect();
    let value = moves.iter().enumerate().fold(0, |value, (index, word)| value | (word >> 5 & 0xffff) << (16 * index));
    assert_eq!((value, read(&linked, stub + 16, 4)), (g, 0xd61f_0200), "movz, movk, movk, movk, br x16");
    assert_eq!(linked.graph().stub_name(linked.graph().shapes[0].0).as_deref(), Some("__AArch64AbsXOLongThunk_g"));
}

/// AAELF64, Call and Jump relocations: what is neither a function nor in another section is reached or is an error.
#[test]
fn a_label_of_the_same_section_is_reached_without_a_stub_or_not_at_all() {
    let link_to = |info: u8| {
        let mut elf = Elf::aarch64();
        let mut code = 0x9400_0000u32.to_le_bytes().to_vec();
        code.resize(0x900_0000, 0);
        let text = elf.section(".text", PROGBITS, CODE, &code);
        let label = elf.symbol("label", info, text, 0x8ff_fff0);
        elf.relocate(text, 0, elf::AARCH64_CALL26, label, 0);
        let bytes = elf.bytes();
        link("aarch64", &[("a.o", bytes)]).map(|linked| linked.graph().stubs.len()).map_err(|error| error.to_string())
    };
    assert!(link_to(GLOBAL).expect_err("refused").starts_with("a.o(.text+0x0): R_AARCH64_CALL26 against `label`: "));
    assert_eq!(link_to(GLOBAL | FUNC), Ok(1));
}
