//! `harness image`: what is in a disk image.

use std::path::PathBuf;

use clap::Subcommand;
use qemu::image::Image;

use crate::{exit, stdout};

/// What to do with an image.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show partitions, kernels, device trees, settings and the root file system, and which boards would boot from it.
    ///
    /// The image is opened for reading only; no root, no loop device. docs/images.md says what an image has to have.
    Inspect {
        /// The image, or a card: MBR, FAT boot partition, ext4 root partition
        #[arg(value_name = "IMG")]
        image: PathBuf,
    },
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let Action::Inspect { image } = &args.action;
    stdout::print(&Image::open(image)?.inspect().to_string());
    Ok(exit::OK)
}
