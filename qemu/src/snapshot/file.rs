//! The file of a snapshot: what the agent said, the state of the devices as QEMU writes it, and the guest's memory without the
//! pages that are zero. A checksum after the head and another after the memory: a byte that is wrong anywhere is noticed.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;

use crc32fast::Hasher;

use crate::machine::Saved;

/// The first bytes of the file: what is changed here, or in how QEMU is started, has another number.
pub(super) const FORMAT: &[u8; 20] = b"linkrig snapshot 001";
/// Memory is looked at in pages, and copied in pieces of many.
const PAGE: usize = 4096;
const PIECE: usize = 1 << 20;
/// Longer than any head: what a damaged length may ask for.
const LONGEST: u64 = 4 << 30;

/// What a snapshot has before its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The key under which it was saved.
    pub(super) key: String,
    /// What was running.
    pub(super) saved: Saved,
    /// Where memory is not zero: offset and size.
    pub(super) runs: Vec<(u64, u64)>,
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// What the system says about the end of a file tells nobody anything.
fn cut_short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { malformed("it is cut short") } else { error }
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut part = |part: &[u8]| {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        };
        part(self.key.as_bytes());
        part(&self.saved.hello);
        part(&[u8::from(self.saved.stream)]);
        part(&self.saved.state);
        let runs = self.runs.iter().flat_map(|&(offset, size)| [offset.to_le_bytes(), size.to_le_bytes()]);
        part(&runs.flatten().collect::<Vec<_>>());
        bytes
    }

    fn parse(mut bytes: &[u8]) -> Option<Head> {
        let mut part = || {
            let (size, rest) = bytes.split_first_chunk()?;
            let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*size)).ok()?)?;
            bytes = rest;
            Some(part)
        };
        let key = String::from_utf8(part()?.to_vec()).ok()?;
        let (hello, stream, state, runs) = (part()?.to_vec(), part()? == [1], part()?.to_vec(), part()?);
        let words = runs.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let runs = words.clone().step_by(2).zip(words.skip(1).step_by(2)).collect();
        Some(Head { key, saved: Saved { hello, stream, state }, runs })
    }

    /// Writes a snapshot.
    pub(super) fn write(&self, memory: Option<&File>, into: &mut impl Write) -> io::Result<()> {
        let head = self.bytes();
        into.write_all(FORMAT)?;
        into.write_all(&(head.len() as u64).to_le_bytes())?;
        into.write_all(&head)?;
        into.write_all(&crc32fast::hash(&head).to_le_bytes())?;
        let mut sum = Hasher::new();
        if let Some(memory) = memory {
            pieces(&self.runs, |offset, piece| {
                memory.read_exact_at(piece, offset)?;
                sum.update(piece);
                into.write_all(piece)
            })?;
        }
        into.write_all(&sum.finalize().to_le_bytes())
    }

    /// Reads a snapshot as far as its memory.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Head> {
        Head::read_whole(from).map_err(cut_short)
    }

    fn read_whole(from: &mut impl Read) -> io::Result<Head> {
        let mut format = [0; FORMAT.len()];
        from.read_exact(&mut format)?;
        if format != *FORMAT {
            return Err(malformed("it is none, or of another version"));
        }
        let mut size = [0; 8];
        from.read_exact(&mut size)?;
        let size = u64::from_le_bytes(size);
        if size > LONGEST {
            return Err(malformed("its head is damaged"));
        }
        let mut head = Vec::new();
        if from.take(size).read_to_end(&mut head)? as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if checksum(from)? != crc32fast::hash(&head) {
            return Err(malformed("its head is damaged"));
        }
        Head::parse(&head).ok_or_else(|| malformed("its head is damaged"))
    }

    /// Reads the rest of it into a guest's memory, which is all zero.
    pub(super) fn read_memory(&self, from: &mut impl Read, memory: Option<&File>) -> io::Result<()> {
        let mut sum = Hasher::new();
        pieces(&self.runs, |offset, piece| {
            from.read_exact(piece).map_err(cut_short)?;
            sum.update(piece);
            memory.map_or(Ok(()), |memory| memory.write_all_at(piece, offset))
        })?;
        if checksum(from).map_err(cut_short)? != sum.finalize() {
            return Err(malformed("its memory is damaged"));
        }
        Ok(())
    }
}

fn checksum(from: &mut impl Read) -> io::Result<u32> {
    let mut sum = [0; 4];
    from.read_exact(&mut sum)?;
    Ok(u32::from_le_bytes(sum))
}

