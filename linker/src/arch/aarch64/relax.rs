//! Relaxations: what sequences become when more is known than the compiler knew.
//!
//! Each instruction is looked at for itself, with the edges beside it where a sequence has to be one. The registers of
//! thread-local sequences are fixed by the ABI (x0, and x1 for descriptors); those of the others are read from the code.
//!
//! ILP32 has the same sequences under other numbers; what they become is the same, too: it loads 32 bits where LP64 loads 64,
//! and an address below 4 GiB is one in all 64 bits.

use rustc_hash::FxHashSet;

use crate::arch::Rewritten;
use crate::graph::{Definition, Edge, LinkGraph};
use crate::index::{BlockId, EdgeId, Id, SymbolId};
use crate::relocation::Row;

const NOP: u64 = 0xd503_201f;
/// movz x0, #0, lsl #16
const MOVZ_G1: u64 = 0xd2a0_0000;
/// movk x0, #0
const MOVK_G0: u64 = 0xf280_0000;
/// mrs x0, tpidr_el0
const READ_THREAD_POINTER: u64 = 0xd53b_d040;
/// add x0, x0, #0, lsl #12
const ADD_HI12: u64 = 0x9140_0000;
/// add x0, x0, #0
const ADD_LO12: u64 = 0x9100_0000;

// Numbers of relocations (AAELF64, LP64).
const NONE: u32 = 256;
const ADR_PREL_LO21: u32 = 274;
const ADR_PREL_PG_HI21: u32 = 275;
const ADD_ABS_LO12_NC: u32 = 277;
const CALL26: u32 = 283;
const GOT_LD_PREL19: u32 = 309;
const ADR_GOT_PAGE: u32 = 311;
const LD64_GOT_LO12_NC: u32 = 312;
const TLSGD_ADR_PAGE21: u32 = 513;
const TLSGD_ADD_LO12_NC: u32 = 514;
const TLSIE_ADR_GOTTPREL_PAGE21: u32 = 541;
const TLSIE_LD64_GOTTPREL_LO12_NC: u32 = 542;
const TLSLE_MOVW_TPREL_G1: u32 = 545;
const TLSLE_MOVW_TPREL_G0_NC: u32 = 548;
const TLSLE_ADD_TPREL_HI12: u32 = 549;
const TLSLE_ADD_TPREL_LO12_NC: u32 = 551;
const TLSDESC_LD_PREL19: u32 = 560;
const TLSDESC_ADR_PREL21: u32 = 561;
const TLSDESC_ADR_PAGE21: u32 = 562;
const TLSDESC_LD64_LO12: u32 = 563;
const TLSDESC_ADD_LO12: u32 = 564;
const TLSDESC_OFF_G1: u32 = 565;
const TLSDESC_OFF_G0_NC: u32 = 566;
const TLSDESC_LDR: u32 = 567;
const TLSDESC_ADD: u32 = 568;
const TLSDESC_CALL: u32 = 569;

/// How far `movz` and `movk` reach, and the two additions: larger images stay as they are.
const MOVES: u64 = 1 << 31;
const ADDITIONS: u64 = 1 << 23;

/// The numbers of ILP32 for those of LP64 above.
const TWINS: &[(u32, u32)] = &[
    (0, NONE),
    (10, ADR_PREL_LO21),
    (11, ADR_PREL_PG_HI21),
    (12, ADD_ABS_LO12_NC),
    (21, CALL26),
    (25, GOT_LD_PREL19),
    (26, ADR_GOT_PAGE),
    (27, LD64_GOT_LO12_NC),
    (81, TLSGD_ADR_PAGE21),
    (82, TLSGD_ADD_LO12_NC),
    (103, TLSIE_ADR_GOTTPREL_PAGE21),
    (104, TLSIE_LD64_GOTTPREL_LO12_NC),
    (106, TLSLE_MOVW_TPREL_G1),
    (108, TLSLE_MOVW_TPREL_G0_NC),
    (109, TLSLE_ADD_TPREL_HI12),
    (111, TLSLE_ADD_TPREL_LO12_NC),
    (122, TLSDESC_LD_PREL19),
    (123, TLSDESC_ADR_PREL21),
    (124, TLSDESC_ADR_PAGE21),
    (125, TLSDESC_LD64_LO12),
    (126, TLSDESC_ADD_LO12),
    (127, TLSDESC_CALL),
];

