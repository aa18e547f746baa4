//! The relocations of AAELF64, ILP32: those of LP64 under other numbers and names, without the parts of an address that
//! 32 bits do not have, and with table entries of 32 bits.

use super::table::*;
use crate::field::{Field, Unit, run};
use crate::relocation::{Check, Class, Row, Standing, by_number, foreign, row};

use super::one;
use Check::{Signed, Unsigned};
use Class::{Got, Tls};

/// The numbers that fill words of tables. Which of its two numbers for parts of a descriptor means the offset, the ABI
/// leaves to platforms; nothing but this linker's own tables holds it here.
pub(super) const ABS32: u32 = 1;
pub(super) const TLS_DTPREL: u32 = 185;
pub(super) const TLS_TPREL: u32 = 186;

/// Index of each number.
pub(super) static INDEX: [u16; 256] = by_number(ROWS);

static LDR_W: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 10, 10)], &one("ldr w", 0xffc0_0000, 0xb940_0000)).zero(3 << 20);
static LDR_W14: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 10, 12)], &one("ldr w", 0xffc0_0000, 0xb940_0000));
static LDR_LITERAL_W: Field =
    Field::instruction(Unit::Instruction32, &[run(2, 5, 19)], &one("ldr w (literal)", 0xff00_0000, 0x1800_0000));

/// The LP64 row of number `of` under another number and name.
const fn like(number: u32, name: &'static str, of: u32) -> Row {
    let mut index = 0;
    while super::table::ROWS[index].number != of {
        index += 1;
    }
    Row { number, name, ..super::table::ROWS[index] }
}

