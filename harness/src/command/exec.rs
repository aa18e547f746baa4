//! `harness exec`: anybody's objects, linked and run.

use std::io::Write;

use clap::Args as ClapArgs;
use corpus::value::Value;
use linker::Roots;

use crate::call;
use crate::executor::{self, Budget, Executor, FaultKind, Register, Stop};
use crate::exit;
use crate::inputs::{self, Inputs};
use crate::judge;
use crate::linking::{self, Externals, Job, Timings, Wishes};
use crate::messages;
use crate::with_machine;

use super::machine::{self, MachineArgs};

/// Options of `exec`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// The function to call
    #[arg(long, value_name = "SYM", default_value = "main")]
    pub entry: String,
    /// An argument: 2, -1i64, 1.5f64, "text", [1i32, 2i32], &symbol+4
    #[arg(long = "arg", value_name = "N", allow_hyphen_values = true, value_parser = argument)]
    pub arguments: Vec<Value>,
    #[command(flatten)]
    wishes: Wishes,
    /// Instructions the guest may execute
    #[arg(long, value_name = "N", default_value_t = Budget::default().instructions)]
    pub budget: u64,
    /// Print the whole register file
    #[arg(long)]
    pub registers: bool,
    /// Print what each phase took
    #[arg(long)]
    pub timings: bool,
    /// Arguments for main, as strings
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<String>,
    #[command(flatten)]
    machine: MachineArgs,
}

/// A value; a bare number is the narrowest signed one that holds it.
fn argument(text: &str) -> Result<Value, String> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(i32::try_from(number).map_or(Value::I64(number), Value::I32));
    }
    text.parse().map_err(|error| format!("{error}"))
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let inputs = match inputs::read(&args.inputs) {
        Ok(inputs) => inputs,
        Err(error) => {
            messages::error(&format!("{error:#}"));
            return Ok(exit::NOT_STARTED);
        }
    };
    let choice = args.machine.choice()?.and_then(|choice| machine::start(&choice).map(|()| choice));
    let machine = match choice {
        Ok(choice) => choice.source().machine(inputs.target),
        Err(refused) => return Ok(refused.say()),
    };
    match machine {
        Ok(mut machine) => with_machine!(&mut machine, machine => run(&mut **machine, args, &inputs)),
        Err(error) => {
            messages::error(&error);
            Ok(exit::NOT_STARTED)
        }
    }
}

fn run<E: Executor>(machine: &mut E, args: &Args, inputs: &Inputs) -> anyhow::Result<u8>
where
    E::InFlight: std::fmt::Debug,
    E::Finalized: std::fmt::Debug,
{
    machine.set_budget(Budget { instructions: args.budget, ..Budget::default() });
    let mut timings = Timings::default();
    let roots = roots(args);
    let mut wishes = args.wishes.clone();
    wishes.settle();
    let said = wishes.options(args.inputs.options()).and_then(|said| Ok((said, wishes.layout(&args.inputs.layout)?)));
    let (options, layout) = match said {
        Ok(said) => said,
        Err(problem) => {
            eprintln!("error: {problem}");
            return Ok(exit::NOT_STARTED);
        }
    };
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &[],
        roots: if wishes.no_gc_sections { Roots::All } else { Roots::Names(&roots) },
        layout: &layout,
        options: &options,
        wishes: &wishes,
    };
    let host = machine.host().definitions();
    let linked = linking::link(&job, machine, &Externals::Table(&|name| host.get(name).copied()), &mut timings);
    let linked = match linked {
        Ok(linked) => linked,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::NOT_STARTED);
        }
    };
    messages::warnings(linked.graph());
    let symbol = |name: &str| linked.address(name);
    let stop = timings.phase("run", || {
        if let Err(problem) = judge::set_up(machine, &linked) {
            return Err(anyhow::anyhow!(problem));
        }
        let arguments = if args.arguments.is_empty() { argv(machine, args)? } else { args.arguments.clone() };
        let function = symbol(&args.entry).ok_or_else(|| anyhow::anyhow!("{} is not there", args.entry))?;
        Ok(call::call(machine, function, &arguments, &symbol)?)
    });
    std::io::stdout().write_all(machine.host().printed())?;
    let stop = match stop {
        Ok(stop) => stop,
        Err(error) => {
            messages::error(&format!("{error:#}"));
            return Ok(exit::NOT_STARTED);
        }
    };
    report(machine, args, &stop, &linked);
    if args.timings {
        for (phase, time) in &timings.phases {
            eprintln!("{phase:10} {:>12.1} us", time.as_secs_f64() * 1e6);
        }
    }
    Ok(status(machine, args, &stop))
}

