//! A program that is linked, loaded and ready to be called.

use corpus::value::Value;
use linker::graph::LinkGraph;
use linker::layout::Layout;
use linker::link::Finalized;
use linker::memory::{InFlight as _, Lifetime, Memory as _, MemoryError, Place, Protection, Segment};
use linker::{Options, Roots, Target};
use self_cell::self_cell;

use super::{Arguments, Error, Plain, Pointer, Relocation, Result, Returned, Stopped};
use crate::call;
use crate::disassembly::Disassembler;
use crate::executor::choice::Machine;
use crate::executor::hosted::Allocation;
use crate::executor::{Budget, Executor as _, Stop};
use crate::host::Function;
use crate::linked::Linked;
use crate::linking::{self, Externals, Input, Job, NO_WISHES, Timings, number};
use crate::startup;
use crate::suspects;
use crate::with_machine;

/// What a link borrows from.
struct Material {
    inputs: Vec<Input>,
    defines: Vec<(String, u64)>,
}

type Link<'a> = Finalized<'a, Allocation>;

self_cell!(
    /// A link with what it was made of.
    struct Owned {
        owner: Material,
        #[not_covariant]
        dependent: Link,
    }
);

/// How a program is linked.
pub(super) struct Plan<'a> {
    pub(super) target: &'static Target,
    pub(super) layout: &'a Layout,
    pub(super) options: &'a Options,
    pub(super) roots: Roots<'a>,
    pub(super) budget: Budget,
}

/// A place in a program's memory: a number, or a symbol, with `+` and an offset in bytes behind it if need be
/// (`"table+0x10"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A symbol, and how many bytes behind it.
    Symbol(String, u64),
    /// A number.
    Number(u64),
}

impl From<u64> for Address {
    fn from(number: u64) -> Address {
        Address::Number(number)
    }
}

impl From<Pointer> for Address {
    fn from(pointer: Pointer) -> Address {
        Address::Number(pointer.0)
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Address {
        let parts = text.rsplit_once('+').and_then(|(name, offset)| Some((name, number::address(offset).ok()?)));
        let (name, offset) = parts.unwrap_or((text, 0));
        Address::Symbol(name.to_owned(), offset)
    }
}

/// A program on a machine of its own. Made by [`crate::Rig::link`].
pub struct Program {
    machine: Machine,
    executor: String,
    owned: Owned,
}

impl Program {
    pub(super) fn new(
        mut machine: Machine,
        executor: &str,
        inputs: Vec<Input>,
        defines: Vec<(String, u64)>,
        functions: Vec<(String, Function)>,
        plan: &Plan<'_>,
    ) -> Result<Program> {
        let owned = with_machine!(&mut machine, machine => {
            machine.set_budget(plan.budget);
            for (name, function) in functions {
                machine.host_mut().define(&name, function);
            }
            let host = machine.host().definitions();
            Owned::try_new(Material { inputs, defines }, |material| {
                let job = Job {
                    target: plan.target,
                    inputs: &material.inputs,
                    defines: &material.defines,
                    roots: plan.roots,
                    layout: plan.layout,
                    options: plan.options,
                    wishes: &NO_WISHES,
                };
                let externals = Externals::Table(&|name| host.get(name).copied());
                linking::link(&job, &mut **machine, &externals, &mut Timings::default())
            })
        })?;
        with_machine!(&mut machine, machine => owned.with_dependent(|_, linked| startup::set_up(&mut **machine, &Linked::of_link(linked), None, &[])))
            .map_err(|error| Error::Start(error.to_string()))?;
        Ok(Program { machine, executor: executor.to_owned(), owned })
    }

    /// Calls a function and returns its result. The type that is asked for says where the result is looked for, as a
    /// declaration in C would: nothing checks that it is the function's.
    ///
    /// # Errors
    /// There is no such function, or it did not return: [`Error::Stopped`] says why and where.
    pub fn call<R: Returned>(&mut self, function: &str, arguments: impl Arguments) -> Result<R> {
        let arguments = arguments.values(self.target());
        self.value(function, arguments, R::TYPE).map(|value| R::from_value(&value))
    }

