//! `harness blame`: which relocated field of a program that fails is to blame, with another linker's image of it to compare with.

use clap::Args as ClapArgs;
use corpus::value::Value;
use linker::graph::Bytes;
use linker::{Layout, Roots, Target, foreign};

use super::budget::{BudgetArgs, OUTPUT};
use super::link;
use crate::blame::{self, Course, Differing, Fields, How, Parting, Runner};
use crate::check::Field;
use crate::disassembly::Disassembler;
use crate::executor::image::Image;
use crate::executor::traps::Note;
use crate::executor::{Executor as _, unicorn};
use crate::exit::{self, BadInput, Unavailable, Usage};
use crate::inputs::{self, Inputs};
use crate::linked::Executable;
use crate::linking::{self, Data, Externals, Input, Job, NO_WISHES, Timings};
use crate::linux::Process;
use crate::machine::Stop;
use crate::maker::Maker;
use crate::subject::{Request, Subject};
use crate::{messages, wording};

/// Registers that are shown.
const REGISTERS: usize = 8;

/// Options of `blame`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
The objects are linked by both, at the same addresses (--layout), and run. What the reference's program does is right: `blame` says \
after which instruction the suspect's first does something else, and which relocated field is guilty of that. For this it puts fields of \
the reference's image into the suspect's until that ends as the reference's does, and then as few as that takes; nothing is \
believed of either linker. What is shown of the field is as `harness check` has it.

EXAMPLES:
  harness blame main.o sum.o                          what harness link makes, beside GNU ld's or lld's
  harness blame main.o --suspect my-ld.toml --reference lld --entry sum --arg 3
  harness blame main.o --suspect bad.elf --reference good.elf       two images at the same addresses
  harness blame main.o --suspect bad.elf --reference good.elf -- 5  two static Linux programs, and their argument

EXIT STATUS:
  0    a field is named
  4    both end alike: there is nothing to blame
  65   a file cannot be read or compiled
  69   a linker is missing
  100  they end otherwise, and no field could be named
  125  one of them could not be linked or loaded")]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// Whose program fails: `linkrig`, a linker as --subject of run has it (ld, lld, NAME=PROGRAM, FILE.toml, cmd:...), or an executable
    #[arg(long, value_name = "WHO", default_value = "linkrig")]
    pub suspect: String,
    /// Whose program is right: the same [default: ld or lld, whichever is not the suspect]
    #[arg(long, value_name = "WHO")]
    pub reference: Option<String>,
    /// The function to call; otherwise main is, without arguments, and what has start-up code of its own is started as a Linux program
    #[arg(long, value_name = "SYM")]
    pub entry: Option<String>,
    /// An argument: 2, -1, 0x10, 0b101, -1i64, 1.5f64, "text", [1i32, 2i32], &symbol+4
    #[arg(long = "arg", value_name = "N", allow_hyphen_values = true, value_parser = super::exec::argument)]
    pub arguments: Vec<Value>,
    #[command(flatten)]
    budget: BudgetArgs,
    /// Arguments of a Linux program
    #[arg(last = true, value_name = "ARGV", conflicts_with = "entry")]
    pub argv: Vec<String>,
}

/// Who made an image.
enum Who {
    /// Our linker.
    Linkrig,
    /// Another one.
    Linker(Box<Subject>),
    /// It is there.
    File(Input),
}

impl Who {
    fn is_not(&self, name: &str) -> bool {
        !matches!(self, Who::Linker(subject) if subject.description.name == name)
    }