fn roots(args: &Args) -> Vec<&str> {
    let mut roots = vec![args.entry.as_str()];
    roots.extend(args.arguments.iter().filter_map(|value| match value {
        Value::Address(name, _) => Some(name.as_str()),
        _ => None,
    }));
    roots
}

/// argc and argv for main, as a process would get them.
fn argv<E: Executor>(machine: &mut E, args: &Args) -> anyhow::Result<Vec<Value>> {
    if args.entry != "main" {
        return Ok(Vec::new());
    }
    let mut pointers = Vec::new();
    let width = machine.info().target.pointer_bytes();
    for text in std::iter::once(&args.inputs.files[0]).chain(&args.argv) {
        let mut bytes = text.clone().into_bytes();
        bytes.push(0);
        let address = machine.buffer(&bytes)?;
        pointers.extend(machine.info().target.bytes(address, width));
    }
    let count = pointers.len() / width;
    pointers.extend_from_slice(&[0; 8][..width]);
    Ok(vec![Value::I32(i32::try_from(count)?), Value::Buffer(pointers)])
}

fn report<H>(machine: &mut impl Executor, args: &Args, stop: &Stop, linked: &linker::link::Finalized<'_, H>) {
    let info = machine.info().clone();
    if *stop != Stop::Returned {
        let at =
            stop.fault().and_then(|fault| nearest(linked, fault.pc)).map_or(String::new(), |at| format!(" in {at}"));
        eprintln!("{}: {}{at}", args.entry, stop);
    } else if args.entry != "main" || !args.arguments.is_empty() {
        for register in [Register::Core(0), Register::Core(1), Register::Double(0)] {
            let value = machine.get(register);
            let signed = if info.is_64() { i128::from(value as i64) } else { i128::from(value as i32) };
            match register {
                Register::Core(_) => println!("{:5} {value:#x} ({signed})", register.name(&info)),
                _ => println!("{:5} {value:#x} ({})", register.name(&info), f64::from_bits(value as u64)),
            }
        }
    }
    if args.registers {
        for (name, value) in machine.registers() {
            println!("{name:8} {value:#x}");
        }
    }
}

/// The symbol that an address is in, and how far.
pub(crate) fn nearest<H>(linked: &linker::link::Finalized<'_, H>, address: u64) -> Option<String> {
    let graph = linked.graph();
    let inside = graph.blocks.iter().find(|(_, block)| {
        block.live && block.address <= address && address - block.address < block.content.size().max(1)
    })?;
    let best = graph
        .symbols
        .iter()
        .filter(|(_, symbol)| {
            matches!(symbol.definition, linker::graph::Definition::Block(block, _) if block == inside.0)
                && !symbol.name.is_empty()
        })
        .filter_map(|(id, _)| Some((graph.address(id)?, id)))
        .filter(|(start, _)| *start <= address)
        .max()?;
    Some(format!("{}+{:#x}", graph.symbol_name(best.1), address - best.0))
}

/// The guest's status as a process shows it.
fn status(machine: &mut impl Executor, args: &Args, stop: &Stop) -> u8 {
    match stop {
        // Only main says by its result how the program ended.
        Stop::Returned if args.entry == "main" => machine.get(Register::Core(0)) as u8,
        Stop::Returned => exit::OK,
        Stop::Exited(executor::Exit::Code(code)) => *code as u8,
        Stop::Exited(executor::Exit::Abort(_)) => 128 + 6,
        Stop::OutOfBudget => exit::BUDGET,
        stop => match stop.fault().map(|fault| fault.kind) {
            Some(FaultKind::Undefined | FaultKind::State) => 128 + 4,
            Some(FaultKind::Breakpoint) => 128 + 5,
            Some(FaultKind::Unaligned) => 128 + 7,
            Some(FaultKind::Read | FaultKind::Write | FaultKind::Fetch) => 128 + 11,
            None => exit::HARNESS_FAILED,
        },
    }
}