    /// Calls a function at an address, which has the Thumb bit where there is Thumb code: what [`Program::place`] returned,
    /// or a pointer of the program's.
    ///
    /// # Errors
    /// It did not return: [`Error::Stopped`].
    pub fn call_at<R: Returned>(&mut self, address: Pointer, arguments: impl Arguments) -> Result<R> {
        let arguments = arguments.values(self.target());
        let call = Shown { function: &format!("{:#x}", address.0), arguments: &arguments };
        let stop = self.start(&call, address.0)?;
        self.finish(&call, stop, R::TYPE).map(|value| R::from_value(&value))
    }

    /// Calls a function and compares its result: a wrong one is an error that names the relocations on the way.
    ///
    /// # Errors
    /// [`Error::Wrong`], and those of [`Program::call`].
    pub fn check<R>(&mut self, function: &str, arguments: impl Arguments, expected: R) -> Result
    where
        R: Returned + PartialEq + std::fmt::Debug,
    {
        let arguments = arguments.values(self.target());
        let found = R::from_value(&self.value(function, arguments.clone(), R::TYPE)?);
        if found == expected {
            return Ok(());
        }
        Err(Error::Wrong {
            call: Shown { function, arguments: &arguments }.to_string(),
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
            context: self.context(&[function]),
        })
    }

    /// Calls a function and says how that ended: for faults, exits and budgets that a test expects.
    ///
    /// # Errors
    /// There is no such function, or its arguments do not fit into the machine.
    pub fn run(&mut self, function: &str, arguments: impl Arguments) -> Result<Stop> {
        let arguments = arguments.values(self.target());
        let address = self.function(function)?;
        self.start(&Shown { function, arguments: &arguments }, address)
    }

    fn value(&mut self, function: &str, arguments: Vec<Value>, of: Option<call::Type>) -> Result<Value> {
        let address = self.function(function)?;
        let call = Shown { function, arguments: &arguments };
        let stop = self.start(&call, address)?;
        self.finish(&call, stop, of)
    }

    fn start(&mut self, call: &Shown<'_>, address: u64) -> Result<Stop> {
        let Program { machine, owned, .. } = self;
        let stop = owned.with_dependent(|_, linked| {
            with_machine!(machine, machine => {
                // Each call is a run of its own.
                machine.renew();
                call::call(&mut **machine, address, call.arguments, &|name| linked.address(name))
            })
        });
        stop.map_err(|error| Error::Access(format!("{call}: {error}")))
    }

    /// The result of a call that has returned.
    fn finish(&mut self, call: &Shown<'_>, stop: Stop, of: Option<call::Type>) -> Result<Value> {
        if stop != Stop::Returned {
            return Err(self.stopped(call, stop));
        }
        let Some(of) = of else { return Ok(Value::U32(0)) };
        let result = with_machine!(&mut self.machine, machine => call::result(&mut **machine, of));
        result.map_err(|error| Error::Access(format!("{call}: {error}")))
    }

    fn stopped(&mut self, call: &Shown<'_>, stop: Stop) -> Error {
        let location = stop.fault().and_then(|fault| self.location(fault.pc));
        let output = self.output();
        let mut context = self.context(&[call.function]);
        let registers = self.registers();
        // The core registers; the others are there for those who ask.
        let core = registers.iter().filter(|(name, _)| !name.starts_with(['d', 's', 'q', 'v']) || name == "sp");
        let shown: Vec<String> = core.map(|(name, value)| format!("{name} {value:#x}")).collect();
        for (number, line) in shown.chunks(6).enumerate() {
            let label = if number == 0 { "registers" } else { "" };
            context += &format!("\n  {label:10} {}", line.join("  "));
        }
        Error::Stopped(Box::new(Stopped { call: call.to_string(), stop, location, output, context }))
    }

