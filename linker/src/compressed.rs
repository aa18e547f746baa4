//! The two ways in which sections are compressed (ELF specification, Section Compression).
//!
//! Both decoders are Rust without I/O, and write no more than the size that they are told, which whoever calls them checks before.

use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::FrameDecoder;

/// So much may be claimed by a byte of input: what a decoder cannot make of it is refused before memory is taken.
const DEFLATE_RATIO: usize = 1032;

/// Unpacks what zlib packed into so many bytes. None if it is something else.
pub fn inflate(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    if size > packed.len().saturating_mul(DEFLATE_RATIO) {
        return None;
    }
    let mut out = Vec::with_capacity(size);
    let mut decoder = Decompress::new(true);
    let status = decoder.decompress_vec(packed, &mut out, FlushDecompress::Finish).ok()?;
    (status == Status::StreamEnd && out.len() == size).then_some(out)
}

/// Unpacks what Zstandard packed into so many bytes. None if it is something else.
pub fn zstd(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; size];
    (FrameDecoder::new().decode_all(packed, &mut out).ok()? == size).then_some(out)
}
