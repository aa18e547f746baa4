//! The SD card: a disk image with an overlay in front of it, which takes what the guest writes. The image itself is only read.
//!
//! QEMU wants cards to have a power of two in bytes, which images have not. So the overlay is as large as the next one; behind the
//! image's end it reads as zeros.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::image::Image;

/// A card that holds an image.
#[derive(Clone, Debug)]
pub struct Card {
    image: PathBuf,
    size: u64,
}

/// There is no card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The program that makes overlays is not installed.
    #[error("qemu-img is not installed: the card's overlay needs it (Debian and Ubuntu: the package qemu-utils)")]
    NoProgram,
    /// The overlay could not be made.
    #[error("the overlay of {} could not be made in {}: {why}{}", image.display(), directory.display(), advice(why))]
    Overlay {
        /// The image.
        image: PathBuf,
        /// Where the overlay was to be.
        directory: PathBuf,
        /// What qemu-img says.
        why: String,
    },
    /// The system refused.
    #[error("the overlay of {}: {cause}", image.display())]
    Io {
        /// The image.
        image: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

fn advice(why: &str) -> &'static str {
    if why.contains("No space left") { "; TMPDIR names a place with more room" } else { "" }
}

impl Card {
    /// A card with this image on it.
    pub fn new(image: &Image) -> Card {
        // Smaller ones are not made.
        let size = image.length().next_power_of_two().max(1 << 20);
        Card { image: image.path().to_owned(), size }
    }

    /// Makes the overlay in a directory, and says how QEMU is to use it.
    pub fn options(&self, directory: &Path) -> Result<Vec<String>, CardError> {
        let io = |cause| CardError::Io { image: self.image.clone(), cause };
        let overlay = directory.join("card.qcow2");
        // A relative path would be one from the overlay's directory on.
        let image = self.image.canonicalize().map_err(io)?;
        let made = Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
            .arg(&image)
            .arg(&overlay)
            .arg(self.size.to_string())
            .stdin(Stdio::null())
            .output();
        let made = made.map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => CardError::NoProgram,
            _ => io(cause),
        })?;
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).trim().to_owned();
            return Err(CardError::Overlay { image, directory: directory.to_owned(), why });
        }
        // In an option a comma is written twice.
        let overlay = overlay.to_string_lossy().replace(',', ",,");
        Ok(vec!["-drive".to_owned(), format!("if=sd,format=qcow2,file={overlay}")])
    }
}

/// What QEMU says when it cannot write to the overlay. The guest is not told.
pub(crate) const WRITE_ERROR: &str = "write error on host side";
