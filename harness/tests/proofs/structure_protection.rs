//! Structure protection: relocations that no assembler here writes, in objects made by hand, linked and run.

use harness::executor::{Call, Executor, Stop, Unicorn};
use linker::{Error, Layout, Options, Parsed, Roots, Target};
use object::elf::{self, RelocationType};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

const PATCHINST: RelocationType = RelocationType(316);
const FUNCINIT64: RelocationType = RelocationType(317);

const MOV_W0_1: u32 = 0x5280_0020;
const MOV_W0_2: u32 = 0x5280_0040;
const MOV_W0_W0: u32 = 0x2a00_03e0;
const RET: u32 = 0xd65f_03c0;
const B: u32 = 0x1400_0000;
const ADRP_X0: u32 = 0x9000_0000;
const LDR_X0: u32 = 0xf940_0000;

/// An object with a section of code and one of data.
struct Made {
    object: Object<'static>,
    text: SectionId,
    data: SectionId,
}

impl Made {
    fn new(target: &Target, code: &[u32]) -> Made {
        let endian = if target.big_endian { Endianness::Big } else { Endianness::Little };
        let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, endian);
        let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
        // Code is little-endian whatever data is.
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        object.append_section_data(text, &bytes, 4);
        let data = object.add_section(Vec::new(), b".data".to_vec(), SectionKind::Data);
        object.append_section_data(data, &[0; 8], 8);
        Made { object, text, data }
    }

    fn symbol(&mut self, name: &str, section: SymbolSection, value: u64, weak: bool) -> SymbolId {
        let (kind, flags) = (SymbolKind::Text, SymbolFlags::None);
        let (name, scope) = (name.as_bytes().to_vec(), SymbolScope::Linkage);
        self.object.add_symbol(Symbol { name, value, size: 4, kind, scope, weak, section, flags })
    }

    fn function(&mut self, name: &str, offset: u64) -> SymbolId {
        self.symbol(name, SymbolSection::Section(self.text), offset, false)
    }

    fn relocate(&mut self, section: SectionId, offset: u64, r_type: RelocationType, symbol: SymbolId) {
        let flags = RelocationFlags::Elf { r_type };
        let relocation = Relocation { offset, symbol, addend: 0, flags };
        self.object.add_relocation(section, relocation).expect("a relocation");
    }

    fn bytes(&self) -> Vec<u8> {
        self.object.write().expect("an object")
    }
}

/// Links the objects and calls a function without arguments.
fn run(target: &'static Target, objects: &[&[u8]], function: &str) -> Result<u64, Error> {
    let mut machine = Unicorn::new(target).expect("a machine");
    let mut parsed = Parsed::new(target, Options::default());
    for (name, data) in ["a.o", "b.o"].into_iter().zip(objects) {
        parsed.add(name, data)?;
    }
    let reserved = parsed.prune(Roots::All)?.reserve(&mut machine, &Layout::Near)?;
    let linked = reserved.resolve(&mut machine, |_| None)?.fix(&mut machine)?.finalize(&mut machine)?;
    let function = linked.address(function).expect("defined");
    let stop = machine.start(&Call { function, ..Call::default() });
    assert!(matches!(stop, Stop::Returned), "{stop:?}");
    Ok(machine.registers()[0].1 as u64)
}

/// Two functions whose first instruction is replaced if `off` is defined: one that is nothing else, and a branch, of which the
/// replacement is told first.
fn patched(target: &Target) -> Vec<u8> {
    let mut made = Made::new(target, &[MOV_W0_1, RET, B, RET, MOV_W0_1, RET]);
    made.function("plain", 0);
    made.function("branch", 8);
    let one = made.function("one", 16);
    let off = made.symbol("off", SymbolSection::Undefined, 0, true);
    let text = made.text;
    made.relocate(text, 0, PATCHINST, off);
    made.relocate(text, 8, PATCHINST, off);
    made.relocate(text, 8, elf::R_AARCH64_JUMP26, one);
    made.bytes()
}

fn targets() -> [&'static Target; 2] {
    ["aarch64", "aarch64_be"].map(|name| Target::named(name).expect("a target"))
}

#[test]
fn instructions_are_replaced_where_the_symbol_is_defined() {
    for target in targets() {
        let object = patched(target);
        for function in ["plain", "branch"] {
            assert_eq!(run(target, &[&object], function).expect("linked"), 1, "{function}: `off` is nowhere");
        }
        let mut made = Made::new(target, &[MOV_W0_W0]);
        made.symbol("off", SymbolSection::Absolute, MOV_W0_2.into(), false);
        for function in ["plain", "branch"] {
            let result = run(target, &[&object, &made.bytes()], function).expect("linked");
            assert_eq!(result & 0xffff_ffff, 2, "{function}: `off` is an instruction");
        }
        let mut made = Made::new(target, &[MOV_W0_W0]);
        made.symbol("off", SymbolSection::Absolute, 1 << 32, false);
        let refused = run(target, &[&object, &made.bytes()], "plain");
        let Err(Error::Several(refused)) = refused else { panic!("{refused:?}") };
        assert!(refused.errors.iter().all(|error| matches!(error, Error::OutOfRange(_))), "{refused:?}");
    }
}

/// `load` returns what is in the data, which the function `initial` has returned before.
fn initialised(target: &Target, weak: bool, flags: SymbolFlags<SectionId, SymbolId>) -> Vec<u8> {
    let mut made = Made::new(target, &[ADRP_X0, LDR_X0, RET, MOV_W0_2, RET]);
    made.function("load", 0);
    let initial =
        if weak { made.symbol("initial", SymbolSection::Undefined, 0, true) } else { made.function("initial", 12) };
    made.object.symbol_mut(initial).flags = flags;
    let place = made.symbol("place", SymbolSection::Section(made.data), 0, false);
    let (text, data) = (made.text, made.data);
    made.relocate(text, 0, elf::R_AARCH64_ADR_PREL_PG_HI21, place);
    made.relocate(text, 4, elf::R_AARCH64_LDST64_ABS_LO12_NC, place);
    made.relocate(data, 0, FUNCINIT64, initial);
    made.bytes()
}

#[test]
fn data_is_what_a_function_returns() {
    for target in targets() {
        let object = initialised(target, false, SymbolFlags::None);
        assert_eq!(run(target, &[&object], "load").expect("linked"), 2);
        let object = initialised(target, true, SymbolFlags::None);
        assert_eq!(run(target, &[&object], "load").expect("linked"), 0, "nothing is called for what is nowhere");
        let info = elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_GNU_IFUNC);
        let flags = SymbolFlags::Elf { st_info: info, st_other: elf::SymbolOther::default() };
        let refused = run(target, &[&initialised(target, false, flags)], "load").map_err(|error| error.to_string());
        assert!(
            refused.as_ref().is_err_and(|error| error.contains("R_AARCH64_FUNCINIT64") && error.contains("IFUNC")),
            "{refused:?}"
        );
    }
}
