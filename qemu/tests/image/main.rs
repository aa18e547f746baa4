//! Images that are read for real: little ones, of made-up files, right and wrong.

mod build;
mod contents;
mod cpio;
mod dtb;
mod errors;
mod mutation;

use qemu::Board;
use qemu::image::{BootFiles, Image, ImageError};

/// What this board would boot from an image.
fn boot_files(image: &Image, board: &str) -> Result<BootFiles, ImageError> {
    let board = Board::find(board).expect("a board");
    let linux = board.linux.expect("it boots a Linux");
    let filters: Vec<&str> = linux.filters.iter().map(String::as_str).collect();
    let (kernels, dtbs) = (&linux.kernels[..], &linux.dtbs[..]);
    image.boot_files(&qemu::image::Wanted { width: board.width, filters: &filters, kernels, dtbs })
}
