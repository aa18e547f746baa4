//! A program as an executable of ours, which starts as a process.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use linker::{Layout, Options, Roots, Target};

use super::build::{Built, START};
use crate::executor::image::{Image, Labels};
use crate::linking::{self, Data, Externals, Input, Job, Timings};

/// Bytes of the largest page that a system of these architectures has.
const LARGE_PAGE: u64 = 0x1_0000;

/// Makes it, in the directory of the program. What our linker says when it refuses.
pub(super) fn make(target: &'static Target, built: &Built) -> Result<std::result::Result<PathBuf, String>> {
    let names = std::iter::once(START).chain(built.names());
    let read = |name: &str| Ok(Input::new(name, Data::Read(std::fs::read(built.directory.join(name))?)));
    let inputs: Vec<Input> = names.map(read).collect::<Result<_>>()?;
    let options =
        Options { relocates_itself: true, headers: Some(Image::room(target)), page: LARGE_PAGE, ..Options::default() };
    let job = Job {
        target,
        inputs: &inputs,
        defines: &[],
        roots: Roots::All,
        layout: &Layout::Near,
        options: &options,
        wishes: &linking::NO_WISHES,
    };
    let mut memory = Image::new(target).with_page(LARGE_PAGE).with_headers();
    let linked = match linking::link(&job, &mut memory, &Externals::Table(&|_| None), &mut Timings::default()) {
        Ok(linked) => linked,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let labels = Labels { entry: linked.address("_start").context("a start")?, ..Labels::default() };
    let bytes = linked.handle.write(&labels).map_err(|error| anyhow::anyhow!("{error}"))?;
    let path = built.directory.join("linkrig.elf");
    let _ = std::fs::remove_file(&path);
    File::options().write(true).create_new(true).mode(0o755).open(&path)?.write_all(&bytes)?;
    Ok(Ok(path))
}
