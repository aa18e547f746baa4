//! The relocations of AAELF32. Section titles are those of the ABI document.

use super::fields::{
    a32_ldr, alu_byte, alu_group, ldc_group, ldr_group, ldrs_group, t32_adr, t32_branch_field, t32_literal,
};
use crate::field::{Field, Opcode, Run, Stored, Unit, opcode, run};
use crate::relocation::{Check, Class, Entry, Minus, Operation, Row, Standing, Term, by_number, foreign, row};

pub(super) const ABS32: u32 = 2;
pub(super) const REL32: u32 = 3;
pub(super) const TLS_DTPOFF32: u32 = 18;
pub(super) const TLS_TPOFF32: u32 = 19;
pub(super) const THM_CALL: u32 = 10;
pub(super) const CALL: u32 = 28;
pub(super) const TLS_GOTDESC: u32 = 90;
pub(super) const TLS_CALL: u32 = 91;
pub(super) const THM_TLS_CALL: u32 = 93;
pub(super) const TARGET1: u32 = 38;
pub(super) const TARGET2: u32 = 41;
pub(super) const PREL31: u32 = 42;
pub(super) const GOT_PREL: u32 = 96;
pub(super) const FUNCDESC: u32 = 163;

/// Index of each number.
pub(super) static INDEX: [u16; 256] = by_number(ROWS);

const ABS: Operation = Operation::new(Term::Symbol, Minus::Nothing);
const ABS_T: Operation = ABS.thumb();
const PREL: Operation = Operation::new(Term::Symbol, Minus::Place);
const PREL_T: Operation = PREL.thumb();
const PREL_PA: Operation = Operation::new(Term::Symbol, Minus::WordPlace);
const PREL_PA_T: Operation = PREL_PA.thumb();
const GOTOFF: Operation = Operation::new(Term::Symbol, Minus::Got).thumb();
const ORIGIN_PREL: Operation = Operation::new(Term::GotOrigin, Minus::Place);
const ORIGIN: Operation = Operation::new(Term::GotOrigin, Minus::Nothing);
const SBREL: Operation = Operation::new(Term::Symbol, Minus::Origin);
const SBREL_T: Operation = SBREL.thumb();
const DTPREL: Operation = Operation::new(Term::Symbol, Minus::Block);
const TPREL: Operation = Operation::new(Term::Symbol, Minus::ThreadPointer);
const GOT_ENTRY: Operation = Operation::new(Term::GotPlus, Minus::Nothing);
const GOT_ENTRY_PREL: Operation = Operation::new(Term::GotPlus, Minus::Place);
const GOT_ENTRY_OFFSET: Operation = Operation::new(Term::GotPlus, Minus::Got);

static NOTHING: Field = Field::data(Unit::Nothing, &[]);
static DATA8: Field = Field::data(Unit::Data8, &[run(0, 0, 8)]);
static DATA16: Field = Field::data(Unit::Data16, &[run(0, 0, 16)]);
static DATA32: Field = Field::data(Unit::Data32, &[run(0, 0, 32)]);
static DATA31: Field = Field::data(Unit::Data32, &[run(0, 0, 31)]);

const B: Opcode = opcode("b", 0x0f00_0000, 0x0a00_0000);
const BL: Opcode = opcode("bl", 0x0f00_0000, 0x0b00_0000);
const BLX: Opcode = opcode("blx", 0xfe00_0000, 0xfa00_0000);
static A32_BRANCH: Field = Field::instruction(Unit::Instruction32, &[run(2, 0, 24)], &[BL, B, BLX]);
static A32_JUMP: Field = Field::instruction(Unit::Instruction32, &[run(2, 0, 24)], &[B, BL]);
static T32_CALL: Field =
    t32_branch_field(&[opcode("bl", 0xf800_d000, 0xf000_d000), opcode("blx", 0xf800_d001, 0xf000_c000)]);
