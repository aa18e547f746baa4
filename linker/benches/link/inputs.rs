//! What the benches link: objects that `cargo xtask bench-inputs` compiles, and generated ones.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use linker::Target;
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

/// Name and bytes of each object.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// A link to measure.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) target: &'static Target,
    pub(crate) files: Files,
}

impl Input {
    pub(crate) fn size(&self) -> usize {
        self.files.iter().map(|file| file.1.len()).sum()
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} kB)", self.name, self.size() / 1000)
    }
}

/// All inputs. Compiles what has to be compiled when it is not there yet.
pub(crate) fn all() -> &'static [Input] {
    static ALL: OnceLock<Vec<Input>> = OnceLock::new();
    ALL.get_or_init(|| {
        let compiled = ["sqlite-aarch64", "sqlite-thumbv7", "lua-aarch64", "lua-thumbv7"].map(compiled);
        compiled.into_iter().chain([generated(1000)]).collect()
    })
}

pub(crate) fn target(name: &str) -> &'static Target {
    Target::named(name).expect("a target of this name")
}

/// The objects below a directory of this name, which ends in the name of the target.
fn compiled(name: &'static str) -> Input {
    // Beside the directory that Cargo gives to benches for files of their own.
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory").join("bench-inputs");
    let directory = all.join(name);
    if !directory.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let made = Command::new(cargo).args(["xtask", "bench-inputs"]).status();
        assert!(made.is_ok_and(|status| status.success()), "cannot make the inputs: cargo xtask bench-inputs");
    }
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("readable")))
        .collect();
    files.sort();
    let (_, target_name) = name.rsplit_once('-').expect("a target behind the hyphen");
    Input { name, target: target(target_name), files }
}

/// Objects of one function that calls the next one's, loads the address of a string, and is pointed to by data.
pub(crate) fn generated(count: usize) -> Input {
    let object = |number| (format!("small{number}.o"), small_object(number, (number + 1) % count));
    Input { name: "small", target: target("aarch64"), files: (0..count).map(object).collect() }
}

fn small_object(number: usize, next: usize) -> Vec<u8> {
    // adrp x0, text; add x0, x0, :lo12:text; bl next; ret
    const CODE: [u32; 4] = [0x9000_0000, 0x9100_0000, 0x9400_0000, 0xd65f_03c0];
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut section = |name: &[u8], kind, bytes: &[u8]| {
        let id = object.add_section(Vec::new(), name.to_vec(), kind);
        object.append_section_data(id, bytes, 8);
        id
    };
    let text = section(b".text", SectionKind::Text, &code);
    let strings = section(b".rodata", SectionKind::ReadOnlyData, b"a string of some length\0");
    let data = section(b".data", SectionKind::Data, &[0; 16]);
    let mut symbol = |name: String, section, size| {
        object.add_symbol(Symbol {
            name: name.into_bytes(),
            value: 0,
            size,
            kind: if section == SymbolSection::Section(text) { SymbolKind::Text } else { SymbolKind::Data },
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    };
    let function = symbol(format!("function_{number}"), SymbolSection::Section(text), 16);
    let callee = symbol(format!("function_{next}"), SymbolSection::Undefined, 0);
    symbol(format!("pointers_{number}"), SymbolSection::Section(data), 16);
    let string = object.section_symbol(strings);
    for (section, offset, symbol, r_type) in [
        (text, 0, string, elf::R_AARCH64_ADR_PREL_PG_HI21),
        (text, 4, string, elf::R_AARCH64_ADD_ABS_LO12_NC),
        (text, 8, callee, elf::R_AARCH64_CALL26),
        (data, 0, function, elf::R_AARCH64_ABS64),
        (data, 8, callee, elf::R_AARCH64_ABS64),
    ] {
        let flags = RelocationFlags::Elf { r_type };
        object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).expect("a relocation of ELF");
    }
    object.write().expect("an object")
}
