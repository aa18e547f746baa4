//! Reads the output of `-show-graphs`: the blocks of each graph with their addresses.

use anyhow::{Context, Result};

/// A block of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The number of its object.
    pub(super) graph: usize,
    /// Its section.
    pub(super) section: String,
    pub(super) address: u64,
    pub(super) size: u64,
}

/// The file of an object: graphs are called by it.
pub(super) fn file(number: usize) -> String {
    format!("{number}.o")
}

/// The blocks in a listing. Lines about anything else are passed over; a block that cannot be read is an error.
pub(super) fn parse(text: &str) -> Result<Vec<Listed>> {
    let mut blocks = Vec::new();
    let (mut graph, mut section) = (None, None);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Link graph \"") {
            let name = name.split('"').next().unwrap_or_default();
            graph = name.strip_suffix(".o").and_then(|number| number.parse::<usize>().ok());
            section = None;
        } else if let Some(name) = line.strip_prefix("section ") {
            section = Some(name.trim_end().trim_end_matches(':').to_owned());
        } else if let (Some(rest), Some(graph), Some(section)) = (line.strip_prefix("  block "), graph, &section) {
            let read = || {
                let (address, rest) = rest.split_once(" size = ")?;
                let size = rest.split(',').next()?;
                let hex = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
                let (address, size) = (hex(address)?, hex(size)?);
                address.checked_add(size)?;
                Some(Listed { graph, section: section.clone(), address, size })
            };
            blocks.push(read().with_context(|| format!("llvm-jitlink lists a block as `{}`", line.trim()))?);
        } else if !line.starts_with(' ') && !line.is_empty() {
            // Symbols without a section come last.
            section = None;
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Link graph \"0.o\" post-fixup:\nsection .text:\n\n  block 0x10003000 size = 0x0000001c, align = 16, \
        alignment-offset = 0\n    symbols:\n      0x10003000 (block + 0x00000000): size: 0x0000001c, live  -   g\n\n\
        section .bss:\n\nAbsolute symbols:\n  block of no section\n\nLink graph \"<stubs>\" post-fixup:\n\
        section .text:\n\n  block nobody needs\n";

    #[test]
    fn blocks_of_objects() {
        let block = Listed { graph: 0, section: ".text".to_owned(), address: 0x1000_3000, size: 0x1c };
        assert_eq!(parse(TEXT).unwrap(), [block]);
    }

    #[test]
    fn a_block_without_numbers() {
        for broken in ["size = 28", "size 0x1c", "size = 0xffffffffffffffff"] {
            let error = parse(&TEXT.replace("size = 0x0000001c, align", &format!("{broken}, align"))).unwrap_err();
            assert!(error.to_string().contains("0x10003000"), "{error}");
        }
    }
}
