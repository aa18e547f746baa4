//! The image of a link that is in a machine's memory already: the same addresses, with symbols and debug information, for a debugger.

use std::path::Path;

use linker::Options;
use linker::link::Finalized;

use super::labels;
use super::leave::{Discard, Strip};
use crate::executor::image::Image;
use crate::exit::BadOutput;
use crate::linked::Linked;
use crate::linking::{self, Externals, Job, Timings};

/// Links again what was linked into a machine, and writes that to a file. `entry` is where it says that it starts.
///
/// # Errors
/// It comes out otherwise, or cannot be written.
pub fn copy<H>(
    job: &Job<'_, '_>,
    linked: &Finalized<'_, H>,
    externals: &Externals<'_>,
    entry: u64,
    path: &Path,
) -> anyhow::Result<()> {
    let layout = linked.plan().by_hand(linked.graph());
    let options = Options { keep_debug: true, ..job.options.clone() };
    let again = Job { layout: &layout, options: &options, ..*job };
    let mut image = Image::new(job.target);
    let copied = linking::link(&again, &mut image, externals, &mut Timings::default())
        .map_err(|error| anyhow::anyhow!("the image of the program cannot be linked: {error}"))?;
    // What a debugger says has to be true of what runs.
    anyhow::ensure!(
        places(&Linked::of_link(&copied)) == places(&Linked::of_link(linked)),
        "the image of the program has other addresses than the program"
    );
    let mut labels = labels::of(&copied, Strip::Nothing, Discard::Nothing);
    labels.entry = entry;
    labels.abi = labels::call_standard(copied.graph());
    let attributes = copied.graph().attribute_section();
    if !attributes.is_empty() {
        labels.extra.push((labels::ATTRIBUTES, labels::ATTRIBUTES_TYPE, &attributes));
    }
    let bytes = copied.handle.write(&labels).map_err(|error| anyhow::anyhow!(error))?;
    std::fs::write(path, bytes).map_err(|error| BadOutput(format!("{}: {error}", path.display())))?;
    Ok(())
}

/// Where the parts of a program are.
fn places(linked: &Linked<'_>) -> Vec<(u64, u64)> {
    let mut places: Vec<(u64, u64)> = linked.pieces.iter().map(|piece| (piece.address, piece.size)).collect();
    places.sort_unstable();
    places
}
