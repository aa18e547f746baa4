//! What a controller put into memory, as an executable: so it is loaded, judged and checked as that of any other linker.

use std::borrow::Cow;

use linker::Target;
use linker::memory::{self, InFlight as _, Lifetime, Memory as _, MemoryError, Place};

use super::anchor::Wanted;
use super::session::Segment;
use crate::executor::image::{Binding, Image, ImageSymbol, Labels, PAGE, SymbolKind};

/// The executable, with the symbols that were asked for, whose addresses `table` has behind a word of no interest, and with those that came
/// from outside.
pub(super) fn image(
    target: &'static Target,
    segments: &[Segment],
    wanted: &[Wanted],
    table: &[u8],
    outside: &[(Vec<u8>, u64, SymbolKind)],
) -> Result<Vec<u8>, MemoryError> {
    let mut memory = Image::new(target);
    let request: Vec<memory::Segment> = segments
        .iter()
        .map(|segment| memory::Segment {
            size: segment.size,
            content: segment.content.len(),
            alignment: PAGE,
            protection: segment.protection,
            relro: false,
            thread_local: None,
            lifetime: Lifetime::Standard,
            place: Place::At(segment.address),
        })
        .collect();
    let mut file = memory.reserve(&request)?;
    for (number, segment) in segments.iter().enumerate() {
        file.content(number).copy_from_slice(&segment.content);
    }
    let file = memory.finalize(file, &[])?;
    let addresses = table.chunks_exact(target.pointer_bytes()).skip(1).map(|word| target.number(word));
    let symbol = |(wanted, value): (&Wanted, u64)| {
        let thumb = wanted.kind == SymbolKind::Function && target.pointer_bits == 32;
        ImageSymbol {
            name: Cow::Owned(wanted.name.clone()),
            value,
            place: Some(if thumb { value & !1 } else { value }),
            undefined: false,
            size: wanted.size,
            kind: wanted.kind,
            binding: Binding::Global,
            other: 0,
        }
    };
    let mut symbols: Vec<ImageSymbol<'_>> = wanted.iter().zip(addresses).map(symbol).collect();
    symbols.extend(outside.iter().map(|(name, value, kind)| ImageSymbol {
        name: Cow::Borrowed(name),
        value: *value,
        place: None,
        undefined: false,
        size: 0,
        kind: *kind,
        binding: Binding::Global,
        other: 0,
    }));
    file.write(&Labels { symbols: Some(symbols), ..Labels::default() })
}
