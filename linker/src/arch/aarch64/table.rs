//! The relocations of AAELF64, LP64. Section titles are those of the ABI document.

use super::one;
use crate::field::{Codec, Field, Opcode, Unit, opcode, run};
use crate::relocation::{Check, Class, Entry, Minus, Operation, Row, Standing, Term, by_number, foreign, row};

/// The numbers that fill words of tables.
pub(super) const ABS64: u32 = 257;
pub(super) const DTPREL64: u32 = 1029;
pub(super) const TPREL64: u32 = 1030;

/// The first of the signed forms by way of a table.
pub(super) const AUTH_FIRST: u32 = 581;

/// Index of each number.
pub(super) static INDEX: [u16; 1100] = by_number(ROWS);

const ABS: Operation = Operation::new(Term::Symbol, Minus::Nothing);
const PREL: Operation = Operation::new(Term::Symbol, Minus::Place);
const PAGE: Operation = Operation::new(Term::Symbol, Minus::PagePlace).page();
const GOTREL: Operation = Operation::new(Term::Symbol, Minus::Got);
pub(super) const GOT_ABS: Operation = Operation::new(Term::GotOfSum, Minus::Nothing);
pub(super) const GOT_PREL: Operation = Operation::new(Term::GotOfSum, Minus::Place);
const GOT_PLUS_PREL: Operation = Operation::new(Term::GotPlus, Minus::Place);
const GOT_PAGE: Operation = Operation::new(Term::GotOfSum, Minus::PagePlace).page();
const GOT_OFF: Operation = Operation::new(Term::GotOfSum, Minus::Got);
pub(super) const GOT_PAGEOFF: Operation = Operation::new(Term::GotOfSum, Minus::PageGot);

pub(super) const DTPREL: Operation = Operation::new(Term::Symbol, Minus::Block);
pub(super) const TPREL: Operation = Operation::new(Term::Symbol, Minus::ThreadPointer);
const GD: Operation = GOT_ABS.entry(Entry::Variable);
const GD_PREL: Operation = GOT_PREL.entry(Entry::Variable);
const GD_PAGE: Operation = GOT_PAGE.entry(Entry::Variable);
const GD_OFF: Operation = GOT_OFF.entry(Entry::Variable);
const LD: Operation = GOT_ABS.entry(Entry::Module);
pub(super) const LD_PREL: Operation = GOT_PREL.entry(Entry::Module);
const LD_PAGE: Operation = GOT_PAGE.entry(Entry::Module);
const LD_OFF: Operation = GOT_OFF.entry(Entry::Module);
pub(super) const IE: Operation = GOT_ABS.entry(Entry::ThreadOffset);
pub(super) const IE_PREL: Operation = GOT_PREL.entry(Entry::ThreadOffset);
const IE_PAGE: Operation = GOT_PAGE.entry(Entry::ThreadOffset);
const IE_OFF: Operation = GOT_OFF.entry(Entry::ThreadOffset);
pub(super) const DESC: Operation = GOT_ABS.entry(Entry::Descriptor);
pub(super) const DESC_PREL: Operation = GOT_PREL.entry(Entry::Descriptor);
const DESC_PAGE: Operation = GOT_PAGE.entry(Entry::Descriptor);
const DESC_OFF: Operation = GOT_OFF.entry(Entry::Descriptor);

const AUTH: Operation = GOT_ABS.entry(Entry::Signed);
const AUTH_PREL: Operation = GOT_PREL.entry(Entry::Signed);
const AUTH_PAGE: Operation = GOT_PAGE.entry(Entry::Signed);
const AUTH_OFF: Operation = GOT_OFF.entry(Entry::Signed);
const AUTH_PAGEOFF: Operation = GOT_PAGEOFF.entry(Entry::Signed);
const AUTH_DESC: Operation = GOT_ABS.entry(Entry::SignedDescriptor);
const AUTH_DESC_PAGE: Operation = GOT_PAGE.entry(Entry::SignedDescriptor);

static NOTHING: Field = Field::data(Unit::Nothing, &[]);
static DATA16: Field = Field::data(Unit::Data16, &[run(0, 0, 16)]);
pub(super) static DATA32: Field = Field::data(Unit::Data32, &[run(0, 0, 32)]);
static DATA64: Field = Field::data(Unit::Data64, &[run(0, 0, 64)]);

