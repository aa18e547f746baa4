//! A rig for tests: objects or sources are linked into an emulated machine, and their functions are called from Rust.
//!
//! [`Rig`] says what is linked, for which processor and where; [`Rig::link`] makes a [`Program`] of it, which owns its
//! machine. Its functions are called with [`Program::call`], or with [`Program::check`] where a wrong result is to be an
//! error that names the relocations on the way. What went wrong is an [`Error`], whose `Debug` is made for people, so that a
//! test can end with `?`.
//!
//! ```
//! use harness::{Layout, Rig};
//!
//! # fn main() -> harness::Result {
//! let mut program = Rig::new("thumbv7")
//!     .source("caller.c", "int plus(int, int); int add(int a, int b) { return plus(a, b) + 1; }")
//!     .source("callee.c", "int plus(int a, int b) { return a + b; }")
//!     .layout(Layout::Far)
//!     .link()?;
//! assert_eq!(program.call::<i32>("add", (2, 3))?, 6);
//! // The branch between them did not reach, so it goes through a stub.
//! let relocation = program.relocations().find(|one| one.symbol == "plus").expect("a branch");
//! assert!(relocation.through_stub, "{relocation}");
//! # Ok(())
//! # }
//! ```
//!
//! | to | there is |
//! |---|---|
//! | link objects and archives | [`Rig::object`], [`Rig::file`] |
//! | compile what is linked | [`Rig::source`], [`Rig::file`], [`Rig::flags`] |
//! | say where it goes | [`Rig::layout`], [`Rig::define`] |
//! | have functions of your own called | [`Rig::host`] |
//! | call functions | [`Program::call`], [`Program::check`], [`Program::call_at`] |
//! | expect a fault, or an exit | [`Program::run`] |
//! | put the bytes of a JIT into memory | [`Program::place`] |
//! | look at what is there | [`Program::read`], [`Program::register`], [`Program::output`], [`Program::relocations`] |
//! | run on QEMU's boards | [`Rig::executor`] |

mod error;
mod program;
mod relocation;
mod types;

use std::path::PathBuf;
use std::sync::LazyLock;

use corpus::toolchain::Toolchains;
use linker::{Layout, Options, Roots, Target};

use crate::executor::{AccessError, Budget, Choice};
use crate::host::{Flow, Frame, Function};
use crate::inputs;
use crate::linking::{Data, Input};

pub use self::error::{Error, Result, Stopped};
pub use self::program::{Address, Program};
pub use self::relocation::Relocation;
pub use self::types::{Argument, Arguments, Plain, Pointer, Returned, Symbol};

/// The compilers of this machine, looked for once.
static TOOLCHAINS: LazyLock<Toolchains> = LazyLock::new(Toolchains::discover);

/// What is linked, before it has been read.
enum Given {
    Bytes(Input),
    File(PathBuf),
    Source { name: String, text: String },
}

/// What is linked, for which processor, and where to. Nothing happens before [`Rig::link`]: that is where everything that
/// is wrong with it is said.
#[must_use = "nothing happens before `link`"]
pub struct Rig {
    target: String,
    executor: Option<String>,
    given: Vec<Given>,
    flags: Vec<String>,
    layout: Layout,
    options: Options,
    defines: Vec<(String, u64)>,
    keeps: Vec<String>,
    host: Vec<(String, Function)>,
    budget: Budget,
}

impl Rig {
    /// A rig for a target: `armv7`, `thumbv7`, `aarch64`, or another one of [`linker::TARGETS`].
    pub fn new(target: impl Into<String>) -> Rig {
        Rig {
            target: target.into(),
            executor: None,
            given: Vec::new(),
            flags: Vec::new(),
            layout: Layout::Near,
            options: Options::default(),
            defines: Vec::new(),
            keeps: Vec::new(),
            host: Vec::new(),
            budget: Budget::default(),
        }
    }

    /// Runs on this instead of the default: `unicorn`, the embedded emulator, or the name of a board in QEMU that needs no
    /// image (`raspi3b`, `raspi2b`, `mps2-an385`, `mps3-an547`), or a board file (`NAME.toml`). The default is the emulator;
    /// where the crate was built without it (feature `unicorn`), the first board that runs the target's code.
    pub fn executor(mut self, name: impl Into<String>) -> Rig {
        self.executor = Some(name.into());
        self
    }

    /// Adds an object or a static archive by its bytes. `name` is what errors call it. Of an archive, the members are taken
    /// that define what is missing; all archives form one group.
    pub fn object(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Rig {
        self.given.push(Given::Bytes(Input::new(name, Data::Read(bytes.into()))));
        self
    }

    /// Adds a file: an object, an archive (thin ones, too), or a source, told apart by what is in it.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Rig {
        self.given.push(Given::File(path.into()));
        self
    }

    /// Adds a source, which is compiled by the first compiler for the target that is installed, GCC before clang, or rustc,
    /// with `-O2` and no position independence. The extension of `name` says the language: `c`, `cc`, `S`, `ll`, `rs`.
    pub fn source(mut self, name: impl Into<String>, text: impl Into<String>) -> Rig {
        self.given.push(Given::Source { name: name.into(), text: text.into() });
        self
    }

