//! Parses and links whatever comes: never a panic, never memory or time out of proportion.
//!
//! The first byte picks target, layout and roots; the rest is one file, or several with a length before each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linker::target::TARGETS;
use linker::{Layout, Limits, Options, Parsed, Roots};

#[path = "../../linker/tests/support/ram.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod ram;

/// Bytes of content in target memory.
const CONTENT: usize = 8 << 20;

fn link(choice: u8, data: &[u8]) -> linker::Result<()> {
    let limits = Limits { size: CONTENT as u64, zero: CONTENT as u64, alignment: 1 << 20 };
    let options = Options { keep_debug: choice & 0x80 != 0, limits, ..Options::default() };
    // The class of the file says which of the targets it can be for.
    let wide = data.get(4) == Some(&2) || data.starts_with(b"!<arch>") && data.windows(5).any(|w| w == b"\x7fELF\x02");
    let target = TARGETS.iter().filter(|target| (target.pointer_bits == 64) == wide).cycle().nth(choice as usize % 7);
    let mut parsed = Parsed::new(target.unwrap_or(&TARGETS[0]), options);
    parsed.add("input", data)?;
    let names: Vec<&[u8]> = parsed.graph().symbols.iter().map(|(_, symbol)| symbol.name).collect();
    let root =
        names.get(choice as usize).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default().to_owned();
    let mut ram = ram::Ram { limit: CONTENT, ..ram::Ram::default() };
    let layout = match choice >> 3 & 7 {
        0 | 1 => Layout::Near,
        2 | 3 => Layout::Far,
        4 => Layout::High,
        5 => Layout::Anywhere,
        _ => Layout::Random(choice.into()),
    };
    let names = [&*root];
    let roots = if choice & 0x40 != 0 && !root.is_empty() { Roots::Names(&names) } else { Roots::All };
    let reserved = parsed.prune(roots)?.reserve(&mut ram, &layout)?;
    let resolved = reserved.resolve(&mut ram, |name| Some(linker::link::Found::Function(0x7000_0000 + name.len() as u64 * 16)))?;
    let finalized = resolved.fix(&mut ram)?.finalize(&mut ram)?;
    let graph = finalized.graph();
    for (id, _) in graph.live_edges().take(50) {
        let _ = finalized.fixup(id);
    }
    let _ = finalized.plan().by_hand(graph).to_string();
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    if let Some((&choice, data)) = data.split_first()
        && let Err(error) = link(choice, data)
    {
        assert!(!error.to_string().is_empty());
    }
});
