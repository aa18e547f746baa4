//! Call-frame records, which linkers write anew: compared by what they say of the code at each address.

use std::collections::BTreeMap;
use std::ops::Range;

use gimli::{
    BaseAddresses, CallFrameInstruction, CieOrFde, CommonInformationEntry, EhFrame, EndianSlice, Pointer,
    RunTimeEndian, UnwindSection,
};
use linker::Target;

use super::output::Output;

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// What is said of a piece of code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    begin: u64,
    size: u64,
    /// Where its table of landing pads is, with the mark of an indirect pointer.
    lsda: Option<(bool, u64)>,
    /// Its personality, likewise.
    personality: Option<(bool, u64)>,
    signal: bool,
    /// Factors of code and data, and the register of the return address.
    factors: (u64, i64, u16),
    /// What is done first, and what then.
    instructions: (Vec<String>, Vec<String>),
}

/// The records of an output.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Where each record is, and where its common record.
    records: Vec<(Range<u64>, Range<u64>, Record)>,
    by_code: BTreeMap<u64, Vec<usize>>,
}

impl Frames {
    /// Reads what an output has.
    pub(crate) fn read(target: &Target, output: &Output<'_>) -> Result<Frames, String> {
        let mut frames = Frames::default();
        output.frames.iter().try_for_each(|&part| frames.read_part(target, output, part))?;
        Ok(frames)
    }

    fn read_part(&mut self, target: &Target, output: &Output<'_>, (start, end): (u64, u64)) -> Result<(), String> {
        let bytes = output.read_at(start, (end - start) as usize).ok_or("the records are not in one piece")?;
        let mut section =
            EhFrame::new(bytes, if target.big_endian { RunTimeEndian::Big } else { RunTimeEndian::Little });
        section.set_address_size(target.pointer_bytes() as u8);
        let bases = BaseAddresses::default().set_eh_frame(start);
        let mut entries = section.entries(&bases);
        while let Some(entry) = entries.next().map_err(|error| error.to_string())? {
            let CieOrFde::Fde(partial) = entry else { continue };
            let fde = partial.parse(EhFrame::cie_from_offset).map_err(|error| error.to_string())?;
            let cie = fde.cie();
            let extent = |offset: usize, length: usize| {
                let from = start + offset as u64;
                // The length does not count itself.
                from..from + length as u64 + 4
            };
            let instructions = |mut list: gimli::CallFrameInstructionIter<'_, Slice<'_>>| {
                let mut said = Vec::new();
                while let Some(instruction) = list.next().map_err(|error| error.to_string())? {
                    said.push(shown(&section, &instruction)?);
                }
                // Records are filled up with what does nothing.
                while said.last().is_some_and(|last| last == "Nop") {
                    said.pop();
                }
                Ok::<_, String>(said)
            };
            let record = Record {
                begin: target.wrap(fde.initial_address()),
                size: fde.len(),
                lsda: fde.lsda().map(|pointer| address(target, pointer)),
                personality: cie.personality().map(|pointer| address(target, pointer)),
                signal: fde.is_signal_trampoline(),
                factors: factors(cie),
                instructions: (
                    instructions(cie.instructions(&section, &bases))?,
                    instructions(fde.instructions(&section, &bases))?,
                ),
            };
            self.by_code.entry(record.begin).or_default().push(self.records.len());
            let places = (extent(fde.offset(), fde.entry_len()), extent(cie.offset(), cie.entry_len()));
            self.records.push((places.0, places.1, record));
        }
        Ok(())
    }

    /// Where the records of the code at this address are, each with its common record.
    pub(crate) fn of_code(&self, begin: u64) -> impl Iterator<Item = (&Range<u64>, &Range<u64>)> {
        let indexes = self.by_code.get(&begin).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().map(|&index| (&self.records[index].0, &self.records[index].1))
    }

    /// Whether what the record at this address says is said by the peer, too; of a common record, what all say that it is
    /// common to. `Err` says what is not. None if nothing says anything by it.
    pub(super) fn compare(&self, place: u64, theirs: &Frames) -> Option<Result<(), String>> {
        let mut result = None;
        for (at, common, record) in &self.records {
            if !at.contains(&place) && !common.contains(&place) {
                continue;
            }
            let others = theirs.by_code.get(&record.begin).map(Vec::as_slice).unwrap_or_default();
            let others: Vec<&Record> = others.iter().map(|&index| &theirs.records[index].2).collect();
            if !others.contains(&record) {
                let begin = record.begin;
                return Some(Err(match others.first() {
                    None => format!("no record for the code at {begin:#x}"),
                    Some(other) => format!("of the code at {begin:#x} it says {other:x?}, not {record:x?}"),
                }));
            }
            result = Some(Ok(()));
        }
        result
    }
}

fn factors(cie: &CommonInformationEntry<Slice<'_>>) -> (u64, i64, u16) {
    (cie.code_alignment_factor(), cie.data_alignment_factor(), cie.return_address_register().0)
}

fn address(target: &Target, pointer: Pointer) -> (bool, u64) {
    match pointer {
        Pointer::Direct(address) => (false, target.wrap(address)),
        Pointer::Indirect(address) => (true, target.wrap(address)),
    }
}

/// An instruction without what tells where in its section it is.
fn shown(section: &EhFrame<Slice<'_>>, instruction: &CallFrameInstruction<usize>) -> Result<String, String> {
    let (name, expression) = match instruction {
        CallFrameInstruction::DefCfaExpression { expression } => ("DefCfa".to_owned(), expression),
        CallFrameInstruction::Expression { register, expression } => (format!("{register:?}"), expression),
        CallFrameInstruction::ValExpression { register, expression } => (format!("value of {register:?}"), expression),
        other => return Ok(format!("{other:?}")),
    };
    let bytes = expression.get(section).map_err(|error| error.to_string())?;
    Ok(format!("{name} {:?}", bytes.0.slice()))
}
