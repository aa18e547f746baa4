//! One configuration with a debugger: what is waited for is its first call, or the first constructor before it.

use reports::model::{Record, Status};

use crate::command::debugger::{Debugger, attended};
use crate::command::link;
use crate::executor::{Executor as _, Unicorn};
use crate::exit::Usage;
use crate::gdb::Over;
use crate::judge;
use crate::linked::Linked;
use crate::linking::Externals;
use crate::plan::{Batch, Configuration, Objects};

/// Names that an error shows.
const SHOWN: usize = 5;

/// A debugger is for one configuration.
///
/// # Errors
/// There are more.
pub(super) fn is_one(chosen: &[Vec<Configuration<'_>>]) -> Result<(), Usage> {
    let names: Vec<&str> = chosen.iter().flatten().map(|configuration| configuration.name.as_str()).collect();
    if names.len() <= 1 {
        return Ok(());
    }
    let more = if names.len() > SHOWN { format!("\n  and {} more", names.len() - SHOWN) } else { String::new() };
    Err(Usage(format!(
        "--gdb, --trace and --save-dir are for one configuration, and {} are selected: choose one by --exact NAME:\n  {}{more}",
        names.len(),
        names[..names.len().min(SHOWN)].join("\n  ")
    )))
}

/// Links it, waits for the debugger, and judges it.
pub(super) fn judge(batch: &Batch<'_>, debugger: &mut Debugger) -> anyhow::Result<Record> {
    let configuration = &batch.configurations[0];
    let files = match &batch.objects {
        Objects::Files(files) => files,
        Objects::Missing(why) => return Ok(configuration.record(Status::Skipped, Some(why.clone()))),
        Objects::Broken(problem) => return Err(anyhow::anyhow!("{problem}")),
    };
    let mut machine = Unicorn::new(configuration.build.target)?;
    let mut problem = None;
    let record = judge::judge_attended(&mut machine, configuration, files, &mut |machine, job, linked, go| {
        let host = machine.host().definitions();
        let path = debugger.image(&configuration.case.name.replace('/', "-"));
        let externals = Externals::Table(&|name| host.get(name).copied());
        if debugger.wants_image()
            && let Err(error) = link::copy(job, linked, &externals, 0, &path)
        {
            problem = Some(error);
            return;
        }
        let program = Linked::of_link(linked);
        let ran = attended(
            machine,
            debugger.attendance(&path),
            &program,
            linked,
            |machine| go(machine),
            |right| (None, Over::Exited(u8::from(!*right))),
        );
        problem = ran.err();
    });
    match problem {
        None => Ok(record),
        Some(error) => Err(error),
    }
}
