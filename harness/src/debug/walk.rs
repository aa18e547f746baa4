//! From a frame to its caller: the registers as the caller had them, by whatever the program has that says so.

use gimli::{
    BaseAddresses, CfaRule, DebugFrame, EhFrame, EndianSlice, Reader, RegisterRule, RunTimeEndian, UnwindContext,
    UnwindSection,
};
use linker::Target;

use super::dwarf::Bytes;
use super::exidx;
use super::state::{Memory, Numbers, Registers};

/// The frame record's register on AArch64 (AAPCS64, The Frame Pointer).
const FRAME: usize = 29;

/// Call-frame records that a program has in memory.
pub(super) struct Loaded {
    pub(super) address: u64,
    pub(super) bytes: Vec<u8>,
}

/// What a program has to say of its frames.
pub(super) struct Tables {
    pub(super) target: &'static Target,
    /// `.eh_frame`
    pub(super) loaded: Vec<Loaded>,
    /// The entries of the index of 32-bit ARM, by function.
    pub(super) index: Vec<exidx::Entry>,
}

impl Tables {
    /// The registers of the caller of the function that is at `pc`, which may be a place in front of where it returns to.
    /// `debug` are the call-frame records of the debug information of the file that the code is from.
    pub(super) fn step(
        &self,
        memory: &mut Memory<'_>,
        pc: u64,
        registers: &Registers,
        debug: Option<(Bytes, u8)>,
    ) -> Option<Registers> {
        self.loaded
            .iter()
            .find_map(|loaded| self.by_loaded(memory, loaded, pc, registers))
            .or_else(|| self.by_debug(memory, debug?, pc, registers))
            .or_else(|| exidx::step(memory, &self.index, pc, registers))
    }

    fn by_loaded(&self, memory: &mut Memory<'_>, loaded: &Loaded, pc: u64, registers: &Registers) -> Option<Registers> {
        let endian = if self.target.big_endian { RunTimeEndian::Big } else { RunTimeEndian::Little };
        let mut section = EhFrame::from(EndianSlice::new(&loaded.bytes, endian));
        section.set_address_size(self.target.pointer_bytes() as u8);
        let bases = BaseAddresses::default().set_eh_frame(loaded.address);
        self.by_records(memory, &section, &bases, pc, registers)
    }

    fn by_debug(
        &self,
        memory: &mut Memory<'_>,
        (bytes, address_size): (Bytes, u8),
        pc: u64,
        registers: &Registers,
    ) -> Option<Registers> {
        let mut section = DebugFrame::from(bytes);
        section.set_address_size(address_size);
        self.by_records(memory, &section, &BaseAddresses::default(), pc, registers)
    }

    /// By a row of a table of call-frame records (DWARF 5, 6.4).
    fn by_records<R: Reader, S: UnwindSection<R>>(
        &self,
        memory: &mut Memory<'_>,
        section: &S,
        bases: &BaseAddresses,
        pc: u64,
        registers: &Registers,
    ) -> Option<Registers>
    where
        S::Offset: gimli::UnwindOffset<R::Offset>,
    {
        let entry = section.fde_for_address(bases, pc, S::cie_from_offset).ok()?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(section, bases, &mut context, pc).ok()?;
        let wrap = |address: u64| self.target.wrap(address);
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                wrap(registers.get(register.0.into())?.wrapping_add_signed(*offset))
            }
            CfaRule::Expression(_) => return None,
        };
        let numbers = Numbers::of(self.target);
        let mut caller = registers.clone();
        for &(register, ref rule) in row.registers() {
            let value = match rule {
                RegisterRule::Undefined => None,
                RegisterRule::SameValue => continue,
                RegisterRule::Offset(offset) => {
                    memory.read(wrap(cfa.wrapping_add_signed(*offset)), self.target.register_bits as usize / 8)
                }
                RegisterRule::ValOffset(offset) => Some(wrap(cfa.wrapping_add_signed(*offset))),
                RegisterRule::Register(other) => registers.get(other.0.into()),
                // Which state an authenticated pointer has: authentication codes are left out anyway.
                RegisterRule::Constant(_) => continue,
                _ => None,
            };
            caller.set(register.0.into(), value);
        }
        caller.set(numbers.sp, Some(cfa));
        caller.set(numbers.pc, caller.get(entry.cie().return_address_register().0.into()));
        Some(caller)
    }
}

/// The caller's registers by the frame record that the frame pointer is for: the caller's own and the place it returns to.
pub(super) fn by_frame_record(memory: &mut Memory<'_>, registers: &Registers) -> Option<Registers> {
    if memory.target.register_bits != 64 {
        return None;
    }
    let (record, numbers) = (registers.get(FRAME)?, Numbers::of(memory.target));
    let mut caller = registers.clone();
    caller.set(FRAME, Some(memory.read(record, 8)?));
    caller.set(numbers.pc, Some(memory.read(record.wrapping_add(8), 8)?));
    caller.set(numbers.sp, Some(record.wrapping_add(16)));
    Some(caller)
}
