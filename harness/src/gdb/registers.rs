//! Registers as gdb knows them: their order, and the description of the target that says so (gdb's manual, Standard Target Features).

use std::fmt::Write as _;

use crate::executor::{Register, TargetInfo};

/// CPSR.T, and where the program status register of an M profile has the same.
const THUMB: u128 = 1 << 5;
const THUMB_M: u128 = 1 << 24;
/// The bits that both have in the same place: NZCVQ, GE and those of an IT block.
const COMMON: u128 = 0xfe0f_fc00;

/// The registers of a target in gdb's order, and its description.
#[derive(Clone, Debug)]
pub(super) struct File {
    rows: Vec<Row>,
    /// The description.
    pub(super) description: String,
    big_endian: bool,
}

#[derive(Clone, Debug)]
struct Row {
    name: String,
    bits: u32,
    /// gdb's type of it.
    kind: &'static str,
    register: Register,
    /// Whether it is the status register of an M profile.
    is_xpsr: bool,
}

fn row(name: impl Into<String>, bits: u32, kind: &'static str, register: Register) -> Row {
    Row { name: name.into(), bits, kind, register, is_xpsr: false }
}

/// Types of vectors of AArch64.
const VECTOR: &str = "\
<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/><vector id=\"v4s\" type=\"ieee_single\" count=\"4\"/>\
<vector id=\"v16b\" type=\"uint8\" count=\"16\"/><vector id=\"v8h\" type=\"uint16\" count=\"8\"/>\
<vector id=\"v4w\" type=\"uint32\" count=\"4\"/><vector id=\"v2x\" type=\"uint64\" count=\"2\"/>\
<union id=\"vector\"><field name=\"d\" type=\"v2d\"/><field name=\"s\" type=\"v4s\"/><field name=\"x\" type=\"v2x\"/>\
<field name=\"w\" type=\"v4w\"/><field name=\"h\" type=\"v8h\"/><field name=\"b\" type=\"v16b\"/>\
<field name=\"q\" type=\"uint128\"/></union>";

impl File {
    /// Those of a target. `linux` is whether the program is one for Linux.
    pub(super) fn of(info: &TargetInfo, linux: bool) -> File {
        let (architecture, features) = if info.is_64() { aarch64(info) } else { arm(info) };
        let mut description = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">{architecture}"
        );
        if linux {
            description += "<osabi>GNU/Linux</osabi>";
        }
        let mut rows = Vec::new();
        for (name, types, registers) in features {
            // Writing to a string does not fail.
            let _ = write!(description, "<feature name=\"org.gnu.gdb.{name}\">{types}");
            for Row { name, bits, kind, .. } in &registers {
                let _ = write!(description, "<reg name=\"{name}\" bitsize=\"{bits}\" type=\"{kind}\"/>");
            }
            description += "</feature>";
            rows.extend(registers);
        }
        description += "</target>";
        File { rows, description, big_endian: info.target.big_endian }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of a register.
    pub(super) fn size(&self, number: usize) -> usize {
        self.rows.get(number).map_or(0, |row| row.bits as usize / 8)
    }

    /// The registers that `get` reads, as gdb has them.
    pub(super) fn read(&self, number: usize, get: &dyn Fn(Register) -> u128) -> Vec<u8> {
        let Some(row) = self.rows.get(number) else { return Vec::new() };
        let value = get(row.register);
        let value = if row.is_xpsr { value & COMMON | if value & THUMB != 0 { THUMB_M } else { 0 } } else { value };
        let bytes = value.to_le_bytes()[..row.bits as usize / 8].to_vec();
        if self.big_endian { bytes.into_iter().rev().collect() } else { bytes }
    }

