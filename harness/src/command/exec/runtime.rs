//! `exec` of objects that need a C library: linked with one by our own linker, as a compiler driver has it done, and started as a
//! Linux program.

use linker::Target;
use linker::error::Error;

use super::meaning::{self, Kind, Subject};
use super::{Args, process, rust, user_mode};
use crate::command::debugger::Debugger;
use crate::command::link::Request;
use crate::executor::unicorn;
use crate::exit::{self, Usage};
use crate::inputs::{self, Inputs};
use crate::libraries::{self, Library, Runtime};
use crate::linking::{Data, Input, Timings, expression};
use crate::linux::Process;
use crate::machine::Processor;
use crate::messages;

/// Which C library objects are linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Crt {
    /// glibc, for microcontrollers newlib, for a program that needs more than host functions; otherwise none.
    Auto,
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
    /// newlib of bare metal, which asks a debugger by semihosting.
    Newlib,
    /// None: host functions are all there is.
    None,
}

impl Crt {
    fn library(self, target: &'static Target) -> Library {
        match self {
            Crt::Musl => Library::Musl,
            Crt::Newlib => Library::Newlib,
            Crt::Auto if Processor::of(target).is_some_and(|processor| processor.m_profile) => Library::Newlib,
            _ => Library::Glibc,
        }
    }
}

/// Whether objects are linked with a C library at once, without asking what they need.
///
/// # Errors
/// What was asked for cannot be together.
pub(super) fn is_asked_for(args: &Args, target: &'static Target) -> Result<bool, Usage> {
    if matches!(args.crt, Crt::Auto | Crt::None) {
        return Ok(false);
    }
    if args.is_called() {
        let why = "--entry, --arg and --returns are for functions that are called: with a C library a program is started, and calls main";
        return Err(Usage(why.to_owned()));
    }
    if args.machine.is_given() {
        return Err(Usage(
            "programs with a C library run on the embedded emulator only: leave out --executor and --image".to_owned(),
        ));
    }
    if !Process::<unicorn::Processor>::is_for(target) {
        return Err(Usage(format!("--crt: nothing here runs programs with a C library for {}", target.name)));
    }
    Ok(true)
}

/// Whether objects whose link failed like this may be a program that needs a C library.
pub(super) fn may_help(args: &Args, target: &'static Target, error: &Error) -> bool {
    args.crt == Crt::Auto
        && matches!(error, Error::Undefined(_))
        && !args.is_called()
        && !args.machine.is_given()
        && Process::<unicorn::Processor>::is_for(target)
}

/// Links with start files and libraries, and runs. `lacks` is why it was not linked without them, if that was tried.
pub(super) fn run(
    args: &Args,
    inputs: Inputs,
    debugger: Option<Debugger>,
    lacks: Option<&Error>,
) -> anyhow::Result<u8> {
    let target = inputs.target;
    let library = args.crt.library(target);
    let kind = if library == Library::Newlib { Kind::Firmware } else { Kind::Linux };
    meaning::check(args, Subject { kind, is_linked: false })?;
    let rust = match rust::needs(&inputs.files, target) {
        Ok(rust) => rust,
        Err(missing) => {
            messages::error(&format!("{missing:#}"));
            return Ok(exit::MISSING);
        }
    };
    let runtime = match libraries::runtime(library, target, is_cpp(&inputs.files)) {
        Ok(runtime) => runtime,
        Err(missing) => {
            if let Some(error) = lacks {
                super::say_link_error(error, target);
                messages::note(&missing);
                return Ok(exit::NOT_STARTED);
            }
            messages::error(&missing);
            return Ok(exit::MISSING);
        }
    };
    if args.verbose {
        let Runtime { name, before, libraries, behind } = &runtime;
        let crates = rust.iter().flat_map(|rust| &rust.libraries);
        let all = before.iter().chain(crates).chain(libraries).chain(behind).map(|path| path.display().to_string());
        messages::note(&format!("linked with {name}: {}", all.collect::<Vec<_>>().join(" ")));
    }
    let name = inputs.files.first().map(|file| file.name.clone()).unwrap_or_default();
    let scratch = outside::Scratch::new()?;
    let output = debugger.as_ref().map_or_else(|| scratch.path().join("program"), |debugger| debugger.image(&name));
    let open = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| inputs::open(&path.to_string_lossy())).collect::<anyhow::Result<Vec<Input>>>()
    };
    let mut files = open(&runtime.before)?;
    files.extend(inputs.files);
    let mut wishes = args.wishes.clone();
    if let Some(rust) = rust {
        files.push(rust.functions);
        files.extend(open(&rust.libraries)?);
        for (name, function) in &rust.names {
            wishes.assignments.extend(expression::assignment(&format!("{name}={function}")));
        }
    }
    files.extend(open(&runtime.libraries)?);
    files.extend(open(&runtime.behind)?);
    let request = Request {
        options: args.inputs.options(),
        wishes,
        layout: args.inputs.layout.clone(),
        hints: true,
        ..Request::program(target, files, output.clone())
    };
    let mut timings = Timings::default();
    match request.run(&mut timings)? {
        exit::OK => {}
        exit::BAD_INPUT => return Ok(exit::BAD_INPUT),
        _ => return Ok(exit::NOT_STARTED),
    }
    if args.machine.is_user_mode() {
        return user_mode::run(args, target, &name, &output);
    }
    let program = Input::new(name, Data::open(&output)?);
    process::run_image(args, &program, target, debugger, &output, timings)
}

/// Whether an object asks for something of C++: names that are mangled, or how exceptions are met.
fn is_cpp(files: &[Input]) -> bool {
    use object::{Object as _, ObjectSymbol as _};
    files.iter().any(|file| {
        let object = object::File::parse(&*file.data);
        object.is_ok_and(|object| {
            let mut wanted = object.symbols().filter(object::ObjectSymbol::is_undefined);
            wanted.any(|symbol| {
                let is_cpp = |name: &str| name.starts_with("_Z") && !rust::is_rust(name) || name.starts_with("__gxx_");
                symbol.name().is_ok_and(is_cpp)
            })
        })
    })
}