/// Sorted by number.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    like(0, "R_AARCH64_P32_NONE", 256),
    like(1, "R_AARCH64_P32_ABS32", 258),
    like(2, "R_AARCH64_P32_ABS16", 259),
    like(3, "R_AARCH64_P32_PREL32", 261),
    like(4, "R_AARCH64_P32_PREL16", 262),
    like(5, "R_AARCH64_P32_MOVW_UABS_G0", 263),
    like(6, "R_AARCH64_P32_MOVW_UABS_G0_NC", 264),
    like(7, "R_AARCH64_P32_MOVW_UABS_G1", 265),
    like(8, "R_AARCH64_P32_MOVW_SABS_G0", 270),
    like(9, "R_AARCH64_P32_LD_PREL_LO19", 273),
    like(10, "R_AARCH64_P32_ADR_PREL_LO21", 274),
    like(11, "R_AARCH64_P32_ADR_PREL_PG_HI21", 275),
    like(12, "R_AARCH64_P32_ADD_ABS_LO12_NC", 277),
    like(13, "R_AARCH64_P32_LDST8_ABS_LO12_NC", 278),
    like(14, "R_AARCH64_P32_LDST16_ABS_LO12_NC", 284),
    like(15, "R_AARCH64_P32_LDST32_ABS_LO12_NC", 285),
    like(16, "R_AARCH64_P32_LDST64_ABS_LO12_NC", 286),
    like(17, "R_AARCH64_P32_LDST128_ABS_LO12_NC", 299),
    like(18, "R_AARCH64_P32_TSTBR14", 279),
    like(19, "R_AARCH64_P32_CONDBR19", 280),
    like(20, "R_AARCH64_P32_JUMP26", 282),
    like(21, "R_AARCH64_P32_CALL26", 283),
    like(22, "R_AARCH64_P32_MOVW_PREL_G0", 287),
    like(23, "R_AARCH64_P32_MOVW_PREL_G0_NC", 288),
    like(24, "R_AARCH64_P32_MOVW_PREL_G1", 289),
    row(25, "R_AARCH64_P32_GOT_LD_PREL19", GOT_INSN, Got, GOT_PREL, Signed(21), 4, &LDR_LITERAL_W),
    like(26, "R_AARCH64_P32_ADR_GOT_PAGE", 311),
    row(27, "R_AARCH64_P32_LD32_GOT_LO12_NC", GOT_INSN, Got, GOT_ABS, Check::None, 4, &LDR_W),
    row(28, "R_AARCH64_P32_LD32_GOTPAGE_LO14", GOT_INSN, Got, GOT_PAGEOFF, Unsigned(14), 4, &LDR_W14),
    like(29, "R_AARCH64_P32_PLT32", 314),
    like(80, "R_AARCH64_P32_TLSGD_ADR_PREL21", 512),
    like(81, "R_AARCH64_P32_TLSGD_ADR_PAGE21", 513),
    like(82, "R_AARCH64_P32_TLSGD_ADD_LO12_NC", 514),
    like(83, "R_AARCH64_P32_TLSLD_ADR_PREL21", 517),
    like(84, "R_AARCH64_P32_TLSLD_ADR_PAGE21", 518),
    like(85, "R_AARCH64_P32_TLSLD_ADD_LO12_NC", 519),
    row(86, "R_AARCH64_P32_TLSLD_LD_PREL19", TLS_LD, Tls, LD_PREL, Signed(21), 4, &LDR_LITERAL_W),
    like(87, "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G1", 524),
    like(88, "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G0", 526),
    like(89, "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G0_NC", 527),
    like(90, "R_AARCH64_P32_TLSLD_ADD_DTPREL_HI12", 528),
    like(91, "R_AARCH64_P32_TLSLD_ADD_DTPREL_LO12", 529),
    like(92, "R_AARCH64_P32_TLSLD_ADD_DTPREL_LO12_NC", 530),
    like(93, "R_AARCH64_P32_TLSLD_LDST8_DTPREL_LO12", 531),
    like(94, "R_AARCH64_P32_TLSLD_LDST8_DTPREL_LO12_NC", 532),
    like(95, "R_AARCH64_P32_TLSLD_LDST16_DTPREL_LO12", 533),
    like(96, "R_AARCH64_P32_TLSLD_LDST16_DTPREL_LO12_NC", 534),
    like(97, "R_AARCH64_P32_TLSLD_LDST32_DTPREL_LO12", 535),
    like(98, "R_AARCH64_P32_TLSLD_LDST32_DTPREL_LO12_NC", 536),
    like(99, "R_AARCH64_P32_TLSLD_LDST64_DTPREL_LO12", 537),
    like(100, "R_AARCH64_P32_TLSLD_LDST64_DTPREL_LO12_NC", 538),
    like(101, "R_AARCH64_P32_TLSLD_LDST128_DTPREL_LO12", 572),
    like(102, "R_AARCH64_P32_TLSLD_LDST128_DTPREL_LO12_NC", 573),
    like(103, "R_AARCH64_P32_TLSIE_ADR_GOTTPREL_PAGE21", 541),
    row(104, "R_AARCH64_P32_TLSIE_LD32_GOTTPREL_LO12_NC", TLS_IE, Tls, IE, Check::None, 4, &LDR_W),
    row(105, "R_AARCH64_P32_TLSIE_LD_GOTTPREL_PREL19", TLS_IE, Tls, IE_PREL, Signed(21), 4, &LDR_LITERAL_W),
    like(106, "R_AARCH64_P32_TLSLE_MOVW_TPREL_G1", 545),
    like(107, "R_AARCH64_P32_TLSLE_MOVW_TPREL_G0", 547),
    like(108, "R_AARCH64_P32_TLSLE_MOVW_TPREL_G0_NC", 548),
    like(109, "R_AARCH64_P32_TLSLE_ADD_TPREL_HI12", 549),
    like(110, "R_AARCH64_P32_TLSLE_ADD_TPREL_LO12", 550),
    like(111, "R_AARCH64_P32_TLSLE_ADD_TPREL_LO12_NC", 551),
    like(112, "R_AARCH64_P32_TLSLE_LDST8_TPREL_LO12", 552),
    like(113, "R_AARCH64_P32_TLSLE_LDST8_TPREL_LO12_NC", 553),
    like(114, "R_AARCH64_P32_TLSLE_LDST16_TPREL_LO12", 554),
    like(115, "R_AARCH64_P32_TLSLE_LDST16_TPREL_LO12_NC", 555),
    like(116, "R_AARCH64_P32_TLSLE_LDST32_TPREL_LO12", 556),
    like(117, "R_AARCH64_P32_TLSLE_LDST32_TPREL_LO12_NC", 557),
    like(118, "R_AARCH64_P32_TLSLE_LDST64_TPREL_LO12", 558),
    like(119, "R_AARCH64_P32_TLSLE_LDST64_TPREL_LO12_NC", 559),
    like(120, "R_AARCH64_P32_TLSLE_LDST128_TPREL_LO12", 570),
    like(121, "R_AARCH64_P32_TLSLE_LDST128_TPREL_LO12_NC", 571),
    row(122, "R_AARCH64_P32_TLSDESC_LD_PREL19", TLS_DESC, Tls, DESC_PREL, Signed(21), 4, &LDR_LITERAL_W),
    like(123, "R_AARCH64_P32_TLSDESC_ADR_PREL21", 561),
    like(124, "R_AARCH64_P32_TLSDESC_ADR_PAGE21", 562),
    row(125, "R_AARCH64_P32_TLSDESC_LD32_LO12", TLS_DESC, Tls, DESC, Check::None, 4, &LDR_W),
    like(126, "R_AARCH64_P32_TLSDESC_ADD_LO12", 564),
    like(127, "R_AARCH64_P32_TLSDESC_CALL", 569),
    foreign(180, "R_AARCH64_P32_COPY", DYNAMIC, Standing::Dynamic),
    foreign(181, "R_AARCH64_P32_GLOB_DAT", DYNAMIC, Standing::Dynamic),
    foreign(182, "R_AARCH64_P32_JUMP_SLOT", DYNAMIC, Standing::Dynamic),
    foreign(183, "R_AARCH64_P32_RELATIVE", DYNAMIC, Standing::Dynamic),
    foreign(184, "R_AARCH64_P32_TLS_IMPDEF1", DYNAMIC, Standing::Dynamic),
    row(185, "R_AARCH64_P32_TLS_IMPDEF2", DYNAMIC, Tls, DTPREL, Check::None, 1, &DATA32).standing(Standing::Dynamic),
    row(186, "R_AARCH64_P32_TLS_TPREL", DYNAMIC, Tls, TPREL, Check::None, 1, &DATA32).standing(Standing::Dynamic),
    foreign(187, "R_AARCH64_P32_TLSDESC", DYNAMIC, Standing::Dynamic),
    foreign(188, "R_AARCH64_P32_IRELATIVE", DYNAMIC, Standing::Dynamic),
];
