//! Relaxations: what sequences become when more is known than the compiler knew.
//!
//! Code may branch into the midst of a sequence, with what the first half of another one left in a register. So what takes
//! more than one instruction is decided for all sequences of a symbol at once: all of them change or none does (AAELF64
//! 2026Q2, Relocation optimization). The registers of thread-local sequences are fixed by the ABI (x0, and x1 for
//! descriptors); those of the others are read from the code.
//!
//! ILP32 has the same sequences under other numbers; what they become is the same, too: it loads 32 bits where LP64 loads 64,
//! and an address below 4 GiB is one in all 64 bits.

use rustc_hash::FxHashSet;

use crate::arch::Rewritten;
use crate::graph::{Definition, Edge, Flags, LinkGraph};
use crate::index::{EdgeId, Id, SymbolId};
use crate::relocation::{Class, Row};

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

    fn place(&self) -> u64 {
        self.graph.blocks[self.edge.block].address.wrapping_add(self.edge.offset.into())
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

/// Which thread-local accesses have to stay as they are.
#[derive(Default)]
struct Kept {
    /// The variables of which some load through the table does not replace the page that it loads through, so that `movk`
    /// could not complete what `movz` began.
    variables: FxHashSet<SymbolId>,
    /// All by descriptors: the calls do not say whose descriptor they got when two paths share one.
    descriptors: bool,
    /// All by `__tls_get_addr`, likewise.
    general_dynamic: bool,
}

impl Kept {
    fn note(&mut self, here: &Here<'_, '_>, ours: bool) {
        let (to, from) = (destination(here.word), base(here.word));
        match here.number {
            TLSIE_LD64_GOTTPREL_LO12_NC if to != from || !here.row.field.carries(here.word) => {
                self.variables.insert(here.edge.target);
            }
            TLSDESC_ADR_PAGE21 => self.descriptors |= !ours || to != 0,
            // They become `movz` and `movk`, which nothing but their order holds together.
            TLSDESC_LD_PREL19 => {
                self.descriptors |= !ours || here.next(TLSDESC_ADR_PREL21).is_none_or(|adr| !adr.same_target(here));
            }
            TLSDESC_ADR_PREL21 => {
                let load = here.previous(TLSDESC_LD_PREL19);
                self.descriptors |= !ours || to != 0 || load.is_none_or(|load| !load.same_target(here));
            }
            TLSDESC_LD64_LO12 => self.descriptors |= !ours || from != 0,
            TLSDESC_ADD_LO12 => self.descriptors |= !ours || (to, from) != (0, 0),
            // These have registers of their own, and what they become is in x0 or stays where it was.
            TLSDESC_OFF_G1 | TLSDESC_OFF_G0_NC | TLSDESC_LDR | TLSDESC_ADD | TLSDESC_CALL => {
                self.descriptors |= !ours;
            }
            TLSGD_ADR_PAGE21 => self.general_dynamic |= !ours || triple(here).is_none(),
            TLSGD_ADD_LO12_NC => {
                self.general_dynamic |=
                    !ours || here.previous(TLSGD_ADR_PAGE21).and_then(|page| triple(&page).map(drop)).is_none();
            }
            _ => {}
        }
    }
}

/// See [`crate::arch::Architecture::relax_thread_local`].
pub(super) fn thread_local(graph: &LinkGraph<'_>, image: u64, list: &mut Vec<(EdgeId, Rewritten)>) {
    if image >= MOVES {
        return;
    }
    let is_ours = |symbol: SymbolId| {
        matches!(graph.symbols[symbol].definition, Definition::Block(block, _)
            if graph.blocks[block].live && graph.sections[graph.blocks[block].section].thread_local)
    };
    let edges = || graph.live_edges_of(Class::Tls).filter_map(|(id, _)| Here::at(graph, id));
    let mut kept = Kept { general_dynamic: image >= ADDITIONS, ..Kept::default() };
    for here in edges() {
        kept.note(&here, is_ours(here.edge.target));
    }
    for here in edges() {
        let register = destination(here.word);
        let descriptor = |number, word| (!kept.descriptors).then(|| here.becomes(number, word));
        let through_table = |number, word| {
            let may = is_ours(here.edge.target) && !kept.variables.contains(&here.edge.target);
            may.then(|| here.becomes(number, word))
        };
        list.extend(match here.number {
            TLSDESC_ADR_PAGE21 | TLSDESC_LD_PREL19 => descriptor(TLSLE_MOVW_TPREL_G1, MOVZ_G1),
            TLSDESC_LD64_LO12 | TLSDESC_ADR_PREL21 => descriptor(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0),
            TLSDESC_OFF_G1 => descriptor(TLSLE_MOVW_TPREL_G1, MOVZ_G1 | register),
            TLSDESC_OFF_G0_NC => descriptor(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0 | register),
            TLSDESC_ADD_LO12 | TLSDESC_LDR | TLSDESC_ADD | TLSDESC_CALL => descriptor(NONE, NOP),
            TLSIE_ADR_GOTTPREL_PAGE21 => through_table(TLSLE_MOVW_TPREL_G1, MOVZ_G1 | register),
            TLSIE_LD64_GOTTPREL_LO12_NC => through_table(TLSLE_MOVW_TPREL_G0_NC, MOVK_G0 | register),
            _ => None,
        });
        if here.number == TLSGD_ADR_PAGE21
            && !kept.general_dynamic
            && let Some((low, call)) = triple(&here)
        {
            list.push(here.becomes(NONE, READ_THREAD_POINTER));
            list.push(low.becomes(TLSLE_ADD_TPREL_HI12, ADD_HI12));
            let target = Some((here.edge.target, here.edge.addend));
            list.push((call.id, Rewritten { number: here.own(TLSLE_ADD_TPREL_LO12_NC), word: ADD_LO12, target }));
        }
    }
}

/// `adrp x0; add x0, x0; bl __tls_get_addr`, which becomes the thread pointer and two additions: what follows the page.
fn triple<'g, 'data>(page: &Here<'g, 'data>) -> Option<(Here<'g, 'data>, Here<'g, 'data>)> {
    let low = page.next(TLSGD_ADD_LO12_NC).filter(|low| low.same_target(page))?;
    let call = low.next(CALL26).filter(|call| call.calls(b"__tls_get_addr"))?;
    let registers = [destination(page.word), destination(low.word), base(low.word)];
    (registers == [0; 3]).then_some((low, call))
}

/// See [`crate::arch::Architecture::relax_got_loads`]. `adrp x; ldr x, [x]` becomes `adrp x; add x, x`, and a literal load
/// `adr`, where the address is in reach.
pub(super) fn got_loads(graph: &LinkGraph<'_>, list: &mut Vec<(EdgeId, Rewritten)>) {
    let mut pairs = Vec::new();
    // The symbols that some instruction loads in another way.
    let mut kept: FxHashSet<SymbolId> = FxHashSet::default();
    for here in graph.live_edges_of(Class::Got).filter_map(|(id, _)| Here::at(graph, id)) {
        match here.number {
            ADR_GOT_PAGE if here.next(LD64_GOT_LO12_NC).is_none_or(|load| !makes_pair(&here, &load)) => {
                kept.insert(here.edge.target);
            }
            LD64_GOT_LO12_NC => match here.previous(ADR_GOT_PAGE).filter(|page| makes_pair(page, &here)) {
                Some(page) => pairs.push((page, here)),
                None => drop(kept.insert(here.edge.target)),
            },
            GOT_LD_PREL19 if reached(&here).is_some_and(|s| within(here.place(), s, 20)) => {
                list.push(here.becomes(ADR_PREL_LO21, 0x1000_0000 | destination(here.word)));
            }
            _ => {}
        }
    }
    for (page, load) in pairs.iter().filter(|(page, _)| !kept.contains(&page.edge.target)) {
        let register = destination(load.word);
        list.push(page.becomes(ADR_PREL_PG_HI21, page.word));
        list.push(load.becomes(ADD_ABS_LO12_NC, ADD_LO12 | register << 5 | register));
    }
}

/// Whether a page and a load behind it are one sequence, whose address is in reach.
fn makes_pair(page: &Here<'_, '_>, load: &Here<'_, '_>) -> bool {
    let register = destination(load.word);
    let one = page.same_target(load) && base(load.word) == register && destination(page.word) == register;
    one && page.edge.addend == 0 && reached(load).is_some_and(|s| within(page.place() & !0xfff, s & !0xfff, 32))
}

/// What the entry of a load holds, if it can be computed in the code instead: not for SHN_ABS, which does not move with the
/// code, and not for what a resolver chooses.
fn reached(load: &Here<'_, '_>) -> Option<u64> {
    let graph = load.graph;
    let symbol = &graph.symbols[load.edge.target];
    match symbol.definition {
        Definition::Block(block, _) if graph.blocks[block].live && !graph.is_ifunc_stub(block) => {}
        Definition::Absolute(_) if symbol.flags.has(Flags::EXTERNAL) => {}
        _ => return None,
    }
    let s = graph.address(load.edge.target)?.wrapping_add_signed(load.edge.addend);
    // The table's entry has 32 bits of it, an addition all.
    (!is_ilp32(graph) || s <= u32::MAX.into()).then_some(s)
}

fn within(from: u64, to: u64, bits: u32) -> bool {
    (-(1i64 << bits)..1i64 << bits).contains(&(to.wrapping_sub(from) as i64))
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
