//! An image of a link, and that of one that is in a machine's memory already: the same addresses, with symbols and debug information,
//! for a debugger.

use std::path::Path;

use linker::Options;
use linker::link::Finalized;

use super::labels;
use super::leave::{Discard, Strip};
use crate::executor::image::Image;
use crate::exit::BadOutput;
use crate::linked::Linked;
use crate::linking::{self, Externals, Job, Timings};

/// An image, and where the parts of its program are: addresses and sizes.
type Placed = (Vec<u8>, Vec<(u64, u64)>);

/// Links into an image with symbols and debug information, which says that it starts at `entry`.
///
/// # Errors
/// It cannot be linked.
pub fn image(job: &Job<'_, '_>, externals: &Externals<'_>, entry: u64) -> anyhow::Result<Placed> {
    let options = Options { keep_debug: true, ..job.options.clone() };
    let job = Job { options: &options, ..*job };
    let mut memory = Image::new(job.target);
    let linked = linking::link(&job, &mut memory, externals, &mut Timings::default())?;
    let places = places(&Linked::of_link(&linked));
    let mut labels = labels::of(&linked, Strip::Nothing, Discard::Nothing);
    labels.entry = entry;
    labels.abi = labels::call_standard(linked.graph());
    let attributes = linked.graph().attribute_section();
    if !attributes.is_empty() {
        labels.extra.push((labels::ATTRIBUTES, labels::ATTRIBUTES_TYPE, &attributes));
    }
    let bytes = linked.handle.write(&labels).map_err(|error| anyhow::anyhow!(error))?;
    Ok((bytes, places))
}

/// Links again what was linked into a machine, and writes that to a file.
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
    let (bytes, copied) = image(&Job { layout: &layout, ..*job }, externals, entry)
        .map_err(|error| anyhow::anyhow!("the image of the program cannot be linked: {error}"))?;
    // What a debugger says has to be true of what runs.
    anyhow::ensure!(
        copied == places(&Linked::of_link(linked)),
        "the image of the program has other addresses than the program"
    );
    std::fs::write(path, bytes).map_err(|error| BadOutput(format!("{}: {error}", path.display())))?;
    Ok(())
}

/// Where the parts of a program are: addresses and sizes.
fn places(linked: &Linked<'_>) -> Vec<(u64, u64)> {
    let mut places: Vec<(u64, u64)> = linked.pieces.iter().map(|piece| (piece.address, piece.size)).collect();
    places.sort_unstable();
    places
}
