//! A program in a machine's memory, run and compared with what its case expects. Who linked it does not matter here.

use corpus::case::{Address, Call, CallResult, Exit, Expectations, FaultKind, MemoryContent, RegisterValue};
use corpus::value::Value;
use linker::Target;

use super::Findings;
use crate::call::{self, Type};
use crate::executor::{self, Executor, Stop};
use crate::linked::Linked;
use crate::linking::Input;
use crate::wording::hex;
use crate::{debug, locate, startup, suspects};

/// Sets a program up that is in the machine's memory, whoever linked it, calls what its case says, and compares. What is known
/// about a failure without its relocations is in the findings, too; so is the loss of the machine. `files` are what it was linked from,
/// or the executable itself.
pub fn judge_program<E: Executor>(
    executor: &mut E,
    linked: &Linked<'_>,
    files: &[Input],
    expected: &Expectations<'_>,
    findings: &mut Findings,
) {
    let is_cut_short = judge_calls(executor, linked, expected, findings);
    // Whatever was read of it since is nobody's fault.
    if let Some(lost) = executor.lost() {
        let symbol = lost.pc.and_then(|pc| locate::nearest(linked, pc));
        findings.lose(symbol.map_or(lost.to_string(), |symbol| format!("{lost}, in {symbol}")));
    } else if !findings.problems.is_empty() {
        findings.failure.registers = suspects::registers(executor);
        let mut read = |address: u64, into: &mut [u8]| executor.peek(address, into).is_ok();
        findings.failure.code = findings.pc.map_or(Vec::new(), |pc| suspects::code(linked, pc, &mut read));
        if is_cut_short {
            let frames = debug::backtrace(executor, linked, files).frames;
            findings.failure.backtrace = frames.iter().map(ToString::to_string).collect();
        }
    }
}

/// Whether a call was cut short.
fn judge_calls<E: Executor>(
    executor: &mut E,
    linked: &Linked<'_>,
    expected: &Expectations<'_>,
    findings: &mut Findings,
) -> bool {
    let symbol = |name: &str| linked.address(name);
    if let Err(problem) = startup::set_up(executor, linked, None, &[]) {
        findings.check(false, || problem.to_string());
        return false;
    }
    let mut ended = None;
    for (call, at) in &expected.calls {
        findings.place.1 = Some(at.line);
        let Some(function) = symbol(&call.function) else {
            findings.check(false, || format!("no such function `{}`", call.function));
            return false;
        };
        match call::call(executor, function, &call.arguments, &symbol) {
            Err(error) => {
                findings.check(false, || format!("{}: {error}", call.function));
                return false;
            }
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
    let plain = |name: &str| linked.place(name);
    judge_end(ended.as_ref().map(|(stop, call)| (stop, *call)), expected, &plain, findings);
    judge_state(executor, expected, &symbol, &plain, findings);
    ended.is_some()
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
