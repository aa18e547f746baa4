//! Are the proofs any good? Every property of every row is changed, one at a time, and each mutant has to make a proof of
//! its relocation fail.
//!
//! A mutant is an architecture like another but for one row, so nothing is compiled anew.

use std::panic::AssertUnwindSafe;

use linker::Target;
use linker::arch::{
    Architecture, BranchForm, Core, Demands, Destination, Irelative, Resolver, Rewritten, StubShape, UnwindIndex, Word,
};
use linker::arch::{Rule, Spans};
use linker::build::{Attributes, Mismatch};
use linker::field::{Codec, Field, Run, Stored, Unit};
use linker::graph::{Bytes, Flags, LinkGraph};
use linker::index::{EdgeId, ObjectId};
use linker::platform::Platform;
use linker::relocation::{Check, Entry, Minus, Operation, Row, Term};

use super::{Outcome, prove_one};

/// A row with one property changed.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Index of the row.
    pub index: usize,
    /// What was changed.
    pub what: String,
    row: Row,
}

/// How a mutant came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A proof failed: which, and how.
    Killed(String),
    /// All proofs passed.
    Survived,
    /// The ABI gives the relocation no field, so there is nothing to prove.
    NotProven,
}

/// All mutants of a target's rows.
pub fn mutants(target: &Target) -> Vec<Mutant> {
    let rows = target.architecture.rows().iter().enumerate();
    let list = rows.filter(|(_, row)| row.standing.is_static()).flat_map(|(index, row)| of_row(index, row));
    list.filter(|mutant| !is_equivalent(target, mutant)).collect()
}

/// Whether the change changes nothing: there is no T and no addend in a field where pointers have 64 bits, the sign of a
/// stored addend is its top bit where it fills the word and the encoding's own business where that is special, instructions
/// are at whole words, and a page is a multiple of everything.
fn is_equivalent(target: &Target, mutant: &Mutant) -> bool {
    let (old, new) = (&target.architecture.rows()[mutant.index], &mutant.row);
    let (was, is) = (&old.operation, &new.operation);
    let state_or_stored = was.thumb != is.thumb || old.field.stored != new.field.stored;
    let places = [Minus::Place, Minus::WordPlace];
    let same_place = was.minus != is.minus && places.contains(&was.minus) && places.contains(&is.minus);
    let whole = old.field.mask() == u64::MAX >> (64 - 8 * old.field.unit.size().clamp(1, 8));
    let one_sign = whole || matches!(old.field.codec, Codec::Custom { .. });
    target.register_bits == 64 && state_or_stored
        || one_sign && old.field.stored != new.field.stored
        || same_place && old.field.unit == Unit::Instruction32
        || was.page && new.multiple != old.multiple
}

fn of_row(index: usize, row: &Row) -> Vec<Mutant> {
    let mut list = Vec::new();
    let mut add = |what: String, new: Row| list.push(Mutant { index, what, row: new });
    for check in other_checks(row.check) {
        add(format!("check {:?} for {:?}", check, row.check), Row { check, ..*row });
    }
    for multiple in [row.multiple / 2, row.multiple * 2] {
        if multiple > 0 {
            add(format!("multiple of {multiple} for {}", row.multiple), Row { multiple, ..*row });
        }
    }
    for (what, operation) in other_operations(&row.operation) {
        add(what, Row { operation, ..*row });
    }
    for (what, field) in other_fields(row.field) {
        // Leaked: there are some thousands, and the process ends after them.
        add(what, Row { field: Box::leak(Box::new(field)), ..*row });
    }
    list
}

/// One bit more, one bit less, another kind, or none.
fn other_checks(check: Check) -> Vec<Check> {
    let mut list = match check {
        Check::None => vec![Check::Signed(8), Check::Unsigned(16)],
        Check::Signed(n) => vec![Check::Signed(n - 1), Check::Signed(n + 1), Check::Unsigned(n), Check::Either(n)],
        Check::Unsigned(n) => vec![Check::Unsigned(n - 1), Check::Unsigned(n + 1), Check::Either(n)],
        Check::Either(n) => vec![Check::Either(n - 1), Check::Either(n + 1), Check::Signed(n), Check::Unsigned(n)],
        Check::Magnitude(n) => vec![Check::Magnitude(n - 1), Check::Magnitude(n + 1), Check::Unsigned(n)],
    };
    if check != Check::None {
        list.push(Check::None);
    }
    list
}