/// An instruction, as a number.
static WHOLE: Field = Field::instruction(Unit::Instruction32, &[run(0, 0, 32)], &[]);

/// MOVZ and MOVK that shift their immediate left by 16 * G.
const fn movw<const G: u32>() -> [Opcode; 2] {
    [opcode("movz", 0x7fe0_0000, 0x5280_0000 | G << 21), opcode("movk", 0x7fe0_0000, 0x7280_0000 | G << 21)]
}
/// MOVN, MOVZ and, for the unchecked forms that stand in the middle of a sequence, MOVK.
const fn movn<const G: u32>() -> [Opcode; 3] {
    [
        opcode("movz", 0x7fe0_0000, 0x5280_0000 | G << 21),
        opcode("movn", 0x7fe0_0000, 0x1280_0000 | G << 21),
        opcode("movk", 0x7fe0_0000, 0x7280_0000 | G << 21),
    ]
}

static MOVW0: Field = Field::instruction(Unit::Instruction32, &[run(0, 5, 16)], &movw::<0>());
static MOVW1: Field = Field::instruction(Unit::Instruction32, &[run(16, 5, 16)], &movw::<1>());
static MOVW2: Field = Field::instruction(Unit::Instruction32, &[run(32, 5, 16)], &movw::<2>());
static MOVW3: Field = Field::instruction(Unit::Instruction32, &[run(48, 5, 16)], &movw::<3>());
static MOVN0: Field = signed_move::<0>();
static MOVN1: Field = signed_move::<1>();
static MOVN2: Field = signed_move::<2>();
static MOVN3: Field = signed_move::<3>();

const fn signed_move<const G: u32>() -> Field {
    let codec = Codec::Custom { encode: encode_movn::<G>, decode: decode_movn::<G>, mask: 0x401f_ffe0 };
    Field {
        unit: Unit::Instruction32,
        codec,
        opcodes: const { &movn::<G>() },
        stored: crate::field::Stored::Signed,
        zero: 0,
        takes: "",
    }
}

/// A negative value goes into MOVN, inverted; any other into MOVZ. MOVK keeps its opcode: the sign is another's business.
fn encode_movn<const G: u32>(word: u64, value: i64) -> Option<u64> {
    let is_movk = word & 0x6000_0000 == 0x6000_0000;
    let (opcode, part) = match (is_movk, value < 0) {
        (true, _) => (word & 0x4000_0000, value),
        (_, true) => (0, !value),
        (_, false) => (0x4000_0000, value),
    };
    Some(word & !0x401f_ffe0 | opcode | ((part >> (16 * G)) as u64 & 0xffff) << 5)
}

fn decode_movn<const G: u32>(word: u64) -> i64 {
    let part = ((word >> 5 & 0xffff) << (16 * G)) as i64;
    if word & 0x6000_0000 == 0 { !part } else { part }
}

static LDR_LITERAL: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 5, 19)], &one("ldr (literal)", 0x3b00_0000, 0x1800_0000));
static LDR_LITERAL_X: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 5, 19)], &one("ldr x (literal)", 0xff00_0000, 0x5800_0000));
static ADR: Field =
    Field::instruction(Unit::Instruction32, &[run(0, 29, 2), run(2, 5, 19)], &one("adr", 0x9f00_0000, 0x1000_0000));
static ADRP: Field =
    Field::instruction(Unit::Instruction32, &[run(12, 29, 2), run(14, 5, 19)], &one("adrp", 0x9f00_0000, 0x9000_0000));
static ADD: Field =
    Field::instruction(Unit::Instruction32, &[run(0, 10, 12)], &one("add (immediate)", 0x5fc0_0000, 0x1100_0000));
static ADD_HI: Field =
    Field::instruction(Unit::Instruction32, &[run(12, 10, 12)], &one("add (immediate)", 0x5f80_0000, 0x1100_0000));