    /// Writes one by `set`. False: gdb means something that is not there.
    pub(super) fn write(
        &self,
        number: usize,
        bytes: &[u8],
        get: &dyn Fn(Register) -> u128,
    ) -> Option<(Register, u128)> {
        let row = self.rows.get(number).filter(|row| bytes.len() == row.bits as usize / 8)?;
        let add = |value: u128, &byte: &u8| value << 8 | u128::from(byte);
        let value = if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
        if !row.is_xpsr {
            return Some((row.register, value));
        }
        let thumb = if value & THUMB_M != 0 { THUMB } else { 0 };
        Some((row.register, get(row.register) & !(COMMON | THUMB) | value & COMMON | thumb))
    }
}

type Features = Vec<(&'static str, &'static str, Vec<Row>)>;

fn aarch64(info: &TargetInfo) -> (&'static str, Features) {
    let mut core: Vec<Row> = (0..31).map(|n| row(format!("x{n}"), 64, "int", Register::Core(n))).collect();
    core.push(row("sp", 64, "data_ptr", Register::Sp));
    core.push(row("pc", 64, "code_ptr", Register::Pc));
    core.push(row("cpsr", 32, "int", Register::Status));
    let mut float: Vec<Row> = (0..32).map(|n| row(format!("v{n}"), 128, "vector", Register::Vector(n))).collect();
    float.push(row("fpsr", 32, "int", Register::FpStatus));
    float.push(row("fpcr", 32, "int", Register::FpControl));
    let tls = vec![row("tpidr", 64, "data_ptr", Register::Thread)];
    let architecture = if info.target.pointer_bits == 32 {
        "<architecture>aarch64:ilp32</architecture>"
    } else {
        "<architecture>aarch64</architecture>"
    };
    (architecture, vec![("aarch64.core", "", core), ("aarch64.fpu", VECTOR, float), ("aarch64.tls", "", tls)])
}

const ARM: &str = "<architecture>arm</architecture>";

fn arm(info: &TargetInfo) -> (&'static str, Features) {
    let mut core: Vec<Row> = (0..13).map(|n| row(format!("r{n}"), 32, "uint32", Register::Core(n))).collect();
    core.push(row("sp", 32, "data_ptr", Register::Sp));
    core.push(row("lr", 32, "int", Register::Core(14)));
    core.push(row("pc", 32, "code_ptr", Register::Pc));
    if info.m_profile {
        core.push(Row { is_xpsr: true, ..row("xpsr", 32, "int", Register::Status) });
        return (ARM, vec![("arm.m-profile", "", core)]);
    }
    core.push(row("cpsr", 32, "int", Register::Status));
    let mut float: Vec<Row> = (0..32).map(|n| row(format!("d{n}"), 64, "ieee_double", Register::Double(n))).collect();
    float.push(row("fpscr", 32, "int", Register::FpControl));
    (ARM, vec![("arm.core", "", core), ("arm.vfp", "", float)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::Abi;

    fn info(target: &str, m_profile: bool) -> TargetInfo {
        let target = linker::Target::named(target).expect("a target");
        TargetInfo {
            target,
            cpu: "".into(),
            abi: Abi::of(target),
            m_profile,
            signs: false,
            page_size: 4096,
            origin: 0,
            usable: Vec::new(),
        }
    }

    #[test]
    fn the_status_of_an_m_profile_has_its_thumb_bit_elsewhere() {
        let file = File::of(&info("thumbv7m", true), false);
        let number = file.len() - 1;
        assert_eq!(file.read(number, &|_| 0x6000_0033), 0x6100_0000_u32.to_le_bytes());
        let written = file.write(number, &0x9100_0000_u32.to_le_bytes(), &|_| 0x6000_0033);
        assert_eq!(written, Some((Register::Status, 0x9000_0033)));
    }

    #[test]
    fn bytes_have_the_order_of_the_target() {
        let file = File::of(&info("aarch64_be", false), false);
        assert_eq!(file.read(0, &|_| 0x0102), [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(file.write(0, &[0, 0, 0, 0, 0, 0, 3, 4], &|_| 0), Some((Register::Core(0), 0x304)));
        assert_eq!(file.write(0, &[0; 4], &|_| 0), None, "of another size");
        assert_eq!((file.len(), file.size(34), file.size(68)), (69, 16, 8));
    }
}