fn other_operations(operation: &Operation) -> Vec<(String, Operation)> {
    let minus = [
        Minus::Nothing,
        Minus::Place,
        Minus::PagePlace,
        Minus::WordPlace,
        Minus::Got,
        Minus::PageGot,
        Minus::Origin,
        Minus::ThreadPointer,
        Minus::Block,
    ];
    let entries = [
        Entry::Address,
        Entry::ThreadOffset,
        Entry::Variable,
        Entry::Module,
        Entry::Descriptor,
        Entry::Function,
        Entry::FunctionPointer,
    ];
    let terms = [Term::Symbol, Term::GotOfSum, Term::GotPlus, Term::GotOrigin];
    let mut list = vec![
        ("T the other way".to_owned(), Operation { thumb: !operation.thumb, ..*operation }),
        ("Page() the other way".to_owned(), Operation { page: !operation.page, ..*operation }),
    ];
    for minus in minus.into_iter().filter(|minus| *minus != operation.minus) {
        list.push((format!("minus {minus:?} for {:?}", operation.minus), Operation { minus, ..*operation }));
    }
    for term in terms.into_iter().filter(|term| *term != operation.term) {
        list.push((format!("term {term:?} for {:?}", operation.term), Operation { term, ..*operation }));
    }
    if operation.needs_entry() {
        for entry in entries.into_iter().filter(|entry| *entry != operation.entry) {
            list.push((format!("entry {entry:?} for {:?}", operation.entry), Operation { entry, ..*operation }));
        }
    }
    list
}

fn other_fields(field: &Field) -> Vec<(String, Field)> {
    let mut list = Vec::new();
    if let Codec::Runs(runs) = field.codec {
        for (index, run) in runs.iter().enumerate() {
            let mut with = |what: &str, new: Run| {
                let mut runs = runs.to_vec();
                runs[index] = new;
                let what = format!("run {index}: {what}");
                list.push((what, Field { codec: Codec::Runs(Box::leak(runs.into_boxed_slice())), ..*field }));
            };
            with("a bit less", Run { width: run.width - 1, ..*run });
            with("from a bit higher in the value", Run { value: run.value + 1, ..*run });
            if run.word > 0 {
                with("to a bit lower in the word", Run { word: run.word - 1, ..*run });
            }
        }
    }
    if field.zero != 0 {
        list.push(("no bits are always zero".to_owned(), Field { zero: 0, ..*field }));
    }
    for index in 0..field.opcodes.len() {
        let mut opcodes = field.opcodes.to_vec();
        let gone = opcodes.remove(index);
        // Without any, everything would be allowed: another mutant.
        if !opcodes.is_empty() {
            let opcodes = Box::leak(opcodes.into_boxed_slice());
            list.push((format!("not for {}", gone.name), Field { opcodes, ..*field }));
        }
    }
    if !field.opcodes.is_empty() {
        list.push(("for every instruction".to_owned(), Field { opcodes: &[], ..*field }));
    }
    for stored in [Stored::Signed, Stored::Unsigned, Stored::Half, Stored::Part] {
        if stored != field.stored {
            list.push((format!("stored addends {stored:?} for {:?}", field.stored), Field { stored, ..*field }));
        }
    }
    list
}

/// Whether the proofs see it.
pub fn try_out(target: &'static Target, mutant: &Mutant) -> Fate {
    let original = target.architecture.rows()[mutant.index];
    let class = corpus::target::row(target).class;
    let known = corpus::abi::of(class).get(class, original.number);
    let Some(relocation) = known.filter(|relocation| !relocation.form.bits.is_empty()) else { return Fate::NotProven };
    let mut rows = target.architecture.rows().to_vec();
    rows[mutant.index] = mutant.row;
    let architecture = Box::leak(Box::new(Changed { inner: target.architecture, rows: rows.leak() }));
    let changed: &'static Target = Box::leak(Box::new(Target { architecture, ..*target }));
    let findings = std::panic::catch_unwind(AssertUnwindSafe(|| prove_one(changed, relocation, original.name)));
    let Ok(findings) = findings else { return Fate::Killed("the proof itself failed".to_owned()) };
    let failed = findings.into_iter().find_map(|finding| match finding.outcome {
        Outcome::Failed(why) => Some(format!("{:?}: {why}", finding.proof)),
        _ => None,
    });
    failed.map_or(Fate::Survived, Fate::Killed)
}

