//! One configuration: linked, run, and compared with what its case expects.

use std::collections::BTreeMap;
use std::time::Instant;

use corpus::build::File;
use corpus::case::{Address, Call, CallResult, Exit, Expectations, FaultKind, MemoryContent, RegisterValue};
use corpus::matrix::{self, OutOfReach};
use corpus::value::Value;
use linker::error::Error;
use linker::link::Finalized;
use linker::{Options, Roots, Target};
use reports::model::{Failure, Record, SourceLine, Status};

use crate::call::{self, Type};
use crate::executor::hosted::ActionFailed;
use crate::executor::{self, Budget, Executor, PlacementRefused, Stop};
use crate::linking::{self, Data, Externals, Input, Timings};
use crate::plan::Configuration;
use crate::wording::hex;
use crate::{held, startup, suspects};

mod beyond;

use beyond::beyond;

/// What a run found out, besides the verdict.
#[derive(Debug, Default)]
pub struct Findings {
    /// Facts that were judged.
    pub checks: usize,
    /// Facts that were wrong.
    pub problems: Vec<String>,
    /// Relocations of live code and data, by name.
    pub relocations: BTreeMap<String, u64>,
    /// Names of all relocations in the objects, live or not: what `covers` is about.
    pub held: std::collections::BTreeSet<&'static str>,
    /// Why it could not be run.
    pub skip: Option<String>,
    /// How the machine was lost, if it was: nothing was found out then.
    pub lost: Option<String>,
    /// What is known about a failure.
    pub failure: Failure,
    /// Where the program ended, if not by returning.
    pc: Option<u64>,
    /// The case's file, and the line of the directive in hand.
    place: (String, Option<usize>),
}

impl Findings {
    /// Forgets what was found out on a machine that is gone.
    fn lose(&mut self, why: String) {
        let held = std::mem::take(&mut self.held);
        *self = Findings { held, lost: Some(why), ..Findings::default() };
    }

    fn check(&mut self, right: bool, problem: impl FnOnce() -> String) {
        self.checks += 1;
        if !right {
            let place = self.place.1.map_or(String::new(), |line| format!("  {}:{line}", self.place.0));
            self.problems.push(problem() + &place);
            if let Some(line) = self.place.1.filter(|line| self.failure.source.iter().all(|known| known.line != *line))
            {
                self.failure.source.push(SourceLine { file: self.place.0.clone(), line, text: String::new() });
            }
        }
    }
}

/// Runs a configuration on a machine, which is reset before.
pub fn judge<E: Executor>(executor: &mut E, configuration: &Configuration<'_>, files: &[File]) -> (Record, Findings)
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    let (start, waited) = (Instant::now(), executor.waited());
    let Configuration { case, build, layout, .. } = configuration;
    let expected = case.expectations(build, layout);
    executor.reset();
    executor.set_budget(expected.budget.map_or(Budget::DEFAULT, Budget::of_instructions));
    let mut findings = Findings { place: (short_path(&case.file), None), ..Findings::default() };
    let setup = Setup::new(configuration, files, &expected);
    let relaxed = setup.run(executor, &Options::default(), &mut |_, _| true, &mut findings);
    // What was relaxed has to come out the same when it is not.
    if relaxed && findings.problems.is_empty() && findings.lost.is_none() {
        executor.reset();
        setup.run(executor, &Options::unrelaxed(), &mut |_, _| true, &mut findings);
        findings.problems.iter_mut().for_each(|problem| problem.insert_str(0, "without relaxation: "));
    }

    let failed = !findings.problems.is_empty();
    let (status, reason) = match (&findings.skip, expected.xfail, failed) {
        _ if findings.lost.is_some() => (Status::Lost, findings.lost.clone()),
        (Some(reason), ..) => (Status::Skipped, Some(reason.clone())),
        (_, Some(reason), true) => (Status::ExpectedFailure, Some(reason.to_owned())),
        (_, Some(reason), false) => (Status::UnexpectedPass, Some(format!("marked as failing: {reason}"))),
        (_, None, true) => (Status::Failed, None),
        (_, None, false) => (Status::Passed, None),
    };
    let mut record = configuration.record(status, reason);
    record.seconds = start.elapsed().saturating_sub(executor.waited() - waited).as_secs_f64();
    record.checks = findings.checks;
    record.relocations = findings.relocations.clone();
    if status.is_failure() {
        let mut failure = std::mem::take(&mut findings.failure);
        failure.source.iter_mut().for_each(|line| line.text = case.line(line.line).unwrap_or_default().to_owned());
        failure.source.retain(|line| !line.text.is_empty());
        failure.problems = findings.problems.clone();
        if status == Status::UnexpectedPass {
            failure.problems.push("marked as failing, but it passed: remove the mark".to_owned());
        }
        failure.reproduce = format!("cargo run -p harness -- --exact {}", configuration.name);
        // A reference says what calls return, and nothing of errors and faults.
        let blessable = expected.link_errors.is_empty() && expected.exit.is_none() && expected.fault.is_none();
        failure.bless = blessable.then(|| format!("{} --bless", failure.reproduce));
        record.failure = Some(failure);
    }
    (record, findings)
}