    /// Flags for the compiler, behind its own: `["-O0", "-fPIC"]`.
    pub fn flags<T: Into<String>>(mut self, flags: impl IntoIterator<Item = T>) -> Rig {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Where sections go. [`Layout::Near`] is the default; [`Layout::Far`] puts code beyond the reach of branches, and
    /// `"random:7".parse()?` or `"at:a.o(.text)=0x400000".parse()?` are read as on the command line.
    pub fn layout(mut self, layout: Layout) -> Rig {
        self.layout = layout;
        self
    }

    /// The choices of the link, by default those of [`Options`]; [`Options::unrelaxed`] leaves instructions as they are.
    pub fn options(mut self, options: Options) -> Rig {
        self.options = options;
        self
    }

    /// Defines a symbol at an address, as `--defsym` does.
    pub fn define(mut self, name: impl Into<String>, address: u64) -> Rig {
        self.defines.push((name.into(), address));
        self
    }

    /// Leaves out what these symbols do not need, as `--gc-sections` does. Without it everything is kept.
    pub fn keep<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Rig {
        self.keeps.extend(names.into_iter().map(Into::into));
        self
    }

    /// A function of the host that the program can call by this name; it replaces the one of the C library that the host has
    /// under it. [`Frame`] gives the arguments in order, and takes the result. `Err` is a fault of the program.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// # fn main() -> harness::Result {
    /// let called = Rc::new(Cell::new(0));
    /// let seen = called.clone();
    /// let mut program = harness::Rig::new("aarch64")
    ///     .source("caller.c", "int plus(int, int); int add(int a, int b) { return plus(a, b) + 1; }")
    ///     .host("plus", move |frame| {
    ///         seen.set(seen.get() + 1);
    ///         let sum = frame.int()? + frame.int()?;
    ///         frame.give_int(sum)
    ///     })
    ///     .link()?;
    /// assert_eq!(program.call::<i32>("add", (40, 2))?, 43);
    /// assert_eq!(called.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn host(
        mut self,
        name: impl Into<String>,
        function: impl FnMut(&mut Frame<'_>) -> Result<Flow, AccessError> + 'static,
    ) -> Rig {
        self.host.push((name.into(), Box::new(function)));
        self
    }

    /// What one call may take; 50 million instructions and ten seconds are the default.
    pub fn budget(mut self, budget: Budget) -> Rig {
        self.budget = budget;
        self
    }

    /// Compiles, links, loads, and runs what start-up code would: the program is ready to be called.
    ///
    /// # Errors
    /// All that is wrong with what the rig was given: an unknown target or board, a file that cannot be read or compiled, an
    /// object that does not link, a constructor that does not return.
    pub fn link(self) -> Result<Program> {
        let target = inputs::target(&self.target).map_err(|error| Error::Usage(format!("{error:#}")))?;
        let choice = match &self.executor {
            Some(name) => Choice::named(name),
            None => Choice::for_target(target),
        };
        let choice = choice.map_err(Error::Machine)?;
        if !choice.targets().iter().any(|known| known.name == target.name) {
            let known: Vec<&str> = choice.targets().iter().map(|target| target.name).collect();
            let message =
                format!("{} does not run {} code, expected one of {}", choice.name(), target.name, known.join(", "));
            return Err(Error::Machine(message));
        }
        let mut inputs = Vec::new();
        for given in self.given {
            inputs.extend(given.read(target, &self.flags)?);
        }
        choice.start().map_err(|error| Error::Machine(error.to_string()))?;
        let machine = choice.source().machine(target).map_err(Error::Machine)?;
        let keeps: Vec<&str> = self.keeps.iter().map(String::as_str).collect();
        let roots = if keeps.is_empty() { Roots::All } else { Roots::Names(&keeps) };
        let plan = program::Plan { target, layout: &self.layout, options: &self.options, roots, budget: self.budget };
        Program::new(machine, choice.name(), inputs, self.defines, self.host, &plan)
    }
}

impl Given {
    fn read(self, target: &'static Target, flags: &[String]) -> Result<Vec<Input>> {
        match self {
            Given::Bytes(input) => Ok(vec![input]),
            Given::File(path) => {
                let args = inputs::Args::of_file(&path, target, flags);
                let read = inputs::read(&args).map_err(|error| Error::Input(format!("{error:#}")))?;
                Ok(read.files)
            }
            Given::Source { name, text } => {
                let failed = |why: &dyn std::fmt::Display| Error::Input(format!("{name}: {why}"));
                let plain = PathBuf::from(&name).file_name().is_some_and(|file| file == name.as_str());
                if !plain {
                    return Err(failed(&"the name of a source is a name of a file without folders"));
                }
                let folder = outside::Scratch::new().map_err(|error| failed(&error))?;
                let path = folder.path().join(&name);
                std::fs::write(&path, text).map_err(|error| failed(&error))?;
                let object = corpus::build::compile_file(&path, target, None, flags, &TOOLCHAINS).map_err(|error| {
                    // What the compiler says is about the source, not about the folder it was put into.
                    let folder = format!("{}/", folder.path().display());
                    failed(&error.to_string().replace(&folder, ""))
                })?;
                Ok(vec![Input::new(name, Data::Read(object))])
            }
        }
    }
}
