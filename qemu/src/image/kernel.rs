//! Recognises a kernel file, and takes from it what QEMU can be given.

use std::io::{self, Read};

use memchr::memmem;

use super::compression::Compression;

/// A kernel that QEMU's `-kernel` takes.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// An arm64 `Image` or a `zImage`.
    pub content: Vec<u8>,
    /// 32 or 64.
    pub width: u8,
    /// What it was before it was decompressed: "arm64 Image", "gzip", "zImage", ...
    pub form: &'static str,
}

/// Files that stand in a kernel's place and are none that QEMU starts.
static OTHERS: &[(usize, &[u8], &str)] = &[
    (0, b"\x27\x05\x19\x56", "a U-Boot image; expected an arm64 Image or a zImage"),
    (0, b"\x7fELF", "an ELF file; give it with --kernel"),
    (0, b"\xd0\x0d\xfe\xed", "a device tree or a FIT image; expected an arm64 Image or a zImage"),
    (0, b"!<arch>", "an archive; expected an arm64 Image or a zImage"),
];

fn holds(content: &[u8], offset: usize, magic: &[u8]) -> bool {
    content.get(offset..).is_some_and(|rest| rest.starts_with(magic))
}

/// Whether this is an arm64 `Image`: Documentation/arm64/booting.rst.
fn is_arm64(content: &[u8]) -> bool {
    holds(content, 0x38, b"ARMd")
}

/// Whether this is a 32-bit `zImage`, little-endian.
fn is_zimage(content: &[u8]) -> bool {
    holds(content, 0x24, b"\x18\x28\x6f\x01")
}

/// The arm64 width of a compressed kernel, or a 32-bit one, by its first bytes only; nothing for other files.
pub(super) fn width_of(head: &[u8]) -> Option<u8> {
    if is_arm64(head) {
        return Some(64);
    }
    if is_zimage(head) {
        return Some(32);
    }
    if let Some(zboot) = Zboot::of(head) {
        // Made for EFI on 64-bit machines only; there is none for ARM with 32.
        return zboot.compression().map(|_| 64);
    }
    // The firmware decompresses gzip and nothing else.
    let mut inside = Vec::new();
    let compression = Compression::of(head).filter(|compression| *compression == Compression::Gzip)?;
    // The data ends early, but not before the header does.
    let _ = compression.reader(head).ok()?.take(0x40).read_to_end(&mut inside);
    is_arm64(&inside).then_some(64)
}

/// Says what a kernel is and undoes what QEMU does not undo reliably.
pub fn recognise(content: Vec<u8>) -> Result<Kernel, String> {
    if is_arm64(&content) {
        return Ok(Kernel { content, width: 64, form: "arm64 Image" });
    }
    if is_zimage(&content) {
        return Ok(Kernel { content, width: 32, form: "zImage" });
    }
    if let Some(zboot) = Zboot::of(&content) {
        let compression = zboot.compression().ok_or_else(|| {
            format!("an EFI zboot image, compressed with {}, which is not understood", zboot.method())
        })?;
        return inside(compression, zboot.payload()?, "EFI zboot");
    }
    match Compression::of(&content) {
        Some(Compression::Gzip) => inside(Compression::Gzip, &content, "gzip"),
        Some(other) => Err(format!(
            "it is compressed with {}, which the firmware does not boot either; decompress it",
            other.name()
        )),
        None => {
            let other = OTHERS.iter().find(|(offset, magic, _)| holds(&content, *offset, magic));
            let first: Vec<String> = content.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Err(other.map_or_else(
                || format!("neither an arm64 Image nor a zImage; it begins with {}", first.join(" ")),
                |(_, _, what)| format!("it is {what}"),
            ))
        }
    }
}

fn inside(compression: Compression, payload: &[u8], form: &'static str) -> Result<Kernel, String> {
    let content = compression.decompress(payload).map_err(|error| format!("{form}: {error}"))?;
    if is_arm64(&content) {
        Ok(Kernel { content, width: 64, form })
    } else {
        Err(format!("{form}: no arm64 Image in it"))
    }
}

/// A compressed kernel with a decompressor for EFI around it: `MZ`, `zimg`, where the payload is, how it is compressed.
struct Zboot<'data> {
    content: &'data [u8],
}

impl<'data> Zboot<'data> {
    fn of(content: &'data [u8]) -> Option<Self> {
        (content.starts_with(b"MZ") && holds(content, 4, b"zimg") && content.len() >= 0x38).then_some(Self { content })
    }

    fn method(&self) -> String {
        let name = self.content[0x18..0x38].split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    fn compression(&self) -> Option<Compression> {
        match self.method().as_str() {
            "gzip" => Some(Compression::Gzip),
            "xzkern" | "xz" => Some(Compression::Xz),
            _ => None,
        }
    }

    fn payload(&self) -> Result<&'data [u8], String> {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| self.content[at + byte])) as usize;
        let (start, length) = (word(8), word(12));
        let payload = self.content.get(start..).and_then(|rest| rest.get(..length));
        payload.ok_or_else(|| format!("EFI zboot: the payload ({length} bytes at {start:#x}) is not all in the file"))
    }
}

impl Kernel {
    /// The version, from the banner: in the clear, or inside the payload of a `zImage`.
    pub fn version(&self) -> Option<String> {
        if let Some(version) = banner(&self.content) {
            return Some(version);
        }
        // The payload begins behind the decompressor; its magic may stand in the code before by chance.
        let magics: [&[u8]; 2] = [b"\x1f\x8b\x08", b"\xfd7zXZ\0"];
        magics.into_iter().filter(|_| self.width == 32).find_map(|magic| {
            let places = memmem::find_iter(&self.content, magic).take(4);
            places.into_iter().find_map(|place| {
                let payload = self.content.get(place..)?;
                streamed_banner(Compression::of(payload)?.reader(payload).ok()?).ok().flatten()
            })
        })
    }
}

const BANNER: &[u8] = b"Linux version ";
/// No version is longer than this: the kernel's own limit is 64.
const LONGEST: usize = 80;

/// The version after "Linux version ". In the code the same words stand in messages as well, without a number behind.
fn banner(content: &[u8]) -> Option<String> {
    memmem::find_iter(content, BANNER).find_map(|place| {
        let rest = content.get(place + BANNER.len()..)?;
        let rest = &rest[..rest.len().min(LONGEST)];
        let end = rest.iter().position(|byte| !byte.is_ascii_graphic())?;
        let version = str::from_utf8(&rest[..end]).ok()?;
        version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
    })
}

/// Looks for the banner and stops when it is found: half a kernel need not be decompressed.
fn streamed_banner(mut reader: impl Read) -> io::Result<Option<String>> {
    let mut kept = Vec::new();
    let mut piece = vec![0; 256 << 10];
    loop {
        let count = reader.read(&mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        kept.extend_from_slice(&piece[..count]);
        if let Some(version) = banner(&kept) {
            return Ok(Some(version));
        }
        // The banner may lie across two pieces.
        kept.drain(..kept.len().saturating_sub(BANNER.len() + LONGEST));
    }
}