    fn of(option: &str, given: &str, target: &'static Target) -> anyhow::Result<Who> {
        if given == "linkrig" {
            return Ok(Who::Linkrig);
        }
        let expected = format!(
            "expected an executable, linkrig, one of {}, NAME=PROGRAM, FILE.toml or 'cmd:COMMAND'",
            crate::subject::names().join(", ")
        );
        let path = std::path::Path::new(given);
        // A description of a linker is a file, too.
        if path.exists() && path.extension().is_none_or(|extension| extension != "toml") {
            let data = Data::open(given)?;
            if !inputs::is_executable(&data) {
                let what = if inputs::is_elf(&data) { "an object".to_owned() } else { foreign::describe(&data) };
                return Err(BadInput(format!("{option} {given}: it is {what}, {expected}")).into());
            }
            let file = Input::new(given, data);
            Executable::read(&file.name, &file.data, target)?;
            return Ok(Who::File(file));
        }
        if !path.exists() && path.components().count() > 1 && !given.contains([':', '=']) {
            return Err(BadInput(format!("{option} {given}: there is no such file, {expected}")).into());
        }
        match super::run::parse(option, given, None)? {
            Ok(Maker::Linker(subject)) if subject.together() <= 1 => Ok(Who::Linker(subject)),
            Ok(_) => Err(Usage(format!("{option} {given}: blame wants a linker that writes an executable")).into()),
            // A word without more may be meant as either.
            Err(_) if !given.contains([':', '=']) => {
                Err(Usage(format!("{option} {given}: there is neither such a file nor such a linker, {expected}"))
                    .into())
            }
            Err(refused) => Err(Usage(refused.0).into()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Who::Linkrig => "linkrig",
            Who::Linker(subject) => &subject.description.name,
            Who::File(file) => &file.name,
        }
    }
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    if let Err(refused) = super::machine::embedded() {
        return Ok(refused.say());
    }
    let inputs = inputs::read(&args.inputs)?;
    let linked = inputs.files.iter().filter(|file| inputs::is_executable(&file.data));
    match linked.map(|file| file.name.as_str()).collect::<Vec<_>>()[..] {
        [] => {}
        [suspect, reference] => {
            return Err(Usage(format!(
                "{suspect} and {reference} are linked already: harness blame OBJECT... --suspect {suspect} --reference {reference}, \
                 with the objects that they were made of"
            ))
            .into());
        }
        [file, ..] => {
            return Err(Usage(format!(
                "{file} is linked already: give it by --suspect or --reference, and here the objects that it was made of"
            ))
            .into());
        }
    }
    let suspect = Who::of("--suspect", &args.suspect, inputs.target)?;
    let reference = match &args.reference {
        Some(given) => Who::of("--reference", given, inputs.target)?,
        None => usual_reference(&suspect, inputs.target)?,
    };
    let files = [&suspect, &reference].iter().all(|who| matches!(who, Who::File(_)));
    let entry = args.entry.as_deref().unwrap_or("main");
    let arguments = match entry {
        "main" if args.arguments.is_empty() => vec![Value::I32(0), Value::Buffer(vec![0; 16])],
        _ => args.arguments.clone(),
    };
    let course = Course::Call { entry: entry.to_owned(), arguments };
    let mut runner = Runner::new(inputs.target, files, course, args.budget.budget(OUTPUT))?;
    let linked = match (made(args, &inputs, &suspect, &runner), made(args, &inputs, &reference, &runner)) {
        (Ok(suspect), Ok(reference)) => (suspect, reference),
        (Err(error), _) | (_, Err(error)) if error.is::<NotLinked>() => {
            messages::error(&error);
            return Ok(exit::NOT_STARTED);
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let is_process = args.entry.is_none() && args.arguments.is_empty() && {
        let starts = |image: &Input| starts_itself(image, inputs.target);
        starts(&linked.0)? && starts(&linked.1)?
    };
    if is_process {
        let course = Course::Process { name: inputs.files[0].name.clone(), arguments: args.argv.clone() };
        runner.set(course, args.budget.of_process(OUTPUT));
    } else if !args.argv.is_empty() {
        return Err(Usage(format!(
            "arguments behind -- are for a Linux program: {} are none",
            if files { "these" } else { "what these objects make" }
        ))
        .into());
    }
    match blame(&mut runner, &inputs, &linked.0, &linked.1) {
        Err(error) if error.is::<blame::Failed>() => {
            messages::error(&error);
            Ok(exit::NOT_STARTED)
        }
        other => other,
    }
}

/// The first of GNU ld and lld that is installed and not the suspect, or our own.
fn usual_reference(suspect: &Who, target: &Target) -> anyhow::Result<Who> {
    let mut missing = Vec::new();
    // Stubs of ours are at addresses of their own, so another linker is better compared with one that has its own, too.
    for name in ["ld", "lld"].into_iter().filter(|name| suspect.is_not(name)) {
        let subject: Subject = name.parse().map_err(|error| BadInput(format!("{error}")))?;
        match subject.find(target) {
            Ok(_) => return Ok(Who::Linker(Box::new(subject))),
            Err(why) => missing.push(why),
        }
    }
    match suspect {
        Who::Linkrig => Err(Unavailable(missing.join("; ")).into()),
        _ => Ok(Who::Linkrig),
    }
}

/// Whether an image is a Linux program that begins with start-up code of its own.
fn starts_itself(image: &Input, target: &'static Target) -> anyhow::Result<bool> {
    let executable = Executable::read(&image.name, &image.data, target)?;
    if let Some(interpreter) = executable.interpreter() {
        return Err(BadInput(format!(
            "{}: it wants the run-time linker {interpreter} (PT_INTERP), expected a static program: link it with -static",
            image.name
        ))
        .into());
    }
    let starts = executable.entry().is_some() && executable.entry() == executable.value("_start");
    Ok(starts && Process::<unicorn::Processor>::is_for(target))
}

/// Somebody does not link it.
#[derive(Debug, thiserror::Error)]
#[error("{who}: {why}")]
struct NotLinked {
    who: String,
    why: String,
}

/// The image that somebody makes of the objects.
fn made(args: &Args, inputs: &Inputs, who: &Who, runner: &Runner) -> anyhow::Result<Input> {
    if let Who::File(file) = who {
        return Ok(Input::new(&file.name, Data::Read(file.data.to_vec())));
    }
    let not_linked = |why: String| NotLinked { who: who.name().to_owned(), why };
    let host = runner.machine().host();
    let known = host.definitions();
    let externals = Externals::Table(&|name| known.get(name).copied());
    let options = args.inputs.options();
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &[],
        roots: Roots::All,
        layout: &args.inputs.layout,
        options: &options,
        wishes: &NO_WISHES,
    };
    let mut image = Image::new(inputs.target);
    let planned = linking::link(&job, &mut image, &externals, &mut Timings::default());
    let planned = planned.map_err(|error| not_linked(error.to_string()))?;
    // Written down, so that others can be told.
    let layout = planned.plan().by_hand(planned.graph());
    let bytes = match who {
        Who::Linker(subject) => {
            let request =
                Request { target: inputs.target, files: &inputs.files, defines: &[], roots: &[], layout: &layout };
            if let Some(why) = subject.cannot(inputs.target, &layout) {
                let why = match subject.cannot(inputs.target, &Layout::Near) {
                    None => {
                        "it cannot be told where each section goes, which has to be the same for both: give executables"
                            .to_owned()
                    }
                    Some(_) => why,
                };
                return Err(not_linked(why).into());
            }
            let program = subject.find(inputs.target).map_err(Unavailable)?;
            let plan = subject.plan(&request, host).map_err(|error| not_linked(error.to_string()))?;
            let definitions = subject.definitions(&request, host)?;
            let linked = subject.link(&program, &request, Some(&plan), &definitions, !args.inputs.no_relax)?;
            linked.map_err(|refusal| not_linked(refusal.text))?
        }
        _ => {
            link::image(&Job { layout: &layout, ..job }, &externals, 0)
                .map_err(|error| not_linked(format!("{error:#}")))?
                .0
        }
    };
    Ok(Input::new(format!("the image of {}", who.name()), Data::Read(bytes)))
}

fn blame(runner: &mut Runner, inputs: &Inputs, suspect: &Input, reference: &Input) -> anyhow::Result<u8> {
    let Fields { together, apart, differing, elsewhere } = blame::compare(suspect, reference, &inputs.files)?;
    if let Some((site, one, other)) = elsewhere.filter(|_| apart > together) {
        return Err(BadInput(format!(
            "{} and {} are not at the same addresses, so their fields cannot be compared: {site} is at {one:#x} in the one and at \
             {other:#x} in the other, as are {apart} of {} fields; link both with the same addresses (the same script, or -Ttext and \
             -Tdata)",
            suspect.name,
            reference.name,
            apart + together
        ))
        .into());
    }
    let bad = runner.run(suspect, None)?;
    let good = runner.run(reference, None)?;
    outln!("suspect    {}: {bad}", suspect.name);
    outln!("reference  {}: {good}", reference.name);
    if bad.how == How::Stopped(Stop::Syscall) && good.how == bad.how {
        note!(
            "error: both stop where they ask Linux for something, which is answered only to programs that start at a _start of their own"
        );
        return Ok(exit::NOT_STARTED);
    }
    if bad.is_as(&good) {
        outln!("both end alike: there is nothing to blame");
        return Ok(exit::NOTHING_SELECTED);
    }
    let shown = Shown { disassembler: Disassembler::new(inputs.target) };
    match blame::part(runner, suspect, reference)? {
        Some(parting) => shown.parting(&parting, suspect),
        None => outln!("the instructions that were compared do not part"),
    }
    outln!("\n{together} fields are at the same address in both, {} of them not the same", differing.len());
    if apart > 0 {
        outln!("{apart} are elsewhere, and are not compared");
    }
    // What is mixed may be no program any more.
    let mut ends_well = |bytes: &[u8]| {
        let mixed = Input::new("a mixed image", Data::Read(bytes.to_vec()));
        runner.run(&mixed, None).is_ok_and(|end| end.is_as(&good))
    };
    let guilty = blame::guilty(suspect, differing.clone(), &mut ends_well)?;
    let Some(guilty) = guilty else {
        outln!("no field is guilty: with all of the reference's it ends otherwise still");
        let wrong: Vec<&Differing> = differing.iter().filter(|it| it.field.judgement.is_err()).collect();
        wrong.iter().take(REGISTERS).for_each(|differing| shown.field(differing));
        return Ok(exit::FAILURES);
    };
    let those = if guilty.len() == 1 { "this field" } else { "these fields" };
    outln!("with {those} of the reference's it ends as the reference's does:");
    guilty.iter().for_each(|differing| shown.field(differing));
    Ok(exit::OK)
}

/// Writes it for people.
struct Shown {
    disassembler: Disassembler,
}

impl Shown {
    fn instruction(&self, note: &Note) -> String {
        let kind = if note.thumb { Bytes::Thumb } else { Bytes::Code };
        let bytes = &note.code[..note.length.into()];
        format!("{}  {}", wording::hex(bytes), self.disassembler.one(bytes, note.pc, kind).0)
    }

    fn parting(&self, parting: &Parting, suspect: &Input) {
        let Parting { step, last, next, registers } = parting;
        let name = name_of(suspect, last.0.pc);
        outln!("\nthey part behind instruction {step}, at {:#x}{name}:", last.0.pc);
        let (one, other) = (self.instruction(&last.0), self.instruction(&last.1));
        if one == other {
            outln!("  both       {one}");
        } else {
            outln!("  suspect    {one}");
            outln!("  reference  {other}");
        }
        let place = |note: &Option<Note>| note.map_or("it ended".to_owned(), |note| format!("{:#x}", note.pc));
        if next.0.map(|note| note.pc) != next.1.map(|note| note.pc) {
            outln!("  {:9}  suspect {}, reference {}", "pc", place(&next.0), place(&next.1));
        }
        for (name, one, other) in registers.iter().take(REGISTERS) {
            outln!("  {name:9}  suspect {one:#x}, reference {other:#x}");
        }
        if registers.len() > REGISTERS {
            outln!("  and {} more registers", registers.len() - REGISTERS);
        }
    }

    fn bytes(&self, field: &Field, bytes: &[u8]) -> String {
        if !field.is_code {
            return wording::hex(bytes);
        }
        let kind = if field.site.relocation.contains("_THM_") { Bytes::Thumb } else { Bytes::Code };
        format!("{}  {}", wording::hex(bytes), self.disassembler.one(bytes, field.site.p, kind).0)
    }

    fn field(&self, differing: &Differing) {
        let Differing { field, bytes, .. } = differing;
        let site = &field.site;
        outln!("  {} at {site} against `{}`", site.relocation, site.symbol);
        let s = site.s.map_or("unknown".to_owned(), |s| format!("{s:#x}"));
        outln!("    S {s}  A {}  P {:#x}", linker::relocation::hex(site.a.into()), site.p);
        outln!("    suspect    {}", self.bytes(field, &bytes.0));
        outln!("    reference  {}", self.bytes(field, &bytes.1));
        match &field.judgement {
            Ok(()) => outln!("    by the ABI it is right in the suspect's image, too"),
            Err(why) => outln!("    by the ABI, the suspect's is {why}"),
        }
    }
}

/// The symbol of an image that an address is in, as it is said behind it.
fn name_of(image: &Input, address: u64) -> String {
    use object::{Object as _, ObjectSymbol as _, SymbolKind};
    let Ok(file) = object::File::parse(&*image.data) else { return String::new() };
    let place = |symbol: &object::Symbol<'_, '_>| symbol.address() & !u64::from(!file.is_64());
    let named = file.symbols().filter(|symbol| {
        symbol.kind() == SymbolKind::Text
            && place(symbol) <= address
            && symbol.name_bytes().is_ok_and(|it| !it.is_empty() && it[0] != b'$')
    });
    let nearest = named.max_by_key(|symbol| place(symbol));
    nearest.map_or(String::new(), |symbol| {
        let name = symbol.name_bytes().map(linker::error::text).unwrap_or_default();
        format!(" <{name}+{:#x}>", address - place(&symbol))
    })
}