/// An architecture with other rows.
#[derive(Debug)]
struct Changed {
    inner: &'static dyn Architecture,
    rows: &'static [Row],
}

impl Architecture for Changed {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn rows(&self) -> &'static [Row] {
        self.rows
    }
    fn row(&self, number: u32) -> Option<u16> {
        self.inner.row(number)
    }
    fn word(&self, word: Word) -> u16 {
        self.inner.word(word)
    }
    fn irelative(&self) -> Irelative {
        self.inner.irelative()
    }
    fn resolver(&self, demands: Demands) -> &'static Resolver {
        self.inner.resolver(demands)
    }
    fn descriptor_call(&self, row: &Row) -> Option<u32> {
        self.inner.descriptor_call(row)
    }
    fn trampoline(&self, demands: Demands) -> &'static Resolver {
        self.inner.trampoline(demands)
    }
    fn stored_addend(&self, row: &Row, stored: i64, code: &[u8]) -> Result<i64, &'static str> {
        self.inner.stored_addend(row, stored, code)
    }
    fn relax_thread_local(&self, graph: &LinkGraph<'_>, image: u64, list: &mut Vec<(EdgeId, Rewritten)>) {
        self.inner.relax_thread_local(graph, image, list);
    }
    fn relax_got_loads(&self, graph: &LinkGraph<'_>, list: &mut Vec<(EdgeId, Rewritten)>) {
        self.inner.relax_got_loads(graph, list);
    }
    fn output_sections(&self) -> &'static [Rule] {
        self.inner.output_sections()
    }
    fn turns_code(&self) -> bool {
        self.inner.turns_code()
    }
    fn spans(&self) -> Spans {
        self.inner.spans()
    }
    fn pc_bias(&self, row: &Row) -> i64 {
        self.inner.pc_bias(row)
    }
    fn unwind_index(&self) -> Option<&'static UnwindIndex> {
        self.inner.unwind_index()
    }
    fn symbol_value(&self, value: u64, function: bool) -> (u64, Flags) {
        self.inner.symbol_value(value, function)
    }
    fn mapping(&self, name: &[u8]) -> Option<Bytes> {
        self.inner.mapping(name)
    }
    fn attributes(&self, bytes: &[u8], big_endian: bool, from: ObjectId) -> Attributes {
        self.inner.attributes(bytes, big_endian, from)
    }

    fn platform(&self, target: &Target, attributes: &Attributes, asked: Platform) -> Platform {
        self.inner.platform(target, attributes, asked)
    }

    fn platform_rows(&self, platform: Platform) -> Option<[(u16, u16); 2]> {
        self.inner.platform_rows(platform)
    }

    fn merge(&self, merged: &mut Attributes, new: &Attributes) -> Vec<Mismatch> {
        self.inner.merge(merged, new)
    }

    fn attribute_section(&self, attributes: &Attributes, big_endian: bool) -> Vec<u8> {
        self.inner.attribute_section(attributes, big_endian)
    }

    fn core(&self, attributes: &Attributes) -> Core {
        self.inner.core(attributes)
    }
    fn reach(&self, row: &Row, core: Core) -> Check {
        self.inner.reach(row, core)
    }
    fn branch(&self, row: &Row, word: u64, value: i64, to: Destination, core: Core) -> Option<BranchForm> {
        self.inner.branch(row, word, value, to, core)
    }
    fn stub_for(&self, row: &Row, word: u64, demands: Demands) -> Option<&'static StubShape> {
        self.inner.stub_for(row, word, demands)
    }
    fn indirect_stub(&self, demands: Demands) -> &'static StubShape {
        self.inner.indirect_stub(demands)
    }
    fn landing_for(&self, first: u64) -> Option<&'static StubShape> {
        self.inner.landing_for(first)
    }
    fn fall_through(&self, row: &Row, word: u64, core: Core) -> Option<u64> {
        self.inner.fall_through(row, word, core)
    }
}
