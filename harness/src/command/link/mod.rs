//! `harness link`: the linked image as an ELF file, which is a program if the objects are one.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use linker::Layout;

use crate::exit;
use crate::inputs;
use crate::linking::{Timings, Wishes};

mod build_id;
mod copy;
mod labels;
mod leave;
mod map;
mod request;
mod stack;

pub use build_id::BuildId;
pub use copy::{copy, image};
pub use leave::{Discard, Strip};
pub use request::{EntryPoint, Request};

/// Options of `link`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where a process of it starts: a symbol or an address; `_start` where that is defined
    #[arg(short, long, value_name = "SYM")]
    pub entry: Option<String>,
    #[command(flatten)]
    wishes: Wishes,
    /// Put what nobody defines on a page behind the image, instead of failing
    #[arg(long)]
    pub phony_externals: bool,
    /// Write a map: segments, sections and symbols with their addresses
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Leave out the symbol table and debug information
    #[arg(short = 's', long, visible_alias = "strip-all")]
    pub strip: bool,
    /// Leave out debug information
    #[arg(short = 'S', long)]
    pub strip_debug: bool,
    /// Write a note that identifies the content: sha1, md5, 0xHEX or none
    #[arg(long, value_name = "STYLE", num_args = 0..=1, require_equals = true, default_missing_value = "sha1")]
    pub build_id: Option<BuildId>,
    /// Print what each phase took
    #[arg(long)]
    pub timings: bool,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut timings = Timings::default();
    let inputs = timings.phase("read", || inputs::read_to_link(&args.inputs))?;
    let request = Request {
        target: inputs.target,
        files: inputs.files,
        output: args.output.clone(),
        entry: args.entry.clone().map_or(EntryPoint::Usual, EntryPoint::Named),
        options: args.inputs.options(),
        wishes: args.wishes.clone(),
        layout: args.inputs.layout.clone(),
        phony_externals: args.phony_externals,
        map: args.map.clone(),
        strip: match (args.strip, args.strip_debug) {
            (true, _) => Strip::All,
            (_, true) => Strip::Debug,
            _ => Strip::Nothing,
        },
        discard: Discard::Nothing,
        build_id: args.build_id.clone(),
        frame_index: true,
        print_removed: false,
        print_objects: false,
        fatal_warnings: false,
        hints: true,
    };
    let status = request.run(&mut timings)?;
    if args.timings && status == exit::OK {
        for (phase, time) in &timings.phases {
            note!("{phase:10} {:>12.1} us", time.as_secs_f64() * 1e6);
        }
    }
    Ok(status)
}

/// Pages of a layout: large ones, so that the image starts on every system, unless that would make a file of holes.
fn usual_page(layout: &Layout) -> u64 {
    match layout {
        Layout::Near | Layout::High | Layout::Anywhere => 0x1_0000,
        Layout::Far | Layout::Random(_) | Layout::At(_) => crate::executor::image::PAGE,
    }
}