/// The group's folder and the file.
fn short_path(file: &str) -> String {
    let parts: Vec<&str> = file.rsplit(['/', '\\']).take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// Links a configuration without relaxations, and judges it after `before` had its way with the machine, unless that says no.
pub fn judge_altered<E: Executor>(
    executor: &mut E,
    configuration: &Configuration<'_>,
    files: &[File],
    before: &mut dyn FnMut(&mut E, &Finalized<'_, E::Finalized>) -> bool,
) -> Findings {
    executor.reset();
    let expected = configuration.case.expectations(&configuration.build, &configuration.layout);
    let mut findings = Findings::default();
    let setup = Setup::new(configuration, files, &expected);
    setup.run(executor, &Options::unrelaxed(), before, &mut findings);
    findings.skip =
        findings.skip.or_else(|| findings.lost.as_ref().map(|lost| format!("the machine was lost: {lost}")));
    findings
}

/// What every run of a configuration has in common.
struct Setup<'a, 'e> {
    configuration: &'a Configuration<'a>,
    inputs: Vec<Input>,
    defines: Vec<(String, u64)>,
    roots: Vec<&'e str>,
    expected: &'a Expectations<'e>,
}

impl<'a, 'e> Setup<'a, 'e> {
    fn new(configuration: &'a Configuration<'a>, files: &[File], expected: &'a Expectations<'e>) -> Self {
        let input = |file: &File| Input::new(file.name.clone(), Data::Read(file.data.clone()));
        let define = |&(name, address): &(&str, u64)| (name.to_owned(), address);
        Setup {
            configuration,
            inputs: files.iter().map(input).collect(),
            defines: expected.defines.iter().map(define).collect(),
            roots: roots(expected),
            expected,
        }
    }

    /// Links and runs with these options. Whether instructions were rewritten.
    fn run<E: Executor>(
        &self,
        executor: &mut E,
        options: &Options,
        before: &mut dyn FnMut(&mut E, &Finalized<'_, E::Finalized>) -> bool,
        findings: &mut Findings,
    ) -> bool {
        let Setup { configuration, expected, roots, .. } = self;
        let job = linking::Job {
            target: configuration.build.target,
            inputs: &self.inputs,
            defines: &self.defines,
            roots: if roots.is_empty() { Roots::All } else { Roots::Names(roots) },
            layout: &configuration.layout,
            options,
            wishes: &linking::NO_WISHES,
        };
        let host = executor.host().definitions();
        let linked =
            linking::link(&job, executor, &Externals::Table(&|name| host.get(name).copied()), &mut Timings::default());
        let out_of_reach = matrix::out_of_reach(&configuration.build, &configuration.layout);
        let linked = match linked {
            Ok(linked) => linked,
            Err(error) => {
                findings.held = held::held_by(&job);
                match executor.lost() {
                    Some(lost) => findings.lose(lost.to_string()),
                    None => judge_error(&error, expected, out_of_reach, findings),
                }
                return false;
            }
        };
        findings.held = held::held(linked.graph());
        findings.relocations = held::live_relocations(&linked);
        if let Some(site) = out_of_reach.and_then(|model| beyond(&linked, model)) {
            findings.check(false, || format!("linked, but the ABI forbids it in this layout: {site} is out of reach"));
        }
        if !expected.link_errors.is_empty() {
            findings.check(false, || format!("linked, but expected the error `{}`", expected.link_errors.join("`, `")));
        } else if before(executor, &linked) {
            judge_run(executor, &linked, expected, findings);
            if !findings.problems.is_empty() {
                findings.failure.registers = suspects::registers(executor);
            }
        }
        // Whatever was read of it since is nobody's fault.
        if let Some(lost) = executor.lost() {
            let symbol = lost.pc.and_then(|pc| crate::locate::nearest(&linked, pc));
            findings.lose(symbol.map_or(lost.to_string(), |symbol| format!("{lost}, in {symbol}")));
            return false;
        }
        if !findings.problems.is_empty() {
            let failure = &mut findings.failure;
            let mut read = |address: u64, into: &mut [u8]| executor.peek(address, into).is_ok();
            failure.suspects = suspects::suspects(&linked, roots, &mut read);
            failure.code = findings.pc.map_or(Vec::new(), |pc| suspects::code(&linked, pc, &mut read));
            findings.failure.layout = linked.plan().by_hand(linked.graph()).to_string();
        }
        !linked.graph().rewritten.is_empty()
    }
}

/// The symbols that the expectations name.
fn roots<'a>(expected: &Expectations<'a>) -> Vec<&'a str> {
    let mut roots: Vec<&str> = expected.keeps.clone();
    for (call, _) in &expected.calls {
        roots.push(&call.function);
        let values = call.arguments.iter().chain(match &call.result {
            CallResult::Value(value) => Some(value),
            _ => None,
        });
        roots.extend(values.filter_map(named));
    }
    for (memory, _) in &expected.memory {
        if let Address::Symbol(name, _) = &memory.place {
            roots.push(name);
        }
        if let MemoryContent::Values(values) = &memory.content {
            roots.extend(values.iter().filter_map(named));
        }
    }
    for (register, _) in &expected.registers {
        if let RegisterValue::Address(name, _) = &register.value {
            roots.push(name);
        }
    }
    if let Some(fault) = expected.fault {
        for place in [&fault.at, &fault.address].into_iter().flatten() {
            if let Address::Symbol(name, _) = place {
                roots.push(name);
            }
        }
    }
    let defined: Vec<&str> = expected.defines.iter().map(|(name, _)| *name).collect();
    roots.retain(|name| !defined.contains(name));
    roots.sort_unstable();
    roots.dedup();
    roots
}

fn named(value: &Value) -> Option<&str> {
    match value {
        Value::Address(name, _) => Some(name),
        _ => None,
    }
}

fn judge_error(error: &Error, expected: &Expectations<'_>, out_of_reach: Option<&OutOfReach>, findings: &mut Findings) {
    if let Error::Memory(inner) = error
        && let Some(refused) = inner.downcast_ref::<PlacementRefused>()
    {
        findings.skip = Some(format!("placement refused: {refused}"));
        return;
    }
    if let Error::Memory(inner) = error
        && let Some(refused @ ActionFailed::NoKeys { .. }) = inner.downcast_ref()
    {
        findings.skip = Some(refused.to_string());
        return;
    }
    let message = error.to_string();
    if expected.link_errors.is_empty() {
        let beyond = |error: &Error| matches!(error, Error::OutOfRange(_));
        let forbidden = out_of_reach.is_some()
            && match error {
                Error::Several(several) => several.errors.iter().all(beyond),
                error => beyond(error),
            };
        findings.check(forbidden, || format!("linking failed: {message}"));
    }
    for wanted in &expected.link_errors {
        findings.check(message.contains(wanted), || format!("linking failed with `{message}`, expected `{wanted}`"));
    }
}

fn judge_run<E: Executor, H>(
    executor: &mut E,
    linked: &Finalized<'_, H>,
    expected: &Expectations<'_>,
    findings: &mut Findings,
) {
    let symbol = |name: &str| linked.address(name);
    if let Err(problem) = startup::set_up(executor, linked, None) {
        findings.check(false, || problem.to_string());
        return;
    }
    let mut ended = None;
    for (call, at) in &expected.calls {
        findings.place.1 = Some(at.line);
        let Some(function) = symbol(&call.function) else {
            return findings.check(false, || format!("no such function `{}`", call.function));
        };
        match call::call(executor, function, &call.arguments, &symbol) {
            Err(error) => return findings.check(false, || format!("{}: {error}", call.function)),
            Ok(Stop::Returned) => judge_result(executor, call, &symbol, findings),
            Ok(stop) => {
                findings.pc = stop.fault().map(|fault| fault.pc);
                ended = Some((stop, *call));
                break;
            }
        }
    }
    if ended.is_none() {
        findings.place.1 = None;
    }
    // Memory and the pc are addressed without the Thumb bit, whatever the symbol's value is.
    let plain = |name: &str| linked.graph().address(linked.symbol(name)?);
    judge_end(ended.as_ref().map(|(stop, call)| (stop, *call)), expected, &plain, findings);
    judge_state(executor, expected, &symbol, &plain, findings);
}

fn show_call(call: &Call) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(ToString::to_string).collect();
    format!("call {}({})", call.function, arguments.join(", "))
}

