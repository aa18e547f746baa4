//! The transcription against itself: every relocation can be written and read back.

use proptest::prelude::*;

use super::*;

fn all() -> impl Iterator<Item = &'static Relocation> {
    AARCH64.relocations.iter().chain(&ARM.relocations)
}

fn named(name: &str) -> &'static Relocation {
    all().find(|relocation| relocation.name == name).unwrap_or_else(|| panic!("{name}"))
}

/// Words that may stand at the place.
fn words(relocation: &Relocation) -> Vec<u64> {
    let words: Vec<u64> = relocation.opcodes().iter().map(|opcode| opcode.word).collect();
    if words.is_empty() { vec![0] } else { words }
}

fn with_field() -> Vec<&'static Relocation> {
    all().filter(|relocation| !relocation.form.bits.is_empty()).collect()
}

#[test]
fn counts() {
    let count = |class, standing| {
        all().filter(|relocation| relocation.class == class && relocation.standing == standing).count()
    };
    let counts = |class| {
        [Standing::Static, Standing::Dynamic, Standing::Deprecated, Standing::Obsolete, Standing::Private]
            .map(|standing| count(class, standing))
    };
    assert_eq!(counts(Class::Lp64), [138, 12, 0, 0, 17]);
    assert_eq!(counts(Class::Ilp32), [78, 9, 0, 0, 0]);
    assert_eq!(counts(Class::Arm), [105, 11, 8, 14, 25]);
}

/// How many rows were read from which release: a new release is read row by row, and says so here.
#[test]
fn releases() {
    let mut releases = std::collections::BTreeMap::new();
    for relocation in all() {
        let class = format!("{:?}", relocation.class);
        *releases.entry((class, relocation.release.clone())).or_insert(0) += 1;
    }
    let releases: Vec<_> = releases.iter().map(|((class, release), count)| (&**class, &**release, *count)).collect();
    let expected = [
        ("Arm", "AAELF32 2025Q4", 149),
        ("Arm", "FDPIC ABI 0.4", 4),
        ("Arm", "GNU binutils 2.40", 10),
        ("Ilp32", "AAELF64 2026Q2", 87),
        ("Lp64", "AAELF64 2026Q2", 128),
        ("Lp64", "PAuthABIELF64 2024Q3", 17),
        ("Lp64", "PAuthABIELF64 2025Q4", 22),
    ];
    assert_eq!(releases, expected);
}

/// What goes by way of the table of AArch64 has no addend, but for the one relocation whose formula has it outside.
#[test]
fn zero_addends() {
    let is_zero = |name: &str| named(name).forbids_addend(8);
    assert!(
        ["ADR_GOT_PAGE", "TLSGD_ADR_PAGE21", "TLSIE_ADR_GOTTPREL_PAGE21", "TLSDESC_LD64_LO12", "AUTH_GOT_ADD_LO12_NC"]
            .iter()
            .all(|name| is_zero(&format!("R_AARCH64_{name}")))
    );
    assert!(is_zero("R_AARCH64_P32_LD32_GOT_LO12_NC") && !named("R_AARCH64_ADR_GOT_PAGE").forbids_addend(0));
    for free in ["R_AARCH64_GOTPCREL32", "R_AARCH64_TLSLD_ADR_PAGE21", "R_AARCH64_ABS64", "R_ARM_GOT_PREL"] {
        assert!(!is_zero(free), "{free}");
    }
    assert_eq!(named("R_AARCH64_ADR_GOT_PAGE").entry(), Some((Entry::Address, true)));
    assert_eq!(named("R_AARCH64_GOTPCREL32").entry(), Some((Entry::Address, false)));
}

/// Fields lie in their words, hold as many bits as are selected, and examples have a field that means zero.
#[test]
fn forms() {
    for relocation in with_field() {
        let name = &relocation.name;
        let bits = 8 * relocation.form.place.size() as u32;
        assert!(relocation.form.bits.iter().all(|(_, at, width)| at + width <= bits), "{name}");
        let width: u32 = relocation.form.bits.iter().map(|(_, _, width)| width).sum();
        assert_eq!(width, relocation.field().count_ones(), "{name}: pieces overlap");
        let selected = relocation.select.0 - relocation.select.1 + 1;
        // A store's offset has twelve bits, of which the low part of an address fills the lower ones.
        assert!(selected <= width, "{name}: {selected} bits into {width}");
        // What replaces an instruction may stand anywhere.
        if relocation.form.place.is_code() && width < bits {
            assert!(relocation.form.wrong.is_some() && !relocation.form.opcodes.is_empty(), "{name}");
        }
        for word in words(relocation) {
            if relocation.form.special != Some(Special::MovnMovz) {
                assert_eq!(relocation.decode(word), 0, "{name} {word:#x}");
            }
        }
    }
}