fn is_ilp32(graph: &LinkGraph<'_>) -> bool {
    graph.target.pointer_bits == 32
}

/// Which edge is looked at, and what it is.
struct Here<'g, 'data> {
    graph: &'g LinkGraph<'data>,
    id: EdgeId,
    edge: Edge,
    row: &'static Row,
    /// That of LP64.
    number: u32,
    word: u64,
}

impl<'g, 'data> Here<'g, 'data> {
    fn at(graph: &'g LinkGraph<'data>, id: EdgeId) -> Option<Self> {
        let edge = *graph.edges.as_slice().get(id.index())?;
        let (row, word) = (graph.row(&edge), graph.word_under(id)?);
        let number = match is_ilp32(graph) {
            false => row.number,
            true => TWINS.iter().find(|twin| twin.0 == row.number)?.1,
        };
        Some(Here { graph, id, edge, row, number, word })
    }

    /// The edge behind, if it is at the next instruction and of this kind.
    fn next(&self, number: u32) -> Option<Self> {
        let next = Here::at(self.graph, EdgeId::new(self.id.index() + 1))?;
        let follows = next.edge.block == self.edge.block && Some(next.edge.offset) == self.edge.offset.checked_add(4);
        (follows && next.number == number).then_some(next)
    }

    /// The edge before, likewise.
    fn previous(&self, number: u32) -> Option<Self> {
        let previous = Here::at(self.graph, EdgeId::new(self.id.index().checked_sub(1)?))?;
        previous.next(self.number).and(Some(previous)).filter(|previous| previous.number == number)
    }

    fn same_target(&self, other: &Self) -> bool {
        (self.edge.target, self.edge.addend) == (other.edge.target, other.edge.addend)
    }

    fn becomes(&self, number: u32, word: u64) -> (EdgeId, Rewritten) {
        (self.id, Rewritten { number: self.own(number), word, target: None })
    }

    /// The number that means in this graph what this one means in LP64.
    fn own(&self, number: u32) -> u32 {
        let twin = TWINS.iter().find(|twin| is_ilp32(self.graph) && twin.1 == number);
        twin.map_or(number, |twin| twin.0)
    }

    fn calls(&self, name: &[u8]) -> bool {
        self.graph.symbols[self.edge.target].name == name
    }
}

fn destination(word: u64) -> u64 {
    word & 31
}

fn base(word: u64) -> u64 {
    word >> 5 & 31
}

/// See [`crate::arch::Architecture::relax_thread_local`].
pub(super) fn thread_local(graph: &LinkGraph<'_>, block: BlockId, image: u64, list: &mut Vec<(EdgeId, Rewritten)>) {
    if image >= MOVES {
        return;
    }
    // The variables of which some load does not replace the page that it loads through, so that `movk` could not complete
    // what `movz` began. A page and its loads may be apart, and only all of them together can change.
    let mut kept: FxHashSet<(SymbolId, i64)> = FxHashSet::default();
    let edges = || graph.blocks[block].edge_ids().filter_map(|id| Here::at(graph, id));
    for here in edges() {
        let complete = here.number != TLSIE_LD64_GOTTPREL_LO12_NC || destination(here.word) == base(here.word);
        if !complete || !here.row.field.carries(here.word) {
            kept.insert((here.edge.target, here.edge.addend));
        }
    }
    for here in edges() {
        let key = (here.edge.target, here.edge.addend);
        let ours = matches!(graph.symbols[key.0].definition, Definition::Block(block, _)
            if graph.blocks[block].live && graph.sections[graph.blocks[block].section].thread_local);
        if !ours || kept.contains(&key) {
            continue;
        }
        let register = destination(here.word);
        match here.number {
            TLSDESC_ADR_PAGE21 | TLSDESC_LD_PREL19 => list.push(here.becomes(TLSLE_MOVW_TPREL_G1, MOVZ_G1)),
            TLSDESC_LD64_LO12 | TLSDESC_ADR_PREL21 => list.push(here.becomes(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0)),
            TLSDESC_OFF_G1 => list.push(here.becomes(TLSLE_MOVW_TPREL_G1, MOVZ_G1 | register)),
            TLSDESC_OFF_G0_NC => list.push(here.becomes(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0 | register)),
            TLSDESC_ADD_LO12 | TLSDESC_LDR | TLSDESC_ADD | TLSDESC_CALL => list.push(here.becomes(NONE, NOP)),
            TLSIE_ADR_GOTTPREL_PAGE21 => list.push(here.becomes(TLSLE_MOVW_TPREL_G1, MOVZ_G1 | register)),
            TLSIE_LD64_GOTTPREL_LO12_NC => list.push(here.becomes(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0 | register)),
            TLSGD_ADR_PAGE21 if image < ADDITIONS => general_dynamic(&here, list),
            _ => {}
        }
    }
}