    /// What is known about a failure of these functions, each line behind a line break.
    fn context(&mut self, functions: &[&str]) -> String {
        let Program { machine, executor, owned } = self;
        let mut read =
            |address, into: &mut [u8]| with_machine!(&mut *machine, machine => machine.peek(address, into).is_ok());
        owned.with_dependent(|_, linked| {
            let graph = linked.graph();
            let mut text = format!("\n  machine    {} on {executor}", graph.target.name);
            for suspect in suspects::suspects(linked, functions, &mut read) {
                text += &format!("\n  {}", suspects::lines(&suspect).join("\n    "));
            }
            text + &format!("\n  layout     {}", linked.plan().by_hand(graph))
        })
    }

    /// The symbol and the place in the objects that an address is in.
    fn location(&self, address: u64) -> Option<String> {
        self.owned.with_dependent(|_, linked| {
            let linked = Linked::of_link(linked);
            let symbol = crate::locate::nearest(&linked, address)?;
            Some(format!("{symbol}, {}", linked.site(address)?))
        })
    }

    /// The row of the linker's table for the target.
    pub fn target(&self) -> &'static Target {
        self.owned.with_dependent(|_, linked| linked.graph().target)
    }

    /// The address of a place, as C's `&` has it: with the Thumb bit of a Thumb function.
    ///
    /// # Errors
    /// [`Error::NoSymbol`] names one that is like it.
    pub fn address(&self, place: impl Into<Address>) -> Result<u64> {
        match place.into() {
            Address::Number(number) => Ok(number),
            Address::Symbol(name, offset) => {
                let address = self.function(&name)?;
                Ok(self.target().wrap(address.wrapping_add(offset)))
            }
        }
    }

    fn function(&self, name: &str) -> Result<u64> {
        self.owned.with_dependent(|_, linked| {
            linked.address(name).ok_or_else(|| {
                let named =
                    linked.graph().symbols.iter().filter_map(|(_, symbol)| std::str::from_utf8(symbol.name).ok());
                let near = named
                    .filter(|known| !known.is_empty() && linked.address(known).is_some())
                    .map(|known| (strsim::damerau_levenshtein(known, name), known))
                    .min();
                let nearest = near.filter(|(distance, _)| *distance <= name.len().div_ceil(3));
                Error::NoSymbol { name: name.to_owned(), nearest: nearest.map(|(_, known)| known.to_owned()) }
            })
        })
    }

    /// The address of a place in memory, without the Thumb bit of a symbol.
    fn memory(&self, place: Address) -> Result<u64> {
        match place {
            Address::Number(number) => Ok(number),
            Address::Symbol(name, offset) => {
                self.function(&name)?;
                let address = self.owned.with_dependent(|_, linked| linked.graph().address(linked.symbol(&name)?));
                let address = address.ok_or(Error::NoSymbol { name, nearest: None })?;
                Ok(self.target().wrap(address.wrapping_add(offset)))
            }
        }
    }

    /// A number in memory, in the target's byte order.
    ///
    /// # Errors
    /// No such symbol, or no memory there.
    pub fn read<T: Plain>(&mut self, place: impl Into<Address>) -> Result<T> {
        let bytes = self.bytes(place, T::SIZE)?;
        Ok(T::from_bits(self.target().number(&bytes)))
    }

    /// So many bytes of memory, whatever its protection.
    ///
    /// # Errors
    /// As [`Program::read`].
    pub fn bytes(&mut self, place: impl Into<Address>, length: usize) -> Result<Vec<u8>> {
        let address = self.memory(place.into())?;
        let mut bytes = vec![0; length];
        with_machine!(&mut self.machine, machine => machine.peek(address, &mut bytes))
            .map_err(|error| Error::Access(format!("{length} bytes at {address:#x}: {error}")))?;
        Ok(bytes)
    }