// These mark instructions of a sequence, and change nothing in them.
static DESC_LDR: Field = Field::instruction(Unit::Instruction32, &[], &one("ldr (register)", 0xffe0_0c00, 0xf860_0800));
static DESC_ADD: Field = Field::instruction(Unit::Instruction32, &[], &one("add (register)", 0xff20_0000, 0x8b00_0000));
static DESC_CALL: Field = Field::instruction(Unit::Instruction32, &[], &one("blr", 0xffff_fc1f, 0xd63f_0000));
static LDST8: Field = Field::instruction(
    Unit::Instruction32,
    &[run(0, 10, 12)],
    &[opcode("ldrb/strb", 0xff00_0000, 0x3900_0000), opcode("ldr/str b", 0xff80_0000, 0x3d00_0000)],
);
static LDST16: Field = Field::instruction(
    Unit::Instruction32,
    &[run(1, 10, 11)],
    &[opcode("ldrh/strh", 0xff00_0000, 0x7900_0000), opcode("ldr/str h", 0xff00_0000, 0x7d00_0000)],
)
.zero(1 << 21);
static LDST32: Field = Field::instruction(
    Unit::Instruction32,
    &[run(2, 10, 10)],
    &[opcode("ldr/str w", 0xff00_0000, 0xb900_0000), opcode("ldr/str s", 0xff00_0000, 0xbd00_0000)],
)
.zero(3 << 20);
static LDST64: Field = Field::instruction(
    Unit::Instruction32,
    &[run(3, 10, 9)],
    &[opcode("ldr/str x", 0xff00_0000, 0xf900_0000), opcode("ldr/str d", 0xff00_0000, 0xfd00_0000)],
)
.zero(7 << 19);
static LDST128: Field =
    Field::instruction(Unit::Instruction32, &[run(4, 10, 8)], &one("ldr/str q", 0xff80_0000, 0x3d80_0000))
        .zero(15 << 18);
static LDR_X: Field =
    Field::instruction(Unit::Instruction32, &[run(3, 10, 9)], &one("ldr x", 0xffc0_0000, 0xf940_0000)).zero(7 << 19);
static LDR_X15: Field =
    Field::instruction(Unit::Instruction32, &[run(3, 10, 12)], &one("ldr x", 0xffc0_0000, 0xf940_0000));
static TBZ: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 5, 14)], &one("tbz/tbnz", 0x7e00_0000, 0x3600_0000));
static BCOND: Field = Field::instruction(
    Unit::Instruction32,
    &[run(2, 5, 19)],
    &[opcode("b.cond", 0xff00_0000, 0x5400_0000), opcode("cbz/cbnz", 0x7e00_0000, 0x3400_0000)],
);
static BRANCH: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 0, 26)], &one("b/bl", 0x7c00_0000, 0x1400_0000));

const MISC: &str = "AAELF64 2026Q2, Static miscellaneous relocations";
const DATA: &str = "AAELF64 2026Q2, Static Data relocations";
const UNSIGNED: &str = "AAELF64 2026Q2, Group relocations to create an unsigned value inline";
const SIGNED: &str = "AAELF64 2026Q2, Group relocations to create a signed value inline";
const RELATIVE: &str = "AAELF64 2026Q2, Relocations to generate PC-relative addresses";
const CONTROL: &str = "AAELF64 2026Q2, Relocations for control-flow instructions";
const OFFSETS: &str = "AAELF64 2026Q2, Group relocations to create a PC-relative offset inline";
const GOT_INLINE: &str = "AAELF64 2026Q2, Group relocations to create a GOT-relative offset inline";
const GOT_DATA: &str = "AAELF64 2026Q2, GOT-relative data relocations";
const TLS_GD: &str = "AAELF64 2026Q2, General Dynamic thread-local storage model";
pub(super) const TLS_LD: &str = "AAELF64 2026Q2, Local Dynamic thread-local storage model";
pub(super) const TLS_IE: &str = "AAELF64 2026Q2, Initial Exec thread-local storage model";
const TLS_LE: &str = "AAELF64 2026Q2, Local Exec thread-local storage model";
pub(super) const TLS_DESC: &str = "AAELF64 2026Q2, Thread-local storage descriptors";
const TLS_DATA: &str = "AAELF64 2026Q2, Thread Local Storage Data Relocations";
pub(super) const DYNAMIC: &str = "AAELF64 2026Q2, Dynamic relocations";
const PROTECT: &str = "AAELF64 2026Q2, Structure protection relocations";
const PAUTH: &str = "PAuthABIELF64 2025Q4, ELF Marking and relocations";
pub(super) const GOT_INSN: &str = "AAELF64 2026Q2, GOT-relative instruction relocations";

