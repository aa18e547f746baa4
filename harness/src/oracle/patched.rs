//! Objects with changed section headers, for peers.

/// SHF_EXECINSTR
const CODE: u8 = 4;
/// SHF_MERGE and SHF_STRINGS
const MERGED: u8 = 0x30;

/// The object with no section marked as mergeable: linkers differ in what they merge, and then everything moves.
pub(super) fn unmerged(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    for header in headers(data) {
        if let Some(flags) = bytes.get_mut(header + FLAGS) {
            *flags &= !MERGED;
        }
    }
    bytes
}

/// The object with room behind its sections of code, by their alignment to 256 bytes: so that where a peer puts them next to each
/// other, ours can, too, and have its stubs there.
pub(super) fn roomy(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let alignment = if is_wide(data) { 0x30 } else { 0x20 };
    for header in headers(data) {
        let is_code = bytes.get(header + FLAGS).is_some_and(|flags| flags & CODE != 0);
        if let Some(word) = bytes.get_mut(header + alignment..header + alignment + 4)
            && is_code
            && word[1..] == [0; 3]
        {
            word.copy_from_slice(&256u32.to_le_bytes());
        }
    }
    bytes
}

/// Where in a section header its flags are.
const FLAGS: usize = 8;

fn is_wide(data: &[u8]) -> bool {
    data.get(4) == Some(&2)
}

/// Where the section headers are. What is no object has none.
fn headers(data: &[u8]) -> Vec<usize> {
    let word = |at: usize, size: usize| {
        data.get(at..at + size).map(|b| b.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte)))
    };
    let (start, size, count) = if is_wide(data) { ((0x28, 8), 0x3a, 0x3c) } else { ((0x20, 4), 0x2e, 0x30) };
    let (Some(start), Some(size), Some(count)) = (word(start.0, start.1), word(size, 2), word(count, 2)) else {
        return Vec::new();
    };
    (0..count).filter_map(|header| usize::try_from(start.checked_add(header * size)?).ok()).collect()
}
