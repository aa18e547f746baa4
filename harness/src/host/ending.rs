//! How a program ends: what it registered to be called before, in the order that the C library has for it.
//!
//! `exit` calls the destructors of thread-local variables, then what `atexit` and `__cxa_atexit` registered, last first, then
//! the finalizers of the program. A function that is called so returns to [`GOING_ON`], which calls the next. Functions may
//! register more meanwhile, or call `exit` again, which goes on with what is left.

use super::frame::{Frame, Outcome};
use super::{Flow, Table};
use crate::machine::{Exit, Register};

/// The host function that calls the next one. No symbol has this name.
pub(super) const GOING_ON: &str = "exit (going on)";

/// Functions to be called at the end, at most so many: each is the host's memory.
const MOST: usize = 1 << 20;

/// A function and its argument.
type Handler = (u64, u64);

/// What there is to be done at the end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Destructors of thread-local variables.
    thread: Vec<Handler>,
    /// `atexit` and its like.
    exit: Vec<Handler>,
    /// The program's finalizers: those that are called last come first.
    pub(super) program: Vec<u64>,
    /// `at_quick_exit`.
    quick: Vec<Handler>,
    /// The finalizers have begun: what they register comes behind the last of them.
    finalizing: bool,
    /// What is under way, the innermost last: a function that `exit` calls may call `__cxa_finalize`.
    leaving: Vec<Leaving>,
}

impl Ending {
    fn finalizer(&mut self) -> Option<Handler> {
        let next = self.program.pop();
        self.finalizing = next.is_some();
        next.map(|function| (function, 0))
    }

    /// What is called next of all that `exit` calls but the thread's destructors. The program's finalizers were registered first.
    fn registered(&mut self) -> Option<Handler> {
        let begun = if self.finalizing { self.finalizer() } else { None };
        begun.or_else(|| self.exit.pop()).or_else(|| self.finalizer())
    }
}

/// What happens when all are called.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    Exit(i32),
    QuickExit(i32),
    /// Back to this caller, when all is called or only what was registered.
    Return {
        caller: u64,
        all: bool,
    },
}

/// The functions.
pub(super) const FUNCTIONS: Table = &[
    ("abort", |_| Ok(Flow::Exit(Exit::Abort(String::new())))),
    ("exit", |f| {
        let status = f.int()?;
        leave(f, Leaving::Exit(status))
    }),
    ("quick_exit", |f| {
        let status = f.int()?;
        leave(f, Leaving::QuickExit(status))
    }),
    ("_exit", exit_now),
    ("_Exit", exit_now),
    (GOING_ON, go_on),
    ("atexit", |f| {
        let function = f.word()?;
        register(f, |ending| &mut ending.exit, (function, 0))
    }),
    ("at_quick_exit", |f| {
        let function = f.word()?;
        register(f, |ending| &mut ending.quick, (function, 0))
    }),
    ("__cxa_atexit", |f| {
        let (function, argument) = (f.word()?, f.word()?);
        register(f, |ending| &mut ending.exit, (function, argument))
    }),
    ("__aeabi_atexit", |f| {
        let (argument, function) = (f.word()?, f.word()?);
        register(f, |ending| &mut ending.exit, (function, argument))
    }),
    ("__cxa_thread_atexit", thread_atexit),
    ("__cxa_thread_atexit_impl", thread_atexit),
    ("__cxa_finalize", |f| {
        // No object stands for all of them, the program itself for what it has registered.
        let all = f.word()? == 0;
        let link = Register::link(f.guest().info());
        let caller = f.guest().get(link) as u64;
        leave(f, Leaving::Return { caller, all })
    }),
];

fn exit_now(f: &mut Frame<'_>) -> Outcome {
    let status = f.int()?;
    exit_with(status)
}

fn exit_with(status: i32) -> Outcome {
    // What a parent process would see.
    Ok(Flow::Exit(Exit::Code(status & 0xff)))
}

fn thread_atexit(f: &mut Frame<'_>) -> Outcome {
    let (function, argument) = (f.word()?, f.word()?);
    register(f, |ending| &mut ending.thread, (function, argument))
}

/// Remembers a function. As in C, the result says whether it could be.
fn register(f: &mut Frame<'_>, list: fn(&mut Ending) -> &mut Vec<Handler>, handler: Handler) -> Outcome {
    let list = list(&mut f.state().ending);
    let room = list.len() < MOST;
    if room {
        list.push(handler);
    }
    f.give_int(i32::from(!room))
}

fn leave(f: &mut Frame<'_>, leaving: Leaving) -> Outcome {
    let under_way = &mut f.state().ending.leaving;
    if !matches!(leaving, Leaving::Return { .. }) {
        // Nobody comes back from there.
        under_way.clear();
    }
    if under_way.len() == MOST {
        return f.abort("__cxa_finalize calls itself without end".to_owned());
    }
    under_way.push(leaving);
    go_on(f)
}

/// Calls the next function, or does what is to be done when there is none.
fn go_on(f: &mut Frame<'_>) -> Outcome {
    let ending = &mut f.state().ending;
    let Some(&leaving) = ending.leaving.last() else {
        return f.abort("nothing is under way that could go on".to_owned());
    };
    let next = match leaving {
        Leaving::Exit(_) => ending.thread.pop().or_else(|| ending.registered()),
        Leaving::QuickExit(_) => ending.quick.pop(),
        Leaving::Return { all: true, .. } => ending.registered(),
        Leaving::Return { all: false, .. } => ending.exit.pop(),
    };
    if let Some((function, argument)) = next {
        let back = f.state().going_on;
        let link = Register::link(f.guest().info());
        f.guest().set(link, back.into());
        f.guest().set(Register::Core(0), argument.into());
        return Ok(Flow::Jump(function));
    }
    f.state().ending.leaving.pop();
    match leaving {
        Leaving::Exit(status) | Leaving::QuickExit(status) => exit_with(status),
        Leaving::Return { caller, .. } => Ok(Flow::Jump(caller)),
    }
}