    /// Writes to memory, whatever its protection.
    ///
    /// # Errors
    /// As [`Program::read`].
    pub fn write(&mut self, place: impl Into<Address>, bytes: &[u8]) -> Result {
        let address = self.memory(place.into())?;
        with_machine!(&mut self.machine, machine => machine.poke(address, bytes))
            .map_err(|error| Error::Access(format!("{} bytes at {address:#x}: {error}", bytes.len())))
    }

    /// Puts bytes into memory of their own, on pages with this protection, and returns their address: code that a JIT made,
    /// or data for it. It stays until the program is dropped. Add 1 to the address of Thumb code before it is called.
    ///
    /// # Errors
    /// There is no room.
    pub fn place(&mut self, bytes: &[u8], protection: Protection) -> Result<Pointer> {
        let segment = Segment {
            size: bytes.len() as u64,
            content: bytes.len(),
            alignment: 16,
            protection,
            relro: false,
            thread_local: None,
            lifetime: Lifetime::Standard,
            place: Place::Anywhere,
        };
        let placed = with_machine!(&mut self.machine, machine => {
            machine.reserve(&[segment]).and_then(|mut memory| {
                memory.content(0).copy_from_slice(bytes);
                let address = memory.address(0);
                machine.finalize(memory, &[]).map(|_| address)
            })
        });
        placed.map(Pointer).map_err(|error: MemoryError| Error::Access(format!("{} bytes: {error}", bytes.len())))
    }

    /// A register by its name in the architecture: `x0`, `sp`, `d8`; as the last call left it.
    ///
    /// # Errors
    /// The machine has none of that name.
    pub fn register(&self, name: &str) -> Result<u128> {
        let value = with_machine!(&self.machine, machine => machine.register(name));
        value.ok_or_else(|| {
            let known: Vec<String> = self.registers().into_iter().map(|(name, _)| name).collect();
            Error::Access(format!(
                "{} has no register `{name}`, expected one of {}",
                self.target().name,
                known.join(" ")
            ))
        })
    }

    /// All registers with their names.
    pub fn registers(&self) -> Vec<(String, u128)> {
        with_machine!(&self.machine, machine => machine.registers())
    }

    /// What was printed so far, by `printf` and its like. What is no UTF-8 is replaced.
    pub fn output(&self) -> String {
        with_machine!(&self.machine, machine => String::from_utf8_lossy(machine.host().printed()).into_owned())
    }

    /// The relocations of the objects that are part of the program, in the order of the link.
    pub fn relocations(&self) -> std::vec::IntoIter<Relocation> {
        self.owned.with_dependent(|_, linked| {
            let graph = linked.graph();
            let disassembler = Disassembler::new(graph.target);
            let own =
                graph.live_edges().filter(|(_, edge)| !graph.sections[graph.blocks[edge.block].section].is_made());
            let relocations: Vec<_> = own.filter_map(|(id, _)| Relocation::of(linked, id, &disassembler)).collect();
            relocations.into_iter()
        })
    }

    /// Where everything is, in the words of `at:`, which [`crate::Rig::layout`] takes: to have the same again.
    pub fn layout(&self) -> Layout {
        self.owned.with_dependent(|_, linked| linked.plan().by_hand(linked.graph()))
    }

    /// Looks at the link graph, where what is above is not enough.
    pub fn with_graph<T>(&self, look: impl FnOnce(&LinkGraph<'_>) -> T) -> T {
        self.owned.with_dependent(|_, linked| look(linked.graph()))
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Program { executor, .. } = self;
        f.debug_struct("Program")
            .field("target", &self.target().name)
            .field("executor", executor)
            .finish_non_exhaustive()
    }
}

/// A call as a case has it.
struct Shown<'a> {
    function: &'a str,
    arguments: &'a [Value],
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.function, arguments.join(", "))
    }
}