fn judge_result<E: Executor>(
    executor: &mut E,
    call: &Call,
    symbol: &dyn Fn(&str) -> Option<u64>,
    findings: &mut Findings,
) {
    let expected = match &call.result {
        CallResult::Void => return findings.check(true, String::new),
        CallResult::Unblessed => {
            return findings
                .check(false, || format!("{}: nobody has said what it returns: --bless it", show_call(call)));
        }
        CallResult::Value(value) => value,
    };
    let got = match call::result(executor, Type::of(expected)) {
        Ok(got) => got,
        Err(error) => {
            return findings.check(false, || format!("{}: its result is a bad pointer: {error}", show_call(call)));
        }
    };
    match expected {
        Value::Address(name, offset) => {
            let address = symbol(name).map(|address| executor.info().target.wrap(address.wrapping_add_signed(*offset)));
            findings.check(address.is_some() && got.bits() == address, || {
                let wanted = address.map_or("which is not there".to_owned(), |address| format!("{address:#x}"));
                format!("{}: expected {expected} ({wanted}), got {:#x}", show_call(call), got.bits().unwrap_or(0))
            });
        }
        expected => {
            findings.check(got.same(expected), || format!("{}: expected {expected}, got {got}", show_call(call)))
        }
    }
}

/// Judges how the calls ended: all returned, or by the exit or the fault that is expected.
fn judge_end(
    ended: Option<(&Stop, &Call)>,
    expected: &Expectations<'_>,
    symbol: &dyn Fn(&str) -> Option<u64>,
    findings: &mut Findings,
) {
    let wanted = match (expected.exit, expected.fault) {
        (Some(Exit::Status(status)), _) => Some(format!("exit({status})")),
        (Some(Exit::Abort), _) => Some("abort()".to_owned()),
        (_, Some(fault)) => {
            let name = FaultKind::ALL.iter().find(|(_, kind)| *kind == fault.kind).map_or("", |(name, _)| name);
            Some(format!("{name} fault"))
        }
        (None, None) => None,
    };
    let (stop, call) = match (ended, &wanted) {
        (None, None) => return,
        (None, Some(wanted)) => return findings.check(false, || format!("all calls returned, expected {wanted}")),
        (Some((stop, call)), None) => {
            return findings.check(false, || format!("{}: did not return: {}", show_call(call), stop));
        }
        (Some(ended), Some(_)) => ended,
    };
    let right = match (stop, expected.exit, expected.fault) {
        (Stop::Exited(executor::Exit::Code(code)), Some(Exit::Status(status)), _) => *code == status,
        (Stop::Exited(executor::Exit::Abort(_)), Some(Exit::Abort), _) => true,
        (Stop::OutOfBudget(_), None, Some(fault)) => fault.kind == FaultKind::Budget,
        (stop, None, Some(fault)) => stop.fault().is_some_and(|got| kind_of(got.kind) == Some(fault.kind)),
        _ => false,
    };
    findings
        .check(right, || format!("{}: ended by {}, expected {}", show_call(call), stop, wanted.unwrap_or_default()));
    let (Some(fault), Some(got)) = (expected.fault, stop.fault()) else { return };
    if let Some(place) = &fault.at {
        let wanted = address_of(place, symbol);
        findings.check(wanted == Some(got.pc), || {
            format!(
                "fault at {:#x}, expected {}",
                got.pc,
                wanted.map_or("a symbol".to_owned(), |pc| format!("{pc:#x}"))
            )
        });
    }
    if let Some(place) = &fault.address {
        let wanted = address_of(place, symbol);
        findings.check(got.address == wanted, || format!("fault on address {:x?}, expected {wanted:x?}", got.address));
    }
}

