//! Writes one relocation for people: its name, its numbers, its bytes.

use linker::fixup::Fixup;
use linker::graph::{Bytes, LinkGraph};
use linker::index::EdgeId;
use linker::relocation::Row;
use linker::relocation::hex as signed_hex;

/// The name of a relocation, and what it was before its instruction was rewritten.
pub fn name(graph: &LinkGraph<'_>, id: EdgeId) -> String {
    let (was, is) = (graph.object_row(id), graph.row(&graph.edges[id]));
    if was.number == is.number { is.name.to_owned() } else { format!("{}, relaxed to {}", was.name, is.name) }
}

/// The formula of a relocation with its numbers put in.
pub fn numbers(row: &Row, fixup: &Fixup) -> String {
    let inputs = &fixup.inputs;
    let mut text = format!("S {:#x}  A {}  P {:#x}", inputs.s, signed_hex(inputs.a.into()), inputs.p);
    if row.operation.needs_entry() {
        text += &format!("  G {:#x}", inputs.entry);
    }
    if row.operation.needs_got() {
        text += &format!("  GOT {:#x}", inputs.got);
    }
    text += &format!("  {} = {}", row.operation, signed_hex(fixup.value.into()));
    let allowed = row.allowed().to_string();
    if allowed.is_empty() { text } else { text + "  " + &allowed }
}

/// What the bytes under an edge are: what mapping symbols say, or else what the field is of.
pub fn bytes_kind(graph: &LinkGraph<'_>, id: EdgeId) -> Bytes {
    use linker::field::Unit;
    match graph.object_row(id).field.unit {
        Unit::Instruction32 => Bytes::Code,
        Unit::Instruction16 | Unit::InstructionPair => Bytes::Thumb,
        _ => Bytes::Data,
    }
}

/// Bytes as a reader of memory sees them.
pub fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
