//! A partition as a file of its own: a window onto the image that can be read and not written.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use ext4_view::Ext4Read;

/// An open image. Whoever reads says where, so that windows can share it.
#[derive(Debug, Clone)]
pub(super) struct Disk(Arc<Mutex<File>>);

impl Disk {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }

    /// The length, also of a block device.
    pub(super) fn length(&self) -> io::Result<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seek(SeekFrom::End(0))
    }

    /// Reads at this offset until the buffer is full or the file ends.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// How much may still be read. A damaged file system can lead its reader in circles; then this ends it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fuel(Rc<Cell<u64>>);

impl Fuel {
    /// What even the smallest read costs: it is work, too.
    const LEAST: u64 = 16;

    /// Enough for something of this size and what leads to it.
    pub(super) fn fill(&self, bytes: u64) {
        self.0.set(bytes.saturating_mul(2).saturating_add(16 << 20));
    }

    fn burn(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.get().checked_sub((bytes as u64).max(Self::LEAST));
        self.0.set(left.ok_or_else(|| io::Error::other("it leads in circles"))?);
        Ok(())
    }
}

/// File systems are read in crumbs; the file is read in pieces of this size.
const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 8;

/// One partition.
#[derive(Debug)]
pub(super) struct Window {
    disk: Disk,
    start: u64,
    length: u64,
    position: u64,
    /// Pieces that were read, by number, the last used last.
    cache: Vec<(u64, Vec<u8>)>,
    fuel: Fuel,
}

impl Window {
    pub(super) fn new(disk: Disk, start: u64, length: u64, fuel: Fuel) -> Self {
        Self { disk, start, length, position: 0, cache: Vec::new(), fuel }
    }

    fn chunk(&mut self, number: u64) -> io::Result<&[u8]> {
        if let Some(index) = self.cache.iter().position(|(cached, _)| *cached == number) {
            let found = self.cache.remove(index);
            self.cache.push(found);
        } else {
            let offset = number * CHUNK as u64;
            let mut content = vec![0; self.length.saturating_sub(offset).min(CHUNK as u64) as usize];
            let count = self.disk.read_at(self.start.saturating_add(offset), &mut content)?;
            content.truncate(count);
            if self.cache.len() == CHUNKS {
                self.cache.remove(0);
            }
            self.cache.push((number, content));
        }
        Ok(self.cache.last().map_or(&[], |(_, content)| content))
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fuel.burn(buffer.len())?;
        if self.position >= self.length {
            return Ok(0);
        }
        let (number, within) = (self.position / CHUNK as u64, (self.position % CHUNK as u64) as usize);
        let content = self.chunk(number)?.get(within..).unwrap_or_default();
        let count = content.len().min(buffer.len());
        buffer[..count].copy_from_slice(&content[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::other("a place before the partition's start"))?;
        Ok(self.position)
    }
}

/// `fatfs` asks for it, and never writes unless told to. If it did, this is where it would end.
impl Write for Window {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "images are never written"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Ext4Read for Window {
    fn read(
        &mut self,
        start: u64,
        buffer: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        self.position = start;
        Ok(self.read_exact(buffer)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(content: &[u8], start: u64, length: u64) -> Window {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        let fuel = Fuel::default();
        fuel.fill(0);
        Window::new(Disk::new(file), start, length, fuel)
    }

    #[test]
    fn shows_the_partition_and_nothing_else() {
        let content: Vec<u8> = (0..200_000u32).map(|at| (at / 7) as u8).collect();
        let mut window = window(&content, 1000, 150_000);
        let mut seen = Vec::new();
        window.read_to_end(&mut seen).expect("read");
        assert!(seen == content[1000..151_000]);
        assert_eq!(window.seek(SeekFrom::End(-3)).expect("sought"), 149_997);
        let mut tail = [0; 8];
        assert_eq!(Read::read(&mut window, &mut tail).expect("read"), 3);
        assert_eq!(tail[..3], content[150_997..151_000]);
        assert!(window.seek(SeekFrom::Current(-200_000)).is_err());
        window.seek(SeekFrom::Start(u64::MAX)).expect("sought");
        assert_eq!(Read::read(&mut window, &mut tail).expect("read"), 0);
    }

    #[test]
    fn is_never_written_and_never_read_forever() {
        let mut window = window(&[1; 4096], 0, 4096);
        assert_eq!(window.write(&[1]).expect_err("read-only").kind(), io::ErrorKind::ReadOnlyFilesystem);
        let circles = (0..10_000_000).find_map(|_| {
            window.seek(SeekFrom::Start(0)).expect("sought");
            Read::read(&mut window, &mut [0; 4]).err()
        });
        assert_eq!(circles.expect("an end").to_string(), "it leads in circles");
    }
}