static T32_JUMP: Field = t32_branch_field(&[opcode("b.w", 0xf800_d000, 0xf000_9000)]);
static T32_JUMP19: Field = Field::instruction(
    Unit::InstructionPair,
    &[run(1, 0, 11), run(12, 16, 6), run(18, 13, 1), run(19, 11, 1), run(20, 26, 1)],
    &[opcode("b<c>.w", 0xf800_d000, 0xf000_8000)],
);
static T16_JUMP11: Field = Field::instruction(Unit::Instruction16, &[run(1, 0, 11)], &[opcode("b", 0xf800, 0xe000)]);
static T16_JUMP8: Field = Field::instruction(Unit::Instruction16, &[run(1, 0, 8)], &[opcode("b<c>", 0xf000, 0xd000)]);
static T16_JUMP6: Field =
    Field::instruction(Unit::Instruction16, &[run(1, 3, 5), run(6, 9, 1)], &[opcode("cbz/cbnz", 0xf500, 0xb100)])
        .stored(Stored::Biased(0x7f));

const A32_MOVW_OPCODE: Opcode = opcode("movw", 0x0ff0_0000, 0x0300_0000);
const A32_MOVT_OPCODE: Opcode = opcode("movt", 0x0ff0_0000, 0x0340_0000);
const T32_MOVW_OPCODE: Opcode = opcode("movw", 0xfbf0_8000, 0xf240_0000);
const T32_MOVT_OPCODE: Opcode = opcode("movt", 0xfbf0_8000, 0xf2c0_0000);
static A32_MOVW: Field =
    Field::instruction(Unit::Instruction32, &[run(0, 0, 12), run(12, 16, 4)], &[A32_MOVW_OPCODE]).stored(Stored::Half);
static A32_MOVT: Field =
    Field::instruction(Unit::Instruction32, &[run(16, 0, 12), run(28, 16, 4)], &[A32_MOVT_OPCODE]).stored(Stored::Half);
static T32_MOVW: Field = Field::instruction(
    Unit::InstructionPair,
    &[run(0, 0, 8), run(8, 12, 3), run(11, 26, 1), run(12, 16, 4)],
    &[T32_MOVW_OPCODE],
)
.stored(Stored::Half);
static T32_MOVT: Field = Field::instruction(
    Unit::InstructionPair,
    &[run(16, 0, 8), run(24, 12, 3), run(27, 26, 1), run(28, 16, 4)],
    &[T32_MOVT_OPCODE],
)
.stored(Stored::Half);

static T16_ABS5: Field =
    Field::instruction(Unit::Instruction16, &[run(2, 6, 5)], &[opcode("ldr/str (immediate)", 0xf000, 0x6000)])
        .stored(Stored::Unsigned);
static T16_PC8: Field = Field::instruction(
    Unit::Instruction16,
    &[run(2, 0, 8)],
    &[opcode("ldr (literal)", 0xf800, 0x4800), opcode("adr", 0xf800, 0xa000)],
)
.stored(Stored::Biased(0x3ff));
static T32_PC12: Field = t32_literal(&[opcode("ldr.w (literal)", 0xfe1f_0000, 0xf81f_0000)]);
static T32_ADR: Field =
    t32_adr(&[opcode("adr.w (add)", 0xfbff_8000, 0xf20f_0000), opcode("adr.w (sub)", 0xfbff_8000, 0xf2af_0000)]);
static T32_LDR12: Field = Field::instruction(
    Unit::InstructionPair,
    &[run(0, 0, 12)],
    &[opcode("ldr.w (immediate)", 0xfff0_0000, 0xf8d0_0000)],
)
.stored(Stored::Unsigned);
const BRANCH_FUTURE: &[Opcode] = &[opcode("bf/bfl/bfcsel", 0xf800_d001, 0xf000_c001)];
/// The branch future instructions of v8.1-M: immC, immB, and immA of so many bits.
const fn branch_future(runs: &'static [Run]) -> Field {
    Field::instruction(Unit::InstructionPair, runs, BRANCH_FUTURE)
}
static T32_BF16: Field = branch_future(&[run(1, 11, 1), run(2, 1, 10), run(12, 16, 5)]);
static T32_BF12: Field = branch_future(&[run(1, 11, 1), run(2, 1, 10), run(12, 16, 1)]);
static T32_BF18: Field = branch_future(&[run(1, 11, 1), run(2, 1, 10), run(12, 16, 7)]);
const T16_IMMEDIATE: &[Opcode] = &[opcode("movs", 0xf800, 0x2000), opcode("adds", 0xf800, 0x3000)];
static T16_IMM8_0: Field =
    Field::instruction(Unit::Instruction16, &[run(0, 0, 8)], T16_IMMEDIATE).stored(Stored::Unsigned);