/// `adrp x0; add x0, x0; bl __tls_get_addr` becomes the thread pointer and two additions.
fn general_dynamic(page: &Here<'_, '_>, list: &mut Vec<(EdgeId, Rewritten)>) {
    let Some(low) = page.next(TLSGD_ADD_LO12_NC).filter(|low| low.same_target(page)) else { return };
    let Some(call) = low.next(CALL26).filter(|call| call.calls(b"__tls_get_addr")) else { return };
    if destination(page.word) != 0 || destination(low.word) != 0 || base(low.word) != 0 {
        return;
    }
    let variable: Option<(SymbolId, i64)> = Some((page.edge.target, page.edge.addend));
    list.push(page.becomes(NONE, READ_THREAD_POINTER));
    list.push(low.becomes(TLSLE_ADD_TPREL_HI12, ADD_HI12));
    let add = Rewritten { number: page.own(TLSLE_ADD_TPREL_LO12_NC), word: ADD_LO12, target: variable };
    list.push((call.id, add));
}

/// `adrp x; ldr x, [x]` becomes `adrp x; add x, x`, and a literal load `adr`, where the address is in reach.
pub(super) fn got_load(graph: &LinkGraph<'_>, edge: EdgeId, list: &mut Vec<(EdgeId, Rewritten)>) {
    let Some(here) = Here::at(graph, edge) else { return };
    let s = graph.address(here.edge.target).unwrap_or(0).wrapping_add_signed(here.edge.addend);
    // The table's entry has 32 bits of it, an addition all.
    if is_ilp32(graph) && s > u32::MAX.into() {
        return;
    }
    let p = graph.blocks[here.edge.block].address.wrapping_add(here.edge.offset.into());
    let within = |from: u64, to: u64, bits: u32| {
        let distance = to.wrapping_sub(from) as i64;
        (-(1i64 << bits)..1i64 << bits).contains(&distance)
    };
    match here.number {
        LD64_GOT_LO12_NC => {
            let Some(page) = here.previous(ADR_GOT_PAGE).filter(|page| page.same_target(&here)) else { return };
            let register = destination(here.word);
            let one = base(here.word) == register && destination(page.word) == register;
            if one && within(p.wrapping_sub(4) & !0xfff, s & !0xfff, 32) {
                list.push(page.becomes(ADR_PREL_PG_HI21, page.word));
                list.push(here.becomes(ADD_ABS_LO12_NC, ADD_LO12 | register << 5 | register));
            }
        }
        GOT_LD_PREL19 if within(p, s, 20) => {
            list.push(here.becomes(ADR_PREL_LO21, 0x1000_0000 | destination(here.word)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::TWINS;
    use crate::arch::aarch64::{ilp32, table};

    #[test]
    fn twins_have_the_same_name() {
        for &(own, of) in TWINS {
            let name = |rows: &[crate::relocation::Row], number| {
                rows.iter().find(|row| row.number == number).expect("a row").name
            };
            let expected = name(table::ROWS, of).replace("R_AARCH64_", "R_AARCH64_P32_").replace("LD64", "LD32");
            assert_eq!(name(ilp32::ROWS, own), expected);
        }
    }
}