/// Goes through memory in pieces that are not too large, each with its offset.
fn pieces(runs: &[(u64, u64)], mut each: impl FnMut(u64, &mut [u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    for &(start, size) in runs {
        for at in (0..size).step_by(PIECE) {
            let piece = &mut buffer[..(size - at).min(PIECE as u64) as usize];
            each(start + at, piece)?;
        }
    }
    Ok(())
}

/// Where a guest's memory is not zero, in whole pages.
pub(super) fn runs(memory: &File) -> io::Result<Vec<(u64, u64)>> {
    let zero = [0; PAGE];
    let mut runs: Vec<(u64, u64)> = Vec::new();
    pieces(&[(0, memory.metadata()?.len())], |offset, piece| {
        memory.read_exact_at(piece, offset)?;
        for (page, at) in piece.chunks(PAGE).zip((offset..).step_by(PAGE)) {
            if *page == zero[..page.len()] {
                continue;
            }
            match runs.last_mut() {
                Some((start, size)) if *start + *size == at => *size += page.len() as u64,
                _ => runs.push((at, page.len() as u64)),
            }
        }
        Ok(())
    })?;
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 8 << 20;

    /// Memory with a few pages in it.
    fn memory() -> File {
        let memory = tempfile::tempfile().expect("a file");
        memory.set_len(SIZE).expect("sized");
        for (at, bytes) in [(0, &[1u8, 2, 3][..]), (0x5fff, &[4, 5]), (SIZE - 1, &[6])] {
            memory.write_all_at(bytes, at).expect("written");
        }
        memory
    }

    fn head(memory: &File) -> Head {
        let runs = runs(memory).expect("read");
        let saved = Saved { hello: b"hello".to_vec(), stream: false, state: vec![7; 100] };
        Head { key: "k".to_owned(), saved, runs }
    }

    fn snapshot() -> Vec<u8> {
        let memory = memory();
        let mut bytes = Vec::new();
        head(&memory).write(Some(&memory), &mut bytes).expect("written");
        bytes
    }

    fn restore(mut from: &[u8]) -> io::Result<(Head, File)> {
        let head = Head::read(&mut from)?;
        let copy = tempfile::tempfile()?;
        copy.set_len(SIZE)?;
        head.read_memory(&mut from, Some(&copy))?;
        Ok((head, copy))
    }

    #[test]
    fn only_pages_that_are_not_zero_are_kept() {
        let memory = memory();
        // What was written and is zero again is a hole, too.
        memory.write_all_at(&[1; 0x3000], 0x10_0000).expect("written");
        memory.write_all_at(&[0; 0x3000], 0x10_0000).expect("written");
        assert_eq!(runs(&memory).expect("read"), [(0, 0x1000), (0x5000, 0x2000), (SIZE - 0x1000, 0x1000)]);
        assert!(snapshot().len() < 0x5000);
    }

    #[test]
    fn a_copy_has_what_the_original_has() {
        use std::os::unix::fs::MetadataExt;
        let (head_read, copy) = restore(&snapshot()).expect("it is good");
        let original = memory();
        assert_eq!(head_read, head(&original));
        let (mut one, mut two) = (vec![0; SIZE as usize], vec![0; SIZE as usize]);
        original.read_exact_at(&mut one, 0).expect("read");
        copy.read_exact_at(&mut two, 0).expect("read");
        assert!(one == two);
        // And its holes are holes.
        assert!(copy.metadata().expect("known").blocks() * 512 < 1 << 20);
    }

    #[test]
    fn a_run_of_many_pieces_is_whole() {
        let memory = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..3 * PIECE + 5 * PAGE).map(|at| (at / 7 % 251) as u8).collect();
        memory.set_len(SIZE).expect("sized");
        memory.write_all_at(&bytes, 3 * PAGE as u64).expect("written");
        let head = head(&memory);
        assert_eq!(head.runs, [(3 * PAGE as u64, bytes.len() as u64)]);
        let mut file = Vec::new();
        head.write(Some(&memory), &mut file).expect("written");
        let (_, copy) = restore(&file).expect("it is good");
        let mut read = vec![0; bytes.len()];
        copy.read_exact_at(&mut read, 3 * PAGE as u64).expect("read");
        assert!(read == bytes);
    }

    #[test]
    fn every_damage_is_noticed() {
        let good = snapshot();
        for at in (0..600).chain((600..good.len()).step_by(97)).chain(good.len() - 8..good.len()) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(restore(&bad).is_err(), "byte {at} is another, and nobody noticed");
            assert!(restore(&good[..at]).is_err(), "cut to {at} bytes, and nobody noticed");
        }
        assert!(restore(&[]).is_err());
        restore(&good).expect("the good one is good");
    }
}