/// What the ABI gives as examples, and what assemblers make of a few instructions.
#[test]
fn known_words() {
    let addend = |name: &str, word| named(name).addend(word);
    assert_eq!(addend("R_ARM_ALU_PC_G0", 0xe241_0fff), -1020);
    assert_eq!(addend("R_ARM_LDR_PC_G2", 0xe59f_0010), 16);
    assert_eq!(addend("R_ARM_THM_CALL", 0xf7ff_fffe), -4);
    assert_eq!(addend("R_ARM_ABS8", 0xf0), -16);
    assert_eq!(addend("R_ARM_CALL", 0xebff_fffe), -8);
    assert_eq!(addend("R_ARM_THM_JUMP6", 0xb3f8), -4 + 0x82 % 0x80);
    assert_eq!(addend("R_ARM_THM_PC8", 0x48ff), -4);
    assert_eq!(addend("R_ARM_MOVT_ABS", 0xe34f_0ffc), -4);
    assert_eq!(addend("R_ARM_THM_MOVT_ABS", 0xf6cf_70fc), -4);
    assert_eq!(addend("R_ARM_PREL31", 0xffff_fff8), -8);

    let expected = |name: &str, word, x, thumb| named(name).expected(word, x, thumb);
    assert_eq!(expected("R_AARCH64_CALL26", 0x9400_0000, -4, None), Ok(0x97ff_ffff));
    assert_eq!(expected("R_AARCH64_ADR_PREL_LO21", 0x1000_0000, 5, None), Ok(0x3000_0020));
    assert_eq!(expected("R_AARCH64_ADR_PREL_PG_HI21", 0x9000_0003, -0x1000, None), Ok(0xf0ff_ffe3));
    assert_eq!(expected("R_AARCH64_LDST64_ABS_LO12_NC", 0xf940_0021, 0x12348, None), Ok(0xf941_a421));
    assert_eq!(expected("R_AARCH64_MOVW_SABS_G0", 0xd280_0000, -2, None), Ok(0x9280_0020));
    assert_eq!(expected("R_AARCH64_MOVW_PREL_G1", 0x92a0_0000, 0x1_2345, None), Ok(0xd2a0_0020));
    assert_eq!(expected("R_ARM_CALL", 0xeb00_0000, 0x10 - 8, Some(false)), Ok(0xeb00_0002));
    assert_eq!(expected("R_ARM_CALL", 0xeb00_0000, 0x13, Some(true)), Ok(0xfb00_0004));
    assert_eq!(expected("R_ARM_CALL", 0xfb00_0000, 0x10, Some(false)), Ok(0xeb00_0004));
    assert_eq!(expected("R_ARM_JUMP24", 0xea00_0000, 0x11, Some(true)), Err(Refusal::State));
    assert_eq!(expected("R_ARM_THM_CALL", 0xf000_f800, -3, Some(true)), Ok(0xf7ff_fffe));
    assert_eq!(expected("R_ARM_THM_CALL", 0xf000_f800, 0x22, Some(false)), Ok(0xf000_e812));
    assert_eq!(expected("R_ARM_THM_JUMP24", 0xf000_b800, 0x40_0000, None), Ok(0xf000_b000));
    assert_eq!(expected("R_ARM_THM_JUMP19", 0xf000_8000, -4, None), Ok(0xf43f_affe));
    assert_eq!(expected("R_ARM_THM_MOVW_ABS_NC", 0xf240_0000, 0x1234_5678, None), Ok(0xf245_6078));
    assert_eq!(expected("R_ARM_LDR_SBREL_11_0_NC", 0xe590_0000, 0x1234_5678, None), Ok(0xe590_0678));
    assert_eq!(expected("R_ARM_ALU_SBREL_19_12_NC", 0xe289_0000, 0x1234_5678, None), Ok(0xe289_0a45));
    assert_eq!(expected("R_ARM_ALU_SBREL_27_20_CK", 0xe289_0000, -0x0234_5678, None), Ok(0xe249_0623));
    assert_eq!(expected("R_ARM_ALU_PC_G0", 0xe28f_0000, -1020, None), Ok(0xe24f_0fff));
    assert_eq!(expected("R_ARM_LDR_PC_G1", 0xe590_0000, 0x1_2345, None), Ok(0xe590_0345));
    assert_eq!(expected("R_ARM_LDRS_PC_G0", 0xe1d0_00b0, -0x12, None), Ok(0xe150_01b2));
    assert_eq!(expected("R_ARM_LDC_PC_G0", 0xed90_0e00, 0x3fc, None), Ok(0xed90_0eff));
}