fn kind_of(kind: executor::FaultKind) -> Option<FaultKind> {
    FaultKind::ALL.iter().find(|(name, _)| *name == kind.name()).map(|(_, kind)| *kind)
}

fn address_of(place: &Address, symbol: &dyn Fn(&str) -> Option<u64>) -> Option<u64> {
    match place {
        Address::Absolute(address) => Some(*address),
        Address::Symbol(name, offset) => symbol(name).map(|address| address.wrapping_add_signed(*offset)),
    }
}

/// Judges registers, memory and output after the last call.
fn judge_state<E: Executor>(
    executor: &mut E,
    expected: &Expectations<'_>,
    symbol: &dyn Fn(&str) -> Option<u64>,
    plain: &dyn Fn(&str) -> Option<u64>,
    findings: &mut Findings,
) {
    for (register, at) in &expected.registers {
        findings.place.1 = Some(at.line);
        let got = executor.register(&register.name);
        let wanted = match &register.value {
            RegisterValue::Bits(bits) => Some(*bits),
            RegisterValue::Address(name, offset) => symbol(name).map(|address| address.wrapping_add_signed(*offset)),
        };
        findings.check(got.is_some() && got == wanted.map(u128::from), || match got {
            None => format!("there is no register {}", register.name),
            Some(got) => format!("{} is {got:#x}, expected {:#x}", register.name, wanted.unwrap_or(0)),
        });
    }
    for (memory, at) in &expected.memory {
        findings.place.1 = Some(at.line);
        let Some(address) = address_of(&memory.place, plain) else {
            findings.check(false, || "no such symbol".to_owned());
            continue;
        };
        let wanted = content(&memory.content, executor.info().target, symbol);
        let mut got = vec![0; wanted.len()];
        match executor.peek(address, &mut got) {
            Err(error) => findings.check(false, || error.to_string()),
            Ok(()) => findings
                .check(got == wanted, || format!("memory at {address:#x} is {}, expected {}", hex(&got), hex(&wanted))),
        }
    }
    findings.place.1 = None;
    if let Some(prints) = expected.prints {
        let got = executor.host().printed().to_vec();
        findings.check(got == prints, || {
            format!("printed {:?}, expected {:?}", String::from_utf8_lossy(&got), String::from_utf8_lossy(prints))
        });
    }
}

fn content(content: &MemoryContent, target: &Target, symbol: &dyn Fn(&str) -> Option<u64>) -> Vec<u8> {
    let values = match content {
        MemoryContent::Bytes(bytes) => return bytes.clone(),
        MemoryContent::Values(values) => values,
    };
    let bytes = |value: &Value| match value {
        Value::Buffer(_) | Value::List(_) => value.pointed(target).unwrap_or_default(),
        Value::I32(_) | Value::U32(_) | Value::F32(_) => target.bytes(value.bits().unwrap_or(0), 4),
        Value::I64(_) | Value::U64(_) | Value::F64(_) => target.bytes(value.bits().unwrap_or(0), 8),
        Value::Address(name, offset) => {
            let address = symbol(name).unwrap_or(0).wrapping_add_signed(*offset);
            target.bytes(address, target.pointer_bytes())
        }
    };
    values.iter().flat_map(bytes).collect()
}
