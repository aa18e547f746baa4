//! Recognises the compression of kernels and modules, and undoes it where it is a common one.

use std::io::{self, Read};
use std::num::NonZero;

use flate2::read::GzDecoder;
use xz4rust::{XzDecoder, XzReader};

use super::LARGEST_FILE;

/// A way to compress a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Xz,
    /// Known by name only.
    Other(&'static str),
}

static MAGIC: &[(&[u8], Compression)] = &[
    (b"\x1f\x8b\x08", Compression::Gzip),
    (b"\xfd7zXZ\0", Compression::Xz),
    (b"\x28\xb5\x2f\xfd", Compression::Other("zstd")),
    (b"\x04\x22\x4d\x18", Compression::Other("LZ4")),
    (b"\x02\x21\x4c\x18", Compression::Other("LZ4")),
    (b"\x89LZO\0", Compression::Other("LZO")),
    (b"BZh", Compression::Other("bzip2")),
    (b"\x5d\0\0", Compression::Other("LZMA")),
];

impl Compression {
    /// What these bytes begin with.
    pub(super) fn of(content: &[u8]) -> Option<Self> {
        MAGIC.iter().find(|(magic, _)| content.starts_with(magic)).map(|(_, compression)| *compression)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Other(name) => name,
        }
    }

    /// A reader of what is inside. What follows the compressed data is not looked at.
    pub(super) fn reader<'data>(self, content: &'data [u8]) -> io::Result<Box<dyn Read + 'data>> {
        match self {
            Self::Gzip => Ok(Box::new(GzDecoder::new(content).take(LARGEST_FILE + 1))),
            Self::Xz => Ok(Box::new(xz(content)?.take(LARGEST_FILE + 1))),
            Self::Other(name) => Err(io::Error::other(format!("compressed with {name}, which is not understood"))),
        }
    }

    /// All that is inside.
    pub(super) fn decompress(self, content: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.reader(content)?.read_to_end(&mut all)?;
        if all.len() as u64 > LARGEST_FILE {
            return Err(io::Error::other(format!("more than {} MiB when decompressed", LARGEST_FILE >> 20)));
        }
        Ok(all)
    }
}

/// The kernel's own xz data has a dictionary of 32 MiB, modules one of 1 MiB.
fn xz(content: &[u8]) -> io::Result<impl Read> {
    let decoder = XzDecoder::in_heap_with_alloc_dict_size(1 << 20, 64 << 20);
    Ok(XzReader::new_with_buffer_size_and_decoder(
        io::Cursor::new(content.to_vec()),
        NonZero::new(64 << 10).unwrap_or(NonZero::<usize>::MIN),
        decoder,
    ))
}
