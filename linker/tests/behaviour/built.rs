//! Statements of objects about how they were built: attributes, properties, flags.

use super::elf::{CODE, Elf, FUNC, GLOBAL, PROGBITS, READ};
use super::*;
use linker::build::Properties;
use linker::platform::{Meaning, Platform};

const ATTRIBUTES: u32 = 0x7000_0003;
const NOTE: u32 = 7;

/// An ARM object with these attributes.
fn with_attributes(list: &[(u8, u8)]) -> Elf {
    let mut elf = Elf::arm();
    let body: Vec<u8> = list.iter().flat_map(|&(tag, value)| [tag, value]).collect();
    let scope = [&[1][..], &(body.len() as u32 + 5).to_le_bytes(), &body].concat();
    let vendor = [&(scope.len() as u32 + 10).to_le_bytes()[..], b"aeabi\0", &scope].concat();
    elf.section(".ARM.attributes", ATTRIBUTES, 0, &[b"A", &vendor[..]].concat());
    elf
}

const ARCH: (u8, u8) = (6, 10);

fn warnings(linked: &Linked<'_>) -> Vec<String> {
    linked.graph().warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn arguments_in_other_registers_are_an_error() {
    let (hard, soft) = (with_attributes(&[ARCH, (23, 3), (28, 1)]), with_attributes(&[ARCH, (23, 3)]));
    let files = [("hard.o", hard.bytes()), ("soft.o", soft.bytes())];
    let expected = "soft.o: passes floating-point arguments in core registers, others in VFP registers \
        (Tag_ABI_VFP_args 0 and 1); for instance hard.o";
    assert_eq!(error("armv7", &files), expected);
    // Code without floating point goes with either.
    let none = with_attributes(&[ARCH]);
    let files = [("none.o", none.bytes()), ("hard.o", hard.bytes()), ("again.o", none.bytes())];
    let linked = link("armv7", &files).expect("links");
    assert_eq!((linked.graph().attributes.number(28), warnings(&linked)), (1, vec![]));
}

#[test]
fn other_sizes_of_enumerations_are_a_warning() {
    let files =
        [("a.o", with_attributes(&[ARCH, (26, 1)]).bytes()), ("b.o", with_attributes(&[ARCH, (26, 2)]).bytes())];
    let expected = "b.o: has enumerations of 32 bits, others as small as their values: those that objects share are read \
        wrongly (Tag_ABI_enum_size 2 and 1); for instance a.o";
    assert_eq!(warnings(&link("armv7", &files).expect("links")), [expected]);
}

#[test]
fn attributes_that_cannot_be_read_are_left_out() {
    let odd = |bytes: &[u8]| {
        let mut elf = Elf::arm();
        elf.section(".ARM.attributes", ATTRIBUTES, 0, bytes);
        elf.bytes()
    };
    let good = with_attributes(&[ARCH, (7, b'M')]);
    // Zeros, as `ld -r` leaves them; another format; a core of the future; a second section.
    let mut two = with_attributes(&[ARCH, (7, b'M')]);
    two.section(".ARM.attributes", ATTRIBUTES, 0, &[0; 40]);
    let future = with_attributes(&[(6, 99), (7, b'M'), (111, 0)]);
    let files = [
        ("good.o", good.bytes()),
        ("zeros.o", odd(&[0; 40])),
        ("empty.o", odd(&[])),
        ("format.o", odd(b"B12345")),
        ("two.o", two.bytes()),
        ("future.o", future.bytes()),
    ];
    let linked = link("thumbv7m", &files).expect("links");
    let expected =
        "format.o(.ARM.attributes): build attributes: format version 0x42 is not 'A', the only one there is: left out";
    assert_eq!(warnings(&linked), [expected]);
    let section = linked.graph().attribute_section();
    let again = linked.graph().arch.attributes(&section, false, linker::index::ObjectId::default());
    assert_eq!(again.number(7), u64::from(b'M'));
}

/// An AArch64 object with these features in its note.
fn with_note(features: Option<u32>) -> Vec<u8> {
    let mut elf = Elf::aarch64();
    if let Some(features) = features {
        add_note(&mut elf, features);
    }
    elf.bytes()
}

/// Adds the note that says that the code of an AArch64 object has these features: 1 BTI, 2 PAC, 4 GCS.
pub(super) fn add_note(elf: &mut Elf, features: u32) {
    let words = |list: &[u32]| list.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let note = [words(&[4, 16, 5]), b"GNU\0".to_vec(), words(&[0xc000_0000, 4, features, 0])].concat();
    elf.section(".note.gnu.property", NOTE, READ, &note);
}

#[test]
fn properties_hold_of_all_objects_or_not() {
    let of = |list: &[Option<u32>]| {
        let names = ["a.o", "b.o", "c.o"];
        let files: Vec<_> = names.into_iter().zip(list.iter().map(|&features| with_note(features))).collect();
        let linked = link("aarch64", &files).expect("links");
        // The notes themselves are not linked: an image has one.
        assert_eq!(linked.graph().sections.len(), 0);
        let Properties { bti, pac, gcs, .. } = linked.graph().properties;
        (bti, pac, gcs)
    };
    assert_eq!(of(&[Some(7)]), (true, true, true));
    assert_eq!(of(&[Some(3), Some(5), Some(7)]), (true, false, false));
    assert_eq!(of(&[Some(7), None, Some(7)]), (false, false, false));
    assert_eq!(of(&[None, Some(7)]), (false, false, false));
    let mut cut = Elf::aarch64();
    cut.section(".note.gnu.property", NOTE, READ, &[4, 0, 0, 0, 99, 0, 0, 0]);
    let files = [("a.o", cut.bytes())];
    let expected = "a.o(.note.gnu.property): the properties are cut short: taken to be none";
    assert_eq!(warnings(&link("aarch64", &files).expect("links")), [expected]);
}

#[test]
fn build_attributes_say_the_same_as_properties() {
    let object = |tag: u8| {
        let name = b"aeabi_feature_and_bits\0";
        let subsection = [&(name.len() as u32 + 8).to_le_bytes()[..], name, &[1, 0], &[tag, 1]].concat();
        let mut elf = Elf::aarch64();
        elf.section(".ARM.attributes", ATTRIBUTES, 0, &[b"A", &subsection[..]].concat());
        elf.bytes()
    };
    let files = [("a.o", object(0)), ("b.o", with_note(Some(7)))];
    let properties = link("aarch64", &files).expect("links").graph().properties;
    assert_eq!((properties.bti, properties.pac), (true, false));
    let mut required = Elf::aarch64();
    required.section(".ARM.attributes", ATTRIBUTES, 0, b"A\x0a\0\0\0new\0\0\0");
    let expected = "a.o(.ARM.attributes): build attributes: subsection new has to be understood, and is not known here";
    assert_eq!(error("aarch64", &[("a.o", required.bytes())]), expected);
}

#[test]
fn pure_code_and_calls_by_other_standards_are_marked() {
    const PURE: u64 = 0x2000_0000;
    let mut elf = Elf::aarch64();
    let text = elf.section(".text.pure", PROGBITS, CODE | PURE, &[0; 4]);
    elf.section(".text", PROGBITS, CODE, &[0; 4]);
    elf.symbols.push(("f".into(), GLOBAL | FUNC, 0x80, text, 0, 4));
    let files = [("a.o", elf.bytes())];
    let linked = link("aarch64", &files).expect("links");
    let pure: Vec<bool> = linked.graph().sections.iter().map(|(_, section)| section.pure_code).collect();
    assert_eq!(pure, [true, false]);
    assert_eq!(linked.graph().symbols[linked.symbol("f").expect("there")].other, 0x80);
}

/// What a pointer to `x`, at 0x10, by R_ARM_TARGET1 or R_ARM_TARGET2 becomes, and where it is.
fn platform(target: &str, number: u32, attributes: &[(u8, u8)], platform: Platform) -> (u64, u64, usize) {
    let mut elf = with_attributes(attributes);
    let data = elf.section(".data", PROGBITS, super::elf::DATA, &[4, 0, 0, 0]);
    elf.symbol("p", GLOBAL, data, 0);
    let x = elf.symbol("x", GLOBAL, super::elf::ABSOLUTE, 0x10);
    elf.relocate(data, 0, number, x, 0);
    let files = [("a.o", elf.bytes())];
    let options = Options { platform, ..Options::default() };
    let linked = link_with(target, &files, Roots::All, &Layout::Near, &options).expect("links");
    let p = linked.address("p").expect("there");
    let name = linked.graph().live_edges().next().map(|(id, _)| linked.graph().object_row(id).name);
    assert_eq!(name, Some(if number == 38 { "R_ARM_TARGET1" } else { "R_ARM_TARGET2" }));
    (p, read(&linked, p, 4), linked.graph().got.map_or(0, |_| 1))
}

#[test]
fn what_types_of_exceptions_are_found_by_is_the_platforms() {
    let none = Platform::default();
    let relative = |(p, value, got): (u64, u64, usize)| value == (0x14 - p as i64) as u32 as u64 && got == 0;
    let (small, large) = ([ARCH, (26, 1)], [ARCH, (26, 2)]);
    assert!(relative(platform("thumbv7m", 41, &[ARCH, (7, b'M')], none)));
    assert!(relative(platform("armv7", 41, &small, none)));
    for attributes in [&large[..], &[ARCH], &[]] {
        assert_eq!(platform("armv7", 41, attributes, none).2, 1, "an entry of the table");
    }
    let asked = |meaning| Platform { target2: Some(meaning), ..none };
    assert_eq!(platform("thumbv7m", 41, &small, asked(Meaning::GotRelative)).2, 1);
    assert_eq!(platform("armv7", 41, &large, asked(Meaning::Absolute)).1, 0x14);
    assert!(relative(platform("armv7", 41, &large, asked(Meaning::Relative))));
    assert_eq!(platform("armv7", 38, &large, none).1, 0x14);
    assert!(relative(platform("armv7", 38, &large, Platform { target1: Some(Meaning::Relative), ..none })));
}
