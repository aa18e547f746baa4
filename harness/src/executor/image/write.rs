//! The file as a whole: tables behind the content, and the headers in front of it.

use linker::memory::MemoryError;
use object::elf;
use object::write::elf::{FileHeader, FileHeaderLayout, SectionHeader};

use super::symbols::{Places, entry, of_sections};
use super::{Abi, Binding, ImageFile, ImageSymbol, Labels, encoder};

impl ImageFile {
    /// The file.
    pub fn write(mut self, labels: &Labels<'_>) -> Result<Vec<u8>, MemoryError> {
        let encoder = encoder(self.target);
        let sections = self.sections(&labels.sections);
        let mut names = Strings::default();
        let mut headers: Vec<SectionHeader> = Vec::with_capacity(sections.len() + labels.extra.len() + 4);
        for section in &sections {
            headers.push(SectionHeader { sh_name: names.add(section.name), ..section.header.clone() });
        }
        for &(name, sh_type, content) in &labels.extra {
            let sh_offset = append(&mut self.file, content, 1);
            headers.push(SectionHeader {
                sh_name: names.add(name.as_bytes()),
                sh_type,
                sh_offset,
                sh_size: content.len() as u64,
                sh_addralign: 1,
                ..SectionHeader::default()
            });
        }
        if let Some(symbols) = &labels.symbols {
            // The format wants local symbols first.
            let (locals, globals): (Vec<_>, Vec<_>) =
                symbols.iter().partition(|symbol: &&ImageSymbol<'_>| symbol.binding == Binding::Local);
            let places = Places::new(&sections);
            let mut strings = Strings::default();
            let mut entries: Vec<_> = of_sections(&sections).collect();
            let first_global = (1 + entries.len() + locals.len()) as u32;
            for symbol in locals.into_iter().chain(globals) {
                let name = strings.add(&symbol.name);
                entries.push(entry(symbol, name, &places));
            }
            let mut table = Vec::with_capacity((entries.len() + 1) * encoder.sym_size() as usize);
            encoder.null_symbol(&mut table);
            // Numbers of sections that do not fit the symbols.
            let mut wide = vec![0];
            for symbol in &entries {
                wide.push(encoder.symbol(&mut table, symbol).unwrap_or(0));
            }
            let number = headers.len() as u32 + 1;
            headers.push(SectionHeader {
                sh_name: names.add(b".symtab"),
                sh_offset: append(&mut self.file, &table, encoder.address_size()),
                sh_size: table.len() as u64,
                ..encoder.symtab_section_header(number + 1, first_global)
            });
            headers.push(SectionHeader {
                sh_name: names.add(b".strtab"),
                sh_offset: append(&mut self.file, &strings.0, 1),
                sh_size: strings.0.len() as u64,
                ..encoder.strtab_section_header()
            });
            if wide.iter().any(|&number| number != 0) {
                let bytes: Vec<u8> = wide.iter().flat_map(|&number| self.target.bytes(number.into(), 4)).collect();
                headers.push(SectionHeader {
                    sh_name: names.add(b".symtab_shndx"),
                    sh_offset: append(&mut self.file, &bytes, 4),
                    sh_size: bytes.len() as u64,
                    ..encoder.symtab_shndx_section_header(number)
                });
            }
        }
        let sh_name = names.add(b".shstrtab");
        headers.push(SectionHeader {
            sh_name,
            sh_offset: append(&mut self.file, &names.0, 1),
            sh_size: names.0.len() as u64,
            ..encoder.strtab_section_header()
        });

        let segments = self.program_headers(labels, &sections);
        let count = headers.len() as u32 + 1;
        let mut layout = FileHeaderLayout {
            e_phoff: encoder.file_header_size(),
            segment_num: u32::try_from(segments.len())?,
            e_shoff: 0,
            section_num: count,
            shstrtab_index: count - 1,
        };
        let mut table = Vec::with_capacity(count as usize * encoder.section_header_size() as usize);
        encoder.null_section_header(&mut table, &layout);
        headers.iter().for_each(|header| encoder.section_header(&mut table, header));
        layout.e_shoff = append(&mut self.file, &table, encoder.address_size());

        let mut head = Vec::new();
        encoder
            .file_header(&mut head, &self.header(labels.entry, labels.abi.unwrap_or(self.abi)), &layout)
            .map_err(|error| error.to_string())?;
        segments.iter().for_each(|header| encoder.program_header(&mut head, header));
        if head.len() > self.head {
            return Err(format!("{} bytes of headers, but room for {}", head.len(), self.head).into());
        }
        self.file[..head.len()].copy_from_slice(&head);
        Ok(self.file)
    }

    fn header(&self, entry: u64, abi: Abi) -> FileHeader {
        let flags = match abi {
            Abi::Aapcs64 => 0,
            Abi::AapcsBase => elf::EF_ARM_EABI_VER5.0,
            Abi::AapcsVfp => elf::EF_ARM_EABI_VER5.0 | elf::EF_ARM_ABI_FLOAT_HARD,
        };
        let be8 = if self.target.big_endian && abi != Abi::Aapcs64 { elf::EF_ARM_BE8.0 } else { 0 };
        FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: elf::ET_EXEC,
            e_machine: elf::Machine(self.target.machine),
            e_entry: entry,
            e_flags: elf::FileFlags(flags | be8),
        }
    }
}

/// A string table without sharing: looking for common tails takes longer than writing them.
struct Strings(Vec<u8>);

impl Default for Strings {
    fn default() -> Self {
        // Offset 0 is the empty name.
        Strings(vec![0])
    }
}

impl Strings {
    /// Adds a name and returns its offset.
    fn add(&mut self, name: &[u8]) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend_from_slice(name);
        self.0.push(0);
        at
    }
}

/// Appends and returns where.
fn append(file: &mut Vec<u8>, bytes: &[u8], alignment: u64) -> u64 {
    file.resize(file.len().next_multiple_of(alignment as usize), 0);
    file.extend_from_slice(bytes);
    (file.len() - bytes.len()) as u64
}