static T16_IMM8_1: Field = Field::instruction(Unit::Instruction16, &[run(8, 0, 8)], T16_IMMEDIATE).stored(Stored::Part);
static T16_IMM8_2: Field =
    Field::instruction(Unit::Instruction16, &[run(16, 0, 8)], T16_IMMEDIATE).stored(Stored::Part);
static T16_IMM8_3: Field =
    Field::instruction(Unit::Instruction16, &[run(24, 0, 8)], T16_IMMEDIATE).stored(Stored::Part);

const LDR_OPCODE: Opcode = opcode("ldr/str", 0x0e00_0000, 0x0400_0000);
const LDRS_OPCODE: Opcode = opcode("ldrd/ldrh/ldrs", 0x0e40_0090, 0x0040_0090);
const LDC_OPCODE: Opcode = opcode("ldc/vldr", 0x0f00_0000, 0x0d00_0000);
static ABS12_FIELD: Field = a32_ldr(&[LDR_OPCODE]);
static LDR_G0: Field = ldr_group::<0>(&[LDR_OPCODE]);
static LDR_G1: Field = ldr_group::<1>(&[LDR_OPCODE]);
static LDR_G2: Field = ldr_group::<2>(&[LDR_OPCODE]);
static LDRS_G0: Field = ldrs_group::<0>(&[LDRS_OPCODE]);
static LDRS_G1: Field = ldrs_group::<1>(&[LDRS_OPCODE]);
static LDRS_G2: Field = ldrs_group::<2>(&[LDRS_OPCODE]);
static LDC_G0: Field = ldc_group::<0>(&[LDC_OPCODE]);
static LDC_G1: Field = ldc_group::<1>(&[LDC_OPCODE]);
static LDC_G2: Field = ldc_group::<2>(&[LDC_OPCODE]);

const ALU: &[Opcode] = &[opcode("add", 0x0fe0_0000, 0x0280_0000), opcode("sub", 0x0fe0_0000, 0x0240_0000)];
static ALU_G0_NC: Field = alu_group::<0, false>(ALU);
static ALU_G0: Field = alu_group::<0, true>(ALU);
static ALU_G1_NC: Field = alu_group::<1, false>(ALU);
static ALU_G1: Field = alu_group::<1, true>(ALU);
static ALU_G2: Field = alu_group::<2, true>(ALU);
static ALU_12: Field = alu_byte::<12>(ALU);
static ALU_20: Field = alu_byte::<20>(ALU);

const MISC: &str = "AAELF32 2025Q4, Static miscellaneous relocations";
const DATA: &str = "AAELF32 2025Q4, Static Data relocations";
const A32: &str = "AAELF32 2025Q4, Static Arm relocations";
const GROUP: &str = "AAELF32 2025Q4, Group relocations";
const T32: &str = "AAELF32 2025Q4, Static Thumb32 relocations";
const T16: &str = "AAELF32 2025Q4, Static Thumb16 relocations";
const TLS: &str = "AAELF32 2025Q4, Static TLS relocations";
const DYNAMIC: &str = "AAELF32 2025Q4, Dynamic relocations";
const DEPRECATED: &str = "AAELF32 2025Q4, Deprecated and obsolete relocations";
const PRIVATE: &str = "AAELF32 2025Q4, Private and platform-specific relocations";
const FDPIC: &str = "FDPIC ABI 0.4, Relocations";
const GOT: &str = "AAELF32 2025Q4, Proxy generating relocations";

use Check::{Either, Magnitude, Signed, Unsigned};
use Class::{Address, Branch, Data, Got, ShortBranch, Tls};

