//! Disassembly by a decoder that is not the linker's.

use capstone::arch::{BuildsCapstone, BuildsCapstoneExtraMode};
use capstone::{Capstone, arch};
use linker::Target;
use linker::graph::Bytes;

/// Decodes single instructions of one target.
pub struct Disassembler {
    main: Option<Capstone>,
    thumb: Option<Capstone>,
    words: bool,
}

impl Disassembler {
    /// One for this target. What the decoder does not know is shown as data.
    pub fn new(target: &Target) -> Disassembler {
        if target.register_bits == 64 {
            let main = Capstone::new().arm64().mode(arch::arm64::ArchMode::Arm).build().ok();
            return Disassembler { main, thumb: None, words: true };
        }
        let profile = target.name.ends_with('m');
        let extra = if profile { vec![arch::arm::ArchExtraMode::MClass] } else { vec![arch::arm::ArchExtraMode::V8] };
        let main = Capstone::new().arm().mode(arch::arm::ArchMode::Arm).build().ok();
        let thumb = Capstone::new().arm().mode(arch::arm::ArchMode::Thumb).extra_mode(extra.into_iter()).build().ok();
        Disassembler { main, thumb, words: true }
    }

    /// The instruction at the start of `bytes`, as text and length in bytes.
    pub fn one(&self, bytes: &[u8], address: u64, kind: Bytes) -> (String, usize) {
        let decoder = match kind {
            Bytes::Code => self.main.as_ref(),
            Bytes::Thumb => self.thumb.as_ref(),
            Bytes::Data => None,
        };
        let decoded = decoder.and_then(|decoder| {
            let instructions = decoder.disasm_count(bytes, address, 1).ok()?;
            let instruction = instructions.iter().next()?;
            let text = format!("{} {}", instruction.mnemonic()?, instruction.op_str().unwrap_or_default());
            Some((text.trim_end().to_owned(), instruction.bytes().len()))
        });
        decoded.unwrap_or_else(|| self.data(bytes, kind))
    }

    fn data(&self, bytes: &[u8], kind: Bytes) -> (String, usize) {
        if kind == Bytes::Thumb && bytes.len() >= 2 {
            return (format!(".short {:#06x}", u16::from_le_bytes([bytes[0], bytes[1]])), 2);
        }
        match bytes.first_chunk() {
            Some(word) if self.words => (format!(".word {:#010x}", u32::from_le_bytes(*word)), 4),
            _ => (format!(".byte {:#04x}", bytes.first().copied().unwrap_or(0)), 1),
        }
    }
}
