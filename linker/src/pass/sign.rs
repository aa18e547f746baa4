//! Signed pointers: which places of the link hold one, and what each is signed with. The link leaves plain pointers there;
//! finalization asks the memory to sign them, as only a process has keys.

use crate::error::{Error, Result, Site};
use crate::graph::{Flags, LinkGraph, Signature};
use crate::index::EdgeId;
use crate::memory::SigningKey;
use crate::relocation::{Class, Entry};

/// Bits of a schema without meaning (PAuthABIELF64, Encoding the signing schema).
const RESERVED: u64 = 1 << 62 | 0xfff << 48 | 0xffff_ffff;

/// Notes the places that relocations say are signed.
pub(crate) fn run(graph: &mut LinkGraph<'_>) -> Result<()> {
    let signed: Vec<EdgeId> = graph.live_edges_of(Class::Signed).map(|(id, _)| id).collect();
    for id in signed {
        let edge = graph.edges[id];
        let schema = graph.word_under(id).unwrap_or(0);
        if schema & RESERVED != 0 {
            let problem = format!("the signing schema {schema:#x} has bits set that mean nothing");
            return Err(Error::Malformed { site: Box::new(Site::edge(graph, &edge)), problem });
        }
        graph.signatures.push(Signature {
            block: edge.block,
            offset: edge.offset,
            key: SigningKey::ALL[(schema >> 60 & 3) as usize],
            discriminator: (schema >> 32) as u16,
            diverse: schema >> 63 == 1,
        });
    }
    Ok(())
}

/// How a table entry is signed: functions by a key for instructions, and all with their address.
pub(super) fn of_entry(graph: &LinkGraph<'_>, entry: Entry, flags: Flags) -> Option<(SigningKey, u32)> {
    let word = graph.arch.resolver(graph.demands()).word * graph.target.pointer_bytes();
    match entry {
        Entry::Signed if flags.has(Flags::FUNCTION) => Some((SigningKey::InstructionA, 0)),
        Entry::Signed => Some((SigningKey::DataA, 0)),
        Entry::SignedDescriptor => Some((SigningKey::InstructionA, word as u32)),
        _ => None,
    }
}