use Check::{Either, Signed, Unsigned};
use Class::{Address, Branch, BranchData, Data, Got, ShortBranch, Tls};

/// Sorted by number.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(0, "R_AARCH64_NONE", MISC, Class::None, ABS, Check::None, 1, &NOTHING),
    row(256, "R_AARCH64_NONE", MISC, Class::None, ABS, Check::None, 1, &NOTHING),
    row(257, "R_AARCH64_ABS64", DATA, Data, ABS, Check::None, 1, &DATA64),
    row(258, "R_AARCH64_ABS32", DATA, Data, ABS, Either(32), 1, &DATA32),
    row(259, "R_AARCH64_ABS16", DATA, Data, ABS, Either(16), 1, &DATA16),
    row(260, "R_AARCH64_PREL64", DATA, Data, PREL, Check::None, 1, &DATA64),
    row(261, "R_AARCH64_PREL32", DATA, Data, PREL, Signed(32), 1, &DATA32),
    row(262, "R_AARCH64_PREL16", DATA, Data, PREL, Signed(16), 1, &DATA16),
    row(263, "R_AARCH64_MOVW_UABS_G0", UNSIGNED, Address, ABS, Unsigned(16), 1, &MOVW0),
    row(264, "R_AARCH64_MOVW_UABS_G0_NC", UNSIGNED, Address, ABS, Check::None, 1, &MOVW0),
    row(265, "R_AARCH64_MOVW_UABS_G1", UNSIGNED, Address, ABS, Unsigned(32), 1, &MOVW1),
    row(266, "R_AARCH64_MOVW_UABS_G1_NC", UNSIGNED, Address, ABS, Check::None, 1, &MOVW1),
    row(267, "R_AARCH64_MOVW_UABS_G2", UNSIGNED, Address, ABS, Unsigned(48), 1, &MOVW2),
    row(268, "R_AARCH64_MOVW_UABS_G2_NC", UNSIGNED, Address, ABS, Check::None, 1, &MOVW2),
    row(269, "R_AARCH64_MOVW_UABS_G3", UNSIGNED, Address, ABS, Check::None, 1, &MOVW3),
    row(270, "R_AARCH64_MOVW_SABS_G0", SIGNED, Address, ABS, Signed(17), 1, &MOVN0),
    row(271, "R_AARCH64_MOVW_SABS_G1", SIGNED, Address, ABS, Signed(33), 1, &MOVN1),
    row(272, "R_AARCH64_MOVW_SABS_G2", SIGNED, Address, ABS, Signed(49), 1, &MOVN2),
    row(273, "R_AARCH64_LD_PREL_LO19", RELATIVE, Address, PREL, Signed(21), 4, &LDR_LITERAL),
    row(274, "R_AARCH64_ADR_PREL_LO21", RELATIVE, Address, PREL, Signed(21), 1, &ADR),
    row(275, "R_AARCH64_ADR_PREL_PG_HI21", RELATIVE, Address, PAGE, Signed(33), 1, &ADRP),
    row(276, "R_AARCH64_ADR_PREL_PG_HI21_NC", RELATIVE, Address, PAGE, Check::None, 1, &ADRP),
    row(277, "R_AARCH64_ADD_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 1, &ADD),
    row(278, "R_AARCH64_LDST8_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 1, &LDST8),
    row(279, "R_AARCH64_TSTBR14", CONTROL, ShortBranch, PREL, Signed(16), 4, &TBZ),
    row(280, "R_AARCH64_CONDBR19", CONTROL, ShortBranch, PREL, Signed(21), 4, &BCOND),
    row(282, "R_AARCH64_JUMP26", CONTROL, Branch, PREL, Signed(28), 4, &BRANCH),
    row(283, "R_AARCH64_CALL26", CONTROL, Branch, PREL, Signed(28), 4, &BRANCH),
    row(284, "R_AARCH64_LDST16_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 2, &LDST16),
    row(285, "R_AARCH64_LDST32_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 4, &LDST32),
    row(286, "R_AARCH64_LDST64_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 8, &LDST64),
    row(287, "R_AARCH64_MOVW_PREL_G0", OFFSETS, Address, PREL, Signed(17), 1, &MOVN0),
    row(288, "R_AARCH64_MOVW_PREL_G0_NC", OFFSETS, Address, PREL, Check::None, 1, &MOVW0),
    row(289, "R_AARCH64_MOVW_PREL_G1", OFFSETS, Address, PREL, Signed(33), 1, &MOVN1),
    row(290, "R_AARCH64_MOVW_PREL_G1_NC", OFFSETS, Address, PREL, Check::None, 1, &MOVW1),
    row(291, "R_AARCH64_MOVW_PREL_G2", OFFSETS, Address, PREL, Signed(49), 1, &MOVN2),
    row(292, "R_AARCH64_MOVW_PREL_G2_NC", OFFSETS, Address, PREL, Check::None, 1, &MOVW2),
    row(293, "R_AARCH64_MOVW_PREL_G3", OFFSETS, Address, PREL, Check::None, 1, &MOVN3),
    row(299, "R_AARCH64_LDST128_ABS_LO12_NC", RELATIVE, Address, ABS, Check::None, 16, &LDST128),
    row(300, "R_AARCH64_MOVW_GOTOFF_G0", GOT_INLINE, Got, GOT_OFF, Signed(17), 1, &MOVN0),
    row(301, "R_AARCH64_MOVW_GOTOFF_G0_NC", GOT_INLINE, Got, GOT_OFF, Check::None, 1, &MOVW0),
    row(302, "R_AARCH64_MOVW_GOTOFF_G1", GOT_INLINE, Got, GOT_OFF, Signed(33), 1, &MOVN1),
    row(303, "R_AARCH64_MOVW_GOTOFF_G1_NC", GOT_INLINE, Got, GOT_OFF, Check::None, 1, &MOVW1),
    row(304, "R_AARCH64_MOVW_GOTOFF_G2", GOT_INLINE, Got, GOT_OFF, Signed(49), 1, &MOVN2),
    row(305, "R_AARCH64_MOVW_GOTOFF_G2_NC", GOT_INLINE, Got, GOT_OFF, Check::None, 1, &MOVW2),
    row(306, "R_AARCH64_MOVW_GOTOFF_G3", GOT_INLINE, Got, GOT_OFF, Check::None, 1, &MOVN3),
    row(307, "R_AARCH64_GOTREL64", GOT_DATA, Data, GOTREL, Check::None, 1, &DATA64),
    row(308, "R_AARCH64_GOTREL32", GOT_DATA, Data, GOTREL, Signed(32), 1, &DATA32),
    row(309, "R_AARCH64_GOT_LD_PREL19", GOT_INSN, Got, GOT_PREL, Signed(21), 4, &LDR_LITERAL_X),
    row(310, "R_AARCH64_LD64_GOTOFF_LO15", GOT_INSN, Got, GOT_OFF, Unsigned(15), 8, &LDR_X15),
    row(311, "R_AARCH64_ADR_GOT_PAGE", GOT_INSN, Got, GOT_PAGE, Signed(33), 1, &ADRP),
    row(312, "R_AARCH64_LD64_GOT_LO12_NC", GOT_INSN, Got, GOT_ABS, Check::None, 8, &LDR_X),
    row(313, "R_AARCH64_LD64_GOTPAGE_LO15", GOT_INSN, Got, GOT_PAGEOFF, Unsigned(15), 8, &LDR_X15),
    row(314, "R_AARCH64_PLT32", DATA, BranchData, PREL, Signed(32), 1, &DATA32),
    row(315, "R_AARCH64_GOTPCREL32", GOT_DATA, Got, GOT_PLUS_PREL, Signed(32), 1, &DATA32),
    row(316, "R_AARCH64_PATCHINST", PROTECT, Class::Patch, ABS, Unsigned(32), 1, &WHOLE),
    row(317, "R_AARCH64_FUNCINIT64", PROTECT, Class::Initialised, ABS, Check::None, 1, &DATA64),
    row(512, "R_AARCH64_TLSGD_ADR_PREL21", TLS_GD, Tls, GD_PREL, Signed(21), 1, &ADR),
    row(513, "R_AARCH64_TLSGD_ADR_PAGE21", TLS_GD, Tls, GD_PAGE, Signed(33), 1, &ADRP),
    row(514, "R_AARCH64_TLSGD_ADD_LO12_NC", TLS_GD, Tls, GD, Check::None, 1, &ADD),
    row(515, "R_AARCH64_TLSGD_MOVW_G1", TLS_GD, Tls, GD_OFF, Signed(33), 1, &MOVN1),
    row(516, "R_AARCH64_TLSGD_MOVW_G0_NC", TLS_GD, Tls, GD_OFF, Check::None, 1, &MOVW0),
    row(517, "R_AARCH64_TLSLD_ADR_PREL21", TLS_LD, Tls, LD_PREL, Signed(21), 1, &ADR),
    row(518, "R_AARCH64_TLSLD_ADR_PAGE21", TLS_LD, Tls, LD_PAGE, Signed(33), 1, &ADRP),
    row(519, "R_AARCH64_TLSLD_ADD_LO12_NC", TLS_LD, Tls, LD, Check::None, 1, &ADD),
    row(520, "R_AARCH64_TLSLD_MOVW_G1", TLS_LD, Tls, LD_OFF, Signed(33), 1, &MOVN1),
    row(521, "R_AARCH64_TLSLD_MOVW_G0_NC", TLS_LD, Tls, LD_OFF, Check::None, 1, &MOVW0),
    row(522, "R_AARCH64_TLSLD_LD_PREL19", TLS_LD, Tls, LD_PREL, Signed(21), 4, &LDR_LITERAL_X),
    row(523, "R_AARCH64_TLSLD_MOVW_DTPREL_G2", TLS_LD, Tls, DTPREL, Signed(49), 1, &MOVN2),
    row(524, "R_AARCH64_TLSLD_MOVW_DTPREL_G1", TLS_LD, Tls, DTPREL, Signed(33), 1, &MOVN1),
    row(525, "R_AARCH64_TLSLD_MOVW_DTPREL_G1_NC", TLS_LD, Tls, DTPREL, Check::None, 1, &MOVW1),
    row(526, "R_AARCH64_TLSLD_MOVW_DTPREL_G0", TLS_LD, Tls, DTPREL, Signed(17), 1, &MOVN0),
    row(527, "R_AARCH64_TLSLD_MOVW_DTPREL_G0_NC", TLS_LD, Tls, DTPREL, Check::None, 1, &MOVW0),
    row(528, "R_AARCH64_TLSLD_ADD_DTPREL_HI12", TLS_LD, Tls, DTPREL, Unsigned(24), 1, &ADD_HI),
    row(529, "R_AARCH64_TLSLD_ADD_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 1, &ADD),
    row(530, "R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 1, &ADD),
    row(531, "R_AARCH64_TLSLD_LDST8_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 1, &LDST8),
    row(532, "R_AARCH64_TLSLD_LDST8_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 1, &LDST8),
    row(533, "R_AARCH64_TLSLD_LDST16_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 2, &LDST16),
    row(534, "R_AARCH64_TLSLD_LDST16_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 2, &LDST16),
    row(535, "R_AARCH64_TLSLD_LDST32_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 4, &LDST32),
    row(536, "R_AARCH64_TLSLD_LDST32_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 4, &LDST32),
    row(537, "R_AARCH64_TLSLD_LDST64_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 8, &LDST64),
    row(538, "R_AARCH64_TLSLD_LDST64_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 8, &LDST64),
    row(539, "R_AARCH64_TLSIE_MOVW_GOTTPREL_G1", TLS_IE, Tls, IE_OFF, Signed(33), 1, &MOVN1),
    row(540, "R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC", TLS_IE, Tls, IE_OFF, Check::None, 1, &MOVW0),
    row(541, "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21", TLS_IE, Tls, IE_PAGE, Signed(33), 1, &ADRP),
    row(542, "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC", TLS_IE, Tls, IE, Check::None, 8, &LDR_X),
    row(543, "R_AARCH64_TLSIE_LD_GOTTPREL_PREL19", TLS_IE, Tls, IE_PREL, Signed(21), 4, &LDR_LITERAL_X),
    row(544, "R_AARCH64_TLSLE_MOVW_TPREL_G2", TLS_LE, Tls, TPREL, Signed(49), 1, &MOVN2),
    row(545, "R_AARCH64_TLSLE_MOVW_TPREL_G1", TLS_LE, Tls, TPREL, Signed(33), 1, &MOVN1),
    row(546, "R_AARCH64_TLSLE_MOVW_TPREL_G1_NC", TLS_LE, Tls, TPREL, Check::None, 1, &MOVW1),
    row(547, "R_AARCH64_TLSLE_MOVW_TPREL_G0", TLS_LE, Tls, TPREL, Signed(17), 1, &MOVN0),
    row(548, "R_AARCH64_TLSLE_MOVW_TPREL_G0_NC", TLS_LE, Tls, TPREL, Check::None, 1, &MOVW0),
    row(549, "R_AARCH64_TLSLE_ADD_TPREL_HI12", TLS_LE, Tls, TPREL, Unsigned(24), 1, &ADD_HI),
    row(550, "R_AARCH64_TLSLE_ADD_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 1, &ADD),
    row(551, "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 1, &ADD),
    row(552, "R_AARCH64_TLSLE_LDST8_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 1, &LDST8),
    row(553, "R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 1, &LDST8),
    row(554, "R_AARCH64_TLSLE_LDST16_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 2, &LDST16),
    row(555, "R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 2, &LDST16),
    row(556, "R_AARCH64_TLSLE_LDST32_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 4, &LDST32),
    row(557, "R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 4, &LDST32),
    row(558, "R_AARCH64_TLSLE_LDST64_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 8, &LDST64),
    row(559, "R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 8, &LDST64),
    row(560, "R_AARCH64_TLSDESC_LD_PREL19", TLS_DESC, Tls, DESC_PREL, Signed(21), 4, &LDR_LITERAL_X),
    row(561, "R_AARCH64_TLSDESC_ADR_PREL21", TLS_DESC, Tls, DESC_PREL, Signed(21), 1, &ADR),
    row(562, "R_AARCH64_TLSDESC_ADR_PAGE21", TLS_DESC, Tls, DESC_PAGE, Signed(33), 1, &ADRP),
    row(563, "R_AARCH64_TLSDESC_LD64_LO12", TLS_DESC, Tls, DESC, Check::None, 8, &LDR_X),
    row(564, "R_AARCH64_TLSDESC_ADD_LO12", TLS_DESC, Tls, DESC, Check::None, 1, &ADD),
    row(565, "R_AARCH64_TLSDESC_OFF_G1", TLS_DESC, Tls, DESC_OFF, Signed(33), 1, &MOVN1),
    row(566, "R_AARCH64_TLSDESC_OFF_G0_NC", TLS_DESC, Tls, DESC_OFF, Check::None, 1, &MOVW0),
    row(567, "R_AARCH64_TLSDESC_LDR", TLS_DESC, Tls, DESC, Check::None, 1, &DESC_LDR),
    row(568, "R_AARCH64_TLSDESC_ADD", TLS_DESC, Tls, DESC, Check::None, 1, &DESC_ADD),
    row(569, "R_AARCH64_TLSDESC_CALL", TLS_DESC, Tls, DESC, Check::None, 1, &DESC_CALL),
    row(570, "R_AARCH64_TLSLE_LDST128_TPREL_LO12", TLS_LE, Tls, TPREL, Unsigned(12), 16, &LDST128),
    row(571, "R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC", TLS_LE, Tls, TPREL, Check::None, 16, &LDST128),
    row(572, "R_AARCH64_TLSLD_LDST128_DTPREL_LO12", TLS_LD, Tls, DTPREL, Unsigned(12), 16, &LDST128),
    row(573, "R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC", TLS_LD, Tls, DTPREL, Check::None, 16, &LDST128),
    row(580, "R_AARCH64_AUTH_ABS64", PAUTH, Class::Signed, ABS, Check::None, 1, &DATA64),
    row(581, "R_AARCH64_AUTH_MOVW_GOTOFF_G0", PAUTH, Got, AUTH_OFF, Signed(17), 1, &MOVN0),
    row(582, "R_AARCH64_AUTH_MOVW_GOTOFF_G0_NC", PAUTH, Got, AUTH_OFF, Check::None, 1, &MOVW0),
    row(583, "R_AARCH64_AUTH_MOVW_GOTOFF_G1", PAUTH, Got, AUTH_OFF, Signed(33), 1, &MOVN1),
    row(584, "R_AARCH64_AUTH_MOVW_GOTOFF_G1_NC", PAUTH, Got, AUTH_OFF, Check::None, 1, &MOVW1),
    row(585, "R_AARCH64_AUTH_MOVW_GOTOFF_G2", PAUTH, Got, AUTH_OFF, Signed(49), 1, &MOVN2),
    row(586, "R_AARCH64_AUTH_MOVW_GOTOFF_G2_NC", PAUTH, Got, AUTH_OFF, Check::None, 1, &MOVW2),
    row(587, "R_AARCH64_AUTH_MOVW_GOTOFF_G3", PAUTH, Got, AUTH_OFF, Check::None, 1, &MOVN3),
    row(588, "R_AARCH64_AUTH_GOT_LD_PREL19", PAUTH, Got, AUTH_PREL, Signed(21), 4, &LDR_LITERAL_X),
    row(589, "R_AARCH64_AUTH_LD64_GOTOFF_LO15", PAUTH, Got, AUTH_OFF, Unsigned(15), 8, &LDR_X15),
    row(590, "R_AARCH64_AUTH_ADR_GOT_PAGE", PAUTH, Got, AUTH_PAGE, Signed(33), 1, &ADRP),
    row(591, "R_AARCH64_AUTH_LD64_GOT_LO12_NC", PAUTH, Got, AUTH, Check::None, 8, &LDR_X),
    row(592, "R_AARCH64_AUTH_LD64_GOTPAGE_LO15", PAUTH, Got, AUTH_PAGEOFF, Unsigned(15), 8, &LDR_X15),
    row(593, "R_AARCH64_AUTH_GOT_ADD_LO12_NC", PAUTH, Got, AUTH, Check::None, 1, &ADD),
    row(594, "R_AARCH64_AUTH_GOT_ADR_PREL_LO21", PAUTH, Got, AUTH_PREL, Signed(21), 1, &ADR),
    row(595, "R_AARCH64_AUTH_TLSDESC_ADR_PAGE21", PAUTH, Tls, AUTH_DESC_PAGE, Signed(33), 1, &ADRP),
    row(596, "R_AARCH64_AUTH_TLSDESC_LD64_LO12", PAUTH, Tls, AUTH_DESC, Check::None, 8, &LDR_X),
    row(597, "R_AARCH64_AUTH_TLSDESC_ADD_LO12", PAUTH, Tls, AUTH_DESC, Check::None, 1, &ADD),
    foreign(1024, "R_AARCH64_COPY", DYNAMIC, Standing::Dynamic),
    foreign(1025, "R_AARCH64_GLOB_DAT", DYNAMIC, Standing::Dynamic),
    foreign(1026, "R_AARCH64_JUMP_SLOT", DYNAMIC, Standing::Dynamic),
    foreign(1027, "R_AARCH64_RELATIVE", DYNAMIC, Standing::Dynamic),
    foreign(1028, "R_AARCH64_TLS_DTPMOD64", DYNAMIC, Standing::Dynamic),
    row(1029, "R_AARCH64_TLS_DTPREL64", TLS_DATA, Tls, DTPREL, Check::None, 1, &DATA64),
    row(1030, "R_AARCH64_TLS_TPREL64", DYNAMIC, Tls, TPREL, Check::None, 1, &DATA64).standing(Standing::Dynamic),
    foreign(1031, "R_AARCH64_TLSDESC", DYNAMIC, Standing::Dynamic),
    foreign(1032, "R_AARCH64_IRELATIVE", DYNAMIC, Standing::Dynamic),
    foreign(1041, "R_AARCH64_AUTH_RELATIVE", PAUTH, Standing::Dynamic),
    foreign(1042, "R_AARCH64_AUTH_GLOB_DAT", PAUTH, Standing::Dynamic),
    foreign(1043, "R_AARCH64_AUTH_TLSDESC", PAUTH, Standing::Dynamic),
    foreign(1044, "R_AARCH64_AUTH_IRELATIVE", PAUTH, Standing::Dynamic),
];