#[test]
fn refusals() {
    let expected = |name: &str, x| named(name).expected(words(named(name))[0], x, None);
    assert_eq!(expected("R_AARCH64_CALL26", 1 << 27), Err(Refusal::OutOfRange));
    assert_eq!(expected("R_AARCH64_CALL26", 2), Err(Refusal::Misaligned));
    assert_eq!(expected("R_AARCH64_ABS16", -0x8001), Err(Refusal::OutOfRange));
    assert!(expected("R_AARCH64_ABS16", 0xffff).is_ok() && expected("R_AARCH64_MOVW_UABS_G0_NC", -1).is_ok());
    for (name, low, high) in [("PREL32", -1 << 31, 1 << 31), ("PREL16", -1 << 15, 1 << 15), ("PATCHINST", 0, 1 << 32)] {
        let name = format!("R_AARCH64_{name}");
        assert!(expected(&name, low).is_ok() && expected(&name, high - 1).is_ok(), "{name}");
        assert_eq!([low - 1, high].map(|x| expected(&name, x)), [Err(Refusal::OutOfRange); 2], "{name}");
    }
    // GNU ld, asked for these, finds them truncated.
    let far = [("ADR_PREL_PG_HI21", -(1 << 32) - 0x1000), ("PREL32", 1 << 31), ("MOVW_PREL_G1", 1 << 32)];
    for (name, x) in [("MOVW_UABS_G1", -1), ("ABS32", 1 << 32)].into_iter().chain(far) {
        assert_eq!(expected(&format!("R_AARCH64_P32_{name}"), x), Err(Refusal::OutOfRange), "{name}");
    }
    assert_eq!(expected("R_ARM_ALU_PC_G0", 0x101), Err(Refusal::OutOfRange));
    assert_eq!(expected("R_ARM_LDR_PC_G0", 0x1000), Err(Refusal::OutOfRange));
    assert_eq!(expected("R_ARM_LDC_PC_G0", 0x400), Err(Refusal::OutOfRange));
    assert!(expected("R_ARM_ALU_PC_G0_NC", 0x101).is_ok());
    assert_eq!(expected("R_ARM_ALU_SBREL_27_20_CK", 1 << 28), Err(Refusal::OutOfRange));
}

proptest! {
    /// What was written is read back, nothing else changes, and writing it again changes nothing.
    #[test]
    fn round_trip(
        x in prop_oneof![any::<i64>(), -0x20_0000..0x20_0000i64, any::<i32>().prop_map(i64::from)],
        junk: u64,
    ) {
        for relocation in with_field() {
            let x = if relocation.class == Class::Arm { i64::from(x as i32) } else { x };
            let x = x & !(relocation.align as i64 - 1);
            for word in words(relocation) {
                let dirty = word & !relocation.field() | junk & relocation.field();
                let Ok(after) = relocation.expected(dirty, x, None) else { continue };
                prop_assert_eq!(Ok(after), relocation.expected(word, x, None), "{}", relocation.name);
                prop_assert_eq!((after ^ word) & !relocation.mask(), 0, "{}", relocation.name);
                prop_assert_eq!(relocation.expected(after, x, None), Ok(after), "{}", relocation.name);
                // BLX counts from a word in T32, and says the halfword in A32.
                let part = match relocation.form.special {
                    Some(Special::T32Call) if word & 1 << 12 == 0 => relocation.part(((x & !1) + 3) & !3),
                    Some(Special::A32Call) if word >> 28 == 0xf => relocation.part(x) | x & 2,
                    _ => relocation.part(x),
                };
                prop_assert_eq!(relocation.decode(after), part, "{} {:#x}", relocation.name, x);
            }
        }
    }
}