/// Sorted by number.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(0, "R_ARM_NONE", MISC, Class::None, ABS, Check::None, 1, &NOTHING),
    row(1, "R_ARM_PC24", A32, Branch, PREL_T, Signed(26), 4, &A32_BRANCH),
    row(2, "R_ARM_ABS32", DATA, Data, ABS_T, Check::None, 1, &DATA32),
    row(3, "R_ARM_REL32", DATA, Data, PREL_T, Check::None, 1, &DATA32),
    row(4, "R_ARM_LDR_PC_G0", GROUP, Address, PREL, Magnitude(12), 1, &LDR_G0),
    row(5, "R_ARM_ABS16", DATA, Data, ABS, Either(16), 1, &DATA16),
    row(6, "R_ARM_ABS12", A32, Address, ABS, Magnitude(12), 1, &ABS12_FIELD),
    row(7, "R_ARM_THM_ABS5", T16, Address, ABS, Unsigned(7), 4, &T16_ABS5),
    row(8, "R_ARM_ABS8", DATA, Data, ABS, Either(8), 1, &DATA8),
    row(9, "R_ARM_SBREL32", DATA, Data, SBREL_T, Check::None, 1, &DATA32),
    row(10, "R_ARM_THM_CALL", T32, Branch, PREL_T, Signed(25), 2, &T32_CALL),
    row(11, "R_ARM_THM_PC8", T16, Address, PREL_PA, Unsigned(10), 4, &T16_PC8),
    foreign(12, "R_ARM_BREL_ADJ", DYNAMIC, Standing::Dynamic),
    foreign(13, "R_ARM_TLS_DESC", DYNAMIC, Standing::Dynamic),
    foreign(14, "R_ARM_THM_SWI8", DEPRECATED, Standing::Obsolete),
    foreign(15, "R_ARM_XPC25", DEPRECATED, Standing::Obsolete),
    foreign(16, "R_ARM_THM_XPC22", DEPRECATED, Standing::Obsolete),
    foreign(17, "R_ARM_TLS_DTPMOD32", DYNAMIC, Standing::Dynamic),
    row(18, "R_ARM_TLS_DTPOFF32", DYNAMIC, Tls, DTPREL, Check::None, 1, &DATA32).standing(Standing::Dynamic),
    row(19, "R_ARM_TLS_TPOFF32", DYNAMIC, Tls, TPREL, Check::None, 1, &DATA32).standing(Standing::Dynamic),
    foreign(20, "R_ARM_COPY", DYNAMIC, Standing::Dynamic),
    foreign(21, "R_ARM_GLOB_DAT", DYNAMIC, Standing::Dynamic),
    foreign(22, "R_ARM_JUMP_SLOT", DYNAMIC, Standing::Dynamic),
    foreign(23, "R_ARM_RELATIVE", DYNAMIC, Standing::Dynamic),
    row(24, "R_ARM_GOTOFF32", DATA, Data, GOTOFF, Check::None, 1, &DATA32),
    row(25, "R_ARM_BASE_PREL", DATA, Data, ORIGIN_PREL, Check::None, 1, &DATA32),
    row(26, "R_ARM_GOT_BREL", GOT, Got, GOT_ENTRY_OFFSET, Check::None, 1, &DATA32),
    row(27, "R_ARM_PLT32", A32, Branch, PREL_T, Signed(26), 4, &A32_BRANCH),
    row(28, "R_ARM_CALL", A32, Branch, PREL_T, Signed(26), 4, &A32_BRANCH),
    row(29, "R_ARM_JUMP24", A32, Branch, PREL_T, Signed(26), 4, &A32_JUMP),
    row(30, "R_ARM_THM_JUMP24", T32, Branch, PREL_T, Signed(25), 2, &T32_JUMP),
    row(31, "R_ARM_BASE_ABS", DATA, Data, ORIGIN, Check::None, 1, &DATA32),
    foreign(32, "R_ARM_ALU_PCREL_7_0", DEPRECATED, Standing::Obsolete),
    foreign(33, "R_ARM_ALU_PCREL_15_8", DEPRECATED, Standing::Obsolete),
    foreign(34, "R_ARM_ALU_PCREL_23_15", DEPRECATED, Standing::Obsolete),
    row(35, "R_ARM_LDR_SBREL_11_0_NC", DEPRECATED, Address, SBREL, Check::None, 1, &ABS12_FIELD).standing(Standing::Deprecated),
    row(36, "R_ARM_ALU_SBREL_19_12_NC", DEPRECATED, Address, SBREL, Check::None, 1, &ALU_12).standing(Standing::Deprecated),
    row(37, "R_ARM_ALU_SBREL_27_20_CK", DEPRECATED, Address, SBREL, Magnitude(28), 1, &ALU_20).standing(Standing::Deprecated),
    row(38, "R_ARM_TARGET1", MISC, Data, ABS_T, Check::None, 1, &DATA32),
    row(39, "R_ARM_SBREL31", DATA, Data, SBREL_T, Signed(31), 1, &DATA31).standing(Standing::Deprecated),
    row(40, "R_ARM_V4BX", MISC, Class::None, ABS, Check::None, 1, &NOTHING),
    row(41, "R_ARM_TARGET2", MISC, Got, GOT_ENTRY_PREL, Check::None, 1, &DATA32),
    row(42, "R_ARM_PREL31", DATA, Data, PREL_T, Signed(31), 1, &DATA31),
    row(43, "R_ARM_MOVW_ABS_NC", A32, Address, ABS_T, Check::None, 1, &A32_MOVW),
    row(44, "R_ARM_MOVT_ABS", A32, Address, ABS, Check::None, 1, &A32_MOVT),
    row(45, "R_ARM_MOVW_PREL_NC", A32, Address, PREL_T, Check::None, 1, &A32_MOVW),
    row(46, "R_ARM_MOVT_PREL", A32, Address, PREL, Check::None, 1, &A32_MOVT),
    row(47, "R_ARM_THM_MOVW_ABS_NC", T32, Address, ABS_T, Check::None, 1, &T32_MOVW),
    row(48, "R_ARM_THM_MOVT_ABS", T32, Address, ABS, Check::None, 1, &T32_MOVT),
    row(49, "R_ARM_THM_MOVW_PREL_NC", T32, Address, PREL_T, Check::None, 1, &T32_MOVW),
    row(50, "R_ARM_THM_MOVT_PREL", T32, Address, PREL, Check::None, 1, &T32_MOVT),
    row(51, "R_ARM_THM_JUMP19", T32, Branch, PREL_T, Signed(21), 2, &T32_JUMP19),
    row(52, "R_ARM_THM_JUMP6", T16, ShortBranch, PREL, Unsigned(7), 2, &T16_JUMP6),
    row(53, "R_ARM_THM_ALU_PREL_11_0", T32, Address, PREL_PA_T, Magnitude(12), 1, &T32_ADR),
    row(54, "R_ARM_THM_PC12", T32, Address, PREL_PA, Magnitude(12), 1, &T32_PC12),
    row(55, "R_ARM_ABS32_NOI", DATA, Data, ABS, Check::None, 1, &DATA32),
    row(56, "R_ARM_REL32_NOI", DATA, Data, PREL, Check::None, 1, &DATA32),
    row(57, "R_ARM_ALU_PC_G0_NC", GROUP, Address, PREL_T, Check::None, 1, &ALU_G0_NC),
    row(58, "R_ARM_ALU_PC_G0", GROUP, Address, PREL_T, Check::None, 1, &ALU_G0),
    row(59, "R_ARM_ALU_PC_G1_NC", GROUP, Address, PREL_T, Check::None, 1, &ALU_G1_NC),
    row(60, "R_ARM_ALU_PC_G1", GROUP, Address, PREL_T, Check::None, 1, &ALU_G1),
    row(61, "R_ARM_ALU_PC_G2", GROUP, Address, PREL_T, Check::None, 1, &ALU_G2),
    row(62, "R_ARM_LDR_PC_G1", GROUP, Address, PREL, Check::None, 1, &LDR_G1),
    row(63, "R_ARM_LDR_PC_G2", GROUP, Address, PREL, Check::None, 1, &LDR_G2),
    row(64, "R_ARM_LDRS_PC_G0", GROUP, Address, PREL, Check::None, 1, &LDRS_G0),
    row(65, "R_ARM_LDRS_PC_G1", GROUP, Address, PREL, Check::None, 1, &LDRS_G1),
    row(66, "R_ARM_LDRS_PC_G2", GROUP, Address, PREL, Check::None, 1, &LDRS_G2),
    row(67, "R_ARM_LDC_PC_G0", GROUP, Address, PREL, Check::None, 1, &LDC_G0),
    row(68, "R_ARM_LDC_PC_G1", GROUP, Address, PREL, Check::None, 1, &LDC_G1),
    row(69, "R_ARM_LDC_PC_G2", GROUP, Address, PREL, Check::None, 1, &LDC_G2),
    row(70, "R_ARM_ALU_SB_G0_NC", GROUP, Address, SBREL_T, Check::None, 1, &ALU_G0_NC),
    row(71, "R_ARM_ALU_SB_G0", GROUP, Address, SBREL_T, Check::None, 1, &ALU_G0),
    row(72, "R_ARM_ALU_SB_G1_NC", GROUP, Address, SBREL_T, Check::None, 1, &ALU_G1_NC),
    row(73, "R_ARM_ALU_SB_G1", GROUP, Address, SBREL_T, Check::None, 1, &ALU_G1),
    row(74, "R_ARM_ALU_SB_G2", GROUP, Address, SBREL_T, Check::None, 1, &ALU_G2),
    row(75, "R_ARM_LDR_SB_G0", GROUP, Address, SBREL, Magnitude(12), 1, &LDR_G0),
    row(76, "R_ARM_LDR_SB_G1", GROUP, Address, SBREL, Check::None, 1, &LDR_G1),
    row(77, "R_ARM_LDR_SB_G2", GROUP, Address, SBREL, Check::None, 1, &LDR_G2),
    row(78, "R_ARM_LDRS_SB_G0", GROUP, Address, SBREL, Check::None, 1, &LDRS_G0),
    row(79, "R_ARM_LDRS_SB_G1", GROUP, Address, SBREL, Check::None, 1, &LDRS_G1),
    row(80, "R_ARM_LDRS_SB_G2", GROUP, Address, SBREL, Check::None, 1, &LDRS_G2),
    row(81, "R_ARM_LDC_SB_G0", GROUP, Address, SBREL, Check::None, 1, &LDC_G0),
    row(82, "R_ARM_LDC_SB_G1", GROUP, Address, SBREL, Check::None, 1, &LDC_G1),
    row(83, "R_ARM_LDC_SB_G2", GROUP, Address, SBREL, Check::None, 1, &LDC_G2),
    row(84, "R_ARM_MOVW_BREL_NC", A32, Address, SBREL_T, Check::None, 1, &A32_MOVW),
    row(85, "R_ARM_MOVT_BREL", A32, Address, SBREL, Check::None, 1, &A32_MOVT),
    row(86, "R_ARM_MOVW_BREL", A32, Address, SBREL_T, Unsigned(16), 1, &A32_MOVW),
    row(87, "R_ARM_THM_MOVW_BREL_NC", T32, Address, SBREL_T, Check::None, 1, &T32_MOVW),
    row(88, "R_ARM_THM_MOVT_BREL", T32, Address, SBREL, Check::None, 1, &T32_MOVT),
    row(89, "R_ARM_THM_MOVW_BREL", T32, Address, SBREL_T, Unsigned(16), 1, &T32_MOVW),
    row(90, "R_ARM_TLS_GOTDESC", TLS, Tls, GOT_ENTRY_PREL.entry(Entry::Descriptor), Check::None, 1, &DATA32),
    row(91, "R_ARM_TLS_CALL", TLS, Tls, PREL_T, Signed(26), 4, &A32_BRANCH),
    row(92, "R_ARM_TLS_DESCSEQ", TLS, Class::None, ABS, Check::None, 1, &NOTHING),
    row(93, "R_ARM_THM_TLS_CALL", TLS, Tls, PREL_T, Signed(25), 2, &T32_CALL),
    row(94, "R_ARM_PLT32_ABS", DATA, Data, ABS_T, Check::None, 1, &DATA32),
    row(95, "R_ARM_GOT_ABS", GOT, Got, GOT_ENTRY, Check::None, 1, &DATA32),
    row(96, "R_ARM_GOT_PREL", GOT, Got, GOT_ENTRY_PREL, Check::None, 1, &DATA32),
    row(97, "R_ARM_GOT_BREL12", GOT, Got, GOT_ENTRY_OFFSET, Magnitude(12), 1, &ABS12_FIELD),
    row(98, "R_ARM_GOTOFF12", A32, Address, Operation::new(Term::Symbol, Minus::Got), Magnitude(12), 1, &ABS12_FIELD),
    row(99, "R_ARM_GOTRELAX", MISC, Class::None, ABS, Check::None, 1, &NOTHING),
    row(100, "R_ARM_GNU_VTENTRY", DATA, Class::None, ABS, Check::None, 1, &NOTHING).standing(Standing::Deprecated),
    row(101, "R_ARM_GNU_VTINHERIT", DATA, Class::None, ABS, Check::None, 1, &NOTHING).standing(Standing::Deprecated),
    row(102, "R_ARM_THM_JUMP11", T16, ShortBranch, PREL, Signed(12), 2, &T16_JUMP11),
    row(103, "R_ARM_THM_JUMP8", T16, ShortBranch, PREL, Signed(9), 2, &T16_JUMP8),
    row(104, "R_ARM_TLS_GD32", TLS, Tls, GOT_ENTRY_PREL.entry(Entry::Variable), Check::None, 1, &DATA32),
    row(105, "R_ARM_TLS_LDM32", TLS, Tls, GOT_ENTRY_PREL.entry(Entry::Module), Check::None, 1, &DATA32),
    row(106, "R_ARM_TLS_LDO32", TLS, Tls, DTPREL, Check::None, 1, &DATA32),
    row(107, "R_ARM_TLS_IE32", TLS, Tls, GOT_ENTRY_PREL.entry(Entry::ThreadOffset), Check::None, 1, &DATA32),
    row(108, "R_ARM_TLS_LE32", TLS, Tls, TPREL, Check::None, 1, &DATA32),
    row(109, "R_ARM_TLS_LDO12", TLS, Tls, DTPREL, Magnitude(12), 1, &ABS12_FIELD),
    row(110, "R_ARM_TLS_LE12", TLS, Tls, TPREL, Magnitude(12), 1, &ABS12_FIELD),
    row(111, "R_ARM_TLS_IE12GP", TLS, Tls, GOT_ENTRY_OFFSET.entry(Entry::ThreadOffset), Magnitude(12), 1, &ABS12_FIELD),
    foreign(112, "R_ARM_PRIVATE_0", PRIVATE, Standing::Private),
    foreign(113, "R_ARM_PRIVATE_1", PRIVATE, Standing::Private),
    foreign(114, "R_ARM_PRIVATE_2", PRIVATE, Standing::Private),
    foreign(115, "R_ARM_PRIVATE_3", PRIVATE, Standing::Private),
    foreign(116, "R_ARM_PRIVATE_4", PRIVATE, Standing::Private),
    foreign(117, "R_ARM_PRIVATE_5", PRIVATE, Standing::Private),
    foreign(118, "R_ARM_PRIVATE_6", PRIVATE, Standing::Private),
    foreign(119, "R_ARM_PRIVATE_7", PRIVATE, Standing::Private),
    foreign(120, "R_ARM_PRIVATE_8", PRIVATE, Standing::Private),
    foreign(121, "R_ARM_PRIVATE_9", PRIVATE, Standing::Private),
    foreign(122, "R_ARM_PRIVATE_10", PRIVATE, Standing::Private),
    foreign(123, "R_ARM_PRIVATE_11", PRIVATE, Standing::Private),
    foreign(124, "R_ARM_PRIVATE_12", PRIVATE, Standing::Private),
    foreign(125, "R_ARM_PRIVATE_13", PRIVATE, Standing::Private),
    foreign(126, "R_ARM_PRIVATE_14", PRIVATE, Standing::Private),
    foreign(127, "R_ARM_PRIVATE_15", PRIVATE, Standing::Private),
    foreign(128, "R_ARM_ME_TOO", DEPRECATED, Standing::Obsolete),
    row(129, "R_ARM_THM_TLS_DESCSEQ16", TLS, Class::None, ABS, Check::None, 1, &NOTHING),
    row(130, "R_ARM_THM_TLS_DESCSEQ32", TLS, Class::None, ABS, Check::None, 1, &NOTHING),
    row(131, "R_ARM_THM_GOT_BREL12", T32, Got, GOT_ENTRY_OFFSET, Unsigned(12), 1, &T32_LDR12),
    row(132, "R_ARM_THM_ALU_ABS_G0_NC", T16, Address, ABS_T, Check::None, 1, &T16_IMM8_0),
    row(133, "R_ARM_THM_ALU_ABS_G1_NC", T16, Address, ABS, Check::None, 1, &T16_IMM8_1),
    row(134, "R_ARM_THM_ALU_ABS_G2_NC", T16, Address, ABS, Check::None, 1, &T16_IMM8_2),
    row(135, "R_ARM_THM_ALU_ABS_G3", T16, Address, ABS, Check::None, 1, &T16_IMM8_3),
    row(136, "R_ARM_THM_BF16", T32, ShortBranch, PREL_T, Signed(17), 2, &T32_BF16),
    row(137, "R_ARM_THM_BF12", T32, ShortBranch, PREL_T, Signed(13), 2, &T32_BF12),
    row(138, "R_ARM_THM_BF18", T32, ShortBranch, PREL_T, Signed(19), 2, &T32_BF18),
    foreign(160, "R_ARM_IRELATIVE", DYNAMIC, Standing::Dynamic),
    row(161, "R_ARM_GOTFUNCDESC", FDPIC, Got, GOT_ENTRY_OFFSET.entry(Entry::FunctionPointer), Check::None, 1, &DATA32),
    row(162, "R_ARM_GOTOFFFUNCDESC", FDPIC, Got, GOT_ENTRY_OFFSET.entry(Entry::Function), Check::None, 1, &DATA32),
    row(163, "R_ARM_FUNCDESC", FDPIC, Got, GOT_ENTRY.entry(Entry::Function), Check::None, 1, &DATA32),
    foreign(164, "R_ARM_FUNCDESC_VALUE", FDPIC, Standing::Dynamic),
    row(165, "R_ARM_TLS_GD32_FDPIC", FDPIC, Tls, GOT_ENTRY_OFFSET.entry(Entry::Variable), Check::None, 1, &DATA32),
    row(166, "R_ARM_TLS_LDM32_FDPIC", FDPIC, Tls, GOT_ENTRY_OFFSET.entry(Entry::Module), Check::None, 1, &DATA32),
    row(167, "R_ARM_TLS_IE32_FDPIC", FDPIC, Tls, GOT_ENTRY_OFFSET.entry(Entry::ThreadOffset), Check::None, 1, &DATA32),
    foreign(168, "R_ARM_PRIVATE_23", PRIVATE, Standing::Private),
    foreign(169, "R_ARM_PRIVATE_24", PRIVATE, Standing::Private),
    foreign(170, "R_ARM_PRIVATE_25", PRIVATE, Standing::Private),
    foreign(171, "R_ARM_PRIVATE_26", PRIVATE, Standing::Private),
    foreign(172, "R_ARM_PRIVATE_27", PRIVATE, Standing::Private),
    foreign(173, "R_ARM_PRIVATE_28", PRIVATE, Standing::Private),
    foreign(174, "R_ARM_PRIVATE_29", PRIVATE, Standing::Private),
    foreign(175, "R_ARM_PRIVATE_30", PRIVATE, Standing::Private),
    foreign(176, "R_ARM_PRIVATE_31", PRIVATE, Standing::Private),
    foreign(249, "R_ARM_RXPC25", DEPRECATED, Standing::Obsolete),
    foreign(250, "R_ARM_RSBREL32", DEPRECATED, Standing::Obsolete),
    foreign(251, "R_ARM_THM_RPC22", DEPRECATED, Standing::Obsolete),
    foreign(252, "R_ARM_RREL32", DEPRECATED, Standing::Obsolete),
    foreign(253, "R_ARM_RABS32", DEPRECATED, Standing::Obsolete),
    foreign(254, "R_ARM_RPC24", DEPRECATED, Standing::Obsolete),
    foreign(255, "R_ARM_RBASE", DEPRECATED, Standing::Obsolete),
];
